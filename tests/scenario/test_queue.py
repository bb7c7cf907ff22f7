# SPDX-License-Identifier: MIT
"""Places, fair queues, hedges and priorities."""

import contextlib

import pytest
from client import Broken
from conftest import server
from double.origin import (
    CLOSE,
    Origin,
    Script,
    absent,
    close,
    delay,
    drip,
    gate as at_gate,
    good,
    head,
    reset,
    send,
    stall,
    status,
)
from program import wait_until
from symbols import missing, pdb

PATIENT = {"Symbol-Agent-Receive-Timeout": "120000"}


def hold(origin, symbol, gate="hold"):
    origin.on(symbol.remote, Script(symbol.body, at_gate(gate), head(), send()))
    return symbol


def held(origin, count, gate="hold", name="cold.pdb"):
    """Symbols whose source waits at a gate before its head."""
    return [hold(origin, pdb(name, size=32768, seed=n), gate) for n in range(count)]


def ask_in_turn(gate, symbols, source, before=0, **how):
    """Each one is in the queue before the next is asked for: several loops read what is sent."""
    asked = []
    for symbol in symbols:
        asked.append(gate.ask(symbol.path, source=source, **how))
        gate.wait_metric("symgate_source_waiting", before + len(asked), "one")
    return asked


@pytest.mark.sanitized
def test_places_are_honoured(start, origin):
    gate = start(server(origin, maxRequests=4))
    symbols = held(origin, 30)
    answers = [gate.get_later(s.path) for s in symbols]
    origin.wait_at("hold", 4)
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 26, "the queue")
    assert origin.at_gate["hold"] == 4
    assert gate.metric("symgate_source_running", "one") == 4
    origin.open("hold")
    for symbol, answer in zip(symbols, answers):
        assert answer.result().body == symbol.body
    assert origin.running_max == 4
    gate.check(*symbols)


def test_default_is_ten_places(start, origin):
    gate = start(server(origin))
    symbols = held(origin, 25)
    answers = [gate.get_later(s.path) for s in symbols]
    origin.wait_at("hold", 10)
    origin.open("hold")
    for answer in answers:
        assert answer.result().status == 200
    assert origin.running_max <= 10


def test_places_count_for_absences_too(start, origin):
    origin.default = Script(b"", delay(0.01), head(404))
    gate = start(server(origin, maxRequests=3))
    answers = [gate.get_later(missing(n).path) for n in range(60)]
    assert all(a.result().verdict == "absent" for a in answers)
    assert origin.running_max <= 3


@pytest.mark.sanitized
def test_round_robin_over_client_addresses(start, origin):
    gate = start(server(origin, maxRequests=1))
    hold(origin, missing(0))
    first = gate.ask(missing(0).path, source="127.0.0.9")
    origin.wait_at("hold")
    many = [missing(n) for n in range(1, 31)]
    few = [missing(n) for n in range(101, 104)]
    asked = ask_in_turn(gate, many, "127.0.0.2")
    asked += ask_in_turn(gate, few, "127.0.0.3", before=len(many))
    origin.open("hold")
    for one in asked:
        assert one.answer().verdict == "absent"
    first.answer()
    order = [r.path for r in origin.requests]
    assert max(order.index(s.remote) for s in few) <= 7, "the second address waited for the first"
    assert [p for p in order if p in {s.remote for s in many}] == [s.remote for s in many]


def test_searches_that_somebody_waits_for_come_first(start, origin):
    """Within an address: those told "later" keep their place, behind the waited-for."""
    gate = start(server(origin, maxRequests=1))
    hold(origin, missing(0))
    blocker = gate.ask(missing(0).path, headers=PATIENT)
    origin.wait_at("hold")
    left = [missing(n) for n in range(1, 4)]
    for symbol in left:
        assert (
            gate.get(symbol.path, headers={"Symbol-Agent-Receive-Timeout": "600"}).verdict
            == "later"
        )
    waiting = gate.ask(missing(9).path)
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 4, "the queue")
    origin.open("hold")
    assert waiting.answer().verdict == "absent"
    blocker.answer()
    origin.wait_total(5)
    assert origin.requests[1].path == missing(9).remote


