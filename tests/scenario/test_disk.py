# SPDX-License-Identifier: MIT
"""Disks that are full, read-only or gone, spilling, and kills at any moment."""

import json
import os
import shutil
import subprocess
import threading

import pytest
from conftest import server
from double.origin import (
    CHUNKED,
    Script,
    delay,
    drip,
    gate as at_gate,
    good,
    head,
    ranged_head,
    reset,
    send,
)
from program import wait_until
from symbols import missing, pdb

MIB = 1 << 20


def delivered_not_kept(gate, origin, symbol, script=None):
    origin.on(symbol.remote, script or good(symbol.body))
    answer = gate.fetch(symbol)
    gate.wait_quiet()
    return answer


@pytest.mark.sanitized
def test_full_disk(start, origin, small_disk):
    """Delivered and not kept; header and log say so; what fits is kept again."""
    disk = small_disk("2m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    large, small = pdb("large.pdb", size=8 * MIB), pdb("small.pdb")
    answer = delivered_not_kept(gate, origin, large)
    assert "space" in answer.reason.lower() or "full" in answer.reason.lower(), answer.headers
    gate.check()
    assert gate.metric("symgate_not_kept_total") == 1
    delivered_not_kept(gate, origin, small)
    gate.check(small)
    assert gate.fetch(large).verdict == "fetched"
    assert gate.fetch(small).verdict == "hit"
    assert "large.pdb" in gate.errors()


@pytest.mark.sanitized
def test_disk_that_fills_in_mid_body(start, origin, small_disk):
    """The size is unknown, so nothing was reserved: goes on in a spill file, to every reader."""
    disk = small_disk("2m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    symbol = pdb(size=8 * MIB)
    origin.on(
        symbol.remote, Script(symbol.body, head(length=CHUNKED), send(MIB), at_gate("go"), send())
    )
    first = gate.ask(symbol.path)
    first.head()
    origin.wait_at("go")
    late = gate.ask(symbol.path)
    late.head()
    origin.open("go")
    assert first.rest() == symbol.body
    assert late.rest() == symbol.body
    gate.check()
    lines = wait_until(lambda: [line for line in gate.log_lines() if " 200 " in line and symbol.id in line][1:], "the log")
    assert all("not-kept" in line for line in lines), "known only behind the head, but the log says it"
    assert gate.get(missing(1).path).verdict == "absent"


def test_disk_filled_by_others_in_mid_body(start, origin, small_disk):
    disk = small_disk("8m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    symbol = pdb(size=4 * MIB)
    origin.on(
        symbol.remote, Script(symbol.body, head(length=CHUNKED), send(MIB), at_gate("go"), send())
    )
    first = gate.ask(symbol.path)
    first.head()
    origin.wait_at("go")
    with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(65536))
    origin.open("go")
    assert first.rest() == symbol.body
    gate.check()
    (disk / "filler").unlink()
    gate.fetch(symbol)
    gate.check(symbol)


def test_disk_and_data_folder_full_spills_to_memory(make, origin, small_disk):
    """The spill finds the temporary folder or memory."""
    disk = small_disk("2m")
    gate = make(server(origin), general={"cacheLocation": str(disk / "cache")})
    gate.args = ["--listen", "127.0.0.1:0", "--data", str(disk / "data")]
    gate.start()
    symbol = pdb(size=8 * MIB)
    delivered_not_kept(gate, origin, symbol)
    assert gate.get(missing(1).path).verdict == "absent"
    gate.check()


def test_killed_and_started_on_a_full_disk(make, origin, small_disk):
    """What lies there is served, though nothing can be written any more, not even where it is reached."""
    disk = small_disk("4m")
    gate = make(server(origin), general={"cacheLocation": str(disk / "cache")})
    gate.args = ["--listen", "127.0.0.1:0", "--data", str(disk / "data")]
    gate.start()
    kept, other = pdb("kept.pdb"), pdb("other.pdb")
    for symbol in (kept, other):
        origin.on(symbol.remote, good(symbol.body))
    gate.fetch(kept)
    gate.check(kept)
    gate.kill9()
    with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))
    gate.start()
    assert gate.fetch(kept).verdict == "hit"
    assert gate.fetch(other).verdict == "fetched"
    assert gate.get(missing(1).path).verdict == "absent"
    wait_until(lambda: "by --url alone" in gate.errors(), "the warning")


