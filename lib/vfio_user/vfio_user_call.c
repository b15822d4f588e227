/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base_clock.h"
#include "vfio_user_call.h"

#define SKIP 4096u /* bytes of an unwanted message read at a time */
/*
 * An answer is polled for so long before the thread sleeps: most come at once, and to be woken
 * takes longer than they do.
 */
#define LINGER_NS 50000u

/* ---- Time, and the end ---- */

/* Wait for the socket. @return Whether it was in time; its errors show when it is used. */
static bool
wait_for(const struct vfio_user_client *c, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = c->sock, .events = events };
		uint64_t now = base_now_ms();
		int n = poll(&p, 1, now < deadline ? (int)(deadline - now) : 0);

		if (n > 0)
			return true;
		if (n == 0 && base_now_ms() >= deadline)
			return false;
	}
}

int
vfio_user_client_lost(struct vfio_user_client *c, const char *why)
{
	if (!atomic_exchange(&c->dead, true)) {
		base_log(&c->conf.log, BASE_LOG_ERR, "vfio-user", "the server is lost: %s", why);
		/* It ends our device, then its end of the socket: see vfio_user_client_alive(). */
		shutdown(c->sock, SHUT_WR);
	}
	return -ENOTCONN;
}

static int
lock_until(pthread_mutex_t *m, uint64_t deadline)
{
	struct timespec ts;
	uint64_t now;

	if (pthread_mutex_trylock(m) == 0)
		return 0;
	now = base_now_ms();
	if (now >= deadline)
		return -ETIMEDOUT;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += (time_t)((deadline - now) / 1000);
	ts.tv_nsec += (long)((deadline - now) % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return pthread_mutex_timedlock(m, &ts) == 0 ? 0 : -ETIMEDOUT;
}

/* ---- Messages ---- */

/* Send one message; send_lock is held. */
static int
send_all(struct vfio_user_client *c, struct iovec *iov, int cnt, const int *fds,
		unsigned int nfds, uint64_t deadline)
{
	bool begun = false;

	while (cnt != 0) {
		ssize_t n = vfio_user_sock_send(c->sock, iov, cnt, fds, nfds);

		if (n == -EAGAIN) {
			if (wait_for(c, POLLOUT, deadline))
				continue;
			return begun ? vfio_user_client_lost(c, "it does not read") : -ETIMEDOUT;
		}
		if (n == -EPIPE || n == -ECONNRESET)
			return vfio_user_client_lost(c, "it closed the connection");
		if (n < 0)
			return begun ? vfio_user_client_lost(c, strerror((int)-n)) : (int)n;
		begun = true;
		nfds = 0;
		while (cnt != 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			cnt--;
		}
		if (cnt != 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int
send_request(struct vfio_user_client *c, const struct vfio_user_call *call, uint32_t flags,
		uint64_t deadline, uint16_t *id)
{
	struct vfio_user_hdr hdr = { .cmd = call->cmd, .flags = flags };
	struct iovec iov[3] = { { &hdr, sizeof(hdr) } };
	size_t size = sizeof(hdr);
	int rc;

	for (int i = 0; i < call->body_cnt; i++) {
		iov[i + 1] = call->body[i];
		size += call->body[i].iov_len;
	}
	hdr.size = (uint32_t)size;
	rc = lock_until(&c->send_lock, deadline);
	if (rc != 0)
		return rc;
	if (atomic_load(&c->dead)) {
		rc = -ENOTCONN;
	} else {
		hdr.id = *id = ++c->id;
		rc = send_all(c, iov, call->body_cnt + 1, call->fds, call->nfds, deadline);
	}
	pthread_mutex_unlock(&c->send_lock);
	return rc;
}

/* Receive what is there, or comes soon. */
static ssize_t
recv_soon(const struct vfio_user_client *c, void *buf, size_t len, struct vfio_user_fds *fds)
{
	ssize_t n = vfio_user_sock_recv(c->sock, buf, len, fds);
	int64_t until;

	if (n != -EAGAIN)
		return n;
	until = base_now_ns() + LINGER_NS;
	do {
		/* The server may be waiting for this CPU. */
		sched_yield();
		n = vfio_user_sock_recv(c->sock, buf, len, fds);
	} while (n == -EAGAIN && base_now_ns() < until);
	return n;
}

/* Receive len bytes. begun: of a message that has begun, which cannot be left any more. */
static int
recv_all(struct vfio_user_client *c, void *buf, size_t len, struct vfio_user_fds *fds, bool begun,
		uint64_t deadline)
{
	while (len != 0) {
		ssize_t n = recv_soon(c, buf, len, fds);

		if (n == -EAGAIN) {
			if (wait_for(c, POLLIN, deadline))
				continue;
			return !begun ? -ETIMEDOUT :
				vfio_user_client_lost(c, "it stopped within a message");
		}
		if (n <= 0)
			return vfio_user_client_lost(c, n == 0 ? "it closed the connection" :
					strerror((int)-n));
		begun = true;
		buf = (uint8_t *)buf + n;
		len -= (size_t)n;
	}
	return 0;
}

/* Read what nobody wants. */
static int
skip(struct vfio_user_client *c, uint32_t len, uint64_t deadline)
{
	uint8_t buf[SKIP];
	struct vfio_user_fds fds = { .cnt = 0 };
	int rc = 0;

	while (len != 0 && rc == 0) {
		uint32_t n = len < SKIP ? len : SKIP;

		rc = recv_all(c, buf, n, &fds, true, deadline);
		len -= n;
	}
	vfio_user_fds_close(&fds);
	return rc;
}

/* The server asks for memory that has no fd: there is none here. */
static int
refuse_request(struct vfio_user_client *c, const struct vfio_user_hdr *req, uint64_t deadline)
{
	struct vfio_user_hdr hdr = { .id = req->id, .cmd = req->cmd, .size = sizeof(hdr),
		.flags = VFIO_USER_F_REPLY | VFIO_USER_F_ERROR, .error = ENOTSUP };
	struct iovec iov = { &hdr, sizeof(hdr) };
	int rc;

	if ((req->flags & VFIO_USER_F_NO_REPLY) != 0)
		return 0;
	rc = lock_until(&c->send_lock, deadline);
	if (rc != 0)
		return rc;
	rc = send_all(c, &iov, 1, NULL, 0, deadline);
	pthread_mutex_unlock(&c->send_lock);
	return rc;
}

/* The reply with this id has begun: its body. */
static int
take_reply(struct vfio_user_client *c, const struct vfio_user_hdr *hdr, struct vfio_user_call *call,
		uint64_t deadline)
{
	uint32_t len = hdr->size - (uint32_t)sizeof(*hdr);

	if (hdr->cmd != call->cmd)
		return vfio_user_client_lost(c, "reply to another command");
	if ((hdr->flags & VFIO_USER_F_ERROR) != 0) {
		int rc = skip(c, len, deadline);

		if (rc != 0)
			return rc;
		return hdr->error != 0 && hdr->error < 4096 ? -(int)hdr->error : -EPROTO;
	}
	if (len < call->reply_min || (call->reply != NULL && len > call->reply_max))
		return vfio_user_client_lost(c, "reply of a wrong size");
	call->reply_len = len;
	return call->reply != NULL ? recv_all(c, call->reply, len, &call->got, true, deadline) :
		skip(c, len, deadline);
}

/* Wait for the reply to id; call_lock is held. */
static int
recv_reply(struct vfio_user_client *c, struct vfio_user_call *call, uint16_t id, uint64_t deadline)
{
	for (;;) {
		struct vfio_user_hdr hdr;
		uint32_t type;
		int rc = recv_all(c, &hdr, sizeof(hdr), &call->got, false, deadline);

		if (rc != 0)
			return rc;
		type = hdr.flags & VFIO_USER_F_TYPE;
		if (hdr.size < sizeof(hdr) || hdr.size > sizeof(hdr) + 2 * VFIO_USER_XFER_MAX ||
				type > VFIO_USER_F_REPLY)
			return vfio_user_client_lost(c, "not a vfio-user message");
		if (type == VFIO_USER_F_REPLY && hdr.id == id)
			return take_reply(c, &hdr, call, deadline);
		/* Late, to a call that did not wait any more; or a request. */
		vfio_user_fds_close(&call->got);
		rc = skip(c, hdr.size - (uint32_t)sizeof(hdr), deadline);
		if (rc == 0 && type == VFIO_USER_F_REQUEST)
			rc = refuse_request(c, &hdr, deadline);
		if (rc != 0)
			return rc;
	}
}

int
vfio_user_call(struct vfio_user_client *c, struct vfio_user_call *call)
{
	uint64_t deadline = base_now_ms() + c->conf.timeout_ms;
	uint16_t id = 0;
	int rc;

	if (atomic_load(&c->dead))
		return -ENOTCONN;
	rc = lock_until(&c->call_lock, deadline);
	if (rc != 0)
		return rc;
	rc = send_request(c, call, VFIO_USER_F_REQUEST, deadline, &id);
	if (rc == 0)
		rc = recv_reply(c, call, id, deadline);
	pthread_mutex_unlock(&c->call_lock);
	if (rc != 0)
		vfio_user_fds_close(&call->got);
	return rc;
}

int
vfio_user_post(struct vfio_user_client *c, const struct vfio_user_call *call)
{
	uint16_t id;

	return send_request(c, call, VFIO_USER_F_NO_REPLY, base_now_ms() + c->conf.timeout_ms, &id);
}
