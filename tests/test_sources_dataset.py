"""The dataset connector understands the common shapes, keeps the good rows and says where the bad ones are."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, CuratorError
from schemas.pack import Pack, RecordTemplate
from sources.dataset import DatasetSource, json_stream
from sources.dataset import source as dataset_source
from sources.dataset.json_stream import JsonStreamError, stream_array
from sources.packs.loader import load_pack
from sources.protocol import Batch, SourceContext

NOW = datetime(2026, 1, 2, tzinfo=UTC)
QUESTION, ANSWER = "How deep should I squat?", "As deep as the lower back allows."
PLAIN = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]


@pytest.fixture(scope="module")
def pack() -> Pack:
    records = [RecordTemplate(path="records/free_exercise_db.toml")]
    return load_pack("fitness").model_copy(update={"records": records})


def read_all(pack: Pack, *paths: Path | str, after: str | None = None, **options: object) -> list[Batch]:
    context = SourceContext(root=Path(), pack=pack, now=NOW)
    source = DatasetSource(DatasetSource.Options(path=[str(path) for path in paths], **options), context)
    return list(source.read(after))


def rows_of(batches: list[Batch]) -> list[dict]:
    return [row for batch in batches for row in batch.documents.rows(named=True)]


def refused(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(Path(r.where).name, r.reason) for batch in batches for r in batch.rejections]


def write_rows(folder: Path, name: str, rows: list[dict]) -> Path:
    path = folder / name
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def content_of(pack: Pack, folder: Path, row: dict, **options: object) -> dict:
    (document,) = rows_of(read_all(pack, write_rows(folder, "rows.jsonl", [row]), **options))
    return json.loads(document["content"])


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"instruction": QUESTION, "input": "", "output": ANSWER}, "alpaca"),
        ({"conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": ANSWER}]}, "sharegpt"),
        ({"messages": PLAIN}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}, PLAIN[1]]}, "messages"),
        ({"prompt": QUESTION, "completion": ANSWER}, "prompt_completion"),
        ({"prompt": PLAIN[:1], "completion": PLAIN[1:]}, "prompt_completion"),
        ({"Question": QUESTION, "Answer": ANSWER}, "question_answer"),
        ({"query": QUESTION, "response": ANSWER}, "question_answer"),
    ],
)
def test_every_common_shape_is_recognised_and_stored_alike(pack: Pack, tmp_path: Path, row: dict, shape: str) -> None:
    (document,) = rows_of(read_all(pack, write_rows(tmp_path, "rows.json", [row])))
    assert json.loads(document["content"]) == {"messages": PLAIN}
    assert json.loads(document["metadata"])["shape"] == shape
    assert document["kind"] == "conversation"


def test_system_history_and_input_of_alpaca_rows_are_kept(pack: Pack, tmp_path: Path) -> None:
    row = {
        "instruction": QUESTION,
        "input": "I am tall.",
        "output": ANSWER,
        "system": "Coach.",
        "history": [["a", "b"]],
    }
    assert content_of(pack, tmp_path, row)["messages"] == [
        {"role": "system", "content": "Coach."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": QUESTION, "input": "I am tall."},
        {"role": "assistant", "content": ANSWER},
    ]


def test_tool_turns_keep_their_structure_in_both_spellings(pack: Pack, tmp_path: Path) -> None:
    tools = [{"name": "get_load", "parameters": {"type": "object"}}]
    call = {"name": "get_load", "arguments": {"lift": "squat"}}
    sharegpt = {
        "conversations": [
            {"from": "human", "value": "What next?"},
            {"from": "function_call", "value": json.dumps(call)},
            {"from": "observation", "value": '{"kg": 100}'},
            {"from": "gpt", "value": "100 kg."},
        ],
        "tools": json.dumps(tools),
    }
    expected = {
        "messages": [
            {"role": "user", "content": "What next?"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "id": "call_0",
                        "type": "function",
                        "function": {"name": "get_load", "arguments": '{"lift":"squat"}'},
                    }
                ],
            },
            {"role": "tool", "content": '{"kg": 100}', "tool_call_id": "call_0"},
            {"role": "assistant", "content": "100 kg."},
        ],
        "tools": tools,
    }
    assert content_of(pack, tmp_path, sharegpt) == expected
    assert content_of(pack, tmp_path, {"messages": expected["messages"], "tools": tools}) == expected


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": QUESTION, "chosen": ANSWER, "rejected": "No."},
        {"question": QUESTION, "response_j": ANSWER, "response_k": "No."},
        {"instruction": QUESTION, "input": "", "chosen": ANSWER, "rejected": "No."},
        {"chosen": PLAIN, "rejected": [PLAIN[0], {"role": "assistant", "content": "No."}]},
        {
            "conversations": [{"from": "human", "value": QUESTION}],
            "chosen": {"from": "gpt", "value": ANSWER},
            "rejected": {"from": "gpt", "value": "No."},
        },
        {
            "chosen": f"\n\nHuman: {QUESTION}\n\nAssistant: {ANSWER}",
            "rejected": f"\n\nHuman: {QUESTION}\n\nAssistant: No.",
        },
    ],
)
def test_preferences_are_recognised_in_their_spellings(pack: Pack, tmp_path: Path, row: dict) -> None:
    content = content_of(pack, tmp_path, row)
    assert content == {"messages": PLAIN, "rejected": [{"role": "assistant", "content": "No."}]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "", "answer": "x"}, "empty_prompt"),
        ({"question": "x", "answer": None}, "empty_answer"),
        ({"question": {"en": "x"}, "answer": "x"}, "unknown_role"),
        ({"question": True, "answer": "x"}, "not_text"),
        ({"messages": "hello"}, "broken_json_cell"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "unknown_role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "unsupported_content"),
        ({"messages": [*PLAIN[:1], {**PLAIN[1], "loss_weight": 0.0}]}, "masked_turn"),
        ({"messages": [*PLAIN[:1], {**PLAIN[1], "reasoning_content": "hm"}]}, "unsupported_turn"),
        ({"messages": PLAIN, "images": ["a.png"]}, "unsupported_media"),
        ({"messages": [{"role": "tool", "content": "5"}]}, "broken_tool_call"),
        ({"messages": PLAIN, "tools": '{"a": 1}'}, "broken_tools"),
        ({"prompt": "x", "chosen": "same", "rejected": "same"}, "equal_answers"),
        ({"instruction": "x", "output": "y", "history": ["z"]}, "broken_history"),
    ],
)
def test_a_row_that_cannot_be_carried_is_left_out_and_its_neighbours_stay(
    pack: Pack, tmp_path: Path, row: dict, reason: str
) -> None:
    good = {key: row.get(key) for key in row}
    good.update({key: PLAIN for key in ("messages",) if key in row})
    good.update({key: "fine" for key in ("question", "prompt", "instruction", "rejected") if key in row})
    good.update({key: "well" for key in ("answer", "output", "chosen") if key in row})
    good.update({key: None for key in ("images", "tools", "history") if key in row})
    batches = read_all(pack, write_rows(tmp_path, "rows.jsonl", [good, row, good]))
    assert refused(batches) == [("rows.jsonl:2", reason)]
    assert [json.loads(doc["metadata"])["row"] for doc in rows_of(batches)] == [1, 3]


def test_broken_lines_are_named_by_number_and_the_rest_is_kept(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = json.dumps({"question": QUESTION, "answer": ANSWER}).encode()
    path.write_bytes(b"\n".join([b"\xef\xbb\xbf" + good, b'{"question": ', b"", b'{"question": "\xff"}', b"[1]", good]))
    batches = read_all(pack, path)
    assert refused(batches) == [
        ("rows.jsonl:2", "broken_json"),
        ("rows.jsonl:4", "invalid_utf8"),
        ("rows.jsonl:5", "not_an_object"),
    ]
    assert [row["natural_key"].split("#")[1] for row in rows_of(batches)] == ["1", "6"]


def test_an_endless_line_is_refused_in_bounded_memory(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.dataset.rows.MAX_LINE_BYTES", 1000)
    path = tmp_path / "rows.jsonl"
    good = json.dumps({"question": QUESTION, "answer": ANSWER})
    path.write_text(f"{good}\n{'x' * 5000}\n{good}\n", encoding="utf-8")
    batches = read_all(pack, path)
    assert refused(batches) == [("rows.jsonl:2", "line_too_long")]
    assert len(rows_of(batches)) == 2


def test_an_array_that_breaks_off_keeps_what_came_before(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    row = json.dumps({"question": QUESTION, "answer": ANSWER})
    path.write_text(f'[\n{row},\n{row},\n{{"question": \n', encoding="utf-8")
    batches = read_all(pack, path)
    assert len(rows_of(batches)) == 2
    ((where, reason),) = refused(batches)
    assert reason == "broken_json"
    assert where.startswith("rows.json:")


def test_tables_are_read_with_their_separator_and_bad_rows_named(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "fragen.csv"
    path.write_bytes(
        "Nr;Frage;Antwort;Thema\n1;Wie tief?;Bis der R\u00fccken rund wird.;technique\n2;zu;viel;hier;drin\n".encode()
        + b"3;Wie \xff oft?;Zweimal.;programming\n"
        + b'4;"Zwei\nZeilen; eine Zelle";Ja.;programming\n'
    )
    batches = read_all(pack, path, map={"question": "Frage", "answer": "Antwort", "category": "Thema", "id": "Nr"})
    assert refused(batches) == [("fragen.csv:3", "wrong_cell_count"), ("fragen.csv:4", "invalid_utf8")]
    first, last = rows_of(batches)
    assert json.loads(first["content"])["messages"][1]["content"] == "Bis der R\u00fccken rund wird."
    assert json.loads(first["metadata"])["category"] == "technique"
    assert json.loads(last["content"])["messages"][0]["content"] == "Zwei\nZeilen; eine Zelle"
    assert last["natural_key"].endswith("/fragen.csv#4")


def test_parquet_rows_are_read(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"messages": [PLAIN, PLAIN], "language": ["en", "de"]}).write_parquet(path)
    rows = rows_of(read_all(pack, path))
    assert [json.loads(row["content"])["messages"] for row in rows] == [PLAIN, PLAIN]
    assert [json.loads(row["metadata"])["language"] for row in rows] == ["en", "de"]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(ConfigError, match="no row can be read"):
        read_all(pack, tmp_path / "bad.parquet")


def test_medquad_pairs_are_read_with_their_topic_and_entities_refused(pack: Pack, tmp_path: Path) -> None:
    xml = (
        '<?xml version="1.0"?><Document source="X" url="http://x.y/z"><Focus>Gout</Focus><QAPairs><QAPair pid="1">'
        '<Question qid="9-1" qtype="causes">What causes Gout ?</Question><Answer>Uric acid &amp; more.</Answer></QAPair>'
        '<QAPair pid="2"><Question qid="9-2" qtype="treatment">Q ?</Question><Answer></Answer></QAPair></QAPairs></Document>'
    )
    (tmp_path / "a.xml").write_text(xml, encoding="utf-8")
    (tmp_path / "b.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]>' + xml[21:], encoding="utf-8")
    batches = read_all(pack, tmp_path)
    (row,) = rows_of(batches)
    assert row["natural_key"].endswith("/a.xml#9-1")
    assert row["url"] == "http://x.y/z"
    assert json.loads(row["content"])["messages"][1]["content"] == "Uric acid & more."
    assert json.loads(row["metadata"])["topic"] == "Gout"
    assert sorted(refused(batches)) == [("a.xml row 2", "empty_answer"), ("b.xml", "xml_entities")]


def test_structured_rows_become_records_where_the_pack_has_a_template(pack: Pack, tmp_path: Path) -> None:
    row = {
        "id": "Plank",
        "name": "Plank",
        "level": "beginner",
        "equipment": None,
        "primaryMuscles": ["abdominals"],
        "secondaryMuscles": [],
        "instructions": ["Hold."],
        "category": "strength",
    }
    (document,) = rows_of(read_all(pack, write_rows(tmp_path, "ex.json", [row])))
    assert (document["kind"], document["title"]) == ("record", "Plank")
    assert document["natural_key"].endswith("/ex.json#Plank")
    assert json.loads(document["content"]) == row
    assert json.loads(document["metadata"])["template"] == "free_exercise_db"


def test_a_character_that_the_end_of_the_file_cuts_off_is_refused_where_it_begins(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    good = json.dumps({"question": QUESTION, "answer": ANSWER}).encode()
    path.write_bytes(b"[\n" + good + b',\n{"question": "caf\xe2\x82')
    batches = read_all(pack, path)
    assert [row["natural_key"] for row in rows_of(batches)]
    assert refused(batches) == [("rows.json:3", "invalid_utf8")]


def test_line_ends_and_terminal_orders_in_a_header_are_spelled_out(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'"ques\ntion\x1b[2J"\nx\n')
    with pytest.raises(CuratorError) as raised:
        read_all(pack, path)
    assert "one column (ques\\ntion\\x1b[2J)" in raised.value.message


def test_columns_that_mean_nothing_are_listed_with_the_way_out(pack: Pack, tmp_path: Path) -> None:
    path = write_rows(tmp_path, "rows.json", [{"Frage": "x", "Antwort": "y"}])
    with pytest.raises(ConfigError, match="found columns Frage, Antwort") as caught:
        read_all(pack, path)
    assert caught.value.exit_code == 2
    assert "--map question=Frage" in caught.value.hint
    assert content_of(pack, tmp_path, {"Frage": "x", "Antwort": "y"}, map={"question": "Frage", "answer": "Antwort"})
    with pytest.raises(ConfigError, match="no column 'Farge'; found Frage, Antwort"):
        read_all(pack, path, map={"question": "Farge"})
    with pytest.raises(ConfigError, match="no such role"):
        read_all(pack, path, map={"frage": "Frage"})


def test_a_file_that_holds_no_rows_says_what_it_holds(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "meals.json").write_text('{"version": 1, "meals": [{"name": "Oats"}]}', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"one JSON object with keys version, meals \(take its rows out: jq .meals FILE\)"
    ):
        read_all(pack, tmp_path / "meals.json")
    write_rows(tmp_path, "good.jsonl", [{"question": "x", "answer": "y"}])
    (tmp_path / "book.csv").write_bytes(b"%PDF-1.4")
    (tmp_path / "none.json").write_text("[]", encoding="utf-8")
    batches = read_all(pack, tmp_path)
    assert sorted(refused(batches)) == [
        ("book.csv", "not_text"),
        ("meals.json", "not_rows"),
        ("none.json", "empty_file"),
    ]
    assert [r.reason for batch in batches for r in batch.rejections if r.is_fault] == ["not_text"]


def test_reading_goes_on_after_the_cursor_of_any_batch(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_source, "BATCH_ROWS", 3)
    rows = [{"id": n // 2, "question": f"q{n}", "answer": "a" if n % 3 else ""} for n in range(8)]
    write_rows(tmp_path, "a.jsonl", rows)
    write_rows(tmp_path, "b.json", rows)
    batches = read_all(pack, tmp_path)
    assert batches[-1].cursor is None
    assert len(batches) == 6
    assert len({row["natural_key"] for row in rows_of(batches)}) == len(rows_of(batches)) == 10
    for done, batch in enumerate(batches[:-1], 1):
        rest = read_all(pack, tmp_path, after=batch.cursor)
        assert rows_of(rest) == rows_of(batches[done:])
        assert refused(rest) == refused(batches[done:])


def test_half_a_surrogate_pair_is_refused_and_not_stored(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"question": "x \\ud800", "answer": "y"}, {"question": "x", "answer": "y"}]', encoding="utf-8")
    batches = read_all(pack, path)
    assert refused(batches) == [("rows.json:1", "invalid_utf8")]
    assert len(rows_of(batches)) == 1


def test_a_hub_name_without_the_library_or_in_a_wrong_form_is_explained(pack: Pack) -> None:
    with pytest.raises(ConfigError, match="expected hf://owner/name"):
        read_all(pack, "hf://only-one")


def test_a_dataset_of_the_hub_is_read_split_by_split(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets", reason="the library datasets is not installed")
    # The library looks for a folder of that name before it asks the hub.
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    write_rows(folder, "train.jsonl", [{"question": QUESTION, "answer": ANSWER}])
    write_rows(folder, "test.jsonl", [{"question": "Why?", "answer": ANSWER}])
    monkeypatch.chdir(tmp_path)
    rows = rows_of(read_all(pack, "hf://owner/name", name="hub"))
    assert [row["natural_key"] for row in rows] == ["hf://owner/name/test#1", "hf://owner/name/train#1"]
    assert json.loads(rows[1]["content"]) == {"messages": PLAIN}
    assert rows[0]["attribution"] == "hub"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(values=st.lists(json_values, max_size=6), indent=st.sampled_from([None, 1]), chunk=st.integers(1, 40))
def test_an_array_streams_to_what_json_loads_whatever_the_chunk(
    tmp_path_factory: pytest.TempPathFactory, values: list, indent: int | None, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(values, ensure_ascii=False, indent=indent), encoding="utf-8")
    before = json_stream.CHUNK_BYTES
    json_stream.CHUNK_BYTES = chunk
    try:
        with path.open("rb") as handle:
            streamed = list(stream_array(handle))
    finally:
        json_stream.CHUNK_BYTES = before
    assert [value for _, value in streamed] == values
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(1 <= line <= len(lines) for line, _ in streamed)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (b"[1,\n2,\n oops]", "broken_json", 3),
        (b"[1 2]", "broken_json", 1),
        (b'[1,\n"\xff"]', "invalid_utf8", 2),
        (b"[1,\n2", "broken_json", 2),
        (b"7", "broken_json", 1),
    ],
)
def test_a_broken_array_names_its_line(tmp_path: Path, text: bytes, reason: str, line: int) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with path.open("rb") as handle, pytest.raises(JsonStreamError) as caught:
        list(stream_array(handle))
    assert (caught.value.reason, caught.value.line) == (reason, line)
