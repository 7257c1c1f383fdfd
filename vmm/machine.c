/*
 * See machine.h. The order of construction is memory, KVM, devices, interrupt controllers, processors, kernel or
 * snapshot; and what a vCPU thread or a device wants of the machine as a whole (off, afresh, broken) becomes a request
 * that the loop thread carries out, when nothing of the guest is on the stack.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/machine_internal.h"
#include "vmm/snapshot.h"

void machine_lock(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
}

void machine_unlock(struct machine *machine)
{
	pthread_mutex_unlock(&machine->lock);
}

/* Any thread. */
static void wake(struct machine *machine, unsigned what)
{
	uint64_t one = 1;

	atomic_fetch_or(&machine->requests, what);
	if (write(machine->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: the loop has been woken often enough. */
	}
}

static void request(struct machine *machine, unsigned what)
{
	wake(machine, what);
	if (machine->vcpus) {
		vcpus_stop_soon(machine->vcpus);
	}
}

/* The verifier's thread. */
static void on_verified(void *context)
{
	wake(context, MACHINE_REQUEST_VERIFIED);
}

static struct device_timer *environment_timer_create(
    struct device_environment *environment, void (*function)(void *context), void *context)
{
	return timer_create_in(((struct machine *)environment->machine)->timers, function, context);
}

static void environment_request_power_off(struct device_environment *environment)
{
	request(environment->machine, MACHINE_REQUEST_POWER_OFF);
}

static void environment_request_reset(struct device_environment *environment)
{
	request(environment->machine, MACHINE_REQUEST_RESET);
}

static void environment_lock(struct device_environment *environment)
{
	machine_lock(environment->machine);
}

static void environment_unlock(struct device_environment *environment)
{
	machine_unlock(environment->machine);
}

static void on_vcpu_reset(void *context)
{
	request(context, MACHINE_REQUEST_RESET);
}

static void on_vcpu_failure(void *context, const char *text)
{
	struct machine *machine = context;

	machine_lock(machine);
	if (machine->failure[0] == '\0') {
		snprintf(machine->failure, sizeof(machine->failure), "%s", text);
	}
	machine_unlock(machine);
	request(machine, MACHINE_REQUEST_FAILURE);
}

static const struct vcpus_ops vcpu_callbacks = {
	.on_reset = on_vcpu_reset,
	.on_failure = on_vcpu_failure,
};

static void end(struct machine *machine, enum vmm_exit code, const char *text)
{
	machine_stop(machine);
	machine->surroundings.ops->on_end(machine->surroundings.context, code, text);
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct machine *machine = context;
	uint64_t count;
	unsigned requests;

	(void)source;
	(void)events;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		return -errno;
	}
	requests = atomic_exchange(&machine->requests, 0);
	if ((requests & MACHINE_REQUEST_VERIFIED) && ram_verifier_finish(&machine->verifier)) {
		end(machine, VMM_EXIT_SNAPSHOT, machine->verifier.reason);
	} else if (requests & MACHINE_REQUEST_FAILURE) {
		end(machine, VMM_EXIT_KVM, machine->failure);
	} else if (requests & MACHINE_REQUEST_POWER_OFF) {
		end(machine, VMM_EXIT_POWERED_OFF, "the guest switched itself off");
	} else if (requests & MACHINE_REQUEST_RESET) {
		if (log_limiter_permits(&machine->reset_log)) {
			log_info("machine: the guest resets");
		}
		/* The error has been told. */
		(void)!machine_reset(machine);
	}
	return 0;
}

static void set_environment(struct machine *machine)
{
	machine->irq = (struct irq){ .ops = &irq_kvm_ops, .context = &machine->vm };
	machine->environment = (struct device_environment){
		.memory = &machine->memory,
		.bus = machine->bus,
		.irq = &machine->irq,
		.event = machine->surroundings.event,
		.timer_create = environment_timer_create,
		.timer_set = timer_set_at,
		.timer_destroy = timer_destroy_in,
		.now_us = clock_monotonic_us,
		.realtime_us = clock_realtime_us,
		.request_power_off = environment_request_power_off,
		.request_reset = environment_request_reset,
		.lock = environment_lock,
		.unlock = environment_unlock,
		.machine = machine,
	};
}

static int create_surroundings(struct machine *machine)
{
	int error;

	machine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->wake_fd < 0) {
		return -errno;
	}
	error = sd_event_add_io(machine->surroundings.event, &machine->wake, machine->wake_fd,
	    EPOLLIN, on_wake, machine);
	if (error < 0) {
		return error;
	}
	error = timers_create(machine->surroundings.event, &machine->lock, &machine->timers);
	error = error ? error : bus_create(&machine->bus);
	if (error) {
		return error;
	}
	set_environment(machine);
	error = console_create_take(machine->timers, machine->files.console,
	    machine->config.console_limit, &machine->console);
	machine->files.console = -1;
	return error;
}

