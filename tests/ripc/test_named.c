// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Row 1: the critical section, semaphore, event and condition, as ripc.h states them. Waiting is
 * proven by looking at the process: it sleeps in futex, and then goes on.
 */
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>

#include "lib/ripc/object.h"
#include "lib/ripc/ripc.h"
#include "tests/ripc/tap.h"

#define MS 1000000ll

/* ---- names and lifetime, common to all ---- */

static void names_are_checked(void)
{
	char longest[RIPC_NAME_MAX + 2];
	struct ripc_cs *cs;
	memset(longest, 'n', sizeof(longest));
	longest[RIPC_NAME_MAX + 1] = 0;
	IS(ripc_cs_open(&cs, longest, RIPC_CREATE, 0), -EINVAL, "a name of 181 bytes: EINVAL");
	longest[RIPC_NAME_MAX] = 0;
	IS(ripc_cs_open(&cs, longest, RIPC_CREATE, 0), 1, "a name of 180 bytes");
	ripc_cs_close(cs);
	IS(ripc_cs_open(&cs, "", RIPC_CREATE, 0), -EINVAL, "no name: EINVAL");
	IS(ripc_cs_open(&cs, NULL, RIPC_CREATE, 0), -EINVAL, "NULL for a name: EINVAL");
	IS(ripc_cs_open(&cs, "\\\\.\\../a b\n%\377", RIPC_CREATE, 0), 1, "any bytes in a name");
	IS(ripc_cs_open(&(struct ripc_cs *){0}, "\\\\.\\../a b\n%\377", RIPC_CREATE | RIPC_EXCL, 0),
	   -EEXIST, "the same bytes are the same name");
	ripc_cs_close(cs);
	errno = 0;
	OK(!init_CS("") && errno == EINVAL, "init_ calls return NULL and set errno");
}

static void flags_are_obeyed(void)
{
	struct ripc_semaphore *a, *b;
	IS(ripc_semaphore_open(&a, "f", 1, 0, 0, 0), -ENOENT, "no RIPC_CREATE, none there: ENOENT");
	IS(ripc_semaphore_open(&a, "f", 3, 0, RIPC_CREATE, 0), 1, "created: 1");
	IS(ripc_semaphore_open(&b, "f", 9, 0, RIPC_CREATE, 0), 0, "opened: 0");
	IS(ripc_semaphore_value(b), 3, "an existing one keeps its count");
	ripc_semaphore_close(b);
	IS(ripc_semaphore_open(&b, "f", 9, 0, RIPC_CREATE | RIPC_EXCL, 0), -EEXIST,
	   "RIPC_EXCL: EEXIST");
	ripc_semaphore_close(a);
	IS(ripc_semaphore_open(&a, "f", 1, 0, 0, 0), -ENOENT, "gone with the last close");
	IS(ripc_semaphore_open(&a, "f", 3, 2, RIPC_CREATE, 0), -EINVAL, "count beyond max: EINVAL");
	IS(ripc_semaphore_open(&a, "f", 0, RIPC_SEMAPHORE_MAX + 1, RIPC_CREATE, 0), -EINVAL,
	   "max beyond the limit: EINVAL");
	IS(ripc_semaphore_open(&a, "k", 3, 0, RIPC_CREATE | RIPC_KEEP, 0), 1, "kept");
	ripc_semaphore_try(a);
	ripc_semaphore_close(a);
	IS(ripc_semaphore_open(&a, "k", 9, 0, RIPC_CREATE, 0), 0, "RIPC_KEEP outlives its users");
	IS(ripc_semaphore_value(a), 2, "with what they left in it");
	IS(ripc_semaphore_unlink("k"), 0, "unlink");
	IS(ripc_semaphore_unlink("k"), -ENOENT, "unlink of none: ENOENT");
	IS(ripc_semaphore_post(a, 1), 0, "who has it open goes on");
	IS(ripc_semaphore_open(&b, "k", 7, 0, RIPC_CREATE, 0), 1, "and the name makes another");
	OK(ripc_semaphore_value(a) == 3 && ripc_semaphore_value(b) == 7, "which is another");
	ripc_semaphore_close(a);
	ripc_semaphore_close(b);
}

