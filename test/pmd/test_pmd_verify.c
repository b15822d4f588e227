/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * verify=N. Software finds nothing wrong with a function that does as it should; where a byte of an
 * output was changed, the op has the right result all the same, and the path is off.
 */

#include <inttypes.h>
#include <string.h>

#include <rte_log.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "hisi_zip_wrong.h"
#include "pmd_test.h"
#include "pmd_test_work.h"

#define NAME "compress_hisi_zip_verify"
#define DEPTH 64
#define LEN_MAX 5000

static const struct hisi_zip_path_info *
path_info(enum hisi_zip_path path)
{
	return &hisi_zip_find(NAME)->known.paths.path[path];
}

/* Paths by which ops of a direction go on such a device, without a checksum. */
struct device {
	const char *args;
	enum hisi_zip_path comp, decomp;
};

static const struct device devices[] = {
	{ "workers=0", HISI_ZIP_PATH_EXT_COMP, HISI_ZIP_PATH_EXT_DECOMP },
	{ "workers=1", HISI_ZIP_PATH_EXT_COMP, HISI_ZIP_PATH_EXT_DECOMP },
	{ "ext=off", HISI_ZIP_PATH_COMP_RAW, HISI_ZIP_PATH_DECOMP_RAW },
	{ "rev=v2,ext=off", HISI_ZIP_PATH_COMP_ZLIB, HISI_ZIP_PATH_DECOMP_ZLIB },
};

static uint8_t
start(const struct device *d, const char *more)
{
	char args[160];
	uint8_t dev;

	snprintf(args, sizeof(args), "%s,%s", d->args, more);
	dev = pmd_dev_add(NAME, args);
	pmd_dev_start(dev, 1, DEPTH);
	return dev;
}

static void
end(uint8_t dev)
{
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

/* All kinds of ops, each verified. */
static void
agrees(void)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		const struct device *d = &devices[pmd_iteration() % RTE_DIM(devices)];
		uint8_t dev = start(d, "verify=1");
		const struct hisi_zip_qp *qp = pmd_qp(dev, 0);

		for (unsigned int i = 0; i < 20; i++)
			pmd_work_burst(dev, &rng, LEN_MAX, 8);
		PMD_CHECK(qp->deq.why[HISI_ZIP_WHY_VERIFY] == 0, "%s: software differs", d->args);
		PMD_CHECK(qp->enq.why[HISI_ZIP_WHY_PATH] == 0, "%s: a path is off", d->args);
		PMD_CHECK(qp->deq.verified > 20, "%s: %" PRIu64 " verified", d->args,
			qp->deq.verified);
		end(dev);
	}
}

/* How often ops are verified: one in N, on the average. */
static void
how_often(void)
{
	struct bytes data = bytes_alloc(50);
	const struct hisi_zip_qp *qp;
	struct rte_comp_op *ops[32];
	struct rng rng;
	uint8_t dev;
	void *x;

	pmd_rng(&rng);
	memset(data.data, 'a', data.len);
	dev = start(&devices[0], "verify=50");
	qp = pmd_qp(dev, 0);
	x = pmd_xform(dev, &pmd_deflate_xform);
	for (unsigned int i = 0; i < RTE_DIM(ops); i++)
		ops[i] = pmd_op(x, pmd_chain(&rng, PMD_LINEAR, data.data, 0, data.len, 0), 0,
			(uint32_t)data.len, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 100, 0), 0);
	for (unsigned int i = 0; i < 1000; i++)
		pmd_run(dev, 0, ops, RTE_DIM(ops));
	PMD_CHECK(qp->deq.verified > 550 && qp->deq.verified < 730, "%" PRIu64 " of 32000",
		qp->deq.verified);
	for (unsigned int i = 0; i < RTE_DIM(ops); i++)
		pmd_op_free(ops[i]);
	pmd_xform_free(dev, x);
	end(dev);
	bytes_free(&data);
}

/* One op; its result must be right, whoever has it. */
static void
one(uint8_t dev, struct rng *rng, void *x, bool comp, const struct bytes *plain,
		const struct bytes *packed)
{
	const struct bytes *src = comp ? plain : packed;
	struct rte_comp_op *op = pmd_op(x, pmd_chain(rng, PMD_LINEAR, src->data, 0, src->len, 0),
		0, (uint32_t)src->len,
		pmd_chain(rng, PMD_LINEAR, NULL, 0, PMD_AMPLE(plain->len), 0), 0);
	struct bytes out;

	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == src->len, "%s, %u",
		pmd_status(op->status), op->consumed);
	out = pmd_output(op);
	if (comp)
		pmd_check_inflates(&out, plain->data, plain->len);
	else
		PMD_CHECK(out.len == plain->len && memcmp(out.data, plain->data, out.len) == 0,
			"other data");
	bytes_free(&out);
	pmd_op_free(op);
}

