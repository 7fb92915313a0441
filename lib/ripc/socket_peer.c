// SPDX-License-Identifier: LGPL-2.1-or-later
/* One conversation: connecting, sending, receiving. */
#include "socket_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "probes.h"

static uint64_t kind_of(const struct ripc_peer *peer)
{
	return peer->type == SOCK_STREAM ? RIPC_KIND("tcp") : RIPC_KIND("udp");
}

void peer_init(struct ripc_peer *peer, int type, int fd, const struct sockaddr_storage *addr,
	       socklen_t addr_len)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	memset(peer, 0, sizeof(*peer));
	peer->fd = fd;
	peer->out_fd = -1;
	peer->type = type;
	peer->addr = *addr;
	peer->addr_len = addr_len;
	if (getnameinfo((const struct sockaddr *)addr, addr_len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	/* of IPv4, at a server for both: ::ffff:127.0.0.1 */
	bool mapped = addr->ss_family == AF_INET6 && strncmp(host, "::ffff:", 7) == 0 &&
		      strchr(host, '.');
	snprintf(peer->name, sizeof(peer->name),
		 addr->ss_family == AF_INET6 && !mapped ? "[%.48s]:%.6s" : "%.48s:%.6s",
		 mapped ? host + 7 : host, port);
}

int peer_set_timeout(int fd, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return 0;
}

/* ---- connecting ---- */

/* connect(2) with an end to its patience; the socket is blocking again afterwards. */
static int connect_within(int fd, const struct sockaddr *addr, socklen_t len, unsigned int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int flags = fcntl(fd, F_GETFL), err = 0, one = 1, n;
	socklen_t size = sizeof(err);

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)); /* UDP: no matter */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	if (connect(fd, addr, len) < 0 && errno != EINPROGRESS)
		return -errno;
	do
		n = poll(&p, 1, ms ? (int)(ms > INT32_MAX ? INT32_MAX : ms) : -1);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || fcntl(fd, F_SETFL, flags) < 0)
		return -errno;
	return -err;
}

static int connect_to(const struct addrinfo *ai, unsigned int ms)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol), err;

	if (fd < 0)
		return -errno;
	err = connect_within(fd, ai->ai_addr, ai->ai_addrlen, ms);
	if (!err && ms)
		err = peer_set_timeout(fd, ms);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int ripc_connect(struct ripc_peer **peer, const char *host, uint16_t port, int type,
		 unsigned int timeout_ms)
{
	struct sockaddr_storage addr = {0};
	struct addrinfo *list = NULL;
	int fd = -ENOENT, err;

	*peer = NULL;
	err = socket_resolve(&list, host, port, type, false);
	if (err)
		return err;
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
		fd = connect_to(ai, timeout_ms);
		if (fd >= 0) {
			memcpy(&addr, ai->ai_addr, ai->ai_addrlen);
			*peer = malloc(sizeof(**peer));
			if (*peer)
				peer_init(*peer, type, fd, &addr, ai->ai_addrlen);
		}
	}
	freeaddrinfo(list);
	if (fd >= 0 && !*peer) {
		close(fd);
		fd = -ENOMEM;
	}
	return fd < 0 ? fd : 0;
}

void ripc_close(struct ripc_peer *peer)
{
	if (!peer)
		return;
	close(peer->fd);
	free(peer);
}

int ripc_set_timeout(struct ripc_peer *peer, unsigned int timeout_ms)
{
	return peer_set_timeout(peer->fd, timeout_ms);
}

/* ---- talking ---- */

static int send_error(struct ripc_peer *peer)
{
	if (atomic_load(&peer->cut))
		return -ESHUTDOWN;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int ripc_send(struct ripc_peer *peer, const void *buf, size_t size)
{
	size_t done = 0;

	RIPC_PROBE_SEND(kind_of(peer), peer->name, 0, size, 0);
	do {
		const char *from = (const char *)buf + done;
		ssize_t n;

		if (peer->out_fd < 0)
			n = send(peer->fd, from, size - done, MSG_NOSIGNAL);
		else if (atomic_load(&peer->cut))
			return -ESHUTDOWN;
		else
			n = sendto(peer->out_fd, from, size, MSG_NOSIGNAL,
				   (struct sockaddr *)&peer->addr, peer->addr_len);
		if (n < 0 && errno != EINTR)
			return send_error(peer);
		if (n >= 0)
			done += (size_t)n;
		if (n >= 0 && peer->type == SOCK_DGRAM)
			break;
	} while (done < size);
	return 0;
}

void ripc_cut(struct ripc_peer *peer)
{
	atomic_store(&peer->cut, true);
	shutdown(peer->fd, SHUT_RDWR);
}

int ripc_send_end(struct ripc_peer *peer)
{
	if (peer->type != SOCK_STREAM)
		return -EINVAL;
	return shutdown(peer->fd, SHUT_WR) < 0 ? -errno : 0;
}

ssize_t ripc_receive(struct ripc_peer *peer, void *buf, size_t size)
{
	ssize_t n;

	RIPC_PROBE_WAIT_BEGIN(kind_of(peer), peer->name, 0);
	do
		n = recv(peer->fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	RIPC_PROBE_WAIT_END(kind_of(peer), peer->name, 0, n < 0 ? errno : 0);
	if (n < 0)
		return send_error(peer);
	if (n == 0 && atomic_load(&peer->cut))
		return -ESHUTDOWN;
	RIPC_PROBE_RECEIVE(kind_of(peer), peer->name, 0, n, 0);
	return n;
}

ssize_t ripc_receive_all(struct ripc_peer *peer, void *buf, size_t size)
{
	size_t done = 0;

	if (peer->type != SOCK_STREAM)
		return -EINVAL;
	while (done < size) {
		ssize_t n = ripc_receive(peer, (char *)buf + done, size - done);

		if (n < 0)
			return n;
		if (n == 0)
			return done ? -EPIPE : 0;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

const char *ripc_peer_name(const struct ripc_peer *peer) { return peer->name; }
