# SPDX-License-Identifier: MIT
"""The management interface on the wire: what ours answers to hand-made PDUs and to impacket,
and what our client makes of answers that no honest server gives.  What the functions return
is in tests/e2e/api/mgmt_tests.c.
"""
import struct
import uuid

import pytest

from peer import dissect, pdu
from peer.pdu import Context, Syntax
from peer.server import BUILD, FakeServer, Server, run_client

CLIENT = BUILD / "mgmt_client"
MGMT = Syntax(uuid.UUID("afa8bd80-7d8a-11c9-bef4-08002b102989"), 1)
INQ_IF_IDS, INQ_STATS, IS_LISTENING, STOP, INQ_PRINC_NAME = range(5)
PEERS = {(pdu.PEER.uuid, 1, 2), (pdu.PEER2.uuid, 1, 0)}
ACCESS_DENIED, UNKNOWN_AUTHN_SERVICE, NO_INTERFACES, BAD_STUB_DATA = 5, 1747, 1817, 1783


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    runtime_dir = tmp_path_factory.mktemp("run")
    runtime_dir.chmod(0o700)
    server = Server(runtime_dir)
    yield server
    assert server.stop() == 0


@pytest.fixture
def wire(server):
    with server.bound(contexts=[Context(0, MGMT)]) as wire:
        assert wire.ack.results == [(pdu.ACCEPTED, 0, pdu.NDR)]
        yield wire
    assert server.alive()


def ask(wire, opnum, stub=b"", **kwargs):
    wire.send(pdu.request(opnum, stub, **kwargs))
    pdus = wire.recv_call()
    assert all(p.ptype == pdu.RESPONSE for p in pdus), pdus
    return b"".join(p.stub for p in pdus)


# ---- What a server answers -----------------------------------------------------------------


def test_inq_if_ids(wire):
    """MS-RPCE 2.2.1.3.1: a pointer to an open structure of pointers, then the status."""
    stub = ask(wire, INQ_IF_IDS)
    pointer, size, count, *referents = struct.unpack_from("<5I", stub)
    assert pointer and all(referents) and size == count == len(PEERS) == len(referents)
    at = 12 + 4 * count
    found = set()
    for _ in range(count):
        found.add((uuid.UUID(bytes_le=stub[at:at + 16]), *struct.unpack_from("<HH", stub, at + 16)))
        at += 20
    assert found == PEERS, "the program's, and not the management interface"
    assert stub[at:] == struct.pack("<I", 0)


@pytest.mark.parametrize("asked", [0, 1, 3, 4, 5, 50])
def test_inq_stats(wire, asked):
    """As many as are asked for, of four."""
    stub = ask(wire, INQ_STATS, struct.pack("<I", asked))
    count, size = struct.unpack_from("<II", stub)
    assert count == size == min(asked, 4)
    values = struct.unpack_from(f"<{count}I", stub, 8)
    assert stub[8 + 4 * count:] == struct.pack("<I", 0)
    assert all(values[i] > 0 for i in (0, 2, 3) if i < count)  # it calls nobody: 1 is 0


def test_inq_stats_range(wire):
    """MS-RPCE 2.2.1.3.2: 50 at most."""
    for count in (51, 2**31, 2**32 - 1):
        wire.send(pdu.request(INQ_STATS, struct.pack("<I", count)))
        fault = wire.recv()
        assert (fault.ptype, fault.status) == (pdu.FAULT, BAD_STUB_DATA)
    assert ask(wire, IS_LISTENING, call=3) == struct.pack("<II", 0, 1)


def test_stats_count_calls(wire):
    before = struct.unpack_from("<4I", ask(wire, INQ_STATS, struct.pack("<I", 4)), 8)
    for _ in range(10):
        ask(wire, IS_LISTENING)
    after = struct.unpack_from("<4I", ask(wire, INQ_STATS, struct.pack("<I", 4)), 8)
    assert [b - a for a, b in zip(before, after)] == [11, 0, 11, 11]


def test_is_server_listening(wire):
    assert ask(wire, IS_LISTENING) == struct.pack("<II", 0, 1)


def test_stop_is_refused(wire):
    assert ask(wire, STOP) == struct.pack("<I", ACCESS_DENIED)
    assert ask(wire, IS_LISTENING) == struct.pack("<II", 0, 1)


@pytest.mark.parametrize("size", [1, 2, 4096])
def test_inq_princ_name(wire, size):
    """Without security no service has a name: an empty one."""
    stub = ask(wire, INQ_PRINC_NAME, struct.pack("<II", 10, size))
    assert stub == struct.pack("<III", size, 0, 1) + bytes(4) + struct.pack(
        "<I", UNKNOWN_AUTHN_SERVICE)


