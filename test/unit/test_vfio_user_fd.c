/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Descriptors: which are memory, which may be closed at once, who closes the others, and how
 * they come beside bytes. close() is the test's: it says how long one takes.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_fd.h"
#include "vfio_user_sock.h"

#define THREADS_PER_USER 4
#define THREADS_MAX      64
#define FD_MAX           4096

/* ---- close() ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static bool stuck[FD_MAX];
static unsigned int closing, closed_elsewhere;
static pthread_t tester;

int __real_close(int fd);
int __wrap_close(int fd);

int
__wrap_close(int fd)
{
	if (fd >= 0 && fd < FD_MAX && !pthread_equal(pthread_self(), tester)) {
		pthread_mutex_lock(&lock);
		closing++;
		while (stuck[fd])
			pthread_cond_wait(&go, &lock);
		closing--;
		closed_elsewhere++;
		/* Inside the lock: who counts finds it closed. */
		__real_close(fd);
		pthread_mutex_unlock(&lock);
		return 0;
	}
	return __real_close(fd);
}

static int
open_stuck(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0 && fd < FD_MAX);
	pthread_mutex_lock(&lock);
	stuck[fd] = true;
	pthread_mutex_unlock(&lock);
	return fd;
}

static void
free_stuck(int fd)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < FD_MAX; i++)
		if (fd < 0 || i == fd)
			stuck[i] = false;
	pthread_cond_broadcast(&go);
	pthread_mutex_unlock(&lock);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static unsigned int
get(const unsigned int *value)
{
	unsigned int v;

	pthread_mutex_lock(&lock);
	v = *value;
	pthread_mutex_unlock(&lock);
	return v;
}

static void
wait_for(const unsigned int *value, unsigned int want)
{
	for (int i = 0; get(value) != want; i++) {
		if (i == VT_TIMEOUT_MS)
			fail_msg("%u; expected %u", get(value), want);
		nap();
	}
}

/* It does not become more within a while. */
static void
stays(const unsigned int *value, unsigned int want)
{
	wait_for(value, want);
	for (int i = 0; i < 30; i++) {
		nap();
		assert_int_equal(get(value), want);
	}
}

static int
set_up(void **state)
{
	(void)state;
	tester = pthread_self();
	closing = closed_elsewhere = 0;
	return 0;
}

/* ---- What it is ---- */

static void
test_kinds(void **state)
{
	char path[] = "/dev/shm/vfio-user-XXXXXX";
	int memfd = vt_memfd(4096), event = eventfd(0, EFD_CLOEXEC), shm = mkstemp(path);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), pipes[2];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int fds;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_true(vfio_user_fd_is_memory(memfd));
	assert_true(vfio_user_fd_is_memory(shm));
	assert_false(vfio_user_fd_is_memory(event));
	assert_false(vfio_user_fd_is_memory(pipes[0]));
	assert_false(vfio_user_fd_is_memory(null));
	assert_false(vfio_user_fd_is_memory(-1));
	assert_true(vfio_user_fd_is_eventfd(event));
	assert_false(vfio_user_fd_is_eventfd(timer));
	assert_false(vfio_user_fd_is_eventfd(memfd));
	assert_false(vfio_user_fd_is_eventfd(pipes[0]));
	assert_false(vfio_user_fd_is_eventfd(null));
	assert_false(vfio_user_fd_is_eventfd(-1));

	/* None is closed here: the last descriptor of memory takes as long as there is of it. */
	fds = vt_fds();
	vfio_user_fd_close(memfd, 1);
	vfio_user_fd_close(shm, 1);
	vfio_user_fd_close(event, 1);
	vfio_user_fd_close(pipes[0], 1);
	vfio_user_fd_close(pipes[1], 1);
	vfio_user_fd_close(null, 1);
	vfio_user_fd_close(timer, 1);
	wait_for(&closed_elsewhere, 7);
	assert_int_equal(vt_fds(), fds - 7);
}

/* ---- Who closes ---- */

static void
test_a_share_for_each_user(void **state)
{
	unsigned int fds = vt_fds();
	int fd[10], other;

	(void)state;
	for (int i = 0; i < 10; i++) {
		fd[i] = open_stuck();
		vfio_user_fd_close(fd[i], 1);
	}
	stays(&closing, THREADS_PER_USER);
	/* Another user's is not behind them. */
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	vfio_user_fd_close(other, 2);
	wait_for(&closed_elsewhere, 1);
	/* The threads go on with what is left, newest or oldest first. */
	for (int i = 0; i < 10; i++)
		free_stuck(fd[i]);
	wait_for(&closed_elsewhere, 11);
	assert_int_equal(vt_fds(), fds);
	stays(&closing, 0);
	/* And end: the next one has a thread again. */
	vfio_user_fd_close(open("/dev/null", O_RDWR | O_CLOEXEC), 1);
	wait_for(&closed_elsewhere, 12);
}

