# SPDX-License-Identifier: MIT
"""Programs that know DCE/RPC and owe us nothing: Wireshark's dissector, Samba's NDR decoder
(ndrdump), Samba's client library, impacket.  Each is skipped where it is not installed.
"""
import re
import shutil
import subprocess

import pytest

from peer import calls, ndr, pcap, pdu
from peer.dissect import check as check_dissection
from peer.dissect import tshark
from peer.server import BUILD, PATIENCE, Server, run_client

FILEREP = BUILD.parents[2] / "examples/filerep"

COMMANDS = ("echo", 7, "text", "--", "take", 100000, 777, "--", "give", 100000, "--",
            "transform", 300, "--", "sum", 10, "--", "abort", 4711, 0, "--",
            "abort-out", 4712, 5000, "--", "hang", 20, "--", "hang-abort", 20, "--", "nothing")
PEACEFUL = ("echo", 8, "text", "--", "give", 10000)
STATUSES = [0, 0, 0, 0, 0, 4711, 4712, 1818, 1818, 0]


class Capture:
    """What both ends of one exchange wrote down."""

    def __init__(self, folder, local, syntax):
        folder.chmod(0o700)
        self.ndr64 = syntax == "ndr64"
        self.client, self.server = folder / "client.pcap", folder / "server.pcap"
        server = Server(folder, pcap=self.server)
        env = dict(server.env, PENSTOCK_PCAP=str(self.client), PENSTOCK_TRANSFER_SYNTAX=syntax)
        lines = run_client(server.local_binding if local else server.binding, *COMMANDS, env=env)
        assert [line["status"] for line in lines] == STATUSES
        # A client that gives nothing up, whatever connections those before shared.
        self.peaceful = folder / "peaceful.pcap"
        lines = run_client(server.local_binding if local else server.binding, *PEACEFUL,
                           env=dict(env, PENSTOCK_PCAP=str(self.peaceful)))
        assert [line["status"] for line in lines] == [0, 0]
        # Of an abandoned call the server hears when it hears.
        pdu.wait_until(lambda: len(pcap.streams(self.server)) == len(self.clients_streams()))
        assert server.stop() == 0

    def clients_streams(self):
        return [*pcap.streams(self.client).values(), *pcap.streams(self.peaceful).values()]

    def pdus(self, direction):
        return [p for stream in pcap.streams(self.client).values()
                for p in pcap.pdus(stream[direction])]


@pytest.fixture(scope="module", params=[("tcp", "ndr"), ("local", "ndr"), ("tcp", "ndr64"),
                                        ("local", "ndr64")], ids="-".join)
def capture(request, tmp_path_factory):
    transport, syntax = request.param
    return Capture(tmp_path_factory.mktemp("capture"), transport == "local", syntax)


# ---- Wireshark -----------------------------------------------------------------------------


def test_a_wireshark_dissects_everything(capture):
    for path in (capture.client, capture.server):
        types = check_dissection(path)
        for ptype in (pdu.REQUEST, pdu.RESPONSE, pdu.BIND, pdu.BIND_ACK, pdu.CO_CANCEL):
            assert types[str(ptype)] > 0
        assert types[str(pdu.FAULT)] >= 3
        assert set(map(int, types)) <= {0, 2, 3, 11, 12, 18, 19}


def test_a_wireshark_reads_the_bind(capture):
    rows = tshark(capture.client, "dcerpc.pkt_type", "dcerpc.cn_bind_to_uuid",
                  "dcerpc.cn_bind_if_ver", "dcerpc.cn_bind_if_ver_minor",
                  "dcerpc.cn_bind_trans_id", "dcerpc.cn_bind_trans_btfn", "dcerpc.cn_ack_result",
                  "dcerpc.cn_ack_trans_id", "dcerpc.cn_max_xmit", "dcerpc.cn_max_recv")
    binds = [row for row in rows if row[0] == str(pdu.BIND)]
    acks = [row for row in rows if row[0] == str(pdu.BIND_ACK)]
    assert binds and len(binds) == len(acks)
    size = rows[0] and binds[0][8]
    syntax = pdu.NDR64 if capture.ndr64 else pdu.NDR
    for row in binds:
        assert row[1] == f"{pdu.PEER.uuid},{pdu.PEER.uuid}"
        assert (row[2], row[3]) == ("1,1", "2,2")
        assert row[4].startswith(f"{syntax.uuid},6cb71c2c-9812-4540-") and row[5] == "0x0002"
        assert row[8] == row[9] == size
    for row in acks:
        assert row[6] == "0,3", "acceptance, negotiate ack"
        assert row[7].startswith(str(syntax.uuid)) and row[8] == row[9] == size
    assert size in (str(pdu.TCP_FRAG), str(pdu.LOCAL_FRAG))


