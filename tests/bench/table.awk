# SPDX-License-Identifier: Apache-2.0
# table.awk - the runs of one table as lines: medians, and the median of the ratios to the first command of the same round. Below them
# the bars of those that have some, and whether they are met.
# Input, tab-separated: table, round, name, wall ms, user ms, sys ms, peak KiB, exit status, requests, pages among them, CPU ms of the API server.
BEGIN {
	FS = "\t"
	# table, command (by the words before the comma of its name), figure, the most that it may be
	add_bar("snapshot", "first snapshot", "ratio", 2.0)
	add_bar("snapshot", "unchanged", "ratio", 1.3)
	add_bar("snapshot", "10 changed", "ratio", 1.35)
	add_bar("snapshot", "first snapshot", "peak MiB", 64)
	add_bar("snapshot", "unchanged", "peak MiB", 64)
	add_bar("snapshot", "10 changed", "peak MiB", 64)
	add_bar("snapshot", "first snapshot", "others", 8)
	add_bar("snapshot", "unchanged", "others", 8)
	add_bar("snapshot", "10 changed", "others", 8)
	add_bar("restore", "restore --yes --wait 0", "ratio", 1.2)
	add_bar("restore", "restore --yes --wait 0", "peak MiB", 64)
	add_bar("large", "restore --yes --wait 0", "ratio", 1.2)
	add_bar("large", "restore --yes --wait 0", "peak MiB", 64)
	# table, another command, how many times ours is to be faster at least
	ours["snapshot"] = "first snapshot, policy core"
	ours["restore"] = ours["latency"] = ours["throttle"] = "restore --yes --wait 0"
	add_faster("snapshot", "kubectl get -o yaml", 5)
	add_faster("restore", "kubectl apply --server-side", 2)
	add_faster("restore", "kubectl apply", 2)
	add_faster("latency", "kubectl apply --server-side", 5)
	add_faster("latency", "kubectl apply", 5)
	best_bar = 0.8 # throttle: of the throughput of the best fixed number in flight
}

function add_bar(of, name, figure, most) {
	if (of == table) {
		bar_of[++bars] = name
		bar_figure[bars] = figure
		bar[bars] = most
	}
}

function add_faster(of, name, times) {
	if (of == table) {
		other[++rivals] = name
		least_times[rivals] = times
	}
}

$1 == table {
	if (!($3 in count)) {
		names[++total] = $3
		width = length($3) > width ? length($3) : width
	}
	n = ++count[$3]
	if ($8 != 0)
		failed[$3]++
	if ($3 == names[1])
		raw[$2] = $4
	if ($3 == ours[table])
		own[$2] = $4
	wall[$3, n] = $4
	cpu[$3, n] = $5 + $6
	peak[$3, n] = $7 / 1024
	requests[$3, n] = $9
	pages[$3, n] = $10
	others[$3, n] = $9 - $10
	server[$3, n] = $11
	ratio[$3, n] = raw[$2] > 0 ? $4 / raw[$2] : 0
	round[$3, n] = $2
}

# Fills sorted[1..n] with the values of a name.
function sort_values(values, name, n,    i, j, v) {
	for (i = 1; i <= n; i++) {
		v = values[name, i] + 0
		for (j = i; j > 1 && sorted[j - 1] > v; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = v
	}
}

function median(values, name, n) {
	sort_values(values, name, n)
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function range(values, name, n, format) {
	sort_values(values, name, n)
	return sprintf(format "-" format, sorted[1], sorted[n])
}

# value: of which bar is the most (or, least set, the least) allowed.
function judge(what, value, allowed, least,    met) {
	met = least ? value >= allowed : value <= allowed
	printf "  %-10s %8.2f   bar %5.2f   %s\n", what, value, allowed, met ? "met" : "MISSED"
}

function figure_of(figure, name, n) {
	if (figure == "ratio")
		return median(ratio, name, n)
	return figure == "peak MiB" ? median(peak, name, n) : median(others, name, n)
}

function judge_all(name,    i, words, told) {
	words = name
	sub(/,.*/, "", words)
	for (i = 1; i <= bars; i++)
		if (bar_of[i] == words) {
			if (told != name)
				printf "%s\n", told = name
			judge(bar_figure[i], figure_of(bar_figure[i], name, count[name]), bar[i], 0)
		}
}

# How many times ours is faster than another one, each round by itself.
function times_faster(name,    i, n) {
	n = count[name]
	for (i = 1; i <= n; i++)
		faster[name, i] = own[round[name, i]] > 0 ? wall[name, i] / own[round[name, i]] : 0
	return median(faster, name, n)
}

function judge_fixed(    i, times, least) {
	for (i = 1; i <= total; i++)
		if (names[i] ~ /^raw POST/ && ((times = times_faster(names[i])) < least || !least))
			least = times
	printf "%s, against the best fixed number in flight\n", ours[table]
	judge("throughput", least, best_bar, 1)
}

END {
	line = "%-" width "s  %4s  %8s  %15s  %7s  %12s  %8s  %9s  %8s  %8s  %6s  %6s\n"
	printf line, "", "runs", "wall ms", "min-max", "ratio", "min-max", "CPU ms", "server ms", "peak MiB", "requests", "pages", "others"
	for (i = 1; i <= total; i++) {
		name = names[i]
		n = count[name]
		printf line, name, n, sprintf("%.0f", median(wall, name, n)), range(wall, name, n, "%.0f"), sprintf("%.2f", median(ratio, name, n)),
			range(ratio, name, n, "%.2f"), sprintf("%.0f", median(cpu, name, n)),
			sprintf("%.0f", median(server, name, n)), sprintf("%.1f", median(peak, name, n)),
			sprintf("%.0f", median(requests, name, n)), sprintf("%.0f", median(pages, name, n)), sprintf("%.0f", median(others, name, n))
		if (failed[name])
			printf "  %d of %d runs of '%s' FAILED: no figure\n", failed[name], n, name
	}
	if (!bars && !(ours[table] in count))
		exit
	printf "\nbars\n"
	for (i = 1; i <= total; i++)
		judge_all(names[i])
	for (i = 1; i <= rivals && ours[table] in count; i++)
		if (other[i] in count) {
			printf "%s, against %s\n", ours[table], other[i]
			judge("times", times_faster(other[i]), least_times[i], 1)
		}
	if (table == "throttle" && ours[table] in count)
		judge_fixed()
}
