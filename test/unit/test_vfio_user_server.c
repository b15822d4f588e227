/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The server itself: how it is made, where it listens, what many connections cost. */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail_nth.h"
#include "test_vfio_user_util.h"
#include "vfio_user_state.h"

#define IDLE_MAX 2048u /* bytes of an idle connection */

static const struct vfio_user_region regions[] = {
	{ 4096, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE },
};
static const struct vfio_user_irq irqs[] = { { 4, VFIO_USER_IRQ_F_EVENTFD } };
static const struct vfio_user_device device = { 3, 1, 1, regions, irqs, NULL };
static unsigned int writes, closes;

static int
connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	(void)conn;
	(void)listener_priv;
	conf->device = &device;
	return 0;
}

static int
region_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	memset(buf, (int)offset, count);
	return 0;
}

static int
region_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	writes++;
	return 0;
}

static void
closed(struct vfio_user_conn *conn, void *priv)
{
	(void)priv;
	vfio_user_conn_release(conn);
	closes++;
}

static const struct vfio_user_ops ops = { .connected = connected, .region_read = region_read,
	.region_write = region_write, .closed = closed };

static struct vfio_user_server *
start(void)
{
	const struct vfio_user_server_conf conf = { .name = "test", .ops = &ops };
	struct vfio_user_server *s;

	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	return s;
}

static void
test_create(void **state)
{
	struct vfio_user_ops some = ops;
	struct vfio_user_server_conf conf = { .ops = &some };
	struct vfio_user_server *s;
	unsigned int fds = vt_fds();

	(void)state;
	some.closed = NULL;
	assert_int_equal(vfio_user_server_create(&conf, &s), -EINVAL);
	conf.ops = NULL;
	assert_int_equal(vfio_user_server_create(&conf, &s), -EINVAL);
	conf.ops = &ops;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	assert_int_equal(vfio_user_server_run(s, 0), 0);
	vfio_user_server_destroy(s);
	vfio_user_server_destroy(NULL);
	assert_int_equal(vt_fds(), fds);
}

