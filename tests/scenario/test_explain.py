# SPDX-License-Identifier: MIT
"""Why a symbol came or did not: the deciding pattern, the cause, the sentence and what to do, for every verdict and cause."""

import contextlib
import json
import pathlib
import re
import socket
import sqlite3
import ssl
import urllib.parse

import pytest
from conftest import server
from double.origin import (
    CHUNKED,
    Origin,
    Script,
    close,
    gate as at_gate,
    good,
    head,
    page,
    redirect,
    reset,
    send,
    stall,
    status,
)
from double.web import Authority
from program import run, wait_until
from symbols import missing, pdb, pe

PATIENT = {"Symbol-Agent-Receive-Timeout": "120000"}
MIB = 1 << 20


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
    gate.wait_quiet()
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
    assert told["now"]["would"] == "hit"
    assert of_server(told)["state"] == "spared" and of_server(told)["turn"] == 0
    assert told["key"]["identifier"] == "PDB: GUID and age"
    gate.check(symbol)


def test_joined_and_under_way(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("hold"), head(), send()))
    one, two = gate.get_later(symbol.path), gate.get_later(symbol.path)
    gate.wait_readers(symbol, 2)
    told = explain(gate, symbol)
    assert told["sentence"] == "The file is being searched for or arriving at this moment."
    assert told["now"]["would"] == "joined" and of_server(told)["state"] == "spared"
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
    gate = start(server(tmp_path / "store"))
    told = explain(gate, after=gate.fetch(symbol))
    assert told["last"]["request"]["verdict"] == "local"
    assert told["sentence"] == 'The file lies in the directory of server "one" and was served from there.'


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
    for told in (explain(gate, after=answer), explain(gate, symbol)):
        assert told["sentence"] == 'The name was excluded by "^secret" of general.blacklist; nobody was asked.'
        assert told["now"]["sentence"] == 'The name is excluded by "^secret" of general.blacklist; nobody is asked.'
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
    assert told["now"]["would"] == "ask"
    assert of_server(told, "given")["state"] == "asked" and of_server(told, "given")["rule"] == "nv"
    assert told["now"]["sentence"] == 'The file is not here; server "given" would be asked first.'


def test_servers_of_one_priority_have_one_turn(start, origin):
    gate = start(*[server(origin, name, priority=number) for name, number in (("a", 1), ("b", 2), ("c", 2), ("d", 3))])
    told = explain(gate, pdb())
    assert [of_server(told, name)["turn"] for name in "abcd"] == [1, 2, 2, 3]


def test_nobody_may_be_asked(start, origin):
    gate = start(server(origin, whitelist=["app"]))
    symbol = pdb("other.pdb")
    answer = gate.get(symbol.path)
    assert answer.verdict == "excluded"
    told = explain(gate, after=answer)
    assert told["sentence"] == "Whitelists, kinds or enabled left no server to ask."
    assert told["now"]["sentence"].startswith("No server may be asked for this name")
    assert of_server(told)["state"] == "not in whitelist"


@pytest.mark.parametrize(
    "changed, cure",
    [
        ({"blacklist": ["z"]}, "not in force any more, but others"),
        ({"blacklist": ["zz"]}, "out of general.blacklist"),
        ({"server": ["yy", "zz1"]}, "not in force any more, but others"),
        ({"server": ["a", "zz"]}, "in force still"),
        ({"server": []}, "Ask again"),
    ],
    ids=["global", "the same globally", "another", "the same", "none"],
)
def test_an_exclusion_of_earlier_is_told_by_the_filter_that_decided(make, origin, second, changed, cure):
    """And not as the only server's: there may have been others then."""
    gate = make(server(origin, blacklist=["zz"]), server(second, "two", enabled=False))
    gate.start()
    answer = gate.get(pdb("zz1.pdb").path)
    assert answer.verdict == "excluded"
    explain(gate, after=answer)
    gate.stop()
    gate.config["servers"].pop()
    gate.config["servers"][0]["blacklist"] = changed.get("server", ["b"])
    gate.config["general"]["blacklist"] = changed.get("blacklist", [])
    gate.start()
    told = explain(gate, after=answer)
    assert told["sentence"] == 'A filter left no server to ask: "zz".' and cure in told["cure"], told


def test_an_exclusion_by_everybodys_list_stays_one(make, origin):
    """Also where a server's own list says the same by now."""
    gate = make(server(origin), general={"blacklist": ["zz"]}).start()
    answer = gate.get(pdb("zz1.pdb").path)
    explain(gate, after=answer)
    gate.config["general"]["blacklist"] = []
    gate.config["servers"][0]["blacklist"] = ["zz"]
    gate.restart()
    told = explain(gate, after=answer)
    assert told["sentence"] == 'The name was excluded by "zz" of general.blacklist; nobody was asked.'
    assert "in force still: the servers below say" in told["cure"]


