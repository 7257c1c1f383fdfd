/*
 * The daemon's monitor: start, signals, end.
 *
 *   SIGTERM, SIGINT   suspend every desktop, close every viewer, end. Again: end at once; desktops and viewers run on.
 *   SIGUSR2           end at once and leave desktops and viewers running, for a restart of the daemon
 *   SIGHUP            read configuration and certificate again; a mistake keeps the old ones
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"
#include "version.h"

enum {
	LEAVE_WAIT_US = 1000 * 1000, /* for viewers to show their last words */
};

static void log_report(const struct config_report *report)
{
	char *text = report->text != NULL ? strdup(report->text) : NULL;
	char *rest = text;
	char *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
		if (line[0] != '\0') {
			log_write(
			    report->errors > 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", line);
		}
	}
	free(text);
}

static must_check int load_config(const struct monitor *monitor, struct config **config)
{
	struct config_report report = { 0 };
	int error = config_load(monitor->options.config_path,
	    monitor->root ? CONFIG_MODE_SYSTEM : CONFIG_MODE_USER, config, &report);

	log_report(&report);
	config_report_fini(&report);
	return error;
}

static void reload(struct monitor *monitor)
{
	struct config *config = NULL;
	struct config *old = monitor->config;

	(void)sd_notifyf(
	    0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_monotonic_us());
	if (load_config(monitor, &config) != 0) {
		log_error("reload: the configuration has mistakes: the old one stays in force");
	} else if (strcmp(config->host.state, old->host.state) != 0 ||
		   strcmp(config->host.runtime, old->host.runtime) != 0) {
		log_error("reload: state and runtime folders cannot change while the daemon runs: "
			  "the old "
			  "configuration stays in force");
		config_destroy(config);
	} else {
		monitor->config = config;
		if (monitor_load_certificate(monitor) != 0) {
			log_error("reload: the old certificate stays in use");
		}
		config_destroy(old);
		monitor_report_settings(monitor);
		for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
		     desktop = desktop->next) {
			monitor_report_session(monitor, desktop);
		}
		log_notice("reload: done; listeners change at the next start");
	}
	(void)sd_notify(0, "READY=1");
}

static void leave_running(struct monitor *monitor)
{
	log_notice(
	    "ending at once; desktops and viewers run on and will be found by the next daemon");
	(void)sd_notify(0, "STOPPING=1");
	(void)sd_event_exit(monitor->event, 0);
}

void monitor_stop(struct monitor *monitor)
{
	if (monitor->stopping || monitor->broker_channel == NULL) {
		leave_running(monitor);
		return;
	}
	monitor->stopping = true;
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Suspending all desktops");
	log_notice("stopping: suspending all desktops (again to leave them running)");
	for (size_t i = 0; i < monitor->listener_count; i++) {
		if (monitor->listeners[i].kind == PROTOCOL_LISTENER_TCP) {
			fd_close(&monitor->listener_fds[i]);
		}
	}
	monitor_report(monitor, REPORT_SHUTDOWN, &(struct report){ 0 });
}

static int on_leave(sd_event_source *source, uint64_t time_us, void *context)
{
	struct monitor *monitor = context;

	(void)source;
	(void)time_us;
	for (struct monitor_viewer *viewer = monitor->viewers; viewer != NULL;
	     viewer = viewer->next) {
		monitor_viewer_kill(viewer, "the host goes down");
	}
	(void)sd_event_exit(monitor->event, monitor->exit_code);
	return 0;
}

