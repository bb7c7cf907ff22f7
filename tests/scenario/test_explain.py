# SPDX-License-Identifier: MIT
"""Why a symbol came or did not: the deciding pattern, the cause, the sentence and what to do, for every verdict and cause."""

import json
import socket
import ssl
import urllib.parse

import pytest
from conftest import server
from double.origin import Origin, Script, close, gate as at_gate, good, head, page, redirect, reset, send, status
from double.web import Authority
from program import run, wait_until
from symbols import missing, pdb, pe



@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def explain(gate, symbol=None, after=None, **how):
    """`after`: an answer that must have been written down already, which is done a moment after it is sent."""
    if symbol:
        how["path"] = symbol.path
    elif after:
        how["id"] = request_id(after)

    def look():
        answer = gate.get("/api/v1/explain?" + urllib.parse.urlencode(how))
        assert answer.status == 200 or after, answer.body
        told = json.loads(answer.body) if answer.status == 200 else {}
        last = told.get("last")
        return told if not after or (last and last["request"]["id"] == request_id(after)) else None

    return wait_until(look, "what is told of it")


def of_server(told, identifier="one"):
    (row,) = [row for row in told["now"]["servers"] if row["identifier"] == identifier]
    return row


def request_id(answer):
    return answer.headers["x-request-id"]


# --- what was: one test a verdict, by the id of the request


def test_hit_and_fetched(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    first, second = gate.fetch(symbol), gate.fetch(symbol)
    told = explain(gate, after=first)
    assert told["last"]["request"]["verdict"] == "fetched"
    assert told["sentence"] == 'The file was fetched from server "one" for this request.'
    assert told["last"]["chain"][0]["sentence"] == 'Server "one" sent the file.'
    told = explain(gate, after=second)
    assert told["last"]["request"]["verdict"] == "hit"
    assert told["sentence"].startswith("The file was here already")
    assert told["now"]["sentence"] == f"The file lies in {gate.cache} and would be served at once."
    assert told["now"]["shelves"][0]["state"] == "there"
    assert told["now"]["shelves"][0]["size"] == len(symbol.body)
    assert told["key"]["identifier"] == "PDB: GUID and age"
    gate.check(symbol)


def test_joined_and_under_way(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("hold"), head(), send()))
    one, two = gate.get_later(symbol.path), gate.get_later(symbol.path)
    gate.wait_readers(symbol, 2)
    told = explain(gate, symbol)
    assert told["sentence"] == "The file is being searched for or arriving at this moment."
    assert told["now"]["copy"]["phase"] == "searching" and told["now"]["copy"]["readers"] == 2
    origin.open("hold")
    verdicts = {answer.verdict: answer for answer in (one.result(), two.result())}
    told = explain(gate, after=verdicts["joined"])
    assert told["sentence"].startswith("The file was arriving for another request")
    gate.check(symbol)


def test_local(start, tmp_path):
    symbol = pdb()
    place = tmp_path / "store" / symbol.remote.strip("/")
    place.parent.mkdir(parents=True)
    place.write_bytes(symbol.body)
    gate = start(server(tmp_path / "store", cache=False) | {"cacheLocation": None})
    answer = gate.fetch(symbol)
    told = explain(gate, after=answer)
    assert told["last"]["request"]["verdict"] in ("local", "fetched")
    assert told["last"]["request"]["verdict"] != "local" or told["sentence"].startswith(
        'The file lies in the directory of server "one"'
    )


def test_absent_remembered_and_forgotten(gate, origin):
    symbol = pdb()
    first, second = gate.get(symbol.path), gate.get(symbol.path)
    asked = origin.count()
    told = explain(gate, after=first)
    assert told["sentence"].startswith("Every server that may be asked was asked and said")
    assert f"symgate forget {symbol.key}" in told["cure"]
    told = explain(gate, after=second)
    assert told["sentence"].startswith("Every server that may be asked has said earlier")
    row = of_server(told)
    assert row["state"] == "remembered" and row["turn"] == 0
    assert 0 < row["left_ms"] <= 60_000 and row["said_ms"] % 1000 == 0
    assert told["now"]["sentence"].startswith("Every server that may be asked has said that it does not have")
    assert origin.count() == asked


