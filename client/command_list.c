/* `tanmatsu list` and `tanmatsu status`: the desktops as the daemon sees them. */
#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/table.h"
#include "client/text.h"

enum {
	VALUE_COLUMN = 14, /* of the status: where values begin */
	SOON_US = 1000000, /* what began less than this ago began "now" */
};

/* A libsmartcols colour name, an escape sequence and a mark for each state. */
struct state_look {
	const char *state;
	const char *colour;
	const char *escape;
};

static const struct state_look state_looks[] = {
	{ "active", "green", "\033[32m" },
	{ "detached", "green", "\033[32m" },
	{ "booting", "yellow", "\033[33m" },
	{ "resuming", "yellow", "\033[33m" },
	{ "saving", "yellow", "\033[33m" },
	{ "paused", "cyan", "\033[36m" },
	{ "saved", "blue", "\033[34m" },
	{ "failed", "lightred", "\033[1;31m" },
};

static const struct state_look *find_look(const char *state)
{
	for (size_t i = 0; i < sizeof(state_looks) / sizeof(state_looks[0]); i++) {
		if (strcmp(state_looks[i].state, state) == 0) {
			return &state_looks[i];
		}
	}
	return NULL;
}

static char *format_age(const struct client *client, uint64_t since_us, char *buffer, size_t size)
{
	if (since_us == 0 || since_us + SOON_US > client->now_us) {
		snprintf(buffer, size, since_us ? "now" : "-");
		return buffer;
	}
	return text_duration(client->now_us - since_us, buffer, size);
}

static int add_session_row(
    const struct client *client, struct table *table, const struct answer_session *session)
{
	const struct state_look *look = find_look(session->state);
	char viewers[16], memory[16], snapshot[16], since[32], held[ANSWER_TEXT_MAX + 8];
	const char *cells[] = { session->session, session->user, session->state, viewers, memory,
		snapshot, since, session->hold_count > 0 ? held : session->reason };

	snprintf(held, sizeof(held), "held: %s", session->holds[0].reason);

	snprintf(viewers, sizeof(viewers), "%zu", session->viewer_total);
	text_bytes(session->memory_mib << 20, memory, sizeof(memory));
	if (session->snapshot_bytes > 0) {
		text_bytes(session->snapshot_bytes, snapshot, sizeof(snapshot));
	} else {
		strcpy(snapshot, "-");
	}
	format_age(client, session->since_us, since, sizeof(since));
	return table_add_row(table, cells, 2, look ? look->colour : NULL);
}

static int print_table(
    const struct client *client, const struct answer_session *sessions, size_t count)
{
	static const struct table_column columns[] = {
		{ .name = "SESSION", .width = 8 },
		{ .name = "USER", .width = 8, .cut = true },
		{ .name = "STATE", .width = 8 },
		{ .name = "VIEWERS", .width = 7, .right = true },
		{ .name = "MEMORY", .width = 7, .right = true },
		{ .name = "ON DISK", .width = 7, .right = true },
		{ .name = "SINCE", .width = 6, .right = true },
		{ .name = "REASON", .width = 0.3, .cut = true },
	};
	struct table *table;
	int error = table_create(client, columns, sizeof(columns) / sizeof(columns[0]), &table);

	for (size_t i = 0; !error && i < count; i++) {
		error = add_session_row(client, table, &sessions[i]);
	}
	if (error) {
		client_error(client, NULL, "printing the table: %s", strerror(-error));
		return CLIENT_FAILED;
	}
	table_print(table);
	table_destroy(table);
	return CLIENT_DONE;
}

static int print_list_json(
    const struct client *client, const struct answer_session *sessions, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, answer_session_encode(&sessions[i]));
	}
	return client_print_json_take(client, json_pack("{s:o}", "sessions", list));
}

int command_list(struct client *client, const struct arguments *arguments)
{
	struct answer_session *sessions = NULL;
	struct control_reply reply;
	const json_t *list;
	size_t count;
	int status = client_call_take(client, "list", "List", NULL, -1, &reply);

	(void)arguments;
	if (status != CLIENT_DONE) {
		return status;
	}
	list = json_object_get(reply.parameters, "sessions");
	count = json_array_size(list);
	sessions = calloc(count + 1, sizeof(*sessions));
	if (!json_is_array(list) || !sessions) {
		status = client_bad_answer(client, "list");
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		if (answer_session_decode(json_array_get(list, i), &sessions[i])) {
			status = client_bad_answer(client, "list");
			goto done;
		}
	}
	if (client->json) {
		status = print_list_json(client, sessions, count);
	} else if (count > 0) {
		status = print_table(client, sessions, count);
	} else {
		fputs("No desktops yet. One appears when its user logs in with a VNC viewer,\n"
		      "or with: tanmatsu start USER\n",
		    client->out);
	}
done:
	free(sessions);
	control_reply_fini(&reply);
	return status;
}

static void print_line(const struct client *client, const char *name, const char *value)
{
	if (value[0]) {
		fprintf(client->out, "  %-*s", VALUE_COLUMN - 2, name);
		text_wrap(client->out, value, VALUE_COLUMN, client->terminal ? client->width : 0);
	}
}

