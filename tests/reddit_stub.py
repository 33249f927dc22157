"""Reddit's far end on this machine: tokens, listings, comment trees with `more`, and every failure it is known for."""

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

WRITTEN = 1_700_000_000
ENVIRONMENT = {
    "REDDIT_CLIENT_ID": "an id",
    "REDDIT_CLIENT_SECRET": "a secret",
    "REDDIT_USER_AGENT": "curator tests by nobody",
}


def make_post(key, subreddit="Fitness", **changes):
    return {
        "id": key,
        "name": f"t3_{key}",
        "author": f"asker_{key}",
        "title": f"Question {key}: how deep should I squat?",
        "selftext": "",
        "subreddit": subreddit,
        "score": 10,
        "num_comments": 0,
        "is_self": True,
        "created_utc": WRITTEN,
        "permalink": f"/r/{subreddit}/comments/{key}/question/",
    } | changes


def make_comment(key, parent, **changes):
    return {
        "id": key,
        "name": f"t1_{key}",
        "author": f"writer_{key}",
        "body": f"Answer {key}: as deep as you can with a flat back.",
        "subreddit": "Fitness",
        "score": 5,
        "parent_id": parent,
        "created_utc": WRITTEN + 60,
    } | changes


class RedditStub:
    """A small Reddit.

    Attributes:
        posts: By subreddit, in the order of every listing.
        comments: By key of the post: comments in the order of the page, each naming its parent.
        num_shown: Top-level comments shown on a page; the others are folded into one `more`.
        max_depth: Replies deeper than this stand behind `continue this thread`.
        failures: (part of the path, answer) consumed one by one; an answer is (status, headers, body) or "drop".
        log: Requests for data, as "GET /path?query"; for tokens see `num_tokens`.
    """

    def __init__(self, num_shown=3, max_depth=3):
        self.posts = defaultdict(list)
        self.comments = defaultdict(list)
        self.num_shown, self.max_depth = num_shown, max_depth
        self.failures, self.log, self.num_tokens = [], [], 0
        self.has_good_credentials = True
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer, or delayed acknowledgements cost 40 ms each

            def do_GET(self):
                stub.answer(self, {})

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                stub.answer(self, dict(parse_qsl(body)))

            def log_message(self, *_args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def environment(self):
        return ENVIRONMENT | {"CURATOR_REDDIT_ENDPOINT": f"http://127.0.0.1:{self._server.server_address[1]}"}

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._server.shutdown()
        self._server.server_close()

    def add_post(self, key, parents=(), subreddit="Fitness", **changes):
        """Adds a post with comments `key`c0, `key`c1, ...; `parents` gives the number of each one's parent or None."""
        for number, parent in enumerate(parents):
            name = f"t3_{key}" if parent is None else f"t1_{key}c{parent}"
            comment = make_comment(f"{key}c{number}", name, link_id=f"t3_{key}", subreddit=subreddit)
            self.comments[key].append(comment)
        self.posts[subreddit].append(make_post(key, subreddit, num_comments=len(parents), **changes))

    def answer(self, handler, form):
        url = urlsplit(handler.path)
        query = dict(parse_qsl(url.query))
        path = url.path.rstrip("/")
        if path == "/api/v1/access_token":
            self.num_tokens += 1
            token = {"access_token": "a token", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
            status = 200 if self.has_good_credentials else 401
            return send(handler, status, {}, token if status == 200 else {"message": "Unauthorized", "error": 401})
        query.pop("raw_json", None)
        told = "&".join(f"{name}={value}" for name, value in sorted((query | form).items()) if name != "api_type")
        self.log.append(f"{handler.command} {path}" + (f"?{told}" if told else ""))
        for number, (part, failure) in enumerate(self.failures):
            if part in handler.path:
                del self.failures[number]
                if failure == "drop":
                    handler.close_connection = True
                    handler.connection.close()
                    return None
                return send(handler, *failure)
        return send(handler, *self.find(path.strip("/").split("/"), query, form))

    def find(self, parts, query, form):
        match parts:
            case ["r", name, _listing]:
                return self.list_posts(name, query)
            case ["comments", key]:
                shown = [c for c in self.comments[key] if c["parent_id"] == f"t3_{key}"]
                folded = [c for top in shown[self.num_shown :] for c in self.walk(key, top)]
                tree = [self.as_tree(key, c, 1) for c in shown[: self.num_shown]]
                return 200, {}, [listing([self.find_post(key)]), listing(tree + fold(folded, f"t3_{key}"))]
            case ["comments", key, "_", comment]:
                top = next(c for c in self.comments[key] if c["id"] == comment)
                return 200, {}, [listing([self.find_post(key)]), listing([self.as_tree(key, top, 1)])]
            case ["api", "morechildren"]:
                key = form["link_id"].removeprefix("t3_")
                wanted = form["children"].split(",")
                assert len(wanted) <= 100
                things = [thing("t1", c | {"replies": ""}) for c in self.comments[key] if c["id"] in wanted]
                return 200, {}, {"json": {"errors": [], "data": {"things": things}}}
            case ["api", "info"]:
                return 200, {}, listing(self.look_up(query["id"].split(",")))
        return 404, {}, {"message": "Not Found", "error": 404}

    def list_posts(self, name, query):
        if name == "private":
            return 403, {}, {"reason": "private", "message": "Forbidden", "error": 403}
        if name not in self.posts:
            return 302, {"location": "https://www.reddit.com/subreddits/search?q=" + name}, {}
        names = [post["name"] for post in self.posts[name]]
        start = names.index(query["after"]) + 1 if "after" in query else 0
        page = self.posts[name][start : start + int(query["limit"])]
        after = page[-1]["name"] if start + len(page) < len(names) else None
        return 200, {}, listing([thing("t3", post) for post in page], after)

    def find_post(self, key):
        return thing("t3", next(p for posts in self.posts.values() for p in posts if p["id"] == key))

    def walk(self, key, comment):
        yield comment
        for reply in self.comments[key]:
            if reply["parent_id"] == comment["name"]:
                yield from self.walk(key, reply)

    def as_tree(self, key, comment, depth):
        replies = [c for c in self.comments[key] if c["parent_id"] == comment["name"]]
        if not replies:
            return thing("t1", comment | {"replies": ""})
        if depth >= self.max_depth:
            more = {"count": 0, "children": [], "id": "_", "name": "t1__", "parent_id": comment["name"]}
            return thing("t1", comment | {"replies": listing([thing("more", more)])})
        return thing("t1", comment | {"replies": listing([self.as_tree(key, c, depth + 1) for c in replies])})

    def look_up(self, names):
        posts = [thing("t3", p) for posts in self.posts.values() for p in posts if p["name"] in names]
        return posts + [thing("t1", c) for cs in self.comments.values() for c in cs if c["name"] in names]


def thing(kind, data):
    return {"kind": kind, "data": data}


def listing(children, after=None):
    return {"kind": "Listing", "data": {"after": after, "children": children}}


def fold(comments, parent):
    if not comments:
        return []
    children = [comment["id"] for comment in comments]
    return [thing("more", {"count": len(children), "children": children, "id": children[0], "parent_id": parent})]


def send(handler, status, headers, body):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
    handler.wfile.flush()
