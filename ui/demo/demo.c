// SPDX-License-Identifier: GPL-2.0-or-later
/* The demo verb: the table of workloads, its command line, and the supervisor of the workers. */
#include "demo.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hangs.h"
#include "lib/abi/words.h"
#include "lib/base/clock.h"
#include "lib/base/fail.h"
#include "ui/cli/say.h"
#include "workloads.h"

#define DEFAULT_S 3.0
#define COUNTED_S 60.0 /* by when COUNT messages must have gone through */
#define HANGS_S 600.0  /* nobody waits longer for a workload that never ends */
#define DRAIN_S 10u    /* for the receivers, after the senders' deadline */
#define DEFAULT_RATE 200.0

static int start_mixed(struct demo_run *run);

struct workload {
	const char *name, *what;
	int (*start)(struct demo_run *run);
	bool hangs;              /* by design: is ended at the deadline */
	const struct hang *hang; /* a case of the corpus of waits; then start is NULL */
};

static const struct workload workloads[] = {
    {"pipeline", "three processes in a row, joined by two pipes", demo_pipeline, false, NULL},
    {"fifo", "a writer and a reader that meet at a named pipe", demo_fifo, false, NULL},
    {"unix-server", "a unix stream server that answers four clients", demo_unix_server, false, NULL},
    {"unix-dgram", "two programs that log to a unix datagram socket", demo_unix_dgram, false, NULL},
    {"seqpacket", "jobs of many sizes over a seqpacket socketpair", demo_seqpacket, false, NULL},
    {"tcp", "request and response over TCP on 127.0.0.1", demo_tcp, false, NULL},
    {"udp", "question and answer over UDP on 127.0.0.1", demo_udp, false, NULL},
    {"msgq", "a System V queue: two producers, two consumers, three types", demo_msgq, false, NULL},
    {"shm-ring", "a ring in System V shared memory guarded by semaphores", demo_shm_ring, false, NULL},
    {"posix-mq", "a POSIX queue: two producers, one consumer, three priorities", demo_posix_mq,
     false, NULL},
    {"eventfd", "two processes take turns by adding to eventfd counters", demo_eventfd, false, NULL},
    {"signals", "a process sends signals, another answers each with one", demo_signals, false, NULL},
    {"locks", "two processes contend for the locks of one file", demo_locks, false, NULL},
    {"pty", "a terminal and a shell at the two ends of a pseudo terminal", demo_pty, false, NULL},
    {"mixed", "all of the above at once", start_mixed, false, NULL},
    {"ripc-shm-letter", "libripc: the letter A through System V shared memory",
     demo_ripc_shm_letter, false, NULL},
    {"ripc-shm-letter-win32", "libripc: the letter A through a file mapping",
     demo_ripc_shm_letter_win32, false, NULL},
    {"ripc-msg-queue", "libripc: a System V queue, taken by type", demo_ripc_msg_queue, false, NULL},
    {"ripc-create-pipe", "libripc: printf | sort by CreatePipe and CreateProcess",
     demo_ripc_create_pipe, false, NULL},
    {"ripc-named-pipe", "libripc: a named pipe's server, a thread for each of three clients",
     demo_ripc_named_pipe, false, NULL},
    {"ripc-named-pipe-tcp", "libripc: the same, from another machine over TCP on loopback",
     demo_ripc_named_pipe_tcp, false, NULL},
    {"ripc-sockets", "libripc: a socket server over TCP and UDP, IPv4 and IPv6", demo_ripc_sockets,
     false, NULL},
    {"ripc-objects", "libripc: each named object with three processes", demo_ripc_objects, false, NULL},
    {"posix-shm", "a ring in a POSIX shared memory object, guarded by semaphores", demo_posix_shm,
     false, NULL},
    {"posix-sem", "two processes that take turns by named semaphores", demo_posix_sem,
     false, NULL},
    {"futex", "two processes that take turns by a futex in shared memory", demo_futex,
     false, NULL},
    {"fd-passing", "pipes handed over a unix socket, and used", demo_fd_passing, false, NULL},
    {"process-vm", "one process reads and writes the memory of another", demo_process_vm,
     false, NULL},
    {"io-uring", "question and answer by requests of an io_uring", demo_io_uring, false, NULL},
};
#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

static int start_mixed(struct demo_run *run)
{
	int err = 0;

	for (size_t i = 0; workloads[i].start != start_mixed && !err; i++)
		err = workloads[i].start(run);
	return err;
}

/* ---- the supervisor ---- */

static void kill_workers(const struct demo_run *run, int sig)
{
	for (int i = 0; i < run->nworkers; i++)
		if (run->workers[i])
			kill(run->workers[i], sig);
}

