/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The command line: every option at its bounds, and what each sets, which is nothing else. */

#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hisi_qm_regs.h"
#include "options.h"
#include "said.h"
#include "qm_classes.h"
#include "qm_dev.h"

#define GIB  (1024ull * 1024 * 1024)
#define LONG "/2345678901234567890123456789012345678901234567890123456789012345678901234567890" \
	"12345678901234567890123456" /* 106 bytes */

static char said[4096]; /* on standard error and output */

/* A command line of words with spaces between them. */
static enum options_result
parse(const char *line, struct options *opt)
{
	static char words[4096]; /* the options point to it */
	char *argv[256], *rest = NULL;
	enum options_result result;
	struct said s;
	int argc = 0;

	snprintf(words, sizeof(words), "spimdevd %s", line);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	argv[argc] = NULL;
	optind = 0;
	said_begin(&s, SAID_BOTH);
	result = options_parse(argc, argv, opt);
	said_end(&s, said, sizeof(said));
	return result;
}

/* With one access point in front. */
static struct options
good(const char *line)
{
	struct options opt;
	char all[4096];

	snprintf(all, sizeof(all), "--listen /a %s", line);
	if (parse(all, &opt) != OPTIONS_RUN)
		fail_msg("%s: %s", line, said);
	assert_string_equal(said, "");
	return opt;
}

static void
bad(const char *line, const char *want)
{
	struct options opt;
	char all[4096];

	snprintf(all, sizeof(all), "--listen /a %s", line);
	if (parse(all, &opt) != OPTIONS_WRONG)
		fail_msg("%s: taken", line);
	if (strncmp(said, "spimdevd: ", 10) != 0 || strstr(said, want) == NULL ||
			strstr(said, "; see spimdevd --help\n") == NULL)
		fail_msg("%s: expected '%s', said: %s", line, want, said);
}

static void
test_defaults(void **state)
{
	static const struct limits connection = { 0, 64, 2048 * GIB, 20480, 65535, 1024, 0 };
	static const struct limits user = { 8192, 0, 8192 * GIB, 24576, 262144, 4096, 0 };
	struct options opt = good("");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	assert_int_equal(opt.listen_cnt, 1);
	assert_string_equal(opt.listen[0].path, "/a");
	assert_int_equal(opt.listen[0].reserve, 0);
	assert_int_equal(opt.listen[0].weight, 1);
	assert_int_equal(opt.listen[0].mode, 0666);
	assert_string_equal(opt.control.path, "/a.control");
	assert_int_equal(opt.control.mode, 0600);
	assert_false(opt.control_set);
	assert_int_equal(opt.revision, HISI_QM_REV_V3);
	assert_true(opt.ext);
	assert_true(opt.sandbox);
	assert_false(opt.isolation);
	assert_false(opt.copy);
	assert_false(opt.verbose);
	assert_null(opt.run_as);
	assert_null(opt.fault);
	assert_int_equal(opt.queues, HISI_QM_QUEUES_MAX);
	assert_int_equal(opt.workers, cpus > QM_DEV_WORKERS_MAX ? QM_DEV_WORKERS_MAX : cpus);
	assert_memory_equal(&opt.per_connection, &connection, sizeof(connection));
	assert_memory_equal(&opt.per_user, &user, sizeof(user));
}

static void
test_switches(void **state)
{
	(void)state;
	assert_int_equal(good("--rev v2").revision, HISI_QM_REV_V2);
	assert_int_equal(good("--rev v3").revision, HISI_QM_REV_V3);
	assert_false(good("--ext off").ext);
	assert_true(good("--ext on").ext);
	assert_true(good("--isolation on").isolation);
	assert_false(good("--isolation off").isolation);
	assert_false(good("--isolation off --rev v2").isolation);
	assert_false(good("--sandbox off").sandbox);
	assert_true(good("--sandbox on").sandbox);
	assert_true(good("--engine copy").copy);
	assert_false(good("--engine deflate").copy);
	assert_true(good("--verbose").verbose);
	assert_string_equal(good("--run-as nobody").run_as, "nobody");
	assert_string_equal(good("--fault hang@1").fault, "hang@1");
	bad("--rev v4", "--rev 'v4', expected v3 or v2");
	bad("--ext yes", "--ext 'yes', expected on or off");
	bad("--isolation yes", "--isolation 'yes'");
	bad("--sandbox yes", "--sandbox 'yes'");
	bad("--engine fast", "--engine 'fast', expected copy or deflate");
	bad("--run-as ''", "--run-as ''");
	bad("--isolation on --rev v2", "--isolation 'on' with --rev v2");
}

