# SPDX-License-Identifier: MIT
"""The processes under test and their symbol server: how each is set up, and what it has used."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

from . import place

READY_S = 30


class Died(Exception):
    pass


def family(pid):
    """A process and everything below it."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def cpu_clock(pid):
    """The clock of another process' processor time, as clock_getcpuclockid(3) makes it."""
    return ~pid << 3 | 2


def get(port, path, timeout_s=5):
    """(status, body) of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Server:
    """A process with a port. Subclasses write its files and give its command."""

    name = "?"
    ready_path = "/"

    def __init__(self, folder, processors):
        self.folder = folder
        self.processors = processors
        self.port = place.free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self, wait=True):
        self.log = open(self.folder / "output.log", "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        preexec_fn=place.Processors.pinned(self.processors))
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                get(self.port, self.ready_path)
                return
            except OSError:
                time.sleep(0.01)
        tail = (self.folder / "output.log").read_bytes()[-2000:].decode(errors="replace")
        raise Died(f"{self.name} did not start:\n{tail}")

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def cpu_s(self):
        """Processor seconds of the process and its children, all their threads included, to the nanosecond."""
        if not self.alive():
            raise Died(f"{self.name} ended with {self.process.poll()}; its output: {self.folder / 'output.log'}")
        return sum(time.clock_gettime(cpu_clock(pid)) for pid in family(self.process.pid))

    def memory_bytes(self):
        """The program's own memory: what is not backed by files, of the process and its children."""
        total = 0
        for pid in family(self.process.pid):
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(("RssAnon:", "RssShmem:")):
                    total += int(line.split()[1]) * 1024
        return total


class Origin(Server):
    """The benchmark's own symbol server; what a name means is told in tools/origin.c."""

    name = "origin"

    def __init__(self, tools, folder, processors):
        super().__init__(folder, processors)
        self.tool = tools / "bench-origin"

    def start(self, wait=True):
        self.log = open(self.folder / "origin.log", "wb")
        self.process = subprocess.Popen([self.tool], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=place.Processors.pinned(self.processors))
        self.port = int(self.process.stdout.readline())
        return self

    def stats(self):
        return json.loads(get(self.port, "/stats")[1])

    def reset(self):
        get(self.port, "/reset")


class Bare(Server):
    """An epoll loop that only reads and sends one prepared answer (tools/bare.c): the kernel's share of a small answer's cost,
    which no server can go below."""

    name = "bare"

    def __init__(self, tools, folder, processors, status, size):
        super().__init__(folder, processors)
        self.arguments = [tools / "bench-bare", str(status), str(size)]

    def start(self, wait=True):
        self.log = open(self.folder / "output.log", "wb")
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=place.Processors.pinned(self.processors))
        self.port = int(self.process.stdout.readline())
        return self


class Symgate(Server):
    name = "symgate"
    ready_path = "/healthz"

    def __init__(self, program, folder, processors, origin, requests_max=100, servers=None):
        super().__init__(folder, processors)
        self.program = program
        self.data = folder / "data"
        self.cache = folder / "cache"
        self.data.mkdir(exist_ok=True)
        self.cache.mkdir(exist_ok=True)
        self.configuration = folder / "symgate.json"
        self.configuration.write_text(json.dumps({
            "general": {"cacheLocation": str(self.cache), "blacklist": [], "workers": 1},
            "servers": servers or [{
                "name": "origin", "identifier": "origin", "remote": f"http://127.0.0.1:{origin.port}/symbols",
                "forms": ["plain"], "retryTimeout": 3600, "maxRequests": requests_max}],
        }, indent=4))

    def command(self):
        return [self.program, "serve", "--config", self.configuration, "--listen", f"127.0.0.1:{self.port}",
                "--data", self.data]

    def log_lines(self):
        return (self.folder / "output.log").read_bytes().count(b"\n")


class Nginx(Server):
    """nginx as proxy cache, set up the way somebody would who knows it: a front server with the cache and its lock, and behind
    it on a Unix socket a chain server that falls through the sources."""

    name = "nginx"

    def __init__(self, folder, processors, origin):
        super().__init__(folder, processors)
        cache = folder / "cache"
        cache.mkdir(exist_ok=True)
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(CONFIGURATION.format(
            folder=folder, cache=cache, port=self.port, origin=origin.port,
            user="user root;" if os.geteuid() == 0 else "", files=place.raise_limits()))

    def command(self):
        return ["nginx", "-c", self.configuration, "-p", self.folder, "-e", self.folder / "error.log"]


CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 19000; multi_accept on; }}
http {{
    access_log off;
    default_type application/octet-stream;
    server_tokens off;
    sendfile on;
    sendfile_max_chunk 2m;
    tcp_nopush off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    open_file_cache max=20000 inactive=600s;
    open_file_cache_valid 600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 600s;
    proxy_cache_path {cache} levels=2:2 keys_zone=symbols:256m inactive=3650d use_temp_path=off;
    upstream chain {{ server unix:{folder}/chain.sock; keepalive 64; }}
    upstream first {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location /symbols/ {{
            proxy_pass http://chain;
            proxy_cache symbols;
            proxy_cache_key $uri;
            proxy_cache_lock on;
            proxy_cache_lock_age 600s;
            proxy_cache_lock_timeout 600s;
            proxy_cache_valid 200 3650d;
            proxy_cache_valid 404 3600s;
            proxy_ignore_headers Expires Cache-Control Set-Cookie Vary;
            proxy_buffers 16 64k;
            proxy_buffer_size 64k;
            proxy_busy_buffers_size 256k;
        }}
        location = / {{ return 200; }}
    }}
    server {{
        listen unix:{folder}/chain.sock backlog=4096;
        proxy_max_temp_file_size 0;
        proxy_buffers 16 64k;
        proxy_buffer_size 64k;
        proxy_busy_buffers_size 256k;
        location /symbols/ {{
            proxy_pass http://first;
            proxy_intercept_errors on;
            error_page 404 = @none;
        }}
        location @none {{ return 404; }}
    }}
}}
"""
