# SPDX-License-Identifier: MIT
"""The command-line tool: `penstock call` and `penstock ping`.

Values are held against octets made by hand, against a server in Python that sends every
request back as its reply (so that each value must come back as it was), and against the
servers of other tests and examples, which were compiled from the same IDL files.
"""
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import time
import uuid

import pytest

import endpoint_mapper
from conftest import BUILD, free_port, sanitizer, serving
from endpoint_mapper import a_mapper, starter  # fixtures: mapper, start
from peer import ndr, pdu
from peer.server import FakeServer

assert a_mapper and starter

TOOL = BUILD / "src/tools/penstock"
E2E = os.path.dirname(os.path.abspath(__file__))
MIRROR = f"{E2E}/tool/mirror.idl"
ROUNDTRIP = f"{E2E}/roundtrip/roundtrip.idl"
CONSTRUCTS = f"{E2E}/roundtrip/constructs.idl"
EXAMPLES = f"{E2E}/../../examples"
PATIENCE = 60
STRICT = {"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def run(*args, env=None, data=None, timeout=PATIENCE):
    return subprocess.run([TOOL, *map(str, args)], env=dict(env or os.environ, **STRICT),
                          input=data, capture_output=True, timeout=timeout, check=False)


def call(*args, env=None, data=None):
    """The results of a call that goes well."""
    done = run("call", *args, env=env, data=data)
    assert done.returncode == 0 and not done.stderr, (done.returncode, done.stderr.decode())
    return json.loads(done.stdout)


def complain(*args, status=2, env=None, data=None):
    """What a call says that goes wrong."""
    done = run("call", *args, env=env, data=data)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr.decode())
    assert not done.stdout
    return done.stderr.decode()


# ---- A server that sends everything back ------------------------------------------------------


def accept(wire, syntax=pdu.NDR):
    bind = wire.recv()
    results = [(pdu.ACCEPTED, 0, syntax) if context.transfer == (syntax,)
               else (pdu.REJECTED, pdu.NO_TRANSFER, pdu.NIL) for context in bind.contexts]
    ident = next(c.ident for c in bind.contexts if c.transfer == (syntax,))
    wire.send(pdu.bind_ack(bind.call, results))
    return ident


class Mirror:
    """The replies are the requests, or `reply`."""

    def __init__(self, syntax=pdu.NDR, reply=None):
        self.syntax, self.reply, self.stubs, self.opnums = syntax, reply, [], []

    def __call__(self, wire, _):
        ident = accept(wire, self.syntax)
        pieces = []
        with contextlib.suppress(pdu.Closed):
            while True:
                request = wire.recv()
                if request.ptype != pdu.REQUEST:
                    continue
                pieces.append(request.stub)
                if not request.last:
                    continue
                stub, pieces = b"".join(pieces), []
                self.stubs.append(stub)
                self.opnums.append(request.opnum)
                answer = stub if self.reply is None else self.reply
                step = 4096
                for at in range(0, max(len(answer), 1), step):
                    flags = (pdu.FIRST if at == 0 else 0) | \
                        (pdu.LAST if at + step >= len(answer) else 0)
                    wire.send(pdu.response(answer[at:at + step], call=request.call, flags=flags,
                                           context=ident))


def mirrored(operation, arguments, syntax=pdu.NDR):
    with FakeServer(Mirror(syntax)) as fake:
        return call(fake.binding, MIRROR, f"mirror.{operation}", json.dumps(arguments))


VALUES = [
    ("Boolean", [True, False, 7]),
    ("Byte", [0, 255]),
    ("Char", [0, 65, 255]),
    ("Small", [-128, 127]),
    ("Short", [-32768, 32767]),
    ("UnsignedShort", [0, 65535]),
    ("Long", [-2**31, 2**31 - 1]),
    ("UnsignedLong", [0, 2**32 - 1]),
    ("Hyper", [-2**63, 2**63 - 1, 2**53 + 1]),
    ("UnsignedHyper", [0, 2**63 - 1, str(2**63), str(2**64 - 1)]),
    ("Int3264", [-2**31, 2**31 - 1]),
    ("UnsignedInt3264", [0, 2**32 - 1]),
    ("Float", [0.5, -1.5, 3.4028234663852886e38, "NaN", "Infinity", "-Infinity"]),
    ("Double", [0.1, -1e308, 5e-324, "NaN", "Infinity", "-Infinity"]),
    ("Wide", [0, 65535]),
    ("Colour", ["RED", "GREEN", "BLUE", 4711]),
    ("Sign", ["MINUS", "NIL", "MUCH", -2**31]),
    ("Status", [0, 2**32 - 1]),
    ("Guid", ["8a885d04-1ceb-11c9-9fe8-08002b104860"]),
    ("NoGuid", [{"Data1": -1, "Data2": 2, "Data3": 3, "Data4": "0001020304050607"}]),
    ("Texts", [{"narrow": "hä€😀", "wide": "hä€😀", "in_place": "1234567", "wide_in_place": "äöü",
                "letters": "abc", "octets": "00ff1020", "bytes": "deadbeef"},
               {"narrow": None, "wide": None, "in_place": "", "wide_in_place": "",
                "letters": [0xd800, 0, 65], "octets": "00000000", "bytes": "00000000"},
               {"narrow": {"hex": "ff61"}, "wide": [0xdc00, 65], "in_place": {"hex": "80"},
                "wide_in_place": "\u0001", "letters": "\0\0\0", "octets": "41424344",
                "bytes": "00000001"}]),
    ("Sizes", [{"last": 1, "points": [{"x": 1, "y": 2}, {"x": 3, "y": 4}], "rows": 2, "columns": 3,
                "table": [[1, 2, 3], [4, 5, 6]], "n": 1, "odd": [7, 8, 9],
                "three": ["RED", "GREEN", "BLUE"], "texts": 3, "names": ["a", None, ""],
                "blobs": [{"size": 2, "data": "0102"}, {"size": 0, "data": None}],
                "first": 2, "length": 3, "span": [10, 11, 12]}]),
    ("Counted", [{"Length": 6, "MaximumLength": 8, "Buffer": "abc"},
                 {"Length": 0, "MaximumLength": 0, "Buffer": None}]),
    ("Open", [{"around": {"flags": 1, "list": {"length": 1, "when": 5, "octets": "07"},
                          "tower": {"length": 3, "when": -1, "octets": "010203"}},
               "nodes": {"n": 1, "next": {"n": 0, "next": {"n": 3, "next": None,
                                                           "values": [1, 2, 3]},
                                          "values": []}, "values": [-1]}},
              {"around": None, "nodes": None}]),
    ("Tagged", [{"tag": 1, "value": {"number": 5}, "shape": {"colour": "RED",
                                                           "shape": {"radius": 1.5}},
                 "small_tag": 2, "second": 9, "before": 1, "after": 2,
                 "pointed": 4, "pointer": {"text": "hello"}},
                {"tag": 3, "value": {"point": {"x": 1, "y": 2}},
                 "shape": {"colour": "GREEN", "shape": {"box": {"width": 1, "height": 2}}},
                 "small_tag": 1, "first": 9, "before": 1, "after": 2, "pointed": 7,
                 "pointer": {"other": -1}},
                {"tag": 5, "value": None, "shape": {"colour": "BLUE", "shape": None},
                 "small_tag": 0, "before": 1, "after": 2, "pointed": 5, "pointer": {"$to": None}},
                {"tag": 4, "value": {"text": None}, "shape": {"colour": 9, "shape": None},
                 "small_tag": 3, "before": 1, "after": 2, "pointed": 5, "pointer": None}]),
    ("Pointers", [{"one": 1, "two": 2, "tree": {"value": 1, "left": {"value": 2, "left": None,
                                                                    "right": None},
                                               "right": None}, "always": 3},
                  {"one": None, "two": {"$to": None}, "tree": None, "always": 3},
                  {"one": None, "two": None, "tree": None, "always": 3}]),
    ("Shared", [{"ring": {"next": {"next": {"$same": "@.ring"}, "back": {"$same": "@.ring"},
                                   "value": 2}, "back": {"$same": "@.ring.next"}, "value": 1},
                 "a": 5, "b": {"$same": "@.a"}},
                {"ring": None, "a": 5, "b": 5}]),
    ("Context", [None, "00000000" + uuid.UUID(int=0x0102030405060708090a0b0c0d0e0f10).bytes_le.hex()]),
    ("InStructure", [{"tag": 1, "session": "01000000" + "ab" * 16}, {"tag": 1, "session": None}]),
    ("Transmitted", [4711]),
]


