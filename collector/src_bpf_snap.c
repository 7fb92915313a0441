// SPDX-License-Identifier: GPL-2.0-or-later
/* The BPF way of taking a snapshot: loads bpf/waits.bpf.c and reads its iterators. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/waits.skel.h"
#include "collector/features.h"
#include "collector/snap_read.h"
#include "collector/src_bpf_types.h"

#define READ_BYTES 65536

struct bpf_reader {
	struct snap_reader reader;
	struct waits_bpf *skel;
	struct bpf_link *tasks, *files, *sockets; /* sockets: NULL where the kernel has no iter/unix */
};

/* Appends all that one iterator writes. */
static int iter_append(struct bpf_link *link, struct snap_buf *b)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err = 0;
	if (fd < 0)
		return -errno;
	for (;;) {
		char *room = snap_buf_add(b, READ_BYTES);
		if (!room) {
			err = -ENOMEM;
			break;
		}
		ssize_t n = read(fd, room, READ_BYTES);
		b->len -= READ_BYTES - (n > 0 ? (size_t)n : 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
	}
	close(fd);
	return err;
}

static int read_tasks(struct snap_reader *r, struct snap_buf *b)
{
	return iter_append(((struct bpf_reader *)r)->tasks, b);
}

static int read_files(struct snap_reader *r, struct snap_buf *b)
{
	struct bpf_reader *br = (struct bpf_reader *)r;
	int err = iter_append(br->files, b);
	if (!err && br->sockets)
		err = iter_append(br->sockets, b);
	return err;
}

static void reader_free(struct snap_reader *r)
{
	struct bpf_reader *br = (struct bpf_reader *)r;
	bpf_link__destroy(br->tasks);
	bpf_link__destroy(br->files);
	bpf_link__destroy(br->sockets);
	waits_bpf__destroy(br->skel);
	free(br);
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

static int load(struct bpf_reader *r)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = KERNEL_TYPES);
	r->skel = waits_bpf__open_opts(&opts);
	if (!r->skel)
		return -errno;
	r->skel->rodata->nr_semop = SYS_semop;
	r->skel->rodata->nr_semtimedop = SYS_semtimedop;
	r->skel->rodata->nr_msgsnd = SYS_msgsnd;
	r->skel->rodata->nr_msgrcv = SYS_msgrcv;
	int err = waits_bpf__load(r->skel);
	if (err)
		return err;
	r->tasks = bpf_program__attach_iter(r->skel->progs.snap_tasks, NULL);
	r->files = r->tasks ? bpf_program__attach_iter(r->skel->progs.snap_files, NULL) : NULL;
	r->sockets = r->files ? bpf_program__attach_iter(r->skel->progs.snap_unix, NULL) : NULL;
	return r->sockets ? 0 : -errno;
}

struct snap_reader *snap_reader_bpf(struct fail *fail)
{
	struct bpf_reader *r;
	if (!features_host_pids()) {
		no_host_pids(fail);
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		fail_set(fail, ENOMEM, NULL, "cannot look at the host's tasks");
		return NULL;
	}
	libbpf_set_print(silent);
	r->reader = (struct snap_reader){
		.tasks = read_tasks, .files = read_files, .free = reader_free, .whole = true,
	};
	int err = load(r);
	if (!err)
		return &r->reader;
	reader_free(&r->reader);
	if (err == -EPERM || err == -EACCES)
		fail_set(fail, -err, "run as root (sudo), or give CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE",
			 "not allowed to look with BPF");
	else if (access(KERNEL_TYPES, R_OK))
		no_kernel_types(fail);
	else
		fail_set(fail, -err, "`ipctap doctor` tells what is missing",
			 "the kernel refused the iterators of the wait graph");
	return NULL;
}
