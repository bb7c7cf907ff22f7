# SPDX-License-Identifier: MIT
"""The built-in default: which names leave the house, and to whom. A proxy of our own takes down every host that is asked for and
lets nothing through."""

import socketserver
import threading

import pytest
from program import PROGRAM

ID = "0123456789ABCDEF0123456789ABCDEF1"
MICROSOFT = "msdl.microsoft.com:443"

# Names as they are given inside a house, some of them close to a vendor's.
INTERNAL = (
    "ourgame.pdb",
    "engine.dll",
    "nvidia_wrapper.pdb",
    "amdahl.pdb",
    "intelligence.dll",
    "chromatic.pdb",
    "electronics.pdb",
    "mozart.pdb",
    "unityofwork.pdb",
    "updater.exe",
    "libourgame.so.sym",
    "IGDatabase.dll",
    "igdashboard.pdb",
    "ig2024game.pdb",
    "igcore.dll",
    "firefox_automation.pdb",
    "chrome.theme.dll",
)

VENDORS = {
    "xul.pdb": "symbols.mozilla.org:443",
    "chrome.dll.pdb": "chromium-browser-symsrv.commondatastorage.googleapis.com:443",
    "electron.exe.pdb": "symbols.electronjs.org:443",
    "nvlddmkm.pdb": "driver-symbols.nvidia.com:443",
    "amdkmdag.pdb": "download.amd.com:443",
    "igdkmd64.pdb": "software.intel.com:443",
    "igdumdim64.dll": "software.intel.com:443",
    "igd10iumd64.pdb": "software.intel.com:443",
    "ig9icd64.pdb": "software.intel.com:443",
    "igxelpicd64.pdb": "software.intel.com:443",
    "igc64.dll": "software.intel.com:443",
    "igfxEM.pdb": "software.intel.com:443",
    "firefox.exe": "symbols.mozilla.org:443",
    "firefox.pdb": "symbols.mozilla.org:443",
}


class Barrier(socketserver.ThreadingTCPServer):
    """Notes whom each client wants to reach, and says that it cannot be done."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Noting)
        self.wanted = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Noting(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.wanted.append(self.rfile.readline().split()[1].decode())
        self.wfile.write(b"HTTP/1.1 502 Not Here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def barrier():
    with Barrier() as made:
        yield made
        made.shutdown()


@pytest.fixture
def gate(make, tmp_path, barrier):
    made = make()
    made.config = None
    made.cwd = tmp_path
    made.env = {"http_proxy": barrier.url, "https_proxy": barrier.url}
    words = [str(PROGRAM), "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"]
    made.command = lambda: words
    return made.start()


@pytest.mark.parametrize("name", INTERNAL)
def test_internal_names_go_to_microsoft_alone(gate, barrier, name):
    assert gate.get(f"/symbols/{name}/{ID}/{name}").verdict == "failed"
    assert set(barrier.wanted) == {MICROSOFT}


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_are_asked_for_their_own_names(gate, barrier, name):
    assert barrier.wanted == [], "nobody is asked before anything is wanted"
    assert gate.get(f"/symbols/{name}/{ID}/{name}").verdict == "failed"
    assert set(barrier.wanted) == {VENDORS[name], MICROSOFT}


def test_who_is_not_reached_by_an_encrypted_way_is_off(gate, barrier):
    for name in ("UnityPlayer.pdb", "ctxgina.pdb"):
        gate.get(f"/symbols/{name}/{ID}/{name}")
    assert set(barrier.wanted) == {MICROSOFT}
