"""What the service refuses, with the HTTP status that says so."""

from collections.abc import Mapping
from typing import Any

from schemas.errors import ConfigError, CuratorError, DeployError, WarehouseError

OLLAMA_PATHS = frozenset({"/api/chat", "/api/generate", "/api/tags"})


class ServiceError(CuratorError):
    """A request that is refused.

    Args:
        status: The HTTP status.
        message: What was found and what was expected.
        hint: What the client can do.
        headers: Further headers of the answer, such as `Retry-After`.
    """

    def __init__(self, status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, hint)
        self.status = status
        self.headers = dict(headers or {})


def find_status(error: CuratorError) -> int:
    """Gives the HTTP status of an error: what the client got wrong is 4xx, what is not there yet 503."""
    if isinstance(error, ServiceError):
        return error.status
    if isinstance(error, ConfigError):
        return 422
    return 503 if isinstance(error, WarehouseError | DeployError) else 500


def describe_error(error: CuratorError, path: str = "") -> dict[str, Any]:
    """Gives the body of an error answer.

    Args:
        error: What went wrong.
        path: What was asked for; clients of Ollama expect a text where OpenAI's and ours expect an object.
    """
    if path in OLLAMA_PATHS:
        return {"error": f"{error.message} ({error.hint})" if error.hint else error.message}
    return {"error": {"message": error.message, "hint": error.hint, "type": type(error).__name__}}
