/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vfio_user_json.h"

#define DEPTH_MAX 8  /* of objects and arrays within each other */
#define KEY_MAX   32 /* longer names are none that we know */

/* Text being read; the first thing that is wrong ends it. */
struct json {
	const char *at;
	const char *end;
	const char *what;
	struct vfio_user_caps *caps;
};

/* A member of an object, its value not yet read. */
typedef bool (*member_t)(struct json *j, unsigned int depth, const char *key);

static bool skip_value(struct json *j, unsigned int depth);

static bool
json_fail(struct json *j, const char *what)
{
	if (j->what == NULL)
		j->what = what;
	return false;
}

/* The next character that is no white space; 0: the end. */
static char
peek(struct json *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' ||
			*j->at == '\r'))
		j->at++;
	return j->at < j->end ? *j->at : '\0';
}

static bool
expect(struct json *j, char c)
{
	if (peek(j) != c)
		return json_fail(j, "not JSON");
	j->at++;
	return true;
}

/* A string; key gets it if it is short and plain, else "". */
static bool
string(struct json *j, char *key)
{
	size_t n = 0;
	bool plain = true;

	if (!expect(j, '"'))
		return false;
	for (; j->at < j->end && *j->at != '"'; j->at++) {
		if ((unsigned char)*j->at < 0x20)
			return json_fail(j, "control character in a string");
		if (*j->at == '\\') {
			plain = false;
			if (++j->at == j->end)
				break;
			if (*j->at == 'u') {
				for (int i = 0; i < 4; i++)
					if (++j->at >= j->end || !isxdigit((unsigned char)*j->at))
						return json_fail(j, "wrong escape in a string");
			} else if (strchr("\"\\/bfnrt", *j->at) == NULL || *j->at == '\0')
				return json_fail(j, "wrong escape in a string");
			continue;
		}
		if (n < KEY_MAX - 1)
			key[n] = *j->at;
		n++;
	}
	if (j->at >= j->end)
		return json_fail(j, "string without an end");
	j->at++;
	key[plain && n < KEY_MAX ? n : 0] = '\0';
	return true;
}

static bool
object(struct json *j, unsigned int depth, member_t member)
{
	char key[KEY_MAX];

	if (depth > DEPTH_MAX)
		return json_fail(j, "too deep");
	if (!expect(j, '{'))
		return false;
	if (peek(j) == '}') {
		j->at++;
		return true;
	}
	for (;;) {
		if (!string(j, key) || !expect(j, ':'))
			return false;
		if (member != NULL ? !member(j, depth, key) : !skip_value(j, depth))
			return false;
		if (peek(j) != ',')
			return expect(j, '}');
		j->at++;
	}
}

static bool
array(struct json *j, unsigned int depth)
{
	if (depth > DEPTH_MAX)
		return json_fail(j, "too deep");
	if (!expect(j, '['))
		return false;
	if (peek(j) == ']') {
		j->at++;
		return true;
	}
	for (;;) {
		if (!skip_value(j, depth))
			return false;
		if (peek(j) != ',')
			return expect(j, ']');
		j->at++;
	}
}

static bool
json_word(struct json *j, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(j->end - j->at) < n || memcmp(j->at, text, n) != 0)
		return json_fail(j, "not JSON");
	j->at += n;
	return true;
}

static size_t
digits(struct json *j)
{
	const char *from = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return (size_t)(j->at - from);
}

static bool
skip_number(struct json *j)
{
	if (*j->at == '-')
		j->at++;
	if (j->at < j->end && *j->at == '0')
		j->at++;
	else if (digits(j) == 0)
		return json_fail(j, "not JSON");
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		if (digits(j) == 0)
			return json_fail(j, "not JSON");
	}
	if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
		j->at++;
		if (j->at < j->end && (*j->at == '+' || *j->at == '-'))
			j->at++;
		if (digits(j) == 0)
			return json_fail(j, "not JSON");
	}
	return true;
}

static bool
skip_value(struct json *j, unsigned int depth)
{
	char key[KEY_MAX];

	switch (peek(j)) {
	case '{':
		return object(j, depth + 1, NULL);
	case '[':
		return array(j, depth + 1);
	case '"':
		return string(j, key);
	case 't':
		return json_word(j, "true");
	case 'f':
		return json_word(j, "false");
	case 'n':
		return json_word(j, "null");
	case '\0':
		return json_fail(j, "not JSON");
	default:
		return skip_number(j);
	}
}

