# exposition.awk - is this the text format of Prometheus, 0.0.4, as strict as can be? Says what is wrong and exits 1.
#
# Each metric: HELP, then TYPE, once; then its samples, together; counters end in _total and gauges do not; no
# sample twice; names, labels and numbers as the format has them; the last line ends in a newline.
function bad(why) { print "line " NR ": " why ": " $0; failed = 1 }
/^# HELP / {
	if ($0 !~ /^# HELP [a-z][a-z0-9_]* [^ ].*\.$/) bad("not a HELP with a sentence")
	if ($3 in help) bad("a second HELP")
	help[$3] = 1; now = ""; want = $3; next
}
/^# TYPE / {
	if ($0 !~ /^# TYPE [a-z][a-z0-9_]* (counter|gauge)$/) bad("not a TYPE")
	if ($3 != want) bad("not the metric of the HELP above")
	if (($4 == "counter") != ($3 ~ /_total$/)) bad("a counter ends in _total, and nothing else does")
	if ($3 !~ /^weft_/) bad("not one of ours")
	now = $3; want = ""; next
}
/^#/ || /^$/ { bad("neither HELP, TYPE nor sample"); next }
{
	if ($0 !~ /^[a-z][a-z0-9_]*(\{[a-z]+="([^"\\\n]|\\["\\n])*"\})? [0-9]+(\.[0-9]+)?$/) bad("not a sample")
	name = $0; sub(/[{ ].*/, "", name)
	if (name != now) bad("not below its TYPE")
	series = $0; sub(/ [0-9.]+$/, "", series)
	if (series in seen) bad("twice")
	seen[series] = 1; samples++
}
END {
	if (samples < 20) { print samples + 0 " samples only"; failed = 1 }
	exit failed
}
