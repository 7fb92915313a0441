// SPDX-License-Identifier: GPL-2.0-or-later
/* ripc-sockets: a server with a thread for each client, over TCP and UDP, IPv4 and IPv6. */
#include <string.h>

#include "lib/ripc/ripc_socket.h"
#include "ripc_kit.h"

#define FORMS 4
#define CLIENTS 2
#define QUESTIONS 3

static const struct form {
	const char *word, *host;
	int type;
} forms[FORMS] = {
    {"TCP over IPv4", "127.0.0.1", SOCK_STREAM},
    {"UDP over IPv4", "127.0.0.1", SOCK_DGRAM},
    {"TCP over IPv6", "::1", SOCK_STREAM},
    {"UDP over IPv6", "::1", SOCK_DGRAM},
};

/* A question has 16 bytes, so has an answer; the last is empty text. */
static void answer(struct ripc_peer *peer, void *arg)
{
	char text[16];

	(void)arg;
	for (;;) {
		ssize_t n = ripc_receive(peer, text, sizeof(text));

		if (n != sizeof(text) || !*text)
			return;
		for (char *c = text; *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
		if (ripc_send(peer, text, sizeof(text)) < 0)
			return;
	}
}

/* fds: the ends of a pipe with the ports, and of one by which clients say that they are done */
static void so_server(struct demo_run *run, const int *fds)
{
	struct ripc_server *server[FORMS];
	uint16_t port[FORMS];
	char done;

	(void)run;
	close(fds[0]);
	close(fds[3]);
	for (int i = 0; i < FORMS; i++) {
		struct ripc_server_options o = {
		    .serve = answer, .type = forms[i].type, .timeout_ms = 5000};
		int err = ripc_server_start(&server[i], forms[i].host, 0, &o);

		/* a machine may have no IPv6: the demo says so, the same every time */
		port[i] = err ? 0 : ripc_server_port(server[i]);
		if (err)
			server[i] = NULL;
	}
	for (int i = 0; i < CLIENTS; i++)
		demo_must(write(fds[1], port, sizeof(port)) == sizeof(port), errno, "write");
	while (read(fds[2], &done, 1) > 0)
		;
	for (int i = 0; i < FORMS; i++) {
		struct ripc_server_counts counts = {0};

		if (server[i])
			ripc_server_counts(server[i], &counts);
		ripc_server_stop(server[i], 1000);
		if (port[i])
			tell("%s: %u clients served\n", forms[i].word,
			     (unsigned int)counts.served);
		else
			tell("%s: not on this machine\n", forms[i].word);
	}
}

static void so_client(struct demo_run *run, const int *fds)
{
	uint16_t port[FORMS];

	(void)run;
	close(fds[1]);
	close(fds[2]);
	demo_must(read(fds[0], port, sizeof(port)) == sizeof(port), EPIPE, "read");
	for (int i = 0; i < FORMS; i++) {
		struct ripc_peer *peer;
		char text[16] = "", back[16];
		int err;

		if (!port[i])
			continue;
		err = ripc_connect(&peer, forms[i].host, port[i], forms[i].type, 5000);
		demo_must(!err, err, "connect");
		for (int q = 0; q < QUESTIONS; q++) {
			ssize_t n;

			snprintf(text, sizeof(text), "question %d", q);
			err = ripc_send(peer, text, sizeof(text));
			demo_must(!err, err, "send");
			n = ripc_receive(peer, back, sizeof(back));
			demo_must(n == sizeof(back) && back[0] == 'Q' && back[9] == text[9],
				  n < 0 ? (int)n : EPROTO, "receive");
		}
		memset(text, 0, sizeof(text));
		ripc_send(peer, text, sizeof(text));
		ripc_close(peer);
	}
}

int demo_ripc_sockets(struct demo_run *run)
{
	int fds[5] = {-1, -1, -1, -1, -1}, err;

	if (pipe(fds) < 0)
		return -errno;
	if (pipe(fds + 2) < 0) {
		err = -errno;
		demo_close(fds);
		return err;
	}
	err = demo_spawn(run, "so-server", so_server, fds);
	for (int i = 1; i <= CLIENTS && !err; i++) {
		char name[16];

		snprintf(name, sizeof(name), "so-client-%d", i);
		err = demo_spawn(run, name, so_client, fds);
	}
	demo_close(fds);
	return err;
}
