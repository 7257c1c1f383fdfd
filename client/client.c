/* What all commands share: the command line's frame, the connection, messages and exit statuses. */
#include "client/client.h"

#include <errno.h>
#include <grp.h>
#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/control.h"
#include "client/help.h"
#include "client/progress.h"
#include "client/text.h"

enum {
	SOCKET_PATH_MAX = 4096,
	DEFAULT_WIDTH = 80,
};

void client_init(struct client *client)
{
	const char *terminal_type = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");
	bool able = terminal_type && strcmp(terminal_type, "dumb") != 0;
	struct winsize size = { 0 };

	setlocale(LC_ALL, "");
	*client = (struct client){ .out = stdout, .err = stderr, .width = DEFAULT_WIDTH };
	client->terminal = isatty(STDOUT_FILENO);
	client->colour = client->terminal && able && !(no_colour && no_colour[0]);
	client->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 &&
			  (client->terminal || isatty(STDERR_FILENO));
	client->progress = able && isatty(STDERR_FILENO);
	if ((ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ||
		ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) &&
	    size.ws_col > 0) {
		client->width = size.ws_col;
	}
	client->now_us = clock_realtime_us();
}

static int run_command(struct client *client, const struct command *command, int argc, char **argv)
{
	struct arguments arguments;
	int status;

	if (arguments_parse(
		client, command->name, command->options, false, argc, argv, &arguments)) {
		return CLIENT_USAGE;
	}
	if (arguments_get(&arguments, "help")) {
		help_print_command(client, command);
		return CLIENT_DONE;
	}
	if (arguments_get(&arguments, "version")) {
		return help_print_version(client);
	}
	if (arguments_get(&arguments, "control")) {
		client->control_path = arguments_get(&arguments, "control");
	}
	client->json |= arguments_get(&arguments, "json") != NULL;
	if (client->json && !command->prints) {
		client_error(client, NULL, "%s prints nothing that could be JSON", command->name);
		return CLIENT_USAGE;
	}
	if (arguments.positional_count < command->positional_min ||
	    arguments.positional_count > command->positional_max) {
		client_error(client, NULL, "usage: tanmatsu %s %s", command->name, command->usage);
		return CLIENT_USAGE;
	}
	status = command->run(client, &arguments);
	control_close(client->control);
	client->control = NULL;
	if (fflush(client->out) != 0 && status == CLIENT_DONE) {
		client_error(client, NULL, "standard output: %s", strerror(errno));
		status = CLIENT_FAILED;
	}
	return status;
}

int client_run(struct client *client, int argc, char **argv)
{
	struct arguments arguments;
	const struct command *command;
	const char *name;
	int used;

	if (arguments_parse(client, "", NULL, true, argc, argv, &arguments)) {
		return CLIENT_USAGE;
	}
	client->control_path = arguments_get(&arguments, "control");
	client->json = arguments_get(&arguments, "json") != NULL;
	if (arguments_get(&arguments, "version")) {
		return help_print_version(client);
	}
	name = arguments_positional(&arguments, 0);
	if (!name || arguments_get(&arguments, "help")) {
		help_print_all(client, name                                ? client->out
				       : arguments_get(&arguments, "help") ? client->out
									   : client->err);
		return arguments_get(&arguments, "help") ? CLIENT_DONE : CLIENT_USAGE;
	}
	command = command_find(name);
	if (!command) {
		client_error(client, "Commands: tanmatsu help", "there is no command \"%s\"", name);
		return CLIENT_USAGE;
	}
	used = argc - (int)arguments.positional_count;
	return run_command(client, command, argc - used, argv + used);
}

void client_error(const struct client *client, const char *hint, const char *format, ...)
{
	char message[2048], clean[4096];
	va_list list;

	va_start(list, format);
	vsnprintf(message, sizeof(message), format, list);
	va_end(list);
	fprintf(client->err, "tanmatsu: %s\n", text_clean(message, clean, sizeof(clean)));
	if (hint) {
		fputs("  ", client->err);
		text_write_clean(client->err, hint, strlen(hint));
		fputc('\n', client->err);
	}
}

