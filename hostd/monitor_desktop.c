/*
 * A user's desktop in the monitor: its folder, and the life of its VMM process from start to the report that it is gone.
 * What must stay true: REPORT_VMM_EXITED comes exactly once for each started or found VMM, when the process is gone and its
 * last words were read; replies are matched to requests in order.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"

struct monitor_desktop *monitor_find_desktop(struct monitor *monitor, const char *user)
{
	for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		if (strcmp(desktop->user, user) == 0) {
			return desktop;
		}
	}
	return NULL;
}

int monitor_open_desktop(
    struct monitor *monitor, const char *user, bool create, struct monitor_desktop **result)
{
	struct monitor_desktop *desktop = monitor_find_desktop(monitor, user);
	char message[STORE_TEXT_MAX] = "";
	int error;

	if (desktop != NULL) {
		*result = desktop;
		return 0;
	}
	desktop = calloc(1, sizeof(*desktop));
	if (desktop == NULL) {
		return -ENOMEM;
	}
	desktop->monitor = monitor;
	(void)snprintf(desktop->user, sizeof(desktop->user), "%s", user);
	error = store_session_open(monitor->store, user, create, &desktop->store, message);
	if (error) {
		if (error != -ENOENT || create) {
			log_error("session=%s: its folder: %s", user,
			    message[0] != '\0' ? message : strerror(-error));
		}
		free(desktop);
		return error;
	}
	if (message[0] != '\0') {
		log_warning("session=%s: %s", user, message);
	}
	desktop->next = monitor->desktops;
	monitor->desktops = desktop;
	if (monitor->inventory_done) {
		monitor_report_session(monitor, desktop);
	}
	*result = desktop;
	return 0;
}

void monitor_desktop_destroy(struct monitor_desktop *desktop)
{
	for (struct monitor_desktop **link = &desktop->monitor->desktops; *link != NULL;
	     link = &(*link)->next) {
		if (*link == desktop) {
			*link = desktop->next;
			break;
		}
	}
	for (size_t i = 0; i < desktop->pending_count; i++) {
		fd_close(&desktop->pending[(desktop->pending_first + i) % MONITOR_PENDING].control);
	}
	ipc_channel_destroy(desktop->channel);
	process_destroy(desktop->process);
	store_session_close(desktop->store);
	free(desktop);
}

void monitor_desktop_report(
    struct monitor_desktop *desktop, uint16_t type, uint64_t generation, const char *text)
{
	struct report report = { .generation = generation };

	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	monitor_report(desktop->monitor, type, &report);
}

void monitor_desktop_record(struct monitor_desktop *desktop)
{
	struct record record = {
		.pid = desktop->process != NULL ? process_pid(desktop->process) : 0,
		.base = desktop->base,
		.slot = desktop->slot,
		.memory_mib = desktop->memory_mib,
		.vcpus = desktop->vcpus,
		.ran = desktop->ran,
	};
	int error;

	record.start = process_start_time(record.pid);
	memcpy(record.user, desktop->user, sizeof(record.user));
	memcpy(record.session, desktop->user, sizeof(record.session));
	error = record_write(desktop->monitor->vmm_fd, desktop->user, &record);
	if (error) {
		log_error("session=%s: record of its process: %s", desktop->user, strerror(-error));
	}
}

int monitor_vmm_request(struct monitor_desktop *desktop, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count, const struct monitor_pending *pending)
{
	struct monitor_pending *slot;
	int error;

	if (desktop->channel == NULL) {
		return -ENOTCONN;
	}
	if (desktop->pending_count == MONITOR_PENDING) {
		return -EBUSY;
	}
	error = ipc_channel_send(desktop->channel, type, body, fds, fd_count);
	if (error) {
		return error;
	}
	slot = &desktop->pending[(desktop->pending_first + desktop->pending_count++) %
				 MONITOR_PENDING];
	if (pending != NULL) {
		*slot = *pending;
	} else {
		memset(slot, 0, sizeof(*slot));
		slot->control = -1;
	}
	slot->type = type;
	return 0;
}

/* What the machine wants to know about the end. */
static enum machine_exit classify_exit(const struct monitor_desktop *desktop)
{
	uint8_t code = desktop->exit_code;

	if (!desktop->exit_known) {
		if (desktop->exit_status < 0) {
			return MACHINE_EXIT_KILLED; /* a found process that said nothing */
		}
		if (WIFSIGNALED(desktop->exit_status)) {
			return MACHINE_EXIT_KILLED;
		}
		code = (uint8_t)WEXITSTATUS(desktop->exit_status);
	}
	switch (code) {
	case VMM_EXIT_QUIT:
		return MACHINE_EXIT_QUIT;
	case VMM_EXIT_POWERED_OFF:
		return MACHINE_EXIT_POWERED_OFF;
	case VMM_EXIT_SNAPSHOT:
		return MACHINE_EXIT_SNAPSHOT;
	default:
		return MACHINE_EXIT_ERROR;
	}
}

