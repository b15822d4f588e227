/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What a client is told of its function, field by field; and that all of it is there. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_nth.h"
#include "hisi_qm_regs.h"
#include "in_process.h"
#include "log.h"
#include "options.h"
#include "vfio_user_json.h"
#include "qm_dev_guard.h"
#include "qm_dev_pci.h"

static struct zip_dev_conf zip;

#define REGIONS (CLIENT_REGION_DOORBELLS + 1)

static int doorbell_rc; /* of qm_dev_doorbell_fd(), if not 0 */

int __real_qm_dev_doorbell_fd(struct qm_dev *dev, size_t *size);
int __wrap_qm_dev_doorbell_fd(struct qm_dev *dev, size_t *size);
int
__wrap_qm_dev_doorbell_fd(struct qm_dev *dev, size_t *size)
{
	return doorbell_rc != 0 ? doorbell_rc : __real_qm_dev_doorbell_fd(dev, size);
}

static void
test_device(void **state)
{
	struct vfio_user_device_info m = { .argsz = sizeof(m) };
	int sock = open_client(), plain;

	(void)state;
	assert_int_equal(ask_for(sock, VFIO_USER_DEVICE_GET_INFO, &m, sizeof(m), &m, sizeof(m)), 0);
	assert_int_equal(m.argsz, sizeof(m));
	assert_int_equal(m.flags, VFIO_USER_DEVICE_F_PCI | VFIO_USER_DEVICE_F_RESET);
	assert_int_equal(m.num_regions, REGIONS);
	assert_int_equal(m.num_irqs, VFIO_USER_PCI_IRQS);
	close_client(sock);

	/* Who does not know of doorbells is shown none. */
	plain = vt_connect(&vt);
	assert_int_equal(ask(plain, VFIO_USER_VERSION, "\0\0\0\0", 4, -1), 0);
	assert_int_equal(made.doorbell_memfd, 0);
	assert_int_equal(ask_for(plain, VFIO_USER_DEVICE_GET_INFO, &m, sizeof(m), &m, sizeof(m)),
			0);
	assert_int_equal(m.num_regions, VFIO_USER_PCI_REGIONS);
	assert_int_equal(doorbells(plain), EINVAL);
	close_client(plain);
}

static void
test_regions(void **state)
{
	const uint32_t rw = VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE;
	struct { uint64_t size; uint32_t flags; } want[REGIONS] = {
		[VFIO_USER_PCI_CONFIG] = { 4096, rw },
		[CLIENT_REGION_DOORBELLS] = { 0, VFIO_USER_REGION_F_MMAP },
	};
	struct qm_dev_conf conf = client_dev_conf(&service, &service.opt->listen[0], &zip);
	struct qm_dev *dev;
	int sock;

	(void)state;
	conf.doorbell_memfd = 1;
	conf.group = service.points[0].group;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	assert_true(qm_dev_doorbell_fd(dev, &want[CLIENT_REGION_DOORBELLS].size) >= 0);
	for (unsigned int i = 0; i < QM_DEV_PCI_BARS; i++) {
		want[i].size = qm_dev_pci_bar_size(dev, i);
		want[i].flags = rw;
		assert_int_equal(want[i].size != 0, i == QM_DEV_BAR_REGS);
	}
	qm_dev_destroy(dev);
	sock = open_client();
	for (uint32_t i = 0; i < REGIONS; i++) {
		struct vfio_user_region_info m = { .argsz = sizeof(m), .index = i };

		assert_int_equal(ask_for(sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), &m,
				sizeof(m)), 0);
		assert_int_equal(m.index, i);
		assert_int_equal(m.size, want[i].size);
		assert_int_equal(m.flags, want[i].flags);
		assert_int_equal(m.offset, 0);
	}
	assert_true(want[CLIENT_REGION_DOORBELLS].size != 0);
	close_client(sock);
}

static void
test_interrupts(void **state)
{
	uint32_t want[VFIO_USER_PCI_IRQS] = { [VFIO_USER_PCI_ERR] = 1 };
	struct qm_dev_conf conf = client_dev_conf(&service, &service.opt->listen[0], &zip);
	struct qm_dev *dev;
	int sock;

	(void)state;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	want[VFIO_USER_PCI_MSI] = qm_dev_pci_irqs(dev);
	assert_true(want[VFIO_USER_PCI_MSI] > 1);
	qm_dev_destroy(dev);
	sock = open_client();
	for (uint32_t i = 0; i < VFIO_USER_PCI_IRQS; i++) {
		struct vfio_user_irq_info m = { .argsz = sizeof(m), .index = i };

		assert_int_equal(ask_for(sock, VFIO_USER_DEVICE_GET_IRQ_INFO, &m, sizeof(m), &m,
				sizeof(m)), 0);
		assert_int_equal(m.count, want[i]);
		assert_int_equal(m.flags, want[i] != 0 ? VFIO_USER_IRQ_F_EVENTFD : 0);
	}
	close_client(sock);
}

