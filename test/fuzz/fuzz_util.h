/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef FUZZ_UTIL_H
#define FUZZ_UTIL_H

/** @file What the fuzzers share. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** The input, as far as it was not taken. */
struct input {
	const uint8_t *at;
	size_t left;
};

/** The next n bytes, little endian; 0 behind the end. */
static inline uint64_t
take(struct input *in, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < n && in->left != 0; i++, in->left--)
		v |= (uint64_t)*in->at++ << 8 * i;
	return v;
}

/** What must hold whatever the input is; says which line did not before it ends the fuzzer. */
#define require(ok) require_at((ok), #ok, __FILE__, __LINE__)

static inline void
require_at(int ok, const char *text, const char *file, int line)
{
	if (!ok) {
		fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
		abort();
	}
}

#endif /* FUZZ_UTIL_H */
