"""The pages in a real browser: nothing foreign is asked for, nothing of the corpus runs, keys do the work."""

import csv
import http.server
import io
import json
import os
import threading
import time
from pathlib import Path

import pytest

from curator.cli.app import run

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = Path(os.environ.get("CURATOR_TEST_CHROMIUM", "/usr/bin/chromium"))
IS_REQUIRED = os.environ.get("CURATOR_TEST_REQUIRE_BROWSER") == "1"
pytestmark = pytest.mark.skipif(not CHROMIUM.exists() and not IS_REQUIRED, reason=f"there is no {CHROMIUM}")

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> what is a pin in chess?'
ARABIC = "ما هي الشوكة في الشطرنج ولماذا هي مهمة؟"
ARABIC_ANSWER = "الشوكة هجوم بقطعة واحدة على قطعتين في وقت واحد، ولهذا يخسر الخصم واحدة منهما في كل الأحوال."
ARMS = """
[experiment]
[[experiment.arms]]
name = "plain"
[[experiment.arms]]
name = "short"
style = "Answer in one line."
"""
ANSWERED = ("Look at ", "the fork first.")
PAGES = {
    "overview": "/",
    "sql": "/sql?q=select+category%2C+count(*)+as+rows+from+corpus+group+by+category&chart=bar",
    "rows": "/rows?q=fork",
    "row": "/rows/{arabic}",
    "duplicates": "/duplicates",
    "releases": "/releases",
    "review": "/review",
    "chat": "/chat",
    "feedback": "/feedback",
}
BEFORE = {
    "eat": "a light meal two hours before bed is plenty for most people",
    "read": "one chapter with a pencil at hand beats five without one",
    "drink": "a glass of water by the bed saves a walk through the dark hall",
    "pack": "two pens and a jumper go into the bag while you are still awake",
    "study": "whatever you do not know by now will not be learned tonight",
    "watch": "a short film with an ending leaves the head quieter than news",
    "wear": "shoes that you have walked in before keep your mind on the board",
    "discuss": "friends who ask about openings can wait until the prize giving",
}
OPENINGS = (
    "the Sicilian", "the Caro-Kann", "the French", "the Pirc", "the Dutch", "the Slav", "the Benoni", "the Catalan",
    "the London", "the English", "the Vienna", "the Scotch", "the Alekhine", "the Grünfeld", "the Philidor",
)  # fmt: skip


