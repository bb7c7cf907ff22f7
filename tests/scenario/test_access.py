# SPDX-License-Identifier: MIT
"""How servers on HTTP are reached: who asks, which way, under whose certificate; and that whatever is shown to a
server reaches no other one. Against real servers: Apache (Basic, Digest, Negotiate), Squid (proxies; NTLM by Samba's
ntlm_auth), nginx (TLS), krb5kdc. The scripted origin only notes what it is shown."""

import base64
import json
import os
import ssl

import conftest
import pytest
from double.kerberos import Kerberos
from double.origin import Origin, Script, absent, good, head, ranged_head, redirect, reset, send, send_to, status
from double.web import DOMAIN, PASSWORD, USER, Apache, Authority, Nginx, Squid, publish
from program import run, wait_until
from symbols import missing, pdb

WHO = {"user": USER, "password": PASSWORD}
NTLM = {"user": f"{DOMAIN}\\{USER}", "password": PASSWORD, "authentication": "ntlm"}


@pytest.fixture(scope="module")
def realm():
    it = Kerberos()
    it.own.chmod(0o755)
    it.web = it.keytab("HTTP/localhost")
    it.web.chmod(0o644)
    it.client = it.keytab("symgate")
    yield it
    it.remove()


@pytest.fixture(scope="module")
def apache(realm):
    it = Apache(keytab=realm.web, env=realm.env)
    yield it
    it.remove()


@pytest.fixture(scope="module")
def guarded(apache):
    """A server that lets in by NTLM alone."""
    it = Squid("ntlm", before=apache.port)
    yield it
    it.remove()


@pytest.fixture(scope="module")
def squids():
    """squids(scheme) → a proxy, one for all tests."""
    made = {}

    def of(scheme):
        if scheme not in made:
            made[scheme] = Squid(scheme)
        return made[scheme]

    yield of
    for one in made.values():
        one.remove()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def nginx(authority):
    it = Nginx(authority, authority.certificate("server"), authority.key("server"))
    yield it
    it.remove()


def server(remote, name="one", **more):
    """Patient with real servers on a busy machine."""
    return conftest.server(remote, name, **{"timeouts": {"connect": 30}} | more)


def ticket(realm, folder):
    """The surroundings of a program that has a keytab of its own."""
    return realm.env | {"KRB5_CLIENT_KTNAME": f"FILE:{realm.client}", "KRB5CCNAME": f"FILE:{folder}/tickets"}


def fails(gate, symbol, *words):
    """Asking fails, for a reason that says so, and is no absence."""
    answer = gate.get(symbol.path)
    assert (answer.status, answer.verdict) == (404, "failed"), answer
    for word in words:
        assert word in answer.reason, answer.reason
    return answer


# --- who asks ------------------------------------------------------------------------------------


def the_server(way, apache, guarded):
    """The entry of a server that wants to be asked so."""
    if way == "ntlm":
        return server(guarded.url, **NTLM)
    if way == "negotiate":
        return server(apache.url(way, "localhost"), authentication=way)
    return server(apache.url(way), authentication=way, **WHO)


@pytest.mark.sanitized
@pytest.mark.parametrize("way", ["basic", "digest", "ntlm", "negotiate"])
def test_real_servers_let_it_in(make, apache, guarded, realm, tmp_path, way):
    symbols = [pdb(f"{way}{n}.pdb") for n in range(8)]
    publish(apache.www, *symbols)
    asked = guarded if way == "ntlm" else apache
    before = len(asked.lines())
    entry = the_server(way, apache, guarded) | {"maxRequests": 1}  # one worker
    gate = make(entry, env=ticket(realm, tmp_path)).start()
    for symbol in symbols:
        gate.fetch(symbol)
    assert gate.get(missing(1).path).verdict == "absent"
    name = {"ntlm": f"{DOMAIN}\\{USER}", "negotiate": "symgate@HOUSE.TEST"}.get(way, USER)
    lines = asked.wait_lines(before, len(symbols), lambda line: line.startswith(f"{name} 200 "))
    # A handshake a connection, for Digest a nonce a worker: not one a question.
    assert sum(" 401 " in line for line in lines) <= (0 if way == "basic" else len(symbols) - 1)
    gate.check(*symbols)


