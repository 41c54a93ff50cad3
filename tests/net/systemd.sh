#!/bin/bash
# systemd.sh - the Debian package under a systemd that runs: units, sandbox, journal, systemd-resolved, systemd-networkd
#
#	 na: a machine booted by systemd-nspawn		nb
#	 weft-node@home    weft-node@office
#	 weft0 (10.9.0.0/22)   weft1 (10.8.0.0/24)	weft0
#	 |                     |				|
#	-+---------------------+-- under0 ----------------+-	172.30.0.0/24
#
# BIN/../systemd-tree is the machine's root, as `make deps-systemd` makes it; what is written to it is forgotten.
# BIN/../deb has the package. bob is a plain daemon.
NEEDS="systemd-nspawn nsenter"
SECTIONS="begin ready rights journal again resolver more killed networkd alone end"
. "${0%/*}/lib.sh"
where=([bob]=b)
tree=$(cd "$BIN/../systemd-tree" 2>/dev/null && pwd)
debs=$(cd "$BIN/../deb" 2>/dev/null && pwd)
if ! [ -x "$tree/lib/systemd/systemd" ]; then echo "skipped all of systemd.sh: there is no $BIN/../systemd-tree; make deps-systemd makes it"; exit 0; fi

# ---- the machine ------------------------------------------------------------

# A group of its own in every hierarchy that systemd may look at; nspawn puts machine and keeper below it.
groups=
for d in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
	[ -f "$d/cgroup.procs" ] && mkdir "$d/weft-$$" 2>/dev/null && groups="$groups $d/weft-$$"
done
away() {
	local g

	[ -z "${pid[machine]:-}" ] || { signal -RTMIN+4 1; await ended machine; } >/dev/null 2>&1
	cleanup
	for g in $groups; do await no_group "$g" >/dev/null; done
}
no_group() { find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null; ! [ -d "$1" ]; }
trap away EXIT

