/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The client, against our server, and against servers that are broken. */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base_clock.h"
#include "test_vfio_user_util.h"
#include "vfio_user_client.h"

static const struct vfio_user_client_conf conf = { .timeout_ms = VT_TIMEOUT_MS, .spim = 1 };

static void
test_calls(void **state)
{
	uint32_t value = 0x11223344, back = 0;
	struct vfio_user_client_region region;
	struct vfio_user_client *c;
	uint8_t page[4096];
	struct vt t;
	void *map;

	(void)state;
	vt_start(&t, NULL);
	assert_int_equal(vfio_user_client_connect(t.path, &conf, &c), 0);
	assert_int_equal(vfio_user_client_alive(c), 0);
	assert_non_null(vfio_user_client_spim(c));
	assert_int_equal(vfio_user_client_spim(c)->wake_offset, 0x3108);

	assert_int_equal(vfio_user_client_region_info(c, VT_BAR2, &region), 0);
	assert_int_equal(region.size, VT_BAR2_LEN);
	assert_int_equal(region.fd, -1);
	assert_int_equal(vfio_user_client_region_info(c, VT_SPARSE, &region), 0);
	assert_int_equal(region.nr_areas, 2);
	assert_int_equal(region.areas[1].offset, 61440);
	assert_true(region.fd >= 0);
	close(region.fd);
	assert_int_equal(vfio_user_client_region_info(c, VT_DOORBELL, &region), 0);
	assert_int_equal(region.nr_areas, 0);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	assert_true(map != MAP_FAILED);
	munmap(map, 8192);
	close(region.fd);

	assert_int_equal(vfio_user_client_region_post(c, VT_BAR2, 0x20, &value, 4), 0);
	assert_int_equal(vfio_user_client_region_read(c, VT_BAR2, 0x20, &back, 4), 0);
	assert_int_equal(back, value);
	assert_int_equal(vfio_user_client_region_read(c, VFIO_USER_PCI_CONFIG, 0, page, 4096), 0);
	assert_int_equal(page[4095], VFIO_USER_PCI_CONFIG);
	assert_int_equal(vfio_user_client_region_read(c, VT_BAR2, VT_BAR2_LEN, &back, 4), -EINVAL);
	assert_int_equal(vfio_user_client_region_read(c, VT_BAR2, 0, &back, 0), -EINVAL);
	assert_int_equal(vfio_user_client_region_read(c, VT_BAR2, 0, &back, 65537), -EINVAL);
	assert_int_equal(vfio_user_client_reset(c), 0);
	assert_int_equal(t.seen.reset, 1);
	vfio_user_client_close(c);
	vt_stop(&t);
}

static void
test_memory_and_irqs(void **state)
{
	struct vfio_user_client *c;
	struct vt t;
	eventfd_t n;
	int fd, ev;

	(void)state;
	vt_start(&t, NULL);
	fd = vt_memfd(0x10000);
	ev = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(vfio_user_client_connect(t.path, &conf, &c), 0);
	assert_int_equal(vfio_user_client_dma_map(c, 0x1000, 0x2000, fd, 0x4000, 3), 0);
	assert_int_equal(t.seen.iova, 0x1000);
	assert_int_equal(vfio_user_client_dma_map(c, 0x2000, 0x1000, fd, 0, 3), -EEXIST);
	assert_int_equal(vfio_user_client_dma_map(c, 0x8000, 0x1000, -1, 0, 3), -EINVAL);
	assert_int_equal(vfio_user_client_dma_unmap(c, 0x1000, 0x1000), -EINVAL);
	assert_int_equal(vfio_user_client_dma_unmap(c, 0, 0x10000), 0);
	assert_int_equal(vfio_user_client_dma_unmap(c, 0, 0x10000), 0);
	assert_int_equal(vt_memory(&t).maps, 0);

	assert_int_equal(vfio_user_client_set_irqs(c, VFIO_USER_PCI_MSI, 1, 1, &ev), 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_MSI, 1), 0);
	assert_int_equal(eventfd_read(ev, &n), 0);
	assert_int_equal(vfio_user_client_set_irqs(c, VFIO_USER_PCI_MSI, 1, 1, NULL), 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_MSI, 1), -ENOENT);
	assert_int_equal(vfio_user_client_set_irqs(c, VFIO_USER_PCI_MSI, 0, 1, &ev), 0);
	assert_int_equal(vfio_user_client_set_irqs(c, VFIO_USER_PCI_MSI, 0, 0, NULL), 0);
	assert_int_equal(vt_stats(&t).eventfds, 0);
	assert_int_equal(vfio_user_client_set_irqs(c, VFIO_USER_PCI_MSI, 4, 1, &ev), -EINVAL);
	vfio_user_client_close(c);
	close(ev);
	close(fd);
	vt_stop(&t);
}

