# SPDX-License-Identifier: MIT
"""What was refused can be looked at afterwards: why, from whom, and how it began."""

import gzip
import json
import time

import pytest
from conftest import server
from double.origin import CHUNKED, Script, good, head, page, redirect, send
from program import run, wait_until
from symbols import missing, pdb

ALL = ["plain", "compressed", "pointer"]
LOGIN = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def ask(gate, query="", **how):
    answer = gate.get("/api/v1/quarantine" + query, **how)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def records(gate, count, symbol=None):
    """So many, when they are there: they are noted after the answer."""
    query = f"?name={symbol.name}&id={symbol.id}" if symbol else ""

    def look():
        found = ask(gate, query)
        assert len(found) <= count, found
        return found if len(found) == count else None

    return wait_until(look, f"{count} records")


def begins(record):
    return bytes.fromhex(record["first_bytes"])


def cut(symbol):
    return good(symbol.body[:-5000])


BAD = {
    "page": (lambda s: page(LOGIN), "html", "a web page came", LOGIN),
    "empty": (lambda s: good(b""), "empty", "the body is empty", b""),
    "text": (lambda s: good(b"no such file"), "text", "plain text came", b"no such file"),
    "another file": (lambda s: good(pdb(seed=2).body), "identity", "the file is another one", pdb(seed=2).body),
    "cut in the store": (cut, "length", "the file is cut", pdb().body),
    "cut on the way": (
        lambda s: Script(s.body[:-5000], head(length=CHUNKED), send()),
        "length",
        "the file is cut",
        pdb().body,
    ),
}


@pytest.mark.sanitized
@pytest.mark.parametrize("how", BAD)
def test_refused_bodies(start, origin, how):
    make_script, cause, reason, body = BAD[how]
    gate = start(server(origin, name="first"))
    symbol, began = pdb(), int(time.time())
    script = make_script(symbol)
    origin.on(symbol.remote, script)
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    (record,) = records(gate, 1)
    assert record["key"] == symbol.key and record["part"] is None
    assert record["server"] == "first" and record["url"] == origin.url.rstrip("/") + symbol.remote
    assert record["cause"] == cause and record["reason"].startswith(reason)
    assert began - 1 <= record["first_time"] <= record["time"] <= time.time() + 1  # its clock may be a tick behind
    wait_until(lambda: records(gate, 1)[0]["times"] == origin.count(), "the last take's record")
    assert record["size"] == len(script.body)
    assert begins(record) == body[:256]
    assert gate.metric("symgate_quarantine_refused_total") == origin.count()
    assert gate.metric("symgate_quarantine_records") == 1
    assert gate.metric("symgate_quarantine_lost_total") == 0
    gate.check()


def test_what_was_expanded(start, origin):
    """What came is shown, not what was made of it."""
    gate = start(server(origin, forms=ALL))
    false, damaged = pdb("false.pdb"), pdb("damaged.pdb")
    archive = gzip.compress(pdb(seed=2).body, 1)
    origin.on(false.remote[:-1] + "_", good(archive))
    origin.on(damaged.remote[:-1] + "_", good(archive[:-9]))
    for symbol, cause in ((false, "identity"), (damaged, "length")):
        gate.get(symbol.path)
        (record,) = records(gate, 1, symbol)
        assert record["cause"] == cause and begins(record) == archive[:256]
        assert record["url"].endswith(symbol.remote[:-1] + "_")


def test_page_in_place_of_a_pointer(start, origin):
    gate = start(server(origin, forms=["pointer"]))
    symbol = pdb()
    origin.on(symbol.remote.rsplit("/", 1)[0] + "/file.ptr", page(LOGIN))
    gate.get(symbol.path)
    (record,) = records(gate, 1)
    assert record["cause"] == "html" and begins(record) == LOGIN


def test_file_behind_a_pointer(start, origin):
    """Its own bytes are shown, not the pointer's."""
    gate = start(server(origin, forms=["pointer"]))
    symbol = pdb()
    folder = symbol.remote.rsplit("/", 1)[0]
    origin.on(folder + "/file.ptr", good(b"PATH:x.bin"))
    origin.on(folder + "/x.bin", good(pdb(seed=2).body))
    gate.get(symbol.path)
    (record,) = records(gate, 1)
    assert record["size"] == len(pdb(seed=2).body) and begins(record) == pdb(seed=2).body[:256]


def test_false_file_of_a_directory(start, tmp_path):
    store, symbol = tmp_path / "store", pdb()
    path = store / symbol.remote[1:]
    path.parent.mkdir(parents=True)
    path.write_bytes(pdb(seed=2).body)
    gate = start(server(store))
    assert gate.get(symbol.path).verdict == "failed"
    (record,) = records(gate, 1)
    assert record["cause"] == "identity" and record["url"] == str(path)
    assert record["size"] == path.stat().st_size and begins(record) == pdb(seed=2).body[:256]


