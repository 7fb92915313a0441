// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The calls under their own names, for LD_PRELOAD=libripc-sysv.so: an unmodified program gets ours
 * in place of the kernel's. Only in that library, which exports nothing else (sysv.map).
 */
#include "lib/ripc/ripc_sysv.h"

int shmget(key_t key, size_t size, int flags) { return ripc_shmget(key, size, flags); }
void *shmat(int id, const void *addr, int flags) { return ripc_shmat(id, addr, flags); }
int shmdt(const void *addr) { return ripc_shmdt(addr); }
int shmctl(int id, int cmd, struct shmid_ds *buf) { return ripc_shmctl(id, cmd, buf); }

int msgget(key_t key, int flags) { return ripc_msgget(key, flags); }

int msgsnd(int id, const void *message, size_t bytes, int flags)
{
	return ripc_msgsnd(id, message, bytes, flags);
}

ssize_t msgrcv(int id, void *message, size_t bytes, long type, int flags)
{
	return ripc_msgrcv(id, message, bytes, type, flags);
}

int msgctl(int id, int cmd, struct msqid_ds *buf) { return ripc_msgctl(id, cmd, buf); }
