/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Device arguments: what each key sets, both sides of each limit, and the line of the log that
 * names key, value and what was expected. No EAL is needed for that.
 */

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_kvargs.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "hisi_zip_devargs.h"

#define VDEV HISI_BUS_VDEV
#define PCI HISI_BUS_PCI
#define OFF HISI_ZIP_SW_OFF
#define AUTO HISI_ZIP_SW_AUTO
#define EXACT HISI_ZIP_SW_EXACT

static struct hisi_zip_devargs out;

/* A machine with two NUMA sockets: 0 and 2. */
__typeof__(rte_socket_count) __wrap_rte_socket_count;
__typeof__(rte_socket_id_by_idx) __wrap_rte_socket_id_by_idx;

unsigned int
__wrap_rte_socket_count(void)
{
	return 2;
}

int
__wrap_rte_socket_id_by_idx(unsigned int idx)
{
	return idx == 0 ? 0 : idx == 1 ? 2 : -1;
}

/* Parse with the log at hand, which is the caller's to free. */
static int
parse(enum hisi_bus bus, const char *args, char **log)
{
	size_t len;
	FILE *f = open_memstream(log, &len);
	int ret;

	assert_non_null(f);
	rte_openlog_stream(f);
	/* Nothing is left from a parse before. */
	memset(&out, 0xa5, sizeof(out));
	ret = hisi_zip_devargs_parse("test", args, bus, &out);
	rte_openlog_stream(NULL);
	fclose(f);
	return ret;
}

static void
right(enum hisi_bus bus, const char *args)
{
	char *log;

	assert_int_equal(parse(bus, args, &log), 0);
	assert_string_equal(log, "");
	free(log);
}

static void
wrong(enum hisi_bus bus, const char *args, const char *fmt, ...)
{
	char line[1024] = "HISI_ZIP: test: ", *log;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + strlen(line), sizeof(line) - strlen(line), fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	assert_int_equal(parse(bus, args, &log), -EINVAL);
	assert_string_equal(log, line);
	free(log);
}

/* All that is set without arguments, but for what the caller looks at. */
static void
check_defaults(const char *dev)
{
	assert_string_equal(out.hisi.dev, dev);
	assert_int_equal(out.hisi.socket_id, -1);
	assert_true(out.sw);
	assert_int_equal(out.hisi.timeout_ms, 30000);
	assert_string_equal(out.hisi.fault, "");
	assert_string_equal(out.hisi.quirk, "");
	assert_int_equal(out.hisi.local.revision, 0x30);
	assert_int_equal(out.hisi.local.plain, 0);
	assert_int_equal(out.hisi.local.copy, 0);
	assert_int_equal(out.hisi.local.queues, 0);
	assert_int_equal(out.hisi.local.workers, 0);
	assert_null(out.hisi.local.fault);
	assert_null(out.hisi.local.quirk);
	assert_true(out.hisi.local.spawn == NULL);
}

static void
test_defaults(void **state)
{
	(void)state;
	right(VDEV, NULL);
	check_defaults("local");
	right(VDEV, "");
	check_defaults("local");
	right(PCI, NULL);
	check_defaults("pci");
	right(PCI, "");
	check_defaults("pci");
}

static void
test_choices(void **state)
{
	static const struct {
		const char *args;
		uint8_t revision, plain, copy;
		enum hisi_zip_sw_mode sw;
	} rows[] = {
		{ "rev=v2", 0x21, 0, 0, AUTO }, { "rev=v3", 0x30, 0, 0, AUTO },
		{ "ext=on", 0x30, 0, 0, AUTO }, { "ext=off", 0x30, 1, 0, AUTO },
		{ "engine=deflate", 0x30, 0, 0, AUTO }, { "engine=copy", 0x30, 0, 1, AUTO },
		{ "sw=auto", 0x30, 0, 0, AUTO }, { "sw=exact", 0x30, 0, 0, EXACT },
		{ "sw=off", 0x30, 0, 0, OFF },
		{ "sw=off,rev=v2,ext=off,engine=copy", 0x21, 1, 1, OFF },
	};
	static const struct {
		const char *key, *expected;
		enum hisi_bus buses;
	} keys[] = {
		{ "rev", "v2 or v3", VDEV }, { "ext", "on or off", VDEV },
		{ "engine", "deflate or copy", VDEV }, { "sw", "auto, exact or off", VDEV },
		{ "sw", "auto, exact or off", PCI },
	};
	static const char *const values[] = { "", "1", "ON", "onn", "v1", "v", "of", "cop" };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		right(VDEV, rows[i].args);
		assert_int_equal(out.hisi.local.revision, rows[i].revision);
		assert_int_equal(out.hisi.local.plain, rows[i].plain);
		assert_int_equal(out.hisi.local.copy, rows[i].copy);
		assert_int_equal(out.sw, rows[i].sw);
	}
	for (size_t k = 0; k < RTE_DIM(keys); k++) {
		for (size_t v = 0; v < RTE_DIM(values); v++) {
			char args[64];

			snprintf(args, sizeof(args), "%s=%s", keys[k].key, values[v]);
			wrong(keys[k].buses, args, "%s, expected %s", args, keys[k].expected);
		}
		wrong(keys[k].buses, keys[k].key, "%s=, expected %s", keys[k].key,
			keys[k].expected);
	}
	right(PCI, "sw=off");
	assert_false(out.sw);
}

