# SPDX-License-Identifier: MIT
"""penstock-epmd against PDUs made by hand: the answers octet by octet, hostile requests, and a
thousand clients at once."""
import re
import resource
import socket
import struct
import time
import uuid
from pathlib import Path

import pytest

from endpoint_mapper import OK, SOON, Client, Server, a_mapper, starter
from peer import pdu

assert a_mapper and starter

EPT = pdu.Syntax(uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3)
REGISTER = pdu.Syntax(uuid.UUID("9d4d374b-43ab-482d-8b29-8ce45a3de3cb"), 1)
INSERT, DELETE, LOOKUP, MAP, FREE, INQ_OBJECT, MGMT_DELETE, MAP_AUTH = range(8)
NOT_REGISTERED, CANT_PERFORM, INVALID_ENTRY = 0x16c9a0d6, 0x16c9a0cd, 0x16c9a0d3
NIL_HANDLE = bytes(20)
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def vector(name):
    return bytes.fromhex(re.sub(r"#.*", "", (VECTORS / f"{name}.hex").read_text()))


def connect(mapper, syntax=EPT, local=False):
    if local:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{mapper.env['XDG_RUNTIME_DIR']}/penstock/epmapper-{mapper.port}")
    else:
        sock = socket.create_connection(("127.0.0.1", mapper.port))
    wire = pdu.Wire(sock)
    wire.send(pdu.bind([pdu.Context(0, syntax, (pdu.NDR,))]))
    ack = wire.recv()
    assert ack.ptype == pdu.BIND_ACK and ack.results[0][0] == pdu.ACCEPTED
    return wire


def ask(wire, opnum, stub, call=2):
    """The stub data of the answer, or the status of the fault."""
    wire.send(*pdu.fragments(opnum, stub, 4000, call=call))
    answer = wire.recv_call()
    if answer[0].ptype == pdu.FAULT:
        return answer[0].status
    return b"".join(part.stub for part in answer)


def tower_stub(tower, length=None):
    """A twr_t behind its referent."""
    length = len(tower) if length is None else length
    return struct.pack("<II", length, length) + tower + bytes(-len(tower) % 4)


def map_stub(tower, handle=NIL_HANDLE, most=4, **length):
    """The request of ept_map, as wire.md 7.2 has it."""
    return (struct.pack("<I", 1) + bytes(16) + struct.pack("<I", 2) + tower_stub(tower, **length) +
            handle + struct.pack("<I", most))


def lookup_stub(kind=0, version=1, handle=NIL_HANDLE, most=10):
    return struct.pack("<4I", kind, 0, 0, version) + handle + struct.pack("<I", most)


def insert_stub(entries, replace=0):
    """Entries are towers, or NULL; no object, annotation "x"."""
    stub = struct.pack("<II", len(entries), len(entries))
    for number, tower in enumerate(entries):
        stub += bytes(16) + struct.pack("<I", 0 if tower is None else number + 1)
        stub += struct.pack("<II", 0, 2) + b"x\0\0\0"
    for tower in entries:
        if tower is not None:
            stub += tower_stub(tower)
    return stub + struct.pack("<I", replace)


def status_of(stub):
    return struct.unpack("<I", stub[-4:])[0]


def test_map_octets(mapper):
    """ept_map, octet by octet: what was inserted comes back with the address of the connection."""
    local, remote = connect(mapper, local=True), connect(mapper)
    tower = vector("t1_tower_tcp")
    assert ask(local, INSERT, insert_stub([tower])) == bytes(4)
    asked = tower[:-11] + b"\0\0" + tower[-9:]  # port 0
    answer = ask(remote, MAP, map_stub(asked))
    found = tower[:-4] + bytes((127, 0, 0, 1))
    head = NIL_HANDLE + struct.pack("<4I", 1, 4, 0, 1)
    assert answer[:len(head)] == head
    assert struct.unpack_from("<I", answer, len(head))[0] != 0  # the referent
    assert answer[len(head) + 4:] == tower_stub(found) + bytes(4)
    assert ask(local, DELETE, insert_stub([tower])[:-4]) == bytes(4)
    assert ask(remote, MAP, map_stub(asked)) == (
        NIL_HANDLE + struct.pack("<4I", 0, 4, 0, 0) + struct.pack("<I", NOT_REGISTERED))
    local.close()
    remote.close()


