# SPDX-License-Identifier: MIT
"""Who may change things, and secrets that are found nowhere."""

import base64
import re
import subprocess

import pytest
from conftest import server
from double.origin import good, redirect, status
from program import logging, run, wait_until
from symbols import missing, pdb


FORGET = "/api/v1/forget?name=app.pdb&id=" + "A" * 33


@pytest.mark.parametrize(
    "headers, code",
    [
        ({}, 200),
        ({"X-Forwarded-For": "1.2.3.4"}, 403),
        ({"Forwarded": "for=1.2.3.4"}, 403),
        ({"X-Real-IP": "127.0.0.1"}, 403),
        ({"Via": "1.1 proxy"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403),
        ({"Origin": "https://"}, 403),
    ],
)
def test_who_may_change_things(gate, headers, code):
    assert gate.get(FORGET, method="POST", headers=headers).status == code


@pytest.mark.parametrize(
    "host, code",
    [
        ("evil.example", 403),
        ("evil.example:8080", 403),
        ("127.0.0.1", 200),
        ("localhost:1234", 200),
        ("[::1]", 200),
    ],
)
def test_host_of_changes(gate, host, code):
    assert gate.get(FORGET, method="POST", host=host).status == code


def test_own_origin_may(gate):
    host = f"127.0.0.1:{gate.address[1]}"
    assert (
        gate.get(FORGET, method="POST", host=host, headers={"Origin": f"http://{host}"}).status
        == 200
    )


def test_other_address_may_not(make, origin, own_address):
    gate = make(server(origin), args=["--listen", "0.0.0.0:0"]).start()
    gate.address = (own_address, gate.address[1])
    answer = gate.get(FORGET, method="POST", host=own_address)
    assert answer.status == 403 and answer.reason
    assert gate.get(missing(1).path).verdict == "absent"


def test_token(make, origin, own_address):
    gate = make(
        server(origin), general={"adminToken": "sesame"}, args=["--listen", "0.0.0.0:0"]
    ).start()
    gate.address = (own_address, gate.address[1])

    def ask(token):
        return gate.get(
            FORGET, method="POST", host=own_address, headers={"Authorization": f"Bearer {token}"}
        ).status

    assert ask("sesame") == 200
    for wrong in ("", "sesam", "sesamee", "Sesame", "x" * 4000):
        assert ask(wrong) == 403
    assert (
        gate.get(
            FORGET, method="POST", host="evil.example", headers={"Authorization": "Bearer sesame"}
        ).status
        == 403
    )


def test_changes_are_post_and_views_are_get(gate):
    assert gate.get(FORGET).status == 405
    assert gate.get("/api/v1/copies", method="POST").status == 405
    assert gate.get("/api/v1/nothing").status == 404
    assert gate.get("/api/v1/copies", host="evil.example").status == 403


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?name=app.pdb",
        "?name=..&id=A",
        "?name=a%2Fb&id=A",
        "?name=" + "n" * 300 + "&id=A",
        "?name=%00&id=%00",
    ],
)
def test_forget_of_nonsense(gate, query):
    assert gate.get("/api/v1/forget" + query, method="POST").status == 400


