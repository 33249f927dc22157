"""Rule files: what is drawn, decided and said, and how mistakes in them are reported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic import SyntheticOptions, SyntheticSource, check_rules
from sources.synthetic.noise import draw_uniform, pick_listed
from sources.synthetic.place import find_line
from sources.synthetic.plan import Plan, make_segment

RULES = """
[variables.sleep]
low = 5
high = 9
step = 0.5
[variables.soreness]
low = 1
high = 10
step = 1
follows = { sleep = -0.8 }
[tables.lifts]
rows = [{ name = "bench \\"press\\"", kit = "gym", step = 5 }, { name = "goblet squat", kit = "home", step = 2.5 }]
[variables.lift]
table = "lifts"
where = "lift_kit = kit"
[[personas]]
id = "someone"
values = { kit = ["gym", "home"] }
[[topics]]
id = "gate"
category = "recovery"
ask = ["{Lift}, sleep {sleep}, soreness {soreness}."]
answer = ["{verdict} {tip#1}{tip#2}"]
phrases = { tip = ["A", "B", "C"] }
[[topics.rules]]
id = "up"
when = "sleep > 7.5 and soreness < 4"
action = "up to {twice}"
values = { twice = "sleep * 2" }
phrases = { verdict = ["Go up to {twice}."] }
[[topics.rules]]
id = "hold"
action = "hold"
phrases = { verdict = ["Hold."] }
"""


@pytest.fixture
def write_rules(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "rules.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def generate(path: Path, count: int = 400) -> list[tuple[list[dict], dict]]:
    context = SourceContext(root=Path("/"), pack=load_pack("fitness"))
    source = SyntheticSource(SyntheticOptions(count=count, rules=[path], category=["recovery"]), context)
    documents = pl.concat([batch.documents for batch in source.read(None)])
    pairs = zip(documents["content"], documents["metadata"], strict=True)
    return [(json.loads(content)["messages"], json.loads(metadata)) for content, metadata in pairs]


def test_the_rule_that_holds_writes_the_answer_with_the_rows_own_numbers(write_rules):
    for messages, metadata in generate(write_rules(RULES)):
        values = metadata["variables"]
        is_up = values["sleep"] > 7.5 and values["soreness"] < 4
        assert metadata["rule"] == ("gate/up" if is_up else "gate/hold")
        expected = f"Go up to {values['sleep'] * 2:g}." if is_up else "Hold."
        assert messages[1]["content"].startswith(expected)
        assert f"sleep {values['sleep']:g}, soreness {values['soreness']:g}." in messages[0]["content"]


def test_numbered_slots_are_different_picks_of_one_phrase(write_rules):
    endings = {messages[1]["content"][-2:] for messages, _ in generate(write_rules(RULES))}
    assert endings == {a + b for a in "ABC" for b in "ABC" if a != b}


def test_table_rows_fit_the_person_and_quotes_survive(write_rules):
    rows = generate(write_rules(RULES))
    starts = {(m["variables"]["kit"], messages[0]["content"].split(",")[0]) for messages, m in rows}
    assert starts == {("gym", 'Bench "press"'), ("home", "Goblet squat")}


def test_variables_that_follow_each_other_are_correlated(write_rules):
    drawn = [metadata["variables"] for _, metadata in generate(write_rules(RULES), 2000)]
    sleep, soreness = (np.array([values[name] for values in drawn]) for name in ("sleep", "soreness"))
    assert np.corrcoef(sleep, soreness)[0, 1] < -0.7
    assert set(np.unique(sleep)) == set(np.arange(5, 9.5, 0.5))


def test_the_scenario_ignores_numbers_and_knows_the_rule(write_rules):
    scenarios: dict[str, set[tuple[str, str, str]]] = {}
    for messages, metadata in generate(write_rules(RULES)):
        skeleton = "".join("#" if c.isdigit() else c for c in messages[1]["content"]).replace("##", "#")
        scenarios.setdefault(metadata["scenario"], set()).add((metadata["rule"], metadata["persona"], skeleton))
    assert all(len(skeletons) == 1 for skeletons in scenarios.values())
    assert len(scenarios) == 12  # two rules, six orders of two tips


@pytest.mark.parametrize(
    ("old", "new", "kind", "example"),
    [
        ('action = "hold"', 'action = "hold"\nwhen = "sleep < 7.5"', "gap", lambda v: v["sleep"] >= 7.5),
        ('action = "hold"', 'action = "hold"\nwhen = "sleep < 8.5"', "contradiction", lambda v: v["sleep"] == 8),
        ("sleep > 7.5 and", "sleep > 75 and", "dead_rule", lambda v: v == {}),
        ('kit = "home", step', 'kit = "yard", step', "silence", lambda v: v["sleep"] >= 5),
    ],
)
def test_doctor_reports_what_does_not_add_up_with_an_example(write_rules, old, new, kind, example):
    text = RULES.replace(old, new)
    findings = check_rules(load_pack("fitness"), [write_rules(text)])
    found = next(finding for finding in findings if finding.kind == kind)
    assert example(found.example)
    assert "rules.toml:" in found.where


def test_doctor_has_nothing_to_say_about_sound_rules(write_rules):
    assert check_rules(load_pack("fitness"), [write_rules(RULES)]) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sleep > 7.5 and soreness", "sleep > > soreness", "not an SQL expression"),
        ("{Lift}, sleep", "{Lifts}, sleep", "nothing is called 'lifts'"),
        ('when = "sleep > 7.5 and soreness < 4"', 'when = "sleep + 1"', "expected true or false"),
        ('table = "lifts"', 'table = "gifts"', "no table 'gifts'"),
        ('category = "recovery"', 'category = "recovry"', "'recovry' is none of the pack's"),
        ("low = 5\n", "lowest = 5\n", "Extra inputs are not permitted"),
    ],
)
def test_mistakes_name_the_line(write_rules, old, new, message):
    text = RULES.replace(old, new)
    with pytest.raises(ConfigError, match=message) as caught:
        generate(write_rules(text), 50)
    line = int(caught.value.message.split("rules.toml:")[1].split(":")[0])
    changed = [
        n for n, pair in enumerate(zip(text.split("\n"), RULES.split("\n"), strict=False), 1) if pair[0] != pair[1]
    ]
    assert abs(line - changed[0]) <= 3


def test_variables_that_read_each_other_are_refused(write_rules):
    circle = '[variables.a]\nvalue = "b + 1"\n[variables.b]\nvalue = "a + 1"\n'
    text = circle + RULES.replace("{Lift}, sleep", "{Lift} {a}, sleep")
    with pytest.raises(ConfigError, match=r"read each other: a -> b -> a"):
        generate(write_rules(text), 10)


def test_the_line_of_a_key_is_found_in_nested_arrays_of_tables():
    text = "[[topics]]\nid = 1\n[[topics.rules]]\nwhen = 1\n[[topics]]\n[[topics.rules]]\n[[topics.rules]]\nwhen = 2\n"
    assert find_line(text, ("topics", 1, "rules", 1, "when")) == 8
    assert find_line(text, ("topics", 0, "rules", 0, "absent")) == 3


def test_gaps_that_empty_alternatives_leave_are_closed(write_rules):
    text = RULES.replace('["{verdict} {tip#1}{tip#2}"]', '["  a  {nothing} b \\n c\\n{nothing}\\n\\nd \\n "]').replace(
        'tip = ["A"', 'nothing = [""], tip = ["A"'
    )
    assert {messages[1]["content"] for messages, _ in generate(write_rules(text), 20)} == {"a b\nc\n\nd"}


def test_a_capital_reaches_the_first_letter_that_is_said_and_no_other(write_rules):
    text = RULES.replace('["{verdict} {tip#1}{tip#2}"]', '["{Nothing}{word} {Word} {Lead}."]').replace(
        'tip = ["A"', 'nothing = [""], word = ["über \\"x\\""], lead = ["{nothing} {word}"], tip = ["A"'
    )
    expected = 'über "x" Über "x" Über "x".'
    assert {messages[1]["content"] for messages, _ in generate(write_rules(text), 20)} == {expected}


def test_phrases_that_name_each_other_are_refused(write_rules):
    text = RULES.replace('tip = ["A", "B", "C"]', 'tip = ["{tap}"], tap = ["{tip#1}"]')
    with pytest.raises(ConfigError, match="in a circle"):
        generate(write_rules(text), 10)


def test_a_follow_up_that_does_not_fit_is_left_out(write_rules):
    follow_up = """follow_ups = [{ ask = ["And {sleep}?"], answer = ["{late}"], when = "sleep < 8" }]
