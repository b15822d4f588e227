/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* SET_IRQS, and eventfds of somebody who means harm. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "test_vfio_user_util.h"
#include "vfio_user_notify.h"

#define MSI VFIO_USER_PCI_MSI

static void
bad(struct vt *t, int sock, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
		uint32_t data, const int *fds, unsigned int nfds)
{
	struct {
		struct vfio_user_irq_set set;
		uint8_t data[64];
	} m = { { sizeof(m.set), flags, index, start, count }, { 0 } };

	vt_refused(t, sock, VFIO_USER_DEVICE_SET_IRQS, &m, sizeof(m.set) + data, fds, nfds, EINVAL);
}

static void
good(int sock, uint32_t flags, uint32_t index, uint32_t start, uint32_t count, const void *data,
		const int *fds, unsigned int nfds)
{
	struct {
		struct vfio_user_irq_set set;
		uint8_t data[64];
	} m = { { sizeof(m.set), flags, index, start, count }, { 0 } };
	size_t len = data != NULL ? count : 0;

	if (len != 0)
		memcpy(m.data, data, len);
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_SET_IRQS, 0, &m, sizeof(m.set) + len, fds, nfds),
			NULL, 0);
}

static uint64_t
count(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) == 0 ? n : 0;
}

static void
test_bad(void **state)
{
	struct vfio_user_irq_set m = { sizeof(m), 0x24, MSI, 0, 1 };
	uint8_t body[4096] = { 0 };
	int sock, fd[20], file, pipes[2];
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (int i = 0; i < 20; i++)
		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	memcpy(body, &m, sizeof(m));
	for (size_t len = 0; len <= 64; len++)
		if (len != sizeof(m))
			vt_refused(&t, sock, VFIO_USER_DEVICE_SET_IRQS, body, len, fd, 1, EINVAL);
	vt_refused(&t, sock, VFIO_USER_DEVICE_SET_IRQS, body, sizeof(body), fd, 1, EINVAL);
	for (m.argsz = 0; m.argsz < sizeof(m); m.argsz += 5)
		vt_refused(&t, sock, VFIO_USER_DEVICE_SET_IRQS, &m, sizeof(m), fd, 1, EINVAL);
	/* Flags: none, two kinds, two actions, unknown. */
	bad(&t, sock, 0, MSI, 0, 1, 0, NULL, 0);
	bad(&t, sock, 0x4, MSI, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x20, MSI, 0, 1, 0, NULL, 0);
	bad(&t, sock, 0x25, MSI, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x3c, MSI, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x64, MSI, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x80000024, MSI, 0, 1, 0, fd, 1);
	/* Index, start and count. */
	bad(&t, sock, 0x24, VFIO_USER_PCI_IRQS, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x24, UINT32_MAX, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x24, VFIO_USER_PCI_REQ, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x24, MSI, VT_MSI, 1, 0, fd, 1);
	bad(&t, sock, 0x24, MSI, 1, VT_MSI, 0, fd, VT_MSI);
	bad(&t, sock, 0x24, MSI, UINT32_MAX, 1, 0, fd, 1);
	bad(&t, sock, 0x24, MSI, 1, UINT32_MAX, 0, fd, 1);
	bad(&t, sock, 0x24, MSI, 0, 0, 0, NULL, 0);
	bad(&t, sock, 0x21, MSI, 1, 0, 0, NULL, 0);
	bad(&t, sock, 0x22, MSI, 0, 0, 0, NULL, 0);
	/* Fds: too few, too many, with the wrong kind. */
	bad(&t, sock, 0x24, MSI, 0, 4, 0, fd, 3);
	bad(&t, sock, 0x24, MSI, 0, 2, 0, fd, 3);
	bad(&t, sock, 0x24, MSI, 0, 4, 0, fd, 20);
	bad(&t, sock, 0x21, MSI, 0, 1, 0, fd, 1);
	bad(&t, sock, 0x22, MSI, 0, 1, 1, fd, 1);
	/* Data: too little, too much. */
	bad(&t, sock, 0x22, MSI, 0, 4, 3, NULL, 0);
	bad(&t, sock, 0x22, MSI, 0, 4, 5, NULL, 0);
	bad(&t, sock, 0x21, MSI, 0, 4, 4, NULL, 0);
	/* MSI cannot be masked; eventfds do not mask. */
	bad(&t, sock, 0x09, MSI, 0, 1, 0, NULL, 0);
	bad(&t, sock, 0x11, MSI, 0, 1, 0, NULL, 0);
	bad(&t, sock, 0x0c, VFIO_USER_PCI_INTX, 0, 1, 0, fd, 1);
	/* Fds that are none of an event. */
	file = vt_memfd(4096);
	bad(&t, sock, 0x24, MSI, 0, 1, 0, &file, 1);
	close(file);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	bad(&t, sock, 0x24, MSI, 0, 1, 0, &pipes[1], 1);
	close(pipes[0]);
	close(pipes[1]);
	bad(&t, sock, 0x24, MSI, 0, 1, 0, &sock, 1);

	assert_int_equal(vt_stats(&t).eventfds, 0);
	assert_int_equal(t.seen.irqs, 0);
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	close(sock);
	vt_stop(&t);
}