@pytest.mark.parametrize("then", [{"whitelist": ["ok"]}, {"kinds": ["pe"]}, {"enabled": False}])
def test_an_exclusion_without_a_pattern_is_not_told_by_a_later_one(make, origin, then):
    gate = make(server(origin, **then)).start()
    answer = gate.get(pdb("wl.pdb").path)
    assert answer.verdict == "excluded"
    assert explain(gate, after=answer)["cure"].startswith("So it is now")
    for key in then:
        del gate.config["servers"][0][key]
    gate.config["servers"][0]["blacklist"] = ["wl"]
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: "is in force" in gate.errors(), "the reload")
    told = explain(gate, after=answer)
    assert told["sentence"] == "Whitelists, kinds or enabled left no server to ask." and '"wl"' not in told["sentence"]
    assert "other filters keep the name out now" in told["cure"]


def test_a_pattern_of_everybodys_that_gives_up(start, origin):
    gate = start(server(origin), general={"blacklist": ["(a+)+$"]})
    name = "a" * 40 + "!.pdb"
    answer = gate.get(f"/symbols/{name}/11/{name}")
    assert answer.verdict == "excluded" and "gave up at its match limit" in answer.reason
    told = explain(gate, after=answer)
    assert "was given up at its match limit" in told["sentence"] and "simpler" in told["cure"]
    assert told["now"]["excluded"] and told["now"]["would"] == "excluded"


def test_a_pattern_that_gives_up(start, origin):
    pattern = r"(a+)+(b+)+(a|aa)+c\Z"
    gate = start(server(origin, blacklist=[pattern]))
    row = of_server(explain(gate, pdb("a" * 60 + "b" * 60 + "a" * 60 + ".pdb")))
    assert row["state"] == "pattern given up" and row["rule"] == pattern
    assert row["sentence"] == f'The pattern "{pattern}" was given up at its match limit, which counts as excluding.'


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
    "closed": (lambda s: Script(b"", close()), "The connection to", "cuts it"),
    "203": (lambda s: status(203), "status 203", "personal access token"),
    "coding": (
        lambda s: Script(s.body, head(headers={"Content-Encoding": "sdch"}), send()),
        "cannot be undone",
        "published again",
    ),
    "page": (lambda s: page(), "sent a web page in place of the file", "credentials"),
    "empty": (lambda s: good(b""), "sent an empty file", "published again"),
    "text": (lambda s: good(b"no such file here, sorry"), "sent plain text", "symgate quarantine"),
    "another": (lambda s: good(pdb(seed=9).body), "is not the file that was asked for", "published again"),
    "cut": (lambda s: good(s.body[:-5000]), "is cut", "published again"),
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
    assert told["sentence"].endswith('server "one" may have it and rests after connect failures or timeouts.'), told
    row = of_server(told)
    assert row["state"] in ("resting", "probed")  # it rests for 5 s: the machine may be slow
    assert row["rest"] == "unreachable" and "rests after connect failures" in row["sentence"]
    holder.close()


