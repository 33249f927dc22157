"""The way round our own writer: a checkout of llama.cpp that the user has, its converter and its quantiser."""

import os
import subprocess
import sys
from pathlib import Path

from schemas.errors import DeployError
from train.gguf.quantise import Quantisation
from train.gguf.writer import GgufFile

CONVERTER = "convert_hf_to_gguf.py"
QUANTISERS = ("build/bin/llama-quantize", "bin/llama-quantize", "llama-quantize")


def convert_with_checkout(checkout: Path, folder: Path, target: Path) -> GgufFile:
    """Writes a model folder as float16 GGUF with the checkout's converter.

    Raises:
        DeployError: There is no converter there, or it fails; its last line is in the message.
    """
    script = checkout.resolve() / CONVERTER
    if not script.is_file():
        raise DeployError(f"{checkout}: no {CONVERTER}", "name the folder of a clone of ggml-org/llama.cpp")
    command = [
        sys.executable,
        "-P",
        str(script),
        str(folder.resolve()),
        "--outfile",
        str(target.resolve()),
        "--outtype",
        "f16",
    ]
    _run(command, CONVERTER, target, checkout)
    return _describe(target, "f16", CONVERTER)


def quantise_with_checkout(checkout: Path, source: Path, target: Path, quantisation: Quantisation) -> GgufFile:
    """Quantises a float16 GGUF with the checkout's llama-quantize.

    Raises:
        DeployError: It is not built there, or fails.
    """
    program = find_llama_quantize(checkout)
    if program is None:
        raise DeployError(f"{checkout}: no llama-quantize", "build it: cmake -B build && cmake --build build")
    _run(
        [str(program), str(source.resolve()), str(target.resolve()), quantisation.upper()],
        program.name,
        target,
        checkout,
    )
    return _describe(target, quantisation, "llama-quantize")


def find_llama_quantize(checkout: Path) -> Path | None:
    """Gives the built llama-quantize of a checkout, or None."""
    places = (checkout.resolve() / name for name in QUANTISERS)
    return next((place for place in places if place.is_file()), None)


def _run(command: list[str], name: str, target: Path, checkout: Path) -> None:
    # The converter imports what lies beside it; its own folder is the only one that is added.
    environment = os.environ | {"PYTHONPATH": str(checkout.resolve())}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", cwd=checkout, env=environment, check=False
        )
    except OSError as error:
        raise DeployError(f"{command[0]}: {error.strerror}", "check that it can be run") from error
    if done.returncode or not target.is_file():
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = lines[-1].strip()[:200] if lines else f"it ended with {done.returncode}"
        raise DeployError(f"{checkout}: {name}: {reason}", "run it yourself to see all it says")


def _describe(path: Path, quantisation: Quantisation, quantiser: str) -> GgufFile:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    field = reader.get_field("general.architecture")
    architecture = str(field.contents()) if field else "unknown"
    return GgufFile(path, architecture, quantisation, len(reader.tensors), path.stat().st_size, quantiser)
