/*
 * Requests that the broker passes on for control connections. Whatever shows a screen or a log is decided here, by the
 * credentials that the kernel keeps for the caller's socket, and answered on that socket: the broker never holds a picture,
 * and a stolen broker cannot ask for one in somebody else's name without that somebody's connection.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/scanout.h"
#include "hostd/users.h"
#include "session/grant.h"

enum {
	ANSWER_MAX = 512,
};

void monitor_answer(struct monitor *monitor, uint64_t tag, int error, const char *text)
{
	struct report report = { .tag = tag, .error = error };

	if (tag == 0) {
		return;
	}
	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	monitor_report(monitor, REPORT_ANSWERED, &report);
}

/* Who is at the other end, by SO_PEERCRED. */
static must_check int identify(
    struct monitor *monitor, int socket, struct grant_subject *subject, struct ucred *credentials)
{
	socklen_t size = sizeof(*credentials);
	struct users_entry entry;
	int domain = 0;
	socklen_t domain_size = sizeof(domain);
	int error;

	memset(subject, 0, sizeof(*subject));
	if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0 ||
	    domain != AF_UNIX) {
		return -EINVAL;
	}
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, credentials, &size) < 0) {
		return -errno;
	}
	if (credentials->uid == (uid_t)-1) {
		return -EINVAL;
	}
	error = users_find_uid(credentials->uid, &entry);
	if (error == 0) {
		memcpy(subject->user, entry.name, sizeof(subject->user));
	}
	if (!monitor->root) {
		subject->admin = credentials->uid == geteuid() || credentials->uid == 0;
		return 0;
	}
	if (users_is_admin(credentials->uid, monitor->config->host.admin_group, &subject->admin) !=
	    0) {
		subject->admin = false;
	}
	return 0;
}

static void object_of(const struct monitor *monitor, const char *user, struct grant_object *object)
{
	struct config_resolved resolved;

	config_resolve(monitor->config, user, NULL, &resolved);
	*object = resolved.grant;
}

void monitor_control_peer(struct monitor *monitor, uint64_t tag, int socket)
{
	struct report report = { .tag = tag };
	struct grant_subject subject;
	struct ucred credentials;
	int error = identify(monitor, socket, &subject, &credentials);

	if (error) {
		monitor_answer(monitor, tag, error, "the connection has no credentials");
		return;
	}
	memcpy(report.user, subject.user, sizeof(report.user));
	report.flag = subject.admin;
	report.number[0] = credentials.uid;
	report.number[1] = (uint64_t)credentials.pid;
	monitor_report(monitor, REPORT_PEER, &report);
}

/* A JSON text and its NUL, with one descriptor. */
static must_check int answer_with_fd(int socket, const char *text, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	size_t size = strlen(text) + 1;
	struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0) {
		return -errno;
	}
	return (size_t)sent == size ? 0 : -EIO;
}

/* Checks that the caller may do it. Returns 0, or an error that was answered already. */
static must_check int permit(struct monitor *monitor, uint64_t tag, const char *user, int socket,
    bool (*may)(const struct grant_subject *, const struct grant_object *),
    struct grant_subject *subject)
{
	struct grant_object object;
	struct ucred credentials;
	int error = identify(monitor, socket, subject, &credentials);

	if (error) {
		monitor_answer(monitor, tag, error, "the connection has no credentials");
		return error;
	}
	object_of(monitor, user, &object);
	if (!may(subject, &object)) {
		log_notice(
		    "control: uid %u may not do that to the desktop of %s", credentials.uid, user);
		monitor_answer(monitor, tag, -EACCES, "This desktop is somebody else's.");
		return -EACCES;
	}
	return 0;
}

