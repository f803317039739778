# SPDX-License-Identifier: MIT
"""[cs_char]: arrays that client and server convert to the code set of the network, in every form
and with every routine refusing in turn (characters/characters_test.c)."""
import re
import subprocess
import uuid

import pytest

from conftest import BUILD, free_port

PROGRAM = BUILD / "tests/e2e/characters/characters_test"


@pytest.mark.parametrize("protseq", ["ncalrpc", "ncacn_ip_tcp"])
def test_b_characters_arrive(protseq, syntax_env):
    endpoint = f"cs-{uuid.uuid4().hex[:12]}" if protseq == "ncalrpc" else str(free_port())
    done = subprocess.run([PROGRAM, protseq, endpoint], env=syntax_env, capture_output=True,
                          text=True, timeout=120, check=False)
    assert re.fullmatch(r"\d\d+ checks\n", done.stdout) and done.returncode == 0, \
        done.stdout + done.stderr[-3000:]
