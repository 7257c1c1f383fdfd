/*
 * The helper's messages and its sandbox: see auth.h and auth_protocol.h.
 *
 * The sandbox is as narrow as PAM lets it be. PAM modules are plug-ins of the administrator's choice: they read files, speak
 * to local and remote databases, and start helpers such as unix_chkpwd. So files, sockets and exec have to be allowed; what
 * no module needs (devices, mounts, tracing, kernel keys and modules, other processes) is not.
 */
#include "hostd/auth.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "display/control.h"

static const struct sandbox_permission PERMISSIONS[] = {
	/* Modules and databases */
	SANDBOX_PERMIT(open, "PAM modules, their settings, the user database"),
	SANDBOX_PERMIT(openat, "PAM modules, their settings, the user database"),
	SANDBOX_PERMIT(mmap, "PAM modules are libraries, loaded when the stack is known"),
	SANDBOX_PERMIT(mprotect, "the same, after relocation"),
	SANDBOX_PERMIT(stat, "libraries look for files"),
	SANDBOX_PERMIT(fstat, "libraries look for files"),
	SANDBOX_PERMIT(lstat, "libraries look for files"),
	SANDBOX_PERMIT(newfstatat, "libraries look for files"),
	SANDBOX_PERMIT(statx, "libraries look for files"),
	SANDBOX_PERMIT(statfs, "libselinux looks whether it is there"),
	SANDBOX_PERMIT(fstatfs, "databases look at their file system"),
	SANDBOX_PERMIT(access, "libraries look for files"),
	SANDBOX_PERMIT(faccessat, "libraries look for files"),
	SANDBOX_PERMIT(faccessat2, "libraries look for files"),
	SANDBOX_PERMIT(readlink, "libraries look for files"),
	SANDBOX_PERMIT(readlinkat, "nss_systemd resolves paths step by step"),
	SANDBOX_PERMIT(epoll_create1, "nss_systemd asks its databases on an event loop"),
	SANDBOX_PERMIT(getcwd, "Berkeley DB and crypt policies resolve paths"),
	SANDBOX_PERMIT(lseek, "reading databases"),
	SANDBOX_PERMIT(pread64, "reading libraries and databases"),
	SANDBOX_PERMIT(pwrite64, "pam_faillock and pam_lastlog keep their tallies"),
	SANDBOX_PERMIT(ftruncate, "pam_faillock keeps its tally"),
	SANDBOX_PERMIT(fchmod, "pam_faillock makes its tally"),
	SANDBOX_PERMIT(fchown, "pam_faillock makes its tally"),
	SANDBOX_PERMIT(flock, "databases are locked while they are read"),
	SANDBOX_PERMIT(fcntl, "databases are locked while they are read"),
	SANDBOX_PERMIT(getdents64, "modules that read folders of settings"),
	SANDBOX_PERMIT(dup, "helpers get their pipes"),
	SANDBOX_PERMIT(dup2, "helpers get their pipes"),
	SANDBOX_PERMIT(dup3, "helpers get their pipes"),
	SANDBOX_PERMIT(pipe, "helpers are given the password through a pipe"),
	SANDBOX_PERMIT(pipe2, "helpers are given the password through a pipe"),
	SANDBOX_PERMIT(ioctl, "isatty() of the C library; asking sockets"),
	SANDBOX_PERMIT(select, "old network libraries wait with it"),
	SANDBOX_PERMIT(pselect6, "old network libraries wait with it"),
	/* Databases behind sockets: nscd, sssd, LDAP, RADIUS, D-Bus, syslog, audit */
	SANDBOX_PERMIT(socket, "user databases, syslog and audit are reached through sockets"),
	SANDBOX_PERMIT(connect, "the same"),
	SANDBOX_PERMIT(bind, "audit and resolver sockets"),
	SANDBOX_PERMIT(getsockname, "audit and resolver sockets"),
	SANDBOX_PERMIT(getpeername, "network databases"),
	SANDBOX_PERMIT(getsockopt, "network databases"),
	SANDBOX_PERMIT(setsockopt, "network databases"),
	SANDBOX_PERMIT(sendmmsg, "the resolver"),
	SANDBOX_PERMIT(uname, "names of this host in messages"),
	/* Helpers such as unix_chkpwd */
	SANDBOX_PERMIT(clone, "modules start helpers"),
	SANDBOX_PERMIT(clone3, "modules start helpers; threads of network databases"),
	SANDBOX_PERMIT(vfork, "modules start helpers"),
	SANDBOX_PERMIT(execve, "modules start helpers; what they run is in this sandbox too"),
	SANDBOX_PERMIT(wait4, "helpers are waited for"),
	SANDBOX_PERMIT(waitid, "helpers are waited for"),
	SANDBOX_PERMIT(close_range, "helpers are given nothing but their pipes"),
	SANDBOX_PERMIT(arch_prctl, "a started helper sets up its thread"),
	SANDBOX_PERMIT(set_tid_address, "a started helper sets up its thread"),
	SANDBOX_PERMIT(set_robust_list, "a started helper sets up its thread"),
	SANDBOX_PERMIT(rseq, "a started helper sets up its thread"),
	SANDBOX_PERMIT(prlimit64, "helpers are started with limits of their own"),
	SANDBOX_PERMIT(getrlimit, "how many descriptors a helper would inherit"),
	SANDBOX_PERMIT(prctl, "helpers forbid themselves core dumps"),
	/* Who it is */
	SANDBOX_PERMIT(getuid, "modules ask whose process this is"),
	SANDBOX_PERMIT(geteuid, "modules ask whose process this is"),
	SANDBOX_PERMIT(getgid, "modules ask whose process this is"),
	SANDBOX_PERMIT(getegid, "modules ask whose process this is"),
	SANDBOX_PERMIT(getppid, "modules ask whose process this is"),
	SANDBOX_PERMIT(setuid, "pam_unix's helper runs as the user whose password it checks"),
	SANDBOX_PERMIT(setgid, "pam_unix's helper runs as the user whose password it checks"),
	SANDBOX_PERMIT(setreuid, "pam_unix and NIS switch for a moment"),
	SANDBOX_PERMIT(setregid, "modules read a user's files as the user"),
	SANDBOX_PERMIT(setresuid, "modules read a user's files as the user"),
	SANDBOX_PERMIT(setresgid, "modules read a user's files as the user"),
	SANDBOX_PERMIT(setfsuid, "modules read a user's files as the user"),
	SANDBOX_PERMIT(setfsgid, "modules read a user's files as the user"),
	SANDBOX_PERMIT(getgroups, "modules read a user's files as the user"),
	SANDBOX_PERMIT(setgroups, "modules read a user's files as the user"),
	SANDBOX_PERMIT(capget, "libcap looks what there is"),
	SANDBOX_PERMIT(umask, "databases make files"),
	SANDBOX_PERMIT(nanosleep, "locks of databases are tried again"),
	SANDBOX_PERMIT(clock_nanosleep, "locks of databases are tried again"),
	SANDBOX_PERMIT(times, "Berkeley DB and crypt measure"),
	SANDBOX_PERMIT(kill, "modules end helpers that hang; only processes of its own uid"),
	SANDBOX_PERMIT(getresuid, "libraries check for set-uid"),
	SANDBOX_PERMIT(getresgid, "libraries check for set-uid"),
};

