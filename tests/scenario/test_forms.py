# SPDX-License-Identifier: MIT
"""Compressed files, pointer files, and what each of them may lead to."""

import gzip
import io
import os
import subprocess
import time
import zipfile

import pytest
from conftest import server
from double.origin import CHUNKED, Script, gate as at_gate, good, head, reset, send, status
from symbols import Symbol, missing, pdb, pe

MIB = 1 << 20
OLD = 1704164645  # files that changed lately are not kept
ALL = ["plain", "compressed", "pointer"]


def packed(symbol):
    """The path of the compressed form."""
    return symbol.remote[:-1] + "_"


def pointer(symbol):
    return symbol.remote.rsplit("/", 1)[0] + "/file.ptr"


def cabinet(symbol, folder):
    (folder / symbol.name).write_bytes(symbol.body)
    target = folder / "out.cab"
    subprocess.run(["gcab", "-c", "-z", "-n", target, symbol.name], cwd=folder, check=True)
    return target.read_bytes()


def zipped(symbol, _folder):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("whatever.bin", symbol.body)
    return out.getvalue()


def gzipped(symbol, _folder):
    return gzip.compress(symbol.body, 1)


@pytest.fixture
def gate(start, origin):
    return start(server(origin, forms=ALL))


@pytest.mark.sanitized
@pytest.mark.parametrize("pack", [cabinet, zipped, gzipped])
@pytest.mark.parametrize("length", [None, CHUNKED], ids=["length", "chunked"])
def test_compressed_form(gate, origin, tmp_path, pack, length):
    symbol = pdb(size=MIB)
    archive = pack(symbol, tmp_path)
    how = head() if length is None else head(length=length)
    origin.on(packed(symbol), Script(archive, how, send()))
    answer = gate.fetch(symbol)
    assert answer.verdict == "fetched"
    assert gate.fetch(symbol).verdict == "hit"
    gate.check(symbol)
    assert [r.path for r in origin.requests] == [symbol.remote, packed(symbol)]


@pytest.mark.parametrize("pack", [cabinet, zipped, gzipped])
def test_archive_under_the_plain_name(gate, origin, tmp_path, pack):
    """What it is shows in its bytes, not in its name."""
    symbol = pe(size=MIB)
    origin.on(symbol.remote, good(pack(symbol, tmp_path)))
    gate.fetch(symbol)
    gate.check(symbol)


