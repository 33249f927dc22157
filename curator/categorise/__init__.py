"""Gives every example a category of the pack and a coach role, or leaves it openly undecided."""

from curator.categorise.stage import categorise_examples

__all__ = ["categorise_examples"]
