/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Messages: too many of them, answers that nobody reads, words without sense.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacker.h"

/* REGION_READ or, with data behind it, REGION_WRITE. */
static size_t
region_message(uint8_t *buf, uint16_t cmd, uint32_t flags, uint32_t region, uint64_t offset,
		const void *data, uint32_t count)
{
	uint8_t body[sizeof(struct vfio_user_region_rw) + 64];
	const struct vfio_user_region_rw rw = { .offset = offset, .region = region,
		.count = count };

	memcpy(body, &rw, sizeof(rw));
	if (data != NULL)
		memcpy(body + sizeof(rw), data, count);
	return raw_message(buf, 9, cmd, flags, body, sizeof(rw) + (data != NULL ? count : 0));
}

/* ---- Nobody reads ---- */

static void
stops_reading(const struct target *t)
{
	enum { CLIENTS = 8 };
	double until = now_s() + t->seconds;
	struct pollfd pfd[CLIENTS];
	uint8_t msg[128];
	size_t len;

	for (unsigned int i = 0; i < CLIENTS; i++) {
		pfd[i] = (struct pollfd){ .fd = raw_connect(t), .events = POLLOUT };
		raw_negotiate(pfd[i].fd);
	}
	/* 64 KiB in each answer. */
	len = region_message(msg, VFIO_USER_REGION_READ, 0, VFIO_USER_PCI_BAR2, 0, NULL, 65536);
	while (now_s() < until) {
		poll(pfd, CLIENTS, 10);
		for (unsigned int i = 0; i < CLIENTS; i++)
			if ((pfd[i].revents & POLLOUT) != 0)
				(void)raw_send(pfd[i].fd, msg, len, NULL, 0, MSG_DONTWAIT);
	}
}

/* ---- Floods ---- */

static void
flood(const struct target *t, const uint8_t *msg, size_t len)
{
	enum { CLIENTS = 4, TIMES = 64 };
	double until = now_s() + t->seconds;
	uint8_t *many = malloc(len * TIMES);
	struct pollfd pfd[CLIENTS];
	size_t at[CLIENTS] = { 0 };
	uint64_t sent = 0;

	for (unsigned int i = 0; i < TIMES; i++)
		memcpy(many + i * len, msg, len);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		pfd[i] = (struct pollfd){ .fd = raw_connect(t), .events = POLLIN | POLLOUT };
		raw_negotiate(pfd[i].fd);
	}
	while (now_s() < until) {
		poll(pfd, CLIENTS, 100);
		for (unsigned int i = 0; i < CLIENTS; i++) {
			ssize_t n;

			if ((pfd[i].revents & (POLLIN | POLLHUP)) != 0 && !raw_drain(pfd[i].fd))
				die("a flood of proper messages: closed");
			if ((pfd[i].revents & POLLOUT) == 0)
				continue;
			n = raw_send(pfd[i].fd, many + at[i], len * TIMES - at[i], NULL, 0,
					MSG_DONTWAIT);
			if (n > 0) {
				sent += (uint64_t)n;
				at[i] = (at[i] + (size_t)n) % (len * TIMES);
			}
		}
	}
	free(many);
	if (sent < len * TIMES)
		die("only %llu bytes were sent", (unsigned long long)sent);
}

static void
flood_of_reads(const struct target *t)
{
	uint8_t msg[128];

	flood(t, msg, region_message(msg, VFIO_USER_REGION_READ, 0, VFIO_USER_PCI_BAR2,
			HISI_QM_MAILBOX, NULL, 16));
}

static void
flood_of_writes(const struct target *t)
{
	const uint32_t value = 1;
	uint8_t msg[128];

	flood(t, msg, region_message(msg, VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY,
			VFIO_USER_PCI_BAR2, HISI_QM_SHADOW_REG_WAKE, &value, sizeof(value)));
}

