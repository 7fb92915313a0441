/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file descriptor to the object behind it, and the object's description to the collector.
 */
#ifndef IPCTAP_BPF_OBJECT_H
#define IPCTAP_BPF_OBJECT_H

#include "state.bpf.h"

extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/* What one look at a file tells. obj == 0: not a channel of ours. */
struct look {
	__u64 obj;
	__u64 ino;
	void *file;
	void *sk; /* sockets: struct sock; terminals: tty_struct; eventfds: eventfd_ctx */
	__u64 path; /* in user memory, as given: a FIFO just opened, its path; a connect that failed, the address */
	__u32 dev;
	__u32 f_mode;
	union {
		__u32 f_flags;
		__u32 addr_len; /* a connect that failed: of the address at path */
	};
	__u16 kind;
	__u8 type; /* sockets: SOCK_* */
	__u8 arrived : 1;  /* a message in its queue is yet to be told */
	__u8 is_mptcp : 1; /* sk is no tcp_sock: the positions in the stream are its subflows' own */
};

static __always_inline __u16 sock_kind(__u16 family, __u16 protocol)
{
	if (family == AF_UNIX)
		return KIND_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return KIND_NONE;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP)
		return KIND_TCP;
	return protocol == IPPROTO_UDP ? KIND_UDP : KIND_NONE;
}

static __always_inline void look_pipe(struct look *l, unsigned long magic)
{
	if (magic == PIPEFS_MAGIC) {
		l->kind = KIND_PIPE;
		l->obj = RAW_OBJ(KIND_PIPE, (__u64)(l->dev & 0xffffff) << 32 | (__u32)l->ino);
	} else {
		l->kind = KIND_FIFO;
		l->obj = RAW_OBJ_FIFO(l->dev, l->ino);
	}
}

static __always_inline void look_sock(struct look *l, __u16 family, __u16 protocol)
{
	l->kind = sock_kind(family, protocol);
	l->is_mptcp = protocol == IPPROTO_MPTCP;
	if (l->kind)
		l->obj = RAW_OBJ(l->kind, l->ino);
}

/*
 * Anonymous inodes are one inode: what the file is, its dentry's name says, which no program can
 * choose. (Their i_mode has a type since v6.16, cfd86ef7e8e7, and none before.)
 */
#define ANON_EVENTFD 0x6466746e6576655bULL  /* "[eventfd" */
#define ANON_SIGNALFD 0x666c616e6769735bULL /* "[signalf" */

static __always_inline void look_anon(struct look *l)
{
	struct file *f = l->file;
	__u64 name = 0;
	bpf_probe_read_kernel(&name, sizeof(name), BPF_CORE_READ(f, f_path.dentry, d_name.name));
	if (name == ANON_EVENTFD) {
		struct eventfd_ctx *ctx = BPF_CORE_READ(f, private_data);
		l->sk = ctx;
		l->ino = (__u32)BPF_CORE_READ(ctx, id);
		l->kind = KIND_EVENTFD;
		l->obj = RAW_OBJ(KIND_EVENTFD, l->ino);
	} else if (name == ANON_SIGNALFD) {
		l->kind = KIND_SIGNAL; /* no object: it yields the signals of whoever reads it */
	}
}

#define TTY_MASTER 0x10 /* look.type; no SOCK_* */
#define TTY_SLAVE 0x11
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_SLAVE_MAJOR 136
#define DEV_TTY (5u << 20)
#define DEV_PTMX (5u << 20 | 2)

/* /dev/ptmx and /dev/pts/N, and /dev/tty where it stands for one of them. */
static __always_inline void look_tty(struct look *l, __u32 rdev)
{
	__u32 major = rdev >> 20;
	if (major != UNIX98_PTY_SLAVE_MAJOR && rdev != DEV_PTMX && rdev != DEV_TTY)
		return;
	struct file *f = l->file;
	struct tty_file_private *p = BPF_CORE_READ(f, private_data);
	struct tty_struct *tty = BPF_CORE_READ(p, tty);
	major = BPF_CORE_READ(tty, driver, major);
	if (!tty || (major != UNIX98_PTY_MASTER_MAJOR && major != UNIX98_PTY_SLAVE_MAJOR))
		return;
	l->kind = KIND_PTY;
	l->obj = RAW_OBJ(KIND_PTY, (__u64)tty);
	l->sk = tty;
	l->ino = (__u32)BPF_CORE_READ(tty, index);
	l->type = major == UNIX98_PTY_MASTER_MAJOR ? TTY_MASTER : TTY_SLAVE;
}