/* A number is set, or refused with what was expected. */
static void
number(enum hisi_bus bus, const char *key, long value, const char *expected)
{
	char args[64];

	snprintf(args, sizeof(args), "%s=%ld", key, value);
	if (expected != NULL) {
		wrong(bus, args, "%s, expected %s", args, expected);
		return;
	}
	right(bus, args);
	if (strcmp(key, "workers") == 0)
		assert_int_equal(out.hisi.local.workers, value);
	else if (strcmp(key, "timeout") == 0)
		assert_int_equal(out.hisi.timeout_ms, value);
	else if (strcmp(key, "verify") == 0)
		assert_int_equal(out.verify, value);
	else
		assert_int_equal(out.hisi.socket_id, value);
}

static void
test_numbers(void **state)
{
	static const char *const workers = "0 to 64";
	static const char *const timeout = "0 (none) or 10 to 3600000 ms";
	static const char *const verify = "0 to 1000000000";
	static const char *const socket = "a NUMA socket that this machine has";
	static const struct {
		const char *key;
		const char *const *expected;
	} keys[] = { { "workers", &workers }, { "timeout", &timeout }, { "socket_id", &socket },
		{ "verify", &verify } };
	static const char *const bad[] = {
		"", "-", "x", "1x", "0x10", "1.5", "99999999999999999999", "-99999999999999999999",
		"4294967297",
	};

	(void)state;
	for (long n = 0; n <= 64; n += n < 2 || n > 60 ? 1 : 20)
		number(VDEV, "workers", n, NULL);
	number(VDEV, "workers", -1, workers);
	number(VDEV, "workers", 65, workers);
	number(VDEV, "workers", 65536, workers);
	for (int b = 0; b < 2; b++) {
		enum hisi_bus bus = b == 0 ? VDEV : PCI;

		number(bus, "timeout", 0, NULL);
		for (long n = 1; n < 10; n++)
			number(bus, "timeout", n, timeout);
		number(bus, "timeout", 10, NULL);
		number(bus, "timeout", 3600000, NULL);
		number(bus, "timeout", 3600001, timeout);
		number(bus, "timeout", -10, timeout);
		number(bus, "verify", 0, NULL);
		number(bus, "verify", 1000000000, NULL);
		number(bus, "verify", 1000000001, verify);
		number(bus, "verify", -1, verify);
		number(bus, "socket_id", 0, NULL);
		number(bus, "socket_id", 1, socket);
		number(bus, "socket_id", 2, NULL);
		number(bus, "socket_id", 3, socket);
		number(bus, "socket_id", RTE_MAX_NUMA_NODES - 1, socket);
		number(bus, "socket_id", RTE_MAX_NUMA_NODES, socket);
		number(bus, "socket_id", -1, socket);
	}
	for (size_t k = 0; k < RTE_DIM(keys); k++) {
		for (size_t i = 0; i < RTE_DIM(bad); i++) {
			char args[64];

			snprintf(args, sizeof(args), "%s=%s", keys[k].key, bad[i]);
			wrong(VDEV, args, "%s, expected %s", args, *keys[k].expected);
		}
	}
	/* One wrong value is enough, wherever it stands. */
	wrong(VDEV, "workers=x,workers=6", "workers=x, expected %s", workers);
	wrong(VDEV, "sw=off,timeout=5,nokey=1", "timeout=5, expected %s", timeout);
}

