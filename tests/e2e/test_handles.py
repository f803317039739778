# SPDX-License-Identifier: MIT
"""Binding handles of every kind, and contexts: made, used, closed, run down.

The cases of handles_client run in a process each; what ends a client is done to it here.
"""
import subprocess
import time

import pytest

from conftest import BUILD, serving

SERVER = BUILD / "tests/e2e/handles/handles_server"
CLIENT = BUILD / "tests/e2e/handles/handles_client"
CASES = ["session", "null_and_garbage", "binding_of_context", "destroyed", "raised", "serialised",
         "closed_while_waiting", "strict", "plain", "flood", "implicit", "generic", "automatic"]


@pytest.fixture(scope="module")
def server(program_env):
    with serving(SERVER, program_env) as server:
        yield server


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("case", CASES)
def test_case(server, program_env, case, transport):
    result = subprocess.run([CLIENT, server.bindings[transport], case], env=program_env,
                            capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout == "ok\n" and result.returncode == 0, result.stdout + result.stderr
