# SPDX-License-Identifier: MIT
"""What is counted, kept over restarts, and shown: /statistics.json, /symbols.json and the API."""

import contextlib
import json
import sqlite3
import time
import urllib.parse

import pytest
from conftest import server
from double.origin import Script, good, head, reset, send, status
from double.origin import gate as at_gate
from program import run, wait_until
from symbols import missing, pdb

VERDICTS = "hit joined fetched local absent excluded later busy failed invalid".split()
TOTALS = (
    "numRequests numInvalidRequests numSuccess numSymbols numCacheHit numPending numExcluded"
    " diskUsage numAcceptedRequests"
).split()
OF_A_NAME = (
    "file totalTimeServicing numRequests numExcluded numSuccess numFail numCacheHit numCacheMiss"
    " numPending lastAccessTime serverMisses serverHits"
).split()


def ask(gate, path, code=200):
    answer = gate.get(path)
    assert answer.status == code, answer.body
    return json.loads(answer.body) if code == 200 else answer.body.decode()


def totals(gate):
    return ask(gate, "/statistics.json")


def wait_totals(gate, **wanted):
    """Until the totals are so: an answer is counted a moment after its last byte."""

    def look():
        found = totals(gate)
        return found if wanted.items() <= found.items() else None

    return wait_until(look, wanted)


def api(gate, route, **query):
    return ask(gate, f"/api/v1/{route}?" + urllib.parse.urlencode(query))


@pytest.fixture
def told(start, origin, second):
    """A program with traffic of every sort: two servers, the second has the files."""
    gate = start(
        server(origin, "one", blacklist=["never"]),
        server(second, "two", blacklist=["never"]),
        general={"blacklist": ["secret"]},
    )
    here, gone = pdb("Here.pdb"), missing(1)
    second.on(here.remote, good(here.body))
    gate.fetch(here)
    gate.fetch(here)
    gate.fetch(here)
    assert gate.get(gone.path).verdict == "absent"
    assert gate.get(here.path[:-1] + "_").verdict == "absent"
    assert gate.get(here.path.rsplit("/", 1)[0] + "/file.ptr").verdict == "absent"
    assert gate.get("/symbols/index2.txt").verdict == "absent"
    assert gate.get(pdb("secret.pdb").path).verdict == "excluded"
    assert gate.get(pdb("never.pdb").path).verdict == "excluded"
    wait_totals(gate, numRequests=6, numInvalidRequests=3)
    # A server's answer is counted once its file is kept.
    wait_until(lambda: api(gate, "servers")[1]["found"] == 1, "the file to be kept")
    return gate


@pytest.mark.sanitized
def test_totals(told):
    found = totals(told)
    body = pdb("Here.pdb").body
    assert set(TOTALS) <= set(found)
    assert found["enabled"] is True
    assert found["numRequests"] == 6
    assert found["numAcceptedRequests"] == 4
    assert found["numExcluded"] == 2
    assert found["numSuccess"] == 3
    assert found["numFail"] == 1
    assert found["numCacheHit"] == 2
    assert found["numInvalidRequests"] == 3
    assert found["numPending"] == 0
    assert found["numSymbols"] == 4
    assert found["bytes"] == 3 * len(body)
    wait_totals(told, diskUsage=len(body), diskUsageCounting=False)


