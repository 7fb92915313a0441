// SPDX-License-Identifier: GPL-2.0-or-later
/* The parser of the filter language: terms to bits and numbers, or one clear error. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_terms.h"
#include "lib/abi/words.h"

#define WORDS_REMEDY                                                                               \
	"known: kind= op= pid= tid= comm= chan= bytes latency slept ret fd (each with = != < <= "  \
	"> "                                                                                       \
	">=), blocked, error; a leading ! negates"

enum form { FORM_LIST, FORM_COMPARE, FORM_BARE };

static const struct word {
	const char *name;
	enum term_what what;
	enum form form;
	const char *example;
} words[] = {
    {"kind", TERM_KIND, FORM_LIST, "kind=pipe,unix"},
    {"op", TERM_OP, FORM_LIST, "op=send,recv"},
    {"pid", TERM_PID, FORM_LIST, "pid=123,456"},
    {"tid", TERM_TID, FORM_LIST, "tid=123"},
    {"comm", TERM_COMM, FORM_LIST, "comm=python*"},
    {"chan", TERM_CHAN, FORM_LIST, "chan=/run/*.sock"},
    {"bytes", TERM_BYTES, FORM_COMPARE, "bytes>4k"},
    {"latency", TERM_LATENCY, FORM_COMPARE, "latency>10us"},
    {"slept", TERM_SLEPT, FORM_COMPARE, "slept>=1ms"},
    {"ret", TERM_RET, FORM_COMPARE, "ret<0"},
    {"fd", TERM_FD, FORM_COMPARE, "fd=3"},
    {"blocked", TERM_BLOCKED, FORM_BARE, "blocked"},
    {"error", TERM_ERROR, FORM_BARE, "error"},
};
#define NWORDS (sizeof(words) / sizeof(words[0]))

/* Names for several operations; where one is also a call's name, it includes that call. */
static const struct family {
	const char *name;
	uint8_t ops[8];
} families[] = {
    {"send",
     {OP_SENDTO, OP_SENDMSG, OP_SENDMMSG, OP_SENDFILE, OP_MSGSND, OP_MQ_TIMEDSEND, OP_RIPC_SEND}},
    {"recv",
     {OP_RECVFROM, OP_RECVMSG, OP_RECVMMSG, OP_MSGRCV, OP_MQ_TIMEDRECEIVE, OP_RIPC_RECEIVE}},
    {"read", {OP_READ, OP_READV, OP_PREAD64, OP_PREADV, OP_PREADV2}},
    {"write", {OP_WRITE, OP_WRITEV, OP_PWRITE64, OP_PWRITEV, OP_PWRITEV2}},
    {"open", {OP_OPEN, OP_OPENAT, OP_OPENAT2, OP_CREAT}},
    {"create",
     {OP_PIPE, OP_PIPE2, OP_SOCKET, OP_SOCKETPAIR, OP_SHMGET, OP_MSGGET, OP_SEMGET, OP_MKNOD}},
    {"create", {OP_MKNODAT, OP_MQ_OPEN, OP_EVENTFD, OP_EVENTFD2, OP_SIGNALFD, OP_SIGNALFD4}},
    {"ctl", {OP_SHMCTL, OP_MSGCTL, OP_SEMCTL, OP_FCNTL}},
    {"signal",
     {OP_KILL, OP_TKILL, OP_TGKILL, OP_RT_SIGQUEUEINFO, OP_RT_TGSIGQUEUEINFO,
      OP_PIDFD_SEND_SIGNAL}},
    {"wait", {OP_WAIT4, OP_WAITID, OP_VFORK, OP_CLONE, OP_CLONE3}},
    {"poll",
     {OP_POLL, OP_PPOLL, OP_SELECT, OP_PSELECT6, OP_EPOLL_WAIT, OP_EPOLL_PWAIT,
      OP_EPOLL_PWAIT2}},
};

struct parser {
	const char *at;
	struct fail *fail;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_gap(char c) { return c && strchr(", \t\r\n", c); }
static bool is_cmp(char c) { return c == '=' || c == '!' || c == '<' || c == '>'; }

static size_t name_length(const char *s)
{
	size_t n = 0;
	while ((s[n] >= 'a' && s[n] <= 'z') || s[n] == '_')
		n++;
	return n;
}

static const struct word *word_find(const char *s, size_t n)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (strlen(words[i].name) == n && strncmp(words[i].name, s, n) == 0)
			return &words[i];
	return NULL;
}

/* A name with a comparison behind it, or a bare word: the comma before it ends a list. */
static bool is_term_start(const char *s)
{
	bool negated = *s == '!';
	s += negated;
	size_t n = name_length(s);
	if (n == 0)
		return negated;
	const struct word *w = word_find(s, n);
	if (s[n] == '\0' || is_gap(s[n]))
		return negated || (w && w->form == FORM_BARE);
	return is_cmp(s[n]);
}

/* How much of s is one item of a list, or one value. */
static size_t item_length(const char *s)
{
	size_t n = 0;
	while (s[n] && !is_gap(s[n]))
		n++;
	return n;
}

