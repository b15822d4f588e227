/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "fail_nth.h"
#include "hisi_qm_regs.h"
#include "in_process.h"
#include "qm_dev_guard.h"

struct service service;
struct vt vt;
int memfd = -1;
bool mmap_fails;
int guard_rc;
struct qm_dev_conf made;
struct zip_dev_conf made_zip;
char made_name[64];
const char *what_failed;
int errno_failed;

static struct options opt;
static char folder[] = "/tmp/spimdevd-give-XXXXXX";
static uint8_t *mem;
static struct user *me; /* kept, so that what it has can be seen */

/* ---- What the service asks of others ---- */

int __real_qm_dev_create(const struct qm_dev_conf *conf, struct qm_dev **dev);
int __wrap_qm_dev_create(const struct qm_dev_conf *conf, struct qm_dev **dev);

int
__wrap_qm_dev_create(const struct qm_dev_conf *conf, struct qm_dev **dev)
{
	made = *conf;
	made_zip = *(const struct zip_dev_conf *)conf->classes[0].conf;
	snprintf(made_name, sizeof(made_name), "%s", conf->name != NULL ? conf->name : "");
	return __real_qm_dev_create(conf, dev);
}

int __real_qm_dev_guard_add(struct qm_dev *dev, void *addr, size_t len,
		struct qm_dev_guard **guard);
int __wrap_qm_dev_guard_add(struct qm_dev *dev, void *addr, size_t len,
		struct qm_dev_guard **guard);

int
__wrap_qm_dev_guard_add(struct qm_dev *dev, void *addr, size_t len,
		struct qm_dev_guard **guard)
{
	return guard_rc != 0 ? guard_rc : __real_qm_dev_guard_add(dev, addr, len, guard);
}

bool shut_waits;
atomic_uint destroyed;

bool __real_qm_dev_abort(struct qm_dev *dev);
bool __wrap_qm_dev_abort(struct qm_dev *dev);

bool
__wrap_qm_dev_abort(struct qm_dev *dev)
{
	return __real_qm_dev_abort(dev) && !shut_waits;
}

void __real_qm_dev_destroy(struct qm_dev *dev);
void __wrap_qm_dev_destroy(struct qm_dev *dev);

void
__wrap_qm_dev_destroy(struct qm_dev *dev)
{
	destroyed++;
	__real_qm_dev_destroy(dev);
}

void *__real_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);

void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	if (fail_nth_now("mmap", ENOMEM))
		return MAP_FAILED;
	if (!mmap_fails)
		return __real_mmap64(at, len, prot, flags, fd, off);
	errno = ENFILE; /* as none of our own checks gives */
	return MAP_FAILED;
}

/* ---- The service ---- */

/* The thread of the loop: calls fail in it, and not in that of the test. */
static struct {
	pthread_t thread;
	sem_t go, done;
	void (*run)(void);
} loop;

static unsigned int fail_at;

static void *
loop_thread(void *arg)
{
	(void)arg;
	for (;;) {
		sem_wait(&loop.go);
		if (loop.run == NULL)
			return NULL;
		loop.run();
		sem_post(&loop.done);
	}
}

static void
in_loop(void (*run)(void))
{
	loop.run = run;
	sem_post(&loop.go);
	if (run == NULL)
		pthread_join(loop.thread, NULL);
	else
		sem_wait(&loop.done);
}

static void
arm(void)
{
	fail_nth(fail_at);
}

static void
disarm(void)
{
	what_failed = fail_nth_end();
	errno_failed = fail_nth_errno();
}

void
let_fail(unsigned int n)
{
	fail_at = n;
	in_loop(n != 0 ? arm : disarm);
}

static void
one_turn(void)
{
	eventfd_t n;

	(void)eventfd_read(service.wake_fd, &n);
	client_close_failed(&service);
	assert_true(vfio_user_server_run(service.server, 0) >= 0);
	(void)client_poll_waiting(&service);
	(void)unread_poll(&service.unread, service_now_ms());
	admin_run(service.admin);
}

void
turn(void)
{
	in_loop(one_turn);
}

uint64_t
used(enum qm_dev_resource resource)
{
	return users_quota(me)->used[resource];
}

void
has(uint64_t memory, uint64_t files, uint64_t maps)
{
	assert_int_equal(used(QM_DEV_MEMORY), memory);
	assert_int_equal(used(QM_DEV_FILES), files);
	assert_int_equal(used(QM_DEV_MAPS), maps);
}

