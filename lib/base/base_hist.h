/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_HIST_H
#define BASE_HIST_H

/** @file A histogram of times: one bucket per power of two. */

#include <stdint.h>

#define BASE_HIST_BUCKETS 40

/** Times in nanoseconds; bucket[n] counts those in [2^n, 2^(n+1)), bucket[0] also 0. */
struct base_hist {
	uint64_t bucket[BASE_HIST_BUCKETS];
};

/** Count a time. One thread at a time; others may add the histogram to theirs meanwhile. */
static inline void
base_hist_count(struct base_hist *h, int64_t ns)
{
	unsigned int n = ns > 1 ? 63 - (unsigned int)__builtin_clzll((uint64_t)ns) : 0;
	uint64_t *b = &h->bucket[n < BASE_HIST_BUCKETS ? n : BASE_HIST_BUCKETS - 1];

	__atomic_store_n(b, __atomic_load_n(b, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/** Add h, in which another thread may count, to the caller's own sum. */
static inline void
base_hist_add(struct base_hist *sum, const struct base_hist *h)
{
	for (unsigned int i = 0; i < BASE_HIST_BUCKETS; i++)
		sum->bucket[i] += __atomic_load_n(&h->bucket[i], __ATOMIC_RELAXED);
}

#endif /* BASE_HIST_H */
