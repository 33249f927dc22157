"""From a trained adapter or model to a folder that serves: merge, convert, quantise, write the Modelfile, prove parity.

The folder is the caller's (a temporary one that takes its place when all is well). Nothing here knows the database.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from schemas.deployment import Deployment, ParityStep, ServingParameters
from schemas.errors import DeployError
from schemas.identity import dump_canonical, make_id
from train.chat_client import ChatClient
from train.gguf.architectures import describe_architecture
from train.gguf.llama_cpp import convert_with_checkout, find_llama_quantize, quantise_with_checkout
from train.gguf.model_folder import ModelFolder
from train.gguf.quantise import Quantisation
from train.gguf.writer import GgufFile, write_gguf
from train.llama_client import LlamaClient
from train.local_model import LocalModel, find_base, is_adapter, load_local_model, load_tokenizer
from train.local_server import serve_gguf
from train.merge import merge_adapter, save_model
from train.modelfile import Modelfile, write_template
from train.ollama import create_in_ollama, hash_file
from train.parity import (
    Messages,
    Reference,
    compare_drift,
    compare_greedy,
    compare_ollama,
    compare_prompts,
    compare_served,
    make_frozen_prompts,
    require_parity,
    take_reference,
)
from train.stop_tokens import derive_stop_tokens
from train.turns import read_turns

GGUF_NAME, MODELFILE_NAME, RECORD_NAME = "model.gguf", "Modelfile", "deployment.json"
BUILD = ".build"
PACKAGES = ("gguf", "peft", "torch", "transformers", "xllamacpp")
Say = Callable[[str], None]
Record = Callable[[ParityStep], None]


@dataclass(frozen=True)
class DeployRequest:
    """What to deploy, and how.

    Attributes:
        model: Folder of an adapter or of a whole model.
        system_prompt: With its safety sentence.
        quantisation: q4_k_m, q8_0 or f16.
        parameters: How it samples; the stop tokens are found here.
        base: Where the adapter's base lies; as the adapter says if absent.
        template: A Go template instead of the one that is derived.
        llama_cpp: A checkout of llama.cpp that converts and quantises instead of our own writer.
        max_drift: Largest drift of the quantised model; by its kind if absent.
        release_id: The release that it was trained on.
        threads: Of llama.cpp; its own choice if absent.
    """

    model: Path
    system_prompt: str
    quantisation: Quantisation = "q4_k_m"
    parameters: ServingParameters = field(default_factory=ServingParameters)
    base: str | None = None
    template: str | None = None
    llama_cpp: Path | None = None
    max_drift: float | None = None
    release_id: str | None = None
    threads: int | None = None


def identify_deployment(request: DeployRequest) -> str:
    """Gives the id of a deployment: the same model, settings and versions have the same.

    Weights of the model count in full; of an adapter's base, the names and sizes of its files.
    """
    parts = [f"{path.name} {hash_file(path)}" for path in _list_weights(request.model)]
    base = find_base(request.model, request.base) if is_adapter(request.model) else ""
    sizes = [f"{path.name} {path.stat().st_size}" for path in _list_weights(Path(base))] if base else []
    settings = {
        "quantisation": request.quantisation, "parameters": request.parameters.model_dump(),
        "system_prompt": request.system_prompt, "template": request.template,
        "llama_cpp": request.llama_cpp is not None, "versions": read_versions(),
    }  # fmt: skip
    return make_id("deployment", *parts, Path(base).name, *sizes, dump_canonical(settings))


def preview_deployment(request: DeployRequest) -> dict[str, Any]:
    """Gives what a deployment would be, from config and tokenizer alone: nothing is loaded or written.

    Raises:
        DeployError: The model cannot be deployed.
    """
    place = find_base(request.model, request.base) if is_adapter(request.model) else str(request.model)
    config = ModelFolder.open(Path(place)).config if Path(place).is_dir() else {}
    architecture = describe_architecture(config).name if config and not request.llama_cpp else None
    modelfile = make_modelfile(request, LocalModel(load_tokenizer(request.model, request.base), None))
    modelfile.render()
    return {
        "id": identify_deployment(request),
        "model": str(request.model),
        "base": place if is_adapter(request.model) else None,
        "architecture": architecture,
        "quantisation": request.quantisation,
        "system_prompt": modelfile.system,
        "parameters": modelfile.parameters.model_dump(),
        "template": modelfile.template,
    }


def deploy_model(request: DeployRequest, folder: Path, say: Say = lambda _: None) -> Deployment:
    """Fills a folder with model.gguf, Modelfile and deployment.json.

    Args:
        request: What to deploy.
        folder: An empty folder.
        say: Told of each step that is done.

    Raises:
        DeployError: A part is missing, the conversion does not know the model, or parity fails; the step is named.
    """
    build = folder / BUILD
    build.mkdir()
    prompts = make_frozen_prompts(request.system_prompt)
    steps: list[ParityStep] = []

    def record(step: ParityStep) -> None:
        steps.append(require_parity(step))
        say(f"{step.step}: {step.detail}")

    merged = _merge(request, build, prompts, record)
    # Rounded as the file rounds them: what is left to differ is arithmetic alone.
    reference_model = load_local_model(merged, precision="halves")
    modelfile = make_modelfile(request, reference_model)
    (folder / MODELFILE_NAME).write_text(modelfile.render(), encoding="utf-8")
    reference = take_reference(reference_model, prompts)
    del reference_model
    written = _convert(request, merged, build, folder, reference, record)
    _prove_served(written.path, request.threads, reference, record)
    shutil.rmtree(build)
    deployment = _describe(request, written, modelfile, steps)
    (folder / RECORD_NAME).write_text(deployment.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return deployment


def publish_to_ollama(folder: Path, deployment: Deployment, url: str, name: str) -> Deployment:
    """Creates the model in Ollama, compares its prompt with ours, and gives the record with its name and outcome.

    Raises:
        DeployError: The server is not there or refuses, or it renders another prompt.
    """
    modelfile = read_modelfile(folder, deployment)
    create_in_ollama(url, name, folder / GGUF_NAME, modelfile)
    with serve_gguf(folder / GGUF_NAME, threads=1) as server:
        prompts = make_frozen_prompts(deployment.system_prompt)[:1]
        ids = [LlamaClient(server.url).render_ids(prompt) for prompt in prompts]
    reference = Reference(prompts, ids, [], [], frozenset())
    step = require_parity(compare_ollama(reference, ChatClient(url, name)))
    parity = [*(kept for kept in deployment.parity if kept.step != "ollama"), step]
    updated = deployment.model_copy(update={"ollama_model": name, "parity": parity})
    partial = folder / f".{RECORD_NAME}.partial"
    partial.write_text(updated.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / RECORD_NAME)
    return updated


def read_deployment(folder: Path) -> Deployment:
    """Reads the record of a deployment.

    Raises:
        DeployError: There is none, or it is damaged.
    """
    path = folder / RECORD_NAME
    try:
        return Deployment.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}", "curator deploy makes a deployment") from error
    except ValueError as error:
        raise DeployError(f"{path}: no record of a deployment", "deploy again") from error


def read_modelfile(folder: Path, deployment: Deployment) -> Modelfile:
    """Gives the Modelfile of a deployment; the template is taken from the file itself."""
    text = (folder / MODELFILE_NAME).read_text(encoding="utf-8")
    template = text.split('TEMPLATE """', 1)[1].split('"""', 1)[0]
    return Modelfile(GGUF_NAME, template, deployment.system_prompt, deployment.parameters)


def make_modelfile(request: DeployRequest, model: LocalModel) -> Modelfile:
    """Gives the Modelfile of a model: its template and stops read off its tokenizer's own chat template.

    Raises:
        DeployError: The template cannot be said in Ollama's language, or the system prompt not in a Modelfile.
    """
    tokenizer = model.tokenizer
    turns = read_turns(lambda messages, is_open: model.render(messages, add_generation_prompt=is_open))
    stop = request.parameters.stop or derive_stop_tokens(turns, model.special_tokens, tokenizer.eos_token)
    if tokenizer.bos_token and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]:
        # Ollama's tokenizer puts it there itself, as every caller of this tokenizer does.
        turns = turns.without_beginning(tokenizer.bos_token)
    template = request.template if request.template is not None else write_template(turns)
    return Modelfile(GGUF_NAME, template, request.system_prompt, request.parameters.model_copy(update={"stop": stop}))


def read_versions() -> dict[str, str]:
    """Gives the versions of the packages that decide what comes out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _merge(request: DeployRequest, build: Path, prompts: list[Messages], record: Record) -> Path:
    """Gives the folder of the whole model, whose tokenizer has a chat template."""
    merged = build / "merged"
    if is_adapter(request.model):
        report = merge_adapter(request.model, merged, prompts, base=request.base)
        record(ParityStep(step="merge", is_passed=report.is_faithful, measured=report.max_difference,
                          tolerance=report.tolerance,
                          detail=f"largest logit difference {report.max_difference:.1e} in {report.precision}"))  # fmt: skip
        return merged
    ModelFolder.open(request.model)
    save_model(load_local_model(request.model), merged)
    return merged


