"""The interactive shell, driven through a pseudo-terminal as a person would."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

TIMEOUT_S = 90
PROMPT = "sql>"


class Terminal:
    """A `curator sql` on a pseudo-terminal."""

    def __init__(self, folder, *arguments):
        self.descriptor, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        command = [sys.executable, "-P", "-m", "curator", "-C", str(folder), "sql", *arguments]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            command, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
        )
        os.close(child)
        self.text = ""

    def expect(self, pattern):
        """Reads until a pattern appears in what came since the last one; gives the text up to it."""
        deadline = time.monotonic() + TIMEOUT_S
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, f"{pattern!r} never came: {self.text[-2000:]!r}"
            ready, _, _ = select.select([self.descriptor], [], [], 0.2)
            if ready:
                try:
                    data = os.read(self.descriptor, 65536).decode(errors="replace")
                except OSError:
                    data = ""
                assert data or self.process.poll() is None, f"{pattern!r} never came: {self.text[-2000:]!r}"
                self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r", "", data)
        before, self.text = self.text[: found.end()], self.text[found.end() :]
        return before

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def interrupt(self):
        """What the terminal sends on Ctrl-C: an interrupt to the shell and to the process of its query."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.descriptor)


@pytest.fixture
def shell(project):
    terminal = Terminal(project)
    terminal.expect(PROMPT)
    yield terminal
    terminal.close()


def test_a_session_answers_queries_lists_tables_survives_mistakes_remembers_and_quits(project, shell):
    shell.type("select 6 * 7 as answer;\r")
    shell.expect("42")
    shell.expect(PROMPT)
    shell.type("selec 1;\r")
    shell.expect("syntax error")
    shell.expect(PROMPT)
    shell.type("select count(*)\r")
    shell.type("as many from mix;\r")
    shell.expect("6")
    shell.expect(PROMPT)
    shell.type(".run mix\r")
    shell.expect("technique")
    shell.expect(PROMPT)
    shell.type(".tables\r")
    shell.expect("lineage")
    shell.expect(PROMPT)
    shell.type(".saved\r")
    shell.expect("uncategorised")
    shell.expect(PROMPT)
    shell.type(".quit\r")
    assert shell.process.wait(TIMEOUT_S) == 0
    history = (project / ".curator" / "sql_history").read_text()
    assert "+select 6 * 7 as answer;" in history
    assert "+as many from mix;" in history


def test_ctrl_c_leaves_a_line_stops_a_query_and_ctrl_d_ends_the_shell(shell):
    shell.type("select 'never sent")
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("select count(*) from range(1000000000000);\r")
    time.sleep(2)
    shell.interrupt()
    shell.expect("the query was stopped")
    shell.expect(PROMPT)
    shell.type("\x04")
    assert shell.process.wait(TIMEOUT_S) == 0


def test_without_a_terminal_and_without_a_query_the_way_out_is_named(built, curator):
    done = curator(built, "sql", stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "no query, and stdin is no terminal" in done.stderr
    assert "curator sql QUERY" in done.stderr
