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

void export_name(const struct dash *d, char *buf, size_t size)
{
	const char *view = views[d->view]->json;

	for (int i = 1; i < 1000; i++) {
		snprintf(buf, size, "ipctap-%s-%d.txt", view, i);
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

static int print_view(struct dash *d, const char *path, FILE *f)
{
	struct table *t = dash_table(d);
	char buf[FRAME_TEXT_SIZE];
	json_t *json;
	int err = table_fill_rows(t);

	if (err)
		return err;
	if (ends_in(path, ".csv")) {
		rows_out_csv(t, f);
		return 0;
	}
	if (ends_in(path, ".json")) {
		json = rows_out_json(t);
		err = json ? json_dumpf(json, f, JSON_INDENT(1) | JSON_ENSURE_ASCII) : -ENOMEM;
		json_decref(json);
		fputc('\n', f);
		return err < 0 ? -ENOMEM : 0;
	}
	if (t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX)
		return print_picture(d, f);
	fprintf(f, "ipctap top - %s\n%s\n", d->title, frame_losses(&d->frame, buf));
	fprintf(f, "%s\n", frame_figures(&d->frame, buf));
	if (d->view == VIEW_BLOCKED)
		rows_out_findings(d->frame.scan.waits, f);
	return rows_out_text(t, f, TEXT_COLUMNS);
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
	err = -print_view(d, path, f);
	if (!err && ferror(f))
		err = EIO;
	if (fclose(f) != 0 && !err)
		err = errno;
	return err ? fail_set(fail, err, NULL, "cannot write '%s'", path) : 0;
}
