"""Personal data, secrets and chat-template tokens: found by pattern, proved by checksum, replaced by placeholders."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PrivateKind:
    """One kind of private text.

    Attributes:
        name: Used in the placeholder `[NAME]` and in verdicts.
        prefilter: Pattern without look-around that every hit satisfies; run on whole columns by polars.
        pattern: The exact pattern.
        is_valid: Proves a hit (checksum, number of digits); by default every hit counts.
    """

    name: str
    prefilter: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool] = lambda _: True


def has_luhn_checksum(text: str) -> bool:
    """Tells whether the 13-19 digits of a text pass the Luhn check of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def has_iban_checksum(text: str) -> bool:
    """Tells whether a text is an IBAN: its number is 1 modulo 97 (ISO 13616)."""
    compact = re.sub(r"\s", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def is_phone(text: str) -> bool:
    """Tells whether a hit is a phone number and not a date, a range of years or a rep scheme.

    Takes 9 to 15 digits, and either a leading + or 00, a bracketed area code, or the groups of a national number.
    Groups that all end in 0 are distances or loads (400-800-1200), and nobody writes phones with two slashes.
    """
    groups = re.findall(r"\d+", text)
    if not 9 <= sum(map(len, groups)) <= 15:
        return False
    if _INTERNATIONAL.match(text):
        return True
    is_ladder = all(group.endswith("0") for group in groups) or text.count("/") > 1
    return not is_ladder and _NATIONAL.fullmatch(" ".join(groups)) is not None


_INTERNATIONAL = re.compile(r"\+|00[1-9]|\(\d{2,5}\)")
_NATIONAL = re.compile(
    r"(?:1 )?[2-9]\d\d \d{3} \d{4}"  # North America
    r"|1[3-9]\d \d{4} \d{4}"  # China
    r"|0[1-9]\d{1,3}(?: \d{2,8}){1,3}|0[1-9]\d{8,9}|0[1-9](?: \d\d){4}"  # a trunk prefix: Europe, Australia
)


KINDS = (
    PrivateKind(
        "EMAIL",
        r"[\w.+-]@[\w-]",
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"),
    ),
    PrivateKind(
        "SECRET",
        r"sk-|ghp_|gho_|github_pat_|xox[abprs]-|AKIA|AIza|hf_|BEGIN [A-Z ]*PRIVATE KEY|eyJ",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,8000}(?:-----END [A-Z ]*PRIVATE KEY-----)?"
            r"|\b(?:sk-(?:proj-|ant-)?[\w-]{20,}|gh[po]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|xox[abprs]-[\w-]{10,}"
            r"|AKIA[A-Z0-9]{16}|AIza[\w-]{35}|hf_[A-Za-z0-9]{30,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
        ),
    ),
    PrivateKind(
        "USER",
        r"[uU](?:ser)?/[\w-]{3,}",
        re.compile(r"(?<![\w./])/?[uU]/[\w-]{3,20}\b|(?<=reddit\.com)/[uU](?:ser)?/[\w-]{3,20}\b"),
    ),
    PrivateKind(
        "HANDLE",
        r"@[A-Za-z_]\w{2,}",
        # "3x5 @RPE8" and "@bodyweight" say how heavy, not who.
        re.compile(r"(?<![\w@/.])@(?!(?i:rpe|rir|bw|bodyweight|tempo|max)\d*\b)[A-Za-z_]\w{2,29}(?:\.\w{1,29}){0,3}\b"),
    ),
    PrivateKind(
        "IBAN",
        r"[A-Z]{2}\d{2}",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        has_iban_checksum,
    ),
    PrivateKind(
        "CARD",
        r"\d(?:[ -]?\d){12}",
        re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d|\.\d)"),
        has_luhn_checksum,
    ),
    PrivateKind(
        "PHONE",
        r"[+(]?\d[\d ().\-/]{7,}\d",
        re.compile(r"(?<![\w.+/])(?:\+|00|\()?\d[\d ().\-/]{7,18}\d(?![\w/]|\.\d)"),
        is_phone,
    ),
)

TEMPLATE_TOKENS = re.compile(
    r"<\|[\w ]{1,40}\|>|<｜[^｜\n]{1,40}｜>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?s>"
    r"|<\|?(?:endoftext|im_start|im_end)\|?>|<(?:bos|eos|pad|unk)>|</?(?:think|tool_call|tool_response)>"
    r"|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]"
)
PREFILTER = "|".join(f"(?:{kind.prefilter})" for kind in KINDS)
TEMPLATE_PREFILTER = TEMPLATE_TOKENS.pattern
_SUSPECT = re.compile(PREFILTER)
_GAP = re.compile(r"[ ./-]")


def redact_private(text: str, first: Sequence[PrivateKind] | None = None) -> tuple[str, list[str]]:
    """Replaces private text by typed placeholders such as `[EMAIL]`.

    Args:
        text: The text.
        first: Kinds whose prefilter matches the text; None: not known.

    Returns:
        The cleaned text, and the kind of every replacement in order of kinds.
    """
    found: list[str] = []
    kinds = (KINDS if _SUSPECT.search(text) else ()) if first is None else first
    # A placeholder can uncover what stood beside it ("@one@two"), so the cleaned text is looked at again for all kinds.
    while kinds:
        before = len(found)
        for kind in kinds:
            text = _redact_kind(kind, text, found)
        if len(found) == before:
            break
        kinds = KINDS
    return text, found


def _redact_kind(kind: PrivateKind, text: str, found: list[str]) -> str:
    def replace(hit: re.Match[str]) -> str:
        # What follows may have been taken along: a card's "12/26", the words after an IBAN.
        whole = hit.group()
        ends = [len(whole), *(part.start() for part in reversed(list(_GAP.finditer(whole))))]
        end = next((end for end in ends if kind.is_valid(whole[:end])), 0)
        if not end:
            return whole
        found.append(kind.name)
        return f"[{kind.name}]{whole[end:]}"

    return kind.pattern.sub(replace, text)


def neutralise_template_tokens(text: str) -> str:
    """Breaks chat-template tokens apart, so that a tokenizer reads them as words and no turn can be forged."""
    return TEMPLATE_TOKENS.sub(lambda hit: f"{hit.group()[0]} {hit.group()[1:-1]} {hit.group()[-1]}", text)
