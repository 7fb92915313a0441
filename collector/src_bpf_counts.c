// SPDX-License-Identifier: GPL-2.0-or-later
#include "collector/src_bpf_counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>

#include "bpf/ipctap.skel.h"
#include "lib/abi/raw.h"
#include "lib/base/clock.h"

struct src_bpf_counts {
	struct ipctap_bpf *skel;
	uint64_t told[RAW_COUNT_MAX];
	uint64_t *compat_told, *uring_told; /* by number of the call, of the request */
	int ncpus;
};

static int tell_lost(struct sink *out, uint32_t cause, uint32_t where, uint64_t count)
{
	struct ev_lost e = {
		.hdr = { .t_ns = clock_now_ns(), .type = EV_LOST, .size = sizeof(e) },
		.count = count, .cause = cause, .where = where,
	};
	return sink_event(out, &e.hdr);
}

static uint64_t percpu_sum(const struct src_bpf_counts *c, const struct bpf_map *map, uint32_t key)
{
	uint64_t values[c->ncpus], sum = 0;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, values))
		return 0;
	for (int i = 0; i < c->ncpus; i++)
		sum += values[i];
	return sum;
}

/* How many more there are of it than were told; those are taken as told. */
static uint64_t fresh_of(struct src_bpf_counts *c, uint32_t counter)
{
	uint64_t sum = percpu_sum(c, c->skel->maps.counters, counter);
	uint64_t fresh = sum - c->told[counter];
	c->told[counter] = sum;
	return fresh;
}

/* One row for each number of a map that counts by number. */
static int tell_by_number(struct src_bpf_counts *c, const struct bpf_map *map, uint64_t *told, uint32_t cause,
			  struct sink *out)
{
	for (uint32_t nr = 0; nr < bpf_map__max_entries(map); nr++) {
		uint64_t sum = percpu_sum(c, map, nr);
		uint64_t fresh = sum - told[nr];
		told[nr] = sum;
		int err = fresh ? tell_lost(out, cause, nr, fresh) : 0;
		if (err)
			return err;
	}
	return 0;
}

int src_bpf_counts_tell(struct src_bpf_counts *c, struct join *join, struct sink *out)
{
	uint64_t ops = fresh_of(c, RAW_COUNT_LOST_OP), ctl;
	int err = ops ? tell_lost(out, LOST_RING_OP, 0, ops) : 0;
	if (err)
		return err;
	ctl = fresh_of(c, RAW_COUNT_LOST_CTL);
	if (ctl)
		join_sweep(join);
	err = ctl ? tell_lost(out, LOST_RING_CTL, 0, ctl) : 0;
	if (err || !fresh_of(c, RAW_COUNT_URING))
		return err;
	return tell_by_number(c, c->skel->maps.uring_unknown, c->uring_told, LOST_URING, out);
}

int src_bpf_counts_tell_refused(struct src_bpf_counts *c, struct sink *out)
{
	uint64_t fresh = fresh_of(c, RAW_COUNT_NO_STORAGE);
	int err = fresh ? tell_lost(out, LOST_NO_STORAGE, 0, fresh) : 0;
	return err ? err : fresh > 0;
}

int src_bpf_counts_tell_compat(struct src_bpf_counts *c, struct sink *out)
{
	return tell_by_number(c, c->skel->maps.compat_calls, c->compat_told, LOST_COMPAT32, out);
}

struct src_bpf_counts *src_bpf_counts_new(struct ipctap_bpf *skel)
{
	struct src_bpf_counts *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->skel = skel;
	c->ncpus = libbpf_num_possible_cpus();
	c->compat_told = calloc(bpf_map__max_entries(skel->maps.compat_calls), sizeof(uint64_t));
	c->uring_told = calloc(bpf_map__max_entries(skel->maps.uring_unknown), sizeof(uint64_t));
	if (c->ncpus > 0 && c->compat_told && c->uring_told)
		return c;
	src_bpf_counts_free(c);
	return NULL;
}

void src_bpf_counts_free(struct src_bpf_counts *c)
{
	if (!c)
		return;
	free(c->compat_told);
	free(c->uring_told);
	free(c);
}