static void
test_listen(void **state)
{
	char dir[] = "/tmp/vfio-user-XXXXXX", path[64], other[64], name[200];
	long blocks = fail_nth_blocks();
	struct vfio_user_server *s = start();
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	unsigned int fds = vt_fds();
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(other, sizeof(other), "%s/o", dir);
	assert_int_equal(vfio_user_server_listen(s, path, 0640, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	/* It is taken, by a server that lives. */
	assert_int_equal(vfio_user_server_listen(s, path, 0640, NULL), -EADDRINUSE);
	/* A server that died has left this. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(addr.sun_path, other);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(vfio_user_server_listen(s, other, 0666, NULL), 0);
	assert_int_equal(unlink(other), 0);
	/* A file of somebody's is not ours to remove. */
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(vfio_user_server_listen(s, other, 0666, NULL), -EADDRINUSE);
	assert_int_equal(unlink(other), 0);
	memset(name, 'a', sizeof(name));
	name[199] = '\0';
	assert_int_equal(vfio_user_server_listen(s, name, 0666, NULL), -ENAMETOOLONG);
	assert_int_equal(vfio_user_server_listen(s, "", 0666, NULL), -EINVAL);
	assert_int_equal(vfio_user_server_listen(s, "/nonexistent/s", 0666, NULL),
			-ENOENT);
	assert_int_equal(vt_fds(), fds + 2);
	vfio_user_server_destroy(s);
	/* What it listened on goes with it. */
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(fail_nth_blocks(), blocks);
}

static void
count_conn(struct vfio_user_conn *conn, void *arg)
{
	unsigned int *n = arg;

	assert_null(vfio_user_conn_priv(conn));
	++*n;
}

/* Idle connections take little memory, and no time. */
static void
test_many(void **state)
{
	const char *many = getenv("VFIO_USER_MANY");
	unsigned int n = many != NULL ? (unsigned int)atoi(many) : 1000, seen = 0;
	struct rlimit limit;
	struct vfio_user_server *s;
	struct vfio_user_server_stats stats;
	size_t before, after;
	unsigned int fds = vt_fds();
	int *sock = calloc(n, sizeof(*sock));

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 2 * n + 64)
		fail_msg("%lu files may be open; expected %u", (unsigned long)limit.rlim_max,
				2 * n + 64);
	s = start();
	closes = writes = 0;
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (unsigned int i = 0; i < n; i++) {
		uint8_t buf[64];

		sock[i] = vt_join(s);
		vt_send(sock[i], VFIO_USER_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
		memset(buf, 0, sizeof(buf));
		buf[12] = 4;
		vt_send(sock[i], VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY, buf, 20, NULL, 0);
		while (vfio_user_server_run(s, 0) > 0)
			;
	}
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	print_message("%zu bytes for each of %u idle connections\n", (after - before) / n, n);
	assert_true(after - before <= (size_t)n * IDLE_MAX);
	assert_int_equal(writes, n);
	vfio_user_server_each(s, count_conn, &seen);
	assert_int_equal(seen, n);

	/* Only who says something is looked at. */
	vt_send(sock[n / 2], VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	assert_int_equal(vfio_user_server_run(s, VT_TIMEOUT_MS), 1);
	for (unsigned int i = 0; i < n; i++)
		close(sock[i]);
	do
		vfio_user_server_run(s, 0);
	while (closes < n);
	vfio_user_server_stats_get(s, &stats);
	assert_int_equal(stats.conns, 0);
	assert_int_equal(stats.accepted, n);
	vfio_user_server_destroy(s);
	free(sock);
	assert_int_equal(vt_fds(), fds);
}

static const char *bind_puts; /* a link to this in place of the socket, as another process may */

int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int
__wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	int rc = __real_bind(fd, addr, len);

	if (bind_puts != NULL) {
		const char *path = ((const struct sockaddr_un *)(const void *)addr)->sun_path;

		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink(bind_puts, path), 0);
	}
	return rc;
}

/* The mode is that of the socket, whatever the umask is, and nobody else's. */
static void
test_mode(void **state)
{
	char dir[] = "/tmp/vfio-user-XXXXXX", path[64], other[64];
	struct vfio_user_server *s = start();
	struct stat st;
	mode_t mask = umask(077);
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(vfio_user_server_listen(s, path, 0646, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0646);
	assert_int_equal(umask(mask), 077);
	vfio_user_server_destroy(s);

	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fchmod(fd, 0600), 0);
	s = start();
	bind_puts = other;
	vfio_user_server_listen(s, path, 0666, NULL);
	bind_puts = NULL;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(fd);
	vfio_user_server_destroy(s);
	unlink(path);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
}

static uid_t
owned_by_seven(uid_t uid)
{
	return uid == getuid() ? 7 : uid;
}

/* Whom a user counts as says the owner of the server. */
static void
test_peers_owner(void **state)
{
	struct vfio_user_server_conf conf = { .ops = &ops };
	struct vfio_user_server *s;
	int sock;

	(void)state;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	sock = vt_joined(s);
	assert_int_equal(vfio_user_conn_peer(LIST_FIRST(&s->conns))->owner, getuid());
	close(sock);
	vfio_user_server_destroy(s);
	conf.owner = owned_by_seven;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	sock = vt_joined(s);
	assert_int_equal(vfio_user_conn_peer(LIST_FIRST(&s->conns))->owner, 7);
	assert_int_equal(vfio_user_conn_peer(LIST_FIRST(&s->conns))->uid, getuid());
	assert_int_equal(LIST_FIRST(&s->conns)->user->uid, 7);
	close(sock);
	vfio_user_server_destroy(s);
}

/* ---- Turns ---- */

static void
post_write(int sock)
{
	uint8_t buf[20] = { [12] = 4 };

	vt_send(sock, VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY, buf, sizeof(buf), NULL, 0);
}

#define TURN_MESSAGES 16u /* of one connection, or fewer, as they take so long */
#define TURN_ACCEPTS  16u

/* One connection's messages, and new connections, take so much of a turn and no more. */
static void
test_turn(void **state)
{
	char dir[] = "/tmp/vfio-user-XXXXXX", path[64];
	struct vfio_user_server *s = start();
	struct vfio_user_server_stats stats;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int a = vt_joined(s), b = vt_joined(s), many[100];

	(void)state;
	writes = 0;
	for (int i = 0; i < 150; i++)
		post_write(a);
	post_write(b);
	for (unsigned int before = 0; writes != 151; before = writes) {
		assert_true(vfio_user_server_run(s, 0) >= 1);
		assert_in_range(writes - before, 1, TURN_MESSAGES + 1);
	}
	while (vfio_user_server_run(s, 0) != 0)
		assert_int_equal(writes, 151);

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(vfio_user_server_listen(s, path, 0600, NULL), 0);
	strcpy(addr.sun_path, path);
	for (int i = 0; i < 100; i++) {
		many[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(many[i], (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	for (unsigned int n = TURN_ACCEPTS; n < 100 + TURN_ACCEPTS; n += TURN_ACCEPTS) {
		assert_int_equal(vfio_user_server_run(s, 0), 1);
		vfio_user_server_stats_get(s, &stats);
		assert_int_equal(stats.conns, 2 + (n < 100 ? n : 100));
	}
	assert_int_equal(stats.accepted, 2 + 100);
	assert_int_equal(stats.refused, 0);
	vfio_user_server_destroy(s);
	for (int i = 0; i < 100; i++) {
		vt_closed(many[i]);
		close(many[i]);
	}
	close(a);
	close(b);
	assert_int_equal(rmdir(dir), 0);
}

/* Somebody who lives, but has no time: its socket stays. */
static void
test_busy_listener(void **state)
{
	char dir[] = "/tmp/vfio-user-XXXXXX";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct vfio_user_server *s = start();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), waits[8], n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (; n < 8; n++) {
		waits[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(waits[n], (struct sockaddr *)&addr, sizeof(addr)) != 0)
			break;
	}
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(vfio_user_server_listen(s, addr.sun_path, 0600, NULL), -EADDRINUSE);
	assert_int_equal(access(addr.sun_path, F_OK), 0);
	vfio_user_server_destroy(s);
	assert_int_equal(unlink(addr.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
	for (; n >= 0; n--)
		close(waits[n]);
	close(fd);
}

static int wait_error;

int __real_epoll_wait(int fd, struct epoll_event *events, int max, int ms);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int max, int ms);
int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	if (wait_error == 0)
		return __real_epoll_wait(fd, events, max, ms);
	errno = wait_error;
	return -1;
}

/* A signal is no error of the loop; what is one is told. */
static void
test_turn_fails(void **state)
{
	struct vfio_user_server *s = start();
	int sock = vt_joined(s);

	(void)state;
	writes = 0;
	post_write(sock);
	wait_error = EINTR;
	assert_int_equal(vfio_user_server_run(s, 0), 0);
	wait_error = EBADF;
	assert_int_equal(vfio_user_server_run(s, 0), -EBADF);
	wait_error = 0;
	assert_int_equal(writes, 0);
	assert_int_equal(vfio_user_server_run(s, 0), 1);
	assert_int_equal(writes, 1);
	close(sock);
	vfio_user_server_destroy(s);
}

/* ---- An end while an operation is deferred ---- */

static struct vfio_user_conn *deferred;

static int
defer_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	deferred = conn;
	return VFIO_USER_DEFERRED;
}

/* A server that defers writes, and a client with one. */
static struct vfio_user_server *
start_deferring(int *sock)
{
	static const struct vfio_user_ops some = {
		.connected = connected, .region_read = region_read, .region_write = defer_write,
		.closed = closed,
	};
	const struct vfio_user_server_conf conf = { .ops = &some };
	struct vfio_user_server *s;

	closes = 0;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	*sock = vt_joined(s);
	post_write(*sock);
	return s;
}

/* It is not waited for, and cannot be completed any more. */
static void
test_destroy_while_deferred(void **state)
{
	unsigned int fds = vt_fds();
	struct vfio_user_server *s;
	int sock;

	(void)state;
	s = start_deferring(&sock);
	assert_int_equal(vfio_user_server_run(s, 0), 1);
	assert_non_null(deferred);
	vfio_user_server_destroy(s);
	assert_int_equal(closes, 1);
	vt_closed(sock);
	close(sock);
	assert_int_equal(vt_fds(), fds);
}

static unsigned int served;   /* reads */
static unsigned int served_before; /* the write of another connection */

static int
count_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	served++;
	return region_read(conn, priv, region, offset, buf, count);
}

static int
defer_first_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	if (deferred == NULL)
		return defer_write(conn, priv, region, offset, buf, count);
	served_before = served;
	return 0;
}

/* What was held while it was deferred takes turns as what is in the socket does. */
static void
test_held_take_turns(void **state)
{
	static const struct vfio_user_ops some = {
		.connected = connected, .region_read = count_read,
		.region_write = defer_first_write, .closed = closed,
	};
	const struct vfio_user_server_conf conf = { .ops = &some };
	struct vfio_user_region_rw rw = { 0, 0, 4 };
	struct vfio_user_server *s;
	int sock, other;

	(void)state;
	deferred = NULL;
	served = served_before = 0;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	sock = vt_joined(s);
	other = vt_joined(s);
	post_write(sock);
	for (int i = 0; i < 150; i++)
		vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
	while (vfio_user_server_run(s, 0) != 0)
		;
	post_write(other);
	assert_int_equal(served, 0);
	vfio_user_conn_complete(deferred, 0);
	assert_true(vfio_user_server_run(s, 0) >= 1);
	/* None, if its turn of so much time was over at once. */
	assert_in_range(served_before, 0, TURN_MESSAGES);
	while (vfio_user_server_run(s, 0) != 0)
		;
	assert_int_equal(served, 150);
	vfio_user_server_destroy(s);
	close(sock);
	close(other);
}

/* Completing it ends the connection, if what waited behind it does: in the next turn. */
static void
test_completion_that_ends(void **state)
{
	struct vfio_user_region_rw rw = { 0, 0, 4096 };
	unsigned int fds = vt_fds();
	struct vfio_user_server *s;
	int sock;

	(void)state;
	s = start_deferring(&sock);
	vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
	assert_int_equal(vfio_user_server_run(s, 0), 1);
	/* Its answer cannot be sent. */
	assert_int_equal(shutdown(sock, SHUT_RD), 0);
	vfio_user_conn_complete(deferred, 0);
	assert_int_equal(closes, 0);
	assert_true(vfio_user_server_run(s, 0) >= 1);
	assert_int_equal(closes, 1);
	close(sock);
	vfio_user_server_destroy(s);
	assert_int_equal(vt_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_turn_fails),
		cmocka_unit_test(test_busy_listener),
		cmocka_unit_test(test_destroy_while_deferred),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_peers_owner),
		cmocka_unit_test(test_held_take_turns),
		cmocka_unit_test(test_completion_that_ends),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
