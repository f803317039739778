# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: where the programs are, and running them safely.

PENSTOCK_BUILD_DIR names the build directory.  PENSTOCK_TEST_SCALE divides the largest
transfers, for builds with sanitizers; unset, it is found out from the build.
"""
import contextlib
import os
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("PENSTOCK_BUILD_DIR", "build")).resolve()


def sanitizer():
    """"address", "thread" ..., or "" for a plain build."""
    libraries = subprocess.run(["ldd", BUILD / "src" / "libpenstock.so"], capture_output=True,
                               text=True, check=False).stdout
    return next((name for name in ("asan", "tsan", "ubsan") if name in libraries), "")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def build():
    return BUILD


@pytest.fixture(scope="session")
def program_env(tmp_path_factory):
    """Environment for our programs: local endpoints in a folder of this run."""
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path_factory.mktemp("run")))
    if sanitizer():
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
