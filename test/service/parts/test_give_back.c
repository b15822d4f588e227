/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What a client and its user have, counted after every step; and that nothing of it is left
 * when any call of the service fails, or the client is gone. The service's loop is run here, turn
 * by turn, while its client waits for each of them: so a failure meets one message, and no other.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "client.h"
#include "fail_nth.h"
#include "hisi_qm_regs.h"
#include "log.h"
#include "service.h"
#include "test_vfio_user_util.h"
#include "zip_dev_guard.h"

#define MEM_IOVA   0x100000u
#define MEM_LEN    0x10000u
#define USER_BYTES (1u << 20)
#define PATIENCE   5000 /* ms */

static struct service service;
static struct options opt;
static char folder[] = "/tmp/spimdevd-give-XXXXXX";
static struct vt vt; /* for vt_connect(): the path */
static int memfd = -1;
static uint8_t *mem;
static struct user *me; /* kept, so that what it has can be seen */

/* ---- What the service asks of others ---- */

static void (*failed)(void *priv);
static void *failed_priv;
static int guard_rc;

int __real_zip_dev_create(const struct zip_dev_conf *conf, struct zip_dev **dev);
int __wrap_zip_dev_create(const struct zip_dev_conf *conf, struct zip_dev **dev);

int
__wrap_zip_dev_create(const struct zip_dev_conf *conf, struct zip_dev **dev)
{
	failed = conf->failed;
	failed_priv = conf->priv;
	return __real_zip_dev_create(conf, dev);
}

int __real_zip_dev_guard_add(struct zip_dev *dev, void *addr, size_t len,
		struct zip_dev_guard **guard);
int __wrap_zip_dev_guard_add(struct zip_dev *dev, void *addr, size_t len,
		struct zip_dev_guard **guard);

int
__wrap_zip_dev_guard_add(struct zip_dev *dev, void *addr, size_t len,
		struct zip_dev_guard **guard)
{
	return guard_rc != 0 ? guard_rc : __real_zip_dev_guard_add(dev, addr, len, guard);
}

static bool mmap_fails;

void *__real_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);

void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	if (!mmap_fails)
		return __real_mmap64(at, len, prot, flags, fd, off);
	errno = ENFILE; /* as none of our own checks gives */
	return MAP_FAILED;
}

/* Of vt_refused(), which is not used here. */
void
vt_victim_works(struct vt *t)
{
	(void)t;
}

/* ---- The service ---- */

/* The thread of the loop: calls fail in it, and not in that of the test. */
static struct {
	pthread_t thread;
	sem_t go, done;
	void (*run)(void);
} loop;

static unsigned int fail_at;
static const char *what_failed;

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
}

static void
one_turn(void)
{
	eventfd_t n;

	(void)eventfd_read(service.wake_fd, &n);
	client_close_failed(&service);
	assert_true(vfio_user_server_run(service.server, 0) >= 0);
	admin_run(service.admin);
}

static void
turn(void)
{
	in_loop(one_turn);
}

static uint64_t
used(enum user_resource resource, uint64_t max)
{
	uint64_t low = 0, high = max;

	while (low < high) {
		uint64_t mid = low + (high - low + 1) / 2;

		if (users_take(service.users, me, resource, mid) == 0) {
			users_give(me, resource, mid);
			low = mid;
		} else {
			high = mid - 1;
		}
	}
	return max - low;
}

static void
has(uint64_t memory, uint64_t files, uint64_t maps)
{
	assert_int_equal(used(USER_MEMORY, USER_BYTES), memory);
	assert_int_equal(used(USER_FILES, 5), files);
	assert_int_equal(used(USER_MAPS, 6), maps);
}

static int
set_up(void **state)
{
	char listen[64], *argv[] = { (char *)(uintptr_t)"spimdevd",
		(char *)(uintptr_t)"--listen", listen, (char *)(uintptr_t)"--workers=1",
		(char *)(uintptr_t)"--queues=8", (char *)(uintptr_t)"--limit-user-memory=1M",
		(char *)(uintptr_t)"--limit-user-files=5", (char *)(uintptr_t)"--limit-user-maps=6",
		(char *)(uintptr_t)"--limit-files=4", (char *)(uintptr_t)"--limit-maps=5",
		(char *)(uintptr_t)"--limit-memory=512K", NULL };

	(void)state;
	strcpy(folder, "/tmp/spimdevd-give-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(vt.path, sizeof(vt.path), "%s/zip", folder);
	snprintf(listen, sizeof(listen), "%s", vt.path);
	optind = 0;
	assert_int_equal(options_parse(11, argv, &opt), OPTIONS_RUN);
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

static int
tear_down(void **state)
{
	uint64_t left = used(USER_MEMORY, USER_BYTES) + used(USER_FILES, 5) + used(USER_MAPS, 6);

	(void)state;
	in_loop(NULL);
	users_disconnect(service.users, me);
	service_close(&service);
	munmap(mem, MEM_LEN);
	close(memfd);
	return rmdir(folder) != 0 || left != 0 ? -1 : 0;
}

/* ---- A client ---- */

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* Turns until the client can read something. */
static void
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
	uint8_t room[4200];
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

static int
ask(int sock, uint16_t cmd, const void *body, size_t len, int fd)
{
	return tell(sock, cmd, body, len, fd) != 0 ? -1 : reply(sock, NULL, 0);
}

static const char version[] = "\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":1}}}";

