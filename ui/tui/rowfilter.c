// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rows of a view are shown; see rowfilter.h. */
#include "ui/tui/rowfilter.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/abi/words.h"

const char *const rowfilter_words[] = { "kind=", "op=",    "pid=",     "tid=",    "comm=",  "chan=",
					"bytes", "latency", "slept",    "ret",     "fd",     "blocked",
					"error", "tagged", NULL };

static const struct {
	const char *key;
	enum rowword what;
	enum facet facet;
} keys[] = {
	{ "pid=", WORD_PID, FACET_NONE },	    { "comm=", WORD_COMM, FACET_NONE },
	{ "kind=", WORD_FACET, FACET_KIND },	    { "chan=", WORD_FACET, FACET_CHAN },
	{ "tid=", WORD_FACET, FACET_TID },	    { "op=", WORD_OP, FACET_OP },
	{ "bytes", WORD_NUMBER, FACET_BYTES },	    { "latency", WORD_NUMBER, FACET_LATENCY },
	{ "slept", WORD_NUMBER, FACET_SLEPT },	    { "ret", WORD_NUMBER, FACET_RET },
	{ "fd", WORD_NUMBER, FACET_FD },
}, bare[] = {
	{ "blocked", WORD_IS, FACET_BLOCKED },
	{ "error", WORD_IS, FACET_ERROR },
	{ "tagged", WORD_TAGGED, FACET_NONE },
};

bool row_shows(const struct view *view, uint32_t on_screen, const struct row *row,
	       const char *plain)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++) {
		const struct column *c = &view->columns[i];

		if (on_screen >> i & 1 && strcasestr(value_string(c, &row->values[i], buf), plain))
			return true;
	}
	return false;
}

/* ---- taking the text apart ---- */

/* False: a word that is still being typed ("!", "pid=", "bytes>"), which hides nothing yet. */
static bool word_parse(struct rowfilter *f, size_t i, char *word)
{
	size_t len = strlen(word);

	if (!len || strchr("=<>", word[len - 1]))
		return false;
	f->words[i].what = WORD_PLAIN;
	f->words[i].arg = word;
	for (size_t k = 0; k < sizeof(bare) / sizeof(bare[0]); k++)
		if (strcasecmp(word, bare[k].key) == 0) {
			f->words[i].what = bare[k].what;
			f->words[i].facet = bare[k].facet;
			return true;
		}
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		size_t n = strlen(keys[k].key);

		if (strncasecmp(word, keys[k].key, n) != 0)
			continue;
		if (keys[k].what == WORD_NUMBER || keys[k].what == WORD_OP) {
			memcpy(word, keys[k].key, n); /* the parser knows no capitals */
			filter_new(&f->words[i].term, word, NULL);
		}
		if (keys[k].what == WORD_NUMBER && !f->words[i].term)
			continue;
		f->words[i].what = keys[k].what;
		f->words[i].facet = keys[k].facet;
		f->words[i].arg = word + n;
	}
	return true;
}

void rowfilter_release(struct rowfilter *f)
{
	for (size_t i = 0; i < f->n; i++)
		filter_free(f->words[i].term);
	*f = (struct rowfilter){ .tags = f->tags };
}

void rowfilter_set(struct rowfilter *f, const char *text)
{
	char *at;

	rowfilter_release(f);
	snprintf(f->text, sizeof(f->text), "%s", text);
	memcpy(f->copy, f->text, sizeof(f->copy));
	for (char *word = strtok_r(f->copy, " ", &at); word && f->n < ROWFILTER_WORDS;
	     word = strtok_r(NULL, " ", &at)) {
		f->words[f->n].negated = *word == '!';
		if (word_parse(f, f->n, word + (*word == '!')))
			f->n++;
	}
}

/* ---- holding a row against it ---- */

/* `text` matches one of the comma-separated patterns in `globs`. */
static bool any_glob(const char *globs, const char *text)
{
	char glob[ROWFILTER_SIZE];

	for (const char *p = globs; *p;) {
		size_t n = strcspn(p, ",");

		snprintf(glob, sizeof(glob), "%.*s", (int)n, p);
		/* a name may look like a pattern that it does not match: pipe:[123] */
		if (strcasecmp(glob, text) == 0 || fnmatch(glob, text, FNM_CASEFOLD) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

/* The row's value for a facet: the first that is known. NULL: it has none. */
static const struct value *facet_value(const struct view *view, const struct row *row,
				       enum facet facet)
{
	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].facet == facet && row->values[i].known)
			return &row->values[i];
	return NULL;
}

static bool facet_matches(const struct view *view, const struct row *row, enum facet facet,
			  const char *globs)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].facet == facet && row->values[i].known &&
		    any_glob(globs, value_string(&view->columns[i], &row->values[i], buf)))
			return true;
	return false;
}

static bool pid_matches(const struct row *row, const char *globs)
{
	char pid[16];

	for (int i = 0; i < row->nends; i++) {
		snprintf(pid, sizeof(pid), "%" PRIu32, row->ends[i].pid);
		if (any_glob(globs, pid))
			return true;
	}
	return false;
}

static bool comm_matches(const struct row *row, const char *globs)
{
	for (int i = 0; i < row->nends; i++)
		if (any_glob(globs, row->ends[i].comm))
			return true;
	return false;
}

/* By -e's own sets, which know the families; where it knows no such call, by pattern. */
static bool op_matches(const struct view *view, const struct row *row, const struct filter *term,
		       const char *globs)
{
	const struct value *v = facet_value(view, row, FACET_OP);
	int op = v ? op_parse(v->text) : -1;

	if (term && op > 0 && term->terms[0].set[op / 64] >> (op % 64) & 1)
		return true;
	return facet_matches(view, row, FACET_OP, globs);
}

static bool number_holds(const struct value *v, const struct term *t)
{
	if (!v)
		return false;
	return t->what == TERM_RET || t->what == TERM_FD ? term_holds_signed(t, (int64_t)v->n) :
							   term_holds_unsigned(t, v->n);
}

static bool word_matches(const struct rowfilter *f, size_t i, const struct view *view,
			 uint32_t on_screen, const struct row *row)
{
	const struct value *v;

	switch (f->words[i].what) {
	case WORD_PID:
		return pid_matches(row, f->words[i].arg);
	case WORD_COMM:
		return comm_matches(row, f->words[i].arg);
	case WORD_FACET:
		return facet_matches(view, row, f->words[i].facet, f->words[i].arg);
	case WORD_OP:
		return op_matches(view, row, f->words[i].term, f->words[i].arg);
	case WORD_NUMBER:
		return number_holds(facet_value(view, row, f->words[i].facet),
				    &f->words[i].term->terms[0]);
	case WORD_IS:
		v = facet_value(view, row, f->words[i].facet);
		return v && v->n;
	case WORD_TAGGED:
		return tags_have_row(f->tags, row);
	default:
		return row_shows(view, on_screen, row, f->words[i].arg);
	}
}

bool rowfilter_match(const struct rowfilter *f, const struct view *view, uint32_t on_screen,
		     const struct row *row)
{
	for (size_t i = 0; i < f->n; i++)
		if (word_matches(f, i, view, on_screen, row) == f->words[i].negated)
			return false;
	return true;
}
