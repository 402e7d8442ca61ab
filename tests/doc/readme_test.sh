#!/bin/bash
# SPDX-License-Identifier: MIT
# The program in README.md, as it stands there: compiled by the command that stands there, with no warning,
# it does what it says and leaves nothing behind. And what README.md links to is there.
set -u

# shellcheck disable=SC2154 # from the test environment
source=$abs_top_srcdir build=$abs_top_builddir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C
export PKG_CONFIG_PATH=$build
export LD_LIBRARY_PATH=$build/src/.libs
unset LD_PRELOAD
cd "$dir" || exit 99

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

awk '/^```c$/ { in_it = 1; next } /^```$/ { in_it = 0 } in_it' "$source/README.md" >session.c
[ "$(grep -c '^int main' session.c)" = 1 ] || fail 'no program in README.md, or two'
command=$(sed -n 's/^    cc session\.c /session.c /p' "$source/README.md")
[ "$(wc -l <<<"$command")" = 1 ] || fail "no command for it: $command"
command=${command/pkg-config/${PKG_CONFIG:-pkg-config}}
# shellcheck disable=SC2086 # what stands in the file is for a shell
eval "${CC:-cc} -Wall -Wextra -Wpedantic -Werror $command" || fail 'it does not compile'

SLABUDDY_OPTIONS=audit=exit ./session >out 2>err || fail "exit status $?"
[ "$(cat err)" = 'slabuddy: audit: 0 faults' ] || fail "on stderr: $(cat err)"
grep -Eqx 'session of nobody, 32 KiB at 0x[0-9a-f]+' out || fail "it says: $(head -n 1 out)"
grep -Eq '^session +1 +[0-9]+ +64 ' out || fail "slabinfo: $(grep session out)"

# A session that is left is listed.
sed '/kmem_cache_free/d' session.c >leak.c
eval "${CC:-cc} ${command//session/leak}" || fail 'it does not compile without the free'
./leak >/dev/null 2>err
grep -qF 'slabuddy: BUG session: Objects remaining' err || fail "the leak is not seen: $(cat err)"

for file in README.md doc/contributing.md doc/design.md doc/memory.md doc/performance.md doc/examples/README.md; do
	grep -o '](\([^)#:]*\))' "$source/$file" | sed 's/](\(.*\))/\1/' | while read -r link; do
		[ -e "$source/$(dirname "$file")/$link" ] || echo "$file: $link"
	done
done >dead
[ ! -s dead ] || fail "dead links: $(cat dead)"

[ $faults = 0 ]
