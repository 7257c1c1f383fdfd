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
	bool ending;
};

/* A request being answered: `reply` begins with the error, which is filled in afterwards. */
struct exchange {
	struct ipc_message *message;
	struct wire *body; /* of the request */
	struct wire reply; /* what follows the error */
	int fd;            /* that goes with the reply, borrowed; -1: none */
	bool quit;         /* the process ends after the reply */
};

/* Says why and lets the loop end with `code`; only the first call counts. */
void control_server_end(struct control_server *server, enum vmm_exit code, const char *text);

/* Does what `type` asks. -EOPNOTSUPP when there is no such request; else the error of the reply. */
must_check int control_requests_handle(
    struct control_server *server, uint16_t type, struct exchange *exchange);
