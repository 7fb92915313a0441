// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes of other machines: the client's half. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "npipe_bridge.h"

#define NP_CLOSE_MS 10000
#define NP_LINGER_MS 2000

/* ---- which machines ---- */

#define MACHINES_MAX 16

static pthread_mutex_t machines_lock = PTHREAD_MUTEX_INITIALIZER;
static struct machine {
	char name[NP_MACHINE_MAX], address[INET6_ADDRSTRLEN];
	WORD port;
} machines[MACHINES_MAX];

static bool is_address(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1 || inet_pton(AF_INET6, text, &addr) == 1;
}

/* With the lock held. "": a free row. NULL: there is none. */
static struct machine *find(const char *name)
{
	for (int i = 0; i < MACHINES_MAX; i++)
		if (strcasecmp(machines[i].name, name) == 0)
			return &machines[i];
	return NULL;
}

BOOL ripc_remote_machine(LPCSTR machine, LPCSTR address, WORD port)
{
	struct machine *m;

	if (!machine || !*machine || strlen(machine) >= NP_MACHINE_MAX ||
	    strcmp(machine, ".") == 0 || strpbrk(machine, "\\/") ||
	    (address && (!is_address(address) || !port)))
		return w32_result(ERROR_INVALID_PARAMETER);
	pthread_mutex_lock(&machines_lock);
	m = find(machine);
	if (!m && address)
		m = find("");
	if (m && !address) {
		memset(m, 0, sizeof(*m));
	} else if (m) {
		snprintf(m->name, sizeof(m->name), "%s", machine);
		snprintf(m->address, sizeof(m->address), "%s", address);
		m->port = port;
	}
	pthread_mutex_unlock(&machines_lock);
	return w32_result(m ? 0 : address ? ERROR_NO_SYSTEM_RESOURCES : ERROR_BAD_NETPATH);
}

/* "machine=address:port,…"; what is not that is passed over. */
static void __attribute__((constructor)) machines_of_environment(void)
{
	const char *text = getenv("RIPC_REMOTE");

	while (text && *text) {
		char name[NP_MACHINE_MAX], address[INET6_ADDRSTRLEN];
		unsigned int port;
		int n = 0;

		if (sscanf(text, "%63[^=,]=[%45[^],]]:%5u%n", name, address, &port, &n) < 3)
			n = sscanf(text, "%63[^=,]=%45[^:,]:%5u%n", name, address, &port, &n) < 3
				? 0
				: n;
		if (n && port <= UINT16_MAX)
			ripc_remote_machine(name, address, (WORD)port);
		text = strchr(text, ',');
		text = text ? text + 1 : NULL;
	}
	SetLastError(0);
}

/* ---- the call ---- */

/* A connection to the machine's door. */
static DWORD reach(struct ripc_peer **peer, const char *machine)
{
	struct machine m = {0}, *found;

	pthread_mutex_lock(&machines_lock);
	found = find(machine);
	if (found)
		m = *found;
	pthread_mutex_unlock(&machines_lock);
	if (!found || ripc_connect(peer, m.address, m.port, SOCK_STREAM, NP_HELLO_MS) < 0)
		return ERROR_BAD_NETPATH;
	return 0;
}

static DWORD ask(struct ripc_peer *peer, uint32_t op, const char *name, DWORD access,
		 DWORD timeout_ms, struct np_welcome *w)
{
	struct np_hello hello = {.op = htonl(op),
				 .access = htonl(access),
				 .timeout_ms = htonl(timeout_ms),
				 .name_bytes = htonl((uint32_t)strlen(name))};
	char message[sizeof(hello) + NP_NAME_MAX];

	memcpy(hello.magic, NP_WIRE_MAGIC, sizeof(hello.magic));
	memcpy(message, &hello, sizeof(hello));
	memcpy(message + sizeof(hello), name, strlen(name));
	if (ripc_send(peer, message, sizeof(hello) + strlen(name)) < 0 ||
	    ripc_receive_all(peer, w, sizeof(*w)) <= 0 ||
	    memcmp(w->magic, NP_WIRE_MAGIC, sizeof(w->magic)) != 0)
		return ERROR_UNEXP_NET_ERR;
	return ntohl(w->error);
}

