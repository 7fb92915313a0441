// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The objects of libripc, by its static probes (lib/ripc/probes.h, which says what each tells). An
 * object of its own, loaded when a file that has the probes turns up: they are uprobes, which cost
 * every process that runs such a file a trap where the nop was, whether it is traced or not.
 *
 * What lies beneath an object, the futexes its users sleep on and the memory it is in, are channels
 * by themselves, told by system calls as any others. Of its sockets nothing is told here: they are
 * the kernel's.
 */
#include "state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define EOWNERDEAD 130
#define WORD(a, b, c, d, e) \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32)
#define WORD_TCP WORD('t', 'c', 'p', 0, 0)
#define WORD_UDP WORD('u', 'd', 'p', 0, 0)
#define WORD_NPIPE WORD('n', 'p', 'i', 'p', 'e')

/* A wait, with what its end puts back: a condition's has the calls of its critical section inside. */
struct ripc_wait {
	__u64 obj, since_ns, begin_ns, slept_ns;
};

/* The call a thread is in, from its begin. */
struct ripc_call {
	__u64 begin_ns; /* 0: none */
	__u64 slept_ns; /* in waits that are over */
	__u64 woken_ns; /* when the thread came out of the last of them */
	__u32 waker;
	__u32 depth; /* of wait[], those that go on */
	struct ripc_wait wait[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ripc_call);
} ripc_calls SEC(".maps");

/* Who has been told to have what. */
struct ripc_user {
	__u64 obj;
	__u32 pid, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ripc_user);
	__type(value, __u8);
} ripc_users SEC(".maps");

/* What the arguments of a probe say. */
struct seen {
	__u64 obj, word, id, now;
	__u64 pipe; /* of an instance of a named pipe: the pipe */
	__u64 name; /* in user memory */
	__u32 instance;
};

/* ---- what the collector is told ---- */

static __always_inline void describe_ripc(const struct seen *o, __u32 pid, __u32 flags)
{
	struct raw_object *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	__u32 told = flags & RAW_NEW ? DESCRIBED | DESCRIBED_EMPTY : DESCRIBED;
	if (!r) {
		count(RAW_COUNT_LOST_CTL);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->hdr.t_ns = o->now;
	r->hdr.type = RAW_OBJECT;
	r->hdr.size = sizeof(*r);
	r->hdr.flags = flags;
	r->obj = o->obj;
	r->ino = o->id;
	r->at = o->instance;
	r->pid = pid;
	r->fd = -1;
	r->kind = KIND_RIPC;
	__builtin_memcpy(r->laddr, &o->word, sizeof(o->word));
	bpf_probe_read_user_str(r->name, sizeof(r->name), (void *)o->name);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&described, &o->obj, &told, BPF_ANY);
}

static __always_inline void endpoint_ripc(const struct seen *o, __u32 pid, __u8 what, __u32 flags)
{
	struct ev_endpoint *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_CTL);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->hdr.t_ns = o->now;
	e->hdr.type = EV_ENDPOINT;
	e->hdr.size = sizeof(*e);
	e->hdr.flags = flags;
	e->chan = o->obj;
	e->pid = pid;
	e->fd = -1;
	e->what = what;
	e->dir = ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/*
 * A process that uses an object has it; of one that did before tracing began it is told now. Who
 * has a named pipe is told of the pipe, not of its instances.
 */
static __always_inline void use(const struct seen *o, __u32 pid, bool opens, __u32 flags)
{
	struct ripc_user user = { .obj = o->obj, .pid = pid };
	__u8 one = 1;
	if ((flags & RAW_NEW) || !bpf_map_lookup_elem(&described, &o->obj))
		describe_ripc(o, pid, flags & RAW_NEW);
	if (o->instance || (!opens && bpf_map_lookup_elem(&ripc_users, &user)))
		return;
	bpf_map_update_elem(&ripc_users, &user, &one, BPF_ANY);
	endpoint_ripc(o, pid, ENDPOINT_ATTACH, opens ? 0 : EV_SYNTHETIC);
}

struct told {
	__u64 t_ns; /* when it took effect; 0: now */
	__s64 ret, tag;
	__u64 bytes;
	__u32 flags;
	__u16 op, messages;
};

/* Ends the call that the thread is in, if it is in one. */
static __always_inline void emit_ripc(struct task_struct *t, struct ripc_call *c,
				      const struct seen *o, const struct told *d, bool ends)
{
	struct ev_io *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	bool in_call = ends && c->begin_ns;
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		goto out;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->enter_ns = in_call ? c->begin_ns : o->now;
	e->dur_ns = since(e->enter_ns, o->now);
	e->slept_ns = in_call ? c->slept_ns : 0;
	e->hdr.t_ns = d->t_ns ? d->t_ns : o->now;
	e->hdr.type = EV_IO;
	e->hdr.size = sizeof(*e);
	e->hdr.flags = d->flags | (e->slept_ns ? IO_BLOCKED : 0) | (d->ret < 0 ? IO_ERROR : 0);
	e->chan = o->obj;
	e->ret = d->ret;
	e->mtype = d->tag;
	e->bytes = d->bytes;
	e->pid = t->tgid;
	e->tid = t->pid;
	e->waker_tid = e->slept_ns ? c->waker : 0;
	e->fd = -1;
	e->op = d->op;
	e->messages = d->messages;
	ring_submit(e);
out:
	if (in_call)
		c->begin_ns = c->slept_ns = 0;
}

