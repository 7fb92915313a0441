// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes of other machines: the server's half, a thread (or two) for each remote client. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "npipe_bridge.h"

#define CONNECTIONS_MAX 255u

static pthread_mutex_t door_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ripc_server *door;

static pthread_mutex_t bridges_lock = PTHREAD_MUTEX_INITIALIZER;
static struct np_bridge *bridges;

static int answer(struct ripc_peer *peer, DWORD error, const struct np_shape *shape)
{
	struct np_welcome w = {.error = htonl(error)};

	memcpy(w.magic, NP_WIRE_MAGIC, sizeof(w.magic));
	if (shape) {
		w.type = htonl(shape->type);
		w.access = htonl(shape->access);
		w.max_instances = htonl(shape->max_instances);
		w.bytes[0] = htonl(shape->bytes[0]);
		w.bytes[1] = htonl(shape->bytes[1]);
	}
	return ripc_send(peer, &w, sizeof(w));
}

/* The name comes from the network: it must be one that a local client could have said. */
static bool receive_hello(struct ripc_peer *peer, struct np_hello *hello, char *name)
{
	char path[16 + NP_NAME_MAX + 1] = "\\\\.\\pipe\\", machine[NP_MACHINE_MAX];
	size_t prefix = strlen(path);

	if (ripc_receive_all(peer, hello, sizeof(*hello)) <= 0 ||
	    memcmp(hello->magic, NP_WIRE_MAGIC, sizeof(hello->magic)) != 0)
		return false;
	hello->op = ntohl(hello->op);
	hello->access = ntohl(hello->access);
	hello->timeout_ms = ntohl(hello->timeout_ms);
	hello->name_bytes = ntohl(hello->name_bytes);
	if (hello->name_bytes == 0 || hello->name_bytes > NP_NAME_MAX ||
	    ripc_receive_all(peer, path + prefix, hello->name_bytes) <= 0)
		return false;
	return strlen(path) == prefix + hello->name_bytes && np_parse(path, machine, name);
}

static void *up_main(void *arg)
{
	np_bridge_up(arg);
	return NULL;
}

static void bridge_enter(struct np_bridge *b)
{
	pthread_mutex_lock(&bridges_lock);
	b->next = bridges;
	bridges = b;
	pthread_mutex_unlock(&bridges_lock);
}

static void bridge_exit(const struct np_bridge *b)
{
	struct np_bridge **at = &bridges;

	pthread_mutex_lock(&bridges_lock);
	while (*at && *at != b)
		at = &(*at)->next;
	if (*at)
		*at = b->next;
	pthread_mutex_unlock(&bridges_lock);
}

static void carry(struct np_end *end, struct ripc_peer *peer)
{
	struct np_bridge b = {.end = end, .peer = peer};

	ripc_set_timeout(peer, 0);
	atomic_store(&end->mode, end->shape.type & PIPE_TYPE_MESSAGE ? PIPE_READMODE_MESSAGE
								     : PIPE_READMODE_BYTE);
	bridge_enter(&b);
	if (pthread_create(&b.up, NULL, up_main, &b) == 0) {
		np_bridge_down(&b); /* parts at its end, which ends the other direction */
		pthread_join(b.up, NULL);
	}
	bridge_exit(&b);
}

static void serve(struct ripc_peer *peer, void *arg)
{
	char name[NP_NAME_MAX + 1];
	struct np_hello hello;
	struct np_end *end;
	DWORD error;

	(void)arg;
	if (!receive_hello(peer, &hello, name))
		return;
	if (hello.op == NP_WAIT) {
		if (hello.timeout_ms > NP_WAIT_SLICE_MS)
			hello.timeout_ms = NP_WAIT_SLICE_MS;
		answer(peer, np_wait(name, hello.timeout_ms), NULL);
		return;
	}
	if (hello.op != NP_OPEN ||
	    (hello.access & ~(GENERIC_READ | GENERIC_WRITE | FILE_READ_ATTRIBUTES |
			      FILE_WRITE_ATTRIBUTES))) {
		answer(peer, ERROR_INVALID_PARAMETER, NULL);
		return;
	}
	error = np_open(&end, name, hello.access, true);
	if (answer(peer, error, error ? NULL : &end->shape) == 0 && !error)
		carry(end, peer);
	if (!error)
		np_leave(end);
}

BOOL ripc_remote_serve(LPCSTR address, WORD port, WORD *port_taken)
{
	struct ripc_server_options options = {
	    .serve = serve,
	    .type = SOCK_STREAM,
	    .max_clients = CONNECTIONS_MAX,
	    .timeout_ms = NP_HELLO_MS,
	};
	struct in6_addr addr;
	DWORD error = 0;

	if (address && inet_pton(AF_INET, address, &addr) != 1 &&
	    inet_pton(AF_INET6, address, &addr) != 1)
		return w32_result(ERROR_INVALID_PARAMETER);
	pthread_mutex_lock(&door_lock);
	if (door) {
		error = ERROR_ALREADY_EXISTS;
	} else {
		int err = ripc_server_start(&door, address, port, &options);

		/* EADDRINUSE and the like: another has it */
		error = !err ? 0 : err == -EACCES ? ERROR_ACCESS_DENIED : ERROR_SHARING_VIOLATION;
		if (!err && port_taken)
			*port_taken = ripc_server_port(door);
	}
	pthread_mutex_unlock(&door_lock);
	return w32_result(error);
}

void ripc_remote_stop(void)
{
	struct ripc_server *was;

	pthread_mutex_lock(&door_lock);
	was = door;
	door = NULL;
	pthread_mutex_unlock(&door_lock);
	/* one that waits for room in a pipe is in no call that stopping the server would end */
	pthread_mutex_lock(&bridges_lock);
	for (struct np_bridge *b = bridges; b && was; b = b->next)
		np_part(b->end);
	pthread_mutex_unlock(&bridges_lock);
	ripc_server_stop(was, 0);
}
