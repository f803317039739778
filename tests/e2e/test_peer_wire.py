# SPDX-License-Identifier: MIT
"""What our server says on the wire, field by field, to a client that shares no code with
it.  test_peer_client.py is the other way round.

References are to C706 and MS-RPCE; "RAW" names the test of Samba's raw_protocol.py that
observed the same of Windows.
"""
import itertools
import random
import struct
import time
import uuid

import pytest

from peer import calls, eerr, ndr, pdu
from peer.pdu import FIRST, LAST, Context
from peer.server import Server

TRANSPORTS = ("tcp", "local")
FRAG_MAX = {"tcp": pdu.TCP_FRAG, "local": pdu.LOCAL_FRAG}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    runtime_dir = tmp_path_factory.mktemp("run")
    runtime_dir.chmod(0o700)
    server = Server(runtime_dir)
    with server.bound() as wire:  # what a process opens once
        wire.send(pdu.request(calls.NOTHING))
        wire.recv()
    pdu.wait_until(lambda: server.fd_count() < 30)
    before = server.fd_count()
    yield server
    pdu.wait_until(lambda: server.fd_count() <= before, what="closing all descriptors")
    assert server.stop() == 0


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture
def wire(server):
    with server.bound() as wire:
        yield wire
    assert server.alive()


def check_response(pdus, call=2, context=0, frag_max=pdu.TCP_FRAG):
    """Rules every response obeys; gives its stub."""
    left = sum(len(p.stub) for p in pdus)
    for i, p in enumerate(pdus):
        assert p.ptype == pdu.RESPONSE, p
        assert p.order == "<" and p.octets[4:8] == b"\x10\0\0\0"
        assert p.flags == (FIRST if i == 0 else 0) | (LAST if p is pdus[-1] else 0)
        assert (p.call, p.context, p.cancels) == (call, context, 0)
        assert len(p.octets) <= frag_max
        if p.last:
            assert p.hint == len(p.stub), "the hint of the last is its length"
        else:
            assert len(p.stub) < p.hint <= left, "a hint that is neither a lie nor too small"
            assert len(p.stub) > 0
        left -= len(p.stub)
    return b"".join(p.stub for p in pdus)


def check_fault(p, status, call=2, context=0, dne=False):
    assert p.ptype == pdu.FAULT, p
    assert p.flags == FIRST | LAST | (pdu.DNE if dne else 0), hex(p.flags)
    assert (hex(p.status), p.call, p.context) == (hex(status), call, context)
    assert p.hint == 32 + len(p.stub) and p.cancels == 0
    if p.stub:
        assert eerr.read(p.stub), "records of what happened"


def check_usable(wire, context=0, call=900, ndr64=False):
    """The association still does what it is for."""
    stub = calls.echo(5, b"still here", ndr64=ndr64)
    wire.send(pdu.request(calls.ECHO, stub, call=call, context=context))
    calls.check_echo(check_response(wire.recv_call(), call, context), 5, b"still here",
                     ndr64=ndr64)


def exchange(wire, opnum, stub, call=2, **kwargs):
    wire.send(pdu.request(opnum, stub, call=call, **kwargs))
    return check_response(wire.recv_call(), call, kwargs.get("context", 0))


# ---- bind ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [3, 0, 1, 2, 8, 0x20, 0x40, 0x80])
def test_a_bind_flags(server, transport, flags):
    """RAW bind_pfc_*: any single flag or none, answered with FIRST and LAST alone."""
    with server.bound(transport, flags=flags) as wire:
        assert wire.ack.flags == FIRST | LAST
        check_usable(wire)


@pytest.mark.parametrize("flags", [pdu.HEADER_SIGN, pdu.CONC_MPX,
                                   pdu.HEADER_SIGN | pdu.CONC_MPX])
def test_a_bind_flags_echoed(server, flags):
    with server.bound(flags=FIRST | LAST | flags) as wire:
        assert wire.ack.flags == FIRST | LAST | flags
        check_usable(wire)


@pytest.mark.parametrize("order", "<>")
def test_a_bind_ack_fields(server, transport, order):
    with server.bound(transport, call=77, order=order) as wire:
        ack = wire.ack
        assert ack.order == "<"
        assert ack.call == 77
        assert ack.xmit == ack.recv == pdu.TCP_FRAG
        assert ack.group != 0
        endpoint = str(server.port) if transport == "tcp" else server.name
        assert ack.address == endpoint.encode() + b"\0"
        assert ack.results == [(pdu.ACCEPTED, 0, pdu.NDR)]


@pytest.mark.parametrize("xmit,recv,size", [
    (0xFFFF, 0xFFFF, None), (5840, 5840, 5840), (0, 5840, 2048), (5840, 0, 2048), (0, 0, 2048),
    (3199, 3199, 3192), (3199, 0xFFFF, 3192), (0xFFFF, 3199, 3192), (1432, 1432, 2048),
    (2048, 2048, 2048), (2049, 2049, 2048), (2056, 4280, 2056), (5841, 5841, None), (8, 8, 2048)])
def test_b_frag_size(server, transport, xmit, recv, size):
    """RAW neg_xmit_*: one number for both directions, between 2,048 and the transport's
    own limit, a multiple of 8; and no response fragment exceeds it."""
    if size is None:
        size = min(FRAG_MAX[transport], xmit & ~7)
    with server.bound(transport, xmit=xmit, recv=recv) as wire:
        assert (wire.ack.xmit, wire.ack.recv) == (size, size)
        wire.send(pdu.request(calls.GIVE, calls.give(100000)))
        pdus = wire.recv_call()
        calls.check_give(check_response(pdus, frag_max=size), 100000)
        assert max(len(p.octets) for p in pdus) == size, "full fragments"


REJECT_ABSTRACT = (pdu.REJECTED, pdu.NO_ABSTRACT, pdu.NIL)
REJECT_TRANSFER = (pdu.REJECTED, pdu.NO_TRANSFER, pdu.NIL)
ACCEPT = (pdu.ACCEPTED, 0, pdu.NDR)
ACCEPT_64 = (pdu.ACCEPTED, 0, pdu.NDR64)


def peer_version(major, minor):
    return pdu.Syntax(pdu.PEER.uuid, major, minor)


