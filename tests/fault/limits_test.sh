#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole programs under the limits that real systems set: address space, locked
# memory, and the heap's own memory_limit. vm.overcommit_memory=2 would concern the whole machine; nth_call_test
# does its accounting in the process instead.
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

${CC:-cc} -O0 -g -o "$dir/exhaust" "$here/exhaust.c" || exit 99
${CXX:-g++} -O0 -g -o "$dir/new_limit" "$here/new_limit.cc" || exit 99

# expect LABEL OUTPUT KIB COMMAND...: under an address space of KIB.
expect()
{
	local label=$1 output=$2 limit=$3 got
	shift 3
	got=$(ulimit -c 0; ulimit -v "$limit"
		exec timeout 100 env LD_PRELOAD="$library" "$@" 2>&1)
	local status=$?
	if [ $status -eq 77 ]; then
		echo "skipped: $label: $got"
	elif [ $status -ne 0 ] || [ "$got" != "$output" ]; then
		fail "$label: status $status: $got"
	else
		echo "ok: $label"
	fi
}

# Programs that this limit is enough for without the library.
fits()
{
	(ulimit -v "$1" && shift && "$@") >/dev/null 2>&1
}

expect "true in 64 MiB" "" 65536 /bin/true
expect "exhaust in 64 MiB" good 65536 "$dir/exhaust"
if fits 65536 python3 -c 'print(sum(range(1000)))'; then
	expect "python3 in 64 MiB" 499500 65536 python3 -c 'print(sum(range(1000)))'
fi
if fits 65536 sqlite3 :memory: 'select 1'; then
	expect "sqlite3 in 64 MiB" 1000 65536 sqlite3 :memory: \
		'create table t(a); with recursive n(i) as (select 1 union all
		 select i + 1 from n where i < 1000) insert into t select i from n;
		 select count(*) from t'
fi
# The table of sections alone is 16 MiB of addresses, and a section's structure
# 3 MiB while it is being mapped.
for limit in 28000 32000 40000 48000 96000 200000 500000; do
	expect "exhaust in $limit KiB" good $limit "$dir/exhaust"
done
expect "exhaust with locked memory" good 200000 "$dir/exhaust" lock
expect "exhaust with locked memory, without a limit" good unlimited "$dir/exhaust" lock

# The heap's own limit, with nothing said by the OS.
sound=$'slabuddy: audit: 0 faults\ngood'
for limit in 4M 5000K 16M 64M 150M; do
	expect "exhaust within memory_limit=$limit" "$sound" unlimited \
		env SLABUDDY_OPTIONS="memory_limit=$limit audit=exit" "$dir/exhaust"
done
expect "exhaust within memory_limit, processors' slots" "$sound" unlimited \
	env SLABUDDY_OPTIONS="memory_limit=64M percpu=on audit=exit" "$dir/exhaust"
expect "true within the least memory_limit" "" unlimited \
	env SLABUDDY_OPTIONS="memory_limit=4M" /bin/true
expect "operator new within memory_limit" "$sound" unlimited \
	env SLABUDDY_OPTIONS="memory_limit=64M audit=exit" "$dir/new_limit"
exit $failed
