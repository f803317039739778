# SPDX-License-Identifier: MIT
"""What docs/build-systems.md shows, word for word, builds a program outside the tree against
an installed Penstock, and again when a file changes that the IDL file includes."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BUILD, free_port, sanitizer

DOCS = Path(__file__).resolve().parents[2] / "docs" / "build-systems.md"
pytestmark = pytest.mark.skipif(sanitizer() != "", reason="programs would need the sanitizer, too")

TYPES = "typedef long NUMBER;\n"
IDL = """#include "types.inc"
[uuid(5f2a9c1e-7d44-4b7a-8a1c-3e0f6b9d2c58), version(1.0)]
interface echo { NUMBER Next([in] handle_t h, [in] NUMBER n); }
"""
CLIENT = r"""#include <stdio.h>
#include <stdlib.h>
#include "echo.h"
int main(int argc, char **argv)
{
    RPC_BINDING_HANDLE h = NULL;
    if (argc != 2 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &h) != RPC_S_OK)
        return 2;
    RpcTryExcept { printf("%d of %u\n", (int)Next(h, 41), (unsigned)sizeof(NUMBER)); }
    RpcExcept(1) { printf("failed %lu\n", (unsigned long)RpcExceptionCode()); }
    RpcEndExcept
    return RpcBindingFree(&h);
}
"""
SERVER = r"""#include <stdio.h>
#include <stdlib.h>
#include "echo.h"
NUMBER Next(handle_t h, NUMBER n) { (void)h; return n + 1; }
int main(int argc, char **argv)
{
    RPC_STATUS s = argc != 2;
    if (!s) s = RpcServerUseProtseqEp((RPC_CSTR)"ncacn_ip_tcp", 10, (RPC_CSTR)argv[1], NULL);
    if (!s) s = RpcServerRegisterIf(echo_v1_0_s_ifspec, NULL, NULL);
    if (!s) s = RpcServerListen(1, 10, TRUE);
    if (s) return s;
    puts("listening");
    fflush(stdout);
    getchar();
    return 0;
}
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.S)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment of a user whose Penstock is installed below some folder."""
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root],
                   check=True, stdout=subprocess.DEVNULL, timeout=120)
    pc = next(root.rglob("penstock.pc"))
    libdir = pc.parent.parent
    bindir = next(root.rglob("bin/penstock-idl")).parent
    return dict(os.environ, PATH=f"{bindir}:{os.environ['PATH']}", PKG_CONFIG_PATH=str(pc.parent),
                PKG_CONFIG_SYSROOT_DIR=str(root), LD_LIBRARY_PATH=str(libdir))


@pytest.fixture
def project(tmp_path):
    allocate = blocks("c")[0]
    for name, text in {"types.inc": TYPES, "echo.idl": IDL, "client.c": CLIENT + allocate,
                       "server.c": SERVER + allocate}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(command, where, env):
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning:" not in done.stdout + done.stderr
    return done.stdout


def ask(where, env):
    """What the client prints, of the server beside it."""
    port = free_port()
    server = subprocess.Popen([where / "server", str(port)], env=env, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == "listening\n"
        return run([where / "client", f"ncacn_ip_tcp:127.0.0.1[{port}]"], where, env)
    finally:
        server.stdin.close()
        server.wait(timeout=30)
        server.stdout.close()


def build_and_change(project, env, build, programs):
    """Builds and calls; then an included file changes, and both programs with it."""
    build()
    assert ask(programs, env) == "42 of 4\n"
    time.sleep(1.1)  # make compares times, some file systems' are of seconds
    (project / "types.inc").write_text(TYPES.replace("long", "hyper"))
    build()
    assert ask(programs, env) == "42 of 8\n"


@pytest.mark.skipif(not shutil.which("meson"), reason="no meson")
def test_meson(project, installed):
    (project / "meson.build").write_text("project('echo', 'c')\n" + blocks("meson")[0])
    run(["meson", "setup", "build"], project, installed)
    build_and_change(project, installed, lambda: run(["ninja", "-C", "build"], project, installed),
                     project / "build")


@pytest.mark.skipif(not shutil.which("cmake"), reason="no cmake")
@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja"])
def test_cmake(project, installed, generator):
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(echo C)\n" + blocks("cmake")[0])
    run(["cmake", "-G", generator, "-B", "build"], project, installed)
    build_and_change(project, installed, lambda: run(["cmake", "--build", "build"], project, installed),
                     project / "build")


def test_make(project, installed):
    (project / "Makefile").write_text(blocks("make")[0])
    build_and_change(project, installed, lambda: run(["make", "-j2"], project, installed), project)
