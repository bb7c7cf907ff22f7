# SPDX-License-Identifier: MIT
"""Network shares, read through symgate-smb from a real smbd: what comes is right, what is not known is a failure,
and nothing holds up anything else."""

import gzip
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid
from urllib.parse import quote

import pytest
from client import Broken
from conftest import server
from double.kerberos import Kerberos
from double.origin import good
from double.relay import Relay
from double.samba import PASSWORD, USER, Samba, free_port
from program import PROGRAM, Program, run, wait_until
from symbols import Symbol, missing, pdb, pe
from test_index import Store, ask_until_read

MIB = 1 << 20
HELPER = PROGRAM.parent / "symgate-smb"
WHO = {"user": USER, "password": PASSWORD}


@pytest.fixture(scope="session")
def samba():
    """One for all tests that do it no harm."""
    it = Samba()
    yield it
    it.remove()


@pytest.fixture
def own_samba():
    """One that the test may ill-treat."""
    it = Samba()
    yield it
    it.remove()


@pytest.fixture
def store(samba):
    """A folder of the share for one test."""
    folder = samba.share / uuid.uuid4().hex
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def remote(samba, store):
    """remote(share) → the URL of that folder."""
    return lambda share="open", **how: f"{samba.url(share, **how)}/{store.name}"


@pytest.fixture
def relay(samba):
    it = Relay(samba.port)
    yield it
    it.stop()


def put(store, symbol, name=None, folder=None, id=None, age=3600):
    path = store / (folder or symbol.name) / (id or symbol.id) / (name or symbol.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(symbol.body)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def helpers(gate):
    """The processes that read shares for this program."""
    out = subprocess.run(["ps", "--ppid", str(gate.process.pid), "-o", "pid=,comm="], capture_output=True, text=True,
                         check=False).stdout
    return [int(line.split()[0]) for line in out.splitlines() if "symgate-smb" in line]


@pytest.mark.sanitized
def test_fetched_and_kept(start, store, remote):
    symbols = [pdb(size=20 * MIB), pe()]
    for symbol in symbols:
        put(store, symbol)
    gate = start(server(remote()))
    for symbol in symbols:
        assert gate.fetch(symbol).verdict == "fetched"
    for symbol in symbols:
        assert gate.fetch(symbol).verdict == "hit"
    gate.check(*symbols)
    first = gate.fetch(symbols[0])
    stamp = store / symbols[0].name / symbols[0].id / symbols[0].name
    assert first.headers["last-modified"] == time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(stamp.stat().st_mtime))


@pytest.mark.parametrize("name", ["with space & 100%.pdb", "größe.pdb", "a+b#c;d.pdb"])
def test_odd_names(start, store, remote, name):
    symbol = pdb(name)
    put(store, symbol)
    gate = start(server(remote()))
    quoted = quote(name)
    assert gate.get(f"/symbols/{quoted}/{symbol.id}/{quoted}").body == symbol.body
    gate.check(symbol)


@pytest.mark.parametrize("share", ["open", "exact"])
def test_any_case(start, store, remote, share):
    symbol, image = pdb("App.pdb"), pe("Some.Dll")
    put(store, symbol, folder="APP.pdb", name="app.PDB", id=symbol.id.lower())
    put(store, image, folder="some.dll", name="SOME.DLL", id=image.id.upper())
    gate = start(server(remote(share)))
    gate.fetch(symbol)
    gate.fetch(image)
    assert gate.get(missing(1).path).verdict == "absent"
    gate.check(symbol, image)


def test_exact_name_first(start, store, remote):
    lower = pdb("app.pdb")
    upper = Symbol("APP.PDB", lower.id, lower.body[:-100] + bytes(100))
    put(store, lower)
    put(store, upper)
    gate = start(server(remote("exact")))
    assert gate.get(upper.path).body == upper.body


@pytest.mark.parametrize("share", ["open", "exact"])
@pytest.mark.sanitized
def test_absence_is_remembered_and_found_later(start, store, remote, share):
    put(store, pdb("other.pdb"))
    gate = start(server(remote(share), retryTimeout=2))
    symbol = pdb()
    for _ in range(3):
        assert gate.get(symbol.path).verdict == "absent"
    assert gate.metric("symgate_source_asked_total", "one") == 1
    put(store, symbol)
    wait_until(lambda: gate.get(symbol.path).status == 200, "the retry time")