def test_a_host_behind_a_redirect_that_rests(start, origin):
    """The server itself has been asked, and does not rest."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    there = f"127.0.0.1:{holder.getsockname()[1]}"
    gate = start(server(origin))
    for n in range(4):
        origin.on(missing(n).remote, redirect(f"http://{there}/x"))
        answer = gate.get(missing(n).path)
        assert answer.verdict == "failed"
    told = explain(gate, after=answer)
    said = f'Server "one" leads to a host that rests and was not asked: "{there}", which rests after connect failures or timeouts for another '
    assert told["sentence"].startswith(said), told["sentence"]
    assert told["last"]["chain"][0]["sentence"] == told["sentence"]
    assert of_server(told)["state"] == "asked"
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


def cause_told(gate, symbol, sentence, cure):
    """Of a request that fails: what is told of it."""
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed", answer
    told = explain(gate, after=answer)
    assert told["sentence"].startswith(sentence), told["sentence"]
    assert cure in told["cure"], told["cure"]
    return told


def test_a_name_that_does_not_resolve(start):
    gate = start(server("http://no-such-host.invalid/symbols"))
    cause_told(gate, pdb(), 'Server "one" cannot be reached: ', "name service")


@pytest.mark.slow
def test_a_server_that_is_silent(start, origin):
    gate = start(server(origin, timeouts={"firstByte": "1s"}))
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, stall()))
    cause_told(gate, symbol, 'Server "one" was silent for longer than its limit', "timeouts.firstByte")


def test_a_directory_that_is_not_there(start, tmp_path):
    gate = start(server(tmp_path / "nowhere"))
    cause_told(gate, pdb(), 'The directory of server "one" is not there', "Mount it")


def test_a_windows_path_that_nothing_maps(start):
    gate = start(server("D:\\build\\symbols"))
    told = cause_told(gate, pdb(), 'There is no way to the remote of server "one"', "general.pathMap")
    assert told["now"]["would"] == "failed" and of_server(told)["state"] == "unaskable"
    assert told["now"]["sentence"].startswith('Server "one" may have the file')
    assert "general.pathMap" in told["now"]["cure"]


def pointer(symbol):
    return symbol.remote.rsplit("/", 1)[0] + "/file.ptr"


def test_a_pointer_that_leads_elsewhere(start, origin):
    gate = start(server(origin, forms=["plain", "pointer"]))
    symbol = pdb()
    origin.on(pointer(symbol), good(b"\\\\build\\other\\app.pdb"))
    cause_told(gate, symbol, 'A pointer at server "one" leads where it may not', "pointerRoots")


def test_a_note_in_place_of_the_file(start, origin):
    gate = start(server(origin, forms=["plain", "pointer"]))
    symbol = pdb()
    origin.on(pointer(symbol), good(b"MSG: Ask Ann for it\r\n"))
    answer = gate.get(symbol.path)
    assert answer.verdict == "absent"
    told = explain(gate, after=answer)
    assert told["sentence"].startswith("The store has a note in place of the file: ")
    assert "Ask Ann for it" in told["sentence"]


def test_no_longer_indexed_counts_for_all(start, origin, second):
    gate = start(
        server(origin, forms=["plain", "pointer"], noLongerIndexedAuthoritative=True), server(second, "two")
    )
    symbol = pdb()
    origin.on(pointer(symbol), good(b"MSG: NoLongerIndexed\r\n"))
    for _ in range(2):
        answer = gate.get(symbol.path)
        assert answer.verdict == "absent"
        told = explain(gate, after=answer)
        assert told["sentence"].startswith("A store says that the file is no longer indexed")
        assert "noLongerIndexedAuthoritative" in told["cure"]
    assert of_server(told)["state"] == "remembered" and of_server(told, "two")["state"] == "ended before"
    assert of_server(told, "two")["turn"] == 0 and told["now"]["would"] == "absent"
    assert second.count() == 0


def test_who_is_not_waited_for_once_it_is_no_longer_indexed(start, origin, second):
    """Nobody has sent a file then, neither to the one that was being asked nor to the one whose turn did not come."""
    third = Origin()
    try:
        gate = start(
            server(origin, forms=["pointer"], noLongerIndexedAuthoritative=True, priority=1),
            server(second, "two", priority=1),
            server(third, "three", priority=1, maxRequests=1),
        )
        symbol, other = pdb(), pe()
        third.on(other.remote, Script(other.body, at_gate("hold"), head(), send()))
        second.on(symbol.remote, Script(symbol.body, at_gate("hold"), head(), send()))
        origin.on(pointer(symbol), Script(b"MSG: NoLongerIndexed\r\n", at_gate("hold"), head(), send()))
        blocker = gate.get_later(other.path)
        third.wait_at("hold")
        waiting = gate.get_later(symbol.path)
        second.wait_at("hold")
        gate.wait_metric("symgate_source_waiting", 1, "three")
        origin.open("hold")
        answer = waiting.result(30)
        assert answer.verdict == "absent"
        chain = {link["source"]: link["sentence"] for link in explain(gate, after=answer)["last"]["chain"]}
        said = "another one said that the file is no longer indexed."
        assert chain["two"] == f'Server "two" was asked too, and not waited for: {said}'
        assert chain["three"] == f'Server "three" was not asked: before its turn came {said.replace("one said", "one had said")}'
        second.open("hold")
        third.open("hold")
        assert blocker.result(30).body == other.body
    finally:
        third.stop()


def test_a_long_pause_that_was_asked_for(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    origin.on(missing(1).remote, status(429, [("Retry-After", "600")]))
    gate.get(missing(1).path)
    told = explain(gate, pdb())
    row = of_server(told)
    assert row["state"] == "resting" and row["turn"] == 0 and 0 < row["left_ms"] <= 600_000
    assert of_server(told, "two")["turn"] == 1
    assert told["now"]["would"] == "ask"
    assert told["now"]["sentence"] == 'The file is not here; server "two" would be asked first.'


def test_a_short_pause_is_waited_out(start, origin):
    gate = start(server(origin), general={"requestTimeout": 1})
    origin.on(missing(1).remote, status(429, [("Retry-After", "25")]))
    gate.get(missing(1).path)
    told = explain(gate, pdb())
    row = of_server(told)
    assert row["state"] == "paused" and row["turn"] == 1 and 0 < row["left_ms"] <= 25_000, row
    assert told["now"]["would"] == "wait" and "it rests as it asked" in told["now"]["sentence"]
    waiting = gate.get(pdb().path)
    assert waiting.verdict == "later"
    (link,) = explain(gate, after=waiting)["last"]["chain"]
    assert link["sentence"].startswith('Server "one" was not asked yet')
    assert origin.count() == 1


def test_who_is_asked_beside_a_pause(start, origin, second):
    """Nobody waits for the first one longer than hedgeAfter, where there is another."""
    gate = start(server(origin, hedgeAfter="1s"), server(second, "two"))
    origin.on(missing(1).remote, status(429, [("Retry-After", "25")]))
    gate.get(missing(1).path)
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    told = explain(gate, symbol)
    assert told["now"]["would"] == "ask"
    assert re.search('rests as it asked for 2[0-9]s more: "two" is asked beside it after 1s', told["sentence"]), told["sentence"]
    asked = origin.count()
    answer = gate.get(symbol.path)
    assert answer.body == symbol.body and origin.count() == asked
    first = wait_until(lambda: explain(gate, after=answer)["last"]["chain"][0], "its record")
    assert first["sentence"].startswith('Server "one" was not asked: before its turn came another one had sent the file'), first


def test_who_is_asked_beside_two_pauses(start, origin, second):
    """The third comes after both have been waited for."""
    third = Origin()
    try:
        gate = start(server(origin, hedgeAfter="1s"), server(second, "two", hedgeAfter="1s"), server(third, "three"))
        for one in (origin, second):
            one.on(missing(1).remote, status(429, [("Retry-After", "25")]))
        gate.get(missing(1).path)
        symbol = pdb()
        third.on(symbol.remote, good(symbol.body))
        told = explain(gate, symbol)
        assert told["now"]["would"] == "ask" and '"three" is asked beside it after 2s' in told["sentence"], told
        assert gate.get(symbol.path).body == symbol.body
    finally:
        third.stop()


FIVE, LONG = 5, 25  # seconds of a pause that is asked for


@pytest.mark.parametrize(
    "one, two, told_so",
    [
        ((LONG, {"hedgeAfter": "3s"}), (LONG, {"hedgeAfter": "1s", "priority": 1}), '"three" is asked beside it after 1s'),
        ((LONG, {"hedgeAfter": "1s"}), (LONG, {"hedgeAfter": "3s", "priority": 1}), '"three" is asked beside it after 1s'),
        ((LONG, {"hedgeAfter": "1s"}), (LONG, {"priority": 1}), '"three" is asked beside it after 1s'),
        ((LONG, {}), (FIVE, {"priority": 1}), r'"two", which rests too, is asked before it, after [1-5]s'),
        ((LONG, {"hedgeAfter": "1s"}), (FIVE, {}), r'"two", which rests too, is asked before it, after [1-5]s'),
        ((FIVE, {}), (LONG, {"priority": 1}), '"one" would be asked first, in [1-5]s'),
    ],
    ids=["the second is sooner", "the first is sooner", "the second never", "together, neither ever", "one after the other", "the first's is over first"],
)
def test_whom_two_pauses_lead_to(start, origin, second, one, two, told_so):
    """As a search does it: whoever is silent first lets one more be asked, whatever the other one's patience is."""
    third = Origin()
    try:
        gate = start(
            server(origin, priority=1, **one[1]), server(second, "two", **two[1]), server(third, "three", priority=3)
        )
        for source, (seconds, _) in ((origin, one), (second, two)):
            source.on(missing(1).remote, status(429, [("Retry-After", str(seconds))]))
        gate.get(missing(1).path)
        symbol = pdb()
        third.on(symbol.remote, good(symbol.body))
        second.on(symbol.remote, good(symbol.body))
        told = explain(gate, symbol)["now"]
        assert re.search(told_so, told["sentence"]), told["sentence"]
        if "three" in told_so:
            assert gate.get(symbol.path).body == symbol.body
            assert third.count(symbol.remote) == 1 and second.count(symbol.remote) == 0
    finally:
        third.stop()


