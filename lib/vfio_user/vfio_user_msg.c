/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What each request means. A handler gets a body that is a copy, as long as the
 * header says; it returns 0 if it has answered, VFIO_USER_DEFERRED, or the
 * negative errno of the error reply.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_user_conn.h"
#include "vfio_user_do.h"
#include "vfio_user_log.h"
#include "vfio_user_msg.h"
#include "vfio_user_send.h"

/* ---- VERSION ---- */

static void
format_caps(const struct vfio_user_conn *c, char *text, size_t *len)
{
	struct vfio_user_caps mine = { .max_msg_fds = VFIO_USER_FDS_MAX,
		.max_xfer = VU_XFER_MAX, .max_dma_maps = c->conf.maps_max,
		.write_multiple = true };

	if (c->spim) {
		mine.spim_version = VFIO_USER_SPIM_VERSION;
		mine.spim = *c->conf.device->spim;
	}
	*len = vfio_user_caps_format(&mine, true, text);
}

static int
do_version(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct {
		struct vfio_user_version v;
		char text[VFIO_USER_CAPS_MAX];
	} reply = { .v = { VFIO_USER_MAJOR, VFIO_USER_MINOR } };
	const struct vfio_user_ops *ops = c->server->conf.ops;
	struct vfio_user_version v;
	const char *what;
	size_t len = r->len;
	int rc;

	if (c->state != VU_NEW) {
		vu_complain(c, "second VERSION; expected one");
		return -EINVAL;
	}
	if (len < sizeof(v) || len == sizeof(v) + 1) {
		vu_complain(c, "VERSION: %zu bytes; expected 4, or 4 and text", len);
		return -EINVAL;
	}
	memcpy(&v, r->body, sizeof(v));
	if (v.major != VFIO_USER_MAJOR) {
		vu_complain(c, "VERSION: %u.%u; expected %u.x", v.major, v.minor, VFIO_USER_MAJOR);
		return -EINVAL;
	}
	len -= sizeof(v);
	if (len != 0 && r->body[sizeof(v) + --len] != '\0') {
		vu_complain(c, "VERSION: capabilities do not end with a NUL");
		return -EINVAL;
	}
	rc = vfio_user_caps_parse((char *)r->body + sizeof(v), len, &c->caps, &what);
	if (rc == 0 && c->caps.max_xfer == 0) {
		what = "max_data_xfer_size";
		rc = -EINVAL;
	}
	if (rc != 0) {
		vu_complain(c, "VERSION: capabilities: %s", what);
		return rc;
	}
	c->spim = c->conf.device->spim != NULL && c->caps.spim_version >= VFIO_USER_SPIM_VERSION;
	c->num_regions = c->conf.device->num_regions - (c->conf.device->spim != NULL && !c->spim);
	if (ops->negotiated != NULL) {
		rc = ops->negotiated(c, c->conf.priv);
		if (rc != 0 || c->state != VU_NEW)
			return rc;
	}
	c->state = VU_OPEN;
	format_caps(c, reply.text, &len);
	vu_reply(c, r->hdr, &reply, (uint32_t)(sizeof(reply.v) + len), -1);
	return 0;
}

/* ---- Which is which ---- */

_Static_assert(sizeof(struct vfio_user_multi) + VFIO_USER_MULTI_MAX *
		sizeof(struct vfio_user_multi_one) <= VU_SMALL_MAX, "fits");

/* What sizes and descriptors a request may have. */
static const struct command {
	const char *name;
	int (*run)(struct vfio_user_conn *c, const struct vu_request *r);
	uint32_t body;  /* bytes, at least */
	uint32_t more;  /* bytes that may follow */
	uint32_t nfds;  /* at most */
} commands[VFIO_USER_CMD_END] = {
	[VFIO_USER_VERSION] = { "VERSION", do_version, 0, VFIO_USER_VERSION_MAX, 0 },
	[VFIO_USER_DMA_MAP] = { "DMA_MAP", vu_do_dma_map,
		sizeof(struct vfio_user_dma_map), 0, 1 },
	[VFIO_USER_DMA_UNMAP] = { "DMA_UNMAP", vu_do_dma_unmap,
		sizeof(struct vfio_user_dma_unmap), 0, 0 },
	[VFIO_USER_DEVICE_GET_INFO] = { "GET_INFO", vu_do_device_info,
		sizeof(struct vfio_user_device_info), 0, 0 },
	[VFIO_USER_DEVICE_GET_REGION_INFO] = { "GET_REGION_INFO", vu_do_region_info,
		sizeof(struct vfio_user_region_info), 0, 0 },
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = { "GET_IRQ_INFO", vu_do_irq_info,
		sizeof(struct vfio_user_irq_info), 0, 0 },
	[VFIO_USER_DEVICE_SET_IRQS] = { "SET_IRQS", vu_do_set_irqs,
		sizeof(struct vfio_user_irq_set), VFIO_USER_VECTORS_MAX, VFIO_USER_FDS_MAX },
	[VFIO_USER_REGION_READ] = { "REGION_READ", vu_do_region_read,
		sizeof(struct vfio_user_region_rw), 0, 0 },
	[VFIO_USER_REGION_WRITE] = { "REGION_WRITE", vu_do_region_write,
		sizeof(struct vfio_user_region_rw), VU_XFER_MAX, 0 },
	[VFIO_USER_REGION_WRITE_MULTI] = { "REGION_WRITE_MULTI", vu_do_region_write_multi,
		sizeof(struct vfio_user_multi),
		VFIO_USER_MULTI_MAX * sizeof(struct vfio_user_multi_one), 0 },
	[VFIO_USER_DEVICE_RESET] = { "RESET", vu_do_reset, 0, 0, 0 },
};