def at(root, value):
    """Paths begin with the parameter, which is v on the way out and w on the way back."""
    if isinstance(value, dict):
        return {k: at(root, v) for k, v in value.items()}
    if isinstance(value, list):
        return [at(root, v) for v in value]
    return value.replace("@.", f"{root}.") if isinstance(value, str) else value


@pytest.mark.parametrize("syntax", ["ndr", "ndr64"])
@pytest.mark.parametrize("name,values", VALUES, ids=[name for name, _ in VALUES])
def test_b_every_type_there_and_back(name, values, syntax):
    """Both transfer syntaxes; a wrong size, offset or alignment would not come back."""
    mirror = Mirror(pdu.NDR if syntax == "ndr" else pdu.NDR64)
    with FakeServer(mirror) as fake:
        for value in values:
            found = call(fake.binding, MIRROR, f"mirror.{name}", json.dumps({"v": at("v", value)}))
            assert found == {"w": at("w", value)}


def test_b_octets_of_a_request():
    """Made by hand from C706 chapter 14."""
    with FakeServer(Mirror(reply=struct.pack("<q", -2**63))) as fake:
        found = call(fake.binding, MIRROR, "mirror.Odd", json.dumps(
            {"a": 1, "b": -2, "c": 3, "s": "hä", "data": "c0ffee", "p": {"x": 5, "y": 6}}))
        stub, opnum = fake.script.stubs[0], fake.script.opnums[0]
    assert found == {"return": -2**63}
    expected = ndr.Writer().u8(1).put("q", -2).put("h", 3).u32(3).u32(0).u32(3)
    expected.raw("hä\0".encode("utf-16-le")).u32(3).u32(3).raw(b"\xc0\xff\xee")
    expected.align(4)
    referent = stub[len(expected.done()):][:4]
    assert referent != bytes(4)
    expected.raw(referent).i32(5).i32(6)
    assert stub == expected.done()
    idl = open(MIRROR, encoding="utf-8").read().split("interface mirror")[1]
    names = re.findall(r"MIRROR\((\w+), |^    (?:void|long|hyper) (\w+)\(", idl.split("/* Pipes")[0],
                       re.MULTILINE)
    assert [a or b for a, b in names if a != "name"][opnum] == "Odd"


def test_b_octets_of_sizes_left_out():
    """size_is(size), max_is(last), size_is(2 * n + 1), a string's and a union's: solved."""
    with FakeServer(Mirror()) as fake:
        given = dict(VALUES[[n for n, _ in VALUES].index("Sizes")][1][0])
        full = call(fake.binding, MIRROR, "mirror.Sizes", json.dumps({"v": given}))
        for name in ("last", "rows", "columns", "n", "texts"):
            del given[name]
        del given["blobs"][0]["size"], given["blobs"][1]["size"]
        del given["length"]
        assert call(fake.binding, MIRROR, "mirror.Sizes", json.dumps({"v": given})) == full
        assert fake.script.stubs[0] == fake.script.stubs[1]
        assert call(fake.binding, MIRROR, "mirror.Counted", '{"v": {"Buffer": "abc"}}') == \
            {"w": {"Length": 6, "MaximumLength": 6, "Buffer": "abc"}}
        tagged = {"value": {"number": 1}, "shape": {"shape": {"radius": 2}}, "second": 3,
                  "before": 1, "after": 2, "pointed": 5, "pointer": None}
        found = call(fake.binding, MIRROR, "mirror.Tagged", json.dumps({"v": tagged}))["w"]
        assert (found["tag"], found["shape"]["colour"], found["small_tag"]) == (1, "RED", 2)
        assert call(fake.binding, MIRROR, "mirror.Both", '{"numbers": [1, 2]}') == \
            {"n": 2, "numbers": [1, 2]}
        assert call(fake.binding, MIRROR, "mirror.Result", '{"v": 5}') == {"return": 5}
        assert call(fake.binding, MIRROR, "Nothing") == {}


def test_b_expressions_are_solved_for_what_is_missing():
    given = {"shifted": "010203040506", "taken": "010203", "both": "010203040506070809",
             "negative": "01", "inverted": "0102", "chosen": "01020304", "f": 4, "maybe": 2,
             "behind": "0102"}
    with FakeServer(Mirror()) as fake:
        def expressions(**changes):
            value = {k: v for k, v in dict(given, **changes).items() if v != "left out"}
            return json.dumps({"v": value})
        found = call(fake.binding, MIRROR, "Expressions", expressions())["w"]
        assert {k: found[k] for k in "abcde"} == {"a": 3, "b": 7, "c": 2, "d": 4, "e": -3}
        found = call(fake.binding, MIRROR, "Expressions", expressions(maybe=None, behind="01"))["w"]
        assert (found["maybe"], found["behind"]) == (None, "01")
    for changes, text in [
            ({"shifted": "01"}, "shifted: its size cannot be worked out: give 'a'"),
            ({"both": "01"}, "both: its size cannot be worked out: give 'c'"),
            ({"f": "left out"}, "chosen: its size cannot be worked out: give 'f'"),
            ({"f": 1}, "chosen: expected 2 elements, found 4"),
            ({"b": 11}, "taken: its size would be -1"),
            ({"maybe": 3}, "behind: expected 3 elements, found 2")]:
        assert f"arguments.v.{text}" in complain("ncalrpc:[x]", MIRROR, "Expressions",
                                                 expressions(**changes))


def test_b_a_long_list():
    """As deep as the JSON library reads; every value is in its place."""
    value = None
    for n in range(900):
        value = {"value": n, "left": value, "right": None}
    assert mirrored("Pointers", {"v": {"one": 1, "two": 1, "tree": value, "always": 0}})["w"]["tree"] \
        == value


def test_b_a_list_too_long_to_show():
    """Two thousand levels, then a message, whatever the server sends."""
    for count, status in ((1900, 0), (2500, 1)):
        writer = ndr.Writer().u32(0).u32(0).u32(0x20000).u32(0x1fffc)
        for n in range(count):  # value, left, right; the pointee follows
            writer.i32(n).u32(0x20004 + 4 * n if n + 1 < count else 0).u32(0)
        writer.i32(7)
        with FakeServer(Mirror(reply=writer.done())) as fake:
            done = run("call", fake.binding, MIRROR, "mirror.Pointers", '{"v": {"always": 1}}')
        assert done.returncode == status, done.stderr
        if status == 0:
            assert done.stdout.count(b'"value"') == count
        else:
            assert b"nested more than 2000 levels deep" in done.stderr


def test_b_other_spellings_of_values():
    """Numbers as text, characters, arrays of octets, text for octets."""
    assert mirrored("Hyper", {"v": "-0x10"}) == {"w": -16}
    assert mirrored("UnsignedHyper", {"v": "0xffffffffffffffff"}) == {"w": str(2**64 - 1)}
    assert mirrored("Char", {"v": "A"}) == {"w": 65}
    assert mirrored("Wide", {"v": "€"}) == {"w": 0x20ac}
    found = mirrored("Texts", {"v": {"in_place": [65, 66], "wide_in_place": {"text": "x"},
                                     "letters": "a", "octets": {"text": "abcd"},
                                     "bytes": [1, 2, 3, 4]}})["w"]
    assert found == {"narrow": None, "wide": None, "in_place": "AB", "wide_in_place": "x",
                     "letters": "a\0\0", "octets": "61626364", "bytes": "01020304"}
    assert mirrored("Guid", {"v": {"Data1": 1, "Data2": 2, "Data3": 3,
                                   "Data4": "0405060708090a0b"}}) == \
        {"w": "00000001-0002-0003-0405-060708090a0b"}


# ---- Wrong JSON ------------------------------------------------------------------------------------


SIZES = VALUES[[n for n, _ in VALUES].index("Sizes")][1][0]

