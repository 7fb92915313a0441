// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shim's source over real files: folders and rings as programs may make them, change them and cut
 * them short while they are being read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/shim_folder.h"
#include "collector/shim_guard.h"
#include "collector/src_shim.h"
#include "ring_fixture.h"

/* A folder with rings in it, the source that reads them, and what it told. */
struct world {
	char path[64];
	struct src_shim *shim;
	struct sink sink;
	uint64_t writes, bytes, lost, bad, tasks;
};

static int count(struct sink *self, const struct ev_hdr *ev)
{
	struct world *w = (struct world *)((char *)self - offsetof(struct world, sink));
	const struct ev_io *io = (const struct ev_io *)ev;
	const struct ev_lost *lost = (const struct ev_lost *)ev;
	assert_true(event_is_valid(ev, ev->size));
	if (ev->type == EV_IO) {
		w->writes++;
		w->bytes += io->bytes;
	} else if (ev->type == EV_LOST) {
		*(lost->cause == LOST_BAD_RECORD ? &w->bad : &w->lost) += lost->count;
	} else if (ev->type == EV_TASK) {
		w->tasks++;
	}
	return 0;
}

static struct world w;

static int setup(void **state)
{
	(void)state;
	struct shim_folder f = { .is_ours = true };
	struct fail fail = { 0 };
	memset(&w, 0, sizeof(w));
	w.sink.event = count;
	strcpy(w.path, "/tmp/ipctap-test-XXXXXX");
	if (!mkdtemp(w.path))
		return -1;
	snprintf(f.path, sizeof(f.path), "%s", w.path);
	f.fd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f.control = mmap(NULL, SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return src_shim_open(&w.shim, &f, &(struct feed_opts){ 0 }, 0, &fail);
}

static void poll_once(void)
{
	uint64_t complete_ns = 0;
	assert_in_range(source_poll(src_shim_source(w.shim), &w.sink, 0, &complete_ns), 0, 1);
}

static int teardown(void **state)
{
	(void)state;
	source_free(src_shim_source(w.shim));
	return access(w.path, F_OK) == 0; /* removed with all that was in it */
}

/* A ring's file of `bytes`, under a name of its own that is not yet a ring's. */
static struct written ring_file(uint32_t tid, size_t bytes)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/new.%u", w.path, tid);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(base != MAP_FAILED);
	struct written ring = ring_of(base, bytes, tid);
	struct raw_object o = ring_pipe(2000);
	ring_put(&ring, &o, sizeof(o));
	return ring;
}

static void name_it(uint32_t tid)
{
	char from[128], to[128];
	snprintf(from, sizeof(from), "%s/new.%u", w.path, tid);
	snprintf(to, sizeof(to), "%s/" SHIM_RING_PREFIX "%u.%u.1", w.path, tid, tid);
	assert_int_equal(rename(from, to), 0);
}

static void put_write(struct written *ring, uint64_t t_ns, uint64_t bytes)
{
	struct ev_io e = ring_write(t_ns, bytes);
	ring_put(ring, &e, sizeof(e));
}

static void let_go(struct written *ring) { munmap(ring->ring, SHIM_PAGE + ring->data_bytes); }

static int entries(void)
{
	int n = 0;
	DIR *dir = opendir(w.path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void what_was_told_is_handed_on_once(void **state)
{
	(void)state;
	struct written a = ring_file(RING_PID, RING_BYTES);
	put_write(&a, 3000, 10);
	name_it(RING_PID);
	poll_once();
	poll_once();
	assert_int_equal(w.writes, 1);
	assert_int_equal(w.bytes, 10);
	assert_int_equal(w.bad + w.lost, 0);
	assert_int_equal(entries(), 0); /* its name is gone as soon as it is mapped */
	let_go(&a);
}

/* Rings of one process that is gone: the earlier record first, whichever ring it is in. */
static void thousands_of_rings_are_read(void **state)
{
	(void)state;
	enum { RINGS = 3000 };
	for (uint32_t i = 0; i < RINGS; i++) {
		struct written a = ring_file(RING_PID + i, RING_BYTES);
		put_write(&a, 3000 + i % 7, 1);
		put_write(&a, 4000 + i % 5, 1);
		let_go(&a);
		name_it(RING_PID + i);
	}
	poll_once();
	poll_once();
	assert_int_equal(w.writes, 2 * RINGS);
	assert_int_equal(w.bad + w.lost, 0);
	assert_int_equal(entries(), 0);
}

/* What is not a ring is told as a loss, and does not stay in the folder. */
static void what_is_no_ring_is_counted(void **state)
{
	(void)state;
	char path[128], target[128];
	snprintf(path, sizeof(path), "%s/" SHIM_RING_PREFIX "link", w.path);
	snprintf(target, sizeof(target), "%s-target", w.path);
	int fd = open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, RING_BYTES), 0);
	void *base = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	struct written a = ring_of(base, RING_BYTES, RING_PID);
	struct raw_object o = ring_pipe(2000);
	ring_put(&a, &o, sizeof(o));
	put_write(&a, 3000, 10);
	assert_int_equal(symlink(target, path), 0); /* not followed, though there is a ring behind it */
	snprintf(path, sizeof(path), "%s/" SHIM_RING_PREFIX "fifo", w.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/" SHIM_RING_PREFIX "empty", w.path);
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	poll_once();
	assert_int_equal(w.bad, 3);
	assert_int_equal(w.writes, 0);
	assert_int_equal(a.ring->tail, 0);
	assert_int_equal(entries(), 0);
	let_go(&a);
	unlink(target);
}

static void cut_short(const char *name, off_t bytes)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", w.path, name);
	assert_int_equal(truncate(path, bytes), 0);
}

