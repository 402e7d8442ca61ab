#!/bin/sh
# SPDX-License-Identifier: MIT
# A C++ program: every form of new and delete, threads, exceptions, bad_alloc,
# the new handler. Its source is cxx.cc.
. "$(dirname "$0")/lib.sh"
# CXX may carry options.
# shellcheck disable=SC2086
set -- ${CXX:-g++}
need "$1"
program=$dir/cxx
if ! "$@" -std=c++17 -O2 -g -pthread -o "$program" "$here/cxx.cc"; then
	echo "$name: $* cannot compile cxx.cc"
	exit 99
fi
loaded "$program"
same 'new, delete, threads, exceptions' "$program"
# Little address space: new must throw, be handled, and work again.
same 'under ulimit -v' sh -c 'ulimit -v 600000; exec "$1" exhaust' sh "$program"
finish
