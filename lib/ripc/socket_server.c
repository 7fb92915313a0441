// SPDX-License-Identifier: LGPL-2.1-or-later
/* The server: one thread that waits for new clients, one for each client. */
#include "socket_peer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CLIENTS 64u
#define UDP_TIMEOUT_MS 60000u /* nobody says goodbye over UDP */
#define DATAGRAM_MAX 65536u

struct client {
	struct ripc_peer peer;
	struct ripc_server *server;
	pthread_t thread;
	int queue_fd; /* UDP: where its datagrams are put in; else −1 */
	bool done;    /* its thread has nothing more to do than to end */
	struct client *next;
};

struct ripc_server {
	struct ripc_server_options o;
	int fd, wake_fd; /* wake_fd: something has changed for the waiting thread */
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t gone; /* a client's thread is done */
	bool stopping;
	struct client *clients;
	struct ripc_server_counts counts;
	char *datagram; /* UDP: the waiting thread's */
};

static void wake(struct ripc_server *s)
{
	uint64_t one = 1;

	while (write(s->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---- a client ---- */

static void *client_main(void *arg)
{
	struct client *c = arg;
	struct ripc_server *s = c->server;

	s->o.serve(&c->peer, s->o.arg);
	if (c->peer.type == SOCK_STREAM)
		shutdown(c->peer.fd, SHUT_RDWR); /* the client learns of it now, not when we join */
	pthread_mutex_lock(&s->lock);
	c->done = true;
	s->counts.now--;
	pthread_cond_broadcast(&s->gone);
	pthread_mutex_unlock(&s->lock);
	wake(s);
	return NULL;
}

static void client_free(struct client *c)
{
	close(c->peer.fd);
	if (c->queue_fd >= 0)
		close(c->queue_fd);
	free(c);
}

/* Takes the descriptors over. NULL: no memory or no thread; they are closed then. */
static struct client *client_start(struct ripc_server *s, int fd, int queue_fd,
				   const struct sockaddr_storage *addr, socklen_t len)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		if (queue_fd >= 0)
			close(queue_fd);
		return NULL;
	}
	peer_init(&c->peer, s->o.type, fd, addr, len);
	c->server = s;
	c->queue_fd = queue_fd;
	if (queue_fd >= 0)
		c->peer.out_fd = s->fd;
	if (s->o.timeout_ms)
		peer_set_timeout(fd, s->o.timeout_ms);
	pthread_mutex_lock(&s->lock);
	if (pthread_create(&c->thread, NULL, client_main, c) != 0) {
		pthread_mutex_unlock(&s->lock);
		client_free(c);
		return NULL;
	}
	c->next = s->clients;
	s->clients = c;
	s->counts.now++;
	s->counts.served++;
	pthread_mutex_unlock(&s->lock);
	return c;
}

/* Joins the threads that are done. */
static void clients_reap(struct ripc_server *s)
{
	struct client *done = NULL;

	pthread_mutex_lock(&s->lock);
	for (struct client **at = &s->clients; *at;) {
		struct client *c = *at;

		if (!c->done) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = done;
		done = c;
	}
	pthread_mutex_unlock(&s->lock);
	while (done) {
		struct client *next = done->next;

		pthread_join(done->thread, NULL);
		client_free(done);
		done = next;
	}
}

static bool has_room(struct ripc_server *s)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->counts.now < s->o.max_clients;
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* ---- new clients ---- */

static void take_connection(struct ripc_server *s)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd = accept4(s->fd, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC), one = 1;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		client_start(s, fd, -1, &addr, len);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		poll(NULL, 0, 10); /* it will still be there; do not spin until a descriptor is */
	}
}

static struct client *udp_client(struct ripc_server *s, const struct sockaddr_storage *addr,
				 socklen_t len)
{
	struct client *c;
	int pair[2];

	pthread_mutex_lock(&s->lock);
	for (c = s->clients; c; c = c->next)
		if (!c->done && socket_is_same(&c->peer.addr, addr))
			break;
	pthread_mutex_unlock(&s->lock);
	if (c || !has_room(s))
		return c;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	return client_start(s, pair[0], pair[1], addr, len);
}

