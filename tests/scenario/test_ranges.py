# SPDX-License-Identifier: MIT
"""Long files over several connections: faster where that helps, whole in every case."""

import json

import pytest
from conftest import server
from double.paced import Paced
from program import wait_until
from symbols import missing, pdb

MIB = 1 << 20
SYMBOL = None


@pytest.fixture
def symbol():
    """128 MiB, made once."""
    global SYMBOL  # noqa: PLW0603
    SYMBOL = SYMBOL or pdb(size=128 * MIB)
    return SYMBOL


@pytest.fixture
def paced(symbol):
    made = []

    def build(rate=16 * MIB, **more):
        made.append(Paced(symbol.body, rate, **more))
        return made[-1]

    yield build
    for one in made:
        one.stop()


def counted(gate, what):
    return gate.metric(f"symgate_source_ranges{what}_total", "one")


def test_a_server_that_slows_each_connection_is_asked_over_several(start, paced, symbol):
    remote = paced()
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert counted(gate, "") == len(remote.bounded()) > 4
    assert counted(gate, "_given_up") == counted(gate, "_taken_up") == 0
    assert gate.metric("symgate_source_running", "one") == 0


def test_a_switched_off_one_is_asked_once(start, paced, symbol):
    remote = paced(32 * MIB)
    gate = start(server(remote.url, parallelRanges=1))
    gate.fetch(symbol)
    gate.check(symbol)
    assert remote.asked == [None]


def test_no_place_no_range(start, paced, symbol):
    remote = paced(32 * MIB)
    gate = start(server(remote.url, maxRequests=1))
    gate.fetch(symbol)
    gate.check(symbol)
    assert remote.asked == [None]


def test_a_server_without_ranges_is_asked_once(start, paced, symbol):
    remote = paced(32 * MIB, ranges=False)
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert remote.asked == [None]


@pytest.mark.parametrize("how", ["200", "503"])
def test_a_refused_range_costs_nothing(start, paced, symbol, how):
    remote = paced()
    remote.answer_range = lambda *_: how
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert len(remote.asked) == 2 and counted(gate, "_given_up") == 1


def test_a_broken_range_is_taken_up_by_itself(start, paced, symbol):
    remote = paced()
    remote.answer_range = lambda number, *_: "cut" if number in (1, 4) else None
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert counted(gate, "_taken_up") == 2
    assert gate.metric("symgate_take_ups_total") == 0


def test_where_all_share_one_line_one_connection_stays(start, paced, symbol):
    remote = paced(24 * MIB, shared=True)
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert remote.asked[-1].endswith("-") and counted(gate, "_given_up") == 0


def test_another_version_midway_is_never_mixed_in(start, paced, symbol):
    remote = paced()

    def change(number, *_):
        if number == 5:
            remote.etag = '"v2"'
            remote.body = symbol.body[:MIB] + bytes(64) + symbol.body[MIB + 64 :]

    remote.answer_range = change
    gate = start(server(remote.url))
    answer = gate.get(symbol.path)
    assert answer.broken and answer.body == symbol.body[: len(answer.body)]
    assert gate.get(symbol.path).body == remote.body
    assert counted(gate, "_given_up") == 1


def state(gate):
    return json.loads(gate.get("/api/v1/servers").body)[0]["state"]


@pytest.mark.sanitized
def test_a_pause_asked_for_by_a_range_is_kept(start, paced, symbol):
    remote = paced(64 * MIB)
    remote.answer_range = lambda *_: "429"
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.check(symbol)
    assert state(gate) == "resting" and counted(gate, "_given_up") == 1
    assert gate.get(missing(1).path).verdict == "failed"
    assert len(remote.asked) == 2


def test_places_go_back_to_those_who_wait(start, paced, symbol):
    remote = paced()
    gate = start(server(remote.url, maxRequests=3))
    download = gate.get_later(symbol.path)
    wait_until(lambda: len(remote.bounded()) > 3, "ranges")
    others = [gate.get_later(pdb(f"other{n}.pdb", seed=n + 2).path) for n in range(2)]
    wait_until(lambda: remote.asked.count(None) == 3, "the others")
    assert gate.metric("symgate_source_running", "one") <= 3
    assert download.result().body == symbol.body
    for other in others:
        other.result()
    wait_until(lambda: gate.metric("symgate_source_running", "one") == 0, "all places back")


def test_ranges_go_where_the_first_question_was_led(start, paced, symbol):
    """Another host is shown no credentials, by the ranges neither."""
    first, second = paced(), paced()
    first.moved = second.url
    gate = start(server(first.url, user="me", password="sesame"))
    gate.fetch(symbol)
    gate.check(symbol)
    assert first.asked == [None] and first.shown[0].startswith("Basic ")
    assert len(second.bounded()) > 3 and set(second.shown) == {None}


def test_a_kill_in_the_midst_leaves_nothing_false(start, paced, symbol):
    remote = paced()
    gate = start(server(remote.url))
    download = gate.get_later(symbol.path)
    wait_until(lambda: len(remote.bounded()) > 3, "ranges")
    gate.kill9()
    assert download.result().broken
    gate.start()
    assert gate.shelf_files() == {}
    gate.fetch(symbol)
    gate.check(symbol)


def test_what_gains_nothing_is_remembered(start, paced, symbol):
    remote = paced(48 * MIB, shared=True)
    gate = start(server(remote.url))
    gate.fetch(symbol)
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    before = len(remote.asked)
    assert before > 1
    gate.fetch(symbol)
    assert remote.asked[before:] == [None]


def test_a_server_that_breaks_off_for_good_is_left_for_another(start, paced, symbol):
    """Every range of the first breaks from some point on, and nothing more comes from it."""
    first, second = paced(), paced(64 * MIB)

    def breaks(number, *_):
        return "cut" if number > 6 else None

    first.answer_range = breaks
    gate = start(server(first.url), server(second.url, "two"))
    gate.fetch(symbol)
    gate.check(symbol)
    assert len(first.bounded()) > 6 and second.asked


@pytest.mark.parametrize("way, ranges", [("slow", True), ("whole", False)])
def test_nginx(start, nginx, symbol, way, ranges):
    """8 MB/s for each connection, or no ranges at all."""
    url, www, log = nginx
    path = www / symbol.name / symbol.id / symbol.name
    path.parent.mkdir(parents=True)
    path.write_bytes(symbol.body)
    gate = start(server(f"{url}/{way}"))
    gate.fetch(symbol)
    gate.check(symbol)
    parts = [line for line in log.read_text().splitlines() if '" 206 ' in line]
    assert (len(parts) > 4) == ranges and (counted(gate, "") > 4) == ranges
