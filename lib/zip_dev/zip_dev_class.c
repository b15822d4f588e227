/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_qm_regs.h"
#include "zip_dev_request.h"

/* ---- State of a function ---- */

static int
zip_func_create(struct qm_dev *dev, const void *use_conf, void **func)
{
	const struct qm_dev_conf *dev_conf = qm_dev_conf_of(dev);
	const struct zip_dev_conf *conf = use_conf, defaults = { 0 };
	struct zip_dev_func *f;

	if (conf == NULL)
		conf = &defaults;
	if (conf->engine > ZIP_DEV_ENGINE_COPY) {
		qm_dev_log(dev, BASE_LOG_ERR, "engine %u, expected %u or %u", conf->engine,
				ZIP_DEV_ENGINE_DEFLATE, ZIP_DEV_ENGINE_COPY);
		return -EINVAL;
	}
	if (conf->streams_max > ZIP_DEV_STREAMS_LIMIT) {
		qm_dev_log(dev, BASE_LOG_ERR, "streams_max %u, expected 0 to %u",
				conf->streams_max, ZIP_DEV_STREAMS_LIMIT);
		return -EINVAL;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	f->conf = *conf;
	atomic_init(&f->quirks, conf->quirks);
	f->revision = dev_conf->revision;
	f->ext = dev_conf->ext != 0;
	zip_dev_streams_init(&f->streams, conf->streams_max != 0 ? conf->streams_max :
			ZIP_DEV_STREAMS_DEFAULT, dev_conf->quota);
	*func = f;
	return 0;
}

static void
zip_func_destroy(void *func)
{
	struct zip_dev_func *f = func;

	zip_dev_streams_fini(&f->streams);
	free(f);
}

static void
zip_func_reset(void *func)
{
	struct zip_dev_func *f = func;

	zip_dev_streams_reset(&f->streams);
}

static uint32_t
zip_contexts(const void *func)
{
	const struct zip_dev_func *f = func;

	return atomic_load_explicit(&f->streams.used, memory_order_relaxed);
}

static bool
zip_reg_write(void *func, uint32_t off, uint64_t value)
{
	struct zip_dev_func *f = func;

	if (off != HISI_ZIP_EXT_REG_STREAM_RELEASE)
		return false;
	if (f->ext)
		zip_dev_stream_release(&f->streams, value);
	return true;
}

static bool
zip_toggle(void *func, const char *name)
{
	struct zip_dev_func *f = func;
	uint64_t quirk;

	if (strchr(name, ':') != NULL || zip_dev_quirks_parse(name, &quirk) != NULL)
		return false;
	if (f != NULL)
		atomic_fetch_xor_explicit(&f->quirks, quirk, memory_order_relaxed);
	return true;
}

/* ---- State of an executor ---- */

static void
zip_exec_destroy(void *exec)
{
	struct zip_dev_exec *ex = exec;

	zip_codec_destroy(ex->codec);
	free(ex->dict);
	free(ex);
}

static void *
zip_exec_create(void)
{
	struct zip_dev_exec *ex = calloc(1, sizeof(*ex));

	if (ex == NULL)
		return NULL;
	ex->codec = zip_codec_create(HISI_ZIP_REQ_LEN_MAX);
	ex->dict = malloc(HISI_ZIP_EXT_DICT_MAX);
	if (ex->codec == NULL || ex->dict == NULL) {
		zip_exec_destroy(ex);
		return NULL;
	}
	return ex;
}

/* ---- Requests ---- */

static struct qm_dev_preview
zip_preview(const void *in)
{
	const struct hisi_zip_sqe *sqe = in;

	return (struct qm_dev_preview){
		.len = sqe->input_data_length < HISI_ZIP_REQ_LEN_MAX ? sqe->input_data_length :
			HISI_ZIP_REQ_LEN_MAX,
		.source = sqe->source_addr_l | (uint64_t)sqe->source_addr_h << 32,
	};
}

/* Does not count as an error: the request did what it could, and can go on. */
static bool
status_good(uint32_t dw3)
{
	switch (dw3 & HISI_ZIP_STATUS_MASK) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGACOMPRESS:
	case HISI_ZIP_DECOMP_END:
		return true;
	case HISI_ZIP_DSTLEN_OUT:
		return (dw3 & HISI_ZIP_EXT_DW3_PARTIAL) != 0;
	default:
		return false;
	}
}

/* Write the results to the slot (ZIP 5.2): every other word stays the driver's. */
static struct qm_dev_result
zip_write_back(struct hisi_zip_sqe *ring, const struct hisi_zip_sqe *sqe, const uint32_t *before)
{
	memcpy(&ring->consumed, &sqe->consumed, 4 * sizeof(uint32_t));
	ring->ctx_dw0 = sqe->ctx_dw0;
	/* dw16 on are another cache line, which would have to come back from the driver's core. */
	if (memcmp(before, &sqe->ctx_dw1, 4 * sizeof(uint32_t)) != 0)
		memcpy(&ring->ctx_dw1, &sqe->ctx_dw1, 4 * sizeof(uint32_t));
	return (struct qm_dev_result){ .in = sqe->consumed, .out = sqe->produced,
		.status = sqe->dw3 & HISI_ZIP_STATUS_MASK, .error = !status_good(sqe->dw3) };
}

static struct qm_dev_result
zip_execute(const struct qm_dev_request *r)
{
	const struct zip_dev_run x = { .func = r->func, .exec = r->exec, .bufs = r->bufs };
	struct hisi_zip_sqe *sqe = r->sqe;
	struct qm_dev_result result;
	uint32_t before[4];

	memcpy(before, &sqe->ctx_dw1, sizeof(before));
	r->bufs->src.walked = r->bufs->dst.walked = 0;
	zip_dev_run(&x, r->type, sqe);
	result = zip_write_back(r->ring, sqe, before);
	result.entries = r->bufs->src.walked + r->bufs->dst.walked;
	return result;
}

static struct qm_dev_result
zip_refuse(const struct qm_dev_request *r, uint8_t status)
{
	struct hisi_zip_sqe *sqe = r->sqe;
	uint32_t before[4];

	memcpy(before, &sqe->ctx_dw1, sizeof(before));
	zip_dev_refuse(sqe, status);
	return zip_write_back(r->ring, sqe, before);
}

const struct qm_dev_class zip_dev_class = {
	.name = "zip",
	.pci_device = HISI_PCI_DEVICE_ZIP_VF,
	.types = 1u << HISI_ZIP_QC_COMPRESS | 1u << HISI_ZIP_QC_DECOMPRESS,
	.ext_features = HISI_ZIP_EXT_F_ALL,
	.create = zip_func_create,
	.destroy = zip_func_destroy,
	.reset = zip_func_reset,
	.contexts = zip_contexts,
	.exec_create = zip_exec_create,
	.exec_destroy = zip_exec_destroy,
	.preview = zip_preview,
	.execute = zip_execute,
	.refuse = zip_refuse,
	.reg_write = zip_reg_write,
	.toggle = zip_toggle,
};