static void
flood_of_mailbox_commands(const struct target *t)
{
	const struct hisi_qm_mailbox mb = { .w0 = HISI_QM_MB_FLUSH_QM | HISI_QM_MB_BUSY };
	uint8_t msg[128];

	flood(t, msg, region_message(msg, VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY,
			VFIO_USER_PCI_BAR2, HISI_QM_MAILBOX, &mb, sizeof(mb)));
}

static void
flood_of_resets(const struct target *t)
{
	uint8_t msg[128];

	flood(t, msg, raw_message(msg, 5, VFIO_USER_DEVICE_RESET, 0, NULL, 0));
}

/* ---- Descriptors ---- */

static void
descriptors_exhausted(const struct target *t)
{
	enum { CLIENTS = 64 };
	struct rlimit lim, low;
	int socks[CLIENTS], fds[VFIO_USER_FDS_MAX];
	uint8_t msg[4096], body[512] = { 0 };
	double until;

	for (unsigned int i = 0; i < VFIO_USER_FDS_MAX; i++)
		fds[i] = attacker_memfd(4096);
	/* Few are left to the service; the runner puts its limit back. */
	if (prlimit(t->pid, RLIMIT_NOFILE, NULL, &lim) != 0)
		die("prlimit: %s", strerror(errno));
	low = lim;
	for (low.rlim_cur = 0; low.rlim_cur < 4096; low.rlim_cur++) {
		char link[64], to[64];

		snprintf(link, sizeof(link), "/proc/%d/fd/%u", (int)t->pid,
				(unsigned int)low.rlim_cur);
		if (readlink(link, to, sizeof(to)) < 0)
			break;
	}
	low.rlim_cur += 20;
	if (prlimit(t->pid, RLIMIT_NOFILE, &low, NULL) != 0)
		die("prlimit: %s", strerror(errno));
	/* Half of it is taken by descriptors beside messages that are never ended. */
	for (unsigned int i = 0; i < CLIENTS; i++) {
		socks[i] = raw_connect(t);
		raw_send(socks[i], msg, raw_version(msg), NULL, 0, MSG_DONTWAIT);
		if (i % 2 == 0) {
			raw_message(msg, 3, VFIO_USER_DMA_MAP, 0, body, 32);
			raw_send(socks[i], msg, 20, fds, VFIO_USER_FDS_MAX, MSG_DONTWAIT);
		}
	}
	until = now_s() + t->seconds;
	while (now_s() < until) {
		for (unsigned int i = 0; i < CLIENTS; i++)
			(void)raw_drain(socks[i]);
		nap_ms(20);
	}
	prlimit(t->pid, RLIMIT_NOFILE, &lim, NULL);
}

/* ---- Eventfds ---- */

/* Counts up until the counter is full, and then waits. */
static void *
count_up(void *arg)
{
	const uint64_t one = 1;

	while (write(*(const int *)arg, &one, sizeof(one)) > 0 || errno == EAGAIN)
		;
	return NULL;
}

/*
 * An interrupt must wait for nobody. Its eventfd is the client's, who makes it block and
 * counts it up too: whoever looks whether there is room and then writes will be caught.
 */
