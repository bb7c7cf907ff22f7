# SPDX-License-Identifier: MIT
"""Trees of other programs hold compressed files and pointers: as a cache they are read like a server that is asked first."""

import gzip
import json
import subprocess

import pytest
from conftest import server
from double.origin import good
from program import ROOT, wait_until
from symbols import missing, pdb, pe
from test_adopted import touch

MIB = 1 << 20
MAKE_CABINET = ROOT / "build/tests/unit/codec/make_cabinet"


def put(root, path, body, age=3600):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    touch(path, age)
    return path


def gcab(symbol, folder):
    (folder / symbol.name).write_bytes(symbol.body)
    subprocess.run(["gcab", "-c", "-z", "-n", "out.cab", symbol.name], cwd=folder, check=True)
    return (folder / "out.cab").read_bytes()


def lzx(symbol, folder):
    (folder / symbol.name).write_bytes(symbol.body)
    subprocess.run([MAKE_CABINET, "lzx", folder / symbol.name, folder / "out.cab"], check=True)
    return (folder / "out.cab").read_bytes()


def gzipped(symbol, _folder):
    return gzip.compress(symbol.body, 1)


def folder_of(symbol):
    return symbol.shelved.rsplit("/", 1)[0]


def packed(symbol):
    return symbol.shelved[:-1] + "_"


def kept(gate, symbol):
    """The plain file lies in its place, and is a hit from then on."""
    gate.wait_quiet()
    assert gate.shelf_files()[symbol.shelved] == symbol.body
    assert gate.fetch(symbol).verdict == "hit"


@pytest.mark.sanitized
@pytest.mark.parametrize("pack", [gcab, lzx, gzipped])
@pytest.mark.parametrize("make_symbol", [pdb, pe])
def test_compressed_file(make, origin, tmp_path, pack, make_symbol):
    symbol = make_symbol(size=MIB)
    archive = pack(symbol, tmp_path)
    gate = make(server(origin))
    put(gate.cache, packed(symbol), archive)
    gate.start()
    answer = gate.fetch(symbol)
    assert answer.verdict == "fetched" and answer.headers["x-symgate-source"] == "cache"
    kept(gate, symbol)
    # Under its own name it is what it was.
    own = gate.get("/symbols/" + packed(symbol))
    assert own.status == 200 and own.body == archive
    gate.restart()
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 0
    wait_until(
        lambda: '"server": "cache"' in gate.get(f"/api/v1/provenance?name={symbol.name}&id={symbol.id}").body.decode(),
        "where it came from",
    )


@pytest.mark.parametrize(
    "tiers, place",
    [
        (1, "{name}/{id}/{packed}"),
        (1, "{NAME}/{lower}/{PACKED}"),
        (2, "{name}/{id}/{packed}"),
        (2, "{NAME}/{lower}/{PACKED}"),
        (2, "{tier}/{name}/{id}/{packed}"),
        (2, "{TIER}/{NAME}/{lower}/{PACKED}"),
    ],
)
@pytest.mark.parametrize("pointed", [False, True])
def test_every_case_and_tier(make, origin, tiers, place, pointed):
    symbol = pdb()
    file = "file.ptr" if pointed else packed(symbol).rsplit("/", 1)[1]
    names = {"name": symbol.name, "NAME": symbol.name.upper(), "id": symbol.id, "lower": symbol.id.lower()}
    names |= {"packed": file, "PACKED": file.upper(), "tier": symbol.name[:2], "TIER": symbol.name[:2].upper()}
    gate = make(server(origin))
    if tiers == 2:
        put(gate.cache, "index2.txt", b"")
    body = gzip.compress(symbol.body)
    if pointed:
        body = str(put(gate.cache, "x/y.bin", symbol.body)).encode()
    put(gate.cache, place.format(**names), body)
    gate.start()
    own = gate.get(f"/symbols/{symbol.name}/{symbol.id}/{file}")
    assert own.verdict == "hit" and own.body == body, own
    assert gate.fetch(symbol).verdict == "fetched"
    assert gate.get(missing(1, symbol.name).path).verdict == "absent"
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 1  # what is nowhere


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "text",
    ["{cache}/x/app.pdb", "PATH:{cache}/x/app.pdb\r\n", "..\\..\\x\\app.pdb", "\\\\build\\cache\\x\\app.pdb", "D:\\all\\gate1\\cache\\x\\app.pdb"],
)
@pytest.mark.parametrize("target", ["x/app.pdb", "x/app.pd_"])
def test_pointer_below_its_own_shelf(make, origin, tmp_path, text, target):
    symbol = pdb()
    gate = make(server(origin))
    gate.config["general"]["pathMap"] = {"\\\\build\\cache": str(gate.cache), "D:\\all\\": str(tmp_path)}
    put(gate.cache, target, symbol.body if target.endswith("b") else gzip.compress(symbol.body))
    put(gate.cache, folder_of(symbol) + "/file.ptr", text.format(cache=gate.cache).encode())
    gate.start()
    assert gate.fetch(symbol).verdict == "fetched"
    kept(gate, symbol)
    assert origin.count() == 0


