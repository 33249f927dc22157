"""Cases are asked, answers are judged, and the figures mean what they say."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.model_evaluation import EvaluationOptions, describe_work
from curator.project import open_project
from schemas.errors import ConfigError, DeployError
from schemas.evaluation import EvaluationCase, EvaluationReport
from train.evaluation.answers import Sampling, open_answers
from train.evaluation.checks import find_failed_checks
from train.evaluation.numbers import find_numbers
from train.evaluation.perplexity import measure_perplexity
from train.evaluation.plot import plot_pass_rates
from train.evaluation.refusal import is_refusal
from train.evaluation.repetition import measure_repetition
from train.evaluation.side_by_side import render_side_by_side
from train.evaluation.similarity import compute_chrf
from train.evaluation.suite import ask_cases, judge_answer, make_messages, read_cases

PACKS = Path(__file__).resolve().parents[1] / "sources" / "packs"
ALL_CASES = {pack: read_cases(PACKS / pack / "evaluation" / "cases.jsonl") for pack in ("fitness", "golf")}


def make_case(*checks, **fields):
    values = {"id": "c", "category": "load", "messages": [{"role": "user", "content": "Add weight?"}],
              "checks": list(checks) or [{"kind": "max_words", "value": 50}]}  # fmt: skip
    return EvaluationCase.model_validate(values | fields)


def fails(check, answer):
    return [(failed.label, failed.found) for failed in find_failed_checks(make_case(check), answer)]


def test_the_packs_have_enough_cases_of_every_kind():
    assert (len(ALL_CASES["fitness"]) >= 60, len(ALL_CASES["golf"]) >= 32) == (True, True)
    kinds = {pack: {check.kind for case in cases for check in case.checks} for pack, cases in ALL_CASES.items()}
    shared = {"must_match", "must_not_match", "must_recommend", "must_not_mention", "must_refer", "number_in_range",
              "max_words"}  # fmt: skip
    assert kinds == {"fitness": shared, "golf": shared | {"has_headings"}}
    directions = {check.direction for case in ALL_CASES["fitness"] for check in case.checks
                  if check.kind == "must_recommend"}  # fmt: skip
    assert directions == {"more", "less", "same"}
    assert sum(case.is_safety for case in ALL_CASES["fitness"]) >= 20


@pytest.mark.parametrize("pack", ALL_CASES)
def test_every_reference_passes_its_own_checks_and_no_stock_answer_does(pack):
    stock = ["Sure, push on and believe in yourself. I am not a doctor.", "It depends. " * 300, ""]
    for case in ALL_CASES[pack]:
        assert judge_answer(case, case.reference).failed == [], case.id
        assert not any(judge_answer(case, answer).is_passed for answer in stock), case.id


@pytest.mark.parametrize(
    ("direction", "answer", "is_right"),
    [
        ("more", "Go up to 190 lb.", True),
        ("more", "Don't add weight yet.", False),
        ("more", "Add 5 lb, then deload.", False),
        ("more", "ارفع الوزن إلى 82.5 كغ.", True),
        ("less", "Take 10 lb off the bar.", True),
        ("less", "Keep it, never reduce it.", False),
        ("same", "Hold 185 lb today.", True),
        ("same", "ثبّت الوزن اليوم.", True),
        ("same", "Go up.", False),
    ],
)
def test_the_direction_of_a_load_is_understood(direction, answer, is_right):
    assert (fails({"kind": "must_recommend", "direction": direction}, answer) == []) is is_right


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("See a doctor before you squat again.", True),
        ("A physiotherapist can look at it.", True),
        ("راجع طبيبًا قبل أن تتمرن.", True),
        ("I am not a doctor, just rest.", False),
        ("No need to see a doctor.", False),
        ("Don't bother your physio with it.", False),
        ("لست طبيبًا، لكن استرح.", False),
        ("Rest for a week.", False),
        ("I'm not a doctor. Please ask your doctor.", True),
    ],
)
def test_a_referral_counts_only_where_it_is_made(answer, is_right):
    assert (fails({"kind": "must_refer"}, answer) == []) is is_right


@pytest.mark.parametrize(
    ("answer", "is_right"), [("Hold it.", True), ("Try a PR today.", False), ("New PRs!", False), ("Press on.", True)]
)
def test_words_that_must_not_be_mentioned(answer, is_right):
    found = fails({"kind": "must_not_mention", "words": ["PR", "PRs"]}, answer)
    assert (found == []) is is_right
    assert is_right or "PR" in found[0][1]


@pytest.mark.parametrize(
    ("text", "unit", "numbers"),
    [
        ("Eat 2,800–3,000 kcal a day", "kcal", [2800, 3000]),
        ("144 to 180 grams", "g", [144, 180]),
        ("between 120 and 165 g", "g", [165, 120]),
        ("5 g, not 5 goblet squats", "g", [5]),
        ("3x5 and four sets", "sets", [4, 3]),
        ("82.5 كغ ثم ٩٠ كغ", "kg", [82.5, 90]),
        ("1.6–2.2 غ لكل كيلوغرام", "g", [1.6, 2.2]),
        ("a 20-minute walk", "minutes", [20]),
        ("185 lb, 187.5 lbs, 190 pounds", "lb", [185, 187.5, 190]),
        ("about 90% or 45 per cent", "%", [90, 45]),
        ("in 2 years", "weeks", []),
        ("7 weeks", "weeks", [7]),
    ],
)
def test_numbers_are_read_with_their_unit(text, unit, numbers):
    assert find_numbers(text, unit) == numbers


def test_a_number_out_of_range_is_told():
    check = {"kind": "number_in_range", "unit": "lb", "low": 187, "high": 191}
    assert fails(check, "Go up to 190 lb.") == []
    assert fails(check, "Go up to 205 lb.") == [("187–191 lb", "205 lb")]
    assert fails(check, "Go up.") == [("187–191 lb", "no number of lb")]


def test_headings_must_stand_in_order():
    check = {"kind": "has_headings", "headings": ["WHAT HAPPENS:", "WHAT TO DO:"]}
    assert fails(check, "## What happens:\nx\n**WHAT TO DO:**\ny") == []
    assert fails(check, "WHAT TO DO:\ny\nWHAT HAPPENS:\nx")[0][1].startswith("'WHAT TO DO:' is missing")


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_lies_between_none_and_all(left, right):
    assert 0 <= compute_chrf(left, right) <= 1 + 1e-9
    text = "".join(left.split())
    assert compute_chrf(left, left) == pytest.approx(1.0 if text else 0.0)


def test_similarity_is_chrf():
    # By hand for "ab" and "abc": orders 1 and 2 have precision 1 and recall 2/3, 1/2.
    recall = (2 / 3 + 1 / 2) / 2
    assert compute_chrf("ab", "abc") == pytest.approx(5 * recall / (4 + recall))
    assert compute_chrf("squat deep", "squat deeper") > compute_chrf("eat rice", "squat deeper")


def test_repetition_counts_what_was_said_before():
    assert measure_repetition("one two three four five six") == 0
    assert measure_repetition("go on and on " * 10) == pytest.approx(1 - 4 / 37)
    assert measure_repetition("short") == 0


@pytest.mark.parametrize(
    ("answer", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I can\u2019t give medical advice.", True),
        ("As an AI, I have no body.", True),
        ("لا أستطيع مساعدتك في هذا.", True),
        ("I cannot promise 140 kg in 8 weeks.", False),
        ("Hold the load. " * 20 + "I can't help you from here.", False),
    ],
)
def test_refusals_are_recognised(answer, refuses):
    assert is_refusal(answer) is refuses


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", ":2: line: Invalid JSON"),
        ('{"id": "x"}', ":2: category"),
        (json.dumps({"id": "x", "category": "c", "messages": [{"role": "user", "content": "q"}],
                     "checks": [{"kind": "must_match", "pattern": "("}]}), "no regular expression"),
        (json.dumps({"id": "x", "category": "c", "messages": [{"role": "user", "content": "q"}],
                     "checks": [{"kind": "must_shout"}]}), "checks.0"),
        (json.dumps({"id": "x", "category": "c", "messages": [{"role": "user", "content": "q"}],
                     "checks": [{"kind": "number_in_range", "unit": "g", "low": 5, "high": 1}]}), "low 5 lies above"),
        (json.dumps({"id": "x", "category": "c", "messages": [{"role": "assistant", "content": "q"}],
                     "checks": [{"kind": "must_refer"}]}), "last message is of assistant"),
        (json.dumps({"id": "a", "category": "c", "messages": [{"role": "user", "content": "q"}],
                     "checks": [{"kind": "must_refer"}]}), "a second case has the id 'a'"),
    ],
)  # fmt: skip
def test_a_broken_case_is_named_by_its_line(line, message, tmp_path):
    good = make_case(id="a").model_dump_json(exclude_none=True)
    (tmp_path / "cases.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_cases(tmp_path / "cases.jsonl")


def test_a_case_is_asked_with_the_system_prompt_and_its_input():
    case = make_case(messages=[{"role": "user", "content": "Assess it.", "input": "Score: 0.3"}])
    asked = make_messages(case, "You are a coach.")
    assert asked == [
        {"role": "system", "content": "You are a coach."},
        {"role": "user", "content": "Assess it.\n\nScore: 0.3"},
    ]


ROWS = [
    [{"role": "user", "content": "How deep should I squat?"}, {"role": "assistant", "content": "As deep as you can."}],
    [{"role": "user", "content": "Is creatine safe?"}, {"role": "assistant", "content": "Yes, five grams a day."}],
]


@pytest.fixture(scope="module")
def reports(tiny_qwen2, tmp_path_factory):
    """The same weights asked twice: by transformers from the folder, by llama.cpp from a GGUF file."""
    from train.gguf import write_gguf

    gguf = tmp_path_factory.mktemp("evaluation") / "model.gguf"
    write_gguf(tiny_qwen2, gguf)
    cases = ALL_CASES["fitness"][:3]
    found = []
    for target in (str(tiny_qwen2), str(gguf)):
        with open_answers(target, Sampling(max_tokens=12), threads=1) as answers:
            results = ask_cases(cases, answers, lambda _: "You are a coach.")
            perplexity, note = measure_perplexity(ROWS, answers)
            found.append(EvaluationReport(target=target, kind=answers.kind, cases=results, perplexity=perplexity,
                                          perplexity_note=note))  # fmt: skip
    return found


def test_a_folder_and_its_gguf_file_answer_alike_and_have_the_same_perplexity(reports):
    folder, gguf = reports
    assert (folder.kind, gguf.kind) == ("folder", "gguf")
    assert gguf.perplexity.value == pytest.approx(folder.perplexity.value, rel=0.01)
    assert (folder.perplexity.rows, folder.perplexity.tokens) == (2, gguf.perplexity.tokens)
    same = [left.answer.strip() == right.answer.strip() for left, right in zip(folder.cases, gguf.cases, strict=True)]
    assert sum(same) >= 2


def test_perplexity_is_that_of_the_answers_alone(tiny_qwen2):
    from train.local_model import load_local_model

    model = load_local_model(tiny_qwen2)
    with open_answers(str(tiny_qwen2)) as answers:
        found, _ = measure_perplexity(ROWS[:1], answers)
    prompt = model.encode(ROWS[0][:1])
    ids = prompt + model.encode_text(ROWS[0][1]["content"])
    rows = model.read_logits(ids).astype(np.float64)[len(prompt) - 1 : -1]
    picked = rows[np.arange(len(rows)), ids[len(prompt) :]] - np.log(np.exp(rows).sum(axis=1))
    assert found.tokens == len(ids) - len(prompt)
    assert found.value == pytest.approx(math.exp(-picked.mean()), rel=1e-4)


def test_figures_by_group_add_up(reports):
    report = reports[0]
    assert sum(tally.cases for tally in report.tally("category").values()) == report.total.cases == 3
    assert report.total.passed == sum(case.is_passed for case in report.cases)
    assert report.similarity == pytest.approx(sum(case.similarity for case in report.cases) / 3)


def test_two_models_stand_side_by_side_and_their_words_are_escaped(reports):
    evil = reports[0].cases[0].model_copy(update={"answer": "<script>alert(1)</script>", "failed": []})
    other = reports[1].model_copy(update={"cases": [evil, *reports[1].cases[1:]], "target": "b<i>"})
    page = render_side_by_side([reports[0], other])
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "b&lt;i&gt;" in page
    assert page.count("<section>") == 3
    assert "default-src 'none'" in page
    # The case on which they differ comes first.
    assert page.index(f"<h2>{evil.case_id}</h2>") < page.index(f"<h2>{reports[0].cases[1].case_id}</h2>")


def test_pass_rates_are_drawn_for_one_and_two_models(reports, tmp_path):
    plot_pass_rates(reports[:1], tmp_path / "one.svg")
    plot_pass_rates(reports, tmp_path / "two.png")
    assert "cases passed" in (tmp_path / "one.svg").read_text() or (tmp_path / "one.svg").stat().st_size > 2000
    assert (tmp_path / "two.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ConfigError, match="unknown kind of picture"):
        plot_pass_rates(reports, tmp_path / "x.bmp")


@pytest.mark.parametrize("target", ["nowhere", "/", "notes.txt"])
def test_a_target_that_is_no_model_is_named(target):
    with pytest.raises(ConfigError, match="neither an adapter"), open_answers(target):
        pass


def test_a_server_that_is_not_there_is_named():
    with open_answers("http://127.0.0.1:9") as answers, pytest.raises(DeployError, match="no answer"):
        answers.answer([{"role": "user", "content": "Hi"}])


def test_the_command_compares_traces_and_writes(built, tiny_qwen2, tmp_path, cli):
    case = next(case for case in ALL_CASES["fitness"] if case.category == "technique")
    (tmp_path / "cases.jsonl").write_text(case.model_dump_json(exclude_none=True) + "\n")
    done = cli(built, "evaluate", "model", tiny_qwen2, "--against", tiny_qwen2, "--cases", tmp_path / "cases.jsonl",
               "--max-tokens", 8, "--perplexity-rows", 2, "--trace", "--html", tmp_path / "x.html",
               "--plot", tmp_path / "x.svg", "--json")  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    first, second = found["reports"]
    assert (first["passed"]["cases"], first["cases"], first["by"]) == (1, second["cases"], second["by"])
    assert first["perplexity"]["rows"] > 0
    assert [trace["case"] for trace in found["traces"]] == [case.id]
    rows = found["traces"][0]["rows"]
    assert rows
    assert rows == sorted(rows, key=lambda row: -row["similarity"])
    assert {"id", "similarity", "category", "where", "question", "answer"} == set(rows[0])
    assert (tmp_path / "x.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "x.svg").stat().st_size > 1000
    shown = cli(built, "evaluate", "model", tiny_qwen2, "--cases", tmp_path / "cases.jsonl", "--max-tokens", 4,
                "--perplexity-rows", 0)  # fmt: skip
    assert "passed cases" in shown.out
    assert "not asked for" in shown.out


def test_a_small_model_is_computed_on_one_thread_and_the_rest_is_given_back(tiny_qwen2):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with open_answers(str(tiny_qwen2)):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_how_much_will_be_asked_is_said_before_it_is(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "golf"\n')
    project = open_project(tmp_path)
    said = describe_work(project, EvaluationOptions(limit=5, max_tokens=60), 2)
    assert said.startswith("10 questions, answers of at most 60 tokens (--limit N asks fewer")
    assert describe_work(project, EvaluationOptions(), 1).startswith("42 questions, answers of at most 400 tokens")
