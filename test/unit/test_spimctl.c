/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What spimctl makes of the service's lines, and how it writes figures and texts. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "print.h"
#include "said.h"

#define KIB 1024.0
#define US  1000.0

static void
test_sizes(void **state)
{
	static const struct {
		double value;
		const char *size, *count;
	} cases[] = {
		{ 0, "0", "0" }, { 1, "1", "1" }, { 999, "999", "999" }, { 999.4, "999", "999" },
		{ 999.5, "1.0K", "1.0K" }, { 1000, "1.0K", "1.0K" }, { 1024, "1.0K", "1.0K" },
		{ 9.9 * KIB, "9.9K", "10K" }, { 9.94 * KIB, "9.9K", "10K" },
		{ 9.95 * KIB, "10K", "10K" }, { 9949, "9.7K", "9.9K" }, { 9950, "9.7K", "10K" },
		{ 10 * KIB, "10K", "10K" },
		{ 999 * KIB, "999K", "1.0M" }, { KIB * KIB, "1.0M", "1.0M" },
		{ 1500000, "1.4M", "1.5M" }, { 1e9, "954M", "1.0G" }, { 1e12, "931G", "1.0T" },
		{ 1e15, "909T", "1.0P" }, { 1e18, "888P", "1.0E" }, { 1e21, "867E", "1000E" },
	};
	char room[PRINT_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(print_size(cases[i].value, room), cases[i].size);
		assert_string_equal(print_count(cases[i].value, room), cases[i].count);
	}
}

static void
test_times(void **state)
{
	static const struct {
		double ns;
		const char *text;
	} times[] = {
		{ 0, "0.0us" }, { 50, "0.1us" }, { 1 * US, "1.0us" }, { 9.94 * US, "9.9us" },
		{ 9950, "10us" }, { 9.96 * US, "10us" }, { 999.4 * US, "999us" },
		{ 999.6 * US, "1.0ms" },
		{ 12345 * US, "12ms" }, { 1e9, "1.0s" }, { 1e13, "10000s" },
	};
	static const struct {
		uint64_t ms;
		const char *text;
	} ages[] = {
		{ 0, "0s" }, { 59999, "59s" }, { 60000, "1m00s" }, { 61000, "1m01s" },
		{ 3599999, "59m59s" }, { 3600000, "1h00m" }, { 86399999, "23h59m" },
		{ 86400000, "1d00h" }, { 90000000, "1d01h" }, { 864000000, "10d00h" },
	};
	struct base_hist h = { 0 };
	char room[3 * PRINT_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(print_time(times[i].ns, room), times[i].text);
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		assert_string_equal(print_age(ages[i].ms, room), ages[i].text);
	assert_string_equal(print_times(&h, room), "-");
	h.bucket[10] = 100; /* 1024 to 2048 ns, evenly */
	assert_string_equal(print_times(&h, room), "1.5us/1.9us/2.0us");
}

static void
test_percentiles(void **state)
{
	struct base_hist h = { 0 };

	(void)state;
	assert_int_equal(hist_count(&h), 0);
	assert_true(hist_percentile(&h, 50) == 0);
	h.bucket[0] = 10; /* 0 to 2 ns */
	assert_true(hist_percentile(&h, 0) == 0);
	assert_true(hist_percentile(&h, 50) == 1);
	assert_true(hist_percentile(&h, 100) == 2);
	h.bucket[3] = 10; /* 8 to 16 */
	assert_int_equal(hist_count(&h), 20);
	assert_true(hist_percentile(&h, 50) == 2);
	assert_true(hist_percentile(&h, 52.5) > 8 && hist_percentile(&h, 52.5) < 9);
	assert_true(hist_percentile(&h, 75) == 12);
	assert_true(hist_percentile(&h, 100) == 16);
	h.bucket[BASE_HIST_BUCKETS - 1] = 20;
	assert_int_equal(hist_count(&h), 40);
	assert_true(hist_percentile(&h, 75) == (double)(3ull << (BASE_HIST_BUCKETS - 2)));
	assert_true(hist_percentile(&h, 100) == (double)(1ull << BASE_HIST_BUCKETS));
}

/* Whatever a process or a path is called, a terminal shows text and nothing else. */
static void
test_clean(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "", "" }, { "plain ~", "plain ~" }, { "a\033[2Jb", "a?[2Jb" }, { "\x7f", "?" },
		{ "\x1f", "?" }, { " ", " " }, { "\n", "?" },
		{ "\xc3\xa9", "\xc3\xa9" }, { "\xc2\x9b", "??" }, { "\xc2\xa0", "\xc2\xa0" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "a\xe2\x80\x8f" "b", "a???b" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "\xe2\x82", "??" },
		{ "\xc3", "?" }, { "\x80", "?" }, { "\xc3x", "?x" },
	};
	char text[300], clean[RECORD_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(print_clean(cases[i].text, clean), cases[i].clean);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(print_clean(text, clean)), RECORD_PATH_MAX - 1);
	/* No half of a character at the end. */
	memcpy(text + RECORD_PATH_MAX - 2, "\xe2\x82\xac", 3);
	print_clean(text, clean);
	assert_int_equal(strlen(clean), RECORD_PATH_MAX - 1);
	assert_int_equal(clean[RECORD_PATH_MAX - 2], '?');
	memcpy(text + RECORD_PATH_MAX - 3, "\xe2\x82\xac", 3);
	print_clean(text, clean);
	assert_int_equal(strlen(clean), RECORD_PATH_MAX - 1);
	assert_string_equal(clean + RECORD_PATH_MAX - 4, "x??");
	memcpy(text + RECORD_PATH_MAX - 4, "\xe2\x82\xacxx", 5);
	print_clean(text, clean);
	assert_memory_equal(clean + RECORD_PATH_MAX - 4, "\xe2\x82\xac", 4);
}

