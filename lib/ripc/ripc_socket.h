/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers with a thread for each client, and clients, over the BSD calls: TCP and UDP, IPv4 and
 * IPv6. The server's first socket waits for new clients in a thread of its own; each client is
 * served by the function given, in a thread of its own, through a struct ripc_peer.
 *
 * UDP knows no connections: a client there is an address. The first datagram from a new address
 * starts its thread; its datagrams are queued for that thread (what the queue cannot hold is lost,
 * as datagrams are), until it returns.
 *
 * Functions return 0 or more, or a negative errno: those of socket(7), ip(7), tcp(7) and udp(7),
 * getaddrinfo's as -ENOENT (no such host) or -EINVAL, and
 *     -ETIMEDOUT    it took longer than timeout_ms
 *     -ESHUTDOWN    the server is stopping and does not wait any longer
 * There is no SIGPIPE. A peer may be used by two threads, one sending and one receiving.
 */
#ifndef RIPC_SOCKET_H
#define RIPC_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ripc_server;
struct ripc_peer; /* the other end of one conversation */

struct ripc_server_options {
	/* Serves one client; the conversation ends when it returns. Required. */
	void (*serve)(struct ripc_peer *peer, void *arg);
	void *arg;
	int type;                 /* SOCK_STREAM or SOCK_DGRAM */
	unsigned int max_clients; /* at once; 0: 64. More of them wait (TCP) or are ignored (UDP) */
	unsigned int backlog;     /* of listen(2): how many may wait; 0: 64 */
	unsigned int timeout_ms;  /* of each receive and send of a peer; 0: none (UDP: 60 s) */
};

struct ripc_server_counts {
	uint64_t served;  /* conversations that began */
	uint64_t dropped; /* datagrams: no room in a queue, or no room for a client */
	unsigned int now; /* conversations going on */
};

/*
 * Binds and begins to serve. `host` is an address or a name (NULL: loopback, 127.0.0.1), port 0
 * takes any free one: ripc_server_port. An IPv6 address serves IPv6 only, but "::", all addresses of
 * the machine, serves both: IPv4's clients have names like any others of theirs.
 */
int ripc_server_start(struct ripc_server **server, const char *host, uint16_t port,
		      const struct ripc_server_options *options);
uint16_t ripc_server_port(const struct ripc_server *server);
void ripc_server_counts(struct ripc_server *server, struct ripc_server_counts *counts);

/*
 * Takes no new client, lets those it has finish for at most grace_ms, then cuts them off (their
 * receives and sends fail) and waits for their threads. Returns how many were cut off. Frees the
 * server. Not to be called from `serve`. NULL is accepted.
 */
int ripc_server_stop(struct ripc_server *server, unsigned int grace_ms);

/* The client's side. timeout_ms (0: none) bounds connecting and then each receive and send. */
int ripc_connect(struct ripc_peer **peer, const char *host, uint16_t port, int type,
		 unsigned int timeout_ms);
void ripc_close(struct ripc_peer *peer); /* a client's own only. NULL is accepted */

/* Of each receive and send from now on; 0: none. */
int ripc_set_timeout(struct ripc_peer *peer, unsigned int timeout_ms);

/* TCP: says that nothing more will be sent; the other end receives what is under way, then 0. */
int ripc_send_end(struct ripc_peer *peer);

/* Ends both directions at once; another thread's call on it returns, with -ESHUTDOWN if it waited. */
void ripc_cut(struct ripc_peer *peer);

/* Sends all of it; over UDP as one datagram (-EMSGSIZE when that is too large). */
int ripc_send(struct ripc_peer *peer, const void *buf, size_t size);

/*
 * What has come, at most `size` bytes. TCP: 0 is the end. UDP: one datagram, which may be empty; the
 * rest of one that does not fit is lost.
 */
ssize_t ripc_receive(struct ripc_peer *peer, void *buf, size_t size);

/* TCP: exactly `size` bytes; 0 at an end before the first, -EPIPE at an end later on. */
ssize_t ripc_receive_all(struct ripc_peer *peer, void *buf, size_t size);

/* "127.0.0.1:4711", "[::1]:4711": the other end. Lives as long as the peer. */
const char *ripc_peer_name(const struct ripc_peer *peer);

#ifdef __cplusplus
}
#endif

#endif
