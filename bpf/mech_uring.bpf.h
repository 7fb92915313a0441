/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring: a request is noted when it is submitted and told when it completes, as the plain call
 * that does the same, with IO_URING. Whoever completes it (its thread, a worker, an interrupt) has
 * nothing to do with it: what is told is whose request it was.
 *
 * Requests on what is no channel are not ours. Those that are but cannot be decoded are counted, by
 * their opcode: nothing disappears in silence.
 */
#ifndef IPCTAP_BPF_MECH_URING_H
#define IPCTAP_BPF_MECH_URING_H

#include "mech_sock.bpf.h"

#define CQE_F_MORE 2u  /* this request will complete again */
#define CQE_F_NOTIF 8u /* a buffer is free again: the request itself was told before */
#define REQ_F_FIXED_FILE 1u
#define REQ_F_CQE_SKIP (1u << 6) /* says nothing when it succeeds: IOSQE_CQE_SKIP_SUCCESS, since v5.17 */
#define SPLICE_F_FD_IN_FIXED (1u << 31)

enum uring_class {
	URING_NONE,
	URING_IO,     /* the file; res is bytes */
	URING_ACCEPT, /* res is a descriptor, unless it goes into a slot of the ring */
	URING_NAME,   /* the socket is to be described anew */
	URING_CLOSE,
	URING_FD,     /* res is a new descriptor */
	URING_SPLICE, /* a second file in the request */
	URING_OTHER,  /* a channel, but not decoded */
};

struct uring_row {
	__u8 class;
	__u8 op;
	__u16 flags;
};

#define URING_OPS 64
#define UROW(nr, class_, op_, flags_) [nr] = { .class = URING_##class_, .op = OP_##op_, .flags = flags_ }

/* By IORING_OP_*; the numbers are permanent (include/uapi/linux/io_uring.h). */
static const volatile struct uring_row uring_rows[URING_OPS] = {
	UROW(1, IO, READV, IO_READ),
	UROW(2, IO, WRITEV, IO_WRITE),
	UROW(4, IO, READ, IO_READ),   /* READ_FIXED */
	UROW(5, IO, WRITE, IO_WRITE), /* WRITE_FIXED */
	UROW(6, NAME, POLL, 0),       /* POLL_ADD */
	UROW(9, IO, SENDMSG, IO_WRITE),
	UROW(10, IO, RECVMSG, IO_READ),
	UROW(13, ACCEPT, ACCEPT, 0),
	UROW(16, NAME, CONNECT, 0),
	UROW(18, FD, OPENAT, 0),
	UROW(19, CLOSE, CLOSE, 0),
	UROW(22, IO, READ, IO_READ),
	UROW(23, IO, WRITE, IO_WRITE),
	UROW(26, IO, SENDTO, IO_WRITE),
	UROW(27, IO, RECVFROM, IO_READ),
	UROW(28, FD, OPENAT2, 0),
	UROW(30, SPLICE, SPLICE, 0),
	UROW(33, SPLICE, TEE, IO_PEEK),
	UROW(34, NAME, SHUTDOWN, 0),
	UROW(40, OTHER, NONE, 0), /* MSG_RING */
	UROW(45, FD, SOCKET, 0),
	UROW(47, IO, SENDTO, IO_WRITE),  /* SEND_ZC */
	UROW(48, IO, SENDMSG, IO_WRITE), /* SENDMSG_ZC */
	UROW(49, IO, READ, IO_READ),     /* READ_MULTISHOT */
	UROW(50, OTHER, NONE, 0),        /* WAITID */
	UROW(51, OTHER, NONE, 0),        /* FUTEX_WAIT */
	UROW(52, OTHER, NONE, 0),        /* FUTEX_WAKE */
	UROW(53, OTHER, NONE, 0),        /* FUTEX_WAITV */
	UROW(56, NAME, BIND, 0),
	UROW(57, NAME, LISTEN, 0),
	UROW(58, IO, RECVFROM, IO_READ), /* RECV_ZC */
	UROW(59, OTHER, NONE, 0),        /* EPOLL_WAIT */
	UROW(60, IO, READV, IO_READ),    /* READV_FIXED */
	UROW(61, IO, WRITEV, IO_WRITE),  /* WRITEV_FIXED */
	UROW(62, OTHER, NONE, 0),        /* PIPE */
};

