# SPDX-License-Identifier: MIT
"""The doctor names what is wrong with a set-up, and its cure; it asks nobody that the configuration does not name."""

import gzip
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest
from conftest import server
from double.origin import Origin, Script, delay, drip, good, head, send, stall, status
from double.web import Authority, Squid
from program import run, wait_until
from symbols import Symbol, missing, pdb

NOBODYS = "/symgate-doctor.pdb/000000000000000000000000000000001/symgate-doctor.pdb"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def examine(tmp_path):
    """examine(server, …) → {(name, thing): finding}; nothing needs to run."""

    def ask(*servers, general=None, symbol=None, code=None, words=(), **how):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        config = tmp_path / "doctor.json"
        standard = {"cacheLocation": str(tmp_path / "cache"), "minFreeSpace": 0, "listen": [f"127.0.0.1:{port}"]}
        config.write_text(json.dumps({"general": standard | (general or {}), "servers": list(servers)}))
        words = ["--symbol", symbol.key, *words] if symbol else list(words)
        done = run("doctor", "--json", "--config", config, "--data", tmp_path / "data", *words, timeout=60, **how)
        assert done.returncode in (0, 1), done.stderr
        found = {(row["name"], row["thing"]): row for row in json.loads(done.stdout)}
        assert (done.returncode == 1) == any(row["weight"] == "problem" for row in found.values())
        return found

    return ask


def finding(found, name, thing='server "one"', weight="problem"):
    assert (name, thing) in found, found
    assert found[name, thing]["weight"] == weight
    return found[name, thing]


def put(root, symbol, *before):
    path = root.joinpath(*before, symbol.name, symbol.id, symbol.name)
    path.parent.mkdir(parents=True)
    path.write_bytes(symbol.body)


# --- servers


def test_all_is_well(examine, nginx, tmp_path):
    url, www, _ = nginx
    put(www, pdb())
    found = examine(server(url), symbol=pdb())
    row = finding(found, "server", weight="good")
    assert "has the symbol that was asked for" in row["sentence"]
    assert not [row for row in found.values() if row["weight"] == "problem"]
    assert not (tmp_path / "data").exists() and not (tmp_path / "cache").exists()


def test_wrong_layout(examine, nginx):
    url, www, _ = nginx
    put(www, pdb(), "ap")
    row = finding(examine(server(url), symbol=pdb()), "layout")
    assert '"two-tier"' in row["sentence"] and row["cure"] == 'Write "layout": "two-tier" into the server.'


def test_layout_that_cannot_be_told(examine, origin):
    """The file comes all the same; what is not there fails."""
    origin.on("/index2.txt", status(500))
    row = finding(examine(server(origin, layout="auto"), symbol=pdb()), "layout")
    assert "index2.txt" in row["sentence"] and '"two-tier"' in row["cure"] and "--symbol" in row["cure"]
    origin.on(pdb().remote, good(pdb().body))
    row = finding(examine(server(origin, layout="auto"), symbol=pdb()), "layout")
    assert row["cure"] == 'Write "layout": "symstore" into the server.'
    finding(examine(server(origin), symbol=pdb()), "server", weight="good")


def test_objects_that_are_forbidden_instead_of_missing(examine, nginx):
    url, www, _ = nginx
    put(www, pdb())
    row = finding(examine(server(url + "/objects"), symbol=pdb()), "absentStatus")
    assert "status 403" in row["sentence"] and '"absentStatus": [403] into the server.' in row["cure"]
    found = examine(server(url + "/objects", absentStatus=[403]), symbol=pdb())
    finding(found, "server", weight="good")


def put_packed(www, symbol):
    path = www / symbol.name / symbol.id / (symbol.name[:-1] + "_")
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(symbol.body))


def test_objects_that_are_forbidden_and_lie_there_compressed(examine, nginx):
    url, www, _ = nginx
    put_packed(www, pdb())
    here = {"remote": url + "/objects", "forms": ["plain", "compressed", "pointer"]}
    row = finding(examine(server(**here), symbol=pdb()), "absentStatus")
    assert row["cure"] == 'Write "absentStatus": [403] into the server.'
    finding(examine(server(**here, absentStatus=[403]), symbol=pdb()), "server", weight="good")


def test_objects_that_are_forbidden_and_lie_there_in_another_way(examine, nginx):
    """Layout, or form, and status are told together."""
    url, www, _ = nginx
    put(www, pdb(), "ap")
    put_packed(www, pdb("other.pdb"))
    row = finding(examine(server(url + "/objects"), symbol=pdb()), "layout")
    assert '"layout": "two-tier" and "absentStatus": [403] into the server' in row["cure"]
    finding(examine(server(url + "/objects", layout="two-tier", absentStatus=[403]), symbol=pdb()), "server", weight="good")
    row = finding(examine(server(url + "/objects"), symbol=pdb("other.pdb")), "form")
    assert '"forms": ["plain", "compressed"] and "absentStatus": [403] into the server' in row["cure"]


def test_forbidden_altogether(examine, nginx):
    row = finding(examine(server(nginx[0] + "/closed")), "absentStatus")
    assert "lets nobody in without credentials" in row["sentence"] and "symgate doctor --symbol" in row["cure"]
    row = finding(examine(server(nginx[0] + "/closed"), symbol=pdb()), "absentStatus")
    assert "in every layout" in row["sentence"] and "that it surely has: symgate doctor --symbol" in row["cure"]


def test_file_that_is_forbidden_where_others_are_missing(examine, origin):
    origin.on(pdb().remote, status(403))
    row = finding(examine(server(origin), symbol=pdb()), "credentials")
    assert "may not be read" in row["sentence"] and "absentStatus" not in row["cure"]


def test_forbidden_with_credentials(examine, nginx):
    row = finding(examine(server(nginx[0] + "/closed", user="me", password="of-last-year")), "credentials")
    assert "not accept" in row["sentence"] and "absentStatus" not in row["cure"]


def test_sign_in_after_a_redirect(examine, nginx):
    row = finding(examine(server(nginx[0] + "/login")), "login")
    assert "credentials" in row["cure"]


