// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor CMD ARG…: runs a command under an empty pair of tp_btf programs on sys_enter and sys_exit.
 * No tracer built on them can be cheaper. The exit status is the command's; 125 when the programs
 * could not be attached.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor.skel.h"

#define NOT_ATTACHED 125

static int run_command(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return NOT_ATTACHED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct floor_bpf *skel;
	int err, status = NOT_ATTACHED;

	if (argc < 2) {
		fprintf(stderr, "usage: floor CMD ARG...\n");
		return 2;
	}
	skel = floor_bpf__open_and_load();
	if (!skel) {
		perror("floor: cannot load");
		return NOT_ATTACHED;
	}
	err = floor_bpf__attach(skel);
	if (err)
		fprintf(stderr, "floor: cannot attach: %s\n", strerror(-err));
	else
		status = run_command(argv + 1);
	floor_bpf__destroy(skel);
	return status;
}
