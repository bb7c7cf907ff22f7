# SPDX-License-Identifier: MIT
"""Remembered absences: how long, whose, and what drops them."""

import json

import pytest
from conftest import server
from double.origin import Script, gate as at_gate, good, head, page, send, status
from program import wait_until
from symbols import missing, pdb


@pytest.mark.sanitized
def test_not_asked_again_within_the_retry_time(gate, origin):
    symbol = missing(1)
    for _ in range(5):
        assert gate.get(symbol.path).verdict == "absent"
    assert origin.count() == 1
    assert gate.metric("symgate_absences_found_total") == 4


@pytest.mark.parametrize("key", ["retryTimeout", "retryTimout"])
def test_asked_again_after_the_retry_time(start, origin, key):
    one = server(origin)
    del one["retryTimeout"]
    gate = start(one | {key: 1})
    symbol = pdb()
    assert gate.get(symbol.path).verdict == "absent"
    origin.on(symbol.remote, good(symbol.body))
    wait_until(lambda: gate.get(symbol.path).status == 200, "the retry time")
    assert origin.count() == 2
    gate.check(symbol)


def test_retry_time_zero_remembers_nothing(start, origin):
    gate = start(server(origin, retryTimeout=0))
    for _ in range(3):
        assert gate.get(missing(1).path).verdict == "absent"
    assert origin.count() == 3


@pytest.mark.sanitized
@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_absences_survive_a_restart(gate, origin, end):
    symbols = [missing(n) for n in range(50)]
    for symbol in symbols:
        assert gate.get(symbol.path).verdict == "absent"
    getattr(gate, end)()
    gate.start()
    for symbol in symbols:
        assert gate.get(symbol.path).verdict == "absent"
    assert origin.count() == 50


def test_absences_survive_several_kills(gate, origin):
    for n in range(6):
        assert gate.get(missing(n).path).verdict == "absent"
        gate.kill9()
        gate.start()
    for n in range(6):
        assert gate.get(missing(n).path).verdict == "absent"
    assert origin.count() == 6


def test_torn_log_is_survived(gate, origin):
    """Whatever a crash leaves at the end of the log, what is before it counts."""
    for n in range(20):
        gate.get(missing(n).path)
    gate.kill9()
    logs = [p for p in gate.data.rglob("*absence*") if p.is_file() and p.stat().st_size > 20]
    assert logs, "where is the log?"
    for log in logs:
        with open(log, "r+b") as file:
            file.truncate(log.stat().st_size - 7)
    gate.start()
    for n in range(20):
        assert gate.get(missing(n).path).verdict == "absent"
    assert 20 <= origin.count() <= 21


def test_each_server_has_its_own(start, origin, second):
    gate = start(server(origin, retryTimeout=1), server(second, "two", retryTimeout=3600))
    symbol = missing(1)
    gate.get(symbol.path)

    def asked_again():
        gate.get(symbol.path)
        return origin.count() >= 2

    wait_until(asked_again, "the first server's retry time")
    assert second.count() == 1


UNDECIDED = [{"Symbol-Agent-Status": "0x80070512"}, {"X-Symgate-Verdict": "busy"}]


@pytest.mark.parametrize(
    "script",
    [status(500), status(403), page(), status(401), *(status(404, headers=h) for h in UNDECIDED)],
)
def test_failures_are_no_absences(gate, origin, script):
    symbol = missing(1)
    origin.on(symbol.remote, script)
    assert gate.get(symbol.path).verdict == "failed"
    assert gate.get(symbol.path).verdict == "failed"
    assert origin.count() == 2
    assert gate.metric("symgate_absences") == 0


@pytest.mark.parametrize("end", ["later", "failed"])
def test_proxy_in_front_of_a_proxy(start, origin, end):
    """What the inner one could not tell yet is no absence for the outer one."""
    symbol = pdb()
    late = Script(symbol.body, at_gate("go"), head(), send())
    origin.on(symbol.remote, *([late] if end == "later" else [status(500), good(symbol.body)]))
    inner = start(server(origin), general={"requestTimeout": 1})
    outer = start(server(f"{inner.url}/symbols"))
    answer = outer.get(symbol.path)
    assert answer.verdict == "failed" and "could not tell" in answer.reason
    assert outer.metric("symgate_absences") == 0
    origin.open("go")
    inner.wait_quiet()
    outer.fetch(symbol)
    assert outer.get(missing(1).path).verdict == "absent"


