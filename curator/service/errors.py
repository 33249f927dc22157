"""What the service refuses, with the HTTP status that says so."""

from collections.abc import Mapping

from schemas.errors import ConfigError, CuratorError, WarehouseError


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
    return 503 if isinstance(error, WarehouseError) else 500


def describe_error(error: CuratorError) -> dict[str, dict[str, str]]:
    """Gives the body of an error answer; OpenAI's clients find their `message` in it too."""
    return {"error": {"message": error.message, "hint": error.hint, "type": type(error).__name__}}
