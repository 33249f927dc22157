"""Reddit's offline doors: the same documents from every door, and nothing lost beside damage."""

import csv
import io
import json
import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.document import DOCUMENT_COLUMNS, document_id
from schemas.errors import ConfigError
from schemas.frames import check_frame
from schemas.identity import hash_author
from sources.packs.loader import load_pack
from sources.protocol import Batch, SourceContext
from sources.reddit import RedditOptions, RedditSource, lines, offline
from sources.reddit.raw import RAW_COLUMNS, make_raw_frame, parse_lines
from sources.reddit.shape import Shaper

SALT = b"a salt for tests"
ROOT = Path(__file__).resolve().parents[1]
WRITTEN = 1_600_000_000


def make_post(key="aaa", **changes):
    post = {
        "id": key,
        "name": f"t3_{key}",
        "author": "Lifter42",
        "title": "How deep should I squat?",
        "selftext": "My knees are fine.",
        "subreddit": "Fitness",
        "score": 12,
        "num_comments": 3,
        "link_flair_text": "Form Check",
        "is_self": True,
        "stickied": False,
        "distinguished": None,
        "edited": False,
        "created_utc": WRITTEN,
        "permalink": f"/r/Fitness/comments/{key}/how_deep/",
        "url": f"https://www.reddit.com/r/Fitness/comments/{key}/how_deep/",
    }
    return post | changes


def make_comment(key="bbb", **changes):
    comment = {
        "id": key,
        "author": "CoachAnna",
        "body": "To parallel, and lower if you can keep your back flat.",
        "subreddit": "Fitness",
        "score": 7,
        "link_id": "t3_aaa",
        "parent_id": "t3_aaa",
        "created_utc": WRITTEN + 60,
        "stickied": False,
        "distinguished": None,
        "edited": False,
    }
    return comment | changes


def write_lines(path, records):
    data = b"".join((record if isinstance(record, bytes) else orjson.dumps(record)) + b"\n" for record in records)
    path.write_bytes(zstandard.ZstdCompressor().compress(data) if path.suffix == ".zst" else data)
    return path


def make_context(**changes) -> SourceContext:
    return SourceContext(Path(), load_pack("fitness"), salt=SALT, **changes)


def read_all(cursor=None, **options) -> list[Batch]:
    return list(RedditSource(RedditOptions(**options), make_context()).read(cursor))


def join(batches) -> pl.DataFrame:
    for batch in batches:
        check_frame(batch.documents, DOCUMENT_COLUMNS, "batch")
    return pl.concat([batch.documents for batch in batches])


def refusals(batches):
    return [(r.where, r.reason, r.is_fault) for batch in batches for r in batch.rejections]


def test_a_post_becomes_a_document_with_its_title_and_figures(tmp_path):
    path = write_lines(tmp_path / "RS_x.zst", [make_post(retrieved_on=WRITTEN + 999)])

    row = join(read_all(dump=[path])).row(0, named=True)

    assert row["kind"] == "post"
    assert row["natural_key"] == "t3_aaa"
    assert row["title"] == "How deep should I squat?"
    assert row["content"] == "How deep should I squat?\n\nMy knees are fine."
    assert row["id"] == document_id("reddit", "t3_aaa", row["content"])
    assert row["url"] == "https://www.reddit.com/r/Fitness/comments/aaa/"
    assert row["author_hash"] == hash_author("Lifter42", SALT)
    assert row["created_at"] == datetime.fromtimestamp(WRITTEN, UTC)
    assert row["fetched_at"] == datetime.fromtimestamp(WRITTEN + 999, UTC)
    assert row["basis"] == "reddit user content; permission: unknown"
    assert json.loads(row["metadata"]) == {
        "author_kind": "user",
        "distinguished": None,
        "edited": False,
        "flair": "Form Check",
        "is_self": True,
        "is_submitter": None,
        "link_url": None,
        "num_comments": 3,
        "parent": None,
        "removed_by": None,
        "score": 12,
        "stickied": False,
        "subreddit": "Fitness",
        "thread": "t3_aaa",
    }


