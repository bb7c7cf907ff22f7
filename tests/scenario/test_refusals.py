# SPDX-License-Identifier: MIT
"""What is no symbol file is never passed on as one; a failure is never kept as an absence."""

import gzip

import pytest
from conftest import server
from double.origin import (
    CHUNKED,
    CLOSE,
    Origin,
    Script,
    absent,
    close,
    good,
    head,
    page,
    redirect,
    reset,
    send,
    status,
    zipped,
)
from symbols import Symbol, elf, missing, pdb, pe

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>x</body></html>" * 10


def refused(gate, origin, symbol, script, cause=None):
    """A script's answer is told as a failure, another request works, and the file comes later."""
    origin.on(symbol.remote, script)
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed", answer
    assert answer.status == 404 and answer.body == b""
    assert answer.headers["cache-control"] == "no-store"
    if cause:
        assert cause in answer.reason.lower(), answer.reason
    gate.check()
    assert gate.get(missing(99).path).verdict == "absent"
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "script",
    [
        page(HTML),
        Script(HTML, head(), send()),
        Script(b"\n\n  <HTML><body>" + HTML, head(), send()),
        Script(b"\xef\xbb\xbf" + HTML, head(), send()),
        Script(HTML, head(length=CHUNKED), send()),
        Script(HTML, head(length=CLOSE), send(), close()),
        Script(b"<?xml version='1.0'?><!DOCTYPE html><html></html>", head(), send()),
    ],
    ids=["typed", "looked at", "spaces", "mark", "chunked", "close", "xhtml"],
)
def test_html(gate, origin, script):
    refused(gate, origin, pdb(), script)


@pytest.mark.sanitized
@pytest.mark.parametrize("size", [64 * 1024, 200_000, 600_000])
def test_body_that_is_longer_than_announced_leads_to_the_next_server(start, origin, second, size):
    """Which of it is the file nobody can tell: it is not gone on with, nor asked for again."""
    gate = start(server(origin), server(second, "two"))
    symbol = pdb(size=size)
    origin.on(symbol.remote, Script(symbol.body + b"12345", head(length=len(symbol.body) - 5), send()))
    second.on(symbol.remote, good(symbol.body))
    answer = gate.get(symbol.path)
    assert answer.broken or (answer.body == symbol.body and answer.headers["x-symgate-source"] == "two"), answer
    gate.wait_quiet()
    assert gate.fetch(symbol).verdict == "hit"
    gate.check(symbol)
    assert (origin.count(), second.count()) == (1, 1)


def test_text_that_is_announced_as_a_page(gate, origin):
    symbol = Symbol("x.js", "sha1-" + "b" * 40, b"let x;\n")
    other = Symbol("readme.dat", "0123", b"data\n")
    refused(gate, origin, other, page(b"Please sign in.\n" * 50), "web page")
    origin.on(symbol.remote, page(symbol.body))
    gate.fetch(symbol)


