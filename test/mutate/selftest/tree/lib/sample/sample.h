/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SAMPLE_H
#define SAMPLE_H

#define SAMPLE_MAX 10
#define SAMPLE_CHUNK (1 << 20)

struct sample {
	int n;
};

void sample_free(void *p);

int sample_tight(int n);
int sample_loose(int n);
int sample_unused(int n);
unsigned int sample_same(unsigned int n);
int sample_limit(int n);
int sample_lesser(int a, int b);
void sample_apart(struct sample *s, char *other);
void sample_begin(struct sample *s);
void sample_give_back(void *p);
unsigned int sample_hang(void);
unsigned int sample_memory(void);
unsigned int sample_disk(void);

#endif
