/* SPDX-License-Identifier: Apache-2.0 */
#include "util/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/env.h"
#include "util/error.h"
#include "util/log.h"
#include "util/mem.h"

int scratch_make(char **dir, const char *what, struct error *err)
{
	const char *base = env_get("TMPDIR");

	*dir = xasprintf("%s/rhaii-dr-%s-XXXXXX", base ? base : "/tmp", what);
	if (mkdtemp(*dir))
		return 0;
	(void)error_errno(err, errno, "cannot make a directory for the %s of this run, '%s'", what, *dir);
	free(*dir);
	*dir = NULL;
	return -1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void scratch_remove(const char *dir)
{
	if (dir && nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0)
		log_warning("cannot remove the directory of this run, '%s'", dir);
}
