/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all commands. The options are in option_rows.c. */
#include <string.h>

#include "command.h"
#include "util/error.h"
#include "util/suggest.h"

#define OPTIONS(...) ((const enum option_id[]){__VA_ARGS__, OPTION_NONE})
#define EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define REPOSITORY OPTION_REPO, OPTION_CLUSTER
#define CONNECTION OPTION_KUBECONFIG, OPTION_CONTEXT
#define SELECTION OPTION_ONLY, OPTION_ONLY_REFERENCES
#define MAPPING OPTION_MAP_NAMESPACE, OPTION_MAP_GATEWAY, OPTION_MAP_CIDR, OPTION_MAP_HOST
#define PROBES OPTION_PROBE_TIMEOUT, OPTION_PROBE_URL, OPTION_PROBE_CA_FILE, OPTION_PROBE_TOKEN_FILE, OPTION_ISOLATION_COMMAND
#define SCOPE OPTION_NAMESPACE, OPTION_ALL_NAMESPACES

#define ABOUT_SNAPSHOT_ARGUMENT                                                                                                            \
	"\n\nSNAPSHOT is a git revision in the repository (an id, a branch, @{2026-11-20T14:00Z} for the state at that time), or, where "  \
	"it starts "                                                                                                                       \
	"with '/' or './' or ends in .tar.zst, the path of an archive or of a folder with the files of a snapshot."

