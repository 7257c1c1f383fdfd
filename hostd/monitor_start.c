/*
 * What a new VMM is given: its settings, /dev/kvm, the kernel, the console log, and the files of the snapshot to load. All
 * of it is opened here, since the VMM opens nothing by itself.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"

enum {
	CONSOLE_LIMIT = 4 * 1024 * 1024,
};

struct start {
	struct vmm_config config;
	int fds[8 + VMM_LAYERS_MAX];
	size_t fd_count;
	int layers[CATALOGUE_LAYERS_MAX];
};

static void add_fd(struct start *start, int fd, uint32_t flag)
{
	start->fds[start->fd_count++] = fd;
	start->config.descriptors |= flag;
}

static void close_fds(struct start *start)
{
	for (size_t i = 0; i < start->fd_count; i++) {
		fd_close(&start->fds[i]);
	}
}

static must_check int open_kvm(int *kvm, char text[PROTOCOL_TEXT_MAX])
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int error;

	if (fd >= 0) {
		*kvm = fd;
		return 0;
	}
	error = -errno;
	if (error == -ENOENT) {
		(void)snprintf(text, PROTOCOL_TEXT_MAX,
		    "/dev/kvm is missing: load kvm_intel or kvm_amd, and switch virtualization on "
		    "in the "
		    "firmware");
	} else if (error == -EACCES) {
		(void)snprintf(text, PROTOCOL_TEXT_MAX,
		    "/dev/kvm may not be opened: add the user to the group kvm and log in again");
	} else {
		(void)snprintf(text, PROTOCOL_TEXT_MAX, "/dev/kvm: %s", strerror(-error));
	}
	return error;
}

static must_check int open_file(
    const char *what, const char *path, int *fd, char text[PROTOCOL_TEXT_MAX])
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		int error = -errno;

		(void)snprintf(text, PROTOCOL_TEXT_MAX,
		    "%s %.300s: %s (see `%s =` in the configuration)", what, path, strerror(-error),
		    what);
		return error;
	}
	return 0;
}

static must_check int open_files(struct start *start, struct monitor_desktop *desktop,
    const struct config_resolved *resolved, char text[PROTOCOL_TEXT_MAX])
{
	int fd = -1;
	int error = open_kvm(&fd, text);

	if (error) {
		return error;
	}
	add_fd(start, fd, VMM_FD_KVM);
	if (resolved->kernel[0] != '\0') {
		error = open_file("kernel", resolved->kernel, &fd, text);
		if (error) {
			return error;
		}
		add_fd(start, fd, VMM_FD_KERNEL);
		if (resolved->initrd[0] != '\0') {
			error = open_file("initrd", resolved->initrd, &fd, text);
			if (error) {
				return error;
			}
			add_fd(start, fd, VMM_FD_INITRD);
		}
	}
	error = store_session_log(desktop->store, STORE_LOG_CONSOLE, true, &fd);
	if (error) {
		/* A desktop is worth more than its log. */
		log_warning("session=%s: console log: %s", desktop->user, strerror(-error));
		return 0;
	}
	add_fd(start, fd, VMM_FD_CONSOLE);
	return 0;
}

static must_check int open_snapshot(struct start *start, struct monitor_desktop *desktop,
    uint64_t generation, char text[PROTOCOL_TEXT_MAX])
{
	struct store_identity here = desktop->monitor->identity;
	struct store_generation manifest;
	size_t layer_count = 0;
	int state = -1;
	int error;

	error = store_generation_read(desktop->store, generation, &manifest, text);
	if (error) {
		return error;
	}
	/* A saved desktop keeps the memory and processors it had, whatever the configuration says by now. */
	start->config.memory_mib = manifest.identity.memory_mib;
	start->config.vcpus = manifest.identity.vcpus;
	here.memory_mib = manifest.identity.memory_mib;
	here.vcpus = manifest.identity.vcpus;
	error = store_generation_fits(&manifest, &here, text);
	if (error) {
		return error;
	}
	error = store_generation_open(
	    desktop->store, generation, &manifest, &state, start->layers, &layer_count, text);
	if (error) {
		return error;
	}
	add_fd(start, state, VMM_FD_STATE);
	for (size_t i = 0; i < layer_count; i++) {
		add_fd(start, start->layers[i], 0);
	}
	start->config.layer_count = (uint32_t)layer_count;
	start->config.snapshot_generation = generation;
	return 0;
}

static must_check int check_memory(const struct vmm_config *config, char text[PROTOCOL_TEXT_MAX])
{
	struct sysinfo info;

	if (sysinfo(&info) == 0) {
		uint64_t mib = (uint64_t)info.totalram * info.mem_unit >> 20;

		if (config->memory_mib > mib) {
			(void)snprintf(text, PROTOCOL_TEXT_MAX,
			    "memory = %u MiB is more than this host has (%llu MiB)",
			    config->memory_mib, (unsigned long long)mib);
			return -ENOMEM;
		}
	}
	return 0;
}