def test_the_same_body_is_counted_and_survives_a_kill(start, origin):
    gate = start(server(origin))
    symbol, other = pdb(), pdb("other.pdb")
    origin.on(symbol.remote, page(LOGIN), page(LOGIN), page(LOGIN + b"2"), page(LOGIN))
    origin.on(other.remote, page(LOGIN))
    for times in (1, 2):
        gate.get(symbol.path)
        wait_until(lambda: [r["times"] for r in ask(gate)] == [times], f"{times} times")
    gate.get(other.path)
    gate.get(symbol.path)
    before = records(gate, 3)
    gate.kill9()
    gate.start()
    assert ask(gate) == before
    assert [r["times"] for r in before] == [1, 1, 2]
    gate.get(symbol.path)
    wait_until(lambda: ask(gate)[0]["times"] == 3, "a third time")
    assert len(ask(gate)) == 3
    gate.restart()
    assert [r["times"] for r in ask(gate)] == [3, 1, 1]
    path = gate.data / "quarantine"
    assert path.stat().st_mode & 0o77 == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"format": "symgate quarantine", "version": 1} and len(lines) == 6


def test_good_bodies_and_failures_are_not_refused(start, origin):
    gate = start(server(origin))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"
    assert ask(gate) == [] and gate.metric("symgate_quarantine_refused_total") == 0


def test_one_of_many(start, origin):
    gate = start(server(origin))
    origin.default = page(LOGIN)
    for n in range(5):
        gate.get(missing(n, f"n{n}.pdb").path)
    gate.get(missing(7, "n3.pdb").path)
    all_of_them = records(gate, 6)
    assert len(ask(gate, "?limit=2")) == 2 and ask(gate, "?limit=2") == all_of_them[:2]
    assert ask(gate, "?limit=0") == []
    assert len(ask(gate, "?name=N3.PDB")) == 2
    one = missing(3, "n3.pdb")
    assert [r["key"] for r in ask(gate, f"?name=N3.pdb&id={one.id.lower()}")] == [one.key]
    assert len(ask(gate, f"?id={one.id}")) == 1
    for nonsense in ("?limit=x", "?limit=", "?name=..&id=1", "?name=" + "n" * 300, "?name=%zz"):
        assert gate.get("/api/v1/quarantine" + nonsense).status == 400, nonsense


# --- who sees what -------------------------------------------------------------------------------


def test_first_bytes_need_rights(make, origin, own_address):
    gate = make(
        server(origin), general={"adminToken": "sesame"}, args=["--listen", "0.0.0.0:0"]
    ).start()
    symbol = pdb()
    origin.on(symbol.remote, page(b"<html><script>alert(1)</script>"))
    gate.get(symbol.path)
    (here,) = records(gate, 1)
    assert begins(here).startswith(b"<html><script>")
    forwarded = {"X-Forwarded-For": "1.2.3.4"}
    assert ask(gate, headers=forwarded)[0]["first_bytes"] is None
    assert b"alert(1)" not in gate.get("/", headers=forwarded).body
    shown = gate.get("/").body.decode()
    assert "&lt;script&gt;alert(1)" in shown and "<script>" not in shown
    assert "Refused bodies: 1" in shown and symbol.key in shown
    # A name that leads here from a page of somebody else's.
    assert b"alert(1)" not in gate.get("/", host="evil.example").body
    assert gate.get("/api/v1/quarantine", host="evil.example").status == 403
    assert gate.get("/api/v1/quarantine", method="POST").status == 405
    gate.address = (own_address, gate.address[1])
    (there,) = ask(gate, host=own_address)
    assert there == here | {"first_bytes": None}
    assert b"alert(1)" not in gate.get("/", host=own_address).body
    token = {"Authorization": "Bearer sesame"}
    assert ask(gate, host=own_address, headers=token) == [here]
    assert b"alert(1)" in gate.get("/", host=own_address, headers=token).body


def test_command(start, origin):
    gate = start(server(origin))
    origin.default = page(LOGIN)
    gate.get(pdb().path)
    expected = records(gate, 1)
    done = run("quarantine", "--data", gate.data)
    assert done.returncode == 0 and json.loads(done.stdout) == expected


def test_secrets_are_not_in_it(start, origin, second):
    """Of the server's URL, of where it redirects to, and where the page repeats that."""
    remote = origin.url.replace("//", "//planteduser:plantedpass@").rstrip("/")
    gate = start(server(remote + "?sig=plantedquery", headers={"X-Key": "plantedheader"}))
    symbol = pdb()
    target = second.url.replace("//", "//plantedother:plantedtoo@").rstrip("/") + "/in?sig=plantedsignature"
    origin.on(symbol.remote, redirect(target))
    again = f'<html><form action="{target}&next=plantednext">'.encode()
    second.on("/in", page(again))
    gate.get(symbol.path)
    (record,) = records(gate, 1)
    assert record["reason"].startswith("a login page")
    assert begins(record).startswith(b'<html><form action="http://***') and b"planted" not in begins(record)
    texts = [str(record), str(ask(gate)), gate.get("/").body.decode(), (gate.data / "quarantine").read_text()]
    assert not any("planted" in text for text in texts), texts


def test_newer_file_is_refused_at_the_start(make, origin):
    gate = make(server(origin))
    gate.data.mkdir()
    (gate.data / "quarantine").write_text('{"format": "symgate quarantine", "version": 2}\n')
    gate.launch()
    assert gate.wait_exit() == 1
    assert "newer symgate" in gate.errors()
    gate.clean_exit = False
