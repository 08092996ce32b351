/* SPDX-License-Identifier: Apache-2.0 */
#include "util/env.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "util/error.h"
#include "util/mem.h"

const char *env_get(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

char *env_host(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
		return xstrdup("unknown-host");
	return xstrdup(name);
}

char *env_user(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry && *entry->pw_name ? xstrdup(entry->pw_name) : xasprintf("uid %ju", (uintmax_t)geteuid());
}

char *env_state_directory(void)
{
	const char *state = env_get("XDG_STATE_HOME"), *home = env_get("HOME");

	if (state && *state == '/') /* the XDG rules: a relative one is to be ignored */
		return xasprintf("%s/rhaii-dr", state);
	return home ? xasprintf("%s/.local/state/rhaii-dr", home) : NULL;
}

char *env_boot(void)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	char id[64] = "";

	if (file) {
		if (!fgets(id, sizeof(id), file))
			*id = '\0';
		(void)fclose(file);
	}
	id[strcspn(id, "\n")] = '\0';
	return xstrdup(id);
}

void env_random(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			/* A kernel without random bytes cannot be worked around safely. */
			perror("rhaii-dr: no random bytes");
			_exit(ERR_FAILED);
		}
		at += got;
		len -= (size_t)got;
	}
}
