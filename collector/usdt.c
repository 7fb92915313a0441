// SPDX-License-Identifier: GPL-2.0-or-later
#include "usdt.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#define NOTES_MAX (16u << 20) /* bytes of one section of notes */
#define SITES_MAX 4096

/* ---- arguments ---- */

/* The kernel's struct pt_regs begins like this one of user space. */
#define REG(name, field) {name, offsetof(struct user_regs_struct, field)}
static const struct {
	const char *name;
	size_t offset;
} regs[] = {
	REG("rax", rax), REG("eax", rax), REG("rbx", rbx), REG("ebx", rbx), REG("rcx", rcx),
	REG("ecx", rcx), REG("rdx", rdx), REG("edx", rdx), REG("rsi", rsi), REG("esi", rsi),
	REG("rdi", rdi), REG("edi", rdi), REG("rbp", rbp), REG("ebp", rbp), REG("rsp", rsp),
	REG("r8", r8),	 REG("r8d", r8),  REG("r9", r9),   REG("r9d", r9),  REG("r10", r10),
	REG("r10d", r10), REG("r11", r11), REG("r11d", r11), REG("r12", r12), REG("r12d", r12),
	REG("r13", r13), REG("r13d", r13), REG("r14", r14), REG("r14d", r14), REG("r15", r15),
	REG("r15d", r15),
};

static bool find_reg(const char *name, size_t len, uint16_t *offset)
{
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		if (strlen(regs[i].name) == len && memcmp(regs[i].name, name, len) == 0) {
			*offset = (uint16_t)regs[i].offset;
			return true;
		}
	}
	return false;
}

/* What stands behind the @: a register, a constant, or a displacement from a register. */
static bool parse_place(const char *p, size_t len, struct raw_usdt_arg *a)
{
	char *end;
	if (len > 1 && p[0] == '%') {
		a->form = RAW_USDT_REG;
		return find_reg(p + 1, len - 1, &a->reg);
	}
	bool is_constant = p[0] == '$';
	errno = 0;
	a->value = strtoll(p + is_constant, &end, 0);
	if (errno)
		return false;
	if (is_constant) {
		a->form = RAW_USDT_CONST;
		return end > p + 1 && end == p + len;
	}
	a->form = RAW_USDT_MEMORY;
	if (len < 4 || end >= p + len || p[len - 1] != ')' || strncmp(end, "(%", 2))
		return false;
	const char *name = end + 2;
	return find_reg(name, (size_t)(p + len - 1 - name), &a->reg);
}

/* One word of the list: [-]SIZE@PLACE */
static bool parse_arg(const char *p, size_t len, struct raw_usdt_arg *a)
{
	char *end;
	long size = strtol(p, &end, 10);
	memset(a, 0, sizeof(*a));
	if (end == p || *end != '@' || end + 1 >= p + len)
		return false;
	a->is_signed = size < 0;
	size = size < 0 ? -size : size;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	a->size = (uint8_t)size;
	return parse_place(end + 1, len - (size_t)(end + 1 - p), a);
}

bool usdt_parse_args(const char *text, struct raw_usdt *out)
{
	memset(out, 0, sizeof(*out));
	for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (out->nargs == RAW_USDT_ARGS || !parse_arg(p, n, &out->arg[out->nargs]))
			return false;
		out->nargs++;
		p += n;
	}
	return true;
}

/* ---- files: read, not mapped, since whoever owns one may cut it off meanwhile ---- */

struct image {
	int fd;
	Elf64_Ehdr head;
};

static bool get(const struct image *f, uint64_t at, void *to, size_t size)
{
	return at <= INT64_MAX - size && pread(f->fd, to, size, (off_t)at) == (ssize_t)size;
}

static bool section(const struct image *f, unsigned i, Elf64_Shdr *sh)
{
	return get(f, f->head.e_shoff + (uint64_t)i * sizeof(*sh), sh, sizeof(*sh));
}

/* The address of a section by its name; 0: none. */
static uint64_t section_address(const struct image *f, const char *name)
{
	Elf64_Shdr names, sh;
	char is[32];
	size_t n = strlen(name) + 1;
	if (n > sizeof(is) || !section(f, f->head.e_shstrndx, &names))
		return 0;
	for (unsigned i = 0; i < f->head.e_shnum && section(f, i, &sh); i++) {
		if (get(f, names.sh_offset + sh.sh_name, is, n) && memcmp(is, name, n) == 0)
			return sh.sh_addr;
	}
	return 0;
}

