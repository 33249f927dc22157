"""Named API tokens: shown once, kept only as hashes, each with scopes and a name that stands in the journal."""

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from curator.atomic import write_file
from schemas.errors import ConfigError

Scope = Literal["read", "review", "feedback", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "cur"
LOOK_EVERY_S = 0.5
"""How often a running service looks whether the file has changed."""


@dataclass(frozen=True)
class Token:
    """What is kept of a token.

    Attributes:
        name: Whose it is; unique.
        key: Its public part, by which it is found.
        secret_hash: SHA-256 of the secret part. It has 256 random bits, so a slow hash would protect nothing.
        scopes: What it may do; `admin` may do everything.
        made_at: ISO 8601.
    """

    name: str
    key: str
    secret_hash: str
    scopes: tuple[Scope, ...]
    made_at: str


@dataclass(frozen=True)
class Client:
    """Who asks.

    Attributes:
        name: Name of the token, or `local` for the one-time link.
        scopes: What it may do.
    """

    name: str
    scopes: frozenset[Scope] = field(default_factory=frozenset)

    def may(self, scope: Scope) -> bool:
        """Tells whether the client has a scope."""
        return scope in self.scopes or "admin" in self.scopes


class TokenStore:
    """The tokens of a project, read again when their file changes, so that revoking works on a running service."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, Token] = {}
        self._looked_at = float("-inf")

    def list_tokens(self) -> list[Token]:
        """Gives the tokens by name."""
        return sorted(self._load().values(), key=lambda token: token.name)

    def add(self, name: str, scopes: Iterable[str]) -> str:
        """Makes a token and gives its text, which is stored nowhere.

        Raises:
            ConfigError: The name is taken or unusable, or a scope is unknown.
        """
        wanted = tuple(scope for scope in SCOPES if scope in set(scopes))
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not wanted:
            found = ", ".join(unknown) or "none"
            raise ConfigError(f"--scope {found}: unknown", f"expected some of {', '.join(SCOPES)}")
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum() and len(name) <= 40):
            raise ConfigError(f"token name {name!r}: expected letters, digits, - and _, 40 at most")
        tokens = self._load()
        if name == "local" or any(token.name == name for token in tokens.values()):
            raise ConfigError(f"token {name!r}: the name is taken", f"curator serve token revoke {name}")
        key, secret = secrets.token_hex(6), secrets.token_hex(32)
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._save({**tokens, key: Token(name, key, _hash(secret), wanted, made_at)})
        return f"{PREFIX}_{key}_{secret}"

    def revoke(self, name: str) -> None:
        """Removes a token; from now on it is refused.

        Raises:
            ConfigError: There is none of that name.
        """
        tokens = self._load()
        left = {key: token for key, token in tokens.items() if token.name != name}
        if len(left) == len(tokens):
            raise ConfigError(f"token {name!r}: there is none", "curator serve token list")
        self._save(left)

    def find_client(self, text: str) -> Client | None:
        """Gives whose token a text is, or None."""
        parts = text.split("_")
        if len(parts) != 3 or parts[0] != PREFIX or not text.isascii():
            return None
        token = self._load(LOOK_EVERY_S).get(parts[1])
        if token is None or not hmac.compare_digest(token.secret_hash, _hash(parts[2])):
            return None
        return Client(token.name, frozenset(token.scopes))

    def _load(self, max_age_s: float = 0.0) -> dict[str, Token]:
        now = time.monotonic()
        if now - self._looked_at < max_age_s:
            return self._tokens
        with self._guard:
            self._looked_at = now
            try:
                state = self._path.stat()
            except FileNotFoundError:
                self._seen, self._tokens = None, {}
                return {}
            # The inode too: the file is replaced as a whole, and two writes may fall into one tick of the clock.
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._tokens = self._parse()
                self._seen = seen
            return self._tokens

    def _parse(self) -> dict[str, Token]:
        try:
            rows = json.loads(self._path.read_bytes())
            tokens = [Token(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{self._path}: {error}", "remove the file and make the tokens anew") from error
        return {token.key: token for token in tokens}

    def _save(self, tokens: dict[str, Token]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path, json.dumps([asdict(token) for token in tokens.values()], indent=1).encode())
        self._path.chmod(0o600)
        self._looked_at = float("-inf")


def open_tokens(root: Path) -> TokenStore:
    """Gives the tokens of the project in a folder."""
    return TokenStore(root / ".curator" / "tokens.json")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
