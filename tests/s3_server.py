"""An S3 server as a process of its own on the loopback, and a proxy before it that counts, delays and breaks requests."""

from __future__ import annotations

import http.client
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "cubes"
SECRET = "a-very-secret-key"
SERVER = """
import sys
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def s3_server() -> Iterator[int]:
    """Start the server with an empty bucket; give its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        make_bucket(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def make_bucket(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT")).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class FaultProxy(ThreadingHTTPServer):
    """Passes requests on to a server, but for the faults that its attributes ask for.

    Attributes
    ----------
    fault : str
        What befalls `share` of the requests: "none", "503", "cut" (half an answer), "lost" (the request is carried
        out, its answer lost), "hang", "denied", "501" (to conditional requests).
    befallen : str
        The kind of requests that it befalls, as "PUT"; empty: all.
    delay : float
        Seconds that every answer takes longer.
    unconditional : bool
        Whether conditions are taken out of requests, as by a server that knows none.
    stop_after : int or None
        After so many further PUT the server is away.
    counts : Counter
        Requests by PUT, GET, HEAD, DELETE, LIST and faults by name.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.lock, self.one_at_a_time = upstream, threading.Lock(), threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.fault, self.share, self.delay, self.unconditional = "none", 1.0, 0.0, False
        self.befallen = ""
        self.stop_after: int | None = None
        self.counts: Counter[str] = Counter()
        self.seen: list[str] = []
        self.random = random.Random(2040)

    def fault_of(self, kind: str, path: str, conditional: bool) -> str:
        with self.lock:
            self.counts[kind] += 1
            self.seen.append(f"{kind} {path}")
            if self.stop_after is not None and kind == "PUT":
                self.stop_after -= 1
            if self.stop_after is not None and self.stop_after < 0:
                return "503"
            if self.befallen not in ("", kind):
                return "none"
            if self.fault == "none" or self.random.random() >= self.share or (self.fault == "501" and not conditional):
                return "none"
            self.counts[self.fault] += 1
            return self.fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no fault of the test."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}}
        if "x-goog-if-generation-match" in headers:  # what Google's server has for If-None-Match
            headers["If-None-Match"] = "*"
        credential = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, Signature=0"
        names = [name for name in headers if name.lower() == "authorization"]
        if not names and self.command in {"GET", "HEAD"}:  # as asked of Google; the server behind wants one
            headers["Authorization"] = credential
        for name in names:
            if headers[name].startswith("Bearer"):
                headers[name] = credential
        if self.server.unconditional:
            headers = {k: v for k, v in headers.items() if k.lower() != "if-none-match"}
        kind = "LIST" if self.command == "GET" and "list-type" in self.path else self.command
        conditional = any(k.lower() == "if-none-match" for k in headers)
        fault = self.server.fault_of(kind, self.path, conditional)
        time.sleep(self.server.delay)
        if fault == "hang":
            time.sleep(3)
            self.close_connection = True
            return
        answers = {
            "503": (503, SLOW_DOWN),
            "denied": (403, DENIED),
            "501": (501, b"<Error><Code>NotImplemented</Code></Error>"),
        }
        if fault in answers:
            status, content = answers[fault]
            self.answer(status, {}, b"" if self.command == "HEAD" else content)
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        # The server behind looks and writes in two steps; in S3 and in Google's store a conditional PUT is one.
        with self.server.one_at_a_time if conditional else nullcontext():
            try:
                upstream.request(self.command, self.path, body, headers)
                found = upstream.getresponse()
                content = found.read()
            finally:
                upstream.close()
        if fault == "lost":
            self.close_connection = True
            return
        kept = {
            k: v
            for k, v in found.getheaders()
            if k.lower() not in {"connection", "transfer-encoding", "date", "server"}
        }
        self.answer(found.status, kept, content, cut=fault == "cut")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any  # noqa: N815

    def answer(self, status: int, headers: dict[str, str], content: bytes, cut: bool = False) -> None:
        self.send_response(status)
        if "content-length" not in {name.lower() for name in headers}:
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True


@contextmanager
def fault_proxy(upstream: int) -> Iterator[FaultProxy]:
    proxy = FaultProxy(upstream)
    serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        serving.join()
        proxy.server_close()


def settings(port: int) -> dict[str, str]:
    """The environment in which programs find the server."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "AKIA0123456789",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "WATTBIT_STORE_RETRIES": "8",
        "WATTBIT_STORE_TIMEOUT": "20",
    }
