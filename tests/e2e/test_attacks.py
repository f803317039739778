# SPDX-License-Identifier: MIT
"""One test per class of attack that is not in test_peer_hostile.py, test_limits.py or
test_peer_wire.py already (docs/conformance.md has the table): hand-made PDUs on every transport,
against a server that another client streams through meanwhile, or against one that has nothing
else to do and whose CPU time is looked at.
"""
import itertools
import struct
import threading
import time

import pytest

from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST, Context
from peer.server import Server
from test_peer_hostile import (  # fixtures: `server` streams meanwhile, and looks afterwards
    SANITIZED, good_call, running, server)  # noqa: F401

TRANSPORTS = ["tcp", "local"]
HEADER = 16


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A server nobody else uses: what it computes is the attack's doing."""
    runtime_dir = tmp_path_factory.mktemp("calm")
    runtime_dir.chmod(0o700)
    calm = Server(runtime_dir)
    for transport in TRANSPORTS:
        good_call(calm, transport)
    yield calm
    assert calm.stop() == 0


def check_sleeps(server, seconds=0.4):
    """Whatever it had to do is done, and it does not go on."""
    time.sleep(0.1)
    before = server.cpu_seconds()
    time.sleep(seconds)
    assert server.cpu_seconds() - before <= 0.1 * seconds + 0.02, "the server spins"


def answers(wire):
    """All PDUs to the end of the connection."""
    pdus = []
    try:
        while True:
            pdus.append(wire.recv())
    except pdu.Closed:
        return pdus


# ---- Headers -------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bound", [False, True])
def test_frag_length_within_the_header(server, transport, bound):
    """Every frag_length from 0 to the header's size, on every type that a client may send: no
    octet of it is taken for another PDU, and the connection ends; nobody could say where in it an
    answer would belong, so there is none."""
    types = (pdu.REQUEST, pdu.BIND, pdu.ALTER, pdu.CO_CANCEL, pdu.ORPHANED, pdu.AUTH3)
    for length, ptype in itertools.product(range(HEADER), types):
        with server.bound(transport) if bound else server.connect(transport) as wire:
            wire.send(pdu.build(ptype, FIRST | LAST, 7, bytes(64), frag_length=length))
            assert answers(wire) == [], (length, ptype)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frag_length_of_a_header_alone(server, transport):
    """16 octets: whole, and too short for what the type says; the two control PDUs are that."""
    for ptype in (pdu.REQUEST, pdu.ALTER, pdu.BIND, pdu.AUTH3):
        with server.bound(transport) as wire:
            wire.send(pdu.build(ptype, FIRST | LAST, 7))
            assert [p.ptype for p in answers(wire)] in ([pdu.FAULT], [pdu.BIND_NAK]), ptype
    with server.bound(transport) as wire:
        wire.send(pdu.build(pdu.CO_CANCEL, 3, 7), pdu.build(pdu.ORPHANED, 3, 7),
                  pdu.request(calls.NOTHING))
        assert wire.recv().ptype == pdu.RESPONSE


def test_headers_that_end_nothing_cost_nothing(calm):
    """Left open afterwards: neither side closes, the server sleeps."""
    wires = []
    for length in range(HEADER):
        wires.append(calm.connect("local" if length % 2 else "tcp"))
        wires[-1].send(pdu.bind(frag_length=length))
    check_sleeps(calm)
    for wire in wires:
        wire.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ptype", [pdu.REQUEST, pdu.BIND, pdu.ALTER, pdu.AUTH3])
def test_auth_length_beyond_the_fragment(server, transport, ptype):
    """From one octet too many to all that 16 bits hold; a trailer that reaches into the fixed
    part of its PDU as well."""
    body = pdu.bind()[HEADER:] if ptype in (pdu.BIND, pdu.ALTER) else bytes(24)
    room = len(body) - 8
    for auth_length in {1, 8, room - 8, room, room + 1, room + 8, room + 16, 0x7FFF, 0x8000,
                        0xFFF8, 0xFFFF}:
        with server.connect(transport) if ptype == pdu.BIND else server.bound(transport) as wire:
            wire.send(pdu.build(ptype, FIRST | LAST, 7, body, auth_length=auth_length))
            assert [p.ptype for p in answers(wire)] in ([pdu.FAULT], [pdu.BIND_NAK]), auth_length


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bound", [False, True])
def test_unknown_types(server, transport, bound):
    """Every type that is none of a client's: one answer, and the end."""
    ours = {pdu.REQUEST, pdu.BIND, pdu.ALTER, pdu.CO_CANCEL, pdu.ORPHANED}
    for ptype in set(range(256)) - ours:
        with server.bound(transport) if bound else server.connect(transport) as wire:
            wire.send(pdu.build(ptype, FIRST | LAST, 7, bytes(24)))
            said = answers(wire)
            assert [p.ptype for p in said] == [pdu.FAULT if bound else pdu.BIND_NAK], (ptype, said)


