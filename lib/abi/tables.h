/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary: every kind of channel, every operation, every cause of loss, one row each.
 *
 * These X-macros are the single source for the numbers on the wire and in the trace, for the
 * words on screens and in filters, and for the help texts. Numbers are permanent: traces hold
 * them. Append rows; never reorder or reuse one.
 */
#ifndef IPCTAP_ABI_TABLES_H
#define IPCTAP_ABI_TABLES_H

/* K(number, ID, word, what it is) */
#define IPCTAP_KINDS(K)                                                                            \
	K(1, PIPE, "pipe", "anonymous pipe")                                                       \
	K(2, FIFO, "fifo", "named pipe")                                                           \
	K(3, UNIX, "unix", "unix-domain socket")                                                   \
	K(4, TCP, "tcp", "TCP connection or listener")                                             \
	K(5, UDP, "udp", "UDP socket")                                                             \
	K(6, MSG, "msg", "System V message queue")                                                 \
	K(7, SEM, "sem", "System V semaphore set")                                                 \
	K(8, SHM, "shm", "System V shared memory segment")                                         \
	K(9, MQ, "mq", "POSIX message queue")                                                      \
	K(10, EVENTFD, "eventfd", "eventfd counter")                                               \
	K(11, SIGNAL, "signal", "signals of one number to one process")                            \
	K(12, PTY, "pty", "pseudo terminal")                                                       \
	K(13, LOCK, "lock", "locks on one file: flock, fcntl, OFD")                                \
	K(14, CHILD, "child", "the end of a child process")                                        \
	K(15, SET, "set", "several channels waited for at once: poll, select, epoll")            \
	K(16, MAP, "map", "shared memory mapping: POSIX, file, memfd or anonymous")                \
	K(17, FUTEX, "futex", "futex: POSIX semaphore, mutex, condition …")                        \
	K(18, MEM, "mem", "memory of a process, read or written by another")                       \
	K(19, RIPC, "ripc", "object of libripc: semaphore, message buffer, named pipe …")

/*
 * How data moves through a channel: the rule by which a read is matched with the write it got.
 * S(number, ID, word)
 */
#define IPCTAP_SHAPES(S)                                                                           \
	S(0, NONE, "none")         /* carries no data: a listener, an unconnected socket */        \
	S(1, STREAM, "stream")     /* bytes in order, no boundaries */                             \
	S(2, DGRAM, "dgram")       /* messages in order; a read takes one whole message */         \
	S(3, TYPED, "typed")       /* messages chosen by type (System V queues) */                 \
	S(4, COUNTER, "counter")   /* no payload: who woke whom (semaphores) */                    \
	S(5, MEMORY, "memory")     /* attached, not sent through */                                \
	S(6, PRIORITY, "priority") /* messages, the highest priority first (POSIX queues) */       \
	S(7, DIRECT, "direct")     /* no queue: its one receiver, or sender, is who is attached */ \
	S(8, SUM, "sum")           /* numbers that add up; a read takes all, or one (eventfds) */

/*
 * O(number, ID, word): the word is the system call's name, as strace prints it. Families of calls
 * have ranges of their own, so there are gaps between the numbers.
 */
