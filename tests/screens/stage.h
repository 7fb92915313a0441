/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dashboard over the small world, for tests that press keys and read screens. */
#ifndef IPCTAP_TESTS_SCREENS_STAGE_H
#define IPCTAP_TESTS_SCREENS_STAGE_H

#include <unistd.h>

#include "tests/screens/tap.h"
#include "tests/screens/world.h"
#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

/* The world, and a dashboard that has seen two refreshes of it. */
struct stage {
	struct model *model;
	struct tail tail;
	struct tui_opts opts;
	struct dash dash;
};

static inline void stage_refresh(struct stage *s, uint64_t now_ns)
{
	if (dash_refresh(&s->dash, &s->opts, now_ns) == 0)
		return;
	puts("Bail out! cannot refresh");
	exit(1);
}

static inline void stage_open(struct stage *s, int refreshes)
{
	*s = (struct stage){ .model = model_new() };
	s->opts = (struct tui_opts){
		.model = s->model, .title = "a\tworld", .interval_s = 1, .tail = &s->tail
	};
	world_tail = &s->tail;
	if (!s->model || tail_init(&s->tail) < 0 || dash_init(&s->dash, &s->opts, NULL) < 0) {
		puts("Bail out! cannot start");
		exit(1);
	}
	world_begin(s->model);
	stage_refresh(s, T0 + 1000 * MS);
	if (refreshes < 2)
		return;
	world_go_on(s->model);
	stage_refresh(s, T0 + 2000 * MS);
}

static inline void stage_close(struct stage *s)
{
	dash_release(&s->dash);
	tail_release(&s->tail);
	world_tail = NULL;
	model_free(s->model);
}

static inline unsigned int press(struct stage *s, int key)
{
	return dash_key(&s->dash, key);
}

static inline void type(struct stage *s, const char *text)
{
	while (*text)
		press(s, *text++);
}

/* The screen as lines; freed by the caller. */
static inline char *screen(struct stage *s, int rows, int cols)
{
	struct grid *g = &s->dash.grid;
	char *text, *line;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	dash_draw(&s->dash, rows, cols);
	line = malloc(grid_line_size(g));
	for (int y = 0; y < g->rows; y++) {
		grid_line(g, y, line, grid_line_size(g));
		fprintf(f, "%s\n", line);
	}
	free(line);
	fclose(f);
	return text;
}

static inline bool screen_shows(struct stage *s, const char *what)
{
	char *text = screen(s, 24, 80);
	bool shows = strstr(text, what) != NULL;

	if (!shows)
		printf("# not shown: %s\n", what);
	free(text);
	return shows;
}

/* What F7 writes to a file of this name; freed by the caller. */
static inline char *exported(struct stage *s, const char *folder, const char *name)
{
	char path[256], *text;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	press(s, KEY_F7);
	press(s, KEY_CTRL_U);
	type(s, path);
	press(s, KEY_RETURN);
	text = slurp(path);
	if (!text)
		printf("# %s\n", s->dash.message);
	unlink(path);
	return text ? text : strdup("");
}

#endif
