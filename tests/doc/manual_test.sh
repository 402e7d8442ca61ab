#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages: that mandoc and man have nothing to say about them, that each function of the headers is in
# one, and each option in slabuddy(7) and doc/tuning.md.
set -u

# shellcheck disable=SC2154 # from the test environment
source=$abs_top_srcdir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C
cd "$source" || exit 99
pages='doc/slabuddy.7 src/tools/slabuddy.1'
for page in src/api/*.3; do
	pages="$pages $page"
done

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

# names PAGE...: what they have in their NAME sections.
names() {
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([A-Za-z0-9_]*\).*/\1/p' "$@"
}

# ---- Every name of the interface has a page, and one only -----------------------------------------

# shellcheck disable=SC2086 # a list of words
names src/api/*.3 | sort >"$dir/documented"
uniq -d "$dir/documented" >"$dir/twice"
[ ! -s "$dir/twice" ] || fail "in two pages: $(tr '\n' ' ' <"$dir/twice")"

# Functions of the headers by their declarations, inline or not, and macros that take arguments. Left out is
# what they are made of: __kmem_cache_create_args() and the like, and names in capitals that are no function.
cat include/slabuddy/*.h | sed -n '
	s/^#define \([a-z_][a-z0-9_]*\)(.*/\1/p
	s/^\(static inline \)\{0,1\}[a-z][a-z_ ]*[ *]\**\([a-z_][a-z0-9_]*\)(.*/\2/p' | grep -vx void |
	grep -v '^\(__kmem_cache_.*\|slabuddy_kvfree_call_rcu\)$' | sort -u >"$dir/declared"
[ "$(wc -l <"$dir/declared")" -gt 100 ] || fail "only $(wc -l <"$dir/declared") functions in the headers?"
comm -23 "$dir/declared" "$dir/documented" >"$dir/missing"
[ ! -s "$dir/missing" ] || fail "not in any page: $(tr '\n' ' ' <"$dir/missing")"
comm -13 "$dir/declared" "$dir/documented" | grep -v '^KMEM_CACHE' >"$dir/gone"
[ ! -s "$dir/gone" ] || fail "documented, but not in any header: $(tr '\n' ' ' <"$dir/gone")"

# Each with what it takes.
for page in src/api/*.3; do
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$page" >"$dir/synopsis"
	for name in $(names "$page"); do
		grep -Eq "^\.(Fn|Fo) $name( |$)" "$dir/synopsis" || fail "$page: $name is not in the synopsis"
	done
done

# ---- Every option is told of -----------------------------------------------------------------------

options=$(sed -n 's/^\t{ "\([a-z_]*\)", OPTION_.*/\1/p' src/base/option.c)
[ "$(wc -w <<<"$options")" -ge 9 ] || fail "only these options in src/base/option.c: $options"
for option in $options; do
	grep -q "^\.It Ic .*\b$option\b" doc/slabuddy.7 || fail "slabuddy(7) has no $option"
	grep -q "\`$option\b" doc/tuning.md || fail "doc/tuning.md has no $option"
done

# ---- And everything that a watched cache may be told of ---------------------------------------------

sed -n -e 's/.*debug_report_\(bad_free\|slab\)(.*, "\([A-Z][^"]*\)").*/\2/p' src/slab/*.c >"$dir/faults"
sed -n 's/.*"\([A-Za-z ]*\(Redzone\|Poison\|adding\)\)".*/\1 overwritten/p' src/slab/debug_layout.c >>"$dir/faults"
[ "$(wc -l <"$dir/faults")" -ge 10 ] || fail "only these faults in src/slab: $(cat "$dir/faults")"
while read -r what; do
	grep -q "^\.It .*$what" doc/slabuddy.7 || fail "slabuddy(7) has no \"$what\""
done <"$dir/faults"

# ---- And every figure of slabuddy_vmstat() that is not the kernel's -----------------------------------

figures=$(sed -n 's/^\tITEM(\([a-z_0-9]*\)),$/\1/p' src/base/procfs.c
	sed -n 's/^\t\[LOCK_[A-Z]*\] = "\([a-z]*\)",$/lock_\1/p' src/base/lock.c)
[ "$(wc -w <<<"$figures")" -ge 60 ] || fail "only these figures: $figures"
kernels=' nr_free_pages nr_free_pages_blocks nr_mlock nr_slab_reclaimable nr_slab_unreclaimable nr_memmap_pages
	pgalloc_dma pgalloc_dma32 pgalloc_normal allocstall_dma allocstall_dma32 allocstall_normal pgfree slabs_scanned '
for figure in $figures; do
	[[ ${kernels//$'\n\t'/ } == *" $figure "* ]] ||
		grep -q "^\.It Li .*\b$figure\b" src/api/slabuddy_slabinfo.3 || fail "slabuddy_vmstat(3) has no $figure"
done

# ---- They render -----------------------------------------------------------------------------------

if ! command -v mandoc >/dev/null; then
	echo 'no mandoc'
	[ $faults = 0 ] && exit 77
	exit 1
fi
for page in $pages; do
	mandoc -T lint -W warning "$page" >"$dir/lint" 2>&1 || fail "$page: $(cat "$dir/lint")"
	[ ! -s "$dir/lint" ] || fail "$page: $(cat "$dir/lint")"
	if command -v man >/dev/null; then
		MANWIDTH=80 man --warnings -l "$page" >"$dir/text" 2>"$dir/err" || fail "man -l $page"
		[ ! -s "$dir/err" ] || fail "man -l $page: $(cat "$dir/err")"
	else
		mandoc "$page" >"$dir/text"
	fi
	[ "$(wc -l <"$dir/text")" -gt 40 ] || fail "$page: renders as $(wc -l <"$dir/text") lines"
done

[ $faults = 0 ]
