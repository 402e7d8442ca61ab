# SPDX-License-Identifier: MIT
# Random sequences against a naive model. SLABUDDY_SEED repeats a run, SLABUDDY_SCALE lengthens it.
test_programs += tests/model/model_test
tests_model_model_test_SOURCES = \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/model_test.c \
	tests/model/rng.h \
	tests/model/world.c \
	tests/model/world.h
tests_model_model_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