/* For each kind: the name goes, who has it goes on, the next makes another. */
static void each_kind_is_unlinked(void)
{
	const struct ripc_buffer_shape shape = {.messages = 2, .message_bytes = 8};
	struct ripc_cs *cs[2];
	struct ripc_event *e[2];
	struct ripc_condition *c[2];
	struct ripc_buffer *b[2];
	IS(ripc_cs_unlink("u"), -ENOENT, "no such critical section: ENOENT");
	IS(ripc_event_unlink("u"), -ENOENT, "no such event: ENOENT");
	IS(ripc_condition_unlink("u"), -ENOENT, "no such condition: ENOENT");
	IS(ripc_buffer_unlink("u"), -ENOENT, "no such buffer: ENOENT");
	int made = 0, gone = 0;
	for (int i = 0; i < 2; i++) {
		made += ripc_cs_open(&cs[i], "u", RIPC_CREATE, 0) == 1;
		made += ripc_event_open(&e[i], "u", RIPC_EVENT_MANUAL, false, RIPC_CREATE, 0) == 1;
		made += ripc_condition_open(&c[i], "u", RIPC_CREATE, 0) == 1;
		made += ripc_buffer_open(&b[i], "u", &shape, RIPC_CREATE, 0) == 1;
		if (i == 0)
			gone = !ripc_cs_unlink("u") + !ripc_event_unlink("u") +
			       !ripc_condition_unlink("u") + !ripc_buffer_unlink("u");
	}
	IS(made, 8, "each kind is made, and made again");
	IS(gone, 4, "once its name was taken away");
	ripc_event_set(e[0]);
	ripc_buffer_send(b[0], "x", 1);
	OK(!ripc_cs_enter(cs[0]) && !ripc_cs_enter(cs[1]), "two sections");
	OK(!ripc_event_try(e[0]) && ripc_event_try(e[1]) == -EAGAIN, "two events");
	OK(ripc_buffer_count(b[0]) == 1 && ripc_buffer_count(b[1]) == 0, "two buffers");
	for (int i = 0; i < 2; i++) {
		ripc_cs_leave(cs[i]);
		ripc_cs_close(cs[i]);
		ripc_event_close(e[i]);
		ripc_condition_close(c[i]);
		ripc_buffer_close(b[i]);
	}
}

static int open_and_die(void *arg)
{
	(void)arg;
	if (!init_semaphore(1, "dead") || !init_event("dead"))
		return 1;
	raise(SIGKILL);
	return 0;
}

static void the_dead_leave_nothing(void)
{
	struct ripc_semaphore *s;
	IS(tap_wait(tap_fork(open_and_die, NULL)), 1000 + SIGKILL, "a holder is killed");
	IS(ripc_semaphore_open(&s, "dead", 1, 0, 0, 0), -ENOENT, "its object is gone at a look");
	OK(ripc_dir_sweep() >= 1, "the others are swept");
	IS(tap_files(false), 0, "nothing is left of it");
}

static int hold_inherited(void *arg)
{
	return ripc_semaphore_wait(arg) ? 1 : 0;
}

static void fork_inherits(void)
{
	struct ripc_semaphore *s = init_semaphore(0, "inherited"), *again;
	pid_t child = tap_fork(hold_inherited, s);
	OK(tap_sleeps(child), "a child waits on an inherited handle");
	ripc_semaphore_close(s);
	IS(ripc_semaphore_open(&again, "inherited", 9, 0, 0, 0), 0, "and holds the object");
	ripc_semaphore_post(again, 1);
	IS(tap_wait(child), 0, "the parent's other handle reaches it");
	ripc_semaphore_close(again);
}

/* ---- critical section ---- */

