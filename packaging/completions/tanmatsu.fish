# Completion of tanmatsu(1) for fish. Tested against the command's own list.

function __tanmatsu_sessions
    tanmatsu list 2>/dev/null | string replace -r ' .*' '' | tail -n +2
end

complete -c tanmatsu -f
complete -c tanmatsu -l control -r -F -d "The daemon's control socket"
complete -c tanmatsu -l json -d 'Print JSON instead of text'
complete -c tanmatsu -s h -l help -d 'Say how the command is used'
complete -c tanmatsu -s V -l version -d 'Print the version'

complete -c tanmatsu -n __fish_use_subcommand -a list -d 'List the desktops'
complete -c tanmatsu -n __fish_use_subcommand -a status -d 'Show one desktop in detail'
complete -c tanmatsu -n __fish_use_subcommand -a start -d 'Boot a desktop, or bring it back if it is suspended'
complete -c tanmatsu -n __fish_use_subcommand -a suspend -d 'Write a desktop to disk and end its virtual machine'
complete -c tanmatsu -n __fish_use_subcommand -a resume -d 'Bring a suspended desktop back'
complete -c tanmatsu -n __fish_use_subcommand -a stop -d 'Press the power button; switch off after a time'
complete -c tanmatsu -n __fish_use_subcommand -a kill -d 'Switch a desktop off at once'
complete -c tanmatsu -n __fish_use_subcommand -a hold -d 'Keep a desktop from being suspended while a command runs'
complete -c tanmatsu -n __fish_use_subcommand -a attach -d 'Open a viewer on a desktop of this host, without logging in'
complete -c tanmatsu -n __fish_use_subcommand -a connect -d 'Open your desktop on another host through SSH'
complete -c tanmatsu -n __fish_use_subcommand -a screenshot -d 'Write the picture of a desktop to a file (- for standard output)'
complete -c tanmatsu -n __fish_use_subcommand -a type -d 'Type a text on the keyboard of a desktop'
complete -c tanmatsu -n __fish_use_subcommand -a logs -d 'Print the log of a desktop'
complete -c tanmatsu -n __fish_use_subcommand -a console -d 'Be at the serial port of a desktop; Ctrl-] ends it'
complete -c tanmatsu -n __fish_use_subcommand -a doctor -d 'Check this host, and say how to mend what is wrong'
complete -c tanmatsu -n __fish_use_subcommand -a cert -d 'Print the certificate that viewers need to trust this host'
complete -c tanmatsu -n __fish_use_subcommand -a version -d 'Print the versions of this command and of the daemon'
complete -c tanmatsu -n __fish_use_subcommand -a help -d 'Say how a command is used'

complete -c tanmatsu -n '__fish_seen_subcommand_from status start suspend resume stop kill hold attach screenshot type logs console' -a '(__tanmatsu_sessions)'
complete -c tanmatsu -n '__fish_seen_subcommand_from screenshot' -F
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -a '(__fish_print_hostnames)'
complete -c tanmatsu -n '__fish_seen_subcommand_from help' -a 'list status start suspend resume stop kill hold attach connect screenshot type logs console doctor cert version'

complete -c tanmatsu -n '__fish_seen_subcommand_from stop' -s t -l timeout -x -d 'Switch off if it is still on after this time'
complete -c tanmatsu -n '__fish_seen_subcommand_from attach' -s r -l run -d 'Start the viewer'
complete -c tanmatsu -n '__fish_seen_subcommand_from attach connect' -l viewer -x -a '(__fish_complete_command)' -d 'The viewer'
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -l ssh-option -x -d 'An argument for ssh'
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -s p -l port -x -d "Port of the host's sshd"
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -s i -l identity -r -F -d 'Private key for ssh'
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -l ssh -x -a '(__fish_complete_command)' -d 'The ssh program'
complete -c tanmatsu -n '__fish_seen_subcommand_from connect' -l remote-socket -x -d "The host's socket"
complete -c tanmatsu -n '__fish_seen_subcommand_from type' -s l -l layout -x -a 'us de fr jp gb es it' -d 'Keyboard layout'
complete -c tanmatsu -n '__fish_seen_subcommand_from type' -s d -l delay -x -d 'Pause after each character, in milliseconds'
complete -c tanmatsu -n '__fish_seen_subcommand_from type' -l skip -d 'Leave out what cannot be typed'
complete -c tanmatsu -n '__fish_seen_subcommand_from type' -l stdin -d 'Type standard input'
complete -c tanmatsu -n '__fish_seen_subcommand_from logs' -s k -l kind -x -a 'events console' -d 'Which log'
complete -c tanmatsu -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'Go on printing'
complete -c tanmatsu -n '__fish_seen_subcommand_from logs' -s n -l lines -x -d 'Only the last lines'
complete -c tanmatsu -n '__fish_seen_subcommand_from doctor' -l config -r -F -d 'The configuration'
complete -c tanmatsu -n '__fish_seen_subcommand_from cert' -l fingerprint -d 'The fingerprint only'
complete -c tanmatsu -n '__fish_seen_subcommand_from cert' -l path -d 'The path only'
