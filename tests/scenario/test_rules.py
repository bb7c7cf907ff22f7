# SPDX-License-Identifier: MIT
"""Rules: in force at once, kept, taken back, and never in the configuration's own file."""

import json
import urllib.parse

import pytest
from conftest import server
from double.origin import gate as until
from double.origin import Script, good, head, send
from program import run, wait_until
from symbols import missing, pdb

API = "/api/v1/rules"


def post(gate, path="", **parameters):
    query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
    return gate.get(f"{API}{path}?{query}", method="POST")


def add(gate, **parameters):
    answer = post(gate, **parameters)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def rules(gate):
    return json.loads(gate.get(API).body)


def verdict(gate, symbol):
    return gate.get(symbol.path).verdict


@pytest.mark.sanitized
def test_in_force_at_once_and_taken_back(make, origin):
    gate = make(server(origin)).start()
    written = gate.config_path.read_text()
    assert verdict(gate, missing(1)) == "absent"
    rule = add(gate, list="general.blacklist", value="no.*", comment='why "so"')
    assert verdict(gate, missing(2)) == "excluded"
    assert "no.*" in gate.get(missing(2).path).reason
    (listed,) = rules(gate)
    assert listed == rule
    assert listed["list"] == "general.blacklist" and listed["value"] == "no.*"
    assert listed["origin"] == "page" and listed["comment"] == 'why "so"' and listed["at_ms"] > 0
    gate.restart()
    assert rules(gate) == [rule]
    assert verdict(gate, missing(3)) == "excluded"
    gate.hang_up()
    wait_until(lambda: "is in force" in gate.errors(), "the reload")
    assert verdict(gate, missing(3)) == "excluded"
    assert post(gate, "/undo", id=rule["id"]).status == 200
    assert verdict(gate, missing(4)) == "absent"
    assert rules(gate) == []
    assert gate.config_path.read_text() == written
    assert post(gate, "/undo", id=rule["id"]).status == 404


def test_each_list_changes_its_server_alone(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    add(gate, list="blacklist", server="one", value="none")
    gate.get(missing(1).path)
    assert (origin.count(), second.count()) == (0, 1)
    add(gate, list="whitelist", server="two", value="other")
    assert verdict(gate, missing(2)) == "excluded"
    assert (origin.count(), second.count()) == (0, 1)
    for rule in rules(gate):
        assert post(gate, "/undo", id=rule["id"]).status == 200
    add(gate, list="enabled", server="two", value="false")
    gate.get(missing(3).path)
    assert (origin.count(), second.count()) == (1, 1)


def test_an_order_is_asked_in(start, origin, second):
    symbol, other = pdb("a.pdb"), pdb("b.pdb")
    for one in (symbol, other):
        origin.on(one.remote, good(one.body))
        second.on(one.remote, good(one.body))
    gate = start(server(origin), server(second, "two"))
    gate.fetch(symbol)
    assert (origin.count(), second.count()) == (1, 0)
    assert post(gate, list="order", value='["two", "nobody"]').status == 400
    assert post(gate, list="order", value='["two", "two"]').status == 400
    add(gate, list="order", value='["two", "one"]', comment="two\nis near")
    exported = gate.get("/api/v1/rules/export").body.decode().splitlines()
    assert exported[0] == "// rule 1, page: two\\u000ais near; in each server, as they stand now"
    assert set(exported[1:]) == {'"priority": 1 // in the server "two"', '"priority": 2 // in the server "one"'}
    gate.fetch(other)
    assert (origin.count(), second.count()) == (1, 1)


def test_what_runs_goes_on(start, origin):
    symbol = pdb("slow.pdb", size=256 * 1024)
    origin.on(symbol.remote, Script(symbol.body, head(), send(100000), until("go"), send()))
    gate = start(server(origin))
    waiting = gate.get_later(symbol.path)
    origin.wait_at("go")
    add(gate, list="blacklist", server="one", value="slow")
    origin.open("go")
    answer = waiting.result(30)
    assert answer.status == 200 and answer.body == symbol.body


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({}, "say which"),
        ({"list": "greylist", "value": "x"}, "say which list"),
        ({"list": "blacklist", "server": "one", "value": "nv("}, "bad pattern at character 3"),
        ({"list": "blacklist", "server": "none", "value": "nv"}, 'there is no server "none"'),
        ({"list": "blacklist", "value": "nv"}, "say which"),
        ({"list": "general.blacklist"}, "a value is missing"),
        ({"list": "whitelist", "server": "one", "value": ""}, "a value is missing"),
        ({"list": "retryTimeout", "server": "one", "value": "soon"}, "is no time"),
        ({"list": "retryTimeout", "server": "one", "value": "11574075d"}, "is no time"),
        ({"list": "enabled", "server": "one", "value": "1"}, "true or false"),
        ({"list": "general.blacklist", "value": "x", "origin": "me"}, '"origin" must be'),
    ],
)
def test_what_is_no_rule_is_told(gate, parameters, sentence):
    answer = post(gate, **parameters)
    assert answer.status == 400 and sentence in answer.body.decode(), answer.body
    assert rules(gate) == []


