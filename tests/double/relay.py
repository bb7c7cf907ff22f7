# SPDX-License-Identifier: MIT
"""A TCP relay with a gate: passes on what server and client say, until it holds the server's answers back."""

import socket
import threading
import time

DEADLINE = 30


class Relay:
    """hold(n): after n more bytes of the server nothing passes until go(). A relay that is held from its beginning
    is a server that takes connections and says nothing."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.told = threading.Condition()
        self.left = None  # bytes that still pass; None: all
        self.held = 0  # answers that wait at the gate
        self.passed = 0
        self.sockets = []
        self.ended = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if self.ended:
                    return
                client.close()
                continue
            self.sockets += [client, server]
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, target, gated):
        try:
            while data := source.recv(64 * 1024):
                if gated:
                    self.wait_gate(len(data))
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_gate(self, length):
        with self.told:
            if self.left is not None and self.left <= 0:
                self.held += 1
                self.told.notify_all()
                self.told.wait_for(lambda: self.left is None or self.ended)
                self.held -= 1
            if self.left is not None:
                self.left -= length
            self.passed += length

    def hold(self, after=0):
        with self.told:
            self.left = after

    def go(self):
        with self.told:
            self.left = None
            self.told.notify_all()

    def wait_held(self):
        """Until an answer waits at the gate."""
        with self.told:
            assert self.told.wait_for(lambda: self.held > 0, DEADLINE), "nothing came to the gate"

    def cut(self):
        """Breaks every connection."""
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        with self.told:
            self.ended = True
            self.told.notify_all()
        self.listener.close()
        self.cut()
        end = time.monotonic() + DEADLINE
        while self.held and time.monotonic() < end:
            time.sleep(0.001)
        for one in self.sockets:
            one.close()
