# SPDX-License-Identifier: MIT
"""The configuration file, the command line, and a start from a symbol path."""

import json
import os
import re
import subprocess

import pytest
from conftest import server
from double.origin import good
from program import PROGRAM, environment, run, wait_until
from symbols import missing, pdb

# The shape of pySymProxy's shipped default, with other names; its missing comma included.
SHIPPED = r"""{
    "identity": {
        "name": "A studio's symbols",
        "host": "localhost:8080",
        "administrator": "someone@localhost",
        "default_sympath": "srv*C:\\Symbols*http://localhost:8080/symbols"
    },

    "general": {
        "enableStatistics": true,
        "cacheLocation": "./data/symbols",
        "blacklist": [
            "never",
            ".*\\.nobody$"
        ]
    },

    "servers": [
        {
            "name": "My builds",
            "identifier": "mb",
            "remote": "\\\\build\\symbols",
            "maxRequests": 10
        },
        {
            "name": "Somebody's symbol server",
            "identifier": "mss"
            "remote": "REMOTE",
            "cacheLocation": "\\\\server\\cache\\symbols",
            "retryTimout": 600,
            "maxRequests": 10
        }
    ],

    "logging": {
        "version": 1,
        "disable_existing_loggers": false,
        "formatters": {
            "default": {
                "level": "DEBUG",
                "format": "%(asctime)s %(levelname)s %(message)s",
                "datefmt": "%Y-%m-%d %H:%M:%S"
            }
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "level": "INFO",
                "formatter": "default",
                "stream": "ext://sys.stdout"
            },
            "file": {
                "class": "logging.handlers.RotatingFileHandler",
                "level": "DEBUG",
                "formatter": "default",
                "filename": "./data/log.txt",
                "maxBytes": 524288,
                "backupCount": 10
            }
        },
        "loggers": {
            "": {
                "handlers": ["console", "file"],
                "level": "DEBUG"
            }
        }
    }
}
"""


def check(tmp_path, text, *args):
    path = tmp_path / "it.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return run("check", *args, path, cwd=tmp_path)


def output(done):
    return done.stdout + done.stderr


