# SPDX-License-Identifier: MIT
"""Names and spellings: decoding, what is refused, how sources are asked, what serves whom."""

import pytest
from conftest import server
from double.origin import Script, absent, gate as at_gate, good, head, redirect
from symbols import Symbol, missing, pdb, pe

ID = "94AD5C4B9A1E4420AB047F672A23E48A1"


@pytest.mark.parametrize(
    "written",
    [
        "app.pdb/{id}/app.pdb",
        "/app.pdb//{id}///app.pdb",
        "app.pdb%2F{id}%2Fapp.pdb",
        "app.pdb%2f{id}%2fapp.pdb",
        "%61pp.pdb/{id}/%61pp%2Epdb",
        "C%3A%5Cx%5Capp.pdb/{id}/C%3A%5Cx%5Capp.pdb",
        "c%3a%5capp.pdb/{id}/app.pdb",
        "ap/app.pdb/{id}/app.pdb",
    ],
)
def test_ways_of_writing_one_path(gate, origin, written):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    answer = gate.get("/symbols/" + written.format(id=symbol.id))
    assert answer.status == 200 and answer.body == symbol.body
    assert origin.requests[0].target == symbol.remote.encode()
    gate.check(symbol)


@pytest.mark.parametrize(
    "name, encoded",
    [
        ("a b.pdb", "a%20b.pdb"),
        ("libstdc++.so.6", "libstdc%2B%2B.so.6"),
        ("a#b~c.dll", "a%23b~c.dll"),
        ("100%.dll", "100%25.dll"),
        ("ä.dll", "%C3%A4.dll"),
        ("{x}.dll", "%7Bx%7D.dll"),
        ("Electron Framework", "Electron%20Framework"),
        ("a?b.dll", "a%3Fb.dll"),
        ("a;b&c=d.dll", "a%3Bb%26c%3Dd.dll"),
    ],
)
def test_names_with_odd_letters(gate, origin, name, encoded):
    symbol = Symbol(name, "12345678abc", pe().body)
    answer = gate.get(f"/symbols/{encoded}/{symbol.id}/{encoded}")
    assert answer.verdict == "absent"
    asked = origin.requests[0].target
    import urllib.parse

    assert urllib.parse.unquote_to_bytes(asked) == f"/{name}/{symbol.id}/{name}".encode()
    assert b" " not in asked and b"?" not in asked and b"#" not in asked


REFUSED = [
    "..",
    "%2e%2e",
    "%2E%2e/%2e%2e",
    ".",
    "%2e",
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "app.pdb/../app.pdb",
    "app.pdb/%2e%2e/app.pdb",
    "app.pdb/{id}/..",
    "app.pdb/{id}/%2e%2e",
    "app.pdb/./app.pdb",
    "../{id}/..",
    "%2e%2e/{id}/%2e%2e",
    "a%00.pdb/{id}/a%00.pdb",
    "a%0d%0aX-Evil:1.pdb/{id}/a%0d%0aX-Evil:1.pdb",
    "a%0a/{id}/a%0a",
    "a%09b/{id}/a%09b",
    "a%7f/{id}/a%7f",
    "app.pdb/{id}%00/app.pdb",
    "app.pdb/{id}%0d%0a/app.pdb",
    "n" * 256 + "/{id}/" + "n" * 256,
    "app.pdb/" + "A" * 161 + "/app.pdb",
    "%5C/{id}/%5C",
    "a%5C/{id}/a%5C",
    "a%5C%2e%2e/{id}/a%5C%2e%2e",
]


@pytest.mark.sanitized
@pytest.mark.parametrize("written", REFUSED)
def test_refused_names(gate, origin, written):
    answer = gate.get("/symbols/" + written.format(id=ID))
    assert answer.status == 400, answer
    assert answer.verdict == "invalid"
    assert answer.headers["cache-control"] == "no-store"
    assert "x-evil" not in answer.headers
    assert origin.count() == 0
    assert gate.get("/healthz").status == 200
    gate.check()


@pytest.mark.parametrize(
    "written",
    [
        ".symgate/lock/lock",
        ".symgate/{id}/.symgate",
        ".hidden.pdb/{id}/.hidden.pdb",
        "%2esymgate/staging/%2esymgate",
        "C%3A%5C.symgate/{id}/C%3A%5C.symgate",
    ],
)
def test_names_that_start_with_a_dot(gate, origin, written):
    answer = gate.get("/symbols/" + written.format(id=ID))
    assert answer.status in (400, 404)
    assert origin.count() == 0


