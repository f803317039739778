# SPDX-License-Identifier: MIT
"""pdu.py - connection-oriented PDUs, built and taken apart field by field.

Written from C706 chapter 12 and MS-RPCE chapter 2 alone: it shares no table and no code
with src/wire, so that a mistake there is not repeated here.  It can also build what no
sane peer would send: every field of the header can be overridden.
"""
import socket
import struct
import time
import uuid
from dataclasses import dataclass, field

REQUEST, RESPONSE, FAULT = 0, 2, 3
BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP = 11, 12, 13, 14, 15
AUTH3, SHUTDOWN, CO_CANCEL, ORPHANED = 16, 17, 18, 19
CONTROL_TYPES = (SHUTDOWN, CO_CANCEL, ORPHANED)

FIRST, LAST, PENDING_CANCEL, RESERVED, CONC_MPX, DNE, MAYBE, OBJECT = (
    1, 2, 4, 8, 16, 32, 64, 128)
HEADER_SIGN = PENDING_CANCEL  # the same bit, on binds and their answers

ACCEPTED, USER_REJECTED, REJECTED, NEGOTIATED = 0, 1, 2, 3
NO_ABSTRACT, NO_TRANSFER, LOCAL_LIMIT = 1, 2, 3

NCA_OP_RNG, NCA_UNK_IF, NCA_PROTO = 0x1C010002, 0x1C010003, 0x1C01000B
NCA_CANCEL, NCA_PIPE_DISCIPLINE, NCA_BOUND = 0x1C00000D, 0x1C000017, 0x1C000007
BAD_STUB_DATA = 1783

HEADER_LEN = 16
TCP_FRAG, LOCAL_FRAG = 5840, 65528


@dataclass(frozen=True)
class Syntax:
    """A p_syntax_id: the interface or transfer syntax and its version."""
    uuid: uuid.UUID
    major: int
    minor: int = 0

    def pack(self, order):
        octets = self.uuid.bytes_le if order == "<" else self.uuid.bytes
        return octets + struct.pack(order + "I", self.minor << 16 | self.major)

    @staticmethod
    def unpack(octets, order):
        if order == "<":
            ident = uuid.UUID(bytes_le=octets[:16])
        else:
            ident = uuid.UUID(bytes=octets[:16])
        version = struct.unpack(order + "I", octets[16:20])[0]
        return Syntax(ident, version & 0xFFFF, version >> 16)


NIL = Syntax(uuid.UUID(int=0), 0)
NDR = Syntax(uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)
NDR64 = Syntax(uuid.UUID("71710533-beba-4937-8319-b5dbef9ccc36"), 1)
UNKNOWN = Syntax(uuid.UUID("deadbeef-0000-4000-8000-000000000001"), 1)
PEER = Syntax(uuid.UUID("2a7d4c1e-58b3-4f90-9c6d-e1f0a3b5c7d9"), 1, 2)
PEER2 = Syntax(uuid.UUID("2a7d4c1e-58b3-4f90-9c6d-e1f0a3b5c7da"), 1)


def features(bits):
    """The transfer syntax that negotiates features at bind time (MS-RPCE 2.2.2.14)."""
    prefix = uuid.UUID("6cb71c2c-9812-4540-0000-000000000000").bytes_le[:8]
    return Syntax(uuid.UUID(bytes_le=prefix + bits.to_bytes(8, "little")), 1)


@dataclass
class Context:
    """One element of a bind's list."""
    ident: int = 0
    abstract: Syntax = PEER
    transfer: tuple = (NDR,)


# ---- Building ----------------------------------------------------------------------------


def build(ptype, flags, call, body=b"", order="<", *, vers=5, minor=0, drep=None,
          frag_length=None, auth_length=0):
    if drep is None:
        drep = b"\x10\0\0\0" if order == "<" else b"\0\0\0\0"
    if frag_length is None:
        frag_length = HEADER_LEN + len(body)
    return struct.pack(order + "BBBB4sHHI", vers, minor, ptype, flags, drep, frag_length,
                       auth_length, call) + body


