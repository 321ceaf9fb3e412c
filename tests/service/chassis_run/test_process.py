"""A process of a service: answers on its port, tells the truth about its health, and ends within seconds."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.collector import black_hole, collecting

DEMO = Path(__file__).with_name("demo_process.py")
MIB = 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One started process and what it logged."""

    def __init__(self, kind: str, port: int, *more: str) -> None:
        self.port = port
        command = [sys.executable, str(DEMO), kind, str(port), *more]
        self.logged: list[dict[str, object]] = []
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> None:
        self.wait_logged("listening")

    def wait_logged(self, event: str) -> None:
        """Read its log up to this event."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.logged.append(json.loads(line))
            if self.logged[-1]["event"] == event:
                return
        raise AssertionError(f"ended without {event}: {self.process.communicate()}")

    def end(self, timeout: float = 20) -> tuple[int, list[dict[str, object]], str]:
        out, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, [*self.logged, *(json.loads(line) for line in out.splitlines())], errors


@contextmanager
def running(kind: str, *more: str, port: int | None = None) -> Iterator[Process]:
    started = Process(kind, port or free_port(), *more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate()


def send(process: Process, data: bytes, *, read: bool = True) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
        try:
            connection.sendall(data)
            while read and (more := connection.recv(65536)):
                answer += more
        except (ConnectionResetError, BrokenPipeError):  # the far end may close before the last byte is written
            return answer
        return answer


def test_web_process_from_start_to_stop_with_open_streams() -> None:
    with running("web") as process:
        process.wait_ready()
        with httpx.Client(base_url=process.address, trust_env=False, timeout=10) as client:
            ready = client.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json() == {"status": "unready", "reasons": ["database: not reachable"]}
            assert "anju_http_request_seconds" in client.get("/metrics").text
            with client.stream("GET", "/api/v1/stream") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "retry: 1000"
                process.process.send_signal(signal.SIGTERM)
                started = time.monotonic()
                assert "event: alert" in list(lines)  # the stream ends in good order, it is not cut
        code, logged, errors = process.end()
        assert time.monotonic() - started < 3
        assert (code, errors) == (0, "")
        assert [line["event"] for line in logged if line["event"] != "request"][-2:] == ["stopping", "stopped"]


def test_a_request_under_way_is_answered_before_the_end() -> None:
    with running("web") as process:
        process.wait_ready()
        with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
            connection.sendall(b"GET /api/v1/slow?seconds=1 HTTP/1.1\r\nhost: x\r\n\r\n")
            process.wait_logged("slow-began")
            process.process.send_signal(signal.SIGTERM)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert process.end()[0] == 0


def test_one_that_takes_too_long_is_told_so_and_does_not_hold_the_end() -> None:
    with running("web") as process:
        process.wait_ready()
        with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
            connection.sendall(b"GET /api/v1/slow?seconds=60 HTTP/1.1\r\nhost: x\r\n\r\n")
            process.wait_logged("slow-began")
            process.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            answer = b""
            while more := connection.recv(65536):  # head and body may come apart; the process closes at its end
                answer += more
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"urn:anju:problem:stopping" in answer
            assert b"content-security-policy" in answer
            _, logged, _ = process.end()
            assert time.monotonic() - started < 9
        requests = [line for line in logged if line["event"] == "request"]
        assert [line["status"] for line in requests] == [503]


def test_a_part_that_does_not_end_does_not_hold_the_end() -> None:
    with running("worker", "stubborn") as process:
        process.wait_ready()
        process.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        code, logged, _errors = process.end()
        # Eight seconds for answers and parts, one to close, one to leave.
        assert time.monotonic() - started < 13
        assert code == 0
        assert logged[-1]["event"] == "stopped"


@pytest.fixture(scope="module")
def web() -> Iterator[Process]:
    """A running web process."""
    with running("web") as process:
        process.wait_ready()
        yield process


def head(*lines: bytes) -> bytes:
    return b"\r\n".join(
        (b"POST /api/v1/things HTTP/1.1", b"host: x", b"content-type: application/json", *lines, b"", b"")
    )


def test_a_large_body_is_refused_and_the_client_reads_the_answer(web: Process) -> None:
    assert send(web, head(b"content-length: 99999999")).startswith(b"HTTP/1.1 413")
    waiting = send(web, head(b"content-length: 2000000", b"expect: 100-continue"))
    assert waiting.startswith(b"HTTP/1.1 413")  # and no 100 Continue before it
    with httpx.Client(base_url=web.address, trust_env=False, timeout=10) as client:
        whole = client.post("/api/v1/things", content=b"x" * 8 * MIB, headers={"content-type": "application/json"})
        assert whole.status_code == 413
        chunks = (b"x" * 65536 for _each in range(64))
        assert client.post("/api/v1/things", content=chunks).status_code == 413


def test_a_large_body_in_time_is_taken(web: Process) -> None:
    with httpx.Client(base_url=web.address, trust_env=False, timeout=10) as client:
        for _each in range(3):
            body = b'{"name": "a"}'.ljust(MIB)
            response = client.post("/api/v1/things", content=body, headers={"content-type": "application/json"})
            assert response.status_code == 401


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\n\x00: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n",
        b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n",
        head(b"content-length: 5", b"content-length: 6") + b"{}",
        head(b"content-length: 5", b"transfer-encoding: chunked") + b"0\r\n\r\n",
        head(b"content-length: -1"),
        head(b"transfer-encoding: chunked", b"connection: close") + b"zz\r\n\r\n",
        head(b"authorization: Bearer " + b"a" * 60_000, b"connection: close", b"content-length: 0"),
    ],
)
def test_no_bytes_make_a_5xx(web: Process, data: bytes) -> None:
    answer = send(web, data)
    assert not answer or b"HTTP/1.1 4" in answer or b"HTTP/1.1 2" in answer
    assert b"HTTP/1.1 5" not in answer
    assert httpx.get(f"{web.address}/health/live", trust_env=False).status_code == 200


def test_a_head_without_end_is_cut(web: Process) -> None:
    answer = send(web, b"GET / HTTP/1.1\r\nx: " + b"a" * 2 * MIB)
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""


def test_a_taken_port_is_said_and_ends_the_process(web: Process) -> None:
    with running("web", port=web.port) as second:
        code, logged, errors = second.end()
    assert (code, errors) == (1, "")
    assert (logged[-1]["event"], logged[-1]["port"]) == ("port-not-free", web.port)


def test_a_part_that_fails_ends_the_process_without_its_message() -> None:
    with running("web", "broken") as process:
        code, logged, errors = process.end()
    assert (code, errors) == (1, "")
    ended = next(line for line in logged if line["event"] == "part-ended")
    assert (ended["step"], ended["error"]) == ("fails", "builtins.ValueError")
    assert "hunter2" not in json.dumps(logged)


def test_worker_process() -> None:
    with running("worker") as process:
        process.wait_ready()
        ready = httpx.get(f"{process.address}/health/ready", trust_env=False)
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["database: not reachable"])
        assert "anju_consumer_lag" in httpx.get(f"{process.address}/metrics", trust_env=False).text
        process.process.send_signal(signal.SIGINT)
        assert process.end()[0] == 0


TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ask(process: Process, times: int) -> list[int]:
    """Answers' status of traced requests with a parameter that no trace may show."""
    with httpx.Client(base_url=process.address, trust_env=False, timeout=10) as client:
        headers = {"traceparent": TRACEPARENT, "authorization": "Bearer hunter2"}
        found = [client.get("/api/v1/slow", params={"seconds": 0}, headers=headers) for _ in range(times)]
    return [answer.status_code for answer in found]


