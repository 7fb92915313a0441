// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * accuracy TRACE TRUTH: replays a recorded run of tests/progs/truth.c through the model, and holds
 * what the model makes of every read against what the readers found in it (TRUTH is the program's
 * output). Prints one line of KEY=VALUE:
 *
 *     reads bytes     what the readers told; only_ipctap, only_truth: reads that one side alone has
 *     right           bytes of a read attributed to the writer they came from
 *     unknown         bytes attributed to nobody
 *     percent         100 × right / bytes, cut to two places
 *     exact           bytes on flows that are not marked approximate, and of these …
 *     exact_wrong     … those whose writer is not the right one
 *
 * Bytes of the last writer, the parent, count as right when they are attributed to it or to nobody:
 * those that lay in the channel before tracing began have no known sender.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/abi/event.h"
#include "lib/model/model.h"
#include "lib/store/store.h"
#include "lib/stream/stream.h"

#define WRITERS_MAX 16
#define READERS_MAX 8
#define NOBODY WRITERS_MAX

struct read {
	uint64_t end_ns; /* 0: not in the trace */
	uint32_t truth[WRITERS_MAX];
	uint32_t got[WRITERS_MAX + 1];
	uint32_t exact[WRITERS_MAX + 1];
};

struct reader {
	uint32_t pid;
	struct read *reads;
	size_t n, room, seen; /* told by the program; met in the trace */
};

struct job {
	struct sink sink;
	struct model *model;
	uint32_t writers[WRITERS_MAX];
	unsigned int nwriters;
	struct reader readers[READERS_MAX];
	unsigned int nreaders;
	uint64_t only_ipctap;
	struct model *final; /* set in the second pass: flows as they end */
};

static void die(const char *why)
{
	fprintf(stderr, "accuracy: %s\n", why);
	exit(2);
}

/* ---- the truth ---- */

static struct reader *reader_of(struct job *j, uint32_t pid)
{
	for (unsigned int i = 0; i < j->nreaders; i++)
		if (j->readers[i].pid == pid)
			return &j->readers[i];
	return NULL;
}

static void add_read(struct job *j, uint32_t pid, const char *counts)
{
	struct reader *r = reader_of(j, pid);
	if (!r && j->nreaders == READERS_MAX)
		die("too many readers");
	if (!r) {
		r = &j->readers[j->nreaders++];
		r->pid = pid;
	}
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 1024;
		r->reads = realloc(r->reads, r->room * sizeof(*r->reads));
		if (!r->reads)
			die("no memory");
	}
	struct read *read = &r->reads[r->n++];
	*read = (struct read){0};
	unsigned int writer, bytes;
	int used;
	while (sscanf(counts, " %u:%u%n", &writer, &bytes, &used) == 2 && writer < WRITERS_MAX) {
		read->truth[writer] = bytes;
		counts += used;
	}
}

static void load_truth(struct job *j, const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	if (!f)
		die("cannot read the truth");
	while (fgets(line, sizeof(line), f)) {
		uint32_t a, b;
		int used = 0;
		if (sscanf(line, "writer %u %u", &a, &b) == 2 && a < WRITERS_MAX) {
			j->writers[a] = b;
			j->nwriters = a + 1 > j->nwriters ? a + 1 : j->nwriters;
		} else if (sscanf(line, "read %u %u%n", &a, &b, &used) == 2) {
			add_read(j, a, line + used);
		}
	}
	fclose(f);
	if (!j->nwriters || !j->nreaders)
		die("there is no truth in it");
}

/* ---- the model's word ---- */

/* The n-th read of a reader in the trace is the n-th it told of. */
static void meet(struct job *j, const struct ev_io *io)
{
	uint32_t flags = io->hdr.flags;
	struct reader *r = reader_of(j, io->pid);
	if (!r || !(flags & IO_READ) || flags & (IO_ERROR | IO_PEEK) || !io->bytes || !io->chan)
		return;
	if (r->seen < r->n)
		r->reads[r->seen].end_ns = io->enter_ns + io->dur_ns;
	else
		j->only_ipctap++;
	r->seen++;
}

static int by_end(const void *key, const void *member)
{
	uint64_t end = *(const uint64_t *)key, other = ((const struct read *)member)->end_ns;
	return end < other ? -1 : end > other;
}

