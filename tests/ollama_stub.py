"""A stub of Ollama's server: no real one can run where the tests do.

It stands for the far end of the network only: it keeps blobs by their sha256, takes create requests, reads Modelfiles
by the rules of Ollama's own parser, renders the small part of Go's templates that ours use, and answers every chat with
the same words and the length of the prompt it rendered.
"""

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "Add 2.5 kg."


@dataclass
class OllamaStub:
    """What the server was told.

    Attributes:
        count: Gives the tokens of a rendered prompt.
        url: Where it listens.
        blobs: Sizes by digest.
        uploads: How often a blob was sent.
        models: Create requests by model name.
        failure: Said instead of success, if set.
        prompts: What was rendered for chats.
    """

    count: Callable[[str], int] = len
    url: str = ""
    blobs: dict[str, int] = field(default_factory=dict)
    uploads: int = 0
    models: dict[str, dict] = field(default_factory=dict)
    failure: str | None = None
    prompts: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers for the stub that its server carries."""

    def do_HEAD(self):
        self.send(200 if self.path.rpartition("/")[2] in self.server.stub.blobs else 404, b"")

    def do_GET(self):
        self.send(200, b'{"version": "0.0.0-stub"}' if self.path == "/api/version" else b"{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/blobs/"):
            self.take_blob(self.path.rpartition("/")[2], body)
        elif self.path == "/api/create":
            self.create(json.loads(body))
        else:
            self.chat(json.loads(body))

    def take_blob(self, digest, body):
        if digest != "sha256:" + hashlib.sha256(body).hexdigest():
            self.send(400, b'{"error": "digest mismatch"}')
            return
        self.server.stub.blobs[digest] = len(body)
        self.server.stub.uploads += 1
        self.send(201, b"")

    def create(self, request):
        missing = [digest for digest in request["files"].values() if digest not in self.server.stub.blobs]
        if missing or self.server.stub.failure:
            error = {"error": self.server.stub.failure or f"unknown blob {missing[0]}"}
            self.send(200, json.dumps(error).encode() + b"\n")
            return
        self.server.stub.models[request["model"]] = request
        self.send(200, b'{"status": "parsing GGUF"}\n{"status": "success"}\n')

    def chat(self, request):
        model = self.server.stub.models.get(request["model"])
        if model is None:
            self.send(404, b'{"error": {"message": "model not found"}}')
            return
        self.server.stub.prompts.append(render_go(model["template"], request["messages"]))
        choice = {"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
        usage = {"prompt_tokens": self.server.stub.count(self.server.stub.prompts[-1])}
        self.send(200, json.dumps({"choices": [choice], "usage": usage}).encode())

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def run_stub(count: Callable[[str], int] = len) -> Iterator[OllamaStub]:
    """Runs the stub on a free port."""
    stub = OllamaStub(count)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stub = stub
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()


def parse_modelfile(text: str) -> list[tuple[str, str]]:
    """Reads a Modelfile as Ollama does: (command, value), parameters as `parameter stop`."""
    commands, state, name, buffer = [], "nil", "", ""
    for sign in text + "\n":
        if state == "nil":
            state = "comment" if sign == "#" else "nil" if sign.isspace() else "name"
            buffer = sign if state == "name" else ""
        elif state == "comment":
            state = "nil" if sign in "\r\n" else "comment"
        elif state in ("name", "parameter"):
            if sign in " \t":
                name = buffer.lower() if state == "name" else f"parameter {buffer}"
                state = "parameter" if name == "parameter" else "value"
                if name not in {"from", "template", "system", "parameter", "adapter"} and " " not in name:
                    raise ValueError(f"command {name!r}")
                buffer = ""
            else:
                buffer += sign
        else:
            value = unquote(buffer.strip())
            if sign in "\r\n" and value is not None:
                commands.append((name, value))
                state, buffer = "nil", ""
            elif sign.isprintable() or sign in "\r\n\t":
                # Go's parser drops what it cannot print.
                buffer += sign
    if state != "nil":
        raise ValueError("unexpected end")
    return commands


def unquote(text: str) -> str | None:
    """Gives a value without its quotation marks; None where it goes on."""
    if text.startswith('"""'):
        return text[3:-3] if len(text) >= 6 and text.endswith('"""') else None
    if text.startswith('"'):
        return text[1:-1] if len(text) >= 2 and text.endswith('"') else None
    return text


def render_go(template: str, messages: list[dict[str, str]]) -> str:
    """Renders the subset of Go templates that our Modelfiles use."""
    pieces = re.split(r"({{.*?}})", template, flags=re.DOTALL)
    nodes, rest = _parse([piece for piece in pieces if piece])
    assert not rest
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    scope = {"messages": messages, "system": system, "before": "", "message": None, "place": 0}
    return _run(nodes, scope)


def _parse(pieces):
    nodes = []
    while pieces:
        piece, pieces = pieces[0], pieces[1:]
        action = piece[2:-2].strip() if piece.startswith("{{") else None
        if action is None:
            nodes.append(("text", piece))
        elif action == "end" or action.startswith("else"):
            return nodes, [piece, *pieces]
        elif action.startswith("if "):
            node, pieces = _parse_if(action[3:], pieces)
            nodes.append(node)
        elif action.startswith("range "):
            body, pieces = _parse(pieces)
            nodes.append(("range", body))
            pieces = pieces[1:]
        else:
            nodes.append(("do", action))
    return nodes, pieces


def _parse_if(test, pieces):
    then, pieces = _parse(pieces)
    closing, pieces = pieces[0][2:-2].strip(), pieces[1:]
    if closing == "end":
        return ("if", test, then, []), pieces
    if closing == "else":
        other, pieces = _parse(pieces)
        return ("if", test, then, other), pieces[1:]
    node, pieces = _parse_if(closing.removeprefix("else if "), pieces)
    return ("if", test, then, [node]), pieces


def _run(nodes, scope):
    out = []
    for kind, *parts in nodes:
        if kind == "text":
            out.append(parts[0])
        elif kind == "range":
            for place, message in enumerate(scope["messages"]):
                scope |= {"message": message, "place": place}
                out.append(_run(parts[0], scope))
        elif kind == "if":
            out.append(_run(parts[1] if _holds(parts[0], scope) else parts[2], scope))
        else:
            out.append(_do(parts[0], scope))
    return "".join(out)


def _holds(test, scope):
    if test == "and $.System (eq (len (slice $.Messages $place)) 1)":
        return bool(scope["system"]) and len(scope["messages"]) - scope["place"] == 1
    operator, name, value = re.fullmatch(r'(eq|ne) (\S+) "(.*)"', test).groups()
    found = scope["message"]["role"] if name == ".Role" else scope["before"]
    return (found == value) == (operator == "eq")


def _do(action, scope):
    values = {".Content": lambda: scope["message"]["content"], "$.System": lambda: scope["system"]}
    if action in values:
        return values[action]()
    if action == '$before := ""':
        scope["before"] = ""
    elif action == "$before = .Role":
        scope["before"] = scope["message"]["role"]
    else:
        raise ValueError(action)
    return ""
