"""A topic as a program for the machine of `kernel`: phrases as operations, rules as what names mean."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sources.synthetic import kernel, kernel_output
from sources.synthetic.machine import Code
from sources.synthetic.rulebook import RuleBook
from sources.synthetic.scope import REASON, RULE, CompiledRule, CompiledTopic
from sources.synthetic.templates import PhraseSet, Slot, Template

Op = tuple[int, int, int, int]
_TIDY: Op = (kernel_output.TIDY, 0, 0, 0)
_PLAIN: Op = (kernel_output.PLAIN, 0, 0, 0)
_END: Op = (kernel.END, 0, 0, 0)


@dataclass(frozen=True)
class Scope:
    """What one rule needs.

    Attributes:
        phrases: By name id, index of the phrase.
        columns: Names of the columns that its texts name.
        conditions: That its phrases ask for, with their ids.
        own: Names that only exist where the rule holds.
        entries: First operation of the turns, the metadata, the scenario and of each follow-up.
    """

    phrases: dict[int, int]
    columns: tuple[str, ...]
    conditions: dict[str, int]
    own: frozenset[str]
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A topic ready to run.

    Attributes:
        code: The phrases.
        names: Id of every name.
        scopes: By rule.
        num_conditions: Of all phrases.
    """

    code: Code
    names: dict[str, int]
    scopes: tuple[Scope, ...]
    num_conditions: int


def write_program(book: RuleBook, compiled: CompiledTopic) -> Program:
    """Translates a topic."""
    writer = _Writer(book, compiled)
    scopes = tuple(writer.add_rule(rule) for rule in compiled.rules)
    return Program(writer.finish(), writer.names, scopes, len(writer.conditions))


