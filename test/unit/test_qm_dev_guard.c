/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Client memory that vanishes under the engine: the client loses its function, and only it. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qm_dev_func.h"
#include "qm_dev_guard.h"
#include "qm_dev_queue.h"
#include "qm_dev_pool.h"

#define FILE_SIZE (8u << 20)
#define FILE_IOVA (TD_IOVA + (1ull << 40))
#define ARENA     (4u << 20)
#define DEPTH     16

/* Sanitizers make every access many times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 4
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROUNDS 4
#endif
#endif
#ifndef ROUNDS
#define ROUNDS 18
#endif

static void
log_quiet(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	assert_non_null(strchr(line, ':'));
}

static void
on_failed(void *priv)
{
	atomic_fetch_add((_Atomic uint32_t *)priv, 1);
}

/* A client whose data, and rings if asked for, lie in a file that it can change. */
struct client {
	struct td td;
	struct tq q;
	struct qm_dev_guard *guard;
	_Atomic uint32_t failed;
	uint8_t *file;
	int fd;
};

static void
client_open(struct client *c, struct qm_dev_group *group, bool rings)
{
	struct qm_dev_conf conf = td_conf(0);

	memset(c, 0, sizeof(*c));
	conf.group = group;
	conf.wake = 1;
	conf.failed = on_failed;
	conf.priv = &c->failed;
	c->fd = memfd_create("client", MFD_CLOEXEC);
	assert_true(c->fd >= 0);
	assert_int_equal(ftruncate(c->fd, FILE_SIZE), 0);
	c->file = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	assert_true(c->file != MAP_FAILED);
	fill_text(c->file, FILE_SIZE, 1);
	td_open(&c->td, &conf, ARENA);
	assert_int_equal(qm_dev_guard_add(c->td.dev, c->file, FILE_SIZE, &c->guard), 0);
	assert_int_equal(qm_dev_dma_map(c->td.dev, FILE_IOVA, FILE_SIZE, c->file,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE), 0);
	if (!rings) {
		tq_start(&c->q, &c->td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
		return;
	}
	c->q = (struct tq){ .td = &c->td, .depth = DEPTH,
		.db = qm_dev_doorbell(c->td.dev, 0) };
	c->q.sq = (void *)c->file;
	c->q.cq = (void *)(c->file + 4096);
	memset(c->file, 0, 8192);
	assert_int_equal(tq_set(&c->q, HISI_ZIP_QC_COMPRESS, FILE_IOVA, FILE_IOVA + 4096), 0);
}

static void
client_close(struct client *c)
{
	td_close(&c->td);
	qm_dev_guard_del(c->guard);
	munmap(c->file, FILE_SIZE);
	close(c->fd);
}

static void
client_wait_failed(struct client *c)
{
	time_t end = time(NULL) + 60;

	while (atomic_load(&c->failed) == 0) {
		if (time(NULL) > end)
			fail_msg("the function did not fail, expected it to");
		usleep(100);
	}
}

/* A request over half of the file, into a place of its own in the other half. */
static void
client_submit(struct client *c, unsigned int level)
{
	uint32_t room = FILE_SIZE / 2 / DEPTH;
	struct hisi_zip_sqe *sqe = tq_slot(&c->q, HISI_ZIP_REQ_DEFLATE);

	sqe->dw10 = ext_level(level);
	hisi_zip_sqe_src(sqe, FILE_IOVA + 8192, FILE_SIZE / 2 - 8192);
	hisi_zip_sqe_dst(sqe, FILE_IOVA + FILE_SIZE / 2 + c->q.tail * room, room);
	tq_push(&c->q);
	tq_ring(&c->q);
}

/* ---- A client beside it, which must not notice ---- */

struct victim {
	struct qm_dev_group *group;
	_Atomic bool stop;
	uint32_t bad;
	uint32_t done;
};

static void *
victim_run(void *arg)
{
	struct victim *v = arg;
	struct qm_dev_conf conf = td_conf(0);
	uint8_t *src, *dst, back[8192];
	struct td td;
	struct tq q;

	conf.group = v->group;
	conf.wake = 1;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	src = td_alloc(&td, 8192, 64);
	dst = td_alloc(&td, 16384, 64);
	while (!atomic_load(&v->stop)) {
		struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_DEFLATE);

		fill_text(src, 8192, v->done);
		sqe->dw10 = ext_level(1);
		hisi_zip_sqe_src(sqe, td_iova(&td, src), 8192);
		hisi_zip_sqe_dst(sqe, td_iova(&td, dst), 16384);
		sqe = tq_do(&q);
		if (sqe == NULL || sqe->dw3 != HISI_ZIP_OK ||
				z_inflate(-15, dst, sqe->produced, back, 8192) != 8192 ||
				memcmp(src, back, 8192) != 0) {
			v->bad++;
			break;
		}
		v->done++;
	}
	td_close(&td);
	return NULL;
}

