# SPDX-License-Identifier: MIT
"""Breakers: as configured for a server, and of each host that a server redirects to."""

import contextlib
import socket

import pytest
from conftest import server
from double.origin import good, redirect, status
from program import wait_until
from symbols import missing, pdb
from test_rests import refused_port


def resting(gate, source="one"):
    """The causes for which a server rests at present."""
    prefix = f'symgate_source_resting{{source="{source}",cause="'
    return {
        name.removeprefix(prefix).rstrip('"}')
        for name, value in gate.metrics().items()
        if name.startswith(prefix) and value
    }


def lead(origin, to, numbers):
    """Questions for these missing symbols are redirected."""
    for n in numbers:
        origin.on(missing(n).remote, redirect(f"{to}{missing(n).remote}?sig={n}"))


# --- hosts behind redirects ----------------------------------------------------------------------


def test_dead_host_rests_and_its_front_end_does_not(start, origin, second):
    holder = refused_port()
    port = holder.getsockname()[1]
    lead(origin, f"http://127.0.0.1:{port}", range(20))
    gate = start(server(origin))
    for n in range(3):
        answer = gate.get(missing(n).path)
        assert answer.verdict == "failed" and "rests" not in answer.reason
    holder.close()
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.setblocking(False)
        answer = gate.get(missing(3).path)
        assert answer.verdict == "failed"
        assert f"127.0.0.1:{port}" in answer.reason and "rests" in answer.reason
        with pytest.raises(BlockingIOError):
            listener.accept()
        assert origin.count() == 4
        assert not resting(gate)
        assert gate.metric("symgate_source_hosts_resting", "one") == 1
        assert gate.metric("symgate_source_host_rests_total", "one") == 1
        assert gate.metric("symgate_source_host_refused_total", "one") == 1
        page = gate.get("/").body.decode()
        assert f"redirects to 127.0.0.1:{port}, which rests until" in page

        symbol = pdb()
        origin.on(symbol.remote, redirect(f"{second.url}/blob"))
        second.on("/blob", good(symbol.body))
        gate.fetch(symbol)

        gate.hang_up()

        def asked():
            gate.get(missing(4).path, headers={"Symbol-Agent-Receive-Timeout": "600"})
            with contextlib.suppress(BlockingIOError):
                return listener.accept()

        link, _ = wait_until(asked, "the probe after the signal")
        link.close()


def test_errors_of_a_host_are_its_own(start, origin, second):
    second.default = status(500)
    lead(origin, second.url, range(20))
    gate = start(server(origin))
    for n in range(13):
        assert gate.get(missing(n).path).verdict == "failed"
    assert second.count() == 10
    assert origin.count() == 13
    assert not resting(gate)


def test_errors_of_one_key_are_no_rest_of_a_host(start, origin, second):
    second.default = status(500)
    lead(origin, second.url, [1])
    gate = start(server(origin))
    for _ in range(15):
        assert gate.get(missing(1).path).verdict == "failed"
    assert second.count() == 15


def test_pause_that_a_host_asks_for_is_its_own(start, origin, second):
    lead(origin, second.url, [1, 2])
    second.default = status(503, {"Retry-After": "300"})
    gate = start(server(origin))
    assert gate.get(missing(1).path).verdict == "failed"
    answer = gate.get(missing(2).path)
    assert answer.verdict == "failed" and "as it asked" in answer.reason
    assert second.count() == 1
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.config["servers"][0]["name"] = "renamed"
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: b"renamed" in gate.get("/").body, "the reload")
    assert gate.get(missing(2).path).verdict == "failed"
    assert second.count() == 1, "what was asked for is kept over a reload"


def test_what_means_absent_never_counts(start, origin, second):
    second.default = status(503)
    origin.default = status(500)
    lead(origin, second.url, range(0, 30, 2))
    gate = start(server(origin, absentStatus=[500, 503], breaker={"count": 1}))
    for n in range(30):
        assert gate.get(missing(n).path).verdict == "absent"
    assert second.count() == 15
    assert origin.count() == 30


# --- as configured -------------------------------------------------------------------------------


def test_configured_breaker_and_its_state_over_a_reload(start, origin):
    origin.default = status(500)
    gate = start(server(origin, breaker={"trigger": "10m", "count": 2, "blackout": "5m"}))
    assert gate.get(missing(0).path).verdict == "failed"
    assert not resting(gate)
    assert gate.metric("symgate_source_rest_failures", "one") == 1
    for n in range(3):
        assert gate.get(missing(n).path).verdict == "failed"
    assert origin.count() == 2
    assert resting(gate) == {"failures"}
    assert 200 < gate.metric("symgate_source_rest_seconds", "one") <= 300
    page = gate.get("/").body.decode()
    assert "rests until" in page and "as many failures as its breaker counts" in page
    gate.hang_up()
    wait_until(lambda: gate.metric("symgate_source_rest_seconds", "one") == 0, "the reload")
    assert resting(gate) == {"failures"}, "it is to be tried, not forgotten"
    for n in range(3):
        assert gate.get(missing(n).path).verdict == "failed"
    assert origin.count() == 3, "the failing probe was enough"
    assert gate.metric("symgate_source_rests_total", "one") == 2


def test_breaker_of_0_never_rests(start, origin):
    origin.default = status(500)
    gate = start(server(origin, breaker={"count": 0}))
    for n in range(30):
        assert gate.get(missing(n).path).verdict == "failed"
    assert origin.count() == 30
