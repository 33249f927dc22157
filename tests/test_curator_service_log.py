"""The log of the service: who asked for what, and neither tokens nor words that were searched for."""

import json

import pytest
from starlette.testclient import TestClient

from curator.project import open_project
from curator.service.app import create_app
from curator.service.context import open_service
from curator.service.log import LogFile


@pytest.fixture
def root(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    return tmp_path


def test_a_request_is_one_line_that_holds_no_secret(root):
    service = open_service(open_project(root))
    token = service.tokens.add("app", ["read"])
    link = service.sessions.make_link_token()
    with TestClient(create_app(service), base_url="http://127.0.0.1:8600") as client:
        client.get("/api/v1/search", params={"q": "my-illness"}, headers={"Authorization": f"Bearer {token}"})
        client.get("/api/v1/search", headers={"Authorization": "Bearer cur_no_such"})
        client.get("/login", params={"token": link})
        client.get("/static/app.css")
    path = root / ".curator" / "service.log"
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["route"], line["client"], line["status"]) for line in lines[1:]] == [
        ("other", None, 401),
        ("/login", None, 200),
    ]
    assert lines[0]["client"] == "app"
    assert lines[0]["route"].endswith("/search")
    assert set(lines[0]) == {"event", "method", "route", "status", "ms", "client", "at"}
    assert not [secret for secret in (token, link, "cur_no_such", "my-illness") if secret in text]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_log_gives_way_to_a_new_one(tmp_path):
    file = LogFile(tmp_path / "service.log", max_bytes=100)
    for number in range(30):
        file.msg(b"%09d" % number)
    file.close()
    kept = [(tmp_path / name).read_bytes().splitlines() for name in ("service.log.1", "service.log")]
    assert [int(line) for line in kept[0] + kept[1]] == list(range(10, 30))
    assert all(len(lines) <= 10 for lines in kept)


def test_a_disk_that_refuses_keeps_nobody_waiting(tmp_path):
    (tmp_path / "no-folder").write_text("a file")
    LogFile(tmp_path / "no-folder" / "service.log").msg(b"lost")
    assert (tmp_path / "no-folder").read_text() == "a file"
