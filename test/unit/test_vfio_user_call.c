/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The client's side of the stream when the server is slow, stops to read, goes, or describes its
 * regions wrongly. The server is this test, at the other end of a socket pair.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fail_nth.h"
#include "holdings.h"
#include "test_vfio_user_util.h"
#include "vfio_user_call.h"
#include "vfio_user_client.h"
#include "vfio_user_sock.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536}}"
#define XFER 65536u

static struct holdings_now before;
static long blocks;
static char line[256];
static struct vfio_user_client *c;
static int server;

static void
take_line(enum base_log_level level, const char *text, void *priv)
{
	(void)priv;
	assert_int_equal(level, BASE_LOG_ERR);
	snprintf(line, sizeof(line), "%s", text);
}

/* In any thread: @return Whether all came. */
static bool
take_all(void *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = recv(server, (uint8_t *)to + at, len - at, 0);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void
recv_all(void *to, size_t len)
{
	assert_true(take_all(to, len));
}

/*
 * What the peer's thread found, for who waits for its end: a test can fail in its own thread only.
 */
static void *const good = NULL;
static void *const bad = &server;

/* The thread ends, and all was as it should. */
static void
join(pthread_t thread)
{
	void *found;

	assert_int_equal(pthread_join(thread, &found), 0);
	assert_ptr_equal(found, good);
}

static void *
negotiate(void *arg)
{
	static const char right[4 + sizeof(CAPS)] = "\0\0\0\0" CAPS;
	struct vfio_user_hdr req;
	uint8_t body[1024];

	(void)arg;
	return take_all(&req, sizeof(req)) && req.size - sizeof(req) <= sizeof(body) &&
		take_all(body, req.size - sizeof(req)) &&
		vt_answer(server, &req, right, sizeof(right), NULL, 0) ? good : bad;
}

/* Short only where an answer is waited for in vain. */
#define SHORT_MS 200

static void
patience(uint32_t ms)
{
	c->conf.timeout_ms = ms;
}

static int
begin(void **state)
{
	const struct vfio_user_client_conf conf = { .timeout_ms = VT_TIMEOUT_MS,
		.log = { .line = take_line } };
	int pair[2], small = 1; /* the kernel's least */
	pthread_t thread;

	(void)state;
	line[0] = '\0';
	before = holdings_get();
	blocks = fail_nth_blocks();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = pair[1];
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(pthread_create(&thread, NULL, negotiate, NULL), 0);
	assert_int_equal(vfio_user_client_adopt(pair[0], &conf, &c), 0);
	join(thread);
	assert_int_equal(c->caps.max_xfer, XFER);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	vfio_user_client_close(c);
	close(server);
	holdings_same(&before);
	assert_int_equal(fail_nth_blocks(), blocks);
	return 0;
}

/* ---- Sending ---- */

static uint8_t data[XFER];

static void *
read_slowly(void *arg)
{
	struct vfio_user_region_rw rw;
	struct vfio_user_hdr hdr;
	static uint8_t got[XFER];

	(void)arg;
	if (!take_all(&hdr, sizeof(hdr)) || !take_all(&rw, sizeof(rw)))
		return bad;
	for (size_t at = 0; at < XFER; at += 4096) {
		usleep(1000);
		if (!take_all(got + at, 4096))
			return bad;
	}
	if (hdr.cmd != VFIO_USER_REGION_WRITE || hdr.size != sizeof(hdr) + sizeof(rw) + XFER ||
			rw.count != XFER || rw.region != 3 || rw.offset != 0x1000 ||
			memcmp(got, data, XFER) != 0 || hdr.flags != VFIO_USER_F_NO_REPLY)
		return bad;
	return good;
}

/* A message that the socket takes in parts is one message. */
static void
test_parts(void **state)
{
	pthread_t thread;

	(void)state;
	for (size_t i = 0; i < XFER; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	for (int i = 0; i < 2; i++) {
		fail_nth_short(i == 0 ? 0 : 1001);
		assert_int_equal(pthread_create(&thread, NULL, read_slowly, NULL), 0);
		assert_int_equal(vfio_user_client_region_post(c, 3, 0x1000, data, XFER), 0);
		join(thread);
	}
	fail_nth_short(0);
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, XFER + 1), -EINVAL);
	assert_int_equal(vfio_user_client_region_read(c, 3, 0, data, XFER + 1), -EINVAL);
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, 0), -EINVAL);
	assert_string_equal(line, "");
}

