// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds which end. A process has at most one open endpoint at an fd; its slot keeps the last
 * one after it was closed, so that what survives an exec is recognised and a straggling operation
 * does not open it again. Attachments (fd -1) are counted one by one.
 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct endpoint *endpoint_slot(const struct proc *p, int32_t fd)
{
	if (fd >= 0 && (uint32_t)fd < p->nfds)
		return p->fds[fd];
	struct endpoint *e = NULL;
	if (fd >= FDS_DENSE && p->high_fds)
		HASH_FIND(hh, p->high_fds, &fd, sizeof(fd), e);
	return e;
}

int endpoint_set_slot(struct proc *p, int32_t fd, struct endpoint *e)
{
	if (fd >= FDS_DENSE) {
		struct endpoint *old = endpoint_slot(p, fd);
		if (old)
			HASH_DELETE(hh, p->high_fds, old);
		HASH_ADD(hh, p->high_fds, pub.fd, sizeof(fd), e);
		return e->hh.tbl ? 0 : -ENOMEM;
	}
	if ((uint32_t)fd >= p->nfds) {
		uint32_t n = p->nfds ? p->nfds : 8;
		while (n <= (uint32_t)fd)
			n *= 2;
		struct endpoint **fds = reallocarray(p->fds, n, sizeof(struct endpoint *));
		if (!fds)
			return -ENOMEM;
		memset(&fds[p->nfds], 0, (n - p->nfds) * sizeof(struct endpoint *));
		p->fds = fds;
		p->nfds = n;
	}
	p->fds[fd] = e;
	return 0;
}

static struct chan *chan_of(const struct endpoint *e) { return (struct chan *)e->pub.chan; }

static void endpoint_close(struct model *m, struct endpoint *e, uint64_t t_ns)
{
	if (!e->pub.open)
		return;
	e->pub.open = false;
	e->pub.to_ns = t_ns;
	e->pub.chan->nopen--;
	chan_of(e)->resurvey = true;
	ended_note(m, ENDED_ENDPOINT, &e->end_seq);
}

static void endpoint_reopen(struct model *m, struct endpoint *e)
{
	ended_undo(m, ENDED_ENDPOINT, &e->end_seq);
	e->pub.open = true;
	e->pub.to_ns = 0;
	e->pub.chan->nopen++;
	chan_of(e)->resurvey = true;
}

static struct endpoint *endpoint_new(struct proc *p, struct chan *c, int32_t fd, uint64_t t_ns)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->pub.proc = &p->pub;
	e->pub.chan = &c->pub;
	e->pub.fd = fd;
	e->pub.open = true;
	e->pub.from_ns = t_ns;
	if (fd < 0) {
		e->attached_next = p->attached;
		p->attached = e;
	} else if (endpoint_set_slot(p, fd, e) < 0) {
		free(e);
		return NULL;
	}
	c->pub.nopen++;
	*c->endpoint_tail = &e->pub;
	c->endpoint_tail = &e->pub.next;
	return e;
}

/* The open endpoint of that fd and channel, made or revived when there is none. */
static struct endpoint *endpoint_hold(struct model *m, struct proc *p, struct chan *c, int32_t fd,
				      uint64_t t_ns, bool inherit)
{
	struct endpoint *e = endpoint_slot(p, fd);
	if (e && chan_of(e) == c) {
		if (e->pub.open)
			return e;
		if (inherit && p->exec_ns && e->pub.to_ns == p->exec_ns) {
			endpoint_reopen(m, e);
			return e;
		}
	}
	if (e)
		endpoint_close(m, e, t_ns); /* another channel at this fd: its close was missed */
	return endpoint_new(p, c, fd, t_ns);
}

static void detach(struct model *m, struct proc *p, const struct chan *c, uint64_t t_ns)
{
	for (struct endpoint **link = &p->attached; *link; link = &(*link)->attached_next) {
		struct endpoint *e = *link;
		if (chan_of(e) == c) {
			endpoint_close(m, e, t_ns);
			*link = e->attached_next;
			return;
		}
	}
}

/* No more than one event in a channel's life: its closes were not seen. */
void endpoints_close_chan(struct model *m, struct chan *c, uint64_t t_ns)
{
	for (struct m_endpoint *e = c->pub.endpoints; e && c->pub.nopen > 0; e = e->next) {
		if (e->open && e->fd < 0)
			detach(m, (struct proc *)e->proc, c, t_ns);
		else
			endpoint_close(m, (struct endpoint *)e, t_ns);
	}
}

void endpoints_close_all(struct model *m, struct proc *p, uint64_t t_ns)
{
	for (uint32_t fd = 0; fd < p->nfds; fd++)
		if (p->fds[fd])
			endpoint_close(m, p->fds[fd], t_ns);
	for (struct endpoint *e = p->high_fds; e; e = e->hh.next)
		endpoint_close(m, e, t_ns);
	for (struct endpoint *e = p->attached; e; e = e->attached_next)
		endpoint_close(m, e, t_ns);
	p->attached = NULL;
}

