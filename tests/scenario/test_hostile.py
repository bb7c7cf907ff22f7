# SPDX-License-Identifier: MIT
"""Hostile and broken clients: a 4xx or a closed connection, in bounded time and memory."""

import random
import resource
import time

import pytest
from client import Broken
from conftest import server
from double.origin import good
from program import SANITIZED, wait_until
from symbols import missing, pdb

GET = b"GET /symbols/none.pdb/%032X1/none.pdb HTTP/1.1\r\n" % 1


def raw(gate, data, half_close=False):
    """Sends bytes; the status of the answer, or None where the connection was just closed."""
    with gate.connect() as connection:
        try:
            connection.send(data)
            if half_close:
                connection.half_close()
            return connection.answer().status
        except (Broken, OSError):
            return None


def still_well(gate):
    assert gate.get("/healthz").status == 200
    assert gate.get(missing(77).path).verdict == "absent"
    gate.check()


BAD_REQUESTS = {
    "no host": GET + b"\r\n",
    "two hosts": GET + b"Host: a\r\nHost: b\r\n\r\n",
    "two equal hosts": GET + b"Host: a\r\nHost: a\r\n\r\n",
    "two lengths": GET + b"Host: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
    "two equal lengths": GET + b"Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "length list": GET + b"Host: a\r\nContent-Length: 5, 5\r\n\r\nabcde",
    "length and chunked": GET
    + b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": GET
    + b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "negative length": GET + b"Host: a\r\nContent-Length: -1\r\n\r\n",
    "plus length": GET + b"Host: a\r\nContent-Length: +5\r\n\r\nabcde",
    "huge length": GET + b"Host: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "hex length": GET + b"Host: a\r\nContent-Length: 0x5\r\n\r\nabcde",
    "chunked not last": GET + b"Host: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "space before colon": GET + b"Host : a\r\n\r\n",
    "folded header": GET + b"Host: a\r\nX: b\r\n c\r\n\r\n",
    "bare lf": GET.replace(b"\r\n", b"\n") + b"Host: a\n\n",
    "bare cr": GET + b"Host: a\rX: b\r\n\r\n",
    "nul in header": GET + b"Host: a\r\nX: a\0b\r\n\r\n",
    "no name": GET + b"Host: a\r\n: b\r\n\r\n",
    "no colon": GET + b"Host: a\r\nnonsense\r\n\r\n",
    "odd version": GET.replace(b"1.1", b"1.x") + b"Host: a\r\n\r\n",
    "no version": b"GET /symbols/\r\nHost: a\r\n\r\n",
    "space in target": b"GET /symbols/a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "nul in target": b"GET /symbols/a\0b HTTP/1.1\r\nHost: a\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "socks": b"\x05\x01\x00" + bytes(100),
}


@pytest.mark.sanitized
@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_requests(gate, origin, name):
    status = raw(gate, BAD_REQUESTS[name], half_close=True)
    assert status is None or 400 <= status < 500 or status in (501, 505), status
    if name in (
        "no host",
        "two hosts",
        "two equal hosts",
        "two lengths",
        "length and chunked",
        "chunked and length",
    ):
        assert status == 400
    assert origin.count() == 0
    still_well(gate)


@pytest.mark.sanitized
def test_smuggled_second_request_is_not_answered(gate, origin):
    """After a request that could be read in two ways the connection ends."""
    hidden = b"GET /symbols/smuggled.pdb/%s/smuggled.pdb HTTP/1.1\r\nHost: a\r\n\r\n" % (b"B" * 33)
    for name in ("two lengths", "length and chunked", "chunked and length", "no host", "two hosts"):
        with gate.connect() as connection:
            connection.send(BAD_REQUESTS[name] + hidden)
            assert connection.answer().status == 400
            assert b"HTTP/1.1" not in connection.closed()
    assert origin.count() == 0
    still_well(gate)


