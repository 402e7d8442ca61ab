#!/bin/bash
# SPDX-License-Identifier: MIT
# exit() out of the middle of an allocation: the report is written all the same,
# and the audit says that it cannot judge.
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

${CC:-cc} -O0 -g -rdynamic -o "$dir/program" "$here/exit_in_handler.c" || exit 99

# A deadlock is what this is about, and no reason to wait for long.
out=$(ulimit -c 0; timeout 60 env LD_PRELOAD="$library" \
	SLABUDDY_OPTIONS="exit_report=$dir/report audit=exit" "$dir/program" 2>&1)
status=$?
expected='slabuddy: audit: exit() came in the middle of an allocation: no verdict'
if [ $status -ne 0 ] || [ "$out" != "$expected" ]; then
	fail "status $status: $out"
fi
for line in live_bytes cached_bytes metadata_bytes; do
	grep -q "^$line [0-9]" "$dir/report" || fail "no $line in the report: $(cat "$dir/report")"
done
exit $failed
