/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owners.h"

/* User ids [first, last], lent to owner. */
struct loan {
	uint32_t first, last;
	uid_t owner;
};

/* Sorted; of two that overlap, the one that begins later counts. */
static struct loan *loans;
static size_t loan_cnt;

/* A whole text as a number. */
static bool
whole_number(const char *text, uint32_t *value)
{
	char *end;
	unsigned long long v;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	*value = (uint32_t)v;
	return errno == 0 && *end == '\0' && v <= UINT32_MAX;
}

static bool
parse_loan(char *line, struct loan *l)
{
	char *rest = line;
	const char *name = strsep(&rest, ":"), *first = strsep(&rest, ":");
	const char *cnt = strsep(&rest, ":\n");
	const struct passwd *pw;
	uint32_t count;

	if (!whole_number(first, &l->first) || !whole_number(cnt, &count) || count == 0 ||
			count - 1 > UINT32_MAX - l->first)
		return false;
	l->last = l->first + (count - 1);
	pw = getpwnam(name);
	if (pw != NULL)
		l->owner = pw->pw_uid;
	else if (!whole_number(name, &l->owner))
		return false;
	/* What root lends is for containers, which are not to take what is root's own. */
	if (l->owner == 0)
		l->owner = l->first;
	return true;
}

static int
by_first(const void *a, const void *b)
{
	const struct loan *x = a, *y = b;

	/* Of two that begin together the longer one is first: owners_of() looks from behind. */
	if (x->first == y->first)
		return (x->last < y->last) - (x->last > y->last);
	return x->first < y->first ? -1 : 1;
}

static int
add_loan(const struct loan *l)
{
	struct loan *more = reallocarray(loans, loan_cnt + 1, sizeof(*loans));

	if (more == NULL)
		return -ENOMEM;
	loans = more;
	loans[loan_cnt++] = *l;
	return 0;
}

int
owners_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512]; /* a name has 32 characters, or some more */
	struct loan l;
	int rc = 0;

	if (f == NULL)
		return 0;
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL)
		if (parse_loan(line, &l))
			rc = add_loan(&l);
	fclose(f);
	if (loan_cnt != 0)
		qsort(loans, loan_cnt, sizeof(*loans), by_first);
	return rc;
}

void
owners_forget(void)
{
	free(loans);
	loans = NULL;
	loan_cnt = 0;
}

uid_t
owners_of(uid_t uid)
{
	/* The innermost of those that it is in is the last one. */
	for (size_t i = loan_cnt; i-- != 0;)
		if (uid >= loans[i].first && uid <= loans[i].last)
			return loans[i].owner;
	return uid;
}
