/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to lib/model/keyframe*.c: a keyframe while it is being made or read. Objects have numbers
 * in the order in which they are written, and refer to one another by number + 1; 0 is nobody.
 */
#ifndef IPCTAP_MODEL_KEYFRAME_CODE_H
#define IPCTAP_MODEL_KEYFRAME_CODE_H

#include "codec.h"
#include "world.h"

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
		code_number(&k->codec, &n);                                                        \
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
void keyframe_code_hist(struct codec *c, struct hist *h);
void keyframe_code_procs(struct keyframe *k);
void keyframe_code_chans(struct keyframe *k); /* with their ends and what lies in them */
void keyframe_code_held(struct keyframe *k);  /* what each process holds, in order; after both */
void keyframe_code_flows(struct keyframe *k);
void keyframe_code_sleeps(struct keyframe *k); /* with the waits that are open */

#endif
