#!/bin/bash
# SPDX-License-Identifier: MIT
# The public headers in each standard that they are for, by each compiler there is, without a warning.
# The oldest C is C11: kmem_cache_create() is a _Generic.
set -u

# shellcheck disable=SC2154 # from the test environment
include="-I$abs_top_srcdir/include -I$abs_top_builddir/include"
compat=$abs_top_srcdir/include/slabuddy/compat
warnings='-Wall -Wextra -Wpedantic -Werror'
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

faults=0
compiles=0
# compile NAME COMMAND...
compile() {
	local name=$1
	shift
	compiles=$((compiles + 1))
	# shellcheck disable=SC2086 # lists of words
	if ! "$@" $warnings $include -fsyntax-only >"$dir/log" 2>&1; then
		echo "FAIL: $name: $*"
		cat "$dir/log"
		faults=$((faults + 1))
	fi
}

for cxx in g++ clang++; do
	command -v $cxx >/dev/null || continue
	for std in c++11 c++14 c++17 c++20 c++2b; do
		compile "$cxx -std=$std" $cxx -std=$std "$abs_top_srcdir/tests/api/headers.cc"
	done
	compile "$cxx, kernel-style" $cxx -std=c++11 -I"$compat" -x c++ \
		"$abs_top_srcdir/tests/api/compat_headers.c"
done
for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	for std in c11 gnu11 c17 c2x; do
		compile "$cc -std=$std, kernel-style" $cc -std=$std -I"$compat" \
			"$abs_top_srcdir/tests/api/compat_headers.c"
	done
done

# each kernel-style header alone: none rests on what was included before it
for header in "$compat"/linux/*.h; do
	printf '#include <linux/%s>\nextern int not_empty;\n' "$(basename "$header")" >"$dir/alone.c"
	compile "$header alone" "${CC%% *}" -I"$compat" "$dir/alone.c"
done

# a compiler that finds nothing wrong with anything would make all of this pass
echo '#include <linux/slab.h>
int wrong(void) { return kmem_cache_size(1); }' >"$dir/wrong.c"
# shellcheck disable=SC2086
if "${CC%% *}" $warnings $include -I"$compat" -fsyntax-only "$dir/wrong.c" 2>/dev/null; then
	echo 'FAIL: a wrong program compiles'
	faults=$((faults + 1))
fi
[ $compiles -gt 6 ] && [ $faults = 0 ]