@pytest.mark.parametrize("size", [0, 4097, 2**32 - 1])
def test_inq_princ_name_range(wire, size):
    wire.send(pdu.request(INQ_PRINC_NAME, struct.pack("<II", 10, size)))
    assert wire.recv().ptype == pdu.FAULT
    assert ask(wire, IS_LISTENING, call=3) == struct.pack("<II", 0, 1)


def test_opnums(wire):
    """Five operations; those of FreeDCE behind them are not."""
    for opnum in (5, 6, 0xFFFF):
        wire.send(pdu.request(opnum))
        fault = wire.recv()
        assert (fault.ptype, fault.status) == (pdu.FAULT, pdu.NCA_OP_RNG)


def test_versions(server):
    for major, minor, accepted in ((1, 0, True), (1, 1, False), (2, 0, False), (0, 0, False)):
        with server.bound(contexts=[Context(0, Syntax(MGMT.uuid, major, minor))]) as wire:
            assert (wire.ack.results[0][0] == pdu.ACCEPTED) == accepted


def test_ndr64(server):
    """Offered like any other interface, and answered in it: counts of 8 octets."""
    with server.bound(contexts=[Context(0, MGMT, (pdu.NDR64,))]) as wire:
        assert wire.ack.results == [(pdu.ACCEPTED, 0, pdu.NDR64)]
        stub = ask(wire, INQ_IF_IDS)
        pointer, size, count = struct.unpack_from("<QQI", stub)
        assert pointer and size == count == len(PEERS)
        assert stub.endswith(struct.pack("<I", 0))


def test_with_an_object(server):
    """An object UUID picks no manager here."""
    with server.bound(contexts=[Context(0, MGMT)]) as wire:
        assert ask(wire, IS_LISTENING, obj=uuid.uuid4()) == struct.pack("<II", 0, 1)


def test_own_client(server):
    ids, stats, listening, stop, name = run_client(
        server.binding, "ids", "stats", "listening", "stop", "name", 10, program=CLIENT)
    assert {(uuid.UUID(u), major, minor) for u, major, minor in ids["ids"]} == PEERS
    assert ids["status"] == stats["status"] == listening["status"] == 0
    assert len(stats["stats"]) == 4
    assert stop == {"status": ACCESS_DENIED}
    assert name == {"status": UNKNOWN_AUTHN_SERVICE, "name": ""}


@pytest.mark.parametrize("ndr64", [False, True])
def test_impacket(server, ndr64):
    pytest.importorskip("impacket", reason="python3-impacket is not installed")
    from impacket.dcerpc.v5 import mgmt, transport
    from impacket.uuid import uuidtup_to_bin
    dce = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:127.0.0.1[{server.port}]").get_dce_rpc()
    dce.connect()
    if ndr64:
        dce.bind(mgmt.MSRPC_UUID_MGMT, transfer_syntax=(
            "71710533-beba-4937-8319-b5dbef9ccc36", "1.0"))
    else:
        dce.bind(mgmt.MSRPC_UUID_MGMT)
    assert uuidtup_to_bin(("afa8bd80-7d8a-11c9-bef4-08002b102989", "1.0")) == mgmt.MSRPC_UUID_MGMT
    reply = mgmt.hinq_if_ids(dce)
    assert reply["if_id_vector"]["count"] == len(PEERS)
    found = {(uuid.UUID(bytes_le=i["Data"]["Uuid"]), i["Data"]["VersMajor"], i["Data"]["VersMinor"])
             for i in reply["if_id_vector"]["if_id"]}
    assert found == PEERS
    assert mgmt.hinq_stats(dce)["count"] == 4
    assert mgmt.his_server_listening(dce)["status"] == 0
    dce.disconnect()


def test_samba(server):
    """Samba's stubs ask, and read the answers."""
    mgmt = pytest.importorskip("samba.dcerpc.mgmt", reason="python3-samba is not installed")
    param = pytest.importorskip("samba.param")
    client = mgmt.mgmt(f"ncacn_ip_tcp:127.0.0.1[{server.port}]", param.LoadParm())
    ids = client.inq_if_ids()
    assert ids.count == len(PEERS)
    found = {(uuid.UUID(str(each.id.uuid)), each.id.if_version & 0xFFFF, each.id.if_version >> 16)
             for each in ids.if_id}
    assert found == PEERS
    assert client.is_server_listening() == (0, 1)
    assert client.inq_stats(4, 0).count == 4


@pytest.mark.parametrize("syntax", ["ndr", "ndr64"])
def test_wireshark(tmp_path, syntax):
    """Names the operations, and has nothing to say against them but the faults."""
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    path = tmp_path / "mgmt.pcap"
    run_client(server.binding, "ids", "stats", "listening", "stop", "name", 10, program=CLIENT,
               env=dict(server.env, PENSTOCK_PCAP=str(path), PENSTOCK_TRANSFER_SYNTAX=syntax))
    assert server.stop() == 0
    path, = tmp_path.glob("mgmt*.pcap*")
    types = dissect.check(path)
    assert types[str(pdu.REQUEST)] == types[str(pdu.RESPONSE)] == 5
    asked = [row for row in dissect.tshark(path, "dcerpc.pkt_type", "mgmt.opnum", "_ws.col.Protocol",
                                           "_ws.col.Info") if row[0] == str(pdu.REQUEST)]
    assert [row[1] for row in asked] == ["0", "1", "2", "3", "4"]
    assert {row[2] for row in asked} == {"MGMT"}


