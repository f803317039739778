# SPDX-License-Identifier: MIT
"""The programs of examples/: what they print is right, on both transports, and their servers
end in good order (with a sanitizer: without a leak)."""
import contextlib
import os
import random
import signal
import subprocess
import uuid

import pytest

from conftest import BUILD, free_port

EXAMPLES = BUILD / "examples"
PATIENCE = 60


class Example:
    """A server that prints "listening", and its clients."""

    def __init__(self, server, protseq, env):
        self.env = env
        endpoint = str(free_port()) if protseq == "ncacn_ip_tcp" else f"test-{uuid.uuid4().hex[:12]}"
        host = "127.0.0.1" if protseq == "ncacn_ip_tcp" else ""
        self.binding = f"{protseq}:{host}[{endpoint}]"
        self.server = subprocess.Popen([EXAMPLES / server, protseq, endpoint], env=env, text=True,
                                       stdout=subprocess.PIPE)
        assert self.server.stdout.readline() == "listening\n"

    def run(self, client, *args, text="", status=0):
        """What the client prints."""
        done = subprocess.run([EXAMPLES / client, self.binding, *map(str, args)], input=text,
                              capture_output=True, text=True, env=self.env, timeout=PATIENCE,
                              check=False)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stdout + done.stderr


@contextlib.contextmanager
def serving(server, shutdown, protseq, env):
    example = Example(server, protseq, env)
    try:
        yield example
        example.run(shutdown, "shutdown")
        assert example.server.wait(timeout=PATIENCE) == 0
    finally:
        example.server.kill()
        example.server.wait()
        example.server.stdout.close()


@pytest.fixture(params=["ncalrpc", "ncacn_ip_tcp"])
def protseq(request):
    return request.param


# ---- Asynchronous calls ----------------------------------------------------------------


@pytest.fixture
def calls(protseq, program_env):
    with serving("async/async_server", "async/async_client_event", protseq, program_env) as example:
        yield example


def test_a_call_told_by_event(calls):
    assert calls.run("async/async_client_event", 12, 50) == "12 squared is 144\n"


def test_b_call_that_takes_too_long_is_cancelled(calls):
    assert calls.run("async/async_client_event", 7, 60000, status=1) == "cancelled\n"
    assert calls.server.stdout.readline() == "7: cancelled\n", "the server is told"
    assert calls.run("async/async_client_event", 3, 0) == "3 squared is 9\n"


def test_b_calls_told_by_apc_end_in_their_own_order(calls):
    assert calls.run("async/async_client_apc", 1, 4, 8) == \
        "8 squared is 64\n4 squared is 16\n1 squared is 1\n"


def test_b_calls_told_at_a_completion_port(calls):
    said = calls.run("async/async_client_port", *range(100))
    assert sorted(said.splitlines()) == sorted(f"{n} squared is {n * n}" for n in range(100))


@pytest.mark.parametrize("client,args", [("async/async_client_event", [1, 0]),
                                         ("async/async_client_apc", [1]),
                                         ("async/async_client_port", [1]),
                                         ("pipes/pipes_client_in", [1]),
                                         ("pipes/pipes_client_out", [1]),
                                         ("pipes/pipes_client_inout", []),
                                         ("syncpipes/text_client", ["count"])])
def test_c_no_server(client, args, program_env):
    done = subprocess.run([EXAMPLES / client, "ncalrpc:[nobody-here]", *map(str, args)],
                          input="", capture_output=True, text=True, env=program_env,
                          timeout=PATIENCE, check=False)
    assert "1722" in done.stderr, "RPC_S_SERVER_UNAVAILABLE"


# ---- Asynchronous pipes ----------------------------------------------------------------


@pytest.fixture
def pipes(protseq, program_env):
    with serving("pipes/pipes_server", "pipes/pipes_client_inout", protseq, program_env) as example:
        yield example


def primes(limit):
    composite = bytearray(limit + 1)
    for n in range(2, limit + 1):
        if not composite[n]:
            yield n
            composite[n * n::n] = b"\1" * len(range(n * n, limit + 1, n))


