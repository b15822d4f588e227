/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Wrong arguments outside the data path: device arguments, transforms, streams,
 * queue pairs. Each gets its errno and a line in the log that names the device,
 * the value and what was expected, and leaves the device as it was.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>

#include "pmd_test.h"

#define DEVICE "compress_hisi_zip"
#define OTHER "compress_hisi_zip_other"
#define DEPTH 64

static uint8_t dev, other;

static void
start(void)
{
	dev = pmd_dev_id(DEVICE);
	pmd_dev_start(dev, 1, DEPTH);
}

/* All of the words are in one line of the log. */
static void
check_line(const char *log, const char *const *words)
{
	const char *line = log;

	while (line != NULL && *line != '\0') {
		const char *end = strchr(line, '\n');
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
		char *copy = strndup(line, len);
		bool all = true;

		for (const char *const *w = words; *w != NULL; w++)
			all = all && strstr(copy, *w) != NULL;
		free(copy);
		if (all)
			return;
		line = end != NULL ? end + 1 : NULL;
	}
	pmd_fail(__FILE__, __LINE__, "no line of the log has \"%s\", \"%s\" ...; it says:\n%s",
		words[0], words[1], log);
}

#define CHECK_LINE(log, ...) check_line(log, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- Device arguments ---------------------------------------------------------------------- */

static void
wrong_devargs(void)
{
	static const struct {
		const char *args, *key, *value;
	} wrong[] = {
		{ "nokey=7", "nokey", "7" },
		{ "workers=65", "workers", "65" },
		{ "workers=-1", "workers", "-1" },
		{ "workers=two", "workers", "two" },
		{ "workers=1x", "workers", "1x" },
		{ "workers=", "workers", "workers=" },
		{ "workers=99999999999999999999", "workers", "99999999999999999999" },
		{ "rev=v4", "rev", "v4" },
		{ "rev=", "rev", "rev=" },
		{ "ext=maybe", "ext", "maybe" },
		{ "engine=steam", "engine", "steam" },
		{ "sw=1", "sw", "1" },
		{ "socket_id=4096", "socket_id", "4096" },
		{ "dev=", "dev", "dev=" },
		{ "dev=unix:nowhere", "dev", "unix:nowhere" },
		{ "dev=uacce:nothing", "dev", "uacce:nothing" },
		{ "dev=elsewhere", "dev", "elsewhere" },
		{ "workers=1,workers=2", "workers", "given twice" },
	};
	static const char name[] = "compress_hisi_zip_wrong";
	struct pmd_usage before = { 0 };
	char long_dev[400] = "dev=";
	int ret;

	memset(long_dev + 4, 'x', sizeof(long_dev) - 5);
	/* The first round is not counted: libraries keep a little for good. */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < RTE_DIM(wrong); i++) {
			const char *log;

			pmd_log_begin();
			ret = rte_vdev_init(name, wrong[i].args);
			log = pmd_log_end();
			PMD_CHECK(ret < 0, "%s: a device was made", wrong[i].args);
			CHECK_LINE(log, "HISI_ZIP", name, wrong[i].key, wrong[i].value,
				"expected");
		}
		pmd_log_begin();
		ret = rte_vdev_init(name, long_dev);
		CHECK_LINE(pmd_log_end(), "HISI_ZIP", name, "dev=xxxx", "expected");
		PMD_CHECK(ret < 0, "a device was made");

		/* A correct one afterwards works. */
		pmd_dev_add(name, "workers=1,rev=v3,ext=on,engine=deflate,sw=auto,dev=local");
		PMD_CHECK(rte_compressdev_count() == 3, "%u devices", rte_compressdev_count());
		pmd_dev_remove(name);
		if (round == 0)
			before = pmd_usage_get();
		else
			pmd_usage_check("wrong device arguments", &before);
	}
}

/* ---- Transforms and streams ---------------------------------------------------------------- */

/* Fields of a transform. */
enum field { LEVEL, WINDOW, HUFFMAN, ALGO, CHKSUM, HASH, XFORM_TYPE };

static struct rte_comp_xform
xform_with(bool comp, enum field field, int value)
{
	struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;
	struct rte_comp_compress_xform *c = &x.compress;
	struct rte_comp_decompress_xform *d = &x.decompress;

	switch (field) {
	case LEVEL:
		c->level = value;
		break;
	case WINDOW:
		*(comp ? &c->window_size : &d->window_size) = (uint8_t)value;
		break;
	case HUFFMAN:
		c->deflate.huffman = (enum rte_comp_huffman)value;
		break;
	case ALGO:
		*(comp ? &c->algo : &d->algo) = (enum rte_comp_algorithm)value;
		break;
	case CHKSUM:
		*(comp ? &c->chksum : &d->chksum) = (enum rte_comp_checksum_type)value;
		break;
	case HASH:
		*(comp ? &c->hash_algo : &d->hash_algo) = (enum rte_comp_hash_algorithm)value;
		break;
	case XFORM_TYPE:
		x.type = (enum rte_comp_xform_type)value;
		break;
	}
	return x;
}

