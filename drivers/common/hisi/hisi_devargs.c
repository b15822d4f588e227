/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>
#include <rte_lcore.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "hisi_devargs.h"

#define TIMEOUT_MS_MIN 10
#define TIMEOUT_MS_MAX 3600000

int
hisi_devarg_number(const char *value, long min, long max, long *out)
{
	char *end;

	if (value[0] == '\0')
		return -EINVAL;
	errno = 0;
	*out = strtol(value, &end, 10);
	return errno != 0 || *end != '\0' || *out < min || *out > max ? -EINVAL : 0;
}

int
hisi_devarg_choice(const char *value, const char *const *choices)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(value, choices[i]) == 0)
			return i;
	}
	return -EINVAL;
}

static int
set_dev(const char *value, struct hisi_devargs *args)
{
	return value[0] == '\0' || rte_strscpy(args->dev, value, sizeof(args->dev)) < 0 ?
		-EINVAL : 0;
}

/* It has been heeded when the driver was chosen (hisi_pci.c). */
static int
set_class(const char *value, struct hisi_devargs *args)
{
	RTE_SET_USED(value);
	RTE_SET_USED(args);
	return 0;
}

static int
set_workers(const char *value, struct hisi_devargs *args)
{
	long n;

	if (hisi_devarg_number(value, 0, HISI_WORKERS_MAX, &n) != 0)
		return -EINVAL;
	args->local.workers = (uint16_t)n;
	return 0;
}

static int
set_rev(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "v2", "v3", NULL });

	args->local.revision = n == 0 ? HISI_QM_REV_V2 : HISI_QM_REV_V3;
	return n < 0 ? n : 0;
}

static int
set_ext(const char *value, struct hisi_devargs *args)
{
	int n = hisi_devarg_choice(value, (const char *const[]){ "on", "off", NULL });

	args->local.plain = n == 1;
	return n < 0 ? n : 0;
}

#ifdef QM_DEV_FAULTS

/*
 * Faults to inject. "+" stands for a comma and ":" for "=", which
 * have a meaning in device arguments.
 */
static int
set_fault(const char *value, struct hisi_devargs *args)
{
	if (value[0] == '\0' || rte_strscpy(args->fault, value, sizeof(args->fault)) < 0)
		return -EINVAL;
	for (char *p = args->fault; *p != '\0'; p++)
		*p = *p == '+' ? ',' : *p == ':' ? '=' : *p;
	return 0;
}

#endif

static int
set_timeout(const char *value, struct hisi_devargs *args)
{
	long n;

	if (hisi_devarg_number(value, 0, TIMEOUT_MS_MAX, &n) != 0 || (n > 0 && n < TIMEOUT_MS_MIN))
		return -EINVAL;
	args->timeout_ms = (uint32_t)n;
	return 0;
}

static int
set_socket_id(const char *value, struct hisi_devargs *args)
{
	long n;

	if (hisi_devarg_number(value, 0, RTE_MAX_NUMA_NODES - 1, &n) != 0)
		return -EINVAL;
	for (unsigned int i = 0; i < rte_socket_count(); i++) {
		if (rte_socket_id_by_idx(i) == n) {
			args->socket_id = (int)n;
			return 0;
		}
	}
	return -EINVAL;
}

/* What the function is. */
static const struct hisi_devarg function_keys[] = {
	{ "class", HISI_BUS_PCI, "classes", set_class },
	{ "dev", HISI_BUS_VDEV, "local", set_dev },
	{ "workers", HISI_BUS_VDEV, "0 to " RTE_STR(HISI_WORKERS_MAX), set_workers },
	{ "rev", HISI_BUS_VDEV, "v2 or v3", set_rev },
	{ "ext", HISI_BUS_VDEV, "on or off", set_ext },
	{ .key = NULL },
};

/* How it is used. */
static const struct hisi_devarg device_keys[] = {
	{ "timeout", HISI_BUS_ALL, "0 (none) or 10 to " RTE_STR(TIMEOUT_MS_MAX) " ms",
		set_timeout },
	{ "socket_id", HISI_BUS_ALL, "a NUMA socket that this machine has", set_socket_id },
#ifdef QM_DEV_FAULTS
	{ "fault", HISI_DEVARG_HIDDEN | HISI_BUS_VDEV,
		"a list of faults of less than 128 characters", set_fault },
#endif
	{ .key = NULL },
};

