/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * The "unix" transport when the service goes, fails or refuses in the middle, and what comes
 * after it has another shape.
 *
 * usage: test_spim_successor LIAR
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "hurry.h"
#include "spim_qm.h"
#include "spim_liar.h"

#define DEPTH 64
#define LEN   4096
#define PAGE  4096

static struct spim_dev *dev;
static uint8_t *mem;

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
open_with(const char *const *args)
{
	spim_liar_start_with(args);
	assert_int_equal(spim_open(spim_liar_name, &spim_liar_conf, &dev), 0);
	mem = spim_mem_alloc(dev, 2 * LEN);
	assert_non_null(mem);
	memset(mem, 'x', LEN);
}

static void
close_all(int told)
{
	spim_mem_free(dev, mem);
	spim_close(dev);
	spim_liar_end(told);
}

static struct spim_queue *
take(void)
{
	struct spim_queue *q;

	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	return q;
}

static void
put(struct spim_queue *q)
{
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
}

static void
submit(struct spim_queue *q)
{
	struct hisi_qm_ring *ring = q->ring;
	struct hisi_zip_sqe sqe = {
		.dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = HISI_ZIP_REQ_DEFLATE,
	};

	hisi_zip_sqe_src(&sqe, (uintptr_t)mem, LEN);
	hisi_zip_sqe_dst(&sqe, (uintptr_t)mem + LEN, LEN);
	memcpy(hisi_qm_sq_slot(ring, ring->sq_tail), &sqe, sizeof(sqe));
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
}

/* The next completion comes, and is right. */
static void
complete(struct spim_queue *q)
{
	struct hisi_qm_ring *ring = q->ring;
	const struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(ring, ring->cq_head);

	for (int i = 0; !hisi_qm_cq_ready(ring, 1); i++) {
		assert_true(i < 20000);
		usleep(500);
	}
	assert_int_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
	assert_int_equal(sqe->consumed, LEN);
	assert_in_range(sqe->produced, 1, 100);
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
}

static void
works(struct spim_queue *q)
{
	submit(q);
	complete(q);
}

/* Bytes that are mapped where the doorbells are. */
static size_t
doorbells_len(const struct spim_queue *q)
{
	uintptr_t at = (uintptr_t)q->ring->sq_db & ~(uintptr_t)(PAGE - 1), from, to;
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	size_t len = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && at >= from && at < to &&
				strstr(line, "/memfd:doorbells") != NULL)
			len = to - from;
	fclose(f);
	return len;
}

/* A page of ours behind what is mapped of a file next: the doorbells. */
static bool reserve;
static uint8_t *page_behind;

void *__real_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	if (reserve && at == NULL && fd >= 0) {
		reserve = false;
		at = __real_mmap64(NULL, len + PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(at != MAP_FAILED);
		page_behind = (uint8_t *)at + len;
		memset(page_behind, 0x5a, PAGE);
		flags |= MAP_FIXED;
	}
	return __real_mmap64(at, len, prot, flags, fd, off);
}

/* A successor with more doorbells gets the room that the first one had; one with fewer, less. */
static void
test_shapes(void **state)
{
	struct spim_info info;
	struct spim_queue *q;

	(void)state;
	reserve = true;
	open_with(ARGS("--queues", "16"));
	spim_info_get(dev, &info);
	assert_int_equal(info.queues, 16);
	q = take();
	works(q);
	assert_int_equal(doorbells_len(q), PAGE);
	assert_ptr_equal(page_behind,
		((uintptr_t)q->ring->sq_db & ~(uintptr_t)(PAGE - 1)) + PAGE);
	submit(q);
	complete(q);
	assert_int_equal(spim_liar_leave(), 0);
	assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
	submit(q);

	spim_liar_again(ARGS("--queues", "256"));
	assert_int_equal(spim_queue_restart(dev, q), 0);
	complete(q);
	works(q);
	assert_int_equal(doorbells_len(q), PAGE);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(page_behind[i], 0x5a);
	munmap(page_behind, PAGE);
	put(q);
	close_all(0);

	open_with(ARGS("--queues", "256"));
	q = take();
	works(q);
	assert_int_equal(doorbells_len(q), 8 * PAGE);
	assert_int_equal(spim_liar_leave(), 0);
	spim_liar_again(ARGS("--queues", "4"));
	assert_int_equal(spim_queue_restart(dev, q), 0);
	works(q);
	assert_int_equal(doorbells_len(q), PAGE);
	put(q);
	close_all(0);
}

/* Each queue has doorbells of its own, where the function has any. */
static void
test_few_doorbells(void **state)
{
	struct spim_queue *q, *other;

	(void)state;
	open_with(ARGS("--queues", "16", "--lie", "region-one"));
	q = take();
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &other), -EINVAL);
	works(q);
	put(q);
	q = take();
	works(q);
	assert_int_equal(spim_liar_leave(), 1);
	/* One that has more does not make the room larger. */
	spim_liar_again(NULL);
	assert_int_equal(spim_queue_restart(dev, q), 0);
	works(q);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &other), -EINVAL);
	put(q);
	close_all(0);
}

