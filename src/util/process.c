/* SPDX-License-Identifier: Apache-2.0 */
#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define READ_CHUNK ((size_t)16 << 10)
#define TICK_MS 20 /* how often a program is looked at that is silent, or has closed its output and goes on */

struct run {
	const struct process *process;
	struct strbuf *out;
	size_t start; /* out->len before it */
	int64_t until;
	pid_t pid;
	int fd; /* the end of the pipe that we read, non-blocking; -1: there is none */
	bool ended, exited;
	int status;
};

/* ---- starting it ---- */

/* How long the name in "NAME=value" is, with the '='. */
static size_t name_length(const char *variable)
{
	size_t len = strcspn(variable, "=");

	return len + (variable[len] == '=');
}

static bool is_replaced(const char *variable, const char *const *by)
{
	size_t len = name_length(variable);

	for (; by && *by; by++)
		if (strncmp(*by, variable, len) == 0)
			return true;
	return false;
}

/* Our environment with the variables in it. The caller frees the array only. */
static char **environment(const char *const *variables)
{
	size_t count = 0, added = 0, at = 0;
	char **all = NULL;

	while (environ && environ[count])
		count++;
	while (variables && variables[added])
		added++;
	all = xcalloc(count + added + 1, sizeof(*all));
	for (size_t i = 0; i < count; i++)
		if (!is_replaced(environ[i], variables))
			all[at++] = environ[i];
	/* posix_spawn takes char *const *, for reasons of age; it changes nothing. Of two with one name the later one counts. */
	for (size_t i = 0; i < added; i++)
		if (!is_replaced(variables[i], variables + i + 1))
			memcpy(&all[at++], &variables[i], sizeof(*all));
	return all;
}

