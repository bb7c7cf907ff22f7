# SPDX-License-Identifier: MIT
"""Bytes reach every client while they arrive, at its own speed; nothing false ends well."""

import pytest
from client import Broken
from conftest import server
from double.origin import (
    CHUNKED,
    CLOSE,
    Script,
    close,
    drip,
    gate as at_gate,
    good,
    head,
    reset,
    send,
)
from symbols import missing, pdb

MIB = 1 << 20
HELD = 4096  # of each answer, until its identity is certain


def gated(symbol, first, length=None, name="go"):
    step = head() if length is None else head(length=length)
    return Script(symbol.body, step, send(first), at_gate(name), send())


@pytest.mark.sanitized
def test_bytes_arrive_before_the_origin_has_finished(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, gated(symbol, MIB))
    connection = gate.ask(symbol.path)
    answer = connection.head()
    assert answer.status == 200 and answer.verdict == "fetched"
    assert answer.headers["content-length"] == str(len(symbol.body))
    assert answer.etag and "last-modified" in answer.headers
    assert connection.read(MIB) == symbol.body[:MIB]
    assert origin.at_gate["go"] == 1
    origin.open("go")
    assert connection.rest() == symbol.body[MIB:]
    gate.check(symbol)


@pytest.mark.sanitized
@pytest.mark.parametrize("length", [CHUNKED, CLOSE], ids=["chunked", "close"])
def test_unknown_length_is_sent_chunked(gate, origin, length):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, gated(symbol, MIB, length))
    connection = gate.ask(symbol.path)
    answer = connection.head()
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert connection.read(MIB - HELD) == symbol.body[: MIB - HELD]
    origin.open("go")
    assert connection.rest() == symbol.body[MIB - HELD :]
    hit = gate.fetch(symbol)
    assert hit.headers["content-length"] == str(len(symbol.body))
    assert hit.etag == answer.etag
    gate.check(symbol)


def test_http_10_of_unknown_length_ends_with_the_connection(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, gated(symbol, MIB, CHUNKED))
    connection = gate.ask(symbol.path, version="1.0", host=None)
    answer = connection.head()
    assert "transfer-encoding" not in answer.headers and "content-length" not in answer.headers
    origin.open("go")
    assert connection.rest() == symbol.body
    gate.check(symbol)


@pytest.mark.sanitized
def test_late_joiners_get_every_byte(gate, origin):
    symbol = pdb(size=4 * MIB)
    steps = [head()]
    for part in range(3):
        steps += [send(MIB), at_gate(f"part{part}")]
    origin.on(symbol.remote, Script(symbol.body, *steps, send()))
    first = gate.ask(symbol.path)
    joined = []
    for part in range(3):
        origin.wait_at(f"part{part}")
        arrived = symbol.body[: MIB * (part + 1)]
        client = gate.ask(symbol.path)
        assert client.head().verdict == "joined"
        assert client.read(len(arrived)) == arrived
        joined.append((client, arrived))
        origin.open(f"part{part}")
    assert first.head().verdict == "fetched"
    assert first.rest() == symbol.body
    for client, arrived in joined:
        assert arrived + client.rest() == symbol.body
    assert origin.count() == 1
    gate.check(symbol)


@pytest.mark.sanitized
def test_one_fetch_for_many(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, Script(symbol.body, at_gate("go"), head(), send()))
    answers = [gate.get_later(symbol.path) for _ in range(100)]
    gate.wait_readers(symbol, 100)
    origin.open("go")
    for answer in answers:
        assert answer.result().body == symbol.body
    assert origin.count() == 1
    verdicts = [answer.result().verdict for answer in answers]
    assert verdicts.count("fetched") == 1 and verdicts.count("joined") == 99
    gate.check(symbol)


def test_slow_reader_holds_nobody(gate, origin):
    symbol = pdb(size=32 * MIB)
    origin.on(symbol.remote, good(symbol.body))
    slow = gate.connect(receive_buffer=4096).ask(symbol.path)
    slow.head()
    assert gate.fetch(symbol).verdict in ("joined", "hit")
    gate.check(symbol)
    assert slow.rest() == symbol.body
    assert origin.count() == 1


