#!/bin/bash
# SPDX-License-Identifier: MIT
# The thread that gives back what lies idle, in programs that end, exec, fork and close their files
# as they like; and that there is none unless it is asked for.
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

${CC:-cc} -O0 -g -pthread -o "$dir/program" "$here/kswapd.c" || exit 99

# run OPTIONS WHAT: a deadlock is no reason to wait for long.
run()
{
	timeout 60 env LD_PRELOAD="$library" SLABUDDY_OPTIONS="$1" "$dir/program" "$2"
}

# good LABEL OPTIONS WHAT: the program prints "good" and nothing else.
good()
{
	local out status
	out=$(run "$2" "$3" 2>&1)
	status=$?
	if [ $status -ne 0 ] || [ "$out" != good ]; then
		fail "$1: status $status: $out"
	else
		echo "ok: $1"
	fi
}

on='kswapd=on dirty_decay_ms=100'
good 'memory goes back' "$on" idle
good 'off' '' off
good 'nothing to do with purge=off' "$on purge=off" off
good 'the last thread ends' "$on" thread_exit
good 'the only thread ends' "$on" alone_exit
good '_exit()' "$on" at_once
good 'the end of main()' "$on" late
good 'exec' "$on" exec
good 'children' "$on" children
good 'a child of vfork()' "$on" vforks
good 'a program that closes all files' "$on" closes_all

# values that cannot be: one line each, and the default stays
for bad in kswapd=maybe kswapd= dirty_decay_ms=99 dirty_decay_ms=3600001 dirty_decay_ms=1s; do
	out=$(run "$bad" off 2>&1)
	if [ "$(wc -l <<<"$out")" != 2 ] ||
		[[ $out != "slabuddy: SLABUDDY_OPTIONS: bad value in \"$bad\": "*$'\ngood' ]]; then
		fail "$bad: $out"
	fi
done
out=$(run 'kswapd=on dirty_decay_ms=100 dirty_decay_ms=5' idle 2>&1)
[[ $out == 'slabuddy: SLABUDDY_OPTIONS: bad value in "dirty_decay_ms=5": '*$'\ngood' ]] || fail "the value before: $out"

# Whoever reads what the program prints sees its end when the program has closed it.
# shellcheck disable=SC2016 # the inner shell expands it
out=$(timeout 60 bash -c '"$@" & exec 1>&- 2>&-; sleep 0.1; echo $! >"$0"' "$dir/pid" \
	env LD_PRELOAD="$library" SLABUDDY_OPTIONS="$on" "$dir/program" closes_output)
[ "$out" = good ] || fail "the end of the output: $out"
kill -0 "$(cat "$dir/pid")" 2>/dev/null || fail 'the program that closed its output is gone'
kill "$(cat "$dir/pid")" 2>/dev/null

# A mistake of the program that the thread finds: the line comes, and the signal.
out=$(ulimit -c 0; run "$on percpu=off" twice 2>&1)
status=$?
if [ $status != 134 ] || [[ $out != "slabuddy: free(): double free of 0x"* ]]; then
	fail "a double free: status $status: $out"
fi

exit $failed
