/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A function that lies. It works as it should; then the test, which is in the same
 * process, changes what it wrote, as a service of somebody else could. The op that was
 * lied about fails, or is done in software; those around it are as if nothing had been.
 */

#include <inttypes.h>
#include <string.h>

#include <rte_memory.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_lies"
#define DEPTH 64
#define LEN   3000u
#define ROOM  (2 * LEN)

/* Lies are told about the middle one. */
#define OPS 3
#define MIDDLE 1

struct lie {
	const char *name;
	void (*tell)(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe);
	uint8_t status; /* of the op, with sw=off */
	bool comp_only, decomp_only;
	bool true_enough; /* consumed and produced are kept */
	bool data_to_blame; /* software could do no better */
};

static void
produced_one_more(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->produced = sqe->dest_avail_out + 1;
}

/* In words that the function is not to write to. */
static void
produced_more_and_room(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->produced = ++sqe->dest_avail_out;
}

static void
produced_all_and_room(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->produced = sqe->dest_avail_out = UINT32_MAX;
}

static void
consumed_one_more(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->consumed = sqe->input_data_length + 1;
}

static void
consumed_more_and_length(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->consumed = ++sqe->input_data_length;
}

static void
consumed_all_and_length(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->consumed = sqe->input_data_length = UINT32_MAX;
}

static void
consumed_less(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->consumed--;
}

static void
consumed_less_no_gain(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	consumed_less(sqe, cqe);
	sqe->dw3 = HISI_ZIP_NEGACOMPRESS;
}

static void
produced_nothing(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->produced = 0;
}

static void
slot_before(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(sqe);
	cqe->sq_head--;
}

static void
slot_after(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(sqe);
	cqe->sq_head++;
}

static void
slot_beyond(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(sqe);
	cqe->sq_head += DEPTH;
}

static void
slot_far(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(sqe);
	cqe->sq_head = UINT16_MAX;
}

#define TELL_STATUS(name, status) \
	static void \
	name(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe) \
	{ \
		RTE_SET_USED(cqe); \
		sqe->dw3 = (status); \
	}

TELL_STATUS(status_unknown, 0x7f)
TELL_STATUS(status_last, UINT32_MAX)
TELL_STATUS(status_stream_end, HISI_ZIP_DECOMP_END)
TELL_STATUS(status_below, HISI_ZIP_BAD_DATA - 1)
TELL_STATUS(status_bad_data, HISI_ZIP_BAD_DATA)
TELL_STATUS(status_bad_address, HISI_ZIP_BAD_ADDR)
TELL_STATUS(status_bad_stream, HISI_ZIP_BAD_STREAM)
TELL_STATUS(status_no_stream, HISI_ZIP_NO_STREAM)
TELL_STATUS(status_mismatch, HISI_ZIP_CRC_ERR)

static void
part_beyond_room(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->dw3 = HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL;
	sqe->produced = ++sqe->dest_avail_out;
}

static void
part_of_nothing(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->dw3 = HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL;
	sqe->consumed = 0;
}

TELL_STATUS(no_room_without_part, HISI_ZIP_DSTLEN_OUT)

/* What could be. Nobody can tell. */
static void
all_room_used(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->produced = sqe->dest_avail_out;
}

TELL_STATUS(no_gain, HISI_ZIP_NEGACOMPRESS)

static void
part(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->dw3 = HISI_ZIP_DSTLEN_OUT | HISI_ZIP_EXT_DW3_PARTIAL;
	sqe->consumed = 1;
	sqe->produced = sqe->dest_avail_out;
}

#define ERROR      RTE_COMP_OP_STATUS_ERROR
#define SUCCESS    RTE_COMP_OP_STATUS_SUCCESS
#define TERMINATED RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED
#define RECOVERABLE RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE

