# SPDX-License-Identifier: MIT
"""Every construct of the language through generated stubs and a real server, in both
transfer syntaxes, and the octets of some of it.

The programs (roundtrip/) compare every value on both sides and count their memory: one
line per case, a case that leaves an object in either program has failed.  In a build
with the address sanitizer leaks fail as well.  The octets below are made by hand from
C706 chapter 14, "<" being the byte order of the machines we test on.
"""
import shutil
import socket
import struct
import subprocess
import sys
import uuid

import pytest

from conftest import BUILD, serving
from peer import pcap, pdu

PROGRAMS = BUILD / "tests/e2e/roundtrip"
TRANSPORTS = ["ncalrpc", "tcp4"]
CASES = 140  # least, so that a client that does nothing is no success


STRICT = {"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


@pytest.fixture(scope="module")
def env(syntax_env):
    return dict(syntax_env, **STRICT)


@pytest.fixture(scope="module")
def server(program_env):
    with serving(PROGRAMS / "roundtrip_server", dict(program_env, **STRICT)) as found:
        yield found


def run_client(binding, env, *cases, program=PROGRAMS / "roundtrip_client"):
    done = subprocess.run([program, binding, *cases], env=env,
                          capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    bad = [line for line in lines if not line.startswith("ok ")]
    assert not bad and done.returncode == 0, \
        "\n".join(bad[:20]) + f"\nstatus {done.returncode}\n{done.stderr[-4000:]}"
    return lines


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_b_every_construct(transport, server, env):
    assert len(run_client(server.bindings[transport], env)) >= CASES


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_c_several_clients_at_once(transport, server, env):
    """Cases that neither count the server's memory nor make it fail."""
    cases = ["base_Hyper", "struct_Nested", "elements", "big", "records", "async_records",
             "convert_Blob", "convert_bags"]
    clients = [subprocess.Popen([PROGRAMS / "roundtrip_client", "--no-counting",
                                 server.bindings[transport], *cases],
                                env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True) for _ in range(4)]
    try:
        for client in clients:
            output, _ = client.communicate(timeout=120)
            assert client.returncode == 0 and output.count("ok ") == len(cases), output[-4000:]
    finally:
        for client in clients:
            client.kill()


# ---- Octets --------------------------------------------------------------------------------


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


FIRST, SECOND, THIRD = 0x20000, 0x20004, 0x20008  # referents, as Windows numbers them
LONGS = [0, 1, 0x7FFFFFFF, -0x80000000, -1, 0x12345678]
SHORTS = [0, 1, 0x7FFF, -0x8000, -1, 0x1234]
HYPERS = [0, 1, 2**63 - 1, -2**63, -1, 0x123456789ABCDEF0]
TAILS = [struct.pack("<iB", LONGS[i + 1], i) for i in range(4)]
PAD3 = bytes(3)

# case: requests, responses, in the order of the calls
OCTETS = {
    "odd_alignments": (
        [struct.pack("<B7xqB7xdBxhB3xiBxHB", 0x11, 0x0102030405060708, 0x22, -2.5, 0x33, 0x4455,
                     0x66, 0x778899AA, 0x15, 6, 0x16)],
        [struct.pack("<B7xqB7xdBxhB3xi", 0xEE, ~0x0102030405060708, 0xDD, 2.5, 0xCC, ~0x4455,
                     0x99, ~0x778899AA)]),
    "fixed": (
        [struct.pack("<I10i", 0, *LONGS, *LONGS[:4]) + struct.pack("<6h", *SHORTS) +
         bytes([0, 1, 2, 3, 4]) + PAD3 + PAD3.join(TAILS) + b"\0" +
         struct.pack("<3H4x", 0, 5, 6) + struct.pack("<12q", *(HYPERS * 2))],
        [struct.pack("<6h", *(~n for n in SHORTS)) + PAD3.join(reversed(TAILS)) + bytes(7) +
         struct.pack("<12q", *(~n for n in HYPERS * 2)) + bytes([1, 2, 3, 4, 5])]),
    "conditional_octets": (
        [bytes.fromhex("0100 0300 0c000000 0201 feff 0300 0400 0500 0600"
                       "0700 0800 0900 0a00 0b00 0c00"),
         bytes.fromhex("0000 0900 02000000 0201 feff")],
        [bytes.fromhex("0c000000 fdfe 0100 fcff fbff faff f9ff f8ff f7ff f6ff f5ff f4ff f3ff"),
         bytes.fromhex("02000000 fdfe 0100")]),
    "string_octets": (
        [u32(5, 0, 5) + b"abcd\0" + PAD3 + u32(0),
         u32(3, 0, 3) + bytes.fromhex("7800 ac20 0000 0000") + u32(FIRST, 3, 0, 3) +
         bytes.fromhex("7800 ac20 0000")],
        [u32(FIRST, 5, 0, 5) + b"dcba\0" + PAD3 + u32(0),
         u32(FIRST, 3, 0, 3) + bytes.fromhex("ac20 7800 0000 0000") + u32(SECOND, 3, 0, 3) +
         bytes.fromhex("ac20 7800 0000")]),
    "unique_octets": (
        [u32(FIRST, 4711, SECOND, 0) + struct.pack("<q", 0x0102030405060708) +
         u32(THIRD, 0) + b"\5",
         u32(0, FIRST) + struct.pack("<q", ~0x0102030405060708) + u32(0)],
        [u32(FIRST, 0) + struct.pack("<qI", ~0x0102030405060708, 7),
         u32(FIRST, 0) + struct.pack("<qI", 0x0102030405060708, 2)]),
    "blob_octets": (
        [u32(3, 3) + u32(3, FIRST) + u32(0, 0) + u32(1, SECOND) +
         u32(3) + b"\1\2\3\0" + u32(1) + b"\1"],
        [u32(7)]),
}


@pytest.fixture(scope="module")
def captured(server, program_env, tmp_path_factory):
    """{case: capture file}"""
    env = dict(program_env, PENSTOCK_TRANSFER_SYNTAX="ndr", **STRICT)
    if sys.byteorder != "little":
        pytest.skip("octets of the other byte order")
    folder = tmp_path_factory.mktemp("octets")
    files = {}
    for case in OCTETS:
        files[case] = folder / f"{case}.pcap"
        assert run_client(server.bindings["tcp4"], dict(env, PENSTOCK_PCAP=str(files[case])),
                          case) == [f"ok {case}"]
    return files


@pytest.mark.parametrize("case", OCTETS)
def test_b_octets(case, captured):
    for direction, wanted in zip((pcap.FROM_CLIENT, pcap.FROM_SERVER), OCTETS[case]):
        found = [octets for stream in pcap.streams(captured[case]).values()
                 for octets in pcap.stubs(pcap.pdus(stream[direction])).values()]
        for number, octets in enumerate(wanted):
            assert found[number].hex(" ", 4) == octets.hex(" ", 4), f"{direction} {number}"


def test_b_octets_as_wireshark_sees_them(captured):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    case = "unique_octets"
    done = subprocess.run(["tshark", "-r", captured[case], "-d",
                           f"tcp.port=={pcap.SERVER_PORT},dcerpc", "-T", "fields",
                           "-e", "dcerpc.stub_data"], capture_output=True, text=True, timeout=60,
                          check=True)
    lines = [line.replace(":", "") for line in done.stdout.split()]
    requests, responses = OCTETS[case]
    for number, octets in enumerate(o for pair in zip(requests, responses) for o in pair):
        assert lines[number] == octets.hex(), f"stub {number}"


# ---- Requests no stub of ours sends ---------------------------------------------------------


def rt_interface(last):
    return pdu.Syntax(uuid.UUID(f"7b1f0c52-8a4e-4a0e-9d36-0f5b6a1c2e{last}"), 1)


UNION, OPEN, FULL = rt_interface("81"), rt_interface("82"), rt_interface("83")
BAD_STUB_DATA, INVALID_TAG = 1783, 0x1c000006


def tower(top, length, start):
    octets = bytes(range(start, start + length))
    return u32(top, length) + octets + bytes(-length % 4)


def towers(top=2, outer_top=2, length=2):
    """The [in] of RtTower: three structures with an open array at their end."""
    return tower(2, 2, 1) + tower(top, length, 2) + u32(outer_top, 0x1234, 2) + b"\3\4"


# operation: interface, number, a good request, bad ones with the fault they deserve
HOSTILE = {
    "union": (UNION, 3, struct.pack("<hhih", -1, -1, 5, -1), [
        (struct.pack("<hhih", 5, 5, 5, -1), INVALID_TAG),     # no such arm
        (struct.pack("<hhih", -1, 2, 5, -1), BAD_STUB_DATA),  # not what switch_is says
        (struct.pack("<hhih", 2, -1, 5, -1), BAD_STUB_DATA),
        (struct.pack("<hhih", 2, 2, 10, 2), BAD_STUB_DATA),   # [range] of the arm
        (struct.pack("<hhi", -1, -1, 5), BAD_STUB_DATA),
        (struct.pack("<hhh", -1, -1, 5), BAD_STUB_DATA)]),
    "varying": (OPEN, 1, u32(4, 1, 2, 4, 1, 2, 101, 102), [
        (u32(4, 1, 2, 5, 1, 2, 101, 102), BAD_STUB_DATA),  # size_is
        (u32(4, 1, 2, 4, 0, 2, 101, 102), BAD_STUB_DATA),  # first_is
        (u32(4, 1, 2, 4, 1, 1, 101), BAD_STUB_DATA),       # length_is
        (u32(4, 1, 4, 4, 1, 4, 1, 2, 3, 4), BAD_STUB_DATA),  # beyond the end
        (u32(4, 1, 2, 4, 0xFFFFFFFF, 2, 1, 2), BAD_STUB_DATA),
        (u32(4, 1, 0xFFFFFFFF, 4, 1, 0xFFFFFFFF, 1, 2), BAD_STUB_DATA),
        (u32(0x7FFFFFFF, 0, 2, 0x7FFFFFFF, 0, 0x7FFFFFFF, 1, 2), BAD_STUB_DATA),
        (u32(4, 1, 2, 4, 1, 2, 101), BAD_STUB_DATA)]),
    "open_struct": (OPEN, 7, towers(), [
        (towers(top=3), BAD_STUB_DATA),
        (towers(top=1), BAD_STUB_DATA),
        (towers(top=0xFFFFFFFF), BAD_STUB_DATA),
        (towers(length=100)[:-60], BAD_STUB_DATA),
        (towers(outer_top=3), BAD_STUB_DATA),
        (towers()[:-1], BAD_STUB_DATA)]),
    "levels": (OPEN, 11, u32(2, FIRST, 2, 1, 2), [
        (u32(2, FIRST, 3, 1, 2, 3), BAD_STUB_DATA),
        (u32(2, FIRST, 1, 1), BAD_STUB_DATA),
        (u32(2, 0), BAD_STUB_DATA)]),
    # a and twins->a are one object; a long is not a point.
    "full": (FULL, 0, u32(FIRST, 7, 0, FIRST, 0, 0, 9, 0), [
        (u32(FIRST, 7, 0, 0, 0, FIRST, 9, 0), BAD_STUB_DATA),
        (u32(FIRST, 7, 0, SECOND, 0, SECOND, 9, 0, 1, 2), BAD_STUB_DATA),
        (u32(FIRST, 7, 0, SECOND, 0, 0, 9, 0), BAD_STUB_DATA)]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_c_wrong_values_are_faults(case, server):
    """After each of them the connection and the server go on as if nothing had been."""
    interface, opnum, good, rows = HOSTILE[case]
    port = int(server.bindings["tcp4"].split("[")[1].rstrip("]"))
    wire = pdu.Wire(socket.create_connection(("127.0.0.1", port)))
    try:
        wire.send(pdu.bind([pdu.Context(abstract=interface)]))
        assert wire.recv().ptype == pdu.BIND_ACK
        for number, (stub, status) in enumerate(rows):
            wire.send(pdu.request(opnum, stub, call=2 * number + 2))
            answer = wire.recv()
            assert answer.ptype == pdu.FAULT, f"row {number} was taken"
            assert hex(answer.status) == hex(status), f"row {number}"
            wire.send(pdu.request(opnum, good, call=2 * number + 3))
            assert wire.recv().ptype == pdu.RESPONSE, f"after row {number}"
    finally:
        wire.sock.close()