/* Is the flow, once everything was seen, marked approximate? */
static bool ends_exact(const struct job *j, const struct m_flow *flow)
{
	uint32_t src = flow->src ? flow->src->pid : 0;
	for (const struct m_flow *f = model_flows(j->final); f; f = f->next)
		if ((f->src ? f->src->pid : 0) == src && f->dst && f->dst->pid == flow->dst->pid &&
		    f->chan->id == flow->chan->id)
			return !f->approximate;
	return false;
}

static void witness(void *arg, const struct m_flow *flow, uint64_t read_end_ns, uint64_t bytes)
{
	struct job *j = arg;
	struct reader *r = reader_of(j, flow->dst->pid);
	size_t met = r ? (r->seen < r->n ? r->seen : r->n) : 0;
	struct read *read =
	    met ? bsearch(&read_end_ns, r->reads, met, sizeof(*r->reads), by_end) : NULL;
	if (!read)
		return;
	unsigned int w = NOBODY;
	for (unsigned int i = 0; flow->src && i < j->nwriters; i++)
		if (j->writers[i] == flow->src->pid)
			w = i;
	read->got[w] += (uint32_t)bytes;
	if (ends_exact(j, flow))
		read->exact[w] += (uint32_t)bytes;
}

static int on_event(struct sink *self, const struct ev_hdr *ev)
{
	struct job *j = (struct job *)self;
	if (j->final && ev->type == EV_IO)
		meet(j, (const struct ev_io *)ev);
	int err = model_apply(j->model, ev);
	return err == -EINVAL ? 0 : err;
}

static void replay(struct job *j, struct trace *t)
{
	struct source *source;
	struct fail fail = {0};
	uint64_t complete_ns;
	int more;
	j->model = model_new();
	if (!j->model || trace_source(t, &source, &fail))
		die("cannot replay the trace");
	if (j->final)
		model_set_witness(j->model, witness, j);
	while ((more = source_poll(source, &j->sink, 0, &complete_ns)) > 0)
		;
	if (more < 0)
		die("the replay broke");
	source_free(source);
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Bytes given to nobody, or to somebody who is none of the writers, or not spoken of. */
static uint32_t nobody_of(const struct job *j, const struct read *read)
{
	uint32_t truth = 0, got = 0;
	for (unsigned int w = 0; w < j->nwriters; w++) {
		truth += read->truth[w];
		got += read->got[w];
	}
	return truth > got ? truth - got : 0;
}

static void tell(const struct job *j)
{
	uint64_t reads = 0, only_truth = 0, bytes = 0, right = 0, unknown = 0, exact = 0, wrong = 0;
	unsigned int last = j->nwriters - 1;
	for (const struct reader *r = j->readers; r < j->readers + j->nreaders; r++) {
		reads += r->n;
		only_truth += r->n > r->seen ? r->n - r->seen : 0;
		for (const struct read *read = r->reads; read < r->reads + r->n; read++) {
			uint32_t nobodys = nobody_of(j, read);
			for (unsigned int w = 0; w < j->nwriters; w++) {
				uint32_t nobody = w == last ? nobodys : 0;
				bytes += read->truth[w];
				right += least(read->truth[w], read->got[w] + nobody);
				exact += read->exact[w];
				wrong += read->exact[w] - least(read->exact[w], read->truth[w]);
			}
			unknown += nobodys;
		}
	}
	uint64_t hundredths = bytes ? right * 10000 / bytes : 0;
	printf("reads=%" PRIu64 " bytes=%" PRIu64 " right=%" PRIu64 " unknown=%" PRIu64
	       " only_ipctap=%" PRIu64 " only_truth=%" PRIu64 " exact=%" PRIu64
	       " exact_wrong=%" PRIu64 " percent=%" PRIu64 ".%02" PRIu64 "\n",
	       reads, bytes, right, unknown, j->only_ipctap, only_truth, exact, wrong,
	       hundredths / 100, hundredths % 100);
}

int main(int argc, char **argv)
{
	static struct job j = {.sink.event = on_event};
	struct fail fail = {0};
	struct trace *t;
	if (argc != 3)
		die("usage: accuracy TRACE TRUTH");
	load_truth(&j, argv[2]);
	if (trace_open(&t, argv[1], &fail))
		die("cannot open the trace");
	replay(&j, t);
	j.final = j.model;
	replay(&j, t);
	tell(&j);
	model_free(j.model);
	model_free(j.final);
	trace_close(t);
	for (unsigned int i = 0; i < j.nreaders; i++)
		free(j.readers[i].reads);
	return 0;
}
