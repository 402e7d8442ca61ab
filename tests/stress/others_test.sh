#!/bin/bash
# SPDX-License-Identifier: MIT
# What libc and other libraries do on their own account around a preloaded malloc:
# libc frees for threads that are gone, a library takes its lock around fork().
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

# build NAME FLAGS...: without optimisation, or the compiler would drop mallocs.
build()
{
	local name=$1
	shift
	${CC:-cc} -O0 -g -pthread -o "$dir/$name" "$here/${name%.so}.c" "$@" || exit 99
}

# good LABEL PROGRAM: it prints "good" and nothing else; a deadlock is no reason to wait for long.
good()
{
	local label=$1 out
	out=$(timeout 60 env LD_PRELOAD="$library" "$2" 2>&1)
	local status=$?
	if [ $status -ne 0 ] || [ "$out" != good ]; then
		fail "$label: status $status: $out"
	else
		echo "ok: $label"
	fi
}

build idle_threads
build late_free
build atfork_lock.so -shared -fPIC
build atfork "$dir/atfork_lock.so"

good "threads that never allocate" "$dir/idle_threads"
good "what libc frees for a thread that is gone" "$dir/late_free"
good "a lock of its own around fork()" "$dir/atfork"
exit $failed
