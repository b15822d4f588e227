/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Descriptors count as their owner's from when they come until they are closed. */

#include "test_vfio_user_util.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vfio_user_proto.h"

#define FDS VFIO_USER_FDS_MAX

static int fds[FDS];

static int
set_up(void **state)
{
	*state = NULL;
	for (unsigned int i = 0; i < FDS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FDS; i++)
		close(fds[i]);
	return 0;
}

static void
is_held(struct vt *t, unsigned int want)
{
	for (int ms = 0; ms < VT_TIMEOUT_MS && t->seen.held != want; ms++)
		usleep(1000);
	assert_int_equal(t->seen.held, want);
}

/* The header of a message of 32 bytes more, and fds beside it. */
static void
begin_message(int sock, uint16_t cmd, unsigned int nfds)
{
	struct vfio_user_hdr hdr = { .id = 77, .cmd = cmd, .size = sizeof(hdr) + 32 };

	vt_raw(sock, &hdr, sizeof(hdr), fds, nfds);
}

static void
test_unfinished_messages(void **state)
{
	const uint8_t rest[32] = { 0 };
	struct vt t;
	int one, two;

	(void)state;
	vt_start(&t, NULL);
	one = vt_open(&t);
	two = vt_open(&t);
	t.held_max = FDS + 3;
	begin_message(one, VFIO_USER_DMA_MAP, FDS);
	is_held(&t, FDS);
	/* The other one has three: what is more is closed, and its message refused. */
	begin_message(two, VFIO_USER_DMA_MAP, 4);
	vt_raw(two, rest, sizeof(rest), NULL, 0);
	vt_error(two, 77, EMFILE);
	is_held(&t, FDS);
	begin_message(two, VFIO_USER_DMA_MAP, 3);
	is_held(&t, FDS + 3);
	/* In the middle of a message, too; what it has already stays until its end. */
	vt_raw(two, rest, 16, fds, 1);
	vt_raw(two, rest, 16, NULL, 0);
	vt_error(two, 77, EMFILE);
	is_held(&t, FDS);
	assert_int_equal(t.seen.lines, 0); /* the owner says why */
	close(one);
	is_held(&t, 0);
	/* And then there is room. */
	vt_map(two, 0x10000, 4096, t.mem_fd, 0, 0);
	close(two);
	vt_stop(&t);
}

static void
test_held_messages(void **state)
{
	const struct vfio_user_dma_map map = { sizeof(map), 3, 0, 0x20000, 4096 };
	uint16_t id[5];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	t.defer = true;
	id[0] = vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	vt_wait(&t.seen.reset, 1);
	t.defer = false;
	for (int i = 1; i < 5; i++)
		id[i] = vt_send(sock, VFIO_USER_DMA_MAP, 0, &map, sizeof(map), fds, 3);
	is_held(&t, 12);
	close(sock);
	is_held(&t, 0);
	assert_int_not_equal(id[0], id[4]);
	vt_stop(&t);
}

static void
set_irqs(int sock, unsigned int nfds)
{
	const struct vfio_user_irq_set set = { sizeof(set), nfds == 0 ? 0x21 : 0x24,
		VFIO_USER_PCI_MSI, 0, nfds };

	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_SET_IRQS, 0, &set, sizeof(set), fds, nfds),
			NULL, 0);
}

/* They stay as long as they are set. */
static void
test_eventfds(void **state)
{
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	set_irqs(sock, 2);
	is_held(&t, 2);
	set_irqs(sock, VT_MSI);
	is_held(&t, VT_MSI);
	set_irqs(sock, 0);
	is_held(&t, 0);
	set_irqs(sock, 3);
	is_held(&t, 3);
	close(sock);
	is_held(&t, 0);
	vt_stop(&t);
}

/* The answer about doorbells has a descriptor, until it goes. */
static void
test_unread_answers(void **state)
{
	const struct vfio_user_region_info info = { .argsz = 256, .index = VT_DOORBELL };
	struct vfio_user_region_rw rw = { 0, VT_BAR2, 4096 };
	struct vt t;
	int sock;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		vt_start(&t, NULL);
		sock = vt_connect(&t);
		vt_version(sock, "{\"capabilities\":{\"spim\":{\"version\":1}}}", NULL);
		while (vt_stats(&t).out_bytes == 0)
			(void)vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
		if (i == 0) {
			(void)vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &info,
					sizeof(info), NULL, 0);
			is_held(&t, 1);
		} else {
			/* Who may have none is closed. */
			t.held_max = 1;
			t.seen.held = 1;
			(void)vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &info,
					sizeof(info), NULL, 0);
			vt_wait(&t.seen.closed, 1);
			t.seen.held = 0;
		}
		close(sock);
		is_held(&t, 0);
		vt_stop(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unfinished_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_held_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_eventfds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unread_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
