# SPDX-License-Identifier: MIT
"""Where stores of other layouts keep a file, and how a store's own tiers are found out."""

import pytest
from conftest import server
from double.origin import Script, good, head, page, status
from symbols import Symbol, elf, missing, pdb, pe

GUID = "94AD5C4B9A1E4420AB047F672A23E48A"
ELF, DEBUG = elf("libx.so", id="ab" * 20), elf("_.debug", id="ab" * 20)
DLL, EXE = pe("App.dll"), pe("App.exe")
TEXT = b"MODULE windows x86_64 " + GUID.encode() + b"1 App.pdb\n" * 200


class Breakpad(Symbol):
    """A text file beside its module's own."""

    @property
    def remote(self):
        return f"/{self.name}/{self.id}/{self.name.removesuffix('.pdb')}.sym"

    @property
    def shelved(self):
        return f"{self.key}/{self.name.lower().removesuffix('.pdb')}.sym"


def placed(layout, symbol, path):
    return pytest.param(layout, symbol, path, id=f"{layout}-{symbol.name}")


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "layout, symbol, path",
    [
        placed("symstore", pdb("App.pdb"), None),
        placed("two-tier", pdb("App.pdb"), "/Ap{}"),
        placed("ssqp", pdb("App.pdb", guid=GUID), f"/app.pdb/{GUID.lower()}1/app.pdb"),
        placed("ssqp", DLL, f"/app.dll/{DLL.id}/app.dll"),
        placed("ssqp", EXE, f"/app.exe/{EXE.id.lower()}/app.exe"),
        placed("breakpad", Breakpad("App.pdb", GUID.lower() + "1", TEXT), f"/App.pdb/{GUID}1/App.sym"),
        placed("build-id", ELF, "/.build-id/ab/" + "ab" * 19),
        placed("build-id", DEBUG, "/.build-id/ab/" + "ab" * 19 + ".debug"),
        placed("debuginfod", ELF, "/buildid/" + "ab" * 20 + "/executable"),
        placed("debuginfod", DEBUG, "/buildid/" + "ab" * 20 + "/debuginfo"),
        placed("unified", DEBUG, "/ab/" + "ab" * 19 + "/debuginfo"),
        placed("slashsymbols", Symbol("eboot.bin", "5A1BC03E12000", b"\0" * 9000), "/eboot.bin/5A1BC03E12000/symbols"),
    ],
)
def test_a_file_of_each_layout(start, origin, layout, symbol, path):
    gate = start(server(origin, layout=layout))
    path = (path or "{}").replace("{}", symbol.remote)
    origin.on(path, good(symbol.body))
    gate.fetch(symbol)
    assert gate.fetch(symbol).verdict == "hit"
    gate.check(symbol)
    assert gate.get(missing(1).path).verdict == "absent"


@pytest.mark.parametrize("casing, change", [("lower", str.lower), ("upper", str.upper)])
def test_casing(start, origin, casing, change):
    symbol = pdb("App.pdb")
    gate = start(server(origin, casing=casing))
    origin.on(change(symbol.remote), good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)


def test_breakpad_file_beside_its_module(start, origin):
    """Two files of one name and id: each is its own."""
    gate = start(server(origin))
    module = pdb("App.pdb", guid=GUID)
    text = Breakpad(module.name, module.id, TEXT)
    origin.on(module.remote, good(module.body))
    origin.on(text.remote, good(text.body))
    gate.fetch(module)
    gate.fetch(text)
    gate.check(module, text)


MARK = "/index2.txt"


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "mark, tiers",
    [
        (Script(b"", head()), 2),
        (good(b"anything"), 2),
        (status(404), 1),
        (status(403), 1),
        (page(b"<html><body>welcome</body></html>"), 1),
    ],
    ids=["empty", "text", "404", "403", "page"],
)
def test_tiers_are_found_out_and_remembered(start, origin, mark, tiers):
    gate = start(server(origin, layout="auto"))
    origin.on(MARK, mark)
    for seed in range(3):
        symbol = pdb("App.pdb", seed=seed)
        origin.on("/Ap" * (tiers - 1) + symbol.remote, good(symbol.body))
        gate.fetch(symbol)
    assert origin.count(MARK) == 1


def test_tiers_that_could_not_be_found_out(start, origin):
    """The first failure is no answer: it is asked again."""
    gate = start(server(origin, layout="auto"))
    origin.on(MARK, status(503), good(b""))
    symbol = pdb()
    origin.on("/ap" + symbol.remote, good(symbol.body))
    assert gate.get(symbol.path).verdict == "failed"
    gate.fetch(symbol)
    gate.check(symbol)


@pytest.mark.parametrize("code", [500, 203, 401, 408])
def test_server_that_cannot_answer_for_its_mark_alone(start, origin, code):
    """What is found in one tier is delivered; what is not may lie in two, so that is no absence."""
    gate = start(server(origin, layout="auto"))
    origin.on(MARK, status(code))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol)
    for _ in range(2):
        answer = gate.get(missing(1).path)
        assert answer.verdict == "failed" and "index2.txt" in answer.reason, answer
    origin.on(MARK, status(404))
    assert gate.get(missing(1).path).verdict == "absent"


@pytest.mark.parametrize("tiers", [1, 2])
def test_tiers_of_a_directory(start, tmp_path, tiers):
    store = tmp_path / "store"
    symbol = pdb("App.pdb")
    path = store / ("Ap" if tiers == 2 else "") / symbol.remote[1:]
    path.parent.mkdir(parents=True)
    path.write_bytes(symbol.body)
    if tiers == 2:
        (store / "INDEX2.TXT").write_bytes(b"")
    gate = start(server(store, layout="auto"))
    gate.fetch(symbol)
