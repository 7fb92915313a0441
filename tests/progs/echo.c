// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server and its load, to be attached to while they run:
 *
 *     echo server PATH SEC           answers on a unix socket, a thread for every connection
 *     echo client PATH SEC [NAME]    asks a hundred times a second, for SEC seconds or until SIGTERM,
 *                                    under a name (echo-client); then exits 0
 *
 * The server makes the file PATH.ready when it listens, and the client PATH.asked after its first
 * answer: what a test waits for.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 50
#define REPLY_BYTES 150

static void tell(const char *path, const char *what)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s.%s", path, what);
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		exit(1);
	close(fd);
}

static void *answer(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[REPLY_BYTES] = "";

	prctl(PR_SET_NAME, "echo-thread");
	while (recv(fd, buf, REQUEST_BYTES, MSG_WAITALL) == REQUEST_BYTES)
		if (send(fd, buf, REPLY_BYTES, MSG_NOSIGNAL) != REPLY_BYTES)
			break;
	close(fd);
	return NULL;
}

static int serve(const char *path, const struct sockaddr_un *addr)
{
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	prctl(PR_SET_NAME, "echo-server");
	if (l < 0 || bind(l, (const struct sockaddr *)addr, sizeof(*addr)) < 0 || listen(l, 8) < 0)
		return 1;
	tell(path, "ready");
	while ((fd = accept(l, NULL, NULL)) >= 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, answer, (void *)(intptr_t)fd) != 0)
			return 1;
		pthread_detach(thread);
	}
	return 1;
}

static volatile sig_atomic_t enough;

static void on_term(int sig)
{
	(void)sig;
	enough = 1;
}

static int ask(const char *path, const struct sockaddr_un *addr, double seconds, const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[REPLY_BYTES] = "hello";

	prctl(PR_SET_NAME, name);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term, .sa_flags = SA_RESTART}, NULL);
	if (fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		return 1;
	for (long n = 0; n < (long)(seconds * 100) && !enough; n++) {
		if (send(fd, buf, REQUEST_BYTES, MSG_NOSIGNAL) != REQUEST_BYTES ||
		    recv(fd, buf, REPLY_BYTES, MSG_WAITALL) != REPLY_BYTES)
			return 1;
		if (n == 0)
			tell(path, "asked");
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	double seconds = argc >= 4 ? atof(argv[3]) : 0;

	if (seconds <= 0 || strlen(argv[2]) >= sizeof(addr.sun_path))
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	strcpy(addr.sun_path, argv[2]);
	alarm((unsigned int)seconds + 1);
	if (strcmp(argv[1], "server") == 0)
		return serve(argv[2], &addr);
	if (strcmp(argv[1], "client") == 0)
		return ask(argv[2], &addr, seconds, argc > 4 ? argv[4] : "echo-client");
	return 2;
}
