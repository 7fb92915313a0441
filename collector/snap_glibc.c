// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What glibc keeps around the words that threads sleep on: the layouts of 64-bit hosts, which are part
 * of its ABI. Each is recognised only when everything about it fits.
 */
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>

#include "collector/procfs.h"
#include "snap_futex.h"

#define BEFORE 12 /* words looked at before the address … */
#define AROUND 28 /* … and in all */
#define MANY 30000u /* more threads than that are not at one object: a pointer's half is more */

/* Memory around the word; at(0) is the word itself. */
struct around {
	uint32_t w[AROUND];
};

#define PAGE 4096u /* or larger: what lies before its beginning or behind its end may not be mapped */

/* Of what is not mapped, zeros: an object lies where its word does. */
static bool read_around(const struct futex_word *f, struct around *a)
{
	uint64_t from = f->address - BEFORE * sizeof(a->w[0]), to = from + sizeof(*a);
	uint64_t page = f->address & ~(uint64_t)(PAGE - 1);
	if (f->address % sizeof(a->w[0]) || f->address < PAGE)
		return false;
	if (snap_mem_read(f->c->t->pid, from, a, sizeof(*a)))
		return true;
	uint64_t low = from < page ? page : from, high = to > page + PAGE ? page + PAGE : to;
	memset(a, 0, sizeof(*a));
	return snap_mem_read(f->c->t->pid, low, (char *)a + (low - from), high - low);
}

static uint32_t at(const struct around *a, int word) { return a->w[BEFORE + word]; }

static uint64_t pair_at(const struct around *a, int word)
{
	return at(a, word) | (uint64_t)at(a, word + 1) << 32;
}

/* ---- pthread_rwlock_t ---- */

enum { /* words of struct __pthread_rwlock_arch_t */
	RW_READERS, RW_WRITERS, RW_WRPHASE, RW_WRITERS_FUTEX, RW_PAD3, RW_PAD4, RW_WRITER, RW_SHARED,
	RW_ELISION, RW_ELISION2, RW_PAD2, RW_PAD2B, RW_FLAGS
};
#define RW_WRLOCKED 2u
#define RW_READER_SHIFT 3

static bool fits_rwlock(const struct futex_word *f, const struct around *a, int base)
{
	uint32_t readers = at(a, base + RW_READERS);
	return !at(a, base + RW_PAD3) && !at(a, base + RW_PAD4) && !at(a, base + RW_PAD2) &&
	       !at(a, base + RW_PAD2B) && !at(a, base + RW_ELISION) && !at(a, base + RW_ELISION2) &&
	       at(a, base + RW_FLAGS) <= 2 && at(a, base + RW_SHARED) == !f->is_private &&
	       (readers & RW_WRLOCKED || readers >> RW_READER_SHIFT) && readers >> RW_READER_SHIFT < MANY && at(a, base + RW_WRITERS) < MANY &&
	       at(a, base + RW_WRPHASE) <= 3 && at(a, base + RW_WRITERS_FUTEX) <= 3;
}

/*
 * Whoever waits for the phase to change, or for the other writers, waits for the writer that has it,
 * when there is one; else for readers, of whom only the number is kept.
 */
static bool is_rwlock(struct futex_word *f, const struct around *a)
{
	static const int bases[] = { -RW_WRPHASE, -RW_WRITERS_FUTEX, -RW_READERS };
	int base = 1;
	if (f->cmd != FUTEX_WAIT_BITSET)
		return false;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]) && base > 0; i++)
		if (fits_rwlock(f, a, bases[i]))
			base = bases[i];
	if (base > 0)
		return false;
	uint32_t readers = at(a, base + RW_READERS), writer = at(a, base + RW_WRITER);
	const struct snap_task *me = f->c->t, *o = snap_task_in(f->c->w, me->pidns, writer);
	if (writer && (readers & RW_WRLOCKED)) {
		/* a number that is nobody's may be no lock's at all: from that nothing must follow */
		bool known = o && !(o->flags & SNAP_ZOMBIE) && (!f->is_private || o->mm == me->mm);
		wg_ref elsewhere = futex_namesakes(f, writer);
		futex_set(f, WG_RWLOCK, "pthread_rwlock, held by a writer",
			  elsewhere ? elsewhere
			  : known   ? wg_thread_ref(f->c->w->g, o->hdr.tid)
				    : futex_reachers(f));
		if (known && !elsewhere)
			snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u", o->hdr.tid);
		return true;
	}
	f->readers = readers >> RW_READER_SHIFT;
	futex_set(f, WG_RWLOCK, "pthread_rwlock, held by readers", futex_reachers(f));
	snprintf(f->c->th->detail, sizeof(f->c->th->detail), "%u reader%s, of unknown name",
		 readers >> RW_READER_SHIFT, readers >> RW_READER_SHIFT == 1 ? "" : "s");
	return true;
}

