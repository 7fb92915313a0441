// SPDX-License-Identifier: LGPL-2.1-or-later
#include "npipe_bridge.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* ---- pipe to network ---- */

static int send_frame(struct np_bridge *b, char *frame, uint32_t kind, uint32_t bytes)
{
	struct np_frame head = {htonl(kind), htonl(bytes)};

	memcpy(frame, &head, sizeof(head)); /* one call for both: one segment */
	return ripc_send(b->peer, frame, sizeof(head) + bytes);
}

void np_bridge_up(struct np_bridge *b)
{
	char *frame = malloc(sizeof(struct np_frame) + NP_CHUNK);
	DWORD error = ERROR_NOT_ENOUGH_MEMORY;
	int err = 0;

	while (frame && !err) {
		DWORD got = 0;

		error = np_read(&b->end->base, frame + sizeof(struct np_frame), NP_CHUNK, &got);
		if (error && error != ERROR_MORE_DATA)
			break;
		err = send_frame(b, frame, error ? NP_PART : NP_DATA, got);
	}
	if (frame && !err)
		send_frame(b, frame, error == ERROR_BROKEN_PIPE ? NP_CLOSE : NP_DISCONNECT, 0);
	ripc_send_end(b->peer);
	free(frame);
}

/* ---- network to pipe ---- */

struct assembly {
	char *buf;
	uint32_t used, size;
};

static bool make_room(struct assembly *a, uint32_t more)
{
	uint32_t want = a->size ? a->size : NP_CHUNK;
	char *buf;

	if (more > NP_CHUNK || more > NP_REMOTE_MESSAGE_MAX - a->used)
		return false;
	while (want < a->used + more)
		want *= 2;
	if (want == a->size)
		return true;
	buf = realloc(a->buf, want);
	if (!buf)
		return false;
	a->buf = buf;
	a->size = want;
	return true;
}

/* One frame; false when there will be no more. */
static bool take_frame(struct np_bridge *b, struct assembly *a, bool *disconnect, bool *deaf)
{
	struct np_frame head;
	uint32_t kind, bytes;
	DWORD put = 0;

	if (ripc_receive_all(b->peer, &head, sizeof(head)) <= 0)
		return false;
	kind = ntohl(head.kind);
	bytes = ntohl(head.bytes);
	*disconnect = kind == NP_DISCONNECT;
	if ((kind != NP_DATA && kind != NP_PART) || !make_room(a, bytes) ||
	    (bytes && ripc_receive_all(b->peer, a->buf + a->used, bytes) <= 0))
		return false;
	a->used += bytes;
	if (kind == NP_PART)
		return true;
	/* What nobody will read is still taken off the network, so that the other side can end. */
	if (!*deaf && np_write(&b->end->base, a->buf, a->used, &put))
		*deaf = true;
	a->used = 0;
	return true;
}

void np_bridge_down(struct np_bridge *b)
{
	struct assembly a = {0};
	bool disconnect = false, deaf = false;

	while (take_frame(b, &a, &disconnect, &deaf))
		;
	free(a.buf);
	if (disconnect && b->end->is_server)
		np_disconnect(b->end);
	np_part(b->end);
}
