// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as a web page that needs nothing but itself: what went on when, as a picture, and the
 * tables, which a click on a heading sorts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "export.h"
#include "lib/abi/words.h"
#include "text.h"
#include "ui/tui/units.h"

#define PICTURE_WIDTH 1000
#define PICTURE_HEIGHT 60

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>ipctap</title>\n<style>\n"
	"body { font: 14px sans-serif; margin: 2em; max-width: 1100px }\n"
	"table { border-collapse: collapse; margin-bottom: 2em } th { cursor: pointer; text-align: left }\n"
	"td, th { padding: 2px 10px; border-bottom: 1px solid #ddd }\n"
	"td.n { text-align: right; font-variant-numeric: tabular-nums } .bad { color: #b00 }\n"
	"svg { width: 100%; background: #f6f6f6 } .ops { fill: #393 } .asleep { fill: #c80 }\n"
	"</style></head><body>\n";

/* Numbers sort by data-v, texts as they are. */
static const char tail[] =
	"<script>\nfor (const h of document.querySelectorAll('th')) h.onclick = () => {\n"
	"  const t = h.closest('table'), i = h.cellIndex, body = t.tBodies[0];\n"
	"  const key = r => r.cells[i].dataset.v === undefined ? r.cells[i].textContent : "
	"+r.cells[i].dataset.v;\n"
	"  h.up = !h.up;\n"
	"  [...body.rows].sort((a, b) => { const x = key(a), y = key(b);\n"
	"    return (x < y ? -1 : x > y ? 1 : 0) * (h.up ? -1 : 1) * (typeof x === 'string' ? -1 : 1) })\n"
	"    .forEach(r => body.append(r)) }\n</script>\n</body></html>\n";

/* Of text that has been escaped for a terminal; here < and & have a meaning. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		const char *as = *text == '<' ? "&lt;" : *text == '>' ? "&gt;" :
				 *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : NULL;

		if (as)
			fputs(as, out);
		else
			fputc(*text, out);
	}
}

static void cell(FILE *out, const char *text)
{
	fputs("<td>", out);
	put_text(out, text);
	fputs("</td>", out);
}

static void cell_n(FILE *out, uint64_t v)
{
	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">%" PRIu64 "</td>", v, v);
}

static void cell_time(FILE *out, uint64_t ns, bool known)
{
	char buf[UNITS_SIZE];

	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", known ? ns : 0,
		known ? units_time(buf, ns) : "-");
}

static void table_begin(FILE *out, const char *title, const char *const *headings)
{
	fprintf(out, "<h2>%s</h2>\n<table><thead><tr>", title);
	for (; *headings; headings++)
		fprintf(out, "<th>%s</th>", *headings);
	fputs("</tr></thead><tbody>\n", out);
}

static void table_end(FILE *out) { fputs("</tbody></table>\n", out); }

/* ---- the tables ---- */

static void put_flows(FILE *out, const struct report *r)
{
	static const char *const headings[] = { "From", "To", "Kind", "Channel", "Messages", "Bytes",
						"p50", "p99", "Max", "", NULL };
	char buf[TEXT_SIZE];

	table_begin(out, "Who talked to whom", headings);
	for (size_t i = 0; i < r->flows.n; i++) {
		const struct m_flow *f = r->flows.item[i];
		const struct hist *h = &f->latency;

		fputs("<tr>", out);
		cell(out, text_proc(buf, f->src));
		cell(out, text_proc(buf, f->dst));
		cell(out, kind_word(f->chan->kind));
		cell(out, text_chan(buf, f->chan));
		cell_n(out, f->messages);
		cell_n(out, f->bytes);
		cell_time(out, hist_percentile(h, 50), h->count);
		cell_time(out, hist_percentile(h, 99), h->count);
		cell_time(out, h->max, h->count);
		cell(out, f->approximate ? "approximate" : "");
		fputs("</tr>\n", out);
	}
	table_end(out);
}

static void put_waits(FILE *out, const struct report *r)
{
	static const char *const headings[] = { "Thread", "Operation", "Kind", "Channel", "For",
						"Could be ended by", NULL };
	uint64_t now_ns = model_now_ns(r->model);
	char buf[TEXT_SIZE];

	if (!r->waits.n)
		return;
	table_begin(out, "Still waiting at the end", headings);
	for (size_t i = 0; i < r->waits.n; i++) {
		const struct m_wait *w = r->waits.item[i];
		struct report_list ends = report_other_ends(w);

		fputs("<tr class=\"bad\">", out);
		cell(out, text_task(buf, w->task));
		cell(out, op_word(w->op));
		cell(out, w->chan ? kind_word(w->chan->kind) : "-");
		cell(out, text_chan(buf, w->chan));
		cell_time(out, now_ns > w->since_ns ? now_ns - w->since_ns : 0, true);
		fputs("<td>", out);
		for (size_t e = 0; e < ends.n; e++) {
			fputs(e ? ", " : "", out);
			put_text(out, text_proc(buf, ends.item[e]));
		}
		fputs("</td></tr>\n", out);
		free(ends.item);
	}
	table_end(out);
}

