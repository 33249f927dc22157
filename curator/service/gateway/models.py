"""Which model answers: that of the user's arm, the upstream, a GGUF file, or the deployment that is current now."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from curator.deployments import FOLDER, read_current
from curator.project import Project
from curator.service.errors import ServiceError
from curator.service.gateway.backend import Backend
from schemas.deployment import Deployment

KEY_VARIABLE = "CURATOR_UPSTREAM_KEY"
MAX_LOCAL = 3
"""GGUF files that are loaded at once; another one takes the place of the one that was loaded first."""
SHORT_ID = 12
MAX_VERSION = 200
UNSET = (
    "no model is deployed here",
    "curator deploy makes one; or set serve.upstream, such as http://127.0.0.1:11434/v1 (Ollama), or serve.gguf",
)


@dataclass(frozen=True)
class Choice:
    """Which model is meant.

    Attributes:
        file: A GGUF file to load here; None for the upstream.
        name: Of the upstream's model; None for the first that it lists.
        version: What events say of a file; None for the upstream, where it follows from the name.
    """

    file: Path | None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Model:
    """A model that can be asked.

    Attributes:
        backend: What answers.
        name: What the backend calls it.
        version: What events say of it: the model and the deployment, the file, or the upstream's name.
    """

    backend: Backend
    name: str
    version: str


class Models:
    """The models of a project; a deployment that becomes current while the service runs is taken by the next question.

    Args:
        project: Its settings and deployments.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._timeout_s = project.config.serve.upstream_timeout_s
        self._upstream = _open_upstream(project)
        self._local: dict[Path, Backend] = {}

    @property
    def is_configured(self) -> bool:
        """Whether there is a model to ask."""
        config = self._project.config.serve
        return bool(config.upstream or config.gguf) or read_current(self._project) is not None

    async def find(self, role: str, wanted: str | None = None) -> Model:
        """Gives the model that answers for a role; see `choose_model`.

        Raises:
            ServiceError: There is none (503), or the upstream does not say which it has (502).
        """
        choice = choose_model(self._project, role, wanted)
        if choice.file is None and self._upstream is not None:
            name = choice.name or await self._upstream.find_model()
            return Model(self._upstream, name, name_version(self._project, role, name))
        backend = await self._open_file(choice.file or Path())
        with backend.hold():
            return Model(backend, await backend.find_model(), choice.version or "")

    async def close(self) -> None:
        """Ends connections and local servers."""
        for backend in [*self._local.values(), *([self._upstream] if self._upstream else [])]:
            await backend.close()

    async def _open_file(self, path: Path) -> Backend:
        if path not in self._local:
            idle = [other for other, backend in self._local.items() if not backend.is_busy]
            if len(self._local) >= MAX_LOCAL and idle:
                await self._local.pop(idle[0]).close()
            self._local[path] = Backend(gguf=path, timeout_s=self._timeout_s)
        return self._local[path]


def choose_model(project: Project, role: str, wanted: str | None = None) -> Choice:
    """Finds what answers: what is wanted; else the upstream, the file of the settings, or the current deployment.

    Args:
        project: Its settings and deployments.
        role: insight, planner or coach; it may have a deployment of its own.
        wanted: A deployment (the beginning of its id, or its model's folder), or a model of the upstream.

    Raises:
        ServiceError: There is none (503).
    """
    config = project.config.serve
    deployed = _find_deployment(project, wanted) if wanted else None
    if deployed is None:
        if config.upstream:
            return Choice(None, wanted or config.model)
        if wanted:
            raise ServiceError(503, f"model {wanted[:80]!r}: not deployed here", "an arm in experiment.arms names it")
        if config.gguf:
            return Choice(project.root / config.gguf, version=Path(config.gguf).stem)
        deployed = _read_current(project, role)
    if deployed is None:
        raise ServiceError(503, *UNSET)
    version = f"{Path(deployed.model).name}@{deployed.id[:SHORT_ID]}"[-MAX_VERSION:]
    return Choice(project.root / FOLDER / deployed.id / deployed.gguf, version=version)


def name_version(project: Project, role: str, name: str) -> str:
    """Gives what events say of an upstream's model: with the deployment that was made under this name in Ollama."""
    deployed = _read_current(project, role)
    if deployed is None or deployed.ollama_model != name.removesuffix(":latest"):
        return name
    return f"{name}@{deployed.id[:SHORT_ID]}"


def _open_upstream(project: Project) -> Backend | None:
    config = project.config.serve
    if not config.upstream:
        return None
    url = config.upstream.rstrip("/")
    url = url if url.endswith("/v1") else f"{url}/v1"
    key = os.environ.get(KEY_VARIABLE) or None
    return Backend(url, model=config.model, key=key, timeout_s=config.upstream_timeout_s)


def _read_current(project: Project, role: str) -> Deployment | None:
    current = read_current(project, role)
    return _read(project.root / FOLDER / str(current["id"])) if current else None


def _find_deployment(project: Project, wanted: str) -> Deployment | None:
    found = [_read(folder) for folder in (project.root / FOLDER).glob("[0-9a-f]*")]
    meant = [one for one in found if one and (one.id.startswith(wanted) or Path(one.model).name == wanted)]
    return max(meant, key=lambda one: (one.created_at, one.id), default=None)


def _read(folder: Path) -> Deployment | None:
    try:
        return Deployment.model_validate_json((folder / "deployment.json").read_bytes())
    except (OSError, ValidationError):
        return None
