/* `tanmatsu doctor`: the list of checks, in the order in which one would look, and how their results are printed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/doctor.h"
#include "client/text.h"

enum {
	DOCTOR_TIMEOUT_MS = 3000,
	DAEMON_CHECKS_MAX = 64,
	NAME_COLUMN = 10, /* where the name of a check begins */
	TEXT_COLUMN = 25,
};

/* In the order in which they are made and printed. */
static const struct {
	const char *name;
	doctor_check check;
} checks[] = {
	{ "kvm", doctor_check_kvm },
	{ "daemon", doctor_check_daemon },
	{ "configuration", doctor_check_configuration },
	{ "pam", doctor_check_pam },
	{ "port", doctor_check_port },
	{ "disk", doctor_check_disk },
	{ "certificate", doctor_check_certificate },
	{ "permissions", doctor_check_group },
	{ "clock", doctor_check_clock },
	{ "random", doctor_check_entropy },
	{ "viewer", doctor_check_viewer },
};

static const struct {
	const char *word;
	const char *mark;
	const char *escape;
} looks[] = {
	[DOCTOR_OK] = { "ok", "✔ ", "\033[32m" },
	[DOCTOR_WARNING] = { "warning", "▲ ", "\033[33m" },
	[DOCTOR_BAD] = { "bad", "✘ ", "\033[1;31m" },
};

static void ask_daemon(struct doctor *doctor)
{
	struct client *client = doctor->client;
	struct control_reply reply;
	char path[ANSWER_PATH_MAX];

	doctor->control_error = control_find_path(client->control_path, path, sizeof(path));
	if (!doctor->control_error) {
		doctor->control_error = control_open(path, &client->control);
	}
	if (doctor->control_error) {
		return;
	}
	control_set_timeout(client->control, DOCTOR_TIMEOUT_MS);
	doctor->control_error = control_call_take(
	    client->control, "Info", NULL, -1, NULL, NULL, &reply);
	if (!doctor->control_error) {
		doctor->control_error = reply.error[0]
					    ? -EACCES
					    : answer_info_decode(reply.parameters, &doctor->info);
		doctor->reachable = doctor->control_error == 0;
	}
	control_reply_fini(&reply);
}

/* One of the daemon's own results. 0, or -EPROTO. */
static int read_check(const json_t *json, struct doctor_result *result)
{
	memset(result, 0, sizeof(*result));
	result->level = json_is_true(json_object_get(json, "ok")) ? DOCTOR_OK : DOCTOR_BAD;
	if (answer_string(json, "name", result->name, sizeof(result->name)) ||
	    answer_string(json, "detail", result->detail, sizeof(result->detail)) ||
	    answer_string(json, "mend", result->mend, sizeof(result->mend)) || !result->name[0]) {
		return -EPROTO;
	}
	return 0;
}

/*
 * The daemon looks at some of the same things, with its own eyes and rights, which are those that count: where it finds
 * something bad, or finds good what looked bad from here, its result replaces ours. Returns the new number of results.
 */
static size_t merge_check(
    struct doctor_result *results, size_t count, const struct doctor_result *check)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(results[i].name, check->name) == 0) {
			if (check->level == DOCTOR_BAD || results[i].level == DOCTOR_BAD) {
				results[i] = *check;
			}
			return count;
		}
	}
	results[count] = *check;
	return count + 1;
}

/* Adds what the daemon finds itself. The number of results then. */
static size_t ask_daemon_checks(struct doctor *doctor, struct doctor_result *results, size_t count)
{
	struct control_reply reply;
	struct doctor_result check;
	const json_t *list;

	if (!doctor->reachable ||
	    control_call_take(doctor->client->control, "Doctor", NULL, -1, NULL, NULL, &reply)) {
		return count;
	}
	list = json_object_get(reply.parameters, "checks");
	for (size_t i = 0; i < json_array_size(list) && i < DAEMON_CHECKS_MAX; i++) {
		if (read_check(json_array_get(list, i), &check) == 0) {
			count = merge_check(results, count, &check);
		}
	}
	control_reply_fini(&reply);
	return count;
}

static void print_result(const struct client *client, const struct doctor_result *result)
{
	const char *mark = client->unicode ? looks[result->level].mark : "";
	char name[ANSWER_NAME_MAX * 4];

	fprintf(client->out, "%s%s%-*s%s%-*s ", client->colour ? looks[result->level].escape : "",
	    mark, client->unicode ? NAME_COLUMN - 2 : NAME_COLUMN, looks[result->level].word,
	    client->colour ? "\033[0m" : "", TEXT_COLUMN - NAME_COLUMN - 1,
	    text_clean(result->name, name, sizeof(name)));
	text_wrap(client->out, result->detail, TEXT_COLUMN, client->terminal ? client->width : 0);
	if (result->mend[0]) {
		fprintf(client->out, "%*s%s", TEXT_COLUMN, "", client->unicode ? "→ " : "> ");
		text_wrap(client->out, result->mend, TEXT_COLUMN + 2,
		    client->terminal ? client->width : 0);
	}
}

static int print_results_json(
    const struct client *client, const struct doctor_result *results, size_t count, bool good)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char *detail = text_to_utf8(results[i].detail, strlen(results[i].detail));
		char *mend = text_to_utf8(results[i].mend, strlen(results[i].mend));

		json_array_append_new(
		    list, json_pack("{s:s, s:b, s:s, s:s, s:s}", "name", results[i].name, "ok",
			      results[i].level != DOCTOR_BAD, "level", looks[results[i].level].word,
			      "detail", detail, "mend", mend));
		free(detail);
		free(mend);
	}
	return client_print_json_take(client, json_pack("{s:b, s:o}", "ok", good, "checks", list));
}

int command_doctor(struct client *client, const struct arguments *arguments)
{
	size_t own = sizeof(checks) / sizeof(checks[0]);
	struct doctor *doctor = calloc(1, sizeof(*doctor));
	struct doctor_result *results = calloc(own + DAEMON_CHECKS_MAX, sizeof(*results));
	bool good = true;
	size_t count;
	int status = CLIENT_FAILED;

	if (!doctor || !results) {
		client_error(client, NULL, "out of memory");
		goto done;
	}
	doctor->client = client;
	doctor->config = arguments_get(arguments, "config");
	doctor->kvm_path = "/dev/kvm";
	doctor->pam_folder = "/etc/pam.d";
	doctor->now_s = client->now_us / 1000000;
	ask_daemon(doctor);
	doctor_read_settings(doctor);
	for (size_t i = 0; i < own; i++) {
		snprintf(results[i].name, sizeof(results[i].name), "%s", checks[i].name);
		checks[i].check(doctor, &results[i]);
	}
	count = ask_daemon_checks(doctor, results, own);
	for (size_t i = 0; i < count; i++) {
		good &= results[i].level != DOCTOR_BAD;
	}
	if (client->json) {
		status = print_results_json(client, results, count, good);
	} else {
		for (size_t i = 0; i < count; i++) {
			print_result(client, &results[i]);
		}
		status = CLIENT_DONE;
	}
	if (status == CLIENT_DONE && !good) {
		status = CLIENT_FAILED;
	}
done:
	free(doctor);
	free(results);
	return status;
}