@pytest.mark.sanitized
def test_sums_of_names(told):
    table = ask(told, "/symbols.json")
    gone = missing(1).name.lower()
    assert set(table) == {"here.pdb", gone, "secret.pdb", "never.pdb"}
    for name, sums in table.items():
        assert set(OF_A_NAME) <= set(sums) and sums["file"] == name
        accepted = sums["numRequests"] - sums["numExcluded"]
        assert sums["numSuccess"] + sums["numFail"] == accepted
        assert sums["numCacheHit"] + sums["numCacheMiss"] == accepted
        assert abs(sums["lastAccessTime"] - time.time()) < 600
    here = table["here.pdb"]
    assert (here["numRequests"], here["numSuccess"], here["numCacheHit"]) == (3, 3, 2)
    assert here["serverHits"] == {"two": 1, "one": 0}
    assert here["serverMisses"] == {"one": 1, "two": 0}
    assert here["totalTimeServicing"] > 0
    assert table[gone]["serverMisses"] == {"one": 1, "two": 1}
    assert table["secret.pdb"]["serverMisses"] == {}
    assert table["secret.pdb"]["numExcluded"] == 1 and table["secret.pdb"]["numCacheHit"] == 0


def test_method_that_is_none_counts_as_invalid(gate):
    assert gate.get(missing(1).path, method="POST").verdict == "invalid"
    wait_totals(gate, numRequests=0, numInvalidRequests=1)
    assert gate.metric('symgate_verdicts_total{verdict="invalid"}') == 1


def test_table_is_limited(told):
    most = ask(told, "/symbols.json?limit=1")
    assert list(most) == ["here.pdb"]
    assert ask(told, f"/symbols.json?since={int(time.time()) + 600}") == {}
    assert len(ask(told, f"/symbols.json?since={int(time.time()) - 600}")) == 4
    assert "limit" in ask(told, "/symbols.json?limit=x", 400)
    assert "since" in ask(told, "/symbols.json?since=-1", 400)


def test_head_tells_the_length(told):
    whole = told.get("/symbols.json")
    first = told.get("/symbols.json", method="HEAD")
    assert first.status == 200 and first.body == b""
    assert first.headers["content-length"] == str(len(whole.body))


def test_names_are_paged_sorted_and_searched(told):
    rows = api(told, "symbols", sort="file", order="asc", limit=2)
    assert rows["total"] == 4 and len(rows["rows"]) == 2
    assert rows["rows"][0]["file"] < rows["rows"][1]["file"]
    rest = api(told, "symbols", sort="file", order="asc", limit=2, offset=2)
    names = [row["file"] for row in rows["rows"] + rest["rows"]]
    assert names == sorted(names) and len(set(names)) == 4
    for field in "numRequests numSuccess numCacheHit bytes".split():
        assert api(told, "symbols", sort=field)["rows"][0]["file"] == "here.pdb"
        assert api(told, "symbols", sort=field, order="asc")["rows"][-1]["file"] == "here.pdb"
    found = api(told, "symbols", search="HERE")
    assert found["total"] == 1 and found["rows"][0]["ids"] == 1


@pytest.mark.parametrize(
    "route",
    [
        "symbols?limit=1001",
        "symbols?limit=-1",
        "symbols?sort=password",
        "symbols?order=up",
        "symbols?offset=a",
        "symbol",
        "history?range=year",
        "requests?before=yesterday",
        "missing?limit=x",
    ],
)
def test_wrong_parameters_are_refused_with_a_sentence(gate, route):
    reason = ask(gate, f"/api/v1/{route}", 400)
    assert len(reason) > 10


def test_one_name(told):
    found = api(told, "symbol", name="Here.PDB")
    (row,) = found["rows"]
    assert found["numRequests"] == 3 and found["ids"] == 1
    assert row["id"] == pdb("Here.pdb").canonical
    assert row["verdict"] == "hit" and row["numCacheHit"] == 2
    ask(told, "/api/v1/symbol?name=unknown.pdb", 404)


def test_missing(told):
    (row,) = api(told, "missing")["rows"]
    assert row["file"] == missing(1).name.lower() and row["numRequests"] == 1