def _convert(
    request: DeployRequest, merged: Path, build: Path, folder: Path, reference: Reference,
    record: Record,
) -> GgufFile:  # fmt: skip
    checkout, wanted = request.llama_cpp, request.quantisation
    target = folder / GGUF_NAME
    plain = target if wanted == "f16" else build / "f16.gguf"
    name = request.model.name
    written = convert_with_checkout(checkout, merged, plain) if checkout else write_gguf(merged, plain, name=name)
    with serve_gguf(plain, threads=request.threads) as server:
        client = LlamaClient(server.url)
        record(compare_prompts(reference, client))
        record(compare_greedy(reference, client))
    if wanted == "f16":
        return written
    if checkout and find_llama_quantize(checkout):
        written = quantise_with_checkout(checkout, plain, target, wanted)
    else:
        written = write_gguf(merged, target, wanted, name=name)
    with serve_gguf(target, threads=request.threads) as server:
        record(compare_drift(reference, LlamaClient(server.url), wanted, request.max_drift))
    return written


def _prove_served(path: Path, threads: int | None, reference: Reference, record: Record) -> None:
    with serve_gguf(path, threads=threads) as server:
        record(compare_served(reference, LlamaClient(server.url), ChatClient(server.url)))


def _describe(request: DeployRequest, written: GgufFile, modelfile: Modelfile, steps: list[ParityStep]) -> Deployment:
    return Deployment(
        id=identify_deployment(request),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        model=str(request.model),
        base=find_base(request.model, request.base) if is_adapter(request.model) else None,
        release_id=request.release_id,
        architecture=written.architecture,
        quantisation=request.quantisation,
        quantiser=written.quantiser,
        gguf_sha256=hash_file(written.path),
        size_bytes=written.size_bytes,
        system_prompt=request.system_prompt,
        parameters=modelfile.parameters,
        parity=steps,
        versions=read_versions(),
    )


def _list_weights(folder: Path) -> list[Path]:
    names = [*folder.glob("*.safetensors"), *folder.glob("*config.json"), *folder.glob("tokenizer.json"),
             *folder.glob("chat_template.jinja")]  # fmt: skip
    return sorted(path for path in names if path.is_file())