/* Neither pipe nor socket. */
static __always_inline void look_other(struct look *l, __u16 fmt, __u32 rdev, unsigned long magic)
{
	if (fmt == S_IFCHR) {
		look_tty(l, rdev);
	} else if (magic == MQUEUE_MAGIC && fmt == S_IFREG) {
		l->kind = KIND_MQ;
		l->obj = RAW_OBJ(KIND_MQ, (__u64)(l->dev & 0xffffff) << 32 | (__u32)l->ino);
	} else if (magic == ANON_INODE_FS_MAGIC) {
		look_anon(l);
	}
}

/* Twice the same: by direct loads, a third of the cost, where the kernel can check a cast. */
static __always_inline void look_direct(void *fp, struct look *l)
{
	struct file *f = bpf_rdonly_cast(fp, bpf_core_type_id_kernel(struct file));
	struct inode *i = f->f_inode;
	__u16 fmt = i->i_mode & S_IFMT;
	if (fmt != S_IFIFO && fmt != S_IFSOCK && fmt != S_IFREG && fmt != S_IFCHR && fmt)
		return;
	l->ino = i->i_ino;
	l->f_mode = f->f_mode;
	l->f_flags = f->f_flags;
	if (fmt != S_IFIFO && fmt != S_IFSOCK) {
		struct super_block *sb = i->i_sb;
		l->dev = sb->s_dev;
		look_other(l, fmt, i->i_rdev, sb->s_magic);
		return;
	}
	if (fmt == S_IFIFO) {
		struct super_block *sb = i->i_sb;
		l->dev = sb->s_dev;
		look_pipe(l, sb->s_magic);
		return;
	}
	struct socket *so = bpf_rdonly_cast(f->private_data, bpf_core_type_id_kernel(struct socket));
	struct sock *sk = so->sk;
	l->sk = sk;
	l->type = so->type;
	look_sock(l, sk->__sk_common.skc_family, sk->sk_protocol);
}

static __always_inline void look_probe(void *fp, struct look *l)
{
	struct file *f = fp;
	struct inode *i = BPF_CORE_READ(f, f_inode);
	__u16 fmt = BPF_CORE_READ(i, i_mode) & S_IFMT;
	if (fmt != S_IFIFO && fmt != S_IFSOCK && fmt != S_IFREG && fmt != S_IFCHR && fmt)
		return;
	l->ino = BPF_CORE_READ(i, i_ino);
	l->f_mode = BPF_CORE_READ(f, f_mode);
	l->f_flags = BPF_CORE_READ(f, f_flags);
	if (fmt != S_IFIFO && fmt != S_IFSOCK) {
		l->dev = BPF_CORE_READ(i, i_sb, s_dev);
		look_other(l, fmt, BPF_CORE_READ(i, i_rdev), BPF_CORE_READ(i, i_sb, s_magic));
		return;
	}
	if (fmt == S_IFIFO) {
		struct super_block *sb = BPF_CORE_READ(i, i_sb);
		l->dev = BPF_CORE_READ(sb, s_dev);
		look_pipe(l, BPF_CORE_READ(sb, s_magic));
		return;
	}
	struct socket *so = BPF_CORE_READ(f, private_data);
	struct sock *sk = BPF_CORE_READ(so, sk);
	l->sk = sk;
	l->type = BPF_CORE_READ(so, type);
	look_sock(l, BPF_CORE_READ(sk, __sk_common.skc_family), BPF_CORE_READ(sk, sk_protocol));
}

static __always_inline void look_file(void *fp, struct look *l)
{
	__builtin_memset(l, 0, sizeof(*l));
	l->file = fp;
	if (has_rdonly_cast)
		look_direct(fp, l);
	else
		look_probe(fp, l);
}

/*
 * The file behind a descriptor of *t, which is current; NULL: none. An entry of the table is a pointer
 * at an address, which is also what a list head begins with: so it can be loaded directly.
 */
static __always_inline void *fd_file(struct task_struct *t, __s32 fd)
{
	void *fp = NULL;
	struct fdtable *fdt = t->files->fdt;
	if ((__u32)fd >= fdt->max_fds)
		return NULL;
	if (has_rdonly_cast) {
		struct list_head *at = bpf_rdonly_cast(fdt->fd + (__u32)fd,
						       bpf_core_type_id_kernel(struct list_head));
		return at->next;
	}
	bpf_probe_read_kernel(&fp, sizeof(fp), fdt->fd + (__u32)fd);
	return fp;
}