static void
test_a_share_for_all(void **state)
{
	const unsigned int users = THREADS_MAX / THREADS_PER_USER + 2;
	unsigned int fds = vt_fds();

	(void)state;
	for (unsigned int u = 0; u < users; u++)
		for (unsigned int i = 0; i < THREADS_PER_USER; i++)
			vfio_user_fd_close(open_stuck(), 100 + u);
	stays(&closing, THREADS_MAX);
	free_stuck(-1);
	wait_for(&closed_elsewhere, users * THREADS_PER_USER);
	assert_int_equal(vt_fds(), fds);
}

static void
test_blocked(void **state)
{
	unsigned int fds = vt_fds();
	int fd = -1;

	(void)state;
	for (unsigned int i = 0; i < VFIO_USER_FDS_WAITING_MAX; i++) {
		assert_false(vfio_user_fd_blocked(1));
		fd = open_stuck();
		vfio_user_fd_close(fd, 1);
	}
	assert_true(vfio_user_fd_blocked(1));
	assert_false(vfio_user_fd_blocked(2));
	/* As many of several users block none of them. */
	vfio_user_fd_close(open_stuck(), 2);
	assert_false(vfio_user_fd_blocked(2));
	wait_for(&closing, THREADS_PER_USER + 1);
	free_stuck(-1);
	wait_for(&closed_elsewhere, VFIO_USER_FDS_WAITING_MAX + 1);
	for (int i = 0; vfio_user_fd_blocked(1) && i < VT_TIMEOUT_MS; i++)
		nap();
	assert_false(vfio_user_fd_blocked(1));
	assert_int_equal(vt_fds(), fds);
}

/* ---- How they come ---- */

static void
pair(int sock[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
}

static void
test_receive(void **state)
{
	struct vfio_user_fds got = { .uid = 1 };
	unsigned int fds = vt_fds();
	int sock[2], sent[20];
	char buf[8];

	(void)state;
	pair(sock);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), -EAGAIN);
	for (int i = 0; i < 20; i++)
		sent[i] = vt_memfd((uint64_t)i + 1);
	vt_raw(sock[0], "abc", 3, sent, 3);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 3);
	assert_int_equal(got.cnt, 3);
	assert_false(got.lost);
	for (int i = 0; i < 3; i++) {
		/* In order, and nobody's who is executed. */
		assert_int_equal(lseek(got.fd[i], 0, SEEK_END), i + 1);
		assert_int_equal(fcntl(got.fd[i], F_GETFD), FD_CLOEXEC);
	}
	/* More of them follow the first ones, up to as many as there may be. */
	vt_raw(sock[0], "d", 1, sent + 3, 13);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 1);
	assert_int_equal(got.cnt, VFIO_USER_FDS_MAX);
	assert_false(got.lost);
	assert_int_equal(lseek(got.fd[15], 0, SEEK_END), 16);
	assert_int_equal(vt_fds(), fds + 2 + 20 + 16);
	vt_raw(sock[0], "e", 1, sent + 16, 1);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 1);
	assert_int_equal(got.cnt, VFIO_USER_FDS_MAX);
	assert_true(got.lost);
	assert_int_equal(vt_fds(), fds + 2 + 20 + 16);
	/* Those that somebody has kept are not closed. */
	__real_close(got.fd[7]);
	got.fd[7] = -1;
	vfio_user_fds_close(&got);
	assert_int_equal(got.cnt, 0);
	assert_false(got.lost);
	assert_int_equal(vt_fds(), fds + 2 + 20);
	for (int i = 0; i < 20; i++)
		__real_close(sent[i]);
	__real_close(sock[0]);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 0);
	__real_close(sock[1]);
	assert_int_equal(vt_fds(), fds);
}

