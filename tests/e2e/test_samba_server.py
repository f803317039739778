# SPDX-License-Identifier: MIT
"""Our client stubs, from our IDL, against Samba's servers; what they bring back is compared
with what Samba's own client library brings back from the same server.

Samba answers strangers over TCP: epmapper, mgmt, srvsvc, winreg (to read), samr (to look
up).  All of lsarpc, the accounts of samr and writing to winreg want authentication.
"""
import json
import re
import struct
import subprocess
import uuid
from types import SimpleNamespace

import pytest

from conftest import BUILD
from peer import dissect, pdu
from peer.samba import NAME, Samba

CLIENT = BUILD / "tests/e2e/samba/samba_client"
PATIENCE = 60

EPT_NOT_REGISTERED = 0x16C9A0D6
ACCESS_DENIED, INVALID_NAME, INVALID_LEVEL = 5, 123, 124
UNKNOWN_IF, PROCNUM_OUT_OF_RANGE, BAD_STUB_DATA, NO_MORE_ELEMENTS = 1717, 1745, 1783, 1772
SOME_NOT_MAPPED, NONE_MAPPED = 0x107, 0xC0000073

SRVSVC = "4b324fc8-1670-01d3-1278-5a47bf6ee188", 3
WINREG = "338cd001-2244-31f1-aaaa-900038001003", 1
LSARPC = "12345778-1234-abcd-ef00-0123456789ab", 0
SAMR = "12345778-1234-abcd-ef00-0123456789ac", 1


@pytest.fixture(scope="module")
def samba():
    server = Samba()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def modules():
    """Samba's client library: .srvsvc and so on."""
    names = ("srvsvc", "winreg", "samr", "mgmt")
    return SimpleNamespace(**{name: pytest.importorskip(
        f"samba.dcerpc.{name}", reason="python3-samba is not installed") for name in names})


