"""The files of exports that may be downloaded: looked up by name among what is there, never joined to a path."""

from dataclasses import dataclass
from pathlib import Path

from curator.service.errors import ServiceError


@dataclass(frozen=True)
class ExportFile:
    """A file of an export.

    Attributes:
        release: Id of the release (its first 12 characters name the folder).
        format: messages, sharegpt, alpaca, ...
        name: File name.
        size_bytes: Its size.
    """

    release: str
    format: str
    name: str
    size_bytes: int


def list_files(exports: Path, release: str | None = None) -> list[ExportFile]:
    """Gives the files under `exports/<release>/<format>/`, in order of their names."""
    found = []
    for path in sorted(exports.glob("*/*/*")):
        folder = path.parent
        wanted = release is None or release.startswith(folder.parent.name) or folder.parent.name.startswith(release)
        if wanted and path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            found.append(ExportFile(folder.parent.name, folder.name, path.name, path.stat().st_size))
    return found


def find_file(exports: Path, release: str, format_name: str, name: str) -> Path:
    """Gives the path of a file that `list_files` lists.

    Raises:
        ServiceError: There is none (404).
    """
    for file in list_files(exports, release):
        if (file.format, file.name) == (format_name, name):
            return exports / file.release / file.format / file.name
    raise ServiceError(404, f"release {release[:40]} has no file {format_name[:40]}/{name[:80]}", "curator export")