@dataclass
class _Writer:
    book: RuleBook
    compiled: CompiledTopic
    names: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, int] = field(default_factory=dict)
    _literals: bytearray = field(default_factory=bytearray)
    _ops: list[Op] = field(default_factory=list)
    _templates: list[tuple[int, int]] = field(default_factory=list)
    _phrases: list[tuple[int, int]] = field(default_factory=list)
    # By identity: a phrase of the topic is one phrase, whichever rule it is said under.
    _known: dict[int, int] = field(default_factory=dict)

    def add_rule(self, rule: CompiledRule) -> Scope:
        own = frozenset({RULE, *rule.rule.values})
        reached, columns, conditions = _walk(rule.phrases, own, self._roots(rule))
        for follow_up in self.compiled.follow_ups:
            if follow_up.when is not None:
                conditions[follow_up.when] = None
        phrases = {self._name(name): self._phrase(rule.phrases[name]) for name in reached}
        variables = self._variables(rule)
        entries = [self._turns(rule), self._metadata(rule, variables), self._scenario(rule)]
        entries += [self._follow_up(rule, number) for number in range(len(self.compiled.follow_ups))]
        used = dict.fromkeys([*columns, *variables, "persona"])
        ids = {text: self._condition(text) for text in conditions}
        return Scope(phrases, tuple(used), ids, own, tuple(entries))

    def finish(self) -> Code:
        digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in self.names]
        return Code(
            np.frombuffer(bytes(self._literals) or b" ", dtype=np.uint8),
            np.array(self._ops, dtype=np.int32),
            np.array(self._templates, dtype=np.int32),
            np.array(self._phrases, dtype=np.int32),
            np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64),
        )

    def _roots(self, rule: CompiledRule) -> list[str]:
        topic = self.compiled.topic
        roots = ["ask", "answer", "action", *(["input"] if topic.input is not None else [])]
        roots += [REASON] if REASON in rule.phrases else []
        return roots + [f"{kind}:{n}" for n in range(len(self.compiled.follow_ups)) for kind in ("ask", "answer")]

    def _variables(self, rule: CompiledRule) -> list[str]:
        personal = [name for name in self.book.personas.columns if not name.startswith("persona")]
        return sorted({*self.compiled.columns, *rule.rule.values, *personal})

    def _turns(self, rule: CompiledRule) -> int:
        ops = [self._literal('{"messages":[{"content":"'), *self._say(rule, "ask")]
        if self.compiled.topic.input is not None:
            ops += [self._literal('","input":"'), *self._say(rule, "input")]
        ops += [self._literal('","role":"user"},{"content":"'), *self._say(rule, "answer")]
        return self._entry([*ops, self._literal('","role":"assistant"}')])

    def _follow_up(self, rule: CompiledRule, number: int) -> int:
        ops = [self._literal(',{"content":"'), *self._say(rule, f"ask:{number}")]
        ops += [self._literal('","role":"user"},{"content":"'), *self._say(rule, f"answer:{number}")]
        return self._entry([*ops, self._literal('","role":"assistant"}')])

    def _metadata(self, rule: CompiledRule, variables: Sequence[str]) -> int:
        compiled, topic = self.compiled, self.compiled.topic
        role = topic.role or self.book.roles.get(compiled.category, "coach")
        ops = [self._literal('{"action":"'), *self._say(rule, "action")]
        start = f'","category":"{compiled.category}","language":"{self.book.language}","persona":"'
        ops += [self._literal(start), self._column("persona")]
        if REASON in rule.phrases:
            ops += [self._literal('","reasoning":"'), *self._say(rule, REASON)]
        ops += [self._literal(f'","role":"{role}","rule":"{topic.id}/{rule.rule.id}","scenario":"')]
        rest = f'","shape":"messages","subtopic":"{topic.subtopic}","topic":"{topic.id}","variables":{{'
        ops += [(kernel_output.HOLE, 0, 0, 0), self._literal(rest)]
        for number, name in enumerate(variables):
            ops += [self._literal(f'{"," if number else ""}"{name}":'), (kernel.VALUE, self._name(name), 0, 0)]
        return self._entry([*ops, self._literal("}}")])

    def _scenario(self, rule: CompiledRule) -> int:
        """The parts of an id: rule, persona, and the last is left open for the answer without its numbers."""
        part, close = (kernel_output.PART, 0, 0, 0), (kernel_output.CLOSE, 0, 0, 0)
        name = self._literal(f"{self.compiled.topic.id}/{rule.rule.id}")
        return self._entry([part, name, close, part, self._column("persona"), close, part])

    def _entry(self, ops: Iterable[Op]) -> int:
        first = len(self._ops)
        self._ops += [*ops, _END]
        return first

    def _say(self, rule: CompiledRule, name: str) -> list[Op]:
        return [_TIDY, (kernel.SAY, self._phrase(rule.phrases[name]), self._name(name), 0), _PLAIN]

    def _column(self, name: str) -> Op:
        return (kernel.SLOT, self._name(name), 0, 0)

    def _literal(self, text: str) -> Op:
        first = len(self._literals)
        self._literals += text.encode()
        is_tight = not ("  " in text or "\n" in text)
        return (kernel.LITERAL, first, len(self._literals), int(is_tight))

    def _phrase(self, phrase: PhraseSet) -> int:
        if id(phrase) not in self._known:
            templates = [(self._template(t), self._condition(t.when)) for t in phrase.templates]
            self._known[id(phrase)] = len(self._phrases)
            self._phrases.append((len(self._templates), len(templates)))
            self._templates += templates
        return self._known[id(phrase)]

    def _template(self, template: Template) -> int:
        return self._entry(
            [
                (kernel.SLOT, self._name(part.name), part.nth, int(part.is_capital))
                if isinstance(part, Slot)
                else self._literal(part)
                for part in template.parts
            ]
        )

    def _name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def _condition(self, text: str | None) -> int:
        return -1 if text is None else self.conditions.setdefault(text, len(self.conditions))


def _walk(
    phrases: dict[str, PhraseSet], own: frozenset[str], roots: Iterable[str]
) -> tuple[list[str], dict[str, None], dict[str, None]]:
    """Gives the phrases, the columns and the conditions that some phrases lead to."""
    queue = list(roots)
    seen = dict.fromkeys(queue)
    columns: dict[str, None] = {}
    conditions: dict[str, None] = {}
    while queue:
        for template in phrases[queue.pop()].templates:
            if template.when is not None:
                conditions[template.when] = None
            for slot in template.slots:
                if slot.name not in phrases or slot.name in own:
                    columns[slot.name] = None
                elif slot.name not in seen:
                    seen[slot.name] = None
                    queue.append(slot.name)
    return list(seen), columns, conditions
