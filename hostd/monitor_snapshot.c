/*
 * Suspending a desktop: files are made here, written by the VMM, and made valid here. The VMM is told to quit only by the
 * broker, after REPORT_COMMIT_DONE; when anything fails before that, it runs on and the files are deleted.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

/* Room for device state and frame beside the RAM: the VMM fails by itself, harmlessly, if it is still too little. */
static const uint64_t RESERVE_BYTES = 64u << 20;

static void suspend_failed(struct monitor_desktop *desktop, uint64_t generation, const char *text)
{
	log_error("suspend: session=%s gen=%llu: %s: the desktop runs on", desktop->user,
	    (unsigned long long)generation, text);
	desktop->suspend_generation = 0;
	desktop->suspend_complete = false;
	monitor_desktop_report(desktop, REPORT_SUSPEND_FAILED, generation, text);
}

static void describe(int error, char text[PROTOCOL_TEXT_MAX])
{
	if (error == -ENOSPC || error == -EDQUOT) {
		(void)snprintf(text, PROTOCOL_TEXT_MAX,
		    "the disk that holds the state folder is full (%s): make room and suspend "
		    "again",
		    strerror(-error));
	} else {
		(void)snprintf(text, PROTOCOL_TEXT_MAX, "%s", strerror(-error));
	}
}

void monitor_suspend(struct monitor_desktop *desktop, uint64_t generation, uint64_t base)
{
	struct monitor_pending pending = { .generation = generation, .control = -1 };
	struct store_files files = { -1, -1, -1 };
	char text[PROTOCOL_TEXT_MAX];
	struct wire body;
	int error;

	if (desktop->channel == NULL || !desktop->ran || base != desktop->base ||
	    generation <= base || desktop->suspend_generation != 0) {
		monitor_desktop_report(desktop, REPORT_SUSPEND_FAILED, generation,
		    "the desktop is not in a state for that");
		return;
	}
	error = store_generation_create(desktop->store, generation, RESERVE_BYTES, &files);
	if (error) {
		describe(error, text);
		suspend_failed(desktop, generation, text);
		return;
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_u64(&body, generation);
	error = monitor_vmm_request(desktop, VMM_SUSPEND, &body,
	    (const int[]){ files.state, files.ram, files.frame }, 3, &pending);
	wire_fini(&body);
	fd_close(&files.state);
	fd_close(&files.ram);
	fd_close(&files.frame);
	if (error) {
		(void)!store_generation_discard(desktop->store, generation);
		suspend_failed(desktop, generation, strerror(-error));
		return;
	}
	desktop->suspend_generation = generation;
	desktop->suspend_complete = false;
}

void monitor_suspend_reply(struct monitor_desktop *desktop, uint64_t generation, int error,
    const struct vmm_suspend_report *vmm_report)
{
	struct report report = { .generation = generation };
	char text[PROTOCOL_TEXT_MAX];

	if (generation != desktop->suspend_generation) {
		return;
	}
	if (error == 0 && vmm_report->generation != generation) {
		error = -EPROTO;
	}
	if (desktop->suspend_orphan) {
		/* The broker that wanted it is gone, and the new one believes that the desktop runs: so it does. */
		desktop->suspend_orphan = false;
		monitor_discard(desktop, generation);
		if (error == 0) {
			monitor_desktop_run(desktop);
		}
		return;
	}
	if (error) {
		describe(error, text);
		if (store_generation_discard(desktop->store, generation) != 0) {
			log_warning("suspend: session=%s gen=%llu: remains stay in its folder",
			    desktop->user, (unsigned long long)generation);
		}
		suspend_failed(desktop, generation, text);
		return;
	}
	desktop->suspend_complete = true;
	desktop->suspend_full = vmm_report->complete;
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	report.number[0] = vmm_report->ram_bytes;
	report.number[1] = vmm_report->state_bytes;
	report.number[2] = vmm_report->stopped_us;
	monitor_report(desktop->monitor, REPORT_SUSPEND_DONE, &report);
}

void monitor_commit(struct monitor_desktop *desktop, uint64_t generation, uint64_t base)
{
	struct store_identity identity = desktop->monitor->identity;
	struct report report = { .generation = generation };
	char text[PROTOCOL_TEXT_MAX];
	int error;

	if (generation == 0 || generation != desktop->suspend_generation ||
	    !desktop->suspend_complete || base != desktop->base) {
		monitor_desktop_report(
		    desktop, REPORT_COMMIT_FAILED, generation, "no such snapshot has been written");
		return;
	}
	identity.memory_mib = desktop->memory_mib;
	identity.vcpus = desktop->vcpus;
	error = store_generation_commit(desktop->store, generation, base, desktop->suspend_full,
	    &identity, clock_realtime_us());
	desktop->suspend_generation = 0;
	desktop->suspend_complete = false;
	if (error) {
		describe(error, text);
		log_error("suspend: session=%s gen=%llu: commit: %s", desktop->user,
		    (unsigned long long)generation, text);
		(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
		(void)snprintf(report.text, sizeof(report.text), "%s", text);
		/* Neither surely there nor surely gone: a VM that ran on would leave that snapshot behind its disk. */
		report.flag = error == -EUCLEAN;
		monitor_report(desktop->monitor, REPORT_COMMIT_FAILED, &report);
		return;
	}
	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	if (store_session_usage(desktop->store, &report.number[0]) != 0) {
		report.number[0] = 0;
	}
	monitor_report(desktop->monitor, REPORT_COMMIT_DONE, &report);
}

void monitor_discard(struct monitor_desktop *desktop, uint64_t generation)
{
	int error = store_generation_discard(desktop->store, generation);

	if (generation == desktop->suspend_generation) {
		desktop->suspend_generation = 0;
		desktop->suspend_complete = false;
	}
	if (error) {
		log_warning("session=%s gen=%llu: discard: %s", desktop->user,
		    (unsigned long long)generation, strerror(-error));
	}
}

void monitor_set_aside(struct monitor_desktop *desktop, uint64_t generation)
{
	int error = store_generation_set_aside(desktop->store, generation);

	if (error) {
		log_error("session=%s gen=%llu: set aside: %s", desktop->user,
		    (unsigned long long)generation, strerror(-error));
	} else {
		log_warning("session=%s gen=%llu: the snapshot is damaged and was set aside as "
			    "gen.%llu.damaged in the session's folder",
		    desktop->user, (unsigned long long)generation, (unsigned long long)generation);
	}
}

void monitor_prune(struct monitor_desktop *desktop, uint64_t base)
{
	struct config_resolved resolved;
	int error;

	config_resolve(desktop->monitor->config, desktop->user, NULL, &resolved);
	error = store_session_prune(desktop->store, resolved.policy.keep_generations, base);
	if (error) {
		log_warning(
		    "session=%s: deleting old snapshots: %s", desktop->user, strerror(-error));
	}
}
