# SPDX-License-Identifier: MIT
"""server.py - runs peer_server and peer_client; a server in Python for the latter."""
import json
import os
import socket
import subprocess
import threading
import uuid
from pathlib import Path

from . import pdu

BUILD = Path(os.environ.get("PENSTOCK_BUILD_DIR", "build")).resolve() / "tests/e2e/peer_server"
SERVER, CLIENT = BUILD / "peer_server", BUILD / "peer_client"
PATIENCE = 25  # seconds for a whole program; what takes longer hangs


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A peer_server on a TCP port and under a local name."""

    def __init__(self, runtime_dir, pcap=None, max_rpc_size=None, options=(), preexec_fn=None):
        self.port = free_port()
        self.name = f"peer-{uuid.uuid4().hex[:12]}"
        self.path = f"{runtime_dir}/penstock/{self.name}"
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(runtime_dir))
        env = dict(self.env, PENSTOCK_PCAP=str(pcap)) if pcap else self.env
        if max_rpc_size is not None:
            env = dict(env, PEER_MAX_RPC_SIZE=str(max_rpc_size))
        self.process = subprocess.Popen(
            [SERVER, *map(str, options), "ncacn_ip_tcp", str(self.port), "ncalrpc", self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, preexec_fn=preexec_fn)
        assert self.process.stdout.readline() == b"ready\n", "peer_server did not start"
        self.pid = self.process.pid

    def connect(self, transport="tcp", patience=10.0):
        if transport == "tcp":
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
        else:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(patience)
            sock.connect(self.path)
        return pdu.Wire(sock, patience)

    def bound(self, transport="tcp", contexts=None, **kwargs):
        """A connection with contexts accepted; the ack is wire.ack."""
        wire = self.connect(transport)
        wire.send(pdu.bind(contexts, **kwargs))
        wire.ack = wire.recv()
        assert wire.ack.ptype == pdu.BIND_ACK, wire.ack
        return wire

    @property
    def binding(self):
        return f"ncacn_ip_tcp:127.0.0.1[{self.port}]"

    @property
    def local_binding(self):
        return f"ncalrpc:[{self.name}]"

    def fd_count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def status_kib(self, key):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise KeyError(key)

    def cpu_seconds(self):
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it as its user would; returns the exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()


def run_client(binding, *args, env=None, check=True, program=CLIENT):
    """peer_client's lines of JSON, one per command."""
    done = subprocess.run([program, binding, *[str(a) for a in args]], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert not check or done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


class FakeServer:
    """Listens and runs `script(wire, n)` for connection number n, each on a thread.

    A script talks to the library's client; an exception in it fails the test at the end
    of the with block, before what the test itself found wrong."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.binding = f"ncacn_ip_tcp:127.0.0.1[{self.port}]"
        self.errors = []
        self.threads = []
        self.count = 0

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._run, args=(sock, self.count), daemon=True)
            self.count += 1
            self.threads.append(thread)
            thread.start()

    def _run(self, sock, number):
        with pdu.Wire(sock) as wire:
            try:
                self.script(wire, number)
            except Exception as error:  # told in __exit__
                self.errors.append(error)

    def __enter__(self):
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, kind, found, _):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(PATIENCE)
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a script of the fake server hangs"
        if self.errors:
            raise self.errors[0] from found
