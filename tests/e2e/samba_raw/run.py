# SPDX-License-Identifier: MIT
"""run.py PORT [NAME ...] - Samba's raw_protocol tests, all or those named, against a server on
that port, as they are installed.  run.py --list prints their names.

Only the port is ours: a connection the tests make to 135 goes to PORT instead.  Prints one
line of JSON for each test: its name, the outcome, and for a failure the last line of why.
"""
import json
import sys
import unittest

from samba.tests.dcerpc import raw_protocol, raw_testcase


def redirect(port):
    """Connections to the endpoint mapper's port go to `port`."""
    connect = raw_testcase.RawDCERPCTest.connect

    def connect_elsewhere(self):
        if self.primary_address == "135":
            self.primary_address = port
        return connect(self)

    raw_testcase.RawDCERPCTest.connect = connect_elsewhere


class Report(unittest.TestResult):
    def tell(self, test, outcome, error=None):
        why = ""
        if error:
            why = f"{error[0].__name__}: {error[1]}".strip().splitlines()[0][:200]
        print(json.dumps({"name": test.id().rsplit(".", 1)[1], "outcome": outcome, "why": why}),
              flush=True)

    def addSuccess(self, test):
        self.tell(test, "pass")

    def addFailure(self, test, err):
        self.tell(test, "fail", err)

    def addError(self, test, err):
        self.tell(test, "fail", err)

    def addSkip(self, test, reason):
        self.tell(test, "skip")


def main():
    names = unittest.defaultTestLoader.getTestCaseNames(raw_protocol.TestDCERPC_BIND)
    if sys.argv[1] == "--list":
        print("\n".join(names))
        return
    redirect(sys.argv[1])
    suite = unittest.TestSuite(
        raw_protocol.TestDCERPC_BIND(name) for name in sys.argv[2:] or names)
    suite.run(Report())


if __name__ == "__main__":
    main()
