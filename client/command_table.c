/* The table of commands, in the order of the help. Completions and tanmatsu(1) are tested against it. */
#include <string.h>

#include "client/arguments.h"
#include "client/command.h"

static const struct command_option stop_options[] = {
	{ "timeout", 't', "SECONDS", "switch off if it is still on after this time (60)" },
	{ 0 },
};

static const struct command_option attach_options[] = {
	{ "run", 'r', NULL, "start the viewer instead of printing its command" },
	{ "viewer", 0, "CMD", "the viewer ($TANMATSU_VIEWER, else one that is found)" },
	{ 0 },
};

static const struct command_option connect_options[] = {
	{ "viewer", 0, "CMD", "the viewer ($TANMATSU_VIEWER, else one that is found)" },
	{ "ssh-option", 0, "ARGUMENT", "an argument for ssh, as it is; may be given again" },
	{ "port", 'p', "PORT", "port of the host's sshd" },
	{ "identity", 'i', "FILE", "private key for ssh" },
	{ "ssh", 0, "CMD", "the ssh program (ssh)" },
	{ "remote-socket", 0, "PATH", "the host's socket (/run/tanmatsu/rfb.sock)" },
	{ 0 },
};

static const struct command_option type_options[] = {
	{ "layout", 'l', "LAYOUT", "keyboard layout: us, de, jp... (the host's)" },
	{ "delay", 'd', "MS", "pause after each character, in milliseconds (8)" },
	{ "skip", 0, NULL, "leave out characters that the layout does not have" },
	{ "stdin", 0, NULL, "type what comes on standard input instead of TEXT" },
	{ 0 },
};

static const struct command_option logs_options[] = {
	{ "kind", 'k', "KIND", "events (what happened) or console (serial port)" },
	{ "follow", 'f', NULL, "go on printing what is added" },
	{ "lines", 'n', "NUMBER", "only the last lines" },
	{ 0 },
};

static const struct command_option cert_options[] = {
	{ "fingerprint", 0, NULL, "print the SHA-256 fingerprint only" },
	{ "path", 0, NULL, "print the path of the file only" },
	{ 0 },
};

static const struct command_option doctor_options[] = {
	{ "config", 0, "FILE", "the configuration (/etc/tanmatsu/tanmatsu.conf)" },
	{ 0 },
};

const struct command command_table[] = {
	{ "list", "", "List the desktops", NULL, 0, 0, true, command_list },
	{ "status", "[SESSION]", "Show one desktop in detail", NULL, 0, 1, true, command_status },
	{ "start", "[SESSION]", "Boot a desktop, or bring it back if it is suspended", NULL, 0, 1,
	    true, command_start },
	{ "suspend", "[SESSION]", "Write a desktop to disk and end its virtual machine", NULL, 0, 1,
	    true, command_suspend },
	{ "resume", "[SESSION]", "Bring a suspended desktop back", NULL, 0, 1, true,
	    command_resume },
	{ "stop", "[SESSION]", "Press the power button; switch off after a time", stop_options, 0,
	    1, true, command_stop },
	{ "kill", "[SESSION]", "Switch a desktop off at once", NULL, 0, 1, true, command_kill },
	{ "hold", "[SESSION] REASON -- COMMAND",
	    "Keep a desktop from being suspended while a command runs", NULL, 2, ARGUMENTS_WORDS,
	    false, command_hold },
	{ "attach", "[SESSION]", "Open a viewer on a desktop of this host, without logging in",
	    attach_options, 0, 1, false, command_attach },
	{ "connect", "[USER@]HOST", "Open your desktop on another host through SSH",
	    connect_options, 1, 1, false, command_connect },
	{ "screenshot", "[SESSION] FILE.png",
	    "Write the picture of a desktop to a file (- for standard output)", NULL, 1, 2, true,
	    command_screenshot },
	{ "type", "[SESSION] TEXT", "Type a text on the keyboard of a desktop", type_options, 0, 2,
	    true, command_type },
	{ "logs", "[SESSION]", "Print the log of a desktop", logs_options, 0, 1, true,
	    command_logs },
	{ "console", "[SESSION]", "Be at the serial port of a desktop; Ctrl-] ends it", NULL, 0, 1,
	    false, command_console },
	{ "doctor", "", "Check this host, and say how to mend what is wrong", doctor_options, 0, 0,
	    true, command_doctor },
	{ "cert", "", "Print the certificate that viewers need to trust this host", cert_options, 0,
	    0, true, command_cert },
	{ "version", "", "Print the versions of this command and of the daemon", NULL, 0, 0, true,
	    command_version },
	{ "help", "[COMMAND]", "Say how a command is used", NULL, 0, 1, true, command_help },
	{ 0 },
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = command_table; command->name; command++) {
		if (strcmp(command->name, name) == 0) {
			return command;
		}
	}
	return NULL;
}
