// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A wait graph as text: one line for each thing, blanks between the fields, text percent-encoded
 * behind a '='. In this order, which is that in which they are made again:
 *
 *     ipctap-waitgraph 1
 *     c kind ident name detail                               channels, from 1
 *     n type id need text                                    nodes, from 1
 *     t pid tid ppid start switches wait quiet moved condition chan fd since deadline comm call detail
 *     h chan pid fd end flags                                holders, from 0
 *     e gate part weight holder                              edges; holder -1: none
 *     l count what
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

#define HEADER "ipctap-waitgraph 1"
#define FIELDS_MAX 17
#define NODES_MAX 20000000u

/* ---- saving ---- */

static void put(FILE *out, const char *text)
{
	fputs(" =", out);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '%')
			fputc(*p, out);
		else
			fprintf(out, "%%%02x", *p);
	}
}

static void put_thread(const struct waitgraph *g, uint32_t i, FILE *out)
{
	const struct wg_thread *t = &g->threads.item[i];

	fprintf(out, "t %u %u %u %" PRIu64 " %" PRIu64 " %d %d %d %u %u %d %" PRIu64 " %" PRIu64,
		t->pid, t->tid, t->ppid, t->start_ns, t->switches, t->wait, t->quiet,
		g->let_go.item[i], t->condition, t->chan, t->fd, t->since_ns, t->deadline_ns);
	put(out, t->comm);
	put(out, t->call);
	put(out, t->detail);
	fputc('\n', out);
}

static void put_edges(const struct waitgraph *g, FILE *out)
{
	for (uint32_t n = 1; n < g->nodes.n; n++) {
		uint32_t e = g->nodes.item[n].type < NODE_ANY ? WG_NONE : g->nodes.item[n].first;

		for (; e != WG_NONE; e = g->edges.item[e].next)
			fprintf(out, "e %u %u %u %d\n", n, g->edges.item[e].part,
				g->edges.item[e].weight, (int)g->edges.item[e].holder);
	}
}

int waitgraph_save(const struct waitgraph *g, FILE *out)
{
	if (g->failed)
		return -ENOMEM;
	fprintf(out, HEADER "\n");
	for (uint32_t i = 1; i < g->chans.n; i++) {
		const struct wg_chan *c = &g->chans.item[i];

		fprintf(out, "c %u", c->kind);
		put(out, c->ident);
		put(out, c->name);
		put(out, c->detail);
		fputc('\n', out);
	}
	for (uint32_t i = 1; i < g->nodes.n; i++) {
		const struct node *n = &g->nodes.item[i];

		fprintf(out, "n %u %u %" PRIu64, n->type, n->id, n->need);
		put(out, graph_text(g, n->text));
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < g->threads.n; i++)
		put_thread(g, i, out);
	for (uint32_t i = 0; i < g->holders.n; i++) {
		const struct wg_holder *h = &g->holders.item[i];

		fprintf(out, "h %u %u %d %u %u\n", h->chan, h->pid, h->fd, h->end, h->flags);
	}
	put_edges(g, out);
	for (uint32_t i = 0; i < g->losses.n; i++) {
		fprintf(out, "l %" PRIu64, g->losses.item[i].count);
		put(out, graph_text(g, g->losses.item[i].text));
		fputc('\n', out);
	}
	return ferror(out) ? -EIO : 0;
}

/* ---- loading ---- */

struct line {
	char *field[FIELDS_MAX];
	int n;
	bool bad; /* some field was not what it should be */
};

static struct line split(char *text)
{
	struct line l = { .n = 0 };
	char *at = NULL;

	for (char *f = strtok_r(text, " ", &at); f; f = strtok_r(NULL, " ", &at)) {
		if (l.n == FIELDS_MAX) {
			l.bad = true;
			break;
		}
		l.field[l.n++] = f;
	}
	return l;
}

static uint64_t number(struct line *l, int i, uint64_t max)
{
	char *end = NULL;
	uint64_t v = 0;

	if (i < l->n && l->field[i][0] >= '0' && l->field[i][0] <= '9') {
		errno = 0;
		v = strtoull(l->field[i], &end, 10);
	}
	if (!end || *end || errno || v > max) {
		l->bad = true;
		return 0;
	}
	return v;
}

