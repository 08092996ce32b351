/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of the HTML report: inline SVG whose x are percents of the page and whose y are pixels, so that texts keep their size on any screen. */
#include <stdio.h>
#include <string.h>

#include "html.h"
#include "parts.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define MINUTE 60000LL
#define HEAD_HEIGHT 40
#define PHASE_HEIGHT 34
#define WAVE_HEIGHT 27
#define LANE_HEIGHT 36
#define PLACES 500 /* that marks of a lane can have: many probes end at the same time */
#define TREND_HEIGHT 150
#define TREND_TOP 22
#define TREND_MAX 12

struct timeline {
	const struct report *report;
	struct strbuf *out;
	int64_t total, target; /* milliseconds; target -1: none */
	int y;
};

#define PERCENT_SIZE 24
static const char *percent(int64_t part, int64_t whole, char buf[PERCENT_SIZE])
{
	/* in double: an offset of a record from anywhere may be any integer */
	double share = (double)part / (double)whole * 100;

	(void)snprintf(buf, PERCENT_SIZE, "%.2f%%", share < 0 ? 0 : share > 100 ? 100 : share);
	return buf;
}

/* "45s", "12m" or "1h 5m": for a label. */
static const char *short_time(int64_t ms, char buf[CLOCK_TEXT_SIZE])
{
	int64_t unit = ms < MINUTE ? 1000 : MINUTE;

	return clock_format_duration((ms + unit / 2) / unit * unit, buf);
}

/* ---- the scale ---- */

static void reach(struct timeline *line, const json_t *row, const char *offset, const char *length)
{
	int64_t end = report_number(row, offset, 0) + (length ? report_number(row, length, 0) : 0);

	line->total = end > line->total ? end : line->total;
}

static void measure_list(struct timeline *line, const char *list, const char *offset, const char *length)
{
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(line->report->record, list), i, row)
		reach(line, row, offset, length);
}

static void measure(struct timeline *line)
{
	line->target = report_number(json_object_get(line->report->record, "rto"), "targetMilliseconds", -1);
	line->total = line->target > 1000 ? line->target : 1000;
	measure_list(line, "phases", "offsetMilliseconds", "milliseconds");
	measure_list(line, "waves", "offsetMilliseconds", "applyMilliseconds");
	measure_list(line, "probes", "offsetMilliseconds", NULL);
	measure_list(line, "services", "backMilliseconds", NULL);
	line->total += line->total / 50;
}

static void add_axis(struct timeline *line, int bottom)
{
	static const int64_t steps[] = {1000, 5000, 15000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, 60 * MINUTE,
		180 * MINUTE, 720 * MINUTE, 1440 * MINUTE};
	int64_t step = line->total / 6;
	char x[PERCENT_SIZE], text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (line->total / steps[i] <= 7) {
			step = steps[i];
			break;
		}
	for (int64_t at = 0; at <= line->total; at += step) {
		percent(at, line->total, x);
		strbuf_addf(line->out,
			"<line class=\"grid\" x1=\"%s\" x2=\"%s\" y1=\"32\" y2=\"%d\"/><text class=\"muted\" x=\"%s\" "
			"y=\"28\"%s>%s</text>\n",
			x, x, bottom, x, at == 0 ? "" : " text-anchor=\"middle\"", at == 0 ? "0" : clock_format_duration(at, text));
	}
}

static void add_limit(struct timeline *line, int bottom)
{
	char x[PERCENT_SIZE], text[CLOCK_TEXT_SIZE];

	if (line->target < 0)
		return;
	percent(line->target, line->total, x);
	strbuf_addf(line->out,
		"<line class=\"limit\" x1=\"%s\" x2=\"%s\" y1=\"16\" y2=\"%d\"/><text class=\"limit-text\" x=\"%s\" y=\"11\" "
		"text-anchor=\"%s\">RTO "
		"%s</text>\n",
		x, x, bottom, x, line->target > line->total / 8 ? "end" : "start", clock_format_duration(line->target, text));
}

/* ---- bars ---- */

