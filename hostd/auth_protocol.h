/*
 * What monitor and tanmatsu-auth say to each other: base/ipc.h messages on AUTH_MONITOR_FD. The helper serves one login
 * attempt and ends. The name and the password come from the display process on AUTH_DISPLAY_FD (AUTH_ATTEMPT of
 * display/control.h) and go no further; only a keyed hash of the name leaves the helper when the login fails.
 *
 *   monitor -> auth   AUTH_SETUP
 *   auth -> monitor   AUTH_EVENT_ATTEMPT     (name and password are here)
 *   monitor -> auth   AUTH_GO                (after failures of the same name from the same place: later)
 *   auth -> monitor   AUTH_EVENT_VERDICT, then the helper exits
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	AUTH_DISPLAY_FD = 3,
	AUTH_MONITOR_FD = 4,
	AUTH_KEY_SIZE = 192, /* secret of XXH3, new with every daemon */
};

enum auth_request {
	/* string service, string confdir ("": the system's), string peer (PAM_RHOST), bytes key[AUTH_KEY_SIZE] */
	AUTH_SETUP = 0x301,
	AUTH_GO = 0x302,
};

enum auth_event {
	AUTH_EVENT_ATTEMPT = 0x311, /* u64 keyed hash of the name as typed */
	AUTH_EVENT_VERDICT =
	    0x312, /* bool ok, string user (the account's own spelling; "" unless ok) */
};
