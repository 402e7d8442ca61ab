#!/bin/sh
# SPDX-License-Identifier: MIT
# static-library.sh OUTPUT SHARED ARCHIVE...
#
# Make OUTPUT, a static library of one object that holds all of the ARCHIVEs and in which only the
# names that the shared library SHARED exports are global. CC, AR, NM and OBJCOPY name the tools.
set -e

output=$1
shared=$2
shift 2

# The object keeps a plain name in the archive, without the folder and the process id.
work=$output.tmp
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
object=$work/$(basename "$output" .a).o

$NM -D --defined-only "$shared" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' >"$work/names"
if ! [ -s "$work/names" ]; then
	echo "$0: $shared: exports nothing" >&2
	exit 1
fi

# shellcheck disable=SC2086 # CC may carry options
$CC -r -nostdlib -o "$object" -Wl,--whole-archive "$@" -Wl,--no-whole-archive
$OBJCOPY --keep-global-symbols="$work/names" "$object"
rm -f "$output"
$AR crD "$output" "$object"
