"""Starts the service: binds, prints the one-time address, serves until it is stopped."""

import socket

import uvicorn

from curator.cli.output import say
from curator.project import Project
from curator.service.app import create_app
from curator.service.context import open_service


def run_service(project: Project, host: str, port: int) -> None:
    """Serves a project until the process is stopped.

    Raises:
        ConfigError: The address may not or cannot be listened on.
    """
    service = open_service(project, host)
    listener = socket.create_server((host, port))
    address = f"http://{host}:{listener.getsockname()[1]}"
    say(f"curator serves {project.root}")
    say(f"open {address}/login?token={service.sessions.make_link_token()}")
    config = uvicorn.Config(create_app(service), access_log=False, log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
