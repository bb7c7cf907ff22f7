# SPDX-License-Identifier: MIT
"""Breaks in mid-body: taken up at the byte where they happened, without the clients noticing."""

import email.utils

import pytest
from client import Broken
from conftest import server
from double.origin import (
    CHUNKED,
    CLOSE,
    Script,
    absent,
    close,
    extra,
    gate as at_gate,
    good,
    head,
    ranged_head,
    reset,
    send,
    send_to,
    stall,
    status,
)
from symbols import pdb

MIB = 1 << 20
CUT = 700_000
ETAG = '"v1"'
MODIFIED = 1_600_000_000


def cut(symbol, at=CUT, how=reset, **ranged):
    """Breaks off at a byte of the whole."""
    return Script(symbol.body, ranged_head(**ranged), send_to(at), how())


@pytest.mark.sanitized
@pytest.mark.parametrize("how", [reset, close], ids=["reset", "close"])
def test_taken_up_by_range_with_a_strong_validator(gate, origin, how):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol, etag=ETAG, how=how), good(symbol.body, etag=ETAG))
    gate.fetch(symbol)
    first, again = origin.by_path[symbol.remote]
    assert "range" not in first.headers
    assert again.headers["range"] == f"bytes={CUT}-"
    assert again.headers["if-range"] == ETAG
    assert gate.metric("symgate_take_ups_total") == 1
    gate.check(symbol)


def test_taken_up_by_range_with_date_and_length(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol, modified=MODIFIED), good(symbol.body, modified=MODIFIED))
    gate.fetch(symbol)
    again = origin.by_path[symbol.remote][1]
    assert again.headers["range"] == f"bytes={CUT}-"
    assert again.headers["if-range"] == "Sun, 13 Sep 2020 12:26:40 GMT"
    gate.check(symbol)


@pytest.mark.parametrize("told", ["another time", "no time", "no length", "no tag"])
def test_a_part_of_another_version_is_not_glued_on(gate, origin, told):
    """A server that passes If-Range over sends the rest of what it has now: its head must vouch for it."""
    old, new = pdb("app.bin", size=2 * MIB, seed=1), pdb("app.bin", size=2 * MIB, seed=2)
    path, size = "/app.bin/1/app.bin", len(new.body)
    fields = {"Content-Range": f"bytes {CUT}-{size - 1}/{'*' if told == 'no length' else size}"}
    if told in ("another time", "no length"):
        then = MODIFIED + (told == "another time")
        fields["Last-Modified"] = email.utils.formatdate(then, usegmt=True)
    rest = Script(new.body[CUT:], head(206, headers=fields), send())
    known = {"etag": ETAG} if told == "no tag" else {"modified": MODIFIED}
    origin.on(path, cut(old, **known), rest, good(new.body, modified=MODIFIED + 1))
    answer = gate.get("/symbols" + path)
    assert answer.broken, "what was passed on is of the old version, so it cannot end well"
    gate.wait_quiet()
    assert gate.get("/symbols" + path).body == new.body


def test_weak_tag_is_no_validator(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol, etag='W/"v1"'), good(symbol.body, etag='W/"v1"'))
    gate.fetch(symbol)
    again = origin.by_path[symbol.remote][1]
    assert again.headers.get("if-range") is None and "range" not in again.headers
    gate.check(symbol)


@pytest.mark.sanitized
def test_without_validator_read_again_and_compared(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol), good(symbol.body))
    gate.fetch(symbol)
    assert "range" not in origin.by_path[symbol.remote][1].headers
    assert origin.count() == 2
    gate.check(symbol)


def test_source_that_ignores_range(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        cut(symbol, etag=ETAG),
        Script(symbol.body, ranged_head(etag=ETAG, honour=False), send()),
    )
    gate.fetch(symbol)
    assert origin.by_path[symbol.remote][1].headers["range"] == f"bytes={CUT}-"
    gate.check(symbol)


def test_source_that_sends_another_range_than_asked(gate, origin):
    """A 206 from the wrong place must not be glued on."""
    symbol = pdb(size=2 * MIB)
    wrong = Script(
        symbol.body,
        head(
            206,
            headers={
                "ETag": ETAG,
                "Content-Range": f"bytes 0-{len(symbol.body) - 1}/{len(symbol.body)}",
            },
        ),
        send(),
    )
    origin.on(symbol.remote, cut(symbol, etag=ETAG), wrong, good(symbol.body, etag=ETAG))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.body == symbol.body
    gate.wait_quiet()
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize("first", [0, 100, 4000])
def test_source_that_hangs_behind_its_head(start, origin, second, first):
    """Nothing has been delivered yet, so the next is asked beside it."""
    gate = start(server(origin, hedgeAfter="300ms"), server(second, "two"))
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, head(), send(first), stall()))
    second.on(symbol.remote, good(symbol.body))
    answer = gate.fetch(symbol)
    assert answer.headers["x-symgate-source"] == "two"
    assert origin.count() == 1


