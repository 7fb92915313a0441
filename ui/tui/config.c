// SPDX-License-Identifier: GPL-2.0-or-later
/* The file that keeps what F2 and keys chose; see dash.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/tui/dash.h"

#define LINE_SIZE 1024

int tui_config_path(char buf[TUI_PATH_SIZE])
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (base && base[0] == '/') /* the XDG rules: a relative one is to be ignored */
		n = snprintf(buf, TUI_PATH_SIZE, "%s/ipctap/top.conf", base);
	else if (home && home[0] == '/')
		n = snprintf(buf, TUI_PATH_SIZE, "%s/.config/ipctap/top.conf", home);
	else
		return -ENOENT;
	return n < TUI_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static int set_theme(struct dash *d, const char *value)
{
	for (int i = 0; i < THEME_MAX; i++)
		if (strcmp(theme_words[i], value) == 0) {
			if (!d->opts->mono) /* NO_COLOR is stronger */
				d->theme = (enum theme)i;
			return 0;
		}
	return -EINVAL;
}

#define INTERVAL_LEAST_S 0.05
#define INTERVAL_MOST_S 3600

static int set_interval(struct dash *d, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= INTERVAL_LEAST_S && seconds <= INTERVAL_MOST_S))
		return -EINVAL;
	d->kept.interval_s = seconds;
	if (d->opts->interval_s <= 0) /* -i is stronger */
		d->interval_s = seconds;
	return 0;
}

/* "NAME", or "NAME inverted" */
static int set_order(struct dash *d, enum tui_view view, char *value)
{
	static const char suffix[] = " inverted";
	size_t len = strlen(value), n = sizeof(suffix) - 1;
	bool inverted = len > n && strcmp(value + len - n, suffix) == 0;
	struct table *t = &d->frame.tables[view], asked = { .view = t->view };

	if (inverted)
		value[len - n] = '\0';
	if (table_sort_by(&asked, value, NULL) < 0)
		return -EINVAL;
	d->kept.order[view].by = &t->view->columns[asked.sort];
	d->kept.order[view].inverted = inverted;
	if (d->opts->sort && d->opts->view == view) /* --sort is stronger */
		return 0;
	t->sort = asked.sort;
	t->inverted = inverted;
	return 0;
}

static const char *const shape_words[] = {
	[SHAPE_AS_LIST] = "list", [SHAPE_AS_TREE] = "tree", [SHAPE_AS_GRAPH] = "graph",
	[SHAPE_AS_MATRIX] = "matrix"
};

static int set_shape(struct dash *d, enum tui_view view, const char *value)
{
	struct table *t = &d->frame.tables[view];

	for (int i = 0; i <= SHAPE_AS_MATRIX; i++) {
		if (strcmp(value, shape_words[i]) != 0 || !table_has_shape(t, (enum shape)i))
			continue;
		t->shape = (enum shape)i;
		d->kept.shape[view] = true;
		return 0;
	}
	return -EINVAL;
}

static int set_of_view(struct dash *d, enum tui_view view, const char *word, char *value)
{
	if (strcmp(word, "columns") == 0)
		return table_columns_parse(&d->frame.tables[view], value);
	if (strcmp(word, "shape") == 0)
		return set_shape(d, view, value);
	return strcmp(word, "sort") == 0 ? set_order(d, view, value) : -EINVAL;
}

static int set_word(struct dash *d, char *word, char *value)
{
	char *view = strchr(word, '.');

	if (strcmp(word, "colours") == 0)
		return set_theme(d, value);
	if (strcmp(word, "lines") == 0) {
		d->ascii_lines = strcmp(value, "ascii") == 0;
		return d->ascii_lines || strcmp(value, "utf-8") == 0 ? 0 : -EINVAL;
	}
	if (strcmp(word, "interval") == 0)
		return set_interval(d, value);
	if (!view)
		return -EINVAL;
	*view++ = '\0';
	for (int i = 0; i < VIEW_MAX; i++)
		if (strcmp(view, views[i]->json) == 0)
			return set_of_view(d, (enum tui_view)i, word, value);
	return -EINVAL;
}

