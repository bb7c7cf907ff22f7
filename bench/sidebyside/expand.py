# SPDX-License-Identifier: MIT
"""The job about compressed files: what symgate's decoders cost beside the libraries that they use."""
import gzip
import json
import statistics
import subprocess
import zipfile

from . import peers, place, tools

MIB, GIB = 1 << 20, 1 << 30
PLAIN_BYTES = 64 * MIB
WINDOW_BYTES = 2 * MIB  # LZX's, the largest of all
TARGET = 0.9


def write_plain(stage, folder):
    """What symbol files are made of: the program with its debug information, over and over. It is larger than any window, so
    that no coding sees it twice."""
    if not stage.program:
        raise peers.Died("there is no symgate program")
    program = stage.program.read_bytes()
    if len(program) <= WINDOW_BYTES:
        raise tools.ToolFailed(f"{stage.program} is too small to be repeated: build it with its debug information")
    plain = folder / "bench.pdb"
    plain.write_bytes((program * (PLAIN_BYTES // len(program) + 1))[:PLAIN_BYTES])
    return plain


def write_gzip(_, plain, archive):
    archive.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=6))


def write_zip(_, plain, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(plain, plain.name)


def write_mszip(_, plain, archive):
    subprocess.run(["gcab", "--create", "--zip", "--nopath", archive, plain], check=True, stdout=subprocess.DEVNULL)


def write_lzx(stage, plain, archive):
    subprocess.run([stage.tools_folder / "bench-cabinet", "lzx", plain, archive], check=True)


ARCHIVES = {  # as bench-expand calls them: in words, whose library, how they are written
    "gzip": ("gzip", "zlib", write_gzip),
    "zip": ("ZIP, deflated", "zlib", write_zip),
    "mszip": ("cabinet, MSZIP", "zlib", write_mszip),
    "lzx": ("cabinet, LZX", "libmspack", write_lzx),
}


def expand(stage, report):
    folder = place.fresh_folder(stage.folder, "expand")
    plain = write_plain(stage, folder)
    for method, (words, library, write) in ARCHIVES.items():
        archive = folder / f"bench.{method}"
        write(stage, plain, archive)
        done = stage.load.start("expand", json.loads, [method, archive, plain, 3 * stage.rounds]).result()
        ratio = statistics.median(alone / ours for alone, ours in zip(done["library"], done["symgate"]))
        alone, ours = (statistics.median(done[name]) / (done["bytes"] / GIB) for name in ("library", "symgate"))
        report.add(f"expanding, {words}: against {library} alone", ratio, at_least=TARGET, unit="×",
                   peers=f"{library} {alone:.2f} · symgate {ours:.2f} CPU s a GiB of plain bytes; "
                         f"packed to {archive.stat().st_size / done['bytes']:.0%}")


JOBS = {"expand": expand}
