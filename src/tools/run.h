/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_RUN_H
#define SLABUDDY_TOOLS_RUN_H

/* "slabuddy run": @argv[0] is "run". Return: exit status. */
int run_main(int argc, char **argv);

#endif