def test_fast_reader_after_slow_ones(gate, origin):
    symbol = pdb(size=16 * MIB)
    origin.on(symbol.remote, good(symbol.body))
    slow = [gate.connect(receive_buffer=4096).ask(symbol.path) for _ in range(20)]
    assert gate.fetch(symbol)
    for one in slow:
        assert one.answer().body == symbol.body
    gate.check(symbol)


@pytest.mark.sanitized
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_first_client_leaves(gate, origin, leave):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, gated(symbol, MIB))
    first = gate.ask(symbol.path)
    first.head()
    second = gate.ask(symbol.path)
    assert second.head().verdict == "joined"
    getattr(first, leave)()
    gate.wait_copy(symbol, lambda copy: copy["readers"] == 1)
    origin.open("go")
    assert second.rest() == symbol.body
    assert origin.count() == 1
    gate.check(symbol)


@pytest.mark.sanitized
def test_everybody_leaves_and_the_fetch_completes(gate, origin):
    symbol = pdb(size=4 * MIB)
    origin.on(symbol.remote, gated(symbol, MIB))
    first = gate.ask(symbol.path)
    first.head()
    first.reset()
    gate.wait_copy(symbol, lambda copy: copy["readers"] == 0)
    origin.open("go")
    gate.check(symbol)
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 1


def test_half_closed_client_gets_its_answer_or_a_close(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    connection = gate.ask(symbol.path)
    connection.half_close()
    try:
        assert connection.answer().body in (symbol.body, b"")
    except Broken:
        pass
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.sanitized
def test_last_4_kib_are_held_back_until_the_end(gate, origin):
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, gated(symbol, MIB - 1))
    connection = gate.ask(symbol.path)
    connection.head()
    assert connection.read(MIB - HELD) == symbol.body[:-HELD]
    assert connection.silent()
    origin.open("go")
    assert connection.rest() == symbol.body[-HELD:]


def test_last_4_kib_of_a_part_are_held_back_too(gate, origin):
    symbol = pdb(size=2 * MIB)
    origin.on(symbol.remote, gated(symbol, 2 * MIB - 1))
    connection = gate.ask(symbol.path, headers={"Range": "bytes=0-999999"})
    assert connection.head().status == 206
    assert connection.read(1_000_000 - HELD) == symbol.body[: 1_000_000 - HELD]
    assert connection.silent()
    origin.open("go")
    assert connection.rest() == symbol.body[1_000_000 - HELD : 1_000_000]


def test_end_mark_of_a_chunked_answer_is_held_back(gate, origin):
    symbol = pdb(size=MIB)
    origin.on(symbol.remote, gated(symbol, MIB, CHUNKED))
    connection = gate.ask(symbol.path)
    connection.head()
    connection.read(MIB - HELD)
    origin.wait_at("go")
    assert connection.silent()
    origin.open("go")
    assert connection.rest() == symbol.body[-HELD:]


@pytest.mark.slow
def test_small_answer_is_not_begun_before_the_verdict(gate, origin):
    """But after two seconds it is, held back only at its end."""
    symbol = pdb(size=200 * 1024)
    origin.on(symbol.remote, gated(symbol, 100 * 1024))
    connection = gate.ask(symbol.path)
    origin.wait_at("go")
    gate.wait_copy(
        symbol, lambda copy: copy["written"] >= 100 * 1024 or copy["phase"] == "arriving"
    )
    assert connection.silent(1)
    answer = connection.head()
    assert answer.status == 200
    assert connection.read(90 * 1024) == symbol.body[: 90 * 1024]
    origin.open("go")
    assert connection.rest() == symbol.body[90 * 1024 :]
    gate.check(symbol)


def test_small_false_body_is_told_before_it_began(start, origin):
    """A short body of an unknown length whose structure says it is cut: 404, not a broken 200."""
    gate = start(server(origin))
    symbol = pdb(size=100 * 1024)
    origin.on(symbol.remote, Script(symbol.body, head(length=CLOSE), send(50_000), close()))
    answer = gate.get(symbol.path, headers={"Symbol-Agent-Receive-Timeout": "60000"})
    assert answer.status == 404 or answer.broken, answer
    gate.check()


