// SPDX-License-Identifier: GPL-2.0-or-later
#include "words.h"

#include <string.h>

#include "event.h"

#define KIND_WORD(n, id, word, what) [n] = word,
static const char *const kinds[KIND_MAX] = { IPCTAP_KINDS(KIND_WORD) };
#define SHAPE_WORD(n, id, word) [n] = word,
static const char *const shapes[SHAPE_MAX] = { IPCTAP_SHAPES(SHAPE_WORD) };
#define OP_WORD(n, id, word) [n] = word,
static const char *const ops[OP_MAX] = { IPCTAP_OPS(OP_WORD) };
static const struct {
	const char *word, *what, *remedy;
} losses[LOST_MAX] = {
#define LOSS_ROW(n, id, word, what, remedy) [n] = { word, what, remedy },
	IPCTAP_LOSSES(LOSS_ROW)
};

static const char *lookup(const char *const *table, unsigned int max, unsigned int n)
{
	return n < max && table[n] ? table[n] : "?";
}

static int parse(const char *const *table, int max, const char *word)
{
	for (int n = 0; n < max; n++)
		if (table[n] && strcmp(table[n], word) == 0)
			return n;
	return -1;
}

const char *kind_word(unsigned int kind) { return lookup(kinds, KIND_MAX, kind); }
const char *shape_word(unsigned int shape) { return lookup(shapes, SHAPE_MAX, shape); }
const char *op_word(unsigned int op) { return lookup(ops, OP_MAX, op); }

const char *loss_word(unsigned int cause)
{
	return cause < LOST_MAX && losses[cause].word ? losses[cause].word : "?";
}

const char *loss_what(unsigned int cause)
{
	return cause < LOST_MAX && losses[cause].what ? losses[cause].what : "?";
}

const char *loss_remedy(unsigned int cause)
{
	return cause < LOST_MAX && losses[cause].remedy ? losses[cause].remedy : "?";
}

int kind_parse(const char *word) { return parse(kinds, KIND_MAX, word); }
int op_parse(const char *word) { return parse(ops, OP_MAX, word); }