static int workers_left(const struct demo_run *run)
{
	int n = 0;

	for (int i = 0; i < run->nworkers; i++)
		n += run->workers[i] != 0;
	return n;
}

/* Collects whoever has exited. Returns false when one of them failed. */
static bool reap_workers(struct demo_run *run, int how)
{
	bool good = true;

	for (int i = 0; i < run->nworkers; i++) {
		int status;

		if (!run->workers[i] || waitpid(run->workers[i], &status, how) != run->workers[i])
			continue;
		run->workers[i] = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			good = false;
	}
	return good;
}

static void end_workers(struct demo_run *run)
{
	kill_workers(run, SIGKILL);
	reap_workers(run, 0);
}

/* Waits for all workers until `until_ns`. 0: all done, -ETIMEDOUT, -ECHILD: one failed, or the
 * signal. */
static int supervise(struct demo_run *run, const sigset_t *signals, uint64_t until_ns)
{
	for (;;) {
		uint64_t now;
		struct timespec left;
		int sig;

		if (!reap_workers(run, WNOHANG))
			return -ECHILD;
		if (!workers_left(run))
			return 0;
		now = clock_now_ns();
		if (now >= until_ns)
			return -ETIMEDOUT;
		left.tv_sec = (time_t)((until_ns - now) / NS_PER_S);
		left.tv_nsec = (long)((until_ns - now) % NS_PER_S);
		sig = sigtimedwait(signals, NULL, &left);
		if (sig > 0 && sig != SIGCHLD)
			return sig;
	}
}

static void print_tally(const struct demo_run *run)
{
	for (unsigned int kind = 0; kind < KIND_MAX; kind++) {
		const struct demo_tally *t = &run->tally[kind];

		if (t->sent)
			printf("kind=%s sent=%" PRIu64 " bytes=%" PRIu64 "\n", kind_word(kind),
			       t->sent, t->bytes);
		if (t->ops)
			printf("kind=%s ops=%" PRIu64 "\n", kind_word(kind), t->ops);
	}
	fflush(stdout);
}

/* Everything that was sent was received, and the counted number was reached. */
static bool tally_is_whole(const struct demo_run *run)
{
	for (unsigned int kind = 0; kind < KIND_MAX; kind++) {
		const struct demo_tally *t = &run->tally[kind];

		if (t->sent != t->received || t->bytes != t->got_bytes)
			return false;
	}
	return !run->count || clock_now_ns() < run->deadline_ns;
}

/* What to tell of how the run ended; NULL: nothing. */
static const char *complaint(const struct workload *w, const struct demo_run *run, int end)
{
	if (end == -ETIMEDOUT)
		return w->hangs ? NULL : "did not end";
	if (end < 0)
		return "a process failed";
	if (!tally_is_whole(run))
		return "stopped before every message had gone through";
	return NULL;
}

static int run_workload(const struct workload *w, struct demo_run *run)
{
	uint64_t until_ns = run->deadline_ns + (w->hangs ? 0 : DRAIN_S * (uint64_t)NS_PER_S);
	const char *wrong = NULL;
	sigset_t signals;
	int end;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &run->worker_mask);
	prctl(PR_SET_NAME, "demo");

	end = w->hang ? hang_start(run, w->hang) : w->start(run);
	if (end < 0)
		wrong = strerror(-end);
	else
		end = supervise(run, &signals, until_ns);
	end_workers(run);
	demo_cleanup(run);
	if (!wrong)
		wrong = end > 0 ? NULL : complaint(w, run, end);
	print_tally(run);
	if (wrong)
		fprintf(stderr, "ipctap demo: %s: %s\n", w->name, wrong);
	if (end > 0) { /* interrupted: end as the signal says, now that everything is clean */
		signal(end, SIG_DFL);
		sigprocmask(SIG_SETMASK, &run->worker_mask, NULL);
		raise(end);
	}
	return wrong ? 1 : 0;
}

/* ---- the command line ---- */

static int usage(void)
{
	puts("Usage: ipctap demo [--json]\n"
	     "       ipctap demo NAME [-d SEC] [-r RATE] [-c COUNT]\n\n"
	     "Runs a reference workload; without NAME, lists them.\n\n"
	     "Options:\n"
	     "  -d, --duration SEC       how long (default 3; with -c the time allowed, default "
	     "60)\n"
	     "  -r, --rate RATE          messages a second from every sender (default 200; with -c "
	     "no limit)\n"
	     "  -c, --count COUNT        exactly COUNT messages from every sender\n"
	     "      --json               the list as JSON\n"
	     "  -h, --help               this text\n\n"
	     "More in ipctap-demo(1).");
	return 0;
}

