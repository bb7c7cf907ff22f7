# SPDX-License-Identifier: MIT
"""Starting, stopping, reloading, locks and logs."""

import contextlib
import os
import re
import socket
import subprocess
import time

import program
import pytest
from client import Broken, Connection
from conftest import server
from double.origin import Script, gate as at_gate, good, head, send
from program import logging, wait_until
from symbols import missing, pdb

MIB = 1 << 20


def refused(gate):
    """Starts what must not start; what it said."""
    gate.launch()
    gate.clean_exit = False
    assert gate.wait_exit(30) == 1
    return gate.errors()


# --- one at a time -------------------------------------------------------------------------------


def test_second_on_the_same_data_is_refused_with_the_pid(make, origin):
    first = make(server(origin)).start()
    other = make(server(origin))
    other.args = ["--listen", "127.0.0.1:0", "--data", str(first.data)]
    said = refused(other)
    assert str(first.process.pid) in said and str(first.data) in said
    assert first.get("/healthz").status == 200


def test_second_on_the_same_shelf_is_refused_with_the_pid(make, origin):
    first = make(server(origin)).start()
    other = make(server(origin), general={"cacheLocation": str(first.cache)})
    assert str(first.process.pid) in refused(other)


def test_one_folder_by_two_names_is_told_as_that(make, origin, second, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "cache")
    gate = make(
        server(origin, cacheLocation=str(tmp_path / "alias")),
        general={"cacheLocation": str(tmp_path / "cache")},
    )
    said = refused(gate)
    assert "another cache of this configuration" in said and "Write the same cacheLocation" in said