static int enter_and_leave(void *arg)
{
	(void)arg;
	struct ripc_cs *cs = init_CS("cs");
	int err = ripc_cs_enter(cs);
	ripc_cs_leave(cs);
	return -err;
}

static int enter_and_die(void *arg)
{
	ripc_cs_enter(arg ? arg : init_CS("cs"));
	raise(SIGKILL);
	return 0;
}

static int report_try(void *arg)
{
	(void)arg;
	return -ripc_cs_try_enter(init_CS("cs"));
}

static int report_timeout(void *arg)
{
	(void)arg;
	int64_t start = ripc_now_ns();
	int err = ripc_cs_enter_until(init_CS("cs"), ripc_deadline_in(30 * MS));
	return ripc_now_ns() - start < 30 * MS ? 200 : -err;
}

static void a_section_excludes(void)
{
	struct ripc_cs *cs = init_CS("cs");
	IS(ripc_cs_enter(cs), 0, "enter");
	IS(ripc_cs_enter(cs), 0, "enter again: recursive");
	IS(tap_wait(tap_fork(report_try, NULL)), EAGAIN, "another's try: EAGAIN");
	IS(tap_wait(tap_fork(report_timeout, NULL)), ETIMEDOUT, "another's deadline: ETIMEDOUT, not early");
	pid_t child = tap_fork(enter_and_leave, NULL);
	OK(tap_sleeps(child), "another waits");
	IS(ripc_cs_leave(cs), 0, "leave");
	usleep(20000);
	IS(waitpid(child, NULL, WNOHANG), 0, "still inside once");
	IS(ripc_cs_close(cs), -EBUSY, "close inside: EBUSY");
	IS(ripc_cs_leave(cs), 0, "leave");
	IS(tap_wait(child), 0, "the other gets in");
	IS(ripc_cs_leave(cs), -EPERM, "leave by one who is not in: EPERM");
	IS(ripc_cs_enter_until(cs, ripc_deadline_in(-1)), 0, "a deadline over does not hinder");
	ripc_cs_leave(cs);
	struct ripc_cs *second = init_CS("cs");
	IS(ripc_cs_enter(second), 0, "two handles of a process");
	IS(ripc_cs_enter(cs), 0, "are one section for a thread");
	ripc_cs_leave(cs);
	ripc_cs_leave(second);
	ripc_cs_close(second);
	ripc_cs_close(cs);
}

static void an_owner_dies(void)
{
	struct ripc_cs *cs = init_CS("cs");
	IS(tap_wait(tap_fork(enter_and_die, NULL)), 1000 + SIGKILL, "an owner is killed inside");
	IS(ripc_cs_enter(cs), -EOWNERDEAD, "the next is in, and told: EOWNERDEAD");
	IS(tap_wait(tap_fork(report_try, NULL)), EAGAIN, "it is locked");
	IS(ripc_cs_leave(cs), 0, "leave");
	IS(ripc_cs_enter(cs), 0, "and it is as new");
	ripc_cs_leave(cs);
	/* with a waiter asleep: it is told at once, not at some heartbeat */
	int pipe_fds[2];
	if (pipe(pipe_fds) < 0)
		return;
	fflush(stdout);
	pid_t owner = fork();
	if (owner == 0) {
		ripc_cs_enter(init_CS("cs"));
		(void)!write(pipe_fds[1], "x", 1);
		pause();
	}
	char c;
	(void)!read(pipe_fds[0], &c, 1);
	pid_t waiter = tap_fork(enter_and_leave, NULL);
	OK(tap_sleeps(waiter), "a waiter sleeps");
	tap_kill(owner);
	IS(tap_wait(waiter), EOWNERDEAD, "its owner is killed: the waiter is told");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	ripc_cs_close(cs);
}

static void *enter_in_thread(void *arg)
{
	ripc_cs_enter(arg);
	return NULL;
}

