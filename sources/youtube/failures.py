"""What a failed video means: absent, permanent, try later, or blocked."""

from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import ParseError

Meaning = Literal["absent", "permanent", "try_later", "blocked"]

MEANINGS: dict[str, tuple[Meaning, str]] = {
    "TranscriptsDisabled": ("absent", "captions are disabled for this video"),
    "NoTranscriptFound": ("absent", "no captions in the wanted languages"),
    "NotTranslatable": ("absent", "the captions cannot be translated"),
    "TranslationLanguageNotAvailable": ("absent", "the captions cannot be translated into that language"),
    "VideoUnavailable": ("permanent", "the video is gone"),
    "VideoUnplayable": ("permanent", "YouTube does not play the video"),
    "InvalidVideoId": ("permanent", "YouTube knows no such video id"),
    "AgeRestricted": ("permanent", "the video is age-restricted and needs a login"),
    "CookieError": ("permanent", "the cookies of the client are not usable"),
    "CookieInvalid": ("permanent", "the cookies of the client are not usable"),
    "CookiePathInvalid": ("permanent", "the cookies of the client are not usable"),
    "PoTokenRequired": ("try_later", "YouTube asks for a PO token for these captions at the moment"),
    "FailedToCreateConsentCookie": ("try_later", "the consent page could not be passed"),
    "YouTubeDataUnparsable": ("try_later", "YouTube's answer was not understood"),
    "YouTubeRequestFailed": ("try_later", "YouTube answered with an error"),
    "YouTubeTranscriptApiException": ("try_later", "the client failed"),
    "CouldNotRetrieveTranscript": ("try_later", "the captions could not be fetched"),
    "RequestBlocked": ("blocked", "YouTube asks this machine to prove that it is no bot"),
    "IpBlocked": ("blocked", "YouTube refuses requests from this machine's address (429)"),
}
GONE = ("404 Client Error", "410 Client Error")


@dataclass(frozen=True)
class Failure:
    """Why a video gave no transcript.

    Attributes:
        meaning: What to do about it.
        detail: One line for the user.
        is_network: Whether YouTube was not reached at all.
    """

    meaning: Meaning
    detail: str
    is_network: bool = False


def explain_failure(error: Exception) -> Failure:
    """Gives the meaning of an exception of youtube-transcript-api, requests, or the parsing of an answer."""
    from requests import RequestException
    from requests.exceptions import InvalidJSONError

    for kind in type(error).__mro__:
        if kind.__name__ in MEANINGS and kind.__module__.startswith("youtube_transcript_api"):
            return _explain_known(error, *MEANINGS[kind.__name__])
    if isinstance(error, ParseError):
        return Failure("try_later", "YouTube sent empty captions")
    if isinstance(error, RequestException) and not isinstance(error, InvalidJSONError):
        return Failure("try_later", f"YouTube was not reached ({type(error).__name__})", is_network=True)
    return Failure("try_later", f"YouTube's answer was not understood ({type(error).__name__})")


def _explain_known(error: Exception, meaning: Meaning, detail: str) -> Failure:
    reason = " ".join(str(getattr(error, "reason", None) or "").split())
    if reason.startswith(GONE):
        meaning = "permanent"
    # Answers name the requested address, which may carry a key: only the status before it is shown.
    shown = reason.split(" for url", 1)[0][:120]
    return Failure(meaning, f"{detail}: {shown}" if shown else detail)
