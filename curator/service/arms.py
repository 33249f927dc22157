"""Which arm of the experiment a user is in: the one place of the service where that is decided."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from curator.experiments.assignment import assign_arm
from schemas.config import ArmConfig, ExperimentConfig
from schemas.errors import ConfigError
from schemas.identity import hash_author

SALT = Path(".curator") / "arms.salt"
SALT_BYTES = 32


class Arms:
    """Deals users out to arms; the same user gets the same arm at every endpoint, today and tomorrow.

    Args:
        config: The experiment.
        salt: Secret of the project, so that nobody outside can work out or choose an arm.
    """

    def __init__(self, config: ExperimentConfig, salt: bytes) -> None:
        self._config = config
        self._salt = salt

    @property
    def names(self) -> Sequence[str]:
        """The arms in the order of the settings."""
        return [arm.name for arm in self._config.arms]

    def find(self, user: str) -> ArmConfig | None:
        """Gives the arm of a user; None where no experiment runs.

        Args:
            user: As the application names them; upper and lower case mean the same user.
        """
        if not self._config.arms:
            return None
        return assign_arm(hash_author(user, self._salt), self._config.name, self._config.arms)


def open_arms(root: Path, config: ExperimentConfig) -> Arms:
    """Gives the arms of a project.

    The salt lies in a file of its own that only its owner may read; it is drawn once and goes with the folder.

    Raises:
        ConfigError: The file cannot be read or made.
    """
    path = root / SALT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Arms(config, _read_salt(path))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", "remove it: a new one deals all users anew") from error


def _read_salt(path: Path) -> bytes:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SALT_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where another process was first, whose salt then counts.
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    salt = bytes.fromhex(path.read_text(encoding="ascii"))
    if len(salt) != SALT_BYTES:
        raise ValueError(f"{len(salt)} bytes, expected {SALT_BYTES}")
    return salt