# ---- What a client believes ----------------------------------------------------------------


def answers(*stubs):
    """A server that answers one request after the other so."""
    def script(wire, _):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, [(pdu.ACCEPTED, 0, pdu.NDR)] + [
            (pdu.REJECTED, 2, pdu.NIL)] * (len(bind.contexts) - 1)))
        for stub in stubs:
            request = wire.recv()
            assert request.ptype == pdu.REQUEST
            wire.send(pdu.response(stub, call=request.call))
    return FakeServer(script)


def ask_fake(stub, *question):
    with answers(stub) as fake:
        return run_client(fake.binding, *question, program=CLIENT)[0]


def if_id(number):
    return uuid.UUID(int=number).bytes_le + struct.pack("<HH", number, 7)


@pytest.mark.parametrize("stub,status,count", [
    (struct.pack("<5I", 1, 2, 2, 1, 2) + if_id(3) + if_id(4) + bytes(4), 0, 2),
    # elements left out, and none at all
    (struct.pack("<6I", 1, 3, 3, 0, 9, 0) + if_id(4) + bytes(4), 0, 1),
    (struct.pack("<3I", 1, 0, 0) + bytes(4), 0, 0),
    # no vector: nothing is registered, or refused
    (struct.pack("<II", 0, 0), NO_INTERFACES, 0),
    (struct.pack("<II", 0, ACCESS_DENIED), ACCESS_DENIED, 0),
    # a vector beside a failure is not handed out
    (struct.pack("<4I", 1, 1, 1, 1) + if_id(3) + struct.pack("<I", 5), ACCESS_DENIED, 0),
    # counts that lie
    (struct.pack("<5I", 1, 2, 3, 1, 2) + if_id(3) + if_id(4) + bytes(4), BAD_STUB_DATA, 0),
    (struct.pack("<3I", 1, 2**32 - 1, 2**32 - 1) + bytes(64), BAD_STUB_DATA, 0),
    (struct.pack("<4I", 1, 1, 1, 1) + if_id(3)[:10], BAD_STUB_DATA, 0),
    (b"", BAD_STUB_DATA, 0)])
def test_client_if_ids(stub, status, count):
    line = ask_fake(stub, "ids")
    assert (line["status"], len(line["ids"])) == (status, count), line


@pytest.mark.parametrize("count,size,status", [
    (4, 4, 0), (0, 0, 0), (1, 1, 0),
    (5, 5, None), (50, 50, None),  # more than was asked for
    (51, 51, None), (4, 50, None), (50, 4, None), (2**32 - 1, 2**32 - 1, None)])
def test_client_stats(count, size, status):
    stub = struct.pack("<II", count, size) + struct.pack("<I", 7) * min(size, 60) + bytes(4)
    line = ask_fake(stub, "stats")
    if status is None:
        assert line["status"] in (BAD_STUB_DATA, 1734) and not line["stats"], line
    else:
        assert line == {"status": 0, "stats": [7] * count}


@pytest.mark.parametrize("size,offset,length,text,status", [
    (4096, 0, 5, b"name\0", 0), (4096, 0, 1, b"\0", 0),
    (4096, 0, 4, b"name", BAD_STUB_DATA),  # no end
    (4096, 1, 5, b"name\0", BAD_STUB_DATA), (4097, 0, 5, b"name\0", BAD_STUB_DATA),
    (4096, 0, 4097, b"x" * 4096 + b"\0", BAD_STUB_DATA)])
def test_client_name(size, offset, length, text, status):
    stub = struct.pack("<III", size, offset, length) + text + bytes(-len(text) % 4) + bytes(4)
    line = ask_fake(stub, "name", 10)
    assert line["status"] in ((status,) if status == 0 else (status, 1734)), line
    assert line["name"] == (text.rstrip(b"\0").decode() if status == 0 else "")


@pytest.mark.parametrize("stub,status", [
    (struct.pack("<II", 0, 1), 0), (struct.pack("<II", 0, 2**31), 0),
    (struct.pack("<II", 0, 0), 1715), (struct.pack("<II", 1715, 0), 1715),
    (struct.pack("<II", ACCESS_DENIED, 1), ACCESS_DENIED), (b"\0" * 7, BAD_STUB_DATA)])
def test_client_listening(stub, status):
    assert ask_fake(stub, "listening")["status"] == status
