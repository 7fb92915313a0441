// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bpf/ipctap.skel.h"
#include "collector/features.h"
#include "collector/join.h"
#include "collector/procfs.h"
#include "collector/sleepers.h"
#include "collector/src_bpf_counts.h"
#include "collector/src_bpf_load.h"
#include "collector/src_bpf_ripc.h"
#include "collector/src_bpf_types.h"
#include "lib/abi/raw.h"
#include "lib/base/clock.h"
#include "lib/base/slurp.h"

#define DEFAULT_LOOK_MS 200
#define COUNTERS_MS 100
#define TIME_MS 1000
/* Both ends of a new connection are told within this; only then is one held to be missing. */
#define PEERS_AFTER_MS 100
#define PEERS_EVERY_MS 1000
/* A record may be stamped before its place in the ring is reserved: a little, and as long as it took
 * a thread to get a CPU that had been given its message, or a place for it, while it slept. */
#define STAMP_SLACK_NS (20 * NS_PER_MS)
/* Probes do not wake the reader (it costs three times all else): it looks this often by itself. */
#define DRAIN_MS 5
#define DRAIN_IDLE_MS 50

struct src_bpf {
	struct source source;
	struct ipctap_bpf *skel;
	struct ring_buffer *ring;
	struct bpf_link *inflight;
	struct src_bpf_ripc *ripc;
	struct src_bpf_counts *counts;
	struct join *join;
	struct sleepers *sleepers;
	struct sink into_sleepers; /* the joiner's end: hands on to sleepers, which hands on to out */
	struct sink into_out;
	struct sink *out;       /* the sink of the poll under way */
	int sink_err;           /* first error of a sink inside a ring callback */
	uint64_t drained;       /* records */
	int64_t drain_left;     /* bytes to go until this drain ends */
	uint64_t look_ns, next_look_ns, next_count_ns, next_time_ns, next_peers_ns;
	bool adopted;
	bool detached;
	bool held;
	int idle_ms;
	struct feed_opts opts;
};

/* ---- the ring ---- */

/*
 * A drain ends after as much as the ring holds, however fast the probes fill it: what was in it when
 * the drain began is then out, and whatever is to be done between drains (forgetting what is over,
 * for one) does not wait until there is a lull. A sink's error does not end it, which would be to
 * lose the rest; the first one is kept for poll to return.
 */
static int on_record(void *ctx, void *data, size_t size)
{
	struct src_bpf *b = ctx;
	const struct ev_hdr *h = data;
	b->drain_left -= (int64_t)size + BPF_RINGBUF_HDR_SZ;
	int done = b->drain_left <= 0 ? -ECANCELED : 0;
	if (size < sizeof(*h) || h->size > size)
		return done;
	b->drained++;
	src_bpf_ripc_note(b->ripc, h);
	int err = sink_event(join_sink(b->join), h);
	if (err && err != -EINVAL && !b->sink_err)
		b->sink_err = err;
	return done;
}

static int to_out(struct sink *self, const struct ev_hdr *h)
{
	struct src_bpf *b = (struct src_bpf *)((char *)self - offsetof(struct src_bpf, into_out));
	return b->out ? sink_event(b->out, h) : 0;
}

static int to_sleepers(struct sink *self, const struct ev_hdr *h)
{
	struct src_bpf *b = (struct src_bpf *)((char *)self - offsetof(struct src_bpf, into_sleepers));
	return sink_event(sleepers_sink(b->sleepers), h);
}

/* The joiner has forgotten an object: should it turn up again, it is to be described again. */
static void forget(void *arg, uint64_t obj)
{
	struct src_bpf *b = arg;
	bpf_map_delete_elem(bpf_map__fd(b->skel->maps.described), &obj);
}

/* ---- iterators ---- */

/* Everything an iterator program writes; *len bytes, the caller frees. NULL with errno on failure. */
static char *iter_read(struct bpf_link *link, size_t *len)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return NULL;

	char *buf = slurp_fd(fd, len);
	int err = errno;
	close(fd);
	errno = err;
	return buf;
}

/* Runs an iterator for its effects alone. */
static int iter_run(struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	size_t len;
	if (!link)
		return -errno;
	char *buf = iter_read(link, &len);
	int err = buf ? 0 : -errno;
	free(buf);
	bpf_link__destroy(link);
	return err;
}

