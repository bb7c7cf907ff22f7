# SPDX-License-Identifier: MIT
"""What a page that stays open is told, and what only administrators see: logs, configuration."""

import json
import time

import pytest
from conftest import server
from double.origin import Script, head, send
from double.origin import gate as at_gate
from program import logging, run, wait_until
from symbols import missing, pdb
from test_statistics import api, wait_totals


class Stream:
    """The events of one watcher, one after the other."""

    def __init__(self, gate):
        self.connection = gate.ask("/api/v1/events")
        self.head = self.connection.head()
        self.text = b""
        self.times = []

    def next(self):
        """(event, data), or None at the end of the stream."""
        while b"\n\n" not in self.text:
            data = self.connection.some()
            if not data:
                return None
            self.text += data
        event, self.text = self.text.split(b"\n\n", 1)
        lines = event.decode().split("\n")
        self.times.append(time.monotonic())
        assert lines[0].startswith("event: ")
        data = "\n".join(line.removeprefix("data: ") for line in lines[1:])
        return lines[0].removeprefix("event: "), json.loads(data)

    def until(self, wanted, condition):
        """The first event of that name that looks as wanted."""
        while (found := self.next()) is not None:
            if found[0] == wanted and condition(found[1]):
                return found[1]
        raise AssertionError("the stream has ended")

    def until_all(self, **conditions):
        """The last event of each of these names, once all look as wanted, in whatever order they come."""
        seen = {}
        while not all(name in seen and condition(seen[name]) for name, condition in conditions.items()):
            event, data = self.next()
            seen[event] = data
        return seen


def test_what_is_so_comes_at_once(gate):
    stream = Stream(gate)
    assert stream.head.status == 200
    assert stream.head.headers["content-type"] == "text/event-stream"
    assert stream.head.headers["cache-control"] == "no-store"
    assert {stream.next()[0], stream.next()[0]} == {"overview", "copies"}


@pytest.mark.sanitized
def test_changes_are_told(gate, origin):
    stream = Stream(gate)
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(300000), at_gate("rest"), send()))
    assert stream.until("copies", lambda copies: True) == []
    answer = gate.get_later(symbol.path)
    (copy,) = stream.until("copies", lambda copies: copies and copies[0]["written"])
    assert copy["key"] == symbol.key and copy["readers"] == 1
    origin.open("rest")
    assert answer.result().body == symbol.body
    seen = stream.until_all(
        copies=lambda copies: not copies, overview=lambda overview: overview["tiles"]["numSuccess"] == 1
    )
    told = seen["overview"]
    assert told["tiles"]["numRequests"] == 1 and "now_ms" not in told


def test_nothing_is_made_while_nobody_watches(gate):
    """Seen from outside: a watcher that comes later gets what is so then."""
    first = Stream(gate)
    first.until("overview", lambda overview: overview["tiles"]["numRequests"] == 0)
    first.connection.close()
    gate.get(missing(1).path)
    Stream(gate).until("overview", lambda overview: overview["tiles"]["numRequests"] == 1)


@pytest.mark.sanitized
def test_streams_end_at_once_when_it_stops(gate):
    streams = [Stream(gate) for _ in range(3)]
    for stream in streams:
        stream.next()
    gate.stop(timeout=20)
    for stream in streams:
        while stream.next() is not None:
            pass
    assert gate.errors().count("/api/v1/events") == 3


@pytest.mark.sanitized
def test_watching_is_neither_broken_nor_hung_up(gate):
    stream = Stream(gate)
    stream.next()
    stream.connection.close()
    wait_until(lambda: "/api/v1/events" in gate.errors(), "its line in the log")
    assert gate.metric("symgate_broken_total") == 0
    assert gate.metric("symgate_hung_up_total") == 0


# --- logs and configuration ----------------------------------------------------------------------


@pytest.fixture
def logged(make, origin, tmp_path):
    """A program with two log files, one of them rotated."""
    log = logging(tmp_path / "b.log")
    log["handlers"]["a"] = log["handlers"]["f"] | {"filename": str(tmp_path / "a.log")}
    log["root"]["handlers"].append("a")
    gate = make(server(origin, user="me", password="hush"), logging=log, general={"adminToken": "hush"})
    (tmp_path / "a.log.1").write_text("an older one\n")
    return gate.start()


