# SPDX-License-Identifier: MIT
"""What our client says to a server that shares no code with it, and what it makes of the
answers: strange but legal ones, wrong ones, and those that break off.

The server is a script per connection (peer/server.py); the client is peer_client.
"""
import itertools
import struct

import pytest

from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST
from peer.server import FakeServer, Server, run_client

ACK = ((pdu.ACCEPTED, 0, pdu.NDR), (pdu.NEGOTIATED, 2, pdu.NIL))
TEXT = b"weird but legal"
ECHO = ("echo", -21, TEXT.decode())


def echo_reply(number=-21, text=TEXT, order="<", pad=b"\0"):
    writer = ndr.Writer(order, pad).i32(number * 2).u32(0x20000).string(text[::-1])
    return writer.i32(number).done()


def check_echo(line, status=0):
    assert line["status"] == status, line
    if status == 0:
        assert (line["result"], line["twice"]) == (-21, -42)
        assert line["reversed"] == TEXT.decode()[::-1]


def serve_bind(wire, **kwargs):
    """Answers the bind as any server would, unless told otherwise."""
    bind = wire.recv()
    assert bind.ptype == pdu.BIND, bind
    wire.send(pdu.bind_ack(bind.call, kwargs.pop("results", ACK), **kwargs))
    return bind


def recv_request(wire):
    """All fragments of one request."""
    pdus = [wire.recv()]
    while not pdus[-1].last:
        pdus.append(wire.recv())
    assert all(p.ptype == pdu.REQUEST for p in pdus), pdus
    return pdus


def serve_echo(wire, **kwargs):
    request = recv_request(wire)[0]
    wire.send(pdu.response(echo_reply(), call=request.call, **kwargs))
    return request


def until_end(wire):
    """Reads what still comes, to the end of the connection."""
    pdus = []
    try:
        while True:
            pdus.append(wire.recv())
    except pdu.Closed:
        return pdus


# ---- Peers that are known to be different --------------------------------------------------


def test_b_wine_numbers_nothing():
    """Wine's server gives all its PDUs the call id 1 and does not multiplex (wire.md 9): calls
    in a row on one connection, in fragments, with a fault among them."""
    def script(wire, _):
        wire.send(pdu.bind_ack(1, (ACK[0],), group=0x77))
        for i in range(4):
            request = recv_request(wire)[0]
            assert request.call == i + 2
            if i == 2:
                wire.send(pdu.fault(5, call=1))
                continue
            reply = echo_reply()
            wire.send(pdu.response(reply[:8], call=1, flags=FIRST),
                      pdu.response(reply[8:], call=1, flags=LAST))

    def after_bind(wire, number):
        assert wire.recv().ptype == pdu.BIND
        script(wire, number)
    with FakeServer(after_bind) as fake:
        lines = run_client(fake.binding, *ECHO, "--", *ECHO, "--", *ECHO, "--", *ECHO)
        for i, line in enumerate(lines):
            check_echo(line, 5 if i == 2 else 0)
        assert fake.count == 1


# ---- bind ----------------------------------------------------------------------------------


def test_a_bind_fields():
    seen = []

    def script(wire, _):
        seen.append(serve_bind(wire))
        serve_echo(wire)
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])
    bind, = seen
    assert bind.flags == FIRST | LAST | pdu.CONC_MPX
    assert bind.order == "<" and bind.octets[4:8] == b"\x10\0\0\0"
    assert (bind.xmit, bind.recv, bind.group) == (5840, 5840, 0)
    assert bind.contexts == [pdu.Context(0, pdu.PEER, (pdu.NDR,)),
                             pdu.Context(1, pdu.PEER, (pdu.NDR64,)),
                             pdu.Context(2, pdu.PEER, (pdu.features(2),))]


