# SPDX-License-Identifier: MIT
"""One scripted HTTP origin with gates: the symbol server of every scenario.

A path has one or more scripts; each request takes the next one, the last repeats. A script is a
body and a list of steps (head, send, gate, stall, drip, reset, close ...). Steps never sleep to be in
time with a test: a test opens gates, and waits on what the origin has recorded (`wait_requests`,
`wait_at`, `wait_gone`), always with a deadline. The origin runs its own asyncio loop on a thread.

    origin.on("/a.pdb/1/a.pdb", Script(body, head(), send(1000), gate("go"), send()))
    origin.wait_at("go"); origin.open("go")
"""

import asyncio
import collections
import contextlib
import email.utils
import fcntl
import gzip
import re
import socket
import struct
import threading
import time

DEADLINE = 30
SIOCOUTQ = 0x5411
AUTO = object()  # the length that the body has
CLOSE = object()  # no length: the end of the connection is the end of the body
CHUNKED = object()

REASONS = {
    200: "OK",
    203: "Non-Authoritative Information",
    206: "Partial Content",
    302: "Found",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Gone(Exception):
    """The client has hung up."""


class Finished(Exception):
    """The script has ended the connection itself."""


class Request:
    """What was asked, as it came: `target` are raw bytes, header names are folded."""

    def __init__(self, method, target, headers, connection, number):
        self.method = method
        self.target = target
        self.path = target.split(b"?")[0].decode("latin-1")
        self.headers = headers
        self.connection = connection
        self.number = number
        self.time = time.monotonic()
        self.gone = False  # the client hung up before the script's end
        self.done = False

    def __repr__(self):
        return f"<{self.method} {self.path} on connection {self.connection}>"


class Exchange:
    """One request being answered; what steps work on."""

    def __init__(self, link, request, body):
        self.link = link
        self.origin = link.origin
        self.request = request
        self.body = body
        self.at = 0
        self.chunked = False
        self.owed = (
            0  # bytes of the body that the head promised and that are not sent; None: until close
        )

    async def write(self, data):
        if self.link.gone.is_set():
            raise Gone
        self.link.transport.write(data)
        await self.until(self.link.writable)

    async def until(self, event):
        """Waits for an event, or for the client to go."""
        if event.is_set():
            return
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self.link.gone.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.link.gone.is_set():
            raise Gone

    async def pause(self, seconds):
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.link.gone.wait(), seconds)
        if self.link.gone.is_set():
            raise Gone

    async def body_bytes(self, data):
        if not data:
            return
        self.at += len(data)
        if self.owed is not None:
            self.owed -= len(data)
        await self.write(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    async def flush(self):
        """Until the client's kernel has acknowledged every byte, so that a reset loses none."""
        sock = self.link.transport.get_extra_info("socket")
        while self.link.transport.get_write_buffer_size() or unacknowledged(sock):
            if self.link.gone.is_set():
                raise Gone
            await asyncio.sleep(0.001)


def unacknowledged(sock):
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), SIOCOUTQ, b"\0\0\0\0"))[0]


class Script:
    """A body and the steps that deliver it."""

    def __init__(self, body=b"", *steps):
        self.body = body
        self.steps = steps


# --- steps ---------------------------------------------------------------------------------------


def head(status=200, length=AUTO, headers=(), start=0):
    """Sends the head. length: AUTO, a number (a lie, if it is none), CLOSE or CHUNKED."""

    async def step(x):
        x.at = start
        await send_head(x, status, length, dict(headers))

    return step


