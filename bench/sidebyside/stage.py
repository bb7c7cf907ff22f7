# SPDX-License-Identifier: MIT
"""What a job needs: the origin, both servers side by side, further symgates with settings of their own, and the length of a run."""
import contextlib
import os

from . import peers, place, tools


class Stage:
    def __init__(self, program, tools_folder, folder, quick, rounds, with_nginx=True):
        self.program = program
        self.tools_folder = tools_folder
        self.folder = folder
        self.quick = quick
        self.rounds = rounds or (2 if quick else 5)
        self.with_nginx = with_nginx
        self.processors = place.Processors()
        self.load = tools.Tools(tools_folder, self.processors.load, folder)
        self.origin = peers.Origin(tools_folder, place.fresh_folder(folder, "origin"), self.processors.load).start()
        self.pair = None
        self.count = 0

    def servers(self):
        """nginx and symgate, started once for all jobs that compare them; symgate alone when nginx is left out, and the other
        way round."""
        if self.pair is None:
            self.pair = []
            if self.with_nginx:
                folder = place.fresh_folder(self.folder, "nginx")
                self.pair.append(peers.Nginx(folder, self.processors.server, self.origin).start())
            if self.program:
                folder = place.fresh_folder(self.folder, "symgate")
                self.pair.append(peers.Symgate(self.program, folder, self.processors.server, self.origin).start())
        return self.pair

    @contextlib.contextmanager
    def bare(self, status, size):
        """The least a server can do: what of a small answer's cost is the kernel's."""
        server = peers.Bare(self.tools_folder, place.fresh_folder(self.folder, "bare"), self.processors.server, status, size)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    @contextlib.contextmanager
    def symgate(self, requests_max=100, servers=None):
        """A symgate of one job's own, on fresh directories."""
        if not self.program:
            raise peers.Died("there is no symgate program")
        self.count += 1
        folder = place.fresh_folder(self.folder, f"symgate-{self.count}")
        server = peers.Symgate(self.program, folder, self.processors.server, self.origin, requests_max, servers)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def settle(self):
        """Before a measurement of cold writes: nothing dirty left from earlier ones, and memory that the host has given."""
        os.sync()
        place.warm_memory(self.folder)

    def close(self):
        for server in self.pair or []:
            server.stop()
        self.origin.stop()
