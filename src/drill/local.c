/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/local.h"

#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/interrupt.h"
#include "util/key.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/scratch.h"
#include "util/service.h"
#include "util/strbuf.h"
#include "util/text.h"

#define READY_MS 120000 /* a busy machine; three seconds on a quiet one */
#define POLL_MS 100
#define LOG_MAX ((size_t)16 << 20)
#define CERTIFICATE_MAX ((size_t)1 << 20)
#define TOKEN_BYTES 32
/* As service.h numbers them. */
#define TOKEN_FILE "/proc/self/fd/3"
#define KEY_FILE "/proc/self/fd/4"

struct local_cluster {
	char *etcd, *apiserver; /* the programs */
	char *dir;
	int port;
	struct service *etcd_service, *api_service;
	struct kube_config *config;
};

/* ---- the programs ---- */

/* Whether both are there, and can be run; then they are taken. */
static bool take_programs(struct local_cluster *cluster, const char *dir, size_t len)
{
	auto_free char *etcd = xasprintf("%.*s/etcd", (int)len, dir), *apiserver = xasprintf("%.*s/kube-apiserver", (int)len, dir);

	if (len == 0 || access(etcd, X_OK) != 0 || access(apiserver, X_OK) != 0)
		return false;
	cluster->etcd = realpath(etcd, NULL);
	cluster->apiserver = realpath(apiserver, NULL);
	return cluster->etcd && cluster->apiserver;
}

static bool search_path(struct local_cluster *cluster)
{
	const char *path = env_get("PATH");

	for (; path && *path; path += strcspn(path, ":"), path += *path == ':')
		if (take_programs(cluster, path, strcspn(path, ":")))
			return true;
	return false;
}

/* Of several versions, any that is whole. */
static bool search_cache(struct local_cluster *cluster)
{
	const char *own = env_get("RHAII_DR_CACHE"), *cache = env_get("XDG_CACHE_HOME"), *home = env_get("HOME");
	auto_free char *pattern = own ? xasprintf("%s/bin-*", own)
		: cache               ? xasprintf("%s/rhaii-dr/bin-*", cache)
				      : xasprintf("%s/.cache/rhaii-dr/bin-*", home ? home : "");
	bool found = false;
	glob_t dirs;

	if (glob(pattern, 0, NULL, &dirs) != 0)
		return false;
	for (size_t i = dirs.gl_pathc; !found && i-- > 0;)
		found = take_programs(cluster, dirs.gl_pathv[i], strlen(dirs.gl_pathv[i]));
	globfree(&dirs);
	return found;
}

static int find_programs(struct local_cluster *cluster, struct error *err)
{
	const char *assets = env_get("KUBEBUILDER_ASSETS");

	if ((assets && take_programs(cluster, assets, strlen(assets))) || (!assets && (search_path(cluster) || search_cache(cluster))))
		return 0;
	(void)error_set(err, ERR_USAGE, "a local drill needs the programs etcd and kube-apiserver, and there are none in %s",
		assets ? assets : "the PATH");
	return error_hint(err, "setup-envtest use -p path prints a directory that has them: name it in KUBEBUILDER_ASSETS");
}

/* ---- starting ---- */

/* A socket in its own directory: "HOST:PORT" is the name of its file. No sync: nothing in it outlives the drill. */
static int start_etcd(struct local_cluster *cluster, struct error *err)
{
	const char *const argv[] = {cluster->etcd, "--name=drill", "--data-dir=data", "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=unix://etcd:1", "--advertise-client-urls=unix://etcd:1", "--listen-peer-urls=unix://peer:1",
		"--initial-advertise-peer-urls=unix://peer:1", "--initial-cluster=drill=unix://peer:1", NULL};
	auto_free char *log = xasprintf("%s/etcd.log", cluster->dir);

	return service_start(&cluster->etcd_service, &(const struct service_start){.argv = argv, .dir = cluster->dir, .log = log}, err);
}

static int run_apiserver(struct local_cluster *cluster, const int secrets[2], struct error *err)
{
	auto_free char *port = xasprintf("--secure-port=%d", cluster->port), *log = xasprintf("%s/kube-apiserver.log", cluster->dir);
	const char *const argv[] = {cluster->apiserver, "--etcd-servers=unix://etcd:1", "--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1", port, "--endpoint-reconciler-type=none", "--cert-dir=certificates",
		"--authorization-mode=RBAC", "--token-auth-file=" TOKEN_FILE, "--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" KEY_FILE,
		"--service-account-signing-key-file=" KEY_FILE, "--service-cluster-ip-range=10.0.0.0/16",
		"--disable-admission-plugins=ServiceAccount", "--shutdown-delay-duration=0s", NULL};
	const struct service_start start = {
		.argv = argv, .dir = cluster->dir, .log = log, .secrets = {secrets[0], secrets[1]}, .secret_count = 2};

	return service_start(&cluster->api_service, &start, err);
}

static void release_secret(struct strbuf *text)
{
	if (text->cap)
		explicit_bzero(text->buf, text->cap);
	strbuf_release(text);
}

/* The key for accounts' tokens, of which there will be none: the server wants one. */
static int start_apiserver(struct local_cluster *cluster, struct error *err)
{
	__attribute__((cleanup(release_secret))) struct strbuf key = STRBUF_INIT;
	auto_free char *token = xasprintf("%s,rhaii-dr,rhaii-dr,\"system:masters\"\n", cluster->config->token);
	int secrets[2] = {-1, -1}, rc = -1;

	if (key_make(&key, err) == 0 && (secrets[0] = service_secret(token, strlen(token), err)) >= 0 &&
		(secrets[1] = service_secret(key.buf, key.len, err)) >= 0)
		rc = run_apiserver(cluster, secrets, err);
	explicit_bzero(token, strlen(token));
	for (size_t i = 0; i < 2; i++)
		if (secrets[i] >= 0)
			(void)close(secrets[i]);
	return rc;
}

