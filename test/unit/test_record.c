/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What the service and spimctl tell each other: there and back, at its longest, and without memory.
 * Those of json-c's functions that allocate fail when the test says so.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record.h"

/* ---- Memory ---- */

static unsigned int left; /* calls until the one that fails; 0: none */
static long held;         /* objects that nothing holds yet */

static bool
fails(void)
{
	return left != 0 && --left == 0;
}

/* One that is made is given to something or freed. */
static struct json_object *
made(struct json_object *object)
{
	held += object != NULL;
	return object;
}

#define MAKES(name, decl, call) \
	struct json_object *__real_##name decl; \
	struct json_object *__wrap_##name decl; \
	struct json_object * \
	__wrap_##name decl \
	{ \
		return fails() ? NULL : made(__real_##name call); \
	} \
	struct json_object *__real_##name decl

MAKES(json_object_new_object, (void), ());
MAKES(json_object_new_array, (void), ());
MAKES(json_object_new_uint64, (uint64_t n), (n));
MAKES(json_object_new_boolean, (json_bool b), (b));
MAKES(json_object_new_string, (const char *text), (text));

int __real_json_object_put(struct json_object *object);
int __wrap_json_object_put(struct json_object *object);
int
__wrap_json_object_put(struct json_object *object)
{
	held -= object != NULL;
	return __real_json_object_put(object);
}

int __real_json_object_array_add(struct json_object *to, struct json_object *value);
int __wrap_json_object_array_add(struct json_object *to, struct json_object *value);
int
__wrap_json_object_array_add(struct json_object *to, struct json_object *value)
{
	if (fails())
		return -1;
	held--;
	return __real_json_object_array_add(to, value);
}

int __real_json_object_object_add_ex(struct json_object *to, const char *key,
		struct json_object *value, unsigned int opts);
int __wrap_json_object_object_add_ex(struct json_object *to, const char *key,
		struct json_object *value, unsigned int opts);
int
__wrap_json_object_object_add_ex(struct json_object *to, const char *key,
		struct json_object *value, unsigned int opts)
{
	/* Both are promised. */
	assert_false(json_object_object_get_ex(to, key, NULL));
	assert_int_equal(opts, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
	if (fails())
		return -1;
	held--;
	return __real_json_object_object_add_ex(to, key, value, opts);
}

struct json_tokener *__real_json_tokener_new_ex(int depth);
struct json_tokener *__wrap_json_tokener_new_ex(int depth);
struct json_tokener *
__wrap_json_tokener_new_ex(int depth)
{
	return fails() ? NULL : __real_json_tokener_new_ex(depth);
}

/* ---- Records ---- */

/* All that fits, told at its longest: bytes that take six, numbers of twenty digits. */
static void
fill(const struct field *fields, void *record)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		char *value = (char *)record + f->offset;

		if (f->kind == FIELD_TEXT || f->kind == FIELD_OURS) {
			memset(value, 0x1f, f->size - 1);
			value[f->size - 1] = '\0';
		} else {
			memset(value, 0xff, f->size);
		}
		if (f->kind == FIELD_FLAG)
			*(uint64_t *)(void *)value = 1;
	}
}

static const struct {
	const struct field *fields;
	size_t size;
} kinds[] = {
	{ service_fields, sizeof(struct record_service) },
	{ point_fields, sizeof(struct record_point) },
	{ client_fields, sizeof(struct record_client) },
	{ queue_fields, sizeof(struct record_queue) },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct json_object *
to_json(const struct field *fields, const void *record)
{
	struct json_object *object = json_object_new_object();

	return record_whole(object, record_add_fields(object, fields, record, NULL));
}

static void
test_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		for (int full = 0; full < 2; full++) {
			union {
				struct record_client client;
				struct record_point point;
				struct record_service service;
				struct record_queue queue;
			} before = { 0 }, after = { 0 };
			struct json_object *object, *back;
			const char *line;
			size_t len;

			if (full)
				fill(kinds[i].fields, &before);
			object = to_json(kinds[i].fields, &before);
			assert_non_null(object);
			line = record_line(object, &len);
			/* With {"access_point":...} around it. */
			assert_in_range(len, 1, RECORD_TEXT_MAX - 18);
			assert_null(memchr(line, '\n', len));
			back = made(record_parse(line, len, 3));
			assert_non_null(back);
			assert_int_equal(record_from_json(kinds[i].fields, &after, back), 0);
			/* The command is not told. */
			if (kinds[i].fields == client_fields)
				memset(before.client.command, 0, sizeof(before.client.command));
			assert_memory_equal(&before, &after, kinds[i].size);
			json_object_put(object);
			json_object_put(back);
			assert_int_equal(held, 0);
		}
	}
}

/* Whatever fails: there is no half of a record, and nothing is kept. */
static void
test_without_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct record_client record = { .totals = { .cause = { 1, 2 },
			.wait.bucket = { 1, 0, 3 } } };
		unsigned int n = 0;

		assert_true(sizeof(record) >= kinds[i].size);
		for (;;) {
			struct json_object *object;

			left = ++n;
			object = to_json(kinds[i].fields, &record);
			if (left != 0) {
				left = 0;
				assert_non_null(object);
				json_object_put(object);
				break;
			}
			assert_null(object);
			assert_int_equal(held, 0);
		}
		assert_true(n > 20);
		assert_int_equal(held, 0);
	}
	left = 1;
	assert_null(record_parse("{}", 2, 2));
	left = 0;
	/* Nothing to add to, and nothing to add. */
	assert_false(record_add(NULL, "key", json_object_new_uint64(1)));
	assert_false(record_add(NULL, NULL, NULL));
	assert_int_equal(held, 0);
}