/* ---- Lines ---- */

/* A line, with " for '. @return What snapshot_line() does. */
static int
take(struct snapshot *snap, const char *text)
{
	char line[2048];
	size_t len = strlen(text);

	assert_true(len < sizeof(line));
	for (size_t i = 0; i <= len; i++)
		line[i] = text[i] == '\'' ? '"' : text[i];
	return snapshot_line(snap, line, len);
}

static void
test_lines(void **state)
{
	static const char *const lines[] = {
		"{}",
		("{'service':{'version':'1 2','pid':12,'unknown':[3],'ops':99,"
			"'sleeps':18446744073709551615}}"),
		("{'access_point':{'path':'/a/b%zz\\u001b','mode':'0666','draining':true,"
			"'weight':3,'reserve':2}}"),
		" { 'access_point' : { 'path' : '/other' } } ",
		"{'later':{'kind':1}}",
		/* Whatever a later version may tell, and however deep: here 32 levels. */
		"{'later':{'a':{'b':{'c':[{'d':[[]]}]}}}}", "{'service':{'later':[{'y':1}]}}",
		"{'later':[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		"{'access_point':{'path':'\\n\xf0%0g'}}",
		("{'client':{'id':7,'path':'/a/b%zz\\u001b','command':'told','pid':5,"
			"'errors_by_cause':{'output_full':2,'bad_checksum':1,'bad_data':3,"
			"'internal':4,'other':10,'later':9},"
			"'wait':[1,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
			"0,0,0,0,0,0,5],'service':[0,1],'ops':10,'bytes_in':20,'bytes_out':30,"
			"'errors':4}}"),
		("{'client':{'id':8,'path':'/a/b%zz\\u001b','ops':1,'bytes_in':2,'bytes_out':3,"
			"'errors':1,'errors_by_cause':{'output_full':1},'service':[0,1]}}"),
		"{'client':{'id':9,'path':'/gone','ops':5,'errors_by_cause':{},'wait':[]}}",
		/* What is told twice is what is told last. */
		"{'service':{'version':'longer','version':'1 2'}}",
		"{'queue':{'number':3,'live':true,'waiting':4,'inflight':5,'ops':6}}",
	};
	const long blocks = fail_nth_blocks();
	struct snapshot snap = { 0 };
	const struct record_client *c;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(take(&snap, lines[i]), 0);
	assert_false(snap.complete);
	assert_string_equal(snap.error, "");
	assert_int_equal(take(&snap, "{'end':true}"), 0);
	assert_true(snap.complete);
	assert_int_equal(take(&snap, "{'error':'it is so'}"), 0);
	assert_string_equal(snap.error, "it is so");

	assert_string_equal(snap.service.version, "1 2");
	assert_int_equal(snap.service.pid, 12);
	assert_int_equal(snap.service.ops, 99);
	assert_true(snap.service.sleeps == UINT64_MAX);
	assert_int_equal(snap.points_cnt, 3);
	assert_string_equal(snap.points[2].path, "\n\xf0%0g");
	assert_string_equal(snap.points[0].path, "/a/b%zz\x1b");
	assert_string_equal(snap.points[0].mode, "0666");
	assert_int_equal(snap.points[0].draining, 1);
	assert_int_equal(snap.points[0].weight, 3);
	assert_int_equal(snap.points[1].weight, 0);
	assert_int_equal(snap.clients_cnt, 3);
	c = &snap.clients[0];
	assert_int_equal(c->id, 7);
	assert_int_equal(c->pid, 5);
	assert_string_equal(c->command, ""); /* it is not theirs to tell */
	assert_int_equal(c->totals.cause[0], 2);
	assert_int_equal(c->totals.cause[1], 1);
	assert_int_equal(c->totals.cause[2], 3);
	assert_int_equal(c->totals.cause[8], 4);
	assert_int_equal(c->totals.cause[9], 10);
	for (int i = 3; i < 8; i++)
		assert_int_equal(c->totals.cause[i], 0);
	assert_int_equal(c->totals.wait.bucket[0], 1);
	assert_int_equal(c->totals.wait.bucket[3], 6);
	assert_int_equal(c->totals.wait.bucket[39], 5);
	assert_int_equal(hist_count(&c->totals.wait), 12);
	assert_int_equal(hist_count(&c->totals.service), 1);
	assert_int_equal(snap.clients[1].totals.errors, 1);
	assert_int_equal(snap.queues_cnt, 1);
	assert_int_equal(snap.queues[0].number, 3);
	assert_int_equal(snap.queues[0].live, 1);
	assert_int_equal(snap.queues[0].inflight, 5);

	snapshot_sum(&snap);
	assert_ptr_equal(snapshot_point(&snap, "/other"), &snap.points[1]);
	assert_null(snapshot_point(&snap, "/a"));
	assert_int_equal(snap.points[0].totals.ops, 11);
	assert_int_equal(snap.points[0].totals.bytes_in, 22);
	assert_int_equal(snap.points[0].totals.bytes_out, 33);
	assert_int_equal(snap.points[0].totals.errors, 5);
	assert_int_equal(snap.points[0].totals.cause[0], 3);
	assert_int_equal(snap.points[0].totals.wait.bucket[3], 6);
	assert_int_equal(snap.points[0].totals.service.bucket[1], 2);
	assert_int_equal(snap.points[1].totals.ops, 0);
	snapshot_free(&snap);
	assert_int_equal(snap.points_cnt + snap.clients_cnt + snap.queues_cnt, 0);
	assert_null(snap.points);
	assert_int_equal(fail_nth_blocks(), blocks);
}

