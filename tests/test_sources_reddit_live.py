"""Reddit's live door: the real PRAW client against a stub on this machine."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import ConfigError, SourceInterruptedError
from schemas.frames import check_frame
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.reddit import RedditOptions, RedditSource, client, live_plan
from sources.reddit.live_plan import LivePlan, OpenPost
from sources.reddit.things import Things

_spec = importlib.util.spec_from_file_location("reddit_stub", Path(__file__).with_name("reddit_stub.py"))
reddit_stub = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reddit_stub)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def reddit(monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda _self: None)
    with reddit_stub.RedditStub() as stub:
        yield stub


@pytest.fixture
def busy(reddit, monkeypatch):
    """Seven posts on three pages, with folded and deep comments."""
    monkeypatch.setattr(live_plan, "PAGE_POSTS", 3)
    monkeypatch.setattr(live_plan, "FOLDED_A_REQUEST", 2)
    reddit.add_post("p0", [None, 0, 1, 2, 3, 4])
    reddit.add_post("p1", [None] * 8)
    for number in range(2, 7):
        reddit.add_post(f"p{number}", [None] if number == 4 else [])
    return reddit


def make_source(stub, stored=(), **options):
    context = SourceContext(
        Path(), load_pack("fitness"), now=NOW, environment=stub.environment, stored_keys=lambda: iter(stored)
    )
    return RedditSource(RedditOptions(**{"subreddits": ["Fitness"]} | options), context)


def read_all(stub, cursor=None, **options):
    batches = list(make_source(stub, **options).read(cursor))
    for batch in batches:
        check_frame(batch.documents, DOCUMENT_COLUMNS, "batch")
    return batches


def join(batches):
    return pl.concat([batch.documents for batch in batches])


def refusals(batches):
    return [(r.where, r.reason, r.is_fault) for batch in batches for r in batch.rejections]


def test_listing_and_comments_become_documents_with_a_meter(busy):
    batches = read_all(busy)

    frame = join(batches)
    expected = {f"t3_p{n}" for n in range(7)} | {f"t1_p0c{n}" for n in range(6)} | {f"t1_p1c{n}" for n in range(8)}
    assert set(frame["natural_key"]) == expected | {"t1_p4c0"}
    assert set(frame["fetched_at"]) == {NOW}
    assert batches[-1].cursor is None
    assert batches[-1].notes == ("r/Fitness: 7 posts listed, comments seen 15 / 15 (100 %)",)
    assert busy.log == [
        "GET /r/Fitness/top?limit=3&t=year",
        "GET /comments/p0?limit=500&sort=confidence",
        "GET /comments/p0/_/p0c2?limit=500",
        "GET /comments/p0/_/p0c4?limit=500",
        "GET /comments/p1?limit=500&sort=confidence",
        "POST /api/morechildren?children=p1c3,p1c4&link_id=t3_p1&sort=confidence",
        "POST /api/morechildren?children=p1c5,p1c6&link_id=t3_p1&sort=confidence",
        "POST /api/morechildren?children=p1c7&link_id=t3_p1&sort=confidence",
        "GET /r/Fitness/top?after=t3_p2&limit=3&t=year",
        "GET /comments/p4?limit=500&sort=confidence",
        "GET /r/Fitness/top?after=t3_p5&limit=3&t=year",
    ]


def test_a_run_stopped_after_any_page_goes_on_without_asking_twice(busy):
    whole = read_all(busy)
    asked = list(busy.log)

    for done, batch in enumerate(whole[:-1], start=1):
        busy.log.clear()
        rest = read_all(busy, batch.cursor)
        assert busy.log == asked[done:]
        assert pl.concat([join(whole[:done]), join(rest)]).equals(join(whole))


CHILD = """
import json, os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.reddit import RedditOptions, RedditSource, live_plan

