"""Rows of datasets become examples turn by turn, or are left out with the reason."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.extract.conversation import extract_conversations, find_fault
from curator.extract.lost_dashes import restore_dashes, split_glued
from curator.extract.medquad import find_damage, repair, tidy_answer
from curator.extract.medquad_questions import ask, cut_to_question
from schemas.document import document_id
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.pack import Pack
from sources.packs.loader import load_pack

USER = {"role": "user", "content": "How deep?"}
BOT = {"role": "assistant", "content": "As deep as you can."}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]}
RESULT = {"role": "tool", "content": "5", "tool_call_id": "c"}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("fitness")


def extract(pack: Pack, content: dict, source: str = "dataset", **metadata: object) -> tuple[list[dict], list[str]]:
    text = json.dumps(content)
    document = {
        "id": document_id(source, "d/rows.jsonl#7", text),
        "source": source,
        "kind": "conversation",
        "natural_key": "d/rows.jsonl#7",
        "content": text,
        "metadata": json.dumps({"row": 7, "shape": "messages", **metadata}),
        "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
        "licence": "unknown",
        "basis": "test",
        "permission": "unknown",
    }
    result = extract_conversations(document_frame([document]), pack)
    check_frame(result.examples, EXAMPLE_COLUMNS, "examples")
    return list(result.examples.iter_rows(named=True)), result.verdicts["reason"].to_list()


def test_a_conversation_keeps_every_turn_with_its_row_and_tags(pack: Pack) -> None:
    turns = [SYSTEM, {**USER, "input": "I am tall."}, BOT, USER, BOT]
    ((row,), reasons) = extract(pack, {"messages": turns}, category="Diet", language="en")
    assert json.loads(row["messages"]) == turns
    assert json.loads(row["span"]) == {"rows": [7, 7]}
    assert row["unit_keys"] == ["record:d/rows.jsonl#7"]
    assert (row["category"], row["category_basis"], row["language"]) == ("nutrition", "label", "en")
    assert reasons == []


def test_a_generated_row_keeps_its_rule_and_stays_with_its_scenario(pack: Pack) -> None:
    made = {"rule": "sleep/short", "action": "-10 lb", "variables": {"sleep": 5}, "scenario": "5ce0", "role": "coach"}
    ((row,), _) = extract(pack, {"messages": [USER, BOT]}, "synthetic", **made)
    assert json.loads(row["metadata"]) == {
        "shape": "messages", "rule": "sleep/short", "action": "-10 lb", "variables": {"sleep": 5}
    }  # fmt: skip
    assert row["unit_keys"] == ["record:d/rows.jsonl#7", "scenario:5ce0"]
    # A dataset that says so is no generator.
    ((row,), _) = extract(pack, {"messages": [USER, BOT]}, **made)
    assert (json.loads(row["metadata"]), row["unit_keys"]) == ({"shape": "messages"}, ["record:d/rows.jsonl#7"])


def test_tool_turns_and_the_tools_travel_with_the_example(pack: Pack) -> None:
    turns = [USER, CALL, RESULT, BOT]
    ((row,), _) = extract(pack, {"messages": turns, "tools": [{"name": "f"}]})
    assert json.loads(row["messages"]) == turns
    assert json.loads(row["metadata"])["tools"] == [{"name": "f"}]


def test_a_preference_carries_the_answer_that_lost(pack: Pack) -> None:
    worse = {"role": "assistant", "content": "No idea."}
    ((row,), _) = extract(pack, {"messages": [USER, BOT], "rejected": [worse]})
    assert json.loads(row["rejected"]) == [worse]
    ((plain,), _) = extract(pack, {"messages": [USER, BOT]})
    assert plain["rejected"] is None
    assert plain["id"] != row["id"]
    empty = {"role": "assistant", "content": " "}
    assert extract(pack, {"messages": [USER, BOT], "rejected": [empty]}) == ([], ["empty_turn"])


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([BOT, USER, BOT], "no_question_first"),
        ([USER], "no_answer"),
        ([SYSTEM], "no_answer"),
        ([USER, USER, BOT], "not_alternating"),
        ([USER, BOT, BOT], "not_alternating"),
        ([USER, BOT, SYSTEM, USER, BOT], "system_in_between"),
        ([USER, RESULT, BOT], "not_alternating"),
        ([USER, CALL, USER, BOT], "not_alternating"),
        ([{**USER, "content": "  "}, BOT], "empty_turn"),
        ([USER, {**BOT, "content": "I am {{name}}."}], "unfilled_placeholder"),
    ],
)
def test_what_cannot_be_learnt_from_is_left_out(pack: Pack, turns: list[dict], reason: str) -> None:
    assert extract(pack, {"messages": turns}) == ([], [reason])


def test_what_follows_the_last_answer_is_cut_off(pack: Pack) -> None:
    for open_end in ([USER], [USER, CALL], [USER, CALL, RESULT]):
        ((row,), _) = extract(pack, {"messages": [USER, BOT, *open_end]})
        assert json.loads(row["messages"]) == [USER, BOT]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([USER, BOT, SYSTEM, CALL, RESULT]), max_size=7))
def test_what_is_kept_alternates_and_ends_with_an_answer(turns: list[dict]) -> None:
    if find_fault(turns) is not None:
        return
    spoken = [turn["role"] for turn in turns if turn["role"] not in ("system", "tool") and not turn.get("tool_calls")]
    assert spoken == ["user", "assistant"] * (len(spoken) // 2)
    assert [turn["role"] for turn in turns].count("system") == (turns[0]["role"] == "system")


@pytest.mark.parametrize(
    ("topic", "kind", "expected"),
    [
        ("Acromegaly", "information", "What is acromegaly?"),
        ("Kidney Stones in Adults", "information", "What are kidney stones in adults?"),
        ("Crohn's Disease", "treatment", "How is Crohn's disease treated?"),
        ("What I need to know about Gas", "symptoms", "What are the symptoms of gas?"),
        ("Parasites - Scabies", "prevention", "How can I prevent scabies?"),
        ("Pyelonephritis: Kidney Infection", "causes", "What causes pyelonephritis?"),
        ("Hypothyroidism", "considerations", "What should people with hypothyroidism know about eating and diet?"),
        ("Prevent diabetes problems: Keep your eyes healthy", "information", None),
        ("", "information", None),
    ],
)
def test_forms_of_medquad_become_questions(topic: str, kind: str, expected: str | None) -> None:
    answer = (
        "Acromegaly and kidney stones in adults differ. People with Crohn's disease eat small meals; good food helps. "
        "Some have hypothyroidism, gas, pyelonephritis or scabies, and acromegaly is rare."
    )
    assert ask(f"What is (are) {topic} ?", topic, kind, answer) == expected


def test_what_a_thing_is_must_be_said_in_a_first_sentence() -> None:
    anatomy = "The thyroid is a small gland in the neck. It makes hormones that regulate the metabolism."
    defined = "Hashimoto's disease is an autoimmune disease. It harms the thyroid."
    topic = "Hashimoto's Disease"
    assert cut_to_question(anatomy, topic, "information") is None
    assert cut_to_question(f"{anatomy}\n\n{defined}", topic, "information") == defined
    assert cut_to_question("Your chances of Hashimoto's disease are higher at 50.", topic, "information") is None
    assert cut_to_question("Testing for Hashimoto's disease is a blood draw.", topic, "information") is None
    assert cut_to_question(anatomy, topic, "causes") == anatomy


def test_an_answer_about_eating_ends_where_another_part_begins() -> None:
    diet = "Eat foods low in copper. A good diet helps.\n\nWhat to drink\n\nDrink water."
    assert (
        cut_to_question(f"{diet}\n\nLiver Transplant\n\nA donor is needed.", "Wilson disease", "considerations") == diet
    )


@pytest.mark.parametrize(
    ("glued", "expected"),
    [
        ("cirrhosisextensive scarring", "cirrhosis – extensive scarring"),
        ("a diseasea sign", "a disease – a sign"),
        ("the tubulestiny structures", "the tubules – tiny structures"),
        ("Diverticulasacs that form", "Diverticula – sacs that form"),
        ("a gellike liquid", "a gel-like liquid"),
        ("medicationspillsthat increase", "medications – pills – that increase"),
        ("a laparoscopea thin tube", "a laparoscope – a thin tube"),
    ],
)
def test_a_lost_dash_is_put_back_between_two_known_words(glued: str, expected: str) -> None:
    assert restore_dashes(glued) == expected


@pytest.mark.parametrize(
    "whole", ["bedroom", "reddish", "stoppage", "without", "pantoprazole", "Alagille", "airborne", "however", "factor"]
)
def test_compounds_and_unknown_names_are_not_split(whole: str) -> None:
    assert split_glued(whole) == (whole,)


@given(st.text(alphabet="abcdeilnorst A.-\n", max_size=60))
def test_putting_dashes_back_loses_no_letter_and_is_done_once(text: str) -> None:
    mended = restore_dashes(text)
    assert mended.replace(" – ", "").replace("-", "") == text.replace("-", "")
    assert restore_dashes(mended) == mended


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("It is also called BPHis a condition.", "damaged_text"),
        (
            "Beans 1/2 cup 9.5 grams, peas 1/2 cup 8.2 grams, oats 3 cups 4 grams, bran 1 cup 7 grams, figs 3.",
            "damaged_text",
        ),
        ("Stay inside:\n- at night\n\n- sleep under a net", "damaged_text"),
        ("Genetic Diseases Each cell holds genes.", "damaged_text"),
        ("The diet already described helps.", "points_away"),
        ("Fill in the diary (Item B) every day.", "points_away"),
        ("Call 404-555-0100 for help.", "points_away"),
        ("The doctor may give ranitidine (Zantac).", "outdated"),
        ("Rest and eat well. No specific therapies for gout exist.", "outdated"),
        ("Anyone age 45 or older should consider getting tested for gout.", "outdated"),
        ("People should keep their blood pressure below 140/90.", "outdated"),
        ("No foods are known to cause gout, and no treatment replaces rest.", None),
        ("Drink water every hour.", None),
    ],
)
def test_answers_of_medquad_with_holes_are_named(answer: str, reason: str | None) -> None:
    assert find_damage(answer) == reason


def test_an_announcement_at_the_end_goes_with_its_list() -> None:
    guide = "Rest well.\n\n*See Pronunciation Guide for tips on how to say the words."
    assert tidy_answer(guide) == "Rest well."
    assert tidy_answer("Small stones pass. Treatments may include the following:") == "Small stones pass."


def test_questions_of_medquad_in_own_words_stay_unless_they_point_away() -> None:
    assert ask("what research is being done?", "Rabies", "research", "") is None
    assert ask("who should be told?", "Rabies", "prevention", "") is None
    assert ask("how is rabies diagnosed?", "Rabies", "exams and tests", "") == "How is rabies diagnosed?"
    assert ask("how can these diseases be treated for Toxins ?", "Toxins", "treatment", "") is None


def test_answers_of_medquad_get_their_lists_back_and_lose_what_leads_away() -> None:
    raw = (
        "It is diffi cult to see.2 Ask at a health care providers office. Doctors dont agree about Crohns disease.\n                \nSymptoms include\n"
        "                \n- fever  - weight loss  - pain\n                \nMore information is provided in the NIDDK"
        " health topic, Gas. Rest helps. See www.x.y for more.\n                \nFact sheets"
    )
    assert tidy_answer(raw) == (
        "It is difficult to see. Ask at a health care provider's office. Doctors don't agree about Crohn's disease.\n\n"
        "Symptoms include:\n- fever\n- weight loss\n- pain\n\nRest helps."
    )


def test_medquad_pairs_that_say_too_little_or_too_much_are_left_out(pack: Pack) -> None:
    def pair(answer: str, topic: str = "Gout") -> tuple[list[dict], list[str]]:
        turns = [{"role": "user", "content": f"What is (are) {topic} ?"}, {"role": "assistant", "content": answer}]
        return extract(pack, {"messages": turns}, shape="medquad", topic=topic, kind="information")

    assert pair("Gout is a disease.")[1] == ["too_short_answer"]
    assert pair("word " * 50)[1] == ["off_question"]
    assert pair(
        "Gout is a disease of the joints that hurts, already described in the part above, and much more than that; rest the joint, keep it cool and wait until the swelling goes."
    )[1] == ["points_away"]
    assert pair("gout " * 1000)[1] == ["too_long_answer"]
    assert pair("word " * 50, topic="Your Guide to Diabetes")[1] == ["unclear_question"]
    ((row,), reasons) = pair("Gout is a form of arthritis. In gout uric acid builds up in the blood. " * 3)
    assert json.loads(row["messages"])[0]["content"] == "What is gout?"
    assert reasons == []


def test_an_answer_that_says_only_that_nothing_is_known_is_no_advice() -> None:
    nothing = "Researchers have not found that diet plays a role in causing gout. People should talk with their doctor."
    assert find_damage(nothing) == "no_advice"
    assert find_damage(f"{nothing} {'Drink two litres of water a day and eat less red meat. ' * 3}") is None


def test_titles_of_other_booklets_are_no_part_of_an_answer() -> None:
    text = (
        "Eat less salt.\n\n- What I need to know about Eating and Diabetes\n- Your Guide to Diabetes: Type 1 and Type 2"
    )
    assert tidy_answer(text) == "Eat less salt."
    assert tidy_answer("Eat less salt.\n\n- Vitamin D and Calcium, every day: for ever.") != "Eat less salt."


def test_the_key_points_of_a_page_answer_no_question(pack: Pack) -> None:
    points = "- Gout is a form of arthritis that comes from uric acid in the blood.\n- It hurts.\n" * 4
    turns = [{"role": "user", "content": "What to do for Gout ?"}, {"role": "assistant", "content": points}]
    assert extract(pack, {"messages": turns}, shape="medquad", topic="Gout", kind="considerations") == (
        [],
        ["off_question"],
    )


def test_what_to_eat_is_cut_to_whole_paragraphs_and_other_booklets_are_too_long(pack: Pack) -> None:
    diet = "Eat a diet that is low in salt, with food such as fruit. " * 20
    answer = f"{diet}\n\n{diet}\n\n{diet}"

    def pair(kind: str) -> tuple[list, list[str]]:
        turns = [
            {"role": "user", "content": "What to do for Kidney Stones in Adults ?"},
            {"role": "assistant", "content": answer},
        ]
        return extract(pack, {"messages": turns}, shape="medquad", topic="Kidney Stones in Adults", kind=kind)

    rows, reasons = pair("considerations")
    messages = json.loads(rows[0]["messages"])
    assert (messages[0]["content"], reasons) == (
        "What should adults with kidney stones know about eating and diet?",
        [],
    )
    assert messages[1]["content"] == diet.strip()
    assert pair("prevention") == ([], ["too_long_answer"])


def test_lists_within_lists_of_medquad_are_set_in() -> None:
    page = "- Gout is a disease.\n- Signs may include\n- pain\n- heat\n- Gout may be treated."
    assert tidy_answer(page) == "- Gout is a disease.\n- Signs may include:\n  - pain\n  - heat\n- Gout may be treated."


def test_a_question_that_a_page_asks_again_is_left_out(pack: Pack) -> None:
    turns = [{"role": "user", "content": "What is Gout ?"}, {"role": "assistant", "content": "Gout is a disease " * 20}]
    again = extract(pack, {"messages": turns}, shape="medquad", topic="Gout", kind="information", repeats="yes")
    assert again == ([], ["repeated_question"])


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("kelpmay cause harm", "kelp – may cause harm"),
        ("in the officeshow that", "in the office – show that"),
        ("a low- fiber diet", "a low-fiber diet"),
        ("low- and high-fiber diets", "low- and high-fiber diets"),
        ("a 1.5ounce serving", "a 1.5-ounce serving"),
        ("Peoples eating habits differ", "People's eating habits differ"),
        ("keep it below 140/90.4", "keep it below 140/90."),
        ("A persons treatment depends on age.", "A person's treatment depends on age."),
        ("Ask the clinics renal dietitian.", "Ask the clinic's renal dietitian."),
        ("The clinics have staff.", "The clinics have staff."),
    ],
)
def test_what_the_pages_of_medquad_lost_is_put_back(broken: str, whole: str) -> None:
    assert repair(broken) == whole


def test_sentences_that_point_back_at_what_was_left_out_go_with_it() -> None:
    page = "Eat less salt. Salts are described at www.example.org. These pages help. Drink water."
    assert tidy_answer(page) == "Eat less salt. Drink water."


def test_lists_of_other_pages_are_no_part_of_an_answer() -> None:
    page = "Eat less salt.\n\n- Nutrition for Adults with Gout\n- Living with Gout\n\nDrink water."
    assert tidy_answer(page) == "Eat less salt.\n\nDrink water."


def test_an_answer_about_eating_names_something_to_eat() -> None:
    plan = "The plan for your diet will help you know which foods to eat, how much, and when."
    assert cut_to_question(plan, "Gout", "considerations") is None
    named = f"{plan} Eat fruit."
    assert cut_to_question(named, "Gout", "considerations") == named


@pytest.mark.parametrize(
    ("answer", "topic", "kind", "is_kept"),
    [
        ("To prevent or delay type 2 diabetes, walk.", "Gestational Diabetes", "prevention", False),
        ("To prevent gestational diabetes, walk.", "Gestational Diabetes", "prevention", True),
        ("To prevent type 2 diabetes, walk.", "Diabetes and Prediabetes", "prevention", True),
        ("The stone goes to a lab. Urine tests follow. You can make changes.", "Kidney Stones", "prevention", False),
        ("Tests find gout. A lab looks at blood.", "Gout", "exams and tests", True),
    ],
)
def test_an_answer_is_about_what_was_asked(answer: str, topic: str, kind: str, is_kept: bool) -> None:
    assert (cut_to_question(answer, topic, kind) is not None) == is_kept
