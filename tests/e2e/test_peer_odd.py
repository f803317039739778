# SPDX-License-Identifier: MIT
"""What is legal and rare, or wrong in a rare place: sentences of C706 12 and MS-RPCE 3.3 that
no ordinary exchange comes by, each in the fewest PDUs that show it, to our server.
test_peer_odd_client.py is the other way round; test_peer_wire.py has the rules of every day.
"""
import itertools
import socket
import struct
import uuid

import pytest

from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST, Context
from peer.server import Server
from test_peer_wire import (ACCEPT, ACCEPT_64, REJECT_TRANSFER, auth_trailer, check_fault,
                            check_response, check_usable, peer_version)

MPX = FIRST | LAST | pdu.CONC_MPX


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    runtime_dir = tmp_path_factory.mktemp("run")
    runtime_dir.chmod(0o700)
    server = Server(runtime_dir)
    yield server
    assert server.stop() == 0


@pytest.fixture
def wire(server):
    with server.bound() as wire:
        yield wire
    assert server.alive()


def slow(ms, number, **kwargs):
    return pdu.request(calls.SLOW, struct.pack("<II", ms, number), **kwargs)


def other(call, context):
    """A call on the second interface, and the check of its answer."""
    return pdu.request(0, b"", call=call, context=context)


def check_other(pdus, call, context):
    assert ndr.Reader(check_response(pdus, call, context)).i32() == 4711


# ---- Bind and alter_context -----------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_b_all_at_once(server, transport):
    """Nothing makes a client wait for an answer before it sends on: a bind, an alter_context and
    calls on both contexts in one segment."""
    with server.connect(transport) as wire:
        wire.send(pdu.bind(call=1, flags=MPX) +
                  pdu.bind([Context(1, pdu.PEER2)], call=2, alter=True) +
                  pdu.request(calls.ECHO, calls.echo(3, b"early"), call=3) + other(4, 1))
        assert wire.recv().results == [ACCEPT]
        resp = wire.recv()
        assert (resp.ptype, resp.call, resp.results) == (pdu.ALTER_RESP, 2, [ACCEPT])
        answers = {p.call: p for p in (wire.recv(), wire.recv())}
        calls.check_echo(check_response([answers[3]], 3), 3, b"early")
        check_other([answers[4]], 4, 1)


@pytest.mark.parametrize("offset,pad,kind,level,reason", [
    (0, 0, 10, 6, 8), (0, 0, 77, 2, 8), (0, 0, 0, 5, 8), (0, 0, 9, 1, 0), (0, 0, 9, 7, 0),
    (0, 0, 9, 255, 0), (2, 0, 10, 6, 0), (1, 0, 10, 6, 0), (4, 0, 10, 6, 8), (4, 4, 10, 6, 4),
    (0, 1, 10, 6, 4), (0, 255, 10, 6, 4)])
def test_b_bind_with_a_token(server, offset, pad, kind, level, reason):
    """wire.md 6.1: the trailer stands at a multiple of 4 and pads nothing, its level protects
    something; then it matters that its type is unknown."""
    trailer = struct.pack("<BBBBI", kind, level, pad, 0, 1) + b"NTLMSSP\0"
    octets = pdu.build(pdu.BIND, FIRST | LAST, 1, pdu.bind()[16:] + bytes(offset) + trailer,
                       auth_length=8)
    with server.connect() as wire:
        wire.send(octets)
        nak = wire.recv()
        assert (nak.ptype, nak.reason) == (pdu.BIND_NAK, reason)
        wire.expect_end()


@pytest.mark.parametrize("flags", [FIRST | LAST, MPX])
def test_b_alter_with_calls_in_flight(server, flags):
    """MS-RPCE 3.3.1.5.6: an alter_context is answered while calls run; where the client
    multiplexes its new context serves at once."""
    with server.bound(flags=flags) as wire:
        wire.send(slow(400, 42), pdu.bind([Context(1, pdu.PEER2)], call=3, alter=True))
        resp = wire.recv()
        assert (resp.ptype, resp.call, resp.results) == (pdu.ALTER_RESP, 3, [ACCEPT])
        if flags == MPX:
            wire.send(other(4, 1))
            check_other(wire.recv_call(), 4, 1)
        assert check_response(wire.recv_call()) == struct.pack("<I", 42)


