// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of a page: how they follow each other, the cursor, order, filter and search; see page.h. */
#include "ui/tui/page.h"

#include <string.h>

/* ---- one below the other ---- */

size_t page_section_rows(const struct page *p, const struct page_section *section)
{
	const struct rows *rows = &p->tables[section->table].rows;
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		n += !rows->v[i].is_of_tree;
	return n;
}

static void add_section(struct page *p, const struct page_section *section)
{
	const struct table *t = &p->tables[section->table];
	size_t n = t->nshown < section->most ? t->nshown : section->most;

	if (!page_section_rows(p, section))
		return;
	page_add(p, &(struct page_line){ .kind = LINE_TEXT, .text = "" });
	page_add(p, &(struct page_line){ .kind = LINE_TITLE, .table = section->table });
	if (!n)
		return;
	page_add(p, &(struct page_line){ .kind = LINE_HEAD, .table = section->table });
	for (size_t i = 0; i < n; i++)
		page_add(p, &(struct page_line){
				    .kind = LINE_ROW, .table = section->table, .row = i });
	if (n < t->nshown)
		page_add(p, &(struct page_line){
				    .kind = LINE_MORE, .table = section->table, .row = t->nshown - n });
}

static bool is_row(const struct page *p, size_t i)
{
	return i < p->nlines && p->lines[i].kind == LINE_ROW;
}

static const struct row *row_of(const struct page *p, size_t i)
{
	const struct table *t;

	if (!is_row(p, i))
		return NULL;
	t = &p->tables[p->lines[i].table];
	return p->lines[i].row < t->nshown ? t->shown[p->lines[i].row] : NULL;
}

/* Finds the cursor's row; where it is gone, the nearest one of where it was. */
static void cursor_find(struct page *p)
{
	for (size_t i = 0; p->cursor.has_cursor && i < p->nlines; i++) {
		const struct row *row = p->lines[i].table == p->cursor.table ? row_of(p, i) : NULL;

		if (!row || !row_keys_equal(&row->key, &p->cursor.key))
			continue;
		p->cursor.at = i;
		return;
	}
	if (p->cursor.has_cursor)
		page_move(p, 0);
}

void page_layout(struct page *p)
{
	p->nlines = p->nhead;
	for (int i = 0; i < p->nsections; i++)
		add_section(p, &p->sections[i]);
	cursor_find(p);
}

int page_arrange(struct page *p)
{
	int err = 0;

	for (int i = 0; i < p->nsections && !err; i++) {
		struct table *t = &p->tables[p->sections[i].table];

		err = table_arrange(t);
		if (!err)
			err = table_fill_page(t);
	}
	page_layout(p);
	return err;
}

/* ---- the cursor ---- */

/* The nearest row from `at` on, in the direction of `step`; p->nlines: none. */
static size_t row_from(const struct page *p, size_t at, int step)
{
	for (long i = (long)at; i >= 0 && i < (long)p->nlines; i += step)
		if (is_row(p, (size_t)i))
			return (size_t)i;
	return p->nlines;
}

static void show(struct page *p)
{
	size_t height = p->height > 0 ? (size_t)p->height : 1;

	if (p->cursor.at < p->cursor.top + 2) /* with the header above */
		p->cursor.top = p->cursor.at > 2 ? p->cursor.at - 2 : 0;
	else if (p->cursor.at >= p->cursor.top + height)
		p->cursor.top = p->cursor.at - height + 1;
}

static void put(struct page *p, size_t at)
{
	const struct row *row = row_of(p, at);

	p->cursor.has_cursor = true;
	p->cursor.at = at;
	p->cursor.table = p->lines[at].table;
	p->cursor.key = row ? row->key : (struct row_key){ { 0 } };
}

void page_move(struct page *p, long lines)
{
	int step = lines < 0 ? -1 : 1;
	size_t to;

	if (!p->cursor.has_cursor)
		to = row_from(p, 0, 1);
	else {
		long at = (long)p->cursor.at + lines;

		at = at < 0 ? 0 : at >= (long)p->nlines ? (long)p->nlines - 1 : at;
		to = p->nlines ? row_from(p, (size_t)at, step) : 0;
		if (to == p->nlines && p->nlines)
			to = row_from(p, (size_t)at, -step);
	}
	if (to >= p->nlines) { /* no row at all: scroll */
		long top = (long)p->cursor.top + lines;

		p->cursor.has_cursor = false;
		p->cursor.top = top > 0 ? (size_t)top : 0;
		return;
	}
	put(p, to);
	if (lines)
		show(p);
}

void page_move_to_end(struct page *p, bool last)
{
	p->cursor.has_cursor = true;
	p->cursor.at = last && p->nlines ? p->nlines - 1 : 0;
	page_move(p, last ? 1 : -1);
	if (!last)
		p->cursor.top = 0;
}

const struct row *page_cursor_row(const struct page *p)
{
	return p->cursor.has_cursor ? row_of(p, p->cursor.at) : NULL;
}

void page_go_back(struct page *p, const struct page_mark *mark)
{
	p->cursor = *mark;
	cursor_find(p);
}

const struct page_line *page_line_at(const struct page *p, int y)
{
	size_t at = p->cursor.top + (size_t)y;

	return y >= 0 && at < p->nlines ? &p->lines[at] : NULL;
}

bool page_click(struct page *p, int y)
{
	const struct page_line *line = page_line_at(p, y);

	if (!line || line->kind != LINE_ROW)
		return false;
	put(p, (size_t)(line - p->lines));
	return true;
}

/* ---- what keys of a view do ---- */

bool page_search(struct page *p, const char *text, bool from_next)
{
	size_t start = p->cursor.has_cursor ? p->cursor.at + from_next : 0;
	const struct plain plain = plain_of(text);

	for (size_t i = 0; *text && i < p->nlines; i++) {
		size_t at = (start + i) % p->nlines;
		const struct row *row = row_of(p, at);
		const struct table *t = &p->tables[p->lines[at].table];

		if (!row || !row_shows(t->view, table_on_screen(t), row, &plain))
			continue;
		put(p, at);
		show(p);
		return true;
	}
	return false;
}

struct table *page_table_here(struct page *p)
{
	size_t at = p->cursor.has_cursor ? p->cursor.at : row_from(p, p->cursor.top, 1);

	if (at >= p->nlines)
		at = row_from(p, 0, 1);
	return at < p->nlines ? &p->tables[p->lines[at].table] : NULL;
}

void page_scroll_sideways(struct page *p, const struct grid *g, int columns)
{
	int left = 0;

	for (int i = 0; i < p->nsections; i++) {
		struct table *t = &p->tables[p->sections[i].table];

		t->left = p->left;
		table_scroll_sideways(t, g, columns);
		left = t->left > left ? t->left : left;
	}
	p->left = left;
}
