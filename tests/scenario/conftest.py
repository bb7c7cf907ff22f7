# SPDX-License-Identifier: MIT
"""What every scenario starts from: an origin, a configuration, a program."""

import copy
import itertools
import os
import pathlib
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import program as program_module  # noqa: E402
from double.origin import Origin  # noqa: E402

NGINX = next((p for p in ("/usr/sbin/nginx", "/usr/local/sbin/nginx") if os.path.exists(p)), None)


@pytest.fixture
def origin():
    it = Origin()
    yield it
    it.stop()


@pytest.fixture
def second():
    """Another origin."""
    it = Origin()
    yield it
    it.stop()


@pytest.fixture
def third():
    it = Origin()
    yield it
    it.stop()


def server(remote, name="one", **more):
    """A server's entry, patient where nothing else is said: only what a test is about happens."""
    url = remote.url if isinstance(remote, Origin) else str(remote)
    return {
        "name": name,
        "identifier": name,
        "remote": url,
        "retryTimeout": 60,
        "hedgeAfter": None,
        "layout": "symstore",
        "forms": ["plain"],
    } | more


@pytest.fixture
def make(tmp_path):
    """make(server, …, general={…}, args=[…]) → a program, not yet started.

    It is ended and examined after the test."""
    made = []
    numbers = itertools.count(1)

    def build(*servers, general=None, args=(), env=None, **sections):
        folder = tmp_path / f"gate{next(numbers)}"
        folder.mkdir()
        config = {
            "identity": {
                "name": "scenario",
                "host": "localhost",
                "administrator": "nobody",
                "default_sympath": "srv*http://localhost/symbols",
            },
            "general": {"cacheLocation": str(folder / "cache"), "blacklist": [], "minFreeSpace": 0}
            | (general or {}),
            "servers": copy.deepcopy(list(servers)),
        } | sections
        made.append(program_module.Program(folder, config, args, env))
        return made[-1]

    yield build
    errors = []
    for one in made:
        try:
            if one.process:
                one.end()
        except Exception as error:  # every program is ended, whatever the first one did
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def start(make):
    """The same, started."""
    return lambda *servers, **more: make(*servers, **more).start()


@pytest.fixture
def gate(start, origin):
    """A program with one server, the origin."""
    return start(server(origin))


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(bytes) → a folder on a file system of that size. Needs the right to mount."""
    mounted = []

    def build(size):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
            check=True,
            capture_output=True,
        )
        mounted.append(folder)
        return folder

    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("may not mount here")
    yield build
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=False)


@pytest.fixture
def own_address():
    """An address of this machine that is not loopback."""
    listed = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    for address in listed.split():
        if ":" not in address and not address.startswith("127."):
            return address
    pytest.skip("this machine has no address but loopback")


@pytest.fixture
def nginx(tmp_path):
    """(URL, document root, access log): a real server, gzip below /gzip/."""
    if not NGINX:
        pytest.skip("no nginx here")
    root = tmp_path / "nginx"
    (root / "www").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (root / "conf").write_text(
        f"""
daemon off; master_process off; worker_processes 1; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {root}/access.log; default_type application/octet-stream;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{port}; root {root}/www;
    gzip_types *; gzip_min_length 1; gzip_comp_level 1;
    location /gzip/ {{ alias {root}/www/; gzip on; }}
    location /slow/ {{ alias {root}/www/; limit_rate 8m; }}
    location /whole/ {{ alias {root}/www/; max_ranges 0; limit_rate 64m; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /closed/ {{ return 403; }}
    location /objects/ {{ alias {root}/www/; error_page 404 =403 /closed/; }}
    location /login/ {{ return 302 http://127.0.0.1:{port}/page/; }}
    location /page/ {{ default_type text/html; return 200 "<!DOCTYPE html><html>Please sign in</html>"; }}
  }}
}}
"""
    )
    process = subprocess.Popen(
        [NGINX, "-p", str(root), "-c", str(root / "conf")], stderr=subprocess.DEVNULL
    )

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    program_module.wait_until(listens, "nginx")
    yield f"http://127.0.0.1:{port}", root / "www", root / "access.log"
    process.terminate()
    process.wait(10)
