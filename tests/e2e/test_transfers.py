# SPDX-License-Identifier: MIT
"""The published interfaces with pipes, [MS-EFSR] and [MS-FRS2], from IDL with the published
identifiers and numbers: files through EfsRpcWriteFileRaw, EfsRpcReadFileRaw and
RawGetFileDataAsync, whole or left half-way, and what ndrdump makes of each captured call.
"""
import re
import shutil
import subprocess
import uuid

import pytest

from conftest import BUILD, serving
from peer import calls, pcap, pdu

PROGRAMS = BUILD / "tests/e2e/transfers"
PATIENCE = 120
TRANSPORTS = ["ncalrpc", "tcp4"]
# What a piece, a fragment, the initial buffer, a water mark and the whole can be short of or
# beyond.
SIZES = [0, 1, 7, 4095, 4096, 4097, 5816, 65536, 1048577, 5_000_003]


@pytest.fixture
def server(program_env):
    """Its end checks that no handle and no transfer is left."""
    with serving(PROGRAMS / "transfers_server", program_env) as found:
        yield found


def run(binding, env, *words, program=PROGRAMS / "transfers_client"):
    done = subprocess.run([program, binding, *map(str, words)], env=env, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout.splitlines()


def octets_of(size):
    return calls.octets(size)


def make_files(folder):
    for size in SIZES:
        (folder / f"{size}.in").write_bytes(octets_of(size))


def check_transfers(binding, env, folder, **options):
    """Every size there and back by both interfaces."""
    make_files(folder)
    words, wanted = [], []
    for size in SIZES:
        for command, name in (("put", "in"), ("get", "efs"), ("fetch", "frs")):
            words += [command, f"file {size}", folder / f"{size}.{name}"]
            wanted.append(f"{command} file {size} result 0 octets {size}")
    assert run(binding, env, *words, **options) == wanted
    for size in SIZES:
        for name in ("efs", "frs"):
            assert (folder / f"{size}.{name}").read_bytes() == octets_of(size), (size, name)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_b_files_of_every_size(transport, server, syntax_env, tmp_path):
    check_transfers(server.bindings[transport], syntax_env, tmp_path)


def test_b_what_is_not_there(server, program_env, tmp_path):
    """ERROR_FILE_NOT_FOUND is a result, not a fault; the handle is NULL then."""
    out = tmp_path / "out"
    assert run(server.bindings["tcp4"], program_env, "get", "none", out, "fetch", "none", out) == [
        "get none result 2 octets 0", "fetch none result 2 octets 0"]
    assert out.read_bytes() == b""


def test_b_a_second_version(server, program_env, tmp_path):
    (tmp_path / "1").write_bytes(octets_of(100_000))
    (tmp_path / "2").write_bytes(b"shorter")
    binding = server.bindings["tcp4"]
    for name in "12":
        run(binding, program_env, "put", "file", tmp_path / name)
        run(binding, program_env, "fetch", "file", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("command", ["leave", "cancel"])
def test_c_left_half_way(command, transport, server, program_env, tmp_path):
    """A client that dies, or cancels, with a pipe half-way: its handles are run down, nothing
    appears under the name, and the next client is served."""
    size = 20_000_000
    binding = server.bindings[transport]
    (tmp_path / "in").write_bytes(octets_of(size))
    run(binding, program_env, "put", "file", tmp_path / "in")
    lines = run(binding, program_env, command, "file", "get")
    lines += run(binding, program_env, command, "other", "put")
    assert lines == ([] if command == "leave" else
                     ["cancel file status 1818", "cancel file result 0 octets " + lines[1].split()[-1],
                      "cancel other status 1818", "cancel other result 0 octets 100000"])
    assert run(binding, program_env, "get", "other", tmp_path / "out", "get", "file",
               tmp_path / "out") == ["get other result 2 octets 0",
                                     f"get file result 0 octets {size}"]
    assert (tmp_path / "out").read_bytes() == octets_of(size)


def test_c_clients_at_once(server, program_env, tmp_path):
    make_files(tmp_path)
    binding, size = server.bindings["tcp4"], SIZES[-1]
    run(binding, program_env, "put", "file", tmp_path / f"{size}.in")
    clients = [subprocess.Popen([PROGRAMS / "transfers_client", binding, command, "file",
                                 tmp_path / f"{command}-{number}"],
                                env=program_env, stdout=subprocess.PIPE, text=True)
               for number in range(3) for command in ("get", "fetch")]
    try:
        for client in clients:
            output, _ = client.communicate(timeout=PATIENCE)
            assert client.returncode == 0 and "result 0" in output
    finally:
        for client in clients:
            client.kill()
    for number in range(3):
        for command in ("get", "fetch"):
            assert (tmp_path / f"{command}-{number}").read_bytes() == octets_of(size)


# ---- ndrdump -------------------------------------------------------------------------------

EFS = uuid.UUID("c681d488-d850-11d0-8c52-00c04fd90f7e")
FRS = uuid.UUID("897e2e5f-93f3-4376-9c9c-fd2277495c27")
SIZE = 30_001
# A string in an array of 261 ends with its terminator, wherever that is; ndrdump insists on 261.
NAME = "name" * 65
PIPE_OF_OCTETS = "frstrans_RawGetFileDataAsync"  # and a result of 32 bits


@pytest.fixture(scope="module", params=["ndr", "ndr64"])
def stubs(request, program_env, tmp_path_factory):
    """Captured, of one file put, read, fetched: a Stubs."""
    folder = tmp_path_factory.mktemp("captured")
    (folder / "in").write_bytes(octets_of(SIZE))
    capture = folder / "client.pcap"
    env = dict(program_env, PENSTOCK_TRANSFER_SYNTAX=request.param)
    with serving(PROGRAMS / "transfers_server", program_env) as found:
        run(found.bindings["tcp4"], dict(env, PENSTOCK_PCAP=str(capture)),
            "put", NAME, folder / "in", "get", NAME, folder / "out",
            "fetch", NAME, folder / "out")
    return Stubs(capture, folder, request.param == "ndr64")


class Stubs(dict):
    """{(interface, operation number): (request, response)}, and ndrdump of them."""

    def __init__(self, capture, folder, ndr64):
        super().__init__()
        self.folder, self.ndr64 = folder, ndr64
        for stream in pcap.streams(capture).values():
            sent, received = (pcap.pdus(stream[side])
                              for side in (pcap.FROM_CLIENT, pcap.FROM_SERVER))
            requests, responses = pcap.stubs(sent), pcap.stubs(received)
            interfaces = {c.ident: c.abstract.uuid for p in sent for c in p.contexts}
            for p in sent:
                if p.ptype == pdu.REQUEST and p.first:
                    self.setdefault((interfaces[p.context], p.opnum),
                                    (requests[p.call], responses[p.call]))

    def dump(self, pipe, function, direction, octets, request=None):
        if not shutil.which("ndrdump"):
            pytest.skip("ndrdump (samba-testsuite) is not installed")
        stub, context = self.folder / "stub", self.folder / "request"
        stub.write_bytes(octets)
        options = ["--ndr64"] if self.ndr64 else []
        if request is not None:
            context.write_bytes(request)
            options += ["--context-file", context]
        done = subprocess.run(["ndrdump", "--debug-stdout", *options, pipe, function, direction,
                               stub], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        assert done.returncode == 0 and "dump OK" in done.stdout, done.stdout + done.stderr
        return done.stdout

    def pipe(self, octets):
        """What ndrdump finds in the chunks of a pipe of octets, with a result behind it."""
        found = b""
        for line in whole(self.dump("frstrans", PIPE_OF_OCTETS, "out", octets)).splitlines():
            # Short arrays stand in the line, longer ones in a dump of 16 per line.
            if short := re.match(r"\s+array +: ([0-9a-f]*)$", line):
                found += bytes.fromhex(short[1])
            elif long := re.match(
                    r"\[[0-9A-F]+\] ((?:[0-9A-F]{2} ){1,8}(?:  (?:[0-9A-F]{2} ){1,8})?)", line):
                found += bytes.fromhex(long[1])
        return found


def whole(text):
    """`text`, which must not have octets left over."""
    assert "unread" not in text, text
    return text


def value(text, name):
    """What is printed under a name, pointers ("*") followed."""
    return re.search(rf"^\s+{name} +: (?!\*$)(.*)$", text, re.MULTILINE)[1]


def test_b_every_operation_was_called(stubs):
    assert set(stubs) == {(EFS, n) for n in (0, 1, 2, 3)} | {(FRS, n) for n in (0, 12, 13, 15)}


def test_c_ndrdump_reads_efs(stubs):
    request, response = stubs[EFS, 0]
    text = whole(stubs.dump("efs", "EfsRpcOpenFileRaw", "in", request))
    assert value(text, "FileName") == f"'{NAME}'" and value(text, "Flags") == "0x00000001 (1)"
    text = whole(stubs.dump("efs", "EfsRpcOpenFileRaw", "out", response))
    handle = value(text, "uuid")
    assert handle != str(uuid.UUID(int=0)) and value(text, "result") == "WERR_OK"

    # ndrdump knows these without their pipes, and pipes of octets from the other interface.
    request, response = stubs[EFS, 2]
    text = stubs.dump("efs", "EfsRpcWriteFileRaw", "in", request)
    assert value(text, "uuid") == handle
    assert stubs.pipe(request[24 if stubs.ndr64 else 20:] + bytes(4)) == octets_of(SIZE)
    text = whole(stubs.dump("efs", "EfsRpcWriteFileRaw", "out", response))
    assert value(text, "result") == "WERR_OK"

    request, response = stubs[EFS, 1]
    text = whole(stubs.dump("efs", "EfsRpcReadFileRaw", "in", request))
    assert value(text, "uuid") not in (handle, str(uuid.UUID(int=0)))
    assert stubs.pipe(response) == octets_of(SIZE)

    request, response = stubs[EFS, 3]
    assert value(whole(stubs.dump("efs", "EfsRpcCloseRaw", "in", request)), "uuid") == handle
    text = whole(stubs.dump("efs", "EfsRpcCloseRaw", "out", response))
    assert value(text, "uuid") == str(uuid.UUID(int=0))


def test_c_ndrdump_reads_frstrans(stubs):
    request, response = stubs[FRS, 0]
    text = whole(stubs.dump("frstrans", "frstrans_CheckConnectivity", "in", request))
    assert value(text, "replica_set_guid") == "01020304-0005-0006-0708-090a0b0c0d0e"
    assert value(whole(stubs.dump("frstrans", "frstrans_CheckConnectivity", "out",
                               response)), "result") == "WERR_OK"

    request, response = stubs[FRS, 13]
    call = "frstrans_InitializeFileTransferAsync"
    text = whole(stubs.dump("frstrans", call, "in", request))
    assert value(text, "name") == f"'{NAME}'"
    assert value(text, "gsvn_version") == "0x0102030405060708 (72623859790382856)"
    assert value(text, "buffer_size") == "0x00001000 (4096)"
    if stubs.ndr64:
        # Samba has enumerations where [MS-FRS2] says unsigned short: 4 octets here.
        context = str(uuid.UUID(bytes_le=stubs[FRS, 15][0][4:20]))
    else:
        text = whole(stubs.dump("frstrans", call, "out", response, request))
        assert value(text, "gsvn_version") == "0x0102030405060709 (72623859790382857)"
        assert value(text, "on_disk_file_size") == f"0x{SIZE:016x} ({SIZE})"
        assert value(text, "rdc_signature_levels") == "0x03 (3)"
        assert value(text, "max_window_size") == "0x0030 (48)"
        assert value(text, "max_chunk_size") == "0x5678 (22136)"
        assert value(text, "size_read") == "0x00001000 (4096)"
        context = re.search(r"server_context: struct.*?uuid +: (\S+)", text, re.DOTALL)[1]

    request, response = stubs[FRS, 15]
    assert value(whole(stubs.dump("frstrans", PIPE_OF_OCTETS, "in", request)),
                 "uuid") == context
    assert stubs.pipe(response) == octets_of(SIZE)[4096:]

    request, response = stubs[FRS, 12]
    assert value(whole(stubs.dump("frstrans", "frstrans_RdcClose", "in", request)),
                 "uuid") == context
    assert value(whole(stubs.dump("frstrans", "frstrans_RdcClose", "out", response)),
                 "uuid") == str(uuid.UUID(int=0))
