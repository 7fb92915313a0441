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

/*
 * Whether a column of that type could show the text at all. Most words are in no number, and to write
 * eight numbers for each of 50,000 rows is most of the work. The characters are those of units.h, and the '-'
 * of what is not known.
 */
static bool could_show(enum column_type type, const char *text)
{
	if (type == COLUMN_TEXT)
		return true;
	if (type == COLUMN_BOOL)
		return strcasestr("yes", text) || strcasestr("no", text) || strcmp(text, "-") == 0;
	return text[strspn(text, "0123456789.-~%kKMmGgTtPpEeUuNnSsHhDd")] == '\0';
}

struct plain plain_of(const char *text)
{
	struct plain p = { .text = text };

	for (int type = 0; type < COLUMN_TYPES; type++)
		p.types |= (uint32_t)could_show((enum column_type)type, text) << type;
	return p;
}

static bool is_among(const struct plain *p, const struct column *c)
{
	return p->types >> c->type & 1;
}

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* As strcasestr, which takes three times as long for names. */
static bool contains(const char *text, const char *plain)
{
	unsigned char first = fold(*plain);

	for (; *text; text++) {
		size_t n = 1;

		if (fold(*text) != first)
			continue;
		while (plain[n] && fold(text[n]) == fold(plain[n]))
			n++;
		if (!plain[n])
			return true;
	}
	return false;
}

enum late row_shows_needs(const struct view *view, uint32_t on_screen, const struct plain *plain)
{
	unsigned int late = LATE_NOT;

	for (int i = 0; i < view->ncolumns; i++)
		if (on_screen >> i & 1 && is_among(plain, &view->columns[i]))
			late |= view->columns[i].late;
	return (enum late)late;
}

bool row_shows(const struct view *view, uint32_t on_screen, const struct row *row,
	       const struct plain *plain)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++) {
		const struct column *c = &view->columns[i];

		if (on_screen >> i & 1 && is_among(plain, c) &&
		    contains(value_string(c, &row->values[i], buf), plain->text))
			return true;
	}
	return false;
}

/* ---- taking the text apart ---- */

static void glob_parse(struct rowglob *g, const char *text)
{
	size_t n = 0;

	while ((unsigned char)text[n] < 0x80 && text[n] && !strchr("*?[\\", text[n]))
		n++;
	*g = (struct rowglob){
		.text = text,
		.literal = (uint8_t)n,
		.is_plain = !text[n],
		.is_prefix = text[n] == '*' && !text[n + 1],
	};
}

/* The comma-separated patterns of a word, in place. */
static void globs_parse(struct rowfilter *f, size_t i, char *list)
{
	f->words[i].glob = (uint8_t)f->nglobs;
	for (char *at = list; at && *at; f->nglobs++) {
		char *text = strsep(&at, ",");

		glob_parse(&f->globs[f->nglobs], text);
	}
	f->words[i].nglobs = (uint8_t)(f->nglobs - f->words[i].glob);
}

/* False: a word that is still being typed ("!", "pid=", "bytes>"), which hides nothing yet. */
static bool word_parse(struct rowfilter *f, size_t i, char *word)
{
	size_t len = strlen(word);

	if (!len || strchr("=<>", word[len - 1]))
		return false;
	f->words[i].what = WORD_PLAIN;
	f->words[i].arg = word;
	f->words[i].plain = plain_of(word);
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
		if (keys[k].what != WORD_NUMBER)
			globs_parse(f, i, word + n);
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

/* `text` matches one of the word's patterns. */
static bool any_glob(const struct rowfilter *f, size_t word, const char *text)
{
	const struct rowglob *g = &f->globs[f->words[word].glob];

	for (size_t i = 0; i < f->words[word].nglobs; i++, g++) {
		/* a name may look like a pattern that it does not match: pipe:[123] */
		if (strncasecmp(g->text, text, g->literal) != 0)
			continue;
		if (g->is_prefix || strcasecmp(g->text, text) == 0 ||
		    (!g->is_plain && fnmatch(g->text, text, FNM_CASEFOLD) == 0))
			return true;
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

static bool facet_matches(const struct rowfilter *f, size_t word, const struct view *view,
			  const struct row *row)
{
	enum facet facet = f->words[word].facet;
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].facet == facet && row->values[i].known &&
		    any_glob(f, word, value_string(&view->columns[i], &row->values[i], buf)))
			return true;
	return false;
}

static bool pid_matches(const struct rowfilter *f, size_t word, const struct row *row)
{
	char pid[16];

	for (int i = 0; i < row->nends; i++) {
		snprintf(pid, sizeof(pid), "%" PRIu32, row->ends[i].pid);
		if (any_glob(f, word, pid))
			return true;
	}
	return false;
}

static bool comm_matches(const struct rowfilter *f, size_t word, const struct row *row)
{
	for (int i = 0; i < row->nends; i++)
		if (any_glob(f, word, row->ends[i].comm))
			return true;
	return false;
}

/* By -e's own sets, which know the families; where it knows no such call, by pattern. */
static bool op_matches(const struct rowfilter *f, size_t word, const struct view *view,
		       const struct row *row)
{
	const struct filter *term = f->words[word].term;
	const struct value *v = facet_value(view, row, FACET_OP);
	int op = v ? op_parse(v->text) : -1;

	if (term && op > 0 && term->terms[0].set[op / 64] >> (op % 64) & 1)
		return true;
	return facet_matches(f, word, view, row);
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
		return pid_matches(f, i, row);
	case WORD_COMM:
		return comm_matches(f, i, row);
	case WORD_FACET:
		return facet_matches(f, i, view, row);
	case WORD_OP:
		return op_matches(f, i, view, row);
	case WORD_NUMBER:
		return number_holds(facet_value(view, row, f->words[i].facet),
				    &f->words[i].term->terms[0]);
	case WORD_IS:
		v = facet_value(view, row, f->words[i].facet);
		return v && v->n;
	case WORD_TAGGED:
		return tags_have_row(f->tags, row);
	default:
		return row_shows(view, on_screen, row, &f->words[i].plain);
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

enum late rowfilter_needs(const struct rowfilter *f, const struct view *view, uint32_t on_screen)
{
	unsigned int late = LATE_NOT;

	for (size_t i = 0; i < f->n; i++)
		switch (f->words[i].what) {
		case WORD_PLAIN:
			late |= row_shows_needs(view, on_screen, &f->words[i].plain);
			break;
		case WORD_PID:
		case WORD_COMM:
		case WORD_TAGGED:
			late |= LATE_TEXT; /* the ends */
			break;
		default:
			for (int c = 0; c < view->ncolumns; c++)
				if (view->columns[c].facet == f->words[i].facet)
					late |= view->columns[c].late;
		}
	return (enum late)late;
}
