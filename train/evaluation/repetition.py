"""How much an answer goes round in circles."""

NGRAM = 4


def measure_repetition(text: str) -> float:
    """Gives the share of word 4-grams that occurred before in the text, 0-1; 0 for fewer than two of them."""
    words = text.lower().split()
    grams = [tuple(words[start : start + NGRAM]) for start in range(len(words) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