@pytest.mark.parametrize(
    "span, points, step", [("hour", 60, 60), ("day", 96, 900), ("week", 168, 3600), ("month", 120, 21600)]
)
def test_history(told, span, points, step):
    found = api(told, "history", range=span)
    assert found["step_s"] == step and len(found["points"]) == points
    times = [point["at_ms"] for point in found["points"]]
    assert times == list(range(times[0], times[0] + points * step * 1000, step * 1000))
    summed = {v: sum(point["verdicts"][v] for point in found["points"]) for v in VERDICTS}
    assert summed == dict.fromkeys(VERDICTS, 0) | {
        "hit": 2,
        "fetched": 1,
        "absent": 1,
        "excluded": 2,
        "invalid": 3,
    }
    assert sum(point["bytes"] for point in found["points"]) == 3 * len(pdb("Here.pdb").body)
    assert max(point["p95_ms"] for point in found["points"]) > 0


def test_history_of_one_name(told):
    """Drawn from the requests that are kept; what clients try besides is no lookup."""
    found = api(told, "history", range="day", name="Here.PDB")
    assert found["step_s"] == 900 and len(found["points"]) == 96
    summed = {v: sum(point["verdicts"][v] for point in found["points"]) for v in VERDICTS}
    assert summed == dict.fromkeys(VERDICTS, 0) | {"hit": 2, "fetched": 1}
    assert sum(point["bytes"] for point in found["points"]) == 3 * len(pdb("Here.pdb").body)
    for other in ("here.pd", "ere.pdb", "here.pdb/"):
        points = api(told, "history", range="day", name=other)["points"]
        assert not any(sum(point["verdicts"].values()) for point in points)


def test_servers(told):
    one, two = api(told, "servers")
    assert [one["identifier"], two["identifier"]] == ["one", "two"]
    assert (one["found"], one["absent"], one["failed"], one["asked"]) == (0, 2, 0, 2)
    assert (two["found"], two["absent"], two["failed"], two["asked"]) == (1, 1, 0, 2)
    assert two["bytes"] == len(pdb("Here.pdb").body)
    assert one["state"] == "good" and one["rest"] is None and one["last_failure"] is None
    assert one["whitelist"] is None and one["blacklist"] == ["never"]
    assert one["kinds"] and one["forms"] == ["plain"] and one["layout"] == "symstore"
    assert 0 <= one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"]


def test_servers_remote_is_masked(start, origin):
    gate = start(server(origin.url.replace("//", "//user:hush@") + "/?sig=hush"))
    text = gate.get("/api/v1/servers").body.decode()
    assert "hush" not in text and "***" in text


def test_failing_server(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, status(500))
    assert gate.get(symbol.path).verdict == "failed"
    wait_totals(gate, numRequests=1, numFail=1)
    (one,) = api(gate, "servers")
    assert one["failed"] == 1 and "500" in one["last_failure"]["what"]
    (row,) = api(gate, "requests", verdict="failed")["rows"]
    assert row["attempts"][0]["status"] == 500 and row["attempts"][0]["result"] == "failed"


def test_a_verdict_that_there_is_not(gate):
    answer = gate.get("/api/v1/requests?verdict=hits")
    assert answer.status == 400 and b"must be one of" in answer.body and b"hit, " in answer.body
    assert gate.get("/api/v1/requests?verdict=").status == 200


def test_requests(told):
    rows = api(told, "requests")["rows"]
    assert len(rows) == 9
    times = [(row["at_ms"], row["n"]) for row in rows]
    assert times == sorted(times, reverse=True) and len(set(times)) == 9
    excluded = api(told, "requests", verdict="excluded")["rows"]
    assert {row["rule"] for row in excluded} == {"never", "secret"}
    paged = api(told, "requests", limit=4)["rows"]
    for _ in range(2):
        last = paged[-1]
        paged += api(told, "requests", limit=4, before=last["at_ms"], n=last["n"])["rows"]
    assert paged == rows
    fetched = api(told, "requests", verdict="fetched")["rows"]
    assert len(fetched) == 1 and fetched[0]["key"] == pdb("Here.pdb").key
    assert [a["result"] for a in fetched[0]["attempts"]] == ["absent", "found"]
    assert len(api(told, "requests", source="two")["rows"]) >= 2
    assert len(api(told, "requests", search="HERE.PDB")["rows"]) == 5
    assert len(api(told, "requests", client="127.0.0.1")["rows"]) == 9
    assert api(told, "requests", client="127.0.0.2")["rows"] == []
    assert api(told, "requests", before=1)["rows"] == []
    (same,) = api(told, "requests", id=fetched[0]["id"])["rows"]
    assert same == fetched[0]


