/*
 * What a VMM answers and tells. Replies come in the order of the requests; one that does not is a broken VMM, which is
 * ended. Every field is read as if the guest had taken the VMM over.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"

static int reply_error(struct wire *body)
{
	int32_t error = (int32_t)wire_get_u32(body);

	return error > 0 || error < -4095 ? -EPROTO : error;
}

/* What an errno of the VMM means to the person who wrote the configuration. */
static const char *describe(int error)
{
	switch (error) {
	case -ENOEXEC:
		return "the kernel image is no kernel that can be started, an ELF64 vmlinux or a "
		       "bzImage "
		       "(see `kernel =` in the configuration)";
	case -ENOMEM:
		return "the host has not enough memory (see `memory =` in the configuration)";
	default:
		return strerror(-error);
	}
}

/* The optional sentence after an error. */
static void error_text(struct wire *body, int error, char text[PROTOCOL_TEXT_MAX])
{
	if (wire_remaining(body) > 0) {
		wire_get_string(body, text, PROTOCOL_TEXT_MAX);
		if (wire_ok(body) && text[0] != '\0') {
			return;
		}
	}
	(void)snprintf(text, PROTOCOL_TEXT_MAX, "%s", describe(error));
}

static enum machine_found found_by_state(struct monitor_desktop *desktop, uint8_t state)
{
	enum machine_found guess = monitor_desktop_guess(desktop);

	switch (state) {
	case VMM_STATE_RUNNING:
		return MACHINE_FOUND_RUNNING;
	case VMM_STATE_SUSPENDED:
		return MACHINE_FOUND_SUSPENDED;
	case VMM_STATE_STOPPED:
		return guess == MACHINE_FOUND_RUNNING ? MACHINE_FOUND_PAUSED : guess;
	default:
		return MACHINE_FOUND_STANDING;
	}
}

/* It answered after the broker was told what it probably was. */
static void on_late_hello(struct monitor_desktop *desktop, uint8_t state)
{
	if (state == VMM_STATE_SUSPENDED) {
		monitor_desktop_run(desktop);
	}
}

static int on_hello(struct monitor_desktop *desktop, int error, struct wire *body)
{
	uint8_t state = wire_get_u8(body);
	char session[64];

	wire_get_string(body, session, sizeof(session));
	(void)wire_get_u32(body); /* its memory, known better from the record */
	(void)wire_get_u32(body); /* its pid, known better from the pidfd */
	if (error || !wire_ok(body)) {
		return -EPROTO;
	}
	if (!desktop->hello_awaited) {
		return 0;
	}
	desktop->hello_awaited = false;
	if (desktop->monitor->inventory_done) {
		on_late_hello(desktop, state);
		return 0;
	}
	desktop->configured = state != VMM_STATE_EMPTY;
	desktop->found = found_by_state(desktop, state);
	log_notice("session=%s: found its VMM (pid %d) running on", desktop->user,
	    (int)process_pid(desktop->process));
	monitor_adopt_done(desktop->monitor);
	return 0;
}

static void on_configured(struct monitor_desktop *desktop, int error, struct wire *body)
{
	char text[PROTOCOL_TEXT_MAX];

	if (error == 0) {
		desktop->configured = true;
		monitor_desktop_report(desktop, REPORT_VMM_READY, 0, "");
		return;
	}
	/* Its last words and its exit code follow and say more: REPORT_VMM_EXITED tells them. */
	error_text(body, error, text);
	log_debug("session=%s: its VMM could not be built: %s", desktop->user, text);
}

static int on_suspended(
    struct monitor_desktop *desktop, uint64_t generation, int error, struct wire *body)
{
	struct vmm_suspend_report report = { 0 };

	if (error == 0 && vmm_suspend_report_decode(body, &report) != 0) {
		return -EPROTO;
	}
	monitor_suspend_reply(desktop, generation, error, &report);
	return 0;
}

static void on_statistics(struct monitor_desktop *desktop, const struct monitor_pending *pending,
    int error, struct wire *body)
{
	struct vmm_statistics statistics;
	struct report report = { .tag = pending->tag };
	struct wire out;

	if (error == 0 && vmm_statistics_decode(body, &statistics) != 0) {
		error = -EPROTO;
	}
	if (error) {
		monitor_answer(desktop->monitor, pending->tag, error, "no statistics");
		return;
	}
	wire_init_growing(&out, PROTOCOL_PAYLOAD_MAX);
	vmm_statistics_encode(&statistics, &out);
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	report.payload = out.data;
	report.payload_size = out.position;
	monitor_report(desktop->monitor, REPORT_STATISTICS, &report);
	wire_fini(&out);
}

