# SPDX-License-Identifier: MIT
"""penstock as a user meets it: installed, with its manual and units; when what it prints goes
nowhere, and when the server says nothing."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BUILD, free_port, sanitizer, serving
from endpoint_mapper import Mapper

REPO = Path(__file__).resolve().parents[2]
TOOL = BUILD / "src/tools/penstock"
PATIENCE = 60


def run(*args, program=TOOL, **kwargs):
    return subprocess.run([program, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE, check=False, **kwargs)


@pytest.fixture(name="server")
def a_server(program_env):
    with serving(BUILD / "tests/e2e/roundtrip/roundtrip_server", program_env) as server:
        yield server


# ---- Installed -----------------------------------------------------------------------------


@pytest.fixture(scope="module", name="tree")
def installed(tmp_path_factory):
    """Where `make install DESTDIR=` puts the prefix, and an environment that knows it."""
    root = tmp_path_factory.mktemp("root")
    done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stderr
    options = json.loads(subprocess.run(["meson", "introspect", BUILD, "--buildoptions"],
                                        capture_output=True, timeout=PATIENCE, check=True).stdout)
    prefix = next(option["value"] for option in options if option["name"] == "prefix")
    yield root / prefix.lstrip("/")


def test_programs(tree, program_env):
    """The mapper, the tool and the IDL files work from there, and look for the library nowhere
    else."""
    if sanitizer():
        pytest.skip("the libraries of sanitizers are not installed")
    library = next(tree.rglob("libpenstock.so.0")).parent
    port = free_port()
    env = dict(program_env, LD_LIBRARY_PATH=str(library), PENSTOCK_EPMAPPER=str(port))
    for program in "bin/penstock", "bin/penstock-idl", "sbin/penstock-epmd":
        assert run("--version", program=tree / program, env=env).returncode == 0
        assert b"RUNPATH" not in run("-d", tree / program, program="readelf").stdout
    mapper = subprocess.Popen([tree / "sbin/penstock-epmd", "--port", str(port)], env=env,
                              stdout=subprocess.PIPE)
    try:
        assert b"listening" in mapper.stdout.readline()
        done = run("ls", program=tree / "bin/penstock", env=env)
        assert done.returncode == 0 and done.stdout.split() == b"INTERFACE VERSION BINDING ANNOTATION".split()
        mgmt = tree / "include/penstock/idl/mgmt.idl"
        done = run("call", "-c", f"ncacn_ip_tcp:127.0.0.1[{port}]", mgmt,
                   "rpc_mgmt_is_server_listening", program=tree / "bin/penstock", env=env)
        assert json.loads(done.stdout)["return"] == 1, done
    finally:
        mapper.terminate()
        mapper.stdout.close()
        assert mapper.wait(PATIENCE) == 0


@pytest.mark.parametrize("page", ["man1/penstock.1", "man1/penstock-idl.1", "man8/penstock-epmd.8"])
def test_manual(tree, page):
    """No complaint from the formatter, and no line of an example that is further in than the
    first."""
    path = tree / "share/man" / page
    if not path.exists() or not shutil.which("groff"):
        pytest.skip("no scdoc, or no groff")
    done = subprocess.run(["groff", "-man", "-t", "-ww", "-Tutf8", path], capture_output=True,
                          text=True, timeout=PATIENCE, check=True)
    text = re.sub("\x1b\\[[0-9;]*m|.\x08", "", done.stdout)
    assert not done.stderr and "\nNAME\n" in text
    assert not re.search(r"^ {14,}[^ │]", text.partition("\n")[2].rpartition("SEE ALSO")[0], re.M), text
    assert not re.search("^\t", path.read_text(encoding="utf-8"), re.M)


def test_units(tree, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd")
    units = tree / "lib/systemd/system"
    for name in "penstock-epmd.service", "penstock-epmd.socket":
        text = (units / name).read_text()
        (tmp_path / name).write_text(re.sub(r"ExecStart=\S*/sbin", f"ExecStart={tree}/sbin", text))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "penstock-epmd.socket",
                           tmp_path / "penstock-epmd.service"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    if "Failed to" in done.stderr and "manager" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0 and str(tmp_path) not in done.stderr, done.stderr


# ---- Completion ------------------------------------------------------------------------------


@pytest.fixture(scope="module", name="shell")
def interactive_shell(tree):
    """An interactive bash with the completion as installed: the line it makes of a line and TAB."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(REPO)
        os.environ.update(PS1="$ ", TERM="dumb", COLUMNS="1000")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    read = b""

    def wait_for(pattern):
        nonlocal read
        end = time.monotonic() + 10
        while not re.search(pattern, read):
            assert time.monotonic() < end and select.select([fd], [], [], 10)[0], read
            read += os.read(fd, 65536)

    def complete(line, wanted):
        nonlocal read
        read = b""
        os.write(fd, line.encode() + b"\t")
        wait_for(re.escape(wanted.encode()) + b"$")
        os.write(fd, b"\x15")  # the line is forgotten
    source = tree / "share/bash-completion/completions/penstock"
    os.write(fd, f"bind 'set enable-bracketed-paste off'; stty cols 1000; source {source}; "
                 "echo is-$((1 + 1))\n".encode())
    wait_for(rb"is-2\r\n")
    yield complete
    os.kill(pid, signal.SIGKILL)
    os.close(fd)
    os.waitpid(pid, 0)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize("line, wanted", [
    ("penstock pi", "penstock ping "),
    ("penstock call ncalr", "penstock call ncalrpc:"),
    ("penstock call 'ncalrpc:[x]' exam", "penstock call 'ncalrpc:[x]' examples/"),
    ("penstock call ncacn_ip_tcp:127.0.0.1[1] examples/pipes/p",
     "penstock call ncacn_ip_tcp:127.0.0.1[1] examples/pipes/pipes.idl "),
    ("penstock call 'ncalrpc:[x]' examples/pipes/pipes.idl pipes.Sh",
     "penstock call 'ncalrpc:[x]' examples/pipes/pipes.idl pipes.Shutdown "),
    ("penstock call --syntax=ndr6", "penstock call --syntax=ndr64 "),
    ("penstock call --include=exam", "penstock call --include=examples/"),
    ("penstock call -I exam", "penstock call -I examples/"),
    ("penstock call --script LICEN", "penstock call --script LICENSE "),
    ("penstock call --in-pipe=a=LICEN", "penstock call --in-pipe=a=LICENSE "),
    ("penstock call --out-pipe a=LICEN", "penstock call --out-pipe a=LICENSE "),
    ("penstock ls --js", "penstock ls --json "),
])
def test_completion(shell, line, wanted):
    shell(line, wanted)