static void print_head(const struct client *client, const struct answer_session *session)
{
	const struct state_look *look = find_look(session->state);
	char name[256], state[256], since[32], age[32];
	const char *on = client->colour && look ? look->escape : "";
	const char *off = client->colour && look ? "\033[0m" : "";

	text_clean(session->session, name, sizeof(name));
	text_clean(session->state, state, sizeof(state));
	fprintf(client->out, "%s%s%s%s %s%s%s", on, client->unicode ? "● " : "", off, name, on,
	    state, off);
	if (session->since_us > 0) {
		bool soon = strcmp(format_age(client, session->since_us, age, sizeof(age)),
				"now") == 0;

		fprintf(client->out, "%s%s (since %s)", soon ? " just " : " for ", age,
		    text_time(session->since_us, since, sizeof(since)));
	}
	fputc('\n', client->out);
}

static void print_viewers(const struct client *client, const struct answer_session *session)
{
	char line[512], age[32];

	if (session->viewer_total == 0) {
		print_line(client, "Viewers:", "none");
	}
	for (size_t i = 0; i < session->viewer_count; i++) {
		const struct answer_viewer *viewer = &session->viewers[i];
		/* Who it is matters only when it is somebody else: a helper, an administrator. */
		bool other = viewer->user[0] && strcmp(viewer->user, session->user) != 0;

		snprintf(line, sizeof(line), "%s%s%s, for %s", other ? viewer->user : "",
		    other ? " from " : "", viewer->peer,
		    format_age(client, viewer->since_us, age, sizeof(age)));
		print_line(client, i == 0 ? "Viewers:" : "", line);
	}
}

static void print_holds(const struct client *client, const struct answer_session *session)
{
	char line[ANSWER_TEXT_MAX + 128], age[32];

	for (size_t i = 0; i < session->hold_count; i++) {
		const struct answer_hold *hold = &session->holds[i];

		snprintf(line, sizeof(line), "by %s, for %s: %s", hold->user,
		    format_age(client, hold->since_us, age, sizeof(age)), hold->reason);
		print_line(client, i == 0 ? "Held:" : "", line);
	}
}

static void print_statistics(
    const struct client *client, const struct answer_statistics *statistics)
{
	char line[256], up[32], busy[32], memory[32];

	snprintf(line, sizeof(line), "up %s, %s of CPU, %llu exits",
	    text_duration(statistics->uptime_us, up, sizeof(up)),
	    text_duration(statistics->vcpu_us, busy, sizeof(busy)),
	    (unsigned long long)statistics->exits);
	print_line(client, "Running:", line);
	snprintf(line, sizeof(line), "%s of its own",
	    text_bytes(statistics->ram_private_bytes, memory, sizeof(memory)));
	print_line(client, "Memory:", line);
}

static void print_status(const struct client *client, const struct answer_session *session,
    const struct answer_statistics *statistics)
{
	char line[256], bytes[32];

	print_head(client, session);
	print_line(client, "Reason:", session->reason);
	print_line(client, "User:", session->user);
	print_viewers(client, session);
	print_holds(client, session);
	snprintf(line, sizeof(line), "%llu vCPU%s, %s", (unsigned long long)session->vcpus,
	    session->vcpus == 1 ? "" : "s",
	    text_bytes(session->memory_mib << 20, bytes, sizeof(bytes)));
	if (session->pid > 0) {
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ", pid %llu",
		    (unsigned long long)session->pid);
	}
	print_line(client, "Machine:", line);
	if (session->width > 0) {
		bool known = statistics &&
			     statistics->width > 0; /* by the guest's mode, which may differ */

		snprintf(line, sizeof(line), "%llux%llu",
		    (unsigned long long)(known ? statistics->width : session->width),
		    (unsigned long long)(known ? statistics->height : session->height));
		print_line(client, "Screen:", line);
	}
	if (statistics) {
		print_statistics(client, statistics);
	}
	if (session->generation > 0) {
		snprintf(line, sizeof(line), "generation %llu, %s, resumed %llu time%s",
		    (unsigned long long)session->generation,
		    text_bytes(session->snapshot_bytes, bytes, sizeof(bytes)),
		    (unsigned long long)session->resumes, session->resumes == 1 ? "" : "s");
		print_line(client, "Snapshot:", line);
	}
	if (strcmp(session->last_error, session->reason) != 0) {
		print_line(client, "Last error:", session->last_error);
	}
}

int command_status(struct client *client, const struct arguments *arguments)
{
	struct answer_session *session = calloc(1, sizeof(*session));
	struct answer_statistics statistics;
	struct control_reply reply;
	char name[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	const json_t *told;
	int status = client_pick_session(client, arguments_positional(arguments, 0), name);

	if (status != CLIENT_DONE || !session) {
		free(session);
		return status != CLIENT_DONE ? status : CLIENT_FAILED;
	}
	snprintf(what, sizeof(what), "status of %s", name);
	status = client_call_take(
	    client, what, "Status", client_session_parameter(name), -1, &reply);
	if (status != CLIENT_DONE) {
		free(session);
		return status;
	}
	told = json_object_get(reply.parameters, "statistics");
	if (answer_session_decode(json_object_get(reply.parameters, "session"), session) ||
	    (json_is_object(told) && answer_statistics_decode(told, &statistics))) {
		status = client_bad_answer(client, what);
	} else if (client->json) {
		status = client_print_json_take(client,
		    json_pack("{s:o, s:o}", "session", answer_session_encode(session), "statistics",
			json_is_object(told) ? answer_statistics_encode(&statistics)
					     : json_null()));
	} else {
		print_status(client, session, json_is_object(told) ? &statistics : NULL);
	}
	control_reply_fini(&reply);
	free(session);
	return status;
}
