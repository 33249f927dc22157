"""Feedback becomes data: what is learnt of it, what never is, and figures that do not depend on the order of arrival."""

import json
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.cli.app import run
from curator.extract.event import extract_events
from curator.feedback.guard import find_bursts, find_near_test, find_over_cap
from curator.project import open_project
from schemas.frames import document_frame
from sources.feedback import FeedbackSource
from sources.feedback.source import FeedbackOptions
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from warehouse import open_snapshot

PACK = load_pack("fitness")
START = datetime(2026, 1, 5, tzinfo=UTC)
QUESTION = "Bench 185x5, slept 8 hours, soreness 3/10. What should I lift today?"


def shown(number, question=QUESTION, answer="Take 190 lb for three sets of five.", user="u1", hours=0, **more):
    return {
        "kind": "recommendation",
        "event_id": f"shown-event-{number}",
        "occurred_at": (START + timedelta(hours=hours)).isoformat(),
        "user": user,
        "recommendation_id": f"shown-id-{number}",
        "prompt": [{"role": "user", "content": question}],
        "answer": answer,
        "model": "m1",
        **more,
    }


def reply(number, kind, hours=1, suffix="", user="u1", **values):
    return {
        "kind": kind,
        "event_id": f"{kind}-event-{number}{suffix}",
        "occurred_at": (START + timedelta(hours=hours)).isoformat(),
        "user": user,
        "recommendation_id": f"shown-id-{number}",
        **values,
    }


def extract(tmp_path, events):
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    context = SourceContext(root=tmp_path, pack=PACK)
    batches = FeedbackSource(FeedbackOptions(path=[path]), context).read(None)
    rows = [row for batch in batches for row in batch.documents.iter_rows(named=True)]
    return extract_events(document_frame(rows), PACK)


def answers(extraction):
    return [json.loads(row["messages"])[-1]["content"] for row in extraction.examples.iter_rows(named=True)]


@pytest.mark.parametrize(("rating", "count"), [(3, 0), (4, 1), (5, 1)])
def test_from_four_stars_on_an_answer_is_learnt(tmp_path, rating, count):
    extraction = extract(tmp_path, [shown(1), reply(1, "rating", rating=rating)])
    assert extraction.examples.height == count
    assert extraction.verdicts["reason"].to_list() == (["low_rating"] if count == 0 else [])


def test_the_latest_rating_counts_whenever_it_arrives(tmp_path):
    events = [reply(1, "rating", hours=9, suffix="b", rating=1), shown(1), reply(1, "rating", rating=5)]
    assert extract(tmp_path, events).examples.height == 0


def test_followed_and_achieved_is_learnt_without_a_rating(tmp_path):
    events = [shown(1), reply(1, "adherence", is_followed=True), reply(1, "outcome", hours=200, outcome="achieved")]
    (row,) = extract(tmp_path, events).examples.iter_rows(named=True)
    assert json.loads(row["metadata"])["basis"] == "outcome"
    assert row["source_score"] == 1.0


@pytest.mark.parametrize("outcome", ["too_hard", "injury"])
def test_followed_and_ended_badly_goes_to_a_reviewer_even_with_five_stars(tmp_path, outcome):
    events = [
        shown(1),
        reply(1, "rating", rating=5),
        reply(1, "adherence", is_followed=True),
        reply(1, "outcome", outcome=outcome),
    ]
    extraction = extract(tmp_path, events)
    (example,) = extraction.examples["id"]
    (verdict,) = extraction.verdicts.iter_rows(named=True)
    assert (verdict["subject_id"], verdict["is_kept"], verdict["reason"]) == (
        example,
        True,
        f"flag:{outcome}_after_following",
    )


def test_a_correction_is_learnt_instead_and_preferred_to_what_was_said(tmp_path):
    extraction = extract(tmp_path, [shown(1), reply(1, "correction", corrected_answer="Hold 185 lb today.")])
    assert answers(extraction) == ["Hold 185 lb today."] * 2
    rejected = extraction.examples["rejected"].drop_nulls().to_list()
    assert [json.loads(text)[0]["content"] for text in rejected] == ["Take 190 lb for three sets of five."]


