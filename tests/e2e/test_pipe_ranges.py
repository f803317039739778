# SPDX-License-Identifier: MIT
"""AP-21: [range] on a pipe limits the elements of one chunk, [range] on its elements their
values.  Both are held by who receives: chunks as they arrive, elements as they are pulled.

Chunks out of range come from peers made by hand (peer/): our own side never sends them.
"""
import socket
import struct
import subprocess
import uuid

import pytest

from conftest import BUILD, serving
from peer import ndr, pdu
from peer.server import FakeServer

CLIENT, SERVER = BUILD / "tests/e2e/ranges/ranges_client", BUILD / "tests/e2e/ranges/ranges_server"
RANGES = pdu.Syntax(uuid.UUID("41c7d3f0-2b6e-4c58-9d2a-b8e5f1730a96"), 1)
CHUNKS, FEW, SYNC_FEW, SYNC_POINTS, LAST = range(5)
BAD_STUB_DATA, INVALID_ARG, COMPLETE = 1783, 87, 0
NDR20_ONLY = ((pdu.ACCEPTED, 0, pdu.NDR), (pdu.NEGOTIATED, 0, pdu.NIL))
KINDS = {"chunks": CHUNKS, "few": FEW, "sync": SYNC_FEW, "points": SYNC_POINTS}


@pytest.fixture(scope="module")
def server(program_env):
    with serving(SERVER, program_env) as running:
        yield running


def run_client(binding, env, kind, *pushes):
    """The client's status, where it was met, and what was pulled before."""
    done = subprocess.run([CLIENT, binding, kind, *pushes], env=env, capture_output=True, text=True,
                          timeout=25, check=True)
    status, where, *numbers = done.stdout.replace(":", " ").split()
    return int(status), where, list(map(int, numbers))


def pack_point(order, n):
    return struct.pack(order + "Bxxxi", 1, n)


def stub_of(kind, chunks, order="<"):
    writer = ndr.Writer(order)
    if kind == "points":
        return writer.pipe(chunks, pack_point, 4).done()
    return writer.long_pipe(*chunks).done()


def numbers_of(kind, stub):
    reader = ndr.Reader(stub)
    if kind == "points":
        return reader._elements(lambda o, b: struct.unpack(o + "Bxxxi", b)[1], 8, 4)
    return reader.long_pipe()


# ---- A hand-made client, our server -----------------------------------------------------


@pytest.fixture
def wire(server):
    with bound(server) as wire:
        yield wire


def bound(server):
    port = int(server.bindings["tcp4"].split("[")[1].rstrip("]"))
    wire = pdu.Wire(socket.create_connection(("127.0.0.1", port), timeout=10))
    wire.send(pdu.bind([pdu.Context(0, RANGES, (pdu.NDR,))]))
    assert wire.recv().ptype == pdu.BIND_ACK
    return wire


def last_of(wire):
    """What the server's last pull has said, and after how many elements."""
    wire.send(pdu.request(LAST, call=100))
    reader = ndr.Reader(wire.recv().stub)
    count, status = reader.u32(), reader.i32()
    return status, count


GOOD = [("chunks", [[1, 2], [3, 4, 5, 6, 7]]), ("chunks", []), ("few", [[-100], [100, 0] * 50]),
        ("sync", [[-100, 100], [5]]), ("points", [[-100, 100], [7]])]
# What is wrong, and the elements that may come before: a chunk's count is seen as it
# arrives, whatever was pulled by then.
BAD = [("chunks", [[1]], 0), ("chunks", [[1, 2, 3, 4, 5, 6]], 0), ("chunks", [[1, 2, 3], [4]], 3),
       ("few", [[101]], 0), ("few", [[-101]], 0), ("few", [[2**31 - 1]], 0),
       ("few", [[1, 2, 3], [4, 5, -2**31]], 3), ("sync", [[1, 2, 3, 4, 5, 6, 101]], 6),
       ("points", [[1, 2, 3, 101]], 3)]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind,chunks", GOOD)
def test_a_in_range(wire, kind, chunks, order):
    wire.send(pdu.request(KINDS[kind], stub_of(kind, chunks, order), order=order))
    stub = b"".join(p.stub for p in wire.recv_call())
    assert numbers_of(kind, stub) == [n for chunk in chunks for n in chunk]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind,chunks,before", BAD)
def test_b_server_pulls_what_is_out_of_range(wire, kind, chunks, before, order):
    """The manager is told 1783 by its pull, the client by a fault; nothing of the pull that
    met it counts, and the connection is good for the next call.  A chunk that is wrong when
    the request begins is refused before any manager is called."""
    wire.send(pdu.request(KINDS[kind], stub_of(kind, [])))
    wire.recv_call()
    assert last_of(wire) == (0, 0)
    wire.send(pdu.request(KINDS[kind], stub_of(kind, chunks, order), order=order))
    fault = wire.recv()
    assert fault.ptype == pdu.FAULT and fault.status == BAD_STUB_DATA, fault
    if kind == "chunks":
        assert last_of(wire)[1] <= before
    else:
        pdu.wait_until(lambda: last_of(wire) == (BAD_STUB_DATA, before), what="the pull")
    wire.send(pdu.request(KINDS[kind], stub_of(kind, [[1, 2], [3, 4]]), call=5))
    assert numbers_of(kind, b"".join(p.stub for p in wire.recv_call())) == [1, 2, 3, 4]


