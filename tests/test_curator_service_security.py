"""The door: who may come in, by which name the service is asked, and what a page of another site cannot do."""

import json
import re
import shutil
import socket

import pytest
from starlette.testclient import TestClient

from curator.project import open_project
from curator.service.app import create_app
from curator.service.context import open_service
from curator.service.hosts import check_binding, list_allowed_hosts, read_host
from curator.service.limits import RateLimit
from curator.service.tokens import TokenStore
from schemas.errors import ConfigError

ADDRESS = "http://127.0.0.1:8600"


@pytest.fixture(scope="module")
def running(tmp_path_factory, built):
    folder = tmp_path_factory.mktemp("secure")
    (folder / ".curator" / "snapshots").mkdir(parents=True)
    shutil.copy(max((built / ".curator" / "snapshots").glob("*.db")), folder / ".curator" / "snapshots")
    (folder / "curator.toml").write_text('pack = "fitness"\n')
    service = open_service(open_project(folder))
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        yield service, client


@pytest.fixture
def service(running):
    return running[0]


@pytest.fixture
def visitor(running):
    running[1].cookies.clear()
    return running[1]


@pytest.fixture
def browser(service, visitor):
    """A visitor that has opened the one-time link."""
    answer = visitor.get("/login", params={"token": service.sessions.make_link_token()})
    assert answer.status_code == 200
    return visitor


def carry(service, *scopes):
    name = f"app-{len(service.tokens.list_tokens())}"
    return {"Authorization": f"Bearer {service.tokens.add(name, scopes)}"}


