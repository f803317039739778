# SPDX-License-Identifier: MIT
"""penstock-epmd as others see it: Samba's client library and smbtorture, impacket, Wireshark's
dissector.  Each is skipped where it is not installed.
"""
import re
import shutil
import struct
import subprocess
import uuid
from pathlib import Path

import pytest

from endpoint_mapper import (CANT_PERFORM, INTERFACE, OK, Client, Mapper, Server, a_mapper,
                             starter)
from peer import pcap

assert a_mapper and starter

NO_MORE_ENTRIES = 0x16c9a0d6
CANT_PERFORM_OP = 0x16c9a0cd
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def vector(name):
    text = re.sub(r"#.*", "", (VECTORS / f"{name}.hex").read_text())
    return bytes.fromhex(text)


# ---- Towers as octets -------------------------------------------------------------


def test_samba_reads_the_vectors(tmp_path):
    """The towers of the unit tests are towers to Samba: its decoder shows what is in them, within
    a request of ept_map."""
    if not shutil.which("ndrdump"):
        pytest.skip("ndrdump is not installed")
    for name, wanted in (("t1_tower_tcp", "port                     : 0x0087 (135)"),
                         ("t2_tower_pipe", r"\pipe\demo"),
                         ("t3_tower_local", "demo_lrpc"),
                         ("t4_tower_http", "port                     : 0x0251 (593)")):
        tower = vector(name)
        request = struct.pack("<I", 1) + bytes(16) + struct.pack("<I", 2)
        request += struct.pack("<2I", len(tower), len(tower)) + tower
        request += bytes(-len(request) % 4) + bytes(20) + struct.pack("<I", 5)
        (tmp_path / name).write_bytes(request)
        done = subprocess.run(["ndrdump", "epmapper", "epm_Map", "in", tmp_path / name],
                              capture_output=True, timeout=60, check=False)
        text = done.stdout.decode()
        assert done.returncode == 0, text + done.stderr.decode()
        assert wanted in text, text


def test_impacket_reads_the_vectors():
    epm = pytest.importorskip("impacket.dcerpc.v5.epm")
    for name, text in (("t1_tower_tcp", "ncacn_ip_tcp:0.0.0.0[135]"),
                       ("t2_tower_pipe", "ncacn_np:\\\\HOST[\\pipe\\demo]"),
                       ("t3_tower_local", "ncalrpc:[demo_lrpc]"),
                       ("t4_tower_http", "ncacn_http:192.0.2.7[593]")):
        tower = epm.EPMTower(vector(name))
        assert epm.PrintStringBinding(tower["Floors"]) == text
        assert str(tower["Floors"][0]).lower().startswith("a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91")


# ---- Samba's client -----------------------------------------------------------------


@pytest.fixture(name="samba")
def samba_client(mapper):
    """A connection by Samba's library; called with True: by the local socket."""
    epmapper = pytest.importorskip("samba.dcerpc.epmapper")
    param = pytest.importorskip("samba.param")

    def connect(local=False):
        context = param.LoadParm()
        context.load_default()
        if not local:
            return epmapper.epmapper(f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]", context)
        context.set("ncalrpc dir", f"{mapper.env['XDG_RUNTIME_DIR']}/penstock")
        return epmapper.epmapper(f"ncalrpc:[epmapper-{mapper.port}]", context)
    return connect


def lookup(connection, most, kind=0, version=1):
    """All entries, `most` at a time."""
    misc = pytest.importorskip("samba.dcerpc.misc")
    handle, found = misc.policy_handle(), []
    while True:
        handle, entries, status = connection.epm_Lookup(kind, None, None, version, handle, most)
        assert len(entries) <= most
        found += entries
        assert entries and status == 0
        if handle.uuid == misc.GUID():
            return found


@pytest.mark.parametrize("most", [1, 3, 24, 500])
def test_samba_lookup(start, samba, most):
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 12 some words") == OK
    found = lookup(samba(), most)
    assert len(found) == 24
    assert {entry.annotation for entry in found} == {"some words"}
    assert sorted(uuid.UUID(str(entry.object)).fields[0] for entry in found) == \
        sorted([*range(1, 13)] * 2)
    floors = found[0].tower.tower.floors
    assert len(floors) in (4, 5)


def test_samba_map(start, samba):
    """A tower comes back with the port, and the address at which the mapper was reached."""
    epmapper = pytest.importorskip("samba.dcerpc.epmapper")
    misc = pytest.importorskip("samba.dcerpc.misc")
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    connection = samba()
    entry, = lookup(connection, 10)
    port = entry.tower.tower.floors[3].rhs.port
    asked = entry.tower
    asked.tower.floors[3].rhs.port = 0
    handle, towers, status = connection.epm_Map(misc.GUID(), asked, misc.policy_handle(), 5)
    assert status == 0 and len(towers) == 1 and handle.uuid == misc.GUID()
    floors = towers[0].twr.tower.floors
    assert floors[3].rhs.port == port and floors[4].rhs.ipaddr == "127.0.0.1"
    assert floors[3].lhs.protocol == epmapper.EPM_PROTOCOL_TCP
    asked.tower.floors[3].rhs.port = 0
    asked.tower.floors[4].rhs.ipaddr = "192.0.2.99"  # is ignored
    assert len(connection.epm_Map(misc.GUID(), asked, misc.policy_handle(), 5)[1]) == 1


