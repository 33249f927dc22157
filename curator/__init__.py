"""Collects, decides, balances, exports: the stages, the shells around them, the command line."""
