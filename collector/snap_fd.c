// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads and writes that sleep: pipes, FIFOs, eventfds, terminals; sockets are snap_sock.c's. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "snap_world.h"

#define MODE_READ 1u
#define MODE_WRITE 2u

/* ---- names ---- */

static void name_pipe(struct snap_world *w, const struct snap_file *f, struct wg_chan *c)
{
	const struct snap_pipe *p = snap_pipe_of(w, f->obj);
	c->kind = f->what == SNAP_IS_PIPE ? KIND_PIPE : KIND_FIFO;
	snprintf(c->ident, sizeof(c->ident), "%s:[%llu]", c->kind == KIND_PIPE ? "pipe" : "fifo",
		 (unsigned long long)f->ino);
	if (c->kind == KIND_FIFO)
		snap_fd_link(f->pid, f->fd, c->name, sizeof(c->name));
	if (p)
		snprintf(c->detail, sizeof(c->detail), "%s (%u of %u buffers used), %u reading, %u writing end%s",
			 !p->used ? "empty" : p->used >= p->slots ? "full" : "partly full", p->used,
			 p->slots, p->readers, p->writers, p->writers == 1 ? "" : "s");
}

static uint32_t file_chan_new(struct snap_world *w, const struct snap_file *f)
{
	struct wg_chan c = { .kind = KIND_NONE };
	const struct snap_sock *s = f->what == SNAP_IS_SOCK ? snap_sock_of(w, f->obj) : NULL;
	if (f->what == SNAP_IS_PIPE || f->what == SNAP_IS_FIFO) {
		name_pipe(w, f, &c);
	} else if (s) {
		snap_sock_name(w, s, f->ino, &c);
	} else {
		snap_fd_link(f->pid, f->fd, c.ident, sizeof(c.ident));
		if (!c.ident[0])
			snprintf(c.ident, sizeof(c.ident), "inode %llu", (unsigned long long)f->ino);
	}
	return wg_chan(w->g, &c);
}

/* Both sockets of a connection are one channel. */
static uint64_t chan_identity(struct snap_world *w, const struct snap_file *f)
{
	const struct snap_sock *s = f->what == SNAP_IS_SOCK ? snap_sock_of(w, f->obj) : NULL;
	if (!s)
		return f->obj ? f->obj : f->ino;
	const struct snap_sock *tcp = s->family == AF_UNIX ? NULL : snap_tuple_peer(w, s);
	uint64_t peer = tcp ? tcp->obj : s->peer;
	return peer && peer < s->obj ? peer : s->obj;
}

uint32_t snap_file_chan(struct snap_world *w, uint32_t row)
{
	const struct snap_file *f = w->files[row];
	uint64_t id = chan_identity(w, f);
	uint32_t chan = *snap_memo(w, MEMO_CHAN, id);
	if (!chan) {
		chan = file_chan_new(w, f);
		*snap_memo(w, MEMO_CHAN, id) = chan;
	}
	return chan;
}

/* ---- anonymous files ---- */

static wg_ref timerfd_readable(struct snap_world *w, const struct snap_file *f, uint32_t chan)
{
	char *text = snap_fdinfo(f->pid, f->fd);
	const char *at = text ? strstr(text, "it_value: (") : NULL;
	long long s = 0, ns = 0;
	wg_ref cond = 0;
	if (!at || sscanf(at, "it_value: (%lld, %lld)", &s, &ns) != 2)
		cond = snap_unknown(w, "a timer that cannot be read");
	else if (s || ns)
		cond = wg_outside(w->g, WG_TIMEOUT, "a timerfd is armed");
	free(text);
	return snap_or(w, cond, snap_holders(w, f->obj, chan, 0));
}

static wg_ref pidfd_readable(struct snap_world *w, const struct snap_file *f)
{
	char *text = snap_fdinfo(f->pid, f->fd);
	const char *at = text ? strstr(text, "\nPid:") : NULL;
	unsigned int pid = 0;
	if (at)
		sscanf(at, "\nPid: %u", &pid);
	free(text);
	return pid && snap_task_of(w, pid) ? wg_process_ref(w->g, pid)
					   : snap_unknown(w, "the process of a pidfd");
}