def test_a_wireshark_reassembles(capture):
    """The stub of every call in fragments is as long to it as to us, and PDUs follow the
    TCP stream without a gap."""
    rows = tshark(capture.client, "dcerpc.cn_call_id", "dcerpc.reassembled.length",
                  "dcerpc.pkt_type", "tcp.analysis.lost_segment", "dcerpc.fragment.error")
    assert all(row[3] == row[4] == "" for row in rows)
    seen = {int(n) for row in rows for n in row[1].split(",") if n}
    ours = set()
    for stream in pcap.streams(capture.client).values():
        for octets in stream.values():
            found = pcap.pdus(octets)
            whole = pcap.stubs(found)
            ours |= {len(whole[p.call]) for p in found if p.last and not p.first}
    assert len(ours) > 2 and ours == seen


def test_b_captures_agree(capture):
    """What one side sent is what the other received: sequence numbers without a gap, whole
    PDUs, the same octets.  Only where a call was given up half-way is the end not read."""
    for path in (capture.client, capture.peaceful, capture.server):
        expected = {}
        for client, direction, seq, payload in pcap.packets(path):
            key = client, direction
            if payload and key in expected:
                assert seq == expected[key], "a gap in the stream"
            if payload:
                expected[key] = (seq + len(payload)) % 2**32
    ours, theirs = capture.clients_streams(), list(pcap.streams(capture.server).values())
    assert len(ours) == len(theirs) >= 2
    in_peace = 0
    for mine, its in zip(ours, theirs):
        assert mine[pcap.FROM_CLIENT].startswith(its[pcap.FROM_CLIENT])
        assert its[pcap.FROM_SERVER].startswith(mine[pcap.FROM_SERVER])
        orphaned = any(p.ptype == pdu.ORPHANED for p in pcap.pdus(its[pcap.FROM_CLIENT]))
        if not orphaned and pcap.pdus(its[pcap.FROM_SERVER])[-1].ptype == pdu.RESPONSE:
            assert mine == its
            in_peace += 1
    assert in_peace > 0


def test_b_filerep(tmp_path):
    """The example's traffic, trees and all."""
    if not (FILEREP / "filerepd").exists():
        pytest.skip("the example was not built")
    tmp_path.chmod(0o700)
    served = tmp_path / "served"
    (served / "folder").mkdir(parents=True)
    (served / "folder" / "large").write_bytes(calls.octets(1_000_000))
    (served / "empty").write_bytes(b"")
    client, server = tmp_path / "client.pcap", tmp_path / "server.pcap"
    env = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)}
    daemon = subprocess.Popen(
        [FILEREP / "filerepd", "--root", served, "--endpoint", "ncalrpc:oracle"],
        stdout=subprocess.PIPE, env=dict(env, PENSTOCK_PCAP=str(server)))
    try:
        assert b"serving" in daemon.stdout.readline()
        for args in (("get", "ncalrpc:[oracle]", ".", tmp_path / "copy"),
                     ("put", "ncalrpc:[oracle]", "back", tmp_path / "copy")):
            done = subprocess.run([FILEREP / "filerep", *args], timeout=PATIENCE,
                                  stderr=subprocess.PIPE,
                                  env=dict(env, PENSTOCK_PCAP=str(client)))
            assert done.returncode == 0, done.stderr
            assert check_dissection(client)[str(pdu.REQUEST)] > 0
    finally:
        daemon.terminate()
        daemon.wait(timeout=PATIENCE)
        daemon.stdout.close()
    assert (served / "back/folder/large").read_bytes() == calls.octets(1_000_000)
    types = check_dissection(server)
    assert types[str(pdu.RESPONSE)] > 10


