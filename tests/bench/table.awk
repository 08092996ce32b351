# SPDX-License-Identifier: Apache-2.0
# table.awk - the runs of one table as lines: medians, and the median of the ratios to the first command of the same round.
# Input, tab-separated: table, round, name, wall ms, user ms, sys ms, peak KiB, exit status, requests, CPU ms of the API server.
BEGIN { FS = "\t" }

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
	wall[$3, n] = $4
	cpu[$3, n] = $5 + $6
	peak[$3, n] = $7 / 1024
	requests[$3, n] = $9
	server[$3, n] = $10
	ratio[$3, n] = raw[$2] > 0 ? $4 / raw[$2] : 0
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

END {
	line = "%-" width "s  %4s  %8s  %15s  %7s  %12s  %8s  %9s  %8s  %8s\n"
	printf line, "", "runs", "wall ms", "min-max", "ratio", "min-max", "CPU ms", "server ms", "peak MiB", "requests"
	for (i = 1; i <= total; i++) {
		name = names[i]
		n = count[name]
		printf line, name, n, sprintf("%.0f", median(wall, name, n)), range(wall, name, n, "%.0f"), sprintf("%.2f", median(ratio, name, n)),
			range(ratio, name, n, "%.2f"), sprintf("%.0f", median(cpu, name, n)),
			sprintf("%.0f", median(server, name, n)), sprintf("%.1f", median(peak, name, n)),
			sprintf("%.0f", median(requests, name, n))
		if (failed[name])
			printf "  %d of %d runs of '%s' FAILED: no figure\n", failed[name], n, name
	}
}
