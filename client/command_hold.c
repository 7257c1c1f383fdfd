/* `tanmatsu hold`: runs a command, and keeps a desktop from being suspended by itself for as long as it runs. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/viewer.h"

enum {
	SIGNALLED = 128, /* as shells tell the end by a signal */
};

/* The command's own exit status. */
static int run(const struct client *client, char **command)
{
	struct pollfd ended = { .events = POLLIN };
	pid_t pid;
	int pidfd = -1;
	int status;
	int error = viewer_spawn((const char *const *)command, -1, &pid, &pidfd);

	if (error) {
		client_error(client, NULL, "%s: %s", command[0], strerror(-error));
		return CLIENT_FAILED;
	}
	ended.fd = pidfd;
	while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
	}
	status = viewer_end(pid, &pidfd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

int command_hold(struct client *client, const struct arguments *arguments)
{
	size_t command = arguments->positional_count - arguments->after_dashes;
	struct control_reply reply;
	char name[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	int status;

	if (arguments->after_dashes == 0 || command < 1 || command > 2) {
		client_error(client, "Usage: tanmatsu hold [SESSION] REASON -- COMMAND",
		    "hold wants a reason, two dashes and a command");
		return CLIENT_USAGE;
	}
	status = client_pick_session(
	    client, command == 2 ? arguments_positional(arguments, 0) : NULL, name);
	if (status != CLIENT_DONE) {
		return status;
	}
	snprintf(what, sizeof(what), "hold %s", name);
	status = client_call_take(client, what, "Hold",
	    json_pack("{s:s, s:s}", "session", name, "reason",
		arguments_positional(arguments, command - 1)),
	    -1, &reply);
	if (status != CLIENT_DONE) {
		return status;
	}
	control_reply_fini(&reply);
	/* The hold lasts as long as the connection, which client_run() closes. */
	return run(client, arguments->positional + command);
}
