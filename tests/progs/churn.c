// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes and channels that come and go:
 *
 *     churn [-m] [-p PROCESSES] [-c CHANNELS]
 *
 * -p so many children (1000), one after the other, each of which writes a byte into a pipe of its
 * parent and one into a pipe of its own; -c so many channels (10000), by turns a pipe and pairs of
 * unix sockets (stream, seqpacket), through each of which goes a byte before both ends are closed.
 *
 * At the end: `children=N channels=N received=N`, the latter the bytes that came from children.
 *
 * With -m also `early=KIB late=KIB`: the largest memory of its own that the parent had, without what
 * it maps of files, while the second quarter of the work was done, and the last one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int use(int in, int out)
{
	char byte = 'x';
	int err = write(in, &byte, 1) != 1 || read(out, &byte, 1) != 1;

	close(in);
	close(out);
	return err;
}

static int channel(unsigned long i)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int fds[2];

	if (i % 3 == 0)
		return pipe(fds) || use(fds[1], fds[0]);
	return socketpair(AF_UNIX, types[i % 3 - 1], 0, fds) || use(fds[0], fds[1]);
}

/* One child; returns the bytes that came of it, or -1. */
static int child(const int common[2])
{
	char byte = 'c';
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int own[2];

		_exit(pipe(own) || use(own[1], own[0]) || write(common[1], &byte, 1) != 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	return (int)read(common[0], &byte, 1);
}

/* Raises *kib to the RssAnon of the parent. */
static void measure(unsigned long *kib)
{
	char path[32], line[128];
	unsigned long now;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)getppid());
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu", &now) == 1 && now > *kib)
			*kib = now;
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	unsigned long processes = 1000, channels = 10000, received = 0, made = 0;
	unsigned long quarters[4] = { 0 }, step;
	int common[2], c, measures = 0;

	while ((c = getopt(argc, argv, "mp:c:")) != -1) {
		if (c == '?')
			return 2;
		if (c == 'm')
			measures = 1;
		else
			*(c == 'p' ? &processes : &channels) = strtoul(optarg, NULL, 10);
	}
	step = processes / 100 + 1;
	if (pipe(common))
		return 1;
	/* mixed evenly, so that a sample of memory at any time is one of both */
	for (unsigned long i = 0; i < processes; i++) {
		int n = child(common);

		if (n < 0)
			return 1;
		received += (unsigned long)n;
		for (; made < channels * (i + 1) / processes; made++)
			if (channel(made))
				return 1;
		if (measures && i % step == 0)
			measure(&quarters[i * 4 / processes]);
	}
	printf("children=%lu channels=%lu received=%lu\n", processes, made, received);
	if (measures)
		printf("early=%lu late=%lu\n", quarters[1], quarters[3]);
	return 0;
}
