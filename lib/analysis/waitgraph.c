// SPDX-License-Identifier: GPL-2.0-or-later
#include "waitgraph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
static _Thread_local bool hash_failed; /* two threads may each build a graph */
#define uthash_nonfatal_oom(element) (hash_failed = true)
#include <uthash.h>

#include "graph.h"

struct id_map {
	uint32_t id, node;
	UT_hash_handle hh;
};

/* Room for one more; false when there is no memory, or more than refs can number. */
static bool reserve(void **item, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 64;
	void *grown;

	if (n < *room)
		return true;
	if (more >= WG_NONE / 2)
		return false;
	grown = reallocarray(*item, more, size);
	if (!grown)
		return false;
	*item = grown;
	*room = more;
	return true;
}

/* Appends a value; the graph has failed when it could not. Evaluates to whether it could. */
#define PUSH(g, list, ...)                                                                         \
	(reserve((void **)&(g)->list.item, (g)->list.n, &(g)->list.room, sizeof(*(g)->list.item))  \
	     ? ((g)->list.item[(g)->list.n++] = (__VA_ARGS__), true)                               \
	     : ((g)->failed = true, false))

static uint32_t add_text(struct waitgraph *g, const char *text)
{
	uint32_t at = g->texts.n;

	do {
		if (!PUSH(g, texts, *text)) {
			g->texts.n = at ? at : 0;
			return 0;
		}
	} while (*text++);
	return at;
}

static uint32_t add_node(struct waitgraph *g, struct node node)
{
	node.first = node.last = WG_NONE;
	return PUSH(g, nodes, node) ? g->nodes.n - 1 : 0;
}

struct waitgraph *waitgraph_new(void)
{
	struct waitgraph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	add_text(g, "");
	add_node(g, (struct node){ .type = NODE_NONE });
	PUSH(g, chans, (struct wg_chan){ 0 });
	if (!g->failed)
		return g;
	waitgraph_free(g);
	return NULL;
}

static void map_free(struct id_map **map)
{
	struct id_map *m, *next;

	HASH_ITER(hh, *map, m, next)
	{
		HASH_DEL(*map, m);
		free(m);
	}
}

void waitgraph_free(struct waitgraph *g)
{
	if (!g)
		return;
	map_free(&g->tids);
	map_free(&g->pids);
	free(g->nodes.item);
	free(g->edges.item);
	free(g->threads.item);
	free(g->sibling.item);
	free(g->thread_node.item);
	free(g->let_go.item);
	free(g->chans.item);
	free(g->holders.item);
	free(g->losses.item);
	free(g->texts.item);
	free(g);
}

bool waitgraph_failed(const struct waitgraph *g) { return g->failed; }

/* ---- building ---- */

static struct id_map **map_of(struct waitgraph *g, enum node_type type)
{
	return type == NODE_THREAD ? &g->tids : &g->pids;
}

uint32_t graph_lookup(const struct waitgraph *g, enum node_type type, uint32_t id)
{
	struct id_map *m, *map = type == NODE_THREAD ? g->tids : g->pids;

	HASH_FIND(hh, map, &id, sizeof(id), m);
	return m ? m->node : WG_NONE;
}

/* The node of a thread or process, made when it is not there. */
static uint32_t id_node(struct waitgraph *g, enum node_type type, uint32_t id)
{
	struct id_map *m, **map = map_of(g, type);
	uint32_t node = graph_lookup(g, type, id);

	if (node != WG_NONE)
		return node;
	node = add_node(g, (struct node){ .type = type, .id = id, .index = WG_NONE });
	m = node ? malloc(sizeof(*m)) : NULL;
	if (!m) {
		g->failed = true;
		return 0;
	}
	*m = (struct id_map){ .id = id, .node = node };
	hash_failed = false;
	HASH_ADD(hh, *map, id, sizeof(id), m);
	if (!hash_failed)
		return node;
	free(m);
	g->failed = true;
	return 0;
}

wg_ref wg_thread_ref(struct waitgraph *g, uint32_t tid) { return id_node(g, NODE_THREAD, tid); }

wg_ref wg_process_ref(struct waitgraph *g, uint32_t pid)
{
	if (!g->last_process || g->last_pid != pid) {
		g->last_pid = pid;
		g->last_process = id_node(g, NODE_PROCESS, pid);
	}
	return g->last_process;
}

