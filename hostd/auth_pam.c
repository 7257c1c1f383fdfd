/*
 * The conversation with PAM. It answers the question for the password, once, and nothing else: a stack that asks more (a
 * one-time code, a new password) cannot be served through VNC's login and fails with a clear message in the log.
 */
#include "hostd/auth.h"

#include <errno.h>
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct conversation {
	const char *password;
	bool answered;
	bool too_much; /* more was asked than a name and a password can answer */
};

static void free_responses(struct pam_response *responses, int count)
{
	for (int i = 0; i < count; i++) {
		if (responses[i].resp != NULL) {
			explicit_bzero(responses[i].resp, strlen(responses[i].resp));
			free(responses[i].resp);
		}
	}
	free(responses);
}

/* pam_conv(3). PAM frees the responses. */
static int converse(
    int count, const struct pam_message **messages, struct pam_response **result, void *data)
{
	struct conversation *conversation = data;
	struct pam_response *responses;

	if (count <= 0 || count > PAM_MAX_NUM_MSG) {
		return PAM_CONV_ERR;
	}
	responses = calloc((size_t)count, sizeof(*responses));
	if (responses == NULL) {
		return PAM_BUF_ERR;
	}
	for (int i = 0; i < count; i++) {
		switch (messages[i]->msg_style) {
		case PAM_PROMPT_ECHO_OFF:
			if (conversation->answered) {
				conversation->too_much = true;
				goto fail;
			}
			responses[i].resp = strdup(conversation->password);
			if (responses[i].resp == NULL) {
				goto fail;
			}
			conversation->answered = true;
			break;
		case PAM_TEXT_INFO:
		case PAM_ERROR_MSG:
			log_info("PAM says: %s", messages[i]->msg);
			break;
		default:
			conversation->too_much = true;
			goto fail;
		}
	}
	*result = responses;
	return PAM_SUCCESS;

fail:
	free_responses(responses, count);
	return PAM_CONV_ERR;
}

/* The daemon says when a refusal is answered, so that unknown users and wrong passwords look alike; PAM need not wait. */
static void no_delay(int status, unsigned int microseconds, void *data)
{
	(void)status;
	(void)microseconds;
	(void)data;
}

static void log_refusal(const struct auth_setup *setup, const struct conversation *conversation,
    pam_handle_t *pam, const char *what, int status)
{
	if (conversation->too_much) {
		log_warning("login from %s: PAM service %s asks for more than a password (a code, "
			    "a new password): "
			    "that cannot be answered through VNC's login; use a service without it",
		    setup->peer, setup->service);
		return;
	}
	log_notice("login from %s: %s: %s", setup->peer, what, pam_strerror(pam, status));
}

static must_check int account_name(pam_handle_t *pam, const char *peer, char user[USERS_NAME_MAX])
{
	const void *item = NULL;
	int error;

	if (pam_get_item(pam, PAM_USER, &item) != PAM_SUCCESS || item == NULL) {
		return -EACCES;
	}
	error = users_normalise(item, user);
	if (error == -ENOENT && users_name_valid(item)) {
		/* PAM knows the user and the system's database does not: a database of PAM's own. */
		(void)strncpy(user, item, USERS_NAME_MAX - 1);
		user[USERS_NAME_MAX - 1] = '\0';
		error = 0;
	}
	if (error) {
		log_warning("login from %s: PAM accepts a user whose name cannot be used here: %s",
		    peer, strerror(-error));
		return -EACCES;
	}
	return 0;
}

int auth_ask_pam(const struct auth_setup *setup, const char *name, const char *password,
    char user[USERS_NAME_MAX])
{
	struct conversation conversation = { .password = password };
	const struct pam_conv conv = { .conv = converse, .appdata_ptr = &conversation };
	union {
		void (*function)(int status, unsigned int microseconds, void *data);
		const void *item;
	} delay = { .function = no_delay };
	pam_handle_t *pam = NULL;
	int result = -EACCES;
	int status;

	if (setup->confdir[0] != '\0') {
		status = pam_start_confdir(setup->service, name, &conv, setup->confdir, &pam);
	} else {
		status = pam_start(setup->service, name, &conv, &pam);
	}
	if (status != PAM_SUCCESS) {
		log_error("login from %s: PAM service %s in %s: %s", setup->peer, setup->service,
		    setup->confdir[0] != '\0' ? setup->confdir : "/etc/pam.d",
		    pam_strerror(NULL, status));
		return -EACCES;
	}
	status = pam_set_item(pam, PAM_RHOST, setup->peer);
	if (status == PAM_SUCCESS) {
		status = pam_set_item(pam, PAM_FAIL_DELAY, delay.item);
	}
	if (status == PAM_SUCCESS) {
		status = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	}
	if (status != PAM_SUCCESS) {
		log_refusal(setup, &conversation, pam, "refused", status);
		goto out;
	}
	status = pam_acct_mgmt(pam, PAM_SILENT);
	if (status != PAM_SUCCESS) {
		log_refusal(setup, &conversation, pam, "the account may not log in now", status);
		goto out;
	}
	result = account_name(pam, setup->peer, user);
out:
	(void)pam_end(pam, status);
	return result;
}