def test_shipped_file_of_pysymproxy_tells_its_missing_comma(tmp_path):
    done = check(tmp_path, SHIPPED)
    assert done.returncode == 1
    # The parser sees the next token; the place where the comma belongs is the line before.
    line = SHIPPED.splitlines().index('            "identifier": "mss"') + 1
    found = re.search(r"it\.json:(\d+):(\d+): error", output(done))
    assert found, output(done)
    assert int(found[1]) in (line, line + 1)
    assert int(found[2]) > 0
    served = run("serve", "--config", tmp_path / "it.json", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert served.returncode == 1 and "it.json:" in output(served)


def corrected(remote):
    return SHIPPED.replace('"mss"', '"mss",').replace("REMOTE", remote)


def test_corrected_file_of_pysymproxy_works_unchanged(make, origin, tmp_path):
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    done = check(tmp_path, corrected(origin.url))
    assert done.returncode == 0, output(done)
    # The Windows paths are told, with the line to write.
    assert "pathMap" in output(done) and "\\\\" in output(done)
    gate = make()
    gate.config = None
    gate.cwd = gate.folder
    gate.config_path.write_text(corrected(origin.url))
    gate.start()
    with gate.connect() as connection:
        answer = connection.get(symbol.path)
        assert answer.status == 200 and answer.body == symbol.body
        assert connection.get(missing(1).path).verdict in ("absent", "failed")
        assert connection.get(missing(1, "never.pdb").path).verdict == "excluded"
    gate.wait_quiet()
    shelves = [p for p in (gate.folder / "data").rglob(symbol.shelved)]
    assert len(shelves) == 1 and shelves[0].read_bytes() == symbol.body
    assert not [p for p in gate.folder.rglob("*") if "\\" in p.name], "a Windows path was created"
    log = gate.folder / "data" / "log.txt"
    wait_until(lambda: log.exists() and symbol.id in log.read_text(), "the log file")


def test_file_is_found_in_pysymproxys_places(make, origin, tmp_path):
    for place in ("config/default.pysymproxy.json", "config/pysymproxy.json"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(corrected(origin.url).replace("A studio's", place))
        done = run("check", cwd=tmp_path)
        assert done.returncode == 0, output(done)
        assert place in output(done)
    (tmp_path / "sub").mkdir()
    done = run("check", cwd=tmp_path / "sub")
    assert "config/pysymproxy.json" in output(done)


def test_retry_times_that_differ(tmp_path, origin):
    text = json.dumps({"servers": [server(origin, retryTimeout=5, retryTimout=600)]})
    done = check(tmp_path, text)
    assert done.returncode == 0 and "warning" in output(done)
    assert "5" in done.stdout and "10m" not in done.stdout
    assert check(tmp_path, text, "--strict").returncode == 1


BAD = [
    ('{"general": {"cacheLocation": 5}}', 1, "cacheLocation"),
    ('{\n "servers": [{"remote": "http://x/", "maxRequests": "many"}]}', 2, "maxRequests"),
    ('{\n\n "servers": [{"remote": "http://x/", "retryTimeout": "soon"}]}', 3, "retryTimeout"),
    ('{\n "general": {\n  "blacklist": ["good", "b(d"]}}', 3, "blacklist"),
    ('{"servers": [{"name": "x"}]}', 1, "remote"),
    ('{"servers": {}}', 1, "servers"),
    ('{"general": {"failureStatus": 200}}', 1, "failureStatus"),
    ('{\n "servers": [{"remote": "http://x:99999/"}]}', 2, "remote"),
    ('{\n "servers": [{"remote": "http://"}]}', 2, "remote"),
    ('{\n "servers": [{"remote": "http://x y/"}]}', 2, "remote"),
    ('{\n "servers": [{"remote": "https://x/a#b"}]}', 2, "fragment"),
    ('{\n "servers": [{"remote": "http://x/", "userAgent": "a\\r\\nHost: y"}]}', 2, "userAgent"),
    ("[]", 1, ""),
    ("{", 1, ""),
    ("", 0, ""),
    ('{"general": }', 1, ""),
    ('{"general": {"listen": ["nonsense:port:x"]}}', 1, ""),
]


@pytest.mark.parametrize("text, line, word", BAD)
def test_errors_name_their_place(tmp_path, text, line, word):
    done = check(tmp_path, text)
    if "nonsense" in text:
        done = run("serve", "--config", tmp_path / "it.json", "--data", tmp_path / "data")
    assert done.returncode == 1, output(done)
    assert word in output(done)
    if line and "nonsense" not in text:
        assert re.search(rf"it\.json:{line}:\d+: error", output(done)), output(done)


def test_bad_pattern_tells_its_offset(tmp_path):
    done = check(tmp_path, '{"general": {"blacklist": ["abc(def"]}}')
    assert done.returncode == 1
    assert re.search(r"offset \d+|character \d+|at \d+|position \d+", output(done)), output(done)


@pytest.mark.parametrize(
    "text, word",
    [
        ('{"general": {"cacheLocaton": "/x"}}', "cacheLocation"),
        ('{"servers": [{"remote": "http://x/", "whitlist": []}]}', "whitelist"),
        ('{"sevrers": []}', "servers"),
    ],
)
def test_unknown_keys_warn_with_a_suggestion(tmp_path, text, word):
    done = check(tmp_path, text)
    assert done.returncode == 0 and "warning" in output(done) and word in output(done)
    assert check(tmp_path, text, "--strict").returncode == 1


def test_mark_line_ends_and_comments(tmp_path):
    text = '\ufeff{\r\n "_why": "a comment",\r\n "//": [1, 2],\r\n "servers": []\r\n}\r\n'
    done = check(tmp_path, text, "--strict")
    assert done.returncode == 0, output(done)


def test_environment_and_secret_files(tmp_path, origin):
    (tmp_path / "token").write_text("top secret\n")
    text = json.dumps(
        {
            "general": {"adminToken": {"file": str(tmp_path / "token")}, "blacklist": ["a${b"]},
            "servers": [{"name": "${WHO}", "remote": origin.url + "/$${x}"}],
        }
    )
    path = tmp_path / "it.json"
    path.write_text(text)
    done = run("check", path, env=environment(WHO="the builders"))
    assert done.returncode == 0, output(done)
    assert "the builders" in done.stdout and "${x}" in done.stdout
    assert "top secret" not in output(done)
    done = run("check", path)
    assert done.returncode == 1 and "WHO" in output(done)


def test_path_map(start, origin, tmp_path):
    symbol = pdb()
    folder = tmp_path / "mnt" / symbol.name / symbol.id
    folder.mkdir(parents=True)
    (folder / symbol.name).write_bytes(symbol.body)
    os.utime(folder / symbol.name, (1e9, 1e9))
    gate = start(
        server("\\\\build\\symbols\\deep"),
        general={"pathMap": {"\\\\build\\symbols\\deep": str(tmp_path / "mnt")}},
    )
    assert gate.fetch(symbol).verdict == "local"


def test_unmapped_windows_remote_cannot_be_asked(start, origin):
    gate = start(server("D:\\build\\symbols"), server(origin, "two"))
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "failed"
    assert "pathMap" in gate.errors()
    assert "cannot be asked" in gate.get("/").body.decode()
    assert not [p for p in gate.folder.rglob("*") if "build" in p.name]


def test_times_and_sizes_as_people_write_them(tmp_path, origin):
    text = json.dumps(
        {
            "general": {
                "minFreeSpace": "200 MiB",
                "spillLimit": 1048576,
                "hedgeAfter": "1.5s",
                "requestTimeout": 20,
            },
            "servers": [server(origin, retryTimeout="10m", hedgeAfter="250ms")],
        }
    )
    done = check(tmp_path, text, "--strict")
    assert done.returncode == 0, output(done)
    assert "10m" in done.stdout


def test_check_creates_nothing_and_asks_nobody(tmp_path, origin):
    config = {
        "general": {
            "cacheLocation": str(tmp_path / "cache"),
            "dataLocation": str(tmp_path / "data"),
        },
        "servers": [server(origin), server(tmp_path / "store", "dir")],
    }
    done = check(tmp_path, json.dumps(config))
    assert done.returncode == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["it.json"]
    assert origin.connections == 0


def test_check_beside_a_running_server(gate, origin):
    done = run("check", "--strict", "--config", gate.config_path)
    assert done.returncode == 0, output(done)


def test_check_prints_absolute_paths(tmp_path):
    done = check(tmp_path, '{"general": {"cacheLocation": "./there"}}')
    assert str(tmp_path / "there") in done.stdout


def test_writable_configuration_is_refused_as_root(tmp_path, origin):
    if os.geteuid() != 0:
        pytest.skip("only root is refused")
    folder = tmp_path / "open"
    folder.mkdir()
    path = folder / "it.json"
    path.write_text(json.dumps({"servers": []}))
    for mode_folder, mode_file in ((0o777, 0o644), (0o755, 0o666)):
        folder.chmod(mode_folder)
        path.chmod(mode_file)
        done = run(
            "serve",
            "--config",
            path,
            "--data",
            tmp_path / "data",
            "--listen",
            "127.0.0.1:0",
            timeout=10,
        )
        assert done.returncode == 1 and "writable" in output(done), output(done)


@pytest.mark.parametrize(
    "identifiers",
    [
        [{"identifier": "a", "name": "n"}, {"identifier": "a"}],
        [{"name": "n"}, {"name": "n"}],
        [{}, {}],
    ],
)
def test_identifiers_are_made_unique(start, origin, second, identifiers):
    servers = []
    for remote, names in zip((origin, second), identifiers):
        one = server(remote)
        del one["name"], one["identifier"]
        servers.append(one | names)
    gate = start(*servers)
    gate.get(missing(1).path)
    asked = [name for name in gate.metrics() if name.startswith("symgate_source_asked_total")]
    assert len(set(asked)) == 2


# --- the command line ----------------------------------------------------------------------------


def test_version_and_help():
    version = run("--version")
    assert version.returncode == 0 and re.search(r"symgate \d+\.\d+\.\d+", version.stdout)
    helped = run("--help")
    assert helped.returncode == 0
    for word in (
        "serve",
        "check",
        "forget",
        "copies",
        "--config",
        "--listen",
        "--data",
        "--sympath",
    ):
        assert word in helped.stdout, word


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["serve", "--nonsense"],
        ["serve", "extra"],
        ["forget"],
        ["forget", "noslash"],
        ["serve", "--config"],
    ],
)
def test_wrong_command_lines(args):
    done = run(*args)
    assert done.returncode not in (0, -6, -11) and done.stderr