static const struct lie lies[] = {
	{ "one byte more than there was room for", produced_one_more, ERROR },
	{ "more output, and room for it", produced_more_and_room, ERROR },
	{ "4 GiB of output, and room for them", produced_all_and_room, ERROR },
	{ "one byte more than there was", consumed_one_more, ERROR },
	{ "more input, of a longer request", consumed_more_and_length, ERROR },
	{ "4 GiB of input", consumed_all_and_length, ERROR },
	{ "not all was compressed", consumed_less, ERROR, .comp_only = true },
	{ "not all was compressed, without gain", consumed_less_no_gain, ERROR,
		.comp_only = true },
	{ "compressed to nothing", produced_nothing, ERROR, .comp_only = true },
	{ "CQE for the slot before", slot_before, ERROR },
	{ "CQE for the slot after", slot_after, ERROR },
	{ "CQE for the same slot of the next round", slot_beyond, ERROR },
	{ "CQE for a slot far away", slot_far, ERROR },
	{ "unknown status", status_unknown, ERROR },
	{ "all ones as status", status_last, ERROR },
	{ "end of a stream that there is not", status_stream_end, ERROR },
	{ "a part that had no room", part_beyond_room, ERROR },
	{ "checksum mismatch", status_mismatch, HISI_ZIP_STATUS_MISMATCH },
	{ "last status that blames nobody", status_below, ERROR },
	{ "bad data", status_bad_data, ERROR, .data_to_blame = true },
	{ "bad address", status_bad_address, ERROR, .data_to_blame = true },
	{ "bad stream", status_bad_stream, ERROR, .data_to_blame = true },
	{ "no stream", status_no_stream, ERROR },
	{ "a part of no input", part_of_nothing, TERMINATED },
	{ "no room", no_room_without_part, TERMINATED },
	{ "all room used", all_room_used, SUCCESS, .true_enough = true },
	{ "no gain", no_gain, SUCCESS, .true_enough = true },
	{ "all but the last byte decompressed", consumed_less, SUCCESS, .decomp_only = true,
		.true_enough = true },
	{ "decompressed to nothing", produced_nothing, SUCCESS, .decomp_only = true,
		.true_enough = true },
	{ "a part", part, RECOVERABLE, .true_enough = true },
};

/* Of each device, the first lie is about one byte more than there was room for. */
#define SAID(consumed, slot, then) "HISI_ZIP: " NAME ": queue pair 0: an answer cannot be true: " \
	"status 0x0, consumed 3000, produced 6001, for slot " slot ", expected of this " \
	"compression: consumed " consumed ", produced up to 6000, for slot " slot "; such ops " then

static struct ground {
	uint8_t dev;
	void *xform[HISI_ZIP_DIRS];
	struct bytes src[HISI_ZIP_DIRS];
} ground;

static void
ground_begin(struct rng *rng, const char *args)
{
	pmd_log_begin();
	ground.dev = pmd_dev_add(NAME, args);
	pmd_dev_start(ground.dev, 1, DEPTH);
	/* What it would have to change, too, is none of the memory that a service sees. */
	PMD_CHECK(rte_mem_virt2memseg(pmd_qp(ground.dev, 0)->slots, NULL) == NULL, "seen");
	ground.xform[HISI_ZIP_COMP] = pmd_xform(ground.dev, &pmd_deflate_xform);
	ground.xform[HISI_ZIP_DECOMP] = pmd_xform(ground.dev, &pmd_inflate_xform);
	ground.src[HISI_ZIP_COMP] = bytes_alloc(LEN);
	data_fill(ground.src[HISI_ZIP_COMP].data, LEN, DATA_TEXT, rng_next(rng) | 1);
	ground.src[HISI_ZIP_DECOMP] = bytes_deflate(ground.src[HISI_ZIP_COMP].data, LEN, 6, 15);
}

/* One line tells of the first lie and what was expected, or of none, if that is NULL. */
static void
ground_end(const char *said)
{
	const char *log;

	for (int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		pmd_xform_free(ground.dev, ground.xform[dir]);
		bytes_free(&ground.src[dir]);
	}
	pmd_dev_stop(ground.dev);
	pmd_dev_remove(NAME);
	log = pmd_log_end();
	PMD_CHECK(said == NULL ? log[0] == '\0' : strstr(log, said) != NULL &&
		strchr(log, '\n') == log + strlen(log) - 1, "the log says \"%s\"", log);
}

static struct rte_comp_op *
make_op(struct rng *rng, enum hisi_zip_dir dir, enum pmd_shape shape)
{
	const struct bytes *src = &ground.src[dir];

	return pmd_op(ground.xform[dir], pmd_chain(rng, shape, src->data, 0, src->len, 0), 0,
		(uint32_t)src->len, pmd_chain(rng, shape, NULL, 0, ROOM, 0), 0);
}

