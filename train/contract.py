"""The contract check: what must hold of every row before a minute of GPU time is spent on it."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import TrainError
from schemas.identity import make_id
from schemas.recipe import DataSection
from schemas.training import ContractReport, Offence
from train.export_folder import ExportFolder, Row
from train.tokenize import IGNORED, Tokens, decode, tokenize_row

TRAINED_SPLITS = ("train", "validation")
ROLES = ("system", "user", "assistant", "tool")
RULES = {
    "counts_differ": "the files are not what the manifest says",
    "unreadable": "the row lacks a key of its format",
    "unknown_role": "a role name that is none: the model would learn to speak as it",
    "user_last": "the last turn is not the assistant's: there is nothing to learn",
    "not_alternating": "user and assistant do not take turns, beginning with the user",
    "empty_turn": "a turn without text",
    "special_in_text": "a text spells a control token of the model, which would end or begin a turn in it",
    "template_refuses": "the chat template of the base raises an error",
    "mask_not_found": "no token of the row would be trained on",
    "ids_differ": "the ids that are trained on are not those that a server makes of the same turns",
    "answer_differs": "the trained tokens do not spell the assistant's answers",
    "stop_not_trained": "no stop token follows an answer: the model would not learn to stop",
    "truncated_to_nothing": "the longest length cuts off all that would be trained on",
    "cut": "longer than the longest length; the end of the row is lost",
}
WARNINGS = {"cut"}
FOLLOWERS = {
    "user": {"assistant"}, "assistant": {"user", "tool"}, "tool": {"tool", "assistant"}, "system": set[str](),
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """The contract's report and what may be trained on.

    Attributes:
        report: What was found.
        tokens: Ids and labels by split, rows without faults alone.
        ids: Example ids by split, in the same order.
    """

    report: ContractReport
    tokens: dict[str, list[Tokens]]
    ids: dict[str, list[str]]


def check_contract(
    export: ExportFolder, tokenizer: Any, data: DataSection, stop_ids: set[int], coach_role: str | None = None
) -> Checked:
    """Renders and tokenises every row as it will be trained, and proves that it is what was meant.

    Args:
        export: The rows.
        tokenizer: The base's tokenizer with its stock chat template.
        data: Format, loss, longest length, share held out.
        stop_ids: Tokens at which generation ends.
        coach_role: Only rows of this role; all if None.

    Raises:
        TrainError: Nothing is left to check, or the base has no chat template.
    """
    splits = select_rows(export, data, coach_role)
    if data.format != "instruction" and not tokenizer.chat_template:
        raise TrainError(
            "the base has no chat template", "a base without one learns instruction text: --recipe gpt2, or"
            " --format instruction --set data.format=instruction"
        )  # fmt: skip
    offences: dict[str, list[str]] = defaultdict(list)
    offences["counts_differ"] += export.count_faults
    specials = _list_specials(tokenizer)
    tokens: dict[str, list[Tokens]] = {}
    ids: dict[str, list[str]] = {}
    for split, rows in splits.items():
        checked = [(row, _check_row(tokenizer, row, data, stop_ids, specials, offences)) for row in rows]
        tokens[split] = [found for _, found in checked if found is not None]
        ids[split] = [row.id for row, found in checked if found is not None]
    report = _report(export, tokenizer, splits, tokens, offences)
    return Checked(report, tokens, ids)


def select_rows(export: ExportFolder, data: DataSection, coach_role: str | None) -> dict[str, list[Row]]:
    """Gives the rows to train and validate on.

    Raises:
        TrainError: No row has the coach role, or none is in train.
    """
    splits = {name: list(export.splits.get(name, [])) for name in TRAINED_SPLITS}
    if coach_role is not None:
        if not export.has_ids:
            raise TrainError(f"{export.path}: does not say which coach role its rows have", "curator export again")
        splits = {name: [row for row in rows if row.coach_role == coach_role] for name, rows in splits.items()}
    if not splits["validation"] and data.validation_ratio:
        # By hash of the id: the same rows whatever their order, without a seed.
        ordered = sorted(splits["train"], key=lambda row: make_id("validation", row.id))
        held = {row.id for row in ordered[: round(len(ordered) * data.validation_ratio)]}
        splits = {
            "train": [row for row in splits["train"] if row.id not in held],
            "validation": [row for row in splits["train"] if row.id in held],
        }
    if not splits["train"]:
        what = f"with coach role {coach_role!r} " if coach_role else ""
        raise TrainError(f"{export.path}: no row {what}to train on", "curator releases show tells what is in it")
    return splits


def explain_offences(report: ContractReport) -> TrainError:
    """Gives the error that stops a run, with the first ids of each broken rule."""
    broken = [offence for offence in report.offences if offence.is_fatal]
    parts = [f"{offence.rule} ({offence.meaning}): {shorten(offence.ids)}" for offence in broken]
    return TrainError(
        f"the contract check found {sum(len(o.ids) for o in broken)} faults: " + "; ".join(parts), find_hint(broken)
    )


def shorten(ids: Sequence[str], top: int = 5) -> str:
    """Gives the first ids and how many more there are."""
    more = f" and {len(ids) - top} more" if len(ids) > top else ""
    return ", ".join(ids[:top]) + more


def find_hint(offences: Iterable[Offence]) -> str:
    """Gives what to do about the first of some broken rules."""
    rules = {offence.rule for offence in offences}
    if "counts_differ" in rules:
        return "curator export writes the folder anew"
    if rules <= {"truncated_to_nothing"}:
        return "raise it with --set data.max_length=N, or shorten the prompts"
    if "stop_not_trained" in rules:
        return "name the token that ends a turn in generation_config.json of the base (eos_token_id)"
    return "curator train --check --json lists every id; curator why ID tells where a row comes from"


def _check_row(
    tokenizer: Any,
    row: Row,
    data: DataSection,
    stop_ids: set[int],
    specials: Sequence[str],
    offences: dict[str, list[str]],
) -> Tokens | None:
    """Gives the tokens of a row, or None after noting which rules it breaks."""
    fault = _check_turns(row, specials)
    if fault is not None:
        offences[fault].append(row.id)
        return None
    found = tokenize_row(tokenizer, row, data.loss, data.max_length, stop_ids)
    for fault in found.faults:
        offences[fault].append(row.id)
    if found.faults:
        return None
    if found.length > data.max_length:
        offences["cut"].append(row.id)
    return found


def _check_turns(row: Row, specials: Sequence[str]) -> str | None:
    if row.fault is not None:
        return "unreadable"
    texts = [row.prompt, row.completion] if not row.turns else [str(turn["content"]) for turn in row.turns]
    if any(special in text for text in texts for special in specials):
        return "special_in_text"
    return _check_order(row.turns) if row.turns else None


def _check_order(turns: Sequence[Mapping[str, Any]]) -> str | None:
    if any(turn["role"] not in ROLES for turn in turns):
        return "unknown_role"
    if any(not str(turn["content"]).strip() and not turn.get("tool_calls") for turn in turns):
        return "empty_turn"
    body = turns[1:] if turns[0]["role"] == "system" else turns
    if not body or body[-1]["role"] != "assistant":
        return "user_last"
    pairs = itertools.pairwise(body)
    if body[0]["role"] != "user" or any(b["role"] not in FOLLOWERS[a["role"]] for a, b in pairs):
        return "not_alternating"
    return None


def _list_specials(tokenizer: Any) -> list[str]:
    """Gives the spellings of control tokens, longer than two characters (some bases have `<s>`, none has less)."""
    added = [str(token.content) for token in tokenizer.added_tokens_decoder.values() if token.special]
    return [text for text in added if len(text) > 2]


def _report(
    export: ExportFolder,
    tokenizer: Any,
    splits: Mapping[str, Sequence[Row]],
    tokens: Mapping[str, Sequence[Tokens]],
    offences: Mapping[str, list[str]],
) -> ContractReport:
    stops = {stop for rows in tokens.values() for row in rows for stop in row.stops}
    methods = Counter(row.method for rows in tokens.values() for row in rows)
    return ContractReport(
        release=export.release,
        rows={name: len(rows) for name, rows in export.splits.items()},
        used={name: len(rows) for name, rows in splits.items()},
        tokens={name: sum(len(row.ids) for row in rows) for name, rows in tokens.items()},
        trained_tokens={name: sum(map(_count_trained, rows)) for name, rows in tokens.items()},
        cut=len(offences.get("cut", [])),
        stop_tokens=sorted(decode(tokenizer, [stop]) for stop in stops),
        mask_methods=dict(sorted(methods.items())),
        offences=[
            Offence(rule=rule, meaning=meaning, ids=offences[rule], is_fatal=rule not in WARNINGS)
            for rule, meaning in RULES.items()
            if offences.get(rule)
        ],
    )


def _count_trained(row: Tokens) -> int:
    return sum(label != IGNORED for label in row.labels)