static __always_inline struct uring_row uring_row(__u8 opcode)
{
	const volatile struct uring_row *r = &uring_rows[opcode & (URING_OPS - 1)];
	if (opcode >= URING_OPS)
		return (struct uring_row){};
	return (struct uring_row){ .class = r->class, .op = r->op, .flags = r->flags };
}

/* ---- requests under way ---- */

struct uring_req {
	__u64 enter_ns;
	__u64 obj;  /* 0: not known before it completes (a file of the ring's own table) */
	__u64 obj2; /* splice, tee: what it reads from */
	__u32 pid, tid;
	__s32 fd, fd2; /* -1: none */
	__u8 opcode;
	__u8 async;    /* was not done at once: it took effect shortly before it completed */
	__u8 unknown : 1; /* its second file is not known */
	__u8 silent : 1;  /* counted when it was submitted: it may never complete */
	__u8 in_slot;  /* what it makes gets no descriptor */
	__u32 flags;   /* IO_PEEK, IO_TRUNC, of its MSG_ flags */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* struct io_kiocb */
	__type(value, struct uring_req);
} uring_reqs SEC(".maps");

/* Those that may complete many times: all but the last completion name the ring and the user's word. */
struct uring_shot {
	__u64 ctx, user_data;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct uring_shot);
	__type(value, struct uring_req);
} uring_shots SEC(".maps");

/* Not decoded, by opcode; the last: completions that found no room in the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, URING_OPS + 1);
	__type(key, __u32);
	__type(value, __u64);
} uring_unknown SEC(".maps");

static __always_inline void uring_count(__u32 opcode)
{
	__u64 *n = bpf_map_lookup_elem(&uring_unknown, &opcode);
	if (n)
		(*n)++;
	count(RAW_COUNT_URING);
}

/* A thread in scope, or one of the ring's that works for a process in scope. */
static __always_inline struct thread *uring_thread(struct task_struct *t)
{
	struct thread *s = thread_of(t);
	if (s)
		return s;
	struct task_struct *leader = t->group_leader;
	return leader ? thread_of(leader) : NULL;
}

static __always_inline bool uring_is_shot(__u8 opcode)
{
	return opcode == 6 || opcode == 10 || opcode == 13 || opcode == 27 || opcode == 49 ||
	       opcode == 58;
}

/* ---- submission ---- */

static __always_inline void uring_splice(struct task_struct *t, struct io_kiocb *req,
					 struct uring_req *r)
{
	struct io_splice *sp = (void *)req;
	struct look l;
	if (BPF_CORE_READ(sp, flags) & SPLICE_F_FD_IN_FIXED) {
		r->unknown = 1;
		return;
	}
	__s32 fd = BPF_CORE_READ(sp, splice_fd_in);
	look_fd(t, (__u32)fd, &l);
	if (!l.obj)
		return;
	r->obj2 = l.obj;
	r->fd2 = fd;
	describe_once(NULL, &l, r->pid, fd, r->enter_ns);
}

/* recv and recvmsg have flags like the calls. */
static __always_inline void uring_msg_flags(struct io_kiocb *req, struct uring_req *r)
{
	struct io_sr_msg *sr = (void *)req;
	if (r->opcode != 10 && r->opcode != 27)
		return;
	__u32 flags = BPF_CORE_READ(sr, msg_flags);
	r->flags = (flags & (MSG_PEEK | MSG_ERRQUEUE) ? IO_PEEK : 0) | (flags & MSG_TRUNC ? IO_TRUNC : 0);
}

static __always_inline void uring_slot(struct io_kiocb *req, struct uring_req *r)
{
	struct io_close *cl = (void *)req;
	struct io_accept *ac = (void *)req;
	struct io_socket *so = (void *)req;
	if (r->opcode == 19) {
		r->in_slot = BPF_CORE_READ(cl, file_slot) != 0;
		r->fd = r->in_slot ? -1 : BPF_CORE_READ(cl, fd);
	} else if (r->opcode == 13) {
		r->in_slot = BPF_CORE_READ(ac, file_slot) != 0;
	} else if (r->opcode == 45) {
		r->in_slot = BPF_CORE_READ(so, file_slot) != 0;
		r->fd = -1;
	}
}

