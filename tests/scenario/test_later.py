# SPDX-License-Identifier: MIT
"""The client whose limit comes is told in time, the fetch goes on, and the next try is a hit."""

import time

import pytest
from conftest import server
from double.origin import Script, delay, drip, gate as at_gate, good, head, ranged_head, send
from program import wait_until
from symbols import missing, pdb

LATER = "0x80070512"


def announced(ms):
    return {"Symbol-Agent-Receive-Timeout": str(ms)}


def slow(symbol, name="go"):
    return Script(symbol.body, at_gate(name), head(), send())


@pytest.mark.sanitized
def test_told_later_and_then_a_hit(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, slow(symbol))
    answer = gate.get(symbol.path, headers=announced(1000))
    assert answer.status == 404 and answer.body == b""
    assert answer.verdict == "later"
    assert answer.headers["symbol-agent-status"] == LATER
    assert answer.headers["cache-control"] == "no-store"
    origin.open("go")
    gate.wait_quiet()
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 1
    gate.check(symbol)


def test_next_try_joins_what_goes_on(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, slow(symbol))
    assert gate.get(symbol.path, headers=announced(700)).verdict == "later"
    again = gate.ask(symbol.path)
    gate.wait_readers(symbol, 1)
    origin.open("go")
    answer = again.answer()
    assert answer.verdict == "joined" and answer.body == symbol.body
    assert origin.count() == 1


def test_same_connection_asks_again(gate, origin):
    """As a client with RETRY_APP_HANG does: it keeps the socket and repeats."""
    symbol = pdb()
    origin.on(symbol.remote, slow(symbol))
    with gate.connect() as connection:
        for _ in range(3):
            assert connection.get(symbol.path, headers=announced(600)).verdict == "later"
        origin.open("go")
        gate.wait_quiet()
        assert connection.get(symbol.path).body == symbol.body
    assert origin.count() == 1


@pytest.mark.parametrize("text", ["1000", "0x3e8", " 1000 "])
def test_announced_limit_is_kept(gate, origin, text):
    symbol = missing(1)
    origin.on(symbol.remote, Script(b"", at_gate("go"), head(404)))
    began = time.monotonic()
    answer = gate.get(symbol.path, headers={"Symbol-Agent-Receive-Timeout": text})
    waited = time.monotonic() - began
    assert answer.verdict == "later"
    print(f"told after {waited:.2f} s")
    assert waited < 20, "the announced limit was not used"
    origin.open("go")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "abc", "-5", "99999999999999999999", "1e3"])
def test_nonsense_in_the_announcement(gate, origin, text):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, delay(1.5), head(), send()))
    answer = gate.get(symbol.path, headers={"Symbol-Agent-Receive-Timeout": text})
    assert answer.body == symbol.body


def test_no_limit_once_bytes_flow(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(500_000), drip(20_000, 0.1)))
    answer = gate.get(symbol.path, headers=announced(700))
    assert answer.status == 200 and answer.body == symbol.body


def test_place_in_the_queue_stays(start, origin):
    """Waiting for a place is not failing: the place stays, and the next try is a hit."""
    gate = start(server(origin, maxRequests=1))
    first, then = pdb(seed=1), pdb(seed=2)
    origin.on(first.remote, slow(first))
    origin.on(then.remote, good(then.body))
    blocker = gate.ask(first.path)
    origin.wait_at("go")
    assert gate.get(then.path, headers=announced(700)).verdict == "later"
    assert origin.count() == 1
    origin.open("go")
    assert blocker.answer().body == first.body
    origin.wait_requests(then.remote)
    gate.check(first, then)
    assert gate.fetch(then).verdict == "hit"


def test_request_timeout_is_configurable(start, origin):
    gate = start(server(origin), general={"requestTimeout": "800ms"})
    symbol = pdb()
    origin.on(symbol.remote, slow(symbol))
    assert gate.get(symbol.path).verdict == "later"
    nonsense = {"Symbol-Agent-Receive-Timeout": "soon"}
    assert gate.get(symbol.path, headers=nonsense).verdict == "later", "nonsense changes nothing"
    origin.open("go")
    gate.check(symbol)


def test_head_is_told_later_too(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, slow(symbol))
    answer = gate.get(symbol.path, method="HEAD", headers=announced(700))
    assert answer.verdict == "later" and answer.status == 404
    origin.open("go")


@pytest.mark.slow
def test_late_source_holds_a_client_three_seconds_more(gate, origin):
    """Three clients in a row were told later: the fourth is told soon, not at its own limit."""
    for n in range(4):
        origin.on(missing(n).remote, Script(b"", at_gate("go"), head(404)))
    told = [gate.get_later(missing(n).path, headers=announced(2500)) for n in range(3)]
    assert [one.result().verdict for one in told] == ["later"] * 3
    began = time.monotonic()
    assert gate.get(missing(3).path).verdict == "later"
    assert time.monotonic() - began < 15
    origin.open("go")
    gate.wait_quiet()
    assert gate.get(missing(3).path).verdict == "absent"


@pytest.mark.slow
@pytest.mark.sanitized
def test_source_silent_for_28_seconds(gate, origin):
    """Told at 25 s, in time for a client that gives up at 30; the next try is a hit."""
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, delay(28), head(), send()))
    began = time.monotonic()
    answer = gate.get(symbol.path)
    waited = time.monotonic() - began
    assert answer.status == 404 and answer.body == b""
    assert answer.headers["symbol-agent-status"] == LATER
    assert 24 < waited < 30, waited
    wait_until(lambda: gate.get(symbol.path).verdict == "hit", "the file")
    gate.check(symbol)


@pytest.mark.slow
def test_source_that_trickles(gate, origin):
    """Never told later, complete in the end, however long: here for longer than every limit."""
    symbol = pdb(size=256 * 1024)
    origin.on(symbol.remote, Script(symbol.body, ranged_head('"v"'), drip(8192, 1.0)))
    clients = [gate.get_later(symbol.path) for _ in range(3)]
    origin.wait_requests(symbol.remote)
    for client in clients:
        answer = client.result()
        assert answer.status == 200 and answer.body == symbol.body
    assert origin.count() == 1
    gate.check(symbol)


def test_first_bytes_that_trickle(start, origin):
    """The first 4 KiB alone take longer than the client's limit, but there is something to be sent."""
    gate = start(server(origin), general={"requestTimeout": "4s"})
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, head(), drip(60, 0.1, until=5 * 1024), send()))
    answer = gate.get(symbol.path)
    assert answer.status == 200 and answer.body == symbol.body
    gate.check(symbol)


@pytest.mark.slow
def test_burst_of_300_cold_symbols_over_a_thin_line(gate, origin):
    """Every one of them arrives: at once, or on a try made after the queue has emptied."""
    symbols = [pdb("cold.pdb", size=65536, seed=n) for n in range(300)]
    for symbol in symbols:
        origin.on(symbol.remote, Script(symbol.body, delay(0.1), head(), drip(32768, 0.05)))
    answers = [gate.get_later(s.path, headers=announced(1500)) for s in symbols]
    verdicts = [a.result().verdict for a in answers]
    assert set(verdicts) <= {"fetched", "later"}
    print({v: verdicts.count(v) for v in set(verdicts)})
    gate.wait_quiet()
    for symbol, answer in zip(symbols, answers):
        if answer.result().status == 200:
            assert answer.result().body == symbol.body
        assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 300
    assert origin.running_max <= 10
    assert origin.connections_max <= 15
    gate.check(*symbols)