def test_page_for_the_known_file_alone(examine, origin):
    origin.on(pdb().remote, good(b"<!DOCTYPE html><html>Sign in</html>"))
    row = finding(examine(server(origin), symbol=pdb()), "false")
    assert "nobody can have" not in row["sentence"] and "web page" in row["sentence"]


def test_another_form_stands_in_for_a_false_one(examine, origin):
    """As a request takes it."""
    symbol = pdb()
    origin.on(symbol.remote, good(b"\0junk" * 1000))
    both = {"forms": ["plain", "compressed"]}
    finding(examine(server(origin, **both), symbol=symbol), "false")
    origin.on(symbol.remote[:-1] + "_", good(gzip.compress(symbol.body)))
    finding(examine(server(origin, **both), symbol=symbol), "server", weight="good")


def test_another_layout_and_another_form(examine, nginx):
    url, www, _ = nginx
    symbol = pdb()
    path = www / "ap" / symbol.name / symbol.id / (symbol.name[:-1] + "_")
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(symbol.body))
    row = finding(examine(server(url), symbol=symbol), "layout")
    assert row["cure"] == 'Write "layout": "two-tier", "forms": ["plain", "compressed"] into the server.'
    finding(examine(server(url, layout="two-tier", forms=["plain", "compressed"]), symbol=symbol), "server", weight="good")


