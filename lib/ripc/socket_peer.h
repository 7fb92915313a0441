/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside ripc_socket: what the server and the client sides share. */
#ifndef RIPC_SOCKET_PEER_H
#define RIPC_SOCKET_PEER_H

#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ripc_socket.h"

struct ripc_peer {
	int fd;     /* where it receives, and sends but for a UDP server's */
	int out_fd; /* a UDP server's socket, shared by its peers; else −1 */
	int type;
	atomic_bool cut; /* the server stops: an end is no end of the client's */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char name[64];
};

void peer_init(struct ripc_peer *peer, int type, int fd, const struct sockaddr_storage *addr,
	       socklen_t addr_len);
int peer_set_timeout(int fd, unsigned int ms);

/* The addresses of a host; to be freed with freeaddrinfo. socket_address.c */
int socket_resolve(struct addrinfo **list, const char *host, uint16_t port, int type, bool passive);
/* A socket at the first of them that can be had, listening if it is a stream's; or -errno. */
int socket_bind(const char *host, uint16_t port, int type, unsigned int backlog);
uint16_t socket_port(int fd);
bool socket_is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

#endif