uint32_t wg_chan(struct waitgraph *g, const struct wg_chan *c)
{
	struct wg_chan copy = *c;

	copy.ident[sizeof(copy.ident) - 1] = 0;
	copy.name[sizeof(copy.name) - 1] = 0;
	copy.detail[sizeof(copy.detail) - 1] = 0;
	return PUSH(g, chans, copy) ? g->chans.n - 1 : 0;
}

/* What the callers of a snapshot fill in is bounded here, once. */
static struct wg_thread bounded(const struct wg_thread *t)
{
	struct wg_thread copy = *t;

	copy.comm[sizeof(copy.comm) - 1] = 0;
	copy.call[sizeof(copy.call) - 1] = 0;
	copy.detail[sizeof(copy.detail) - 1] = 0;
	if ((unsigned)copy.wait >= WG_WAIT_MAX)
		copy.wait = WG_OTHER;
	return copy;
}

uint32_t wg_thread(struct waitgraph *g, const struct wg_thread *t)
{
	uint32_t node = wg_thread_ref(g, t->tid), process = wg_process_ref(g, t->pid);
	uint32_t i = g->threads.n;

	if (g->failed)
		return 0;
	if (g->nodes.item[node].index != WG_NONE) {
		i = g->nodes.item[node].index;
		/* a tid that went to another process belongs to a snapshot that is not one instant */
		if (g->threads.item[i].pid != t->pid)
			g->let_go.item[i] = true;
		else
			g->threads.item[i] = bounded(t);
		return i;
	}
	if (!PUSH(g, threads, bounded(t)) ||
	    !PUSH(g, sibling, g->nodes.item[process].index) || !PUSH(g, thread_node, node) ||
	    !PUSH(g, let_go, false))
		return 0;
	g->nodes.item[node].index = i;
	g->nodes.item[process].index = i;
	return i;
}

wg_ref wg_outside(struct waitgraph *g, enum wg_outside what, const char *why)
{
	if ((unsigned)what < WG_NEW || (unsigned)what >= WG_OUTSIDE_MAX)
		what = WG_UNKNOWN;
	return add_node(g, (struct node){ .type = NODE_OUTSIDE, .id = what,
					  .text = add_text(g, why) });
}

wg_ref wg_gone(struct waitgraph *g, const char *why)
{
	return add_node(g, (struct node){ .type = NODE_GONE, .text = add_text(g, why) });
}

wg_ref wg_any(struct waitgraph *g) { return add_node(g, (struct node){ .type = NODE_ANY }); }

wg_ref wg_all(struct waitgraph *g) { return add_node(g, (struct node){ .type = NODE_ALL }); }

wg_ref wg_at_least(struct waitgraph *g, uint64_t k)
{
	return add_node(g, (struct node){ .type = NODE_AT_LEAST, .need = k });
}

static void add_edge(struct waitgraph *g, wg_ref gate, struct edge edge)
{
	struct node *n;

	if (g->failed || gate >= g->nodes.n || g->nodes.item[gate].type < NODE_ANY)
		return;
	if (!edge.part || edge.part >= g->nodes.n) /* a slip of the caller must not prove anything */
		edge.part = wg_outside(g, WG_UNKNOWN, "a part of the condition is missing");
	edge.next = WG_NONE;
	if (!PUSH(g, edges, edge))
		return;
	n = &g->nodes.item[gate];
	if (n->first == WG_NONE)
		n->first = g->edges.n - 1;
	else
		g->edges.item[n->last].next = g->edges.n - 1;
	n->last = g->edges.n - 1;
}

void wg_add(struct waitgraph *g, wg_ref gate, wg_ref part, uint32_t weight)
{
	add_edge(g, gate, (struct edge){ .part = part, .weight = weight, .holder = WG_NONE });
}

void wg_add_holder(struct waitgraph *g, wg_ref gate, uint32_t chan, uint32_t pid, int32_t fd,
		   enum wg_end end, uint8_t flags)
{
	struct wg_holder h = { .chan = chan, .pid = pid, .fd = fd, .end = (uint8_t)end,
			       .flags = flags };
	wg_ref part = wg_process_ref(g, pid);

	if (!PUSH(g, holders, h))
		return;
	add_edge(g, gate, (struct edge){ .part = part, .weight = 1, .holder = g->holders.n - 1 });
}

void wg_lost(struct waitgraph *g, uint64_t count, const char *what)
{
	if (count)
		PUSH(g, losses, (struct loss){ .count = count, .text = add_text(g, what) });
}

