# SPDX-License-Identifier: MIT
"""Symbol files made on the spot, right down to their structure, and the ways of asking for them."""

import dataclasses
import hashlib
import random
import struct
import uuid

PAGE = 4096
PORTABLE_AGE = "FFFFFFFF"
PORTABLE_ID_AT = 64
MSF_MAGIC = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"


@dataclasses.dataclass
class Symbol:
    name: str
    id: str
    body: bytes

    @property
    def remote(self):
        """The path below a source's root, as symgate asks for it."""
        return f"/{self.name}/{self.id}/{self.name}"

    @property
    def path(self):
        """The path at symgate."""
        return "/symbols" + self.remote

    @property
    def key(self):
        """As the API lists it: folded name, canonical id."""
        return f"{self.name.lower()}/{self.canonical}"

    @property
    def canonical(self):
        if "-" in self.id:
            return self.id.lower()
        if self.id[32:].upper() == PORTABLE_AGE:
            return self.id.upper()
        if self.name.lower().endswith(".pdb"):
            return self.id[:32].upper() + self.id[32:].lower()
        return self.id[:8].upper() + self.id[8:].lower()

    @property
    def shelved(self):
        """The path on a shelf."""
        return f"{self.key}/{self.name.lower()}"

    def spelled(self, name=None, id=None):
        return Symbol(name or self.name, id or self.id, self.body)


def pdb(name="app.pdb", size=64 * 1024, seed=1, age=1, guid=None):
    """A PDB 7.0 file of about `size` bytes (whole pages, at least nine)."""
    guid = uuid.UUID(guid or random.Random(f"guid {name} {seed}").randbytes(16).hex())
    body = msf([b"", info_stream(guid, age), b"", debug_stream(age)], max(size // PAGE, 9), seed)
    return Symbol(name, guid.hex.upper() + f"{age:x}", body)


def info_stream(guid, age):
    return struct.pack("<III", 20000404, 1, age) + guid.bytes_le + struct.pack("<IIII", 0, 0, 0, 0)


def debug_stream(age):
    return struct.pack("<iII", -1, 19990903, age) + bytes(52)


def msf(streams, pages, seed):
    """A multi-stream file: page 0, two maps, directory, the streams, and a last one of noise."""
    directory_pages = 1 + pages * 4 // PAGE
    first = 4 + directory_pages
    noise_pages = [n for n in range(first + len(streams), pages) if n % PAGE not in (1, 2)]
    sizes = [len(s) for s in streams] + [len(noise_pages) * PAGE]
    directory = struct.pack("<I", len(sizes)) + struct.pack(f"<{len(sizes)}I", *sizes)
    for index, stream in enumerate(streams):
        directory += struct.pack("<I", first + index) if stream else b""
    directory += struct.pack(f"<{len(noise_pages)}I", *noise_pages)
    out = bytearray(random.Random(seed).randbytes(pages * PAGE))
    out[:PAGE] = (MSF_MAGIC + struct.pack("<IIIIII", PAGE, 1, pages, len(directory), 0, 3)).ljust(
        PAGE, b"\0"
    )
    used = -(-len(directory) // PAGE)
    out[3 * PAGE : 4 * PAGE] = struct.pack(f"<{used}I", *range(4, 4 + used)).ljust(PAGE, b"\0")
    out[4 * PAGE : (4 + used) * PAGE] = directory.ljust(used * PAGE, b"\0")
    for index, stream in enumerate(streams):
        at = (first + index) * PAGE
        out[at : at + PAGE] = stream.ljust(PAGE, b"\0")
    return bytes(out)


def portable_pdb(name="app.pdb", size=8 * 1024, seed=1, guid=None):
    """A portable PDB: the metadata's head, and one stream that begins with the id, then noise. Another seed with the
    same GUID is another build."""
    guid = uuid.UUID(guid or random.Random(f"guid {name}").randbytes(16).hex())
    top = b"BSJB" + struct.pack("<HHII", 1, 1, 0, 12) + b"PDB v1.0".ljust(12, b"\0")
    top += struct.pack("<HHII", 0, 1, PORTABLE_ID_AT, size - PORTABLE_ID_AT) + b"#Pdb".ljust(8, b"\0")
    noise = random.Random(f"portable {seed}").randbytes(size - PORTABLE_ID_AT - 16)
    body = top.ljust(PORTABLE_ID_AT, b"\0") + guid.bytes_le + noise
    return Symbol(name, guid.hex.upper() + PORTABLE_AGE, body)


def portable_sum(symbol):
    """What a client that wants this very build sends as SymbolChecksum."""
    end = PORTABLE_ID_AT + 20
    return "SHA256:" + hashlib.sha256(symbol.body[:PORTABLE_ID_AT] + bytes(20) + symbol.body[end:]).hexdigest()


def pe(name="app.dll", size=32 * 1024, seed=1):
    """A 64-bit image with one section."""
    stamp = random.Random(f"stamp {name} {seed}").getrandbits(31) | 1 << 30
    raw = max(size - 0x400, 0x200) & ~0x1FF
    image = 0x1000 + (raw + 0xFFF & ~0xFFF)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, raw, 0, 0, 0x1000, 0x1000)
    optional += struct.pack(
        "<QIIHHHHHHIIII", 0x140000000, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, image, 0x400, 0
    )
    optional += struct.pack("<HHQQQQII", 3, 0, 1 << 20, 4096, 1 << 20, 4096, 0, 16) + bytes(128)
    coff = struct.pack("<HHIIIHH", 0x8664, 1, stamp, 0, 0, len(optional), 0x22)
    section = struct.pack("<8sIIIIIIHHI", b".text", raw, 0x1000, raw, 0x400, 0, 0, 0, 0, 0x60000020)
    top = (b"MZ" + bytes(58) + struct.pack("<I", 0x80)).ljust(0x80, b"\0")
    top = (top + b"PE\0\0" + coff + optional + section).ljust(0x400, b"\0")
    body = top + random.Random(seed).randbytes(raw)
    return Symbol(name, f"{stamp:08X}{image:x}", body)


def elf(name="libx.so", size=9000, seed=1, id=None):
    """A 64-bit shared object: head, one segment with the build id's note, noise."""
    build_id = bytes.fromhex(id) if id else random.Random(f"build {name} {seed}").randbytes(20)
    note = struct.pack("<III4s", 4, len(build_id), 3, b"GNU") + build_id
    top = b"\x7fELF\2\1\1".ljust(16, b"\0")
    top += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    top += struct.pack("<IIQQQQQQ", 4, 4, 120, 120, 120, len(note), len(note), 4)
    kind = "elf-buildid-sym-" if name == "_.debug" else "elf-buildid-"
    noise = random.Random(seed).randbytes(size - len(top) - len(note))
    return Symbol(name, kind + build_id.hex(), top + note + noise)


def missing(number, name="none.pdb"):
    """A key that nobody has."""
    return Symbol(name, f"{number:032X}1", b"")
