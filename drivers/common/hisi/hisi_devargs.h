/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_DEVARGS_H
#define HISI_DEVARGS_H

/**
 * @file
 * Device arguments: the keys that drivers of every class have, and a table for those of one.
 */

#include <stdint.h>

#include "hisi_driver.h"
#include "spim.h"

#define HISI_WORKERS_MAX 64 /**< Workers of a local function. */
/** Default of timeout_ms: more than the longest request takes, on a busy machine. */
#define HISI_TIMEOUT_MS  30000

/** For RTE_PMD_REGISTER_PARAM_STRING(): what a function is, on vdev; keys of a class follow. */
#define HISI_PARAMS_FUNCTION \
	"dev=local|unix:<path>|device:<name> " \
	"workers=<0..64> " \
	"rev=v2|v3 " \
	"ext=on|off "
/** The same, on the PCI bus: who uses the function. */
#define HISI_PARAMS_PCI \
	"class=<class>[:<class>...] "
/** And what ends the string, on any bus. */
#define HISI_PARAMS_DEVICE \
	"timeout=<ms> " \
	"socket_id=<int>"

/** Buses; each key has a meaning on some of them. */
enum hisi_bus {
	HISI_BUS_VDEV = 1,
	HISI_BUS_PCI = 2,
};

#define HISI_BUS_ALL (HISI_BUS_VDEV | HISI_BUS_PCI)
/** Beside enum hisi_bus: a key of test builds, not for users, and not shown to them. */
#define HISI_DEVARG_HIDDEN 0x100

/** Device arguments, checked. */
struct hisi_devargs {
	/** Access point (spim_open()), "device:NAME" (hisi_dev_open()), or "pci". */
	char dev[128];
	int socket_id;                /**< NUMA socket; SOCKET_ID_ANY: where it is probed. */
	uint32_t timeout_ms;          /**< A queue silent for so long has failed; 0: none has. */
	char fault[128];              /**< Faults to inject (qm_dev_fault.h); empty: none. */
	char quirk[512];              /**< Names of quirks (spim_local_conf.quirk); empty: none. */
	struct spim_local_conf local; /**< Options of dev=local. */
};

/** One key. */
struct hisi_devarg {
	const char *key;
	unsigned int buses;   /**< Where it means something: enum hisi_bus. */
	const char *expected; /**< For the log line. */
	/**
	 * Check the value and keep it.
	 * @param args
	 *   What hisi_devargs_parse() was given: a class finds its own by it.
	 * @return 0 or -EINVAL.
	 */
	int (*set)(const char *value, struct hisi_devargs *args);
};

/** A decimal number from min to max. @return 0 or -EINVAL. */
int hisi_devarg_number(const char *value, long min, long max, long *out);

/** The place of value in a NULL-terminated list, or -EINVAL. */
int hisi_devarg_choice(const char *value, const char *const *choices);

/**
 * Parse device arguments: keys of every class, and those of the driver. On the PCI bus the text is
 * for all classes of the function, so that keys of other drivers are none of ours.
 *
 * @param name
 *   Of the device, for log lines.
 * @param text
 *   "key=value,..."; may be NULL or empty. The last one of a key counts.
 * @param args
 *   Filled in, with defaults for keys that text does not have.
 * @return 0, or -EINVAL after a log line that names the wrong key or value.
 */
int hisi_devargs_parse(const struct hisi_driver *driver, const char *name, const char *text,
		enum hisi_bus bus, struct hisi_devargs *args);

#endif /* HISI_DEVARGS_H */
