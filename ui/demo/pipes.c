// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads over pipes and FIFOs. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads.h"

#define LINE_BYTES 64u
#define RECORD_BYTES 128u
#define BLOCK_BYTES (1024u * 1024u) /* the most an ordinary user may make of a pipe */

/* ---- pipeline: pl-source → pl-filter → pl-sink ---- */

/* fds: the first pipe's ends, then the second's, as pipe(2) gives them */
static void pl_source(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};
	char line[LINE_BYTES];

	close(fds[0]);
	close(fds[2]);
	close(fds[3]);
	while (demo_turn(run, &pace)) {
		demo_fill(line, sizeof(line), "line", pace.sent);
		demo_write(run, KIND_PIPE, fds[1], line, sizeof(line));
	}
}

static void pl_filter(struct demo_run *run, const int *fds)
{
	char line[LINE_BYTES];

	close(fds[1]);
	close(fds[2]);
	while (demo_read(run, KIND_PIPE, fds[0], line, sizeof(line))) {
		for (size_t i = 0; i < sizeof(line); i++)
			line[i] = (char)toupper((unsigned char)line[i]);
		demo_write(run, KIND_PIPE, fds[3], line, sizeof(line));
	}
}

static void pl_sink(struct demo_run *run, const int *fds)
{
	char line[LINE_BYTES];

	close(fds[0]);
	close(fds[1]);
	close(fds[3]);
	while (demo_read(run, KIND_PIPE, fds[2], line, sizeof(line)))
		;
}

int demo_pipeline(struct demo_run *run)
{
	int fds[5], err = demo_two_pipes(fds);

	if (err)
		return err;
	err = demo_spawn(run, "pl-source", pl_source, fds);
	if (!err)
		err = demo_spawn(run, "pl-filter", pl_filter, fds);
	if (!err)
		err = demo_spawn(run, "pl-sink", pl_sink, fds);
	demo_close(fds);
	return err;
}

/* ---- fifo: ff-writer → ff-reader through a name ---- */

/* Workers find the FIFO as strangers would: by its name, which is the last one made. */
static int ff_open(const struct demo_run *run, int flags)
{
	char path[PATH_MAX];
	int fd;

	strcpy(path, run->dir);
	strcat(path, "/");
	strcat(path, run->names[run->nnames - 1]);
	fd = open(path, flags);
	if (fd < 0)
		demo_die(path);
	return fd;
}

static void ff_writer(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};
	char record[RECORD_BYTES];
	int fd = ff_open(run, O_WRONLY);

	(void)fds;
	while (demo_turn(run, &pace)) {
		demo_fill(record, sizeof(record), "record", pace.sent);
		demo_write(run, KIND_FIFO, fd, record, sizeof(record));
	}
}

static void ff_reader(struct demo_run *run, const int *fds)
{
	char record[RECORD_BYTES];
	int fd = ff_open(run, O_RDONLY);

	(void)fds;
	while (demo_read(run, KIND_FIFO, fd, record, sizeof(record)))
		;
}

int demo_fifo(struct demo_run *run)
{
	char path[PATH_MAX];
	int err;

	if (!demo_path(run, "fifo", path) || mkfifo(path, 0600) < 0)
		return -errno;
	err = demo_spawn(run, "ff-writer", ff_writer, NULL);
	if (!err)
		err = demo_spawn(run, "ff-reader", ff_reader, NULL);
	return err;
}

/* ---- two-pipes-full: each writes a block bigger than a pipe before it would read ---- */

/* fds: where to read, where to write, then the two ends that are the other's */
static void tp_worker(struct demo_run *run, const int *fds)
{
	char *block = calloc(1, BLOCK_BYTES);

	if (!block)
		demo_die("calloc");
	close(fds[2]);
	close(fds[3]);
	demo_write(run, KIND_PIPE, fds[1], block, BLOCK_BYTES); /* never returns */
	demo_read(run, KIND_PIPE, fds[0], block, BLOCK_BYTES);
	free(block);
}

int demo_two_pipes_full(struct demo_run *run)
{
	int fds[5], err = demo_two_pipes(fds), *there = fds, *back = fds + 2;

	if (err)
		return err;
	err = demo_spawn(run, "tp-left", tp_worker,
			 (int[]){back[0], there[1], back[1], there[0], -1});
	if (!err)
		err = demo_spawn(run, "tp-right", tp_worker,
				 (int[]){there[0], back[1], there[1], back[0], -1});
	demo_close(fds);
	return err;
}
