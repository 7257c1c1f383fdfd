/* See vmm_harness.h. */
#include "tests/lib/vmm_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "tests/lib/harness_files.h"
#include "tests/lib/harness_internal.h"

enum {
	TIMEOUT_MS = 30000,
};

int harness_wait_readable(int fd, int timeout_ms)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	int count;

	do {
		count = poll(&poller, 1, timeout_ms);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count == 0 ? -ETIMEDOUT : 0;
}

static const char *find_program(const struct vmm_harness_options *options)
{
	const char *program = options->program ? options->program : getenv("TANMATSU_VMM");

	return program ? program : TANMATSU_VMM_PROGRAM;
}

static int listen_somewhere(int *fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* An address of the family alone: the kernel picks an abstract name. */
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ||
	    listen(*fd, 4) < 0) {
		return -errno;
	}
	return 0;
}

static int connect_to(const struct vmm_harness *vmm, int *fd)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);

	if (getsockname(vmm->listen, (struct sockaddr *)&address, &size) < 0) {
		return -errno;
	}
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*fd < 0 || connect(*fd, (struct sockaddr *)&address, size) < 0) {
		return -errno;
	}
	return 0;
}

static void run_program(int listen_fd, const char *program, uint32_t uid)
{
	/* Out of the way first, should something lie at 3. */
	int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 10);

	/* A test that fails does not come to end it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || dup2(fd, VMM_LISTEN_FD) < 0) {
		_exit(127);
	}
	if (uid) {
		char id[16];

		snprintf(id, sizeof(id), "%u", uid);
		execl(program, program, "--uid", id, "--gid", id, (char *)NULL);
	} else {
		execl(program, program, (char *)NULL);
	}
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

int vmm_harness_start(struct vmm_harness *vmm, const struct vmm_harness_options *options)
{
	int error;

	*vmm = (struct vmm_harness){
		.pid = -1, .control = -1, .listen = -1, .link = -1, .picture_fd = -1
	};
	vmm->timeout_ms = TIMEOUT_MS;
	vmm->exit_code = -1;
	error = listen_somewhere(&vmm->listen);
	if (error) {
		return error;
	}
	vmm->pid = fork();
	if (vmm->pid < 0) {
		return -errno;
	}
	if (vmm->pid == 0) {
		run_program(vmm->listen, find_program(options), options->uid);
	}
	error = connect_to(vmm, &vmm->control);
	return error ? error : vmm_harness_simple(vmm, VMM_HELLO);
}

int vmm_harness_reconnect(struct vmm_harness *vmm)
{
	int error;

	fd_close(&vmm->control);
	error = connect_to(vmm, &vmm->control);
	return error ? error : vmm_harness_simple(vmm, VMM_HELLO);
}

/* Events come between replies. */
static void take_event(struct vmm_harness *vmm)
{
	if (vmm->message.type == VMM_EVENT_EXITING) {
		vmm->exit_code = wire_get_u8(&vmm->message.body);
		wire_get_string(&vmm->message.body, vmm->exit_text, sizeof(vmm->exit_text));
	}
}

int vmm_harness_request(struct vmm_harness *vmm, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count)
{
	int error = ipc_send(vmm->control, type, body, fds, fd_count);

	while (!error) {
		int received;

		error = harness_wait_readable(vmm->control, vmm->timeout_ms);
		if (error) {
			break;
		}
		ipc_message_fini(&vmm->message);
		received = ipc_receive(vmm->control, &vmm->message);
		if (received <= 0) {
			return received ? received : -EPIPE;
		}
		if (vmm->message.type == type + VMM_REPLY) {
			return (int)wire_get_u32(&vmm->message.body);
		}
		take_event(vmm);
	}
	return error;
}

