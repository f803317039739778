# SPDX-License-Identifier: MIT
"""Extended error information on the wire ([MS-EERR], MS-RPCE 2.2.2.8), against code that is
not ours: records written and read by peer/eerr.py, and read by Samba's library.
"""
import itertools
import random
import socket
import struct

import pytest

from peer import calls, eerr, pdu
from peer.eerr import Record
from peer.server import FakeServer, Server, run_client
from test_peer_client import ECHO, check_echo, recv_request, serve_bind, serve_echo

HOST = socket.gethostname().split(".")[0]


@pytest.fixture
def server(tmp_path):
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    yield server
    assert server.stop() == 0


def faults_of(server):
    """Faults for an unknown operation, a manager that raises, a stub that is too short."""
    with server.bound() as wire:
        for opnum, stub in ((99, b""), (calls.RAISE, b"\x67\x12\0\0"), (calls.ECHO, b"\0")):
            wire.send(pdu.request(opnum, stub))
            yield wire.recv()


def test_a_faults_say_why(server):
    rows = [(eerr.RUNTIME, 183, 1745, []), (eerr.PENSTOCK, 9, 0x1267, ["PeerRaise"]),
            (eerr.PENSTOCK, 8, 1783, ["PeerEcho"])]
    for fault, (component, location, status, texts) in zip(faults_of(server), rows):
        record, = eerr.read(fault.stub)
        assert (record.component, record.location, record.status) == (component, location, status)
        assert [eerr.text(value) for _, value in record.params] == texts
        assert eerr.text(record.name) == HOST
        assert record.pid > 0 and record.flags == 0
        assert record.time > 0x01DA000000000000, "later than 2023"


def test_a_off(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_ERROR_INFO", "off")
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    assert [fault.stub for fault in faults_of(server)] == [b""] * 3
    assert server.stop() == 0


def samba_record(octets):
    """The first record of a chain of one as Samba reads it.  It knows the structure, not the
    pointer in front: the maximum count stands where its padding is."""
    drsblobs = pytest.importorskip("samba.dcerpc.drsblobs", reason="python3-samba is missing")
    from samba import ndr
    octets = octets[16:]
    octets = octets[4:8] + bytes(4) + octets[8:]
    return ndr.ndr_unpack(drsblobs.ExtendedErrorInfo, octets, allow_remaining=True)  # padding


def test_b_samba_reads_ours(server):
    for fault in faults_of(server):
        ours, = eerr.read(fault.stub)
        theirs = samba_record(fault.stub)
        assert (theirs.pid, theirs.time, theirs.generating_component, theirs.status[0],
                theirs.detection_location, theirs.flags) == (
                    ours.pid, ours.time, ours.component, ours.status, ours.location, ours.flags)
        assert theirs.computer_name.present == 1
        assert theirs.computer_name.n.string == HOST
        assert [(p.type, p.p.string) for p in theirs.params] == [
            (kind, eerr.text(value)) for kind, value in ours.params]


ALL = [Record(1722, eerr.WINSOCK, 311, [(eerr.LONG, 135), (eerr.POINTER, 1 << 40),
                                        (eerr.UNICODE, "where\0".encode("utf-16-le")),
                                        (eerr.NONE, None)],
              name="FAR\0".encode("utf-16-le"), pid=77, time=1 << 56),
       Record(5, eerr.APPLICATION, 0, [(eerr.ANSI, b"denied\0"), (eerr.SHORT, -2),
                                       (eerr.BINARY, b"\1\2\3")], flags=1)]


def answer(eerr_octets, **kwargs):
    """What the client prints for a fault that carries these octets; the connection lives."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(pdu.fault(4711, call=recv_request(wire)[0].call, eerr=eerr_octets, **kwargs))
        serve_echo(wire)
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *ECHO, "--", *ECHO)
        check_echo(first, 4711)
        check_echo(second)
        assert "errors" not in second
        return first["errors"]


@pytest.mark.parametrize("align", [8, 2])
def test_b_a_fault_is_read(align):
    """Also where a parameter is aligned like its tag alone."""
    own, first, second = answer(eerr.write(ALL, param_align=align))
    assert (own["status"], own["params"], own["computer"]) == (4711, ["PeerEcho"], "")
    assert first == {"component": 8, "location": 311, "status": 1722, "pid": 77, "computer": "FAR",
                     "params": [135, 1 << 40, "where", None]}
    assert second == {"component": 1, "location": 0, "status": 5, "pid": 0, "computer": "",
                      "params": ["denied", -2, 3]}


def test_b_a_big_endian_fault_is_read():
    words = [Record(5, params=[(eerr.UNICODE, "both\0".encode("utf-16-be"))])]
    assert answer(eerr.write(words, ">"), order=">")[1]["params"] == ["both"]


def test_b_samba_writes():
    """What Samba's library makes of a record."""
    drsblobs = pytest.importorskip("samba.dcerpc.drsblobs", reason="python3-samba is missing")
    from samba import ndr
    info, param = drsblobs.ExtendedErrorInfo(), drsblobs.ExtendedErrorParam()
    info.computer_name.present = 2
    param.type, param.p = 5, 0x1122334455667788
    info.num_params, info.params = 1, [param]
    info.pid, info.status, info.generating_component = 9, 1722, 2
    octets = ndr.ndr_pack(info)
    octets = struct.pack("<I", 1) + octets[0:4] + octets[8:]
    octets += bytes(-len(octets) % 8)
    head = bytes.fromhex("01100800cccccccc") + struct.pack("<II", len(octets), 0)
    assert answer(head + octets)[1] == {
        "component": 2, "location": 0, "status": 1722, "pid": 9, "computer": "",
        "params": [0x1122334455667788]}


def damaged():
    good = eerr.write(ALL)
    rng = random.Random(4)
    yield b"\0"
    yield good[:-8]
    yield good[:16]
    yield good[:8] + struct.pack("<I", 0xFFFFFFF8) + good[12:]
    yield eerr.write([Record(5)] * 65)
    yield eerr.write([Record(5, params=[(eerr.SHORT, 1)] * 5)])
    yield bytes(3000)
    for _ in range(20):
        octets = bytearray(good)
        octets[rng.randrange(16, len(octets))] ^= 1 << rng.randrange(8)
        yield bytes(octets)


@pytest.mark.parametrize("octets", damaged(), ids=itertools.count())
def test_c_damaged_information(octets):
    """Still that fault; our own record is there, theirs if they can be read."""
    own = answer(octets)[0]
    assert own["status"] == 4711 and own["params"] == ["PeerEcho"]


def test_c_nobody_there():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        line, = run_client(f"ncacn_ip_tcp:127.0.0.1[{port}]", *ECHO)
    assert line["status"] == 1722
    own, cause = line["errors"]
    assert own["status"] == 1722 and own["params"] == ["PeerEcho"]
    assert (cause["component"], cause["location"], cause["status"]) == (8, 311, 10061)
    assert cause["params"] == [port, 0, 0x7F000001, "127.0.0.1: Connection refused"]


def test_c_bind_refused():
    def script(wire, _):
        wire.recv()
        wire.send(pdu.bind_nak(1))
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, *ECHO)
    assert [(e["location"], e["status"]) for e in line["errors"]] == [(3, 1723), (2, 1723)]
    assert line["errors"][1]["params"][0] == "127.0.0.1"


