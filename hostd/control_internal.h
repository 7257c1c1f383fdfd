/*
 * A control connection, shared by control_server.c (bytes), control_methods.c (what the methods do) and control_json.c
 * (how things look in JSON). One call at a time: the next is looked at when the last is answered and its answer is sent,
 * so that what the monitor writes on the socket itself never mixes with what is written here.
 */
#pragma once

#include "hostd/broker.h"
#include "hostd/control_call.h"

enum {
	CONTROL_CONNECTIONS_MAX = 256,
	CONTROL_CONNECTIONS_OF_UID = 64, /* unless an administrator's */
	CONTROL_FDS_MAX = 4,
	CONTROL_HOLD_REASON_MAX = 200,
};

struct control_method;

enum control_phase {
	CONTROL_IDENTIFYING = 0, /* the monitor is asked who it is */
	CONTROL_IDLE,
	CONTROL_CALLING, /* the answer is not known yet */
};

/* On a desktop, by the connection's peer; gone when the connection is. */
struct control_hold {
	uint64_t session; /* 0: none */
	uint64_t since_us;
	char user[GRANT_NAME_MAX];
	char reason[CONTROL_HOLD_REASON_MAX];
};

struct control_connection {
	struct control_connection *next;
	struct broker *broker;
	uint64_t id;
	int socket;
	sd_event_source *source;
	enum control_phase phase;
	struct grant_subject subject;
	uint64_t uid;
	char *in;
	size_t in_used, in_size;
	int fds[CONTROL_FDS_MAX];
	size_t fd_count;
	char *out;
	size_t out_used, out_sent;
	bool closing; /* once everything is sent */
	struct control_hold hold;
	/* The call that is being served. */
	const struct control_method *method;
	struct control_call call;
	uint64_t tag;     /* of the request to the monitor that is awaited; 0: none */
	uint64_t session; /* that it waits for; 0: none */
	char user[GRANT_NAME_MAX];
	uint64_t begun_us;
	uint32_t percent; /* last told */
	size_t accepted;  /* Input */
	bool made;        /* Start: the session has just been made */
};

struct control_method {
	const char *name;
	/* Begins the call. Answers at once, or leaves `tag` or `session` set to go on later. */
	void (*begin)(struct control_connection *connection);
	/* The monitor has answered `tag`. */
	void (*answered)(
	    struct control_connection *connection, uint16_t type, const struct report *report);
	/* Waiting for a session: whether it has become what was wanted. */
	bool (*reached)(const struct session *session);
};

/* control_methods.c */
const struct control_method *control_find_method(const char *name);
/* Looks whether the session that the call waits for has got there, or will not. */
void control_check_wait(struct control_connection *connection, struct session *session);

typedef bool (*control_may)(const struct grant_subject *subject, const struct grant_object *object);

/*
 * The session that the call names, if the caller may do that to it; otherwise NULL and the call is answered. What somebody
 * may not know of gets the same answer whether it is there or not.
 */
struct session *control_named_session(struct control_connection *connection, control_may permitted);

/* control_hold.c */

/* The method Hold. */
void control_begin_hold(struct control_connection *connection);
/* Before the connection goes; fine without a hold. */
void control_release_hold(struct control_connection *connection);
/* Who holds a session: a new reference, or NULL. */
json_t *control_json_holds(struct broker *broker, const struct session *session);

/* control_server.c */

/* Ends the call with an answer; `parameters` is taken. */
void control_reply_take(struct control_connection *connection, json_t *parameters);
void control_continue_take(struct control_connection *connection, json_t *parameters);
void control_fail(struct control_connection *connection, const char *error, const char *message);
void control_fail_take(
    struct control_connection *connection, const char *error, const char *message, json_t *more);
/* The call was answered by the monitor, on the socket. */
void control_done(struct control_connection *connection);

/* control_json.c: new references, or NULL. */
json_t *control_json_session(struct broker *broker, struct session *session);
json_t *control_json_statistics(const struct report *report);
json_t *control_json_info(struct broker *broker, bool full);
json_t *control_json_doctor(const struct report *report);
