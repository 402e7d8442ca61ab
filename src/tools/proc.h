/* SPDX-License-Identifier: MIT */
/*
 * Another process's heap in the formats of the kernel's files.
 */
#ifndef SLABUDDY_TOOLS_PROC_H
#define SLABUDDY_TOOLS_PROC_H

/* slabuddy slabinfo, buddyinfo, pagetypeinfo, extfrag_index or unusable_index PID|CORE */
int slabinfo_main(int argc, char **argv);
int buddyinfo_main(int argc, char **argv);
int pagetypeinfo_main(int argc, char **argv);
int extfrag_index_main(int argc, char **argv);
int unusable_index_main(int argc, char **argv);

#endif