@pytest.mark.parametrize("path", ["/api/v1/stats", "/api/v1/openapi.json", "/metrics", "/v1/models", "/api/tags", "/x"])
def test_without_login_nothing_is_told(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 401
    assert "not logged in" in answer.text


def test_health_is_open_and_says_nothing_about_the_corpus(visitor):
    assert visitor.get("/api/v1/health").json() == {"status": "ok", "journal": True, "snapshot": True}


def test_a_browser_without_login_gets_a_page_that_explains(visitor):
    answer = visitor.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "curator serve" in answer.text


def test_the_link_opens_one_session_once(service, visitor):
    token = service.sessions.make_link_token()
    answer = visitor.get("/login", params={"token": token})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert visitor.get("/api/v1/stats").status_code == 200
    visitor.cookies.clear()
    assert visitor.get("/login", params={"token": token}).status_code == 401
    assert visitor.get("/api/v1/stats").status_code == 401


def test_the_cookie_is_secure_where_browsers_speak_tls(tmp_path):
    (tmp_path / "curator.toml").write_text("")
    service = open_service(open_project(tmp_path), is_tls=True)
    with TestClient(create_app(service, has_pages=False), base_url="https://127.0.0.1") as client:
        answer = client.get("/login", params={"token": service.sessions.make_link_token()})
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_token_logs_a_reviewer_in_with_its_scopes_and_logging_out_ends_it(service, visitor):
    token = service.tokens.add("ann", ["read", "review"])
    assert visitor.post("/login", content=f"token={token}").status_code == 200
    assert visitor.get("/api/v1/status").json()["client"] == "ann"
    # The page's own script knows the value; here it is read from the session.
    session = service.sessions.find(visitor.cookies["curator_session"])
    headers = {"X-CSRF-Token": session.csrf}
    assert visitor.post("/api/v1/coach", json={}, headers=headers).status_code in (403, 422)
    assert visitor.post("/logout", headers=headers).status_code == 200
    assert visitor.get("/api/v1/status").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:8600", "localhost.evil"])
def test_another_host_name_is_refused(service, visitor, host):
    headers = carry(service, "admin") | {"Host": host}
    assert visitor.get("/api/v1/stats", headers=headers).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:8600", "127.0.0.1:1", "[::1]:8600", "LOCALHOST"])
def test_this_machine_is_served_by_all_its_names(service, visitor, host):
    headers = carry(service, "admin") | {"Host": host}
    assert visitor.get("/api/v1/stats", headers=headers).status_code == 200


def test_a_cookie_alone_changes_nothing(service, browser):
    query = {"sql": "select 1 as one"}
    session = service.sessions.find(browser.cookies["curator_session"])
    assert browser.post("/api/v1/sql", json=query).status_code == 403
    assert browser.post("/api/v1/sql", json=query, headers={"X-CSRF-Token": "guess"}).status_code == 403
    good = {"X-CSRF-Token": session.csrf}
    assert browser.post("/api/v1/sql", json=query, headers=good).json()["rows"] == [{"one": 1}]
    for bad in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert browser.post("/api/v1/sql", json=query, headers=good | bad).status_code == 403


def test_another_site_cannot_log_a_browser_in(service, visitor):
    token = service.tokens.add("mallory", ["read"])
    answer = visitor.post("/login", content=f"token={token}", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_every_answer_carries_a_strict_policy_with_a_nonce_of_its_own(browser):
    answers = [browser.get(path) for path in ("/api/v1/stats", "/api/v1/health", "/nothing", "/login")]
    policies = [answer.headers["content-security-policy"] for answer in answers]
    nonces = {re.search(r"script-src 'self' 'nonce-([\w-]{20,})';", policy)[1] for policy in policies}
    assert len(nonces) == 4
    for policy in policies:
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}
    assert {answer.headers["x-frame-options"] for answer in answers} == {"DENY"}
    assert "server" not in answers[0].headers


SCOPED = {
    "read": [("GET", "/api/v1/stats"), ("POST", "/api/v1/sql"), ("GET", "/metrics"), ("GET", "/api/v1/search")],
    "review": [("POST", "/api/v1/review/claim"), ("POST", "/api/v1/review/decisions"), ("POST", "/api/v1/review/undo")],
    "feedback": [("POST", "/api/v1/events"), ("POST", "/api/v1/coach"), ("POST", "/v1/chat/completions"),
                 ("POST", "/api/chat"), ("POST", "/api/generate"), ("GET", "/api/tags"), ("GET", "/v1/models")],
}  # fmt: skip


@pytest.mark.parametrize("scope", ["read", "review", "feedback", "admin"])
def test_a_token_opens_what_its_scope_names_and_nothing_else(service, visitor, scope):
    headers = carry(service, scope)
    for needed, requests in SCOPED.items():
        for method, path in requests:
            # An empty body is refused as a body only by those who may send one.
            status = visitor.request(method, path, headers=headers, json={} if method == "POST" else None).status_code
            assert (status == 403) == (scope not in (needed, "admin")), (scope, method, path, status)


def test_tokens_are_stored_as_hashes_for_the_owner_alone(tmp_path):
    store = TokenStore(tmp_path / "tokens.json")
    token = store.add("app", ["feedback", "read"])
    assert token.split("_")[2] not in (tmp_path / "tokens.json").read_text()
    assert (tmp_path / "tokens.json").stat().st_mode & 0o077 == 0
    client = TokenStore(tmp_path / "tokens.json").find_client(token)
    assert (client.name, client.scopes) == ("app", {"read", "feedback"})
    for wrong in ("", "cur_x_y", token[:-1], token + "0", token.replace("cur", "kur"), token.upper(), "cur__", "é_é_é"):
        assert store.find_client(wrong) is None


@pytest.mark.parametrize(("name", "scopes"), [("app", ["write"]), ("app", []), ("a b", ["read"]), ("local", ["read"])])
def test_unusable_names_and_unknown_scopes_are_refused(tmp_path, name, scopes):
    with pytest.raises(ConfigError):
        TokenStore(tmp_path / "tokens.json").add(name, scopes)
    assert not (tmp_path / "tokens.json").exists()


def test_the_command_line_adds_lists_and_revokes_and_a_running_service_follows(cli, service, visitor):
    root = service.project.root
    made = cli(root, "serve", "token", "add", "app", "--scope", "read")
    token = made.out.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert (made.code, token[:4]) == (0, "cur_")
    # It looks at the file twice a second; a token that it does not know makes no difference to that.
    service.tokens._looked_at = float("-inf")
    assert visitor.get("/api/v1/stats", headers=headers).status_code == 200
    assert cli(root, "serve", "token", "add", "app", "--scope", "read").code == 2
    listed = cli(root, "serve", "token", "list", "--json").json
    assert [row["scopes"] for row in listed if row["name"] == "app"] == [["read"]]
    assert token.split("_")[2] not in json.dumps(listed)
    assert cli(root, "serve", "token", "revoke", "app").code == 0
    service.tokens._looked_at = float("-inf")
    assert visitor.get("/api/v1/stats", headers=headers).status_code == 401
    assert cli(root, "serve", "token", "revoke", "app").code == 2


def test_a_token_in_the_path_opens_the_chat_and_nothing_else(service, visitor):
    token = service.tokens.add("frontend", ["admin"])
    assert [model["name"] for model in visitor.get(f"/t/{token}/api/tags").json()["models"]] == [
        "fitness-insight", "fitness-planner", "fitness-coach",
    ]  # fmt: skip
    assert visitor.get(f"/t/{token}/v1/models").status_code == 200
    for path in ("/api/v1/stats", "/metrics", "/login", "/api/v1/events"):
        assert visitor.get(f"/t/{token}{path}").status_code == 401
    assert visitor.get("/t/cur_a_b/api/tags").status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/sql", "/login"])
def test_a_body_that_is_too_large_is_not_read(service, visitor, path):
    headers = carry(service, "admin")
    assert visitor.post(path, content=b"x" * 1_000_001, headers=headers).status_code == 413
    pieces = (b"x" * 100_000 for _ in range(30))
    assert visitor.post(path, content=pieces, headers=headers).status_code in (400, 413, 422)


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", "127.0.0.1"), ("Host", "evil.example")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        [("Content-Length", "x")],
    ],
)
def test_ambiguous_headers_are_refused(visitor, headers):
    assert visitor.get("/api/v1/health", headers=headers).status_code == 400


