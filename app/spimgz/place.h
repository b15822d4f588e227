/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_PLACE_H
#define SPIMGZ_PLACE_H

/**
 * @file
 * Where a file lies: all that is done to it is done in a folder that is open, so that it makes no
 * difference if others rename folders meanwhile.
 */

#include <stdbool.h>
#include <sys/stat.h>

struct place {
	int dir;      /**< Descriptor of the folder. */
	char *name;   /**< As the user says it, in messages; owned. */
	size_t base;  /**< Where in it the name in the folder begins. */
	bool walked;  /**< It was found in a folder, not named by the user. */
};

static inline const char *
place_base(const struct place *p)
{
	return p->name + p->base;
}

/** Open the folder of a path. @return 0, or -1 after a complaint. */
int place_open(struct place *p, const char *path);

/** A file in a folder that is open, and stays so. @return As place_open(). */
int place_within(struct place *p, int dir, const char *folder, const char *base);

/** Free it; what place_open() opened is closed. */
void place_close(struct place *p);

/** Take another name, in the same folder; it is owned from now on. NULL: -1. */
int place_rename(struct place *p, char *name);

#endif /* SPIMGZ_PLACE_H */