/* What lies behind the RTO is drawn over in another color. */
static void add_bar(struct timeline *line, const char *class, int64_t start, int64_t length, int height)
{
	char x[PERCENT_SIZE], width[PERCENT_SIZE];
	int64_t end = start + length;
	int64_t over = line->target >= 0 && end > line->target && strcmp(class, "outside") != 0 ? line->target : end;

	strbuf_addf(line->out, "<rect class=\"%s\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\"/>\n", class, percent(start, line->total, x),
		line->y + 17, percent(length, line->total, width), height);
	over = over < start ? start : over;
	if (over < end)
		strbuf_addf(line->out, "<rect class=\"over\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\"/>\n",
			percent(over, line->total, x), line->y + 17, percent(end - over, line->total, width), height);
}

static void add_label(struct timeline *line, const char *left, const char *right)
{
	strbuf_addf(line->out, "<text x=\"0\" y=\"%d\">", line->y + 12);
	markup_add(line->out, left);
	strbuf_addf(line->out, "</text><text class=\"muted\" x=\"100%%\" y=\"%d\" text-anchor=\"end\">", line->y + 12);
	markup_add(line->out, right);
	strbuf_adds(line->out, "</text>\n");
}

static void add_waves(struct timeline *line)
{
	json_t *wave;
	size_t i;

	json_array_foreach (json_object_get(line->report->record, "waves"), i, wave) {
		auto_free char *name = report_safe(wave, "name");
		auto_free char *label = xasprintf("wave %s", name);
		int64_t offset = report_number(wave, "offsetMilliseconds", -1), length = report_number(wave, "applyMilliseconds", 0);
		char text[CLOCK_TEXT_SIZE];

		if (offset < 0)
			continue;
		add_label(line, label, clock_format_duration(length, text));
		add_bar(line, "bar", offset, length, 4);
		line->y += WAVE_HEIGHT;
	}
}

static const char *bar_class(const json_t *phase, const char *how)
{
	if (json_is_false(json_object_get(phase, "inRto")))
		return "outside";
	return strcmp(how, "assumed") == 0 ? "assumed" : strcmp(how, "measured") == 0 ? "bar" : "said";
}

/* Phases whose time is known but not their place follow the one before. */
static void add_phases(struct timeline *line)
{
	json_t *phase;
	int64_t cursor = 0;
	size_t i;

	json_array_foreach (json_object_get(line->report->record, "phases"), i, phase) {
		auto_free char *name = report_safe(phase, "name");
		auto_free char *how = report_safe(phase, "how");
		int64_t length = report_number(phase, "milliseconds", -1), offset = report_number(phase, "offsetMilliseconds", cursor);
		char time[CLOCK_TEXT_SIZE];
		auto_free char *right =
			xasprintf("%s%s%s", length < 0 ? "" : clock_format_duration(length, time), length < 0 ? "" : ", ", how);

		add_label(line, name, right);
		if (length >= 0) {
			add_bar(line, bar_class(phase, how), offset, length, 10);
			cursor = offset + length;
		}
		line->y += PHASE_HEIGHT;
		if (strcmp(name, "apply") == 0)
			add_waves(line);
	}
}

/* ---- lanes of marks ---- */

static void add_mark(struct timeline *line, enum tone tone, const char *x)
{
	int y = line->y + 22;

	if (tone == TONE_GOOD)
		strbuf_addf(line->out, "<circle class=\"pass\" cx=\"%s\" cy=\"%d\" r=\"4\"/>\n", x, y);
	else if (tone == TONE_WARN)
		strbuf_addf(line->out, "<circle class=\"changed\" cx=\"%s\" cy=\"%d\" r=\"5\"/>\n", x, y);
	else
		strbuf_addf(line->out,
			"<svg x=\"%s\" y=\"%d\" overflow=\"visible\"><path class=\"fail\" d=\"M-5-5L5 5M-5 5L5-5\"/></svg>\n", x, y);
}

static void add_lane_label(struct timeline *line, const char *label, const size_t counts[TONE_BAD + 1])
{
	static const char *const words[] = {[TONE_PLAIN] = "other", [TONE_GOOD] = "well", [TONE_WARN] = "changed", [TONE_BAD] = "failed"};
	auto_strbuf struct strbuf right = STRBUF_INIT;

	for (int tone = TONE_PLAIN; tone <= TONE_BAD; tone++)
		if (counts[tone])
			strbuf_addf(&right, "%s%zu %s", right.len ? ", " : "", counts[tone], words[tone]);
	add_label(line, label, right.buf);
}

