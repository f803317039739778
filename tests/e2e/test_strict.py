# SPDX-License-Identifier: MIT
"""[strict_context_handle] and [type_strict_context_handle]: a handle of every type is used as
every type of the same and of other interfaces (strict/strict_test.c says which may be)."""
import subprocess
import uuid

import pytest

from conftest import BUILD, free_port

PROGRAM = BUILD / "tests/e2e/strict/strict_test"
# Eight types, two in each of four interfaces: a strict interface keeps its 4 pairs, one that is
# strict by type only the 2 of a type with itself, and the two loose ones share all of their 16.
USES, REFUSED = 64, 64 - 4 - 2 - 16


@pytest.mark.parametrize("protseq", ["ncalrpc", "ncacn_ip_tcp"])
def test_b_who_may_use_what(protseq, syntax_env):
    endpoint = f"strict-{uuid.uuid4().hex[:12]}" if protseq == "ncalrpc" else str(free_port())
    done = subprocess.run([PROGRAM, protseq, endpoint], env=syntax_env, capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.stdout == f"{USES} uses, {REFUSED} refused\n" and done.returncode == 0, \
        done.stdout + done.stderr[-3000:]
