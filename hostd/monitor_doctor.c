/*
 * The checks of `tanmatsu doctor` that only the daemon can make: what it finds when it does what a login would need. Each
 * says how it can be mended.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostd/certificate.h"

enum {
	DETAIL_MAX = 400,
	KVM_API = 12,
	EXPIRY_WARN_DAYS = 14,
};

struct checks {
	struct wire out;
	uint16_t count;
};

static void add(struct checks *checks, const char *name, bool ok, const char *mend,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add(
    struct checks *checks, const char *name, bool ok, const char *mend, const char *format, ...)
{
	char detail[DETAIL_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	wire_put_bool(&checks->out, ok);
	wire_put_string(&checks->out, name);
	wire_put_string(&checks->out, detail);
	wire_put_string(&checks->out, ok ? "" : mend);
	checks->count++;
}

static void check_kvm(struct checks *checks)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0) {
		add(checks, "kvm", false,
		    errno == ENOENT
			? "Load kvm_intel or kvm_amd; switch virtualization on in the firmware."
			: "Add the daemon's user to the group kvm.",
		    "/dev/kvm: %s", strerror(errno));
		return;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	add(checks, "kvm", version == KVM_API, "Use a kernel of this century.",
	    "/dev/kvm answers, API %d", version);
	fd_close(&fd);
}

static void check_programs(struct checks *checks, const struct monitor *monitor)
{
	static const char *const programs[] = { "tanmatsu-vmm", "tanmatsu-display",
		"tanmatsu-auth" };
	char path[MONITOR_LIBEXEC_MAX + 64];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", monitor->options.libexec, programs[i]);
		if (access(path, X_OK) < 0) {
			add(checks, "programs", false,
			    "Install the package again, or mend --libexec.", "%.300s: %s", path,
			    strerror(errno));
			return;
		}
	}
	add(checks, "programs", true, "", "all there, in %.300s", monitor->options.libexec);
}

static void check_pam(struct checks *checks, const struct monitor *monitor)
{
	const struct config_host *host = &monitor->config->host;
	const char *folder = host->pam_confdir[0] != '\0' ? host->pam_confdir : "/etc/pam.d";
	char path[CONFIG_PATH_MAX + 128];
	bool there;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, host->pam_service);
	there = access(path, R_OK) == 0;
	add(checks, "pam", there, "Install this service file, or set [host] pam_service.",
	    "%.300s: %s", path, there ? "there" : strerror(errno));
	if (!monitor->root && host->pam_confdir[0] == '\0') {
		add(checks, "pam-single-user", true, "",
		    "without root, the system's PAM service can check the password of this user "
		    "only");
	}
}

static void check_space(struct checks *checks, const struct monitor *monitor)
{
	struct statvfs status;
	uint64_t free_mib;
	uint64_t wanted = monitor->config->desktop.policy.values.memory_mib;

	if (fstatvfs(store_folder(monitor->store), &status) < 0) {
		add(checks, "disk", false, "Mend the file system of the state folder.", "%s",
		    strerror(errno));
		return;
	}
	if (wanted < 512) {
		wanted = 512;
	}
	free_mib = (uint64_t)status.f_bavail * status.f_frsize >> 20;
	add(checks, "disk", free_mib >= wanted,
	    "Make room where the state folder lies, or move it ([host] state).",
	    "%llu MiB free in %.200s", (unsigned long long)free_mib, monitor->config->host.state);
}

static void check_memory(struct checks *checks)
{
	struct sysinfo info;

	if (sysinfo(&info) == 0) {
		uint64_t total = (uint64_t)info.totalram * info.mem_unit >> 20;

		add(checks, "memory", total >= 256, "Give the host more memory.", "%llu MiB",
		    (unsigned long long)total);
	}
}

static void check_certificate(struct checks *checks, const struct monitor *monitor)
{
	time_t expiry = 0;
	time_t now = time(NULL);
	char day[32] = "?";
	struct tm tm;

	if (certificate_expiry(monitor->chain, monitor->chain_size, &expiry) != 0) {
		add(checks, "certificate", false, "See [host] certificate.", "cannot be read");
		return;
	}
	if (gmtime_r(&expiry, &tm) != NULL) {
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	}
	add(checks, "certificate", expiry > now + EXPIRY_WARN_DAYS * 86400,
	    "Renew the certificate, then `systemctl reload tanmatsu`.", "good until %s", day);
}

static void check_listeners(struct checks *checks, const struct monitor *monitor)
{
	char text[DETAIL_MAX] = "";
	size_t used = 0;

	for (size_t i = 0; i < monitor->listener_count && used + 1 < sizeof(text); i++) {
		const struct protocol_listener *listener = &monitor->listeners[i];

		if (listener->kind == PROTOCOL_LISTENER_TCP) {
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%u",
			    used ? ", " : "", listener->address, listener->port);
		}
	}
	add(checks, "port", true, "", "%s",
	    text[0] != '\0' ? text : "no TCP port ([host] listen = none)");
}

void monitor_doctor(struct monitor *monitor, uint64_t tag)
{
	struct checks checks = { .count = 0 };
	struct report report = { .tag = tag };
	struct wire payload;

	wire_init_growing(&checks.out, PROTOCOL_PAYLOAD_MAX - 2);
	check_kvm(&checks);
	check_programs(&checks, monitor);
	check_pam(&checks, monitor);
	check_listeners(&checks, monitor);
	check_certificate(&checks, monitor);
	check_space(&checks, monitor);
	check_memory(&checks);

	wire_init_growing(&payload, PROTOCOL_PAYLOAD_MAX);
	wire_put_u16(&payload, checks.count);
	wire_put_bytes(&payload, checks.out.data, checks.out.position);
	report.payload = payload.data;
	report.payload_size = wire_ok(&payload) ? payload.position : 0;
	monitor_report(monitor, REPORT_DOCTOR, &report);
	wire_fini(&payload);
	wire_fini(&checks.out);
}
