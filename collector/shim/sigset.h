/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCTAP_SHIM_SIGSET_H
#define IPCTAP_SHIM_SIGSET_H

#include <signal.h>
#include <stddef.h>

/* The only signal of a set; 0, which stands for any, when there are several. */
static inline int only_signal(const sigset_t *set)
{
	int only = 0;
	for (int sig = 1; set && sig < NSIG; sig++) {
		if (sigismember(set, sig) != 1)
			continue;
		if (only)
			return 0;
		only = sig;
	}
	return only;
}

#endif