def test_a_comment_knows_its_thread_its_parent_and_whether_the_asker_wrote_it(tmp_path):
    path = write_lines(tmp_path / "RC_x.ndjson", [make_comment(parent_id="t1_zzz", is_submitter=True)])

    row = join(read_all(dump=[path])).row(0, named=True)
    about = json.loads(row["metadata"])

    assert (row["kind"], row["natural_key"], row["title"]) == ("comment", "t1_bbb", None)
    assert (about["thread"], about["parent"], about["is_submitter"]) == ("t3_aaa", "t1_zzz", True)
    assert row["url"] == "https://www.reddit.com/r/Fitness/comments/aaa/_/bbb/"


def test_the_name_of_the_author_appears_nowhere(tmp_path):
    name = "Secret_Lifter"
    records = [
        make_post(
            author=name,
            author_fullname="t2_secret1",
            author_flair_text=f"{name} 200 kg",
            link_flair_text=f"{name.lower()}'s log",
            is_self=False,
            url=f"https://example.org/{name}",
        ),
        make_post(
            "ccc", author=name, subreddit=f"u_{name}", permalink=f"/user/{name}/comments/ccc/x/", link_flair_text=None
        ),
        make_comment(author=name, link_author=name, subreddit=f"u_{name}", permalink=f"/user/{name}/comments/aaa/x/b/"),
    ]
    frame = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", records)]))

    assert len(frame) == 3
    assert "secret" not in frame.write_json().lower()
    assert frame["url"].to_list()[1:] == [
        "https://www.reddit.com/comments/ccc/",
        "https://www.reddit.com/comments/aaa/_/bbb/",
    ]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"author": "AutoModerator", "distinguished": "moderator"}, "bot"),
        ({"author": "RemindMeBot"}, "bot"),
        ({"author": "wiki-bot"}, "bot"),
        ({"author": "CarlTalbot"}, "user"),
        ({"author": "MrRobot"}, "user"),
        ({"author": "Fitness-ModTeam"}, "moderator"),
        ({"distinguished": "moderator"}, "moderator"),
        ({"author": "[deleted]"}, "deleted"),
        ({}, "user"),
    ],
)
def test_who_wrote_it_is_decided_while_the_name_is_known(tmp_path, changes, kind):
    frame = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", [make_comment(**changes)])]))

    assert json.loads(frame["metadata"][0])["author_kind"] == kind


def test_deleted_authors_have_no_hash(tmp_path):
    frame = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", [make_comment(author="[deleted]")])]))

    assert frame["author_hash"].to_list() == [None]


def test_what_was_deleted_after_the_dump_was_made_is_refused_under_its_own_key(tmp_path):
    records = [
        make_post("a1", _meta={"was_deleted_later": True}),
        make_post("a2", _meta={"removal_type": "moderator"}),
        make_post("a3", _meta={"is_edited": True, "retrieved_2nd_on": WRITTEN}),
    ]
    batches = read_all(dump=[write_lines(tmp_path / "x.jsonl", records)])

    assert join(batches)["natural_key"].to_list() == ["t3_a3"]
    assert refusals(batches) == [("t3_a1", "deleted_at_source", False), ("t3_a2", "deleted_at_source", False)]


def test_an_edited_text_counts_as_seen_when_it_was_edited(tmp_path):
    frame = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", [make_comment(edited=WRITTEN + 500.0)])]))

    assert frame["fetched_at"][0] == datetime.fromtimestamp(WRITTEN + 500, UTC)
    assert json.loads(frame["metadata"][0])["edited"] is True


@pytest.mark.parametrize("text", ["[removed]", "[deleted]"])
def test_a_text_that_was_taken_away_supersedes_the_text_itself(tmp_path, text):
    for make, field in ((make_comment, "body"), (make_post, "selftext")):
        path = write_lines(tmp_path / "x.jsonl", [make(**{field: text}), make()])

        gone, still_there = join(read_all(dump=[path]))["fetched_at"]

        assert gone > still_there