def test_a_request_fields():
    seen = []

    def script(wire, _):
        serve_bind(wire)
        for _ in range(3):
            seen.append(serve_echo(wire))
    with FakeServer(script) as fake:
        for line in run_client(fake.binding, *ECHO, "--", *ECHO, "--", *ECHO):
            check_echo(line)
        assert fake.count == 1, "one connection for calls in a row"
    assert all((p.flags, p.context, p.opnum) == (FIRST | LAST, 0, calls.ECHO) for p in seen)
    assert all(p.hint == len(p.stub) for p in seen)
    assert [p.call for p in seen] == sorted({p.call for p in seen}), "ids go up"
    reader = ndr.Reader(seen[0].stub)
    assert reader.i32() == -21 and reader.string() == TEXT
    reader.end()


@pytest.mark.parametrize("kwargs", [
    {"address": b""}, {"address": b"\0"}, {"address": b"\\PIPE\\lsass\0"},
    {"address": b"x" * 1000 + b"\0"},
    {"results": ACK[:1]}, {"results": (ACK[0], (pdu.REJECTED, 2, pdu.NIL))},
    {"results": (ACK[0], (pdu.NEGOTIATED, 0xFFFF, pdu.NIL))},
    {"flags": FIRST | LAST | pdu.CONC_MPX}, {"flags": FIRST | LAST | pdu.HEADER_SIGN},
    {"flags": 0}, {"group": 0xFFFFFFFF}, {"group": 0}, {"order": ">"},
    {"xmit": 0, "recv": 0}, {"xmit": 8, "recv": 8}, {"xmit": 1432, "recv": 1433},
    {"xmit": 65535, "recv": 65535}, {"xmit": 4280, "recv": 2048},
], ids=itertools.count())
def test_b_bind_ack(kwargs):
    def script(wire, _):
        serve_bind(wire, **kwargs)
        serve_echo(wire)
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


def test_b_bind_ack_with_an_empty_trailer():
    """Eight octets of a sec_trailer with an empty token may follow (MS-RPCE 3.3.1.5.2.1)."""
    def script(wire, _):
        bind = wire.recv()
        wire.send(pdu.build(pdu.BIND_ACK, 3, bind.call, pdu.bind_ack(results=ACK)[16:] + bytes(8)))
        serve_echo(wire)
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


@pytest.mark.parametrize("offered,size", [
    (0, 1432), (8, 1432), (1432, 1432), (1439, 1432), (2048, 2048), (4285, 4280), (65535, 5840)])
def test_b_frag_size(offered, size):
    """C706 12.6.3.6: what the server can receive is not exceeded, 1,432 always fit.
    Fragments end at multiples of 8 of the stub; only the first, which carries all
    parameters before the pipe and goes out at once, may end at an odd multiple of 4."""
    data = calls.octets(100000)

    def script(wire, _):
        serve_bind(wire, recv=offered)
        pdus = recv_request(wire)
        left = total = sum(len(p.stub) for p in pdus)
        for i, p in enumerate(pdus):
            assert len(p.octets) <= size
            assert p.flags == (FIRST if i == 0 else 0) | (LAST if p is pdus[-1] else 0)
            assert (p.call, p.context, p.opnum) == (pdus[0].call, 0, calls.TAKE)
            assert (p.hint == len(p.stub)) if p.last else (len(p.stub) < p.hint <= left)
            assert len(p.stub) > 0
            left -= len(p.stub)
            assert p.last or (total - left) % (4 if i == 0 else 8) == 0
        assert max(len(p.octets) for p in pdus) == (size & ~7)
        reader = ndr.Reader(b"".join(p.stub for p in pdus))
        assert reader.i32() == 7 and reader.byte_pipe() == data
        reader.end()
        reply = ndr.Writer().u64(len(data)).u32(sum(data)).i32(7).done()
        wire.send(pdu.response(reply, call=pdus[0].call))
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "take", len(data), 0)
        assert line == {"command": "take", "pushed": len(data), "count": len(data),
                        "sum": sum(data), "result": 7, "status": 0}


@pytest.mark.parametrize("reason,status", [
    (0, 1727), (1, 1723), (2, 1721), (3, 1727), (4, 1728), (5, 1727), (8, 1747), (9, 5),
    (0xFFFF, 1727)])