/* A descriptor goes with the first part alone. */
static void
test_parts_with_descriptors(void **state)
{
	struct vfio_user_fds fds = { .cnt = 0 };
	int fd = eventfd(0, EFD_CLOEXEC);
	uint8_t buf[256];
	size_t len = 0;

	(void)state;
	patience(SHORT_MS);
	fail_nth_short(20); /* the header and 4 bytes, and the rest */
	/* Nobody answers. */
	assert_int_equal(vfio_user_client_set_irqs(c, 1, 0, 1, &fd), -ETIMEDOUT);
	fail_nth_short(0);
	while (len < sizeof(struct vfio_user_hdr) + sizeof(struct vfio_user_irq_set)) {
		ssize_t n = vfio_user_sock_recv(server, buf + len, sizeof(buf) - len, &fds);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_int_equal(((struct vfio_user_hdr *)buf)->size, len);
	assert_int_equal(fds.cnt, 1);
	vfio_user_fds_close(&fds);
	close(fd);
}

/* It stops within a message: no other can follow that. */
static void
test_stops_to_read(void **state)
{
	ssize_t n;

	(void)state;
	patience(SHORT_MS);
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, XFER), -ENOTCONN);
	assert_string_equal(line, "vfio-user: the server is lost: it does not read");
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, 1), -ENOTCONN);
	assert_int_equal(vfio_user_client_reset(c), -ENOTCONN);
	/* Its own end is open, and so its device may still be there. */
	assert_int_equal(vfio_user_client_alive(c), 0);
	/* It is told, by the end of what it can read. */
	while ((n = recv(server, data, sizeof(data), 0)) > 0)
		;
	assert_int_equal(n, 0);
}

/* It stops between two messages: the next ones may go out later. */
static void
test_is_slow(void **state)
{
	struct vfio_user_region_rw rw;
	struct vfio_user_hdr hdr;
	unsigned int sent = 0;
	uint32_t value;
	int rc;

	(void)state;
	patience(SHORT_MS);
	do {
		rc = vfio_user_client_region_post(c, 3, 8, &sent, 4);
		sent += rc == 0;
	} while (rc == 0);
	assert_int_equal(rc, -ETIMEDOUT);
	assert_true(sent > 1);
	assert_int_equal(vfio_user_client_reset(c), -ETIMEDOUT);
	patience(VT_TIMEOUT_MS);
	assert_string_equal(line, "");
	for (unsigned int i = 0; i < sent; i++) {
		recv_all(&hdr, sizeof(hdr));
		recv_all(&rw, sizeof(rw));
		recv_all(&value, sizeof(value));
		assert_int_equal(value, i);
		assert_int_equal(hdr.flags, VFIO_USER_F_NO_REPLY);
	}
	value = 0x12345;
	assert_int_equal(vfio_user_client_region_post(c, 3, 8, &value, 4), 0);
	value = 0;
	recv_all(&hdr, sizeof(hdr));
	recv_all(&rw, sizeof(rw));
	recv_all(&value, sizeof(value));
	assert_int_equal(value, 0x12345);
}

static void
test_is_gone(void **state)
{
	(void)state;
	shutdown(server, SHUT_RDWR);
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, 1), -ENOTCONN);
	assert_string_equal(line, "vfio-user: the server is lost: it closed the connection");
	line[0] = '\0';
	assert_int_equal(vfio_user_client_region_post(c, 3, 0, data, 1), -ENOTCONN);
	assert_int_equal(vfio_user_client_alive(c), -ENOTCONN);
	/* That is said once. */
	assert_string_equal(line, "");
}

