# SPDX-License-Identifier: MIT
"""Our client with endpoint mappers that answer what they should not: a mapper made by hand."""
import socket
import struct
import threading
from types import SimpleNamespace

import pytest

from endpoint_mapper import OK, UNKNOWN, Client, Server, a_mapper, starter
from peer import pdu
from test_endpoint_wire import INSERT, connect, insert_stub, vector

assert a_mapper and starter

LOOKUP, MAP, FREE = 2, 3, 4
NOT_REGISTERED, NIL_HANDLE = 0x16c9a0d6, bytes(20)


class Fake:
    """A mapper on TCP that answers each operation with what `answers` says: stub data, made by a
    function of how often it was asked, or a whole PDU."""

    def __init__(self, env, answers):
        self.answers, self.asked = answers, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.env = dict(env, PENSTOCK_EPMAPPER=str(port), PENSTOCK_TRANSFER_SYNTAX="ndr")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(pdu.Wire(sock),), daemon=True).start()

    def serve(self, wire):
        try:
            bind = wire.recv()
            results = [(pdu.ACCEPTED, 0, pdu.NDR)] + [
                (pdu.REJECTED, pdu.NO_TRANSFER, pdu.NIL)] * (len(bind.contexts) - 1)
            wire.send(pdu.bind_ack(bind.call, results))
            while True:
                request = wire.recv()
                self.asked.append(request.opnum)
                stub = self.answers[request.opnum](self.asked.count(request.opnum))
                wire.send(pdu.response(stub, call=request.call))
        except (pdu.Closed, OSError):
            pass
        finally:
            wire.close()

    def close(self):
        self.listener.close()


@pytest.fixture(name="fake")
def fake_mapper(program_env):
    """Makes one, with a client of it."""
    made = []

    def make(**answers):
        fake = Fake(program_env, {{"lookup": LOOKUP, "map": MAP, "free": FREE}[name]: answer
                                  for name, answer in answers.items()})
        client = Client(fake, "ncacn_ip_tcp:127.0.0.1")
        made.append(SimpleNamespace(fake=fake, client=client))
        return made[-1]
    yield make
    for each in made:
        each.client.close()
        each.fake.close()


def map_answer(towers, status=0, handle=NIL_HANDLE, count=None):
    count = len(towers) if count is None else count
    stub = handle + struct.pack("<4I", count, 16, 0, count)
    stub += b"".join(struct.pack("<I", 0 if t is None else i + 1) for i, t in enumerate(towers))
    for tower in towers:
        if tower is not None:
            stub += struct.pack("<II", len(tower), len(tower)) + tower + bytes(-len(tower) % 4)
    return stub + struct.pack("<I", status)


def lookup_answer(towers, status=0, handle=NIL_HANDLE):
    stub = handle + struct.pack("<4I", len(towers), 100, 0, len(towers))
    for i in range(len(towers)):
        stub += bytes(16) + struct.pack("<3I", i + 1, 0, 2) + b"x\0\0\0"
    for tower in towers:
        stub += struct.pack("<II", len(tower), len(tower)) + tower + bytes(-len(tower) % 4)
    return stub + struct.pack("<I", status)


TCP = vector("t1_tower_tcp")
STRANGE = {
    "none": [], "null": [None], "empty": [b""], "rubbish": [b"\xff" * 75], "cut": [TCP[:-1]],
    "another protocol": [vector("t3_tower_local"), vector("t4_tower_http")],
    "port 0": [TCP[:-11] + b"\0\0" + TCP[-9:]], "all of it": [None, b"", TCP[:-1]],
}


@pytest.mark.parametrize("towers", STRANGE.values(), ids=STRANGE.keys())
@pytest.mark.parametrize("how", ["resolve endpoint", "who", "async"])
def test_nothing_usable(fake, towers, how):
    """Success, and no tower that leads anywhere: 1753."""
    client = fake(map=lambda n: map_answer(towers)).client
    assert abs(client.do(how)) == UNKNOWN


def test_one_of_them_is_usable(fake):
    """Among others that are not, wherever the random choice begins; what more there is is given
    back."""
    towers = [None, b"\xff" * 10, TCP[:-11] + b"\x12\x67" + TCP[-9:], vector("t4_tower_http")]
    made = fake(map=lambda n: map_answer(towers, handle=b"\0\0\0\0" + b"\7" * 16),
                free=lambda n: NIL_HANDLE + bytes(4))
    for _ in range(20):
        assert made.client.do("resolve endpoint") == OK
        assert made.client.ask("text") == "ncacn_ip_tcp:127.0.0.1[4711]"
        assert made.client.do("reset") == OK
    assert made.fake.asked.count(FREE) == 20