/* ---- Many threads ---- */

struct worker {
	struct vfio_user_client *c;
	uint32_t n;
};

static void *
hammer(void *arg)
{
	struct worker *w = arg;
	uint32_t value, back;

	for (uint32_t i = 0; i < 500; i++) {
		value = w->n << 16 | i;
		vfio_user_client_region_post(w->c, VT_BAR2, w->n * 4, &value, 4);
		if (vfio_user_client_region_read(w->c, VT_BAR2, w->n * 4, &back, 4) != 0 ||
				back != value)
			return w;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct vfio_user_client *c;
	struct worker w[4];
	pthread_t thread[4];
	struct vt t;
	void *bad;

	(void)state;
	vt_start(&t, NULL);
	assert_int_equal(vfio_user_client_connect(t.path, &conf, &c), 0);
	for (uint32_t i = 0; i < 4; i++) {
		w[i] = (struct worker){ c, i };
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, &w[i]), 0);
	}
	for (uint32_t i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	vfio_user_client_close(c);
	vt_stop(&t);
}

/* ---- Servers that are broken ---- */

/* What a server says to VERSION, then to whatever comes. */
struct fake {
	int sock;
	const void *version; /* bytes after the header; NULL: what is right */
	size_t version_len;
	bool descriptors; /* come beside what comes then: they are dropped */
	void (*then)(struct fake *f, const struct vfio_user_hdr *req);
};

#define FAKE_CAPS "{\"capabilities\":{\"max_msg_fds\":16}}"

static void
answer(int sock, const struct vfio_user_hdr *req, uint32_t flags, const void *body, size_t len)
{
	struct vfio_user_hdr hdr = *req;
	uint8_t buf[4096];

	hdr.flags = flags;
	hdr.error = 0;
	hdr.size = (uint32_t)(sizeof(hdr) + len);
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), body, len);
	vt_raw(sock, buf, sizeof(hdr) + len, NULL, 0);
}

static void *
fake_run(void *arg)
{
	static const char right[4 + sizeof(FAKE_CAPS)] = "\0\0\0\0" FAKE_CAPS;
	struct fake *f = arg;
	struct vfio_user_hdr req;
	uint8_t body[8192];

	vt_recv(f->sock, &req, body, sizeof(body), NULL);
	if (f->version != NULL)
		answer(f->sock, &req, VFIO_USER_F_REPLY, f->version, f->version_len);
	else
		answer(f->sock, &req, VFIO_USER_F_REPLY, right, sizeof(right));
	if (f->then != NULL) {
		if (f->descriptors) {
			assert_int_equal(recv(f->sock, &req, sizeof(req), MSG_WAITALL),
					sizeof(req));
			(void)recv(f->sock, body, req.size - sizeof(req), MSG_WAITALL);
		} else {
			vt_recv(f->sock, &req, body, sizeof(body), NULL);
		}
		f->then(f, &req);
	}
	return NULL;
}