/* One mark for all of a tone at one place. Bad ones last, so that nothing hides them. */
static void add_lane(struct timeline *line, const char *label, const char *list, const char *offset_key)
{
	bool seen[TONE_BAD + 1][PLACES + 1] = {{false}};
	char x[PERCENT_SIZE];
	json_t *row;
	size_t counts[TONE_BAD + 1] = {0}, i;

	json_array_foreach (json_object_get(line->report->record, list), i, row) {
		auto_free char *result = report_safe(row, "result");
		int64_t offset = report_number(row, offset_key, -1);

		if (offset < 0 || strcmp(result, "not tested") == 0)
			continue;
		counts[*result ? tone_of(result) : TONE_GOOD]++;
		seen[*result ? tone_of(result) : TONE_GOOD][(int)((double)offset / (double)line->total * PLACES)] = true;
	}
	if (counts[TONE_GOOD] + counts[TONE_WARN] + counts[TONE_BAD] + counts[TONE_PLAIN] == 0)
		return;
	add_lane_label(line, label, counts);
	for (int tone = TONE_PLAIN; tone <= TONE_BAD; tone++)
		for (int place = 0; place <= PLACES; place++)
			if (seen[tone][place])
				add_mark(line, (enum tone)tone, percent(place, PLACES, x));
	line->y += LANE_HEIGHT;
}

static const char legend[] =
	"<ul class=\"legend\" aria-hidden=\"true\">"
	"<li><svg class=\"chart\"><rect class=\"bar\" width=\"22\" height=\"10\"/></svg>measured</li>"
	"<li><svg class=\"chart\"><rect class=\"said\" x=\"1\" y=\"1\" width=\"20\" height=\"8\"/></svg>declared</li>"
	"<li><svg class=\"chart\"><rect class=\"assumed\" x=\"1\" y=\"1\" width=\"20\" height=\"8\"/></svg>assumed</li>"
	"<li><svg class=\"chart\"><rect class=\"over\" width=\"22\" height=\"10\"/></svg>after the RTO</li>"
	"<li><svg class=\"chart\"><rect class=\"outside\" width=\"22\" height=\"10\"/></svg>outside the RTO</li>"
	"<li><svg class=\"chart\"><circle class=\"pass\" cx=\"11\" cy=\"6\" r=\"4\"/></svg>ready, passed</li>"
	"<li><svg class=\"chart\"><circle class=\"changed\" cx=\"11\" cy=\"6\" r=\"4\"/></svg>changed</li>"
	"<li><svg class=\"chart\"><path class=\"fail\" d=\"M6 1L16 11M6 11L16 1\"/></svg>failed</li></ul>\n";

static void add_timeline_title(const struct report *report, int height, struct strbuf *out)
{
	json_t *objectives = report_objectives(report);
	const json_t *rto = json_array_get(objectives, 0);
	auto_free char *achieved = report_safe(rto, "achieved");
	auto_free char *target = report_safe(rto, "target");
	auto_free char *worst = report_safe(json_object_get(report->record, "rto"), "worst");

	strbuf_addf(out,
		"<figure>\n<svg class=\"chart\" role=\"img\" aria-labelledby=\"timeline-title timeline-desc\" width=\"100%%\" "
		"height=\"%d\">\n"
		"<title id=\"timeline-title\">Phases, waves and probes against the RTO</title>\n<desc id=\"timeline-desc\">RTO achieved: ",
		height);
	markup_add(out, *achieved ? achieved : "not known");
	strbuf_adds(out, ", target ");
	markup_add(out, *target ? target : "none");
	strbuf_adds(out, *worst ? "; longest phase: " : "");
	markup_add(out, worst);
	strbuf_adds(out, ". The tables below say the same.</desc>\n");
	json_decref(objectives);
}

