# SPDX-License-Identifier: MIT
"""Advice from recorded traffic: what it proposes, that its figures are so, and that applying it does what it said."""

import json
import urllib.parse

from conftest import server
from double.origin import Script, gate as until, good, head, send, status
from program import run, wait_until
from symbols import Symbol, pdb


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


def test_what_lies_on_a_servers_own_shelf_is_not_lost(start, origin, second, tmp_path):
    """Its files are there without having been asked for: no filter, and no end, may take them away."""
    own = tmp_path / "own"
    kept = [pdb(f"nvkept{n}.pdb", seed=n) for n in range(2)]
    for symbol in kept:
        path = own / symbol.path[len("/symbols/") :]
        path.parent.mkdir(parents=True)
        path.write_bytes(symbol.body)
    gate = start(server(origin), server(second, "two", cacheLocation=str(own)))
    for symbol in kept:
        assert gate.fetch(symbol).verdict == "hit"
    for missed in [*never("nvdrv", 30), *never("other", 200)]:
        gate.get(missed.path)
    wait_until(lambda: of_kind(gate, "useless"), "the advice about the other server")
    assert {one["rule"]["server"] for one in of_kind(gate, "useless")} == {"one"}
    lines = {one["rule"]["value"] for one in of(gate, "two")}
    assert "(?i)nvdrv.*" in lines and "(?i)nv.*" not in lines
    for one in of(gate, "two"):
        assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    for symbol in kept:
        assert gate.fetch(symbol).verdict == "hit"


def test_whom_another_was_faster_than_may_have_it(start, origin, second):
    """A server that is slow loses its questions to the one that is asked beside it: it has never been heard to have a file."""
    gate = start(server(origin, hedgeAfter="50ms"), server(second, "two"))
    slow = [pdb(f"nvslow{n}.pdb", seed=n) for n in range(2)]
    for symbol in slow:
        origin.on(symbol.remote, Script(b"", until("never")))
        second.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    for missed in [*never("nvdrv", 30), *never("other", 200)]:
        gate.get(missed.path)
    wait_until(lambda: {one["rule"]["value"] for one in of(gate, "one")} >= {"(?i)nvdrv.*", "(?i)other.*"}, "the advice")
    assert of_kind(gate, "useless") == []
    assert all("nv.*" not in one["rule"]["value"] for one in of(gate, "one"))
    origin.open("never")


def builds(name, first, count):
    """Other builds of one module: the same name, other ids."""
    return [Symbol(name, f"{first + n:032X}1", b"") for n in range(count)]


def test_a_failure_does_not_say_that_a_file_is_not_there(start, origin, second):
    """A token that expires after the first noes: what failed since may well be there."""
    gate = start(server(origin), server(second, "two"))
    for old in builds("game.pdb", 1, 20):
        assert gate.get(old.path).verdict == "absent"
    wait_until(lambda: [one["rule"]["value"] for one in of(gate, "one")] == [r"(?i)game\.pdb$"], "the advice")
    for new in builds("game.pdb", 100, 8):
        origin.on(new.remote, status(401))
        assert gate.get(new.path).verdict == "failed"
    wait_until(lambda: of(gate, "one") == [], "the failures to count")
    assert len(of(gate, "two")) == 1


def test_what_was_asked_for_while_a_server_rested_is_not_known(start, origin):
    """It was not asked: that is no no."""
    gate = start(server(origin, hedgeAfter=0))
    for old in builds("game.pdb", 1, 20):
        assert gate.get(old.path).verdict == "absent"
    wait_until(lambda: of(gate, "one"), "the advice")
    pause = Symbol("other.pdb", f"{9999:032X}1", b"")
    origin.on(pause.remote, status(503, [("Retry-After", "600")]))
    assert gate.get(pause.path).verdict == "failed"
    asked = origin.count()
    for new in builds("game.pdb", 100, 5):
        assert gate.get(new.path).verdict == "failed"
    assert origin.count() == asked
    wait_until(lambda: of(gate, "one") == [], "the questions to count")


def test_an_older_no_says_nothing_of_a_later_failure(start, origin):
    """Builds are published late: what was not there may be there by now."""
    gate = start(server(origin, retryTimeout=0))
    for symbol in builds("game.pdb", 1, 20):
        origin.on(symbol.remote, status(404), status(401))
        assert gate.get(symbol.path).verdict == "absent"
    wait_until(lambda: of_name(gate, "game"), "the advice")
    for symbol in builds("game.pdb", 1, 20):
        assert gate.get(symbol.path).verdict == "failed"
    wait_until(lambda: of_name(gate, "game") == [], "the failures to count")


def of_name(gate, name):
    return [one for one in of(gate, "one") if name in one["rule"]["value"]]


