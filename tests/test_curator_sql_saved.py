"""Saved queries: every one runs, says what it shows, and a project's own go first."""

import pytest

from curator.sql.saved import BUILT_IN, describe_saved, list_saved, read_saved
from schemas.errors import ConfigError
from warehouse import open_snapshot

NAMES = sorted(path.stem for path in BUILT_IN.glob("*.sql"))


def test_there_is_a_saved_query_for_each_view_that_people_explore():
    assert {"mix", "sources", "rejected", "duplicates", "lineage", "splits"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_saved_query_is_one_statement_that_runs_and_says_what_it_shows(name, built):
    assert describe_saved(BUILT_IN / f"{name}.sql")
    with open_snapshot(built / ".curator" / "snapshots") as snapshot:
        text = read_saved(built, name)
        assert len(snapshot.connection.extract_statements(text)) == 1
        relation = snapshot.connection.sql(text)
        assert len(relation.columns) >= 2
        relation.to_arrow_table()


def test_the_list_names_every_query_with_its_meaning_on_stdout(built, cli):
    found = cli(built, "sql", "--saved", "list")
    assert found.code == 0
    assert all(name in found.out for name in NAMES)
    assert found.err == ""


def test_a_saved_query_runs_by_name(built, cli):
    found = cli(built, "sql", "--saved", "mix", "--format", "json")
    assert [row["category"] for row in found.json][:2] == ["technique", "programming"]
    assert found.json[0]["target_share"] == 0.3


def test_a_query_of_the_project_hides_a_built_in_one_and_appears_in_the_list(project, cli):
    (project / "queries").mkdir()
    (project / "queries" / "mix.sql").write_text("-- My own mix\nselect 'mine' as mix\n")
    (project / "queries" / "bare.sql").write_text("select 1 as one\n")
    assert cli(project, "sql", "--saved", "mix", "--format", "json").json == [{"mix": "mine"}]
    listing = cli(project, "sql", "--saved", "list").out
    assert "My own mix" in listing
    assert "bare" in listing
    assert describe_saved(list_saved(project)["bare"]) == ""


def test_an_unknown_name_lists_the_known_ones(built, cli):
    with pytest.raises(ConfigError, match="saved query 'nonsense': unknown"):
        read_saved(built, "nonsense")
    found = cli(built, "sql", "--saved", "nonsense")
    assert found.code == 2
    assert "mix" in found.err