uint32_t
vu_msg_max(const struct vfio_user_hdr *hdr)
{
	/* A wrong size gets an error reply, too, as long as it is small. */
	return (uint32_t)sizeof(*hdr) + VU_SMALL_MAX +
		(hdr->cmd == VFIO_USER_REGION_WRITE ? VU_XFER_MAX : 0);
}

static int
check_request(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct command *cmd = r->hdr->cmd < VFIO_USER_CMD_END ? &commands[r->hdr->cmd] :
		NULL;

	if (cmd == NULL || cmd->run == NULL) {
		vu_complain(c, "command %u is not supported", r->hdr->cmd);
		return -ENOTSUP;
	}
	if (c->state == VU_NEW && r->hdr->cmd != VFIO_USER_VERSION) {
		vu_complain(c, "%s before VERSION", cmd->name);
		return -EINVAL;
	}
	if (r->len < cmd->body || r->len - cmd->body > cmd->more) {
		vu_complain(c, "%s: %" PRIu32 " bytes; expected %" PRIu32 " and at most %" PRIu32
				" more", cmd->name, r->len, cmd->body, cmd->more);
		return -EINVAL;
	}
	if (r->fds->refused)
		return -EMFILE;
	if (r->fds->lost || r->fds->cnt > cmd->nfds) {
		vu_complain(c, "%s: %u fds%s; expected at most %" PRIu32, cmd->name, r->fds->cnt,
				r->fds->lost ? " and more" : "", cmd->nfds);
		return -EINVAL;
	}
	return 0;
}

void
vu_msg_request(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, uint8_t *body,
		struct vfio_user_fds *fds)
{
	/* Copies: closing the connection inside an operation frees what belongs to it. */
	const struct vfio_user_hdr h = *hdr;
	struct vu_request r = { .hdr = &h, .body = body, .fds = fds,
		.len = h.size - (uint32_t)sizeof(h) };
	int rc = check_request(c, &r);

	if (rc == 0)
		rc = commands[h.cmd].run(c, &r);
	if (rc == VFIO_USER_DEFERRED) {
		c->defer.active = true;
		c->defer.hdr = h;
	} else if (rc != 0) {
		vu_reply_error(c, &h, rc);
		/* Without VERSION there is nothing to go on with. */
		if (c->state == VU_NEW)
			vu_conn_stop(c);
	}
}

void
vu_msg_done(struct vfio_user_conn *c, int rc)
{
	struct vu_defer d = c->defer;

	memset(&c->defer, 0, sizeof(c->defer));
	if (rc == 0) {
		switch (d.hdr.cmd) {
		case VFIO_USER_DMA_UNMAP:
			vu_unmap_done(c, &d.hdr, d.iova, d.size, d.bytes);
			break;
		case VFIO_USER_REGION_WRITE_MULTI:
			if (d.buf == NULL) {
				rc = -ENOMEM;
				break;
			}
			if (c->state != VU_OPEN)
				break;
			rc = vu_multi_from(c, &d.hdr, d.buf, d.multi_next);
			if (rc == VFIO_USER_DEFERRED) {
				c->defer.active = true;
				c->defer.hdr = d.hdr;
				c->defer.buf = d.buf;
				return;
			}
			break;
		default:
			vu_reply(c, &d.hdr, d.buf, d.buf_len, -1);
			break;
		}
	}
	free(d.buf);
	if (rc != 0)
		vu_reply_error(c, &d.hdr, rc);
}
