/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "hisi_zip_pmd.h"

/* One key of the device arguments. */
struct devarg {
	const char *key;
	unsigned int buses;   /* where it means something: enum hisi_zip_bus; and HIDDEN */
	const char *expected; /* for the log line */
	int (*set)(const char *value, struct hisi_zip_devargs *out);
};

#define ALL_BUSES (HISI_ZIP_BUS_VDEV | HISI_ZIP_BUS_PCI)

#define HIDDEN    0x100 /* not for users, and not shown to them */

#define TIMEOUT_MS_MIN 10
#define TIMEOUT_MS_MAX 3600000

/* A decimal number from min to max, or -EINVAL. */
static int
parse_number(const char *value, long min, long max, long *out)
{
	char *end;

	if (value[0] == '\0')
		return -EINVAL;
	errno = 0;
	*out = strtol(value, &end, 10);
	return errno != 0 || *end != '\0' || *out < min || *out > max ? -EINVAL : 0;
}

/* The place of value in a NULL-terminated list, or -EINVAL. */
static int
parse_choice(const char *value, const char *const *choices)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(value, choices[i]) == 0)
			return i;
	}
	return -EINVAL;
}

static int
set_dev(const char *value, struct hisi_zip_devargs *out)
{
	return value[0] == '\0' || rte_strscpy(out->dev, value, sizeof(out->dev)) < 0 ?
		-EINVAL : 0;
}

static int
set_workers(const char *value, struct hisi_zip_devargs *out)
{
	long n;

	if (parse_number(value, 0, HISI_ZIP_WORKERS_MAX, &n) != 0)
		return -EINVAL;
	out->local.workers = (uint16_t)n;
	return 0;
}

static int
set_rev(const char *value, struct hisi_zip_devargs *out)
{
	int n = parse_choice(value, (const char *const[]){ "v2", "v3", NULL });

	out->local.revision = n == 0 ? HISI_QM_REV_V2 : HISI_QM_REV_V3;
	return n < 0 ? n : 0;
}

static int
set_ext(const char *value, struct hisi_zip_devargs *out)
{
	int n = parse_choice(value, (const char *const[]){ "on", "off", NULL });

	out->local.plain = n == 1;
	return n < 0 ? n : 0;
}

static int
set_engine(const char *value, struct hisi_zip_devargs *out)
{
	int n = parse_choice(value, (const char *const[]){ "deflate", "copy", NULL });

	out->local.copy = n == 1;
	return n < 0 ? n : 0;
}

static int
set_sw(const char *value, struct hisi_zip_devargs *out)
{
	int n = parse_choice(value, (const char *const[]){ "on", "off", NULL });

	out->sw = n == 0;
	return n < 0 ? n : 0;
}

/*
 * Faults to inject, for tests only. "+" stands for a comma and ":" for "=", which
 * have a meaning in device arguments.
 */
static int
set_fault(const char *value, struct hisi_zip_devargs *out)
{
	if (value[0] == '\0' || rte_strscpy(out->fault, value, sizeof(out->fault)) < 0)
		return -EINVAL;
	for (char *p = out->fault; *p != '\0'; p++)
		*p = *p == '+' ? ',' : *p == ':' ? '=' : *p;
	return 0;
}

static int
set_timeout(const char *value, struct hisi_zip_devargs *out)
{
	long n;

	if (parse_number(value, 0, TIMEOUT_MS_MAX, &n) != 0 || (n > 0 && n < TIMEOUT_MS_MIN))
		return -EINVAL;
	out->timeout_ms = (uint32_t)n;
	return 0;
}

static int
set_socket_id(const char *value, struct hisi_zip_devargs *out)
{
	long n;

	if (parse_number(value, 0, RTE_MAX_NUMA_NODES - 1, &n) != 0)
		return -EINVAL;
	out->socket_id = (int)n;
	return 0;
}

static const struct devarg devargs[] = {
	{ "dev", HISI_ZIP_BUS_VDEV, "local", set_dev },
	{ "workers", HISI_ZIP_BUS_VDEV, "0 to " RTE_STR(HISI_ZIP_WORKERS_MAX), set_workers },
	{ "rev", HISI_ZIP_BUS_VDEV, "v2 or v3", set_rev },
	{ "ext", HISI_ZIP_BUS_VDEV, "on or off", set_ext },
	{ "engine", HISI_ZIP_BUS_VDEV, "deflate or copy", set_engine },
	{ "sw", ALL_BUSES, "on or off", set_sw },
	{ "timeout", ALL_BUSES, "0 (none) or 10 to " RTE_STR(TIMEOUT_MS_MAX) " ms", set_timeout },
	{ "socket_id", ALL_BUSES, "a NUMA socket below " RTE_STR(RTE_MAX_NUMA_NODES),
		set_socket_id },
	{ "fault", HIDDEN | HISI_ZIP_BUS_VDEV, "a list of faults of less than 128 characters",
		set_fault },
};

/* All keys that mean something on a bus, for the log line. */
static void
list_keys(enum hisi_zip_bus bus, char *list, size_t len)
{
	size_t used = 0;

	for (unsigned int i = 0; i < RTE_DIM(devargs) && used < len; i++) {
		if ((devargs[i].buses & (bus | HIDDEN)) == bus)
			used += (size_t)snprintf(list + used, len - used, "%s%s",
				used > 0 ? ", " : "", devargs[i].key);
	}
}

static int
parse_pair(const char *name, const struct rte_kvargs_pair *pair, enum hisi_zip_bus bus,
		struct hisi_zip_devargs *out)
{
	const char *value = pair->value != NULL ? pair->value : "";
	char keys[128];

	for (unsigned int i = 0; i < RTE_DIM(devargs); i++) {
		if (strcmp(pair->key, devargs[i].key) != 0 || !(devargs[i].buses & bus))
			continue;
		if (devargs[i].set(value, out) == 0)
			return 0;
		HISI_ZIP_LOG(ERR, "%s: %s=%s, expected %s", name, pair->key, value,
			devargs[i].expected);
		return -EINVAL;
	}
	list_keys(bus, keys, sizeof(keys));
	HISI_ZIP_LOG(ERR, "%s: unknown device argument %s=%s, expected one of %s", name, pair->key,
		value, keys);
	return -EINVAL;
}

int
hisi_zip_devargs_parse(const char *name, const char *args, enum hisi_zip_bus bus,
		struct hisi_zip_devargs *out)
{
	struct rte_kvargs *kvlist;
	int ret = 0;

	*out = (struct hisi_zip_devargs){
		.dev = "local",
		.socket_id = SOCKET_ID_ANY,
		.sw = true,
		.timeout_ms = HISI_ZIP_TIMEOUT_MS,
		.local = { .revision = HISI_QM_REV_V3 },
	};
	if (bus == HISI_ZIP_BUS_PCI)
		rte_strscpy(out->dev, "pci", sizeof(out->dev));
	if (args == NULL || args[0] == '\0')
		return 0;
	kvlist = rte_kvargs_parse(args, NULL);
	if (kvlist == NULL) {
		HISI_ZIP_LOG(ERR, "%s: device arguments \"%s\", expected key=value,...", name,
			args);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < kvlist->count && ret == 0; i++)
		ret = parse_pair(name, &kvlist->pairs[i], bus, out);
	rte_kvargs_free(kvlist);
	return ret;
}
