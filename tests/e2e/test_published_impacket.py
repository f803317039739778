# SPDX-License-Identifier: MIT
"""Calls of published interfaces through generated stubs, and impacket, in both directions:
requests and responses impacket makes are read by the stubs, ours are read by impacket.

impacket's referents are random and its gaps are not zero, so octets are compared after our
stub of the other side has sent again what it read.  Values are compared one by one.
"""
import pytest

from peer.published import SYNTAXES, published

pytest.importorskip("impacket", reason="python3-impacket is not installed")
from impacket.dcerpc.v5 import drsuapi, dtypes, epm, nrpc, rprn, samr, scmr, wkst  # noqa: E402

HANDLE = bytes.fromhex("000000000403020106050807090a0b0c0d0e0f10")
GUID = HANDLE[4:]
NONE = dtypes.NULL
TOWER = bytes.fromhex("050013000d0403020106050807090a0b0c0d0e0f10010002000000"
                      "13000d045d888aeb1cc9119fe808002b104860020002000000"
                      "01000b02000000" "01000702000087" "0100090400c0000201")


def connect5(call, reply):
    call["ServerName"], call["DesiredAccess"] = "\\\\srv\0", 0x02000000
    call["InVersion"] = call["InRevisionInfo"]["tag"] = 1
    call["InRevisionInfo"]["V1"]["Revision"] = 3
    call["InRevisionInfo"]["V1"]["SupportedFeatures"] = 8
    reply["OutVersion"] = reply["OutRevisionInfo"]["tag"] = 1
    reply["OutRevisionInfo"]["V1"]["Revision"] = 3
    reply["OutRevisionInfo"]["V1"]["SupportedFeatures"] = 0x10
    reply["ServerHandle"], reply["ErrorCode"] = HANDLE, 0


def get_alias_membership(call, reply):
    call["DomainHandle"] = HANDLE
    call["SidArray"]["Count"] = 3
    for text in ("S-1-5-21-1-2-3-500", "S-1-5-11", "S-1-5-32-4294967295"):
        sid = samr.SAMPR_SID_INFORMATION(isNDR64=call._isNDR64)
        sid["SidPointer"].fromCanonical(text)
        call["SidArray"]["Sids"].append(sid)
    reply["Membership"]["Count"] = 3
    for number in (544, 0x80000001, 7):
        rid = dtypes.ULONG(isNDR64=call._isNDR64)
        rid["Data"] = number
        reply["Membership"]["Element"].append(rid)
    reply["ErrorCode"] = 0


def get_dc_name(call, reply):
    call["ComputerName"], call["AccountName"] = NONE, "ann\0"
    call["AllowableAccountControlBits"], call["DomainName"] = 0x2ff, "dom.example\0"
    call["DomainGuid"], call["SiteName"], call["Flags"] = GUID, NONE, 0x40000000
    info = reply["DomainControllerInfo"]
    info["DomainControllerName"] = "\\\\dc\0"
    info["DomainControllerAddress"] = "\\\\192.0.2.1\0"
    info["DomainControllerAddressType"], info["DomainGuid"] = 1, GUID
    info["DomainName"], info["DnsForestName"] = "dom.example\0", NONE
    info["Flags"], info["DcSiteName"], info["ClientSiteName"] = 0xe00031fd, "Site\0", NONE
    reply["ErrorCode"] = 0


def crack_names(call, reply):
    call["hDrs"] = HANDLE
    call["dwInVersion"] = call["pmsgIn"]["tag"] = 1
    request = call["pmsgIn"]["V1"]
    request["CodePage"], request["LocaleId"], request["dwFlags"] = 0x4e4, 0x409, 0
    request["formatOffered"], request["formatDesired"], request["cNames"] = 2, 1, 3
    for text in ("DOM\\ann\0", "\0", "bob@dom.example\0"):
        name = dtypes.LPWSTR(isNDR64=call._isNDR64)
        name["Data"] = text
        request["rpNames"].append(name)
    reply["pdwOutVersion"] = reply["pmsgOut"]["tag"] = 1
    result = reply["pmsgOut"]["V1"]["pResult"]
    result["cItems"] = 2
    for status, domain, name in ((0, "dom.example\0", "CN=Ann,DC=dom\0"), (2, NONE, NONE)):
        item = drsuapi.DS_NAME_RESULT_ITEMW(isNDR64=call._isNDR64)
        item["status"], item["pDomain"], item["pName"] = status, domain, name
        result["rItems"].append(item)
    reply["ErrorCode"] = 0


def create_service(call, reply):
    call["hSCManager"], call["lpServiceName"] = HANDLE, "svc\0"
    call["lpDisplayName"], call["dwDesiredAccess"] = "A service\0", 0xf01ff
    call["dwServiceType"], call["dwStartType"], call["dwErrorControl"] = 0x10, 2, 1
    call["lpBinaryPathName"], call["lpLoadOrderGroup"] = "C:\\svc.exe\0", NONE
    call["lpdwTagId"] = 17
    call["lpDependencies"] = "Rpc\0\0".encode("utf-16-le")
    call["dwDependSize"], call["lpServiceStartName"] = 10, NONE
    call["lpPassword"], call["dwPwSize"] = b"\1\2\3", 3
    reply["lpServiceHandle"], reply["ErrorCode"] = HANDLE, 0


def tower_map(call, reply):
    call["obj"] = bytes(16)
    call["map_tower"]["tower_length"], call["map_tower"]["tower_octet_string"] = 75, TOWER
    call["max_towers"] = 4
    reply["entry_handle"]["context_handle_uuid"] = GUID
    reply["num_towers"], reply["status"] = 2, 0
    for _ in range(2):
        tower = epm.twr_p_t(isNDR64=call._isNDR64)
        tower["tower_length"], tower["tower_octet_string"] = 75, TOWER
        reply["ITowers"].append(tower)