def bind(contexts=None, *, call=1, flags=FIRST | LAST, xmit=TCP_FRAG, recv=TCP_FRAG, group=0,
         order="<", alter=False, count=None, **header):
    if contexts is None:
        contexts = [Context()]
    body = struct.pack(order + "HHIBxxx", xmit, recv, group,
                       len(contexts) if count is None else count)
    for context in contexts:
        body += struct.pack(order + "HBx", context.ident, len(context.transfer))
        body += context.abstract.pack(order)
        body += b"".join(syntax.pack(order) for syntax in context.transfer)
    return build(ALTER if alter else BIND, flags, call, body, order, **header)


def request(opnum, stub=b"", *, call=2, flags=FIRST | LAST, context=0, hint=None, obj=None,
            order="<", **header):
    body = struct.pack(order + "IHH", len(stub) if hint is None else hint, context, opnum)
    if obj is not None:
        flags |= OBJECT
        body += obj.bytes_le if order == "<" else obj.bytes
    return build(REQUEST, flags, call, body + stub, order, **header)


def fragments(opnum, stub, size, *, hint=None, **kwargs):
    """The request as a list of PDUs of at most `size` stub octets."""
    pieces = [stub[i:i + size] for i in range(0, len(stub), size)] or [b""]
    pdus = []
    for i, piece in enumerate(pieces):
        flags = (FIRST if i == 0 else 0) | (LAST if i == len(pieces) - 1 else 0)
        pdus.append(request(opnum, piece, flags=flags, hint=hint, **kwargs))
    return pdus


def control(ptype, call):
    return build(ptype, FIRST | LAST, call)


def bind_ack(call=1, results=((ACCEPTED, 0, NDR),), *, flags=FIRST | LAST, xmit=TCP_FRAG,
             recv=TCP_FRAG, group=0x1234, address=b"135\0", order="<", alter=False, **header):
    body = struct.pack(order + "HHIH", xmit, recv, group, len(address)) + address
    body += bytes(-(HEADER_LEN + len(body)) % 4)
    body += struct.pack(order + "Bxxx", len(results))
    for result, reason, syntax in results:
        body += struct.pack(order + "HH", result, reason) + syntax.pack(order)
    return build(ALTER_RESP if alter else BIND_ACK, flags, call, body, order, **header)


# Extended error information follows it in a bind_nak (MS-RPCE 2.2.1.1.2).
EERR_SIGNATURE = uuid.UUID("90740320-fad0-11d3-82d7-009027b130ab")


def bind_nak(reason, call=1, versions=((5, 0),), eerr=None, signature=EERR_SIGNATURE):
    body = struct.pack("<HB", reason, len(versions)) + b"".join(bytes(v) for v in versions)
    if eerr is None:
        body += bytes(-len(body) % 8)
    else:
        body += bytes(-len(body) % 4) + signature.bytes_le + eerr
    return build(BIND_NAK, FIRST | LAST, call, body)


def response(stub=b"", *, call=2, flags=FIRST | LAST, context=0, hint=None, order="<",
             cancels=0, **header):
    body = struct.pack(order + "IHBx", len(stub) if hint is None else hint, context, cancels)
    return build(RESPONSE, flags, call, body + stub, order, **header)


def fault(status, *, call=2, flags=FIRST | LAST, context=0, hint=None, order="<", eerr=b"",
          **header):
    body = struct.pack(order + "IHBBII", 32 + len(eerr) if hint is None else hint, context, 0,
                       1 if eerr else 0, status, 0)
    return build(FAULT, flags, call, body + eerr, order, **header)


# ---- Taking apart ------------------------------------------------------------------------


class Malformed(Exception):
    """The peer sent something that is no PDU by the book."""


