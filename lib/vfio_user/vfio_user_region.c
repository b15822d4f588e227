/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_user_do.h"
#include "vfio_user_log.h"
#include "vfio_user_send.h"

static int
check_access(struct vfio_user_conn *c, const char *name, uint32_t index, uint64_t offset,
		uint32_t count, uint32_t max, uint32_t flag)
{
	const struct vfio_user_region *region;

	if (index >= c->num_regions) {
		vu_complain(c, "%s: region %" PRIu32 "; expected less than %" PRIu32, name, index,
				c->num_regions);
		return -EINVAL;
	}
	region = &c->conf.device->regions[index];
	if (count == 0 || count > max || offset > region->size ||
			count > region->size - offset) {
		vu_complain(c, "%s: %" PRIu32 " bytes at 0x%" PRIx64 " of region %" PRIu32
				"; expected 1 to %" PRIu32 " within 0x%" PRIx64, name, count,
				offset, index, max, region->size);
		return -EINVAL;
	}
	if ((region->flags & flag) == 0) {
		vu_complain(c, "%s: region %" PRIu32 " does not allow that", name, index);
		return -EPERM;
	}
	return 0;
}

int
vu_do_region_read(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct vfio_user_region_rw rw;
	uint32_t len;
	uint8_t *buf;
	int rc;

	memcpy(&rw, r->body, sizeof(rw));
	rc = check_access(c, "REGION_READ", rw.region, rw.offset, rw.count,
			c->caps.max_xfer < VU_XFER_MAX ? c->caps.max_xfer : VU_XFER_MAX,
			VFIO_USER_REGION_F_READ);
	if (rc != 0)
		return rc;
	len = (uint32_t)sizeof(rw) + rw.count;
	/* Zeroed: what an owner forgot to write must not be another client's data. */
	buf = calloc(1, len);
	if (buf == NULL)
		return -ENOMEM;
	memcpy(buf, &rw, sizeof(rw));
	rc = c->server->conf.ops->region_read(c, c->conf.priv, rw.region, rw.offset,
			buf + sizeof(rw), rw.count);
	if (rc == VFIO_USER_DEFERRED) {
		c->defer.buf = buf;
		c->defer.buf_len = len;
		return rc;
	}
	if (rc == 0)
		vu_reply(c, r->hdr, buf, len, -1);
	free(buf);
	return rc;
}

int
vu_do_region_write(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct vfio_user_region_rw rw;
	int rc;

	memcpy(&rw, r->body, sizeof(rw));
	rc = check_access(c, "REGION_WRITE", rw.region, rw.offset, rw.count,
			VU_XFER_MAX, VFIO_USER_REGION_F_WRITE);
	if (rc == 0 && r->len != sizeof(rw) + rw.count) {
		vu_complain(c, "REGION_WRITE: count %" PRIu32 " with %zu bytes of data", rw.count,
				r->len - sizeof(rw));
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = c->server->conf.ops->region_write(c, c->conf.priv, rw.region, rw.offset,
				r->body + sizeof(rw), rw.count);
	if (rc == VFIO_USER_DEFERRED) {
		/* The reply is the request without its data. */
		c->defer.buf = malloc(sizeof(rw));
		c->defer.buf_len = sizeof(rw);
		if (c->defer.buf != NULL)
			memcpy(c->defer.buf, &rw, sizeof(rw));
	} else if (rc == 0) {
		vu_reply(c, r->hdr, &rw, sizeof(rw), -1);
	}
	return rc;
}

/* The writes of a REGION_WRITE_MULTI from number next on. */
int
vu_multi_from(struct vfio_user_conn *c, const struct vfio_user_hdr *hdr, const uint8_t *body,
		uint32_t next)
{
	struct vfio_user_multi multi;
	struct vfio_user_multi_one one;
	int rc;

	memcpy(&multi, body, sizeof(multi));
	for (; next < multi.cnt; next++) {
		memcpy(&one, body + sizeof(multi) + next * sizeof(one), sizeof(one));
		rc = check_access(c, "REGION_WRITE_MULTI", one.region, one.offset, one.count,
				VFIO_USER_MULTI_DATA, VFIO_USER_REGION_F_WRITE);
		if (rc == 0)
			rc = c->server->conf.ops->region_write(c, c->conf.priv, one.region,
					one.offset, one.data, one.count);
		if (rc == VFIO_USER_DEFERRED)
			c->defer.multi_next = next + 1;
		if (rc != 0)
			return rc;
		if (c->state != VU_OPEN)
			return 0;
	}
	vu_reply(c, hdr, &multi, sizeof(multi), -1);
	return 0;
}

int
vu_do_region_write_multi(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct vfio_user_multi multi;
	int rc;

	memcpy(&multi, r->body, sizeof(multi));
	if (multi.cnt == 0 || multi.cnt > VFIO_USER_MULTI_MAX ||
			r->len != sizeof(multi) + multi.cnt * sizeof(struct vfio_user_multi_one)) {
		vu_complain(c, "REGION_WRITE_MULTI: %" PRIu64 " writes in %" PRIu32
				" bytes; expected 1 to %u of %zu bytes each", multi.cnt, r->len,
				VFIO_USER_MULTI_MAX, sizeof(struct vfio_user_multi_one));
		return -EINVAL;
	}
	rc = vu_multi_from(c, r->hdr, r->body, 0);
	if (rc == VFIO_USER_DEFERRED) {
		c->defer.buf = malloc(r->len);
		if (c->defer.buf != NULL)
			memcpy(c->defer.buf, r->body, r->len);
	}
	return rc;
}
