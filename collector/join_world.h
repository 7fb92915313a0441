/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the joiner's own files share: the objects it knows, the channels they lead to, and where the
 * events go. Nobody else includes this; join.h is the joiner's face.
 *
 *     join_object.c     objects and channels: known, held or idle, forgotten
 *     join_index.c      where sockets find the other end of their connection
 *     join_describe.c   what an object is: its channel, its name, its partner
 *     join_own.c        channels that belong to a process
 *     join_io.c         operations
 *     join.c            all other records, and the way in
 *
 * What returns an int returns 0 or a negative errno, the next sink's error among them.
 */
#ifndef IPCTAP_COLLECTOR_JOIN_WORLD_H
#define IPCTAP_COLLECTOR_JOIN_WORLD_H

#include <stdbool.h>
#include <uthash.h>

#include "join.h"

/* A connection as both its ends can compute it: the namespace, then "my side", then "the other". */
struct tuple {
	uint32_t ns;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
};

/* A partner on another host (or nowhere): the socket and the address it talks to. */
struct far {
	uint64_t obj;
	uint8_t addr[16];
	uint16_t port;
	uint16_t pad[3];
};

/* A channel: alive while an object (or, far, an address) leads to it. */
struct joined {
	struct ev_chan c;
	uint64_t room_bytes; /* as told; see struct ev_room */
	uint32_t room_messages;
	unsigned int refs;
};

struct object {
	uint64_t obj;
	struct raw_object raw; /* the latest description */
	struct tuple tuple;    /* TCP, connected */
	struct joined *chan;   /* NULL: not told yet */
	struct object *newer, *older; /* in the list of those not held, or of those to be forgotten */
	uint32_t nheld;
	enum { LISTED_NOT, LISTED_IDLE, LISTED_DOOMED } listed;
	bool in_sk, in_tuple;
	struct object *next_mq; /* of join.mqs */
	bool lonely; /* the holders of its other end are to be looked for */
	uint8_t side;
	UT_hash_handle hh, hh_sk, hh_tuple;
};

/* The object behind a channel of memory, which attachments name by its id. */
struct memory {
	uint64_t chan, obj;
	UT_hash_handle hh;
};

struct far_chan {
	struct far key;
	struct joined *chan;
	UT_hash_handle hh;
};

struct join {
	struct sink sink;
	struct sink *next;
	struct object *by_obj, *by_sk, *by_tuple;
	struct far_chan *far;
	uint64_t nchans;    /* ids given out */
	uint64_t newest_ns; /* the latest record */
	struct holders *holders;
	struct join_idle idle_opts;
	struct object_list { struct object *oldest, *newest; size_t n; } idle, doomed;
	struct maps *maps;
	struct sink from_maps; /* sees who attaches, and hands on to next */
	struct memory *memories;
	struct bystanders *bystanders;
	struct processes *processes;
	bool told_kernel;
	struct ports *ports;
	struct object *mqs;  /* POSIX queues that still have their name, the newest first */
	struct object *last; /* the object asked for last */
	size_t nlonely;
};

/* ---- join_object.c ---- */

struct joined *chan_new(struct join *j, uint16_t kind); /* with one reference; NULL: no memory */
int chan_put(struct join *j, struct joined *joined);    /* accepts NULL; the last one says it is gone */
int chan_tell(struct join *j, struct ev_chan *c, uint64_t t_ns);
int chan_tell_room(struct join *j, struct joined *joined, const struct raw_object *raw); /* if it is news */

/* Borrowed. Whoever is found counts as used; got are also those that were not there before. */
struct object *object_find(struct join *j, uint64_t obj);
struct object *object_get(struct join *j, uint64_t obj);
int object_chan(struct join *j, struct object *o, uint16_t kind);
void object_held(void *arg, uint64_t obj, int by);
void set_lonely(struct join *j, struct object *o, bool lonely);

/* ---- join_index.c ---- */

int object_update(struct join *j, struct object *o, const struct raw_object *raw);
void unindex_sk(struct join *j, struct object *o);
void unindex_tuple(struct join *j, struct object *o);
struct object *partner_tcp(struct join *j, const struct object *o); /* NULL: not known */
struct object *partner_unix(struct join *j, const struct object *o);

/* ---- join_describe.c ---- */

bool is_connection(const struct raw_object *r); /* has another end, known or not */
int join_object(struct join *j, const struct raw_object *raw);

/* With a channel, told of now if it was not before. NULL: for object 0, or when there is no memory. */
struct object *object_known(struct join *j, uint64_t obj);

/* ---- join_own.c ---- */

static inline bool is_pipe(uint16_t kind) { return kind == KIND_PIPE || kind == KIND_FIFO; }
bool is_own(unsigned int kind);
struct ev_chan *own_chan(struct join *j, uint64_t obj, uint64_t t_ns); /* NULL: no memory, or refused */
uint64_t own_id(const struct ev_chan *c);                              /* 0 for NULL */
void own_drop(void *arg, void *chan);

/* ---- join_io.c ---- */

/* An EV_IO with room for its payload. */
union io_buf {
	struct ev_io io;
	uint8_t bytes[sizeof(struct ev_io) + EV_PAYLOAD_MAX];
};
void io_copy(union io_buf *to, const struct ev_hdr *from, size_t at);

int join_io(struct join *j, struct ev_io *e); /* changes *e */
int join_io_addr(struct join *j, const struct raw_io_addr *r);
int join_mknod(struct join *j, const struct raw_mknod *r);
int join_mq_unlink(struct join *j, const struct raw_mknod *r);

#endif
