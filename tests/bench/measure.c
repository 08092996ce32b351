/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure - run a command and write what it took.
 *
 *   measure SECONDS FILE COMMAND [ARG...]
 *
 * FILE gets one line of numbers, with tabs between: wall clock ms, user CPU ms, system CPU ms, peak memory KiB, exit status (128
 * and the signal where one ended it). The command is killed after SECONDS, and with this program. Its exit status is the one of
 * this program.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double milliseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void run_child(char **argv, const sigset_t *mask)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "measure: cannot run '%s': %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Wait for the child until the time is over or this program is asked to end; then end the child. */
static int await(pid_t child, const sigset_t *signals, double limit_ms, struct rusage *usage)
{
	double deadline = now() + limit_ms;
	int status;

	while (wait4(child, &status, WNOHANG, usage) == 0) {
		double left = deadline - now();
		struct timespec wait = {.tv_sec = (time_t)(left / 1e3), .tv_nsec = (long)left % 1000 * 1000000};
		int sig = left > 0 ? sigtimedwait(signals, NULL, &wait) : -1;

		if (sig == SIGCHLD || (sig < 0 && left > 0 && errno == EINTR))
			continue;
		kill(child, SIGKILL);
		wait4(child, &status, 0, usage);
		fprintf(stderr, "measure: %s; the command was killed\n", sig > 0 ? "asked to end" : "the time is over");
		break;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	sigset_t signals, before;
	double begin, wall;
	FILE *out;
	pid_t child;
	int status;

	if (argc < 4 || !(out = fopen(argv[2], "w"))) {
		fprintf(stderr, "usage: measure SECONDS FILE COMMAND [ARG...]\n");
		return 125;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	begin = now();
	child = fork();
	if (child < 0)
		return 125;
	if (child == 0)
		run_child(argv + 3, &before);
	status = await(child, &signals, strtod(argv[1], NULL) * 1e3, &usage);
	wall = now() - begin;
	fprintf(out, "%.0f\t%.0f\t%.0f\t%ld\t%d\n", wall, milliseconds(usage.ru_utime), milliseconds(usage.ru_stime), usage.ru_maxrss,
		status);
	return fclose(out) == 0 ? status : 125;
}
