#!/bin/bash
# SPDX-License-Identifier: MIT
# doc/examples: they build as the README beside them says, with what pkg-config answers, run, print what they
# should, and leave nothing behind: a leak would be a line on stderr.
set -u

# shellcheck disable=SC2154 # from the test environment
examples=$abs_top_srcdir/doc/examples build=$abs_top_builddir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL LD_PRELOAD
export LC_ALL=C
export PKG_CONFIG_PATH=$build
export LD_LIBRARY_PATH=$build/src/.libs
cd "$dir" || exit 99

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

# Each by itself, so that one that does not compile keeps no other one out.
build() {
	make -s -f "$examples/Makefile" PKG_CONFIG="${PKG_CONFIG:-pkg-config}" \
		CFLAGS='-O2 -Wall -Wextra -Werror' "$1" || fail "$1: does not build"
}

# run NAME ARGS...: what it prints is in ./out. Before that, with everything watched and on two nodes.
run() {
	local name=$1 options
	shift
	: >out
	build "$name"
	[ -x "$name" ] || return
	for options in 'slab_debug=FZPU slab_nomerge numa=fake=2' ''; do
		SLABUDDY_OPTIONS="audit=exit $options" "./$name" "$@" >out 2>err ||
			fail "$name $options: exit status $?"
		[ "$(cat err)" = 'slabuddy: audit: 0 faults' ] || fail "$name $options: on stderr: $(cat err)"
	done
}

# prints N PATTERN: N lines of ./out match an extended regular expression as a whole.
prints() {
	local nr
	nr=$(grep -Ecx -- "$2" out)
	[ "$nr" = "$1" ] || {
		fail "$nr lines, not $1, are: $2"
		cat out
	}
}

# active CACHE: its objects in use, by the slabinfo in ./out.
active() {
	awk -v cache="$1" '$1 == cache { print $2 }' out
}

# in_use_is CACHE N: what slabinfo says.
in_use_is() {
	[ "$(active "$1")" = "$2" ] || fail "$1: slabinfo says $(active "$1"), not $2"
}

orders=$(sed -n 's/^#define MAX_PAGE_ORDER \([0-9]*\)$/\1/p' "$build/include/slabuddy/limits.h")
run pages
prints $((orders / 2 + 1)) \
	'order +[0-9]+, +[0-9]+ KiB: at 0x[0-9a-f]+000, page frame 0x[0-9a-f]+: freed, success'
prints 1 "order $((orders + 1)), +[0-9]+ KiB: no block is that large: failure"
prints 1 '28 KiB are order 3, or exactly 7 pages at 0x[0-9a-f]+000: freed, success'
prints 1 'one page: 2 references, then 1, then 0: success'
run pages 5
prints 1 'order  5,   128 KiB: at .*, success'

run inodes
prints 1 'files made: 20000, of which 6680 are left and intact'
prints 1 'in use: 8000 inodes, 8680 directory entries'
prints 1 'slabinfo - version: 2\.1'
in_use_is inode_cache 8000
in_use_is dentry 8680
# Constructed once for each object of a slab: for far fewer than there were files.
awk '/^constructors ran/ { if ($3 < 8000 || $3 > 12000 || $5 < 8680 || $5 > 13000) exit 1; seen = 1 }
	END { exit !seen }' out || fail "inodes: $(grep '^constructors' out)"

run tree 3 5000 2
prints 1 '3 threads, 5000 nodes each, best of 2 rounds:'
prints 2 '  (kmem_cache|malloc) +[0-9]+\.[0-9]{4} s'
prints 1 'every key was found again: yes'

run buffers "$dir"
prints 1 '8 buffers of 32 KiB, (not )?locked, zone DMA: -?[0-9]+ pages'
prints 1 'pread: 64 of 64 chunks right'
prints 1 'io_uring: (64 of 64 chunks right|.*refused \(.*\)|left out, .*)'

run driver
prints 6 '.*: as it should be'
prints 0 '.*WRONG.*'
in_use_is msgq 1
in_use_is msgq_request 616

# Its error paths: the nth allocation fails, for every n that it takes to make a queue and some of those
# behind it. Whatever it says then, it frees what it had, and goes on with what it has.
failed=0
for n in $(seq 30); do
	SLABUDDY_OPTIONS="audit=exit slab_debug=A failslab=$n,100,0,1" ./driver >out 2>err
	status=$?
	case $status in
	0) ;;
	1) failed=$((failed + 1)) ;;
	*) fail "driver: exit status $status when allocation $n fails" ;;
	esac
	grep -q 'audit: 0 faults' err || fail "driver, allocation $n fails: $(cat err)"
	! grep -q 'Objects remaining' err || fail "driver, allocation $n fails: $(cat err)"
done
[ $failed -ge 5 ] || fail "driver: only $failed of 30 failing allocations made it fail"

# One program for any malloc: the C library's, ours preloaded, ours linked.

# defragments NAME OPTIONS COMMAND...: what it prints is in ./out, and it leaves the heap sound.
defragments() {
	local name=$1 options=$2
	shift 2
	SLABUDDY_OPTIONS="audit=exit $options" "$@" >out 2>err || fail "$name: exit status $?"
	[ "$(cat err)" = 'slabuddy: audit: 0 faults' ] || fail "$name: on stderr: $(cat err)"
	prints 1 'keys with their whole value: 4976 of 4976'
}

# slabs WHEN: MiB of objects and of slabs, by the line of ./out.
slabs() {
	awk -v when="$1" '$1 == when { print $(NF - 8), $(NF - 3) }' out
}

# shrinks NAME: what was scattered over four times its size fills nearly all of its slabs in the end.
shrinks() {
	prints 1 'moved [0-9]+ of 9952 blocks in [0-9]+ passes'
	awk '{ if ($2 < 4 * $1 || $4 > 1.25 * $3) exit 1 } END { exit NR != 1 }' \
		<<<"$(slabs deleted) $(slabs moved)" || {
		fail "$1: objects and slabs: $(slabs deleted), then $(slabs moved)"
		cat out
	}
}

build defrag
./defrag 50000 >out 2>err || fail "defrag: exit status $?"
prints 1 'this malloc has no slabuddy_move\(\): everything stays where it is'
prints 1 'keys with their whole value: 4976 of 4976'
preload="LD_PRELOAD=$build/src/.libs/libslabuddy-malloc.so"
defragments defrag '' env "$preload" ./defrag 50000
shrinks defrag
# where nothing can be moved
defragments 'defrag, watched' 'slab_debug=P' env "$preload" ./defrag 50000
prints 1 'moved 0 of 9952 blocks in 0 passes'
rm -f defrag
LDFLAGS="-L$build/src/.libs -lslabuddy-malloc" build defrag
defragments 'defrag, linked' '' ./defrag 50000
shrinks 'defrag, linked'

[ $faults = 0 ]
