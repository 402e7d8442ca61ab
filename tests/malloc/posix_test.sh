# SPDX-License-Identifier: MIT
# Run the program posix with the library preloaded. Then the audit at exit must find no fault.
set -eu

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

status=0
LD_PRELOAD=$abs_top_builddir/src/.libs/libslabuddy-malloc.so SLABUDDY_OPTIONS=audit=exit \
	"$abs_top_builddir/tests/malloc/posix" 2>"$out/stderr" || status=$?
cat "$out/stderr" >&2
if [ $status -ne 0 ]; then
	exit 1
fi
# the program itself and each child that ended by exit()
if ! grep -q '^slabuddy: audit: 0 faults$' "$out/stderr"; then
	echo "no audit at exit" >&2
	exit 1
fi
if grep '^slabuddy: ' "$out/stderr" | grep -v '^slabuddy: audit: 0 faults$' >&2; then
	echo "the library complained" >&2
	exit 1
fi