/* What no service of ours tells ends the answer. */
static void
test_bad_lines(void **state)
{
	static const char *const lines[] = {
		"", "x", "[]", "1", "'end'", "{'end':true}}", "{'end':true}{}", "{'end':true",
		"service version=1", "{'access_point':1}", "{'access_point':[]}",
		"{'access_point':null}",
		"{'client':{'id':-1}}", "{'client':{'id':1.0}}", "{'client':{'id':'1'}}",
		"{'client':{'id':true}}", "{'client':{'id':null}}", "{'client':{'id':[]}}",
		"{'access_point':{'draining':1}}", "{'access_point':{'draining':'true'}}",
		"{'access_point':{'path':1}}", "{'access_point':{'path':null}}",
		"{'access_point':{'path':'a\\u0000b'}}", "{'access_point':{'mode':'00000666'}}",
		"{'client':{'wait':{}}}", "{'client':{'wait':3}}", "{'client':{'wait':[-1]}}",
		"{'client':{'wait':[[]]}}", "{'client':{'wait':['1']}}",
		"{'client':{'wait':[null]}}", "{'client':{'wait':[1.5]}}",
		"{'client':{'errors_by_cause':[]}}", "{'client':{'errors_by_cause':1}}",
		"{'client':{'errors_by_cause':{'other':'1'}}}",
		"{'client':{'errors_by_cause':{'other':-1}}}",
		/* Too deep for any line: 33 levels. */
		"{'later':[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		"{'later':NaN}", "{'access_point':{'path':'a\nb'}}",
		"{'client':{'id':18446744073709551616}}",
	};
	const long blocks = fail_nth_blocks();
	struct snapshot snap = { 0 };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (take(&snap, lines[i]) != -EINVAL)
			fail_msg("%s: taken", lines[i]);
	assert_int_equal(snapshot_line(&snap, "{}\0", 3), -EINVAL);
	assert_int_equal(snapshot_line(&snap, "{\0}", 3), -EINVAL);
	assert_false(snap.complete);
	/* The longest path, and one byte more. */
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "{'access_point':{'path':'%0*d'}}",
				RECORD_PATH_MAX - 1 + i, 1);
		assert_int_equal(take(&snap, text), i == 0 ? 0 : -EINVAL);
	}
	/* All buckets, and one more. */
	for (int i = 0; i < 2; i++) {
		strcpy(text, "{'client':{'wait':[0");
		for (int n = 1; n < BASE_HIST_BUCKETS + i; n++)
			strcat(text, ",1");
		strcat(text, "]}}");
		assert_int_equal(take(&snap, text), i == 0 ? 0 : -EINVAL);
	}
	snapshot_free(&snap);
	assert_int_equal(fail_nth_blocks(), blocks);
}