static void
test_strings(void **state)
{
	char args[600], value[520];

	(void)state;
	right(VDEV, "dev=unix:/some/where");
	assert_string_equal(out.hisi.dev, "unix:/some/where");
	right(VDEV, "fault=stall@25+status:0x26/7");
	assert_string_equal(out.hisi.fault, "stall@25,status=0x26/7");
	for (size_t len = 126; len <= 129; len++) {
		memset(value, 'v', len);
		value[len] = '\0';
		snprintf(args, sizeof(args), "dev=%s", value);
		if (len < 128) {
			right(VDEV, args);
			assert_string_equal(out.hisi.dev, value);
		} else {
			wrong(VDEV, args, "%s, expected local", args);
		}
		snprintf(args, sizeof(args), "fault=%s", value);
		if (len < 128) {
			right(VDEV, args);
			assert_string_equal(out.hisi.fault, value);
		} else {
			wrong(VDEV, args, "%s, expected a list of faults of less than 128 "
				"characters", args);
		}
	}
	right(VDEV, "quirk=room-200:dw31-zero");
	assert_string_equal(out.hisi.quirk, "room-200:dw31-zero");
	for (size_t len = 511; len <= 512; len++) {
		memset(value, 'v', len);
		value[len] = '\0';
		snprintf(args, sizeof(args), "quirk=%s", value);
		if (len < 512) {
			right(VDEV, args);
			assert_string_equal(out.hisi.quirk, value);
		} else {
			wrong(VDEV, args, "%s, expected names of quirks separated by ':', less "
				"than 512 characters", args);
		}
	}
	wrong(VDEV, "dev=", "dev=, expected local");
	wrong(VDEV, "quirk=", "quirk=, expected names of quirks separated by ':', less than 512 "
		"characters");
	wrong(VDEV, "fault=", "fault=, expected a list of faults of less than 128 characters");
}

static void
test_unknown(void **state)
{
	static const char vdev_keys[] =
		"dev, workers, rev, ext, engine, quirk, sw, verify, timeout, "
		"socket_id";
	static const char pci_keys[] = "class, sw, verify, timeout, socket_id";
	static const char *const vdev_only[] = {
		"dev=local", "workers=1", "rev=v3", "ext=on", "engine=copy", "quirk=room-200",
		"fault=stall@1",
	};
	char many[(RTE_KVARGS_MAX + 1) * 8] = "";

	(void)state;
	wrong(VDEV, "nokey=7", "unknown device argument nokey=7, expected one of %s", vdev_keys);
	wrong(VDEV, "sw=auto,worker=1", "unknown device argument worker=1, expected one of %s",
		vdev_keys);
	wrong(VDEV, "alone", "unknown device argument alone=, expected one of %s", vdev_keys);
	wrong(PCI, "nokey=7", "unknown device argument nokey=7, expected one of %s", pci_keys);
	for (size_t i = 0; i < RTE_DIM(vdev_only); i++)
		wrong(PCI, vdev_only[i], "unknown device argument %s, expected one of %s",
			vdev_only[i], pci_keys);
	/* More than a list of arguments can have. */
	for (unsigned int i = 0; i < RTE_KVARGS_MAX + 1; i++)
		strcat(many, i == 0 ? "sw=auto" : ",sw=auto");
	wrong(VDEV, many, "device arguments \"%s\", expected key=value,...", many);
}

/* Each key of each bus: nobody is to guess which one counts. */
static void
test_twice(void **state)
{
	static const char *const args[] = {
		"dev=local", "workers=5", "rev=v3", "ext=on", "engine=copy", "quirk=room-200",
		"sw=auto", "verify=1", "timeout=10", "socket_id=0", "fault=stall@1",
	};
	static const char *const pci_args[] = { "class=compress", "sw=off", "socket_id=2" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(args) + RTE_DIM(pci_args); i++) {
		enum hisi_bus bus = i < RTE_DIM(args) ? VDEV : PCI;
		const char *arg = bus == VDEV ? args[i] : pci_args[i - RTE_DIM(args)];

		snprintf(text, sizeof(text), "%s,%s", arg, arg);
		wrong(bus, text, "%.*s is given twice, expected once", (int)strcspn(arg, "="),
			arg);
	}
	wrong(VDEV, "workers=5,sw=off,workers=y", "workers is given twice, expected once");
}

/* A line as long as the user likes is cut, not lost. */
static void
test_long(void **state)
{
	static const char before[] = "HISI_ZIP: test: unknown device argument nokey=vvv";
	char args[2000], *log;

	(void)state;
	memset(args, 'v', sizeof(args));
	memcpy(args, "nokey=", 6);
	args[sizeof(args) - 1] = '\0';
	assert_int_equal(parse(VDEV, args, &log), -EINVAL);
	assert_memory_equal(log, before, sizeof(before) - 1);
	assert_int_equal(strlen(log), strlen("HISI_ZIP: ") + 1023 + 1);
	assert_string_equal(log + strlen(log) - 2, "v\n");
	free(log);
}

/* Whether it goes well or not, nothing is kept. */
static void
test_no_leak(void **state)
{
	size_t before = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		right(VDEV, "dev=local,workers=1");
		wrong(VDEV, "workers=65", "workers=65, expected 0 to 64");
		wrong(VDEV, "sw=auto,nokey=7", "unknown device argument nokey=7, expected one of "
			"dev, workers, rev, ext, engine, quirk, sw, verify, timeout, socket_id");
		if (i == 2)
			before = mallinfo2().uordblks;
	}
	assert_int_equal(mallinfo2().uordblks, before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_no_leak),
	};

	return cmocka_run_group_tests_name("pmd_devargs", tests, NULL, NULL);
}
