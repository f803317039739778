# SPDX-License-Identifier: MIT
"""Wine's RPC runtime as client of ours and as server of ours: the same IDL through widl and
penstock-idl, the same C source built with mingw-w64 and with gcc.

Wine 8 writes call identifier 1 into all that its servers send, offers and takes NDR 2.0
alone, multiplexes nothing and closes the connection on alter_context.  Synchronous calls;
its runtime has neither pipes nor asynchronous calls.  No display, and a prefix that takes
its system folder from the installation, so nothing is copied.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import BUILD, free_port
from peer import dissect, pdu

SOURCES = Path(__file__).parent / "wine"
OURS = BUILD / "tests/e2e/wine"
PATIENCE = 60
CASES = ["add", "values", "strings", "lists", "unions", "tables", "fragments", "windows",
         "counters", "exceptions", "left_open"]
ALL_GOOD = [f"{name} ok" for name in CASES]
CC, WIDL = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-widl"


def wine_program():
    return shutil.which("wine64", path=os.environ["PATH"] + ":/usr/lib/wine") or \
        shutil.which("wine")


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """Our sources as Windows programs: {"client": path, "server": path}."""
    for tool in (CC, WIDL):
        if not shutil.which(tool):
            pytest.skip(f"{tool} (gcc-mingw-w64-x86-64, mingw-w64-tools) is not installed")
    folder = tmp_path_factory.mktemp("windows")

    def run(*command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 0, (command, done.stderr)
    for option, output in (("-h", "exchange.h"), ("-c", "exchange_c.c"), ("-s", "exchange_s.c")):
        # The interpreted stubs: the other ones want headers of Wine itself.
        run(WIDL, "-Oif", "--win64", "-H", "exchange.h", option, "-o", output,
            SOURCES / "exchange.idl")
    for side in ("client", "server"):
        # widl writes MIDL's type, mingw-w64 has no such.
        run(CC, "-std=gnu11", "-O1", "-Dsmall=signed char", "-I", ".", "-I", SOURCES, "-o",
            f"{side}.exe", SOURCES / f"{side}.c", SOURCES / "side.c", f"exchange_{side[0]}.c",
            "-lrpcrt4")
    return {side: folder / f"{side}.exe" for side in ("client", "server")}


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """Wine's program and the environment to run it in."""
    program = wine_program()
    libraries = next(Path("/usr/lib").glob("*/wine/x86_64-windows"), None)
    if not program or not libraries:
        pytest.skip("Wine (package wine64) is not installed")
    prefix = tmp_path_factory.mktemp("wine")
    (prefix / "dosdevices").mkdir()
    (prefix / "drive_c/windows").mkdir(parents=True)
    (prefix / "drive_c/windows/system32").symlink_to(libraries)
    (prefix / "dosdevices/c:").symlink_to("../drive_c")
    (prefix / "dosdevices/z:").symlink_to("/")
    (prefix / ".update-timestamp").write_text("disable\n")
    env = {name: value for name, value in os.environ.items()
           if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env.update(WINEPREFIX=str(prefix), WINEDEBUG="-all")
    yield program, env
    server = shutil.which("wineserver", path=os.environ["PATH"] + ":/usr/lib/wine")
    if server:
        subprocess.run([server, "-k"], env=env, timeout=PATIENCE, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Serving:
    """A server that says "ready" and ends with its standard input; what it said at last."""

    def __init__(self, *command, env):
        self.port = free_port()
        self.process = subprocess.Popen([*command, str(self.port)], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        try:
            assert self.process.stdout.readline().strip() == "ready"
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.said, _ = self.process.communicate("", timeout=PATIENCE)
        finally:
            self.process.kill()
            self.process.communicate()

    def call(self, *command, env):
        done = subprocess.run([*command, f"ncacn_ip_tcp:127.0.0.1[{self.port}]"], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE)
        return done.stdout.splitlines()


def counters(said):
    opened, closed = map(int, re.match(r"(\d+) opened, (\d+) closed", said).groups())
    return opened, closed


def test_ours_and_ours(program_env):
    """The programs are right by themselves."""
    with Serving(OURS / "exchange_server", env=program_env) as server:
        assert server.call(OURS / "exchange_client", env=program_env) == ALL_GOOD
    assert counters(server.said) == (3, 3)


def test_wine_calls_us(wine, windows, program_env, tmp_path):
    tmp_path.chmod(0o700)
    program, wine_env = wine
    env = dict(program_env, PENSTOCK_PCAP=str(tmp_path / "server.pcap"))
    with Serving(OURS / "exchange_server", env=env) as server:
        assert server.call(program, windows["client"], env=wine_env) == ALL_GOOD
        assert server.call(program, windows["client"], env=wine_env) == ALL_GOOD
    assert counters(server.said) == (6, 6)
    assert dissect.check(tmp_path / "server.pcap")[str(pdu.FAULT)] == 6


def test_we_call_wine(wine, windows, program_env, tmp_path):
    tmp_path.chmod(0o700)
    program, wine_env = wine
    env = dict(program_env, PENSTOCK_PCAP=str(tmp_path / "client.pcap"))
    with Serving(program, windows["server"], env=wine_env) as server:
        assert server.call(OURS / "exchange_client", env=program_env) == ALL_GOOD
        assert server.call(OURS / "exchange_client", env=env) == ALL_GOOD
    assert counters(server.said) == (6, 6)
    types = dissect.check(tmp_path / "client.pcap")
    assert types[str(pdu.FAULT)] == 3
    assert types[str(pdu.ALTER)] == 1, "for the interface Wine does not serve"