def test_spill_limit(start, origin, small_disk):
    disk = small_disk("1m")
    gate = start(
        server(origin), general={"cacheLocation": str(disk / "cache"), "spillLimit": "4 MiB"}
    )
    symbol = pdb(size=8 * MIB)
    origin.on(symbol.remote, good(symbol.body))
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed" or answer.broken, answer
    gate.check()
    small = pdb("small.pdb")
    origin.on(small.remote, good(small.body))
    gate.fetch(small)


def test_take_up_reads_back_from_a_spill(start, origin, small_disk):
    """A break in a body that lies half on the shelf and half in a spill file."""
    disk = small_disk("2m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    symbol = pdb(size=8 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CHUNKED), send(5 * MIB), reset()),
        Script(symbol.body, head(length=CHUNKED), send()),
    )
    gate.fetch(symbol)
    gate.check()


def test_free_space_to_be_left(start, origin, small_disk):
    disk = small_disk("64m")
    gate = start(
        server(origin), general={"cacheLocation": str(disk / "cache"), "minFreeSpace": "63 MiB"}
    )
    symbol = pdb(size=2 * MIB)
    delivered_not_kept(gate, origin, symbol)
    gate.check()


@pytest.mark.sanitized
def test_read_only_cache(make, origin, small_disk):
    disk = small_disk("16m")
    gate = make(server(origin), general={"cacheLocation": str(disk / "cache")})
    kept = pdb("kept.pdb")
    (disk / "cache" / kept.shelved).parent.mkdir(parents=True)
    (disk / "cache" / kept.shelved).write_bytes(kept.body)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    gate.start()
    assert gate.fetch(kept).verdict == "hit"
    symbol = pdb()
    answer = delivered_not_kept(gate, origin, symbol)
    assert answer.reason
    gate.check(kept)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)

    def kept_again():
        gate.fetch(symbol)
        gate.wait_quiet()
        return symbol.shelved in gate.shelf_files()

    wait_until(kept_again, "the shelf to be tried again", 60)
    gate.check(kept, symbol)


def test_cache_becomes_read_only_while_running(start, origin, small_disk):
    disk = small_disk("16m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    first, second = pdb(seed=1), pdb(seed=2)
    delivered_not_kept(gate, origin, first)
    gate.check(first)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=False)
    delivered_not_kept(gate, origin, second)
    assert gate.fetch(first).verdict == "hit"


def test_cache_location_is_a_file(make, origin, tmp_path):
    (tmp_path / "file").write_bytes(b"not a folder")
    gate = make(server(origin), general={"cacheLocation": str(tmp_path / "file" / "cache")})
    gate.start()
    symbol = pdb()
    delivered_not_kept(gate, origin, symbol)
    assert gate.fetch(symbol).verdict == "fetched"
    assert gate.get(missing(1).path).verdict == "absent"


def remove_while_written(folder):
    """As `rm -rf` by somebody who insists: what symgate puts there meanwhile goes in the next round."""

    def gone():
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    wait_until(gone, f"{folder} to be gone")


