"""The project's deployments: which model is meant, where it goes, the pointer to the current one, the record."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curator.atomic import replace_folder, write_file
from curator.export.prompts import build_system_prompt
from curator.project import Project, change_project
from schemas.deployment import Deployment, ServingParameters
from schemas.errors import ConfigError

FOLDER = "deployments"
CURRENT = "current.json"
ALL_ROLES = ""
"""The name under which the deployment of the project itself is kept beside those of single roles."""


@dataclass(frozen=True)
class DeployOptions:
    """What `curator deploy` may be told.

    Attributes:
        model: Folder, or id of a trained model; the newest one if absent.
        quantisation: q4_k_m, q8_0 or f16.
        role: Whose system prompt is built in; the one the model was trained for, else coach, if absent.
        temperature: Default of the served model.
        top_p: Default of the served model.
        base: Where the adapter's base lies.
        template: File with a Go template.
        llama_cpp: Checkout of llama.cpp to convert with.
        max_drift: Largest drift of the quantised model.
        ollama: URL of a server to create the model in.
        name: Of the model there.
        threads: Of llama.cpp while it is compared; its own choice if absent.
    """

    model: str | None = None
    quantisation: Literal["f16", "q8_0", "q4_k_m"] = "q4_k_m"
    role: str | None = None
    temperature: float = 0.7
    top_p: float = 0.9
    base: str | None = None
    template: Path | None = None
    llama_cpp: Path | None = None
    max_drift: float | None = None
    ollama: str | None = None
    name: str | None = None
    threads: int | None = None


def preview(project: Project, options: DeployOptions) -> dict[str, Any]:
    """Gives what would be deployed, from config and tokenizer alone.

    Raises:
        ConfigError: No model is meant.
        DeployError: The model cannot be deployed.
    """
    from train.deploy import preview_deployment

    request, adapter = _make_request(project, options)
    found = preview_deployment(request)
    folder = project.root / FOLDER / found["id"]
    return found | {
        "folder": str(folder),
        "is_there": folder.exists(),
        "adapter_id": adapter["id"] if adapter else None,
        "ollama_model": _name(project, options) if options.ollama else None,
    }


def deploy(
    project: Project, options: DeployOptions, say: Callable[[str], None] = lambda _: None, wait_s: float = 0.0
) -> tuple[Deployment, Path]:
    """Deploys a model and makes it the current one; the same model with the same settings is not made twice.

    The database is locked only at the end, for the record.

    Returns:
        The record and the folder.

    Raises:
        ConfigError: No model is meant.
        DeployError: A step fails; what was there before stays, and stays current.
    """
    from train.deploy import RECORD_NAME, deploy_model, identify_deployment, publish_to_ollama, read_deployment

    request, adapter = _make_request(project, options)
    folder = project.root / FOLDER / identify_deployment(request)
    if not (folder / RECORD_NAME).is_file():
        with replace_folder(folder) as building:
            deploy_model(request, building, say)
    deployment = read_deployment(folder)
    if options.ollama:
        name = _name(project, options)
        deployment = publish_to_ollama(folder, deployment, options.ollama, name)
        say(f"ollama: {name} created at {options.ollama}")
    point_current(project, deployment.id, options.role or (adapter["coach_role"] if adapter else None))
    if project.database.exists():
        _record(project, deployment, folder, adapter, options.ollama, wait_s)
    return deployment, folder


def find_deployment(project: Project, name: str | None = None, role: str | None = None) -> Path:
    """Gives the folder of the deployment that is current (for a role), or of the one whose id starts so.

    Raises:
        ConfigError: There is none, or several are meant.
    """
    wanted = name or _read_current_id(project, role)
    found = [path for path in _list_folders(project) if path.name.startswith(wanted)]
    if len(found) != 1:
        known = ", ".join(path.name[:12] for path in _list_folders(project)) or "none"
        raise ConfigError(f"deployment {wanted!r}: {len(found)} are meant, expected one", f"known: {known}")
    return found[0]


def _read_current_id(project: Project, role: str | None) -> str:
    current = read_current(project, role)
    if current is None:
        raise ConfigError("nothing is deployed yet", "curator deploy")
    return str(current["id"])


def read_current(project: Project, role: str | None = None) -> dict[str, str | None] | None:
    """Gives `id` and `previous` of the current deployment; None where nothing is deployed.

    Args:
        project: The project.
        role: That of a coach role; a role without one of its own has that of the project.
    """
    slots = _read_slots(project)
    return slots.get(role or ALL_ROLES) or slots.get(ALL_ROLES)


def point_current(project: Project, deployment_id: str, role: str | None = None) -> None:
    """Makes a deployment the current one and remembers the one before; atomically, so that readers see one of both.

    Args:
        project: The project.
        deployment_id: The deployment.
        role: Only for this coach role; the first deployment of a project is that of all roles anyway.
    """
    slots: dict[str, dict[str, str | None]] = {}
    with contextlib.suppress(ConfigError):
        # A damaged file is written anew.
        slots = _read_slots(project)
    own = slots.get(role or ALL_ROLES)
    if own and own["id"] == deployment_id:
        return
    before = own or slots.get(ALL_ROLES, {"id": None, "previous": None})
    value = {"id": deployment_id, "previous": before["previous" if before["id"] == deployment_id else "id"]}
    slots = {ALL_ROLES: value, **slots, role or ALL_ROLES: value}
    text = json.dumps({**slots.pop(ALL_ROLES), **({"roles": slots} if slots else {})}, indent=2, sort_keys=True) + "\n"
    write_file(project.root / FOLDER / CURRENT, text.encode())


def roll_back(project: Project, role: str | None = None) -> Path:
    """Makes the deployment before the current one current again and gives its folder.

    Raises:
        ConfigError: There is none before.
    """
    current = read_current(project, role)
    if current is None or current["previous"] is None:
        raise ConfigError("no deployment before the current one", "curator deploy --use ID takes any")
    folder = find_deployment(project, current["previous"])
    point_current(project, folder.name, role)
    return folder


def _read_slots(project: Project) -> dict[str, dict[str, str | None]]:
    """Gives `id` and `previous` by role, those of the project under `ALL_ROLES`."""
    path = project.root / FOLDER / CURRENT
    try:
        found = json.loads(path.read_bytes())
        slots = {ALL_ROLES: found, **found.get("roles", {})}
        return {role: {"id": str(slot["id"]), "previous": slot.get("previous")} for role, slot in slots.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: damaged ({error})", "curator deploy --use ID writes it anew") from error


def _make_request(project: Project, options: DeployOptions) -> tuple[Any, dict[str, Any] | None]:
    from train.deploy import DeployRequest

    model, adapter = _find_model(project, options.model)
    role = options.role or (adapter and adapter["coach_role"]) or "coach"
    if role not in project.pack.roles:
        raise ConfigError(f"role {role!r}: unknown in pack {project.pack.name}", f"try {', '.join(project.pack.roles)}")
    try:
        template = options.template.read_text(encoding="utf-8") if options.template else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{options.template}: {error}", "name a text file with a Go template") from error
    request = DeployRequest(
        model=model,
        system_prompt=build_system_prompt(project.pack, role, project.pack.default_language),
        quantisation=options.quantisation,
        parameters=ServingParameters(temperature=options.temperature, top_p=options.top_p),
        base=options.base,
        template=template,
        llama_cpp=options.llama_cpp,
        max_drift=options.max_drift,
        release_id=adapter["release_id"] if adapter else None,
        threads=options.threads,
    )
    return request, adapter


def _find_model(project: Project, name: str | None) -> tuple[Path, dict[str, Any] | None]:
    adapters = _read_adapters(project)
    if name is not None and Path(name).is_dir():
        path = Path(name).resolve()
        adapter = next((row for row in adapters if (project.root / row["path"]).resolve() == path), None)
    else:
        adapter = _choose_adapter(adapters, name)
        path = (project.root / adapter["path"]).resolve()
    if adapter and adapter["is_withdrawn"]:
        raise ConfigError(f"model {adapter['id'][:12]}: a row it was trained on was forgotten", "curator train again")
    if not path.is_dir():
        raise ConfigError(f"{path}: the trained model is no longer there", "curator train makes it anew")
    return path, adapter


def _choose_adapter(adapters: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    if not adapters:
        raise ConfigError(f"model {name!r}: no such folder, and nothing is trained yet" if name else
                          "nothing is trained yet", "curator train, or name a folder: curator deploy FOLDER")  # fmt: skip
    if name is None:
        return next((row for row in adapters if not row["is_withdrawn"]), adapters[0])
    found = [row for row in adapters if row["id"].startswith(name)]
    if len(found) != 1:
        known = ", ".join(row["id"][:12] for row in adapters[:5])
        raise ConfigError(f"model {name!r}: {len(found)} are meant, expected one", f"known: {known}")
    return found[0]


def _read_adapters(project: Project) -> list[dict[str, Any]]:
    from warehouse import open_snapshot

    if not project.database.exists():
        return []
    with open_snapshot(project.snapshots) as snapshot:
        return snapshot.read("snapshot_adapters").to_dicts()


def _record(
    project: Project, deployment: Deployment, folder: Path, adapter: dict[str, Any] | None, endpoint: str | None,
    wait_s: float,
) -> None:  # fmt: skip
    from curator.models import record_deployment

    with change_project(project, "deploy", wait_s, keeps_examples=True) as (warehouse, summary):
        record_deployment(
            warehouse,
            deployment.id,
            adapter["id"] if adapter else "",
            deployment.quantisation,
            str((folder / deployment.gguf).relative_to(project.root)),
            endpoint,
            {step.step: step.model_dump(exclude={"step"}) for step in deployment.parity},
        )
        summary.update({"deployment": deployment.id, "quantisation": deployment.quantisation})


def _name(project: Project, options: DeployOptions) -> str:
    return options.name or f"{project.pack.name}-{options.role or 'coach'}".replace("_", "-")


def _list_folders(project: Project) -> list[Path]:
    return sorted(path.parent for path in (project.root / FOLDER).glob("[0-9a-f]*/deployment.json"))
