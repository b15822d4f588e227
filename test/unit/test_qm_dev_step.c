/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_qm_dev_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include <cmocka.h>

#define TF 0x100 /* in the flags register */

unsigned long step_count;
const char *step_bad;
volatile sig_atomic_t stepping;

static void (*watch)(void);

static void
on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (stepping) {
		step_count++;
		watch();
	}
	if (!stepping)
		uc->uc_mcontext.gregs[REG_EFL] &= ~TF;
}

void
step_prepare(void (*each)(void))
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGTRAP, &sa, NULL), 0);
	watch = each;
	step_count = 0;
	step_bad = NULL;
	stepping = 1;
}

void
step_check(void)
{
	if (step_bad != NULL)
		fail_msg("after %lu instructions: %s", step_count, step_bad);
}