@pytest.mark.parametrize("layout", ["debuginfod", "breakpad", "build-id"])
def test_a_dead_server_of_any_layout_is_asked(examine, layout):
    """For a file that its layout has a place for."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    finding(examine(server(url, layout=layout)), "connect")
    finding(examine(server(url, layout=layout), symbol=pdb()), "connect")
    row = finding(examine(server(url, layout=layout, kinds=["other"])), "layout")
    assert "nobody ever asks it" in row["sentence"]


def test_a_symbol_that_the_layout_has_no_place_for(examine, origin):
    row = finding(examine(server(origin, layout="debuginfod"), symbol=pdb()), "server", weight="good")
    assert "has the symbol" not in row["sentence"]


def test_forbidden_for_one_name_alone(examine, origin):
    """A wall that dislikes a name says nothing of others."""
    origin.on(NOBODYS, status(403))
    row = finding(examine(server(origin), symbol=missing(1)), "missing", weight="warning")
    assert "credentials" not in row["cure"]


@pytest.mark.slow
def test_not_all_layouts_could_be_tried(examine, origin):
    for path in ("/index2.txt", NOBODYS, missing(1).remote, "/no" + missing(1).remote):
        origin.on(path, Script(b"", delay(6), head(404)))
    finding(examine(server(origin), symbol=missing(1)), "slow", weight="warning")


def test_an_account_is_not_locked_by_the_doctor(examine, origin):
    """Each question after a 401 is a login that fails."""
    for path in (NOBODYS, pdb().remote):
        origin.on(path, status(401, [("WWW-Authenticate", 'Basic realm="store"')]))
    finding(examine(server(origin, user="me", password="of-last-year"), symbol=pdb()), "credentials")
    assert origin.count() <= 3


def test_page_for_everything(examine, nginx):
    row = finding(examine(server(nginx[0] + "/page")), "page")
    assert "/page/" in row["sentence"] and "Correct remote" in row["cure"]


@pytest.mark.parametrize("shown", [{}, {"user": "me", "password": "of-last-year"}])
def test_credentials(examine, origin, shown):
    for path in ("/symgate-doctor.pdb/000000000000000000000000000000001/symgate-doctor.pdb",):
        origin.on(path, status(401, [("WWW-Authenticate", 'Basic realm="store"')]))
    found = examine(server(origin, **shown))
    row = finding(found, "credentials")
    assert ("expired" in row["cure"]) == bool(shown)
    assert "of-last-year" not in json.dumps(list(found.values()))


def test_certificate_that_nobody_knows(examine, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("own"), authority.key("own"))
    own = Origin(tls=context)
    try:
        row = finding(examine(server(own)), "certificate")
        assert "secure connection" in row["sentence"] and "caFile" in row["cure"]
        finding(examine(server(own, caFile=str(authority.file))), "server", weight="good")
    finally:
        own.stop()


@pytest.mark.parametrize("name, more, word", [("old", {"days": -1}, "expired"), ("elsewhere", {"where": "DNS:elsewhere.example"}, "name")])
def test_certificate_that_is_not_good_any_more_or_not_for_this_host(examine, authority, name, more, word):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate(name, **more), authority.key(name))
    own = Origin(tls=context)
    try:
        row = finding(examine(server(own, caFile=str(authority.file))), "certificate")
        assert word in row["sentence"], row
    finally:
        own.stop()


def test_nobody_listens(examine):
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    row = finding(examine(server(f"http://127.0.0.1:{holder.getsockname()[1]}")), "connect")
    assert "firewalls" in row["cure"]
    holder.close()


def test_name_that_is_not_known(examine):
    row = finding(examine(server("http://no-such-host.invalid/symbols")), "connect")
    assert "name service" in row["cure"]


def test_proxy_that_wants_credentials(examine, origin):
    proxy = Squid("basic")
    try:
        row = finding(examine(server(origin, proxy=proxy.url.split("@")[-1] if "@" in proxy.url else proxy.url)), "proxy")
        assert "proxyUser" in row["cure"]
    finally:
        proxy.remove()


@pytest.mark.slow
def test_server_that_is_silent(examine, origin):
    origin.on(NOBODYS, Script(b"", stall()))
    row = finding(examine(server(origin, timeouts={"firstByte": "3s"})), "timeout")
    assert "timeouts.firstByte" in row["cure"]


def test_clock_that_is_wrong(examine, origin):
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 7200))
    origin.on(NOBODYS, status(404, [("Date", stamp)]))
    row = finding(examine(server(origin)), "clock", weight="warning")
    assert row["sentence"].endswith("behind this machine's.")


def test_symbol_that_is_nowhere(examine, origin):
    row = finding(examine(server(origin), symbol=missing(1)), "missing", weight="warning")
    assert "published with this id" in row["cure"]


def test_file_that_is_no_symbol_file(examine, nginx):
    url, www, _ = nginx
    path = www / pdb().name / pdb().id / pdb().name
    path.parent.mkdir(parents=True)
    path.write_text("come back later, please\n" * 10)
    finding(examine(server(url), symbol=pdb()), "false")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_file_that_is_another_one(examine, nginx, pack):
    """It has the right shape, and another GUID; or it is the right one."""
    url, www, _ = nginx
    symbol = pdb(size=1 << 20)
    put(www, Symbol(symbol.name, symbol.id, pack(pdb(size=1 << 20, seed=2).body)))
    row = finding(examine(server(url), symbol=symbol), "false")
    assert "the file is another one" in row["sentence"]
    (www / symbol.name / symbol.id / symbol.name).write_bytes(pack(symbol.body))
    assert "has the symbol" in finding(examine(server(url), symbol=symbol), "server", weight="good")["sentence"]


def test_file_that_is_there_in_another_form_only(examine, nginx):
    url, www, _ = nginx
    symbol = pdb()
    put(www, symbol)
    path = www / symbol.name / symbol.id
    (path / symbol.name).unlink()
    (path / (symbol.name[:-1] + "_")).write_bytes(gzip.compress(symbol.body))
    row = finding(examine(server(url, forms=["plain"]), symbol=symbol), "form")
    assert row["cure"] == 'Write "forms": ["plain", "compressed"] into the server.'


POINTER = pdb().remote.rsplit("/", 1)[0] + "/file.ptr"


@pytest.mark.parametrize(
    "text, name, weight, says",
    [
        (b"MSG: this build is gone", "pointer", "warning", "the store says: this build is gone"),
        (b"MSG: NoLongerIndexed", "pointer", "warning", "the store says: NoLongerIndexed"),
        (b"PATH:/x/none.pdb", "pointer", "problem", "nothing is there"),
        (b"\0\1\2\3" * 300, "false", "problem", "says nothing that could be followed"),
        (b"<!DOCTYPE html><html>Sign in</html>", "false", "problem", "a web page came"),
    ],
)
def test_pointer_of_which_no_file_comes(examine, origin, tmp_path, text, name, weight, says):
    (tmp_path / "x").mkdir()
    origin.on(POINTER, good(text))
    one = server(origin, forms=["plain", "pointer"], pointerRoots=["/x"])
    row = finding(examine(one, general={"pathMap": {"/x": str(tmp_path / "x")}}, symbol=pdb()), name, weight=weight)
    assert says in row["sentence"]


@pytest.mark.parametrize("root", ["//build/out", "d:/out"])
def test_pointer_that_leads_where_it_may_not(examine, origin, tmp_path, root):
    """What the doctor says is done, and then the file is there."""
    origin.on(POINTER, good(f"PATH:{root}/app.pdb".replace("/", "\\").encode()))
    one = server(origin, forms=["plain", "pointer"])
    row = finding(examine(one, symbol=pdb()), "elsewhere")
    assert f"leads to \"{root}/app.pdb\"" in row["sentence"]
    assert f'Add "{root}" or a folder above it to this server\'s pointerRoots' in row["cure"]
    assert ("general.pathMap" in row["cure"]) == root.startswith("d:")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "app.pdb").write_bytes(pdb().body)
    cured = one | {"pointerRoots": [root]}
    general = {"pathMap": {root.replace("/", "\\"): str(tmp_path / "out")}}
    assert "has the symbol" in finding(examine(cured, general=general, symbol=pdb()), "server", weight="good")["sentence"]
    (tmp_path / "out" / "app.pdb").write_bytes(pdb(seed=2).body)
    assert "another one" in finding(examine(cured, general=general, symbol=pdb()), "false")["sentence"]


def test_file_that_is_too_long_is_judged_by_how_it_begins(examine, origin):
    origin.on(pdb().remote, Script(b"\0junk" * (14 << 20), head(), send()))
    row = finding(examine(server(origin), symbol=pdb()), "false")
    assert "none of the kind" in row["sentence"]


def test_file_whose_first_bytes_come_one_by_one(examine, origin):
    origin.on(pdb().remote, Script(pdb().body, head(), drip(1, 0.02, until=8), send()))
    assert "has the symbol" in finding(examine(server(origin), symbol=pdb()), "server", weight="good")["sentence"]


def point(www, symbol, text):
    folder = www / symbol.name / symbol.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file.ptr").write_bytes(text)


POINTERS = {"forms": ["plain", "compressed", "pointer"]}


def test_pointer_in_place_of_a_file(examine, nginx, tmp_path):
    """It is followed as for a client, and what it leads to is looked at."""
    url, www, _ = nginx
    symbol, elsewhere = pdb(), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "it.pdb").write_bytes(symbol.body)
    point(www, symbol, f"PATH:{elsewhere}/it.pdb".encode())
    roots = POINTERS | {"pointerRoots": [str(elsewhere)]}
    row = finding(examine(server(url, **roots), symbol=symbol), "server", weight="good")
    assert "has the symbol" in row["sentence"]
    (elsewhere / "it.pdb").write_bytes(pdb(seed=2).body)
    assert "another one" in finding(examine(server(url, **roots), symbol=symbol), "false")["sentence"]


@pytest.mark.parametrize("place", ["it.pdb", "it.pd_"])
def test_pointer_where_objects_are_forbidden_instead_of_missing(examine, nginx, place):
    """What it leads to is asked for in both forms, as with the line that the doctor tells to write."""
    url, www, _ = nginx
    symbol = pdb()
    point(www, symbol, b"../../elsewhere/it.pdb")
    here = POINTERS | {"remote": url + "/objects"}
    row = finding(examine(server(**here), symbol=symbol), "pointer")
    assert "nothing is there" in row["sentence"] and '"absentStatus": [403] into the server' in row["cure"]
    (www / "elsewhere").mkdir()
    (www / "elsewhere" / place).write_bytes(symbol.body if place == "it.pdb" else gzip.compress(symbol.body))
    row = finding(examine(server(**here), symbol=symbol), "absentStatus")
    assert row["cure"] == 'Write "absentStatus": [403] into the server.'
    row = finding(examine(server(**here, absentStatus=[403]), symbol=symbol), "server", weight="good")
    assert "has the symbol" in row["sentence"]


def test_anything_for_everything(examine, origin):
    origin.on(NOBODYS, good(pdb().body))
    finding(examine(server(origin)), "anything")


@pytest.mark.slow
def test_server_that_takes_its_time_is_slow_and_not_silent(examine, origin):
    """The time of a checkup is over, and none of the server's own limits."""
    for path in ("/index2.txt", NOBODYS, NOBODYS[:-1] + "_"):
        origin.on(path, Script(b"", delay(6), head(404)))
    row = finding(examine(server(origin, forms=["plain", "compressed"])), "slow", weight="warning")
    assert "within 6" in row["sentence"] and "symgate advise" in row["cure"]


