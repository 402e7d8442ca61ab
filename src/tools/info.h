/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_INFO_H
#define SLABUDDY_TOOLS_INFO_H

/* slabuddy info [--json] [--interval SECONDS] PID|CORE */
int info_main(int argc, char **argv);

#endif
