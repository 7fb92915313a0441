// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses: of a name, for a server, and whether two are one. */
#include "socket_peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_BACKLOG 64u

int socket_resolve(struct addrinfo **list, const char *host, uint16_t port, int type, bool passive)
{
	struct addrinfo hints = {.ai_socktype = type,
				 .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)};
	char service[8];

	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return -EINVAL;
	snprintf(service, sizeof(service), "%u", port);
	switch (getaddrinfo(host ? host : "127.0.0.1", service, &hints, list)) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_NONAME:
	case EAI_AGAIN:
	case EAI_FAIL:
		return -ENOENT;
	default:
		return -EINVAL;
	}
}

bool socket_is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;

		return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;

		return x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id &&
		       memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0;
	}
}

/* RFC 3493, 5.3: the unspecified address of IPv6 may stand for all of IPv4 as well. */
static int is_ipv6_only(const struct addrinfo *ai)
{
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)ai->ai_addr;

	return !IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr);
}

static int bind_to(const struct addrinfo *ai, unsigned int backlog)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			ai->ai_protocol);
	int one = 1, err;

	if (fd < 0)
		return -errno;
	if (ai->ai_socktype == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6) {
		int only = is_ipv6_only(ai);

		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	}
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    (ai->ai_socktype == SOCK_STREAM &&
	     listen(fd, (int)(backlog ? backlog : DEFAULT_BACKLOG)) < 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int socket_bind(const char *host, uint16_t port, int type, unsigned int backlog)
{
	struct addrinfo *list = NULL;
	int err = socket_resolve(&list, host, port, type, true), fd = -ENOENT;

	if (err)
		return err;
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = bind_to(ai, backlog);
	freeaddrinfo(list);
	return fd;
}

uint16_t socket_port(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return 0;
	return ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
						: ((struct sockaddr_in *)&addr)->sin_port);
}