def test_b_bind_nak(reason, status):
    """MS-RPCE 2.2.2.5.  Also where it ends behind the reason, as some peers send it."""
    for octets in (pdu.bind_nak(reason), pdu.bind_nak(reason, versions=()),
                   pdu.build(pdu.BIND_NAK, 3, 1, struct.pack("<H", reason))):
        def script(wire, _, octets=octets):
            wire.recv()
            wire.send(octets)
        with FakeServer(script) as fake:
            check_echo(run_client(fake.binding, *ECHO)[0], status)


@pytest.mark.parametrize("result,status", [
    ((pdu.REJECTED, 1, pdu.NIL), 1717), ((pdu.REJECTED, 2, pdu.NIL), 1730),
    ((pdu.REJECTED, 0, pdu.NIL), 1730), ((pdu.REJECTED, 3, pdu.NIL), 1723),
    ((pdu.USER_REJECTED, 0, pdu.NIL), 1730), ((pdu.NEGOTIATED, 0, pdu.NIL), 1730),
    ((pdu.ACCEPTED, 0, pdu.NDR64), 1730), ((77, 0, pdu.NDR), 1730)])
def test_b_bind_rejected(result, status):
    def script(wire, _):
        serve_bind(wire, results=(result, ACK[1]))
        assert until_end(wire) == [], "nothing is sent on a context that is not there"
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0], status)


@pytest.mark.parametrize("octets,status", [
    (pdu.fault(4711, call=1), 4711),
    (pdu.fault(pdu.NCA_PROTO, call=1), 1728),
    (pdu.bind_ack(results=()), 1728),
    (pdu.bind_ack(vers=4), 1728),
    (pdu.bind_ack(frag_length=20), 1728),
    (pdu.bind_ack(drep=b"\x20\0\0\0"), 1728),
    (pdu.bind_ack(alter=True), 1728),
    (pdu.response(call=1), 1728),
    (pdu.request(0, call=1), 1728),
    (pdu.bind(), 1728),
    (pdu.build(77, 3, 1), 1728),
    (pdu.build(pdu.BIND_ACK, 3, 1, frag_length=15), 1728),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1728),
], ids=itertools.count())
def test_b_no_ack_at_all(octets, status):
    def script(wire, _):
        wire.recv()
        wire.send(octets)
        until_end(wire)
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0], status)


# ---- Answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 16, 1000])
@pytest.mark.parametrize("order", "<>")
def test_b_response_in_fragments(size, order):
    """Any cutting, either byte order, anything in pads, lies in hints and contexts."""
    stub = echo_reply(order=order, pad=b"\xaa")

    def script(wire, _):
        serve_bind(wire, order=order)
        call = recv_request(wire)[0].call
        for i in range(0, len(stub), size):
            wire.send(pdu.response(stub[i:i + size], call=call, order=order, hint=i * 77,
                                   context=i & 0xFF, cancels=i & 0xFF,
                                   flags=(FIRST if i == 0 else 0) |
                                   (LAST if i + size >= len(stub) else 0)))
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


@pytest.mark.parametrize("size", [1, 5, 8, 5816])
@pytest.mark.parametrize("order", "<>")
def test_b_out_pipe(size, order):
    """Hand-framed chunks, cut anywhere, in either byte order."""
    count = 3000
    data = calls.octets(count)
    chunks = [data[i:j] for i, j in ((0, 1), (1, 3), (3, 6), (6, 1000), (1000, count))]
    stub = ndr.Writer(order, b"\xaa").byte_pipe(*chunks).u32(0).done()

    def script(wire, _):
        serve_bind(wire)
        request = recv_request(wire)[0]
        assert request.stub == struct.pack("<II", count, 0)
        pieces = [stub[i:i + size] for i in range(0, len(stub), size)]
        for i, piece in enumerate(pieces):
            wire.send(pdu.response(piece, call=request.call, order=order, hint=0,
                                   flags=(FIRST if i == 0 else 0) |
                                   (LAST if i == len(pieces) - 1 else 0)))
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "give", count)
        assert (line["status"], line["pulled"], line["good"], line["result"]) == (
            0, count, True, 0)