/* *l for descriptor fd of *t, which is current. */
static __always_inline void look_fd(struct task_struct *t, __u32 fd, struct look *l)
{
	void *fp = fd_file(t, (__s32)fd);
	l->obj = 0;
	l->kind = KIND_NONE;
	if (fp)
		look_file(fp, l);
}

/* ---- description ---- */

/* What lies in a channel that is older than the trace, summed up buffer by buffer. */
struct backlog_walk {
	__u64 at;  /* pipe: the array of buffers; socket: the next packet */
	__u64 end; /* socket: the head of its queue */
	__u64 sum; /* bytes */
	__u32 tail, mask;
};

static long pipe_backlog_one(__u32 i, struct backlog_walk *w)
{
	struct pipe_buffer *buf =
		(void *)w->at + (__u64)((w->tail + i) & w->mask) * bpf_core_type_size(struct pipe_buffer);
	w->sum += BPF_CORE_READ(buf, len);
	return 0;
}

static __always_inline __u64 pipe_backlog(void *file)
{
	struct pipe_inode_info *p = BPF_CORE_READ((struct file *)file, private_data);
	__u32 head = BPF_CORE_READ(p, head), size = BPF_CORE_READ(p, ring_size);
	struct backlog_walk w = {
		.at = (__u64)BPF_CORE_READ(p, bufs), .tail = BPF_CORE_READ(p, tail), .mask = size - 1,
	};
	__u32 n = head - w.tail;
	bpf_loop(n < size ? n : size, pipe_backlog_one, &w, 0);
	return w.sum;
}

#define PAGE_BYTES 4096 /* of x86, the only one there is */

static __always_inline void describe_pipe(struct raw_object *o, void *file)
{
	struct pipe_inode_info *p = BPF_CORE_READ((struct file *)file, private_data);
	o->peer_ino = BPF_CORE_READ(p, max_usage);
	o->at = o->peer_ino * PAGE_BYTES;
	if (!(o->hdr.flags & RAW_NEW))
		o->backlog = pipe_backlog(file);
}

/* Of a stream what has been read of a packet in part is not there any more. */
static long sock_backlog_one(__u32 i, struct backlog_walk *w)
{
	struct sk_buff *skb = (void *)w->at;
	struct unix_skb_parms *parms = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	(void)i;
	if (w->at == w->end || !w->at)
		return 1;
	w->sum += BPF_CORE_READ(skb, len) - BPF_CORE_READ(parms, consumed);
	w->at = (__u64)BPF_CORE_READ(skb, next);
	return 0;
}

#define BACKLOG_PACKETS_MAX 65536

/*
 * What a unix socket has to read: bytes, or messages where it keeps those apart. False: its queue changed
 * under our eyes.
 */
static __always_inline bool unix_backlog(struct sock *sk, bool is_stream, __u64 *backlog)
{
	__u32 qlen = BPF_CORE_READ(sk, sk_receive_queue.qlen);
	struct backlog_walk w = {
		.at = (__u64)BPF_CORE_READ(sk, sk_receive_queue.next),
		.end = (__u64)sk + bpf_core_field_offset(struct sock, sk_receive_queue),
	};
	*backlog = qlen;
	if (!is_stream || !qlen)
		return true;
	bpf_loop(qlen < BACKLOG_PACKETS_MAX ? qlen : BACKLOG_PACKETS_MAX, sock_backlog_one, &w, 0);
	*backlog = w.sum;
	return w.at == w.end && BPF_CORE_READ(sk, sk_receive_queue.qlen) == qlen;
}

static __always_inline void map_ipv4(__u8 *to, __u32 addr)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &addr, 4);
}