static void
test_depth(void **state)
{
	static const char *const texts[] = { "{}", "{\"a\":1}", "{\"a\":[1]}", "{\"a\":[[1]]}",
		"{\"a\":{\"b\":{\"c\":[1]}}}" };
	static const int levels[] = { 2, 2, 3, 4, 5 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (int depth = 2; depth < 7; depth++) {
			struct json_object *object = made(record_parse(texts[i],
				strlen(texts[i]), depth));

			assert_int_equal(object != NULL, depth >= levels[i]);
			json_object_put(object);
		}
	}
	assert_int_equal(held, 0);
}

/* What json-c alone takes, and what is JSON all the same. */
static void
test_only_json(void **state)
{
	static const struct { const char *text; bool good; } lines[] = {
		{ "{'a':1}", false }, { "{\"a\":'b'}", false }, { "{\"a\":NaN}", false },
		{ "{\"a\":Infinity}", false }, { "{\"a\":-Infinity}", false },
		{ "{\"a\":\"\n\"}", false }, { "{\"a\":\"\t\"}", false },
		{ "{\"a\":\"\x1f\"}", false }, { "{\"\x01\":1}", false },
		{ "{\"a\":\"\\\n\"}", false }, { "{\"a\"\v:1}", false }, { "{\"a\":1}\f", false },
		{ "{\"a\":1}/**/", false }, { "{\"a\":18446744073709551616}", false },
		{ "{\"a\":[0,99999999999999999999]}", false },
		{ "{\"a\":100000000000000000000}", false },
		{ "{\"a\":-18446744073709551616}", false },
		{ "{\"a\":0.18446744073709551616}", false }, { "{\"a\":01}", false },
		{ "{\"a\":1}}", false }, { "{\"a\":1}{}", false }, { "{\"a\":1", false },
		{ "{\"a\":\"", false }, { "{\"a\":\"\\", false }, { "", false },
		{ " {\t\"a\" :\r\n[ true , false , null ] } ", true },
		{ "{\"a\":18446744073709551615}", true },
		{ "{\"a\":\"99999999999999999999\"}", true },
		{ "{\"a\":\"it's NaN\"}", true }, { "{\"a\":\"\\\"'\\\\\"}", true },
		{ "{\"a\":\"\\u0001\\n\x7f\"}", true }, { "{\"a\":-1.25e+3}", true },
		{ "{\"a\":1E-2}", true }, { "{\"a\":1e400}", true }, { "{\"\":{}}", true },
		/* Those that record.h excepts. */
		{ "{\"a\":\"\xff\xfe\"}", true }, { "{\"a\":[00,-01,01.5]}", true },
		{ "{\"a\":[-.5,1.]}", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct json_object *object = made(record_parse(lines[i].text,
			strlen(lines[i].text), 3));

		if ((object != NULL) != lines[i].good)
			fail_msg("%s", lines[i].text);
		json_object_put(object);
	}
	/* A byte 0, wherever. */
	for (size_t at = 0; at < 10; at++) {
		char line[] = "{\"a\":\"b\"} ";

		line[at] = '\0';
		assert_null(record_parse(line, sizeof(line) - 1, 3));
	}
	assert_int_equal(held, 0);
}

static void
test_numbers_and_texts(void **state)
{
	static const struct { const char *text; bool good; uint64_t n; } numbers[] = {
		{ "0", true, 0 }, { "7", true, 7 }, { "9223372036854775808", true, 1ull << 63 },
		{ "18446744073709551615", true, UINT64_MAX }, { "-1", false, 0 },
		{ "-9223372036854775809", false, 0 }, { "1.0", false, 0 }, { "1e3", false, 0 },
		{ "\"1\"", false, 0 }, { "true", false, 0 }, { "null", false, 0 },
		{ "[1]", false, 0 }, { "{}", false, 0 },
	};
	static const struct { const char *text, *want; } texts[] = {
		{ "\"abc\"", "abc" }, { "\"\"", "" }, { "\"abcd\"", NULL },
		{ "\"a\\u0000\"", NULL }, { "\"\\u0000\"", NULL },
		{ "\"\xff\xfe\"", "\xff\xfe" }, { "\"\\u20ac\"", "\xe2\x82\xac" },
		{ "1", NULL }, { "true", NULL }, { "null", NULL }, { "[]", NULL }, { "{}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct json_object *object = json_tokener_parse(numbers[i].text);
		uint64_t n = 4711;

		if (record_number(object, &n) != numbers[i].good)
			fail_msg("%s", numbers[i].text);
		assert_true(n == (numbers[i].good ? numbers[i].n : 4711));
		__real_json_object_put(object);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_object *object = json_tokener_parse(texts[i].text);
		const char *text = record_text(object, 4);

		if (texts[i].want == NULL)
			assert_null(text);
		else
			assert_string_equal(text, texts[i].want);
		__real_json_object_put(object);
	}
}

static void
test_causes(void **state)
{
	static const int want[] = { [0x0d] = -1, [0x0e] = 0, [0x10] = 1, [0x13] = -1, [0x20] = 2,
		[0x26] = 8, [0x27] = 9, [0x21] = 3, [0x1f] = 9, [0xff] = 9 };
	static const unsigned int statuses[] = { 0x0d, 0x0e, 0x10, 0x13, 0x1f, 0x20, 0x21, 0x26,
		0x27, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		assert_int_equal(record_cause(statuses[i]), want[statuses[i]]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_only_json),
		cmocka_unit_test(test_numbers_and_texts),
		cmocka_unit_test(test_causes),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