def test_plain_file_under_the_compressed_name(gate, origin):
    symbol = pdb()
    origin.on(packed(symbol), good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.sanitized
def test_plain_bytes_come_while_the_archive_arrives(gate, origin):
    symbol = pdb(size=4 * MIB)
    archive = gzip.compress(symbol.body, 1)
    origin.on(packed(symbol), Script(archive, head(), send(len(archive) // 2), at_gate("go"), send()))
    client = gate.ask(symbol.path)
    client.head()
    assert client.read(MIB) == symbol.body[:MIB]
    origin.open("go")
    assert symbol.body[:MIB] + client.rest() == symbol.body
    gate.check(symbol)


@pytest.mark.sanitized
def test_break_within_an_archive_is_taken_up(gate, origin, tmp_path):
    symbol = pdb(size=4 * MIB)
    archive = gzipped(symbol, tmp_path)
    origin.on(
        packed(symbol),
        Script(archive, head(), send(len(archive) * 2 // 3), reset()),
        good(archive),
    )
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[: len(b) // 2], lambda b: b[:-1], lambda b: b[: len(b) // 2] + b"\0" * 9 + b[len(b) // 2 + 9 :]],
    ids=["half", "last byte", "turned"],
)
@pytest.mark.parametrize("pack", [cabinet, zipped, gzipped])
def test_bad_archives_are_never_whole(gate, origin, tmp_path, pack, spoil):
    symbol = pdb(size=MIB)
    archive = pack(symbol, tmp_path)
    origin.on(packed(symbol), good(spoil(archive)))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    gate.check()
    assert gate.get(missing(1).path).verdict == "absent"
    origin.on(packed(symbol), good(archive))
    gate.fetch(symbol)
    gate.check(symbol)


def test_name_without_another_compressed_form_is_asked_for_once(gate, origin):
    symbol = missing(1).spelled(name="app_")
    assert gate.get(symbol.path).verdict == "absent"
    assert [r.path for r in origin.requests] == [symbol.remote, pointer(symbol)]


@pytest.mark.parametrize("name, id", [("app.src.zip", pdb().id), ("lib.dbg.gz", "ab" * 20)])
def test_archive_that_was_asked_for_stays_one(gate, origin, name, id):
    body = gzip.compress(b"something else")
    symbol = Symbol(name, id, body)
    origin.on(symbol.remote, good(body))
    assert gate.fetch(symbol).body == body
    gate.wait_quiet()
    answer = gate.fetch(symbol)
    assert answer.verdict == "hit" and answer.body == body


def test_bomb_within_a_content_coding_is_refused(gate, origin):
    symbol = pdb()
    body = gzip.compress(symbol.body + bytes(128 * MIB), 9)
    origin.on(symbol.remote, Script(body, head(headers=[("Content-Encoding", "gzip")]), send()))
    origin.on(packed(symbol), good(gzip.compress(symbol.body)))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.body == symbol.body, answer
    gate.wait_quiet()
    gate.fetch(symbol)
    gate.check(symbol)
    assert [r.path for r in origin.requests] == [symbol.remote, packed(symbol)]
    assert "is a bomb" in gate.get("/api/v1/quarantine").body.decode()


def test_bomb_is_refused(gate, origin):
    """A PDB, sound as far as it goes, and zeros without end."""
    symbol = pdb()
    archive = gzip.compress(symbol.body + bytes(256 * MIB), 1)
    origin.on(packed(symbol), good(archive))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    gate.wait_quiet()
    gate.check()
    assert "is a bomb" in gate.get("/api/v1/quarantine").body.decode()


def test_forms_are_asked_in_their_order(start, origin):
    gate = start(server(origin, forms=["pointer", "compressed"]))
    symbol = pdb()
    assert gate.get(symbol.path).verdict == "absent"
    assert [r.path for r in origin.requests] == [pointer(symbol), packed(symbol)]
    assert gate.get(symbol.path).verdict == "absent"
    assert origin.count() == 2


def test_compressed_file_in_a_directory(start, tmp_path):
    symbol = pdb(size=MIB)
    store = tmp_path / "store"
    put(store, packed(symbol)[1:], gzip.compress(symbol.body))
    gate = start(server(store, forms=ALL))
    gate.fetch(symbol)
    gate.check(symbol)


# --- pointers ------------------------------------------------------------------------------------


def put(root, path, body):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (OLD, OLD))
    return path


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.mark.sanitized
@pytest.mark.parametrize("text", ["{target}", "PATH:{target} \r\n", "\\\\build\\syms\\x\\app.pdb"])
def test_pointer_into_its_own_tree(start, store, text):
    symbol = pdb()
    target = put(store, "x/app.pdb", symbol.body)
    put(store, pointer(symbol)[1:], text.format(target=target).encode())
    gate = start(
        server("\\\\build\\syms", forms=ALL), general={"pathMap": {"\\\\build\\syms": str(store)}}
    )
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize("text", ["\\\\build\\syms\\x\\app.pdb", "D:\\Syms\\x\\app.pdb"])
@pytest.mark.parametrize("where", ["own tree", "root"])
def test_pointer_written_on_windows_into_a_mounted_tree(start, store, tmp_path, text, where):
    """The server is given as the mount; pathMap knows what the tree is called elsewhere."""
    symbol = pdb()
    tree = store if where == "own tree" else tmp_path / "releases"
    put(tree, "x/app.pdb", symbol.body)
    put(store, pointer(symbol)[1:], text.encode())
    roots = {} if where == "own tree" else {"pointerRoots": [str(tree)]}
    names = {"\\\\build\\syms": str(tree), "D:\\syms\\": f"{tree}/"}
    gate = start(server(store, forms=ALL, **roots), general={"pathMap": names})
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize("text, place", [("..\\..\\x\\app.pdb", "x/app.pdb"), ("real.pdb", None)])
def test_pointer_from_its_folder(start, store, text, place):
    symbol = pdb()
    folder = pointer(symbol)[1:].rsplit("/", 1)[0]
    put(store, place or f"{folder}/real.pdb", symbol.body)
    put(store, pointer(symbol)[1:], text.encode())
    start(server(store, forms=ALL)).fetch(symbol)


def test_pointer_to_a_target_that_exists_compressed_only(start, store):
    symbol = pdb()
    put(store, "x/app.pd_", gzip.compress(symbol.body))
    put(store, pointer(symbol)[1:], f"{store}/x/app.pdb".encode())
    start(server(store, forms=ALL)).fetch(symbol)


@pytest.mark.sanitized
def test_pointer_of_a_server_into_a_root(start, origin, tmp_path):
    symbol = pdb()
    put(tmp_path / "releases", "7/app.pdb", symbol.body)
    origin.on(pointer(symbol), good(b"\\\\build\\releases\\7\\app.pdb"))
    gate = start(
        server(origin, forms=ALL, pointerRoots=["\\\\build\\releases"]),
        general={"pathMap": {"\\\\build\\releases": str(tmp_path / "releases")}},
    )
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "\\\\build\\other\\app.pdb", "C:\\secret\\app.pdb", "..\\..\\..\\secret.pdb",
     "{store}/../secret.pdb", "{store}secret/app.pdb"],
)
def test_pointer_that_leads_elsewhere_is_refused(start, store, tmp_path, target):
    symbol = pdb()
    put(tmp_path, "secret.pdb", symbol.body)
    put(tmp_path, "storesecret/app.pdb", symbol.body)
    put(store, pointer(symbol)[1:], target.format(store=store).encode())
    gate = start(server(store, forms=ALL))
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed" and "pointer" in answer.reason, answer
    assert "pointerRoots" in answer.reason or "pointerRoots" in gate.errors()
    gate.check()


@pytest.mark.parametrize("root", ["\\\\build\\Out", "D:\\out", "{out}"])
@pytest.mark.parametrize("text", ["\\\\build\\out\\app.pdb", "d:\\OUT\\\\app.pdb", "{out}/x/../app.pdb", "{out}/./app.pdb"])
def test_root_and_target_may_be_written_in_different_ways(start, store, tmp_path, root, text):
    symbol = pdb()
    out = tmp_path / "out"
    put(out, "app.pdb", symbol.body)
    put(store, pointer(symbol)[1:], text.format(out=out).encode())
    names = {"\\\\build\\out": str(out), "D:\\out": str(out)}
    gate = start(server(store, forms=ALL, pointerRoots=[root.format(out=out)]), general={"pathMap": names})
    gate.fetch(symbol)


def test_relative_pointer_into_a_root(start, store, tmp_path):
    """It leads out of its tree, and into another one that is allowed."""
    symbol, other = pdb(), pdb("other.pdb")
    put(tmp_path / "out", "app.pdb", symbol.body)
    put(tmp_path / "else", "other.pdb", other.body)
    put(store, pointer(symbol)[1:], b"..\\..\\..\\out\\app.pdb")
    put(store, pointer(other)[1:], b"..\\..\\..\\else\\other.pdb")
    gate = start(server(store, forms=ALL, pointerRoots=[str(tmp_path / "out")]))
    gate.fetch(symbol)
    answer = gate.get(other.path)
    assert answer.verdict == "failed" and f'leads to "{tmp_path}/else/other.pdb"' in answer.reason, answer
    gate.check(symbol)


def test_text_made_of_a_file_is_not_pointed_at(gate, origin):
    """The file.ptr of its folder is the file's own."""
    symbol = pdb()
    origin.on(pointer(symbol), good(b"real.pdb"))
    origin.on(pointer(symbol).replace("file.ptr", "real.pdb"), good(symbol.body))
    text = f"/symbols/{symbol.name}/{symbol.id}/app.sym"
    for _ in range(2):
        assert gate.get(text).verdict == "absent"
    assert not origin.count(pointer(symbol))
    gate.fetch(symbol)


@pytest.mark.parametrize("text", ["file.ptr", "..\\..\\x\\File.PTR", "{store}/x/file.ptr"])
def test_pointer_to_a_pointer_is_refused(start, store, text):
    """Its text would be taken for a file of a kind that cannot be checked."""
    symbol = Symbol("notes.dat", "abc", b"\1\2\3")
    put(store, "x/file.ptr", b"..\\app.pdb")
    put(store, pointer(symbol)[1:], text.format(store=store).encode())
    answer = start(server(store, forms=ALL)).get(symbol.path)
    assert answer.verdict == "failed" and "another pointer" in answer.reason, answer


def test_dead_pointer_is_no_file(start, store):
    symbol = pdb()
    put(store, pointer(symbol)[1:], b"..\\..\\gone.pdb")
    assert start(server(store, forms=ALL)).get(symbol.path).verdict == "absent"


def test_message_reaches_the_client(gate, origin):
    symbol = pdb()
    origin.on(pointer(symbol), good(b"MSG: Ask Ann for it\r\n"))
    for _ in range(2):  # also while its no is remembered
        answer = gate.get(symbol.path)
        assert answer.verdict == "absent" and "Ask Ann for it" in answer.reason, answer
    assert origin.count() == 3
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    origin.on(pointer(symbol), status(404))
    for _ in range(2):
        assert "Ann" not in gate.get(symbol.path).reason


def test_message_counts_as_long_as_its_servers_no(start, origin, second):
    """Whatever the other servers said, and whatever spelling another client asked for."""
    symbol = pdb()
    gate = start(server(origin, forms=ALL, retryTimeout=3600), server(second, "two", retryTimeout=1))
    origin.on(pointer(symbol), good(b"MSG: Ask Ann for it"))
    second.on(symbol.remote, status(500), status(404))
    assert gate.get(symbol.path).verdict == "failed"
    assert "Ask Ann" in gate.get(symbol.path).reason
    assert "Ann" not in gate.get(symbol.spelled(name="APP.PDB").path).reason
    time.sleep(1.2)
    before = second.count()
    assert "Ask Ann" in gate.get(symbol.path).reason
    assert second.count() == before + 1


@pytest.mark.sanitized
def test_no_longer_indexed_ends_the_search_where_it_is_told_to(start, origin, second):
    """As Microsoft's SymProxy: the other servers are not asked, now and while it is remembered."""
    symbol, other = pdb(), pdb("other.pdb")
    gate = start(
        server(origin, forms=ALL, noLongerIndexedAuthoritative=True), server(second, "two")
    )
    for each in (symbol, other):
        second.on(each.remote, good(each.body))
    origin.on(pointer(symbol), good(b"MSG: NoLongerIndexed\r\n"))
    origin.on(pointer(other), good(b"MSG: Ask Ann for it\r\n"))
    for count in (3, 3):
        answer = gate.get(symbol.path)
        assert answer.verdict == "absent" and "NoLongerIndexed" in answer.reason, answer
        assert (origin.count(), second.count()) == (count, 0)
    gate.restart()
    assert gate.get(symbol.path).verdict == "absent"
    assert (origin.count(), second.count()) == (3, 0)
    assert gate.fetch(other).headers["x-symgate-source"] == "two"


def test_no_longer_indexed_is_one_servers_no_by_default(start, origin, second):
    symbol = pdb()
    gate = start(server(origin, forms=ALL), server(second, "two"))
    origin.on(pointer(symbol), good(b"MSG: NoLongerIndexed"))
    second.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).headers["x-symgate-source"] == "two"
    gate.check(symbol)


@pytest.mark.parametrize("body", [b"", b"\0\1\2", b"x" * 5000, b"<html><body>sign in</body></html>"])
def test_what_is_no_pointer_is_a_failure(gate, origin, body):
    symbol = pdb()
    origin.on(pointer(symbol), good(body))
    assert gate.get(symbol.path).verdict == "failed"
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)


# --- one form is refused, another is not ---------------------------------------------------------


SPANNED = b"MSCF" + bytes(26) + b"\x04" + bytes(40)


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "false", [SPANNED, b"<html><body>sign in</body></html>", gzip.compress(b"x" * 9000)[:-9]],
    ids=["damaged", "web page", "cut"],
)
def test_refused_archive_leads_to_the_plain_file(start, origin, false):
    symbol = pdb(size=MIB)
    gate = start(server(origin, forms=["compressed", "plain"]))
    origin.on(packed(symbol), good(false))
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)
    assert [r.path for r in origin.requests] == [packed(symbol), symbol.remote]


