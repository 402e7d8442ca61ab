#!/bin/bash
# SPDX-License-Identifier: MIT
# Each workload, at its smallest: it says the same under glibc and under the library, whose heap is sound
# afterwards; it notices an allocator that gives out the same memory twice; and wrong arguments are
# refused in one line. A few seconds.
set -u

# shellcheck disable=SC2154 # from the test environment
source=$abs_top_srcdir build=$abs_top_builddir
workload=$build/bench/workload
library=$build/src/.libs/libslabuddy-malloc.so
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset LD_PRELOAD SLABUDDY_OPTIONS
cd "$dir" || exit 99

faults=0
fail() {
	echo "FAIL: $*"
	sed 's/^/    /' out err
	faults=$((faults + 1))
}

# try STATUS [VARIABLE=VALUE...] -- ARGS...: keeps out and err.
try() {
	local wanted=$1 variables=() status
	shift
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	shift
	timeout 60 env "${variables[@]}" "$workload" "$@" >out 2>err
	status=$?
	[ "$status" = "$wanted" ] || fail "${variables[*]} $*: exit status $status, not $wanted"
}

# ---- the same under both ------------------------------------------------------------------------

# both NAME ARGS...
both() {
	local line
	try 0 -- "$@"
	[ ! -s err ] || fail "$*: on stderr"
	line=$(cat out)
	[[ $line =~ ^"$1: "[1-9][0-9]*" operations, checksum "[0-9a-f]{16}$ ]] || fail "$*: not its line"
	try 0 LD_PRELOAD="$library" SLABUDDY_OPTIONS=audit=exit -- "$@"
	[ "$(cat out)" = "$line" ] || fail "$*: glibc had: $line"
	[ "$(cat err)" = 'slabuddy: audit: 0 faults' ] || fail "$*: audit"
}

try 0 -- --list
mapfile -t names < <(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' out)
[ ${#names[@]} -ge 18 ] || fail "only ${#names[@]} workloads in the list"
for name in "${names[@]}"; do
	both "$name" -n 1
	both "$name" -n 1 -t 4
done

# What bench/workloads.conf says is there, too; the last of two -n holds.
nr=0
while read -r _ _ _ program command; do
	# shellcheck disable=SC2016 # as it stands there
	[ "$program" = '$BUILD/bench/workload' ] || continue
	# shellcheck disable=SC2086 # a list of words
	both ${command#* } -n 1
	nr=$((nr + 1))
done <"$source/bench/workloads.conf"
[ $nr -ge 18 ] || fail "only $nr lines in workloads.conf"

# ---- amount and seed ----------------------------------------------------------------------------

# said ARGS...: the number of operations and the checksum
said() {
	try 0 -- "$@"
	sed 's/.*: \([0-9]*\) operations, checksum \(.*\)/\1 \2/' out
}
read -r nr_1 _ < <(said sh6 blocks=3000 batches=100 -n 10)
read -r nr_2 sum_2 < <(said sh6 blocks=3000 batches=100 -n 20 -s 2)
read -r nr_3 _ < <(said sh6 blocks=3K batches=100 -n 20 -s 3)
[ "$nr_1 $nr_2 $nr_3" = '30000 60000 61440' ] || fail "sh6: $nr_1, $nr_2, $nr_3 operations"
read -r _ sum_4 < <(said sh6 blocks=3000 batches=100 -n 20 -s 2)
read -r _ sum_5 < <(said sh6 blocks=3000 batches=100 -n 20 -s 3)
[ "$sum_2" = "$sum_4" ] || fail 'sh6: the same seed does something else'
[ "$sum_2" != "$sum_5" ] || fail 'sh6: the seed does nothing'

# ---- a broken allocator -------------------------------------------------------------------------

# One malloc in a thousand of 32 to 4096 bytes gives out memory that others have, so the workload
# must have that many at a time. (A program with such a heap may also crash.) cache-* never has,
# and with prodcons it depends on who is faster.
if ${CC:-cc} -shared -fPIC -O1 -fno-builtin -o broken.so "$source/tests/programs/broken.c"; then
	for name in "${names[@]}"; do
		values=()
		case $name in
		cache-* | prodcons) continue ;;
		# about three at a time: one round alone misses them in half of all runs, and there are 150
		mstress) values=(min=32 max=2K) ;;
		large) values=(min=64 max=2K steps=100K blocks=2K) ;;
		threads-brief) values=(bytes=4M) ;;
		web) values=(-n 40) ;; # its cache has them
		xmalloc) values=(batch=4K batches=1K) ;; # a batch has them, whoever is faster
		esac
		(
			timeout 60 env LD_PRELOAD="$dir/broken.so" BROKEN=overlap "$workload" "$name" \
				-n 4 "${values[@]}"
			echo $? >status
		) >out 2>err
		[ "$(cat status)" != 0 ] || fail "$name does not notice a block given out twice"
	done
	try 1 LD_PRELOAD="$dir/broken.so" BROKEN=overlap -- sh6 -n 1
	grep -Eqx "sh6: a block's (beginning|end) has changed" err || fail 'sh6: not what it says'
else
	fail 'no broken allocator to be had'
fi

# ---- wrong arguments ----------------------------------------------------------------------------

# refuse MESSAGE ARGS...
refuse() {
	local message=$1
	shift
	try 2 -- "$@"
	[ ! -s out ] || fail "$*: on stdout"
	[ "$(cat err)" = "$message" ] || fail "$*: not: $message"
}
usage='usage: workload --list | NAME [-t THREADS] [-s SEED] [-n PERCENT] [KEY=VALUE...]'
refuse "$usage"
refuse "$usage" --version
refuse "$usage" --list sh6
refuse "$usage" sh6 -x
refuse "$usage" sh6 7
refuse 'workload: there is no sh7; --list says what there is' sh7
refuse 'workload: -t: 0 is no number from 1 to 1000' sh6 -t 0
refuse 'workload: -t: 1001 is no number from 1 to 1000' sh6 -t 1001
refuse 'workload: -t: nothing is no number from 1 to 1000' sh6 -t
refuse 'workload: -t: -1 is no number from 1 to 1000' sh6 -t -1
refuse 'workload: -t: 3 is not a multiple of 2, as xmalloc wants' xmalloc -t 3
refuse 'workload: -s: 2x is no number from 0 to 1000000000' sh6 -s 2x
refuse 'workload: -n: 0 is no number from 1 to 100000' sh6 -n 0
refuse 'workload: -n: 99999999999999999999 is no number from 1 to 100000' sh6 -n 99999999999999999999
refuse 'workload: min: 7 is no number from 8 to 1073741824' sh6 min=7
refuse 'workload: min: 1KB is no number from 8 to 1073741824' sh6 min=1KB
refuse 'workload: max: 4096M is no number from 8 to 1073741824' sh6 max=4096M
refuse 'workload: max=999 is below min=1000' sh6 max=999 min=1000
refuse 'workload: sh6 has no minimum' sh6 minimum=16

[ $faults = 0 ]
