# SPDX-License-Identifier: MIT
"""The command-line tool against Samba's servers: an endpoint mapper, a management interface,
arguments and results that nobody of ours has written the other side of."""
import json
import os
import subprocess

import pytest

from conftest import BUILD
from peer.samba import NAME, Samba

TOOL = BUILD / "src/tools/penstock"
E2E = os.path.dirname(os.path.abspath(__file__))
IDL = f"{E2E}/samba/services.idl"
PATIENCE = 60
SRVSVC = "4b324fc8-1670-01d3-1278-5a47bf6ee188"
KEY_READ = 0x20019


@pytest.fixture(scope="module")
def samba():
    server = Samba()
    yield server
    server.stop()


def tool(*args):
    done = subprocess.run([TOOL, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def call(samba, *args):
    return tool("call", "-I", f"{E2E}/../../include/penstock/idl", "-c",
                f"ncacn_ip_tcp:{samba.address}", IDL, *args)


def entries(samba):
    return json.loads(tool("ls", "--json", samba.address))


def test_a_endpoints(samba):
    """All of them, pipes and sockets included, and the table has a line for each."""
    found = entries(samba)
    assert {"ncacn_ip_tcp", "ncacn_np", "ncalrpc"} <= {e["binding"].split(":")[0] for e in found}
    mine = [e for e in found if e["interface"] == SRVSVC and "ip_tcp" in e["binding"]]
    assert mine and all(e["version"] == "3.0" and e["annotation"] == "srvsvc" for e in mine)
    assert mine[0]["binding"].startswith(f"ncacn_ip_tcp:{samba.address}[")
    assert len(tool("ls", samba.address).splitlines()) == len(found) + 1 > 20


def test_b_values(samba):
    """The mapper says where; unions by their level, allocated structures, strings."""
    found = json.loads(call(samba, "NetrServerGetInfo", '{"server": null, "level": 101}'))
    info, = found["info"].values()
    assert found["return"] == 0 and NAME in info.values() and 500 in info.values()
    assert list(found["info"]) == ["level101"]
    found = json.loads(call(samba, "srvsvc.NetrRemoteTOD", '{"server": "x"}'))
    assert found["return"] == 0 and 1 <= found["time"]["month"] <= 12
    found = json.loads(call(samba, "NetrShareEnum", json.dumps(
        {"server": None, "info": {"shares": {"level1": {"buffer": None}}},
         "preferred_length": 2**32 - 1})))
    shares = found["info"]["shares"]["level1"]
    assert found["return"] == 0 and found["info"]["level"] == 1
    assert shares["count"] == len(shares["buffer"]) == found["total"]
    assert "IPC$" in {share["netname"] for share in shares["buffer"]}


def test_b_a_script_with_keys(samba, tmp_path):
    """Context handles of a server that is not ours."""
    script = tmp_path / "script"
    script.write_text("\n".join(map(json.dumps, [
        {"call": "OpenLocalMachine", "as": "root",
         "arguments": {"server": None, "access": KEY_READ}},
        {"call": "BaseRegGetVersion", "arguments": {"key": {"$of": "root.key"}}},
        {"call": "BaseRegEnumKey", "arguments": {
            "key": {"$of": "root.key"}, "index": 0, "last_write": None,
            "class_in": {"Length": 0, "MaximumLength": 2, "Buffer": ""},
            "name_in": {"Length": 0, "MaximumLength": 512, "Buffer": ""}}},
        {"call": "BaseRegCloseKey", "arguments": {"key": {"$of": "root.key"}}, "as": "closed"}])))
    root, version, name, closed = map(json.loads, tool(
        "call", "-c", f"--script={script}", "-I", f"{E2E}/../../include/penstock/idl",
        f"ncacn_ip_tcp:{samba.address}", IDL).splitlines())
    assert root["return"] == 0 and len(root["key"]) == 40
    assert version["return"] == 0 and version["version"] > 0
    assert name["return"] == 0 and name["name_out"]["Buffer"].rstrip("\0").upper() == "SOFTWARE"
    assert closed == {"key": None, "return": 0}


def test_c_interfaces_statistics_ping(samba):
    binding = next(e["binding"] for e in entries(samba)
                   if e["interface"] == SRVSVC and "ip_tcp" in e["binding"])
    assert f"{SRVSVC} v3.0" in tool("ifs", binding).splitlines()
    assert "0% lost" in tool("ping", "-c", "3", "-i", "0", "-q", binding)
