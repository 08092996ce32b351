/* SPDX-License-Identifier: Apache-2.0 */
#include "util/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked_to_stop;

static const int signals[] = {SIGINT, SIGTERM};

/* Only what is async-signal-safe: the next one, of either kind, does what it would have done without us. */
static void note(int signal_)
{
	(void)signal_;
	asked_to_stop = 1;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
}

void interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = note};

	asked_to_stop = 0;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}

bool interrupted(void)
{
	return asked_to_stop;
}
