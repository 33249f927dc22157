"""From a topic and row numbers to everything the machine needs: drawn, decided, every condition answered."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from sources.synthetic.coded import Coded, code_series
from sources.synthetic.columns import evaluate, evaluate_claims, root_names
from sources.synthetic.decide import decide_rules
from sources.synthetic.draw import draw_rows
from sources.synthetic.drawn import Drawn
from sources.synthetic.kernel_output import U8
from sources.synthetic.machine import Code, Rows, Scopes
from sources.synthetic.noise import I64, hash_key
from sources.synthetic.program import Program, Scope
from sources.synthetic.rulebook import RuleBook
from sources.synthetic.scope import RULE, CompiledRule, CompiledTopic


@dataclass(frozen=True)
class Topic:
    """A topic that can be spoken.

    Attributes:
        book: Where it stands.
        compiled: What it draws and decides.
        program: What it says.
        spelled: Columns of its records in words, filled as they are named.
    """

    book: RuleBook
    compiled: CompiledTopic
    program: Program
    spelled: dict[str, Coded] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """Rows of one topic, drawn and decided, ready to be written in any order.

    Attributes:
        topic: What they are about.
        numbers: Row numbers within the stream.
        is_decided: Where a rule holds and every table had a row; only these can be written.
        code: The phrases.
        scopes: What names mean.
        rows: What was drawn.
    """

    topic: Topic
    numbers: I64
    is_decided: U8
    code: Code
    scopes: Scopes
    rows: Rows


def prepare_rows(topic: Topic, key: str, numbers: I64) -> Prepared:
    """Draws and decides.

    Args:
        topic: The topic.
        key: Names the stream of randomness: seed, language, category.
        numbers: Row numbers within the stream.
    """
    drawn = draw_rows(topic.book, topic.compiled, key, numbers)
    conditions = (rule.rule.when for rule in topic.compiled.rules)
    decided = decide_rules(topic.compiled, drawn.frame(_roots_of(topic, conditions)))
    decided = np.where(drawn.is_complete, decided, -1)
    linker = _Linker(topic, drawn, decided)
    linker.link()
    rows = linker.rows(numbers, np.maximum(decided, 0))
    return Prepared(
        topic,
        numbers,
        (decided >= 0).astype(np.uint8),
        topic.program.code,
        linker.scopes(f"{key}/{topic.compiled.topic.id}"),
        rows,
    )


def _roots_of(topic: Topic, expressions: Iterable[str | None]) -> list[str]:
    names = {name for text in expressions if text is not None for name in root_names(text, topic.compiled.place)}
    return sorted(names)


class _Linker:
    """Collects the columns and the answered conditions that names and conditions of each rule stand for."""

    def __init__(self, topic: Topic, drawn: Drawn, decided: I64) -> None:
        compiled, program = topic.compiled, topic.program
        self._topic = topic
        self._drawn = drawn
        self._decided = decided
        self._columns: dict[tuple[int, str], int] = {}
        self._coded: list[Coded] = []
        self._claims: dict[tuple[int, str], int] = {}
        self._held: list[U8] = []
        self._slots = np.zeros((len(compiled.rules), len(program.names)), dtype=np.int32)
        self._of_condition = np.zeros((len(compiled.rules), max(program.num_conditions, 1)), dtype=np.int32)

    def link(self) -> None:
        """Works out what the rules that hold somewhere read."""
        present = [index for index in range(len(self._topic.compiled.rules)) if (self._decided == index).any()]
        shared = {
            text: None
            for index in present
            for text in self._topic.program.scopes[index].conditions
            if not self._is_own(text, self._topic.program.scopes[index])
        }
        frame = self._drawn.frame(_roots_of(self._topic, shared))
        for text, held in evaluate_claims(frame, list(shared), self._topic.compiled.place).items():
            self._add_claim((-1, text), held.view(np.uint8))
        for index in present:
            self._link_rule(index, self._topic.compiled.rules[index], self._topic.program.scopes[index])

    def rows(self, numbers: I64, rules: I64) -> Rows:
        """Gives the columns as the machine reads them."""
        sizes = np.concatenate([np.zeros(1, dtype=np.int64), *(coded.sizes for coded in self._coded)])
        counts = [0, *(len(coded.sizes) for coded in self._coded)]
        nothing = np.zeros((len(numbers), 1), dtype=np.uint8)
        return Rows(
            numbers,
            rules,
            np.stack(self._held, axis=1) if self._held else nothing,
            np.stack([coded.codes for coded in self._coded]),
            np.cumsum(counts[:-1], dtype=np.int64),
            np.cumsum(sizes),
            np.frombuffer(b"".join(coded.texts for coded in self._coded) or b" ", dtype=np.uint8),
            np.array([coded.is_text for coded in self._coded], dtype=np.uint8),
        )

    def scopes(self, key: str) -> Scopes:
        """Gives what names mean to each rule."""
        topic = self._topic.compiled.topic
        follow_ups = self._topic.compiled.follow_ups
        follow_claims = np.full((len(self._topic.compiled.rules), len(follow_ups)), -1, dtype=np.int32)
        for index, scope in enumerate(self._topic.program.scopes):
            for number, follow_up in enumerate(follow_ups):
                if follow_up.when is not None:
                    follow_claims[index, number] = self._of_condition[index, scope.conditions[follow_up.when]]
        return Scopes(
            self._slots,
            self._of_condition,
            np.array([scope.entries for scope in self._topic.program.scopes], dtype=np.int32),
            follow_claims,
            np.array([topic.follow_up_ratio]),
            np.array([hash_key(f"{key}/phrase"), hash_key(f"{key}/follow-up")], dtype=np.uint64),
        )

    def _is_own(self, condition: str, scope: Scope) -> bool:
        return not scope.own.isdisjoint(root_names(condition, self._topic.compiled.place))

    def _link_rule(self, index: int, rule: CompiledRule, scope: Scope) -> None:
        at = np.flatnonzero(self._decided == index)
        own = [text for text in scope.conditions if self._is_own(text, scope)]
        frame = self._own_frame(rule, at, own)
        for text, held in evaluate_claims(frame, own, self._topic.compiled.place).items():
            everywhere = np.zeros(self._drawn.height, dtype=np.uint8)
            everywhere[at] = held
            self._add_claim((index, text), everywhere)
        for text, number in scope.conditions.items():
            self._of_condition[index, number] = self._claims[index if text in own else -1, text]
        names = self._topic.program.names
        for number, phrase in scope.phrases.items():
            self._slots[index, number] = phrase
        for name in scope.columns:
            self._slots[index, names[name]] = -1 - self._find_column(index, name, scope, frame, at)

    def _own_frame(self, rule: CompiledRule, at: I64, conditions: list[str]) -> pl.DataFrame:
        """Gives the rows of a rule with the columns that only it has."""
        values = rule.rule.values
        read = _roots_of(self._topic, [*values.values(), *conditions])
        frame = self._drawn.frame(read)[at].with_columns(pl.lit(rule.rule.id).alias(RULE))
        for name, expression in values.items():
            frame = frame.with_columns(evaluate(frame, expression, self._topic.compiled.place).alias(name))
        return frame

    def _add_claim(self, key: tuple[int, str], held: U8) -> None:
        self._claims[key] = len(self._held)
        self._held.append(held)

    def _find_column(self, index: int, name: str, scope: Scope, frame: pl.DataFrame, at: I64) -> int:
        key = (index if name in scope.own else -1, name)
        if key not in self._columns:
            coded = (
                self._drawn.code(name, self._topic.spelled)
                if key[0] < 0
                else self._spread(code_series(frame.get_column(name)), at)
            )
            self._columns[key] = len(self._coded)
            self._coded.append(coded)
        return self._columns[key]

    def _spread(self, coded: Coded, at: I64) -> Coded:
        codes = np.full(self._drawn.height, -1, dtype=np.int32)
        codes[at] = coded.codes
        return replace(coded, codes=codes)