def test_spans_of_requests_are_with_the_collector_when_the_process_has_ended() -> None:
    with collecting() as collector:
        with running("web", f"otlp={collector.endpoint}") as process:
            process.wait_ready()
            assert ask(process, 3) == [200] * 3
            process.process.send_signal(signal.SIGTERM)
            code, _logged, errors = process.end()
        assert (code, errors) == (0, "")
    assert [(each.service, each.name, each.kind) for each in collector.spans] == [
        ("demo", "GET /api/v1/slow", "server")
    ] * 3
    assert {(each.trace_id, each.parent_id) for each in collector.spans} == {(TRACEPARENT[3:35], TRACEPARENT[36:52])}
    assert {each.attributes for each in collector.spans} == {0}
    assert b"hunter2" not in b"".join(collector.bodies)


@pytest.mark.parametrize("away", ["refuses", "never answers"])
def test_a_collector_that_is_away_slows_and_fails_no_request_and_no_end(away: str) -> None:
    with black_hole() as silent:
        endpoint = silent if away == "never answers" else f"http://127.0.0.1:{free_port()}"
        with running("web", f"otlp={endpoint}") as process:
            process.wait_ready()
            started = time.monotonic()
            # The first batches are under way within a second; no request waits for one.
            while time.monotonic() - started < 2.5:
                before = time.monotonic()
                assert ask(process, 5) == [200] * 5
                assert time.monotonic() - before < 2.0
                for _ in range(5):
                    process.wait_logged("request")  # a full pipe would hold the process
            process.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            code, logged, errors = process.end()
            assert time.monotonic() - started < 6
    assert (code, errors) == (0, "")
    assert logged[-1]["event"] == "stopped"
