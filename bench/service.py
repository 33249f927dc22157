"""Loads a running service: clients that post events while an ingest runs and the service is killed, and the overview.

    python bench/service.py events [--clients 200] [--events 20000] [--no-kill] [--no-ingest]
    python bench/service.py overview [--examples 1000000]

`events` says how many were acknowledged, found in the journal, lost or doubled, and the quantiles of the answers' times.
`overview` makes a snapshot of that many examples out of the demo's and times the figures of the first page, first and
again.
"""

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from event_load import RunningService, post_all, quantile

from curator.service.tokens import TokenStore
from schemas.feedback import JOURNAL

SCALED = {
    "examples": "id",
    "documents": "id",
    "verdicts": "subject_id",
    "release_members": "example_id",
}
IDS = {"id", "document_id", "subject_id", "example_id", "cluster_id", "representative_id", "partner", "unit_id"}


def load_events(folder, clients, events, *, has_kill, has_ingest):
    (folder / "curator.toml").write_text('pack = "fitness"\n')
    tokens = TokenStore(folder / ".curator" / "tokens.json")
    keys = [tokens.add(f"client-{n}", ["feedback"]) for n in range(clients)]
    service = RunningService(folder)
    ingest = start_ingest(folder) if has_ingest else None
    killed = threading.Event()

    def watch(done):
        if has_kill and done == events // 2:
            killed.set()

    def kill_once():
        killed.wait()
        service.kill()
        service.start()

    if has_kill:
        threading.Thread(target=kill_once, daemon=True).start()
    started = time.perf_counter()
    # The clients live on the same two cores: what they need themselves should be little.
    latencies, statuses = uvloop.run(post_all(service.port, keys, events, watch))
    elapsed_s = time.perf_counter() - started
    is_ingesting = ingest is not None and ingest.poll() is None
    service.stop()
    if ingest:
        ingest.kill()
    rows = sqlite3.connect(folder / JOURNAL).execute("select count(*), count(distinct event_id) from event")
    stored, distinct = rows.fetchone()
    return {
        "clients": clients,
        "events": events,
        "acknowledged": len(latencies),
        "answers": statuses,
        "in_journal": stored,
        "lost": events - distinct,
        "doubled": stored - distinct,
        "elapsed_s": round(elapsed_s, 2),
        "events_per_s": round(events / elapsed_s),
        "ms": {f"p{share * 100:g}": round(quantile(latencies, share) * 1000, 1) for share in (0.5, 0.9, 0.99, 0.999)},
        "ingest_ran_to_the_end_of_it": is_ingesting,
    }


def start_ingest(folder):
    """Ingests synthetic rows, again and again with another count, until it is killed."""
    code = (
        "import subprocess, sys\n"
        "for n in range(1, 100):\n"
        "    subprocess.run([sys.executable, '-P', '-m', 'curator', '-q', '-C', sys.argv[1], 'ingest', 'synthetic',"
        " '--count', str(n * 2000)], check=False, capture_output=True)\n"
    )
    return subprocess.Popen([sys.executable, "-P", "-c", code, str(folder)])


def scale_snapshot(source, target, examples):
    """Writes a snapshot whose large tables hold the source's rows many times, under new ids and with changed text."""
    connection = duckdb.connect()
    connection.execute(f"attach '{source}' as s (read_only)")
    connection.execute(f"attach '{target}' as d (storage_version 'v1.4.0')")
    times = -(-examples // connection.execute("select count(*) from s.examples").fetchone()[0])
    for (table,) in connection.execute("select table_name from duckdb_tables() where database_name = 's'").fetchall():
        columns = connection.execute(
            "select column_name from duckdb_columns() where database_name = 's' and table_name = ? order by column_index",
            [table],
        ).fetchall()
        parts = [spell_column(name) if table in SCALED else name for (name,) in columns]
        order = f"order by {SCALED[table]}" if table in SCALED else ""
        many = f", range({times}) as r(n)" if table in SCALED else ""
        connection.execute(f"create table d.{table} as select {', '.join(parts)} from s.{table}{many} {order}")
    connection.execute("use d")
    for (sql,) in connection.execute(
        "select sql from duckdb_views() where database_name = 's' and not internal order by view_oid"
    ).fetchall():
        connection.execute(sql)
    connection.execute("checkpoint d")
    connection.close()


def spell_column(name):
    if name in IDS:
        return f"case when n = 0 then {name} else md5({name} || n) end as {name}"
    if name == "messages":
        return "case when n = 0 then messages else replace(messages, '.', '. v' || n || ' ') end as messages"
    return name


def time_overview(folder, examples):
    from starlette.testclient import TestClient

    from curator.project import open_project
    from curator.service.app import create_app
    from curator.service.context import open_service

    demo, big = folder / "demo", folder / "big"
    subprocess.run([sys.executable, "-P", "-m", "curator", "demo", str(demo)], check=True, capture_output=True)
    (big / ".curator" / "snapshots").mkdir(parents=True)
    shutil.copy(demo / "curator.toml", big)
    newest = max((demo / ".curator" / "snapshots").glob("*.db"))
    scale_snapshot(newest, big / ".curator" / "snapshots" / "000001.db", examples)
    service = open_service(open_project(big))
    times = {}
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        client.get("/login", params={"token": service.sessions.make_link_token()})
        for label in ("stats_first", "stats_again"):
            times[label] = time_request(client, "/api/v1/stats")
        for label in ("page_first", "page_again"):
            times[label] = time_request(client, "/")
        for query in ("squat", "squat knees", "zyzzyva"):
            times[f"search {query}"] = time_request(client, f"/api/v1/search?q={query}")
        started = time.perf_counter()
        client.post("/api/v1/sql", json={"sql": "select category, count(*) from corpus group by 1"})
        times["sql without csrf is refused"] = round(time.perf_counter() - started, 4)
    return {"examples": examples, "seconds": times}


def time_request(client, path):
    started = time.perf_counter()
    answer = client.get(path)
    elapsed = round(time.perf_counter() - started, 4)
    return elapsed if answer.status_code == 200 else f"{answer.status_code} after {elapsed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["events", "overview"])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("--no-ingest", action="store_true")
    parser.add_argument("--examples", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "events":
            found = load_events(Path(folder), given.clients, given.events, has_kill=not given.no_kill,
                                has_ingest=not given.no_ingest)  # fmt: skip
        else:
            found = time_overview(Path(folder), given.examples)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
