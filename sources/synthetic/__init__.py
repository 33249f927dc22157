"""Conversations written by rule: a pack's rule files are drawn, decided and put into words.

`SyntheticSource` is the connector, `check_rules` what `curator doctor` says about a pack's rule files. Everything
is column-wise and deterministic: a row depends on the seed, the rule files and its own number alone.
"""

from sources.synthetic.doctor import Finding, check_rules
from sources.synthetic.source import SyntheticOptions, SyntheticSource

__all__ = ["Finding", "SyntheticOptions", "SyntheticSource", "check_rules"]
