# SPDX-License-Identifier: MIT
"""A Kerberos realm of the test's own: krb5kdc on a loopback port, database and keytabs in a folder."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from double.samba import Daemon, free_port

REALM = "HOUSE.TEST"

CLIENT = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .house.test = {realm}
"""

SERVER = """
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {own}/principal
        key_stash_file = {own}/stash
        max_life = {life}
        disable_pac = true
    }}
[logging]
    kdc = FILE:{own}/kdc.log
"""


class Kerberos:
    """`env` leads programs to this realm; tickets live for `life` seconds."""

    def __init__(self, life=3600):
        self.own = pathlib.Path(tempfile.mkdtemp(prefix="krb5"))
        self.port = free_port()
        how = {"realm": REALM, "port": self.port, "own": self.own, "life": f"{life}s"}
        (self.own / "krb5.conf").write_text(CLIENT.format(**how))
        (self.own / "kdc.conf").write_text(SERVER.format(**how))
        self.env = {"KRB5_CONFIG": str(self.own / "krb5.conf")}
        self.server_env = self.env | {"KRB5_KDC_PROFILE": str(self.own / "kdc.conf")}
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.daemon = Daemon([self.program("krb5kdc"), "-n", "-r", REALM], self.port, self.own / "out",
                             self.server_env)

    @staticmethod
    def program(name):
        return shutil.which(name) or f"/usr/sbin/{name}"

    def run(self, name, *args):
        subprocess.run([self.program(name), *args], check=True, capture_output=True,
                       env=os.environ | self.server_env, stdin=subprocess.DEVNULL)

    def keytab(self, principal):
        """Makes a principal; the file that holds its key."""
        path = self.own / (principal.replace("/", "-") + ".keytab")
        self.run("kadmin.local", "addprinc", "-randkey", principal)
        self.run("kadmin.local", "ktadd", "-k", str(path), principal)
        return path

    def asked_for_tickets(self):
        """How often somebody got a first ticket."""
        log = self.own / "kdc.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return sum("AS_REQ" in line and "ISSUE" in line for line in lines)

    def remove(self):
        self.daemon.stop()
        shutil.rmtree(self.own)
