/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * A DPDK application that has data compressed and decompressed, ops without state, and trusts
 * nobody: every result is compared, by zlib too. It goes on until SIGTERM, while others do to
 * the service what they like. "ready" on standard output: the first results were right.
 *
 * usage: restart_client EAL-ARGUMENT... [-- external]
 *   external  data lies in memory of its own, mapped by rte_dev_dma_map()
 * Ends with 1, and a line that says why, if an op failed, a byte was wrong or an op did not come
 * back within a minute.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_comp.h>
#include <rte_compressdev.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include <zlib.h>

#include "load.h"

#define BURST   16u
#define OP_MAX  30000u
#define ROOM    60000u /* of an mbuf */
#define PATIENCE_US 60e6

static volatile sig_atomic_t ended;

static struct rte_mempool *mbufs, *ops;
static void *to_deflate, *to_plain;
static uint64_t done, longest_us;

static void
end(int sig)
{
	(void)sig;
	ended = 1;
}

/* Mbufs whose data is not in EAL's memory. */
static struct rte_mempool *
external_mbufs(unsigned int n, uint16_t room)
{
	const size_t page = 2u << 20, len = ((size_t)n * room / page + 1) * page;
	const int fd = memfd_create("external", MFD_CLOEXEC);
	struct rte_pktmbuf_extmem ext = { .buf_iova = RTE_BAD_IOVA, .buf_len = len,
		.elt_size = room };
	struct rte_device *d, *device = NULL;
	struct rte_dev_iterator it;

	LOAD_CHECK(fd >= 0 && ftruncate(fd, (off_t)len) == 0, "no file");
	ext.buf_ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	LOAD_CHECK(ext.buf_ptr != MAP_FAILED, "no memory");
	LOAD_CHECK(rte_extmem_register(ext.buf_ptr, len, NULL, 0, 4096) == 0, "register");
	RTE_DEV_FOREACH(d, "bus=vdev", &it)
		device = d;
	LOAD_CHECK(device != NULL, "no device on the bus");
	LOAD_CHECK(rte_dev_dma_map(device, ext.buf_ptr, ext.buf_iova, len) == 0, "dma_map");
	return rte_pktmbuf_pool_create_extbuf("mbufs", n, 0, 0, room, SOCKET_ID_ANY, &ext, 1);
}

static void
setup(bool external)
{
	const struct rte_comp_xform comp = {
		.type = RTE_COMP_COMPRESS,
		.compress = { .algo = RTE_COMP_ALGO_DEFLATE, .level = 1, .window_size = 15,
			.deflate.huffman = RTE_COMP_HUFFMAN_DYNAMIC },
	};
	const struct rte_comp_xform decomp = {
		.type = RTE_COMP_DECOMPRESS,
		.decompress = { .algo = RTE_COMP_ALGO_DEFLATE, .window_size = 15 },
	};
	struct rte_compressdev_config conf = {
		.socket_id = SOCKET_ID_ANY, .nb_queue_pairs = 1, .max_nb_priv_xforms = 4,
	};

	const uint16_t room = ROOM + RTE_PKTMBUF_HEADROOM;

	LOAD_CHECK(rte_compressdev_count() == 1, "%u devices", rte_compressdev_count());
	mbufs = external ? external_mbufs(4 * BURST, room) :
		rte_pktmbuf_pool_create("mbufs", 4 * BURST, 0, 0, room, SOCKET_ID_ANY);
	ops = rte_comp_op_pool_create("ops", 2 * BURST, 0, 0, SOCKET_ID_ANY);
	LOAD_CHECK(mbufs != NULL && ops != NULL, "no memory for mbufs and ops");
	LOAD_CHECK(rte_compressdev_configure(0, &conf) == 0, "configure");
	LOAD_CHECK(rte_compressdev_queue_pair_setup(0, 0, 2 * BURST, SOCKET_ID_ANY) == 0,
		"queue pair");
	LOAD_CHECK(rte_compressdev_start(0) == 0, "start");
	LOAD_CHECK(rte_compressdev_private_xform_create(0, &comp, &to_deflate) == 0, "xform");
	LOAD_CHECK(rte_compressdev_private_xform_create(0, &decomp, &to_plain) == 0, "xform");
}

/* Have n ops done; they come back in order. */
static void
run(struct rte_comp_op **op, uint16_t n, const char *what)
{
	struct rte_comp_op *back[BURST];
	uint16_t in = 0, out = 0, k;
	double start = load_now_us(), waited;
	unsigned int empty = 0;

	while (out < n) {
		in += rte_compressdev_enqueue_burst(0, 0, op + in, n - in);
		k = rte_compressdev_dequeue_burst(0, 0, back, BURST);
		for (uint16_t i = 0; i < k; i++, out++) {
			LOAD_CHECK(out < in && back[i] == op[out], "%s: op %u came back as another",
				what, out);
			LOAD_CHECK(back[i]->status == RTE_COMP_OP_STATUS_SUCCESS,
				"%s: op %u of %u has status %u after %lu ops", what, out, n,
				back[i]->status, (unsigned long)done);
		}
		waited = load_now_us() - start;
		LOAD_CHECK(waited < PATIENCE_US, "%s: %u of %u ops taken and %u came back in "
			"%.0f s", what, in, n, out, waited / 1e6);
		empty = k != 0 ? 0 : empty + 1;
		/* Others need the CPU, too. */
		if (empty > 8)
			load_nap_us(empty < 100 ? 20 : 500);
	}
	if ((uint64_t)waited > longest_us)
		longest_us = (uint64_t)waited;
}

