/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdarg.h>
#include <stdio.h>

#include "hisi_driver.h"
#include "spim.h"

/* Complete before anything is probed; in the order of registration. */
static TAILQ_HEAD(, hisi_driver) drivers = TAILQ_HEAD_INITIALIZER(drivers);

void
hisi_driver_add(struct hisi_driver *driver)
{
	TAILQ_INIT(&driver->devs);
	TAILQ_INSERT_TAIL(&drivers, driver, next);
}

struct hisi_driver *
hisi_driver_next(const struct hisi_driver *driver)
{
	return driver != NULL ? TAILQ_NEXT(driver, next) : TAILQ_FIRST(&drivers);
}

bool
hisi_driver_fits(const struct hisi_driver *driver, const struct spim_info *info)
{
	return (info->ext_features & driver->features) == driver->features ||
		(driver->revision != 0 && info->revision >= driver->revision);
}

void
hisi_driver_log_unfit(const struct hisi_driver *driver, const char *name,
		const struct spim_info *info)
{
	hisi_log_error(driver, "%s: the function has no %s: features 0x%x of revision 0x%x, "
		"expected 0x%x among them", name, driver->feature_name, info->ext_features,
		info->revision, driver->features);
}

static void
log_va(const struct hisi_driver *driver, enum base_log_level level, const char *fmt,
		va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	driver->log.line(level, line, driver->log.priv);
}

void
hisi_log_error(const struct hisi_driver *driver, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(driver, BASE_LOG_ERR, fmt, ap);
	va_end(ap);
}

void
hisi_log_info(const struct hisi_driver *driver, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(driver, BASE_LOG_INFO, fmt, ap);
	va_end(ap);
}
