/* The checks of the host itself. See doctor.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/client.h"
#include "client/doctor.h"
#include "client/text.h"
#include "client/viewer.h"

enum {
	KVM_API = 12,
	YEAR_OF_THIS_PROGRAM = 2024, /* a clock before it is wrong */
	GROUPS_MAX = 1024,
};

static const uint64_t disk_bad = 64ull << 20;
static const uint64_t disk_low = 2ull << 30;

void doctor_say(struct doctor_result *result, enum doctor_level level, const char *mend,
    const char *format, ...)
{
	va_list list;

	result->level = level;
	va_start(list, format);
	vsnprintf(result->detail, sizeof(result->detail), format, list);
	va_end(list);
	snprintf(result->mend, sizeof(result->mend), "%s", mend ? mend : "");
}

static const char *user_name(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry ? entry->pw_name : "USER";
}

static bool in_group(const char *name)
{
	const struct group *entry = getgrnam(name);
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	if (!entry) {
		return false;
	}
	if (entry->gr_gid == getegid()) {
		return true;
	}
	for (int i = 0; i < count; i++) {
		if (groups[i] == entry->gr_gid) {
			return true;
		}
	}
	return false;
}

void doctor_check_daemon(const struct doctor *doctor, struct doctor_result *result)
{
	if (doctor->reachable) {
		doctor_say(result, DOCTOR_OK, NULL,
		    "version %s, pid %llu, %s mode, %llu desktops, %llu viewers",
		    doctor->info.version, (unsigned long long)doctor->info.pid, doctor->info.mode,
		    (unsigned long long)doctor->info.sessions,
		    (unsigned long long)doctor->info.viewers);
	} else if (doctor->control_error == -EACCES || doctor->control_error == -EPERM) {
		doctor_say(result, DOCTOR_BAD, "usermod -a -G tanmatsu YOU, then log in again",
		    "you may not use its control socket");
	} else {
		doctor_say(result, DOCTOR_BAD,
		    "systemctl enable --now tanmatsu; or, as yourself, tanmatsu-hostd; or "
		    "./tools/quickstart",
		    "not running (%s)", strerror(-doctor->control_error));
	}
}

void doctor_check_configuration(const struct doctor *doctor, struct doctor_result *result)
{
	if (doctor->configuration_bad) {
		doctor_say(result, DOCTOR_BAD,
		    "Correct these lines; tanmatsu-hostd --check-config looks again", "%s",
		    doctor->configuration_report);
	} else if (!doctor->settings.known) {
		doctor_say(result, DOCTOR_WARNING,
		    "Is Tanmatsu installed whole? cmake --install build/release",
		    "tanmatsu-hostd was not found, so the default configuration is assumed");
	} else if (doctor->configuration_report[0]) {
		doctor_say(result, DOCTOR_WARNING, "tanmatsu-hostd --check-config shows what holds",
		    "%s", doctor->configuration_report);
	} else {
		doctor_say(result, DOCTOR_OK, NULL, "read without complaints");
	}
}