def test_excluded_by_the_global_list(start, origin):
    gate = start(server(origin), general={"blacklist": ["never", "^secret"]})
    symbol = pdb("secret.pdb")
    answer = gate.get(symbol.path)
    assert answer.verdict == "excluded"
    for told in (explain(gate, symbol), explain(gate, after=answer)):
        assert told["sentence"] == 'The name is excluded by "^secret" of general.blacklist; nobody is asked.'
        assert told["now"]["excluded"] and told["now"]["rule"] == "^secret"
        assert "general.blacklist" in told["cure"]
    assert origin.count() == 0


def test_excluded_by_each_of_a_servers_filters(start, origin):
    gate = start(
        server(origin, "black", blacklist=["x", "nv.*"]),
        server(origin, "white", whitelist=["app"]),
        server(origin, "kinds", kinds=["pe"]),
        server(origin, "off", enabled=False),
        server(origin, "given", whitelist=["(x+x+)+y", "nv"]),
    )
    symbol = pdb("nvlib.pdb")
    told = explain(gate, symbol)
    assert of_server(told, "black")["rule"] == "nv.*"
    assert of_server(told, "black")["sentence"] == 'The name is excluded by "nv.*" of the blacklist of server "black".'
    assert of_server(told, "white")["sentence"] == 'No pattern of the whitelist of server "white" fits the name.'
    assert of_server(told, "kinds")["sentence"] == 'Server "kinds" is not asked for files of this kind (pdb).'
    assert of_server(told, "off")["sentence"] == 'Server "off" is switched off.'
    assert of_server(told, "given")["state"] == "asked" and of_server(told, "given")["rule"] == "nv"
    assert told["now"]["sentence"] == 'The file is not here; server "given" would be asked first.'


def test_nobody_may_be_asked(start, origin):
    gate = start(server(origin, whitelist=["app"]))
    symbol = pdb("other.pdb")
    answer = gate.get(symbol.path)
    assert answer.verdict == "excluded"
    told = explain(gate, after=answer)
    assert told["sentence"].startswith("No server may be asked for this name")
    assert of_server(told)["state"] == "not in whitelist"


def test_a_pattern_that_gives_up(start, origin):
    gate = start(server(origin, whitelist=[r"(a|aa)+$"]))
    symbol = pdb("a" * 60 + ".pdb")
    row = of_server(explain(gate, symbol))
    assert row["state"] in ("pattern given up", "not in whitelist")
    assert "(a|aa)+$" in row["sentence"] or row["state"] == "not in whitelist"


def test_later(start, origin):
    gate = start(server(origin))
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("hold"), head(), send()))
    answer = gate.get(symbol.path, headers={"Symbol-Agent-Receive-Timeout": "1"})
    assert answer.verdict == "later", answer
    told = explain(gate, after=answer)
    assert told["sentence"].startswith("The search was not over when the client's limit came")
    assert "hedgeAfter" in told["cure"]
    origin.open("hold")
    gate.wait_quiet()


def test_invalid(gate):
    for path, sentence in (
        ("/symbols/a/../b", "This path is refused: "),
        ("/symbols/%01/1/x", "This path is refused: "),
        ("/symbols/one", "This path names no symbol: "),
        ("/symbols/index2.txt", "index2.txt tells"),
        ("/symbols/pingme.txt", "This path only shows"),
        (pdb().path[:-1] + "_", "This name stands for another form"),
    ):
        told = explain(gate, path=path)
        assert told["sentence"].startswith(sentence), (path, told)
        assert told["now"] is None
    answer = gate.get("/symbols/one/two/three/four")
    told = explain(gate, after=answer)
    assert told["last"]["request"]["verdict"] == "invalid"
    assert told["sentence"].startswith("This was no proper request for a symbol")


# --- causes: one a line; what the server does, and what is told of it