class Upstream(http.server.BaseHTTPRequestHandler):
    """A model's server far away: lists one model and streams one answer."""

    def do_GET(self):
        self._send("application/json", json.dumps({"data": [{"id": "far"}]}).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        pieces = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ANSWERED]
        events = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces)
        self._send("text/event-stream", f"{events}data: [DONE]\n\n".encode())

    def log_message(self, *_):
        pass

    def _send(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def make_rows(start, count):
    rows = []
    for n in range(start, start + count):
        opening = OPENINGS[n % len(OPENINGS)]
        rows.append(
            {
                "question": f"How do I use a fork or a pin after {opening} on move {n + 5} of a rapid game?",
                "answer": f"After {opening} look for loose pieces on move {n + 5}. A knight that attacks two of them at "
                f"once wins one, so count the checks first, then the captures, and spend {n + 2} minutes on it.",
                "category": ("tactics", "endgames")[n % 2],
            }
        )
    return rows


def make_events(count):
    """Recommendations in two weeks and two arms; none is liked so well that it would become an example."""
    events = []
    for n in range(count):
        head = {"recommendation_id": f"shown-{n:04d}", "occurred_at": f"2026-01-{5 + 7 * (n % 2):02d}T10:00:00+00:00",
                "user": f"user-{n}"}  # fmt: skip
        said = [
            {"kind": "recommendation", "prompt": [{"role": "user", "content": f"What about my rook on move {n}?"}],
             "answer": "Put the rook on an open file.", "model": "m1", "role": "coach", "category": "tactics",
             "arm": ("plain", "short")[n % 2]},
            {"kind": "rating", "rating": 2 + n % 2},
            {"kind": "adherence", "is_followed": n % 4 != 0},
            {"kind": "outcome", "outcome": "held"},
        ]  # fmt: skip
        events += [{**head, "event_id": f"{one['kind']}-{n:04d}", **one} for one in said]
    return events


@pytest.fixture(scope="module")
def chess(tmp_path_factory):
    """A project with two releases, a trained model, hostile and Arabic rows, duplicates, and rows that wait."""
    folder = tmp_path_factory.mktemp("pages")
    pack = folder / "chess-pack"
    pack.mkdir()
    (pack / "lexicon.toml").write_text("[en.tactics]\nfork = 3.0\npin = 3.0\n[en.endgames]\nopposition = 3.0\n")
    categories = "".join(
        f'[[categories]]\nname = "{name}"\ntitle = "{name.title()}"\ntarget = {share}\n'
        for name, share in (("tactics", 0.5), ("endgames", 0.5))
    )
    (pack / "pack.toml").write_text(
        'name = "chess"\ntitle = "Chess"\nlanguages = ["en", "ar"]\nlexicon = "lexicon.toml"\n'
        + categories
        + '[roles.coach]\ntemperature = 0.7\n[roles.coach.system_prompt]\nen = "You are a chess coach."\n'
        'ar = "أنت مدرب شطرنج."\n'
    )
    own = 'licence = "CC-BY-4.0"\npermission = "own"\nbasis = "written for this test"\n'
    root = folder / "club"
    root.mkdir()
    rows = make_rows(0, 60)
    twin = dict(rows[0], answer=rows[0]["answer"] + " Good luck with it.")
    odd = [
        {"question": HOSTILE, "answer": "A pin <b>holds</b> a piece, because a better one stands behind it in line."},
        {"question": ARABIC, "answer": ARABIC_ANSWER, "category": "tactics"},
        *(
            {
                "question": f"What should I {verb} on the evening before a long tournament?",
                "answer": f"{verb.title()} less "
                f"than you would like to: {rest}, and the clock of the morning round will feel slower to you.",
            }
            for verb, rest in BEFORE.items()
        ),
        {
            "question": "How do I rest between rounds?",
            "answer": "Walk, drink some water, and leave the phone in the bag.",
        },
    ]
    write_rows(folder / "first.jsonl", [*rows, twin, *odd])
    write_rows(folder / "second.jsonl", make_rows(60, 12))
    (root / "curator.toml").write_text(
        f'pack = {json.dumps(str(pack))}\n[[ingest]]\nsource = "dataset"\npath = {json.dumps([str(folder / "first.jsonl")])}\n{own}'
    )
    call = ["-q", "-C", str(root)]
    assert run([*call, "run", "--format", "messages"]) == 0
    second = ["--licence", "CC-BY-4.0", "--permission", "own", "--basis", "written for this test"]
    assert run([*call, "ingest", "dataset", str(folder / "second.jsonl"), *second]) == 0
    keep_model(root)
    write_rows(folder / "events.jsonl", make_events(24))
    assert run([*call, "ingest", "feedback", str(folder / "events.jsonl")]) == 0
    assert run([*call, "curate"]) == 0
    assert run([*call, "balance"]) == 0
    return root


def keep_model(root):
    from curator.project import change_project, open_project

    log = [{"step": step, "loss": 2.0 / step, "eval_loss": 2.2 / step} for step in range(1, 6)]
    (root / "models" / "first").mkdir(parents=True)
    (root / "models" / "first" / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    with change_project(open_project(root), "train") as (warehouse, summary):
        release = warehouse.read("releases")["id"][0]
        warehouse.run(
            "keep_adapter", id="ad" * 16, release_id=release, recipe="sft-lora", recipe_sha256="00", method="lora",
            base="tiny/base", base_revision=None, coach_role="coach", path="models/first",
            metrics='{"train_loss": 0.4}', report="{}",
        )  # fmt: skip
        warehouse.run(
            "keep_deployment", id="de" * 16, adapter_id="ad" * 16, quantisation="q8_0", path="models/first.gguf",
            endpoint="http://127.0.0.1:11434", parity='{"agreement": 0.99}',
        )  # fmt: skip
        summary["model"] = "first"


class Running:
    """A service that listens, and its address."""

    def __init__(self, root):
        from curator.project import open_project
        from curator.service.app import create_app
        from curator.service.context import open_service

        self.service = open_service(open_project(root))
        config = uvicorn.Config(create_app(self.service), port=0, log_level="warning", access_log=False)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        for _ in range(600):
            if self.server.started:
                break
            time.sleep(0.05)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def make_cookie(self, name="local"):
        from curator.service.sessions import COOKIE_NAME
        from curator.service.tokens import SCOPES, Client

        value = self.service.sessions.open(Client(name, frozenset(SCOPES)))
        return {"name": COOKIE_NAME, "value": value, "domain": "127.0.0.1", "path": "/"}

    def stop(self):
        self.server.should_exit = True
        self.thread.join(timeout=20)


@pytest.fixture(scope="module")
def served(chess):
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    settings = chess / "curator.toml"
    before = settings.read_text()
    settings.write_text(f'{before}\n[serve]\nupstream = "http://127.0.0.1:{upstream.server_address[1]}/v1"\n{ARMS}')
    running = Running(chess)
    yield running
    running.stop()
    upstream.shutdown()
    upstream.server_close()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


class Visitor:
    """A tab of a browser window that is logged in, and all that went wrong in it."""

    def __init__(self, context, address):
        self.address = address
        self.context = context
        self.page = context.new_page()
        self.faults, self.foreign, self.asked = [], [], []
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._keep)

    def _keep(self, request):
        self.asked.append(request.url)
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, path):
        response = self.page.goto(f"{self.address}{path}", wait_until="load")
        # On a machine that is busy with other tests the five seconds of a query may pass before it has begun.
        for _ in range(3):
            if response.status != 503:
                break
            self.faults.clear()
            response = self.page.reload(wait_until="load")
        return response

    def close(self):
        self.page.close()