@pytest.mark.slow
def test_full_queue_is_busy(start, origin):
    """A thousand wait; beyond them the newest of the address with most is handed back."""
    gate = start(server(origin, maxRequests=1))
    hold(origin, missing(0))
    blocker = gate.ask(missing(0).path, source="127.0.0.9", headers=PATIENT)
    origin.wait_at("hold")
    many = [gate.ask(missing(n).path, source="127.0.0.2", headers=PATIENT) for n in range(1, 999)]
    gate.wait_metric("symgate_source_waiting", 998, "one")
    many += ask_in_turn(gate, [missing(999), missing(1000)], "127.0.0.2", 998, headers=PATIENT)
    more = gate.get(missing(2000).path, source="127.0.0.2", headers=PATIENT)
    assert (more.status, more.verdict) == (404, "busy")
    assert more.headers["cache-control"] == "no-store"
    other = [gate.ask(missing(n).path, source="127.0.0.3", headers=PATIENT) for n in (3000, 3001)]
    wait_until(lambda: gate.metric("symgate_source_busy_total", "one") == 3, "two put out")
    for n in (-1, -2):
        assert many[n].answer().verdict == "busy"
    assert gate.metric("symgate_absences") == 0
    origin.open("hold")
    for one in many[:-2] + other:
        assert one.answer().verdict == "absent"
    blocker.answer()
    assert origin.count(missing(2000).remote) == 0
    assert gate.get(missing(2000).path).verdict == "absent"
    for one in (*many, *other):
        one.close()


def test_busy_asks_the_next_source(start, origin, second):
    gate = start(server(origin, maxRequests=1), server(second, "two", maxRequests=20))
    hold(origin, missing(0))
    blocker = gate.ask(missing(0).path, source="127.0.0.9", headers=PATIENT)
    origin.wait_at("hold")
    many = [gate.ask(missing(n).path, source="127.0.0.2", headers=PATIENT) for n in range(1, 1001)]
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 1000, "a full queue")
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.path, source="127.0.0.2").body == symbol.body
    assert gate.get(missing(5000).path, source="127.0.0.2").verdict == "busy"
    origin.open("hold")
    for one in (*many, blocker):
        one.close()


@pytest.mark.sanitized
def test_dropped_when_all_hung_up_before_a_place(start, origin):
    gate = start(server(origin, maxRequests=1))
    hold(origin, missing(0))
    blocker = gate.ask(missing(0).path)
    origin.wait_at("hold")
    given_up = [gate.ask(missing(1).path), gate.ask(missing(1).path)]
    gate.wait_readers(missing(1), 2)
    for one in given_up:
        one.reset()
    gate.wait_metric("symgate_dropped_total", 1)
    assert missing(1).key not in gate.copies()
    origin.open("hold")
    blocker.answer()
    assert gate.get(missing(2).path).verdict == "absent"
    assert origin.count(missing(1).remote) == 0
    assert gate.get(missing(1).path).verdict == "absent"


def test_begun_search_goes_on_when_all_hang_up(start, origin):
    gate = start(server(origin, maxRequests=1))
    symbol = hold(origin, pdb())
    client = gate.ask(symbol.path)
    origin.wait_at("hold")
    client.reset()
    gate.wait_copy(symbol, lambda copy: copy["readers"] == 0)
    origin.open("hold")
    gate.check(symbol)
    assert gate.fetch(symbol).verdict == "hit"


