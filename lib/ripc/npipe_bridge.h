/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: what goes over TCP between the two halves of a remote named pipe, and the bridge
 * that carries one end of a local pipe over it. All numbers are big-endian.
 *
 *     client  hello    and the pipe's name, without \\machine\pipe\
 *     server  welcome  an error of 0 and the pipe's shape, or why not; then, for NP_OPEN,
 *     both    frames   until both have sent NP_CLOSE
 */
#ifndef RIPC_NPIPE_BRIDGE_H
#define RIPC_NPIPE_BRIDGE_H

#include "npipe_remote.h"
#include "ripc_socket.h"

#define NP_WIRE_MAGIC "ripcnp1\n"
#define NP_HELLO_MS 10000u
#define NP_WAIT_SLICE_MS 1000u
#define NP_CHUNK 65536u             /* bytes of payload in a frame, at most */
#define NP_REMOTE_MESSAGE_MAX (16u << 20)

enum { NP_OPEN = 1, NP_WAIT = 2 };

struct np_hello {
	char magic[8];
	uint32_t op, access, timeout_ms, name_bytes;
};

struct np_welcome {
	char magic[8];
	uint32_t error, type, access, max_instances, bytes[2];
};

enum {
	NP_DATA = 1,  /* a whole write or message, or the last part of one */
	NP_PART,      /* a message goes on in the next frame */
	NP_CLOSE,     /* the end has been closed; nothing follows */
	NP_DISCONNECT /* the server has disconnected; nothing follows */
};

struct np_frame {
	uint32_t kind, bytes;
};

struct np_bridge {
	struct np_end *end;
	struct ripc_peer *peer;
	pthread_t up, down;
	struct np_bridge *next; /* the server's side: all there are */
};

/* From the pipe to the network, and back; each until its source ends. */
void np_bridge_up(struct np_bridge *b);
void np_bridge_down(struct np_bridge *b);

#endif
