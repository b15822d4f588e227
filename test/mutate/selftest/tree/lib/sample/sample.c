/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * What the self-test of the mutation tool mutates; test_sample.c notices some of it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

/* Both sides of its bound are tested. */
int
sample_tight(int n)
{
	return n < SAMPLE_MAX;
}

/* Only the middle is. */
int
sample_loose(int n)
{
	return n < SAMPLE_MAX;
}

/* Nobody calls it. */
int
sample_unused(int n)
{
	return n < SAMPLE_MAX;
}

/* Without its first line it is the same code. */
unsigned int
sample_same(unsigned int n)
{
	n |= 0;
	return n;
}

/* Both say the same of sides that are equal. */
int
sample_limit(int n)
{
	if (n > SAMPLE_MAX)
		n = SAMPLE_MAX;
	return n < -SAMPLE_MAX ? -SAMPLE_MAX : n;
}

int
sample_lesser(int a, int b)
{
	return a < b ? a : b;
}

/* Either order is the same. */
void
sample_apart(struct sample *s, char *other)
{
	s->n = 1;
	memset(other, 0, SAMPLE_MAX);
}

/* The other order loses the number. */
void
sample_begin(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->n = 1;
}

/* What it gives back, a test counts. */
void
sample_give_back(void *p)
{
	sample_free(p);
}

/* Without the break it goes on for ever. */
unsigned int
sample_hang(void)
{
	volatile unsigned int n = 0;

	for (;;)
		if (n++ == 1)
			break;
	return n;
}

/* Without the break it takes all memory. */
unsigned int
sample_memory(void)
{
	char *volatile last = NULL;
	unsigned int n = 0;

	for (;;) {
		char *next = malloc(SAMPLE_CHUNK);

		if (next == NULL)
			continue;
		memset(next, 1, SAMPLE_CHUNK);
		last = next;
		if (n++ == 1)
			break;
	}
	free(last);
	return n;
}

/* Without the break it fills the disk. */
unsigned int
sample_disk(void)
{
	static const char block[SAMPLE_CHUNK];
	FILE *f = tmpfile();
	unsigned int n = 0;

	for (;;) {
		fwrite(block, 1, sizeof(block), f);
		if (n++ == 1)
			break;
	}
	fclose(f);
	return n;
}