live_plan.FOLDED_A_REQUEST = 2
state = Path(sys.argv[1])
saved = json.loads(state.read_text()) if state.exists() else {"rows": [], "cursor": None}
context = SourceContext(Path(), load_pack("fitness"), now=datetime(2026, 1, 2, tzinfo=UTC), environment=dict(os.environ))
for batch in RedditSource(RedditOptions(subreddits=["Fitness"]), context).read(saved["cursor"]):
    saved["rows"] += batch.documents.select("id", "metadata", "author_hash").rows()
    saved["cursor"] = batch.cursor
    state.with_suffix(".new").write_text(json.dumps(saved))
    os.replace(state.with_suffix(".new"), state)
    if batch.cursor is not None:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_after_every_page_it_ends_with_the_rows_of_an_undisturbed_run(reddit, monkeypatch, tmp_path):
    monkeypatch.setattr(live_plan, "FOLDED_A_REQUEST", 2)
    reddit.add_post("p0", [None, 0, 1, 2])
    reddit.add_post("p1", [None] * 5)
    whole = join(read_all(reddit)).select("id", "metadata", "author_hash").rows()
    asked = list(reddit.log)
    reddit.log.clear()
    environment = os.environ | reddit.environment | {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, str(tmp_path / "state.json")]

    codes = []
    while not codes or codes[-1] == -signal.SIGKILL:
        codes.append(subprocess.run(command, env=environment, check=False).returncode)

    assert codes == [-signal.SIGKILL] * (len(asked) - 1) + [0]
    assert len(asked) == 5
    assert reddit.log == asked
    assert [tuple(row) for row in json.loads((tmp_path / "state.json").read_text())["rows"]] == whole


def test_the_budget_ends_a_run_that_the_next_one_continues(busy):
    first = read_all(busy, request_budget=6)

    assert first[-1].cursor is not None
    assert first[-1].notes == (
        "r/Fitness: 3 posts listed, comments seen 11 / 14 (78 %), 1 posts to go",
        "request budget of 6 used up; run the same command again to go on",
    )
    second = read_all(busy, first[-1].cursor)
    assert pl.concat([join(first), join(second)]).equals(join(read_all(busy)))


def test_a_cursor_of_other_options_is_of_no_use(busy):
    cursor = read_all(busy, request_budget=2)[-1].cursor
    busy.log.clear()

    read_all(busy, cursor, listing="new", comments=False)

    assert busy.log[0] == "GET /r/Fitness/new?limit=3"


def test_without_comments_only_listings_are_asked(busy):
    frame = join(read_all(busy, comments=False, limit=4))

    assert frame["natural_key"].to_list() == ["t3_p0", "t3_p1", "t3_p2", "t3_p3"]
    assert busy.log == ["GET /r/Fitness/top?limit=3&t=year", "GET /r/Fitness/top?after=t3_p2&limit=1&t=year"]


def test_the_pack_names_the_subreddits_where_the_user_does_not(reddit):
    for name in ("Fitness", "weightroom", "bodybuilding"):
        reddit.add_post(f"in{name.lower()}", subreddit=name)

    assert len(join(read_all(reddit, subreddits=[]))) == 3


def test_comments_of_posts_that_the_filters_refuse_are_not_fetched(reddit):
    reddit.add_post("good", [None], score=50)
    reddit.add_post("bad", [None], score=1)

    read_all(reddit, min_score=5)

    assert not any("bad" in line for line in reddit.log)


def test_the_cap_of_a_listing_is_said(reddit):
    for number in range(950):
        reddit.add_post(f"p{number}")

    [note, _] = read_all(reddit, limit=2000)[-1].notes

    assert "ended after 950 of the 2,000 posts asked for; Reddit never lists more than about 1,000" in note


TOO_MANY = (429, {"retry-after": "0.02"}, "slow down")


@pytest.mark.parametrize(
    ("part", "failures"),
    [
        ("/r/Fitness", [TOO_MANY] * 3),
        ("after=t3_p2", [TOO_MANY]),
        ("/comments/p1", [TOO_MANY]),
        ("morechildren", [TOO_MANY]),
        ("/r/Fitness", [(503, {}, "busy")] * 4),
        ("after=t3_p2", [(200, {"content-type": "text/html"}, "<html>our CDN was unable to reach our servers</html>")]),
        ("/comments/p0/_", ["drop", "drop"]),
        ("morechildren", [(401, {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}, "")]),
        ("/comments/p1", [(429, {}, "slow down")]),
        ("/r/Fitness", [(524, {}, "")]),
    ],
)
def test_failures_that_pass_change_nothing(busy, part, failures):
    quiet = join(read_all(busy))
    busy.failures = [(part, failure) for failure in failures]

    assert join(read_all(busy)).equals(quiet)
    assert busy.failures == []


def test_failures_that_stay_stop_the_run_and_keep_what_was_read(busy):
    quiet = join(read_all(busy))
    busy.failures = [("/comments/p1", TOO_MANY)] * client.MAX_TRIES
    batches = []

    with pytest.raises(SourceInterruptedError, match="6 tries in a row failed") as caught:
        batches.extend(make_source(busy).read(None))
    assert caught.value.exit_code == 3
    assert len(batches) == 4
    assert join(batches + read_all(busy, batches[-1].cursor)).equals(quiet)