static void
truncate_or_punch(int fd, uint32_t how)
{
	switch (how % 3) {
	case 0:
		assert_int_equal(ftruncate(fd, 0), 0);
		break;
	case 1:
		assert_int_equal(ftruncate(fd, FILE_SIZE / 4), 0);
		break;
	default:
		/* A hole alone reads zeros: the engine goes on with those. Then the end goes. */
		assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				FILE_SIZE / 2), 0);
		assert_int_equal(ftruncate(fd, 100), 0);
		break;
	}
}

static void
memory_vanishes_while_a_request_runs(void **state)
{
	struct qm_dev_pool_conf pool_conf = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 2, .log = { .line = log_quiet } };
	struct qm_dev_pool_stats s;
	struct qm_dev_group *group;
	struct qm_dev_pool *pool;
	struct victim v = { 0 };
	struct client c;
	pthread_t t;

	(void)state;
	/* Here, as cmocka puts a handler of its own in place before each test. */
	assert_int_equal(qm_dev_guard_install(), 0);
	assert_int_equal(qm_dev_pool_create(&pool_conf, &pool), 0);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	v.group = group;
	assert_int_equal(pthread_create(&t, NULL, victim_run, &v), 0);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		client_open(&c, group, round % 2 == 1);
		client_submit(&c, 1 + round % 9);
		client_submit(&c, 6);
		usleep(round * 300 % 5000);
		truncate_or_punch(c.fd, round);
		/* Whatever was done by then, the next request meets the hole. */
		for (int i = 0; i < 3 && atomic_load(&c.failed) == 0; i++) {
			if (round % 2 == 0)
				client_submit(&c, 1);
			usleep(2000);
		}
		if (round % 2 == 0)
			client_wait_failed(&c);
		client_close(&c);
		assert_in_range(atomic_load(&c.failed), 0, 1);
	}
	atomic_store(&v.stop, true);
	pthread_join(t, NULL);
	assert_int_equal(v.bad, 0);
	assert_true(v.done > 0);
	qm_dev_pool_stats_get(pool, &s);
	assert_int_equal(s.queues_live, 0);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* A failed function serves nothing any more, and says so. */
static void
a_failed_function_stays_failed(void **state)
{
	struct qm_dev_pool_conf pool_conf = { .name = "pool",
		.classes = { &zip_dev_class }, .workers = 1, .log = { .line = log_quiet } };
	struct qm_dev_group *group;
	struct qm_dev_pool *pool;
	struct client c;

	(void)state;
	/* Here, as cmocka puts a handler of its own in place before each test. */
	assert_int_equal(qm_dev_guard_install(), 0);
	assert_int_equal(qm_dev_pool_create(&pool_conf, &pool), 0);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	client_open(&c, group, false);
	assert_int_equal(ftruncate(c.fd, 0), 0);
	client_submit(&c, 1);
	client_wait_failed(&c);
	assert_int_equal(tq_restart(&c.q, HISI_ZIP_QC_COMPRESS), QM_DEV_MB_BAD_ADDR);
	client_close(&c);
	assert_int_equal(atomic_load(&c.failed), 1);

	/* A context in the hole: the mailbox meets it, in the owner's thread. */
	client_open(&c, group, false);
	assert_int_equal(ftruncate(c.fd, 0), 0);
	assert_int_equal(td_mb(&c.td, HISI_QM_MB_SQC, 1, FILE_IOVA, false), QM_DEV_MB_BAD_ADDR);
	assert_int_equal(atomic_load(&c.failed), 1);
	client_close(&c);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* ---- Faults that are nobody's ---- */

static sigjmp_buf jump;

static void
own_handler(int sig)
{
	(void)sig;
	siglongjmp(jump, 1);
}

/* Read from a mapping behind its file's end. */
static void
touch_a_hole(void)
{
	int fd = memfd_create("hole", MFD_CLOEXEC);
	volatile uint8_t *p;

	if (fd < 0 || ftruncate(fd, 4096) != 0)
		_exit(100);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ftruncate(fd, 0) != 0)
		_exit(101);
	(void)p[0];
}