@pytest.mark.sanitized
@pytest.mark.parametrize("made, says", [("file", "directory lies in place of the file"), ("folder", "file lies in place of a folder above")])
def test_place_of_a_file_is_taken(gate, origin, made, says):
    """By what no file can replace: told beforehand, with the cure, and kept once that is gone."""
    symbol = pdb()
    taken = gate.cache / (symbol.shelved if made == "file" else symbol.name)
    if made == "file":
        taken.mkdir(parents=True)
    else:
        taken.write_text("")
    for _ in range(2):
        answer = delivered_not_kept(gate, origin, symbol)
        assert answer.verdict == "fetched" and says in answer.reason and symbol.shelved in answer.reason
    wait_until(lambda: gate.errors().count(" not-kept reason=") == 2, "the records")
    wait_until(lambda: "(Move it out of the cache, or remove it.)" in gate.errors(), "the cure")
    told = json.loads(gate.get(f"/api/v1/explain?path={symbol.path}").body)
    assert says in told["sentence"] and "in the file's place" in told["cure"]
    taken.rmdir() if made == "file" else taken.unlink()
    assert not delivered_not_kept(gate, origin, symbol).reason
    gate.check(symbol)
    assert gate.fetch(symbol).verdict == "hit"


@pytest.mark.sanitized
def test_cache_folder_is_removed_while_running(gate, origin):
    symbol, other = pdb(seed=1), pdb(seed=2)
    for one in (symbol, other):
        origin.on(one.remote, good(one.body))
    gate.fetch(symbol)
    gate.check(symbol)
    remove_while_written(gate.cache)
    gate.fetch(other)
    gate.wait_quiet()
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"

    def kept_again():
        gate.fetch(other)
        gate.wait_quiet()
        return other.shelved in gate.shelf_files()

    wait_until(kept_again, "the shelf to be made again", 60)


def test_cache_folder_is_removed_in_mid_body(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    client = gate.ask(symbol.path)
    client.head()
    origin.wait_at("go")
    remove_while_written(gate.cache)
    origin.open("go")
    assert client.rest() == symbol.body
    gate.fetch(symbol)


def test_file_removed_from_the_shelf_is_fetched_again(gate, origin):
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)
    (gate.cache / symbol.shelved).unlink()

    def again():
        answer = gate.get(symbol.path)
        assert answer.body == symbol.body
        return origin.count() == 2

    wait_until(again, "the removal to be seen", 30)
    gate.check(symbol)


def test_file_replaced_on_the_shelf_is_served_anew(gate, origin):
    """Another program writes the store too: what lies there counts, never a mixture."""
    symbol = pdb(size=MIB)
    other = symbol.body[:5000] + bytes(1000) + symbol.body[6000:] + bytes(4096)
    origin.on(symbol.remote, good(symbol.body))
    first = gate.fetch(symbol)
    gate.check(symbol)
    (gate.cache / "new").write_bytes(other)
    os.rename(gate.cache / "new", gate.cache / symbol.shelved)

    def again():
        answer = gate.get(symbol.path)
        assert answer.body in (symbol.body, other)
        return answer.body == other and answer.etag != first.etag

    wait_until(again, "the new file to be seen")


@pytest.mark.sanitized
def test_staging_is_emptied_at_start(make, origin):
    gate = make(server(origin))
    folder = gate.cache / ".symgate"
    folder.mkdir(parents=True)
    gate.start()
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(MIB), at_gate("go"), send()))
    client = gate.ask(symbol.path)
    client.head()
    client.read(MIB)
    staged = wait_until(gate.staged, "a staging file")
    gate.kill9()
    assert gate.shelf_files() == {}
    if not gate.staged():
        pytest.skip("staged without a name")
    assert staged
    gate.start()
    wait_until(lambda: not gate.staged(), "staging to be emptied")
    origin.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).verdict == "fetched"
    gate.check(symbol)


@pytest.mark.sanitized
@pytest.mark.parametrize("at", [0, 1, 5000, 300_000, MIB, 2 * MIB - 1, 2 * MIB])
def test_kill_while_a_body_arrives(gate, origin, at):
    """Whatever has come, nothing partial is served after a kill."""
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote, Script(symbol.body, ranged_head('"v"'), send(at), at_gate("go"), send())
    )
    client = gate.ask(symbol.path)
    origin.wait_at("go")
    gate.kill9()
    client.close()
    origin.open("go")
    gate.start()
    answer = gate.fetch(symbol)
    assert answer.verdict == ("fetched" if at < len(symbol.body) else answer.verdict)
    gate.check(symbol)