def test_handles(mapper):
    """A search goes on by its handle, which one connection cannot use from another's group, and
    which ept_lookup_handle_free ends."""
    wire, other = connect(mapper, local=True), connect(mapper)
    towers = [vector("t1_tower_tcp")[:-11] + bytes((4, port)) + vector("t1_tower_tcp")[-9:]
              for port in range(5)]
    assert ask(wire, INSERT, insert_stub(towers)) == bytes(4)
    first = ask(wire, LOOKUP, lookup_stub(most=2))
    handle = first[:20]
    assert handle != NIL_HANDLE and struct.unpack_from("<I", first, 20)[0] == 2
    assert isinstance(ask(other, LOOKUP, lookup_stub(handle=handle)), int)  # a fault
    second = ask(wire, LOOKUP, lookup_stub(handle=handle, most=2))
    assert second[:20] == handle and status_of(second) == 0
    freed = ask(wire, FREE, handle)
    assert freed == NIL_HANDLE + bytes(4)
    assert isinstance(ask(wire, LOOKUP, lookup_stub(handle=handle)), int)
    assert ask(wire, FREE, NIL_HANDLE) == NIL_HANDLE + bytes(4)
    nothing = ask(wire, LOOKUP, lookup_stub(most=0))
    assert nothing[:20] != NIL_HANDLE and status_of(nothing) == 0
    rest = ask(wire, LOOKUP, lookup_stub(handle=nothing[:20], most=500))
    assert struct.unpack_from("<I", rest, 20)[0] == 5 and rest[:20] == NIL_HANDLE
    wire.close()
    other.close()


def test_refused_operations(mapper):
    """From elsewhere nothing is changed; what is not offered cannot be performed."""
    remote, local = connect(mapper), connect(mapper, local=True)
    tower = vector("t1_tower_tcp")
    assert status_of(ask(remote, INSERT, insert_stub([tower]))) == CANT_PERFORM
    assert status_of(ask(remote, DELETE, insert_stub([tower])[:-4])) == CANT_PERFORM
    for wire in (remote, local):
        assert ask(wire, INQ_OBJECT, b"") == bytes(16) + struct.pack("<I", CANT_PERFORM)
        assert status_of(ask(wire, MGMT_DELETE, bytes(12))) == CANT_PERFORM
        assert ask(wire, MAP_AUTH, b"") == pdu.NCA_OP_RNG
        assert status_of(ask(wire, LOOKUP, lookup_stub(kind=4))) == CANT_PERFORM
        assert status_of(ask(wire, LOOKUP, lookup_stub(kind=1))) == INVALID_ENTRY  # no interface
    assert ask(local, LOOKUP, lookup_stub())[20:24] == bytes(4)
    remote.close()
    local.close()


def test_registrations_are_local(mapper):
    """The interface of our servers is not there for others: access denied, also on this computer's
    loopback address."""
    wire = connect(mapper, REGISTER)
    assert ask(wire, 0, b"") == 5
    wire.close()