/* Looks again, until the viewers have left, for a while. */
static int on_look(sd_event_source *source, uint64_t time_us, void *context)
{
	struct monitor *monitor = context;

	if (monitor->viewers == NULL) {
		(void)sd_event_exit(monitor->event, monitor->exit_code);
		return 0;
	}
	(void)sd_event_source_set_time(source, time_us + LEAVE_WAIT_US / 50);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

void monitor_finish(struct monitor *monitor)
{
	size_t left = 0;

	if (!monitor->stopping) {
		return;
	}
	for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		left += desktop->process != NULL;
	}
	if (left > 0) {
		log_error("stopping: %zu desktops could not be suspended: they run on and will be "
			  "found by the "
			  "next daemon",
		    left);
		monitor->exit_code = 1;
	}
	for (struct monitor_viewer *viewer = monitor->viewers; viewer != NULL;
	     viewer = viewer->next) {
		if (!viewer->granted) {
			monitor_viewer_kill(viewer, "the host goes down");
		} else {
			monitor_viewer_close(viewer, DISPLAY_CAPTION_MESSAGE,
			    "The host goes down. Your desktop is saved.");
		}
	}
	if (sd_event_add_time(monitor->event, NULL, CLOCK_MONOTONIC,
		clock_monotonic_us() + LEAVE_WAIT_US, 0, on_leave, monitor) < 0 ||
	    sd_event_add_time(monitor->event, NULL, CLOCK_MONOTONIC, clock_monotonic_us(), 1000,
		on_look, monitor) < 0) {
		(void)sd_event_exit(monitor->event, 1);
	}
}

void monitor_ready(struct monitor *monitor)
{
	if (monitor->ready_said) {
		return;
	}
	monitor->ready_said = true;
	for (size_t i = 0; i < monitor->listener_count; i++) {
		const struct protocol_listener *listener = &monitor->listeners[i];

		if (listener->kind == PROTOCOL_LISTENER_TCP) {
			log_info("listening on %s:%u", listener->address, listener->port);
		} else {
			log_info("listening on %s", listener->address);
		}
	}
	(void)sd_notifyf(0, "READY=1\nSTATUS=Serving %s", monitor->host);
	if (monitor->options.ready_fd >= 0) {
		if (fd_write_all(monitor->options.ready_fd, "ready\n", 6) != 0) {
			log_warning(
			    "--ready-fd %d: cannot be written to", monitor->options.ready_fd);
		}
		fd_close(&monitor->options.ready_fd);
	}
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct monitor *monitor = context;

	(void)source;
	switch (info->ssi_signo) {
	case SIGHUP:
		reload(monitor);
		break;
	case SIGUSR2:
		leave_running(monitor);
		break;
	default:
		monitor_stop(monitor);
		break;
	}
	return 0;
}

static must_check int watch_signals(struct monitor *monitor)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2 };
	sigset_t set;
	int error;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&set, signals[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return -errno;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		error = sd_event_add_signal(monitor->event, NULL, signals[i], on_signal, monitor);
		if (error < 0) {
			return error;
		}
	}
	return 0;
}

static must_check int start(struct monitor *monitor)
{
	int error = load_config(monitor, &monitor->config);

	if (error) {
		return error;
	}
	if (!monitor->root) {
		log_notice("single-user mode: everything runs as uid %d; processes are confined by "
			   "seccomp and "
			   "Landlock, but not by uids of their own",
		    (int)geteuid());
		if (monitor->config->host.pam_confdir[0] == '\0') {
			log_notice("single-user mode: PAM can check this user's own password only "
				   "(set [host] "
				   "pam_confdir for others)");
		}
	}
	error = sd_event_new(&monitor->event);
	if (error < 0) {
		return error;
	}
	error = watch_signals(monitor);
	if (error) {
		return error;
	}
	error = monitor_setup(monitor);
	if (error) {
		return error;
	}
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		log_error("/dev/kvm: %s: no desktop can be started until it may be opened "
			  "(`tanmatsu doctor` says "
			  "how)",
		    strerror(errno));
	}
	monitor_adopt(monitor);
	return monitor_broker_start(monitor);
}

int monitor_run(const struct monitor_options *options)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int code = 1;

	if (monitor == NULL) {
		log_error("out of memory");
		return 1;
	}
	monitor->options = *options;
	monitor->root = geteuid() == 0;
	monitor->stranger_limiter = (struct log_limiter){ .burst = 50, .interval_ms = 500 };
	monitor->runtime_fd = monitor->vmm_fd = monitor->display_fd = -1;
	(void)umask(077);
	if (start(monitor) == 0) {
		code = sd_event_loop(monitor->event);
		if (code < 0) {
			log_error("event loop: %s", strerror(-code));
			code = 1;
		}
	}
	monitor_teardown(monitor);
	sd_event_unref(monitor->event);
	free(monitor);
	return code;
}
