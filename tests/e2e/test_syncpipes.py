# SPDX-License-Identifier: MIT
"""Synchronous pipes: requirements SP-... of their routines, managers and ends.

The cases of syncpipes_client run in a process each; who dies is killed here.
"""
import signal
import subprocess
import time

import pytest

from conftest import BUILD, serving, Server

SERVER = BUILD / "tests/e2e/syncpipes/syncpipes_server"
CLIENT = BUILD / "tests/e2e/syncpipes/syncpipes_client"
CASES = {
    "by_value_and_by_pointer": "SP-1 SP-2 SP-3 SP-7 SP-8 SP-9 SP-10",
    "small_rounds": "SP-4 SP-6 SP-18",
    "empty_pull": "SP-4",
    "no_room": "SP-5",
    "large_elements": "SP-4",
    "several_pipes": "SP-11",
    "beside_other_parameters": "SP-12",
    "conduct": "SP-14 SP-15 SP-17",
    "routines_that_raise": "SP-16",
    "wrong_pipes": "SP-3",
    "calls_in_routines": "SP-2",
}


@pytest.fixture(scope="module")
def server(program_env):
    with serving(SERVER, program_env) as server:
        yield server


def run(server, env, case, transport, **options):
    return subprocess.run([CLIENT, server.bindings[transport], case], env=env, capture_output=True,
                          text=True, timeout=120, check=False, **options)


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("case", CASES)
def test_case(server, syntax_env, case, transport):
    result = run(server, syntax_env, case, transport)
    assert result.stdout == "ok\n" and result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
def test_client_dies(server, program_env, transport):
    """The manager's pull raises, and the server goes on."""
    client = subprocess.Popen([CLIENT, server.bindings[transport], "stall_in_pull"],
                              env=program_env, stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"stalled\n"
    client.kill()
    client.wait()
    client.stdout.close()
    result = run(server, program_env, "small_rounds", transport)
    assert result.stdout == "ok\n", result.stdout + result.stderr


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
def test_server_dies(program_env, transport):
    """The client's stub raises at once."""
    server = Server(SERVER, program_env)
    client = subprocess.Popen([CLIENT, server.bindings[transport], "endless"], env=program_env,
                              stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "running\n"
        time.sleep(0.3)
        server.process.kill()
        begin = time.monotonic()
        assert client.stdout.readline() in ("raised 1726\n", "raised 1722\n")
        assert time.monotonic() - begin < 5
        assert client.wait(timeout=10) == 0
    finally:
        client.kill()
        client.stdout.close()
        server.process.wait()
        server.process.stdin.close()
        server.process.stdout.close()


@pytest.mark.parametrize("case", ["silent_while_sending", "silent_before_the_answer",
                                  "silent_while_receiving"])
def test_call_timeout(program_env, case):
    """RPC_C_OPT_CALL_TIMEOUT (700 ms): wherever the stub waits for a server that has stopped."""
    with serving(SERVER, program_env) as server:
        client = subprocess.Popen([CLIENT, server.bindings["tcp4"], case], env=program_env,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert client.stdout.readline() == "stalled\n"
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(1)
            begin = time.monotonic()
            said, _ = client.communicate("go on\n", timeout=30)
            assert said == "ok\n"
            assert 0.6 < time.monotonic() - begin < 10
        finally:
            client.kill()
            client.wait()
            server.process.send_signal(signal.SIGCONT)
        result = run(server, program_env, "small_rounds", "tcp4")
        assert result.stdout == "ok\n", result.stdout + result.stderr
