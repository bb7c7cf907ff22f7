# SPDX-License-Identifier: MIT
"""Where kept files came from is written down, and can be asked for."""

import hashlib
import json
import time

from conftest import server
from double.origin import good
from program import wait_until
from symbols import elf, missing, pdb, pe


def provenance(gate, symbol):
    answer = gate.get(f"/api/v1/provenance?name={symbol.name}&id={symbol.id}")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_server_url_sum_and_identity(start, origin):
    gate = start(server(origin, name="first"))
    began = int(time.time())
    for symbol, identity in ((pdb(), "PDB 7.0"), (pe(), "PE"), (elf(), "ELF")):
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        (line,) = wait_until(lambda: provenance(gate, symbol), "the line")
        assert line["key"] == symbol.key and line["server"] == "first"
        assert line["url"] == origin.url.rstrip("/") + symbol.remote
        assert line["size"] == len(symbol.body) and began <= line["time"] <= time.time() + 1
        assert line["sha256"] == hashlib.sha256(symbol.body).hexdigest()
        assert line["identity"].startswith(identity)
        assert symbol.id.split("-")[-1].lower() in line["identity"].lower()
    assert provenance(gate, missing(1)) == []


def test_it_survives_a_kill_and_grows(gate, origin):
    symbol = pdb()
    for times in (1, 2):
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        wait_until(lambda: len(provenance(gate, symbol)) == times, "the line")
        gate.kill9()
        gate.start()
        assert len(provenance(gate, symbol)) == times
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    log = gate.cache / ".symgate" / "provenance"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[0]["version"] == 1 and len(lines) == 3


def test_who_may_ask(gate):
    path = "/api/v1/provenance?name=a.pdb&id=" + "A" * 33
    assert gate.get(path).status == 200
    assert gate.get(path, method="POST").status == 405
    assert gate.get(path, headers={"Host": "elsewhere.example"}, host=None).status == 403
    assert gate.get("/api/v1/provenance?name=a.pdb").status == 400
    assert gate.get("/api/v1/provenance?name=..&id=1").status == 400
