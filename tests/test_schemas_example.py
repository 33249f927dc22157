"""Ids: the same content has the same id everywhere, and nothing else has it."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curator.extract.build import build_example
from schemas.config import BalanceConfig, ProjectConfig, SplitConfig
from schemas.document import DOCUMENT_COLUMNS, document_id
from schemas.errors import ConfigError, CuratorError, LockedError, SourceError, SourceInterruptedError
from schemas.example import EXAMPLE_COLUMNS, Message, dump_messages, example_id
from schemas.frames import check_frame, document_frame, example_frame, frame_schema, verdict_frame
from schemas.identity import dump_canonical, hash_author, make_id
from schemas.pack import Pack
from schemas.verdict import VERDICT_COLUMNS

TEXT = st.text(max_size=12)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": TEXT}, optional={"input": st.none() | TEXT}
    ),
    min_size=1,
    max_size=3,
)
LOSERS = st.none() | st.lists(
    st.fixed_dictionaries({"role": st.just("assistant"), "content": TEXT}), min_size=1, max_size=1
)
EXAMPLES = st.fixed_dictionaries(
    {
        "document": TEXT,
        "extractor": st.sampled_from(["page", "thread"]),
        "lines": st.integers(1, 3),
        "messages": MESSAGES,
        "rejected": LOSERS,
    }
)


def build(values: dict, **tags) -> dict:
    return build_example(
        {"id": values["document"]},
        extractor=values["extractor"],
        span={"lines": [values["lines"], values["lines"]]},
        messages=values["messages"],
        rejected=values["rejected"],
        unit_keys=tags.pop("unit_keys", []),
        **tags,
    )


def plain(messages: list[dict] | None) -> list[dict] | None:
    """Absent and null fields are the same."""
    return messages and [{key: value for key, value in turn.items() if value is not None} for turn in messages]


@settings(max_examples=50, deadline=None)
@given(EXAMPLES, EXAMPLES)
def test_examples_have_the_same_id_exactly_when_their_content_is_the_same(one, other):
    same = all(one[key] == other[key] for key in ("document", "extractor", "lines")) and all(
        plain(one[key]) == plain(other[key]) for key in ("messages", "rejected")
    )
    assert (build(one)["id"] == build(other)["id"]) == same


@settings(max_examples=50, deadline=None)
@given(EXAMPLES)
def test_tags_keys_and_the_order_of_fields_are_no_part_of_the_id(values):
    turned = {**values, "messages": [dict(reversed(turn.items())) for turn in values["messages"]]}
    other = build(turned, category="x", language="en", url="u", unit_keys=["b", "a"], metadata={"z": 1})
    assert other["id"] == build(values)["id"]
    assert other["unit_keys"] == ["a", "b"]


@settings(max_examples=50, deadline=None)
@given(EXAMPLES)
def test_the_rejected_answer_is_part_of_the_id(values):
    bare = {**values, "rejected": None}
    losing = {**values, "rejected": [{"role": "assistant", "content": "no"}]}
    other = {**values, "rejected": [{"role": "assistant", "content": "never"}]}
    assert len({build(item)["id"] for item in (bare, losing, other)}) == 3


def test_ids_are_the_same_on_every_machine():
    messages = dump_messages(
        [{"role": "user", "content": "é\u2028"}, {"role": "assistant", "content": "b", "input": None}]
    )
    assert messages == '[{"content":"é\u2028","role":"user"},{"content":"b","role":"assistant"}]'
    assert make_id("a", "bc") == "f14abc19c330e936bb9c8506d69bac9b"
    assert document_id("markdown", "a.md", "text") == "0a0647a674dfb26d2e26f016c135985e"
    assert example_id("d", "page", '{"lines":[1,2]}', messages) == "2cd8e6315e51d35f4ae67b0fd7f13385"


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_parts_of_an_id_never_run_together(one, other):
    assert (make_id(*one) == make_id(*other)) == (one == other)
    assert len(make_id(*one)) == 32


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
        max_leaves=8,
    )
)
def test_canonical_json_reads_back_and_knows_no_order(value):
    text = dump_canonical(value)
    assert json.loads(text) == value
    if isinstance(value, dict):
        assert dump_canonical(dict(reversed(value.items()))) == text


def test_canonical_json_refuses_what_json_cannot_say():
    with pytest.raises(ValueError, match="JSON"):
        dump_canonical(float("nan"))


def test_an_author_is_one_whatever_the_case_and_unknown_without_the_salt():
    assert hash_author(" Lifter ", b"salt") == hash_author("lifter", b"salt")
    assert hash_author("lifter", b"salt") != hash_author("lifter", b"other")
    assert hash_author("lifter", b"salt") != hash_author("lifters", b"salt")
    assert "lifter" not in hash_author("lifter", b"salt")


def make_example() -> dict:
    return build(
        {
            "document": "d",
            "extractor": "page",
            "lines": 1,
            "messages": [{"role": "user", "content": "x"}],
            "rejected": None,
        }
    )


def test_a_frame_as_built_passes_its_check():
    for make, columns, rows in (
        (example_frame, EXAMPLE_COLUMNS, [make_example()]),
        (document_frame, DOCUMENT_COLUMNS, []),
        (verdict_frame, VERDICT_COLUMNS, [{"subject_id": "a", "is_kept": True}]),
    ):
        frame = make(rows)
        check_frame(frame, columns, "frame")
        assert dict(frame.schema) == frame_schema(columns)
        assert frame.height == len(rows)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda frame: frame.drop("span"), "columns are"),
        (lambda frame: frame.with_columns(pl.lit(1).alias("more")), "columns are"),
        (lambda frame: frame.with_columns(pl.lit(1.0).alias("category")), "columns are"),
        (
            lambda frame: frame.select(sorted(frame.columns)).with_columns(pl.lit(None, pl.String).alias("messages")),
            "null in messages",
        ),
    ],
)
def test_a_frame_with_a_wrong_column_is_refused_by_name(spoil, named):
    with pytest.raises(SourceError, match=f"batch of test: {named}"):
        check_frame(spoil(example_frame([make_example()])), EXAMPLE_COLUMNS, "batch of test")


def test_an_unknown_tag_is_a_mistake_of_the_extractor():
    with pytest.raises(TypeError, match="colour"):
        build({"document": "d", "extractor": "page", "lines": 1, "messages": [], "rejected": None}, colour="red")


def test_unknown_fields_of_nouns_are_refused_and_nouns_are_frozen():
    with pytest.raises(ValidationError):
        Message(role="user", content="x", weight=1)
    with pytest.raises(ValidationError):
        Message(role="user", content="x").content = "y"


@pytest.mark.parametrize(
    "values",
    [
        {"split": {"train": 0.8}},
        {"split": {"train": 0.9, "validation": 0.9, "test": 0.9}},
        {"balance": {"size": 0}},
        {"balance": {"size": -5}},
        {"balance": {"target": {"a": 1.5, "b": -0.5}}},
        {"balance": {"unknown": 1}},
        {"seed": -1},
        {"seed": 2**64},
        {"export": {"format": "xml"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(values):
    with pytest.raises(ValidationError):
        ProjectConfig.model_validate(values)


def test_default_settings_are_valid_and_shares_that_add_up_are_taken():
    assert ProjectConfig().balance == BalanceConfig()
    assert SplitConfig(train=0.7, validation=0.2, test=0.1).test == 0.1
    assert ProjectConfig.model_validate({"balance": {"size": 10}, "seed": 2**63 - 1}).balance.size == 10


def test_every_error_tells_what_to_do_and_has_its_exit_code():
    codes = {
        kind: kind("what").exit_code
        for kind in (CuratorError, SourceError, ConfigError, SourceInterruptedError, LockedError)
    }
    assert list(codes.values()) == [1, 1, 2, 3, 4]
    error = ConfigError("what", "type this")
    assert (str(error), error.hint) == ("what", "type this")


def make_pack(**values) -> Pack:
    base = {
        "root": ".",
        "name": "mini",
        "title": "Mini",
        "languages": ["en"],
        "categories": [
            {"name": "a", "title": "Alpha One", "target": 0.5, "aliases": ["first-thing"]},
            {"name": "b", "title": "Beta", "target": 0.5},
        ],
        "roles": {"coach": {"system_prompt": {"en": "x"}, "temperature": 0.5}},
    }
    return Pack.model_validate({**base, **values})


def test_a_word_of_the_source_finds_its_category():
    pack = make_pack()
    assert [pack.find_category(word) for word in ("A", " alpha one", "First Thing", "ALPHA_ONE", "gamma", "")] == [
        "a", "a", "a", "a", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"categories": [{"name": "a", "title": "A", "target": 0.5}]},
        {"categories": [{"name": "a", "title": "A", "target": 0.5}, {"name": "a", "title": "B", "target": 0.5}]},
        {"subreddit_categories": {"fitness": "gamma"}},
        {"category_roles": {"gamma": "coach"}},
        {"languages": []},
        {"name": "Not A Name"},
    ],
)
def test_a_pack_that_contradicts_itself_is_refused(values):
    with pytest.raises(ValidationError):
        make_pack(**values)