static const struct sandbox_policy POLICY = {
	.process = "tanmatsu-auth",
	.permissions = PERMISSIONS,
	.permission_count = sizeof(PERMISSIONS) / sizeof(PERMISSIONS[0]),
	.keep_files = true,
	.keep_capabilities = true, /* root reads the shadow file and sets tallies */
};

void auth_print_sandbox(int fd)
{
	sandbox_print(&POLICY, fd);
}

/* One message of the wanted type, waited for. 0 or -errno; the caller calls ipc_message_fini(). */
static must_check int await(int socket, int other, uint16_t type, struct ipc_message *message)
{
	struct pollfd waits[] = {
		{ .fd = socket, .events = POLLIN },
		{ .fd = other, .events = 0 }, /* POLLHUP: nobody waits for the verdict any more */
	};
	int result;

	for (;;) {
		result = poll(waits, 2, AUTH_WAIT_MS);
		if (result < 0 && errno == EINTR) {
			continue;
		}
		if (result <= 0) {
			return result < 0 ? -errno : -ETIMEDOUT;
		}
		if (waits[1].revents != 0 && waits[0].revents == 0) {
			return -EPIPE;
		}
		result = ipc_receive(socket, message);
		if (result == -EAGAIN) {
			continue;
		}
		if (result <= 0) {
			return result < 0 ? result : -EPIPE;
		}
		if (message->type != type) {
			ipc_message_fini(message);
			return -EPROTO;
		}
		return 0;
	}
}

