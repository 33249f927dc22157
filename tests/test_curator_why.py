"""`why` tells the life of a row by its id, the beginning of it, its place, or its text."""

import pytest

from curator.why import describe_place, find_nearest_rejected, read_life
from schemas.errors import ConfigError
from warehouse import open_snapshot


@pytest.fixture(scope="module")
def snapshot(built):
    with open_snapshot(built / ".curator" / "snapshots") as found:
        yield found


def ask(snapshot, query):
    return snapshot.connection.sql(query).to_arrow_table().to_pylist()


@pytest.fixture(scope="module")
def released(snapshot):
    """A released row that came from a page."""
    query = "select * from lineage where release_id is not null and source = 'markdown' order by id limit 1"
    return ask(snapshot, query)[0]


def test_a_row_by_id_tells_origin_category_split_releases_and_exports(snapshot, released):
    life = read_life(snapshot, released["id"])
    assert (life["id"], life["noun"]) == (released["id"], "example")
    assert life["origin"]["where"].startswith("notes/")
    assert ".md:" in life["origin"]["where"]
    assert (life["origin"]["licence"], life["origin"]["permission"]) == ("CC-BY-4.0", "own")
    assert life["category"]["basis"] == "front_matter"
    assert life["split"]["split"] == released["split"]
    (release,) = life["releases"]
    assert (release["release_id"], release["split"]) == (released["release_id"], released["split"])
    assert {path.rsplit("/", 1)[1] for path in release["exports"]} == {"alpaca", "messages"}
    assert [turn["role"] for turn in life["messages"]] == ["user", "assistant"]


def test_the_beginning_of_an_id_is_enough_and_an_unknown_one_is_exit_code_2(snapshot, released, built, cli):
    assert read_life(snapshot, released["id"][:12])["id"] == released["id"]
    found = cli(built, "why", "ffffffffffff")
    assert (found.code, found.out) == (2, "")
    assert "no example or document has it" in found.err


def test_a_document_is_found_by_id_beginning_or_natural_key_and_lists_its_examples(snapshot, released):
    key = released["natural_key"]
    for subject in (released["document_id"], released["document_id"][:12], key):
        life = read_life(snapshot, subject)
        assert (life["noun"], life["origin"]["natural_key"]) == ("document", key)
        assert released["id"] in [example["id"] for example in life["examples"]]


def test_a_few_letters_are_a_text_and_no_beginning_of_some_documents_id(snapshot):
    first = ask(snapshot, "select min(id) as id from documents")[0]["id"]
    for text in (first[:1], first[:3]):
        with pytest.raises(ConfigError, match="no row is like it"):
            read_life(snapshot, text)


def test_a_text_finds_the_row_that_is_most_like_it(snapshot, released):
    text = read_life(snapshot, released["id"])["messages"][0]["content"]
    life = read_life(snapshot, f"{text} please")
    assert life["messages"][0]["content"] == text
    assert 0.5 < life["overlap"] <= 1


def test_a_text_unlike_everything_is_a_config_error(snapshot):
    with pytest.raises(ConfigError, match="no row is like it"):
        read_life(snapshot, "qwertz uiop asdf ghjkl yxcv")


def test_a_duplicate_names_its_representative_its_score_and_the_limit(snapshot):
    removed = ask(snapshot, "select subject, partner from rejected where stage = 'dedup'")[0]
    life = read_life(snapshot, removed["subject"])
    (verdict,) = [v for v in life["verdicts"] if v["stage"] == "dedup"]
    assert (verdict["is_kept"], verdict["partner"], verdict["threshold"]) == (False, removed["partner"], 0.8)
    assert 0.8 <= verdict["score"] <= 1
    assert [member["is_representative"] for member in life["cluster"]] == [True, False]
    assert life["releases"] == []


def test_the_nearest_rejected_rows_come_with_their_reason(snapshot):
    lives = find_nearest_rejected(snapshot, "Is it good to train?")
    assert lives[0]["messages"][0]["content"] == "Is it good to train?"
    assert any(not verdict["is_kept"] for verdict in lives[0]["verdicts"])
    assert [life["overlap"] for life in lives] == sorted((life["overlap"] for life in lives), reverse=True)


@pytest.mark.parametrize(
    ("span", "place"),
    [
        ('{"lines": [3, 9]}', "a.md:3-9"),
        ('{"lines": [3, 3]}', "a.md:3"),
        ('{"seconds": [75.0, 98.5]}', "a.md 75-98.5 s"),
        ("{}", "a.md"),
    ],
)
def test_a_place_reads_like_one(span, place):
    assert describe_place("a.md", span) == place


def test_a_person_sees_where_it_came_from_and_what_is_against_it(built, snapshot, released, cli):
    found = cli(built, "why", released["id"])
    assert found.code == 0
    for word in (released["id"], "notes/", "front_matter", released["split"], released["release_id"]):
        assert word in found.out
    removed = ask(snapshot, "select subject from rejected where stage = 'dedup'")[0]["subject"]
    assert "near_duplicate" in cli(built, "why", removed).out
