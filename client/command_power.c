/* `tanmatsu start`, `suspend`, `resume`, `stop` and `kill`: what changes the state of a desktop. */
#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/text.h"

struct operation {
	const char *verb;   /* as it stands in messages */
	const char *method; /* docs/CONTROL.md */
};

/* Figures that some of the answers hold. */
struct figures {
	uint64_t ram_bytes, state_bytes, stopped_us, took_us;
};

static void print_done(const struct client *client, const struct answer_session *session,
    const struct figures *figures)
{
	char name[256], state[256], bytes[32], took[32];

	fprintf(client->out, "%s is %s", text_clean(session->session, name, sizeof(name)),
	    text_clean(session->state, state, sizeof(state)));
	if (figures->ram_bytes + figures->state_bytes > 0) {
		fprintf(client->out, ", %s written",
		    text_bytes(figures->ram_bytes + figures->state_bytes, bytes, sizeof(bytes)));
	}
	if (figures->took_us > 0) {
		fprintf(client->out, " in %s", text_duration(figures->took_us, took, sizeof(took)));
	}
	fputc('\n', client->out);
}

static int operate_take(
    struct client *client, const struct operation *operation, const char *name, json_t *parameters)
{
	struct answer_session *session = calloc(1, sizeof(*session));
	struct control_reply reply;
	struct figures figures;
	char what[ANSWER_NAME_MAX + 16];
	json_t *json;
	int status;

	snprintf(what, sizeof(what), "%s %s", operation->verb, name);
	status = client_call_long_take(client, what, operation->method, parameters, &reply);
	if (status != CLIENT_DONE) {
		free(session);
		return status;
	}
	if (!session ||
	    answer_session_decode(json_object_get(reply.parameters, "session"), session) ||
	    answer_number(reply.parameters, "ram_bytes", INT64_MAX / 2, &figures.ram_bytes) ||
	    answer_number(reply.parameters, "state_bytes", INT64_MAX / 2, &figures.state_bytes) ||
	    answer_number(reply.parameters, "stopped_us", INT64_MAX, &figures.stopped_us) ||
	    answer_number(reply.parameters, "took_us", INT64_MAX, &figures.took_us)) {
		status = client_bad_answer(client, what);
	} else if (client->json) {
		json = json_pack("{s:o, s:I, s:I, s:I, s:I}", "session",
		    answer_session_encode(session), "ram_bytes", (json_int_t)figures.ram_bytes,
		    "state_bytes", (json_int_t)figures.state_bytes, "stopped_us",
		    (json_int_t)figures.stopped_us, "took_us", (json_int_t)figures.took_us);
		status = client_print_json_take(client, json);
	} else {
		print_done(client, session, &figures);
	}
	control_reply_fini(&reply);
	free(session);
	return status;
}

static int operate(
    struct client *client, const struct arguments *arguments, const struct operation *operation)
{
	char name[ANSWER_NAME_MAX];
	int status = client_pick_session(client, arguments_positional(arguments, 0), name);

	if (status != CLIENT_DONE) {
		return status;
	}
	return operate_take(client, operation, name, client_session_parameter(name));
}

int command_start(struct client *client, const struct arguments *arguments)
{
	return operate(client, arguments, &(struct operation){ "start", "Start" });
}

int command_suspend(struct client *client, const struct arguments *arguments)
{
	return operate(client, arguments, &(struct operation){ "suspend", "Suspend" });
}

int command_resume(struct client *client, const struct arguments *arguments)
{
	return operate(client, arguments, &(struct operation){ "resume", "Resume" });
}

int command_kill(struct client *client, const struct arguments *arguments)
{
	return operate(client, arguments, &(struct operation){ "kill", "Kill" });
}

int command_stop(struct client *client, const struct arguments *arguments)
{
	unsigned long timeout_s = 60;
	char name[ANSWER_NAME_MAX];
	int status;

	if (arguments_get_number(client, arguments, "timeout", 0, 86400, &timeout_s)) {
		return CLIENT_USAGE;
	}
	status = client_pick_session(client, arguments_positional(arguments, 0), name);
	if (status != CLIENT_DONE) {
		return status;
	}
	return operate_take(client, &(struct operation){ "stop", "Stop" }, name,
	    json_pack("{s:s, s:I}", "session", name, "timeout_s", (json_int_t)timeout_s));
}