int
set_up(void **state)
{
	char listen[80], conns[64], *argv[] = { (char *)(uintptr_t)"spimdevd",
		(char *)(uintptr_t)"--listen", listen, (char *)(uintptr_t)"--workers=1",
		(char *)(uintptr_t)"--queues=8", (char *)(uintptr_t)"--limit-user-memory=1M",
		(char *)(uintptr_t)"--limit-user-files=5", (char *)(uintptr_t)"--limit-user-maps=6",
		(char *)(uintptr_t)"--limit-files=4", (char *)(uintptr_t)"--limit-maps=5",
		(char *)(uintptr_t)"--limit-memory=512K", conns, NULL };

	(void)state;
	strcpy(folder, "/tmp/spimdevd-give-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(vt.path, sizeof(vt.path), "%s/zip", folder);
	snprintf(listen, sizeof(listen), "%s,quirk=sge-16", vt.path);
	snprintf(conns, sizeof(conns), "--limit-user-connections=%d", USER_CONNS);
	optind = 0;
	assert_int_equal(options_parse(12, argv, &opt), OPTIONS_RUN);
	assert_int_equal(service_open(&service, &opt), 0);
	assert_int_equal(service_start(&service), 0);
	assert_int_equal(users_connect(service.users, getuid(), &me), 0);
	sem_init(&loop.go, 0, 0);
	sem_init(&loop.done, 0, 0);
	assert_int_equal(pthread_create(&loop.thread, NULL, loop_thread, NULL), 0);
	memfd = vt_memfd(MEM_LEN);
	mem = mmap(NULL, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_true(mem != MAP_FAILED);
	return 0;
}

int
tear_down(void **state)
{
	/* All but the descriptor of me. */
	uint64_t left = used(QM_DEV_MEMORY) + used(QM_DEV_FILES) + used(QM_DEV_MAPS) +
		used(QM_DEV_VMAS) + used(QM_DEV_FDS) - 1;

	(void)state;
	in_loop(NULL);
	users_disconnect(service.users, me);
	service_close(&service);
	munmap(mem, MEM_LEN);
	close(memfd);
	return rmdir(folder) != 0 || left != 0 ? -1 : 0;
}

/* ---- A client ---- */

void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* Turns until the client can read something. */
void
serve(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	for (int ms = 0; poll(&p, 1, 0) == 0; ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
}

/* Send a message, if there is still somebody. */
static int
tell(int sock, uint16_t cmd, const void *body, size_t len, int fd)
{
	char byte;

	if (recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return -1;
	vt_send(sock, cmd, 0, body, len, &fd, fd >= 0 ? 1 : 0);
	return 0;
}

/* @return The errno of the reply, 0: none, -1: the connection is closed. */
static int
reply(int sock, void *body, size_t max)
{
	struct vfio_user_hdr hdr;
	uint8_t room[4200] = { 0 };
	int fd = -1;
	char byte;

	serve(sock);
	if (recv(sock, &byte, 1, MSG_PEEK) <= 0)
		return -1;
	vt_recv(sock, &hdr, room, sizeof(room), &fd);
	if (fd >= 0)
		close(fd);
	if (body != NULL)
		memcpy(body, room, max);
	return (int)hdr.error;
}

int
ask(int sock, uint16_t cmd, const void *body, size_t len, int fd)
{
	return tell(sock, cmd, body, len, fd) != 0 ? -1 : reply(sock, NULL, 0);
}

int
ask_for(int sock, uint16_t cmd, const void *body, size_t len, void *answer, size_t max)
{
	return tell(sock, cmd, body, len, -1) != 0 ? -1 : reply(sock, answer, max);
}

static const char version[] = "\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":1}}}";

int
say_version(int sock)
{
	return ask(sock, VFIO_USER_VERSION, version, sizeof(version), -1);
}

int
open_client(void)
{
	int sock = vt_connect(&vt);

	assert_int_equal(say_version(sock), 0);
	return sock;
}

unsigned int
connections(void)
{
	struct vfio_user_server_stats stats;

	vfio_user_server_stats_get(service.server, &stats);
	return stats.conns;
}

void
left_with(unsigned int conns, uint64_t files, uint64_t maps)
{
	for (int ms = 0; connections() != conns || used(QM_DEV_MAPS) != maps ||
			used(QM_DEV_FILES) != files; ms++) {
		if (ms == PATIENCE)
			fail_msg("%u connections, %u files, %u maps; expected %u, %u, %u",
					connections(), (unsigned int)used(QM_DEV_FILES),
					(unsigned int)used(QM_DEV_MAPS), conns,
					(unsigned int)files, (unsigned int)maps);
		turn();
		nap();
	}
}

void
all_is_freed(void)
{
	for (int ms = 0; atomic_load(&service.ending) != 0; ms++) {
		assert_int_not_equal(ms, PATIENCE);
		nap();
	}
}

void
all_gone(void)
{
	left_with(0, 0, 0);
	turn();
	all_is_freed();
}

void
close_client(int sock)
{
	close(sock);
	all_gone();
}

int
map(int sock, int fd, uint64_t iova, uint64_t size, uint64_t offset)
{
	struct vfio_user_dma_map m = { sizeof(m), 3, offset, iova, size };

	return ask(sock, VFIO_USER_DMA_MAP, &m, sizeof(m), fd);
}

int
unmap(int sock, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap m = { sizeof(m), 0, iova, size };

	return ask(sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), -1);
}