# ---- ndrdump -------------------------------------------------------------------------------


def ndrdump(path, ndr64=False):
    """Decodes `path` as the out-stub of an operation of the same shape as PeerGive: a pipe
    of octets and a 32-bit result.  (octets, result text), or None where it refuses."""
    if not shutil.which("ndrdump"):
        pytest.skip("ndrdump (samba-testsuite) is not installed")
    done = subprocess.run(["ndrdump", "--debug-stdout", "frstrans",
                           "frstrans_RawGetFileDataAsync", "out", path,
                           *(["--ndr64"] if ndr64 else [])],
                          capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        return None
    assert "dump OK" in done.stdout, done.stdout
    octets = b""
    counts = [int(n) for n in re.findall(r"count +: 0x[0-9a-f]+ \((\d+)\)", done.stdout)]
    for line in done.stdout.splitlines():
        # Short arrays stand in the line, longer ones in a dump of 16 per line.
        if short := re.match(r"\s+array +: ([0-9a-f]*)$", line):
            octets += bytes.fromhex(short[1])
        elif long := re.match(r"\[[0-9A-F]+\] ((?:[0-9A-F]{2} ){1,8}(?:  (?:[0-9A-F]{2} ){1,8})?)",
                              line):
            octets += bytes.fromhex(long[1])
    assert counts[-1] == 0 and sum(counts) == len(octets)
    return octets, re.search(r"result +: (\S+)", done.stdout)[1]


def test_c_samba_decodes_our_pipe(capture, tmp_path):
    """The captured response of PeerGive, by a decoder that was tested against Windows."""
    requests = [p for p in capture.pdus(pcap.FROM_CLIENT)
                if p.ptype == pdu.REQUEST and p.opnum == calls.GIVE]
    assert requests
    for stream in pcap.streams(capture.client).values():
        found = pcap.pdus(stream[pcap.FROM_CLIENT])
        answers = pcap.stubs(pcap.pdus(stream[pcap.FROM_SERVER]))
        for p in found:
            if p.ptype == pdu.REQUEST and p.opnum == calls.GIVE:
                file = tmp_path / "stub"
                file.write_bytes(answers[p.call])
                assert ndrdump(file, capture.ndr64) == (calls.octets(100000), "WERR_OK")


@pytest.mark.parametrize("syntax", [pdu.NDR, pdu.NDR64], ids=["ndr", "ndr64"])
@pytest.mark.parametrize("piece", [1, 3, 4, 5, 7, 8, 100, 4000])
def test_c_samba_decodes_chunks_of_any_size(tmp_path, piece, syntax):
    """Odd pushes, so that every gap occurs."""
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    with server.bound(contexts=[pdu.Context(0, pdu.PEER, (syntax,))]) as wire:
        wire.send(pdu.request(calls.GIVE, calls.give(17 * piece, piece)))
        stub = b"".join(p.stub for p in wire.recv_call())
    assert server.stop() == 0
    (tmp_path / "stub").write_bytes(stub)
    assert ndrdump(tmp_path / "stub", syntax == pdu.NDR64) == (calls.octets(17 * piece), "WERR_OK")


def test_c_samba_refuses_what_is_wrong(tmp_path):
    """The oracle can say no: a gap too few, a terminator missing."""
    good = ndr.Writer().byte_pipe(b"Hello", b"abc").u32(0).done()
    file = tmp_path / "stub"
    file.write_bytes(good)
    assert ndrdump(file) == (b"Helloabc", "WERR_OK")
    for bad in (good[:-8], good[:9] + good[12:], good[:4]):
        file.write_bytes(bad)
        assert ndrdump(file) is None or ndrdump(file)[0] != b"Helloabc"
    good = ndr.Writer(ndr64=True).byte_pipe(b"Hello", b"abc").u32(0).done()
    file.write_bytes(good)
    assert ndrdump(file, True) == (b"Helloabc", "WERR_OK")
    for at in (16, 23, 40, 52, 63):  # the counts repeated
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        assert ndrdump(file, True) is None, at


# ---- Clients -------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("ndr64", [False, True], ids=["ndr", "ndr64"])
def test_d_samba_client(server, ndr64):
    """Samba's library binds, calls, streams through pipes both ways, reads faults."""
    base = pytest.importorskip("samba.dcerpc.base", reason="python3-samba is not installed")
    samba = pytest.importorskip("samba")
    param = pytest.importorskip("samba.param")
    version = pdu.PEER.minor << 16 | pdu.PEER.major
    client = base.ClientConnection(f"ncacn_ip_tcp:127.0.0.1[{server.port}{',ndr64' * ndr64}]",
                                   (str(pdu.PEER.uuid), version), lp_ctx=param.LoadParm())
    calls.check_echo(client.request(calls.ECHO, calls.echo(-3, b"Samba", ndr64=ndr64)), -3,
                     b"Samba", ndr64=ndr64)
    data = calls.octets(200000)
    calls.check_take(client.request(calls.TAKE, calls.take(7, data[:5], data, ndr64=ndr64)), 7,
                     data[:5] + data)
    calls.check_give(client.request(calls.GIVE, calls.give(1000000)), 1000000, ndr64=ndr64)
    for opnum, stub, code in ((99, b"", 0xC002002E), (calls.RAISE, b"\x67\x12\0\0", 0xC0001267)):
        with pytest.raises(samba.NTSTATUSError) as caught:
            client.request(opnum, stub)
        assert caught.value.args[0] == code
    calls.check_echo(client.request(calls.ECHO, calls.echo(4, b"again", ndr64=ndr64)), 4,
                     b"again", ndr64=ndr64)
    with pytest.raises(samba.NTSTATUSError):
        base.ClientConnection(f"ncacn_ip_tcp:127.0.0.1[{server.port}]",
                              (str(pdu.UNKNOWN.uuid), 1), lp_ctx=param.LoadParm())


@pytest.mark.parametrize("fragment", [None, 16, 24, 1000])
@pytest.mark.parametrize("ndr64", [False, True], ids=["ndr", "ndr64"])
def test_d_impacket(server, ndr64, fragment):
    """With `fragment` impacket cuts requests into as many octets of stub, wherever in a pipe."""
    transport = pytest.importorskip("impacket.dcerpc.v5.transport",
                                    reason="python3-impacket is not installed")
    from impacket import uuid as impacket_uuid
    from impacket.dcerpc.v5 import rpcrt
    client = transport.DCERPCTransportFactory(
        f"ncacn_ip_tcp:127.0.0.1[{server.port}]").get_dce_rpc()
    client.connect()
    syntax = pdu.NDR64 if ndr64 else pdu.NDR
    client.bind(impacket_uuid.uuidtup_to_bin((str(pdu.PEER.uuid), "1.2")),
                transfer_syntax=(str(syntax.uuid), f"{syntax.major}.0"))
    if fragment:
        client.set_max_fragment_size(fragment)

    def call(opnum, stub):
        client.call(opnum, stub)
        return client.recv()
    calls.check_echo(call(calls.ECHO, calls.echo(-3, b"impacket", ndr64=ndr64)), -3, b"impacket",
                     ndr64=ndr64)
    data = calls.octets(200000 if not fragment else 200 * fragment)
    calls.check_take(call(calls.TAKE, calls.take(7, data[:5], data, ndr64=ndr64)), 7,
                     data[:5] + data)
    calls.check_give(call(calls.GIVE, calls.give(1000000)), 1000000, ndr64=ndr64)
    with pytest.raises(rpcrt.DCERPCException) as caught:
        call(calls.RAISE, b"\x05\0\0\0")
    assert "access_denied" in str(caught.value)
    client.disconnect()
