# SPDX-License-Identifier: MIT
"""calls.py - the operations of peer.idl: request stubs in, replies out."""
from . import ndr

(ECHO, TAKE, GIVE, TRANSFORM, ABORT, ABORT_OUT, HANG, SUM, DISCIPLINE, OBJECT, SLOW, PAIRS,
 HYPERS, TWO_PIPES, NOTHING, RAISE, POST, POSTED, IN_TURN, LET, RANGES, COUNT) = range(22)

UNDRAINED, UNFINISHED, PUSH_EARLY, PULL_LATE, PUSH_LATE = range(5)


def octets(count):
    """What PeerGive sends."""
    period = bytes(range(251))
    return (period * (count // 251 + 1))[:count]


def echo(number, text, order="<", pad=b"\0", ndr64=False):
    return ndr.Writer(order, pad, ndr64).i32(number).string(text).done()


def check_echo(stub, number, text, order="<", ndr64=False):
    reader = ndr.Reader(stub, order, ndr64=ndr64)
    assert reader.i32() == (number * 2 + 2**31) % 2**32 - 2**31
    assert reader.count() != 0, "a unique pointer to the text"
    assert reader.string() == text[::-1]
    assert reader.i32() == number
    reader.end()


def take(tag, *chunks, order="<", pad=b"\0", ndr64=False):
    return ndr.Writer(order, pad, ndr64).i32(tag).byte_pipe(*chunks).done()


def check_take(stub, tag, data):
    reader = ndr.Reader(stub)
    assert reader.u64() == len(data)
    assert reader.u32() == sum(data) & 0xFFFFFFFF
    assert reader.i32() == tag
    reader.end()


def give(count, piece=0, order="<"):
    return ndr.Writer(order).u32(count).u32(piece).done()


def check_give(stub, count, ndr64=False):
    reader = ndr.Reader(stub, ndr64=ndr64)
    assert reader.byte_pipe() == octets(count)
    assert reader.u32() == 0
    reader.end()
