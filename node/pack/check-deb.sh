#!/bin/bash
# check-deb.sh DIR - are the packages in DIR good? lintian; then in a private root made of this machine's own
# files: installed, run, removed, and nothing left behind. As root; skipped with a reason otherwise.
set -u
dir=$(cd "$1" && pwd) || exit 2
passed=0 failed=0

holds() {
	local what=$1

	shift
	if "$@" >"$work/out" 2>&1; then passed=$((passed + 1)); echo "ok      $what"
	else failed=$((failed + 1)); echo "NOT OK  $what"; sed 's/^/        /' "$work/out" | tail -n 20; fi
}

if [ "${WEFT_INSIDE:-}" != yes ]; then
	[ "$(id -u)" = 0 ] || { echo "skipped: this is not root"; exit 0; }
	exec env WEFT_INSIDE=yes unshare -m --propagation private "$0" "$@"
fi
work=$(mktemp -d) || exit 2
trap 'umount -R "$work/root" "$work/up" 2>/dev/null; rm -rf "$work"' EXIT

lint() { lintian --fail-on error,warning --suppress-tags-from-file "${0%/*}/lintian-known" "$dir"/*.deb; }
if command -v lintian >/dev/null; then holds "lintian has neither error nor warning" lint
else echo "skipped lintian: make deps-deb installs it"; fi

# A root of its own: this machine's files below, what is written goes into memory.
mkdir "$work/root" "$work/up" && mount -t tmpfs none "$work/up" && mkdir "$work/up/u" "$work/up/w" &&
	mount -t overlay overlay -o "lowerdir=/,upperdir=$work/up/u,workdir=$work/up/w" "$work/root" 2>/dev/null ||
	{ echo "skipped installing: no overlay can be mounted"; echo "$passed passed, $failed failed"; exit $((failed > 0)); }
mount -t proc proc "$work/root/proc"
mkdir -p "$work/root/debs" && cp "$dir"/*.deb "$work/root/debs/"
inroot() { chroot "$work/root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
listed() { inroot sh -c 'find /usr/bin/weft* /usr/sbin/weft* /usr/share/weft /usr/share/doc/weft* /lib/systemd/system/weft* \
	/usr/share/man/man?/weft* /usr/share/bash-completion/completions/weft* -type f 2>/dev/null'; }

holds "they install" inroot sh -c 'dpkg -i /debs/*.deb'
holds "nothing is missing" inroot dpkg --verify weft weft-sim
holds "the node says its version" inroot weft-node --version
holds "an overlay and a node are made" inroot sh -c 'cd /tmp && weftctl net create n --range 10.9.0.0/24 && weftctl net add n a'
holds "the configuration is good" inroot sh -c 'cd /tmp && weft-node -c a/weft.conf --check'
holds "the example is, too" inroot sh -c 'weftctl config show /usr/share/doc/weft/examples/weft.conf'
holds "the simulator runs a scenario of the package" inroot sh -c \
	'cd /tmp && weft-sim run /usr/share/weft/scenarios/static-ring.ini -s nodes.count=20 -s nodes.join-over=5s -s run.warmup=10s -s run.duration=30s --no-report -o r; [ $? -le 1 ]'
holds "manuals are there" inroot sh -c 'for p in weft-node.8 weftctl.1 weft.conf.5 weft-sim.1; do zcat /usr/share/man/man${p##*.}/$p.gz | grep -q . || exit 1; done'
holds "they are removed" inroot dpkg -P weft weft-sim
holds "and nothing stays" [ -z "$(listed)" ]
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