static int
say_version(int sock)
{
	return ask(sock, VFIO_USER_VERSION, version, sizeof(version), -1);
}

static int
open_client(void)
{
	int sock = vt_connect(&vt);

	assert_int_equal(say_version(sock), 0);
	return sock;
}

static unsigned int
connections(void)
{
	struct vfio_user_server_stats stats;

	vfio_user_server_stats_get(service.server, &stats);
	return stats.conns;
}

/* Turns until nobody is connected, and the jobs that end functions are done. */
static void
all_gone(void)
{
	for (int ms = 0; connections() != 0 || used(USER_MAPS, 6) != 0 ||
			used(USER_FILES, 5) != 0; ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
	turn();
}

static void
close_client(int sock)
{
	close(sock);
	all_gone();
}

static int
map(int sock, int fd, uint64_t iova, uint64_t size, uint64_t offset)
{
	struct vfio_user_dma_map m = { sizeof(m), 3, offset, iova, size };

	return ask(sock, VFIO_USER_DMA_MAP, &m, sizeof(m), fd);
}

static int
unmap(int sock, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap m = { sizeof(m), 0, iova, size };

	return ask(sock, VFIO_USER_DMA_UNMAP, &m, sizeof(m), -1);
}

static int
map_memory(int sock)
{
	return map(sock, memfd, MEM_IOVA, MEM_LEN, 0);
}

static int
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
static int
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

static int
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

static int
set_irqs(int sock)
{
	struct vfio_user_irq_set m = { sizeof(m), 0x24, VFIO_USER_PCI_MSI, 0, 1 };
	int fd = eventfd(0, EFD_CLOEXEC), rc = ask(sock, VFIO_USER_DEVICE_SET_IRQS, &m, sizeof(m),
			fd);

	close(fd);
	return rc;
}

static int
doorbells(int sock)
{
	struct vfio_user_region_info m = { .argsz = sizeof(m), .index = CLIENT_REGION_DOORBELLS };

	return ask(sock, VFIO_USER_DEVICE_GET_REGION_INFO, &m, sizeof(m), -1);
}

static int
reset(int sock)
{
	return ask(sock, VFIO_USER_DEVICE_RESET, NULL, 0, -1);
}

static int
unmap_memory(int sock)
{
	return unmap(sock, MEM_IOVA, MEM_LEN);
}

/* A mailbox command while there is a queue, which may have to wait. */
static int
write_mailbox(int sock)
{
	return mailbox(sock, HISI_QM_MB_SQC, 1, 0xdead000);
}

/* ---- What is had ---- */

static void
test_counted(void **state)
{
	int one = open_client(), two = open_client(), three, other, fd[6];

	(void)state;
	has(0, 0, 0);
	/* A ROM, which only messages reach, costs the user nothing. */
	assert_int_equal(map(one, -1, 0x80000000, 0x1000, 0), 0);
	has(0, 0, 0);
	assert_int_equal(map(one, memfd, MEM_IOVA, 0x1000, 0), 0);
	has(MEM_LEN, 1, 1);
	assert_int_equal(map(one, memfd, MEM_IOVA + 0x1000, 0x1000, 0x8000), 0);
	has(MEM_LEN, 1, 2);
	/* Another connection pays for its own. */
	assert_int_equal(map_memory(two), 0);
	has(2 * MEM_LEN, 2, 3);
	assert_int_equal(map_memory(two), EEXIST);
	has(2 * MEM_LEN, 2, 3);
	assert_int_equal(unmap(one, MEM_IOVA, 0x1000), 0);
	has(2 * MEM_LEN, 2, 2);
	assert_int_equal(unmap(one, MEM_IOVA, 0x2000), 0);
	has(MEM_LEN, 1, 1);
	assert_int_equal(unmap(one, MEM_IOVA, 0x2000), 0); /* of nothing */
	has(MEM_LEN, 1, 1);

	/* The user's limits, then the connection's. */
	for (int i = 0; i < 6; i++)
		fd[i] = vt_memfd(MEM_LEN);
	for (int i = 0; i < 4; i++)
		assert_int_equal(map(one, fd[i], 0x1000000u * (unsigned int)(i + 1), 0x1000, 0), 0);
	has(5 * MEM_LEN, 5, 5);
	assert_int_equal(map(one, fd[0], 0x9000000, 0x1000, 0), ENOSPC); /* the ROM is one, too */
	has(5 * MEM_LEN, 5, 5);
	assert_int_equal(unmap(one, 0x80000000, 0x1000), 0);
	assert_int_equal(map(one, fd[4], 0x9000000, 0x1000, 0), EMFILE);
	assert_int_equal(map(two, fd[4], 0x9000000, 0x1000, 0), EDQUOT); /* files */
	has(5 * MEM_LEN, 5, 5);
	assert_int_equal(map(one, fd[0], 0x9000000, 0x1000, 0x1000), 0);
	has(5 * MEM_LEN, 5, 6);
	assert_int_equal(map(two, memfd, 0x9000000, 0x1000, 0), EDQUOT); /* maps */
	has(5 * MEM_LEN, 5, 6);
	close(one);
	while (connections() != 1 || used(USER_MAPS, 6) != 1)
		turn();
	has(MEM_LEN, 1, 1);

	/* Bytes: of the connection, then of the user. */
	other = vt_memfd(USER_BYTES);
	one = open_client();
	assert_int_equal(map(one, other, 0x9000000, USER_BYTES, 0), ENOSPC);
	assert_int_equal(map(one, other, 0x9000000, 0x80000, 0), 0);
	has(MEM_LEN + 0x80000, 2, 2);
	assert_int_equal(map(two, other, 0x9000000, 0x70000, 0), 0);
	has(USER_BYTES, 3, 3);
	assert_int_equal(unmap(two, MEM_IOVA, MEM_LEN), 0);
	three = open_client();
	assert_int_equal(map(three, other, 0x9000000, MEM_LEN + 0x1000, 0), EDQUOT);
	has(USER_BYTES - MEM_LEN, 2, 2);
	assert_int_equal(map(three, other, 0x9000000, MEM_LEN, 0), 0);
	has(USER_BYTES, 3, 3);
	close(one);
	close(two);
	close(three);
	all_gone();
	has(0, 0, 0);
	close(other);
	for (int i = 0; i < 6; i++)
		close(fd[i]);
}

/* Memory that the kernel does not map. */
static void
test_no_mapping(void **state)
{
	int sock = open_client();

	(void)state;
	assert_int_equal(map(sock, memfd, MEM_IOVA + MEM_LEN, MEM_LEN, 0), 0);
	assert_int_equal(unmap(sock, MEM_IOVA + MEM_LEN, MEM_LEN), 0);
	mmap_fails = true;
	assert_int_equal(map_memory(sock), ENFILE);
	mmap_fails = false;
	has(0, 0, 0);
	assert_int_equal(map_memory(sock), 0);
	has(MEM_LEN, 1, 1);
	close_client(sock);
}

/* Memory that cannot be guarded is not mapped, and not paid for. */
static void
test_no_guard(void **state)
{
	int sock = open_client();
	unsigned int mappings = vt_mappings("vfio-user-test");

	(void)state;
	guard_rc = -ENOMEM;
	assert_int_equal(map_memory(sock), ENOMEM);
	guard_rc = 0;
	has(0, 0, 0);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	assert_int_equal(map_memory(sock), 0);
	has(MEM_LEN, 1, 1);
	close_client(sock);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
}

/* A connection that is told to end because its function failed, and one that ends before. */
static void
test_failed_functions(void **state)
{
	int one = open_client(), two, three;
	void *priv = failed_priv;
	char byte;

	(void)state;
	assert_int_equal(map_memory(one), 0);
	two = open_client();
	three = open_client();
	failed(priv);
	failed(failed_priv);
	/* The first one goes now: nobody may look for it any more. */
	close(one);
	for (int ms = 0; connections() != 2; ms++) {
		assert_true(ms < PATIENCE);
		vfio_user_server_run(service.server, 0);
		nap();
	}
	assert_non_null(service.failed);
	assert_ptr_equal(service.failed, failed_priv);
	turn();
	assert_null(service.failed);
	serve(three);
	assert_int_equal(recv(three, &byte, 1, 0), 0);
	assert_int_equal(reset(two), 0);
	close(two);
	close(three);
	all_gone();
	assert_null(service.failed);
}

/* ---- Any call fails ---- */

/* A connection that is not there yet. */
static int
connect_anew(int sock)
{
	int more = vt_connect(&vt), rc = say_version(more);

	(void)sock;
	close(more);
	return rc;
}

static const struct step {
	const char *name;
	int (*run)(int sock);
	unsigned int before; /* steps that must be done */
	int right;
} steps[] = {
	{ "connect", connect_anew, 1, 0 },
	{ "VERSION", say_version, 0, 0 },
	{ "DMA_MAP", map_memory, 1, 0 },
	{ "doorbells", doorbells, 1, 0 },
	{ "SET_IRQS", set_irqs, 2, 0 },
	{ "a queue", take_queue, 2, 0x100 },
	{ "a write that may wait", write_mailbox, 3, 0x103 },
	{ "DMA_UNMAP", unmap_memory, 3, 0 },
	{ "RESET", reset, 3, 0 },
};

/* What the client is told is what failed, or it is told nothing: its connection is closed. */
static void
check_errno(const struct step *s, int rc)
{
	bool memory = strstr(what_failed, "alloc") != NULL;

	if (memory && rc == s->right)
		fail_msg("%s: %s failed, which nobody noticed", s->name, what_failed);
	if (rc > 0 && rc < 0x100 && rc != (memory || strstr(what_failed, "mmap") != NULL ? ENOMEM :
			EMFILE))
		fail_msg("%s: %s failed, which was told as error %d", s->name, what_failed, rc);
}

/* Up to a step, and that with the n-th call of the service failing. @return Whether one did. */
static bool
step_fails(const struct step *s, unsigned int n)
{
	int sock = vt_connect(&vt), rc = 0;

	turn();
	if (s->before > 0)
		assert_int_equal(say_version(sock), 0);
	if (s->before > 1)
		assert_int_equal(map_memory(sock), 0);
	if (s->before > 2)
		assert_int_equal(take_queue(sock), 0x100);
	fail_at = n;
	in_loop(arm);
	rc = s->run(sock);
	in_loop(disarm);
	if (what_failed == NULL && rc != s->right)
		fail_msg("%s: %d; expected %d", s->name, rc, s->right);
	if (what_failed != NULL)
		check_errno(s, rc);
	close(sock);
	all_gone();
	return what_failed != NULL;
}

static void
test_calls_that_fail(void **state)
{
	unsigned int fds, mappings, n;
	int sock = open_client();
	long blocks;

	(void)state;
	/* What is kept once made. */
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	close_client(sock);
	fds = vt_fds();
	mappings = vt_mappings("vfio-user-test");
	blocks = fail_nth_blocks();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (n = 1; step_fails(&steps[i], n); n++) {
			/* The end of a function may be a job of another thread. */
			for (int ms = 0; ms < PATIENCE && (vt_fds() != fds ||
					fail_nth_blocks() > blocks); ms++)
				nap();
			has(0, 0, 0);
			if (vt_fds() != fds || vt_mappings("vfio-user-test") != mappings ||
					fail_nth_blocks() > blocks)
				fail_msg("%s, call %u (%s) failed: %u descriptors, %u; %u "
						"mappings, %u; %ld blocks of memory, %ld",
						steps[i].name, n, what_failed, vt_fds(), fds,
						vt_mappings("vfio-user-test"), mappings,
						fail_nth_blocks(), blocks);
		}
		print_message("%s: each of %u calls\n", steps[i].name, n - 1);
		has(0, 0, 0);
	}
	/* And all is as good as new. */
	sock = open_client();
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	close_client(sock);
}