def test_b_in_out_pipe():
    def script(wire, _):
        serve_bind(wire)
        pdus = recv_request(wire)
        reader = ndr.Reader(b"".join(p.stub for p in pdus))
        factor, numbers = reader.i32(), reader.long_pipe()
        reader.end()
        assert numbers == list(range(200))
        reply = ndr.Writer(">").long_pipe([n * factor for n in numbers[:7]],
                                          [n * factor for n in numbers[7:]])
        reply = reply.i32(len(numbers)).i32(-1).done()
        for i in range(0, len(reply), 12):
            wire.send(pdu.response(reply[i:i + 12], call=pdus[0].call, order=">",
                                   flags=(FIRST if i == 0 else 0) |
                                   (LAST if i + 12 >= len(reply) else 0)))
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "transform", 200)
        assert line == {"command": "transform", "pulled": 200, "good": True, "total": 200,
                        "result": -1, "status": 0}


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_b_in_pipe_of_hypers(count):
    """A peer that aligns elements of 8 octets by where they lie in the fragment, as FreeDCE
    does, may: before such a pipe, too, each fragment but the last ends at a multiple of 8
    of the stub (wire.md 1.11).  The parameters before it (here 4 octets) go with the
    first push."""
    def script(wire, _):
        serve_bind(wire)
        pdus = recv_request(wire)
        assert [len(p.stub) % 8 for p in pdus[:-1]] == [0] * (len(pdus) - 1)
        assert pdus[0].flags == FIRST, "begins before the first push"
        reader = ndr.Reader(b"".join(p.stub for p in pdus))
        assert reader.u8() == 0x5A
        assert reader.hyper_pipe() == list(range(count))
        reader.end()
        reply = ndr.Writer().hyper_pipe(*[[n] for n in range(count)]).u8(0xA5).done()
        for i in range(0, len(reply), 1400):
            wire.send(pdu.response(reply[i:i + 1400], call=pdus[0].call,
                                   flags=(FIRST if i == 0 else 0) |
                                   (LAST if i + 1400 >= len(reply) else 0)))
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "hypers", count)
        assert line == {"command": "hypers", "pulled": count, "good": True, "lead": 0xA5,
                        "status": 0}


def test_b_answers_of_nobody():
    """Responses, faults with an unknown call id are dropped (wire.md 5.7)."""
    def script(wire, _):
        serve_bind(wire)
        request = recv_request(wire)[0]
        for call in (request.call + 1, 0, 0xFFFFFFFF):
            wire.send(pdu.response(b"nonsense", call=call), pdu.fault(5, call=call))
        wire.send(pdu.response(echo_reply(), call=request.call))
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


def test_b_octets_behind_the_reply():
    def script(wire, _):
        serve_bind(wire)
        request = recv_request(wire)[0]
        wire.send(pdu.response(echo_reply() + b"\xfe" * 45, call=request.call))
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


@pytest.mark.parametrize("code,status", [
    (4711, 4711), (5, 5), (1783, 1783), (0xE0001234, 0xE0001234),
    (pdu.NCA_OP_RNG, 1745), (pdu.NCA_UNK_IF, 1717), (pdu.NCA_PROTO, 1728),
    (0x1C010014, 1723), (pdu.NCA_CANCEL, 1818), (0x1C000014, 1918), (0x1C000015, 1916),
    (0x1C000016, 1831), (0x1C000017, 1917), (0x1C000018, 1820), (0x1C000019, 14),
    (0x1C00001A, 6), (0x1C000012, 1726), (0x1C000021, 0x1C000021), (0, 1728),
    (0xC0000005, 1728), (0x80000003, 1728)])