def test_nothing_outside_is_read(make, origin, tmp_path):
    gate = make(server(origin))
    gate.cache.mkdir(parents=True)
    secret = b"the secret of this house"
    (gate.folder / "secret.pdb").write_bytes(secret)
    (gate.folder / "x").mkdir()
    (gate.folder / "x" / "secret.pdb").write_bytes(secret)
    folder = gate.cache / "secret.pdb" / ID
    folder.mkdir(parents=True)
    (folder / "secret.pdb").symlink_to(gate.folder / "secret.pdb")
    (gate.cache / "linked.pdb").symlink_to(gate.folder / "x")
    gate.start()
    up = [
        "../",
        "%2e%2e/",
        "..%2f",
        "%2e%2e%2f",
        "..%5c",
        "..\\",
        "....//",
        "%252e%252e/",
        "..;/",
        "%c0%ae%c0%ae/",
        "/%2e%2e/",
    ]
    tries = [f"/symbols/{u * n}secret.pdb" for u in up for n in range(1, 4)]
    tries += [f"/symbols/{u * n}x/secret.pdb" for u in up for n in range(1, 4)]
    tries += [f"/symbols/{u}x/{u}x/secret.pdb" for u in up]
    tries += [
        f"/symbols/secret.pdb/{ID}/secret.pdb",
        f"/symbols/linked.pdb/secret.pdb/linked.pdb",
        f"/symbols/secret.pdb/..%2f..%2f{gate.folder}/secret.pdb",
        f"/symbols/{gate.folder}/secret.pdb",
        f"{gate.folder}/secret.pdb",
        f"/symbols/linked.pdb/{ID}/secret.pdb",
    ]
    for target in tries:
        answer = gate.get(target)
        assert answer.status in (400, 404), (target, answer)
        assert secret not in answer.body, target


@pytest.mark.parametrize("name", ["CON", "nul.pdb", "COM1", "aux.dll", "LPT1.pdb", "PRN"])
def test_device_names_are_ordinary(gate, origin, name):
    symbol = Symbol(name, ID if name.endswith("pdb") else "12345678abc", pdb().body)
    answer = gate.get(symbol.path)
    assert (answer.status, answer.verdict) == (404, "absent")
    assert origin.requests[0].target == symbol.remote.encode()


def test_longest_name_and_id(gate, origin):
    symbol = Symbol("n" * 255, "a" * 160, pe().body)
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.fetch(symbol).verdict == "hit"


def test_source_is_asked_in_the_clients_spelling(gate, origin):
    for name, id in (("App.PDB", ID.lower()), ("App.PDB", ID), ("APP.pdb", ID)):
        assert gate.get(f"/symbols/{name}/{id}/{name}").verdict == "absent"
        assert origin.requests[-1].target == f"/{name}/{id}/{name}".encode()
    assert origin.count() == 3


@pytest.mark.sanitized
def test_what_was_found_serves_every_spelling(gate, origin):
    symbol = pdb("App.pdb")
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    for name in ("app.pdb", "APP.PDB", "App.pdb"):
        for id in (symbol.id, symbol.id.lower(), symbol.id[:32].lower() + "01"):
            answer = gate.get(f"/symbols/{name}/{id}/{name}")
            assert answer.verdict == "hit" and answer.body == symbol.body, (name, id)
    assert origin.count() == 1
    gate.check(symbol)


def test_shelf_is_written_canonically(gate, origin):
    image = pe("App.DLL")
    asked = image.spelled(id=image.id[:8].lower() + image.id[8:].upper())
    origin.on(asked.remote, good(image.body))
    gate.fetch(asked)
    gate.check(image)


def test_absence_belongs_to_the_spelling(gate, origin):
    symbol = pdb("App.pdb")
    origin.on(symbol.remote, good(symbol.body))
    assert gate.get(symbol.spelled("app.pdb").path).verdict == "absent"
    gate.fetch(symbol)
    assert origin.count() == 2
    assert gate.get(symbol.spelled("app.pdb").path).verdict == "hit"


def test_waiter_of_another_spelling_searches_itself(gate, origin):
    """The leader's spelling is not there; the waiter's is. It must not be told the leader's no."""
    leader = pdb("APP.pdb")
    waiter = leader.spelled("app.pdb")
    origin.on(leader.remote, Script(b"", at_gate("go"), head(404)))
    origin.on(waiter.remote, good(waiter.body))
    first = gate.ask(leader.path)
    origin.wait_at("go")
    other = gate.ask(waiter.path)
    same = gate.ask(leader.path)
    gate.wait_readers(leader, 3)
    origin.open("go")
    assert first.answer().verdict == "absent"
    assert same.answer().verdict in ("absent", "hit", "joined")
    answer = other.answer()
    assert answer.status == 200 and answer.body == waiter.body
    gate.check(leader)


