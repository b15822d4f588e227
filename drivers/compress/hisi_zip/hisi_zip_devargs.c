/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"

#define VERIFY_MAX 1000000000

static int
set_engine(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "deflate", "copy", NULL });

	args->local.copy = n == 1;
	return n < 0 ? n : 0;
}

/* The names are looked up by the function. */
static int
set_quirk(const char *value, struct hisi_devargs *args)
{
	return value[0] == '\0' || rte_strscpy(args->quirk, value, sizeof(args->quirk)) < 0 ?
		-EINVAL : 0;
}

const char *const hisi_zip_sw_names[] = {
	[HISI_ZIP_SW_OFF] = "off",
	[HISI_ZIP_SW_AUTO] = "auto",
	[HISI_ZIP_SW_EXACT] = "exact",
	NULL,
};

static int
set_sw(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, hisi_zip_sw_names);

	container_of(args, struct hisi_zip_devargs, hisi)->sw = n < 0 ? 0 : (uint8_t)n;
	return n < 0 ? n : 0;
}

static int
set_verify(const char *value, struct hisi_devargs *args)
{
	long n;
	int ret = hisi_devarg_number(value, 0, VERIFY_MAX, &n);

	container_of(args, struct hisi_zip_devargs, hisi)->verify = ret == 0 ? (uint32_t)n : 0;
	return ret;
}

#ifdef QM_DEV_FAULTS

/* Tests of faults count requests from the first op on. */
static int
set_answers(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "on", "off", NULL });

	container_of(args, struct hisi_zip_devargs, hisi)->untold = n == 1;
	return n < 0 ? n : 0;
}

#endif

const struct hisi_devarg hisi_zip_devarg_keys[] = {
	{ "engine", HISI_BUS_VDEV, "deflate or copy", set_engine },
	{ "quirk", HISI_BUS_VDEV, "names of quirks separated by ':', less than 512 characters",
		set_quirk },
	{ "sw", HISI_BUS_ALL, "auto, exact or off", set_sw },
	{ "verify", HISI_BUS_ALL, "0 to " RTE_STR(VERIFY_MAX), set_verify },
#ifdef QM_DEV_FAULTS
	{ "answers", HISI_DEVARG_HIDDEN | HISI_BUS_ALL, "on or off", set_answers },
#endif
	{ .key = NULL },
};

int
hisi_zip_devargs_parse(const char *name, const char *text, enum hisi_bus bus,
		struct hisi_zip_devargs *args)
{
	args->sw = HISI_ZIP_SW_AUTO;
	args->verify = 0;
	args->untold = 0;
	return hisi_devargs_parse(&hisi_zip_driver, name, text, bus, &args->hisi);
}