def open_window(browser, served, width=1280, scheme="light", name="local"):
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    context.set_default_timeout(30_000)
    context.add_cookies([served.make_cookie(name)])
    return context


@pytest.fixture(scope="module")
def windows():
    """Windows by who looks and how: what a window has loaded once, it keeps."""
    found = {}
    yield found
    for context in found.values():
        context.close()


@pytest.fixture
def visit(browser, served, windows):
    visitors = []

    def start(**options):
        key = tuple(sorted(options.items()))
        if key not in windows:
            windows[key] = open_window(browser, served, **options)
        visitors.append(Visitor(windows[key], served.address))
        return visitors[-1]

    yield start
    for visitor in visitors:
        visitor.close()


@pytest.fixture(scope="module")
def ids(served):
    with served.service.reader.open() as snapshot:
        rows = snapshot.connection.sql("select id, messages from examples").fetchall()
    return {
        "arabic": next(row for row, text in rows if "الشوكة" in text),
        "hostile": next(row for row, text in rows if "onerror" in text),
    }


def find_serious(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        (fault["id"], node["html"][:160], node["failureSummary"][:200])
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:3]
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_without_faults_strangers_or_barriers(visit, ids, name, width, scheme):
    visitor = visit(width=width, scheme=scheme)
    response = visitor.open(PAGES[name].format(**ids))
    assert response.status == 200
    if name == "duplicates":
        visitor.page.wait_for_selector("#pairs h3")
    assert "unsafe" not in response.headers["content-security-policy"]
    assert visitor.page.locator("h1").count() == 1
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Colours are the same on all pages: in the dark these three show all of them.
    if scheme == "light" or name in ("overview", "sql", "review"):
        assert find_serious(visitor.page) == []
    assert visitor.faults == []
    assert visitor.foreign == []


def test_figures_of_the_overview_are_those_of_the_sql_that_they_lead_to(visit):
    page = visit()
    page.open("/")
    shown = dict(zip(page.page.locator(".figures span").all_inner_texts(),
                     page.page.locator(".figures b").all_inner_texts(), strict=True))  # fmt: skip
    assert int(shown["documents"]) > 0
    page.page.locator(".figures a").first.click()
    page.page.wait_for_selector("#result table")
    cells = page.page.locator("#result tbody tr").all_inner_texts()
    found = {text.split("\t")[1]: text.split("\t")[2] for text in cells}
    assert found["documents"] == shown["documents"]
    assert found["kept"] == shown["kept"]
    assert found["released"] == shown["in the last release"]


@pytest.mark.parametrize("path", ["/rows?q=onerror", "/rows/{hostile}", "/review?row={hostile}",
                                  "/sql?q=select+messages+from+examples+where+messages+like+'%25onerror%25'"])  # fmt: skip
def test_text_of_the_corpus_is_shown_and_never_run(visit, ids, path):
    visitor = visit()
    visitor.open(path.format(**ids))
    assert "onerror=" in visitor.page.locator("main").inner_text()
    assert visitor.page.locator("main img, main script:not([type])").count() == 0
    assert visitor.page.title().startswith(("Rows", "example", "Review", "SQL"))