static void
test_numbers(void **state)
{
	(void)state;
	assert_int_equal(good("--workers 1").workers, 1);
	assert_int_equal(good("--workers 64").workers, 64);
	bad("--workers 0", "--workers '0', expected a number from 1 to 64;");
	bad("--workers 65", "--workers '65'");
	bad("--workers ''", "--workers ''");
	bad("--workers -1", "--workers '-1'");
	bad("--workers +1", "--workers '+1'");
	bad("--workers 1K", "--workers '1K'");
	bad("--workers 1x", "--workers '1x'");
	assert_int_equal(good("--queues 1").queues, 1);
	assert_int_equal(good("--queues 1024").queues, 1024);
	bad("--queues 0", "--queues '0'");
	bad("--queues 1025", "from 1 to 1024");
	bad("--queues 99999999999999999999", "--queues '99999999999999999999'");
}

/* Each limit is set where it belongs, at its greatest, and nothing more is. */
static void
test_limits(void **state)
{
	static const struct {
		const char *name;
		size_t off;
		uint64_t max[2]; /* of a connection, of a user */
	} limits[] = {
		{ "queues", offsetof(struct limits, queues), { 1024, 1024 } },
		{ "files", offsetof(struct limits, files), { 65535, 65535 } },
		{ "maps", offsetof(struct limits, maps), { 65535, 1u << 20 } },
		{ "streams", offsetof(struct limits, streams), { 1u << 20, 1u << 20 } },
		{ "ops", offsetof(struct limits, ops), { 1u << 20, 1u << 20 } },
		{ "memory", offsetof(struct limits, memory), { UINT64_MAX / 2, UINT64_MAX / 2 } },
		{ "connections", offsetof(struct limits, connections), { 0, 1u << 20 } },
	};
	struct options plain = good(""), opt;
	char line[128], want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		for (int user = 0; user < 2; user++) {
			const char *of = user != 0 ? "user-" : "";
			struct limits *got = user != 0 ? &opt.per_user : &opt.per_connection;
			uint64_t values[] = { 0, 1, limits[i].max[user] };

			if (user == 0 && strcmp(limits[i].name, "connections") == 0) {
				bad("--limit-connections 1", "unknown option");
				continue;
			}
			for (size_t k = 0; k < 3; k++) {
				uint64_t *at;

				snprintf(line, sizeof(line), "--limit-%s%s %llu", of,
						limits[i].name, (unsigned long long)values[k]);
				opt = good(line);
				at = (uint64_t *)((char *)got + limits[i].off);
				assert_true(*at == values[k]);
				*at = *(uint64_t *)((char *)(user != 0 ? &plain.per_user :
						&plain.per_connection) + limits[i].off);
				assert_memory_equal(&opt.per_user, &plain.per_user,
						sizeof(opt.per_user));
				assert_memory_equal(&opt.per_connection, &plain.per_connection,
						sizeof(opt.per_connection));
			}
			snprintf(line, sizeof(line), "--limit-%s%s %llu", of, limits[i].name,
					(unsigned long long)limits[i].max[user] + 1);
			snprintf(want, sizeof(want), "--limit-%s%s '", of, limits[i].name);
			bad(line, want);
			snprintf(line, sizeof(line), "--limit-%s%s 1K", of, limits[i].name);
			if (strcmp(limits[i].name, "memory") != 0)
				bad(line, want);
		}
}

