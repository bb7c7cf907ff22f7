# SPDX-License-Identifier: MIT
"""The load tools, as functions."""
import dataclasses
import json
import subprocess

from . import place

PDB_ID = "0123456789ABCDEF0123456789ABCDEF1"
IMAGE_ID = "5F5E100010000"
PDB_BYTES_MIN = 4096  # what is smaller comes as an image: no PDB can be
COUNTER = "########"
LONGEST_S = 240  # no single load takes longer; a server that hangs must not hang the benchmark


def symbol(name):
    """The path of a symbol whose name tells the origin what it is."""
    return f"/symbols/{name}/{PDB_ID if name.endswith('.pdb') else IMAGE_ID}/{name}"


def file_name(number, size, rate=0, line=0):
    return f"bz{size}" + (f"r{rate}" if rate else "") + (f"l{line}" if line else "") + f"n{number}." + ("pdb" if size >= PDB_BYTES_MIN else "dll")


class ToolFailed(Exception):
    pass


@dataclasses.dataclass
class Client:
    """What one client of a herd has seen; times in milliseconds from the asking, -1 for never."""
    status: int
    length: int
    received: int
    head_ms: float
    first_ms: float
    end_ms: float
    verdict: str
    whole: bool


@dataclasses.dataclass
class Herd:
    asked_ns: int
    clients: list

    def whole(self):
        return sum(client.whole for client in self.clients)


class Running:
    """A tool that has been started; result() waits for it."""

    def __init__(self, command, parse, processors):
        self.command = [str(part) for part in command]
        self.parse = parse
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=place.Processors.measuring(processors))

    def result(self):
        try:
            output = self.process.communicate(timeout=LONGEST_S)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise ToolFailed(f"{' '.join(self.command)} did not end within {LONGEST_S} s") from None
        if self.process.returncode != 0:
            raise ToolFailed(f"{' '.join(self.command)} ended with {self.process.returncode}")
        return self.parse(output)


def parse_herd(output):
    lines = output.splitlines()
    clients = []
    for line in lines[1:]:
        status, length, received, head, first, end, verdict, whole = line.split()
        clients.append(Client(int(status), int(length), int(received), float(head), float(first), float(end), verdict,
                              whole == "1" and status == "200"))
    return Herd(int(lines[0]), clients)


class Idle:
    """Connections that have asked once and then lie idle."""

    def __init__(self, running):
        self.running = running
        self.connected, self.answered = map(int, running.process.stdout.readline().split())

    def end(self):
        """Closes them; how many the server had closed by then."""
        return int(self.running.process.communicate()[0])


class Tools:
    def __init__(self, folder, processors, scratch):
        self.folder = folder
        self.processors = processors
        self.scratch = scratch

    def start(self, tool, parse, arguments):
        return Running([self.folder / f"bench-{tool}", *arguments], parse, self.processors)

    def paths_file(self, paths, name="paths"):
        file = self.scratch / name
        file.write_text("".join(path + "\n" for path in paths))
        return file

    def hits(self, port, paths=None, pattern=None, start=0, clients=32, seconds=None, requests=None, fresh=False, status=200):
        """Closed-loop load; its JSON answer."""
        arguments = ["-p", port, "-c", clients, "-e", status]
        arguments += ["-f", self.paths_file(paths)] if paths else ["-t", pattern, "-b", start]
        arguments += ["-s", seconds] if seconds else []
        arguments += ["-n", requests] if requests else []
        arguments += ["-N"] if fresh else []
        result = self.start("hits", json.loads, arguments).result()
        if result["broken"] or result["unexpected"]:
            raise ToolFailed(f"{result['broken']} broken and {result['unexpected']} unexpected answers: {arguments}")
        return result

    def paced(self, port, per_second, seconds, paths=None, pattern=None, start=0, source=0):
        """Open-loop load, started; result() is its JSON answer."""
        arguments = ["-p", port, "-r", per_second, "-s", seconds, "-a", source]
        arguments += ["-f", self.paths_file(paths, "paced")] if paths else ["-t", pattern, "-b", start]
        return self.start("paced", json.loads, arguments)

    def herd(self, port, paths, clients=1, rate=0, seconds=0, copy=False, check=False):
        """Downloads, started; result() is a Herd."""
        arguments = ["-p", port, "-c", clients, "-f", self.paths_file(paths, "herd")]
        arguments += ["-r", rate] if rate else []
        arguments += ["-s", seconds] if seconds else []
        arguments += ["-m"] if copy else []
        arguments += ["-k"] if check else []
        return self.start("herd", parse_herd, arguments)

    def idle(self, port, count, path):
        return Idle(self.start("idle", str, ["-p", port, "-c", count, "-u", path]))