/* The kernel itself may add to an eventfd: for an io_uring, AIO, a cgroup, a guest. Those are no descriptors. */
static wg_ref eventfd_end(struct snap_world *w, const struct snap_file *f, uint32_t chan)
{
	wg_ref holders = snap_holders(w, f->obj, chan, 0);
	return f->users > 1 ? snap_or(w, holders, snap_unknown(w, "the kernel may add to the eventfd, for an io_uring or AIO"))
			    : holders;
}

static wg_ref anon_readable(struct snap_world *w, const struct snap_task *t, const struct snap_file *f,
			    uint32_t chan, bool *quiet)
{
	char link[64];
	snap_fd_link(f->pid, f->fd, link, sizeof(link));
	if (strcmp(link, "anon_inode:[eventfd]") == 0) {
		*quiet = true;
		return eventfd_end(w, f, chan);
	}
	if (strcmp(link, "anon_inode:[timerfd]") == 0)
		return timerfd_readable(w, f, chan);
	if (strcmp(link, "anon_inode:[signalfd]") == 0) {
		*quiet = true; /* the end of a child is a signal */
		return snap_or(w, wg_outside(w->g, WG_SIG, "a signal for its signalfd"), snap_children(w, t, 0));
	}
	if (strcmp(link, "anon_inode:[pidfd]") == 0)
		return pidfd_readable(w, f);
	return snap_unknown(w, link[0] ? link : "a file without a name");
}

/* ---- any descriptor ---- */

static bool is_terminal(const struct snap_file *f)
{
	char link[64];
	snap_fd_link(f->pid, f->fd, link, sizeof(link));
	return strncmp(link, "/dev/pts/", 9) == 0 || strncmp(link, "/dev/tty", 8) == 0 ||
	       strcmp(link, "/dev/console") == 0;
}

/* Those who have the other end of what has a name to be opened by, too. */
static wg_ref far_end(struct snap_world *w, const struct snap_file *f, uint32_t chan, unsigned int mode)
{
	wg_ref cond = snap_holders(w, f->obj, chan, mode);
	if (f->what != SNAP_IS_PIPE)
		cond = snap_or(w, cond, wg_outside(w->g, WG_NEW, f->what == SNAP_IS_FIFO ? "anyone who opens the FIFO"
										       : "anyone who opens the queue"));
	return cond;
}

wg_ref snap_readable(struct snap_world *w, const struct snap_task *t, uint32_t row, bool *quiet)
{
	const struct snap_file *f = w->files[row];
	uint32_t chan = snap_file_chan(w, row);
	const struct snap_pipe *p = snap_pipe_of(w, f->obj);
	const struct snap_sock *s = snap_sock_of(w, f->obj);
	switch (f->what) {
	case SNAP_IS_PIPE:
	case SNAP_IS_FIFO:
		if (!(f->mode & MODE_READ)) { /* a write end is polled: that its readers have gone is all it tells */
			*quiet = true;
			return far_end(w, f, chan, MODE_READ);
		}
		if (p ? p->used : w->whole) /* without its state: it sleeps, so there is nothing */
			return snap_unknown(w, p ? "there is something to read" : "the state of the pipe");
		*quiet = true;
		return far_end(w, f, chan, MODE_WRITE);
	case SNAP_IS_SOCK:
		return s ? snap_sock_readable(w, s, chan, quiet) : snap_unknown(w, "the state of the socket");
	case SNAP_IS_MQ:
		*quiet = true;
		return far_end(w, f, chan, MODE_WRITE);
	case SNAP_IS_ANON:
		return anon_readable(w, t, f, chan, quiet);
	case SNAP_IS_CHAR:
		*quiet = true;
		return is_terminal(f) ? wg_outside(w->g, WG_PERSON, "somebody types")
				      : wg_outside(w->g, WG_REMOTE, "a device");
	default:
		return snap_unknown(w, "a file of a kind that is not understood");
	}
}