@pytest.mark.parametrize(("worse", "pairs"), [(3, 1), (4, 0)])
def test_two_arms_on_one_prompt_with_a_clear_gap_become_a_preference(tmp_path, worse, pairs):
    events = [
        shown(1, arm="plain"),
        shown(2, QUESTION.upper(), "Rest today.", "u2", arm="warm"),
        reply(1, "rating", rating=5),
        reply(2, "rating", rating=worse, user="u2"),
    ]
    examples = extract(tmp_path, events).examples
    assert examples["rejected"].drop_nulls().len() == pairs
    assert set(examples["unit_keys"].explode()) == {examples["unit_keys"][0][0]}


def test_a_category_of_the_event_counts_only_where_the_pack_knows_it(tmp_path):
    events = [
        shown(1, category="Programming"), reply(1, "rating", rating=5),
        shown(2, "Another question about it all?", category="astrology"), reply(2, "rating", rating=5),
    ]  # fmt: skip
    assert sorted(extract(tmp_path, events).examples["category"].to_list(), key=str) == [None, "programming"]


def test_a_reply_without_its_recommendation_waits(tmp_path):
    extraction = extract(tmp_path, [reply(1, "rating", rating=5)])
    assert (extraction.examples.height, extraction.verdicts.height) == (0, 0)


def make_history(count, seed):
    rng = random.Random(seed)
    events = []
    for n in range(count):
        user = f"user-{n % 7}"
        question = f"Squat {200 + 5 * (n % 9)}x5 with soreness {n % 10}/10: what now?"
        events.append(shown(n, question, f"Answer number {n % 4}: take five pounds more.", user, n, arm="ab"[n % 2]))
        events.append(reply(n, "rating", n + 1, user=user, rating=rng.randint(1, 5)))
        if rng.random() < 0.6:
            events.append(reply(n, "adherence", n + 30, user=user, is_followed=rng.random() < 0.7))
            events.append(reply(n, "outcome", n + 170, user=user, outcome=rng.choice(["achieved", "held", "injury"])))
        if rng.random() < 0.2:
            events.append(reply(n, "correction", n + 2, user=user, corrected_answer=f"Rather hold {n % 5}."))
    return events