def test_a_page_of_requests_ends_where_its_answer_is_full(start, origin):
    """Each names every server of a long list; the last row leads on."""
    gate = start(server(origin), *(server("D:\\symbols", f"{n:02}" + '"' * 61) for n in range(62)))
    for n in range(700):
        gate.get(missing(n).path)
    wait_totals(gate, numRequests=700)
    rows, pages, more, after = [], 0, True, {}
    while more:
        answer = gate.get("/api/v1/requests?" + urllib.parse.urlencode({"limit": 1000, **after}))
        assert answer.status == 200, answer.body
        page = json.loads(answer.body)
        rows, pages, more = rows + page["rows"], pages + 1, page["more"]
        after = {"before": rows[-1]["at_ms"], "n": rows[-1]["n"]}
    assert pages > 1 and len({row["n"] for row in rows}) == len(rows) == 700
    assert api(gate, "requests", limit=3)["more"] and not api(gate, "requests", verdict="hit")["more"]


def test_clients_are_kept_as_configured(start, origin):
    gate = start(server(origin), general={"logClients": "none"})
    gate.get(missing(1).path)
    wait_totals(gate, numRequests=1)
    assert api(gate, "requests")["rows"][0]["client"] == ""
    assert b"127.0.0.1" not in (gate.data / "statistics.db").read_bytes()


@pytest.mark.sanitized
def test_overview(told):
    found = api(told, "overview")
    assert found["name"] == "scenario" and found["administrator"] == "nobody"
    assert found["url"] == "http://localhost/"
    assert found["version"] == run("--version").stdout.split()[1]
    assert found["health"] == {"state": "good", "sentence": "All is well.", "cure": ""}
    assert found["servers"] == {"answering": 2, "asked": 2, "total": 2}
    assert found["tiles"]["numRequests"] == 6
    assert found["saved"]["bytes"] == 2 * len(pdb("Here.pdb").body)
    assert 0 < found["disk"]["free"] <= found["disk"]["size"]


def test_health_tells_of_servers(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    origin.on(missing(1).remote, status(503, headers=[("Retry-After", "600")]))
    gate.get(missing(1).path)
    wait_totals(gate, numRequests=1)
    health = api(gate, "overview")["health"]
    assert health["state"] == "warning" and '"one"' in health["sentence"] and health["cure"]
    (one, _) = api(gate, "servers")
    assert one["state"] == "resting" and one["rest"]["cause"] == "asked"
    second.on(missing(2).remote, status(503, headers=[("Retry-After", "600")]))
    gate.get(missing(2).path)
    wait_totals(gate, numRequests=2)
    assert api(gate, "overview")["health"]["state"] == "bad"


def test_a_file_called_as_all_others_are(gate):
    for n in range(3):
        gate.get(missing(n).path)
        gate.get(f"/symbols/(other)/{n:032X}1/(other)")
    wait_totals(gate, numRequests=6)
    pairs = json.loads(gate.get("/symbols.json").body, object_pairs_hook=list)
    assert [name for name, _ in pairs].count("(other)") == 1
    assert sum(dict(row)["numRequests"] for _, row in pairs) == 6
    assert api(gate, "symbol", name="(other)")["numRequests"] == 3


def test_pending(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(300000), at_gate("rest"), send()))
    answer = gate.get_later(symbol.path)
    gate.wait_readers(symbol, 1)
    assert totals(gate)["numPending"] == 1
    first = api(gate, "symbol", name=symbol.name)  # nothing is recorded of it yet
    assert (first["file"], first["numPending"], first["numRequests"], first["rows"]) == (symbol.name, 1, 0, [])
    assert gate.get("/api/v1/symbol?name=other.pdb").status == 404
    (row,) = json.loads(gate.get("/symbols.json").body).values()
    assert (row["file"], row["numPending"], row["numRequests"]) == (symbol.name, 1, 0)
    origin.open("rest")
    assert answer.result().body == symbol.body
    wait_totals(gate, numPending=0, numSuccess=1)
    (row,) = json.loads(gate.get("/symbols.json").body).values()
    assert (row["numPending"], row["numRequests"]) == (0, 1)


