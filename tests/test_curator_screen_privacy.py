"""Private data goes, whatever looks like it stays, and no text can forge a turn."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.screen.privacy import (
    KINDS,
    PREFILTER,
    TEMPLATE_TOKENS,
    has_iban_checksum,
    has_luhn_checksum,
    is_phone,
    neutralise_template_tokens,
    redact_private,
)

PRIVATE = [
    ("EMAIL", "Write to jane.doe+gym@mail.example.co.uk please", "Write to [EMAIL] please"),
    ("EMAIL", "a_b@x.io", "[EMAIL]"),
    ("SECRET", "key sk-proj-abcdefghijklmnopqrstuv123 here", "key [SECRET] here"),
    ("SECRET", "ghp_" + "a1B2" * 9, "[SECRET]"),
    ("SECRET", "AKIA" + "ABCDEFGH12345678", "[SECRET]"),
    ("SECRET", "hf_" + "x" * 34, "[SECRET]"),
    ("SECRET", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[SECRET]"),
    ("USER", "thanks u/Some_Lifter-9!", "thanks [USER]!"),
    ("USER", "/u/lifter said so", "[USER] said so"),
    ("USER", "https://www.reddit.com/user/lifter99", "https://www.reddit.com[USER]"),
    ("HANDLE", "follow @coach_kim now", "follow [HANDLE] now"),
    ("HANDLE", "as @john.doe.lifts says.", "as [HANDLE] says."),
    ("HANDLE", "ask @one@two", "ask [HANDLE][HANDLE]"),
    ("IBAN", "pay DE89 3704 0044 0532 0130 00 today", "pay [IBAN] today"),
    ("IBAN", "GB82WEST12345698765432", "[IBAN]"),
    ("IBAN", "ES91 2100 0418 4502 0005 1332 NOW", "[IBAN] NOW"),
    ("CARD", "card 4111 1111 1111 1111.", "card [CARD]."),
    ("CARD", "5500-0000-0000-0004", "[CARD]"),
    ("CARD", "4111 1111 1111 1111 12/26", "[CARD] 12/26"),
    ("PHONE", "call +49 30 901820 now", "call [PHONE] now"),
    ("PHONE", "(555) 123-4567", "[PHONE]"),
    ("PHONE", "555-123-4567", "[PHONE]"),
    ("PHONE", "1-800-555-1234", "[PHONE]"),
    ("PHONE", "555-123-4567 24/7", "[PHONE] 24/7"),
    ("PHONE", "07700 900123", "[PHONE]"),
    ("PHONE", "06 12 34 56 78", "[PHONE]"),
    ("PHONE", "0412 345 678", "[PHONE]"),
    ("PHONE", "اتصل على +966 55 123 4567 غدا", "اتصل على [PHONE] غدا"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), PRIVATE)
def test_private_text_is_replaced_by_its_kind(kind, text, expected):
    cleaned, found = redact_private(text)
    assert cleaned == expected
    assert set(found) == {kind}
    assert len(found) == expected.count(f"[{kind}]")


HARMLESS = [
    "5x5x185",
    "Do 3x5 @RPE8 and then 3x8 @ 70%, or @bodyweight.",
    "Intervals of 400-800-1200, then 1600/800/400.",
    "A ladder (12-10-8-6-4-2-1) and a drop set (20/15/12/10/8).",
    "From 2019-2020 2021 to 2022, or (1990-2000-2010).",
    "On 2024-01-15 at 10:30, on 15/01/2024 and 01.02.2025.",
    "Warm up with 135 185 225 275 315 365 pounds.",
    "Par 72, score 4-5-3-4-4-5-3-4-4, handicap 12.4",
    "SBD 405/315/495, total 1215 at 181.9",
    "1234 5678 9012 3456 is no card, its checksum is wrong",
    "DE89 3704 0044 0532 0130 01",
    "0000 0000 0000 0000",
    "and/or, w/out, km/h, user interface",
    "mail me @ home",
    "التمرين ثلاث مرات في الأسبوع: 5 مجموعات × 5 تكرارات بوزن 100 كيلو، ثم راحة 90 ثانية.",
    "heart rate 120-130-140 for 20 minutes at 5.5 mph",
    "http://example.com/u/page and sk-short and hf_short",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_dates_rep_schemes_scores_years_and_arabic_text_stay_as_they_are(text):
    assert redact_private(text) == (text, [])


PIECES = st.sampled_from([text for _, text, _ in PRIVATE] + HARMLESS + ["@", ".", " ", "-", "/", "+", "u/", "[", "1"])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=6).map("".join) | st.text(alphabet="a@./+-u1 5()_[]", max_size=40))
def test_cleaned_text_holds_nothing_that_export_would_refuse(text):
    cleaned, found = redact_private(text)
    assert redact_private(cleaned) == (cleaned, [])
    assert bool(found) == (cleaned != text)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=4).map(" ".join) | st.text(alphabet="a@.+-u1 5()_/", max_size=40))
def test_the_fast_column_pattern_points_at_every_row_that_has_something_private(text):
    import polars as pl

    row = pl.Series([json.dumps([{"role": "user", "content": text}], ensure_ascii=False)])
    assert row.str.contains(PREFILTER).item() or redact_private(text)[1] == []


def test_checksums_are_those_of_the_standards():
    assert has_luhn_checksum("4111111111111111")
    assert not has_luhn_checksum("4111111111111112")
    assert not has_luhn_checksum("411111111111")
    assert has_iban_checksum("GB82 WEST 1234 5698 7654 32")
    assert not has_iban_checksum("GB83 WEST 1234 5698 7654 32")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+1 555 123 4567", True),
        ("+1 555", False),
        ("555 123 4567", True),
        ("155 123 4567", False),
        ("2024 01 15 10", False),
    ],
)
def test_a_phone_number_has_the_groups_of_one(text, expected):
    assert is_phone(text) is expected


# What real tokenizers take for control tokens: ChatML, Llama 2 and 3, Gemma, Mistral, DeepSeek, Qwen.
TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|user|>",
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>",
    "<｜User｜>", "<｜end▁of▁sentence｜>", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "<tool_call>", "</think>",
]  # fmt: skip
TOKENIZER = re.compile("|".join(re.escape(token) for token in TOKENS))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, "text", " ", "<", "|", ">", "[", "]", "|>", "<|"]), max_size=8).map("".join))
def test_no_tokenizer_finds_a_control_token_in_neutralised_text(text):
    cleaned = neutralise_template_tokens(text)
    assert not TOKENIZER.search(cleaned)
    assert cleaned.replace(" ", "") == text.replace(" ", "")
    assert neutralise_template_tokens(cleaned) == cleaned


@pytest.mark.parametrize("text", ["a < b and c > d", "use [x] or <b>bold</b>", "5 <s and 3 >", "[INSTALL]", "|>"])
def test_plain_brackets_are_no_template_tokens(text):
    assert neutralise_template_tokens(text) == text
    assert not TEMPLATE_TOKENS.search(text)


def test_every_kind_is_tested_above():
    assert {kind for kind, _, _ in PRIVATE} == {kind.name for kind in KINDS}