@pytest.mark.slow
def test_file_that_trickles_is_not_judged(examine, origin):
    origin.on(pdb().remote, Script(pdb().body, head(), drip(1, 0.5)))
    row = finding(examine(server(origin), symbol=pdb()), "stalled")
    assert "bytes of it came in 5 s" in row["sentence"]


@pytest.mark.slow
def test_server_that_hangs_on_files_is_not_slow(examine, origin):
    origin.on(pdb().remote, Script(b"", stall()))
    row = finding(examine(server(origin), symbol=pdb()), "timeout")
    assert "answers other questions within" in row["sentence"] and pdb().remote in row["sentence"]


def test_trouble_is_told_once(examine, origin):
    origin.on(pdb().remote, status(500))
    row = finding(examine(server(origin), symbol=pdb()), "status")
    assert row["sentence"].count("500") == 1 and pdb().remote in row["sentence"]


def test_last_delivered_symbol_is_asked_for(make, origin, tmp_path):
    gate = make(server(origin)).start()
    origin.on(pdb().remote, good(pdb().body))
    gate.fetch(pdb())
    wait_until(lambda: json.loads(gate.get("/api/v1/requests?verdict=fetched").body)["rows"], "the record")
    gate.stop()
    before = origin.count(pdb().remote)
    done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data)
    assert origin.count(pdb().remote) > before, done.stdout
    assert "has the symbol" in done.stdout


def test_last_file_of_a_directory_is_looked_for(make, tmp_path):
    """It was served where it lies, and the layout has been changed since."""
    store = tmp_path / "store"
    put(store, pdb())
    gate = make(server(store)).start()
    assert gate.get(pdb().path).verdict == "local"
    wait_until(lambda: json.loads(gate.get("/api/v1/requests?verdict=local").body)["rows"], "the record")
    gate.stop()
    gate.config["servers"][0]["layout"] = "two-tier"
    gate.write_config()
    done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data)
    found = {(row["name"], row["thing"]): row for row in json.loads(done.stdout)}
    assert '"layout": "symstore"' in finding(found, "layout")["cure"]


def test_names_that_rules_keep_in_the_house(make, origin, second):
    """Neither the symbol that is named nor the last one delivered is asked for against a rule."""
    gate = make(server(origin), server(second, "two")).start()
    secret = pdb("secret.pdb")
    origin.on(secret.remote, good(secret.body))
    gate.fetch(secret)
    wait_until(lambda: json.loads(gate.get("/api/v1/requests?verdict=fetched").body)["rows"], "the record")
    assert gate.get("/api/v1/rules?list=general.blacklist&value=secret", method="POST").status == 200
    assert gate.get("/api/v1/rules?list=enabled&server=two&value=false", method="POST").status == 200
    gate.stop()
    asked, asked_second = origin.count(secret.remote), second.count()
    for words in ([], ["--symbol", secret.key]):
        done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data, *words)
        found = {(row["name"], row["thing"]): row for row in json.loads(done.stdout)}
        finding(found, "server", weight="good")
        finding(found, "off", 'server "two"', "good")
    assert "general.blacklist" in finding(found, "filtered", weight="good")["sentence"]
    assert origin.count(secret.remote) == asked and origin.count() > asked
    assert second.count() == asked_second


def test_nobody_is_asked_where_the_rules_cannot_be_read(examine, origin, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.json").write_text('{"format": 1, "rules": [')
    row = finding(examine(server(origin)), "rules", "rules")
    assert "No server was asked" in row["sentence"] and "Correct the file" in row["cure"]
    assert origin.count() == 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["rules.json"]


# --- this machine


def test_folder_of_a_share_that_is_not_mounted(examine, tmp_path):
    (tmp_path / "mnt").mkdir()
    row = finding(examine(server(tmp_path / "mnt")), "empty", weight="warning")
    assert "Mount it" in row["cure"]


def test_folder_that_was_a_mount_and_is_none_now(make, small_disk):
    """symgate remembers it; the doctor reads what it remembers."""
    disk = small_disk(4 << 20)
    gate = make(server(disk)).start()
    assert gate.get(missing(1).path).verdict == "absent"
    gate.stop()
    subprocess.run(["umount", disk], check=True)
    (disk / "NOT_MOUNTED").write_text("")
    done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data)
    (row,) = [row for row in json.loads(done.stdout) if row["name"] == "unmounted"]
    assert "was a mount point and is none now" in row["sentence"] and "Mount it" in row["cure"]


def test_share_that_was_taken_out_of_service(make, small_disk):
    """It is switched off, so nobody is to mount it."""
    disk = small_disk(4 << 20)
    gate = make(server(disk)).start()
    assert gate.get(missing(1).path).verdict == "absent"
    gate.stop()
    subprocess.run(["umount", disk], check=True)
    gate.config["servers"][0]["enabled"] = False
    gate.write_config()
    done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data)
    found = {(row["name"], row["thing"]): row for row in json.loads(done.stdout)}
    finding(found, "off", weight="good")
    assert not any(name == "unmounted" for name, _ in found)


def test_folder_that_is_missing(examine, tmp_path):
    row = finding(examine(server(tmp_path / "nowhere")), "unmounted")
    assert "mounted" in row["cure"]