/* Only this thread takes clients off the list, so the one found stays. */
static void take_datagram(struct ripc_server *s)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	ssize_t n = recvfrom(s->fd, s->datagram, DATAGRAM_MAX, MSG_DONTWAIT, (struct sockaddr *)&addr,
			     &len);
	struct client *c;

	if (n < 0)
		return;
	c = udp_client(s, &addr, len);
	if (c && send(c->queue_fd, s->datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	pthread_mutex_lock(&s->lock);
	s->counts.dropped++;
	pthread_mutex_unlock(&s->lock);
}

static bool is_stopping(struct ripc_server *s)
{
	bool stopping;

	pthread_mutex_lock(&s->lock);
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

static void *server_main(void *arg)
{
	struct ripc_server *s = arg;
	bool stream = s->o.type == SOCK_STREAM;

	while (!is_stopping(s)) {
		/* connections that there is no room for wait in the kernel's queue */
		struct pollfd p[2] = {
		    {.fd = s->wake_fd, .events = POLLIN},
		    {.fd = !stream || has_room(s) ? s->fd : -1, .events = POLLIN},
		};
		uint64_t n;

		poll(p, 2, -1);
		if (p[0].revents & POLLIN && read(s->wake_fd, &n, sizeof(n)) > 0)
			clients_reap(s);
		if (p[1].revents && stream)
			take_connection(s);
		else if (p[1].revents)
			take_datagram(s);
	}
	return NULL;
}

/* ---- start and stop ---- */

static void server_free(struct ripc_server *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->gone);
	free(s->datagram);
	free(s);
}

int ripc_server_start(struct ripc_server **server, const char *host, uint16_t port,
		      const struct ripc_server_options *options)
{
	struct ripc_server *s;
	pthread_condattr_t attr;
	int err = 0;

	*server = NULL;
	if (!options->serve)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->o = *options;
	if (!s->o.max_clients)
		s->o.max_clients = DEFAULT_CLIENTS;
	if (!s->o.timeout_ms && s->o.type == SOCK_DGRAM)
		s->o.timeout_ms = UDP_TIMEOUT_MS;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->gone, &attr);
	pthread_condattr_destroy(&attr);
	s->fd = -1;
	s->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (s->wake_fd < 0)
		err = -errno;
	if (!err && s->o.type == SOCK_DGRAM) {
		s->datagram = malloc(DATAGRAM_MAX);
		err = s->datagram ? 0 : -ENOMEM;
	}
	if (!err) {
		s->fd = socket_bind(host, port, s->o.type, s->o.backlog);
		err = s->fd < 0 ? s->fd : 0;
		s->port = err ? 0 : socket_port(s->fd);
	}
	if (!err)
		err = -pthread_create(&s->thread, NULL, server_main, s);
	if (err)
		server_free(s);
	else
		*server = s;
	return err;
}

uint16_t ripc_server_port(const struct ripc_server *server) { return server->port; }

void ripc_server_counts(struct ripc_server *server, struct ripc_server_counts *counts)
{
	pthread_mutex_lock(&server->lock);
	*counts = server->counts;
	pthread_mutex_unlock(&server->lock);
}

int ripc_server_stop(struct ripc_server *server, unsigned int grace_ms)
{
	struct ripc_server *s = server;
	struct timespec until;
	int cut;

	if (!s)
		return 0;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	wake(s);
	pthread_join(s->thread, NULL);
	if (s->o.type == SOCK_STREAM) { /* UDP's clients still answer through theirs */
		close(s->fd);
		s->fd = -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += grace_ms / 1000;
	until.tv_nsec += (long)(grace_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&s->lock);
	while (s->counts.now && pthread_cond_timedwait(&s->gone, &s->lock, &until) == 0)
		;
	cut = (int)s->counts.now;
	for (struct client *c = s->clients; c; c = c->next)
		if (!c->done)
			ripc_cut(&c->peer);
	while (s->counts.now)
		pthread_cond_wait(&s->gone, &s->lock);
	pthread_mutex_unlock(&s->lock);
	clients_reap(s);
	server_free(s);
	return cut;
}