static void
test_sizes(void **state)
{
	(void)state;
	assert_true(good("--limit-memory 3").per_connection.memory == 3);
	assert_true(good("--limit-memory 3K").per_connection.memory == 3ull << 10);
	assert_true(good("--limit-memory 3M").per_connection.memory == 3ull << 20);
	assert_true(good("--limit-memory 3G").per_connection.memory == 3ull << 30);
	assert_true(good("--limit-memory 3T").per_connection.memory == 3ull << 40);
	assert_true(good("--limit-memory 8388607T").per_connection.memory == 8388607ull << 40);
	bad("--limit-memory 8388608T", "--limit-memory '8388608T'");
	/* Shifted out altogether it would be 0, which is no limit. */
	bad("--limit-memory 16777216T", "--limit-memory '16777216T'");
	bad("--limit-memory 18446744073709551616", "--limit-memory '18446744073709551616'");
	bad("--limit-memory 1k", "--limit-memory '1k'");
	bad("--limit-memory 1KK", "--limit-memory '1KK'");
	bad("--limit-memory 1P", "with K, M, G or T behind it");
	bad("--limit-memory K", "--limit-memory 'K'");
}

static void
test_access_points(void **state)
{
	struct options opt = good("--listen /b,weight=1000,reserve=1024,mode=0777 "
			"--listen /c,mode=0,weight=1,reserve=0");

	(void)state;
	assert_int_equal(opt.listen_cnt, 3);
	assert_string_equal(opt.listen[1].path, "/b");
	assert_int_equal(opt.listen[1].weight, 1000);
	assert_int_equal(opt.listen[1].reserve, 1024);
	assert_int_equal(opt.listen[1].mode, 0777);
	assert_int_equal(opt.listen[2].mode, 0);
	assert_int_equal(opt.listen[2].weight, 1);
	assert_int_equal(opt.listen[2].reserve, 0);
	assert_string_equal(opt.control.path, "/a.control");
	bad("--listen /b,weight=0", "--listen weight= '0', expected a number from 1 to 1000");
	bad("--listen /b,weight=1001", "--listen weight= '1001'");
	bad("--listen /b,reserve=1025", "--listen reserve= '1025', expected a number from 0 to");
	bad("--listen /b,mode=1000", "--listen mode='1000'");
	bad("--listen /b,mode=8", "--listen mode='8'");
	bad("--listen /b,mode=07x", "--listen mode='07x'");
	bad("--listen /b,mode=", "--listen mode=''");
	bad("--listen /b,mode=-1", "--listen mode='-1'");
	assert_int_equal(good("--listen /b,quirk=produced-data:status-30").listen[1].quirks,
			ZIP_DEV_QUIRK_BIT(PRODUCED_DATA) | ZIP_DEV_QUIRK_BIT(STATUS_30));
	assert_int_equal(good("--listen /b").listen[1].quirks, 0);
	bad("--listen /b,quirk=", "--listen quirk='', expected some of produced-data:");
	bad("--listen /b,quirk=sge-16:sge-17", "--listen quirk='sge-17', expected some of");
	bad("--listen /b,color=1", "--listen color=: unknown key");
	bad("--listen /b,weight", "'weight', expected reserve=, weight=, mode= or quirk=");
	bad("--listen ''", "--listen without a path");
	bad("--listen ,", "--listen without a path");
	bad("--listen /b,", "--listen '/b': '', expected reserve=, weight=, mode= or quirk=");
	bad("--listen /b,,weight=1", "--listen '/b': '', expected reserve=,");
	bad("--listen /b,weight=1,", "--listen '/b': '', expected reserve=,");
	bad("--listen /a", "--listen '/a' given twice");
	bad("--listen /b,reserve=3 --listen /c,reserve=2 --queues 4", "5 queues reserved in all, "
			"expected at most 4");
	assert_int_equal(good("--listen /b,reserve=2 --listen /c,reserve=2 --queues 4").queues, 4);
}

static void
test_many_access_points(void **state)
{
	struct options opt;
	char line[4000] = "";

	(void)state;
	for (int i = 1; i < OPTIONS_LISTEN_MAX; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "--listen /%d ", i);
	opt = good(line);
	assert_int_equal(opt.listen_cnt, OPTIONS_LISTEN_MAX);
	strcat(line, "--listen /b");
	bad(line, "--listen given more than");
}

