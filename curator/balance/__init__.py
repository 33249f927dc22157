"""Units, the split ledger, the mix solver and frozen releases."""

from curator.balance.ledger import Dealt, deal_splits
from curator.balance.select import Selection, select_rows

__all__ = ["Dealt", "Selection", "deal_splits", "select_rows"]