def test_disk_that_is_full(examine, small_disk):
    disk = small_disk(4 << 20)
    found = examine(general={"cacheLocation": str(disk / "cache"), "minFreeSpace": "1 GiB"})
    row = finding(found, "disk-full", str(disk / "cache"))
    assert "general.minFreeSpace" in row["cure"]


def test_disk_that_is_read_only(examine, small_disk):
    disk = small_disk(4 << 20)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    finding(examine(general={"cacheLocation": str(disk / "cache")}), "read-only", str(disk / "cache"))


def test_cache_that_is_a_file(examine, tmp_path):
    (tmp_path / "file").write_text("")
    row = finding(examine(general={"cacheLocation": str(tmp_path / "file")}), "no-folder", str(tmp_path / "file"))
    assert "general.cacheLocation" in row["cure"]


def test_place_of_the_file_is_taken(examine, tmp_path):
    symbol = pdb()
    for mark, tier in (("", ""), ("index2.txt", symbol.name[:2])):
        cache = tmp_path / f"cache{tier}"
        (cache / tier / symbol.shelved).mkdir(parents=True)
        if mark:
            (cache / mark).write_text("")
        row = finding(examine(general={"cacheLocation": str(cache)}, symbol=symbol), "occupied", str(cache))
        assert "directory lies in place of the file" in row["sentence"] and "remove it" in row["cure"]
        assert not any(name == "occupied" for name, _ in examine(general={"cacheLocation": str(cache)}, symbol=missing(1)))


def test_port_that_is_taken(examine):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        row = finding(examine(general={"listen": [address]}), "port", address)
        assert "--listen" in row["cure"]


def ports_found(gate):
    """What is told of running and of ports, with the configuration's own listening address."""
    done = run("doctor", "--json", "--config", gate.config_path, "--data", gate.data)
    return {(row["name"], row["thing"]) for row in json.loads(done.stdout) if row["name"] in ("running", "port")}


