// SPDX-License-Identifier: GPL-2.0-or-later
/* The corpus of waits: the table of its cases, and what is made before one begins. */
#include "hangs.h"

#include <errno.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hangs_cases.h"
#include "hangs_kit.h"
#include "ring.h"
#include "workloads.h"

int hang_sysv[2] = { -1, -1 };
char hang_fifo[2][PATH_MAX];

const struct hang hangs[] = {
	{ "two-pipes-full", "two processes, each writes more than its pipe holds", "proven",
	  "tp-left,tp-right", "each fills the other's pipe, and nobody reads", NULL, 0 },
	{ "eof-self", "a reader waits for the end of file from itself", "proven", "es-reader",
	  "it never closed its own write end", case_eof_self, 0 },
	{ "popen-both", "a parent reads a child's output to its end while errors fill up", "proven",
	  "pb-child,pb-parent", "two pipes of one child, read one after the other",
	  case_popen_both, 0 },
	{ "feed-cat", "a parent feeds a filter without reading what comes out", "proven",
	  "fc-cat,fc-feeder", "each has filled the other's pipe", case_feed_cat, 0 },
	{ "wait-undrained", "a parent waits for a child that cannot write to it", "proven",
	  "wu-child,wu-parent", "the pipe is to be read before waitpid", case_wait_undrained, 0 },
	{ "vfork-pipe", "a child of vfork reads from its sleeping parent", "proven", NULL,
	  "the parent cannot write before the child execs", case_vfork_pipe, 0 },
	{ "ring-of-three", "three processes write in a ring before any reads", "proven",
	  "rt-one,rt-three,rt-two", "a pipeline that feeds back", case_ring_of_three, 0 },
	{ "unix-send", "both ends of a unix socket send, neither receives", "proven", "us-left,us-right",
	  "both buffers are full", case_unix_send, 0 },
	{ "dgram-send", "both ends of a datagram pair send", "proven", "ds-left,ds-right",
	  "both queues are full", case_dgram_send, 0 },
	{ "tcp-send", "both ends of a TCP connection send", "proven", "ts-left,ts-right",
	  "both windows are closed", case_tcp_send, 0 },
	{ "unix-recv", "both ends of a unix socket wait for the other to speak", "quiescent",
	  "ur-left,ur-right", "idle, or a protocol without a first speaker", case_unix_recv, 0 },
	{ "tcp-recv", "both ends of a TCP connection wait for the other to speak", "quiescent",
	  "tr-left,tr-right", "idle, or a protocol without a first speaker", case_tcp_recv, 0 },
	{ "poll-pair", "the same in poll", "quiescent", "pp-left,pp-right", "idle",
	  case_poll_pair, 0 },
	{ "epoll-pair", "the same in epoll", "quiescent", "ep-left,ep-right", "idle",
	  case_epoll_pair, 0 },
	{ "poll-stopped", "the same, when both were stopped and continued meanwhile", "quiescent",
	  "ps-left,ps-right", "idle", case_poll_stopped, 0 },
	{ "dgram-fanin", "two send datagrams to one that waits for them", "proven",
	  "df-one,df-receiver,df-two", "its queue is full", case_dgram_fanin, 0 },
	{ "dgram-sendto", "the same by address", "proven", "da-receiver,da-sender", "its queue is full",
	  case_dgram_sendto, 0 },
	{ "connect-full", "a client connects more often than a server accepts that waits for it", "proven",
	  "cb-client,cb-server", "the backlog is full", case_connect_full, 0 },
	{ "uring-write", "two pipes filled by requests of an io_uring", "stuck", "uw-left,uw-right",
	  "each has filled the other's pipe", case_uring_write, NEEDS_URING },
	{ "uring-fixed", "the write end a reader waits for is a fixed file of an io_uring", "stuck", NULL,
	  "who has the ring sleeps", case_uring_fixed, NEEDS_URING },
	{ "eventfd-pair", "two wait for each other's eventfd", "quiescent", "ev-left,ev-right",
	  "each would write the other's after its own", case_eventfd_pair, 0 },
	{ "fd-in-flight", "the write end a reader waits for lies unread in a socket", "stuck", NULL,
	  "who should take the descriptor sleeps", case_fd_in_flight, 0 },
	{ "mutex-abba", "two processes lock two mutexes in opposite order", "proven", "ma-left,ma-right",
	  "lock order", case_mutex_abba, 0 },
	{ "robust-abba", "the same with robust mutexes", "proven", "ra-left,ra-right", "lock order",
	  case_robust_abba, 0 },
	{ "pi-abba", "the same with priority inheritance", "proven", "pi-left,pi-right",
	  "lock order: the kernel refused one of the two, and the C library parks it for ever",
	  case_pi_abba, 0 },
	{ "threads-abba", "two threads lock two mutexes in opposite order", "proven", "ta-left,ta-right",
	  "lock order", case_threads_abba, 0 },
	{ "mutex-self", "a thread locks a mutex that it has", "proven", "ms-self",
	  "the mutex is not recursive", case_mutex_self, 0 },
	{ "owner-died", "the owner of a mutex died with it", "orphan", "od-waiter",
	  "a mutex between processes should be robust", case_owner_died, 0 },
	{ "fork-held", "a child of fork wants a mutex that a thread of its parent had", "orphan",
	  "fh-child", "the owner was left in the parent", case_fork_held, 0 },
	{ "stdio-lock", "one holds a stream and wants a mutex, another the reverse", "proven",
	  "sl-mutex,sl-stream", "lock order", case_stdio_lock, 0 },
	{ "join-cycle", "three threads join each other", "proven", "jc-one,jc-three,jc-two",
	  "a ring of pthread_join", case_join_cycle, 0 },
	{ "stopped-owner", "the owner of a mutex is stopped", "stuck", NULL, "SIGCONT would help",
	  case_stopped_owner, 0 },
	{ "sem-t-abba", "two take two POSIX semaphores in opposite order", "stuck", NULL, "lock order",
	  case_sem_t_abba, 0 },
	{ "cond-lost", "a condition was signalled before anybody waited", "orphan", "cl-waiter",
	  "the signal was lost", case_cond_lost, 0 },
	{ "cond-shared", "the same between processes, of which the other rests", "stuck", NULL,
	  "the signal was lost", case_cond_shared, 0 },
	{ "popen-handler", "a signal handler calls popen in the middle of malloc", "orphan", "hp-self",
	  "popen is not for signal handlers", case_popen_handler, 0 },
	{ "sem-handler", "a daemon waits for the semaphore that its signal handler posts", "stuck", NULL,
	  "idle: a signal would help", case_sem_handler, 0 },
	{ "pool-own-queue", "all workers of a pool wait for jobs that the pool should do", "proven",
	  "po-main,po-worker,po-worker", "jobs that wait for jobs of the same pool",
	  case_pool_own_queue, 0 },
	{ "futex-many", "two wait for any of several words that only they and their parent map", "proven",
	  "case,fm-left,fm-right", "nobody is left to wake them", case_futex_many, 0 },
	{ "rwlock-again", "a reader comes again behind a writer that waits for it", "proven",
	  "case,ra-reader,ra-writer", "read locks do not nest where writers come first",
	  case_rwlock_again, 0 },
	{ "rwlock-abba", "two have a read-write lock for writing and want the other's", "proven",
	  "rx-left,rx-right", "lock order", case_rwlock_writer, 0 },
	{ "rwlock-paused", "a writer waits behind a reader that pauses", "stuck", NULL,
	  "the reader sleeps with the lock", case_rwlock_paused, 0 },
	{ "barrier-short", "two of three have come to a barrier", "stuck", NULL, "the third never comes",
	  case_barrier_short, 0 },
	{ "flock-abba", "two processes flock two files in opposite order", "proven", "fk-left,fk-right",
	  "lock order", case_flock_abba, 0 },
	{ "ofd-abba", "the same with open file description locks", "proven", "oa-left,oa-right",
	  "lock order", case_ofd_abba, 0 },
	{ "ofd-offset", "the same with ranges told from the file's offset", "proven", "oo-left,oo-right",
	  "lock order", case_ofd_offset, 0 },
	{ "ofd-upgrade", "two readers of a range both want to write it", "proven", "ou-left,ou-right",
	  "both upgrade", case_ofd_upgrade, 0 },
	{ "flock-heir", "a lock's file is held by a child that inherited it", "stuck", NULL,
	  "the heir should close it", case_flock_heir, 0 },
	{ "philosophers", "three take three System V semaphores in a ring", "closed-world",
	  "ph-one,ph-three,ph-two", "lock order", case_philosophers, KIND_SEM },
	{ "philosophers-bare", "the same without SEM_UNDO", "stuck", "pn-one,pn-three,pn-two",
	  "lock order", case_philosophers_bare, KIND_SEM },
	{ "sem-partial", "three have one unit each of five, and want three more", "closed-world",
	  "sp-one,sp-three,sp-two", "units taken bit by bit", case_sem_partial, KIND_SEM },
	{ "msg-own", "a process fills a queue that nobody else reads", "stuck", "mo-self",
	  "nobody receives", case_msg_own, KIND_MSG },
	{ "msg-full", "two fill the System V queues that the other should read", "stuck", "mm-left,mm-right",
	  "both send before they receive", case_msg_full, NEEDS_TWO_QUEUES },
	{ "msg-type", "a receiver wants a type that nobody sends", "stuck", "case,mt-reader",
	  "the wrong type", case_msg_type, KIND_MSG },
	{ "mq-full", "two fill POSIX queues whose opener pauses", "stuck", NULL, "nobody receives",
	  case_mq_full, 0 },
	{ "fifo-opposite", "two open two FIFOs, each the end that the other should", "stuck",
	  "fo-left,fo-right", "both open for reading", case_fifo_opposite, KIND_FIFO },
	{ "grand", "a sleeping daemon has inherited the write end", "leak-suspect", NULL,
	  "a leaked descriptor", case_grand, 0 },
	{ "slow", "a reader takes a hundred bytes a second", "none", NULL, "slow, not stuck",
	  case_slow, 0 },
	{ "busy", "the owner of a mutex computes", "none", NULL, "it will let go", case_busy, 0 },
	{ "socket-timeout", "both wait for the other to speak, with a timeout", "none", NULL,
	  "SO_RCVTIMEO", case_socket_timeout, 0 },
	{ "tcp-patience", "both ends of a TCP connection send, with a limit to how long that may take", "none",
	  NULL, "TCP_USER_TIMEOUT", case_tcp_patience, 0 },
	{ "with-alarm", "two full pipes, and an alarm clock", "none", NULL, "SIGALRM will come",
	  case_with_alarm, 0 },
	{ "epoll-timerfd", "two wait in epoll, each with a timer in the set", "none", NULL,
	  "the timer will fire", case_epoll_timerfd, 0 },
	{ "poll-deadline", "two wait in poll, with a timeout", "none", NULL, "it will time out",
	  case_poll_deadline, 0 },
	{ "robust-died", "the owner of a robust mutex died with it", "none", NULL,
	  "the next owner is told", case_robust_died, 0 },
	{ "fcntl-abba", "two lock two ranges in opposite order", "none", NULL,
	  "the kernel refuses one of the two", case_fcntl_abba, 0 },
	{ "flock-upgrade", "two upgrade a shared flock", "none", NULL, "the old lock is dropped first",
	  case_flock_upgrade, 0 },
	{ "philosophers-and", "three take two semaphores in one call", "none", NULL, "some always eat",
	  case_philosophers_and, KIND_SEM },
	{ "sem-feeder", "a ring of three semaphores, which a fourth feeds that has none of them", "none", NULL,
	  "it will feed them again", case_sem_feeder, KIND_SEM },
	{ "fcntl-upgrade", "two readers of a range both want to write it, by fcntl", "none", NULL,
	  "the kernel refuses one of the two", case_fcntl_upgrade, 0 },
	{ "fork-printf", "a child prints to a stream that a thread of its parent had locked", "none", NULL,
	  "the C library makes such locks anew", case_fork_printf, 0 },
	{ "tcp-window", "a TCP window that is closed most of the time", "none", NULL, "slow, not stuck",
	  case_tcp_window, 0 },
	{ "uring-keeper", "the write end is a fixed file of an io_uring, whose owner sleeps for a while",
	  "none", NULL, "the owner will act", case_uring_keeper, NEEDS_URING },
	{ "thread-table", "the write end is in another thread's own table of descriptors", "none", NULL,
	  "that thread sleeps for a while", case_thread_table, 0 },
	{ "pool-idle", "a server that listens, whose workers wait for jobs", "none", NULL, "idle",
	  case_pool_idle, 0 },
	{ "cron", "one that sleeps and is waited for", "none", NULL, "its time will come",
	  case_cron, 0 },
	{ "one-live-saves", "two wait for pipes to which a third will write", "none", NULL,
	  "one live holder is enough", case_one_live_saves, 0 },
	{ "worker-sem", "a thread waits for another that sleeps", "none", NULL, "it will be posted",
	  case_worker_sem, 0 },
	{ "fifo-server", "a server of a FIFO that nobody calls, which keeps it open itself", "none", NULL,
	  "idle", case_fifo_server, KIND_FIFO },
	{ "poll-hangup", "one polls a write end for its reader to go away", "none", NULL,
	  "the reader will end", case_poll_hangup, 0 },
	{ "memfd-keeper", "two sleep on a word of a memfd that a third has not mapped yet", "none", NULL,
	  "who has the descriptor can map it", case_memfd_keeper, 0 },
	{ "eventfd-aio", "one reads an eventfd to which the kernel will add", "none", NULL,
	  "AIO holds it, and shows no descriptor", case_eventfd_aio, 0 },
	{ "asked-first", "one seems to read from itself, but a supervisor is asked first", "none", NULL,
	  "seccomp has handed the call over", case_asked_first, 0 },
	{ "page-fetched", "one seems to poll, but sleeps for the page with its list", "none", NULL,
	  "who has the userfaultfd will bring it", case_page_fetched, 0 },
	{ "same-number", "a mutex of two pid namespaces, whose owner has the waiter's number", "none", NULL,
	  "the owner sleeps for a while", case_same_number, 0 },
	{ "child-handler", "a reader to whom its own handler writes when a child ends", "none", NULL,
	  "the child lives on in a thread", case_child_handler, 0 },
	{ "child-signalfd", "one that is to write when its signalfd tells that a child ended", "none", NULL,
	  "the child sleeps for a while", case_child_signalfd, 0 },
	{ "idle-server", "a server that nobody calls", "none", NULL, "idle", case_idle_server, 0 },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0 },
};

