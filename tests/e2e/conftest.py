# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: where the programs are, and running them safely.

PENSTOCK_TEST_PCAP names a folder for captures of the whole run, which test_zz_wireshark.py
shows to Wireshark at the end.
PENSTOCK_DELAY_SEED is the seed of a build with random delays (docs/design/delays.md); unset,
one is drawn, and said when a test fails.
PENSTOCK_BUILD_DIR names the build directory.  PENSTOCK_TEST_SCALE divides the largest
transfers, for builds with sanitizers; unset, it is found out from the build.
"""
import contextlib
import functools
import os
import random
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

from peer import collect

# Test files without captures: what is measured would be the disk.
NOT_CAPTURED = {"test_scale", "test_filerep", "test_matrix"}
# Those that read captures of their own, and want all of them.
WHOLE_CAPTURES = {"test_transfers", "test_big_endian", "test_oracles", "test_roundtrip",
                  "test_roundtrip_damage", "test_endpoint_oracles", "test_wine",
                  "test_samba_server", "test_mgmt"}

BUILD = Path(os.environ.get("PENSTOCK_BUILD_DIR", "build")).resolve()


def sanitizer():
    """"address", "thread" ..., or "" for a plain build."""
    libraries = subprocess.run(["ldd", BUILD / "src" / "libpenstock.so"], capture_output=True,
                               text=True, check=False).stdout
    return next((name for name in ("asan", "tsan", "ubsan") if name in libraries), "")


@functools.cache
def has_delays():
    """Is it a build with -Ddelays=true?  Its library knows the variable."""
    try:
        return b"PENSTOCK_DELAY_SEED" in (BUILD / "src" / "libpenstock.so").read_bytes()
    except OSError:
        return False


def pytest_configure():
    if has_delays():
        os.environ.setdefault("PENSTOCK_DELAY_SEED", str(random.SystemRandom().getrandbits(32)))


def pytest_terminal_summary(terminalreporter):
    if has_delays() and {"failed", "error"} & set(terminalreporter.stats):
        terminalreporter.write_line("random delays: PENSTOCK_DELAY_SEED="
                                    + os.environ["PENSTOCK_DELAY_SEED"])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def captures(request, program_env):
    """PENSTOCK_PCAP for every program a test file runs: before its other fixtures, so that
    their servers have it, too.  The folder, or None."""
    folder = os.environ.get("PENSTOCK_TEST_PCAP")
    name = request.module.__name__.rpartition(".")[2]
    if not folder or name in NOT_CAPTURED:
        yield None
        return
    path = Path(folder).resolve() / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {"PENSTOCK_PCAP": str(path / "%p.pcap")}
    if name not in WHOLE_CAPTURES:
        settings["PENSTOCK_PCAP_MAX"] = str(collect.CONNECTION_MAX)
    for env in (os.environ, program_env):
        env.update(settings)
    yield path
    for env in (os.environ, program_env):
        for setting in settings:
            del env[setting]


@pytest.fixture(scope="session")
def build():
    return BUILD


@pytest.fixture(scope="session")
def program_env(tmp_path_factory):
    """Environment for our programs: local endpoints in a folder of this run."""
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path_factory.mktemp("run")))
    if sanitizer() or has_delays():
        env.setdefault("PENSTOCK_TEST_SCALE", "50")
    return env


@pytest.fixture(scope="module", params=["ndr", "ndr64"])
def syntax_env(request, program_env):
    """The same for clients whose calls all go in one transfer syntax."""
    return dict(program_env, PENSTOCK_TRANSFER_SYNTAX=request.param)


class Server:
    """A server program that prints "ready" and ends with its standard input."""

    def __init__(self, program, env):
        name, port = f"test-{uuid.uuid4().hex[:12]}", free_port()
        self.bindings = {"ncalrpc": f"ncalrpc:[{name}]",
                         "tcp4": f"ncacn_ip_tcp:127.0.0.1[{port}]",
                         "tcp6": f"ncacn_ip_tcp:::1[{port}]"}
        self.process = subprocess.Popen([program, f"ncalrpc:{name}", f"ncacn_ip_tcp:{port}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        assert self.process.stdout.readline() == b"ready\n", "the server did not start"

    def stop(self):
        """Ends it in good order; its exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.process.stdout.close()


@contextlib.contextmanager
def serving(program, env):
    server = Server(program, env)
    try:
        yield server
    finally:
        status = server.stop()
    assert status == 0, f"{program} ended with {status}"