# ---- At a terminal -------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["ifs"], ["ifs", "--json"], ["stats"], ["stats", "--json"],
                                     ["ping", "-c", "1"], ["ls"], ["ls", "--json"]])
def test_output_that_cannot_be_written(server, program_env, command):
    """What was asked for and not told is no success."""
    binding = server.bindings["ncalrpc"]
    if command[0] == "ls":
        mapper = Mapper(program_env)
        binding = f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]"
    try:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, *command, binding], env=program_env, stdout=full,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done
        assert b"written" in done.stderr or b"No space left" in done.stderr
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", TOOL, *command, binding],
                              env=program_env, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        assert done.returncode == 2 and done.stderr
    finally:
        if command[0] == "ls":
            assert mapper.end() == 0


def test_ping_of_a_server_that_says_nothing(server, program_env):
    """An interrupt ends it, with the summary, while it waits for an answer or for the next."""
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)  # until all its threads have stopped
    try:
        for number in signal.SIGINT, signal.SIGTERM:
            ping = subprocess.Popen([TOOL, "ping", server.bindings["ncalrpc"]], env=program_env,
                                    stdout=subprocess.PIPE)
            time.sleep(0.5)
            ping.send_signal(number)
            said = ping.communicate(timeout=PATIENCE)[0]
            assert ping.returncode == 130 and b"0 calls, 0 answered" in said
    finally:
        server.process.send_signal(signal.SIGCONT)
    ping = subprocess.Popen([TOOL, "ping", "-i", "1000", server.bindings["ncalrpc"]], env=program_env,
                            stdout=subprocess.PIPE)
    assert ping.stdout.readline().startswith(b"1: ")
    ping.send_signal(signal.SIGINT)
    assert b"1 calls, 1 answered, 0% lost" in ping.communicate(timeout=PATIENCE)[0]
    assert ping.returncode == 0


@pytest.mark.parametrize("command", [["ping", "-c", "1"], ["ifs"], ["stats"]])
def test_which_server(command):
    """A host alone is no server: says so, and where to look, without asking anybody."""
    done = run(*command, "ncacn_ip_tcp:127.0.0.1", env=dict(os.environ, PENSTOCK_EPMAPPER=str(free_port())))
    assert done.returncode == 1
    assert b"RPC_S_BINDING_INCOMPLETE, 1819" in done.stderr and b"penstock ls HOST" in done.stderr


@pytest.mark.parametrize("option", [["-c", "99999999999999999999999"], ["-c", "-1"], ["-c", " -1"],
                                    ["-c", ""], ["-i", "1e9"], ["-i", "nan"], ["-i", "-1"]])
def test_numbers_that_are_none(option):
    done = run("ping", *option, "ncalrpc:[nobody]")
    assert done.returncode == 2 and b"takes a number" in done.stderr
