# SPDX-License-Identifier: MIT
"""What real symbol files say of themselves, as other readers of the same files have it."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

import pytest
from program import PROGRAM, material_folder
from test_real import pdb_id, pe_id

pytestmark = pytest.mark.sanitized
MACHO = {
    "darwin-arm64/pty.node": "333b9b8f3dbd3733bbb3bc6679a9760c",
    "darwin-arm64/spawn-helper": "60f211a3506a3f4f8c172e450703d62e",
    "darwin-x64/pty.node": "918c0eaa36f33d9698139bc0a18a8670",
    "darwin-x64/spawn-helper": "6914b30c802b3f98bc0e80ba23803e89",
}


def identify(*paths):
    """What the library says of each file."""
    run = subprocess.run(
        [PROGRAM.parent / "tests" / "unit" / "format" / "identify", *paths],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def material():
    folder = material_folder()
    if not folder:
        pytest.skip("no material: run tools/fetch_material")
    (prebuilt,) = folder.glob("node-pty-*/prebuilds")
    return prebuilt


def files_with(folder, magic):
    found = [p for p in sorted(folder.glob("**/*")) if p.is_file()]
    return [p for p in found if p.open("rb").read(len(magic)) == magic]


def check_whole(said, path):
    """The file is as long as it says, and the look at it was cheap."""
    assert said["outcome"] == "read", said
    size = path.stat().st_size
    assert said["stated"] <= size
    assert said["read"] < max(size / 100, 4096)


def test_pdb(material):
    paths = files_with(material, b"Microsoft C/C++ MSF 7.00")
    assert len(paths) >= 10
    for path, said in zip(paths, identify(*paths), strict=True):
        check_whole(said, path)
        assert said["format"] == "PDB 7.0"
        assert said["id"] == pdb_id(path.read_bytes())
        assert said["stated"] == path.stat().st_size


def test_pe(material):
    paths = files_with(material, b"MZ")
    assert len(paths) >= 14
    for path, said in zip(paths, identify(*paths), strict=True):
        check_whole(said, path)
        assert said["format"] == "PE"
        assert said["id"] == pe_id(path.read_bytes())
        assert said["stated"] == path.stat().st_size


def test_macho(material, tmp_path):
    paths = [material / name for name in MACHO]
    for path, said, uuid in zip(paths, identify(*paths), MACHO.values(), strict=True):
        check_whole(said, path)
        assert said["format"] == "Mach-O" and said["uuids"] == [uuid]
        assert said["stated"] == path.stat().st_size
    slices = [path.read_bytes() for path in paths[::2]]
    at, fat, table = 16384, b"", struct.pack(">II", 0xCAFEBABE, len(slices))
    for data in slices:
        kinds = struct.unpack_from("<II", data, 4)
        table += struct.pack(">IIIII", *kinds, at, len(data), 14)
        fat += data.ljust(-(-len(data) // 16384) * 16384, b"\0")
        at = 16384 + len(fat)
    (tmp_path / "fat").write_bytes(table.ljust(16384, b"\0") + fat)
    (said,) = identify(tmp_path / "fat")
    assert said["uuids"] == [MACHO[name] for name in list(MACHO)[::2]]


def build_id(path):
    """As binutils read it."""
    out = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, text=True, check=True)
    found = re.search(r"Build ID: ([0-9a-f]+)", out.stdout)
    return found[1] if found else ""


def test_elf(tmp_path):
    python = pathlib.Path(sys.executable).resolve()
    libraries = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
    paths = [PROGRAM, python, *map(pathlib.Path, sorted(libraries))]
    split = tmp_path / "symgate.debug"
    stripped = tmp_path / "symgate"
    subprocess.run(["objcopy", "--only-keep-debug", PROGRAM, split], check=True)
    subprocess.run(["objcopy", "--strip-debug", PROGRAM, stripped], check=True)
    paths += [split, stripped]
    ids = []
    for path, said in zip(paths, identify(*paths), strict=True):
        check_whole(said, path)
        assert said["format"] == "ELF"
        assert said["id"] == build_id(path), path
        ids.append(said["id"])
    assert len(ids[0]) >= 32 and ids[0] == ids[-1] == ids[-2]
    assert len(set(ids)) > 3


def msf_streams(data):
    """Each stream of a PDB; None for those that do not exist."""
    page, _, _, size, _, map_page = struct.unpack_from("<IIIIII", data, 32)
    pages = struct.unpack_from(f"<{-(-size // page)}I", data, map_page * page)
    directory = b"".join(data[p * page : (p + 1) * page] for p in pages)[:size]
    (count,) = struct.unpack_from("<I", directory)
    at, streams = 4 + 4 * count, []
    for length in struct.unpack_from(f"<{count}I", directory, 4):
        used = 0 if length == 0xFFFFFFFF else -(-length // page)
        blocks = struct.unpack_from(f"<{used}I", directory, at)
        at += 4 * used
        content = b"".join(data[b * page : (b + 1) * page] for b in blocks)
        streams.append(None if length == 0xFFFFFFFF else content[:length])
    return streams


def msfz(streams, chunk_bytes):
    """The streams one behind the other, in chunks of raw deflate, as the directory is."""
    whole = b"".join(s or b"" for s in streams[1:])
    body, chunks, directory, place = b"", b"", struct.pack("<I", 0), 0
    for at in range(0, len(whole), chunk_bytes):
        plain = whole[at : at + chunk_bytes]
        packed = deflated(plain)
        chunks += struct.pack("<QIII", 80 + len(body), 2, len(packed), len(plain))
        body += packed
    for stream in streams[1:]:
        if stream is None:
            directory += struct.pack("<I", 0xFFFFFFFF)
        elif stream:
            chunk, offset = divmod(place, chunk_bytes)
            directory += struct.pack("<IQI", len(stream), 1 << 63 | chunk << 32 | offset, 0)
            place += len(stream)
        else:
            directory += struct.pack("<I", 0)
    packed = deflated(directory)
    head = b"Microsoft MSFZ Container\r\n\x1aALD\0\0" + struct.pack("<Q", 0)
    head += struct.pack("<QQ", 80 + len(body), 80 + len(body) + len(packed))
    head += struct.pack("<IIII", len(streams), 2, len(packed), len(directory))
    head += struct.pack("<II", len(chunks) // 20, len(chunks))
    return head + body + packed + chunks


def deflated(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 1000])
def test_msfz(material, tmp_path, chunk_bytes):
    data = (material / "win32-x64" / "winpty.pdb").read_bytes()
    path = tmp_path / "packed.pdb"
    path.write_bytes(msfz(msf_streams(data), chunk_bytes))
    (said,) = identify(path)
    assert (said["outcome"], said["format"], said["id"]) == ("read", "MSFZ", pdb_id(data))
    assert said["stated"] == path.stat().st_size


def test_cut_files(material, tmp_path):
    """No beginning of a real file passes for whole."""
    paths = [
        material / "win32-x64" / "pty.pdb",
        material / "win32-x64" / "pty.node",
        material / "darwin-x64" / "pty.node",
        PROGRAM,
    ]
    for path in paths:
        size = path.stat().st_size
        cut = tmp_path / path.name
        shutil.copyfile(path, cut)
        for length in (size - 1, size // 2, 4096, 1024, 100, 3, 0):
            os.truncate(cut, length)
            (said,) = identify(cut)
            assert said["outcome"] != "read" or said["stated"] > length, (path, length, said)
            assert said["outcome"] != "failed"