static void a_thread_ends_inside(void)
{
	pthread_t t;
	struct ripc_cs *cs = init_CS("thread");
	pthread_create(&t, NULL, enter_in_thread, cs);
	pthread_join(t, NULL);
	IS(ripc_cs_enter(cs), -EOWNERDEAD, "a thread that ends inside: EOWNERDEAD");
	IS(ripc_cs_leave(cs), 0, "and it goes on");
	/* our links share the thread's robust list with the C library's mutexes */
	pthread_mutexattr_t attr;
	pthread_mutex_t m[2];
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m[0], &attr);
	pthread_mutex_init(&m[1], &attr);
	bool ok = !pthread_mutex_lock(&m[0]) && !ripc_cs_enter(cs) && !pthread_mutex_lock(&m[1]) &&
		  !pthread_mutex_unlock(&m[0]) && !ripc_cs_leave(cs) && !ripc_cs_enter(cs) &&
		  !pthread_mutex_unlock(&m[1]) && !pthread_mutex_lock(&m[0]) &&
		  !ripc_cs_leave(cs) && !pthread_mutex_unlock(&m[0]);
	OK(ok, "robust mutexes of the C library in between do no harm");
	ripc_cs_close(cs);
}

/* ---- semaphore ---- */

static int wait_semaphore(void *arg)
{
	(void)arg;
	return -ripc_semaphore_wait(init_semaphore(99, "sem"));
}

static void a_semaphore_counts(void)
{
	struct ripc_semaphore *s = init_semaphore(2, "sem"), *limited;
	IS(ripc_semaphore_wait(s), 0, "one of two");
	IS(ripc_semaphore_try(s), 0, "two of two");
	IS(ripc_semaphore_try(s), -EAGAIN, "none left, try: EAGAIN");
	int64_t start = ripc_now_ns();
	IS(ripc_semaphore_wait_until(s, ripc_deadline_in(30 * MS)), -ETIMEDOUT, "deadline: ETIMEDOUT");
	OK(ripc_now_ns() - start >= 30 * MS, "not early");
	IS(ripc_semaphore_wait_until(s, ripc_deadline_in(-1)), -ETIMEDOUT, "a deadline long over");
	pid_t a = tap_fork(wait_semaphore, NULL), b = tap_fork(wait_semaphore, NULL);
	OK(tap_sleeps(a) && tap_sleeps(b), "two wait");
	IS(ripc_semaphore_post(s, 1), 0, "post one");
	int status;
	pid_t first = wait(&status);
	usleep(20000);
	OK(first == a || first == b, "one goes on");
	IS(waitpid(first == a ? b : a, NULL, WNOHANG), 0, "and one only");
	ripc_semaphore_post(s, 1);
	IS(tap_wait(first == a ? b : a), 0, "then the other");
	IS(ripc_semaphore_post(s, 0), -EINVAL, "post none: EINVAL");
	IS(ripc_semaphore_open(&limited, "max", 1, 3, RIPC_CREATE, 0), 1, "with a maximum of 3");
	IS(ripc_semaphore_post(limited, 3), -EOVERFLOW, "beyond it: EOVERFLOW");
	IS(ripc_semaphore_value(limited), 1, "and nothing added");
	IS(ripc_semaphore_post(limited, 2), 0, "up to it");
	IS(ripc_semaphore_post(limited, UINT_MAX), -EOVERFLOW, "far beyond");
	ripc_semaphore_close(limited);
	pid_t many[4];
	for (int i = 0; i < 4; i++)
		many[i] = tap_fork(wait_semaphore, NULL);
	for (int i = 0; i < 4; i++)
		tap_sleeps(many[i]);
	tap_kill(many[0]);
	tap_kill(many[1]);
	ripc_semaphore_post(s, 2);
	OK(!tap_wait(many[2]) && !tap_wait(many[3]), "sleepers that were killed take nothing");
	ripc_semaphore_close(s);
}

/* ---- event ---- */

static char automatic[] = "auto", manual[] = "manual";

static int wait_event(void *arg) { return -ripc_event_wait(init_event(arg)); }

