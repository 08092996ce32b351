/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of texts.c: what readers of YAML are known to take differently, and what people write into the files of a snapshot. */
#ifndef RHAII_TESTS_READERS_HAND_H
#define RHAII_TESTS_READERS_HAND_H

static const char *const nasty_strings[] = {
	/* words and numbers of one YAML or the other */
	"", "~", "null", "Null", "NULL", "nUll", "true", "True", "TRUE", "false", "False", "y", "Y", "n", "N", "yes", "Yes", "YES", "no",
	"No", "on", "On", "ON", "off", "Off", "OFF", "=", "<<", "<", ".", "..", "...", "---", "--- a", "-", "--", "?", ":", "::", "#", "!",
	"!!", "&", "*", "%", "@", "`", "|", ">", ",", "'", "''", "\"", "\\", "[", "]", "{", "}", "[]", "{}", "[1]", "{a: 1}", "0", "-0",
	"+0", "00", "01", "010", "08", "0777", "0o7", "0o17", "0O17", "0x1F", "0X1f", "-0x1f", "0b101", "0B1", "-0b1", "1_000", "_1", "+_1",
	"-_1", "1_", "0x_1", "1e_3", "1.", ".5", "-.5", "+.5", ".5e3", "1e3", "1E3", "1e+3", "1e-3", "1.0e3", "1.0e+3", "1e", "e3", "1e400",
	".e3", "0x1p-2", "1:30", "-1:30", "1:30:00", "12:30:45.5", "190:20:30", "1:60", "0:0", "2001-01-01", "2001-1-1",
	"2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43Z", "2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43", ".inf", "-.inf",
	"+.inf", ".Inf", ".INF", "inf", "Infinity", ".nan", ".NaN", "nan", "NaN", "9223372036854775807", "9223372036854775808",
	"18446744073709551616", "1e1000", "Null ", " null",
	/* indicators, comments, what looks like structure */
	"- a", "-a", "? a", "?a", ": a", ":a", "a:", "a: b", "a :b", "a:b", "a #b", "a#b", "#a", "&a", "*a", "!a", "!!str a", "%YAML 1.1",
	"@a", "`a", "a, b", "a]", "a}", "{{ .Name }}", "{{- .X -}}", "key: value\n", "- item\n", "a: |\n  b\n", "a\n---\nb\n", "---\na\n",
	"...\n", "# a\n", "a\n# b\n", "it's", "\"so\"", "'a'", "a'b\"c\\d", "\\n", "\\", "a\\", "a\\\nb",
	/* blanks and line ends */
	" ", "  ", "\t", "\n", "\n\n", "\n\n\n", "\r", "\r\n", " a", "a ", "a  ", "\ta", "a\t", "a\tb", " \n", "\n ", "a\n", "a\n\n",
	"a\n\n\n", "\na", "\n\na\n\n", "a\nb", "a\nb\n", "a\n\nb", "a \nb", "a\n b", " a\nb", "  a\n b\n", "\n a\nb", "a\n \nb", "a\n  \n",
	"a\n\t\nb", "\ta\nb", "a\n\tb", "a\tb\n", "a\nb ", "a\nb \n", "a\r\nb\r\n", "a\rb", "a\n\rb", "a\r", "a\n\r\n", "\xC2\xA0",
	"a\xC2\xA0",
	"\xE3\x80\x80"
	"a\n",
	"\xE2\x80\x8B",
	/* what is not printable, breaks lines in YAML 1.1, or hides */
	"\x01", "\x07", "\b", "\f", "\v", "\x1B[31m", "\x1F", "\x7F", "\xC2\x80", "\xC2\x85",
	"a\xC2\x85"
	"b",
	"a\n\xC2\x85", "\xC2\x9F", "\xE2\x80\xA8",
	"a\xE2\x80\xA8"
	"b\n",
	"\xE2\x80\xA9", "a\n\xE2\x80\xA9",
	"\xE2\x80\xAE"
	"abc",
	"\xEF\xBB\xBF",
	"\xEF\xBB\xBF"
	"a: b\n",
	"a\xEF\xBB\xBF", "\xEF\xBF\xBD", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80",
	"\xF0\x9F\x98\x80", "\xF0\x9F\xBF\xBE", "\xF3\xA0\x81\x81", "\xF4\x8F\xBF\xBF",
	"gr\xC3\xBC\xC3\x9F"
	"e",
	"e\xCC\x81", "\xD7\x90\xD7\x91",
	/* what Kubernetes objects hold */
	"256m", "1Gi", "10.0.0.0/8", "192.168.0.1", "8080:80", "1.2.3", "v1", "*.example.com", "hf://a/b:c", "/mnt/models",
	"app.kubernetes.io/name", "--model=x", "-c", "$(POD_NAME)", "%d", "100%", "50%", "a=b", "a,b", "sha256:0123", "1e10", "12e10",
	"0e0", "1234567890123456789012345678901234567890"};

