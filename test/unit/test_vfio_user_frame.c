/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The stream of messages: wrong headers, messages cut at any byte, fds that
 * nobody asked for, floods, peers that do not read or never finish.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_clock.h"
#include "test_vfio_user_timer.h"
#include "test_vfio_user_util.h"

/* A header as bytes say; the server closes, and writes one line. */
static void
header_closes(struct vt *t, uint16_t cmd, uint32_t size, uint32_t flags)
{
	struct vfio_user_hdr hdr = { .id = 1, .cmd = cmd, .size = size, .flags = flags };
	unsigned int lines = t->seen.lines;
	int sock = vt_open(t);

	vt_raw(sock, &hdr, sizeof(hdr), NULL, 0);
	vt_closed(sock);
	close(sock);
	vt_only_victim(t);
	assert_int_equal(t->seen.lines, lines + 1);
	vt_victim_works(t);
}

static void
test_headers(void **state)
{
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 0, 0);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 15, 0);
	header_closes(&t, VFIO_USER_DEVICE_RESET, UINT32_MAX, 0);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16 + 8192 + 1, 0);
	header_closes(&t, VFIO_USER_REGION_WRITE, 16 + 8192 + 65536 + 1, 0);
	header_closes(&t, 4711, 16 + 8192 + 1, 0);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16, 2);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16, 0xf);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16, 0x40);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16, 0x80000000);
	header_closes(&t, VFIO_USER_DEVICE_RESET, 16, VFIO_USER_F_ERROR);
	/* Replies that nobody waits for. */
	header_closes(&t, VFIO_USER_DMA_READ, 32, VFIO_USER_F_REPLY);
	header_closes(&t, VFIO_USER_DMA_READ, 16, VFIO_USER_F_REPLY | VFIO_USER_F_ERROR);
	header_closes(&t, VFIO_USER_VERSION, 16, VFIO_USER_F_REPLY | VFIO_USER_F_NO_REPLY);
	assert_non_null(strstr(t.line, "uid"));
	assert_non_null(strstr(t.line, "expected"));
	vt_stop(&t);
}

static void
test_commands(void **state)
{
	static const uint16_t refused[] = {
		0, VFIO_USER_DEVICE_GET_REGION_IO_FDS, VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE,
		VFIO_USER_DIRTY_PAGES, VFIO_USER_DEVICE_FEATURE, VFIO_USER_MIG_DATA_READ,
		VFIO_USER_MIG_DATA_WRITE, VFIO_USER_CMD_END, UINT16_MAX,
	};
	uint8_t body[8192] = { 0 };
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		vt_refused(&t, sock, refused[i], body, 0, NULL, 0, ENOTSUP);
		vt_refused(&t, sock, refused[i], body, 48, NULL, 0, ENOTSUP);
		vt_refused(&t, sock, refused[i], body, sizeof(body), NULL, 0, ENOTSUP);
	}
	assert_int_equal(vt_stats(&t).errors, 30);
	/* Each has its line. */
	assert_true(t.seen.lines >= 30);
	/* A posted request gets no answer, not even of an error. */
	vt_send(sock, VFIO_USER_DIRTY_PAGES, VFIO_USER_F_NO_REPLY, NULL, 0, NULL, 0);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x300), 0);
	assert_int_equal(vt_stats(&t).errors, 31);
	close(sock);
	vt_stop(&t);
}

/* Whatever a message is cut into, it is the same message. */
static void
test_cut(void **state)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { 9, VFIO_USER_REGION_WRITE, sizeof(m.hdr) + sizeof(m.rw) + 4, 0, 0 },
		{ 0x80, VT_BAR2, 4 }, 0 };
	const size_t len = sizeof(m.hdr) + sizeof(m.rw) + 4;
	struct vfio_user_region_rw back;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (size_t cut = 1; cut < len; cut++) {
		m.value = (uint32_t)cut;
		vt_raw(sock, &m, cut, NULL, 0);
		vt_victim_works(&t);
		vt_raw(sock, (uint8_t *)&m + cut, len - cut, NULL, 0);
		vt_ok(sock, 9, &back, sizeof(back));
		assert_int_equal(vt_read32(sock, VT_BAR2, 0x80), cut);
	}
	m.value = 0x77;
	for (size_t i = 0; i < len; i++)
		vt_raw(sock, (uint8_t *)&m + i, 1, NULL, 0);
	vt_ok(sock, 9, &back, sizeof(back));
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x80), 0x77);
	/* Two in one piece, the second not whole. */
	{
		uint8_t two[2 * sizeof(m)];

		memcpy(two, &m, len);
		memcpy(two + len, &m, len);
		vt_raw(sock, two, 2 * len - 3, NULL, 0);
		vt_ok(sock, 9, &back, sizeof(back));
		vt_victim_works(&t);
		vt_raw(sock, two + 2 * len - 3, 3, NULL, 0);
		vt_ok(sock, 9, &back, sizeof(back));
		/* The first not whole, then its rest and the second at once. */
		for (size_t cut = 1; cut < len; cut++) {
			vt_raw(sock, two, cut, NULL, 0);
			vt_victim_works(&t);
			vt_raw(sock, two + cut, 2 * len - cut, NULL, 0);
			vt_ok(sock, 9, &back, sizeof(back));
			vt_ok(sock, 9, &back, sizeof(back));
		}
	}
	close(sock);

	/* The peer dies at every byte. */
	for (size_t cut = 0; cut < len; cut++) {
		sock = vt_open(&t);
		if (cut != 0)
			vt_raw(sock, &m, cut, NULL, 0);
		close(sock);
	}
	vt_only_victim(&t);
	assert_int_equal(t.seen.lines, 0);
	vt_stop(&t);
}

