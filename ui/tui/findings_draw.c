// SPDX-License-Identifier: GPL-2.0-or-later
/* What the search for deadlocks has found, above the tree of waits: who, the cause, the cure. */
#include <stdio.h>
#include <string.h>

#include "lib/base/escape.h"
#include "ui/tui/dash.h"

#define CORE_SHOWN 6

/* Those who wait for them, as of now: a replay may be at a time before they all did. */
static uint32_t victims_at(const struct waittree *w, const struct wt_finding *f, uint64_t now_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nvictims; i++)
		n += w->rows[f->victims[i]].since_ns <= now_ns;
	return n;
}

static void draw_who(const struct waittree *w, const struct wt_finding *f, uint64_t now_ns,
		     struct grid *g, int y)
{
	uint32_t nvictims = victims_at(w, f, now_ns);
	bool idle = f->verdict == WG_QUIESCENT;
	enum style style = idle ? STYLE_WARN : STYLE_DEAD;
	int x = 1;

	x += grid_print(g, y, x, g->cols - x, idle ? STYLE_WARN : STYLE_ALERT, " %s ",
			wg_verdict_title(f->verdict)) + 1;
	for (uint32_t i = 0; i < f->ncore && i < CORE_SHOWN; i++) {
		const struct wt_row *r = &w->rows[f->core[i]];
		char comm[ESCAPE_SIZE(EV_COMM_LEN)];

		escape_text(comm, sizeof(comm), r->comm, sizeof(r->comm));
		x += grid_print(g, y, x, g->cols - x, style, "%s%s[%u]", i ? ", " : "", comm, r->pid);
	}
	if (f->ncore > CORE_SHOWN)
		x += grid_print(g, y, x, g->cols - x, style, ", +%u", f->ncore - CORE_SHOWN);
	if (nvictims)
		grid_print(g, y, x, g->cols - x, style, "; %u more wait%s for them", nvictims,
			   nvictims == 1 ? "s" : "");
}

/* Breaks the text at blanks into lines; returns how many there are, of which `height` are drawn. */
static int draw_wrapped(struct grid *g, int y, int height, const char *label, const char *text)
{
	int x = 1 + (int)strlen(label) + 1, room = g->cols - x - 1, lines = 0;

	grid_text(g, y, 1, g->cols, label, STYLE_KEY);
	while (*text && lines < height) {
		size_t n = strlen(text);
		char part[EXPLAIN_LEN];

		for (;;) {
			const char *blank;

			snprintf(part, sizeof(part), "%.*s", (int)n, text);
			if (grid_text_width(g, part) <= room || lines == height - 1)
				break;
			blank = memrchr(text, ' ', n);
			if (!blank || blank == text)
				break;
			n = (size_t)(blank - text);
		}
		grid_text(g, y + lines++, x, room, part, STYLE_NORMAL);
		n = strlen(part) < n ? strlen(part) : n;
		text += n;
		text += strspn(text, " ");
	}
	return lines;
}

int findings_draw(const struct waittree *w, uint64_t now_ns, struct grid *g, int y, int height)
{
	int at = 0;

	for (uint32_t i = 0; w && i < w->nfindings; i++) {
		const struct wt_finding *f = &w->findings[i];

		if (at + 3 > height) {
			if (at < height)
				grid_print(g, y + at++, 1, g->cols - 2, STYLE_ALERT,
					   " and %u more: ipctap deadlock lists them ",
					   w->nfindings - i);
			break;
		}
		draw_who(w, f, now_ns, g, y + at++);
		at += draw_wrapped(g, y + at, height - at - 1 > 2 ? 2 : 1, "Cause", f->cause);
		at += draw_wrapped(g, y + at, height - at > 2 ? 2 : 1, "Cure ", f->cure);
	}
	return at;
}
