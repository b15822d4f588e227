/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TOGETHER_H
#define TOGETHER_H

/**
 * @file
 * All attacks at once, again and again, by one user, beside a victim of another user.
 *
 * What the attackers take of the CPUs is not the service's doing: they run with the least priority,
 * and what the victim gets beside them is compared with what it gets beside as many processes of
 * that priority which only take CPU.
 */

#include "attacker.h"
#include "service.h"
#include "victim.h"

/** The users; they need not exist. */
#define TOGETHER_ATTACKER 2001u
#define TOGETHER_VICTIM   2002u

/** What came of it. */
struct together {
	unsigned long rounds;   /**< Attacks that were begun, */
	unsigned long well;     /**< and that found the answers that they find alone. */
	double beside, under;   /**< Round trips a second beside mere load, and under attack. */
	double p99_beside_ms;   /**< And their 99th percentile; up to twice as long. */
	double p99_under_ms;
	unsigned int asked;     /**< Times that the control socket was asked under attack, */
	unsigned int answered;  /**< and that it answered. */
	double worst_s;         /**< The longest wait for such an answer. */
};

/**
 * Run n attacks at once for t->seconds. The attackers are gone when it returns.
 * @return 0, or -1 with a line on standard error: it could not be set up.
 */
int together_run(const struct service *s, const struct victim *v, const struct target *t,
		const struct attack *const *attacks, unsigned int n, struct together *out);

#endif /* TOGETHER_H */
