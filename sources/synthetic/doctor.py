"""What `curator doctor` says about rule files: gaps, contradictions, dead rules, phrases without a fitting way."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.synthetic.conversation import render_rows
from sources.synthetic.decide import match_rules
from sources.synthetic.draw import draw_rows
from sources.synthetic.generate import make_topic
from sources.synthetic.noise import I64, draw_uniform
from sources.synthetic.prepare import Topic, prepare_rows
from sources.synthetic.rulebook import load_rules
from sources.synthetic.scope import CompiledTopic
from sources.synthetic.speak import Sheet

_SAMPLE_ROWS = 1500
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a rule file.

    Attributes:
        kind: `gap` (no rule holds), `contradiction` (several hold with equal priority), `dead_rule` (one that never
            decides), `silence` (a table or a phrase has nothing that fits), `error` (the file cannot be used).
        where: File, line and topic.
        message: What is wrong, in one line.
        example: A drawn point at which it happens; empty where there is none.
    """

    kind: Literal["gap", "contradiction", "dead_rule", "silence", "error"]
    where: str
    message: str
    example: dict[str, Any]


def check_rules(pack: Pack, paths: Sequence[Path] = (), seed: int = 0) -> list[Finding]:
    """Draws points of every topic, the edges of its conditions among them, and reports what does not add up.

    Args:
        pack: The pack whose rule files are checked.
        paths: Files to check instead of the pack's.
        seed: Another one draws other points.
    """
    try:
        rules = load_rules(pack, paths)
    except ConfigError as error:
        return [Finding("error", str(pack.root), error.message, {})]
    findings: list[Finding] = []
    for book in rules.books.values():
        for topic in book.topics:
            try:
                for category in topic.categories:
                    made = make_topic(book, topic.id, category)
                    findings += _check_topic(made, f"{seed}/{book.language}/{category}")
            except ConfigError as error:
                findings.append(Finding("error", book.places[topic.id].spot(), error.message, {}))
    return findings


def _check_topic(topic: Topic, key: str) -> list[Finding]:
    rows = np.arange(_SAMPLE_ROWS, dtype=np.int64)
    compiled = topic.compiled
    drawn = draw_rows(topic.book, compiled, key, rows)
    frame = drawn.frame(sorted(drawn.names))
    probes = _probe_edges(compiled, frame, key, rows)
    findings = []
    for points in (frame, probes):
        findings += _check_cover(compiled, points)
        if findings:
            break
    findings += _check_dead(compiled, pl.concat([frame, probes], how="vertical_relaxed"))
    return findings + _check_silence(topic, key, frame, drawn.is_complete)


def _check_cover(compiled: CompiledTopic, points: pl.DataFrame) -> list[Finding]:
    claims = match_rules(compiled, points)
    priorities = np.array([rule.rule.priority for rule in compiled.rules], dtype=np.int64)
    ranked: I64 = np.where(claims, priorities[None, :], np.iinfo(np.int64).min)
    best: I64 = ranked.max(axis=1, keepdims=True)
    winners: NDArray[np.bool_] = np.where(ranked == best, claims, False)
    where = compiled.place.spot()
    findings = []
    uncovered = np.flatnonzero(~claims.any(axis=1))
    if uncovered.size:
        message = f"no rule holds at {uncovered.size / points.height:.1%} of the points"
        findings.append(Finding("gap", where, message, _example(compiled, points, int(uncovered[0]))))
    contested = np.flatnonzero(winners.sum(axis=1) > 1)
    if contested.size:
        first = int(contested[0])
        names = [rule.rule.id for rule, wins in zip(compiled.rules, winners[first], strict=True) if wins]
        message = f"{' and '.join(names)} hold at once with equal priority"
        findings.append(Finding("contradiction", where, message, _example(compiled, points, first)))
    return findings


def _check_dead(compiled: CompiledTopic, points: pl.DataFrame) -> list[Finding]:
    claims = match_rules(compiled, points)
    dead = [rule.rule.id for index, rule in enumerate(compiled.rules) if not claims[:, index].any()]
    where = compiled.place.spot()
    return [Finding("dead_rule", where, f"rule {name} held at none of {points.height} points", {}) for name in dead]


def _check_silence(topic: Topic, key: str, frame: pl.DataFrame, is_complete: NDArray[np.bool_]) -> list[Finding]:
    rows = np.arange(_SAMPLE_ROWS, dtype=np.int64)
    refused = render_rows(prepare_rows(topic, key, rows), rows, Sheet()).refused
    covered: NDArray[np.bool_] = match_rules(topic.compiled, frame).sum(axis=1) > 0
    silent = [int(row) for row in refused if covered[row]]
    if not silent:
        return []
    what = "a phrase has no fitting way to say it" if is_complete[silent[0]] else "a table has no fitting row"
    message = f"{what} at {len(silent) / len(rows):.1%} of the points"
    return [Finding("silence", topic.compiled.place.spot(), message, _example(topic.compiled, frame, silent[0]))]


def _probe_edges(compiled: CompiledTopic, frame: pl.DataFrame, key: str, rows: I64) -> pl.DataFrame:
    """Gives the points again with drawn numbers moved to their ends and to the constants of the conditions."""
    conditions = " ".join(rule.rule.when or "" for rule in compiled.rules)
    constants = {float(text) for text in _NUMBER.findall(conditions)}
    probes = frame
    for name in compiled.columns:
        variable = compiled.variables[name]
        if variable.low is None or name not in conditions:
            continue
        values = frame.get_column(name).to_numpy()
        low, high = float(values.min()), float(values.max())
        step = variable.step if isinstance(variable.step, float) else (high - low) / 100
        near = {c + sign * step for c in constants for sign in (-1, 0, 1)} | {low, high}
        candidates = np.array(sorted(c for c in near if low <= c <= high))
        picked = (draw_uniform(f"{key}/probe/{name}", rows) * len(candidates)).astype(np.int64)
        probes = probes.with_columns(pl.Series(name, candidates[picked]))
    return _recompute(compiled, probes)


def _recompute(compiled: CompiledTopic, probes: pl.DataFrame) -> pl.DataFrame:
    for name in compiled.columns:
        value = compiled.variables[name].value
        if value is not None:
            probes = probes.with_columns(pl.sql_expr(value).alias(name))
    return probes


def _example(compiled: CompiledTopic, points: pl.DataFrame, row: int) -> dict[str, Any]:
    names = [name for name in compiled.columns if name in points.columns]
    return dict(points.select(names).row(row, named=True))