CAUSES = {
    "500": (lambda s: status(500), "is in trouble itself (status 500)", "Ask again later"),
    "403": (lambda s: status(403), "forbids it (status 403)", '"absentStatus": [403]'),
    "401": (lambda s: status(401), "does not let symgate in (status 401)", "token"),
    "418": (lambda s: status(418), "answered with status 418", "Look at that server"),
    "429": (lambda s: status(429, [("Retry-After", "600")]), "asked for a pause", "maxRequests"),
    "reset": (lambda s: Script(b"", reset()), "broke", "cuts it"),
    "closed": (lambda s: Script(b"", close()), "", ""),
    "page": (lambda s: page(), "sent a web page in place of the file", "credentials"),
    "empty": (lambda s: good(b""), "sent an empty file", "published again"),
    "text": (lambda s: good(b"no such file here, sorry"), "sent plain text", "symgate quarantine"),
    "another": (lambda s: good(pdb(seed=9).body), "is not the file that was asked for", "published again"),
    "cut": (lambda s: good(s.body[:-5000]), "", "published again"),
    "redirects": (None, "leads elsewhere without end", "remote"),
}


@pytest.mark.sanitized
@pytest.mark.parametrize("cause", CAUSES)
def test_causes(start, origin, cause):
    script, sentence, cure = CAUSES[cause]
    gate = start(server(origin))
    symbol = pdb()
    if script:
        origin.on(symbol.remote, script(symbol))
    else:
        origin.on(symbol.remote, redirect(symbol.remote))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    told = explain(gate, symbol, after=answer)
    assert 'erver "one"' in told["sentence"], told["sentence"]
    assert sentence in told["sentence"] and cure in told["cure"], told
    assert told["sentence"] != told["cure"] and told["cure"]
    assert told["last"]["chain"][-1]["source"] == "one"


def test_nobody_listens_and_the_rest_that_follows(start, origin):
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    gate = start(server(f"http://127.0.0.1:{holder.getsockname()[1]}"))
    for n in range(4):
        answer = gate.get(missing(n).path)
        assert answer.verdict == "failed"
    told = explain(gate, missing(0))
    assert told["sentence"].startswith('Server "one" cannot be reached')
    told = explain(gate, after=answer)
    assert "rests" in told["sentence"] or "rests" in told["now"]["sentence"], told
    row = of_server(explain(gate, missing(7)))
    assert row["state"] in ("resting", "probed") and row["rest"] == "unreachable"
    holder.close()


def test_a_certificate_that_nobody_knows(start, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("own"), authority.key("own"))
    own = Origin(tls=context)
    try:
        gate = start(server(own))
        told = explain(gate, after=gate.get(pdb().path))
        assert told["sentence"].startswith('The secure connection to server "one" failed'), told
        assert "caFile" in told["cure"]
    finally:
        own.stop()


def test_refused_bodies_are_shown(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, page(b"<!DOCTYPE html><html>sign in</html>"))
    gate.get(symbol.path)
    wait_until(lambda: explain(gate, symbol)["now"]["quarantine"], "the record")
    (record,) = explain(gate, symbol)["now"]["quarantine"]
    assert record["server"] == "one" and record["cause"] == "html"
    assert "sign in" not in json.dumps(record)


def test_a_rule_tells_where_it_comes_from(gate, origin):
    added = gate.get(
        "/api/v1/rules?" + urllib.parse.urlencode({"list": "blacklist", "server": "one", "value": "late.*", "comment": "mine"}),
        method="POST",
    )
    assert added.status == 200, added.body
    row = of_server(explain(gate, pdb("later.pdb")))
    assert row["rule"] == "late.*" and row["made"]["comment"] == "mine" and row["made"]["origin"]


# --- what it does not do


