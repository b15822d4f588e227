/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* GET_INFO, GET_REGION_INFO, GET_IRQ_INFO, RESET. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test_vfio_user_util.h"

/* Every length but the right one is refused. */
static void
wrong_lengths(struct vt *t, int sock, uint16_t cmd, const void *body, size_t right)
{
	uint8_t buf[256] = { 0 };

	memcpy(buf, body, right);
	for (size_t len = 0; len <= sizeof(buf); len += len < 64 ? 1 : 32)
		if (len != right)
			vt_refused(t, sock, cmd, buf, len, NULL, 0, EINVAL);
}

static void
test_device_info(void **state)
{
	struct vfio_user_device_info m = { .argsz = sizeof(m) };
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	wrong_lengths(&t, sock, VFIO_USER_DEVICE_GET_INFO, &m, sizeof(m));
	for (m.argsz = 0; m.argsz < sizeof(m); m.argsz++)
		vt_refused(&t, sock, VFIO_USER_DEVICE_GET_INFO, &m, sizeof(m), NULL, 0, EINVAL);
	m = (struct vfio_user_device_info){ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_INFO, 0, &m, sizeof(m), NULL, 0), &m,
			sizeof(m));
	assert_int_equal(m.argsz, sizeof(m));
	assert_int_equal(m.num_regions, VT_REGIONS - 1);
	close(sock);
	vt_stop(&t);
}

static void
test_region_info(void **state)
{
	static const uint32_t wrong[] = { 9, 10, 11, 100, INT32_MAX, UINT32_MAX };
	struct vfio_user_region_info m = { .argsz = sizeof(m), .index = VT_BAR2 };
	uint8_t body[256];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	wrong_lengths(&t, sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m));
	for (m.argsz = 0; m.argsz < sizeof(m); m.argsz++)
		vt_refused(&t, sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), NULL, 0,
				EINVAL);
	/* Region 9 is not for everybody. */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		m = (struct vfio_user_region_info){ .argsz = sizeof(m), .index = wrong[i] };
		vt_refused(&t, sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), NULL, 0,
				EINVAL);
	}
	/* Room for half a capability is room for none. */
	for (uint32_t argsz = sizeof(m); argsz < 80; argsz++) {
		m = (struct vfio_user_region_info){ .argsz = argsz, .index = VT_SPARSE };
		assert_int_equal(vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m,
				sizeof(m), NULL, 0), body, sizeof(body)), sizeof(m));
		memcpy(&m, body, sizeof(m));
		assert_int_equal(m.argsz, 80);
		assert_int_equal(m.flags, 7);
		assert_int_equal(m.cap_offset, 0);
	}
	/* A region that is not there is one of no bytes. */
	m = (struct vfio_user_region_info){ .argsz = UINT32_MAX, .index = VFIO_USER_PCI_ROM };
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0), &m,
			sizeof(m));
	assert_int_equal(m.size, 0);
	assert_int_equal(m.flags, 0);
	close(sock);
	vt_stop(&t);
}

/* A descriptor that is on its way counts as the server's: a connection gets each region's once. */
static void
test_descriptors_come_once(void **state)
{
	struct vfio_user_region_info m;
	static const uint32_t regions[] = { VT_SPARSE, VT_DOORBELL };
	struct vfio_user_hdr hdr;
	uint8_t body[256];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	for (int round = 0; round < 2; round++) {
		sock = vt_connect(&t);
		vt_version(sock, "{\"capabilities\":{\"spim\":{\"version\":1}}}", NULL);
		for (int i = 0; i < 2; i++) {
			unsigned int fds;
			int fd = -1;

			m = (struct vfio_user_region_info){ .argsz = 256, .index = regions[i] };
			vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0);
			assert_true(vt_recv(sock, &hdr, body, sizeof(body), &fd) >= sizeof(m));
			assert_true(fd >= 0);
			close(fd);
			fds = vt_fds();
			for (int n = 0; n < 3; n++)
				vt_refused(&t, sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m,
						sizeof(m), NULL, 0, EBUSY);
			assert_non_null(strstr(t.line, "expected once"));
			assert_int_equal(vt_fds(), fds);
			/* What brings none may be asked as often as one likes. */
			m = (struct vfio_user_region_info){ .argsz = 256, .index = VT_BAR2 };
			vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m,
					sizeof(m), NULL, 0), &m, sizeof(m));
		}
		close(sock);
	}
	vt_stop(&t);
}

static void
test_irq_info(void **state)
{
	struct vfio_user_irq_info m = { .argsz = sizeof(m) };
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	wrong_lengths(&t, sock, VFIO_USER_DEVICE_GET_IRQ_INFO, &m, sizeof(m));
	for (m.argsz = 0; m.argsz < sizeof(m); m.argsz++)
		vt_refused(&t, sock, VFIO_USER_DEVICE_GET_IRQ_INFO, &m, sizeof(m), NULL, 0,
				EINVAL);
	m.index = VFIO_USER_PCI_IRQS;
	vt_refused(&t, sock, VFIO_USER_DEVICE_GET_IRQ_INFO, &m, sizeof(m), NULL, 0, EINVAL);
	m.index = UINT32_MAX;
	vt_refused(&t, sock, VFIO_USER_DEVICE_GET_IRQ_INFO, &m, sizeof(m), NULL, 0, EINVAL);
	m.index = VFIO_USER_PCI_REQ;
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_IRQ_INFO, 0, &m, sizeof(m), NULL, 0), &m,
			sizeof(m));
	assert_int_equal(m.count, 0);
	close(sock);
	vt_stop(&t);
}

static void
test_reset(void **state)
{
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	wrong_lengths(&t, sock, VFIO_USER_DEVICE_RESET, "", 0);
	assert_int_equal(t.seen.reset, 0);
	t.fail = -EIO;
	vt_error(sock, vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0), EIO);
	t.fail = 0;
	vt_write32(sock, VT_BAR2, 0x40, 1);
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0), NULL, 0);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x40), 0);
	close(sock);
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_info),
		cmocka_unit_test(test_region_info),
		cmocka_unit_test(test_descriptors_come_once),
		cmocka_unit_test(test_irq_info),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