def test_samba_inserts(start, samba):
    """ept_insert and ept_delete: local callers only; what they insert our client finds."""
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    remote, local = samba(), samba(local=True)
    entry, = lookup(remote, 10)
    entry.annotation = "by Samba"
    entry.tower.tower.floors[3].rhs.port = 4711
    assert remote.epm_Insert([entry], 0) == CANT_PERFORM_OP
    assert remote.epm_Delete([entry]) == CANT_PERFORM_OP
    assert local.epm_Insert([entry], 0) == 0
    client = start(Client)
    assert any(line.endswith("[4711] by Samba") for line in client.entries())
    assert local.epm_Insert([entry], 0) == 0  # the same once more
    assert len(client.entries()) == 2
    entry.tower.tower.floors[3].rhs.port = 4712
    assert local.epm_Insert([entry], 1) == 0  # in place of it, not of the server's
    assert len(client.entries()) == 2
    assert local.epm_Delete([entry]) == 0
    assert local.epm_Delete([entry]) == NO_MORE_ENTRIES
    assert len(client.entries()) == 1


# ---- smbtorture --------------------------------------------------------------------------

LAST = ("wants the status that there are no more with the last entries, as Samba's mapper has it; "
        "impacket, which is for Windows, would take that for a failure")
LOCAL_ONLY = "inserts an entry, which a mapper takes from local callers only (MS-RPCE)"
EXPECTED_FAILURES = {"tcp": {"Map_full": LOCAL_ONLY, "Insert_noreplace": LOCAL_ONLY,
                             "Lookup_simple": LAST},
                     "local": {"Lookup_simple": LAST}}


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_smbtorture(mapper, start, transport):
    """rpc.epmapper: everything but what is named above succeeds, and that fails."""
    if not shutil.which("smbtorture"):
        pytest.skip("samba-testsuite is not installed")
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 7 words") == OK
    binding = {"tcp": f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]",
               "local": f"ncalrpc:[epmapper-{mapper.port}]"}[transport]
    done = subprocess.run(["smbtorture", binding, "rpc.epmapper", "-U%",
                           f"--option=ncalrpc dir={mapper.env['XDG_RUNTIME_DIR']}/penstock"],
                          env=mapper.env, capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    results = dict(reversed(line) for line in
                   re.findall(r"^(success|failure|error): epmapper\.(\w+)", done.stdout, re.M))
    assert len(results) == 5, done.stdout + done.stderr
    failed = {name for name, result in results.items() if result != "success"}
    assert failed == set(EXPECTED_FAILURES[transport]), done.stdout


# ---- impacket -----------------------------------------------------------------------------


@pytest.fixture(name="impacket")
def impacket_connection(mapper):
    transport = pytest.importorskip("impacket.dcerpc.v5.transport")

    def connect():
        where = f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]"
        connection = transport.DCERPCTransportFactory(where).get_dce_rpc()
        connection.connect()
        return connection
    return connect


def test_impacket_dump(start, impacket):
    """What rpcdump.py does: all entries with their string bindings."""
    epm = pytest.importorskip("impacket.dcerpc.v5.epm")
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 300 many") == OK  # more than one answer holds
    found = epm.hept_lookup(None, dce=impacket())
    assert len(found) == 600
    texts = [epm.PrintStringBinding(entry["tower"]["Floors"]) for entry in found]
    assert sum(text.startswith("ncacn_ip_tcp:127.0.0.1[") for text in texts) == 300
    assert sum(text.startswith("ncalrpc:[LRPC-") for text in texts) == 300
    assert all(entry["annotation"].rstrip(b"\0") == b"many" for entry in found)


def test_impacket_map(start, impacket):
    epm = pytest.importorskip("impacket.dcerpc.v5.epm")
    uuids = pytest.importorskip("impacket.uuid")
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    wanted = start(Client).entries()[0].split("[")[1].split("]")[0]
    where = epm.hept_map("127.0.0.1", uuids.uuidtup_to_bin((INTERFACE, "2.0")),
                         protocol="ncacn_ip_tcp", dce=impacket())
    assert where == f"ncacn_ip_tcp:127.0.0.1[{wanted}]"


# ---- Wireshark -----------------------------------------------------------------------------


def test_wireshark(program_env, tmp_path):
    """What our client and the mapper say to each other is EPM to Wireshark, none of it
    malformed, and the towers are what we registered."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    capture = tmp_path / "client.pcap"
    mapper = Mapper(program_env)
    server = Server(mapper, "ncacn_ip_tcp")
    assert server.do("register endpoint 2 words") == OK
    # Of NDR64 the dissector reads the operation only.
    mapper.env = dict(mapper.env, PENSTOCK_PCAP=str(capture), PENSTOCK_TRANSFER_SYNTAX="ndr")
    client = Client(mapper, "ncacn_ip_tcp:127.0.0.1")
    assert client.do("object 1") == OK and client.do("who") == server.pid
    assert client.do("object 0") == OK and client.do("reset") == OK
    port = client.entries(here=False)[0].split("[")[1].split("]")[0]
    assert client.do(f"forget ncacn_ip_tcp:127.0.0.1[{port}] 2.3 1") == CANT_PERFORM
    client.close()
    server.close()
    assert mapper.end() == 0
    done = subprocess.run(
        ["tshark", "-r", capture, "-d", f"tcp.port=={pcap.SERVER_PORT},dcerpc", "-T", "fields",
         "-e", "epm.opnum", "-e", "_ws.malformed", "-e", "epm.proto.tcp_port", "-e",
         "epm.annotation", "-e", "_ws.expert.message"],
        capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split("\t") for line in done.stdout.split("\n")[:-1]]
    assert {row[0] for row in rows} >= {"2", "3", "1"}  # ept_lookup, ept_map, ept_delete
    assert all(row[1] == "" and "ong frame" not in row[4] for row in rows), done.stdout
    assert any(port in row[2] for row in rows if row[0] == "3")
    assert any(row[2] == f"{port},{port}" and row[3] == "words,words" for row in rows if row[0] == "2")