/* An open that sleeps: of a FIFO whose other end nobody has opened, or of something else, on a disk. */
static bool is_fifo_open(struct src_bpf *b, struct raw_inflight *r, uint64_t now)
{
	char path[EV_PATH_LEN];
	if (procfs_is_fetching(r->pid, r->tid) || procfs_read_string(r->pid, r->path, path, sizeof(path)))
		return false;
	r->obj = join_fifo(b->join, r->pid, r->fd, path, now);
	r->fd = -1;
	return r->obj != 0;
}

static int look(struct src_bpf *b, uint64_t now)
{
	size_t len = 0, n = 0;
	char *buf = iter_read(b->inflight, &len);
	if (!buf)
		return 0;
	struct raw_inflight *list = (struct raw_inflight *)buf;
	for (size_t i = 0; i < len / sizeof(*list); i++)
		if (!list[i].path || is_fifo_open(b, &list[i], now))
			list[n++] = list[i];
	src_bpf_ripc_waiting(b->ripc, list, n);
	int err = sleepers_look(b->sleepers, b->join, list, n, now);
	free(buf);
	return err;
}

/*
 * Takes in what already runs. The probes are live before this, so a child forked meanwhile is
 * either found here or told by its parent's fork. A held command has nothing of its own yet: what
 * its table holds at exec is told then.
 */
static int adopt(struct src_bpf *b)
{
	b->skel->bss->adopt_calls = !b->held;
	int err = iter_run(b->skel->progs.adopt_tasks);
	if (!err && !b->held)
		err = iter_run(b->skel->progs.adopt_files);
	if (!err && !b->held)
		err = iter_run(b->skel->progs.adopt_maps);
	return err;
}

/* Tasks that could not be given room for their state when they were forked: they are by now. */
static int adopt_refused(struct src_bpf *b)
{
	int err = src_bpf_counts_tell_refused(b->counts, b->out);
	if (err <= 0 || b->detached)
		return err < 0 ? err : 0;
	b->skel->bss->adopt_calls = true;
	err = iter_run(b->skel->progs.adopt_tasks);
	return err ? err : iter_run(b->skel->progs.adopt_files);
}

/* ---- the source ---- */

/* Waits for the ring's wakeup (it is filling up) or for the next drain to be due. */
static void wait_for_records(struct src_bpf *b, int timeout_ms)
{
	int ms = b->idle_ms < timeout_ms ? b->idle_ms : timeout_ms;
	struct epoll_event ev;
	if (ms > 0)
		epoll_wait(ring_buffer__epoll_fd(b->ring), &ev, 1, ms);
}

/*
 * Who outside the scope holds the other ends: a look at every descriptor of the host (3 µs each), so
 * only when something is missing, and not often.
 */
static int look_for_peers(struct src_bpf *b, uint64_t now)
{
	if (!join_lonely(b->join)) {
		if (b->next_peers_ns < now + PEERS_AFTER_MS * NS_PER_MS)
			b->next_peers_ns = now + PEERS_AFTER_MS * NS_PER_MS;
		return 0;
	}
	if (now < b->next_peers_ns)
		return 0;
	b->next_peers_ns = now + PEERS_EVERY_MS * NS_PER_MS;
	int err = join_forget_lonely(b->join);
	return err ? err : iter_run(b->skel->progs.peer_files);
}

static int tell_time(struct src_bpf *b, uint64_t now)
{
	struct ev_hdr e = { .t_ns = now, .type = EV_TIME, .size = sizeof(e) };
	b->next_time_ns = now + TIME_MS * NS_PER_MS;
	return sink_event(b->out, &e);
}

static int periodic(struct src_bpf *b, uint64_t now)
{
	int err = b->detached ? 0 : look_for_peers(b, now);
	if (!b->detached)
		src_bpf_ripc_look(b->ripc, now);
	if (!err && (now >= b->next_time_ns || b->detached))
		err = tell_time(b, now);
	if (!err && now >= b->next_look_ns && !b->detached) {
		err = look(b, now);
		b->next_look_ns = now + b->look_ns;
	}
	if (!err && (now >= b->next_count_ns || b->detached)) {
		err = src_bpf_counts_tell(b->counts, b->join, b->out);
		if (!err)
			err = adopt_refused(b);
		b->next_count_ns = now + COUNTERS_MS * NS_PER_MS;
	}
	return err;
}