void figure_timeline(const struct report *report, struct strbuf *out)
{
	auto_strbuf struct strbuf rows = STRBUF_INIT;
	struct timeline line = {.report = report, .out = &rows, .y = HEAD_HEIGHT};

	if (json_array_size(json_object_get(report->record, "phases")) == 0)
		return;
	measure(&line);
	add_phases(&line);
	add_lane(&line, "services ready", "services", "backMilliseconds");
	add_lane(&line, "probes", "probes", "offsetMilliseconds");
	add_timeline_title(report, line.y, out);
	line.out = out;
	add_axis(&line, line.y);
	add_limit(&line, line.y); /* below the labels */
	strbuf_adds(out, rows.buf);
	strbuf_addf(out, "</svg>\n%s</figure>\n", legend);
}

/* ---- trend ---- */

static int trend_y(int64_t ms, int64_t top)
{
	double share = (double)(ms < 0 ? 0 : ms) / (double)top;

	return TREND_HEIGHT - (int)(share * (TREND_HEIGHT - TREND_TOP));
}

static void add_trend_bar(struct strbuf *out, const json_t *point, size_t place, size_t count, int64_t top, int64_t target)
{
	int64_t rto = report_number(point, "rtoMilliseconds", -1), slot = 10000 / (int64_t)count,
		width = slot * 6 / 10 < 700 ? slot * 6 / 10 : 700;
	int64_t middle = (int64_t)place * slot + slot / 2;
	const char *started = json_text_at(point, "startedAt", NULL);
	char x[PERCENT_SIZE], left[PERCENT_SIZE], wide[PERCENT_SIZE], text[CLOCK_TEXT_SIZE], day[CLOCK_TEXT_SIZE] = "";
	struct error ignored = ERROR_INIT;
	time_t when;

	percent(middle, 10000, x);
	if (rto >= 0)
		strbuf_addf(out, "<rect class=\"%s\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\"/>\n",
			target >= 0 && rto > target ? "over" : "bar", percent(middle - width / 2, 10000, left), trend_y(rto, top),
			percent(width, 10000, wide), TREND_HEIGHT - trend_y(rto, top));
	strbuf_addf(out, "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, trend_y(rto, top) - 5,
		rto < 0 ? "?" : short_time(rto, text));
	if (started && clock_parse(started, &when, &ignored) == 0)
		clock_format(when, day);
	strbuf_addf(out, "<text class=\"muted\" x=\"%s\" y=\"%d\" text-anchor=\"middle\">%.5s</text>\n", x, TREND_HEIGHT + 16,
		*day ? day + 5 : "");
}

void figure_trend(const struct report *report, struct strbuf *out)
{
	size_t size = json_array_size(report->trend), count = size < TREND_MAX ? size : TREND_MAX;
	int64_t target = report_number(json_object_get(report->record, "rto"), "targetMilliseconds", -1), top = target > 1 ? target : 1;
	char text[CLOCK_TEXT_SIZE];

	if (count < 2)
		return;
	for (size_t i = size - count; i < size; i++)
		if (report_number(json_array_get(report->trend, i), "rtoMilliseconds", 0) > top)
			top = report_number(json_array_get(report->trend, i), "rtoMilliseconds", 0);
	strbuf_addf(out,
		"<figure>\n<svg class=\"chart\" role=\"img\" aria-labelledby=\"trend-title trend-desc\" width=\"100%%\" height=\"%d\">\n"
		"<title id=\"trend-title\">RTO achieved, the last %zu records</title>\n<desc id=\"trend-desc\">A bar a record, oldest "
		"first. The table "
		"below says the same.</desc>\n<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>\n",
		TREND_HEIGHT + 22, count, TREND_HEIGHT, TREND_HEIGHT);
	for (size_t i = 0; i < count; i++)
		add_trend_bar(out, json_array_get(report->trend, size - count + i), i, count, top, target);
	if (target >= 0)
		strbuf_addf(out,
			"<line class=\"limit\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/><text class=\"limit-text\" x=\"100%%\" y=\"%d\" "
			"text-anchor=\"end\">RTO %s</text>\n",
			trend_y(target, top), trend_y(target, top), trend_y(target, top) - 5, clock_format_duration(target, text));
	strbuf_adds(out, "</svg>\n</figure>\n");
}
