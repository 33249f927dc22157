"""Replays synthetic feedback in order, and shuffled with duplicates and late outcomes: are tables and metrics the same?

    python bench/events.py [--events 50000] [--write FILE]

Two projects take the same events: one all at once in the order in which they happened, the other in random order, in
three pieces that are curated one after the other, a tenth of the events twice. Printed are the seconds of each step and
whether all tables that follow from the events have the same hash. `--write` only writes the events.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 84
PIECES = 3
TABLES = {
    "metrics": "select * from metrics",
    "recommendations": "select * from recommendations order by id",
    "experiment_users": "select * from experiment_users order by arm, ordinal",
    "examples": "select id, messages, category, unit_id, is_preference from examples order by id",
    "corpus": "select id, prompt, answer from corpus order by id",
    "verdicts": "select subject_id, stage, is_kept, reason, score, partner from verdicts order by all",
}
EXERCISES = ("squat", "bench press", "deadlift", "overhead press", "row", "front squat", "pull-up", "hip thrust")
WORRIES = (
    "my knees feel stiff when I go down", "I slept badly for two nights", "the bar slows down half way up",
    "I have only forty minutes", "my lower back is sore", "I am cutting and feel flat", "work was stressful all week",
    "I travel and have dumbbells only", "my shoulder clicks on the way down", "I missed two sessions with a cold",
)  # fmt: skip
ADVICE = (
    "Keep the load and add one repetition to the first set", "Take five percent off and move the bar faster",
    "Hold the weight for another week and film the last set", "Do three sets instead of five and stop two repetitions short",
    "Add the smallest plates you have if the warm-up feels light", "Swap it for a split squat today and come back on Friday",
    "Rest one more day, then repeat the last session", "Go up by two and a half kilos and rest three minutes",
)  # fmt: skip
MODELS = ("coach-a@1f0c", "coach-b@77de")


def make_events(count: int, seed: int = 11) -> list[dict]:
    """Gives `count` events in the order in which they happened."""
    rng = random.Random(seed)
    people = max(20, count // 40)
    better = {"direct": 0.25, "plain": 0.0}
    events: list[dict] = []
    number = 0
    while len(events) < count:
        user = rng.randrange(people)
        arm = ("plain", "direct")[user % 2]
        skill = rng.random() + better[arm]
        events += _tell_story(rng, number, f"user-{user}", arm, skill)
        number += 1
    return sorted(events[:count], key=lambda event: (event["occurred_at"], event["event_id"]))


def _tell_story(rng: random.Random, number: int, user: str, arm: str, skill: float) -> list[dict]:
    at = START + timedelta(minutes=rng.randrange(DAYS * 24 * 60))
    exercise, worry = rng.choice(EXERCISES), rng.choice(WORRIES)
    load, reps, sore = 40 + 5 * rng.randrange(30), rng.randrange(3, 13), rng.randrange(10)
    question = f"{exercise.capitalize()} {load} kg for {reps}, soreness {sore}/10, and {worry}. What should I do next?"
    answer = (
        f"{rng.choice(ADVICE)}, because {worry.replace('my ', 'your ').replace('I ', 'you ')}. "
        f"Next time aim at {load + (5 if skill > 0.5 else 0)} kg in the {exercise} for {reps} and note how it felt."
    )

    def event(kind, hours, **values):
        moment = (at + timedelta(hours=hours)).isoformat()
        return {"kind": kind, "event_id": f"{kind}-{number:06d}", "recommendation_id": f"story-{number:06d}",
                "occurred_at": moment, "user": user, **values}  # fmt: skip

    shown = event("recommendation", 0, prompt=[{"role": "user", "content": question}], answer=answer, arm=arm,
                  model=MODELS[arm == "direct"], role=rng.choice(("coach", "coach", "planner", "insight")),
                  category=rng.choice(("programming", "technique", "recovery")),
                  inputs={"exercise": exercise, "load_kg": load, "reps": reps})  # fmt: skip
    told = [shown]
    if rng.random() < 0.8:
        told.append(event("rating", 1, rating=max(1, min(5, round(1.5 + 3 * skill + rng.gauss(0, 0.7))))))
    if rng.random() < 0.7:
        is_followed = rng.random() < 0.45 + 0.4 * skill
        told.append(event("adherence", 30, is_followed=is_followed))
        if is_followed:
            # A week later or two, which is when one knows.
            ends = ("achieved",) * int(2 + 6 * skill) + ("held", "held", "too_hard", "missed", "injury")
            told.append(event("outcome", 170 + rng.randrange(170), outcome=rng.choice(ends)))
    if rng.random() < 0.06:
        told.append(event("correction", 3, corrected_answer=f"{rng.choice(ADVICE)} in the {exercise}, at {load} kg."))
    return told


def replay(folder: Path, pieces: list[list[dict]]) -> dict[str, float]:
    """Ingests and curates events piece by piece; gives the seconds of each step."""
    if run(["-q", "init", str(folder), "--pack", "fitness"]) != 0:
        raise SystemExit("init failed")
    seconds: dict[str, float] = {"ingest": 0.0, "curate": 0.0}
    for number, piece in enumerate(pieces):
        path = folder / f"events-{number}.jsonl"
        write_events(path, piece)
        for step in (["ingest", "feedback", str(path)], ["curate"]):
            started = time.perf_counter()
            if run(["-q", "-C", str(folder), *step]) != 0:
                raise SystemExit(f"{' '.join(step)} failed")
            seconds[step[0]] += time.perf_counter() - started
    return {name: round(value, 1) for name, value in seconds.items()}


def write_events(path: Path, events: list[dict]) -> None:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def hash_tables(folder: Path) -> dict[str, tuple[int, str]]:
    """Gives rows and hash of every table that follows from the events."""
    found = {}
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        for name, statement in TABLES.items():
            rows = snapshot.connection.sql(statement).pl()
            digest = hashlib.blake2b(rows.write_ndjson().encode(), digest_size=8).hexdigest()
            found[name] = (rows.height, digest)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    events = make_events(given.events)
    if given.write:
        write_events(given.write, events)
        return 0
    rng = random.Random(5)
    shuffled = events + rng.sample(events, len(events) // 10)
    rng.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        ordered, replayed = Path(folder) / "ordered", Path(folder) / "replayed"
        seconds = {
            "in_order": replay(ordered, [events]),
            "shuffled": replay(replayed, [shuffled[part::PIECES] for part in range(PIECES)]),
        }
        expected, found = hash_tables(ordered), hash_tables(replayed)
    same = {name: expected[name] == found[name] for name in TABLES}
    print(json.dumps({"events": len(events), "sent_in_random_order": len(shuffled), "seconds": seconds,
                      "rows": {name: rows for name, (rows, _) in expected.items()}, "same": same}, indent=1))  # fmt: skip
    return 0 if all(same.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
