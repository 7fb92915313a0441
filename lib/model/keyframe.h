/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A keyframe: the whole state of a model as bytes, so that replay need not begin at the first
 * event. What is loaded goes on exactly as what was saved would have: the same events applied to
 * both leave both the same, to the order of every list and to what folds when.
 *
 * The bytes are of this version of the program and of no other (KEYFRAME_VERSION): a keyframe is a
 * cache of what the events say, never their replacement.
 */
#ifndef IPCTAP_MODEL_KEYFRAME_H
#define IPCTAP_MODEL_KEYFRAME_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

/* Raised whenever a member is added to what is saved, or the rules of the model change. */
#define KEYFRAME_VERSION 3

/* *bytes: the caller's to free(). Equal models give equal bytes. 0 or -ENOMEM. */
int keyframe_save(const struct model *m, void **bytes, size_t *size);

/*
 * Makes *m what was saved; filter and witness stay its own. The bytes may come from anywhere:
 * -EBADMSG when they are no keyframe of this version, or one of a model that keeps another number
 * of ended objects (model_set_keep); then, as on -ENOMEM, *m is empty.
 */
int keyframe_load(struct model *m, const void *bytes, size_t size);

#endif