async def send_head(x, status, length, headers):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    if length is CHUNKED:
        x.chunked, x.owed = True, None
        lines.append("Transfer-Encoding: chunked")
    elif length is CLOSE:
        x.owed = None
        lines.append("Connection: close")
    else:
        x.owed = len(x.body) - x.at if length is AUTO else length
        lines.append(f"Content-Length: {x.owed}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    await x.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


def ranged_head(etag=None, modified=None, honour=True, headers=()):
    """A 200, or a 206 where Range was asked for and If-Range (if any) still names this file."""

    async def step(x):
        fields = dict(headers)
        if etag:
            fields["ETag"] = etag
        if modified:
            fields["Last-Modified"] = email.utils.formatdate(modified, usegmt=True)
        asked = re.fullmatch(r"bytes=(\d+)-", x.request.headers.get("range", ""))
        condition = x.request.headers.get("if-range")
        same = condition in (None, etag, fields.get("Last-Modified"))
        if honour and asked and same and int(asked[1]) < len(x.body):
            x.at = int(asked[1])
            fields["Content-Range"] = f"bytes {x.at}-{len(x.body) - 1}/{len(x.body)}"
            return await send_head(x, 206, AUTO, fields)
        return await send_head(x, 200, AUTO, fields)

    return step


def send(count=None):
    """The next `count` bytes of the body, or the rest of it."""

    async def step(x):
        end = len(x.body) if count is None else min(len(x.body), x.at + count)
        while x.at < end:
            await x.body_bytes(x.body[x.at : min(end, x.at + 65536)])

    return step


def send_to(offset):
    """The body up to an offset, wherever a range began."""

    async def step(x):
        await send(max(0, offset - x.at))(x)

    return step


def extra(data):
    """Bytes that no head promised."""

    async def step(x):
        await x.write(data)

    return step


def drip(size, interval, until=None):
    """The body in small pieces with pauses between them, and none after the last."""

    async def step(x):
        end = len(x.body) if until is None else until
        while x.at < end:
            await x.body_bytes(x.body[x.at : min(end, x.at + size)])
            if x.at < end:
                await x.pause(interval)

    return step


def gate(name):
    """Waits until the test opens the gate."""

    async def step(x):
        await x.origin.pass_gate(x, name)

    return step


def stall():
    """Does nothing more until the client hangs up or the origin stops."""

    async def step(x):
        await x.until(asyncio.Event())

    return step


def delay(seconds):
    async def step(x):
        await x.pause(seconds)

    return step


def reset():
    """RST, after all that was sent has arrived."""

    async def step(x):
        await x.flush()
        sock = x.link.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        x.link.transport.abort()
        raise Finished

    return step


def close():
    """An orderly end of the connection, whatever the head promised."""

    async def step(x):
        x.link.transport.close()
        raise Finished

    return step


# --- whole scripts -------------------------------------------------------------------------------


def good(body, etag=None, modified=None, headers=()):
    """A well-behaved server's answer, ranges and all."""
    return Script(body, ranged_head(etag, modified, headers=headers), send())


def absent():
    return Script(b"", head(404))


def status(code, headers=(), body=b"no"):
    return Script(body, head(code, headers=headers), send())


def page(text=b"<!DOCTYPE html><html><body>Please sign in</body></html>", code=200):
    return Script(text, head(code, headers={"Content-Type": "text/html"}), send())


def redirect(location, code=302):
    return Script(b"", head(code, headers={"Location": location}))


def zipped(body, length=AUTO):
    return Script(
        gzip.compress(body, 1), head(length=length, headers={"Content-Encoding": "gzip"}), send()
    )


# --- the server ----------------------------------------------------------------------------------


class Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, origin):
        self.origin = origin
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport
        self.gone, self.arrived, self.writable = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.writable.set()
        self.number = self.origin.connected(self)
        self.task = asyncio.get_running_loop().create_task(self.serve())

    def data_received(self, data):
        self.buffer += data
        self.arrived.set()

    def eof_received(self):
        self.leave()

    def connection_lost(self, _error):
        self.leave()

    def leave(self):
        self.gone.set()
        self.arrived.set()
        self.writable.set()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    async def serve(self):
        try:
            while await self.answer():
                pass
        except (Gone, Finished):
            pass
        finally:
            self.origin.disconnected(self)
            self.transport.close()

    async def next_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if self.gone.is_set():
                raise Gone
            self.arrived.clear()
            await self.arrived.wait()
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return text

    async def answer(self):
        lines = (await self.next_head()).split(b"\r\n")
        method, target, _version = lines[0].split(b" ")
        fields = {}
        for line in lines[1:]:
            name, value = line.decode("latin-1").split(":", 1)
            fields[name.strip().lower()] = value.strip()
        request = Request(method.decode(), target, fields, self.number, 0)
        script = self.origin.asked(request)
        x = Exchange(self, request, script.body)
        try:
            for step in script.steps:
                await step(x)
            if x.chunked:
                await x.write(b"0\r\n\r\n")
        except Gone:
            request.gone = True
            raise
        finally:
            self.origin.answered(request)
        return x.chunked or x.owed == 0


