"""How things get their ids: the same content has the same id on every machine."""

import hashlib
import hmac
import json
from typing import Any

ID_BYTES = 16
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def make_id(*parts: str) -> str:
    """Gives the blake2b-128 of the parts, in hex (32 characters).

    Each part is preceded by its length, so ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        # A lone surrogate cannot be stored as UTF-8 but may still reach a hash from foreign JSON.
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def hash_author(name: str, salt: bytes) -> str:
    """Gives the salted hash that stands for an author; names differing only in case are one author.

    Keyed so that it cannot be reversed by hashing a list of known names without the project's salt.
    """
    return hmac.new(salt, name.strip().casefold().encode(), hashlib.blake2b).hexdigest()[:32]


def dump_canonical(value: Any) -> str:
    """Gives the one JSON text of a value: sorted keys, no spaces, no NaN, non-ASCII as it is."""
    return _CANONICAL.encode(value)
