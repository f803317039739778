# SPDX-License-Identifier: MIT
"""ndr.py - as much of NDR 2.0 as the tests need, in either byte order.

Alignment is relative to the start of the stub.  Writing pads with a chosen octet, since
receivers must ignore pads (MS-RPCE 3.1.1.5.3.2); reading checks that pads are zero, since
ours must not leak memory.
"""
import struct


class Writer:
    def __init__(self, order="<", pad=b"\0"):
        self.order = order
        self.pad = pad
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

    def string(self, text):
        """A conformant varying string of octets, terminator included."""
        octets = text + b"\0"
        return self.u32(len(octets)).u32(0).u32(len(octets)).raw(octets)

    def pipe(self, chunks, pack, align):
        """Chunks of elements and the terminator.  `pack`: an element, without its pad."""
        for chunk in chunks:
            assert len(chunk) > 0, "an empty chunk would end the pipe"
            self.u32(len(chunk))
            for element in chunk:
                self.align(align).raw(pack(self.order, element))
        return self.u32(0)

    def byte_pipe(self, *chunks):
        for chunk in chunks:
            self.u32(len(chunk)).raw(chunk)
        return self.u32(0)

    def long_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, n: struct.pack(order + "i", n), 4)

    def hyper_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, n: struct.pack(order + "q", n), 8)

    def pair_pipe(self, *chunks):
        return self.pipe(chunks, lambda order, p: struct.pack(order + "ih", *p), 4)

    def done(self):
        return bytes(self.octets)


class Reader:
    def __init__(self, octets, order="<", origin=0):
        self.octets = octets
        self.order = order
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

    def string(self):
        size, offset, length = self.u32(), self.u32(), self.u32()
        assert offset == 0 and 0 < length <= size, f"string {size} {offset} {length}"
        octets = self.raw(length)
        assert octets[-1:] == b"\0" and b"\0" not in octets[:-1], "a string without its end"
        return octets[:-1]

    def chunks(self, unpack, size, align):
        """The chunks of a pipe, terminator taken."""
        found = []
        while True:
            count = self.u32()
            if count == 0:
                return found
            chunk = []
            for _ in range(count):
                self.align(align)
                chunk.append(unpack(self.order, self.raw(size)))
            found.append(chunk)

    def byte_chunks(self):
        found = []
        while (count := self.u32()) > 0:
            found.append(self.raw(count))
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