class Origin:
    """The server. Everything recorded is guarded by `changed`, on which all waits wait."""

    def __init__(self, address="127.0.0.1", tls=None, port=0):
        self.changed = threading.Condition()
        self.requests = []
        self.by_path = collections.defaultdict(list)
        self.running = 0
        self.running_max = 0
        self.connections = 0
        self.connections_open = 0
        self.connections_max = 0
        self.scripts = {}
        self.taken = collections.Counter()
        self.default = absent()
        self.gates = {}
        self.at_gate = collections.Counter()
        self.links = set()
        self.address = address
        self.port = port
        self.tls = tls
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(DEADLINE)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            self.loop.create_server(lambda: Link(self), self.address, self.port, backlog=4096, ssl=self.tls)
        )
        self.port = self.server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def stop(self):
        def end():
            self.server.close()
            for link in list(self.links):
                link.transport.abort()
            self.loop.call_later(0.02, self.loop.stop)

        if self.loop.is_running():
            self.loop.call_soon_threadsafe(end)
            self.thread.join(DEADLINE)

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    # what the test says

    def on(self, path, *scripts):
        """The scripts of a path, in turn; the last one repeats."""
        with self.changed:
            self.scripts[path] = scripts
            self.taken[path] = 0
        return self

    def open(self, name):
        """Opens a gate, for good."""
        event = self.gate_event(name)
        self.loop.call_soon_threadsafe(event.set)

    def gate_event(self, name):
        with self.changed:
            return self.gates.setdefault(name, asyncio.Event())

    # what the test waits for

    def wait(self, condition, timeout=DEADLINE, what="the origin"):
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise TimeoutError(f"waited in vain for {what}; seen: {self.requests[-20:]}")

    def wait_requests(self, path, count=1, timeout=DEADLINE):
        """Until the path has been asked `count` times; returns those requests."""
        self.wait(lambda: len(self.by_path[path]) >= count, timeout, f"{count} of {path}")
        return self.by_path[path]

    def wait_total(self, count, timeout=DEADLINE):
        self.wait(lambda: len(self.requests) >= count, timeout, f"{count} requests")

    def wait_at(self, name, count=1, timeout=DEADLINE):
        """Until `count` exchanges stand at a gate: what they sent before is on its way."""
        self.wait(lambda: self.at_gate[name] >= count, timeout, f"{count} at gate {name}")

    def wait_gone(self, path, timeout=DEADLINE):
        """Until a client of this path has hung up in mid-script."""
        self.wait(lambda: any(r.gone for r in self.by_path[path]), timeout, f"{path} to be left")

    def wait_idle(self, timeout=DEADLINE):
        self.wait(lambda: self.running == 0, timeout, "an idle origin")

    def count(self, path=None):
        with self.changed:
            return len(self.requests if path is None else self.by_path[path])

    # what the connections report

    def connected(self, link):
        with self.changed:
            self.links.add(link)
            self.connections += 1
            self.connections_open += 1
            self.connections_max = max(self.connections_max, self.connections_open)
            self.changed.notify_all()
            return self.connections

    def disconnected(self, link):
        with self.changed:
            self.links.discard(link)
            self.connections_open -= 1
            self.changed.notify_all()

    def asked(self, request):
        with self.changed:
            request.number = len(self.requests)
            self.requests.append(request)
            self.by_path[request.path].append(request)
            self.running += 1
            self.running_max = max(self.running_max, self.running)
            scripts = self.scripts.get(request.path, (self.default,))
            script = scripts[min(self.taken[request.path], len(scripts) - 1)]
            self.taken[request.path] += 1
            self.changed.notify_all()
            return script

    def answered(self, request):
        with self.changed:
            request.done = True
            self.running -= 1
            self.changed.notify_all()

    async def pass_gate(self, x, name):
        with self.changed:
            event = self.gates.setdefault(name, asyncio.Event())
            self.at_gate[name] += 1
            self.changed.notify_all()
        try:
            await x.until(event)
        finally:
            with self.changed:
                self.at_gate[name] -= 1
                self.changed.notify_all()
