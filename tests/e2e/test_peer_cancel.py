# SPDX-License-Identifier: MIT
"""What goes over the wire when a client of ours ends a call early: co_cancel, orphaned, or
nothing (MS-RPCE 3.3.1.5.10, C706 12.6; AR-13, F7, F8).

The server is a script per connection (peer/server.py); the client is cancel_client."""
import os
import struct
import time

import pytest

from peer import pdu
from peer.pdu import FIRST, LAST
from peer.server import BUILD, FakeServer, Server, run_client

CLIENT = BUILD / "cancel_client"
ACK = ((pdu.ACCEPTED, 0, pdu.NDR), (pdu.NEGOTIATED, 2, pdu.NIL))
CANCELLED, CALL_FAILED = 1818, 1726
# Milliseconds in which a call is on its way to the server, on a busy machine, too.
DELAY = 500


def run(fake, *args):
    return run_client(fake.binding, *args, program=CLIENT)


def serve_bind(wire, flags=FIRST | LAST):
    bind = wire.recv()
    assert bind.ptype == pdu.BIND, bind
    wire.send(pdu.bind_ack(bind.call, ACK, flags=flags))


def recv_request(wire):
    request = wire.recv()
    assert request.ptype == pdu.REQUEST and request.flags == FIRST | LAST, request
    return request.call


def recv_control(wire, ptype, call):
    """A header and nothing else (wire.md 1.7)."""
    got = wire.recv()
    assert (got.ptype, got.call, got.flags) == (ptype, call, FIRST | LAST), got
    assert len(got.octets) == 16


def until_end(wire):
    """Reads what still comes, to the end of the connection."""
    pdus = []
    try:
        while True:
            pdus.append(wire.recv())
    except (pdu.Closed, ConnectionResetError):
        return pdus


# ---- Synchronous calls -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["thread", "thread-plain"])
@pytest.mark.parametrize("seconds", [-1, 10])
def test_b_thread_server_answers(command, seconds):
    """A co_cancel behind the request; the answer decides, and the connection serves on."""
    def script(wire, _):
        serve_bind(wire)
        for answer in (pdu.fault(pdu.NCA_CANCEL, call=0), pdu.response(call=0),
                       pdu.fault(4711, call=0)):
            call = recv_request(wire)
            recv_control(wire, pdu.CO_CANCEL, call)
            wire.send(answer[:12] + struct.pack("<I", call) + answer[16:])
    with FakeServer(script) as fake:
        one = [command, DELAY, seconds]
        lines = run(fake, *one, "--", *one, "--", *one)
        assert [line["status"] for line in lines] == [CANCELLED, 0, 4711]
        assert fake.count == 1


@pytest.mark.parametrize("command,status", [("thread", CANCELLED), ("thread-plain", CALL_FAILED)])
@pytest.mark.parametrize("seconds", [0, 1])
def test_b_thread_time_out(command, status, seconds):
    """After the time-out an orphaned, and the end of the connection; an answer that comes
    all the same reaches nobody, least of all the next call."""
    def script(wire, number):
        serve_bind(wire)
        call = recv_request(wire)
        if number == 1:
            wire.send(pdu.response(call=call))
            until_end(wire)
            return
        recv_control(wire, pdu.CO_CANCEL, call)
        begin = time.monotonic()
        recv_control(wire, pdu.ORPHANED, call)
        assert seconds - 0.2 < time.monotonic() - begin < seconds + 1
        try:
            wire.send(pdu.fault(4711, call=call))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        first, second = run(fake, command, DELAY, seconds, "--", "thread", 2000, 0)
        assert first["status"] == status
        assert 0 <= first["ms"] - DELAY - 1000 * seconds < 1000
        assert second["status"] == 0
        assert fake.count == 2


def test_b_thread_one_cancel():
    """One co_cancel for one RpcCancelThread, and nothing while there is time left."""
    def script(wire, _):
        serve_bind(wire)
        call = recv_request(wire)
        recv_control(wire, pdu.CO_CANCEL, call)
        wire.expect_silence(0.4)
        wire.send(pdu.response(call=call))
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        line, = run(fake, "thread", DELAY, 5)
        assert line["status"] == 0


def test_b_thread_connecting():
    """Before the bind is answered there is no call to speak of: the connection ends."""
    def script(wire, _):
        assert wire.recv().ptype == pdu.BIND
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        line, = run(fake, "thread", DELAY, -1)
        assert line["status"] == CANCELLED and line["ms"] < DELAY + 1000


def test_b_thread_over():
    """A cancel that comes too late is not heard of, by the next call neither."""
    def script(wire, _):
        serve_bind(wire)
        for _ in range(3):
            wire.send(pdu.response(call=recv_request(wire)))
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        lines = run(fake, "over", 0, "--", "over", -1, "--", "over", 1)
        assert [line["status"] for line in lines] == [0, 0, 0]


