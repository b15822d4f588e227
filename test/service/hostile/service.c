/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacker.h"
#include "service.h"

#define START_MS  60000
#define END_MS    120000
#define REPORT_MS 10000
#define TAIL_LEN  6000

/* What the log has behind offset at, up to len - 1 bytes, as a string. */
static size_t
log_read(const struct service *s, off_t at, char *buf, size_t len)
{
	int fd = open(s->log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : pread(fd, buf, len - 1, at);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static off_t
log_size(const struct service *s)
{
	struct stat st;

	return stat(s->log, &st) == 0 ? st.st_size : 0;
}

static void
run(const struct service *s, char *const *argv)
{
	char *args[64] = { argv[0], "--listen", (char *)(uintptr_t)s->path };
	int fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	for (unsigned int i = 1; argv[i] != NULL && i < 60; i++)
		args[i + 2] = argv[i];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDERR_FILENO);
	execv(argv[0], args);
	_exit(127);
}

int
service_start(struct service *s, char *const *argv)
{
	char buf[4096];

	snprintf(s->folder, sizeof(s->folder), "/tmp/spimdevd-hostile.XXXXXX");
	/* Other users may connect. */
	if (mkdtemp(s->folder) == NULL || chmod(s->folder, 0711) != 0) {
		perror(s->folder);
		return -1;
	}
	snprintf(s->path, sizeof(s->path), "%s/zip", s->folder);
	snprintf(s->log, sizeof(s->log), "%s/log", s->folder);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		run(s, argv);
	for (unsigned int ms = 0; ms < START_MS && service_runs(s); ms += 10) {
		if (log_read(s, 0, buf, sizeof(buf)) != 0 && strstr(buf, "listening on") != NULL) {
			prlimit(s->pid, RLIMIT_NOFILE, NULL, &s->nofile);
			return 0;
		}
		nap_ms(10);
	}
	printf("  | %s does not start\n", argv[0]);
	service_print_log(s);
	return -1;
}

bool
service_runs(const struct service *s)
{
	siginfo_t info = { 0 };

	/* It stays to be waited for. */
	return waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == 0;
}

static unsigned int
count_fds(pid_t pid)
{
	unsigned int n = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static unsigned int
count_maps(pid_t pid)
{
	unsigned int n = 0;
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, "/memfd:") != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

static void
read_status(pid_t pid, struct holdings *h)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		sscanf(line, "Threads: %u", &h->threads);
		sscanf(line, "VmRSS: %lu", &h->rss_kib);
	}
	if (f != NULL)
		fclose(f);
}

int
service_holdings(const struct service *s, struct holdings *h)
{
	char buf[65536];
	off_t at = log_size(s);
	bool found = false;

	*h = (struct holdings){ 0 };
	/* The log has a budget, so that after a noisy attack it may take some time. */
	for (unsigned int ms = 0; ms < REPORT_MS && !found; ms += 50) {
		const char *line;

		if (ms % 1000 == 0)
			kill(s->pid, SIGUSR1);
		nap_ms(ms == 0 ? 10 : 50);
		log_read(s, at, buf, sizeof(buf));
		for (line = buf; line != NULL && !found; line = strchr(line, '\n')) {
			line += *line == '\n';
			found = sscanf(line, "spimdevd: %u connections, %*u so far, %*u refused; "
				"%u of", &h->conns, &h->queues) == 2;
		}
	}
	h->fds = count_fds(s->pid);
	h->maps = count_maps(s->pid);
	read_status(s->pid, h);
	return found ? 0 : -1;
}

int
service_end(struct service *s)
{
	int status = -1, result = -1;
	char path[160];

	kill(s->pid, SIGTERM);
	for (unsigned int ms = 0; ms < END_MS; ms += 10) {
		if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
			result = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			break;
		}
		nap_ms(10);
	}
	if (status == -1) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, &status, 0);
	}
	if (result != 0)
		service_print_log(s);
	unlink(s->log);
	unlink(s->path);
	snprintf(path, sizeof(path), "%s.lock", s->path);
	unlink(path);
	rmdir(s->folder);
	return result;
}

void
service_print_log(const struct service *s)
{
	off_t size = log_size(s), at = size > TAIL_LEN ? size - TAIL_LEN : 0;
	char buf[TAIL_LEN + 1], *line, *rest = buf;

	log_read(s, at, buf, sizeof(buf));
	while ((line = strsep(&rest, "\n")) != NULL)
		printf("  | %s\n", line);
}
