# SPDX-License-Identifier: MIT
"""Ten thousand of everything between two processes: pipes that stand still and are then
drained, calls that wait for their answer; and too many for the descriptors there are."""
import json
import os
import resource
import subprocess
import time

import pytest

from conftest import BUILD, sanitizer, serving

SERVER = BUILD / "tests/e2e/scale/scale_server"
CLIENT = BUILD / "tests/e2e/scale/scale_client"
COUNT = 10_000
# What the processes have open besides.
SPARE = 200
# The pool, one to spare, and the program's own (docs/design/threads.md).
THREADS = len(os.sched_getaffinity(0)) + 2 + (sanitizer() == "tsan")  # which has one, too


@pytest.fixture(scope="module")
def count():
    """As many as this machine lets one process have, fewer for instrumented builds."""
    wanted = COUNT // 25 if sanitizer() else COUNT
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard - SPARE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + SPARE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + SPARE, hard))
    yield wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def server(program_env, count):
    del count  # its limit is inherited
    with serving(SERVER, program_env) as server:
        yield server


def run(server, env, kind, count, transport, **options):
    command = [CLIENT, server.bindings[transport], kind, str(count), str(THREADS)]
    return subprocess.run(command, env=env,
                          capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.mark.parametrize("transport", ["tcp4", "ncalrpc"])
@pytest.mark.parametrize("kind", ["source", "sink", "pending"])
def test_many_at_once(server, program_env, count, kind, transport):
    """Every octet right, no thread belongs to a call; calls without pipes share connections."""
    result = run(server, program_env, kind, count, transport)
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    seen = json.loads(result.stdout)
    print(kind, transport, count, seen)
    assert seen["wrong"] == 0
    assert max(seen["threads"], seen["server_threads"]) <= THREADS
    # On the way there, where other programs keep the processors, a manager may look blocked.
    assert max(seen["peak"]) <= THREADS + 4
    if kind == "pending":  # 64 on a connection, see LIMIT_MULTIPLEX
        assert seen["descriptors"] <= count // 64 + 64 + SPARE
    if kind == "sink" and not sanitizer():  # what was pushed, and a little for each
        assert seen["server_kib"] <= count * (60_000 / 1024 + 64)


few_descriptors = pytest.mark.skipif(bool(sanitizer()), reason="the sanitizer needs descriptors itself")


def limited(descriptors):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


@few_descriptors
def test_client_without_descriptors(server, program_env):
    """The stub raises RPC_S_OUT_OF_RESOURCES."""
    result = run(server, program_env, "sink", 500, "tcp4", preexec_fn=limited(100))
    assert result.stdout == "call: 1721\n", result.stdout + result.stderr
    result = run(server, program_env, "pending", 10, "tcp4")
    assert result.returncode == 0, result.stdout + result.stderr


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@few_descriptors
def test_server_without_descriptors(program_env):
    """Clients are turned away at once, nothing spins, and the descriptors of dead clients'
    calls are free again though their managers have not ended them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        serving_few = serving(SERVER, program_env)
        server = serving_few.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        begin = time.monotonic()
        result = run(server, program_env, "sink", 300, "tcp4")
        # Known when the stub begins, or told while the call waits for its connection.
        assert result.stdout in ("call: 1722\n", "push: 1722\n"), result.stdout + result.stderr
        assert time.monotonic() - begin < 10
        used = cpu_seconds(server.process.pid)
        time.sleep(0.5)
        assert cpu_seconds(server.process.pid) - used < 0.2
        result = run(server, program_env, "pending", 10, "tcp4")
        assert result.returncode == 0, result.stdout + result.stderr
    finally:
        serving_few.__exit__(None, None, None)
