/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * With the first thread of a program comes one of TSAN's own, and stays. Tests that count threads
 * are to find it there already.
 */

#include <pthread.h>
#include <stddef.h>

static void *
nothing(void *arg)
{
	return arg;
}

static void __attribute__((constructor))
first_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		pthread_join(thread, NULL);
}
