"""A page becomes questions and answers that stand in it, each with the lines that it was read from."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.extract.page import extract_pages
from curator.extract.questions import (
    BUILTIN_PATTERNS,
    ask_question,
    is_question,
    load_patterns,
    lower_phrase,
    running_words,
)
from curator.extract.sections import clean_heading, count_words, parse_sections
from schemas.document import document_id
from schemas.errors import ConfigError
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.pack import Pack
from sources.markdown import MarkdownSource
from sources.packs.loader import load_pack
from sources.protocol import SourceContext

LONG = "Keep the whole foot on the floor and let the knees follow the toes while the chest stays up all the way. "
FILLER = LONG * 2
# Without patterns of its own: what is asked here follows the built-in ones alone.
PLAIN_PACK = load_pack("fitness").model_copy(update={"questions": None})


@pytest.fixture(scope="module")
def pack() -> Pack:
    return PLAIN_PACK


def make_page(content: str, *, offset: int = 0, folders: tuple[str, ...] = (), **front_matter: object) -> dict:
    return {
        "id": document_id("markdown", "notes/x.md", content),
        "source": "markdown",
        "kind": "page",
        "natural_key": "notes/x.md",
        "content": content,
        "metadata": json.dumps({"line_offset": offset, "front_matter": front_matter, "folders": list(folders)}),
        "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
        "licence": "unknown",
        "basis": "test",
        "permission": "own",
    }


def extract(pack: Pack, content: str, **options: object) -> tuple[list[dict], dict[str, str]]:
    result = extract_pages(document_frame([make_page(content, **options)]), pack)
    check_frame(result.examples, EXAMPLE_COLUMNS, "examples")
    return list(result.examples.iter_rows(named=True)), dict(result.verdicts.select("reason", "detail").iter_rows())


def pairs(rows: list[dict]) -> list[tuple[str, str]]:
    return [tuple(message["content"] for message in json.loads(row["messages"])) for row in rows]


def test_a_heading_that_asks_is_the_prompt_as_it_is(pack: Pack) -> None:
    rows, _ = extract(pack, f"# Squat\n\n## How deep should I squat?\n\n{FILLER}\n")
    assert pairs(rows) == [("How deep should I squat?", FILLER.strip())]
    assert rows[0]["unit_keys"] == ["section:markdown:notes/x.md#how-deep-should-i-squat"]


def test_the_span_counts_lines_of_the_file_with_its_front_matter(pack: Pack) -> None:
    content = f"\n# Squat\n\n## How deep?\n\n{LONG}\n\n{LONG}\n\n## Why?\n\n{FILLER}\n"
    rows, _ = extract(pack, content, offset=5)
    file_lines = ["---"] * 5 + content.split("\n")
    for row, (question, answer) in zip(rows, pairs(rows), strict=True):
        first, last = json.loads(row["span"])["lines"]
        assert file_lines[first - 1] == f"## {question}"
        assert file_lines[last - 1].strip() == answer.split("\n")[-1]


def test_topic_headings_become_questions_by_their_form(pack: Pack) -> None:
    rows, _ = extract(
        pack,
        "# Deloads\n\n"
        + "\n\n".join(
            f"## {heading}\n\n{FILLER}"
            for heading in ("How to Deload", "When to Deload", "Volume vs. intensity", "Common deload mistakes")
        ),
    )
    asked = [question for question, _ in pairs(rows)]
    assert asked[0] in ("How do I deload?", "How should I deload?")
    assert asked[1] == "When should I deload?"
    assert asked[2] == "What is the difference between volume and intensity?"
    assert "common deload mistakes" in asked[3]
    assert asked[3].endswith("?")


def test_the_same_section_is_asked_the_same_way_every_time(pack: Pack) -> None:
    page = f"# Sleep\n\n## Room temperature\n\n{FILLER}\n"
    assert extract(pack, page) == extract(pack, page)


@pytest.mark.parametrize("heading", ["Overview", "Introduction", "Notes", "مقدمة", "1. Introduction", "Chapter IV"])
def test_a_heading_without_a_subject_takes_that_of_the_page(pack: Pack, heading: str) -> None:
    rows, _ = extract(pack, f"# Creatine\n\n## {heading}\n\n{FILLER}{FILLER}\n\n## Dose?\n\n{FILLER}\n")
    assert "creatine" in pairs(rows)[0][0]


def test_steps_bullets_and_nesting_stay_and_markup_goes(pack: Pack) -> None:
    body = (
        "Do **this** with [a link](https://x.y), `code` and [[Notes/Grip|your grip]] or [[Stance]]:\n\n"
        "3. First step of the thing\n4. Second step of the thing\n   - a *nested* hint\n\n"
        "- [x] a task that is done\n\n![picture](a.png)\n\n```python\nx = 1\n```\n\n" + LONG
    )
    rows, _ = extract(pack, f"# Squat\n\n## How do I start?\n\n{body}\n")
    assert pairs(rows)[0][1] == (
        "Do this with a link, code and your grip or Stance:\n"
        "3. First step of the thing\n4. Second step of the thing\n   - a nested hint\n\n"
        f"- a task that is done\n\n{LONG.strip()}"
    )


def test_tables_are_read_row_by_row(pack: Pack) -> None:
    body = (
        "| Muscle | MV | MEV |\n|---|---|---|\n| Chest | 4 | 8 |\n| Back | 4 | |\n\n"
        "| Row | Good when |\n|---|---|\n| Pendlay | you want strict reps |\n\n"
        "| Fault | Likely cause | Fix |\n|---|---|---|\n| Slow elbows | the grip is tight | loosen the hands first |\n"
    )
    rows, _ = extract(pack, f"# Volume\n\n## What are the numbers?\n\n{body}\n\n{LONG}\n")
    answer = pairs(rows)[0][1]
    assert "- Chest: MV 4, MEV 8\n- Back: MV 4" in answer
    assert "- Pendlay: you want strict reps" in answer
    assert "- Slow elbows – Likely cause: the grip is tight; Fix: loosen the hands first" in answer


def test_rows_of_figures_are_asked_for_as_figures(pack: Pack) -> None:
    rows_of_food = "".join(f"- Fish {n} (100g): {n}65 cal | 3{n}g protein | 0g carbs | 3.6g fat\n" for n in range(1, 5))
    rows, _ = extract(pack, f"# Food\n\n## Fish\n\n{rows_of_food}\n## Fish oil\n\n{FILLER}\n")
    question, answer = pairs(rows)[0]
    assert "figures for fish" in question or "numbers for fish" in question
    assert answer.startswith("- Fish 1 (100g): 165 cal, 31g protein, 0g carbs, 3.6g fat\n")
    assert "figures" not in pairs(rows)[1][0]


def test_questions_inside_a_section_are_pairs_of_their_own(pack: Pack) -> None:
    content = (
        f"# Diet\n\n## FAQ\n\n**Do I need breakfast?**\n\n{LONG}\n\n**Is coffee fine?** {LONG}\n\n"
        f"Q: Can I drink alcohol?\n\nA: {LONG}\n\n### Is fruit bad?\n\n{LONG}\n"
    )
    rows, _ = extract(pack, content)
    assert [question for question, _ in pairs(rows)] == [
        "Do I need breakfast?",
        "Is coffee fine?",
        "Can I drink alcohol?",
        "Is fruit bad?",
    ]
    assert {answer for _, answer in pairs(rows)} == {LONG.strip()}
    assert len({row["unit_keys"][0] for row in rows}) == 4


def test_short_parts_are_told_together_below_the_heading_above(pack: Pack) -> None:
    content = (
        "# Food\n\n## Fiber Targets\n\n### Recommendations\n\n- Women: 25 g daily\n- Men: 38 g daily\n\n"
        "### Good sources\n\n- Broccoli, peas and spinach\n- Berries, apples and pears\n- Beans, lentils and oats\n"
    )
    rows, left_out = extract(pack, content)
    ((question, answer),) = pairs(rows)
    assert "fiber targets" in question
    assert answer.startswith("Recommendations:\n- Women: 25 g daily\n- Men: 38 g daily\n\nGood sources:\n- Broccoli")
    assert not left_out


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("## Grip\n\nHold on tight.", "too_short_section"),
        (f"## Resources\n\n{FILLER}", "link_list"),
        ("## Reading\n\n" + "- [A long title of a page about lifting](http://x.y) - good\n" * 6, "link_list"),
        (f"## Script\n\n{LONG}\n\n```\n" + "x = 1\n" * 40 + "```", "mostly_code"),
        (
            f"## Summary\n\n- Calories: XXX kcal\n- Steps: X,XXX or [your number here]\n- {FILLER}",
            "template_placeholder",
        ),
        (f"## Targets (update with your weight)\n\n{FILLER}", "template_placeholder"),
        ("## Chapter\n\n" + LONG * 60, "too_long_section"),
    ],
)
def test_what_answers_nothing_is_left_out_with_its_reason_and_lines(pack: Pack, body: str, reason: str) -> None:
    rows, left_out = extract(pack, f"# Page\n\n{body}\n\n## Why?\n\n{FILLER}\n")
    assert [question for question, _ in pairs(rows)] == ["Why?"]
    assert left_out[reason].startswith("lines 3-")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"## Framework\n\n{FILLER}", "unclear_heading"),
        (f"## My plan\n\n{FILLER}", "personal_notes"),
        (f"## Bedroom\n\nI keep it at 18 degrees and my bed is hard. {FILLER}", "personal_notes"),
        (f"## Games\n\n{FILLER}\n\n- Mafia.\n- Top ten.\n- Ghost.\n", "bare_list"),
        (
            "## Sets\n\n"
            + "".join(f"- {m} in the week: MV 4, MEV 8, MRV 22 for most lifters\n" for m in ("Chest", "Back", "Legs")),
            "undefined_abbreviations",
        ),
        (f"## Supplements\n\n{FILLER}\n\n- Zinc, 15 mg\n- Vitamin D, 2000 IU\n- Fish oil, 720 mg\n", "bare_doses"),
    ],
)
def test_what_a_stranger_would_miss_something_in_is_left_out(pack: Pack, body: str, reason: str) -> None:
    rows, left_out = extract(pack, f"# Page\n\n{body}\n\n## Why?\n\n{FILLER}\n")
    assert [question for question, _ in pairs(rows)] == ["Why?"]
    assert left_out[reason].startswith("lines 3-")


def test_what_is_told_quoted_or_asked_is_no_fault(pack: Pack) -> None:
    sets = "".join(f"- {m}: MV 4, MEV 8, MRV 22 for most lifters\n" for m in ("Chest", "Back", "Legs"))
    bodies = (
        f"## Sets?\n\nMV (maintenance), MEV (minimum) and MRV (maximum) count sets a week.\n\n{sets}",
        f'## Journal?\n\nAsk yourself: did I sleep? What was my day? Then say "I did my work". {FILLER}',
        f"## Supplements?\n\nAsk a doctor first.\n\n- Zinc, 15 mg\n- Vitamin D, 2000 IU\n- Fish oil, 720 mg\n{FILLER}",
    )
    for body in bodies:
        rows, left_out = extract(pack, f"# Page\n\n{body}\n")
        assert (len(rows), left_out) == (1, {})


def test_a_recipe_is_one_answer_and_one_persons_part_is_left_out(pack: Pack) -> None:
    steps = "1. Mix it all well.\n2. Let it rest for two hours in a cold place, then knead the dough once more and bake it for ten minutes until brown."
    rows, _ = extract(
        pack, f"# Food\n\n## Pizza Dough\n\n### Ingredients\n\n- Flour\n- Water\n\n### Steps\n\n{steps}\n"
    )
    ((question, answer),) = pairs(rows)
    assert "pizza dough" in question
    assert answer.startswith("Ingredients:\n- Flour\n- Water\n\nSteps:\n1. Mix")
    own = "### Advice\n\n- Eat 1 g a kilo, from nuts, olive oil and fatty fish such as salmon\n\n### Personal Targets\n\n- 90 g a day\n"
    ((_, answer),) = pairs(
        extract(pack, f"# Food\n\n## Fat\n\n{own}\n### Limits\n\n- Few fried foods and hardly any cream or butter\n")[0]
    )
    assert "90 g" not in answer
    assert "Few fried foods" in answer


@pytest.mark.parametrize(
    ("heading", "title", "expected"),
    [
        (
            "Volume landmarks definitions",
            "",
            {"What do the terms for volume landmarks mean?", "Can you define the volume landmarks for me?"},
        ),
        ("Minimum requirements", "fats", {"What should I take as the minimum requirements for fats?"}),
        ("Response protocol", "overtraining", {"What should I do in case of overtraining?"}),
        (
            "Upper/lower (4 days/week)",
            "",
            {
                "What does the upper/lower (4 days/week) training split look like?",
                "Can you lay out the upper/lower (4 days/week) training split for me?",
            },
        ),
        ("Other minerals", "", {"Which minerals should I know about?", "What should I know about minerals?"}),
    ],
)
def test_headings_that_read_oddly_have_patterns_of_their_own(heading: str, title: str, expected: set[str]) -> None:
    patterns = load_patterns(load_pack("fitness"))
    assert ask_question(heading, title, language="en", patterns=patterns, key="k") in expected


def test_an_aside_of_a_heading_is_not_asked(pack: Pack) -> None:
    rows, _ = extract(pack, f"# Rest\n\n## Warning signs (monitor weekly)\n\n{FILLER}\n")
    assert "monitor" not in pairs(rows)[0][0]


def test_labels_do_not_make_a_name_of_a_common_word() -> None:
    assert "Targets" not in running_words("Personal Targets:\nEat with Bulgarian yoghurt.")
    assert "Bulgarian" in running_words("Personal Targets:\nEat with Bulgarian yoghurt.")


def test_text_above_the_title_is_no_matter_of_the_page(pack: Pack) -> None:
    rows, left_out = extract(pack, f"You are a coach. Speak like a pirate. {FILLER}\n\n# Golf\n\n## Why?\n\n{FILLER}\n")
    assert [question for question, _ in pairs(rows)] == ["Why?"]
    assert left_out == {"preamble": "lines 1-1"}


def test_an_announcement_of_code_that_is_gone_goes_too(pack: Pack) -> None:
    rows, _ = extract(pack, f"# T\n\n## Why?\n\n{FILLER}\n\nRun this:\n\n```\nls\n```\n")
    assert pairs(rows)[0][1] == FILLER.strip()


def test_the_category_comes_from_front_matter_then_folder_then_tag(pack: Pack) -> None:
    def found(**options: object) -> tuple[str, str]:
        rows, _ = extract(pack, f"# T\n\n## Why?\n\n{FILLER}", **options)
        return rows[0]["category"], rows[0]["category_basis"]

    assert found(category="Nutrition", folders=("recovery",)) == ("nutrition", "front_matter")
    assert found(category="Cooking", folders=("technique", "recovery")) == ("recovery", "folder")
    assert found(tags=["legs", "mindset"]) == ("motivation", "label")
    assert found() == (None, None)


def test_the_language_is_that_of_the_front_matter_or_of_the_script(pack: Pack) -> None:
    rows, _ = extract(pack, f"# T\n\n## Why?\n\n{FILLER}", language="en-GB")
    assert rows[0]["language"] == "en"
    arabic = "حافظ على ثبات القدمين ووجه الركبتين فوق أصابع القدمين طوال الحركة "
    rows, _ = extract(pack, f"# النوم\n\n## درجة الحرارة\n\n{arabic * 4}\n")
    assert rows[0]["language"] == "ar"
    assert pairs(rows)[0][0].endswith("؟")
    rows, _ = extract(pack, f"# T\n\n## Why?\n\n{FILLER}")
    assert rows[0]["language"] is None


def test_sections_of_one_name_keep_their_own_units(pack: Pack) -> None:
    rows, _ = extract(pack, f"# T\n\n## Why?\n\n{FILLER}\n\n## Why?\n\n{LONG}{LONG}more\n")
    assert [row["unit_keys"][0].rsplit("#")[1] for row in rows] == ["why", "why-2"]


def test_the_pages_of_the_packs_become_questions_in_their_categories() -> None:
    for name in ("fitness", "golf"):
        bundled = load_pack(name)
        if bundled.questions is not None and not (bundled.root / bundled.questions).exists():
            bundled = bundled.model_copy(update={"questions": None})
        context = SourceContext(root=Path(), pack=bundled, now=datetime(2026, 1, 1, tzinfo=UTC))
        for batch in MarkdownSource(MarkdownSource.Options(), context).read(None):
            result = extract_pages(batch.documents, bundled)
            assert len(result.examples) > 4 * len(batch.documents)
            assert result.examples["category"].null_count() == 0
            assert set(result.verdicts["reason"]) <= {"too_short_section", "link_list"}
            for question, answer in pairs(list(result.examples.iter_rows(named=True))):
                assert is_question(question), question
                assert question[0] == question[0].upper()
                assert "{" not in question
                assert "  " not in question
                assert count_words(answer) >= 12


def test_title_case_is_lowered_and_names_are_kept() -> None:
    words = {"progressive", "Bulgarian", "overload"}
    assert lower_phrase("Progressive Overload", words) == "progressive overload"
    assert lower_phrase("Bulgarian Split Squats with HIIT", words) == "Bulgarian split squats with HIIT"
    assert lower_phrase("A plank worth doing") == "a plank worth doing"
    assert lower_phrase("I'm stuck") == "I'm stuck"


def test_headings_lose_numbers_and_shouting() -> None:
    assert clean_heading("3.2 Grip:") == "Grip"
    assert clean_heading("12) Common Faults") == "Common Faults"
    assert clean_heading("Chapter IV: The squat") == "The squat"
    assert clean_heading("ROWS AND PULLS") == "Rows and pulls"
    assert clean_heading("HIIT") == "HIIT"


def test_a_template_that_names_the_title_serves_headings_that_do_not() -> None:
    options = {"language": "en", "patterns": BUILTIN_PATTERNS, "key": "k"}
    apart = ask_question("The catch", "The power clean", **options)
    shared = ask_question("Power clean troubleshooting", "The power clean", **options)
    assert "power clean" in apart
    assert "catch" in apart
    assert shared.lower().count("power clean") == 1


def test_a_broken_pattern_file_is_named_with_its_fault(tmp_path, pack: Pack) -> None:
    own = pack.model_copy(update={"root": tmp_path, "questions": "q.toml"})
    for text, expected in (
        ('[[pattern]]\nmatch = "("\ntemplates = ["x?"]\n', "no regular expression"),
        ('[[pattern]]\nmatch = "x"\ntemplates = ["{nothing}?"]\n', "templates name"),
        ('[[pattern]]\nmatch = "x"\n', "expected language, match"),
    ):
        (tmp_path / "q.toml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=expected):
            load_patterns(own)


markdown_lines = st.lists(
    st.one_of(
        st.sampled_from(
            ["# Top", "## Part", "### Why?", "", "- item one", "1. step", "| a | b |", "|---|---|", "> quote"]
        ),
        st.sampled_from(["```", "[[x|y]]", "**Q?**", "Q: who?", "A: me", "---", "<div>", "![i](j)", "    indented"]),
        st.text(alphabet="ab *_[]()|`#>-.\u0627\u200f", max_size=30),
    ),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(lines=markdown_lines, offset=st.integers(0, 9))
def test_any_page_gives_valid_examples_whose_lines_lie_in_the_file(lines: list[str], offset: int) -> None:
    content = "\n".join([*lines, LONG, LONG])
    rows, left_out = extract(PLAIN_PACK, content, offset=offset)
    assert rows or left_out
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        first, last = json.loads(row["span"])["lines"]
        assert offset < first <= last <= offset + content.count("\n") + 1
        question, answer = (message["content"] for message in json.loads(row["messages"]))
        assert question.strip()
        assert answer.strip()


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_every_text_can_be_parsed(text: str) -> None:
    assert parse_sections(text).level == 0