def test_a_body_that_is_cut_off_is_a_failure(gate, origin):
    """Nobody has got a file: it proved false, or broke for good."""
    false, broken = pdb("false.pdb", size=1 << 20), pdb("broken.pdb", size=1 << 20)
    origin.on(false.remote, good(pdb("false.pdb", seed=9, size=1 << 20).body))
    origin.on(broken.remote, Script(broken.body, head(), send(1 << 19), reset()))
    for symbol in (false, broken):
        assert gate.get(symbol.path).broken
    told = wait_totals(gate, numRequests=2, numSuccess=0, numFail=2)
    assert told["numCacheHit"] == 0
    rows = api(gate, "requests", verdict="failure")["rows"]
    assert {row["key"].split("/")[0] for row in rows} == {"false.pdb", "broken.pdb"}
    for row in rows:
        assert row["broken"] and row["status"] == 200 and row["reason"]
    assert "symgate_verdicts_total{verdict=\"failed\"} 2" in gate.get("/metrics").body.decode()



@pytest.mark.sanitized
def test_restart_keeps_everything(told):
    before = {path: ask(told, path) for path in ("/statistics.json", "/symbols.json")}
    servers = api(told, "servers")
    requests = api(told, "requests")
    told.restart()
    wait_totals(told, diskUsage=before["/statistics.json"]["diskUsage"])
    assert totals(told) == before["/statistics.json"]
    assert ask(told, "/symbols.json") == before["/symbols.json"]
    assert api(told, "requests") == requests
    assert [s["found"] for s in api(told, "servers")] == [s["found"] for s in servers]


@pytest.mark.sanitized
def test_killed_it_keeps_what_was_written(told):
    before = totals(told)
    told.kill9()
    told.start()
    assert totals(told)["numRequests"] == before["numRequests"]


def written(gate):
    """The requests that the file tells of; a busy machine may write them later than they are answered with."""
    with sqlite3.connect(f"file:{gate.data}/statistics.db?mode=ro", uri=True) as db:
        (rows,) = db.execute("SELECT coalesce(sum(requests), 0) FROM names").fetchone()
    db.close()
    return rows


