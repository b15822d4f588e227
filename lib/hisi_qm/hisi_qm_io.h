/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_IO_H
#define HISI_QM_IO_H

/**
 * @file
 * Register level: what a transport that owns a function's mailbox provides,
 * so that hisi_qm can turn it into queue pairs. A transport is PCI (BAR2
 * mapped), a software function in the process, or one behind a socket.
 */

#include <stddef.h>
#include <stdint.h>

#include "hisi_qm_regs.h"

struct hisi_qm_io;

/** Register accesses of a transport. Called from control paths, any thread. */
struct hisi_qm_io_ops {
	/** Read a 32-bit register at a byte offset in BAR2. All ones: the function is gone. */
	uint32_t (*read32)(struct hisi_qm_io *io, uint32_t off);
	/** Write a 32-bit register. */
	void (*write32)(struct hisi_qm_io *io, uint32_t off, uint32_t value);
	/** Write a 64-bit register with one store. */
	void (*write64)(struct hisi_qm_io *io, uint32_t off, uint64_t value);
	/**
	 * Store all 16 bytes of a mailbox command at once where the CPU can
	 * (QM 2.3), after all earlier stores to memory are visible to the function.
	 * @return 0, or a negative errno: the command did not reach the function, for certain.
	 */
	int (*mailbox)(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb);
	/**
	 * Addresses to which a queue's doorbells are stored, 64 bits each. On
	 * silicon both are the same address.
	 * @return 0 or -EINVAL (no such queue).
	 */
	int (*doorbells)(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq,
			volatile uint64_t **cq);
	/**
	 * Wake the function up for a queue whose doorbell words (struct hisi_qm_shadow,
	 * sq is the first member) say that it sleeps. NULL: it never does. Data path,
	 * but for a queue that was quiet for a while only.
	 */
	void (*wake)(struct hisi_qm_io *io, uint16_t qn);
	/**
	 * Reset the function: on return it touches no memory, and all queues and
	 * contexts are gone. NULL: cannot be done.
	 * @return 0 or a negative errno.
	 */
	int (*reset)(struct hisi_qm_io *io);
	/**
	 * Execute up to budget requests of a queue in the caller. NULL: the
	 * function works by itself. At most one thread per queue at a time.
	 */
	unsigned int (*poll)(struct hisi_qm_io *io, uint16_t qn, unsigned int budget);
};

/** One function at register level; embedded in the transport's own struct. */
struct hisi_qm_io {
	const struct hisi_qm_io_ops *ops;
	const char *name;  /**< For log lines. */
	uint8_t revision;  /**< PCI revision id: HISI_QM_REV_V2, HISI_QM_REV_V3 or later. */
};

/** Memory that both the process and the function can reach. */
struct hisi_qm_mem {
	void *va;      /**< Where the process sees it. */
	uint64_t iova; /**< Where the function sees it. */
	size_t len;    /**< Bytes. */
	void *handle;  /**< The allocator's own. */
};

/** Where queue memory comes from (hugepages in a DPDK process). */
struct hisi_qm_mem_ops {
	/**
	 * Reserve zeroed memory of len bytes, contiguous for the function, aligned to
	 * align (a power of two) and on a NUMA socket (-1: any).
	 * @return 0 or a negative errno.
	 */
	int (*alloc)(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem);
	/** Free it. */
	void (*free)(void *priv, struct hisi_qm_mem *mem);
	void *priv; /**< Passed to both. */
};

#endif /* HISI_QM_IO_H */