def test_a_file_that_is_just_being_written(start, tmp_path):
    symbol = pdb()
    path = tmp_path / "store" / symbol.name / symbol.id / symbol.name
    path.parent.mkdir(parents=True)
    path.write_bytes(symbol.body)
    gate = start(server(tmp_path / "store", cacheLocation=str(tmp_path / "own")))
    told = explain(gate, after=gate.get(symbol.path))
    assert told["sentence"] == "The file was delivered, and not kept: its source may still be writing it."
    assert "ten seconds" in told["cure"] and "permissions" not in told["cure"]


def test_a_pause_is_no_failure(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    origin.on(missing(1).remote, status(429, [("Retry-After", "600")]))
    gate.get(missing(1).path)
    answer = gate.get(missing(2).path)
    assert answer.verdict == "failed" and answer.reason.endswith("rests as it asked")
    told = explain(gate, after=answer)
    assert told["sentence"] == 'Server "one" may have the file, but rested as it had asked and was not asked.'
    assert "maxRequests" in told["cure"] and "doctor" not in told["cure"]


def test_busy_and_a_full_queue(start, origin):
    gate = start(server(origin, maxRequests=1))
    first = pdb()
    origin.on(first.remote, Script(first.body, at_gate("hold"), head(), send()))
    blocker = gate.ask(first.path, source="127.0.0.9", headers=PATIENT)
    origin.wait_at("hold")
    assert of_server(explain(gate, missing(0)))["state"] == "asked"
    many = [gate.ask(missing(n).path, source="127.0.0.2", headers=PATIENT) for n in range(1, 1001)]
    gate.wait_metric("symgate_source_waiting", 1000, "one")
    row = of_server(explain(gate, missing(0)))
    assert row["state"] == "crowded" and (row["waiting"], row["running"]) == (1000, 1)
    assert "maxRequests" in row["cure"]
    answer = gate.get(missing(2000).path, source="127.0.0.2", headers=PATIENT)
    assert answer.verdict == "busy"
    told = explain(gate, after=answer)
    assert told["last"]["request"]["verdict"] == "busy"
    assert told["sentence"].startswith("Too much was to be done")
    assert told["last"]["chain"][0]["sentence"].startswith('The queue of server "one" was full')
    origin.open("hold")
    for one in (*many, blocker):
        one.close()


def test_a_full_disk(start, origin, small_disk):
    gate = start(server(origin), general={"cacheLocation": str(small_disk("2m") / "cache")})
    symbol = pdb(size=8 * MIB)
    origin.on(symbol.remote, good(symbol.body))
    told = explain(gate, after=gate.fetch(symbol))
    assert re.match("The file was delivered, but it could not be kept: no room in the cache", told["sentence"]), told["sentence"]
    assert "general.minFreeSpace" in told["cure"]
    assert told["now"]["would"] == "ask"


def test_an_answer_that_is_broken_off(gate, origin):
    """Part of it was passed on already; then the server fails."""
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CHUNKED), send(MIB), reset()),
        status(500),
    )
    answer = gate.get(symbol.path)
    assert answer.broken, answer
    told = explain(gate, after=answer)
    assert told["sentence"].startswith("The answer was broken off") and "symgate quarantine" in told["cure"]
    chain = [row["sentence"] for row in told["last"]["chain"]]
    assert any(sentence.startswith('Server "one" is in trouble itself (status 500)') for sentence in chain), chain