def test_entities_of_old_dumps_are_undone_once(tmp_path):
    frame = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", [make_comment(body="a &gt; b &amp;lt; c")])]))

    assert frame["content"][0] == "a > b &lt; c"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"subreddits": ["r/FITNESS"]}, ["t1_a", "t1_b"]),
        ({"min_score": 5}, ["t1_b", "t1_c", "t1_d"]),
        ({"after": date(2020, 9, 14)}, ["t1_c"]),
        ({"before": date(2020, 9, 14)}, ["t1_a", "t1_b", "t1_d"]),
    ],
)
def test_filters_leave_out_what_is_not_wanted_and_say_how_much(tmp_path, options, kept):
    records = [
        make_comment("a", score=1),
        make_comment("b", score=5),
        make_comment("c", score=9, subreddit="golf", created_utc=WRITTEN + 86_400),
        make_comment("d", score=None, subreddit="golf"),
    ]
    batches = read_all(dump=[write_lines(tmp_path / "RC_x.jsonl", records)], **options)

    assert join(batches)["natural_key"].to_list() == kept
    assert batches[-1].notes == (f"{tmp_path.name}/RC_x.jsonl: 4 posts and comments, {len(kept)} wanted",)


def test_damaged_lines_are_named_and_good_lines_beside_them_kept(tmp_path):
    records = [
        make_comment("a"),
        b'{"id": "b", "body":',
        make_comment("c"),
        b'{"id": "d", "body": "caf\xe9"}',
        b"[1, 2]",
        {"id": "e", "body": "no time"},
        b"",
        b'{"id": "f", "created_utc": 5, "body": "half a \\ud83d pair"}',
        make_comment("g"),
    ]
    batches = read_all(dump=[write_lines(tmp_path / "RC_x.zst", records)])

    assert join(batches)["natural_key"].to_list() == ["t1_a", "t1_c", "t1_g"]
    assert refusals(batches) == [
        ("RC_x.zst:line 2", "broken_json", True),
        ("RC_x.zst:line 4", "invalid_utf8", True),
        ("RC_x.zst:line 5", "not_an_object", True),
        ("RC_x.zst:line 8", "broken_json", True),
        ("RC_x.zst:line 6", "missing_fields", True),
    ]


