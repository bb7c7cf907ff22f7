# SPDX-License-Identifier: MIT
"""A real server that knows no Range: what breaks off is read again from the start, and goes on where it was."""

import pytest
from conftest import server
from double.web import Lighttpd, publish
from program import wait_until
from symbols import missing, pdb

MIB = 1 << 20
RATE_KIB = 4096


@pytest.fixture
def lighttpd():
    it = Lighttpd(RATE_KIB)
    yield it
    it.remove()


def test_files_and_absences(start, lighttpd):
    symbol = pdb(size=3 * MIB)
    publish(lighttpd.www, symbol)
    gate = start(server(lighttpd.url))
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"
    gate.check(symbol)


def test_killed_in_mid_body_and_started_again(start, lighttpd):
    symbol = pdb(size=8 * MIB)
    publish(lighttpd.www, symbol)
    gate = start(server(lighttpd.url))
    client = gate.ask(symbol.path)
    client.head()
    wait_until(lambda: any(copy["written"] >= MIB for copy in gate.copies().values()), "the first of it")
    lighttpd.daemon.stop()
    lighttpd.start()
    assert client.rest() == symbol.body
    assert gate.metric("symgate_take_ups_total") >= 1
    assert [line.split()[0] for line in lighttpd.lines() if symbol.remote in line].count("206") == 0
    gate.check(symbol)