BROKEN = {
    "nothing": b"", "cut": map_answer([TCP])[:-5], "too many": map_answer([TCP] * 17),
    "count of nothing": map_answer([], count=3),
    "length": map_answer([TCP]).replace(struct.pack("<II", 75, 75), struct.pack("<II", 75, 2**31)),
}


@pytest.mark.parametrize("stub", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("how", ["resolve endpoint", "async"])
def test_broken_answers(fake, stub, how):
    """1783 or kin; the client goes on."""
    made = fake(map=lambda n: stub)
    for _ in range(3):
        assert abs(made.client.do(how)) in (1783, 1734, 1728)


BROKEN_LISTS = {
    "nothing": b"", "cut": lookup_answer([TCP, TCP])[:-5], "cut within": lookup_answer([TCP])[:100],
    "too many": lookup_answer([TCP] * 101),
    "annotation": lookup_answer([TCP]).replace(b"\2\0\0\0x\0", b"\xff\0\0\0x\0"),
}


@pytest.mark.parametrize("stub", BROKEN_LISTS.values(), ids=BROKEN_LISTS.keys())
def test_broken_lists(fake, stub):
    """The same of a search, and one that is whole afterwards."""
    made = fake(lookup=lambda n: stub if n < 4 else lookup_answer([TCP] * 100))
    for _ in range(3):
        made.client.tell("list 0 1 endpoint 2.3 0")
        assert made.client.line() in ("end 1783", "end 1734", "end 1728")
    assert len(made.client.entries(here=False)) == 100


@pytest.mark.parametrize("status, wanted", [(0x16c9a0ce, 1130), (0x16c9a0d1, 5), (0x16c9a0cd, 1752),
                                            (1752, 1752), (0x16c9a0d3, 1751), (4711, 4711)])
def test_statuses(fake, status, wanted):
    """C706's codes are those of the API; others are told as they are."""
    made = fake(map=lambda n: map_answer([], status))
    assert made.client.do("resolve endpoint") == wanted
    assert made.client.do("async") == -wanted


HANDLE = b"\0\0\0\0" + b"\5" * 16


@pytest.mark.parametrize("last", [
    lambda: lookup_answer([TCP] * 2), lambda: lookup_answer([TCP] * 2, NOT_REGISTERED),
    lambda: lookup_answer([TCP] * 2, 0, HANDLE)], ids=["nil handle", "Samba", "handle"])
def test_ends_of_searches(fake, last):
    """The last entries with success and a nil handle, with ept_s_not_registered, or followed by
    an answer with nothing: all of them are listed, once."""
    answers = {1: lookup_answer([TCP] * 3, 0, HANDLE), 2: last()}
    made = fake(lookup=lambda n: answers.get(n, lookup_answer([], NOT_REGISTERED)),
                free=lambda n: NIL_HANDLE + bytes(4))
    assert len(made.client.entries(here=False)) == 5


def test_search_without_end(fake):
    """Success, a handle, and nothing: that is the end, too; what is no tower is left out."""
    made = fake(lookup=lambda n: lookup_answer([TCP, b"", b"\xff" * 9, TCP] if n == 1 else [], 0,
                                               HANDLE), free=lambda n: NIL_HANDLE + bytes(4))
    assert len(made.client.entries(here=False)) == 2
    assert made.fake.asked.count(FREE) == 1


def test_protocols_that_are_not_ours(mapper, start):
    """Named pipes and HTTP are stored and listed, without a binding; they are nobody's way to the
    server."""
    wire = connect(mapper, local=True)
    towers = [vector("t2_tower_pipe"), vector("t4_tower_http")]
    assert wire.send(*pdu.fragments(INSERT, insert_stub(towers), 4000)) is None
    assert wire.recv_call()[0].stub == bytes(4)
    server = start(Server, "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    bindings = [line.split()[3] for line in start(Client).entries()]
    assert bindings[:2] == ["-", "-"] and bindings[2].startswith("ncalrpc:[")
    wire.close()
