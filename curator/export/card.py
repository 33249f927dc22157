"""The dataset card: `README.md` with the YAML that makes `datasets.load_dataset(folder)` give the splits."""

from typing import Any

import yaml

from schemas.pack import Pack

SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M")]
STRING = {"dtype": "string"}
TURN = [{"name": "role", **STRING}, {"name": "content", **STRING}]
FEATURES: dict[str, list[dict[str, Any]]] = {
    "sharegpt": [{"name": "conversations", "list": [{"name": "from", **STRING}, {"name": "value", **STRING}]}],
    "alpaca": [{"name": name, **STRING} for name in ("instruction", "input", "output")],
    "instruction": [{"name": name, **STRING} for name in ("prompt", "completion")],
    "messages": [{"name": "messages", "list": TURN}],
    # Copies: YAML writes one object that stands in two places as an alias, over which `datasets` stumbles.
    "preference": [{"name": name, "list": [dict(key) for key in TURN]} for name in ("prompt", "chosen", "rejected")],
}
HUB_LICENCES = {"PDDL-1.0": "pddl", "ODC-BY-1.0": "odc-by", "ODbL-1.0": "odbl", "GPL-3.0-only": "gpl-3.0"}
"""Where the hub's name of a licence is not its SPDX id in lower case."""


def write_card(manifest: dict[str, Any], pack: Pack, languages: list[str], optional_keys: list[str]) -> str:
    """Gives the text of the card.

    Args:
        manifest: The manifest of the export.
        pack: The domain.
        languages: Languages of the rows, sorted.
        optional_keys: Keys that not every row has (`system`, `history`, `tools`, `tool_calls`).
    """
    head = yaml.safe_dump(
        _build_head(manifest, pack, languages, optional_keys), sort_keys=False, allow_unicode=True, width=100
    )
    return f"---\n{head}---\n\n{_build_text(manifest, pack)}"


def _build_head(manifest: dict[str, Any], pack: Pack, languages: list[str], optional_keys: list[str]) -> dict[str, Any]:
    files = manifest["files"]
    total = sum(file["rows"] for file in files)
    licence = manifest["rights"]["licence"]
    head: dict[str, Any] = {
        "pretty_name": f"{pack.title} ({manifest['release']})",
        "license": HUB_LICENCES.get(licence, licence.lower()),
        "language": languages,
        "size_categories": [next((name for limit, name in SIZES if total < limit), "n>10M")],
        "task_categories": ["text-generation"],
        "configs": [
            {
                "config_name": "default",
                "default": True,
                "data_files": [{"split": file["split"], "path": file["path"]} for file in files],
            }
        ],
    }
    features = _list_features(manifest["format"], optional_keys)
    if features is not None:
        head["dataset_info"] = {
            "features": features,
            "splits": [
                {"name": file["split"], "num_bytes": file["bytes"], "num_examples": file["rows"]} for file in files
            ],
        }
    return head


def _list_features(name: str, optional_keys: list[str]) -> list[dict[str, Any]] | None:
    """Gives the features; None for tool turns, whose nested arguments the reader must infer."""
    if {"tools", "tool_calls", "tool_call_id", "name"} & set(optional_keys):
        return None
    features = list(FEATURES[name])
    if "system" in optional_keys:
        features.append({"name": "system", **STRING})
    if "history" in optional_keys:
        features.append({"name": "history", "list": {"list": "string"}})
    return features


def _build_text(manifest: dict[str, Any], pack: Pack) -> str:
    rights = manifest["rights"]
    lines = [
        f"# {pack.title}",
        "",
        f"Release `{manifest['release']}`, format `{manifest['format']}`, written by curator {manifest['curator']}.",
        "",
        "| split | rows |",
        "|---|---:|",
        *(f"| {file['split']} | {file['rows']} |" for file in manifest["files"]),
        "",
        "| category | share | rows |",
        "|---|---:|---:|",
        *_mix_lines(manifest["counts"].get("categories", {})),
        "",
        (
            "Splits are made of whole units (threads, videos, document sections, generator scenarios and their "
            "near-duplicates), so no text of one split has a near-duplicate in another."
        ),
        "",
        "## Rights",
        "",
    ]
    if rights["unknown_permission"]:
        lines += [
            (
                f"**Not for publication.** {rights['unknown_permission']} rows come from sources that gave no permission "
                "to redistribute or to train; `curator export --policy publishable` leaves them out."
            ),
            "",
        ]
    lines += [f"- {_one_line(name)}: {count} rows" for name, count in rights["licences"].items()]
    if rights["attributions"]:
        lines += ["", "## Attributions", "", *(f"- {_one_line(text)}" for text in rights["attributions"])]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """Gives text of a source as one line: it must not begin a heading or a table of the card."""
    return " ".join(text.split())


def _mix_lines(counts: dict[str, int]) -> list[str]:
    total = sum(counts.values()) or 1
    return [f"| {name} | {count / total:.1%} | {count} |" for name, count in counts.items()]