def test_an_arabic_row_runs_from_right_to_left_and_the_page_around_it_does_not(visit, ids):
    visitor = visit()
    visitor.open(f"/rows/{ids['arabic']}")
    page = visitor.page
    directions = page.locator(".said").evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    assert directions == ["rtl", "rtl"]
    assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"
    assert ARABIC in page.locator(".talk").inner_text()


def test_a_query_runs_by_key_stands_in_the_address_and_pages_and_sorts_on_the_server(visit):
    visitor = visit()
    visitor.open("/sql")
    page = visitor.page
    page.locator(".cm-content").click()
    page.keyboard.type("select n from range(250) as t(n)")
    page.keyboard.press("Escape")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#result tbody tr")
    assert "q=select" in page.url
    assert page.locator("#result tbody tr").count() == 100
    page.get_by_role("link", name="n", exact=True).click()
    page.wait_for_selector('th[aria-sort="ascending"]')
    page.locator("#result th a").click()
    page.wait_for_selector('th[aria-sort="descending"]')
    assert page.locator("#result tbody td").first.inner_text() == "249"
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    assert page.locator("#result tbody td").first.inner_text() == "149"
    page.go_back()
    page.wait_for_selector("#result tbody tr")
    assert page.locator("#result tbody td").first.inner_text() == "249"
    assert visitor.faults == []


def test_completion_knows_the_columns_of_a_table(visit):
    visitor = visit()
    visitor.open("/sql")
    page = visitor.page
    page.locator(".cm-content").click()
    page.keyboard.type("select corpus.cat")
    page.locator(".cm-tooltip-autocomplete li", has_text="category").first.wait_for()
    # The editor takes no choice in the first moment, so that nobody chooses what they have not seen.
    page.wait_for_timeout(300)
    page.keyboard.press("Tab")
    page.locator(".cm-content", has_text="corpus.category").wait_for()
    assert page.locator(".cm-content").inner_text().startswith("select corpus.category")
    assert visitor.faults == []


def test_an_error_points_at_the_column(visit):
    visitor = visit()
    visitor.open("/sql?q=select+category%0Afrom+corpus%0Awhere+qualty+%3E+1")
    page = visitor.page
    assert "Line 3, column 7" in page.locator(".fault").inner_text()
    assert page.locator(".cm-fault").inner_text() == "qualty"


def test_a_result_is_drawn_and_downloaded(visit):
    visitor = visit()
    visitor.open("/sql?q=select+n+*+n+as+square+from+range(7)+t(n)&chart=histogram")
    page = visitor.page
    assert page.locator("[data-chart] canvas").count() == 1
    for form, read in (
        ("csv", lambda body: [int(row["square"]) for row in csv.DictReader(io.StringIO(body.decode()))]),
        ("json", lambda body: [row["square"] for row in json.loads(body)]),
        ("parquet", read_parquet),
    ):
        link = page.locator(f'a[href*="form={form}"]').get_attribute("href")
        body = visitor.context.request.get(f"{visitor.address}{link}").body()
        assert read(body) == [n * n for n in range(7)]


def read_parquet(body):
    import polars as pl

    return pl.read_parquet(io.BytesIO(body))["square"].to_list()


def test_explain_shows_the_plan(visit):
    visitor = visit()
    visitor.open("/sql?q=select+count(*)+from+corpus+where+quality+%3E+0.5&explain=1")
    assert "quality" in visitor.page.locator("#result pre").inner_text()


def test_nearest_text_finds_the_row_that_means_the_same(visit):
    visitor = visit()
    visitor.open("/rows?by=nearest&q=rest+between+the+rounds+of+a+tournament")
    assert visitor.page.locator(".ask").first.inner_text() == "How do I rest between rounds?"


def test_filters_narrow_the_rows_without_a_new_page(visit):
    visitor = visit()
    visitor.open("/rows")
    page = visitor.page
    page.evaluate("window.isSamePage = true")
    page.select_option("#filter-verdict", "rejected")
    page.wait_for_url("**verdict=rejected**")
    page.wait_for_selector("#found .tag.left-out")
    assert page.locator("#found .tag.kept").count() == 0
    assert page.evaluate("window.isSamePage")


def test_a_duplicate_shows_word_by_word_what_differs(visit):
    visitor = visit()
    visitor.open("/rows?verdict=near_duplicate")
    visitor.page.locator(".ask").first.click()
    visitor.page.wait_for_selector(".diff ins, .diff del")
    changed = " ".join(visitor.page.locator(".diff ins, .diff del").all_inner_texts())
    assert "Good luck with it." in changed


