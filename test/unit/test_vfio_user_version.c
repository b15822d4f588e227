/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* VERSION, and the capabilities in it. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_json.h"

/* A body of VERSION that ends the connection after an error reply and one line. */
static void
refused(struct vt *t, const void *body, size_t len)
{
	unsigned int lines = t->seen.lines;
	int sock = vt_connect(t);

	vt_error(sock, vt_send(sock, VFIO_USER_VERSION, 0, body, len, NULL, 0), EINVAL);
	vt_closed(sock);
	close(sock);
	vt_only_victim(t);
	assert_int_equal(t->seen.lines, lines + 1);
	vt_victim_works(t);
}

static void
test_bad(void **state)
{
	static const char no_xfer[] =
		"\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":0}}";
	uint8_t body[5000] = { 0 };
	struct vt t;
	int sock, fd;

	(void)state;
	vt_start(&t, NULL);
	for (size_t len = 0; len < 4; len++)
		refused(&t, "\0\0\0\0", len);
	refused(&t, "\0\0\0\0", 5);            /* text of no byte */
	refused(&t, "\1\0\0\0", 4);            /* version 1.0 */
	refused(&t, "\0\0\0\0{}", 6);          /* no NUL */
	refused(&t, "\0\0\0\0{}\0\0", 8);      /* two */
	refused(&t, "\0\0\0\0{\0}\0", 8);
	memset(body + 4, ' ', sizeof(body) - 4);
	refused(&t, body, 4 + 4096);           /* too long, and no JSON */
	refused(&t, no_xfer, sizeof(no_xfer));
	assert_non_null(strstr(t.line, "VERSION: capabilities: max_data_xfer_size"));

	/* Everything else before VERSION. */
	for (uint16_t cmd = 0; cmd <= VFIO_USER_CMD_END; cmd++) {
		if (cmd == VFIO_USER_VERSION)
			continue;
		sock = vt_connect(&t);
		vt_send(sock, cmd, 0, body, 32, NULL, 0);
		vt_closed(sock);
		close(sock);
	}
	sock = vt_connect(&t);
	fd = vt_memfd(4096);
	vt_send(sock, VFIO_USER_VERSION, 0, "\0\0\0\0{}", 7, &fd, 1);
	vt_closed(sock);
	close(sock);
	close(fd);
	/* A posted one cannot be refused aloud. */
	sock = vt_connect(&t);
	vt_send(sock, VFIO_USER_VERSION, VFIO_USER_F_NO_REPLY, "\1\0\0\0", 4, NULL, 0);
	vt_closed(sock);
	close(sock);
	assert_int_equal(t.seen.negotiated, 1);
	vt_stop(&t);
}

static void
test_good(void **state)
{
	uint8_t body[4096];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_connect(&t);
	vt_ok(sock, vt_send(sock, VFIO_USER_VERSION, 0, "\0\0\7\0", 4, NULL, 0), body,
			sizeof(body));
	/* Once is enough. */
	vt_refused(&t, sock, VFIO_USER_VERSION, "\0\0\0\0", 4, NULL, 0, EINVAL);
	close(sock);
	sock = vt_connect(&t);
	vt_version(sock, "{\"capabilities\":{\"spim\":{\"version\":0}}}", (char *)body);
	assert_null(strstr((char *)body, "spim"));
	close(sock);
	vt_stop(&t);
}

/* ---- The text ---- */

static void
test_json_good(void **state)
{
	static const char text[] = " { \"other\" : [1, -2.5e+3, {\"a\":null}, [], {} , "
		"\"\\u00e4\\n\"],"
		"\t\"capabilities\" : { \"max_msg_fds\" : 8 , \"max_data_xfer_size\":4096,\r\n"
		"\"max_dma_maps\":4294967295,\"write_multiple\":true, \"migration\":{\"pgsize\":0},"
		"\"spim\":{\"version\":3,\"wake_offset\":18446744073709551615,"
		"\"doorbell_region\":9,\"wake_region\":2,\"later\":true}}, \"x\":false } ";
	struct vfio_user_caps caps;
	const char *what;

	(void)state;
	assert_int_equal(vfio_user_caps_parse(text, strlen(text), &caps, &what), 0);
	assert_int_equal(caps.max_msg_fds, 8);
	assert_int_equal(caps.max_xfer, 4096);
	assert_int_equal(caps.max_dma_maps, UINT32_MAX);
	assert_true(caps.write_multiple);
	assert_int_equal(caps.spim_version, 3);
	assert_int_equal(caps.spim.doorbell_region, 9);
	assert_int_equal(caps.spim.wake_region, 2);
	assert_true(caps.spim.wake_offset == UINT64_MAX);
	/* Cut anywhere it is not JSON any more. */
	for (size_t len = 2; len < strlen(text) - 1; len++)
		assert_int_equal(vfio_user_caps_parse(text, len, &caps, &what), -EINVAL);
	assert_int_equal(vfio_user_caps_parse(text, 0, &caps, &what), 0);
	assert_int_equal(caps.max_msg_fds, 1);
	assert_int_equal(caps.max_xfer, VFIO_USER_XFER_MAX);
	assert_false(caps.write_multiple);
}

