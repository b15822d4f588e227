/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_SPIM_CLIENT_H
#define TEST_SPIM_CLIENT_H

/** @file A vfio-user client that answers as the test says, in the place of the real one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "vfio_user_client.h"

struct vfio_user_client {
	int number;
};

/** What it is to answer, and what it was asked last. */
struct told_client {
	struct vfio_user_client clients[4];
	int connect, spim, read, post, alive, reset, map, unmap, irqs, info; /* an errno, or 0 */
	unsigned int connects, closes, reads, posts;
	uint32_t pci[3];
	uint8_t mailbox[16];
	size_t region_size;   /* of the doorbells, */
	off_t file_size;      /* in a file of so many bytes, */
	uint64_t region_offset; /* from there on; */
	int seals;
	bool no_file, no_seals;
	struct vfio_user_client *client;
	uint32_t region, count;
	uint64_t offset, iova, size;
	uint8_t sent[16];
	int fd;
};

extern struct told_client told;

/** What it says of shadow doorbells, unless told otherwise. */
extern const struct vfio_user_spim spim;

/** Locks of any kind that are held: each call gives back what it takes. */
extern unsigned int locks_held;

#endif /* TEST_SPIM_CLIENT_H */