def test_b_fault(code, status):
    """MS-RPCE 3.1.1.5.5, 3.3.2.5.1; then the same connection serves the next call."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(pdu.fault(code, call=recv_request(wire)[0].call))
        serve_echo(wire)
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *ECHO, "--", *ECHO)
        check_echo(first, status)
        check_echo(second)
        assert fake.count == 1


def test_b_fault_shapes():
    """A hint, a context, a count and a reserved field of any value, stub data behind:
    still a fault."""
    shapes = [struct.pack("<IHBxII", 24, 0, 9, 4711, 77),
              struct.pack("<IHBBII", 0, 0xFFFF, 0, 1, 4711, 0) + b"EERR or whatever it is"]

    def script(wire, _):
        serve_bind(wire)
        for shape in shapes:
            call = recv_request(wire)[0].call
            wire.send(pdu.build(pdu.FAULT, FIRST | LAST | pdu.DNE, call, shape))
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", *ECHO)
        assert [line["status"] for line in lines] == [4711, 4711]


@pytest.mark.parametrize("make", [
    lambda call: pdu.response(echo_reply()[:-1], call=call),
    lambda call: pdu.response(b"", call=call),
    lambda call: pdu.response(echo_reply()[:8] + b"\xff" * 40, call=call),
    lambda call: pdu.response(ndr.Writer().i32(1).u32(1).u32(2**31).u32(0).u32(2**31).done(),
                              call=call),
], ids=itertools.count())
def test_b_bad_reply(make):
    """The call fails with bad stub data; the connection was not at fault."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(make(recv_request(wire)[0].call))
        serve_echo(wire)
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *ECHO, "--", *ECHO)
        check_echo(first, pdu.BAD_STUB_DATA)
        check_echo(second)


@pytest.mark.parametrize("stub", [
    b"", struct.pack("<I", 5), struct.pack("<I", 5) + b"abc", struct.pack("<I", 1) + b"a\0\0\0",
    struct.pack("<I", 0xFFFFFFFF) + b"abcdefgh", struct.pack("<II", 0, 0)[:4],
    struct.pack("<I", 2) + b"ab\0\0" + struct.pack("<I", 0),
], ids=itertools.count())
def test_b_bad_pipe(stub):
    """The response ends within the pipe, or before the result behind it."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(pdu.response(stub, call=recv_request(wire)[0].call))
        until_end(wire)
    with FakeServer(script) as fake:
        assert run_client(fake.binding, "give", 100)[0]["status"] == pdu.BAD_STUB_DATA


@pytest.mark.parametrize("make", [
    lambda call: pdu.response(echo_reply(), call=call, flags=LAST),
    lambda call: pdu.response(echo_reply()[:8], call=call, flags=FIRST) * 2,
    lambda call: pdu.response(echo_reply()[:8], call=call, flags=FIRST) +
    pdu.response(echo_reply()[8:], call=call, flags=LAST, order=">"),
    lambda call: pdu.response(b"", call=call, flags=FIRST) +
    pdu.response(b"", call=call, flags=0) * 1000,
    lambda call: pdu.response(echo_reply(), call=call, vers=4),
    lambda call: pdu.response(echo_reply(), call=call, frag_length=17),
    lambda call: pdu.response(echo_reply(), call=call, auth_length=5000),
    lambda call: pdu.build(pdu.FAULT, FIRST | LAST, call, struct.pack("<IHBxI", 0, 0, 0, 4711)),
    lambda call: pdu.bind_ack(call=call),
    lambda call: pdu.bind_nak(0, call=call),
    lambda call: pdu.request(0, call=call + 1),
    lambda call: pdu.build(42, 3, call),
], ids=itertools.count())
def test_b_server_breaks_the_protocol(make):
    """The association is lost, not the program: the next call makes another."""
    def script(wire, number):
        serve_bind(wire)
        if number == 0:
            wire.send(make(recv_request(wire)[0].call))
            until_end(wire)
        else:
            serve_echo(wire)
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *ECHO, "--", *ECHO)
        check_echo(first, 1728)
        check_echo(second)
        assert fake.count == 2


def test_b_response_before_the_request_ends():
    """Half duplex: illegal (wire.md 5.4)."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(pdu.response(bytes(16), call=wire.recv().call, flags=FIRST))
        until_end(wire)
    with FakeServer(script) as fake:
        assert run_client(fake.binding, "take", 50_000_000, 0)[0]["status"] == 1728


