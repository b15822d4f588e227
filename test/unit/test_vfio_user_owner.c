/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* An owner that is wrong harms nobody: what it describes is checked. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test_vfio_user_util.h"

static int
no_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	return -EIO;
}

static int
no_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	return -EIO;
}

static char line[200];

static void
keep_line(enum base_log_level level, const char *text, void *priv)
{
	(void)level;
	(void)priv;
	snprintf(line, sizeof(line), "%s", text);
}

static struct vfio_user_device wrong_device;
static unsigned int closes;
static struct vfio_user_area wrong_area;
static uint32_t wrong_areas;

static void
closed(struct vfio_user_conn *conn, void *priv)
{
	(void)priv;
	vfio_user_conn_release(conn);
	closes++;
}

static int
connected_wrong(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	(void)conn;
	(void)listener_priv;
	conf->device = &wrong_device;
	return 0;
}

static int
mmap_wrong(struct vfio_user_conn *conn, void *priv, uint32_t region, struct vfio_user_mmap *mm)
{
	(void)conn;
	(void)priv;
	(void)region;
	mm->fd = wrong_areas == 0 ? -1 : 0;
	mm->nr_areas = wrong_areas;
	mm->areas[0] = wrong_area;
	return 0;
}

static void
test_wrong_owner(void **state)
{
	static const struct vfio_user_region mapped = { 4096, VFIO_USER_REGION_F_MMAP };
	static const struct vfio_user_irq many = { VFIO_USER_VECTORS_MAX + 1, 1 };
	static const struct vfio_user_spim spim = { .doorbell_region = 1 };
	static const struct { uint32_t n; struct vfio_user_area area; } areas[] = {
		{ 0, { 0, 0 } }, { VFIO_USER_AREAS_MAX + 1, { 0, 4096 } }, { 1, { 4097, 0 } },
		{ 1, { 0, 4097 } }, { 1, { 1, 4096 } }, { 1, { UINT64_MAX, 1 } },
		{ 1, { 4096, UINT64_MAX } },
	};
	const struct vfio_user_ops some = { .connected = connected_wrong, .region_read = no_read,
		.region_write = no_write, .closed = closed, .region_mmap = mmap_wrong };
	const struct vfio_user_server_conf conf = { .ops = &some, .log = { .line = keep_line } };
	struct vfio_user_region_info m = { .argsz = 256 };
	struct vfio_user_server *s;
	unsigned int fds = vt_fds();
	struct vfio_user_hdr hdr;
	uint8_t body[256];
	int sock;

	(void)state;
	closes = 0;
	assert_int_equal(vfio_user_server_create(&conf, &s), 0);
	/* Too many vectors; doorbells in a region that is not the last; too many regions. */
	for (int i = 0; i < 3; i++) {
		wrong_device = (struct vfio_user_device){ 3, i == 2 ? VFIO_USER_REGIONS_MAX + 1 : 1,
			i == 0, &mapped, &many, i == 1 ? &spim : NULL };
		sock = vt_join(s);
		assert_int_equal(closes, i + 1);
		assert_non_null(strstr(line, "cannot be served: error 22"));
		line[0] = '\0';
		vt_closed(sock);
		close(sock);
	}
	wrong_device = (struct vfio_user_device){ 3, 1, 0, &mapped, &many, NULL };
	sock = vt_joined(s);
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		uint16_t id;

		wrong_areas = areas[i].n;
		wrong_area = areas[i].area;
		id = vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0);
		assert_int_equal(vfio_user_server_run(s, 0), 1);
		vt_error(sock, id, EINVAL);
	}
	/* An area up to the end, and one of nothing at it, are right. */
	for (int i = 0; i < 2; i++) {
		int fd = -1;

		if (i != 0) {
			close(sock);
			sock = vt_joined(s);
		}
		wrong_areas = 1;
		wrong_area = (struct vfio_user_area){ i == 0 ? 1 : 4096, i == 0 ? 4095 : 0 };
		vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &m, sizeof(m), NULL, 0);
		assert_int_equal(vfio_user_server_run(s, 0), 1);
		assert_true(vt_recv(sock, &hdr, body, sizeof(body), &fd) > sizeof(m));
		close(fd);
	}
	close(sock);
	vfio_user_server_destroy(s);
	assert_int_equal(vt_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
