#!/bin/bash
# SPDX-License-Identifier: MIT
# What the libraries export: exactly what is listed beside this file, whether shared or static.
# A name more could capture a host program's own; a name less would leave it to glibc, with which
# our pointers would then be freed.
set -u

# shellcheck disable=SC2154 # from the test environment
lists=$abs_top_srcdir/tests/tree
libraries=$abs_top_builddir/src
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

# same WHAT LIST FILE: FILE has the names of LIST.
same() {
	sort -u "$2" >"$dir/wanted"
	if ! diff -u "$dir/wanted" "$3"; then
		fail "$1: names differ from $(basename "$2")"
	fi
}

# names FILE NM-OPTIONS...: its symbols, without versions and version nodes.
names() {
	local file=$1
	shift
	nm "$@" --defined-only "$file" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' |
		sort -u
}

for pair in libslabuddy:exports libslabuddy-malloc:exports-malloc; do
	library=${pair%:*}
	list=$lists/${pair#*:}.txt
	shared=$libraries/.libs/$library.so
	names "$shared" -D >"$dir/shared"
	names "$libraries/$library.a" -g >"$dir/static"
	same "$library.so" "$list" "$dir/shared"
	# only what stands before libc can see who else registers, see src/malloc/atfork.c
	grep -vx __register_atfork "$list" >"$dir/$library.txt"
	same "$library.a" "$dir/$library.txt" "$dir/static"

	# each library's own names have a version of its own, so that a program with both has both
	node=SLABUDDY_0
	[ "$library" = libslabuddy ] || node=SLABUDDY_MALLOC_0
	for name in slabuddy_option slabuddy_validate slabuddy_version; do
		nm -D "$shared" | grep -q " $name@@$node\$" || fail "$library.so: $name is not of $node"
	done
	if nm -D --defined-only "$shared" | grep -q ' malloc@'; then
		fail "$library.so: malloc has a version, which no program asks for"
	fi

	flags=$(readelf -d "$shared")
	for flag in NODELETE NOW; do
		case $flags in
		*$flag*) ;;
		*) fail "$library.so: not linked with -z ${flag,,}" ;;
		esac
	done
	# the kernel's interface may wait for readers; malloc has no part in that
	others='^libc\.so\|^ld-'
	[ "$library" = libslabuddy-malloc ] || others=$others'\|^liburcu'
	needs=$(readelf -d "$shared" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v "$others")
	[ -z "$needs" ] || fail "$library.so: needs" $needs
	# a thread-local variable that is not initial-exec is set up by malloc
	if nm -D --undefined-only "$shared" | grep -q __tls_get_addr; then
		fail "$library.so: has a thread-local variable of the wrong model"
	fi
done
[ $faults = 0 ]
