# SPDX-License-Identifier: MIT
"""A raw HTTP client: says how an answer ended, reads at any pace, hangs up or resets on command."""

import socket
import struct

TIMEOUT = 60


class Broken(Exception):
    """The answer did not come to its end; `how` is "reset" or "cut", `got` what came before."""

    def __init__(self, how, got=b""):
        super().__init__(f"{how} after {len(got)} bytes")
        self.how = how
        self.got = got


class Answer:
    """Status, headers (folded names), and once it was read the body."""

    def __init__(self, status, fields):
        self.status = status
        self.fields = fields
        self.headers = {name.lower(): value for name, value in fields}
        self.body = b""
        self.broken = None

    @property
    def verdict(self):
        return self.headers.get("x-symgate-verdict")

    @property
    def reason(self):
        return self.headers.get("x-symgate-reason", "")

    @property
    def etag(self):
        return self.headers.get("etag")

    def __repr__(self):
        return (
            f'<{self.status} {self.verdict} "{self.reason}" {len(self.body)} bytes'
            f"{' broken: ' + self.broken if self.broken else ''}>"
        )


class Connection:
    """One connection to the program."""

    def __init__(self, address, source=None, timeout=TIMEOUT, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        self.buffer = b""
        self.method = "GET"
        self.left = None
        self.chunked = False
        self.ended = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    # sending

    def send(self, data):
        self.socket.sendall(data)
        return self

    def ask(self, target, method="GET", headers=(), version="1.1", host="localhost", body=None):
        """Sends a request and reads nothing."""
        if isinstance(target, str):
            target = target.encode("latin-1")
        lines = [method.encode() + b" " + target + b" HTTP/" + version.encode()]
        fields = list(headers.items() if isinstance(headers, dict) else headers)
        if host:
            fields.insert(0, ("Host", host))
        if body is not None:
            fields.append(("Content-Length", len(body)))
        lines += [f"{name}: {value}".encode("latin-1") for name, value in fields]
        self.method = method
        return self.send(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""))

    # receiving

    def more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            raise Broken("reset") from None
        if not data:
            raise Broken("cut")
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def head(self):
        """Reads a head and gets ready for its body."""
        status = int(self.line().split(b" ")[1])
        fields = []
        while line := self.line():
            name, value = line.decode("latin-1").split(":", 1)
            fields.append((name, value.strip()))
        answer = Answer(status, fields)
        self.chunked = "chunked" in answer.headers.get("transfer-encoding", "")
        length = answer.headers.get("content-length")
        self.left = int(length) if length is not None else None
        if self.chunked:
            self.left = 0
        if self.method == "HEAD" or status in (204, 304) or status < 200:
            self.left = 0
            self.chunked = False
        self.ended = self.left == 0 and not self.chunked
        return answer

    def some(self, most=1 << 30):
        """Some bytes of the body; b"" at its true end."""
        if self.ended:
            return b""
        if self.chunked and self.left == 0:
            self.next_chunk()
            if self.ended:
                return b""
        if not self.buffer:
            try:
                self.more()
            except Broken as broken:
                if self.left is None and broken.how == "cut":
                    self.ended = True
                    return b""
                raise
        count = min(most, len(self.buffer), self.left if self.left is not None else most)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        self.took(count)
        return data

    def took(self, count):
        if self.left is None:
            return
        self.left -= count
        if self.left == 0:
            if self.chunked:
                assert self.line() == b"", "a chunk does not end where it said"
            else:
                self.ended = True

    def next_chunk(self):
        self.left = int(self.line().split(b";")[0], 16)
        if self.left == 0:
            assert self.line() == b"", "trailers were not expected"
            self.ended = True

    def read(self, count):
        """Exactly `count` bytes of the body."""
        got = b""
        while len(got) < count:
            try:
                data = self.some(count - len(got))
            except Broken as broken:
                raise Broken(broken.how, got) from None
            assert data, f"the body ended after {len(got)} of {count} bytes"
            got += data
        return got

    def rest(self):
        """The body up to its true end; Broken where it has none."""
        pieces = []
        while True:
            try:
                data = self.some()
            except Broken as broken:
                raise Broken(broken.how, b"".join(pieces)) from None
            if not data:
                return b"".join(pieces)
            pieces.append(data)

    def answer(self):
        """Head and body; a broken end is told in the answer."""
        answer = self.head()
        try:
            answer.body = self.rest()
        except Broken as broken:
            answer.body, answer.broken = broken.got, broken.how
        return answer

    def get(self, target, **how):
        return self.ask(target, **how).answer()

    def silent(self, seconds=0.2):
        """Does nothing more come? The proof that something is held back; never a wait for it."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(1, socket.MSG_PEEK)
            self.buffer = b""
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT)

    def closed(self, timeout=TIMEOUT):
        """Waits until the other side ends the connection; what it still sent."""
        self.socket.settimeout(timeout)
        try:
            while True:
                self.more()
        except Broken:
            return self.buffer
