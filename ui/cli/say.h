/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line says to its user, always on stderr and never in the way of the output:
 *
 *     ipctap: what: why
 *       remedy
 *
 * Everything passes through lib/base/escape.h: a path or a comm in a message may be hostile.
 */
#ifndef IPCTAP_UI_CLI_SAY_H
#define IPCTAP_UI_CLI_SAY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/model/model.h"

/* One line "ipctap: …", then the remedy indented when there is one. */
void say_fail(const struct fail *f);

/* One line "ipctap: …". */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * One line and one remedy for every cause of loss, the sum over its places; for 32-bit calls also
 * which ones. `store_queue`: operations that the writer of a trace had to drop, which a model fed
 * before the writer cannot know. Returns the sum of all.
 */
uint64_t say_losses(const struct model *m, uint64_t store_queue);

/*
 * The word of the list that the user most likely meant: the one with the fewest letters changed,
 * if that is less than half of it; else NULL. `word_at` returns NULL after the last.
 */
const char *nearest_word(const char *typed, const char *(*word_at)(const void *list, size_t i),
			 const void *list);

#endif
