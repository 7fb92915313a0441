// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a message costs, by libripc and by its neighbours, and what an uncontended lock costs.
 *
 *     bench_ripc [ROUNDS]        default 5, at most 101; in the environment
 *         RIPC_BENCH_MS=40       milliseconds for each run
 *         RIPC_BENCH_PLACES=…    of: apart (the receiver on one CPU, the senders on others),
 *                                together (all on one CPU), free (as the scheduler likes); all
 *         RIPC_BENCH_SIZES=…     of: 64 1024 65536; all
 *         RIPC_BENCH_ONLY=…      carriers whose name contains this
 *         RIPC_BENCH_RUNS=…      of: 1 4 (one way, so many senders), t (round trip), l (locks)
 *
 * In a round all carriers take turns, each round beginning with another: what else the machine does
 * hits them alike. A figure is the median over the rounds; a goal is judged by the median of the
 * ratios within each round, against each of the others, by the worst of these. All have room for
 * the same number of messages where the system lets them, block when full or empty, and copy a
 * message as often as their interface makes a user of it do.
 *
 * Exits 1 when a goal is missed.
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ripc/ripc.h"
#include "tests/ripc/bench.h"

#define SENDERS_MAX 4
#define WARM_UP_NS 3000000

static const struct bench_carrier *carriers[BENCH_MOST];
static int ncarriers, nours, nothers; /* ours first, then the others, then the ceiling */
static int64_t run_ns;
static struct {
	long type;
	char text[65536];
} letter = {.type = 1};

/* ---- options ---- */

static bool has_word(const char *variable, const char *word)
{
	const char *v = getenv(variable);
	for (size_t n = strlen(word); v && *v; v += strcspn(v, " ,"), v += strspn(v, " ,")) {
		if (!strncmp(v, word, n) && strchr(" ,", v[n]))
			return true;
	}
	return !getenv(variable);
}

static bool is_run(char letter_of_run)
{
	const char *v = getenv("RIPC_BENCH_RUNS");
	return !v || strchr(v, letter_of_run);
}

static int add_carrier(const struct bench_carrier *c)
{
	const char *only = getenv("RIPC_BENCH_ONLY");
	if (only && !strstr(c->name, only))
		return 0;
	carriers[ncarriers++] = c;
	return 1;
}

static void add_carriers(void)
{
	for (int i = 0; i < BENCH_OURS; i++)
		nours += add_carrier(&bench_ours[i]);
	for (int i = 0; i < bench_nkernels; i++)
		nothers += add_carrier(&bench_kernels[i]);
#ifdef BENCH_BOOST
	nothers += add_carrier(&bench_boost);
#endif
	add_carrier(&bench_bare);
}

/* ---- who runs where ---- */

enum place { APART, TOGETHER, FREE, PLACES };
static const char *const place_names[PLACES] = {"apart", "together", "free"};
static const char *const place_means[PLACES] = {"the receiver on one CPU, senders on others",
						"all on one CPU", "where the scheduler puts them"};
static enum place place;
static cpu_set_t all_cpus;

static int nth_cpu(int n)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &all_cpus) && n-- == 0)
			return cpu;
	}
	return 0;
}

/* 0 is the receiver, senders count from 1. */
static void take_place(int who)
{
	int cpus = CPU_COUNT(&all_cpus);
	cpu_set_t set = all_cpus;
	if (place != FREE) {
		CPU_ZERO(&set);
		CPU_SET(nth_cpu(place == APART && who ? 1 + (who - 1) % (cpus - 1) : 0), &set);
	}
	sched_setaffinity(0, sizeof(set), &set);
}

/* ---- runs ---- */

