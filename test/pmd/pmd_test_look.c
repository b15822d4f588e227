/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What a program looks at after each case besides what the case itself does: counters of
 * queue pairs that go, log lines, and what the process holds.
 */

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"
#include "pmd_test_priv.h"

static struct {
	const struct pmd_case *running;
	int (*qp_release)(struct rte_compressdev *cdev, uint16_t qp_id);
	/* Ops that one request may not hold, by device and queue pair. */
	uint64_t long_ops[RTE_COMPRESS_MAX_DEVS][HISI_QM_QUEUES_MAX];
	FILE *log;         /* lines that no case has asked for go there */
	char line[512];    /* the first one that the driver would not say if all were well */
	size_t malloc_bytes; /* before all cases */
	FILE *own_log;     /* of a case */
	char *own_text;
	size_t own_len;
} look;

/* ---- Counters ------------------------------------------------------------------------------ */

/* What the data of an op may cause, whoever does it. */
static bool
status_of_data(unsigned int status)
{
	return status == HISI_ZIP_OK || status == HISI_ZIP_NEGACOMPRESS ||
		status == HISI_ZIP_DSTLEN_OUT || status == HISI_ZIP_DECOMP_END;
}

/* An error, and not of whoever made the request. */
static bool
blames_data(const struct hisi_zip_qp *qp, unsigned int status)
{
	/* What a service does not see, an application may use all the same. */
	return (status == HISI_ZIP_BAD_ADDR && qp->dev->hisi.info.mem_register) ||
		status == HISI_ZIP_BAD_DATA || status == HISI_ZIP_CRC_ERR;
}

static void
check_function(const struct hisi_zip_qp *qp, const char *name)
{
	const struct hisi_zip_deq_stats *deq = &qp->deq;
	bool bad_ops = look.running->expect & PMD_BAD_OPS;

	for (unsigned int i = 0; i < HISI_WATCH_FAILS; i++)
		PMD_CHECK(deq->fails[i] == 0, "%s: %" PRIu64 " queues failed (%u)", name,
			deq->fails[i], i);
	PMD_CHECK(deq->lost == 0 && deq->restarts == 0 && qp->enq.no_queue == 0,
		"%s: %" PRIu64 " requests lost, %" PRIu64 " queues restarted, none for %" PRIu64
		" ops", name, deq->lost, deq->restarts, qp->enq.no_queue);
	for (unsigned int i = 0; i < RTE_DIM(deq->hw_status); i++)
		PMD_CHECK(deq->hw_status[i] == 0 || status_of_data(i) ||
			(blames_data(qp, i) && (bad_ops || qp->dev->sw)),
			"%s: %" PRIu64 " requests ended with status 0x%x", name,
			deq->hw_status[i], i);
}

static void
check_ops(const struct hisi_zip_qp *qp, const char *name)
{
	const struct hisi_zip_enq_stats *enq = &qp->enq;
	const struct hisi_zip_deq_stats *deq = &qp->deq;
	uint64_t flying = qp->tail - qp->head;
	/* Ops that software may do better: with a mismatch, or memory that no service sees. */
	uint64_t again = deq->hw_status[HISI_ZIP_CRC_ERR] +
		(qp->dev->hisi.info.mem_register ? deq->hw_status[HISI_ZIP_BAD_ADDR] : 0);

	PMD_CHECK(enq->ops == deq->ops + flying, "%s: %" PRIu64 " ops enqueued, %" PRIu64
		" dequeued, %" PRIu64 " in flight", name, enq->ops, deq->ops, flying);
	PMD_CHECK((look.running->expect & PMD_BAD_OPS) ||
		(deq->errors == 0 && enq->rejected == 0),
		"%s: %" PRIu64 " ops ended with an error, %" PRIu64 " at once", name, deq->errors,
		enq->rejected);
	/* A function with the extension does what a request can hold; before V3 no raw DEFLATE. */
	if (qp->dev->hisi.info.ext_features == (HISI_ZIP_EXT_F_ALL | HISI_ZIP_EXT_F_UDMA) &&
			qp->dev->hisi.info.revision >= HISI_QM_REV_V3)
		PMD_CHECK(deq->repeated == (qp->dev->sw ? again : 0) &&
			deq->sw - deq->repeated <= look.long_ops[qp->dev->hisi.id][qp->id],
			"%s: of %" PRIu64 " ops %" PRIu64 " were done in software, %" PRIu64
			" again; %" PRIu64 " may have been too long for a request", name, deq->ops,
			deq->sw, deq->repeated, look.long_ops[qp->dev->hisi.id][qp->id]);
}

