# SPDX-License-Identifier: MIT
"""Starts, watches and ends the program under test."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

from client import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SYMGATE", ROOT / "build" / "symgate")).resolve()
DEADLINE = 30
ALARMS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "Assertion")
SANITIZED = bool(os.environ.get("SYMGATE_SANITIZED"))


def wait_until(condition, what, timeout=DEADLINE):
    """Asks again until the condition holds; returns what it gave."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.005)


def material_folder():
    """Where tools/fetch_material has put what tests read; None: nowhere."""
    named = os.environ.get("SYMGATE_MATERIAL")
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    for folder in (named, f"{cache}/symgate/material", ROOT / "build" / "material"):
        if folder and pathlib.Path(folder).is_dir():
            return pathlib.Path(folder)
    return None


def environment(**more):
    """The surroundings without what would lead requests elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    sanitizers = {
        "ASAN_OPTIONS": "abort_on_error=0:exitcode=99",
        "TSAN_OPTIONS": "exitcode=99:halt_on_error=0",
    }
    for name, options in sanitizers.items():
        sanitizers[name] = ":".join(filter(None, (kept.get(name), options)))
    return kept | sanitizers | more


def run(*args, timeout=DEADLINE, **how):
    """Runs a command of the program to its end."""
    how.setdefault("env", environment())
    return subprocess.run(
        [PROGRAM, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **how,
    )


class Program:
    """One `symgate serve` with its own folder. `check` ends every scenario (see there)."""

    def __init__(self, folder, config, args=(), env=None, cwd=None):
        self.folder = pathlib.Path(folder)
        self.config = config
        self.args = list(args)
        self.env = env or {}
        self.cwd = cwd
        self.process = None
        self.address = None
        self.pool = concurrent.futures.ThreadPoolExecutor(400)
        self.stderr_path = self.folder / "stderr"
        self.clean_exit = True

    @property
    def data(self):
        return self.folder / "data"

    @property
    def cache(self):
        return pathlib.Path(self.config["general"]["cacheLocation"])

    @property
    def config_path(self):
        return self.folder / "symgate.json"

    # life

    def write_config(self):
        self.config_path.write_text(json.dumps(self.config, indent=1))

    def command(self):
        return [
            str(PROGRAM),
            "serve",
            "--config",
            str(self.config_path),
            "--data",
            str(self.data),
            *(self.args or ["--listen", "127.0.0.1:0"]),
        ]

    def launch(self):
        """Starts without waiting for the start line."""
        if self.config is not None:
            self.write_config()
        self.lines = []
        self.told = threading.Condition()
        with open(self.stderr_path, "ab") as errors:
            self.process = subprocess.Popen(
                self.command(),
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(**self.env),
                cwd=self.cwd,
            )
        said = (self.process.stdout, self.lines, self.told)
        threading.Thread(target=self.listen, args=said, daemon=True).start()

    @staticmethod
    def listen(stdout, lines, told):
        """Takes down what one process says; None at its end."""
        for line in stdout:
            with told:
                lines.append(line.decode())
                told.notify_all()
        with told:
            lines.append(None)
            told.notify_all()

    def start(self, timeout=DEADLINE):
        self.launch()
        with self.told:
            assert self.told.wait_for(self.ready, timeout), f"no start line: {self.lines}"
        assert self.start_line(), f"it ended: {self.process.wait(5)} {self.errors()[-2000:]}"
        where = re.search(r"http://([^/\s:]+|\[[^\]]+\]):(\d+)/", self.start_line())
        self.address = (where[1], int(where[2]))
        return self

    def ready(self):
        return self.start_line() or None in self.lines

    def start_line(self):
        for line in self.lines:
            if line and line.startswith("symgate ") and "http://" in line:
                return line
        return None

    def stop(self, timeout=60):
        """SIGTERM and the end; the exit code must be 0."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait_exit(timeout)
        assert code == 0, f"exit code {code}: {self.errors()[-3000:]}"

    def wait_exit(self, timeout=60):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def end(self):
        """At the end of a test: stops what runs, and finds out whether it died or complained."""
        running = self.process and self.process.poll() is None
        try:
            if running:
                self.stop()
        finally:
            self.pool.shutdown(wait=False, cancel_futures=True)
        if not running and self.process and self.clean_exit:
            assert self.process.returncode in (0, -signal.SIGKILL), self.errors()[-3000:]
        for alarm in ALARMS:
            assert alarm not in self.errors(), self.errors()[-6000:]

    def errors(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"

    # asking

    def connect(self, **how):
        return Connection(self.address, **how)

    def get(self, target, source=None, **how):
        """One request on a connection of its own, read to its end."""
        with self.connect(source=source) as connection:
            return connection.get(target, **how)

    def get_later(self, target, **how):
        """The same on a thread; a future."""
        return self.pool.submit(self.get, target, **how)

    def ask(self, target, source=None, **how):
        """Sends a request and leaves the answer to be read: the connection."""
        return self.connect(source=source).ask(target, **how)

    def fetch(self, symbol):
        """Asks for a symbol, and it comes whole."""
        answer = self.get(symbol.path)
        assert answer.status == 200 and not answer.broken, answer
        assert answer.body == symbol.body
        return answer

    # watching

    def metrics(self):
        text = self.get("/metrics").body.decode()
        values = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def metric(self, name, source=None):
        return self.metrics()[f'{name}{{source="{source}"}}' if source else name]

    def wait_metric(self, name, least, source=None):
        return wait_until(lambda: self.metric(name, source) >= least, f"{name} >= {least}")

    def copies(self):
        return {copy["key"]: copy for copy in json.loads(self.get("/api/v1/copies").body)}

    def wait_copy(self, symbol, condition=lambda copy: True):
        """Until a copy is under way and looks as wanted."""

        def look():
            copy = self.copies().get(symbol.key)
            return copy if copy and condition(copy) else None

        return wait_until(look, f"a copy of {symbol.key}")

    def wait_readers(self, symbol, count):
        return self.wait_copy(symbol, lambda copy: copy["readers"] >= count)

    def wait_quiet(self):
        """Until nothing is under way."""
        wait_until(lambda: not self.copies(), "quiet")

    # the disk

    def shelf_files(self, root=None):
        """Every file on a shelf but those in .symgate, with its bytes."""
        root = pathlib.Path(root or self.cache)
        found = {}
        for path in root.rglob("*") if root.is_dir() else ():
            relative = path.relative_to(root)
            if path.is_file() and relative.parts[0] != ".symgate":
                found[str(relative)] = path.read_bytes()
        return found

    def staged(self, root=None):
        """What lies in .symgate apart from lock files and records of their own."""
        root = pathlib.Path(root or self.cache) / ".symgate"
        files = (p for p in root.rglob("*") if p.is_file()) if root.is_dir() else ()
        return [p for p in files if not re.search(r"lock|pid|version|format|provenance", p.name)]

    def check(self, *kept, root=None):
        """Nothing false was cached: just these symbols lie there, byte for byte, and no staging."""
        self.wait_quiet()
        want = {symbol.shelved: symbol.body for symbol in kept}
        have = self.shelf_files(root)
        assert sorted(have) == sorted(want)
        for path, body in want.items():
            assert have[path] == body, f"{path} is not what it should be"
        wait_until(lambda: not self.staged(root), f"no staging in {self.staged(root)}", 10)

    def log_lines(self):
        return [line for line in self.errors().splitlines() if line]


def logging(path, **more):
    """A logging section that writes everything to one file."""
    return {
        "version": 1,
        "handlers": {
            "f": {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": str(path),
                "level": "DEBUG",
            }
            | more
        },
        "root": {"handlers": ["f"], "level": "DEBUG"},
    }