def refused(octets):
    """What the client prints whose bind is answered with these octets."""
    def script(wire, _):
        wire.recv()
        wire.send(octets)
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, *ECHO)
    assert line["status"] == 1723
    return line["errors"]


@pytest.mark.parametrize("versions", [(), ((5, 0),), ((5, 0), (5, 1))])
def test_c_a_bind_nak_is_read(versions):
    """The information begins at a multiple of 4 behind the versions."""
    errors = refused(pdu.bind_nak(1, versions=versions, eerr=eerr.write(ALL)))
    assert [(e["component"], e["location"], e["status"]) for e in errors] == [
        (eerr.PENSTOCK, 3, 1723), (eerr.PENSTOCK, 2, 1723), (8, 311, 1722), (1, 0, 5)]
    assert errors[2]["computer"] == "FAR"


@pytest.mark.parametrize("octets", [
    pdu.bind_nak(1, eerr=b""), pdu.bind_nak(1, eerr=eerr.write(ALL)[:-8]),
    pdu.bind_nak(1, eerr=bytes(700)),
    pdu.bind_nak(1, eerr=eerr.write(ALL), signature=pdu.uuid.UUID(int=1))], ids=itertools.count())
def test_c_damaged_bind_nak(octets):
    assert [e["location"] for e in refused(octets)] == [3, 2]


def refuse_bind(server):
    """The information in a bind_nak of ours, after a bind that asks for nothing."""
    with server.connect() as wire:
        wire.send(pdu.bind([]))
        nak = wire.recv()
    assert nak.ptype == pdu.BIND_NAK and nak.versions == [(5, 0)]
    return nak


def test_a_bind_naks_say_why(server):
    nak = refuse_bind(server)
    record, = eerr.read(nak.stub)
    assert (record.component, record.location) == (eerr.PENSTOCK, 12)
    assert record.params == [(eerr.LONG, nak.reason)] and record.status in (1727, 1728)
    assert eerr.text(record.name) == HOST and record.pid > 0


def test_a_bind_nak_off(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_ERROR_INFO", "off")
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    nak = refuse_bind(server)
    assert nak.stub == b"" and len(nak.octets) == 24
    assert server.stop() == 0


def test_b_samba_reads_a_bind_nak(server):
    """Samba's library takes the PDU, and the record in it, for what they are."""
    dcerpc = pytest.importorskip("samba.dcerpc.dcerpc", reason="python3-samba is missing")
    from samba import ndr
    nak = refuse_bind(server)
    packet = ndr.ndr_unpack(dcerpc.ncacn_packet, nak.octets)
    assert packet.ptype == dcerpc.DCERPC_PKT_BIND_NAK
    assert packet.u.reject_reason == nak.reason and packet.u.num_versions == 1
    assert samba_record(nak.stub).generating_component == eerr.PENSTOCK