boot() {
	local g

	mkdir dev && mknod dev/tun c 10 200 && mknod dev/fuse c 10 229 && chmod 666 dev/*	# as udev has them
	(
		for g in $groups; do echo $BASHPID >"$g/cgroup.procs"; done
		exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q -D "$tree" --volatile=overlay --boot --register=no --keep-unit \
			--network-namespace-path=/run/netns/na --capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON --system-call-filter=bpf \
			--bind="$work/dev/tun:/dev/net/tun" --bind="$work/dev/fuse:/dev/fuse" --bind-ro="$debs:/debs" --console=pipe </dev/null
	) >machine.log 2>&1 &
	pid[machine]=$!
	await has_leader
}
has_leader() {	# nspawn has children of other kinds before
	for leader in $(cat "/proc/${pid[machine]}/task/${pid[machine]}/children" 2>/dev/null); do
		grep -q '^/usr/lib/systemd/systemd' "/proc/$leader/cmdline" 2>/dev/null && return 0
	done
	return 1
}
in_machine() { nsenter -a -t "$leader" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root "$@"; }
signal() { in_machine sh -c "kill $*"; }			# SIGNAL PROCESS
runs() { in_machine sh -c 'cat /proc/[0-9]*/cmdline' | tr '\0' ' ' | grep -q "$1"; }
put() { in_machine sh -c "mkdir -p '${1%/*}' && cat >'$1'"; }	# FILE in the machine, from standard input

is() { [ "$(in_machine systemctl show "$1" -p "$2" --value)" = "$3" ]; }	# UNIT PROPERTY VALUE
active() { is "$1" ActiveState active; }
main() { in_machine systemctl show "weft-node@$1" -p MainPID --value; }
ask() { in_machine weftctl -s "/run/weft/$1/control" "${@:2}"; }
state() { ask "$1" status --json 2>/dev/null | grep -q '"state":"joined"'; }
ours() { ip -n na -4 -o addr show dev "$1" 2>/dev/null | sed -n 's/.*inet \(10\.[0-9.]*\).*/\1/p'; }
has_ours() { [ -n "$(ours "$1")" ]; }
lines() { in_machine journalctl -q -o json "$@"; }		# of the journal
up() { [ "$(in_machine systemctl is-system-running)" = running ]; }

begin() {
	boot
	holds "systemd is up, with nothing failed" await up
	in_machine ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
	holds "the package installs" in_machine sh -c 'dpkg -i /debs/weft_*.deb'
	holds "its units are good" in_machine systemd-analyze verify --man=no weft-node@home.service weft-resolver@home.service
	ctl net create home --range 10.9.0.0/22 --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net create office --range 10.8.0.0/24 --bootstrap 172.30.0.1:9339 >/dev/null
	ctl net add home alice --tap weft0 --resolver >/dev/null
	ctl net add home bob --tap weft0 >/dev/null
	ctl net add office anna --tap weft1 --own-address off --listen4 0.0.0.0:9339 --listen6 off >/dev/null
	# as weft-node(8) says it
	tar c alice anna | in_machine sh -c 'cd /root && tar x --no-same-owner && mkdir -p /etc/weft /var/lib/weft &&
		cp alice/weft.conf /etc/weft/home.conf && cp -a alice/state /var/lib/weft/home &&
		cp anna/weft.conf /etc/weft/office.conf && cp -a anna/state /var/lib/weft/office'
	in_machine ip tuntap add weft0 mode tap			# one that stays: what is told of it has to be taken back
}

ready() {
	holds "the unit starts" in_machine systemctl start weft-node@home
	holds "and was ready when that was done: the node answers" ask home status
	start bob
	holds "it joins" await state home
	holds "so does the other" await ring_of 1 bob
	holds "it has an address" await has_ours weft0
	holds "and is reached" await at b ping -q -c 1 -W 1 "$(ours weft0)"
	holds "another overlay is another instance" in_machine systemctl start weft-node@office
	holds "both run" active weft-node@home
	holds "each with a directory of its own, and no sight of the other's" says "home office" apart
}
apart() { echo $(for n in home office; do in_machine ls "/proc/$(main $n)/root/var/lib/private/weft"; done); }

rights() {
	local p g

	in_machine sed -i 's/^\[node\]/[node]\nconfine = no/' /etc/weft/office.conf
	in_machine systemctl restart weft-node@office
	p=$(main home) g=/sys/fs/cgroup$(in_machine systemctl show weft-node@home -p ControlGroup --value)
	in_machine cat "/proc/$p/status" >status
	holds "CAP_NET_ADMIN is all it has" says "CapInh 0 CapPrm 1000 CapEff 1000 CapBnd 1000 CapAmb 0" caps
	holds "it is not root" not grep -q '^Uid:.*[[:space:]]0[[:space:]]' status
	holds "and gets nothing new, filtered" grep -q '^NoNewPrivs:.*1' status
	holds "by a filter more than the unit's: its own" says 1 own_filters
	holds "what it sees is read-only" not in_machine touch "/proc/$p/root/etc/mark" "/proc/$p/root/usr/mark"
	holds "homes are hidden from it" not in_machine ls "/proc/$p/root/root/alice"
	in_machine touch /tmp/mark
	holds "/tmp is its own" not in_machine ls "/proc/$p/root/tmp/mark"
	holds "outside the unit a device can be opened" opens /sys/fs/cgroup/init.scope
	holds "inside only /dev/net/tun" not opens "$g"
	in_machine systemd-analyze security --no-pager weft-node@home weft-resolver@home >exposure
	holds "systemd calls both units OK" [ "$(grep -c 'exposure level.*OK' exposure)" = 2 ]
	sed -n 's/^.*Overall exposure/        exposure/p' exposure
}
caps() { echo $(sed -n 's/^\(Cap...\):\t0*\(.*\)$/\1 \2/p' status | sed 's/ $/ 0/'); }
# in all threads, and more than where `confine = no` leaves it out
own_filters() { echo $(($(filters home) - $(filters office))); }
filters() { in_machine sh -c "cat /proc/$(main $1)/task/*/status" | sed -n 's/^Seccomp_filters:\t//p' | sort -u; }
opens() { in_machine sh -c "echo \$\$ >'$1/cgroup.procs' && exec 3<>/dev/fuse"; }

journal() {
	lines -u weft-node@home -t weft-node >journal
	holds "what it says is in the journal by level" grep -q '"PRIORITY":"6"' <(grep '"MESSAGE":"node alice' journal)
	holds "without levels or times of its own" not grep -qE '"MESSAGE":"(<[0-9]>|[0-9]{4}-)' journal
	put /etc/weft/bad.conf <<<'[node]
colour = red'
	holds "a configuration that is wrong fails the start" not in_machine systemctl start weft-node@bad
	in_machine systemctl stop weft-node@bad
	lines -u weft-node@bad -t weft-node >journal
	holds "with the reason, as an error" grep -q '"PRIORITY":"3"' <(grep '"MESSAGE":"weft-node: .*colour' journal)
	in_machine systemctl reset-failed
}

again() {
	local p=$(main home) before

	in_machine sed -i 's/^# log = .*/log = debug/' /etc/weft/home.conf
	holds "a reload is waited for and works" in_machine systemctl reload weft-node@home
	stopped bob TERM
	start bob
	holds "it says more then" await says_more
	holds "it is the same process" [ "$(main home)" = "$p" ]
	in_machine sed -i 's/^log = .*/log = loud/' /etc/weft/home.conf
	in_machine systemctl reload weft-node@home
	holds "a reload of a wrong one is a warning" await warned
	holds "and ends nothing" active weft-node@home
	in_machine sed -i 's/^log = .*/log = info/' /etc/weft/home.conf
	in_machine systemctl reload weft-node@home
}
says_more() { lines -u weft-node@home -p 7..7 -t weft-node | grep -q .; }
warned() { lines -u weft-node@home -p 4..4 -t weft-node | grep -q "loud"; }

query() { in_machine resolvectl query "$@" | grep -q -- "-- link: weft0"; }
domains() { in_machine resolvectl domain "${1:-weft0}" | sed 's/.*: *//'; }
untold() { [ -z "$(domains)" ] && [ -z "$(in_machine resolvectl dns weft0 | sed 's/.*: *//')" ]; }
told() { [ -n "$(domains)" ]; }

resolver() {
	local a=$(ours weft0) b

	await has_address bob
	b=$(address bob)
	holds "systemd-resolved is told the network's zones and nothing else" await says \
		"~0.9.10.in-addr.arpa ~1.9.10.in-addr.arpa ~2.9.10.in-addr.arpa ~3.9.10.in-addr.arpa ~home" sorted
	holds "it is not asked for other names" says "Link weft0: no" default_route
	holds "resolvectl finds bob.home by it" await query bob.home
	holds "getent does" says "$b bob.home" squeeze in_machine getent hosts bob.home
	holds "and his name by his address" await query "$b"
	holds "no such host is no such host" grep -q "not found" <(in_machine resolvectl query nobody.home 2>&1)
	in_machine systemctl restart systemd-resolved
	holds "after a restart of systemd-resolved, too" await query bob.home
	holds "the node without the key is not told of" not grep -q office <(in_machine resolvectl domain)
	holds "what tells it is root with one capability" says "0 2" teller
	in_machine systemctl stop weft-node@home
	holds "all is taken back when the node ends" await untold
	holds "which ended well" is weft-node@home Result success
	holds "and said so" grep -q '"MESSAGE":"stop gone"' <(lines -u weft-node@home -n 3)
	in_machine systemctl mask --now systemd-resolved 2>/dev/null
	holds "where there is none the node starts all the same" in_machine systemctl start weft-node@home
	holds "joins" await state home
	holds "and it is said once" await says 1 excuses
	in_machine systemctl unmask systemd-resolved 2>/dev/null
	in_machine systemctl start systemd-resolved
	in_machine systemctl reset-failed
	in_machine systemctl restart weft-node@home
	holds "a restart with one tells it" await told
}

# A network that comes by a reload, on a tap that was there before and stays.
more() {
	ctl net create blue --range 10.7.0.0/24 --founder "$(ask home status --json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')" >/dev/null
	ctl net admit blue alice alice/state/card --out blue.card >/dev/null
	put /var/lib/weft/home/blue.card <blue.card
	put /var/lib/weft/home/blue.network <blue/charter
	in_machine sh -c 'cd /var/lib/weft/home && chmod 600 blue.* && chown --reference=card blue.* && ip tuntap add weft9 mode tap'
	in_machine sh -c 'cp /etc/weft/home.conf /etc/weft/home.conf.one && printf "%s\n" "" "[network.2]" \
		"record = /var/lib/weft/home/blue.network" "card = /var/lib/weft/home/blue.card" "tap = weft9" "resolver = resolved" >>/etc/weft/home.conf'
	await told
	in_machine systemctl reload weft-node@home
	holds "systemd-resolved is told of a network that a reload brings" await says "~0.7.10.in-addr.arpa ~blue" sorted weft9
	holds "and of the other as before" told
	in_machine sh -c 'mv /etc/weft/home.conf.one /etc/weft/home.conf'
	in_machine systemctl reload weft-node@home
	holds "taken away it is taken back" await says "" domains weft9
	holds "the other stays" told
}
sorted() { echo $(domains "$@" | tr ' ' '\n' | sort); }
squeeze() { echo $("$@"); }
default_route() { in_machine resolvectl default-route weft0 | sed 's/Link [0-9]* (\(.*\))/Link \1/'; }
teller() {
	local p=$(in_machine systemctl show weft-resolver@home -p MainPID --value)

	echo $(in_machine sed -n 's/^Uid:\t\([0-9]*\).*/\1/p; s/^CapEff:\t0*//p' "/proc/$p/status")
}
excuses() { lines -u weft-resolver@home | grep -c '"MESSAGE":"weftctl: cannot tell systemd-resolved'; }

killed() {
	local p=$(main home) a

	await has_ours weft0
	a=$(ours weft0)
	signal -9 "$p"
	holds "killed it is started again" await other_than "$p"
	holds "joins" await state home
	holds "with the address it had" await kept "$a"
	holds "and names are found again" await query bob.home
}
other_than() { local p=$(main home); [ "$p" != 0 ] && [ "$p" != "$1" ] && active weft-node@home; }
kept() { [ "$(ours weft0)" = "$1" ] && at b ping -q -c 1 -W 1 "$1"; }

networkd() {
	put /etc/systemd/network/10-weft.network <<<'[Match]
Name=weft1
[Network]
DHCP=ipv4
IPv6AcceptRA=no
[DHCPv4]
UseDomains=yes
SendRelease=yes'
	in_machine systemctl start systemd-networkd
	holds "systemd-networkd gets an address from the node" await has_ours weft1
	holds "and takes its MTU, name server and domain" await grep -q '10.8.0.1' <(in_machine resolvectl dns weft1)
	holds "which finds names" await grep -q "10.8.0.1 " <(in_machine resolvectl query gateway.office)
	in_machine systemctl stop systemd-networkd
}

# By hand, as root: the node has systemd-resolved told itself.
alone() {
	in_machine systemctl stop weft-node@home
	await untold
	in_machine cp -a /var/lib/weft/home/. /root/alice/state/ && in_machine chown -R root: /root/alice
	in_machine sh -c 'echo $$ >/root/alice.pid; exec weft-node -c /root/alice/weft.conf' >alice.log 2>&1 &
	pid[alone]=$!
	holds "a node that root starts tells it, too" await query bob.home
	signal -9 "$(in_machine cat /root/alice.pid)"
	wait "${pid[alone]}" 2>/dev/null
	unset "pid[alone]"
	holds "and it is taken back although that was killed" await untold
	holds "by a process that is gone then" await not runs "weftctl resolver"
}

end() {
	in_machine systemctl start weft-node@home
	holds "removing the package stops its nodes" in_machine dpkg -r weft
	holds "all of them" not runs weft-node
	holds "and leaves keys alone" in_machine test -f /var/lib/weft/home/key
	holds "nothing has failed" await up
	holds "the other ends well" all_stopped bob
}

underlay a b
run
