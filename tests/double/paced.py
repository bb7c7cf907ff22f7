# SPDX-License-Identifier: MIT
"""A server of one long file that gives each connection, or all together, so many bytes a second.

It knows single ranges and If-Range. What it is asked is recorded; `answer_range` lets a test have
ranges answered in another way."""

import http.server
import re
import threading
import time

CHUNK = 64 * 1024


class Pace:
    """So many bytes a second; shared, or made anew for each connection."""

    def __init__(self, rate):
        self.rate = rate
        self.lock = threading.Lock()
        self.free_at = 0.0

    def wait(self, count):
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now - 0.01) + count / self.rate
            until = self.free_at
        time.sleep(max(0.0, until - time.monotonic()))


class Paced:
    def __init__(self, body, rate, shared=False, etag='"v1"', ranges=True):
        self.body = body
        self.rate = rate
        self.etag = etag
        self.ranges = ranges
        self.shared = Pace(rate) if shared else None
        self.shown = []  # the Authorization of each question
        self.moved = None  # where every question is sent on to
        self.asked = []  # the Range of each question, None where there was none
        self.answer_range = None  # (number of the range, start, end) → None or "200", "503", "429", "cut"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def bounded(self):
        """The ranges with an end that were asked for."""
        return [r for r in self.asked if r and not r.endswith("-")]

    def handler(paced):  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                self.pace = paced.shared or Pace(paced.rate)

            def log_message(self, *_):
                pass

            def do_GET(self):
                text = self.headers.get("Range")
                paced.asked.append(text)
                paced.shown.append(self.headers.get("Authorization"))
                if paced.moved:
                    self.send_response(302)
                    self.send_header("Location", paced.moved + self.path)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start, end, how = 0, len(paced.body), None
                match = re.fullmatch(r"bytes=(\d+)-(\d*)", text or "")
                same = self.headers.get("If-Range") in (None, paced.etag)
                if match and paced.answer_range:
                    how = paced.answer_range(len([r for r in paced.asked if r]), *match.groups())
                if how in ("503", "429"):
                    self.send_response(int(how))
                    if how == "429":
                        self.send_header("Retry-After", "600")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                part = match and same and paced.ranges and how != "200"
                if part:
                    start = int(match[1])
                    end = min(int(match[2]) + 1, end) if match[2] else end
                self.send_response(206 if part else 200)
                if part:
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(paced.body)}")
                if paced.ranges:
                    self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", paced.etag)
                self.send_header("Content-Length", str(end - start))
                self.end_headers()
                stop = start + (end - start) // 2 if how == "cut" else end
                self.close_connection = self.send_body(start, stop) or how == "cut"

            def send_body(self, at, stop):
                body = memoryview(paced.body)
                try:
                    while at < stop:
                        piece = body[at : min(at + CHUNK, stop)]
                        self.pace.wait(len(piece))
                        self.wfile.write(piece)
                        at += len(piece)
                except OSError:
                    return True
                return False

        return Handler
