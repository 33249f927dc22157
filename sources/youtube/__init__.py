"""YouTube transcripts: video ids, channels and playlists become documents, with youtube-transcript-api.

Addresses that a user gives are only parsed for their id and never fetched. A video that fails is a rejection; when
YouTube blocks this machine the source stops politely and a rerun goes on from there.
"""

from sources.youtube.ids import parse_video_id
from sources.youtube.source import YoutubeSource

__all__ = ["YoutubeSource", "parse_video_id"]
