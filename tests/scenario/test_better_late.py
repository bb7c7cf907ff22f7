# SPDX-License-Identifier: MIT
"""A later server's file is served at once and kept, until an earlier one has its own."""

import threading
import time

import pytest
from conftest import server
from double.origin import Script, gate as at_gate, good, head, send, status
from program import run, wait_until
from symbols import pdb
from test_directory import put, store  # noqa: F401


def both(size=128 * 1024):
    """The private file, and the stripped one of the same key."""
    private = pdb(size=size)
    stripped = pdb(size=64 * 1024, seed=2, guid=private.id[:32])
    return private, stripped


def until_served(gate, symbol):
    """Every answer on the way is a hit; the last one is this file."""

    def served():
        answer = gate.get(symbol.path)
        assert answer.status == 200 and answer.verdict == "hit" and not answer.broken
        return answer.body == symbol.body

    wait_until(served, "the earlier server's file")


def first_fails(start, origin, second, **more):
    private, stripped = both()
    origin.on(private.remote, status(500))
    second.on(stripped.remote, good(stripped.body))
    gate = start(server(origin, retryTimeout=1, **more), server(second, "two"))
    answer = gate.fetch(stripped)
    assert answer.verdict == "fetched" and answer.headers["x-symgate-source"] == "two"
    assert answer.headers["x-symgate-reason"] == (
        'server "one" could not be asked; its file will be preferred later'
    )
    return gate, private, stripped