/* A vector that the client has an eventfd for counts that up; others reach nobody. */
static void
test_raise(void **state)
{
	struct vfio_user_irq_set m = { sizeof(m), 0x24, VFIO_USER_PCI_MSI, 1, 1 };
	int sock = open_client(), fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	eventfd_t n;

	(void)state;
	made.irq(1, made.priv);
	assert_int_equal(ask(sock, VFIO_USER_DEVICE_SET_IRQS, &m, sizeof(m), fd), 0);
	made.irq(0, made.priv);
	made.irq(2, made.priv);
	assert_int_equal(eventfd_read(fd, &n), -1);
	made.irq(1, made.priv);
	assert_int_equal(eventfd_read(fd, &n), 0);
	assert_int_equal(n, 1);
	close(fd);
	close_client(sock);
}

static void
test_doorbells(void **state)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":1}}}";
	int sock = vt_connect(&vt);
	struct vfio_user_caps caps;
	const char *what;
	char text[4200];

	(void)state;
	assert_int_equal(ask_for(sock, VFIO_USER_VERSION, version, sizeof(version), text,
			sizeof(text)), 0);
	assert_int_equal(vfio_user_caps_parse(text + 4, strlen(text + 4), &caps, &what), 0);
	assert_int_equal(caps.spim_version, 1);
	assert_int_equal(caps.spim.doorbell_region, CLIENT_REGION_DOORBELLS);
	assert_int_equal(caps.spim.wake_region, 2);
	assert_int_equal(caps.spim.wake_offset, HISI_QM_SHADOW_REG_WAKE);
	assert_int_equal(made.doorbell_memfd, 1);
	assert_int_equal(doorbells(sock), 0);
	close_client(sock);
}

/* Their file is for who asks for them, and for nothing else that can be mapped. */
static void
test_file_of_doorbells(void **state)
{
	struct vfio_user_region_info m = { .argsz = sizeof(m), .index = QM_DEV_BAR_REGS };
	struct options opt = *service.opt;
	struct service other = { 0 };
	int sock = open_client();

	(void)state;
	service.regions[QM_DEV_BAR_REGS].flags |= VFIO_USER_REGION_F_MMAP;
	assert_int_equal(ask(sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), -1), EINVAL);
	assert_int_equal(doorbells(sock), 0);
	/* Who has none in a file is told so, and a service without does not start. */
	doorbell_rc = -ENOTSUP;
	assert_int_equal(doorbells(sock), ENOTSUP);
	opt.listen_cnt = 0;
	opt.control.path[0] = '\0';
	assert_int_equal(service_open(&other, &opt), 0);
	assert_int_equal(service_start(&other), -ENOTSUP);
	service_close(&other);
	doorbell_rc = 0;
	close_client(sock);
}

/* Whom the function is of, and how it is made. */
static void
test_how_it_is_made(void **state)
{
	char want[64];
	int sock;

	(void)state;
	sock = open_client();
	assert_ptr_equal(made.group, service.points[0].group);
	assert_int_equal(made.revision, HISI_QM_REV_V3);
	assert_int_equal(made.ext, 1);
	assert_int_equal(made.isolation, 0);
	assert_int_equal(made_zip.engine, ZIP_DEV_ENGINE_DEFLATE);
	assert_int_equal(made_zip.quirks, ZIP_DEV_QUIRK_BIT(SGE_16));
	assert_int_equal(made.queues, 8);
	assert_int_equal(made_zip.streams_max, 1024);
	assert_null(made.fault);
	assert_int_equal(made.wake, 1);
	assert_int_equal(made.limits.slots, 0);
	assert_non_null(made.quota);
	snprintf(want, sizeof(want), "connection 1 (pid %d, user %u)", (int)getpid(),
			(unsigned int)getuid());
	assert_string_equal(made_name, want);
	close_client(sock);
}

/* What options make of it. */
static void
test_options(void **state)
{
	struct options opt = *service.opt;
	struct service s = { .opt = &opt };
	struct listen_options point = { .quirks = 0 };
	struct qm_dev_conf conf;

	(void)state;
	opt.queues = 100;
	opt.per_connection.queues = 99;
	assert_int_equal(client_dev_conf(&s, &point, &zip).queues, 99);
	opt.per_connection.queues = 101;
	assert_int_equal(client_dev_conf(&s, &point, &zip).queues, 100);
	opt.per_connection.queues = 0;
	assert_int_equal(client_dev_conf(&s, &point, &zip).queues, 100);
	opt.per_connection.streams = 0;
	(void)client_dev_conf(&s, &point, &zip);
	assert_int_equal(zip.streams_max, 1u << 20);
	assert_int_equal(zip.quirks, 0);
	point.quirks = 77;
	opt.per_connection.streams = 5;
	opt.per_connection.ops = 6;
	opt.revision = HISI_QM_REV_V2;
	opt.ext = false;
	opt.isolation = true;
	opt.copy = true;
	opt.fault = "fault";
	conf = client_dev_conf(&s, &point, &zip);
	assert_int_equal(zip.streams_max, 5);
	assert_int_equal(zip.quirks, 77);
	assert_int_equal(conf.limits.slots, 6);
	assert_int_equal(conf.revision, HISI_QM_REV_V2);
	assert_int_equal(conf.ext, 0);
	assert_int_equal(conf.isolation, 1);
	assert_int_equal(zip.engine, ZIP_DEV_ENGINE_COPY);
	assert_string_equal(conf.fault, "fault");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_regions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_raise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_doorbells, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file_of_doorbells, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_how_it_is_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
	};

	log_init(false);
	if (qm_dev_guard_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
