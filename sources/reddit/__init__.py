"""Reddit through four doors: dumps, saved API JSON, the live API, and a recheck for deletions.

Every door gives the same documents (one a post, one a comment), so that they mix and supersede each other freely.
"""

from sources.reddit.options import RedditOptions
from sources.reddit.source import RedditSource

__all__ = ["RedditOptions", "RedditSource"]
