"""Every error a user can meet: one base, one subclass a boundary."""

import errno
from typing import ClassVar

# Messages quote names and text of files, which may hold line ends or orders to the terminal.
_SPELLED = {sign: f"\\x{sign:02x}" for sign in (*range(32), *range(127, 160))}
_SPELLED |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class CuratorError(Exception):
    """A failure that is explained to the user in one line and a hint.

    Args:
        message: Where it happened, what was found, what was expected; control characters in it are spelled out.
        hint: The next thing to type or to change; empty when there is none.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message.translate(_SPELLED)
        self.hint = hint.translate(_SPELLED)
        super().__init__(self.message)


class ConfigError(CuratorError):
    """A setting, flag, pack or path is wrong; nothing was changed."""

    exit_code = 2


class SourceError(CuratorError):
    """A source cannot be read at all (single bad rows are rejections, not errors)."""


class SourceInterruptedError(SourceError):
    """A source stopped half-way; what was fetched is kept and a rerun goes on from there."""

    exit_code = 3


class WarehouseError(CuratorError):
    """The database cannot be opened, read or written."""


class LockedError(WarehouseError):
    """Another process owns the database."""

    exit_code = 4


class ExportError(CuratorError):
    """A release cannot be written out."""


class TrainError(CuratorError):
    """A training run cannot start or go on."""


class DeployError(CuratorError):
    """A model cannot be merged, converted, checked, served or asked."""


DISK_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free some space; what was there before is unchanged"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "check the rights of the folder"),
    errno.EIO: "the disk fails: copy the project folder to another one, then type the same command again",
}


def advise_on_disk(error_number: int | None) -> str:
    """Gives what to do about an error of the operating system."""
    return DISK_ADVICE.get(error_number or 0, "check the folder and type the same command again")
