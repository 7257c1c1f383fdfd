/*
 * The way into the sandbox. What must stay true: a step that is possible for this process but fails
 * is an error, never passed over; and nothing after a step needs what it took away, which is what
 * fixes the order.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox_common.h"

/* Landlock's interface up to version 6, which the distribution's headers may not have; landlock(7).
 */
enum {
	LANDLOCK_FS_RIGHTS_V1 = 13, /* how many rights each version has, from bit 0 */
	LANDLOCK_FS_RIGHTS_V2 = 14,
	LANDLOCK_FS_RIGHTS_V3 = 15,
	LANDLOCK_FS_RIGHTS_V5 = 16,
	LANDLOCK_NET_RIGHTS_V4 = 2,
	LANDLOCK_SCOPES_V6 = 2,
};

struct landlock_attributes {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static bool has_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0) {
		return false;
	}
	return data[capability / 32].effective & (1u << (capability % 32));
}

/* Empties the bounding set, so that not even a set-uid root program could gain anything. Needs
 * CAP_SETPCAP. */
static must_check int drop_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++) {
		int held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

		if (held < 0) {
			break; /* past the last capability that the kernel knows */
		}
		if (held > 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
			return -errno;
		}
	}
	return 0;
}

/*
 * In a mount namespace of our own, stacks an empty, read-only, tiny file system on the root and
 * lets go of everything below, the way passt does: after pivot_root(".", ".") the old root lies on
 * top of the new one and is unmounted.
 */
static must_check int empty_root_by_mount(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID | MS_RDONLY,
		"nr_inodes=2,nr_blocks=1") < 0 ||
	    chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
		return -errno;
	}
	return 0;
}

/* Where mounting is not allowed, as in many containers: into a folder that is deleted, in which
 * nothing can be made. */
static must_check int empty_root_by_chroot(void)
{
	char path[] = "/tmp/tanmatsu-root.XXXXXX";
	int error = 0;

	if (!mkdtemp(path)) {
		return -errno;
	}
	if (chdir(path) < 0) {
		error = -errno;
	}
	if (rmdir(path) < 0 && !error) {
		error = -errno;
	}
	if (!error && (chroot(".") < 0 || chdir("/") < 0)) {
		error = -errno;
	}
	return error;
}

static must_check int empty_root(struct sandbox_result *result)
{
	int error = -EPERM;

	if (has_capability(CAP_SYS_ADMIN)) {
		if (unshare(CLONE_NEWIPC) < 0 && errno != EPERM && errno != EINVAL) {
			return -errno;
		}
		error = empty_root_by_mount();
	}
	if (error && has_capability(CAP_SYS_CHROOT)) {
		error = empty_root_by_chroot();
		if (error) {
			return error;
		}
	}
	result->root_emptied = !error;
	return 0;
}

static must_check int drop_uid(const struct sandbox_policy *policy, struct sandbox_result *result)
{
	if (policy->uid == 0 || geteuid() != 0) {
		return 0;
	}
	if (policy->gid == 0) {
		return -EINVAL;
	}
	if (setgroups(0, NULL) < 0 || setresgid(policy->gid, policy->gid, policy->gid) < 0 ||
	    setresuid(policy->uid, policy->uid, policy->uid) < 0) {
		return -errno;
	}
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0) {
		return -EPERM; /* there was a way back */
	}
	result->uid_dropped = true;
	return 0;
}

static must_check int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0) {
		return -errno;
	}
	return 0;
}

static bool permits(const struct sandbox_policy *policy, int number)
{
	for (size_t i = 0; i < policy->permission_count; i++) {
		if (policy->permissions[i].syscall == number) {
			return true;
		}
	}
	return false;
}

static must_check int set_limits(const struct sandbox_policy *policy)
{
	static const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0) {
		return -errno;
	}
	if (!permits(policy, __NR_clone) && !permits(policy, __NR_clone3) &&
	    setrlimit(RLIMIT_NPROC, &none) < 0) {
		return -errno;
	}
#ifndef TANMATSU_SANITIZED /* whose shadow memory is terabytes of address space */
	if (policy->address_space_limit_mib > 0) {
		rlim_t bytes = (rlim_t)policy->address_space_limit_mib << 20;
		const struct rlimit space = { bytes, bytes };

		if (setrlimit(RLIMIT_AS, &space) < 0) {
			return -errno;
		}
	}
#endif
	return 0;
}

/* Handles every right that both the kernel and this file know, and grants none of them anywhere. */
static must_check int enter_landlock(struct sandbox_result *result)
{
	struct landlock_attributes attributes = { 0 };
	size_t size = sizeof(attributes.handled_access_fs);
	unsigned int rights = LANDLOCK_FS_RIGHTS_V1;
	long version;
	int ruleset;
	int error = 0;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) {
		return 0; /* ENOSYS or EOPNOTSUPP: not there, or switched off */
	}
	if (version >= 2) {
		rights = LANDLOCK_FS_RIGHTS_V2;
	}
	if (version >= 3) {
		rights = LANDLOCK_FS_RIGHTS_V3;
	}
	if (version >= 4) {
		attributes.handled_access_net = (1u << LANDLOCK_NET_RIGHTS_V4) - 1;
		size += sizeof(attributes.handled_access_net);
	}
	if (version >= 5) {
		rights = LANDLOCK_FS_RIGHTS_V5;
	}
	if (version >= 6) {
		attributes.scoped = (1u << LANDLOCK_SCOPES_V6) - 1;
		size += sizeof(attributes.scoped);
	}
	attributes.handled_access_fs = (1u << rights) - 1;

	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset < 0) {
		return -errno;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		error = -errno;
	}
	fd_close(&ruleset);
	result->landlocked = !error;
	return error;
}

