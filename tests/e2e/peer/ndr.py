# SPDX-License-Identifier: MIT
"""ndr.py - as much of NDR 2.0 as the tests need, in either byte order, and of NDR64.

Alignment is relative to the start of the stub.  Writing pads with a chosen octet, since
receivers must ignore pads (MS-RPCE 3.1.1.5.3.2); reading checks that pads are zero, since
ours must not leak memory.
"""
import struct


class Writer:
    def __init__(self, order="<", pad=b"\0", ndr64=False):
        self.order = order
        self.pad = pad
        self.ndr64 = ndr64
        self.octets = bytearray()

    def align(self, size):
        self.octets += self.pad * (-len(self.octets) % size)
        return self

    def put(self, code, value, align=None):
        self.align(align or struct.calcsize(code))
        self.octets += struct.pack(self.order + code, value)
        return self

    def u8(self, value):
        return self.put("B", value)

    def u16(self, value):
        return self.put("H", value)

    def u32(self, value):
        return self.put("I", value)

    def i32(self, value):
        return self.put("i", value)

    def u64(self, value):
        return self.put("Q", value)

    def raw(self, octets):
        self.octets += octets
        return self

    def count(self, value):
        """A count or a pointer."""
        return self.u64(value) if self.ndr64 else self.u32(value)

    def string(self, text):
        """A conformant varying string of octets, terminator included."""
        octets = text + b"\0"
        return self.count(len(octets)).count(0).count(len(octets)).raw(octets)

    def repeated(self, value):
        """The count again behind the elements of a chunk (MS-RPCE 2.2.5.3.4.5)."""
        return self.u64(-value % 2**64) if self.ndr64 else self

    def pipe(self, chunks, pack, align):
        """Chunks of elements and the terminator.  `pack`: an element, without its pad."""
        for chunk in chunks:
            assert len(chunk) > 0, "an empty chunk would end the pipe"
            self.count(len(chunk))
            for element in chunk:
                self.align(align).raw(pack(self.order, element))
            if self.ndr64:
                self.align(align)
            self.repeated(len(chunk))
        return self.count(0).repeated(0)

    def byte_pipe(self, *chunks):
        for chunk in chunks:
            self.count(len(chunk)).raw(chunk).repeated(len(chunk))
        return self.count(0).repeated(0)

    def long_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, n: struct.pack(order + "i", n), 4)

    def hyper_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, n: struct.pack(order + "q", n), 8)

    def pair_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, p: struct.pack(order + "ih", *p), 4)

    def done(self):
        return bytes(self.octets)


class Reader:
    def __init__(self, octets, order="<", origin=0, ndr64=False):
        self.octets = octets
        self.order = order
        self.ndr64 = ndr64
        self.pos = 0
        self.origin = origin  # stub offset of octets[0]

    def align(self, size):
        pad = -(self.origin + self.pos) % size
        assert self.octets[self.pos:self.pos + pad] == bytes(pad), "a pad that is not zero"
        self.pos += pad

    def raw(self, count):
        assert self.pos + count <= len(self.octets), (
            f"the stub ends at {len(self.octets)}, wanted {count} octets at {self.pos}")
        self.pos += count
        return self.octets[self.pos - count:self.pos]

    def get(self, code):
        size = struct.calcsize(code)
        self.align(size)
        return struct.unpack(self.order + code, self.raw(size))[0]

    def u8(self):
        return self.get("B")

    def u32(self):
        return self.get("I")

    def i32(self):
        return self.get("i")

    def u64(self):
        return self.get("Q")

    def count(self):
        return self.u64() if self.ndr64 else self.u32()

    def repeated(self, value):
        if self.ndr64:
            assert self.u64() == -value % 2**64, "the count repeated"

    def string(self):
        size, offset, length = self.count(), self.count(), self.count()
        assert offset == 0 and 0 < length <= size, f"string {size} {offset} {length}"
        octets = self.raw(length)
        assert octets[-1:] == b"\0" and b"\0" not in octets[:-1], "a string without its end"
        return octets[:-1]

    def chunks(self, unpack, size, align):
        """The chunks of a pipe, terminator taken."""
        found = []
        while True:
            count = self.count()
            if count == 0:
                self.repeated(0)
                return found
            chunk = []
            for _ in range(count):
                self.align(align)
                chunk.append(unpack(self.order, self.raw(size)))
            if self.ndr64:
                self.align(align)
            self.repeated(count)
            found.append(chunk)

    def byte_chunks(self):
        found = []
        while (count := self.count()) > 0:
            found.append(self.raw(count))
            self.repeated(count)
        self.repeated(0)
        return found

    def byte_pipe(self):
        return b"".join(self.byte_chunks())

    def _elements(self, unpack, size, align):
        return [e for chunk in self.chunks(unpack, size, align) for e in chunk]

    def long_pipe(self):
        return self._elements(lambda o, b: struct.unpack(o + "i", b)[0], 4, 4)

    def hyper_pipe(self):
        return self._elements(lambda o, b: struct.unpack(o + "q", b)[0], 8, 8)

    def pair_pipe(self):
        return self._elements(lambda o, b: struct.unpack(o + "ih", b), 6, 4)

    def end(self):
        assert self.pos == len(self.octets), f"{len(self.octets) - self.pos} octets left over"