static __always_inline void describe_inet(struct raw_object *o, struct sock *sk)
{
	o->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	o->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (o->family == AF_INET) {
		map_ipv4(o->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_ipv4(o->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		BPF_CORE_READ_INTO(&o->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&o->raddr, sk, __sk_common.skc_v6_daddr);
	}
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		o->hdr.flags |= RAW_LISTENING;
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP) {
		o->hdr.flags |= RAW_MPTCP;
	} else if (o->kind == KIND_TCP) {
		struct tcp_sock *tp = (void *)sk;
		o->backlog = BPF_CORE_READ(tp, rcv_nxt) - BPF_CORE_READ(tp, copied_seq);
	} else {
		struct udp_sock *up = (void *)sk; /* its reader takes packets over in batches */
		o->backlog = (__u64)BPF_CORE_READ(sk, sk_receive_queue.qlen) +
			     BPF_CORE_READ(up, reader_queue.qlen);
		o->hdr.flags |= RAW_BACKLOG;
	}
}

/* Of both ends at once: when the other one is described, what this one writes may lie there already. */
static __always_inline void describe_unix_backlog(struct raw_object *o, struct sock *sk,
						  struct sock *peer)
{
	bool is_stream = o->sock_type == SOCK_STREAM;
	__u64 own = 0, others = 0;
	if (o->hdr.flags & RAW_LISTENING)
		return; /* its queue holds connections */
	bool known = unix_backlog(sk, is_stream, &own);
	if (peer && o->sock_type != SOCK_DGRAM)
		known &= unix_backlog(peer, is_stream, &others);
	o->backlog = own;
	o->at = others;
	o->hdr.flags |= known ? RAW_BACKLOG : 0;
}

/* What a sockaddr_un of `size` bytes says, in kernel or in user memory. Returns whether it says anything. */
static __always_inline bool describe_path(struct raw_object *o, const void *sun, __u32 size, bool is_user)
{
	__u64 len = size - 2;
	if (len - 1 >= 108)
		return false;
	/* before v6.2 the verifier forgets what it knew when the compiler uses a copy */
	asm volatile("if %[n] < 109 goto +1\n\t%[n] = 108" : [n] "+r"(len));
	if (is_user ? bpf_probe_read_user(o->name, len, sun + 2) : bpf_probe_read_kernel(o->name, len, sun + 2))
		return false;
	o->name_len = (__u16)len;
	return true;
}

static __always_inline void describe_unix(struct raw_object *o, struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct sock *peer = BPF_CORE_READ(u, peer);
	o->peer_sk = (__u64)peer;
	if (peer)
		o->peer_ino = BPF_CORE_READ(peer, sk_socket, file, f_inode, i_ino);
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		o->hdr.flags |= RAW_LISTENING;
	if (!(o->hdr.flags & RAW_NEW))
		describe_unix_backlog(o, sk, peer);
	struct unix_address *addr = BPF_CORE_READ(u, addr);
	if (!addr && peer && o->sock_type != SOCK_DGRAM) /* a connection is known by its server's path */
		addr = BPF_CORE_READ((struct unix_sock *)peer, addr);
	if (addr)
		describe_path(o, (void *)addr + bpf_core_field_offset(struct unix_address, name),
			      (__u32)BPF_CORE_READ(addr, len), false);
}

/* Address and port of a user's sockaddr_in or sockaddr_in6. */
static __always_inline bool read_sockaddr(__u64 user, __u8 *addr, __u16 *port)
{
	struct {
		__u16 family;
		__be16 port;
		__be32 v4; /* IPv6: flow label, and then the address */
	} sa = {};
	if (!user || bpf_probe_read_user(&sa, sizeof(sa), (void *)user))
		return false;
	if (sa.family == AF_INET) {
		map_ipv4(addr, sa.v4);
	} else if (sa.family == AF_INET6) {
		if (bpf_probe_read_user(addr, 16, (void *)user + sizeof(sa)))
			return false;
	} else {
		return false;
	}
	*port = __builtin_bswap16(sa.port);
	return true;
}

/* Where a connect was to go that failed, of a socket that nothing else is known of. */
static __always_inline void describe_target(struct raw_object *o, const struct look *l)
{
	if (o->rport || o->peer_sk || o->name_len || o->hdr.flags & RAW_LISTENING)
		return;
	if (o->kind == KIND_TCP ? read_sockaddr(l->path, o->raddr, &o->rport)
				: describe_path(o, (void *)l->path, l->addr_len, true))
		o->hdr.flags |= RAW_REFUSED;
}

static __always_inline void describe_sock(struct raw_object *o, struct sock *sk)
{
	o->sk = (__u64)sk;
	o->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	o->ns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (o->kind == KIND_UNIX)
		describe_unix(o, sk);
	else
		describe_inet(o, sk);
}

/* The path it was opened by if that is a whole one, else the last component of its own. */
static __always_inline void describe_fifo(struct raw_object *o, const struct look *l)
{
	if (l->path &&
	    bpf_probe_read_user_str(o->name, sizeof(o->name), (void *)l->path) > 0 &&
	    o->name[0] == '/') {
		o->hdr.flags |= RAW_PATH;
		return;
	}
	struct file *f = l->file;
	const unsigned char *name = BPF_CORE_READ(f, f_path.dentry, d_name.name);
	bpf_probe_read_kernel_str(o->name, sizeof(o->name), name);
}

/* A POSIX queue, by its file; NULL: its layout, private to ipc/mqueue.c, is not told. */
static __always_inline struct mqueue_inode_info *mq_of(struct file *f)
{
	if (!bpf_core_type_exists(struct mqueue_inode_info))
		return NULL;
	return (void *)BPF_CORE_READ(f, f_inode) - bpf_core_field_offset(struct mqueue_inode_info, vfs_inode);
}

static __always_inline void describe_mq(struct raw_object *o, const struct look *l)
{
	struct file *f = l->file;
	const unsigned char *name = BPF_CORE_READ(f, f_path.dentry, d_name.name);
	o->name[0] = '/'; /* as mq_open(3) has it; the kernel knows it without */
	bpf_probe_read_kernel_str(o->name + 1, sizeof(o->name) - 1, name);
	struct mqueue_inode_info *info = mq_of(f);
	if (!info)
		return;
	o->backlog = BPF_CORE_READ(info, qsize);
	o->peer_ino = BPF_CORE_READ(info, attr.mq_maxmsg);
}

static __always_inline void describe_eventfd(struct raw_object *o, struct eventfd_ctx *ctx)
{
	BPF_CORE_READ_INTO(&o->backlog, ctx, count);
	o->hdr.flags |= RAW_BACKLOG;
}

static __always_inline void describe_pty(struct raw_object *o, struct tty_struct *tty)
{
	o->sk = (__u64)tty;
	o->peer_sk = (__u64)BPF_CORE_READ(tty, link);
}

/* Tells the collector of the object in *l, whether or not it knows it. Not inlined: it is long. */
static __noinline int describe(struct look *l, __u32 pid, __s32 fd, __u32 flags, __u64 now)
{
	if (!l)
		return 0;
	struct raw_object *o = ring_control(sizeof(*o), RAW_OBJECT, flags, now);
	if (!o)
		return 0;
	__builtin_memset((void *)o + sizeof(o->hdr), 0, sizeof(*o) - sizeof(o->hdr));
	o->obj = l->obj;
	o->ino = l->ino;
	o->dev = l->dev;
	o->pid = pid;
	o->fd = fd;
	o->kind = l->kind;
	o->sock_type = l->type;
	if (l->kind == KIND_PIPE || l->kind == KIND_FIFO) {
		describe_pipe(o, l->file);
		if (l->kind == KIND_FIFO)
			describe_fifo(o, l);
	} else if (l->kind == KIND_MQ) {
		describe_mq(o, l);
	} else if (l->kind == KIND_PTY) {
		describe_pty(o, l->sk);
	} else if (l->kind == KIND_EVENTFD) {
		describe_eventfd(o, l->sk);
	} else if (l->kind <= KIND_UDP) {
		describe_sock(o, l->sk);
		if (l->path)
			describe_target(o, l);
		if (o->backlog && l->arrived)
			o->backlog--;
	}
	__u32 state = DESCRIBED | (o->lport ? DESCRIBED_PORT : 0);
	__u64 obj = l->obj;
	ring_submit(o);
	if (!(flags & RAW_IF_PEER)) /* the joiner may not have kept that one */
		bpf_map_update_elem(&described, &obj, &state, BPF_ANY);
	return 0;
}

/* Describes *l unless the collector knows it. *s may be NULL. */
static __always_inline void describe_once(struct thread *s, struct look *l, __u32 pid, __s32 fd,
					  __u64 now)
{
	if (s && s->described == l->obj)
		return;
	__u64 obj = l->obj;
	if (!bpf_map_lookup_elem(&described, &obj))
		describe(l, pid, fd, 0, now);
	if (s)
		s->described = obj;
}

/* ---- endpoints ---- */

static __always_inline void endpoint_emit(__u64 obj, __u32 pid, __s32 fd, __u8 what, __u8 dir,
					  __u32 flags, __u64 now)
{
	struct ev_endpoint *e = ring_control(sizeof(*e), EV_ENDPOINT, flags, now);
	if (!e)
		return;
	e->chan = obj;
	e->pid = pid;
	e->fd = fd;
	e->what = what;
	e->dir = dir;
	e->side = 0;
	e->pad = 0;
	e->from = 0;
	ring_submit(e);
}

static __always_inline __u8 look_dir(const struct look *l)
{
	return (l->f_mode & FMODE_READ ? ENDPOINT_DIR_READ : 0) |
	       (l->f_mode & FMODE_WRITE ? ENDPOINT_DIR_WRITE : 0);
}

/*
 * One after the other, the channel descriptors of a process's table, from `first` to `last`: by the map of
 * those in use, for a table may have room for a million.
 */
struct fd_walk {
	__u64 fds;  /* struct file ** */
	__u64 open; /* the map: a bit for each */
	__u64 now;
	__u64 word; /* of the map, under way: of descriptors … */
	__u32 base; /* … from this one on */
	__u32 first, last;
	__u32 pid;
	__u8 what;
};
#define FD_WALK_WORDS 65536

/* Looks at one descriptor of w->word. Returns whether it is a channel's. */
static __always_inline bool fd_walk_look(__u32 i, const struct fd_walk *w, __u32 fd, struct look *l)
{
	void *fp = NULL;
	if (!(w->word >> (i & 63) & 1) || fd < w->first || fd > w->last ||
	    bpf_probe_read_kernel(&fp, sizeof(fp), (void *)w->fds + (__u64)fd * sizeof(fp)) || !fp)
		return false;
	look_file(fp, l);
	return l->obj;
}

static long fd_walk_one(__u32 i, struct fd_walk *w)
{
	struct look l;
	__u32 fd = w->base + i;
	if (!fd_walk_look(i, w, fd, &l))
		return 0;
	describe_once(NULL, &l, w->pid, (__s32)fd, w->now);
	endpoint_emit(l.obj, w->pid, (__s32)fd, w->what, look_dir(&l),
		      w->what == ENDPOINT_SEEN ? EV_SYNTHETIC : 0, w->now);
	return 0;
}

/* Apart from that one: with what describing needs, the way from sys_enter would be too deep. */
static long fd_close_one(__u32 i, struct fd_walk *w)
{
	struct look l;
	__u32 fd = w->base + i;
	if (fd_walk_look(i, w, fd, &l))
		endpoint_emit(l.obj, w->pid, (__s32)fd, ENDPOINT_CLOSE, 0, 0, w->now);
	return 0;
}

static __always_inline bool fd_walk_next(__u32 i, struct fd_walk *w)
{
	w->base = (w->first & ~63u) + i * 64;
	return bpf_probe_read_kernel(&w->word, sizeof(w->word), (void *)w->open + w->base / 8) == 0;
}

static long fd_walk_word(__u32 i, struct fd_walk *w)
{
	if (!fd_walk_next(i, w))
		return 1;
	if (w->word)
		bpf_loop(64, fd_walk_one, w, 0);
	return 0;
}

static long fd_close_word(__u32 i, struct fd_walk *w)
{
	if (!fd_walk_next(i, w))
		return 1;
	if (w->word)
		bpf_loop(64, fd_close_one, w, 0);
	return 0;
}

static __always_inline void fd_walk_range(struct task_struct *t, __u32 first, __u32 last, __u8 what,
					  __u64 now)
{
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	__u32 max = fdt ? BPF_CORE_READ(fdt, max_fds) : 0;
	if (first >= max || last < first)
		return;
	struct fd_walk w = {
		.fds = (__u64)BPF_CORE_READ(fdt, fd),
		.open = (__u64)BPF_CORE_READ(fdt, open_fds),
		.now = now,
		.first = first,
		.last = last < max ? last : max - 1,
		.pid = BPF_CORE_READ(t, tgid),
		.what = what,
	};
	__u32 words = w.last / 64 - first / 64 + 1;
	if (words > FD_WALK_WORDS) { /* more than four million */
		count(RAW_COUNT_LOST_CTL);
		words = FD_WALK_WORDS;
	}
	if (what == ENDPOINT_CLOSE)
		bpf_loop(words, fd_close_word, &w, 0);
	else
		bpf_loop(words, fd_walk_word, &w, 0);
}

static __always_inline void fd_walk(struct task_struct *t, __u8 what, __u64 now)
{
	fd_walk_range(t, 0, ~0u, what, now);
}

#endif