/* At every length; the ring beside it is read as if nothing had happened. */
static void a_ring_cut_short_ends_nothing_but_itself(void **state)
{
	(void)state;
	static const off_t lengths[] = { 0, 8, SHIM_PAGE - 8, SHIM_PAGE, SHIM_PAGE * 2, SHIM_PAGE * 4 };
	enum { N = sizeof(lengths) / sizeof(*lengths), LONG = 300 };
	uint32_t tid = RING_PID;
	char link_to[N][128], path[128];
	struct written cut[N], sound = ring_file(tid, RING_BYTES);
	sound.ring->pid = (uint32_t)getpid(); /* one that lives: more may come */
	name_it(tid);
	for (int i = 0; i < N; i++) {
		cut[i] = ring_file(++tid, RING_BYTES);
		cut[i].ring->pid = sound.ring->pid;
		snprintf(path, sizeof(path), "%s/new.%u", w.path, tid);
		snprintf(link_to[i], sizeof(link_to[i]), "%s-%d", w.path, i);
		assert_int_equal(link(path, link_to[i]), 0); /* the collector removes the other name */
		name_it(tid);
	}
	poll_once();
	assert_int_equal(w.bad, 0);
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < LONG; j++)
			put_write(&cut[i], 3000 + (uint64_t)j, 1);
		assert_int_equal(truncate(link_to[i], lengths[i]), 0);
		unlink(link_to[i]);
	}
	put_write(&sound, 4000, 100000);
	poll_once();
	poll_once();
	put_write(&sound, 5000, 100000);
	poll_once();
	assert_in_range(w.bytes, 200000, 200000 + N * LONG);
	assert_in_range(w.bad, N, 3 * N);
	for (int i = 0; i < N; i++)
		let_go(&cut[i]);
	let_go(&sound);
}

