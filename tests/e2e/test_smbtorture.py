# SPDX-License-Identifier: MIT
"""Samba's own tests of servers, smbtorture, against ours: the unmodified program of
samba-testsuite.  rpc.echo calls tests/e2e/rpcecho, our IDL of that interface.

With "validate" Samba marshals everything it has read once more and compares the octets;
it does so in NDR 2.0 alone, whatever was agreed, and so fails by itself in NDR64.
"""
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, serving

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