def test_b_manager_hears_of_a_chunk_that_is_out_of_range(server, wire):
    """It has pulled what came and waits for more."""
    stub = stub_of("chunks", [[1, 2, 3], [4]])
    with bound(server) as other:
        wire.send(pdu.request(CHUNKS, stub[:16], flags=pdu.FIRST))
        pdu.wait_until(lambda: last_of(other) == (997, 3), what="the first three")
        wire.send(pdu.request(CHUNKS, stub[16:], flags=pdu.LAST))
        fault = wire.recv()
        assert fault.ptype == pdu.FAULT and fault.status == BAD_STUB_DATA
        pdu.wait_until(lambda: last_of(other) == (BAD_STUB_DATA, 3), what="the pull")
    assert last_of(wire) == (BAD_STUB_DATA, 3)


def test_b_chunk_count_split_by_fragments(wire):
    """The count of a chunk, and an element, cut anywhere."""
    for chunks in ([[1, 2, 3, 4, 5, 6]], [[1, 2], [3]]):
        stub = stub_of("chunks", chunks)
        for piece in (8, 16):
            wire.send(*pdu.fragments(CHUNKS, stub, piece))
            fault = wire.recv()
            assert fault.ptype == pdu.FAULT and fault.status == BAD_STUB_DATA


# ---- Our client, a hand-made server -----------------------------------------------------


def serve(wire, kind, chunks, order="<"):
    bind = wire.recv()
    results = [NDR20_ONLY[0]] + [(pdu.REJECTED, 2, pdu.NIL)] * (len(bind.contexts) - 1)
    wire.send(pdu.bind_ack(bind.call, results))
    request = wire.recv()
    while not request.last:
        request = wire.recv()
    wire.send(pdu.response(stub_of(kind, chunks, order), call=request.call, order=order))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind,chunks", GOOD)
def test_a_answers_in_range(program_env, kind, chunks, order):
    with FakeServer(lambda wire, _: serve(wire, kind, chunks, order)) as fake:
        assert run_client(fake.binding, program_env, kind, "1 2") == \
            (0, "complete", [n for chunk in chunks for n in chunk])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind,chunks,before", BAD)
def test_b_client_pulls_what_is_out_of_range(program_env, kind, chunks, before, order):
    """Its pull fails, or the synchronous stub raises; the same status."""
    def script(wire, _):
        serve(wire, kind, chunks, order)
        try:  # the call is over there as well: orphaned, or the connection ends
            while True:
                assert wire.recv().ptype in (pdu.ORPHANED, pdu.CO_CANCEL)
        except pdu.Closed:
            pass

    with FakeServer(script) as fake:
        status, where, numbers = run_client(fake.binding, program_env, kind, "1 2")
    assert status == BAD_STUB_DATA
    # A wrong chunk fails the call when it arrives, which the null push may still see.
    assert where in {"chunks": ("push", "pull"), "few": ("pull",)}.get(kind, ("call",))
    assert len(numbers) <= before and numbers == [n for c in chunks for n in c][:len(numbers)]


# ---- Ours with ours ----------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_between_penstocks(server, syntax_env, transport, kind):
    said = run_client(server.bindings[transport], syntax_env, kind, "1 2", "3 4 5", "-100 100")
    assert said == (COMPLETE, "complete", [1, 2, 3, 4, 5, -100, 100])


@pytest.mark.parametrize("kind", ["few", "sync", "points"])
def test_b_elements_between_penstocks(server, syntax_env, kind):
    """A push does not look at values; who pulls does, and the pusher hears of it."""
    status, _, numbers = run_client(server.bindings["tcp4"], syntax_env, kind, "1 2 3", "4 101 5")
    assert (status, numbers) == (BAD_STUB_DATA, [])


@pytest.mark.parametrize("push,status", [("1", INVALID_ARG), ("1 2 3 4 5 6 7 8 9 10", COMPLETE),
                                         ("1 2 3 4 5 6", COMPLETE),
                                         (" ".join(map(str, range(16))), INVALID_ARG)])
def test_b_push_that_no_chunks_can_carry(server, syntax_env, push, status):
    """One push becomes a chunk, or a few that keep the range; else it is refused, and nothing
    was sent."""
    said = run_client(server.bindings["tcp4"], syntax_env, "chunks", push)
    assert said[0] == status
    if status == COMPLETE:
        assert said[2] == [*map(int, push.split())]