/* As JSON. The server sends integers beyond int64 (doubles to it), and doubles in Go's form. */
static const char *const nasty_numbers[] = {"0", "-0", "-0.0", "0.0", "1", "-1", "1.0", "-1.0", "0.1", "0.5", "10", "100.0", "1e0", "1E3",
	"1e+3", "1.5e3", "1e-6", "1e-07", "1e-7", "1.5e-7", "123456789012345680000", "1e20", "1e+21", "1e21", "1e22",
	"1.7976931348623157e+308", "5e-324", "2.2250738585072014e-308", "4.9406564584124654e-324", "9007199254740991", "9007199254740993",
	"9007199254740993.0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809",
	"18446744073709551615", "18446744073709551616", "100000000000000000000", "123456789012345678901234567890", "0.30000000000000004",
	"3.141592653589793", "1e23", "9.5367431640625e-07", "1e-400", "8.41e+21"};

/* Plain scalars longer than those that are tried one by one. */
static const char *const hand_scalars[] = {"null", "Null", "NULL", "nULL", "true", "True", "TRUE", "tRUE", "false", "False", "FALSE", "yes",
	"Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y", "n", ".inf", ".Inf", ".INF", "-.inf", "+.inf", ".nan",
	".NaN", ".NAN", "nan", "inf", "-inf", "+Inf", "Infinity", "-Infinity", "infinity", "0o7", "0o17", "012", "0777", "08", "0x1F",
	"0xDEADBEEF", "-0x1F", "0x", "0xZ", "0b101", "-0b101", "0b", "0b2", "1:30", "1:30:00", "12:30:45.5", "1:60", "100:00", "-1:30",
	"1_000", "1__0", "1_000.5", "+_1", "-_1", "1e_3", "_1", "1e3", "1e+3", "1E-3", "1.0e3", "1.5e+3", ".5", "-.5", "+.5", ".5e+3",
	".5e3", "1.", "-1.", "1.e+3", "1e", "1e+", "e3", "2001-01-01", "2001-1-1", "2001-13-45", "2001-12-14T21:59:43Z",
	"2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "2001-12-14 21:59:43.10 -5", "2001-12-14 ", "2001-01", "20010101",
	"9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
	"123456789012345678901234567890", "1.7976931348623157e+308", "1.0e+309", "4.9e-324", "1.0e-400", "0x1p-2", "0x1.8p+3", "1.2.3",
	"10.0.0.0/8", "192.168.0.1", "8080:80", "500m", "1Gi", "100%", "1,000", "1 000", "0.1", "00.1", "0_0", "-0", "+0", "-0.0", "+1",
	"--1", "+-1", "1-1", "0-0", "1+1", "<<", "<", "=", "==", "~", "~1", "@", "%a"};

