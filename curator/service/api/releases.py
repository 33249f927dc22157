"""Releases: what was frozen, how two of them differ, and their exports as files."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from curator.releases import compare_releases, list_release_rows, read_release
from curator.service.access import Reader, ServiceOf
from curator.service.downloads import find_file, list_files
from curator.service.errors import ServiceError
from schemas.errors import ConfigError

router = APIRouter(prefix="/releases", tags=["releases"])
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "there is no such release or file"}}
MAX_CHANGES = 1_000


@router.get("")
def list_releases(service: ServiceOf, client: Reader) -> list[dict[str, Any]]:  # noqa: ARG001 - the scope is checked
    """Gives the releases, the newest first."""
    with service.reader.open() as snapshot:
        return list_release_rows(snapshot)


@router.get("/{release}", responses=MISSING)
def show_release(release: str, service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives the report with which a release was frozen and the files of its exports; `latest` is the newest."""
    with service.reader.open() as snapshot:
        found = _read(snapshot, release)
    files = list_files(service.project.exports, str(found["release_id"]))
    return {**found, "files": [asdict(file) for file in files]}


@router.get("/{left}/diff/{right}", responses=MISSING)
def diff_releases(left: str, right: str, service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives what differs between two releases; of the changed rows the first thousand."""
    with service.reader.open() as snapshot:
        ids = [_read(snapshot, name)["release_id"] for name in (left, right)]
        found = compare_releases(snapshot, *ids)
    return {**found, "changes": found["changes"][:MAX_CHANGES]}


@router.get("/{release}/exports/{format_name}/{name}", responses=MISSING, response_class=FileResponse)
def download_export(release: str, format_name: str, name: str, service: ServiceOf, client: Reader) -> FileResponse:  # noqa: ARG001
    """Gives a file of an export."""
    path = find_file(service.project.exports, release, format_name, name)
    return FileResponse(path, filename=f"{path.parent.parent.name}-{format_name}-{name}")


def _read(snapshot: Any, release: str) -> dict[str, Any]:
    try:
        return read_release(snapshot, None if release == "latest" else release)
    except ConfigError as error:
        raise ServiceError(404, error.message, error.hint) from error
