/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What the transport over vfio-user asks of its client, and what it makes of the answers. The
 * client is the test's.
 */

#include "test_spim_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hisi_qm_shadow.h"
#include "hisi_zip_ext.h"
#include "holdings.h"
#include "spim_qm.h"

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))
#define IDS  ((uint32_t)HISI_PCI_DEVICE_ZIP_VF << 16 | HISI_PCI_VENDOR)

static struct hisi_qm_io *io;

/* ---- Tests ---- */

static struct holdings_now before;
static char line[256];

static void
take_line(enum base_log_level level, const char *text, void *priv)
{
	(void)level;
	(void)priv;
	snprintf(line, sizeof(line), "%s", text);
}

static int
open_it(void)
{
	const struct spim_conf conf = { .owner = "unit", .device = HISI_PCI_DEVICE_ZIP_VF,
		.log = { .line = take_line } };

	line[0] = '\0';
	return spim_unix_open("the path", &conf, &io);
}

static int
begin(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	told.pci[0] = IDS;
	told.pci[2] = 0xffffff30;
	told.region_size = PAGE;
	told.file_size = (off_t)PAGE;
	told.seals = F_SEAL_SHRINK;
	locks_held = 0;
	before = holdings_get();
	assert_int_equal(open_it(), 0);
	assert_int_equal(io->revision, 0x30);
	assert_string_equal(io->name, "unit");
	return 0;
}

static int
end(void **state)
{
	const unsigned int closes = told.closes;

	(void)state;
	spim_unix_transport.close(io);
	assert_int_equal(told.closes, closes + 1);
	assert_int_equal(told.connects, told.closes);
	assert_int_equal(locks_held, 0);
	holdings_same(&before);
	return 0;
}

/* Fails, says that, and leaves nothing. */
static void
expect_no_function(int ret, const char *said)
{
	struct holdings_now then = holdings_get();
	struct hisi_qm_io *had = io;
	char last[256];

	assert_int_equal(spim_unix_transport.reopen(io), ret);
	assert_int_equal(told.connects, told.closes + 1);
	assert_ptr_equal(told.closes == 0 ? &told.clients[1] : told.client, &told.clients[1]);
	if (said != NULL && strstr(line, said) == NULL)
		fail_msg("it says \"%s\"", line);
	told.connects = 1;
	told.closes = 0;
	/* The same when it is opened for the first time, but for what was before. */
	if (said == NULL || strstr(said, "as before") == NULL) {
		assert_int_equal(open_it(), ret);
		assert_int_equal(told.connects, told.closes + 1);
		snprintf(last, sizeof(last), "unit: unix:the path: no function (%d), expected "
				"spimdevd to listen there", ret);
		assert_string_equal(line, last);
		told.connects = 1;
		told.closes = 0;
		io = had;
	}
	assert_int_equal(locks_held, 0);
	holdings_same(&then);
}

static void
test_no_function(void **state)
{
	const uint32_t revision = told.pci[2];

	(void)state;
	told.connect = -ECONNREFUSED;
	expect_no_function(-ECONNREFUSED, NULL);
	told.connect = 0;
	told.spim = 1;
	expect_no_function(-EPROTO, "a vfio-user server without shadow doorbells");
	told.spim = 0;
	told.read = -ETIMEDOUT;
	expect_no_function(-ETIMEDOUT, NULL);
	told.read = 0;
	told.pci[0] = 0x11112222;
	expect_no_function(-ENODEV, "device 2222:1111, expected 19e5:a251");
	told.pci[0] = IDS;
	told.pci[2] = 0x21;
	expect_no_function(-ENODEV, "revision 0x21, expected 0x30 as before");
	told.pci[2] = revision;
	told.info = -ENOSPC;
	expect_no_function(-ENOSPC, NULL);
	told.info = 0;
	/* Doorbells without a file, in one that can shrink, none, and some behind its end. */
	told.no_file = true;
	expect_no_function(-EPROTO, "file -1, expected at least");
	told.no_file = false;
	told.no_seals = true;
	expect_no_function(-EPROTO, "in a file that cannot shrink");
	told.no_seals = false;
	told.seals = F_SEAL_GROW;
	expect_no_function(-EPROTO, "in a file that cannot shrink");
	told.seals = F_SEAL_SHRINK;
	told.region_size = sizeof(struct hisi_qm_shadow) - 1;
	expect_no_function(-EPROTO, "doorbells: ");
	told.region_size = PAGE + 1;
	expect_no_function(-EPROTO, "doorbells: ");
	told.region_size = PAGE;
	told.region_offset = 1;
	expect_no_function(-EPROTO, "doorbells: ");
	told.region_offset = PAGE + 1;
	expect_no_function(-EPROTO, "doorbells: ");
	/* In a file, but at a place that cannot be mapped. */
	told.file_size = (off_t)(2 * PAGE);
	told.region_offset = 8;
	expect_no_function(-EINVAL, NULL);
}