@dataclass
class Pdu:
    octets: bytes
    ptype: int
    flags: int
    call: int
    order: str
    # bind, bind_ack and kin
    xmit: int = 0
    recv: int = 0
    group: int = 0
    contexts: list = field(default_factory=list)
    address: bytes = b""
    results: list = field(default_factory=list)
    reason: int = 0
    versions: list = field(default_factory=list)
    # request, response, fault
    hint: int = 0
    context: int = 0
    opnum: int = 0
    cancels: int = 0
    status: int = 0
    obj: object = None
    stub: bytes = b""

    @property
    def first(self):
        return bool(self.flags & FIRST)

    @property
    def last(self):
        return bool(self.flags & LAST)

    @property
    def did_not_execute(self):
        return bool(self.flags & DNE)


def need(condition, text):
    if not condition:
        raise Malformed(text)


def header_of(octets):
    """(order, frag_length) of what begins with at least 16 octets."""
    order = "<" if octets[4] & 0xF0 == 0x10 else ">"
    return order, struct.unpack_from(order + "H", octets, 8)[0]


def parse(octets):
    """One whole PDU, every rule of its layout checked; what must be zero must be zero."""
    need(len(octets) >= HEADER_LEN, "shorter than a header")
    order, frag_length = header_of(octets)
    vers, minor, ptype, flags, drep, _, auth_length, call = struct.unpack_from(
        order + "BBBB4sHHI", octets)
    need((vers, minor) == (5, 0), f"version {vers}.{minor}")
    need(drep[1:] == b"\0\0\0" and drep[0] in (0x00, 0x10), f"drep {drep.hex()}")
    need(frag_length == len(octets), f"frag_length {frag_length} of {len(octets)}")
    need(auth_length == 0, "a trailer nobody asked for")
    pdu = Pdu(octets, ptype, flags, call, order)
    body = octets[HEADER_LEN:]
    parser = PARSERS.get(ptype)
    need(parser is not None, f"type {ptype}")
    parser(pdu, body, order)
    return pdu


def parse_bind(pdu, body, order):
    pdu.xmit, pdu.recv, pdu.group, count, r1, r2 = struct.unpack_from(order + "HHIBBH", body)
    need((r1, r2) == (0, 0), "reserved fields of a bind")
    pos = 12
    for _ in range(count):
        ident, n, reserved = struct.unpack_from(order + "HBB", body, pos)
        need(reserved == 0, "reserved octet of a context")
        abstract = Syntax.unpack(body[pos + 4:pos + 24], order)
        transfer = tuple(Syntax.unpack(body[pos + 24 + 20 * i:pos + 44 + 20 * i], order)
                         for i in range(n))
        pdu.contexts.append(Context(ident, abstract, transfer))
        pos += 24 + 20 * n
    need(pos == len(body), f"{len(body) - pos} octets behind the contexts")


def parse_bind_ack(pdu, body, order):
    pdu.xmit, pdu.recv, pdu.group, length = struct.unpack_from(order + "HHIH", body)
    pdu.address = body[10:10 + length]
    pos = 10 + length
    pad = -(HEADER_LEN + pos) % 4
    need(body[pos:pos + pad] == bytes(pad), "pad behind the secondary address")
    pos += pad
    count, r1, r2 = struct.unpack_from(order + "BBH", body, pos)
    need((r1, r2) == (0, 0), "reserved fields of a result list")
    pos += 4
    for _ in range(count):
        result, reason = struct.unpack_from(order + "HH", body, pos)
        pdu.results.append((result, reason, Syntax.unpack(body[pos + 4:pos + 24], order)))
        pos += 24
    need(pos == len(body), f"{len(body) - pos} octets behind the results")


def parse_bind_nak(pdu, body, order):
    pdu.reason, count = struct.unpack_from(order + "HB", body)
    pdu.versions = [tuple(body[3 + 2 * i:5 + 2 * i]) for i in range(count)]
    end = 3 + 2 * count
    rest = body[end:end + -end % 4]
    need(rest == bytes(len(rest)), "octets behind the versions")
    end += len(rest)
    signature, pdu.stub = body[end:end + 16], body[end + 16:]
    need(signature in (b"", EERR_SIGNATURE.bytes_le) and bool(signature) == bool(pdu.stub),
         "octets behind a bind_nak")


