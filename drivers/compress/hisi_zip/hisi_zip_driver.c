/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_mbuf.h>

#include "hisi_ap.h"
#include "hisi_zip_answer.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_log.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_telemetry.h"
#include "zip_codec.h"

static void
zip_log(enum base_log_level level, const char *line, void *priv)
{
	RTE_SET_USED(priv);
	if (level == BASE_LOG_ERR)
		HISI_ZIP_LOG(ERR, "%s", line);
	else
		HISI_ZIP_LOG(INFO, "%s", line);
}

struct hisi_driver hisi_zip_driver = {
	.name = "hisi_zip",
	.class_name = "compress",
	.owner_name = "queue pair",
	.log = { .line = zip_log },
	.device = HISI_PCI_DEVICE_ZIP_VF,
	.keys = hisi_zip_devarg_keys,
	.telemetry = "/compress_hisi_zip",
	.cmds = hisi_zip_telemetry_cmds,
	.pci_driver = { .name = RTE_STR(HISI_ZIP_PCI_DRIVER_NAME) },
	.pci_ids = hisi_zip_pci_ids,
	.probe = hisi_zip_pci_probe,
	.remove = hisi_zip_remove,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

HISI_REGISTER_DRIVER(hisi_zip_driver);

struct hisi_zip_function
hisi_zip_function_of(const struct hisi_zip_dev *dev)
{
	return (struct hisi_zip_function){
		.revision = dev->hisi.info.revision,
		.features = dev->hisi.info.ext_features & HISI_ZIP_EXT_F_ALL,
		.paths = rte_atomic_load_explicit(&dev->paths_on, rte_memory_order_relaxed),
		.sums = hisi_zip_paths_sums(&dev->known.paths),
	};
}

/* Lists and streams of DEFLATE. Without software they are what the paths that are on leave. */
static uint64_t
deflate_forms(const struct hisi_zip_dev *dev, uint64_t sgl)
{
	const uint64_t streams = RTE_COMP_FF_STATEFUL_COMPRESSION |
		RTE_COMP_FF_STATEFUL_DECOMPRESSION;
	const uint32_t lists = HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_SGL) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_SGL);
	const struct hisi_zip_function f = hisi_zip_function_of(dev);
	bool v3 = f.revision >= HISI_QM_REV_V3;
	uint64_t forms = 0;

	if (dev->sw)
		return sgl | streams;
	if ((v3 && f.features != 0) || (f.paths & lists) == lists)
		forms |= sgl;
	if (v3 && (f.features & HISI_ZIP_EXT_F_FLUSH))
		return forms | streams;
	if (f.paths & HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_COMP))
		forms |= RTE_COMP_FF_STATEFUL_COMPRESSION;
	if (f.paths & HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP))
		forms |= RTE_COMP_FF_STATEFUL_DECOMPRESSION;
	return forms;
}

/* Can the function do DEFLATE in both directions? */
static bool
can_deflate(const struct hisi_zip_dev *dev)
{
	const struct hisi_zip_function f = hisi_zip_function_of(dev);
	struct hisi_zip_job job = { .dir = HISI_ZIP_COMP, .level = 1,
		.window = ZIP_CODEC_WINDOW_MAX };
	bool comp = hisi_zip_can(&f, &job, 0);

	job.dir = HISI_ZIP_DECOMP;
	return comp && hisi_zip_can(&f, &job, 0);
}