static void
test_forms(void **state)
{
	int sock, fd[VT_MSI], intx;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	intx = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (unsigned int i = 0; i < VT_MSI; i++)
		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	good(sock, 0x24, MSI, 0, VT_MSI, NULL, fd, VT_MSI);
	/* Another eventfd in place of one; one taken back; a disable of what is not there. */
	good(sock, 0x24, MSI, 1, 1, NULL, &fd[0], 1);
	good(sock, 0x24, MSI, 2, 2, NULL, NULL, 0);
	assert_int_equal(t.seen.enabled, 2);
	good(sock, 0x21, VFIO_USER_PCI_ERR, 0, 0, NULL, NULL, 0);
	/* The client raises them itself. */
	good(sock, 0x21, MSI, 0, VT_MSI, NULL, NULL, 0);
	assert_int_equal(count(fd[0]), 2);
	good(sock, 0x22, MSI, 0, 2, "\0\1", NULL, 0);
	assert_int_equal(count(fd[0]), 1);
	good(sock, 0x24, MSI, 3, 1, NULL, &fd[3], 1);
	good(sock, 0x22, MSI, 2, 2, "\1\1", NULL, 0);
	assert_int_equal(count(fd[2]), 0);
	assert_int_equal(count(fd[3]), 1);

	/* Masked: comes once, when it is unmasked. */
	good(sock, 0x24, VFIO_USER_PCI_INTX, 0, 1, NULL, &intx, 1);
	good(sock, 0x09, VFIO_USER_PCI_INTX, 0, 1, NULL, NULL, 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_INTX, 0), 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_INTX, 0), 0);
	assert_int_equal(count(intx), 0);
	good(sock, 0x12, VFIO_USER_PCI_INTX, 0, 1, "\0", NULL, 0);
	assert_int_equal(count(intx), 0);
	good(sock, 0x11, VFIO_USER_PCI_INTX, 0, 1, NULL, NULL, 0);
	assert_int_equal(count(intx), 1);
	good(sock, 0x11, VFIO_USER_PCI_INTX, 0, 1, NULL, NULL, 0);
	assert_int_equal(count(intx), 0);
	close(sock);
	for (unsigned int i = 0; i < VT_MSI; i++)
		close(fd[i]);
	close(intx);
	vt_stop(&t);
}

/* What is raised is counted; what reaches nobody is told, and not counted. */
static void
test_raise(void **state)
{
	struct vfio_user_conn *conn;
	int sock, fd;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	conn = t.last;
	assert_int_equal(vfio_user_conn_irq(conn, MSI, 0), -ENOENT);
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	good(sock, 0x24, MSI, 1, 1, NULL, &fd, 1);
	assert_int_equal(t.seen.irqs, 1);
	assert_int_equal(t.seen.enabled, 1);
	assert_int_equal(vfio_user_conn_irq(conn, MSI, 0), -ENOENT);
	assert_int_equal(vfio_user_conn_irq(conn, MSI, 1), 0);
	assert_int_equal(vfio_user_conn_irq(conn, MSI, VT_MSI), -EINVAL);
	assert_int_equal(vfio_user_conn_irq(conn, VFIO_USER_PCI_IRQS, 0), -EINVAL);
	assert_int_equal(vfio_user_conn_irq(conn, VFIO_USER_PCI_IRQS - 1, 0), -EINVAL);
	assert_int_equal(vt_stats(&t).irqs, 1);
	assert_int_equal(count(fd), 1);
	/* The client raises one itself: nothing has come or gone, so the owner is not told. */
	good(sock, 0x21, MSI, 0, VT_MSI, NULL, NULL, 0);
	assert_int_equal(count(fd), 1);
	assert_int_equal(vt_stats(&t).irqs, 2);
	assert_int_equal(t.seen.irqs, 1);
	/* The same eventfd once more: it came. And one that goes. */
	good(sock, 0x24, MSI, 1, 1, NULL, &fd, 1);
	assert_int_equal(t.seen.irqs, 2);
	assert_int_equal(vt_stats(&t).eventfds, 1);
	good(sock, 0x24, MSI, 1, 1, NULL, NULL, 0);
	assert_int_equal(t.seen.irqs, 3);
	assert_int_equal(t.seen.enabled, 0);
	/* None goes. */
	good(sock, 0x24, MSI, 1, 1, NULL, NULL, 0);
	assert_int_equal(t.seen.irqs, 3);

	/* Raised by a thread of the device when the connection is over. */
	t.keep = true;
	close(sock);
	vt_wait(&t.seen.closed, 1);
	assert_int_equal(vfio_user_conn_irq(conn, MSI, 1), -ENOTCONN);
	vfio_user_conn_release(conn);
	t.keep = false;
	close(fd);
	vt_stop(&t);
}

