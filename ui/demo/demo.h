/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ipctap demo`: reference workloads, small programs that talk and wait in known ways.
 *
 *     ipctap demo                                list them (--json: as an array)
 *     ipctap demo NAME [-d SEC] [-r RATE]        run one for SEC seconds (3), RATE messages a
 *                                                second from every sender (200)
 *     ipctap demo NAME -c COUNT                  COUNT messages from every sender, as fast as they
 * go
 *
 * A run ends with a line on standard output for each kind of channel: `kind=pipe sent=N bytes=N`,
 * the messages and bytes that were sent and received; semaphores say `ops=N`. The counts are
 * exact, so that tests can hold a trace against them.
 */
#ifndef IPCTAP_UI_DEMO_DEMO_H
#define IPCTAP_UI_DEMO_DEMO_H

/* argv[0] is "demo". Returns the exit status: 0, 1 when a workload failed, 2 usage. */
int demo_main(int argc, char **argv);

#endif
