/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * How clients come and go.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacker.h"

#define MEM_LEN (4u << 20)

static void
storm(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;

	while (now_s() < until) {
		struct attacker a;
		uint8_t msg[512];
		int socks[32];

		for (unsigned int i = 0; i < 32; i++)
			socks[i] = raw_connect(t);
		for (unsigned int i = 0; i < 32; i++) {
			/* Some say nothing, some do not wait for the answer. */
			if (rnd(&seed) % 3 != 0)
				raw_send(socks[i], msg, raw_version(msg), NULL, 0, MSG_DONTWAIT);
			if (rnd(&seed) % 3 == 0)
				shutdown(socks[i], rnd(&seed) % 3);
			close(socks[i]);
		}
		attacker_open(&a, t, MEM_LEN);
		if (rnd(&seed) % 2 == 0)
			attacker_must_work(&a, (uint16_t)(rnd(&seed) % 32));
		attacker_close(&a);
	}
}

/* More queues than there are, again and again. */
static void
takes_all_queues(const struct target *t)
{
	double until = now_s() + t->seconds;

	while (now_s() < until) {
		struct attacker as[8];
		unsigned int got = 0;

		for (unsigned int i = 0; i < 8; i++) {
			attacker_open(&as[i], t, MEM_LEN);
			for (uint16_t qn = 0; qn < 200; qn++) {
				struct queue q;
				size_t used = as[i].used;
				unsigned int status = queue_try(&q, &as[i], qn,
						HISI_ZIP_QC_COMPRESS, 16);

				as[i].used = used;
				if (status != 0)
					break;
				got++;
			}
		}
		if (got == 0)
			die("no queue at all");
		for (unsigned int i = 0; i < 8; i++)
			attacker_close(&as[i]);
	}
}

/* ---- fork ---- */

/* Both submit to one queue: same memory, same doorbells, same socket. */
static void
submit_a_lot(struct attacker *a, struct queue *q, uint32_t seed, double seconds)
{
	double until = now_s() + seconds;
	uint8_t *in = a->mem + (1u << 20), *out = in + 65536;

	while (now_s() < until) {
		sqe_compress(a, queue_next(q, HISI_ZIP_REQ_ZLIB), in, 1 + rnd(&seed) % 60000, out,
				131072);
		queue_ring(q);
		(void)queue_pop(q, 2);
	}
}

static void
child_uses_the_queue(const struct target *t)
{
	struct attacker a;
	struct queue q;
	int status;
	pid_t pid;

	attacker_open(&a, t, MEM_LEN);
	queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, 64);
	fill_text(a.mem + (1u << 20), 65536, t->seed);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		submit_a_lot(&a, &q, t->seed + 1, t->seconds);
		/* Messages of both on one stream. */
		for (unsigned int i = 0; i < 20; i++) {
			uint32_t value = 0;

			vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2,
					HISI_QM_SHADOW_REG_WAKE, &value, sizeof(value));
		}
		_exit(0);
	}
	submit_a_lot(&a, &q, t->seed, t->seconds / 2);
	/* The parent's end of it: the child goes on alone, on the same connection. */
	attacker_close(&a);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("the child died");
}

/* ---- Death ---- */

enum { STEPS = 13 };