@pytest.mark.parametrize("contexts,results", [
    ([Context(0, pdu.UNKNOWN)], [REJECT_ABSTRACT]),
    ([Context(0, peer_version(2, 0))], [REJECT_ABSTRACT]),
    ([Context(0, peer_version(1, 3))], [REJECT_ABSTRACT]),
    ([Context(0, peer_version(0, 2))], [REJECT_ABSTRACT]),
    ([Context(0, peer_version(1, 0))], [ACCEPT]),
    ([Context(0, pdu.PEER, (pdu.NDR64,))], [ACCEPT_64]),
    ([Context(0, pdu.PEER, (pdu.UNKNOWN,))], [REJECT_TRANSFER]),
    ([Context(0, pdu.PEER, (pdu.Syntax(pdu.NDR.uuid, 1),))], [REJECT_TRANSFER]),
    ([Context(0, pdu.PEER, (pdu.UNKNOWN, pdu.NDR, pdu.NDR))], [ACCEPT]),
    ([Context(0, pdu.PEER, (pdu.NDR64, pdu.NDR))], [ACCEPT_64]),
    ([Context(0, pdu.PEER, (pdu.NDR, pdu.UNKNOWN, pdu.NDR64))], [ACCEPT_64]),
    ([Context(0, pdu.PEER, (pdu.Syntax(pdu.NDR64.uuid, 2), pdu.NDR))], [ACCEPT]),
    ([Context(0), Context(1, pdu.PEER, (pdu.NDR64,))], [REJECT_TRANSFER, ACCEPT_64]),
    ([Context(0, pdu.PEER, (pdu.NDR64,)), Context(1)], [ACCEPT_64, REJECT_TRANSFER]),
    ([Context(0), Context(1, pdu.PEER, (pdu.NDR64,)),
      Context(2, pdu.PEER, (pdu.features(3),))],
     [REJECT_TRANSFER, ACCEPT_64, (pdu.NEGOTIATED, 3, pdu.NIL)]),
    ([Context(0), Context(0, pdu.PEER, (pdu.NDR64,))], [REJECT_TRANSFER, ACCEPT_64]),
    ([Context(5, pdu.PEER, (pdu.NDR64,)), Context(6, pdu.PEER, (pdu.NDR64,))],
     [ACCEPT_64, REJECT_TRANSFER]),
    ([Context(0), Context(1, pdu.PEER2), Context(2, pdu.PEER, (pdu.NDR64,)),
      Context(3, pdu.PEER2, (pdu.NDR64,))],
     [REJECT_TRANSFER, REJECT_TRANSFER, ACCEPT_64, ACCEPT_64]),
    ([Context(0, pdu.UNKNOWN), Context(1, pdu.UNKNOWN, (pdu.NDR64,)), Context(2)],
     [REJECT_ABSTRACT, REJECT_ABSTRACT, ACCEPT]),
    ([Context(0), Context(1)], [ACCEPT, REJECT_TRANSFER]),
    ([Context(0), Context(0)], [ACCEPT, REJECT_TRANSFER]),
    ([Context(0), Context(1, pdu.PEER2)], [ACCEPT, ACCEPT]),
    ([Context(9, pdu.UNKNOWN), Context(0), Context(7, pdu.UNKNOWN)],
     [REJECT_ABSTRACT, ACCEPT, REJECT_ABSTRACT]),
])
def test_b_bind_results(server, contexts, results):
    """MS-RPCE 3.3.1.5.6: in the order asked; rejections name no syntax."""
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results == results
        for context, result in zip(contexts, results):
            if result not in (ACCEPT, ACCEPT_64):
                continue
            if context.abstract == pdu.PEER2:
                assert ndr.Reader(exchange(wire, 0, b"", context=context.ident)).i32() == 4711
            else:
                check_usable(wire, context.ident, ndr64=result == ACCEPT_64)


def test_b_bind_all_rejected(server):
    """A success on the wire: the association stays and a later alter_context may do
    better (RAW presentation_ctx_invalid1)."""
    with server.bound(contexts=[Context(3, pdu.UNKNOWN)]) as wire:
        wire.send(pdu.request(calls.ECHO, calls.echo(1, b"x"), context=3))
        check_fault(wire.recv(), pdu.NCA_UNK_IF, dne=True)
        wire.send(pdu.bind([Context(3)], call=5, alter=True))
        assert wire.recv().results == [ACCEPT]
        check_usable(wire, context=3)


@pytest.mark.parametrize("bits,agreed", [(0, 0), (1, 1), (2, 2), (3, 3), (2**64 - 1, 3)])
def test_b_features(server, bits, agreed):
    """MS-RPCE 2.2.2.14, 3.3.1.5.3: the reason carries the bits both sides have; ours are
    SecurityContextMultiplexing and KeepConnectionOnOrphan, as Windows'."""
    with server.bound(contexts=[Context(0), Context(1, pdu.PEER, (pdu.features(bits),))]) as wire:
        assert wire.ack.results == [ACCEPT, (pdu.NEGOTIATED, agreed, pdu.NIL)]


@pytest.mark.parametrize("contexts,results", [
    ([Context(0, pdu.NIL, (pdu.features(2),))], [(pdu.NEGOTIATED, 2, pdu.NIL)]),
    ([Context(0, pdu.PEER, (pdu.features(2), pdu.NDR))], [(pdu.NEGOTIATED, 2, pdu.NIL)]),
    ([Context(0, pdu.PEER, (pdu.NDR, pdu.features(2)))], [ACCEPT]),
    ([Context(0, pdu.PEER, (pdu.UNKNOWN, pdu.features(2)))], [REJECT_TRANSFER]),
])
def test_b_features_place(server, contexts, results):
    """RAW bind_time_*_ignore_additional, only_first."""
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results == results


def test_b_bind_many_contexts(server):
    """As many as one octet can count: each is judged by itself, none is lost."""
    contexts = [Context(i, pdu.UNKNOWN) for i in range(31)] + [Context(31)]
    contexts += [Context(i) for i in range(32, 254)] + [Context(254, pdu.PEER2, (pdu.NDR64,))]
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results[:31] == [REJECT_ABSTRACT] * 31
        assert wire.ack.results[31] == ACCEPT
        assert wire.ack.results[32:] == [REJECT_TRANSFER] * 222 + [ACCEPT_64]
        check_usable(wire, 31)
        assert ndr.Reader(exchange(wire, 0, b"", context=254)).i32() == 4711


def test_b_bind_as_large_as_a_pdu_can_be(server):
    """Binds precede negotiation: up to 65,535 octets."""
    long_list = (pdu.UNKNOWN,) * 254
    contexts = [Context(i, pdu.PEER, long_list) for i in range(12)]
    contexts += [Context(20, pdu.PEER, (pdu.UNKNOWN,) * 100 + (pdu.NDR,))]
    assert 63000 < len(pdu.bind(contexts)) <= 65535
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results == [REJECT_TRANSFER] * 12 + [ACCEPT]
        check_usable(wire, 20)


# ---- bind_nak ------------------------------------------------------------------------------


def auth_trailer(kind=10, level=6):
    return struct.pack("<BBBBI", kind, level, 0, 0, 1) + b"NTLMSSP\0" + bytes(8)


def bind_with_auth():
    plain = pdu.bind()
    return pdu.build(pdu.BIND, 3, 1, plain[16:] + auth_trailer(), auth_length=16)


