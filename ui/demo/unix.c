// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads over unix-domain sockets. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workloads.h"

#define CLIENTS 4
#define REQUEST_BYTES 64u
#define REPLY_BYTES 256u
#define LOG_BYTES 96u
#define LOGGERS 2

/* A socket of `type` bound to `name`; *addr says where. Returns it or a negative errno. */
static int bound_socket(struct demo_run *run, const char *name, int type, struct sockaddr_un *addr)
{
	int err = demo_address(run, name, addr), fd;

	if (err)
		return err;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)addr, sizeof(*addr)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- unix-server: ux-server answers ux-client-1 … 4 ---- */

/* False: the client has gone. */
static bool ux_answer(struct demo_run *run, int fd, uint64_t n)
{
	char request[REQUEST_BYTES], reply[REPLY_BYTES];

	if (!demo_read(run, KIND_UNIX, fd, request, sizeof(request)))
		return false;
	demo_fill(reply, sizeof(reply), "reply", n);
	demo_write(run, KIND_UNIX, fd, reply, sizeof(reply));
	return true;
}

static void ux_server(struct demo_run *run, const int *fds)
{
	struct pollfd p[1 + CLIENTS] = {{.fd = fds[0], .events = POLLIN}};
	int accepted = 0, gone = 0;
	uint64_t answers = 0;

	while (gone < CLIENTS) {
		if (poll(p, 1 + (nfds_t)accepted, -1) < 0)
			demo_die("poll");
		for (int i = 1; i <= accepted; i++) {
			if (!p[i].revents || ux_answer(run, p[i].fd, ++answers))
				continue;
			close(p[i].fd);
			p[i].fd = -1;
			gone++;
		}
		if (accepted < CLIENTS && p[0].revents) {
			int fd = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				demo_die("accept4");
			p[++accepted] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
}

static void ux_client(struct demo_run *run, const int *fds)
{
	int fd = demo_connect_to(fds[0], SOCK_STREAM);
	struct demo_pace pace = {0};
	char request[REQUEST_BYTES], reply[REPLY_BYTES];

	while (demo_turn(run, &pace)) {
		demo_fill(request, sizeof(request), "request", pace.sent);
		demo_write(run, KIND_UNIX, fd, request, sizeof(request));
		if (!demo_read(run, KIND_UNIX, fd, reply, sizeof(reply))) {
			errno = EPIPE;
			demo_die("reply");
		}
	}
}

int demo_unix_server(struct demo_run *run)
{
	struct sockaddr_un addr;
	int fd = bound_socket(run, "server.sock", SOCK_STREAM, &addr), err;

	if (fd < 0)
		return fd;
	err = listen(fd, CLIENTS) < 0 ? -errno : 0;
	if (!err)
		err = demo_spawn(run, "ux-server", ux_server, (int[]){fd, -1});
	for (int i = 1; i <= CLIENTS && !err; i++) {
		char name[24];

		snprintf(name, sizeof(name), "ux-client-%d", i);
		err = demo_spawn(run, name, ux_client, (int[]){fd, -1});
	}
	close(fd);
	return err;
}

/* ---- unix-dgram: dg-app-1, dg-app-2 → dg-logger, as to a system logger ---- */

static void dg_logger(struct demo_run *run, const int *fds)
{
	char line[LOG_BYTES];
	int ends = 0;

	/* Every sender's last word is an empty datagram. */
	while (ends < LOGGERS) {
		ssize_t n = recv(fds[0], line, sizeof(line), 0);

		if (n < 0)
			demo_die("recv");
		demo_got(run, KIND_UNIX, (size_t)n);
		ends += n == 0;
	}
}

static void dg_app(struct demo_run *run, const int *fds)
{
	int fd = demo_connect_to(fds[0], SOCK_DGRAM);
	struct demo_pace pace = {0};
	char line[LOG_BYTES];

	while (demo_turn(run, &pace)) {
		demo_fill(line, sizeof(line), "log", pace.sent);
		demo_write(run, KIND_UNIX, fd, line, sizeof(line));
	}
	if (send(fd, "", 0, 0) < 0)
		demo_die("send");
	demo_sent(run, KIND_UNIX, 0);
}

int demo_unix_dgram(struct demo_run *run)
{
	struct sockaddr_un addr;
	int fd = bound_socket(run, "log.sock", SOCK_DGRAM, &addr), err;

	if (fd < 0)
		return fd;
	err = demo_spawn(run, "dg-logger", dg_logger, (int[]){fd, -1});
	for (int i = 1; i <= LOGGERS && !err; i++) {
		char name[24];

		snprintf(name, sizeof(name), "dg-app-%d", i);
		err = demo_spawn(run, name, dg_app, (int[]){fd, -1});
	}
	close(fd);
	return err;
}

/* ---- seqpacket: sp-boss hands sp-worker jobs of many sizes over a socketpair ---- */

static size_t sp_job_bytes(uint64_t n) { return 32 + n % 7 * 100; }

static void sp_boss(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};
	char job[1024], done[16];

	close(fds[1]);
	while (demo_turn(run, &pace)) {
		size_t size = sp_job_bytes(pace.sent);

		demo_fill(job, size, "job", pace.sent);
		demo_write(run, KIND_UNIX, fds[0], job, size);
		if (!demo_read(run, KIND_UNIX, fds[0], done, sizeof(done))) {
			errno = EPIPE;
			demo_die("answer");
		}
	}
}

static void sp_worker(struct demo_run *run, const int *fds)
{
	char job[1024], done[16];
	uint64_t n = 0;
	ssize_t got;

	close(fds[0]);
	while ((got = recv(fds[1], job, sizeof(job), 0)) > 0) {
		demo_got(run, KIND_UNIX, (size_t)got);
		demo_fill(done, sizeof(done), "done", ++n);
		demo_write(run, KIND_UNIX, fds[1], done, sizeof(done));
	}
	if (got < 0)
		demo_die("recv");
}

int demo_seqpacket(struct demo_run *run)
{
	int fds[3] = {-1, -1, -1}, err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	err = demo_spawn(run, "sp-boss", sp_boss, fds);
	if (!err)
		err = demo_spawn(run, "sp-worker", sp_worker, fds);
	demo_close(fds);
	return err;
}