@pytest.mark.parametrize("way", ["basic", "digest", "ntlm", "negotiate"])
def test_who_is_not_let_in_fails_and_is_told(make, apache, guarded, way):
    symbol = pdb(f"refused-{way}.pdb")
    publish(apache.www, symbol)
    entry = the_server(way, apache, guarded)
    if way == "negotiate":
        gate = make(entry, env={"KRB5_CONFIG": "/dev/null", "KRB5CCNAME": "MEMORY:none"}).start()
    else:
        gate = make(entry | {"password": "wrong"}).start()
    fails(gate, symbol, "401", "Kerberos" if way == "negotiate" else "does not take these credentials")
    assert gate.metric("symgate_source_absent_total", "one") == 0


def test_a_question_without_credentials_says_what_to_give(start, apache):
    symbol = pdb("unnamed.pdb")
    publish(apache.www, symbol)
    gate = start(server(apache.url("basic")))
    fails(gate, symbol, "401", "wants user and password")


@pytest.mark.parametrize(
    "given, shown",
    [
        ({"user": "ann", "password": "pa:ss"}, "Basic " + base64.b64encode(b"ann:pa:ss").decode()),
        ({"password": "azure-pat"}, "Basic " + base64.b64encode(b":azure-pat").decode()),
        ({"user": "", "password": "azure-pat"}, "Basic " + base64.b64encode(b":azure-pat").decode()),
        ({"token": "abc.def-_~+/="}, "Bearer abc.def-_~+/="),
        ({"headers": {"Authorization": "PRIVATE x"}}, "PRIVATE x"),
    ],
)
def test_what_is_shown(start, origin, given, shown):
    """At once, and with every question."""
    symbols = [pdb(seed=n) for n in range(3)]
    for symbol in symbols:
        origin.on(symbol.remote, good(symbol.body))
    gate = start(server(origin, **given))
    for symbol in symbols:
        gate.fetch(symbol)
    assert [r.headers.get("authorization") for r in origin.requests] == [shown] * 3


def test_user_info_of_the_url_may_have_any_character(start, origin):
    symbol = pdb()
    origin.on("/a/b" + symbol.remote, good(symbol.body))
    remote = origin.url.replace("//", "//us%40er:p%2Fs%3Aw%C3%A4@") + "/a//b/"
    start(server(remote)).fetch(symbol)
    assert origin.requests[0].headers["authorization"] == (
        "Basic " + base64.b64encode("us@er:p/s:wä".encode()).decode()
    )


def test_secrets_come_from_files_and_the_environment(make, origin, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of a file\n")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate = make(
        server(
            origin,
            user="${WHO}",
            password={"file": str(secret)},
            headers={"X-Key": {"file": str(secret)}, "X-Other": "x ${WHAT}", "X-Empty": ""},
        ),
        env={"WHO": "me", "WHAT": "y"},
    ).start()
    gate.fetch(symbol)
    seen = origin.requests[0].headers
    assert seen["authorization"] == "Basic " + base64.b64encode(b"me:of a file").decode()
    assert (seen["x-key"], seen["x-other"], seen["x-empty"]) == ("of a file", "x y", "")


def test_other_credentials_count_from_a_reload_on(start, origin):
    """What was absent for one asker may be there for another."""
    symbol = pdb()
    origin.on(symbol.remote, absent(), good(symbol.body))
    gate = start(server(origin, token="first"))
    assert gate.get(symbol.path).verdict == "absent"
    assert gate.get(symbol.path).verdict == "absent"
    gate.config["servers"][0]["token"] = "second"
    gate.write_config()
    gate.hang_up()
    gate_says(gate, "is in force")
    gate.fetch(symbol)
    assert [r.headers["authorization"] for r in origin.requests] == ["Bearer first", "Bearer second"]


def gate_says(gate, words):
    wait_until(lambda: words in gate.errors(), words)


@pytest.mark.parametrize("way", ["digest", "ntlm"])
def test_server_that_asks_for_ever(start, origin, way):
    """One symbol is not a thousand tries of a password, which might lock its owner out."""
    challenges = {
        "digest": 'Digest realm="x", qop="auth", nonce="n", stale=true',
        "ntlm": "NTLM TlRMTVNTUAACAAAAAAAAADgAAAABAoABASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAA",
    }
    origin.default = status(401, {"WWW-Authenticate": challenges[way], "Connection": "keep-alive"})
    gate = start(server(origin, authentication=way, **WHO))
    answer = gate.get(pdb().path)
    assert answer.verdict == "failed" and origin.count() <= 25
    assert "credentials" in answer.reason