int vmm_harness_simple(struct vmm_harness *vmm, uint16_t type)
{
	return vmm_harness_request(vmm, type, NULL, NULL, 0);
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static int send_config(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, struct harness_files *files)
{
	struct vmm_config config = {
		.memory_mib = options->memory_mib ? options->memory_mib : 64,
		.vcpus = options->vcpus ? options->vcpus : 1,
		.width = options->width ? options->width : 1024,
		.height = options->height ? options->height : 768,
		.descriptors = files->bits,
		.resumes = vmm->generation,
		.snapshot_generation = vmm->generation,
		.layer_count = vmm->layer_count,
		.generation_id = { (uint8_t)vmm->generation, 1 },
	};
	uint8_t buffer[4096];
	struct wire wire;

	config.disk_count = vmm->disk_count;
	memcpy(config.disks, vmm->disks, sizeof(config.disks));
	copy_text(config.session, sizeof(config.session), "test");
	copy_text(config.user, sizeof(config.user), "alice");
	copy_text(config.host, sizeof(config.host), "testhost");
	copy_text(config.command_line, sizeof(config.command_line), options->command_line);
	wire_init_write(&wire, buffer, sizeof(buffer));
	vmm_config_encode(&config, &wire);
	return vmm_harness_request(vmm, VMM_CONFIGURE, &wire, files->fds, files->count);
}

static int open_common(struct harness_files *files, const struct vmm_harness_options *options)
{
	int error = harness_add_file(files, "/dev/kvm", O_RDWR, VMM_FD_KVM);

	if (!error && options->kernel) {
		error = harness_add_file(files, options->kernel, O_RDONLY, VMM_FD_KERNEL);
	}
	if (!error && options->initrd) {
		error = harness_add_file(files, options->initrd, O_RDONLY, VMM_FD_INITRD);
	}
	if (!error && options->console) {
		error = harness_add_file(
		    files, options->console, O_WRONLY | O_CREAT | O_APPEND, VMM_FD_CONSOLE);
	}
	return error;
}

int vmm_harness_configure(struct vmm_harness *vmm, const struct vmm_harness_options *options)
{
	struct harness_files files = { 0 };
	int error = open_common(&files, options);

	error = error ? error : harness_add_disks(vmm, options, &files);
	error = error ? error : send_config(vmm, options, &files);
	harness_close_files(&files);
	return error;
}

/* FOLDER/layers: the generation of the newest snapshot, then those of its layers, oldest first. */
static int read_layers(struct vmm_harness *vmm, const char *folder)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/layers", folder);
	file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	vmm->layer_count = 0;
	if (fscanf(file, "%lu", &vmm->generation) != 1) {
		vmm->generation = 0;
	}
	while (vmm->layer_count < VMM_LAYERS_MAX &&
	       fscanf(file, "%lu", &vmm->layers[vmm->layer_count]) == 1) {
		vmm->layer_count++;
	}
	fclose(file);
	return vmm->generation && vmm->layer_count ? 0 : -ENODATA;
}

static int write_layers(const struct vmm_harness *vmm, const char *folder)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/layers", folder);
	file = fopen(path, "we");
	if (!file) {
		return -errno;
	}
	fprintf(file, "%lu", vmm->generation);
	for (uint32_t i = 0; i < vmm->layer_count; i++) {
		fprintf(file, " %lu", vmm->layers[i]);
	}
	fprintf(file, "\n");
	return fclose(file) == 0 ? 0 : -errno;
}

int vmm_harness_resume(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, const char *folder)
{
	struct harness_files files = { 0 };
	char path[4096];
	int error = read_layers(vmm, folder);

	error = error ? error : open_common(&files, options);
	if (!error) {
		snprintf(path, sizeof(path), "%s/state.%lu", folder, vmm->generation);
		error = harness_add_file(&files, path, O_RDONLY, VMM_FD_STATE);
	}
	error = error ? error : harness_add_disks(vmm, options, &files);
	for (uint32_t i = 0; i < vmm->layer_count && !error; i++) {
		snprintf(path, sizeof(path), "%s/ram.%lu", folder, vmm->layers[i]);
		error = harness_add_file(&files, path, O_RDONLY, 0);
	}
	error = error ? error : send_config(vmm, options, &files);
	harness_close_files(&files);
	return error;
}

int vmm_harness_boot(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, const char *folder)
{
	int error = vmm_harness_start(vmm, options);

	if (!error) {
		error = folder ? vmm_harness_resume(vmm, options, folder)
			       : vmm_harness_configure(vmm, options);
	}
	return error ? error : vmm_harness_simple(vmm, VMM_RUN);
}

int vmm_harness_suspend(
    struct vmm_harness *vmm, const char *folder, struct vmm_suspend_report *report)
{
	static const char *const names[3] = { "state", "ram", "frame" };
	uint64_t generation = vmm->generation + 1;
	struct harness_files files = { 0 };
	uint8_t buffer[8];
	struct wire wire;
	char path[4096];
	int error = 0;

	for (size_t i = 0; i < 3 && !error; i++) {
		snprintf(path, sizeof(path), "%s/%s.%lu", folder, names[i], generation);
		error = harness_add_file(&files, path, O_RDWR | O_CREAT | O_TRUNC, 0);
	}
	if (!error) {
		wire_init_write(&wire, buffer, sizeof(buffer));
		wire_put_u64(&wire, generation);
		error = vmm_harness_request(vmm, VMM_SUSPEND, &wire, files.fds, files.count);
	}
	harness_close_files(&files);
	error = error ? error : vmm_suspend_report_decode(&vmm->message.body, report);
	if (error) {
		return error;
	}
	vmm->generation = generation;
	vmm->layer_count = report->complete ? 0 : vmm->layer_count;
	vmm->layers[vmm->layer_count++] = generation;
	return write_layers(vmm, folder);
}

