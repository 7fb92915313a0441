// SPDX-License-Identifier: GPL-2.0-or-later
#include "say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/abi/words.h"
#include "lib/base/escape.h"

#define LINE_MAX_BYTES 1024

static void say_line(const char *prefix, const char *text)
{
	char safe[ESCAPE_SIZE(LINE_MAX_BYTES)];

	escape_text(safe, sizeof(safe), text, LINE_MAX_BYTES);
	fprintf(stderr, "%s%s\n", prefix, safe);
}

void say_fail(const struct fail *f)
{
	say_line("ipctap: ", f->what[0] ? f->what : strerror(f->err));
	if (f->remedy[0])
		say_line("  ", f->remedy);
}

void say(const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say_line("ipctap: ", line);
}

/* What the numbers of IORING_OP_* are called, as far as losses speak of them. */
static const char *uring_word(uint32_t opcode)
{
	static const char *const words[] = {
		[1] = "readv",    [2] = "writev",        [4] = "read_fixed",   [5] = "write_fixed",
		[6] = "poll_add", [9] = "sendmsg",       [10] = "recvmsg",     [13] = "accept",
		[16] = "connect", [19] = "close",        [22] = "read",        [23] = "write",
		[26] = "send",    [27] = "recv",         [30] = "splice",      [33] = "tee",
		[34] = "shutdown", [40] = "msg_ring",    [47] = "send_zc",     [48] = "sendmsg_zc",
		[49] = "read_multishot", [50] = "waitid", [51] = "futex_wait", [52] = "futex_wake",
		[53] = "futex_waitv", [56] = "bind",     [57] = "listen",      [58] = "recv_zc",
		[59] = "epoll_wait", [60] = "readv_fixed", [61] = "writev_fixed", [62] = "pipe",
		[64] = "completions that found no room",
	};

	return opcode < sizeof(words) / sizeof(*words) && words[opcode] ? words[opcode] : "?";
}

static void print_process(const struct model *m, const char *sep, uint32_t pid)
{
	const struct m_proc *p = model_proc(m, pid);
	char name[4 * EV_COMM_LEN];

	escape_text(name, sizeof(name), p && p->comm[0] ? p->comm : "?", EV_COMM_LEN);
	fprintf(stderr, "%s%s[%" PRIu32 "]", sep, name, pid);
}

/* " (i386 call 3: 12, i386 call 4: 5)", " (msg_ring: 2)": which ones they were. */
static void print_where(const struct model *m, uint32_t cause)
{
	const char *sep = " (";

	for (const struct m_loss *l = model_losses(m); l; l = l->next) {
		if (l->cause != cause)
			continue;
		if (cause == LOST_NOT_COVERED)
			print_process(m, sep, l->where);
		else if (cause == LOST_URING)
			fprintf(stderr, "%s%s: %" PRIu64, sep, uring_word(l->where), l->count);
		else /* a number is all that is known of such a call */
			fprintf(stderr, "%si386 call %" PRIu32 ": %" PRIu64, sep, l->where, l->count);
		sep = ", ";
	}
	fputs(")", stderr);
}

uint64_t say_losses(const struct model *m, uint64_t store_queue)
{
	uint64_t count[LOST_MAX] = { [LOST_STORE_QUEUE] = store_queue };
	uint64_t total = 0, unknown = 0;

	for (const struct m_loss *l = model_losses(m); l; l = l->next)
		*(l->cause < LOST_MAX ? &count[l->cause] : &unknown) += l->count;
	for (unsigned int cause = 1; cause < LOST_MAX; cause++) {
		if (!count[cause])
			continue;
		total += count[cause];
		fprintf(stderr, "ipctap: lost %" PRIu64 " %s [%s]", count[cause], loss_what(cause),
			loss_word(cause));
		if (cause == LOST_COMPAT32 || cause == LOST_URING || cause == LOST_NOT_COVERED)
			print_where(m, cause);
		fprintf(stderr, "\n  %s\n", loss_remedy(cause));
	}
	if (unknown)
		fprintf(stderr,
			"ipctap: lost %" PRIu64 " for a cause this version does not know\n"
			"  read the trace with the version that wrote it\n",
			unknown);
	return total + unknown;
}

/* Levenshtein's distance, over one row; words are short, and longer ones are not near anything. */
static size_t word_distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	size_t row[MAX + 1], na = strlen(a), nb = strlen(b);

	if (na > MAX || nb > MAX)
		return MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			if (change < row[j])
				row[j] = change;
		}
	}
	return row[nb];
}

const char *nearest_word(const char *typed, const char *(*word_at)(const void *list, size_t i),
			 const void *list)
{
	const char *best = NULL, *word;
	size_t best_distance = 0;

	for (size_t i = 0; (word = word_at(list, i)) != NULL; i++) {
		size_t distance = word_distance(typed, word);

		if (distance * 2 < strlen(word) + 1 && (!best || distance < best_distance)) {
			best = word;
			best_distance = distance;
		}
	}
	return best;
}
