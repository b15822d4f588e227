/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Whose descriptors they are: those that a server closes, and those that it is asked about, are
 * the peer's, as far as one user's may not let those of others wait. Who the peer is, and what is
 * closed, the test says and sees.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_fd.h"
#include "vfio_user_sock.h"

#define NOBODY ((uid_t)-1)

static uid_t peer_uid;
static bool no_peer;
static uid_t uid_now; /* whose descriptors are seen now */
static unsigned int closed, asked;

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int rc = __real_getsockopt(fd, level, name, value, len);

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return rc;
	((struct ucred *)value)->uid = peer_uid;
	errno = ENOBUFS;
	return no_peer ? -1 : rc;
}

void __wrap_vfio_user_fd_close(int fd, uid_t uid);
void
__wrap_vfio_user_fd_close(int fd, uid_t uid)
{
	assert_int_equal(close(fd), 0);
	assert_int_equal(uid, uid_now);
	closed++;
}

bool __wrap_vfio_user_fd_blocked(uid_t uid);
bool
__wrap_vfio_user_fd_blocked(uid_t uid)
{
	assert_int_equal(uid, uid_now);
	asked++;
	return false;
}

static bool refuses;

static int
connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	return refuses ? -EACCES : vt_plain_ops.connected(conn, listener_priv, conf);
}

static struct sockaddr_un addr = { .sun_family = AF_UNIX };

/* Somebody who has sent something connects. @return The client's socket. */
static int
join(struct vfio_user_server *s, uid_t uid)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	peer_uid = uid_now = uid;
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	vt_send(sock, VFIO_USER_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	assert_int_equal(vfio_user_server_run(s, 0), 1);
	return sock;
}

/* A request with descriptors that it may not have; each is closed. */
static void
send_fds(struct vfio_user_server *s, int sock, uid_t uid, unsigned int n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[VFIO_USER_FDS_MAX + 3];
	uint16_t id;

	uid_now = uid;
	closed = asked = 0;
	for (unsigned int i = 0; i < n; i++)
		fds[i] = null;
	id = vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, fds, n);
	vfio_user_server_run(s, 0);
	vt_error(sock, id, EINVAL);
	assert_int_equal(closed, n);
	assert_true(asked != 0);
	close(null);
}

/* Something that ends the connection, and something behind it that is not read any more. */
static void
end_badly(struct vfio_user_server *s, int sock, uid_t uid)
{
	uint8_t bad[64] = { 0 };

	uid_now = uid;
	closed = 0;
	vt_raw(sock, bad, sizeof(bad), NULL, 0);
	vfio_user_server_run(s, 0);
	assert_int_equal(closed, 1);
	vt_closed(sock);
	close(sock);
}

static void
test_whose(void **state)
{
	struct vfio_user_ops ops = vt_plain_ops;
	const struct vfio_user_server_conf conf = { .ops = &ops };
	char dir[] = "/tmp/vfio-user-XXXXXX";
	struct vfio_user_server *s;
	unsigned int fds = vt_fds();
	struct vfio_user_hdr hdr;
	uint8_t body[512];
	int first, second, third;

	(void)state;
	ops.connected = connected;
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	assert_int_equal(vfio_user_server_listen(s, addr.sun_path, 0600, NULL), 0);
	first = join(s, 1001);
	vfio_user_server_run(s, 0);
	vt_recv(first, &hdr, body, sizeof(body), NULL);
	second = join(s, 1002);
	vfio_user_server_run(s, 0);
	vt_recv(second, &hdr, body, sizeof(body), NULL);
	send_fds(s, first, 1001, 1);
	send_fds(s, second, 1002, VFIO_USER_FDS_MAX);
	send_fds(s, first, 1001, VFIO_USER_FDS_MAX + 3);

	/* Who is turned away is somebody, too, if it is known who. */
	closed = 0;
	refuses = true;
	third = join(s, 1003);
	refuses = false;
	assert_int_equal(closed, 1);
	close(third);
	no_peer = true;
	third = join(s, NOBODY);
	no_peer = false;
	assert_int_equal(closed, 2);
	close(third);

	end_badly(s, first, 1001);
	end_badly(s, second, 1002);
	/* The listener is nobody's. */
	uid_now = NOBODY;
	closed = 0;
	vfio_user_server_destroy(s);
	assert_int_equal(closed, 1);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(vt_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
