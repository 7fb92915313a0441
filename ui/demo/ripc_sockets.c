// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ripc-sockets: a server with a thread for each client, over TCP and UDP, IPv4 and IPv6: at one
 * address of each; and at all that the machine has, as the server of the notes (INADDR_ANY), where
 * clients come by IPv4 and by IPv6 to the same socket.
 */
#include <string.h>

#include "lib/ripc/ripc_socket.h"
#include "ripc_kit.h"

#define FORMS 6
#define CLIENTS 2
#define QUESTIONS 3

static const struct form {
	const char *word;
	const char *at, *without_ipv6; /* where it serves; on a machine without IPv6, unless NULL */
	const char *to[CLIENTS];       /* where its clients look for it; in the second case the first */
	int type;
} forms[FORMS] = {
    {"TCP over IPv4", "127.0.0.1", NULL, {"127.0.0.1", "127.0.0.1"}, SOCK_STREAM},
    {"UDP over IPv4", "127.0.0.1", NULL, {"127.0.0.1", "127.0.0.1"}, SOCK_DGRAM},
    {"TCP over IPv6", "::1", NULL, {"::1", "::1"}, SOCK_STREAM},
    {"UDP over IPv6", "::1", NULL, {"::1", "::1"}, SOCK_DGRAM},
    {"TCP at all addresses", "::", "0.0.0.0", {"127.0.0.1", "::1"}, SOCK_STREAM},
    {"UDP at all addresses", "::", "0.0.0.0", {"127.0.0.1", "::1"}, SOCK_DGRAM},
};

/* What the server tells each client. port 0: not to be had */
struct ticket {
	int number;
	struct {
		uint16_t port;
		bool has_no_ipv6;
	} form[FORMS];
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

/* A machine may have no IPv6: the demo says so, the same every time. */
static struct ripc_server *start(struct ticket *t, int i)
{
	const struct form *f = &forms[i];
	struct ripc_server_options o = {.serve = answer, .type = f->type, .timeout_ms = 5000};
	struct ripc_server *server = NULL;
	int err = ripc_server_start(&server, f->at, 0, &o);

	t->form[i].has_no_ipv6 = err && f->without_ipv6;
	if (t->form[i].has_no_ipv6)
		err = ripc_server_start(&server, f->without_ipv6, 0, &o);
	t->form[i].port = err ? 0 : ripc_server_port(server);
	return err ? NULL : server;
}

/* fds: the ends of a pipe with the tickets, and of one by which clients say that they are done */
static void so_server(struct demo_run *run, const int *fds)
{
	struct ripc_server *server[FORMS];
	struct ticket t = {0};
	char done;

	(void)run;
	close(fds[0]);
	close(fds[3]);
	for (int i = 0; i < FORMS; i++)
		server[i] = start(&t, i);
	for (t.number = 0; t.number < CLIENTS; t.number++)
		demo_must(write(fds[1], &t, sizeof(t)) == sizeof(t), errno, "write");
	while (read(fds[2], &done, 1) > 0)
		;
	for (int i = 0; i < FORMS; i++) {
		struct ripc_server_counts counts = {0};

		if (server[i])
			ripc_server_counts(server[i], &counts);
		ripc_server_stop(server[i], 1000);
		if (t.form[i].port)
			tell("%s: %u clients served\n", forms[i].word,
			     (unsigned int)counts.served);
		else
			tell("%s: not on this machine\n", forms[i].word);
	}
}

static void so_client(struct demo_run *run, const int *fds)
{
	struct ticket t;

	(void)run;
	close(fds[1]);
	close(fds[2]);
	demo_must(read(fds[0], &t, sizeof(t)) == sizeof(t), EPIPE, "read");
	for (int i = 0; i < FORMS; i++) {
		struct ripc_peer *peer;
		char text[16] = "", back[16];
		const char *host = forms[i].to[t.form[i].has_no_ipv6 ? 0 : t.number];
		int err;

		if (!t.form[i].port)
			continue;
		err = ripc_connect(&peer, host, t.form[i].port, forms[i].type, 5000);
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
	int fds[5], err = demo_two_pipes(fds);

	if (err)
		return err;
	err = demo_spawn(run, "so-server", so_server, fds);
	for (int i = 1; i <= CLIENTS && !err; i++) {
		char name[16];

		snprintf(name, sizeof(name), "so-client-%d", i);
		err = demo_spawn(run, name, so_client, fds);
	}
	demo_close(fds);
	return err;
}
