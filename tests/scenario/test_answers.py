# SPDX-License-Identifier: MIT
"""What an answer looks like: verdicts, headers, conditions, ranges, paths beside symbols."""

import gzip
import re
import time

import pytest
from conftest import server
from double.origin import Script, absent, gate as at_gate, good, head, send, status
from symbols import missing, pdb

ID = re.compile(r"[A-Za-z0-9-]{1,64}")
MODIFIED = 1_600_000_000


@pytest.mark.sanitized
def test_absent_is_404_with_verdict_and_reason(gate, origin):
    answer = gate.get(missing(1).path)
    assert answer.status == 404
    assert answer.verdict == "absent"
    assert answer.reason and "\n" not in answer.reason
    assert answer.headers["cache-control"] == "no-store"
    assert ID.fullmatch(answer.headers["x-request-id"])
    assert origin.count(missing(1).remote) == 1
    gate.check()


@pytest.mark.sanitized
def test_fetched_then_hit(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body, modified=MODIFIED))
    first = gate.fetch(symbol)
    assert first.verdict == "fetched"
    assert "cache-control" not in first.headers
    assert first.headers["content-type"] == "application/octet-stream"
    assert first.headers["content-length"] == str(len(symbol.body))
    assert first.headers["last-modified"] == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 1
    gate.check(symbol)


def test_joined(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(400_000), at_gate("go"), send()))
    first = gate.get_later(symbol.path)
    origin.wait_at("go")
    late = gate.ask(symbol.path)
    assert late.head().verdict == "joined"
    origin.open("go")
    assert late.rest() == symbol.body
    assert first.result().body == symbol.body
    gate.check(symbol)


@pytest.mark.parametrize(
    "own, taken",
    [
        ("abc-DEF-123", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ('a"b', False),
        ("", False),
        ("a_b", False),
    ],
)
def test_request_id(gate, own, taken):
    answer = gate.get(missing(1).path, headers={"X-Request-Id": own})
    assert (answer.headers["x-request-id"] == own) == taken
    assert ID.fullmatch(answer.headers["x-request-id"])


def test_request_ids_differ(gate):
    seen = {gate.get(missing(1).path).headers["x-request-id"] for _ in range(20)}
    assert len(seen) == 20


@pytest.mark.parametrize(
    "path, code",
    [
        ("/symbols/index2.txt", 404),
        ("/symbols//index2.txt", 404),
        ("/symbols/pingme.txt", 200),
        ("/symbols/", 200),
        ("/", 200),
        ("/healthz", 200),
        ("/metrics", 200),
        ("/nothing", 404),
        ("/symbols/one", 404),
        ("/symbols/one/two", 404),
    ],
)
def test_paths_beside_symbols(gate, origin, path, code):
    got = gate.get(path)
    asked = gate.get(path, method="HEAD")
    assert got.status == code
    assert asked.status == code and asked.body == b""
    assert "x-request-id" in got.headers
    assert ("no-store" in got.headers.get("cache-control", "")) == (code != 200)
    if code == 200:
        assert got.body
    assert origin.count() == 0


def test_page_says_what_this_is(gate):
    page = gate.get("/")
    assert page.headers["content-type"].startswith("text/html")
    text = page.body.decode()
    for word in ("symgate", "scenario", "one"):
        assert word in text


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW"]
)
def test_other_methods(gate, origin, method):
    symbol = pdb()
    with gate.connect() as connection:
        answer = connection.get(symbol.path, method=method)
    assert answer.status in ((405,) if method not in ("BREW", "CONNECT") else (400, 405, 501))
    if answer.status == 405:
        assert answer.headers["allow"]
    assert origin.count() == 0


def test_head_starts_the_fetch(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(8192), at_gate("go"), send()))
    answer = gate.get(symbol.path, method="HEAD")
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["content-length"] == str(len(symbol.body))
    assert answer.etag
    origin.open("go")
    gate.wait_quiet()
    hit = gate.fetch(symbol)
    assert hit.verdict == "hit" and hit.etag == answer.etag
    assert origin.count() == 1


