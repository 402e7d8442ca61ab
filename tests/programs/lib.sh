# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Shared by the tests of real programs. A test sources this file and calls
#
#	need PROGRAM...			skip the test when one is missing
#	loaded PROGRAM ARGS...		PROGRAM's malloc must be the library's
#	same LABEL COMMAND ARGS...	COMMAND must not notice the library
#	finish				says how it went, sets the exit status
#
# `same` runs COMMAND without the library, with it, and, when
# SLABUDDY_DEBUG_LIBRARY names one, with its debug build, which audits the whole
# heap at exit: once with slots as they are by default, once with those of
# processors (percpu=on). Each run gets the same, empty current directory, and whatever
# the command leaves in it is compared too, with stdout, stderr and the exit
# status: what must not be compared, the command removes.
#
# Environment: SLABUDDY_LIBRARY, SLABUDDY_DEBUG_LIBRARY (optional),
# SLABUDDY_TIMEOUT (seconds a run, default 120), SLABUDDY_KEEP (when set, the
# temporary directory stays).

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 99
name=$(basename "$0" .sh)
library=${SLABUDDY_LIBRARY:-${abs_top_builddir:-$PWD}/src/.libs/libslabuddy-malloc.so}
debug_library=${SLABUDDY_DEBUG_LIBRARY:-}
timeout=${SLABUDDY_TIMEOUT:-120}
faults=0

for file in "$library" ${debug_library:+"$debug_library"}; do
	if [ ! -f "$file" ]; then
		echo "$name: no library at $file" >&2
		exit 99
	fi
	# The dynamic linker only warns about a preload that it cannot open.
	case $file in
	/*) ;;
	*)
		echo "$name: $file is not an absolute path" >&2
		exit 99
		;;
	esac
done

# One fixed place for every run, because programs print their paths.
dir=$(mktemp -d "${TMPDIR:-/tmp}/slabuddy-$name.XXXXXX") || exit 99
work=$dir/work
trap 'test -n "${SLABUDDY_KEEP:-}" || rm -rf "$dir"' EXIT
trap 'exit 99' HUP INT TERM

# The same world for everybody: no locale, no user's settings.
LC_ALL=C TZ=UTC HOME=$dir TMPDIR=$dir/tmp
export LC_ALL TZ HOME TMPDIR here
unset LD_PRELOAD
mkdir "$TMPDIR"

need()
{
	for program; do
		if ! command -v "$program" >/dev/null 2>&1; then
			echo "$name: SKIP: $program is not installed"
			exit 77
		fi
	done
}

fault()
{
	echo "$name: FAULT: $*"
	faults=$((faults + 1))
}

# audits OPTION COMMAND...: with the debug build.
audits()
{
	options="audit=exit $1 ${SLABUDDY_OPTIONS:-}"
	shift
	timeout -k 5 "$timeout" env LD_PRELOAD="$debug_library" SLABUDDY_OPTIONS="$options" "$@"
}

# under VARIANT COMMAND...: the only place where the variants differ.
under()
{
	variant=$1
	shift
	case $variant in
	plain) timeout -k 5 "$timeout" "$@" ;;
	library)
		timeout -k 5 "$timeout" env LD_PRELOAD="$library" "$@"
		;;
	debug) audits '' "$@" ;;
	percpu) audits percpu=on "$@" ;;
	esac
}

# Ask the dynamic linker whom PROGRAM gets the malloc family from. This sees
# what /proc/PID/maps does not: a library that is mapped, but passed over.
loaded()
{
	for variant in library ${debug_library:+debug}; do
		case $variant in
		library) want=$library ;;
		debug) want=$debug_library ;;
		esac
		rm -f "$dir"/bindings.*
		# No audit here: it has nothing to say about binding. All names are bound
		# at the start: later, threads would do it, and write into each other's lines.
		timeout -k 5 "$timeout" env LD_PRELOAD="$want" LD_BIND_NOW=1 LD_DEBUG=bindings \
			LD_DEBUG_OUTPUT="$dir/bindings" "$@" >/dev/null 2>&1 </dev/null
		cat "$dir"/bindings.* 2>/dev/null |
			awk -v want="$want" -f "$here/bindings.awk" >"$dir/said" ||
			fault "$1: $(cat "$dir/said")"
		rm -f "$dir"/bindings.*
	done
}

# Take the debug build's good news out of its stderr, and insist that there was
# some: a run without an audit proves nothing. An audit with faults stays, and
# so shows as a difference.
audited()
{
	err=$1
	# git passes on what its remote side writes, with blanks to clear the line.
	clean='^\(remote: \)\{0,1\}slabuddy: audit: 0 faults *$'
	case $debug_library in
	*slabuddy*)
		grep -q "$clean" "$err" || fault "$label: $variant: no audit at exit"
		;;
	esac
	sed -i "/$clean/d" "$err"
}

# Show where two texts part, briefly.
difference()
{
	if ! cmp -s "$2" "$3"; then
		fault "$label: $variant: $1 differs from the run without the library"
		diff -a -u "$2" "$3" | cut -c 1-200 | head -n 20 | cat -v
	fi
}

same()
{
	label=$1
	shift
	for variant in plain library ${debug_library:+debug percpu}; do
		at=$dir/$variant
		rm -rf "$work" "$at"
		mkdir "$work" "$at"
		began=$(date +%s)
		(
			# shellcheck disable=SC2030	# each run its own
			cd "$work" && under "$variant" "$@"
		) </dev/null >"$at/out" 2>"$at/err"
		echo $? >"$at/status"
		mv "$work" "$at/left"
		echo "$name: $label: $variant: exit status $(cat "$at/status")," \
			"$(($(date +%s) - began)) s, stdout $(wc -c <"$at/out") bytes"
		if [ "$variant" = plain ]; then
			# A test whose yardstick is broken tests nothing.
			if [ "$(cat "$at/status")" != "${expected_status:-0}" ]; then
				fault "$label: fails without the library too"
				cut -c 1-200 "$at/err" | head -n 20
				return
			fi
			continue
		fi
		case $variant in
		debug | percpu) audited "$at/err" ;;
		esac
		for stream in status out err; do
			difference "$stream" "$dir/plain/$stream" "$at/$stream"
		done
		if ! diff -r "$dir/plain/left" "$at/left" >"$dir/diff" 2>&1; then
			fault "$label: $variant: leaves other files than without"
			cut -c 1-200 "$dir/diff" | head -n 20
		fi
	done
}

finish()
{
	if [ "$faults" -ne 0 ]; then
		echo "$name: $faults faults"
		exit 1
	fi
	echo "$name: alike with and without the library"
	exit 0
}