def test_a_server_that_is_symgate_itself(start, origin):
    """As in a debugger's symbol path that names it already: its question comes back, and says nothing."""
    gate = start(server(origin))
    gate.config["servers"].insert(0, server(f"{gate.url}/symbols", "itself"))
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: "is in force" in gate.errors(), "the reload")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    before = origin.count()
    for _ in range(2):
        answer = gate.get(missing(1).path)
        assert answer.verdict == "absent" and answer.reason == 'source "itself" is this symgate itself', answer
    assert origin.count() == before + 1
    told = json.loads(gate.get(f"/api/v1/explain?id={answer.headers['x-request-id']}").body)
    (said,) = [one for one in told["last"]["chain"] if "itself" in one["sentence"]]
    assert said["cure"] == 'Take server "itself" out of the configuration.', said
    foreign = gate.get(symbol.path, headers={"X-Symgate-Hop": "0" * 16})
    assert foreign.verdict == "hit"


def test_absent_status(start, origin, second):
    gate = start(server(origin, absentStatus=[403, 451]), server(second, "two"))
    for n, code in enumerate((403, 451, 404)):
        origin.on(missing(n).remote, status(code))
        assert gate.get(missing(n).path).verdict == "absent"
        assert gate.get(missing(n).path).verdict == "absent"
    assert origin.count() == 3
    second.on(missing(9).remote, status(403))
    assert gate.get(missing(9).path).verdict == "failed"


def test_renaming_and_reordering_keep_them(make, origin, second):
    gate = make(server(origin), server(second, "two"))
    gate.start()
    gate.get(missing(1).path)
    gate.stop()
    one, two = gate.config["servers"]
    gate.config["servers"] = [
        two | {"name": "new", "identifier": "new", "maxRequests": 3},
        one | {"name": "old", "identifier": "old", "retryTimeout": 7200},
    ]
    gate.start()
    assert gate.get(missing(1).path).verdict == "absent"
    assert origin.count() == second.count() == 1


def test_changing_where_is_asked_drops_them(make, origin):
    gate = make(server(origin))
    gate.start()
    gate.get(missing(1).path)
    gate.stop()
    gate.config["servers"][0]["remote"] = origin.url + "/other"
    gate.start()
    assert gate.get(missing(1).path).verdict == "absent"
    assert [r.path for r in origin.requests] == [missing(1).remote, "/other" + missing(1).remote]


def test_shorter_retry_time_counts_at_once(make, origin):
    """The time of the moment is compared with an absence's age."""
    gate = make(server(origin, retryTimeout=3600))
    gate.start()
    gate.get(missing(1).path)
    gate.stop()
    gate.config["servers"][0]["retryTimeout"] = 0
    gate.start()
    gate.get(missing(1).path)
    assert origin.count() == 2


def test_found_elsewhere_does_not_drop_the_firsts_no(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.fetch(symbol)
    assert origin.count() == second.count() == 1


def test_who_was_just_served_may_forget(gate, origin):
    """The file is put on its shelf when the answer has ended already."""
    for n in range(40):
        symbol = pdb(seed=n)
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        answer = gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        assert b'"files": 1' in answer.body
        assert gate.fetch(symbol).verdict == "fetched"


def test_forget(gate, origin):
    symbol = pdb()
    assert gate.get(symbol.path).verdict == "absent"
    origin.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.path).verdict == "absent"
    answer = gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    assert answer.status == 200 and b'"absences": 1' in answer.body
    gate.fetch(symbol)
    gate.check(symbol)
    answer = gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    assert b'"files": 1' in answer.body
    gate.check()
    assert gate.fetch(symbol).verdict == "fetched"


def test_forgotten_survives_a_kill(gate, origin):
    symbol = missing(5)
    gate.get(symbol.path)
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    gate.kill9()
    gate.start()
    gate.get(symbol.path)
    assert origin.count() == 2
