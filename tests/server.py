"""An HTTP server on this machine that serves files, and spoils answers as it is told."""

import contextlib
import http.server
import re
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

PIECE = 1 << 12  # bytes sent at a time


class Asked(NamedTuple):
    """One request."""

    name: str
    start: int | None  # of the range; None where the whole file was asked for


class Server:
    """Serves `files`; every answer takes the next of the `faults` that its file has left.

    A fault is called with the handler and the answer that would be right.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.faults: dict[str, list[Callable]] = defaultdict(list)
        self.log: list[Asked] = []
        self.sent = 0  # bytes of bodies
        self.ranges = True
        self.content_type = "application/zip"
        self.pause = 0.0  # seconds after each piece
        self.gate = threading.Event()  # answers wait for it
        self.gate.set()
        self.closed = threading.Event()
        self.url = ""

    def names(self) -> list[str]:
        return [asked.name for asked in self.log]

    def starts(self) -> list[int | None]:
        return [asked.start for asked in self.log]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "what was waited for did not happen in 30 s"
            time.sleep(0.002)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    server_class: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, name = self.server_class, self.path.lstrip("/")
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found else None
        server.log.append(Asked(name, start))
        server.gate.wait(30)
        fault = server.faults[name].pop(0) if server.faults[name] else Handler.send
        self.close_connection = True
        with contextlib.suppress(ConnectionError):  # clients are killed on purpose
            fault(self, self.right(name, start))

    def right(self, name: str, start: int | None) -> Answer:
        server = self.server_class
        body = server.files.get(name)
        if body is None:
            return Answer(404, {}, b"")
        headers = {"Content-Type": server.content_type}
        if start is None or not server.ranges:
            return Answer(200, headers, body)
        if start >= len(body):
            return Answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"")
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Answer(206, headers, body[start:])

    def send(self, answer: Answer, length: int | None = None) -> None:
        """All of `answer`, or its headers and `length` bytes of its body."""
        self.send_response(answer.status)
        for key, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("Connection", "close")
        self.end_headers()
        body = answer.body[:length]
        for offset in range(0, len(body), PIECE):
            piece = body[offset : offset + PIECE]
            self.wfile.write(piece)
            self.server_class.sent += len(piece)
            time.sleep(self.server_class.pause)

    def log_message(self, *arguments) -> None:
        pass


def cut(share: float) -> Callable:
    """The connection is closed after this share of the body."""
    return lambda handler, answer: handler.send(answer, round(len(answer.body) * share))


def reset(share: float) -> Callable:
    """The connection is torn down: the client is told that it was reset."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(answer, round(len(answer.body) * share))
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()

    return fault


def stall(share: float) -> Callable:
    """The connection stays, but nothing more comes."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(answer, round(len(answer.body) * share))
        handler.server_class.closed.wait(30)

    return fault


def status(code: int, **headers: str) -> Callable:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda handler, answer: handler.send(Answer(code, named, b"sorry"))


def replace(body: bytes, **headers: str) -> Callable:
    """Another body, or headers that differ, where the file should be."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda handler, answer: handler.send(Answer(200, answer.headers | named, body))


def together(count: int) -> Callable:
    """Answers only when so many requests are there at once."""
    barrier = threading.Barrier(count, timeout=10)

    def fault(handler: Handler, answer: Answer) -> None:
        barrier.wait()
        handler.send(answer)

    return fault


@contextlib.contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    server = Server(files)
    handler = type("BoundHandler", (Handler,), {"server_class": server})
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listener.daemon_threads = True
    threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{listener.server_port}"
    try:
        yield server
    finally:
        server.closed.set()
        server.gate.set()
        listener.shutdown()
        listener.server_close()
