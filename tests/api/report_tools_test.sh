#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that were written for the kernel's files read our reports: procps, collectl (in Perl) and awk,
# with the reports in the place of the files in /proc, in a mount namespace of their own; and prometheus'
# node exporter, which can be told where /proc is. Skipped where no namespace may be made.
set -u

# shellcheck disable=SC2154 # from the test environment
dump=$abs_top_builddir/tests/api/report_dump
export LC_ALL=C

if [ "${1-}" != inside ]; then
	dir=$(mktemp -d) || exit 99
	trap 'rm -rf "$dir"' EXIT
	"$dump" "$dir" || exit 1
	map=
	[ "$(id -u)" = 0 ] || map=--map-root-user
	if ! unshare -m $map true 2>/dev/null; then
		echo 'SKIP: no mount namespace may be made'
		exit 77
	fi
	unshare -m $map bash "$0" inside "$dir"
	exit
fi

dir=$2
for file in slabinfo buddyinfo pagetypeinfo zoneinfo vmstat; do
	# some of them are not there in containers; what is not mounted is not looked at
	if ! mount --bind "$dir/$file" "/proc/$file" 2>/dev/null; then
		echo "SKIP: /proc/$file cannot be covered"
		exit 77
	fi
done

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

# there PROGRAM: whether it is installed.
there() {
	command -v "$1" >/dev/null && return
	echo "note: $1 is not installed"
	return 1
}

# same WHAT WANTED: what WHAT said, in $dir/got, is the file WANTED, in any order, and not empty.
same() {
	sort "$dir/got" >"$dir/said"
	sort "$2" >"$dir/want"
	if ! [ -s "$dir/want" ] || ! diff -u "$dir/want" "$dir/said"; then
		fail "$1 reads something else"
	fi
}

# name active total size per-slab pages active-slabs slabs
awk 'NR > 2 { print $1, $2, $3, $4, $5, $6, $14, $15 }' "$dir/slabinfo" >"$dir/caches"
[ "$(wc -l <"$dir/caches")" -ge 7 ] || fail 'too few caches'

if there slabtop; then
	slabtop -o >"$dir/slabtop" || fail 'slabtop'
	# OBJS ACTIVE USE SIZE SLABS OBJ/SLAB CACHE-SIZE NAME
	awk '{ print $1, $2, $3, $5 * 1, $8 }' "$dir/caches" >"$dir/wanted"
	awk '/ NAME *$/ { body = 1; next } body { print $8, $2, $1, $6, $5 }' "$dir/slabtop" >"$dir/got"
	same slabtop "$dir/wanted"
	# a summary over all of them
	awk '{ a += $2; t += $3; as += $7; s += $8; used += $2 > 0; n++ }
		END { print a, t; print as, s; print used, n }' "$dir/caches" >"$dir/wanted"
	awk -F: '/Active \/ Total (Objects|Slabs|Caches)/ { split($2, n, " "); print n[1], n[3] }' \
		"$dir/slabtop" >"$dir/got"
	same 'slabtop (summary)' "$dir/wanted"
fi

if there vmstat; then
	# Cache Num Total Size Pages, of which procps calls the objects of a slab pages
	awk '{ print $1, $2, $3, $4, $5 }' "$dir/caches" >"$dir/wanted"
	vmstat -m | awk 'NR > 1' | tr -s ' ' >"$dir/got"
	same 'vmstat -m' "$dir/wanted"
fi

if there collectl; then
	# it knows the kernel's eleven orders
	awk '{ sub(/,/, "", $2); line = $2 " " $4; for (i = 5; i < 16; i++) line = line " " $i; print line }' \
		"$dir/buddyinfo" >"$dir/wanted"
	collectl -sB -c1 -i0.1 | awk '$1 ~ /^[0-9]+$/ { $1 = $1; print }' >"$dir/got"
	same collectl "$dir/wanted"
fi