static void
eventfds_that_block(const struct target *t)
{
	enum { TRIGGERS = 200, TIMES = 50, ROOM = 8 };
	const struct vfio_user_irq_set set = { .argsz = sizeof(set), .flags =
		VFIO_USER_SET_F_EVENTFD | VFIO_USER_SET_F_TRIGGER, .index = VFIO_USER_PCI_MSI,
		.count = 1 };
	struct vfio_user_irq_set trigger = set;
	double until = now_s() + t->seconds;
	int sock = raw_connect(t), fd = eventfd(0, 0);
	static uint8_t msg[TRIGGERS * 64];
	const uint64_t nearly = UINT64_MAX - 1 - ROOM;
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	pthread_t thread;
	size_t len;

	raw_negotiate(sock);
	raw_send(sock, msg, raw_message(msg, 2, VFIO_USER_DEVICE_SET_IRQS, 0, &set, sizeof(set)),
			&fd, 1, 0);
	trigger.flags = VFIO_USER_SET_F_NONE | VFIO_USER_SET_F_TRIGGER;
	len = 0;
	for (unsigned int i = 0; i < TRIGGERS; i++)
		len += raw_message(msg + len, 3, VFIO_USER_DEVICE_SET_IRQS, i == TRIGGERS - 1 ? 0 :
				VFIO_USER_F_NO_REPLY, &trigger, sizeof(trigger));
	if (poll(&pfd, 1, 60000) != 1 || !raw_drain(sock))
		die("SET_IRQS: no answer");
	if (pthread_create(&thread, NULL, count_up, &fd) != 0)
		die("no thread");
	while (now_s() < until) {
		raw_send(sock, msg, len, NULL, 0, 0);
		/* Meanwhile: there is room, there is some, there is none. */
		for (unsigned int i = 0; i < TIMES; i++) {
			uint64_t n;

			fcntl(fd, F_SETFL, O_NONBLOCK);
			if (read(fd, &n, sizeof(n)) > 0 && write(fd, &nearly, sizeof(nearly)) < 0)
				i--;
			fcntl(fd, F_SETFL, 0);
		}
		/* The last one is answered, unless somebody waits for room now. */
		if (poll(&pfd, 1, 20000) != 1)
			die("the service waits for a client's eventfd");
		if (!raw_drain(sock))
			die("closed");
	}
}

/* ---- Words without sense ---- */

static const uint32_t body_len[VFIO_USER_CMD_END] = {
	[VFIO_USER_VERSION] = 64, [VFIO_USER_DMA_MAP] = 32, [VFIO_USER_DMA_UNMAP] = 24,
	[VFIO_USER_DEVICE_GET_INFO] = 16, [VFIO_USER_DEVICE_GET_REGION_INFO] = 32,
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = 16, [VFIO_USER_DEVICE_SET_IRQS] = 20,
	[VFIO_USER_REGION_READ] = 16, [VFIO_USER_REGION_WRITE] = 24,
	[VFIO_USER_DMA_READ] = 16, [VFIO_USER_DMA_WRITE] = 24,
	[VFIO_USER_REGION_WRITE_MULTI] = 32,
};

/* A body that is nearly right. */
static void
plausible_body(uint32_t *seed, uint16_t cmd, uint8_t *body)
{
	uint64_t iova = ATTACKER_IOVA + (uint64_t)(rnd(seed) % 8) * 65536;

	switch (cmd) {
	case VFIO_USER_DMA_MAP:
		*(struct vfio_user_dma_map *)body = (struct vfio_user_dma_map){ .argsz = 32,
			.flags = rnd(seed) % 4, .offset = rnd(seed) % 8 * 4096, .iova = iova,
			.size = (1 + rnd(seed) % 20) * 4096 };
		break;
	case VFIO_USER_DMA_UNMAP:
		*(struct vfio_user_dma_unmap *)body = (struct vfio_user_dma_unmap){ .argsz = 24,
			.flags = rnd(seed) % 8 == 0 ? rnd(seed) % 4 : 0, .iova = iova,
			.size = rnd(seed) % 20 * 4096 };
		break;
	case VFIO_USER_DEVICE_SET_IRQS:
		*(struct vfio_user_irq_set *)body = (struct vfio_user_irq_set){ .argsz = 20,
			.flags = 1u << rnd(seed) % 3 | 1u << (3 + rnd(seed) % 3),
			.index = rnd(seed) % 6, .start = rnd(seed) % 5,
			.count = rnd(seed) % 18 };
		break;
	case VFIO_USER_REGION_READ:
	case VFIO_USER_REGION_WRITE:
		*(struct vfio_user_region_rw *)body = (struct vfio_user_region_rw){
			.offset = rnd(seed) % 3 == 0 ? HISI_QM_MAILBOX + rnd(seed) % 16 :
				rnd(seed) % 0x3000, .region = rnd(seed) % 11,
			.count = rnd(seed) % 4 == 0 ? rnd(seed) % 70000 : 8 };
		break;
	case VFIO_USER_REGION_WRITE_MULTI:
		body[0] = (uint8_t)(rnd(seed) % 3);
		break;
	default:
		body[0] = (uint8_t)(rnd(seed) % 40); /* argsz, or a version */
		body[8] = (uint8_t)(rnd(seed) % 11); /* an index */
		break;
	}
}

