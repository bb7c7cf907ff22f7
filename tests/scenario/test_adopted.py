# SPDX-License-Identifier: MIT
"""Files that another program put on a shelf: served when they are what their names say, and only then."""

import json
import os
import time

import pytest
from conftest import server
from double.origin import good
from program import wait_until
from symbols import Symbol, elf, pdb, pe


def put(root, symbol, path=None, age=3600):
    path = root / (path or symbol.shelved)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(symbol.body)
    touch(path, age)
    return path


def touch(path, age):
    then = time.time() - age
    os.utime(path, (then, then))


def told(gate, path):
    return [line for line in gate.log_lines() if str(path) in line and "not what its name says" in line]


@pytest.mark.sanitized
@pytest.mark.parametrize("make_symbol", [pdb, pe, elf])
def test_adopted_files_are_checked_once(make, origin, make_symbol):
    symbol = make_symbol()
    gate = make(server(origin))
    put(gate.cache, symbol)
    gate.start()
    for _ in range(3):
        answer = gate.fetch(symbol)
        assert answer.verdict == "hit"
    assert gate.metric("symgate_shelf_checks_total") == 1
    assert gate.metric("symgate_shelf_false_total") == 0
    assert origin.count() == 0


@pytest.mark.sanitized
@pytest.mark.parametrize("true, other", [(pdb(), pdb(seed=2)), (pe(), pe(seed=2)), (elf(), elf(seed=2))])
def test_false_file_is_left_out_and_replaced(make, origin, true, other):
    gate = make(server(origin))
    path = put(gate.cache, Symbol(true.name, true.id, other.body))
    gate.start()
    assert gate.get(true.path).verdict == "absent"
    assert gate.get(true.path).verdict == "absent"
    assert gate.metric("symgate_shelf_checks_total") == 1
    assert gate.metric("symgate_shelf_false_total") == 1
    wait_until(lambda: told(gate, path), "the line in the log")
    assert len(told(gate, path)) == 1
    gate.get(f"/api/v1/forget?name={true.name}&id={true.id}", method="POST")
    assert not path.exists()
    put(gate.cache, Symbol(true.name, true.id, other.body))
    origin.on(true.remote, good(true.body))
    assert gate.fetch(true).verdict == "fetched"
    gate.check(true)
    assert gate.fetch(true).verdict == "hit"


def test_cut_and_foreign_files_are_left_out(make, origin):
    cut, page, other = pdb("cut.pdb"), pe("page.dll"), Symbol("notes.dat", "x-y", b"\1\2\3" * 99)
    gate = make(server(origin))
    put(gate.cache, Symbol(other.name, other.id, b"<html>log in</html>"))
    put(gate.cache, Symbol(cut.name, cut.id, cut.body[:-5000]))
    put(gate.cache, Symbol(page.name, page.id, b"<html>log in</html>"))
    gate.start()
    told = json.loads(gate.get(f"/api/v1/explain?name={cut.name}&id={cut.id}").body)["now"]
    assert told["shelves"][0]["state"] == "false" and "is cut" in told["shelves"][0]["sentence"]
    for symbol in (cut, page, other):
        origin.on(symbol.remote, good(symbol.body))
    for symbol in (cut, page, other):
        assert gate.fetch(symbol).verdict == "fetched"
    gate.check(cut, page, other)
    for symbol in (cut, page, other):
        assert gate.fetch(symbol).verdict == "hit"


def test_kept_file_that_is_written_into_is_noticed(make, origin):
    """It is the same file, and open: its time tells."""
    symbol, other = pdb(), pdb(seed=2)
    origin.on(symbol.remote, good(symbol.body))
    gate = make(server(origin)).start()
    gate.fetch(symbol)
    gate.wait_quiet()
    assert gate.fetch(symbol).verdict == "hit"
    time.sleep(0.2)  # it was looked at just now
    with open(gate.cache / symbol.shelved, "r+b") as file:
        file.write(other.body)
    for _ in range(3):
        assert gate.fetch(symbol).body == symbol.body
    gate.check(symbol)


def test_file_that_changes_is_checked_again(make, origin):
    symbol, other = pdb(), pdb(seed=2)
    gate = make(server(origin))
    path = put(gate.cache, symbol)
    gate.start()
    assert gate.fetch(symbol).verdict == "hit"
    path.unlink()
    put(gate.cache, Symbol(symbol.name, symbol.id, other.body), age=1800)
    origin.on(symbol.remote, good(symbol.body))
    # What was seen a moment ago is served for some seconds without another look.
    wait_until(lambda: gate.get(symbol.path).verdict == "fetched", "the change", 20)
    assert gate.metric("symgate_shelf_false_total") == 1
    gate.check(symbol)


def test_what_was_fetched_is_not_checked_before_a_restart(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).verdict == "fetched"
    assert gate.fetch(symbol).verdict == "hit"
    assert gate.metric("symgate_shelf_checks_total") == 0
    gate.restart()
    assert gate.fetch(symbol).verdict == "hit"
    assert gate.metric("symgate_shelf_checks_total") == 1


def test_kinds_that_are_not_known_are_taken_as_they_are(make, origin):
    symbol = Symbol("notes.dat", "0123abcd", b"anything at all")
    gate = make(server(origin))
    put(gate.cache, symbol)
    gate.start()
    assert gate.fetch(symbol).verdict == "hit"


def test_two_tier_shelf(make, origin):
    """It is read, and goes on as one."""
    lower, upper, fetched = pdb("app.pdb"), pe("Lib.DLL"), pdb("new.pdb")
    gate = make(server(origin))
    put(gate.cache, lower, "ap/" + lower.shelved)
    put(gate.cache, upper, f"LI/Lib.dll/{upper.id.lower()}/LIB.DLL")
    (gate.cache / "index2.txt").write_bytes(b"")
    origin.on(fetched.remote, good(fetched.body))
    gate.start()
    for symbol in (lower, upper):
        assert gate.fetch(symbol).verdict == "hit"
    assert gate.fetch(fetched).verdict == "fetched"
    gate.wait_quiet()
    assert (gate.cache / "ne" / fetched.shelved).read_bytes() == fetched.body
    gate.restart()
    for symbol in (lower, upper, fetched):
        assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 1


def test_first_hit_after_a_start_with_many_files(make, origin):
    """Nothing is checked before it is asked for."""
    gate = make(server(origin))
    symbol = pdb(size=9 * 4096)
    put(gate.cache, symbol)
    for n in range(2000):
        put(gate.cache, Symbol(f"n{n}.dat", "0", b"x"))
    gate.start()
    assert gate.fetch(symbol).verdict == "hit"
    assert gate.metric("symgate_shelf_checks_total") == 1
