/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of which read got which write: one channel, number 1, and what flowed through it. */
#ifndef IPCTAP_TESTS_MATCH_STORY_H
#define IPCTAP_TESTS_MATCH_STORY_H

#include "model_story.h"

enum { A = 100, B = 200, C = 300, D = 400 }; /* processes */

static inline struct model *with_chan(uint16_t kind, uint16_t shape, uint8_t duplex)
{
	struct model *m = model_new();
	assert_int_equal(model_apply(m, &make_chan(1, kind, shape, duplex)->hdr), 0);
	return m;
}

static inline struct model *with_pipe(void) { return with_chan(KIND_PIPE, SHAPE_STREAM, 0); }

/* The flow between two pids, 0 being "?"; NULL when none is listed. */
static inline const struct m_flow *flow(const struct model *m, uint32_t src, uint32_t dst)
{
	const struct m_flow *found = NULL;
	for (const struct m_flow *f = model_flows(m); f; f = f->next)
		if ((f->src ? f->src->pid : 0) == src && (f->dst ? f->dst->pid : 0) == dst) {
			assert_null(found); /* listed once */
			found = f;
		}
	return found;
}

static inline void assert_flow(const struct model *m, uint32_t src, uint32_t dst, uint64_t messages,
			uint64_t bytes)
{
	const struct m_flow *f = flow(m, src, dst);
	assert_non_null(f);
	assert_int_equal(f->messages, messages);
	assert_int_equal(f->bytes, bytes);
}

static inline int count_flows(const struct model *m)
{
	int n = 0;
	for (const struct m_flow *f = model_flows(m); f; f = f->next)
		n++;
	return n;
}

static inline uint64_t unread(const struct model *m) { return model_chan(m, 1)->unread_bytes; }

#endif