def test_a_long_pause_is_left_to_the_user(busy):
    busy.failures = [("/r/Fitness", (429, {"retry-after": "3600"}, ""))]

    with pytest.raises(SourceInterruptedError, match="a pause of 3600 s"):
        read_all(busy)


def test_private_and_unknown_subreddits_are_named_and_the_others_read(busy):
    batches = read_all(busy, subreddits=["private", "nosuchplace", "Fitness"])

    assert refusals(batches) == [("r/private", "forbidden", False), ("r/nosuchplace", "not_found", True)]
    assert len(join(batches)) == 22


def test_a_thread_that_has_vanished_meanwhile_is_left_out(busy):
    busy.failures = [("/comments/p1", (404, {}, {"error": 404}))]

    batches = read_all(busy)

    assert refusals(batches) == [("t3_p1", "not_found", False)]
    assert not any(key.startswith("t1_p1") for key in join(batches)["natural_key"])


def test_refused_credentials_are_a_wrong_setting(reddit):
    reddit.has_good_credentials = False

    with pytest.raises(ConfigError, match="credentials are refused"):
        read_all(reddit)


@pytest.mark.parametrize("given", [{}, {"REDDIT_CLIENT_ID": "x"}])
def test_missing_credentials_name_the_settings_and_the_offline_doors(given, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    source = RedditSource(RedditOptions(), SourceContext(tmp_path, load_pack("fitness"), environment=given))

    with pytest.raises(ConfigError) as caught:
        source.read(None)

    assert "REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET, REDDIT_USER_AGENT" in caught.value.message
    assert "not set: " in caught.value.message
    assert "grants API access on request only" in caught.value.hint
    assert "--dump PATH or --saved PATH" in caught.value.hint


def test_credentials_are_sent_nowhere_but_to_reddit_or_this_machine(tmp_path):
    environment = reddit_stub.ENVIRONMENT | {"CURATOR_REDDIT_ENDPOINT": "https://reddit.example.org"}
    source = RedditSource(RedditOptions(), SourceContext(tmp_path, load_pack("fitness"), environment=environment))

    with pytest.raises(ConfigError, match="expected an address of this machine"):
        source.read(None)


def test_recheck_reports_what_is_gone_under_its_natural_key(reddit, monkeypatch):
    monkeypatch.setattr("sources.reddit.recheck.KEYS_A_REQUEST", 4)
    reddit.add_post("a")
    reddit.add_post("b", selftext="[deleted]")
    reddit.add_post("c", removed_by_category="moderator")
    reddit.add_post("d", [None, None, None])
    reddit.comments["d"][1]["body"] = "[removed]"
    reddit.comments["d"][2]["author"] = "[deleted]"
    stored = ["t3_d", "t3_a", "t3_b", "t3_c", "t3_vanished", "t1_dc0", "t1_dc1", "t1_dc2"]

    batches = read_all(reddit, recheck=True, stored=stored)

    assert refusals(batches) == [(key, "deleted_at_source", False) for key in ("t1_dc1", "t3_b", "t3_c", "t3_vanished")]
    assert reddit.log == ["GET /api/info?id=t1_dc0,t1_dc1,t1_dc2,t3_a", "GET /api/info?id=t3_b,t3_c,t3_d,t3_vanished"]
    assert [len(batch.documents) for batch in batches] == [0, 0]
    assert batches[-1].notes == ("8 of 8 stored items asked for, 4 gone",)
    reddit.log.clear()
    assert refusals(read_all(reddit, batches[0].cursor, recheck=True, stored=stored)) == refusals(batches[1:])
    assert len(reddit.log) == 1


def test_recheck_takes_nothing_for_gone_when_the_answer_is_of_another_kind(reddit):
    reddit.failures = [("/api/info", (200, {}, {"message": "maintenance"}))]

    with pytest.raises(SourceInterruptedError, match="gave no listing"):
        read_all(reddit, recheck=True, stored=["t3_a"])


def test_an_answer_that_points_at_itself_ends(reddit):
    post = OpenPost(id="a", num_comments=9, is_open=True, folded=("x",))
    plan = LivePlan(asked="", subreddits=("Fitness",), is_listed=True, posts=(post,))

    after = plan.take_comments(Things([], [{"children": ["x"], "count": 1}]))

    assert after.is_subreddit_done