# --- whatever is shown stays with its server -----------------------------------------------------

KINDS = {
    "user": WHO,
    "azure": {"password": "planted-pat"},
    "token": {"token": "planted-token"},
    "headers": {"headers": {"X-Planted": "planted-value", "Cookie": "planted=cookie", "Authorization": "planted"}},
    "digest": WHO | {"authentication": "digest"},
    "ntlm": NTLM,
    "negotiate": {"authentication": "negotiate"},
}
KNOWN = {"host", "accept", "accept-encoding", "user-agent", "x-symgate-hop"}


def challenge():
    """A server that tries to get everything out of who asks."""
    fields = [
        'WWW-Authenticate: Basic realm="x"',
        'WWW-Authenticate: Digest realm="x", qop="auth", nonce="n"',
        "WWW-Authenticate: NTLM",
        "WWW-Authenticate: Negotiate",
        "WWW-Authenticate: Bearer",
    ]
    lines = ["HTTP/1.1 401 Who", *fields, "Content-Length: 0", "", ""]

    async def step(x):
        x.owed = 0
        await x.write("\r\n".join(lines).encode())

    return Script(b"", step)


@pytest.fixture(params=["another port", "another host", "another scheme"])
def stranger(request, authority):
    """Differs from the origin in one more thing than its port, which two servers cannot share."""
    tls = None
    if request.param == "another scheme":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(authority.certificate("stranger"), authority.key("stranger"))
    it = Origin("127.0.0.2" if request.param == "another host" else "127.0.0.1", tls)
    yield it
    it.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_shown_follows_a_redirect(make, origin, stranger, authority, realm, tmp_path, kind):
    """Neither unasked, nor when it is asked for, nor after a way back."""
    taken, asked, back = pdb(seed=1), pdb(seed=2), pdb(seed=3)
    for symbol in (taken, asked, back):
        origin.on(symbol.remote, redirect(f"{stranger.url}{symbol.remote}?sig=1"))
        stranger.on(symbol.remote, good(symbol.body))
    stranger.on(asked.remote, challenge())
    stranger.on(back.remote, redirect(f"{origin.url}/back"))
    origin.on("/back", good(back.body))
    gate = make(
        server(origin, caFile=str(authority.file), **KINDS[kind]), env=ticket(realm, tmp_path)
    ).start()
    gate.fetch(taken)
    fails(gate, asked, "401", "shown no credentials")
    gate.fetch(back)
    strangers = stranger.requests + [r for r in origin.requests if r.path == "/back"]
    assert len(strangers) == 4, "one question each, and no second one with more"
    for request in strangers:
        assert set(request.headers) == KNOWN, request.headers
        assert "planted" not in str(request.headers) + str(request.target)
    own = [set(r.headers) - KNOWN for r in origin.requests if r.path == taken.remote]
    if kind not in ("digest", "negotiate"):  # these show nothing before they are asked
        assert own and all(own)


@pytest.fixture
def leads_on(make, origin, second, realm, tmp_path):
    """leads_on(way) → a program whose server lets in so, and then redirects to `second`."""
    made = []

    def build(way):
        if way == "digest":
            return make(server(origin, authentication=way, **WHO)).start()
        web = Apache(keytab=realm.web, env=realm.env, more=f"RedirectMatch ^/(?:negotiate/)?(.*)$ {second.url}/$1")
        made.append(web)
        if way == "negotiate":
            return make(server(web.url(way, "localhost"), authentication=way), env=ticket(realm, tmp_path)).start()
        made.insert(0, Squid("ntlm", before=web.port))
        return make(server(made[0].url, **NTLM)).start()

    yield build
    for one in made:
        one.remove()


@pytest.mark.parametrize("way", ["digest", "ntlm", "negotiate"])
def test_nothing_follows_a_redirect_after_a_handshake(leads_on, origin, second, way):
    """What libcurl has come to know in the handshake is not tried on the next server, though that one asks for it."""
    symbols = [pdb(seed=n) for n in range(3)]
    for symbol in symbols:
        origin.on(symbol.remote, challenge(), redirect(second.url + symbol.remote))
        second.on(symbol.remote, challenge())
    gate = leads_on(way)
    for symbol in symbols:
        fails(gate, symbol, "401", "shown no credentials")
    assert len(second.requests) == len(symbols)
    assert all(set(r.headers) == KNOWN for r in second.requests)
    if way == "digest":
        assert any(r.headers.get("authorization", "").startswith("Digest ") for r in origin.requests)


