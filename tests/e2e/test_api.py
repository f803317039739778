# SPDX-License-Identifier: MIT
"""Every case of api_test on both transports, one process each.

A case prints "ok NAME", "FAILED NAME why" or "skipped NAME why"; a process that dies or
hangs in another way fails as well.
"""
import subprocess

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
