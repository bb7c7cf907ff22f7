# SPDX-License-Identifier: MIT
"""Real symbol files, a real server as source, and the request sequences of real clients."""

import os
import pathlib
import struct
import subprocess
import uuid

import pytest
from conftest import server
from double.origin import Script, good, head, send
from double.origin import gate as at_gate
from program import ROOT, material_folder
from symbols import MSF_MAGIC, Symbol, pdb, portable_pdb, portable_sum

MIB = 1 << 20


def pdb_id(data):
    """GUID and age as a symbol store names them: the age stands in the DBI stream."""
    page, _, _, size, _, map_page = struct.unpack_from("<IIIIII", data, 32)
    pages = struct.unpack_from(f"<{-(-size // page)}I", data, map_page * page)
    directory = b"".join(data[p * page : (p + 1) * page] for p in pages)[:size]
    count = struct.unpack_from("<I", directory)[0]
    sizes = [0 if s == 0xFFFFFFFF else s for s in struct.unpack_from(f"<{count}I", directory, 4)]
    at, firsts = 4 + 4 * count, []
    for length in sizes:
        firsts.append(struct.unpack_from("<I", directory, at)[0] if length else None)
        at += 4 * -(-length // page)
    info, dbi = firsts[1] * page, firsts[3] * page
    guid = uuid.UUID(bytes_le=data[info + 12 : info + 28])
    return guid.hex.upper() + f"{struct.unpack_from('<I', data, dbi + 8)[0]:x}"


def pe_id(data):
    at = struct.unpack_from("<I", data, 0x3C)[0]
    stamp, image = (struct.unpack_from("<I", data, at + offset)[0] for offset in (8, 80))
    return f"{stamp:08X}{image:x}"


@pytest.fixture(scope="module")
def real():
    """Every real PDB and PE of the material, by folder and name."""
    folder = material_folder()
    if not folder:
        pytest.skip("no material: run tools/fetch_material")
    found = {}
    for path in sorted(folder.glob("node-pty-*/prebuilds/win32-*/**/*")):
        data = path.read_bytes() if path.is_file() else b""
        kind = path.relative_to(folder).parts[2]
        if data.startswith(MSF_MAGIC):
            found[kind, path.name] = Symbol(path.name, pdb_id(data), data)
        elif data.startswith(b"MZ"):
            found[kind, path.name] = Symbol(path.name, pe_id(data), data)
    assert len(found) >= 14
    return found


def publish(folder, symbols):
    for symbol in symbols:
        path = folder / symbol.remote[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(symbol.body)


def test_known_ids(real):
    assert real["win32-x64", "pty.pdb"].id == "94AD5C4B9A1E4420AB047F672A23E48A1"
    assert real["win32-x64", "pty.node"].id == "69485EA151000"


@pytest.mark.sanitized
@pytest.mark.parametrize("prefix", ["", "/gzip", "/moved", "/slow"])
def test_real_files_from_a_real_server(start, nginx, real, prefix):
    url, folder, _ = nginx
    publish(folder, real.values())
    gate = start(server(url + prefix))
    answers = {where: gate.get_later(symbol.path) for where, symbol in real.items()}
    for where, symbol in real.items():
        answer = answers[where].result()
        assert answer.status == 200 and answer.body == symbol.body, (where, answer)
    for symbol in real.values():
        assert gate.fetch(symbol).verdict == "hit"
    gate.check(*real.values())
    assert gate.get("/symbols/no.pdb/" + "A" * 33 + "/no.pdb").verdict == "absent"


def test_real_server_refuses_and_fails(start, nginx, real):
    url, _, _ = nginx
    gate = start(server(url + "/closed"), general={})
    symbol = real["win32-x64", "pty.pdb"]
    assert gate.get(symbol.path).verdict == "failed"
    gate.check()


def test_real_files_from_a_directory(start, tmp_path, real):
    publish(tmp_path / "store", real.values())
    gate = start(server(tmp_path / "store"))
    for symbol in real.values():
        assert gate.fetch(symbol).verdict == "local"


def test_one_name_several_ids(start, origin, real):
    gate = start(server(origin))
    both = [real[arch, "pty.pdb"] for arch in ("win32-x64", "win32-arm64")]
    for symbol in both:
        origin.on(symbol.remote, good(symbol.body))
    for symbol in both:
        gate.fetch(symbol)
    gate.check(*both)


def test_symsrv_sequence(start, origin, real):
    """As Windows debuggers ask: the tier mark, then the file; for a miss all three forms."""
    gate = start(server(origin))
    symbol = real["win32-x64", "pty.pdb"]
    origin.on(symbol.remote, good(symbol.body))
    headers = [
        ("Accept-Encoding", "gzip"),
        ("User-Agent", "Microsoft-Symbol-Server/10.0.10036.206"),
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("Connection", "Keep-Alive"),
    ]
    base = f"/symbols/nothere.pdb/{symbol.id}"
    with gate.connect() as connection:
        assert connection.get("//symbols//index2.txt", headers=headers).status == 404
        assert connection.get("/symbols//index2.txt", headers=headers).status == 404
        answer = connection.get(symbol.path, headers=headers)
        assert answer.body == symbol.body and "content-encoding" not in answer.headers
        for name in ("nothere.pdb", "nothere.pd_", "file.ptr"):
            assert connection.get(f"{base}/{name}", headers=headers).status == 404
        assert connection.get(symbol.path, headers=headers).verdict == "hit"
    assert origin.count() == 2, "one question a symbol, whatever the number of forms"


def test_visual_studio_sequence(start, origin):
    """As symsrv, and for a portable PDB with the image's age, then without one, both with the sum of the wanted build."""
    gate = start(server(origin))
    symbol = portable_pdb("vs.pdb")
    origin.on(symbol.remote, good(symbol.body))
    headers = [
        ("User-Agent", "Microsoft-Symbol-Server/10.0.10036.206"),
        ("SymbolChecksum", portable_sum(symbol)),
    ]
    with gate.connect() as connection:
        aged = symbol.spelled(id=symbol.id[:32] + "1")
        for name in ("vs.pdb", "vs.pd_", "file.ptr"):
            assert connection.get(f"/symbols/vs.pdb/{aged.id}/{name}", headers=headers).status == 404
        answer = connection.get(symbol.path, headers=headers)
        assert answer.body == symbol.body and answer.verdict == "fetched"
    hung_up = pdb("background.pdb", size=2 * MIB)
    origin.on(hung_up.remote, Script(hung_up.body, head(), send(MIB), at_gate("hold"), send()))
    gave_up = gate.ask(hung_up.path)
    origin.wait_at("hold")
    gave_up.close()  # a look-up in the background, given up early
    origin.open("hold")
    gate.wait_quiet()
    assert gate.fetch(hung_up).verdict == "hit"
    assert origin.count(hung_up.remote) == 1


def test_symbolicator_sequence(start, origin, real):
    """As Sentry's Symbolicator asks: compressed and plain name at the same time, a first range of 128 MiB, then the rest."""
    gate = start(server(origin))
    symbol = real["win32-x64", "pty.pdb"]
    origin.on(symbol.remote, good(symbol.body))
    headers = {
        "Accept": "*/*",
        "User-Agent": "symbolicator/25.1.0",
        "Range": "bytes=0-134217727",
        "Accept-Encoding": "identity",
    }
    packed = gate.get_later(symbol.path[:-1] + "_", headers=headers)
    plain = gate.get_later(symbol.path, headers=headers)
    assert packed.result().status == 404
    answer = plain.result()
    size = len(symbol.body)
    assert answer.status == 206 and answer.body == symbol.body
    assert answer.headers["content-range"] == f"bytes 0-{size - 1}/{size}"
    assert "content-encoding" not in answer.headers
    parts = [
        gate.get(symbol.path, headers={**headers, "Range": f"bytes={first}-{last}"})
        for first, last in ((0, 999), (1000, size // 2), (size // 2, size - 1))
    ]
    assert all(part.status == 206 for part in parts)
    assert parts[0].body + parts[1].body == symbol.body[: size // 2 + 1]
    assert parts[2].body == symbol.body[size // 2 :]
    missing = [
        gate.get(path, headers=headers)
        for path in (
            f"/symbols/nothere.pdb/{symbol.id}/nothere.pd_",
            f"/symbols/nothere.pdb/{symbol.id}/nothere.pdb",
            "/symbols/_.debug/elf-buildid-sym-" + "ab" * 20 + "/_.debug",
        )
    ]
    assert [answer.status for answer in missing] == [404] * 3, "a client error is a calm no to it"
    # the sources of a module, which no symbol store has
    assert 400 <= gate.get(f"/symbols/pty.pdb/{symbol.id}/pty.src.zip", headers=headers).status < 500
    assert origin.count(symbol.remote) == 1


def test_dotnet_symbol_sequence(start, origin, real):
    """Escaped slashes, folded names, no header but Host, a checksum that sticks."""
    gate = start(server(origin))
    image, symbol = real["win32-x64", "pty.node"], real["win32-x64", "pty.pdb"]
    asked = [image, symbol.spelled(id=symbol.id[:32].lower() + symbol.id[32:])]
    for one in asked:
        origin.on(one.remote, good(one.body))
    with gate.connect() as connection:
        sums = []
        for one in asked:
            answer = connection.get(
                "/symbols/" + f"{one.name}/{one.id}/{one.name}".replace("/", "%2F"), headers=sums
            )
            assert answer.status == 200 and answer.body == one.body
            sums.append(("SymbolChecksum", f"SHA256:{len(sums):064x}"))
        missing = "hello%2Felf-buildid-" + "ab" * 20 + "%2Fhello"
        assert connection.get("/symbols/" + missing, headers=sums).status == 404
        missing = "_.debug%2Felf-buildid-sym-" + "ab" * 20 + "%2F_.debug"
        assert connection.get("/symbols/" + missing, headers=sums).status == 404
    gate.check(image, symbol)


def test_perfview_sequence(start, origin, real):
    """All forms, then all with a tier before them."""
    gate = start(server(origin))
    symbol = real["win32-x64", "conpty.pdb"]
    for tier in ("", f"{symbol.name[:2].upper()}/"):
        for name in (symbol.name, symbol.name[:-1] + "_", "file.ptr"):
            answer = gate.get(
                f"/symbols/{tier}{symbol.name}/{symbol.id}/{name}",
                headers={"Accept": "application/msfz0", "User-Agent": "PerfView/3.0"},
            )
            assert answer.status == 404, name
    assert origin.count() == 1
    origin.on(symbol.remote, good(symbol.body))
    gate.get(f"/api/v1/forget?name={symbol.name}&id={symbol.id}", method="POST")
    answer = gate.get(f"/symbols/{symbol.name[:2].upper()}{symbol.remote}")
    assert answer.body == symbol.body
    assert answer.headers["content-type"] == "application/octet-stream"


def test_ghidra_sequence(start, origin, real):
    """HEAD to the root, for the tier, for the file; then GET."""
    gate = start(server(origin))
    symbol = real["win32-x64", "winpty.pdb"]
    origin.on(symbol.remote, good(symbol.body))
    headers = {"User-Agent": "Ghidra_HttpSymbolServer_client"}
    assert gate.get("/symbols/", method="HEAD", headers=headers).status == 200
    assert gate.get("/symbols/pingme.txt", method="HEAD", headers=headers).status == 200
    assert gate.get("/symbols/index2.txt", method="HEAD", headers=headers).status == 404
    answer = gate.get(symbol.path, method="HEAD", headers=headers)
    assert answer.status == 200 and answer.headers["content-length"] == str(len(symbol.body))
    assert gate.get(symbol.path, headers=headers).body == symbol.body
    assert origin.count() == 1


def test_breakpad_sequence(start, origin):
    """As minidump-stackwalk asks: the debug file's name, escaped or with the path of the machine that built it, and the .sym of it."""
    gate = start(server(origin))
    text = b"MODULE Linux x86_64 5A9832E5287241C1838ED98914E9B7FF1 test_app\nFILE 0 a.c\n"
    cases = {
        "/symbols/Electron%20Framework/5A9832E5287241C1838ED98914E9B7FF1/Electron%20Framework.sym": "/Electron%20Framework/5A9832E5287241C1838ED98914E9B7FF1/Electron%20Framework.sym",
        "/symbols/c%3A%5Ctest_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/c%3A%5Ctest_app.sym": "/test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.sym",
    }
    for asked, remote in cases.items():
        origin.on(remote, good(text))
        assert gate.get(asked).body == text, asked
        assert gate.get(asked).verdict == "hit"


def test_parallel_ranges_of_a_cold_file(start, origin, real):
    """As SYMSRV2, aria2 and Symbolicator do: a GET, ranges beside it, the first dropped."""
    gate = start(server(origin))
    symbol = max(real.values(), key=lambda s: len(s.body))
    origin.on(symbol.remote, good(symbol.body))
    first = gate.ask(symbol.path)
    assert first.head().status == 200
    size = len(symbol.body)
    quarter = size // 4 + 1
    parts = [
        gate.get_later(
            symbol.path, headers={"Range": f"bytes={n * quarter}-{(n + 1) * quarter - 1}"}
        )
        for n in range(4)
    ]
    first.reset()
    got = [part.result() for part in parts]
    assert all(part.status == 206 for part in got)
    assert b"".join(part.body for part in got) == symbol.body
    whole = gate.get(symbol.path, headers={"Range": "bytes=0-134217727"})
    assert whole.status == 206 and whole.body == symbol.body
    assert origin.count() == 1
    gate.check(symbol)


def test_resuming_client(start, origin, real):
    """wget -c and curl -C -: from where they stopped."""
    gate = start(server(origin))
    symbol = real["win32-arm64", "pty.pdb"]
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    client = gate.ask(symbol.path)
    client.head()
    have = client.read(1_000_000)
    client.reset()
    rest = gate.get(symbol.path, headers={"Range": f"bytes={len(have)}-"})
    assert have + rest.body == symbol.body


def test_urllib_and_curl(start, origin, real):
    import urllib.request

    gate = start(server(origin))
    symbol = real["win32-x64", "conpty_console_list.pdb"]
    origin.on(symbol.remote, good(symbol.body))
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        gate.url + symbol.path
    ) as it:
        assert it.read() == symbol.body
    curl = (
        subprocess.run(
            ["curl", "--noproxy", "*", "-sS", "--fail", gate.url + symbol.path],
            capture_output=True,
            check=False,
        )
        if os.path.exists("/usr/bin/curl")
        else None
    )
    assert curl is None or curl.stdout == symbol.body
