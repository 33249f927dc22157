"""Row-wise screening: language, privacy, quality, safety; every rule has an id, a threshold and a count."""

from curator.screen.stage import Screened, screen_examples

__all__ = ["Screened", "screen_examples"]
