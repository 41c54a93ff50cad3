#!/bin/bash
# invite.sh - from `net invite` to a member, and out again
#
#	 na          nb          nc		nd		a namespace each
#	 weft0       weft0       weft0		weft0
#	 alice       bob         carol		dave		alice was added, the others come by invitation
#	 eth0 .1     eth0 .2     eth0 .3	eth0 .2		dave on a subnet of his own, 172.31.0.0/24,
#	-+-----------+-- under0 -+- .254 = router = 172.31.0.1 -+		behind a router
NEEDS="dig"
SECTIONS="comes bad again many revoked json"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c [dave]=d)

subnet() {	# nd, routed
	ip addr add 172.30.0.254/24 dev under0
	machine nd
	ip link add ud type veth peer name eth0 netns nd
	ip addr add 172.31.0.1/24 dev ud
	ip link set ud up
	ip -n nd addr add 172.31.0.2/24 dev eth0
	ip -n nd link set eth0 up
	ip -n nd route add default via 172.31.0.1
	for n in a b c; do ip -n "n$n" route add default via 172.30.0.254; done
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

invite() { ctl net invite invnet "$@" 2>>invite.log; }

join() {	# NODE TOKEN [OPTION]...: in the background, as its node
	local n=$1

	shift
	mkdir -p "$n"
	ip netns exec "n${where[$n]}" "$BIN/weft-node" join "$@" -c "$n/weft.conf" --name "$n" --tap weft0 2>>"$n.log" &
	pid[$n]=$!
}

once() {	# NODE TOKEN [OPTION]...: ends when the files are there
	local n=$1

	shift
	mkdir -p "$n"
	on "$n" timeout 40 "$BIN/weft-node" join "$@" -c "$n/weft.conf" --name "$n" --tap weft0 --once
}

refuses() {	# PATTERN NODE TOKEN [OPTION]...
	local pattern=$1 n=$2

	shift 2
	mkdir -p "$n"
	refused "$pattern" ip netns exec "n${where[$n]}" "$BIN/weft-node" join "$@" -c "$n/weft.conf" --name "$n" --tap weft0 --once
}

forget() { rm -rf "$1" "$1.log"; }
published() { ctl -c "$1/weft.conf" names | grep -q "$2 .* ok"; }
id_of() { field "$1" id; }
slots_of() {	# MEMBERS NODE: so many hold each slot that NODE holds
	ctl -c "$2/weft.conf" dht slots --json | grep -o '"members": *\[[^]]*\]' | awk -F, -v n="$1" 'NF != n {bad = 1} END {exit bad || !NR}'
}

# ---- comes ------------------------------------------------------------------

comes() {
	local token

	underlay a b c
	subnet
	ctl net create invnet --range 10.9.0.0/24 --reserve 10.9.0.16/28 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	holds "an overlay without members invites nobody" refused "no members yet" ctl net invite invnet
	ctl net add invnet alice --tap weft0 >add.out
	holds "the first member answers invitations" grep -q "answers invitations" add.out
	start alice
	holds "alice has an address" await has_address alice
	token=$(invite)
	holds "an invitation is one line" [ "$(echo "$token" | grep -c '^weft:[a-z2-7]*$')" = 1 ]
	mv invnet locked-away			# the inviter is not there any more
	join dave "$token"
	holds "dave, on another subnet, joins by it" await ring_of 1 alice dave
	holds "he has an address" await has_address dave
	holds "and is on one Ethernet with alice" pings_soon d "$(address alice)"
	holds "and she with him" pings a "$(address dave)"
	holds "his name resolves" await says "$(address dave)" at a dig +short +time=2 +tries=1 @10.9.0.1 dave.invnet
	holds "the log of the signer names him" grep -q "admitted.*$(id_of dave).*invitation" alice.log
	mv locked-away invnet
	holds "the invitation is used up" refuses "used already" carol "$token"
	holds "nothing of a member is left of that" not test -e carol/state/card
	forget carol
}

# ---- bad --------------------------------------------------------------------

bad() {
	local token other

	token=$(invite)
	holds "a token mistyped" refuses "mistyped" bob "${token%????}aaaa"
	holds "a token cut" refuses "mistyped or cut" bob "${token%????????}"
	holds "no token at all" refuses "begin with weft:" bob 10.9.0.1
	holds "a token taken back" ctl net uninvite invnet "$(ctl net invites invnet | awk 'END { print $1 }')" -c alice/weft.conf
	holds "lets nobody in" refuses "no member of the overlay answers|taken back" bob "$token" --wait 2s
	holds "and is listed as such" grep -q "taken back" <(ctl net invites invnet)
	token=$(invite --expires 1s)
	sleep 2
	holds "a token that ended" refuses "ended 20" bob "$token"
	ctl net create foreign --range 10.8.0.0/24 --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add foreign eve >/dev/null
	other=$(ctl net invite foreign 2>/dev/null)
	holds "a token of another overlay" refuses "of that overlay" bob "$other" --wait 2s
	holds "a token whose member is not there" refuses "no member.*172.30.0.77" bob "$(invite --bootstrap 172.30.0.77:9338)" --wait 2s
	forget bob
	ctl net add foreign bob >/dev/null
	holds "a directory of another overlay's member" refuses "member of another overlay" bob "$(invite)"
	forget bob
	holds "one address for two newcomers" refused "for one newcomer" ctl net invite invnet --uses 2 --address 10.9.0.20
	holds "an invitation for a month" refused "accepted: 1s to 6d" ctl net invite invnet --expires 30d
	holds "without a network" refused "without a network" bash -c "'$BIN/weftctl' net create plain >/dev/null; '$BIN/weftctl' net invite plain -b 172.30.0.1:9338"
	ctl net add invnet brief --valid 1s --bootstrap 172.30.0.1:9338 >/dev/null
	sleep 2
	holds "a certificate that has ended stops its node" refused "card: expired" "$BIN/weft-node" -c brief/weft.conf
	cp brief/state/key foreign.key
	sed -i 's/^state.*/state = wrong/' brief/weft.conf
	cp -r brief/state brief/wrong
	cp eve/state/card brief/wrong/card
	holds "so does one for another key" refused "another key|another network|not the overlay" "$BIN/weft-node" -c brief/weft.conf
}

# ---- again ------------------------------------------------------------------

again() {
	local token key id

	token=$(invite --group guests --address 10.9.0.20)
	echo "$token" >token.file
	holds "bob joins from a file, and ends" once bob token.file
	key=$(ctl key bob/state)
	rm bob/weft.conf			# as if it had crashed before the last file
	holds "called again it writes what is missing" once bob "$token"
	holds "with the same key" says "$key" ctl key bob/state
	cp bob/state/card card.first
	rm bob/weft.conf bob/state/card bob/state/network
	holds "crashed before the first file, it redeems again" once bob - <token.file
	holds "and has the same place" cmp <(base64 -d <(sed '1d;$d' card.first) | head -c 200) <(base64 -d <(sed '1d;$d' bob/state/card) | head -c 200)
	rm -rf bob/state/card bob/state/network bob/state/key bob/weft.conf
	holds "another key does not" refuses "used already" bob "$token"
	forget bob
	token=$(invite --group guests --address 10.9.0.20 --name bob)
	join bob "$token"
	holds "a fixed address comes with the invitation" await has_this bob 10.9.0.20
	holds "and is reached" pings_soon d 10.9.0.20
	holds "kill -9" killed bob
	start bob
	holds "and he is back with it" await has_this bob 10.9.0.20
	ctl net signer invnet bob/state/card --out bob/state/signer >/dev/null
	holds "bob is made a signer" stopped bob TERM
	start bob
	holds "he joins again" await ring_of 1 bob
	holds "and says in the DHT that he is one" await published bob signers
	AWAIT=60 holds "three hold every slot again" await slots_of 3 alice
	holds "alice goes" stopped alice TERM
	token=$(invite --bootstrap 172.31.0.2:9338)
	join carol "$token"
	# Slots that alice had change their views first, and the usher asks again after a while.
	AWAIT=60 holds "carol joins through dave, admitted by bob" await ring_of 2 carol
	holds "the log says so" grep -q "admitted.*$(id_of carol)" bob.log
	holds "she reaches both" pings_soon c 10.9.0.20
	start alice
	await ring_of 1 alice
}

# ---- many -------------------------------------------------------------------

many() {
	local token n i in=0

	token=$(invite --uses 2)
	for i in 1 2 3; do
		mkdir -p "guest$i"
		at b timeout 60 "$BIN/weft-node" join "$token" -c "guest$i/weft.conf" --name "guest$i" --once --wait 45s \
			--listen4 0.0.0.0:0 --listen6 '[::]:0' >"guest$i.log" 2>&1 &
		pid[guest$i]=$!
	done
	for i in 1 2 3; do
		wait "${pid[guest$i]}" && in=$((in + 1))
		unset "pid[guest$i]"
	done
	holds "of three at once with one for two, two get in" says 2 echo $in
	holds "the third is told why" grep -q "used already" guest?.log
}

# ---- revoked ----------------------------------------------------------------

no_links() { says 0 field "$1" links; }
# has no link with the id
is_out() { ! grep -q "$2" <(ctl -c "$1/weft.conf" peers); }
drops_revoked() { [ "$(ctl -c alice/weft.conf status --json | grep -o '"[^"]*no member any more":[0-9]*' | sed 's/.*://')" -gt 0 ]; }

ends_revoked() {
	local code

	await ended "$1" || return 1
	wait "${pid[$1]}"
	code=$?
	unset "pid[$1]"
	[ "$code" = 2 ] && grep -q "was revoked" "$1.log"
}

revoked() {
	local id address

	id=$(id_of bob)
	[ -d foreign ] || { ctl net create foreign --range 10.8.0.0/24; ctl net add foreign eve; } >/dev/null
	AWAIT=60 holds "bob is linked" await not is_out alice "$id"	# she left a moment ago, and for so long may count as gone
	holds "a name nobody has" refused "no certificate for" ctl net revoke invnet nobody
	holds "bob is revoked at one node" ctl net revoke invnet "$id" -c dave/weft.conf
	holds "he is told, and ends" ends_revoked bob
	holds "so does carol, whom he let in" ends_revoked carol
	holds "everybody knows" await is_out alice "$id"
	holds "nobody reaches him" not at a ping -c 1 -W 1 10.9.0.20
	holds "the same list again is none" refused "known already" ctl net revoke invnet -c alice/weft.conf
	holds "a list of another overlay is refused" refused "another overlay" bash -c "'$BIN/weftctl' net revoke foreign eve -c alice/weft.conf"
	start bob
	holds "started again he knows, and waits for better news" await grep -q "waiting for one without us" bob.log
	holds "which do not come" never ring_of 1 bob
	holds "he is refused, counted" await drops_revoked
	holds "the others restart" all_stopped alice dave
	start alice
	start dave
	holds "they find each other" await ring_of 1 alice dave
	holds "bob is still out" is_out alice "$id"
	holds "undone" ctl net revoke invnet "$id" --undo -c dave/weft.conf
	start carol
	holds "both are members again" await ring_of 2 bob carol
	AWAIT=45 holds "and reach each other" pings_soon c 10.9.0.20	# a name that was refused is put again after half a term
	holds "all leave" all_stopped alice bob carol dave
}

# ---- json -------------------------------------------------------------------

# What a program reads of it is one object on one line, and holds PATTERN.
tells() {	# PATTERN COMMAND...
	"${@:2}" --json 2>hints >json || { cat hints; return 1; }
	cat json
	[ "$(wc -l <json)" = 1 ] && grep -qE '^\{"[a-z0-9]+":.*,"ok":true\}$' json && grep -qE "$1" json
}

json() {
	holds "as JSON: create" tells '"network":\{"name":"paper".*"range":"10\.7\.0\.0/24".*"overlay":"[0-9a-f]{64}","dir":"paper"' \
		ctl net create paper --range 10.7.0.0/24 --bootstrap 172.30.0.1:9338
	holds "what helps people is beside it" grep -q "^Next: weftctl net add paper" hints
	holds "add" tells '"serial":1,"name":"ann","id":"[0-9a-f]{32}","key":"[0-9a-f]{64}","dir":"ann","signer":true' ctl net add paper ann
	holds "admit" tells '"serial":2,"name":"ben".*"card":"ben.card"' ctl net admit paper ben ann/state/card
	holds "list" tells '"members":\[\{"serial":1,"name":"ann".*"name":"ben"' ctl net list paper
	holds "show" tells '"policy":"strict","serial":1,"founders":\["[0-9a-f]{32}"\]' ctl net show paper
	holds "invite, for two" tells '"number":3,"uses":2,"ends":[0-9]+,"token":"weft:[a-z2-7]+"' ctl net invite paper --uses 2
	holds "into a file: not the token" tells '"number":4,"uses":1,"ends":[0-9]+,"file":"line","ok"' ctl net invite paper --out line
	holds "uninvite" tells '"list":[0-9]+,"revoked":1,"group_key":true,"told":false' ctl net uninvite paper 3
	holds "invites: one is taken back" tells '"number":3,[^}]*"taken_back":true.*"number":4,[^}]*"taken_back":false' ctl net invites paper
	holds "signer" tells '"id":"[0-9a-f]{32}","file":"signs"' ctl net signer paper ann/state/card --out signs
	holds "revoke" tells '"revoked":2' ctl net revoke paper ann
	holds "a mistake is one message all the same" refused "is there already" ctl net create paper --json
}

run