/* A datagram sent at once arrives inside this very call: on_data_ready tells where. */
static __always_inline void uring_expect(struct thread *s, const struct look *l, __u16 flags)
{
	if (!s->op || !(flags & IO_WRITE) || l->type != SOCK_DGRAM)
		return;
	s->wants_receiver = 1;
	s->obj = l->obj;
	s->rcv_obj = 0;
}

static __always_inline void uring_resolve(struct task_struct *t, struct thread *s,
					  struct uring_req *r, __u16 flags)
{
	struct look l;
	if (r->fd < 0)
		return;
	look_fd(t, (__u32)r->fd, &l);
	if (!l.obj)
		return;
	r->obj = l.obj;
	describe_once(NULL, &l, r->pid, r->fd, r->enter_ns);
	uring_expect(s, &l, flags);
}

static __noinline int uring_submit(__u64 kiocb)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct io_kiocb *req = (void *)kiocb;
	__u8 opcode = BPF_CORE_READ(req, opcode);
	struct uring_row row = uring_row(opcode);
	if (!row.class)
		return 0;
	struct thread *s = uring_thread(t);
	if (!s)
		return 0;
	if (row.class == URING_OTHER) {
		uring_count(opcode);
		return 0;
	}
	bool own = thread_of(t) != NULL;
	__u32 req_flags = BPF_CORE_READ(req, flags);
	struct uring_req r = {
		.enter_ns = bpf_ktime_get_ns(),
		.pid = t->tgid,
		.tid = own ? t->pid : t->tgid, /* the ring's own thread is nobody's */
		.fd = req_flags & REQ_F_FIXED_FILE ? -1 : BPF_CORE_READ(req, cqe.fd),
		.fd2 = -1,
		.opcode = opcode,
		.silent = (req_flags & REQ_F_CQE_SKIP) != 0,
	};
	uring_slot(req, &r);
	uring_msg_flags(req, &r);
	if (row.class == URING_SPLICE)
		uring_splice(t, req, &r);
	if (row.class != URING_FD)
		uring_resolve(t, s, &r, row.flags);
	/* of a file in the ring's own table it isn't known yet whether it is a channel: it may be */
	if (r.silent && (r.obj || r.obj2 || req_flags & REQ_F_FIXED_FILE))
		uring_count(opcode);
	bpf_map_update_elem(&uring_reqs, &kiocb, &r, BPF_ANY);
	if (uring_is_shot(opcode)) {
		struct uring_shot shot = {
			.ctx = (__u64)BPF_CORE_READ(req, ctx),
			.user_data = BPF_CORE_READ(req, cqe.user_data),
		};
		bpf_map_update_elem(&uring_shots, &shot, &r, BPF_ANY);
	}
	return 0;
}

/* It waits for its file, or a worker does it: not done while it is submitted. */
static __always_inline void uring_defer(struct io_kiocb *req)
{
	__u64 key = (__u64)req;
	struct uring_req *r = bpf_map_lookup_elem(&uring_reqs, &key);
	if (!r)
		return;
	r->async = 1;
	if (!uring_is_shot(r->opcode))
		return;
	struct uring_shot shot = {
		.ctx = (__u64)BPF_CORE_READ(req, ctx), .user_data = BPF_CORE_READ(req, cqe.user_data),
	};
	struct uring_req *many = bpf_map_lookup_elem(&uring_shots, &shot);
	if (!many)
		return;
	many->async = 1;
	void *file = BPF_CORE_READ(req, file);
	struct look l;
	if (many->obj || !file)
		return;
	look_file(file, &l);
	if (l.obj)
		describe_once(NULL, &l, many->pid, -1, bpf_ktime_get_ns());
	many->obj = l.obj;
}

/* ---- completion ---- */

