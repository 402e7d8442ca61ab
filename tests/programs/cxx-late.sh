#!/bin/sh
# SPDX-License-Identifier: MIT
# A C program whose extension brings libstdc++ by dlopen(): no new without it
# when the program started, and out of memory all the same.
. "$(dirname "$0")/lib.sh"
# CC and CXX may carry options.
# shellcheck disable=SC2086
set -- ${CXX:-g++}
need "$1"
if ! "$@" -std=c++17 -O2 -g -shared -fPIC -o "$dir/extension.so" "$here/cxx-late.cc" ||
	! ${CC:-cc} -O2 -g -o "$dir/program" "$here/cxx-late.c" -ldl; then
	echo "$name: cannot compile cxx-late.c or cxx-late.cc"
	exit 99
fi
loaded "$dir/program" "$dir/extension.so"
same 'out of memory in an extension' "$dir/program" "$dir/extension.so"
finish