static void
test_many_lines(void **state)
{
	long blocks = fail_nth_blocks();
	struct snapshot snap = { 0 };
	char line[64];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "{'client':{'id':%u,'ops':%u}}", i, i * 2);
		assert_int_equal(take(&snap, line), 0);
	}
	assert_int_equal(snap.clients_cnt, 1000);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(snap.clients[i].id, i);
		assert_int_equal(snap.clients[i].totals.ops, i * 2);
		assert_int_equal(snap.clients[i].pid, 0);
	}
	snapshot_free(&snap);
	for (int i = 0; i < 3; i++) {
		static const char *const kinds[] = { "{'access_point':{'path':'/a'}}",
			"{'client':{'id':1}}", "{'queue':{'number':1}}" };

		fail_nth(1);
		assert_int_equal(take(&snap, kinds[i]), -ENOMEM);
		assert_string_equal(fail_nth_end(), "reallocarray");
	}
	snapshot_free(&snap);
	assert_int_equal(fail_nth_blocks(), blocks);
}

static void
test_since(void **state)
{
	struct record_totals now = { 10, 20, 30, 40 }, before = { 1, 2, 3, 4 }, diff;

	(void)state;
	now.cause[9] = 5;
	before.cause[9] = 3;
	now.cause[0] = 1;
	before.cause[0] = 2; /* another service */
	now.wait.bucket[39] = 7;
	before.wait.bucket[39] = 1;
	now.service.bucket[0] = 9;
	before.service.bucket[0] = 2;
	now.service.bucket[1] = before.service.bucket[1] = 3;
	now.service.bucket[2] = 3;
	before.service.bucket[2] = 2;
	totals_since(&now, &before, &diff);
	assert_int_equal(diff.ops, 9);
	assert_int_equal(diff.bytes_in, 18);
	assert_int_equal(diff.bytes_out, 27);
	assert_int_equal(diff.errors, 36);
	assert_int_equal(diff.cause[9], 2);
	assert_int_equal(diff.cause[0], 0);
	assert_int_equal(diff.wait.bucket[39], 6);
	assert_int_equal(diff.service.bucket[0], 7);
	assert_int_equal(diff.service.bucket[1], 0);
	assert_int_equal(diff.service.bucket[2], 1);
}

