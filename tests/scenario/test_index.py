# SPDX-License-Identifier: MIT
"""Servers that publish what they have (SymStore's 000Admin) are asked for nothing else."""

import itertools
import os
import pathlib
import time

import pytest
from conftest import server
from double.origin import Script, gate as at_gate, good, head, send
from program import wait_until
from symbols import pdb, pe

FILES = "symgate_source_index_files"
FAILURES = "symgate_source_index_failures_total"
SPARED = 'symgate_source_index_spared_total{source="one"}'
LEARNED = "symgate_absences_learned_total"
HOUR = "1h"
NOBODYS = (pdb(f"none{n}.pdb").path for n in itertools.count())  # what no server has


def line(symbol):
    return f'"{symbol.name}\\{symbol.id}","\\\\build\\{symbol.name}"\r\n'


def live(numbers):
    return "".join(f'{n:010},add,file,06/14/24,12:00:00,"p","1","",\r\n' for n in numbers)


class Store:
    """A symbol store in a folder, kept as SymStore keeps it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.transactions = 0

    def write(self, path, text):
        """Long ago, as it seems: what has just changed is never taken for the same again."""
        target = self.folder / "000Admin" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        old = time.time() - 1000 + self.transactions
        os.utime(target, (old, old))

    def put(self, symbol):
        """The file alone, which no transaction knows of."""
        target = self.folder / symbol.remote[1:]
        target.parent.mkdir(parents=True)
        target.write_bytes(symbol.body)
        os.utime(target, (1, 1))

    def add(self, *symbols):
        for symbol in symbols:
            self.put(symbol)
        self.transactions += 1
        self.write(f"{self.transactions:010}", "".join(map(line, symbols)))
        self.write("lastid.txt", f"{self.transactions:010}")
        self.write("server.txt", live(range(1, self.transactions + 1)))



def ask_until_read(gate, files=1, source="one"):
    """The index is read when something is asked for, after it."""

    def read():
        assert gate.get(next(NOBODYS)).verdict == "absent"
        return gate.metric(FILES, source) == files

    wait_until(read, f"{files} files in the index")


@pytest.mark.sanitized
def test_only_what_is_listed_is_asked_for(start, nginx):
    url, www, log = nginx
    has, lacks, unlisted = pdb("has.pdb"), pdb("lacks.pdb"), pdb("unlisted.pdb")
    store = Store(www)
    store.add(has)
    store.add(pe("other.dll"))
    store.put(unlisted)
    gate = start(server(url, index="000Admin", indexRefresh=HOUR, forms=["plain", "compressed", "pointer"]))
    ask_until_read(gate, 2)
    before = log.read_text().count("\n")
    spared, learned = (gate.metric(name) for name in (SPARED, LEARNED))
    for _ in range(2):
        answer = gate.get(lacks.path)
        assert answer.status == 404 and answer.verdict == "absent", answer
        assert gate.get(unlisted.path).verdict == "absent"
    gate.fetch(has)
    asked = log.read_text().splitlines()[before:]
    assert len(asked) == 1 and has.remote in asked[0], asked
    assert gate.metric(SPARED) == spared + 4
    assert gate.metric(LEARNED) == learned  # an index is asked again, and no absence
    gate.check(has)


def test_a_new_file_is_found(start, nginx):
    """The list is asked for under a condition, and only new transactions are read."""
    url, www, log = nginx
    first, second = pdb("first.pdb"), pdb("second.pdb")
    store = Store(www)
    store.add(first)
    gate = start(server(url, index="000Admin", indexRefresh=1))
    ask_until_read(gate, 1)

    def asked_again():
        gate.get(next(NOBODYS))
        return 'server.txt HTTP/1.1" 304' in log.read_text()

    wait_until(asked_again, "the list was asked for again")
    store.add(second)
    ask_until_read(gate, 2)
    assert log.read_text().count('0000000001 HTTP/1.1" 200') == 1
    gate.fetch(second)
    gate.fetch(first)


def test_another_server_has_what_is_not_listed(start, nginx, origin):
    url, www, _ = nginx
    listed, symbol = pdb("listed.pdb"), pdb("elsewhere.pdb")
    Store(www).add(listed)
    origin.on(symbol.remote, good(symbol.body))
    gate = start(server(url, index="000Admin", indexRefresh=HOUR), server(origin, "two"))
    ask_until_read(gate, 1)
    asked = gate.metric("symgate_source_asked_total", "one")
    assert gate.fetch(symbol).headers["x-symgate-source"] == "two"
    assert gate.metric("symgate_source_asked_total", "one") == asked


@pytest.mark.sanitized
def test_a_broken_index_is_none(start, origin):
    """Every question is put, and the log says why, once; repaired, it counts."""
    symbol, other = pdb(), pdb("other.pdb")
    origin.on("/000Admin/lastid.txt", good(b"0000000001"))
    origin.on("/000Admin/server.txt", good(b"<html>under construction</html>"))
    origin.on("/000Admin/0000000001", good(line(symbol).encode()))
    for each in (symbol, other):
        origin.on(each.remote, good(each.body))
    gate = start(server(origin, index="000Admin", indexRefresh=1))
    gate.fetch(other)

    def failed_twice():
        gate.get(next(NOBODYS))
        return gate.metric(FAILURES, "one") >= 2

    wait_until(failed_twice, "two failures")
    gate.fetch(symbol)
    told = [entry for entry in gate.log_lines() if "published no index" in entry]
    assert len(told) == 1 and 'server "one"' in told[0], told
    assert 'line 1 of "000Admin/server.txt"' in told[0], told
    origin.on("/000Admin/server.txt", good(live([1]).encode()))
    ask_until_read(gate, 1)
    wait_until(lambda: any("its index was read; files listed: 1" in entry for entry in gate.log_lines()), "it is told")


def test_a_server_without_an_index_is_asked_for_everything(start, origin):
    symbol = pdb()
    gate = start(server(origin, index="000Admin"))
    assert gate.get(symbol.path).verdict == "absent"
    gate.wait_metric(FAILURES, 1, "one")
    other = pdb("other.pdb")
    origin.on(other.remote, good(other.body))
    gate.fetch(other)
    assert origin.count("/000Admin/lastid.txt") == 1  # and again after ten minutes


def test_an_index_holds_nobody_up(start, origin):
    """Not even where there is one place only; and it does not hold up the end."""
    origin.on("/000Admin/lastid.txt", Script(b"0000000001", at_gate("index"), head(), send()))
    gate = start(server(origin, index="000Admin", maxRequests=1))
    for symbol in (pdb("a.pdb"), pdb("b.pdb"), pdb("c.pdb")):
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    origin.wait_at("index")
    symbol = pdb("d.pdb")
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.stop()


@pytest.mark.parametrize("layout", ["auto", "symstore"])
def test_a_directory_has_one_too(start, tmp_path, layout):
    listed, unlisted = pdb("listed.pdb"), pdb("unlisted.pdb")
    store = Store(tmp_path / "store")
    store.add(listed)
    store.put(unlisted)
    gate = start(server(store.folder, index="000Admin", indexRefresh=HOUR, layout=layout))
    ask_until_read(gate, 1)
    assert gate.get(unlisted.path).verdict == "absent"
    assert gate.fetch(listed).verdict == "local"


def test_a_reload_keeps_the_index(start, origin):
    symbol = pdb()
    origin.on("/000Admin/lastid.txt", good(b"0000000001"))
    origin.on("/000Admin/server.txt", good(live([1]).encode()))
    origin.on("/000Admin/0000000001", good(line(symbol).encode()))
    gate = start(server(origin, index="000Admin", indexRefresh=HOUR))
    ask_until_read(gate, 1)
    gate.hang_up()
    wait_until(lambda: any("is in force" in entry for entry in gate.log_lines()), "the reload")
    before = origin.count()
    assert gate.get(pdb("none.pdb").path).verdict == "absent"
    assert origin.count() == before
    assert gate.metric(FILES, "one") == 1