@given(st.randoms(use_true_random=False), st.integers(0, 40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_arrival_and_repetitions_change_nothing(tmp_path, rng, doubled):
    events = make_history(40, 3)
    ordered = extract(tmp_path, events)
    shuffled = events + rng.sample(events, doubled)
    rng.shuffle(shuffled)
    assert extract(tmp_path, shuffled).examples.sort("id").equals(ordered.examples.sort("id"))


def ingest(folder, events, name="events.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert run(["-q", "-C", str(folder), "ingest", "feedback", str(path)]) == 0
    assert run(["-q", "-C", str(folder), "curate"]) == 0
    return open_project(folder, {})


def read_tables(project):
    with open_snapshot(project.snapshots) as snapshot:
        tables = [snapshot.read(name) for name in ("metrics", "experiment_users", "kept_texts")]
        decided = "select subject_id, stage, is_kept, reason, score, partner from verdicts order by all"
        tables.append(snapshot.connection.sql(decided).pl())
    return [json.dumps(table.to_dicts(), default=str, sort_keys=True) for table in tables]


def test_a_replay_in_pieces_and_any_order_gives_the_same_tables_as_in_order(tmp_path):
    events = make_history(60, 5)
    shuffled = events + events[:30]
    random.Random(9).shuffle(shuffled)
    for name in ("ordered", "replayed"):
        assert run(["-q", "init", str(tmp_path / name), "--pack", "fitness"]) == 0
    whole = ingest(tmp_path / "ordered", events)
    for part in range(3):
        pieces = ingest(tmp_path / "replayed", shuffled[part::3], f"part{part}.jsonl")
    assert read_tables(pieces) == read_tables(whole)


def test_metrics_are_what_their_names_say(tmp_path, capsys):
    assert run(["-q", "init", str(tmp_path / "p"), "--pack", "fitness"]) == 0
    events = [
        shown(1, arm="plain", answer="Soreness low: lift what today asks."),
        reply(1, "rating", rating=5), reply(1, "adherence", is_followed=True), reply(1, "outcome", outcome="achieved"),
        shown(2, "Second question here?", arm="plain"),
        reply(2, "rating", rating=2), reply(2, "adherence", is_followed=True), reply(2, "outcome", outcome="injury"),
        shown(3, "Third question here?", user="u2", arm="warm"),
        reply(3, "adherence", user="u2", is_followed=False), reply(3, "outcome", user="u2", outcome="achieved"),
        shown(4, "Fourth question here?", user="u2"),
        reply(4, "rating", user="u2", rating=5), reply(4, "correction", user="u2", corrected_answer="No."),
    ]  # fmt: skip
    project = ingest(tmp_path / "p", events)
    with open_snapshot(project.snapshots) as snapshot:
        rows = {(row["dimension"], row["value"]): row for row in snapshot.read("metrics").to_dicts()}
        relevance = snapshot.read("metrics").height
    whole = rows["all", None]
    # Agreed: 1 (five stars); not 2 (two stars), 3 (not followed), 4 (corrected).
    assert (whole["recommendations"], whole["accuracy"]) == (4, 0.25)
    # Tried: 1 and 2; an outcome of what was not followed says nothing.
    assert (whole["tried"], whole["pr_success"], whole["injury_prevention"]) == (2, 0.5, 0.5)
    assert whole["satisfaction"] == 4.0
    assert whole["adherence"] == pytest.approx(2 / 3)
    # bench, slept, hours, soreness, what, should, lift, today: the answer takes up soreness, what, lift, today.
    first = rows["arm", "plain"]["relevance"]
    assert first == pytest.approx((4 / 8 + 0) / 2)
    assert relevance > 0
    capsys.readouterr()
    assert run(["-C", str(tmp_path / "p"), "stats", "--metrics", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    arms = {(arm["arm"], arm["metric"]): arm for arm in told["arms"]}
    assert (arms["plain", "mean_rating"]["users"], arms["plain", "mean_rating"]["mean"]) == (1, 3.5)
    assert arms["warm", "mean_rating"]["difference"]["decision"] == "too_few"


def chat(question, answer="It depends."):
    return json.dumps([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def test_the_firewall_lets_no_planted_prompt_near_a_test_row_through():
    held = [f"I bench {100 + n} kg and my left shoulder clicks on rep {n}, should I change my grip?" for n in range(50)]
    tests = pl.DataFrame({"id": [f"t{n}" for n in range(50)], "messages": [chat(text, "Reference.") for text in held]})
    planted = [
        change(text)
        for text in held
        for change in (
            lambda text: text,
            str.upper,
            lambda text: f"Hi coach! {text} Thanks a lot.",
            lambda text: text.replace("click", "pop"),
            lambda text: text.replace("kg", "kilos"),
            lambda text: " ".join(text.split()[:11]),
        )
    ]
    honest = ["How much protein should I eat on rest days when I am cutting?", "What grip width suits the bench press?"]
    ours = pl.DataFrame({"id": [f"f{n}" for n in range(302)], "messages": [chat(text) for text in planted + honest]})
    caught = set(find_near_test(ours, tests, 0.5)["subject_id"])
    assert caught == {f"f{n}" for n in range(300)}


def events_frame(rows):
    return pl.DataFrame(
        [(f"x{n}", f"e{n}", person, START + timedelta(seconds=second)) for n, (person, second) in enumerate(rows)],
        schema=["example_id", "event_id", "person", "created_at"],
        orient="row",
    )


def test_a_burst_is_quarantined_whole_and_the_same_events_spread_out_are_not():
    burst = events_frame([("ann", n) for n in range(5)] + [("ann", 500), ("bob", 2)])
    assert sorted(find_bursts(burst, 4, 60)["subject_id"]) == ["x0", "x1", "x2", "x3", "x4"]
    assert find_bursts(burst, 5, 60).height == 0
    assert find_bursts(events_frame([("ann", 100 * n) for n in range(50)]), 4, 60).height == 0


def test_a_user_gives_so_many_rows_and_the_earliest_stay():
    rows = events_frame([("ann", 100 * n) for n in range(5)] + [("bob", 1)])
    assert sorted(find_over_cap(rows, 3)["subject_id"]) == ["x3", "x4"]
