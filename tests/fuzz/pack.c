// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     pack FOLDER NAME CMD ARG…
 *
 * Runs a command under the shim, with nobody to read its rings, and puts what they hold at the end
 * into FOLDER as inputs of fuzz_shim.c: up to four rings in each, of one process where they can be,
 * NAME-1, NAME-2 …
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/shim_folder.h"

#define RINGS_MAX 4

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "pack: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

/* The header's fields, then what was written: of a ring that nobody read, from its beginning on. */
static void pack_ring(FILE *out, int folder, const char *name)
{
	static uint8_t file[SHIM_PAGE + SHIM_DATA_MIN];
	const struct shim_ring *r = (const struct shim_ring *)file;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, file, sizeof(file));
	must(n == (ssize_t)sizeof(file), name);
	close(fd);
	size_t data = r->head < SHIM_DATA_MIN ? r->head : SHIM_DATA_MIN;
	size_t room = UINT16_MAX - sizeof(*r);
	if (data > room)
		data = room;
	size_t len = sizeof(*r) + data;
	must(fputc((int)(len & 0xff), out) != EOF && fputc((int)(len >> 8), out) != EOF &&
		     fwrite(r, sizeof(*r), 1, out) == 1 && fwrite(file + SHIM_PAGE, 1, data, out) == data,
	     "write");
}

static void pack_all(int folder, struct dirent **names, int n, const char *to, const char *name)
{
	char path[4096];
	for (int i = 0, nth = 1; i < n; i += RINGS_MAX, nth++) {
		int rings = n - i < RINGS_MAX ? n - i : RINGS_MAX;
		snprintf(path, sizeof(path), "%s/%s-%d", to, name, nth);
		FILE *out = fopen(path, "wb");
		must(out && fputc(rings - 1, out) != EOF, path);
		for (int j = 0; j < rings; j++)
			pack_ring(out, folder, names[i + j]->d_name);
		must(fclose(out) == 0, path);
	}
}

static int is_ring(const struct dirent *d)
{
	return strncmp(d->d_name, SHIM_RING_PREFIX, strlen(SHIM_RING_PREFIX)) == 0;
}

int main(int argc, char **argv)
{
	struct shim_folder f;
	struct fail fail = { 0 };
	struct dirent **names;
	int status;
	if (argc < 4) {
		fprintf(stderr, "usage: pack FOLDER NAME CMD ARG...\n");
		return 2;
	}
	if (shim_folder_make(&f, &(struct shim_folder_opts){ .data_bytes = SHIM_DATA_MIN }, &fail)) {
		fprintf(stderr, "pack: %s\n", fail.what);
		return 1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		shim_folder_env(&f);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid, argv[3]);
	int n = scandir(f.path, &names, is_ring, versionsort);
	must(n >= 0, f.path);
	pack_all(f.fd, names, n, argv[1], argv[2]);
	printf("rings=%d\n", n);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	shim_folder_release(&f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