# ---- [in] pipes ------------------------------------------------------------------------------------


def recv_until(wire, ptype):
    """The fragments of a request before a PDU of another type, and that PDU."""
    pdus = [wire.recv()]
    assert pdus[0].ptype == pdu.REQUEST and pdus[0].first, pdus
    while pdus[-1].ptype == pdu.REQUEST and not pdus[-1].last:
        pdus.append(wire.recv())
    assert pdus[-1].ptype == ptype and pdus[-1].call == pdus[0].call, pdus
    return pdus[:-1], pdus[-1]


def stub_len(pdus):
    return sum(len(p.stub) for p in pdus)


@pytest.mark.parametrize("octets", [1, 5000, 20000, 300000])
def test_c_push_cancel(octets):
    """Without abort: a co_cancel between fragments, never before the first; the request goes
    on to its last fragment, and the answer decides."""
    count = struct.Struct("<QIi")

    def script(wire, _):
        serve_bind(wire)
        before, cancel = recv_until(wire, pdu.CO_CANCEL)
        assert cancel.flags == FIRST | LAST and not any(p.last for p in before)
        assert octets <= stub_len(before) <= octets + 64
        rest = [wire.recv()]
        while not rest[-1].last:
            rest.append(wire.recv())
        assert all(p.ptype == pdu.REQUEST and not p.first for p in rest)
        assert 777 <= stub_len(rest) <= 777 + 64
        wire.send(pdu.response(count.pack(octets + 777, 0, 1), call=cancel.call))
    with FakeServer(script) as fake:
        line, = run(fake, "push", octets, DELAY, 0, 777)
        assert line["status"] == 0


@pytest.mark.parametrize("octets", [1, 5000, 20000, 300000])
@pytest.mark.parametrize("deadline", [False, True])
def test_c_push_given_up(octets, deadline):
    """With abort, or past its deadline: orphaned instead of a last fragment, and the end of
    the connection, since servers may go on with what they have (wire.md 5.5)."""
    def script(wire, _):
        serve_bind(wire, FIRST | LAST | pdu.CONC_MPX)
        try:
            before, orphaned = recv_until(wire, pdu.ORPHANED)
        except pdu.Closed as closed:
            # What the transport has not taken by then is given up with a reset.
            assert octets > 100000 and "reset" in str(closed), closed
            return
        assert orphaned.flags == FIRST | LAST and len(orphaned.octets) == 16
        assert not any(p.last for p in before)
        assert octets <= stub_len(before) <= octets + 64
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        args = ["push-deadline", octets, DELAY] if deadline else ["push", octets, DELAY, 1, 0]
        line, = run(fake, *args)
        assert line["status"] == CANCELLED and line["ms"] < DELAY + 1000


def test_c_deadline_of_a_pull():
    """In the middle of a response."""
    def script(wire, _):
        serve_bind(wire)
        call = recv_request(wire)
        wire.send(pdu.response(struct.pack("<I", 100) + bytes(60), call=call, flags=FIRST))
        recv_control(wire, pdu.ORPHANED, call)
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        line, = run(fake, "pull-deadline", DELAY)
        assert line["status"] == CANCELLED and 0 <= line["ms"] - DELAY < 1000


@pytest.mark.parametrize("mpx", [0, pdu.CONC_MPX])
def test_c_deadline_without_pipes(mpx):
    """On a connection that may be shared a co_cancel, and the late answer is dropped."""
    def script(wire, number):
        serve_bind(wire, FIRST | LAST | mpx)
        call = recv_request(wire)
        recv_control(wire, pdu.CO_CANCEL if mpx else pdu.ORPHANED, call)
        if mpx:
            wire.send(pdu.response(call=call))
            second = recv_request(wire)
            wire.send(pdu.response(call=call), pdu.response(call=second))
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        if mpx:
            first, second = run(fake, "hang-deadline", DELAY, "--", "thread", 2000, 0)
            assert second["status"] == 0
        else:
            first, = run(fake, "hang-deadline", DELAY)
        assert first["status"] == CANCELLED and 0 <= first["ms"] - DELAY < 1000


def test_c_deadline_at_our_server(tmp_path_factory):
    """The manager sees it: PeerHang returns only when it is cancelled."""
    server = Server(tmp_path_factory.mktemp("run"))
    try:
        for _ in range(3):
            line, = run_client(server.binding, "hang-deadline", DELAY, program=CLIENT)
            assert line["status"] == CANCELLED
        own = 12 if "PENSTOCK_PCAP" in os.environ else 11
        pdu.wait_until(lambda: server.fd_count() <= own, what="calls given up are gone")
    finally:
        assert server.stop() == 0, "a call is still running"