__noinline int uring_emit(struct uring_req *r, struct done *d, __u32 op, __s64 mtype)
{
	if (!r || !d)
		return 0;
	struct ev_io *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->hdr.t_ns = r->async ? d->now : r->enter_ns + since(r->enter_ns, d->now) / 2;
	e->hdr.type = EV_IO;
	e->hdr.size = sizeof(*e);
	e->hdr.flags = d->flags | IO_URING | (d->ret < 0 ? IO_ERROR : 0);
	e->enter_ns = r->enter_ns;
	e->dur_ns = since(r->enter_ns, d->now);
	e->chan = d->obj;
	e->ret = d->ret;
	e->mtype = mtype;
	e->bytes = d->bytes;
	e->messages = (__u16)d->messages;
	e->pid = r->pid;
	e->tid = r->tid;
	e->fd = d->fd;
	e->op = (__u16)op;
	ring_submit(e);
	return 0;
}

/* A datagram belongs to where it arrived; where that was is known only if it was sent at once. */
static __always_inline bool uring_dgram(struct uring_req *r, const struct look *l, struct done *d)
{
	struct thread *s = thread_of(bpf_get_current_task_btf());
	__u64 to = s && !r->async ? s->rcv_obj : 0;
	if (s && s->wants_receiver) {
		s->wants_receiver = 0;
		s->obj = s->rcv_obj = 0;
	}
	if (d->ret < 0)
		return true;
	d->obj = to;
	return to != 0;
}

static __always_inline void uring_io(struct uring_req *r, const struct look *l,
				     const struct uring_row *row, struct done *d)
{
	bool dgram = l->type == SOCK_DGRAM;
	d->flags = row->flags | r->flags | io_packet(l, row->flags);
	if (d->ret > 0 || (d->ret == 0 && dgram)) {
		d->bytes = (__u64)d->ret;
		d->messages = 1;
	}
	if (dgram && (row->flags & IO_WRITE) && !uring_dgram(r, l, d))
		uring_count(r->opcode);
	else
		uring_emit(r, d, row->op, 0);
}

static __always_inline void uring_splice_done(struct uring_req *r, const struct uring_row *row,
					      struct done *d)
{
	__u64 out = d->obj;
	if (r->unknown) {
		uring_count(r->opcode);
		return;
	}
	if (d->ret > 0) {
		d->bytes = (__u64)d->ret;
		d->messages = 1;
	}
	if (r->obj2) {
		d->obj = r->obj2;
		d->fd = r->fd2;
		d->flags = IO_READ | row->flags;
		uring_emit(r, d, row->op, 0);
	}
	if (!out)
		return;
	d->obj = out;
	d->fd = r->fd;
	d->flags = IO_WRITE | (r->obj2 ? IO_HALF : 0);
	uring_emit(r, d, row->op, 0);
}

/* The descriptor that it has made is told. Returns its object; 0: there is none, or it is none of ours. */
APART __u64 uring_new_fd(const struct uring_req *r, const struct done *d, __u32 describe_flags)
{
	struct task_struct *t = bpf_get_current_task_btf();
	if (d->ret < 0 || r->in_slot || t->tgid != (int)r->pid)
		return 0;
	return new_fd(t, (__s32)d->ret, describe_flags, ENDPOINT_OPEN, d->now);
}

/* Not inlined, and so not on the way to new_fd, which needs the room. file: struct file *, or 0. */
__noinline int uring_told(struct uring_req *r, __u64 file, struct done *d)
{
	if (!r || !d)
		return 0;
	struct uring_row row = uring_row(r->opcode);
	struct look l = {};
	if (file) {
		look_file((void *)file, &l);
		if (l.obj && l.obj != r->obj)
			describe_once(NULL, &l, r->pid, r->fd, d->now);
	}
	d->obj = l.obj ? l.obj : r->obj;
	d->fd = r->fd;
	if (row.class == URING_SPLICE) {
		uring_splice_done(r, &row, d);
		return 0;
	}
	if (!d->obj)
		return 0;
	switch (row.class) {
	case URING_IO:
		uring_io(r, &l, &row, d);
		return 0;
	case URING_ACCEPT:
		uring_emit(r, d, row.op, d->ret >= 0 && !r->in_slot ? d->ret : 0);
		return 0;
	case URING_CLOSE:
		if (d->ret == 0)
			endpoint_emit(d->obj, r->pid, r->fd, ENDPOINT_CLOSE, 0, 0, d->now);
		uring_emit(r, d, row.op, 0);
		return 0;
	default: /* URING_NAME */
		if (l.obj && l.sk && row.op != OP_SHUTDOWN && row.op != OP_POLL && d->ret >= 0)
			describe(&l, r->pid, r->fd, row.op == OP_CONNECT ? RAW_CONNECTED : 0, d->now);
		uring_emit(r, d, row.op, 0);
	}
	return 0;
}