class Stranger(http.server.BaseHTTPRequestHandler):
    """Another program on the port that was symgate's."""

    def do_GET(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_port_that_another_program_took_after_a_crash(make, origin):
    """The announcement of the one that was killed is still there."""
    gate = make(server(origin)).start()
    address = urllib.parse.urlsplit(gate.url).netloc
    gate.config["general"]["listen"] = [address]
    gate.write_config()
    assert ports_found(gate) == {("running", gate.url + "/")}
    gate.kill9()
    assert (gate.data / "symgate.run").exists() and ports_found(gate) == set()
    host, port = address.split(":")
    with http.server.HTTPServer((host, int(port)), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        assert ports_found(gate) == {("port", address)}
        for command in (["copies"], ["rules"]):
            done = run(*command, "--data", gate.data)
            assert done.returncode == 1 and "is no symgate (status 404)" in done.stderr and "--url" in done.stderr
        stranger.shutdown()


def test_secrets_that_everybody_may_read(examine, tmp_path):
    found = examine(server("http://127.0.0.1:1/x", user="me", password="sesame", enabled=False))
    assert os.stat(tmp_path / "doctor.json").st_mode & 0o004
    row = finding(found, "readable", str(tmp_path / "doctor.json"), "warning")
    assert "chmod 640" in row["cure"] and "sesame" not in json.dumps(list(found.values()))


def test_windows_path_that_nothing_maps(examine):
    found = examine(server("X:\\symbols"))
    row = finding(found, "unmapped")
    assert "pathMap" in row["cure"]


def test_configuration_that_cannot_be_read(tmp_path):
    (tmp_path / "bad.json").write_text('{"servers": [')
    done = run("doctor", "--config", tmp_path / "bad.json")
    assert done.returncode == 2 and "bad.json:1:" in done.stderr


def test_it_asks_nobody_else(examine, origin, second):
    """What is switched off, and what only a log names, is not asked."""
    examine(server(origin), server(second, "two", enabled=False))
    assert origin.count() > 0 and second.count() == 0
    done = run("doctor", "--log", "-", input=f"SYMSRV:  HTTPGET: {second.url}/a.pdb/1/a.pdb\nSYMSRV:  HttpQueryInfo: 80190194\n")
    assert "does not have the file" in done.stdout and second.count() == 0


# --- what clients write

NOISY = r"""SYMSRV:  BYINDEX: 0x1
         C:\Symbols*https://symbols.example.org/download
         ntdll.pdb
         1EB9FACB04EA273BB24BA52C8B8D336A1
SYMSRV:  UNC: C:\Symbols\ntdll.pdb\1EB9\ntdll.pdb - path not found
SYMSRV:  UNC: \\build\symbols\ntdll.pdb\1EB9\ntdll.pdb - access denied
SYMSRV:  HTTPGET: https://%s/ntdll.pdb/1EB9/ntdll.pdb
SYMSRV:  %s
DBGHELP: C:\app\app.pdb - mismatched pdb
DBGHELP: ntdll - no symbols loaded
"""
LINES = {
    "HttpQueryInfo: 80190194 - HTTP_STATUS_NOT_FOUND": "absent",
    "HttpQueryInfo: 80190193 - HTTP_STATUS_FORBIDDEN": "forbidden",
    "HttpQueryInfo: 80190191 - HTTP_STATUS_DENIED": "credentials",
    "HttpQueryInfo: 80190197 - HTTP_STATUS_PROXY_AUTH_REQ": "proxy",
    "HttpQueryInfo: 801901F4 - HTTP_STATUS_SERVER_ERROR": "server-error",
    "HttpSendRequest: 800C2EE2 - ERROR_INTERNET_TIMEOUT": "timeout",
    "HttpSendRequest: 800C2EE7 - ERROR_INTERNET_NAME_NOT_RESOLVED": "name",
    "HttpSendRequest: 800C2EFD - ERROR_INTERNET_CANNOT_CONNECT": "connect",
    "HttpSendRequest: 800C2F8F - ERROR_INTERNET_DECODING_FAILED or SECURE_FAILURE": "certificate",
}


def read_log(text):
    done = run("doctor", "--json", "--log", "-", input=text)
    assert done.returncode in (0, 1), done.stderr
    return {(row["name"], row["thing"]): row for row in json.loads(done.stdout)}


@pytest.mark.parametrize("line", LINES)
def test_noisy_log(line):
    found = read_log(NOISY % ("user:of-last-year@store.example.org", line))
    row = found[LINES[line], "https://***@store.example.org/ntdll.pdb/1EB9/ntdll.pdb"]
    assert row["sentence"] and row["cure"]
    assert ("permission", r"\\build\symbols\ntdll.pdb\1EB9\ntdll.pdb") in found
    assert not any(thing.startswith("C:\\Symbols") for _, thing in found)  # that a cache is cold is the usual thing
    assert ("mismatch", r"C:\app\app.pdb") in found and ("no-symbols", "ntdll") in found
    assert "of-last-year" not in json.dumps(list(found.values()))


CHAIN = r"""SYMSRV:  BYINDEX: 0x1
         c:\symbols*\\build\sym*https://one.example/symbols*https://two.example/symbols
         %(name)s.pdb
         %(id)s
SYMSRV:  UNC: c:\symbols\%(name)s.pdb\%(id)s\%(name)s.pdb - path not found
SYMSRV:  UNC: \\build\sym\%(name)s.pdb\%(id)s\%(name)s.pdb - path not found
SYMSRV:  HTTPGET: /symbols/index2.txt
SYMSRV:  HttpQueryInfo: 80190194 - HTTP_STATUS_NOT_FOUND
SYMSRV:  HTTPGET: /symbols/%(name)s.pdb/%(id)s/%(name)s.pdb
SYMSRV:  HttpQueryInfo(HTTP_QUERY_CONTENT_LENGTH): 800C2F76 - ERROR_HTTP_HEADER_NOT_FOUND
SYMSRV:  HttpQueryInfo: 80190194 - HTTP_STATUS_NOT_FOUND
SYMSRV:  HTTPGET: /symbols/index2.txt
SYMSRV:  HttpQueryInfo: 80190194 - HTTP_STATUS_NOT_FOUND
SYMSRV:  HTTPGET: /symbols/%(name)s.pdb/%(id)s/%(name)s.pdb
%(end)s"""


def test_a_relative_path_names_the_server_whose_turn_it_is():
    """symsrv does not say which host it asks: the stores of the search tell, one after the other."""
    end = "SYMSRV:  HttpSendRequest: 800C2EFD - ERROR_INTERNET_CANNOT_CONNECT\nSYMSRV:  RESULT: 0x800C2EFD\nDBGHELP: c:\\symbols\\app.pdb - file not found\n"
    found = read_log(CHAIN % {"name": "app", "id": "3844DBB920174967BE7AA4A2C20430FA2", "end": end})
    assert set(found) == {
        ("not-there", r"\\build\sym"),
        ("absent", "https://one.example/symbols"),
        ("absent", "https://two.example/symbols"),  # its index2.txt
        ("connect", "https://two.example/symbols"),
    }


def test_an_id_is_no_error():
    """Ids hold any digits, those of error numbers too."""
    end = "SYMSRV:  HttpQueryInfo: 801900c8 - HTTP_STATUS_OK\nSYMSRV:  PATH: c:\\symbols\\k.pdb\nSYMSRV:  RESULT: 0x00000000\nDBGHELP: k - public symbols\n"
    found = read_log(CHAIN % {"name": "k", "id": "A2EE22EFD2F8F2F05801901928019019361", "end": end})
    assert {name for name, _ in found} == {"not-there", "absent", "found"}
    assert ("found", "https://two.example/symbols") in found and ("found", "k") in found


def test_symgates_own_later_is_no_absence():
    text = "SYMSRV:  BYINDEX: 0x9\n         c:\\sym*http://symgate:8080/symbols\n         big.pdb\n         0A1\nSYMSRV:  HTTPGET: /symbols/big.pdb/0A1/big.pdb\nSYMSRV:  HttpQueryInfo: 80070512\nSYMSRV:  RESULT: 0x80070512\nDBGHELP: big.pdb - file not found\n"
    assert set(read_log(text)) == {("later", "http://symgate:8080/symbols")}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("SYMSRV2: [a.ex_] GET https://h.example/a.exe/1/a.ex_\nSYMSRV2: [a.ex_] HTTP 404 (request #0)\n", ("absent", "https://h.example/a.exe/1/a.ex_")),
        ("SYMCHK: app.dll     FAILED  - app.pdb mismatched or not found\nSYMCHK: FAILED files = 1\n", ("no-symbols", "app.dll")),
        ("*** ERROR: Module load completed but symbols could not be loaded for app.exe\n.\n", ("no-symbols", "app.exe")),
        ("Downloading separate debug info for /usr/lib/a.so...\nDownload failed: No route to host.  Continuing\n", ("connect", "the client")),
    ],
)
def test_logs_of_other_clients(text, expected):
    assert set(read_log(text)) == {expected}


def test_each_of_debuginfods_urls_has_its_own_answer():
    text = """server urls "https://one.example/ http://two.example/"
url 0 https://one.example/buildid/bb/debuginfo
url 1 http://two.example/buildid/bb/debuginfo
query 2 urls in parallel
server response HTTP response code said error
url 0 The requested URL returned error: 404
server response Couldn't connect to server
url 1 Failed to connect to two.example port 80 after 1 ms: Couldn't connect to server
not found No such file or directory (err=-2)
"""
    assert set(read_log(text)) == {("absent", "https://one.example/buildid/bb/debuginfo"), ("connect", "http://two.example/buildid/bb/debuginfo")}


def test_debuginfod_without_servers():
    assert set(read_log('server urls ""\nnot found Function not implemented (err=-38)\n')) == {("no-server", "the client")}
    pasted = '$ DEBUGINFOD_URLS="http://h.example" debuginfod-find debuginfo bb\nserver urls "http://h.example"\ngot file from server\n url 0 http://h.example/buildid/bb/debuginfo\n'
    assert set(read_log(pasted)) == {("found", "http://h.example/buildid/bb/debuginfo")}


