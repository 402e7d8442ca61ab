# SPDX-License-Identifier: MIT
EXTRA_DIST += doc/contributing.md doc/design.md doc/memory.md doc/performance.md doc/performance-means.svg doc/performance-results.svg doc/performance-scatter.svg doc/tuning.md

EXTRA_DIST += \
	doc/memory-classes.svg \
	doc/memory-growth.svg \
	doc/memory-large.svg \
	doc/memory-lifetimes.svg \
	doc/memory-node.svg \
	doc/memory-python3.svg \
	doc/memory-redis.svg \
	doc/memory-sleeping.svg \
	doc/memory-threads.svg \
	doc/examples/Makefile \
	doc/examples/README.md \
	doc/examples/buffers.c \
	doc/examples/defrag.c \
	doc/examples/driver.c \
	doc/examples/driver.h \
	doc/examples/driver_main.c \
	doc/examples/inodes.c \
	doc/examples/pages.c \
	doc/examples/tree.c

dist_man_MANS += doc/slabuddy.7 $(manual_pages)
EXTRA_DIST += build-aux/manual-links.sh

# One page serves many names. Its names are those in its NAME section.
manual_links = $(SHELL) $(top_srcdir)/build-aux/manual-links.sh
install-data-hook:
	$(AM_V_at)$(manual_links) install $(top_srcdir) '$(DESTDIR)$(man3dir)' $(manual_pages)
uninstall-hook:
	$(AM_V_at)$(manual_links) uninstall $(top_srcdir) '$(DESTDIR)$(man3dir)' $(manual_pages)