def test_waiter_with_other_allowed_sources_searches_itself(start, origin, second):
    leader, waiter = pdb("APP.pdb"), pdb("APP.pdb").spelled("app.pdb")
    gate = start(server(origin), server(second, "two", whitelist=["app"]))
    origin.on(leader.remote, Script(b"", at_gate("go"), head(404)))
    second.on(waiter.remote, good(waiter.body))
    first = gate.ask(leader.path)
    origin.wait_at("go")
    other = gate.ask(waiter.path)
    gate.wait_readers(leader, 2)
    origin.open("go")
    assert first.answer().verdict == "absent"
    assert other.answer().body == waiter.body


def test_waiter_told_absent_after_its_own_search(gate, origin):
    leader = missing(7, "APP.pdb")
    waiter = leader.spelled("app.pdb")
    origin.on(leader.remote, Script(b"", at_gate("go"), head(404)))
    first = gate.ask(leader.path)
    origin.wait_at("go")
    other = gate.ask(waiter.path)
    gate.wait_readers(leader, 2)
    origin.open("go")
    assert first.answer().verdict == "absent"
    assert other.answer().verdict == "absent"
    assert origin.count(waiter.remote) == 1


def test_checksum_neither_names_nor_refuses(gate, origin):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    sums = [("SymbolChecksum", f"SHA256:{n:064x}") for n in range(100)]
    assert gate.get(symbol.path, headers=sums).body == symbol.body
    assert gate.get(symbol.path, headers=sums[:1]).verdict == "hit"
    assert gate.get(symbol.path).verdict == "hit"
    assert "symbolchecksum" not in origin.requests[0].headers


def test_checksums_go_to_servers_that_want_them(start, origin, second):
    """The last ones that came, on whatever lines; to nobody else, and not behind a redirect."""
    gate = start(server(origin, "plain"), server(second, "wants", forwardChecksum=True))
    sums = [f"SHA256:{n:064x}" for n in range(100)]
    headers = [("SymbolChecksum", ", ".join(sums[:50])), ("SymbolChecksum", ";".join(sums[50:]))]
    symbol = pdb()
    second.on(symbol.remote, redirect(f"{origin.url}/blob"))
    origin.on("/blob", good(symbol.body))
    assert gate.get(symbol.path, headers=headers).body == symbol.body
    told = second.requests[0].headers["symbolchecksum"].split(";")
    assert told == sums[-len(told) :] and len(told) == 5
    assert len(origin.requests) == 2
    assert all("symbolchecksum" not in request.headers for request in origin.requests)
    assert gate.get(missing(1).path).verdict == "absent"
    assert "symbolchecksum" not in second.requests[1].headers
    assert gate.get(missing(1).path, headers=headers).verdict == "absent"
    assert len(second.requests) == 2, "it is no part of an absence"


def test_adopted_tree_in_any_case(make, origin):
    """A store that another program filled, in its own case, is served."""
    symbol = pdb("App.pdb")
    gate = make(server(origin))
    folder = gate.cache / "APP.PDB" / symbol.id.lower()
    folder.mkdir(parents=True)
    (folder / "App.Pdb").write_bytes(symbol.body)
    gate.start()
    from program import wait_until

    wait_until(lambda: gate.get(symbol.path).status == 200, "the tree's index")
    assert gate.get(symbol.spelled("app.pdb").path).body == symbol.body
    image = pe()
    assert gate.get(image.path).verdict == "absent"


def test_tree_as_asked_is_served(make, origin):
    symbol = pdb("App.pdb")
    gate = make(server(origin))
    folder = gate.cache / symbol.name / symbol.id
    folder.mkdir(parents=True)
    (folder / symbol.name).write_bytes(symbol.body)
    gate.start()
    assert gate.fetch(symbol).verdict == "hit"
    assert origin.count() == 0


def test_empty_files_on_the_shelf_are_not_served(make, origin):
    symbol = pdb()
    gate = make(server(origin))
    (gate.cache / symbol.shelved).parent.mkdir(parents=True)
    (gate.cache / symbol.shelved).write_bytes(b"")
    gate.start()
    origin.on(symbol.remote, good(symbol.body))
    assert gate.fetch(symbol).verdict == "fetched"
    gate.check(symbol)


def test_same_name_many_ids(gate, origin):
    symbols = [pdb(seed=n) for n in range(5)] + [pdb(age=3)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
    for symbol in symbols:
        gate.fetch(symbol)
    gate.check(*symbols)


def test_absent_for_other_names(gate, origin):
    origin.on("/", absent())
    assert gate.get(missing(2, "x.sym").path).verdict == "absent"
    assert gate.get("/symbols/_.debug/elf-buildid-sym-" + "a" * 40 + "/_.debug").verdict == "absent"
    assert gate.get("/symbols/libc.so/elf-buildid-" + "b" * 40 + "/libc.so").verdict == "absent"
