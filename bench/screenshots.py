"""Pictures of the pages for the documentation, taken in a real browser.

Run: python bench/screenshots.py PROJECT [OUT] (a project that `curator demo` made; OUT is docs/screenshots). For the page
of feedback it first takes in what `bench/events.py --write` makes, once.
"""

import sys
import threading
import time
from pathlib import Path

import uvicorn
from events import make_events, write_events
from playwright.sync_api import sync_playwright

from curator.cli.app import run
from curator.project import open_project
from curator.service.app import create_app
from curator.service.context import Service, open_service
from curator.service.sessions import COOKIE_NAME
from curator.service.tokens import SCOPES, Client

MIX = "select category, count(*) as rows, round(avg(quality), 3) as quality\nfrom corpus\ngroup by category\norder by rows desc"
FAULT = "select category, count(*) as rows\nfrom corpus\nwhere qualty > 0.5\ngroup by category"
WIDTHS = {1280: 900, 390: 844}
MAX_HEIGHT = 1500
EVENTS = 9_000
DARK = ("overview", "sql-error", "duplicates")


def main(project: Path, out: Path) -> None:
    """Takes every picture anew."""
    take_feedback(project)
    service = open_service(open_project(project))
    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, path in list_pages(service).items():
            for width, height in WIDTHS.items():
                for scheme in ("light", "dark") if width == 1280 and name in DARK else ("light",):
                    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    value = service.sessions.open(Client("local", frozenset(SCOPES)))
                    context.add_cookies([{"name": COOKIE_NAME, "value": value, "domain": "127.0.0.1", "path": "/"}])
                    page = context.new_page()
                    page.goto(f"{address}{path}", wait_until="networkidle")
                    tall = min(MAX_HEIGHT, page.evaluate("document.documentElement.scrollHeight"))
                    page.set_viewport_size({"width": width, "height": max(height, tall)})
                    page.wait_for_timeout(400)
                    page.screenshot(path=out / f"{name}-{width}{'-dark' if scheme == 'dark' else ''}.png")
                    context.close()
        browser.close()
    server.should_exit = True
    thread.join()


def take_feedback(project: Path) -> None:
    """Gives the project two arms and three months of synthetic feedback, where it has none."""
    settings = project / "curator.toml"
    if "[experiment]" in settings.read_text():
        return
    arms = "".join(f'[[experiment.arms]]\nname = "{name}"\n' for name in ("plain", "direct"))
    settings.write_text(f"{settings.read_text()}\n[experiment]\n{arms}")
    write_events(project / "events.jsonl", make_events(EVENTS))
    for step in (["ingest", "feedback", str(project / "events.jsonl")], ["curate"]):
        if run(["-q", "-C", str(project), *step]) != 0:
            raise SystemExit(f"{' '.join(step)} failed")


def list_pages(service: Service) -> dict[str, str]:
    """Gives name and address of each picture."""
    from urllib.parse import urlencode

    with service.reader.open() as snapshot:
        read = snapshot.connection.sql
        twin = (
            read("select id from duplicates where not is_representative order by similarity desc, id")
            .limit(1)
            .fetchall()
        )
        arabic = (
            read("select id from corpus where language = 'ar' order by quality desc, tokens desc, id")
            .limit(1)
            .fetchall()
        )
    return {
        "overview": "/",
        "sql": f"/sql?{urlencode({'q': MIX, 'chart': 'bar'})}",
        "sql-error": f"/sql?{urlencode({'q': FAULT})}",
        "rows": "/rows?q=squat+depth",
        "row": f"/rows/{twin[0][0]}" if twin else "/rows",
        "row-arabic": f"/rows/{arabic[0][0]}" if arabic else "/rows",
        "review": "/review",
        "duplicates": "/duplicates",
        "releases": "/releases",
        "chat": "/chat",
        "feedback": "/feedback",
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/screenshots"))
