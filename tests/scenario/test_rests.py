# SPDX-License-Identifier: MIT
"""Sources that are down, throttle, err or are slow: they rest, or get company."""

import contextlib
import socket
import time

import pytest
from conftest import server
from double.origin import Script, gate as at_gate, good, head, page, send, status
from program import wait_until
from symbols import missing, pdb


def hold(origin, symbol, gate="hold"):
    origin.on(symbol.remote, Script(symbol.body, at_gate(gate), head(), send()))
    return symbol


def refused_port():
    """A port on which nobody listens, kept so by holding it."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder


@pytest.mark.slow
def test_rest_after_three_connect_failures_and_its_probe(start, origin):
    holder = refused_port()
    port = holder.getsockname()[1]
    gate = start(server(f"http://127.0.0.1:{port}", "down"), server(origin))
    for n in range(3):
        assert gate.get(missing(n).path).verdict == "failed"
    holder.close()
    listener = socket.create_server(("127.0.0.1", port))
    listener.setblocking(False)
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.get(missing(9).path).verdict == "failed"
    with pytest.raises(BlockingIOError):
        listener.accept()

    def probed():
        gate.get(missing(10).path, headers={"Symbol-Agent-Receive-Timeout": "600"})
        with contextlib.suppress(BlockingIOError):
            return listener.accept()

    link, _ = wait_until(probed, "the probe that ends the rest")
    link.close()
    listener.close()


def test_hang_up_signal_ends_a_rest(start, origin):
    holder = refused_port()
    port = holder.getsockname()[1]
    gate = start(server(f"http://127.0.0.1:{port}", "down"))
    for n in range(4):
        assert gate.get(missing(n).path).verdict == "failed"
    holder.close()
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(0.05)
        gate.hang_up()

        def asked():
            gate.get(missing(10).path, headers={"Symbol-Agent-Receive-Timeout": "600"})
            with contextlib.suppress(TimeoutError):
                return listener.accept()

        began = time.monotonic()
        wait_until(asked, "the source to be asked")[0].close()
        print(f"asked {time.monotonic() - began:.1f} s after the signal")


def test_ten_errors_over_three_keys_rest(start, origin, second):
    origin.default = status(500)
    gate = start(server(origin), server(second, "two"))
    for n in range(10):
        assert gate.get(missing(n).path).verdict == "failed"
    assert origin.count() == 10
    answer = gate.get(missing(11).path)
    assert answer.verdict == "failed"
    assert origin.count() == 10, "it rests"


def test_ten_errors_of_one_key_are_no_rest(start, origin):
    origin.on(missing(1).remote, status(500))
    gate = start(server(origin))
    for _ in range(15):
        assert gate.get(missing(1).path).verdict == "failed"
    assert origin.count() == 15


def test_refused_bodies_never_rest(start, origin):
    origin.default = page()
    gate = start(server(origin))
    for n in range(15):
        assert gate.get(missing(n).path).verdict == "failed"
    assert origin.count() == 15


@pytest.mark.sanitized
def test_short_retry_after_is_waited_out(start, origin):
    gate = start(server(origin))
    symbol = pdb()
    origin.on(missing(1).remote, status(429, {"Retry-After": "1"}))
    origin.on(symbol.remote, good(symbol.body))
    assert gate.get(missing(1).path).verdict == "failed"
    gate.fetch(symbol)
    first, then = origin.requests[0], origin.requests[1]
    assert then.time - first.time >= 0.9
    gate.check(symbol)


def test_long_retry_after_rests(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol = pdb()
    origin.on(missing(1).remote, status(503, {"Retry-After": "300"}))
    second.on(symbol.remote, good(symbol.body))
    assert gate.get(missing(1).path).verdict == "failed"
    gate.fetch(symbol)
    assert gate.get(missing(2).path).verdict == "failed"
    assert origin.count() == 1
    gate.hang_up()
    gate.get(missing(3).path)
    assert origin.count() == 1, "what was asked for is kept over a reload"


def test_long_retry_after_hands_the_waiting_back(start, origin):
    gate = start(server(origin, maxRequests=1))
    origin.on(
        missing(1).remote, Script(b"", at_gate("go"), head(429, headers={"Retry-After": "300"}))
    )
    first = gate.ask(missing(1).path)
    origin.wait_at("go")
    waiting = gate.ask(missing(2).path)
    wait_until(lambda: gate.metric("symgate_source_waiting", "one") == 1, "the queue")
    origin.open("go")
    assert first.answer().verdict == "failed"
    assert waiting.answer().verdict == "failed"
    assert origin.count() == 1


@pytest.mark.slow
def test_slow_source_gets_company(start, origin, second):
    """Silent past hedgeAfter three times in a row: then the next is asked together with it."""
    gate = start(server(origin, hedgeAfter="1500ms"), server(second, "two"))
    symbols = [pdb(seed=n) for n in range(4)]
    for symbol in symbols:
        hold(origin, symbol)
        second.on(symbol.remote, good(symbol.body))
    last = symbols[3]
    second.on(last.remote, Script(last.body, at_gate("last"), head(), send()))
    answers = [gate.get_later(s.path) for s in symbols[:3]]
    assert all(a.result().status == 200 for a in answers)
    answer = gate.get_later(last.path)
    wait_until(lambda: origin.count(last.remote) and second.count(last.remote), "both to be asked")
    second.open("last")
    assert answer.result().status == 200
    asked = second.by_path[last.remote][0].time - origin.by_path[last.remote][0].time
    assert asked < 1.0, "the next waited for hedgeAfter again"