static struct rte_mbuf *
mbuf(const void *data, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(mbufs);
	char *at;

	LOAD_CHECK(m != NULL, "no mbuf");
	at = rte_pktmbuf_append(m, len);
	LOAD_CHECK(at != NULL, "%u bytes", len);
	if (data != NULL)
		memcpy(at, data, len);
	else
		memset(at, 0xa5, len);
	return m;
}

static void
check(const struct rte_mbuf *m, uint32_t len, const uint8_t *want, uint32_t want_len,
		const char *what)
{
	LOAD_CHECK(len == want_len && memcmp(rte_pktmbuf_mtod(m, void *), want, len) == 0,
		"%s: wrong bytes, %u of them, expected %u, after %lu ops", what, len, want_len,
		(unsigned long)done);
}

static void
zlib_check(const struct rte_mbuf *m, uint32_t len, const uint8_t *want, uint32_t want_len)
{
	static uint8_t out[OP_MAX + 1];
	z_stream z = { .next_in = rte_pktmbuf_mtod(m, Bytef *), .avail_in = len,
		.next_out = out, .avail_out = sizeof(out) };
	int ret;

	LOAD_CHECK(inflateInit2(&z, -15) == Z_OK, "zlib");
	ret = inflate(&z, Z_FINISH);
	LOAD_CHECK(ret == Z_STREAM_END && z.total_out == want_len &&
		memcmp(out, want, want_len) == 0,
		"zlib: %d and %lu bytes of %u, expected %u, after %lu ops", ret, z.total_out, len,
		want_len, (unsigned long)done);
	inflateEnd(&z);
}

static void
round_trip(uint64_t *random)
{
	struct rte_comp_op *op[BURST];
	const uint8_t *data[BURST];
	uint16_t len[BURST], n = (uint16_t)(1 + load_random(random) % BURST);

	LOAD_CHECK(rte_comp_op_bulk_alloc(ops, op, n) == n, "no ops");
	for (uint16_t i = 0; i < n; i++) {
		len[i] = (uint16_t)(1 + load_random(random) % OP_MAX);
		data[i] = load_data + load_random(random) % (load_data_len - OP_MAX);
		op[i]->op_type = RTE_COMP_OP_STATELESS;
		op[i]->flush_flag = RTE_COMP_FLUSH_FINAL;
		op[i]->private_xform = to_deflate;
		op[i]->m_src = mbuf(data[i], len[i]);
		op[i]->m_dst = mbuf(NULL, ROOM);
		op[i]->src.offset = op[i]->dst.offset = 0;
		op[i]->src.length = len[i];
	}
	run(op, n, "compression");
	for (uint16_t i = 0; i < n; i++) {
		LOAD_CHECK(op[i]->consumed == len[i], "compression consumed %u of %u",
			op[i]->consumed, len[i]);
		check(op[i]->m_src, len[i], data[i], len[i], "source of compression");
		zlib_check(op[i]->m_dst, op[i]->produced, data[i], len[i]);
		rte_pktmbuf_free(op[i]->m_src);
		op[i]->m_src = op[i]->m_dst;
		op[i]->m_dst = mbuf(NULL, ROOM);
		op[i]->src.length = op[i]->produced;
		op[i]->private_xform = to_plain;
	}
	run(op, n, "decompression");
	for (uint16_t i = 0; i < n; i++) {
		check(op[i]->m_dst, op[i]->produced, data[i], len[i], "decompression");
		rte_pktmbuf_free(op[i]->m_src);
		rte_pktmbuf_free(op[i]->m_dst);
	}
	done += 2 * n;
	rte_comp_op_bulk_free(op, n);
}

int
main(int argc, char **argv)
{
	uint64_t random = (uint64_t)getpid();

	int used = rte_eal_init(argc, argv);

	if (used < 0)
		return 2;
	signal(SIGTERM, end);
	load_data_read();
	setup(argc - used == 2 && strcmp(argv[used + 1], "external") == 0);
	round_trip(&random);
	puts("ready");
	fflush(stdout);
	while (!ended)
		round_trip(&random);
	rte_compressdev_private_xform_free(0, to_deflate);
	rte_compressdev_private_xform_free(0, to_plain);
	rte_compressdev_stop(0);
	LOAD_CHECK(rte_compressdev_close(0) == 0, "close");
	printf("%lu %lu\n", (unsigned long)done, (unsigned long)longest_us);
	fflush(stdout);
	rte_eal_cleanup();
	return 0;
}
