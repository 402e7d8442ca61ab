#!/bin/bash
# SPDX-License-Identifier: MIT
# Every source file is named in a local.mk. Whatever is not builds in a clone, but is in no release.
set -u

folders='bench doc include src tests'

# unnamed_in TREE: the sources of TREE that none of its lists names.
unnamed_in() {
	local named
	# shellcheck disable=SC2086 # a list of words
	named=$(cd "$1" && find $folders -name local.mk -exec cat {} + | tr -s '\\ \t' '\n' | sort -u)
	# shellcheck disable=SC2086
	(cd "$1" && find $folders -name '*.[ch]' -o -name '*.cc') | sort |
		comm -23 - <(printf '%s\n' "$named")
}

dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

# shellcheck disable=SC2086
(cd "$dir" && mkdir $folders src/a && touch src/a/named.c src/a/named.h src/a/left.h &&
	printf 'x_SOURCES += \\\n\tsrc/a/named.c \\\n\tsrc/a/named.h\n' >src/a/local.mk)
failed=0
if [ "$(unnamed_in "$dir")" != src/a/left.h ]; then
	echo "FAIL: of src/a/left.h the rule says: $(unnamed_in "$dir")"
	failed=1
fi

unnamed=$(unnamed_in "$abs_top_srcdir")
if [ -n "$unnamed" ]; then
	printf 'FAIL: in no local.mk: %s\n' "$unnamed"
	failed=1
fi
[ $failed = 0 ]