static bool
is_long(const struct rte_mbuf *m)
{
	uint64_t bytes = 0;
	unsigned int segs = 0;

	/* A chain may lead back into itself. */
	for (; m != NULL && segs <= HISI_ACC_SGE_MAX; m = m->next, segs++)
		bytes += m->data_len;
	return segs > HISI_ACC_SGE_MAX || bytes > HISI_ZIP_REQ_LEN_MAX;
}

void
pmd_look_ops(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		look.long_ops[dev][qp] += is_long(ops[i]->m_src) || is_long(ops[i]->m_dst);
}

/* In the place of the driver's own, which it calls: all counters go with their queue pair. */
static int
qp_release(struct rte_compressdev *cdev, uint16_t qp_id)
{
	const struct hisi_zip_qp *qp = cdev->data->queue_pairs[qp_id];

	if (qp != NULL && qp->dev->hisi.args.fault[0] == '\0' &&
			qp->dev->hisi.args.quirk[0] == '\0' &&
			!(look.running->expect & PMD_FAULTS)) {
		check_function(qp, qp->dev->hisi.name);
		check_ops(qp, qp->dev->hisi.name);
	}
	if (qp != NULL)
		look.long_ops[qp->dev->hisi.id][qp_id] = 0;
	return look.qp_release(cdev, qp_id);
}

/* ---- Log ----------------------------------------------------------------------------------- */

/* EAL writes whole lines. */
static ssize_t
log_write(void *cookie, const char *text, size_t len)
{
	RTE_SET_USED(cookie);
	if (look.line[0] == '\0' && memmem(text, len, "HISI_ZIP", strlen("HISI_ZIP")) != NULL)
		snprintf(look.line, sizeof(look.line), "%.*s", (int)len, text);
	fwrite(text, 1, len, stderr);
	return (ssize_t)len;
}

void
pmd_log_begin(void)
{
	free(look.own_text);
	look.own_text = NULL;
	look.own_log = open_memstream(&look.own_text, &look.own_len);
	PMD_CHECK(look.own_log != NULL, "no memory for a log");
	rte_openlog_stream(look.own_log);
}

const char *
pmd_log_end(void)
{
	rte_openlog_stream(look.log);
	fclose(look.own_log);
	look.own_log = NULL;
	return look.own_text;
}

void
pmd_log_show(void)
{
	if (look.own_log == NULL)
		return;
	fflush(look.own_log);
	fprintf(stderr, "%s", look.own_text);
}

/* ---- What the process holds ---------------------------------------------------------------- */

static unsigned int
dir_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	PMD_CHECK(dir != NULL, "cannot open %s", path);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Of files, shared: doorbells, rings, memory of a service. EAL has its own as hugepages come. */
static unsigned int
shared_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned int n = 0;
	char line[512];

	PMD_CHECK(f != NULL, "cannot open /proc/self/maps");
	while (fgets(line, sizeof(line), f) != NULL) {
		char rights[5] = "";

		if (sscanf(line, "%*s %4s", rights) == 1 && rights[3] == 's' &&
				strstr(line, "rtemap") == NULL && strstr(line, "memseg") == NULL)
			n++;
	}
	fclose(f);
	return n;
}

static void
count_zone(const struct rte_memzone *mz, void *arg)
{
	RTE_SET_USED(mz);
	++*(unsigned int *)arg;
}

static void
count_used(struct rte_mempool *mp, void *arg)
{
	*(unsigned int *)arg += rte_mempool_in_use_count(mp);
}

