// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of known frames: one that has all of the stack there is, and one for each way to need more.
 * tests/check/frames must tell them apart, and tests/live/frames.t shows that the kernel does so, too.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* So many words on the stack, of which the lowest is used */
#define WORDS(n)						\
	__u64 at[n];						\
	at[0] = 1;						\
	asm volatile("" : : "r"(at) : "memory")

/* A function that has them, and does BELOW */
#define FRAME(name, words, below)				\
	static __attribute__((noinline)) int name(int x)	\
	{							\
		WORDS(words);					\
		return (below) + (int)at[0];			\
	}

/* 256 bytes + 256 */
FRAME(half, 32, x)
SEC("socket")
int fits(void *ctx)
{
	(void)ctx;
	WORDS(32);
	return half((int)bpf_get_prandom_u32()) + (int)at[0];
}

/* 256 + 256 + 8 */
FRAME(word, 1, x)
FRAME(half_word, 32, word(x))
SEC("socket")
int too_deep(void *ctx)
{
	(void)ctx;
	WORDS(32);
	return half_word((int)bpf_get_prandom_u32()) + (int)at[0];
}

/* 6 × 72 are 432; in steps of 32 bytes, 576; in steps of 16, 480 */
FRAME(step6, 9, x)
FRAME(step5, 9, step6(x))
FRAME(step4, 9, step5(x))
FRAME(step3, 9, step4(x))
FRAME(step2, 9, step3(x))
SEC("socket")
int by_steps(void *ctx)
{
	(void)ctx;
	WORDS(9);
	return step2((int)bpf_get_prandom_u32()) + (int)at[0];
}

/* 256 and, in a callback, 264 */
static int called_back(__u32 i, void *x)
{
	WORDS(33);
	return x && at[0];
}
SEC("socket")
int in_callback(void *ctx)
{
	(void)ctx;
	WORDS(32);
	bpf_loop(4, called_back, NULL, 0);
	return (int)at[0];
}

/* little, but in nine frames */
FRAME(nine, 1, x)
FRAME(eight, 1, nine(x))
FRAME(seven, 1, eight(x))
FRAME(six, 1, seven(x))
FRAME(five, 1, six(x))
FRAME(four, 1, five(x))
FRAME(three, 1, four(x))
FRAME(two, 1, three(x))
SEC("socket")
int many_frames(void *ctx)
{
	(void)ctx;
	return two((int)bpf_get_prandom_u32());
}

char LICENSE[] SEC("license") = "GPL";
