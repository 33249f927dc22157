"""Which Host headers are answered: a page of another name that resolves to this machine (DNS rebinding) is not."""

from collections.abc import Iterable

from schemas.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - recognised here, in order to be refused


def list_allowed_hosts(bind: str, extra: Iterable[str] = ()) -> frozenset[str]:
    """Gives the names under which the service may be asked for, lower case and without ports."""
    names = {*LOOPBACK, *(name.lower() for name in extra)}
    return frozenset(names if bind in EVERYWHERE else names | {bind.lower()})


def read_host(header: str) -> str:
    """Gives the name in a Host header without its port; `[::1]:8000` is `::1`."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def check_binding(bind: str, *, has_tokens: bool, has_tls: bool, is_insecure_wanted: bool) -> None:
    """Refuses to listen beyond this machine where anybody could read along or get in.

    Raises:
        ConfigError: The address is not a loopback one, and tokens or TLS are missing.
    """
    if bind in LOOPBACK or (has_tokens and (has_tls or is_insecure_wanted)):
        return
    missing = [] if has_tokens else ["an API token (curator serve token add NAME --scope read)"]
    missing += [] if has_tls or is_insecure_wanted else ["TLS (--certificate FILE --key FILE)"]
    hint = "" if has_tls else "; behind a proxy that speaks TLS: --behind-tls-proxy"
    raise ConfigError(f"--host {bind}: others can reach it, which needs {' and '.join(missing)}{hint}")