static void
test_json_bad(void **state)
{
	static const char *const bad[] = {
		"[]", "1", "\"x\"", "{", "}", "{}}", "{} x", "{,}", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}",
		"{a:1}", "{'a':1}", "{\"a\":01}", "{\"a\":-}", "{\"a\":1.}", "{\"a\":.5}",
		"{\"a\":1e}", "{\"a\":+1}", "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul}",
		"{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\n\"}", "{\"a\":\"", "{\"a\":\"\\",
		"{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", "{\"capabilities\":1}",
		"{\"capabilities\":[]}", "{\"capabilities\":null}",
		"{\"capabilities\":{\"max_msg_fds\":\"16\"}}",
		"{\"capabilities\":{\"max_msg_fds\":-1}}",
		"{\"capabilities\":{\"max_msg_fds\":1.0}}",
		"{\"capabilities\":{\"max_msg_fds\":1e3}}",
		"{\"capabilities\":{\"max_msg_fds\":007}}",
		"{\"capabilities\":{\"max_msg_fds\":4294967296}}",
		"{\"capabilities\":{\"max_msg_fds\":}}",
		"{\"capabilities\":{\"max_msg_fds\":99999999999999999999999}}",
		"{\"capabilities\":{\"write_multiple\":1}}", "{\"capabilities\":{\"spim\":1}}",
		"{\"capabilities\":{\"spim\":{\"version\":true}}}",
		"{\"capabilities\":{\"spim\":{\"wake_offset\":18446744073709551616}}}",
	};
	struct vfio_user_caps caps;
	const char *what;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (vfio_user_caps_parse(bad[i], strlen(bad[i]), &caps, &what) != -EINVAL)
			fail_msg("%s: taken; expected -EINVAL", bad[i]);
		assert_non_null(what);
	}
}

/* What lies just inside. */
static void
test_json_edges(void **state)
{
	static const char *const good[] = {
		"{\"a b\":1}", "{\"a\":\"\x7f\"}", "{\"a\":0}", "{\"a\":-0}", "{\"a\":0.0e-0}",
		"{\"a\":\"\\u0aF9\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"a\":[[[[[[[1]]]]]]]}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}",
		"{\"capabilities\":{}}", "{\"capabilities\":{\"max_msg_fds\":0}}",
		"{\"capabilities\":{\"spim\":{}}}",
		/* Names that only begin as ours do, or are escaped, are none that we know. */
		"{\"capabilities\":{\"max_msg_fdsx\":\"x\",\"max_msg_fd\":\"x\"}}",
		"{\"capabilities\":{\"max\\u005fmsg_fds\":\"x\"}}",
		"{\"capabilities\":{\"max_msg_fds_and_so_on_and_so_forth_ever\":\"x\"}}",
	};
	static const char *const bad[] = {
		"{\"a\":\"\x1f\"}", "{\"a\":[[[[[[[[1]]]]]]]]}", "{\"a\":1e+}", "{\"a\":00}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
		"{\"a\":\"\\u12\"}", "{\"a\":/}", "{\"a\"::}", "{\"a\";1}",
		"{\"capabilities\":{\"write_multiple\":tru}}",
		"{\"capabilities\":{\"spim\":{\"doorbell_region\":4294967296}}}",
		"{\"capabilities\":{\"spim\":{\"wake_region\":4294967296}}}",
		"{\"capabilities\":{\"max_data_xfer_size\":4294967296}}",
		"{\"capabilities\":{\"max_dma_maps\":4294967296}}",
	};
	struct vfio_user_caps caps;
	const char *what;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (vfio_user_caps_parse(good[i], strlen(good[i]), &caps, &what) != 0)
			fail_msg("%s: %s", good[i], what);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (vfio_user_caps_parse(bad[i], strlen(bad[i]), &caps, &what) != -EINVAL)
			fail_msg("%s: taken", bad[i]);
	/* The name of what is wrong. */
	vfio_user_caps_parse(bad[10], strlen(bad[10]), &caps, &what);
	assert_string_equal(what, "spim.doorbell_region");
}

/* The first thing that is wrong is told, and nothing behind it is read. */
static void
test_json_ends_at_the_first_mistake(void **state)
{
	static const char *const texts[] = {
		"{\"capabilities\":{\"write_multiple\":,\"max_dma_maps\":5}}",
		"{\"capabilities\":{\"max_msg_fds\":,\"max_dma_maps\":5,\"spim\":1}}",
		"{\"capabilities\":{\"spim\":{\"version\":,\"wake_region\":5}},\"x\":\"}",
		"{\"capabilities\":{\"other\":,\"max_dma_maps\":5}}",
	};
	static const char *const what[] = { "write_multiple", "max_msg_fds", "spim.version",
		"not JSON" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vfio_user_caps caps;
		const char *got;

		assert_int_equal(vfio_user_caps_parse(texts[i], strlen(texts[i]), &caps, &got),
				-EINVAL);
		assert_string_equal(got, what[i]);
		assert_int_equal(caps.max_dma_maps, VFIO_USER_DMA_MAPS_MAX);
		assert_int_equal(caps.spim.wake_region, 0);
	}
}

/* What one side writes the other reads, at its longest, too. */
static void
test_json_both(void **state)
{
	const struct vfio_user_caps caps = { UINT32_MAX, UINT32_MAX, UINT32_MAX, false, UINT32_MAX,
		{ UINT32_MAX, UINT32_MAX, UINT64_MAX } };
	struct vfio_user_caps back;
	char text[VFIO_USER_CAPS_MAX], again[VFIO_USER_CAPS_MAX];
	const char *what;
	size_t len;

	(void)state;
	len = vfio_user_caps_format(&caps, true, text);
	assert_true(len <= sizeof(text));
	assert_int_equal(text[len - 1], '\0');
	assert_int_equal(vfio_user_caps_parse(text, len - 1, &back, &what), 0);
	assert_int_equal(vfio_user_caps_format(&back, true, again), len);
	assert_string_equal(text, again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_json_good),
		cmocka_unit_test(test_json_bad),
		cmocka_unit_test(test_json_edges),
		cmocka_unit_test(test_json_ends_at_the_first_mistake),
		cmocka_unit_test(test_json_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