static struct kube_config *make_config(int port)
{
	struct kube_config *config = xcalloc(1, sizeof(*config));
	unsigned char bytes[TOKEN_BYTES];
	auto_strbuf struct strbuf token = STRBUF_INIT;

	env_random(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		strbuf_addf(&token, "%02x", bytes[i]);
	config->server = xasprintf("https://127.0.0.1:%d", port);
	config->token = strbuf_detach(&token, NULL);
	config->namespace_ = xstrdup("default");
	config->source = xstrdup("the control plane of this drill");
	return config;
}

/* ---- waiting ---- */

/* The last lines of what it said. */
static void add_last_words(const struct local_cluster *cluster, const char *name, struct strbuf *out)
{
	auto_free char *path = xasprintf("%s/%s.log", cluster->dir, name);
	auto_strbuf struct strbuf log = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	const char *last;

	if (file_read(path, LOG_MAX, &log, &ignored) < 0 || log.len == 0)
		return;
	if (log.buf[log.len - 1] == '\n')
		strbuf_truncate(&log, log.len - 1);
	last = strrchr(log.buf, '\n');
	strbuf_adds(out, ": ");
	text_escape(out, last ? last + 1 : log.buf, strlen(last ? last + 1 : log.buf), 600);
}

static int check_running(struct local_cluster *cluster, struct error *err)
{
	struct service *const services[] = {cluster->etcd_service, cluster->api_service};
	static const char *const names[] = {"etcd", "kube-apiserver"};

	if (interrupted())
		return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
	for (size_t i = 0; i < 2; i++) {
		auto_strbuf struct strbuf words = STRBUF_INIT;

		if (service_runs(services[i]))
			continue;
		add_last_words(cluster, names[i], &words);
		return error_set(err, ERR_FAILED, "the drill's %s ended%s", names[i], words.buf);
	}
	return 0;
}

/* What the server made for itself is the authority that we trust. */
static bool take_certificate(struct local_cluster *cluster)
{
	auto_free char *path = xasprintf("%s/certificates/apiserver.crt", cluster->dir);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!cluster->config->ca && file_read(path, CERTIFICATE_MAX, &text, &ignored) == 0 && strstr(text.buf, "END CERTIFICATE"))
		cluster->config->ca = strbuf_detach(&text, NULL);
	return cluster->config->ca != NULL;
}

/* A cluster has an id when its namespaces are there. */
static bool answers(const struct local_cluster *cluster)
{
	struct error ignored = ERROR_INIT;
	struct kube_client *client = NULL;
	auto_free char *id = NULL;
	bool ready = kube_client_new(&client, cluster->config, &ignored) == 0 && kube_cluster_id(client, &id, &ignored) == 0;

	kube_client_free(client);
	return ready;
}

static int wait_until_it_answers(struct local_cluster *cluster, struct error *err)
{
	int64_t until = clock_monotonic_ms() + READY_MS;

	while (!take_certificate(cluster) || !answers(cluster)) {
		if (check_running(cluster, err) < 0)
			return -1;
		if (clock_monotonic_ms() >= until)
			return error_set(err, ERR_FAILED, "the drill's API server does not answer after %d s", READY_MS / 1000);
		clock_sleep_ms(POLL_MS);
	}
	return 0;
}

/* ---- the whole ---- */

static int start(struct local_cluster *cluster, struct error *err)
{
	if (find_programs(cluster, err) < 0 || scratch_make(&cluster->dir, "drill", err) < 0 || service_free_port(&cluster->port, err) < 0)
		return -1;
	cluster->config = make_config(cluster->port);
	log_info("starting a control plane for the drill: %s", cluster->apiserver);
	if (start_etcd(cluster, err) < 0 || start_apiserver(cluster, err) < 0)
		return -1;
	return wait_until_it_answers(cluster, err);
}

int local_start(struct local_cluster **out, struct error *err)
{
	struct local_cluster *cluster = xcalloc(1, sizeof(*cluster));

	*out = NULL;
	if (start(cluster, err) < 0) {
		local_stop(cluster);
		return -1;
	}
	*out = cluster;
	return 0;
}

const struct kube_config *local_config(const struct local_cluster *cluster)
{
	return cluster->config;
}

void local_stop(struct local_cluster *cluster)
{
	if (!cluster)
		return;
	service_stop(cluster->api_service);
	service_stop(cluster->etcd_service);
	scratch_remove(cluster->dir);
	kube_config_free(cluster->config);
	free(cluster->dir);
	free(cluster->etcd);
	free(cluster->apiserver);
	free(cluster);
}

json_t *local_not_tested(void)
{
	static const struct {
		const char *what, *reason;
	} rows[] = {
		{"serving", "a local drill has no nodes: no model was loaded, and none was asked"},
		{"controllers", "a local drill has none: what they generate was neither made nor looked for"},
		{"admission webhooks", "a local drill has none: what they would refuse or change was not asked"},
		{"conversion", "a local drill serves each kind at its storage version alone"},
		{"network", "a local drill has no data plane: whether policies isolate was not tested"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "what", rows[i].what, "reason", rows[i].reason));
	return list;
}
