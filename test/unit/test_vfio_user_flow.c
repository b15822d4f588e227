/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What a QEMU says from start to end, in its order and with its bytes. */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_vfio_user_util.h"

#define QEMU_CAPS "{\"capabilities\": {\"max_msg_fds\": 16, \"max_data_xfer_size\": 1048576, " \
	"\"max_dma_maps\": 65535, \"pgsizes\": 4096, \"write_multiple\": true, " \
	"\"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 268435456}}}"

static void
region_info(int sock, uint32_t index, uint32_t argsz, size_t want, int want_fd,
		struct vfio_user_region_info *info, struct vfio_user_area *areas)
{
	struct vfio_user_region_info m = { .argsz = argsz, .index = index };
	uint16_t id = vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0);
	struct vfio_user_cap_sparse cap;
	struct vfio_user_hdr hdr;
	uint8_t body[128];
	int fd = -1;

	assert_int_equal(vt_recv(sock, &hdr, body, sizeof(body), &fd), want);
	assert_int_equal(hdr.id, id);
	assert_int_equal(hdr.flags, VFIO_USER_F_REPLY);
	assert_int_equal(fd >= 0, want_fd);
	if (fd >= 0)
		close(fd);
	memcpy(info, body, sizeof(*info));
	assert_int_equal((info->flags & VFIO_USER_REGION_F_CAPS) != 0, want > sizeof(*info));
	if (want > sizeof(*info)) {
		assert_int_equal(info->cap_offset, sizeof(*info));
		memcpy(&cap, body + sizeof(*info), sizeof(cap));
		assert_int_equal(cap.id, 1);
		assert_int_equal(cap.version, 1);
		assert_int_equal(cap.next, 0);
		assert_int_equal(cap.nr_areas, 2);
		memcpy(areas, body + sizeof(*info) + sizeof(cap), 2 * sizeof(*areas));
	}
}

static void
qemu_start(struct vt *t, int sock, int ram)
{
	struct vfio_user_device_info dev = { .argsz = sizeof(dev) };
	struct vfio_user_irq_info irq = { .argsz = sizeof(irq), .index = VFIO_USER_PCI_ERR };
	struct vfio_user_region_info region;
	struct vfio_user_region_rw rw = { 0, VFIO_USER_PCI_CONFIG, 4096 };
	static uint8_t config[sizeof(rw) + 4096];
	struct vfio_user_area areas[2];

	vt_map(sock, 0, 0x200000, ram, 0, 0);
	vt_map(sock, 0xfffc0000, 0x40000, -1, 0, 0);
	assert_int_equal(t->seen.fd, 0);
	assert_null(vt_memory_at(t, 0xfffc0000, 1));

	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_INFO, 0, &dev, sizeof(dev), NULL, 0), &dev,
			sizeof(dev));
	assert_int_equal(dev.flags, 3);
	assert_int_equal(dev.num_regions, 9); /* the tenth is not for QEMU */
	assert_int_equal(dev.num_irqs, 5);

	region_info(sock, VT_BAR2, 0x20, 0x20, 0, &region, NULL);
	assert_int_equal(region.size, VT_BAR2_LEN);
	assert_int_equal(region.flags, 3);
	region_info(sock, VT_SPARSE, 0x20, 0x20, 0, &region, NULL);
	assert_int_equal(region.argsz, 0x50);
	region_info(sock, VT_SPARSE, region.argsz, 0x50, 1, &region, areas);
	assert_int_equal(areas[1].offset, 61440);

	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_IRQ_INFO, 0, &irq, sizeof(irq), NULL, 0),
			&irq, sizeof(irq));
	assert_int_equal(irq.count, 1);

	assert_int_equal(vt_ok(sock, vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL,
			0), config, sizeof(config)), sizeof(config));
	assert_int_equal(config[sizeof(config) - 1], VFIO_USER_PCI_CONFIG);
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0), NULL, 0);
	assert_int_equal(t->seen.reset, 1);
}

/* MSI: set, raised, taken back. */
static void
qemu_msi(struct vt *t, int sock)
{
	struct vfio_user_irq_set set = { sizeof(set), 0x24, VFIO_USER_PCI_MSI, 0, VT_MSI };
	int fds[VT_MSI];
	eventfd_t n;

	for (unsigned int i = 0; i < VT_MSI; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_SET_IRQS, 0, &set, sizeof(set), fds, VT_MSI),
			NULL, 0);
	assert_int_equal(t->seen.enabled, VT_MSI);
	assert_int_equal(vt_stats(t).eventfds, VT_MSI);
	assert_int_equal(vfio_user_conn_irq(t->last, VFIO_USER_PCI_MSI, 2), 0);
	assert_int_equal(vfio_user_conn_irq(t->last, VFIO_USER_PCI_MSI, 2), 0);
	assert_int_equal(eventfd_read(fds[2], &n), 0);
	assert_int_equal(n, 2);
	assert_int_not_equal(eventfd_read(fds[1], &n), 0);
	assert_int_equal(vfio_user_conn_irq(t->last, VFIO_USER_PCI_MSI, VT_MSI), -EINVAL);
	assert_int_equal(vfio_user_conn_irq(t->last, VFIO_USER_PCI_ERR, 0), -ENOENT);

	set = (struct vfio_user_irq_set){ sizeof(set), 0x21, VFIO_USER_PCI_MSI, 0, 0 };
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_SET_IRQS, 0, &set, sizeof(set), NULL, 0), NULL,
			0);
	assert_int_equal(t->seen.enabled, 0);
	assert_int_equal(vt_stats(t).eventfds, 0);
	assert_int_equal(vfio_user_conn_irq(t->last, VFIO_USER_PCI_MSI, 2), -ENOENT);
	for (unsigned int i = 0; i < VT_MSI; i++)
		close(fds[i]);
}

