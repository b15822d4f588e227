/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Replies that wait for a peer who reads late, and what goes beside them; time that was taken. */

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base_clock.h"
#include "fail_nth.h"
#include "test_vfio_user_clock.h"
#include "test_vfio_user_timer.h"
#include "test_vfio_user_util.h"

#define BULK 32768u

static void
nap_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* Wait until so many messages were served, and so many bytes of replies wait. */
static struct vfio_user_conn_stats
served(struct vt *t, uint64_t messages, uint64_t out_bytes)
{
	struct vfio_user_conn_stats stats = vt_stats(t);

	for (int ms = 0; stats.messages < messages || stats.out_bytes < out_bytes; ms++) {
		if (ms == VT_TIMEOUT_MS)
			fail_msg("%u messages served, %u bytes wait; expected %u, %u",
					(unsigned int)stats.messages, (unsigned int)stats.out_bytes,
					(unsigned int)messages, (unsigned int)out_bytes);
		nap_ms(1);
		stats = vt_stats(t);
	}
	return stats;
}

/* Ask for so much that some of the answer waits, and no more. @return Requests. */
static unsigned int
fill(struct vt *t, int sock, uint16_t *id)
{
	struct vfio_user_region_rw rw = { 0, VT_BAR2, BULK };
	struct vfio_user_conn_stats stats;
	uint64_t messages = vt_stats(t).messages;
	unsigned int n = 0;

	do {
		assert_true(n < 100);
		id[n++] = vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
		stats = served(t, messages + n, 0);
	} while (stats.out_bytes == 0);
	return n;
}

static void
take_bulk(int sock, const uint16_t *id, unsigned int n)
{
	static uint8_t body[sizeof(struct vfio_user_region_rw) + BULK];

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(vt_ok(sock, id[i], body, sizeof(body)), sizeof(body));
}

static uint16_t
ask_for_fd(struct vt *t, int sock, uint32_t region)
{
	struct vfio_user_region_info m = { .argsz = 80, .index = region };
	uint64_t messages = vt_stats(t).messages;
	uint16_t id = vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0);

	served(t, messages + 1, 0);
	return id;
}

/* Each of its two regions with a file has a descriptor, once. */
static int
open_spim(struct vt *t)
{
	int sock = vt_connect(t);

	vt_version(sock, "{\"capabilities\":{\"spim\":{\"version\":1}}}", NULL);
	return sock;
}

static void
test_fd_of_a_late_reply(void **state)
{
	static const uint32_t regions[] = { VT_SPARSE, VT_DOORBELL };
	uint16_t id[100], info[2];
	struct vfio_user_hdr hdr;
	unsigned int n, fds;
	uint8_t body[128];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	for (int round = 0; round < 3; round++) {
		sock = open_spim(&t);
		fds = vt_fds();
		n = fill(&t, sock, id);
		for (int i = 0; i < 2; i++)
			info[i] = ask_for_fd(&t, sock, regions[i]);
		/* The owner's may be closed by then: each reply has its own. */
		assert_int_equal(vt_fds(), fds + 2);
		assert_int_equal(vt_inherited(), t.inherited);
		take_bulk(sock, id, n);
		for (int i = 0; i < 2; i++) {
			int fd = -1;

			assert_int_equal(vt_recv(sock, &hdr, body, sizeof(body), &fd),
					i == 0 ? 80 : 32);
			assert_int_equal(hdr.id, info[i]);
			assert_int_equal(lseek(fd, 0, SEEK_END), 65536);
			close(fd);
		}
		assert_int_equal(vt_stats(&t).out_bytes, 0);
		assert_int_equal(vt_fds(), fds);
		close(sock);
		vt_only_victim(&t);
	}
	/* The peer goes without having read them. */
	sock = open_spim(&t);
	fds = vt_fds();
	fill(&t, sock, id);
	ask_for_fd(&t, sock, VT_SPARSE);
	assert_int_equal(vt_fds(), fds + 1);
	close(sock);
	vt_only_victim(&t);
	assert_int_equal(vt_fds(), fds - 2);
	vt_stop(&t);
}

/*
 * A descriptor goes with the first byte of its reply, and is the reply's no more when the rest
 * goes: by then its number may be another's.
 */