def test_no_command_at_all():
    done = run()
    assert "serve" in output(done)


def test_configuration_that_is_not_there(tmp_path):
    done = run("serve", "--config", tmp_path / "none.json", "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and "none.json" in done.stderr


def test_forget_and_copies_commands(gate, origin):
    from double.origin import Script, gate as at_gate, head, send

    symbol = pdb()
    origin.on(symbol.remote, Script(symbol.body, at_gate("go"), head(), send()))
    waiting = gate.ask(symbol.path)
    origin.wait_at("go")
    for where in (["--data", gate.data], ["--url", gate.url + "/"], ["--url", gate.url]):
        done = run("copies", *where)
        assert done.returncode == 0, output(done)
        assert [c["key"] for c in json.loads(done.stdout)] == [symbol.key]
    origin.open("go")
    assert waiting.answer().body == symbol.body
    gate.check(symbol)
    done = run("forget", f"{symbol.name}/{symbol.id}", "--data", gate.data)
    assert done.returncode == 0 and '"files": 1' in done.stdout, output(done)
    gate.check()
    for command in (["copies"], ["advise"]):
        done = run(*command, "--url", origin.url)
        assert done.returncode == 1 and "is no symgate" in done.stderr and origin.url in done.stderr, output(done)
    gate.stop()
    done = run("copies", "--data", gate.data)
    assert done.returncode != 0 and done.stderr


@pytest.mark.parametrize("name", ["д" * 42 + ".pdb", "符" * 83 + ".dll", " " * 250 + "x.pdb"], ids=len)
def test_names_that_are_long_only_when_coded(gate, origin, name):
    """A name has its 255 bytes as it is, not as a query writes it."""
    import urllib.parse

    coded = urllib.parse.quote(name)
    assert gate.get(f"/symbols/{coded}/11/{coded}").verdict == "absent"
    told = run("explain", f"{name}/11", "--url", gate.url)
    assert told.returncode == 0 and "remembered" in told.stdout, output(told)
    done = run("forget", f"{name}/11", "--url", gate.url)
    assert done.returncode == 0 and '"absences": 1' in done.stdout, output(done)
    answer = gate.get(f"/api/v1/fetch?name={coded}&id=11", method="POST")
    assert answer.status in (200, 202), answer.body  # it may be over already
    for missing, sentence in (("id=11", "say which"), (f"name={coded * 4}&id=11", '"name" cannot be read')):
        answer = gate.get(f"/api/v1/forget?{missing}", method="POST")
        assert answer.status == 400 and sentence in answer.body.decode(), answer.body


@pytest.mark.parametrize("command", ["serve", "check", "doctor"])
def test_two_configurations_at_once(command, tmp_path):
    file = tmp_path / "symgate.json"
    file.write_text('{"servers": []}')
    done = run(command, "--config", file, "--sympath", "srv*/srv/symbols")
    assert done.returncode == 2 and "give one configuration" in done.stderr


def test_sympath(make, origin, tmp_path):
    symbol, local = pdb("far.pdb"), pdb("near.pdb")
    store, cache = tmp_path / "store", tmp_path / "down"
    (store / local.name / local.id).mkdir(parents=True)
    (store / local.remote[1:]).write_bytes(local.body)
    os.utime(store / local.remote[1:], (1e9, 1e9))
    origin.on(symbol.remote, good(symbol.body))
    gate = make()
    gate.config = None
    gate.command = lambda: [
        str(PROGRAM),
        "serve",
        "--sympath",
        f"srv*{cache}*{origin.url};srv*{store}",
        "--data",
        str(gate.data),
        "--listen",
        "127.0.0.1:0",
    ]
    gate.start()
    gate.fetch(symbol)
    assert gate.fetch(local).verdict == "local"
    gate.wait_quiet()
    assert (cache / symbol.shelved).read_bytes() == symbol.body


@pytest.mark.parametrize("path", ["", " ; ", "srv*"])
def test_symbol_path_without_a_server_is_told(path):
    done = run("check", "--strict", "--sympath", path)
    assert done.returncode == 1 and "names no server: only" in output(done)


def test_every_element_of_a_symbol_path_is_used_or_named(tmp_path, origin):
    path = (
        f"cache*{tmp_path}/c;srv*{origin.url};symsrv*symsrv.dll*{tmp_path}/d*{origin.url}/b;"
        f"{tmp_path}/plain;"
        "srv*;nonsense*x;srv*\\\\share\\store"
    )
    done = run("check", "--sympath", path)
    assert done.returncode == 0, output(done)
    for word in (origin.url, f"{tmp_path}/plain", f"{origin.url}/b", "nonsense*x", "share"):
        assert word in output(done), word


def test_listen_several_times(make, origin):
    gate = make(
        server(origin),
        args=["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0", "--listen", "localhost:0"],
    )
    gate.start()
    addresses = re.findall(r"http://([0-9.]+|\[::1\]):(\d+)/(?= |\s)", gate.start_line())
    assert len(addresses) >= 3
    for host, port in addresses:
        gate.address = (host.strip("[]"), int(port))
        if ":" not in gate.address[0]:
            assert gate.get("/healthz").status == 200


def test_start_line(gate):
    line = gate.start_line()
    assert gate.url in line and str(gate.config_path) in line and str(gate.data) in line
    assert re.search(r"/symbols/[^/]+\.pdb/[0-9A-F]{32}[0-9a-f]+/[^/]+\.pdb", line)


def test_workers(start, origin):
    for count in (1, 3):
        gate = start(server(origin), general={"workers": count})
        assert all(
            a.result().verdict == "absent"
            for a in [gate.get_later(missing(n).path) for n in range(40)]
        )


def test_environment_proxy_is_used(make, origin, second):
    """http_proxy counts where the configuration says nothing; no_proxy is honoured."""
    symbol = pdb()
    for proxied, asked in (("", second), ("127.0.0.1", origin)):
        gate = make(
            server(f"http://127.0.0.1:{origin.port}"),
            env={"http_proxy": second.url, "no_proxy": proxied},
        )
        gate.start()
        second.on("http://127.0.0.1:%d%s" % (origin.port, symbol.remote), good(symbol.body))
        origin.on(symbol.remote, good(symbol.body))
        gate.fetch(symbol)
        assert asked.count() == 1
        gate.stop()


def test_process_ends_cleanly_with_nothing_left(gate, origin):
    assert gate.get(missing(1).path).status == 404
    gate.stop()
    assert gate.process.returncode == 0
    assert subprocess.run(["pgrep", "-P", str(gate.process.pid)], check=False).returncode == 1


def test_key_that_stands_there_twice_is_told(tmp_path):
    path = tmp_path / "twice.json"
    path.write_text('{"general": {"workers": 1,\n "workers": 2}, "servers": [{"remote": "http://a/b"}]}')
    done = run("check", path)
    assert done.returncode == 0 and f"{path}:2:" in done.stderr and '"workers"' in done.stderr and "the last one counts" in done.stderr


def test_url_is_no_folder(tmp_path):
    path = tmp_path / "url.json"
    path.write_text('{"servers": [{"remote": "http://a/b", "cacheLocation": "https://me:secret@x/y"}]}')
    done = run("check", path)
    assert "is a URL, where a folder is wanted" in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize(
    "remote, weight, told",
    [
        ("msdl.microsoft.com/download/symbols", "warning", "Write https:// before it"),
        ("symbols.local:8080/x", "warning", "Write https:// before it"),
        ("http:///symbols", "error", "names no host"),
        ("./v1.2/symbols", "", ""),
        ("symbols/v1.2", "", ""),
        ("https://[::1]:81/x", "", ""),
    ],
)
def test_scheme_or_host_that_was_forgotten(tmp_path, remote, weight, told):
    path = tmp_path / "it.json"
    path.write_text(json.dumps({"servers": [{"remote": remote}]}))
    done = run("check", path, "--data", tmp_path / "data")
    assert done.returncode == (1 if weight == "error" else 0), output(done)
    if weight:
        assert f"{weight}: servers[0].remote" in output(done) and told in output(done)
    else:
        assert "servers[0].remote" not in output(done)