def test_the_client_hung_up(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("hold"), send()))
    asked = gate.ask(symbol.path, headers={"X-Request-Id": "hangs-up"})
    asked.head()
    asked.close()
    origin.open("hold")
    assert explain_of_gone(gate, "hangs-up")["sentence"] == "The client hung up before its answer was complete."


def explain_of_gone(gate, id):
    """Of a client that has left, which says when its record is there to nobody."""

    def look():
        answer = gate.get(f"/api/v1/explain?id={id}")
        return json.loads(answer.body) if answer.status == 200 else None

    return wait_until(look, "its record")


def test_the_client_left_before_its_answer_began(gate, origin):
    """What came later is no success of its."""
    symbol = missing(1)
    origin.on(symbol.remote, Script(b"", at_gate("no"), head(404), send()))
    asked = gate.ask(symbol.path, headers={"X-Request-Id": "leaves"})
    origin.wait_at("no")
    asked.close()
    told = explain_of_gone(gate, "leaves")
    assert told["sentence"] == "The client hung up before its answer began." and told["last"]["request"]["verdict"] == "later"
    origin.open("no")
    gate.wait_quiet()
    totals = json.loads(gate.get("/statistics.json").body)
    assert (totals["numRequests"], totals["numSuccess"], totals["numFail"]) == (1, 0, 1)


def test_who_waits_for_a_place_and_who_for_an_answer(start, origin):
    """The one wants a larger maxRequests, the other another server."""
    gate = start(server(origin, maxRequests=1), general={"requestTimeout": 1})
    slow = missing(1)
    origin.on(slow.remote, Script(b"", at_gate("go"), head(404), send()))
    first = gate.get_later(slow.path)
    origin.wait_at("go")
    behind = gate.get(missing(2).path)
    answers = [first.result(30), behind]
    assert [answer.verdict for answer in answers] == ["later", "later"]
    links = [explain(gate, after=answer)["last"]["chain"][0]["sentence"] for answer in answers]
    assert links[0] == 'Server "one" had not answered yet.'
    assert links[1].startswith('Server "one" was not asked yet: all its places were taken')
    origin.open("go")


@pytest.mark.parametrize("layout", ["debuginfod", "breakpad"])
def test_a_layout_without_a_place_for_it(start, origin, layout):
    gate = start(server(origin, layout=layout))
    for _ in range(2):
        answer = gate.get(pdb().path)
        assert answer.verdict == "absent"
        told = explain(gate, after=answer)
        assert told["sentence"] == "No server that might be asked had a place for such a file in its layout; nobody was asked."
        assert told["now"]["sentence"] == "No server that may be asked has a place for such a file in its layout."
        assert of_server(told)["state"] == "no place in its layout" and told["now"]["would"] == "absent"
    assert origin.count() == 0