static const struct hang *chosen;

static void run_chosen(struct demo_run *run, const int *fds)
{
	(void)run, (void)fds;
	chosen->run();
	_exit(1);
}

static int make_sems(struct demo_run *run)
{
	hang_sysv[0] = demo_owns(run, KIND_SEM, semget(IPC_PRIVATE, HANG_SEMS, 0600));
	if (hang_sysv[0] < 0)
		return hang_sysv[0];
	for (int i = 0; i < HANG_SEMS; i++)
		if (semctl(hang_sysv[0], i, SETVAL, 1) < 0)
			return -errno;
	return 0;
}

static int make_fifos(struct demo_run *run)
{
	for (int i = 0; i < 2; i++)
		if (!demo_path(run, i ? "right" : "left", hang_fifo[i]) || mkfifo(hang_fifo[i], 0600) < 0)
			return -errno;
	return 0;
}

static int make_needs(struct demo_run *run, int needs)
{
	switch (needs) {
	case KIND_SEM: return make_sems(run);
	case KIND_MSG: hang_sysv[0] = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600)); break;
	case NEEDS_TWO_QUEUES:
		hang_sysv[0] = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600));
		hang_sysv[1] = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600));
		return hang_sysv[0] < 0 ? hang_sysv[0] : hang_sysv[1] < 0 ? hang_sysv[1] : 0;
	case KIND_FIFO: return make_fifos(run);
	case NEEDS_URING: return ring_probe();
	default: return 0;
	}
	return hang_sysv[0] < 0 ? hang_sysv[0] : 0;
}

int hang_start(struct demo_run *run, const struct hang *h)
{
	int err = make_needs(run, h->needs);

	if (!h->run)
		return demo_two_pipes_full(run);
	chosen = h;
	return err ? err : demo_spawn(run, "case", run_chosen, NULL);
}