static void stop(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static pid_t start_sender(const struct bench_carrier *c, size_t bytes, int who)
{
	pid_t pid = fork();
	if (pid == 0) {
		take_place(who);
		while (!c->send(BENCH_THERE, letter.text, bytes))
			;
		_exit(1);
	}
	return pid;
}

/* For at least so long, some at a time so that the clock costs nothing; messages a second, or -1 */
static double receive_for(const struct bench_carrier *c, size_t bytes, int64_t ns)
{
	long n = 0, every = bytes > 1024 ? 4 : 64;
	int64_t start = ripc_now_ns(), now = start;
	for (; now - start < ns; now = ripc_now_ns()) {
		for (long k = 0; k < every; k++, n++) {
			if (c->receive(BENCH_THERE, letter.text, bytes))
				return -1;
		}
	}
	return (double)n * 1e9 / (double)(now - start);
}

/* Messages a second that one receiver gets of so many senders; < 0 when it cannot be done. */
static double one_way(const struct bench_carrier *c, size_t bytes, int senders)
{
	unsigned depth = bytes <= 64 ? 1024 : bytes <= 1024 ? 256 : 16;
	pid_t pids[SENDERS_MAX] = {0};
	double rate = -1;
	if ((!c->senders_max || senders <= c->senders_max) && c->open(bytes, depth) == 0) {
		bool works = true;
		for (int i = 0; i < senders; i++) {
			pids[i] = start_sender(c, bytes, 1 + i);
			works &= pids[i] > 0;
		}
		if (works && receive_for(c, bytes, WARM_UP_NS) > 0)
			rate = receive_for(c, bytes, run_ns);
		stop(pids, senders);
	}
	c->close();
	return rate;
}

/* For so long; microseconds there and back, or -1. */
static double go_round_for(const struct bench_carrier *c, size_t bytes, int64_t ns)
{
	long n = 0;
	int64_t start = ripc_now_ns(), now = start;
	for (; now - start < ns; now = ripc_now_ns(), n++) {
		if (c->send(BENCH_THERE, letter.text, bytes) ||
		    c->receive(BENCH_BACK, letter.text, bytes))
			return -1;
	}
	return (double)(now - start) / 1e3 / (double)n;
}

static double round_trip(const struct bench_carrier *c, size_t bytes, int clients)
{
	double us = -1;
	(void)clients;
	if (c->open(bytes, 16) == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			take_place(1);
			while (!c->receive(BENCH_THERE, letter.text, bytes) &&
			       !c->send(BENCH_BACK, letter.text, bytes))
				;
			_exit(1);
		}
		if (pid > 0 && go_round_for(c, bytes, WARM_UP_NS) > 0)
			us = go_round_for(c, bytes, run_ns);
		stop(&pid, 1);
	}
	c->close();
	return us;
}

/* ---- figures ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(const double *v, int n)
{
	double sorted[BENCH_ROUNDS_MAX];
	memcpy(sorted, v, (size_t)n * sizeof(*v));
	qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double median_ratio(const double *a, const double *b, int n)
{
	double ratio[BENCH_ROUNDS_MAX];
	for (int i = 0; i < n; i++)
		ratio[i] = a[i] / b[i];
	return median(ratio, n);
}

static const size_t sizes[] = {64, 1024, 65536};
#define SIZES 3
typedef double column[BENCH_MOST][BENCH_ROUNDS_MAX];

struct table {
	const char *title, *unit;
	double (*run)(const struct bench_carrier *, size_t, int);
	int senders;
	double scale;
	char run_letter;
	double goal; /* at 64 B, over the best of the others; more is better when it is more than 1 */
};
static const struct table tables[] = {
	{"one way, one producer", "M messages/s", one_way, 1, 1e-6, '1', 2},
	{"one way, four producers", "M messages/s", one_way, 4, 1e-6, '4', 2},
	{"round trip", "us", round_trip, 1, 1, 't', 1},
};
#define TABLES 3

static void fill(const struct table *t, size_t bytes, int rounds, column v)
{
	for (int r = 0; r < rounds; r++) {
		for (int k = 0; k < ncarriers; k++) {
			int i = (k + r) % ncarriers;
			v[i][r] = t->run(carriers[i], bytes, t->senders);
		}
	}
}

static void print_figures(const struct table *t, column v[SIZES], int rounds)
{
	printf("\n%-34s %10s %10s %10s\n", t->title, "64 B", "1 KiB", "64 KiB");
	for (int i = 0; i < ncarriers; i++) {
		printf("  %-32s", carriers[i]->name);
		for (int s = 0; s < SIZES; s++) {
			double m = median(v[s][i], rounds) * t->scale;
			if (m <= 0)
				printf(" %10s", "-");
			else
				printf(" %10.*f", m < 0.1 ? 4 : 2, m);
		}
		printf("  %s\n", t->unit);
	}
	fflush(stdout);
}

static int goals_missed;
static char verdicts[4096];

static void judge(const char *name, const char *against, double got, double wanted, bool more)
{
	bool met = more ? got >= wanted : got <= wanted;
	size_t used = strlen(verdicts);
	goals_missed += !met;
	snprintf(verdicts + used, sizeof(verdicts) - used,
		 "  %-6s %-42s %6.2f x %s (goal %s %.0f)\n", met ? "met" : "MISSED", name, got,
		 against, more ? ">=" : "<=", wanted);
}