# ---- Fragments -----------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_first_and_last_in_every_order(server, transport):
    """All sequences of four fragments of one call: those in order are answered, the first that is
    not ends the association."""
    for flags in itertools.product((0, FIRST, LAST, FIRST | LAST), repeat=4):
        opened = False
        with server.bound(transport) as wire:
            for f in flags:
                wire.send(pdu.request(calls.NOTHING, bytes(8), flags=f, call=5))
                if bool(f & FIRST) == opened:
                    p = wire.recv()
                    assert (p.ptype, p.status) == (pdu.FAULT, pdu.NCA_PROTO), flags
                    wire.expect_end()
                    break
                opened = not f & LAST
                if not opened:
                    assert wire.recv().ptype == pdu.RESPONSE, flags


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_sums_beyond_4_gib(server, transport):
    """Hints whose sum overflows 32 bits, in order and beside chunk counts that do: nothing is
    allocated for them, what is really there decides."""
    before = server.status_kib("VmRSS")
    with server.bound(transport) as wire:
        for call, hint in enumerate((2**32 - 1, 2**31, 2**32 - 16, 1), 2):
            wire.send(*pdu.fragments(calls.TAKE, calls.take(1, b"abc" * 100), 16, call=call,
                                     hint=hint))
            calls.check_take(wire.recv().stub, 1, b"abc" * 100)
        # Two chunks of 2 GiB and more, of which nothing comes; the third would wrap the sum.
        for counts in ((2**31, 2**31), (2**32 - 1, 2), (2**32 - 4,)):
            stub = struct.pack("<i", 1) + b"".join(struct.pack("<I", c) + bytes(4) for c in counts)
            wire.send(pdu.request(calls.TAKE, stub, call=20, hint=2**32 - 1))
            p = wire.recv()
            assert (p.ptype, p.status) == (pdu.FAULT, pdu.BAD_STUB_DATA)
    assert server.status_kib("VmRSS") - before < 64 << 10