/* Refuses with -EINVAL; the text says it all, without errno's words behind it. */
static int refuse(struct parser *p, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(struct parser *p, const char *remedy, const char *fmt, ...)
{
	char what[192];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fail_set(p->fail, 0, remedy, "%s", what);
	if (p->fail)
		p->fail->err = EINVAL;
	return -EINVAL;
}

static int unknown(struct parser *p, const char *what, const char *s, size_t n, const char *remedy)
{
	return refuse(p, remedy, "unknown %s '%.*s'", what, (int)(n < 60 ? n : 60), s);
}

static int malformed(struct parser *p, const struct word *w, const char *why)
{
	char remedy[64];
	snprintf(remedy, sizeof(remedy), "write it as in %s", w->example);
	return refuse(p, remedy, "filter word '%s' %s", w->name, why);
}

static int add_kind(struct parser *p, struct term *t, const char *s, size_t n)
{
	char name[32], known[200] = "known kinds:";
	snprintf(name, sizeof(name), "%.*s", n < sizeof(name) ? (int)n : 0, s);
	int kind = kind_parse(name);
	if (kind > 0) {
		t->set[kind / 64] |= 1ull << (kind % 64);
		return 0;
	}
	for (unsigned int k = 1; k < KIND_MAX; k++) {
		size_t len = strlen(known);
		snprintf(known + len, sizeof(known) - len, " %s", kind_word(k));
	}
	return unknown(p, "kind", s, n, known);
}

static int add_op(struct parser *p, struct term *t, const char *s, size_t n)
{
	char name[32];
	snprintf(name, sizeof(name), "%.*s", n < sizeof(name) ? (int)n : 0, s);
	int op = op_parse(name);
	bool found = op > 0;
	if (found)
		t->set[op / 64] |= 1ull << (op % 64);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (strcmp(families[i].name, name) != 0)
			continue;
		found = true;
		for (size_t k = 0; k < sizeof(families[i].ops) && families[i].ops[k]; k++)
			t->set[families[i].ops[k] / 64] |= 1ull << (families[i].ops[k] % 64);
	}
	if (found)
		return 0;
	return unknown(p, "op", s, n,
		       "known: the families send recv read write open create ctl signal wait poll, and "
		       "every traced system call by its name: recvmsg, pread64, msgsnd, semop …");
}

static int add_id(struct parser *p, struct term *t, const char *s, size_t n, const char *what)
{
	uint64_t id = 0;
	bool bad = n == 0 || n > 10;
	for (size_t i = 0; i < n && !bad; i++) {
		bad = s[i] < '0' || s[i] > '9';
		id = id * 10 + (uint64_t)(s[i] - '0');
	}
	if (bad || id == 0 || id > INT32_MAX)
		return refuse(p, "give numbers, as in pid=123,456", "'%.*s' is not a %s",
			      (int)(n < 60 ? n : 60), s, what);
	uint32_t *ids = reallocarray(t->ids, t->nids + 1, sizeof(*ids));
	if (!ids)
		return fail_set(p->fail, ENOMEM, NULL, "cannot keep the filter");
	t->ids = ids;
	t->ids[t->nids++] = (uint32_t)id;
	return 0;
}

static int add_glob(struct parser *p, struct term *t, const char *s, size_t n)
{
	struct term_glob *globs = reallocarray(t->globs, t->nglobs + 1, sizeof(*globs));
	if (globs)
		t->globs = globs;
	char *pattern = globs ? strndup(s, n) : NULL;
	if (!pattern)
		return fail_set(p->fail, ENOMEM, NULL, "cannot keep the filter");
	bool digits = strspn(pattern, "0123456789") == n && n < 20;
	t->globs[t->nglobs++] = (struct term_glob){
	    .pattern = pattern,
	    .is_literal = strpbrk(pattern, "*?[\\") == NULL,
	    .id = digits ? strtoull(pattern, NULL, 10) : 0,
	};
	return 0;
}

static int parse_list(struct parser *p, const struct word *w, struct term *t)
{
	for (;;) {
		size_t n = item_length(p->at);
		int err;
		if (n == 0)
			return malformed(p, w, "has an empty list");
		if (w->what == TERM_KIND)
			err = add_kind(p, t, p->at, n);
		else if (w->what == TERM_OP)
			err = add_op(p, t, p->at, n);
		else if (w->what == TERM_PID || w->what == TERM_TID)
			err = add_id(p, t, p->at, n, w->name);
		else
			err = add_glob(p, t, p->at, n);
		if (err)
			return err;
		p->at += n;
		if (p->at[0] != ',' || is_gap(p->at[1]) || !p->at[1] || is_term_start(p->at + 1))
			return 0;
		p->at++;
	}
}