@pytest.mark.parametrize("octets,reasons", [
    (pdu.bind([]), (0, 4)),
    (pdu.bind([Context(0, pdu.PEER, ())]), (0,)),
    (pdu.bind([Context(0), Context(1, pdu.PEER, ())]), (0,)),
    (pdu.bind([Context(0, pdu.PEER, (pdu.features(2),)),
               Context(1, pdu.PEER, (pdu.features(2),))]), (0,)),
    (pdu.bind(group=0x7FFFFFFF), (0,)),
    (pdu.bind(vers=4), (4,)),
    (pdu.bind(minor=2), (4,)),
    (pdu.bind(drep=b"\x11\0\0\0"), (4,)),
    (pdu.bind(drep=b"\x10\x01\0\0"), (4,)),
    (pdu.bind(count=2), (4,)),
    (pdu.bind(auth_length=8), (4,)),
    (bind_with_auth(), (8,)),
    (pdu.bind(alter=True), (4,)),
    (pdu.request(calls.NOTHING), (4,)),
    (pdu.request(calls.NOTHING, flags=0), (4,)),
    (pdu.control(pdu.CO_CANCEL, 2), (4,)),
    (pdu.control(pdu.ORPHANED, 2), (4,)),
    (pdu.build(pdu.AUTH3, 3, 1, bytes(4) + auth_trailer(), auth_length=16), (4,)),
    (pdu.bind_ack(), (4,)),
    (pdu.response(), (4,)),
    (pdu.build(99, 3, 1), (4,)),
], ids=itertools.count())
def test_b_bind_nak(server, transport, octets, reasons):
    """What cannot be bound gets a bind_nak that lists version 5.0, then the end."""
    with server.connect(transport) as wire:
        wire.send(octets)
        nak = wire.recv()
        assert nak.ptype == pdu.BIND_NAK and nak.flags == FIRST | LAST
        assert nak.reason in reasons
        assert nak.versions == [(5, 0)]
        assert len(eerr.read(nak.stub)) == 1 and len(nak.octets) == 24 + 16 + len(nak.stub)
        assert nak.call == struct.unpack_from("<I", octets, 12)[0]
        wire.expect_end()


def test_b_bind_minor_version_1(server):
    """C706 peers may speak 5.1; the answer is 5.0."""
    with server.bound(minor=1) as wire:
        check_usable(wire)


def test_b_second_bind(server, transport):
    """RAW no_auth_valid_valid_request: nak 0, and the connection is over."""
    with server.bound(transport) as wire:
        wire.send(pdu.bind(call=9))
        nak = wire.recv()
        assert (nak.ptype, nak.reason, nak.call) == (pdu.BIND_NAK, 0, 9)
        wire.expect_end()


# ---- Association groups --------------------------------------------------------------------


def test_b_group(server):
    """RAW assoc_group_ok1, fail1, fail3: a group can be joined on its own transport, as
    long as it has a member."""
    with server.bound() as one, server.bound() as other:
        assert one.ack.group != other.ack.group
        group = one.ack.group
        with server.bound(group=group) as joined:
            assert joined.ack.group == group
            one.close()
            check_usable(joined)
            with server.connect("local") as stranger:
                stranger.send(pdu.bind(group=group))
                assert stranger.recv().reason == 0
                stranger.expect_end()
            with server.bound(group=group) as third:
                assert third.ack.group == group

    def gone():
        with server.connect() as late:
            late.send(pdu.bind(group=group))
            return late.recv().ptype == pdu.BIND_NAK
    pdu.wait_until(gone, what="the end of the group")


def test_b_context_of_another_connection(server):
    """Contexts belong to one connection, also within a group (RAW assoc_group_ok1)."""
    with server.bound(contexts=[Context(5)]) as one:
        with server.bound(group=one.ack.group, contexts=[Context(6)]) as two:
            two.send(pdu.request(calls.NOTHING, context=5))
            check_fault(two.recv(), pdu.NCA_UNK_IF, dne=True)
            check_usable(two, 6)


# ---- alter_context -------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [3, 0, 1, 2, 8, 0x10, 0x20, 0x40, 0x80, 0xFB])
def test_b_alter(server, transport, flags):
    """RAW alter_pfc_*: CONC_MPX that the bind did not negotiate is not echoed; sizes and
    group of the bind_ack are repeated, whatever is asked; no secondary address."""
    with server.bound(transport, xmit=4280, recv=4280) as wire:
        wire.send(pdu.bind([Context(1, pdu.PEER2)], alter=True, call=8, xmit=2048, recv=2048,
                           group=99, flags=flags))
        ack = wire.recv()
        assert ack.ptype == pdu.ALTER_RESP and ack.flags == FIRST | LAST and ack.call == 8
        assert (ack.xmit, ack.recv, ack.group) == (4280, 4280, wire.ack.group)
        assert ack.address == b"" and len(ack.octets) == 56
        assert ack.results == [ACCEPT]
        assert ndr.Reader(exchange(wire, 0, b"", context=1)).i32() == 4711
        check_usable(wire)


def test_b_alter_header_sign(server):
    with server.bound() as wire:
        wire.send(pdu.bind(alter=True, flags=FIRST | LAST | pdu.HEADER_SIGN))
        assert wire.recv().flags == FIRST | LAST | pdu.HEADER_SIGN


def test_b_alter_keeps_multiplexing(server):
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(pdu.bind(alter=True))
        assert wire.recv().flags == FIRST | LAST | pdu.CONC_MPX


def test_b_alter_same_again(server, wire):
    """The same abstract and transfer syntax under its id: accepted again.  Unsupported
    ones: rejected, and the old context stays (RAW presentation_ctx_valid2)."""
    wire.send(pdu.bind(alter=True))
    assert wire.recv().results == [ACCEPT]
    wire.send(pdu.bind([Context(0, pdu.PEER, (pdu.UNKNOWN,))], alter=True))
    assert wire.recv().results == [REJECT_TRANSFER]
    wire.send(pdu.bind([Context(0, pdu.UNKNOWN)], alter=True))
    assert wire.recv().results == [REJECT_ABSTRACT]
    wire.send(pdu.bind([Context(1, pdu.PEER, (pdu.features(2),))], alter=True))
    assert wire.recv().results == [REJECT_TRANSFER], "features are for binds"
    check_usable(wire)


@pytest.mark.parametrize("octets", [
    pdu.bind([], alter=True, call=6),
    pdu.bind([Context(1, pdu.PEER, ())], alter=True, call=6),
    pdu.bind([Context(0, pdu.PEER2)], alter=True, call=6),
    pdu.bind([Context(0, pdu.PEER, (pdu.NDR64,))], alter=True, call=6),
    pdu.bind([Context(0, pdu.PEER, (pdu.NDR, pdu.NDR64))], alter=True, call=6),
    pdu.bind(count=3, alter=True, call=6),
    pdu.build(pdu.AUTH3, 3, 6, bytes(4) + auth_trailer(), auth_length=16),
    pdu.build(pdu.ALTER, 3, 6, pdu.bind()[16:] + auth_trailer(), auth_length=16),
    pdu.bind_ack(call=6), pdu.bind_nak(1, call=6), pdu.response(call=6), pdu.fault(5, call=6),
    pdu.control(pdu.SHUTDOWN, 6),
    pdu.build(1, 3, 6), pdu.build(20, 3, 6), pdu.build(255, 3, 6),
    pdu.request(0, call=6, vers=4), pdu.request(0, call=6, minor=7),
    pdu.request(0, call=6, drep=b"\x12\0\0\0"),
], ids=itertools.count())
def test_b_protocol_error_faults(server, octets):
    """What a bound client may not send: fault nca_proto_error, certainly not executed,
    context 0, and the end (MS-RPCE 3.3.3.5.7; RAW alter_no_auth_no_ctx and others)."""
    with server.bound() as wire:
        wire.send(octets)
        check_fault(wire.recv(), pdu.NCA_PROTO, call=6, dne=True)
        wire.expect_end()


