# promises.sh - what every test of real daemons here is made of; sourced by lib.sh and loopback.sh
#
# They have set BIN, the programs; work, a folder of the test's own, which is the
# current one; AWAIT, seconds; and started daemons as pid[NAME] with NAME/weft.conf.
passed=0 failed=0
declare -A pid

ctl() { "$BIN/weftctl" "$@"; }

# ---- promises ---------------------------------------------------------------

holds() {	# SENTENCE COMMAND...
	local what=$1

	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok      $what${TIMES:+	$SECONDS s}"
	else
		failed=$((failed + 1))
		echo "NOT OK  $what${TIMES:+	$SECONDS s}"
		sed 's/^/        /' "$work/out" | tail -n 15
	fi
}

skip() { echo "skipped $1: $2"; }

await() {	# COMMAND...: until it is true, AWAIT seconds at most
	local until=$((SECONDS + AWAIT))

	until "$@"; do
		if [ "$SECONDS" -ge "$until" ]; then
			echo "not true after $AWAIT s: $*"
			return 1
		fi
		sleep 0.05
	done
}

# It stays false for as long as a question and its answer take, several times over.
never() {
	local until=$((SECONDS + 3))

	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 0
		sleep 0.05
	done
	return 1
}

not() { ! "$@"; }
says() { local want=$1 got; shift; got=$("$@"); echo "$got"; [ "$got" = "$want" ]; }

refused() {	# PATTERN COMMAND...: exit code 2, one message, and it says PATTERN
	local pattern=$1 code

	shift
	[ "$1" != ctl ] || set -- "$BIN/weftctl" "${@:2}"
	timeout 10 "$@" >"$work/refused" 2>&1
	code=$?
	cat "$work/refused"
	[ "$code" = 2 ] || { echo "exit code $code"; return 1; }
	grep -qE "$pattern" "$work/refused" || { echo "does not say: $pattern"; return 1; }
	[ "$(grep -c '^weft' "$work/refused")" = 1 ] || { echo "not one message"; return 1; }
}

damage() {	# FILE: the byte in its middle becomes another
	local half x=X

	cp "$1" "$1.good"
	half=$(($(stat -c %s "$1") / 2))
	[ "$(tail -c +$((half + 1)) "$1" | head -c 1)" != X ] || x=Y
	printf $x | dd of="$1" bs=1 seek=$half conv=notrunc status=none
}

repair() { mv "$1.good" "$1"; }

# ---- nodes that run ---------------------------------------------------------

ended() { ! kill -0 "${pid[$1]}" 2>/dev/null; }

ends_well() {
	local code

	await ended "$1" || return 1
	wait "${pid[$1]}"
	code=$?
	unset "pid[$1]"
	[ "$code" = 0 ] || { echo "exit code $code"; tail -n 5 "$1.log"; return 1; }
}

stopped() { kill "-$2" "${pid[$1]}" && ends_well "$1"; }

killed() {
	kill -9 "${pid[$1]}" || return 1
	wait "${pid[$1]}" 2>/dev/null
	unset "pid[$1]"
}

# A member of the status whose value is a word or a number.
field() { ctl -c "$1/weft.conf" status --json 2>/dev/null | sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
joined() { [ "$(field "$1" state)" = joined ]; }