# ---- Control PDUs --------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ptype", [pdu.CO_CANCEL, pdu.ORPHANED])
def test_control_loops(server, transport, ptype):
    """200,000 of them, of calls that are not there, that run, and that are over."""
    before = server.status_kib("VmRSS")
    with server.bound(transport, flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(*[pdu.request(calls.HANG, call=i) for i in range(2, 12)])
        loop = b"".join(pdu.control(ptype, i % 20) for i in range(2000))
        faults = set()
        for _ in range(100):
            wire.send(loop)
        wire.send(pdu.request(calls.NOTHING, call=4000))
        while True:
            p = wire.recv()
            if p.call == 4000:
                break
            assert p.ptype == pdu.FAULT and p.call not in faults
            faults.add(p.call)
        assert p.ptype == pdu.RESPONSE
        assert faults <= set(range(2, 12)) if ptype == pdu.CO_CANCEL else not faults
    assert server.status_kib("VmRSS") - before < (256 if SANITIZED else 16) << 10


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_begin_and_abandon(server, transport):
    """Calls begun and orphaned in a loop, half of them within their request: none stays."""
    threads = server.threads()
    with server.bound(transport, flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        for call in range(2, 2002, 2):
            wire.send(pdu.request(calls.TAKE, calls.take(1, b"x")[:-4], flags=FIRST, call=call),
                      pdu.control(pdu.ORPHANED, call),
                      pdu.request(calls.HANG, call=call + 1), pdu.control(pdu.ORPHANED, call + 1))
        wire.send(pdu.request(calls.NOTHING, call=4000))
        p = wire.recv()
        assert (p.ptype, p.call) == (pdu.RESPONSE, 4000)
    pdu.wait_until(lambda: server.threads() <= threads + 8, 10, "the threads of managers end")


# ---- Connections ---------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bind_and_close_storm(server, transport):
    """Eight clients that connect, bind and leave as fast as they can, each in its own way."""
    failures = []

    def storm(way):
        try:
            for i in range(150):
                wire = server.connect(transport)
                if way != 0:
                    wire.send(pdu.bind() if way != 1 else pdu.bind()[:30])
                if way in (3, 7):
                    assert wire.recv().ptype == pdu.BIND_ACK
                if way > 5:
                    wire.send(pdu.request(calls.HANG))
                wire.reset() if i % 2 else wire.close()
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=storm, args=(way,)) for way in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures, failures[0]


def test_connections_that_wait_cost_nothing(calm):
    """Some hundred, each stopped at another octet of a bind, a header or a request."""
    wires = []
    for i in range(200):
        wire = calm.connect("local" if i % 2 else "tcp")
        wire.send((pdu.bind() + pdu.request(calls.ECHO, calls.echo(1, b"slow")))[:i])
        wires.append(wire)
    check_sleeps(calm)
    good_call(calm)
    for wire in wires:
        wire.close()


# ---- Pipes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ndr64", [False, True])
def test_flood_of_one_element_chunks(server, transport, ndr64):
    """Legal: each is taken, in time that grows with the octets and no faster."""
    syntax = pdu.NDR64 if ndr64 else pdu.NDR

    def seconds(count):
        data = bytes(i % 251 for i in range(count))
        stub = calls.take(1, *[data[i:i + 1] for i in range(count)], ndr64=ndr64)
        with server.bound(transport, contexts=[Context(0, pdu.PEER, (syntax,))]) as wire:
            pdus = b"".join(pdu.fragments(calls.TAKE, stub, 5800))
            start = time.monotonic()
            wire.send(pdus)
            calls.check_take(wire.recv().stub, 1, data)
            return time.monotonic() - start
    small = min(seconds(5000) for _ in range(3))
    assert seconds(100000) < 20 * small * 5 + 1


NDR64_WRONG = [
    ("count above 2^32", lambda w: w.u64(2**32 + 3).raw(b"abc").u64(-3 % 2**64)),
    ("count 2^64 - 1", lambda w: w.u64(2**64 - 1).raw(b"abc").u64(1)),
    ("count 2^63", lambda w: w.u64(2**63).raw(b"abc").u64(2**63)),
    ("trailer not negated", lambda w: w.u64(3).raw(b"abc").u64(3)),
    ("trailer of another count", lambda w: w.u64(3).raw(b"abc").u64(-4 % 2**64)),
    ("trailer 0", lambda w: w.u64(3).raw(b"abc").u64(0)),
    ("trailer right in its low half", lambda w: w.u64(3).raw(b"abc").u64(-3 % 2**32)),
    ("trailer of the end", lambda w: w.u64(0).u64(1)),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("size", [1, 8, 5800])
@pytest.mark.parametrize("wrong", [w for _, w in NDR64_WRONG], ids=[n for n, _ in NDR64_WRONG])
def test_chunks_of_ndr64(server, transport, wrong, size):
    """Bad stub data, however it is cut; nothing is allocated; the connection serves on."""
    before = server.status_kib("VmRSS")
    writer = ndr.Writer(ndr64=True).i32(1)
    wrong(writer)
    stub = writer.u64(0).u64(0).done()
    with server.bound(transport, contexts=[Context(0, pdu.PEER, (pdu.NDR64,))]) as wire:
        wire.send(*pdu.fragments(calls.TAKE, stub, size))
        p = wire.recv()
        assert (p.ptype, p.status) == (pdu.FAULT, pdu.BAD_STUB_DATA)
        wire.send(*pdu.fragments(calls.TAKE, calls.take(1, b"abc", ndr64=True), size, call=3))
        calls.check_take(wire.recv().stub, 1, b"abc")
    assert server.status_kib("VmRSS") - before < (256 if SANITIZED else 16) << 10


def test_chunk_that_never_comes(calm):
    """4 GiB announced on many connections: neither memory nor time."""
    before = calm.status_kib("VmRSS")
    wires = []
    for i in range(60):
        wires.append(calm.bound("local" if i % 2 else "tcp"))
        wires[-1].send(pdu.request(calls.TAKE, struct.pack("<iI", 1, 2**32 - 1) + b"x" * 40,
                                   flags=FIRST))
    check_sleeps(calm)
    assert calm.status_kib("VmRSS") - before < (256 if SANITIZED else 24) << 10
    good_call(calm)
    for wire in wires:
        wire.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_answers_behind_a_pipe_nobody_reads(calm, transport):
    """A client leaves the data of a pipe unread and makes more calls on the same connection.
    Their answers get in line behind the pipe; the threads that made them go on to serve others."""
    count, size, done = 64, 24 << 20, False
    with calm.bound(transport) as wire:
        wire.send(pdu.request(calls.GIVE, calls.give(size, 1 << 20), call=2))
        time.sleep(0.3)  # until the push waits
        threads = calm.threads()
        for call in range(3, 3 + count):
            wire.send(pdu.request(calls.ECHO, calls.echo(call, b"x" * 200), call=call))
        for other in TRANSPORTS:
            good_call(calm, other)
        assert calm.threads() <= threads + 2
        given, echoed = [], set()
        while len(echoed) < count or not done:
            p = wire.recv()
            if p.call == 2:
                given.append(p.stub)
                done = p.last
            else:
                calls.check_echo(p.stub, p.call, b"x" * 200)
                echoed.add(p.call)
        calls.check_give(b"".join(given), size)
        assert echoed == set(range(3, 3 + count))
