# SPDX-License-Identifier: MIT
"""What the adviser may believe: what a server said as it is asked now, of a time that is known as a whole."""

import contextlib
import json
import os
import shutil
import sqlite3
import time

import pytest
from conftest import server
from double.origin import Script, gate as until, good, head, page, send, status
from program import PROGRAM, run, wait_until
from symbols import Symbol, pdb


def advice(gate):
    return json.loads(gate.get("/api/v1/advice").body)


def patterns(gate, name):
    """What is suggested to be kept from a server."""
    return {one["rule"]["value"] for one in advice(gate) if one["kind"] == "never has" and one["rule"]["server"] == name}


def kinds(gate, name):
    return {one["kind"] for one in advice(gate) if (one["rule"] or {}).get("server") == name}


def missing(prefix, count, first=1):
    return [Symbol(f"{prefix}{n % 5}.pdb", f"{first + n:032X}1", b"") for n in range(count)]


def deny(gate, symbols):
    for symbol in symbols:
        assert gate.get(symbol.path).verdict == "absent"


def recorded(gate, requests):
    wait_until(lambda: json.loads(gate.get("/statistics.json").body)["numRequests"] == requests, "the records")


def change(gate, **keys):
    """The first server, from a reload on."""
    told = gate.errors().count("is in force")
    gate.config["servers"][0].update(keys)
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: gate.errors().count("is in force") > told, "the reload")


def forgotten(gate, name):
    """The requests for it are not kept any more."""
    with contextlib.closing(sqlite3.connect(f"file:{gate.data / 'statistics.db'}?mode=ro", uri=True)) as book:
        wait_until(lambda: book.execute("SELECT count(*) FROM requests WHERE key LIKE ?", (name + "/%",)).fetchone() == (0,), "the cut")


# --- another server under the same name


def test_what_was_said_at_another_address_does_not_count(start, origin, second, third):
    gate = start(server(origin), server(second, "two"))
    deny(gate, missing("game", 200))
    wait_until(lambda: kinds(gate, "one") == {"never has", "useless"}, "the advice")
    change(gate, remote=third.url)
    assert kinds(gate, "one") == set() and kinds(gate, "two") == {"never has", "useless"}
    deny(gate, missing("game", 19, 1000))
    assert kinds(gate, "one") == set()
    deny(gate, missing("game", 1, 2000))
    wait_until(lambda: patterns(gate, "one") == {"(?i)game.*"}, "the new evidence")
    (one,) = [each for each in advice(gate) if each["kind"] == "never has" and each["rule"]["server"] == "one"]
    (two,) = [each for each in advice(gate) if each["kind"] == "never has" and each["rule"]["server"] == "two"]
    assert one["questions"] == third.count() == 20 and one["since_ms"] > two["since_ms"]


@pytest.mark.parametrize("keys", [{"layout": "ssqp"}, {"token": "another"}])
def test_what_was_said_when_asked_otherwise_does_not_count(start, origin, keys):
    gate = start(server(origin))
    deny(gate, missing("game", 20))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    change(gate, **keys)
    assert patterns(gate, "one") == set()


def test_limits_and_filters_leave_the_evidence_alone(start, origin):
    gate = start(server(origin))
    deny(gate, missing("game", 20))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    change(gate, retryTimeout="1h", maxRequests=3, blacklist=["x"])
    assert patterns(gate, "one") == {"(?i)game.*"}


def test_an_order_counts_what_was_said_at_this_address(start, origin, second, third):
    """The noes of an older server do not move the mended one back."""
    gate = start(server(origin), server(second, "two"))
    had = [pdb(f"app{n}.pdb", seed=n) for n in range(24)]
    for symbol in had:
        second.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    wait_until(lambda: "order" in {one["kind"] for one in advice(gate)}, "the advice")
    last_ms = json.loads(gate.get("/api/v1/requests?limit=1").body)["rows"][0]["at_ms"]
    wait_until(lambda: time.time() * 1000 > last_ms + 100, "a moment that is told from that, which is to 50 ms")
    change(gate, remote=third.url)
    new = pdb("new.pdb", seed=99)
    second.on(new.remote, good(new.body))
    gate.fetch(new)
    recorded(gate, 25)
    assert [one for one in advice(gate) if one["kind"] == "order"] == []


# --- what has been forgotten


