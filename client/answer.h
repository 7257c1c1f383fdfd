/*
 * What the daemon's answers hold, as structures with every number and string checked: the commands never look into
 * JSON that came from outside. `--json` prints these structures again, so that its objects always have the same keys.
 *
 * Decoding: absent is 0 or "", a wrong type or a number out of range is -EPROTO. Any thread.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/scanout.h"

enum {
	ANSWER_NAME_MAX = 64, /* session and user names, states */
	ANSWER_TEXT_MAX = 512,
	ANSWER_PATH_MAX = 4096,
	ANSWER_VIEWERS_MAX = 64, /* more are counted, not kept */
	ANSWER_LISTEN_MAX = 16,
	ANSWER_HOLDS_MAX = 8, /* more are left out */
};

struct answer_viewer {
	uint64_t viewer; /* its id */
	uint64_t since_us;
	char peer[ANSWER_NAME_MAX];
	char user[ANSWER_NAME_MAX];
};

struct answer_hold {
	uint64_t since_us;
	char user[ANSWER_NAME_MAX];
	char reason[ANSWER_TEXT_MAX];
};

struct answer_session {
	char session[ANSWER_NAME_MAX];
	char user[ANSWER_NAME_MAX];
	char state[ANSWER_NAME_MAX];
	char reason[ANSWER_TEXT_MAX];
	char last_error[ANSWER_TEXT_MAX];
	struct answer_viewer viewers[ANSWER_VIEWERS_MAX];
	size_t viewer_count; /* of those kept */
	size_t viewer_total;
	struct answer_hold holds[ANSWER_HOLDS_MAX];
	size_t hold_count; /* of those kept */
	uint64_t memory_mib, vcpus, width, height, pid, generation, resumes, since_us,
	    snapshot_bytes;
};

struct answer_statistics {
	uint64_t uptime_us, vcpu_us, exits, ram_private_bytes, damage_scans, input_events, viewers;
	uint64_t width, height; /* of the screen now */
};

struct answer_listen {
	char address[ANSWER_NAME_MAX];
	uint64_t port;
};

struct answer_info {
	char version[ANSWER_NAME_MAX];
	char mode[ANSWER_NAME_MAX]; /* "system" or "single-user" */
	char host[256];
	char layout[ANSWER_NAME_MAX]; /* of the guests' keyboards; empty when not told */
	char unix_path[ANSWER_PATH_MAX];
	char state[ANSWER_PATH_MAX];
	char runtime[ANSWER_PATH_MAX];
	char ca[ANSWER_PATH_MAX];
	struct answer_listen listen[ANSWER_LISTEN_MAX];
	size_t listen_count;
	uint64_t pid, uptime_us, sessions, viewers;
};

/* Where the rows of a picture lie in the descriptor that came with it. */
struct answer_picture {
	uint32_t
	    frame; /* 1: the descriptor is a last-frame file, display/frame.h, and the rest is 0 */
	struct scanout scanout;
};

must_check int answer_session_decode(const json_t *json, struct answer_session *session);
must_check int answer_statistics_decode(const json_t *json, struct answer_statistics *statistics);
must_check int answer_info_decode(const json_t *json, struct answer_info *info);
/* `memory_size` is that of the descriptor; the picture is checked against it by scanout_decode(). */
must_check int answer_picture_decode(
    const json_t *json, uint64_t memory_size, struct answer_picture *picture);
/* A string of parameters: copied if it fits. 0 or -EPROTO. */
must_check int answer_string(const json_t *object, const char *key, char *buffer, size_t size);
must_check int answer_number(
    const json_t *object, const char *key, uint64_t maximum, uint64_t *number);

/* New objects for `--json`; NULL without memory. */
json_t *answer_session_encode(const struct answer_session *session);
json_t *answer_statistics_encode(const struct answer_statistics *statistics);
json_t *answer_info_encode(const struct answer_info *info);
