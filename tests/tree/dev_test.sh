#!/bin/bash
# SPDX-License-Identifier: MIT
# ./dev, in a made-up project whose build takes no time: when it builds, what it shows, what it
# says about packages, how it counts.
set -u

# shellcheck disable=SC2154 # from the test environment
source=$abs_top_srcdir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$dir" || exit 99

# Nothing is to be installed: every package but those in ./missing is there, and sudo refuses.
mkdir bin
cat >bin/dpkg-query <<'END'
#!/bin/bash
grep -qx -- "${!#}" "$DEV_TEST/missing" && exit 1
printf installed
END
printf '#!/bin/sh\nexit 1\n' >bin/sudo
printf '#!/bin/sh\necho 1000\n' >bin/id
printf '#!/bin/sh\nexit 0\n' >bin/pkg-config
cp bin/pkg-config bin/clang
chmod +x bin/*
: >missing
export DEV_TEST=$dir
PATH=$dir/bin:$PATH

mkdir -p 'the project'/{src,include,m4,build-aux,tests,bench,doc}
cd 'the project' || exit 99
cp "$source/dev" dev
touch src/code.c build-aux/static-library.sh configure.ac Makefile.am tests/local.mk bench/local.mk \
	doc/local.mk
cat >bootstrap <<'END'
#!/bin/sh
cd "$(dirname "$0")" || exit
echo bootstrap >>"$DEV_TEST/done"
cat >configure <<'INNER'
#!/bin/sh
echo "configure $*" >>"$DEV_TEST/done"
cp ../project.mk Makefile
INNER
chmod +x configure
END
cat >project.mk <<'END'
all:
	@echo make >>"$(DEV_TEST)/done"
	@echo "a line of the log"
	@cat >/dev/null
	@mkdir -p src
	@printf '#!/bin/bash\nprintf "[%%s]" "$$@"; cat; exit 5\n' >src/slabuddy
	@chmod +x src/slabuddy
	@! grep broken ../src/code.c
clean:
source_scripts = sources
program_scripts = programs
check:
	@echo check $(source_scripts) $(program_scripts) >>"$(DEV_TEST)/done"
	@mkdir -p t
	@printf ':test-result: PASS\n' >t/script.trs
	@printf 'fine\n' >t/script.log
	@printf ':test-result: PASS\n' >t/unit.trs
	@printf 'seed 5\n100%%: Checks: 12, Failures: 0, Errors: 0\n' >t/unit.log
	@printf ':test-result: SKIP\n' >t/none.trs
	@touch t/none.log
	@if grep failing ../src/code.c; then \
		printf ':test-result: FAIL\n' >t/bad.trs; \
		printf '66%%: Checks: 6, Failures: 1, Errors: 1\nwhat is wrong\n' >t/bad.log; \
		printf ':test-result: FAIL\n' >t/crash.trs; \
		printf 'a crash\n' >t/crash.log; exit 1; fi
END
chmod +x bootstrap

faults=0
fail() {
	echo "FAIL: $case: $*"
	sed 's/^/    stdout: /' "$dir/out"
	sed 's/^/    stderr: /' "$dir/err"
	faults=$((faults + 1))
}

# try CASE STATUS COMMAND...: with "input" on stdin; keeps out, err and what was done.
try() {
	case=$1
	local wanted=$2 status
	shift 2
	echo "# $case"
	: >"$dir/done"
	echo input | "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ "$status" = "$wanted" ] || fail "exit status $status, not $wanted"
}

done_is() {
	[ "$(tr '\n' ' ' <"$dir/done")" = "$1" ] || fail "done: $(tr '\n' ' ' <"$dir/done"), not $1"
}

out_is() {
	[ "$(cat "$dir/out")" = "$1" ] || fail "stdout is not: $1"
}

err_has() {
	grep -qF -- "$1" "$dir/err" || fail "stderr has not: $1"
}

# Files have coarse times: a change must be later than the build.
change() {
	sleep 0.05
	echo "$1" >src/code.c
}

# ---- run ----------------------------------------------------------------------------------------

try 'the first run' 5 ./dev run a 'b  c' ''
done_is 'bootstrap configure --disable-tests make '
out_is '[run][a][b  c][]input'
err_has 'dev: compiling build'
! grep -q 'a line of the log' "$dir/err" || fail 'the log is shown'
grep -q 'a line of the log' build/dev.log || fail 'the log is not kept'

try 'the second run' 5 ./dev run a
done_is ''
[ ! -s "$dir/err" ] || fail 'it is not quiet'

try 'a run from elsewhere, through a link' 5 env -C / "$dir/the project/dev" run a
done_is ''
ln -s 'the project/dev' "$dir/link"
(cd / && try 'a link' 5 "$dir/link" run a; exit "$faults") || faults=$((faults + 1))

change changed
try 'a changed source' 5 ./dev run a
done_is 'make '

change broken
try 'a source that does not compile' 1 ./dev run a
err_has 'broken'
err_has 'build/dev.log'
try 'the same again' 1 ./dev run a
change changed

# ---- packages -----------------------------------------------------------------------------------

echo automake >"$dir/missing"
try 'a missing package, but its commands are there' 5 ./dev run a
err_has 'missing packages; as root: apt-get install automake'
change changed
mkdir "$dir/few"
for command in bash sh find grep sed tr cat mkdir flock; do
	ln -s "$(command -v $command)" "$dir/few"
done
cp "$dir"/bin/{dpkg-query,sudo,id} "$dir/few"
try 'a missing package and missing commands' 3 env PATH="$dir/few" ./dev run a
err_has 'missing packages; as root: apt-get install automake'
err_has 'dev: cannot build without gcc make autoreconf libtoolize'
done_is ''
: >"$dir/missing"

# ---- test ---------------------------------------------------------------------------------------

# five builds, four of them with 12 + 1 tests
try 'tests that pass' 0 ./dev test
[ "$(tail -n 1 "$dir/out")" = '57 passed, 0 failed, 4 skipped' ] || fail 'wrong count'
# what does not depend on the build in one of them, programs not in that whose library they had there
[ "$(grep '^check' "$dir/done" | tr '\n' ' ')" = 'check sources programs check check programs check programs ' ] ||
	fail "run: $(grep '^check' "$dir/done")"
change failing
try 'tests that fail' 1 ./dev test
[ "$(tail -n 1 "$dir/out")" = '73 passed, 12 failed, 4 skipped' ] || fail 'wrong count'
err_has 'what is wrong'
err_has 'a crash'

# ---- the command line ---------------------------------------------------------------------------

try 'the help' 0 ./dev help
grep -q 'run PROGRAM' "$dir/out" || fail 'no help'
try 'an unknown command' 2 ./dev walk
err_has 'dev: unknown command walk'
try 'run without a program' 2 ./dev run
[ $faults = 0 ]