static void events_are_automatic_or_manual(void)
{
	struct ripc_event *e = init_event("auto"), *m;
	IS(ripc_event_try(e), -EAGAIN, "starts unset");
	ripc_event_set(e);
	ripc_event_set(e);
	IS(ripc_event_wait(e), 0, "set: passes");
	IS(ripc_event_try(e), -EAGAIN, "once: automatic, and sets do not add up");
	ripc_event_set(e);
	ripc_event_reset(e);
	IS(ripc_event_wait_until(e, ripc_deadline_in(10 * MS)), -ETIMEDOUT, "reset: waits");
	pid_t a = tap_fork(wait_event, automatic), b = tap_fork(wait_event, automatic);
	OK(tap_sleeps(a) && tap_sleeps(b), "two wait for an automatic one");
	ripc_event_set(e);
	pid_t first = wait(NULL);
	usleep(20000);
	IS(waitpid(first == a ? b : a, NULL, WNOHANG), 0, "one passes for each set");
	ripc_event_set(e);
	IS(tap_wait(first == a ? b : a), 0, "then the other");
	IS(ripc_event_open(&m, "manual", RIPC_EVENT_MANUAL, false, RIPC_CREATE, 0), 1, "manual");
	OK(ripc_event_is_manual(m) && !ripc_event_is_manual(e), "a kind of its own");
	a = tap_fork(wait_event, manual), b = tap_fork(wait_event, manual);
	OK(tap_sleeps(a) && tap_sleeps(b), "two wait for a manual one");
	ripc_event_set(m);
	OK(!tap_wait(a) && !tap_wait(b), "all pass");
	IS(ripc_event_try(m), 0, "it stays set");
	ripc_event_reset(m);
	IS(ripc_event_try(m), -EAGAIN, "until it is reset");
	ripc_event_close(m);
	IS(ripc_event_open(&m, "set", RIPC_EVENT_AUTO, true, RIPC_CREATE, 0), 1, "created set");
	IS(ripc_event_try(m), 0, "passes");
	ripc_event_close(m);
	IS(ripc_event_open(&m, "x", 7, true, RIPC_CREATE, 0), -EINVAL, "no such kind: EINVAL");
	ripc_event_close(e);
}

/* ---- condition ---- */

static volatile int *shared; /* what the condition is about */

static int wait_condition(void *arg)
{
	struct ripc_cs *cs = init_CS("ccs");
	struct ripc_condition *c = init_condition("cond");
	int err = ripc_cs_enter(cs);
	while (!err && !*shared)
		err = ripc_condition_wait(c, cs);
	if (!err && arg)
		*shared -= 1;
	int left = ripc_cs_leave(cs);
	return err || left ? 1 : 0;
}

static void conditions_wait_inside_a_section(void)
{
	struct ripc_cs *cs = init_CS("ccs");
	struct ripc_condition *c = init_condition("cond");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	IS(ripc_condition_wait(c, cs), -EPERM, "wait outside the section: EPERM");
	ripc_cs_enter(cs);
	IS(ripc_condition_wait_until(c, cs, RIPC_TRY), -EAGAIN, "RIPC_TRY: EAGAIN");
	IS(ripc_condition_wait_until(c, cs, ripc_deadline_in(30 * MS)), -ETIMEDOUT,
	   "deadline: ETIMEDOUT");
	ripc_cs_enter(cs);
	IS(ripc_condition_wait(c, cs), -EPERM, "entered twice: EPERM");
	ripc_cs_leave(cs);
	IS(ripc_cs_leave(cs), 0, "the section is ours after a wait");
	IS(ripc_condition_signal(c), 0, "a signal for nobody is nothing");
	pid_t p[3];
	for (int i = 0; i < 3; i++)
		p[i] = tap_fork(wait_condition, &p);
	OK(tap_sleeps(p[0]) && tap_sleeps(p[1]) && tap_sleeps(p[2]), "three wait");
	IS(ripc_cs_try_enter(cs), 0, "and have left the section");
	*shared = 1;
	ripc_condition_signal(c);
	ripc_cs_leave(cs);
	pid_t first = wait(NULL);
	OK(first == p[0] || first == p[1] || first == p[2], "a signal lets one go on");
	ripc_cs_enter(cs);
	*shared = 2;
	ripc_condition_broadcast(c);
	ripc_cs_leave(cs);
	OK(wait(NULL) > 0 && wait(NULL) > 0, "a broadcast the others");
	IS(*shared, 0, "each took one");
	/* whose signal is taken by one that is killed, is not lost */
	p[0] = tap_fork(wait_condition, NULL), p[1] = tap_fork(wait_condition, NULL);
	OK(tap_sleeps(p[0]) && tap_sleeps(p[1]), "two wait");
	kill(p[0], SIGSTOP);
	ripc_cs_enter(cs);
	*shared = 1;
	ripc_condition_signal(c);
	ripc_cs_leave(cs);
	tap_kill(p[0]);
	IS(tap_wait(p[1]), 0, "the other goes on though the first was killed");
	munmap((void *)shared, 4096);
	ripc_condition_close(c);
	ripc_cs_close(cs);
}

