"""Many clients that post events at once, each over one connection, and keep on until every event is acknowledged."""

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

RETRY_S = 0.05


class RunningService:
    """`curator serve` in a process of its own; it can be killed and started again on the same port."""

    def __init__(self, project: Path):
        self.project = project
        self.port = 0
        self.start()

    def start(self):
        command = [sys.executable, "-P", "-m", "curator", "-C", str(self.project), "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/login\?token=(\S+)", line)
            if found:
                self.port, self.link_token = int(found[1]), found[2]
                return
        raise RuntimeError(f"the service ended with {self.process.wait()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def make_event(number):
    return {
        "kind": "rating",
        "event_id": f"event-{number:08d}",
        "recommendation_id": f"recommendation-{number % 997:04d}",
        "occurred_at": "2026-03-02T18:30:00+00:00",
        "user": f"user-{number % 331}",
        "rating": 1 + number % 5,
        "comment": f"session {number} felt right and the load of the plan was close to what I could do that day",
    }


async def post_all(port, tokens, count, on_progress=None):
    """Posts `count` events from `len(tokens)` clients; gives seconds of each answer and the answers by status."""
    latencies, statuses = [], {}
    numbers = iter(range(count))

    async def live(token):
        connection = None
        for number in numbers:
            body = json.dumps(make_event(number)).encode()
            head = (
                f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            while True:
                try:
                    connection = connection or await asyncio.open_connection("127.0.0.1", port)
                    started = time.perf_counter()
                    status, answer = await asyncio.wait_for(exchange(*connection, head + body), 60)
                    elapsed = time.perf_counter() - started
                except (OSError, asyncio.IncompleteReadError, TimeoutError):
                    if connection:
                        connection[0]
                        connection[1].close()
                    connection = None
                    await asyncio.sleep(RETRY_S)
                    continue
                name = answer.get("status", status) if status == 202 else status
                statuses[name] = statuses.get(name, 0) + 1
                if status in (429, 503):
                    await asyncio.sleep(RETRY_S)
                    continue
                latencies.append(elapsed)
                if on_progress:
                    on_progress(len(latencies))
                break
        if connection:
            connection[1].close()

    await asyncio.gather(*(live(token) for token in tokens))
    return latencies, statuses


async def exchange(reader, writer, request):
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
    return status, json.loads(await reader.readexactly(length))


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
