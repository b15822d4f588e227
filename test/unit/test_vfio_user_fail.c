/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Each call of the server fails in turn: the error is told, and nothing stays behind. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail_nth.h"
#include "test_vfio_user_util.h"

#define LEN 65536u

static const struct vfio_user_region regions[] = {
	{ LEN, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE },
	{ LEN, VFIO_USER_REGION_F_MMAP },
};
static const struct vfio_user_irq irqs[] = { { 4, VFIO_USER_IRQ_F_EVENTFD } };
static const struct vfio_user_device device = { 3, 2, 1, regions, irqs, NULL };
static struct vfio_user_conn *conn;
static unsigned int closes, writes;
static bool defer;
static char line[600];

static int
connected(struct vfio_user_conn *c, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	(void)listener_priv;
	conf->device = &device;
	conn = c;
	return 0;
}

static int
region_read(struct vfio_user_conn *c, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	(void)c;
	(void)priv;
	(void)region;
	(void)offset;
	memset(buf, 0x5a, count);
	return defer ? VFIO_USER_DEFERRED : 0;
}

static int
region_write(struct vfio_user_conn *c, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)c;
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	writes++;
	return defer ? VFIO_USER_DEFERRED : 0;
}

static int
region_mmap(struct vfio_user_conn *c, void *priv, uint32_t region, struct vfio_user_mmap *mm)
{
	(void)c;
	(void)priv;
	(void)region;
	mm->fd = 0;
	return 0;
}

static void
closed(struct vfio_user_conn *c, void *priv)
{
	(void)priv;
	vfio_user_conn_release(c);
	conn = NULL;
	closes++;
}

static void
keep_line(enum base_log_level level, const char *text, void *priv)
{
	(void)level;
	(void)priv;
	snprintf(line, sizeof(line), "%s", text);
}

static const struct vfio_user_ops ops = { .connected = connected, .region_read = region_read,
	.region_write = region_write, .region_mmap = region_mmap, .closed = closed };
static const struct vfio_user_server_conf conf = { .name = "test", .ops = &ops,
	.log = { .line = keep_line } };

/* Before, and what must be after. */
static unsigned int fds;
static long blocks;

static void
remember(void)
{
	fds = vt_fds();
	blocks = fail_nth_blocks();
	closes = writes = 0;
	defer = false;
	line[0] = '\0';
}

static void
as_before(const char *what)
{
	if (vt_fds() != fds || fail_nth_blocks() != blocks)
		fail_msg("%s: %u descriptors, before %u; %ld blocks of memory, before %ld",
				what != NULL ? what : "at the end", vt_fds(), fds,
				fail_nth_blocks(), blocks);
}

/* What a call that failed is told as. */
static void
told(const char *what, int rc)
{
	if (rc >= 0 || rc != -fail_nth_errno())
		fail_msg("%s failed with %d, which is told as %d", what, fail_nth_errno(), rc);
}

static void
test_create(void **state)
{
	const char *what;

	(void)state;
	fail_nth_struck();
	for (unsigned int n = 1;; n++) {
		struct vfio_user_server *s = NULL;
		int rc;

		remember();
		fail_nth(n);
		rc = vfio_user_server_create(&conf, &s);
		what = fail_nth_end();
		if (what == NULL) {
			assert_int_equal(rc, 0);
			vfio_user_server_destroy(s);
			as_before(NULL);
			assert_string_equal(fail_nth_struck(),
				"calloc epoll_create1 epoll_ctl eventfd malloc open "
				"timerfd_create");
			return;
		}
		told(what, rc);
		as_before(what);
	}
}

