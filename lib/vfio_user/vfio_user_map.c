/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The tree is a treap: ordered by address, a heap by random priority, so that
 * its depth is logarithmic whatever order a client maps in, and a whole range is
 * cut out with two splits.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "vfio_user_map.h"

/* xorshift64: the client must not know what balances the tree, no more than that. */
static uint32_t
random_prio(struct vfio_user_map *map)
{
	uint64_t x = map->seed;

	if (x == 0 && getrandom(&x, sizeof(x), GRND_NONBLOCK) != (ssize_t)sizeof(x))
		x = 0;
	if (x == 0)
		x = (uint64_t)(uintptr_t)map | 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	map->seed = x;
	return (uint32_t)(x >> 32);
}

/* Maps that begin below iova, and the others. */
static void
split(struct vfio_user_map_node *n, uint64_t iova, struct vfio_user_map_node **below,
		struct vfio_user_map_node **rest)
{
	/* Down one path; each node stays or goes with the subtree that is on its side. */
	while (n != NULL) {
		if (n->iova < iova) {
			*below = n;
			below = &n->right;
			n = n->right;
		} else {
			*rest = n;
			rest = &n->left;
			n = n->left;
		}
	}
	*below = NULL;
	*rest = NULL;
}

/* All of a lie below all of b. */
static struct vfio_user_map_node *
join(struct vfio_user_map_node *a, struct vfio_user_map_node *b)
{
	struct vfio_user_map_node *root, **link = &root;

	while (a != NULL && b != NULL) {
		if (a->prio >= b->prio) {
			*link = a;
			link = &a->right;
			a = a->right;
		} else {
			*link = b;
			link = &b->left;
			b = b->left;
		}
	}
	*link = a != NULL ? a : b;
	return root;
}

const struct vfio_user_map_node *
vfio_user_map_from(const struct vfio_user_map *map, uint64_t iova)
{
	const struct vfio_user_map_node *n = map->root, *found = NULL;

	while (n != NULL) {
		if (n->last >= iova) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

const struct vfio_user_map_node *
vfio_user_map_find(const struct vfio_user_map *map, uint64_t iova)
{
	const struct vfio_user_map_node *n = vfio_user_map_from(map, iova);

	return n != NULL && n->iova <= iova ? n : NULL;
}

int
vfio_user_map_add(struct vfio_user_map *map, uint64_t iova, uint64_t last, uint32_t prot,
		struct vfio_user_file *file, uint8_t *va)
{
	const struct vfio_user_map_node *near = vfio_user_map_from(map, iova);
	struct vfio_user_map_node *n, **link = &map->root;

	if (near != NULL && near->iova <= last)
		return -EEXIST;
	if (map->cnt >= map->cnt_max)
		return -ENOSPC;
	n = malloc(sizeof(*n));
	if (n == NULL)
		return -ENOMEM;
	*n = (struct vfio_user_map_node){ .prio = random_prio(map), .prot = prot, .iova = iova,
		.last = last, .file = file, .va = va };
	while (*link != NULL && (*link)->prio >= n->prio)
		link = (*link)->iova < iova ? &(*link)->right : &(*link)->left;
	split(*link, iova, &n->left, &n->right);
	*link = n;
	map->cnt++;
	return 0;
}

int
vfio_user_map_within(const struct vfio_user_map *map, uint64_t iova, uint64_t last)
{
	const struct vfio_user_map_node *first = vfio_user_map_from(map, iova);
	const struct vfio_user_map_node *end = vfio_user_map_find(map, last);

	if (first == NULL || first->iova > last)
		return 0;
	if (first->iova < iova || (end != NULL && end->last > last))
		return -EINVAL;
	return 1;
}

/* Free a whole subtree. The depth of the recursion is the tree's. */
static uint64_t
free_tree(struct vfio_user_map *map, struct vfio_user_map_node *n)
{
	uint64_t bytes = 0;

	while (n != NULL) {
		struct vfio_user_map_node *right = n->right;

		bytes += free_tree(map, n->left) + (n->last - n->iova + 1);
		if (n->file != NULL)
			vfio_user_file_put(map, n->file);
		free(n);
		map->cnt--;
		n = right;
	}
	return bytes;
}

uint64_t
vfio_user_map_remove(struct vfio_user_map *map, uint64_t iova, uint64_t last)
{
	struct vfio_user_map_node *below, *inside, *above;

	split(map->root, iova, &below, &inside);
	if (last == UINT64_MAX)
		above = NULL;
	else
		split(inside, last + 1, &inside, &above);
	map->root = join(below, above);
	return free_tree(map, inside);
}

void
vfio_user_map_fini(struct vfio_user_map *map)
{
	vfio_user_map_remove(map, 0, UINT64_MAX);
	free(map->files);
	map->files = NULL;
}
