"""Serve the explorer on this machine alone, and solve a draw again when the page asks for its hours.

Threads talk to browsers; draws are solved in the main thread, one after the other, so that Ctrl-C ends the program at once
and in order.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

from model import InputError
from sweep.errors import StudyError
from sweep.stored_hours import StoredHours

HOST: Final = "127.0.0.1"
NAMES: Final = (HOST, "localhost")
KEPT: Final = 64  # answers, some 0.3 MB each at 24 days
PATIENCE: Final = 30  # seconds that a connection may stay silent
Job = tuple[str, str, "Future[bytes]"]


class RefusedRequestError(Exception):
    """A request that gets no answer: its status and why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class Desk:
    """What threads share: the page, and where they leave what is to be solved."""

    port: int
    page: bytes = b""
    jobs: queue.Queue[Job] = field(default_factory=queue.Queue)

    def answer(self, target: str, headers: Message) -> tuple[str, bytes]:
        """Return the content type and body for a request.

        Raises
        ------
        RefusedRequestError
            It comes from another site, by another name of this machine (as after DNS rebinding), or asks for what is not there.
        """
        hosts = [f"{name}:{self.port}" for name in NAMES]
        if headers.get("Host", "").lower() not in hosts:
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, f"Host: expected {' or '.join(hosts)}")
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in [f"http://{host}" for host in hosts]:
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "Origin: expected this page's own")
        try:
            asked = urlsplit(target)
        except ValueError as fault:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"{fault}") from fault
        if asked.path == "/":
            return "text/html; charset=utf-8", self.page
        if asked.path != "/hours":
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "expected / or /hours?draw=ID&configuration=NAME")
        if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "Sec-Fetch-Site: expected this page's own")
        told = parse_qs(asked.query)
        if sorted(told) != ["configuration", "draw"] or any(len(values) != 1 for values in told.values()):
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "expected /hours?draw=ID&configuration=NAME")
        job: Job = (told["draw"][0], told["configuration"][0], Future())
        self.jobs.put(job)
        return "application/json", job[2].result()


class Server:
    """An explorer that listens on the loopback interface.

    Parameters
    ----------
    port : int
        0: any free one.

    Raises
    ------
    StudyError
        The port cannot be had.
    """

    def __init__(self, port: int) -> None:
        desk = Desk(port)

        class Handler(_Handler):
            answering = desk

        try:
            self.http = ThreadingHTTPServer((HOST, port), Handler)
        except OSError as fault:
            raise StudyError(
                f"--port {port}: {fault.strerror or fault}; expected a free port of {HOST}, 0 takes any"
            ) from fault
        self.http.daemon_threads = True
        desk.port = self.http.server_address[1]
        self.desk = desk

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.desk.port}/"

    def run(self, page: str, solver: StoredHours) -> NoReturn:
        """Serve until Ctrl-C or a termination raises in this thread."""
        self.desk.page = page.encode()
        kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        thread.start()
        try:
            while True:
                draw, configuration, future = self.desk.jobs.get()
                try:
                    if (draw, configuration) not in kept:
                        kept[draw, configuration] = _hours(solver, draw, configuration)
                except (StudyError, InputError) as fault:
                    future.set_exception(RefusedRequestError(HTTPStatus.BAD_REQUEST, str(fault)))
                    continue
                kept.move_to_end((draw, configuration))
                future.set_result(kept[draw, configuration])
                while len(kept) > KEPT:
                    kept.popitem(last=False)
        finally:
            self.http.socket.close()


def _hours(solver: StoredHours, draw: str, configuration: str) -> bytes:
    from report.explore import packed_hours

    solver.check([draw])
    return json.dumps(packed_hours(solver.hours(draw, configuration)), ensure_ascii=False).encode()


class _Handler(BaseHTTPRequestHandler):
    answering: Desk
    timeout = PATIENCE

    def do_GET(self) -> None:
        try:
            kind, body = self.answering.answer(self.path, self.headers)
            status = HTTPStatus.OK
        except RefusedRequestError as fault:
            kind, body, status = "application/json", json.dumps({"error": str(fault)}).encode(), fault.status
        self.send_response(status)
        safe = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"}
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **safe}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal is the user's."""