void monitor_control_picture(struct monitor *monitor, uint64_t tag, const char *user, int socket)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, user);
	struct monitor_pending pending = { .tag = tag, .control = -1 };
	struct grant_subject subject;
	int frame = -1;
	int error;

	if (permit(monitor, tag, user, socket, grant_may_see, &subject) != 0) {
		return;
	}
	if (desktop == NULL) {
		monitor_answer(monitor, tag, -ENOENT, "There is no such desktop.");
		return;
	}
	if (desktop->channel != NULL && desktop->configured) {
		pending.control = dup(socket);
		error = pending.control < 0
			    ? -errno
			    : monitor_vmm_request(desktop, VMM_PICTURE, NULL, NULL, 0, &pending);
		if (error) {
			fd_close(&pending.control);
			monitor_answer(monitor, tag, error, strerror(-error));
		}
		return;
	}
	error = store_frame_open(desktop->store, &frame);
	if (error) {
		monitor_answer(
		    monitor, tag, -ENOTCONN, "The desktop does not run and has no saved picture.");
		return;
	}
	error = answer_with_fd(socket, "{\"parameters\":{\"frame\":true}}", frame);
	fd_close(&frame);
	monitor_answer(monitor, tag, error > 0 ? 0 : error, error ? strerror(-error) : "");
}

void monitor_control_picture_reply(struct monitor_desktop *desktop,
    const struct monitor_pending *pending, int error, struct ipc_message *message)
{
	char text[ANSWER_MAX];
	struct scanout scanout;
	int fd;

	if (error == 0) {
		error = scanout_decode(&message->body, &scanout);
	}
	if (error) {
		monitor_answer(
		    desktop->monitor, pending->tag, error, "The desktop shows no picture yet.");
		return;
	}
	fd = ipc_message_take_fd(message, 0);
	if (fd < 0) {
		monitor_answer(
		    desktop->monitor, pending->tag, -EPROTO, "The desktop gave no picture.");
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "{\"parameters\":{\"width\":%u,\"height\":%u,\"stride\":%u,\"format\":%u,\"offset\":%"
	    "llu}}",
	    scanout.width, scanout.height, scanout.stride, scanout.format,
	    (unsigned long long)scanout.offset);
	error = answer_with_fd(pending->control, text, fd);
	fd_close(&fd);
	monitor_answer(desktop->monitor, pending->tag, error, error ? strerror(-error) : "");
}

void monitor_control_logs(
    struct monitor *monitor, uint64_t tag, const char *user, uint32_t kind, int socket)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, user);
	struct grant_subject subject;
	int fd = -1;
	int error;

	if (permit(monitor, tag, user, socket, grant_may_read_logs, &subject) != 0) {
		return;
	}
	if (desktop == NULL) {
		monitor_answer(monitor, tag, -ENOENT, "There is no such desktop.");
		return;
	}
	error = store_session_log(
	    desktop->store, kind == 1 ? STORE_LOG_CONSOLE : STORE_LOG_EVENTS, false, &fd);
	if (error) {
		monitor_answer(monitor, tag, error, "This desktop has no such log yet.");
		return;
	}
	error = answer_with_fd(socket, "{\"parameters\":{}}", fd);
	fd_close(&fd);
	monitor_answer(monitor, tag, error, error ? strerror(-error) : "");
}

static uint32_t rights_of(const struct grant_subject *subject, const struct grant_object *object)
{
	uint32_t rights = 0;

	if (grant_may_steer(subject, object)) {
		rights |= MACHINE_RIGHT_STEER;
	}
	if (grant_may_manage(subject, object)) {
		rights |= MACHINE_RIGHT_START;
	}
	if (grant_takes_over(subject, object)) {
		rights |= MACHINE_RIGHT_OWNER;
	}
	return rights;
}

static void refuse(struct monitor *monitor, uint64_t viewer, const char *text)
{
	struct report report = { .viewer = viewer };

	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	monitor_report(monitor, REPORT_VIEWER_GONE, &report);
}

void monitor_control_attach(
    struct monitor *monitor, uint64_t viewer, const char *user, int socket, int stream)
{
	struct grant_subject subject;
	struct grant_object object;
	struct ucred credentials;

	if (identify(monitor, socket, &subject, &credentials) != 0) {
		refuse(monitor, viewer, "the connection has no credentials");
		return;
	}
	object_of(monitor, user, &object);
	/* The link carries input both ways or not at all, so that who may only look may not attach this way. */
	if (!users_name_valid(user) || !grant_may_see(&subject, &object) ||
	    !grant_may_steer(&subject, &object)) {
		log_notice(
		    "control: uid %u may not attach to the desktop of %s", credentials.uid, user);
		refuse(monitor, viewer, "denied");
		return;
	}
	monitor_viewer_open(monitor, &(struct viewer_open){
					 .id = viewer,
					 .peer = "unix",
					 .user = subject.user[0] != '\0' ? subject.user : user,
					 .session = user,
					 .rights = rights_of(&subject, &object),
					 .socket = stream,
				     });
}