wg_ref snap_writable(struct snap_world *w, uint32_t row)
{
	const struct snap_file *f = w->files[row];
	uint32_t chan = snap_file_chan(w, row);
	const struct snap_pipe *p = snap_pipe_of(w, f->obj);
	const struct snap_sock *s = snap_sock_of(w, f->obj);
	switch (f->what) {
	case SNAP_IS_PIPE:
	case SNAP_IS_FIFO:
		if (!(f->mode & MODE_WRITE)) /* a read end is polled: that its writers have gone */
			return far_end(w, f, chan, MODE_WRITE);
		/* slots, not bytes: a pipe is full when each holds something */
		if (p ? p->used < p->slots : w->whole)
			return snap_unknown(w, p ? "there is room to write" : "the state of the pipe");
		return far_end(w, f, chan, MODE_READ);
	case SNAP_IS_SOCK:
		return s ? snap_sock_writable(w, s, chan) : snap_unknown(w, "the state of the socket");
	case SNAP_IS_MQ:
		return far_end(w, f, chan, MODE_READ);
	case SNAP_IS_ANON: {
		char link[64];
		snap_fd_link(f->pid, f->fd, link, sizeof(link));
		return strcmp(link, "anon_inode:[eventfd]") == 0 ? eventfd_end(w, f, chan)
								 : snap_unknown(w, "a file without a name");
	}
	case SNAP_IS_CHAR:
		return wg_outside(w->g, is_terminal(f) ? WG_PERSON : WG_REMOTE, "a terminal or device");
	default:
		return snap_unknown(w, "a file of a kind that is not understood");
	}
}

/* ---- the calls ---- */

enum way { WAY_READ = 1, WAY_WRITE, WAY_ACCEPT, WAY_CONNECT };

static const struct fd_call {
	int nr;
	const char *word;
	uint8_t way, arg;
	uint8_t timeout; /* argument that points to a timespec; 0: none */
	uint8_t how;     /* enum snap_time of it */
} fd_calls[] = {
	{ SYS_read, "read", WAY_READ, 0, 0, 0 },
	{ SYS_readv, "readv", WAY_READ, 0, 0, 0 },
	{ SYS_preadv2, "preadv2", WAY_READ, 0, 0, 0 },
	{ SYS_recvfrom, "recvfrom", WAY_READ, 0, 0, 0 },
	{ SYS_recvmsg, "recvmsg", WAY_READ, 0, 0, 0 },
	{ SYS_recvmmsg, "recvmmsg", WAY_READ, 0, 4, SNAP_TIMESPEC },
	{ SYS_write, "write", WAY_WRITE, 0, 0, 0 },
	{ SYS_writev, "writev", WAY_WRITE, 0, 0, 0 },
	{ SYS_pwritev2, "pwritev2", WAY_WRITE, 0, 0, 0 },
	{ SYS_sendto, "sendto", WAY_WRITE, 0, 0, 0 },
	{ SYS_sendmsg, "sendmsg", WAY_WRITE, 0, 0, 0 },
	{ SYS_sendmmsg, "sendmmsg", WAY_WRITE, 0, 0, 0 },
	{ SYS_vmsplice, "vmsplice", WAY_WRITE, 0, 0, 0 },
	{ SYS_accept, "accept", WAY_ACCEPT, 0, 0, 0 },
	{ SYS_accept4, "accept4", WAY_ACCEPT, 0, 0, 0 },
	{ SYS_connect, "connect", WAY_CONNECT, 0, 0, 0 },
	{ SYS_mq_timedreceive, "mq_receive", WAY_READ, 0, 4, SNAP_TIMESPEC_REALTIME },
	{ SYS_mq_timedsend, "mq_send", WAY_WRITE, 0, 4, SNAP_TIMESPEC_REALTIME },
};

static const struct fd_call *find_call(int nr)
{
	for (size_t i = 0; i < sizeof(fd_calls) / sizeof(fd_calls[0]); i++)
		if (fd_calls[i].nr == nr)
			return &fd_calls[i];
	return NULL;
}