int
map_memory(int sock)
{
	return map(sock, memfd, MEM_IOVA, MEM_LEN, 0);
}

int
write_region(int sock, uint32_t region, uint64_t offset, const void *data, uint32_t len)
{
	struct {
		struct vfio_user_region_rw rw;
		uint8_t data[64];
	} m = { { offset, region, len }, { 0 } };

	memcpy(m.data, data, len);
	return ask(sock, VFIO_USER_REGION_WRITE, &m, sizeof(m.rw) + len, -1);
}

/* @return errno, or the mailbox's status from 0x100 on. */
int
mailbox(int sock, uint16_t cmd, uint16_t qn, uint64_t base)
{
	struct {
		uint16_t w0, qn;
		uint64_t base;
		uint32_t rsvd;
	} __attribute__((packed)) mb = { cmd | 1u << 13, qn, base, 0 };
	struct vfio_user_region_rw rw = { HISI_QM_MAILBOX, 2, 4 };
	struct {
		struct vfio_user_region_rw rw;
		uint16_t w0, qn;
	} back;
	int rc = write_region(sock, 2, HISI_QM_MAILBOX, &mb, sizeof(mb));

	for (int i = 0; rc == 0 && i < PATIENCE; i++) {
		rc = tell(sock, VFIO_USER_REGION_READ, &rw, sizeof(rw), -1);
		if (rc == 0)
			rc = reply(sock, &back, sizeof(back));
		if (rc == 0 && (back.w0 & 1u << 13) == 0)
			return 0x100 + (back.w0 >> 9 & 0xf);
	}
	return rc;
}

int
take_queue(int sock)
{
	struct hisi_qm_sqc sqc = { .base_l = MEM_IOVA + 0x1000,
		.dw3 = 15u | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = 1, .cq_num = 0,
		.w13 = HISI_QM_SQC_ORDER };
	struct hisi_qm_cqc cqc = { .base_l = MEM_IOVA + 0x3000,
		.dw3 = 15u | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = 1,
		.dw6 = HISI_QM_CQC_PHASE };
	int rc;

	memcpy(mem, &sqc, sizeof(sqc));
	memcpy(mem + 64, &cqc, sizeof(cqc));
	rc = mailbox(sock, HISI_QM_MB_SQC, 0, MEM_IOVA);
	return rc != 0x100 ? rc : mailbox(sock, HISI_QM_MB_CQC, 0, MEM_IOVA + 64);
}

int
set_irqs(int sock)
{
	struct vfio_user_irq_set m = { sizeof(m), 0x24, VFIO_USER_PCI_MSI, 0, 1 };
	int fd = eventfd(0, EFD_CLOEXEC), rc = ask(sock, VFIO_USER_DEVICE_SET_IRQS, &m, sizeof(m),
			fd);

	close(fd);
	return rc;
}

int
doorbells(int sock)
{
	struct vfio_user_region_info m = { .argsz = sizeof(m), .index = CLIENT_REGION_DOORBELLS };

	return ask(sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), -1);
}

int
reset(int sock)
{
	return ask(sock, VFIO_USER_DEVICE_RESET, NULL, 0, -1);
}

int
unmap_memory(int sock)
{
	return unmap(sock, MEM_IOVA, MEM_LEN);
}

/* A mailbox command while there is a queue, which may have to wait. */
int
write_mailbox(int sock)
{
	return mailbox(sock, HISI_QM_MB_SQC, 1, 0xdead000);
}