/* ---- pthread_cond_t ---- */

enum { /* words of struct __pthread_cond_s */
	COND_WSEQ = 0, COND_G1_START = 2, COND_REFS = 4, COND_SIZE = 6, COND_ORIG_SIZE = 8, COND_WREFS = 9,
	COND_SIGNALS = 10
};

static bool fits_cond(const struct futex_word *f, const struct around *a, int group)
{
	int base = -COND_SIGNALS - group;
	uint64_t seq = pair_at(a, base + COND_WSEQ) >> 1, start = pair_at(a, base + COND_G1_START) >> 1;
	uint32_t waiters = at(a, base + COND_WREFS) >> 3, refs = at(a, base + COND_REFS + group) >> 1;
	return seq && start <= seq && waiters > 0 && waiters < MANY && refs > 0 && refs <= waiters &&
	       (at(a, base + COND_WREFS) & 1) == !f->is_private;
}

static bool is_cond(struct futex_word *f, const struct around *a)
{
	if (f->cmd != FUTEX_WAIT_BITSET || (!fits_cond(f, a, 0) && !fits_cond(f, a, 1)))
		return false;
	futex_set(f, WG_COND, "pthread_cond_wait", futex_reachers(f));
	return true;
}

/* ---- pthread_barrier_t ---- */

enum { BAR_IN = -1, BAR_ROUND = 0, BAR_COUNT = 1, BAR_SHARED = 2, BAR_OUT = 3 };

static bool is_barrier(struct futex_word *f, const struct around *a)
{
	uint32_t come = at(a, BAR_IN) - at(a, BAR_ROUND), count = at(a, BAR_COUNT);
	if (f->cmd != FUTEX_WAIT || count < 2 || count >= MANY || !come || come >= count ||
	    at(a, BAR_SHARED) != (f->is_private ? 0u : FUTEX_PRIVATE_FLAG) || at(a, BAR_OUT) > at(a, BAR_IN))
		return false;
	f->missing = count - come;
	futex_set(f, WG_BARRIER, "pthread_barrier_wait", futex_reachers(f));
	snprintf(f->c->th->detail, sizeof(f->c->th->detail), "%u of %u have come", come, count);
	return true;
}

/* ---- sem_t ---- */

/* struct new_sem: value, waiters, 0 or FUTEX_PRIVATE_FLAG turned around */
static bool is_sem(struct futex_word *f)
{
	if (f->val != 0 || f->word[0] != 0 || !f->word[1] || f->word[1] >= MANY ||
	    f->cmd != FUTEX_WAIT_BITSET || f->word[2] != (f->is_private ? 0u : FUTEX_PRIVATE_FLAG))
		return false;
	char names[8];
	/* sem_post is what a handler may call, and what programs that wait for their end have it call */
	bool handler = futex_is_alone(f) && procfs_handlers(f->c->t->pid, names, sizeof(names));
	futex_set(f, WG_POSIX_SEM, "sem_wait",
		  handler ? wg_outside(f->c->w->g, WG_SIG, "a signal handler of its own may post it")
			  : futex_reachers(f));
	return true;
}

bool snap_glibc(struct futex_word *f)
{
	struct around a;
	if (!f->readable)
		return false;
	if (read_around(f, &a) && (is_cond(f, &a) || is_rwlock(f, &a) || is_barrier(f, &a)))
		return true;
	return is_sem(f);
}
