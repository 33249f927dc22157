import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.extract.build import Extraction
from curator.extract.transcript import extract_transcripts
from schemas.document import document_id
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.verdict import VERDICT_COLUMNS
from sources.packs.loader import load_pack
from sources.protocol import SourceContext

BRACING = (
    "Well, um, bracing means filling the belly with air and pushing it out against the belt on every side, "
    "you know, before the bar moves. It keeps the spine from folding when the weight gets heavy. "
    "Most beginners only breathe into the chest, and then the back rounds at the bottom of the squat. "
    "Practise it lying on the floor with a hand on each side of the waist."
)
INTERVIEW = [
    ("Speaker 1", "Welcome back. So, can you tell our listeners how do you brace before a heavy squat?"),
    ("Speaker 2", BRACING),
    ("Speaker 1", "Right, makes sense."),
    ("Speaker 2", "Then hold that pressure until you have passed the hardest point of the lift."),
    ("Speaker 1", "And what do you think about that?"),
    ("Speaker 2", "I do not know."),
]
PACK = load_pack("fitness")
HASHES = {"Speaker 1": "1" * 32, "Speaker 2": "2" * 32}


def make_document(lines: list[tuple[str | None, str]], **metadata: object) -> dict[str, object]:
    content = "\n".join(text for _, text in lines)
    described: dict[str, object] = {"language": "en"}
    if any(speaker for speaker, _ in lines):
        described |= {"speakers": [speaker for speaker, _ in lines], "speaker_hashes": HASHES}
    return {
        "id": document_id("transcripts", "pod/one.md", content),
        "source": "transcripts",
        "kind": "transcript",
        "natural_key": "pod/one.md",
        "content": content,
        "metadata": json.dumps({k: v for k, v in (described | metadata).items() if v is not None}),
        "fetched_at": SourceContext.__dataclass_fields__["now"].default_factory(),
        "licence": "CC-BY-4.0",
        "basis": "test",
        "permission": "own",
        "url": metadata.get("url"),
    }


def extract(*documents: dict[str, object]) -> Extraction:
    extraction = extract_transcripts(document_frame(documents), PACK)
    check_frame(extraction.examples, EXAMPLE_COLUMNS, "examples")
    check_frame(extraction.verdicts, VERDICT_COLUMNS, "verdicts")
    return extraction


def read_pairs(extraction: Extraction) -> list[tuple[str, str]]:
    turns = [json.loads(messages) for messages in extraction.examples["messages"]]
    return [(user["content"], assistant["content"]) for user, assistant in turns]


def list_reasons(extraction: Extraction) -> set[str]:
    return set(extraction.verdicts["reason"])


def test_an_interviewers_question_is_answered_by_the_next_speaker():
    extraction = extract(make_document(INTERVIEW))
    [(question, answer)] = read_pairs(extraction)
    assert question == "How do you brace before a heavy squat?"
    assert answer.startswith(
        "Bracing means filling the belly with air and pushing it out against the belt on every side"
    )
    assert answer.endswith("until you have passed the hardest point of the lift.")
    assert "um" not in answer.split()
    assert "makes sense" not in answer
    row = extraction.examples.row(0, named=True)
    assert json.loads(row["span"]) == {"lines": [2, 4]}
    assert row["unit_keys"] == ["video:pod/one.md"]
    assert row["author_hash"] == "2" * 32
    assert row["language"] == "en"
    assert list_reasons(extraction) == {"question_not_self_contained"}