def test_binary_that_is_announced_as_a_page(gate, origin):
    """Servers that know no type for it say text/html: the bytes decide."""
    symbol = pdb()
    origin.on(symbol.remote, page(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize(
    "script",
    [
        Script(b"", head(), send()),
        Script(b"", head(length=CHUNKED), send()),
        Script(b"", head(length=CLOSE), close()),
    ],
    ids=["length", "chunked", "close"],
)
def test_empty(gate, origin, script):
    refused(gate, origin, pdb(), script, "empty")


def test_empty_of_any_kind(gate, origin):
    refused(gate, origin, Symbol("x.dat", "12345678abc", b"\0data"), Script(b"", head()))


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "code",
    [203, 201, 202, 204, 300, 400, 401, 403, 405, 407, 408, 418, 451, 500, 501, 502, 503, 504, 599],
)
def test_other_statuses(gate, origin, code):
    symbol = pdb()
    body = b"" if code == 204 else symbol.body
    refused(gate, origin, symbol, Script(body, head(code), send()), str(code))


def test_203_with_a_page_as_azure_sends_it(gate, origin):
    refused(gate, origin, pdb(), page(HTML, 203))


@pytest.mark.parametrize(
    "symbol",
    [pdb(), pe(), elf()],
    ids=["pdb", "pe", "elf"],
)
def test_plain_text_for_binary_kinds(gate, origin, symbol):
    refused(gate, origin, symbol, Script(b"Sorry, this store has moved.\n" * 300, head(), send()))


def test_short_plain_text(gate, origin):
    refused(gate, origin, pdb(), Script(b"no", head(), send()))


def test_text_is_right_where_text_is_asked_for(gate, origin):
    text = b"MODULE windows x86_64 94AD5C4B9A1E4420AB047F672A23E48A1 app.pdb\n" * 200
    html = Symbol("page.html", "sha1-" + "a" * 40, HTML)
    for symbol in (
        Symbol("app.sym", "94AD5C4B9A1E4420AB047F672A23E48A1", text),
        Symbol("x.js", "sha1-" + "b" * 40, HTML),
        html,
        Symbol("index.htm", "12345678abc", HTML),
    ):
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        assert gate.fetch(symbol).verdict == "hit"


@pytest.mark.sanitized
def test_redirect_is_followed_and_the_final_body_counts(gate, origin, second):
    symbol = pdb()
    origin.on(symbol.remote, redirect(f"{second.url}/blob?sig=abc"))
    second.on("/blob", good(symbol.body))
    gate.fetch(symbol)
    assert second.requests[0].target == b"/blob?sig=abc"
    gate.check(symbol)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_relative_redirects(gate, origin, code):
    symbol = pdb()
    origin.on(symbol.remote, redirect("/elsewhere/it", code))
    origin.on("/elsewhere/it", good(symbol.body))
    gate.fetch(symbol)


def test_ten_redirects_are_followed(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, redirect("/hop1"))
    for n in range(1, 10):
        origin.on(f"/hop{n}", redirect(f"/hop{n + 1}"))
    origin.on("/hop10", good(symbol.body))
    gate.fetch(symbol)


@pytest.mark.sanitized
def test_redirect_loop(gate, origin):
    symbol = pdb()
    refused(gate, origin, symbol, redirect(symbol.remote), "redirect")
    assert origin.count(symbol.remote) <= 13


def test_a_head_line_over_every_limit(gate, origin):
    refused(gate, origin, pdb(), redirect("/" + "x" * 200000), "a line of its head is over 100 kib")


def test_redirect_to_a_login_page(gate, origin, second):
    second.on("/login", page(HTML))
    refused(gate, origin, pdb(), redirect(f"{second.url}/login?return=x"), "login")
    assert gate.metric("symgate_source_login_total", "one") == 1


def test_redirect_to_absent_is_absent(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, redirect("/gone"))
    assert gate.get(symbol.path).verdict == "absent"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/x",
        "dict://127.0.0.1/x",
        "smb://127.0.0.1/x",
    ],
)
def test_redirect_to_other_schemes(gate, origin, location):
    refused(gate, origin, pdb(), redirect(location))


@pytest.mark.sanitized
def test_500_once_then_found_a_moment_later(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, status(500), good(symbol.body))
    assert gate.get(symbol.path).verdict == "failed"
    gate.fetch(symbol)
    gate.check(symbol)