@pytest.mark.parametrize("then, now", [("breakpad", "symstore"), ("symstore", "breakpad")])
def test_an_absence_of_earlier_is_not_told_by_todays_layout(make, origin, then, now):
    gate = make(server(origin, layout=then)).start()
    gate.get(pdb().path)
    answer = gate.get(pdb().path)
    said = explain(gate, after=answer)["sentence"]
    gate.config["servers"][0]["layout"] = now
    gate.restart()
    told = explain(gate, after=answer)
    assert told["sentence"] == said and told["now"]["would"] == ("absent" if now == "breakpad" else "ask")
    assert said.startswith("No server that might be asked had a place" if then == "breakpad" else "Every server that may be asked has said earlier")


def test_an_absence_that_is_known_in_several_ways(start, origin, second):
    gate = start(server(origin), server(second, "two", layout="breakpad"))
    symbol = pdb()
    assert explain(gate, after=gate.get(symbol.path))["sentence"].startswith("Those servers that were asked said")
    answer = gate.get(symbol.path)
    assert "by an earlier no, its index or its layout" in answer.reason
    assert explain(gate, after=answer)["sentence"].startswith("Every server that might be asked was known not to have the file, some by")


def test_an_absence_of_which_the_record_says_too_little(make, origin):
    """Older programs wrote the same reason whatever it was known by."""
    gate = make(server(origin, layout="breakpad")).start()
    answer = gate.get(pdb().path)
    explain(gate, after=answer)
    gate.stop()
    with contextlib.closing(sqlite3.connect(gate.data / "statistics.db")) as book, book:
        book.execute("UPDATE requests SET attempts = NULL, reason = 'every server that may be asked said that it does not have it'")
    gate.start()
    told = explain(gate, after=answer)
    assert told["sentence"].endswith("was not recorded.") and told["now"]["sentence"].startswith("No server that may be asked has a place")


def test_a_note_that_is_remembered(start, origin):
    """It ends nothing, and is told as long as it counts."""
    symbol = pdb()
    gate = start(server(origin, forms=["plain", "pointer"], noLongerIndexedAuthoritative=False))
    origin.on(symbol.remote.rsplit("/", 1)[0] + "/file.ptr", good(b"MSG: NoLongerIndexed"))
    for _ in range(2):
        told = explain(gate, after=gate.get(symbol.path))
        assert told["sentence"].startswith("The store has a note in place of the file: "), told["sentence"]
        assert "NoLongerIndexed" in told["sentence"] and "noLongerIndexedAuthoritative" not in told["cure"]


def test_an_own_cache_is_named(start, origin, second, tmp_path):
    gate = start(server(origin, cacheLocation=str(tmp_path / "own")), server(second, "two"))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.wait_quiet()
    told = explain(gate, symbol)
    assert of_server(told)["cache"] == str(tmp_path / "own") and "cache" not in of_server(told, "two")
    shelves = {shelf["path"]: shelf["state"] for shelf in told["now"]["shelves"]}
    assert shelves == {str(gate.cache): "not there", str(tmp_path / "own"): "there"}
    assert told["now"]["would"] == "hit"


def test_junk_in_another_form_is_not_what_would_be_served(make, origin):
    """Before anybody has asked for it, too."""
    symbol = pdb()
    gate = make(server(origin))
    folder = gate.cache / symbol.name / symbol.canonical
    folder.mkdir(parents=True)
    (folder / (symbol.name[:-1] + "_")).write_bytes(b"MSCFjunk" * 1000)
    gate.start()
    told = explain(gate, symbol)
    assert told["now"]["would"] == "ask", told["now"]
    assert told["now"]["shelves"][0]["state"] == "false" and "damaged" in told["now"]["shelves"][0]["sentence"]


def test_cures_name_keys_that_there_are():
    root = pathlib.Path(__file__).resolve().parents[2]
    source = (root / "src/proxy/telling_words.c").read_text()
    text = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', source))
    named = set(re.findall(r"\b(?:general\.)?([a-z]+[A-Z]\w+)", text))
    schema = (root / "docs/schema.json").read_text()
    assert {"maxRequests", "noLongerIndexedAuthoritative", "pathMap"} <= named
    assert not [name for name in named if f'"{name}"' not in schema]


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


