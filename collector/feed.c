// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/both.h"
#include "collector/features.h"
#include "collector/launch.h"
#include "collector/procfs.h"
#include "collector/src_shim.h"
#include "lib/store/store.h"
#include "lib/stream/order.h"
#ifndef IPCTAP_NO_BPF
#include "collector/src_bpf.h"
#endif

/* Within one long drain the queue is let go of every so many events, so that it stays small. */
#define RELEASE_EVERY 8192
#define RELEASE_SLACK_NS 5000000ull

struct feed {
	struct sink in; /* what the source delivers to: counts, then the queue */
	struct source *source;
	struct order *order;
	struct fanout out;
	struct launch launch;
	char *const *argv;
	int *pidfds; /* of -p: readable when that process is gone */
	int npids;
	bool live, stopped, ended;
	uint64_t since_release, newest_ns;
	struct shim_folder folder; /* until the shim source has taken it */
	struct src_shim *shim;
#ifndef IPCTAP_NO_BPF
	struct src_bpf *bpf;
#endif
};

static int feed_in(struct sink *self, const struct ev_hdr *h)
{
	struct feed *f = (struct feed *)self;
	if (!f->live) /* a trace is in order already */
		return sink_event(&f->out.sink, h);
	int err = sink_event(order_sink(f->order), h);
	if (h->t_ns > f->newest_ns)
		f->newest_ns = h->t_ns;
	if (err || ++f->since_release < RELEASE_EVERY)
		return err;
	f->since_release = 0;
	return order_release(f->order, f->newest_ns - RELEASE_SLACK_NS);
}

static struct feed *feed_new(void)
{
	struct feed *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->in.event = feed_in;
	f->launch.go_fd = f->launch.err_fd = f->folder.fd = -1;
	fanout_init(&f->out);
	f->order = order_new(&f->out.sink);
	if (!f->order) {
		free(f);
		return NULL;
	}
	return f;
}

/* ---- opening ---- */

/* Before Linux 6.15 the kernel says of a thread that it is EINVAL, since then ENOENT. */
static int cannot_watch(pid_t pid, int err, struct fail *fail)
{
	uint32_t process = procfs_process((uint32_t)pid);
	char remedy[64];
	if (!process || process == (uint32_t)pid)
		return fail_set(fail, err, "see `ps -e` for the processes there are", "cannot trace pid %d", pid);
	snprintf(remedy, sizeof(remedy), "name the process: -p %u", process);
	fail_set(fail, 0, remedy, "cannot trace pid %d: it is a thread of process %u", pid, process);
	return -EINVAL;
}

static int watch_pids(struct feed *f, const struct scope *scope, struct fail *fail)
{
	f->pidfds = calloc((size_t)scope->npids + 1, sizeof(int));
	if (!f->pidfds)
		return fail_set(fail, ENOMEM, NULL, "cannot watch the processes");
	for (; f->npids < scope->npids; f->npids++) {
		pid_t pid = scope->pids[f->npids];
		if (pid == getpid())
			return fail_set(fail, EINVAL, "name another process", "ipctap does not trace itself (pid %d)", pid);
		f->pidfds[f->npids] = (int)syscall(SYS_pidfd_open, pid, 0);
		if (f->pidfds[f->npids] < 0)
			return cannot_watch(pid, errno, fail);
	}
	return 0;
}

/*
 * The probes where they are allowed; where not, the shim, if it can see what is asked for: else the
 * probes again, which will say what they miss.
 */
static enum feed_source choose(const struct feed_opts *opts)
{
	if (opts->source != SOURCE_AUTO)
		return opts->source;
	bool shim_can = opts->scope.argv || opts->scope.npids > 0;
	for (int i = 0; i < opts->scope.npids && shim_can; i++)
		shim_can = shim_folder_has((uint32_t)opts->scope.pids[i]);
	if (!shim_can || features_has_rights())
		return SOURCE_BPF;
	return strcmp(features_source(), "shim") == 0 ? SOURCE_SHIM : SOURCE_BPF;
}

/* The shim sees commands that were started with it, and what those start. */
static int open_folder(struct feed *f, const struct feed_opts *opts, struct fail *fail)
{
	struct shim_folder_opts o = {
		.data_bytes = opts->ring_bytes, .snap_bytes = opts->snap_bytes,
		.no_follow = opts->scope.no_follow,
	};
	if (f->argv)
		return shim_folder_make(&f->folder, &o, fail);
	if (!opts->scope.npids)
		return fail_set(fail, ENOTSUP, "name processes that run under the shim, or a command",
				"the shim sees no others than those started with it");
	for (int i = 1; i < opts->scope.npids; i++)
		if (!shim_folder_is_shared((uint32_t)opts->scope.pids[0], (uint32_t)opts->scope.pids[i]))
			return fail_set(fail, ENOTSUP, "name processes of one such command, or trace them one by one",
					"pids %d and %d were not started under the shim by the same command",
					opts->scope.pids[0], opts->scope.pids[i]);
	return shim_folder_take(&f->folder, (uint32_t)opts->scope.pids[0], &o, fail);
}