/* ---- reading ---- */

uint32_t waitgraph_threads(const struct waitgraph *g) { return g->threads.n; }

const struct wg_thread *waitgraph_thread(const struct waitgraph *g, uint32_t index)
{
	return &g->threads.item[index];
}

uint32_t waitgraph_find(const struct waitgraph *g, uint32_t tid)
{
	uint32_t node = graph_lookup(g, NODE_THREAD, tid);

	return node == WG_NONE ? WG_NONE : g->nodes.item[node].index;
}

const struct wg_chan *waitgraph_chan(const struct waitgraph *g, uint32_t chan)
{
	return chan && chan < g->chans.n ? &g->chans.item[chan] : NULL;
}

uint32_t waitgraph_holders(const struct waitgraph *g) { return g->holders.n; }

struct wg_holder waitgraph_holder(const struct waitgraph *g, uint32_t index)
{
	return g->holders.item[index];
}

uint64_t waitgraph_lost(const struct waitgraph *g)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < g->losses.n; i++)
		sum += g->losses.item[i].count;
	return sum;
}

const char *waitgraph_lost_what(const struct waitgraph *g, uint32_t i, uint64_t *count)
{
	if (i >= g->losses.n)
		return NULL;
	*count = g->losses.item[i].count;
	return graph_text(g, g->losses.item[i].text);
}

static bool slept_on(const struct wg_thread *t, const struct waitgraph *before)
{
	uint32_t i = waitgraph_find(before, t->tid);
	const struct wg_thread *was = i == WG_NONE ? NULL : &before->threads.item[i];

	return was && !graph_runs(before, i) && was->pid == t->pid && was->start_ns == t->start_ns &&
	       was->switches == t->switches;
}

uint32_t waitgraph_confirm(struct waitgraph *now, const struct waitgraph *before)
{
	uint32_t let_go = 0;

	for (uint32_t i = 0; i < now->threads.n; i++) {
		if (graph_runs(now, i) || slept_on(&now->threads.item[i], before))
			continue;
		now->let_go.item[i] = true;
		let_go++;
	}
	return let_go;
}

const char *wg_wait_word(enum wg_wait w)
{
	static const char *const words[WG_WAIT_MAX] = {
		[WG_RUNS] = "nothing",
		[WG_READ] = "something to read",
		[WG_WRITE] = "room to write",
		[WG_OPEN] = "a partner on the FIFO",
		[WG_ACCEPT] = "a connection",
		[WG_POLL] = "any descriptor to be ready",
		[WG_MSG_RECV] = "a message",
		[WG_MSG_SEND] = "room in the queue",
		[WG_SEM] = "units of a semaphore",
		[WG_SEM_ZERO] = "a semaphore to be zero",
		[WG_MUTEX] = "a mutex",
		[WG_RWLOCK] = "a read-write lock",
		[WG_COND] = "a condition variable",
		[WG_POSIX_SEM] = "a semaphore",
		[WG_BARRIER] = "the others at a barrier",
		[WG_STDIO] = "the lock of a stdio stream",
		[WG_FUTEX] = "a futex",
		[WG_FILE_LOCK] = "a file lock",
		[WG_CHILD] = "a child to exit",
		[WG_VFORK] = "a child to exec or exit",
		[WG_JOIN] = "a thread to end",
		[WG_URING] = "io_uring completions",
		[WG_SIGNAL] = "a signal",
		[WG_SLEEP] = "time to pass",
		[WG_STOPPED] = "leave to go on",
		[WG_TERMINAL] = "somebody to type",
		[WG_OTHER] = "something not understood",
	};

	return (unsigned)w < WG_WAIT_MAX ? words[w] : words[WG_OTHER];
}

const char *wg_outside_word(enum wg_outside o)
{
	static const char *const words[WG_OUTSIDE_MAX] = {
		[0] = "nothing",
		[WG_NEW] = "a newcomer",
		[WG_HIDDEN] = "a hidden holder",
		[WG_SIG] = "a signal",
		[WG_TIMEOUT] = "a timer",
		[WG_REMOTE] = "a remote peer",
		[WG_PERSON] = "a person at a terminal",
		[WG_UNKNOWN] = "not known",
	};

	return (unsigned)o < WG_OUTSIDE_MAX ? words[o] : words[WG_UNKNOWN];
}
