# SPDX-License-Identifier: MIT
"""Answers that are legal and rare, or wrong in a rare place, given to our client by hand; see
test_peer_odd.py.
"""
import struct

import pytest

from peer import calls, pdu
from peer.pdu import FIRST, LAST
from peer.server import FakeServer, run_client
from test_peer_client import ACK, ECHO, check_echo, echo_reply, recv_request, serve_bind, until_end


def answer_with(make, status=0, twice=True):
    """One echo answered with what `make(request)` says; a second one, well, on the same
    connection."""
    def script(wire, _):
        serve_bind(wire)
        wire.send(make(recv_request(wire)[0]))
        if twice:
            wire.send(pdu.response(echo_reply(), call=recv_request(wire)[0].call))
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, *(("--",) + ECHO if twice else ()))
        check_echo(lines[0], status)
        if twice:
            check_echo(lines[1])
            assert fake.count == 1


@pytest.mark.parametrize("tail", [1, 2, 7])
def test_b_response_with_empty_fragments(tail):
    """Empty ones first, amid and last (wire.md 9, 26)."""
    stub = echo_reply()

    def make(request):
        call = request.call
        return (pdu.response(b"", call=call, flags=FIRST) +
                pdu.response(stub, call=call, flags=0) +
                pdu.response(b"", call=call, flags=0) * (tail - 1) +
                pdu.response(b"", call=call, flags=LAST))
    answer_with(make)


@pytest.mark.parametrize("flags", [0x04, 0x08, pdu.CONC_MPX, pdu.DNE, pdu.MAYBE, pdu.OBJECT])
def test_b_response_flags_without_meaning(flags):
    answer_with(lambda r: pdu.response(echo_reply(), call=r.call, flags=FIRST | LAST | flags))


@pytest.mark.parametrize("order", "<>")
def test_b_answer_in_another_order_than_the_ack(order):
    def script(wire, _):
        serve_bind(wire, order="<" if order == ">" else ">")
        request = recv_request(wire)[0]
        wire.send(pdu.response(echo_reply(order=order), call=request.call, order=order))
        wire.send(pdu.fault(4711, call=recv_request(wire)[0].call, order=order))
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *ECHO, "--", *ECHO)
        check_echo(first)
        check_echo(second, 4711)


@pytest.mark.parametrize("drep", [b"\x11\0\0\0", b"\x10\x01\0\0", b"\x20\0\0\0", b"\x10\0\0\x01"])
def test_b_answer_in_another_representation(drep):
    """EBCDIC and the like: refused, not misread."""
    answer_with(lambda r: pdu.response(echo_reply(), call=r.call, drep=drep), 1728, twice=False)
    answer_with(lambda r: pdu.fault(5, call=r.call, drep=drep), 1728, twice=False)


@pytest.mark.parametrize("flags", [0, FIRST, LAST, FIRST | LAST | 0x5C])
@pytest.mark.parametrize("hint", [0, 16, 24, 28, 32, 0xFFFFFFFF])
@pytest.mark.parametrize("tail", [b"", bytes(4), b"stub of a DCE exception"])
def test_b_fault_of_any_shape(flags, hint, tail):
    """A fault is one PDU, its status is where it is; stub octets behind it mean nothing
    (MS-RPCE 2.2.2.8)."""
    def make(request):
        body = struct.pack("<IHBBII", hint, 0, 3, 0, 4711, 0) + tail
        return pdu.build(pdu.FAULT, flags, request.call, body)
    answer_with(make, 4711)


@pytest.mark.parametrize("code,status,dne_status", [
    (0x1C000009, 1726, 1727), (0x1C000012, 1726, 1727), (0x1C010009, 1726, 1727),
    (5, 5, 5), (pdu.NCA_UNK_IF, 1717, 1717), (0x1C00000C, 1727, 1727), (0x1C010014, 1723, 1723)])
def test_b_fault_that_says_not_executed(code, status, dne_status):
    """C706 12.6.4.7: where all that is known is that the call failed, the flag says that it was
    not executed."""
    answer_with(lambda r: pdu.fault(code, call=r.call), status)
    answer_with(lambda r: pdu.fault(code, call=r.call, flags=FIRST | LAST | pdu.DNE), dne_status)


