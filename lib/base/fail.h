/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a library says why it failed: it fills a struct fail and returns the negative errno. It
 * never prints and never exits; the command line prints the one line, with the remedy.
 */
#ifndef IPCTAP_BASE_FAIL_H
#define IPCTAP_BASE_FAIL_H

struct fail {
	int err;          /* positive errno; 0: nothing failed */
	char what[256];   /* "cannot open trace 'x.db': Permission denied" */
	char remedy[256]; /* "run as root, or …"; may be empty */
};

/*
 * Fills *f (which may be NULL) and returns -err, so that a caller can `return fail_set(…)`.
 * `remedy` may be NULL. The errno text is appended to `what` when err is not 0.
 */
int fail_set(struct fail *f, int err, const char *remedy, const char *what_fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