def test_body_of_a_get_is_passed_over_or_ends_the_connection(gate, origin):
    hidden = b"GET /symbols/smuggled.pdb/%s/smuggled.pdb HTTP/1.1\r\nHost: a\r\n\r\n" % (b"B" * 33)
    with gate.connect() as connection:
        connection.send(GET + b"Host: a\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden)
        assert connection.answer().status in (400, 404, 413)
        try:
            connection.ask("/healthz")
            assert connection.answer().status == 200
        except (Broken, OSError):
            pass
    assert not [r for r in origin.requests if "smuggled" in r.path]
    still_well(gate)


@pytest.mark.sanitized
def test_long_paths(gate, origin):
    for length, codes in (
        (8000, (400,)),
        (8300, (414,)),
        (65536, (414, None)),
        (1 << 20, (414, None)),
    ):
        target = b"GET /symbols/" + b"a" * length + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        assert raw(gate, target) in codes, length
    assert origin.count() == 0
    still_well(gate)


@pytest.mark.sanitized
def test_long_queries(gate):
    """None is taken for no filter, and a name of the longest kind can be explained."""
    assert gate.get("/api/v1/symbols?search=" + "a" * 4000).status == 400  # that one value
    assert gate.get("/api/v1/symbols?search=" + "a" * 5000).status == 414
    name = "%C3%A4" * 127
    assert gate.get(f"/api/v1/explain?path=/symbols/{name}/1/{name}").status == 200
    assert gate.get(missing(1).path + "?" + "a" * 5000).verdict == "absent"


def test_large_heads(gate, origin):
    """Up to 128 KiB in all is taken (dotnet's checksum header grows), more is 431."""

    def ask(size):
        lines = b"".join(b"SymbolChecksum: " + b"c" * 1000 + b"\r\n" for _ in range(size // 1018))
        return raw(gate, GET + b"Host: a\r\n" + lines + b"\r\n")

    assert ask(120 * 1024) == 404
    assert ask(140 * 1024) in (431, None)
    assert ask(1 << 20) in (431, None)
    assert raw(gate, GET + b"Host: a\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n") in (431, None)
    still_well(gate)


def test_head_just_over_the_limit_is_told(gate):
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"c" * 1000) for n in range(131))
    assert raw(gate, GET + b"Host: a\r\n" + lines) == 431
    target = b"GET /symbols/" + b"a" * 8200 + b" HTTP/1.1\r\n"
    assert raw(gate, target) == 414


@pytest.mark.slow
def test_slow_head_is_cut(gate):
    """After ten seconds, however busily it drips."""
    connection = gate.connect()
    connection.send(GET)
    began = time.monotonic()
    try:
        while time.monotonic() - began < 30:
            connection.send(b"X: y\r\n")
            if not connection.silent(0.5):
                break
        connection.closed(20)
    except OSError:
        pass
    waited = time.monotonic() - began
    print(f"cut after {waited:.1f} s")
    assert 8 < waited < 25


@pytest.mark.slow
def test_silent_connection_without_a_byte_is_cut_or_kept_idle(gate):
    connections = [gate.connect() for _ in range(20)]
    assert gate.get("/healthz").status == 200
    for connection in connections:
        connection.close()
    wait_until(lambda: gate.metric("symgate_connections") <= 2, "the connections to be let go")


@pytest.mark.sanitized
def test_half_requests(gate, origin):
    whole = GET + b"Host: a\r\n\r\n"
    for cut in range(1, len(whole), 7):
        connection = gate.connect()
        connection.send(whole[:cut])
        if cut % 2:
            connection.reset()
        else:
            connection.close()
    assert origin.count() == 0
    wait_until(lambda: gate.metric("symgate_connections") <= 2, "the connections to be let go")
    still_well(gate)


@pytest.mark.sanitized
def test_request_in_single_bytes(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    with gate.connect() as connection:
        for byte in b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % symbol.path.encode():
            connection.send(bytes([byte]))
        assert connection.answer().body == symbol.body


@pytest.mark.sanitized
def test_2000_idle_connections(gate, origin):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 200 if SANITIZED else 2000
    if limit[0] < count + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 8192), limit[1]))
    idle = [gate.connect() for _ in range(count)]
    wait_until(lambda: gate.metric("symgate_connections") >= count, "the connections")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert idle[0].get("/healthz").status == 200
    assert idle[-1].get(symbol.path).body == symbol.body
    for connection in idle:
        connection.close()
    wait_until(lambda: gate.metric("symgate_connections") <= 2, "the connections to be let go")


