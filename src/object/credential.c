/* SPDX-License-Identifier: Apache-2.0 */
#include "object/credential.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "object/diff.h"
#include "object/fieldpath.h"
#include "util/base64.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- shapes ---- */

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define LETTERS UPPER "abcdefghijklmnopqrstuvwxyz"
#define ALNUM LETTERS DIGITS
#define BASE64 ALNUM "+/"
#define BASE64URL ALNUM "_-"

/*
 * A token: the prefix, not in the midst of a word, and at least min (with max: at most max) bytes of the alphabet after it. check sees the text
 * from the prefix on (len: to the end of the string) and the length of the run after it.
 */
struct shape {
	const char *kind, *prefix, *alphabet;
	size_t min, max;
	bool (*check)(const char *text, size_t len, size_t run);
	enum credential_confidence confidence;
};

static bool is_mixed(const char *text, size_t len, size_t run);
static bool is_web_token(const char *text, size_t len, size_t run);
static bool is_service_account_token(const char *text, size_t len, size_t run);
static bool is_private_key(const char *text, size_t len, size_t run);
static bool is_encoded_private_key(const char *text, size_t len, size_t run);
static bool has_password(const char *text, size_t len, size_t run);

/* The first of a string's shapes decides what it is called. The first two bytes of a new one belong into `starts`, too. */
static const struct shape shapes[] = {
	{"Hugging Face token", "hf_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"AWS access key", "AKIA", UPPER DIGITS, 16, 16, NULL, CREDENTIAL_CERTAIN},
	{"AWS temporary access key", "ASIA", UPPER DIGITS, 16, 16, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "github_pat_", ALNUM "_", 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "ghp_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "gho_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "ghu_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "ghs_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitHub token", "ghr_", ALNUM, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"GitLab token", "glpat-", BASE64URL, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"API key (sk-)", "sk-", BASE64URL, 20, 0, is_mixed, CREDENTIAL_CERTAIN},
	{"Slack token", "xoxa-", ALNUM "-", 10, 0, NULL, CREDENTIAL_CERTAIN},
	{"Slack token", "xoxb-", ALNUM "-", 10, 0, NULL, CREDENTIAL_CERTAIN},
	{"Slack token", "xoxp-", ALNUM "-", 10, 0, NULL, CREDENTIAL_CERTAIN},
	{"Google API key", "AIza", BASE64URL, 35, 0, NULL, CREDENTIAL_CERTAIN},
	{"NVIDIA API key", "nvapi-", BASE64URL, 20, 0, NULL, CREDENTIAL_CERTAIN},
	{"Kubernetes service account token", "eyJ", BASE64URL, 10, 0, is_service_account_token, CREDENTIAL_CERTAIN},
	{"JSON web token", "eyJ", BASE64URL, 10, 0, is_web_token, CREDENTIAL_CERTAIN},
	{"private key", "-----BEGIN ", UPPER DIGITS " ", 0, 0, is_private_key, CREDENTIAL_CERTAIN},
	{"private key in base64", "LS0tLS1CRUdJTi", BASE64, 20, 0, is_encoded_private_key, CREDENTIAL_CERTAIN},
	{"password in a URL", "://", ALNUM "._~%+-", 0, 0, has_password, CREDENTIAL_POSSIBLE},
};
#define SHAPE_COUNT (sizeof(shapes) / sizeof(*shapes))

/* By the first byte of a prefix the second ones: few texts come to the table of the shapes. */
static const char *const starts[256] = {['h'] = "f",
	['A'] = "KSI",
	['g'] = "ihl",
	['s'] = "k",
	['x'] = "o",
	['n'] = "v",
	['e'] = "y",
	['-'] = "-",
	['L'] = "S",
	[':'] = "/"};

/* What starts with "sk-" may be a name: those have no capitals. */
static bool is_mixed(const char *text, size_t len, size_t run)
{
	bool upper = false, lower = false, digit = false;

	(void)len;
	for (size_t i = 3; i < 3 + run; i++) {
		upper = upper || isupper((unsigned char)text[i]);
		lower = lower || islower((unsigned char)text[i]);
		digit = digit || isdigit((unsigned char)text[i]);
	}
	return upper && (lower || digit);
}

static size_t span(const char *text, size_t len, const char *alphabet)
{
	size_t run = 0;

	while (run < len && text[run] && strchr(alphabet, text[run]))
		run++;
	return run;
}

/* header.payload.signature, the first two of them JSON objects; *payload is the second. */
static bool split_web_token(const char *text, size_t len, size_t run, const char **payload, size_t *payload_len)
{
	size_t at = 3 + run, signature;

	if (at + 4 >= len || strncmp(text + at, ".eyJ", 4) != 0)
		return false;
	*payload = text + at + 1;
	*payload_len = span(*payload, len - at - 1, BASE64URL);
	signature = at + 1 + *payload_len;
	return *payload_len >= 10 && signature < len && text[signature] == '.' &&
		span(text + signature + 1, len - signature - 1, BASE64URL) >= 10;
}

static bool is_web_token(const char *text, size_t len, size_t run)
{
	const char *payload;
	size_t payload_len;

	return split_web_token(text, len, run, &payload, &payload_len);
}

/* Decoded as far as whole groups of four go; the caller frees. */
static char *decode(const char *text, size_t len, size_t *out_len)
{
	auto_free char *plain = xstrndup(text, len - len % 4);
	struct error ignored = ERROR_INIT;
	char *out = NULL;

	for (char *at = plain; *at; at++)
		*at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
	return base64_decode(plain, strlen(plain), &out, out_len, &ignored) < 0 ? NULL : out;
}

static bool is_service_account_token(const char *text, size_t len, size_t run)
{
	const char *payload;
	size_t payload_len, plain_len;
	auto_free char *plain = NULL;

	if (!split_web_token(text, len, run, &payload, &payload_len))
		return false;
	plain = decode(payload, payload_len, &plain_len);
	return plain && (memmem(plain, plain_len, "kubernetes.io", 13) || memmem(plain, plain_len, "system:serviceaccount:", 22));
}

static bool is_private_key(const char *text, size_t len, size_t run)
{
	size_t end = strlen("-----BEGIN ") + run;
	const char *words = memmem(text, end, "PRIVATE KEY", 11);

	return words && len - end >= 5 && strncmp(text + end, "-----", 5) == 0;
}

static bool is_encoded_private_key(const char *text, size_t len, size_t run)
{
	size_t encoded = strlen("LS0tLS1CRUdJTi") + run, plain_len;
	auto_free char *plain = decode(text, encoded < 96 ? encoded : 96, &plain_len);
	const char *words = plain ? memmem(plain, plain_len, "PRIVATE KEY", 11) : NULL;

	(void)len;
	return words && words - plain < 40;
}

/* "://user:password@host"; what is filled in later ("$(PASSWORD)") is no password. */
static bool has_password(const char *text, size_t len, size_t run)
{
	size_t at = 3 + run, password = 0;

	if (at >= len || text[at] != ':')
		return false;
	while (at + 1 + password < len && !strchr("@/ \t\n\"'<>${", text[at + 1 + password]))
		password++;
	return password > 0 && at + 1 + password < len && text[at + 1 + password] == '@';
}

/* ---- a text ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Whether a token may begin here: at the start, behind no word, or behind an escape of a URL ("%3D") or of a text in a text ("\n"). */
static bool is_start(const char *text, size_t at)
{
	if (at == 0 || !is_word(text[at - 1]))
		return true;
	return (at >= 3 && text[at - 3] == '%') || (at >= 2 && text[at - 2] == '\\');
}

static bool matches(const struct shape *shape, const char *text, size_t len)
{
	size_t prefix = strlen(shape->prefix), run;

	if (len < prefix || memcmp(text, shape->prefix, prefix) != 0)
		return false;
	run = span(text + prefix, len - prefix, shape->alphabet);
	if (run < shape->min || (shape->max && (run > shape->max || (prefix + run < len && is_word(text[prefix + run])))))
		return false;
	return !shape->check || shape->check(text, len, run);
}

/* The surest shape in the text: the first certain one, else the first possible one. */
static const struct shape *find_shape(const char *text, size_t len)
{
	const struct shape *possible = NULL;

	for (size_t at = 0; at + 1 < len; at++) {
		const char *second = starts[(unsigned char)text[at]];
		bool sign = text[at] == ':' || text[at] == '-'; /* these stand where they stand */

		if (!second || !text[at + 1] || !strchr(second, text[at + 1]) || (!sign && !is_start(text, at)))
			continue;
		for (size_t i = 0; i < SHAPE_COUNT; i++) {
			if (shapes[i].prefix[0] != text[at] || !matches(&shapes[i], text + at, len - at))
				continue;
			if (shapes[i].confidence == CREDENTIAL_CERTAIN)
				return &shapes[i];
			possible = possible ? possible : &shapes[i];
		}
	}
	return possible;
}

const char *credential_in(const char *text, size_t len)
{
	const struct shape *shape = find_shape(text, len);

	return shape && shape->confidence == CREDENTIAL_CERTAIN ? shape->kind : NULL;
}

/* ---- an object ---- */

/* A key, or (key NULL) an item, on the way to a value: no path is written for what nothing is found in. */
struct step {
	const struct step *up;
	const char *key;
	size_t index;
	const json_t *item;
};

struct look {
	credential_fn fn;
	void *arg;
};

static void append_path(struct strbuf *out, const struct step *step, bool by_name)
{
	const char *name = step->item ? json_string_value(json_object_get(step->item, "name")) : NULL;

	if (step->up)
		append_path(out, step->up, by_name);
	if (step->key)
		fieldpath_append_key(out, step->key);
	else if (by_name && name && *name && !strpbrk(name, "[]'*?"))
		strbuf_addf(out, "[name=%s]", name);
	else
		strbuf_addf(out, "[%zu]", step->index);
}

/* Cheaper than the path that diff_is_credential looks at: whether a name may have one of its words in it. */
static bool may_name_credential(const char *name)
{
	/* by the byte that it starts with, in both cases */
	static const char *const words[256] = {['t'] = "token",
		['T'] = "token",
		['p'] = "pass",
		['P'] = "pass",
		['s'] = "secret",
		['S'] = "secret",
		['a'] = "auth",
		['A'] = "auth",
		['c'] = "credential",
		['C'] = "credential",
		['k'] = "key",
		['K'] = "key"};

	for (; name && *name; name++) {
		const char *word = words[(unsigned char)*name];

		if (word && (name[1] | 0x20) == word[1] && strncasecmp(name, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

/* Not a switch, a number, the path of a file, or what is filled in later. */
static bool is_literal(const char *text, size_t len)
{
	static const char *const words[] = {"true", "false", "none", "null", "yes", "no", NULL};

	for (const char *const *word = words; *word; word++)
		if (strcasecmp(text, *word) == 0)
			return false;
	return len > 0 && text[0] != '/' && text[0] != '$' && strncmp(text, "{{", 2) != 0 && span(text, len, DIGITS ".") < len;
}

static void report(const struct look *look, const struct step *step, const char *kind, enum credential_confidence confidence)
{
	auto_strbuf struct strbuf path = STRBUF_INIT, shown = STRBUF_INIT;
	struct credential found = {.kind = kind, .confidence = confidence};

	append_path(&path, step, false);
	append_path(&shown, step, true);
	found.path = path.buf;
	found.shown = shown.buf;
	look->fn(&found, look->arg);
}

static bool is_named_credential(const struct step *step)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;

	append_path(&path, step, true);
	return diff_is_credential(path.buf);
}

static void look_at_string(const struct look *look, const json_t *value, const struct step *step, bool named)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	const struct shape *shape = find_shape(text, len);

	if (shape)
		report(look, step, shape->kind, shape->confidence);
	else if (named && is_literal(text, len) && is_named_credential(step))
		report(look, step, "value of a field that is named like a credential", CREDENTIAL_POSSIBLE);
}

/* named: something on the way has a name that may be a credential's. */
static void look_at(const struct look *look, json_t *value, const struct step *up, bool named)
{
	struct step step = {.up = up};
	json_t *part;

	if (json_is_string(value) && up)
		look_at_string(look, value, up, named);
	json_object_foreach (value, step.key, part)
		look_at(look, part, &step, named || may_name_credential(step.key));
	step.key = NULL;
	json_array_foreach (value, step.index, part) {
		step.item = part;
		look_at(look, part, &step, named || may_name_credential(json_string_value(json_object_get(part, "name"))));
	}
}

void credential_look(json_t *object, credential_fn fn, void *arg)
{
	const struct look look = {.fn = fn, .arg = arg};

	look_at(&look, object, NULL, false);
}