static int
in_child(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run();
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
other_fault_default(void)
{
	signal(SIGBUS, SIG_DFL);
	if (qm_dev_guard_install() == 0)
		touch_a_hole();
}

static void
other_fault_handler(void)
{
	if (sigsetjmp(jump, 1) != 0)
		_exit(7);
	signal(SIGBUS, own_handler);
	if (qm_dev_guard_install() == 0)
		touch_a_hole();
}

static void
sent_by_a_process(void)
{
	signal(SIGBUS, SIG_DFL);
	if (qm_dev_guard_install() == 0)
		raise(SIGBUS);
}

/* ---- Where the kernel allows no mapping more ---- */

/* Take all that there are: neighbours that differ are not merged. */
static void
take_all_mappings(void)
{
	for (unsigned int i = 0; i < 1u << 24; i++)
		if (mmap(NULL, 4096, i % 2 == 0 ? PROT_NONE : PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			return;
	_exit(102);
}

/* Pages of a file, of which those from the first guarded one on are cut off. */
static void
hole_at_the_ceiling(size_t first, size_t guarded, size_t pages)
{
	static struct qm_dev dev;
	int fd = memfd_create("hole", MFD_CLOEXEC);
	struct qm_dev_guard *guard;
	uint8_t *p;

	signal(SIGBUS, SIG_DFL);
	if (qm_dev_guard_install() != 0 || fd < 0 || ftruncate(fd, (off_t)(pages * 4096)) != 0)
		_exit(100);
	p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED ||
			qm_dev_guard_add(&dev, p + first * 4096, guarded * 4096, &guard) != 0)
		_exit(101);
	memset(p, 1, pages * 4096);
	take_all_mappings();
	if (ftruncate(fd, (off_t)(first * 4096)) != 0)
		_exit(103);
	for (size_t i = first; i < first + guarded; i++) {
		volatile uint8_t *at = p + i * 4096;

		if (*at != 0)
			_exit(104);
		*at = 2;
	}
	_exit(atomic_load(&dev.broken) ? 0 : 105);
}

static void
whole_mapping_at_the_ceiling(void)
{
	hole_at_the_ceiling(0, 4, 4);
}

/* What is replaced is in the middle of what the kernel has as one mapping: two parts stay. */
static void
middle_at_the_ceiling(void)
{
	hole_at_the_ceiling(1, 2, 4);
}

/* In steps, each of which could need a mapping more. */
static void
large_mapping_at_the_ceiling(void)
{
	const size_t pages = 3 * QM_DEV_UNMAP_STEP / 4096 + 5;

	hole_at_the_ceiling(1, pages - 1, pages);
}

/* More often than there are mappings to be given up: they are made again. */
static void
many_repairs_at_the_ceiling(void)
{
	static struct qm_dev dev;
	int fd = memfd_create("hole", MFD_CLOEXEC);
	struct qm_dev_guard *guard;
	uint8_t *p;

	signal(SIGBUS, SIG_DFL);
	if (qm_dev_guard_install() != 0 || fd < 0)
		_exit(100);
	p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* Room for guards, as well. */
	if (p == MAP_FAILED || qm_dev_guard_add(&dev, p, 4096, &guard) != 0)
		_exit(101);
	qm_dev_guard_del(guard);
	for (int i = 0; i < 100; i++) {
		if (ftruncate(fd, 4 * 4096) != 0 || munmap(p, 4 * 4096) != 0 ||
				mmap(p, 4 * 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_FIXED, fd, 0) != p ||
				qm_dev_guard_add(&dev, p + 4096, 2 * 4096, &guard) != 0)
			_exit(102);
		take_all_mappings();
		memset(p, 1, 4 * 4096);
		if (ftruncate(fd, 4096) != 0 || *(volatile uint8_t *)(p + 4096) != 0)
			_exit(103);
		qm_dev_guard_del(guard);
	}
	_exit(0);
}

static void
a_repair_needs_no_mapping_more(void **state)
{
	(void)state;
	assert_int_equal(in_child(whole_mapping_at_the_ceiling), 0);
	assert_int_equal(in_child(middle_at_the_ceiling), 0);
	assert_int_equal(in_child(large_mapping_at_the_ceiling), 0);
	assert_int_equal(in_child(many_repairs_at_the_ceiling), 0);
}

/* ---- How long others wait ---- */

static _Atomic size_t longest; /* mapping that a handler made */

long __real_syscall(long n, ...);
long __wrap_syscall(long n, ...);
long
__wrap_syscall(long n, ...)
{
	long arg[6];
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_mmap && (size_t)arg[1] > longest)
		longest = (size_t)arg[1];
	return __real_syscall(n, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

/* While a mapping is replaced nobody else can map anything: that is done in parts. */
static void
a_large_mapping_is_replaced_in_steps(void **state)
{
	const size_t len = 5 * QM_DEV_UNMAP_STEP + 4096;
	int fd = memfd_create("large", MFD_CLOEXEC);
	static struct qm_dev dev;
	struct qm_dev_guard *guard;
	uint8_t *p;

	(void)state;
	assert_int_equal(qm_dev_guard_install(), 0);
	assert_true(fd >= 0 && ftruncate(fd, (off_t)len) == 0);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	for (size_t i = 0; i < len; i += 4096)
		p[i] = 1;
	assert_int_equal(qm_dev_guard_add(&dev, p, len, &guard), 0);
	assert_int_equal(ftruncate(fd, (off_t)len - 4096), 0);
	longest = 0;
	assert_int_equal(*(volatile uint8_t *)(p + len - 4096), 0);
	assert_true(atomic_load(&dev.broken));
	assert_int_equal(longest, QM_DEV_UNMAP_STEP);
	/* All of it is the service's own now. */
	for (size_t i = 0; i < len; i += 4096)
		assert_int_equal(p[i], 0);
	qm_dev_guard_del(guard);
	munmap(p, len);
	close(fd);
}

static void
other_faults_are_not_hidden(void **state)
{
	int status;

	(void)state;
	status = in_child(other_fault_handler);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	status = in_child(other_fault_default);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	status = in_child(sent_by_a_process);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void
guards_come_and_go(void **state)
{
	enum { N = 3000 };
	static struct qm_dev_guard *g[N];
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev *dev;

	(void)state;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	assert_int_equal(qm_dev_guard_add(dev, NULL, 4096, &g[0]), -EINVAL);
	assert_int_equal(qm_dev_guard_add(dev, (void *)4097, 4096, &g[0]), -EINVAL);
	assert_int_equal(qm_dev_guard_add(dev, (void *)4096, 0, &g[0]), -EINVAL);
	for (int round = 0; round < 3; round++) {
		for (uintptr_t i = 0; i < N; i++)
			assert_int_equal(qm_dev_guard_add(dev, (void *)((i + 1) << 20), 4096,
					&g[i]), 0);
		for (int i = 0; i < N; i++)
			qm_dev_guard_del(g[i]);
	}
	qm_dev_guard_del(NULL);
	qm_dev_destroy(dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_faults_are_not_hidden),
		cmocka_unit_test(a_repair_needs_no_mapping_more),
		cmocka_unit_test(a_large_mapping_is_replaced_in_steps),
		cmocka_unit_test(memory_vanishes_while_a_request_runs),
		cmocka_unit_test(a_failed_function_stays_failed),
		cmocka_unit_test(guards_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
