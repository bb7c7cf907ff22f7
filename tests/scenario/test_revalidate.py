# SPDX-License-Identifier: MIT
"""Kept files of directories are compared with what lies there now, and no hit waits for it."""

import gzip
import os

import pytest
from conftest import server
from program import wait_until
from symbols import Symbol, pdb
from test_directory import put, store  # noqa: F401


@pytest.fixture
def own(tmp_path):
    return tmp_path / "own"


def changed(symbol, seed=2, size=64 * 1024):
    """Another build's file under the same key."""
    return pdb(symbol.name, size=size, seed=seed, guid=symbol.id[:32])


def packed(symbol):
    return Symbol(symbol.name, symbol.id, gzip.compress(symbol.body, 1))


def keep(start, store, own, **more):
    symbol = pdb()
    path = put(store, symbol)
    gate = start(server(store, cacheLocation=str(own), **({"revalidate": 0.05} | more)))
    assert gate.fetch(symbol).verdict == "fetched"
    wait_until(lambda: gate.shelf_files(own), "the kept file")
    return gate, symbol, path


def until_served(gate, symbol):
    """Every answer on the way is a hit; the last one is the new file."""

    def served():
        answer = gate.get(symbol.path)
        assert answer.status == 200 and answer.verdict == "hit" and not answer.broken
        return answer.body == symbol.body

    wait_until(served, "the new file")


@pytest.mark.sanitized
def test_changed_file_is_kept_anew(start, store, own):
    gate, symbol, _ = keep(start, store, own)
    new = changed(symbol, size=128 * 1024)
    put(store, new, age=1800)
    until_served(gate, new)
    wait_until(lambda: gate.metric("symgate_renewed_total") == 1, "the renewal's count")
    gate.check(new, root=own)
    gate.restart()
    assert gate.fetch(new).verdict == "hit"


def test_compressed_file_in_the_global_cache(start, store):
    """Nothing but its own mark says whose it is, after a restart too."""
    symbol = pdb()
    new = changed(symbol, size=128 * 1024)
    gate = start(server(store, revalidate=0.05, forms=["plain", "compressed"]))
    put(store, packed(symbol), name="app.pd_")
    assert gate.fetch(symbol).verdict == "fetched"
    wait_until(gate.shelf_files, "the kept file")
    gate.wait_quiet()
    if not os.listxattr(gate.cache / symbol.shelved):
        pytest.skip("the file system here has no extended attributes")
    gate.restart()
    answer = gate.fetch(symbol)
    assert answer.verdict == "hit" and answer.headers["x-symgate-source"] == "one"
    put(store, packed(new), name="app.pd_", age=1800)
    until_served(gate, new)
    gate.check(new)


def test_same_size_and_another_time_is_another_file(start, store, own):
    gate, symbol, _ = keep(start, store, own)
    new = changed(symbol)
    assert len(new.body) == len(symbol.body)
    put(store, new, age=1800)
    until_served(gate, new)


def test_same_file_is_not_read_again(start, store, own):
    gate, symbol, _ = keep(start, store, own)
    read = gate.metric("symgate_source_bytes_total", "one")
    committed = wait_until(lambda: gate.metric("symgate_committed_total"), "the file to be kept")

    def compared():
        assert gate.fetch(symbol).verdict == "hit"
        return gate.metric("symgate_renewals_total") >= 2

    wait_until(compared, "two comparisons")
    assert gate.metric("symgate_renewed_total") == 0
    assert gate.metric("symgate_committed_total") == committed
    assert gate.metric("symgate_source_bytes_total", "one") == read


def test_file_that_is_gone_stays_kept(start, store, own):
    gate, symbol, path = keep(start, store, own)
    path.unlink()

    def told():
        assert gate.fetch(symbol).verdict == "hit"
        return any("no longer has" in line for line in gate.log_lines())

    wait_until(told, "the log line")
    gate.check(symbol, root=own)
    assert gate.fetch(symbol).verdict == "hit"


def test_file_that_may_still_be_written_waits(start, store, own):
    gate, symbol, path = keep(start, store, own)
    new = changed(symbol)
    put(store, new, age=0)

    def compared():
        assert gate.fetch(symbol).verdict == "hit"
        return gate.metric("symgate_renewals_total") >= 1

    wait_until(compared, "a comparison")
    os.utime(path, (1700000000, 1700000000))
    until_served(gate, new)


def test_false_file_changes_nothing(start, store, own):
    gate, symbol, _ = keep(start, store, own)
    put(store, symbol.spelled()).write_bytes(b"<!doctype html><html>no symbol</html>" * 100)
    os.utime(store / symbol.name / symbol.id / symbol.name, (1700000000, 1700000000))

    def compared():
        assert gate.fetch(symbol).verdict == "hit"
        return gate.metric("symgate_source_failed_total", "one") >= 1

    wait_until(compared, "a comparison")
    gate.check(symbol, root=own)


@pytest.mark.parametrize("never", [0, None])
def test_never(start, store, own, never):
    gate, symbol, _ = keep(start, store, own, revalidate=never)
    put(store, changed(symbol), age=1800)
    for _ in range(20):
        assert gate.fetch(symbol).verdict == "hit"
    gate.restart()
    assert gate.fetch(symbol).verdict == "hit"
    assert gate.metric("symgate_renewals_total") == 0


def test_after_a_restart_it_is_compared_at_once(start, store, own):
    gate, symbol, _ = keep(start, store, own, revalidate=3600)
    new = changed(symbol)
    put(store, new, age=1800)
    assert gate.fetch(symbol).verdict == "hit"
    assert gate.metric("symgate_renewals_total") == 0
    gate.restart()
    until_served(gate, new)