/* ---- Two at a time ---- */

static void *
ask(void *arg)
{
	uint32_t value;

	(void)arg;
	return (void *)(intptr_t)vfio_user_client_region_read(c, 3, 0, &value, 4);
}

/* A posted write passes a call that waits; another call does not, and has a time-out of its own. */
static void
test_call_that_waits(void **state)
{
	struct vfio_user_region_rw rw;
	struct vfio_user_hdr req, hdr;
	uint8_t body[sizeof(rw) + 4] = { 0 };
	uint32_t value = 7;
	pthread_t thread;
	void *rc;

	(void)state;
	patience(SHORT_MS);
	assert_int_equal(pthread_create(&thread, NULL, ask, NULL), 0);
	recv_all(&req, sizeof(req));
	recv_all(&rw, sizeof(rw));
	assert_int_equal(vfio_user_client_region_post(c, 3, 8, &value, 4), 0);
	recv_all(&hdr, sizeof(hdr));
	recv_all(&rw, sizeof(rw));
	recv_all(&value, sizeof(value));
	assert_int_equal(hdr.cmd, VFIO_USER_REGION_WRITE);
	assert_int_not_equal(hdr.id, req.id);
	assert_int_equal(vfio_user_client_reset(c), -ETIMEDOUT);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, -ETIMEDOUT);
	patience(VT_TIMEOUT_MS);
	/* What comes now is for nobody; what is asked then has its own answer. */
	assert_true(vt_answer(server, &req, body, sizeof(body), NULL, 0));
	assert_int_equal(pthread_create(&thread, NULL, ask, NULL), 0);
	do
		recv_all(&req, sizeof(req));
	while (req.cmd != VFIO_USER_REGION_READ);
	recv_all(&rw, sizeof(rw));
	assert_true(vt_answer(server, &req, body, sizeof(body), NULL, 0));
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, 0);
}

/* ---- Regions ---- */

struct described {
	struct vfio_user_region_info info;
	struct vfio_user_cap_sparse cap[2];
	struct vfio_user_area areas[9];
};

static struct described said;
static size_t said_len;
static unsigned int said_fds;

