#!/bin/sh
# SPDX-License-Identifier: MIT
# localize.sh INPUT.a OUTPUT.a LD OBJCOPY AR - one object of all in INPUT, in which hidden
# symbols are local: a program that links the library statically keeps its own names to itself.
set -eu
object="$2.o"
rm -f "$2" "$object"
"$3" -r -o "$object" --whole-archive "$1"
"$4" --localize-hidden "$object"
"$5" rcs "$2" "$object"
rm -f "$object"
