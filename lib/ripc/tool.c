// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ripc command: what there is, and taking it away. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ripc/buffer.h"
#include "lib/ripc/sysv_msq.h"

static const char usage[] =
	"usage: ripc ls [TYPE]          what is there, and who has it\n"
	"       ripc rm TYPE NAME...    take names away; shm and msq by identifier\n"
	"       ripc rm --dead          remove what nobody has any more\n"
	"       ripc -h\n"
	"\n"
	"TYPE: cs sem event cond buffer shm msq mapping shared pipe npipe npend socket\n"
	"RIPC_DIR, XDG_RUNTIME_DIR: where objects are; without them /dev/shm/ripc-UID\n";

/* Names are anybody's: no control bytes to the terminal. */
static void print_name(const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || *p == '\\')
			printf("\\x%02X", *p);
		else
			putchar(*p);
	}
}

static void print_owner(uid_t uid)
{
	struct passwd *pw = getpwuid(uid);
	if (pw)
		printf("%-10s ", pw->pw_name);
	else
		printf("%-10u ", uid);
}

/* What a kind says of itself. The body is hostile, and may change as we look. */
static void print_details(const struct ripc_listing *l)
{
	if (l->type == RIPC_TYPE_MSQ && l->body_bytes == sizeof(struct msq_body)) {
		const struct msq_body *q = l->body;
		printf("  key 0x%08x, %llu messages, %llu of %llu bytes", (unsigned)q->h.key,
		       (unsigned long long)q->count, (unsigned long long)q->bytes,
		       (unsigned long long)q->qbytes);
	} else if (l->type == RIPC_TYPE_SHM && l->body_bytes >= sizeof(struct sysv_head)) {
		const struct sysv_head *h = l->body;
		printf("  key 0x%08x%s", (unsigned)h->key, l->keep ? "" : ", removed");
	} else if (l->type == RIPC_TYPE_BUFFER && l->body_bytes >= sizeof(struct buffer_body)) {
		const struct buffer_body *b = l->body;
		if (b->shape.room_bytes)
			printf("  %llu bytes", (unsigned long long)b->shape.room_bytes);
		else
			printf("  %u messages", b->shape.messages);
		printf(" of up to %u", b->shape.message_bytes);
	}
}

struct ls {
	unsigned type;
	int shown;
};

static int ls_one(const struct ripc_listing *l, void *arg)
{
	struct ls *ls = arg;
	if (ls->type && l->type != ls->type)
		return 0;
	/* a key is a second name of what its identifier shows */
	bool is_sysv = l->type == RIPC_TYPE_SHM || l->type == RIPC_TYPE_MSQ;
	if (is_sysv && l->name[0] == 'k' && !l->error)
		return 0;
	if (!ls->shown++)
		printf("%-8s %7s %12s %5s %-10s %8s  %s\n", "TYPE", "HOLDERS", "BYTES", "MODE",
		       "OWNER", "CREATOR", "NAME");
	printf("%-8s ", ripc_type_word(l->type));
	if (l->error)
		printf("%7s ", "?");
	else
		printf("%7u ", l->holders);
	printf("%12llu %5o ", (unsigned long long)l->bytes, l->mode);
	print_owner(l->uid);
	if (l->error)
		printf("%8s  ", "?");
	else
		printf("%8d  ", ripc_id_pid(l->creator));
	print_name(is_sysv && l->name[0] == 'i' ? l->name + 1 : l->name);
	if (l->error == -EPROTONOSUPPORT)
		printf("  (of another version of libripc; ripc rm takes it away)");
	else if (l->error)
		printf("  (%s)", strerror(-l->error));
	else if (l->body)
		print_details(l);
	putchar('\n');
	return 0;
}

static int complain(const char *what, int err)
{
	fprintf(stderr, "ripc: %s: %s\n", what, strerror(err));
	return 1;
}

static int cmd_ls(int argc, char **argv)
{
	struct ls ls = {0};
	if (argc > 0) {
		int type = ripc_type_by_word(argv[0]);
		if (type < 0 || argc > 1) {
			fputs(usage, stderr);
			return 2;
		}
		ls.type = (unsigned)type;
	}
	ripc_dir_sweep();
	int err = ripc_dir_list(ls_one, &ls);
	if (err < 0)
		return complain("listing", -err);
	return 0;
}

/* By the calls, so that those who wait are told. What is damaged has no identifier: by its name. */
static int remove_sysv(int type, const char *word)
{
	char *end, name[32];
	errno = 0;
	long id = strtol(word, &end, 10);
	if (*end || end == word || errno || id < 0 || id > INT32_MAX)
		return -EINVAL;
	int r = type == RIPC_TYPE_SHM ? ripc_shmctl((int)id, IPC_RMID, NULL)
				      : ripc_msgctl((int)id, IPC_RMID, NULL);
	if (r == 0)
		return 0;
	r = -errno;
	if (r != -EBADMSG && r != -EPROTONOSUPPORT)
		return r == -EINVAL ? -ENOENT : r;
	ripc_sysv_id_name(name, sizeof(name), (int)id);
	return ripc_object_unlink((enum ripc_type)type, name);
}

static int cmd_rm(int argc, char **argv)
{
	if (argc == 1 && !strcmp(argv[0], "--dead")) {
		int n = ripc_dir_sweep();
		if (n < 0)
			return complain("sweeping", -n);
		printf("%d removed\n", n);
		return 0;
	}
	int type = argc >= 2 ? ripc_type_by_word(argv[0]) : -EINVAL, status = 0;
	if (type < 0) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		bool by_id = (type == RIPC_TYPE_SHM || type == RIPC_TYPE_MSQ) && argv[i][0] != 'k';
		int err = by_id ? remove_sysv(type, argv[i])
				: ripc_object_unlink((enum ripc_type)type, argv[i]);
		if (err)
			status = complain(argv[i], -err);
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "ls"))
		return cmd_ls(argc - 2, argv + 2);
	if (argc >= 2 && !strcmp(argv[1], "rm"))
		return cmd_rm(argc - 2, argv + 2);
	bool asked = argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"));
	fputs(usage, asked ? stdout : stderr);
	return asked ? 0 : 2;
}
