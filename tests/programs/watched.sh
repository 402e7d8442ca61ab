#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs while malloc's classes are watched (slab_debug): sound ones must not
# notice, and nothing may be reported of them; three mistakes must be reported,
# and the program goes on where that is possible.
#
# What a stack for each call costs (U) is paid by short work only.
. "$(dirname "$0")/lib.sh"
need perl /usr/bin/python3 gcc git awk
PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONMALLOC=malloc
export PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONMALLOC

SLABUDDY_OPTIONS=slab_debug=FZPU
export SLABUDDY_OPTIONS
# shellcheck disable=SC2016	# perl's variables
same 'perl, FZPU' perl -e 'my %h; for my $k (1 .. 5) { $h{$_} .= "x" x ($_ % 50) for 1 .. 2000 }
	print join(",", map { length $h{$_} } sort keys %h), "\n"'
same 'python, FZPU' /usr/bin/python3 -c 'import json
print(json.dumps({str(i): [i] * (i % 20) for i in range(2000)}, indent=1))'
same 'git, FZPU' sh -c 'git init -q -b main r && cd r && echo text >file && git add file &&
	git ls-files -s && git write-tree && git fsck --full && cd .. && rm -rf r'
echo 'int f(int *p, int n) { int s = 0; while (n--) s += p[n] * n; return s; }' >"$dir/small.c"
same 'gcc, FZPU' gcc -O2 -g -c "$dir/small.c" -o small.o

SLABUDDY_OPTIONS=slab_debug=FZP
same 'python with threads and fork, FZP' /usr/bin/python3 "$here/python-work.py"
awk -f "$here/heavy-c.awk" -v functions=10 >"$dir/heavy.c"
same 'gcc, FZP' gcc -O2 -g -c "$dir/heavy.c" -o heavy.o

# mistake NAME STATUS: its report, on stdin what must be said: the lines that say
# what it was and what became of it, each address as PTR.
mistake()
{
	cat >"$dir/expected"
	# In a shell of its own, which says nothing when the program is killed.
	(
		under library "$dir/faulty" "$1" 2>"$dir/report" >"$dir/out"
		echo $? >"$dir/status"
	) 2>/dev/null
	sed -n 's/0x[0-9a-f]\{8,\}/PTR/g
		/^BUG \|First byte\|^FIX \|^slabuddy: /p' "$dir/report" >"$dir/said"
	[ "$(cat "$dir/status")" -eq "$2" ] ||
		fault "$1: exit status $(cat "$dir/status") instead of $2"
	if ! cmp -s "$dir/expected" "$dir/said"; then
		fault "$1: another report"
		diff -u "$dir/expected" "$dir/said"
	fi
	# who allocated it: the program, not the library
	[ "$2" -ne 0 ] || [ ! -s "$dir/expected" ] ||
		grep -q '^Allocated in .*\[faulty.*\] age=' "$dir/report" || fault "$1: no track"
	echo "$name: $1: $(wc -l <"$dir/report") lines"
}

${CC:-cc} -O1 -fno-builtin -o "$dir/faulty" "$here/faulty.c" || exit 99
SLABUDDY_OPTIONS='slab_debug=FZPU,kmalloc-1*'
mistake none 0 </dev/null
mistake overflow 0 <<'END'
BUG kmalloc-112 (Not tainted): kmalloc Redzone overwritten
PTR-PTR @offset=116. First byte 0x78 instead of 0xcc
FIX kmalloc-112: Restoring kmalloc Redzone PTR-PTR=0xcc
FIX kmalloc-112: Object at PTR not freed
END
mistake 'use after free' 0 <<'END'
BUG kmalloc-112 (Not tainted): Poison overwritten
PTR-PTR @offset=26. First byte 0x78 instead of 0x6b
FIX kmalloc-112: Restoring Poison PTR-PTR=0x6b
FIX kmalloc-112: Marking all objects used
END
mistake 'double free' 134 <<'END'
BUG kmalloc-112 (Not tainted): Object already free
FIX kmalloc-112: Object at PTR not freed
slabuddy: free(): double free of PTR (cache kmalloc-112)
END
# Caches that nobody names are not watched.
SLABUDDY_OPTIONS=slab_debug=FZPU,kmalloc-96
mistake overflow 0 </dev/null
finish
