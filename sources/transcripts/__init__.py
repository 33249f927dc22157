"""Transcripts from files: captions (VTT, SRT, SBV, SUB), caption JSON, and markdown or text with speaker turns.

A file becomes one document of kind `transcript`: the spoken text, one line a cue or paragraph, with times, speakers
and chapters beside it. Rolling auto-captions are unrolled; names of speakers never leave this package.
"""

from sources.transcripts.cues import Cue, Reading, UnreadableError
from sources.transcripts.document import build_transcript
from sources.transcripts.source import TranscriptsSource

__all__ = ["Cue", "Reading", "TranscriptsSource", "UnreadableError", "build_transcript"]