def test_what_was_found_is_known_when_its_name_is_folded(start, origin):
    gate = start(server(origin), general={"statisticsNames": 100})
    found = [pdb(f"game{n}x.pdb", seed=n) for n in range(3)]
    for symbol in found:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    deny(gate, [Symbol(f"game{n}.pdb", f"{k:032X}1", b"") for n in range(110) for k in range(3)])
    wait_until(lambda: not set(json.loads(gate.get("/symbols.json").body)) & {symbol.name for symbol in found}, "the fold")
    assert "(other)" in json.loads(gate.get("/symbols.json").body)
    assert patterns(gate, "one") and "(?i)game.*" not in patterns(gate, "one")
    for one in advice(gate):
        assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    for symbol in found:
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        gate.fetch(symbol)


def test_a_failure_is_known_over_a_restart_until_it_is_answered(start, origin):
    gate = start(server(origin, breaker={"count": 0}))
    failed = [Symbol("game9.pdb", f"{100 + n:032X}1", b"") for n in range(2)]
    for symbol in failed:
        origin.on(symbol.remote, status(401), status(404))
        assert gate.get(symbol.path).verdict == "failed"
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")
    gate.restart()
    assert "(?i)other.*" in patterns(gate, "one") and "(?i)game.*" not in patterns(gate, "one")
    deny(gate, failed)
    wait_until(lambda: "(?i)game.*" in patterns(gate, "one"), "the answers to count")


def test_a_race_lost_long_ago_is_known(start, origin, second):
    gate = start(server(origin, hedgeAfter="50ms"), server(second, "two"), general={"requestsKept": 1000})
    slow = pdb("gameslow.pdb")
    origin.on(slow.remote, Script(b"", until("never")))
    second.on(slow.remote, good(slow.body))
    gate.fetch(slow)
    deny(gate, missing("game", 40))
    deny(gate, missing("other", 1100))
    forgotten(gate, slow.name)
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")
    origin.open("never")


# --- what nobody has recorded