# ---- Calls ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4096, 64, 16, 8, 7, 4, 3, 1])
@pytest.mark.parametrize("order", "<>")
def test_a_echo_in_fragments(server, transport, size, order):
    """Any cutting of the stub; both byte orders; what lies in pads does not matter.  The
    answer is in our byte order."""
    with server.bound(transport, order=order) as wire:
        stub = calls.echo(-21, b"Fragmente", order, pad=b"\xaa")
        wire.send(*pdu.fragments(calls.ECHO, stub, size, order=order))
        pdus = wire.recv_call()
        assert len(pdus) == 1
        calls.check_echo(check_response(pdus), -21, b"Fragmente")


def test_b_hint_of_requests_means_nothing(server, wire):
    """C706: any value must work (RAW alloc_hint, fragmented_requests02), unless more is
    announced than a request may have (test_b_announced_too_much)."""
    stub = calls.echo(1, b"hint")
    for hint in (0, 1, len(stub), 0x100000, 0xFFFFFFFF):
        wire.send(pdu.request(calls.ECHO, stub, hint=hint))
        calls.check_echo(check_response(wire.recv_call()), 1, b"hint")
    for hint in (0, 1, 0x3F0000):
        wire.send(*pdu.fragments(calls.ECHO, stub, 8, hint=hint))
        calls.check_echo(check_response(wire.recv_call()), 1, b"hint")


@pytest.mark.parametrize("sent", [0, 5000])
def test_b_announced_too_much(server, wire, sent):
    """MS-RPCE 3.3.3.5.4, RAW fragmented_requests04: fault 5 and the end as soon as a fragment
    announces more than is left of the 4 MiB; in front of pipes it may."""
    left = (4 << 20) - sent
    for hint in (left, left + 1):
        with server.bound() as other:
            if sent:
                other.send(pdu.request(calls.NOTHING, bytes(sent), flags=FIRST, hint=0))
            other.send(pdu.request(calls.NOTHING, bytes(8), flags=0 if sent else FIRST, hint=hint))
            if hint > left:
                check_fault(other.recv(), 5)
                other.expect_end()
            else:
                other.send(pdu.request(calls.NOTHING, b"", flags=LAST, hint=0))
                assert check_response(other.recv_call()) == b""
    wire.send(pdu.request(calls.TAKE, struct.pack("<i", 5), flags=FIRST, hint=0xFFFFFFFF),
              pdu.request(calls.TAKE, bytes(4), flags=LAST, hint=0xFFFFFFFF))
    calls.check_take(check_response(wire.recv_call()), 5, b"")


@pytest.mark.parametrize("flag", [0x08, pdu.CONC_MPX, pdu.DNE, pdu.MAYBE])
def test_b_meaningless_request_flags(server, wire, flag):
    """RAW first_*_requests: ignored; also MAYBE is answered."""
    stub = calls.echo(1, b"flags")
    wire.send(pdu.request(calls.ECHO, stub, flags=FIRST | LAST | flag))
    calls.check_echo(check_response(wire.recv_call()), 1, b"flags")


def test_b_pending_cancel(server):
    """RAW first_cancel_requests, 2nd_cancel_requests."""
    stub = calls.echo(1, b"c")
    with server.bound() as wire:
        wire.send(pdu.request(calls.ECHO, stub[:8], flags=FIRST),
                  pdu.request(calls.ECHO, stub[8:], flags=LAST | pdu.PENDING_CANCEL))
        calls.check_echo(check_response(wire.recv_call()), 1, b"c")
        wire.send(pdu.request(calls.ECHO, stub, flags=FIRST | LAST | pdu.PENDING_CANCEL))
        check_fault(wire.recv(), 1725, dne=True)
        wire.expect_end()


def test_b_call_ids(server, wire):
    """Echoed; order and reuse are the client's affair (RAW neg_xmit)."""
    for call in (2, 2, 1, 0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2):
        check_usable(wire, call=call)


@pytest.mark.parametrize("ident", [1, 255, 256, 0xFFFF])
def test_b_context_ids(server, ident):
    """A response has the low octet, as Windows' have (RAW orphaned_no_request), a fault all
    of it."""
    with server.bound(contexts=[Context(ident)]) as wire:
        wire.send(pdu.request(calls.ECHO, calls.echo(9, b"on"), call=900, context=ident))
        pdus = wire.recv_call()
        calls.check_echo(check_response(pdus, call=900, context=ident & 0xFF), 9, b"on")
        wire.send(pdu.request(99, context=ident))
        check_fault(wire.recv(), pdu.NCA_OP_RNG, context=ident, dne=True)


def test_b_octets_behind_the_parameters(server, wire):
    """RAW neg_xmit_*, multi_auth_*: ignored."""
    assert exchange(wire, calls.NOTHING, b"") == b""
    assert exchange(wire, calls.NOTHING, bytes(5816)) == b""
    assert exchange(wire, calls.NOTHING, b"\xfe" * 45) == b""
    stub = calls.echo(3, b"rest") + b"\xfe" * 45
    calls.check_echo(exchange(wire, calls.ECHO, stub), 3, b"rest")


def test_b_empty_fragments(server, wire):
    """RAW co_cancel_request_after_first: FIRST and LAST may be empty."""
    stub = calls.echo(3, b"empty")
    wire.send(pdu.request(calls.ECHO, b"", flags=FIRST), pdu.request(calls.ECHO, stub, flags=0),
              pdu.request(calls.ECHO, b"", flags=LAST))
    calls.check_echo(check_response(wire.recv_call()), 3, b"empty")
    wire.send(pdu.request(calls.NOTHING, b"", flags=FIRST),
              pdu.request(calls.NOTHING, b"", flags=LAST))
    assert check_response(wire.recv_call()) == b""


def test_b_later_fragments_may_lie(server, wire):
    """Context, opnum and object of a call are those of its first fragment."""
    stub = calls.echo(3, b"first counts")
    wire.send(pdu.request(calls.ECHO, stub[:16], flags=FIRST),
              pdu.request(77, stub[16:], flags=LAST, context=9))
    calls.check_echo(check_response(wire.recv_call()), 3, b"first counts")


@pytest.mark.parametrize("size", [4096, 8])
@pytest.mark.parametrize("order", "<>")
def test_b_object(server, order, size):
    """The object UUID stands in every fragment (C706 12.6.4.9)."""
    obj = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
    with server.bound(order=order) as wire:
        wire.send(*pdu.fragments(calls.OBJECT, bytes(32), size, obj=obj, order=order))
        assert check_response(wire.recv_call()) == obj.bytes_le
        wire.send(*pdu.fragments(calls.ECHO, calls.echo(1, b"object"), size, obj=obj))
        calls.check_echo(check_response(wire.recv_call()), 1, b"object")
        assert exchange(wire, calls.OBJECT, b"") == bytes(16)


