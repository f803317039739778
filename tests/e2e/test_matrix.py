# SPDX-License-Identifier: MIT
"""The matrix: {synchronous, asynchronous} x {client, server} x pipe directions x
transports x element types x sizes x ways of being told x transfer syntaxes.

The programs check every octet themselves and print one line per case; a set of cases
is one process and one test here.
"""
import socket
import subprocess

import pytest

from conftest import serving

TRANSPORTS = ["ncalrpc", "tcp4", "tcp6"]
# Least cases of a set, so that a client that does nothing is no success.
CASES = {("async", "values"): 115, ("sync", "values"): 27, "pipes": 264, "wrong": 32, "told": 1200,
         "huge-in": 1, "huge-out": 1}


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def of_transport(transport):
    if transport == "tcp6" and not has_ipv6():
        pytest.skip("no IPv6 here")


@pytest.fixture(scope="module")
def async_server(build, program_env):
    with serving(build / "tests/e2e/matrix/matrix_server", program_env) as server:
        yield server


@pytest.fixture(scope="module")
def sync_server(build, program_env):
    with serving(build / "tests/e2e/matrix/sync/matrix_server_sync", program_env) as server:
        yield server


@pytest.fixture(scope="module")
def run_client(build, syntax_env):
    def run(kind, binding, cases, timeout=120):
        program = {"sync": "sync/matrix_client_sync", "async": "matrix_client"}[kind]
        arguments = [build / "tests/e2e/matrix" / program, binding, cases]
        result = subprocess.run(arguments, env=syntax_env, capture_output=True, text=True,
                                timeout=timeout, check=False)
        lines = result.stdout.splitlines()
        failed = [line for line in lines if not line.startswith("ok ")]
        assert not failed, "\n".join(failed[:20]) + "\n" + result.stderr[-4000:]
        assert result.returncode == 0, f"status {result.returncode}\n{result.stderr[-4000:]}"
        least = CASES.get(cases) or CASES[kind, cases]
        assert len(lines) >= least, f"only {len(lines)} cases"
    return run


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("server", ["sync", "async"])
@pytest.mark.parametrize("client", ["sync", "async"])
def test_a_operations_without_pipes(client, server, transport, run_client, request):
    """AR-1: four combinations of one interface."""
    of_transport(transport)
    binding = request.getfixturevalue(f"{server}_server").bindings[transport]
    run_client(client, binding, "values")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("server", ["sync", "async"])
@pytest.mark.parametrize("client", ["sync", "async"])
def test_b_pipes_of_every_type_and_size(client, server, transport, run_client, request):
    """AP-9, SP-2, SP-4, SP-6 to SP-8, SP-10, SP-18: four combinations of one interface."""
    of_transport(transport)
    binding = request.getfixturevalue(f"{server}_server").bindings[transport]
    run_client(client, binding, "pipes")


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("server", ["sync", "async"])
@pytest.mark.parametrize("client", ["sync", "async"])
def test_b_the_checks_check(client, server, transport, run_client, request):
    """SP-14, SP-16: an exception of a routine or a manager ends the call on both sides."""
    binding = request.getfixturevalue(f"{server}_server").bindings[transport]
    run_client(client, binding, "wrong")


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
def test_b_every_way_of_being_told(transport, run_client, async_server):
    run_client("async", async_server.bindings[transport], "told")


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_c_five_gigabytes(direction, transport, run_client, async_server):
    run_client("async", async_server.bindings[transport], f"huge-{direction}", timeout=300)


def test_c_several_clients_at_once(build, program_env, async_server):
    """One server, six clients of different sets and transports."""
    jobs = [(sets, transport) for sets in ("told", "pipes") for transport in ("ncalrpc", "tcp4")]
    jobs += [("values", "ncalrpc"), ("values", "tcp4")]
    clients = [subprocess.Popen([build / "tests/e2e/matrix/matrix_client",
                                 async_server.bindings[transport], cases], env=program_env,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for cases, transport in jobs]
    try:
        for client, job in zip(clients, jobs):
            output, _ = client.communicate(timeout=240)
            bad = [line for line in output.splitlines() if not line.startswith("ok ")]
            assert client.returncode == 0 and not bad, (job, bad[:20])
    finally:
        for client in clients:
            client.kill()