static const char *const hand_texts[] = {
	/* comments */
	"# a comment\na: 1 # one\n# between\nb: x#y # z\n\n# at the end", "a: 'x' # c\nb: \"y\" # c\nc: [1, # one\n  2] # two\n",
	"a: | # c\n  x # kept\nb: 1\n", "a:# b\n", "a: #b\n", "#\n", "   # indented\na: 1\n",
	/* flow */
	"{a: 1, b: [x, 'y', \"z\"], c: {d: null, e: }, f}", "{\"a\":1,\"b\":[true,false,null],\"c\":\"\\u00fc\\/\"}", "{a: 1,}\n",
	"[1, 2,]\n", "[a, , b]\n", "{a:1}\n", "{a: b:c}\n", "[a: 1, b: 2]\n", "[a:b]\n", "{'a':1, \"b\":2}\n",
	"{a: [\n1,\n2\n], b: {\n}}\n", "a: {b: c\n  d: e}\n", "[http://x:80/y?z=1]\n", "{a: x,y}\n", "a: [x y, z]\n", "a: [- b]\n",
	"{? a : b}\n", "[? a : b]\n", "{a: -1, b: - }\n",
	/* block scalars */
	"a: |\n  x\n  y\n", "a: |-\n  x\n  y\n\n", "a: |+\n  x\n  y\n\n", "a: >\n  x\n  y\n\n  z\n", "a: >-\n  x\n  y\n", "a: >+\n  x\n\n",
	"a: |2\n    x\n  y\n", "a: |2-\n    x\n  y\n", "a: |-2\n    x\n  y\n", "a: >1\n  x\n y\n", "a: >\n  x\n    more\n  y\n",
	"a: >\n\n  x\n\n\n  y\n", "a: |\n\n  x\n", "a: |\n\nb: 1\n", "a: |-\n\nb: 1\n", "a: |+\n\nb: 1\n", "a: >\n\nb: 1\n",
	"a: |\n  x\n # c\nb: 1\n", "a: |\n  x\n\n  # kept\n", "- |\n x\n- >\n y\n", "|\n x\n", "--- |\n x\n", "a: |\n    x\n  y\n",
	"a: |\n\t x\n", "a: |\n  \tx\n", "a: |\n  x", "a: |0\n  x\n", "a: |12\n  x\n", "a: |x\n  x\n", "a: |\n  x  \n",
	"a: >\n  x  \n  y\n", "a: |\n   \n  x\n", "a: |\n x\n   \n", "a: >\n x\n \n  y\n", "a: >-\n\n x\n", "a: |9\n x\n",
	/* plain and quoted over lines */
	"a: x\n  y\n  z\n", "a: x\n\n  y\n", "a: 'x\n  y'\n", "a: 'x\n\n  y'\n", "a: \"x\n  y\"\n", "a: \"x\\\n  y\"\n",
	"a: \"x \\\n  y\"\n", "a: \"x\n\n\n  y\"\n", "a: 'it''s'\n", "a: \"\\x41\\u0042\\U00000043\\n\\t\\0\\e\\N\\_\\L\\P\\\\\\\"\\/\"\n",
	"a: \"\\q\"\n", "a: \"\\x4\"\n", "a: \"\\ud83d\\ude00\"\n", "a: \"\\uD800\"\n", "a: \" x \"\n", "a: ' x '\n", "a: 'x\n", "a: \"x\n",
	"a: x: y\n", "a: x:y\n", "a: x :y\n", "a: x#y\n", "a: -x\n", "a: -\n", "a: - x\n", "a: ?x\n", "a: :x\n", "a: @x\n", "a: `x\n",
	"a: %x\n", "a: x\n y: z\n", "a: \"x\"y\n", "a: 'x' 'y'\n", "a: x\n b\n", "'a': 1\n\"b\": 2\n", "a : 1\n", "a: 1\n b: 2\n",
	" a: 1\n b: 2\n", " a: 1\nb: 2\n", "? a\n: b\n", "? a\n", "? |\n  a\n: b\n", "\"a\\nb\": 1\n",
	/* structure */
	"a:\n- 1\n- 2\n", "a:\n  - 1\n  - 2\n", "a:\n - b: 1\n   c: 2\n - d\n", "- - 1\n  - 2\n-\n  - 3\n", "-\n- \n- x\n",
	"a:\nb:\n  c:\n", "a:\n- x\nb: 1\n", "- a: 1\nb: 2\n", "a: 1\n- b\n", "x\n", "x\ny: 1\n", "a: b\n\n\n\nc: d\n", "-a\n-b\n",
	"- a\n-b\n", "a:b\n", "a:\n  b\n", "a:\n  'b'\n", "a:\n\n  b: 1\n", "- # c\n  a: 1\n", "a: # c\n  b: 1\n",
	/* documents, marks, directives, the byte order mark */
	"", "\n", "   \n", "---\n", "---\na: 1\n", "--- a\n", "---\na: 1\n...\n", "a: 1\n...\n", "a: 1\n---\n", "a: 1\n---\nb: 2\n",
	"---\n---\na: 1\n", "a: 1\n...\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n", "%YAML 2.0\n---\na: 1\n",
	"%TAG ! tag:x,2000:\n---\na: 1\n", "%FOO\n---\na: 1\n",
	"\xEF\xBB\xBF"
	"a: 1\n",
	"a: 1\n\xEF\xBB\xBF"
	"b: 2\n",
	"a: \xEF\xBB\xBF"
	"x\n",
	"\xFF\xFE"
	"a\n",
	/* line ends, tabs, what is not printable */
	"a: 1\r\nb:\r\n- x\r\n- 'y'\r\n", "a: |\r\n  x\r\n  y\r\n", "a: >\r\n  x\r\n  y\r\n", "a: 'x\r\n  y'\r\n", "a: 1\rb: 2\r",
	"a:\t1\n", "a:\t- 1\n", "a:\n\tb: 1\n", "\ta: 1\n", "a: 1\t\n", "a: 1\t# c\n", "a: x\ty\n", "a:\n  b: 1\n\tc: 2\n", "- \ta\n",
	"-\ta\n", "-\ta: 1\n", "- a\n\t- b\n", "a: [1,\t2]\n", "a: [\n\t1\n]\n", "{\n\t\"a\": 1\n}\n", "a: 'x\ty'\n", "a: \"x\ty\"\n",
	"a: \x01\n", "a: '\x01'\n", "a: \x1B\n", "a: \x7F\n", "a: x\xC2\x85y\n", "a: |\n  x\xC2\x85  y\n", "a: 'x\xC2\x85y'\n",
	"a: x\xE2\x80\xA8y\n", "a: 'x\xE2\x80\xA8y'\n", "a: x\xC2\xA0\n", "a:\xC2\xA0x\n",
	"\xC3\xBC: gr\xC3\xBC\xC3\x9F"
	"e\n",
	"a: \xF0\x9F\x98\x80\n", "a: '\xEF\xBF\xBE'\n", "a: '\xEF\xBF\xBF'\n",
	/* anchors, aliases, merges, tags, keys */
	"a: &x 1\nb: *x\n", "a: &x {b: 1}\nc:\n  <<: *x\n", "<<: {a: 1}\n", "'<<': {a: 1}\n", "\"<<\": {a: 1}\n", "a: '<<'\n",
	"a: !!str 1\n", "a: !!int '1'\n", "a: ! x\n", "a: !x y\n", "a: !!binary aGk=\n", "a: 1\na: 2\n", "a: 1\n'a': 2\n", "{a: 1, a: 2}\n",
	"1: x\n", "1.5: x\n", "true: x\n", "null: x\n", "~: x\n", ": x\n", "'': x\n", "on: x\n", "'on': x\n", "2001-01-01: x\n", "[a]: x\n",
	"{a: b}: x\n", "? [a]\n: x\n", "\"a\\0\": 1\n", "1e3: x\n", "0x10: x\n", "a: *\n", "a: &\n", "*a\n", "&a\n",
	/* typing */
	"a: yes\n", "a: on\n", "a: 'yes'\n", "a: 0o7\n", "a: 012\n", "a: 1:30\n", "a: 1_000\n", "a: 2001-01-01\n",
	"a: 2001-12-14T21:59:43Z\n", "a: 1e3\n", "a: .5\n", "a: 1.0\n", "a: ~\n", "a:\n", "a: 1.0e+3\n", "a: 9223372036854775808\n",
	"a: 18446744073709551616\n", "a: -9223372036854775809\n", "a: 1.0e+400\n", "a: .inf\n", "a: 1.7976931348623157e+308\n",
	"a: 1.0e-400\n", "a: +1\n", "a: 0.10\n", "a: 1.2.3\n", "a: 256m\n", "a: =\n"};

#endif