static void
test_qemu(void **state)
{
	struct vfio_user_region_rw posted = { 0x40, VT_BAR2, 8 };
	uint8_t buf[sizeof(posted) + 8];
	char text[4096];
	struct vt t;
	uint8_t *mem, *last;
	int sock, ram;

	(void)state;
	vt_start(&t, NULL);
	ram = vt_memfd(0x200000);
	mem = mmap(NULL, 0x200000, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	sock = vt_connect(&t);
	vt_version(sock, QEMU_CAPS, text);
	assert_non_null(strstr(text, "\"max_msg_fds\":16"));
	assert_non_null(strstr(text, "\"write_multiple\":true"));
	assert_null(strstr(text, "spim"));
	qemu_start(&t, sock, ram);

	/* Firmware: unmaps of nothing, of everything up to 2^64, then maps again. */
	assert_int_equal(vt_unmap(sock, 0x80000000, 0x1000, 0), 0);
	assert_int_equal(vt_unmap(sock, 0x80000000, -0x80000000ull, 0), 0x40000);
	assert_int_equal(vt_unmap(sock, 0, 0x80000000, 0), 0x200000);
	assert_int_equal(vt_memory(&t).mapped, 0);
	assert_int_equal(vt_mappings("vfio-user-test"), 1); /* ours */

	/* Runtime: one map for each page, a fresh fd each, then one unmap for all. */
	for (uint64_t i = 0; i < 512; i++) {
		int fd = dup(ram);

		vt_map(sock, 0x10000000 + i * 4096, 4096, fd, (511 - i) * 4096, 0);
		close(fd);
	}
	assert_int_equal(vt_memory(&t).maps, 512);
	assert_int_equal(vt_memory(&t).files, 1);
	assert_int_equal(vt_mappings("vfio-user-test"), 2);
	mem[0] = 77; /* what the last one maps */
	last = vt_memory_at(&t, 0x10000000 + 511 * 4096, 4096);
	assert_non_null(last);
	assert_int_equal(*last, 77);
	*last = 78;
	assert_int_equal(mem[0], 78);
	assert_int_equal(vt_unmap(sock, 0x10000000, 512 * 4096, 0), 512 * 4096);
	assert_int_equal(t.seen.dma_unmap, 3);

	/* A posted doorbell gets no answer, and comes before what follows. */
	memcpy(buf, &posted, sizeof(posted));
	memset(buf + sizeof(posted), 0x5a, 8);
	vt_send(sock, VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY, buf, sizeof(buf), NULL, 0);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x44), 0x5a5a5a5a);
	qemu_msi(&t, sock);
	assert_int_equal(vt_stats(&t).errors, 0);
	assert_int_equal(t.seen.lines, 0);
	close(sock);
	munmap(mem, 0x200000);
	close(ram);
	vt_stop(&t);
}

static void
test_spim(void **state)
{
	struct vfio_user_device_info dev = { .argsz = sizeof(dev) };
	struct vfio_user_region_info region;
	char text[4096];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_connect(&t);
	vt_version(sock, "{\"capabilities\":{\"spim\":{\"version\":1}}}", text);
	assert_non_null(strstr(text, "\"spim\":{\"version\":1,\"doorbell_region\":9,"
			"\"wake_region\":2,\"wake_offset\":12552}"));
	assert_true(vfio_user_conn_spim(t.last));
	vt_ok(sock, vt_send(sock, VFIO_USER_DEVICE_GET_INFO, 0, &dev, sizeof(dev), NULL, 0), &dev,
			sizeof(dev));
	assert_int_equal(dev.num_regions, 10);
	region_info(sock, VT_DOORBELL, 0x20, 0x20, 1, &region, NULL);
	assert_int_equal(region.size, 8192);
	assert_int_equal(region.flags, 7);
	close(sock);
	vt_stop(&t);
}

static void
test_two_clients(void **state)
{
	struct vt t;
	int a, b;

	(void)state;
	vt_start(&t, NULL);
	a = vt_open(&t);
	b = vt_open(&t);
	vt_write32(a, VT_BAR2, 0, 1);
	vt_write32(b, VT_BAR2, 0, 2);
	assert_int_equal(vt_read32(a, VT_BAR2, 0), 1);
	assert_int_equal(vt_read32(b, VT_BAR2, 0), 2);
	assert_int_equal(vfio_user_conn_peer(t.last)->pid, getpid());
	assert_int_equal(vfio_user_conn_peer(t.last)->uid, getuid());
	close(a);
	assert_int_equal(vt_read32(b, VT_BAR2, 0), 2);
	close(b);
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_spim),
		cmocka_unit_test(test_two_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
