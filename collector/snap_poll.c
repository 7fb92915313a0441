// SPDX-License-Identifier: GPL-2.0-or-later
/* poll, select and epoll: any one of their descriptors will do. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/base/clock.h"
#include "snap_world.h"

#define FDS_MAX 4096u

/* One gate for all descriptors; the first one's channel stands for the call. */
struct polled {
	struct snap_call *c;
	wg_ref gate;
	unsigned int n;
	bool loud; /* one of them does not look like idling */
};

static void add_fd(struct polled *p, const struct snap_task *owner, int fd, unsigned int events)
{
	struct snap_world *w = p->c->w;
	uint32_t row = snap_fd_row(w, owner, fd);
	p->n++;
	if (row == SNAP_NONE) {
		p->loud = true;
		wg_add(w->g, p->gate, snap_unknown(w, "what one of the descriptors leads to"), 1);
		return;
	}
	if (!p->c->th->chan) {
		p->c->th->chan = snap_file_chan(w, row);
		p->c->th->fd = fd;
	}
	bool reads = (events & (POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI)) != 0;
	bool writes = (events & (POLLOUT | POLLWRNORM | POLLWRBAND)) != 0;
	bool quiet = false;
	if (reads || !writes) /* without either, for an error or a hang-up: its other end brings that too */
		wg_add(w->g, p->gate, snap_readable(w, owner, row, &quiet), 1);
	if (writes)
		wg_add(w->g, p->gate, snap_writable(w, row), 1);
	if (!quiet || writes)
		p->loud = true;
}

static void begin(struct polled *p, struct snap_call *c, const char *word)
{
	*p = (struct polled){ .c = c, .gate = wg_any(c->w->g) };
	c->th->wait = WG_POLL;
	c->th->condition = p->gate;
	snprintf(c->th->call, sizeof(c->th->call), "%s", word);
}

static void unread(struct polled *p, const char *why)
{
	p->loud = true;
	wg_add(p->c->w->g, p->gate, snap_unknown(p->c->w, why), 1);
}

static void finish(struct polled *p, const char *word)
{
	struct wg_thread *th = p->c->th;
	if (p->n == 1 && th->fd >= 0)
		snprintf(th->call, sizeof(th->call), "%s(%d)", word, th->fd);
	else
		snprintf(th->call, sizeof(th->call), "%s of %u descriptors", word, p->n);
	th->quiet = !p->loud;
	if (p->n)
		return;
	th->wait = WG_SIGNAL; /* nothing at all: a way to sleep */
	wg_add(p->c->w->g, p->gate, wg_outside(p->c->w->g, WG_SIG, "a signal"), 1);
}

static bool wait_poll(struct snap_call *c)
{
	struct polled p;
	uint64_t n = c->t->args[1];
	begin(&p, c, "poll");
	if (n > FDS_MAX) {
		unread(&p, "more descriptors than are looked at");
		n = FDS_MAX;
	}
	struct pollfd *fds = n ? calloc(n, sizeof(*fds)) : NULL;
	if (n && (!fds || !snap_mem_read(c->t->pid, c->t->args[0], fds, n * sizeof(*fds)))) {
		unread(&p, "the list of descriptors");
		n = 0;
		p.n = 1;
	}
	for (uint64_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			add_fd(&p, c->t, fds[i].fd, (unsigned int)(uint16_t)fds[i].events);
	free(fds);
	finish(&p, "poll");
	return true;
}

static bool wait_select(struct snap_call *c)
{
	static const unsigned int events[4] = { 0, POLLIN, POLLOUT, POLLPRI };
	struct polled p;
	uint64_t n = c->t->args[0], *bits = calloc(FDS_MAX / 64, sizeof(*bits));
	begin(&p, c, "select");
	if (n > FDS_MAX || !bits) {
		unread(&p, "more descriptors than are looked at");
		n = n > FDS_MAX ? FDS_MAX : n;
	}
	for (int k = 1; bits && k <= 3; k++) {
		if (!c->t->args[k])
			continue;
		if (!snap_mem_read(c->t->pid, c->t->args[k], bits, (n + 63) / 64 * 8)) {
			unread(&p, "the set of descriptors");
			p.n++;
			continue;
		}
		for (uint64_t fd = 0; fd < n; fd++)
			if (bits[fd / 64] >> (fd % 64) & 1)
				add_fd(&p, c->t, (int)fd, events[k]);
	}
	free(bits);
	finish(&p, "select");
	return true;
}

/*
 * An epoll set outlives the descriptors it was given: a line of it counts only when the descriptor of
 * that number still is the same file.
 */
static void add_epoll_line(struct polled *p, const char *line)
{
	int fd;
	unsigned int events, major_minor;
	uint64_t data, ino;
	long long pos;
	if (sscanf(line, "tfd: %d events: %x data: %" SCNx64 " pos:%lld ino:%" SCNx64 " sdev:%x", &fd,
		   &events, &data, &pos, &ino, &major_minor) != 6) {
		unread(p, "a line of the epoll set");
		return;
	}
	uint32_t row = snap_fd_row(p->c->w, p->c->t, fd);
	if (row == SNAP_NONE || p->c->w->files[row]->ino != ino) {
		p->n++;
		unread(p, "a descriptor of the epoll set that is open elsewhere");
		return;
	}
	add_fd(p, p->c->t, fd, events);
}

static bool wait_epoll(struct snap_call *c)
{
	struct polled p;
	int epfd = (int)c->t->args[0];
	char *text = snap_fdinfo(c->t->pid, epfd), *save = NULL;
	uint32_t row = snap_fd_row(c->w, c->t, epfd);
	begin(&p, c, "epoll_wait");
	if (!text)
		unread(&p, "the epoll set");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "tfd:", 4) == 0)
			add_epoll_line(&p, line);
	free(text);
	/* whoever has the set may put more into it */
	if (row == SNAP_NONE)
		unread(&p, "who has the epoll set");
	else
		wg_add(c->w->g, p.gate, snap_holders(c->w, c->w->files[row]->obj, 0, 0), 1);
	finish(&p, "epoll_wait");
	c->th->fd = epfd;
	return true;
}

static void timeout_ms(struct snap_call *c, uint64_t arg)
{
	if ((int)arg >= 0)
		snap_timeout_ns(c, (uint64_t)(int)arg * NS_PER_MS);
}

bool snap_wait_poll(struct snap_call *c)
{
	const __u64 *a = c->t->args;
	bool mine = true;
	switch (c->t->nr) {
#ifdef SYS_poll
	case SYS_poll: wait_poll(c); timeout_ms(c, a[2]); break;
#endif
	case SYS_ppoll: wait_poll(c); snap_timeout(c, a[2], SNAP_TIMESPEC); break;
#ifdef SYS_select
	case SYS_select: wait_select(c); snap_timeout(c, a[4], SNAP_TIMEVAL); break;
#endif
	case SYS_pselect6: wait_select(c); snap_timeout(c, a[4], SNAP_TIMESPEC); break;
#ifdef SYS_epoll_wait
	case SYS_epoll_wait: wait_epoll(c); timeout_ms(c, a[3]); break;
#endif
	case SYS_epoll_pwait: wait_epoll(c); timeout_ms(c, a[3]); break;
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2: wait_epoll(c); snap_timeout(c, a[3], SNAP_TIMESPEC); break;
#endif
	default: mine = false;
	}
	return mine;
}