/* Fds with the header, the body, both, too many, or where none belong. */
static void
test_fds(void **state)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_dma_map map;
	} m = { { 3, VFIO_USER_DMA_MAP, sizeof(m), 0, 0 },
		{ sizeof(m.map), 3, 0, 0x10000, 0x1000 } };
	int sock, fds[40];
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	for (int i = 0; i < 40; i++)
		fds[i] = vt_memfd(0x10000);
	sock = vt_open(&t);

	vt_raw(sock, &m, sizeof(m.hdr), fds, 1);
	vt_raw(sock, &m.map, sizeof(m.map), NULL, 0);
	vt_ok(sock, 3, NULL, 0);
	assert_true(t.seen.fd == 1);
	vt_unmap(sock, 0x10000, 0x1000, 0);
	vt_raw(sock, &m, sizeof(m.hdr) + 8, NULL, 0);
	vt_raw(sock, (uint8_t *)&m + sizeof(m.hdr) + 8, sizeof(m.map) - 8, fds, 1);
	vt_ok(sock, 3, NULL, 0);
	assert_true(t.seen.fd == 1);
	vt_unmap(sock, 0x10000, 0x1000, 0);

	/* Too many at once, in pieces, and beyond what a message may have at all. */
	for (unsigned int n = 2; n <= 40; n++)
		vt_refused(&t, sock, VFIO_USER_DMA_MAP, &m.map, sizeof(m.map), fds, n, EINVAL);
	for (size_t i = 0; i < sizeof(m); i++)
		vt_raw(sock, (uint8_t *)&m + i, 1, fds + i % 20, 1 + i % 20);
	vt_error(sock, 3, EINVAL);
	vt_refused(&t, sock, VFIO_USER_DEVICE_RESET, NULL, 0, fds, 1, EINVAL);
	vt_refused(&t, sock, VFIO_USER_DEVICE_RESET, NULL, 0, fds, 40, EINVAL);
	vt_refused(&t, sock, VFIO_USER_DMA_UNMAP, &m.map, 24, fds, 1, EINVAL);
	vt_refused(&t, sock, VFIO_USER_DIRTY_PAGES, NULL, 0, fds, 16, ENOTSUP);
	assert_int_equal(vt_memory(&t).maps, 0);
	assert_int_equal(vt_mappings("vfio-user-test"), 0);

	/* Fds of a message that never ends. */
	vt_raw(sock, &m, sizeof(m) - 1, fds, 16);
	close(sock);
	vt_only_victim(&t);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	vt_stop(&t);
}

/* One client sends as fast as it can; the other is answered all the same. */
static void
test_flood(void **state)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { 9, VFIO_USER_REGION_WRITE, sizeof(m.hdr) + sizeof(m.rw) + 4,
		VFIO_USER_F_NO_REPLY, 0 }, { 0x80, VT_BAR2, 4 }, 0 };
	const size_t len = sizeof(m.hdr) + sizeof(m.rw) + 4;
	static uint8_t many[1000 * sizeof(m)];
	uint64_t sent = 0;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fcntl(sock, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < 1000; i++)
		memcpy(many + i * len, &m, len);
	for (int i = 0; i < 200; i++) {
		ssize_t n;

		while ((n = send(sock, many + sent % len, 1000 * len - len, MSG_NOSIGNAL)) > 0)
			sent += (uint64_t)n;
		vt_victim_works(&t);
	}
	assert_true(sent > 1000 * len);
	assert_int_equal(t.seen.lines, 0);
	close(sock);
	vt_stop(&t);
}

#define STALL_MS 10000