def test_b_large_answer(server, transport):
    """A response over many fragments without a pipe."""
    text = bytes(random.Random(1).choices(range(1, 256), k=300000))
    with server.bound(transport) as wire:
        wire.send(*pdu.fragments(calls.ECHO, calls.echo(1, text), 5816))
        pdus = wire.recv_call()
        calls.check_echo(check_response(pdus), 1, text)
        assert all(len(p.stub) % 8 == 0 for p in pdus[:-1])


@pytest.mark.parametrize("size", [5816, 4088])
def test_b_four_mib(server, wire, size):
    """MS-RPCE 3.3.3.5.4: up to 4 MiB of parameters; past it fault 5 and the end, while the
    client is still sending (RAW fragmented_requests)."""
    limit = 4 << 20
    wire.send(*pdu.fragments(calls.NOTHING, bytes(limit), size))
    assert check_response(wire.recv_call()) == b""
    with server.bound(contexts=[Context(3)]) as other:
        other.send(*pdu.fragments(calls.NOTHING, bytes(limit + 100000), size, context=3))
        check_fault(other.recv(), 5, context=3)
        other.expect_end()
    check_usable(wire)


def test_b_conformant(server, wire):
    values = list(range(-50, 50))
    writer = ndr.Writer().i32(len(values)).u32(len(values))
    for value in values:
        writer.i32(value)
    reader = ndr.Reader(exchange(wire, calls.SUM, writer.done()))
    assert reader.u32() == len(values)
    assert [reader.i32() for _ in values] == [2 * v for v in values]
    assert reader.i32() == sum(values)
    reader.end()


# ---- Faults --------------------------------------------------------------------------------


@pytest.mark.parametrize("opnum", [calls.COUNT, 100, 0xFFFF])
def test_b_fault_opnum(server, wire, opnum):
    """RAW presentation_ctx_valid1."""
    wire.send(pdu.request(opnum))
    check_fault(wire.recv(), pdu.NCA_OP_RNG, dne=True)
    wire.send(pdu.request(opnum, bytes(8), flags=FIRST), pdu.request(opnum, bytes(8), flags=0),
              pdu.request(opnum, bytes(8), flags=LAST))
    check_fault(wire.recv(), pdu.NCA_OP_RNG, dne=True)
    check_usable(wire)


@pytest.mark.parametrize("ident", [1, 0xFFFF])
def test_b_fault_context(server, wire, ident):
    """RAW presentation_ctx_invalid*: context 0 in the fault, the association stays."""
    wire.send(pdu.request(calls.NOTHING, context=ident))
    check_fault(wire.recv(), pdu.NCA_UNK_IF, dne=True)
    wire.send(pdu.request(calls.NOTHING, bytes(8), context=ident, flags=FIRST),
              pdu.request(calls.NOTHING, bytes(8), context=ident, flags=LAST))
    check_fault(wire.recv(), pdu.NCA_UNK_IF, dne=True)
    check_usable(wire)


def test_b_fault_short_stub(server, wire):
    """Every prefix of a good stub is bad stub data, and nothing worse."""
    stub = calls.echo(1, b"prefixes")
    for length in range(len(stub)):
        wire.send(pdu.request(calls.ECHO, stub[:length]))
        p = wire.recv()
        assert (p.ptype, p.status, p.context) == (pdu.FAULT, pdu.BAD_STUB_DATA, 0), length
    check_usable(wire)


def conformant(count, max_count, elements):
    return ndr.Writer().i32(count).u32(max_count).raw(bytes(4 * elements)).done()


def bad_string(size, offset, length, octets):
    return ndr.Writer().i32(1).u32(size).u32(offset).u32(length).raw(octets).done()


@pytest.mark.parametrize("opnum,stub", [
    (calls.SUM, conformant(2**31 - 1, 2**31 - 1, 2)),
    (calls.SUM, conformant(-1, 2**32 - 1, 2)),
    (calls.SUM, conformant(2, 3, 3)),
    (calls.SUM, conformant(3, 2, 3)),
    (calls.SUM, conformant(0x40000000, 0x40000000, 2)),
    (calls.ECHO, bad_string(4, 1, 3, b"ab\0")),
    (calls.ECHO, bad_string(2, 0, 3, b"ab\0")),
    (calls.ECHO, bad_string(3, 0, 3, b"abc")),
    (calls.ECHO, bad_string(0, 0, 0, b"")),
    (calls.ECHO, bad_string(2**32 - 1, 0, 2**32 - 1, b"a\0")),
    (calls.ECHO, bad_string(2**31, 2**31, 2**31, b"a\0")),
], ids=itertools.count())
def test_b_fault_lying_counts(server, wire, opnum, stub):
    """Counts are checked against what is there, before anything is allocated."""
    before = server.status_kib("VmRSS")
    wire.send(pdu.request(opnum, stub))
    p = wire.recv()
    assert p.ptype == pdu.FAULT and p.status in (pdu.BAD_STUB_DATA, pdu.NCA_BOUND), hex(p.status)
    check_usable(wire)
    assert server.status_kib("VmRSS") - before < 4096


@pytest.mark.parametrize("code,wire_code", [
    (4711, 4711), (5, 5), (0xE0001234, 0xE0001234), (1745, pdu.NCA_OP_RNG),
    (1818, pdu.NCA_CANCEL), (1917, pdu.NCA_PIPE_DISCIPLINE), (0xC0000005, 0x1C000012)])
def test_b_fault_code(server, wire, code, wire_code):
    """Raised or aborted with: the code travels, unless it must not (MS-RPCE 3.3.3.5.1)."""
    wire.send(pdu.request(calls.RAISE, struct.pack("<I", code)))
    check_fault(wire.recv(), wire_code)
    wire.send(pdu.request(calls.ABORT, struct.pack("<III", code, 0, 0)))
    check_fault(wire.recv(), wire_code)
    check_usable(wire)


def test_b_request_with_auth_trailer(server):
    """No security context was made: fault 5, the request's context, the end
    (RAW no_auth_ctx_request)."""
    with server.bound(contexts=[Context(3)]) as wire:
        stub = calls.echo(1, b"x")
        body = struct.pack("<IHH", len(stub), 3, 0) + stub
        body += bytes(-len(body) % 4) + auth_trailer()
        wire.send(pdu.build(pdu.REQUEST, 3, 4, body, auth_length=16))
        check_fault(wire.recv(), 5, call=4, context=3)
        wire.expect_end()


@pytest.mark.parametrize("size,good", [(5840, True), (5841, False), (65535, False)])
def test_b_request_larger_than_the_transport_allows(server, size, good):
    """RAW neg_xmit_*: up to 5,840 whatever was negotiated; past it fault, context 0, no
    DNE, the end."""
    with server.bound(xmit=2048, recv=2048) as wire:
        wire.send(pdu.request(calls.NOTHING, bytes(size - 24)))
        if good:
            assert check_response(wire.recv_call()) == b""
        else:
            check_fault(wire.recv(), pdu.NCA_PROTO)
            wire.expect_end()


# ---- Fragments that do not fit -------------------------------------------------------------


def open_take(call, **kwargs):
    """A request whose pipe stays open."""
    return pdu.request(calls.TAKE, struct.pack("<iI", 1, 4) + b"abcd", call=call, flags=FIRST,
                       **kwargs)


