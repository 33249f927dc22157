import numpy as np
import pytest

from curator.dedup import DedupError, find_duplicates
from curator.dedup.losses import measure_losses
from curator.dedup.semantic import embed_texts, find_semantic_duplicates, top_neighbours
from curator.dedup.subjects import join_turns

MEANINGS = {"rest a day": (1, 0, 0), "take a day off": (0.99, 0.1, 0), "lift more": (0, 1, 0), "": (0, 0, 1)}


def embed(texts):
    return np.array([MEANINGS[text.lower().strip("!")] for text in texts])


def test_texts_of_one_meaning_are_duplicates_whatever_their_words():
    texts = ["Rest a day", "take a day off", "lift more", "", "rest a day!"]
    found = find_semantic_duplicates(texts, embed, 0.9)
    assert found.kept["id"].to_list() == [1, 2, 3]
    assert found.removed["id"].to_list() == [0, 4]
    assert set(found.removed["representative"].to_list()) == {1}
    assert found.num_empty == 1
    assert len(find_semantic_duplicates(texts, embed, 0.999).kept) == 4


def test_top_neighbours_are_exact():
    generator = np.random.default_rng(0)
    vectors = embed_texts(["x"] * 2500, lambda texts: generator.normal(size=(len(texts), 8)))
    places, scores = top_neighbours(vectors, vectors, 3)
    full = vectors @ vectors.T
    assert (places[:, 0] == np.arange(2500)).all()
    assert np.allclose(np.sort(full, axis=1)[:, ::-1][:, :3], scores)


def test_an_embedding_of_the_wrong_shape_is_refused():
    with pytest.raises(DedupError, match="embed"):
        embed_texts(["a", "b"], lambda texts: np.zeros(3))


def test_a_source_that_loses_most_of_its_rows_is_alarming():
    texts = ["the same long template text over and over again"] * 30 + [f"unique text number {at}" for at in range(30)]
    sources = ["template"] * 30 + ["forum"] * 30
    losses = measure_losses(find_duplicates(texts), range(60), sources)
    assert losses.select("source", "num_rows", "num_removed", "is_alarming").rows() == [
        ("template", 30, 29, True),
        ("forum", 30, 0, False),
    ]
    assert not measure_losses(find_duplicates(texts), range(60), sources, min_rows=31)["is_alarming"].any()


def test_prompt_answer_or_both_can_be_compared_and_system_prompts_never_count():
    messages = [
        {"role": "system", "content": "You are a coach."},
        {"role": "user", "content": "How far?", "input": "I am new."},
        {"role": "assistant", "content": "Disclaimer. Five km."},
    ]
    assert join_turns(messages) == "How far?\n\nI am new.\n\nDisclaimer. Five km."
    assert join_turns(messages, "prompt") == "How far?\n\nI am new."
    assert join_turns(messages, "answer", masked=["Disclaimer."]).strip() == "Five km."
    with pytest.raises(DedupError, match="subject"):
        join_turns(messages, "system")
