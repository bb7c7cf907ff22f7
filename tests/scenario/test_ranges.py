# SPDX-License-Identifier: MIT
"""Long files over several connections: faster where that helps, whole in every case."""

import pytest
from conftest import server
from double.paced import Paced
from symbols import pdb

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