static bool parse_cmp(struct parser *p, enum term_cmp *cmp)
{
	static const struct {
		const char *text;
		enum term_cmp cmp;
	} all[] = {{"!=", CMP_NE}, {"<=", CMP_LE}, {">=", CMP_GE},
		   {"=", CMP_EQ},  {"<", CMP_LT},  {">", CMP_GT}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(p->at, all[i].text, strlen(all[i].text)) == 0) {
			p->at += strlen(all[i].text);
			*cmp = all[i].cmp;
			return true;
		}
	return false;
}

static const struct unit {
	const char *name;
	int64_t factor;
} sizes[] = {{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {NULL, 0}},
  times[] = {{"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}},
  plain[] = {{"", 1}, {NULL, 0}};

/* "12", "-5", "1.5ms": digits, a decimal fraction where units allow it, a unit. */
static bool parse_number(const char *s, size_t n, enum term_what what, int64_t *value)
{
	bool is_time = what == TERM_LATENCY || what == TERM_SLEPT;
	bool may_be_negative = what == TERM_RET || what == TERM_FD;
	const struct unit *u = is_time ? times : what == TERM_BYTES ? sizes : plain;
	size_t i = 0;
	int64_t whole = 0, part = 0, scale = 1;
	bool negative = may_be_negative && n > 0 && s[0] == '-';
	i += negative;
	if (i == n || !is_digit(s[i]))
		return false;
	for (; i < n && is_digit(s[i]); i++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, s[i] - '0', &whole))
			return false;
	if (is_time && i + 1 < n && s[i] == '.' && is_digit(s[i + 1]))
		for (i++; i < n && is_digit(s[i]); i++)
			if (scale <
			    1000000000) { /* finer than a nanosecond of a second: no matter */
				part = part * 10 + (s[i] - '0');
				scale *= 10;
			}
	while (u->name && !(strlen(u->name) == n - i && strncmp(u->name, s + i, n - i) == 0))
		u++;
	if (!u->name || __builtin_mul_overflow(whole, u->factor, value) ||
	    __builtin_add_overflow(*value, part * u->factor / scale, value))
		return false;
	if (negative)
		*value = -*value;
	return true;
}

static int parse_compare(struct parser *p, const struct word *w, struct term *t)
{
	if (!parse_cmp(p, &t->cmp))
		return malformed(p, w, "needs a comparison");
	size_t n = item_length(p->at);
	if (!parse_number(p->at, n, w->what, &t->value)) {
		const char *kind = w->what == TERM_BYTES ? "a size (suffixes k m g)"
				   : w->what == TERM_RET || w->what == TERM_FD
				       ? "a number"
				       : "a time (suffixes ns us ms s)";
		char why[128];
		snprintf(why, sizeof(why), "needs %s, not '%.*s'", kind, (int)(n < 40 ? n : 40),
			 p->at);
		return malformed(p, w, why);
	}
	p->at += n;
	return 0;
}

static int parse_term(struct parser *p, struct term *t)
{
	if (*p->at == '!') {
		t->negate = true;
		p->at++;
	}
	size_t n = name_length(p->at);
	const struct word *w = word_find(p->at, n);
	if (!w || (!is_cmp(p->at[n]) && !is_gap(p->at[n]) && p->at[n])) {
		size_t all = item_length(p->at);
		return unknown(p, "filter word", p->at, n && is_cmp(p->at[n]) ? n : all,
			       WORDS_REMEDY);
	}
	p->at += n;
	t->what = w->what;
	if (w->form == FORM_COMPARE)
		return parse_compare(p, w, t);
	if (w->form == FORM_BARE)
		return is_cmp(*p->at) ? malformed(p, w, "takes no value") : 0;
	if (*p->at != '=')
		return malformed(p, w,
				 is_cmp(*p->at) ? "takes only = (negate with a leading !)"
						: "needs a list");
	p->at++;
	return parse_list(p, w, t);
}

int filter_and(struct filter *f, const char *expr, struct fail *fail)
{
	struct parser p = {.at = expr, .fail = fail};
	size_t before = f->n;
	for (;;) {
		while (is_gap(*p.at))
			p.at++;
		if (!*p.at)
			break;
		struct term t = {0};
		int err = parse_term(&p, &t);
		struct term *terms = err ? NULL : reallocarray(f->terms, f->n + 1, sizeof(*terms));
		if (!err && !terms)
			err = fail_set(fail, ENOMEM, NULL, "cannot keep the filter");
		if (err) {
			term_release(&t);
			while (f->n > before)
				term_release(&f->terms[--f->n]);
			return err;
		}
		f->terms = terms;
		f->terms[f->n++] = t;
	}
	return f->n > before ? 0 : refuse(&p, WORDS_REMEDY, "the filter is empty");
}

int filter_new(struct filter **out, const char *expr, struct fail *fail)
{
	*out = NULL;
	struct filter *f = calloc(1, sizeof(*f));
	if (!f)
		return fail_set(fail, ENOMEM, NULL, "cannot keep the filter");
	int err = filter_and(f, expr, fail);
	if (err) {
		filter_free(f);
		return err;
	}
	*out = f;
	return 0;
}