@pytest.mark.parametrize("mpx", [False, True])
@pytest.mark.parametrize("second,flags", [(2, FIRST), (2, FIRST | LAST), (3, FIRST),
                                          (3, FIRST | LAST), (3, 0), (3, LAST)])
def test_b_fragment_of_another_call(server, mpx, second, flags):
    """MS-RPCE 3.3.3: requests are not mixed.  The fault is for the older call, without
    CONC_MPX; else for the newer with context 0, unless it is the same (RAW mix_requests,
    first_only_requests)."""
    with server.bound(contexts=[Context(3)],
                      flags=FIRST | LAST | (pdu.CONC_MPX if mpx else 0)) as wire:
        wire.send(open_take(2, context=3))
        wire.send(pdu.request(calls.NOTHING, b"", call=second, context=3, flags=flags))
        newer = mpx and second != 2
        check_fault(wire.recv(), pdu.NCA_PROTO, call=3 if newer else 2,
                    context=0 if newer else 3)
        wire.expect_end()


@pytest.mark.parametrize("flags", [0, LAST])
def test_b_stray_fragment(server, flags):
    """RAW none_only, last_only."""
    with server.bound(contexts=[Context(3)]) as wire:
        wire.send(pdu.request(calls.NOTHING, b"", call=5, context=3, flags=flags))
        check_fault(wire.recv(), pdu.NCA_PROTO, call=5)
        wire.expect_end()


