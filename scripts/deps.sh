#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh build|test|bench - installs the Debian packages that are missing.  Names each
# package and why it is here: docs/design/dependencies.md.
set -eu
build_packages="gcc g++ libc6-dev make meson ninja-build pkg-config libssl-dev libcmocka-dev libjansson-dev scdoc python3"
test_packages="clang libclang-rt-14-dev tshark wireshark-common samba-testsuite python3-samba python3-impacket python3-pytest cmake"
# The other byte order: cross compiler and emulator, 220 MB installed.
test_packages="$test_packages gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user"
# A server that owes us nothing.
test_packages="$test_packages samba"
# Windows programs and what runs them: 940 MB installed.
test_packages="$test_packages gcc-mingw-w64-x86-64-win32 mingw-w64-tools wine64"

bench_packages="protobuf-compiler libprotobuf-dev"

case "$1" in
build) wanted=$build_packages ;;
test) wanted=$test_packages ;;
bench) wanted=$bench_packages ;;
*) echo "usage: deps.sh build|test|bench" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Missing packages:$missing" >&2
    echo "Install them as root: apt-get install$missing" >&2
    exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Services that come along (Samba's) are not to be started.
export RUNLEVEL=1
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
