# SPDX-License-Identifier: MIT
"""Real web servers and proxies of the test's own: Apache, nginx and Squid on loopback ports, everything that they
need in folders of their own. The system's services are neither used nor touched."""

import base64
import getpass
import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from double.samba import Daemon, free_port, wait_until

USER, PASSWORD, REALM = "ann", "pass-W0rd of the web", "symbols"
DOMAIN = "HOUSE"
MODULES = "/usr/lib/apache2/modules"
HELPERS = "/usr/lib/squid"


def program(name):
    return shutil.which(name) or f"/usr/sbin/{name}"


def account(name):
    """Whom a server that was started by root becomes."""
    if os.getuid():
        return getpass.getuser()
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        return "nobody"


class Server:
    """A folder, a daemon, and what was asked of it."""

    def __init__(self, name):
        self.own = pathlib.Path(tempfile.mkdtemp(prefix=name))
        self.own.chmod(0o755)
        self.log = self.own / "access.log"
        self.daemon = None

    def lines(self):
        """One for each request, in their order."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def wait_lines(self, before, count, condition=lambda line: True):
        """What was asked since there were `before` lines, once so many of them fulfil the condition."""

        def enough():
            return sum(map(condition, self.lines()[before:])) >= count

        wait_until(enough, f"{count} lines in {self.log}")
        return self.lines()[before:]

    def remove(self):
        if self.daemon:
            self.daemon.stop()
        shutil.rmtree(self.own)


def publish(folder, *symbols):
    for symbol in symbols:
        path = pathlib.Path(str(folder) + symbol.remote)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(symbol.body)


def digest_line(realm):
    return f"{USER}:{realm}:" + hashlib.md5(f"{USER}:{realm}:{PASSWORD}".encode()).hexdigest() + "\n"


APACHE = """
ServerRoot {own}
ServerName localhost
PidFile {own}/pid
Listen 127.0.0.1:{port}
User {account}
Group {group}
{modules}
DefaultRuntimeDir {own}
Mutex file:{own}
ErrorLog {own}/error.log
LogFormat "%u %>s %{{c}}L %U" short
CustomLog {own}/access.log short
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot {own}/www
<Directory {own}/www>
    Require all granted
</Directory>
{locations}
{more}
"""

LOCATION = """
Alias /{name}/ {own}/www/
<Location /{name}/>
    Require valid-user
    {how}
</Location>
"""

WAYS = {
    "basic": "AuthType Basic\nAuthName symbols\nAuthBasicProvider file\nAuthUserFile {own}/basic",
    "digest": "AuthType Digest\nAuthName symbols\nAuthDigestProvider file\nAuthUserFile {own}/digest",
    "negotiate": "AuthType GSSAPI\nGssapiAllowedMech krb5\nGssapiCredStore keytab:{keytab}",
}


class Apache(Server):
    """The files below `www` are served openly, and below /basic/, /digest/ and (with a keytab) /negotiate/
    to USER alone."""

    def __init__(self, keytab=None, env=None, more="", modules=()):
        super().__init__("apache")
        self.www = self.own / "www"
        self.www.mkdir()
        self.port = free_port()
        sha = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        (self.own / "basic").write_text(f"{USER}:{{SHA}}{sha}\n")
        (self.own / "digest").write_text(digest_line(REALM))
        names = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "alias", "auth_basic",
                 "auth_digest", "auth_gssapi", *modules]
        ways = {name: how for name, how in WAYS.items() if name != "negotiate" or keytab}
        user = account("www-data")
        (self.own / "conf").write_text(
            APACHE.format(
                own=self.own,
                port=self.port,
                account=user,
                group=self.group(user),
                modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names),
                locations="".join(
                    LOCATION.format(own=self.own, name=name, how=how.format(own=self.own, keytab=keytab))
                    for name, how in ways.items()
                ),
                more=more.format(own=self.own, port=self.port),
            )
        )
        self.daemon = Daemon(
            [program("apache2"), "-f", str(self.own / "conf"), "-DFOREGROUND"], self.port, self.own / "out",
            {"KRB5RCACHENAME": "none:"} | (env or {}),
        )

    @staticmethod
    def group(user):
        import grp

        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name

    def url(self, way="", host="127.0.0.1"):
        return f"http://{host}:{self.port}" + (f"/{way}" if way else "")


SQUID = """
http_port 127.0.0.1:{port}{accel}
{peer}
pid_filename {own}/pid
cache_log {own}/cache.log
cache_store_log none
coredump_dir {own}
cache deny all
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 1024
visible_hostname localhost
cache_effective_user {account}
logformat short %un %>Hs %rm %ru
access_log stdio:{own}/access.log short
auth_param {auth}
auth_param {scheme} children 2 startup=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""

SMB_CONF = """
[global]
    server role = standalone server
    workgroup = {domain}
    private dir = {own}/smb
    state directory = {own}/smb
    lock directory = {own}/smb
    cache directory = {own}/smb
    pid directory = {own}/smb
    log file = {own}/smb/log
"""


