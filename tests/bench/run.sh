#!/bin/sh
# run.sh BINDIR WEFT-SIM - every bench, with what it ran and on what machine
#
# The churn experiment is scenarios/churn-1k.ini, seed 1, without oracles, at
# other sizes: one bootstrap node for each 300, 0.1 lookups a second and node.
# CPU time of one thread; on a busy machine compare columns, not runs.
set -eu
bin=$1
sim=$2
file=scenarios/churn-1k.ini

cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -1)
echo "machine   $(nproc) x $cpu, $(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024)) MiB, Linux $(uname -r)"
echo "load      $(cut -d' ' -f1-3 /proc/loadavg)"
echo "scenario  $file, seed 1, no oracles"
echo

"$bin/world" -h
"$bin/world" -q -n 1000 -w 60 -m 600 "$file" run.crypto=model
"$bin/world" -q -n 1000 -w 60 -m 300 "$file" run.crypto=real
"$bin/world" -q -n 10000 -w 90 -m 120 "$file" run.crypto=model nodes.bootstrap=30 nodes.join-over=60s
"$bin/world" -q -n 10000 -w 90 -m 60 "$file" run.crypto=real nodes.bootstrap=30 nodes.join-over=60s
"$bin/world" -q -n 100000 -w 220 -m 20 -l 1200 -t "$file" run.crypto=model run.ids=drawn nodes.bootstrap=300 nodes.join-over=200s

echo
echo "idle: scenarios/idle-1k.ini, seed 1 (nobody comes, goes or asks)"
"$bin/world" -n 1000 -w 120 -m 600 scenarios/idle-1k.ini run.crypto=model

for bench in queue engine net seal; do
	echo
	echo "$bench:"
	case $bench in
	queue)	"$bin/queue" 100000 ;;
	engine)	"$bin/engine" 100000 ;;
	*)	"$bin/$bench" ;;
	esac
done

echo
tests/bench/leases.sh "$sim"