/* ---- Who connects when no descriptor is left ---- */

static void
test_no_descriptor_for_control(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), filler[64];
	struct pollfd p = { .fd = admin_fd(service.admin), .events = POLLIN };
	struct rlimit old, low;
	unsigned int n = 0;
	char text[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(admin_timeout(service.admin), -1);
	low = old;
	low.rlim_cur = (rlim_t)sock + 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n < 64 && (filler[n] = dup(sock)) >= 0)
		n++;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s%s", vt.path, OPTIONS_CONTROL_SUFFIX);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(send(sock, "points\n", 7, 0), 7);
	admin_run(service.admin);
	/* It waits a while, and is not woken for what it cannot do. */
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(recv(sock, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(admin_timeout(service.admin), 1000);
	while (n != 0)
		close(filler[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (int ms = 0; recv(sock, text, 7, MSG_DONTWAIT | MSG_PEEK) != 7; ms++) {
		assert_true(ms < PATIENCE);
		admin_run(service.admin);
		nap();
	}
	assert_memory_equal(text, "service", 7);
	while (recv(sock, text, sizeof(text), MSG_DONTWAIT) != 0)
		admin_run(service.admin);
	assert_int_equal(admin_timeout(service.admin), -1);
	close(sock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_mapping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_guard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_functions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptor_for_control, set_up, tear_down),
	};

	log_init(false);
	if (zip_dev_guard_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