void doctor_check_kvm(const struct doctor *doctor, struct doctor_result *result)
{
	char mend[256];
	int fd = open(doctor->kvm_path, O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		if (doctor->reachable && strcmp(doctor->info.mode, "system") == 0) {
			doctor_say(result, DOCTOR_OK, NULL,
			    "%s is not open to you, nor needs to be: the daemon is root",
			    doctor->kvm_path);
			return;
		}
		snprintf(mend, sizeof(mend), "sudo usermod -a -G kvm %s, then log in again",
		    user_name());
		doctor_say(result, DOCTOR_BAD, mend, "you may not open %s%s", doctor->kvm_path,
		    in_group("kvm") ? ", though you are in the group kvm"
				    : ": you are not in the group kvm");
		return;
	}
	if (fd < 0) {
		doctor_say(result, DOCTOR_BAD,
		    "modprobe kvm_intel (or kvm_amd). If that fails: switch on virtualization "
		    "(VT-x, SVM) in the firmware's "
		    "setup; in a virtual machine: nested virtualization on its host",
		    "%s: %s", doctor->kvm_path, strerror(errno));
		return;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	fd_close(&fd);
	if (version != KVM_API) {
		doctor_say(result, DOCTOR_BAD, "Is that really KVM's device?",
		    "%s has API version %d, not %d", doctor->kvm_path, version, KVM_API);
		return;
	}
	doctor_say(result, DOCTOR_OK, NULL, "%s, API version %d", doctor->kvm_path, version);
}

void doctor_check_pam(const struct doctor *doctor, struct doctor_result *result)
{
	const struct doctor_settings *settings = &doctor->settings;
	const char *folder = settings->pam_confdir[0] ? settings->pam_confdir : doctor->pam_folder;
	char path[ANSWER_PATH_MAX + ANSWER_NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", folder, settings->pam_service);
	if (access(path, F_OK) == 0) {
		doctor_say(result, DOCTOR_OK, NULL, "%s", path);
	} else if (errno == ENOENT) {
		doctor_say(result, DOCTOR_BAD, "Install packaging/pam.d/tanmatsu there",
		    "there is no %s, so nobody can log in with a password", path);
	} else {
		doctor_say(result, DOCTOR_WARNING, "Look as root", "%s: %s", path, strerror(errno));
	}
}

/* Tries whether an address could be listened on. 0 or -errno. */
static int try_listen(const struct answer_listen *listen_on)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)listen_on->port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)listen_on->port) };
	bool is_six = inet_pton(AF_INET6, listen_on->address, &six.sin6_addr) == 1;
	int yes = 1;
	int error = 0;
	int fd;

	if (!is_six && strcmp(listen_on->address, "*") != 0 &&
	    inet_pton(AF_INET, listen_on->address, &four.sin_addr) != 1) {
		return -EINVAL;
	}
	fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	/* As servers do: a connection that is just ending is not in the way. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		is_six ? sizeof(six) : sizeof(four)) < 0 ||
	    listen(fd, 1) < 0) {
		error = -errno;
	}
	fd_close(&fd);
	return error;
}

void doctor_check_port(const struct doctor *doctor, struct doctor_result *result)
{
	char mend[256];
	char list[512] = "";

	if (doctor->reachable) {
		for (size_t i = 0; i < doctor->info.listen_count; i++) {
			size_t used = strlen(list);

			snprintf(list + used, sizeof(list) - used, "%s%s port %llu",
			    used ? ", " : "", doctor->info.listen[i].address,
			    (unsigned long long)doctor->info.listen[i].port);
		}
		doctor_say(result, DOCTOR_OK, NULL, "the daemon listens on %s",
		    list[0] ? list : "no port, as configured");
		return;
	}
	for (size_t i = 0; i < doctor->settings.listen_count; i++) {
		const struct answer_listen *listen_on = &doctor->settings.listen[i];
		int error = try_listen(listen_on);

		if (error == -EADDRINUSE) {
			snprintf(mend, sizeof(mend),
			    "Who has it: ss -ltnp sport = :%llu. Or another one: listen = %s:PORT "
			    "in [host]",
			    (unsigned long long)listen_on->port, listen_on->address);
		} else {
			snprintf(
			    mend, sizeof(mend), "Change listen in [host] of the configuration");
		}
		if (error) {
			doctor_say(result, DOCTOR_BAD, mend, "%s port %llu: %s", listen_on->address,
			    (unsigned long long)listen_on->port, strerror(-error));
			return;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%llu", i ? ", " : "",
		    (unsigned long long)listen_on->port);
	}
	doctor_say(result, DOCTOR_OK, NULL, "%s%s", list[0] ? "free: " : "none configured", list);
}

void doctor_check_disk(const struct doctor *doctor, struct doctor_result *result)
{
	char path[ANSWER_PATH_MAX], space[32];
	struct statvfs fs;
	uint64_t available;
	char *slash;

	snprintf(path, sizeof(path), "%s",
	    doctor->info.state[0] ? doctor->info.state : doctor->settings.state);
	/* What is not there yet will be made where its parent is. */
	while (statvfs(path, &fs) < 0) {
		slash = strrchr(path, '/');
		if (errno != ENOENT || !slash || slash == path) {
			doctor_say(result, DOCTOR_WARNING, "Look as root", "%s: %s", path,
			    strerror(errno));
			return;
		}
		*slash = 0;
	}
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	text_bytes(available, space, sizeof(space));
	if (fs.f_flag & ST_RDONLY) {
		doctor_say(result, DOCTOR_BAD,
		    "mount -o remount,rw, or another folder: state in [host]",
		    "%s is on a read-only file system", path);
	} else if (available < disk_low) {
		doctor_say(result, available < disk_bad ? DOCTOR_BAD : DOCTOR_WARNING,
		    "Make room, or move it: state in [host]. A suspended desktop needs up to its "
		    "memory",
		    "%s free for suspended desktops in %s", space, path);
	} else {
		doctor_say(result, DOCTOR_OK, NULL, "%s free in %s", space, path);
	}
}

