// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_bpf_ripc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/ipctap.skel.h"
#include "bpf/ripc.skel.h"
#include "collector/ripc_files.h"
#include "collector/src_bpf_types.h"
#include "lib/base/clock.h"

#define FILES_MAX 64	/* attached to; a library that is replaced every minute would never end */
#define QUEUE_MAX 1024	/* processes to be looked at: what is more is looked at when it next turns up */
#define WAITING_MAX 4096
#define UPROBE_MULTI ((enum bpf_attach_type)48) /* BPF_TRACE_UPROBE_MULTI */
/* When the dynamic linker has mapped what a program needs; and when a slow one has. */
static const uint64_t looks_ns[] = {0, 20 * NS_PER_MS, 300 * NS_PER_MS};
#define LOOKS (sizeof(looks_ns) / sizeof(looks_ns[0]))

struct candidate {
	uint64_t since_ns;
	uint32_t pid, looks;
};

struct src_bpf_ripc {
	struct ipctap_bpf *main;
	struct ripc_bpf *skel; /* NULL: no file has turned up yet */
	struct ripc_files *files;
	struct bpf_link *waiting;
	bool has_multi;
	bool failed; /* refused: nothing is told of libripc */
	uint32_t nsites; /* in the map of them, of all files */
	int multi[FILES_MAX]; /* one link for each file … */
	size_t nmulti;
	struct bpf_link **single; /* … or, before v6.6, one for each site */
	size_t nsingle;
	struct candidate queue[QUEUE_MAX];
	size_t nqueued;
};

/* ---- loading ---- */

/* The maps of state.bpf.h are the main object's. */
static int share_maps(struct src_bpf_ripc *r)
{
	struct {
		struct bpf_map *ours, *theirs;
	} pairs[] = {
		{ r->skel->maps.threads, r->main->maps.threads },
		{ r->skel->maps.described, r->main->maps.described },
		{ r->skel->maps.ring, r->main->maps.ring },
		{ r->skel->maps.counters, r->main->maps.counters },
		{ r->skel->maps.scope_pids, r->main->maps.scope_pids },
		{ r->skel->maps.compat_calls, r->main->maps.compat_calls },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		int err = bpf_map__reuse_fd(pairs[i].ours, bpf_map__fd(pairs[i].theirs));
		if (err)
			return err;
	}
	return 0;
}

/*
 * A program is loaded for links of many places (v6.6: 89ae89f53d20), or for those of one.
 */
static int open_and_load(struct src_bpf_ripc *r, bool multi)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = KERNEL_TYPES);
	r->skel = ripc_bpf__open_opts(&opts);
	if (!r->skel)
		return -errno;
	r->skel->rodata->ring_wake_bytes = r->main->rodata->ring_wake_bytes;
	if (multi)
		bpf_program__set_expected_attach_type(r->skel->progs.on_probe, UPROBE_MULTI);
	int err = share_maps(r);
	if (!err)
		err = ripc_bpf__load(r->skel);
	if (err) {
		ripc_bpf__destroy(r->skel);
		r->skel = NULL;
	}
	return err;
}

/* linux/bpf.h: union bpf_attr, link_create, as of v6.6 */
struct link_create {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid, pad;
};

/* The link's descriptor, or -errno. */
static int link_multi(struct src_bpf_ripc *r, const char *path, const uint64_t *offsets, const uint64_t *cookies,
		      size_t n)
{
	struct link_create c = {
		.prog_fd = (uint32_t)bpf_program__fd(r->skel->progs.on_probe),
		.attach_type = UPROBE_MULTI,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.cookies = (uint64_t)(uintptr_t)cookies,
		.count = (uint32_t)n,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &c, sizeof(c));
	return fd < 0 ? -errno : fd;
}

/*
 * Some kernels refuse to load the program for links that they do not know; 6.1 loads it and knows only of the
 * link that it does not. One that does complains that a folder has no places.
 */