/* 0, or an errno. */
static int set_files(const struct run *run, posix_spawn_file_actions_t *files, int output)
{
	int fault = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (!fault)
		fault = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
	if (!fault && !run->out)
		fault = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
	if (!fault && run->process->directory)
		fault = posix_spawn_file_actions_addchdir_np(files, run->process->directory);
	/* A lock of ours would be held as long as the program, or what it leaves behind, runs. */
	return fault ? fault : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

/* 0, or an errno. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, pipe_only;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE); /* which we ignore; it should not */
	if (posix_spawnattr_setsigmask(attributes, &none) || posix_spawnattr_setsigdefault(attributes, &pipe_only) ||
		posix_spawnattr_setpgroup(attributes, 0))
		return EINVAL;
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* 0, or an errno. */
static int spawn(struct run *run, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	auto_free char **variables = environment(run->process->variables);
	char *const *argv = NULL;
	int fault = posix_spawn_file_actions_init(&files);

	if (fault)
		return fault;
	fault = posix_spawnattr_init(&attributes);
	if (!fault) {
		memcpy(&argv, &run->process->argv, sizeof(argv));
		fault = set_files(run, &files, output);
		if (!fault)
			fault = set_signals(&attributes);
		if (!fault)
			fault = posix_spawnp(&run->pid, run->process->argv[0], &files, &attributes, argv, variables);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	return fault;
}

static int cannot_start(const struct run *run, int fault, struct error *err)
{
	const char *program = run->process->argv[0];

	if (fault != ENOENT && fault != ENOTDIR)
		return error_errno(err, fault, "cannot run '%s'", program);
	if (strchr(program, '/'))
		return error_set(err, ERR_NOT_FOUND, "there is no program '%s' (or not the interpreter in its first line)", program);
	return error_set(err, ERR_NOT_FOUND, "there is no program '%s' in the PATH", program);
}

/* Inherited from some service managers; with it nobody could learn how the program ended. */
static void hear_of_children(void)
{
	struct sigaction child;

	if (sigaction(SIGCHLD, NULL, &child) == 0 && child.sa_handler == SIG_IGN)
		(void)signal(SIGCHLD, SIG_DFL);
}

static int start(struct run *run, struct error *err)
{
	int ends[2], fault;

	hear_of_children();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	fault = spawn(run, ends[1]);
	(void)close(ends[1]);
	run->fd = ends[0];
	if (!fault && fcntl(run->fd, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	(void)close(run->fd);
	return cannot_start(run, fault ? fault : errno, err);
}

/* ---- listening to it ---- */

/* Whether it is over; its status is kept. */
static bool look(struct run *run)
{
	pid_t got = run->exited ? run->pid : waitpid(run->pid, &run->status, WNOHANG);

	run->exited = run->exited || got == run->pid || (got < 0 && errno != EINTR);
	return run->exited;
}

/* All there is to read by now. */
static int take(struct run *run, struct error *err)
{
	for (;;) {
		size_t left = run->process->max_output - (run->out->len - run->start);
		size_t want = left < READ_CHUNK ? left + 1 : READ_CHUNK;
		ssize_t got = read(run->fd, strbuf_reserve(run->out, want), want);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0)
			return error_errno(err, errno, "cannot read what '%s' prints", run->process->argv[0]);
		run->ended = got == 0;
		if (run->ended)
			return 0;
		run->out->len += (size_t)got;
		run->out->buf[run->out->len] = '\0';
		if ((size_t)got > left)
			return error_set(
				err, ERR_FAILED, "'%s' prints more than %zu bytes", run->process->argv[0], run->process->max_output);
	}
}

/* Wait for output, for the end of the time, or a tick. */
static int listen_to(struct run *run, int64_t left, struct error *err)
{
	struct pollfd fd = {.fd = run->fd, .events = POLLIN};
	int wait = left < TICK_MS ? (int)left : TICK_MS;

	if (run->ended) {
		clock_sleep_ms(wait < 2 ? wait : 2);
		return 0;
	}
	(void)poll(&fd, 1, wait);
	return take(run, err);
}

static int took_too_long(const struct run *run, struct error *err)
{
	return error_set(err, ERR_FAILED, "'%s' did not end within %lld s", run->process->argv[0],
		(long long)((run->process->timeout_ms + 999) / 1000));
}

/* Until it has exited and all of its output is here. What a background process prints later is not its output. */
static int listen_until_exit(struct run *run, struct error *err)
{
	while (!look(run)) {
		int64_t left = run->until - clock_monotonic_ms();

		if (left <= 0)
			return took_too_long(run, err);
		if (listen_to(run, left, err) < 0)
			return -1;
	}
	return run->ended ? 0 : take(run, err);
}

static int judge(const struct run *run, struct error *err)
{
	const char *program = run->process->argv[0];

	if (WIFSIGNALED(run->status))
		return error_set(err, ERR_FAILED, "'%s' was ended by signal %d", program, WTERMSIG(run->status));
	if (WEXITSTATUS(run->status) != 0)
		return error_set(err, ERR_FAILED, "'%s' failed with exit code %d", program, WEXITSTATUS(run->status));
	return 0;
}

static void finish(struct run *run)
{
	if (run->fd >= 0)
		(void)close(run->fd);
	if (run->exited)
		return;
	(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &run->status, 0) < 0 && errno == EINTR)
		;
}

int process_run(const struct process *process, struct strbuf *out, struct error *err)
{
	struct run run = {.process = process, .out = out, .start = out->len, .fd = -1};
	int rc;

	(void)strbuf_reserve(out, process->max_output + READ_CHUNK + 1);
	run.until = clock_monotonic_ms() + process->timeout_ms;
	if (start(&run, err) < 0)
		return -1;
	rc = listen_until_exit(&run, err);
	finish(&run);
	return rc < 0 ? -1 : judge(&run, err);
}

/* ---- into a file ---- */

static int wait_until_exit(struct run *run, struct process_end *end, struct error *err)
{
	while (!look(run)) {
		end->timed_out = clock_monotonic_ms() >= run->until;
		if (end->timed_out)
			return took_too_long(run, err);
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "'%s' was stopped by a signal to us", run->process->argv[0]);
		clock_sleep_ms(TICK_MS);
	}
	end->exit_code = WIFSIGNALED(run->status) ? 128 + WTERMSIG(run->status) : WEXITSTATUS(run->status);
	return 0;
}

int process_run_into(const struct process *process, int fd, struct process_end *end, struct error *err)
{
	struct run run = {.process = process, .fd = -1};
	int fault, rc;

	*end = (struct process_end){.exit_code = -1};
	hear_of_children();
	run.until = clock_monotonic_ms() + process->timeout_ms;
	fault = spawn(&run, fd);
	if (fault)
		return cannot_start(&run, fault, err);
	rc = wait_until_exit(&run, end, err);
	finish(&run);
	return rc < 0 ? -1 : judge(&run, err);
}