def test_head_of_unknown_size_waits_for_the_verdict(gate, origin):
    from double.origin import CHUNKED

    symbol = pdb(size=1 << 20)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CHUNKED), send(500_000), at_gate("go"), send()),
    )
    connection = gate.ask(symbol.path, method="HEAD")
    origin.wait_at("go")
    assert connection.silent()
    origin.open("go")
    answer = connection.answer()
    assert answer.status == 200
    assert answer.headers["content-length"] == str(len(symbol.body))
    gate.check(symbol)


@pytest.mark.parametrize(
    "asked, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=65000-", 65000, 65535),
        ("bytes=-100", 65436, 65535),
        ("bytes=0-999999999", 0, 65535),
        ("bytes=65535-65535", 65535, 65535),
        ("bytes=-999999", 0, 65535),
    ],
)
def test_range_of_a_hit(gate, origin, asked, first, last):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    answer = gate.get(symbol.path, headers={"Range": asked})
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(symbol.body)}"
    assert answer.body == symbol.body[first : last + 1]
    assert answer.verdict == "hit"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=5-2",
        "lines=1-2",
        "bytes=",
        "bytes=a-b",
        "bytes=0-99999999999999999999999999999",
    ],
)
def test_range_that_is_none(gate, origin, asked):
    """Several ranges and nonsense: the whole body (too big a last byte may be cut instead)."""
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    answer = gate.get(symbol.path, headers={"Range": asked})
    assert answer.status == 200 or asked.endswith("9999")
    assert answer.body == symbol.body


@pytest.mark.parametrize("asked", ["bytes=65536-", "bytes=999999-1000000", "bytes=-0"])
def test_range_outside(gate, origin, asked):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    answer = gate.get(symbol.path, headers={"Range": asked})
    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */65536"
    assert answer.headers["cache-control"] == "no-store"


def test_range_waits_until_its_bytes_are_there(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(300_000), at_gate("go"), send()))
    early = gate.ask(symbol.path, headers={"Range": "bytes=0-279999"})
    answer = early.head()
    assert answer.status == 206
    late = gate.ask(symbol.path, headers={"Range": "bytes=600000-999999"})
    origin.wait_at("go")
    origin.open("go")
    assert early.rest() == symbol.body[:280000]
    answer = late.answer()
    assert answer.status == 206 and answer.body == symbol.body[600000:1000000]
    gate.check(symbol)


def test_range_of_unknown_size_is_the_whole(gate, origin):
    from double.origin import CHUNKED

    symbol = pdb(size=1 << 20)
    origin.on(
        symbol.remote,
        Script(symbol.body, head(length=CHUNKED), send(500_000), at_gate("go"), send()),
    )
    connection = gate.ask(symbol.path, headers={"Range": "bytes=10-20"})
    answer = connection.head()
    assert answer.status == 200
    origin.open("go")
    assert connection.rest() == symbol.body


def test_conditions(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body, modified=MODIFIED))
    etag, date = (lambda a: (a.etag, a.headers["last-modified"]))(gate.fetch(symbol))
    assert re.fullmatch(r'"[^"]+"', etag)

    def ask(**fields):
        names = {name.replace("_", "-"): value for name, value in fields.items()}
        return gate.get(symbol.path, headers=names)

    for fields in (
        {"If_None_Match": etag},
        {"If_None_Match": f'"other", {etag}'},
        {"If_None_Match": "*"},
        {"If_None_Match": f"W/{etag}"},
        {"If_Modified_Since": date},
    ):
        answer = ask(**fields)
        assert answer.status == 304 and answer.body == b"", fields
        assert answer.etag == etag and "cache-control" not in answer.headers
        assert "x-request-id" in answer.headers
    assert ask(If_None_Match='"other"').body == symbol.body
    assert ask(If_None_Match='"other"', If_Modified_Since=date).status == 200
    assert ask(If_Modified_Since="Sun, 13 Sep 2020 12:26:39 GMT").status == 200
    assert ask(Range="bytes=1-2", If_Range=etag).status == 206
    assert ask(Range="bytes=1-2", If_Range=date).status in (200, 206)
    whole = ask(Range="bytes=1-2", If_Range='"other"')
    assert whole.status == 200 and whole.body == symbol.body
    assert ask(Range="bytes=1-2", If_Range="W/" + etag).status == 200