static void
wrong_xforms(void)
{
	static const struct {
		bool comp;
		enum field field;
		int value;
		const char *in_log;
	} wrong[] = {
		{ true, LEVEL, -2, "level -2" },
		{ true, LEVEL, 10, "level 10" },
		{ true, LEVEL, 1000000, "level 1000000" },
		{ true, WINDOW, 0, "2^0" },
		{ true, WINDOW, 7, "2^7" },
		{ true, WINDOW, 16, "2^16" },
		{ true, WINDOW, 255, "2^255" },
		{ true, HUFFMAN, 3, "type 3" },
		{ true, HUFFMAN, 77, "type 77" },
		{ true, ALGO, RTE_COMP_ALGO_UNSPECIFIED, "algorithm 0" },
		{ true, ALGO, RTE_COMP_ALGO_LZS, "algorithm 3" },
		{ true, ALGO, 55, "algorithm 55" },
		{ true, CHKSUM, 4, "type 4" },
		{ true, CHKSUM, 1234, "type 1234" },
		{ true, HASH, RTE_COMP_HASH_ALGO_SHA1, "algorithm 1" },
		{ true, XFORM_TYPE, 2, "type 2" },
		{ true, XFORM_TYPE, 100, "type 100" },
		{ false, WINDOW, 7, "2^7" },
		{ false, WINDOW, 16, "2^16" },
		{ false, ALGO, RTE_COMP_ALGO_LZS, "algorithm 3" },
		{ false, CHKSUM, 9, "type 9" },
		{ false, HASH, RTE_COMP_HASH_ALGO_SHA2_256, "algorithm 2" },
	};
	struct rte_comp_xform copy = pmd_deflate_xform;
	struct pmd_usage before;
	void *x;
	int ret;

	start();
	before = pmd_usage_get();
	for (size_t i = 0; i < RTE_DIM(wrong); i++) {
		struct rte_comp_xform xform = xform_with(wrong[i].comp, wrong[i].field,
			wrong[i].value);
		const char *value = wrong[i].in_log, *log;
		void *untouched = &copy;

		x = untouched;
		pmd_log_begin();
		ret = rte_compressdev_private_xform_create(dev, &xform, &x);
		log = pmd_log_end();
		PMD_CHECK(ret < 0, "transform %zu (%s): returned %d", i, value, ret);
		PMD_CHECK(x == untouched, "transform %zu: pointer was written", i);
		CHECK_LINE(log, "HISI_ZIP: " DEVICE, value, "expected");
		pmd_log_begin();
		ret = rte_compressdev_stream_create(dev, &xform, &x);
		log = pmd_log_end();
		PMD_CHECK(ret < 0, "stream %zu (%s): returned %d", i, value, ret);
		PMD_CHECK(x == untouched, "stream %zu: pointer was written", i);
		CHECK_LINE(log, "HISI_ZIP: " DEVICE, value, "expected");
	}
	copy.compress.algo = RTE_COMP_ALGO_NULL;
	pmd_log_begin();
	ret = rte_compressdev_stream_create(dev, &copy, &x);
	CHECK_LINE(pmd_log_end(), "HISI_ZIP: " DEVICE, "stream", "algorithm 1", "expected");
	PMD_CHECK(ret < 0, "a stream that copies: returned %d", ret);
	pmd_log_begin();
	ret = rte_compressdev_private_xform_create(dev, NULL, &x);
	pmd_log_end();
	PMD_CHECK(ret < 0, "no transform: returned %d", ret);
	pmd_usage_check("wrong transforms", &before);
	pmd_dev_stop(dev);
}

