/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to lib/model/keyframe*.c: a keyframe while it is being made or read. Objects have numbers
 * in the order in which they are written, and refer to one another by number + 1; 0 is nobody.
 */
#ifndef IPCTAP_MODEL_KEYFRAME_CODE_H
#define IPCTAP_MODEL_KEYFRAME_CODE_H

#include "codec.h"
#include "world.h"

/* Where the fields of each kind of object begin (codec.h). */
enum keyframe_lane {
	LANE_TOTALS = 0,
	LANE_PROC = 32,
	LANE_TASK = 64,
	LANE_CHAN = 80,
	LANE_CHAN_INNER = 104,
	LANE_CHAN_LATENCY = 112,
	LANE_CHAN_SIZES = 120,
	LANE_ENDPOINT = 128,
	LANE_FAR_ENDS = 144,
	LANE_TYPE = 156,
	LANE_QUEUE = 160,
	LANE_RING = 184,
	LANE_PIECE = 188,
	LANE_HELD = 196,
	LANE_FLOW = 200,
	LANE_FLOW_LATENCY = 208,
	LANE_BLOCKED = 216,
	LANE_WAIT = 224,
	LANE_LOSS = 232,
	LANE_LISTED = 236,
};

struct keyframe {
	struct codec codec;
	struct model *m; /* saving: only the numbers of its objects are changed */
	uint64_t nprocs, ntasks, nchans, nendpoints, nflows, nblocked;
	/* loading: those made so far, by number */
	struct proc **procs;
	struct task **tasks;
	struct chan **chans;
	struct endpoint **endpoints;
	struct flow **flows;
	struct blocked **blocked;
	uint64_t tasks_made, endpoints_made;
};

/* code_TYPE_ref(k, &pointer): NULL is a valid one. */
#define KEYFRAME_REF(type, table, count)                                                           \
	static inline void code_##type##_ref(struct keyframe *k, struct type **at)                 \
	{                                                                                          \
		uint64_t n = !k->codec.loading && *at ? (uint64_t)(*at)->number + 1 : 0;           \
		code_near(&k->codec, &n);                                                        \
		if (!k->codec.loading)                                                             \
			return;                                                                    \
		if (n > k->count || (n && !k->table[n - 1])) {                                     \
			codec_bad(&k->codec);                                                      \
			n = 0;                                                                     \
		}                                                                                  \
		*at = n ? k->table[n - 1] : NULL;                                                  \
	}

/* calloc(3), and an error where there is none. */
void *keyframe_alloc(struct keyframe *k, size_t size);
void keyframe_code_hist(struct codec *c, struct hist *h, enum keyframe_lane lane);
void keyframe_code_procs(struct keyframe *k);
void keyframe_code_chans(struct keyframe *k); /* with their ends and what lies in them */
void keyframe_code_held(struct keyframe *k);  /* what each process holds, in order; after both */
void keyframe_code_flows(struct keyframe *k);
void keyframe_code_sleeps(struct keyframe *k); /* with the waits that are open */

#endif