def test_names_that_no_share_can_have(start, store, remote):
    put(store, pdb("app.pdb"))
    gate = start(server(remote()))
    for name in ("app.pdb:stream", "a*.pdb", "app?.pdb", 'a"b.pdb', "a<b.pdb", "a|b.pdb"):
        quoted = quote(name)
        assert gate.get(f"/symbols/{quoted}/{pdb().id}/{quoted}").verdict == "absent", name


def test_who_asks(start, store, remote):
    symbol = pdb()
    put(store, symbol)
    ways = [WHO, {"user": f"HOUSE\\{USER}", "password": PASSWORD}, WHO | {"domain": "HOUSE"}]
    for way in ways:
        gate = start(server(remote("closed"), **way))
        gate.fetch(symbol)
    gate = start(server(remote("closed", user=f"{USER}:{PASSWORD.replace(' ', '%20')}@")))
    gate.fetch(symbol)
    answer = start(server(remote("closed"))).get(symbol.path)
    assert answer.verdict == "failed" and "does not let guests in" in answer.reason, answer


def test_password_is_told_to_nobody(start, store, remote, tmp_path):
    symbol = pdb()
    put(store, symbol)
    secret = tmp_path / "secret"
    secret.write_text("wr0ng-and-secret\n")
    url = remote("closed", user=f"{USER}:s3cret-in-url@")
    gate = start(
        server(remote("closed"), user=USER, password={"file": str(secret)}),
        server(url, "two"),
        logging={"version": 1, "root": {"level": "DEBUG"}},
    )
    answer = gate.get(symbol.path)
    assert answer.verdict == "failed" and 'does not let user "alice" in' in answer.reason, answer
    told = [answer.reason, gate.errors(), "".join(filter(None, gate.lines))]
    told += [gate.get(path).body.decode(errors="replace") for path in ("/", "/metrics", "/api/v1/copies")]
    for pid in [gate.process.pid, *helpers(gate)]:
        told += [pathlib.Path(f"/proc/{pid}/{what}").read_text(errors="replace") for what in ("cmdline", "environ")]
    told += [p.read_bytes().decode("latin-1") for p in gate.data.rglob("*") if p.is_file()]
    for text in told:
        assert "wr0ng" not in text and "s3cret-in-url" not in text


def test_password_that_is_mended(start, store, remote):
    """Another password is another source: what the old one brought is forgotten."""
    symbol = pdb()
    put(store, symbol)
    gate = start(server(remote("closed"), user=USER, password="wrong"))
    assert gate.get(symbol.path).verdict == "failed"
    gate.config["servers"][0]["password"] = PASSWORD
    gate.write_config()
    gate.hang_up()
    wait_until(lambda: gate.get(symbol.path).status == 200, "the new password")
    gate.check(symbol)


@pytest.mark.parametrize("share", ["none", "gone", "open/not-there"])
def test_missing_share_or_directory_is_a_failure(start, samba, share):
    gate = start(server(samba.url(share)))
    for number in range(3):
        answer = gate.get(missing(number).path)
        assert answer.verdict == "failed" and "no share or directory" in answer.reason, answer


def test_directory_that_goes_away_and_comes_back(start, store, remote):
    symbol = pdb()
    put(store, symbol)
    away = store.with_name(store.name + "-away")
    gate = start(server(remote()))
    assert gate.get(missing(1).path).verdict == "absent"
    store.rename(away)
    assert gate.get(missing(2).path).verdict == "failed"
    assert gate.get(symbol.path).verdict == "failed"
    away.rename(store)
    gate.fetch(symbol)
    gate.check(symbol)


def test_server_that_is_dead_holds_up_nothing(start, origin):
    """Refused at once: the second source answers."""
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate = start(server(f"smb://127.0.0.1:{free_port()}/open"), server(origin, "two"))
    gate.fetch(symbol)
    answer = gate.get(missing(1).path)
    assert answer.verdict == "failed" and "refused" in answer.reason, answer
    gate.check(symbol)


