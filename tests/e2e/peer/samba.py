# SPDX-License-Identifier: MIT
"""samba.py - Samba's RPC server on a loopback address of its own: own configuration and
folders in a temporary one, nothing of the system's is read or written.

The address keeps its ports, 135 among them, apart from everybody else's; binding it takes
root, as a CI container has it.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PATIENCE = 30
LIBEXEC = Path("/usr/libexec/samba")
SERVICES = ("epmapper", "classic", "winreg", "lsad")
NAME, WORKGROUP = "PEER", "PEERS"

CONFIGURATION = """[global]
    netbios name = {name}
    workgroup = {workgroup}
    server role = standalone server
    interfaces = {address}/8
    bind interfaces only = yes
    lock directory = {folder}/lock
    state directory = {folder}/state
    cache directory = {folder}/cache
    pid directory = {folder}/pid
    private dir = {folder}/private
    ncalrpc dir = {folder}/ncalrpc
    usershare path = {folder}/usershares
    log file = {folder}/log/%m
    load printers = no
    printing = bsd
    disable spoolss = yes
    rpc start on demand helpers = no
    map to guest = bad user
    restrict anonymous = 0
"""


class Samba:
    def __init__(self):
        missing = [name for name in ("samba-dcerpcd", *(f"rpcd_{s}" for s in SERVICES))
                   if not (LIBEXEC / name).exists()]
        if missing:
            pytest.skip(f"Samba's RPC server (package samba) is not installed: {missing}")
        if os.geteuid() != 0:
            pytest.skip("Samba's RPC server wants port 135, and that root")
        pid = os.getpid()
        self.address = f"127.77.{pid >> 8 & 255}.{1 + pid % 250}"
        # Short, for the names of sockets in it; open to the accounts Samba becomes.
        self.folder = Path(tempfile.mkdtemp(prefix="samba-", dir="/tmp"))
        self.folder.chmod(0o755)
        for name in ("lock", "state", "cache", "pid", "private", "ncalrpc", "log", "usershares"):
            (self.folder / name).mkdir()
        self.configuration = self.folder / "smb.conf"
        self.configuration.write_text(CONFIGURATION.format(
            name=NAME, workgroup=WORKGROUP, address=self.address, folder=self.folder))
        with open(self.folder / "log/out", "wb") as out:
            self.process = subprocess.Popen(
                [LIBEXEC / "samba-dcerpcd", "-s", self.configuration, "-F", "-d1",
                 "--debug-stdout", *(LIBEXEC / f"rpcd_{s}" for s in SERVICES)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection((self.address, 135), timeout=1).close()
                return
            except OSError:
                said = (self.folder / "log/out").read_text(errors="replace")
                assert self.process.poll() is None and time.monotonic() < until, said
                time.sleep(0.05)

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(timeout=PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, module, interface, endpoint=""):
        """Samba's own client of an interface; without an endpoint it asks the mapper."""
        param, credentials = (pytest.importorskip(f"samba.{name}") for name in
                              ("param", "credentials"))
        lp = param.LoadParm()
        lp.load(str(self.configuration))
        anonymous = credentials.Credentials()
        anonymous.set_anonymous()
        return getattr(module, interface)(f"ncacn_ip_tcp:{self.address}[{endpoint}]", lp,
                                          anonymous)