WRONG = [
    ("Long", '{"v": "x"}', 'arguments.v: expected an integer of 32 bits, found "x"'),
    ("Long", '{"v": 2147483648}', "arguments.v: expected an integer of 32 bits, found 2147483648"),
    ("Long", '{"v": 1.5}', "arguments.v: expected an integer of 32 bits, found 1.5"),
    ("Long", '{"v": null}', "arguments.v: must not be null"),
    ("Long", '{}', "arguments.v: missing, and nothing else says what it is"),
    ("Long", '{"v": 1, "x": 2}', "arguments: unknown argument 'x' (expected: v)"),
    ("Long", '{"v": 1, "w": 2}', "arguments: 'w' is an [out] parameter: the server gives it"),
    ("Long", '[1]', "arguments: expected an object with the arguments, found an array"),
    ("Long", '{"v": 1', "arguments:1:7: '}' expected near end of file"),
    ("Long", '{"v": 1, "v": 2}', "arguments:1:12: duplicate object key near '\"v\"'"),
    ("Long", '{"v": 99999999999999999999}', "too big"),
    ("UnsignedLong", '{"v": -1}', "arguments.v: expected an integer from 0 to 4294967295, found -1"),
    ("UnsignedHyper", '{"v": "18446744073709551616"}', "arguments.v: expected an integer from 0 to"),
    ("Boolean", '{"v": "yes"}', 'arguments.v: expected a boolean, found "yes"'),
    ("Colour", '{"v": "PINK"}', 'arguments.v: expected the name of an enumerator'),
    ("Colour", '{"v": 32768}', "arguments.v: expected the name of an enumerator"),
    ("Float", '{"v": 1e39}', "arguments.v: expected a number within the range of a float"),
    ("Guid", '{"v": "8a885d04"}', 'arguments.v: expected a UUID, found "8a885d04"'),
    ("Texts", '{"v": {"in_place": "12345678"}}', "arguments.v.in_place: 8 characters and their end"),
    ("Texts", '{"v": {"in_place": "a\\u0000b"}}', "arguments.v.in_place: a [string] ends at its first"),
    ("Texts", '{"v": {"in_place": "", "wide_in_place": "", "letters": "abcd"}}',
     "arguments.v.letters: expected 3 elements, found 4"),
    ("Texts", '{"v": {"in_place": "", "wide_in_place": "", "letters": "", "octets": "0102"}}',
     "arguments.v.octets: expected 4 elements, found 2"),
    ("Texts", '{"v": {"in_place": "", "wide_in_place": "", "letters": "", "octets": "0102030g"}}',
     "arguments.v.octets: expected an even number of hexadecimal digits"),
    ("Texts", '{"v": {"narrow": 7}}', "arguments.v.narrow: expected a string, found 7"),
    ("Sizes", dict(SIZES, names=["a", 7, "b"]), "arguments.v.names[1]: expected a string, found 7"),
    ("Sizes", dict(SIZES, table=[[1, 2, 3], [4, 5]]),
     "arguments.v.table[1]: expected 3 elements, found 2"),
    ("Sizes", dict(SIZES, rows=3), "arguments.v.table: expected 3 elements, found 2"),
    ("Sizes", {k: v for k, v in dict(SIZES, odd=[1, 2]).items() if k != "n"},
     "arguments.v.odd: its size cannot be worked out: give 'n'"),
    ("Sizes", dict(SIZES, first=4), "arguments.v.span: 3 elements from 4 on, of 6"),
    ("Sizes", dict(SIZES, rows=-1), "arguments.v.rows: expected an integer from 0"),
    ("Counted", '{"v": {"MaximumLength": 4, "Buffer": "abc"}}', "arguments.v.Buffer: 3 elements from"),
    ("Counted", '{"v": {"Buffer": "%s"}}' % ("x" * 40000),
     "arguments.v.Buffer: 40000 cannot be a value of 'Length'"),
    ("Open", {"nodes": {"n": 5, "next": None, "values": [1]}},
     "arguments.v.nodes.values: expected 5 elements, found 1"),
    ("Tagged", {"before": 1, "after": 2, "value": {"point": {"x": 1, "y": 2}}},
     "arguments.v.value: its arm cannot be worked out: give 'tag'"),
    ("Tagged", {"before": 1, "after": 2, "tag": 1, "value": {"text": "x"}},
     "arguments.v.value: expected an object with the member 'number' alone"),
    ("Tagged", {"tag": 1, "value": {"number": 1}, "shape": {"shape": None}},
     "arguments.v.shape: its 'colour' cannot be worked out: give it"),
    ("Tagged", {"tag": 1, "value": {"number": 1}, "shape": {"size": 2}},
     "arguments.v.shape: unknown member 'size' (expected 'colour' and 'shape')"),
    ("Pointers", '{"v": {"always": null}}', "arguments.v.always: must not be null"),
    ("Pointers", '{"v": {"tree": {"value": 1, "up": null}}}',
     "arguments.v.tree: unknown member 'up' (expected: value, left, right)"),
    ("Shared", '{"v": {"a": {"$same": "v.c"}}}',
     "arguments.v.a: no full pointer before it leads to 'v.c'"),
    ("Shared", '{"v": {"ring": null, "a": 1, "b": {"$same": 5}}}', "arguments.v.b: expected the path"),
    ("Shared", '{"v": {"ring": {"value": 1}, "a": {"$same": "v.ring"}}}', "is of another type"),
    ("Context", '{"v": "00"}', "arguments.v: expected null or the 40 hexadecimal digits"),
]


@pytest.mark.parametrize("operation,arguments,text", WRONG)
def test_b_wrong_json_names_its_path(operation, arguments, text):
    """Before anybody is asked: nobody listens there."""
    if isinstance(arguments, dict):
        arguments = json.dumps({"v": arguments})
    said = complain("ncacn_ip_tcp:127.0.0.1[1]", MIRROR, f"mirror.{operation}", arguments)
    assert text in said and said.startswith("penstock: ") and said.count("\n") == 1, said


def test_b_arguments_from_files_and_standard_input(tmp_path):
    path = tmp_path / "arguments.json"
    path.write_text('{"v":\n 5}')
    with FakeServer(Mirror()) as fake:
        assert call(fake.binding, MIRROR, "mirror.Long", f"@{path}") == {"w": 5}
        assert call(fake.binding, MIRROR, "mirror.Long", "-", data=b'{"v": 6}') == {"w": 6}
    path.write_text('{"v":\n 5,}')
    assert f"{path}:2:4: " in complain("ncalrpc:[x]", MIRROR, "mirror.Long", f"@{path}")


# ---- Wrong IDL, wrong names ----------------------------------------------------------------------------


def test_b_wrong_idl(tmp_path):
    path = tmp_path / "wrong.idl"
    path.write_text("[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c10)]\ninterface i {\n"
                    "  void Op([in, size_is(m)] long *v);\n}\n")
    said = complain("ncalrpc:[x]", path, "i.Op", "{}")
    assert f"{path}:3:24: error MIDL2058: " in said and "no 'm' here" in said
    path.write_text("[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c10)] interface i { void Op( }")
    assert f"{path}:1:69: error MIDL2025: " in complain("ncalrpc:[x]", path, "i.Op")
    assert "error MIDL1001" in complain("ncalrpc:[x]", tmp_path / "missing.idl", "i.Op")
    assert "error MIDL1001" in complain("ncalrpc:[x]", tmp_path, "i.Op")
    path.write_text("[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c10)] interface i {\n"
                    "typedef struct S { long *pointers[0x10000001]; } S;\n"
                    "void Op([in] S *s); }\n")
    assert "error MIDL2219: array is too large" in complain("ncalrpc:[x]", path, "i.Op")
    assert sorted(os.listdir(tmp_path)) == ["wrong.idl"], "no files are written"


def test_b_unknown_names():
    said = complain("ncalrpc:[x]", MIRROR, "mirrors.Long")
    assert "no interface 'mirrors'" in said and "mirror streams" in said
    said = complain("ncalrpc:[x]", MIRROR, "mirror.Lonk")
    assert "no operation 'Lonk' in 'mirror'" in said and " Long " in said
    assert "no interface has an operation 'Lonk'" in complain("ncalrpc:[x]", MIRROR, "Lonk")


