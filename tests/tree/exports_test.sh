#!/bin/bash
# SPDX-License-Identifier: MIT
# What the libraries export: exactly what is listed beside this file, whether shared or static.
# A name more could capture a host program's own; a name less would leave it to glibc, with which
# our pointers would then be freed.
set -u

# shellcheck disable=SC2154 # from the test environment
lists=$abs_top_srcdir/tests/tree
maps=$abs_top_srcdir/src
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

# map_names MAP: the names it calls global, patterns left out.
map_names() {
	awk '{ gsub(/\/\*[^*]*\*\//, "") }
		/global:/ { on = 1; next }
		/local:/ { on = 0 }
		on && sub(/;$/, "") { gsub(/[ \t]/, ""); print }' "$1" | grep -v '[*?]' | sort -u
}

for pair in libslabuddy:exports libslabuddy-malloc:exports-malloc; do
	library=${pair%:*}
	list=$lists/${pair#*:}.txt
	shared=$libraries/.libs/$library.so
	names "$shared" -D >"$dir/shared"
	names "$libraries/$library.a" -g >"$dir/static"
	same "$library.so" "$list" "$dir/shared"
	same "$library.a" "$list" "$dir/static"

	map_names "$maps/$library.map" >"$dir/map"
	missing=$(comm -23 "$dir/map" "$dir/shared")
	[ -z "$missing" ] || fail "$library.map names what is not there:" $missing

	flags=$(readelf -d "$shared")
	for flag in NODELETE NOW; do
		case $flags in
		*$flag*) ;;
		*) fail "$library.so: not linked with -z ${flag,,}" ;;
		esac
	done
	# a thread-local variable that is not initial-exec is set up by malloc
	if nm -D --undefined-only "$shared" | grep -q __tls_get_addr; then
		fail "$library.so: has a thread-local variable of the wrong model"
	fi
done
[ $faults = 0 ]