def test_a_rule_is_undone_and_not_looked_for_in_the_configuration(gate, origin):
    """Its cure is the command that takes it back: for a server's, and for everybody's."""
    for number, how in ((1, {"list": "blacklist", "server": "one"}), (2, {"list": "general.blacklist"})):
        query = urllib.parse.urlencode(how | {"value": "late.*"})
        added = gate.get("/api/v1/rules?" + query, method="POST")
        assert added.status == 200, added.body
        answer = gate.get(pdb("later.pdb").path)
        told = explain(gate, after=answer)
        cure = told["cure"] if number == 2 else of_server(told)["cure"]
        assert f"symgate rules undo {number}" in cure
        assert f"(rule {number}, from the " in told_by(gate, request_id(answer))


def add_rule(gate, **rule):
    added = gate.get("/api/v1/rules?" + urllib.parse.urlencode(rule), method="POST")
    assert added.status == 200, added.body


def test_rules_of_every_list_are_told_as_such(start, origin):
    """The configuration says nothing of it, so its cure is not there."""
    gate = start(server(origin))
    add_rule(gate, list="whitelist", server="one", value="only")
    row = of_server(explain(gate, pdb("other.pdb")))
    assert row["state"] == "not in whitelist" and row["made"]["id"] == 1
    assert "symgate rules add whitelist PATTERN --server one" in row["cure"] and "Rule 1," in row["cure"]
    add_rule(gate, list="enabled", server="one", value="false")
    row = of_server(explain(gate, pdb("only.pdb")))
    assert row["state"] == "off" and row["made"]["id"] == 2 and "symgate rules undo 2" in row["cure"]
    assert run("rules", "undo", "2", "--url", gate.url).returncode == 0
    assert gate.get(pdb("only.pdb").path).verdict == "absent"


def test_a_pattern_that_is_a_rule_and_in_the_configuration(start, origin):
    gate = start(server(origin, blacklist=["late"]), general={"blacklist": ["early"]})
    add_rule(gate, list="blacklist", server="one", value="late")
    add_rule(gate, list="general.blacklist", value="early")
    cures = [of_server(explain(gate, pdb("late.pdb")))["cure"], explain(gate, pdb("early.pdb"))["cure"]]
    for number, cure in enumerate(cures, 1):
        assert f"rules undo {number}" in cure and "out of the configuration" in cure, cure


def test_the_last_lookup_stands_however_many_follow_ups_came_after_it(gate, origin):
    symbol = pdb()
    first = gate.get(symbol.path)
    for _ in range(60):
        assert gate.get(symbol.path.rsplit("/", 1)[0] + "/file.ptr").status == 404
    wait_until(lambda: len(json.loads(gate.get(f"/api/v1/requests?key={urllib.parse.quote(symbol.key)}&limit=100").body)["rows"]) == 61, "the records")
    assert explain(gate, symbol)["last"]["request"]["id"] == request_id(first)


def test_every_server_of_a_long_list_is_recorded(start, origin, second):
    gate = start(*(server(origin, f"server{n}") for n in range(25)), server(second, "last", timeouts={"connect": "1s"}))
    symbol = pdb()
    second.on(symbol.remote, good(symbol.body))
    answer = gate.fetch(symbol)
    chain = explain(gate, after=answer)["last"]["chain"]
    assert [link["source"] for link in chain] == [f"server{n}" for n in range(25)] + ["last"]
    second.stop()
    answer = gate.get(missing(1).path)
    assert answer.verdict == "failed"
    assert explain(gate, after=answer)["sentence"].startswith('Server "last" cannot be reached')


def test_how_each_of_many_servers_ended_is_recorded(start, origin, second):
    """Though each is asked for several forms, and what they send is refused: more attempts than a request keeps."""
    many = [f"server{n:02}" for n in range(62)]
    gate = start(*(server(origin, name, forms=["plain", "compressed"]) for name in many), server(second, "last"))
    symbol = pdb()
    for remote in (symbol.remote, symbol.remote[:-1] + "_"):
        origin.on(remote, page())
    second.on(symbol.remote, status(403))
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed" and origin.count() == 2 * len(many)
    told = explain(gate, after=answer)
    chain = told["last"]["chain"]
    assert list(dict.fromkeys(link["source"] for link in chain)) == [*many, "last"]
    assert chain[-1]["sentence"].startswith('Server "last" forbids it')
    assert told["sentence"].startswith('Server "server00" sent a web page'), told["sentence"]
    assert len(told["last"]["request"]["attempts"]) == len(chain) == 80


@pytest.mark.parametrize("name", ["x" * 150 + ".pdb", "符" * 60 + ".pdb"], ids=len)
def test_long_paths_are_known_by_their_key(gate, origin, name):
    """They are kept cut."""
    coded = urllib.parse.quote(name)
    answer = gate.get(f"/symbols/{coded}/{pdb().id}/{coded}")
    told = explain(gate, after=answer)
    assert told["key"]["name"] == name and told["now"]["would"] == "absent"


