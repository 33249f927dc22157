"""Search in a snapshot: what takes too long is broken off, and nearest rows are looked for by their rarest words."""

import time

import duckdb
import pytest

from curator.service.errors import ServiceError
from curator.service.search import _pick_rare
from curator.service.snapshot_reader import SnapshotReader


def make_snapshot(folder, messages):
    """Writes a snapshot whose examples are what a query gives."""
    folder.mkdir()
    with duckdb.connect(str(folder / "000001.db")) as connection:
        connection.execute(f"create view examples as {messages}")
    return SnapshotReader(folder)


@pytest.fixture
def endless(tmp_path):
    reader = make_snapshot(tmp_path / "snapshots", "select md5(range::text) as messages from range(1000000000000)")
    yield reader
    reader.close()


def test_a_search_that_takes_too_long_is_broken_off_and_the_next_one_works(endless):
    started = time.monotonic()
    with pytest.raises(ServiceError, match="takes over") as refused:
        endless.read_within(0.3, "word_shares", words=["squat"], rows=10**12)
    assert refused.value.status == 503
    assert time.monotonic() - started < 60
    assert endless.read_within(60, "word_shares", words=["zz"], rows=10).rows() == [("zz", 0.0)]


def test_the_words_of_the_fewest_rows_are_picked_and_always_one(tmp_path):
    said = "'should ' || case when range % 50 = 0 then 'Ankle' when range % 2 = 0 then 'squat' else '' end"
    reader = make_snapshot(tmp_path / "snapshots", f"select {said} as messages from range(1000)")
    assert _pick_rare(reader, ["should", "squat", "ankle"]) == ["ankle"]
    assert _pick_rare(reader, ["should", "squat"]) == ["squat"]
    assert _pick_rare(reader, ["nowhere", "ankle", "squat"]) == ["nowhere", "ankle"]
    reader.close()