def test_captions_cite_video_and_seconds():
    lines = [(speaker, text) for speaker, text in INTERVIEW]
    document = make_document(
        lines,
        cues=[[0, 4.5], [4.5, 30.25], [30.25, 31], [31, 36.5], [36.5, 38], [38, 40]],
        video="dQw4w9WgXcQ",
    ) | {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"}
    row = extract(document).examples.row(0, named=True)
    assert json.loads(row["span"]) == {"seconds": [4.5, 36.5]}
    assert row["url"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=4s"
    assert row["unit_keys"] == ["video:dQw4w9WgXcQ"]


def test_lines_of_the_file_are_kept_beside_lines_of_the_text():
    document = make_document(INTERVIEW, file_lines=[1, 3, 5, 7, 9, 11])
    row = extract(document).examples.row(0, named=True)
    assert json.loads(row["metadata"])["file_lines"] == [3, 7]


SPOKEN = [
    "So, how do you brace before a heavy squat?",
    BRACING,
    "Right.",
    "What do you mean by that?",
    "If you want to brace before a squat, fill your belly with air. " + BRACING,
    "My wife told me so. I was there!",
    "",
    "...?! -- um, you know",
]
REST = (
    " Two or three days of easy movement bring back more than lying on the sofa does, because blood flow carries away "
    "what training left behind. Add weight again once the bar moves as fast as it did before the break."
)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The best way to recover from hard training is to sleep more.", "How do I recover from hard training?"),
        ("If you want to build a bigger squat, train it twice a week.", "How do I build a bigger squat?"),
        ("To recover from hard training, you need to sleep more.", "How do I recover from hard training?"),
        (
            "So when you train hard on little sleep, your strength drops.",
            "What happens when I train hard on little sleep?",
        ),
        ("If you feel a sharp pain in training, stop the set.", "What should I do if I feel a sharp pain in training?"),
        (
            "People stop gaining strength in training because they never rest.",
            "Why do people stop gaining strength in training?",
        ),
        ("Sleep is important for training because muscle grows at night.", "Why is sleep important for training?"),
        (
            "A common mistake in training is adding weight every single day.",
            "What is a common mistake in training?",
        ),
        (
            "You should sleep more in hard training because muscle grows at night.",
            "Why should I sleep more in hard training?",
        ),
        (
            "It's important to sleep in hard training because muscle grows at night.",
            "Why is it important to sleep in hard training?",
        ),
        (
            "It takes about two weeks to recover from hard training.",
            "How long does it take to recover from hard training?",
        ),
        ("There are three ways to recover from hard training.", "What are the ways to recover from hard training?"),
        (
            "The difference between training and exercise is the plan.",
            "What is the difference between training and exercise?",
        ),
        (
            "One of the best ways to recover from training is sleep.",
            "What is one of the best ways to recover from training?",
        ),
        ("The way that training helps you is slow.", "How does training help me?"),
        (
            "If you aren't sleeping well in training, your strength drops.",
            "What happens if I am not sleeping well in training?",
        ),
        ("And active recovery is a way to train lightly.", "What is active recovery?"),
    ],
)
def test_a_sentence_becomes_the_question_that_it_answers(sentence, question):
    text = f"We trained hard, and sleep, people, active recovery all came up. {sentence}{REST} Active recovery is training too."
    [(asked, answer)] = read_pairs(extract(make_document([(None, text)])))
    assert asked == question
    assert answer.lower().startswith(sentence.removeprefix("So ").removeprefix("And ").lower())


@pytest.mark.parametrize(
    "question",
    [
        "What do you mean by that?",
        "Do you remember when you said squats are overrated?",
        "How do you do it?",
        "What about the knees?",
        "And he squats how much?",
        "Is it on the next slide?",
        "Training is hard, right?",
        "Adam, how do you brace?",
        "How does a squat work for these people?",
        "Why?",
        "How do they brace before a heavy squat?",
    ],
)
def test_a_question_that_needs_what_was_said_before_makes_no_example(question):
    extraction = extract(make_document([("Speaker 1", question), ("Speaker 2", BRACING)]))
    assert read_pairs(extraction) == []
    assert not extraction.verdicts["is_kept"].any()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("That's a great question. Thank you.", "answer_empty"),
        ("This episode is brought to you by a belt maker, use the promo code BELT for ten percent off. " + BRACING, ""),
        (
            "As you can see on this slide, which my colleague Tom made, bracing is everything. " + BRACING,
            "answer_breaks_off",
        ),
        ("My wife and I went to Spain last year and we did not train at all. " + BRACING, "answer_breaks_off"),
        (
            "Paint dries faster in the sun than in the shade, and the second coat needs a full day. " * 3,
            "answer_off_topic",
        ),
        ("Bracing means filling the belly with air. Push it out against the belt on every side.", "answer_too_short"),
        ("They never do it. " + BRACING, "answer_starts_elsewhere"),
    ],
)
def test_an_answer_that_is_not_worth_training_on_makes_no_example(answer, reason):
    lines = [("Speaker 1", "How do you brace before a heavy squat?"), ("Speaker 2", answer)]
    extraction = extract(make_document(lines))
    assert read_pairs(extraction) == []
    assert reason in " ".join(list_reasons(extraction))