def parse_request(pdu, body, order):
    pdu.hint, pdu.context, pdu.opnum = struct.unpack_from(order + "IHH", body)
    pos = 8
    if pdu.flags & OBJECT:
        octets = body[8:24]
        pdu.obj = uuid.UUID(bytes_le=octets) if order == "<" else uuid.UUID(bytes=octets)
        pos = 24
    pdu.stub = body[pos:]


def parse_response(pdu, body, order):
    pdu.hint, pdu.context, pdu.cancels, reserved = struct.unpack_from(order + "IHBB", body)
    need(reserved == 0, "reserved octet of a response")
    pdu.stub = body[8:]


def parse_fault(pdu, body, order):
    pdu.hint, pdu.context, pdu.cancels, reserved, pdu.status, zero = struct.unpack_from(
        order + "IHBBII", body)
    need(reserved in (0, 1) and zero == 0, "reserved fields of a fault")
    need((len(body) > 16) == (reserved == 1), "extended error information, and the bit for it")
    need(pdu.hint == 16 + len(body), "alloc_hint counts the information (MS-RPCE 2.2.2.8)")
    pdu.stub = body[16:]


def parse_control(pdu, body, order):
    need(body == b"", "a body where there is none")


PARSERS = {REQUEST: parse_request, RESPONSE: parse_response, FAULT: parse_fault,
           BIND: parse_bind, ALTER: parse_bind, BIND_ACK: parse_bind_ack,
           ALTER_RESP: parse_bind_ack, BIND_NAK: parse_bind_nak, SHUTDOWN: parse_control,
           CO_CANCEL: parse_control, ORPHANED: parse_control}


# ---- Talking -----------------------------------------------------------------------------


class Closed(Exception):
    """The peer ended the connection where a PDU was expected."""


class Wire:
    """A connected stream socket, spoken in PDUs.  Every wait has an end."""

    def __init__(self, sock, patience=10.0):
        self.sock = sock
        self.patience = patience
        self.rest = b""
        sock.settimeout(patience)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *pdus):
        self.sock.sendall(b"".join(pdus))

    def _fill(self, count):
        while len(self.rest) < count:
            try:
                octets = self.sock.recv(1 << 16)
            except ConnectionError as error:
                raise Closed(f"{error}, {len(self.rest)} octets of a PDU") from None
            if not octets:
                raise Closed(f"end of stream, {len(self.rest)} octets of a PDU")
            self.rest += octets

    def recv(self):
        self._fill(HEADER_LEN)
        length = header_of(self.rest)[1]
        need(length >= HEADER_LEN, f"frag_length {length}")
        self._fill(length)
        octets, self.rest = self.rest[:length], self.rest[length:]
        return parse(octets)

    def recv_call(self):
        """All fragments of one response, or the fault in its place, as a list."""
        pdus = [self.recv()]
        while pdus[-1].ptype == RESPONSE and not pdus[-1].last:
            pdus.append(self.recv())
        return pdus

    def expect_end(self):
        """The peer closes, without another octet."""
        try:
            self._fill(1)
        except Closed:
            return
        raise AssertionError(f"octets in place of the end: {self.rest.hex()}")

    def expect_silence(self, seconds=0.15):
        """Nothing comes, and the connection stays."""
        self.sock.settimeout(seconds)
        try:
            self._fill(1)
        except (TimeoutError, socket.timeout):
            return
        finally:
            self.sock.settimeout(self.patience)
        raise AssertionError(f"octets where none were due: {self.rest.hex()}")

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection the hard way."""
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wait_until(condition, seconds=10.0, what="a condition"):
    """Polls; the only place where tests wait for something that sends no octet."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.01)
