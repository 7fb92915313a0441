/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beside a recording: notices waits that became long, and then asks the kernel once who could end
 * them. The latest answer goes into the trace, so that deadlock and why can read it from there; and
 * one for each change of the deadlocks found, so that replay can show them at their time.
 */
#ifndef IPCTAP_UI_CLI_LONGWAITS_H
#define IPCTAP_UI_CLI_LONGWAITS_H

#include "collector/snap.h"
#include "lib/model/model.h"
#include "lib/store/store.h"

/* Answers to keep, with the text of a graph each; what is beyond is counted. */
#define LONGWAITS_FOUND_MAX 200
#define LONGWAITS_FOUND_BYTES ((size_t)32 << 20)

struct longwaits {
	struct snap *snap; /* NULL: not opened yet, or not to be had */
	bool cannot;
	uint64_t next_ns;  /* not before */
	uint64_t key;      /* of the waits that the text is about */
	char *text;        /* NULL: no wait has become long */
	char *tids;        /* of the waits, "12,13" */
	struct waitgraph *graph;
	uint64_t t_ns;
	uint64_t kept_ns;  /* when it was last put into the unfinished trace; 0: never */
	bool unkept;       /* there is a newer one than that */

	uint64_t found_key; /* of the deadlocks in the latest of: */
	struct trace_waitgraph *found;
	size_t nfound, nfound_kept; /* kept: of those, in the trace */
	size_t found_bytes;
	uint64_t found_left_out;
};

/*
 * To be called often; does something when a wait has become long, and at most twice a second. What it
 * has seen goes into the trace that is being recorded at `path` at once, and then at most every five
 * seconds, so that it is there when the recorder is killed; without the rows of `holder`, for which
 * an unfinished trace has no index.
 */
void longwaits_look(struct longwaits *l, const struct model *m, const char *path);
/* Adds what was seen, if anything, to the finished trace. */
int longwaits_store(const struct longwaits *l, const char *path, struct fail *fail);
void longwaits_release(struct longwaits *l);

#endif
