# SPDX-License-Identifier: MIT
"""The other byte order: the library, the compiler and the test programs built for s390x, which
is big-endian, and run by qemu-user against the programs of this machine.

PDUs and stub data travel in the sender's order (C706 14.1), so a client and a server of
different orders prove the conversion of every construct of the round trip in both directions,
and two big-endian ones that nothing in memory was taken for little-endian.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BUILD, serving
from peer import pcap, pdu
from peer.published import published
from test_golden import CALLED, PROGRAMS, check_serialised, check_values, round_trip, serialise
from test_roundtrip import CASES, run_client
from test_transfers import check_transfers
from test_transfers import run as run_transfers

SOURCE = str(Path(__file__).resolve().parents[2])
LIBRARIES = "/usr/s390x-linux-gnu"
EMULATOR = ["qemu-s390x", "-L", LIBRARIES]
TREE = BUILD / "s390x"
TARGETS = ["tests/e2e/roundtrip/roundtrip_server", "tests/e2e/roundtrip/roundtrip_client",
           "tests/golden/roundtrip/golden_server", "tests/golden/roundtrip/golden_client",
           "tests/e2e/transfers/transfers_server", "tests/e2e/transfers/transfers_client",
           "tests/e2e/published/published", "tests/e2e/api/api_test", "fuzz/ndr_replay", "fuzz/pdu_replay", "fuzz/assoc_replay",
           "fuzz/stubs_replay"]


def missing():
    if sys.byteorder != "little":
        return "this machine is big-endian itself"
    for program, package in (("s390x-linux-gnu-gcc", "gcc-s390x-linux-gnu"),
                             ("qemu-s390x", "qemu-user"), ("meson", "meson")):
        if not shutil.which(program):
            return f"{program} ({package}) is not installed"
    if not os.path.exists(LIBRARIES + "/include/stdio.h"):
        return "the s390x C library (libc6-dev-s390x-cross) is not installed"
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def tree():
    """The build tree of the other machine; in it the compiler runs under the emulator, too."""
    env = {name: value for name, value in os.environ.items() if name not in ("CC", "CFLAGS")}
    if not (TREE / "build.ninja").exists():
        subprocess.run(["meson", "setup", TREE, SOURCE, "--cross-file",
                        SOURCE + "/tests/cross/s390x-linux-gnu.ini"],
                       env=env, check=True, stdout=subprocess.DEVNULL, timeout=300)
    done = subprocess.run(["ninja", "-C", TREE, *TARGETS], env=env, capture_output=True,
                          text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return TREE


@pytest.fixture(scope="module")
def big(tree, tmp_path_factory):
    """name of a program -> something to run: it starts under the emulator."""
    folder = tmp_path_factory.mktemp("big-endian")

    def program(name):
        script = folder / name
        path = next(tree / target for target in TARGETS if target.endswith("/" + name))
        script.write_text("#!/bin/sh\nexec " + " ".join(EMULATOR) + f' "{path}" "$@"\n')
        script.chmod(0o755)
        return script
    return program


@pytest.fixture
def pair(request, big):
    """(server, client) in the orders the parameter names."""
    what, orders = request.param
    return [big(f"{what}_{side}") if order == "big" else
            BUILD / f"tests/e2e/{what}" / f"{what}_{side}"
            for side, order in zip(("server", "client"), orders.split("-"))]


ORDERS = ["big-little", "little-big", "big-big"]


@pytest.fixture
def ndr_env(program_env):
    """NDR64 has one byte order (MS-RPCE 2.2.5): big-endian hosts neither offer nor take it."""
    return dict(program_env, PENSTOCK_TRANSFER_SYNTAX="ndr")


def pairs(what):
    return pytest.mark.parametrize("pair", [(what, orders) for orders in ORDERS], indirect=True,
                                   ids=[f"server-client-{orders}" for orders in ORDERS])


def test_a_the_programs_are_big_endian(tree):
    for target in TARGETS:
        assert (tree / target).read_bytes()[5] == 2, "ELFDATA2MSB"


@pairs("roundtrip")
def test_b_every_construct(pair, ndr_env):
    with serving(pair[0], ndr_env) as server:
        lines = run_client(server.bindings["tcp4"], ndr_env, program=pair[1])
    assert len(lines) >= CASES


@pytest.mark.parametrize("orders", ORDERS)
def test_b_every_golden(orders, big, ndr_env, tmp_path):
    """The compiler's goldens, each operation with values of every kind (test_golden.py)."""
    programs = [big(f"golden_{side}") if order == "big" else PROGRAMS / f"golden_{side}"
                for side, order in zip(("server", "client"), orders.split("-"))]
    client, server = round_trip(ndr_env, tmp_path, programs=programs, times=4)
    assert sum(bool(check_values(golden, client, server)) for golden in CALLED) == \
        len(CALLED) - 1, "all but the one that is made for NDR64"