@pytest.mark.parametrize("count", [0, 1, 5000, 5001, 3000000])
def test_a_in_pipe(pipes, count):
    assert pipes.run("pipes/pipes_client_in", count) == f"the sum is {count * (count + 1) // 2}\n"


@pytest.mark.parametrize("limit", [1, 100, 200000])
def test_a_out_pipe(pipes, limit):
    assert pipes.run("pipes/pipes_client_out", limit) == "".join(f"{n}\n" for n in primes(limit))


@pytest.mark.parametrize("count", [0, 1, 5000, 5001, 300000])
def test_a_in_out_pipe(pipes, count):
    numbers = [random.Random(count).randint(-2**31, 2**31 - 1) for _ in range(count)]
    said = pipes.run("pipes/pipes_client_inout", text="\n".join(map(str, numbers)))
    assert list(map(int, said.split())) == sorted(numbers)


@pytest.mark.parametrize("client,args", [("pipes/pipes_client_in", [2**31 - 1]),
                                         ("pipes/pipes_client_out", [2**31 - 1]),
                                         ("pipes/pipes_client_inout", [])])
def test_c_server_dies_meanwhile(pipes, client, args):
    process = subprocess.Popen([EXAMPLES / client, pipes.binding, *map(str, args)], env=pipes.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    other = Example("pipes/pipes_server", "ncalrpc", pipes.env)
    try:
        if client.endswith("inout"):
            process.stdin.write("1\n" * 20000)
            process.stdin.flush()
        elif client.endswith("out"):
            process.stdout.readline()
        os.kill(pipes.server.pid, signal.SIGKILL)
        pipes.server.wait()
        said = process.communicate(input="1\n" * 20000, timeout=PATIENCE)[1]
        # It may not have begun to call yet.
        ends = ("failed: 1726", "failed: 1722", "no call: 1722")
        assert process.returncode == 1 and any(end in said for end in ends), said
    finally:
        process.kill()
        process.wait()
        pipes.server.stdout.close()
        pipes.server, pipes.binding = other.server, other.binding


@pytest.mark.parametrize("client,args", [("pipes/pipes_client_in", [2**31 - 1]),
                                         ("pipes/pipes_client_out", [2**31 - 1]),
                                         ("pipes/pipes_client_inout", [])])
def test_c_client_dies_meanwhile(pipes, client, args):
    """Its call ends at the server: the next one works, and the server still ends in good order."""
    process = subprocess.Popen([EXAMPLES / client, pipes.binding, *map(str, args)], env=pipes.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if client.endswith("inout"):
            process.stdin.write("1\n" * 20000)
            process.stdin.flush()
        elif client.endswith("out"):
            process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    assert pipes.run("pipes/pipes_client_in", 10) == "the sum is 55\n"


# ---- Synchronous pipes -----------------------------------------------------------------


@pytest.fixture
def text(protseq, program_env):
    with serving("syncpipes/text_server", "syncpipes/text_client", protseq, program_env) as example:
        yield example


LINES = [f"line {n}\n" for n in range(50000)]


@pytest.mark.parametrize("count", [0, 1, 50000])
def test_a_synchronous_in_pipe(text, count):
    assert text.run("syncpipes/text_client", "count", text="".join(LINES[:count])) == \
        f"{count} lines\n"


@pytest.mark.parametrize("times", [0, 1, 100000])
def test_a_synchronous_out_pipe(text, times):
    assert text.run("syncpipes/text_client", "repeat", "again", times) == "again\n" * times


def test_b_what_a_manager_raises(text):
    said = text.run("syncpipes/text_client", "repeat", "x" * 10000, 1, status=1)
    assert said == "failed: 1743\n", "RPC_S_STRING_TOO_LONG"


@pytest.mark.parametrize("count", [0, 1, 50000])
def test_a_synchronous_in_out_pipe(text, count):
    assert text.run("syncpipes/text_client", "reverse", text="".join(LINES[:count])) == \
        "".join(reversed(LINES[:count]))
