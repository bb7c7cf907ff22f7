# SPDX-License-Identifier: MIT
"""Directories as sources: served in place, never outside, and a missing root is no absence."""

import os
import shutil
import subprocess
import time

import pytest
from client import Broken
from conftest import server
from double.origin import good
from program import wait_until
from symbols import missing, pdb, pe

MIB = 1 << 20


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def put(store, symbol, name=None, folder=None, id=None, age=3600):
    path = store / (folder or symbol.name) / (id or symbol.id) / (name or symbol.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(symbol.body)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.sanitized
def test_served_in_place(start, store):
    symbol = pdb()
    put(store, symbol)
    gate = start(server(store))
    for _ in range(3):
        answer = gate.fetch(symbol)
        assert answer.verdict == "local"
    assert answer.headers["content-length"] == str(len(symbol.body))
    gate.check()
    assert gate.get(symbol.path, headers={"If-None-Match": answer.etag}).status == 304
    part = gate.get(symbol.path, headers={"Range": "bytes=100-199"})
    assert part.status == 206 and part.body == symbol.body[100:200]


def test_exact_name_first_then_any_case(start, store):
    lower = pdb("app.pdb")
    upper = pdb("APP.PDB", guid=lower.id[:32])
    upper.body = upper.body[:-100] + bytes(100)
    put(store, lower)
    put(store, upper)
    gate = start(server(store))
    assert gate.get(lower.path).body == lower.body
    assert gate.get(upper.path).body in (lower.body, upper.body)
    gate.restart()
    assert gate.get(upper.path).body == upper.body


def test_any_case(start, store):
    symbol, image = pdb("App.pdb"), pe("Some.Dll")
    put(store, symbol, folder="APP.pdb", name="app.PDB", id=symbol.id.lower())
    put(store, image, folder="some.dll", name="SOME.DLL", id=image.id.upper())
    gate = start(server(store))
    gate.fetch(symbol)
    gate.fetch(image)
    assert gate.get(missing(1).path).verdict == "absent"


def test_absence_is_remembered_and_found_later(start, store):
    gate = start(server(store, retryTimeout=1))
    symbol = pdb()
    assert gate.get(symbol.path).verdict == "absent"
    put(store, symbol)
    wait_until(lambda: gate.get(symbol.path).status == 200, "the retry time")


def test_own_cache_means_copied(start, store, tmp_path):
    symbol = pdb()
    put(store, symbol)
    gate = start(server(store, cacheLocation=str(tmp_path / "own")))
    assert gate.fetch(symbol).verdict == "fetched"
    gate.check(symbol, root=tmp_path / "own")
    assert gate.fetch(symbol).verdict == "hit"
    shutil.rmtree(store / symbol.name)
    assert gate.fetch(symbol).verdict == "hit"


def test_young_file_is_delivered_and_not_kept(start, store, tmp_path):
    symbol = pdb()
    put(store, symbol, age=0)
    gate = start(server(store, cacheLocation=str(tmp_path / "own")))
    gate.fetch(symbol)
    gate.check(root=tmp_path / "own")


def test_file_that_changes_is_served_anew(start, store):
    symbol = pdb(size=MIB)
    path = put(store, symbol)
    gate = start(server(store))
    gate.fetch(symbol)
    new = pdb(size=2 * MIB, seed=2, guid=symbol.id[:32])
    put(store, new, age=1800)

    def anew():
        answer = gate.get(symbol.path)
        assert answer.broken or answer.body in (symbol.body, new.body)
        return answer.body == new.body

    wait_until(anew, "the new file")
    assert path.exists()


def test_file_that_shrinks_while_it_is_read(start, store):
    """A reader never gets a false end of what it was promised."""
    symbol = pdb(size=32 * MIB)
    path = put(store, symbol)
    gate = start(server(store))
    client = gate.connect(receive_buffer=4096).ask(symbol.path)
    client.head()
    client.read(1000)
    os.truncate(path, 4096)
    with pytest.raises(Broken):
        client.rest()
    assert gate.get("/healthz").status == 200


def test_file_replaced_while_it_is_read(start, store):
    symbol = pdb(size=32 * MIB)
    path = put(store, symbol)
    gate = start(server(store))
    client = gate.connect(receive_buffer=4096).ask(symbol.path)
    client.head()
    got = client.read(1000)
    other = store / "other"
    other.write_bytes(bytes(32 * MIB))
    os.rename(other, path)
    try:
        assert got + client.rest() == symbol.body
    except Broken:
        pass


@pytest.mark.sanitized
def test_missing_root_is_a_failure(start, store, tmp_path):
    gate = start(server(tmp_path / "nowhere"))
    answer = gate.get(pdb().path)
    assert answer.verdict == "failed"
    assert "mounted" in answer.reason.lower(), answer.reason
    symbol = pdb()
    put(tmp_path / "nowhere", symbol)
    gate.fetch(symbol)


def test_root_that_goes_away_is_a_failure(start, store):
    gate = start(server(store))
    assert gate.get(missing(1).path).verdict == "absent"
    shutil.rmtree(store)
    assert gate.get(missing(2).path).verdict == "failed"
    assert gate.get(missing(3).path).verdict == "failed"


def test_root_that_was_a_mount_point(make, small_disk):
    """When last in order it was one; now it is an empty folder: not mounted."""
    disk = small_disk("8m")
    symbol = pdb()
    put(disk, symbol)
    gate = make(server(disk))
    gate.start()
    gate.fetch(symbol)
    gate.stop()
    subprocess.run(["umount", "-l", disk], check=True)
    gate.start()
    answer = gate.get(missing(1).path)
    assert answer.verdict == "failed" and "mounted" in answer.reason.lower(), answer
    assert gate.get(symbol.path).verdict == "failed"
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
    put(disk, symbol)
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"


def test_links_are_not_followed(start, store, tmp_path):
    secret = tmp_path / "outside"
    secret.mkdir()
    symbol = pdb()
    put(secret, symbol)
    (store / symbol.name).symlink_to(secret / symbol.name)
    image = pe()
    (store / image.name / image.id).mkdir(parents=True)
    (secret / "image").write_bytes(image.body)
    (store / image.name / image.id / image.name).symlink_to(secret / "image")
    gate = start(server(store))
    for one in (symbol, image):
        answer = gate.get(one.path)
        assert answer.status == 404 and answer.body == b"", one.name


def test_links_below_the_root_are_followed_where_allowed(start, store, tmp_path):
    symbol, image = pdb(), pe()
    put(store, symbol, folder="real.pdb")
    (store / symbol.name).symlink_to("real.pdb")
    (tmp_path / "image").write_bytes(image.body)
    (store / image.name / image.id).mkdir(parents=True)
    (store / image.name / image.id / image.name).symlink_to(tmp_path / "image")
    gate = start(server(store, followLinks=True))
    gate.fetch(symbol)
    assert gate.get(image.path).status == 404, "a link that leads outside"


def test_odd_things_under_a_symbols_name(start, store):
    """A directory, a pipe, an empty file: nothing hangs, nothing is served."""
    names = {}
    for n, kind in enumerate(("folder", "pipe", "empty")):
        symbol = pdb(seed=n)
        path = store / symbol.name / symbol.id / symbol.name
        path.parent.mkdir(parents=True)
        names[kind] = symbol
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(b"")
    gate = start(server(store))
    for kind, symbol in names.items():
        answer = gate.get(symbol.path)
        assert answer.status == 404 and answer.verdict in ("absent", "failed"), kind


def test_directory_then_server(start, store, origin):
    here, there = pdb("here.pdb"), pdb("there.pdb")
    put(store, here)
    origin.on(there.remote, good(there.body))
    gate = start(server(store, "shelf"), server(origin))
    assert gate.fetch(here).verdict == "local"
    assert gate.fetch(there).verdict == "fetched"
    assert origin.count() == 1
    gate.check(there)


def test_large_local_file_to_many(start, store):
    symbol = pdb(size=24 * MIB)
    put(store, symbol)
    gate = start(server(store))
    answers = [gate.get_later(symbol.path) for _ in range(20)]
    for answer in answers:
        assert answer.result().body == symbol.body


def test_forged_paths_do_not_leave_the_directory(start, store, tmp_path):
    (tmp_path / "secret.pdb").write_bytes(b"secret of the house")
    gate = start(server(store))
    for target in (
        "/symbols/..%2f..%2fsecret.pdb",
        "/symbols/%2e%2e/%2e%2e/secret.pdb",
        "/symbols/..%5csecret.pdb/AB/..%5csecret.pdb",
        f"/symbols/{tmp_path}/secret.pdb".replace("/tmp", "/%2ftmp"),
    ):
        answer = gate.get(target)
        assert answer.status in (400, 404) and b"secret of" not in answer.body
