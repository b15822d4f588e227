/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any line of the control socket, of either side. What is taken of it is told again, and taken
 * again, in the room that there is for it; and means the same then.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz_util.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union record {
	struct record_service service;
	struct record_point point;
	struct record_client client;
	struct record_queue queue;
};

static void
tell_again(const struct field *fields, const union record *record)
{
	struct json_object *object = json_object_new_object(), *back;
	union record again = { 0 };
	const char *line;
	size_t len;

	require(record_add_fields(object, fields, record, NULL));
	line = record_line(object, &len);
	require(line != NULL && len <= RECORD_TEXT_MAX && memchr(line, '\n', len) == NULL);
	back = record_parse(line, len, 3);
	require(back != NULL && record_from_json(fields, &again, back) == 0);
	require(memcmp(record, &again, sizeof(again)) == 0);
	json_object_put(back);
	json_object_put(object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct field *const kinds[] = { service_fields, point_fields, client_fields,
		queue_fields };
	struct json_object *object = record_parse((const char *)data, size, 4);

	if (object == NULL)
		return 0;
	json_object_object_foreach(object, key, value) {
		uint64_t number;
		const char *text = record_text(value, 8);

		(void)key;
		require(text == NULL || strlen(text) < 8);
		require(!record_number(value, &number) || json_object_get_uint64(value) == number);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			union record record = { 0 };

			if (record_from_json(kinds[i], &record, value) == 0)
				tell_again(kinds[i], &record);
		}
	}
	json_object_put(object);
	return 0;
}
