// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes what a view shows to a file; see dash.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/tui/dash.h"
#include "ui/tui/rows_out.h"

#define TEXT_COLUMNS 200

/* What the page is about, in a word. */
static const char *page_word(const struct page *p)
{
	switch (p->subject.v[0]) {
	case ROW_PROC:
		return "process";
	case ROW_CHAN:
		return "channel";
	case ROW_FLOW:
		return "flow";
	default:
		return "operation";
	}
}

void export_name(const struct dash *d, char *buf, size_t size)
{
	const char *what = d->npages ? page_word(&d->pages[d->npages - 1]) : views[d->view]->json;

	for (int i = 1; i < 1000; i++) {
		snprintf(buf, size, "ipctap-%s-%d.txt", what, i);
		if (access(buf, F_OK) < 0)
			return;
	}
}

static bool ends_in(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && strcmp(path + n - m, suffix) == 0;
}

/* A graph or a matrix as it is on the screen. */
static int print_picture(struct dash *d, FILE *f)
{
	struct grid *g = &d->grid;
	char *line = NULL;

	for (int y = 0; y < g->rows - 1; y++) {
		char *bigger = realloc(line, grid_line_size(g));

		if (!bigger) {
			free(line);
			return -ENOMEM;
		}
		line = bigger;
		grid_line(g, y, line, grid_line_size(g));
		fprintf(f, "%s\n", line);
	}
	free(line);
	return 0;
}

static int print_json(json_t *json, FILE *f)
{
	int err = json ? json_dumpf(json, f, JSON_INDENT(1) | JSON_ENSURE_ASCII) : -ENOMEM;

	json_decref(json);
	fputc('\n', f);
	return err < 0 ? -ENOMEM : 0;
}

static void print_head(const struct dash *d, FILE *f)
{
	char buf[FRAME_TEXT_SIZE];

	fprintf(f, "ipctap %s - %s\n%s\n", d->verb, d->title, frame_losses(&d->frame, buf));
	fprintf(f, "%s\n", frame_figures(&d->frame, buf));
}

static int print_view(struct dash *d, const char *path, FILE *f)
{
	struct table *t = dash_table(d);
	int err = table_fill_rows(t, LATE_ALL);

	if (err)
		return err;
	if (ends_in(path, ".csv")) {
		rows_out_csv(t, f);
		return 0;
	}
	if (ends_in(path, ".json"))
		return print_json(rows_out_json(t), f);
	if (t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX)
		return print_picture(d, f);
	print_head(d, f);
	if (d->view == VIEW_BLOCKED)
		rows_out_findings(d->frame.scan.waits, f);
	return rows_out_text(t, f, TEXT_COLUMNS);
}

/* All of it, as it would be on a screen that is high enough. */
static int print_page_text(struct dash *d, struct page *p, FILE *f)
{
	char line[TEXT_COLUMNS * GRID_CELL_BYTES + 1];
	int left = p->left;
	struct grid g;

	if (grid_init(&g, 1, TEXT_COLUMNS) < 0)
		return -ENOMEM;
	print_head(d, f);
	fprintf(f, "\n%s\n", p->title);
	p->left = 0;
	for (size_t i = 0; i < p->nlines; i++) {
		grid_clear(&g);
		page_draw_line(p, &g, 0, i);
		grid_line(&g, 0, line, sizeof(line));
		fprintf(f, "%s\n", line);
	}
	p->left = left;
	grid_release(&g);
	return 0;
}

/* An object: what it is about, and the rows of each table by the name of their view. */
static json_t *json_of_page(const struct page *p)
{
	json_t *o = json_object();
	int err = json_object_set_new(o, "page", rows_out_string(p->title));

	for (int i = 0; i < p->nsections; i++) {
		const struct table *t = &p->tables[p->sections[i].table];

		err |= json_object_set_new(o, t->view->json, rows_out_json(t));
	}
	if (!err)
		return o;
	json_decref(o);
	return NULL;
}

static int print_page(struct dash *d, const char *path, FILE *f)
{
	struct page *p = dash_page(d);
	struct table *here = page_table_here(p);
	int err = 0;

	for (int i = 0; i < p->nsections && !err; i++)
		err = table_fill_rows(&p->tables[p->sections[i].table], LATE_ALL);
	if (err)
		return err;
	if (ends_in(path, ".json"))
		return print_json(json_of_page(p), f);
	if (!ends_in(path, ".csv"))
		return print_page_text(d, p, f);
	if (here)
		rows_out_csv(here, f);
	return 0;
}

int export_view(struct dash *d, const char *path, struct fail *fail)
{
	/* often as root, in a folder that need not be: what is there stays, and links are not followed */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), err;
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!f) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return fail_set(fail, err, NULL, "cannot write '%s'", path);
	}
	err = d->npages ? -print_page(d, path, f) : -print_view(d, path, f);
	if (!err && ferror(f))
		err = EIO;
	if (fclose(f) != 0 && !err)
		err = errno;
	return err ? fail_set(fail, err, NULL, "cannot write '%s'", path) : 0;
}