/* Connect to a fake; rc is what the connect shall give. */
static struct vfio_user_client *
fake_start(struct fake *f, pthread_t *thread, uint32_t timeout_ms, int rc)
{
	struct vfio_user_client_conf cc = { .timeout_ms = timeout_ms, .spim = 1 };
	struct vfio_user_client *c = NULL;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->sock = pair[1];
	assert_int_equal(pthread_create(thread, NULL, fake_run, f), 0);
	assert_int_equal(vfio_user_client_adopt(pair[0], &cc, &c), rc);
	return c;
}

static void
test_bad_version(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int rc;
	} bad[] = {
#define BYTES(text) text, sizeof(text)
		{ "\0", 1, -ENOTCONN },
		{ "\1\0\0\0", 4, -EPROTO },
		{ "\0\0\0\0{}", 6, -EPROTO }, /* no NUL */
		{ BYTES("\0\0\0\0{\"capabilities\":[]}"), -EPROTO },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":0}}"), -EPROTO },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":-1}}}"), -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake f = { .version = bad[i].bytes, .version_len = bad[i].len };
		pthread_t thread;

		assert_null(fake_start(&f, &thread, VT_TIMEOUT_MS, bad[i].rc));
		pthread_join(thread, NULL);
		close(f.sock);
	}
}

static void
then_agrees(struct fake *f, const struct vfio_user_hdr *req)
{
	answer(f->sock, req, VFIO_USER_F_REPLY, "", 0);
}

/* More than goes with a message is not sent, whoever would take it. */
static void
test_eventfds_of_a_message(void **state)
{
	static const struct { const char *version; size_t len; uint32_t most; } servers[] = {
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_msg_fds\":1}}"), 1 },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_msg_fds\":15}}"), 15 },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_msg_fds\":64}}"), VFIO_USER_FDS_MAX },
		{ "\0\0\0\0", 4, 1 },
	};
	int fds[VFIO_USER_FDS_MAX + 1];

	(void)state;
	fds[0] = eventfd(0, EFD_CLOEXEC);
	assert_true(fds[0] >= 0);
	for (uint32_t i = 1; i <= VFIO_USER_FDS_MAX; i++)
		fds[i] = fds[0];
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct fake f = { .version = servers[i].version, .version_len = servers[i].len,
			.descriptors = true, .then = then_agrees };
		struct vfio_user_client *c;
		pthread_t thread;

		c = fake_start(&f, &thread, VT_TIMEOUT_MS, 0);
		/* The fake answers once. */
		assert_int_equal(vfio_user_client_set_irqs(c, 1, 0, servers[i].most + 1, fds),
				-EINVAL);
		assert_int_equal(vfio_user_client_set_irqs(c, 1, 0, 0, fds), -EINVAL);
		assert_int_equal(vfio_user_client_set_irqs(c, 1, 0, servers[i].most, fds), 0);
		pthread_join(thread, NULL);
		vfio_user_client_close(c);
		close(f.sock);
	}
	close(fds[0]);
}

/* What a server says that is more than there is, or was not asked for. */
static void
test_good_version(void **state)
{
	static const struct { const char *version; size_t len; uint32_t xfer; } servers[] = {
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":1048577}}"), 1048576 },
		{ BYTES("\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":1048575}}"), 1048575 },
		{ BYTES("\0\0\7\0{\"capabilities\":{\"max_data_xfer_size\":1}}"), 1 },
	};
	uint32_t value = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct fake f = { .version = servers[i].version, .version_len = servers[i].len };
		static uint8_t bytes[1048577];
		struct vfio_user_client *c;
		pthread_t thread;

		c = fake_start(&f, &thread, VT_TIMEOUT_MS, 0);
		pthread_join(thread, NULL);
		assert_null(vfio_user_client_spim(c));
		/* Nobody answers: what is sent ends otherwise. */
		assert_int_equal(vfio_user_client_region_read(c, 0, 0, bytes, servers[i].xfer + 1),
				-EINVAL);
		assert_int_equal(vfio_user_client_region_post(c, 0, 0, bytes,
				servers[i].xfer + 1), -EINVAL);
		assert_int_equal(vfio_user_client_region_read(c, 0, 0, &value, 0), -EINVAL);
		assert_int_equal(vfio_user_client_region_post(c, 0, 0, &value, 0), -EINVAL);
		close(f.sock);
		assert_int_equal(vfio_user_client_region_read(c, 0, 0, bytes, servers[i].xfer),
				-ENOTCONN);
		vfio_user_client_close(c);
	}
}

