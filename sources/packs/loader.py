"""Finds and reads packs: the bundled ones by name, anyone's own by path."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.pack import Pack

BUNDLED_ROOT = Path(__file__).parent


def list_bundled_packs() -> list[str]:
    """Gives the names of the packs that come with curator."""
    return sorted(path.parent.name for path in BUNDLED_ROOT.glob("*/pack.toml"))


def load_pack(name_or_path: str | Path, base: Path | None = None) -> Pack:
    """Reads a pack by bundled name or by the path of its folder.

    Args:
        name_or_path: `fitness`, `golf`, or a folder that holds `pack.toml` (relative to `base`).
        base: Folder that relative paths start from; the working folder if absent.

    Raises:
        ConfigError: No such pack, or its `pack.toml` is wrong.
    """
    root = _find_root(name_or_path, base or Path.cwd())
    path = root / "pack.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return Pack.model_validate({**data, "root": root})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "the file must be UTF-8 TOML") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}", "curator doctor checks a pack") from error


def read_pack_toml(pack: Pack, relative: str) -> dict[str, Any]:
    """Reads a TOML file of a pack; the path must lie inside the pack.

    Raises:
        ConfigError: The file is absent, broken or outside the pack.
    """
    path = pack_path(pack, relative)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "the file must be UTF-8 TOML") from error


def pack_path(pack: Pack, relative: str) -> Path:
    """Gives the absolute path of a file or folder of a pack.

    Raises:
        ConfigError: It does not exist or lies outside the pack.
    """
    root = pack.root.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root) or not path.exists():
        raise ConfigError(
            f"{root / 'pack.toml'}: {relative} is not a file of the pack", "paths are relative to pack.toml"
        )
    return path


def _find_root(name_or_path: str | Path, base: Path) -> Path:
    bundled = BUNDLED_ROOT / str(name_or_path)
    if str(name_or_path) in list_bundled_packs():
        return bundled
    own = (base / name_or_path).expanduser()
    if (own / "pack.toml").is_file():
        return own.resolve()
    known = ", ".join(list_bundled_packs())
    raise ConfigError(
        f"pack {str(name_or_path)!r}: neither bundled ({known}) nor a folder with a pack.toml",
        "name one of them, or the path of your own pack",
    )