/* A successor may have more doorbells, or fewer; they stay where they are. */
static void
test_doorbells(void **state)
{
	const uint16_t page_cnt = (uint16_t)(PAGE / sizeof(struct hisi_qm_shadow));
	volatile uint64_t *sq, *cq, *first;

	(void)state;
	assert_int_equal(io->ops->doorbells(io, 0, &first, &cq), 0);
	assert_int_equal((const volatile char *)cq - (const volatile char *)first,
			offsetof(struct hisi_qm_shadow, cq) - offsetof(struct hisi_qm_shadow, sq));
	assert_int_equal(io->ops->doorbells(io, (uint16_t)(page_cnt - 1), &sq, &cq), 0);
	assert_int_equal((const volatile char *)sq - (const volatile char *)first,
			PAGE - sizeof(struct hisi_qm_shadow));
	assert_int_equal(io->ops->doorbells(io, page_cnt, &sq, &cq), -EINVAL);
	*first = 77;
	told.region_size = sizeof(struct hisi_qm_shadow);
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_ptr_equal(told.client, &told.clients[0]);
	assert_int_equal(io->ops->doorbells(io, 0, &sq, &cq), 0);
	assert_ptr_equal(sq, first);
	assert_int_equal(*sq, 0);
	assert_int_equal(io->ops->doorbells(io, 1, &sq, &cq), -EINVAL);
	told.file_size = (off_t)(3 * PAGE);
	told.region_offset = PAGE;
	told.region_size = 2 * PAGE;
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_ptr_equal(told.client, &told.clients[1]);
	assert_int_equal(io->ops->doorbells(io, (uint16_t)(page_cnt - 1), &sq, &cq), 0);
	assert_int_equal(io->ops->doorbells(io, page_cnt, &sq, &cq), -EINVAL);
	assert_int_equal(spim_unix_transport.alive(io), 0);
	assert_ptr_equal(told.client, &told.clients[2]);
}

/* The lowest descriptor is one like another: it is looked at, and closed. */
static void
test_first_descriptor(void **state)
{
	int input = fcntl(0, F_DUPFD_CLOEXEC, 3);

	(void)state;
	close(0);
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	told.seals = F_SEAL_GROW;
	assert_int_equal(spim_unix_transport.reopen(io), -EPROTO);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	if (input >= 0) {
		assert_int_equal(dup2(input, 0), 0);
		close(input);
	}
}

/* Which message each access is; what is not answered is all ones. */
static void
test_registers(void **state)
{
	static const uint32_t words[4] = { 0x11, 0x22, 0x33, 0x44 };
	uint32_t sent;
	uint64_t sent64;

	(void)state;
	memcpy(told.mailbox, words, sizeof(words));
	told.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_VF_STATE), 0x11);
	assert_int_equal(told.region, VFIO_USER_PCI_BAR2);
	assert_int_equal(told.offset, HISI_QM_VF_STATE);
	assert_int_equal(told.count, 4);
	assert_int_equal(io->ops->read32(io, HISI_EXT_REG_MAGIC), 0x11);
	assert_int_equal(told.count, 8);
	assert_int_equal(io->ops->read32(io, HISI_EXT_REG_FEATURES), 0x22);
	assert_int_equal(told.reads, 2);
	io->ops->write32(io, 0x40, 0xabcdef01);
	memcpy(&sent, told.sent, sizeof(sent));
	assert_int_equal(sent, 0xabcdef01);
	assert_int_equal(told.count, 4);
	assert_int_equal(told.offset, 0x40);
	assert_int_equal(told.region, VFIO_USER_PCI_BAR2);
	io->ops->write64(io, 0x48, 0x123456789abcdef0);
	memcpy(&sent64, told.sent, sizeof(sent64));
	assert_true(sent64 == 0x123456789abcdef0);
	assert_int_equal(told.count, 8);
	assert_int_equal(told.offset, 0x48);
	io->ops->wake(io, 9);
	memcpy(&sent, told.sent, sizeof(sent));
	assert_int_equal(sent, 9);
	assert_int_equal(told.count, 4);
	assert_int_equal(told.region, spim.wake_region);
	assert_int_equal(told.offset, spim.wake_offset);
	told.read = -ENOTCONN;
	assert_int_equal(io->ops->read32(io, HISI_QM_VF_STATE), UINT32_MAX);
	assert_int_equal(io->ops->read32(io, HISI_EXT_REG_MAGIC), UINT32_MAX);
	assert_int_equal(locks_held, 0);
}

static int
mailbox(unsigned int w0)
{
	const struct hisi_qm_mailbox mb = { .w0 = (uint16_t)(w0 | HISI_QM_MB_BUSY), .queue_num = 2,
		.base_l = 3, .base_h = 4 };

	told.reads = told.posts = 0;
	return io->ops->mailbox(io, &mb);
}

