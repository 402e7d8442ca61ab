#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests in this folder must fail when the library is broken. Each way of
# being broken is put under a small command, and under real programs. By hand,
# `able-to-fail.sh all` does so with every test of the folder.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 99
if ! command -v "${CC:-cc}" >/dev/null 2>&1; then
	echo 'able-to-fail: SKIP: no C compiler'
	exit 77
fi
top=$(mktemp -d "${TMPDIR:-/tmp}/slabuddy-able-to-fail.XXXXXX") || exit 99
trap 'rm -rf "$top"' EXIT
trap 'exit 99' HUP INT TERM
# CC may carry options, such as -m32.
${CC:-cc} -shared -fPIC -O1 -fno-builtin -o "$top/broken.so" "$here/broken.c" || exit 99
${CC:-cc} -shared -fPIC -O1 -DBYSTANDER -o "$top/bystander.so" "$here/broken.c" || exit 99

# Not sh: dash leaves by _exit, past every destructor.
# A test of everything that `same` looks at, and nothing else.
cat >"$top/small.sh" <<END
. "$here/lib.sh"
here=$here
loaded perl -e 1
same 'a small command' perl -e 'print "out\\n"; print STDERR "err\\n"; open F, ">left"'
finish
END

unset SLABUDDY_DEBUG_LIBRARY
# A program with a broken heap may well loop for ever.
SLABUDDY_TIMEOUT=${SLABUDDY_TIMEOUT:-10}
export SLABUDDY_TIMEOUT
bad=0

# expect STATUS LIBRARY BROKEN TEST
expect()
{
	SLABUDDY_LIBRARY=$top/$2 BROKEN=$3 sh "$4" >"$top/log" 2>&1
	status=$?
	if [ $status -eq 77 ] && [ "$1" -ne 77 ]; then
		echo "skipped: $2 $3 $(basename "$4"): $(tail -n 1 "$top/log")"
	elif [ $status -ne "$1" ]; then
		echo "FAULT: $2 '$3' $(basename "$4"): exit status $status instead of $1"
		tail -n 20 "$top/log"
		bad=1
	else
		echo "as it should be: $2 '$3' $(basename "$4"): $status" \
			"$(grep -a FAULT "$top/log" | cut -c 1-100 | head -n 3)"
	fi
}

expect 0 broken.so '' "$top/small.sh"
for way in noise mute status abort; do
	expect 1 broken.so $way "$top/small.sh"
done
expect 1 bystander.so '' "$top/small.sh"
expect 99 missing.so '' "$top/small.sh"

tests='perl sqlite3'
if [ "${1-}" = all ]; then
	tests='cxx gcc git node perl python redis sqlite3'
fi
for test in $tests; do
	for way in overlap dirty forget; do
		expect 1 broken.so $way "$here/$test.sh"
	done
done
exit $bad