@pytest.mark.sanitized
def test_hedge_beside_a_silent_source(start, origin, second):
    """The next is started beside it, the first that delivers wins, the other is cancelled."""
    gate = start(server(origin, hedgeAfter="300ms"), server(second, "two"))
    symbol = hold(origin, pdb())
    second.on(symbol.remote, good(symbol.body))
    answer = gate.fetch(symbol)
    assert answer.headers.get("x-symgate-source", "two") == "two"
    origin.wait_gone(symbol.remote)
    assert gate.metric("symgate_hedges_total") == 1
    assert gate.metric("symgate_absences") == 0
    gate.check(symbol)


def test_hedge_that_says_no_waits_for_the_first(start, origin, second):
    gate = start(server(origin, hedgeAfter="200ms"), server(second, "two"))
    symbol = hold(origin, pdb())
    client = gate.ask(symbol.path)
    second.wait_requests(symbol.remote)
    assert client.silent()
    origin.open("hold")
    assert client.answer().body == symbol.body
    gate.check(symbol)


def test_hedge_after_zero_asks_both_at_once(start, origin, second):
    gate = start(server(origin, hedgeAfter=0), server(second, "two"))
    symbol = hold(origin, pdb())
    hold(second, symbol, "hold2")
    client = gate.ask(symbol.path)
    origin.wait_at("hold")
    second.wait_at("hold2")
    second.open("hold2")
    assert client.answer().body == symbol.body
    origin.wait_gone(symbol.remote)


def test_hedge_after_null_never(start, origin, second):
    gate = start(server(origin, hedgeAfter=None), server(second, "two"))
    symbol = hold(origin, pdb())
    second.on(symbol.remote, good(symbol.body))
    client = gate.ask(symbol.path)
    origin.wait_at("hold")
    assert client.silent(1)
    assert second.count() == 0
    origin.open("hold")
    assert client.answer().body == symbol.body
    assert second.count() == 0


def test_waiting_for_a_place_counts_as_silence(start, origin, second):
    gate = start(server(origin, maxRequests=1, hedgeAfter="300ms"), server(second, "two"))
    hold(origin, missing(0))
    hold(second, missing(0), "hold2")
    blocker = gate.ask(missing(0).path)
    origin.wait_at("hold")
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert origin.count(symbol.remote) == 0, "its waiting attempt is withdrawn"
    origin.open("hold")
    second.open("hold2")
    blocker.answer()
    assert gate.get(missing(5).path).verdict == "absent"
    assert origin.count(symbol.remote) == 0


@pytest.mark.sanitized
def test_equal_priority_is_asked_together(start, origin, second):
    gate = start(server(origin, priority=5), server(second, "two", priority=5))
    symbol = hold(origin, pdb())
    hold(second, symbol, "hold2")
    client = gate.ask(symbol.path)
    origin.wait_at("hold")
    second.wait_at("hold2")
    origin.open("hold")
    assert client.answer().body == symbol.body
    second.wait_gone(symbol.remote)
    gate.check(symbol)


def test_priority_decides_the_order(start, origin, second):
    third = Origin()
    gate = start(
        server(origin), server(second, "two", priority=1), server(third, "three", priority=3)
    )
    assert gate.get(missing(1).path).verdict == "absent"
    at = [o.requests[0].time for o in (second, origin, third)]
    # The first server stands at position 1, equal to the second's written 1.
    assert max(at[:2]) <= at[2]
    third.stop()


def test_both_deliver_at_once_one_leads(start, origin, second):
    gate = start(server(origin, priority=1), server(second, "two", priority=1))
    symbols = [pdb(seed=n, size=300_000) for n in range(30)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
        second.on(symbol.remote, good(symbol.body))
    answers = [gate.get_later(s.path) for s in symbols]
    for symbol, answer in zip(symbols, answers):
        assert answer.result().body == symbol.body
    gate.check(*symbols)
    values = gate.metrics()
    assert sum(values[f'symgate_source_found_total{{source="{n}"}}'] for n in ("one", "two")) == 30


def test_lost_is_neither_absence_nor_failure(start, origin, second):
    """The one that lost is asked again when the leader proves false."""
    gate = start(server(origin, priority=1), server(second, "two", priority=1))
    symbol = pdb(size=100 * 1024)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CLOSE), send(50_000), at_gate("cut"), close()),
        status(500),
    )
    second.on(
        symbol.remote, Script(symbol.body, at_gate("late"), head(), send()), good(symbol.body)
    )
    client = gate.ask(symbol.path)
    origin.wait_at("cut")
    gate.wait_copy(symbol, lambda copy: copy["phase"] == "arriving")
    second.open("late")
    second.wait(lambda: second.count() >= 1, what="the other")
    origin.open("cut")
    assert client.answer().body == symbol.body
    gate.check(symbol)