@pytest.mark.parametrize("flags", [0, LAST])
def test_b_stray_fragment_multiplexed(server, flags):
    """RAW auth_MPX_middle_*: the context is looked at first."""
    with server.bound(contexts=[Context(3)], flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(pdu.request(calls.NOTHING, b"", call=5, context=7, flags=flags))
        check_fault(wire.recv(), pdu.NCA_UNK_IF, call=5, dne=True)
        check_usable(wire, 3)
        wire.send(pdu.request(calls.NOTHING, b"", call=5, context=3, flags=flags))
        check_fault(wire.recv(), pdu.NCA_PROTO, call=5, context=3)
        wire.expect_end()


def test_b_byte_order_changes_within_a_call(server):
    stub = calls.echo(1, b"order")
    with server.bound() as wire:
        wire.send(pdu.request(calls.ECHO, stub[:8], flags=FIRST),
                  pdu.request(calls.ECHO, stub[8:], flags=LAST, order=">"))
        check_fault(wire.recv(), pdu.NCA_PROTO)
        wire.expect_end()


def test_b_calls_side_by_side(server):
    """CONC_MPX: answers come as they are ready."""
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        for call, ms in ((11, 300), (12, 150), (13, 10)):
            wire.send(pdu.request(calls.SLOW, struct.pack("<II", ms, call), call=call))
        wire.send(pdu.request(calls.ECHO, calls.echo(1, b"meanwhile"), call=14))
        seen = {}
        order = []
        for _ in range(4):
            p = wire.recv()
            seen[p.call] = p.stub
            order.append(p.call)
        assert order == [14, 13, 12, 11]
        assert all(seen[call] == struct.pack("<I", call) for call in (11, 12, 13))


def test_b_many_calls_at_once(server):
    """All answered, each once, with its own answer."""
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(*[pdu.request(calls.SLOW, struct.pack("<II", call % 7, call), call=call)
                    for call in range(100, 200)])
        answers = {}
        for _ in range(100):
            p = wire.recv()
            assert p.call not in answers
            answers[p.call] = check_response([p], p.call)
        assert answers == {call: struct.pack("<I", call) for call in range(100, 200)}


TICK_S = 0.002  # LIMIT_TICK_MS
PROMPT_RUNS = 100  # more than LIMIT_GATHER_AFTER


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_b_reply_does_not_wait_for_the_next_manager(server, transport):
    """Replies of managers that are quick are sent together (docs/design/performance.md).  When
    the next one waits, for what the client does after the answer here, the reply leaves all the
    same, and sooner than any tick: that would take two periods."""
    def in_turn(call, waits):
        return pdu.request(calls.IN_TURN, struct.pack("<Ii", waits, call), call=call)

    with server.bound(transport) as wire, server.bound(transport) as other:
        def late():
            """How long after its request the reply came."""
            wire.send(*(in_turn(call, 0) for call in range(100, 100 + PROMPT_RUNS)))
            for call in range(100, 100 + PROMPT_RUNS):
                assert struct.unpack("<i", wire.recv().stub) == (call,)
            begin = time.monotonic()
            wire.send(in_turn(2, 0), in_turn(3, 1))
            assert wire.recv().call == 2
            took = time.monotonic() - begin
            other.send(pdu.request(calls.LET))
            assert wire.recv().call == 3 and other.recv().ptype == pdu.RESPONSE
            return took
        # On a busy machine few are in time, and now and then one is not made to wait.
        for _ in range(20):
            took = sorted(late() for _ in range(12))
            if took[2] < 0.75 * TICK_S:
                break
        else:
            assert False, took


def test_b_call_id_in_use(server):
    """A second call of the same id while the first runs."""
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(pdu.request(calls.HANG, call=5), pdu.request(calls.NOTHING, call=5))
        check_fault(wire.recv(), pdu.NCA_PROTO, call=5)
        wire.expect_end()


# ---- Pipes ---------------------------------------------------------------------------------

HELLO = calls.take(7, b"Hello", b"abc", pad=b"\xaa")  # wire.md 10.4


def test_c_pipe_vector(server, wire):
    assert calls.take(7, b"Hello", b"abc") == bytes.fromhex(
        "07000000 05000000 48656c6c 6f000000 03000000 61626300 00000000")
    calls.check_take(exchange(wire, calls.TAKE, HELLO), 7, b"Helloabc")


@pytest.mark.parametrize("order", "<>")
def test_c_pipe_cut_at_every_octet(server, transport, order):
    """C706 14.3.11: fragments know nothing of chunks; two cuts at all pairs of places."""
    stub = calls.take(7, b"Hello", b"abc", order=order, pad=b"\xaa")
    with server.bound(transport, order=order) as wire:
        for a, b in itertools.combinations_with_replacement(range(len(stub) + 1), 2):
            pieces = stub[:a], stub[a:b], stub[b:]
            wire.send(*[pdu.request(calls.TAKE, piece, order=order,
                                    flags=(0, FIRST, LAST)[(i == 0) + 2 * (i == 2)])
                        for i, piece in enumerate(pieces)])
            calls.check_take(check_response(wire.recv_call()), 7, b"Helloabc")


def struct_pipe_stub(kind, order):
    writer = ndr.Writer(order, b"\xaa")
    if kind == "long":
        return calls.TRANSFORM, writer.i32(3).long_pipe([1, 2], [3, 4, 5], [-6]).done()
    if kind == "hyper":
        return calls.HYPERS, writer.u8(9).hyper_pipe([2**40], [-2, 3]).done()
    return calls.PAIRS, writer.u8(9).pair_pipe([(1, -1), (2, -2)], [(3, 3)]).done()


def check_struct_pipe(kind, stub):
    reader = ndr.Reader(stub)
    if kind == "long":
        assert reader.long_pipe() == [3, 6, 9, 12, 15, -18]
        assert (reader.i32(), reader.i32()) == (6, 6), "outs behind the pipe, the result last"
    elif kind == "hyper":
        assert reader.hyper_pipe() == [2**40, -2, 3]
        assert reader.u8() == 9
    else:
        assert reader.pair_pipe() == [(1, -1), (2, -2), (3, 3)]
    reader.end()


@pytest.mark.parametrize("kind", ["long", "hyper", "pair"])
@pytest.mark.parametrize("order", "<>")
def test_c_element_pipes_cut_at_every_octet(server, kind, order):
    """Counts, gaps and elements themselves split over fragments; 6-octet elements at a
    stride of 8; 8-octet elements behind a 4-octet count."""
    opnum, stub = struct_pipe_stub(kind, order)
    with server.bound(order=order) as wire:
        for cut in range(len(stub) + 1):
            wire.send(pdu.request(opnum, stub[:cut], flags=FIRST, order=order),
                      pdu.request(opnum, stub[cut:], flags=LAST, order=order))
            check_struct_pipe(kind, check_response(wire.recv_call()))
        for size in (1, 2, 3, 5, 8, 16):
            wire.send(*pdu.fragments(opnum, stub, size, order=order))
            check_struct_pipe(kind, check_response(wire.recv_call()))


def test_c_two_pipes(server, wire):
    """In signature order, one after the other, both ways (MSDN: combining pipes)."""
    stub = ndr.Writer().byte_pipe(b"one", b"by", b"one").long_pipe([1], [2, 3]).done()
    for size in (4096, 8, 3):
        wire.send(*pdu.fragments(calls.TWO_PIPES, stub, size))
        reader = ndr.Reader(check_response(wire.recv_call()))
        assert reader.byte_pipe() == b"onebyone"
        assert reader.long_pipe() == [1, 2, 3]
        reader.end()


def test_c_empty_pipes(server, wire):
    calls.check_take(exchange(wire, calls.TAKE, calls.take(7)), 7, b"")
    calls.check_give(exchange(wire, calls.GIVE, calls.give(0)), 0)
    reader = ndr.Reader(exchange(wire, calls.TWO_PIPES, bytes(8)))
    assert (reader.byte_pipe(), reader.long_pipe()) == (b"", [])
    reader.end()


def test_c_octets_behind_the_last_pipe(server, wire):
    """A verification trailer may stand there (MS-RPCE 2.2.2.13)."""
    trailer = bytes.fromhex("8ae3137102f43671") + struct.pack("<HHI", 0x4001, 4, 1)
    calls.check_take(exchange(wire, calls.TAKE, HELLO + trailer), 7, b"Helloabc")


def test_c_chunk_of_any_size(server, transport):
    """One chunk over many fragments; many chunks in one fragment."""
    rng = random.Random(7)
    data = rng.randbytes(400000)
    with server.bound(transport) as wire:
        wire.send(*pdu.fragments(calls.TAKE, calls.take(1, data), 5816))
        calls.check_take(check_response(wire.recv_call()), 1, data)
        chunks = [data[i:i + 1] for i in range(5000)]
        wire.send(*pdu.fragments(calls.TAKE, calls.take(2, *chunks), 5816))
        calls.check_take(check_response(wire.recv_call()), 2, data[:5000])


def test_c_no_answer_before_the_last_fragment(server, wire):
    """Half duplex (C706 12.6; wire.md 5.4): the pipe has ended, the request has not."""
    wire.send(pdu.request(calls.TAKE, HELLO, flags=FIRST))
    wire.expect_silence()
    wire.send(pdu.request(calls.TAKE, b"", flags=LAST))
    calls.check_take(check_response(wire.recv_call()), 7, b"Helloabc")


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 8, 100, 5816, 0])
def test_c_out_pipe(server, transport, piece):
    """Pipe data, then the result.  Every fragment but the last carries a multiple of 8
    (wire.md 1.11), none is empty, and a push is never more than two chunks."""
    count = 40 * piece if 0 < piece <= 100 else 100000
    with server.bound(transport) as wire:
        wire.send(pdu.request(calls.GIVE, calls.give(count, piece)))
        pdus = wire.recv_call()
        stub = check_response(pdus, frag_max=FRAG_MAX[transport])
        calls.check_give(stub, count)
        assert all(len(p.stub) % 8 == 0 and p.stub for p in pdus[:-1])
        assert pdus[-1].stub, "the terminator waits for the last fragment"
        pushes = -(-count // (piece or 65536))
        assert len(ndr.Reader(stub).byte_chunks()) <= 2 * pushes


@pytest.mark.parametrize("kind,n", [("long", 5), ("long", 3000), ("hyper", 7), ("pair", 9)])
def test_c_in_out_pipe_lengths(server, kind, n):
    with server.bound(xmit=2048, recv=2048) as wire:
        if kind == "long":
            stub = ndr.Writer().i32(-1).long_pipe(list(range(n))).done()
            opnum, expected = calls.TRANSFORM, [-i for i in range(n)]
        elif kind == "hyper":
            stub = ndr.Writer().u8(1).hyper_pipe(list(range(n))).done()
            opnum, expected = calls.HYPERS, list(range(n))
        else:
            expected = [(i, -i) for i in range(n)]
            opnum, stub = calls.PAIRS, ndr.Writer().u8(1).pair_pipe(expected).done()
        wire.send(*pdu.fragments(opnum, stub, 2024))
        pdus = wire.recv_call()
        reader = ndr.Reader(check_response(pdus, frag_max=2048))
        assert getattr(reader, f"{kind}_pipe")() == expected


class InFragment:
    """Reads as FreeDCE does: aligns by where an octet lies in its fragment, within what is left of
    that, and takes scalars from one fragment only."""

    def __init__(self, fragments):
        self.fragments, self.at = list(fragments), 0

    def scalar(self, code):
        size = struct.calcsize(code)
        left = len(self.fragments[0]) - self.at
        gap = -self.at % size
        assert gap <= left, f"nothing to skip: {self.fragments}"
        self.at += gap
        if gap == left:
            self.fragments.pop(0)
            self.at = 0
        assert self.at + size <= len(self.fragments[0]), f"straddles: {self.fragments}"
        value, = struct.unpack_from("<" + code, self.fragments[0], self.at)
        self.at += size
        return value

    def pipe(self, code, per_element):
        values = []
        while count := self.scalar("I"):
            values += [self.scalar(code) for _ in range(count * per_element)]
        return values

    def end(self):
        assert len(self.fragments) == 1 and self.at == len(self.fragments[0])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_c_out_pipes_and_results_aligned_in_their_fragments(server, wire, count):
    """Pushes that end at odd multiples of 4, and then a pipe, and a result, of elements aligned to
    8: nothing of these is in a fragment that began there (wire.md 1.11)."""
    wire.send(pdu.request(calls.RANGES, struct.pack("<i", count)))
    replies = wire.recv_call()
    ends = list(itertools.accumulate(len(p.stub) for p in replies))
    if count:
        assert 12 in ends, "the push was not held back"
    reader = InFragment(p.stub for p in replies)
    ranges = [n for i in range(count) for n in (i, i + 1)]
    assert reader.pipe("i", 2) == ranges
    assert reader.pipe("q", 1) == list(range(count))
    assert reader.pipe("i", 2) == ranges
    assert (reader.scalar("i"), reader.scalar("q")) == (count - 1, count)
    reader.end()


def test_c_pipe_without_its_end(server, wire):
    """LAST inside the pipe: bad stub data at every place."""
    for length in range(len(HELLO)):
        wire.send(pdu.request(calls.TAKE, HELLO[:length]))
        p = wire.recv()
        assert (p.ptype, p.status) == (pdu.FAULT, pdu.BAD_STUB_DATA), length
        wire.send(pdu.request(calls.TAKE, HELLO[:length], flags=FIRST),
                  pdu.request(calls.TAKE, b"", flags=LAST))
        p = wire.recv()
        assert (p.ptype, p.status) == (pdu.FAULT, pdu.BAD_STUB_DATA), length
    check_usable(wire)


@pytest.mark.parametrize("which", [calls.UNDRAINED, calls.UNFINISHED])
def test_c_discipline_faults(server, wire, which):
    """FDCE, wire.md 3.4: a manager that returns with unfinished pipes."""
    stub = ndr.Writer().u32(which).byte_pipe(b"some octets").done()
    wire.send(pdu.request(calls.DISCIPLINE, stub))
    check_fault(wire.recv(), pdu.NCA_PIPE_DISCIPLINE)
    check_usable(wire)


@pytest.mark.parametrize("which,status", [
    (calls.PUSH_EARLY, 1831), (calls.PULL_LATE, 1916), (calls.PUSH_LATE, 1916)])
def test_c_discipline_errors_that_are_survived(server, wire, which, status):
    """AP-60: the manager is told and the call goes on."""
    stub = ndr.Writer().u32(which).byte_pipe(b"some octets").done()
    reader = ndr.Reader(exchange(wire, calls.DISCIPLINE, stub))
    assert reader.byte_pipe() == b"" and reader.u32() == status


def test_c_early_fault(server, transport):
    """MS-RPCE 3.3.3.5.8: at once, while fragments still arrive; those are swallowed, and
    the next call is served."""
    with server.bound(transport) as wire:
        for ending in (LAST, None):
            wire.send(pdu.request(calls.ABORT, struct.pack("<III", 4711, 3, 100) + b"x" * 8,
                                  flags=FIRST))
            check_fault(wire.recv(), 4711)
            wire.send(*[pdu.request(calls.ABORT, b"y" * 800, flags=0)] * 50)
            if ending:
                wire.send(pdu.request(calls.ABORT, b"z" * 8, flags=LAST))
            check_usable(wire)


def test_c_early_fault_then_orphaned(server, wire):
    wire.send(pdu.request(calls.ABORT, struct.pack("<III", 4711, 0, 100), flags=FIRST))
    check_fault(wire.recv(), 4711)
    wire.send(pdu.control(pdu.ORPHANED, 2))
    check_usable(wire)


def test_c_fault_within_the_response(server, wire):
    """A fault may follow response fragments of the same call, in place of the next."""
    wire.send(pdu.request(calls.ABORT_OUT, struct.pack("<II", 4711, 100000)))
    pdus = wire.recv_call()
    assert pdus[0].ptype == pdu.RESPONSE and pdus[0].flags == FIRST
    check_fault(pdus[-1], 4711)
    stub = b"".join(p.stub for p in pdus[:-1])
    reader = ndr.Reader(stub)
    data = b""
    while reader.pos < len(stub):
        data += reader.raw(reader.u32())
    assert data == calls.octets(100000), "what was pushed before arrives"
    check_usable(wire)


def test_c_manager_runs_before_the_request_ends(server, wire):
    """wire.md 3.3: the fault shows that octets were pulled when only they had come."""
    wire.send(pdu.request(calls.ABORT, struct.pack("<II", 4711, 5), flags=FIRST))
    wire.expect_silence()
    wire.send(pdu.request(calls.ABORT, struct.pack("<I", 8) + b"1234", flags=0))
    wire.expect_silence()
    wire.send(pdu.request(calls.ABORT, b"5", flags=0))
    check_fault(wire.recv(), 4711)


# ---- Cancels -------------------------------------------------------------------------------


def test_c_cancel(server, transport):
    with server.bound(transport) as wire:
        wire.send(pdu.request(calls.HANG))
        wire.expect_silence()
        wire.send(pdu.control(pdu.CO_CANCEL, 2))
        check_fault(wire.recv(), pdu.NCA_CANCEL)
        wire.send(pdu.control(pdu.CO_CANCEL, 2))
        wire.expect_silence(0.05)
        check_usable(wire)


def test_c_cancel_is_advice(server, wire):
    """A call that takes no notice answers as if nothing had been."""
    wire.send(pdu.request(calls.SLOW, struct.pack("<II", 100, 42)), pdu.control(pdu.CO_CANCEL, 2))
    assert check_response(wire.recv_call()) == struct.pack("<I", 42)


@pytest.mark.parametrize("ptype", [pdu.CO_CANCEL, pdu.ORPHANED])
def test_c_cancel_of_no_call(server, wire, ptype):
    """RAW co_cancel_no_request, orphaned_no_request: silently ignored."""
    wire.send(pdu.control(ptype, 77))
    check_usable(wire)
    wire.send(pdu.control(ptype, 900))
    wire.expect_silence(0.05)
    check_usable(wire)


def test_c_orphaned(server, transport):
    """No reply at all; the connection serves on, in the middle of a request, while it
    runs, and in the middle of a response."""
    with server.bound(transport) as wire:
        wire.send(pdu.request(calls.HANG), pdu.control(pdu.ORPHANED, 2))
        wire.expect_silence(0.1)
        check_usable(wire)
        wire.send(open_take(3), pdu.control(pdu.ORPHANED, 3))
        wire.expect_silence(0.1)
        check_usable(wire)


def test_c_orphaned_within_a_request(server):
    """Nobody works on it yet: given up where KeepConnectionOnOrphan was agreed; else not
    heard (RAW orphaned_request_after_first_last), so that the rest makes it a call."""
    stub = calls.echo(6, b"given up")
    keep = [Context(0), Context(1, pdu.PEER, (pdu.features(2),))]
    for contexts in (keep, [Context(0)]):
        with server.bound(contexts=contexts) as wire:
            wire.send(pdu.request(calls.ECHO, stub[:16], flags=FIRST),
                      pdu.control(pdu.ORPHANED, 2))
            wire.expect_silence(0.1)
            if contexts is keep:
                check_usable(wire, call=3)
                check_usable(wire, call=2)
            else:
                wire.send(pdu.request(calls.ECHO, stub[16:], flags=LAST))
                calls.check_echo(check_response(wire.recv_call()), 6, b"given up")
                check_usable(wire, call=2)


def test_c_cancel_within_a_request(server, wire):
    """RAW co_cancel_request_after_first: the request goes on."""
    wire.send(open_take(2), pdu.control(pdu.CO_CANCEL, 2))
    wire.send(pdu.request(calls.TAKE, bytes(4), flags=LAST))
    calls.check_take(check_response(wire.recv_call()), 1, b"abcd")