def test_a_filter_of_the_moment_does_not_hide_what_was_found(start, origin):
    gate = start(server(origin))
    found = pdb("nvfoo.pdb")
    origin.on(found.remote, good(found.body))
    gate.fetch(found)
    for symbol in never("nvdrv", 30):
        assert gate.get(symbol.path).verdict == "absent"
    wait_until(lambda: of_name(gate, "nvdrv"), "the advice")
    assert run("rules", "add", "blacklist", "nvfoo", "--server", "one", "--url", gate.url).returncode == 0
    assert [one["rule"]["value"] for one in of(gate, "one")] == ["(?i)nvdrv.*"]


def test_a_failure_that_is_answered_later_is_a_no(start, origin):
    gate = start(server(origin))
    for symbol in builds("game.pdb", 1, 20):
        origin.on(symbol.remote, status(500), status(404))
        assert gate.get(symbol.path).verdict == "failed"
        assert gate.get(symbol.path).verdict == "absent"
    wait_until(lambda: of(gate, "one"), "the advice")
    (one,) = of(gate, "one")
    assert one["rule"]["value"] == r"(?i)game\.pdb$" and one["questions"] == origin.count() == 40


def test_a_hostile_name_is_no_line(gate):
    for n in range(25):
        gate.get(f"/symbols/{'(' * 200}.pdb/{n:032X}1/{'(' * 200}.pdb")
    wait_until(lambda: json.loads(gate.get("/statistics.json").body)["numRequests"] == 25, "the records")
    assert advice(gate) == []


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
    assert "statistics are switched off" in run("advise", "--url", gate.url).stdout
    assert "symgate_statistics_enabled 0" in gate.get("/metrics").body.decode()


# --- whole servers


def of_kind(gate, kind):
    return [one for one in advice(gate) if one["kind"] == kind]