static void forget_vmm(struct monitor_desktop *desktop)
{
	struct monitor *monitor = desktop->monitor;

	monitor_remove_socket(monitor->vmm_fd, desktop->user);
	record_remove(monitor->vmm_fd, desktop->user);
	process_destroy(desktop->process);
	desktop->process = NULL;
	for (size_t i = 0; i < desktop->pending_count; i++) {
		struct monitor_pending *pending =
		    &desktop->pending[(desktop->pending_first + i) % MONITOR_PENDING];

		if (pending->tag != 0) {
			monitor_answer(
			    monitor, pending->tag, -ENOTCONN, "The desktop has just ended.");
		}
		fd_close(&pending->control);
	}
	desktop->pending_count = 0;
	monitor_slot_free(monitor, desktop->slot);
	desktop->slot = 0;
	desktop->exited = false;
	desktop->exit_known = false;
	desktop->exit_text[0] = '\0';
	desktop->configured = false;
	desktop->ran = false;
	desktop->quit_asked = false;
	desktop->paused = false;
	desktop->base = 0;
	desktop->consumed = 0;
	desktop->found = MACHINE_FOUND_NONE;
	desktop->suspend_generation = 0;
	desktop->suspend_complete = false;
	desktop->suspend_orphan = false;
}

void monitor_desktop_maybe_gone(struct monitor_desktop *desktop)
{
	struct monitor *monitor = desktop->monitor;
	struct report report = { 0 };
	uint64_t resumes = store_session_info(desktop->store)->resumes;

	if (!desktop->exited || desktop->channel != NULL || desktop->process == NULL) {
		return;
	}
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	report.value = classify_exit(desktop);
	if (desktop->exit_known && desktop->exit_text[0] != '\0') {
		(void)snprintf(report.text, sizeof(report.text), "%s", desktop->exit_text);
	} else {
		process_describe(desktop->exit_status, report.text, sizeof(report.text));
	}
	log_info("session=%s: its VMM (pid %d) has ended: %s", desktop->user,
	    (int)process_pid(desktop->process), report.text);
	if (desktop->ran && store_session_update(desktop->store, false, resumes) != 0) {
		log_warning("session=%s: its manifest could not be written", desktop->user);
	}
	for (struct monitor_viewer *viewer = monitor->viewers; viewer != NULL;
	     viewer = viewer->next) {
		if (viewer->attached && strcmp(viewer->session, desktop->user) == 0) {
			viewer->attached = false;
			monitor_viewer_record(viewer);
		}
	}
	forget_vmm(desktop);
	monitor_report(monitor, REPORT_VMM_EXITED, &report);
}

void monitor_desktop_on_exit(struct process *process, int status, void *context)
{
	struct monitor_desktop *desktop = context;

	(void)process;
	desktop->exited = true;
	desktop->exit_status = status;
	monitor_desktop_maybe_gone(desktop);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	(void)channel;
	return monitor_vmm_message(context, message);
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct monitor_desktop *desktop = context;

	(void)channel;
	ipc_channel_destroy(desktop->channel);
	desktop->channel = NULL;
	if (error) {
		log_error("session=%s: its VMM broke the protocol (%s): it is ended", desktop->user,
		    strerror(-error));
	}
	if (desktop->hello_awaited) {
		desktop->hello_awaited = false;
		monitor_adopt_done(desktop->monitor);
	}
	/* Without its socket it can be neither steered nor suspended. After its last words it ends by itself. */
	if (!desktop->exited && desktop->process != NULL && (error || !desktop->exit_known)) {
		(void)process_signal(desktop->process, SIGKILL);
	}
	monitor_desktop_maybe_gone(desktop);
}

const struct ipc_channel_ops monitor_desktop_channel_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static void start_failed(struct monitor_desktop *desktop, int error, const char *text)
{
	struct report report = { 0 };

	log_error("session=%s: start: %s", desktop->user, text);
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	report.value = error == -EBADMSG ? MACHINE_EXIT_SNAPSHOT : MACHINE_EXIT_ERROR;
	monitor_report(desktop->monitor, REPORT_START_FAILED, &report);
}

static void start(struct monitor_desktop *desktop, uint64_t generation, uint64_t resumes)
{
	char text[PROTOCOL_TEXT_MAX] = "";
	struct report report = { 0 };
	int error;

	if (desktop->process != NULL) {
		start_failed(desktop, -EBUSY, "its VMM still runs");
		return;
	}
	error = monitor_start_vmm(desktop, generation, resumes, text);
	if (error) {
		start_failed(desktop, error, text[0] != '\0' ? text : strerror(-error));
		return;
	}
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	report.number[0] = (uint64_t)process_pid(desktop->process);
	monitor_report(desktop->monitor, REPORT_VMM_STARTED, &report);
}

void monitor_desktop_start(struct monitor_desktop *desktop, uint64_t resumes)
{
	start(desktop, 0, resumes);
}

void monitor_desktop_load(struct monitor_desktop *desktop, uint64_t generation, uint64_t resumes)
{
	start(desktop, generation, resumes);
}

