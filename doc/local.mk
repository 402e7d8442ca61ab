# SPDX-License-Identifier: MIT
EXTRA_DIST += doc/contributing.md doc/design.md doc/performance.md doc/performance.svg doc/tuning.md

EXTRA_DIST += \
	doc/examples/Makefile \
	doc/examples/README.md \
	doc/examples/buffers.c \
	doc/examples/inodes.c \
	doc/examples/pages.c \
	doc/examples/tree.c