def test_an_answer_ends_before_a_story_or_an_advertisement():
    lines = [
        ("Speaker 1", "How do you brace before a heavy squat?"),
        ("Speaker 2", BRACING + " My wife laughed when I tried it. Check out our website for more."),
    ]
    [(_, answer)] = read_pairs(extract(make_document(lines)))
    assert answer.endswith("on each side of the waist.")


def test_praise_before_the_answer_is_left_out():
    lines = [
        ("Speaker 1", "How do you brace before a heavy squat?"),
        ("Speaker 2", "Oh, that's a great question. I love this. " + BRACING),
    ]
    [(_, answer)] = read_pairs(extract(make_document(lines)))
    assert answer.startswith("Bracing means")


def test_a_short_remark_about_oneself_before_the_answer_is_left_out():
    lines = [
        ("Speaker 1", "How do you brace before a heavy squat?"),
        ("Speaker 2", "It depends. I never did when I was a kid. " + BRACING),
    ]
    [(_, answer)] = read_pairs(extract(make_document(lines)))
    assert answer.startswith("Bracing means")


def test_a_yes_or_no_question_keeps_its_yes():
    lines = [("Speaker 1", "Is bracing useful for a light squat?"), ("Speaker 2", "Yeah. " + BRACING)]
    [(_, answer)] = read_pairs(extract(make_document(lines)))
    assert answer.startswith("Yes. Bracing means")


def test_text_without_punctuation_and_other_languages_are_told_apart():
    silent = make_document([(None, "so today we squat and then we press and then we go home " * 20)])
    german = make_document([("Speaker 1", "Wie atmest du?"), ("Speaker 2", BRACING)], language="de")
    guessed = make_document([(None, "Wie atmet man beim Heben schwerer Gewichte richtig ein?")], language=None)
    assert list_reasons(extract(silent)) == {"no_punctuation"}
    assert list_reasons(extract(german)) == {"language_without_rules"}
    assert list_reasons(extract(guessed)) == {"language_without_rules"}


def test_a_transcript_without_a_question_says_so():
    assert list_reasons(extract(make_document([(None, "The bar is loaded. The plates are heavy.")]))) == {"no_question"}


def test_each_sentence_answers_at_most_one_question():
    lines = [
        ("Speaker 1", "How do you brace before a squat? How should lifters breathe before a heavy squat?"),
        ("Speaker 2", BRACING),
    ]
    extraction = extract(make_document(lines))
    assert extraction.examples.height == 1
    assert "answer_already_used" in list_reasons(extraction)


@pytest.mark.parametrize(
    "sentence",
    [
        "The thing is a way to train.",
        "Danielle is a coach who trains.",
        "When you said training, that was a good thing.",
        "The reason it works in training is that you sleep.",
        "If you look at the training chart, the line goes up.",
        "It is a way to train lightly.",
        "People stopped training because they got hurt.",
    ],
)
def test_a_sentence_that_names_nothing_by_itself_is_not_asked_about(sentence):
    text = f"We trained hard, and sleep, people, active recovery all came up. {sentence}{REST} Active recovery is training too."
    assert read_pairs(extract(make_document([(None, text)]))) == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Speaker 1", "Speaker 2", None]), st.sampled_from(SPOKEN)), min_size=1, max_size=12
    )
)
def test_any_conversation_gives_examples_that_stand_in_it_and_never_share_a_sentence(lines):
    extraction = extract(make_document(lines))
    spans = [json.loads(span)["lines"] for span in extraction.examples["span"]]
    assert all(1 <= first <= last <= len(lines) for first, last in spans)
    assert extraction.examples["id"].n_unique() == extraction.examples.height
    for question, answer in read_pairs(extraction):
        assert question.endswith("?")
        assert 40 <= len(answer.split()) <= 152
        assert "?" not in answer


def test_the_same_documents_give_the_same_ids_in_any_order_and_others_kinds_are_ignored():
    one, two = make_document(INTERVIEW), make_document([*INTERVIEW, ("Speaker 1", "Thank you.")])
    post = one | {"kind": "post"}
    forth, back = extract(one, two, post).examples, extract(two, one).examples
    assert forth.height == 2
    assert forth.sort("id").equals(back.sort("id"))
    assert isinstance(forth, pl.DataFrame)