/* One line that says what is wrong, one with the remedy. */
static int misuse(const char *remedy, const char *what, const char *arg)
{
	struct fail fail = {0};

	fail_set(&fail, 0, remedy, "demo: %s%s", what, arg);
	say_fail(&fail);
	return 2;
}

static int list_text(void)
{
	for (size_t i = 0; i < WORKLOADS; i++)
		printf("%-23s%s\n", workloads[i].name, workloads[i].what);
	puts("\nCases that hang, or look it, and what `ipctap deadlock` says of each:\n");
	for (const struct hang *h = hangs; h->name; h++)
		printf("%-23s%-14s%s\n", h->name, h->verdict, h->what);
	return 0;
}

static int list_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < WORKLOADS; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name", workloads[i].name,
						      "what", workloads[i].what, "hangs",
						      workloads[i].hangs));
	for (const struct hang *h = hangs; h->name; h++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:s, s:s?, s:s}", "name", h->name, "what", h->what,
					"hangs", 1, "verdict", h->verdict, "core", h->core, "cause",
					h->cause));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
	return 0;
}

static const char *workload_word(const void *list, size_t i)
{
	(void)list;
	if (i < WORKLOADS)
		return workloads[i].name;
	return hangs[i - WORKLOADS].name;
}

static const struct workload *find_workload(const char *name)
{
	static struct workload found;
	const char *near;
	char remedy[128];

	for (size_t i = 0; i < WORKLOADS; i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	for (const struct hang *h = hangs; h->name; h++)
		if (strcmp(h->name, name) == 0) {
			found = (struct workload){ h->name, h->what, NULL, true, h };
			return &found;
		}
	near = nearest_word(name, workload_word, NULL);
	snprintf(remedy, sizeof(remedy), "%s%s%sipctap demo lists them",
		 near ? "did you mean " : "", near ? near : "", near ? "? " : "");
	misuse(remedy, "no such workload: ", name);
	return NULL;
}

/* A number of at least `min` and at most `max`, or -1 after a complaint. */
static double number(const char *text, double min, double max, char option)
{
	char *end, what[64], remedy[64];
	double v = strtod(text, &end);

	if (*text && !*end && v >= min && v <= max)
		return v;
	snprintf(what, sizeof(what), "-%c: not a number that will do: ", option);
	snprintf(remedy, sizeof(remedy), "write one from %g to %.0f", min, max);
	misuse(remedy, what, text);
	return -1;
}

struct options {
	double seconds, rate, count; /* 0: not given */
	bool json, help;
};

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'J'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	int c;

	optind = 0; /* the verb's own scan, whatever was scanned before */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "d:r:c:h", longs, NULL)) != -1) {
		double v = 1;

		if (c == 'd')
			v = o->seconds = number(optarg, 0.001, 86400, 'd');
		else if (c == 'r')
			v = o->rate = number(optarg, 0.001, 1e6, 'r');
		else if (c == 'c')
			v = o->count = number(optarg, 1, 1e9, 'c');
		else if (c == 'J')
			o->json = true;
		else if (c == 'h')
			o->help = true;
		else
			v = -misuse(
			    "ipctap demo --help lists what there is",
			    "unknown option, or one without its argument: ", argv[optind - 1]);
		if (v < 0)
			return false;
	}
	return true;
}

static int start_run(const struct workload *w, const struct options *o)
{
	double seconds = o->seconds > 0 ? o->seconds
			 : w->hangs     ? HANGS_S
			 : o->count > 0 ? COUNTED_S
					: DEFAULT_S;
	double rate = o->rate > 0 ? o->rate : o->count > 0 ? 0 : DEFAULT_RATE;
	struct demo_run run = {.count = (uint64_t)o->count};
	size_t size = KIND_MAX * sizeof(*run.tally);
	int status;

	run.tally = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.tally == MAP_FAILED) {
		fprintf(stderr, "ipctap demo: mmap: %s\n", strerror(errno));
		return 1;
	}
	run.gap_ns = rate > 0 ? (uint64_t)(NS_PER_S / rate) : 0;
	run.deadline_ns = clock_now_ns() + (uint64_t)(seconds * NS_PER_S);
	status = run_workload(w, &run);
	munmap(run.tally, size);
	return status;
}

int demo_main(int argc, char **argv)
{
	struct options o = {0};
	const struct workload *w;

	if (!parse_options(argc, argv, &o))
		return 2;
	if (o.help)
		return usage();
	if (optind == argc)
		return o.json ? list_json() : list_text();
	if (argc - optind > 1)
		return misuse("name one workload", "what is this for: ", argv[optind + 1]);
	w = find_workload(argv[optind]);
	return w ? start_run(w, &o) : 2;
}