#define TABLES 3 /* those two, and between them that of the class */

/* All keys that mean something on a bus, for the log line. */
static void
list_keys(const struct hisi_devarg *const *tables, enum hisi_bus bus, char *list, size_t len)
{
	size_t used = 0;

	for (unsigned int t = 0; t < TABLES; t++) {
		for (const struct hisi_devarg *k = tables[t]; k->key != NULL && used < len; k++) {
			if ((k->buses & (bus | HISI_DEVARG_HIDDEN)) == bus)
				used += (size_t)snprintf(list + used, len - used, "%s%s",
					used > 0 ? ", " : "", k->key);
		}
	}
}

/* The key of that name that means something on a bus, or NULL. */
static const struct hisi_devarg *
find_key(const struct hisi_devarg *const *tables, enum hisi_bus bus, const char *name)
{
	for (unsigned int t = 0; t < TABLES; t++) {
		for (const struct hisi_devarg *k = tables[t]; k->key != NULL; k++) {
			if (strcmp(k->key, name) == 0 && (k->buses & bus))
				return k;
		}
	}
	return NULL;
}

/* Is it a key of another driver's, which may use the same function? */
static bool
others_key(const struct hisi_driver *driver, enum hisi_bus bus, const char *name)
{
	const struct hisi_driver *d = NULL;

	while ((d = hisi_driver_next(d)) != NULL) {
		const struct hisi_devarg *k = d->keys;

		while (d != driver && k->key != NULL) {
			if (strcmp(k->key, name) == 0 && (k->buses & bus))
				return true;
			k++;
		}
	}
	return false;
}

static int
parse_pair(const struct hisi_driver *driver, const char *name, const struct rte_kvargs_pair *pair,
		enum hisi_bus bus, const struct hisi_devarg *const *tables,
		struct hisi_devargs *args)
{
	const char *value = pair->value != NULL ? pair->value : "";
	const struct hisi_devarg *key = find_key(tables, bus, pair->key);
	char keys[128];

	if (key == NULL && bus == HISI_BUS_PCI && others_key(driver, bus, pair->key))
		return 0;
	if (key == NULL) {
		list_keys(tables, bus, keys, sizeof(keys));
		hisi_log_error(driver, "%s: unknown device argument %s=%s, expected one of %s",
			name, pair->key, value, keys);
		return -EINVAL;
	}
	if (key->set(value, args) == 0)
		return 0;
	hisi_log_error(driver, "%s: %s=%s, expected %s", name, pair->key, value, key->expected);
	return -EINVAL;
}

/* Has one of the first n pairs the key of the next one? */
static bool
given_before(const struct rte_kvargs *kvlist, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(kvlist->pairs[i].key, kvlist->pairs[n].key) == 0)
			return true;
	}
	return false;
}

int
hisi_devargs_parse(const struct hisi_driver *driver, const char *name, const char *text,
		enum hisi_bus bus, struct hisi_devargs *args)
{
	const struct hisi_devarg *const tables[TABLES] = {
		function_keys, driver->keys, device_keys,
	};
	struct rte_kvargs *kvlist;
	int ret = 0;

	*args = (struct hisi_devargs){
		.dev = "local",
		.socket_id = SOCKET_ID_ANY,
		.timeout_ms = HISI_TIMEOUT_MS,
		.local = { .revision = HISI_QM_REV_V3 },
	};
	if (bus == HISI_BUS_PCI)
		rte_strscpy(args->dev, "pci", sizeof(args->dev));
	if (text == NULL || text[0] == '\0')
		return 0;
	kvlist = rte_kvargs_parse(text, NULL);
	if (kvlist == NULL) {
		hisi_log_error(driver, "%s: device arguments \"%s\", expected key=value,...", name,
			text);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < kvlist->count && ret == 0; i++) {
		if (given_before(kvlist, i)) {
			hisi_log_error(driver, "%s: %s is given twice, expected once", name,
				kvlist->pairs[i].key);
			ret = -EINVAL;
		} else {
			ret = parse_pair(driver, name, &kvlist->pairs[i], bus, tables, args);
		}
	}
	rte_kvargs_free(kvlist);
	return ret;
}