/* The function does what it has. */
static void
work(enum hisi_zip_dir dir)
{
	const struct hisi_zip_hwq *hwq = &pmd_qp(ground.dev, 0)->hwq[dir];
	unsigned int done = spim_queue_poll(hwq->q.queue, OPS);

	PMD_CHECK(done == OPS, "%u of %u requests were done", done, OPS);
}

/* The op that is n after the next one to come back. */
static void
lie_about(enum hisi_zip_dir dir, uint16_t n,
		void (*tell)(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe))
{
	const struct hisi_qm_ring *ring = pmd_qp(ground.dev, 0)->hwq[dir].q.queue->ring;
	uint16_t slot = (ring->cq_head + n) & ring->mask;

	tell(hisi_qm_sq_slot(ring, slot), &ring->cq[slot]);
}

static void
check_right(enum hisi_zip_dir dir, const struct rte_comp_op *op, const char *what)
{
	static uint8_t out[ROOM], back[LEN + 1];
	size_t consumed, produced;

	PMD_CHECK(op->status == SUCCESS && op->consumed == ground.src[dir].len, "%s: %s, consumed "
		"%u", what, pmd_status(op->status), op->consumed);
	PMD_CHECK(op->produced <= ROOM, "%s: produced %u", what, op->produced);
	pmd_chain_read(op->m_dst, 0, out, op->produced);
	if (dir == HISI_ZIP_COMP) {
		judge_inflate(out, op->produced, back, sizeof(back), &consumed, &produced);
		PMD_CHECK(consumed == op->produced, "%s: %zu of %u bytes are a stream", what,
			consumed, op->produced);
	} else {
		produced = op->produced;
		memcpy(back, out, RTE_MIN(produced, sizeof(back)));
	}
	PMD_CHECK(produced == LEN && memcmp(back, ground.src[HISI_ZIP_COMP].data, LEN) == 0,
		"%s: other data", what);
}

/* Which status of an op is counted where is not changed by a lie. */
static void
check_counted(const struct hisi_zip_deq_stats *before, uint8_t status, bool repeated)
{
	const struct hisi_zip_deq_stats *now = &pmd_qp(ground.dev, 0)->deq;
	bool error = status != SUCCESS && status != RECOVERABLE;

	PMD_CHECK(now->ops == before->ops + OPS, "%" PRIu64 " ops", now->ops - before->ops);
	PMD_CHECK(now->errors == before->errors + (error ? 1 : 0), "%" PRIu64 " errors more",
		now->errors - before->errors);
	PMD_CHECK(status == SUCCESS || now->status[status] == before->status[status] + 1,
		"%s is not counted", pmd_status(status));
	PMD_CHECK(now->repeated == before->repeated + (repeated ? 1 : 0) &&
		now->sw == before->sw + (repeated ? 1 : 0), "%" PRIu64 " ops in software, %"
		PRIu64 " again", now->sw - before->sw, now->repeated - before->repeated);
	PMD_CHECK(now->lost == 0 && now->fails[HISI_WATCH_STALLED] == 0, "a queue failed");
}

static void
tell(struct rng *rng, enum hisi_zip_dir dir, enum pmd_shape shape, const struct lie *lie, bool sw)
{
	struct hisi_zip_deq_stats before = pmd_qp(ground.dev, 0)->deq;
	bool repeated = sw && lie->status != SUCCESS && lie->status != RECOVERABLE &&
		lie->status != TERMINATED && !lie->data_to_blame;
	uint8_t status = repeated ? SUCCESS : lie->status;
	struct rte_comp_op *ops[OPS], *back[OPS];

	for (int i = 0; i < OPS; i++)
		ops[i] = make_op(rng, dir, shape);
	pmd_enqueue(ground.dev, 0, ops, OPS);
	work(dir);
	lie_about(dir, MIDDLE, lie->tell);
	pmd_dequeue(ground.dev, 0, back, OPS);
	for (int i = 0; i < OPS; i++) {
		PMD_CHECK(back[i] == ops[i], "%s: op %d is another one", lie->name, i);
		if (i != MIDDLE || repeated) {
			check_right(dir, ops[i], lie->name);
			continue;
		}
		PMD_CHECK(ops[i]->status == status, "%s: %s, expected %s", lie->name,
			pmd_status(ops[i]->status), pmd_status(status));
		PMD_CHECK(ops[i]->consumed <= ops[i]->src.length && ops[i]->produced <= ROOM,
			"%s: consumed %u, produced %u", lie->name, ops[i]->consumed,
			ops[i]->produced);
		PMD_CHECK(lie->tell != status_unknown || ops[i]->debug_status == 0x7f,
			"debug_status 0x%" PRIx64, ops[i]->debug_status);
		PMD_CHECK(lie->true_enough || (ops[i]->consumed == 0 && ops[i]->produced == 0),
			"%s: consumed %u, produced %u with %s", lie->name, ops[i]->consumed,
			ops[i]->produced, pmd_status(status));
	}
	check_counted(&before, status, repeated);
	for (int i = 0; i < OPS; i++)
		pmd_op_free(ops[i]);
}