@pytest.mark.parametrize("call", [2, 3])
def test_b_alter_within_a_request(server, wire, call):
    """It may come between two fragments: it is no part of the call, whatever its id."""
    stub = calls.echo(7, b"two pieces")
    wire.send(pdu.request(calls.ECHO, stub[:16], flags=FIRST),
              pdu.bind([Context(1, pdu.PEER2)], call=call, alter=True))
    resp = wire.recv()
    assert (resp.ptype, resp.call, resp.results) == (pdu.ALTER_RESP, call, [ACCEPT])
    wire.send(pdu.request(calls.ECHO, stub[16:], flags=LAST))
    calls.check_echo(check_response(wire.recv_call()), 7, b"two pieces")
    wire.send(other(9, 1))
    check_other(wire.recv_call(), 9, 1)


def test_b_alter_that_ends_the_connection_with_calls_in_flight(server):
    """A clash of contexts (wire.md 1.12): the fault, and the end for the call that runs."""
    with server.bound(flags=MPX) as wire:
        wire.send(pdu.request(calls.HANG), pdu.bind([Context(0, pdu.PEER2)], call=3, alter=True))
        check_fault(wire.recv(), pdu.NCA_PROTO, call=3, dne=True)
        wire.expect_end()


def test_b_reserved_fields_and_octets_behind(server):
    """Reserved octets are not looked at; octets may follow the list (wire.md 6.1)."""
    octets = bytearray(pdu.bind([Context(0), Context(1, pdu.PEER2)]))
    octets[25:28] = b"\xff\xff\xff"  # behind the count of elements
    octets[28 + 3] = octets[28 + 44 + 3] = 0xFF  # behind each count of syntaxes
    octets += b"behind"
    octets[8:10] = struct.pack("<H", len(octets))
    with server.connect() as wire:
        wire.send(bytes(octets))
        assert wire.recv().results == [ACCEPT, ACCEPT]
        check_usable(wire)


def test_b_each_pdu_has_its_byte_order(server):
    """The receiver makes right, PDU by PDU: a bind in one order, an alter_context, requests and
    cancels in either."""
    with server.bound(order=">", call=0x01020304) as wire:
        assert wire.ack.call == 0x01020304
        wire.send(pdu.request(calls.ECHO, calls.echo(5, b"little"), call=2))
        calls.check_echo(check_response(wire.recv_call()), 5, b"little")
        wire.send(pdu.bind([Context(0x0102, pdu.PEER2)], call=3, alter=True))
        assert wire.recv().results == [ACCEPT]
        wire.send(pdu.bind([Context(0x0304, pdu.PEER2)], call=4, alter=True, order=">"))
        assert wire.recv().results == [ACCEPT]
        for context, order in itertools.product((0x0102, 0x0304), "<>"):
            wire.send(pdu.request(0, b"", call=5, context=context, order=order))
            check_other(wire.recv_call(), 5, context & 0xFF)
        wire.send(pdu.request(calls.ECHO, calls.echo(5, b"big", ">"), call=6, order=">"))
        calls.check_echo(check_response(wire.recv_call(), 6), 5, b"big")
        wire.send(pdu.request(calls.HANG, call=7),
                  pdu.build(pdu.CO_CANCEL, FIRST | LAST, 7, order=">"))
        check_fault(wire.recv(), pdu.NCA_CANCEL, call=7)


@pytest.mark.parametrize("drep", [b"\x11\0\0\0", b"\x10\x01\0\0", b"\x10\x02\0\0", b"\x10\x03\0\0",
                                  b"\x10\0\x01\0", b"\x10\0\0\x01"])
def test_b_other_representations(server, drep):
    """EBCDIC, floats of VAX, Cray and IBM, unknown ones: refused, not misread, whatever PDU
    they come with (wire.md 1.2)."""
    with server.connect() as wire:
        wire.send(pdu.bind(drep=drep, call=7))
        nak = wire.recv()
        assert (nak.ptype, nak.reason, nak.call) == (pdu.BIND_NAK, 4, 7)
        wire.expect_end()
    bad = [pdu.request(calls.NOTHING, call=7, drep=drep),
           pdu.bind([Context(1, pdu.PEER2)], call=7, alter=True, drep=drep),
           pdu.build(pdu.CO_CANCEL, FIRST | LAST, 7, drep=drep)]
    for octets in bad:
        with server.bound() as wire:
            wire.send(octets)
            check_fault(wire.recv(), pdu.NCA_PROTO, call=7, dne=True)
            wire.expect_end()


