// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "session.h"

#define PROGRAMS_MAX 256
#define STEP_MS 100
#define CHECK_EVERY 64 /* pairs between looks at the clock: it should not be what is measured */

/* What the measuring child and the programs have in common with us. */
struct shared {
	struct load_run run;
	struct fail fail;
	volatile int go;
	uint64_t end_ns;
	uint64_t calls[PROGRAMS_MAX];
};

/* ---- a program: a byte into a pipe, and out of it ---- */

static void wait_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void program(struct shared *sh, uint64_t *calls)
{
	int fds[2];
	char byte = 'x';

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pipe(fds))
		_exit(1);
	while (!sh->go)
		wait_ms(1);
	for (uint64_t n = 1;; n++) {
		if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1)
			_exit(1);
		*calls += 2;
		if (n % CHECK_EVERY == 0 && clock_now_ns() >= sh->end_ns)
			_exit(0);
	}
}

static int start_programs(struct shared *sh, pid_t *pids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			program(sh, &sh->calls[i]);
		if (pids[i] < 0)
			return -errno;
	}
	return 0;
}

static void end_programs(const pid_t *pids, unsigned int n)
{
	for (unsigned int i = 0; i < n && pids[i] > 0; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

/* ---- the run, in a child of ours ---- */

static uint64_t losses(const struct model *m, uint64_t of_store)
{
	uint64_t sum = of_store;

	for (const struct m_loss *l = model_losses(m); l; l = l->next)
		sum += l->count;
	return sum;
}

/* Nobody writes or reads here but the programs; closing their pipes at exit is no call. */
static int record(struct shared *sh, struct session *s, struct store *store, double seconds)
{
	struct fail *fail = &sh->fail;
	uint64_t begin_ns;
	int err = session_start(s, fail), more = 1, stopped;

	if (err)
		return err;
	/* what already runs is taken in by the first pump */
	err = session_step(s, 1, fail);
	begin_ns = clock_now_ns();
	sh->end_ns = begin_ns + (uint64_t)(seconds * 1e9);
	sh->go = 1;
	while (err >= 0 && more > 0)
		err = more = session_step(s, STEP_MS, fail);
	sh->run.dur_ns = clock_now_ns() - begin_ns;
	stopped = session_stop(s, true, err < 0 ? NULL : fail);
	if (s->out_err)
		store_error(store, fail);
	return err < 0 ? err : stopped;
}

static int measure(struct shared *sh, const char *path, uint64_t ring_bytes, double seconds,
		   unsigned int programs)
{
	pid_t pids[PROGRAMS_MAX] = { 0 };
	struct args a = { 0 };
	struct session s = { .args = &a };
	struct store *store = NULL;
	struct store_opts opts = { .source = "bpf", .command = "doctor", .options = "load" };
	struct store_stats stats = { 0 };
	int err = start_programs(sh, pids, programs);

	a.feed.ring_bytes = ring_bytes;
	a.feed.scope.pids = pids;
	a.feed.scope.npids = (int)programs;
	if (err)
		fail_set(&sh->fail, -err, NULL, "cannot start the load");
	if (!err)
		err = session_open(&s, &sh->fail);
	if (!err)
		err = store_create(&store, path, &opts, &sh->fail);
	if (!err) {
		s.out = store_sink(store);
		err = record(sh, &s, store, seconds);
	}
	end_programs(pids, programs);
	if (!err)
		err = store_finish(store, s.model, &sh->fail);
	if (!err) {
		store_get_stats(store, &stats);
		sh->run.recorded = stats.events;
		sh->run.lost = losses(s.model, stats.lost);
		for (unsigned int i = 0; i < programs; i++)
			sh->run.calls += sh->calls[i];
	}
	store_free(store);
	session_close(&s);
	return err;
}

static void remove_trace(const char *dir)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(path, sizeof(path), "%s/load.db%s", dir, ends[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int run_in(const char *dir, struct shared *sh, uint64_t ring_bytes, double seconds,
		  unsigned int programs)
{
	char path[PATH_MAX];
	int status = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/load.db", dir);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(measure(sh, path, ring_bytes, seconds, programs) ? 1 : 0);
	}
	if (pid < 0)
		return fail_set(&sh->fail, errno, NULL, "cannot measure");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!sh->fail.err)
		fail_set(&sh->fail, EIO, NULL, "the measurement broke off");
	return -sh->fail.err;
}

int load_run(struct load_run *out, uint64_t ring_bytes, double seconds, unsigned int programs,
	     struct fail *fail)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX - 32];
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (programs > PROGRAMS_MAX)
		programs = PROGRAMS_MAX;
	if (sh == MAP_FAILED)
		return fail_set(fail, errno, NULL, "cannot measure");
	snprintf(dir, sizeof(dir), "%s/ipctap-load-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		err = fail_set(fail, errno, "set TMPDIR to a folder with room", "cannot write in %s",
			       tmp && *tmp ? tmp : "/tmp");
		munmap(sh, sizeof(*sh));
		return err;
	}
	err = run_in(dir, sh, ring_bytes, seconds, programs);
	remove_trace(dir);
	*out = sh->run;
	out->ring_bytes = ring_bytes;
	if (err)
		*fail = sh->fail;
	munmap(sh, sizeof(*sh));
	return err;
}

int load_search(uint64_t *least, double seconds, unsigned int programs,
		void (*done)(void *arg, const struct load_run *run), void *arg, struct fail *fail)
{
	uint64_t ring = LOAD_RING_DEFAULT;
	bool grows = false;

	*least = 0;
	while (ring >= LOAD_RING_MIN && ring <= LOAD_RING_MAX) {
		struct load_run run;
		int err = load_run(&run, ring, seconds, programs, fail);

		if (err)
			return err;
		done(arg, &run);
		if (!run.lost)
			*least = ring;
		if (ring == LOAD_RING_DEFAULT)
			grows = run.lost > 0;
		else if (grows == (run.lost == 0))
			break;
		ring = grows ? ring * 2 : ring / 2;
	}
	return 0;
}