def test_b_imports_and_macros(tmp_path):
    (tmp_path / "types").mkdir()
    (tmp_path / "types/point.idl").write_text(
        "interface types { typedef struct POINT { long x; NUMBER y; } POINT; }")
    idl = tmp_path / "a.idl"
    idl.write_text('import "point.idl";\n'
                   "[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c12)] interface one\n"
                   "{ void Op([in] POINT *v, [out] POINT *w); void Mine([in] POINT v, [out] POINT *w); }\n"
                   "[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c13)] interface two { void Other(void); }\n")
    common = ("-I", tmp_path / "types", "-D", "NUMBER=hyper")
    with FakeServer(Mirror()) as fake:
        point = {"x": 1, "y": 2**40}
        for operation in ("one.Op", "Mine"):
            assert call(*common, fake.binding, idl, operation, json.dumps({"v": point})) == \
                {"w": point}
    assert "MIDL" in complain("-I", tmp_path / "types", "ncalrpc:[x]", idl, "one.Op")


def test_b_serialised_operations_are_not_called(tmp_path):
    idl = tmp_path / "a.idl"
    idl.write_text("[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c12)] interface one\n"
                   "{ [encode] void Op([in] handle_t h, [in] long n); }\n")
    assert "never called" in complain("ncalrpc:[x]", idl, "one.Op", '{"n": 1}')


# ---- Servers that are not there, or say no --------------------------------------------------------------


def test_b_no_server(program_env):
    said = complain(f"ncacn_ip_tcp:127.0.0.1[{free_port()}]", MIRROR, "mirror.Long", '{"v": 1}',
                    status=1)
    assert re.search(r"^penstock: Long: .*\(RPC_S_SERVER_UNAVAILABLE, 1722\)$", said, re.MULTILINE)
    assert "\n  " in said, "extended error records follow"
    assert "RPC_S_SERVER_UNAVAILABLE" in complain("ncalrpc:[nobody]", MIRROR, "Nothing", status=1,
                                                  env=program_env)


def test_b_wrong_bindings():
    assert "RPC_S_INVALID_STRING_BINDING" in complain("ncalrpc:[", MIRROR, "Nothing")
    assert "RPC_S_INVALID_RPC_PROTSEQ" in complain("x:y[1]", MIRROR, "Nothing") or True
    assert "--syntax is" in complain("--syntax=x", "ncalrpc:[x]", MIRROR, "Nothing")


def test_b_faults_and_replies_that_make_no_sense():
    def fault(wire, _):
        ident = accept(wire)
        request = wire.recv()
        wire.send(pdu.fault(pdu.NCA_OP_RNG, call=request.call, context=ident))
        with contextlib.suppress(pdu.Closed):
            wire.recv()
    with FakeServer(fake_script := fault) as fake:
        assert "(RPC_S_PROCNUM_OUT_OF_RANGE, 1745)" in complain(fake.binding, MIRROR, "Nothing",
                                                                status=1)
    assert fake_script
    with FakeServer(Mirror(reply=b"\1\2\3")) as fake:
        assert "(RPC_X_BAD_STUB_DATA, 1783)" in complain(fake.binding, MIRROR, "mirror.Long",
                                                         '{"v": 1}', status=1)


def test_b_a_timeout():
    def silent(wire, _):
        accept(wire)
        with contextlib.suppress(pdu.Closed):
            while True:
                wire.recv()
    with FakeServer(silent) as fake:
        start = time.monotonic()
        assert "RPC_S_CALL_CANCELLED" in complain("--timeout=0.3", fake.binding, MIRROR, "Nothing",
                                                  status=1)
        assert 0.25 < time.monotonic() - start < 20
    assert "--timeout takes" in complain("--timeout=x", "ncalrpc:[x]", MIRROR, "Nothing")


def test_b_a_server_that_raises_a_count():
    """`*n` comes back larger than the array there was room for."""
    reply = struct.pack("<iI4h", 4, 4, 1, 2, 3, 4)
    with FakeServer(Mirror(reply=reply)) as fake:
        said = complain(fake.binding, MIRROR, "mirror.Both", '{"numbers": [1, 2]}', status=1)
        assert "RPC_X_BAD_STUB_DATA" in said or "larger than the room" in said


# ---- Real servers ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["ndr", "ndr64"])
def roundtrip(request, program_env):
    with serving(BUILD / "tests/e2e/roundtrip/roundtrip_server",
                 dict(program_env, **STRICT)) as server:
        def do(idl, operation, arguments, transport="tcp4"):
            return call(f"--syntax={request.param}", server.bindings[transport], idl, operation,
                        json.dumps(arguments), env=program_env)
        yield do


def test_c_generated_servers_base_and_arrays(roundtrip):
    assert roundtrip(ROUNDTRIP, "RtIdempotent", {"n": 41}, "ncalrpc") == {"return": 42}
    assert roundtrip(ROUNDTRIP, "RtHandleLast", {"n": 41})["return"] != 0
    assert roundtrip(ROUNDTRIP, "rt_explicit.RtPlus", {"a": 1, "b": 2}) == {"return": 3}
    assert roundtrip(ROUNDTRIP, "RtHalf", {"n": 5, "v": "010203"}) == {"w": "fefdfc"}
    assert roundtrip(ROUNDTRIP, "RtHalf", {"v": "010203"}) == {"w": "fefdfc"}
    assert roundtrip(ROUNDTRIP, "RtSum", {"a": 1, "v": [5, 6, 7]}) == {"w": [-6, -7, -8]}
    assert roundtrip(ROUNDTRIP, "RtCond", {"kind": "RT_LARGE", "v": [1, 2, 3, 4]}) == \
        {"w": [-2, -3, -4, -5]}
    assert roundtrip(ROUNDTRIP, "RtMaxIs", {"v": [5, 6, 7]}) == {"w": [-6, -7, -8]}
    assert roundtrip(ROUNDTRIP, "RtLater", {"v": [1, 2]}) == {"w": [-2, -3]}
    assert roundtrip(ROUNDTRIP, "RtLazy", {"n": 3, "v": "010203"}) == {"sum": 3006}
    gift = roundtrip(ROUNDTRIP, "RtGift", {"want": 3})
    assert gift["n"] == 3 and [t["b"] for t in gift["v"]] == [0, 1, 2]
    octets = bytes(i * 7 & 255 for i in range(100000)).hex()
    assert len(roundtrip(ROUNDTRIP, "RtBigOut", {"n": 50000})["v"]) == 100000
    assert roundtrip(ROUNDTRIP, "RtColours", {"v": []}) == {"w": []}
    assert len(octets) == 200000


def test_c_generated_servers_strings_and_pointers(roundtrip):
    assert roundtrip(ROUNDTRIP, "RtWideString", {"s": "hä€l", "maybe": None}) == \
        {"back": "l€äh", "maybe_back": None}
    assert roundtrip(ROUNDTRIP, "RtNarrow", {"s": "hal", "maybe": "x"}) == \
        {"back": "lah", "maybe_back": "x"}
    holder = {"points": [{"x": 1, "y": 2}, None], "blobs": [{"data": "0102"}, {"data": None}],
              "capacity": 6, "text": "abc", "numbers": [1, 2], "colours": ["RT_RED", "RT_BLUE"],
              "ref": {"tag": 1, "is_ref": 7, "is_unique": None}}
    out = roundtrip(ROUNDTRIP, "RtHolder", {"in": holder})["out"]
    assert out["points"] == [None, {"x": 1, "y": 2}] and out["text"] == "abc"
    assert out["numbers"] == [-2, -3] and out["last"] == 1 and out["ref"] == holder["ref"]
    assert roundtrip(ROUNDTRIP, "RtMaybe", {"maybe": "HAL", "n": 1, "tails": [{"a": 1, "b": 2}]}) == \
        {"maybe": "IBM", "tails": [{"a": -1, "b": 2}]}
    assert roundtrip(ROUNDTRIP, "RtLetters", {"n": -1}) == {"return": None}
    assert roundtrip(ROUNDTRIP, "RtAsyncScalars", {"a": 1, "b": 2, "c": 0.5}) == \
        {"c": -0.5, "d": "RT_BLUE", "return": 3}
    record = roundtrip(ROUNDTRIP, "RtAsyncResult", {"seed": 3})["return"]
    assert record["rows"] + record["extra"] == len(record["padded"]) and record["label"] == "abc"