ELSEWHERE = ["/etc/passwd", "{tmp}/secret/app.pdb", "\\\\build\\secret\\app.pdb", "..\\..\\..\\..\\secret\\app.pdb", "{cache}/../../secret/app.pdb", "{cache}secret/app.pdb"]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_pointer_that_leads_elsewhere_is_passed_over(make, origin, tmp_path, text):
    """pathMap says where things lie, and not that a file in a cache may lead there."""
    symbol = pdb()
    gate = make(server(origin))
    gate.config["general"]["pathMap"] = {"\\\\build\\secret": str(tmp_path / "secret")}
    put(tmp_path, "secret/app.pdb", symbol.body)
    put(gate.folder, "cachesecret/app.pdb", symbol.body)
    put(gate.cache, folder_of(symbol) + "/file.ptr", text.format(cache=gate.cache, tmp=tmp_path).encode())
    gate.start()
    answer = gate.get(symbol.path)
    assert answer.verdict == "absent" and "pointer" in answer.reason, answer
    assert origin.count() == 1
    answer = gate.get(symbol.path)
    assert answer.verdict == "absent" and origin.count() == 1
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    put(gate.cache, folder_of(symbol) + "/file.ptr", b"/etc/passwd")
    origin.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).headers["x-symgate-source"] == "one"
    kept(gate, symbol)


def test_pointer_on_a_servers_own_shelf(make, origin, second, tmp_path):
    """It may lead where this server's may."""
    symbol, other = pdb(), pdb("other.pdb")
    own = tmp_path / "own"
    put(tmp_path, "releases/7/app.pdb", symbol.body)
    put(tmp_path, "releases/7/other.pdb", other.body)
    gate = make(
        server(origin, cacheLocation=str(own), pointerRoots=["\\\\build\\releases"]),
        server(second, "two"),
        general={"pathMap": {"\\\\build\\releases": str(tmp_path / "releases")}},
    )
    put(own, folder_of(symbol) + "/file.ptr", b"\\\\build\\releases\\7\\app.pdb")
    put(gate.cache, folder_of(other) + "/file.ptr", b"\\\\build\\releases\\7\\other.pdb")
    gate.start()
    assert gate.fetch(symbol).verdict == "fetched"
    gate.wait_quiet()
    assert (own / symbol.shelved).read_bytes() == symbol.body
    assert gate.get(other.path).verdict == "absent"
    gate.hang_up()
    wait_until(lambda: "is in force" in gate.errors(), "the reload")
    put(own, folder_of(pe()) + "/file.ptr", b"\\\\build\\releases\\app.dll")
    put(tmp_path, "releases/app.dll", pe().body)
    assert gate.fetch(pe()).verdict == "fetched"


def test_dead_pointers_and_messages(make, origin):
    dead, told = pdb("dead.pdb"), pdb("told.pdb")
    gate = make(server(origin))
    put(gate.cache, folder_of(dead) + "/file.ptr", b"..\\..\\gone.pdb")
    put(gate.cache, folder_of(told) + "/file.ptr", b"MSG: Ask Ann for it")
    gate.start()
    assert gate.get(dead.path).verdict == "absent"
    answer = gate.get(told.path)
    assert answer.verdict == "absent" and "Ask Ann for it" in answer.reason
    assert origin.count() == 2