@pytest.mark.parametrize("local", [False, True], ids=["tcp", "local"])
def test_hostile_requests(mapper, start, local):
    """Each is answered, by a fault or a status, and the mapper goes on."""
    tower = vector("t1_tower_tcp")
    wire = connect(mapper, local=local)
    bad = (
        (MAP, map_stub(tower, most=501)), (MAP, map_stub(tower, most=0xffffffff)),
        (MAP, map_stub(tower, length=0xffffffff)), (MAP, map_stub(tower, length=2001)),
        (MAP, map_stub(bytes(2001))), (MAP, map_stub(tower, length=200)), (MAP, b""),
        (MAP, map_stub(tower, handle=bytes(4) + b"\1" * 16)),
        (LOOKUP, lookup_stub(most=501)), (LOOKUP, lookup_stub(handle=b"\1" * 20)),
        (INSERT, struct.pack("<II", 501, 501)), (INSERT, struct.pack("<II", 2, 0xffffffff)),
        (INSERT, struct.pack("<II", 1, 1) + bytes(20) + struct.pack("<II", 0, 65)),
        (INSERT, struct.pack("<II", 1, 1) + bytes(20) + struct.pack("<II", 1, 2) + b"xxxx"),
        (DELETE, insert_stub([tower])[:-7]), (FREE, b"\1" * 20), (FREE, bytes(19)),
    )
    for number, (opnum, stub) in enumerate(bad):
        assert isinstance(ask(wire, opnum, stub, call=10 + number), int), number
    for number, strange in enumerate((b"", bytes(2), tower[:-1], tower + b"\0", b"\xff" * 75,
                                      b"\7" + tower[1:], bytes(2000))):
        answer = ask(wire, MAP, map_stub(strange), call=100 + number)
        assert status_of(answer) == NOT_REGISTERED
        if local:
            assert status_of(ask(wire, INSERT, insert_stub([strange]), call=200 + number)) == \
                INVALID_ENTRY
    if local:  # all or nothing
        assert status_of(ask(wire, INSERT, insert_stub([tower, None]))) == INVALID_ENTRY
        assert ask(wire, LOOKUP, lookup_stub())[20:24] == bytes(4)
    wire.close()
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    assert start(Client, "ncacn_ip_tcp:127.0.0.1").do("who") == server.pid


def test_searches_have_a_limit(mapper):
    """Clients that begin searches and never end them: others get what one answer holds, and a
    handle again when they are gone."""
    wire = connect(mapper, local=True)
    towers = [vector("t1_tower_tcp")[:-11] + bytes((4, port)) + vector("t1_tower_tcp")[-9:]
              for port in range(3)]
    assert ask(wire, INSERT, insert_stub(towers)) == bytes(4)
    greedy = [connect(mapper) for _ in range(2)]
    request = [pdu.request(LOOKUP, lookup_stub(most=1), call=n) for n in range(2, 102)]
    begun = 0
    while begun < 16384 + 100:
        for other in greedy:
            other.send(*request)
            handles = [other.recv().stub[:20] for _ in request]
            begun += len(handles)
    assert handles[-1] == NIL_HANDLE
    answer = ask(wire, LOOKUP, lookup_stub(most=2))
    assert answer[:24] == NIL_HANDLE + struct.pack("<I", 2)  # with all that it holds
    for other in greedy:
        other.close()
    pdu.wait_until(lambda: ask(wire, LOOKUP, lookup_stub(most=2))[:20] != NIL_HANDLE, SOON)
    wire.close()


def test_thousand_clients_at_once(mapper, start):
    """1,000 clients connect at once, and each is answered; none is refused."""
    count = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 200:
        if hard < count + 200:
            pytest.skip("too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, hard))
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    port = int(start(Client).entries()[0].split("[")[1].split("]")[0])
    asked = bytearray(vector("t1_tower_tcp"))
    asked[5:21] = uuid.UUID("6b0d6a52-5f5e-4a0c-9d5c-3b1f6f0a7e11").bytes_le
    asked[21:23], asked[25:27] = struct.pack("<H", 2), struct.pack("<H", 3)
    requests = (pdu.bind([pdu.Context(0, EPT, (pdu.NDR,))]) +
                pdu.request(MAP, map_stub(bytes(asked))))
    begin, wires = time.monotonic(), []
    try:
        for _ in range(count):
            wires.append(pdu.Wire(socket.create_connection(("127.0.0.1", mapper.port)), SOON))
            wires[-1].send(requests)
        for wire in wires:
            assert wire.recv().ptype == pdu.BIND_ACK
            answer = wire.recv()
            assert answer.ptype == pdu.RESPONSE and status_of(answer.stub) == 0
            assert struct.pack(">H", port) in answer.stub
    finally:
        for wire in wires:
            wire.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert time.monotonic() - begin < SOON