static void
lies_about_ops(bool sw)
{
	struct rng rng;

	while (pmd_next(&rng)) {
		ground_begin(&rng, sw ? "workers=0,sw=auto" : "workers=0,sw=off");
		for (unsigned int i = 0; i < RTE_DIM(lies); i++) {
			for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
				if (dir == HISI_ZIP_COMP ? lies[i].decomp_only : lies[i].comp_only)
					continue;
				tell(&rng, dir, PMD_LINEAR, &lies[i], sw);
				tell(&rng, dir, PMD_FEW, &lies[i], sw);
			}
		}
		ground_end(sw ? SAID("3000", "1", "are done in software") :
			SAID("3000", "1", "end with an error"));
	}
}

static void
without_software(void)
{
	lies_about_ops(false);
}

static void
with_software(void)
{
	lies_about_ops(true);
}

/* What is not written yet is waited for, and nothing behind it comes before. */
static void
wrong_phase(void)
{
	struct rng rng;

	pmd_rng(&rng);
	ground_begin(&rng, "workers=0,sw=off");
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_qm_ring *ring;
		struct rte_comp_op *ops[OPS], *back[OPS];
		uint16_t n, slot;

		for (int i = 0; i < OPS; i++)
			ops[i] = make_op(&rng, dir, PMD_LINEAR);
		pmd_enqueue(ground.dev, 0, ops, OPS);
		work(dir);
		ring = pmd_qp(ground.dev, 0)->hwq[dir].q.queue->ring;
		slot = (ring->cq_head + MIDDLE) & ring->mask;
		ring->cq[slot].w7 ^= HISI_QM_CQE_PHASE;
		n = rte_compressdev_dequeue_burst(ground.dev, 0, back, OPS);
		PMD_CHECK(n == MIDDLE && back[0] == ops[0], "%u ops came back", n);
		n = rte_compressdev_dequeue_burst(ground.dev, 0, back, OPS);
		PMD_CHECK(n == 0, "%u ops came back without a CQE", n);
		ring->cq[slot].w7 ^= HISI_QM_CQE_PHASE;
		n = rte_compressdev_dequeue_burst(ground.dev, 0, back, OPS);
		PMD_CHECK(n == OPS - MIDDLE && back[0] == ops[1] && back[1] == ops[2],
			"%u ops came back", n);
		for (int i = 0; i < OPS; i++) {
			check_right(dir, ops[i], "phase");
			pmd_op_free(ops[i]);
		}
	}
	ground_end(NULL);
}

