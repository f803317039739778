# SPDX-License-Identifier: MIT
"""Runs the program published/, which carries a call from a client stub to a server stub."""
import subprocess
import sys

from conftest import BUILD

PROGRAM = BUILD / "tests/e2e/published/published"
PATIENCE = 60
SYNTAXES = ["ndr20", "ndr64"]


def published(call, syntax, program=PROGRAM, order=sys.byteorder, **others):
    """{label: text} of the lines the program prints."""
    options = [word for name, octets in others.items() for word in (f"--{name}", octets.hex())]
    done = subprocess.run([program, call, syntax, "--order", order, *options],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
