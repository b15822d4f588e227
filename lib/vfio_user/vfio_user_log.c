/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base_clock.h"
#include "vfio_user_log.h"

#define LINE_BYTES 512

/* A client may be wrong five times in a row, then once in ten seconds; all together 50 a second. */
#define CONN_BURST      5u
#define CONN_EVERY_MS   10000u
#define SERVER_BURST    100u
#define SERVER_EVERY_MS 20u

/* Whether one more is allowed now. */
static bool
allow(struct vu_rate *r, uint32_t burst, uint32_t every_ms)
{
	uint64_t now = base_now_ms(), more;

	if (r->ms == 0) {
		r->tokens = burst;
		r->ms = now;
	}
	more = (now - r->ms) / every_ms;
	if (more >= burst - r->tokens) {
		r->tokens = burst;
		r->ms = now;
	} else {
		r->tokens += (uint32_t)more;
		r->ms += more * every_ms;
	}
	if (r->tokens == 0)
		return false;
	r->tokens--;
	return true;
}

void
vu_log(struct vfio_user_server *s, enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_log_va(&s->conf.log, level, s->conf.name, fmt, ap);
	va_end(ap);
}

void
vu_complain(struct vfio_user_conn *c, const char *fmt, ...)
{
	struct vfio_user_server *s = c->server;
	char text[LINE_BYTES];
	va_list ap;

	if (!allow(&c->rate, CONN_BURST, CONN_EVERY_MS) ||
			!allow(&s->rate, SERVER_BURST, SERVER_EVERY_MS)) {
		s->suppressed++;
		return;
	}
	if (s->suppressed != s->suppressed_told) {
		vu_log(s, BASE_LOG_WARNING, "%" PRIu64 " lines about clients not written",
				s->suppressed - s->suppressed_told);
		s->suppressed_told = s->suppressed;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vu_log(s, BASE_LOG_WARNING, "connection %" PRIu64 " (pid %ld, uid %ld): %s", c->id,
			(long)c->peer.pid, (long)c->peer.uid, text);
}
