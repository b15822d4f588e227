/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"
#include "spimgz.h"

/* The usual suffixes, and what takes their place in the expanded file's name. */
static const struct {
	const char *packed, *plain;
} usual[] = {
	{ ".gz", "" }, { ".z", "" }, { ".tgz", ".tar" }, { ".taz", ".tar" },
	{ "-gz", "" }, { "-z", "" }, { "_z", "" },
};

/* Those that are tried to find a compressed file, after the user's own. */
static const char *const tries[] = { ".gz", ".z", "-z", ".Z" };

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

bool
names_suffix_valid(const char *suffix)
{
	return suffix[0] != '\0' && strlen(suffix) <= NAMES_SUFFIX_MAX &&
		strchr(suffix, '/') == NULL;
}

/* Whether the name ends so, with something in front of it. */
static const char *
ends(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	if (len <= n || name[len - n - 1] == '/' || strcasecmp(name + len - n, suffix) != 0)
		return NULL;
	return name + len - n;
}

const char *
names_suffix(const char *name, const char *own)
{
	const char *at = ends(name, own);

	for (size_t i = 0; at == NULL && i < CNT(usual); i++)
		at = ends(name, usual[i].packed);
	return at;
}

/* The first len bytes of a name, and a suffix. */
static char *
with(const char *name, size_t len, const char *suffix)
{
	size_t size = len + strlen(suffix) + 1;
	char *to = malloc(size);

	if (to == NULL)
		complain("%s: no memory", name);
	else
		snprintf(to, size, "%.*s%s", (int)len, name, suffix);
	return to;
}

char *
names_packed(const char *name, const char *own)
{
	return with(name, strlen(name), own);
}

char *
names_plain(const char *name, const char *own)
{
	const char *at = names_suffix(name, own), *plain = "";

	if (strcasecmp(at, own) != 0 || strcmp(own, NAMES_SUFFIX) == 0) {
		for (size_t i = 0; i < CNT(usual); i++) {
			if (strcasecmp(at, usual[i].packed) == 0)
				plain = usual[i].plain;
		}
	}
	return with(name, (size_t)(at - name), plain);
}

const char *
names_try(unsigned int i, const char *own)
{
	if (i == 0)
		return own;
	return i <= CNT(tries) ? tries[i - 1] : NULL;
}