static bool load_multi(struct src_bpf_ripc *r)
{
	uint64_t none = 0;
	if (open_and_load(r, true))
		return false;
	if (link_multi(r, "/", &none, &none, 1) == -EBADF)
		return true;
	ripc_bpf__destroy(r->skel);
	r->skel = NULL;
	return false;
}

static int load(struct src_bpf_ripc *r)
{
	/* IPCTAP_HOOKS: see src_bpf_hooks.c */
	r->has_multi = !getenv("IPCTAP_HOOKS") && load_multi(r);
	int err = r->has_multi ? 0 : open_and_load(r, false);
	if (err)
		return err;
	r->waiting = bpf_program__attach_iter(r->skel->progs.ripc_waiting, NULL);
	return r->waiting ? 0 : -errno;
}

/* ---- attaching ---- */

static uint32_t probe_number(const char *name)
{
	static const char *const names[] = {
		[RAW_RIPC_OPEN] = "open",	    [RAW_RIPC_CLOSE] = "close",
		[RAW_RIPC_BEGIN] = "begin",	    [RAW_RIPC_SEND] = "send",
		[RAW_RIPC_RECEIVE] = "receive",	    [RAW_RIPC_ACQUIRE] = "acquire",
		[RAW_RIPC_RELEASE] = "release",	    [RAW_RIPC_WAIT_BEGIN] = "wait_begin",
		[RAW_RIPC_WAIT_END] = "wait_end",
	};
	for (uint32_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return 0;
}

/* Tells the probes where the arguments are. The number of the site, or -errno; 0 none of ours. */
static int note_site(struct src_bpf_ripc *r, const struct usdt_site *site)
{
	struct raw_usdt args = site->args;
	uint32_t number = r->nsites + 1;
	args.probe = probe_number(site->name);
	if (!args.probe)
		return 0;
	if (number >= bpf_map__max_entries(r->skel->maps.ripc_sites))
		return -ENOSPC;
	if (bpf_map_update_elem(bpf_map__fd(r->skel->maps.ripc_sites), &number, &args, BPF_ANY))
		return -errno;
	r->nsites = number;
	return (int)number;
}

static void attach_multi(struct src_bpf_ripc *r, const char *path, const uint64_t *offsets,
			 const uint64_t *cookies, size_t n)
{
	int fd = link_multi(r, path, offsets, cookies, n);
	if (fd >= 0)
		r->multi[r->nmulti++] = fd;
}

static void attach_each(struct src_bpf_ripc *r, const char *path, const uint64_t *offsets,
			const uint64_t *cookies, size_t n)
{
	struct bpf_link **grown = realloc(r->single, (r->nsingle + n) * sizeof(struct bpf_link *));
	if (!grown)
		return;
	r->single = grown;
	for (size_t i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookies[i]);
		struct bpf_link *l = bpf_program__attach_uprobe_opts(r->skel->progs.on_probe, -1, path,
								     offsets[i], &opts);
		if (l)
			r->single[r->nsingle++] = l;
	}
}

static void attach(void *arg, const char *path, const struct usdt_site *sites, size_t nsites)
{
	struct src_bpf_ripc *r = arg;
	uint64_t *offsets = calloc(nsites, sizeof(*offsets)), *cookies = calloc(nsites, sizeof(*cookies));
	size_t n = 0;
	if (!r->skel && !r->failed)
		r->failed = load(r) != 0;
	for (size_t i = 0; i < nsites && offsets && cookies && !r->failed; i++) {
		int number = note_site(r, &sites[i]);
		if (number <= 0)
			continue;
		offsets[n] = sites[i].offset;
		cookies[n++] = (uint64_t)number;
	}
	if (n && !r->has_multi)
		attach_each(r, path, offsets, cookies, n);
	else if (n && r->nmulti < FILES_MAX)
		attach_multi(r, path, offsets, cookies, n);
	free(offsets);
	free(cookies);
}

struct src_bpf_ripc *src_bpf_ripc_new(struct ipctap_bpf *skel, const struct scope *scope)
{
	struct src_bpf_ripc *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->main = skel;
	r->files = ripc_files_new(attach, r);
	if (!r->files) {
		free(r);
		return NULL;
	}
	for (int i = 0; i < scope->npids; i++)
		ripc_files_process(r->files, scope->pids[i], true);
	ripc_files_likely(r->files, scope->argv);
	return r;
}

