"""Rules about food and water, recomputed from the question."""

import re

from curator.truth.expectation import Expectation, exactly, on_grid, state
from curator.truth.quantities import find_load, find_number

_LB_PER_KG = 2.2046


def expect_protein(question: str) -> Expectation | None:
    """Protein: 1.6 to 2.2 g per kg or 0.8 to 1 g per lb, in steps of 5 g."""
    load = find_load(question)
    if load is None:
        return None
    weight, unit = load
    low, high = (1.6, 2.2) if unit == "kg" else (0.8, 1.0)
    least, most = on_grid(weight * low, 5.0), on_grid(weight * high, 5.0)
    return Expectation({unit: exactly([weight, 1.0])}, [state("g", least), state("g", most)])


def expect_calories(question: str) -> Expectation | None:
    """Maintenance plus 300 to 500 for growth and strength, minus 300 to 500 for fat loss."""
    maintenance = find_number(r"(\d{4}) ?kcal", question)
    if maintenance is None:
        return None
    if re.search(r"lose fat|deficit", question):
        low, high = maintenance - 500, maintenance - 300
    elif re.search(r"muscle|stronger|surplus", question):
        low, high = maintenance + 300, maintenance + 500
    else:
        low = high = maintenance
    allowed = {"kcal": exactly([maintenance, low, high, 100, 150, 300, 500])}
    return Expectation(allowed, [[("kcal", low, 0.0)], [("kcal", high, 0.0)]])


def expect_macros(question: str) -> Expectation | None:
    """Protein 1.8 g per kg, fat 0.9 g per kg, carbohydrate with what is left of the calories."""
    load, kcal = find_load(question), find_number(r"(?<!\d)(\d{4})(?!\d)", question)
    if load is None or kcal is None:
        return None
    kilos = load[0] if load[1] == "kg" else round(load[0] / _LB_PER_KG)
    protein, fat = on_grid(kilos * 1.8, 5.0), on_grid(kilos * 0.9, 5.0)
    carbs = on_grid((kcal - 4 * protein - 9 * fat) / 4, 5.0)
    energy = {"kcal": exactly([kcal, 4 * protein, 9 * fat])}
    return Expectation(energy, [state("g", value) for value in (protein, fat, carbs)])


def expect_meals(question: str) -> Expectation | None:
    """Protein over the meals of the day, at least four of them."""
    protein = find_number(r"(\d+) g", question)
    meals = find_number(r"(\d) (?:times|meals)", question)
    if protein is None or meals is None:
        return None
    portion, quarter = on_grid(protein / meals, 1.0), on_grid(protein / 4, 1.0)
    counts = [
        (r"(?<!to )(\d) (?:meals|portions|times)", {meals, 4.0}),
        (r"instead of (\d)\b", {meals}),
        (r"from (\d) to", {meals}),
    ]
    if meals >= 4:
        return Expectation(must=[state("g", portion)], counts=counts)
    return Expectation(must=[state("g", quarter)], counts=counts, says=r"\b(?:4|four)\b")


def expect_weigh_in(question: str) -> Expectation | None:
    """Weekly rate against the aim; 150 kcal up or down, or no change."""
    kcal = find_number(r"(\d{4}) kcal", question)
    pair = re.search(
        r"(\d+(?:\.\d+)?) (?:to|->) (\d+(?:\.\d+)?) (?:kg|lb)"
        r"|(\d+(?:\.\d+)?) (?:kg|lb)(?: three weeks ago,| and) (\d+(?:\.\d+)?) (?:kg|lb)",
        question,
    )
    if kcal is None or pair is None:
        return None
    start, end = (float(group) for group in pair.groups() if group)
    rate = 100 * (end - start) / start / 3
    change = _calorie_change(round(rate, 2), is_cutting="fat" in question)
    allowed = {
        "kcal": exactly([kcal, kcal + change, 150.0]),
        "percent": [(abs(rate), 0.011), *exactly([0.25, 0.5, 1.0])],
    }
    return Expectation(allowed, [[("kcal", kcal + change, 0.0)]])


def expect_hydration(question: str) -> Expectation | None:
    """Weight lost while training: drink 1.25 to 1.5 times as much; above 2 percent it was too little."""
    weights = [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) kg", question)]
    drunk = find_number(r"(\d+(?:\.\d+)?) l\b", question)
    if len(weights) < 2 or drunk is None:
        return None
    before, after = weights[:2]
    loss = round(before - after, 1)
    share = on_grid(100 * loss / before, 0.1)
    refill, more = on_grid(loss * 1.25, 0.1), on_grid(loss * 1.5, 0.1)
    allowed = {"l": exactly([refill, more, loss + drunk, drunk, 0.2]), "percent": exactly([share, 1.0, 2.0])}
    counts = [(r"(\d+(?:\.\d+)?) to \d+(?:\.\d+)? l\b", {round(refill, 1)})]
    if share > 2:
        says = r"too little|clearly more|too dry"
    else:
        says = r"drank enough|that's fine|drinking fits" if share < 1 else r"bit more|slightly too little|little more"
    return Expectation(allowed, [state("l", refill), state("l", more)], counts, says=says)


def _calorie_change(rate: float, *, is_cutting: bool) -> float:
    if is_cutting:
        return -150.0 if rate > -0.4 else 150.0 if rate < -1.05 else 0.0
    return 150.0 if rate < 0.2 else -150.0 if rate > 0.6 else 0.0
