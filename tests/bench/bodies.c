/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bodies - the objects of the benchmark, for raw_post: always the same ones for the same numbers.
 *
 *   bodies OBJECTS NAMESPACES
 *
 * 30 % LLMInferenceService, 30 % HTTPRoute, 40 % NetworkPolicy, spread evenly over the namespaces. What differs between objects
 * of a kind (models, sizes, numbers of environment variables, rules and peers) is drawn from the number of the object.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(seed, array) ((array)[draw(seed) % COUNT(array)])

static const char *const teams[] = {"search", "assist", "fraud", "support", "catalog", "risk", "translate", "voice"};
static const char *const models[] = {"Qwen/Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3",
	"ibm-granite/granite-3.3-8b-instruct", "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", "facebook/opt-125m"};
static const char *const stages[] = {"prod", "staging", "canary"};
static const char *const variables[] = {"VLLM_LOGGING_LEVEL", "HF_HUB_OFFLINE", "UCX_TLS", "NCCL_DEBUG", "OMP_NUM_THREADS", "VLLM_USE_V1",
	"TRANSFORMERS_CACHE", "VLLM_CPU_KVCACHE_SPACE"};
static const char *const values[] = {"INFO", "1", "rc,sm,self,cuda_copy,cuda_ipc", "WARN", "8", "/mnt/models", "0", "true"};
static const char *const peers[] = {
	"istio-system", "opendatahub", "openshift-monitoring", "gateway-system", "team-portal", "observability"};

