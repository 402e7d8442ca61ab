# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For scripts that compile a program beside them and preload the library into it; to be sourced.
#
#	$here		the script's folder
#	$library	the library
#	$dir		an empty folder, which goes at the end
#	$failed		0; fail() makes it 1, and the script ends with it
# shellcheck disable=SC2034 # they are for who sources this
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 99
library=${SLABUDDY_LIBRARY:-${abs_top_builddir:-$PWD}/src/.libs/libslabuddy-malloc.so}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0

[ -f "$library" ] || { echo "no library at $library" >&2; exit 99; }

fail()
{
	echo "FAIL: $*"
	failed=1
}
