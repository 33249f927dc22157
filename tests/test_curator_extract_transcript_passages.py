import json

from hypothesis import given
from hypothesis import strategies as st

from curator.extract.transcript_passages import MAX_PASSAGE_WORDS, MIN_PASSAGE_WORDS, cut_atoms, split_passages

ATOMS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from([-0.3, 0.2, 0.3, 1.0])), max_size=60)


@given(ATOMS)
def test_passages_are_the_whole_text_in_order(atoms):
    cuts = cut_atoms(atoms)
    assert cuts == sorted(set(cuts))
    assert cuts[:1] == ([0] if atoms else [])
    assert all(0 <= cut < len(atoms) for cut in cuts)


@given(ATOMS)
def test_passages_keep_to_the_limits_wherever_the_text_is_long_enough(atoms):
    cuts = cut_atoms(atoms)
    lengths = (
        []
        if not atoms
        else [sum(words for words, _ in atoms[a:b]) for a, b in zip(cuts, [*cuts[1:], len(atoms)], strict=True)]
    )
    if sum(lengths) >= MIN_PASSAGE_WORDS:
        assert all(MIN_PASSAGE_WORDS <= length <= MAX_PASSAGE_WORDS for length in lengths)
    else:
        assert len(lengths) <= 1


def make_document(lines: list[str], **metadata: object) -> dict[str, object]:
    return {
        "id": "0" * 32,
        "content": "\n".join(lines),
        "metadata": json.dumps(metadata),
        "natural_key": "pod/one.vtt",
        "title": "Squats",
    }


def test_unpunctuated_text_is_cut_at_cue_phrases_and_pauses():
    lines = ["we keep the bar over the middle of the foot today"] * 10
    lines += ["so the next thing is how you breathe in between"] * 1 + [
        "we fill the belly with air before every single lift"
    ] * 10
    cues = [[number * 3.0, number * 3.0 + 2.9] for number in range(len(lines))]
    first, second = split_passages(make_document(lines, cues=cues, video="dQw4w9WgXcQ"))
    assert second.text.startswith("so the next thing is how you breathe")
    assert first.span == {"seconds": [0.0, 29.9]}
    assert second.span == {"seconds": [30.0, 62.9]}
    assert second.unit_keys == ("video:dQw4w9WgXcQ",)


def test_chapters_are_kept_apart_and_name_their_passages():
    lines = ["Keep the bar over the middle of the foot at all times."] * 8 + [
        "Breathe into the belly before you lift it."
    ] * 10
    cues = [[number * 3.0, number * 3.0 + 3.0] for number in range(len(lines))]
    chapters = [[0.0, "Set-up"], [24.0, "Breathing"]]
    passages = split_passages(make_document(lines, cues=cues, chapters=chapters))
    assert [passage.title for passage in passages] == ["Set-up", "Breathing"]
    assert passages[1].text.startswith("Breathe into")


def test_a_chapter_of_a_few_words_goes_to_its_neighbour():
    lines = ["Keep the bar over the middle of the foot at all times."] * 8 + ["Thank you for watching."]
    cues = [[number * 3.0, number * 3.0 + 3.0] for number in range(len(lines))]
    passages = split_passages(make_document(lines, cues=cues, chapters=[[0.0, "Set-up"], [24.0, "Outro"]]))
    assert [passage.title for passage in passages] == ["Set-up"]
    assert passages[0].text.endswith("Thank you for watching.")


def test_speaker_turns_without_times_cite_lines():
    long_turn = "Keep the bar over the middle of the foot at all times when you squat. " * 6
    lines = [long_turn.strip(), long_turn.strip(), long_turn.strip()]
    passages = split_passages(make_document(lines, speakers=["Speaker 1", "Speaker 2", "Speaker 1"]))
    lines_of = [passage.span["lines"] for passage in passages]
    assert (lines_of[0][0], lines_of[-1][1]) == (1, 3)
    assert " ".join(passage.text for passage in passages) == " ".join(lines)


def test_an_empty_transcript_has_no_passage_to_speak_of():
    assert [passage.text for passage in split_passages(make_document(["Hello."]))] == ["Hello."]
