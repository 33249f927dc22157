"""Rows of structured knowledge become examples through templates, and no empty cell is ever printed."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.extract.phrases import join_and, lower_first, make_steps, speak_name, with_article, with_the
from curator.extract.record import extract_records, is_empty
from schemas.document import document_id
from schemas.errors import ConfigError
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.pack import Pack, RecordTemplate
from sources.dataset import DatasetSource
from sources.packs.loader import load_pack
from sources.protocol import SourceContext

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIT_UP = {
    "id": "Sit-Up",
    "name": "Sit-Up",
    "force": "pull",
    "level": "beginner",
    "mechanic": "isolation",
    "equipment": "body only",
    "primaryMuscles": ["abdominals"],
    "secondaryMuscles": ["lower back"],
    "instructions": ["Lie down and bend the knees.", "Raise the torso toward the knees.", "Lower it slowly."],
    "category": "strength",
}


@pytest.fixture(scope="module")
def pack() -> Pack:
    records = [
        RecordTemplate(path="records/exercises.toml", data="exercises.json"),
        RecordTemplate(path="records/free_exercise_db.toml"),
    ]
    return load_pack("fitness").model_copy(update={"records": records})


def make_document(row: dict, template: str) -> dict:
    content = json.dumps(row, sort_keys=True)
    key = f"db/ex.json#{row.get('name')}"
    return {
        "id": document_id("dataset", key, content),
        "source": "dataset",
        "kind": "record",
        "natural_key": key,
        "content": content,
        "metadata": json.dumps({"row": 3, "template": template}),
        "fetched_at": NOW,
        "licence": "Unlicense",
        "basis": "test",
        "permission": "granted",
    }


def extract(pack: Pack, *rows: dict, template: str = "free_exercise_db") -> tuple[list[dict], list[str]]:
    result = extract_records(document_frame([make_document(row, template) for row in rows]), pack)
    check_frame(result.examples, EXAMPLE_COLUMNS, "examples")
    return list(result.examples.iter_rows(named=True)), result.verdicts["reason"].to_list()


def pairs(rows: list[dict]) -> dict[str, tuple[str, str]]:
    return {
        json.loads(row["metadata"])["template"].split(".")[1]: tuple(m["content"] for m in json.loads(row["messages"]))
        for row in rows
    }


def test_an_exercise_says_how_it_is_done_what_it_trains_and_whom_it_suits(pack: Pack) -> None:
    rows, reasons = extract(pack, SIT_UP)
    told = pairs(rows)
    assert set(told) == {"how_to", "muscles", "beginner_fit"}
    assert (
        told["how_to"][1]
        == "1. Lie down and bend the knees.\n2. Raise the torso toward the knees.\n3. Lower it slowly."
    )
    assert "sit-up" in told["how_to"][0]
    assert "abdominals" in told["muscles"][1]
    assert "lower back" in told["muscles"][1]
    assert "own body weight" in told["beginner_fit"][1]
    assert reasons == []
    assert {row["unit_keys"][0] for row in rows} == {"record:db/ex.json#Sit-Up"}
    assert {row["category"] for row in rows} == {"technique"}


def test_a_ball_is_no_load_and_a_step_that_comes_twice_is_said_once(pack: Pack) -> None:
    steps = [*SIT_UP["instructions"], "Switch arms again and repeat the movement.", "Repeat to failure."]
    told = pairs(extract(pack, {**SIT_UP, "equipment": "exercise ball", "instructions": steps})[0])
    assert "You need an exercise ball." in told["beginner_fit"][1]
    assert "light load" not in told["beginner_fit"][1]
    assert told["how_to"][1].endswith("3. Lower it slowly.\n4. Repeat until you can no longer keep good form.")


def test_knees_may_pass_the_toes_and_the_number_of_a_lost_step_goes(pack: Pack) -> None:
    steps = [
        "Step forward and squat down. Note: Do not allow your knee to go forward beyond your toes as you come down.",
        "Push yourself back up. 3",
        "Repeat with the other leg.",
    ]
    told = pairs(extract(pack, {**SIT_UP, "instructions": steps})[0])
    assert told["how_to"][1] == (
        "1. Step forward and squat down.\n2. Push yourself back up.\n3. Repeat with the other leg."
    )


def test_a_row_without_instructions_is_rejected_as_such(pack: Pack) -> None:
    for empty in ([], [" "], None):
        assert extract(pack, {**SIT_UP, "instructions": empty}) == ([], ["no_instructions"])


def test_a_stretch_goes_where_the_pack_puts_stretching(pack: Pack) -> None:
    rows, _ = extract(pack, {**SIT_UP, "category": "stretching", "secondaryMuscles": []})
    assert {row["category"] for row in rows} == {"recovery"}
    assert set(pairs(rows)) == {"how_to", "stretch_level"}
    assert "the sit-up stretch" in pairs(rows)["stretch_level"][0]


def test_a_held_stretch_says_where_it_pulls_unless_its_name_does(pack: Pack) -> None:
    held = {**SIT_UP, "category": "stretching", "force": "static", "primaryMuscles": ["hamstrings"]}
    told = pairs(extract(pack, {**held, "name": "Pyramid"})[0])
    assert "mainly in the hamstrings" in told["stretch_target"][1]
    assert "stretch_target" not in pairs(extract(pack, {**held, "name": "Lying Hamstring"})[0])
    circles = pairs(extract(pack, {**held, "name": "Ankle Circles"})[0])
    assert "stretch_target" not in circles
    assert "Move slowly" in circles["stretch_level"][1]


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "plyometrics"},
        {"category": "olympic weightlifting"},
        {"name": "Medicine Ball Throw"},
        {"name": "Hang Clean"},
        {"mechanic": None},
    ],
)
def test_jumps_throws_and_olympic_lifts_have_no_single_muscle(pack: Pack, changed: dict) -> None:
    told = pairs(extract(pack, {**SIT_UP, **changed})[0])
    assert not {"muscles", "single_muscle"} & set(told)
    assert len(told) >= 2
    assert not any("abdominals" in answer for _, answer in told.values())


def test_body_weight_is_never_a_light_load(pack: Pack) -> None:
    for level in ("beginner", "intermediate", "expert"):
        assert "load" not in " ".join(
            answer for _, answer in pairs(extract(pack, {**SIT_UP, "level": level})[0]).values()
        )
    with_bar = pairs(extract(pack, {**SIT_UP, "level": "intermediate", "equipment": "barbell"})[0])
    assert "a light load" in with_bar["not_first_choice"][1]


def test_a_drill_is_never_a_plain_yes_and_a_twist_under_load_neither(pack: Pack) -> None:
    jump = pairs(extract(pack, {**SIT_UP, "category": "plyometrics", "name": "Box Jump"})[0])["drill_level"][1]
    assert "land softly" in jump
    twist = pairs(extract(pack, {**SIT_UP, "equipment": "barbell", "name": "Barbell Twist"})[0])["beginner_fit"][1]
    assert "be careful" in twist
    assert "Yes" not in jump + twist


def test_the_set_up_is_the_steps_that_reach_the_starting_position(pack: Pack) -> None:
    steps = [
        "Lie down.",
        "Bend the knees. This will be your starting position.",
        "Raise up.",
        "Back to the starting position.",
    ]
    told = pairs(extract(pack, {**SIT_UP, "equipment": "barbell", "instructions": steps})[0])
    assert told["set_up"][1] == (
        "You need a barbell. Set up like this:\n1. Lie down.\n2. Bend the knees. This will be your starting position."
    )
    assert "set_up" not in pairs(extract(pack, {**SIT_UP, "instructions": [steps[0], *steps[2:]]})[0])


def test_steps_lose_what_is_left_of_their_page(pack: Pack) -> None:
    steps = [
        "place the toes (as described at the beginning of the chapter). This is it.v",
        "Do not lean, as this hurts. li>",
        "Hold to to the bar.Press be extending the arms. As you can see, it is hard.",
    ]
    told = pairs(extract(pack, {**SIT_UP, "instructions": steps})[0])
    assert told["how_to"][1] == (
        "1. Place the toes. This is it.\n2. Do not lean, as this hurts.\n"
        "3. Hold to the bar. Press by extending the arms."
    )


def test_steps_that_need_a_third_hand_are_rejected(pack: Pack) -> None:
    steps = ["Grab the bar with both arms and put your other hand on your knee."]
    assert extract(pack, {**SIT_UP, "instructions": steps}) == ([], ["contradictory_steps"])


def test_steps_that_breathe_the_wrong_way_round_are_not_told(pack: Pack) -> None:
    down, up = "Lower the bar. {} as you perform this movement.", "Bring the torso up. {} as you perform this movement."
    wrong = [down.format("Exhale"), up.format("Inhale")]
    assert "how_to" not in pairs(extract(pack, {**SIT_UP, "instructions": wrong})[0])
    right = [down.format("Inhale"), up.format("Exhale")]
    assert "how_to" in pairs(extract(pack, {**SIT_UP, "instructions": right})[0])


def test_a_rating_for_experts_is_not_repeated(pack: Pack) -> None:
    told = pairs(extract(pack, {**SIT_UP, "level": "expert", "equipment": "barbell"})[0])
    assert "how_to" in told
    assert "expert" not in " ".join(answer for _, answer in told.values())


def test_a_sled_is_not_pushed_in_slow_repetitions_nor_a_foot_rolled_for_the_calves(pack: Pack) -> None:
    sled = pairs(extract(pack, {**SIT_UP, "name": "Sled Push", "category": "strongman", "equipment": "other"})[0])
    assert "slow" not in sled["beginner_fit"][1]
    rolled = {**SIT_UP, "name": "Foot-SMR", "category": "stretching", "force": "static", "primaryMuscles": ["calves"]}
    told = pairs(extract(pack, {**rolled, "equipment": "other"})[0])
    assert "stretch_target" not in told
    assert "hold" not in told["stretch_level"][1]


def test_a_muscle_that_works_most_does_not_also_help(pack: Pack) -> None:
    told = pairs(extract(pack, {**SIT_UP, "secondaryMuscles": ["abdominals", "glutes"]})[0])
    assert told["muscles"][1].count("abdominals") <= 2
    assert "abdominals and glutes" not in told["muscles"][1]


def test_a_document_of_an_unknown_template_is_rejected(pack: Pack) -> None:
    assert extract(pack, SIT_UP, template="gone") == ([], ["no_template"])


def test_the_wording_varies_with_the_row_and_never_with_the_run(pack: Pack) -> None:
    many = [{**SIT_UP, "name": f"Lift {letter}"} for letter in "BCDEFGHJKLMNOPQRSTUVWXYZ"]
    rows, _ = extract(pack, *many)
    how_to = [json.loads(row["messages"])[0]["content"] for row in rows if "how_to" in row["metadata"]]
    assert len({re.sub(r"lift \w", "", question) for question in how_to}) > 3
    assert extract(pack, SIT_UP) == extract(pack, SIT_UP)


def test_the_packs_own_exercises_give_many_grounded_examples(pack: Pack) -> None:
    source = DatasetSource(DatasetSource.Options(), SourceContext(root=Path(), pack=pack, now=NOW))
    (batch,) = source.read(None)
    assert set(batch.documents["permission"]) == {"own"}
    result = extract_records(batch.documents, pack)
    assert result.verdicts.is_empty()
    assert len(result.examples) >= 8 * len(batch.documents)
    assert {"technique", "programming"} <= set(result.examples["category"])
    for messages in result.examples["messages"]:
        question, answer = (message["content"] for message in json.loads(messages))
        assert question.endswith(("?", "."))
        assert not re.search(r"None|\{\{|  |\.\.|\bthe the\b| ,", question + answer)


cell = st.one_of(st.none(), st.sampled_from(["", " ", "pull", "beginner", "expert", "barbell", "other", "stretching"]))
texts = st.lists(st.sampled_from(["chest", "lats", "", "  ", "Lift it."]), max_size=3)


exercise_rows = st.fixed_dictionaries(
    {"name": st.sampled_from(["Squat", "Ankle Circles", "Curl - Hammer"]), "level": cell, "mechanic": cell}
    | {"equipment": cell, "primaryMuscles": texts, "secondaryMuscles": texts, "instructions": texts, "category": cell}
)


@settings(max_examples=8, deadline=None)
@given(st.lists(exercise_rows, min_size=12, max_size=12))
def test_no_row_however_empty_prints_an_empty_slot(many: list[dict]) -> None:
    own = load_pack("fitness").model_copy(update={"records": [RecordTemplate(path="records/free_exercise_db.toml")]})
    rows, reasons = extract(own, *many)
    assert reasons.count("no_instructions") == sum(is_empty(row["instructions"]) for row in many)
    for row in rows:
        question, answer = (message["content"] for message in json.loads(row["messages"]))
        assert not re.search(r"None|  |the (?:,|\.|and|help)|need (?:\.|,)| [.,]", question + answer)


def write_pack(folder: Path, template: str) -> Pack:
    (folder / "kind.toml").write_text(
        'name = "kind"\ncolumns = ["name"]\ntitle = "name"\n[[examples]]\nname = "one"\n' + template, encoding="utf-8"
    )
    return load_pack("fitness").model_copy(update={"root": folder, "records": [RecordTemplate(path="kind.toml")]})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('questions = ["{{ name"]\nanswers = ["x"]\n', "one: questions: line 1"),
        ('questions = ["a?"]\n', "answers"),
        ('questions = ["a?"]\nanswers = ["x"]\ncategory = "cooking"\n', "unknown categories"),
        ('questions = ["a?"]\nanswers = ["x"]\nwhom = 1\n', "whom"),
    ],
)
def test_a_broken_template_is_named_with_its_fault(tmp_path: Path, template: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        extract(write_pack(tmp_path, template), {"name": "x"}, template="kind")


def test_a_template_cannot_reach_behind_its_cells(tmp_path: Path) -> None:
    hostile = 'questions = ["a?"]\nanswers = ["{{ name.__class__.__mro__[1].__subclasses__() }}"]\n'
    with pytest.raises(ConfigError, match="is unsafe"):
        extract(write_pack(tmp_path, hostile), {"name": "x"}, template="kind")


def test_text_of_a_row_is_never_run_as_a_template(tmp_path: Path) -> None:
    own = write_pack(tmp_path, 'questions = ["a?"]\nanswers = ["{{ name }}"]\n')
    rows, _ = extract(own, {"name": "{{ 7 * 7 }}"}, template="kind")
    assert pairs(rows)["one"][1] == "{{ 7 * 7 }}"


def test_a_slot_that_is_missing_leaves_the_example_out(tmp_path: Path) -> None:
    own = write_pack(tmp_path, 'questions = ["a?"]\nanswers = ["x {{ weight }}"]\n')
    assert extract(own, {"name": "x"}, template="kind") == ([], ["no_template_fits"])
    assert extract(own, {"name": "x", "weight": ""}, template="kind") == ([], ["no_template_fits"])
    assert len(extract(own, {"name": "x", "weight": 5}, template="kind")[0]) == 1


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("Barbell Bench Press - Medium Grip", "the barbell bench press (medium grip)"),
        ("Running, Treadmill", "running (treadmill)"),
        ("Smith Machine Squat", "the Smith machine squat"),
        ("Ankle Circles", "ankle circles"),
        ("Deadlift with Chains", "the deadlift with chains"),
        ("Barbell Curls Lying Against An Incline", "barbell curls lying against an incline"),
        ("Hug A Ball", "the hug a ball"),
        ("Rope Jumping", "rope jumping"),
        ("Good Morning", "the good morning"),
        ("Clean and Press", "the clean and press"),
        ("Peroneals-SMR", "the peroneals-SMR"),
    ],
)
def test_names_stand_in_a_sentence(name: str, spoken: str) -> None:
    assert with_the(speak_name(name, ["Smith"])) == spoken


def test_phrases_are_put_together() -> None:
    assert join_and(["a", "b", "c"]) == "a, b and c"
    assert join_and("a") == "a"
    assert make_steps(["one"]) == "One"
    assert (with_article("advanced lift"), with_article("beginner lift")) == ("an advanced lift", "a beginner lift")
    assert (lower_first("Lie down"), lower_first("EZ bar"), lower_first("I lift")) == ("lie down", "EZ bar", "I lift")
