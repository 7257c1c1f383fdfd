/* Between control_server.c, which talks to the monitor, and control_requests.c, which does what it asks. */
#pragma once

#include "base/ipc.h"
#include "vmm/control.h"
#include "vmm/control_server.h"
#include "vmm/machine.h"
#include "vmm/viewer.h"

struct sd_event_source;

struct control_server {
	struct control_server_setup setup;
	struct sd_event_source *listen;
	struct ipc_channel *monitor; /* NULL: none connected */
	struct machine *machine;     /* NULL until configured */
	struct viewers *viewers;
	struct vmm_config config;
	enum vmm_state state;
	uint64_t progress_us; /* when it was last told */
	bool answering;       /* a request's reply is still to be sent */
	bool ending;
	enum vmm_exit end_code; /* once `ending` */
	char end_text[VMM_TEXT_MAX];
};

/* A request being answered: `reply` begins with the error, which is filled in afterwards. */
struct exchange {
	struct ipc_message *message;
	struct wire *body; /* of the request */
	struct wire reply; /* what follows the error */
	int fd;            /* that goes with the reply, borrowed; -1: none */
};

/*
 * Says why and lets the loop end with `code`; while a request is being answered, after its reply. Only the first call
 * counts.
 */
void control_server_end(struct control_server *server, enum vmm_exit code, const char *text);

/* Whether there is such a request. */
bool control_requests_know(uint16_t type);
/* Does what `type`, a known request, asks; returns the error of the reply. */
must_check int control_requests_handle(
    struct control_server *server, uint16_t type, struct exchange *exchange);
