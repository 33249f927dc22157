"""Every screening rule with a row on each side of its line, and what becomes of the rows."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.extract.build import build_example
from curator.screen import screen_examples
from curator.screen.rules import list_rules
from curator.screen.safety import RULES as SAFETY_RULES
from schemas.config import ScreenConfig
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, example_frame
from schemas.pack import Pack
from schemas.verdict import VERDICT_COLUMNS
from sources.packs.loader import load_pack

DOCUMENT = {"id": "d"}
GOOD = "Start with an empty bar and add 5 kg a week as long as all of your sets move well and the back stays flat."


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("fitness")


def make_example(*turns: str | dict, rejected: str | None = None, language: str | None = "en", **tags) -> dict:
    roles = ("user", "assistant")
    messages = [t if isinstance(t, dict) else {"role": roles[n % 2], "content": t} for n, t in enumerate(turns)]
    losing = None if rejected is None else [{"role": "assistant", "content": rejected}]
    return build_example(
        DOCUMENT,
        extractor="test",
        span={"rows": [1, 1]},
        messages=messages,
        rejected=losing,
        unit_keys=[],
        language=language,
        **tags,
    )


def screen(pack: Pack, *rows: dict, **settings):
    frame = example_frame(rows)
    check_frame(frame, EXAMPLE_COLUMNS, "examples")
    screened = screen_examples(frame, ScreenConfig(**settings), pack)
    check_frame(screened.verdicts, VERDICT_COLUMNS, "verdicts")
    assert screened.screening["example_id"].to_list() == frame["id"].to_list()
    return screened


def find_verdicts(pack: Pack, row: dict, **settings) -> dict[str, dict]:
    found = screen(pack, row, **settings).verdicts.to_dicts()
    return {verdict["reason"]: verdict for verdict in found}


def ask(answer: str, **options) -> dict:
    return make_example("How do I start with squats?", answer, **options)


GERMAN = "Fang mit der leeren Stange an und leg jede Woche ein wenig Gewicht drauf, solange der Rücken gerade bleibt."
ARABIC = "ابدأ بالبار الفارغ وأضف القليل من الوزن كل أسبوع ما دام ظهرك مستقيما وحركتك جيدة في كل المجموعات."
LINES = ["Keep the chest up.", "Push the knees out.", "Sit between the hips.", "Drive the floor away."]

# rule, settings, a row that breaks it, a row that just does not
CASES = [
    ("bad_structure", {}, make_example("How do I squat?", GOOD, "And then?"), make_example("How?", GOOD, "And then?", GOOD)),
    ("answer_too_short", {"min_answer_tokens": 8}, ask("Add five kilos on Monday ok."), ask("Add five kilos every Monday ok.")),
    ("too_long", {"max_tokens": 16}, make_example("abcd " * 8, "abc " * 6 + "abcd"), make_example("abcd " * 8, "abc " * 5 + "abc")),
    ("prompt_too_short", {"min_prompt_words": 3}, make_example("Squat depth?", GOOD), make_example("Squat depth okay?", GOOD)),
    ("language_not_allowed", {}, ask(GERMAN, language="de"), ask(ARABIC, language="ar")),
    ("mean_word_too_short", {}, ask("I do 5 x 5 a w " * 5), ask("I can lift 60 kg each week. " * 4)),
    ("mean_word_too_long", {}, ask("antidisestablishmentarianism electroencephalographically yes"), ask("Progressive overloading yields adaptation.")),
    ("too_few_stop_words", {}, ask("squat bench deadlift press row chin dip curl raise lunge " * 2), ask("squat bench deadlift press row chin dip curl raise and " * 2)),
    ("duplicate_lines", {"max_duplicate_line_ratio": 0.25}, ask("\n".join([*LINES[:2], LINES[0]])), ask("\n".join([*LINES[:3], LINES[0]]))),
    ("symbols", {"max_symbol_ratio": 0.1}, ask("# Warm up # then squat with care and rest for two minutes"), ask("# Warm up then squat with care and rest for two minutes")),
    ("too_few_letters", {"min_alpha_ratio": 0.5}, ask("Do 100 110 120 130 140 then rest well 150 160"), ask("Do 100 110 120 130 140 then rest well and eat")),
    ("link_only", {"max_link_ratio": 0.3}, ask("See https://example.com/squat now"), ask("Please see https://example.com/squat now")),
    ("shouting", {"max_uppercase_ratio": 0.6}, ask("KEEP YOUR CHEST UP AND BACK flat okay then"), ask("KEEP YOUR CHEST up and back flat okay then")),
    ("low_effort", {"min_answer_tokens": 1}, ask("Check the wiki!"), ask("Check the wiki for form videos.")),
    ("joke", {}, ask("Just skip leg day, nobody looks at legs anyway /s"), ask("Just squat twice a week and/or s-curve your load.")),
    ("joke", {}, ask("Do you even lift, bro? Everybody asks me that one."), ask("Do you even lift in flat shoes? Everybody should.")),
    ("boilerplate", {}, ask("As an AI language model I cannot lift weights at all."), ask("As a model of a good squat, watch weightlifters lift.")),
    ("private_data", {"pii": "reject"}, ask(GOOD + " Mail me@gym.com"), ask(GOOD + " Mail me @ gym")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "settings", "bad", "good"), CASES, ids=[f"{c[0]}{n}" for n, c in enumerate(CASES)])
def test_a_rule_rejects_on_its_side_of_the_line_and_only_there(pack, rule, settings, bad, good):
    broken = find_verdicts(pack, bad, **settings)
    assert rule in broken
    assert broken[rule]["is_kept"] is False
    assert rule not in find_verdicts(pack, good, **settings)
    if broken[rule]["threshold"] is not None:
        assert broken[rule]["score"] is not None


def test_every_rule_is_tested_above(pack):
    names = {rule.name for rule in list_rules(ScreenConfig(pii="reject"), pack.languages)}
    assert names == {case[0] for case in CASES}


def test_a_good_row_gets_no_verdict_at_all(pack):
    assert screen(pack, ask(GOOD)).verdicts.height == 0
    assert screen(pack, ask(GOOD)).screening["messages"].to_list() == [None]


def test_a_short_good_answer_survives(pack):
    assert find_verdicts(pack, ask("Two to three sets, twice a week.")) == {}


def test_nothing_gives_nothing(pack):
    screened = screen(pack)
    assert (screened.screening.height, screened.verdicts.height) == (0, 0)


def test_a_row_that_breaks_two_rules_has_two_verdicts(pack):
    found = find_verdicts(pack, make_example("Squat?", "Google it."))
    assert {"prompt_too_short", "answer_too_short", "low_effort"} <= set(found)
    assert (found["prompt_too_short"]["score"], found["prompt_too_short"]["threshold"]) == (1.0, 2.0)


def test_wide_tables_and_blank_lines_do_not_make_words_long(pack):
    row = ask("Squat" + " " * 40 + "heavy" + " " * 40 + "then\n\n\n\n\n\n\n\n\nrest" + " " * 40 + "well")
    assert "mean_word_too_long" not in find_verdicts(pack, row)


@pytest.mark.parametrize(
    ("question", "answer", "language", "is_rejected"),
    [
        ("How do I start with squats?", GOOD, "en", False),
        ("كيف أبدأ بتمرين القرفصاء؟", ARABIC, "ar", False),
        ("Wie fange ich mit Kniebeugen an?", GERMAN, "de", True),
    ],
)
def test_the_detector_keeps_english_and_arabic_and_rejects_german(pack, question, answer, language, is_rejected):
    screened = screen(pack, make_example(question, answer, language=None))
    assert screened.screening["language"].to_list() == [language]
    found = {row["reason"]: row["detail"] for row in screened.verdicts.to_dicts()}
    assert found == ({"language_not_allowed": language} if is_rejected else {})


def test_a_text_too_short_to_tell_gets_the_language_of_the_pack(pack):
    screened = screen(pack, make_example("Squat oder?", "Ja, 5x5 mit 100 kg, 3 min", language=None))
    assert screened.screening["language"].to_list() == ["en"]
    assert "language_not_allowed" not in screened.verdicts["reason"].to_list()


def test_a_guess_that_is_not_believed_is_not_stored_as_the_language(pack):
    row = make_example(
        "Tempo deload superset?", "Bench dumbbell kettlebell burpee deload superset tempo.", language=None
    )
    screened = screen(pack, row, min_language_score=1.0, min_language_letters=1)
    assert screened.screening["language"].to_list() == ["en"]
    unsure = screen(pack, make_example("Wie fange ich an?", GERMAN, language=None), min_language_score=1.0)
    assert unsure.screening["language"].to_list() == ["en"]


def test_allowed_languages_of_the_settings_go_before_those_of_the_pack(pack):
    assert "language_not_allowed" not in find_verdicts(pack, ask(GERMAN, language="de"), languages=["de"])
    assert "language_not_allowed" in find_verdicts(pack, ask(GOOD), languages=["de"])


def test_redaction_changes_the_stored_text_and_leaves_a_note(pack):
    row = make_example(
        {"role": "user", "content": "Ask u/lifter how?", "input": "me@gym.com"},
        GOOD,
        rejected="Call 555-123-4567 and ask them.",
    )
    screened = screen(pack, row, ask(GOOD))
    first, second = screened.screening.to_dicts()
    assert json.loads(first["messages"])[0] == {"role": "user", "content": "Ask [USER] how?", "input": "[EMAIL]"}
    assert json.loads(first["rejected"]) == [{"role": "assistant", "content": "Call [PHONE] and ask them."}]
    assert (second["messages"], second["rejected"]) == (None, None)
    notes = [v for v in screened.verdicts.to_dicts() if v["reason"] == "redacted"]
    assert [(n["subject_id"], n["is_kept"], n["score"], n["detail"]) for n in notes] == [
        (row["id"], True, 3.0, "EMAIL,PHONE,USER")
    ]


def test_private_data_in_the_arguments_of_a_tool_call_goes_too(pack):
    call = {"id": "1", "type": "function", "function": {"name": "mail", "arguments": '{"to": "me@gym.com"}'}}
    row = make_example(
        {"role": "user", "content": "Mail my plan to me@gym.com"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sent", "tool_call_id": "1"},
        {"role": "assistant", "content": GOOD},
    )
    cleaned = screen(pack, row).screening["messages"].item()
    assert "me@gym.com" not in cleaned
    assert json.loads(json.loads(cleaned)[1]["tool_calls"][0]["function"]["arguments"]) == {"to": "[EMAIL]"}


def test_switched_off_redaction_leaves_text_but_never_template_tokens(pack):
    row = ask(GOOD + " Mail me@gym.com <|im_end|>")
    cleaned = screen(pack, row, pii="off").screening["messages"].item()
    assert "me@gym.com" in cleaned
    assert "<|im_end|>" not in cleaned


FLAGS = [
    ("drug_dosing", "What cycle?", "Run 500 mg testosterone a week for twelve weeks.", "Have 200 mg caffeine before your strength test day."),
    ("drug_dosing", "What cycle?", "Most take anavar at 50 mg each day.", "Anavar is a banned drug, leave it alone."),
    ("through_sharp_pain", "My knee hurts", "Just push through the pain, it goes away.", "Never push through sharp pain; stop the set."),
    ("extreme_deficit", "How do I cut?", "Eat only 600 kcal per day until it is gone.", "Eat 300 kcal a day less than you burn; never 600 kcal a day."),
    ("extreme_deficit", "How do I cut?", "Stick to 800 calories/day for a month.", "Stick to 1800 calories/day for a month."),
    ("medical_without_referral", "Can I lift with high blood pressure?", "Sure, lift 112 kg like the professional lifters.", "Ask your doctor first, then start light."),
    ("medical_without_referral", "I am pregnant, may I squat?", "Er, yes, squat as you always did.", "Your midwife knows; ask before you squat."),
    ("medical_without_referral", "أنا حامل، هل أتمرن؟", "نعم تمرني كل يوم.", "اسألي طبيبك أولا."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "question", "unsafe", "safe"), FLAGS)
def test_unsafe_advice_is_flagged_and_kept_for_a_reviewer(pack, rule, question, unsafe, safe):
    found = find_verdicts(pack, make_example(question, unsafe))
    assert found[f"flag:{rule}"]["is_kept"] is True
    assert f"flag:{rule}" not in find_verdicts(pack, make_example(question, safe))


def test_every_safety_rule_is_tested_above():
    assert {rule.name for rule in SAFETY_RULES} == {case[0] for case in FLAGS}


def test_the_losing_answer_of_a_preference_may_be_bad_but_not_empty(pack):
    losing = ask(GOOD, rejected="As an AI language model I cannot answer that, google it.")
    assert find_verdicts(pack, losing) == {}
    assert find_verdicts(pack, ask(GOOD, rejected="  "))["bad_structure"]["detail"] == "empty_turn"


def test_two_answers_that_share_most_lines_are_a_fine_preference(pack):
    assert find_verdicts(pack, ask("\n".join(LINES), rejected="\n".join([*LINES[:3], "Round the back."]))) == {}


def score(pack: Pack, answer: str, **tags) -> float:
    return screen(pack, ask(answer, **tags)).screening["quality"].item()


@settings(max_examples=40, deadline=None)
@given(answer=st.text(max_size=200), esteem=st.none() | st.floats(-3, 5))
def test_quality_lies_between_zero_and_one(answer, esteem):
    frame = example_frame([ask(answer, source_score=esteem)])
    assert 0 <= screen_examples(frame, ScreenConfig(), load_pack("golf")).screening["quality"].item() <= 1


def test_quality_grows_with_length_structure_figures_and_the_sources_esteem(pack):
    assert score(pack, GOOD) < score(pack, GOOD + " " + GOOD)
    assert score(pack, "Squat twice then rest and then squat more") < score(
        pack, "Squat twice. Then rest. And then squat more."
    )
    assert score(pack, "Squat with five kilos more each week") < score(pack, "Squat with 15 kilos more each week")
    assert score(pack, GOOD, source_score=0.1) < score(pack, GOOD) < score(pack, GOOD, source_score=0.9)
    assert score(pack, "a b c d e f g h i j") < score(pack, "brace your torso while lowering the barbell")


def test_screening_a_row_does_not_depend_on_the_rows_beside_it(pack):
    rows = [case[2] for case in CASES] + [case[3] for case in CASES]
    together = screen(pack, *rows)
    for row in rows[::5]:
        alone = screen(pack, row)
        assert together.screening.filter(pl.col("example_id") == row["id"]).unique().equals(alone.screening)
        mine = together.verdicts.filter(pl.col("subject_id") == row["id"]).unique().sort("reason")
        assert mine.equals(alone.verdicts.sort("reason"))


def test_tokens_are_a_quarter_of_the_bytes(pack):
    question = "How do I start with squats?"
    screened = screen(pack, make_example(question, "شكرا لك يا مدرب على الخطة"))
    size = len((question + "\n" + "شكرا لك يا مدرب على الخطة").encode())
    assert screened.screening["tokens"].item() == -(-size // 4)


ENGLISH = "I think that you should film your squat from the side, because this would show what they mean about depth."
FOREIGN = [
    "Jeg har trænet i to måneder og spiser en and om søndagen, men hvad er det bedste for min ryg og mine knæ?",
    "Ik ben nu twee maanden bezig en het is zwaar, maar wat is de beste oefening voor mijn rug als ik weinig tijd heb?",
    "Ich trainiere seit zwei Monaten und die Kniebeuge ist schwer, was soll ich an der Technik als erstes ändern?",
    "Llevo dos meses entrenando y la sentadilla me cuesta mucho, ¿qué debería cambiar primero en la técnica?",
    "أتدرب منذ شهرين وأجد صعوبة في القرفصاء، ما الذي يجب أن أغيره أولا في أسلوبي؟",
]


def test_plain_english_is_known_without_the_detector_and_nothing_else_is() -> None:
    from curator.screen.language import is_plainly_english

    mixed = "رأيي هو أن هذا صحيح تماما كما قال المدرب عن التمرين: you should think about this with your coach"
    assert is_plainly_english(pl.Series([ENGLISH, *FOREIGN, mixed, ""])).to_list() == [True, *[False] * 7]


def test_words_that_a_safety_rule_looks_for_first_stand_in_whatever_it_matches() -> None:
    from curator.screen.safety import RULES

    texts = [
        "take 500 mg of testosterone", "200 mg test e per week", "tren at 50 mg", "DNP 200mg", "1 ml HGH", "rad-140 10 mg",
        "train through the pain", "ignore your pain", "eat 800 kcal a day", "only 500 calories per day",
        "a cut of 1500 kcal", "water fast for 5 days", "no food for 10 days",
    ]  # fmt: skip
    for rule in RULES:
        hits = [text for text in texts if rule.answer and pl.Series([text]).str.contains(rule.answer).item()]
        assert all(any(hint in text.lower() for hint in rule.hints) for text in hits)
        assert hits or not rule.answer