static void
test_paths(void **state)
{
	struct options opt;

	(void)state;
	assert_int_equal(parse("--listen " LONG "7 --control none", &opt), OPTIONS_RUN);
	assert_string_equal(opt.listen[0].path, LONG "7");
	assert_string_equal(opt.control.path, "");
	assert_int_equal(parse("--listen " LONG "78 --control none", &opt), OPTIONS_WRONG);
	assert_non_null(strstr(said, "108 bytes, expected 107 at most"));
	/* ".control" behind it must fit, too. */
	assert_int_equal(parse("--listen " LONG "7", &opt), OPTIONS_WRONG);
	assert_non_null(strstr(said, "no room for .control behind it"));
	assert_int_equal(parse("--listen /1234567" "89012345678901234567890123456789012345678901234"
			"56789012345678901234567890123456789012345678", &opt), OPTIONS_RUN);
	assert_int_equal(strlen(opt.listen[0].path), 99);
	assert_int_equal(strlen(opt.control.path), 107);
	assert_int_equal(parse("--listen /1234567" "89012345678901234567890123456789012345678901234"
			"567890123456789012345678901234567890123456789", &opt), OPTIONS_WRONG);

	opt = good("--control /c,mode=0640");
	assert_string_equal(opt.control.path, "/c");
	assert_int_equal(opt.control.mode, 0640);
	assert_true(opt.control_set);
	assert_int_equal(good("--control /c").control.mode, 0600);
	assert_string_equal(good("--control none").control.path, "");
	bad("--control /a", "--control '/a' is the path of an access point");
	bad("--listen /b --control /b", "--control '/b' is the path of an access point");
	bad("--control /c,weight=1", "--control weight=: unknown key, expected mode");
	bad("--control /c,mode=1000", "--control mode='1000'");
}

static void
test_words(void **state)
{
	struct options opt;

	(void)state;
	assert_int_equal(parse("", &opt), OPTIONS_WRONG);
	assert_non_null(strstr(said, "--listen is missing"));
	assert_int_equal(parse("--help", &opt), OPTIONS_DONE);
	assert_int_equal(strncmp(said, "Usage: spimdevd --listen", 24), 0);
	assert_int_equal(parse("--version", &opt), OPTIONS_DONE);
	assert_string_equal(said, "spimdevd " SPIMDEV_VERSION "\n");
	/* What is wrong before it counts. */
	assert_int_equal(parse("word --help", &opt), OPTIONS_WRONG);
	bad("word", "unexpected argument 'word'");
	bad("-- word", "unexpected argument 'word'");
	bad("--workers", "--workers without a value");
	bad("--nonsense", "unknown option --nonsense");
	bad("-x", "unknown option -x");
	bad("-xh", "unknown option -x");
	assert_int_equal(parse("-h", &opt), OPTIONS_DONE);
	assert_int_equal(strncmp(said, "Usage: spimdevd --listen", 24), 0);
	assert_int_equal(parse("-V", &opt), OPTIONS_DONE);
	assert_string_equal(said, "spimdevd " SPIMDEV_VERSION "\n");
}

/* Whoever says two things is not asked to guess which one counts. */
static void
test_twice(void **state)
{
	static const char *const twice[] = {
		"--workers 1", "--queues 4", "--rev v3", "--ext on", "--isolation off",
		"--sandbox on", "--engine copy", "--run-as nobody", "--verbose", "--control /c",
		"--control none", "--fault hang@1", "--limit-memory 1G", "--limit-user-memory 1G",
		"--limit-user-connections 5",
	};
	static const char *const keys[] = {
		"reserve=1", "weight=1", "mode=0600", "quirk=status-30",
	};
	char line[128], want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		snprintf(line, sizeof(line), "%s %s", twice[i], twice[i]);
		snprintf(want, sizeof(want), "%.*s given twice", (int)strcspn(twice[i], " "),
				twice[i]);
		bad(line, want);
	}
	good("--limit-maps 5 --limit-user-maps 5");
	bad("--limit-maps 5 --workers 1 --limit-maps 6", "--limit-maps given twice");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(line, sizeof(line), "--listen /b,%s,%s", keys[i], keys[i]);
		snprintf(want, sizeof(want), "--listen '/b': %.*s given twice",
				(int)strcspn(keys[i], "=") + 1, keys[i]);
		bad(line, want);
	}
	bad("--listen /b,weight=1,mode=0600,weight=2", "--listen '/b': weight= given twice");
	bad("--control /c,mode=0600,mode=0640", "--control '/c': mode= given twice");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_access_points),
		cmocka_unit_test(test_many_access_points),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
