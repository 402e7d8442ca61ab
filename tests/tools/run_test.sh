#!/bin/bash
# SPDX-License-Identifier: MIT
# slabuddy run: the program must not notice, and three lines follow it.
set -u

tool=$abs_top_builddir/src/slabuddy
program=$abs_top_builddir/tests/tools/program
library=$abs_top_builddir/src/.libs/libslabuddy-malloc.so
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tmp"
export TMPDIR=$dir/tmp
unset SLABUDDY_LIBRARY SLABUDDY_OPTIONS LD_PRELOAD
cd "$dir" || exit 99

faults=0
fail() {
	printf 'FAIL: %s: %s\n' "$case" "$*"
	sed 's/^/    stdout: /' "$dir/out"
	sed 's/^/    stderr: /' "$dir/err"
	faults=$((faults + 1))
}

# try CASE COMMAND...: run it, keep out, err and status.
try() {
	case=$1
	shift
	timeout --foreground 60 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	echo "# $case"
}

status_is() {
	[ "$status" = "$1" ] || fail "exit status $status, not $1"
}

out_is() {
	[ "$(cat "$dir/out")" = "$1" ] || fail "stdout is not: $1"
}

# err_is REGEX...: stderr has exactly these lines.
err_is() {
	local regex nr=0
	for regex; do
		nr=$((nr + 1))
		sed -n "${nr}p" "$dir/err" | grep -Eqx -- "$regex" || fail "line $nr is not: $regex"
	done
	[ "$(wc -l <"$dir/err")" = $nr ] || fail "stderr has not $nr lines"
}

seconds='[0-9]+\.[0-9][0-9] s'
size='([0-9]+ B|[0-9]+\.[0-9] [KMGTPE]iB)'
ended() { # NAME HOW: a regex for the first line
	echo "slabuddy: .*$1: $2; $seconds wall, $seconds user, $seconds system"
}
memory="slabuddy: peak RSS $size; [0-9]+ minor and [0-9]+ major page faults"
heap="slabuddy: heap at exit: live $size in [0-9]+ objects \(large $size, huge $size\); \
cached $size; free in slabs $size; free pages $size dirty, $size clean; metadata $size"
no_heap='slabuddy: heap at exit: unknown:'
no_handlers="$no_heap the program ended without running its exit handlers"

# ---- how it ends --------------------------------------------------------------------------------

try 'exit status 0' "$tool" run "$program" exit 0
status_is 0
out_is ''
err_is "$(ended program 'exit status 0')" "$memory" "$heap"

try 'exit status 3' "$tool" run "$program" exit 3
status_is 3
err_is "$(ended program 'exit status 3')" "$memory" "$heap"

try '_exit' "$tool" run "$program" _exit 4
status_is 4
err_is "$(ended program 'exit status 4')" "$memory" "$no_handlers"

try 'a caller that ignores SIGCHLD' env --ignore-signal=CHLD "$tool" run "$program" exit 9
status_is 9
err_is "$(ended program 'exit status 9')" "$memory" "$heap"

ulimit -c unlimited 2>/dev/null
for sig in 'SEGV 11' 'KILL 9' 'TERM 15' 'PIPE 13'; do
	try "death by $sig" "$program" tell "$tool" run "$program" raise "${sig#* }"
	out_is "signal ${sig#* }"
	err_is "$(ended program "killed by SIG${sig% *}( \(core dumped\))?")" "$memory" \
		"$no_handlers"
done
try 'death by a signal without a name' "$program" tell "$tool" run "$program" raise 40
out_is 'signal 40'
err_is "$(ended program 'killed by signal 40')" "$memory" "$no_handlers"

# ---- what it is given and gives -----------------------------------------------------------------

try 'arguments' "$tool" run "$program" args 'a  b' '' '*' "it's" -- --help
out_is "[a  b][][*][it's][--][--help]"

try 'two dashes before the program' "$tool" run -- "$program" exit 5
status_is 5

case='stdin'
printf 'first\nlast' | "$tool" run cat >"$dir/out" 2>"$dir/err"
out_is "$(printf 'first\nlast')"

try "the program's own stderr" "$tool" run "$program" say 'its own line
'
err_is 'its own line' "$(ended program 'exit status 0')" "$memory" "$heap"

try 'memory is counted' "$tool" run "$program" hold 64
err_is "$(ended program 'exit status 0')" 'slabuddy: peak RSS 6[4-9]\.[0-9] MiB;.*' \
	"slabuddy: heap at exit: live 6[45]\.[0-9] MiB in .*"

try 'closed stdin, stdout and stderr' bash -c '"$@" <&- >&- 2>&-' - "$tool" run "$program" exit 6
status_is 6
err_is

# shellcheck disable=SC2016 # expanded in the program
try "the user's environment" env LD_PRELOAD="$library" SLABUDDY_OPTIONS='purge=off' \
	"$tool" run sh -c 'echo "$LD_PRELOAD $SLABUDDY_OPTIONS $$"; exec true'