/* One that will not do is refused, as often as it comes; then comes one that will. */
static void
test_refused(void **state)
{
	static const struct {
		const char *args[8];
		int ret;
		const char *line;
	} cases[] = {
		{ { "--revision", "0x21" }, -ENODEV, "revision 0x21, expected 0x30 as before" },
		{ { "--plain" }, -ENODEV,
			"the new function offers features 0x0, expected 0x3ff" },
		{ { "--lie", "pci-device" }, -ENODEV, "device 19e5:a250" },
		{ { "--lie", "version-no-spim" }, -EPROTO, "without shadow doorbells" },
		{ { "--lie", "region-small" }, -EPROTO, "doorbells: 127 bytes" },
		{ { "--lie", "fd-unsealed" }, -EPROTO, "in a file that cannot shrink" },
		{ { "--lie", "fd-write-sealed" }, -EPERM, "function is gone" },
		{ { "--lie", "error-enospc:2" }, -ENOSPC, "function is gone" }, /* memory */
		{ { "--lie", "error-enospc:9@1" }, -ENOSPC, "function is gone" }, /* ids */
		{ { "--lie", "mailbox-status" }, -EIO, "status 0x3" },
		{ { "--lie", "close@4" }, -ENOTCONN, "it closed the connection" },
		{ { "--lie", "close@8" }, -ENODEV, "it closed the connection" },
		{ { "--lie", "error-enospc:8" }, -ENOSPC, "function is gone" }, /* events */
	};
	struct pollfd pfd = { .events = POLLIN };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spim_queue *q;
		int ret;

		open_with(ARGS("--lie", "none"));
		q = take();
		works(q);
		pfd.fd = spim_event_fd(dev);
		assert_true(pfd.fd >= 0);
		assert_int_equal(poll(&pfd, 1, 0), 0);
		assert_int_equal(spim_liar_leave(), 0);
		assert_int_equal(poll(&pfd, 1, 10000), 1);
		spim_liar_lines[0] = '\0';
		assert_true(spim_queue_restart(dev, q) < 0);
		spim_liar_said("E unit: function is gone; opening it again gives -2\n");
		submit(q);
		spim_liar_again(cases[i].args);
		for (int again = 0; again < 2; again++) {
			ret = spim_queue_restart(dev, q);
			if (ret != cases[i].ret)
				fail_msg("%s %s: %d, expected %d\n%s", cases[i].args[0],
					cases[i].args[1], ret, cases[i].ret, spim_liar_lines);
			assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
			assert_int_equal(spim_queue_stop(dev, q), 0);
			assert_int_equal(spim_queue_abort(dev, q), 0);
		}
		if (strcmp(cases[i].line, "function is gone") != 0)
			spim_liar_said(cases[i].line);
		/* It was said that it is gone, once, for all attempts. */
		assert_null(strstr(strstr(spim_liar_lines, "function is gone") + 1,
			"function is gone"));
		assert_null(strstr(spim_liar_lines, "function is back"));
		assert_true(spim_liar_leave() >= 0);
		spim_liar_again(NULL);
		assert_int_equal(spim_queue_restart(dev, q), 0);
		spim_liar_said("I unit: function is back (0)\n");
		assert_int_equal(spim_queue_check(dev, q), 0);
		complete(q);
		/* Events come from the new one. */
		spim_event_take(dev);
		assert_int_equal(poll(&pfd, 1, 0), 0);
		spim_event_arm(dev, q);
		submit(q);
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		spim_event_take(dev);
		complete(q);
		assert_int_equal(poll(&pfd, 1, 0), 0);
		put(q);
		close_all(0);
	}
}

/* A mailbox that hangs is put right by a reset, which the other queues notice. */
static void
test_reset(void **state)
{
	struct spim_queue *q, *other;

	(void)state;
	open_with(ARGS("--fault", "mailbox_timeout@6"));
	q = take(); /* commands 4 and 5 */
	works(q);
	hurry(20);
	other = take();
	hurry(1);
	spim_liar_said("I unit: the function was reset, all its queues are lost; started again: 0");
	works(other);
	assert_int_equal(spim_queue_check(dev, other), 0);
	assert_int_equal(spim_queue_check(dev, q), -ESTALE);
	assert_int_equal(spim_queue_restart(dev, q), 0);
	works(q);
	put(q);
	put(other);
	close_all(0);

	open_with(ARGS("--fault", "mailbox_timeout@4", "--lie", "error-enospc:13"));
	hurry(20);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), -ETIMEDOUT);
	spim_liar_said("E unit: the function cannot be reset (-28)");
	hurry(1);
	close_all(1);
}

