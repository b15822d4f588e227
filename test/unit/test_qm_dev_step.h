/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_QM_DEV_STEP_H
#define TEST_QM_DEV_STEP_H

/**
 * @file
 * The code under test runs one instruction at a time (x86's trap flag), and a function of the
 * test looks behind each of them at what another thread could see, or does that one's part.
 */

#include <signal.h>

/** Instructions since step_begin(). */
extern unsigned long step_count;
/** The watcher's verdict: what is wrong, or NULL. */
extern const char *step_bad;
/** 0: the next trap is the last. */
extern volatile sig_atomic_t stepping;

/** What step_begin() does before the first trap. */
void step_prepare(void (*each)(void));
/** What step_end() does behind the last one: fail the test if the watcher said so. */
void step_check(void);

/** From here on each() runs behind every instruction of this thread. */
static inline void
step_begin(void (*each)(void))
{
	step_prepare(each);
	/* Below the red zone. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			"lea 128(%%rsp), %%rsp" : : : "memory", "cc");
}

/** As step_end(), but the verdict is left to the caller. */
static inline void
step_stop(void)
{
	__asm__ volatile("" : : : "memory");
	stepping = 0; /* the next trap ends it */
	__asm__ volatile("nop\n\tnop" : : : "memory");
}

static inline void
step_end(void)
{
	step_stop();
	step_check();
}

#endif /* TEST_QM_DEV_STEP_H */