def test_b_fault_behind_fragments_of_the_answer():
    answer_with(lambda r: pdu.response(echo_reply()[:16], call=r.call, flags=FIRST) +
                pdu.fault(4711, call=r.call), 4711)


def test_b_answer_behind_the_fault():
    """The call is over with its fault: what still comes for it is dropped."""
    answer_with(lambda r: pdu.fault(4711, call=r.call) +
                pdu.response(echo_reply(), call=r.call) + pdu.fault(5, call=r.call), 4711)


def test_b_two_answers():
    answer_with(lambda r: pdu.response(echo_reply(), call=r.call) * 3)


@pytest.mark.parametrize("results", [
    ((pdu.ACCEPTED, 0, pdu.NDR), (pdu.ACCEPTED, 0, pdu.NDR64), (pdu.NEGOTIATED, 2, pdu.NIL)),
    ((pdu.ACCEPTED, 77, pdu.NDR), ACK[1]),
    ((pdu.ACCEPTED, 0, pdu.NDR), (pdu.REJECTED, 2, pdu.NIL), (pdu.REJECTED, 2, pdu.NIL),
     (pdu.ACCEPTED, 0, pdu.NDR), (pdu.ACCEPTED, 0, pdu.UNKNOWN)),
])
def test_b_bind_ack_with_odd_results(results):
    """Both syntaxes accepted, a reason where there is none to give, more results than elements."""
    contexts = []

    def script(wire, _):
        serve_bind(wire, results=results)
        request = recv_request(wire)[0]
        contexts.append(request.context)
        wire.send(pdu.fault(4711, call=request.call))
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0], 4711)
    assert contexts[0] in (0, 1)


@pytest.mark.parametrize("call", [0, 77, 0xFFFFFFFF])
def test_b_bind_ack_of_another_number(call):
    """There is one bind; its ack needs no number (Wine's servers)."""
    def script(wire, _):
        wire.recv()
        wire.send(pdu.bind_ack(call, ACK))
        request = recv_request(wire)[0]
        wire.send(pdu.response(echo_reply(), call=request.call))
    with FakeServer(script) as fake:
        check_echo(run_client(fake.binding, *ECHO)[0])


def test_b_shutdown_with_the_ack_and_with_an_answer():
    """C706 12.6.4.11: a shutdown ends no call and begins none.  The first connection is told so
    before its first call, which goes elsewhere; the second behind an answer."""
    def script(wire, number):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, ACK) + (pdu.control(pdu.SHUTDOWN, 0) if number == 0
                                                  else b""))
        while number != 0:
            try:
                request = recv_request(wire)[0]
            except pdu.Closed:
                return
            wire.send(pdu.response(echo_reply(), call=request.call) +
                      (pdu.control(pdu.SHUTDOWN, 9) if number == 1 else b""))
            if number == 1:
                break
        assert until_end(wire) == [], "no new call on this one"
    with FakeServer(script) as fake:
        for line in run_client(fake.binding, *ECHO, "--", *ECHO, "--", *ECHO):
            check_echo(line)
        assert fake.count == 3


def test_b_maybe_that_is_answered():
    """[maybe] sends MAYBE and waits for nothing; servers answer all the same (Windows does), with
    a response, a fault, both, in pieces: that is of a call nobody knows."""
    answers = [lambda c: pdu.response(call=c), lambda c: pdu.fault(5, call=c),
               lambda c: pdu.response(b"1" * 8, call=c, flags=FIRST) +
               pdu.response(b"2", call=c, flags=LAST) + pdu.fault(5, call=c), lambda c: b""]

    def script(wire, _):
        serve_bind(wire)
        for i, answer in enumerate(answers):
            request, = recv_request(wire)
            assert request.flags == FIRST | LAST | pdu.MAYBE
            assert request.stub == struct.pack("<i", i)
            wire.send(answer(request.call))
            request, = recv_request(wire)
            assert request.flags == FIRST | LAST
            wire.send(pdu.response(echo_reply(), call=request.call))
    commands = [word for i in range(len(answers)) for word in ("--", "post", i, "--") + ECHO][1:]
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *commands)
        assert fake.count == 1
    for post, echo in zip(lines[::2], lines[1::2]):
        assert post == {"command": "post", "status": 0}
        check_echo(echo)