static int bpf_poll(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns)
{
	struct src_bpf *b = (struct src_bpf *)self;
	b->out = out;
	if (!b->adopted) {
		b->adopted = true;
		int err = adopt(b);
		if (err)
			return err;
	}
	if (!b->detached)
		wait_for_records(b, timeout_ms);
	uint64_t now = clock_now_ns(), before = b->drained;
	do {
		b->drain_left = (int64_t)bpf_map__max_entries(b->skel->maps.ring);
	} while (ring_buffer__consume(b->ring) < 0 && b->detached); /* then it is the last one */
	b->idle_ms = b->drained != before ? DRAIN_MS
					  : b->idle_ms < DRAIN_IDLE_MS ? b->idle_ms * 2 : DRAIN_IDLE_MS;
	int err = b->sink_err ? b->sink_err : join_trim(b->join);
	if (!err)
		err = periodic(b, now);
	if (!err && b->detached)
		err = src_bpf_counts_tell_compat(b->counts, out);
	*complete_ns = b->detached ? UINT64_MAX : now - STAMP_SLACK_NS;
	return err ? err : !b->detached;
}

static void bpf_free(struct source *self)
{
	struct src_bpf *b = (struct src_bpf *)self;
	src_bpf_ripc_free(b->ripc);
	ring_buffer__free(b->ring);
	bpf_link__destroy(b->inflight);
	ipctap_bpf__destroy(b->skel);
	join_free(b->join);
	sleepers_free(b->sleepers);
	src_bpf_counts_free(b->counts);
	free(b);
}

struct source *src_bpf_source(struct src_bpf *b) { return &b->source; }

void src_bpf_detach(struct src_bpf *b)
{
	if (b->detached)
		return;
	if (join_lonely(b->join)) /* a short run: there was no time to look */
		iter_run(b->skel->progs.peer_files);
	src_bpf_ripc_detach(b->ripc);
	ipctap_bpf__detach(b->skel);
	b->detached = true;
}

/* ---- opening ---- */

static int open_all(struct src_bpf *b, pid_t held, struct fail *fail)
{
	b->into_sleepers.event = to_sleepers;
	b->into_out.event = to_out;
	b->sleepers = sleepers_new(&b->into_out);
	b->join = join_new(&b->into_sleepers);
	if (!b->sleepers || !b->join)
		return fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	join_set_idle(b->join, &(struct join_idle){ .max = b->opts.keep_idle ? b->opts.keep_idle : JOIN_IDLE_MAX,
						    .forget = forget, .arg = b });
	int err = src_bpf_load(&b->skel, &b->opts, held, fail);
	if (err)
		return err;
	b->inflight = bpf_program__attach_iter(b->skel->progs.inflight, NULL);
	if (!b->inflight)
		return src_bpf_load_failed(errno, fail);
	b->ring = ring_buffer__new(bpf_map__fd(b->skel->maps.ring), on_record, b, NULL);
	if (!b->ring)
		return src_bpf_load_failed(errno, fail);
	b->counts = src_bpf_counts_new(b->skel);
	b->ripc = src_bpf_ripc_new(b->skel, &b->opts.scope);
	return b->counts && b->ripc ? 0 : fail_set(fail, ENOMEM, NULL, "cannot start tracing");
}

int src_bpf_open(struct src_bpf **out, const struct feed_opts *opts, pid_t held, struct fail *fail)
{
	if (!features_host_pids())
		return no_host_pids(fail);
	struct src_bpf *b = calloc(1, sizeof(*b));
	if (!b)
		return fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	b->source = (struct source){ .name = "bpf", .poll = bpf_poll, .free = bpf_free };
	b->opts = *opts;
	b->held = held != 0;
	b->look_ns = (opts->wait_look_ms ? opts->wait_look_ms : DEFAULT_LOOK_MS) * NS_PER_MS;
	b->idle_ms = DRAIN_MS;
	int err = open_all(b, held, fail);
	if (err) {
		bpf_free(&b->source);
		return err;
	}
	src_bpf_drop_capabilities();
	*out = b;
	return 0;
}