struct pmd_usage
pmd_usage_get(void)
{
	struct pmd_usage u = {
		.fds = dir_entries("/proc/self/fd"),
		.threads = dir_entries("/proc/self/task"),
		.maps = shared_maps(),
	};

	for (unsigned int i = 0; i < rte_socket_count(); i++) {
		struct rte_malloc_socket_stats stats;

		if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) != 0)
			continue;
		u.heap_bytes += stats.heap_allocsz_bytes;
		u.heap_blocks += stats.alloc_count;
	}
	/* What is mapped for one piece is not in the heap. */
	u.malloc_bytes = mallinfo2().uordblks + mallinfo2().hblkhd;
	rte_memzone_walk(count_zone, &u.zones);
	rte_mempool_walk(count_used, &u.objects);
	return u;
}

void
pmd_usage_check(const char *what, const struct pmd_usage *before)
{
	struct pmd_usage now = pmd_usage_get();

	PMD_CHECK(now.heap_blocks == before->heap_blocks && now.heap_bytes == before->heap_bytes,
		"%s: EAL heap: %zu bytes in %u blocks before, %zu in %u now", what,
		before->heap_bytes, before->heap_blocks, now.heap_bytes, now.heap_blocks);
	PMD_CHECK(now.fds == before->fds, "%s: %u fds, %u before", what, now.fds, before->fds);
	PMD_CHECK(now.maps == before->maps, "%s: %u shared maps, %u before", what, now.maps,
		before->maps);
	PMD_CHECK(now.zones == before->zones, "%s: %u memzones, %u before", what, now.zones,
		before->zones);
	PMD_CHECK(now.objects == before->objects, "%s: %u objects of pools are in use, %u before",
		what, now.objects, before->objects);
	/* A thread that was joined may still be listed for a moment, as then. */
	for (int i = 0; i < 10000 && now.threads > before->threads; i++) {
		usleep(1000);
		now.threads = dir_entries("/proc/self/task");
	}
	PMD_CHECK(now.threads <= before->threads, "%s: %u threads, %u before", what, now.threads,
		before->threads);
}

/* ---- Cases --------------------------------------------------------------------------------- */

void
pmd_look_begin(void)
{
	look.log = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = log_write });
	PMD_CHECK(look.log != NULL, "no memory for a log");
	rte_openlog_stream(look.log);
	look.malloc_bytes = pmd_usage_get().malloc_bytes;
	look.qp_release = hisi_zip_ops.queue_pair_release;
	hisi_zip_ops.queue_pair_release = qp_release;
}

void
pmd_look_end(void)
{
	hisi_zip_ops.queue_pair_release = look.qp_release;
	rte_openlog_stream(NULL);
	fclose(look.log);
	free(look.own_text);
}

void
pmd_look_gone(void)
{
	size_t malloc_bytes = pmd_usage_get().malloc_bytes;

	PMD_CHECK(rte_compressdev_count() == 0, "%u devices are left", rte_compressdev_count());
	PMD_CHECK(malloc_bytes <= look.malloc_bytes + PMD_MALLOC_SLACK,
		"%zu bytes of malloc() after all, %zu before", malloc_bytes, look.malloc_bytes);
}

void
pmd_look_case(const struct pmd_case *c)
{
	struct pmd_usage before = pmd_usage_get();
	size_t malloc_bytes;

	look.running = c;
	look.line[0] = '\0';
	c->run();
	PMD_CHECK(look.line[0] == '\0' || (c->expect & PMD_LINES),
		"%s: nobody expected the line: %s", c->name, look.line);
	pmd_usage_check(c->name, &before);
	/* A function of this process keeps what its queues have needed: see pmd_look_gone(). */
	malloc_bytes = pmd_usage_get().malloc_bytes;
	PMD_CHECK(rte_compressdev_count() > 0 ||
		malloc_bytes <= before.malloc_bytes + PMD_MALLOC_SLACK,
		"%s: %zu bytes of malloc(), %zu before", c->name, malloc_bytes,
		before.malloc_bytes);
}