@pytest.mark.sanitized
def test_failed_server_is_preferred_later(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    origin.on(private.remote, good(private.body))
    assert "x-symgate-reason" not in gate.fetch(stripped).headers
    until_served(gate, private)
    gate.check(private)
    gate.wait_metric("symgate_renewed_total", 1)  # the mark is gone before that is counted
    asked = origin.count()
    gate.restart()
    for _ in range(3):
        assert gate.fetch(private).verdict == "hit"
    assert origin.count() == asked
    assert gate.metric("symgate_renewals_total") == 0


def test_server_that_comes_later_now_owes_nothing(start, origin, second):
    """The order was wrong, and has been put right: the earlier server's file stays."""
    gate, private, stripped = first_fails(start, origin, second)
    gate.wait_quiet()
    wait_until(lambda: (gate.data / "owed" / "absences").stat().st_size > 32, "the mark")
    origin.on(private.remote, good(private.body))
    gate.stop()
    gate.config["servers"].reverse()
    gate.start()
    asked = origin.count()
    time.sleep(1.2)
    for _ in range(4):
        assert gate.fetch(stripped).verdict == "hit"
        time.sleep(0.1)
    gate.wait_quiet()
    assert origin.count() == asked
    gate.check(stripped)


def test_mark_outlives_a_kill(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    wait_until(gate.shelf_files, "the kept file")
    wait_until(lambda: (gate.data / "owed" / "absences").stat().st_size > 32, "the mark")
    gate.kill9()
    gate.start()
    origin.on(private.remote, good(private.body))
    until_served(gate, private)


def test_mark_lies_there_before_the_file(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    wait_until(gate.shelf_files, "the kept file")
    gate.kill9()
    gate.start()
    origin.on(private.remote, good(private.body))
    until_served(gate, private)


def test_body_under_way_at_the_end_leaves_its_mark(start, origin, second):
    private, _ = both()
    stripped = pdb(size=512 * 1024, seed=2, guid=private.id[:32])
    origin.on(private.remote, status(500))
    second.on(stripped.remote, Script(stripped.body, head(), send(300_000), at_gate("go"), send()))
    gate = start(server(origin, retryTimeout=1), server(second, "two"))
    asked = gate.ask(stripped.path)
    second.wait_at("go")
    asked.head()
    stopping = threading.Thread(target=gate.stop)
    stopping.start()
    wait_until(lambda: "stopping" in gate.errors(), "the end to begin")
    second.open("go")
    assert asked.rest() == stripped.body
    stopping.join()
    assert gate.shelf_files()
    gate.start()
    origin.on(private.remote, good(private.body))
    until_served(gate, private)


def test_server_that_got_another_password_still_owes(start, origin, second):
    """That it was not let in is why the file came from elsewhere."""
    gate, private, stripped = first_fails(start, origin, second)
    wait_until(gate.shelf_files, "the kept file")
    gate.config["servers"][0] |= {"token": "renewed"}
    gate.restart()
    origin.on(private.remote, good(private.body))
    until_served(gate, private)


def test_breakpad_file_is_preferred_later_too(start, origin, second):
    """The file beside it, which has a mark of its own, stays what it is."""
    module = "MODULE Linux x86_64 5A9832E5287241C1838ED98914E9B7FF1 app\n"
    private, stripped = (module + "FUNC 1 2 3 main\n").encode(), (module + "FILE 0 a.c\n").encode()
    path = "/app.pdb/5A9832E5287241C1838ED98914E9B7FF1/app.sym"
    origin.on(path, status(500))
    second.on(path, good(stripped))
    gate = start(server(origin, retryTimeout=1), server(second, "two"))
    answer = gate.get("/symbols" + path)
    assert answer.body == stripped and "preferred later" in answer.reason
    origin.on(path, good(private))
    wait_until(lambda: gate.get("/symbols" + path).body == private, "the earlier server's file")
    gate.wait_quiet()
    assert list(gate.shelf_files().values()) == [private]


def test_its_own_no_ends_it(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    origin.on(private.remote, status(404))

    def asked():
        assert gate.fetch(stripped).verdict == "hit"
        return gate.metric("symgate_source_absent_total", "one") == 1

    wait_until(asked, "the earlier server's no")
    wait_until(lambda: gate.metric("symgate_source_running", "one") == 0, "its end")
    gate.restart()
    asked = origin.count()
    for _ in range(3):
        assert gate.fetch(stripped).verdict == "hit"
    assert origin.count() == asked
    assert gate.metric("symgate_renewals_total") == 0
    gate.check(stripped)


def test_still_failing_it_is_asked_again(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)

    def failed_again():
        assert gate.fetch(stripped).verdict == "hit"
        return gate.metric("symgate_source_failed_total", "one") >= 3

    wait_until(failed_again, "two more failures")
    origin.on(private.remote, good(private.body))
    until_served(gate, private)


def test_hit_does_not_wait(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    origin.on(private.remote, Script(private.body, at_gate("hold"), head(), send()))

    def held():
        assert gate.fetch(stripped).verdict == "hit"
        return origin.count() >= 2

    wait_until(held, "the question in the background")
    origin.wait_at("hold")
    for _ in range(5):
        assert gate.fetch(stripped).verdict == "hit"
    assert gate.metric("symgate_renewals_total") == 1
    origin.open("hold")
    until_served(gate, private)


def test_won_hedge_is_preferred_later(start, origin, second):
    private, stripped = both()
    origin.on(private.remote, Script(private.body, at_gate("hold"), head(), send()))
    second.on(stripped.remote, good(stripped.body))
    gate = start(server(origin, retryTimeout=1, hedgeAfter=0.05), server(second, "two"))
    answer = gate.fetch(stripped)
    assert answer.headers["x-symgate-reason"] == (
        'server "one" had not answered yet; its file will be preferred later'
    )
    origin.on(private.remote, good(private.body))
    until_served(gate, private)
    gate.check(private)


def test_no_earlier_server_no_mark(start, origin, second):
    private, stripped = both()
    second.on(stripped.remote, good(stripped.body))
    origin.default = status(404)
    gate = start(server(origin, retryTimeout=0), server(second, "two"))
    assert "x-symgate-reason" not in gate.fetch(stripped).headers
    for _ in range(3):
        assert gate.fetch(stripped).verdict == "hit"
    assert gate.metric("symgate_renewals_total") == 0
    assert origin.count() == 1


def test_earlier_file_on_a_shelf_of_its_own(start, origin, second, tmp_path):
    own = tmp_path / "own"
    gate, private, _ = first_fails(start, origin, second, cacheLocation=str(own))
    origin.on(private.remote, good(private.body))
    until_served(gate, private)
    wait_until(lambda: not gate.shelf_files(), "the later one's file to go")
    gate.check(private, root=own)
    gate.restart()
    assert gate.fetch(private).verdict == "hit"


def test_earlier_directory_that_comes_back(start, second, store):  # noqa: F811
    private, stripped = both()
    store.rmdir()
    second.on(stripped.remote, good(stripped.body))
    gate = start(server(store, retryTimeout=1), server(second, "two"))
    assert "preferred later" in gate.fetch(stripped).headers["x-symgate-reason"]
    store.mkdir()
    put(store, private)

    def local():
        answer = gate.get(private.path)
        assert answer.status == 200
        assert answer.body == (private if answer.verdict == "local" else stripped).body
        return answer.verdict == "local"

    wait_until(local, "the directory's own file")
    assert not gate.shelf_files()


def test_forgotten_with_the_file(start, origin, second):
    gate, private, stripped = first_fails(start, origin, second)
    wait_until(gate.shelf_files, "the kept file")
    origin.on(private.remote, status(404))
    done = run("forget", stripped.key, "--url", gate.url)
    assert done.returncode == 0, done.stderr
    assert gate.fetch(stripped).verdict == "fetched"
    asked = origin.count()
    gate.restart()
    for _ in range(3):
        assert gate.fetch(stripped).verdict == "hit"
    assert origin.count() == asked
    assert gate.metric("symgate_renewals_total") == 0
