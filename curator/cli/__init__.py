"""The command line: parses, calls one function, shows its report."""