def test_it_listens_beyond_this_machine_only_with_tokens_and_tls():
    loopback = {"has_tokens": False, "has_tls": False, "is_insecure_wanted": False}
    for host in ("127.0.0.1", "localhost", "::1"):
        check_binding(host, **loopback)
    for host in ("0.0.0.0", "::", "192.168.1.7", "box.local"):
        with pytest.raises(ConfigError, match=r"API token.*TLS"):
            check_binding(host, **loopback)
        with pytest.raises(ConfigError, match="TLS"):
            check_binding(host, has_tokens=True, has_tls=False, is_insecure_wanted=False)
        with pytest.raises(ConfigError, match="API token"):
            check_binding(host, has_tokens=False, has_tls=True, is_insecure_wanted=True)
        check_binding(host, has_tokens=True, has_tls=True, is_insecure_wanted=False)
        check_binding(host, has_tokens=True, has_tls=False, is_insecure_wanted=True)


def test_serving_everybody_without_tokens_ends_with_two_and_what_to_type(cli, bare):
    done = cli(bare, "serve", "--host", "0.0.0.0")
    assert done.code == 2
    assert "curator serve token add" in done.err


def test_a_port_in_use_is_named(cli, bare):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli(bare, "serve", "--port", taken.getsockname()[1])
    assert done.code == 2
    assert "in use" in done.err


@pytest.mark.parametrize(
    ("header", "name"),
    [("localhost:80", "localhost"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("A.B.", "a.b"), ("", ""), ("x", "x")],
)
def test_host_headers_are_read_without_their_port(header, name):
    assert read_host(header) == name


def test_the_address_of_all_interfaces_is_no_host_name():
    assert "0.0.0.0" not in list_allowed_hosts("0.0.0.0")
    assert {"box.local", "localhost"} <= list_allowed_hosts("box.local")


def test_a_client_that_sends_too_much_waits_and_others_do_not():
    now = [0.0]
    limit = RateLimit(2.0, 3, clock=lambda: now[0])
    for _ in range(3):
        limit.take("app")
    with pytest.raises(Exception, match="more than 2 a second") as refused:
        limit.take("app")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    limit.take("other")
    now[0] = 0.5
    limit.take("app")
    with pytest.raises(Exception, match="more than"):
        limit.take("app")