def test_reading_clients_that_vanish(gate, origin):
    symbol = pdb(size=8 << 20)
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    for n in range(60):
        connection = gate.ask(symbol.path)
        connection.head()
        connection.read(1000 * n + 1)
        connection.reset() if n % 2 else connection.close()
    wait_until(lambda: gate.metric("symgate_connections") <= 2, "the connections to be let go")
    gate.fetch(symbol)


def test_pipelined_flood_is_bounded(gate, origin):
    """A client that sends and never reads holds nobody up."""
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    flood = gate.connect(receive_buffer=4096)
    flood.socket.settimeout(2)
    request = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % symbol.path.encode()
    try:
        flood.send(request * 20_000)
    except (TimeoutError, OSError):
        pass
    gate.fetch(symbol)
    with open(f"/proc/{gate.process.pid}/status", encoding="ascii") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert memory < (1 << 20), f"{memory} KiB"
    flood.reset()


@pytest.mark.sanitized
def test_noise(gate):
    """Random heads, and well-formed ones with random damage."""
    noise = random.Random(4711)
    base = GET + b"Host: a\r\nRange: bytes=0-5\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n"
    for _ in range(300):
        data = bytearray(base)
        for _ in range(noise.randrange(1, 6)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        status = raw(gate, bytes(data), half_close=True)
        assert status is None or status in (200, 206, 304, 404, 416) or 400 <= status < 506
    assert gate.get("/healthz").status == 200


def test_chunked_body_of_a_post(gate):
    """The API takes a body with care: whole, cut, too large."""
    post = b"POST /api/v1/forget?name=app.pdb&id=%s HTTP/1.1\r\nHost: localhost\r\n" % (b"A" * 33)
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw(gate, chunked + b"5\r\nabcde\r\n0\r\n\r\n") == 200
    assert raw(gate, chunked + b"5\r\nab", half_close=True) in (None, 400)
    assert raw(gate, chunked + b"zz\r\nabcde\r\n0\r\n\r\n") in (None, 400)
    assert raw(gate, chunked + b"ffffffffffffffff\r\n") in (None, 400, 413)
    assert raw(gate, post + b"Content-Length: 99999999\r\n\r\n") in (None, 413)
    assert raw(gate, post + b"Content-Length: 5\r\n\r\nabcde") == 200
    assert gate.get("/healthz").status == 200


@pytest.mark.slow
def test_client_that_takes_nothing_holds_nobody(gate, origin):
    symbol = pdb(size=32 << 20)
    origin.on(symbol.remote, good(symbol.body))
    dead = [gate.connect(receive_buffer=4096).ask(symbol.path) for _ in range(50)]
    gate.fetch(symbol)
    assert gate.fetch(symbol).verdict == "hit"
    gate.check(symbol)
    for one in dead:
        one.reset()


def test_expect_continue_and_upgrades(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    for headers in (
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings"},
        {"TE": "trailers"},
    ):
        assert gate.get(symbol.path, headers=headers).body == symbol.body


def test_server_is_patient_with_its_own_servers_name(start, origin):
    gate = start(server(origin, name='näme "with" <odd> & letters'))
    assert gate.get(missing(1).path).verdict == "absent"
    page = gate.get("/").body.decode()
    assert "<odd>" not in page
    assert "symgate_source_asked_total" in gate.get("/metrics").body.decode()