def test_kill_at_any_moment_of_many_small_fetches(gate, origin):
    """Twelve kills, each while two dozen files arrive and are committed."""
    symbols = [pdb("k.pdb", size=40_000 + 30_000 * (n % 7), seed=n) for n in range(24)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
    by_shelf = {s.shelved: s.body for s in symbols}
    for round_number in range(12):
        before = origin.count()
        missing_files = len(symbols) - len(gate.shelf_files())
        clients = [gate.ask(s.path) for s in symbols]
        more = min(round_number + 1, missing_files) if round_number < 8 else 0
        origin.wait_total(before + more)
        gate.kill9()
        for client in clients:
            client.close()
        for path, body in gate.shelf_files().items():
            assert body == by_shelf[path], f"{path} is false after kill {round_number}"
        if round_number % 2:
            shutil.rmtree(gate.cache, ignore_errors=True)
        gate.start()
    for symbol in symbols:
        gate.fetch(symbol)
    gate.check(*symbols)


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [
        "pwrite64",
        "write",
        "pwritev2",
        "fsync,fdatasync",
        "syncfs",
        "renameat,renameat2,rename,linkat",
        "unlinkat",
        "ftruncate",
        "utimensat",
        "fallocate",
    ],
)
def test_kill_at_named_system_calls(gate, origin, call):
    """strace kills the program as it enters the call: before it took effect."""
    if not shutil.which("strace"):
        pytest.skip("no strace here")
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, good(symbol.body))
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:signal=KILL:when=1",
            "-p",
            str(gate.process.pid),
        ],
        stderr=subprocess.PIPE,
    )
    wait_until(
        lambda: "TracerPid:\t0\n"
        not in open(f"/proc/{gate.process.pid}/status", encoding="ascii").read(),
        "strace to attach",
    )
    thread = threading.Thread(target=lambda: try_get(gate, symbol))
    thread.start()
    thread.join(10)
    gate.kill9()
    thread.join(60)
    tracer.wait(30)
    for path, body in gate.shelf_files().items():
        assert (path, body) == (symbol.shelved, symbol.body)
    gate.start()
    gate.fetch(symbol)
    gate.check(symbol)


def try_get(gate, symbol):
    try:
        gate.get(symbol.path)
    except Exception as error:  # the program is killed meanwhile
        print("the client saw", repr(error))


def test_own_cache_of_a_server(start, origin, second, tmp_path):
    """Its files lie there, others in the global cache; both are read."""
    own = tmp_path / "own"
    gate = start(server(origin, cacheLocation=str(own)), server(second, "two"))
    mine, other = pdb("mine.pdb"), pdb("other.pdb")
    origin.on(mine.remote, good(mine.body))
    second.on(other.remote, good(other.body))
    gate.fetch(mine)
    gate.fetch(other)
    gate.check(mine, root=own)
    gate.check(other)
    gate.restart()
    assert gate.fetch(mine).verdict == "hit"
    assert gate.fetch(other).verdict == "hit"


def test_global_cache_is_read_before_the_servers_own(make, origin, tmp_path):
    own = tmp_path / "own"
    gate = make(server(origin, cacheLocation=str(own)))
    first, then = pdb(), pdb()
    then.body = then.body[:-4096] + bytes(4096)
    for root, symbol in ((gate.cache, first), (own, then)):
        (root / symbol.shelved).parent.mkdir(parents=True)
        (root / symbol.shelved).write_bytes(symbol.body)
    gate.start()
    assert gate.get(first.path).body == first.body


def test_slow_fetch_on_a_disk_with_space(start, origin, small_disk):
    disk = small_disk("16m")
    gate = start(server(origin), general={"cacheLocation": str(disk / "cache")})
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, Script(symbol.body, delay(0.1), head(), drip(262144, 0.05)))
    gate.fetch(symbol)
    gate.check(symbol)
    assert gate.fetch(symbol).verdict == "hit"