static void *
describe(void *arg)
{
	int fds[VFIO_USER_FDS_MAX];
	struct vfio_user_hdr req;
	uint8_t body[64];
	bool sent;

	(void)arg;
	if (!take_all(&req, sizeof(req)) || req.size - sizeof(req) > sizeof(body) ||
			!take_all(body, req.size - sizeof(req)))
		return bad;
	for (unsigned int i = 0; i < said_fds; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	sent = vt_answer(server, &req, &said, said_len, fds, said_fds);
	for (unsigned int i = 0; i < said_fds; i++)
		close(fds[i]);
	return sent ? good : bad;
}

static int
info(struct vfio_user_client_region *region)
{
	pthread_t thread;
	int rc;

	assert_int_equal(pthread_create(&thread, NULL, describe, NULL), 0);
	rc = vfio_user_client_region_info(c, 5, region);
	join(thread);
	return rc;
}

/* A region of 64 KiB, of which n pages may be mapped. */
static void
say(uint32_t n)
{
	memset(&said, 0, sizeof(said));
	said.info = (struct vfio_user_region_info){ .argsz = sizeof(said), .index = 5,
		.flags = VFIO_USER_REGION_F_MMAP | VFIO_USER_REGION_F_CAPS,
		.cap_offset = sizeof(said.info), .size = 65536, .offset = 0x3000 };
	said.cap[0] = (struct vfio_user_cap_sparse){ .id = 77, .version = 1,
		.next = sizeof(said.info) + sizeof(said.cap[0]) };
	said.cap[1] = (struct vfio_user_cap_sparse){ .id = VFIO_USER_CAP_SPARSE_MMAP, .version = 1,
		.nr_areas = n };
	for (uint32_t i = 0; i < 9; i++)
		said.areas[i] = (struct vfio_user_area){ i * 0x1000, 0x1000 };
	said_len = sizeof(said.info) + sizeof(said.cap) + n * sizeof(said.areas[0]);
	said_fds = 1;
}

static void
test_regions(void **state)
{
	struct vfio_user_client_region r;

	(void)state;
	for (uint32_t n = 0; n <= 7; n++) {
		say(n);
		assert_int_equal(info(&r), 0);
		assert_int_equal(r.size, 65536);
		assert_int_equal(r.offset, 0x3000);
		assert_int_equal(r.nr_areas, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(r.areas[i].offset, i * 0x1000);
		assert_true(r.fd >= 0);
		/* A program that is started has no part in it. */
		assert_int_equal(fcntl(r.fd, F_GETFD), FD_CLOEXEC);
		close(r.fd);
	}
	/* Up to the end of the region, and of nothing. */
	say(2);
	said.areas[1] = (struct vfio_user_area){ 61440, 4096 };
	said.areas[0] = (struct vfio_user_area){ 65536, 0 };
	assert_int_equal(info(&r), 0);
	close(r.fd);
	/* All but the first descriptor are nobody's. */
	say(1);
	said_fds = VFIO_USER_FDS_MAX;
	assert_int_equal(info(&r), 0);
	close(r.fd);
	say(1);
	said_fds = 0;
	assert_int_equal(info(&r), 0);
	assert_int_equal(r.fd, -1);
	say(1);
	said.info.flags = VFIO_USER_REGION_F_CAPS;
	assert_int_equal(info(&r), 0);
	assert_int_equal(r.fd, -1);
	assert_int_equal(r.nr_areas, 1);
	say(1);
	said.info.flags = VFIO_USER_REGION_F_MMAP;
	assert_int_equal(info(&r), 0);
	assert_int_equal(r.nr_areas, 0);
	close(r.fd);
}

static void
test_regions_that_lie(void **state)
{
	struct vfio_user_client_region r;

	(void)state;
	for (int i = 0; i < 9; i++) {
		say(2);
		switch (i) {
		case 0: /* more areas than there is room for */
			say(7);
			said.cap[1].nr_areas = 9;
			break;
		case 1: /* than came */
			said.cap[1].nr_areas = 3;
			break;
		case 2: /* a capability that begins behind the end */
			said.info.cap_offset = (uint32_t)said_len + 1;
			break;
		case 3: /* or has its end there */
			said.info.cap_offset = (uint32_t)(said_len - sizeof(said.cap[0]) + 1);
			break;
		case 4: /* a chain without an end */
			said.cap[0].next = sizeof(said.info);
			break;
		case 5: /* an area that ends behind the region */
			said.areas[1] = (struct vfio_user_area){ 61440, 4097 };
			break;
		case 6: /* that begins there */
			said.areas[1] = (struct vfio_user_area){ 65537, 0 };
			break;
		case 7: /* whose end is beyond 2^64 */
			said.areas[0] = (struct vfio_user_area){ 4096, UINT64_MAX };
			break;
		case 8: /* so many that their bytes are few */
			said.cap[1].nr_areas = 0x10000001;
			break;
		}
		print_message("case %d\n", i);
		assert_int_equal(info(&r), -EPROTO);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parts, begin, end),
		cmocka_unit_test_setup_teardown(test_parts_with_descriptors, begin, end),
		cmocka_unit_test_setup_teardown(test_stops_to_read, begin, end),
		cmocka_unit_test_setup_teardown(test_is_slow, begin, end),
		cmocka_unit_test_setup_teardown(test_is_gone, begin, end),
		cmocka_unit_test_setup_teardown(test_call_that_waits, begin, end),
		cmocka_unit_test_setup_teardown(test_regions, begin, end),
		cmocka_unit_test_setup_teardown(test_regions_that_lie, begin, end),
	};

	return cmocka_run_group_tests_name("vfio_user_call", tests, NULL, NULL);
}