@pytest.mark.sanitized
@pytest.mark.parametrize("where", ["server", "directory"])
def test_refused_plain_file_leads_to_the_archive(start, origin, store, where):
    symbol, other = pdb(size=MIB), pdb(size=MIB, seed=2)
    bodies = {symbol.remote: other.body, packed(symbol): gzip.compress(symbol.body)}
    for path, body in bodies.items():
        put(store, path[1:], body)
        origin.on(path, good(body))
    gate = start(server(origin if where == "server" else store, forms=ALL))
    first = gate.get(symbol.path)
    assert first.broken or first.body == symbol.body, first  # it may have come too late for this one
    gate.wait_quiet()
    gate.fetch(symbol)
    gate.check(symbol)
    assert origin.count() == (2 if where == "server" else 0)


def test_refused_form_beside_absent_ones_is_no_absence(start, origin):
    """What it has is false: that is told as a failure, and asked for again."""
    symbol, other = pdb(), pdb(seed=2)
    gate = start(server(origin, forms=ALL))
    origin.on(symbol.remote, good(other.body))
    for _ in range(2):
        assert gate.get(symbol.path).verdict == "failed"
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


def test_forms_that_were_absent_are_not_asked_for_again(gate, origin):
    symbol = pdb()
    origin.on(packed(symbol), good(b"<html><body>x</body></html>"))
    assert gate.get(symbol.path).verdict == "failed"
    assert [r.path for r in origin.requests] == [symbol.remote, packed(symbol), pointer(symbol)]