def test_archive_that_is_larger_than_the_spill(make, origin, tmp_path):
    """It cannot be told what is in it: it is not handed out as it is, but expanded onto the shelf, and checked there."""
    big, plain = pdb("big.pdb", size=3 * MIB), pdb("plain.pdb", size=3 * MIB)
    gate = make(server(origin), general={"spillLimit": "1 MiB"})
    archive = gzipped(big, tmp_path)
    put(gate.cache, packed(big), archive)
    put(gate.cache, plain.shelved, gzipped(plain, tmp_path))
    gate.start()
    assert gate.get("/symbols/" + packed(big)).status == 404
    for symbol in (big, plain):
        assert gate.fetch(symbol).body == symbol.body
        kept(gate, symbol)
    assert origin.count() == 0


@pytest.mark.sanitized
@pytest.mark.parametrize("spoil", ["another", "half", "page", "text"])
def test_false_form_is_not_handed_out(make, origin, tmp_path, spoil):
    """A client that asks for the compressed file itself gets none that is not what it should be."""
    symbol = pdb(size=MIB)
    gate = make(server(origin))
    body = {
        "another": gzipped(pdb(size=MIB, seed=2), tmp_path),
        "half": gcab(symbol, tmp_path)[:9999],
        "page": b"<html>sign in</html>",
        "text": b"not here any more",
    }[spoil]
    put(gate.cache, packed(symbol), body)
    gate.start()
    for _ in range(2):
        own = gate.get("/symbols/" + packed(symbol))
        assert own.status == 404 and own.verdict == "absent", own
    assert origin.count() == 0
    wait_until(lambda: "is not what its name says" in gate.errors(), "the line in the log")
    assert gate.metric("symgate_shelf_false_total") == 1


@pytest.mark.parametrize("pack", [gcab, gzipped])
def test_archive_under_the_plain_name(make, origin, tmp_path, pack):
    """What it is shows in its bytes: it is expanded, and the plain file takes its place."""
    symbol = pdb(size=MIB)
    gate = make(server(origin))
    put(gate.cache, symbol.shelved, pack(symbol, tmp_path))
    gate.start()
    assert gate.fetch(symbol).body == symbol.body
    kept(gate, symbol)
    assert origin.count() == 0


@pytest.mark.sanitized
@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"<html>sign in</html>"], ids=["half", "empty", "page"])
def test_bad_archive_is_passed_over(make, origin, tmp_path, spoil):
    symbol = pdb(size=MIB)
    gate = make(server(origin))
    put(gate.cache, packed(symbol), spoil(gcab(symbol, tmp_path)))
    origin.on(symbol.remote, good(symbol.body))
    gate.start()
    answer = gate.get(symbol.path)
    assert answer.broken or answer.body == symbol.body
    assert gate.fetch(symbol).body == symbol.body
    kept(gate, symbol)
    found = wait_until(lambda: json.loads(gate.get("/api/v1/quarantine").body), "the record")
    assert [r["server"] for r in found] == ["cache"]


@pytest.mark.parametrize("name", ["packed", "plain"])
def test_bad_archive_is_read_once_and_told_of(make, origin, tmp_path, name):
    """What it is, is known then: the next request does not read it, and a pointer beside it is followed."""
    symbol = pdb(size=64 * 1024)
    gate = make(server(origin))
    path = put(gate.cache, packed(symbol) if name == "packed" else symbol.shelved, gcab(symbol, tmp_path)[:9999])
    gate.start()
    for _ in range(2):
        assert gate.get(symbol.path).verdict == "absent"
    wait_until(lambda: gate.metric("symgate_shelf_false_total") == 1, "the check")
    told = json.loads(gate.get(f"/api/v1/explain?name={symbol.name}&id={symbol.id}").body)["now"]
    assert told["shelves"][0]["state"] == "false" and told["would"] == "absent", told
    put(gate.cache, folder_of(symbol) + "/file.ptr", str(put(gate.cache, "x/y.bin", symbol.body)).encode())
    gate.restart()
    assert gate.fetch(symbol).body == symbol.body
    kept(gate, symbol)
    assert path.exists()