/* Paths of a direction that are used. */
static uint32_t
paths_on(bool comp)
{
	return hisi_zip_find(NAME)->paths_on &
		hisi_zip_paths_of(comp ? HISI_ZIP_COMP : HISI_ZIP_DECOMP);
}

/*
 * The 7th op is wrong; it is repeated, and no other one of its direction goes to the function. That
 * is dequeue's to see, while somebody has the lock of the known answers for long.
 */
static void
corrupt(const struct device *d, bool comp, struct rng *rng)
{
	struct bytes plain = bytes_random(rng, 3000);
	struct bytes packed = bytes_deflate(plain.data, plain.len, 6, 15);
	enum hisi_zip_path path = comp ? d->comp : d->decomp;
	const struct hisi_zip_qp *qp;
	char want[160];
	uint8_t dev;
	void *x;

	rte_log_set_level_pattern("pmd.compress.hisi_zip", RTE_LOG_NOTICE);
	pmd_log_begin();
	dev = start(d, "verify=1,answers=off,fault=corrupt@7");
	qp = pmd_qp(dev, 0);
	x = pmd_xform(dev, comp ? &pmd_deflate_xform : &pmd_inflate_xform);
	for (unsigned int i = 1; i <= 12; i++) {
		if (i == 7)
			pthread_mutex_lock(&hisi_zip_find(NAME)->known.lock);
		one(dev, rng, x, comp, &plain, &packed);
		if (i == 7)
			pthread_mutex_unlock(&hisi_zip_find(NAME)->known.lock);
		PMD_CHECK(qp->deq.why[HISI_ZIP_WHY_VERIFY] == (i >= 7) &&
			qp->enq.why[HISI_ZIP_WHY_PATH] == (i > 7 ? i - 7 : 0), "%s: op %u: %" PRIu64
			" repeated, %" PRIu64 " off", d->args, i, qp->deq.why[HISI_ZIP_WHY_VERIFY],
			qp->enq.why[HISI_ZIP_WHY_PATH]);
	}
	PMD_CHECK(paths_on(comp) == 0 && paths_on(!comp) != 0, "%s: 0x%x and 0x%x are on", d->args,
		paths_on(comp), paths_on(!comp));
	PMD_CHECK(path_info(path)->state == HISI_ZIP_PATH_ON, "%s: not idle", d->args);
	hisi_zip_paths_tell(hisi_zip_find(NAME));
	PMD_CHECK(path_info(path)->state == HISI_ZIP_PATH_OFF, "%s: on", d->args);
	pmd_xform_free(dev, x);
	/* None of another transform. */
	x = pmd_xform(dev, comp ? &pmd_deflate_xform : &pmd_inflate_xform);
	one(dev, rng, x, comp, &plain, &packed);
	PMD_CHECK(qp->enq.why[HISI_ZIP_WHY_PATH] == 6, "%s: %" PRIu64, d->args,
		qp->enq.why[HISI_ZIP_WHY_PATH]);
	pmd_xform_free(dev, x);
	end(dev);
	snprintf(want, sizeof(want), "path %s is off: software had another result; its ops",
		hisi_zip_path_name(path));
	PMD_CHECK(strstr(pmd_log_end(), want) != NULL, "%s: no line: %s", d->args, want);
	bytes_free(&plain);
	bytes_free(&packed);
}

static void
corrupted(void)
{
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < RTE_DIM(devices); i++) {
		corrupt(&devices[i], true, &rng);
		corrupt(&devices[i], false, &rng);
	}
}

/*
 * Without software an op that is wrong is an error. And with one fault in so many ops it is found,
 * though faults come at regular intervals.
 */
static void
found(void)
{
	struct rte_comp_op *op;
	struct bytes plain;
	const struct hisi_zip_qp *qp;
	struct rng rng;
	unsigned int n;
	uint8_t dev;
	void *x;

	pmd_rng(&rng);
	plain = bytes_random(&rng, 300);
	rte_log_set_level_pattern("pmd.compress.hisi_zip", RTE_LOG_NOTICE);
	pmd_log_begin();
	dev = start(&devices[0], "verify=20,sw=off,fault=corrupt/100");
	qp = pmd_qp(dev, 0);
	x = pmd_xform(dev, &pmd_deflate_xform);
	op = pmd_op(x, pmd_chain(&rng, PMD_LINEAR, plain.data, 0, plain.len, 0), 0,
		(uint32_t)plain.len, pmd_chain(&rng, PMD_LINEAR, NULL, 0, PMD_AMPLE(plain.len), 0),
		0);
	for (n = 0; n < 100000; n++) {
		pmd_run(dev, 0, &op, 1);
		if (op->status != RTE_COMP_OP_STATUS_SUCCESS)
			break;
	}
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_ERROR && op->produced == 0, "after %u ops: %s",
		n, pmd_status(op->status));
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_INVALID_ARGS, "%s", pmd_status(op->status));
	PMD_CHECK(qp->deq.sw == 0, "%" PRIu64 " ops in software", qp->deq.sw);
	pmd_op_free(op);
	pmd_xform_free(dev, x);
	end(dev);
	PMD_CHECK(strstr(pmd_log_end(), "or end with an error") != NULL, "no line");
	bytes_free(&plain);
}

