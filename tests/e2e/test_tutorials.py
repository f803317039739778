# SPDX-License-Identifier: MIT
"""The documentation's programs, typed as its pages have them: client against server, each a
process of its own, over TCP as they choose it."""
import contextlib
import subprocess
import time

import pytest

from conftest import BUILD, free_port

PROGRAMS = BUILD / "tests/e2e/tutorials"
PATIENCE = 60


class Server:
    """A server that says "ready"; clients of it get its port."""

    def __init__(self, program, env, *args):
        self.env, self.port = env, str(free_port())
        self.process = subprocess.Popen([PROGRAMS / program, self.port, *args], env=env, text=True,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def client(self, program, *args, status=0):
        done = subprocess.run([PROGRAMS / program, self.port, *map(str, args)], env=self.env,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    def line(self):
        return self.process.stdout.readline()


@contextlib.contextmanager
def serving(program, env, shutdown, *args):
    """In the end the server is told to stop, and says nothing more."""
    server = Server(program, env, *args)
    try:
        yield server
        assert server.client(*shutdown) == ""
        assert server.process.wait(timeout=PATIENCE) == 0
        assert server.process.stdout.read() == ""
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()


# ---- Hello ----------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["helloc", "hellocw"])
def test_hello(client, program_env):
    with serving("hellos", program_env, (client,)) as server:
        assert server.client(client, "hello, world") == ""
        assert server.line() == "hello, world\n"


def test_hello_access_denied(program_env):
    with serving("hellos", program_env, ("helloc",), "nobody") as server:
        assert server.client("helloc", "hello") == "Runtime reported exception 0x5 = 5\n"


def test_hello_nobody_listens(program_env):
    done = subprocess.run([PROGRAMS / "helloc", str(free_port()), "hello"], env=program_env,
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "Runtime reported exception 0x6ba = 1722\n"
    assert done.returncode == 0


# ---- Asynchronous calls ---------------------------------------------------------------

ASYNC = ("asyncrpc_server", ("asyncrpc_client", "shutdown", 0))


@pytest.mark.parametrize("way", ["event", "poll", "apc", "port"])
@pytest.mark.parametrize("delay", [0, 300])
def test_asynchronous_call(way, delay, program_env):
    program, shutdown = ASYNC
    with serving(program, program_env, shutdown) as server:
        assert server.client("asyncrpc_client", way, delay) == "AsyncFunc returned 1\n"
        assert server.line() == "meanwhile\n"


def test_asynchronous_call_cancelled(program_env):
    program, shutdown = ASYNC
    with serving(program, program_env, shutdown) as server:
        begun = time.monotonic()
        assert server.client("asyncrpc_client", "cancel", 30000) == "AsyncFunc returned 2\n"
        assert time.monotonic() - begun < 20
        assert sorted([server.line(), server.line()]) == \
            ["AsyncFunc has been canceled!!!\n", "meanwhile\n"]


def test_asynchronous_call_given_up(program_env):
    program, shutdown = ASYNC
    with serving(program, program_env, shutdown) as server:
        assert server.client("asyncrpc_client", "abort", 3000).startswith(
            "RpcAsyncCompleteCall: 1818, ")
        assert sorted([server.line(), server.line(), server.line()]) == \
            ["AsyncFunc has been canceled!!!\n", "RpcAsyncCompleteCall failed\n", "meanwhile\n"]


# ---- Asynchronous pipes ---------------------------------------------------------------


@pytest.fixture
def pipes(program_env):
    with serving("asyncpipe_server", program_env, ("asyncpipe_client", "shutdown", 0)) as server:
        yield server


@pytest.mark.parametrize("count", [0, 1, 499, 500, 20001])
@pytest.mark.parametrize("direction", ["in", "out", "both", "inout"])
def test_asynchronous_pipe(pipes, direction, count):
    pushed = count * (count + 1) // 2
    b = pushed if direction in ("in", "both") else 0
    pulled = 0 if direction == "in" else count
    total = {"in": 0, "out": pushed - count, "both": pushed - count, "inout": -pushed}[direction]
    assert pipes.client("asyncpipe_client", direction, count) == \
        f"status 0, reply 1, b {b}, pulled {pulled}, sum {total}\n"


# ---- What client and server can ask --------------------------------------------------


@pytest.fixture
def asks(program_env):
    with serving("asks_server", program_env, ("asks_client", "shutdown", 0)) as server:
        yield server


def test_error_information_of_a_server(asks, tmp_path):
    missing = tmp_path / "no-such-file"
    said = asks.client("asks_client", "open", missing).splitlines()
    assert said[0] == "exception 2"
    assert f"status 2, from another process, Ansi string: {missing}, Long val: 4711" in said[1:]
    assert all(line.startswith("status ") for line in said[1:])
    missing.touch()
    assert asks.client("asks_client", "open", missing) == ""


def test_error_information_nobody_listens(program_env):
    done = subprocess.run([PROGRAMS / "asks_client", str(free_port()), "who", "0"],
                          env=program_env, capture_output=True, text=True, timeout=PATIENCE,
                          check=True)
    said = done.stdout.splitlines()
    assert said[0] == "exception 1722"
    assert len(said) > 1
    assert all("from this process" in line for line in said[1:])


def test_call_attributes(asks):
    # Local, by TCP (1), operation 1, not authenticated (1).
    assert asks.client("asks_client", "who", 0) == "1111\n"


def test_subscription_without_an_event(asks):
    assert asks.client("asks_client", "wait", 50) == "exception 0, result 258, soon\n"
    assert [asks.line(), asks.line()] == ["waiting\n", "nothing happened\n"]


def test_call_timeout(asks):
    assert asks.client("asks_client", "timeout", 200) == "exception 1818, result -1, soon\n"
    # The connection is closed; the call goes on until somebody looks.
    assert [asks.line(), asks.line()] == ["waiting\n", "the client is gone\n"]


@pytest.fixture
def waiting(asks):
    """A client whose thread is in a call, and is to be cancelled at a key."""
    processes = []

    def begin(seconds):
        processes.append(subprocess.Popen([PROGRAMS / "asks_client", asks.port, "cancel", seconds],
                                          env=asks.env, stdin=subprocess.PIPE, text=True,
                                          stdout=subprocess.PIPE))
        assert asks.line() == "waiting\n"
        return processes[0]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("seconds", ["-1", "20"])
def test_cancelled_thread(asks, waiting, seconds):
    client = waiting(seconds)
    # The manager is told, and answers in time.
    assert client.communicate("\n", timeout=PATIENCE)[0] == "exception 0, result 1, soon\n"
    assert asks.line() == "cancelled\n"


def test_client_that_dies(asks, waiting):
    waiting("20").kill()
    assert asks.line() == "the client is gone\n"