static void
fuzz_messages(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;
	int sock = -1, files[4];
	unsigned int left = 0;

	files[0] = attacker_memfd(65536);
	files[1] = attacker_memfd(1 << 20);
	files[2] = eventfd(0, EFD_NONBLOCK);
	files[3] = open("/dev/null", O_RDWR);
	while (now_s() < until) {
		uint8_t msg[4096], body[2048] = { 0 };
		struct vfio_user_hdr *hdr = (struct vfio_user_hdr *)msg;
		uint16_t cmd = (uint16_t)(rnd(&seed) % (VFIO_USER_CMD_END + 1));
		uint32_t blen = cmd < VFIO_USER_CMD_END ? body_len[cmd] : rnd(&seed) % 64;
		unsigned int nfds = rnd(&seed) % 3 == 0 ? rnd(&seed) % 19 : cmd ==
			VFIO_USER_DMA_MAP || cmd == VFIO_USER_DEVICE_SET_IRQS;
		int fds[19];
		size_t len;

		if (left == 0 || (sock >= 0 && !raw_drain(sock))) {
			if (sock >= 0)
				close(sock);
			sock = raw_connect(t);
			left = 1 + rnd(&seed) % 200;
			if (rnd(&seed) % 16 != 0)
				raw_negotiate(sock);
		}
		left--;
		fill_random(body, blen, rnd(&seed));
		if (rnd(&seed) % 8 != 0) {
			memset(body, 0, blen);
			plausible_body(&seed, cmd, body);
		}
		if (rnd(&seed) % 4 == 0 && blen != 0)
			body[rnd(&seed) % blen] ^= (uint8_t)(1u << rnd(&seed) % 8);
		len = raw_message(msg, (uint16_t)rnd(&seed), cmd, rnd(&seed) % 4 == 0 ?
			VFIO_USER_F_NO_REPLY : 0, body, blen);
		/* Now and then the header lies: such a connection does not live long. */
		switch (rnd(&seed) % 64) {
		case 0: hdr->size = rnd(&seed); break;
		case 1: hdr->size += rnd(&seed) % 64; break;
		case 2: hdr->flags = rnd(&seed); break;
		case 3: len -= rnd(&seed) % 16; break;
		case 4: hdr->flags |= VFIO_USER_F_REPLY; break;
		default: break;
		}
		for (unsigned int i = 0; i < nfds; i++)
			fds[i] = files[rnd(&seed) % 4];
		/* In two pieces, with descriptors beside the one or the other. */
		if (rnd(&seed) % 4 == 0 && len > 1) {
			size_t cut = 1 + rnd(&seed) % (len - 1);

			(void)raw_send(sock, msg, cut, fds, nfds / 2, MSG_DONTWAIT);
			(void)raw_send(sock, msg + cut, len - cut, fds, nfds - nfds / 2,
					MSG_DONTWAIT);
		} else {
			(void)raw_send(sock, msg, len, fds, nfds, MSG_DONTWAIT);
		}
	}
	close(sock);
}

const struct attack attacks_message[] = {
	{ "stops reading", stops_reading },
	{ "flood of register reads", flood_of_reads },
	{ "flood of register writes", flood_of_writes },
	{ "flood of mailbox commands", flood_of_mailbox_commands },
	{ "flood of resets", flood_of_resets },
	{ "descriptors exhausted", descriptors_exhausted },
	{ "eventfds that block", eventfds_that_block },
	{ "fuzzer on the protocol", fuzz_messages },
	{ NULL, NULL },
};