def call(samba, port, *args, env=None):
    done = subprocess.run([CLIENT, f"ncacn_ip_tcp:{samba.address}[{port}]", *map(str, args)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                          timeout=PATIENCE)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def value(samba, port, *args, env=None):
    answer = call(samba, port, *args, env=env)
    assert answer["status"] == 0, answer
    return answer["value"]


def tower(interface, port=0, address="0.0.0.0"):
    """For NDR 2.0 over TCP (C706 Appendix L)."""
    def floor(left, right):
        return struct.pack("<H", len(left)) + left + struct.pack("<H", len(right)) + right

    def syntax(ident, major):
        return floor(b"\x0d" + uuid.UUID(ident).bytes_le + struct.pack("<H", major), bytes(2))
    return (struct.pack("<H", 5) + syntax(*interface) + syntax(str(pdu.NDR.uuid), 2) +
            floor(b"\x0b", bytes(2)) + floor(b"\x07", struct.pack(">H", port)) +
            floor(b"\x09", bytes(map(int, address.split(".")))))


@pytest.fixture(scope="module")
def ports(samba):
    """Where the mapper says each interface is, asked through our stubs."""
    found = {}
    for interface in (SRVSVC, WINREG, LSARPC, SAMR):
        towers = value(samba, 135, "map", tower(interface).hex())
        assert len(towers) == 1
        octets = bytes.fromhex(towers[0])
        found[interface] = struct.unpack(">H", octets[-11:-9])[0]
        assert octets == tower(interface, found[interface], samba.address)
    return found


# ---- Endpoint mapper -----------------------------------------------------------------------


def test_map_unknown(samba):
    answer = call(samba, 135, "map", tower((str(pdu.UNKNOWN.uuid), 1)).hex())
    assert answer == {"value": [], "status": EPT_NOT_REGISTERED}


@pytest.mark.parametrize("at_once", [1, 3, 500])
def test_lookup(samba, ports, at_once):
    """The context handle leads through all entries, in as many calls as it takes.  Samba
    sends the last ones with the status that tells the end."""
    answer = call(samba, 135, "lookup", at_once)
    assert answer["status"] == EPT_NOT_REGISTERED
    entries = answer["value"]["entries"]
    assert answer["value"]["calls"] == -(-len(entries) // at_once)
    towers = {octets: note for _, octets, note in entries}
    assert len(towers) == len(entries) > 20
    for interface, note in ((SRVSVC, "srvsvc"), (WINREG, "winreg"), (SAMR, "samr")):
        assert towers[tower(interface, ports[interface], samba.address).hex()] == note


def test_lookup_is_what_impacket_sees(samba):
    transport = pytest.importorskip("impacket.dcerpc.v5.transport",
                                    reason="python3-impacket is not installed")
    from impacket.dcerpc.v5 import epm
    client = transport.DCERPCTransportFactory(
        f"ncacn_ip_tcp:{samba.address}[135]").get_dce_rpc()
    client.connect()
    client.bind(epm.MSRPC_UUID_PORTMAP)
    request = epm.ept_lookup()
    request["inquiry_type"] = epm.RPC_C_EP_ALL_ELTS
    request["object"] = request["Ifid"] = epm.NULL
    request["vers_option"] = epm.RPC_C_VERS_ALL
    request["max_ents"] = 500
    theirs = {b"".join(entry["tower"]["tower_octet_string"]).hex()
              for entry in client.request(request, checkError=False)["entries"]}
    client.disconnect()
    ours = {octets for _, octets, _ in call(samba, 135, "lookup", 500)["value"]["entries"]}
    assert ours == theirs


def test_elements(samba, ports):
    """RpcMgmtEpEltInq... asks the mapper, the last entries with their strange status included."""
    answer = call(samba, 135, "elements")
    assert answer["status"] == NO_MORE_ELEMENTS
    found = {(ident[0], binding.partition(":")[0], binding): note
             for ident, binding, note in answer["value"]}
    for interface, note in ((SRVSVC, "srvsvc"), (WINREG, "winreg"), (SAMR, "samr")):
        binding = f"ncacn_ip_tcp:{samba.address}[{ports[interface]}]"
        assert found[interface[0], "ncacn_ip_tcp", binding] == note


def test_resolved_binding(samba, ports):
    """A binding without an endpoint finds it, and is called."""
    done = subprocess.run([CLIENT, f"ncacn_ip_tcp:{samba.address}", "resolve"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE)
    assert json.loads(done.stdout) == {
        "value": f"ncacn_ip_tcp:{samba.address}[{ports[SRVSVC]}]", "status": 0}, done.stderr


# ---- mgmt ----------------------------------------------------------------------------------


def test_management(samba, ports, modules):
    """What Samba's client is told by the same server."""
    port = ports[SRVSVC]
    client = samba.client(modules.mgmt, "mgmt", port)
    theirs = {str(entry.id.uuid) for entry in client.inq_if_ids().if_id}
    ours = value(samba, port, "interfaces")
    assert {ident for ident, _, _ in ours} == theirs
    assert [SRVSVC[0], SRVSVC[1], 0] in ours
    assert value(samba, port, "listening") is None
    # Samba wants four octets more than C706's rpc_mgmt_inq_stats has.
    assert call(samba, port, "statistics") == {"value": [], "status": BAD_STUB_DATA}
    assert call(samba, port, "stop")["status"] == ACCESS_DENIED
    assert value(samba, port, "listening") is None


# ---- srvsvc --------------------------------------------------------------------------------


def test_server(samba, ports, modules):
    theirs = samba.client(modules.srvsvc, "srvsvc").NetSrvGetInfo(None, 101)
    assert value(samba, ports[SRVSVC], "server", 100) == {"platform": 500, "name": NAME}
    assert value(samba, ports[SRVSVC], "server", 101) == {
        "platform": theirs.platform_id, "name": theirs.server_name,
        "version": [theirs.version_major, theirs.version_minor], "type": theirs.server_type,
        "comment": theirs.comment}


def test_level_that_is_none(samba, ports):
    """The [default] arm of the union comes back empty."""
    assert call(samba, ports[SRVSVC], "server", 999) == {"value": None, "status": INVALID_LEVEL}


def test_shares(samba, ports, modules):
    client = samba.client(modules.srvsvc, "srvsvc")
    asked = modules.srvsvc.NetShareInfoCtr()
    asked.level, asked.ctr = 1, modules.srvsvc.NetShareCtr1()
    theirs = client.NetShareEnumAll(NAME, asked, 0xFFFFFFFF, None)[0].ctr.array
    ours = value(samba, ports[SRVSVC], "shares", 1)
    assert ours["shares"] == [[s.name, s.type & 0xFFFFFFFF, s.comment] for s in theirs]
    assert ours["total"] == len(theirs) > 0
    ours = value(samba, ports[SRVSVC], "shares", 0)
    assert ours["shares"] == [[s.name] for s in theirs]


def test_names(samba, ports):
    assert value(samba, ports[SRVSVC], "name", "abc") is None
    assert call(samba, ports[SRVSVC], "name", "a/b")["status"] == INVALID_NAME


def test_asynchronous_calls(samba, ports, modules):
    """One, and 32 outstanding on one binding to a server that does one after the other."""
    earlier = samba.client(modules.srvsvc, "srvsvc").NetRemoteTOD(None)
    one = value(samba, ports[SRVSVC], "time")
    many = value(samba, ports[SRVSVC], "times", 32)
    later = samba.client(modules.srvsvc, "srvsvc").NetRemoteTOD(None)
    assert len(many) == 32
    times = [one["elapsed"], *(t["elapsed"] for t in many)]
    assert earlier.elapsed <= min(times) and max(times) <= later.elapsed
    assert one["tinterval"] == later.tinterval
    if (earlier.year, earlier.day) == (later.year, later.day):
        assert all(t["date"] == [later.year, later.month, later.day] and
                   t["weekday"] == later.weekday for t in (one, *many))


# ---- winreg --------------------------------------------------------------------------------


def their_registry(client, winreg):
    """What samba_client's command prints, by Samba's client."""
    def name(text):
        string = winreg.String()
        string.name = text
        return string

    def room(kind):
        buffer = kind()
        buffer.size = 1024
        return buffer

    def walk(handle):
        (_, sub_keys, sub_key_len, _, values, name_len, value_len, security_len,
         _) = client.QueryInfoKey(handle, name(""))
        found = {"info": [sub_keys, sub_key_len, values, name_len, value_len, security_len],
                 "values": [], "keys": {}}
        for i in range(values):
            value_name, kind, octets, _, length = client.EnumValue(
                handle, i, room(winreg.ValNameBuf), 0, [], 65536, 0)
            found["values"].append([value_name.name, kind, bytes(octets[:length]).hex()])
        for i in range(sub_keys):
            key = client.EnumKey(handle, i, room(winreg.StringBuf), room(winreg.StringBuf),
                                 None)[0].name
            try:
                opened = client.OpenKey(handle, name(key), 0, 0x2000000)
            except RuntimeError as error:
                found["keys"][key] = error.args[0]
                continue
            found["keys"][key] = walk(opened)
            client.CloseKey(opened)
        return found
    return walk(client.OpenHKLM(None, 0x2000000))


def without_nul(key):
    """Names count their NUL on the wire; Samba's client leaves it away."""
    if isinstance(key, int):
        return key
    assert all(name.endswith("\0") for name in (*key["keys"], *(v[0] for v in key["values"])))
    return {"info": key["info"],
            "values": [[name[:-1], *rest] for name, *rest in key["values"]],
            "keys": {name[:-1]: without_nul(below) for name, below in key["keys"].items()}}


def test_registry(samba, ports, modules):
    """All keys of HKEY_LOCAL_MACHINE with their values: hundreds of calls, a context handle
    each, as deep as it goes."""
    ours = value(samba, ports[WINREG], "registry")
    assert ours["version"] == 5
    theirs = their_registry(samba.client(modules.winreg, "winreg"), modules.winreg)
    assert without_nul(ours["root"]) == theirs
    assert str(theirs).count("'info'") > 50


# ---- samr and lsarpc -----------------------------------------------------------------------


def test_domains(samba, ports, modules):
    client = samba.client(modules.samr, "samr")
    server = client.Connect2(None, 0x2000000)
    theirs = {}
    for entry in client.EnumDomains(server, 0, 1024)[1].entries:
        sid = str(client.LookupDomain(server, entry.name)).split("-")
        theirs[entry.name.string] = [int(part) for part in sid[1:]]
    assert value(samba, ports[SAMR], "domains") == theirs
    assert {NAME, "Builtin"} <= set(theirs)


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_names_in_fragments(samba, ports, count):
    """1,000 names are a request of some 80 KB; Samba answers for each one."""
    answer = call(samba, ports[SAMR], "names", NAME, count)
    assert len(answer["value"]) == count
    assert set(map(tuple, answer["value"][1:])) <= {(0xFFFFFFFF, 8), (0, 8)}
    assert answer["status"] in ((0, NONE_MAPPED) if count < 2 else (SOME_NOT_MAPPED, NONE_MAPPED))


def test_policy_wants_authentication(samba, ports):
    """Samba refuses lsarpc over TCP to strangers, with a fault; so it does its own client."""
    assert call(samba, ports[LSARPC], "policy", 1) == {"value": None, "raised": ACCESS_DENIED}


# ---- What is refused -----------------------------------------------------------------------


def test_refused(samba, ports):
    port = ports[SRVSVC]
    assert call(samba, port, "nowhere") == {"value": None, "raised": UNKNOWN_IF}
    assert call(samba, port, "beyond") == {"value": None, "raised": PROCNUM_OUT_OF_RANGE}
    assert call(samba, port, "domains") == {"value": None, "raised": UNKNOWN_IF}
    # The stub of a later one raises it if the first has been refused by then.
    assert call(samba, ports[SAMR], "times", 3) in (
        {"value": [], "status": UNKNOWN_IF}, {"value": None, "raised": UNKNOWN_IF})


# ---- Wireshark -----------------------------------------------------------------------------


@pytest.mark.parametrize("interface, command, protocol", [
    (None, ("lookup", 500), "EPM"), (SRVSVC, ("server", 101), "SRVSVC"),
    (SRVSVC, ("shares", 1), "SRVSVC"), (WINREG, ("registry",), "WINREG"),
    (SAMR, ("domains",), "SAMR"), (SAMR, ("names", NAME, 1000), "SAMR"),
    (LSARPC, ("policy", 1), "LSARPC")], ids=lambda v: v[0] if isinstance(v, tuple) else v)
def test_wireshark_reads_it(samba, ports, program_env, tmp_path, interface, command, protocol):
    """Its dissectors know these interfaces: they take our stubs apart to the end."""
    tmp_path.chmod(0o700)
    file = tmp_path / "client.pcap"
    call(samba, ports.get(interface, 135), *command,
         env=dict(program_env, PENSTOCK_PCAP=str(file)))
    # Samba's towers of named pipes and local sockets are not all known to Wireshark.
    types = dissect.check(file, known=["RightHandSide not decoded yet"])
    assert types[str(pdu.REQUEST)] > 0
    rows = dissect.tshark(file, "dcerpc.pkt_type", "_ws.col.Protocol", "_ws.col.Info")
    for types, name, info in rows:
        if {"0", "2"} & set(types.split(",")) and "Fragment" not in info:
            assert name == protocol, (name, info)
    whole = [row for row in rows if row[1] == protocol]
    assert whole and not re.search("Malformed|Long frame|unknown", str(whole), re.I), whole
