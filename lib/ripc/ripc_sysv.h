// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System V shared memory and message queues in user space: the calls of <sys/shm.h> and
 * <sys/msg.h> with the prefix ripc_, the same signatures, flags, structures and errno (POSIX.1-2017,
 * XSI option: shmget, shmat, shmdt, shmctl, msgget, msgsnd, msgrcv, msgctl). They return -1 (shmat:
 * (void *)-1) and set errno. libripc-sysv.so has them under their own names, for LD_PRELOAD; ftok()
 * is the C library's.
 *
 * Keys and identifiers are global to a user, or to all who share one $RIPC_DIR; they have nothing
 * to do with the kernel's. Permissions are those of struct ipc_perm: kept by the kernel for a
 * segment's memory (it is a file with that mode), and checked by the library for the rest. In a
 * directory of one's own (the default) nobody else gets that far.
 *
 * What the standard leaves to the implementation, or Linux adds:
 *
 *	SHMMIN 1, SHMMAX RIPC_SHMMAX, SHMMNI RIPC_SHMMNI segments, SHMLBA the page;
 *	MSGMAX RIPC_MSGMAX bytes a message, MSGMNB RIPC_MSGMNB bytes a queue, which the superuser
 *	may raise by IPC_SET to RIPC_MSGMNB_MAX (others: EPERM; beyond: EINVAL); a queue has at
 *	most msg_qbytes messages, as Linux has it; MSGMNI RIPC_MSGMNI queues
 *	shmat of a segment that is removed but still attached somewhere: works, as on Linux, and
 *	SHM_DEST is in its mode. In XSI its identifier is gone.
 *	SHM_EXEC, SHM_REMAP and MSG_EXCEPT: as on Linux
 *	waiting msgsnd and msgrcv end with EINTR when a signal handler ran, SA_RESTART or not
 *	a process that dies, or calls exec, has detached; the next look at shm_nattch says so
 *	IPC_SET to another uid or gid: needs the right to give files away (EPERM)
 *	IPC_INFO, SHM_INFO, SHM_STAT, SHM_STAT_ANY, MSG_INFO, MSG_STAT, MSG_STAT_ANY, as on Linux: the
 *	index counts through what there is in the order of the identifiers, so it shifts as others
 *	come and go. shm_rss and shm_swp are 0: not known. (ipcs reads /proc, the kernel's own: see
 *	`ripc ls`.)
 *	MSG_COPY, as on Linux: with IPC_NOWAIT, the message at position `type`, which stays; cut by
 *	MSG_NOERROR it is EINVAL
 *	SHM_LOCK, by the owner, creator or superuser: locks what the caller has attached, and what is
 *	attached from now on, as far as the attaching process may (RLIMIT_MEMLOCK). What others have
 *	attached already is not locked, and with nobody attached nothing is
 *	not here (EINVAL): SHM_HUGETLB. EFAULT: a bad address is a SIGSEGV, as with any function of a
 *	library.
 *	attachments are counted for 4096 processes; beyond that shmat fails with ENOMEM
 *
 * The notes say "type < 0: first message with m.type < type"; it is the first of the lowest type
 * not greater than -type (XSI msgrcv). They say the calls return a negative error code; it is -1
 * and errno, and msgrcv returns the length. Their long key is key_t, their int n a size_t.
 */
#ifndef RIPC_SYSV_H
#define RIPC_SYSV_H

#include <stddef.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIPC_SHMMAX (1ul << 36)
#define RIPC_SHMMNI 4096
#define RIPC_MSGMAX 8192
#define RIPC_MSGMNB 16384
#define RIPC_MSGMNB_MAX 65536
#define RIPC_MSGMNI 4096

/*
 * EINVAL  size 0 or beyond SHMMAX for a new segment; larger than an existing one
 * EEXIST  IPC_CREAT|IPC_EXCL and there is one       ENOENT  none, and no IPC_CREAT
 * EACCES  the permission bits of flags are not granted
 * ENOSPC  SHMMNI, or the file system is full        ENOMEM
 */
int ripc_shmget(key_t key, size_t size, int flags);
/*
 * EINVAL  no such segment; an address not a multiple of SHMLBA without SHM_RND, or in use without
 *         SHM_REMAP          EACCES  not granted           ENOMEM EMFILE
 */
void *ripc_shmat(int id, const void *addr, int flags);
/* EINVAL  nothing is attached there */
int ripc_shmdt(const void *addr);
/*
 * IPC_STAT and SHM_STAT (need read permission: EACCES), SHM_STAT_ANY, IPC_INFO, SHM_INFO; IPC_SET
 * (uid, gid, mode), IPC_RMID, SHM_LOCK, SHM_UNLOCK (the owner, the creator or the superuser, else
 * EPERM). EINVAL no such segment or command; ENOMEM SHM_LOCK beyond RLIMIT_MEMLOCK.
 */
int ripc_shmctl(int id, int cmd, struct shmid_ds *buf);

/* EEXIST ENOENT EACCES ENOSPC ENOMEM, as in shmget. */
int ripc_msgget(key_t key, int flags);
/*
 * EINVAL  no such queue, type < 1, more than MSGMAX bytes      EACCES  no write permission
 * EAGAIN  IPC_NOWAIT and no room      EIDRM  removed while waiting      EINTR      ENOMEM
 */
int ripc_msgsnd(int id, const void *message, size_t bytes, int flags);
/*
 * EINVAL  no such queue, bytes beyond SSIZE_MAX, MSG_COPY without IPC_NOWAIT or with MSG_EXCEPT
 * EACCES  no read permission
 * E2BIG   longer than bytes, and no MSG_NOERROR: it stays
 * ENOMSG  IPC_NOWAIT and none          EIDRM  removed while waiting      EINTR
 */
ssize_t ripc_msgrcv(int id, void *message, size_t bytes, long type, int flags);
/* As shmctl, MSG_STAT, MSG_STAT_ANY, MSG_INFO; IPC_SET also msg_qbytes. */
int ripc_msgctl(int id, int cmd, struct msqid_ds *buf);

#ifdef __cplusplus
}
#endif
#endif