static void
wrong_frees(void)
{
	struct rng rng;
	struct rte_comp_op *op;
	void *x, *s;
	int ret;

	pmd_rng(&rng);
	start();
	other = pmd_dev_id(OTHER);
	x = pmd_xform(other, &pmd_deflate_xform);
	pmd_log_begin();
	ret = rte_compressdev_private_xform_free(dev, x);
	CHECK_LINE(pmd_log_end(), "HISI_ZIP: " DEVICE, "transform", "expected");
	PMD_CHECK(ret == -EINVAL, "transform of another device: returned %d", ret);
	pmd_log_begin();
	ret = rte_compressdev_private_xform_free(dev, NULL);
	pmd_log_end();
	PMD_CHECK(ret == -EINVAL, "no transform: returned %d", ret);
	pmd_xform_free(other, x);

	ret = rte_compressdev_stream_create(dev, &pmd_deflate_xform, &s);
	PMD_CHECK(ret == 0, "stream_create returned %d", ret);
	pmd_log_begin();
	ret = rte_compressdev_stream_free(dev, NULL);
	pmd_log_end();
	PMD_CHECK(ret == -EINVAL, "no stream: returned %d", ret);
	op = pmd_op(NULL, pmd_chain(&rng, PMD_FEW, NULL, 0, 100, 0), 0, 100,
		pmd_chain(&rng, PMD_FEW, NULL, 0, 1000, 0), 0);
	op->op_type = RTE_COMP_OP_STATEFUL;
	op->stream = s;
	pmd_enqueue(dev, 0, &op, 1);
	pmd_log_begin();
	ret = rte_compressdev_stream_free(dev, s);
	CHECK_LINE(pmd_log_end(), "HISI_ZIP: " DEVICE, "in flight", "expected");
	PMD_CHECK(ret == -EBUSY, "stream with an op in flight: returned %d", ret);
	pmd_dequeue(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
	ret = rte_compressdev_stream_free(dev, s);
	PMD_CHECK(ret == 0, "stream_free returned %d", ret);
	pmd_op_free(op);
	pmd_dev_stop(dev);
}

/* ---- Queue pairs --------------------------------------------------------------------------- */

/*
 * A full queue takes no more, and that is no error. Full is a queue with as many
 * ops in flight as was asked for, or one whose memory for lists of segments is
 * used up: that has room for two segments a side and op.
 */
static void
fill_queue(struct rng *rng, uint32_t depth, enum pmd_shape shape)
{
	struct rte_comp_op *ops[1200], *back[64];
	uint16_t n = RTE_DIM(ops), in, out = 0, first, limit = (uint16_t)RTE_MIN(depth, 1023u);
	struct rte_compressdev_stats stats;
	void *x;
	int ret;

	pmd_dev_start(dev, 1, depth);
	rte_compressdev_stats_reset(dev);
	x = pmd_xform(dev, &pmd_deflate_xform);
	if (shape == PMD_MANY)
		n = 60; /* mbufs are not without number */
	for (uint16_t i = 0; i < n; i++)
		ops[i] = pmd_op(x, pmd_chain(rng, shape, NULL, 0, 20, 0), 0, 20,
			pmd_chain(rng, shape, NULL, 0, 100, 0), 0);
	first = rte_compressdev_enqueue_burst(dev, 0, ops, n);
	if (shape == PMD_LINEAR)
		PMD_CHECK(first == limit, "depth %u: %u ops were taken", depth, first);
	else
		PMD_CHECK(first > 0 && first <= limit, "depth %u: %u ops were taken", depth,
			first);
	PMD_CHECK(first == n || rte_compressdev_enqueue_burst(dev, 0, ops + first, 1) == 0,
		"depth %u: more than the %u were taken", depth, first);
	for (uint16_t i = first; i < n; i++)
		PMD_CHECK(ops[i]->status == RTE_COMP_OP_STATUS_NOT_PROCESSED &&
			ops[i]->consumed == UINT32_MAX && ops[i]->produced == UINT32_MAX,
			"depth %u: op %u was touched: %s", depth, i, pmd_status(ops[i]->status));
	ret = rte_compressdev_stats_get(dev, &stats);
	PMD_CHECK(ret == 0 && stats.enqueued_count == first && stats.enqueue_err_count == 0 &&
		stats.dequeue_err_count == 0, "depth %u: enqueued %" PRIu64 ", errors %" PRIu64
		" and %" PRIu64, depth, stats.enqueued_count, stats.enqueue_err_count,
		stats.dequeue_err_count);
	for (in = first; out < n;) {
		uint16_t burst = (uint16_t)rng_range(rng, 1, RTE_DIM(back));
		uint16_t got = rte_compressdev_dequeue_burst(dev, 0, back, burst);

		for (uint16_t i = 0; i < got; i++, out++)
			PMD_CHECK(back[i] == ops[out] &&
				back[i]->status == RTE_COMP_OP_STATUS_SUCCESS,
				"depth %u: op %u: %s", depth, out, pmd_status(back[i]->status));
		in += rte_compressdev_enqueue_burst(dev, 0, ops + in, RTE_MIN(burst, n - in));
		PMD_CHECK(in - out <= limit, "depth %u: %u in flight", depth, in - out);
	}
	PMD_CHECK(rte_compressdev_dequeue_burst(dev, 0, back, 10) == 0, "one op too many");
	for (uint16_t i = 0; i < n; i++)
		pmd_op_free(ops[i]);
	pmd_xform_free(dev, x);
	pmd_dev_stop(dev);
}

static void
full_queue(void)
{
	static const uint32_t depths[] = { 1, 2, 16, 63, 64, 100, 1023, 1024, 100000 };
	struct rng rng;

	pmd_rng(&rng);
	dev = pmd_dev_id(DEVICE);
	for (size_t d = 0; d < RTE_DIM(depths); d++) {
		fill_queue(&rng, depths[d], PMD_LINEAR);
		fill_queue(&rng, depths[d], PMD_FEW);
		fill_queue(&rng, depths[d], PMD_MANY);
	}
}

/* A queue pair that is not set up, or of a stopped device, takes and gives nothing. */
static void
wrong_queue_pairs(void)
{
	struct rte_compressdev_config config = { .nb_queue_pairs = 3 };
	struct rte_compressdev_info info;
	struct rng rng;
	struct rte_comp_op *op, *back;
	void *x;
	int ret;

	pmd_rng(&rng);
	dev = pmd_dev_id(DEVICE);
	ret = rte_compressdev_configure(dev, &config);
	PMD_CHECK(ret == 0, "configure returned %d", ret);
	ret = rte_compressdev_queue_pair_setup(dev, 1, DEPTH, 0);
	PMD_CHECK(ret == 0, "queue_pair_setup returned %d", ret);
	x = pmd_xform(dev, &pmd_deflate_xform);
	op = pmd_op(x, pmd_chain(&rng, PMD_FEW, NULL, 0, 100, 0), 0, 100,
		pmd_chain(&rng, PMD_FEW, NULL, 0, 1000, 0), 0);
	PMD_CHECK(rte_compressdev_enqueue_burst(dev, 1, &op, 1) == 0, "not started, yet taken");

	ret = rte_compressdev_start(dev);
	PMD_CHECK(ret == 0, "start returned %d", ret);
	for (uint16_t qp = 0; qp < 3; qp += 2) {
		PMD_CHECK(rte_compressdev_enqueue_burst(dev, qp, &op, 1) == 0,
			"queue pair %u is not set up, yet took an op", qp);
		PMD_CHECK(rte_compressdev_dequeue_burst(dev, qp, &back, 1) == 0,
			"queue pair %u is not set up, yet gave an op", qp);
	}
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_NOT_PROCESSED, "%s", pmd_status(op->status));
	pmd_run(dev, 1, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));

	/* compressdev itself refuses these, and the device is none the worse for it. */
	pmd_log_begin();
	ret = rte_compressdev_queue_pair_setup(dev, 1, DEPTH, 0);
	PMD_CHECK(ret == -EBUSY, "queue_pair_setup while started returned %d", ret);
	ret = rte_compressdev_close(dev);
	PMD_CHECK(ret == -EBUSY, "close while started returned %d", ret);
	rte_compressdev_stop(dev);
	op->status = RTE_COMP_OP_STATUS_NOT_PROCESSED;
	PMD_CHECK(rte_compressdev_enqueue_burst(dev, 1, &op, 1) == 0, "stopped, yet taken");
	PMD_CHECK(rte_compressdev_dequeue_burst(dev, 1, &back, 1) == 0, "stopped, yet given");
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_NOT_PROCESSED, "%s", pmd_status(op->status));
	ret = rte_compressdev_queue_pair_setup(dev, 3, DEPTH, 0);
	PMD_CHECK(ret == -EINVAL, "queue pair 3 of 3 returned %d", ret);
	ret = rte_compressdev_queue_pair_setup(dev, 0, 0, 0);
	PMD_CHECK(ret == -EINVAL, "queue pair without depth returned %d", ret);
	rte_compressdev_info_get(dev, &info);
	PMD_CHECK(info.max_nb_queue_pairs > 0, "no limit of queue pairs");
	config.nb_queue_pairs = info.max_nb_queue_pairs + 1;
	ret = rte_compressdev_configure(dev, &config);
	PMD_CHECK(ret == -EINVAL, "%u queue pairs returned %d", config.nb_queue_pairs, ret);
	config.nb_queue_pairs = 0;
	ret = rte_compressdev_configure(dev, &config);
	PMD_CHECK(ret == -EINVAL, "no queue pairs returned %d", ret);
	pmd_log_end();

	ret = rte_compressdev_start(dev);
	PMD_CHECK(ret == 0, "start returned %d", ret);
	pmd_run(dev, 1, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
	pmd_op_free(op);
	pmd_xform_free(dev, x);
	pmd_dev_stop(dev);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "wrong_devargs", wrong_devargs },
		{ "wrong_xforms", wrong_xforms },
		{ "wrong_frees", wrong_frees },
		{ "full_queue", full_queue },
		{ "wrong_queue_pairs", wrong_queue_pairs },
		{ 0 },
	};
	static const char *const vdevs[] = { DEVICE, OTHER, NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_bad", .count = 1, .cases = cases, .vdevs = vdevs,
	});
}