@pytest.mark.sanitized
def test_server_that_is_silent_holds_up_nothing(start, origin, store, remote):
    """One that takes connections and never says a word: hedged, and it holds only its own places."""
    here, there = pdb("here.pdb"), pdb("there.pdb")
    put(store, here)
    origin.on(there.remote, good(there.body))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"smb://127.0.0.1:{silent.getsockname()[1]}/open"
        gate = start(
            server(url, "silent", hedgeAfter=0.05, timeouts={"firstByte": 600}, maxRequests=2),
            server(remote(), "share", hedgeAfter=0.05),
            server(origin, "http"),
        )
        gate.fetch(here)
        gate.fetch(there)
        waiting = [gate.get_later(missing(number).path) for number in range(6)]
        for name in ("here.pdb", "there.pdb"):
            for seed in range(2, 6):
                symbol = pdb(name, seed=seed)
                put(store, symbol)
                gate.fetch(symbol)
        assert not any(one.done() for one in waiting)
    for one in waiting:
        assert one.result().verdict in ("failed", "later")


def test_silent_server_is_given_up(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smb://127.0.0.1:{silent.getsockname()[1]}/open"
        gate = start(server(url, timeouts={"firstByte": 0.2}))
        answer = gate.get(missing(1).path)
        assert answer.verdict == "failed" and "silent" in answer.reason, answer
        assert not helpers(gate)


def test_share_that_is_slow_in_a_body_holds_up_nothing(start, store, remote, relay):
    """One body waits; others come from the same share and from another, on other helpers."""
    slow, other, image = pdb("slow.pdb", size=8 * MIB), pdb("other.pdb"), pe()
    for symbol in (slow, other):
        put(store, symbol)
    gate = start(server(remote(port=relay.port), timeouts={"stall": 60}), server(remote(), "two"))
    relay.hold(after=3 * MIB)
    first = gate.ask(slow.path)
    first.head()
    relay.wait_held()
    put(store, image)
    later = gate.get_later(image.path)
    relay.go()
    assert first.rest() == slow.body
    assert later.result().body == image.body
    gate.fetch(other)
    gate.check(slow, other, image)


def test_helper_that_is_killed_in_a_body(start, store, remote, relay):
    """The body is taken up by another helper, where the first one was."""
    symbol = pdb(size=8 * MIB)
    put(store, symbol)
    gate = start(server(remote(port=relay.port), timeouts={"stall": 60}))
    relay.hold(after=3 * MIB)
    client = gate.ask(symbol.path)
    client.head()
    relay.wait_held()
    (victim,) = helpers(gate)
    os.kill(victim, signal.SIGKILL)
    relay.go()
    assert client.rest() == symbol.body
    assert relay.passed < 3 * MIB + 8 * MIB
    gate.check(symbol)


def test_helper_that_is_killed_while_it_opens(start, store, remote, relay):
    symbol = pdb()
    put(store, symbol)
    gate = start(server(remote(port=relay.port)))
    relay.hold()
    asked = gate.get_later(symbol.path)
    relay.wait_held()
    (victim,) = helpers(gate)
    os.kill(victim, signal.SIGKILL)
    answer = asked.result()
    assert answer.verdict == "failed" and "ended by signal 9" in answer.reason, answer
    relay.go()
    gate.fetch(symbol)
    gate.check(symbol)


def test_helper_that_died_in_peace_is_not_missed(start, store, remote):
    first, second = pdb("first.pdb"), pdb("second.pdb")
    put(store, first)
    put(store, second)
    gate = start(server(remote()))
    gate.fetch(first)
    (victim,) = helpers(gate)
    os.kill(victim, signal.SIGKILL)
    gate.fetch(second)
    assert gate.metric("symgate_source_failed_total", "one") == 0


def test_connection_that_breaks_in_a_body(start, store, remote, relay):
    symbol = pdb(size=8 * MIB)
    put(store, symbol)
    gate = start(server(remote(port=relay.port), timeouts={"stall": 60}))
    relay.hold(after=3 * MIB)
    client = gate.ask(symbol.path)
    client.head()
    relay.wait_held()
    relay.cut()
    relay.go()
    assert client.rest() == symbol.body
    gate.check(symbol)


@pytest.mark.slow
@pytest.mark.parametrize("second_source", [True, False])
def test_server_that_dies_in_a_body(start, own_samba, origin, second_source):
    """A second source with the same bytes goes on; without one the answer ends broken."""
    symbol = pdb(size=8 * MIB)
    put(own_samba.share, symbol)
    relay = Relay(own_samba.port)
    servers = [server(own_samba.url(port=relay.port), timeouts={"stall": 60})]
    if second_source:
        origin.on(symbol.remote, good(symbol.body))
        servers.append(server(origin, "two"))
    gate = start(*servers)
    try:
        relay.hold(after=3 * MIB)
        client = gate.ask(symbol.path)
        client.head()
        relay.wait_held()
        own_samba.kill()
    finally:
        relay.stop()
    if second_source:
        assert client.rest() == symbol.body
        gate.check(symbol)
    else:
        with pytest.raises(Broken):
            client.rest()
        gate.check()


def test_server_that_was_restarted(start, own_samba):
    """A kept connection is dead: nobody notices."""
    first, second = pdb("first.pdb"), pdb("second.pdb")
    put(own_samba.share, first)
    put(own_samba.share, second)
    gate = start(server(own_samba.url()))
    gate.fetch(first)
    own_samba.kill()
    own_samba.start()
    gate.fetch(second)
    own_samba.kill()
    answer = gate.get(missing(1).path)
    assert answer.verdict == "failed", answer
    gate.check(first, second)


def test_young_file_is_delivered_and_not_kept(start, store, remote):
    symbol = pdb()
    put(store, symbol, age=0)
    gate = start(server(remote()))
    gate.fetch(symbol)
    gate.check()


@pytest.mark.parametrize("how", ["grows", "shrinks", "touched"])
def test_file_that_changes_while_it_is_read(start, store, remote, relay, how):
    symbol = pdb(size=8 * MIB)
    path = put(store, symbol)
    gate = start(server(remote(port=relay.port), timeouts={"stall": 60}))
    relay.hold(after=3 * MIB)
    client = gate.ask(symbol.path)
    client.head()
    relay.wait_held()
    if how == "grows":
        with open(path, "ab") as file:
            file.write(b"more")
    elif how == "shrinks":
        os.truncate(path, 5 * MIB)
    else:
        os.utime(path, (1e9, 1e9))
    relay.go()
    try:
        assert client.rest() == symbol.body
    except Broken:
        assert how == "shrinks"
    gate.check()


def test_many_at_once(start, store, remote):
    symbols = [pdb(f"app{number}.pdb", size=MIB, seed=number) for number in range(40)]
    for symbol in symbols:
        put(store, symbol)
    gate = start(server(remote(), maxRequests=6))
    answers = [gate.get_later(symbol.path) for symbol in symbols]
    for symbol, answer in zip(symbols, answers, strict=True):
        assert answer.result().body == symbol.body
    assert 1 <= len(helpers(gate)) <= 18
    gate.check(*symbols)


def test_helpers_end_with_the_program(start, store, remote, relay):
    """Also when it is killed while a helper waits for a server."""
    symbol = pdb()
    put(store, symbol)
    gate = start(server(remote(port=relay.port)))
    relay.hold()
    asked = gate.ask(symbol.path)
    relay.wait_held()
    (helper,) = helpers(gate)
    gate.kill9()
    wait_until(lambda: not pathlib.Path(f"/proc/{helper}").exists(), "the end of the helper")
    asked.close()


@pytest.mark.slow
def test_body_under_way_outlives_a_stop(start, store, remote, relay):
    """Also where everything of the unit is told to end, as systemd does."""
    symbol = pdb(size=8 * MIB)
    put(store, symbol)
    gate = start(server(remote(port=relay.port), timeouts={"stall": 60}))
    relay.hold(after=3 * MIB)
    client = gate.ask(symbol.path)
    client.head()
    relay.wait_held()
    for pid in [*helpers(gate), gate.process.pid]:
        os.kill(pid, signal.SIGTERM)
    relay.go()
    assert client.rest() == symbol.body
    assert gate.wait_exit() == 0


def test_mapped_share_is_a_directory(start, store, remote):
    symbol = pdb()
    put(store, symbol)
    gate = start(server(remote()), general={"pathMap": {remote(): str(store)}})
    assert gate.fetch(symbol).verdict == "local"
    assert not helpers(gate)


@pytest.fixture
def lonely(tmp_path):
    """The program where no symgate-smb is."""
    path = tmp_path / "bin" / "symgate"
    path.parent.mkdir()
    shutil.copy(PROGRAM, path)
    return path


def test_runs_without_the_helper(lonely, tmp_path, origin, monkeypatch):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    config = {
        "general": {"cacheLocation": str(tmp_path / "cache"), "minFreeSpace": 0},
        "servers": [server("\\\\build\\symbols"), server(origin, "two")],
    }
    monkeypatch.setattr("program.PROGRAM", lonely)
    gate = Program(tmp_path, config)
    gate.start()
    try:
        assert "symgate-smb, which reads shares, is not installed" in gate.errors()
        gate.fetch(symbol)
        answer = gate.get(missing(1).path)
        assert answer.verdict == "failed" and "symgate-smb" in answer.reason, answer
    finally:
        gate.end()
    checked = run("check", gate.config_path)
    assert checked.returncode == 0
    assert "symgate-smb, which reads shares, is not installed: this server cannot be asked" in checked.stderr
    assert "pathMap" in checked.stderr
    assert run("check", "--strict", gate.config_path).returncode == 1


def test_pointers_that_lead_where_the_helper_is_needed(lonely, tmp_path, monkeypatch):
    """The share is named by pointerRoots alone."""
    config = tmp_path / "symgate.json"
    one = server(tmp_path, forms=["plain", "pointer"], pointerRoots=["\\\\build\\out"])
    general = {"cacheLocation": str(tmp_path / "cache"), "minFreeSpace": 0, "listen": ["127.0.0.1:0"]}
    with monkeypatch.context() as where:
        where.setattr("program.PROGRAM", lonely)
        for enabled in (True, False):
            config.write_text(json.dumps({"general": general, "servers": [one | {"enabled": enabled}]}))
            examined = run("doctor", "--json", "--config", config, "--data", tmp_path / "data")
            names = [row["name"] for row in json.loads(examined.stdout)]
            assert ("symgate-smb" in names) == enabled, names
        checked = run("check", config)
    assert "servers[0].pointerRoots[0]" in checked.stderr and "pointers into it are not followed" in checked.stderr
    assert run("check", "--strict", config).returncode == 0
    config.write_text(json.dumps({"servers": [one | {"pointerRoots": ["smb://"]}]}))
    checked = run("check", config)
    assert checked.returncode == 1 and "pointerRoots[0]" in checked.stderr, checked


# --- a cache on a share --------------------------------------------------------------------------


def kept_here(gate):
    return {str(path.relative_to(gate.data / "cache")): path for path in (gate.data / "cache").glob("*/*/*")}


def test_cache_on_a_share_is_read_and_not_written(make, origin, store, remote):
    lies, packed, new = pdb(), pdb("packed.pdb"), pdb("new.pdb")
    put(store, lies)
    put(store, Symbol(packed.name, packed.id, gzip.compress(packed.body)), name="packed.pd_")
    origin.on(new.remote, good(new.body))
    gate = make(server(origin), general={"cacheLocation": remote()}).start()
    assert "what lies there is read, new files go to" in gate.errors() and "pathMap" in gate.errors()
    for symbol in (lies, packed):
        answer = gate.fetch(symbol)
        assert answer.verdict == "fetched" and answer.headers["x-symgate-source"] == "cache"
    assert origin.count() == 0
    answer = gate.fetch(new)
    assert answer.headers["x-symgate-source"] == "one"
    gate.wait_quiet()
    assert sorted(kept_here(gate)) == sorted([lies.shelved, packed.shelved, new.shelved])
    assert not (store / new.name).exists()
    for symbol in (lies, packed, new):
        assert gate.fetch(symbol).verdict == "hit"
    assert gate.get(missing(1).path).verdict == "absent"
    checked = run("check", gate.config_path)
    assert checked.returncode == 0 and remote() in checked.stdout


@pytest.mark.parametrize("share", ["dead", "gone"])
def test_cache_on_a_share_that_cannot_be_read_counts_as_empty(make, origin, samba, store, remote, share):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    place = f"smb://127.0.0.1:{free_port()}/open" if share == "dead" else samba.url("gone")
    gate = make(server(origin), general={"cacheLocation": place}).start()
    answer = gate.fetch(symbol)
    assert answer.headers["x-symgate-source"] == "one" and "preferred" not in answer.reason
    for n in range(5):  # so often that it rests
        assert gate.get(missing(n).path).verdict == "absent"
    asked = origin.count()
    assert gate.get(missing(0).path).verdict == "absent"
    assert origin.count() == asked == 6


def test_a_servers_cache_on_a_share_follows_its_filters(make, origin, second, store, remote):
    mine, other = pdb("mine.pdb"), pdb("other.pdb")
    for symbol in (mine, other):
        put(store, symbol)
    gate = make(
        server(origin, cacheLocation=remote(), whitelist=["mine"]), server(second, "two", blacklist=["nobody"])
    ).start()
    assert gate.fetch(mine).headers["x-symgate-source"] == "cache"
    assert gate.get(other.path).verdict == "absent"
    put(store, pdb("nobody.pdb"))
    assert gate.get(pdb("nobody.pdb").path).verdict == "excluded"
    assert (origin.count(), second.count()) == (0, 1)


def test_password_of_a_cache_is_told_to_nobody(make, origin, store, remote):
    symbol = pdb()
    put(store, symbol)
    place = remote("closed", user=f"{USER}:{quote(PASSWORD)}@")
    gate = make(
        server(origin), server(origin, "two", cacheLocation=place), general={"cacheLocation": place}
    ).start()
    assert gate.fetch(symbol).headers["x-symgate-source"] == "cache"
    shown = [gate.get(path).body.decode() for path in ("/", "/metrics", "/api/v1/copies")]
    checked = run("check", gate.config_path)
    assert checked.stdout.count("[cache") == 1  # the same share twice is one
    for text in (gate.errors(), checked.stdout, checked.stderr, *shown):
        assert quote(PASSWORD) not in text and PASSWORD not in text


def test_cache_on_a_share_without_the_helper(lonely, tmp_path, origin, monkeypatch):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    config = {"general": {"cacheLocation": "\\\\build\\cache", "minFreeSpace": 0}, "servers": [server(origin)]}
    monkeypatch.setattr("program.PROGRAM", lonely)
    gate = Program(tmp_path, config)
    gate.start()
    try:
        assert '"cache" in the data folder is used' in gate.errors()
        assert gate.fetch(symbol).headers["x-symgate-source"] == "one"
        gate.wait_quiet()
        assert list(kept_here(gate)) == [symbol.shelved]
    finally:
        gate.end()


def test_check_with_the_helper(store, remote, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"servers": [server(remote(), **WHO), server("//build/symbols", "two")]}))
    checked = run("check", "--strict", path)
    assert checked.returncode == 0, checked.stderr
    assert PASSWORD not in checked.stdout + checked.stderr


