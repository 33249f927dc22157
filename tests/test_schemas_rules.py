"""The rule file's model: what it refuses, and that the published JSON Schema is the model's."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from schemas.rules import RuleFile, Topic, Variable

ROOT = Path(__file__).parent.parent


def test_the_published_schema_is_the_one_of_the_model():
    published = json.loads((ROOT / "schemas/json/rules.schema.json").read_text(encoding="utf-8"))
    expected = RuleFile.model_json_schema()
    assert {key: published[key] for key in expected} == expected
    assert published["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("path", sorted((ROOT / "sources/packs").glob("**/rules*/**/*.toml")), ids=lambda p: p.name)
def test_bundled_rule_files_fit_the_published_schema(path):
    schema = json.loads((ROOT / "schemas/json/rules.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected exactly one of low, choices, value, table"),
        ({"low": 1, "high": 2, "value": "a"}, "expected exactly one of"),
        ({"low": 1}, "low without high"),
        ({"choices": [1, 2], "weights": [1]}, "1 weights for 2 choices"),
        ({"low": 1, "high": 2, "follows": {"a": 0.9, "b": 0.9}}, "add up to more than 1"),
    ],
)
def test_a_variable_says_what_is_wrong_with_it(values, message):
    with pytest.raises(ValidationError, match=message):
        Variable.model_validate(values)


def test_a_topic_refuses_two_rules_without_a_condition():
    rules = [{"id": name, "action": "x", "answer": ["y"]} for name in ("one", "two")]
    with pytest.raises(ValidationError, match="two rules without `when`"):
        Topic.model_validate({"id": "t", "category": "c", "ask": ["?"], "rules": rules})


def test_a_topic_refuses_a_rule_that_has_nothing_to_say():
    with pytest.raises(ValidationError, match="rule without an answer"):
        Topic.model_validate({"id": "t", "category": "c", "ask": ["?"], "rules": [{"id": "one", "action": "x"}]})