/* What the device can do: the function's own features, and all of them with software. */
static void
set_capabilities(struct hisi_zip_dev *dev)
{
	const uint64_t sgl = RTE_COMP_FF_OOP_SGL_IN_SGL_OUT | RTE_COMP_FF_OOP_SGL_IN_LB_OUT |
		RTE_COMP_FF_OOP_LB_IN_SGL_OUT;
	const uint64_t chksum = RTE_COMP_FF_CRC32_CHECKSUM | RTE_COMP_FF_ADLER32_CHECKSUM |
		RTE_COMP_FF_CRC32_ADLER32_CHECKSUM;
	bool v2 = dev->hisi.info.revision < HISI_QM_REV_V3;
	uint32_t ext = dev->sw ? HISI_ZIP_EXT_F_ALL : dev->hisi.info.ext_features &
		HISI_ZIP_EXT_F_ALL;
	uint32_t deflate_ext = v2 && !dev->sw ? 0 : ext;
	unsigned int n = 0;

	if (dev->sw || can_deflate(dev)) {
		uint64_t flags = deflate_forms(dev, sgl) | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			RTE_COMP_FF_HUFFMAN_DYNAMIC;

		/* Without the extension at all, checksums are the CPU's, or are returned. */
		if (deflate_ext == 0 || (deflate_ext & HISI_ZIP_EXT_F_CHECKSUM))
			flags |= chksum;
		if (deflate_ext & HISI_ZIP_EXT_F_HUFFMAN)
			flags |= RTE_COMP_FF_HUFFMAN_FIXED;
		if (deflate_ext & HISI_ZIP_EXT_F_LEVEL)
			flags |= RTE_COMP_FF_NONCOMPRESSED_BLOCKS;
		dev->caps[n].algo = RTE_COMP_ALGO_DEFLATE;
		dev->caps[n].comp_feature_flags = flags;
		dev->caps[n].window_size.min = deflate_ext & HISI_ZIP_EXT_F_WINDOW ?
			ZIP_CODEC_WINDOW_MIN : v2 ? ZIP_CODEC_WINDOW_MAX : 12;
		dev->caps[n].window_size.max = ZIP_CODEC_WINDOW_MAX;
		dev->caps[n].window_size.increment = 1;
		n++;
	}
	if (HISI_ZIP_HAVE_LZ4 && (ext & HISI_ZIP_EXT_F_LZ4)) {
		dev->caps[n].algo = HISI_ZIP_ALGO_LZ4;
		dev->caps[n].comp_feature_flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			RTE_COMP_FF_NONCOMPRESSED_BLOCKS | HISI_ZIP_FF_LZ4;
		dev->caps[n].window_size.min = ZIP_CODEC_WINDOW_MIN;
		dev->caps[n].window_size.max = ZIP_CODEC_LZ4_WINDOW_MAX;
		dev->caps[n].window_size.increment = 1;
		n++;
	}
	if (ext & HISI_ZIP_EXT_F_COPY) {
		dev->caps[n].algo = RTE_COMP_ALGO_NULL;
		dev->caps[n].comp_feature_flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			(ext & HISI_ZIP_EXT_F_CHECKSUM ? chksum : 0);
		n++;
	}
	dev->caps[n].algo = RTE_COMP_ALGO_UNSPECIFIED; /* RTE_COMP_END_OF_CAPABILITIES_LIST */
}

static void
known_fini(struct hisi_zip_dev *dev)
{
	hisi_zip_paths_end(dev);
	pthread_mutex_destroy(&dev->known.lock);
}

int
hisi_zip_dev_init(struct hisi_zip_dev *dev, struct hisi_ap *ap)
{
	bool bus;
	int ret;

	TAILQ_INIT(&dev->qps);
	ret = hisi_dev_open(&dev->hisi, ap);
	if (ret != 0)
		return ret;
	bus = dev->hisi.ap->io != NULL;
	/*
	 * Every access point with a name uses pointers (spim_info.va), also where memory
	 * must be registered. Only a function behind a bus uses IOVAs, in whichever mode
	 * EAL is: an external buffer has the one that it was attached with.
	 */
	dev->addr_off = bus ? HISI_ZIP_MBUF_IOVA : offsetof(struct rte_mbuf, buf_addr);
	pthread_mutex_init(&dev->known.lock, NULL);
	hisi_zip_paths_begin(dev);
	hisi_zip_paths_try(dev);
	set_capabilities(dev);
	if (dev->caps[0].algo == RTE_COMP_ALGO_UNSPECIFIED) {
		HISI_ZIP_LOG(ERR, "%s: a function of revision 0x%x has no algorithm of compressdev "
			"by itself, expected sw=auto", dev->hisi.name, dev->hisi.info.revision);
		known_fini(dev);
		hisi_dev_close(&dev->hisi);
		return -ENOTSUP;
	}
	dev->feature_flags = bus ? RTE_COMPDEV_FF_HW_ACCELERATED : 0;
	if (dev->hisi.info.polled)
		dev->feature_flags |= RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE;
	hisi_dev_show(&dev->hisi);
	return 0;
}

void
hisi_zip_dev_fini(struct hisi_zip_dev *dev)
{
	hisi_dev_hide(&dev->hisi);
	known_fini(dev);
	hisi_dev_close(&dev->hisi);
}

RTE_LOG_REGISTER_DEFAULT(hisi_zip_logtype, INFO);