/*
 * A kernel that has a link for each site takes its time over each, some seconds in all. Nobody has
 * to wait for that: a process of nobody's keeps them open until what is returned is closed, and they
 * go with it.
 */
static int leave_behind(void)
{
	int gone[2];
	if (pipe2(gone, O_CLOEXEC))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		if (fork() != 0)
			_exit(0);
		close(gone[1]);
		while (read(gone[0], &c, 1) < 0 && errno == EINTR)
			;
		for (int fd = 0; fd < 3; fd++) /* a pipeline behind us is not to wait for it */
			close(fd);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(gone[0]);
	return gone[1];
}

void src_bpf_ripc_detach(struct src_bpf_ripc *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nmulti; i++)
		close(r->multi[i]);
	r->nmulti = 0;
	int behind = r->nsingle ? leave_behind() : -1;
	for (size_t i = 0; i < r->nsingle; i++)
		bpf_link__destroy(r->single[i]);
	r->nsingle = 0;
	if (behind >= 0)
		close(behind); /* now they are its alone */
}

void src_bpf_ripc_free(struct src_bpf_ripc *r)
{
	if (!r)
		return;
	src_bpf_ripc_detach(r);
	free(r->single);
	bpf_link__destroy(r->waiting);
	ripc_bpf__destroy(r->skel);
	ripc_files_free(r->files);
	free(r);
}

/* ---- what runs ---- */

void src_bpf_ripc_note(struct src_bpf_ripc *r, const struct ev_hdr *h)
{
	if (h->type != EV_TASK || h->size < sizeof(struct ev_task))
		return;
	const struct ev_task *t = (const struct ev_task *)h;
	if (t->pid != t->tid || (t->what != TASK_SEEN && t->what != TASK_EXEC) ||
	    (h->flags & TASK_F_OUTSIDE) || r->nqueued == QUEUE_MAX)
		return;
	r->queue[r->nqueued++] = (struct candidate){ h->t_ns, t->pid, 0 };
}

void src_bpf_ripc_look(struct src_bpf_ripc *r, uint64_t now_ns)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->nqueued; i++) {
		struct candidate c = r->queue[i];
		if (now_ns >= c.since_ns + looks_ns[c.looks]) {
			ripc_files_process(r->files, (pid_t)c.pid, c.looks > 0);
			c.looks++;
		}
		if (c.looks < LOOKS)
			r->queue[kept++] = c;
	}
	r->nqueued = kept;
}

/* ---- who waits ---- */

static int by_tid(const void *a, const void *b)
{
	uint32_t x = ((const struct raw_inflight *)a)->tid, y = ((const struct raw_inflight *)b)->tid;
	return x < y ? -1 : x > y;
}

void src_bpf_ripc_waiting(struct src_bpf_ripc *r, struct raw_inflight *list, size_t n)
{
	if (!r->skel || !r->waiting || !n)
		return;
	size_t room = WAITING_MAX * sizeof(*list), len = 0;
	struct raw_inflight *waits = malloc(room);
	int fd = waits ? bpf_iter_create(bpf_link__fd(r->waiting)) : -1;
	ssize_t got = 1;
	while (fd >= 0 && got && len < room) {
		got = read(fd, (char *)waits + len, room - len);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			break;
		len += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	size_t nwaits = len / sizeof(*waits);
	if (nwaits)
		qsort(waits, nwaits, sizeof(*waits), by_tid);
	for (size_t i = 0; i < n && nwaits; i++) {
		const struct raw_inflight *w = bsearch(&list[i], waits, nwaits, sizeof(*waits), by_tid);
		/* awake in between, and asleep in something else: the library does not do that */
		if (w && (list[i].op == OP_FUTEX || list[i].op == OP_FUTEX_WAITV))
			list[i] = *w;
	}
	free(waits);
}