/* In slices, so that no thread of the other machine is bound for long. */
DWORD np_remote_wait(const char *machine, const char *name, DWORD timeout_ms)
{
	bool bounded = timeout_ms != NMPWAIT_WAIT_FOREVER && timeout_ms != NMPWAIT_USE_DEFAULT_WAIT;
	int64_t deadline = ripc_deadline_in((int64_t)timeout_ms * 1000000), left_ms;
	struct np_welcome w;
	struct ripc_peer *peer;
	DWORD error, slice;

	do {
		left_ms = (deadline - ripc_now_ns()) / 1000000;
		slice = timeout_ms;
		if (timeout_ms != NMPWAIT_USE_DEFAULT_WAIT)
			slice = !bounded || left_ms > NP_WAIT_SLICE_MS ? NP_WAIT_SLICE_MS
				: left_ms > 0			       ? (DWORD)left_ms
								       : 1;
		error = reach(&peer, machine);
		if (error)
			return error;
		error = ask(peer, NP_WAIT, name, 0, slice, &w);
		ripc_close(peer);
	} while (error == ERROR_SEM_TIMEOUT && timeout_ms != NMPWAIT_USE_DEFAULT_WAIT &&
		 (!bounded || left_ms > slice));
	return error;
}

/* ---- the bridge of a client's handle ---- */

static void *up_main(void *arg)
{
	np_bridge_up(arg);
	return NULL;
}

static void *down_main(void *arg)
{
	np_bridge_down(arg);
	return NULL;
}

static bool join_within(pthread_t thread, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/*
 * What was written must be with the other machine before the handle is closed, else it would be lost
 * with a process that ends now; so it is given time. Closing with bytes unread would reset the
 * connection, so the other side's end is waited for too, not as long.
 */
void np_bridge_release(void *bridge)
{
	struct np_bridge *b = bridge;

	if (!b)
		return;
	if (!join_within(b->up, NP_CLOSE_MS)) {
		ripc_cut(b->peer);
		pthread_join(b->up, NULL);
	}
	if (!join_within(b->down, NP_LINGER_MS)) {
		ripc_cut(b->peer);
		pthread_join(b->down, NULL);
	}
	ripc_close(b->peer);
	np_leave(b->end);
	free(b);
}

/* Takes the peer over; on failure it is closed. */
static DWORD bridge_new(struct np_end *client, struct np_end *server, struct ripc_peer *peer)
{
	struct np_bridge *b = calloc(1, sizeof(*b));

	if (b) {
		b->end = server;
		b->peer = peer;
		atomic_store(&server->mode, server->shape.type & PIPE_TYPE_MESSAGE
						? PIPE_READMODE_MESSAGE
						: PIPE_READMODE_BYTE);
	}
	if (!b || pthread_create(&b->up, NULL, up_main, b) != 0) {
		free(b);
		ripc_close(peer);
		np_leave(server);
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	client->bridge = b;
	if (pthread_create(&b->down, NULL, down_main, b) != 0) {
		client->bridge = NULL;
		np_part(server); /* ends the other thread */
		pthread_join(b->up, NULL);
		ripc_close(peer);
		np_leave(server);
		free(b);
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	return 0;
}

static bool shape_of(struct np_shape *shape, const struct np_welcome *w)
{
	*shape = (struct np_shape){
	    .type = ntohl(w->type) & PIPE_TYPE_MESSAGE,
	    .access = ntohl(w->access),
	    .max_instances = 1,
	    .slots = 2 + NP_SLOTS_SPARE,
	    .bytes = {ntohl(w->bytes[0]), ntohl(w->bytes[1])},
	};
	return shape->access >= PIPE_ACCESS_INBOUND && shape->access <= PIPE_ACCESS_DUPLEX &&
	       shape->bytes[0] >= 64 && shape->bytes[0] <= NP_BUFFER_MAX &&
	       shape->bytes[1] >= 64 && shape->bytes[1] <= NP_BUFFER_MAX;
}

DWORD np_remote_open(struct np_end **end, const char *machine, const char *name, DWORD access)
{
	char shown[NP_NAME_MAX + 16];
	struct np_shape shape;
	struct np_welcome w;
	struct np_end *server;
	struct ripc_peer *peer;
	DWORD error = reach(&peer, machine);

	if (error)
		return error;
	error = ask(peer, NP_OPEN, name, access, 0, &w);
	if (!error && !shape_of(&shape, &w))
		error = ERROR_UNEXP_NET_ERR;
	if (!error) {
		snprintf(shown, sizeof(shown), "\\\\%.*s\\pipe\\%s", 8, machine, name);
		error = np_pair(&server, end, &shape, access, shown);
	}
	if (error) {
		ripc_close(peer);
		return error;
	}
	ripc_set_timeout(peer, 0);
	error = bridge_new(*end, server, peer);
	if (error)
		np_leave(*end);
	return error;
}