def test_the_slider_shows_other_thresholds_without_asking_the_service(visit):
    visitor = visit()
    visitor.open("/duplicates")
    page = visitor.page
    page.wait_for_selector("[data-threshold]")
    page.wait_for_selector("#pairs h3")
    counts = json.loads(page.locator("[data-threshold]").get_attribute("data-threshold"))
    removed = [count["removed"] for count in counts]
    assert counts[0]["threshold"] == 0.7
    assert removed == sorted(removed, reverse=True)
    visitor.asked.clear()
    page.locator("[data-threshold]").evaluate(
        "one => { one.value = '0.7'; one.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    assert page.locator('[data-count="removed"]').inner_text() == f"{removed[0]:,}"
    assert visitor.asked == []


def test_rows_are_decided_by_keys_and_undone(visit, served):
    visitor = visit(name="ada")
    visitor.open("/review")
    page = visitor.page
    first = page.locator('input[name="subject"]').get_attribute("value")
    page.keyboard.press("a")
    page.wait_for_selector(f'#desk table a[href="/rows/{first}"]')
    assert page.locator('input[name="subject"]').get_attribute("value") != first
    second = page.locator('input[name="subject"]').get_attribute("value")
    page.locator('input[name="why"][value="off_topic"]').check()
    page.keyboard.press("x")
    page.wait_for_selector(f'#desk table a[href="/rows/{second}"]')
    decisions = [found.decision for found in served.service.desk.list_decisions("ada", 10)]
    assert [(one.kind, one.subject, one.reason) for one in decisions] == [
        ("reject", second, "off_topic"), ("accept", first, None),
    ]  # fmt: skip
    page.keyboard.press("u")
    page.wait_for_selector(f'input[name="subject"][value="{second}"]', state="attached")
    assert [found.decision.kind for found in served.service.desk.list_decisions("ada", 10)] == ["accept"]
    page.keyboard.press("1")
    page.wait_for_selector(f'#desk table a[href="/rows/{second}"]')
    page.keyboard.press("u")
    page.wait_for_selector(f'input[name="subject"][value="{second}"]', state="attached")
    page.keyboard.press("u")
    page.wait_for_selector(f'input[name="subject"][value="{first}"]', state="attached")
    assert served.service.desk.list_decisions("ada", 10) == []
    assert visitor.faults == []


def test_two_reviewers_never_have_the_same_row(visit):
    rows = []
    for name in ("bea", "cem"):
        visitor = visit(name=name)
        visitor.open("/review")
        rows.append(visitor.page.locator('input[name="subject"]').get_attribute("value"))
    assert rows[0] != rows[1]


def test_an_edit_carries_the_new_words(visit, served):
    visitor = visit(name="dan")
    visitor.open("/review")
    page = visitor.page
    page.keyboard.press("e")
    page.locator("textarea").last.fill("A sentence that a person wrote, and it is better than the one before.")
    page.get_by_role("button", name="Keep as edited").click()
    page.wait_for_selector("#desk table")
    decision = served.service.desk.list_decisions("dan", 1)[0].decision
    assert decision.kind == "edit"
    assert decision.messages[-1].content.startswith("A sentence that a person wrote")
    page.keyboard.press("u")
    page.wait_for_selector("#desk table", state="detached")


def test_releases_are_compared_and_the_line_to_the_deployment_is_drawn(visit):
    visitor = visit()
    visitor.open("/releases")
    page = visitor.page
    kinds = page.locator(".lineage a").evaluate_all("all => all.map(one => one.getAttribute('class'))")
    assert [kinds.count(kind) for kind in ("source", "release", "adapter", "deployment")] == [1, 2, 1, 1]
    assert "rows came in" in page.locator("section[aria-labelledby=diff]").inner_text()
    assert page.locator("[data-chart=curve] canvas").count() == 1
    page.locator("section[aria-labelledby=releases] tbody a").last.click()
    page.wait_for_url("**release=**")
    link = page.get_by_role("link", name="train.jsonl").first.get_attribute("href")
    body = visitor.context.request.get(f"{visitor.address}{link}").text()
    assert json.loads(body.splitlines()[0])["messages"][-1]["role"] == "assistant"


def test_an_answer_streams_in_and_its_rating_reaches_the_journal(visit, served):
    visitor = visit()
    visitor.open("/chat")
    page = visitor.page
    page.fill("#question", "What should I look at first?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".rate")
    assert page.locator(".turn.assistant .said").inner_text() == "".join(ANSWERED)
    page.locator('[data-rate="4"]').click()
    page.wait_for_selector('[data-rate="4"][aria-pressed="true"]')
    page.locator('[data-followed="yes"]').click()
    page.wait_for_selector('[data-followed="yes"][aria-pressed="true"]')
    events = [json.loads(event.body) for event in served.service.journal.read_events()]
    assert [event["kind"] for event in events] == ["recommendation", "rating", "adherence"]
    assert events[0]["answer"] == "".join(ANSWERED)
    assert (events[0]["user"], events[0]["model"]) == ("local", "far")
    assert events[1]["rating"] == 4
    assert events[1]["recommendation_id"] == events[0]["recommendation_id"]
    assert visitor.faults == []


def test_the_service_deals_the_arm_and_the_page_shows_or_blinds_it(visit, served):
    visitor = visit()
    visitor.open("/chat")
    page = visitor.page
    names = [f"user-{n}" for n in range(60)]
    users = {
        arm: next(name for name in names if served.service.arms.find(name).name == arm) for arm in ("plain", "short")
    }
    for arm, user in users.items():
        page.fill("#user", user)
        page.select_option("#arm", "blind")
        page.fill("#question", "And what comes next?")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".rate")
        assert page.locator("[data-arm]").inner_text() == ""
        page.locator('[data-rate="3"]').click()
        page.wait_for_selector("[data-arm]:not(:empty)")
        assert page.locator("[data-arm]").inner_text() == f"arm {arm}"
        page.select_option("#arm", "shown")
        page.fill("#question", "And what comes next?")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".rate")
        assert page.locator("[data-arm]").inner_text() == f"arm {arm}"
    events = [json.loads(event.body) for event in served.service.journal.read_events()]
    shown = {(event["user"], event["arm"]) for event in events if event["kind"] == "recommendation"}
    assert shown >= {(user, arm) for arm, user in users.items()}