def test_files_that_are_here_from_before_may_be_anybodys(start, origin, second):
    gate = start(server(origin), server(second, "two"), general={"enableStatistics": False})
    had = [pdb(f"game{n}x.pdb", seed=n) for n in range(3)]
    for symbol in had:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    gate.stop()
    gate.config["general"]["enableStatistics"] = True
    gate.start()
    for symbol in had:
        assert gate.fetch(symbol).verdict == "hit"
    deny(gate, [*missing("game", 40), *missing("other", 200)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one") and "useless" not in kinds(gate, "one")
    assert "useless" in kinds(gate, "two")
    for one in advice(gate):
        if one["rule"]["server"] == "one":
            assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    for symbol in had:
        gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
        gate.fetch(symbol)


def test_a_cache_of_a_symbol_path_may_be_missing(make, origin, tmp_path):
    """It counts as if it were not there: that is no server that is down."""
    gate = make()
    gate.config = None
    path = f"srv*{tmp_path / 'nowhere'}*{origin.url}"
    gate.command = lambda: [str(PROGRAM), "serve", "--sympath", path, "--data", str(gate.data), "--listen", "127.0.0.1:0"]
    gate.start()
    deny(gate, missing("game", 40))
    wait_until(lambda: advice(gate), "the advice")
    assert {one["kind"] for one in advice(gate)} == {"never has"}


# --- what is not whole


def store(tmp_path):
    """A directory that lacks what is asked for, and later has game9.pdb, served in place: nothing of it stays here."""
    root = tmp_path / "store"
    root.mkdir()
    late = pdb("game9.pdb")

    def publish():
        path = root / late.remote[1:]
        path.parent.mkdir(parents=True)
        path.write_bytes(late.body)
        os.utime(path, (time.time() - 100,) * 2)

    return root, late, publish


def without_statistics(gate):
    gate.stop()
    gate.config["general"]["enableStatistics"] = False
    gate.start()


def test_a_time_without_statistics_is_a_gap(start, tmp_path):
    root, late, publish = store(tmp_path)
    gate = start(server(root))
    deny(gate, missing("game", 40))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    without_statistics(gate)
    publish()
    assert gate.get(late.path).verdict == "local"
    gate.stop()
    gate.config["general"]["enableStatistics"] = True
    gate.start()
    assert advice(gate) == []
    deny(gate, missing("other", 40, 1000))
    wait_until(lambda: patterns(gate, "one") == {"(?i)other.*"}, "the new evidence")


@pytest.mark.sanitized
def test_a_crash_is_a_gap(start, tmp_path):
    root, late, publish = store(tmp_path)
    gate = start(server(root))
    deny(gate, missing("game", 40))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    publish()
    assert gate.get(late.path).verdict == "local"
    gate.kill9()
    gate.start()
    assert advice(gate) == []


def test_an_older_file_put_back_is_a_gap(start, tmp_path):
    root, late, publish = store(tmp_path)
    gate = start(server(root))
    deny(gate, missing("game", 40))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    gate.stop()
    shutil.copy(gate.data / "statistics.db", tmp_path / "backup")
    gate.start()
    assert patterns(gate, "one") == {"(?i)game.*"}
    publish()
    assert gate.get(late.path).verdict == "local"
    gate.stop()
    shutil.copy(tmp_path / "backup", gate.data / "statistics.db")
    gate.start()
    assert advice(gate) == []


def test_a_copy_of_the_whole_folder_is_a_gap(start, origin):
    """Its seal is of another file."""
    gate = start(server(origin))
    deny(gate, missing("game", 40))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    gate.stop()
    backup = gate.data.with_name("backup")
    shutil.copytree(gate.data, backup)
    shutil.rmtree(gate.data)
    shutil.copytree(backup, gate.data)
    gate.start()
    assert advice(gate) == []


def test_a_clean_restart_is_no_gap(start, origin):
    """With a layout that is found by itself, which is not known again before the first question."""
    gate = start(server(origin, layout="auto"))
    deny(gate, missing("game", 40))
    wait_until(lambda: patterns(gate, "one") == {"(?i)game.*"}, "the advice")
    for _ in range(2):
        gate.restart()
        assert patterns(gate, "one") == {"(?i)game.*"}
        deny(gate, missing("other", 1, 5000))
    assert patterns(gate, "one") == {"(?i)game.*"}


# --- what is no no


def test_a_no_to_another_spelling_answers_nothing(start, origin):
    """The store minds case."""
    gate = start(server(origin, breaker={"count": 0}))
    failing = pdb("Game9.pdb")
    origin.on(failing.remote, status(500))
    assert gate.get(failing.path).verdict == "failed"
    assert gate.get(failing.spelled(name="game9.pdb").path).verdict == "absent"
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")


def test_a_no_after_something_false_is_none(start, origin):
    """A page in the place of the file, and 404 for its other form."""
    gate = start(server(origin, forms=["plain", "compressed"]))
    hidden = pdb("game9.pdb")
    origin.on(hidden.remote, page())
    assert gate.get(hidden.path).verdict == "failed"
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")


@pytest.mark.parametrize("before, after", [({}, {"forms": ["plain", "compressed"]}), ({"absentStatus": [403]}, {"absentStatus": []}), ({}, {"userAgent": "x/1"})])
def test_what_answers_depend_on_besides(start, origin, before, after):
    gate = start(server(origin, **before))
    deny(gate, missing("game", 20))
    wait_until(lambda: patterns(gate, "one"), "the advice")
    change(gate, **after)
    assert patterns(gate, "one") == set()


# --- whose a file is


@pytest.mark.parametrize("how", ["renamed", "swapped"])
def test_a_file_is_not_its_names(start, origin, second, how):
    """What is kept bears a server's name, which may be another's by now."""
    gate = start(server(origin), server(second, "two"))
    kept = pdb("game9.pdb")
    origin.on(kept.remote, good(kept.body))
    gate.fetch(kept)
    first, other = gate.config["servers"]
    owner = "uno" if how == "renamed" else "two"
    first["identifier"] = first["name"] = owner
    if how == "swapped":
        other["identifier"] = other["name"] = "one"
    change(gate)
    assert gate.fetch(kept).verdict == "hit"
    deny(gate, [*missing("game", 40), *missing("other", 240)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, owner), "the advice")
    assert "(?i)game.*" not in patterns(gate, owner) and "useless" not in kinds(gate, owner)


@pytest.mark.sanitized
def test_what_nobody_has_asked_for_lies_on_its_own_shelf(make, origin, tmp_path):
    own = tmp_path / "own"
    gate = make(server(origin, cacheLocation=str(own)))
    shelved = pdb("game9.pdb")
    path = own / shelved.path[len("/symbols/") :]
    path.parent.mkdir(parents=True)
    path.write_bytes(shelved.body)
    gate.start()
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: "(?i)other.*" in patterns(gate, "one"), "the advice")
    assert "(?i)game.*" not in patterns(gate, "one")
    assert gate.fetch(shelved).verdict == "hit"


def test_a_file_that_is_still_arriving_is_no_loss(start, origin):
    gate = start(server(origin))
    deny(gate, [*missing("game", 40), *missing("other", 40)])
    wait_until(lambda: patterns(gate, "one") == {"(?i)game.*", "(?i)other.*"}, "the advice")
    large = pdb("game9.pdb", size=1 << 20)
    origin.on(large.remote, Script(large.body, head(), send(1 << 19), until("rest"), send()))
    answer = gate.get_later(large.path)
    origin.wait_at("rest")
    wait_until(lambda: patterns(gate, "one") == {"(?i)other.*"}, "the question to be known")
    origin.open("rest")
    assert answer.result(30).status == 200


def test_without_a_book_there_is_no_advice(start, origin):
    gate = start(server(origin))
    deny(gate, missing("game", 40))
    (one,) = wait_until(lambda: advice(gate), "the advice")
    with contextlib.closing(sqlite3.connect(gate.data / "statistics.db", isolation_level=None)) as book:
        book.execute("BEGIN IMMEDIATE")
        late = pdb("game9.pdb")
        origin.on(late.remote, good(late.body))
        gate.fetch(late)
        refused = gate.get(f"/api/v1/advice/apply?id={one['id']}", method="POST")
        assert refused.status == 503 and b"statistics cannot be written" in refused.body
    wait_until(lambda: gate.get("/api/v1/advice").status == 200 and not patterns(gate, "one") & {"(?i)game.*"}, "the file to count")


# --- retry times


def again(gate):
    return [one for one in advice(gate) if one["kind"] == "asked again"]


def poll(gate):
    """A no counts for no time here: each one is a question."""
    for _ in range(4):
        deny(gate, missing("poll", 10))


def test_an_answer_that_is_not_known_may_have_been_a_file(start, origin):
    gate = start(server(origin, retryTimeout=0, breaker={"count": 0}))
    poll(gate)
    wait_until(lambda: again(gate), "the advice")
    late = pdb("late.pdb")
    deny(gate, [late])
    origin.on(late.remote, status(500))
    assert gate.get(late.path).verdict == "failed"
    wait_until(lambda: not again(gate), "the failure to count")


def test_what_came_after_the_client_had_left_counts(start, origin):
    gate = start(server(origin, retryTimeout=0))
    late = pdb("late.pdb")
    deny(gate, [late])
    poll(gate)
    wait_until(lambda: again(gate), "the advice")
    origin.on(late.remote, Script(late.body, until("go"), head(), send()))
    connection = gate.ask(late.path)
    origin.wait_at("go")
    joined = gate.get_later(late.path)
    gate.wait_readers(late, 2)
    connection.close()
    gate.wait_readers(late, 1)
    origin.open("go")
    assert joined.result(30).status == 200
    wait_until(lambda: not again(gate), "the file to count")


def test_a_no_after_something_false_does_not_answer_here_either(start, origin):
    gate = start(server(origin, retryTimeout=0, forms=["plain", "compressed"]))
    poll(gate)
    late = pdb("late.pdb")
    deny(gate, [late])
    wait_until(lambda: again(gate), "the advice")
    origin.on(late.remote, page())
    assert gate.get(late.path).verdict == "failed"
    wait_until(lambda: not again(gate), "the page to count")


def test_a_retry_time_is_suggested_once(start, origin):
    gate = start(server(origin, retryTimeout=0))
    poll(gate)
    (one,) = wait_until(lambda: again(gate), "the advice")
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    assert again(gate) == []


# --- what is in force


def test_what_is_kept_away_is_not_suggested_again(start, origin):
    gate = start(server(origin, retryTimeout=0))
    for n in range(3):
        symbol = pdb(f"app{n}.pdb", seed=n)
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    for _ in range(2):
        deny(gate, missing("other", 110))
    wait_until(lambda: kinds(gate, "one") == {"never has", "has few names", "asked again"}, "the advice")
    (one,) = [each for each in advice(gate) if each["kind"] == "never has"]
    assert run("advise", "--apply", one["id"], "--url", gate.url).returncode == 0
    assert kinds(gate, "one") == set()


def test_a_filter_for_all_withholds_what_is_kept(start, origin):
    gate = start(server(origin))
    kept = pdb("game9.pdb")
    origin.on(kept.remote, good(kept.body))
    for _ in range(4):
        gate.fetch(kept)
    recorded(gate, 4)
    asked = "/api/v1/rules/preview?list=general.blacklist&value=game"
    wait_until(lambda: json.loads(gate.get(asked).body)["day"]["requests"] == 4, "the records")
    assert json.loads(gate.get(asked).body)["lost"] == 4