/* ---- JSON ---- */

static void
test_json(void **state)
{
	static const char want[] = "{ \"number\": 3, \"live\": true, \"asleep\": false, "
		"\"waiting\": 4, \"inflight\": 5, \"ops\": 6, \"bytes_in\": 7, \"bytes_out\": 8, "
		"\"errors\": 9, \"wait\": { \"samples\": 100, \"p50_us\": 1.536, "
		"\"p90_us\": 1.946, \"p99_us\": 2.038 }, \"service\": { \"samples\": 0, "
		"\"p50_us\": null, \"p90_us\": null, \"p99_us\": null } }";
	struct record_totals totals = { .cause = { 1, [9] = 2 } };
	struct json_object *o = json_object_new_object(), *causes;
	struct snapshot snap = { 0 };
	char out[2048], list[2048];
	struct said said;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(take(&snap, "{'queue':{'number':3,'live':true,'waiting':4,"
			"'inflight':5,'ops':6,'bytes_in':7,'bytes_out':8,'errors':9,"
			"'wait':[0,0,0,0,0,0,0,0,0,0,100]}}"), 0);
	assert_true(record_add(o, "two", shown_records(queue_fields, snap.queues, 2,
		sizeof(snap.queues[0]))));
	assert_true(record_add(o, "none", shown_records(queue_fields, snap.queues, 0,
		sizeof(snap.queues[0]))));
	assert_true(record_add(o, "text", shown_text("a\"b\\c/\033")));
	assert_true(record_add_fields(o, totals_fields, &totals, shown_field));
	json_object_object_del(o, "wait");
	json_object_object_del(o, "service");
	assert_true(json_object_object_get_ex(o, "errors_by_cause", &causes));
	assert_int_equal(json_object_object_length(causes), 2);
	said_begin(&said, SAID_OUT);
	assert_int_equal(print_json(o, true), 0);
	said_end(&said, out, sizeof(out));
	snprintf(list, sizeof(list), "{ \"two\": [ %s, %s ], \"none\": [ ], "
		"\"text\": \"a\\\"b\\\\c/?\", "
		"\"errors_by_cause\": { \"output_full\": 1, \"other\": 2 } }\n", want, want);
	assert_string_equal(out, list);
	snapshot_free(&snap);
}

/* What is not complete is not printed. */
static void
test_json_without_memory(void **state)
{
	char out[64], err[64];
	struct said said[2];

	(void)state;
	said_begin(&said[0], SAID_OUT);
	said_begin(&said[1], SAID_ERR);
	assert_int_equal(print_json(json_object_new_object(), false), -1);
	assert_int_equal(print_json(NULL, false), -1);
	said_end(&said[1], err, sizeof(err));
	said_end(&said[0], out, sizeof(out));
	assert_string_equal(out, "");
	assert_string_equal(err, "spimctl: out of memory\nspimctl: out of memory\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_without_memory),
	};

	return cmocka_run_group_tests_name("spimctl", tests, NULL, NULL);
}
