"""Who speaks: reads labels such as `Ming:` in captions and gives every name a number in place of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sources.transcripts.cues import Cue

LABEL = re.compile(
    r"^(?:>>+\s*|-\s+)?((?:[A-Z][\w.'’-]*|man|woman|male|female)(?:,? [A-Z0-9][\w.'’-]*){0,4}):\s+(?=\S)"
)
TURN_MARK = re.compile(r"^>>+\s*")

MAX_FIRST_LABEL = 10
"""A file that labels its speakers does so within its first cues; a later lone `Remember:` is text."""


def assign_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Moves speaker labels from the text to the cues; a label holds until the next one.

    Files without a label near the beginning, and cues that know their speaker, stay as they are.
    """
    if not any(LABEL.match(cue.text) for cue in cues[:MAX_FIRST_LABEL]):
        return [_strip_mark(cue) for cue in cues]
    speaker: str | None = None
    labelled = []
    for cue in cues:
        match = LABEL.match(cue.text)
        if match:
            speaker = match[1]
        elif TURN_MARK.match(cue.text):
            speaker = None
        text = cue.text[match.end() :] if match else TURN_MARK.sub("", cue.text)
        if text:
            labelled.append(replace(cue, text=text, speaker=cue.speaker or speaker))
    return labelled


def number_speakers(cues: Iterable[Cue]) -> dict[str, str]:
    """Gives each speaker's name its stand-in, `Speaker 1` for the first who speaks."""
    numbers: dict[str, str] = {}
    for cue in cues:
        if cue.speaker is not None and cue.speaker not in numbers:
            numbers[cue.speaker] = f"Speaker {len(numbers) + 1}"
    return numbers


def _strip_mark(cue: Cue) -> Cue:
    text = TURN_MARK.sub("", cue.text)
    return replace(cue, text=text) if text else cue
