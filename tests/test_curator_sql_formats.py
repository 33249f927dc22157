"""A query's result as table, JSON, CSV, markdown and Parquet: every type, nothing lost, nothing that a sheet runs."""

import csv
import io
import json

import polars as pl
import pyarrow as pa
import pytest

from curator.sql import run_query
from curator.sql.formats import FORMATS, make_frame, render_result
from schemas.errors import ConfigError
from warehouse import find_snapshot

EVERY_TYPE = """
select 1 as i, 1.5::decimal(10, 2) as d, sum(2) as s, 170141183460469231731687303715884105727::hugeint as h,
    'text' as t, null as n, true as b, 'x'::blob as raw, [1, 2] as l, {'a': 1, 'b': 'x'} as st, map {'k': 1} as m,
    interval 90 minute as iv, date '2026-01-02' as day, timestamptz '2026-01-02 03:04:05+00' as at,
    'a'::enum ('a', 'b') as e, uuid '00000000-0000-0000-0000-000000000001' as u, 2.5::double as f,
    union_value(q := 1) as un, '101'::bit as bits, array_value(1, 2) as ar, '{"k": [1]}'::json as js,
    'nan'::double as nan, time '10:11:12' as clock
"""


def frame(**columns):
    return pl.DataFrame(columns)


def read_csv(data):
    return list(csv.reader(io.StringIO(data.decode())))


@pytest.fixture(scope="module")
def every_type(built):
    return make_frame(run_query(find_snapshot(built / ".curator" / "snapshots"), EVERY_TYPE))


@pytest.mark.parametrize("name", FORMATS)
def test_every_type_of_duckdb_can_be_written_in_every_format(name, every_type):
    assert len(render_result(every_type, name)) > 100


def test_json_keeps_numbers_as_numbers_and_nesting_as_nesting(every_type):
    (row,) = json.loads(render_result(every_type, "json"))
    assert (row["i"], row["d"], row["s"], row["f"], row["b"]) == (1, 1.5, 2, 2.5, True)
    assert (row["l"], row["st"], row["ar"]) == ([1, 2], {"a": 1, "b": "x"}, [1, 2])
    assert (row["n"], row["nan"]) == (None, None)
    assert (row["t"], row["e"], row["raw"], row["iv"], row["bits"], row["un"]) == (
        "text",
        "a",
        "78",
        "01:30:00",
        "101",
        "1",
    )
    assert row["day"] == "2026-01-02"
    assert row["at"].startswith("2026-01-02T03:04:05")


def test_csv_writes_nested_cells_as_json_and_bytes_as_hex(every_type):
    header, row = read_csv(render_result(every_type, "csv"))
    cells = dict(zip(header, row, strict=True))
    assert json.loads(cells["l"]) == [1, 2]
    assert json.loads(cells["st"]) == {"a": 1, "b": "x"}
    assert (cells["raw"], cells["e"], cells["n"], cells["h"][:6]) == ("78", "a", "", "170141")


def test_csv_of_two_text_columns_keeps_both():
    data = render_result(frame(a=["x", "=1"], b=["y", None], c=[1, 2]), "csv")
    assert read_csv(data) == [["a", "b", "c"], ["x", "y", "1"], ["'=1", "", "2"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_and_headers_that_a_spreadsheet_would_run_get_an_apostrophe(start):
    formula = f"{start}cmd|' /C calc'!A0"
    header, row = read_csv(render_result(frame(**{formula: [formula], "safe": ["a=b"]}), "csv"))
    assert header == [f"'{formula}", "safe"]
    assert row == [f"'{formula}", "a=b"]


def test_csv_neutralises_categories_too_and_leaves_numbers_alone():
    data = render_result(pl.DataFrame({"e": ["=x"], "n": [-5]}, schema={"e": pl.Categorical, "n": pl.Int64}), "csv")
    assert read_csv(data)[1] == ["'=x", "-5"]


def test_csv_quotes_commas_quotes_and_newlines():
    text = 'a "quoted", broken\nline'
    assert read_csv(render_result(frame(t=[text]), "csv"))[1] == [text]


def test_markdown_escapes_bars_and_line_breaks_in_cells_and_headers():
    data = render_result(frame(**{"a|b": ["x|y\nz", None]}), "markdown").decode()
    assert data.splitlines() == ["| a\\|b |", "|---|", "| x\\|y<br>z |", "|  |"]


def test_parquet_gives_back_the_same_frame():
    original = frame(a=["é", None], n=[1, 2], l=[[1], []])
    assert pl.read_parquet(io.BytesIO(render_result(original, "parquet"))).equals(original)


def test_columns_of_the_same_name_are_all_kept():
    table = pa.table([[1], [2], [3], [4]], names=["a", "a", "a_1", "a"])
    found = make_frame(table)
    assert found.columns == ["a", "a_1", "a_1_1", "a_2"]
    assert found.row(0) == (1, 2, 3, 4)


def test_whole_decimals_become_integers_only_where_every_value_fits():
    small = pa.table({"s": pa.array([1, None], pa.decimal128(38, 0))})
    large = pa.table({"s": pa.array([10**30], pa.decimal128(38, 0))})
    assert make_frame(small)["s"].to_list() == [1, None]
    assert make_frame(small).schema["s"] == pl.Int64
    assert int(make_frame(large)["s"][0]) == 10**30


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_result_has_its_columns(name):
    data = render_result(pl.DataFrame(schema={"a": pl.String, "b": pl.Int64}), name)
    assert data == b"[]\n" if name == "json" else b"a" in data


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(ConfigError) as error:
        render_result(frame(a=[1]), "xml")
    assert "table, json, csv, markdown, parquet" in error.value.hint


@pytest.mark.parametrize("name", ["json", "csv", "parquet"])
def test_the_command_writes_a_file_and_nothing_else(name, built, tmp_path, cli):
    output = tmp_path / f"out.{name}"
    written = cli(built, "sql", "select category, kept from mix", "--format", name, "--output", output)
    assert (written.code, written.out, written.err) == (0, "", "")
    assert b"technique" in output.read_bytes()


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_command_writes_data_to_stdout_and_nothing_to_stderr(name, built, cli):
    shown = cli(built, "sql", "select category, kept from mix", "--format", name)
    assert (shown.code, shown.err) == (0, "")
    assert "technique" in shown.out


def test_a_dash_as_output_is_stdout(built, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = cli(built, "sql", "select 7 as seven", "--format", "csv", "--output", "-")
    assert found.out == "seven\n7\n"
    assert list(tmp_path.iterdir()) == []


def test_a_dash_as_query_is_stdin(built, curator):
    done = curator(built, "sql", "-", "--format", "csv", input="select 'from stdin' as x\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\nfrom stdin\n", "")


def test_an_unknown_format_or_column_is_exit_code_2(built, cli):
    found = cli(built, "sql", "select 1", "--format", "xml")
    assert (found.code, found.out) == (2, "")
    assert "expected one of table, json, csv, markdown, parquet" in found.err
    unknown = cli(built, "sql", "select colour from corpus")
    assert (unknown.code, unknown.out) == (2, "")
    assert "colour" in unknown.err
    assert "Traceback" not in unknown.err