/* Submitted before tracing began, or too many under way: what it was is not known in full. */
static __always_inline void uring_stranger(struct io_kiocb *req)
{
	__u8 opcode = BPF_CORE_READ(req, opcode);
	struct uring_row row = uring_row(opcode);
	void *file = BPF_CORE_READ(req, file);
	struct look l;
	if (row.class == URING_NONE || row.class == URING_OTHER || row.class == URING_FD || !file ||
	    row.class == URING_CLOSE || !uring_thread(bpf_get_current_task_btf()))
		return;
	look_file(file, &l);
	if (l.obj)
		uring_count(opcode);
}

static __noinline int uring_complete(__u64 ctx, __u64 kiocb, __u64 user_data, __s32 res, __u32 cflags)
{
	struct io_kiocb *req = (void *)kiocb;
	struct uring_shot shot = { .ctx = ctx, .user_data = user_data };
	struct uring_req *r = kiocb ? bpf_map_lookup_elem(&uring_reqs, &kiocb)
				    : bpf_map_lookup_elem(&uring_shots, &shot);
	if (cflags & CQE_F_NOTIF)
		return 0;
	if (!r) {
		if (kiocb)
			uring_stranger(req);
		return 0;
	}
	struct uring_req own = *r;
	struct done d = { .ret = res, .fd = -1, .now = bpf_ktime_get_ns() };
	struct uring_row row = uring_row(own.opcode);
	if (own.silent) { /* failed, and was counted */
	} else if (row.class == URING_FD) { /* a socket, or a FIFO */
		d.obj = uring_new_fd(&own, &d, row.op == OP_SOCKET ? RAW_NEW : 0);
		d.fd = res;
		if (d.obj)
			uring_emit(&own, &d, row.op, 0);
	} else {
		if (row.class == URING_ACCEPT)
			uring_new_fd(&own, &d, RAW_ACCEPTED);
		uring_told(&own, kiocb ? (__u64)BPF_CORE_READ(req, file) : 0, &d);
	}
	if (cflags & CQE_F_MORE)
		return 0;
	if (kiocb)
		bpf_map_delete_elem(&uring_reqs, &kiocb);
	if (uring_is_shot(own.opcode))
		bpf_map_delete_elem(&uring_shots, &shot);
	return 0;
}

/* ---- hooks ---- */

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit, struct io_kiocb *req) { return uring_submit((__u64)req); }

/* before v6.4 (2ad57931db64) by this name; with the request as first argument since v6.0 */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(on_uring_submit_sqe, struct io_kiocb *req) { return uring_submit((__u64)req); }

SEC("tp_btf/io_uring_poll_arm")
int BPF_PROG(on_uring_poll, struct io_kiocb *req)
{
	uring_defer(req);
	return 0;
}

SEC("tp_btf/io_uring_queue_async_work")
int BPF_PROG(on_uring_async, struct io_kiocb *req)
{
	uring_defer(req);
	return 0;
}

/* newer kernels (6.18 does, 6.1 does not) hand over the completion as one argument */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete, void *uring, void *req, struct io_uring_cqe *cqe)
{
	return uring_complete((__u64)uring, (__u64)req, cqe->user_data, cqe->res, cqe->flags);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete_args, void *uring, void *req, __u64 user_data, int res, __u32 cflags)
{
	return uring_complete((__u64)uring, (__u64)req, user_data, res, cflags);
}

/* There was no room for it in the ring: it will be put there later, in silence. */
SEC("tp_btf/io_uring_cqe_overflow")
int BPF_PROG(on_uring_overflow)
{
	if (uring_thread(bpf_get_current_task_btf()))
		uring_count(URING_OPS);
	return 0;
}

#endif