/* A fault that is nobody's ring is still what it was: the end. */
static void other_faults_are_not_swallowed(void **state)
{
	(void)state;
	char name[] = "/tmp/ipctap-test-XXXXXX";
	int status, fd = mkstemp(name);
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, SHIM_PAGE), 0);
	char *base = mmap(NULL, SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(base != MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0) {
		struct shim_guard g;
		char other[SHIM_PAGE];
		signal(SIGBUS, SIG_DFL); /* a sanitizer's handler would say a lot */
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		if (shim_guard_add(&g, other, sizeof(other)) || ftruncate(fd, 0))
			_exit(1);
		_exit(*(volatile char *)base);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	close(fd);
	munmap(base, SHIM_PAGE);
}

/* ---- the folder ---- */

static char library[128];

static void a_library(void)
{
	strcpy(library, "/tmp/ipctap-test-XXXXXX");
	int fd = mkstemp(library);
	assert_true(fd >= 0);
	close(fd);
	setenv("IPCTAP_SHIM_LIBRARY", library, 1);
}

static void a_folder_is_private_and_goes_with_its_maker(void **state)
{
	(void)state;
	struct shim_folder f;
	struct fail fail = { 0 };
	struct stat st;
	char path[sizeof(f.path)];
	a_library();
	assert_int_equal(shim_folder_make(&f, &(struct shim_folder_opts){ .snap_bytes = 100000 }, &fail), 0);
	strcpy(path, f.path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(f.control->magic == SHIM_MAGIC && f.control->version == SHIM_VERSION && f.control->on);
	assert_int_equal(f.control->snap_bytes, EV_PAYLOAD_MAX);
	assert_int_equal(f.control->collector, getpid());
	shim_folder_release(&f);
	assert_int_equal(access(path, F_OK), -1);
	shim_folder_release(&f); /* and again */
	unlink(library);
}

/* A program whose environment says that its rings are in `path`; it ends when told to. */
static pid_t program(const char *path, int *end)
{
	int fds[2], ready[2];
	char word[256], byte;
	assert_int_equal(pipe2(fds, 0), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	snprintf(word, sizeof(word), SHIM_ENV "=%s", path);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[1]);
		dup2(fds[0], 0);
		execle("/bin/cat", "cat", (char *)NULL, (char *[]){ word, NULL });
		_exit(127);
	}
	close(fds[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* executed: it was closed */
	close(ready[0]);
	*end = fds[1];
	return pid;
}

static int take(const char *path, struct fail *fail)
{
	struct shim_folder f;
	int end, status;
	pid_t pid = program(path, &end);
	*fail = (struct fail){ 0 };
	int err = shim_folder_take(&f, (uint32_t)pid, &(struct shim_folder_opts){ 0 }, fail);
	shim_folder_release(&f);
	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return err;
}

static void a_folder_is_taken_over_from_a_program(void **state)
{
	(void)state;
	struct shim_folder f;
	struct fail fail = { 0 };
	char alias[] = "/tmp/ipctap-test-link-XXXXXX";
	a_library();
	assert_int_equal(shim_folder_make(&f, &(struct shim_folder_opts){ 0 }, &fail), 0);
	f.control->collector = 1; /* of another, which lives and reads it */
	assert_int_equal(take(f.path, &fail), -EBUSY);
	assert_non_null(strstr(fail.what, "ipctap[1]"));
	assert_int_equal(flock(f.fd, LOCK_UN), 0); /* as when it is gone */
	uint32_t generation = f.control->generation;
	assert_int_equal(take(f.path, &fail), 0);
	assert_int_equal(f.control->generation, generation + 1);
	assert_int_equal(access(f.path, F_OK), 0); /* not removed by one that did not make it */

	assert_int_equal(take("/tmp/ipctap-there-is-none", &fail), -ENOENT);
	assert_true(mkstemp(alias) >= 0);
	unlink(alias);
	assert_int_equal(symlink(f.path, alias), 0);
	assert_int_equal(take(alias, &fail), -ENOENT);
	unlink(alias);
	assert_int_equal(chmod(f.path, 0701), 0); /* others could look in */
	assert_int_equal(take(f.path, &fail), -ENOENT);
	assert_int_equal(chmod(f.path, 0700), 0);
	if (geteuid() == 0) { /* root may look into anybody's, as long as it is theirs alone */
		assert_int_equal(chown(f.path, 65534, 65534), 0);
		assert_int_equal(take(f.path, &fail), 0);
	}
	f.control->version++;
	assert_int_equal(take(f.path, &fail), -ENOENT);
	f.control->version--;
	strcpy(w.path, f.path);
	cut_short(SHIM_CONTROL, 8);
	assert_int_equal(take(f.path, &fail), -ENOENT);
	munmap(f.control, SHIM_PAGE); /* what is left of it cannot be looked at */
	f.control = NULL;
	shim_folder_release(&f);
	unlink(library);
}

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

/* What a collector that was killed left goes with the next one, unless a program is still in it. */
static void a_folder_left_behind_is_removed_when_nobody_needs_it(void **state)
{
	(void)state;
	struct shim_folder left, other;
	struct fail fail = { 0 };
	struct shim_folder_opts opts = { 0 };
	int end, status;
	a_library();
	assert_int_equal(shim_folder_make(&left, &opts, &fail), 0);
	assert_int_equal(shim_folder_make(&other, &opts, &fail), 0);
	assert_true(is_there(left.path)); /* its collector lives */
	shim_folder_release(&other);

	pid_t pid = program(left.path, &end);
	close(left.fd); /* now it does not, but a program does */
	assert_int_equal(shim_folder_make(&other, &opts, &fail), 0);
	assert_true(is_there(left.path));
	shim_folder_release(&other);
	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);

	assert_int_equal(shim_folder_make(&other, &opts, &fail), 0);
	assert_false(is_there(left.path));
	shim_folder_release(&other);
	munmap(left.control, SHIM_PAGE);
	unlink(library);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_was_told_is_handed_on_once),
		T(thousands_of_rings_are_read),
		T(what_is_no_ring_is_counted),
		T(a_ring_cut_short_ends_nothing_but_itself),
		cmocka_unit_test(other_faults_are_not_swallowed),
		cmocka_unit_test(a_folder_is_private_and_goes_with_its_maker),
		cmocka_unit_test(a_folder_is_taken_over_from_a_program),
		cmocka_unit_test(a_folder_left_behind_is_removed_when_nobody_needs_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