static void
then_closes(struct fake *f, const struct vfio_user_hdr *req)
{
	(void)req;
	shutdown(f->sock, SHUT_RDWR);
}

static void
then_wrong_cmd(struct fake *f, const struct vfio_user_hdr *req)
{
	struct vfio_user_hdr r = *req;

	r.cmd++;
	answer(f->sock, &r, VFIO_USER_F_REPLY, "", 0);
}

static void
then_wrong_size(struct fake *f, const struct vfio_user_hdr *req)
{
	answer(f->sock, req, VFIO_USER_F_REPLY, "12345678", 8);
}

static void
then_huge(struct fake *f, const struct vfio_user_hdr *req)
{
	struct vfio_user_hdr r = *req;

	r.flags = VFIO_USER_F_REPLY;
	r.size = UINT32_MAX;
	vt_raw(f->sock, &r, sizeof(r), NULL, 0);
}

static void
then_tiny(struct fake *f, const struct vfio_user_hdr *req)
{
	struct vfio_user_hdr r = *req;

	r.flags = VFIO_USER_F_REPLY;
	r.size = 15;
	vt_raw(f->sock, &r, sizeof(r), NULL, 0);
}

static void
then_half(struct fake *f, const struct vfio_user_hdr *req)
{
	struct vfio_user_hdr r = *req;

	r.flags = VFIO_USER_F_REPLY;
	r.size = sizeof(r) + 20;
	vt_raw(f->sock, &r, sizeof(r), NULL, 0);
}

static void
test_broken_replies(void **state)
{
	void (*const broken[])(struct fake *f, const struct vfio_user_hdr *req) = {
		then_closes, then_wrong_cmd, then_wrong_size, then_huge, then_tiny, then_half,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct fake f = { .then = broken[i] };
		struct vfio_user_client *c;
		pthread_t thread;
		uint32_t value = 0;
		uint64_t start;

		c = fake_start(&f, &thread, broken[i] == then_half ? 100 : VT_TIMEOUT_MS, 0);
		assert_null(vfio_user_client_spim(c));
		assert_int_equal(vfio_user_client_region_read(c, 0, 0, &value, 4), -ENOTCONN);
		start = base_now_ms();
		/* One that answers nonsense is still there, and may use our memory. */
		if (broken[i] != then_closes)
			assert_int_equal(vfio_user_client_alive(c), 0);
		assert_int_equal(vfio_user_client_region_read(c, 0, 0, &value, 4), -ENOTCONN);
		assert_int_equal(vfio_user_client_region_post(c, 0, 0, &value, 4), -ENOTCONN);
		assert_int_equal(vfio_user_client_dma_unmap(c, 0, 4096), -ENOTCONN);
		assert_int_equal(vfio_user_client_reset(c), -ENOTCONN);
		assert_true(base_now_ms() - start < VT_TIMEOUT_MS);
		pthread_join(thread, NULL);
		close(f.sock);
		assert_int_equal(vfio_user_client_alive(c), -ENOTCONN);
		vfio_user_client_close(c);
	}
}