/* Whether it was made while we looked on: there is nothing in it that we do not know of. */
static __always_inline bool was_empty(const struct seen *o)
{
	__u64 key = o->instance ? o->pipe : o->obj;
	__u32 *told = bpf_map_lookup_elem(&described, &key);
	return told && (*told & DESCRIBED_EMPTY);
}

/* ---- arguments ---- */

#define SITES_MAX 8192
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SITES_MAX);
	__type(key, __u32);
	__type(value, struct raw_usdt);
} ripc_sites SEC(".maps");

#define REGS_BYTES 168 /* of struct pt_regs: the registers of user space */

/* A place that was hit: its registers, and where they and memory have the arguments; who hit it. */
struct hit {
	struct pt_regs *ctx;
	struct task_struct *t;
	const struct raw_usdt *site;
	struct thread *s;
	struct ripc_call *c;
};

static __always_inline __u64 argument(const struct hit *h, __u32 n)
{
	const struct raw_usdt_arg *a = &h->site->arg[n];
	__u32 reg = a->reg, unused = 64 - 8 * (__u32)a->size;
	__u64 v = (__u64)a->value;
	if (a->form != RAW_USDT_CONST) {
		__u64 r = 0;
		if (reg > REGS_BYTES - sizeof(r))
			return 0;
		bpf_probe_read_kernel(&r, sizeof(r), (void *)h->ctx + reg);
		if (a->form == RAW_USDT_REG)
			v = r;
		else if (bpf_probe_read_user(&v, sizeof(v), (void *)(r + v)))
			return 0;
	}
	if (unused >= 64)
		return v;
	return a->is_signed ? (__u64)((__s64)(v << unused) >> unused) : v << unused >> unused;
}

/* The object that the first three arguments name; false: of no concern. */
static __always_inline bool see(const struct hit *h, struct seen *o)
{
	o->word = argument(h, 0);
	o->name = argument(h, 1);
	o->id = argument(h, 2);
	o->now = bpf_ktime_get_ns();
	o->obj = RAW_OBJ_RIPC(o->id, o->word, 0);
	return o->word != WORD_TCP && o->word != WORD_UDP;
}

/*
 * What went through a named pipe went through one instance of it, which its tag says: a channel of
 * its own, with the server at side A.
 */
static __always_inline void see_instance(struct seen *o, __s64 tag)
{
	o->pipe = o->obj;
	o->instance = (__u32)((__u64)tag >> 1) + 1;
	o->obj = RAW_OBJ_RIPC(o->id, o->word, o->instance);
}

/* ---- probes ---- */

static __always_inline int on_open(const struct hit *h, struct seen *o)
{
	struct told d = { .op = OP_RIPC_OPEN };
	use(o, h->t->tgid, true, argument(h, 3) ? RAW_NEW : 0);
	emit_ripc(h->t, h->c, o, &d, false);
	return 0;
}

static __always_inline int on_close(const struct hit *h, struct seen *o)
{
	struct told d = { .op = OP_RIPC_CLOSE };
	struct ripc_user user = { .obj = o->obj, .pid = h->t->tgid };
	use(o, h->t->tgid, false, 0);
	emit_ripc(h->t, h->c, o, &d, false);
	bpf_map_delete_elem(&ripc_users, &user);
	endpoint_ripc(o, h->t->tgid, ENDPOINT_DETACH, 0);
	return 0;
}

static __always_inline int on_begin(struct ripc_call *c)
{
	c->begin_ns = bpf_ktime_get_ns();
	c->slept_ns = 0;
	return 0;
}

/*
 * A message is in once its sender has it committed, before the probe: in the middle of the call, or
 * after its last wait. It is out by the time the receiver's probe is there.
 */
static __always_inline __u64 sent_ns(const struct ripc_call *c, __u64 now)
{
	if (!c->begin_ns)
		return now;
	return c->slept_ns ? c->woken_ns : c->begin_ns + since(c->begin_ns, now) / 2;
}

static __always_inline int moved(const struct hit *h, struct seen *o, __u16 op,
				 __u32 flags)
{
	struct told d = { .bytes = argument(h, 3), .tag = (__s64)argument(h, 4), .op = op,
			  .flags = flags, .messages = 1 };
	d.ret = (__s64)d.bytes;
	if (o->word == WORD_NPIPE) {
		see_instance(o, d.tag);
		/* the tag is the sender's */
		if ((flags & IO_WRITE) ? d.tag & 1 : !(d.tag & 1))
			d.flags |= IO_SIDE_B;
	}
	if (flags & IO_WRITE)
		d.t_ns = sent_ns(h->c, o->now);
	use(o, h->t->tgid, false, 0);
	if (!was_empty(o))
		d.flags |= IO_UNSURE;
	emit_ripc(h->t, h->c, o, &d, true);
	return 0;
}

