#!/bin/bash
# SPDX-License-Identifier: MIT
# How the library comes into a process: before its constructors, by dlopen(), and
# beside a libc whose own heap is in use too.
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

cc=${CC:-cc}

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
		fail "$label: status $status: $out"
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
