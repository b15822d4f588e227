/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ATTACKER_H
#define ATTACKER_H

/**
 * @file
 * What a hostile client is made of: a connection with memory of its own, queues that it
 * fills with whatever it likes, and a socket for messages that no library would send.
 *
 * An attack runs in a process of its own. What it cannot set up ends that process with a
 * line on standard error and status 1, and so does an answer that must not be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hisi_acc_sgl.h"
#include "hisi_qm_regs.h"
#include "hisi_qm_shadow.h"
#include "hisi_udma_sqe.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "vfio_user_client.h"

/** Where an attacker has its memory, unless it says something else. */
#define ATTACKER_IOVA 0x100000000ull

/** What is attacked. */
struct target {
	const char *path; /**< Socket of the service. */
	pid_t pid;        /**< The service. */
	double seconds;   /**< How long an attack that could go on forever does. */
	uint32_t seed;
};

/** One attack: a test. */
struct attack {
	const char *name;
	void (*run)(const struct target *t);
};

extern const struct attack attacks_request[]; /**< What requests say; ends with name NULL. */
extern const struct attack attacks_udma[];    /**< Queues of the class UDMA. */
extern const struct attack attacks_memory[];  /**< Memory that is taken away. */
extern const struct attack attacks_ring[];    /**< Rings, doorbells, contexts. */
extern const struct attack attacks_message[]; /**< The protocol. */
extern const struct attack attacks_descriptor[]; /**< Descriptors sent along. */
extern const struct attack attacks_process[]; /**< How clients come and go. */
extern const struct attack attacks_load[];    /**< Proper work, as much as there can be. */

/** End the attack as a failure. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** xorshift32. */
uint32_t rnd(uint32_t *seed);
uint64_t rnd64(uint32_t *seed);
void fill_random(void *buf, size_t len, uint32_t seed);
void fill_text(void *buf, size_t len, uint32_t seed);

double now_s(void);
void nap_ms(unsigned int ms);

/* ---- A connection of a driver ---- */

struct attacker {
	struct vfio_user_client *client;
	struct hisi_qm_shadow *db; /**< Doorbells. */
	size_t db_len;             /**< Bytes of them. */
	uint8_t *mem;              /**< Its memory, which lies at ATTACKER_IOVA. */
	size_t len;
	int fd;                    /**< The memory's file. */
	size_t used;               /**< Of mem, by attacker_alloc(). */
};

/** Connect, with len bytes of memory mapped. */
void attacker_open(struct attacker *a, const struct target *t, size_t len);
/** The same without memory. */
void attacker_connect(struct attacker *a, const struct target *t);
void attacker_close(struct attacker *a);

/** A part of its memory, zeroed. */
void *attacker_alloc(struct attacker *a, size_t len, size_t align);
/** Its address for the device. */
uint64_t attacker_iova(const struct attacker *a, const void *va);
/** Post a mailbox command, and wait for its end. @return Its status. */
unsigned int attacker_mailbox(struct attacker *a, uint16_t cmd, uint16_t qn, uint64_t base);
/** A memfd of len bytes. */
int attacker_memfd(size_t len);

/** A queue, without any of a driver's care. */
struct queue {
	struct attacker *a;
	uint16_t qn, depth, tail, head, phase;
	struct hisi_zip_sqe *sq;
	struct hisi_qm_cqe *cq;
};

/** @return The mailbox status; 0: it is started. */
unsigned int queue_try(struct queue *q, struct attacker *a, uint16_t qn, uint8_t type,
		uint16_t depth);
/** The same; no other status than 0 will do. */
void queue_start(struct queue *q, struct attacker *a, uint16_t qn, uint8_t type,
		uint16_t depth);
/** The next SQE to fill in, zeroed but for what makes it a request of this type. */
struct hisi_zip_sqe *queue_next(struct queue *q, uint8_t req);
/** Ring for all SQEs taken so far. */
void queue_ring(struct queue *q);
/** Ring with any index. */
void queue_ring_index(struct queue *q, uint16_t index);
/** @return The next finished SQE, acknowledged; NULL: none within ms. */
const struct hisi_zip_sqe *queue_pop(struct queue *q, unsigned int ms);
/** Ring, wait. @return The status of the request; none within 60 s is a failure. */
unsigned int queue_do(struct queue *q);

/** The next SQE of a queue of type UDMA, with all that makes it a request. */
struct hisi_udma_sqe *queue_next_udma(struct queue *q, enum hisi_udma_op op, uint64_t from,
		uint64_t at, uint32_t len);
/** Ring, wait. @return wb of the request; none within 60 s is a failure. */
uint32_t queue_do_udma(struct queue *q);

/** Make it a compression of in (len bytes) to out (room bytes). */
void sqe_compress(struct attacker *a, struct hisi_zip_sqe *sqe, const void *in, uint32_t len,
		void *out, uint32_t room);
/** A proper request still works, in this very function. */
void attacker_must_work(struct attacker *a, uint16_t qn);

/* ---- A socket ---- */

/** Connect. */
int raw_connect(const struct target *t);
/** Send, with descriptors beside it. @return Bytes, or negative errno. */
ssize_t raw_send(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds,
		int flags);
/** Put a message together at buf. @return Its size. */
size_t raw_message(uint8_t *buf, uint16_t id, uint16_t cmd, uint32_t flags, const void *body,
		size_t len);
/** The VERSION message of a client that knows shadow doorbells. @return Its size. */
size_t raw_version(uint8_t *buf);
/** Agree on a version. */
void raw_negotiate(int sock);
/** Read what there is, and drop it. @return false: the server closed it. */
bool raw_drain(int sock);

#endif /* ATTACKER_H */