def test_the_metrics_and_the_arms_are_those_of_the_sql_behind_them(visit):
    visitor = visit()
    visitor.open("/feedback")
    page = visitor.page
    assert page.locator(".figures b").all_inner_texts() == ["0.0 %", "0.0 %", "100.0 %", "2.50", "75.0 %", "25.0 %"]
    page.wait_for_selector("[data-chart] canvas")
    rows = page.locator('[aria-label^="By model"] tbody tr')
    assert rows.count() == 1 + 2 + 1 + 1 + 2
    assert rows.nth(1).locator("td").all_inner_texts()[:3] == ["plain", "12", "0.0 %"]
    table = page.locator("table.arms tbody").first.locator("tr")
    assert table.nth(0).locator("td").all_inner_texts()[:3] == ["plain", "12", "2.00"]
    assert table.nth(1).locator("td").all_inner_texts()[-1] == "too few users yet"
    assert "+1.00" in table.nth(1).inner_text()
    page.get_by_role("link", name="SQL of the table").click()
    page.wait_for_selector(".result tbody tr")
    assert "metrics" in visitor.page.url
    assert page.locator(".result tbody tr").count() == 8


def test_keys_lead_to_pages_and_the_theme_stays(visit):
    visitor = visit(name="eve")
    visitor.open("/")
    page = visitor.page
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/rows")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert visitor.faults == []


def test_a_post_without_the_value_of_the_page_is_refused(visit, served):
    visitor = visit()
    visitor.open("/review")
    answer = visitor.context.request.post(f"{visitor.address}/review/undo", form={"queue": ""})
    assert answer.status == 403


def test_an_empty_project_says_what_to_type_next(browser, tmp_path):
    running = Running(tmp_path)
    try:
        window = open_window(browser, running)
        visitor = Visitor(window, running.address)
        for path in ("/", "/sql", "/rows", "/review", "/duplicates", "/releases"):
            assert visitor.open(path).status == 200
            assert "curator run" in visitor.page.locator("main").inner_text()
        assert visitor.faults == []
        window.close()
    finally:
        running.stop()


def test_what_does_not_exist_is_said_on_a_page(visit):
    visitor = visit()
    assert visitor.open("/rows/0123456789abcdef").status == 404
    assert "no example or document has it" in visitor.page.locator("main").inner_text()
    assert visitor.open("/rows?page=0").status == 422
    assert "page" in visitor.page.locator("main").inner_text()