static int open_shim(struct feed *f, const struct feed_opts *opts, struct fail *fail)
{
	int err = src_shim_open(&f->shim, &f->folder, opts, f->launch.pid, fail);
	if (!err)
		f->source = src_shim_source(f->shim);
	return err;
}

static int open_source(struct feed *f, const struct feed_opts *opts, enum feed_source source, struct fail *fail)
{
	if (source == SOURCE_SHIM)
		return open_shim(f, opts, fail);
#ifdef IPCTAP_NO_BPF
	return fail_set(fail, ENOTSUP, "build it with `make BPF=1`, or use --source shim",
			"this ipctap was built without BPF");
#else
	int err = src_bpf_open(&f->bpf, opts, f->launch.pid, fail);
	if (err)
		return err;
	struct source *bpf = f->source = src_bpf_source(f->bpf), *both;
	if (source != SOURCE_BOTH)
		return 0;
	err = open_shim(f, opts, fail);
	both = err ? NULL : both_source(bpf, src_shim_source(f->shim));
	if (!both) {
		source_free(err ? NULL : f->source);
		f->source = bpf;
		return err ? err : fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	}
	f->source = both;
	return 0;
#endif
}

static void prepare_env(const void *arg) { shim_folder_env(arg); }

int feed_live(struct feed **out, const struct feed_opts *opts, struct fail *fail)
{
	struct feed *f = feed_new();
	if (!f)
		return fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	f->live = true;
	f->argv = opts->scope.argv;
	enum feed_source source = choose(opts);
	struct launch_prepare env = { .fn = prepare_env, .arg = &f->folder };
	int err = watch_pids(f, &opts->scope, fail);
	bool preloads = source == SOURCE_SHIM || source == SOURCE_BOTH;
	if (!err && preloads)
		err = open_folder(f, opts, fail);
	if (!err && f->argv)
		err = launch_start(&f->launch, f->argv, opts->command_quiet, preloads ? &env : NULL, fail);
	if (!err)
		err = open_source(f, opts, source, fail);
	if (err) {
		feed_free(f);
		return err;
	}
	*out = f;
	return 0;
}

int feed_trace(struct feed **out, struct trace *trace, struct fail *fail)
{
	struct feed *f = feed_new();
	if (!f)
		return fail_set(fail, ENOMEM, NULL, "cannot read the trace");
	int err = trace_source(trace, &f->source, fail);
	if (err) {
		feed_free(f);
		return err;
	}
	*out = f;
	return 0;
}

void feed_add(struct feed *f, struct sink *sink) { fanout_add(&f->out, sink); }

/* ---- running ---- */

static int pump_failed(int err, struct fail *fail)
{
	return fail && fail->err ? err : fail_set(fail, -err, NULL, "the stream of events broke");
}

static int pump_once(struct feed *f, int timeout_ms, struct fail *fail)
{
	uint64_t complete_ns = 0;
	int more = source_poll(f->source, &f->in, timeout_ms, &complete_ns);
	if (more < 0)
		return pump_failed(more, fail);
	f->since_release = 0;
	int err = order_release(f->order, complete_ns);
	return err ? pump_failed(err, fail) : more;
}

int feed_start(struct feed *f, struct fail *fail)
{
	if (!f->live)
		return 0;
	int err = pump_once(f, 0, fail); /* takes in what already runs */
	if (err < 0)
		return err;
	return f->argv ? launch_release(&f->launch, f->argv, fail) : 0;
}

/* Has everything that was to be traced ended? -a, --comm and --cgroup never do. */
static bool scope_ended(struct feed *f)
{
	if (f->argv)
		return launch_poll(&f->launch);
	for (int i = 0; i < f->npids; i++) {
		struct pollfd p = { .fd = f->pidfds[i], .events = POLLIN };
		if (poll(&p, 1, 0) != 1)
			return false;
	}
	return f->npids > 0;
}

int feed_pump(struct feed *f, int timeout_ms, struct fail *fail)
{
	if (f->ended)
		return 0;
	bool over = f->live && scope_ended(f); /* before the drain that is then the last needed */
	int more = pump_once(f, over ? 0 : timeout_ms, fail);
	if (more > 0 && over)
		more = 0;
	f->ended = more <= 0;
	return more;
}

int feed_stop(struct feed *f, bool end_command, struct fail *fail)
{
	int more = 0;
	if (f->live && !f->stopped) {
		f->stopped = true;
		if (f->shim)
			src_shim_detach(f->shim);
#ifndef IPCTAP_NO_BPF
		if (f->bpf)
			src_bpf_detach(f->bpf);
#endif
		more = pump_once(f, 0, fail);
	}
	if (end_command)
		launch_end(&f->launch);
	return more < 0 ? more : 0;
}

const char *feed_source_name(const struct feed *f) { return f->source->name; }
pid_t feed_command_pid(const struct feed *f) { return f->launch.pid; }
int feed_exit_status(const struct feed *f) { return f->launch.status; }

void feed_free(struct feed *f)
{
	if (!f)
		return;
	launch_close(&f->launch);
	source_free(f->source);
	shim_folder_release(&f->folder);
	order_free(f->order);
	for (int i = 0; i < f->npids; i++)
		close(f->pidfds[i]);
	free(f->pidfds);
	free(f);
}
