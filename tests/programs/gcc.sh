#!/bin/sh
# SPDX-License-Identifier: MIT
# gcc and g++: object files must come out byte for byte the same.
. "$(dirname "$0")/lib.sh"
need gcc g++ awk
# The driver runs the compiler proper and the assembler as programs of their
# own: cc1 is what is looked at here, under the path the driver gives.
: >"$dir/empty.c"
loaded "$(gcc -print-prog-name=cc1)" -quiet "$dir/empty.c" -o "$dir/empty.s"
loaded "$(gcc -print-prog-name=ld)" --version

awk -f "$here/heavy-c.awk" -v functions=60 >"$dir/heavy.c"
same 'gcc -O2 -g' gcc -O2 -g -c "$dir/heavy.c" -o heavy.o
same 'g++ -O1 -g' g++ -std=c++17 -O1 -g -c "$here/heavy.cc" -o heavy.o
same 'compile, link and run' sh -c \
	'g++ -std=c++17 -O0 -pipe -DPROGRAM "$1" -o heavy && ./heavy' \
	sh "$here/heavy.cc"
# What a program says when it fails counts as well.
expected_status=1
echo 'int f(struct unknown x) { return x.y + undeclared; }' >"$dir/wrong.c"
same 'gcc, an error' gcc -c "$dir/wrong.c" -o wrong.o
finish
