// SPDX-License-Identifier: GPL-2.0-or-later
#include "snap_read.h"

#include <errno.h>
#include <stdlib.h>

void snap_buf_release(struct snap_buf *b)
{
	free(b->data);
	*b = (struct snap_buf){ 0 };
}

void *snap_buf_add(struct snap_buf *b, size_t size)
{
	if (b->len + size > b->room) {
		size_t room = b->room ? b->room : 1 << 18;
		while (room < b->len + size)
			room *= 2;
		char *grown = realloc(b->data, room);
		if (!grown)
			return NULL;
		b->data = grown;
		b->room = room;
	}
	void *at = b->data + b->len;
	b->len += size;
	return at;
}

#ifdef IPCTAP_NO_BPF
struct snap_reader *snap_reader_bpf(struct fail *fail)
{
	fail_set(fail, ENOTSUP, "build without BPF=0", "this ipctap was built without BPF");
	return NULL;
}
#endif
