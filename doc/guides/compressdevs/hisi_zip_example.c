/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Compresses one buffer and decompresses it again, with the first compression device there is. */

#include <stdio.h>
#include <string.h>

#include <rte_comp.h>
#include <rte_compressdev.h>
#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#define DEV 0
#define QP 0
#define ROOM 32768

static struct rte_mempool *mbufs, *ops;

static void
start_device(void)
{
	struct rte_compressdev_config config = {
		.socket_id = (int)rte_socket_id(),
		.nb_queue_pairs = 1,
		.max_nb_priv_xforms = 2,
	};

	if (rte_compressdev_count() == 0 || rte_compressdev_configure(DEV, &config) != 0 ||
			rte_compressdev_queue_pair_setup(DEV, QP, 64, config.socket_id) != 0 ||
			rte_compressdev_start(DEV) != 0)
		rte_exit(1, "no compression device could be started\n");
}

/* The first len bytes of src, through the device, into a new mbuf. */
static struct rte_mbuf *
run(const struct rte_comp_xform *xform, struct rte_mbuf *src, uint32_t len)
{
	struct rte_mbuf *dst = rte_pktmbuf_alloc(mbufs);
	struct rte_comp_op *op = rte_comp_op_alloc(ops), *done;
	void *priv;

	if (dst == NULL || op == NULL || rte_pktmbuf_append(dst, ROOM) == NULL ||
			rte_compressdev_private_xform_create(DEV, xform, &priv) != 0)
		rte_exit(1, "no memory, or the device cannot do this\n");

	op->op_type = RTE_COMP_OP_STATELESS;
	op->private_xform = priv;
	op->m_src = src;
	op->src.offset = 0;
	op->src.length = len;
	op->m_dst = dst; /* data_len bytes of it are room for output */
	op->dst.offset = 0;
	op->flush_flag = RTE_COMP_FLUSH_FINAL;

	/* Accepted ops come back in this order; a full queue pair takes less than it is given. */
	while (rte_compressdev_enqueue_burst(DEV, QP, &op, 1) == 0)
		;
	while (rte_compressdev_dequeue_burst(DEV, QP, &done, 1) == 0)
		;
	if (done->status != RTE_COMP_OP_STATUS_SUCCESS)
		rte_exit(1, "status %u\n", done->status);
	rte_pktmbuf_trim(dst, (uint16_t)(ROOM - done->produced));
	rte_comp_op_free(done);
	rte_compressdev_private_xform_free(DEV, priv);
	return dst;
}

int
main(int argc, char **argv)
{
	static const struct rte_comp_xform compress = {
		.type = RTE_COMP_COMPRESS,
		.compress = {
			.algo = RTE_COMP_ALGO_DEFLATE,
			.deflate.huffman = RTE_COMP_HUFFMAN_DYNAMIC,
			.level = 6,
			.window_size = 15,
			.chksum = RTE_COMP_CHECKSUM_NONE,
		},
	};
	static const struct rte_comp_xform decompress = {
		.type = RTE_COMP_DECOMPRESS,
		.decompress = {
			.algo = RTE_COMP_ALGO_DEFLATE,
			.window_size = 15,
			.chksum = RTE_COMP_CHECKSUM_NONE,
		},
	};
	struct rte_mbuf *plain, *packed, *again;
	char *data;

	if (rte_eal_init(argc, argv) < 0)
		rte_exit(1, "EAL could not be started\n");
	start_device();
	mbufs = rte_pktmbuf_pool_create("mbufs", 8, 0, 0, ROOM + RTE_PKTMBUF_HEADROOM,
		(int)rte_socket_id());
	ops = rte_comp_op_pool_create("ops", 8, 0, 0, (int)rte_socket_id());
	if (mbufs == NULL || ops == NULL)
		rte_exit(1, "no memory\n");

	plain = rte_pktmbuf_alloc(mbufs);
	data = plain != NULL ? rte_pktmbuf_append(plain, ROOM) : NULL;
	if (data == NULL)
		rte_exit(1, "no memory\n");
	for (int i = 0; i < ROOM; i++)
		data[i] = "spimdev "[i % 8];

	packed = run(&compress, plain, ROOM);
	again = run(&decompress, packed, packed->data_len);
	printf("%d bytes, compressed %u, again %u: %s\n", ROOM, packed->data_len, again->data_len,
		again->data_len == ROOM &&
		memcmp(data, rte_pktmbuf_mtod(again, char *), ROOM) == 0 ? "same" : "different");

	rte_pktmbuf_free(plain);
	rte_pktmbuf_free(packed);
	rte_pktmbuf_free(again);
	rte_compressdev_stop(DEV);
	rte_compressdev_close(DEV);
	return rte_eal_cleanup();
}
