// SPDX-License-Identifier: GPL-2.0-or-later
/* Unix sockets that a call names by address: connect to a full backlog, datagrams to a full queue. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "snap_world.h"

#define ADDR_TEXT 120 /* of a path of 108 bytes */

/* The address as /proc/net/unix writes it: '@' for each NUL of an abstract one. False: no name. */
static bool addr_text(const struct snap_task *t, uint64_t address, uint64_t len, char text[ADDR_TEXT])
{
	struct sockaddr_un a;
	size_t head = offsetof(struct sockaddr_un, sun_path), n;
	if (len <= head || len > sizeof(a) || !snap_mem_read(t->pid, address, &a, len) ||
	    a.sun_family != AF_UNIX)
		return false;
	n = len - head;
	memcpy(text, a.sun_path, n);
	text[n] = '\0';
	if (text[0])
		return true;
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '@';
	return n > 1;
}

static const struct snap_sock *sock_of_inode(const struct snap_world *w, uint64_t ino)
{
	for (uint32_t i = 0; i < w->nfiles; i++)
		if (w->files[i]->what == SNAP_IS_SOCK && w->files[i]->ino == ino)
			return snap_sock_of(w, w->files[i]->obj);
	return NULL;
}

/*
 * Whoever holds a socket that is bound to the name, in the thread's own network namespace, and whose
 * queue is full. There can be several when a path was unlinked and bound anew: more that may help. 0:
 * none was found.
 */
static wg_ref full_at(struct snap_call *c, const char *name)
{
	char path[64], line[256];
	wg_ref gate = 0;
	snprintf(path, sizeof(path), "/proc/%u/net/unix", c->t->pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long long ino;
		int at = 0;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*x: %*x %*x %*x %*x %*x %llu %n", &ino, &at) != 1 || !at ||
		    strcmp(line + at, name) != 0)
			continue;
		const struct snap_sock *s = sock_of_inode(c->w, ino);
		if (s && s->rcvq > s->max_backlog)
			gate = snap_or(c->w, gate, snap_holders(c->w, s->obj, c->th->chan, 0));
	}
	if (f)
		fclose(f);
	return gate;
}

/* Where the call keeps its address; 0: it gave none. */
static uint64_t addr_of(const struct snap_task *t, uint64_t *len)
{
	struct msghdr m;
	switch (t->nr) {
	case SYS_connect:
		*len = t->args[2];
		return t->args[1];
	case SYS_sendto:
		*len = t->args[5];
		return t->args[4];
	case SYS_sendmsg:
	case SYS_sendmmsg: /* the first message is the one that waits only if it is the first */
		if (!snap_mem_read(t->pid, t->args[1], &m, sizeof(m)))
			return 1; /* not to be read: an address that is no name */
		*len = t->nr == SYS_sendmmsg && m.msg_name ? 0 : m.msg_namelen;
		return (uint64_t)(uintptr_t)m.msg_name;
	default:
		return 0;
	}
}

wg_ref snap_addressee(struct snap_call *c, const struct snap_sock *s)
{
	char name[ADDR_TEXT];
	uint64_t len = 0, address = addr_of(c->t, &len);
	bool connects = c->t->nr == SYS_connect;
	if (!address)
		return 0;
	if (s->family != AF_UNIX)
		return connects ? wg_outside(c->w->g, WG_TIMEOUT, "the network gives up connecting")
				: snap_unknown(c->w, "a socket that leads out of this host");
	if (!addr_text(c->t, address, len, name))
		return snap_unknown(c->w, "who has the address it sends to");
	snprintf(c->th->detail, sizeof(c->th->detail), "%s %.100s, whose queue is full",
		 connects ? "connecting to" : "sending to", name);
	wg_ref who = full_at(c, name);
	if (who)
		return who;
	c->th->detail[0] = '\0';
	return snap_unknown(c->w, "who has the address, and why that is slow to take more");
}