/* Where the file has what will be at an address of executable memory; UINT64_MAX: nowhere. */
static uint64_t file_offset(const struct image *f, uint64_t address)
{
	Elf64_Phdr ph;
	for (unsigned i = 0; i < f->head.e_phnum; i++) {
		if (!get(f, f->head.e_phoff + (uint64_t)i * sizeof(ph), &ph, sizeof(ph)))
			break;
		if (ph.p_type == PT_LOAD && (ph.p_flags & PF_X) && address >= ph.p_vaddr &&
		    address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	}
	return UINT64_MAX;
}

struct found {
	const char *provider;
	struct usdt_site *sites;
	size_t n, room, passed_over;
	uint64_t base; /* of .stapsdt.base now: a file may have been moved since its notes were made */
	int err;
};

static void add(struct found *w, const struct image *f, uint64_t pc, const char *name,
		const char *args)
{
	struct usdt_site s = { .offset = file_offset(f, pc) };
	if (strlen(name) >= sizeof(s.name) || s.offset == UINT64_MAX || w->n == SITES_MAX ||
	    !usdt_parse_args(args, &s.args)) {
		w->passed_over++;
		return;
	}
	strcpy(s.name, name);
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct usdt_site *grown = realloc(w->sites, room * sizeof(*grown));
		if (!grown) {
			w->err = -ENOMEM;
			return;
		}
		w->sites = grown;
		w->room = room;
	}
	w->sites[w->n++] = s;
}

/* A description: three addresses (probe, base, semaphore), then three strings. */
static void take_note(struct found *w, const struct image *f, const uint8_t *desc, size_t size)
{
	uint64_t at[3];
	const char *text[3];
	if (size < sizeof(at))
		return;
	memcpy(at, desc, sizeof(at));
	const char *p = (const char *)desc + sizeof(at), *end = (const char *)desc + size;
	for (int i = 0; i < 3; i++) {
		const char *nul = memchr(p, 0, (size_t)(end - p));
		if (!nul)
			return;
		text[i] = p;
		p = nul + 1;
	}
	if (strcmp(text[0], w->provider) == 0)
		add(w, f, w->base && at[1] ? at[0] + (w->base - at[1]) : at[0], text[1], text[2]);
}

static void take_notes(struct found *w, const struct image *f, const uint8_t *p, uint64_t size)
{
	Elf64_Nhdr n;
	while (size >= sizeof(n) && !w->err) {
		memcpy(&n, p, sizeof(n));
		uint64_t name = (n.n_namesz + 3ull) & ~3ull, desc = (n.n_descsz + 3ull) & ~3ull;
		uint64_t whole = sizeof(n) + name + desc;
		if (whole > size)
			return;
		const uint8_t *at = p + sizeof(n);
		if (n.n_namesz == 8 && n.n_type == 3 && memcmp(at, "stapsdt", 8) == 0)
			take_note(w, f, at + name, n.n_descsz);
		p += whole;
		size -= whole;
	}
}

static void search(struct found *w, struct image *f)
{
	Elf64_Shdr sh;
	if (!get(f, 0, &f->head, sizeof(f->head)) || memcmp(f->head.e_ident, ELFMAG, SELFMAG) ||
	    f->head.e_ident[EI_CLASS] != ELFCLASS64 || f->head.e_machine != EM_X86_64 ||
	    f->head.e_shentsize != sizeof(sh) || f->head.e_phentsize != sizeof(Elf64_Phdr))
		return;
	w->base = section_address(f, ".stapsdt.base");
	for (unsigned i = 0; i < f->head.e_shnum && section(f, i, &sh) && !w->err; i++) {
		if (sh.sh_type != SHT_NOTE || !sh.sh_size || sh.sh_size > NOTES_MAX)
			continue;
		uint8_t *notes = malloc(sh.sh_size);
		if (!notes)
			w->err = -ENOMEM;
		else if (get(f, sh.sh_offset, notes, sh.sh_size))
			take_notes(w, f, notes, sh.sh_size);
		free(notes);
	}
}

int usdt_sites(const char *path, const char *provider, struct usdt_site **sites,
	       size_t *passed_over)
{
	struct found w = { .provider = provider };
	struct image f = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
	struct stat st;
	*sites = NULL;
	if (f.fd < 0)
		return -errno;
	if (fstat(f.fd, &st))
		w.err = -errno;
	else if (S_ISREG(st.st_mode))
		search(&w, &f);
	close(f.fd);
	if (passed_over)
		*passed_over = w.passed_over;
	if (w.err) {
		free(w.sites);
		return w.err;
	}
	*sites = w.sites;
	return (int)w.n;
}