def test_killed_in_the_middle_the_file_is_whole(make, origin):
    """Whatever it was writing: nothing is damaged, and nothing that was seen written is gone."""
    gate = make(server(origin))
    seen = asked = 0
    for _ in range(5):
        gate.start()
        assert seen <= totals(gate)["numRequests"] <= asked
        for _ in range(40):
            asked += 1
            gate.get(missing(asked).path)
        wait_totals(gate)
        seen = written(gate)
        more = [gate.get_later(missing(asked + n).path) for n in range(1, 100)]
        asked += 99
        more[50].exception()
        gate.kill9()
        for one in more:
            one.exception()
        with sqlite3.connect(gate.data / "statistics.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (rows,) = db.execute("SELECT sum(requests) FROM names").fetchone()
            (ids,) = db.execute("SELECT sum(requests) FROM ids").fetchone()
            assert rows == ids and seen <= rows <= asked
        db.close()
    assert not list(gate.data.glob("*.broken-*"))


@pytest.mark.sanitized
def test_switched_off(start, origin):
    gate = start(server(origin), general={"enableStatistics": False})
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.wait_metric("symgate_requests_total", 1)
    found = totals(gate)
    assert found["enabled"] is False
    assert {name: found[name] for name in TOTALS} == dict.fromkeys(TOTALS, 0)
    assert ask(gate, "/symbols.json") == {"enabled": False}
    assert api(gate, "symbols") == {"total": 0, "rows": []}
    assert api(gate, "requests") == {"rows": [], "more": False}
    assert api(gate, "missing") == {"rows": []}
    assert api(gate, "overview")["enabled"] is False
    assert len(api(gate, "history")["points"]) == 60
    wait_until(lambda: api(gate, "servers")[0]["found"] == 1, "the file to be kept")
    assert not (gate.data / "statistics.db").exists()


def test_later_format_is_refused(make, origin):
    gate = make(server(origin)).start()
    gate.stop()
    with sqlite3.connect(gate.data / "statistics.db") as db:
        db.execute("PRAGMA user_version = 99")
    done = run("serve", "--config", gate.config_path, "--data", gate.data, "--listen", "127.0.0.1:0")
    assert done.returncode != 0
    assert "statistics.db" in done.stderr and "later version" in done.stderr


def test_damaged_file_is_set_aside(make, origin):
    gate = make(server(origin)).start()
    gate.get(missing(1).path)
    gate.stop()
    (gate.data / "statistics.db").write_bytes(b"no database, whatever its name says" * 200)
    gate.start()
    assert list(gate.data.glob("statistics.db.broken-*"))
    wait_until(lambda: "statistics are damaged" in gate.errors(), "the complaint")
    gate.get(missing(1).path)
    wait_totals(gate, numRequests=1)


@pytest.mark.sanitized
def empty(path):
    path.write_bytes(b"")


def overwrite(path):
    with path.open("r+b") as file:
        file.write(bytes(range(256)) * 256)
    path.with_name(path.name + "-wal").unlink()


def take_the_log_away(path):
    path.with_name(path.name + "-wal").unlink()


@pytest.mark.parametrize("damage", [empty, overwrite, take_the_log_away])
def test_damage_while_it_runs_is_seen_by_readers(start, origin, damage):
    """Whoever cannot read has the file looked at: new statistics begin, and totals go on."""
    gate = start(server(origin))
    for symbol in (pdb("a.pdb"), pdb("b.pdb", seed=2)):
        gate.get(symbol.path)
    wait_until(lambda: len(json.loads(gate.get("/symbols.json").body)) == 2, "both names")
    damage(gate.data / "statistics.db")
    wait_until(lambda: [gate.get(path).status for path in ("/api/v1/symbols", "/api/v1/requests")] == [200, 200], "statistics that can be read")
    gate.get(pdb("c.pdb", seed=3).path)
    wait_until(lambda: "c.pdb" in gate.get("/symbols.json").body.decode(), "the new name")
    assert json.loads(gate.get("/statistics.json").body)["numRequests"] == 3
    gate.stop()
    with sqlite3.connect(gate.data / "statistics.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_locked_database_costs_no_request(gate):
    with sqlite3.connect(gate.data / "statistics.db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        gate.get(missing(1).path)
        wait_until(lambda: "statistics cannot be written" in gate.errors(), "the complaint")
        assert totals(gate)["numRequests"] == 1
        assert api(gate, "overview")["health"]["state"] == "warning"
        db.execute("ROLLBACK")
    wait_until(lambda: "statistics are written again" in gate.errors(), "the end of it")
    assert gate.errors().count("statistics cannot be written") == 1
    assert len(ask(gate, "/symbols.json")) == 1


def test_full_disk_costs_no_request(make, origin, small_disk):
    gate = make(server(origin))
    gate.data.symlink_to(small_disk("4m"))
    gate.start()
    filler = gate.data / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    asked = 0
    while "statistics cannot be written" not in gate.errors():
        asked += 1
        assert gate.get(missing(asked).path).verdict == "absent"
    assert totals(gate)["numRequests"] >= asked - 1
    filler.unlink()
    wait_until(lambda: "statistics are written again" in gate.errors(), "the end of it")
    wait_totals(gate, numRequests=asked, lostDetails=0)
    (row,) = ask(gate, "/symbols.json").values()
    assert row["numRequests"] == row["ids"] == asked


@pytest.mark.sanitized
def test_adopted_tree_is_counted(make, origin):
    gate = make(server(origin))
    symbols = [pdb(seed=n) for n in range(3)]
    for symbol in symbols:
        path = gate.cache / symbol.shelved
        path.parent.mkdir(parents=True)
        path.write_bytes(symbol.body)
    gate.start()
    wait_totals(gate, diskUsage=sum(len(s.body) for s in symbols), diskUsageCounting=False)
    gone = symbols[0]
    gate.get(f"/api/v1/forget?name={gone.name}&id={gone.id}", method="POST")
    wait_totals(gate, diskUsage=sum(len(s.body) for s in symbols[1:]))


def test_rights(make, origin, own_address):
    gate = make(server(origin), general={"adminToken": "key"}, args=["--listen", "0.0.0.0:0"])
    gate.start()
    assert api(gate, "rights")["admin"] is True
    gate.address = (own_address, gate.address[1])
    there = api(gate, "rights")
    assert there["admin"] is False and "adminToken" in there["how"]
    with_token = gate.get("/api/v1/rights", headers={"Authorization": "Bearer key"})
    assert json.loads(with_token.body)["admin"] is True


@pytest.mark.parametrize("path", ["/statistics.json", "/symbols.json", "/api/v1/overview", "/api/v1/requests"])
def test_host_is_checked(gate, path):
    assert gate.get(path, host="evil.example").status == 403
    assert gate.get(path, method="POST").status == 405


def test_hostile_names_are_escaped(gate):
    name = '"><script>alert(1)</script>\\.pdb'
    path = "/symbols/" + urllib.parse.quote(f"a{name}".replace("/", "").replace("\\", ""), safe="")
    gate.get(f"{path}/{'A' * 33}/{path.rsplit('/', 1)[1]}")
    wait_totals(gate, numRequests=1)
    assert any("script" in name for name in ask(gate, "/symbols.json"))
    assert api(gate, "requests")["rows"]


@pytest.mark.sanitized
def test_many_names_in_one_table(make, origin):
    """More than one block, and more than one turn of the loop."""
    gate = make(server(origin)).start()
    gate.stop()
    with sqlite3.connect(gate.data / "statistics.db") as db:
        db.executemany(
            "INSERT INTO names VALUES(?, ?, 0, 0, 0, 0, 0, 1000)",
            ((f"name{n:06}.pdb", n + 1) for n in range(20000)),
        )
    gate.start()
    table = ask(gate, "/symbols.json")
    assert len(table) == 20000 and table["name019999.pdb"]["numRequests"] == 20000
    assert list(ask(gate, "/symbols.json?limit=2")) == ["name019999.pdb", "name019998.pdb"]
    assert totals(gate)["numSymbols"] == 20000
    slow = [gate.connect(receive_buffer=4096).ask("/symbols.json") for _ in range(16)]
    assert [one.head().status for one in slow] == [200] * 16
    assert gate.get("/symbols.json").status == 503
    slow[0].close()
    wait_until(lambda: gate.get("/symbols.json").status == 200, "a place")
    for one in slow[1:]:
        one.close()
    for _ in range(4):  # whoever goes away in the middle leaves nothing behind
        gate.ask("/symbols.json").close()
    with gate.ask("/symbols.json") as reader:
        assert reader.head().status == 200
        gate.process.terminate()
        assert json.loads(reader.rest()) == table
    assert gate.wait_exit() == 0
