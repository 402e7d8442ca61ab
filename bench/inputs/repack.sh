#!/bin/sh
# SPDX-License-Identifier: MIT
# repack.sh MEASURE: makes a git repository here, without the preload, and has MEASURE measure its repack with it.
set -eu

# A stream for fast-import: 150 files, changed by 400 commits in an order that looks random.
history() {
	awk 'BEGIN {
		seed = 20
		for (commit = 1; commit <= 400; commit++) {
			print "commit refs/heads/main"
			print "committer Nobody <nobody@localhost> " 1700000000 + commit * 60 " +0000"
			print "data <<END\nchange " commit "\nEND"
			for (change = 0; change < 15; change++) {
				file = any(150)
				at[file] = (at[file] + any(40)) % 300
				line[file, at[file]] = any(1000000) " is new in " commit
				print "M 100644 inline dir" file % 12 "/file" file ".txt\ndata <<END"
				for (i = 0; i < 300; i++)
					print "line " i ": " ((file, i) in line ? line[file, i] : i * file)
				print "END"
			}
		}
	}
	function any(limit) {
		seed = (seed * 16807) % 2147483647
		return seed % limit
	}'
}

git init -q --initial-branch=main .
history | git fast-import --quiet
# Its limit is below that of the whole run, so that nothing outlives this.
exec "$1" "$BENCH_FIGURES" 60 env ${BENCH_PRELOAD:+"LD_PRELOAD=$BENCH_PRELOAD"} \
	git -c pack.threads=2 repack -adfq --window=80 --depth=50
