# SPDX-License-Identifier: MIT
"""Where a server listens: both address families, ports of a range, given addresses, several
endpoints; keep-alive of what it accepts."""
import re
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

from peer import calls, pdu
from peer.server import PATIENCE, SERVER, free_port


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


class Listening:
    """A peer_server, what it said before it was ready."""

    def __init__(self, tmp_path, *options):
        tmp_path.chmod(0o700)
        self.process = subprocess.Popen(
            [SERVER, *map(str, options), "--say-bindings"], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, env={"XDG_RUNTIME_DIR": str(tmp_path)})
        self.statuses, self.bindings = [], []
        for line in self.process.stdout:
            word, *rest = line.split()
            if word == "ready":
                break
            (self.statuses if word == "status" else self.bindings).append(rest[0])
        else:
            raise AssertionError(f"ended with {self.process.wait(PATIENCE)}")

    @property
    def ports(self):
        return [int(re.search(r"\[(\d+)\]", b)[1]) for b in self.bindings]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()


def serves(host, port):
    with pdu.Wire(socket.create_connection((host, port), 10)) as wire:
        wire.send(pdu.bind(), pdu.request(calls.ECHO, calls.echo(1, b"good")))
        ack = wire.recv()
        assert ack.ptype == pdu.BIND_ACK
        assert ack.address.rstrip(b"\0") == str(port).encode()
        calls.check_echo(wire.recv().stub, 1, b"good")


def refuses(host, port):
    with pytest.raises(OSError):
        socket.create_connection((host, port), 10)


def free_ports(count):
    """Ports side by side that nobody has."""
    for _ in range(100):
        first = free_port()
        try:
            socks = []
            for port in range(first, first + count):
                socks.append(socket.socket())
                socks[-1].bind(("", port))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for s in socks:
                s.close()
    raise AssertionError("no free ports")


def test_both_families(tmp_path):
    """One endpoint: the same port, given or chosen, on IPv4 and IPv6."""
    given = free_port()
    with Listening(tmp_path, "ncacn_ip_tcp", given, "--dynamic", 0) as server:
        assert server.ports[0] == given and len(server.ports) == 2
        for port in server.ports:
            serves("127.0.0.1", port)
            if has_ipv6():
                serves("::1", port)