def test_a_server_that_never_had_a_file(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    for n in range(4):
        symbol = pdb(f"app{n}.pdb", seed=n)
        second.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    for missed in never("lib", 200):
        gate.get(missed.path)
    (one,) = of_kind(gate, "useless")
    assert one["rule"] == {"list": "enabled", "server": "one", "value": "false"}
    assert one["questions"] == origin.count() and one["lost"] == 0
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    before = origin.count()
    new = pdb("new.pdb", seed=99)
    second.on(new.remote, good(new.body))
    gate.fetch(new)
    assert origin.count() == before and of_kind(gate, "useless") == []


def test_whom_a_token_keeps_out_is_not_useless(start, origin, second):
    gate = start(server(origin, breaker={"count": 0}), server(second, "two"))
    for missed in never("lib", 200):
        gate.get(missed.path)
    wait_until(lambda: len(of_kind(gate, "useless")) == 2, "the advice")
    for new in builds("app.pdb", 1000, 5):
        origin.on(new.remote, status(401))
        gate.get(new.path)
    wait_until(lambda: len(of_kind(gate, "useless")) < 2, "the failures to count")
    assert [one["rule"]["server"] for one in of_kind(gate, "useless")] == ["two"]


def test_a_server_that_never_answered(start, origin, second):
    gate = start(server(origin, breaker={"count": 0}), server(second, "two"))
    for n, missed in enumerate(never("lib", 25)):
        origin.on(missed.remote, status(500))
        gate.get(missed.path)
    wait_until(lambda: of_kind(gate, "down"), "the advice")
    (one,) = of_kind(gate, "down")
    assert one["rule"]["server"] == "one" and one["line"] == '"enabled": false'
    assert one["questions"] == origin.count() >= 20
    assert "lost" not in one and "nobody knows which files it has" in run("advise", "--url", gate.url).stdout


def test_a_special_server_gets_a_whitelist(start, origin, second):
    gate = start(server(origin, "special"), server(second, "two"))
    had = [pdb(f"game{n}.pdb", seed=n) for n in range(6)]
    for symbol in had:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    others = [Symbol(f"{chr(97 + n % 26)}{n % 7}x{n}.pdb", f"{n + 1:032X}1", b"") for n in range(200)]
    for missed in others:
        gate.get(missed.path)
    asked = sum("game" not in request.path for request in origin.requests)
    (one,) = of_kind(gate, "has few names")
    assert one["rule"]["list"] == "whitelist" and one["rule"]["value"] == "(?i)game"
    assert one["questions"] == asked == 200 and one["lost"] == 0
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    before = origin.count()
    gate.get(Symbol("zz.pdb", f"{5000:032X}1", b"").path)
    assert origin.count() == before
    new = pdb("game9.pdb", seed=77)
    origin.on(new.remote, good(new.body))
    gate.fetch(new)


# --- what was answered when


def test_the_same_no_again_and_again(start, origin):
    gate = start(server(origin, retryTimeout=0))
    symbols = never("lib", 5)
    for _ in range(8):
        for missed in symbols:
            gate.get(missed.path)
    asked = origin.count()
    assert asked == 40
    wait_until(lambda: [one["questions"] for one in of_kind(gate, "asked again")] == [35], "the last answer's record")
    (one,) = of_kind(gate, "asked again")
    assert one["rule"] == {"list": "retryTimeout", "server": "one", "value": "10m"}
    assert one["questions"] == asked - len(symbols) and one["lost"] == 0
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    before = origin.count()
    for _ in range(8):
        for missed in never("new", 5, 500):
            gate.get(missed.path)
    assert origin.count() - before == asked - one["questions"]


def test_a_no_that_turns_is_asked_for_earlier(start, origin):
    gate = start(server(origin, retryTimeout="60s"))
    symbols = [pdb(f"late{n}.pdb", seed=n) for n in range(4)]
    for symbol in symbols:
        assert gate.get(symbol.path).verdict == "absent"
        origin.on(symbol.remote, good(symbol.body))
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        gate.fetch(symbol)
    wait_until(lambda: [one["names"] for one in of_kind(gate, "comes later")] == [4], "the last answer's record")
    (one,) = of_kind(gate, "comes later")
    assert one["rule"] == {"list": "retryTimeout", "server": "one", "value": "15s"} and one["names"] == 4
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    assert of_kind(gate, "comes later") == []
    assert of_kind(gate, "asked again") == []


def test_who_joined_has_asked_nobody(start, origin):
    """Forty clients at once put one question: it is not thirty-nine noes too many."""
    gate = start(server(origin))
    symbol = pdb("lib.pdb")
    origin.on(symbol.remote, Script(b"no", until("go"), head(404), send()))
    waiting = [gate.get_later(symbol.path) for _ in range(40)]
    origin.wait_at("go")
    wait_until(lambda: json.loads(gate.get("/statistics.json").body)["numPending"] == 40, "all clients")
    origin.open("go")
    assert {one.result(30).status for one in waiting} == {404}
    everything = {"list": "general.blacklist", "value": ".*"}
    wait_until(lambda: preview(gate, **everything)["day"]["requests"] == 40, "the last answer's record")
    assert preview(gate, **everything)["questions"] == origin.count() == 1
    assert of_kind(gate, "asked again") == []


def test_a_better_order(start, origin, second, third):
    gate = start(server(origin), server(second, "two"), server(third, "three"))
    had = [pdb(f"app{n}.pdb", seed=n) for n in range(24)]
    for n, symbol in enumerate(had):
        (origin if n < 2 else third).on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    wait_until(lambda: 22 in [one["questions"] for one in of_kind(gate, "order")], "the last answer's record")
    swaps = {one["sentence"].split('"')[3]: one for one in of_kind(gate, "order")}
    assert set(swaps) >= {"two"}
    one = swaps["two"]
    assert json.loads(one["rule"]["value"]) == ["one", "three", "two"]
    assert one["questions"] == second.count() == 22 and one["lost"] == 0
    places = [f'"priority": {n + 1} // in the server "{name}"' for n, name in enumerate(("one", "three", "two"))]
    assert one["line"] == "\n".join(places)
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    before = second.count()
    new = pdb("app99.pdb", seed=99)
    third.on(new.remote, good(new.body))
    gate.fetch(new)
    assert second.count() == before
    exported = gate.get("/api/v1/rules/export").body.decode().splitlines()
    assert set(exported[1:]) == set(places)


def test_no_order_puts_another_before_a_server_that_has_files(start, origin, second):
    """Who stands first has the file that is wanted: the other one's may be a stripped one."""
    gate = start(server(origin), server(second, "two"))
    for n in range(24):
        symbol = pdb(f"app{n}.pdb", seed=n)
        (origin if n == 0 else second).on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    everything = {"list": "general.blacklist", "value": ".*"}
    wait_until(lambda: preview(gate, **everything)["day"]["files"] == 24, "the last answer's record")
    assert of_kind(gate, "order") == []


def test_an_order_parts_none_that_are_asked_together(start, origin, second, third):
    gate = start(server(origin), server(second, "two", priority=7), server(third, "three", priority=7))
    for n in range(24):
        symbol = pdb(f"app{n}.pdb", seed=n)
        third.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    wait_until(lambda: preview(gate, list="general.blacklist", value=".*")["day"]["files"] == 24, "the last answer's record")
    assert of_kind(gate, "order") == []


# --- watched modules


def alarms(gate):
    return {one["sentence"].split('"')[1]: one for one in of_kind(gate, "missing")}


def test_watched_modules_that_nobody_has(start, origin):
    gate = start(server(origin), general={"watchList": ["(?i)engine.*"]})
    for name in ("Engine.pdb", "engine2.pdb"):
        for n in range(3):
            gate.get(Symbol(name, f"{n + 1:032X}1", b"").path)
    gate.get(Symbol("other.pdb", f"{1:032X}1", b"").path)
    wait_until(lambda: [one["questions"] for one in of_kind(gate, "missing")] == [3, 3], "the last answer's record")
    one, other = alarms(gate)["engine.pdb"], alarms(gate)["engine2.pdb"]
    assert one["id"] != other["id"] and one["rule"] is None and one["line"] is None
    assert one["sentence"] == '"engine.pdb" is watched, and nobody has 3 builds that were asked for'
    assert "lost" not in one and "questions_per_day" not in one
    assert "engine2.pdb" in run("advise", "--url", gate.url).stdout
    assert gate.get(f"/api/v1/advice/apply?id={one['id']}", method="POST").status == 404


def test_a_build_that_is_there_says_nothing_of_another(start, origin):
    """And a failure does not say that a build is missing."""
    gate = start(server(origin), general={"watchList": ["(?i)engine.*"]})
    there = pdb("engine.pdb")
    failing = Symbol("engine3.pdb", f"{1:032X}1", b"")
    origin.on(there.remote, good(there.body))
    origin.on(failing.remote, status(500))
    gate.fetch(there)
    gate.get(Symbol("engine.pdb", f"{1:032X}1", b"").path)
    assert gate.get(failing.path).verdict == "failed"
    wait_until(lambda: len(alarms(gate)) == 2, "the alarms")
    assert alarms(gate)["engine.pdb"]["sentence"] == '"engine.pdb" is watched, and nobody has 1 build that was asked for'
    told = alarms(gate)["engine3.pdb"]["sentence"]
    assert told == '"engine3.pdb" is watched, and who has 1 build that was asked for could not be found out'


# --- previews


def preview(gate, **rule):
    answer = gate.get("/api/v1/rules/preview?" + urllib.parse.urlencode(rule))
    return json.loads(answer.body) if answer.status == 200 else answer.status


def test_a_rule_is_tried_before_it_is_made(start, origin, second, third):
    gate = start(server(origin), server(second, "two"), server(third, "three"))
    had = play(gate, third)
    wait_until(lambda: preview(gate, list="general.blacklist", value=".*")["day"]["requests"] == 35 + len(had), "the last answer's record")
    seen = preview(gate, list="blacklist", server="three", value="nv")
    assert (seen["names"], seen["questions"], seen["lost"]) == (14, 30, 0)
    assert seen["day"] == {"requests": 30, "files": 0} and 0 <= seen["days"] < 1
    seen = preview(gate, list="blacklist", server="three", value=".*")
    assert seen["questions"] == third.count() and seen["lost"] == len(had)
    assert seen["day"] == {"requests": 35 + len(had), "files": len(had)} and seen["unknown"] == 0
    seen = preview(gate, list="general.blacklist", value="nv")
    assert seen["questions"] == sum("/nv" in r.path for o in (origin, second, third) for r in o.requests) == 90
    seen = preview(gate, list="whitelist", server="three", value="n")
    assert seen["questions"] == sum("/n" not in r.path for r in third.requests) and seen["lost"] == 2
    assert preview(gate, list="retryTimeout", server="three", value="10m") == 400
    assert preview(gate, list="blacklist", server="none", value="x") == 400
    gate.get(Symbol("NvCaps.PDB", "77" * 16 + "1", b"").path)
    wait_until(lambda: preview(gate, list="general.blacklist", value=".*")["day"]["requests"] == 36 + len(had), "the last answer's record")
    for pattern, met in (("NvC", 1), ("nvc", 0), ("(?i)nvC", 1)):  # case counts, as in the rule
        seen = preview(gate, list="general.blacklist", value=pattern)
        assert (seen["names"], seen["questions"], seen["day"]["requests"]) == (met, 3 * met, met), pattern
    target = "/api/v1/rules/preview?list=general.blacklist&value=x"  # a pattern may take long: not for everybody
    assert gate.get(target, headers={"X-Forwarded-For": "1.2.3.4"}).status == 403
    assert json.loads(gate.get("/api/v1/rules").body) == []


def test_a_rule_that_is_tried_says_what_is_not_known(start, origin, second, third):
    gate = start(server(origin), server(second, "two"), server(third, "three"))
    failing = Symbol("nvfail.pdb", f"{7:032X}1", b"")
    third.on(failing.remote, status(500))
    assert gate.get(failing.path).verdict == "failed"
    assert gate.get(failing.path[:-1] + "_").status == 404
    wait_until(lambda: preview(gate, list="blacklist", server="three", value="nv")["unknown"] == 1, "the failure")
    assert preview(gate, list="blacklist", server="three", value="nvfail")["day"]["requests"] == 1