static int connect_failed(const struct client *client, const char *path, int error)
{
	static const char start_hint[] = "Start it: systemctl start tanmatsu (installed), "
					 "tanmatsu-hostd (your own, as yourself) or\n"
					 "  ./tools/quickstart (to try it). For another socket: "
					 "--control PATH or TANMATSU_CONTROL.";

	switch (-error) {
	case ENOENT:
	case ECONNREFUSED:
		client_error(client, start_hint, "the daemon is not running: %s at %s",
		    error == -ENOENT ? "there is no socket" : "nobody listens", path);
		return CLIENT_FAILED;
	case EACCES:
	case EPERM:
		client_error(client,
		    "Its folder is not open to you. Administrators are root and the members of the "
		    "group\n"
		    "  tanmatsu: usermod -a -G tanmatsu USER, then log in again.",
		    "you may not use the control socket %s", path);
		return CLIENT_DENIED;
	default:
		client_error(client, NULL, "connecting to %s: %s", path, strerror(-error));
		return CLIENT_FAILED;
	}
}

int client_connect(struct client *client)
{
	char path[SOCKET_PATH_MAX];
	int error;

	if (client->control) {
		return CLIENT_DONE;
	}
	error = control_find_path(client->control_path, path, sizeof(path));
	if (error) {
		client_error(client, NULL, "the path of the control socket is too long");
		return CLIENT_USAGE;
	}
	error = control_open(path, &client->control);
	if (error) {
		return connect_failed(client, path, error);
	}
	return CLIENT_DONE;
}

static int call_failed(const struct client *client, const char *what, int error)
{
	switch (-error) {
	case EPROTO:
		return client_bad_answer(client, what);
	case ECONNRESET:
		client_error(client, "What happened: journalctl -u tanmatsu -e",
		    "%s: the daemon hung up", what);
		return CLIENT_FAILED;
	case ETIMEDOUT:
		client_error(client, "See how it is: systemctl status tanmatsu",
		    "%s: the daemon does not answer", what);
		return CLIENT_FAILED;
	default:
		client_error(client, NULL, "%s: %s", what, strerror(-error));
		return CLIENT_FAILED;
	}
}

static int reply_failed(
    const struct client *client, const char *what, const struct control_reply *reply)
{
	static const struct {
		const char *error;
		int status;
		const char *text; /* when the daemon gives none */
		const char *hint;
	} known[] = {
		{ "NotFound", CLIENT_NOT_FOUND, "there is no such session",
		    "Those there are: tanmatsu list" },
		{ "NotRunning", CLIENT_NOT_RUNNING, "the desktop is not running",
		    "What it is doing: tanmatsu status SESSION. To start it: tanmatsu start "
		    "SESSION" },
		{ "Denied", CLIENT_DENIED, "you may not do that",
		    "It is another user's. Root and the members of the group tanmatsu may do it." },
		{ "Busy", CLIENT_FAILED, "that does not go with what the desktop is doing now",
		    "See what it is doing: tanmatsu status SESSION" },
		{ "InvalidParameter", CLIENT_USAGE, "a value was refused", NULL },
		{ "MethodNotFound", CLIENT_FAILED, "the daemon does not know how to do that",
		    "It is of another version than this command: tanmatsu version" },
		{ "Failed", CLIENT_FAILED, "it failed", NULL },
	};
	const char *message = control_reply_message(reply);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].error, reply->error) == 0) {
			client_error(client, known[i].hint, "%s: %s", what,
			    message[0] ? message : known[i].text);
			return known[i].status;
		}
	}
	client_error(
	    client, NULL, "%s: %s%s%s", what, reply->error, message[0] ? ": " : "", message);
	return CLIENT_FAILED;
}

struct long_call {
	const struct client *client;
	const char *what;
};

