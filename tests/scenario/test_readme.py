# SPDX-License-Identifier: MIT
"""What the documentation says of the program is so: first steps, examples, reference, metrics."""

import json
import os
import re
import subprocess

import pytest
from conftest import server
from double.origin import good
from program import PROGRAM, ROOT, environment, run
from symbols import pdb

README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def steps(block):
    """[command, what it answers] of a console block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        else:
            found[-1][1] += line + "\n"
    return found


@pytest.fixture
def first_run(make, tmp_path):
    """`make run` of somebody whose home is empty: the built-in default, on a port of its own."""
    gate = make()
    gate.config = None
    gate.home = tmp_path / "home"
    gate.home.mkdir()
    gate.cwd = gate.home
    data = gate.home / ".local/state/symgate"
    words = [str(PROGRAM), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    gate.command = lambda: words
    return gate.start()


def test_first_steps(first_run):
    """Each command as it stands in the README, and exactly the answer that stands below it."""
    host = f"127.0.0.1:{first_run.address[1]}"
    begin = README.index("## Five minutes")
    (start, line), *rest = [
        step
        for block in blocks(README[begin : README.index("To keep it:")], "console")
        for step in steps(block)
    ]
    assert start == "make run"
    shape = re.escape(line.replace(" http://[::]:8080/", "").replace("0.0.0.0:8080", host).strip())
    shape = shape.replace(re.escape("/home/you"), re.escape(str(first_run.home)))
    assert re.fullmatch(shape, first_run.start_line().strip())
    assert sum(command.startswith("curl") for command, _ in rest) >= 2
    for command, answer in rest:
        done = subprocess.run(
            ["sh", "-c", command.replace("localhost:8080", host)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=first_run.home,
            env=environment(HOME=str(first_run.home)),
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == answer, command


def test_page_names_the_address_that_was_used(gate, first_run):
    own = first_run.get("/", headers={"Host": "symbols.example.org:8080"}, host=None)
    assert "srv*http://symbols.example.org:8080/symbols" in own.body.decode()
    evil = first_run.get("/", headers={"Host": "<script>"}, host=None)
    assert "<script>" not in evil.body.decode()
    configured = gate.get("/").body.decode()
    assert "srv*http://localhost/symbols" in configured and "nobody" in configured


def test_make_install_and_uninstall(tmp_path):
    """Without a build of its own: what lies in the build folder is installed."""
    words = ["-o", "build", f"BUILD={PROGRAM.parent}", "PREFIX=/usr", f"DESTDIR={tmp_path}"]

    def make(target):
        subprocess.run(["make", "-s", target, *words], cwd=ROOT, check=True, timeout=60)

    make("install")
    unit = (tmp_path / "usr/lib/systemd/system/symgate.service").read_text()
    assert "ExecStart=/usr/bin/symgate serve" in unit and "@" not in unit.split("ExecStart")[1][:40]
    assert os.access(tmp_path / "usr/bin/symgate", os.X_OK)
    helper = tmp_path / "usr/libexec/symgate/symgate-smb"
    assert os.access(helper, os.X_OK) == os.access(PROGRAM.parent / "symgate-smb", os.X_OK)
    assert (tmp_path / "usr/share/man/man1/symgate.1").stat().st_size > 1000
    assert (tmp_path / "etc/symgate").is_dir()
    make("uninstall")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# --- configuration -------------------------------------------------------------------------------


def test_example_is_accepted_strictly(tmp_path):
    done = run("check", "--strict", DOCS / "symgate.example.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_in_pages_are_accepted(page, tmp_path):
    for name in ("token", "password", "partner", "key"):
        (tmp_path / name).write_text("secret\n")
    env = environment(CREDENTIALS_DIRECTORY=str(tmp_path), AZURE_TOKEN="a", CORP_PASSWORD="b")
    for number, text in enumerate(blocks(page.read_text(), "json")):
        path = tmp_path / f"{number}.json"
        path.write_text(text.replace('{"file": "/etc/symgate/', f'{{"file": "{tmp_path}/'))
        done = run("check", "--strict", path, env=env)
        warned = done.stdout + done.stderr
        no_servers = "no servers are configured" in warned and "0 errors, 1 warnings" in warned
        assert done.returncode == 0 or no_servers, warned


def test_reference_is_the_programs_own():
    for option, name in (("--markdown", "reference.md"), ("--schema", "schema.json")):
        assert run("reference", option).stdout == (DOCS / name).read_text(), (
            f"write it anew: symgate reference {option} >docs/{name}"
        )


def properties(schema, path):
    for step in path:
        schema = schema["items"] if step == "items" else schema["properties"][step]
    return schema["properties"]


@pytest.mark.parametrize(
    "path, place",
    [
        ((), "{{{}: null}}"),
        (("identity",), '{{"identity": {{{}: null}}}}'),
        (("general",), '{{"general": {{{}: null}}}}'),
        (("servers", "items"), '{{"servers": [{{"remote": "/x", {}: null}}]}}'),
        (("servers", "items", "timeouts"), '{{"servers": [{{"timeouts": {{{}: null}}}}]}}'),
        (("servers", "items", "breaker"), '{{"servers": [{{"breaker": {{{}: null}}}}]}}'),
    ],
    ids=["root", "identity", "general", "server", "timeouts", "breaker"],
)
def test_schema_knows_the_keys_that_the_program_knows(path, place, tmp_path):
    """Every key of the schema is known; what it does not name is told as unknown."""
    names = list(properties(json.loads((DOCS / "schema.json").read_text()), path))
    assert names
    file = tmp_path / "it.json"
    for name in [*names, "nonsense"]:
        if name == "remote":
            continue
        file.write_text(place.format(json.dumps(name)))
        done = run("check", file, cwd=tmp_path)
        assert ("unknown" in done.stdout + done.stderr) == (name == "nonsense"), name


def test_manual_page():
    """Every command and option of the help stands in it, and the formatter has nothing to say."""
    manual = (DOCS / "symgate.1").read_text().replace("\\-", "-")
    helped = run("--help").stdout
    for word in set(re.findall(r"--[a-z]+", helped)) | set(re.findall(r"symgate ([a-z]+)", helped)):
        assert word in manual, word
    for place in re.findall(r"\S+\.json", helped):
        assert place.rstrip(".,;") in manual, place
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", DOCS / "symgate.1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr


# --- metrics and verdicts ------------------------------------------------------------------------


def test_every_metric_is_described_and_no_other(gate):
    told = set(re.findall(r"^\| `(symgate_\w+)", (DOCS / "metrics.md").read_text(), re.M))
    given = set(re.findall(r"^# HELP (\w+)", gate.get("/metrics").body.decode(), re.M))
    assert told == given


def test_kinds_of_metrics_are_as_described(gate):
    lines = (DOCS / "metrics.md").read_text().splitlines()
    text = gate.get("/metrics").body.decode()
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)", text, re.M):
        row = next(line for line in lines if line.startswith(f"| `{name}"))
        assert row.split("|")[2].strip() == kind, row


def test_every_verdict_is_described(gate):
    page = (DOCS / "answers.md").read_text()
    text = gate.get("/metrics").body.decode()
    for verdict in re.findall(r'verdict="(\w+)"', text):
        assert f"| `{verdict}` |" in page, verdict


def test_log_line_has_the_fields_described(start, origin):
    """The line that docs/logging.md takes apart has the shape of the program's own."""
    gate = start(server(origin, "builds"))
    symbol = pdb("game.pdb")
    origin.on(symbol.remote, good(symbol.body))
    gate.fetch(symbol)
    gate.stop()
    own = next(line for line in gate.log_lines() if "game.pdb" in line)
    page = (DOCS / "logging.md").read_text()
    told = next(line for line in page.splitlines() if "game.pdb" in line)

    def shape(line):
        return re.sub(r"[0-9A-Fa-f.:-]*\d[0-9A-Fa-f.:-]*", "#", line.strip())

    assert shape(own) == shape(told)