# ---- Faults and cancels in the middle ------------------------------------------------------


@pytest.mark.parametrize("fragments", [1, 2, 50])
def test_c_fault_while_pushing(fragments):
    """The push that hears of it says so; the half-sent request never ends, so the client
    gives the connection up."""
    def script(wire, number):
        serve_bind(wire)
        if number == 1:
            serve_echo(wire)
            return
        for _ in range(fragments):
            p = wire.recv()
        wire.send(pdu.fault(4711, call=p.call))
        rest = until_end(wire)
        assert not any(q.last for q in rest if q.ptype == pdu.REQUEST)
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, "abort", 0, 0, "--", *ECHO)
        assert first["status"] == 4711
        check_echo(second)


def test_c_fault_within_the_response():
    def script(wire, _):
        serve_bind(wire)
        call = recv_request(wire)[0].call
        wire.send(pdu.response(struct.pack("<I", 100) + calls.octets(12), call=call, flags=FIRST),
                  pdu.fault(4711, call=call))
        until_end(wire)
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "give", 100)
        assert line["status"] == 4711 and line["good"]


def test_c_cancel():
    """RpcAsyncCancelCall without abort: a co_cancel; the answer decides."""
    def script(wire, _):
        serve_bind(wire)
        for answer in (lambda call: pdu.fault(pdu.NCA_CANCEL, call=call),
                       lambda call: pdu.response(call=call)):
            call = recv_request(wire)[0].call
            cancel = wire.recv()
            assert (cancel.ptype, cancel.call, cancel.flags) == (pdu.CO_CANCEL, call, 3)
            wire.send(answer(call))
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, "hang", 20, "--", "hang", 20)
        assert (first["status"], second["status"]) == (1818, 0)


@pytest.mark.parametrize("mpx", [0, pdu.CONC_MPX])
def test_c_abort(mpx):
    """With abort the call ends here at once: orphaned and the end of the connection, or,
    on one that may be shared, a co_cancel, and the late answer is dropped."""
    def script(wire, number):
        serve_bind(wire, flags=FIRST | LAST | mpx)
        call = recv_request(wire)[0].call
        p = wire.recv()
        assert p.ptype == (pdu.CO_CANCEL if mpx else pdu.ORPHANED) and p.call == call
        if mpx:
            wire.send(pdu.fault(pdu.NCA_CANCEL, call=call))
            serve_echo(wire)
        else:
            assert until_end(wire) == []
    with FakeServer(script) as fake:
        if mpx:
            first, second = run_client(fake.binding, "hang-abort", 20, "--", *ECHO)
            check_echo(second)
        else:
            first, = run_client(fake.binding, "hang-abort", 20)
        assert first["status"] == 1818


def test_c_answers_without_a_call():
    """Wine's servers write 1, the bind's identifier, into all they send: the answer is that of
    the call that waits.  In pieces, with a fault between them."""
    def script(wire, _):
        assert serve_bind(wire).call == 1
        for turn in range(4):
            request = recv_request(wire)[0]
            assert request.call != 1
            reply = echo_reply()
            if turn == 1:
                wire.send(pdu.fault(pdu.NCA_UNK_IF, call=1))
            elif turn == 2:
                wire.send(pdu.response(reply[:16], call=1, flags=FIRST))
                wire.send(pdu.response(reply[16:], call=1, flags=LAST))
            else:
                wire.send(pdu.response(reply, call=1))
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", *ECHO, "--", *ECHO, "--", *ECHO)
        assert fake.count == 1
    for line, status in zip(lines, (0, 1717, 0, 0)):
        check_echo(line, status)


# ---- The end of connections ----------------------------------------------------------------


def test_c_shutdown():
    """shutdown: calls in progress finish, new ones go elsewhere."""
    def script(wire, number):
        serve_bind(wire)
        request = recv_request(wire)[0]
        if number == 0:
            wire.send(pdu.control(pdu.SHUTDOWN, 0))
        wire.send(pdu.response(echo_reply(), call=request.call))
        if number == 0:
            assert until_end(wire) == [], "no new call on this one"
    with FakeServer(script) as fake:
        for line in run_client(fake.binding, *ECHO, "--", *ECHO):
            check_echo(line)
        assert fake.count == 2