/* One message to begin a command, one for each look while it is busy, and none for the rest. */
static void
test_mailbox(void **state)
{
	const uint32_t busy = HISI_QM_MB_BUSY;
	uint32_t words[4] = { 0 };

	(void)state;
	told.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0); /* nothing was asked yet */
	assert_int_equal(told.reads, 0);
	assert_int_equal(mailbox(1), 0);
	assert_int_equal(told.posts, 1);
	assert_int_equal(told.offset, HISI_QM_MAILBOX);
	assert_int_equal(told.count, 16);
	words[0] = busy | 1;
	memcpy(told.mailbox, words, sizeof(words));
	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), busy | 1);
		assert_int_equal(told.reads, i);
		assert_int_equal(told.count, 16);
	}
	for (uint32_t i = 0; i < 4; i++)
		words[i] = 10 * i + 1;
	memcpy(told.mailbox, words, sizeof(words));
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 4), 0); /* not looked at yet */
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 4 * i), 10 * i + 1);
	assert_int_equal(told.reads, 3);
	/* Behind it is another register. */
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX + 16), 1);
	assert_int_equal(told.reads, 4);
	assert_int_equal(told.count, 4);
	assert_int_equal(locks_held, 0);
}

/* A service that is lost, or gone: a command that may have come through is looked for. */
static void
test_mailbox_fails(void **state)
{
	(void)state;
	/* It did not get there: nothing is looked for. */
	told.post = -ETIMEDOUT;
	assert_int_equal(mailbox(1), -ETIMEDOUT);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(told.reads, 0);
	/* Not even EINVAL, which says that the message was never sent. */
	told.post = -EINVAL;
	assert_int_equal(mailbox(1), -EINVAL);
	/* Perhaps it did. As long as the service is there, the function may be at work. */
	told.post = told.read = -ENOTCONN;
	assert_int_equal(mailbox(1), 0);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), HISI_QM_MB_BUSY);
	assert_int_equal(told.reads, 1);
	told.alive = -ENOTCONN;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), UINT32_MAX);
	/* What was answered counts, even if it was the last answer. */
	told.read = 0;
	told.mailbox[0] = HISI_QM_MB_STOP_QP;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), HISI_QM_MB_STOP_QP);
	assert_int_equal(spim_unix_transport.alive(io), -ENOTCONN);
	/* A new one is idle. */
	told.post = told.read = told.alive = 0;
	assert_int_equal(spim_unix_transport.reopen(io), 0);
	told.reads = 0;
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(told.reads, 0);
	/* A reset makes it so, if it is done. */
	assert_int_equal(mailbox(1), 0);
	told.reset = -EIO;
	told.mailbox[0] = 5;
	assert_int_equal(io->ops->reset(io), -EIO);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 5);
	told.reset = 0;
	assert_int_equal(io->ops->reset(io), 0);
	assert_ptr_equal(told.client, &told.clients[1]);
	assert_int_equal(io->ops->read32(io, HISI_QM_MAILBOX), 0);
	assert_int_equal(locks_held, 0);
}

static void
test_memory(void **state)
{
	(void)state;
	assert_int_equal(spim_unix_transport.mem_map(io, (void *)0x7000, 0x3000, 55, 0x1000), 0);
	assert_int_equal(told.iova, 0x7000);
	assert_int_equal(told.size, 0x3000);
	assert_int_equal(told.fd, 55);
	assert_int_equal(told.offset, 0x1000);
	assert_int_equal(spim_unix_transport.mem_unmap(io, (void *)0x8000, 0x4000), 0);
	assert_int_equal(told.iova, 0x8000);
	assert_int_equal(told.size, 0x4000);
	told.map = -EEXIST;
	told.unmap = -EINVAL;
	assert_int_equal(spim_unix_transport.mem_map(io, NULL, 1, -1, 0), -EEXIST);
	assert_int_equal(spim_unix_transport.mem_unmap(io, NULL, 1), -EINVAL);
	assert_int_equal(locks_held, 0);
}

/* The event's descriptor goes to the service, and the connection into the set. */
static void
test_events(void **state)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);
	struct epoll_event ev;

	(void)state;
	told.fd = eventfd(1, EFD_CLOEXEC);
	told.irqs = -ENOSPC;
	assert_int_equal(spim_unix_transport.events(io, event, epfd), -ENOSPC);
	assert_int_equal(epoll_ctl(epfd, EPOLL_CTL_DEL, told.fd, &ev), -1);
	assert_int_equal(errno, ENOENT);
	told.irqs = 0;
	assert_int_equal(spim_unix_transport.events(io, event, epfd), 0);
	assert_int_equal(told.iova, event);
	/* Readable, which is not what is waited for. */
	assert_int_equal(epoll_wait(epfd, &ev, 1, 0), 0);
	assert_int_equal(spim_unix_transport.events(io, event, epfd), -EEXIST);
	assert_int_equal(epoll_ctl(epfd, EPOLL_CTL_DEL, told.fd, &ev), 0);
	assert_int_equal(locks_held, 0);
	close(told.fd);
	close(event);
	close(epfd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_function), T(test_doorbells), T(test_first_descriptor),
		T(test_registers), T(test_mailbox), T(test_mailbox_fails), T(test_memory),
		T(test_events),
	};

	return cmocka_run_group_tests_name("spim_calls", tests, NULL, NULL);
}