/* An op that is all of a stream; its result must be right. @return Its status. */
static uint8_t
stream(uint8_t dev, struct rng *rng, void *s, bool comp, const struct bytes *plain,
		const struct bytes *packed)
{
	const struct bytes *src = comp ? plain : packed;
	struct rte_comp_op *op = pmd_op(NULL, pmd_chain(rng, PMD_LINEAR, src->data, 0, src->len, 0),
		0, (uint32_t)src->len,
		pmd_chain(rng, PMD_LINEAR, NULL, 0, PMD_AMPLE(plain->len), 0), 0);
	uint8_t status;

	op->op_type = RTE_COMP_OP_STATEFUL;
	op->stream = s;
	pmd_run(dev, 0, &op, 1);
	status = op->status;
	if (status == RTE_COMP_OP_STATUS_SUCCESS) {
		struct bytes out = pmd_output(op);

		if (comp)
			pmd_check_inflates(&out, plain->data, plain->len);
		else
			PMD_CHECK(out.len == plain->len && memcmp(out.data, plain->data,
				out.len) == 0, "other data");
		bytes_free(&out);
	}
	pmd_op_free(op);
	return status;
}

/* Who was caught with an op gets no stream of that direction, with the extension either. */
static void
no_stream(void)
{
	struct rng rng;

	pmd_rng(&rng);
	for (unsigned int i = 0; i < 4 * RTE_DIM(devices); i++) {
		const struct device *d = &devices[i / 4];
		bool comp = i % 2 == 0, sw = i / 2 % 2 == 0;
		struct bytes plain = bytes_random(&rng, 3000);
		struct bytes packed = bytes_deflate(plain.data, plain.len, 6, 15);
		const struct hisi_zip_qp *qp;
		struct rte_comp_op *op;
		void *streams[4], *x;
		uint8_t dev;

		pmd_log_begin();
		dev = start(d, sw ? "verify=1,answers=off,fault=corrupt@3" :
			"verify=1,answers=off,sw=off,fault=corrupt@3");
		qp = pmd_qp(dev, 0);
		/* Made before, as afterwards there is none with sw=off on a plain function. */
		for (size_t n = 0; n < RTE_DIM(streams); n++)
			PMD_CHECK(rte_compressdev_stream_create(dev, comp ? &pmd_deflate_xform :
				&pmd_inflate_xform, &streams[n]) == 0, "stream_create");
		PMD_CHECK(stream(dev, &rng, streams[0], comp, &plain, &packed) ==
			RTE_COMP_OP_STATUS_SUCCESS && qp->deq.sw == 0, "%s: not by the function",
			d->args);
		x = pmd_xform(dev, comp ? &pmd_deflate_xform : &pmd_inflate_xform);
		for (int n = 0; n < 2; n++) {
			const struct bytes *src = comp ? &plain : &packed;

			op = pmd_op(x, pmd_chain(&rng, PMD_LINEAR, src->data, 0, src->len, 0), 0,
				(uint32_t)src->len, pmd_chain(&rng, PMD_LINEAR, NULL, 0,
				PMD_AMPLE(plain.len), 0), 0);
			pmd_run(dev, 0, &op, 1);
			pmd_op_free(op);
		}
		PMD_CHECK(paths_on(comp) == 0, "%s: not caught", d->args);
		/* The first one is at its end, and may begin again. */
		for (size_t n = 0; n < RTE_DIM(streams); n++) {
			uint64_t before = qp->deq.sw;
			uint8_t status = stream(dev, &rng, streams[n], comp, &plain, &packed);

			PMD_CHECK(status == (sw ? RTE_COMP_OP_STATUS_SUCCESS :
				RTE_COMP_OP_STATUS_INVALID_ARGS), "%s, %u: %s", d->args, i,
				pmd_status(status));
			PMD_CHECK(qp->deq.sw - before == sw, "%s, %u: %" PRIu64 " in software",
				d->args, i, qp->deq.sw - before);
			PMD_CHECK(rte_compressdev_stream_free(dev, streams[n]) == 0, "free");
		}
		pmd_xform_free(dev, x);
		end(dev);
		pmd_log_end();
		bytes_free(&plain);
		bytes_free(&packed);
	}
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "agrees", agrees, PMD_BAD_OPS },
		{ "how_often", how_often },
		{ "corrupted", corrupted, PMD_FAULTS },
		{ "found", found, PMD_FAULTS },
		{ "no_stream", no_stream, PMD_FAULTS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_verify", .count = 12, .cases = cases, .vdevs = none,
	});
}