#define IPCTAP_OPS(O)                                                                              \
	O(1, READ, "read")                                                                         \
	O(2, READV, "readv")                                                                       \
	O(3, PREAD64, "pread64")                                                                   \
	O(4, PREADV, "preadv")                                                                     \
	O(5, PREADV2, "preadv2")                                                                   \
	O(6, WRITE, "write")                                                                       \
	O(7, WRITEV, "writev")                                                                     \
	O(8, PWRITE64, "pwrite64")                                                                 \
	O(9, PWRITEV, "pwritev")                                                                   \
	O(10, PWRITEV2, "pwritev2")                                                                \
	O(11, SENDTO, "sendto")                                                                    \
	O(12, SENDMSG, "sendmsg")                                                                  \
	O(13, SENDMMSG, "sendmmsg")                                                                \
	O(14, RECVFROM, "recvfrom")                                                                \
	O(15, RECVMSG, "recvmsg")                                                                  \
	O(16, RECVMMSG, "recvmmsg")                                                                \
	O(17, SPLICE, "splice")                                                                    \
	O(18, TEE, "tee")                                                                          \
	O(19, VMSPLICE, "vmsplice")                                                                \
	O(20, SENDFILE, "sendfile")                                                                \
	O(21, PIPE, "pipe")                                                                        \
	O(22, PIPE2, "pipe2")                                                                      \
	O(23, MKNOD, "mknod")                                                                      \
	O(24, MKNODAT, "mknodat")                                                                  \
	O(25, OPEN, "open")                                                                        \
	O(26, OPENAT, "openat")                                                                    \
	O(27, DUP, "dup")                                                                          \
	O(28, DUP2, "dup2")                                                                        \
	O(29, DUP3, "dup3")                                                                        \
	O(30, FCNTL, "fcntl") /* only F_DUPFD*, and the commands of POSIX and OFD locks */         \
	O(31, CLOSE, "close")                                                                      \
	O(32, SOCKET, "socket")                                                                    \
	O(33, SOCKETPAIR, "socketpair")                                                            \
	O(34, BIND, "bind")                                                                        \
	O(35, LISTEN, "listen")                                                                    \
	O(36, ACCEPT, "accept")                                                                    \
	O(37, ACCEPT4, "accept4")                                                                  \
	O(38, CONNECT, "connect")                                                                  \
	O(39, SHUTDOWN, "shutdown")                                                                \
	O(40, SHMGET, "shmget")                                                                    \
	O(41, SHMAT, "shmat")                                                                      \
	O(42, SHMDT, "shmdt")                                                                      \
	O(43, SHMCTL, "shmctl")                                                                    \
	O(44, MSGGET, "msgget")                                                                    \
	O(45, MSGSND, "msgsnd")                                                                    \
	O(46, MSGRCV, "msgrcv")                                                                    \
	O(47, MSGCTL, "msgctl")                                                                    \
	O(48, SEMGET, "semget")                                                                    \
	O(49, SEMOP, "semop")                                                                      \
	O(50, SEMTIMEDOP, "semtimedop")                                                            \
	O(51, SEMCTL, "semctl")                                                                    \
	O(52, OPENAT2, "openat2")                                                                  \
	O(53, CREAT, "creat")                                                                      \
	O(60, POLL, "poll")                                                                        \
	O(61, PPOLL, "ppoll")                                                                      \
	O(62, SELECT, "select")                                                                    \
	O(63, PSELECT6, "pselect6")                                                                \
	O(64, EPOLL_WAIT, "epoll_wait")                                                            \
	O(65, EPOLL_PWAIT, "epoll_pwait")                                                          \
	O(66, EPOLL_PWAIT2, "epoll_pwait2")                                                        \
	O(67, MQ_OPEN, "mq_open")                                                                  \
	O(68, MQ_UNLINK, "mq_unlink")                                                              \
	O(69, MQ_TIMEDSEND, "mq_timedsend")                                                        \
	O(70, MQ_TIMEDRECEIVE, "mq_timedreceive")                                                  \
	O(71, MQ_GETSETATTR, "mq_getsetattr")                                                      \
	O(72, MQ_NOTIFY, "mq_notify")                                                              \
	O(73, EVENTFD, "eventfd")                                                                  \
	O(74, EVENTFD2, "eventfd2")                                                                \
	O(75, KILL, "kill")                                                                        \
	O(76, TKILL, "tkill")                                                                      \
	O(77, TGKILL, "tgkill")                                                                    \
	O(78, RT_SIGQUEUEINFO, "rt_sigqueueinfo")                                                  \
	O(79, RT_TGSIGQUEUEINFO, "rt_tgsigqueueinfo")                                              \
	O(80, PIDFD_SEND_SIGNAL, "pidfd_send_signal")                                              \
	O(81, SIGNALFD, "signalfd")                                                                \
	O(82, SIGNALFD4, "signalfd4")                                                              \
	O(83, RT_SIGTIMEDWAIT, "rt_sigtimedwait")                                                  \
	O(84, PAUSE, "pause")                                                                      \
	O(85, RT_SIGSUSPEND, "rt_sigsuspend")                                                      \
	O(86, FLOCK, "flock")                                                                      \
	O(87, WAIT4, "wait4")                                                                      \
	O(88, WAITID, "waitid")                                                                    \
	O(89, VFORK, "vfork")                                                                      \
	O(90, CLONE, "clone") /* only with CLONE_VFORK, as a wait for the child */                 \
	O(91, CLONE3, "clone3") /* the same */                                                     \
	O(100, MMAP, "mmap") /* only MAP_SHARED of regular files and anonymous memory */           \
	O(101, MUNMAP, "munmap")                                                                   \
	O(102, MREMAP, "mremap")                                                                   \
	O(103, MEMFD_CREATE, "memfd_create")                                                       \
	O(104, FUTEX, "futex")                                                                     \
	O(105, FUTEX_WAITV, "futex_waitv")                                                         \
	O(106, FUTEX_WAIT, "futex_wait")                                                           \
	O(107, FUTEX_WAKE, "futex_wake")                                                           \
	O(108, FUTEX_REQUEUE, "futex_requeue")                                                     \
	O(109, PIDFD_GETFD, "pidfd_getfd")                                                         \
	O(110, PROCESS_VM_READV, "process_vm_readv")                                               \
	O(111, PROCESS_VM_WRITEV, "process_vm_writev")                                             \
	O(112, IO_URING_ENTER, "io_uring_enter") /* only when it slept: a wait for completions */  \
	O(113, SIGNAL, "signal") /* no call: the kernel sent one, or somebody outside the scope */  \
	/* functions of the C library, as the shim sees them; mtype of an unlock: held so many ns */ \
	O(120, MUTEX_LOCK, "pthread_mutex_lock")                                                   \
	O(121, MUTEX_TRYLOCK, "pthread_mutex_trylock")                                             \
	O(122, MUTEX_UNLOCK, "pthread_mutex_unlock")                                               \
	O(123, RWLOCK_RDLOCK, "pthread_rwlock_rdlock")                                             \
	O(124, RWLOCK_WRLOCK, "pthread_rwlock_wrlock")                                             \
	O(125, RWLOCK_UNLOCK, "pthread_rwlock_unlock")                                             \
	O(126, COND_WAIT, "pthread_cond_wait")                                                     \
	O(127, COND_SIGNAL, "pthread_cond_signal")                                                 \
	O(128, COND_BROADCAST, "pthread_cond_broadcast")                                           \
	O(129, BARRIER_WAIT, "pthread_barrier_wait")                                               \
	O(130, SPIN_LOCK, "pthread_spin_lock")                                                     \
	O(131, SPIN_UNLOCK, "pthread_spin_unlock")                                                 \
	O(132, SEM_WAIT, "sem_wait")                                                               \
	O(133, SEM_TRYWAIT, "sem_trywait")                                                         \
	O(134, SEM_POST, "sem_post")                                                               \
	O(140, RIPC_OPEN, "ripc_open") /* libripc's, told by its own probes, not system calls */   \
	O(141, RIPC_CLOSE, "ripc_close")                                                           \
	O(142, RIPC_SEND, "ripc_send")                                                             \
	O(143, RIPC_RECEIVE, "ripc_receive")                                                       \
	O(144, RIPC_ACQUIRE, "ripc_acquire")                                                       \
	O(145, RIPC_RELEASE, "ripc_release")                                                       \
	O(146, RIPC_WAIT, "ripc_wait") /* one that ended in an error; the others are part of a call */ \
	/* no call: a lock was got while another was held, told once for a thread and such a pair: a \
	 * row for the one held, a row with IO_HALF for the one got, both entered when that was got */ \
	O(147, LOCK_ORDER, "lock_order")                                                           \
	O(148, JOIN, "pthread_join") /* the channel is the end of the thread, mtype its tid */     \
	/* no call: a hold that ended inside one, a wait for a condition or an unlock told as a futex; mtype as there */ \
	O(149, LOCK_HELD, "lock_held")