/* Requests whose answers nobody reads: they wait with the peer, not with us. */
static void
test_never_reads(void **state)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_region_rw rw;
	} m = { { 9, VFIO_USER_REGION_READ, sizeof(m), 0, 0 }, { 0, VT_BAR2, 65536 } };
	uint32_t most = 0;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fcntl(sock, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 2000 && t.seen.closed == 0; i++) {
		struct vfio_user_conn_stats stats;
		ssize_t n = send(sock, &m, sizeof(m), MSG_NOSIGNAL);

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			break;
		vt_victim_works(&t);
		if (t.seen.closed == 0 && i < 300) {
			stats = vt_stats(&t);
			most = stats.out_bytes > most ? stats.out_bytes : most;
		}
	}
	assert_true(most > 0);
	assert_true(most <= 2 * 65536 + 100);
	vt_now_ms += STALL_MS;
	vt_wait(&t.seen.closed, 1);
	assert_int_equal(t.seen.lines, 1);
	assert_non_null(strstr(t.line, "nothing read for 10000 ms"));
	vt_closed(sock);
	close(sock);
	vt_stop(&t);
}

/* The peer's own socket in a message that never ends would keep it open for ever. */
static void
test_never_ends(void **state)
{
	struct vfio_user_hdr hdr = { .cmd = VFIO_USER_DMA_MAP, .size = 48 };
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	vt_raw(sock, &hdr, 5, &sock, 1);
	close(sock);
	vt_victim_works(&t);
	vt_now_ms += STALL_MS;
	vt_wait(&t.seen.closed, 1);
	assert_non_null(strstr(t.line, "not complete after 10000 ms"));

	/* Nor do single bytes, now and then, make it last longer. */
	sock = vt_open(&t);
	hdr.cmd = VFIO_USER_REGION_WRITE;
	hdr.size = 60000;
	vt_raw(sock, &hdr, sizeof(hdr), NULL, 0);
	for (int i = 0; i < 100 && send(sock, "x", 1, MSG_NOSIGNAL) == 1; i++) {
		vt_now_ms += STALL_MS / 50;
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		vt_victim_works(&t);
	}
	assert_int_equal(t.seen.closed, 2);
	close(sock);
	vt_stop(&t);
}

/* The same client, if it reads late, gets every answer. */
static void
test_reads_late(void **state)
{
	struct vfio_user_region_rw rw = { 0, VT_BAR2, 32768 };
	static uint8_t body[sizeof(rw) + 32768];
	uint16_t id[100];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (int i = 0; i < 100; i++)
		id[i] = vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
	vt_victim_works(&t);
	for (int i = 0; i < 100; i++)
		assert_int_equal(vt_ok(sock, id[i], body, sizeof(body)), sizeof(body));
	close(sock);
	vt_stop(&t);
}

/* A storm of connections. */
static void
test_storm(void **state)
{
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	for (int i = 0; i < 2000; i++) {
		int s = vt_connect(&t);

		if (i % 3 == 0)
			send(s, "\1\2\3", 3, MSG_NOSIGNAL); /* it may be closed already */
		close(s);
	}
	vt_only_victim(&t);
	vt_stop(&t);
}

/* No fds left: those who are connected go on, the others come in later. */
static void
test_out_of_fds(void **state)
{
	struct rlimit old, low;
	int sock[2], filler[64];
	unsigned int n = 0;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (int i = 0; i < 2; i++)
		sock[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	low = old;
	low.rlim_cur = (rlim_t)sock[1] + 8;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n < 64 && (filler[n] = dup(sock[0])) >= 0)
		n++;
	for (int i = 0; i < 2; i++) {
		close(sock[i]);
		sock[i] = vt_connect(&t);
	}
	vt_wait(&t.seen.lines, 1);
	assert_non_null(strstr(t.line, "accept: "));
	vt_victim_works(&t);
	/* It asks again at ticks, of which there are a hundred a second, and not all the time. */
	nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	assert_true(t.seen.lines < 20);
	while (n != 0)
		close(filler[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (int i = 0; i < 2; i++) {
		vt_version(sock[i], "{}", NULL);
		close(sock[i]);
	}
	vt_stop(&t);
}

static void
close_last(struct vt *t, void *arg)
{
	vfio_user_conn_close(t->last, arg);
}

/* The owner ends it, with a reason that is logged, or without. */
static void
test_closed_by_owner(void **state)
{
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		sock = vt_open(&t);
		vt_call(&t, close_last, i == 0 ? (void *)(uintptr_t)"enough" : NULL);
		vt_closed(sock);
		close(sock);
		vt_only_victim(&t);
		assert_int_equal(t.seen.closed, i + 1);
		assert_int_equal(t.seen.lines, 1);
		assert_non_null(strstr(t.line, "closed: enough"));
	}
	vt_stop(&t);
}

/* The owner refuses. */
static void
test_refused_peer(void **state)
{
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	t.fail = -EPERM;
	sock = vt_connect(&t);
	vt_closed(sock);
	close(sock);
	t.fail = 0;
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_never_reads),
		cmocka_unit_test(test_never_ends),
		cmocka_unit_test(test_reads_late),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_out_of_fds),
		cmocka_unit_test(test_closed_by_owner),
		cmocka_unit_test(test_refused_peer),
	};

	vt_now_ms = 1000000;
	vt_timer_speed = 100;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