def test_a_truncated_dump_gives_what_came_before_and_one_fault(tmp_path):
    records = [make_comment(f"c{number}", body=os.urandom(300).hex()) for number in range(3000)]
    whole = write_lines(tmp_path / "RC_x.zst", records).read_bytes()
    (tmp_path / "RC_x.zst").write_bytes(whole[: len(whole) // 2])

    batches = read_all(dump=[tmp_path / "RC_x.zst"])

    keys = join(batches)["natural_key"].to_list()
    assert 1000 < len(keys) < 2000
    assert keys == [f"t1_c{number}" for number in range(len(keys))]
    assert refusals(batches) == [("RC_x.zst", "truncated_zstd", True)]


def test_a_corrupt_dump_gives_what_came_before_and_one_fault(tmp_path):
    records = [make_comment(f"c{number}", body=os.urandom(300).hex()) for number in range(3000)]
    data = bytearray(write_lines(tmp_path / "RC_x.zst", records).read_bytes())
    half = len(data) // 2
    data[half:] = random.Random(5).randbytes(half)
    (tmp_path / "RC_x.zst").write_bytes(data)

    batches = read_all(dump=[tmp_path / "RC_x.zst"])

    assert 500 < len(join(batches)) < 3000
    assert refusals(batches) == [("RC_x.zst", "broken_zstd", True)]


def test_frames_one_after_the_other_are_one_dump(tmp_path):
    first = write_lines(tmp_path / "RC_x.zst", [make_comment("a")]).read_bytes()
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    second = write_lines(tmp_path / "RC_x.zst", [make_comment("b")]).read_bytes()
    (tmp_path / "RC_x.zst").write_bytes(skippable + first + second)

    batches = read_all(dump=[tmp_path / "RC_x.zst"])

    assert join(batches)["natural_key"].to_list() == ["t1_a", "t1_b"]
    assert refusals(batches) == []


def test_a_window_above_the_limit_is_refused_with_the_flag_that_allows_it(tmp_path):
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=23)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = packer.compress(orjson.dumps(make_comment()) + b"\n") + packer.flush()
    (tmp_path / "RC_x.zst").write_bytes(data)

    batches = read_all(dump=[tmp_path / "RC_x.zst"], max_window=2**20)

    assert refusals(batches) == [("RC_x.zst", "window_too_large", True)]
    assert "--max-window 8388608" in batches[-1].rejections[0].detail
    assert len(join(read_all(dump=[tmp_path / "RC_x.zst"], max_window=2**23))) == 1


def test_another_format_named_zst_is_refused_and_the_next_file_read(tmp_path):
    (tmp_path / "RC_a.zst").write_bytes(b"%PDF-1.7 and so on")
    write_lines(tmp_path / "RC_b.zst", [make_comment("b")])

    batches = read_all(dump=[tmp_path])

    assert refusals(batches) == [("RC_a.zst", "not_zstd", True)]
    assert join(batches)["natural_key"].to_list() == ["t1_b"]


def test_a_giant_line_costs_itself_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(lines, "READ_BYTES", 700)
    records = [make_comment("a"), make_comment("b", body="x" * 9000), *(make_comment(f"c{n}") for n in range(20))]

    batches = read_all(dump=[write_lines(tmp_path / "RC_x.zst", records)])

    assert join(batches)["natural_key"].to_list() == ["t1_a", *(f"t1_c{n}" for n in range(20))]
    assert refusals(batches) == [("RC_x.zst:line 2", "giant_line", True)]


def test_a_file_without_line_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(lines, "READ_BYTES", 700)
    monkeypatch.setattr(lines, "MAX_SKIPPED_BYTES", 5000)
    records = [make_comment("a"), make_comment("b", body="x" * 9000), make_comment("c")]

    batches = read_all(dump=[write_lines(tmp_path / "RC_x.zst", records)])

    assert join(batches)["natural_key"].to_list() == ["t1_a"]
    assert refusals(batches) == [("RC_x.zst:line 2", "giant_line", True)]


def test_a_zstd_bomb_is_refused(tmp_path):
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    data = b"".join(packer.compress(bytes(2**20)) for _ in range(128)) + packer.flush()
    (tmp_path / "RC_x.zst").write_bytes(data)

    assert refusals(read_all(dump=[tmp_path / "RC_x.zst"])) == [
        ("RC_x.zst:line 1", "giant_line", True),
        ("RC_x.zst", "zstd_bomb", True),
    ]


@pytest.mark.parametrize("line", [b"", b"{}"])
def test_millions_of_tiny_lines_are_refused(tmp_path, line):
    (tmp_path / "RC_x.zst").write_bytes(zstandard.compress((line + b"\n") * 3_000_000))

    assert refusals(read_all(dump=[tmp_path / "RC_x.zst"])) == [("RC_x.zst:line 1", "not_a_dump", True)]


@pytest.mark.parametrize("suffix", [".zst", ".ndjson", ".csv"])
def test_a_run_that_stopped_goes_on_after_the_last_batch(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(lines, "READ_BYTES", 700)
    monkeypatch.setattr(offline, "BATCH_ROWS", 10)
    monkeypatch.setattr("sources.reddit.table.ROWS_A_PIECE", 4)
    posts = [make_post(f"p{number}") for number in range(40)]
    for name in ("RS_a", "RS_b"):
        if suffix == ".csv":
            write_csv(tmp_path / f"{name}.csv", [post | {"id": post["id"] + name[-1], "name": ""} for post in posts])
        else:
            write_lines(tmp_path / f"{name}{suffix}", [post | {"id": post["id"] + name[-1]} for post in posts])
    whole = read_all(dump=[tmp_path])

    assert len(whole) > 4
    assert whole[-1].cursor is None
    assert join(whole)["natural_key"].to_list() == [f"t3_p{n}{name}" for name in "ab" for n in range(40)]
    for done, batch in enumerate(whole[:-1], start=1):
        rest = read_all(cursor=batch.cursor, dump=[tmp_path])
        assert join(whole[:done]).vstack(join(rest)).equals(join(whole))


def test_a_cursor_of_a_changed_file_or_of_another_door_starts_again(tmp_path):
    path = write_lines(tmp_path / "RS_x.jsonl", [make_post()])
    key = f"{tmp_path.name}/RS_x.jsonl"
    stale = offline.OfflineCursor(key=key, size_bytes=1, offset=500, line=1).model_dump_json()

    assert len(join(read_all(cursor=stale, dump=[path]))) == 1
    assert len(join(read_all(cursor='{"door":"live"}', dump=[path]))) == 1


def write_csv(path, posts):
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [name for name in posts[0] if name not in ("author", "subreddit")], extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(posts)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def test_a_table_of_posts_gives_the_same_documents_as_a_dump(tmp_path):
    posts = [make_post("a", selftext='Two\nlines, "quoted"\u2028 here'), make_post("b", selftext="", is_self=False)]
    table = join(read_all(dump=[write_csv(tmp_path / "Fitness.csv", posts)]))
    dump = join(read_all(dump=[write_lines(tmp_path / "x.jsonl", [post | {"author": None} for post in posts])]))

    assert table.equals(dump)
    assert json.loads(table["metadata"][0])["subreddit"] == "Fitness"


def test_damaged_rows_of_a_table_are_named(tmp_path):
    path = write_csv(tmp_path / "Fitness.csv", [make_post("a"), make_post("b")])
    path.write_bytes(
        path.read_bytes()
        + b"too,few\r\n"
        + path.read_bytes().split(b"\r\n")[1].replace(b"knees", b"kn\xe9es")
        + b"\r\n"
    )

    batches = read_all(dump=[path])

    assert join(batches)["natural_key"].to_list() == ["t3_a", "t3_b"]
    assert refusals(batches) == [
        ("Fitness.csv:line 4", "broken_csv", True),
        ("Fitness.csv:line 5", "invalid_utf8", True),
    ]


def test_a_table_that_is_not_from_reddit_says_which_columns_it_lacks(tmp_path):
    (tmp_path / "x.csv").write_text("question,answer\nWhy?,Because.\n")

    [rejection] = read_all(dump=[tmp_path / "x.csv"])[-1].rejections

    assert rejection.reason == "unknown_columns"
    assert "id or name and created_utc and body or title" in rejection.detail


def as_listing(things):
    return {"kind": "Listing", "data": {"after": None, "children": things}}


def as_thread_page():
    reply = {"kind": "t1", "data": make_comment("d", parent_id="t1_bbb", replies="")}
    more = {"kind": "more", "data": {"count": 5, "children": ["x", "y"], "parent_id": "t3_aaa"}}
    comment = {"kind": "t1", "data": make_comment(replies=as_listing([reply]))}
    return [as_listing([{"kind": "t3", "data": make_post()}]), as_listing([comment, more])]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda page: page,
        lambda page: {"interactions": [{"uri": "x", "status": 200, "body": json.dumps(page)}]},
        lambda page: {"http_interactions": [{"response": {"body": {"string": json.dumps(page)}}}]},
        lambda page: {"json": {"data": {"things": page}}},
    ],
    ids=["page", "session", "betamax", "morechildren"],
)
def test_saved_answers_give_posts_comments_and_what_is_missing(tmp_path, wrap):
    (tmp_path / "aaa.json").write_text(json.dumps(wrap(as_thread_page())))

    batches = read_all(saved=[tmp_path])

    assert join(batches)["natural_key"].to_list() == ["t3_aaa", "t1_bbb", "t1_d"]
    [rejection] = batches[-1].rejections
    assert (rejection.reason, rejection.is_fault) == ("comments_not_saved", False)
    assert rejection.detail.startswith("5 comments")


