"""Which arm a user is in: the same one always, in the proportions of the weights, without a table of users."""

import hashlib
from collections.abc import Sequence

from schemas.config import ArmConfig
from schemas.errors import ConfigError


def assign_arm(user_hash: str, experiment: str, arms: Sequence[ArmConfig]) -> ArmConfig:
    """Gives the arm of a user.

    A hash of experiment and user is a uniform number in [0, 1); the arms lie on that line by their weights, in the
    order of their names, so the order in the file does not matter. Another name of the experiment deals anew.

    Args:
        user_hash: Salted hash of the user.
        experiment: Name of the experiment.
        arms: At least one, with weights above 0.

    Raises:
        ConfigError: There is no arm.
    """
    if not arms:
        raise ConfigError("experiment: no arms", "add [[experiment.arms]] with name and weight to curator.toml")
    digest = hashlib.blake2b(f"{experiment}\x00{user_hash}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64 * sum(arm.weight for arm in arms)
    ordered = sorted(arms, key=lambda arm: arm.name)
    for arm in ordered:
        if point < arm.weight:
            return arm
        point -= arm.weight
    return ordered[-1]


def find_arm(name: str, arms: Sequence[ArmConfig]) -> ArmConfig:
    """Gives the arm of a name.

    Raises:
        ConfigError: There is none.
    """
    found = next((arm for arm in arms if arm.name == name), None)
    if found is None:
        known = ", ".join(arm.name for arm in arms) or "none; add [[experiment.arms]] to curator.toml"
        raise ConfigError(f"arm {name!r}: there is none", f"known: {known}")
    return found