const struct command commands[] = {
	{
		.name = "snapshot",
		.summary = "read the cluster and commit what people wrote to the repository",
		.about = "Reads the kinds of the policy, keeps what people wrote, leaves out what controllers make again, and commits the "
			 "rest to the "
			 "branch of the cluster. When nothing has changed, no commit is made; it is recorded that the state was seen. What "
			 "cannot be read completely fails the whole snapshot, and nothing is committed. A guard refuses (exit 9) what "
			 "looks like a loss: "
			 "many fewer objects, a kind that is gone, a narrower scope, another cluster; then 'accept' is the way on. What "
			 "looks "
			 "like a credential is refused before anything is written, until the policy waives it.",
		.examples = EXAMPLES("snapshot --cluster prod --repo /backup/rhaii --archive-dir /backup/archives",
			"snapshot -n rhaii-inference --dry-run"),
		.options = OPTIONS(REPOSITORY, OPTION_ARCHIVE_DIR, OPTION_OFFSITE, SCOPE, OPTION_POLICY, OPTION_PAGE_SIZE,
			OPTION_MAX_SHRINK, OPTION_DRY_RUN, CONNECTION),
		.needs = NEEDS_POLICY | NEEDS_CLIENT | NEEDS_WRITING,
		.run = command_snapshot,
		.print = print_snapshot,
	},
	{
		.name = "accept",
		.summary = "commit the capture that a guard refused",
		.args = "ID",
		.min_args = 1,
		.max_args = 1,
		.about = "A snapshot that a guard refuses is kept beside the branch of the cluster, and says its ID. This moves the branch "
			 "to "
			 "exactly that capture, if the branch is still where it was then. Asks no cluster.",
		.examples = EXAMPLES("accept 0f3c9a5e71d2", "accept 0f3c9a5e71d2 --cluster prod --archive-dir /backup/archives"),
		.options = OPTIONS(REPOSITORY, OPTION_ARCHIVE_DIR, OPTION_OFFSITE),
		.needs = NEEDS_STORE,
		.run = command_accept,
		.print = print_snapshot,
	},
	{
		.name = "plan",
		.summary = "say what a restore would do, and what the target lacks",
		.args = "[SNAPSHOT]",
		.max_args = 1,
		.about = "Holds the target against the snapshot: rights, kinds, versions, fields, webhooks, quotas, the operator, Secrets "
			 "and "
			 "all else that the snapshot needs. Everything that would stop the restore is listed at once, with the step that "
			 "mends it (exit 7); then each object with what would be done to it. Changes nothing. With -o json it is the plan "
			 "that "
			 "'restore --plan' executes." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("plan clusters/prod --context dr-cluster",
			"plan --context dr-cluster --requirements-template ./secrets", "plan clusters/prod --server-dry-run",
			"plan --partial --ignore nodes -o json > plan.json", "plan --only kind=llmisvc,ns=prod --only label=team=ml"),
		.options = OPTIONS(OPTION_IN_PLACE, OPTION_ACCEPT_EDITS, OPTION_PARTIAL, OPTION_IGNORE, OPTION_OVERWRITE,
			OPTION_DROP_UNKNOWN_FIELDS, OPTION_ADOPT_ORPHANS, SELECTION, MAPPING, OPTION_REQUIREMENTS_TEMPLATE,
			OPTION_SERVER_DRY_RUN, OPTION_OTHER_POLICY, OPTION_WAIT, OPTION_RTO, REPOSITORY, CONNECTION),
		.needs = NEEDS_CLIENT,
		.run = command_plan,
		.print = print_plan_result,
	},
	{
		.name = "restore",
		.summary = "bring a snapshot back onto a cluster and hold the time against the RTO",
		.args = "SNAPSHOT | --plan FILE [SNAPSHOT] | --resume [JOURNAL]",
		.max_args = 1,
		.about =
			"Checks the snapshot and the target, applies the objects wave by wave, waits for the services, verifies them, and "
			"reports how "
			"long each phase took. Nothing on the target is deleted, and nothing that differs there is changed: it is "
			"reported. On a "
			"terminal the plan is shown and confirmed; elsewhere --yes is needed.\n\n"
			"With --plan, what `plan -o json` wrote is executed exactly, with its options. Where an object is not what the "
			"plan rests "
			"on, all such objects are named and nothing is written (exit 7); where the snapshot is not the same, or the file "
			"was "
			"edited, neither (exit 6). The snapshot is looked for where the plan found it; --repo or SNAPSHOT say where it is "
			"now.\n\n"
			"What is done stands in a journal below $XDG_STATE_HOME (~/.local/state). Interrupted by Ctrl-C (exit 8), by a "
			"kill or by a "
			"server that went away, a restore goes on with --resume: by default with the newest journal of the target that is "
			"not "
			"finished. Meanwhile the Lease default/rhaii-dr-restore on the target keeps a second restore out "
			"(exit 10).\n\n"
			"The RTO counts from --since, or from the start of a clock that is running (see 'clock'), over all phases of the "
			"recovery: --phase, the clock and the section `recovery` of the configuration file say what is known of those that "
			"others run. What came of it is a record, a JSON file beside the journal or in "
			"--report-dir." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("restore clusters/prod --context dr-cluster",
			"restore ./prod-20261120T140000Z-0f3c9a.tar.zst --yes -o json",
			"restore clusters/prod --context dr-cluster --map-namespace models=models-dr --map-host "
			"*.prod.example=*.dr.example",
			"restore --resume --context dr-cluster", "restore --plan plan.json --yes --context dr-cluster"),
		.options = OPTIONS(OPTION_YES, OPTION_RESUME, OPTION_PLAN, OPTION_IN_PLACE, OPTION_ACCEPT_EDITS, OPTION_PARTIAL,
			OPTION_IGNORE, OPTION_OVERWRITE, OPTION_DROP_UNKNOWN_FIELDS, OPTION_ADOPT_ORPHANS, SELECTION, MAPPING,
			OPTION_OTHER_POLICY, OPTION_WAIT, OPTION_RTO, PROBES, OPTION_RPO, OPTION_SINCE, OPTION_PHASE, OPTION_REPORT_DIR,
			REPOSITORY, CONNECTION),
		.run = command_restore,
		.print = print_restore,
	},
	{
		.name = "clock",
		.summary = "keep the time of a recovery, from the disaster on",
		.args = "[start | mark PHASE | stop]",
		.max_args = 2,
		.about =
			"Start it when the disaster is declared (--since: when it began), and mark each phase as it begins: declare (which "
			"start begins), create-cluster, install-operators, secrets, and cutover after the restore. A phase lasts until the "
			"next mark; with --waiting it is people that are waited for. A restore picks up a clock that is running, ends the "
			"phase that is marked, and leaves its own phases in it. Without a word it shows the clock; exits with 4 when the "
			"RTO "
			"is missed.\n\n"
			"It is a small file below $XDG_STATE_HOME (~/.local/state). One that was stopped, or is older than a day, is not "
			"picked up.",
		.examples = EXAMPLES("clock start --since 2026-11-20T14:00Z", "clock mark create-cluster", "clock mark secrets --waiting",
			"clock stop -o json"),
		.options = OPTIONS(OPTION_SINCE, OPTION_WAITING, OPTION_RTO),
		.run = command_clock,
		.print = print_clock_result,
	},
	{
		.name = "verify",
		.summary = "probe whether the cluster is what a snapshot says, and works",
		.args = "[SNAPSHOT]",
		.max_args = 1,
		.about = "Compares every object with the snapshot (by default the newest), looks for the children that controllers make, "
			 "reads the "
			 "conditions, counts replicas, holds what NetworkPolicies let through against what they did, and asks the models. "
			 "Changes nothing." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("verify --context dr-cluster", "verify @{2026-11-20T14:00Z} -o json"),
		.options = OPTIONS(REPOSITORY, OPTION_ACCEPT_EDITS, SELECTION, MAPPING, OPTION_OTHER_POLICY, PROBES, CONNECTION),
		.needs = NEEDS_CLIENT,
		.run = command_verify,
		.print = print_verify,
	},
	{
		.name = "drill",
		.summary = "rehearse the whole recovery, and leave a record of it",
		.args = "[SNAPSHOT] | --cleanup [JOURNAL]",
		.max_args = 1,
		.about = "Runs the commands that the configuration has for the phases of others (recovery.phases), restores the newest "
			 "snapshot, or "
			 "the one given, verifies it, holds the time against the RTO, and takes away again what it made: exactly those "
			 "objects. The "
			 "record is added to the chain of the cluster in the repository (refs/heads/drills/NAME), and to --report-dir. The "
			 "target must "
			 "be listed by its id in the configuration (drill: {targets: [ID]}), and snapshots must not come from it.\n\n"
			 "With --local it needs no cluster: it starts etcd and kube-apiserver for itself, installs the definitions that "
			 "the snapshot "
			 "recorded, and restores there. Serving, controllers, webhooks and conversion are not tested then, and the record "
			 "says so.\n\n"
			 "A drill that was interrupted (exit 8) has left what it made; --cleanup takes it away, by its "
			 "journal." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("drill --local", "drill --context dr-cluster --report-dir ./reports --fail-if-slower 20%",
			"drill --scenarios drills.yaml --context dr-cluster", "drill --cleanup --context dr-cluster"),
		.options = OPTIONS(OPTION_LOCAL, OPTION_SCENARIOS, OPTION_KEEP, OPTION_CLEANUP, OPTION_FAIL_IF_SLOWER, OPTION_SINCE,
			OPTION_PHASE, OPTION_REPORT_DIR, OPTION_ACCEPT_EDITS, OPTION_PARTIAL, OPTION_IGNORE, OPTION_DROP_UNKNOWN_FIELDS,
			SELECTION, MAPPING, OPTION_OTHER_POLICY, OPTION_WAIT, OPTION_RTO, OPTION_RPO, REPOSITORY, CONNECTION),
		.run = command_drill,
		.print = print_drills,
	},
	{
		.name = "list",
		.summary = "list the snapshots of a cluster, newest first",
		.about = "One line a snapshot of the cluster's branch. A snapshot holds until the next one; how long the newest is known "
			 "to hold is in its line.",
		.examples = EXAMPLES("list --cluster prod", "list -o json"),
		.options = OPTIONS(REPOSITORY),
		.needs = NEEDS_STORE,
		.run = command_list,
		.print = print_list,
	},
	{
		.name = "show",
		.summary = "say what is in a snapshot",
		.args = "[SNAPSHOT]",
		.max_args = 2,
		.about = "Scope, counts, objects, orphans, what the target must bring, and what may be wrong on another cluster, of the "
			 "newest "
			 "snapshot or the one given. With -n, only the objects of these namespaces. With --why, what became of one object "
			 "(as "
			 "'log' names it), and the evidence that decided it: also of one that is not in the "
			 "snapshot." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("show", "show ./prod-20261120T140000Z-0f3c9a.tar.zst -n rhaii-inference",
			"show --why httproute rhaii-inference/qwen-kserve-route", "show @{2026-11-01T00:00Z} --why cm/prod/settings"),
		.options = OPTIONS(REPOSITORY, SCOPE, OPTION_WHY, OPTION_ACCEPT_EDITS),
		.run = command_show,
		.print = print_show,
	},
	{
		.name = "diff",
		.summary = "say what changed between two snapshots, field by field",
		.args = "[A] [B]",
		.max_args = 2,
		.about = "From A to B. Without B: to the newest snapshot. Without both: from the one before the newest. A and B are what "
			 "SNAPSHOT is elsewhere: git revisions, archives or folders. With --live: from A, or the newest snapshot, to the "
			 "cluster as it is, captured by the policy and in the scope of A; with who changed it and when, as far as the "
			 "cluster tells. With -n, only the objects of these namespaces.",
		.examples = EXAMPLES("diff", "diff @{2026-11-01T00:00Z} --exit-code", "diff clusters/prod ./edited --accept-edits",
			"diff --live --exit-code"),
		.options = OPTIONS(REPOSITORY, SCOPE, OPTION_LIVE, OPTION_EXIT_CODE, OPTION_ACCEPT_EDITS, CONNECTION),
		.run = command_diff,
		.print = print_diff,
	},
	{
		.name = "log",
		.summary = "say when an object changed, and who changed what",
		.args = "KIND NAME",
		.min_args = 1,
		.max_args = 2,
		.about = "The snapshots that an object came, changed or went with, newest first, field by field; with who set a field and "
			 "when, "
			 "as far as the cluster told it. The object is KIND NS/NAME, KIND/NAME with -n, or KIND NAME for one without a "
			 "namespace. KIND is a kind, its plural, singular or a short name.",
		.examples = EXAMPLES("log llmisvc rhaii-inference/qwen", "log networkpolicy/default-deny-all -n rhaii-inference",
			"log namespace rhaii-inference -o json"),
		.options = OPTIONS(REPOSITORY, SCOPE),
		.needs = NEEDS_STORE,
		.run = command_log,
		.print = print_log,
	},
	{
		.name = "status",
		.summary = "say how old the last capture is, and hold it against the RPO",
		.about = "For each cluster in the repository, or the one named: when it was last captured (changed or not), its newest "
			 "snapshot, and whether a refused capture waits. With --archive-dir, whether the archive is there. Reads the "
			 "repository alone and asks no cluster (so it takes no --kubeconfig); exits with 4 when a capture is older than "
			 "--max-age, or the last proof that it can be restored older than --max-proof-age; with 1 when there is no "
			 "snapshot. With "
			 "--openmetrics, the same as metrics, written in one step.",
		.examples = EXAMPLES(
			"status --repo /backup/rhaii --max-age 2h", "status --openmetrics /var/lib/node_exporter/textfile/rhaii-dr.prom"),
		.options =
			OPTIONS(REPOSITORY, OPTION_ARCHIVE_DIR, OPTION_MAX_AGE, OPTION_MAX_PROOF_AGE, OPTION_OFFSITE, OPTION_OPENMETRICS),
		.run = command_status,
		.print = print_status,
	},
	{
		.name = "check",
		.summary = "read everything back that a restore would rest on, and hold it against its sums",
		.args = "[SNAPSHOT]",
		.max_args = 1,
		.about = "The newest snapshot of each cluster in the repository, with --all every one, and the chain of the records of its "
			 "restores and drills; with --archive-dir, each archive there and what is in it; or the one SNAPSHOT given. Every "
			 "byte "
			 "is read. Asks no cluster. Exits with 6 when something is damaged, or a record was changed, left out or put "
			 "in." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("check --repo /backup/rhaii --archive-dir /backup/archives", "check --all",
			"check ./prod-20261120T140000Z-0f3c9a.tar.zst"),
		.options = OPTIONS(REPOSITORY, OPTION_ARCHIVE_DIR, OPTION_ALL),
		.run = command_check,
		.print = print_check,
	},
	{
		.name = "report",
		.summary = "render the record of a drill or a restore, for people or machines",
		.args = "[RECORD] [EARLIER...]",
		.max_args = 64,
		.about = "RECORD is the id of a record in the repository (the start of one will do), as a drill and a restore print it, or "
			 "the file of "
			 "one; the newest of the cluster when none is given. text is for a terminal, md for a ticket, html for an auditor "
			 "(one file "
			 "that asks for nothing else, and prints well), junit for a CI system, openmetrics for a text file collector, json "
			 "is the "
			 "record itself. The trend is over the records before it in the repository, for a file over the files EARLIER, "
			 "oldest first. "
			 "The same record gives the same bytes. Asks no cluster.",
		.examples = EXAMPLES("report", "report 20261124T2015 --format md", "report drill.json --format html --file drill.html",
			"report october.json august.json september.json --format md"),
		.options = OPTIONS(REPOSITORY, OPTION_FORMAT, OPTION_FILE),
		.run = command_report,
		.print = print_report,
	},
	{
		.name = "rbac",
		.summary = "print the least rights that a command needs, as manifests",
		.args = "[SNAPSHOT]",
		.max_args = 1,
		.about =
			"ClusterRole, Roles and bindings with exactly the verbs that the command needs for the policy. With -n, the rights "
			"end at these namespaces wherever the API has rights that do. Asks no cluster. What a restore creates among Roles "
			"and RoleBindings must be rights that it holds itself: these are not in it. Where the policy says `secrets: "
			"check`, the "
			"Secrets are those that the newest snapshot, or the one given, refers to.",
		.examples = EXAMPLES("rbac --for snapshot | kubectl apply -f -",
			"rbac --for verify -n rhaii-inference --service-account ops/verifier -o json"),
		.options = OPTIONS(REPOSITORY, OPTION_FOR, OPTION_SERVICE_ACCOUNT, SCOPE, OPTION_POLICY),
		.needs = NEEDS_POLICY,
		.run = command_rbac,
		.print = print_rbac,
	},
	{
		.name = "doctor",
		.summary = "say what is wrong with this set-up, and how to mend it",
		.args = "[SNAPSHOT]",
		.max_args = 1,
		.about = "Which kubeconfig, server and identity are used, whether the cluster serves the kinds of the policy and lets us "
			 "list them, and the state of the repository. With -n, as a snapshot of these namespaces would list them. Asks the "
			 "cluster only for what a snapshot asks, and for reviews of our own rights; changes nothing. Exits with 0 when a "
			 "snapshot can work, with 1 when something is wrong. With SNAPSHOT, also whether "
			 "the cluster has what a restore of it needs: all that plan checks." ABOUT_SNAPSHOT_ARGUMENT,
		.examples = EXAMPLES("doctor", "doctor --context prod --repo /backup/rhaii -o json",
			"doctor clusters/prod --context dr-cluster", "doctor -n rhaii-inference"),
		.options = OPTIONS(REPOSITORY, SCOPE, OPTION_ACCEPT_EDITS, OPTION_POLICY, CONNECTION),
		.run = command_doctor,
		.print = print_doctor,
	},
	{
		.name = "help",
		.summary = "say how rhaii-dr or a command is used",
		.args = "[COMMAND]",
		.max_args = 1,
		.about = "Works without any configuration.",
		.run = command_help,
	},
	{
		.name = "version",
		.summary = "print the version; with -o json also those of libraries and formats",
		.about = "Also as --version.",
		.options = OPTIONS(OPTION_NONE),
		.run = command_version,
		.print = print_version,
	},
	{.name = NULL},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int command_find(const struct command **out, const char *name, struct error *err)
{
	const char *names[COMMAND_COUNT] = {NULL};
	const char *near;

	for (size_t i = 0; commands[i].name; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			*out = &commands[i];
			return 0;
		}
		names[i] = commands[i].name;
	}
	*out = NULL;
	near = suggest(name, names);
	error_set(err, ERR_USAGE, "unknown command '%s'", name);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr help' lists the commands");
}