def test_a_saved_page_and_a_dump_give_equal_documents(tmp_path):
    (tmp_path / "aaa.json").write_text(json.dumps(as_thread_page()))
    dump = write_lines(tmp_path / "x.jsonl", [make_post(), make_comment(), make_comment("d", parent_id="t1_bbb")])

    assert join(read_all(saved=[tmp_path / "aaa.json"])).equals(join(read_all(dump=[dump])))


@pytest.mark.parametrize(
    ("text", "reason", "is_fault"),
    [('{"kind": "Listing"', "broken_json", True), ('{"error": 404}', "nothing_found", False)],
)
def test_a_saved_file_without_anything_is_refused(tmp_path, text, reason, is_fault):
    (tmp_path / "x.json").write_text(text)

    assert refusals(read_all(saved=[tmp_path])) == [("x.json", reason, is_fault)]


@pytest.mark.parametrize("door", ["dump", "saved"])
def test_missing_paths_and_empty_folders_are_named_before_the_first_batch(tmp_path, door):
    source = RedditSource(RedditOptions(**{door: [tmp_path / "gone"]}), make_context())
    with pytest.raises(ConfigError, match="gone: no such file"):
        source.read(None)

    source = RedditSource(RedditOptions(**{door: [tmp_path]}), make_context())
    with pytest.raises(ConfigError, match="no file ending in"):
        source.read(None)