static int32_t integer(struct line *l, int i)
{
	bool minus = i < l->n && l->field[i][0] == '-';
	uint64_t v;

	if (minus)
		l->field[i]++;
	v = number(l, i, INT32_MAX);
	return minus ? -(int32_t)v : (int32_t)v;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; it only shrinks. Never NULL. */
static const char *text(struct line *l, int i)
{
	char *from, *to;

	if (i >= l->n || l->field[i][0] != '=') {
		l->bad = true;
		return "";
	}
	for (from = to = l->field[i] + 1; *from; from++) {
		if (*from == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

			if (low < 0 || (!high && !low)) {
				l->bad = true;
				return "";
			}
			*to++ = (char)(high << 4 | low);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
	return l->field[i] + 1;
}

static void load_chan(struct waitgraph *g, struct line *l)
{
	struct wg_chan c = { .kind = (uint16_t)number(l, 1, UINT16_MAX) };

	snprintf(c.ident, sizeof(c.ident), "%s", text(l, 2));
	snprintf(c.name, sizeof(c.name), "%s", text(l, 3));
	snprintf(c.detail, sizeof(c.detail), "%s", text(l, 4));
	wg_chan(g, &c);
}

/* Each must get the number that it had, or nothing that refers to it is right. */
static void load_node(struct waitgraph *g, struct line *l)
{
	uint64_t type = number(l, 1, NODE_TYPES - 1);
	uint32_t id = (uint32_t)number(l, 2, UINT32_MAX), expected = g->nodes.n, made = 0;
	uint64_t need = number(l, 3, UINT64_MAX);
	const char *why = text(l, 4);

	if (type == NODE_THREAD)
		made = wg_thread_ref(g, id);
	else if (type == NODE_PROCESS)
		made = wg_process_ref(g, id);
	else if (type == NODE_OUTSIDE && id > 0 && id < WG_OUTSIDE_MAX)
		made = wg_outside(g, id, why);
	else if (type == NODE_GONE)
		made = wg_gone(g, why);
	else if (type == NODE_ANY)
		made = wg_any(g);
	else if (type == NODE_ALL)
		made = wg_all(g);
	else if (type == NODE_AT_LEAST)
		made = wg_at_least(g, need);
	l->bad = l->bad || made != expected || made > NODES_MAX;
}

static void load_thread(struct waitgraph *g, struct line *l)
{
	struct wg_thread t = {
		.pid = (uint32_t)number(l, 1, UINT32_MAX),
		.tid = (uint32_t)number(l, 2, UINT32_MAX),
		.ppid = (uint32_t)number(l, 3, UINT32_MAX),
		.start_ns = number(l, 4, UINT64_MAX),
		.switches = number(l, 5, UINT64_MAX),
		.wait = (enum wg_wait)number(l, 6, WG_WAIT_MAX - 1),
		.quiet = number(l, 7, 1),
		.condition = (wg_ref)number(l, 9, g->nodes.n - 1),
		.chan = (uint32_t)number(l, 10, g->chans.n - 1),
		.fd = integer(l, 11),
		.since_ns = number(l, 12, UINT64_MAX),
		.deadline_ns = number(l, 13, UINT64_MAX),
	};
	bool moved = number(l, 8, 1);
	uint32_t before = g->threads.n, i;

	snprintf(t.comm, sizeof(t.comm), "%s", text(l, 14));
	snprintf(t.call, sizeof(t.call), "%s", text(l, 15));
	snprintf(t.detail, sizeof(t.detail), "%s", text(l, 16));
	if (l->bad)
		return;
	i = wg_thread(g, &t);
	if (g->failed || i != before) { /* twice in the list */
		l->bad = true;
		return;
	}
	g->let_go.item[i] = moved;
}

static void load_edge(struct waitgraph *g, struct line *l, struct wg_holder *holders, uint32_t n)
{
	uint32_t gate = (uint32_t)number(l, 1, g->nodes.n - 1);
	uint32_t part = (uint32_t)number(l, 2, g->nodes.n - 1);
	uint32_t weight = (uint32_t)number(l, 3, UINT32_MAX);
	int32_t holder = integer(l, 4);
	uint32_t edges = g->edges.n;

	if (l->bad || holder >= (int32_t)n) {
		l->bad = true;
		return;
	}
	if (holder < 0)
		wg_add(g, gate, part, weight);
	else
		wg_add_holder(g, gate, holders[holder].chan, holders[holder].pid, holders[holder].fd,
			      holders[holder].end, holders[holder].flags);
	l->bad = g->edges.n == edges || g->edges.item[edges].part != part;
}

struct load {
	struct waitgraph *g;
	struct wg_holder *holders;
	uint32_t nholders, room;
};

static void load_holder(struct load *x, struct line *l)
{
	if (x->nholders == x->room) {
		uint32_t room = x->room ? 2 * x->room : 64;
		struct wg_holder *grown = reallocarray(x->holders, room, sizeof(*grown));

		if (!grown) {
			l->bad = true;
			return;
		}
		x->holders = grown;
		x->room = room;
	}
	x->holders[x->nholders++] = (struct wg_holder){
		.chan = (uint32_t)number(l, 1, x->g->chans.n - 1),
		.pid = (uint32_t)number(l, 2, UINT32_MAX),
		.fd = integer(l, 3),
		.end = (uint8_t)number(l, 4, WG_END_BOTH),
		.flags = (uint8_t)number(l, 5, UINT8_MAX),
	};
}

static bool load_line(struct load *x, char *raw)
{
	struct line l = split(raw);
	static const char kinds[] = "cnthel";
	static const int fields[] = { 5, 5, 17, 6, 5, 3 };
	const char *kind = l.n && !l.field[0][1] ? strchr(kinds, l.field[0][0]) : NULL;

	if (l.bad || !kind || l.n != fields[kind - kinds])
		return false;
	switch (*kind) {
	case 'c':
		load_chan(x->g, &l);
		break;
	case 'n':
		load_node(x->g, &l);
		break;
	case 't':
		load_thread(x->g, &l);
		break;
	case 'h':
		load_holder(x, &l);
		break;
	case 'e':
		load_edge(x->g, &l, x->holders, x->nholders);
		break;
	default: {
		uint64_t count = number(&l, 1, UINT64_MAX);

		wg_lost(x->g, count, text(&l, 2));
	}
	}
	return !l.bad && !x->g->failed;
}

struct waitgraph *waitgraph_load(const char *raw, size_t size)
{
	char *copy = malloc(size + 1), *at = NULL, *line;
	struct load x = { .g = waitgraph_new() };
	bool ok = copy && x.g;

	if (ok) {
		memcpy(copy, raw, size);
		copy[size] = 0;
		line = strtok_r(copy, "\n", &at);
		ok = strlen(copy) < size && line && strcmp(line, HEADER) == 0;
		while (ok && (line = strtok_r(NULL, "\n", &at)))
			ok = load_line(&x, line);
	}
	free(copy);
	free(x.holders);
	if (ok)
		return x.g;
	waitgraph_free(x.g);
	return NULL;
}