/* Whose descriptors do not close sends no more of them; bytes come through. */
static void
test_receive_blocked(void **state)
{
	struct vfio_user_fds got = { .uid = 1 };
	unsigned int fds = vt_fds();
	int sock[2], memfd = vt_memfd(1);
	char buf[8];

	(void)state;
	pair(sock);
	for (unsigned int i = 0; i < VFIO_USER_FDS_WAITING_MAX; i++)
		vfio_user_fd_close(open_stuck(), 1);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), -EAGAIN);
	vt_raw(sock[0], "abcdef", 6, NULL, 0);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 4, &got), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 2);
	assert_memory_equal(buf, "ef", 2);
	vt_raw(sock[0], "gh", 2, &memfd, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), -EDQUOT);
	assert_int_equal(got.cnt, 0);
	/* Another user is not meant. */
	got.uid = 2;
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 2);
	assert_memory_equal(buf, "gh", 2);
	assert_int_equal(got.cnt, 1);
	vfio_user_fds_close(&got);
	got.uid = 1;
	vt_raw(sock[0], "ij", 2, &memfd, 1);
	free_stuck(-1);
	wait_for(&closed_elsewhere, VFIO_USER_FDS_WAITING_MAX + 1);
	for (int i = 0; vfio_user_fd_blocked(1) && i < VT_TIMEOUT_MS; i++)
		nap();
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, 8, &got), 2);
	assert_int_equal(got.cnt, 1);
	vfio_user_fds_close(&got);
	__real_close(sock[0]);
	__real_close(sock[1]);
	__real_close(memfd);
	assert_int_equal(vt_fds(), fds);
}

static void
test_send(void **state)
{
	struct vfio_user_fds got = { .uid = 1 };
	struct iovec iov[2] = { { (char[]){ "abc" }, 3 }, { (char[]){ "defg" }, 4 } };
	static char many[1 << 20];
	struct iovec large = { many, sizeof(many) };
	unsigned int fds = vt_fds();
	int sock[2], memfd[2] = { vt_memfd(1), vt_memfd(2) };
	ssize_t n;
	char buf[16];

	(void)state;
	pair(sock);
	assert_int_equal(vfio_user_sock_send(sock[0], iov, 2, memfd, 2), 7);
	assert_int_equal(vfio_user_sock_recv(sock[1], buf, sizeof(buf), &got), 7);
	assert_memory_equal(buf, "abcdefg", 7);
	assert_int_equal(got.cnt, 2);
	assert_int_equal(lseek(got.fd[1], 0, SEEK_END), 2);
	vfio_user_fds_close(&got);
	assert_int_equal(vfio_user_sock_send(sock[0], iov, 1, NULL, 0), 3);
	/* What has no room is the caller's still, and nothing waits. */
	n = vfio_user_sock_send(sock[0], &large, 1, NULL, 0);
	assert_true(n > 0 && n < (ssize_t)sizeof(many));
	while (n > 0)
		n = vfio_user_sock_send(sock[0], &large, 1, NULL, 0);
	assert_int_equal(n, -EAGAIN);
	/* Unread, it could be another error. */
	while (recv(sock[1], many, sizeof(many), MSG_DONTWAIT) > 0)
		;
	__real_close(sock[1]);
	/* No SIGPIPE, which would end the process. */
	assert_int_equal(vfio_user_sock_send(sock[0], iov, 1, NULL, 0), -EPIPE);
	assert_int_equal(vfio_user_sock_send(sock[0], iov, 1, NULL, 0), -EPIPE);
	__real_close(sock[0]);
	__real_close(memfd[0]);
	__real_close(memfd[1]);
	assert_int_equal(vt_fds(), fds);
}

/* A socket whose unread bytes may have descriptors beside them is closed elsewhere. */
static void
test_close_socket(void **state)
{
	unsigned int fds = vt_fds();
	int sock[2];
	char byte;

	(void)state;
	pair(sock);
	vfio_user_sock_close(sock[1], 1);
	assert_int_equal(get(&closed_elsewhere), 0);
	assert_int_equal(vt_fds(), fds + 1);
	assert_int_equal(recv(sock[0], &byte, 1, 0), 0);
	__real_close(sock[0]);

	pair(sock);
	vt_raw(sock[0], "x", 1, NULL, 0);
	pthread_mutex_lock(&lock);
	stuck[sock[1]] = true;
	pthread_mutex_unlock(&lock);
	vfio_user_sock_close(sock[1], 1);
	wait_for(&closing, 1);
	/* The peer is told at once, and cannot add anything. */
	assert_int_equal(recv(sock[0], &byte, 1, 0), 0);
	assert_int_equal(send(sock[0], "y", 1, MSG_NOSIGNAL), -1);
	free_stuck(-1);
	wait_for(&closed_elsewhere, 1);
	__real_close(sock[0]);
	assert_int_equal(vt_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kinds, set_up),
		cmocka_unit_test_setup(test_a_share_for_each_user, set_up),
		cmocka_unit_test_setup(test_a_share_for_all, set_up),
		cmocka_unit_test_setup(test_blocked, set_up),
		cmocka_unit_test_setup(test_receive, set_up),
		cmocka_unit_test_setup(test_receive_blocked, set_up),
		cmocka_unit_test_setup(test_send, set_up),
		cmocka_unit_test_setup(test_close_socket, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