def test_b_minor_version_1_throughout(server):
    """A peer of C706 may write 5.1 into all it sends; we answer 5.0 (pdu.parse looks)."""
    stub = calls.echo(1, b"one")
    with server.bound(minor=1) as wire:
        wire.send(*pdu.fragments(calls.ECHO, stub, 8, minor=1))
        calls.check_echo(check_response(wire.recv_call()), 1, b"one")
        wire.send(pdu.bind([Context(1, pdu.PEER2)], call=5, alter=True, minor=1))
        assert wire.recv().results == [ACCEPT]
        wire.send(pdu.request(calls.HANG, call=6, minor=1),
                  pdu.build(pdu.CO_CANCEL, FIRST | LAST, 6, minor=1))
        check_fault(wire.recv(), pdu.NCA_CANCEL, call=6)


@pytest.mark.parametrize("minors,results", [
    ((0, 1, 2), [ACCEPT] * 3), ((3, 2), None), ((0xFFFF,), None), ((2, 3, 0), None)])
def test_b_minor_versions_of_one_interface(server, minors, results):
    """Same UUID, same major, ours at least the one asked for; each version is an interface to
    its client."""
    contexts = [Context(i, peer_version(1, minor)) for i, minor in enumerate(minors)]
    expected = [ACCEPT if minor <= 2 else (pdu.REJECTED, pdu.NO_ABSTRACT, pdu.NIL)
                for minor in minors]
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results == expected
        for i, result in enumerate(expected):
            if result == ACCEPT:
                check_usable(wire, i)
            else:
                wire.send(pdu.request(calls.NOTHING, context=i))
                check_fault(wire.recv(), pdu.NCA_UNK_IF, dne=True)


def test_b_every_order_of_syntaxes(server):
    """One element with several transfer syntaxes: NDR64 where it is listed, else NDR 2.0, else
    none; the order does not matter."""
    some = [pdu.NDR, pdu.NDR64, pdu.UNKNOWN, pdu.Syntax(pdu.NDR64.uuid, 1, 1),
            pdu.Syntax(pdu.NDR.uuid, 2, 1)]
    for n in range(1, 4):
        for listed in itertools.permutations(some, n):
            with server.bound(contexts=[Context(0, pdu.PEER, listed)]) as wire:
                best = (ACCEPT_64 if pdu.NDR64 in listed else
                        ACCEPT if pdu.NDR in listed else REJECT_TRANSFER)
                assert wire.ack.results == [best], listed


def test_b_all_that_a_bind_can_hold(server):
    """255 elements, the count's limit: each is judged."""
    contexts = [Context(i, pdu.UNKNOWN) for i in range(253)]
    contexts += [Context(253), Context(254, pdu.PEER2, (pdu.NDR64,))]
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results[:253] == [(pdu.REJECTED, pdu.NO_ABSTRACT, pdu.NIL)] * 253
        assert wire.ack.results[253:] == [ACCEPT, ACCEPT_64]
        check_usable(wire, 253)


# ---- Association groups ---------------------------------------------------------------------


def test_b_group_of_many(server):
    """Several associations per group, each with its own sizes, contexts and calls."""
    with server.bound(contexts=[Context(9)], xmit=2048, recv=2048) as first:
        group = first.ack.group
        members = [server.bound(group=group, contexts=[Context(i)], xmit=2048 + 8 * i,
                                recv=2048 + 8 * i) for i in range(40)]
        for i, member in enumerate(members):
            assert (member.ack.group, member.ack.xmit) == (group, 2048 + 8 * i)
            member.send(slow(20, i, call=7, context=i))
        for i, member in enumerate(members):
            assert check_response(member.recv_call(), 7, i) == struct.pack("<I", i)
        for member in members:
            member.close()
        check_usable(first, 9)


def test_b_group_of_another_address(server):
    """MS-RPCE 3.3.1.5.7: a group is joined from the machine that founded it."""
    with server.bound() as one:
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=10,
                                        source_address=("127.0.0.2", 0))
        with pdu.Wire(sock) as stranger:
            stranger.send(pdu.bind(group=one.ack.group))
            nak = stranger.recv()
            assert (nak.ptype, nak.reason) == (pdu.BIND_NAK, 0)
            stranger.expect_end()
        with server.bound(group=one.ack.group) as joined:
            check_usable(joined)


# ---- Calls ----------------------------------------------------------------------------------


