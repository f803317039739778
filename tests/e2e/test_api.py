# SPDX-License-Identifier: MIT
"""Every case of api_test on both transports: a process that is the client, and its server.

A case prints "ok NAME", "FAILED NAME why" or "skipped NAME why"; a process that dies or
hangs in another way fails as well.
"""
import subprocess
import time

import pytest

from conftest import BUILD

PROGRAM = BUILD / "tests/e2e/api/api_test"


def cases():
    try:
        return subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, timeout=20,
                              check=True).stdout.split()
    except OSError:
        return ["api_test-was-not-built"]


@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
@pytest.mark.parametrize("case", cases())
def test_api(case, transport, program_env):
    result = subprocess.run([PROGRAM, case, transport], env=program_env, capture_output=True,
                            text=True, timeout=90, check=False)
    said = result.stdout.strip()
    if result.returncode == 77 and said.startswith(f"skipped {case}"):
        pytest.skip(said)
    assert said == f"ok {case}" and result.returncode == 0, \
        f"{said} (status {result.returncode})\n{result.stderr[-4000:]}"


@pytest.mark.parametrize("case, why", [
    ("harness_check_fails_in_the_server", ": a is 4, not 5"),
    ("harness_check_fails_in_a_manager", ": !in_server()"),
    ("harness_server_dies", "the server is gone (the server died)"),
    ("harness_server_ends_badly", "the server ended with 0x300"),
    ("harness_server_leaks", "the server ended with 0x"),
    ("harness_library_used_before", "serve_here() comes after the library has begun threads"),
])
def test_failures_in_the_server_are_failures(case, why, program_env):
    result = subprocess.run([PROGRAM, case, "ncalrpc"], env=program_env, capture_output=True,
                            text=True, timeout=90, check=False)
    said = result.stdout.strip()
    if result.returncode == 77:
        pytest.skip(said)
    assert result.returncode == 1 and said.count("\n") == 0, said
    assert said.startswith(f"FAILED {case} ") and why in said, said


def test_calls_left_open_end_with_the_processes(program_env):
    begin = time.monotonic()
    result = subprocess.run([PROGRAM, "harness_calls_left_open", "ncalrpc"], env=program_env,
                            capture_output=True, text=True, timeout=90, check=False)
    assert result.stdout == "ok harness_calls_left_open\n" and result.returncode == 0, \
        result.stdout + result.stderr[-4000:]
    assert time.monotonic() - begin < 10
