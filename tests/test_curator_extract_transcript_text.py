from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.extract.transcript_text import clean_speech, find_stems, is_english, split_sentences, strip_lead

ARABIC = "كيف أبدأ التمرين؟ ابدأ بوزن خفيف ثم زد الحمل كل أسبوع."


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("It is sort of like, um, you know, a habit, right?", "It is like a habit."),
        ("What kind of food is it?", "What kind of food is it?"),
        ("That's a kind of rest.", "That's a kind of rest."),
        ("You've gotta go, 'cause we -- we wanna win.", "You have to go, because we want to win."),
        ("I'm gonna -- I'm gonna eat.", "I'm going to eat."),
        ("the the bar... and then it moves [laughs] up.", "The bar, and then it moves up."),
        ("You know how to brace.", "You know how to brace."),
        (r"\[04:13\] Well, rest (laughter) more.", "Well, rest more."),
        ("", ""),
        ("[music]", ""),
    ],
)
def test_fillers_stutters_and_stage_directions_are_left_out(spoken, written):
    assert clean_speech(spoken) == written


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [
        ("Well, so, yeah, I mean, bracing helps.", "Bracing helps."),
        ("Bracing helps.", "Bracing helps."),
        ("Yeah, right.", ""),
        ("Sometimes it helps.", "Sometimes it helps."),
    ],
)
def test_connecting_words_before_a_sentence_are_left_out(sentence, rest):
    assert strip_lead(sentence) == rest


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Brace. Then lift!", ["Brace.", "Then lift!"]),
        ("Dr. Ann lifts 2.5 kg. She rests.", ["Dr. Ann lifts 2.5 kg.", "She rests."]),
        ('He said "Lift." Then he left.', ['He said "Lift."', "Then he left."]),
        ('He said "Lift. Then rest." and left. Fine.', ['He said "Lift. Then rest." and left.', "Fine."]),
        ("e.g. Squats are fine", ["e.g. Squats are fine"]),
        ("no punctuation at all", ["no punctuation at all"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_sees_it(text, sentences):
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@given(st.text(alphabet="ab AB.?!…\"'([) -", max_size=60))
def test_sentences_hold_every_letter_in_order(text):
    spans = list(split_sentences(text))
    assert [end <= start for (_, end), (start, _) in pairwise(spans)] == [True] * (len(spans) - 1)
    kept = "".join(text[start:end] for start, end in spans)
    assert [c for c in kept if c.isalpha()] == [c for c in text if c.isalpha()]


@given(st.text(max_size=80))
def test_cleaning_never_fails_and_is_stable_on_its_own_result(text):
    cleaned = clean_speech(text)
    assert "\n" not in cleaned
    assert len(find_stems(cleaned)) <= len(cleaned)


def test_languages_are_told_apart_by_their_commonest_words():
    assert is_english("If you want to lift more, then you have to sleep more and eat the food that you need.")
    assert not is_english("Wer mehr heben will, muss mehr schlafen und das essen, was der Körper braucht.")
    assert not is_english(ARABIC)
    assert not is_english("")
