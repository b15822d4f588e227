/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <rte_common.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"

static int
set_engine(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "deflate", "copy", NULL });

	args->local.copy = n == 1;
	return n < 0 ? n : 0;
}

static int
set_sw(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "on", "off", NULL });

	container_of(args, struct hisi_zip_devargs, hisi)->sw = n == 0;
	return n < 0 ? n : 0;
}

const struct hisi_devarg hisi_zip_devarg_keys[] = {
	{ "engine", HISI_BUS_VDEV, "deflate or copy", set_engine },
	{ "sw", HISI_BUS_ALL, "on or off", set_sw },
	{ .key = NULL },
};

int
hisi_zip_devargs_parse(const char *name, const char *text, enum hisi_bus bus,
		struct hisi_zip_devargs *args)
{
	args->sw = true;
	return hisi_devargs_parse(&hisi_zip_driver, name, text, bus, &args->hisi);
}