static __always_inline int handed(const struct hit *h, struct seen *o, __u16 op, __u32 flags,
				  bool ends)
{
	struct told d = { .op = op, .flags = flags };
	use(o, h->t->tgid, false, 0);
	emit_ripc(h->t, h->c, o, &d, ends);
	return 0;
}

static __always_inline int on_wait_begin(const struct hit *h, struct seen *o)
{
	use(o, h->t->tgid, false, 0);
	h->s->in_ripc = 1;
	struct ripc_call *c = h->c;
	/* deeper than calls can nest: what it had is of a call that never ended */
	__u32 depth = c->depth < 2 ? c->depth : 0;
	struct ripc_wait *w = &c->wait[depth & 1];
	w->obj = o->obj;
	w->since_ns = o->now;
	w->begin_ns = c->begin_ns ? c->begin_ns : o->now;
	w->slept_ns = c->slept_ns;
	c->begin_ns = c->slept_ns = 0;
	c->depth = depth + 1;
	return 0;
}

static __always_inline int on_wait_end(const struct hit *h, struct seen *o)
{
	__u64 err = argument(h, 3);
	struct ripc_call *c = h->c;
	struct thread *s = h->s;
	/* the innermost that is this object's: what lies above it was left without an end */
	__u32 depth = c->depth == 2 && c->wait[1].obj == o->obj	       ? 1
		      : c->depth && c->depth <= 2 && c->wait[0].obj == o->obj ? 0
									     : 2;
	if (depth > 1) /* tracing began within it */
		return 0;
	struct ripc_wait *w = &c->wait[depth & 1];
	c->depth = depth;
	s->in_ripc = depth > 0;
	c->begin_ns = w->begin_ns;
	c->slept_ns = w->slept_ns + since(w->since_ns, o->now);
	/* before the probe the object was tried again; but not before its last sleep was over */
	c->woken_ns = s->hand_ns > w->since_ns ? s->hand_ns : w->since_ns;
	/* the last system call of the thread was the futex it slept in */
	c->waker = s->slept_ns ? s->waker : 0;
	if (!err || err == EOWNERDEAD)
		return 0;
	struct told d = { .op = OP_RIPC_WAIT, .ret = -(__s64)err };
	emit_ripc(h->t, h->c, o, &d, true);
	return 0;
}

SEC("uprobe")
int on_probe(struct pt_regs *ctx)
{
	__u32 number = (__u32)bpf_get_attach_cookie(ctx);
	struct task_struct *t = bpf_get_current_task_btf();
	struct hit h = { ctx, t, bpf_map_lookup_elem(&ripc_sites, &number), thread_of(t) };
	struct seen o = {};
	if (!h.site || !h.s)
		return 0;
	h.c = bpf_task_storage_get(&ripc_calls, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!h.c)
		return 0;
	if (h.site->probe == RAW_RIPC_BEGIN)
		return on_begin(h.c);
	if (!see(&h, &o))
		return 0;
	switch (h.site->probe) {
	case RAW_RIPC_OPEN:
		return on_open(&h, &o);
	case RAW_RIPC_CLOSE:
		return on_close(&h, &o);
	case RAW_RIPC_SEND:
		return moved(&h, &o, OP_RIPC_SEND, IO_WRITE);
	case RAW_RIPC_RECEIVE:
		return moved(&h, &o, OP_RIPC_RECEIVE, IO_READ);
	case RAW_RIPC_ACQUIRE:
		return handed(&h, &o, OP_RIPC_ACQUIRE, IO_READ, true);
	case RAW_RIPC_RELEASE:
		return handed(&h, &o, OP_RIPC_RELEASE, IO_WRITE, false);
	case RAW_RIPC_WAIT_BEGIN:
		return on_wait_begin(&h, &o);
	case RAW_RIPC_WAIT_END:
		return on_wait_end(&h, &o);
	}
	return 0;
}

/* ---- who waits: in place of the futex that it sleeps in ---- */

SEC("iter/task")
int ripc_waiting(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t || !thread_of(t))
		return 0;
	struct ripc_call *c = bpf_task_storage_get(&ripc_calls, t, 0, 0);
	if (!c || !c->depth || c->depth > 2)
		return 0;
	/* the outermost: what a condition's wait does inside is part of it */
	struct raw_inflight r = {
		.enter_ns = c->wait[0].begin_ns,
		.sleep_ns = c->wait[0].since_ns,
		.obj = c->wait[0].obj,
		.pid = t->tgid,
		.tid = t->pid,
		.fd = -1,
		.op = OP_RIPC_WAIT,
	};
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