static int create_vm(struct machine *machine)
{
	int device_fd = machine->files.kvm;
	int error;

	machine->files.kvm = -1;
	error = kvm_vm_create_take(device_fd, &machine->vm);
	if (error) {
		return error;
	}
	framebuffer_set_vm(
	    machine->surroundings.framebuffer, machine->vm.vm_fd, KVM_SLOT_FRAMEBUFFER);
	return kvm_vm_set_memory(&machine->vm, &machine->memory);
}

static int create_processors(struct machine *machine)
{
	int error = kvm_vm_create_controllers(&machine->vm);

	if (!error) {
		error = vcpus_create(&machine->vm, machine->config.vcpus, machine->bus,
		    &machine->lock, &vcpu_callbacks, machine, &machine->vcpus);
	}
	for (uint32_t i = 0; i < machine->config.vcpus && !error; i++) {
		error = cpuid_apply(&machine->cpuid, vcpus_fd(machine->vcpus, i), i);
	}
	return error ? error : machine_save_pristine(machine);
}

static int boot(struct machine *machine, enum vmm_exit *code, char reason[MACHINE_REASON_MAX])
{
	int error;

	*code = VMM_EXIT_KVM;
	error = cpuid_query(machine->vm.device_fd, machine->config.vcpus, &machine->cpuid);
	if (error) {
		return error;
	}
	/* The framebuffer's slot is set with its BAR, and slots come before the interrupt controllers. */
	pci_host_assign(machine->pci);
	error = create_processors(machine);
	if (error) {
		return error;
	}
	error = machine_load_kernel(machine, reason);
	if (error) {
		*code = VMM_EXIT_KERNEL;
	}
	return error;
}

/* Refused here rather than by the first page that is not to be had. */
static int check_memory(const struct machine *machine, char reason[MACHINE_REASON_MAX])
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	if ((uint64_t)machine->config.memory_mib << 20 <= host) {
		return 0;
	}
	snprintf(reason, MACHINE_REASON_MAX, "%u MiB of memory are more than this host's %llu MiB",
	    machine->config.memory_mib, (unsigned long long)host >> 20);
	return -ENOMEM;
}

static int build(struct machine *machine, enum vmm_exit *code, char reason[MACHINE_REASON_MAX])
{
	int error;

	*code = VMM_EXIT_MEMORY;
	error = check_memory(machine, reason);
	if (error) {
		return error;
	}
	error = guestmem_create(&machine->memory, (uint64_t)machine->config.memory_mib << 20);
	if (!error) {
		error = ram_init(&machine->ram, &machine->memory, machine->surroundings.framebuffer,
		    machine->surroundings.pagemap_fd);
	}
	if (error) {
		snprintf(reason, MACHINE_REASON_MAX, "%u MiB of memory: %s",
		    machine->config.memory_mib, strerrordesc_np(-error));
		return error;
	}
	machine->ram.progress = machine->surroundings.ops->on_progress;
	machine->ram.progress_context = machine->surroundings.context;
	*code = VMM_EXIT_KVM;
	error = create_surroundings(machine);
	error = error ? error : create_vm(machine);
	if (error) {
		return error;
	}
	machine_lock(machine);
	error = machine_create_devices(machine);
	if (!error) {
		error = machine->config.snapshot_generation
			    ? snapshot_load(machine, create_processors, code, reason)
			    : boot(machine, code, reason);
	}
	machine_unlock(machine);
	if (!error) {
		error = ram_verifier_start(&machine->verifier, &machine->ram, on_verified, machine);
	}
	return error;
}

int machine_create(const struct machine_surroundings *surroundings, const struct vmm_config *config,
    struct machine_files *files, struct machine **machine, enum vmm_exit *code,
    char reason[MACHINE_REASON_MAX])
{
	struct machine *created = calloc(1, sizeof(*created));
	int error;

	*code = VMM_EXIT_MEMORY;
	reason[0] = '\0';
	if (!created) {
		return -ENOMEM;
	}
	created->surroundings = *surroundings;
	created->config = *config;
	created->files = *files;
	created->wake_fd = -1;
	created->reset_log = (struct log_limiter){ .burst = 5, .interval_ms = 60000 };
	created->vm.vm_fd = -1;
	created->vm.device_fd = -1;
	pthread_mutex_init(&created->lock, NULL);
	error = build(created, code, reason);
	if (error) {
		if (reason[0] == '\0') {
			snprintf(reason, MACHINE_REASON_MAX, "building the machine: %s",
			    strerrordesc_np(-error));
		}
		machine_destroy(created);
		return error;
	}
	*machine = created;
	return 0;
}