@pytest.mark.parametrize(
    "options",
    [
        {"unknown": 1},
        {"subreddits": ["not a name"]},
        {"after": "2020-02-02", "before": "2020-01-01"},
        {"recheck": True, "dump": ["x"]},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        RedditOptions(**options)


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 2 * 10**9), st.floats(0, 2e9), st.text(max_size=5))
TEXTS = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["[deleted]", "u_name", "t3_x", "/r/a/comments/b/"]))
NUMERIC = (
    "created_utc",
    "edited",
    "is_self",
    "is_submitter",
    "num_comments",
    "over_18",
    "retrieved_on",
    "score",
    "stickied",
)
VALUES = st.fixed_dictionaries({}, optional={name: NUMBERS if name in NUMERIC else TEXTS for name in RAW_COLUMNS})
RECORDS = st.lists(VALUES.map(lambda row: {"id": "k1", "created_utc": WRITTEN, "title": "t"} | row), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_both_ways_of_parsing_give_the_same_documents(records):
    data = b"".join(orjson.dumps(record) + b"\n" for record in records)
    raw = parse_lines(data.replace(b"\\u0000", b""))
    if raw is None:
        return
    shaper = Shaper(RedditOptions(), SALT)
    fast, slow = (
        shaper.shape(raw, str),
        shaper.shape(make_raw_frame(orjson.loads(line) for line in data.splitlines()), str),
    )

    assert fast.documents.equals(slow.documents)
    assert fast.rejections == slow.rejections


MEASURE = """
import re, sys
from pathlib import Path
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.reddit import RedditOptions, RedditSource

source = RedditSource(RedditOptions(dump=[Path(sys.argv[1])]), SourceContext(Path(), load_pack("fitness")))
rows = sum(len(batch.documents) for batch in source.read(None))
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the high-water mark of Linux")
def test_memory_does_not_grow_with_the_dump(tmp_path):
    frame = write_lines(
        tmp_path / "RC_x.zst", [make_comment(f"c{n}", body=f"{n} " * 200, score=n) for n in range(2000)]
    ).read_bytes()
    peaks = []
    # 2 MB a frame: twenty are more than what is read, cut and shaped at once.
    for times in (20, 200):
        (tmp_path / "RC_x.zst").write_bytes(frame * times)
        command = [sys.executable, "-c", MEASURE, str(tmp_path / "RC_x.zst")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        rows, peak = map(int, answer.split())
        assert rows >= 2000
        peaks.append(peak)

    assert peaks[1] <= 1.2 * peaks[0]


def test_naming_the_connector_imports_nothing_heavy():
    code = "import sys, sources.reddit; print(sorted({'polars', 'praw', 'zstandard', 'orjson', 'duckdb'} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]

    assert subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout == "[]\n"
