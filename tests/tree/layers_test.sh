#!/bin/bash
# SPDX-License-Identifier: MIT
# The layers of src/: a file includes its own layer and those before it, and system calls that
# change the address space stand in src/os only.
set -u

layers='base os page buddy slab malloc api tools'
calls='mmap munmap mprotect madvise process_madvise mremap mlock mlock2 munlock mlockall mincore
	mbind set_mempolicy brk sbrk prctl syscall'

# faults_in TREE: a line for each line of TREE/src that breaks a rule.
faults_in() {
	find "$1/src" -name '*.[ch]' | sort | while read -r file; do
		awk -v layers="$layers" -v calls="$calls" -v path="${file#"$1/src/"}" '
			function fault(text) {
				printf "src/%s:%d: %s\n", path, FNR, text
			}
			# the line without comments and strings; in_comment lasts over lines
			function code(line,   out, at) {
				out = ""
				while (line != "") {
					if (in_comment) {
						at = index(line, "*/")
						if (!at)
							return out
						line = substr(line, at + 2)
						in_comment = 0
					} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"/)) {
						out = out substr(line, 1, RSTART - 1)
						if (substr(line, RSTART, 2) == "//")
							return out
						in_comment = substr(line, RSTART, 2) == "/*"
						line = substr(line, RSTART + RLENGTH)
					} else {
						return out line
					}
				}
				return out
			}
			BEGIN {
				nr = split(layers, name)
				for (i = 1; i <= nr; i++)
					rank[name[i]] = i
				nr_calls = split(calls, call)
				split(path, part, "/")
				own = part[1]
				if (!(own in rank) || part[2] == "")
					fault("not in the folder of a layer")
			}
			/^[ \t]*#[ \t]*include[ \t]*"/ {
				split($0, quoted, "\"")
				other = quoted[2]
				if (!sub("/.*", "", other) || !(other in rank))
					fault("\"" quoted[2] "\" names no layer")
				else if (rank[other] > rank[own])
					fault(own " must not include " other)
				next
			}
			{
				line = code($0)
				# the tool is a program of its own, and no part of the heap
				if (own == "os" || own == "tools")
					next
				for (i = 1; i <= nr_calls; i++) {
					if (line !~ "(^|[^A-Za-z0-9_.>])" call[i] "[ \t]*\\(")
						continue
					if (call[i] == "syscall" && line ~ /SYS_(futex|write|close|pidfd_)/)
						continue
					fault(call[i] "() outside of src/os")
				}
			}' "$file"
	done
}

dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

# expect FAULT PATH TEXT: the rules find FAULT ("" for none) in a file of TEXT.
failed=0
expect() {
	rm -rf "$dir/src"
	mkdir -p "$dir/src/$(dirname "$2")"
	printf '%s\n' "$3" >"$dir/src/$2"
	if [ "$(faults_in "$dir")" != "${1:+src/$2:$1}" ]; then
		echo "FAIL: the rules say \"$(faults_in "$dir")\", not \"$1\", of: $3"
		failed=1
	fi
}
expect '1: base must not include os' base/a.c '#include "os/mem.h"'
expect '1: slab must not include malloc' slab/a.h '# include "malloc/init.h"'
expect '1: "mem.h" names no layer' os/a.c '#include "mem.h"'
expect '1: "other/mem.h" names no layer' os/a.c '#include "other/mem.h"'
expect '0: not in the folder of a layer' other/a.c 'int x;'
expect '' malloc/a.c '#include "base/list.h"
#include "malloc/a.h"
#include <string.h>'
expect '2: mmap() outside of src/os' page/a.c '/* mmap(); */ // munmap()
	p = mmap(NULL, 1, 2, 3, -1, 0);'
expect '3: madvise() outside of src/os' page/a.c '/*
 mmap() */ char *s = "munmap()"; own_mmap(); ops->mprotect();
 return madvise (p, 1, 2);'
expect '' os/a.c 'p = mmap(NULL, 1, 2, 3, -1, 0);'
expect '' base/a.c 'syscall(SYS_futex, &word, 0, 0);'
expect '1: syscall() outside of src/os' base/a.c 'syscall(SYS_mmap, 0);'

faults=$(faults_in "$abs_top_srcdir")
if [ -n "$faults" ]; then
	printf 'FAIL: %s\n' "$faults"
	failed=1
fi
[ $failed = 0 ]
