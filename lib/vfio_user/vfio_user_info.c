/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vfio_user_do.h"
#include "vfio_user_irq.h"
#include "vfio_user_log.h"
#include "vfio_user_send.h"

int
vu_do_device_info(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_device *dev = c->conf.device;
	struct vfio_user_device_info info;

	memcpy(&info, r->body, sizeof(info));
	if (info.argsz < sizeof(info)) {
		vu_complain(c, "GET_INFO: argsz %" PRIu32 "; expected at least %zu", info.argsz,
				sizeof(info));
		return -EINVAL;
	}
	info = (struct vfio_user_device_info){ .argsz = sizeof(info), .flags = dev->flags,
		.num_regions = c->num_regions, .num_irqs = dev->num_irqs };
	vu_reply(c, r->hdr, &info, sizeof(info), -1);
	return 0;
}

/* Ask the owner what may be mapped; areas that leave the region are the owner's mistake. */
static int
get_mmap(struct vfio_user_conn *c, uint32_t index, struct vfio_user_mmap *mm)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	uint64_t size = c->conf.device->regions[index].size;
	int rc;

	*mm = (struct vfio_user_mmap){ .fd = -1 };
	rc = ops->region_mmap != NULL ? ops->region_mmap(c, c->conf.priv, index, mm) : -ENOTSUP;
	if (rc == 0 && (mm->fd < 0 || mm->nr_areas > VFIO_USER_AREAS_MAX))
		rc = -EINVAL;
	for (uint32_t i = 0; rc == 0 && i < mm->nr_areas; i++)
		if (mm->areas[i].offset > size || mm->areas[i].size > size - mm->areas[i].offset)
			rc = -EINVAL;
	return rc;
}

int
vu_do_region_info(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct {
		struct vfio_user_region_info info;
		struct vfio_user_cap_sparse cap;
		struct vfio_user_area areas[VFIO_USER_AREAS_MAX];
	} reply = { 0 };
	struct vfio_user_mmap mm = { .fd = -1 };
	struct vfio_user_region_info req;
	const struct vfio_user_region *region;
	uint32_t len = sizeof(req);
	int rc;

	memcpy(&req, r->body, sizeof(req));
	if (req.argsz < sizeof(req) || req.index >= c->num_regions) {
		vu_complain(c, "GET_REGION_INFO: argsz %" PRIu32 ", index %" PRIu32
				"; expected at least %zu, less than %" PRIu32, req.argsz,
				req.index, sizeof(req), c->num_regions);
		return -EINVAL;
	}
	region = &c->conf.device->regions[req.index];
	reply.info = (struct vfio_user_region_info){ .argsz = sizeof(req), .index = req.index,
		.flags = region->flags, .size = region->size };
	if ((region->flags & VFIO_USER_REGION_F_MMAP) != 0) {
		rc = get_mmap(c, req.index, &mm);
		if (rc != 0)
			return rc;
		reply.info.offset = mm.offset;
		if (mm.nr_areas != 0) {
			reply.info.argsz += (uint32_t)(sizeof(reply.cap) +
					mm.nr_areas * sizeof(reply.areas[0]));
			if (req.argsz >= reply.info.argsz) {
				reply.info.flags |= VFIO_USER_REGION_F_CAPS;
				reply.info.cap_offset = sizeof(req);
				reply.cap = (struct vfio_user_cap_sparse){ .version = 1,
					.id = VFIO_USER_CAP_SPARSE_MMAP, .nr_areas = mm.nr_areas };
				memcpy(reply.areas, mm.areas, mm.nr_areas * sizeof(mm.areas[0]));
				len = reply.info.argsz;
			} else {
				mm.fd = -1; /* the client will ask again with more room */
			}
		}
	}
	if (mm.fd >= 0 && (c->fds_sent & 1ull << req.index) != 0) {
		vu_complain(c, "GET_REGION_INFO: the descriptor of region %" PRIu32 " once more; "
				"expected once", req.index);
		return -EBUSY;
	}
	/* Until it is read it counts as ours, however many there are in sockets. */
	if (mm.fd >= 0)
		c->fds_sent |= 1ull << req.index;
	vu_reply(c, r->hdr, &reply, len, mm.fd);
	return 0;
}

int
vu_do_irq_info(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_device *dev = c->conf.device;
	struct vfio_user_irq_info info;

	memcpy(&info, r->body, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= dev->num_irqs) {
		vu_complain(c, "GET_IRQ_INFO: argsz %" PRIu32 ", index %" PRIu32 "; expected at "
				"least %zu, less than %" PRIu32, info.argsz, info.index,
				sizeof(info), dev->num_irqs);
		return -EINVAL;
	}
	info.argsz = sizeof(info);
	info.flags = dev->irqs[info.index].flags;
	info.count = dev->irqs[info.index].count;
	vu_reply(c, r->hdr, &info, sizeof(info), -1);
	return 0;
}

int
vu_do_set_irqs(struct vfio_user_conn *c, const struct vu_request *r)
{
	struct vfio_user_irq_set set;
	int rc;

	memcpy(&set, r->body, sizeof(set));
	if (set.argsz < sizeof(set)) {
		vu_complain(c, "SET_IRQS: argsz %" PRIu32 "; expected at least %zu", set.argsz,
				sizeof(set));
		return -EINVAL;
	}
	rc = vu_irq_set(c, &set, r->body + sizeof(set), r->len - (uint32_t)sizeof(set), r->fds);
	if (rc == 0)
		vu_reply(c, r->hdr, NULL, 0, -1);
	return rc;
}

int
vu_do_reset(struct vfio_user_conn *c, const struct vu_request *r)
{
	const struct vfio_user_ops *ops = c->server->conf.ops;
	int rc = ops->reset != NULL ? ops->reset(c, c->conf.priv) : -ENOTSUP;

	if (rc == 0)
		vu_reply(c, r->hdr, NULL, 0, -1);
	return rc;
}
