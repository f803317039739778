# SPDX-License-Identifier: MIT
"""Samba's own wire tests against a server of ours: samba.tests.dcerpc.raw_protocol of
python3-samba, unmodified, which says field by field what Windows answers.

Those in samba_raw/expected_failures.txt must fail, for the reason that stands there; one that
begins to pass is to be taken out of it.  The server (samba_raw/server.c) offers the two
operations they call besides the management interface.
"""
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BUILD

HERE = Path(__file__).parent / "samba_raw"
SERVER = BUILD / "tests/e2e/samba_raw/raw_server"
PATIENCE = 240  # seconds for all of them; they wait for silence some fifty times


def run(*args, **kwargs):
    return subprocess.run([sys.executable, HERE / "run.py", *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, **kwargs)


def names():
    listed = run("--list", timeout=60)
    return listed.stdout.split() if listed.returncode == 0 else []


def expected_failures():
    lines = (HERE / "expected_failures.txt").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


# Whom the tests that need security authenticate as: so they come as far as the server.
USER = {"DOMAIN": "PENSTOCK", "REALM": "PENSTOCK.TEST", "USERNAME": "tester", "PASSWORD": "secret"}
NAMES = names()
EXPECTED = expected_failures()


def free_short_port():
    """Of three digits, as the tests know the endpoint mapper's by its length."""
    for port in range(700, 1000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except PermissionError:
                pytest.skip("ports below 1024 are root's")
            except OSError:
                continue
        return port
    pytest.skip("no port of three digits is free")
    return 0


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, program_env):
    """What became of each."""
    port = free_short_port()
    # Like Windows as it is installed, no extended error information in faults.
    env = dict(program_env, PENSTOCK_ERROR_INFO="off")
    server = subprocess.Popen([SERVER, f"ncacn_ip_tcp:{port}"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=env)
    try:
        assert server.stdout.readline() == b"ready\n"
        conf = tmp_path_factory.mktemp("samba") / "smb.conf"
        conf.write_text("")
        done = run(str(port), timeout=PATIENCE,
                   env=dict(os.environ, SERVER="127.0.0.1", SMB_CONF_PATH=str(conf),
                            IGNORE_RANDOM_PAD="1", **USER))
        assert done.returncode == 0, done.stderr[-4000:]
        yield {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
        server.stdin.close()
        assert server.wait(timeout=20) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_the_list_of_expected_failures():
    """Each name in it is a test's, and each has a reason."""
    if not NAMES:
        pytest.skip("python3-samba is not installed")
    assert not EXPECTED.keys() - set(NAMES)
    assert all(EXPECTED.values())
    assert len(NAMES) >= 194 and len(NAMES) - len(EXPECTED) >= 72


@pytest.mark.skipif(not NAMES, reason="python3-samba is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_samba_raw(name, outcomes):
    row = outcomes[name]
    if name in EXPECTED:
        assert row["outcome"] == "fail", \
            f"passes now: take it out of expected_failures.txt ({EXPECTED[name]})"
    else:
        assert row["outcome"] == "pass", row["why"]
