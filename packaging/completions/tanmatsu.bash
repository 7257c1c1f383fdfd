# Completion of tanmatsu(1) for bash. Tested against the command's own list.

_tanmatsu_sessions() {
	tanmatsu "${control[@]}" list 2>/dev/null | sed -n '2,$s/ .*//p'
}

_tanmatsu() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands='list status start suspend resume stop kill hold attach connect screenshot type logs console doctor cert version help'
	local common='--control --json --help --version'
	local command='' options='' i positional=0 control=()

	# What stands before the word: the command, and how many arguments it has already.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--control)
			control=(--control "${COMP_WORDS[i + 1]-}")
			((i++))
			;;
		--timeout | -t | --viewer | --ssh-option | --port | -p | --identity | -i | --ssh | --remote-socket | --layout | -l | --delay | -d | --kind | -k | --lines | -n | --config)
			[ -z "$command" ] || ((i++))
			;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=${COMP_WORDS[i]}
			else
				((positional++))
			fi
			;;
		esac
	done

	case $command in
	stop) options='--timeout' ;;
	attach) options='--run --viewer' ;;
	connect) options='--viewer --ssh-option --port --identity --ssh --remote-socket' ;;
	type) options='--layout --delay --skip --stdin' ;;
	logs) options='--kind --follow --lines' ;;
	doctor) options='--config' ;;
	cert) options='--fingerprint --path' ;;
	esac

	COMPREPLY=()
	case $previous in
	--control | --config | --identity | -i | --remote-socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--kind | -k)
		mapfile -t COMPREPLY < <(compgen -W 'events console' -- "$word")
		return
		;;
	--layout | -l)
		mapfile -t COMPREPLY < <(compgen -W 'us de fr jp gb es it' -- "$word")
		return
		;;
	--viewer | --ssh)
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		return
		;;
	--timeout | -t | --ssh-option | --port | -p | --delay | -d | --lines | -n) return ;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$word")
	elif [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	else
		case $command:$positional in
		status:0 | start:0 | suspend:0 | resume:0 | stop:0 | kill:0 | hold:0 | attach:0 | type:0 | logs:0 | console:0)
			mapfile -t COMPREPLY < <(compgen -W "$(_tanmatsu_sessions)" -- "$word")
			;;
		screenshot:0) mapfile -t COMPREPLY < <(compgen -W "$(_tanmatsu_sessions)" -f -- "$word") ;;
		screenshot:1) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		connect:0) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") ;;
		help:0) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
		esac
	fi
}
complete -F _tanmatsu tanmatsu