static enum wg_wait wait_kind(const struct snap_file *f, uint8_t way)
{
	if (f->what == SNAP_IS_MQ)
		return way == WAY_READ ? WG_MSG_RECV : WG_MSG_SEND;
	if (f->what == SNAP_IS_CHAR)
		return WG_TERMINAL;
	if (way == WAY_ACCEPT || way == WAY_CONNECT)
		return WG_ACCEPT;
	return way == WAY_READ ? WG_READ : WG_WRITE;
}

static void sock_timeout(struct snap_call *c, const struct snap_file *f, uint8_t way)
{
	const struct snap_sock *s = f->what == SNAP_IS_SOCK ? snap_sock_of(c->w, f->obj) : NULL;
	int64_t ticks = !s ? SNAP_FOREVER : way == WAY_READ || way == WAY_ACCEPT ? s->rcvtimeo : s->sndtimeo;
	if (ticks != SNAP_FOREVER) /* how long a tick is, the kernel does not say: CONFIG_HZ */
		c->th->condition = snap_or(c->w, c->th->condition,
					   wg_outside(c->w->g, WG_TIMEOUT, "SO_RCVTIMEO or SO_SNDTIMEO"));
}

static wg_ref way_condition(struct snap_call *c, uint32_t row, uint8_t way)
{
	const struct snap_file *f = c->w->files[row];
	const struct snap_sock *s = f->what == SNAP_IS_SOCK ? snap_sock_of(c->w, f->obj) : NULL;
	wg_ref addressee = s && way != WAY_READ ? snap_addressee(c, s) : 0;
	if (addressee)
		return addressee;
	if (way == WAY_WRITE)
		return snap_writable(c->w, row);
	if (way == WAY_CONNECT)
		return snap_unknown(c->w, "where it connects to");
	return snap_readable(c->w, c->t, row, &c->th->quiet);
}

static void set_fd_wait(struct snap_call *c, int fd, const char *word, uint8_t way)
{
	uint32_t row = snap_fd_row(c->w, c->t, fd);
	c->th->fd = fd;
	snprintf(c->th->call, sizeof(c->th->call), "%s(%d)", word, fd);
	if (row == SNAP_NONE) { /* a file on a disk, or a descriptor that was closed meanwhile */
		c->th->wait = WG_OTHER;
		c->th->condition = snap_unknown(c->w, "what the descriptor leads to");
		return;
	}
	const struct snap_file *f = c->w->files[row];
	c->th->wait = wait_kind(f, way);
	c->th->chan = snap_file_chan(c->w, row);
	c->th->condition = way_condition(c, row, way);
	sock_timeout(c, f, way);
}

/* From one descriptor to another: which of the two it waits for, their state tells. */
static bool wait_two(struct snap_call *c, int in, int out, const char *word)
{
	uint32_t row = snap_fd_row(c->w, c->t, in);
	const struct snap_pipe *p = row == SNAP_NONE ? NULL : snap_pipe_of(c->w, c->w->files[row]->obj);
	const struct snap_sock *s = row == SNAP_NONE ? NULL : snap_sock_of(c->w, c->w->files[row]->obj);
	bool empty = p ? !p->used : s && !s->unread && !s->rcvq;
	set_fd_wait(c, empty ? in : out, word, empty ? WAY_READ : WAY_WRITE);
	return true;
}

bool snap_wait_fd(struct snap_call *c)
{
	if (c->t->nr == SYS_splice)
		return wait_two(c, (int)c->t->args[0], (int)c->t->args[2], "splice");
	if (c->t->nr == SYS_tee)
		return wait_two(c, (int)c->t->args[0], (int)c->t->args[1], "tee");
	if (c->t->nr == SYS_sendfile)
		return wait_two(c, (int)c->t->args[1], (int)c->t->args[0], "sendfile");
	const struct fd_call *k = find_call(c->t->nr);
	if (!k)
		return false;
	set_fd_wait(c, (int)c->t->args[k->arg], k->word, k->way);
	if (k->timeout)
		snap_timeout(c, c->t->args[k->timeout], (enum snap_time)k->how);
	return true;
}