/* What the guest writes there is a log, what it reads is input: all the rights of both. */
static bool may_use_console(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_may_see(subject, object) && grant_may_steer(subject, object) &&
	       grant_may_read_logs(subject, object);
}

void monitor_control_console(
    struct monitor *monitor, uint64_t tag, const char *user, int socket, int stream)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, user);
	struct monitor_pending pending = { .tag = tag, .control = -1 };
	struct grant_subject subject;
	int error;

	if (permit(monitor, tag, user, socket, may_use_console, &subject) != 0) {
		return;
	}
	if (desktop == NULL) {
		monitor_answer(monitor, tag, -ENOENT, "There is no such desktop.");
		return;
	}
	if (desktop->channel == NULL || !desktop->configured) {
		monitor_answer(monitor, tag, -ENOTCONN, "The desktop does not run.");
		return;
	}
	error = monitor_vmm_request(desktop, VMM_CONSOLE, NULL, &stream, 1, &pending);
	if (error) {
		monitor_answer(monitor, tag, error, strerror(-error));
	}
}

void monitor_control_unix(struct monitor *monitor, uint64_t viewer, int socket)
{
	struct grant_subject subject;
	struct grant_object object;
	struct ucred credentials;
	int error = identify(monitor, socket, &subject, &credentials);

	if (error || subject.user[0] == '\0') {
		log_notice("viewer by the Unix socket: uid %u has no name: refused",
		    error ? (uid_t)-1 : credentials.uid);
		refuse(monitor, viewer, "the peer's uid has no user name");
		return;
	}
	object_of(monitor, subject.user, &object);
	monitor_viewer_open(
	    monitor, &(struct viewer_open){
			 .id = viewer,
			 .peer = "unix",
			 .user = subject.user,
			 .session = subject.user,
			 .rights = rights_of(&subject, &object) | MACHINE_RIGHT_OWNER,
			 .socket = socket,
		     });
}

void monitor_control_input(struct monitor *monitor, const struct request *request)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, request->user);
	struct monitor_pending pending = { .tag = request->tag, .control = -1 };
	struct wire body;
	int error = -ENOENT;

	if (desktop != NULL) {
		wire_init_growing(&body, IPC_BODY_MAX);
		wire_put_bytes(&body, request->payload, request->payload_size);
		error = monitor_vmm_request(desktop, VMM_INPUT, &body, NULL, 0, &pending);
		wire_fini(&body);
	}
	if (error) {
		monitor_answer(monitor, request->tag, error, strerror(-error));
	}
}

void monitor_control_statistics(struct monitor *monitor, const struct request *request)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, request->user);
	struct monitor_pending pending = { .tag = request->tag, .control = -1 };
	int error = -ENOENT;

	if (desktop != NULL) {
		error = monitor_vmm_request(desktop, VMM_STATISTICS, NULL, NULL, 0, &pending);
	}
	if (error) {
		monitor_answer(monitor, request->tag, error, strerror(-error));
	}
}

/* An administrator or the user starts a desktop that has never been logged in to: its folder is made, if the user exists. */
void monitor_control_session(struct monitor *monitor, const struct request *request)
{
	struct monitor_desktop *desktop = NULL;
	struct users_entry entry;
	int error = users_name_valid(request->user) ? 0 : -EINVAL;

	if (error == 0 && monitor_find_desktop(monitor, request->user) == NULL) {
		error = users_find_name(request->user, &entry);
		if (error == 0 && strcmp(entry.name, request->user) != 0) {
			error =
			    -EINVAL; /* the database spells it otherwise: one account, one desktop */
		}
		/* With a PAM folder of our own, users need not be in the system's database. */
		if (error == -ENOENT && monitor->config->host.pam_confdir[0] != '\0') {
			error = 0;
		}
	}
	if (error == 0) {
		error = monitor_open_desktop(monitor, request->user, true, &desktop);
	}
	if (error == -EINVAL) {
		error = -ENOENT;
	}
	monitor_answer(monitor, request->tag, error,
	    error == -ENOENT ? "There is no user of that name."
	    : error          ? strerror(-error)
			     : "");
}
