/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "vfio_user_log.h"

#define LINE_BYTES 512

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
	const struct vfio_user_server *s = c->server;
	char text[LINE_BYTES], line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->conf.complain == NULL) {
		vu_log(c->server, BASE_LOG_WARNING, "connection %" PRIu64 " (pid %ld, uid %ld): %s",
				c->id, (long)c->peer.pid, (long)c->peer.uid, text);
		return;
	}
	snprintf(line, sizeof(line), "connection %" PRIu64 " (pid %ld, uid %ld): %.400s", c->id,
			(long)c->peer.pid, (long)c->peer.uid, text);
	s->conf.complain(c->peer.owner, line, s->conf.log.priv);
}