def user_enum(call, reply):
    call["ServerName"], call["PreferredMaximumLength"] = "srv\0", 0x10000
    call["UserInfo"]["Level"] = call["UserInfo"]["WkstaUserInfo"]["tag"] = 1
    call["UserInfo"]["WkstaUserInfo"]["Level1"]["EntriesRead"] = 0
    call["UserInfo"]["WkstaUserInfo"]["Level1"]["Buffer"] = NONE
    call["ResumeHandle"] = 9
    reply["UserInfo"]["Level"] = reply["UserInfo"]["WkstaUserInfo"]["tag"] = 1
    level = reply["UserInfo"]["WkstaUserInfo"]["Level1"]
    level["EntriesRead"] = 2
    for user in (("ann\0", "DOM\0", NONE, "DC\0"), ("bob\0", NONE, "\0", NONE)):
        info = wkst.WKSTA_USER_INFO_1(isNDR64=call._isNDR64)
        (info["wkui1_username"], info["wkui1_logon_domain"], info["wkui1_oth_domains"],
         info["wkui1_logon_server"]) = user
        level["Buffer"].append(info)
    reply["TotalEntries"], reply["ResumeHandle"], reply["ErrorCode"] = 2, 0, 0


def open_printer(call, reply):
    call["pPrinterName"], call["pDatatype"] = "\\\\srv\\p\0", NONE
    call["pDevModeContainer"]["cbBuf"], call["pDevModeContainer"]["pDevMode"] = 0, NONE
    call["AccessRequired"] = 8
    call["pClientInfo"]["Level"] = call["pClientInfo"]["ClientInfo"]["tag"] = 1
    info = call["pClientInfo"]["ClientInfo"]["pClientInfo1"]
    info["dwSize"], info["pMachineName"], info["pUserName"] = 28, "\\\\me\0", "ann\0"
    info["dwBuildNum"], info["dwMajorVersion"], info["dwMinorVersion"] = 7601, 3, 0
    info["wProcessorArchitecture"] = 9
    reply["pHandle"], reply["ErrorCode"] = HANDLE, 0


# our name: the values, impacket's module and class
CALLS = {
    "SamrConnect5": (connect5, samr, "SamrConnect5"),
    "SamrGetAliasMembership": (get_alias_membership, samr, "SamrGetAliasMembership"),
    "DsrGetDcNameEx2": (get_dc_name, nrpc, "DsrGetDcNameEx2"),
    "IDL_DRSCrackNames": (crack_names, drsuapi, "DRSCrackNames"),
    "RCreateServiceW": (create_service, scmr, "RCreateServiceW"),
    "ept_map": (tower_map, epm, "ept_map"),
    "NetrWkstaUserEnum": (user_enum, wkst, "NetrWkstaUserEnum"),
    "RpcOpenPrinterEx": (open_printer, rprn, "RpcOpenPrinterEx"),
}
# What impacket 0.10 declares otherwise than the specification, and Samba agrees with us: an array
# of structures instead of pointers to them, a string for a number, a number for a pointer to it.
OTHERWISE = {("SamrGetAliasMembership", "in"), ("RCreateServiceW", "out"),
             ("NetrWkstaUserEnum", "out")}
CASES = [(call, direction, syntax) for call in CALLS for direction in ("in", "out")
         for syntax in SYNTAXES if (call, direction) not in OTHERWISE]


def values_of(call, direction, syntax):
    values, module, name = CALLS[call]
    request, response = (getattr(module, name + suffix)(isNDR64=syntax == "ndr64")
                         for suffix in ("", "Response"))
    values(request, response)
    return request if direction == "in" else response


def plain(value):
    """What is in a value of impacket's, as lists and dictionaries without referents."""
    if hasattr(value, "fields"):
        return {name: plain(value.fields[name]) for name in value.fields
                if name not in ("ReferentID", "MaximumCount", "Offset", "ActualCount")}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


# Its maximum counts are the actual ones: in ept_map's answer not what was asked for.
@pytest.mark.parametrize("call, direction, syntax",
                         [case for case in CASES if case[:2] != ("ept_map", "out")])
def test_b_we_read_impackets(call, direction, syntax):
    theirs = values_of(call, direction, syntax).getData()
    if direction == "in":
        got = published(call, syntax, request=theirs)
        assert got["taken"] == got["request"]
    else:
        got = published(call, syntax, response=theirs)
        assert got["given"] == got["response"]


@pytest.mark.parametrize("call, direction, syntax", CASES)
def test_b_impacket_reads_ours(call, direction, syntax):
    wanted = values_of(call, direction, syntax)
    ours = published(call, syntax)["request" if direction == "in" else "response"]
    got = type(wanted)(bytes.fromhex(ours), isNDR64=syntax == "ndr64")
    again = type(wanted)(wanted.getData(), isNDR64=syntax == "ndr64")
    assert plain(got) == plain(again)


def test_c_the_comparison_can_fail():
    """One value changed by impacket is seen in what our stub sends again."""
    other = values_of("SamrConnect5", "in", "ndr20")
    other["InRevisionInfo"]["V1"]["SupportedFeatures"] = 9
    got = published("SamrConnect5", "ndr20", request=other.getData())
    assert got["taken"] == got["request"][:-8] + "09000000"
    ours = samr.SamrConnect5(bytes.fromhex(got["request"]))
    assert plain(ours) != plain(samr.SamrConnect5(other.getData()))
