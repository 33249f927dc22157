"""Starts the service: binds, prints the one-time address, serves until it is stopped."""

import gc
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

from curator.cli.output import say
from curator.project import Project
from curator.service.hosts import check_binding
from schemas.errors import ConfigError

SHUTDOWN_S = 5
MAX_WAITING_CONNECTIONS = 2048


@dataclass(frozen=True)
class Binding:
    """Where and how the service listens.

    Attributes:
        host: Address.
        port: Port; 0 takes a free one.
        allowed_hosts: Further host names that are answered.
        certificate: TLS certificate, or None.
        key: Its private key, or None.
        is_behind_tls: A proxy in front speaks TLS.
    """

    host: str = "127.0.0.1"
    port: int = 8600
    allowed_hosts: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    is_behind_tls: bool = False

    @property
    def is_tls(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.certificate is not None or self.is_behind_tls


def run_service(project: Project, binding: Binding, *, is_debug: bool = False) -> None:
    """Serves a project until the process is stopped.

    Raises:
        ConfigError: The service's libraries are missing, or the address may not or cannot be listened on.
    """
    try:
        import uvicorn

        from curator.service.app import create_app, make_front
        from curator.service.context import open_service
        from curator.service.tokens import open_tokens
    except ImportError as error:
        raise ConfigError(f"curator serve: {error}", "pip install 'corpus-curator[serve]'") from error
    if (binding.certificate is None) != (binding.key is None):
        raise ConfigError("--certificate and --key belong together", "give both, or neither")
    check_binding(
        binding.host,
        has_tokens=bool(open_tokens(project.root).list_tokens()),
        has_tls=binding.certificate is not None,
        is_insecure_wanted=binding.is_behind_tls,
    )
    listener = _bind(binding)
    service = open_service(project, binding.host, allowed_hosts=binding.allowed_hosts, is_tls=binding.is_tls)
    name = f"[{binding.host}]" if ":" in binding.host else binding.host
    address = f"{'https' if binding.certificate else 'http'}://{name}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        make_front(create_app(service), service),
        # Addresses may hold tokens: no access log, /metrics counts by route instead.
        access_log=False,
        log_level=logging.INFO if is_debug else logging.WARNING,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        backlog=MAX_WAITING_CONNECTIONS,
        ssl_certfile=binding.certificate,
        ssl_keyfile=binding.key,
    )

    class Server(uvicorn.Server):
        """Says where it is once it is there: whoever comes before is refused at once, and does not hang."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                # What is loaded now stays: searched again and again for garbage, it would hold up every request of that moment.
                gc.collect()
                gc.freeze()
                say(f"curator serves {project.root}; Ctrl-C stops it")
                say(f"open {address}/login?token={service.sessions.make_link_token()}")

    Server(config).run(sockets=[listener])


def _bind(binding: Binding) -> socket.socket:
    """Takes the address; the server listens on it when it is ready."""
    listener = socket.socket(socket.AF_INET6 if ":" in binding.host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((binding.host, binding.port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise ConfigError(f"{binding.host}:{binding.port}: {reason}", "another port: curator serve --port 0") from error
    return listener
