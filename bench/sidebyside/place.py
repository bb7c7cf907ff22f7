# SPDX-License-Identifier: MIT
"""Where the benchmark runs: a network namespace of its own with one congestion control for all, the server on one processor,
load and sources on another, files in a folder of its own."""
import contextlib
import fcntl
import os
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import sys

INSIDE = "SYMGATE_BENCH_INSIDE"
CONGESTION = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")


def enter_namespace():
    """Starts this program again in a new network namespace, unless it already runs in one."""
    if os.environ.get(INSIDE):
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*unshare, "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        print("bench: no network namespace to be had here: the machine's own settings count, for both servers alike")
        return
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def set_up_network():
    """Loopback up, reno for everyone, ports enough for a connection per request."""
    if not os.environ.get(INSIDE):
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        siocsifflags, iff_up_running = 0x8914, 0x41
        fcntl.ioctl(control, siocsifflags, struct.pack("16sH14x", b"lo", iff_up_running))
    for path, value in ((CONGESTION, "reno"), ("/proc/sys/net/ipv4/ip_local_port_range", "10240 65000")):
        try:
            pathlib.Path(path).write_text(value)
        except OSError as error:
            print(f"bench: {path} stays as it is: {error}")


def congestion():
    return CONGESTION.read_text().strip()


def raise_limits():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Processors:
    """Which processor serves and which loads. On a machine with one, both are the same and the figures say little."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.server = {self.all[0]}
        self.load = {self.all[-1]}

    @staticmethod
    def pinned(processors):
        return lambda: os.sched_setaffinity(0, processors)

    @staticmethod
    def measuring(processors):
        """Pinned, and before the symbol server there: else the times would be those of the tool's own waiting."""
        def prepare():
            os.sched_setaffinity(0, processors)
            with contextlib.suppress(PermissionError):
                os.nice(-15)
        return prepare


def describe():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} processors, {gib:.0f} GiB, Linux {os.uname().release}"


def warm_memory(folder, files=4, size=256 << 20):
    """Leaves a gigabyte that the host has given just behind the files that are written next (see bench/README.md): what the
    page cache gave up last is what it takes first."""
    block = bytes(1 << 20)
    paths = [pathlib.Path(folder) / f"warm-{number}" for number in range(files)]
    for path in paths:
        with open(path, "wb", buffering=0) as file:
            for _ in range(size // len(block)):
                file.write(block)
    for path in paths:
        path.unlink()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fresh_folder(parent, name):
    folder = pathlib.Path(parent) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