/* Ours against whichever of the others it does worst against; then against the ceiling. */
static void judge_table(const struct table *t, column v, int rounds)
{
	bool more = t->goal > 1;
	double worst = -1;
	const char *against = NULL;
	char name[80];
	for (int i = nours; i < nours + nothers; i++) {
		double r = median_ratio(v[0], v[i], rounds);
		if (r > 0 && (!against || (more ? r < worst : r > worst))) {
			worst = r;
			against = carriers[i]->name;
		}
	}
	if (!against || carriers[0] != &bench_ours[0])
		return;
	snprintf(name, sizeof(name), "%s: %s", place_names[place], t->title);
	judge(name, against, worst, t->goal, more);
	double ceiling = median_ratio(v[0], v[ncarriers - 1], rounds);
	if (carriers[ncarriers - 1] == &bench_bare && ceiling > 0) {
		size_t used = strlen(verdicts);
		snprintf(verdicts + used, sizeof(verdicts) - used,
			 "  %-6s %-42s %6.2f x a bare ring without safety\n", "", "", ceiling);
	}
}

static void run_place(int rounds)
{
	static column v[SIZES];
	printf("\n---- %s: %s ----\n", place_names[place], place_means[place]);
	take_place(0);
	for (const struct table *t = tables; t < tables + TABLES; t++) {
		if (!is_run(t->run_letter))
			continue;
		memset(v, 0, sizeof(v));
		for (int s = 0; s < SIZES; s++) {
			char word[16];
			snprintf(word, sizeof(word), "%zu", sizes[s]);
			if (has_word("RIPC_BENCH_SIZES", word))
				fill(t, sizes[s], rounds, v[s]);
		}
		print_figures(t, v, rounds);
		judge_table(t, v[0], rounds);
	}
}

static void run_locks(int rounds)
{
	static double ns[BENCH_LOCKS][BENCH_ROUNDS_MAX];
	place = TOGETHER;
	take_place(0);
	bench_locks(rounds, ns);
	printf("\nuncontended, taken and given back\n");
	for (int i = 0; i < BENCH_LOCKS; i++)
		printf("  %-46s %8.1f ns\n", bench_lock_names[i], median(ns[i], rounds));
	const char *against = bench_lock_names[BENCH_MUTEX];
	judge("critical section", against, median_ratio(ns[BENCH_CS], ns[BENCH_MUTEX], rounds), 2,
	      false);
	judge("semaphore", against, median_ratio(ns[BENCH_SEM], ns[BENCH_MUTEX], rounds), 2, false);
}

/* ---- what else the machine did ---- */

/* Seconds that all CPUs were busy, by proc_stat(5), and that this process and its children ran. */
static void used(double *all, double *ours)
{
	unsigned long long t[8] = {0};
	struct rusage self, children;
	FILE *f = fopen("/proc/stat", "re");
	if (!f || fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
			 &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
		memset(t, 0, sizeof(t));
	if (f)
		fclose(f);
	/* user nice system idle iowait irq softirq steal */
	*all = (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) / (double)sysconf(_SC_CLK_TCK);
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	*ours = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec +
			 children.ru_stime.tv_sec) +
		(double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
			 children.ru_stime.tv_usec) /
			1e6;
}

static void tell_of_others(double all, double ours)
{
	double all_now, ours_now;
	used(&all_now, &ours_now);
	double others = all_now - all - (ours_now - ours);
	if (all_now > all && others > 0.05 * (all_now - all))
		printf("\nother work had %.0f %% of the CPU time meanwhile: %s\n",
		       100 * others / (all_now - all), "figures are low, ratios hold less well");
}

int main(int argc, char **argv)
{
	double all, ours;
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	const char *ms = getenv("RIPC_BENCH_MS");
	if (rounds < 1 || rounds > BENCH_ROUNDS_MAX)
		rounds = 5;
	run_ns = (ms && atoi(ms) > 0 ? atoi(ms) : 40) * 1000000ll;
	sched_getaffinity(0, sizeof(all_cpus), &all_cpus);
	add_carriers();
	used(&all, &ours);
	printf("medians of %d rounds of %d ms, %d CPUs\n", rounds, (int)(run_ns / 1000000),
	       CPU_COUNT(&all_cpus));
	for (int p = 0; p < PLACES; p++) {
		place = (enum place)p;
		if (has_word("RIPC_BENCH_PLACES", place_names[p]) &&
		    (p == TOGETHER || CPU_COUNT(&all_cpus) > 1))
			run_place(rounds);
	}
	if (is_run('l'))
		run_locks(rounds);
	tell_of_others(all, ours);
	printf("\ngoals, at 64 B\n%s", verdicts);
	return goals_missed ? 1 : 0;
}