static void on_attached(struct monitor_desktop *desktop, uint64_t viewer, int error)
{
	struct report report = { .viewer = viewer };

	if (error == 0) {
		return;
	}
	log_warning("session=%s: attach of viewer %llu: %s", desktop->user,
	    (unsigned long long)viewer, strerror(-error));
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	monitor_report(desktop->monitor, REPORT_LINK_BROKEN, &report);
}

static int on_reply(struct monitor_desktop *desktop, struct ipc_message *message)
{
	struct monitor_pending pending;
	struct wire *body = &message->body;
	int result = 0;
	int error;

	if (desktop->pending_count == 0) {
		return -EPROTO;
	}
	pending = desktop->pending[desktop->pending_first];
	if (message->type != pending.type + VMM_REPLY) {
		return -EPROTO;
	}
	desktop->pending_first = (desktop->pending_first + 1) % MONITOR_PENDING;
	desktop->pending_count--;
	error = reply_error(body);
	switch (pending.type) {
	case VMM_HELLO:
		result = on_hello(desktop, error, body);
		break;
	case VMM_CONFIGURE:
		on_configured(desktop, error, body);
		break;
	case VMM_SUSPEND:
		result = on_suspended(desktop, pending.generation, error, body);
		break;
	case VMM_ATTACH:
		on_attached(desktop, pending.viewer, error);
		break;
	case VMM_STATISTICS:
		on_statistics(desktop, &pending, error, body);
		break;
	case VMM_PICTURE:
		monitor_control_picture_reply(desktop, &pending, error, message);
		break;
	case VMM_INPUT:
	case VMM_CONSOLE:
		monitor_answer(desktop->monitor, pending.tag, error, error ? strerror(-error) : "");
		break;
	case VMM_RUN:
	case VMM_PAUSE:
		if (error) {
			monitor_desktop_report(desktop, REPORT_VMM_REFUSED, 0, strerror(-error));
		}
		break;
	case VMM_DETACH:
		break; /* when the viewer's end was closed before, the link is gone already */
	default:
		if (error) {
			log_warning("session=%s: request %u: %s", desktop->user, pending.type,
			    strerror(-error));
		}
		break;
	}
	fd_close(&pending.control);
	return result;
}

/* False when the news is of a link that was given up before, and a newer one is on its way. */
static bool is_current_link(struct monitor_desktop *desktop, uint64_t id)
{
	const struct monitor_viewer *viewer = monitor_find_viewer(desktop->monitor, id);

	if (viewer == NULL || !viewer->attached) {
		return false;
	}
	for (size_t i = 0; i < desktop->pending_count; i++) {
		const struct monitor_pending *pending =
		    &desktop->pending[(desktop->pending_first + i) % MONITOR_PENDING];

		if (pending->type == VMM_ATTACH && pending->viewer == id) {
			return false;
		}
	}
	return true;
}

static int on_exiting(struct monitor_desktop *desktop, struct wire *body)
{
	char text[VMM_TEXT_MAX];

	desktop->exit_code = wire_get_u8(body);
	wire_get_string(body, text, sizeof(text));
	if (!wire_ok(body)) {
		return -EPROTO;
	}
	(void)snprintf(desktop->exit_text, sizeof(desktop->exit_text), "%.*s",
	    (int)sizeof(desktop->exit_text) - 1, text);
	desktop->exit_known = true;
	return 0;
}

int monitor_vmm_message(struct monitor_desktop *desktop, struct ipc_message *message)
{
	struct report report = { 0 };

	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	switch (message->type) {
	case VMM_EVENT_EXITING:
		return on_exiting(desktop, &message->body);
	case VMM_EVENT_PROGRESS:
		report.number[0] = wire_get_u32(&message->body);
		if (report.number[0] > 100) {
			return -EPROTO;
		}
		monitor_report(desktop->monitor, REPORT_PROGRESS, &report);
		return 0;
	case VMM_EVENT_VIEWER_GONE:
		report.viewer = wire_get_u64(&message->body);
		if (is_current_link(desktop, report.viewer)) {
			monitor_report(desktop->monitor, REPORT_LINK_BROKEN, &report);
		}
		return 0;
	default:
		return on_reply(desktop, message);
	}
}