def test_every_form_is_refused_once(start, origin, second):
    symbol, other = pdb(), pdb(seed=2)
    gate = start(server(origin, forms=["plain", "compressed"]), server(second, "two"))
    origin.on(symbol.remote, good(other.body))
    origin.on(packed(symbol), good(gzip.compress(symbol.body)[:-9]))
    second.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).headers["x-symgate-source"] == "two"
    assert [r.path for r in origin.requests] == [symbol.remote, packed(symbol)]
    gate.check(symbol)


# --- identity ------------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_another_symbol_ends_broken_and_is_not_kept(start, origin):
    gate = start(server(origin))
    symbol, other = pdb(size=4 * MIB), pdb(size=4 * MIB, seed=2)
    origin.on(symbol.remote, good(other.body))
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    gate.check()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.sanitized
def test_false_body_leads_to_the_next_server(start, origin, second):
    gate = start(server(origin), server(second, "two"))
    symbol, other = pdb(), pdb(seed=2)
    origin.on(symbol.remote, good(other.body))
    second.on(symbol.remote, good(symbol.body))
    answer = gate.fetch(symbol)
    assert answer.headers["x-symgate-source"] == "two"
    gate.check(symbol)


def test_higher_age_is_taken_and_a_lower_one_is_not(start, origin):
    gate = start(server(origin))
    newer = pdb(age=4)
    asked = newer.spelled(id=newer.id[:32] + "2")
    origin.on(asked.remote, good(newer.body))
    gate.fetch(asked)
    older = pdb("older.pdb", age=1)
    asked = older.spelled(id=older.id[:32] + "2")
    origin.on(asked.remote, good(older.body))
    assert gate.get(asked.path).verdict == "failed"