int vmm_harness_statistics(struct vmm_harness *vmm, struct vmm_statistics *statistics)
{
	int error = vmm_harness_simple(vmm, VMM_STATISTICS);

	return error ? error : vmm_statistics_decode(&vmm->message.body, statistics);
}

int vmm_harness_input(struct vmm_harness *vmm, const struct input_event *events, size_t count)
{
	uint8_t buffer[2 + 256 * INPUT_EVENT_WIRE_SIZE];
	struct wire wire;

	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u16(&wire, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		input_event_encode(&events[i], &wire);
	}
	return vmm_harness_request(vmm, VMM_INPUT, &wire, NULL, 0);
}

int vmm_harness_pointer(struct vmm_harness *vmm, uint32_t x, uint32_t y)
{
	struct scanout scanout;
	struct input_event event = { .type = INPUT_POINTER };
	int error = vmm_harness_simple(vmm, VMM_PICTURE);

	error = error ? error : scanout_decode(&vmm->message.body, &scanout);
	if (error) {
		return error;
	}
	event.x = (uint16_t)(x * 65535ull / (scanout.width - 1));
	event.y = (uint16_t)(y * 65535ull / (scanout.height - 1));
	return vmm_harness_input(vmm, &event, 1);
}

int vmm_harness_picture(
    struct vmm_harness *vmm, uint8_t **pixels, uint32_t *width, uint32_t *height)
{
	struct scanout scanout;
	uint8_t *mapping;
	int fd;
	int error = vmm_harness_simple(vmm, VMM_PICTURE);

	error = error ? error : scanout_decode(&vmm->message.body, &scanout);
	if (error) {
		return error;
	}
	fd = ipc_message_take_fd(&vmm->message, 0);
	mapping = fd < 0 ? MAP_FAILED
			 : mmap(NULL, scanout.memory_size, PROT_READ, MAP_SHARED, fd, 0);
	if (mapping == MAP_FAILED) {
		error = -errno;
		fd_close(&fd);
		return error;
	}
	*width = scanout.width;
	*height = scanout.height;
	*pixels = malloc((size_t)scanout.width * 4 * scanout.height);
	for (uint32_t y = 0; *pixels && y < scanout.height; y++) {
		memcpy(*pixels + (size_t)y * scanout.width * 4,
		    mapping + scanout.offset + (size_t)y * scanout.stride,
		    (size_t)scanout.width * 4);
	}
	munmap(mapping, scanout.memory_size);
	fd_close(&fd);
	return *pixels ? 0 : -ENOMEM;
}

int vmm_harness_wait_exit(struct vmm_harness *vmm)
{
	uint64_t deadline = clock_monotonic_us() + (uint64_t)vmm->timeout_ms * 1000;

	/* What it says before it ends is read up to the end of the stream. */
	while (vmm->control >= 0 && clock_monotonic_us() < deadline) {
		int received;

		if (harness_wait_readable(vmm->control, vmm->timeout_ms)) {
			return -ETIMEDOUT;
		}
		ipc_message_fini(&vmm->message);
		received = ipc_receive(vmm->control, &vmm->message);
		if (received <= 0) {
			break;
		}
		take_event(vmm);
	}
	while (clock_monotonic_us() < deadline) {
		const struct timespec moment = { .tv_nsec = 200000 };

		if (waitpid(vmm->pid, &vmm->status, WNOHANG) == vmm->pid) {
			vmm->exited = true;
			return 0;
		}
		nanosleep(&moment, NULL);
	}
	return -ETIMEDOUT;
}

int vmm_harness_quit(struct vmm_harness *vmm)
{
	int error = vmm_harness_simple(vmm, VMM_QUIT);

	return error ? error : vmm_harness_wait_exit(vmm);
}

void vmm_harness_fini(struct vmm_harness *vmm)
{
	if (vmm->pid > 0 && !vmm->exited) {
		kill(vmm->pid, SIGKILL);
		waitpid(vmm->pid, &vmm->status, 0);
		vmm->exited = true;
	}
	ipc_message_fini(&vmm->message);
	if (vmm->picture) {
		munmap((void *)(uintptr_t)vmm->picture, vmm->scanout.memory_size);
		vmm->picture = NULL;
	}
	fd_close(&vmm->picture_fd);
	fd_close(&vmm->control);
	fd_close(&vmm->listen);
	fd_close(&vmm->link);
}