class Squid(Server):
    """A proxy that lets USER through, by basic, digest or ntlm (Samba's ntlm_auth). With `before`, a port, it stands
    in front of that server and asks for the same as if it were it."""

    def __init__(self, scheme="basic", before=None):
        super().__init__("squid")
        self.own.chmod(0o777)
        self.port = free_port()
        secret = subprocess.run(
            ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True
        ).stdout
        (self.own / "basic").write_text(f"{USER}:{secret}")
        (self.own / "digest").write_text(digest_line("squid"))
        (self.own / "smb").mkdir()
        (self.own / "smb").chmod(0o777)
        (self.own / "smb.conf").write_text(SMB_CONF.format(own=self.own, domain=DOMAIN))
        auth = {
            "basic": f"basic program {HELPERS}/basic_ncsa_auth {self.own}/basic",
            "digest": f"digest program {HELPERS}/digest_file_auth -c {self.own}/digest\n"
            "auth_param digest realm squid",
            "ntlm": f"ntlm program {program('ntlm_auth')} --configfile={self.own}/smb.conf"
            f' --helper-protocol=squid-2.5-ntlmssp --domain={DOMAIN} "--password={PASSWORD}"',
        }[scheme]
        peer = f"cache_peer 127.0.0.1 parent {before} 0 no-query no-digest originserver login=PASSTHRU"
        (self.own / "conf").write_text(
            SQUID.format(
                own=self.own,
                port=self.port,
                account=account("proxy"),
                auth=auth,
                scheme=scheme,
                accel=f" accel vport={before} defaultsite=localhost" if before else "",
                peer=peer + "\nnever_direct allow all" if before else "",
            )
        )
        self.name = f"squid{self.port}"  # of what it shares in memory
        self.daemon = Daemon(
            [program("squid"), "-N", "-n", self.name, "-f", str(self.own / "conf")], self.port, self.own / "out"
        )

    def remove(self):
        super().remove()
        for left in pathlib.Path("/dev/shm").glob(f"{self.name}-*"):
            left.unlink()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def lines(self):
        """Those of questions: the look whether it listens is none."""
        return [line for line in super().lines() if " error:" not in line]


class Authority:
    """Certificates made on the spot."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", self.key(name), "-out", self.file)

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def key(self, name):
        return self.folder / f"{name}.key"

    @property
    def file(self):
        return self.folder / f"{self.name}.pem"

    def certificate(self, name, where="IP:127.0.0.1,DNS:localhost", days=2):
        """The file of a new certificate; `key(name)` is its key's. With -1 days it has expired."""
        request, out, more = (self.folder / f"{name}.{what}" for what in ("csr", "crt", "ext"))
        more.write_text(f"subjectAltName={where}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", self.key(name), "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key(self.name), "-days", days,
                     "-CAcreateserial", "-extfile", more, "-out", out)
        return out


NGINX = """
daemon off; worker_processes 1; pid {own}/pid; error_log {own}/error.log;
user {account};
events {{ worker_connections 256; }}
http {{
  log_format short "$ssl_protocol $ssl_client_verify $status $uri";
  access_log {own}/access.log short; default_type application/octet-stream;
  client_body_temp_path {own}/t1; proxy_temp_path {own}/t2; fastcgi_temp_path {own}/t3;
  uwsgi_temp_path {own}/t4; scgi_temp_path {own}/t5;
  ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_client_certificate {authority};
  root {own}/www;
  {servers}
}}
"""

NGINX_SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl;
    {how}
  }}
"""

NGINX_WAYS = {
    "open": "",
    "both": "ssl_protocols TLSv1.2 TLSv1.3;",
    "certified": "ssl_verify_client on;",
    "1.2": "ssl_protocols TLSv1.2;",
    "1.3": "ssl_protocols TLSv1.3;",
}


class Nginx(Server):
    """TLS under a certificate of `authority`, a port for each of NGINX_WAYS."""

    def __init__(self, authority, certificate, key):
        super().__init__("nginx")
        self.www = self.own / "www"
        self.www.mkdir()
        self.ports = {way: free_port() for way in NGINX_WAYS}
        (self.own / "conf").write_text(
            NGINX.format(
                own=self.own,
                account=account("www-data"),
                certificate=certificate,
                key=key,
                authority=authority.file,
                servers="".join(
                    NGINX_SERVER.format(port=port, how=NGINX_WAYS[way]) for way, port in self.ports.items()
                ),
            )
        )
        self.daemon = Daemon(
            [program("nginx"), "-p", str(self.own), "-c", str(self.own / "conf")],
            list(self.ports.values())[-1], self.own / "out",
        )

    def url(self, way="open", host="127.0.0.1"):
        return f"https://{host}:{self.ports[way]}"


LIGHTTPD = """
server.document-root = "{own}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.pid-file = "{own}/pid"
server.errorlog = "{own}/error.log"
server.modules = ("mod_accesslog")
accesslog.filename = "{own}/access.log"
accesslog.format = "%s %U"
server.range-requests = "disable"
connection.kbytes-per-second = {rate}
mimetype.assign = ("" => "application/octet-stream")
"""


class Lighttpd(Server):
    """Files below `www`, without Range, at so many KiB a second."""

    def __init__(self, rate):
        super().__init__("lighttpd")
        self.www = self.own / "www"
        self.www.mkdir()
        self.port = free_port()
        (self.own / "conf").write_text(LIGHTTPD.format(own=self.own, port=self.port, rate=rate))
        self.start()

    def start(self):
        command = [program("lighttpd"), "-D", "-f", str(self.own / "conf")]
        self.daemon = Daemon(command, self.port, self.own / "out")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"