def test_c_connection_closed_while_idle():
    """The next call notices and takes another connection."""
    def script(wire, number):
        serve_bind(wire)
        serve_echo(wire)
    with FakeServer(script) as fake:
        for line in run_client(fake.binding, *ECHO, "--", "wait", 200, "--", *ECHO):
            assert line["status"] == 0
        assert fake.count == 2


def cut_everywhere(octets_of, commands, good, wanted):
    """Runs one command per place where the server's octets may break off.  octets_of(n)
    answers request fragments; `wanted` judges the status of each."""
    total = good
    places = list(range(total))

    def script(wire, number):
        bind = wire.recv()
        octets = pdu.bind_ack(bind.call, ACK)
        place = places[number] if number < len(places) else None
        if place is not None and place < len(octets):
            wire.send(octets[:place])
            return
        wire.send(octets)
        call = recv_request(wire)[0].call
        answer = octets_of(call)
        wire.send(answer if place is None else answer[:place - len(octets)])
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *(list(commands) + (["--"] + list(commands)) * total))
        assert fake.count == total + 1
    for place, line in zip(places, lines):
        assert wanted(place, line["status"]), (place, line)
    assert lines[-1]["status"] == 0, lines[-1]


def lost(ack_len):
    """Before the ack: the server cannot be reached; after it: the call has failed."""
    return lambda place, status: status in ((1722,) if place < ack_len else (1726, 1722))


ACK_LEN = len(pdu.bind_ack(1, ACK))


def test_c_cut_at_every_octet_of_a_call():
    def answer(call):
        stub = echo_reply()
        return (pdu.response(stub[:16], call=call, flags=FIRST) +
                pdu.response(stub[16:], call=call, flags=LAST))
    cut_everywhere(answer, ECHO, ACK_LEN + len(answer(1)), lost(ACK_LEN))


def test_c_cut_at_every_octet_of_a_pipe():
    def answer(call):
        stub = ndr.Writer().byte_pipe(calls.octets(11)[:3], calls.octets(11)[3:]).u32(0).done()
        return (pdu.response(stub[:16], call=call, flags=FIRST) +
                pdu.response(stub[16:], call=call, flags=LAST))
    cut_everywhere(answer, ("give", 11), ACK_LEN + len(answer(1)), lost(ACK_LEN))


def test_c_reset_while_pushing():
    def script(wire, number):
        serve_bind(wire)
        if number == 1:
            serve_echo(wire)
            return
        for _ in range(20):
            wire.recv()
        wire.reset()
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, "take", 2**33, 0, "--", *ECHO)
        assert first["status"] == 1726
        check_echo(second)


def test_c_nobody_listens():
    with FakeServer(lambda wire, number: None) as fake:
        binding = fake.binding
    assert run_client(binding, *ECHO)[0]["status"] == 1722


# ---- Our server, for comparison ------------------------------------------------------------


def test_c_everything_with_our_own_server(tmp_path):
    """The commands used above mean what they seem to."""
    tmp_path.chmod(0o700)
    server = Server(tmp_path)
    for binding in (server.binding, server.local_binding):
        lines = run_client(
            binding, *ECHO, "--", "take", 100000, 777, "--", "give", 1000000, "--",
            "transform", 5000, "--", "sum", 1000, "--", "abort", 4711, 100000, "--",
            "abort-out", 4712, 5000, "--", "hang", 10, "--", "hang-abort", 10, "--", "nothing",
            env=server.env)
        check_echo(lines[0])
        assert [line["status"] for line in lines] == [0, 0, 0, 0, 0, 4711, 4712, 1818, 1818, 0]
        assert (lines[1]["count"], lines[1]["sum"]) == (100000, sum(calls.octets(100000)))
        assert all(line["good"] for line in (lines[2], lines[3], lines[4]))
    assert server.stop() == 0