follow_up_ratio = 1.0
phrases = { late = [{ text = "Bed at ten.", when = "soreness > 3" }], tip ="""
    rows = generate(write_rules(RULES.replace("phrases = { tip =", follow_up)))
    has = {bool(m["variables"]["sleep"] < 8 and m["variables"]["soreness"] > 3): set() for _, m in rows}
    for messages, metadata in rows:
        values = metadata["variables"]
        has[values["sleep"] < 8 and values["soreness"] > 3].add(tuple(turn["content"] for turn in messages[3:]))
    assert has == {True: {("Bed at ten.",)}, False: {()}}


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_noise_of_a_row_does_not_depend_on_the_other_rows(seed, rows):
    together = draw_uniform(f"{seed}/x", np.array(rows, dtype=np.int64))
    alone = [draw_uniform(f"{seed}/x", np.array([row], dtype=np.int64))[0] for row in rows]
    assert together.tolist() == alone
    assert ((together >= 0) & (together < 1)).all()


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=30), st.floats(0, 0.999999))
@settings(max_examples=40, deadline=None)
def test_only_what_fits_is_picked(cells, uniform):
    eligible = np.array(cells, dtype=np.bool_)
    picked = pick_listed(np.full(len(cells), uniform), eligible, np.arange(len(cells)))
    for row, column in zip(eligible, picked, strict=True):
        assert column == -1 if not row.any() else row[column]


@given(st.dictionaries(st.sampled_from("abcde"), st.floats(0.05, 1), min_size=1), st.integers(1, 3000))
@settings(max_examples=30, deadline=None)
def test_every_beginning_of_a_plan_keeps_the_shares(shares, count):
    streams = {(name, "en"): share for name, share in shares.items()}
    plan = Plan((make_segment(streams, count),), {})
    stretch = plan.cut(0, count)[0]
    total = sum(shares.values())
    for index, (name, _) in enumerate(stretch.names):
        numbers = stretch.numbers[stretch.streams == index]
        assert numbers.tolist() == list(range(len(numbers)))
        assert abs(len(numbers) - count * shares[name] / total) <= len(shares) + count // 1000


def test_the_bytes_do_not_depend_on_threads_or_hash_seed(write_rules):
    path = write_rules(RULES)
    code = (
        "import hashlib, pathlib, sys\n"
        "from sources.packs.loader import load_pack\n"
        "from sources.protocol import SourceContext\n"
        "from sources.synthetic import SyntheticOptions, SyntheticSource\n"
        "options = SyntheticOptions(count=300, rules=[pathlib.Path(sys.argv[1])])\n"
        "source = SyntheticSource(options, SourceContext(root=pathlib.Path('/'), pack=load_pack('fitness')))\n"
        "rows = next(source.read(None)).documents.drop('fetched_at').write_ndjson()\n"
        "print(hashlib.sha256(rows.encode()).hexdigest())\n"
    )
    digests = set()
    for threads, hash_seed in (("1", "1"), ("2", "99")):
        environment = {**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout.strip())
    assert len(digests) == 1