/* Answers too late, with a request of its own before; then at once. */
static void
then_late(struct fake *f, const struct vfio_user_hdr *req)
{
	struct vfio_user_region_rw rw = { 0, 0, 4 };
	struct vfio_user_hdr next, hdr = { .id = 7, .cmd = VFIO_USER_DMA_READ,
		.size = sizeof(hdr) + 16 };
	uint8_t body[sizeof(hdr) + 16] = { 0 };

	vt_recv(f->sock, &next, &rw, sizeof(rw), NULL); /* the first one has timed out */
	memcpy(body, &hdr, sizeof(hdr));
	vt_raw(f->sock, body, sizeof(body), NULL, 0);
	answer(f->sock, req, VFIO_USER_F_REPLY, body, 20);
	memcpy(body, &rw, sizeof(rw));
	memset(body + sizeof(rw), 0x42, 4);
	answer(f->sock, &next, VFIO_USER_F_REPLY, body, 20);
	vt_error(f->sock, 7, ENOTSUP);
}

static void
test_timeout(void **state)
{
	struct fake f = { .then = then_late };
	struct vfio_user_client *c;
	uint32_t value = 0;
	pthread_t thread;
	uint64_t start;

	(void)state;
	c = fake_start(&f, &thread, 1000, 0);
	start = base_now_ms();
	assert_int_equal(vfio_user_client_region_read(c, 0, 0, &value, 4), -ETIMEDOUT);
	assert_true(base_now_ms() - start >= 999);
	assert_int_equal(vfio_user_client_region_read(c, 0, 0, &value, 4), 0);
	assert_int_equal(value, 0x42424242);
	pthread_join(thread, NULL);
	vfio_user_client_close(c);
	close(f.sock);
}

static void
test_no_server(void **state)
{
	struct vfio_user_client *c;
	char path[200];

	(void)state;
	assert_int_equal(vfio_user_client_connect("/nonexistent/s", &conf, &c), -ENOENT);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(vfio_user_client_connect(path, &conf, &c), -ENAMETOOLONG);
}

/* The server ends while calls wait: all of them come back at once. */
static void *
wait_for_reset(void *arg)
{
	return vfio_user_client_reset(arg) == -ENOTCONN ? NULL : arg;
}

static void
close_last(struct vt *t, void *arg)
{
	(void)arg;
	vfio_user_conn_close(t->last, "test");
}

static void
test_server_ends(void **state)
{
	struct vfio_user_client *c;
	pthread_t thread[3];
	uint64_t start;
	struct vt t;
	void *bad;

	(void)state;
	vt_start(&t, NULL);
	assert_int_equal(vfio_user_client_connect(t.path, &conf, &c), 0);
	t.defer = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, wait_for_reset, c), 0);
	vt_wait(&t.seen.reset, 1);
	while (t.deferred == NULL)
		;
	t.defer = false;
	start = base_now_ms();
	vt_call(&t, close_last, NULL);
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	assert_true(base_now_ms() - start < VT_TIMEOUT_MS);
	assert_int_equal(vfio_user_client_alive(c), -ENOTCONN);
	vfio_user_client_close(c);
	vt_stop(&t);
}

static void
close_it(struct vt *t, void *conn)
{
	(void)t;
	vfio_user_conn_close(conn, "test");
}

/* The socket ends when the device has let go of memory, not when the server stops to answer. */
static void
test_end_is_release(void **state)
{
	struct vfio_user_client *c;
	struct vfio_user_conn *conn;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	assert_int_equal(vfio_user_client_connect(t.path, &conf, &c), 0);
	conn = t.last;
	t.keep = true;
	vt_call(&t, close_it, conn);
	vt_wait(&t.seen.closed, 1);
	assert_int_equal(vfio_user_client_alive(c), 0);
	vfio_user_conn_release(conn);
	assert_int_equal(vfio_user_client_alive(c), -ENOTCONN);
	assert_int_equal(vfio_user_client_reset(c), -ENOTCONN);
	vfio_user_client_close(c);
	t.keep = false;
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_memory_and_irqs),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_bad_version),
		cmocka_unit_test(test_eventfds_of_a_message),
		cmocka_unit_test(test_good_version),
		cmocka_unit_test(test_broken_replies),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_server_ends),
		cmocka_unit_test(test_end_is_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