/* ---- permissions ---- */

static int as_nobody(void *arg)
{
	struct ripc_cs *cs;
	(void)arg;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	int closed = ripc_cs_open(&cs, "closed", 0, 0), open_r = ripc_cs_open(&cs, "open", 0, 0);
	if (closed != -EACCES || open_r != 0)
		return 2;
	return ripc_cs_enter(cs) || ripc_cs_leave(cs) || ripc_cs_close(cs) ? 3 : 0;
}

static int nobody_in_private(void *arg)
{
	struct ripc_cs *cs;
	(void)arg;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	return ripc_cs_open(&cs, "closed", RIPC_CREATE, 0) == -EACCES ? 0 : 2;
}

static void modes_keep_others_out(void)
{
	struct ripc_cs *closed, *open_to_all;
	if (geteuid() != 0) {
		OK(true, "another user # SKIP needs root");
		return;
	}
	IS(tap_wait(tap_fork(nobody_in_private, NULL)), 0, "another user's directory: EACCES");
	chmod(tap_dir, 01777);
	char lock_file[128];
	snprintf(lock_file, sizeof(lock_file), "%s/.lock", tap_dir);
	unlink(lock_file); /* made again, for all, now that the directory is */
	IS(ripc_cs_open(&closed, "closed", RIPC_CREATE, 0), 1, "0600 unless asked otherwise");
	IS(ripc_cs_open(&open_to_all, "open", RIPC_CREATE, 0666), 1, "0666 when asked");
	IS(tap_wait(tap_fork(as_nobody, NULL)), 0, "others reach what they may, and EACCES else");
	ripc_cs_close(closed);
	ripc_cs_close(open_to_all);
	chmod(tap_dir, 0700);
	unsetenv("RIPC_DIR");
	setenv("XDG_RUNTIME_DIR", tap_dir, 1);
	char path[128];
	IS(ripc_dir_path(path, sizeof(path)), 0, "XDG_RUNTIME_DIR is used");
	OK(strstr(path, "/ripc") && strstr(path, tap_dir), "its ripc folder is");
	chmod(path, 0777);
	IS(ripc_dir_path(path, sizeof(path)), -EACCES, "not when others can write there: EACCES");
	rmdir(path);
	setenv("RIPC_DIR", tap_dir, 1);
}

int main(void)
{
	tap_begin(0700);
	names_are_checked();
	flags_are_obeyed();
	each_kind_is_unlinked();
	the_dead_leave_nothing();
	fork_inherits();
	a_section_excludes();
	an_owner_dies();
	a_thread_ends_inside();
	a_semaphore_counts();
	events_are_automatic_or_manual();
	conditions_wait_inside_a_section();
	modes_keep_others_out();
	ripc_dir_sweep();
	return tap_end();
}
