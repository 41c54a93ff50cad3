#!/bin/bash
# check-oci.sh BIN - is the container recipe good? Built whole by docker or podman; two of it join over a cable, answer,
# leave as told. As root, with an engine that runs and can have debian:12-slim; skipped with a reason otherwise.
set -u
BIN=$(cd "$1" && pwd) || exit 2
passed=0 failed=0 image=weft-check-$$

engine=
for e in docker podman; do [ -z "$engine" ] && "$e" info >/dev/null 2>&1 && engine=$e; done
[ "$(id -u)" = 0 ] || { echo "skipped: this is not root"; exit 0; }
[ -c /dev/net/tun ] || { echo "skipped: there is no /dev/net/tun"; exit 0; }
[ -n "$engine" ] || { echo "skipped: neither docker nor podman runs here"; exit 0; }
work=$(mktemp -d) || exit 2
trap '{ $engine rm -f $image-alice $image-bob; $engine rmi -f $image; rm -rf "$work"; } >/dev/null 2>&1' EXIT

holds() {
	local what=$1

	shift
	if "$@" >"$work/out" 2>&1; then passed=$((passed + 1)); echo "ok      $what"
	else failed=$((failed + 1)); echo "NOT OK  $what"; sed 's/^/        /' "$work/out" | tail -n 20; fi
}
await() { local until=$((SECONDS + 20)); until "$@"; do [ $SECONDS -lt $until ] || return 1; sleep 0.1; done; }

process() { $engine inspect -f '{{.State.Pid}}' "$image-$1"; }
inside() { nsenter -t "$(process "$1")" -n "${@:2}"; }
address() { inside "$1" ip -4 -o addr show dev weft0 2>/dev/null | sed -n 's/.*inet \([0-9.]*\).*/\1/p'; }
reaches() { inside "$1" ping -q -c 1 -W 1 "$(address "$2")"; }
begun() {
	$engine run -d --name "$image-$1" --network none --cap-drop ALL --cap-add NET_ADMIN --device /dev/net/tun -v "$work/$1:/node" "$image"
}
wired() {
	ip link add eth0 netns "$(process alice)" type veth peer name eth0 netns "$(process bob)" || return 1
	inside alice ip addr add 172.30.0.1/24 dev eth0 && inside alice ip link set eth0 up &&
		inside bob ip addr add 172.30.0.2/24 dev eth0 && inside bob ip link set eth0 up
}
code() { [ "$($engine inspect -f '{{.State.ExitCode}}' "$image-$1")" = "$2" ]; }

DOCKER_BUILDKIT=0 holds "the image is built" timeout 1500 $engine build --network host -f "${0%/*}/Containerfile" -t "$image" "${0%/*}/../.."
(cd "$work" && "$BIN/weftctl" net create home --range 10.9.0.0/24 --bootstrap 172.30.0.1:9338 && for n in alice bob; do
	"$BIN/weftctl" net add home $n --tap weft0; done) >/dev/null
holds "a node begins, with one capability" begun alice
holds "and another" begun bob
holds "a cable between them" wired
holds "they join and reach each other" await reaches alice bob
holds "the command in it asks the node" $engine exec "$image-bob" weftctl -c /node/weft.conf status
before=$(address bob)
$engine kill "$image-bob" >/dev/null
holds "killed it can be started again" $engine start "$image-bob"
holds "a new cable, since the old one went with it" wired
holds "and both are back" await reaches alice bob
holds "with the address it had" [ "$(address bob)" = "$before" ]
holds "told to stop it leaves" $engine stop -t 10 "$image-alice"
holds "as it should" code alice 0
holds "having handed over" grep -q "handed over" <($engine logs "$image-alice" 2>&1)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