/* A function that is stuck is told to stop; what it does not do is seen. */
static void
test_stuck(void **state)
{
	struct hisi_qm_io *io;
	struct spim_queue *q;

	(void)state;
	open_with(ARGS("--fault", "stall@1"));
	q = take();
	submit(q);
	usleep(20000);
	assert_int_equal(hisi_qm_cq_ready(q->ring, 1), 0);
	assert_int_equal(spim_queue_check(dev, q), 0);
	hurry(20);
	assert_int_equal(spim_queue_abort(dev, q), 0);
	hurry(1);
	spim_queue_put(dev, q);
	q = take();
	works(q);
	put(q);
	close_all(0);

	open_with(ARGS("--fault", "vanish@1"));
	q = take();
	submit(q);
	/* A function that is gone has all ones in each register. */
	io = spim_qm_of(dev)->io;
	for (int i = 0; io->ops->read32(io, HISI_QM_VF_STATE) != UINT32_MAX; i++) {
		assert_true(i < 20000);
		usleep(500);
	}
	assert_int_not_equal(spim_queue_check(dev, q), -ENOTCONN);
	/* Reset it is, which is answered, and touches nothing any more. */
	assert_int_equal(spim_queue_stop(dev, q), 0);
	assert_int_equal(spim_queue_check(dev, q), -ENODEV);
	spim_queue_put(dev, q);
	close_all(0);
}

/*
 * A service that has no time is not taken for one that is gone, nor its old answer for a new. What
 * is read is counted: of a queue's two commands each asks once whether it is done.
 */
#define READS_BEFORE 7 /* to open, and to take the first queue */

static void
test_late(void **state)
{
	struct spim_queue *q, *more;

	(void)state;
	for (int late = 1; late <= 2; late++) {
		char lie[32];

		snprintf(lie, sizeof(lie), "late:9@%d", READS_BEFORE + late);
		/* Looked at twice, and then a reset is tried: 300 ms each. */
		open_with(ARGS("--lie", lie, "--late", "3000"));
		q = take();
		hurry(100);
		assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &more),
			-ETIMEDOUT);
		hurry(1);
		spim_liar_said("no answer within 1000 ms (-110)");
		spim_liar_said("E unit: the function cannot be reset (-110)");
		assert_int_equal(spim_queue_check(dev, q), 0);
		/* Now it has, for the reset too, which whoever gives a queue up notices. */
		assert_int_equal(spim_queue_abort(dev, q), 0);
		spim_liar_said("E unit: the function was reset by somebody");
		assert_int_equal(spim_queue_check(dev, q), -ESTALE);
		assert_int_equal(spim_queue_restart(dev, q), 0);
		works(q);
		more = take();
		works(more);
		put(more);
		put(q);
		close_all(1);
	}
}

/* What the service says to memory and events is what the caller is told, and nothing stays. */
static void
test_memory(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	struct spim_queue *q;
	uint8_t *more, *hole;

	(void)state;
	/* Memory: the small pages, ours; this is the third. */
	open_with(ARGS("--lie", "error-enospc:2@3"));
	errno = 0;
	assert_null(spim_mem_alloc(dev, LEN));
	assert_int_equal(errno, ENOSPC);
	/* It was mapped all the same: what comes now shall not be where that was. */
	hole = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	more = spim_mem_alloc(dev, 1);
	munmap(hole, LEN);
	assert_non_null(more);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(more[i], 0);
	errno = 0;
	assert_null(spim_mem_alloc(dev, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(spim_mem_alloc(dev, SIZE_MAX - 1));
	assert_int_equal(errno, EINVAL);
	/* A service that is gone is told later: by the next one's function it can be reached. */
	q = take();
	assert_true(spim_liar_leave() == 1);
	spim_mem_free(dev, mem);
	mem = spim_mem_alloc(dev, 2 * LEN);
	assert_non_null(mem);
	memset(mem, 'y', LEN);
	submit(q);
	spim_liar_again(NULL);
	assert_int_equal(spim_queue_restart(dev, q), 0);
	complete(q);
	/* Taken back, it is out of reach. */
	assert_int_equal(spim_mem_unmap(dev, mem, 2 * LEN), 0);
	submit(q);
	for (int i = 0; !hisi_qm_cq_ready(q->ring, 1); i++) {
		assert_true(i < 20000);
		usleep(500);
	}
	assert_int_equal(((struct hisi_zip_sqe *)hisi_qm_sq_slot(q->ring,
		q->ring->cq_head))->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_BAD_ADDR);
	hisi_qm_cq_skip(q->ring, 1);
	put(q);
	spim_mem_free(dev, more);
	close_all(0);

	open_with(ARGS("--lie", "error-enospc:8@1"));
	assert_int_equal(spim_event_fd(dev), -ENOSPC);
	pfd.fd = spim_event_fd(dev);
	assert_true(pfd.fd >= 0);
	assert_int_equal(spim_event_fd(dev), pfd.fd);
	q = take();
	spim_event_arm(dev, q);
	submit(q);
	assert_int_equal(poll(&pfd, 1, 20000), 1);
	complete(q);
	put(q);
	close_all(1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_few_doorbells),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_memory),
	};

	return spim_liar_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