@pytest.mark.slow
def test_old_bodies_give_their_places_back(start, origin):
    """After ten seconds of body half of the places may be lent, so that asking never stops."""
    gate = start(server(origin, maxRequests=4))
    big = [pdb("big.pdb", size=1 << 20, seed=n) for n in range(4)]
    for symbol in big:
        origin.on(
            symbol.remote,
            Script(symbol.body, head(), drip(20_000, 0.5, 800_000), at_gate("end"), send()),
        )
    answers = [gate.get_later(s.path) for s in big]
    origin.wait_total(4)
    later = [gate.get_later(missing(n).path, headers=PATIENT) for n in range(6)]
    assert all(a.result().verdict == "absent" for a in later)
    gate.wait_metric("symgate_source_lent", 2, "one")
    origin.open("end")
    for symbol, answer in zip(big, answers):
        assert answer.result().body == symbol.body
    assert origin.running_max <= 6 and origin.connections_max <= 6


@pytest.mark.slow
def test_silent_source_is_asked_once_more_on_a_new_connection(start, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, stall()), good(symbol.body))
    gate = start(server(origin))
    gate.fetch(symbol)
    first, again = origin.by_path[symbol.remote]
    assert 9 <= again.time - first.time <= 25
    assert again.connection != first.connection


@pytest.mark.slow
def test_first_byte_limit(start, origin):
    gate = start(server(origin, timeouts={"firstByte": "1s"}))
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, stall()), good(symbol.body))
    answer = gate.get(symbol.path)
    assert answer.verdict in ("failed", "fetched")
    assert origin.by_path[symbol.remote][0].gone or answer.verdict == "failed"
    gate.fetch(symbol)


def test_place_is_given_back_before_the_failover(start, origin, second):
    """A search that asks the second holds no place at the first."""
    gate = start(server(origin, maxRequests=1), server(second, "two", maxRequests=1))
    hold(second, missing(1), "two")
    first = gate.ask(missing(1).path)
    second.wait_at("two")
    wait_until(lambda: gate.metric("symgate_source_running", "one") == 0, "the place")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    second.open("two")
    first.answer()


def test_kept_connections(start, origin):
    gate = start(server(origin, maxRequests=2))
    for n in range(50):
        gate.get(missing(n).path)
    assert origin.count() == 50
    assert origin.connections <= 4


def test_stale_kept_connection_is_no_failure(start, origin):
    """The source closed it meanwhile: asked again on a new one, unnoticed."""
    gate = start(server(origin, maxRequests=1))
    origin.on(missing(0).remote, Script(b"", head(404), close()))
    for _ in range(3):
        for n in range(1, 4):
            assert gate.get(missing(n).path).verdict == "absent"
        gate.get(missing(0).path)
        origin.wait(lambda: origin.connections_open == 0 or True)
        symbol = pdb(seed=origin.count())
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)


def test_reset_on_a_kept_connection(start, origin):
    gate = start(server(origin, maxRequests=1))
    gate.get(missing(0).path)
    symbol = pdb()
    origin.on(symbol.remote, Script(b"", reset()), good(symbol.body))
    answer = gate.get(symbol.path)
    if answer.verdict == "failed":
        answer = gate.get(symbol.path)
    assert answer.body == symbol.body
    with contextlib.suppress(Broken):
        gate.get("/healthz")
    origin.on("/x", absent())
