/* `tanmatsu cert` and `tanmatsu version`: what is asked about the host rather than about a desktop. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/text.h"
#include "version.h"

enum {
	PEM_MAX = 256 * 1024,
	FINGERPRINT_MAX = 256,
};

struct certificate {
	char pem[PEM_MAX];
	char sha256[FINGERPRINT_MAX];
	char path[ANSWER_PATH_MAX];
};

static int print_certificate(const struct client *client, const struct arguments *arguments,
    const struct certificate *certificate)
{
	if (client->json) {
		return client_print_json_take(
		    client, json_pack("{s:s, s:s, s:s}", "pem", certificate->pem, "sha256",
				certificate->sha256, "path", certificate->path));
	}
	if (arguments_get(arguments, "fingerprint")) {
		text_write_clean(client->out, certificate->sha256, strlen(certificate->sha256));
		fputc('\n', client->out);
	} else if (arguments_get(arguments, "path")) {
		text_write_clean(client->out, certificate->path, strlen(certificate->path));
		fputc('\n', client->out);
	} else {
		text_write_clean(client->out, certificate->pem, strlen(certificate->pem));
		if (client->terminal) {
			client_error(client,
			    "Give it to the terminals: tanmatsu cert > ca.pem; vncviewer "
			    "-X509CA=ca.pem HOST",
			    "SHA-256 %s", certificate->sha256);
		}
	}
	return CLIENT_DONE;
}

int command_cert(struct client *client, const struct arguments *arguments)
{
	struct certificate *certificate;
	struct control_reply reply;
	int status = client_call_take(client, "cert", "Cert", NULL, -1, &reply);

	if (status != CLIENT_DONE) {
		return status;
	}
	certificate = calloc(1, sizeof(*certificate));
	if (!certificate ||
	    answer_string(reply.parameters, "pem", certificate->pem, sizeof(certificate->pem)) ||
	    answer_string(
		reply.parameters, "sha256", certificate->sha256, sizeof(certificate->sha256)) ||
	    answer_string(reply.parameters, "path", certificate->path, sizeof(certificate->path)) ||
	    !certificate->pem[0]) {
		status = client_bad_answer(client, "cert");
	} else {
		status = print_certificate(client, arguments, certificate);
	}
	free(certificate);
	control_reply_fini(&reply);
	return status;
}

/* The daemon's answer to Info, or NULL when it cannot be asked: that is no error here. */
static struct answer_info *ask_info(struct client *client)
{
	struct answer_info *info = calloc(1, sizeof(*info));
	struct control_reply reply;
	char path[ANSWER_PATH_MAX];
	int error;

	if (!info || control_find_path(client->control_path, path, sizeof(path)) ||
	    control_open(path, &client->control)) {
		free(info);
		return NULL;
	}
	control_set_timeout(client->control, CONTROL_QUERY_TIMEOUT_MS);
	error = control_call_take(client->control, "Info", NULL, -1, NULL, NULL, &reply);
	if (error || reply.error[0] || answer_info_decode(reply.parameters, info)) {
		free(info);
		info = NULL;
	}
	control_reply_fini(&reply);
	return info;
}

int command_version(struct client *client, const struct arguments *arguments)
{
	struct answer_info *info = ask_info(client);
	char clean[ANSWER_NAME_MAX * 4];
	int status = CLIENT_DONE;

	(void)arguments;
	if (client->json) {
		status = client_print_json_take(
		    client, json_pack("{s:s, s:o}", "version", TANMATSU_VERSION, "daemon",
				info ? answer_info_encode(info) : json_null()));
	} else {
		fprintf(client->out, "tanmatsu %s\n", TANMATSU_VERSION);
		if (info) {
			fprintf(client->out, "daemon %s, %s mode, pid %llu\n",
			    text_clean(info->version, clean, sizeof(clean)), info->mode,
			    (unsigned long long)info->pid);
		} else {
			fputs("daemon not reached\n", client->out);
		}
	}
	free(info);
	return status;
}