def test_b_faults_that_say_not_executed(server, wire):
    """C706 12.6.4.7: the flag is taken back when the stub has the call.  So what the run time
    refuses has it, what the stub or the manager refuses does not."""
    wire.send(pdu.request(calls.COUNT))
    check_fault(wire.recv(), pdu.NCA_OP_RNG, dne=True)
    wire.send(pdu.request(calls.NOTHING, context=5))
    check_fault(wire.recv(), pdu.NCA_UNK_IF, dne=True)
    wire.send(pdu.request(calls.ECHO, b"\1\0\0\0"))
    check_fault(wire.recv(), pdu.BAD_STUB_DATA, dne=False)
    wire.send(pdu.request(calls.RAISE, struct.pack("<I", 4711)))
    check_fault(wire.recv(), 4711, dne=False)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("odd,status", [(0, 5), (2, pdu.NCA_PROTO)])
def test_b_request_with_a_trailer(server, later, odd, status):
    """A trailer where there is no security context: fault 5 and the end, also when the call began
    without one; one that is not aligned is a protocol error before that (wire.md 5.7)."""
    stub = calls.echo(1, b"later")
    body = struct.pack("<IHH", 8, 3, calls.ECHO) + stub[8:]
    body += bytes(-len(body) % 4 + odd) + auth_trailer()
    with server.bound(contexts=[Context(3)]) as wire:
        if later:
            wire.send(pdu.request(calls.ECHO, stub[:8], flags=FIRST, context=3))
        wire.send(pdu.build(pdu.REQUEST, LAST if later else FIRST | LAST, 2, body, auth_length=16))
        check_fault(wire.recv(), status, context=3)
        wire.expect_end()


def test_b_requests_without_multiplexing(server, wire):
    """A client that has not asked for CONC_MPX is to send its next request after the last answer
    (MS-RPCE 3.3.1.5.8).  Who does not wait gets each answer once, as soon as it is there."""
    wire.send(slow(200, 1, call=2), pdu.request(calls.ECHO, calls.echo(2, b"next"), call=3),
              slow(1, 3, call=4))
    answers = {p.call: p for p in (wire.recv(), wire.recv(), wire.recv())}
    assert check_response([answers[2]], 2) == struct.pack("<I", 1)
    calls.check_echo(check_response([answers[3]], 3), 2, b"next")
    assert check_response([answers[4]], 4) == struct.pack("<I", 3)


def test_b_call_id_in_use_without_multiplexing(server, wire):
    wire.send(pdu.request(calls.HANG, call=5))
    wire.expect_silence(0.05)
    wire.send(pdu.request(calls.NOTHING, call=5))
    check_fault(wire.recv(), pdu.NCA_PROTO, call=5)
    wire.expect_end()


@pytest.mark.parametrize("flags", [0, FIRST, LAST, 0xFF])
@pytest.mark.parametrize("body", [b"", bytes(4), b"x" * 100])
def test_b_control_pdus_of_any_shape(server, flags, body):
    """co_cancel and orphaned count by type and call id alone."""
    with server.bound(flags=MPX) as wire:
        wire.send(pdu.request(calls.HANG, call=5), pdu.request(calls.HANG, call=6))
        wire.expect_silence(0.05)
        wire.send(pdu.build(pdu.ORPHANED, flags, 5, body), pdu.build(pdu.CO_CANCEL, flags, 6, body))
        check_fault(wire.recv(), pdu.NCA_CANCEL, call=6)
        wire.expect_silence(0.05)
        check_usable(wire, call=5)


def test_b_many_cancels_of_one_call(server, wire):
    """More than the counter of eight bits can hold; one call ends, once."""
    wire.send(slow(300, 8), *[pdu.control(pdu.CO_CANCEL, 2)] * 1000)
    assert check_response(wire.recv_call()) == struct.pack("<I", 8)
    check_usable(wire)


def test_b_object_in_some_fragments(server, wire):
    """The first fragment's object counts; where a later one has none its stub begins earlier,
    where it has another nobody asks."""
    obj = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
    stub = calls.echo(4, b"object or none")
    for first, later in ((obj, None), (None, obj), (obj, uuid.UUID(int=1))):
        wire.send(pdu.request(calls.ECHO, stub[:16], flags=FIRST, obj=first),
                  pdu.request(calls.ECHO, stub[16:], flags=LAST, obj=later))
        calls.check_echo(check_response(wire.recv_call()), 4, b"object or none")
    wire.send(pdu.request(calls.OBJECT, b"", flags=FIRST, obj=obj),
              pdu.request(calls.OBJECT, b"", flags=LAST, obj=uuid.UUID(int=1)))
    assert check_response(wire.recv_call()) == obj.bytes_le


