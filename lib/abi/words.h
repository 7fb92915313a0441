/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of tables.h, both ways. Numbers out of range give "?" and words not known give -1. */
#ifndef IPCTAP_ABI_WORDS_H
#define IPCTAP_ABI_WORDS_H

const char *kind_word(unsigned int kind);
const char *shape_word(unsigned int shape);
const char *op_word(unsigned int op);
const char *loss_word(unsigned int cause);
const char *loss_what(unsigned int cause);   /* what was lost, for people */
const char *loss_remedy(unsigned int cause); /* what to do about it */

int kind_parse(const char *word);
int op_parse(const char *word);

#endif