static void
test_fd_of_a_reply_in_parts(void **state)
{
	static const size_t parts[] = { 16, 50, 95 }; /* of 96 bytes */
	struct vfio_user_hdr hdr;
	unsigned int n, fds;
	uint16_t id[100];
	uint8_t body[128];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint16_t info;
		int fd = -1;

		sock = vt_open(&t);
		fds = vt_fds();
		n = fill(&t, sock, id);
		info = ask_for_fd(&t, sock, VT_SPARSE);
		assert_int_equal(vt_fds(), fds + 1);
		/* All but what waited is the client's by now; that goes whole, too. */
		take_bulk(sock, id, n - 1);
		fail_nth_short(parts[i]);
		take_bulk(sock, id + n - 1, 1);
		assert_int_equal(vt_recv(sock, &hdr, body, sizeof(body), &fd), 80);
		fail_nth_short(0);
		assert_int_equal(hdr.id, info);
		assert_int_equal(lseek(fd, 0, SEEK_END), 65536);
		close(fd);
		assert_int_equal(vt_stats(&t).out_bytes, 0);
		assert_int_equal(vt_fds(), fds);
		close(sock);
		vt_only_victim(&t);
	}
	assert_int_equal(t.seen.lines, 0);
	vt_stop(&t);
}

/* Replies stay in order, whole, and behind each other; what waits is counted. */
static void
test_order_of_late_replies(void **state)
{
	struct vfio_user_device_info dev = { .argsz = sizeof(dev) };
	uint16_t id[100], small[20];
	unsigned int n;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (int round = 0; round < 2; round++) {
		uint32_t out, messages;

		n = fill(&t, sock, id);
		out = vt_stats(&t).out_bytes;
		messages = (uint32_t)vt_stats(&t).messages;
		for (int i = 0; i < 20; i++)
			small[i] = vt_send(sock, VFIO_USER_DEVICE_GET_INFO, 0, &dev, sizeof(dev),
					NULL, 0);
		served(&t, messages + 20, 0);
		assert_int_equal(vt_stats(&t).out_bytes, out + 20 * (16 + sizeof(dev)));
		vt_victim_works(&t);
		take_bulk(sock, id, n);
		for (int i = 0; i < 20; i++) {
			assert_int_equal(vt_ok(sock, small[i], &dev, sizeof(dev)), sizeof(dev));
			assert_int_equal(dev.num_regions, VT_REGIONS - 1);
		}
		assert_int_equal(vt_stats(&t).out_bytes, 0);
	}
	assert_int_equal(t.seen.lines, 0);
	close(sock);
	vt_stop(&t);
}

/* With so much unread, requests wait with the peer; then they are served. */
static void
test_unread_replies_stop_requests(void **state)
{
	struct vfio_user_region_rw rw = { 0, VT_BAR2, 65536 };
	static uint8_t body[sizeof(rw) + 65536];
	struct vfio_user_conn_stats before;
	uint16_t id[40];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (int i = 0; i < 40; i++)
		id[i] = vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
	before = served(&t, 0, 65536);
	vt_victim_works(&t);
	nap_ms(20);
	assert_int_equal(vt_stats(&t).messages, before.messages);
	assert_true(before.messages < 40);
	assert_true(before.out_bytes < 2 * (65536 + 100));
	for (int i = 0; i < 40; i++)
		assert_int_equal(vt_ok(sock, id[i], body, sizeof(body)), sizeof(body));
	assert_int_equal(vt_stats(&t).messages, 41);
	close(sock);
	vt_stop(&t);
}

/* ---- Time ---- */

#define STALL_MS 10000

/* A message in two parts. */
static void
say_in_parts(struct vt *t, int sock)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { 9, VFIO_USER_REGION_WRITE, sizeof(m.hdr) + sizeof(m.rw) + 4, 0, 0 },
		{ 0x80, VT_BAR2, 4 }, 0x11 };
	const size_t len = sizeof(m.hdr) + sizeof(m.rw) + 4;

	vt_raw(sock, &m, 20, NULL, 0);
	vt_victim_works(t);
	vt_raw(sock, (uint8_t *)&m + 20, len - 20, NULL, 0);
	vt_ok(sock, 9, &m.rw, sizeof(m.rw));
}

/* Whoever ended a message, and has read what waited, in time, may be silent from then on. */
static void
test_silence_is_no_stall(void **state)
{
	int parts, late, idle;
	unsigned int n;
	uint16_t id[100];
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	idle = vt_open(&t);
	parts = vt_open(&t);
	say_in_parts(&t, parts);
	late = vt_open(&t);
	n = fill(&t, late, id);
	take_bulk(late, id, n);
	vt_now_ms += 2 * STALL_MS;
	nap_ms(50); /* some ticks */
	assert_int_equal(vt_read32(idle, VT_BAR2, 0x80), 0);
	assert_int_equal(vt_read32(parts, VT_BAR2, 0x80), 0x11);
	assert_int_equal(vt_read32(late, VT_BAR2, 0x80), 0);
	close(idle);
	close(parts);
	close(late);
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fd_of_a_late_reply),
		cmocka_unit_test(test_fd_of_a_reply_in_parts),
		cmocka_unit_test(test_order_of_late_replies),
		cmocka_unit_test(test_unread_replies_stop_requests),
		cmocka_unit_test(test_silence_is_no_stall),
	};

	vt_now_ms = 1000000;
	vt_timer_speed = 100;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