def test_b_four_mib_without_its_last_octets(server):
    """The sum counts, not the hints: 4 MiB whose fragments announce nothing are a call, one
    octet more in the last fragment is not."""
    limit = 4 << 20
    for extra in (0, 1):
        with server.bound() as wire:
            head = pdu.fragments(calls.NOTHING, bytes(limit - 5816), 5816, hint=0)
            head[-1] = head[-1][:3] + b"\0" + head[-1][4:]  # not the last
            wire.send(*head, pdu.request(calls.NOTHING, bytes(5808 + extra), flags=0, hint=0),
                      pdu.request(calls.NOTHING, bytes(8), flags=LAST, hint=0))
            if extra == 0:
                assert check_response(wire.recv_call()) == b""
                check_usable(wire)
            else:
                check_fault(wire.recv(), 5)
                wire.expect_end()


# ---- Objects and maybe calls ---------------------------------------------------------------


def small(number):
    """The UUIDs of peer_server's objects."""
    return uuid.UUID(int=number << 96)


@pytest.mark.parametrize("order", "<>")
def test_b_objects_and_their_types(server, order):
    """RpcObjectSetType on the wire: the type of a call's object picks the manager; without a type
    it is that of the nil type; a type nobody serves is refused before anything runs."""
    with server.bound(contexts=[Context(0, pdu.PEER2)], order=order) as wire:
        for obj, number in ((None, 4711), (small(1), 4712), (small(99), 4711),
                            (uuid.UUID(int=0), 4711)):
            wire.send(pdu.request(0, b"", obj=obj, order=order))
            assert ndr.Reader(check_response(wire.recv_call())).i32() == number, obj
        for flags in (FIRST | LAST, FIRST):
            wire.send(pdu.request(0, b"", obj=small(3), order=order, flags=flags))
            check_fault(wire.recv(), 0x1C010017, dne=True)
        wire.send(pdu.request(0, b"", obj=small(3), order=order, flags=LAST))
        wire.send(pdu.request(0, b"", obj=small(1), order=order))
        assert ndr.Reader(check_response(wire.recv_call())).i32() == 4712


def posted(wire, call=50):
    wire.send(pdu.request(calls.POSTED, call=call))
    return ndr.Reader(check_response(wire.recv_call(), call)).i32()


def test_b_maybe(server, wire):
    """A [maybe] operation called with MAYBE: no PDU comes back, whatever becomes of it.  Without
    the flag it is a call as any other, and so is any other with it (wire.md 1.4)."""
    before = posted(wire)
    number = lambda n: struct.pack("<i", n)
    wire.send(pdu.request(calls.POST, number(5), flags=FIRST | LAST | pdu.MAYBE, call=3),
              pdu.request(calls.POST, number(6)[:2], flags=FIRST | pdu.MAYBE, call=4),
              pdu.request(calls.POST, number(6)[2:], flags=LAST | pdu.MAYBE, call=4),
              pdu.request(calls.POST, number(-4711), flags=FIRST | LAST | pdu.MAYBE, call=5),
              pdu.request(calls.POST, b"\0", flags=FIRST | LAST | pdu.MAYBE, call=6))
    wire.expect_silence()
    assert posted(wire) == before + 11
    wire.send(pdu.request(calls.POST, number(7), call=7))
    assert check_response(wire.recv_call(), 7) == b""
    wire.send(pdu.request(calls.POST, number(-4711), call=8))
    check_fault(wire.recv(), 4711, call=8)
    assert posted(wire) == before + 18


def test_b_more_calls_than_a_connection_may_have(server):
    """Fault nca_server_too_busy, certainly not executed, context of the call; the others are not
    touched, and there is room again when one of them ends."""
    limit = 1024
    with server.bound(contexts=[Context(3)], flags=MPX) as wire:
        wire.send(b"".join(pdu.request(calls.HANG, call=2 + i, context=3) for i in range(limit)))
        for flags in (FIRST | LAST, FIRST):
            wire.send(pdu.request(calls.NOTHING, call=9000, context=3, flags=flags))
            check_fault(wire.recv(), 0x1C010014, call=9000, context=3, dne=True)
        wire.send(pdu.request(calls.NOTHING, call=9000, context=3, flags=LAST),
                  pdu.control(pdu.CO_CANCEL, 77))
        check_fault(wire.recv(), pdu.NCA_CANCEL, call=77, context=3)
        check_usable(wire, context=3, call=8000)