static must_check int add_rules(
    scmp_filter_ctx filter, const struct sandbox_permission *permissions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sandbox_permission *permission = &permissions[i];
		int error;

		if (permission->argument < 0) {
			error = seccomp_rule_add_array(
			    filter, SCMP_ACT_ALLOW, permission->syscall, 0, NULL);
		} else {
			struct scmp_arg_cmp rule = {
				.arg = (unsigned int)permission->argument,
				.op = SCMP_CMP_MASKED_EQ,
				.datum_a = permission->mask ? permission->mask : UINT64_MAX,
				.datum_b = permission->value,
			};

			error = seccomp_rule_add_array(
			    filter, SCMP_ACT_ALLOW, permission->syscall, 1, &rule);
		}
		if (error && error != -EEXIST) {
			return error;
		}
	}
	return 0;
}

static must_check int enter_seccomp(
    const struct sandbox_policy *policy, struct sandbox_result *result)
{
	const struct sandbox_permission abort_self = SANDBOX_PERMIT_ARG(
	    tgkill, 0, (uint64_t)getpid(), "abort()");
	const struct sandbox_permission *permissions;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	size_t count;
	int error;

	if (!filter) {
		return -ENOMEM;
	}
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!error) {
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	}
	if (!error) {
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	}
	if (!error) {
		permissions = sandbox_common_permissions(&count);
		error = add_rules(filter, permissions, count);
	}
	if (!error) {
		permissions = sandbox_sanitizer_permissions(&count);
		error = add_rules(filter, permissions, count);
	}
	if (!error) {
		error = add_rules(filter, &abort_self, 1);
	}
	if (!error) {
		error = add_rules(filter, policy->permissions, policy->permission_count);
	}
	/* Its arguments lie in memory, where no filter can look; told that it is not there, the C library
	 * uses clone(), whose flags can be narrowed. */
	if (!error && permits(policy, __NR_clone) && !permits(policy, __NR_clone3)) {
		error = seccomp_rule_add_array(
		    filter, SCMP_ACT_ERRNO(ENOSYS), __NR_clone3, 0, NULL);
	}
	if (!error) {
		error = seccomp_load(filter);
	}
	seccomp_release(filter);
	result->seccomp = !error;
	return error;
}

#ifdef TANMATSU_SANITIZED
/* LeakSanitizer's check at exit starts a process that traces this one, which no list permits. */
static bool entered;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return entered;
}
#endif

/*
 * Whether this is the only thread, as far as /proc tells: another one would keep its capabilities
 * and its files. The sanitizers have threads of their own.
 */
static bool is_single_threaded(void)
{
#ifdef TANMATSU_SANITIZED
	return true;
#else
	struct stat status;

	/* A folder has a link for itself, one in its parent, and one for each folder in it. */
	return stat("/proc/self/task", &status) < 0 || status.st_nlink <= 3;
#endif
}

/* sd-event reads the boot's number from a file with its first timer, unless the library knows it by then. */
static void learn_boot_id(void)
{
	sd_id128_t boot;

	if (sd_id128_get_boot(&boot) < 0) {
		log_warning("sandbox: the number of this boot cannot be read; timers will need it");
	}
}

int sandbox_enter(const struct sandbox_policy *policy, struct sandbox_result *result)
{
	bool drop_all = !policy->keep_capabilities;
	int error;

	*result = (struct sandbox_result){ 0 };
	learn_boot_id();
	if (!is_single_threaded()) {
		return -EBUSY;
	}
	if (drop_all && has_capability(CAP_SETPCAP)) {
		error = drop_bounding_set();
		if (error) {
			return error;
		}
		result->capabilities_dropped = true;
	}
	if (!policy->keep_files) {
		error = empty_root(result);
		if (error) {
			return error;
		}
	}
	error = drop_uid(policy, result);
	if (error) {
		return error;
	}
	if (drop_all) {
		error = drop_capabilities();
		if (error) {
			return error;
		}
	}
	error = set_limits(policy);
	if (error) {
		return error;
	}
	if (!policy->keep_files) {
		error = enter_landlock(result);
		if (error) {
			return error;
		}
	}
#ifdef TANMATSU_SANITIZED
	entered = true;
#endif
	return enter_seccomp(policy, result);
}

static void print_permissions(int fd, const struct sandbox_permission *permissions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sandbox_permission *permission = &permissions[i];
		char *name = seccomp_syscall_resolve_num_arch(
		    SCMP_ARCH_NATIVE, permission->syscall);
		char rule[64] = "any";

		if (permission->argument >= 0 && permission->mask) {
			snprintf(rule, sizeof(rule), "arg%d & 0x%llx == 0x%llx",
			    permission->argument, (unsigned long long)permission->mask,
			    (unsigned long long)permission->value);
		} else if (permission->argument >= 0) {
			snprintf(rule, sizeof(rule), "arg%d == 0x%llx", permission->argument,
			    (unsigned long long)permission->value);
		}
		dprintf(fd, "%-18s %-22s %s\n", name ? name : "?", rule, permission->reason);
		free(name);
	}
}

void sandbox_print(const struct sandbox_policy *policy, int fd)
{
	const struct sandbox_permission *permissions;
	size_t count;

	dprintf(fd, "# %s: %s, %s; any other call ends the process\n", policy->process,
	    policy->keep_files ? "files stay reachable" : "no files",
	    policy->keep_capabilities ? "capabilities kept" : "no capabilities");
	permissions = sandbox_common_permissions(&count);
	print_permissions(fd, permissions, count);
	permissions = sandbox_sanitizer_permissions(&count);
	print_permissions(fd, permissions, count);
	dprintf(fd, "%-18s %-22s %s\n", "tgkill", "arg0 == own pid", "abort()");
	print_permissions(fd, policy->permissions, policy->permission_count);
}