def test_failure_of_the_first_is_hidden_by_the_second(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    scripts = (
        status(500),
        page(HTML),
        Script(b"", head()),
        Script(b"", reset()),
        redirect("/loop"),
    )
    origin.on("/loop", redirect("/loop"))
    symbols = [pdb(seed=n) for n in range(len(scripts))]
    for symbol, script in zip(symbols, scripts):
        origin.on(symbol.remote, script)
        second.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    gate.check(*symbols)


def test_failure_and_absence_are_a_failure(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol = pdb()
    origin.on(symbol.remote, status(500), good(symbol.body))
    assert gate.get(symbol.path).verdict == "failed"
    gate.fetch(symbol)
    assert second.count() == 1, "its no is remembered"


def test_source_that_is_down(start, origin):
    gone = Origin()
    url = gone.url
    gone.stop()
    gate = start(server(url, "gone"), server(origin))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "failed"


def test_name_that_does_not_resolve(start):
    gate = start(server("http://no-such-host.invalid/symbols", "nowhere"))
    answer = gate.get(pdb().path)
    assert answer.verdict == "failed" and answer.status == 404


@pytest.mark.sanitized
@pytest.mark.parametrize("length", [None, CHUNKED, CLOSE], ids=["length", "chunked", "close"])
def test_gzip_is_decoded_and_stored_plain(gate, origin, length):
    symbol = pdb(size=1 << 20)
    step = {} if length is None else {"length": length}
    origin.on(symbol.remote, zipped(symbol.body, **step))
    gate.fetch(symbol)
    assert "gzip" in origin.requests[0].headers["accept-encoding"]
    gate.check(symbol)


def test_gzip_of_compressible_bytes(gate, origin):
    """Much larger than what travelled: the size of the encoded body is not the symbol's."""
    symbol = pdb()
    symbol.body = symbol.body[: len(symbol.body) // 2] + bytes(len(symbol.body) // 2)
    origin.on(symbol.remote, zipped(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


def test_gzip_cut(gate, origin):
    symbol = pdb(size=1 << 20)
    packed = gzip.compress(symbol.body, 1)
    fields = {"Content-Encoding": "gzip"}
    origin.on(
        symbol.remote,
        Script(packed, head(headers=fields), send(len(packed) // 2), reset()),
        zipped(symbol.body),
    )
    gate.fetch(symbol)
    gate.check(symbol)


def test_gzip_that_is_none(gate, origin):
    symbol = pdb()
    refused(
        gate,
        origin,
        symbol,
        Script(symbol.body, head(headers={"Content-Encoding": "gzip"}), send()),
    )


def test_unknown_coding(gate, origin):
    symbol = pdb()
    refused(
        gate,
        origin,
        symbol,
        Script(symbol.body, head(headers={"Content-Encoding": "sdch"}), send()),
    )


def test_html_in_gzip(gate, origin):
    refused(gate, origin, pdb(), zipped(HTML))


def test_cut_pe_without_length(gate, origin):
    """Its own headers say that more belongs to it."""
    image = pe(size=600 * 1024)
    origin.on(
        image.remote,
        Script(image.body, head(length=CLOSE), send(300_000), close()),
        good(image.body),
    )
    gate.fetch(image)
    assert origin.count() == 2
    gate.check(image)


def test_nonsense_for_http(start):
    """A port on which something else than HTTP speaks."""
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def speak():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            link.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(100))
            link.close()

    threading.Thread(target=speak, daemon=True).start()
    gate = start(server(f"http://127.0.0.1:{listener.getsockname()[1]}", "odd"))
    assert gate.get(pdb().path).verdict == "failed"
    gate.check()
    listener.close()


def test_endless_head(start, origin):
    """A head that never ends is no answer."""
    gate = start(server(origin))
    symbol = pdb()

    async def endless(x):
        await x.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(4_000):
            await x.write(b"X-More: " + b"m" * 1000 + b"\r\n")

    origin.on(symbol.remote, Script(b"", endless), good(symbol.body))
    assert gate.get(symbol.path).verdict == "failed"
    gate.fetch(symbol)


def test_tls_is_verified(start, tmp_path, origin):
    import ssl
    import subprocess

    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            tmp_path / "key",
            "-out",
            tmp_path / "cert",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    secure = Origin(tls=context)
    symbol = pdb()
    secure.on(symbol.remote, good(symbol.body))
    gate = start(server(secure))
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed"
    assert "certificate" in answer.reason.lower() or "ssl" in answer.reason.lower(), answer.reason
    assert secure.count() == 0
    gate.check()
    secure.stop()


def test_absent_needs_the_sources_own_no(gate, origin):
    for number, code in enumerate((404, 410)):
        origin.on(missing(number).remote, status(code))
        assert gate.get(missing(number).path).verdict == "absent"
    origin.on("/x", absent())