static must_check int check_count(const struct monitor *monitor, char text[PROTOCOL_TEXT_MAX])
{
	uint32_t running = 0;

	for (const struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		running += desktop->process != NULL;
	}
	if (running >= monitor->config->host.max_sessions) {
		(void)snprintf(text, PROTOCOL_TEXT_MAX,
		    "%u desktops run already, as many as this host may have ([host] max_sessions)",
		    running);
		return -EUSERS;
	}
	return 0;
}

static void fill_config(struct start *start, const struct monitor_desktop *desktop,
    const struct config_resolved *resolved, uint64_t resumes)
{
	struct vmm_config *config = &start->config;
	time_t now = time(NULL);
	struct tm local = { 0 };

	(void)snprintf(config->session, sizeof(config->session), "%s", desktop->user);
	(void)snprintf(config->user, sizeof(config->user), "%s", desktop->user);
	(void)snprintf(config->host, sizeof(config->host), "%s", desktop->monitor->host);
	if (localtime_r(&now, &local) != NULL) {
		config->timezone_minutes = (int32_t)(local.tm_gmtoff / 60);
	}
	config->memory_mib = resolved->policy.memory_mib;
	config->vcpus = resolved->policy.vcpus;
	config->width = resolved->policy.width;
	config->height = resolved->policy.height;
	(void)snprintf(
	    config->command_line, sizeof(config->command_line), "%s", resolved->command_line);
	config->resumes = resumes;
	config->console_limit = CONSOLE_LIMIT;
}

static must_check int spawn(struct monitor_desktop *desktop, struct start *start)
{
	struct monitor *monitor = desktop->monitor;
	struct monitor_child child = {
		.program = "tanmatsu-vmm",
		.folder = monitor->vmm_fd,
		.name = desktop->user,
		.on_exit = monitor_desktop_on_exit,
		.context = desktop,
	};
	struct wire body;
	int connection = -1;
	int error;

	desktop->slot = monitor_slot_take(monitor);
	if (desktop->slot == 0) {
		return -EUSERS;
	}
	child.slot = desktop->slot;
	error = monitor_spawn_child(monitor, &child, &desktop->process, &connection);
	if (error) {
		goto fail;
	}
	error = ipc_channel_create_take(monitor->event, connection, MONITOR_QUEUE,
	    &monitor_desktop_channel_ops, desktop, &desktop->channel);
	if (error) {
		fd_close(&connection);
		goto fail_process;
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	vmm_config_encode(&start->config, &body);
	error = monitor_vmm_request(desktop, VMM_HELLO, NULL, NULL, 0, NULL);
	if (error == 0) {
		error = monitor_vmm_request(
		    desktop, VMM_CONFIGURE, &body, start->fds, start->fd_count, NULL);
	}
	wire_fini(&body);
	if (error == 0) {
		return 0;
	}
	ipc_channel_destroy(desktop->channel);
	desktop->channel = NULL;
	desktop->pending_count = 0;
fail_process:
	(void)process_signal(desktop->process, SIGKILL);
	process_destroy(desktop->process);
	desktop->process = NULL;
	monitor_remove_socket(monitor->vmm_fd, desktop->user);
fail:
	monitor_slot_free(monitor, desktop->slot);
	desktop->slot = 0;
	return error;
}

int monitor_start_vmm(struct monitor_desktop *desktop, uint64_t generation, uint64_t resumes,
    char text[PROTOCOL_TEXT_MAX])
{
	struct start start = { 0 };
	struct config_resolved resolved;
	int error;

	config_resolve(desktop->monitor->config, desktop->user, NULL, &resolved);
	fill_config(&start, desktop, &resolved, resumes);
	if (getrandom(start.config.generation_id, sizeof(start.config.generation_id), 0) !=
	    (ssize_t)sizeof(start.config.generation_id)) {
		return -EIO;
	}
	error = check_count(desktop->monitor, text);
	if (error == 0) {
		error = open_files(&start, desktop, &resolved, text);
	}
	if (error == 0 && generation != 0) {
		error = open_snapshot(&start, desktop, generation, text);
	}
	if (error == 0) {
		error = check_memory(&start.config, text);
	}
	if (error == 0) {
		error = spawn(desktop, &start);
	}
	close_fds(&start);
	if (error) {
		return error;
	}
	desktop->base = generation;
	desktop->memory_mib = start.config.memory_mib;
	desktop->vcpus = start.config.vcpus;
	monitor_desktop_record(desktop);
	return 0;
}