/* "word = value" in place: both without blanks around. False: an empty line or a comment. */
static bool split(char *line, char **word, char **value)
{
	char *equals, *end;

	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	if (!*line || *line == '#')
		return false;
	equals = strchr(line, '=');
	*word = line;
	*value = equals ? equals + 1 + strspn(equals + 1, " \t") : end;
	for (end = equals ? equals : end; end > line && strchr(" \t=", *end); end--)
		*end = '\0';
	return true;
}

int config_load(struct dash *d, const char *path, struct fail *fail)
{
	FILE *f = fopen(path, "re");
	char line[LINE_SIZE], *word, *value;
	int err = 0;

	if (!f)
		return errno == ENOENT || errno == ENOTDIR ?
			       0 :
			       fail_set(fail, errno, NULL, "cannot read '%s'", path);
	for (int n = 1; fgets(line, sizeof(line), f); n++)
		if (split(line, &word, &value) && set_word(d, word, value) < 0 && !err) {
			fail_set(fail, 0, NULL, "%s:%d is not understood", path, n);
			err = -EINVAL;
		}
	fclose(f);
	return err;
}

void dash_configure(struct dash *d)
{
	struct fail fail = { 0 };

	d->config = d->opts->config;
	if (d->config && config_load(d, d->config, &fail) < 0)
		dash_say(d, "%.156s", fail.what);
}

/* The folders that the file lies in. Those that are there already are as they are. */
static void make_folders(const char *path)
{
	char folder[TUI_PATH_SIZE];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *p = folder + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(folder, 0700); /* opening the file says what went wrong */
		*p = '/';
	}
}

static void print_settings(const struct dash *d, FILE *f)
{
	char columns[LINE_SIZE];

	fprintf(f, "# Written by ipctap top.\ncolours = %s\nlines = %s\n",
		theme_words[d->opts->mono ? THEME_AUTO : d->theme],
		d->ascii_lines ? "ascii" : "utf-8");
	if (d->kept.interval_s > 0)
		fprintf(f, "interval = %g\n", d->kept.interval_s);
	for (int i = 0; i < VIEW_MAX; i++)
		if (d->kept.order[i].by)
			fprintf(f, "sort.%s = %s%s\n", views[i]->json, d->kept.order[i].by->name,
				d->kept.order[i].inverted ? " inverted" : "");
	for (int i = 0; i < VIEW_MAX; i++)
		if (d->kept.shape[i])
			fprintf(f, "shape.%s = %s\n", views[i]->json,
				shape_words[d->frame.tables[i].shape]);
	/* those never chosen stay what this program's next version shows */
	for (int i = 0; i < VIEW_MAX; i++) {
		if (table_columns_are_default(&d->frame.tables[i]))
			continue;
		table_columns_print(&d->frame.tables[i], columns, sizeof(columns));
		fprintf(f, "columns.%s = %s\n", views[i]->json, columns);
	}
}

int config_save(const struct dash *d, const char *path, struct fail *fail)
{
	char beside[TUI_PATH_SIZE + 16];
	int fd, err = 0;
	FILE *f;

	make_folders(path);
	snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return fail_set(fail, err, NULL, "cannot write '%s'", path);
	}
	print_settings(d, f);
	if (ferror(f))
		err = EIO;
	if (fclose(f) != 0)
		err = errno;
	if (!err && rename(beside, path) < 0)
		err = errno;
	if (err)
		unlink(beside);
	return err ? fail_set(fail, err, NULL, "cannot write '%s'", path) : 0;
}

bool dash_keep(struct dash *d)
{
	struct fail fail = { 0 };

	if (!d->config)
		return false;
	if (config_save(d, d->config, &fail) == 0)
		return true;
	dash_say(d, "%.156s", fail.what);
	return false;
}
