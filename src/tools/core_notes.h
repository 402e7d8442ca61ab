/* SPDX-License-Identifier: MIT */
/*
 * The notes of a core file: what it tells of besides memory.
 */
#ifndef SLABUDDY_TOOLS_CORE_NOTES_H
#define SLABUDDY_TOOLS_CORE_NOTES_H

#include "tools/core.h"

/* Take in the notes between two offsets in the file. What is damaged is left out. */
void core_notes_read(struct core *core, uint64_t offset, uint64_t bytes);

#endif
