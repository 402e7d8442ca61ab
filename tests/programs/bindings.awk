# SPDX-License-Identifier: MIT
# Reads LD_DEBUG=bindings and fails unless the malloc family that was bound all
# comes from the library `want`, for somebody beside the C library. Lines read
#	PID: binding file A [0] to B [0]: normal symbol `malloc' [VERSION]
/binding file .*: normal symbol `(malloc|calloc|realloc|free)'/ {
	user = $4
	giver = $7
	symbol = $11
	bound[user, giver, symbol] = 1
	if (giver == want && user != want && user !~ /\/(libc\.so\.6|ld-linux[^\/]*)$/)
		taken = 1
}

END {
	for (key in bound) {
		split(key, part, SUBSEP)
		# A program at a fixed address lends its own PLT entry as the
		# address of the function: fine when that leads to the library.
		if (part[2] != want && !((part[2], want, part[3]) in bound)) {
			print part[3], "of", part[1], "comes from", part[2]
			exit 1
		}
	}
	if (!taken) {
		print "does not take malloc from", want
		exit 1
	}
}