static void on_progress(const struct control_reply *reply, void *context)
{
	const struct long_call *call = context;
	uint64_t percent;

	if (answer_number(reply->parameters, "percent", UINT64_MAX / 2, &percent)) {
		percent = 0;
	}
	progress_show(call->client, call->what, percent > 100 ? 100 : (unsigned)percent,
	    control_reply_message(reply));
}

static int call_take(struct client *client, const char *what, const char *method,
    json_t *parameters, int fd, bool takes_long, struct control_reply *reply)
{
	struct long_call call = { .client = client, .what = what };
	int error;
	int status = client_connect(client);

	if (status != CLIENT_DONE) {
		json_decref(parameters);
		return status;
	}
	control_set_timeout(client->control, takes_long ? -1 : CONTROL_QUERY_TIMEOUT_MS);
	error = control_call_take(client->control, method, parameters, fd,
	    takes_long && client->progress ? on_progress : NULL, &call, reply);
	if (takes_long) {
		progress_clear(client);
	}
	if (error) {
		return call_failed(client, what, error);
	}
	if (reply->error[0]) {
		status = reply_failed(client, what, reply);
		control_reply_fini(reply);
		return status;
	}
	return CLIENT_DONE;
}

int client_call_take(struct client *client, const char *what, const char *method,
    json_t *parameters, int fd, struct control_reply *reply)
{
	return call_take(client, what, method, parameters, fd, false, reply);
}

int client_call_long_take(struct client *client, const char *what, const char *method,
    json_t *parameters, struct control_reply *reply)
{
	return call_take(client, what, method, parameters, -1, true, reply);
}

int client_bad_answer(const struct client *client, const char *what)
{
	client_error(client, "Is the daemon of the same version? tanmatsu version",
	    "%s: the daemon's answer makes no sense", what);
	return CLIENT_FAILED;
}

json_t *client_session_parameter(const char *name)
{
	return json_pack("{s:s}", "session", name);
}

int client_print_json_take(const struct client *client, json_t *json)
{
	int written;

	if (!json) {
		client_error(client, NULL, "out of memory");
		return CLIENT_FAILED;
	}
	written = json_dumpf(json, client->out, JSON_INDENT(2));
	json_decref(json);
	fputc('\n', client->out);
	if (written < 0) {
		client_error(client, NULL, "standard output: %s", strerror(errno));
		return CLIENT_FAILED;
	}
	return CLIENT_DONE;
}

static const char *own_name(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry ? entry->pw_name : "";
}

int client_pick_session(struct client *client, const char *name, char session[64])
{
	struct answer_session *only;
	struct control_reply reply;
	const json_t *list;
	const char *own = own_name();
	int status;

	if (name) {
		if (!name[0] || strlen(name) >= ANSWER_NAME_MAX) {
			client_error(client, NULL, "\"%s\" is no session's name", name);
			return CLIENT_USAGE;
		}
		strcpy(session, name);
		return CLIENT_DONE;
	}
	status = client_call_take(client, "looking for your session", "List", NULL, -1, &reply);
	if (status != CLIENT_DONE) {
		return status;
	}
	only = calloc(1, sizeof(*only));
	list = json_object_get(reply.parameters, "sessions");
	status = only && json_is_array(list)
		     ? CLIENT_DONE
		     : client_bad_answer(client, "looking for your session");
	session[0] = 0;
	for (size_t i = 0; status == CLIENT_DONE && i < json_array_size(list); i++) {
		if (answer_session_decode(json_array_get(list, i), only)) {
			status = client_bad_answer(client, "looking for your session");
		} else if (json_array_size(list) == 1 || strcmp(only->session, own) == 0) {
			strcpy(session, only->session);
		}
	}
	if (status == CLIENT_DONE && !session[0]) {
		if (json_array_size(list) == 0 && own[0] && strlen(own) < ANSWER_NAME_MAX) {
			strcpy(session, own); /* the daemon says whether it may be */
		} else {
			client_error(client, "They are: tanmatsu list",
			    "which session? There are %zu", json_array_size(list));
			status = CLIENT_USAGE;
		}
	}
	control_reply_fini(&reply);
	free(only);
	return status;
}