def test_file_is_checked_under_each_name(make, origin, tmp_path):
    """An archive that was good as such is not the plain file, whatever it is called then."""
    symbol = pdb(size=MIB)
    archive = gcab(symbol, tmp_path)
    gate = make(server(origin))
    path = put(gate.cache, packed(symbol), archive)
    gate.start()
    assert gate.get("/symbols/" + packed(symbol)).body == archive
    path.rename(gate.cache / symbol.shelved)
    for _ in range(2):
        assert gate.fetch(symbol).body == symbol.body
        gate.wait_quiet()


@pytest.mark.parametrize("size", [MIB, 64 * 1024])
def test_other_file_in_an_archive(make, origin, tmp_path, size):
    symbol = pdb(size=size)
    gate = make(server(origin))
    put(gate.cache, packed(symbol), gcab(pdb(size=size, seed=2), tmp_path))
    gate.start()
    answer = gate.get(symbol.path)
    assert answer.broken or answer.verdict == "failed", answer
    gate.wait_quiet()
    origin.on(symbol.remote, good(symbol.body))
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    assert gate.fetch(symbol).verdict == "fetched"
    kept(gate, symbol)


def test_filters(make, origin):
    """A cache is asked where servers may not be, as for plain files; what is never answered is not."""
    symbol, forbidden, bad = pdb(), pdb("forbidden.pdb"), pdb("bad.pdb")
    gate = make(server(origin, whitelist=[]), general={"blacklist": ["forbidden"]})
    for each in (symbol, forbidden):
        put(gate.cache, packed(each), gzip.compress(each.body))
    put(gate.cache, packed(bad), b"")
    gate.start()
    assert gate.fetch(symbol).verdict == "fetched"
    assert gate.get(forbidden.path).verdict == "excluded"
    assert gate.get(bad.path).verdict == "excluded"
    assert gate.get(missing(1).path).verdict == "excluded"
    assert origin.count() == 0


def test_forget_removes_every_form(make, origin):
    symbol = pdb()
    gate = make(server(origin))
    put(gate.cache, packed(symbol), gzip.compress(symbol.body))
    put(gate.cache, folder_of(symbol) + "/file.ptr", b"x")
    gate.start()
    gate.fetch(symbol)
    gate.wait_quiet()
    answer = gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    assert json.loads(answer.body)["files"] == 3
    assert gate.get(symbol.path).verdict == "absent"
    gate.check()


def test_text_made_of_a_symbol_file(make, origin):
    """The text's compressed form is found beside those of the file itself."""
    symbol = pdb()
    text = f"MODULE windows x86_64 {symbol.id} {symbol.name}\nPUBLIC 10 0 main\n".encode()
    gate = make(server(origin))
    path = f"/symbols/{symbol.name}/{symbol.id}/app.sym"
    put(gate.cache, folder_of(symbol) + "/file.ptr", b"..\\..\\x.bin")
    put(gate.cache, "x.bin", symbol.body)
    gate.start()
    assert gate.get(path).verdict == "absent"
    put(gate.cache, folder_of(symbol) + "/app.sy_", gzip.compress(text))
    assert gate.fetch(symbol).verdict == "fetched"
    answer = wait_until(lambda: (gate.get(path).status == 200 and gate.get(path)), "the text")
    assert answer.body == text


def test_many_ask_at_once(make, origin):
    symbol = pdb(size=4 * MIB)
    gate = make(server(origin))
    put(gate.cache, packed(symbol), gzip.compress(symbol.body, 1))
    gate.start()
    answers = [gate.get_later(symbol.path) for _ in range(30)]
    assert all(answer.result().body == symbol.body for answer in answers)
    kept(gate, symbol)
    assert gate.metric("symgate_searches_total") == 1