# --- secrets -------------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_secrets_are_found_nowhere(make, origin, second, tmp_path, monkeypatch):
    """User-info and queries of URLs, of redirect targets too, and all that a server is shown."""
    log = tmp_path / "log.txt"
    remote = origin.url.replace("//", "//planteduser:plantedpass@")
    monkeypatch.setenv("PLANTED_TOKEN", "plantedtokeninapath")
    secret = tmp_path / "secret"
    secret.write_text("plantedinafile\n")
    nobody = "http://planteduser:plantedpass@127.0.0.1:1"
    gate = make(
        server(remote + "?sig=plantedquery"),
        server(remote + "/plain", "two"),
        server(origin.url + "/3", "three", user="planteduser", password={"file": str(secret)}),
        server(origin.url + "/4", "four", token="plantedtoken", headers={"X-Key": "plantedheader"}),
        server(origin.url + "/5", "five", proxy=nobody),
        server(
            origin.url + "/6",
            "six",
            proxy=second.url,
            proxyUser="planteduser",
            proxyPassword="plantedpass",
        ),
        server(
            "https://127.0.0.1:1/7",
            "seven",
            clientCertificate=str(secret),
            clientKeyPassword="plantedkey",
        ),
        server(origin.url + "/8", "eight", user="planteduser", authentication="digest"),
        server(origin.url + "/feed/auth/${PLANTED_TOKEN}/symbols", "ten"),
        server("http://u:pa;plantedsemi*plantedstar@127.0.0.1:1/9?s=x*plantedq;plantedr", "nine", proxy="http://u:p;plantedproxy@127.0.0.1:1"),
        logging=logging(log),
        general={"adminToken": "plantedadmin", "pathMap": {"smb://u:plantedmap@srv/share": "/nowhere"}},
    )
    gate.start()
    found, failing, gone = pdb(), missing(1), missing(2)
    target = second.url.replace("//", "//plantedother:plantedother2@")
    for prefix in ("", "/plain"):
        origin.on(prefix + found.remote, redirect(f"{target}/blob?sig=plantedsignature"))
        origin.on(prefix + failing.remote, redirect(f"{target}/bad?sig=plantedsignature"))
        origin.on(
            prefix + gone.remote,
            redirect("http://u:plantedloop@127.0.0.1:1/x?sig=plantedsignature"),
        )
    second.on("/blob", good(found.body))
    second.on("/bad", status(500))
    texts = []
    refused = [
        'WWW-Authenticate: Digest realm="x", qop="auth", nonce="n"',
        'Proxy-Authenticate: Basic realm="x"',
    ]
    origin.on("/8" + gone.remote, status(401, dict(line.split(": ", 1) for line in refused)))
    second.default = status(407, {"Proxy-Authenticate": 'Basic realm="x"'})
    for symbol in (found, failing, gone):
        answer = gate.get(symbol.path + "?token=plantedbyclient")
        texts.append(str(answer.fields))
    basic = "Basic " + base64.b64encode(b"planteduser:plantedpass").decode()
    shown = [r.headers.get("authorization", "") for r in origin.requests]
    assert basic in shown and "Bearer plantedtoken" in shown
    assert "Basic " + base64.b64encode(b"planteduser:plantedinafile").decode() in shown
    assert any(one.startswith('Digest username="planteduser"') for one in shown)
    assert any("/auth/plantedtokeninapath/symbols" in r.path for r in origin.requests)
    assert "plantedheader" in [r.headers.get("x-key") for r in origin.requests]
    assert basic in [r.headers.get("proxy-authorization") for r in second.requests]
    shown = "copies quarantine overview servers symbols requests missing logs configuration"
    shown = [f"/api/v1/{route}" for route in shown.split()]
    shown += ["/", "/metrics", "/symbols/", "/healthz", "/symbols.json", "/pysymproxy.json", "/1.log"]
    for path in shown:
        text = gate.get(path).body.decode(errors="replace")
        # Who asks is no secret where administrators see the configuration.
        texts.append(re.sub(r'"(user|proxyUser)": "planteduser"', "", text))
    last = gate.get("/healthz").headers["x-request-id"]
    wait_until(lambda: last in log.read_text(), "the log")
    texts += [log.read_text(), gate.errors(), "".join(filter(None, gate.lines))]
    done = subprocess.run(
        [gate.command()[0], "check", str(gate.config_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    texts.append(done.stdout + done.stderr)
    gate.stop()
    for path in [*gate.data.rglob("*"), *gate.cache.rglob("*")]:
        if path.is_file():
            texts.append(path.read_bytes().decode("latin-1"))
            texts.append(str(path))
    ways = basic.split()[1], base64.b64encode(b"planteduser:plantedinafile").decode()
    for text in texts:
        assert not any(way in text for way in ways)
        at = text.find("planted")
        assert at < 0, text[max(0, at - 200) : at + 100]


POINTERS = {
    "url": "PATH:http://plantedu:plantedp@h/x?sig=plantedq",
    "share": "PATH://plantedu:plantedp@h/share/x?sig=plantedq",
    "windows": "\\\\plantedu:plantedp@h\\share\\x",
    "message": "MSG: see https://plantedu:plantedp@h/x?sig=plantedq and ask",
}


@pytest.mark.parametrize("pointer", POINTERS)
def test_secrets_in_pointers_are_found_nowhere(make, origin, tmp_path, pointer):
    log = tmp_path / "symgate.log"
    gate = make(server(origin, forms=["pointer"]), logging=logging(log)).start()
    symbol = pdb()
    origin.on(symbol.remote.rsplit("/", 1)[0] + "/file.ptr", good(POINTERS[pointer].encode()))
    answer = gate.get(symbol.path)
    assert answer.status == 404 and origin.count() == 1, "no URL is followed"
    texts = [str(answer.fields)]
    key = f"{symbol.name}/{symbol.id}"
    shown = ["requests", f"explain?name={symbol.name}&id={symbol.id}", "quarantine", "servers", "overview"]
    texts += [gate.get(f"/api/v1/{path}").body.decode() for path in shown] + [gate.get("/").body.decode()]
    texts.append(run("explain", "--url", gate.url, key).stdout)
    assert "***" in texts[-1]
    gate.stop()
    files = [path for path in [*gate.data.rglob("*"), log] if path.is_file()]
    texts += [path.read_bytes().decode("latin-1") for path in files] + [gate.errors()]
    for text in texts:
        at = text.find("planted")
        assert at < 0, text[max(0, at - 200) : at + 100]


def test_names_of_a_host_that_is_not_configured(gate, origin, second):
    """Nothing that a client sends makes symgate connect elsewhere."""
    for target in (
        f"{second.url}/a.pdb/AB/a.pdb",
        f"/symbols/{second.url}/x",
        f"//127.0.0.1:{second.port}/x",
    ):
        gate.get(target)
        gate.get(missing(1).path, headers={"Host": f"127.0.0.1:{second.port}"}, host=None)
    assert second.connections == 0