def test_a_rule_is_shown_in_one_line(gate):
    add(gate, list="blacklist", server="one", value="nv", comment="x\n9. enabled of z: true")
    told = run("rules", "--url", gate.url).stdout
    assert [line[:2] for line in told.splitlines()] == ["1.", "  "], told


def test_a_rule_that_says_nothing_new(gate):
    """Whoever takes one back must not find its twin in force."""
    add(gate, list="blacklist", server="one", value="nv")
    add(gate, list="enabled", server="one", value="false")
    for again in ({"list": "blacklist", "server": "one", "value": "nv"}, {"list": "enabled", "server": "one", "value": "false"}):
        answer = post(gate, **again)
        assert answer.status == 400 and "says so already" in answer.body.decode()
    add(gate, list="enabled", server="one", value="true")
    add(gate, list="enabled", server="one", value="false")
    assert [rule["id"] for rule in rules(gate)] == [1, 2, 3, 4]


def test_who_may(gate):
    parameters = "?list=general.blacklist&value=x"
    for path in (parameters, "/undo?id=1"):
        evil = {"Origin": "http://evil.example"}
        assert gate.get(API + path, method="POST", headers=evil).status == 403
        assert gate.get(API + path, method="POST", host="evil.example").status == 403
        spoken_for = {"X-Forwarded-For": "1.2.3.4"}
        assert gate.get(API + path, method="POST", headers=spoken_for).status == 403
    assert gate.get(API, host="evil.example").status == 403
    assert gate.get(API + "/undo?id=1").status == 405
    assert rules(gate) == []


def test_a_broken_file_stops_nothing(make, origin):
    gate = make(server(origin)).start()
    add(gate, list="general.blacklist", value="no")
    gate.stop()
    path = gate.data / "rules.json"
    path.write_text(path.read_text()[:-20])
    gate.start()
    assert verdict(gate, missing(1)) == "absent"
    assert len(list(gate.data.glob("rules.json.broken-*"))) == 1
    wait_until(lambda: "do not count" in gate.errors(), "the line in the log")


def test_commands(gate):
    def rules_command(*args):
        return run("rules", *args, "--url", gate.url)

    assert "no rules" in rules_command().stdout
    done = rules_command("add", "blacklist", "nv.*", "--server", "one", "--comment", "seldom")
    assert done.returncode == 0 and "blacklist of one: nv.*" in done.stdout, done.stderr
    listed = rules_command("list")
    assert "1. blacklist of one: nv.*" in listed.stdout and "command line" in listed.stdout
    assert json.loads(rules_command("list", "--json").stdout)[0]["value"] == "nv.*"
    exported = rules_command("export").stdout
    assert '"blacklist": ["nv.*"]' in exported and 'in the server "one"' in exported
    bad = rules_command("add", "blacklist", "nv(", "--server", "one")
    assert bad.returncode == 1 and "bad pattern at character 3" in bad.stderr
    assert rules_command("undo", "1").returncode == 0
    assert rules_command("undo", "1").returncode == 1
    assert rules_command("undo").returncode == 2
    assert rules_command("add", "blacklist").returncode == 2
    assert rules_command("polish").returncode == 2