@pytest.mark.parametrize("command", [("hang", 700), ("take", 1000, 0), ("give", 5)])
def test_b_shutdown_with_the_ack_of_an_asynchronous_call(command):
    """The call waited for this connection: it is made there, and is its last."""
    def script(wire, number):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, ACK) + (pdu.control(pdu.SHUTDOWN, 0) if number == 0
                                                  else b""))
        request = recv_request(wire)[0]
        wire.send(pdu.fault(4711, call=request.call))
        assert until_end(wire) == []
    with FakeServer(script) as fake:
        first, second = run_client(fake.binding, *command, "--", *command)
        assert (first["status"], second["status"]) == (4711, 4711)
        assert fake.count == 2


TOGETHER = {
    "response": lambda: pdu.response(echo_reply(), call=2),
    "begun response": lambda: pdu.response(b"", call=2, flags=FIRST),
    "fault": lambda: pdu.fault(5, call=2),
    "fault of the bind": lambda: pdu.fault(5, call=1),
    "answer to no alter_context": lambda: pdu.bind_ack(2, ACK, alter=True),
    "second ack": lambda: pdu.bind_ack(1, ACK),
    "refusal": lambda: pdu.bind_nak(0),
    "shutdowns": lambda: pdu.control(pdu.SHUTDOWN, 0) * 3,
    "callback": lambda: pdu.request(0, b"", call=2),
    "bind": pdu.bind,
    "co_cancel": lambda: pdu.control(pdu.CO_CANCEL, 2),
    "orphaned": lambda: pdu.control(pdu.ORPHANED, 2),
    "half a header": lambda: b"\\x05\\0\\x02",
    "half a response": lambda: pdu.response(echo_reply(), call=2)[:30],
    "noise": lambda: bytes(range(256)),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("what", TOGETHER)
def test_c_together_with_the_ack(what, early, end):
    """Anything in one segment with the ack, or before there was a bind: calls of every kind end,
    with the fault or a status that says what the server is worth, and the program goes on."""
    octets = TOGETHER[what]()

    def script(wire, _):
        if early:
            wire.send(octets + pdu.bind_ack(1, ACK))
            wire.recv()
        else:
            bind = wire.recv()
            wire.send(pdu.bind_ack(bind.call, ACK) + octets)
        try:
            while not end:
                request = wire.recv()
                if what.startswith("half"):
                    return  # whatever followed would be read as its rest
                if request.ptype == pdu.REQUEST and request.last:
                    wire.send(pdu.fault(4711, call=request.call))
        except (pdu.Closed, ConnectionError):
            pass
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", "take", 9000, 0, "--", "give", 9, "--",
                           "transform", 9, "--", *ECHO)
        assert [line["command"] for line in lines] == ["echo", "take", "give", "transform", "echo"]
        assert all(line["status"] in (4711, 5, 1717, 1722, 1726, 1727, 1728, 1783) for line in lines), lines


@pytest.mark.parametrize("what", TOGETHER)
def test_c_together_with_an_answer(what):
    """The same behind an answer: the call has it, and is not touched by what follows."""
    octets = TOGETHER[what]()
    answers = {calls.ECHO: echo_reply(), calls.GIVE: bytes(8)}

    def script(wire, _):
        serve_bind(wire)
        try:
            while True:
                request = recv_request(wire)[0]
                wire.send(pdu.response(answers[request.opnum], call=request.call) + octets)
                if octets:
                    return
        except (pdu.Closed, ConnectionError):
            pass
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, "give", 0, "--", "wait", 50, "--", *ECHO, "--", "wait", 50,
                           "--", "give", 0, "--", "wait", 50, "--", *ECHO)
        assert [line["status"] for line in lines] == [0] * 7, lines
