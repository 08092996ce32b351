/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease - the Lease default/rhaii-dr-restore on the target keeps a second restore out.
 *
 * Not in kube-system: there are clusters where nobody may write to that. It is written by resourceVersion, so that of two only one gets it; it is renewed by
 * lease_renew, which whoever waits calls again and again; one that was not renewed in time is free. Its holder is "<name of the journal>/<host>/<pid>".
 */
#ifndef RHAII_RESTORE_LEASE_H
#define RHAII_RESTORE_LEASE_H

#include <stdbool.h>

struct error;
struct kube_client;
struct lease;

/*
 * name is the journal's. resume: a run of the same journal that was killed holds it no longer. ERR_LOCKED, naming who holds it and until when. Whoever has no right to
 * Leases goes on without one, with a warning: *out is NULL then.
 */
int lease_take(struct lease **out, struct kube_client *client, const char *name, bool resume, struct error *err);
/* Where it is time. ERR_LOCKED when another has taken it over. NULL is fine. */
int lease_renew(struct lease *lease, struct error *err);
/* Give it back, where it is ours; frees. NULL is fine. */
void lease_release(struct lease *lease);

#endif
