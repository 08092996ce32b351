/* SPDX-License-Identifier: Apache-2.0 */
#include "util/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/mem.h"

#define STOP_MS 5000
#define STOP_POLL_MS 20
#define FIRST_SECRET 3
#define CANNOT_RUN 127 /* as of a shell */

struct service {
	pid_t pid;
	bool ended;
};

int service_secret(const void *data, size_t len, struct error *err)
{
	int fd = memfd_create("rhaii-dr", MFD_CLOEXEC);
	ssize_t put = fd < 0 ? -1 : write(fd, data, len);

	if (put == (ssize_t)len)
		return fd;
	(void)error_errno(err, put < 0 ? errno : EIO, "cannot keep a secret in memory");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* ---- starting it ---- */

/* Where the numbers of its files are to be, none of ours may stand: first all of them out of the way. 0, or -1 with errno. */
static int place_files(const struct service_start *start, int log)
{
	int aside[SERVICE_SECRETS], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < start->secret_count; i++)
		if ((aside[i] = fcntl(start->secrets[i], F_DUPFD, FIRST_SECRET + SERVICE_SECRETS + 1)) < 0)
			return -1;
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		return -1;
	for (size_t i = 0; i < start->secret_count; i++)
		if (dup2(aside[i], FIRST_SECRET + (int)i) < 0)
			return -1;
	return close_range(FIRST_SECRET + (unsigned)start->secret_count, ~0u, 0);
}

/* In the child: nothing here but what may be called between fork and exec of a program with threads. */
_Noreturn static void become(const struct service_start *start, int log, pid_t parent)
{
	char *const *argv = NULL;
	sigset_t none;

	memcpy(&argv, &start->argv, sizeof(argv)); /* execv takes char *const *, for reasons of age */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	/* A group of its own: Ctrl-C is for us, and we end it. The parent may have died before the kernel was told. */
	if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && chdir(start->dir) == 0 &&
		place_files(start, log) == 0)
		(void)execv(argv[0], argv);
	_exit(CANNOT_RUN);
}

int service_start(struct service **out, const struct service_start *start, struct error *err)
{
	int log = open(start->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t parent = getpid(), pid;

	*out = NULL;
	if (log < 0)
		return error_errno(err, errno, "cannot write '%s'", start->log);
	pid = fork();
	if (pid == 0)
		become(start, log, parent);
	(void)close(log);
	if (pid < 0)
		return error_errno(err, errno, "cannot run '%s'", start->argv[0]);
	*out = xcalloc(1, sizeof(**out));
	(*out)->pid = pid;
	return 0;
}

/* ---- ending it ---- */

bool service_runs(struct service *service)
{
	pid_t got = service->ended ? service->pid : waitpid(service->pid, NULL, WNOHANG);

	service->ended = service->ended || got == service->pid || (got < 0 && errno != EINTR);
	return !service->ended;
}

void service_stop(struct service *service)
{
	int64_t until = clock_monotonic_ms() + STOP_MS;

	if (!service)
		return;
	if (service_runs(service))
		(void)kill(service->pid, SIGTERM);
	while (service_runs(service) && clock_monotonic_ms() < until)
		clock_sleep_ms(STOP_POLL_MS);
	if (service_runs(service)) {
		(void)kill(-service->pid, SIGKILL);
		while (waitpid(service->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(service);
}

/* ---- ports ---- */

int service_free_port(int *port, struct error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, len);

	if (rc == 0)
		rc = getsockname(fd, (struct sockaddr *)&address, &len);
	if (rc < 0)
		(void)error_errno(err, errno, "no free port of the loopback interface");
	if (fd >= 0)
		(void)close(fd);
	*port = ntohs(address.sin_port);
	return rc;
}