def test_it_asks_nobody_and_counts_nothing(gate, origin):
    symbols = [pdb(f"n{n}.pdb", seed=n) for n in range(20)]
    before = json.loads(gate.get("/statistics.json").body)
    for symbol in symbols:
        assert of_server(explain(gate, symbol))["state"] == "asked"
    after = json.loads(gate.get("/statistics.json").body)
    assert origin.count() == 0
    assert before["numRequests"] == after["numRequests"] == 0
    assert gate.metric("symgate_searches_total") == 0


def test_bad_questions(gate):
    for query, code in (("", 400), ("?name=a", 400), ("?id=unknown", 404), ("?id=" + "x" * 200, 400), ("?name=..&id=1", 400)):
        assert gate.get("/api/v1/explain" + query).status == code, query


def test_without_statistics(start, origin):
    gate = start(server(origin), general={"enableStatistics": False})
    symbol = pdb()
    answer = gate.get(symbol.path)
    told = explain(gate, symbol)
    assert told["enabled"] is False and told["last"] is None
    assert gate.get("/api/v1/explain?id=" + request_id(answer)).status == 404
    assert of_server(told)["state"] == "remembered"


def test_it_stays_explainable_over_a_restart(gate, origin):
    symbol = pdb()
    answer = gate.get(symbol.path)
    explain(gate, after=answer)
    gate.stop()
    gate.start()
    told = explain(gate, after=answer)
    assert told["sentence"].startswith("Every server that may be asked was asked and said")


def test_secrets_are_masked(start, origin):
    gate = start(server(origin.url.replace("http://", "http://user:hidden-word@")))
    symbol = pdb()
    origin.on(symbol.remote, redirect("http://127.0.0.1:1/x?sig=hidden-word"))
    gate.get(symbol.path)
    assert "hidden-word" not in json.dumps(explain(gate, symbol))


# --- the command


def told_by(gate, *args):
    done = run("explain", *args, "--url", gate.url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_command(gate, origin):
    symbol, other = pdb(), pe()
    origin.on(other.remote, good(other.body))
    answer = gate.get(symbol.path)
    explain(gate, after=answer)
    for what in (symbol.key, symbol.path, request_id(answer)):
        lines = told_by(gate, what).splitlines()
        assert lines[0].startswith("Every server that may be asked was asked")
        assert lines[1].startswith("-> ")
    told = told_by(gate, "--ask", other.key)
    assert told.startswith('The file was fetched from server "one"'), told
    assert origin.count(other.remote) >= 1
    assert json.loads(told_by(gate, "--json", symbol.key))["key"]["key"] == symbol.key
    done = run("explain", "--url", gate.url)
    assert done.returncode == 2 and "symgate explain NAME/ID" in done.stderr
    done = run("explain", "nothing", "--url", gate.url)
    assert done.returncode == 1 and "no request with this id" in done.stderr


# --- fetching without a reader


def fetch(gate, symbol):
    answer = gate.get(f"/api/v1/fetch?name={symbol.name}&id={symbol.id}", method="POST")
    return answer.status, json.loads(answer.body)["verdict"]


def test_fetch_goes_on_by_itself(gate, origin):
    symbol, none = pdb(), missing(1)
    origin.on(symbol.remote, Script(symbol.body, at_gate("hold"), head(), send()))
    assert fetch(gate, symbol) == (202, "later")
    origin.wait_at("hold")
    origin.open("hold")
    wait_until(lambda: fetch(gate, symbol) == (200, "hit"), "the file on the shelf")
    assert origin.count(symbol.remote) == 1
    wait_until(lambda: fetch(gate, none) == (200, "absent"), "the server's no")
    gate.check(symbol)


def test_who_may_fetch(gate):
    path = "/api/v1/fetch?name=app.pdb&id=" + "A" * 33
    assert gate.get(path).status == 405
    for evil in ({"Origin": "http://evil.example"}, {"X-Forwarded-For": "10.0.0.1"}):
        assert gate.get(path, method="POST", headers=evil).status == 403
    assert gate.get(path, method="POST", host="evil.example").status == 403
    assert gate.get("/api/v1/explain?name=a&id=1", host="evil.example").status == 403
    assert gate.get("/api/v1/fetch", method="POST").status == 400
