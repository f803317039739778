# SPDX-License-Identifier: MIT
"""eerr.py - extended error information ([MS-EERR]) written and read apart from the library:
a list of records, the latest first."""
import struct
from dataclasses import dataclass, field

ANSI, UNICODE, LONG, SHORT, POINTER, NONE, BINARY = range(1, 8)
TEXTS = {ANSI: 1, UNICODE: 2, BINARY: 1}
APPLICATION, RUNTIME, WINSOCK, PENSTOCK = 1, 2, 8, 0x50656E73


@dataclass
class Record:
    status: int = 0
    component: int = RUNTIME
    location: int = 0
    params: list = field(default_factory=list)  # (type, value); texts are octets
    name: bytes = None  # UTF-16
    pid: int = 0
    time: int = 0
    flags: int = 0


class _Reader:
    def __init__(self, octets, order):
        self.octets, self.order, self.pos = octets, order, 0

    def get(self, code, align=None):
        size = struct.calcsize("<" + code)
        self.pos += -self.pos % (align or size)
        value, = struct.unpack_from(self.order + code, self.octets, self.pos)
        self.pos += size
        return value

    def take(self, size):
        assert self.pos + size <= len(self.octets), "a string that is there"
        self.pos += size
        return self.octets[self.pos - size:self.pos]


def _text_head(r):
    r.pos += -r.pos % 4
    count = r.get("H")
    return count, r.get("I") != 0


def _text(r, head, unit):
    count, present = head
    if not present:
        assert count == 0
        return b""
    assert r.get("I") == count
    return r.take(count * unit)


def read(octets):
    """Strict: what [MS-EERR] says and nothing else."""
    assert octets[0] == 1 and octets[2:4] == b"\x08\0", "type serialisation version 1"
    order = "<" if octets[1] == 0x10 else ">"
    size, = struct.unpack_from(order + "I", octets, 8)
    assert len(octets) == 16 + size and size % 8 == 0
    r = _Reader(octets[16:], order)
    records, heads = [], []
    more = r.get("I") != 0
    assert more
    while more:
        record, strings = Record(), []
        count = r.get("I")
        r.pos += -r.pos % 8
        more = r.get("I") != 0
        present = r.get("H")
        assert present in (1, 2) and r.get("H") == present
        strings.append(_text_head(r) if present == 1 else None)
        record.pid = r.get("I")
        record.time = r.get("q")
        record.component, record.status = r.get("I"), r.get("I")
        record.location, record.flags = r.get("H"), r.get("H")
        assert r.get("H") == count <= 4
        for _ in range(count):
            r.pos += -r.pos % 8
            kind = r.get("H")
            assert 1 <= kind <= 7 and r.get("H") == kind
            value = None
            if kind in TEXTS:
                strings.append(_text_head(r))
            elif kind != NONE:
                value = r.get({LONG: "i", SHORT: "h", POINTER: "q"}[kind])
            record.params.append((kind, value))
        records.append(record)
        heads.append(strings)
    for record, strings in zip(reversed(records), reversed(heads)):
        if strings[0]:
            record.name = _text(r, strings[0], 2)
        at = iter(strings[1:])
        record.params = [(kind, _text(r, next(at), TEXTS[kind]) if kind in TEXTS else value)
                         for kind, value in record.params]
    assert r.pos + 8 > len(r.octets) and not any(r.octets[r.pos:]), "nothing but padding behind"
    return records


class _Writer:
    def __init__(self, order):
        self.order, self.octets = order, bytearray()

    def put(self, code, value):
        self.octets += bytes(-len(self.octets) % struct.calcsize("<" + code))
        self.octets += struct.pack(self.order + code, value)

    def align(self, size):
        self.octets += bytes(-len(self.octets) % size)


def write(records, order="<", param_align=8):
    w = _Writer(order)
    w.put("I", 0x20000)
    for i, record in enumerate(records):
        w.put("I", len(record.params))
        w.align(8)
        w.put("I", 0x20004 if i + 1 < len(records) else 0)
        present = 2 if record.name is None else 1
        w.put("H", present)
        w.put("H", present)
        if present == 1:
            w.put("H", len(record.name) // 2)
            w.put("I", 0x20008)
        w.put("I", record.pid)
        w.put("q", record.time)
        w.put("I", record.component)
        w.put("I", record.status & 0xFFFFFFFF)
        w.put("H", record.location)
        w.put("H", record.flags)
        w.put("H", len(record.params))
        for kind, value in record.params:
            w.align(param_align)
            w.put("H", kind)
            w.put("H", kind)
            if kind in TEXTS:
                w.align(4)
                w.put("H", len(value) // TEXTS[kind])
                w.put("I", 0x2000c)
            elif kind != NONE:
                w.put({LONG: "i", SHORT: "h", POINTER: "q"}[kind], value)
    for record in reversed(records):
        if record.name is not None:
            w.put("I", len(record.name) // 2)
            w.octets += record.name
        for kind, value in record.params:
            if kind in TEXTS:
                w.put("I", len(value) // TEXTS[kind])
                w.octets += value
    w.align(8)
    head = bytes([1, 0x10 if order == "<" else 0]) + struct.pack("<H", 8) + b"\xcc" * 4
    return head + struct.pack(order + "II", len(w.octets), 0) + bytes(w.octets)


def text(octets):
    """A UTF-16 string parameter without its NUL."""
    return octets.decode("utf-16-le").rstrip("\0")
