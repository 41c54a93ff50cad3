#!/bin/sh
# million.sh BINDIR SECONDS - how far a million nodes come in SECONDS of CPU time
set -eu
bin=$1
echo "scenario  scenarios/churn-1k.ini, seed 1, 1,000,000 nodes, crypto = model, ids = drawn; ends after $2 s of CPU"
"$bin/world" -n 1000000 -w 900 -m 30 -l "$2" -t scenarios/churn-1k.ini \
	run.crypto=model run.ids=drawn nodes.bootstrap=1000 nodes.join-over=840s
