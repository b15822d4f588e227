/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What comes with the answers of a server: what it says of itself, and descriptors. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail_nth.h"
#include "holdings.h"
#include "test_vfio_user_util.h"
#include "vfio_user_call.h"

static struct holdings_now before;
static struct vfio_user_client *c;
static int server;
static char line[256];

static void
take_line(enum base_log_level level, const char *text, void *priv)
{
	(void)priv;
	assert_int_equal(level, BASE_LOG_ERR);
	snprintf(line, sizeof(line), "%s", text);
}

/* An answer to req, which is there before it is asked for. */
static void
answer(const struct vfio_user_hdr *req, const void *body, size_t len, const int *fds,
		unsigned int nfds)
{
	assert_true(vt_answer(server, req, body, len, fds, nfds));
}

static struct vfio_user_client_conf conf = { .timeout_ms = VT_TIMEOUT_MS, .spim = 1,
	.log = { .line = take_line } };

/* Connect to a server that says this of itself. @return What comes of it. */
static int
begin(const char *version, size_t len, const int *fds, unsigned int nfds)
{
	const struct vfio_user_hdr req = { .id = 1, .cmd = VFIO_USER_VERSION };
	int pair[2];

	before = holdings_get();
	line[0] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = pair[1];
	answer(&req, version, len, fds, nfds);
	c = NULL;
	return vfio_user_client_adopt(pair[0], &conf, &c);
}

static void
end(void)
{
	vfio_user_client_close(c);
	close(server);
	holdings_same(&before);
}

/* ---- VERSION ---- */

static void
test_wrong_versions(void **state)
{
#define BYTES(text) text, sizeof(text)
	static const struct { const char *version; size_t len; const char *what; } cases[] = {
		{ "\0\0\0\0{}x", 7, "version" },
		{ "\1\0\0\0", 4, "version" },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":0}}"), "limits of 0" },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_msg_fds\":0}}"), "limits of 0" },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_msg_fds\":-1}}"), "max_msg_fds" },
		/* The first thing that is wrong is named. */
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":0,\"max_msg_fds\":-1}}"),
			"max_msg_fds" },
	};
	char want[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(begin(cases[i].version, cases[i].len, NULL, 0), -EPROTO);
		assert_null(c);
		snprintf(want, sizeof(want), "vfio-user: the server's %s cannot be used",
				cases[i].what);
		assert_string_equal(line, want);
		end();
	}
}

/* The least that there may be; descriptors that come with it are closed. */
static void
test_right_version(void **state)
{
	static const char least[] = "\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":1,"
		"\"max_msg_fds\":1}}";
	int event = eventfd(0, EFD_CLOEXEC), fds[2] = { event, event };
	struct vfio_user_version version;
	struct vfio_user_hdr hdr;
	char text[4096];

	(void)state;
	assert_int_equal(begin(least, sizeof(least), fds, 2), 0);
	assert_int_equal(c->caps.max_xfer, 1);
	assert_string_equal(line, "");
	/* The client says who it is, and nothing that only a server knows. */
	assert_true(vt_recv(server, &hdr, text, sizeof(text), NULL) > sizeof(version));
	assert_int_equal(hdr.cmd, VFIO_USER_VERSION);
	assert_int_equal(hdr.flags, VFIO_USER_F_REQUEST);
	memcpy(&version, text, sizeof(version));
	assert_int_equal(version.major, 0);
	assert_int_equal(version.minor, 0);
	assert_string_equal(text + sizeof(version), "{\"capabilities\":{\"max_msg_fds\":16,"
			"\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,\"pgsizes\":4096,"
			"\"write_multiple\":false,\"spim\":{\"version\":1}}}");
	end();
	close(event);
}

/* What was not asked for does not count; what was not said has its usual value. */
static void
test_what_is_asked_for(void **state)
{
	static const char knows[] = "\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":1}}}";

	(void)state;
	assert_int_equal(begin(knows, sizeof(knows), NULL, 0), 0);
	assert_non_null(vfio_user_client_spim(c));
	assert_int_equal(c->conf.timeout_ms, VT_TIMEOUT_MS);
	end();
	conf.spim = 0;
	conf.timeout_ms = 0;
	assert_int_equal(begin(knows, sizeof(knows), NULL, 0), 0);
	assert_null(vfio_user_client_spim(c));
	assert_int_equal(c->conf.timeout_ms, 5000);
	end();
	conf.spim = 1;
	conf.timeout_ms = VT_TIMEOUT_MS;
}

/* The socket is taken over in any case. */
static void
test_no_memory(void **state)
{
	(void)state;
	fail_nth_of("calloc", 1);
	assert_int_equal(begin("\0\0\0\0", 4, NULL, 0), -ENOMEM);
	assert_string_equal(fail_nth_end(), "calloc");
	assert_null(c);
	vt_closed(server);
	end();
}

/* ---- Descriptors that nobody asked for ---- */

static struct vfio_user_client_region region;
static uint32_t word;
static int event;

static int
ask_region(void)
{
	return vfio_user_client_region_info(c, 0, &region);
}

static int
ask_reset(void)
{
	return vfio_user_client_reset(c);
}

static int
ask_map(void)
{
	return vfio_user_client_dma_map(c, 0, 4096, event, 0, 3);
}

static int
ask_unmap(void)
{
	return vfio_user_client_dma_unmap(c, 0, 4096);
}

static int
ask_irqs(void)
{
	return vfio_user_client_set_irqs(c, 0, 0, 1, &event);
}

static int
ask_read(void)
{
	return vfio_user_client_region_read(c, 0, 0, &word, sizeof(word));
}

/* They come with each answer, right or wrong, and are closed. */
static void
test_descriptors_nobody_asked_for(void **state)
{
	static const struct { uint16_t cmd; size_t len; int (*ask)(void); } calls[] = {
		{ VFIO_USER_DEVICE_GET_REGION_INFO, sizeof(struct vfio_user_region_info),
			ask_region },
		{ VFIO_USER_DEVICE_RESET, 0, ask_reset },
		{ VFIO_USER_DMA_MAP, 0, ask_map },
		{ VFIO_USER_DMA_UNMAP, sizeof(struct vfio_user_dma_unmap), ask_unmap },
		{ VFIO_USER_DEVICE_SET_IRQS, 0, ask_irqs },
		{ VFIO_USER_REGION_READ, sizeof(struct vfio_user_region_rw) + 4, ask_read },
	};
	static const uint8_t zeros[64];
	int fds[2];
	struct holdings_now now;

	(void)state;
	assert_int_equal(begin("\0\0\0\0", 4, NULL, 0), 0);
	event = eventfd(0, EFD_CLOEXEC);
	fds[0] = fds[1] = event;
	now = holdings_get();
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		struct vfio_user_hdr req = { .cmd = calls[i / 2].cmd };

		/* First one to a call that nobody waits for any more, then the right one. */
		req.id = (uint16_t)(c->id - 1);
		answer(&req, zeros, i % 2 == 0 ? 0 : 8, fds, 2);
		req.id = (uint16_t)(c->id + 1);
		answer(&req, zeros, calls[i / 2].len, fds, 2);
		assert_int_equal(calls[i / 2].ask(), 0);
		holdings_same(&now);
	}
	assert_int_equal(region.fd, -1);
	close(event);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_versions),
		cmocka_unit_test(test_right_version),
		cmocka_unit_test(test_what_is_asked_for),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_descriptors_nobody_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
