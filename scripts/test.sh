#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh BUILD - runs every test of a build directory: unit tests, replayed fuzz
# corpora, golden files and the simulator under Meson, then the end-to-end tests
# under pytest.  Ends with "N passed, N failed" and fails when one failed.
set -u
build=$1
log="$build/test.log"
fail=0

# Sanitizers stop at the first finding, and say where.
export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=1:atexit_sleep_ms=0:exitcode=66:suppressions=$PWD/tests/tsan.supp:${TSAN_OPTIONS:-}"

meson test -C "$build" --no-rebuild --print-errorlogs 2>&1 | tee "$log"
passed=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$log" | tail -1)
failed=$(awk '/^(Fail|Timeout|Unexpected Pass): /{n += $NF} END {print n + 0}' "$log")
[ -n "$passed" ] || { passed=0; failed=$((failed + 1)); }

if [ -n "$(find tests/e2e -name 'test_*.py' 2>/dev/null)" ]; then
    PENSTOCK_BUILD_DIR=$(cd "$build" && pwd) /usr/bin/python3 -m pytest -q -p no:cacheprovider \
        -ra tests/e2e 2>&1 | tee "$build/pytest.log"
    last=$(tail -1 "$build/pytest.log")
    p=$(printf '%s' "$last" | sed -n 's/.*[^0-9]\([0-9][0-9]*\) passed.*/\1/p;s/^\([0-9][0-9]*\) passed.*/\1/p' | head -1)
    f=$(printf '%s' "$last" | grep -oE '[0-9]+ (failed|error)' | awk '{n += $1} END {print n + 0}')
    [ -n "$p" ] || { p=0; [ "$f" -gt 0 ] || f=1; }
    passed=$((passed + p))
    failed=$((failed + f))
fi

[ "$failed" -eq 0 ] || fail=1
echo "$passed passed, $failed failed"
exit $fail
