/*
 * What the monitor says to a display process and what it hears back. Messages of base/ipc.h on a SOCK_SEQPACKET Unix
 * socket that the display process listens on (descriptor DISPLAY_LISTEN_FD, made and bound by the monitor), one monitor
 * at a time: when the daemon is killed the viewer notices nothing, and the next monitor connects to the same socket.
 * The display process opens nothing by itself: what it needs comes with a message.
 *
 * Life: CONFIGURE -> handshake with the viewer -> EVENT_LOGIN -> AUTH_CHANNEL -> name and password to tanmatsu-auth ->
 * GRANTED or DENIED -> SHOW and ATTACH, any number of times -> CLOSE, or the viewer leaves.
 *
 * Command line: `tanmatsu-display --uid UID --gid GID` when the monitor is root (what sandbox_policy.uid and .gid are to be), without
 * both in single-user mode. Standard error is the daemon's; a session of its own (setsid) is made by the monitor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	DISPLAY_LISTEN_FD = 3,
	DISPLAY_SECURITY_MAX = 8,
	DISPLAY_NAME_MAX =
	    1023, /* bytes of a user's name or password that are taken; longer is refused */
};

/* Monitor -> display. None is answered, except HELLO. */
enum display_request {
	/* First on every connection. Answered by DISPLAY_EVENT_STATE. */
	DISPLAY_HELLO = 1,
	/*
	 * struct display_config; fds: 0 the viewer's socket; then, unless `peer_user` is set, 1 certificate chain (PEM),
	 * 2 private key (PEM).
	 */
	DISPLAY_CONFIGURE = 2,
	/* One fd: the socket to tanmatsu-auth, answer to DISPLAY_EVENT_LOGIN; the display sends AUTH_ATTEMPT on it. */
	DISPLAY_AUTH_CHANNEL = 3,
	/* string user: the login is good. The display tells the viewer and starts the RFB session. */
	DISPLAY_GRANTED = 4,
	/* string reason: the login failed; the viewer is told (the reason is the same for every cause) and closed. */
	DISPLAY_DENIED = 5,
	/*
	 * u8 kind (enum display_caption), string text, u8 percent (255: none): said over the last frame, or over a plain
	 * picture when there is none. Optional fd: a last frame file (display/frame.h) to show below.
	 */
	DISPLAY_SHOW = 6,
	/* One fd: the link to the desktop (display/scanout.h). The caption goes when the first picture is there. */
	DISPLAY_ATTACH = 7,
	/* The link is closed; the last frame stays on the screen, greyed, until SHOW or ATTACH. */
	DISPLAY_DETACH = 8,
	/* u8 kind, string text: shows the caption for a moment, then closes the viewer and exits. */
	DISPLAY_CLOSE = 9,
};

/* Display -> monitor. */
enum display_event {
	/* struct display_state: after HELLO. */
	DISPLAY_EVENT_STATE = 0x101,
	/* The viewer wants to log in with name and password: a channel to tanmatsu-auth is needed. */
	DISPLAY_EVENT_LOGIN = 0x102,
	/* The viewer pressed a key or button on a caption that offers something (FAILED, SAVED). */
	DISPLAY_EVENT_ACTION = 0x103,
	/* u8 reason (enum display_exit), string text: the viewer is gone, the process ends. */
	DISPLAY_EVENT_GONE = 0x104,
	/* u32 width, height: the viewer would like this size (also sent over the link when attached). */
	DISPLAY_EVENT_RESIZE = 0x105,
	/* The first frame of the attached desktop has been handed to the viewer's socket: for measuring. u64 microseconds
	 * since GRANTED. */
	DISPLAY_EVENT_SHOWN = 0x106,
};

/* Name and password, display -> tanmatsu-auth: string name, string password. One message, then wiped. */
enum {
	AUTH_ATTEMPT = 1,
};

enum display_caption {
	DISPLAY_CAPTION_STARTING = 1,
	DISPLAY_CAPTION_RESUMING = 2,
	DISPLAY_CAPTION_SUSPENDING = 3,
	DISPLAY_CAPTION_SAVED = 4,  /* suspended while watched; a key resumes it */
	DISPLAY_CAPTION_FAILED = 5, /* the desktop stopped by itself; a key starts it afresh */
	DISPLAY_CAPTION_MOVED = 6,  /* taken over by another terminal */
	DISPLAY_CAPTION_OFF = 7,    /* switched off; a key starts it */
	DISPLAY_CAPTION_MESSAGE = 8,
};

enum display_security {
	/* RFB security types and VeNCrypt subtypes, by the numbers of rfbproto. */
	DISPLAY_SECURITY_NONE = 1,         /* only when `peer_user` is set */
	DISPLAY_SECURITY_PLAIN = 256,      /* VeNCrypt, no TLS */
	DISPLAY_SECURITY_TLS_PLAIN = 259,  /* VeNCrypt, anonymous TLS */
	DISPLAY_SECURITY_X509_PLAIN = 262, /* VeNCrypt, TLS with the host's certificate */
};

enum display_exit {
	DISPLAY_EXIT_VIEWER_LEFT = 0,
	DISPLAY_EXIT_HANDSHAKE = 20, /* the peer broke the protocol, or took too long */
	DISPLAY_EXIT_DENIED = 21,
	DISPLAY_EXIT_CLOSED = 22, /* told to by the monitor */
	DISPLAY_EXIT_ERROR = 23,
};

struct display_config {
	uint64_t viewer_id;
	char peer[64]; /* address for messages and PAM_RHOST, "192.0.2.7" or "unix" */
	char peer_user
	    [64]; /* not empty: the Unix user at the other end, already known; offers security type None */
	char desktop_name[128];                  /* "%u" in it: the user, once granted */
	char layout[32];                         /* keyboard layout of the guests */
	uint32_t grace_s;                        /* from connect to login */
	uint32_t security[DISPLAY_SECURITY_MAX]; /* enum display_security, in the order offered */
	uint32_t security_count;
	char tls_priority[256]; /* GnuTLS priority string */
	uint32_t width, height; /* picture size until a desktop is attached */
};

enum display_phase {
	DISPLAY_PHASE_EMPTY = 0,
	DISPLAY_PHASE_HANDSHAKE = 1,
	DISPLAY_PHASE_AUTHENTICATING = 2,
	DISPLAY_PHASE_SESSION = 3,
};

struct display_state {
	uint64_t viewer_id;
	uint8_t phase; /* enum display_phase */
	bool attached;
	char user[64]; /* once granted */
	char peer[64];
	uint32_t pid;
};

void display_config_encode(const struct display_config *config, struct wire *wire);
must_check int display_config_decode(struct wire *wire, struct display_config *config);
void display_state_encode(const struct display_state *state, struct wire *wire);
must_check int display_state_decode(struct wire *wire, struct display_state *state);