/* Of a stream: it is over, and nothing waits for it. */
static void
lies_about_streams(void)
{
	static const struct {
		const char *name;
		void (*tell)(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe);
	} about[] = {
		{ "more output", produced_more_and_room },
		{ "more input", consumed_more_and_length },
		{ "another slot", slot_after },
		{ "unknown status", status_unknown },
		{ "mismatch", status_mismatch },
	};
	struct rng rng;

	pmd_rng(&rng);
	for (int sw = 0; sw < 2; sw++) {
		ground_begin(&rng, sw ? "workers=0,sw=auto" : "workers=0,sw=off");
		for (unsigned int i = 0; i < RTE_DIM(about); i++) {
			for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
				struct rte_comp_op *op = make_op(&rng, dir, PMD_LINEAR), *back;
				struct hisi_zip_hwq *hwq = &pmd_qp(ground.dev, 0)->hwq[dir];
				void *stream;
				int ret;

				ret = rte_compressdev_stream_create(ground.dev,
					dir == HISI_ZIP_COMP ? &pmd_deflate_xform :
					&pmd_inflate_xform, &stream);
				PMD_CHECK(ret == 0, "stream_create returned %d", ret);
				op->op_type = RTE_COMP_OP_STATEFUL;
				op->stream = stream;
				pmd_enqueue(ground.dev, 0, &op, 1);
				PMD_CHECK(spim_queue_poll(hwq->q.queue, 1) == 1, "not done");
				lie_about(dir, 0, about[i].tell);
				pmd_dequeue(ground.dev, 0, &back, 1);
				PMD_CHECK(op->status == ERROR && op->consumed == 0 &&
					op->produced == 0, "%s: %s, consumed %u, produced %u",
					about[i].name, pmd_status(op->status), op->consumed,
					op->produced);
				pmd_run(ground.dev, 0, &op, 1);
				PMD_CHECK(op->status == RTE_COMP_OP_STATUS_INVALID_STATE,
					"%s: and then %s", about[i].name, pmd_status(op->status));
				ret = rte_compressdev_stream_free(ground.dev, stream);
				PMD_CHECK(ret == 0, "stream_free returned %d", ret);
				pmd_op_free(op);
			}
		}
		ground_end(SAID("up to 3000", "0", "end with an error"));
	}
}

static void
other_checksums(struct hisi_zip_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	RTE_SET_USED(cqe);
	sqe->dw10 ^= HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_ADLER32;
}

/* Which checksums an op has is what its transform asks for. */
static void
lie_about_checksums(struct rng *rng, enum hisi_zip_dir dir, int type, bool stateful)
{
	struct rte_comp_xform xform = dir == HISI_ZIP_COMP ? pmd_deflate_xform : pmd_inflate_xform;
	struct rte_comp_op *op = make_op(rng, dir, PMD_LINEAR), *back;
	uint64_t expected = pmd_chksum(type, 0, ground.src[HISI_ZIP_COMP].data, LEN);
	void *x;

	*(dir == HISI_ZIP_COMP ? &xform.compress.chksum : &xform.decompress.chksum) = type;
	x = pmd_xform(ground.dev, &xform);
	op->private_xform = x;
	if (stateful) {
		op->op_type = RTE_COMP_OP_STATEFUL;
		PMD_CHECK(rte_compressdev_stream_create(ground.dev, &xform, &op->stream) == 0,
			"no stream");
	}
	pmd_enqueue(ground.dev, 0, &op, 1);
	PMD_CHECK(spim_queue_poll(pmd_qp(ground.dev, 0)->hwq[dir].q.queue, 1) == 1, "not done");
	lie_about(dir, 0, other_checksums);
	pmd_dequeue(ground.dev, 0, &back, 1);
	check_right(dir, op, "checksums");
	PMD_CHECK(op->output_chksum == expected, "type %d: 0x%" PRIx64 ", expected 0x%" PRIx64,
		type, op->output_chksum, expected);
	if (stateful)
		PMD_CHECK(rte_compressdev_stream_free(ground.dev, op->stream) == 0, "free");
	pmd_xform_free(ground.dev, x);
	pmd_op_free(op);
}

static void
lies_about_checksums(void)
{
	struct rng rng;

	pmd_rng(&rng);
	ground_begin(&rng, "workers=0,sw=off");
	for (int type = RTE_COMP_CHECKSUM_NONE; type <= RTE_COMP_CHECKSUM_CRC32_ADLER32; type++)
		for (int i = 0; i < 2 * HISI_ZIP_DIRS; i++)
			lie_about_checksums(&rng, i / 2, type, i % 2 != 0);
	ground_end(NULL);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "without_software", without_software, PMD_FAULTS },
		{ "with_software", with_software, PMD_FAULTS },
		{ "wrong_phase", wrong_phase },
		{ "lies_about_streams", lies_about_streams, PMD_FAULTS },
		{ "lies_about_checksums", lies_about_checksums },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_lies", .count = 2, .cases = cases, .vdevs = none,
	});
}
