/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Nothing in them is wrong: as much work, as slow work, and as many clients as there can be.
 */

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "attacker.h"
#include "vfio_user_proto.h"

#define SLOW_LEN   (7u << 20)
#define SLOW_ROOM  (8u << 20)
#define SLOW_CNT   4u         /* queues of them */
#define SLOW_DEPTH 8u
#define MEM_LEN    (SLOW_LEN + SLOW_ROOM + (1u << 20))
#define WAIT_MS    60000u

static struct attacker a;
static uint8_t *from, *to;

/* Of two letters: each place has matches, and none of them is long. */
static void
open_noise(const struct target *t)
{
	uint32_t seed = t->seed | 1;

	attacker_open(&a, t, MEM_LEN);
	from = attacker_alloc(&a, SLOW_LEN, 64);
	to = attacker_alloc(&a, SLOW_ROOM, 64);
	for (size_t i = 0; i < SLOW_LEN; i++)
		from[i] = 'a' + (rnd(&seed) >> 7 & 1);
}

static void
slow_request(struct queue *q)
{
	struct hisi_zip_sqe *sqe = queue_next(q, HISI_ZIP_REQ_DEFLATE);

	sqe_compress(&a, sqe, from, SLOW_LEN, to, SLOW_ROOM);
	sqe->dw10 = HISI_ZIP_EXT_VALID | 9u << HISI_ZIP_EXT_LEVEL_SHIFT |
		15u << HISI_ZIP_EXT_WINDOW_SHIFT;
}

static void
slow_done(struct queue *q)
{
	const struct hisi_zip_sqe *sqe = queue_pop(q, WAIT_MS);

	if (sqe == NULL || (sqe->dw3 & HISI_ZIP_STATUS_MASK) != HISI_ZIP_OK)
		die("%u bytes of noise: dw3 0x%x", SLOW_LEN, sqe == NULL ? 0xffffffff : sqe->dw3);
}

/* The slowest requests there are, two in each of some queues at any time. */
static void
slowest_requests(const struct target *t)
{
	double until = now_s() + t->seconds;
	struct queue q[SLOW_CNT];
	unsigned int n = 0;

	open_noise(t);
	for (unsigned int i = 0; i < SLOW_CNT; i++) {
		queue_start(&q[i], &a, (uint16_t)i, HISI_ZIP_QC_COMPRESS, SLOW_DEPTH);
		for (unsigned int k = 0; k < 2; k++)
			slow_request(&q[i]);
		queue_ring(&q[i]);
	}
	for (; now_s() < until; n++) {
		slow_done(&q[n % SLOW_CNT]);
		slow_request(&q[n % SLOW_CNT]);
		queue_ring(&q[n % SLOW_CNT]);
	}
	for (unsigned int i = 0; i < 2 * SLOW_CNT; i++, n++)
		slow_done(&q[n % SLOW_CNT]);
	attacker_must_work(&a, SLOW_CNT);
	attacker_close(&a);
}

/* Who waits for it is the client alone: a context that is set anew under it, a reset, the end. */
static void
reset_under_a_slow_request(const struct target *t)
{
	double until = now_s() + t->seconds;
	unsigned int n = 0;
	struct queue q;

	do {
		open_noise(t);
		queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, SLOW_DEPTH);
		slow_request(&q);
		queue_ring(&q);
		nap_ms(5);
		if (n % 2 != 0)
			(void)queue_try(&q, &a, 0, HISI_ZIP_QC_COMPRESS, SLOW_DEPTH);
		if (n % 3 != 2)
			vfio_user_client_reset(a.client);
		if (n % 3 == 0)
			attacker_must_work(&a, 1);
		attacker_close(&a);
	} while (++n < 2 || now_s() < until);
}

/* Each of them asks again once it has the answer, so that all of them are always ready. */
static void
many_clients_that_read(const struct target *t)
{
	enum { CLIENTS = 64 };
	const struct vfio_user_region_rw read = { .region = VFIO_USER_PCI_BAR2,
		.offset = HISI_QM_MAILBOX, .count = 16 };
	double until = now_s() + t->seconds;
	struct pollfd pfd[CLIENTS];
	unsigned int asked = 0;
	uint8_t msg[128];
	size_t len;

	len = raw_message(msg, 7, VFIO_USER_REGION_READ, 0, &read, sizeof(read));
	for (unsigned int i = 0; i < CLIENTS; i++) {
		pfd[i] = (struct pollfd){ .fd = raw_connect(t), .events = POLLIN };
		raw_negotiate(pfd[i].fd);
		(void)raw_send(pfd[i].fd, msg, len, NULL, 0, 0);
	}
	while (now_s() < until) {
		poll(pfd, CLIENTS, 100);
		for (unsigned int i = 0; i < CLIENTS; i++) {
			if (pfd[i].revents == 0)
				continue;
			if (!raw_drain(pfd[i].fd))
				die("a client that reads: closed");
			(void)raw_send(pfd[i].fd, msg, len, NULL, 0, 0);
			asked++;
		}
	}
	if (asked < CLIENTS)
		die("%u answers only", asked);
}

const struct attack attacks_load[] = {
	{ "slowest requests in some queues", slowest_requests },
	{ "reset under a slow request", reset_under_a_slow_request },
	{ "many clients that read", many_clients_that_read },
	{ NULL, NULL },
};