@pytest.mark.parametrize(
    "line, name",
    [
        ("server response Couldn't connect to server", "connect"),
        ("server response HTTP response code said error", "refused"),
        ("server response Timeout was reached", "timeout"),
        ("server response Couldn't resolve host name", "name"),
        ("server response SSL peer certificate or SSH remote key was not OK", "certificate"),
        ("got file from server", "found"),
    ],
)
def test_debuginfod_log(line, name):
    text = f'debuginfod_find_debuginfo 8c3\nserver urls "https://debuginfod.example.org/"\nurl 0 https://debuginfod.example.org/buildid/8c3/debuginfo\n{line}\n'
    found = read_log(text)
    assert (name, "https://debuginfod.example.org/buildid/8c3/debuginfo") in found, found


@pytest.mark.parametrize(
    "path, name, thing",
    [
        ("srv*C:\\s*https://a.example/x", "element", "srv*C:\\s*https://a.example/x"),
        ("srv*https://a.example/x", "no-cache", "srv*https://a.example/x"),
        ("srv*https://a.example*C:\\x", "order", "srv*https://a.example*C:\\x"),
        ("C:\\a;srv**", "empty", "srv**"),
        ("Symbol search path is: srv*", "element", "srv*"),
        ("C:\\a;c:\\A", "repeated", "c:\\A"),
        ("C:\\a;https://a.example", "bare-url", "https://a.example"),
        ('C:\\a;"C:\\b c"', "quotes", '"C:\\b c"'),
        ("set _NT_SYMBOL_PATH=srv*https://a.example/x", "no-cache", "srv*https://a.example/x"),
        (".sympath+ srv*C:\\s*https://a.example/x", "element", "srv*C:\\s*https://a.example/x"),
        ('$env:_NT_SYMBOL_PATH = "srv*C:\\s*https://a.example/x"', "element", "srv*C:\\s*https://a.example/x"),
        ('export _NT_SYMBOL_PATH="srv*C:\\s*https://a.example/x"', "element", "srv*C:\\s*https://a.example/x"),
        ('set _NT_SYMBOL_PATH="srv*C:\\s*https://a.example/x"', "quotes", '"srv*C:\\s*https://a.example/x"'),
        ("Symbol search path is: srv*C:\\s*https://a.example/x", "element", "srv*C:\\s*https://a.example/x"),
        ("C:\\symbols", "element", "C:\\symbols"),
        ("srv*C:\\s*http//a.example/x", "url", "srv*C:\\s*http//a.example/x"),
        ("srv*C:\\s*https:\\\\a.example\\x", "url", "srv*C:\\s*https:\\\\a.example\\x"),
        ("srv*C:\\s *https://a.example/x", "blank", "srv*C:\\s *https://a.example/x"),
        ("srv*C:\\s*https://a.example/x,C:\\b", "comma", "srv*C:\\s*https://a.example/x,C:\\b"),
        ("cache*C:\\s;srv*https://a.example/x", "element", "srv*https://a.example/x"),
        ('setx _NT_SYMBOL_PATH "srv*C:\\s*https://a.example/x" /M', "element", "srv*C:\\s*https://a.example/x"),
        ('set "_NT_SYMBOL_PATH=srv*C:\\s*https://a.example/x"', "element", "srv*C:\\s*https://a.example/x"),
        ('[Environment]::SetEnvironmentVariable("_NT_SYMBOL_PATH", "srv*C:\\s*https://a.example/x", "Machine")', "element", "srv*C:\\s*https://a.example/x"),
        ("srv*C:\\s*https://u:PL;ANT@a.example/x;C:\\b", "element", "srv*C:\\s*https://***@a.example/x"),
    ],
)
def test_symbol_paths(path, name, thing):
    assert (name, thing) in read_log(path + "\r\n")


SUMMARY = r"""%(kind)s search path is: srv*

Error: Change all symbol paths attempts to access 'G:\gone' failed: 0x2 - Das System kann die Datei nicht finden.
Error: Set symbol path attempts to access '\\away\sym' failed: 0x35 - The network path was not found.

************* %(title)s validation summary **************
Response                         Time (ms)     Location
Deferred                                       srv*C:\sym*https://me:of-last-year@one.example/symbols
OK                                             C:\my symbols
Error                                          G:\gone
Error                                          \\away\sym
Error                            16            D:\other
OK 
DBGHELP: app - no symbols loaded
Error                                          E:\of\no\table
"""


@pytest.mark.parametrize("title", ["Path", "Symbol Path"])
@pytest.mark.parametrize("before", ["", "> ", "2026-11-26 08:15:01 | "], ids=["as it is", "quoted", "timed"])
def test_what_the_debugger_says_of_each_element_of_a_path(title, before):
    text = SUMMARY % {"kind": "Executable", "title": title}
    found = read_log("".join(f"{before}{line}\n" for line in text.splitlines()))
    assert set(found) == {
        ("deferred", "srv*C:\\sym*https://***@one.example/symbols"),
        ("usable", "C:\\my symbols"),
        ("failed", "G:\\gone"),
        ("failed", "\\\\away\\sym"),
        ("failed", "D:\\other"),
        ("no-symbols", "app"),
    }
    told = {thing: row for (_, thing), row in found.items()}
    assert "not there" in told["G:\\gone"]["sentence"] and "Make the folder" in told["G:\\gone"]["cure"]
    assert "server is not found" in told["\\\\away\\sym"]["sentence"]
    assert "could not open it" in told["D:\\other"]["sentence"] and told["D:\\other"]["weight"] == "problem"
    assert "!sym noisy" in told["srv*C:\\sym*https://***@one.example/symbols"]["sentence"]
    assert told["C:\\my symbols"]["weight"] == "good"