def test_break_goes_on_in_front_of_several_clients(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, ranged_head(ETAG), send(MIB), at_gate("break"), reset()),
        Script(symbol.body, ranged_head(ETAG), send(MIB), at_gate("again"), reset()),
        good(symbol.body, etag=ETAG),
    )
    first = gate.ask(symbol.path)
    first.head()
    origin.wait_at("break")
    second = gate.ask(symbol.path)
    second.head()
    assert second.read(MIB) == symbol.body[:MIB]
    origin.open("break")
    origin.wait_at("again")
    third = gate.ask(symbol.path, headers={"Range": "bytes=3000000-3999999"})
    origin.open("again")
    assert first.rest() == symbol.body
    assert second.rest() == symbol.body[MIB:]
    assert third.answer().body == symbol.body[3_000_000:4_000_000]
    starts = [r.headers.get("range") for r in origin.by_path[symbol.remote]]
    assert starts == [None, f"bytes={MIB}-", f"bytes={2 * MIB}-"]
    gate.check(symbol)


@pytest.mark.sanitized
def test_taken_up_at_the_next_server(start, origin, second):
    """The source fails for good after the break: the next one goes on, compared byte for byte."""
    gate = start(server(origin), server(second, "two"))
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol), status(500))
    second.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert second.count() == 1
    gate.check(symbol)


def test_next_server_goes_on_by_range(start, origin, second):
    """By the same strong validator; what overlaps is compared, and the rest is not read twice."""
    gate = start(server(origin), server(second, "two"))
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, cut(symbol, at=3 * MIB, etag=ETAG), status(500))
    second.on(symbol.remote, good(symbol.body, etag=ETAG))
    gate.fetch(symbol)
    (asked,) = second.by_path[symbol.remote]
    assert asked.headers["range"] == f"bytes={3 * MIB - 256 * 1024}-" and asked.headers["if-range"] == ETAG
    assert gate.metric("symgate_source_bytes_total", "two") == MIB + 256 * 1024
    gate.check(symbol)


def test_same_validator_and_another_overlap_is_another_file(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol = pdb(size=4 * MIB)
    other = pdb(size=4 * MIB)
    other.body = other.body[: 3 * MIB - 4096] + bytes(4096) + other.body[3 * MIB :]
    origin.on(symbol.remote, cut(symbol, at=3 * MIB, etag=ETAG), status(500))
    second.on(symbol.remote, good(other.body, etag=ETAG))
    answer = gate.get(symbol.path)
    assert answer.broken
    gate.wait_quiet()
    assert gate.get(symbol.path).body in (symbol.body, other.body), "never a mixture"


def test_next_server_does_not_have_it(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol), absent())
    answer = gate.get(symbol.path)
    assert answer.broken == "reset" or answer.verdict == "failed"
    gate.check()
    origin.on(symbol.remote, good(symbol.body))
    again = gate.get(symbol.path)
    assert again.verdict in ("fetched", "absent")


@pytest.mark.sanitized
def test_different_bytes_end_the_copy_and_a_new_one_begins(gate, origin):
    old, new = pdb(size=2 * MIB), pdb(size=2 * MIB)
    new.body = new.body[: MIB // 2] + bytes(4096) + new.body[MIB // 2 + 4096 :]
    origin.on(
        old.remote, Script(old.body, head(), send(MIB), at_gate("break"), reset()), good(new.body)
    )
    reading = gate.ask(old.path)
    reading.head()
    assert reading.read(MIB) == old.body[:MIB]
    waiting = gate.ask(old.path, headers={"Range": f"bytes={MIB + 500_000}-"})
    gate.wait_readers(old, 2)
    origin.open("break")
    with pytest.raises(Broken) as broken:
        reading.rest()
    assert broken.value.how == "reset" and broken.value.got == b""
    try:
        answer = waiting.answer()
        assert answer.broken or answer.body == new.body[MIB + 500_000 :]
    except Broken:
        pass
    gate.wait_quiet()
    gate.fetch(new)
    gate.check(new)


def test_reader_without_a_byte_moves_to_the_new_copy(gate, origin):
    """A HEAD and a small answer that were not begun see only the new bytes."""
    old = pdb(size=200 * 1024)
    new = pdb(size=200 * 1024)
    new.body = new.body[:50_000] + bytes(100) + new.body[50_100:]
    origin.on(
        old.remote,
        Script(old.body, head(), send(100_000), at_gate("break"), reset()),
        good(new.body),
    )
    waiting = gate.ask(old.path)
    origin.wait_at("break")
    origin.open("break")
    answer = waiting.answer()
    assert answer.status == 200 and not answer.broken
    assert answer.body == new.body
    gate.check(new)


def test_other_length_at_the_second_take(gate, origin):
    old, new = pdb(size=2 * MIB), pdb(size=3 * MIB)
    new.id = old.id
    origin.on(old.remote, cut(old), good(new.body))
    answer = gate.get(old.path)
    assert answer.broken == "reset"
    assert old.body.startswith(answer.body)
    gate.wait_quiet()
    assert gate.get(old.path).body == new.body


def test_changed_validator_at_the_second_take(gate, origin):
    old, new = pdb(size=2 * MIB), pdb(size=2 * MIB)
    new.body = new.body[: MIB // 2] + bytes(4096) + new.body[MIB // 2 + 4096 :]
    origin.on(old.remote, cut(old, etag='"old"'), good(new.body, etag='"new"'))
    answer = gate.get(old.path)
    assert answer.broken == "reset"
    gate.wait_quiet()
    assert gate.get(old.path).body == new.body


@pytest.mark.parametrize("length", [CHUNKED, CLOSE], ids=["chunked", "close"])
def test_cut_of_a_body_without_length(gate, origin, length):
    """A chunked body without its last chunk; a close-delimited one whose structure is cut."""
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=length), send(CUT), close()),
        good(symbol.body),
    )
    gate.fetch(symbol)
    assert origin.count() == 2
    gate.check(symbol)