def test_conditions_on_one_kept_connection(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    etag = gate.fetch(symbol).etag
    with gate.connect() as connection:
        for _ in range(3):
            assert connection.get(symbol.path, headers={"If-None-Match": etag}).status == 304
            assert connection.get(symbol.path, method="HEAD").status == 200
            assert connection.get(symbol.path).body == symbol.body
            assert connection.get(missing(4).path).status == 404
            assert connection.get(symbol.path, headers={"Range": "bytes=999999-"}).status == 416


@pytest.mark.sanitized
def test_tag_is_the_same_from_first_byte_to_after_a_restart(gate, origin):
    symbol = pdb(size=1 << 20)
    origin.on(
        symbol.remote,
        Script(
            symbol.body,
            head(headers={"Last-Modified": "Sun, 13 Sep 2020 12:26:40 GMT"}),
            send(500_000),
            at_gate("go"),
            send(),
        ),
    )
    connection = gate.ask(symbol.path)
    first = connection.head()
    assert first.headers["last-modified"] == "Sun, 13 Sep 2020 12:26:40 GMT"
    origin.open("go")
    assert connection.rest() == symbol.body
    gate.wait_quiet()
    gate.stop()
    for leftover in list(gate.data.glob("*")):
        if leftover.is_file() and leftover.parent != gate.cache:
            leftover.unlink()
    gate.start()
    again = gate.fetch(symbol)
    assert again.verdict == "hit"
    assert again.etag == first.etag
    assert again.headers["last-modified"] == first.headers["last-modified"]


def test_time_that_no_file_can_have(gate, origin):
    symbol = pdb()
    origin.on(
        symbol.remote,
        Script(symbol.body, head(headers={"Last-Modified": "Fri, 31 Dec 9999 23:59:59 GMT"}), send()),
    )
    first = gate.fetch(symbol)
    gate.check(symbol)
    again = gate.restart().fetch(symbol)
    assert again.verdict == "hit"
    assert again.etag == first.etag
    assert again.headers["last-modified"] == first.headers["last-modified"]


def test_tags_of_two_files_differ(gate, origin):
    one, two = pdb(seed=1), pdb(seed=2)
    for symbol in (one, two):
        origin.on(symbol.remote, good(symbol.body, modified=MODIFIED))
    assert gate.fetch(one).etag != gate.fetch(two).etag


def test_follow_up_names_start_no_search(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    base = f"/symbols/{symbol.name}/{symbol.id}/"
    for name in ("app.pd_", "file.ptr", "FILE.PTR", "App.PD_"):
        answer = gate.get(base + name)
        assert answer.status == 404
        assert answer.headers["x-symgate-verdict"]
    assert origin.count() == 0


def test_follow_up_names_do_not_wait_for_a_search(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("go"), head(), send()))
    waiting = gate.ask(symbol.path)
    origin.wait_at("go")
    assert gate.get(f"/symbols/{symbol.name}/{symbol.id}/app.pd_").status == 404
    origin.open("go")
    assert waiting.answer().body == symbol.body


def test_follow_up_names_that_lie_on_the_shelf(make, origin):
    symbol = pdb()
    archive = gzip.compress(symbol.body)
    gate = make(server(origin))
    folder = gate.cache / "app.pdb" / symbol.id
    folder.mkdir(parents=True)
    (folder / "app.pd_").write_bytes(archive)
    (folder / "file.ptr").write_bytes(b"PATH:\\\\server\\share\\app.pdb")
    gate.start()
    base = f"/symbols/app.pdb/{symbol.id}/"
    assert gate.get(base + "app.pd_").body == archive
    assert gate.get(base + "file.ptr").body == b"PATH:\\\\server\\share\\app.pdb"
    assert origin.count() == 0


@pytest.mark.parametrize("code", [404, 503])
def test_failure_status(start, origin, second, code):
    gate = start(server(origin), general={"failureStatus": code})
    failing, silent = missing(1), missing(2)
    origin.on(failing.remote, status(500))
    origin.on(silent.remote, Script(b"", at_gate("never"), head(404)))
    answer = gate.get(failing.path)
    assert (answer.status, answer.verdict) == (code, "failed")
    answer = gate.get(silent.path, headers={"Symbol-Agent-Receive-Timeout": "1000"})
    assert (answer.status, answer.verdict) == (code, "later")
    assert answer.headers["cache-control"] == "no-store"
    answer = gate.get(missing(3).path)
    assert (answer.status, answer.verdict) == (404, "absent")
    origin.open("never")


def test_no_coding_unless_asked(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    answer = gate.get(symbol.path, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "content-encoding" not in answer.headers
    assert answer.body == symbol.body


def test_source_is_asked_as_microsofts_own_client(gate, origin):
    gate.get(
        missing(1).path,
        headers={"User-Agent": "curious/1.0", "Cookie": "a=b", "Authorization": "Basic eDp5"},
    )
    headers = origin.requests[0].headers
    assert headers["user-agent"] == "Microsoft-Symbol-Server/10.0.10036.206"
    assert "cookie" not in headers and "authorization" not in headers
    assert origin.requests[0].method == "GET"


def test_user_agent_is_configurable(start, origin, second):
    gate = start(server(origin, userAgent="ours/2"), server(second, "two"))
    gate.get(missing(1).path)
    assert origin.requests[0].headers["user-agent"] == "ours/2"
    assert second.requests[0].headers["user-agent"].startswith("Microsoft-Symbol-Server/")


def test_http_10(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    with gate.connect() as connection:
        answer = connection.get(symbol.path, version="1.0", host=None)
        assert answer.status == 200 and answer.body == symbol.body
        assert connection.closed() == b""
    with gate.connect() as connection:
        for _ in range(2):
            answer = connection.get(
                symbol.path, version="1.0", headers={"Connection": "keep-alive"}
            )
            assert answer.body == symbol.body


def test_pipelined_requests_are_answered_in_order(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
    with gate.connect() as connection:
        connection.send(
            request % symbol.path.encode()
            + request % missing(1).path.encode()
            + request % b"/healthz"
            + request % symbol.path.encode()
        )
        assert connection.answer().body == symbol.body
        assert connection.answer().status == 404
        assert connection.answer().status == 200
        assert connection.answer().body == symbol.body


def test_connection_close_is_honoured(gate):
    with gate.connect() as connection:
        answer = connection.get(missing(1).path, headers={"Connection": "close"})
        assert answer.status == 404
        assert connection.closed() == b""


def test_failure_is_not_remembered(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, status(500), good(symbol.body))
    assert gate.get(symbol.path).verdict == "failed"
    gate.fetch(symbol)
    assert origin.count() == 2


def test_many_absences_one_connection(gate, origin):
    with gate.connect() as connection:
        for number in range(200):
            assert connection.get(missing(number).path).verdict == "absent"
    assert origin.count() == 200
    assert gate.metric("symgate_absences") == 200
    gate.wait_metric('symgate_verdicts_total{verdict="absent"}', 200)  # counted once the answer is out
    gate.check()


def test_clock_header(gate):
    date = gate.get("/healthz").headers["date"]
    assert (
        abs(
            time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT"))
            - time.mktime(time.gmtime())
        )
        < 60
    )


def test_query_is_ignored(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.path + "?token=1").body == symbol.body
    assert origin.requests[0].target == symbol.remote.encode()


def test_absent_after_hit_of_other(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body), absent())
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"
    gate.check(symbol)