/* A whole number from 0 to max. */
static bool
json_number(struct json *j, uint64_t max, const char *what, uint64_t *value)
{
	const char *from;
	uint64_t v = 0;

	peek(j);
	from = j->at;
	while (j->at < j->end && *j->at >= '0' && *j->at <= '9') {
		uint64_t digit = (uint64_t)(*j->at - '0');

		if (v > (max - digit) / 10 || digit > max)
			return json_fail(j, what);
		v = v * 10 + digit;
		j->at++;
	}
	if (j->at == from || (j->at - from > 1 && *from == '0') ||
			(j->at < j->end && strchr(".eE", *j->at) != NULL))
		return json_fail(j, what);
	*value = v;
	return true;
}

static bool
number32(struct json *j, const char *what, uint32_t *value)
{
	uint64_t v;

	if (!json_number(j, UINT32_MAX, what, &v))
		return false;
	*value = (uint32_t)v;
	return true;
}

static bool
boolean(struct json *j, const char *what, bool *value)
{
	char c = peek(j);

	*value = c == 't';
	return c == 't' ? json_word(j, "true") : c == 'f' ? json_word(j, "false") :
		json_fail(j, what);
}

static bool
spim_member(struct json *j, unsigned int depth, const char *key)
{
	struct vfio_user_spim *spim = &j->caps->spim;

	if (strcmp(key, "version") == 0)
		return number32(j, "spim.version", &j->caps->spim_version);
	if (strcmp(key, "doorbell_region") == 0)
		return number32(j, "spim.doorbell_region", &spim->doorbell_region);
	if (strcmp(key, "wake_region") == 0)
		return number32(j, "spim.wake_region", &spim->wake_region);
	if (strcmp(key, "wake_offset") == 0)
		return json_number(j, UINT64_MAX, "spim.wake_offset", &spim->wake_offset);
	return skip_value(j, depth);
}

static bool
caps_member(struct json *j, unsigned int depth, const char *key)
{
	struct vfio_user_caps *c = j->caps;

	if (strcmp(key, "max_msg_fds") == 0)
		return number32(j, "max_msg_fds", &c->max_msg_fds);
	if (strcmp(key, "max_data_xfer_size") == 0)
		return number32(j, "max_data_xfer_size", &c->max_xfer);
	if (strcmp(key, "max_dma_maps") == 0)
		return number32(j, "max_dma_maps", &c->max_dma_maps);
	if (strcmp(key, "write_multiple") == 0)
		return boolean(j, "write_multiple", &c->write_multiple);
	if (strcmp(key, "spim") == 0)
		return object(j, depth + 1, spim_member);
	return skip_value(j, depth);
}

static bool
top_member(struct json *j, unsigned int depth, const char *key)
{
	return strcmp(key, "capabilities") == 0 ? object(j, depth + 1, caps_member) :
		skip_value(j, depth);
}

int
vfio_user_caps_parse(const char *text, size_t len, struct vfio_user_caps *caps, const char **what)
{
	struct json j = { .at = text, .end = text + len, .caps = caps };

	*caps = (struct vfio_user_caps){ .max_msg_fds = 1, .max_xfer = VFIO_USER_XFER_MAX,
		.max_dma_maps = VFIO_USER_DMA_MAPS_MAX };
	*what = NULL;
	if (len == 0)
		return 0;
	if (object(&j, 1, top_member) && (peek(&j), j.at != j.end))
		json_fail(&j, "text behind the end");
	*what = j.what;
	return j.what == NULL ? 0 : -EINVAL;
}

size_t
vfio_user_caps_format(const struct vfio_user_caps *caps, bool server, char *text)
{
	char *at = text, *end = text + VFIO_USER_CAPS_MAX;

	at += snprintf(at, (size_t)(end - at), "{\"capabilities\":{\"max_msg_fds\":%" PRIu32
			",\"max_data_xfer_size\":%" PRIu32 ",\"max_dma_maps\":%" PRIu32
			",\"pgsizes\":%u,\"write_multiple\":%s", caps->max_msg_fds, caps->max_xfer,
			caps->max_dma_maps, VFIO_USER_PAGE,
			caps->write_multiple ? "true" : "false");
	if (caps->spim_version != 0) {
		at += snprintf(at, (size_t)(end - at), ",\"spim\":{\"version\":%" PRIu32,
				caps->spim_version);
		if (server)
			at += snprintf(at, (size_t)(end - at), ",\"doorbell_region\":%" PRIu32
					",\"wake_region\":%" PRIu32 ",\"wake_offset\":%" PRIu64,
					caps->spim.doorbell_region, caps->spim.wake_region,
					caps->spim.wake_offset);
		at += snprintf(at, (size_t)(end - at), "}");
	}
	at += snprintf(at, (size_t)(end - at), "}}");
	return (size_t)(at - text) + 1;
}
