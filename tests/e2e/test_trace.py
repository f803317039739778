# SPDX-License-Identifier: MIT
"""PENSTOCK_TRACE=ndr shows the values of parameters on both sides."""
import subprocess
import time
from pathlib import Path

from conftest import BUILD

HELLO = BUILD / "examples/hello"


def test_values_of_parameters(program_env, tmp_path):
    given = "a \"quoted\" name"
    env = dict(program_env, PENSTOCK_TRACE="ndr")
    with subprocess.Popen([HELLO / "hello_server"], env=env, cwd=tmp_path,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            endpoint = Path(program_env["XDG_RUNTIME_DIR"]) / "penstock/hello"
            until = time.monotonic() + 20
            while not endpoint.exists():
                assert server.poll() is None and time.monotonic() < until
                time.sleep(0.02)
            client = subprocess.run([HELLO / "hello_client", given], env=env, cwd=tmp_path,
                                    input="x" * 1000, capture_output=True, text=True,
                                    timeout=20, check=True)
        finally:
            server.kill()
            said = server.stderr.read()
    name = given.replace('"', '\\"')
    for text, first, second in ((client.stderr, "->", "<-"), (said, "<-", "->")):
        lines = [line.split(" ndr: ", 1)[1].strip() if " ndr: " in line else line
                 for line in text.splitlines()]
        assert f'{first} Upload in(name="{name}")' in lines, text
        assert any(line.startswith(f"{second} Upload out(") and "1000" in line
                   for line in lines), text
