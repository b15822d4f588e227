/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdarg.h>
#include <time.h>

#include "qm_dev_func.h"

void
qm_dev_log(const struct qm_dev *dev, enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_log_va(&dev->conf.log, level, dev->name, fmt, ap);
	va_end(ap);
}

const struct qm_dev_conf *
qm_dev_conf_of(const struct qm_dev *dev)
{
	return &dev->conf;
}

void
qm_dev_tell_broken(struct qm_dev *dev)
{
	if (!atomic_exchange_explicit(&dev->broken_told, true, memory_order_relaxed) &&
			dev->conf.failed != NULL)
		dev->conf.failed(dev->conf.priv);
}

/* Time between polls of those who wait for a worker. */
#define WAIT_NS 50000

void
qm_dev_wait(unsigned int *n)
{
	static const struct timespec nap = { .tv_nsec = WAIT_NS };

	/* No sched_yield(): with many threads that want to run it takes a slice of each. */
	if (++*n < 100)
		qm_dev_relax();
	else
		nanosleep(&nap, NULL);
}