def libraries(program):
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout


def test_only_the_helper_is_linked_with_libsmbclient():
    assert "libsmbclient" in libraries(HELPER)
    assert "libcurl" in libraries(PROGRAM)
    assert "smbclient" not in libraries(PROGRAM)


def test_helper_alone_says_what_it_is():
    done = subprocess.run([HELPER], capture_output=True, text=True, timeout=30, check=False, close_fds=True)
    assert done.returncode == 2 and "started by symgate" in done.stderr


# Kerberos


@pytest.fixture
def realm(request):
    it = Kerberos(**getattr(request, "param", {}))
    yield it
    it.remove()


@pytest.fixture
def kerberos_samba(realm):
    keytab = realm.keytab("cifs/files.house.test")
    it = Samba(more=f"    realm = HOUSE.TEST\n    kerberos method = dedicated keytab\n"
                    f"    dedicated keytab file = FILE:{keytab}\n", env=realm.env)
    yield it
    it.remove()


@pytest.fixture
def named(tmp_path):
    """A command that runs another where files.house.test is this machine. Needs the right to mount: Kerberos
    knows servers by their names, and libsmbclient asks for no ticket to an address or to "localhost"."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost files.house.test\n")
    script = f'mount --bind "{hosts}" /etc/hosts && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not mount here")
    return command


@pytest.fixture
def ticketed(make, named, monkeypatch):
    """make(…) of a program that knows the name."""
    plain = Program.command
    monkeypatch.setattr(Program, "command", lambda self: [*named, *plain(self)])
    return make


def kerberos_server(samba, keytab, **more):
    return server(f"smb://files.house.test:{samba.port}/closed", keytab=str(keytab), **more)


def tickets(gate):
    return list(gate.data.glob("tickets-*"))


def test_ticket_from_a_keytab(ticketed, realm, kerberos_samba):
    keytab = realm.keytab("reader")
    symbol, other = pdb(), pe()
    put(kerberos_samba.share, symbol)
    put(kerberos_samba.share, other)
    gate = ticketed(kerberos_server(kerberos_samba, keytab), env=realm.env).start()
    gate.fetch(symbol)
    gate.fetch(other)
    assert gate.get(missing(1).path).verdict == "absent"
    assert realm.asked_for_tickets() == 1
    (kept,) = tickets(gate)
    assert kept.stat().st_mode & 0o777 == 0o600
    gate.check(symbol, other)


@pytest.mark.slow
@pytest.mark.parametrize("realm", [{"life": 8}], indirect=True)
def test_ticket_is_renewed_before_it_ends(ticketed, realm, kerberos_samba):
    keytab = realm.keytab("reader")
    gate = ticketed(kerberos_server(kerberos_samba, keytab), env=realm.env).start()
    numbers = iter(range(10_000))

    def asked_for_another():
        assert gate.get(missing(next(numbers)).path).verdict == "absent"
        return realm.asked_for_tickets() >= 3

    wait_until(asked_for_another, "the third ticket")
    assert len(tickets(gate)) == 1


def test_no_ticket_is_a_failure(ticketed, realm, kerberos_samba, tmp_path):
    keytab = realm.keytab("reader")
    stale = tmp_path / "stale"
    shutil.copy(keytab, stale)
    realm.run("kadmin.local", "cpw", "-randkey", "reader")
    for bad in (stale, tmp_path / "none"):
        gate = ticketed(kerberos_server(kerberos_samba, bad), env=realm.env).start()
        answer = gate.get(missing(1).path)
        assert answer.verdict == "failed" and "Kerberos ticket" in answer.reason, answer
        assert not tickets(gate)


def test_whose_key_is_told(ticketed, realm, kerberos_samba):
    """The share lets in only one of the keytab's two."""
    keytab = realm.keytab("stranger")
    realm.run("kadmin.local", "addprinc", "-randkey", "reader")
    realm.run("kadmin.local", "ktadd", "-k", str(keytab), "reader")
    gate = ticketed(
        kerberos_server(kerberos_samba, keytab, name="first", identifier="first"), env=realm.env
    ).start()
    assert gate.get(missing(1).path).verdict == "failed"
    gate = ticketed(kerberos_server(kerberos_samba, keytab, principal="reader"), env=realm.env).start()
    assert gate.get(missing(1).path).verdict == "absent"


# --- published indexes


def test_published_index_of_a_share_also_after_a_restart(start, store, remote):
    """Read through the helper; afterwards the share is asked for what it lists alone."""
    shelf = Store(store)
    has, unlisted = pdb("has.pdb"), pdb("unlisted.pdb")
    shelf.add(has)
    shelf.put(unlisted)
    gate = start(server(remote(), index="000Admin", indexRefresh="1h", **WHO))
    for _ in range(2):
        ask_until_read(gate, files=1)
        assert gate.get(unlisted.path).verdict == "absent"
        told = json.loads(gate.get(f"/api/v1/explain?path={unlisted.path}").body)
        assert told["now"]["servers"][0]["state"] == "not in its index"
        gate.fetch(has)
        gate.restart()
    gate.check(has)