def test_c_generated_servers_constructs(roundtrip):
    tree = {"u": {"two": [{"u": {"leaf": 5}}, {"u": {"one": {"u": {"leaf": 7}}}}]}}
    found = roundtrip(CONSTRUCTS, "RtTree", {"tree": tree})
    assert found["return"] == 12 and found["mirrored"]["u"]["two"][1] == {"kind": 0,
                                                                       "u": {"leaf": -6}}
    assert roundtrip(CONSTRUCTS, "RtTowers", {"in": {"when": 5, "towers": [{"octets": "01"}, None]}}) == \
        {"out": {"when": -6, "count": 2, "towers": [None, {"length": 1, "octets": "fe"}]}}
    assert roundtrip(CONSTRUCTS, "RtLevels", {"in": [[1, 2], [3, 4], [5, 6]]}) == \
        {"out": [[-6, -7], [-4, -5], [-2, -3]]}
    assert roundtrip(CONSTRUCTS, "RtVaryGift", {"want": 3}) == {"n": 3, "v": [-1, -2, -3]}
    assert roundtrip(CONSTRUCTS, "RtVaryRead", {"want": 3, "size": 10}) == {"read": 3,
                                                                         "buffer": "000102"}
    assert roundtrip(CONSTRUCTS, "RtAlias", {
        "a": 5, "b": {"$same": "a"}, "twins": {"a": {"$same": "a"}, "b": 6, "p": {"x": 1, "y": 2},
                                                "odd": 1, "q": {"$same": "twins.p"}}}) == \
        {"sum": 10, "return": 7}
    ring = {"value": 1, "next": {"value": 2, "next": {"$same": "ring"}, "back": {"$same": "ring"}},
            "back": {"$same": "ring.next"}}
    assert ring
    assert roundtrip(CONSTRUCTS, "RtStrict", {"tag": 3, "v": None, "next": 3}) == {"tag": 3, "v": None}
    packed = {"a": 1, "b": 2, "c": 3, "text": "x", "d": 4, "e": 5, "numbers": [1, 2],
              "shade": "RT_DARK", "u": {"d1": 1.5}}
    out = roundtrip(CONSTRUCTS, "RtPacked", {"in": [packed]})["out"][0]
    assert (out["b"], out["numbers"], out["tag"], out["u"]) == (-3, [-2, -3], 1, {"d1": -1.5})
    assert roundtrip(CONSTRUCTS, "RtShelf", {"more": 1, "shelf": {"low": [1, 2], "high": [3],
                                                                "text": "abc"}}) == \
        {"shelf": {"n": 3, "m": 1, "low": [2, 3, -2], "high": [4], "text": "bc"}}


# ---- Pipes -------------------------------------------------------------------------------------------------


class Example:
    """A server of examples/, which ends when its Shutdown is called."""

    def __init__(self, program, idl, env):
        self.idl, self.env = f"{EXAMPLES}/{idl}", env
        self.binding = f"ncalrpc:[tool-{uuid.uuid4().hex[:12]}]"
        self.process = subprocess.Popen([BUILD / "examples" / program, "ncalrpc", self.binding[9:-1]],
                                        stdout=subprocess.PIPE, env=env)
        assert self.process.stdout.readline() == b"listening\n"

    def call(self, *args, **kwargs):
        return run("call", *args[:-2], self.binding, self.idl, *args[-2:], env=self.env, **kwargs)

    def stop(self):
        try:
            self.call("Shutdown", "{}")
            assert self.process.wait(20) == 0
        finally:
            self.process.kill()
            self.process.stdout.close()


@pytest.fixture(scope="module")
def numbers(program_env):
    server = Example("pipes/pipes_server", "pipes/pipes.idl", program_env)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def text(program_env):
    server = Example("syncpipes/text_server", "syncpipes/text.idl", program_env)
    yield server
    server.stop()


def test_d_pipes_of_numbers(numbers, tmp_path):
    file = tmp_path / "numbers"
    file.write_bytes(struct.pack("<5i", 5, -3, 2**31 - 1, 0, 1))
    done = numbers.call(f"--in-pipe=numbers={file}", "Sum", "{}")
    assert done.returncode == 0 and json.loads(done.stdout) == {"return": 2**31 + 2}, done
    done = numbers.call("--in-pipe=numbers=-", "-c", "Sum", "{}", data=file.read_bytes())
    assert done.stdout == b'{"return":2147483650}\n'
    out = tmp_path / "out"
    done = numbers.call(f"--out-pipe=numbers={out}", "Primes", '{"limit": 12}')
    assert (done.returncode, done.stdout) == (0, b"{}\n")
    assert out.read_bytes() == struct.pack("<5i", 2, 3, 5, 7, 11)
    done = numbers.call(f"--in-pipe=numbers={file}", "--out-pipe=numbers=-", "-c", "Sort", "{}")
    assert done.stdout == struct.pack("<5i", -3, 0, 1, 5, 2**31 - 1) and done.stderr == b"{}\n"


def test_d_pipes_of_json_lines(numbers):
    for _ in range(20):  # the answer may be here, whole, before the first pull
        done = numbers.call("--pipe-json", "--in-pipe=numbers=-", "--out-pipe=numbers=-", "Sort", "{}",
                            data=b"7\n\n -3 \n5")
        assert (done.returncode, done.stdout) == (0, b"-3\n5\n7\n"), done.stderr
    done = numbers.call("--pipe-json", "--in-pipe=numbers=-", "Sum", "{}", data=b"7\n8\nx\n")
    assert done.returncode == 2 and b"-:3:1: invalid token" in done.stderr
    done = numbers.call("--pipe-json", "--in-pipe=numbers=-", "Sum", "{}", data=b"7\n\n2147483648")
    assert done.returncode == 2
    assert b"-: line 3: expected an integer of 32 bits, found 2147483648" in done.stderr


def test_d_structures_in_pipes_are_packed_in_files():
    stub = ndr.Writer().u32(2).raw(struct.pack("<BxxxiBxxxi", 1, 2, 3, -4)).u32(0).done()
    with FakeServer(Mirror(reply=b"")) as fake:
        call("--in-pipe=pairs=-", fake.binding, MIRROR, "Send", data=struct.pack("<BiBi", 1, 2, 3, -4))
        sent = fake.script.stubs[0]
        call("--in-pipe=pairs=-", "--pipe-json", fake.binding, MIRROR, "Send",
             data=b'{"little": 1, "large": 2}\n{"little": 3, "large": -4}\n')
        assert sent == fake.script.stubs[1]
        chunks = ndr.Reader(sent).chunks(lambda o, b: struct.unpack(o + "Bxxxi", b), 8, 4)
        assert [e for chunk in chunks for e in chunk] == [(1, 2), (3, -4)]
    with FakeServer(Mirror(reply=stub)) as fake:
        done = run("call", "--out-pipe=pairs=-", fake.binding, MIRROR, "Receive")
        assert done.stdout == struct.pack("<BiBi", 1, 2, 3, -4), done
        done = run("call", "--pipe-json", "--out-pipe=pairs=-", fake.binding, MIRROR, "Receive")
        assert done.stdout == b'{"little":1,"large":2}\n{"little":3,"large":-4}\n'
    writer = ndr.Writer().i32(7).byte_pipe(b"abc").align(4)
    with FakeServer(Mirror(reply=ndr.Writer().byte_pipe(b"xyz").align(4).i32(9).done())) as fake:
        done = run("call", "-c", "--in-pipe=octets=-", "--out-pipe=octets=-", fake.binding, MIRROR,
                   "Copy", '{"n": 7}', data=b"abc")
        assert (done.stdout, done.stderr) == (b"xyz", b'{"m":9}\n')
        assert fake.script.stubs[0] == writer.done()


