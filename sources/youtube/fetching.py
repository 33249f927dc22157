"""Fetches the captions of one video with youtube-transcript-api."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sources.transcripts.cues import Cue, Reading, join_lines
from sources.transcripts.speakers import assign_speakers
from sources.youtube.details import DetailsRecorder, VideoDetails
from sources.youtube.failures import Failure, explain_failure

if TYPE_CHECKING:
    import requests
    from youtube_transcript_api import FetchedTranscript, Transcript, TranscriptList
    from youtube_transcript_api.proxies import ProxyConfig


class CaptionClient:
    """One client of the library and what its answers tell beside the captions (not thread-safe, as the library).

    Args:
        proxies: The library's proxy settings.
        session: HTTP session; a fresh one if absent.
    """

    def __init__(self, proxies: "ProxyConfig | None", session: "requests.Session | None" = None) -> None:
        import requests
        from youtube_transcript_api import YouTubeTranscriptApi

        session = session or requests.Session()
        self._recorder = DetailsRecorder(session)
        self._api = YouTubeTranscriptApi(proxy_config=proxies, http_client=session)

    def fetch(
        self, video_id: str, languages: Sequence[str], *, generated: bool
    ) -> tuple[Reading, VideoDetails] | Failure:
        """Gives the best captions of a video with its title, channel and chapters, or why there are none."""
        from youtube_transcript_api import YouTubeTranscriptApiException

        try:
            transcript = choose_transcript(self._api.list(video_id), languages, generated=generated)
            fetched = None if transcript is None else transcript.fetch()
        # Beside its own errors come those of requests (OSError), a bare ParseError (SyntaxError) on empty captions, and
        # look-up errors when an answer has another shape than the library expects.
        except (YouTubeTranscriptApiException, OSError, SyntaxError, ValueError, LookupError, TypeError) as error:
            return explain_failure(error)
        details = self._recorder.take()
        if fetched is None:
            return Failure("absent", f"no captions in {', '.join(languages)}")
        cues = assign_speakers(read_cues(fetched))
        if not cues:
            return Failure("absent", "the captions hold no text")
        reading = Reading(
            tuple(cues),
            language=fetched.language_code,
            video=video_id,
            is_generated=fetched.is_generated,
            chapters=details.chapters,
        )
        return reading, details


def choose_transcript(
    transcripts: "TranscriptList", languages: Sequence[str], *, generated: bool
) -> "Transcript | None":
    """Gives the captions to take: manual before generated, then by preferred language; `en` takes `en-GB` too."""
    ranked = []
    for transcript in transcripts:
        rank = _rank_language(transcript.language_code, languages)
        if rank is not None and (generated or not transcript.is_generated):
            ranked.append(((transcript.is_generated, rank), transcript))
    return min(ranked, key=lambda item: item[0])[1] if ranked else None


def read_cues(fetched: "FetchedTranscript") -> list[Cue]:
    """Gives the cues of fetched captions; one that is still shown when the next begins ends there."""
    cues = []
    for snippet in fetched:
        text = join_lines(snippet.text)
        if text:
            cues.append(Cue(text, round(snippet.start, 3), round(snippet.start + snippet.duration, 3)))
    clipped = [
        replace(cue, end_s=max(cue.start_s or 0.0, min(cue.end_s or 0.0, later.start_s or 0.0)))
        for cue, later in pairwise(cues)
    ]
    return clipped + cues[-1:]


def _rank_language(code: str, languages: Sequence[str]) -> tuple[int, bool] | None:
    for rank, wanted in enumerate(languages):
        if code.casefold() == wanted.casefold():
            return rank, False
        if code.partition("-")[0].casefold() == wanted.casefold():
            return rank, True
    return None
