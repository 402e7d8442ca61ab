#!/bin/bash
# SPDX-License-Identifier: MIT
# How the library comes into a process: before its constructors, by dlopen(), and
# beside a libc whose own heap is in use too.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 99
library=${SLABUDDY_LIBRARY:-${abs_top_builddir:-$PWD}/src/.libs/libslabuddy-malloc.so}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cc=${CC:-cc}
failed=0

[ -f "$library" ] || { echo "no library at $library" >&2; exit 99; }

# build NAME FLAGS...: without optimisation, or the compiler would drop mallocs.
build()
{
	local name=$1
	shift
	$cc -O0 -g -pthread -o "$dir/$name" "$here/${name%.so}.c" "$@" -ldl || exit 99
}

# good LABEL COMMAND...: it prints "good", nothing else, and the audit finds nothing.
good()
{
	local label=$1 out
	shift
	out=$("$@" 2>&1)
	local status=$?
	if [ $status -ne 0 ] || [ "$out" != good ]; then
		echo "FAIL: $label: status $status: $out"
		failed=1
	else
		echo "ok: $label"
	fi
}

preloaded()
{
	timeout 100 env LD_PRELOAD="$library" "$@"
}

build early
build dlopen
build foreign
build deepbind.so -shared -fPIC

good "before the constructors" preloaded "$dir/early"
good "before the constructors, bound at once" preloaded env LD_BIND_NOW=1 "$dir/early"
good "by dlopen()" timeout 100 "$dir/dlopen" "$library"
good "libc's pointers" preloaded "$dir/foreign" "$dir/deepbind.so"
exit $failed