def test_port_taken_on_one_family(tmp_path):
    if not has_ipv6():
        pytest.skip("no IPv6")
    with socket.socket(socket.AF_INET6) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("::", 0))
        s.listen()
        done = subprocess.run([SERVER, "ncacn_ip_tcp", str(s.getsockname()[1])], timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode != 0 and "1740" in done.stderr  # RPC_S_DUPLICATE_ENDPOINT


def test_several_endpoints(tmp_path):
    """Of both protocol sequences, each works; all are in RpcServerInqBindings."""
    ports = [free_port() for _ in range(3)]
    names = [f"several-{uuid.uuid4().hex[:8]}" for _ in range(3)]
    args = [a for port in ports for a in ("ncacn_ip_tcp", port)]
    args += [a for name in names for a in ("ncalrpc", name)]
    with Listening(tmp_path, *args) as server:
        assert len(server.bindings) == 6
        for port in ports:
            serves("127.0.0.1", port)
        for name in names:
            assert f"ncalrpc:[{name}]" in server.bindings
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(f"{tmp_path}/penstock/{name}")
            with pdu.Wire(sock) as wire:
                wire.send(pdu.bind())
                assert wire.recv().ptype == pdu.BIND_ACK


# ---- Ports ---------------------------------------------------------------------------------


def test_port_range(tmp_path):
    """In order, those taken are passed over; the range used up: RPC_S_OUT_OF_RESOURCES (1721);
    with RPC_C_DONT_FAIL any other."""
    first = free_ports(4)
    with socket.socket() as taken:
        taken.bind(("", first + 1))
        taken.listen()
        with Listening(tmp_path, "--ports", f"{first}-{first + 2},{first + 3}", "--dynamic", 0,
                       "--dynamic", 0, "--dynamic", 0, "--dynamic", 0, "--dynamic", 4) as server:
            assert server.ports[:3] == [first, first + 2, first + 3]
            assert server.statuses == ["1721"]
            assert server.ports[3] not in range(first, first + 4)
            for port in server.ports:
                serves("127.0.0.1", port)


def test_port_flags(tmp_path):
    """RPC_C_USE_INTERNET_PORT 1, RPC_C_USE_INTRANET_PORT 2; a port that is named is taken as it
    is."""
    first = free_ports(3)
    named = free_port()
    with Listening(tmp_path, "--internet-ports", first, "--dynamic", 2, "--intranet-ports",
                   first + 1, "--ports", first + 2, "--dynamic", 1, "--dynamic", 2, "--dynamic", 0,
                   "--dynamic", 3, "ncacn_ip_tcp", named) as server:
        assert server.ports[0] not in range(first, first + 3), "no intranet ports were set then"
        assert server.ports[1:4] == [first, first + 1, first + 2]
        assert server.statuses == ["1721"], "both flags: all of either are in use"
        assert server.ports[4] == named


@pytest.mark.parametrize("option,text,status", [
    *[("--ports", text, 1706) for text in (
        "", "0", "65536", "5-4", "1-", "-1", "a", "1,", ",1", "1 2", "1-2-3", "+5", " 5",
        ",".join(map(str, range(1, 34))))],
    *[("--addresses", text, 1707) for text in (
        "", ",", "localhost", "127.0.0.1,", "127.0.0.1 ::1", "1.2.3.4.5", "::1::",
        ",".join(f"127.0.0.{i}" for i in range(1, 18)))]])
def test_not_a_list(tmp_path, option, text, status):
    done = subprocess.run([SERVER, option, text], timeout=PATIENCE, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode != 0 and f"status {status}" in done.stderr, done.stderr


# ---- Addresses -----------------------------------------------------------------------------


def test_addresses(tmp_path):
    """Only there; the same port on each; RPC_C_BIND_TO_ALL_NICS overrides it."""
    here = ["127.0.0.1", "127.0.0.3"] + (["::1"] if has_ipv6() else [])
    everywhere = free_port()
    with Listening(tmp_path, "--addresses", ",".join(here), "--dynamic", 0, "--everywhere",
                   everywhere) as server:
        port = server.ports[0]
        assert server.ports[:len(here)] == [port] * len(here)
        for i, address in enumerate(here):
            assert server.bindings[i] == f"ncacn_ip_tcp:{address}[{port}]"
            serves(address, port)
        refuses("127.0.0.2", port)
        serves("127.0.0.2", everywhere)


def test_address_of_nobody_here(tmp_path):
    """RPC_S_CANT_CREATE_ENDPOINT (1720), and the address before is given back."""
    with Listening(tmp_path, "--addresses", "127.0.0.1,192.0.2.1", "--dynamic", 0, "--addresses",
                   "127.0.0.1", "--dynamic", 0) as server:
        assert server.statuses == ["1720"] and len(server.bindings) == 1
        sockets = [f for f in Path(f"/proc/{server.process.pid}/fd").iterdir()
                   if str(f.readlink()).startswith("socket:")]
        assert len(sockets) == 1


# ---- Keep-alive ----------------------------------------------------------------------------


@pytest.mark.parametrize("option,seconds", [((), 7200), (("--keep-alive", 90), 90),
                                            (("--keep-alive", 0xFFFFFFFF), None)])
def test_keep_alive(tmp_path, option, seconds):
    """Of what is accepted, as the kernel tells: a timer of about this time."""
    port = free_port()
    with Listening(tmp_path, *option, "ncacn_ip_tcp", port):
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            pdu.Wire(sock).send(pdu.bind())
            assert pdu.Wire(sock).recv().ptype == pdu.BIND_ACK
            # Its end has our port for its peer; /proc/net/tcp: timer 2 is keep-alive, in 1/100 s.
            mine = f"{sock.getsockname()[1]:04X}"
            line = next(l.split() for l in Path("/proc/net/tcp").read_text().splitlines()[1:]
                        if l.split()[2].endswith(":" + mine) and l.split()[1].endswith(f":{port:04X}"))
            active, left = line[5].split(":")
            if seconds is None:
                assert int(active, 16) == 0
            else:
                assert int(active, 16) == 2
                assert seconds - 30 <= int(left, 16) / 100 <= seconds + 1
