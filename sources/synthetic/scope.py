"""What a topic needs: which phrases are reachable and which columns they read, in an order that can be drawn."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from schemas.errors import ConfigError
from schemas.rules import FollowUp, Phrase, Rule, Topic, Variable
from sources.synthetic.columns import root_names
from sources.synthetic.place import Place
from sources.synthetic.rulebook import RuleBook
from sources.synthetic.templates import PhraseSet, compile_phrase

Phrases = dict[str, PhraseSet]
# Columns that are always there: the category of the row, and the id of the rule that decides it.
CATEGORY = "category"
RULE = "rule"
# The phrase that gives the reasons; kept as metadata.
REASON = "because"


@dataclass(frozen=True)
class CompiledRule:
    """A rule with its phrases; those of the rule hide those of the topic, which hide those of the book."""

    rule: Rule
    phrases: Phrases
    is_otherwise: bool


@dataclass(frozen=True)
class CompiledTopic:
    """A topic ready to be drawn and rendered.

    Attributes:
        topic: As written.
        category: The one of its categories that is meant.
        rules: In the order of the file.
        columns: Names of the variables to draw, each after those it reads.
        read: All columns that phrases and expressions name.
        spoken: Columns that may stand in a text or in the metadata.
        variables: All variables in scope.
        phrases: Of the topic and the book, for what stands outside of rules.
        follow_ups: Names of the ask and answer phrases and the condition of each.
        place: For messages.
    """

    topic: Topic
    category: str
    rules: tuple[CompiledRule, ...]
    columns: tuple[str, ...]
    read: frozenset[str]
    spoken: tuple[str, ...]
    variables: dict[str, Variable]
    phrases: Phrases
    follow_ups: tuple[FollowUp, ...]
    place: Place


def compile_topic(book: RuleBook, topic: Topic, category: str) -> CompiledTopic:
    """Makes a topic ready.

    Raises:
        ConfigError: A slot or an expression names something that does not exist; the message names the line.
    """
    place = book.places[topic.id]
    phrases = book.phrases | _compile_all(topic.phrases) | _compile_all({"ask": topic.ask})
    if topic.input is not None:
        phrases |= _compile_all({"input": topic.input})
    for number, follow_up in enumerate(topic.follow_ups):
        phrases |= _compile_all({f"ask:{number}": follow_up.ask, f"answer:{number}": follow_up.answer})
    rules = tuple(_compile_rule(topic, rule, phrases) for rule in topic.rules)
    variables = book.variables | topic.variables
    resolver = _Resolver(book, variables, place)
    needed = _needed_names(topic, rules, phrases, place)
    for name in needed:
        resolver.add(name)
    personal = [name for name in book.personas.columns if name != "persona_weight"]
    spoken = dict.fromkeys([*(name for name in needed if name != RULE), *resolver.order, *personal])
    return CompiledTopic(
        topic,
        category,
        rules,
        tuple(resolver.order),
        frozenset(resolver.read),
        tuple(spoken),
        variables,
        phrases,
        tuple(topic.follow_ups),
        place,
    )


def _compile_all(phrases: dict[str, Phrase]) -> Phrases:
    return {name: compile_phrase(phrase) for name, phrase in phrases.items()}


def _compile_rule(topic: Topic, rule: Rule, phrases: Phrases) -> CompiledRule:
    answer = rule.answer if rule.answer is not None else topic.answer
    own = _compile_all({**rule.phrases, "answer": answer, "action": [rule.action]})
    return CompiledRule(rule, phrases | own, rule.when is None)


def _needed_names(topic: Topic, rules: tuple[CompiledRule, ...], phrases: Phrases, place: Place) -> list[str]:
    names: dict[str, None] = {}
    outer = ["ask", *(["input"] if topic.input is not None else [])]
    outer += [f"{kind}:{n}" for n in range(len(topic.follow_ups)) for kind in ("ask", "answer")]
    conditions = [follow_up.when for follow_up in topic.follow_ups]
    names |= _reach(outer, phrases, conditions, set(), place)
    for compiled in rules:
        expressions = [compiled.rule.when, *compiled.rule.values.values()]
        reached = _reach(
            ["answer", "action", *({REASON} & compiled.phrases.keys())],
            compiled.phrases,
            expressions,
            set(compiled.rule.values),
            place,
        )
        names |= {name: None for name in reached if name not in compiled.rule.values}
    return list(names)


def _reach(
    start: list[str], phrases: Phrases, conditions: Iterable[str | None], known: set[str], place: Place
) -> dict[str, None]:
    names: dict[str, None] = {}
    for condition in conditions:
        names |= dict.fromkeys(sorted(root_names(condition, place)) if condition else [])
    queue, seen = list(start), set(start)
    while queue:
        for template in phrases[queue.pop()].templates:
            if template.when:
                names |= dict.fromkeys(sorted(root_names(template.when, place)))
            for slot in template.slots:
                if slot.name not in phrases or slot.name in known:
                    names[slot.name] = None
                elif slot.name not in seen:
                    seen.add(slot.name)
                    queue.append(slot.name)
    return names


class _Resolver:
    """Collects variables in an order in which each comes after what it reads."""

    def __init__(self, book: RuleBook, variables: dict[str, Variable], place: Place) -> None:
        self.order: list[str] = []
        self.read: set[str] = set()
        self._book = book
        self._variables = variables
        self._place = place
        self._open: list[str] = []

    def add(self, column: str) -> None:
        """Adds the variable that gives a column, after everything it reads."""
        self.read.add(column)
        if column in (CATEGORY, RULE) or column in self._book.personas.columns:
            return
        name = self._variable_of(column)
        if name in self.order:
            return
        if name in self._open:
            circle = " -> ".join([*self._open, name])
            raise ConfigError(f"{self._place.spot(name)}: variables read each other: {circle}", "break the circle")
        self._open.append(name)
        for needed in self._reads(name):
            self.add(needed)
        self._open.pop()
        self.order.append(name)

    def _variable_of(self, column: str) -> str:
        if column in self._variables:
            return column
        for name, variable in self._variables.items():
            if variable.table is not None and column.startswith(name + "_"):
                table = self._book.tables.get(variable.table)
                if table is not None and column[len(name) + 1 :] in table.columns:
                    return name
        raise ConfigError(
            f"{self._place.spot(column)}: nothing is called {column!r}",
            "slots and expressions name a variable, a field of a table variable, a persona value or a phrase",
        )

    def _reads(self, name: str) -> list[str]:
        variable = self._variables[name]
        texts = [t for t in (variable.low, variable.high, variable.step, variable.value) if isinstance(t, str)]
        names = {n for text in texts for n in root_names(text, self._place)} | set(variable.follows)
        if variable.where is not None:
            self.read |= root_names(variable.where, self._place)
            own = {f"{name}_{column}" for column in self._table(variable).columns} | {name}
            names |= root_names(variable.where, self._place) - own
        return sorted(names)

    def _table(self, variable: Variable) -> pl.DataFrame:
        table = self._book.tables.get(variable.table or "")
        if table is None:
            known = ", ".join(self._book.tables) or "none"
            spot = self._place.spot(f'"{variable.table}"')
            raise ConfigError(f"{spot}: no table {variable.table!r}", f"there are: {known}")
        return table