void machine_destroy(struct machine *machine)
{
	if (!machine) {
		return;
	}
	ram_verifier_cancel(&machine->verifier);
	vcpus_destroy(machine->vcpus);
	machine->vcpus = NULL;
	machine_lock(machine);
	machine_destroy_devices(machine);
	console_destroy(machine->console);
	machine_unlock(machine);
	wire_fini(&machine->pristine);
	timers_destroy(machine->timers);
	bus_destroy(machine->bus);
	sd_event_source_disable_unref(machine->wake);
	fd_close(&machine->wake_fd);
	kvm_vm_fini(&machine->vm);
	ram_fini(&machine->ram);
	guestmem_fini(&machine->memory);
	machine_files_close(&machine->files);
	pthread_mutex_destroy(&machine->lock);
	free(machine);
}

void machine_run(struct machine *machine)
{
	if (!machine->running) {
		machine->running = true;
		machine->running_since_us = clock_monotonic_us();
		vcpus_run(machine->vcpus);
	}
}

void machine_stop(struct machine *machine)
{
	vcpus_stop(machine->vcpus);
	if (machine->running) {
		machine->running = false;
		machine->ran_us += clock_monotonic_us() - machine->running_since_us;
	}
}

bool machine_running(const struct machine *machine)
{
	return machine->running;
}

int machine_reset(struct machine *machine)
{
	char reason[MACHINE_REASON_MAX] = "the machine's memory could not be cleared";
	bool running = machine->running;
	int error;

	machine_stop(machine);
	machine_lock(machine);
	machine_reset_devices(machine);
	error = machine_load_pristine(machine);
	error = error ? error : ram_reset(&machine->ram);
	error = error ? error : machine_load_kernel(machine, reason);
	machine_unlock(machine);
	if (error) {
		end(machine, VMM_EXIT_KERNEL, reason);
		return error;
	}
	if (running) {
		machine_run(machine);
	}
	return 0;
}

int machine_suspend(struct machine *machine, uint64_t generation, const int files[3],
    struct vmm_suspend_report *report, char reason[MACHINE_REASON_MAX])
{
	bool running = machine->running;
	/* A new layer goes on top of good ones only; the guest runs on while the last are looked at. */
	int error = ram_verifier_finish(&machine->verifier);
	uint64_t start = clock_monotonic_us();

	if (error) {
		snprintf(reason, MACHINE_REASON_MAX, "%s", machine->verifier.reason);
		return error;
	}
	machine_stop(machine);
	machine_lock(machine);
	console_flush(machine->console);
	machine_quiesce_devices(machine);
	error = snapshot_save(machine, generation, files, report, reason);
	machine_unlock(machine);
	report->stopped_us = clock_monotonic_us() - start;
	if (error && running) {
		machine_run(machine);
	}
	return error;
}

bool machine_scanout(const struct machine *machine, struct scanout *scanout)
{
	return bochs_display_scanout(machine->display, scanout);
}

struct framebuffer *machine_framebuffer(struct machine *machine)
{
	return machine->surroundings.framebuffer;
}

void machine_input(struct machine *machine, const struct input_event *event)
{
	struct scanout scanout = { .width = machine->config.width,
		.height = machine->config.height };

	(void)!machine_scanout(machine, &scanout);
	machine->input_events++;
	input_router_event(machine->router, event, scanout.width, scanout.height);
}

uint8_t machine_leds(const struct machine *machine)
{
	return virtio_input_ready(machine->keyboard) ? virtio_input_leds(machine->keyboard)
						     : i8042_leds(machine->i8042);
}

void machine_set_preferred_size(struct machine *machine, uint32_t width, uint32_t height)
{
	bochs_display_set_preferred(machine->display, width, height);
}

void machine_press_power_button(struct machine *machine)
{
	pm_press_power_button(machine->pm);
	bochs_display_notify_power_button(machine->display);
}

struct timers *machine_timers(struct machine *machine)
{
	return machine->timers;
}

void machine_statistics(struct machine *machine, struct vmm_statistics *statistics)
{
	struct scanout scanout = { 0 };

	statistics->uptime_us = machine->ran_us +
				(machine->running ? clock_monotonic_us() - machine->running_since_us
						  : 0);
	statistics->vcpu_us = vcpus_cpu_us(machine->vcpus);
	statistics->exits = vcpus_exits(machine->vcpus);
	statistics->ram_private_bytes = ram_private_bytes(&machine->ram);
	statistics->input_events = machine->input_events;
	if (machine_scanout(machine, &scanout)) {
		statistics->width = scanout.width;
		statistics->height = scanout.height;
	}
}