def test_closed_descriptors_are_not_taken_for_files(make, origin):
    """What it says goes nowhere, and not into the first files that it opens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gate = make(server(origin))
    gate.write_config()
    gate.args = ["--listen", f"127.0.0.1:{port}", "--data", str(gate.data)]
    words = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *gate.command()]
    process = subprocess.Popen(words, env=program.environment())
    try:
        wait_until(lambda: (gate.data / "symgate.run").exists(), "the start")
        assert (gate.data / "lock").read_text() == f"{process.pid}\n"
    finally:
        process.terminate()
        process.wait(30)
    gate.start()
    assert gate.get("/healthz").status == 200


def test_lock_does_not_outlive_a_kill(gate, origin):
    for _ in range(3):
        gate.kill9()
        gate.start()
    assert gate.get(missing(1).path).verdict == "absent"


def test_busy_port_is_one_line_that_names_it(make, origin):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gate = make(server(origin), args=["--listen", f"127.0.0.1:{port}"])
        said = refused(gate)
        lines = [line for line in said.splitlines() if str(port) in line]
        assert len(lines) == 1 and "--listen" in lines[0], said


# --- stopping ------------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_sigterm_finishes_bodies_under_way(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    client = gate.ask(symbol.path)
    client.head()
    origin.on(missing(1).remote, Script(b"", at_gate("go2"), head(404)))
    waiting = gate.ask(missing(1).path)
    origin.wait_at("go2")
    gate.process.terminate()

    def accepts():
        try:
            Connection(gate.address).close()
            return True
        except OSError:
            return False

    wait_until(lambda: not accepts(), "it to stop accepting")
    with contextlib.suppress(Broken):
        assert waiting.answer().verdict == "later"
    origin.open("go")
    assert client.rest() == symbol.body
    assert gate.wait_exit() == 0


@pytest.mark.sanitized
def test_sigterm_tells_the_waiting_later(gate, origin):
    origin.on(missing(1).remote, Script(b"", at_gate("never"), head(404)))
    waiting = [gate.ask(missing(1).path) for _ in range(20)]
    gate.wait_readers(missing(1), 20)
    gate.process.terminate()
    for one in waiting:
        answer = one.answer()
        assert answer.verdict == "later" and answer.headers["symbol-agent-status"] == "0x80070512"
    assert gate.wait_exit() == 0


def test_sigterm_with_idle_connections(gate):
    idle = [gate.connect() for _ in range(50)]
    for one in idle:
        assert one.get("/healthz").status == 200
    gate.stop(timeout=20)
    for one in idle:
        assert one.closed() == b""


def test_sigint_stops_too(gate):
    gate.process.send_signal(2)
    assert gate.wait_exit() == 0


# --- reloading -----------------------------------------------------------------------------------


def reload(gate, said="reload"):
    before = gate.errors().count("\n")
    gate.write_config()
    gate.hang_up()
    return before


@pytest.mark.sanitized
def test_reload_takes_new_servers_and_filters(gate, origin, second):
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.path).verdict == "absent"
    gate.config["servers"].append(server(second, "two"))
    gate.config["general"]["blacklist"] = ["bad"]
    reload(gate)
    wait_until(lambda: gate.get(missing(1, "bad.pdb").path).verdict == "excluded", "the reload")
    wait_until(lambda: gate.get(symbol.path).status == 200, "the reload in every loop")
    gate.fetch(symbol)
    assert origin.count(symbol.remote) == 1, "its absence was kept"
    gate.check(symbol)


@pytest.mark.sanitized
def test_reload_keeps_transfers_and_connections(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    connection = gate.connect()
    connection.get("/healthz")
    client = gate.ask(symbol.path)
    client.head()
    gate.config["general"]["blacklist"] = ["bad"]
    reload(gate)
    wait_until(lambda: gate.get(missing(1, "bad.pdb").path).verdict == "excluded", "the reload")
    origin.open("go")
    assert client.rest() == symbol.body
    assert connection.get("/healthz").status == 200
    gate.check(symbol)


@pytest.mark.sanitized
def test_removed_server_ends_its_transfers_and_its_waiting(start, origin, second):
    gate = start(server(origin, maxRequests=1), server(second, "two"))
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    client = gate.ask(symbol.path)
    client.head()
    waiting = gate.ask(missing(1).path)
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 1, "the queue")
    del gate.config["servers"][0]
    reload(gate)
    answer = waiting.answer()
    assert (answer.status, answer.verdict) == (404, "absent")
    assert origin.count(missing(1).remote) == 0
    assert second.count(missing(1).remote) == 1
    origin.open("go")
    assert client.rest() == symbol.body
    gate.check(symbol)


@pytest.mark.sanitized
def test_who_waits_for_a_server_that_changes_asks_it_as_it_is_then(start, origin):
    gate = start(server(origin, maxRequests=1))
    symbol, other = pdb(size=4 * MIB), pdb("other.pdb")
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    origin.on(other.remote, good(other.body))
    client = gate.ask(symbol.path)
    client.head()
    waiting = gate.ask(other.path)
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 1, "the queue")
    gate.config["servers"][0]["headers"] = {"X-Team": "new"}
    reload(gate)
    assert waiting.answer().body == other.body
    assert [one.headers["x-team"] for one in origin.requests if one.path == other.remote] == ["new"]
    origin.open("go")
    assert client.rest() == symbol.body
    gate.check(symbol, other)


def test_bad_configuration_changes_nothing(gate, origin):
    gate.config_path.write_text('{"servers": [')
    gate.hang_up()
    wait_until(lambda: "symgate.json:1" in gate.errors(), "the complaint")
    assert gate.get(missing(1).path).verdict == "absent"


def test_what_needs_a_restart_is_named(gate, origin, tmp_path):
    general = {
        "workers": 3,
        "cacheLocation": str(tmp_path / "elsewhere"),
        "minFreeSpace": 1,
        "spillLimit": 1,
        "absencesMax": 5000,
        "enableStatistics": False,
        "statisticsNames": 1000,
        "statisticsIds": 1000,
        "statisticsSize": "1 GiB",
        "statisticsRetention": "1d",
        "requestsKept": 1000,
        "failuresKept": 1000,
    }
    gate.config["general"].update(general)
    reload(gate)
    for key in general:
        hint = f"general.{key} has changed; it counts from the next start on"
        wait_until(lambda hint=hint: hint in gate.errors(), hint)
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert not (tmp_path / "elsewhere").exists()


def test_many_reloads_under_load(gate, origin):
    symbols = [pdb(seed=n) for n in range(60)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
    answers = []
    for n, symbol in enumerate(symbols):
        answers.append(gate.get_later(symbol.path))
        if n % 6 == 0:
            gate.config["servers"][0]["maxRequests"] = 2 + n
            reload(gate)
    for symbol, answer in zip(symbols, answers):
        assert answer.result().body == symbol.body
    assert origin.count() == 60
    gate.check(*symbols)


# --- logs ----------------------------------------------------------------------------------------


def test_one_line_a_request(start, origin, tmp_path):
    log = tmp_path / "log.txt"
    gate = start(server(origin), logging=logging(log))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    ids = []
    for path in (symbol.path, symbol.path, missing(1).path, "/symbols/%2e%2e", "/healthz"):
        ids.append(gate.get(path).headers["x-request-id"])
    wait_until(lambda: log.exists() and all(i in log.read_text() for i in ids), "the lines")
    lines = [[line for line in log.read_text().splitlines() if i in line] for i in ids]
    assert all(len(found) == 1 for found in lines), lines
    for found, words in zip(
        lines, (["fetched", symbol.key, "one"], ["hit", symbol.key], ["absent"], ["invalid"], [])
    ):
        for word in words:
            assert word in found[0], (word, found)


def test_log_line_cannot_be_forged(start, origin, tmp_path):
    log = tmp_path / "log.txt"
    gate = start(server(origin), logging=logging(log))
    evil = gate.get(
        "/symbols/a%0aFORGED/" + "A" * 33 + "/x",
        headers={"User-Agent": 'x"y\tz', "X-Request-Id": "good-id"},
    )
    assert evil.status == 400
    gate.get("/symbols/a%1b%5b31m/AB/a%1b%5b31m")
    gate.get('/symbols/"quoted\\"/AB/"quoted\\"')
    last = gate.get("/healthz").headers["x-request-id"]
    wait_until(lambda: last in log.read_text(), "the lines")
    text = log.read_bytes()
    assert b"\nFORGED" not in text and b"\x1b" not in text
    assert b"good-id" in text


def test_log_rotation(start, origin, tmp_path):
    log = tmp_path / "logs" / "log.txt"
    log.parent.mkdir()
    gate = start(server(origin), logging=logging(log, maxBytes=4096, backupCount=3))
    for n in range(200):
        gate.get(missing(n).path)
    wait_until(lambda: (log.parent / "log.txt.3").exists(), "the third backup")
    gate.stop()
    names = sorted(p.name for p in log.parent.iterdir())
    assert names == ["log.txt", "log.txt.1", "log.txt.2", "log.txt.3"]
    assert all(p.stat().st_size < 8192 for p in log.parent.iterdir())


def test_log_is_reopened_at_the_signal(start, origin, tmp_path):
    log = tmp_path / "log.txt"
    gate = start(server(origin), logging=logging(log))
    gate.get("/healthz")
    wait_until(log.exists, "the log")
    os.rename(log, tmp_path / "moved")
    gate.hang_up()

    def anew():
        gate.get("/healthz")
        return log.exists()

    wait_until(anew, "a new file")


def test_log_folder_is_full(start, origin, small_disk):
    """A log that cannot be written delays and breaks nothing."""
    disk = small_disk("256k")
    gate = start(server(origin), logging=logging(disk / "log.txt"))
    with gate.connect() as connection:
        for n in range(1500):
            assert connection.get(missing(n % 5).path).verdict == "absent"
    gate.wait_metric("symgate_requests_total", 1500)  # counted once the answer is out


@pytest.mark.parametrize(
    "how, seen, unseen",
    [
        ("full", "127.0.0.77", None),
        ("shortened", "127.0.0", "127.0.0.77"),
        ("none", None, "127.0.0.77"),
    ],
)
def test_log_clients(start, origin, tmp_path, how, seen, unseen):
    log = tmp_path / "log.txt"
    gate = start(server(origin), general={"logClients": how}, logging=logging(log))
    identity = gate.get(missing(1).path, source="127.0.0.77").headers["x-request-id"]
    wait_until(lambda: log.exists() and identity in log.read_text(), "the line")
    line = next(one for one in log.read_text().splitlines() if identity in one)
    assert seen is None or seen in line
    assert unseen is None or unseen not in line


def test_log_to_standard_error_by_default(gate):
    identity = gate.get(missing(1).path).headers["x-request-id"]
    wait_until(lambda: identity in gate.errors(), "the line")


# --- format versions -----------------------------------------------------------------------------


def test_data_of_a_newer_program_is_refused(gate, origin):
    gate.get(missing(1).path)
    gate.stop()
    marks = [p for p in gate.data.rglob("*") if p.is_file() and p.name == "format"]
    assert marks
    marks[0].write_text("999999\n")
    said = refused(gate)
    assert "newer" in said


def test_replay_of_absences_does_not_delay_the_start(gate, origin):
    for n in range(300):
        gate.get(missing(n).path)
    gate.stop()
    began = time.monotonic()
    gate.start()
    print(f"started in {time.monotonic() - began:.3f} s")
    for n in range(300):
        assert gate.get(missing(n).path).verdict == "absent"
    assert origin.count() == 300
