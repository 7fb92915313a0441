/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What F4 takes: which rows of a view are shown. The words are those of -e (lib/model/filter.h),
 * held against rows instead of operations: what -e counts at all, F4 shows.
 *
 *     TEXT   := WORD { WORD }      blanks between words mean "and"
 *     WORD   := ["!"] PLAIN        some column on the screen shows PLAIN; ! : none does
 *             | ["!"] "pid=" GLOB{,GLOB} | "comm=" …    of any process the row has to do with
 *             | ["!"] "kind=" … | "op=" … | "chan=" … | "tid=" …
 *             | ["!"] "bytes" CMP SIZE | "latency" CMP TIME | "slept" CMP TIME | "ret" CMP INT
 *             | ["!"] "fd" CMP INT
 *             | ["!"] "blocked" | "error" | "tagged"
 *
 * Upper and lower case are the same. op= knows the families of -e (send, recv …). latency is that of
 * 99 of 100 messages in Channels and Talk, that of the call in Events; bytes and slept are sums but in
 * Events. A row that has no such thing (op= in Talk) does not match. Any other text, also one with
 * '=' in it, is a PLAIN word, so no text is an error.
 */
#ifndef IPCTAP_UI_TUI_ROWFILTER_H
#define IPCTAP_UI_TUI_ROWFILTER_H

#include "lib/model/filter_terms.h"
#include "ui/tui/tags.h"
#include "ui/tui/view.h"

#define ROWFILTER_SIZE 128 /* bytes of text, with the NUL */
#define ROWFILTER_WORDS (ROWFILTER_SIZE / 2)

enum rowword { WORD_PLAIN, WORD_PID, WORD_COMM, WORD_FACET, WORD_OP, WORD_NUMBER, WORD_IS, WORD_TAGGED };

/* One of the patterns of a word, taken apart once for all rows. */
struct rowglob {
	const char *text;
	uint8_t literal; /* so many ASCII characters before the first that is not or is special */
	bool is_plain;   /* that is all of it */
	bool is_prefix;  /* that, and a '*' */
};

/* A text that some column shows, looked at once for all rows. */
struct plain {
	const char *text; /* borrowed */
	uint32_t types;   /* bit i: a column of type i could show it */
};
struct plain plain_of(const char *text);

struct rowfilter {
	char text[ROWFILTER_SIZE];
	size_t n, nglobs;
	struct {
		enum rowword what;
		bool negated;
		enum facet facet;
		const char *arg; /* in copy */
		struct plain plain; /* WORD_PLAIN */
		uint8_t glob, nglobs; /* of globs: WORD_PID, WORD_COMM, WORD_FACET, WORD_OP */
		struct filter *term; /* WORD_OP, WORD_NUMBER */
	} words[ROWFILTER_WORDS];
	struct rowglob globs[ROWFILTER_SIZE];
	char copy[ROWFILTER_SIZE];
	const struct tags *tags; /* borrowed; NULL: nothing is tagged */
};

/* on_screen: bit i is for column i. */

/* A zeroed one matches everything. Forgets the text it had; too long ones are cut. */
void rowfilter_set(struct rowfilter *f, const char *text);
void rowfilter_release(struct rowfilter *f);

/* The steps (view.h) that rows must have been through before they are held against it. */
enum late rowfilter_needs(const struct rowfilter *f, const struct view *view, uint32_t on_screen);
bool rowfilter_match(const struct rowfilter *f, const struct view *view, uint32_t on_screen,
		     const struct row *row);

/* Some column on the screen, in either case of letters, contains it. What F3 looks for. */
bool row_shows(const struct view *view, uint32_t on_screen, const struct row *row,
	       const struct plain *plain);
enum late row_shows_needs(const struct view *view, uint32_t on_screen, const struct plain *plain);

/* The words that begin one, "kind=" …, for completion; NULL behind the last. */
extern const char *const rowfilter_words[];

#endif
