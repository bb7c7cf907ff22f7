# SPDX-License-Identifier: MIT
"""Portable PDBs of repeated builds have one id and different contents: a client's SymbolChecksum says which one it
wants. It chooses where there is a choice, and refuses nothing."""

import io
import os
import zipfile

import pytest
from conftest import server
from double.origin import CHUNKED, Script, good, head, send
from symbols import pdb, portable_pdb, portable_sum

MIB = 1 << 20
STALE = [("SymbolChecksum", f"SHA256:{n:064x}") for n in range(100)]


def wants(symbol):
    """As dotnet-symbol: after the sums of what it asked for before."""
    return [*STALE[:3], ("SymbolChecksum", portable_sum(symbol))]


def builds(size=8 * 1024, count=2):
    return [portable_pdb(size=size, seed=seed) for seed in range(count)]


def plain(symbol):
    return good(symbol.body)


def chunked(symbol):
    return Script(symbol.body, head(length=CHUNKED), send())


def zipped(symbol):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(symbol.name, symbol.body)
    return good(out.getvalue())


@pytest.mark.sanitized
@pytest.mark.parametrize("way", [plain, chunked, zipped])
@pytest.mark.parametrize("size", [8 * 1024, 3 * MIB], ids=["small", "large"])
def test_a_later_server_has_the_wanted_build(start, origin, second, way, size):
    other, wanted = builds(size)
    gate = start(server(origin), server(second, "two"))
    origin.on(other.remote, way(other))
    second.on(wanted.remote, way(wanted))
    answer = gate.get(wanted.path, headers=wants(wanted))
    assert answer.status == 200 and answer.body == wanted.body
    assert answer.headers["x-symgate-source"] == "two"
    assert (origin.count(), second.count()) == (1, 1)
    gate.check(wanted)
    # What is kept is served to everybody.
    answer = gate.get(wanted.path, headers=wants(other))
    assert answer.verdict == "hit" and answer.body == wanted.body


def test_nobody_has_the_wanted_build(start, origin, second):
    first, another, wanted = builds(count=3)
    gate = start(server(origin), server(second, "two"))
    origin.on(first.remote, good(first.body))
    second.on(another.remote, good(another.body))
    answer = gate.get(first.path, headers=wants(wanted))
    assert answer.status == 200 and answer.body == first.body
    assert answer.headers["x-symgate-source"] == "one"
    gate.check(first)


def test_stale_sums_refuse_nothing(start, origin, second):
    symbol = portable_pdb()
    gate = start(server(origin), server(second, "two"))
    second.on(symbol.remote, good(symbol.body))
    answer = gate.get(symbol.path, headers=STALE)
    assert answer.status == 200 and answer.body == symbol.body
    other = portable_pdb("other.pdb")
    origin.on(other.remote, good(other.body))
    assert gate.get(other.path, headers=STALE).body == other.body
    gate.check(symbol, other)


def test_servers_are_asked_together(start, origin, second):
    other, wanted = builds()
    gate = start(server(origin, priority=1), server(second, "two", priority=1))
    origin.on(other.remote, good(other.body))
    second.on(wanted.remote, good(wanted.body))
    assert gate.get(wanted.path, headers=wants(wanted)).body == wanted.body


def test_a_directory_has_another_build(start, origin, tmp_path):
    other, wanted = builds()
    path = tmp_path / "store" / other.remote[1:]
    path.parent.mkdir(parents=True)
    path.write_bytes(other.body)
    os.utime(path, (1, 1))
    gate = start(server(tmp_path / "store"), server(origin, "two"))
    origin.on(wanted.remote, good(wanted.body))
    assert gate.get(wanted.path, headers=wants(wanted)).body == wanted.body
    gate.check(wanted)


def test_other_kinds_are_not_chosen_among(start, origin, second):
    symbol = pdb()
    gate = start(server(origin), server(second, "two"))
    origin.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.path, headers=STALE).body == symbol.body
    assert second.count() == 0
