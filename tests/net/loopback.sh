#!/bin/bash
# loopback.sh - real daemons on one machine's loopback
#
#	tests/net/loopback.sh BIN [SECTION]...
#
#	   alice ---- bob		two: join, talk, leave, come back
#
#	n1 - n2 - ... - n20 - n1	a ring: all know n1's endpoint only
#
# Everything listens on 127.0.0.1 or ::1 with ports the kernel chose. Conditions
# are awaited, up to AWAIT seconds each; nothing is slept for. What was started is
# ended by its process id. Prints a line per promise and, at the end,
# "N passed, N failed"; exits 1 if one failed.
set -u

here=$(cd "${0%/*}" && pwd)
BIN=$(cd "${1:-build/bin}" && pwd) || exit 2
shift
AWAIT=20
COUNT=20
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-net.XXXXXX") || exit 2

cleanup() {
	local p

	for p in "${pid[@]}"; do kill -9 "$p"; done 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
. "$here/promises.sh"

# ---- nodes ------------------------------------------------------------------

start() {	# NODE [OPTION]...
	local n=$1

	shift
	"$BIN/weft-node" -c "$n/weft.conf" "$@" 2>>"$n.log" &
	pid[$n]=$!
}

port() { ctl -c "$1/weft.conf" status --json | sed -n 's/.*"listen":\["[^"]*:\([0-9]*\)".*/\1/p'; }

# Does the ring of these nodes, by ids, agree with what each says of its right neighbour?
ring() {
	local n ids right

	ids=$(for n in "$@"; do field "$n" id; done | sort)
	[ "$(echo "$ids" | grep -c .)" = $# ] || return 1
	right=$( (echo "$ids" | tail -n +2; echo "$ids" | head -n 1) | paste -d' ' <(echo "$ids") -)
	[ "$(for n in "$@"; do echo "$(field "$n" id) $(field "$n" right)"; done | sort)" = "$right" ]
}

# The id among these on stdin that owns key $1: the first one at or after it.
owner_of() { sort | awk -v key="$1" 'NR == 1 { first = $1 } $1 >= key { print $1; found = 1; exit } END { if (!found) print first }'; }

traced() { ctl -c "$1/weft.conf" trace "$2" | sed -n 's/^owner \([0-9a-f]*\),.*/\1/p'; }

# ---- two --------------------------------------------------------------------

lookups() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q "weftctl [l]ookup -s $work/$1/state/control"; }

by_name() {
	if ! getent hosts localhost >/dev/null; then
		skip "an endpoint by its name" "this machine does not know localhost (/etc/hosts)"
		return
	fi
	sed -i "s/^bootstrap.*/bootstrap = nobody.invalid:9 localhost:$(port alice)/" bob/weft.conf
	holds "SIGTERM once more" stopped bob TERM
	rm -f bob/state/saved*			# whom it remembers
	start bob -s underlay.listen6=off
	holds "started with a name to call it comes back, too" await ring alice bob
	holds "weftctl lookup looked it up" lookups bob
}

two() {
	local before after

	ctl net create home >/dev/null && ctl net add home alice --dir alice --listen4 127.0.0.1:0 --listen6 off >/dev/null
	start alice
	holds "a node alone is a ring of one" await joined alice
	ctl net add home bob --dir bob --listen4 127.0.0.1:0 --listen6 off --bootstrap "127.0.0.1:$(port alice)" >/dev/null
	start bob
	holds "two daemons join" await ring alice bob
	holds "they list each other as peers" grep -q "$(field bob id).*up" <(ctl -c alice/weft.conf peers)
	holds "options may stand before or after the command" grep -q joined <(ctl status -c alice/weft.conf)
	holds "the control socket alone will do" grep -q joined <(ctl -s alice/state/control status)
	holds "a name and its hash have one owner" [ "$(traced alice some-name)" = "$(traced bob "$(ctl -c bob/weft.conf trace some-name | sed -n 's/^some-name is //p')")" ]
	holds "a second daemon on the same directory is refused" refused 'held by another process' "$BIN/weft-node" -c alice/weft.conf
	holds "the first one does not mind" joined alice

	sed -i 's/^# log = info/log = debug/' bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "SIGHUP reads the log level anew" await grep -q 'reload.*bob/weft.conf' bob.log
	echo 'near = 3' | sed '1i[ring]' >>bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "SIGHUP says what needs a restart" await grep -q 'reload.*\[ring\] near.*restart' bob.log
	echo 'nonsense = 1' >>bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "SIGHUP with a bad file changes nothing" await grep -q 'reload.*stays as it was' bob.log
	sed -i '/nonsense/d' bob/weft.conf
	holds "the node is still there" joined bob

	before=$(field bob incarnation)
	holds "SIGTERM leaves gracefully" stopped bob TERM
	holds "and hands over" grep -q 'left *handed over' bob.log
	holds "the other is a ring of one again" await ring alice
	start bob -s underlay.listen6=off
	holds "started again it comes back" await ring alice bob
	after=$(field bob incarnation)
	holds "its incarnation is one more" [ "$after" = "$((before + 1))" ]
	holds "it knows that the last run ended well" [ "$(field bob last_run)" = clean ]
	by_name
	holds "weftctl stop ends a node" ctl -c bob/weft.conf stop
	holds "its process ends well" ends_well bob
	holds "and its weftctl lookup with it" await not lookups bob
	holds "its control socket is gone" [ ! -e bob/state/control ]
	holds "SIGINT ends a node, too" stopped alice INT
}

# ---- bad input --------------------------------------------------------------

bad() {
	local node="$BIN/weft-node" f

	ctl net create badhome >/dev/null
	ctl net create other >/dev/null
	ctl net add badhome carol --dir carol --listen4 127.0.0.1:0 --listen6 off >/dev/null
	ctl net add other dave --dir dave --listen4 127.0.0.1:0 --listen6 off >/dev/null
	holds "--check finds a good node good" grep -q good <("$node" -c carol/weft.conf --check)
	for f in key card; do
		damage carol/state/$f
		holds "a damaged $f is refused" refused "carol/state/$f: damaged" "$node" -c carol/weft.conf
		repair carol/state/$f
		mv carol/state/$f carol/state/$f.away
		holds "a missing $f is refused" refused "no .*carol/state/$f" "$node" -c carol/weft.conf
		mv carol/state/$f.away carol/state/$f
	done
	cp carol/state/card card.good
	cp dave/state/card carol/state/card
	holds "a certificate for another key is refused" refused 'for another key' "$node" -c carol/weft.conf
	cp carol/state/key carol/state/card
	holds "a file of another kind is refused" refused 'of another kind' "$node" -c carol/weft.conf
	cp card.good carol/state/card
	chmod 644 carol/state/key
	holds "a key that others may read is refused" refused 'chmod 600' "$node" -c carol/weft.conf
	chmod 600 carol/state/key
	chmod 755 carol/state
	holds "a directory that others may enter is refused" refused 'chmod 700' "$node" -c carol/weft.conf
	chmod 700 carol/state
	ctl net add badhome erin --dir erin --valid 1s --listen4 127.0.0.1:0 --listen6 off >/dev/null
	await not "$node" -c erin/weft.conf --check >/dev/null 2>&1
	holds "an ended certificate is refused" refused 'expired' "$node" -c erin/weft.conf

	holds "a configuration may come from a pipe" grep -q good <("$node" -c <(sed "s|^state = .*|state = $work/carol/state|" carol/weft.conf) --check 2>&1)
	holds "a missing configuration is refused" refused 'no configuration nowhere.conf' "$node" -c nowhere.conf
	sed 's/^listen4/lisen4/' carol/weft.conf >carol/bad.conf
	holds "an unknown key is refused, with the nearest" refused 'listen4' "$node" -c carol/bad.conf
	holds "the message names file and line" refused 'carol/bad.conf:[0-9]+: \[underlay\] lisen4' "$node" -c carol/bad.conf
	for f in 'underlay.listen4=somewhere' 'underlay.listen4=[::1]:1' 'underlay.listen4=127.0.0.1:99999' 'underlay.mtu=64B' \
		 'overlay.bootstrap=example.org' 'overlay.bootstrap=example..org:9338' 'overlay.bootstrap=1.2.3:9338' 'overlay.bootstrap=127.0.0.1:0' 'ring.near=0' 'ring.near=two' 'node.log=loud' 'node.quota=1' \
		 'node.state=/nonexistent/state'; do
		holds "-s $f is refused" refused "${f%%=*}|${f#*=}" "$node" -c carol/weft.conf -s "$f"
	done
	holds "listening on nothing is refused" refused 'both families are off' "$node" -c carol/weft.conf -s underlay.listen4=off
	holds "an address that is not ours is refused" refused 'cannot listen on UDP 192.0.2.1:9' "$node" -c carol/weft.conf -s underlay.listen4=192.0.2.1:9
	start carol
	holds "carol starts" await joined carol
	holds "a port that is taken is refused" refused 'Address already in use' "$node" -c dave/weft.conf -s "underlay.listen4=127.0.0.1:$(port carol)"
	holds "a control socket that is in use is refused" refused 'another daemon has' "$node" -c dave/weft.conf -s "node.control=carol/state/control"
	holds "carol still has it" joined carol
	holds "a control socket with too long a path is refused" refused 'too long' "$node" -c dave/weft.conf -s "node.control=/tmp/$(printf '%0120d' 0)"
	holds "weftctl without a node says so" refused 'is weft-node running' ctl -c dave/weft.conf status
	holds "weftctl names the nearest command" refused "did you mean 'status'" ctl statsu
	holds "weftctl refuses an option it does not know" refused 'Unknown option' ctl status --colour
	holds "net add refuses a name twice" refused 'for the name carol already' ctl net add badhome carol --dir carol2
	holds "net add refuses a folder that is there" refused 'carol is there already' ctl net add badhome frank --dir carol
	holds "net add refuses a bad name" refused 'letters, digits' ctl net add badhome 'a b' --dir ab
	holds "net create refuses a folder that is there" refused 'there already' ctl net create badhome
	holds "net admit refuses a bad key" refused '64 hexadecimal' ctl net admit badhome grace 1234
	damage badhome/signer
	holds "a damaged signer is refused" refused 'badhome/signer: damaged' ctl net add badhome heidi --dir heidi
	repair badhome/signer

	holds "carol stops" stopped carol TERM
	damage carol/state/run
	damage carol/state/saved
	start carol
	holds "damaged peers and run are said and done without" await grep -q 'carol/state/saved: damaged.*going on without' carol.log
	holds "and the node starts" await joined carol
	holds "its incarnation still grows" [ "$(field carol incarnation)" -ge 1700000000 ]
	holds "carol stops again" stopped carol TERM
}

apart() {	# a key made on the node, certified elsewhere
	local key

	ctl net create signer >/dev/null
	mkdir -p judy
	key=$(ctl key judy/state)
	holds "a key is made once" [ "$key" = "$(ctl key judy/state)" ]
	holds "and certified elsewhere" ctl net admit signer judy "$key" --group servers --address 10.9.0.7 --out judy.card
	mv judy.card judy/state/card
	printf '[underlay]\nlisten4 = 127.0.0.1:0\nlisten6 = off\n' >judy/weft.conf
	start judy
	holds "that makes a node" await joined judy
	holds "which has its name" [ "$(field judy name)" = judy ]
	holds "judy stops" stopped judy TERM
}

full_disk() {
	if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
		skip "a full disk" "needs root, for a small file system"
		return
	fi
	ctl net create diskhome >/dev/null
	ctl net add diskhome ivan --dir ivan --listen4 127.0.0.1:0 --listen6 off >/dev/null
	cat >disk.sh <<-'EOF'
		mkdir small && mount -t tmpfs -o size=64k,mode=700 none small && cp -r ivan small/ivan || exit 9
		dd if=/dev/zero of=small/full bs=1k status=none 2>/dev/null
		"$1/weft-node" -c small/ivan/weft.conf
	EOF
	holds "a full disk is one message, and nothing is lost" refused 'cannot write .*small/ivan/state/run: No space left' unshare -m bash disk.sh "$BIN"
}

# ---- twenty -----------------------------------------------------------------

all=()
for i in $(seq "$COUNT"); do all+=("n$i"); done

everyone_joined() { local n; for n in "${all[@]}"; do joined "$n" || return 1; done; }

sizes_about() {
	local n s

	for n in "${all[@]}"; do
		s=$(field "$n" size)
		if [ "$s" -lt $((COUNT / 2)) ] || [ "$s" -gt $((COUNT * 2)) ]; then
			echo "$n says $s"
			return 1
		fi
	done
}

same_owner() {	# KEY NODE...: they all find the one that the ids say
	local key=$1 want n

	want=$(ctl -c n1/weft.conf trace "$key" | sed -n "s/^$key is //p")
	want=$(for n in "${all[@]}"; do field "$n" id; done | owner_of "${want:-$key}")
	shift
	for n in "$@"; do
		[ "$(traced "$n" "$key")" = "$want" ] || { echo "$n finds '$(traced "$n" "$key")', the ids say $want"; return 1; }
	done
}

twenty() {
	local n key before victim=n7

	ctl net create ring >/dev/null
	ctl net add ring n1 --dir n1 --listen4 127.0.0.1:0 --listen6 off >/dev/null
	start n1
	await joined n1
	for n in "${all[@]:1}"; do
		ctl net add ring "$n" --dir "$n" --listen4 127.0.0.1:0 --listen6 off --bootstrap "127.0.0.1:$(port n1)" >/dev/null
	done
	for n in "${all[@]:1}"; do start "$n"; done
	holds "$COUNT daemons started at once all join" await everyone_joined
	holds "they stand in one ring" await ring "${all[@]}"
	holds "each believes in a ring of about $COUNT" await sizes_about
	for key in one two three 00000000000000000000000000000000 ffffffffffffffffffffffffffffffff; do
		holds "the owner of $key is the same from everywhere" same_owner $key n1 n5 n10 n15 n20
	done
	holds "a trace shows its hops" grep -qE '^ +[0-9]+  [0-9a-f]{32} +[0-9.]+ ms' <(for key in $(seq 20); do ctl -c n3/weft.conf trace "$key"; done)
	holds "a trace in JSON ends with the owner" grep -q '"owner"' <(ctl -c n3/weft.conf trace one --json | tail -n 1)

	before=$(field n1 right)
	for i in 1 2 3; do "$BIN/net-pester" udp 127.0.0.1 "$(port n1)" 3000 $i; done
	holds "9000 junk datagrams are counted" grep -q dropped <(ctl -c n1/weft.conf status)
	holds "and change nothing" [ "$(field n1 right)" = "$before" ]
	holds "the ring stands" ring "${all[@]}"
	holds "hostile control clients get their answers" "$BIN/net-pester" control n2/state/control
	holds "and the node does not mind" joined n2
	holds "nobody said much about all this" [ "$(cat n1.log n2.log | wc -l)" -lt 40 ]

	holds "a node has saved its peers within seconds of joining" await test -s $victim/state/saved
	holds "so has the one that all others know" await test -s n1/state/saved
	before=$(field $victim incarnation)
	id=$(field $victim id)
	holds "kill -9" killed $victim
	holds "the others close the ring" await ring_without "$victim"
	start $victim -s overlay.bootstrap=
	holds "started again, with nothing but its saved state, it is back in the ring" await ring "${all[@]}"
	holds "with the same id" [ "$(field $victim id)" = "$id" ]
	holds "the next incarnation" [ "$(field $victim incarnation)" = $((before + 1)) ]
	holds "knowing that it was killed" [ "$(field $victim last_run)" = killed ]
	holds "having remembered peers" grep -q 'remembers [1-9]' $victim.log

	holds "kill -9 of the one that all others know" killed n1
	start n1
	holds "comes back into the same ring" await ring "${all[@]}"
	for n in n4 n9 n13; do kill -TERM "${pid[$n]}"; done
	for n in n4 n9 n13; do
		holds "$n leaves beside others" ends_well $n
		mapfile -t all < <(without "${all[*]}" $n)
	done
	COUNT=17
	holds "the seventeen others close the ring" await ring "${all[@]}"
	holds "the owner of a key is the same from everywhere still" same_owner two n1 n5 n20
	for n in "${all[@]}"; do kill -TERM "${pid[$n]}"; done
	holds "all end when told at the same moment" all_end_well
}

without() { tr ' ' '\n' <<<"$1" | grep -vxF "${@:2}"; }	# "NODES" NODE

ring_without() { local rest; mapfile -t rest < <(without "${all[*]}" "$1"); ring "${rest[@]}"; }

all_end_well() { local n; for n in "${all[@]}"; do ends_well "$n" || return 1; done; }

# ---- IPv6 -------------------------------------------------------------------

six() {
	if ! grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null; then
		skip "IPv6" "there is no ::1 here"
		return
	fi
	ctl net create sixhome >/dev/null
	ctl net add sixhome kim --dir kim --listen4 off --listen6 '[::1]:0' >/dev/null
	start kim
	await joined kim
	ctl net add sixhome leo --dir leo --listen4 off --listen6 '[::1]:0' --bootstrap "[::1]:$(port kim)" >/dev/null
	ctl net add sixhome mia --dir mia --listen4 127.0.0.1:0 --listen6 '[::1]:0' --bootstrap "[::1]:$(port kim)" >/dev/null
	start leo
	start mia
	holds "three daemons join over IPv6" await ring kim leo mia
	holds "their paths are IPv6" grep -q '\[::1\]:' <(ctl -c leo/weft.conf peers)
	"$BIN/net-pester" udp ::1 "$(port leo)" 2000 9
	holds "junk over IPv6 changes nothing" ring kim leo mia
	for n in kim leo mia; do holds "$n leaves" stopped $n TERM; done
}

# ---- meeting late -----------------------------------------------------------

late() {
	ctl net create latehome >/dev/null
	ctl net add latehome nora --dir nora --listen4 127.0.0.1:0 --listen6 off >/dev/null
	ctl net add latehome olaf --dir olaf --listen4 127.0.0.1:0 --listen6 off >/dev/null
	start nora
	start olaf
	await joined nora
	await joined olaf
	sed -i "s/^# bootstrap = .*/bootstrap = 127.0.0.1:$(port nora)/" olaf/weft.conf
	kill -HUP "${pid[olaf]}"
	holds "SIGHUP brings a bootstrap endpoint, and two rings become one" await ring nora olaf
	holds "nora leaves" stopped nora TERM
	holds "olaf leaves" stopped olaf TERM
}

for section in "${@:-two bad apart full_disk six late twenty}"; do
	for s in $section; do $s; done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
