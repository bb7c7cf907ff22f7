# SPDX-License-Identifier: MIT
"""What the adviser may believe: what a server said as it is asked now, of a time that is known as a whole."""

import contextlib
import json
import sqlite3
import time

import pytest
from conftest import server
from double.origin import Origin, Script, gate as until, good, status
from program import PROGRAM, run, wait_until
from symbols import Symbol, pdb


@pytest.fixture
def third():
    it = Origin()
    yield it
    it.stop()


def advice(gate):
    return json.loads(gate.get("/api/v1/advice").body)


def patterns(gate, name):
    """What is suggested to be kept from a server."""
    return {one["rule"]["value"] for one in advice(gate) if one["kind"] == "never has" and one["rule"]["server"] == name}


def kinds(gate, name):
    return {one["kind"] for one in advice(gate) if (one["rule"] or {}).get("server") == name}


def missing(prefix, count, first=1):
    return [Symbol(f"{prefix}{n % 5}.pdb", f"{first + n:032X}1", b"") for n in range(count)]


def deny(gate, symbols):
    for symbol in symbols:
        assert gate.get(symbol.path).verdict == "absent"


def recorded(gate, requests):
    wait_until(lambda: json.loads(gate.get("/statistics.json").body)["numRequests"] == requests, "the records")


def change(gate, **keys):
    """The first server, from a reload on."""
    told = gate.errors().count("is in force")
    gate.config["servers"][0].update(keys)
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: gate.errors().count("is in force") > told, "the reload")


def forgotten(gate, name):
    """The requests for it are not kept any more."""
    with contextlib.closing(sqlite3.connect(f"file:{gate.data / 'statistics.db'}?mode=ro", uri=True)) as book:
        wait_until(lambda: book.execute("SELECT count(*) FROM requests WHERE key LIKE ?", (name + "/%",)).fetchone() == (0,), "the cut")


# --- another server under the same name


def test_what_was_said_at_another_address_does_not_count(start, origin, second, third):
    gate = start(server(origin), server(second, "two"))
    deny(gate, missing("game", 200))
    wait_until(lambda: kinds(gate, "one") == {"never has", "useless"}, "the advice")
    change(gate, remote=third.url)
    assert kinds(gate, "one") == set() and kinds(gate, "two") == {"never has", "useless"}
    deny(gate, missing("game", 19, 1000))
    assert kinds(gate, "one") == set()
    deny(gate, missing("game", 1, 2000))
    wait_until(lambda: patterns(gate, "one") == {"(?i)game.*"}, "the new evidence")
    (one,) = [each for each in advice(gate) if each["kind"] == "never has" and each["rule"]["server"] == "one"]
    (two,) = [each for each in advice(gate) if each["kind"] == "never has" and each["rule"]["server"] == "two"]
    assert one["questions"] == third.count() == 20 and one["since_ms"] > two["since_ms"]


@pytest.mark.parametrize("keys", [{"layout": "ssqp"}, {"token": "another"}])
def test_what_was_said_when_asked_otherwise_does_not_count(start, origin, keys):
    gate = start(server(origin))
    deny(gate, missing("game", 20))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    change(gate, **keys)
    assert patterns(gate, "one") == set()


def test_limits_and_filters_leave_the_evidence_alone(start, origin):
    gate = start(server(origin))
    deny(gate, missing("game", 20))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    change(gate, retryTimeout="1h", maxRequests=3, blacklist=["x"])
    assert patterns(gate, "one") == {"(?i)game.*"}


def test_an_order_counts_what_was_said_at_this_address(start, origin, second, third):
    """The noes of an older server do not move the mended one back."""
    gate = start(server(origin), server(second, "two"))
    had = [pdb(f"app{n}.pdb", seed=n) for n in range(24)]
    for symbol in had:
        second.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    wait_until(lambda: "order" in {one["kind"] for one in advice(gate)}, "the advice")
    time.sleep(0.1)  # times are compared to 50 ms
    change(gate, remote=third.url)
    new = pdb("new.pdb", seed=99)
    second.on(new.remote, good(new.body))
    gate.fetch(new)
    recorded(gate, 25)
    assert [one for one in advice(gate) if one["kind"] == "order"] == []


# --- what has been forgotten


def test_what_was_found_is_known_when_its_name_is_folded(start, origin):
    gate = start(server(origin), general={"statisticsNames": 100})
    found = [pdb(f"game{n}x.pdb", seed=n) for n in range(3)]
    for symbol in found:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    deny(gate, [Symbol(f"game{n}.pdb", f"{k:032X}1", b"") for n in range(110) for k in range(3)])
    wait_until(lambda: not set(json.loads(gate.get("/symbols.json").body)) & {symbol.name for symbol in found}, "the fold")
    assert "(other)" in json.loads(gate.get("/symbols.json").body)
    assert patterns(gate, "one") and "(?i)game.*" not in patterns(gate, "one")
    for one in advice(gate):
        assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    for symbol in found:
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        gate.fetch(symbol)


def test_a_failure_is_known_over_a_restart_until_it_is_answered(start, origin):
    gate = start(server(origin, breaker={"count": 0}))
    failed = [Symbol("game9.pdb", f"{100 + n:032X}1", b"") for n in range(2)]
    for symbol in failed:
        origin.on(symbol.remote, status(401), status(404))
        assert gate.get(symbol.path).verdict == "failed"
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")
    gate.restart()
    assert "(?i)other.*" in patterns(gate, "one") and "(?i)game.*" not in patterns(gate, "one")
    deny(gate, failed)
    wait_until(lambda: "(?i)game.*" in patterns(gate, "one"), "the answers to count")


def test_a_race_lost_long_ago_is_known(start, origin, second):
    gate = start(server(origin, hedgeAfter="50ms"), server(second, "two"), general={"requestsKept": 1000})
    slow = pdb("gameslow.pdb")
    origin.on(slow.remote, Script(b"", until("never")))
    second.on(slow.remote, good(slow.body))
    gate.fetch(slow)
    deny(gate, missing("game", 40))
    deny(gate, missing("other", 1100))
    forgotten(gate, slow.name)
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")
    origin.open("never")


# --- what nobody has recorded


def test_files_that_are_here_from_before_may_be_anybodys(start, origin, second):
    gate = start(server(origin), server(second, "two"), general={"enableStatistics": False})
    had = [pdb(f"game{n}x.pdb", seed=n) for n in range(3)]
    for symbol in had:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    gate.stop()
    gate.config["general"]["enableStatistics"] = True
    gate.start()
    for symbol in had:
        assert gate.fetch(symbol).verdict == "hit"
    deny(gate, [*missing("game", 40), *missing("other", 200)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one") and "useless" not in kinds(gate, "one")
    assert "useless" in kinds(gate, "two")
    for one in advice(gate):
        if one["rule"]["server"] == "one":
            assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    for symbol in had:
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        gate.fetch(symbol)


def test_a_cache_of_a_symbol_path_may_be_missing(make, origin, tmp_path):
    """It counts as if it were not there: that is no server that is down."""
    gate = make()
    gate.config = None
    path = f"srv*{tmp_path / 'nowhere'}*{origin.url}"
    gate.command = lambda: [str(PROGRAM), "serve", "--sympath", path, "--data", str(gate.data), "--listen", "127.0.0.1:0"]
    gate.start()
    deny(gate, missing("game", 40))
    wait_until(lambda: advice(gate), "the advice")
    assert {one["kind"] for one in advice(gate)} == {"never has"}