/*
 * L(number, ID, word, what was lost, remedy). A count of any of these means that something is
 * missing from what is shown; every verb prints them.
 */
#define IPCTAP_LOSSES(L)                                                                           \
	L(1, RING_OP, "ring-op", "operations: the kernel ring buffer was full",                    \
	  "raise --ring SIZE, or narrow the scope")                                                \
	L(2, RING_CTL, "ring-ctl",                                                                 \
	  "channel, endpoint and task records: the kernel ring buffer was full",                   \
	  "raise --ring SIZE, or narrow the scope")                                                \
	L(3, NO_STORAGE, "no-storage", "tasks followed late: the kernel refused room for their state at first",     \
	  "free memory, or narrow the scope")                                                      \
	L(4, COMPAT32, "compat32", "32-bit system calls, seen but not decoded",                    \
	  "none yet: run the 64-bit build of the program")                                         \
	L(5, STORE_QUEUE, "store-queue", "operations: the disk was slower than the events",        \
	  "record to a faster disk, or narrow the scope")                                          \
	L(6, BAD_RECORD, "bad-record", "records that did not make sense and were dropped",         \
	  "report it: this is a bug, or a damaged trace")                                          \
	L(7, MATCH_QUEUE, "match-queue",                                                           \
	  "writes no longer waited for by the matcher (reported as sent to ?)",                    \
	  "include the reader in the scope")                                                       \
	L(8, TORN, "torn", "events missing from the end of an unfinished trace",                   \
	  "none: the recorder was killed")                                                         \
	L(9, URING, "uring",                                                                       \
	  "io_uring requests on channels, seen but not decoded",                                   \
	  "none yet: have the program use plain system calls")                                     \
	L(10, SHIM_OP, "shim-op", "operations: the ring of the program's thread was full",         \
	  "raise --ring SIZE, or narrow the scope")                                                \
	L(11, SHIM_CTL, "shim-ctl",                                                                \
	  "channel, endpoint and task records: the ring of the program's thread was full",         \
	  "raise --ring SIZE, or narrow the scope")                                                \
	L(12, SHIM_NESTED, "shim-nested",                                                          \
	  "operations of signal handlers that interrupted the shim several deep",                  \
	  "trace with --source bpf")                                                               \
	L(13, NOT_COVERED, "not-covered",                                                          \
	  "processes that the shim sees nothing of: static, Go's, privileged, or of another environment", \
	  "trace with --source bpf")                                                               \
	L(14, SHIM_ORDER, "shim-order", "pairs of nested locks: the shim can remember only so many", \
	  "none: their order is not compared")                                                     \
	L(15, SHIM_NAMESPACE, "shim-namespace",                                                    \
	  "processes in another pid namespace, whose numbers mean nothing here: not traced",        \
	  "trace with --source bpf, or run ipctap in that namespace")

#endif
