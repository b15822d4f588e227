/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef LIAR_H
#define LIAR_H

/**
 * @file
 * A service that is right in all but one thing: what a client does with it shows whether
 * the client checks that thing.
 *
 *   liar.c         options; a process for each connection, whose messages pass one by one
 *   liar_ring.c    the function: our own model, whose completions are passed on one by one
 *   liar_answer.c  the lies that are told in answers
 *   liar_result.c  the lies that are told in rings
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hisi_qm_regs.h"
#include "hisi_zip_sqe.h"
#include "vfio_user_server.h"
#include "vfio_user_sock.h"
#include "qm_dev.h"

/** One message of the server, before the client gets it. */
struct message {
	struct vfio_user_hdr hdr; /**< size is what the client is told. */
	uint8_t body[VFIO_USER_XFER_MAX + 4096];
	size_t len;               /**< Bytes of the body that are sent. */
	struct vfio_user_fds fds;
};

/** What becomes of an answer. */
enum after {
	AFTER_SEND,
	AFTER_DROP,  /**< It is not sent, or was sent by the lie. */
	AFTER_CLOSE, /**< Neither is anything else: the connection ends. */
};

/** One completion of the function, before the client gets it. */
struct result {
	struct hisi_zip_sqe sqe;
	struct hisi_qm_cqe cqe;
	uint16_t slot;  /**< Where both go. */
	uint16_t mask;  /**< Depth of the rings less 1. */
	bool sqe_first; /**< Set; false: the SQE is not written back. */
	bool cqe_too;   /**< Set; false: the CQE is not written. */
	bool twice;     /**< Clear; set: the next CQE is valid, too. */
};

struct liar;

/** A lie, by name; one of the two functions is set. */
struct lie {
	const char *name;
	const char *what;
	/** Of the message that is answered, enum vfio_user_cmd; 0: of any. */
	uint16_t cmd;
	enum after (*answer)(struct liar *l, struct message *m);
	void (*result)(struct liar *l, struct result *r);
};

extern const struct lie answer_lies[], result_lies[]; /* Both end with an empty one. */

/** Rings of the client and of the function, which completions go between. */
struct pair {
	bool live;
	uint64_t client_sq, client_cq; /**< Addresses of the client's rings. */
	struct hisi_zip_sqe *sq;       /**< The function's. */
	struct hisi_qm_cqe *cq;
	uint16_t mask;
	uint16_t tail;                 /**< Slots of the client before it were passed on. */
	uint16_t head, phase;          /**< Of the function's next completion. */
	uint64_t db_sq, db_cq;         /**< Doorbell words as last seen. */
};

struct liar {
	/* Options. */
	const char *path;
	uint16_t queues;
	uint8_t revision;
	bool plain;
	unsigned int late_ms;
	const char *fault;
	/* The lie of this connection, in answers to cmd, at its n-th chance; 0: any, each. */
	const struct lie *lie;
	unsigned int cmd, n, chances;
	atomic_uint *told;                 /**< Shared by all connections. */
	int sock;                          /**< The client's end. */
	/* The function (liar_ring.c). */
	struct vfio_user_conn *conn;
	struct qm_dev *dev;
	struct hisi_qm_shadow *db;         /**< The client's words. */
	int db_fd;
	size_t db_len;
	struct pair *pairs;
	uint8_t *mem;                      /**< Rings and images of the function. */
	unsigned int irqs;                 /**< Bit per vector: to be raised behind completions. */
};

/** Send a message as it stands. */
void liar_send(struct liar *l, const struct message *m);
void liar_nap_ms(unsigned int ms);

/** Whether the lie is to be told now, at a chance to tell it; counts. */
bool liar_strikes(struct liar *l);

/** The client's memory at iova, or NULL. */
void *liar_client_mem(struct liar *l, uint64_t iova, uint64_t len);

/** Operations and shape of the server; its listener_priv is the liar. */
extern const struct vfio_user_ops ring_ops;
int ring_open(struct liar *l);
void ring_close(struct liar *l);
/** Pass on what the client rang for, and what was completed. @return Whether there was any. */
bool ring_work(struct liar *l);

#endif /* LIAR_H */