static void
test_listen(void **state)
{
	char dir[] = "/tmp/vfio-user-XXXXXX", path[64];
	struct vfio_user_server *s;
	const char *what;
	int rc;

	(void)state;
	fail_nth_struck();
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	for (unsigned int n = 1;; n++) {
		remember();
		fail_nth(n);
		rc = vfio_user_server_listen(s, path, 0600, NULL);
		what = fail_nth_end();
		if (what == NULL)
			break;
		told(what, rc);
		as_before(what);
		/* Nobody finds a socket that nobody listens on. */
		assert_int_not_equal(access(path, F_OK), 0);
		assert_true(line[0] != '\0');
	}
	assert_int_equal(rc, 0);
	assert_string_equal(fail_nth_struck(),
		"bind calloc epoll_ctl fchmod listen lstat socket strdup");
	vfio_user_server_destroy(s);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- Connections ---- */

static struct vfio_user_server *server;

static void
set_up(void)
{
	remember();
	assert_int_equal(vfio_user_server_create(&conf, &server), 0);
}

static void
end(int sock)
{
	vt_closed(sock);
	close(sock);
	vfio_user_server_destroy(server);
	as_before(NULL);
}

/* A turn whose first call of name fails. */
static const char *
turn(const char *name)
{
	const char *what;

	fail_nth_of(name, 1);
	vfio_user_server_run(server, 0);
	what = fail_nth_end();
	vfio_user_server_run(server, 0);
	return what;
}

/* Who cannot be served is turned away, and told so by the end of its socket. */
static void
test_accept(void **state)
{
	static const char *const calls[] = { "getsockopt", "calloc", "epoll_ctl" };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/vfio-user-XXXXXX";
	struct vfio_user_server_stats stats;
	int sock;

	(void)state;
	set_up();
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(vfio_user_server_listen(server, addr.sun_path, 0600, NULL), 0);
	for (unsigned int i = 0; i <= 3; i++) {
		sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
		line[0] = '\0';
		if (i < 3)
			assert_string_equal(turn(calls[i]), calls[i]);
		else
			vfio_user_server_run(server, 0);
		vfio_user_server_stats_get(server, &stats);
		assert_int_equal(stats.conns, i == 3);
		assert_int_equal(stats.refused, i < 2 ? i + 1 : 2);
		assert_int_equal(closes, i < 2 ? 0 : 1);
		assert_int_equal(strstr(line, "cannot be served: error ") != NULL, i == 2);
		if (i == 3)
			break;
		vt_closed(sock);
		close(sock);
	}
	vfio_user_server_destroy(server);
	vt_closed(sock);
	close(sock);
	assert_int_equal(rmdir(dir), 0);
	as_before(NULL);
}

static void
test_no_memory_for_a_message(void **state)
{
	struct {
		struct vfio_user_hdr hdr;
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { 9, VFIO_USER_REGION_WRITE, 36, 0, 0 }, { 0, 0, 4 }, 0 };
	int sock;

	(void)state;
	/* One in parts. */
	set_up();
	sock = vt_joined(server);
	vt_raw(sock, &m, 20, NULL, 0);
	assert_string_equal(turn("malloc"), "malloc");
	assert_int_equal(closes, 1);
	assert_non_null(strstr(line, "closed: Cannot allocate memory"));
	end(sock);
	/* One that must wait for another. */
	set_up();
	sock = vt_joined(server);
	defer = true;
	vt_raw(sock, &m, 36, NULL, 0);
	vfio_user_server_run(server, 0);
	vt_raw(sock, &m, 36, NULL, 0);
	assert_string_equal(turn("malloc"), "malloc");
	assert_non_null(strstr(line, "closed: no memory for a request of 20 bytes"));
	assert_int_equal(closes, 1);
	assert_int_equal(writes, 1);
	end(sock);
}

/* Several writes whose rest cannot be kept while the first is deferred. */
static void
test_rest_of_writes_that_cannot_be_kept(void **state)
{
	struct {
		struct vfio_user_multi head;
		struct vfio_user_multi_one one[2];
	} m = { { 2 }, { { 0, 0, 4, { 0 } }, { 4, 0, 4, { 0 } } } };
	uint16_t id;
	int sock;

	(void)state;
	set_up();
	sock = vt_joined(server);
	defer = true;
	id = vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &m, sizeof(m), NULL, 0);
	assert_string_equal(turn("malloc"), "malloc");
	assert_int_equal(writes, 1);
	defer = false;
	vfio_user_conn_complete(conn, 0);
	vfio_user_server_run(server, 0);
	vt_error(sock, id, ENOMEM);
	assert_int_equal(writes, 1);
	/* And it goes on. */
	id = vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &m, sizeof(m), NULL, 0);
	vfio_user_server_run(server, 0);
	vt_ok(sock, id, &m.head, sizeof(m.head));
	assert_int_equal(writes, 3);
	shutdown(sock, SHUT_WR);
	vfio_user_server_run(server, 0);
	end(sock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_no_memory_for_a_message),
		cmocka_unit_test(test_rest_of_writes_that_cannot_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
