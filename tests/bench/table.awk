# SPDX-License-Identifier: Apache-2.0
# table.awk - the runs of one table as lines: medians, and the median of the ratios to the first command of the same round. Below them
# the bars of those that have some, and whether they are met.
# Input, tab-separated: table, round, name, wall ms, user ms, sys ms, peak KiB, exit status, requests, pages among them, CPU ms of the API server.
BEGIN {
	FS = "\t"
	# The most that a snapshot may cost: by the words before the comma of its name.
	bar["first snapshot"] = 2.0
	bar["unchanged"] = 1.3
	bar["10 changed"] = 1.35
	peak_bar = 64   # MiB
	others_bar = 8  # requests beside one a page
	faster_bar = 5  # how many times the first snapshot, policy core, is faster than kubectl
	first = "first snapshot, policy core"
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
	if ($3 == first)
		ours[$2] = $4
	wall[$3, n] = $4
	cpu[$3, n] = $5 + $6
	peak[$3, n] = $7 / 1024
	requests[$3, n] = $9
	pages[$3, n] = $10
	others[$3, n] = $9 - $10
	server[$3, n] = $11
	ratio[$3, n] = raw[$2] > 0 ? $4 / raw[$2] : 0
	faster[$3, n] = ours[$2] > 0 ? $4 / ours[$2] : 0
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

function judge_snapshot(name, n,    kind) {
	kind = name
	sub(/,.*/, "", kind)
	if (!(kind in bar))
		return
	printf "%s\n", name
	judge("ratio", median(ratio, name, n), bar[kind], 0)
	judge("peak MiB", median(peak, name, n), peak_bar, 0)
	judge("others", median(others, name, n), others_bar, 0)
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
	if (!(first in count))
		exit
	printf "\nbars\n"
	for (i = 1; i <= total; i++)
		judge_snapshot(names[i], count[names[i]])
	name = "kubectl get -o yaml"
	if (name in count) {
		printf "%s, against the %s\n", name, first
		judge("times", median(faster, name, count[name]), faster_bar, 1)
	}
}
