# SPDX-License-Identifier: MIT
"""Advice from recorded traffic: what it proposes, that its figures are so, and that applying it does what it said."""

import json

import pytest
from conftest import server
from double.origin import Origin, good
from program import run
from symbols import Symbol, pdb


@pytest.fixture
def third():
    it = Origin()
    yield it
    it.stop()


def advice(gate):
    return json.loads(gate.get("/api/v1/advice").body)


def of(gate, name):
    return [one for one in advice(gate) if one["rule"]["server"] == name]


def never(prefix, count, first=1):
    """Symbols that no server has."""
    return [Symbol(f"{prefix}{n % 7}.pdb", f"{first + n:032X}1", b"") for n in range(count)]


def play(gate, third):
    """What a week is made of: 30 lookups of nv*, 5 of others that the third server lacks, 12 that it has."""
    had = [pdb(name) for name in ("ntdll.pdb", "net.pdb", "app.pdb", "zlib.pdb")]
    for symbol in had:
        third.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    for symbol in [*never("nvdrv", 15), *never("nvgl", 15), *never("other", 5)]:
        assert gate.get(symbol.path).verdict == "absent"
    return had


def test_a_week_in_which_the_third_server_never_has_nv(start, origin, second, third):
    gate = start(server(origin), server(second, "two"), server(third, "three"))
    had = play(gate, third)
    asked = sum("/nv" in request.path for request in third.requests)
    assert asked == 30
    (one,) = of(gate, "three")
    assert one["rule"] == {"list": "blacklist", "server": "three", "value": "(?i)nv.*"}
    assert one["line"] == '"blacklist": ["(?i)nv.*"]'
    assert one["questions"] == asked and one["lost"] == 0 and one["names"] == 14
    assert one["questions_per_day"] > 0 and one["seconds"] >= 0
    assert json.loads(gate.get("/api/v1/rules").body) == []

    done = run("advise", "--apply", one["id"], "--url", gate.url)
    assert done.returncode == 0 and "(?i)nv.*" in done.stdout, done.stderr
    before = third.count()
    again = [*never("nvdrv", 15, 1000), *never("NVgl", 15, 1000), *never("other", 5, 1000)]
    for symbol in again:
        assert gate.get(symbol.path).verdict == "absent"
    assert third.count() - before == len(again) - one["questions"]
    new = pdb("ntdll.pdb", seed=2)
    third.on(new.remote, good(new.body))
    gate.fetch(new)
    for symbol in had:
        gate.fetch(symbol)
    assert of(gate, "three") == [] or all("nv" not in a["line"] for a in of(gate, "three"))
    (rule,) = json.loads(gate.get("/api/v1/rules").body)
    assert rule["origin"] == "adviser" and rule["comment"] == one["sentence"]


def test_what_was_found_once_is_not_kept_away(start, origin):
    symbol = pdb("nvdrv3.pdb", seed=9)
    origin.on(symbol.remote, good(symbol.body))
    gate = start(server(origin))
    gate.fetch(symbol)
    for missed in never("nvdrv", 200):
        gate.get(missed.path)
    values = [one["rule"]["value"] for one in of(gate, "one")]
    assert len(values) == 6 and all(one["lost"] == 0 for one in of(gate, "one"))
    assert "(?i)nvdrv1\\.pdb$" in values and "(?i)nvdrv3\\.pdb$" not in values


def test_little_evidence_is_none(gate):
    for missed in never("nv", 19):
        gate.get(missed.path)
    assert advice(gate) == []
    assert "no advice" in run("advise", "--url", gate.url).stdout


def test_who_may_apply(gate):
    for missed in never("nv", 30):
        gate.get(missed.path)
    (one,) = advice(gate)
    target = f"/api/v1/advice/apply?id={one['id']}"
    for wrong in ({"Origin": "http://evil.example"}, {"X-Forwarded-For": "1.2.3.4"}):
        assert gate.get(target, method="POST", headers=wrong).status == 403
    assert gate.get(target).status == 405
    assert gate.get("/api/v1/advice/apply?id=0", method="POST").status == 404
    assert gate.get("/api/v1/advice/apply", method="POST").status == 400
    assert gate.get("/api/v1/rules").body.strip() == b"[\n]"
    listed = run("advise", "--url", gate.url)
    assert one["id"] in listed.stdout and "spares" in listed.stdout
    assert json.loads(run("advise", "--json", "--url", gate.url).stdout) == [one]


def test_without_statistics_there_is_none(start, origin):
    gate = start(server(origin), general={"enableStatistics": False})
    for missed in never("nv", 30):
        gate.get(missed.path)
    assert advice(gate) == []
