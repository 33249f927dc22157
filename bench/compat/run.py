"""Holds the exports against the readers of other trainers, each in an environment of its own: `make compat`.

Their pins exclude each other. LLaMA-Factory and axolotl are installed without their dependencies, of which most serve
GPUs, pictures or a page (torchvision, torchaudio and av built for CUDA; xformers, triton, torchao, liger, gradio):
what their readers of text import is named here, at the versions that they pin. Nothing is fetched while they run.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "compat"
TORCH = ("torch==2.13.0",)


@dataclass(frozen=True)
class Consumer:
    """A trainer that reads our exports.

    Attributes:
        name: As the table shows it.
        script: Runs its reader.
        packages: What its environment holds.
        bare: Packages that are installed without their dependencies.
        refused: Cases that the export's own note says it cannot read.
        last_only: Cases of which it learns the last answer alone, by the format.
        splits: What it reads.
    """

    name: str
    script: str
    packages: tuple[str, ...]
    bare: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    last_only: frozenset[str] = frozenset({"instruction"})
    splits: tuple[str, ...] = ("train", "validation")


CONSUMERS = (
    Consumer(
        "LLaMA-Factory 0.9.5", "read_llama_factory.py",
        (*TORCH, "transformers==5.6.0", "trl==0.24.0", "datasets==4.0.0", "peft==0.18.1", "accelerate==1.11.0",
         "omegaconf"),
        bare=("llamafactory==0.9.5",), splits=("train", "validation", "test"),
    ),
    Consumer(
        "axolotl 0.19.0", "read_axolotl.py",
        (*TORCH, "transformers==5.16.1", "trl==1.9.0", "datasets==4.8.4", "peft==0.20.0", "accelerate==1.13.0",
         "huggingface_hub==1.17.0", "tokenizers==0.23.1", "pydantic==2.12.5", "posthog==6.7.11", "numba", "addict",
         "colorama"),
        bare=("axolotl==0.19.0",), refused=frozenset({"alpaca"}),
    ),
    Consumer(
        "TRL 1.16.0", "train_trl.py",
        (*TORCH, "trl==1.16.0", "transformers==5.23.0", "datasets==5.2.0", "accelerate==1.15.0"),
    ),
    Consumer("datasets 5.2.0", "read_datasets.py", ("datasets==5.2.0",), splits=("train", "validation", "test")),
)  # fmt: skip


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from material import CASES, make_material

    material = BUILD / "material"
    shutil.rmtree(material, ignore_errors=True)
    material.mkdir(parents=True)
    tell("making the exports")
    make_material(material)
    expected = json.loads((material / "expected.json").read_text())
    found = {}
    for consumer in CONSUMERS:
        tell(f"{consumer.name}: environment")
        python = install(consumer)
        tell(f"{consumer.name}: {consumer.script}")
        found[consumer.name] = run_reader(consumer, python, material)
    print(f"{date.today()}, CPython {sys.version.split()[0]}; rows that come out of rows that go in\n")
    outcomes = {
        case: [judge(consumer, case, expected[case], found[consumer.name].get(case)) for consumer in CONSUMERS]
        for case in CASES
    }
    print(format_table(outcomes))
    return 0 if all(is_right for row in outcomes.values() for _, is_right in row) else 1


def install(consumer: Consumer) -> Path:
    """Gives the python of the consumer's environment, made anew where its packages are others."""
    folder = BUILD / consumer.script.removesuffix(".py")
    wanted = "\n".join([*consumer.packages, *consumer.bare])
    mark, pip = folder / "installed", [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        # torch first, pinned, so that nothing else pulls another build.
        torch = [name for name in consumer.packages if name.startswith("torch")]
        for names in (torch, [name for name in consumer.packages if name not in torch]):
            if names:
                subprocess.run([*pip, *names], check=True)
        if consumer.bare:
            subprocess.run([*pip, "--no-deps", *consumer.bare], check=True)
        mark.write_text(wanted)
    return folder / "bin" / "python"


def run_reader(consumer: Consumer, python: Path, material: Path) -> dict[str, Any]:
    """Gives what a consumer trains on, by case and split; its own words lie in `log` beside the answers."""
    work = BUILD / "output" / python.parents[1].name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HF_HOME": str(BUILD / "cache" / work.name), "HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true"}
    with (work / "log").open("w") as log:
        command = [str(python), str(HERE / consumer.script), str(material), str(work / "answers.json")]
        done = subprocess.run(command, check=False, stdout=log, stderr=log, env=environment, cwd=work)
    if done.returncode:
        tell(f"{consumer.name} failed; the end of {work / 'log'}:")
        tell("\n".join((work / "log").read_text().splitlines()[-15:]))
        return {}
    return dict(json.loads((work / "answers.json").read_text()))


def judge(
    consumer: Consumer, case: str, expected: dict[str, list[list[str]]], found: dict[str, list[list[str]]] | None
) -> tuple[str, bool]:
    """Gives the cell of the table and whether all is as it must be."""
    if not found:
        return ("no settings: the note says why", True) if case in consumer.refused else ("FAILED", False)
    wanted = [row for split in consumer.splits for row in expected[split]]
    if case in consumer.last_only:
        wanted = [row[-1:] for row in wanted]
    got = [row for split in consumer.splits for row in found.get(split, [])]
    differing = sum(left != right for left, right in zip(wanted, got, strict=False))
    if len(got) != len(wanted) or differing:
        return f"{len(got)} of {len(wanted)}, {differing} DIFFER", False
    return f"{len(got)} of {len(wanted)}, equal", True


def format_table(outcomes: dict[str, list[tuple[str, bool]]]) -> str:
    head = ["format", *(consumer.name for consumer in CONSUMERS)]
    rows = [[case.replace("-one-turn", ", one turn a row"), *(cell for cell, _ in cells)]
            for case, cells in outcomes.items()]  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