/* SplitMix64: good enough, and the same everywhere. */
static uint64_t draw(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned between(uint64_t *seed, unsigned low, unsigned high)
{
	return low + (unsigned)(draw(seed) % (high - low + 1));
}

static void metadata(uint64_t *seed, const char *kind, unsigned ns, unsigned number)
{
	const char *team = PICK(seed, teams), *stage = PICK(seed, stages);

	printf("\"metadata\":{\"name\":\"%s-%05u\",\"namespace\":\"bench-%04u\",\"labels\":{\"app.kubernetes.io/managed-by\":\"argocd\",",
		kind, number, ns);
	printf("\"app.kubernetes.io/instance\":\"%s-%s\",\"team\":\"%s\",\"stage\":\"%s\"},", team, stage, team, stage);
	printf("\"annotations\":{\"argocd.argoproj.io/tracking-id\":\"%s-%s:%s:bench-%04u/%s-%05u\",", team, stage, kind, ns, kind, number);
	printf("\"example.com/owner\":\"%s@example.com\",\"example.com/change\":\"CHG%07u\"}}", team, between(seed, 1, 9999999));
}

static void namespaces(unsigned count)
{
	for (unsigned ns = 0; ns < count; ns++) {
		uint64_t seed = ns;
		const char *team = PICK(&seed, teams), *stage = PICK(&seed, stages);

		printf("/api/v1/namespaces\t{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"bench-%04u\",", ns);
		printf("\"labels\":{\"istio-injection\":\"enabled\",\"team\":\"%s\",\"stage\":\"%s\"}}}\n", team, stage);
	}
	printf("\n");
}

static void environment(uint64_t *seed)
{
	unsigned count = between(seed, 2, COUNT(variables));

	printf("\"env\":[{\"name\":\"POD_IP\",\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"status.podIP\"}}},");
	printf("{\"name\":\"VLLM_ADDITIONAL_ARGS\",\"value\":\"--max-model-len=%u --kv_transfer_config "
	       "'{\\\"kv_connector\\\":\\\"NixlConnector\\\",\\\"kv_role\\\":\\\"kv_both\\\"}'\"}",
		1024 * between(seed, 2, 128));
	for (unsigned i = 0; i < count; i++)
		printf(",{\"name\":\"%s\",\"value\":\"%s\"}", variables[i], PICK(seed, values));
	printf("],");
}

static void resources(uint64_t *seed)
{
	unsigned cpu = between(seed, 2, 16), memory = 8 * between(seed, 2, 16), gpus = between(seed, 1, 4);

	printf("\"resources\":{\"limits\":{\"cpu\":\"%u\",\"memory\":\"%uGi\",\"nvidia.com/gpu\":\"%u\"},", 2 * cpu, memory, gpus);
	printf("\"requests\":{\"cpu\":\"%u\",\"memory\":\"%uGi\",\"nvidia.com/gpu\":\"%u\"}},", cpu, memory / 2, gpus);
	printf("\"livenessProbe\":{\"httpGet\":{\"path\":\"/health\",\"port\":8000,\"scheme\":\"HTTPS\"},\"initialDelaySeconds\":%u,",
		between(seed, 60, 300));
	printf("\"periodSeconds\":30,\"timeoutSeconds\":30,\"failureThreshold\":5}");
}

static void service(uint64_t *seed, unsigned ns, unsigned number)
{
	const char *model = PICK(seed, models);

	printf("/apis/serving.kserve.io/v1alpha2/namespaces/bench-%04u/llminferenceservices\t"
	       "{\"apiVersion\":\"serving.kserve.io/v1alpha2\",\"kind\":\"LLMInferenceService\",",
		ns);
	metadata(seed, "llm", ns, number);
	printf(",\"spec\":{\"replicas\":%u,\"model\":{\"uri\":\"hf://%s\",\"name\":\"%s\"},", between(seed, 1, 6), model, model);
	printf("\"router\":{\"gateway\":{},\"route\":{},\"scheduler\":{}},\"template\":{\"containers\":[{\"name\":\"main\",");
	environment(seed);
	resources(seed);
	printf("}],\"nodeSelector\":{\"node.kubernetes.io/instance-type\":\"gpu-%u\"},", between(seed, 1, 4));
	printf("\"tolerations\":[{\"key\":\"nvidia.com/gpu\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}]}}}\n");
}

static void rule(uint64_t *seed, unsigned number, unsigned i)
{
	printf("{\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/llm-%05u/v%u\"},\"headers\":[{\"type\":\"Exact\",", number,
		i);
	printf("\"name\":\"x-team\",\"value\":\"%s\"}]}],\"filters\":[{\"type\":\"URLRewrite\",\"urlRewrite\":{\"path\":{",
		PICK(seed, teams));
	printf("\"type\":\"ReplacePrefixMatch\",\"replacePrefixMatch\":\"/"
	       "v%u\"}}}],\"timeouts\":{\"request\":\"%us\",\"backendRequest\":\"%us\"},",
		i, between(seed, 300, 600), between(seed, 100, 300));
	printf("\"backendRefs\":[{\"group\":\"inference.networking.k8s.io\",\"kind\":\"InferencePool\",\"name\":\"llm-%05u-inference-"
	       "pool\","
	       "\"port\":8000,\"weight\":%u}]}",
		number, between(seed, 1, 100));
}

static void route(uint64_t *seed, unsigned ns, unsigned number)
{
	unsigned rules = between(seed, 1, 3);

	printf("/apis/gateway.networking.k8s.io/v1/namespaces/bench-%04u/httproutes\t"
	       "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\",",
		ns);
	metadata(seed, "route", ns, number);
	printf(",\"spec\":{\"parentRefs\":[{\"group\":\"gateway.networking.k8s.io\",\"kind\":\"Gateway\",\"name\":\"inference-gateway\","
	       "\"namespace\":\"opendatahub\",\"sectionName\":\"http\"}],\"hostnames\":[\"llm-%05u.%s.example.com\"],\"rules\":[",
		number, PICK(seed, teams));
	for (unsigned i = 0; i < rules; i++) {
		printf("%s", i ? "," : "");
		rule(seed, number, i + 1);
	}
	printf("]}}\n");
}

static void peer(uint64_t *seed)
{
	printf("{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"%s\"}},", PICK(seed, peers));
	printf("\"podSelector\":{\"matchExpressions\":[{\"key\":\"app.kubernetes.io/"
	       "component\",\"operator\":\"In\",\"values\":[\"%s\",\"%s\"]}]}}",
		PICK(seed, teams), PICK(seed, stages));
}

static void block(uint64_t *seed)
{
	unsigned a = between(seed, 0, 255), b = between(seed, 0, 255);

	printf("{\"ipBlock\":{\"cidr\":\"10.%u.%u.0/24\",\"except\":[\"10.%u.%u.0/28\"]}}", a, b, a, b);
}

static void direction(uint64_t *seed, const char *name, const char *side)
{
	unsigned rules = between(seed, 1, 3);

	printf(",\"%s\":[", name);
	for (unsigned i = 0; i < rules; i++) {
		printf("%s{\"%s\":[", i ? "," : "", side);
		peer(seed);
		printf(",");
		block(seed);
		printf("],");
		printf("\"ports\":[{\"protocol\":\"TCP\",\"port\":8000},{\"protocol\":\"TCP\",\"port\":%u,\"endPort\":%u}]}",
			between(seed, 9000, 9100), between(seed, 9101, 9200));
	}
	printf("]");
}

static void network_policy(uint64_t *seed, unsigned ns, unsigned number)
{
	printf("/apis/networking.k8s.io/v1/namespaces/bench-%04u/networkpolicies\t"
	       "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",",
		ns);
	metadata(seed, "policy", ns, number);
	printf(",\"spec\":{\"podSelector\":{\"matchLabels\":{\"app.kubernetes.io/part-of\":\"llminferenceservice\","
	       "\"app.kubernetes.io/name\":\"llm-%05u\"}},\"policyTypes\":[\"Ingress\",\"Egress\"]",
		number);
	direction(seed, "ingress", "from");
	direction(seed, "egress", "to");
	printf("}}\n");
}

static void object(unsigned number, unsigned ns)
{
	uint64_t seed = number * 7919u + 1;
	unsigned tenth = number % 10;

	if (tenth < 3)
		service(&seed, ns, number);
	else if (tenth < 6)
		route(&seed, ns, number);
	else
		network_policy(&seed, ns, number);
}

int main(int argc, char **argv)
{
	unsigned long objects = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, spread = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (objects < 1 || objects > 999999 || spread < 1 || spread > 9999) {
		fprintf(stderr, "usage: bodies OBJECTS NAMESPACES (at most 999999 and 9999)\n");
		return 2;
	}
	namespaces((unsigned)spread);
	for (unsigned i = 0; i < objects; i++)
		object(i, i / 10 % (unsigned)spread);
	return ferror(stdout) || fflush(stdout) != 0;
}
