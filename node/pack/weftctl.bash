# bash completion for weftctl(1) and weft-node(8)

_weft_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_weft_commands() { "$@" --help 2>/dev/null | sed -n 's/^  \([a-z]\{3,\}\)  .*/\1/p'; }
_weft_options() { "$@" --help 2>/dev/null | grep -oE '^ *(-., )?--[a-z0-9-]+' | grep -oE -- '--.*'; }
_weft_files() { mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames; }

_weftctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | -c | --socket | --conf) ((i++)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $prev in
	-s | -c | --socket | --conf) _weft_files; return ;;
	esac
	case $command in
	'')
		_weft_words "$(_weft_commands weftctl) --help --version -c -s"
		return ;;
	esac
	if [[ $cur == -* ]]; then
		[[ $command == net ]] && ((COMP_CWORD > i + 1)) && command+=" ${COMP_WORDS[i + 1]}"
		_weft_words "$(_weft_options weftctl $command)"
		return
	fi
	case $command in
	net) ((COMP_CWORD == i + 1)) && _weft_words "$(_weft_commands weftctl net)" || _weft_files ;;
	dht) ((COMP_CWORD == i + 1)) && _weft_words "slots get put delete look" ;;
	pcap) ((COMP_CWORD == i + 1)) && _weft_words "tap overlay" || _weft_files ;;
	config) ((COMP_CWORD == i + 1)) && _weft_words "explain show man" || _weft_files ;;
	key) _weft_files ;;
	esac
}

_weft_node() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	-c | --conf) _weft_files ;;
	*) _weft_words "$(_weft_options weft-node)" ;;
	esac
}

complete -F _weftctl weftctl
complete -F _weft_node weft-node