grep -Eqx "$library:$library purge=off exit_report=$TMPDIR/slabuddy-[^ /]*/report exit_report_pid=([0-9]+) \1" \
	"$dir/out" || fail 'LD_PRELOAD or SLABUDDY_OPTIONS is not as it should be'
err_is "$(ended sh 'exit status 0')" "$memory" "$heap"

try 'only the program itself reports' "$tool" run bash -c "'$program' hold 64; exit 0"
grep -Eq 'heap at exit: live ([0-9]+ B|[0-9.]+ KiB|[0-9]\.[0-9] MiB) ' "$dir/err" ||
	fail "the heap is not bash's own"

# ---- what cannot be run, or not with the library ------------------------------------------------

try 'no such program' "$tool" run no-such-program
status_is 127
err_is 'slabuddy: cannot run no-such-program: No such file or directory'

try 'no such path' "$tool" run ./no-such-program
status_is 127
err_is 'slabuddy: cannot run \./no-such-program: No such file or directory'

echo 'echo script "$1"' >script
try 'not executable' "$tool" run ./script
status_is 126
err_is 'slabuddy: cannot run \./script: Permission denied'

try 'a directory' "$tool" run /
status_is 126
err_is 'slabuddy: cannot run /: Permission denied'

chmod +x script
try 'a script without #!' "$tool" run ./script x
out_is 'script x'
status_is 0

printf '#!%s args\n' "$program" >script2
chmod +x script2
try 'a script with #!' "$tool" run ./script2 y
out_is '[./script2][y]'
err_is "$(ended script2 'exit status 0')" "$memory" "$heap"

printf '#!/no/such/interpreter\n' >script3
chmod +x script3
try 'a script whose interpreter is missing' "$tool" run ./script3
status_is 127
err_is 'slabuddy: cannot run \./script3: No such file or directory'

echo 'int main(void) { return 7; }' >static.c
if ${CC:-cc} -static static.c -o static 2>/dev/null; then
	try 'a static program' "$tool" run ./static
	status_is 7
	err_is "$(ended static 'exit status 7')" "$memory" \
		"$no_heap statically linked programs cannot be preloaded; it used its own malloc"
fi

if [ "$(id -u)" = 0 ] && cp "$program" setuid && chown nobody setuid && chmod 4755 setuid; then
	try 'a set-user-ID program' "$tool" run ./setuid exit 8
	status_is 8
	err_is "$(ended setuid 'exit status 8')" "$memory" \
		"$no_heap set-user-ID programs and the like cannot be preloaded; it used its own malloc"
fi

# ---- where things are ---------------------------------------------------------------------------

case='the temporary directory'
[ -z "$(ls "$TMPDIR")" ] || fail "left in \$TMPDIR: $(ls "$TMPDIR")"

mkdir 'with blank'
cp "$library" 'with blank/lib:x.so'
try 'a library whose path has a blank and a colon' \
	env SLABUDDY_LIBRARY="with blank/lib:x.so" "$tool" run "$program" exit 0
err_is "$(ended program 'exit status 0')" "$memory" "$heap"

try 'a TMPDIR with a blank' env TMPDIR="$dir/with blank" "$tool" run "$program" exit 0
err_is "$(ended program 'exit status 0')" "$memory" "$heap"

try 'a TMPDIR that does not exist' env TMPDIR=/no/such/dir "$tool" run "$program" exit 0
err_is "$(ended program 'exit status 0')" "$memory" "$heap"

try 'a library that does not exist' env SLABUDDY_LIBRARY=/no/such.so "$tool" run "$program" exit 0
status_is 125
err_is 'slabuddy: SLABUDDY_LIBRARY=/no/such\.so: No such file or directory'

# ---- signals ------------------------------------------------------------------------------------

for sig in HUP TERM USR1 USR2; do
	case="SIG$sig is sent on"
	: >"$dir/out" # here, since the redirection below may come after the first look
	"$tool" run "$program" await >"$dir/out" 2>"$dir/err" </dev/null &
	pid=$!
	for _ in $(seq 100); do
		grep -q ready "$dir/out" && break
		sleep 0.05
	done
	kill -$sig $pid
	wait $pid
	status=$?
	echo "# $case"
	status_is 0
	out_is "$(printf 'ready\nSIG%s' $sig)"
	err_is "$(ended program 'exit status 0')" "$memory" "$heap"
done

# ---- the command line ---------------------------------------------------------------------------

try 'no command' "$tool"
status_is 2
err_is 'slabuddy: no command given; .*'
try 'an unknown command' "$tool" walk
status_is 2
err_is 'slabuddy: unknown command walk; .*'
try 'run without a program' "$tool" run
status_is 2
err_is 'slabuddy: usage: .*'
try 'an unknown option' "$tool" run --fast "$program"
status_is 2
err_is 'slabuddy: run: unknown option --fast'
try 'the version' "$tool" --version
status_is 0
grep -Eqx 'slabuddy [0-9]+\.[0-9]+\.[0-9]+' "$dir/out" || fail 'no version'
try 'the help' "$tool" --help
status_is 0
grep -q ' run ' "$dir/out" || fail 'no command is listed'

[ $faults = 0 ]