TWO_STORES = """SYMSRV:  BYINDEX: 0x1
         c:\\symbols*https://one.example/symbols
         app.pdb
         94AD5C4B9A1E4420AB047F672A23E48A1
SYMSRV:  UNC: c:\\symbols\\app.pdb\\94AD5C4B9A1E4420AB047F672A23E48A1\\app.pdb - path not found
SYMSRV:  HTTPGET: /symbols/app.pdb/94AD5C4B9A1E4420AB047F672A23E48A1/app.pdb
SYMSRV:  HttpSendRequest: 800C2EE7 - ERROR_INTERNET_NAME_NOT_RESOLVED
SYMSRV:  RESULT: 0x800C2EE7
SYMSRV:  BYINDEX: 0x2
         \\\\build\\symbols*https://two.example/symbols
         app.pdb
         94AD5C4B9A1E4420AB047F672A23E48A1
SYMSRV:  HTTPGET: /symbols/app.pdb/94AD5C4B9A1E4420AB047F672A23E48A1/app.pdb
SYMSRV:  HttpQueryInfo: 80190193 - HTTP_STATUS_FORBIDDEN
SYMSRV:  RESULT: 0x80190193
DBGHELP: app - no symbols loaded
"""


def pasted(before):
    """Each line behind the same, as a ticket or a logger writes it."""
    return "".join(f"{before(n)}{line}\n" for n, line in enumerate(TWO_STORES.splitlines()))


@pytest.mark.parametrize(
    "before", [lambda n: "", lambda n: "  ", lambda n: "> ", lambda n: f"[12:00:{n:02}.4] ", lambda n: f"2026-11-26 08:15:{n:02} | "],
    ids=["as it is", "indented", "quoted", "timed", "logged"],
)
def test_a_log_is_read_wherever_it_was_pasted(before):
    assert set(read_log(pasted(before))) == {("name", "https://one.example/symbols"), ("forbidden", "https://two.example/symbols"), ("no-symbols", "app")}


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_a_log_is_read_as_windows_codes_it(coding, tmp_path):
    for big in (False, True) if coding == "utf-16" else (False,):
        text = TWO_STORES.replace("app", "äpp").replace("\n", "\r\n")
        (tmp_path / "log").write_bytes(b"\xfe\xff" + text.encode("utf-16-be") if big else text.encode(coding))
        done = run("doctor", "--json", "--log", tmp_path / "log")
        found = {(row["name"], row["thing"]) for row in json.loads(done.stdout)}
        assert found == {("name", "https://one.example/symbols"), ("forbidden", "https://two.example/symbols"), ("no-symbols", "äpp")}


def test_a_signed_url_stays_masked_in_every_line():
    """symsrv writes the path of its question without a scheme."""
    get = "SYMSRV:  HTTPGET: /symbols/app.pdb/94AD/app.pdb?sig=SECRETQ\nSYMSRV:  HttpQueryInfo: 80190191 - HTTP_STATUS_DENIED\n"
    assert set(read_log(get)) == {("credentials", "/symbols/app.pdb/94AD/app.pdb?***")}
    stores = "SYMSRV:  BYINDEX: 0x1\n         c:\\symbols*http://u:pw;x@symgate:8080/symbols?sig=SECRETQ\n         app.pdb\n         94AD\n"
    assert set(read_log(stores + get)) == {("credentials", "http://***@symgate:8080/symbols?***")}


def test_a_number_is_no_error_by_itself():
    assert set(read_log("SYMSRV:  app.pdb from https://h.example: 12007 bytes - copied\n")) == {("nothing", "the log")}
    assert set(read_log("SYMSRV:  http://h.example/symbols/app.pdb/12029/app.pdb not found\n")) == {("absent", "http://h.example/symbols/app.pdb/12029/app.pdb")}
    assert set(read_log("SYMSRV:  http://h.example: error 12029\n")) == {("connect", "http://h.example")}


def test_the_url_that_sends_the_file_is_named():
    text = """server urls "https://one.example https://two.example"
url 0 https://one.example/buildid/f0/debuginfo
url 1 https://two.example/buildid/f0/debuginfo
query 2 urls in parallel
server response HTTP response code said error
url 0 The requested URL returned error: 404
committed to url 1
got file from server
found /root/.cache/x (fd=5)
"""
    assert set(read_log(text)) == {("absent", "https://one.example/buildid/f0/debuginfo"), ("found", "https://two.example/buildid/f0/debuginfo")}


def test_no_debuginfod_server():
    for line in ('export DEBUGINFOD_URLS=""', "DEBUGINFOD_URLS="):
        assert set(read_log(line + "\n")) == {("no-server", "the client")}


def test_log_of_something_else(tmp_path):
    assert ("nothing", "the log") in read_log("hello\nworld\n")
    assert run("doctor", "--log", tmp_path / "none").returncode == 2


# --- from the page


def post(gate, path, body=None, **how):
    answer = gate.get("/api/v1/" + path, method="POST", body=body, **how)
    return answer.status, json.loads(answer.body) if answer.status == 200 else answer.body


def test_test_now(start, origin):
    down = socket.socket()
    down.bind(("127.0.0.1", 0))
    gate = start(server(origin), server(f"http://127.0.0.1:{down.getsockname()[1]}", "down"))
    code, told = post(gate, "test?server=one")
    assert code == 200 and told["ok"] is True and told["name"] == "server"
    code, told = post(gate, "test?server=down")
    assert code == 200 and told["ok"] is False and "cannot be reached" in told["what"] and told["cure"]
    assert post(gate, "test?server=none")[0] == 404
    assert gate.get("/api/v1/test?server=one").status == 405
    assert post(gate, "test?server=one", headers={"Origin": "http://evil.example"})[0] == 403
    assert gate.metric("symgate_searches_total") == 0
    down.close()


def test_edited_configuration_is_checked(start, origin):
    gate = start(server(origin))
    code, told = post(gate, "check", body=b'{"servers": [{"remote": "http://x/y", "retryTimeout": "never"}]}')
    assert code == 200 and len(told["errors"]) == 1 and "retryTimeout" in told["errors"][0]
    code, told = post(gate, "check", body=json.dumps({"servers": [server(origin)]}).encode())
    assert code == 200 and told["errors"] == []
    assert post(gate, "check")[0] == 400
    assert post(gate, "check", body=b"{", headers={"Origin": "http://evil.example"})[0] == 403
