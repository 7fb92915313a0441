/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the shim source, in three files: src_shim_rings.c knows the processes and their rings,
 * src_shim_records.c makes events of what is in them, src_shim.c merges the rings and sees to their end.
 */
#ifndef IPCTAP_COLLECTOR_SRC_SHIM_INNER_H
#define IPCTAP_COLLECTOR_SRC_SHIM_INNER_H

#include <uthash.h>

#include "collector/join.h"
#include "collector/shim_guard.h"
#include "collector/shim_objects.h"
#include "collector/shim_ring.h"
#include "collector/shim_strays.h"
#include "collector/sleepers.h"
#include "collector/src_shim.h"

struct shim_proc {
	uint32_t pid, ppid;
	uint64_t start_ns, last_ns; /* as told; of the latest record */
	uint32_t exit_status;       /* 0x100 | what it gave to exit; 0: not known */
	int status;                 /* as the kernel has it; -1: not known */
	uint64_t dead_ns;           /* when we noticed */
	uint32_t nrings;
	int pidfd;                  /* -1: looked for in /proc */
	bool dead;                  /* what it has told is all that there will be */
	bool exited;                /* its end has been told */
	char comm[EV_COMM_LEN];
	UT_hash_handle hh;
};

struct shim_source_ring {
	struct shim_reader reader;
	void *base;
	size_t bytes;
	struct shim_guard guard;
	struct shim_proc *proc;
	uint64_t start_ns;
	char comm[EV_COMM_LEN]; /* the thread's, as it told last */
	bool replaced; /* its process has executed something else */
	bool told_exit;
};

struct src_shim {
	struct source source;
	struct shim_folder folder;
	struct shim_guard control_guard;
	struct feed_opts opts;
	struct join *join;
	struct shim_objects *objects;
	struct sleepers *sleepers;
	struct shim_strays *strays;
	struct sink into_sleepers, into_out;
	struct sink *out;
	struct shim_source_ring **rings;  /* the first nheap of them a heap by the stamp of their next record */
	size_t nrings, room;
	struct shim_proc *procs;
	int notify, deaths; /* inotify of the folder; epoll of the pidfds */
	pid_t held;
	uint64_t next_look_ns, next_time_ns, look_ns, drained;
	int idle_ms;
	bool detached, listed;
};

/* Counted as lost for that cause, if it is any. */
int shim_tell_lost(struct src_shim *s, uint32_t cause, uint64_t count);

/* ---- src_shim_rings.c ---- */

struct shim_proc *shim_proc_find(struct src_shim *s, uint32_t pid); /* NULL: not known */
void shim_proc_free(struct src_shim *s, struct shim_proc *p);
/* Before the rings are looked at: what those have told that are gone by now is all there. */
void shim_procs_note_deaths(struct src_shim *s);

/* Takes in those that have come to be. */
int shim_rings_new(struct src_shim *s);
/* What the process of `by` was before it executed something else, by whichever of its threads. */
void shim_rings_replace(struct src_shim *s, const struct shim_source_ring *by);
void shim_ring_free(struct shim_source_ring *r);

/* ---- src_shim_records.c ---- */

/* Makes events of a record, for the joiner. 0 or a negative errno; -EINVAL: nothing could be made of it. */
int shim_on_record(struct src_shim *s, struct shim_source_ring *r, union shim_record *rec);
int shim_on_io(struct src_shim *s, const struct shim_source_ring *r, union shim_record *rec);

/* The end of a thread, told once; of a process, with that of its threads. `code` -1: what is known of it. */
int shim_tell_thread_exit(struct src_shim *s, struct shim_source_ring *r);
int shim_tell_exit(struct src_shim *s, struct shim_proc *p, int code, uint64_t t_ns);

bool shim_is_covered(void *arg, uint32_t pid); /* arg: the source */

#endif