@pytest.mark.slow
@pytest.mark.sanitized
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("length", [None, CLOSE], ids=["length", "close"])
def test_false_end_is_a_reset(gate, origin, version, length):
    """Cut again and again: the client must be told, by a reset, that the body is not whole."""
    symbol = pdb(size=MIB)
    step = head() if length is None else head(length=length)
    origin.on(symbol.remote, Script(symbol.body, step, send(600_000), close()))
    connection = gate.ask(symbol.path, version=version)
    answer = connection.answer()
    if answer.status == 200:
        assert answer.broken == "reset"
        assert symbol.body.startswith(answer.body)
    gate.check()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


def test_tail_is_not_stranded_when_the_source_pauses(gate, origin):
    """Less than a wake-up's worth of growth still reaches the readers."""
    symbol = pdb(size=2 * MIB)
    sizes = [700_000, 700_001, 710_000, 800_000]
    steps = [head()]
    for index, size in enumerate(sizes):
        steps += [send(size - (sizes[index - 1] if index else 0)), at_gate(str(index))]
    origin.on(symbol.remote, Script(symbol.body, *steps, send()))
    connection = gate.ask(symbol.path)
    connection.head()
    have = b""
    for index, size in enumerate(sizes):
        have += connection.read(size - len(have))
        assert have == symbol.body[:size]
        origin.open(str(index))
    assert have + connection.rest() == symbol.body


def test_dripping_source(gate, origin):
    symbol = pdb(size=512 * 1024)
    origin.on(symbol.remote, Script(symbol.body, head(), drip(8192, 0.02)))
    clients = [gate.get_later(symbol.path) for _ in range(5)]
    for client in clients:
        assert client.result().body == symbol.body
    gate.check(symbol)


def test_growing_answers_to_many_with_all_sorts_of_sizes(gate, origin):
    symbols = [pdb(f"s{n}.pdb", size=32768 + n * 50_000, seed=n) for n in range(30)]
    for n, symbol in enumerate(symbols):
        length = [None, CHUNKED, CLOSE][n % 3]
        step = head() if length is None else head(length=length)
        origin.on(symbol.remote, Script(symbol.body, step, send()))
    answers = [(s, gate.get_later(s.path)) for s in symbols for _ in range(3)]
    for symbol, answer in answers:
        assert answer.result().body == symbol.body
    assert origin.count() == len(symbols)
    gate.check(*symbols)


def test_tiny_files(gate, origin):
    from symbols import Symbol

    symbols = [
        Symbol(f"t{n}.dat", f"{n:08X}1000", bytes(range(1, n + 1))) for n in (1, 2, 100, 255)
    ]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        assert gate.fetch(symbol).verdict == "hit"
    gate.check(*symbols)


def test_large_file(gate, origin):
    symbol = pdb(size=80 * MIB)
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.fetch(symbol).verdict == "hit"
    gate.check(symbol)


def test_reset_before_the_head_then_next_request_works(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(b"", reset()), Script(b"", reset()), good(symbol.body))
    first = gate.get(symbol.path)
    assert first.verdict in ("failed", "fetched")
    second = gate.get(symbol.path)
    if second.verdict == "failed":
        second = gate.get(symbol.path)
    assert second.body == symbol.body
    gate.check(symbol)


def test_other_requests_go_on_while_one_waits(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("go"), head(), send()))
    waiting = gate.ask(symbol.path)
    origin.wait_at("go")
    assert gate.get(missing(1).path).verdict == "absent"
    assert gate.get("/healthz").status == 200
    origin.open("go")
    assert waiting.answer().body == symbol.body


def test_loop_with_several_growing_bodies_serves_others(start, origin):
    """What was sent up to the last byte that is there waits for more; it does not spin."""
    gate = start(server(origin), general={"workers": 1})
    symbols = [pdb(size=2 * MIB, seed=n) for n in range(3)]
    clients = []
    for symbol in symbols:
        origin.on(symbol.remote, gated(symbol, MIB))
        clients += [gate.ask(symbol.path), gate.ask(symbol.path)]
    for n, client in enumerate(clients):
        client.head()
        assert client.read(MIB) == symbols[n // 2].body[:MIB]
    for client in clients:
        assert client.silent(0.05)
    assert gate.get("/healthz").status == 200
    origin.open("go")
    for n, client in enumerate(clients):
        assert client.rest() == symbols[n // 2].body[MIB:]
    gate.check(*symbols)