def test_its_own_redirects_are_shown_everything(start, origin):
    symbol = pdb()
    origin.on(symbol.remote, redirect("/else/where"))
    origin.on("/else/where", redirect(f"{origin.url}/blob?x=y"))
    origin.on("/blob", good(symbol.body))
    gate = start(server(origin, headers={"X-Key": "open"}, **WHO))
    gate.fetch(symbol)
    shown = [(r.headers["authorization"], r.headers["x-key"]) for r in origin.requests]
    assert len(shown) == 3 and len(set(shown)) == 1
    assert origin.connections == 1


def test_what_is_asked_goes_along(start, origin, second):
    """Range, condition, coding and the name of the program, at each hop anew."""
    symbol = pdb(size=256 * 1024)
    origin.on(symbol.remote, redirect(f"{second.url}/blob"))
    second.on(
        "/blob",
        Script(symbol.body, ranged_head('"v"'), send_to(100_000), reset()),
        good(symbol.body, etag='"v"'),
    )
    gate = start(server(origin, userAgent="tester/2", token="t"))
    gate.fetch(symbol)
    for first, then in (origin.requests, second.requests):
        assert first.headers["user-agent"] == then.headers["user-agent"] == "tester/2"
        assert first.headers["accept-encoding"] == "gzip" and "range" not in first.headers
        assert then.headers["accept-encoding"] == "identity"
        assert then.headers["if-range"] == '"v"'
    assert origin.requests[1].headers["range"] == second.requests[1].headers["range"]
    assert all("authorization" not in r.headers for r in second.requests)


