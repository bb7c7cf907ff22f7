# SPDX-License-Identifier: MIT
"""Black and white lists, with the meaning that Python's re.match gives their patterns."""

import re

import pytest
from conftest import server
from double.origin import good, status
from program import wait_until
from symbols import Symbol, missing, pdb, pe

ID = "94AD5C4B9A1E4420AB047F672A23E48A1"


def ask(gate, name):
    return gate.get(Symbol(name, ID, b"").path)


@pytest.mark.sanitized
def test_global_blacklist_wins_over_the_cache(make, origin):
    symbol = pdb("mso.pdb")
    gate = make(server(origin))
    gate.start()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.stop()
    gate.config["general"]["blacklist"] = ["mso"]
    gate.start()
    answer = gate.get(symbol.path)
    assert answer.status == 404 and answer.verdict == "excluded"
    assert "mso" in answer.reason
    assert answer.headers["cache-control"] == "no-store"
    assert origin.count() == 1


PATTERNS = [
    ("mso", ["mso.pdb", "msoffice.dll", "Mso.pdb", "xmso.pdb"]),
    (r"mso\.pdb$", ["mso.pdb", "mso.pdb2", "msoxpdb"]),
    (r"(?i)MSO", ["mso.pdb", "xmso"]),
    (r".*\.pdb\Z", ["a.pdb", "a.pdb_"]),
    (r"(?P<x>a)(?P=x)", ["aa.pdb", "ab.pdb"]),
    (r"\w+\.dll", ["ä.dll", "a b.dll", "ab.dll"]),
    (r"(?!my).*", ["my.pdb", "your.pdb"]),
    (r"a|b", ["a.pdb", "b.pdb", "c.pdb"]),
    (r"[^\W\d]+$", ["abc", "ab1"]),
    (r"\u00e4", ["ä.dll", "a.dll"]),
    (r"\d{3}", ["123.pdb", "12.pdb"]),
    ("", ["anything.pdb"]),
    (r"^ntdll\.(pdb|dll)$", ["ntdll.pdb", "ntdll.dll", "wntdll.pdb"]),
]


@pytest.mark.parametrize("pattern, names", PATTERNS)
def test_patterns_mean_what_python_means(start, origin, pattern, names):
    gate = start(server(origin), general={"blacklist": [pattern]})
    for name in names:
        want = "excluded" if re.match(pattern, name) else "absent"
        quoted = Symbol("".join(f"%{b:02X}" for b in name.encode()), ID, b"")
        assert gate.get(quoted.path).verdict == want, name


def test_whitelists_and_blacklists_of_servers(start, origin, second):
    gate = start(
        server(origin, whitelist=["my"], blacklist=["myold"]),
        server(second, "two", blacklist=["my"]),
    )
    for name, asked in (("my.pdb", (1, 0)), ("myold.pdb", (0, 0)), ("other.pdb", (0, 1))):
        before = origin.count(), second.count()
        answer = ask(gate, name)
        assert (origin.count() - before[0], second.count() - before[1]) == asked, name
        assert answer.verdict == ("absent" if any(asked) else "excluded")


@pytest.mark.parametrize(
    "whitelist, verdict",
    [([], "excluded"), (None, "absent"), (["nothing"], "excluded"), ([".*"], "absent")],
)
def test_empty_and_missing_whitelists(start, origin, whitelist, verdict):
    gate = start(server(origin, whitelist=whitelist))
    assert ask(gate, "a.pdb").verdict == verdict
    assert origin.count() == (1 if verdict == "absent" else 0)


def test_excluded_says_which_filter(start, origin):
    gate = start(server(origin, blacklist=["^private_"]))
    answer = ask(gate, "private_x.pdb")
    assert answer.verdict == "excluded" and "^private_" in answer.reason


def test_filters_see_the_name_as_it_was_spelled(start, origin):
    gate = start(server(origin, blacklist=["App"]))
    assert ask(gate, "App.pdb").verdict == "excluded"
    assert ask(gate, "app.pdb").verdict == "absent"
    assert ask(gate, "C%3A%5CApp%5Cx.pdb").verdict == "absent"


def test_no_server_at_all(start):
    gate = start()
    assert ask(gate, "a.pdb").verdict == "excluded"


def test_excluded_server_and_failed_server(start, origin, second):
    gate = start(server(origin, blacklist=["a"]), server(second, "two"))
    second.on(missing(1, "a.pdb").remote, status(500))
    assert gate.get(missing(1, "a.pdb").path).verdict == "failed"


def test_disabled_server_and_kinds(start, origin, second):
    gate = start(server(origin, enabled=False), server(second, "two", kinds=["pe"]))
    assert ask(gate, "a.pdb").verdict == "excluded"
    image = pe()
    second.on(image.remote, good(image.body))
    gate.fetch(image)
    assert origin.count() == 0 and second.count() == 1


@pytest.mark.slow
@pytest.mark.sanitized
def test_pattern_that_never_ends(start, origin):
    """It gives up at its limit, counts as excluding, and holds nobody up."""
    gate = start(server(origin, blacklist=[r"(a+)+(b+)+(a|aa)+c\Z", r"(x+x+)+y\Z"]))
    answer = ask(gate, "a" * 120 + "b" * 60 + "a" * 60)
    assert answer.verdict == "excluded"
    assert "gave up at its match limit" in answer.reason
    assert gate.metric("symgate_pattern_limits_total") >= 1
    wait_until(lambda: "gave up at its match limit on" in gate.errors(), "the warning")
    assert ask(gate, "good.pdb").verdict == "absent"


def test_own_cache_of_an_excluded_server_is_not_read(make, origin, second, tmp_path):
    """A server's own cache is read for those who may ask that server."""
    own = tmp_path / "own"
    symbol = pdb("my.pdb")
    gate = make(server(origin, cacheLocation=str(own)), server(second, "two"))
    gate.start()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.check(symbol, root=own)
    gate.check()
    gate.stop()
    gate.config["servers"][0]["blacklist"] = ["my"]
    gate.start()
    assert gate.get(symbol.path).verdict == "absent"
    assert second.count() == 1