static void put_blocked(FILE *out, const struct report *r)
{
	static const char *const headings[] = { "Thread", "Operation", "Kind", "Channel", "Total",
						"Longest", "Times", NULL };
	char buf[TEXT_SIZE];

	table_begin(out, "Who slept where", headings);
	for (size_t i = 0; i < r->blocked.n; i++) {
		const struct m_blocked *b = r->blocked.item[i];
		struct report_slept s = report_slept(r, b);

		fputs("<tr>", out);
		cell(out, text_task(buf, b->task));
		cell(out, op_word(b->op));
		cell(out, b->chan ? kind_word(b->chan->kind) : "-");
		cell(out, text_chan(buf, b->chan));
		cell_time(out, s.total_ns, true);
		cell_time(out, s.longest_ns, true);
		cell_n(out, s.times);
		fputs("</tr>\n", out);
	}
	table_end(out);
}

static void put_procs(FILE *out, const struct report *r)
{
	static const char *const headings[] = { "Process", "Program", "Operations", "Errors", "Bytes in",
						"Bytes out", "Asleep", NULL };
	char buf[ESCAPE_SIZE(EV_PATH_LEN) > TEXT_SIZE ? ESCAPE_SIZE(EV_PATH_LEN) : TEXT_SIZE];

	table_begin(out, "Processes", headings);
	for (size_t i = 0; i < r->procs.n; i++) {
		const struct m_proc *p = r->procs.item[i];

		fputs("<tr>", out);
		cell(out, text_proc(buf, p));
		escape_text(buf, sizeof(buf), p->exe, sizeof(p->exe));
		cell(out, buf);
		cell_n(out, p->count.ops);
		cell_n(out, p->count.errors);
		cell_n(out, p->count.bytes_in);
		cell_n(out, p->count.bytes_out);
		cell_time(out, report_slept_ns(r, p), true);
		fputs("</tr>\n", out);
	}
	table_end(out);
}

static void put_losses(FILE *out, const struct report *r)
{
	static const char *const headings[] = { "Cause", "How many", "What", "Remedy", NULL };

	if (!report_losses(r)) {
		fputs("<p>Nothing was lost.</p>\n", out);
		return;
	}
	table_begin(out, "Lost", headings);
	for (const struct m_loss *l = model_losses(r->model); l; l = l->next) {
		fputs("<tr class=\"bad\">", out);
		cell(out, loss_word(l->cause));
		cell_n(out, l->count);
		cell(out, loss_what(l->cause));
		cell(out, loss_remedy(l->cause));
		fputs("</tr>\n", out);
	}
	table_end(out);
}

/* ---- the picture ---- */

static void put_bars(FILE *out, const struct trace_slot *v, size_t n, bool asleep)
{
	uint64_t from_ns = v[0].t_ns, to_ns = v[n - 1].t_ns + v[n - 1].width_ns, most = 1;
	double scale = PICTURE_WIDTH / (double)(to_ns - from_ns);

	for (size_t i = 0; i < n; i++) {
		uint64_t value = asleep ? v[i].slept_ns : v[i].ops;

		most = value > most ? value : most;
	}
	for (size_t i = 0; i < n; i++) {
		double h = (double)(asleep ? v[i].slept_ns : v[i].ops) / (double)most * PICTURE_HEIGHT;

		if (h > 0)
			fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
				asleep ? "asleep" : "ops", (double)(v[i].t_ns - from_ns) * scale,
				(asleep ? 2 : 1) * PICTURE_HEIGHT - h, (double)v[i].width_ns * scale, h);
	}
}

static int put_picture(struct export *x)
{
	struct trace_slot *v = calloc(ACTIVITY_SLOTS, sizeof(*v));
	size_t n = ACTIVITY_SLOTS;

	if (!v)
		return -ENOMEM;
	if (trace_activity(x->trace, v, &n) == 0 && n > 0) {
		fprintf(x->out, "<p>Operations (green) and threads asleep (orange) over time:</p>\n"
				"<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" height=\"%d\">\n",
			PICTURE_WIDTH, 2 * PICTURE_HEIGHT, 2 * PICTURE_HEIGHT);
		put_bars(x->out, v, n, false);
		put_bars(x->out, v, n, true);
		fputs("</svg>\n", x->out);
	}
	free(v);
	return 0;
}

static int end(struct export *x, const struct report *r)
{
	uint64_t first_ns = model_first_ns(r->model), now_ns = model_now_ns(r->model);
	char text[ESCAPE_SIZE(512)], span[UNITS_SIZE];
	FILE *out = x->out;
	int err;

	fputs(head, out);
	escape_text(text, sizeof(text), r->command, SIZE_MAX);
	fputs("<h1>", out);
	put_text(out, text);
	fprintf(out, "</h1>\n<p>%" PRIu64 " operations in %s", r->matched,
		units_time(span, now_ns > first_ns ? now_ns - first_ns : 0));
	if (r->filter) {
		escape_text(text, sizeof(text), r->filter, SIZE_MAX);
		fputs(", those that match: ", out);
		put_text(out, text);
	}
	fputs(r->unfinished ? ". The recorder was killed (up to 200 ms may be missing), or could write no more.</p>\n" : ".</p>\n", out);
	err = put_picture(x);
	put_losses(out, r);
	put_waits(out, r);
	put_flows(out, r);
	put_blocked(out, r);
	put_procs(out, r);
	fputs(tail, out);
	return err;
}

const struct export_format export_html = {
	.name = "html",
	.what = "the report as one web page",
	.end = end,
};