/* A client's life up to a step. */
static void
live_until(const struct target *t, unsigned int step)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct attacker a;
	struct queue q;
	uint8_t *in = NULL, *out = NULL;
	uint32_t wake = 0;

	for (unsigned int i = 0; i <= step; i++) {
		switch (i) {
		case 0: (void)raw_connect(t); break;
		case 1: raw_negotiate(raw_connect(t)); break;
		case 2: attacker_connect(&a, t); break;
		case 3:
			attacker_close(&a);
			attacker_open(&a, t, 64u << 20);
			break;
		case 4:
			vfio_user_client_set_irqs(a.client, VFIO_USER_PCI_MSI, 0, 1, &fd);
			break;
		case 5: queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, 64); break;
		case 6:
			in = attacker_alloc(&a, 2u << 20, 4096);
			out = attacker_alloc(&a, 4u << 20, 4096);
			fill_text(in, 2u << 20, step);
			for (unsigned int n = 0; n < 20; n++)
				sqe_compress(&a, queue_next(&q, HISI_ZIP_REQ_ZLIB), in, 2u << 20,
						out, 4u << 20);
			break;
		case 7: /* rung, but not woken */
			a.db[0].sq = hisi_qm_db(0, HISI_QM_DB_SQ, 0x5ac3, q.tail, 0);
			break;
		case 8:
			vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2,
					HISI_QM_SHADOW_REG_WAKE, &wake, sizeof(wake));
			break;
		case 9: (void)queue_pop(&q, 2); break;
		case 10: (void)queue_pop(&q, 60000); break;
		case 11: { /* a mailbox command that drains */
			const struct hisi_qm_mailbox mb = { .w0 = HISI_QM_MB_STOP_QP |
				HISI_QM_MB_BUSY };

			vfio_user_client_region_post(a.client, VFIO_USER_PCI_BAR2,
					HISI_QM_MAILBOX, &mb, sizeof(mb));
			break;
		}
		case 12: { /* an unmap that waits, whose answer nobody hears */
			const struct vfio_user_dma_unmap body = { .argsz = sizeof(body),
				.iova = ATTACKER_IOVA, .size = 64u << 20 };
			uint8_t msg[64];

			raw_send(vfio_user_client_fd(a.client), msg, raw_message(msg, 77,
					VFIO_USER_DMA_UNMAP, 0, &body, sizeof(body)), NULL, 0, 0);
			break;
		}
		}
	}
}

static void
dies_at_every_step(const struct target *t)
{
	for (unsigned int step = 0; step < STEPS; step++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0) {
			live_until(t, step);
			kill(getpid(), SIGKILL);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			die("step %u could not be reached", step);
	}
}

/* All messages of a short life, cut off after each of their bytes. */
static void
dies_inside_every_message(const struct target *t)
{
	const struct vfio_user_dma_map map = { .argsz = sizeof(map), .flags = 3,
		.iova = ATTACKER_IOVA, .size = MEM_LEN };
	const struct vfio_user_region_info info = { .argsz = sizeof(info), .index = 9 };
	const struct vfio_user_region_rw rd = { .region = VFIO_USER_PCI_CONFIG, .count = 64 };
	const struct vfio_user_irq_set irq = { .argsz = sizeof(irq), .flags =
		VFIO_USER_SET_F_EVENTFD | VFIO_USER_SET_F_TRIGGER, .index = VFIO_USER_PCI_MSI,
		.count = 1 };
	size_t at[6], all;
	uint8_t msg[1024];
	int mem = attacker_memfd(MEM_LEN), event = eventfd(0, EFD_NONBLOCK);

	at[0] = raw_version(msg);
	at[1] = at[0] + raw_message(msg + at[0], 2, VFIO_USER_DMA_MAP, 0, &map, sizeof(map));
	at[2] = at[1] + raw_message(msg + at[1], 3, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &info,
			sizeof(info));
	at[3] = at[2] + raw_message(msg + at[2], 4, VFIO_USER_REGION_READ, 0, &rd, sizeof(rd));
	at[4] = at[3] + raw_message(msg + at[3], 5, VFIO_USER_DEVICE_SET_IRQS, 0, &irq,
			sizeof(irq));
	all = at[4];
	for (size_t cut = 0; cut <= all; cut++) {
		int sock = raw_connect(t);
		size_t first = cut < at[0] ? cut : at[0];

		raw_send(sock, msg, first, NULL, 0, 0);
		/* Descriptors travel with the first byte of their message. */
		if (cut > at[0])
			raw_send(sock, msg + at[0], (cut < at[3] ? cut : at[3]) - at[0], &mem, 1,
					0);
		if (cut > at[3])
			raw_send(sock, msg + at[3], cut - at[3], &event, 1, 0);
		close(sock);
	}
}

const struct attack attacks_process[] = {
	{ "opens and closes in a storm", storm },
	{ "takes all queues", takes_all_queues },
	{ "child uses the queue", child_uses_the_queue },
	{ "dies at every step", dies_at_every_step },
	{ "dies inside every message", dies_inside_every_message },
	{ NULL, NULL },
};