void monitor_desktop_consume(struct monitor_desktop *desktop, uint64_t generation)
{
	uint64_t resumes = store_session_info(desktop->store)->resumes;
	int error = store_generation_consume(desktop->store, generation);

	if (error) {
		log_error("resume: session=%s gen=%llu: mark as consumed: %s", desktop->user,
		    (unsigned long long)generation, strerror(-error));
		monitor_desktop_report(
		    desktop, REPORT_CONSUME_FAILED, generation, strerror(-error));
		return;
	}
	monitor_desktop_report(desktop, REPORT_CONSUMED, generation, "");
	/* Also asked for a snapshot that is given up, or that a VM which runs on has left behind. */
	if (desktop->process == NULL || desktop->base != generation) {
		return;
	}
	desktop->consumed = generation;
	error = store_session_update(desktop->store, true, resumes + 1);
	if (error) {
		log_warning("session=%s: its manifest: %s", desktop->user, strerror(-error));
	}
}

/* A booted desktop moves its disk on: that is on record, and no snapshot can be resumed any more, before it runs. */
static must_check int note_running(struct monitor_desktop *desktop)
{
	uint64_t resumes = store_session_info(desktop->store)->resumes;
	int error = store_session_update(desktop->store, true, resumes);
	char text[PROTOCOL_TEXT_MAX];

	if (error) {
		(void)snprintf(
		    text, sizeof(text), "its manifest in the state folder: %s", strerror(-error));
		log_error("start: session=%s: %s", desktop->user, text);
		monitor_desktop_report(desktop, REPORT_VMM_REFUSED, 0, text);
	}
	return error;
}

void monitor_desktop_run(struct monitor_desktop *desktop)
{
	bool first = !desktop->ran;
	int error;

	if (desktop->base != 0 && desktop->consumed != desktop->base) {
		monitor_desktop_report(
		    desktop, REPORT_VMM_REFUSED, 0, "its snapshot is not marked as used");
		return;
	}
	if (first && desktop->base == 0) {
		error = note_running(desktop);
		if (error) {
			return;
		}
	}
	desktop->ran = true;
	error = monitor_vmm_request(desktop, VMM_RUN, NULL, NULL, 0, NULL);
	if (error) {
		monitor_desktop_report(desktop, REPORT_VMM_REFUSED, 0, strerror(-error));
		return;
	}
	desktop->paused = false;
	if (first) {
		monitor_desktop_record(desktop);
	}
}

void monitor_desktop_simple(struct monitor_desktop *desktop, uint16_t type)
{
	int error = monitor_vmm_request(desktop, type, NULL, NULL, 0, NULL);

	if (type == VMM_QUIT) {
		desktop->quit_asked = true;
	}
	if (type == VMM_PAUSE && error == 0) {
		desktop->paused = true;
	}
	if (error == 0) {
		return;
	}
	if (type == VMM_PAUSE) {
		monitor_desktop_report(desktop, REPORT_VMM_REFUSED, 0, strerror(-error));
	} else if (error != -ENOTCONN) {
		log_warning("session=%s: request %u: %s", desktop->user, type, strerror(-error));
	}
}

void monitor_desktop_kill(struct monitor_desktop *desktop)
{
	if (desktop->process != NULL && !desktop->exited) {
		(void)process_signal(desktop->process, SIGKILL);
	}
}

enum machine_found monitor_desktop_guess(struct monitor_desktop *desktop)
{
	const struct catalogue_generation *base = catalogue_find(
	    store_session_catalogue(desktop->store), desktop->base);

	if (desktop->ran) {
		return MACHINE_FOUND_RUNNING;
	}
	if (desktop->base != 0 && base != NULL && base->consumed) {
		/* Loaded and marked, but nobody let it run: only this process has its memory. */
		desktop->consumed = desktop->base;
		return MACHINE_FOUND_PAUSED;
	}
	return MACHINE_FOUND_STANDING;
}

int monitor_desktop_adopt(
    struct monitor_desktop *desktop, const struct record *record, int connection)
{
	struct monitor *monitor = desktop->monitor;
	int error;

	error = process_adopt(monitor->event, record->pid, record->start, monitor_desktop_on_exit,
	    desktop, &desktop->process);
	if (error) {
		return error;
	}
	error = ipc_channel_create_take(monitor->event, connection, MONITOR_QUEUE,
	    &monitor_desktop_channel_ops, desktop, &desktop->channel);
	if (error) {
		process_destroy(desktop->process);
		desktop->process = NULL;
		return error;
	}
	desktop->slot = record->slot;
	desktop->base = record->base;
	desktop->ran = record->ran;
	desktop->configured = true;
	desktop->memory_mib = record->memory_mib;
	desktop->vcpus = record->vcpus;
	desktop->consumed = record->ran ? record->base : 0;
	monitor_slot_mark(monitor, record->slot);
	desktop->hello_awaited = true;
	error = monitor_vmm_request(desktop, VMM_HELLO, NULL, NULL, 0, NULL);
	if (error) {
		log_error("session=%s: its VMM (pid %d) does not answer: it is ended",
		    desktop->user, record->pid);
		(void)process_signal(desktop->process, SIGKILL);
	}
	return 0;
}
