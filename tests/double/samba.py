# SPDX-License-Identifier: MIT
"""A real smbd of the test's own: its configuration, users and locks lie in a folder of their own, it listens on
loopback only, and it ends with the test. The system's service is neither used nor touched."""

import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DEADLINE = 30
USER, PASSWORD = "alice", "pass-W0rd of a share"

CONFIG = """
[global]
    server role = standalone server
    workgroup = HOUSE
    smb ports = {port}
    bind interfaces only = yes
    interfaces = 127.0.0.1
    private dir = {own}/private
    state directory = {own}/state
    lock directory = {own}/lock
    cache directory = {own}/cache
    pid directory = {own}/pid
    ncalrpc dir = {own}/rpc
    binddns dir = {own}/dns
    log file = {own}/log
    passdb backend = tdbsam:{own}/private/passdb.tdb
    username map = {own}/users
    map to guest = bad user
    guest account = {account}
    disable netbios = yes
    disable spoolss = yes
    load printers = no
    printcap name = /dev/null
{more}
[open]
    path = {share}
    guest ok = yes
[closed]
    path = {share}
    guest ok = no
[exact]
    path = {share}
    guest ok = yes
    case sensitive = yes
[gone]
    path = {share}/not-there
    guest ok = yes
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.01)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Daemon:
    """A process and all its children."""

    def __init__(self, command, port, log, env=None):
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env=os.environ | (env or {}),
            )
        self.log = pathlib.Path(log)

        def up():
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
            return listens(port)

        wait_until(up, command[0])

    def stop(self, how=signal.SIGKILL):
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            pass
        self.process.wait(DEADLINE)
        wait_until(self.is_gone, "the end of all of them")

    def is_gone(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
            return False
        except ProcessLookupError:
            return True


class Samba:
    """Four names of one folder, `share`: open, closed (for USER only), exact (minds the case), and gone."""

    def __init__(self, more="", env=None):
        # Its sockets do not like long names, and a guest must get through to the share.
        self.own = pathlib.Path(tempfile.mkdtemp(prefix="smbd"))
        self.own.chmod(0o755)
        self.share = self.own / "share"
        self.share.mkdir()
        (self.own / "private").mkdir()
        self.port = free_port()
        root = os.getuid() == 0
        account = "nobody" if root else getpass.getuser()
        (self.own / "users").write_text(f"{account} = {USER} HOUSE\\reader\n")
        (self.own / "smb.conf").write_text(
            CONFIG.format(port=self.port, own=self.own, share=self.share, account=account, more=more)
        )
        subprocess.run(
            ["pdbedit", "-s", self.own / "smb.conf", "-a", "-u", account, "-t"],
            input=f"{PASSWORD}\n{PASSWORD}\n", text=True, check=True, capture_output=True,
        )
        self.env = env
        self.daemon = None
        self.start()

    def start(self):
        command = [shutil.which("smbd") or "/usr/sbin/smbd", "-s", str(self.own / "smb.conf"), "--foreground",
                   "--no-process-group"]
        self.daemon = Daemon(command, self.port, self.own / "out", self.env)

    def url(self, share="open", port=None, user=""):
        return f"smb://{user}127.0.0.1:{port or self.port}/{share}"

    def kill(self):
        """The whole server, in the middle of whatever it does."""
        self.daemon.stop()

    def remove(self):
        self.daemon.stop()
        shutil.rmtree(self.own)
