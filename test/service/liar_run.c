/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liar_run.h"

int
liar_run_start(struct liar_run *run, const char *program, const char *path,
		const char *const *args)
{
	const char *argv[32] = { program, "--listen", path };
	char line[64] = "";
	int out[2];

	for (unsigned int i = 0; args != NULL && args[i] != NULL && i < 28; i++)
		argv[i + 3] = args[i];
	if (pipe(out) != 0)
		return -1;
	fflush(NULL);
	run->pid = fork();
	if (run->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execv(program, (char **)(uintptr_t)argv);
		_exit(127);
	}
	close(out[1]);
	run->out = fdopen(out[0], "r");
	if (run->pid > 0 && run->out != NULL && fgets(line, sizeof(line), run->out) != NULL &&
			strcmp(line, "listening\n") == 0)
		return 0;
	liar_run_end(run);
	return -1;
}

int
liar_run_end(struct liar_run *run)
{
	int status = -1, told = -1;

	kill(run->pid, SIGTERM);
	if (run->out != NULL && fscanf(run->out, "told %d", &told) != 1)
		told = -1;
	if (waitpid(run->pid, &status, 0) != run->pid || status != 0)
		told = -1;
	if (run->out != NULL)
		fclose(run->out);
	return told;
}