void doctor_check_group(const struct doctor *doctor, struct doctor_result *result)
{
	const char *group = doctor->settings.admin_group[0] ? doctor->settings.admin_group
							    : "tanmatsu";
	char mend[256];

	if (geteuid() == 0) {
		doctor_say(result, DOCTOR_OK, NULL, "root: sees and steers all desktops");
	} else if (doctor->reachable && strcmp(doctor->info.mode, "single-user") == 0) {
		doctor_say(result, DOCTOR_OK, NULL,
		    "the daemon is your own: you see and steer all its desktops");
	} else if (in_group(group)) {
		doctor_say(
		    result, DOCTOR_OK, NULL, "member of %s: sees and steers all desktops", group);
	} else {
		snprintf(mend, sizeof(mend), "To administer others' too: sudo usermod -a -G %s %s",
		    group, user_name());
		doctor_say(result, DOCTOR_OK, mend,
		    "not in the group %s: you see and steer your own desktop", group);
	}
}

void doctor_check_clock(const struct doctor *doctor, struct doctor_result *result)
{
	time_t now = (time_t)doctor->now_s;
	struct timex timex = { 0 };
	char text[32];
	struct tm tm;

	text_time(doctor->now_s * 1000000, text, sizeof(text));
	if (!gmtime_r(&now, &tm) || tm.tm_year + 1900 < YEAR_OF_THIS_PROGRAM) {
		doctor_say(result, DOCTOR_BAD, "timedatectl set-ntp true, or set it: date -s",
		    "it is %s, says the clock: certificates will not be valid", text);
	} else if (adjtimex(&timex) == TIME_ERROR || (timex.status & STA_UNSYNC)) {
		doctor_say(result, DOCTOR_WARNING, "timedatectl set-ntp true",
		    "%s, but not kept by a time server", text);
	} else {
		doctor_say(result, DOCTOR_OK, NULL, "%s, kept by a time server", text);
	}
}

void doctor_check_entropy(const struct doctor *doctor, struct doctor_result *result)
{
	uint8_t bytes[16];

	(void)doctor;
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) == (ssize_t)sizeof(bytes)) {
		doctor_say(result, DOCTOR_OK, NULL, "the kernel's random numbers are ready");
	} else {
		doctor_say(result, DOCTOR_WARNING,
		    "Install rng-tools, or give a virtual machine a virtio-rng device",
		    "the kernel has no random numbers yet: logins will hang until it does");
	}
	explicit_bzero(bytes, sizeof(bytes));
}

void doctor_check_viewer(const struct doctor *doctor, struct doctor_result *result)
{
	char command[VIEWER_COMMAND_MAX];

	(void)doctor;
	if (viewer_find(NULL, command, sizeof(command)) == 0) {
		doctor_say(result, DOCTOR_OK, NULL, "%s", command);
	} else {
		doctor_say(result, DOCTOR_WARNING,
		    "apt install tigervnc-viewer (a server does not need one)",
		    "no VNC viewer for attach and connect on this machine");
	}
}
