# SPDX-License-Identifier: MIT
"""penstock-epmd, servers that register with it and clients that ask it, each a process; for the
tests of the endpoint mapper."""
import signal
import subprocess
import time

import pytest

from conftest import BUILD, free_port

PEER = BUILD / "tests/e2e/endpoint/endpoint_peer"
EPMD = BUILD / "src/tools/penstock-epmd"
INTERFACE = "6b0d6a52-5f5e-4a0c-9d5c-3b1f6f0a7e11"
NAMED = "6b0d6a53-5f5e-4a0c-9d5c-3b1f6f0a7e11"
OK, UNAVAILABLE, UNKNOWN, CANT_PERFORM, NO_MORE, NO_BINDINGS = 0, 1722, 1753, 1752, 1772, 1718
ALL, BY_IF, BY_OBJECT, BY_BOTH = range(4)
SOON = 20  # seconds; what must happen


class Mapper:
    """A penstock-epmd of the test's own; can be killed and started again."""

    def __init__(self, env):
        self.port = free_port()
        self.env = dict(env, PENSTOCK_EPMAPPER=str(self.port))
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([EPMD, "--port", str(self.port)], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == (
            f"penstock-epmd: listening on TCP port {self.port} and the local endpoint "
            f"epmapper-{self.port}\n")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.stdout.close()
        return self.process.wait(SOON)


class Peer:
    """endpoint_peer: a line to it, a line back."""

    def __init__(self, mapper, *args):
        self.process = subprocess.Popen([PEER, *args], env=mapper.env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def line(self):
        line = self.process.stdout.readline()
        assert line, f"{self.process.args} has ended with {self.process.wait(SOON)}"
        return line.rstrip("\n")

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask(self, text):
        self.tell(text)
        return self.line()

    def do(self, text):
        return int(self.ask(text))

    def close(self):
        """Ends it in good order."""
        self.process.stdin.close()
        try:
            status = self.process.wait(SOON)
        finally:
            self.process.kill()
            self.process.stdout.close()
        assert status == 0

    def kill(self):
        self.process.kill()
        self.process.wait(SOON)
        self.process.stdin.close()
        self.process.stdout.close()


class Server(Peer):
    def __init__(self, mapper, *protseqs):
        super().__init__(mapper, "server", *protseqs)
        self.pid = int(self.line())


class Client(Peer):
    def __init__(self, mapper, binding=None):
        super().__init__(mapper, "client")
        if binding:
            assert self.do(f"bind {binding}") == OK

    def entries(self, kind=ALL, versions=1, interface="endpoint", version="2.3", number=0,
                here=True, wide=False):
        command = ("w" if wide else "") + "list" + ("here" if here else "")
        self.tell(f"{command} {kind} {versions} {interface} {version} {number}")
        found = []
        while not (line := self.line()).startswith("end "):
            found.append(line)
        assert int(line.split()[1]) == NO_MORE
        return found


@pytest.fixture(name="mapper")
def a_mapper(program_env):
    mapper = Mapper(program_env)
    yield mapper
    assert mapper.end() == 0


@pytest.fixture(name="start")
def starter(mapper):
    """Starts peers that end with the test."""
    peers = []

    def start(kind, *args):
        peers.append(kind(mapper, *args))
        return peers[-1]
    yield start
    for peer in peers:
        if peer.process.returncode is None:
            peer.close()


def until(condition, what):
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)