# as in many a monitoring script: free memory by zone from buddyinfo, and the watermarks
perl -lane 's/,// for @F; my ($sum, $size) = (0, 1);
	for (@F[4 .. $#F]) { $sum += $_ * $size; $size *= 2 } print "$F[1] $F[3] $sum"' \
	/proc/buddyinfo >"$dir/wanted"
awk '/^Node/ { sub(/,/, "", $2); zone = $2 " " $4 }
	/^ +nr_free_pages / { print zone, $2 }' /proc/zoneinfo >"$dir/got"
same 'awk (zoneinfo)' "$dir/wanted"
awk '$1 == "nr_free_pages" { print $2 }' /proc/vmstat >"$dir/total"
awk '{ sum += $3 } END { print sum }' "$dir/wanted" >"$dir/got"
same 'awk (vmstat)' "$dir/total"
awk '/^Node.* type / { sub(/,/, "", $2); sub(/,/, "", $4); for (i = 7; i <= NF; i++) sum[$2 " " $4] += $i * 2 ^ (i - 7) }
	END { for (zone in sum) print zone, sum[zone] }' /proc/pagetypeinfo >"$dir/got"
same 'awk (pagetypeinfo)' "$dir/wanted"

# The exporter's answer, over HTTP.
scrape() {
	local port=$1 line
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	while IFS= read -r line <&3; do
		printf '%s\n' "$line"
	done
	exec 3>&-
}

exporter=$(command -v prometheus-node-exporter || command -v node_exporter)
if there "${exporter:-prometheus-node-exporter}"; then
	port=$((20000 + $$ % 20000))
	"$exporter" --path.procfs="$dir" --collector.disable-defaults --collector.slabinfo \
		--collector.buddyinfo --collector.zoneinfo --collector.vmstat \
		--collector.vmstat.fields='.*' --web.listen-address="127.0.0.1:$port" \
		>"$dir/log" 2>&1 &
	pid=$!
	# it listens soon, or has ended because the port is taken
	until scrape $port >"$dir/metrics" 2>/dev/null; do
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill $pid
	wait $pid
	for name in slabinfo buddyinfo zoneinfo vmstat; do
		grep -q "^node_scrape_collector_success{collector=\"$name\"} 1" "$dir/metrics" ||
			fail "the node exporter cannot read $name: $(cat "$dir/log")"
	done
	awk '{ print $1, $2 }' "$dir/caches" >"$dir/wanted"
	sed -n 's/^node_slabinfo_active_objects{slab="\(.*\)"} /\1 /p' "$dir/metrics" >"$dir/got"
	same 'node exporter (slabinfo)' "$dir/wanted"
	awk '{ sub(/,/, "", $2); for (i = 5; i <= NF; i++) print $2, $4, i - 5, $i }' \
		"$dir/buddyinfo" >"$dir/wanted"
	sed -n 's/^node_buddyinfo_blocks{node="\(.*\)",size="\(.*\)",zone="\(.*\)"} /\1 \3 \2 /p' \
		"$dir/metrics" >"$dir/got"
	same 'node exporter (buddyinfo)' "$dir/wanted"
	sed -n 's/^node_vmstat_//p' "$dir/metrics" >"$dir/got"
	same 'node exporter (vmstat)' "$dir/vmstat"
	awk '/^Node/ { sub(/,/, "", $2); zone = $2 " " $4 }
		$1 ~ /^(min|low|high|spanned|present|managed)$/ { print zone, $1, $2 }' \
		"$dir/zoneinfo" >"$dir/wanted"
	sed -n 's/^node_zoneinfo_\([a-z]*\)_pages{node="\(.*\)",zone="\(.*\)"} /\2 \3 \1 /p' \
		"$dir/metrics" | grep -v ' nr_' >"$dir/got"
	same 'node exporter (zoneinfo)' "$dir/wanted"
fi
[ $faults = 0 ]
