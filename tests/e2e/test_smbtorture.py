# SPDX-License-Identifier: MIT
"""Samba's own tests of servers, smbtorture, against ours: the unmodified program of
samba-testsuite.  rpc.echo calls tests/e2e/rpcecho, our IDL of that interface;
rpc.mgmt asks a mapper on port 135 where each interface it knows is served, and calls the
management interface there.  rpc.epmapper: test_endpoint_oracles.py.

With "validate" Samba marshals everything it has read once more and compares the octets;
it does so in NDR 2.0 alone, whatever was agreed, and so fails by itself in NDR64.
"""
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from conftest import BUILD, free_port, serving
from endpoint_mapper import Mapper

PATIENCE = 60
ECHO = BUILD / "tests/e2e/rpcecho/rpcecho_server"
ECHO_TESTS = {"addone", "sinkdata", "echodata", "sourcedata", "testcall", "testcall2", "enum",
              "surrounding", "doublepointer", "sleep"}

pytestmark = pytest.mark.skipif(not shutil.which("smbtorture"),
                                reason="smbtorture (samba-testsuite) is not installed")


@pytest.fixture(scope="module")
def echo_server(program_env):
    with serving(ECHO, program_env) as server:
        yield server


def smbtorture(binding, suite, *options):
    """{name of the test: "success", "failure", "skip" or "error"} and all that was said."""
    done = subprocess.run(["smbtorture", "-U%", *options, binding, suite],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    results = re.findall(r"^(success|failure|skip|error): \w+\.(\w+)", done.stdout, re.M)
    return {name: result for result, name in results}, done.stdout


def with_options(binding, *options):
    return f"{binding[:-1]},{','.join(options)}]" if options else binding


@pytest.mark.parametrize("options", [(), ("validate",), ("bigendian",), ("bigendian", "validate"),
                                     ("ndr64",)], ids=lambda o: "-".join(o) or "plain")
def test_echo(echo_server, options):
    """Every test of the suite; the one that sleeps runs once, as Samba runs it by default."""
    quick = ["--option=torture:quick=yes"] if options else []
    results, said = smbtorture(with_options(echo_server.bindings["tcp4"], *options), "rpc.echo",
                               *quick)
    expected = dict.fromkeys(ECHO_TESTS, "success")
    if options:
        expected["sleep"] = "skip"
    assert results == expected, said


def test_echo_of_another_interface(program_env, echo_server):
    """The suite can fail: nobody serves rpc.winreg here."""
    results, said = smbtorture(echo_server.bindings["tcp4"], "rpc.winreg")
    assert results and "success" not in results.values(), said


# ---- rpc.mgmt ------------------------------------------------------------------------------


class Port135:
    """An address of its own where port 135 leads to a mapper that has another one."""

    def __init__(self, port):
        self.address, self.port = f"127.78.{os.getpid() >> 8 & 255}.{1 + os.getpid() % 250}", port
        try:
            self.listener = socket.create_server((self.address, 135))
        except PermissionError:
            pytest.skip("smbtorture wants a mapper on port 135, and that root")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            mapper = socket.create_connection(("127.0.0.1", self.port))
            for source, target in ((client, mapper), (mapper, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while octets := source.recv(65536):
                target.sendall(octets)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def registered(program_env):
    """rpcecho_server and a mapper that knows it; the mapper's address."""
    mapper = Mapper(program_env)
    way = Port135(mapper.port)
    server = subprocess.Popen([ECHO, "--register", f"ncacn_ip_tcp:{free_port()}"], env=mapper.env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"ready\n"
        yield way.address
    finally:
        server.communicate(timeout=PATIENCE)
        way.close()
        assert mapper.end() == 0
    assert server.returncode == 0


def test_mgmt(registered):
    """Our echo server and our mapper answer all questions of the management interface."""
    _, said = smbtorture(f"ncacn_ip_tcp:{registered}", "rpc.mgmt")
    assert re.search(r"^success: mgmt$", said, re.M), said
    echo = next(part for part in said.split("Testing pipe ") if part.startswith("'rpcecho'"))
    assert "server is listening" in echo
    assert "server refused to stop listening - WERR_ACCESS_DENIED" in echo
    # It is the mapper's client itself, so calls went out, too.
    assert re.search(r"calls_in +[1-9]\d* .*calls_out +[1-9]", echo)
    assert re.search(r"pkts_in +[1-9]\d* .*pkts_out +[1-9]", echo)
    assert re.search(r"uuid 60a15ec5-4de8-11d7-a637-005056a20182 +version 0x00000001", echo)
    mapper = next(part for part in said.split("Testing pipe ") if part.startswith("'epmapper'"))
    assert "server is listening" in mapper and "e1af8308-5d1f-11c9-91a4-08002b14a0fa" in mapper