def test_a_client_certificate_is_shown_to_no_other_server(make, nginx, authority):
    """The redirect leads from a server that wants it to one that would take it."""
    certificate = authority.certificate("own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("curious"), authority.key("curious"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_OPTIONAL
    seen = []

    def look():
        async def step(x):
            seen.append(x.link.transport.get_extra_info("peercert"))

        return step

    own, curious = Origin(tls=context), Origin(tls=context)
    try:
        symbol = pdb()
        own.on(symbol.remote, Script(b"", look(), head(302, headers={"Location": f"{curious.url}/blob"})))
        curious.on("/blob", Script(symbol.body, look(), head(), send()))
        gate = make(
            server(
                own, caFile=str(authority.file), clientCertificate=str(certificate), clientKey=str(authority.key("own"))
            )
        ).start()
        gate.fetch(symbol)
        assert "own" in str(seen[0]) and not seen[1]
    finally:
        own.stop()
        curious.stop()


# --- proxies -------------------------------------------------------------------------------------


def through(squid, **more):
    return {"proxy": squid.url, "proxyUser": USER, "proxyPassword": PASSWORD} | more


@pytest.mark.sanitized
@pytest.mark.parametrize("scheme", ["basic", "digest", "ntlm"])
@pytest.mark.parametrize("to", ["http", "https"])
def test_through_a_proxy(start, apache, nginx, authority, squids, scheme, to):
    squid = squids(scheme)
    symbols = [pdb(f"proxied-{scheme}-{to}{n}.pdb") for n in range(8)]
    publish((apache if to == "http" else nginx).www, *symbols)
    before = len(squid.lines())
    remote = (apache.url("basic"), WHO) if to == "http" else (nginx.url(), {"caFile": str(authority.file)})
    name = NTLM["user"] if scheme == "ntlm" else USER
    gate = start(
        server(
            remote[0], maxRequests=1, **remote[1], **through(squid, proxyUser=name, proxyAuthentication=scheme)
        )
    )
    for symbol in symbols:
        gate.fetch(symbol)
    gate.check(*symbols)
    gate.stop()  # a tunnel is noted at its end
    method, least = ("GET", len(symbols)) if to == "http" else ("CONNECT", 1)
    lines = squid.wait_lines(before, least, lambda line: line.startswith(f"{name} 200 {method} "))
    assert sum(" 407 " in line for line in lines) <= (0 if scheme == "basic" else len(symbols) - 1)


@pytest.mark.parametrize("to", ["http", "https"])
def test_a_proxy_that_does_not_let_through(start, apache, nginx, authority, squids, to):
    squid = squids("basic")
    remote = apache.url() if to == "http" else nginx.url()
    gate = start(server(remote, caFile=str(authority.file), **through(squid, proxyPassword="wrong")))
    fails(gate, pdb(), "407", "proxyUser, proxyPassword")


def test_the_proxys_password_stays_with_the_proxy(start, origin, squids):
    squid = squids("basic")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    gate = start(server(origin, token="for-the-origin", **through(squid)))
    gate.fetch(symbol)
    seen = origin.requests[0].headers
    assert seen["authorization"] == "Bearer for-the-origin" and "proxy-authorization" not in seen
    squid.wait_lines(0, 1, f"{USER} 200 GET {origin.url}{symbol.remote}".__eq__)


def test_credentials_in_the_proxys_url(start, origin, squids):
    squid = squids("basic")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    named = squid.url.replace("//", f"//{USER}:{PASSWORD.replace(' ', '%20')}@")
    gate = start(server(origin, proxy=named))
    gate.fetch(symbol)
    squid.wait_lines(0, 1, f"{USER} 200 GET {origin.url}{symbol.remote}".__eq__)


@pytest.mark.parametrize(
    "entry, env, proxied",
    [
        ({"proxy": "SQUID"}, {}, True),
        ({"proxy": "SQUID", "noProxy": ["127.0.0.1"]}, {}, False),
        ({"proxy": "SQUID", "noProxy": ["example.org", "127.0.0.0/8"]}, {}, False),
        ({"proxy": "SQUID", "noProxy": ["*"]}, {}, False),
        ({"proxy": "SQUID", "noProxy": ["127.0.0.2", "27.0.0.1"]}, {}, True),
        ({"proxy": "SQUID"}, {"no_proxy": "*"}, True),
        ({}, {"http_proxy": "SQUID"}, True),
        ({}, {"http_proxy": "SQUID", "no_proxy": "example.org,127.0.0.1"}, False),
        ({"noProxy": ["127.0.0.1"]}, {"http_proxy": "SQUID"}, False),
        ({"noProxy": ["example.org"]}, {"http_proxy": "SQUID", "no_proxy": "*"}, True),
        ({"proxy": ""}, {"http_proxy": "SQUID"}, False),
        ({}, {"https_proxy": "SQUID"}, False),
    ],
)
def test_whether_there_is_a_proxy(make, origin, squids, entry, env, proxied):
    squid = squids("basic")
    named = squid.url.replace("//", f"//{USER}:{PASSWORD.replace(' ', '%20')}@")
    symbol = pdb()
    origin.on(symbol.remote, good(symbol.body))
    entry, env = ({k: named if v == "SQUID" else v for k, v in them.items()} for them in (entry, env))
    gate = make(server(origin, **entry), env=env).start()
    gate.fetch(symbol)
    assert ("via" in origin.requests[0].headers) == proxied


def test_a_redirect_takes_the_same_proxy(start, origin, second, squids):
    squid = squids("basic")
    symbol = pdb()
    origin.on(symbol.remote, redirect(f"{second.url}/blob"))
    second.on("/blob", good(symbol.body))
    before = len(squid.lines())
    start(server(origin, token="t", **through(squid))).fetch(symbol)
    lines = squid.wait_lines(before, 2)
    assert [line.split()[-1] for line in lines] == [origin.url + symbol.remote, f"{second.url}/blob"]
    assert not {"authorization", "proxy-authorization"} & set(second.requests[0].headers)


def test_a_proxy_under_tls(start, origin, authority, nginx):
    """Its certificate has to be good, whatever is accepted of the server behind it."""
    proxy = Apache(
        modules=("ssl", "proxy", "proxy_http", "proxy_connect"),
        more=f"SSLEngine on\nSSLCertificateFile {authority.certificate('proxy')}\n"
        f"SSLCertificateKeyFile {authority.key('proxy')}\nSSLSessionCache none\n"
        "ProxyRequests On\nAllowCONNECT 1-65535\n",
    )
    try:
        url = proxy.url().replace("http:", "https:")
        plain, secure, refused = pdb("plain.pdb"), pdb("secure.pdb"), pdb("refused.pdb")
        origin.on(plain.remote, good(plain.body))
        publish(nginx.www, secure, refused)
        way = {"proxy": url, "caFile": str(authority.file)}
        gate = start(server(origin, whitelist=["plain"], **way), server(nginx.url(), "two", **way))
        gate.fetch(plain)
        gate.fetch(secure)
        gate.stop()
        proxy.wait_lines(0, 1, f"- 200 - {origin.url}{plain.remote}".__eq__)
        proxy.wait_lines(0, 1, lambda line: line.endswith(f"127.0.0.1:{nginx.ports['open']}"))
        gate = start(server(nginx.url(), proxy=url, acceptBadCertificate=True))
        fails(gate, refused, "certificate")
    finally:
        proxy.remove()


# --- TLS -----------------------------------------------------------------------------------------


def test_an_authority_of_its_own(start, nginx, authority):
    symbol, other = pdb("trusted.pdb"), pdb("other.pdb")
    publish(nginx.www, symbol, other)
    start(server(nginx.url(), caFile=str(authority.file))).fetch(symbol)
    gate = start(server(nginx.url()))
    fails(gate, other, "caFile")


def test_another_authority_is_not_enough(start, nginx, tmp_path):
    gate = start(server(nginx.url(), caFile=str(Authority(tmp_path, "another").file)))
    fails(gate, pdb(), "certificate")


def test_an_authority_that_is_replaced(start, tmp_path):
    """The server's certificate comes from another one now: its file counts at the next connection, and the old one's no more."""
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new", "successor")
    believed = tmp_path / "believed.pem"
    symbols = [pdb(f"under{n}.pdb") for n in range(4)]

    def believe(authority):
        (tmp_path / "next.pem").write_bytes(authority.file.read_bytes())
        os.replace(tmp_path / "next.pem", believed)

    def serve(authority, port=0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate("store"), authority.key("store"))
        store = Origin(tls=context, port=port)
        for symbol in symbols:
            store.on(symbol.remote, good(symbol.body))
        return store

    believe(old)
    store = serve(old)
    try:
        gate = start(server(store, caFile=str(believed)))
        gate.fetch(symbols[0])
        store.stop()
        store = serve(new, store.port)
        fails(gate, symbols[1], "caFile")
        believe(new)
        gate.fetch(symbols[1])
        gate.fetch(symbols[2])
        store.stop()
        store = serve(old, store.port)
        fails(gate, symbols[3], "caFile")
    finally:
        store.stop()


def test_a_bad_certificate_is_accepted_only_where_told(make, start, nginx, authority, origin):
    symbol, other = pdb("accepted.pdb"), pdb("unaccepted.pdb")
    publish(nginx.www, symbol, other)
    told = server(nginx.url(), acceptBadCertificate=True)
    gate = start(told)
    gate.fetch(symbol)
    gate_says(gate, "acceptBadCertificate")
    assert "accepts any certificate" in gate.get("/").body.decode()
    checked = run("check", gate.config_path)
    assert checked.returncode == 0
    assert "warning: servers[0].acceptBadCertificate" in checked.stdout + checked.stderr
    assert "ACCEPTS ANY CERTIFICATE" in checked.stdout
    assert run("check", "--strict", gate.config_path).returncode == 1
    # Not of where it redirects to.
    leading = server(origin.url)
    origin.on(other.remote, redirect(nginx.url() + other.remote))
    gate = start(leading)
    fails(gate, other, "certificate")
    assert "accepts any certificate" not in gate.get("/").body.decode()


def test_a_bad_certificate_of_another_server_is_not_accepted(start, nginx, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("lax"), authority.key("lax"))
    own = Origin(tls=context)
    try:
        symbol = pdb("led-on.pdb")
        publish(nginx.www, symbol)
        own.on(symbol.remote, redirect(nginx.url() + symbol.remote))
        fails(start(server(own, acceptBadCertificate=True)), symbol, "certificate")
        assert own.count() == 1
    finally:
        own.stop()


def test_a_certificate_for_another_name(start, nginx, authority):
    """127.0.0.2 is not in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("named"), authority.key("named"))
    other = Origin("127.0.0.2", context)
    try:
        symbol = pdb()
        other.on(symbol.remote, good(symbol.body))
        fails(start(server(other, caFile=str(authority.file))), symbol)
        start(server(other, caFile=str(authority.file), acceptBadCertificate=True)).fetch(symbol)
    finally:
        other.stop()


@pytest.mark.parametrize("spoken", ["1.2", "1.3"])
def test_a_pinned_version(start, nginx, authority, spoken):
    other = {"1.2": "1.3", "1.3": "1.2"}[spoken]
    symbol = pdb(f"pinned{spoken}.pdb")
    publish(nginx.www, symbol)
    before = len(nginx.lines())
    pinned = {"caFile": str(authority.file), "tlsVersion": spoken}
    start(server(nginx.url("both"), **pinned)).fetch(symbol)
    assert nginx.wait_lines(before, 1)[0].startswith(f"TLSv{spoken} ")
    fails(start(server(nginx.url(other), **pinned)), symbol)
    start(server(nginx.url(spoken), caFile=str(authority.file))).fetch(symbol)
    assert len(nginx.wait_lines(before, 2)) == 2


@pytest.mark.parametrize("form", ["key apart", "key within", "encrypted", "pkcs12"])
def test_a_client_certificate(start, nginx, authority, tmp_path, form):
    certificate, key = authority.certificate("client"), authority.key("client")
    shown = {"clientCertificate": str(certificate), "clientKey": str(key)}
    if form == "key within":
        both = tmp_path / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        shown = {"clientCertificate": str(both)}
    if form == "encrypted":
        locked = tmp_path / "locked.key"
        authority.openssl("ec", "-in", key, "-aes256", "-passout", "pass:open sesame", "-out", locked)
        shown |= {"clientKey": str(locked), "clientKeyPassword": "open sesame"}
    if form == "pkcs12":
        packed = tmp_path / "client.p12"
        authority.openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-passout", "pass:open sesame", "-out",
                          packed)
        shown = {"clientCertificate": str(packed), "clientKeyPassword": "open sesame"}
    symbol = pdb("certified.pdb")
    publish(nginx.www, symbol)
    before = len(nginx.lines())
    start(server(nginx.url("certified"), caFile=str(authority.file), **shown)).fetch(symbol)
    assert nginx.wait_lines(before, 1)[-1].split()[1] == "SUCCESS"
    if "clientKeyPassword" in shown:
        for password in ("wrong", None):
            fails(start(server(nginx.url("certified"), caFile=str(authority.file),
                               **shown | {"clientKeyPassword": password})), symbol)


def test_without_a_client_certificate(start, nginx, authority):
    symbol = pdb("certified.pdb")
    publish(nginx.www, symbol)
    fails(start(server(nginx.url("certified"), caFile=str(authority.file))), symbol, "400")


# --- what is told of it --------------------------------------------------------------------------


def test_check_tells_how_servers_are_reached(make, authority):
    certificate = authority.certificate("told")
    gate = make(
        server("https://one.example/s", "one", user="planted", password="planted", headers={"X-Key": "planted"},
               tlsVersion="1.2", caFile=str(authority.file), clientCertificate=str(certificate),
               clientKey=str(authority.key("told"))),
        server("https://two.example/s", "two", proxy="http://planted:planted@p.example:3128", noProxy=[".corp"],
               proxyAuthentication="ntlm", authentication="negotiate"),
        server("http://three.example/s", "three"),
        server("https://planted:planted@four.example/s?planted", "four"),
    )
    gate.write_config()
    done = run("check", gate.config_path, env=os.environ | {"http_proxy": "http://planted:planted@e:1"})
    assert done.returncode == 0 and done.stderr == ""
    one, two, three, four = done.stdout.split("remote ")[1:]
    assert "authentication basic" in one and "headers X-Key" in one and "TLS 1.2 only" in one
    assert f"authorities {authority.file}" in one and f"client certificate {certificate}" in one
    assert "proxy http://***@p.example:3128, authentication ntlm, not for .corp" in two
    assert "authentication negotiate" in two
    assert "proxy as http_proxy of the environment says" in three and "authentication" not in three
    assert "authentication basic" in four
    assert "planted" not in done.stdout


def test_a_start_with_contradictions_is_refused(make):
    gate = make(server("https://h.example/s", token="planted", password="planted"))
    gate.write_config()
    done = run("serve", "--config", gate.config_path, "--data", gate.data, "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and "takes no user and password" in done.stderr
    assert "planted" not in done.stdout + done.stderr


def test_the_schema_knows_the_keys():
    schema = json.loads(run("reference", "--schema").stdout)
    keys = schema["properties"]["servers"]["items"]["properties"]
    assert {"token", "authentication", "headers", "proxy", "caFile", "acceptBadCertificate"} <= set(keys)
    assert keys["headers"]["additionalProperties"]["type"] == ["string", "object"]
