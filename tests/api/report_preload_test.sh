#!/bin/bash
# SPDX-License-Identifier: MIT
# Reports of a preloaded malloc, by a program that knows nothing of it, and of two heaps in one process.
set -u

# shellcheck disable=SC2154 # from the test environment
here=$abs_top_srcdir/tests/api
# shellcheck disable=SC2154
libs=$abs_top_builddir/src/.libs
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cc=${CC:-cc}
export LC_ALL=C

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

$cc -O0 -o "$dir/preload" "$here/report_preload.c" -ldl || exit 99
$cc -O0 -I"$abs_top_srcdir/include" -I"$abs_top_builddir/include" -o "$dir/two_heaps" \
	"$here/report_two_heaps.c" -L"$libs" -lslabuddy -ldl -Wl,-rpath,"$libs" || exit 99

# active FILE CACHE: its active_objs, or nothing.
active() {
	awk -v cache="$2" '$1 == cache { print $2 }' "$1"
}

# the stream, and the array of blocks, are not in this class
LD_PRELOAD=$libs/libslabuddy-malloc.so "$dir/preload" 0 >"$dir/none" || fail 'preload 0'
LD_PRELOAD=$libs/libslabuddy-malloc.so "$dir/preload" 7000 >"$dir/many" || fail 'preload 7000'
none=$(active "$dir/none" kmalloc-112)
many=$(active "$dir/many" kmalloc-112)
[ "$((many - ${none:-0}))" = 7000 ] || fail "kmalloc-112 has ${none:-no} and $many active objects"
grep -q '^Node 0, zone   Normal ' "$dir/many" || fail 'no zone'
grep -q '^pgalloc_normal [1-9]' "$dir/many" || fail 'no pages'

LD_PRELOAD=$libs/libslabuddy-malloc.so "$dir/two_heaps" >"$dir/both" || fail 'two heaps'
awk '$0 == "libslabuddy-malloc" { exit } { print }' "$dir/both" >"$dir/own"
awk 'found { print } $0 == "libslabuddy-malloc" { found = 1 }' "$dir/both" >"$dir/malloc"
[ "$(active "$dir/own" inode)" = 33 ] || fail 'the own heap has not 33 inodes'
[ "$(active "$dir/malloc" inode)" = '' ] || fail "malloc's heap has inodes"
[ "$(active "$dir/own" kmalloc-6528)" = '' ] || fail "the own heap has malloc's blocks"
[ "$(active "$dir/malloc" kmalloc-6528)" = 44 ] || fail "malloc's heap has not 44 blocks"
[ $faults = 0 ] || cat "$dir/both"
[ $faults = 0 ]
