// SPDX-License-Identifier: GPL-2.0-or-later
#include "ripc.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 8
#define NAMELESS (1ull << 63) /* in the id of an object without a file: then the pid, and a number */

/* The rows that are not a counter: locks, semaphores, events and conditions carry no data. */
static const struct kind {
	const char *word;
	enum ipctap_shape shape;
} kinds[] = {
	{"buffer", SHAPE_DGRAM},   {"msq", SHAPE_TYPED},   {"pipe", SHAPE_STREAM},
	{"npipe", SHAPE_STREAM},   {"shm", SHAPE_MEMORY},  {"mapping", SHAPE_MEMORY},
	{"shared", SHAPE_MEMORY},
};

static void word_of(char word[WORD_MAX + 1], const struct raw_object *o)
{
	memcpy(word, o->laddr, WORD_MAX);
	word[WORD_MAX] = 0;
}

static bool is_npipe(const char *word) { return strcmp(word, "npipe") == 0; }

void ripc_shape(struct ev_chan *c, const struct raw_object *o)
{
	char word[WORD_MAX + 1];
	word_of(word, o);
	c->shape = SHAPE_COUNTER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(word, kinds[i].word) == 0)
			c->shape = kinds[i].shape;
	}
	/* the pipe itself is waited at; data go through its instances */
	if (is_npipe(word) && !o->at)
		c->shape = SHAPE_COUNTER;
	c->duplex = is_npipe(word) && o->at;
}

void ripc_name(struct ev_chan *c, const struct raw_object *o)
{
	char word[WORD_MAX + 1], id[64], instance[24] = "";
	word_of(word, o);
	if (!word[0])
		strcpy(word, "ripc"); /* its description was lost */
	if (o->ino & NAMELESS)
		snprintf(id, sizeof(id), "pid %" PRIu64 " #%" PRIu32, (uint64_t)(o->ino & ~NAMELESS) >> 32,
			 (uint32_t)o->ino);
	else
		snprintf(id, sizeof(id), "%" PRIu64, (uint64_t)o->ino);
	if (o->at)
		snprintf(instance, sizeof(instance), "#%" PRIu64, (uint64_t)o->at - 1);
	snprintf(c->ident, sizeof(c->ident), "%s:[%s]%s", word, id, instance);
	if (!o->name[0])
		return;
	const char *name = o->name;
	int n = (int)strnlen(name, sizeof(o->name));
	if (is_npipe(word))
		snprintf(c->name, sizeof(c->name), "%s%.*s", name[0] == '\\' ? "" : "\\\\.\\pipe\\", n,
			 name);
	else if ((!strcmp(word, "msq") || !strcmp(word, "shm")) && name[0] == 'i')
		snprintf(c->name, sizeof(c->name), "%s:%.*s", word, n - 1, name + 1);
	else
		snprintf(c->name, sizeof(c->name), "%s:%.*s", word, n, name);
}