@pytest.mark.sanitized
def test_log_files_are_numbered(logged, tmp_path):
    listed = json.loads(logged.get("/api/v1/logs").body)
    names = [str(tmp_path / name) for name in ("a.log", "a.log.1", "b.log")]
    assert [(log["number"], log["path"]) for log in listed] == list(enumerate(names, 1))
    assert logged.get("/2.log").body == b"an older one\n"
    wait_until(lambda: b"/2.log" in logged.get("/1.log").body, "its own line")
    assert logged.get("/0.log").body.startswith((tmp_path / "b.log").read_bytes()[:100])
    rest = logged.get("/2.log?from=3")
    assert rest.body == b"older one\n" and rest.headers["x-symgate-from"] == "3"
    whole = logged.get("/2.log?from=1000")  # it was rotated
    assert whole.body == b"an older one\n" and whole.headers["x-symgate-from"] == "0"
    assert logged.get("/4.log").status == 404
    for path in ("/x.log", "/.log", "/1.logs", "/1234567890.log"):
        assert logged.get(path).status == 404, path


@pytest.mark.sanitized
def test_configuration_is_shown_without_secrets(logged, tmp_path):
    for path in ("/pysymproxy.json", "/api/v1/configuration"):
        text = logged.get(path).body.decode()
        shown = json.loads(text)
        assert "hush" not in text
        assert shown["general"]["adminToken"] == "***"
        assert shown["servers"][0]["password"] == "***" and shown["servers"][0]["user"] == "me"
        assert shown["servers"][0]["retryTimeout"] == 60
        assert shown["identity"]["name"] == "scenario"
        assert shown["general"]["listen"] == ["127.0.0.1:0"]  # --listen, which wins
    again = tmp_path / "again.json"
    again.write_text(text)
    done = run("check", again)
    assert done.returncode == 1
    for key in ("general.adminToken", "servers[0].password"):
        assert f'{key}: holds "***", which stands for a secret that is not shown. Write the secret' in done.stdout + done.stderr
    again.write_text(text.replace("***", "hush"))
    done = run("check", "--strict", again)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("remote", ["http://***@symbols.example/x", "http://symbols.example/x?***", "http://symbols.example/***/x"])
def test_a_mask_is_no_secret(tmp_path, remote):
    file = tmp_path / "symgate.json"
    file.write_text(json.dumps({"servers": [server(remote)]}))
    done = run("check", file)
    assert done.returncode == 1 and 'servers[0].remote: holds "***"' in done.stdout + done.stderr


def test_what_is_shown_of_each_kind_of_server_is_in_order(start, origin, tmp_path):
    """No key stands there that does nothing."""
    gate = start(server(origin), server(tmp_path, "folder", forms=["plain", "compressed"]))
    file = tmp_path / "again.json"
    file.write_bytes(gate.get("/pysymproxy.json").body)
    done = run("check", "--strict", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_is_shown_with_its_filters(start, origin):
    """What is downloaded and put in its place must keep the same names in the house; rules are in force too."""
    rows = server(origin, blacklist=["secret"], whitelist=["game", "engine"]), server(origin, "two", whitelist=[])
    gate = start(*rows, general={"blacklist": ["internal"]})
    gate.get("/api/v1/rules?list=blacklist&server=two&value=nv", method="POST")
    shown = json.loads(gate.get("/pysymproxy.json").body)
    assert shown["general"]["blacklist"] == ["internal"]
    one, two = shown["servers"]
    assert (one["whitelist"], one["blacklist"]) == (["game", "engine"], ["secret"])
    assert (two["whitelist"], two["blacklist"]) == ([], ["nv"])


@pytest.mark.parametrize("path", ["/pysymproxy.json", "/1.log", "/api/v1/logs", "/api/v1/configuration"])
def test_administrators_alone(make, origin, own_address, tmp_path, path):
    gate = make(
        server(origin),
        logging=logging(tmp_path / "log"),
        general={"adminToken": "key"},
        args=["--listen", "0.0.0.0:0"],
    ).start()
    assert gate.get(path).status == 200
    assert gate.get(path, host="evil.example").status == 403
    assert gate.get(path, headers={"Origin": "http://evil.example"}).status == 403
    assert gate.get(path, headers={"X-Forwarded-For": "1.2.3.4"}).status == 403
    gate.address = (own_address, gate.address[1])
    assert gate.get(path).status == 403
    assert gate.get(path, headers={"Authorization": "Bearer key"}).status == 200
    assert gate.get(path, headers={"Authorization": "Bearer kez"}).status == 403


def test_overview_of_events_counts_as_the_other(gate):
    gate.get(missing(1).path)
    wait_totals(gate, numRequests=1, numSymbols=1)
    told = Stream(gate).until("overview", lambda overview: True)
    asked = api(gate, "overview")
    for field in ("name", "health", "servers", "tiles", "saved", "since_ms", "enabled"):
        assert told[field] == asked[field], field