def test_reset_of_a_chunked_body(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CHUNKED), send(CUT), reset()),
        Script(symbol.body, head(length=CHUNKED), send()),
    )
    gate.fetch(symbol)
    gate.check(symbol)


def test_short_body_then_good(gate, origin):
    """Less than the Content-Length promised."""
    symbol = pdb(size=MIB)
    lie = Script(symbol.body[:-8192], head(length=MIB), send(), close())
    origin.on(symbol.remote, lie, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


def test_long_body(gate, origin):
    """More than the Content-Length promised: what was promised, or a failure; nothing else."""
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(), extra(b"more" * 1000), close()))
    answer = gate.get(symbol.path)
    if answer.status == 200 and not answer.broken:
        assert answer.body == symbol.body
    gate.wait_quiet()
    for path, body in gate.shelf_files().items():
        assert path == symbol.shelved and body == symbol.body
    other = pdb("other.pdb")
    origin.on(other.remote, good(other.body))
    gate.fetch(other)


@pytest.mark.slow
def test_stalled_body_is_taken_up(start, origin):
    gate = start(server(origin, timeouts={"stall": "1s"}))
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, ranged_head(ETAG), send(CUT), stall()),
        good(symbol.body, etag=ETAG),
    )
    gate.fetch(symbol)
    assert origin.by_path[symbol.remote][1].headers["range"] == f"bytes={CUT}-"
    origin.wait_gone(symbol.remote)
    gate.check(symbol)


@pytest.mark.slow
def test_at_most_five_takes(gate, origin):
    """A source that always breaks off at the same byte: told in the end, with a reset."""
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, cut(symbol, etag=ETAG))
    answer = gate.get(symbol.path)
    assert answer.broken == "reset"
    assert answer.body == symbol.body[: len(answer.body)]
    gate.wait_quiet()
    assert 2 <= origin.count() <= 5
    gate.check()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)


@pytest.mark.slow
def test_creeping_source_that_breaks_every_time(gate, origin):
    """Each take brings a little more; five are enough here."""
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        *[cut(symbol, etag=ETAG, at=CUT + n * 100_000) for n in range(4)],
        good(symbol.body, etag=ETAG),
    )
    gate.fetch(symbol)
    starts = [r.headers.get("range") for r in origin.by_path[symbol.remote]]
    assert starts == [None] + [f"bytes={CUT + n * 100_000}-" for n in range(3)] + [None]
    gate.check(symbol)


@pytest.mark.slow
def test_source_that_breaks_whatever_is_asked_by_range(gate, origin):
    """The last take is read from the start."""
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        cut(symbol, etag=ETAG),
        *[cut(symbol, etag=ETAG, at=CUT + n) for n in (1, 2, 3)],
        good(symbol.body, etag=ETAG),
    )
    gate.fetch(symbol)
    assert origin.by_path[symbol.remote][-1].headers.get("range") is None
    gate.check(symbol)


def test_break_after_the_last_byte_of_a_known_length(gate, origin):
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, Script(symbol.body, head(), send(), reset()))
    gate.fetch(symbol)
    assert origin.count() == 1
    gate.check(symbol)


def test_break_of_an_abandoned_fetch_is_taken_up_too(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(
        symbol.remote,
        Script(symbol.body, ranged_head(ETAG), send(CUT), at_gate("go"), reset()),
        good(symbol.body, etag=ETAG),
    )
    client = gate.ask(symbol.path)
    client.head()
    client.reset()
    gate.wait_copy(symbol, lambda copy: copy["readers"] == 0)
    origin.open("go")
    gate.check(symbol)
    assert gate.fetch(symbol).verdict == "hit"