@pytest.mark.parametrize("orders, syntax", [("big-little", "ndr"), ("little-big", "ndr"),
                                            ("big-big", "ndr"), ("little-big", "ndr64")])
def test_b_every_serialised_golden(orders, syntax, big, tmp_path):
    """Written by the first, read by the second."""
    programs = [big("golden_client") if order == "big" else PROGRAMS / "golden_client"
                for order in orders.split("-")]
    check_serialised(*serialise(tmp_path, syntax, programs=programs, times=6))


@pairs("transfers")
def test_b_files_through_pipes(pair, ndr_env, tmp_path):
    with serving(pair[0], ndr_env) as server:
        check_transfers(server.bindings["tcp4"], ndr_env, tmp_path, program=pair[1])


@pairs("transfers")
def test_b_ndr64_is_not_agreed_upon(pair, program_env, tmp_path):
    """Where both syntaxes may be offered NDR 2.0 is what is used."""
    (tmp_path / "in").write_bytes(b"octets")
    capture = tmp_path / "client.pcap"
    with serving(pair[0], program_env) as server:
        run_transfers(server.bindings["tcp4"], dict(program_env, PENSTOCK_PCAP=str(capture)),
                      "put", "name", tmp_path / "in", "get", "name", tmp_path / "out",
                      program=pair[1])
    assert (tmp_path / "out").read_bytes() == b"octets"
    accepted = [transfer for p in pcap.all_pdus(capture)
                if p.ptype in (pdu.BIND_ACK, pdu.ALTER_RESP)
                for result, _, transfer in p.results if result == 0]
    assert accepted and set(accepted) == {pdu.NDR}


@pytest.mark.parametrize("order, label", [("big", "00000000"), ("little", "10000000")])
def test_b_the_label_is_the_senders(order, label, big, ndr_env, tmp_path):
    """What a client of either order sends is labelled so and dissected without a complaint."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    client = big("roundtrip_client") if order == "big" \
        else BUILD / "tests/e2e/roundtrip/roundtrip_client"
    capture = tmp_path / "client.pcap"
    with serving(BUILD / "tests/e2e/roundtrip/roundtrip_server", ndr_env) as server:
        run_client(server.bindings["tcp4"], dict(ndr_env, PENSTOCK_PCAP=str(capture)),
                   "struct_Nested", "unique_octets", program=client)
    done = subprocess.run(
        ["tshark", "-r", capture, "-d", f"tcp.port=={pcap.SERVER_PORT},dcerpc",
         "-Y", f"tcp.dstport=={pcap.SERVER_PORT} && dcerpc", "-T", "fields",
         "-e", "dcerpc.drep", "-e", "_ws.malformed", "-e", "dcerpc.cn_bind_to_uuid"],
        capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows and any(row[2] for row in rows)
    for drep, malformed, _ in rows:
        assert set(drep.replace(":", "").split(",")) == {label} and malformed == ""


def test_b_octets_are_sambas(big):
    """Calls of published interfaces, as Samba encodes them for a big-endian sender."""
    theirs = pytest.importorskip("test_published", reason="python3-samba is not installed")
    program = big("published")
    cases = [case for case in theirs.SAME_REFERENTS if theirs.has_big_endian_form(case)]
    assert len(cases) >= 20
    for call, direction, syntax in cases:
        ours = published(call, syntax, program=program)
        assert ours["request" if direction == "in" else "response"] == \
            theirs.octets_of(call, direction, syntax, "big").hex(), call


# Cases without programs of their own: those would not find the emulator.  A server is forked.
API_CASES = ["AR-6_AR-10_AR-11_AR-24_AR-31_one_call_complete", "AP-10_buffer_is_ours_again",
             "AP-30_AP-40_F12_pulled_in_pieces", "AP-31_AP-32_AP-34_pending_pull",
             "AP-50_AP-51_input_pipe_and_output_pipe", "AP-52_several_pipes",
             "F6_server_aborts_out_pipe", "AP-55_server_aborts_in_pipe"]


@pytest.mark.parametrize("case", API_CASES)
def test_c_asynchronous_calls_and_pipes(case, big, program_env):
    done = subprocess.run([big("api_test"), case, "ncacn_ip_tcp"], env=program_env,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == f"ok {case}" and done.returncode == 0, \
        done.stdout + done.stderr[-3000:]


@pytest.mark.parametrize("target", ["ndr", "pdu", "assoc", "stubs"])
def test_c_fuzz_corpus(target, tree):
    """What the fuzzers found and were given holds on a big-endian machine."""
    done = subprocess.run([*EMULATOR, tree / f"fuzz/{target}_replay",
                           f"{SOURCE}/fuzz/corpus/{target}"],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