void endpoints_resurvey(const struct proc *p)
{
	for (uint32_t fd = 0; fd < p->nfds; fd++)
		if (p->fds[fd]) {
			chan_of(p->fds[fd])->has_outside |= p->pub.outside;
			chan_of(p->fds[fd])->resurvey = true;
		}
	for (struct endpoint *e = p->high_fds; e; e = e->hh.next) {
		chan_of(e)->has_outside |= p->pub.outside;
		chan_of(e)->resurvey = true;
	}
}

void endpoint_drop(struct endpoint *e)
{
	struct proc *p = (struct proc *)e->pub.proc;
	int32_t fd = e->pub.fd;
	if (endpoint_slot(p, fd) == e) {
		if (fd < FDS_DENSE)
			p->fds[fd] = NULL;
		else
			HASH_DELETE(hh, p->high_fds, e);
	}
	free(e);
}

void endpoints_free(struct proc *p)
{
	HASH_CLEAR(hh, p->high_fds);
	free(p->fds);
}

static int endpoint_end(struct model *m, const struct ev_endpoint *ev)
{
	struct proc *p = proc_find(m, ev->pid);
	struct chan *c = chan_find(m, ev->chan);
	if (!p || !c)
		return 0; /* nothing is known to be held */
	struct endpoint *e = endpoint_slot(p, ev->fd);
	if (ev->what == ENDPOINT_DETACH)
		detach(m, p, c, ev->hdr.t_ns);
	else if (e && chan_of(e) == c)
		endpoint_close(m, e, ev->hdr.t_ns);
	return 0;
}

int endpoints_apply(struct model *m, const struct ev_endpoint *ev)
{
	bool attachment = ev->what == ENDPOINT_ATTACH || ev->what == ENDPOINT_DETACH;
	if (ev->what < ENDPOINT_OPEN || ev->what > ENDPOINT_PASSED || ev->chan == 0 ||
	    (ev->fd < 0 && !attachment))
		return -EINVAL;
	if (ev->what == ENDPOINT_CLOSE || ev->what == ENDPOINT_DETACH)
		return endpoint_end(m, ev);
	struct proc *p = proc_get(m, ev->pid, ev->hdr.t_ns);
	struct chan *c = p ? chan_get(m, ev->chan, ev->hdr.t_ns) : NULL;
	if (!c)
		return -ENOMEM;
	if (ev->what == ENDPOINT_SEEN && !c->pub.endpoints) {
		c->older = true; /* nobody was seen making it */
		chan_update_known(c);
	}
	struct endpoint *e =
	    attachment ? endpoint_new(p, c, -1, ev->hdr.t_ns)
		       : endpoint_hold(m, p, c, ev->fd, ev->hdr.t_ns, ev->what == ENDPOINT_INHERIT);
	if (!e)
		return -ENOMEM;
	e->pub.dir |= ev->dir;
	e->pub.side = ev->side;
	if (ev->what == ENDPOINT_PASSED)
		e->pub.passed_by = ev->from;
	c->has_outside |= p->pub.outside;
	c->resurvey = true;
	if (ev->hdr.flags & EV_SYNTHETIC)
		e->pub.synthetic = true;
	if (p->pub.exited) { /* a last word of a process known to be gone */
		endpoint_close(m, e, p->pub.exit_ns);
		if (attachment)
			p->attached = e->attached_next;
	}
	return 0;
}

/* A datagram is sent on one socket and belongs to another, or to the pair of a socket and an
 * address. A descriptor that a signal is sent through, or read from, is no end of its channel. */
static bool is_own_channel(const struct chan *c, const struct ev_io *io)
{
	if (c->pub.shape == SHAPE_DIRECT)
		return false;
	if (c->pub.shape != SHAPE_DGRAM)
		return true;
	return c->pub.duplex ? c->pub.kind != KIND_UDP : !(io->hdr.flags & IO_WRITE);
}

/* An operation proves that its fd is open, unless it began before a close that we know of. */
int endpoint_used(struct model *m, struct proc *p, struct chan *c, const struct ev_io *io)
{
	uint8_t dir = (io->hdr.flags & IO_READ ? ENDPOINT_DIR_READ : 0) |
		      (io->hdr.flags & IO_WRITE ? ENDPOINT_DIR_WRITE : 0);
	if (io->fd < 0 || dir == 0 || !is_own_channel(c, io))
		return 0;
	struct endpoint *e = endpoint_slot(p, io->fd);
	if (e && chan_of(e) == c && e->pub.open) {
		if (e->pub.synthetic)
			e->pub.dir |= dir;
		return 0;
	}
	if (p->pub.exited || (e && !e->pub.open && e->pub.to_ns >= io->enter_ns))
		return 0;
	e = endpoint_hold(m, p, c, io->fd, io->enter_ns, true);
	if (!e)
		return -ENOMEM;
	if (e->pub.dir)
		return 0; /* survived an exec */
	e->pub.dir = dir;
	e->pub.side = io->hdr.flags & IO_SIDE_B ? 1 : 0;
	e->pub.synthetic = true;
	c->resurvey = true;
	return 0;
}
