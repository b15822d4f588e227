/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>

#include "hisi_zip_pmd.h"

/*
 * Memory for rings, SGLs and contexts: hugepage memory, each piece contiguous in
 * the device's address space. With pointers, or IOVAs that equal pointers, any
 * heap memory is that; else only a memzone is.
 */
static int
mem_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	static RTE_ATOMIC(uint32_t) serial; /* memzone names must differ */
	const struct hisi_zip_dev *dev = priv;
	const struct rte_memzone *mz;
	char name[RTE_MEMZONE_NAMESIZE];

	align = RTE_MAX(align, (size_t)RTE_CACHE_LINE_SIZE);
	mem->len = len;
	mem->handle = NULL;
	if (dev->addr_off == offsetof(struct rte_mbuf, buf_addr) ||
			rte_eal_iova_mode() == RTE_IOVA_VA) {
		mem->va = rte_zmalloc_socket("hisi_zip", len, align, socket);
		mem->iova = (uintptr_t)mem->va;
		return mem->va != NULL ? 0 : -ENOMEM;
	}
	snprintf(name, sizeof(name), "hisi_zip_%" PRIu32,
		rte_atomic_fetch_add_explicit(&serial, 1, rte_memory_order_relaxed));
	mz = rte_memzone_reserve_aligned(name, len, socket, RTE_MEMZONE_IOVA_CONTIG, align);
	if (mz == NULL)
		return -ENOMEM;
	memset(mz->addr, 0, len);
	mem->va = mz->addr;
	mem->iova = mz->iova;
	mem->handle = (void *)(uintptr_t)mz;
	return 0;
}

static void
mem_free(void *priv, struct hisi_qm_mem *mem)
{
	RTE_SET_USED(priv);
	if (mem->handle != NULL)
		rte_memzone_free(mem->handle);
	else
		rte_free(mem->va);
	mem->va = NULL;
}

static void
log_line(int error, const char *line)
{
	if (error)
		HISI_ZIP_LOG(ERR, "%s", line);
	else
		HISI_ZIP_LOG(INFO, "%s", line);
}

/* Engine threads run where EAL lets control threads run: off the lcores' CPUs. */
static int
spawn(pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	RTE_SET_USED(priv);
	return hisi_zip_ctrl_thread_create(thread, "zip-engine", run, arg);
}

/* What the device can do: the function's own features, and all of them with sw=on. */
static void
set_capabilities(struct hisi_zip_dev *dev)
{
	const uint64_t sgl = RTE_COMP_FF_OOP_SGL_IN_SGL_OUT | RTE_COMP_FF_OOP_SGL_IN_LB_OUT |
		RTE_COMP_FF_OOP_LB_IN_SGL_OUT;
	const uint64_t chksum = RTE_COMP_FF_CRC32_CHECKSUM | RTE_COMP_FF_ADLER32_CHECKSUM |
		RTE_COMP_FF_CRC32_ADLER32_CHECKSUM;
	uint32_t ext = dev->args.sw ? HISI_ZIP_EXT_F_ALL : dev->info.ext_features;
	bool raw = dev->args.sw || dev->info.revision >= HISI_QM_REV_V3;
	unsigned int n = 0;

	if (raw) {
		uint64_t flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			RTE_COMP_FF_STATEFUL_DECOMPRESSION | RTE_COMP_FF_HUFFMAN_DYNAMIC;

		if (ext & HISI_ZIP_EXT_F_CHECKSUM)
			flags |= chksum;
		if (ext & HISI_ZIP_EXT_F_HUFFMAN)
			flags |= RTE_COMP_FF_HUFFMAN_FIXED;
		if (ext & HISI_ZIP_EXT_F_LEVEL)
			flags |= RTE_COMP_FF_NONCOMPRESSED_BLOCKS;
		if (ext & HISI_ZIP_EXT_F_FLUSH)
			flags |= RTE_COMP_FF_STATEFUL_COMPRESSION;
		dev->caps[n].algo = RTE_COMP_ALGO_DEFLATE;
		dev->caps[n].comp_feature_flags = flags;
		dev->caps[n].window_size.min = ext & HISI_ZIP_EXT_F_WINDOW ?
			ZIP_CODEC_WINDOW_MIN : 12;
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

int
hisi_zip_dev_init(struct hisi_zip_dev *dev, struct hisi_qm_io *io)
{
	struct spim_conf conf = {
		.owner = dev->name,
		.device = HISI_PCI_DEVICE_ZIP_VF,
		.mem = &dev->mem,
		.log = log_line,
		.announce = hisi_zip_mem_announce,
		.announce_priv = dev,
		.local = dev->args.local,
	};
	int ret;

	TAILQ_INIT(&dev->qps);
	SLIST_INIT(&dev->extmem);
	pthread_mutex_init(&dev->extmem_lock, NULL);
	dev->io = io;
	conf.local.spawn = spawn;
	conf.local.fault = dev->args.fault;
	dev->mem = (struct hisi_qm_mem_ops){ .alloc = mem_alloc, .free = mem_free, .priv = dev };
	/*
	 * Every access point with a name uses pointers (spim_info.va), also where memory
	 * must be announced. Only a function behind a bus uses IOVAs, in whichever mode
	 * EAL is: an external buffer has the one that it was attached with.
	 */
	dev->addr_off = io == NULL ? offsetof(struct rte_mbuf, buf_addr) : HISI_ZIP_MBUF_IOVA;
	ret = io == NULL ? spim_open(dev->args.dev, &conf, &dev->spim) :
		spim_open_io(io, 0, &conf, &dev->spim);
	if (ret != 0) {
		hisi_zip_mem_unwatch(dev);
		hisi_zip_extmem_fini(dev);
		HISI_ZIP_LOG(ERR, "%s: dev=%s could not be opened (%d)", dev->name, dev->args.dev,
			ret);
		return ret;
	}
	spim_info_get(dev->spim, &dev->info);
	set_capabilities(dev);
	if (dev->caps[0].algo == RTE_COMP_ALGO_UNSPECIFIED) {
		HISI_ZIP_LOG(ERR, "%s: a function of revision 0x%x has no algorithm of compressdev "
			"by itself, expected sw=on", dev->name, dev->info.revision);
		hisi_zip_mem_unwatch(dev);
		spim_close(dev->spim);
		hisi_zip_extmem_fini(dev);
		return -ENOTSUP;
	}
	dev->feature_flags = io != NULL ? RTE_COMPDEV_FF_HW_ACCELERATED : 0;
	if (dev->info.polled)
		dev->feature_flags |= RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE;
	HISI_ZIP_LOG(INFO, "%s: dev=%s revision 0x%x, %u queues, features 0x%x", dev->name,
		dev->args.dev, dev->info.revision, dev->info.queues, dev->info.ext_features);
	hisi_zip_telemetry_add(dev);
	return 0;
}

void
hisi_zip_dev_fini(struct hisi_zip_dev *dev)
{
	hisi_zip_telemetry_remove(dev);
	hisi_zip_mem_unwatch(dev);
	spim_close(dev->spim);
	hisi_zip_extmem_fini(dev);
}
