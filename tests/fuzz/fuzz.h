/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fuzz target is: this one function, which must come back from whatever it is given. Each
 * tests/fuzz/fuzz_NAME.c has one. Under `make fuzz` libFuzzer calls it (clang); else run.c does, with
 * the inputs that are kept in tests/fuzz/corpus/NAME.
 */
#ifndef IPCTAP_TESTS_FUZZ_H
#define IPCTAP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* How many events came of all inputs so far: inputs that are refused at the door are worth nothing. */
extern unsigned long fuzz_told;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