static must_check int receive_setup(struct ipc_message *message, struct auth_setup *setup)
{
	int error = await(AUTH_MONITOR_FD, -1, AUTH_SETUP, message);

	if (error) {
		return error;
	}
	wire_get_string(&message->body, setup->service, sizeof(setup->service));
	wire_get_string(&message->body, setup->confdir, sizeof(setup->confdir));
	wire_get_string(&message->body, setup->peer, sizeof(setup->peer));
	wire_get_bytes(&message->body, setup->key, sizeof(setup->key));
	error = wire_done(&message->body) ? 0 : -EPROTO;
	ipc_message_fini(message);
	return error;
}

struct attempt {
	char name[AUTH_NAME_MAX];
	char password[AUTH_NAME_MAX];
};

static must_check int receive_attempt(struct ipc_message *message, struct attempt *attempt)
{
	int error = await(AUTH_DISPLAY_FD, AUTH_MONITOR_FD, AUTH_ATTEMPT, message);

	if (error == 0) {
		wire_get_string(&message->body, attempt->name, sizeof(attempt->name));
		wire_get_string(&message->body, attempt->password, sizeof(attempt->password));
		error = wire_done(&message->body) ? 0 : -EPROTO;
		ipc_message_fini(message);
	}
	explicit_bzero(message->buffer, sizeof(message->buffer));
	return error;
}

static must_check int send_attempt(const struct auth_setup *setup, const struct attempt *attempt)
{
	uint8_t bytes[8];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u64(&wire, XXH3_64bits_withSecret(attempt->name, strlen(attempt->name), setup->key,
				sizeof(setup->key)));
	return ipc_send(AUTH_MONITOR_FD, AUTH_EVENT_ATTEMPT, &wire, NULL, 0);
}

static must_check int send_verdict(bool ok, const char *user)
{
	uint8_t bytes[USERS_NAME_MAX + 8];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_bool(&wire, ok);
	wire_put_string(&wire, ok ? user : "");
	return ipc_send(AUTH_MONITOR_FD, AUTH_EVENT_VERDICT, &wire, NULL, 0);
}

static must_check int enter_sandbox(const struct auth_setup *setup)
{
	static const struct rlimit none = { 0, 0 };
	struct sandbox_result result = { 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0) {
		return -errno;
	}
	/*
	 * Without root, the system's stacks check a password with unix_chkpwd, whose set-gid bit a sandbox (that is,
	 * no_new_privs) would take away: then nobody could log in. A stack of the user's own needs no such thing.
	 */
	if (geteuid() != 0 && setup->confdir[0] == '\0') {
		log_debug("no sandbox: PAM needs unix_chkpwd's set-gid bit");
		return 0;
	}
	return sandbox_enter(&POLICY, &result);
}

/* Everything that holds secrets is in `attempt` and `message`, which the caller wipes. */
static must_check int serve(struct ipc_message *message, struct attempt *attempt)
{
	struct auth_setup setup = { .key = { 0 } };
	char user[USERS_NAME_MAX] = "";
	bool usable;
	int error;

	error = receive_setup(message, &setup);
	if (error == 0) {
		error = enter_sandbox(&setup);
	}
	if (error == 0) {
		error = receive_attempt(message, attempt);
	}
	if (error == 0) {
		error = send_attempt(&setup, attempt);
	}
	if (error == 0) {
		error = await(AUTH_MONITOR_FD, -1, AUTH_GO, message);
	}
	if (error) {
		return error;
	}
	ipc_message_fini(message);
	/* An empty name or password is asked of PAM like any other, so that it takes the same time. */
	usable = attempt->name[0] != '\0' && attempt->password[0] != '\0';
	error = auth_ask_pam(&setup, attempt->name, attempt->password, user);
	explicit_bzero(attempt, sizeof(*attempt));
	return send_verdict(error == 0 && usable, user);
}

int auth_run(void)
{
	struct ipc_message *message = calloc(1, sizeof(*message));
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	int error = -ENOMEM;

	if (message != NULL && attempt != NULL) {
		(void)mlock(attempt, sizeof(*attempt)); /* not into swap, where that is allowed */
		error = serve(message, attempt);
	}
	if (attempt != NULL) {
		explicit_bzero(attempt, sizeof(*attempt));
	}
	free(attempt);
	if (message != NULL) {
		explicit_bzero(message->buffer, sizeof(message->buffer));
	}
	free(message);
	if (error && error != -EPIPE) {
		log_error("login: %s", strerror(-error));
	}
	return error ? 1 : 0;
}
