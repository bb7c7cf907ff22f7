# SPDX-License-Identifier: MIT
"""The fault loop: a program whose n-th system call of a kind fails, then its n+1-th, until a run passes without
reaching one. Whatever fails, nothing false is told, sent or kept, and the next start is as if nothing had been."""

import os
import signal

import pytest
from client import Broken
from conftest import server
from double.origin import good
from program import PROGRAM, Program
from symbols import pdb, pe

FAULTY = PROGRAM.with_name("symgate-fault")
LARGE, SMALL = pdb("large.pdb", size=1024 * 1024), pe("small.dll", size=8 * 1024)
TRIES = 3

# What can go wrong in the field: disks that are full or broken, descriptors and memory used up, short writes.
TRANSIENT = ["pwrite:ENOSPC", "pwrite:EIO", "pwrite:short", "write:EIO", "write:short", "fsync:EIO",
             "fdatasync:EIO", "renameat:EIO", "unlinkat:EIO", "mkdirat:ENOSPC",
             "openat:EMFILE", "openat2:EMFILE", "openat2:EIO", "fallocate:ENOSPC", "fallocate:EOPNOTSUPP",
             "ftruncate:EIO", "pread:EIO", "preadv2:EIO", "preadv2:EOPNOTSUPP", "sendfile:EIO", "sendfile:short",
             "send:ECONNRESET", "send:short", "sendmsg:ECONNRESET", "accept4:EMFILE", "accept4:ECONNABORTED"]
PERSISTENT = ["pwrite:ENOSPC", "pwrite:short", "fsync:EIO", "renameat:EROFS", "mkdirat:EROFS",
              "openat2:EIO", "fallocate:ENOSPC", "send:short", "sendfile:short"]


class Faulty(Program):
    def __init__(self, folder, origin, fault=None):
        config = {"general": {"cacheLocation": str(folder / "cache"), "minFreeSpace": 0, "workers": 1},
                  "servers": [server(origin)]}
        super().__init__(folder, config, env={"SYMGATE_FAULT": fault} if fault else {})

    def command(self):
        return [str(FAULTY), *super().command()[1:]]

    def struck(self):
        return "fault: call" in self.errors()


def starts(gate):
    """Whether it serves; a fault at its start may end it, with a sentence and an exit code."""
    try:
        gate.start()
        return True
    except AssertionError:
        assert gate.wait_exit() in (1, 2), gate.errors()
        said = [line for line in gate.errors().splitlines() if not line.startswith("fault:")]
        assert said, "it ended without a word"
        gate.process = None
        return False


def ask(gate, symbol):
    """Whether the symbol came whole; nothing false may come, and no absence be told."""
    try:
        answer = gate.get(symbol.path)
    except (Broken, ConnectionError):
        return False
    if answer.broken:
        return False
    if answer.status == 200:
        assert answer.body == symbol.body
        return True
    assert answer.verdict != "absent", answer
    return False


def shelf_is_true(gate):
    whole = {symbol.shelved: symbol.body for symbol in (LARGE, SMALL)}
    for path, body in gate.shelf_files().items():
        assert whole.get(path) == body, f"{path} was kept, and is false"


def served_after_restart(folder, origin):
    gate = Faulty(folder, origin)
    gate.start()
    for symbol in (LARGE, SMALL):
        gate.fetch(symbol)
    gate.check(LARGE, SMALL)
    gate.end()


def forget_pages(gate):
    """The shelf's files leave the memory of the system: what is sent next has to be read first."""
    for path in gate.cache.rglob("*.*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run_with(folder, origin, fault, tries):
    """A run of fetches, then one of hits; whether the fault struck in one of them. Of the hits the
    first ones have to be read from the disk, the last one lies in memory."""
    folder.mkdir()
    gate = Faulty(folder, origin, fault)
    for _ in range(2):
        if starts(gate):
            asked = (LARGE, SMALL, SMALL)
            came = [any(ask(gate, symbol) for _ in range(tries)) for symbol in asked]
            assert all(came) or "persistent" in fault, gate.errors()
            gate.stop()
        forget_pages(gate)
    shelf_is_true(gate)
    if not gate.struck():
        return False
    served_after_restart(folder, origin)
    return True


def each_nth(most_in_a_row=24):
    """1, 2, 3, …: every one at first, then in growing steps."""
    nth = 1
    while True:
        yield nth
        nth += max(1, (nth - most_in_a_row) // 3)


@pytest.fixture
def stocked(origin):
    for symbol in (LARGE, SMALL):
        origin.on(symbol.remote, good(symbol.body, modified=1704164645))
    return origin


@pytest.mark.parametrize("fault", TRANSIENT)
def test_one_failing_call(tmp_path, stocked, fault):
    call, error = fault.split(":")
    for nth in each_nth():
        if not run_with(tmp_path / str(nth), stocked, f"{call}:{nth}:{error}", TRIES):
            assert nth > 1, "the program never makes this call"
            return


@pytest.mark.parametrize("fault", PERSISTENT)
def test_calls_that_fail_from_then_on(tmp_path, stocked, fault):
    call, error = fault.split(":")
    for nth in each_nth(8):
        if not run_with(tmp_path / str(nth), stocked, f"{call}:{nth}:{error}:persistent", 1):
            assert nth > 1, "the program never makes this call"
            return


@pytest.mark.parametrize("call", ["malloc", "calloc", "realloc"])
def test_memory_that_runs_out(tmp_path, stocked, call):
    """Small allocations end the program, by design; then the next start must find nothing false."""
    for nth in each_nth(1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        gate = Faulty(folder, stocked, f"{call}:{nth}:ENOMEM")
        gate.clean_exit = False
        try:
            gate.start()
            for symbol in (LARGE, SMALL):
                ask(gate, symbol)
            gate.stop()
        except (AssertionError, OSError):
            assert gate.wait_exit() in (1, 2, -signal.SIGABRT), gate.errors()
        shelf_is_true(gate)
        if not gate.struck():
            assert nth > 1
            return
        served_after_restart(folder, stocked)
