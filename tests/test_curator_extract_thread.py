"""Threads to conversations: each comment at most once, the best answer first, a verdict for the rest."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.extract.thread import extract_threads, thread_input_id
from curator.extract.thread_text import clean_text, is_asking, is_confirmation, is_only_asking, is_telling_title
from schemas.document import document_id
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.identity import dump_canonical
from schemas.verdict import VERDICT_COLUMNS
from sources.packs.loader import load_pack

PACK = load_pack("fitness")
START = datetime(2024, 5, 1, tzinfo=UTC)
GOOD = "Keep the bar over the middle of your foot and push the floor away with your legs."
OTHER = "Film yourself from the side, then check whether your hips rise before the bar does."
THIRD = "Lower the weight by a fifth and build up again over three or four weeks of training."


def make_row(key, kind, content, *, author, minutes, title=None, **about):
    return {
        "id": document_id("reddit", key, content),
        "source": "reddit",
        "kind": kind,
        "natural_key": key,
        "title": title,
        "content": content,
        "metadata": dump_canonical({"subreddit": "Fitness", "thread": "t3_p", "author_kind": "user"} | about),
        "url": f"https://www.reddit.com/{key}",
        "author_hash": author,
        "created_at": START + timedelta(minutes=minutes),
        "fetched_at": START,
        "licence": "unknown",
        "basis": "reddit user content; permission: unknown",
        "permission": "unknown",
    }


def post(title="How do I stop rounding my back in the deadlift?", text="", **about):
    content = f"{title}\n\n{text}" if text else title
    about = {"is_self": True, "score": 20} | about
    return make_row("t3_p", "post", content, author="asker", minutes=0, title=title, **about)


def comment(key, content, *, parent="t3_p", author=None, minutes=10, score=5, **about):
    return make_row(
        f"t1_{key}",
        "comment",
        content,
        author=author or f"author of {key}",
        minutes=minutes,
        parent=parent,
        score=score,
        **about,
    )


def extract(*rows):
    extraction = extract_threads(document_frame(rows), PACK)
    check_frame(extraction.examples, EXAMPLE_COLUMNS, "examples")
    check_frame(extraction.verdicts, VERDICT_COLUMNS, "verdicts")
    keys = {row["id"]: row["natural_key"] for row in rows}
    reasons = {keys[v["subject_id"]]: v["reason"] for v in extraction.verdicts.rows(named=True)}
    return extraction.examples.rows(named=True), reasons


def turns(row):
    return [message["content"] for message in json.loads(row["messages"])]


def keys_of(row):
    return json.loads(row["span"])["documents"]


def test_a_question_and_its_answer_become_a_conversation():
    rows = [post(text="It happens above 100 kg.", flair="Form Check"), comment("a", GOOD, score=9)]

    [example], reasons = extract(*rows)

    assert json.loads(example["messages"]) == [
        {"role": "user", "content": "How do I stop rounding my back in the deadlift?\n\nIt happens above 100 kg."},
        {"role": "assistant", "content": GOOD},
    ]
    assert keys_of(example) == ["t3_p", "t1_a"]
    assert example["document_id"] == rows[0]["id"]
    assert example["document_ids"] == sorted(row["id"] for row in rows)
    assert example["input_id"] == thread_input_id(row["id"] for row in rows)
    assert example["unit_keys"] == ["thread:t3_p"]
    assert (example["author_hash"], example["url"]) == ("author of a", "https://www.reddit.com/t1_a")
    assert (example["category"], example["category_basis"]) == ("technique", "flair")
    assert 0 < example["source_score"] <= 1
    assert reasons == {}


def test_an_arabic_question_is_known_by_its_own_question_mark():
    answer = "ابدأ بنصف الأوزان التي كنت ترفعها قبل الانقطاع ثم زدها كل أسبوع قليلا حتى تعود."
    title = "العودة إلى التمرين بعد شهر من الانقطاع: بأي وزن؟"
    [example], reasons = extract(post(title=title), comment("a", answer, score=9))
    assert (turns(example), reasons) == ([title, answer], {})


def test_the_subreddit_gives_the_category_where_no_flair_does():
    [example], _ = extract(post(subreddit="loseit", flair="Rant"), comment("a", GOOD))

    assert (example["category"], example["category_basis"]) == ("nutrition", "map")


def test_the_asker_asking_on_makes_a_conversation_of_several_turns():
    rows = [
        post(),
        comment("a", GOOD),
        comment("b", "Should my hips rise first?", parent="t1_a", author="asker", minutes=20),
        comment(
            "c",
            "No, hips and shoulders rise together at the same speed.",
            parent="t1_b",
            author="author of a",
            minutes=30,
        ),
        comment("d", "And how heavy?", parent="t1_c", author="asker", minutes=40),
        comment(
            "e",
            "Start with seventy percent of your best for five reps.",
            parent="t1_d",
            author="author of a",
            minutes=50,
        ),
        comment("f", "I also wondered about that for a long time now.", parent="t1_a", minutes=60),
    ]

    [example], reasons = extract(*rows)

    assert keys_of(example) == ["t3_p", "t1_a", "t1_b", "t1_c", "t1_d", "t1_e"]
    assert [m["role"] for m in json.loads(example["messages"])] == ["user", "assistant"] * 3
    assert reasons == {"t1_f": "not_part_of_an_answer"}


def test_the_answer_that_helped_beats_one_with_a_few_more_votes():
    rows = [
        post(),
        comment("a", GOOD, score=14),
        comment("b", OTHER, score=10),
        comment("c", "Thank you, that worked!", parent="t1_b", author="asker", minutes=90),
    ]

    examples, reasons = extract(*rows)

    assert keys_of(examples[0]) == ["t3_p", "t1_b"]
    assert json.loads(examples[0]["metadata"])["is_confirmed"] is True
    assert reasons["t1_c"] == "confirmation"


def test_a_late_answer_is_not_punished_for_having_had_fewer_readers():
    early, late = comment("a", GOOD, score=30, minutes=5), comment("b", OTHER, score=29, minutes=60 * 24)

    examples, _ = extract(post(), early, late)

    assert keys_of(examples[0]) == ["t3_p", "t1_b"]


def test_a_clear_gap_between_siblings_becomes_a_preference_without_head_start():
    rows = [
        post(),
        comment("best", GOOD, score=100),
        comment("loser", OTHER, score=2, minutes=5),
        comment("winner", THIRD, score=40, minutes=15),
        comment("late", "Just lift less and stop worrying so much about it.", score=2, minutes=99),
    ]

    examples, reasons = extract(*rows)
    preferences = [row for row in examples if row["rejected"]]

    assert [keys_of(row) for row in preferences] == [["t3_p", "t1_winner", "t1_loser"]]
    assert turns(preferences[0])[-1] == THIRD
    assert json.loads(preferences[0]["rejected"]) == [{"role": "assistant", "content": OTHER}]
    assert keys_of(examples[0]) == ["t3_p", "t1_best"]
    assert reasons == {"t1_late": "not_selected"}


@pytest.mark.parametrize(
    ("about", "text", "reason"),
    [
        ({"author_kind": "bot"}, GOOD, "bot"),
        ({}, GOOD + " ^(I am a bot, and this was automatic)", "bot"),
        ({"stickied": True}, GOOD, "stickied"),
        ({"distinguished": "moderator"}, GOOD, "distinguished"),
        ({}, "[removed]", "deleted"),
        ({}, "[deleted]", "deleted"),
        ({}, "> How do I stop rounding my back in the deadlift?", "empty"),
        ({}, "EDIT: never mind, I read the question wrong, sorry about that", "empty"),
        ({}, "This.", "too_short"),
        ({}, "What do you weigh, and how long have you been lifting?", "asks_back"),
        ({"score": 0}, GOOD, "low_score"),
    ],
)
def test_what_is_no_answer_is_left_out_with_its_reason(about, text, reason):
    examples, reasons = extract(post(), comment("a", text, **about))

    assert examples == []
    assert reasons == {"t3_p": "no_answer", "t1_a": reason}


def test_the_asker_does_not_answer_the_own_question():
    examples, reasons = extract(post(), comment("a", GOOD, author="asker"), comment("b", OTHER, is_submitter=True))

    assert examples == []
    assert (reasons["t1_a"], reasons["t1_b"]) == ("self_reply", "self_reply")


def test_asking_back_is_an_answer_where_the_talk_goes_on():
    rows = [
        post(),
        comment("a", "How wide do you stand, and is the bar touching your shins?"),
        comment("b", "Shoulder width, and no.", parent="t1_a", author="asker"),
        comment("c", GOOD, parent="t1_b", author="author of a"),
    ]

    [example], _ = extract(*rows)

    assert keys_of(example) == ["t3_p", "t1_a", "t1_b", "t1_c"]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (post("My progress after a year of lifting"), "not_a_question"),
        (post("How I added 100 kg to my squat"), "not_a_question"),
        (post("[Guide] What is the best routine?"), "not_a_question"),
        (post("Form check please?", link_url="https://v.redd.it/x", is_self=False), "link_post"),
        (post(text="[removed]"), "deleted"),
        (post(removed_by="moderator"), "deleted"),
        (post(author_kind="bot"), "bot"),
        (post(stickied=True), "stickied"),
    ],
)
def test_posts_that_ask_nothing_are_left_out_with_their_reason(question, reason):
    examples, reasons = extract(question, comment("a", GOOD))

    assert examples == []
    assert reasons == {"t3_p": reason, "t1_a": "question_not_usable"}


def test_a_post_alone_has_no_comments():
    assert extract(post()) == ([], {"t3_p": "no_comments"})


def test_questions_of_a_gathering_thread_are_answered_each_for_itself():
    asked = "I train three times a week and squat 80 kg, how should you and I deload before a test?"
    rows = [
        post("Daily Simple Questions Thread", author_kind="bot", stickied=True),
        comment("q", asked, author="somebody"),
        comment("a", GOOD, parent="t1_q"),
        comment("b", "And after the test?", parent="t1_a", author="somebody"),
        comment("c", THIRD, parent="t1_b", author="author of a"),
    ]

    [example], reasons = extract(*rows)

    assert keys_of(example) == ["t1_q", "t1_a", "t1_b", "t1_c"]
    assert turns(example)[0] == asked
    assert example["document_id"] == rows[0]["id"]
    assert rows[0]["id"] in example["document_ids"]
    assert reasons == {"t3_p": "bot"}


def test_without_its_post_only_a_question_that_stands_alone_is_used():
    rows = [
        comment("q", "Does anyone know how many sets a week a beginner needs for the upper back to grow?"),
        comment("a", GOOD, parent="t1_q"),
        comment("x", "Why did you do that? It makes no sense to me at all, honestly, does it?", parent="t1_zz"),
        comment("y", OTHER, parent="t1_x"),
    ]

    [example], reasons = extract(*rows)

    assert keys_of(example) == ["t1_q", "t1_a"]
    assert example["document_id"] == rows[0]["id"]
    assert reasons == {"t1_x": "no_post", "t1_y": "no_post"}


def test_an_address_is_neither_a_question_nor_an_answer():
    link = "https://example.org/a-b-c-d-e-f-g-h-i?x=1"
    rows = [
        post(),
        comment("a", link),
        comment("b", f"{link} one two three four five six seven eight nine ten", minutes=20),
    ]
    rows.append(comment("c", GOOD, parent="t1_b", minutes=30))

    [example], reasons = extract(*rows)

    assert keys_of(example) == ["t3_p", "t1_b"]
    assert reasons == {"t1_a": "too_short", "t1_c": "not_part_of_an_answer"}


def test_cuts_are_said_of_documents_that_are_kept():
    rows = [
        post(text="It hurts.\n\nEDIT: thanks everyone!"),
        comment("a", "> How do I stop rounding my back\n\n" + GOOD + "\n\nCheers, Bob"),
    ]

    [example], reasons = extract(*rows)

    assert turns(example) == ["How do I stop rounding my back in the deadlift?\n\nIt hurts.", GOOD]
    assert reasons == {"t3_p": "cut_edit", "t1_a": "cut_quote_signature"}


def test_of_two_versions_of_a_comment_the_newer_counts():
    old = comment("a", OTHER)
    new = comment("a", GOOD) | {"fetched_at": START + timedelta(days=1)}

    [example], _ = extract(new, post(), old)

    assert turns(example)[1] == GOOD


@pytest.mark.parametrize(
    ("text", "quotable", "expected"),
    [
        ("> so *deep*\n\nYes.", ["Is it so deep?"], "Yes."),
        ("> said ... elsewhere\nYes.", ["It was said here and elsewhere"], "Yes."),
        ("> from a paper\n\nSo it is.", ["Is it?"], "> from a paper\n\nSo it is."),
        (">!spoiler!<\n\nYes.", ["spoiler"], ">!spoiler!<\n\nYes."),
        ("Squat more.\n\n**Edit 2:** typo\n\nand so on", [], "Squat more."),
        ("EDIT: found it\n\nHow deep?", [], "How deep?"),
        ("Squat more. Edit: typo", [], "Squat more."),
        ("Squat (edit: low bar) more.", [], "Squat  more."),
        ("Edit your log every evening.", [], "Edit your log every evening."),
        ("Updated programmes: none.", [], "Updated programmes: none."),
        ("Squat.\n\n--\nBob, 100 kg", [], "Squat."),
        ("Squat.\n\n- Arnold", [], "Squat."),
        ("Squat.\nSent from my iPhone", [], "Squat."),
        ("Do:\n\n- Squats\n- Rows", [], "Do:\n\n- Squats\n- Rows"),
        ("a&#x200B;\n\n\n\nb&nbsp;", [], "a\n\nb"),
    ],
)
def test_cleaning_leaves_the_message_itself(text, quotable, expected):
    assert clean_text(text, quotable).text == expected


def test_asking_telling_and_thanking_are_told_apart():
    assert is_asking("Best way to warm up?")
    assert is_asking("Looking for some advice on sleep")
    assert is_asking("العودة إلى التمرين بعد انقطاع؟")
    assert is_asking("كيف أؤدي السكوات")
    assert is_only_asking("كم مرة تتدرب؟ وماذا تأكل؟")
    assert is_confirmation("شكرا، سأجرب ذلك")
    assert not is_asking("أول عقلة لي")
    assert not is_asking("My first pull-up")
    assert is_telling_title("AMA about fitness")
    assert not is_telling_title("How to squat with long legs?")
    assert is_only_asking("How tall are you? How heavy?")
    assert not is_only_asking("How tall are you? I would go wider.")
    assert is_confirmation("Thanks, that helped a lot")
    assert not is_confirmation("Thanks but it didn't work")


SENTENCES = [
    GOOD,
    OTHER,
    THIRD,
    "Why?",
    "Thanks!",
    "[deleted]",
    "How many sets would a beginner need each week to grow a stronger upper back?",
]


@st.composite
def threads(draw):
    """Trees with loops, orphans and strangers in them."""
    size = draw(st.integers(0, 14))
    parents = st.sampled_from(["t3_p", "t1_gone", *(f"t1_{number}" for number in range(size))])
    rows = [
        comment(
            str(number),
            draw(st.sampled_from(SENTENCES)),
            parent=draw(parents),
            author=draw(st.sampled_from(["asker", "anna", "ben", None])),
            minutes=draw(st.integers(0, 9)),
            score=draw(st.one_of(st.none(), st.integers(-5, 200))),
        )
        for number in range(size)
    ]
    return rows + ([post()] if draw(st.booleans()) else [])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(threads(), st.randoms(use_true_random=False))
def test_no_comment_is_used_twice_whatever_the_tree(rows, chance):
    examples, reasons = extract(*rows)
    used = [key for row in examples for key in keys_of(row) if key != "t3_p"]

    assert len(used) == len(set(used))
    assert not {key for key, reason in reasons.items() if not reason.startswith("cut_")} & set(used)
    assert {row["natural_key"] for row in rows} == set(used) | set(reasons) | {k for e in examples for k in keys_of(e)}
    for row in examples:
        roles = [message["role"] for message in json.loads(row["messages"])]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert all(turns(row))
        assert 0 <= row["source_score"] <= 1
    shuffled = list(rows)
    random.Random(chance.random()).shuffle(shuffled)
    assert extract(*shuffled) == (examples, reasons)


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=2))
def test_cleaning_invents_nothing(text, quotable):
    cleaned = clean_text(text, quotable).text

    assert set(cleaned) <= set(text) | {"\n", " "}
    assert len(cleaned) <= len(text)
