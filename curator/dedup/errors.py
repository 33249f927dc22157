"""The one error of this package."""

from schemas.errors import CuratorError


class DedupError(CuratorError):
    """Near-duplicate search was asked for something it cannot answer."""