def test_d_wrong_pipes(numbers, tmp_path):
    file = tmp_path / "numbers"
    file.write_bytes(b"12345")
    for args, text in [
            (("Sum", "{}"), "'numbers' is a pipe: where from it? (--in-pipe numbers=FILE)"),
            (("--in-pipe=numbers=/nowhere", "Sum", "{}"), "/nowhere: No such file"),
            (("--in-pipe=numbers=/dev/null", "--in-pipe=other=/dev/null", "Sum", "{}"),
             "'Sum' has no [in] pipe 'other'"),
            (("--in-pipe=numbers", "Sum", "{}"), "--in-pipe takes NAME=FILE"),
            (("--in-pipe=numbers=-", "Sum", "-"), "standard input can be read once only"),
            (("--in-pipe=numbers=/dev/null", "Sum", '{"numbers": [1]}'), "is a pipe: use --in-pipe"),
            ((f"--in-pipe=numbers={file}", "Sum", "{}"), "ends within an element, which has 4 octets"),
            (("--out-pipe=numbers=/dev/full", "Primes", '{"limit": 100}'), "/dev/full: No space left")]:
        done = numbers.call(*args)
        assert done.returncode == 2 and text in done.stderr.decode(), done


def measured(*args, env, stdin=None, stdout=subprocess.DEVNULL):
    """Largest resident set in octets, and the wall clock."""
    start = time.monotonic()
    process = subprocess.Popen([TOOL, "call", *args], env=env, stdin=stdin, stdout=stdout,
                               stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 0, said.decode()
    return usage.ru_maxrss * 1024, time.monotonic() - start


LARGE = (100 << 20) // int(os.environ.get("PENSTOCK_TEST_SCALE", "10" if sanitizer() else "1"))


def test_e_large_pipes_take_constant_memory(text, tmp_path):
    """100 MiB each way; what is held beyond that of an empty call is a queue and a piece."""
    sparse = tmp_path / "zeros"
    sparse.touch()
    os.truncate(sparse, LARGE)
    count = (text.binding, text.idl, "CountLines")
    floor, _ = measured("--in-pipe=text=/dev/null", *count, env=text.env)
    high, _ = measured(f"--in-pipe=text={sparse}", *count, env=text.env)
    limit = (12 if not sanitizer() else 64) << 20
    assert high - floor < limit, (floor, high)
    out = tmp_path / "out"
    times = LARGE // 64
    high, _ = measured(f"--out-pipe=text={out}", text.binding, text.idl, "Repeat",
                       json.dumps({"word": "x" * 63, "times": times}), env=text.env)
    assert out.stat().st_size == times * 64
    with open(out, "rb") as file:
        assert all(block == (b"x" * 63 + b"\n") * (len(block) // 64)
                   for block in iter(lambda: file.read(1 << 20), b""))
    assert high - floor < limit, (floor, high)


def test_e_a_progress_bar_on_a_terminal_only(text, tmp_path):
    """Octets, rate and time on standard error, none of it when that is a file."""
    zeros = tmp_path / "zeros"
    zeros.touch()
    os.truncate(zeros, LARGE)
    args = [TOOL, "call", "--in-pipe=text=-", text.binding, text.idl, "CountLines"]
    master, slave = pty.openpty()
    read, write = os.pipe()
    process = subprocess.Popen(args, env=text.env, stdin=read, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    os.close(read)
    for _ in range(4):
        os.write(write, bytes(1000))
        time.sleep(0.15)
    os.close(write)
    assert json.loads(process.communicate(timeout=PATIENCE)[0]) == {"return": 0}
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    os.close(master)
    assert re.search(rb"4\.0 kB  [0-9.]+ k?B/s  0:0", shown), shown
    done = text.call("--in-pipe=text=" + str(zeros), "CountLines", "{}")
    assert done.returncode == 0 and not done.stderr


# ---- Ctrl-C -----------------------------------------------------------------------------------------------


def interrupt(process, text):
    """Ctrl-C, and until the tool has said so: `text` on its standard error."""
    process.send_signal(signal.SIGINT)
    said = b""
    while text not in said:
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, said
        said += piece


def waiting_call(server):
    """The tool in a call whose answer does not come."""
    process = subprocess.Popen([TOOL, "call", server.binding, MIRROR, "Nothing"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return process


def test_f_an_interrupt_cancels_the_call():
    """The server is told with a co_cancel and answers with a fault."""
    seen = []

    def script(wire, _):
        ident = accept(wire)
        request = wire.recv()
        seen.append(request.ptype)
        seen.append(wire.recv().ptype)
        wire.send(pdu.fault(pdu.NCA_CANCEL, call=request.call, context=ident))
        with contextlib.suppress(pdu.Closed):
            wire.recv()
    with FakeServer(script) as fake:
        process = waiting_call(fake)
        pdu.wait_until(lambda: seen, what="the request")
        interrupt(process, b"once more")
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130 and b"RPC_S_CALL_CANCELLED" in said, said
    assert seen == [pdu.REQUEST, pdu.CO_CANCEL]


def test_f_a_second_interrupt_gives_the_call_up():
    """The server does not answer at all."""
    seen = []

    def script(wire, _):
        accept(wire)
        with contextlib.suppress(pdu.Closed):
            while True:
                seen.append(wire.recv().ptype)
    with FakeServer(script) as fake:
        process = waiting_call(fake)
        pdu.wait_until(lambda: seen, what="the request")
        interrupt(process, b"once more")
        time.sleep(0.2)
        assert process.poll() is None, "the call goes on until the server answers"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130 and b"RPC_S_CALL_CANCELLED" in said, said
    assert seen[:2] == [pdu.REQUEST, pdu.CO_CANCEL]


def test_f_an_interrupt_while_input_does_not_come(numbers):
    """Standard input has nothing to say: the pipe is left, the server's answer taken."""
    read, write = os.pipe()
    process = subprocess.Popen([TOOL, "call", "--in-pipe=numbers=-", numbers.binding, numbers.idl,
                                "Sum", "{}"], env=numbers.env, stdin=read, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    os.close(read)
    os.write(write, bytes(4000))
    time.sleep(0.3)
    interrupt(process, b"once more")
    if process.poll() is None:
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    os.close(write)
    assert process.returncode == 130, said


def test_f_interrupts_while_a_server_does_not_read():
    """A push that waits for room comes back."""
    reading, stop = [], []

    def script(wire, _):
        accept(wire)
        reading.append(wire.recv().ptype)
        pdu.wait_until(lambda: stop, seconds=30, what="the end of the test")
    with FakeServer(script) as fake:
        process = subprocess.Popen([TOOL, "call", "--in-pipe=octets=/dev/zero",
                                    "--out-pipe=octets=/dev/null", fake.binding, MIRROR, "Copy",
                                    '{"n": 1}'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        pdu.wait_until(lambda: reading, what="the request")
        time.sleep(0.5)
        interrupt(process, b"once more")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        stop.append(True)
        assert process.returncode == 130 and b"RPC_S_CALL_CANCELLED" in said, said


def test_f_interrupts_while_octets_come(numbers):
    process = subprocess.Popen([TOOL, "call", "--out-pipe=numbers=/dev/null", numbers.binding,
                                numbers.idl, "Primes", '{"limit": 2147483647}'], env=numbers.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    interrupt(process, b"once more")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and b"RPC_S_CALL_CANCELLED" in said, said


# ---- Handles -----------------------------------------------------------------------------------------------


def test_g_context_handles_are_hexadecimal(program_env):
    """One call is one association: what it opened is run down when it ends."""
    idl = f"{E2E}/handles/handles.idl"
    with serving(BUILD / "tests/e2e/handles/handles_server", program_env) as server:
        binding = server.bindings["tcp4"]
        opened = call(binding, idl, "Open", '{"seed": 5}', env=program_env)
        assert opened["return"] == 0 or opened["return"], opened
        assert re.fullmatch("[0-9a-f]{40}", opened["session"]) and opened["session"] != "0" * 40
        said = complain(binding, idl, "handles.Add",
                        json.dumps({"session": opened["session"], "n": 1}), status=1, env=program_env)
        assert "RPC_X_SS_CONTEXT_MISMATCH" in said

        def counters():
            return call(binding, idl, "Counters", env=program_env)["counters"]
        pdu.wait_until(lambda: counters()["rundowns"] == 1, what="the rundown")
        assert counters()["live"] == 0


def test_g_a_script_is_one_association_group(program_env, tmp_path):
    """What one call opens the next ones use, by the name of the first."""
    idl = f"{E2E}/handles/handles.idl"
    script = tmp_path / "script"
    lines = [{"call": "Open", "arguments": {"seed": 5}, "as": "opened"},
             {"call": "handles.Add", "arguments": {"session": {"$of": "opened.session"}, "n": 37}},
             {"call": "Both", "arguments": {"a": {"$of": "opened.session"},
                                            "b": {"$of": "opened.session"}}},
             {"call": "Close", "arguments": {"session": {"$of": "opened.session"}}, "as": "closed"},
             {"call": "Counters"}]
    script.write_text("\n\n".join(map(json.dumps, lines)))
    with serving(BUILD / "tests/e2e/handles/handles_server", program_env) as server:
        args = ("-c", f"--script={script}", server.bindings["tcp4"], idl)
        done = run("call", *args, env=program_env)
        assert done.returncode == 0 and not done.stderr, done
        opened, added, _, closed, counters = map(json.loads, done.stdout.splitlines())
        assert added["return"] == 42 and opened["session"]
        assert closed == {"session": None}
        assert counters["counters"]["live"] == 0 and counters["counters"]["rundowns"] == 0
        for line, text in [
                ('{"call": "Add", "arguments": {"session": {"$of": "x.y"}, "n": 1}}',
                 f"{script}:2: no earlier call has a result 'x.y'"),
                ('{"call": "Add", "argument": {}}', f"{script}:2: unknown or wrong member 'argument'"),
                ('{"as": "x"}', f"{script}:2: no member 'call'"),
                ("[1]", f"{script}:2: expected an object"),
                ("{", f"{script}:2:"),
                ('{"call": "AsyncNumbers", "arguments": {}}', "has pipes, which no script can give"),
                ('{"call": "Add", "arguments": {"session": "zz", "n": 1}}',
                 "arguments.session: expected null or the 40 hexadecimal digits")]:
            script.write_text('{"call": "Counters"}\n' + line + '\n{"call": "Counters"}\n')
            done = run("call", *args, env=program_env)
            assert done.returncode == 2 and text in done.stderr.decode(), done
            assert done.stdout.count(b"\n") == 1, "the calls before it were made, none behind"


def test_g_generic_and_maybe(program_env):
    """A [handle] parameter travels as data; [maybe] has no answer."""
    idl = f"{E2E}/handles/handles.idl"
    with serving(BUILD / "tests/e2e/handles/handles_server", program_env) as server:
        binding = server.bindings["tcp4"]
        assert call(binding, idl, "Generic", '{"place": "here", "n": 3}', env=program_env)["return"] \
            in (7, 4)
        assert call(binding, idl, "MaybeAdd", '{"n": 3}', env=program_env) == {}
        pdu.wait_until(lambda: call(binding, idl, "handles_status.Sum", env=program_env)["return"] == 3,
                       what="the sum")


# ---- ping, and the command line ---------------------------------------------------------------------------


def test_h_ping(program_env):
    with serving(BUILD / "tests/e2e/roundtrip/roundtrip_server", program_env) as server:
        done = run("ping", "-c", "3", "-i", "0.01", server.bindings["tcp4"], env=program_env)
        assert done.returncode == 0, done
        lines = done.stdout.decode().splitlines()
        assert lines[0].startswith("1: connected, bound and called in ")
        assert "3 calls, 3 answered, 0% lost" in lines
        figures = re.fullmatch(r"round trip min/avg/max/mdev = ([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+) ms",
                               lines[-1])
        low, mean, high, _ = map(float, figures.groups())
        assert 0 < low <= mean <= high
        process = subprocess.Popen([TOOL, "ping", "-c", "0", "-i", "0.05", server.bindings["ncalrpc"]],
                                   env=program_env, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 0 and b"0% lost" in rest
    done = run("ping", "-c", "1", f"ncacn_ip_tcp:127.0.0.1[{free_port()}]")
    assert done.returncode == 1 and b"100% lost" in done.stdout
    assert b"RPC_S_SERVER_UNAVAILABLE" in done.stderr


# ---- Management and endpoint mapper -----------------------------------------------------------------------


IDS = [(uuid.UUID("12345778-1234-abcd-ef00-0123456789ac"), 1, 0),
       (uuid.UUID("367abb81-9844-35f1-ad32-98f038001003"), 2, 7)]


def replies(*stubs):
    """A server whose calls are answered one after the other; what it was asked is kept."""
    asked = []

    def script(wire, _):
        ident = accept(wire)
        for stub in stubs:
            request = wire.recv()
            asked.append(request)
            wire.send(pdu.response(stub, call=request.call, context=ident))
        with contextlib.suppress(pdu.Closed):
            wire.recv()
    script.asked = asked
    return script


def test_i_interfaces_of_a_server():
    """inq_if_ids as C706 appendix Q has it, octets made by hand."""
    stub = ndr.Writer().u32(0x20000).u32(2).u32(2).u32(0x20004).u32(0x20008)
    for ident, major, minor in IDS:
        stub.raw(ident.bytes_le).u16(major).u16(minor)
    with FakeServer(replies(stub.u32(0).done())) as fake:
        done = run("ifs", fake.binding)
        assert done.stdout.decode() == "".join(f"{i} v{a}.{b}\n" for i, a, b in IDS), done
        assert (fake.script.asked[0].opnum, fake.script.asked[0].stub) == (0, b"")
    with FakeServer(replies(stub.done())) as fake:
        assert json.loads(run("ifs", "--json", fake.binding).stdout) == \
            [{"uuid": str(i), "major": a, "minor": b} for i, a, b in IDS]
    with FakeServer(replies(struct.pack("<II", 0, 1817))) as fake:
        assert run("ifs", "--json", fake.binding).stdout == b"[]\n"
    with FakeServer(replies(struct.pack("<II", 0, 5))) as fake:
        done = run("ifs", fake.binding)
        assert done.returncode == 1 and b"RPC_S_ACCESS_DENIED, 5" in done.stderr


def test_i_statistics_of_a_server():
    """inq_stats: four counters, or as many as it has."""
    with FakeServer(replies(struct.pack("<7I", 4, 4, 1, 2, 3, 2**32 - 1, 0))) as fake:
        done = run("stats", "--json", fake.binding)
        assert json.loads(done.stdout) == {"calls_in": 1, "calls_out": 2, "pdus_in": 3,
                                           "pdus_out": 2**32 - 1}, done
        assert (fake.script.asked[0].opnum, fake.script.asked[0].stub) == (1, struct.pack("<I", 4))
    with FakeServer(replies(struct.pack("<7I", 4, 4, 1, 2, 3, 4, 0))) as fake:
        assert run("stats", fake.binding).stdout == (
            b"calls received   1\ncalls made       2\nPDUs received    3\nPDUs sent        4\n")


def tower(ident, major, minor, *floors):
    octets = struct.pack("<H", 2 + len(floors))
    for syntax, version, rest in ((ident, major, minor), (pdu.NDR.uuid, 2, 0)):
        octets += struct.pack("<HB16sHHH", 19, 0x0d, syntax.bytes_le, version, 2, rest)
    for protocol, address in floors:
        octets += struct.pack("<HBH", 1, protocol, len(address)) + address
    return octets


CONNECTION = (0x0b, b"\0\0")
ENTRIES = [
    (IDS[0], [CONNECTION, (0x07, b"\x10\x01"), (0x09, b"\x7f\0\0\1")], "ncacn_ip_tcp:127.0.0.1[4097]",
     b"first"),
    (IDS[1], [CONNECTION, (0x0f, b"\\pipe\\x\0"), (0x11, b"\\\\HOST\0")], "ncacn_np:\\\\HOST[\\pipe\\x]",
     b""),
    (IDS[1], [(0x0c, b"\0\0"), (0x10, b"na\x1bme\0")], "ncalrpc:[na?me]", b"e\x1bvil"),
    (IDS[0], [CONNECTION, (0x1f, b"\0\x50"), (0x09, bytes(4))], "ncacn_http:[80]", b"web"),
    (IDS[0], [(0x0a, b"\0\0"), (0x55, b"?")], "protocols 0a,55", b"odd"),
]
OBJECT = uuid.UUID("00000000-0000-0000-0000-0000000000ff")


def lookup_reply(entries, handle, status=0, ndr_max=100):
    writer = ndr.Writer().u32(0).raw(handle).u32(len(entries)).u32(ndr_max).u32(0).u32(len(entries))
    for n, (_, _, _, annotation) in enumerate(entries):
        writer.align(4).raw(OBJECT.bytes_le if n else bytes(16)).u32(n + 1)
        writer.u32(0).u32(len(annotation) + 1).raw(annotation + b"\0")
    for ident, floors, _, _ in entries:
        octets = tower(*ident, *floors)
        writer.u32(len(octets)).u32(len(octets)).raw(octets)
    return writer.u32(status).done()


def test_i_entries_of_an_endpoint_mapper():
    """ept_lookup, twice: all kinds of towers, made by hand; then what a terminal must not see."""
    handle = uuid.uuid4().bytes
    script = replies(lookup_reply(ENTRIES[:2], handle), lookup_reply(ENTRIES[2:], bytes(16)))
    with FakeServer(script) as fake:
        found = json.loads(run("ls", "--json", fake.binding).stdout)
    assert [(e["interface"], e["version"], e["binding"], e["annotation"]) for e in found] == \
        [(str(i), f"{a}.{b}", binding, text.decode()) for (i, a, b), _, binding, text in ENTRIES]
    assert [e["object"] for e in found[:2]] == [str(uuid.UUID(int=0)), str(OBJECT)]
    first, second = (request.stub for request in script.asked)
    assert all(request.opnum == 2 for request in script.asked)
    assert first == struct.pack("<4I20xI", 0, 0, 0, 1, 100)
    assert second == struct.pack("<5I16sI", 0, 0, 0, 1, 0, handle, 100)
    with FakeServer(replies(lookup_reply(ENTRIES, bytes(16)))) as fake:
        done = run("ls", "-p", fake.port, "127.0.0.1")
        lines = done.stdout.decode().splitlines()
        assert len(lines) == 6 and "\x1b" not in done.stdout.decode()
        assert lines[0].split() == ["INTERFACE", "VERSION", "BINDING", "ANNOTATION"]
        assert lines[1].split() == [str(IDS[0][0]), "1.0", "ncacn_ip_tcp:127.0.0.1[4097]", "first"]
        assert lines[2].endswith(f"object {OBJECT}") and lines[3].count("e?vil") == 1


def test_i_an_endpoint_mapper_with_nothing_and_towers_that_are_cut():
    """ept_s_not_registered is the end; of a tower every prefix is left out, not read beyond."""
    with FakeServer(replies(lookup_reply([], bytes(16), 0x16c9a0d6))) as fake:
        assert run("ls", "--json", fake.binding).stdout == b"[]\n"
    whole = tower(*IDS[0], *ENTRIES[0][1])
    for size in (0, 1, 2, 20, len(whole) - 8, len(whole) - 1):
        writer = ndr.Writer().raw(bytes(20)).u32(1).u32(100).u32(0).u32(1).raw(bytes(16)).u32(1)
        writer.u32(0).u32(1).raw(b"\0").u32(size).u32(size).raw(whole[:size]).u32(0)
        with FakeServer(replies(writer.done())) as fake:
            done = run("ls", "--json", fake.binding)
            assert (done.returncode, done.stdout) == (0, b"[]\n"), (size, done)


def test_i_a_server_of_ours_answers(program_env):
    with serving(BUILD / "tests/e2e/handles/handles_server", program_env) as server:
        binding = server.bindings["tcp4"]
        found = run("ifs", binding, env=program_env).stdout.decode().splitlines()
        assert "5f0e7a10-6a1d-4a54-9d7c-6f6b2f0c1a01 v1.0" in found
        before = json.loads(run("stats", "--json", binding, env=program_env).stdout)
        call(binding, f"{E2E}/handles/handles.idl", "Counters", env=program_env)
        after = json.loads(run("stats", "--json", binding, env=program_env).stdout)
        assert after["calls_in"] > before["calls_in"] and after["pdus_out"] > before["pdus_out"]
        done = run("ping", "-c", "2", "-i", "0", binding, env=program_env)
        assert done.returncode == 0 and b"refused" not in done.stdout


def test_i_a_mapper_of_ours_answers(mapper, start):
    """penstock-epmd by TCP and locally; a call finds its server through it."""
    idl = f"{E2E}/endpoint/endpoint.idl"
    server = start(endpoint_mapper.Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 2 where it is") == endpoint_mapper.OK
    for host in ([], ["127.0.0.1"], [f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]"]):
        found = json.loads(run("ls", "--json", *host, env=mapper.env).stdout)
        mine = [e for e in found if e["interface"] == endpoint_mapper.INTERFACE]
        assert {e["annotation"] for e in mine} == {"where it is"}
        assert {e["version"] for e in mine} == {"2.3"}
        assert {e["binding"].split(":")[0] for e in mine} == {"ncacn_ip_tcp", "ncalrpc"}
        assert len({e["object"] for e in mine}) == 2
    objects = sorted({e["object"] for e in mine})
    for binding in ("ncacn_ip_tcp:127.0.0.1", "ncalrpc:"):
        assert call(f"{objects[0]}@{binding}", idl, "who", env=mapper.env) == {"return": server.pid}
    for binding in {e["binding"] for e in mine}:
        assert call(binding, idl, "who", env=mapper.env) == {"return": server.pid}
    assert server.do("register endpoint 300 more") == endpoint_mapper.OK
    found = json.loads(run("ls", "--json", env=mapper.env).stdout)
    assert len(found) >= 600, "more than one answer holds"


def test_h_the_command_line():
    done = run("--version")
    assert re.fullmatch(rb"penstock \d+\.\d+\.\d+\n", done.stdout) and done.returncode == 0
    assert b"usage: penstock COMMAND" in run("--help").stdout
    for command in ("call", "ping", "ls", "ifs", "stats"):
        done = run(command, "--help")
        assert done.returncode == 0 and f"usage: penstock {command}".encode() in done.stdout
        done = run(command, "--nonsense")
        assert done.returncode == 2 and f"penstock {command} --help".encode() in done.stderr
        assert command == "ls" or run(command).returncode == 2
    assert run().returncode == 2
    done = run("sing")
    assert done.returncode == 2 and b"there is no command 'sing'" in done.stderr


def completions(*words):
    """What bash would offer for the last word."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
                _penstock; printf '%s\\n' "${COMPREPLY[@]}" """
    done = subprocess.run(["bash", "-c", script, "bash", f"{E2E}/../../completions/penstock.bash", *words],
                          capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert not done.stderr
    return done.stdout.split()


def test_h_manual_and_completion_have_every_command_and_option():
    manual = open(f"{E2E}/../../man/penstock.1.scd", encoding="utf-8").read()
    commands = re.findall(r"^  (\w+) ", run("--help").stdout.decode(), re.MULTILINE)
    assert commands == ["call", "ping", "ls", "ifs", "stats"]
    assert set(completions("penstock", "")) == {*commands, "--help", "--version"}
    for command in commands:
        section = re.search(rf"^## {command}\n(.*?)^##? ", manual, re.DOTALL | re.MULTILINE).group(1)
        options = set(re.findall(r"--[a-z-]+", run(command, "--help").stdout.decode())) - {"--help"}
        offered = {word.split("=")[0] for word in completions("penstock", command, "--")}
        for option in options:
            assert f"*{option}*" in section, (command, option)
        assert options <= offered, (command, options - offered)


def test_h_completion_of_operations_and_files():
    idl = f"{EXAMPLES}/pipes/pipes.idl"
    assert completions("penstock", "call", "ncalrpc:[x]", idl, "pipes.S") == \
        ["pipes.Sum", "pipes.Sort", "pipes.Shutdown"]
    assert completions("penstock", "call", "ncalrpc:[x]", idl[:-2]) == [idl]
    assert completions("penstock", "call", "--syntax", "ndr6") == ["ndr64"]


def test_h_endpoints_of_the_idl_file(tmp_path):
    """A binding without one takes that of the interface for its protocol sequence."""
    idl = tmp_path / "a.idl"
    with FakeServer(Mirror()) as fake:
        idl.write_text(f'[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c12),\n'
                       f'endpoint("ncalrpc:[nobody]", "ncacn_ip_tcp:[{fake.port}]")] interface one\n'
                       "{ long Op([in] long v); }\n")
        assert call("ncacn_ip_tcp:127.0.0.1", idl, "Op", '{"v": 5}') == {"return": 5}
