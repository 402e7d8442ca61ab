#!/bin/sh
# SPDX-License-Identifier: MIT
# static-library.sh OUTPUT MAP ARCHIVE...
#
# Make OUTPUT, a static library of one object that holds all of the ARCHIVEs and in which only the
# names that the symbol map MAP calls global are global. CC, AR and OBJCOPY name the tools.
set -e

output=$1
map=$2
shift 2

# The object keeps a plain name in the archive, without the folder and the process id.
work=$output.tmp
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
object=$work/$(basename "$output" .a).o

awk '{ gsub(/\/\*[^*]*\*\//, ""); gsub(/[;[:space:]]/, "") }
	/global:/ { on = 1; sub(/.*global:/, "") }
	/local:|}/ { on = 0 }
	on && $0 != ""' "$map" >"$work/names"
if ! [ -s "$work/names" ]; then
	echo "$0: $map: no global names" >&2
	exit 1
fi

# shellcheck disable=SC2086 # CC may carry options
$CC -r -nostdlib -o "$object" -Wl,--whole-archive "$@" -Wl,--no-whole-archive
$OBJCOPY --wildcard --keep-global-symbols="$work/names" "$object"
rm -f "$output"
$AR crD "$output" "$object"
