#!/bin/bash
# SPDX-License-Identifier: MIT
# What a process keeps when its load has stopped is at most 1.2 times what is live, and 16 MiB: after each load of
# tests/stress/settled.c, and when it is run again and again. Sizes, no times. Another seed each time, which is
# printed; SLABUDDY_SEED repeats one.
# shellcheck source=tests/preload.sh
. "$(dirname "$0")/../preload.sh" || exit 99

seed=${SLABUDDY_SEED:-$((RANDOM << 15 | RANDOM))}

# without optimisation, or the compiler would drop mallocs
${CC:-cc} -O0 -g -pthread -o "$dir/settled" "$here/settled.c" || exit 99
echo "SLABUDDY_SEED=$seed"

# settles OPTIONS LOAD...: in one process
settles()
{
	local options=$1 out status
	shift
	out=$(LD_PRELOAD=$library SLABUDDY_OPTIONS=$options SETTLED_TELL=1 "$dir/settled" "$seed" "$@" 2>&1)
	status=$?
	echo "$out"
	[ $status -eq 77 ] && exit 77
	if [ $status -ne 0 ] || [ "${out##*$'\n'}" != good ]; then
		fail "${options:-no options}: $*: status $status"
	fi
}

for load in grow nine-of-ten small modest phases churn resize sleepers owners; do
	settles '' $load
done
settles '' small small small
settles '' phases phases
settles '' grow nine-of-ten grow
settles '' modest modest modest modest
settles percpu=on sleepers

# The test itself: a heap that gives nothing back does not keep the promise.
for load in grow small owners; do
	if LD_PRELOAD=$library SLABUDDY_OPTIONS=purge=off "$dir/settled" "$seed" $load >"$dir/out"; then
		fail "purge=off: $load keeps the promise"
	fi
done
exit $failed