@pytest.mark.parametrize(
    "name, spelled",
    [("App" + "x" * 120 + ".pdb", True), ("App" + "x" * 248 + ".pdb", True), ("App" + "符" * 80 + ".pdb", False)],
    ids=["kept whole", "name and id are kept", "cut in the name"],
)
def test_a_long_path_is_judged_as_the_client_spelled_it(start, origin, name, spelled):
    """Filters count case; where the spelling is not known, that is said."""
    gate = start(server(origin, whitelist=["App"]))
    coded = urllib.parse.quote(name)
    answer = gate.get(f"/symbols/{coded}/{pdb().id}/{coded}")
    told = explain(gate, after=answer)
    assert told["key"]["spelled"] is spelled
    assert told["key"]["name"] == (name if spelled else name.lower())
    assert of_server(told)["state"] == ("remembered" if spelled else "not in whitelist")
    said = "the client's own spelling is not known" in told_by(gate, request_id(answer))
    assert said is not spelled
    kept = json.loads(gate.get(f"/api/v1/requests?id={request_id(answer)}").body)["rows"][0]["path"]
    assert kept == f"/symbols/{coded}/{pdb().id}/{coded}"[:511]


def test_names_of_a_clients_choice_are_harmless_in_cures(gate, origin):
    """What stands there is copied into a shell, or shown by a terminal."""
    for name, shown in (
        ("$(touch pwn).pdb", "symgate forget '$(touch pwn).pdb/11'"),
        ("a;b&c's.pdb", "symgate forget 'a;b&c'\\''s.pdb/11'"),
        ("-h", "symgate forget -- '-h/11'"),
    ):
        answer = gate.get("/symbols/" + urllib.parse.quote(f"{name}/11/{name}"))
        assert answer.verdict == "absent"
        assert shown in explain(gate, after=answer)["cure"]
    done = run("forget", "--url", gate.url, "--", "-h/11")
    assert done.returncode == 0 and '"absences": 1' in done.stdout, done
    name = "\u009b31m\u202e.pdb"
    answer = gate.get("/symbols/" + urllib.parse.quote(f"{name}/11/{name}"))
    explain(gate, after=answer)
    text = told_by(gate, request_id(answer))
    assert "\\u009b31m\\u202e" in text and "\x9b" not in text and "\u202e" not in text


def test_other_forms_and_marks(gate, origin):
    """They are answers by themselves, whatever was asked for before."""
    symbol = pdb()
    answer = gate.get(symbol.path[:-1] + "_")
    assert answer.verdict == "absent" and "another form of a file" in answer.reason
    assert "no server is asked for it" in explain(gate, after=answer)["sentence"]
    answer = gate.get("/symbols/index2.txt")
    assert explain(gate, after=answer)["sentence"].startswith("index2.txt tells debuggers")
    assert origin.count() == 0
    symbol = pdb(seed=2)
    asked = gate.get(symbol.path)
    for name in (symbol.name[:-1] + "_", "file.ptr"):
        answer = gate.get(f"/symbols/{symbol.name}/{symbol.id}/{name}")
    explain(gate, after=answer)
    assert explain(gate, symbol)["last"]["request"]["id"] == request_id(asked)
    symbol = pdb(seed=3)
    assert told_by(gate, gate.url.rstrip("/") + symbol.path).startswith("The file is not here")


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
    kept = gate.get("/api/v1/explain?id=" + request_id(answer))
    assert kept.status == 404 and b"enableStatistics" in kept.body
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


@pytest.mark.parametrize("how", [[], ["--ask"]])
def test_the_query_of_a_url_is_not_passed_on(gate, how):
    """It may be a signature; the request that is made of the URL has none."""
    asked = gate.get(pdb().path)
    explain(gate, after=asked)
    for rest in ("?sig=hidden-word", "#hidden-word"):
        told = told_by(gate, *how, f"http://symbols.example{pdb().path}{rest}")
        assert told.splitlines()[0].startswith(("Every server that may be asked", "Each server that may be asked")), told
        assert "hidden-word" not in told
    assert "hidden-word" not in gate.get("/api/v1/requests").body.decode() + gate.errors()
    assert not any("hidden-word" in line for line in gate.log_lines())


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


def test_who_may_fetch_from_elsewhere(make, origin, own_address):
    gate = make(server(origin), general={"adminToken": "sesame"}, args=["--listen", "0.0.0.0:0"]).start()
    gate.address = (own_address, gate.address[1])
    path = f"/api/v1/fetch?name={missing(1).name}&id={missing(1).id}"

    def ask(**headers):
        return gate.get(path, method="POST", host=own_address, headers=headers).status

    assert ask() == ask(Authorization="Bearer sesam") == 403
    assert origin.count() == 0
    assert gate.get("/api/v1/explain?path=" + missing(1).path, host=own_address).status == 200
    assert ask(Authorization="Bearer sesame") == 202
    origin.wait_requests(missing(1).remote)
