/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_OPS_H
#define SPIM_OPS_H

/**
 * @file
 * The queue level from below: what a transport implements so that spim.h works on it.
 *
 * A transport owns the mailbox of the function, or it asks a kernel that does. For the former
 * (local, unix, PCI) spim_qm.h implements these ops once, over registers. One for the latter
 * (uacce, spimdev.ko) is not there yet; it knows no register and no mailbox:
 *
 *   op           over registers                    over a kernel (UACCE 6)
 *   take         SQC and CQC by mailbox; rings     open(), SET_QP_CTX with the type, whose answer
 *                in memory of spim_conf.mem        is the queue's number; SET_QP_INFO has the
 *                                                  depth; rings in the DUS region, doorbell in
 *                                                  the MMIO region; START_Q
 *   check        a register that is not all        the stop words of the DUS region: -ESTALE
 *                ones, the number of resets
 *   opened       counted                           NULL: opened once
 *   stop         STOP_QP, or poll contexts       PUT_Q
 *   abort        the same, else reset              PUT_Q, else close()
 *   restart      the function is opened again      NULL: the kernel's queues begin at slot 0
 *   put          free the rings                    munmap(), close()
 *   event_fd     EQ, eventfd                       epoll of the queues' descriptors
 *   event_arm    CQ doorbell with priority 1       the same, and its descriptor is added
 *   mem_map      a message, if there is a map      an ioctl; none with shared addresses
 *   reg_write64  a register                        NULL
 *
 * A queue's struct hisi_qm_ring is filled by take: where SQ, CQ and doorbells are, the doorbells'
 * values with index 0, mask and number. wake_io and poll_io are NULL where nobody has to be woken
 * or polled. So the data path is the same over all of them.
 */

#include <sys/queue.h>

#include "spim.h"

/** Of a transport. Control path; any thread, unless spim.h says otherwise. */
struct spim_queue_ops {
	/** Free memory (spim_dev_fini()) and let go of the function. All queues were put. */
	void (*close)(struct spim_dev *dev);

	/* As the functions spim_queue_*() of spim.h. */
	int (*take)(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
			struct spim_queue **queue);
	int (*check)(struct spim_dev *dev, const struct spim_queue *queue);
	/** NULL: 0. */
	uint32_t (*opened)(struct spim_dev *dev);
	int (*stop)(struct spim_dev *dev, struct spim_queue *queue);
	int (*abort)(struct spim_dev *dev, struct spim_queue *queue);
	/** NULL: -ENOTSUP. */
	int (*restart)(struct spim_dev *dev, struct spim_queue *queue);
	void (*put)(struct spim_dev *dev, struct spim_queue *queue);

	/** As spim_event_*(). event_fd NULL: -ENOTSUP; then nobody calls the others. */
	int (*event_fd)(struct spim_dev *dev);
	void (*event_arm)(struct spim_dev *dev, const struct spim_queue *queue);
	void (*event_take)(struct spim_dev *dev);

	/** As spim_mem_map() and spim_mem_unmap(). Called if spim_info.mem_register only. */
	int (*mem_map)(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset);
	int (*mem_unmap)(struct spim_dev *dev, void *va, size_t len);

	/** As spim_reg_write64(). NULL: registers are out of reach, and no feature has one. */
	void (*reg_write64)(struct spim_dev *dev, uint32_t off, uint64_t value);
};

/** What every transport has; the first member of its own struct. */
struct spim_dev {
	const struct spim_queue_ops *ops;
	struct spim_conf conf;
	struct spim_info info;
	pthread_mutex_t mem_lock; /**< Of chunks. */
	LIST_HEAD(, spim_chunk) chunks; /**< Memory of spim_mem_alloc(). */
};

/** A transport by its name. */
struct spim_transport {
	const char *name; /**< All of an access point's name, or its beginning up to a colon. */
	/**
	 * Make the access point.
	 * @param rest
	 *   What follows the colon.
	 * @return 0 or a negative errno.
	 */
	int (*open)(const char *rest, const struct spim_conf *conf, struct spim_dev **dev);
};

extern const struct spim_transport spim_local;
extern const struct spim_transport spim_unix;

/** Send a line to conf->log, with the owner's name in front. */
void spim_log(const struct spim_conf *conf, enum base_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Fill in what is everybody's; info is zeroed. */
void spim_dev_init(struct spim_dev *dev, const struct spim_queue_ops *ops,
		const struct spim_conf *conf);

/** Free the memory of spim_mem_alloc(), while the function is still there. */
void spim_dev_fini(struct spim_dev *dev);

/**
 * Register all memory with a function that was opened, or opened again, if
 * spim_info.mem_register: that of spim_mem_alloc(), and the caller's (spim_conf.mem_register).
 * @return 0 or a negative errno.
 */
int spim_dev_mem_register(struct spim_dev *dev);

#endif /* SPIM_OPS_H */
