/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "signals.h"

static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGALRM, SIGXCPU,
	SIGXFSZ, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGIO, SIGPWR };

#define CNT (sizeof(numbers) / sizeof(numbers[0]))

static sigset_t ours;
static int guarded_dir;
static const char *volatile guarded;

/* Only one thread gets these signals, and it is not within signals_guard(). */
static void
on_signal(int number)
{
	if (guarded != NULL)
		(void)unlinkat(guarded_dir, guarded, 0);
	/* Its default action is set by now, and takes place when this returns. */
	(void)raise(number);
}

void
signals_install(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND }, old;

	sigemptyset(&ours);
	for (size_t i = 0; i < CNT; i++)
		sigaddset(&ours, numbers[i]);
	sa.sa_mask = ours;
	for (size_t i = 0; i < CNT; i++) {
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &sa, NULL);
	}
}

void
signals_hold(sigset_t *old)
{
	(void)pthread_sigmask(SIG_BLOCK, &ours, old);
}

void
signals_allow(const sigset_t *old)
{
	(void)pthread_sigmask(SIG_SETMASK, old, NULL);
}

void
signals_guard(int dir, const char *name)
{
	guarded_dir = dir;
	guarded = name;
}