/* Pending is forgotten with the eventfd that it was for. */
static void
test_masked(void **state)
{
	int sock, one, two;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	one = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	two = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	good(sock, 0x24, VFIO_USER_PCI_INTX, 0, 1, NULL, &one, 1);
	good(sock, 0x0a, VFIO_USER_PCI_INTX, 0, 1, "\0", NULL, 0); /* masks none */
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_INTX, 0), 0);
	assert_int_equal(count(one), 1);
	good(sock, 0x0a, VFIO_USER_PCI_INTX, 0, 1, "\1", NULL, 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_INTX, 0), 0);
	assert_int_equal(vt_stats(&t).irqs, 1);
	good(sock, 0x24, VFIO_USER_PCI_INTX, 0, 1, NULL, &two, 1);
	good(sock, 0x11, VFIO_USER_PCI_INTX, 0, 1, NULL, NULL, 0);
	assert_int_equal(count(one), 0);
	assert_int_equal(count(two), 0);
	assert_int_equal(vfio_user_conn_irq(t.last, VFIO_USER_PCI_INTX, 0), 0);
	assert_int_equal(count(two), 1);
	close(one);
	close(two);
	close(sock);
	vt_stop(&t);
}

/* The client fills its eventfd and makes it block: raising does not wait for it. */
static void *
raise_many(void *arg)
{
	struct vt *t = arg;

	for (int i = 0; i < 1000; i++)
		vfio_user_conn_irq(t->last, MSI, 0);
	return NULL;
}

static void
test_full(void **state)
{
	int sock, fd;
	pthread_t thread;
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	fd = eventfd(0, EFD_CLOEXEC);
	good(sock, 0x24, MSI, 0, 1, NULL, &fd, 1);
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, raise_many, &t), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(count(fd) >= UINT64_MAX - 1);
	vfio_user_conn_irq(t.last, MSI, 0);
	assert_int_equal(count(fd), 1);
	vt_victim_works(&t);
	close(sock);
	close(fd);
	vt_stop(&t);
}

/* Signals one by one, many more than the kernel keeps results of, and without its help. */
static void
test_notify(void **state)
{
	struct vfio_user_notify n;
	unsigned int fds = vt_fds();
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	aio_context_t aio;

	(void)state;
	assert_int_equal(vfio_user_notify_init(&n), 0);
	for (int i = 0; i < 300; i++)
		vfio_user_notify_raise(&n, fd);
	assert_int_equal(count(fd), 300);
	aio = n.aio;
	n.aio = 0;
	for (int i = 0; i < 3; i++)
		vfio_user_notify_raise(&n, fd);
	assert_int_equal(count(fd), 3);
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	vfio_user_notify_raise(&n, fd); /* full: does not wait */
	assert_true(count(fd) == UINT64_MAX - 1);
	n.aio = aio;
	vfio_user_notify_fini(&n);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(vfio_user_notify_check(fd), 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(vfio_user_notify_check(-1), -EINVAL);
	close(fd);
	assert_int_equal(vt_fds(), fds);
}

/* Interrupts raised by threads of the device while the client sets and takes back. */
static void
test_race(void **state)
{
	int sock, fd[VT_MSI];
	pthread_t thread[2];
	struct vt t;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (unsigned int i = 0; i < VT_MSI; i++)
		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, raise_many, &t), 0);
	for (int i = 0; i < 50; i++) {
		good(sock, 0x24, MSI, 0, VT_MSI, NULL, fd, VT_MSI);
		good(sock, 0x21, MSI, 0, 0, NULL, NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(vt_stats(&t).eventfds, 0);
	close(sock);
	for (unsigned int i = 0; i < VT_MSI; i++)
		close(fd[i]);
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_raise),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
