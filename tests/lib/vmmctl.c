/*
 * vmmctl: one virtual machine by hand, without a daemon, for whoever writes a guest or a device. See README beside this
 * file. Options before the first action describe the machine; actions are carried out in the order given.
 */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/vmm_harness.h"

static const char usage[] =
    "Usage: vmmctl run [MACHINE OPTION]... [ACTION]...\n"
    "Machine:\n"
    "  --kernel FILE     ELF64 vmlinux or bzImage; default: the built-in demo desktop\n"
    "  --initrd FILE\n"
    "  --append TEXT     kernel command line\n"
    "  --memory MIB      default 64\n"
    "  --cpus N          default 1\n"
    "  --size WxH        default 1024x768\n"
    "  --disk FORMAT:FILE[,base=FILE][,ro]  raw or overlay; up to four times\n"
    "  --console FILE    log of the serial port, appended to\n"
    "  --resume DIR      from the newest snapshot in DIR instead of a boot\n"
    "  --vmm PROGRAM     another tanmatsu-vmm\n"
    "  --uid UID         user and group it becomes (as root)\n"
    "Actions, in order:\n"
    "  --seconds S       let it run for S seconds (also --wait S)\n"
    "  --screenshot FILE write the picture as PNG\n"
    "  --type TEXT       type on a US keyboard; \\n, \\t, \\b and \\e are keys\n"
    "  --key CODE        press and release a key by its number in linux/input-event-codes.h\n"
    "  --down CODE, --up CODE  keys (or buttons, from 272 on) one way\n"
    "  --move X,Y        pointer, in pixels\n"
    "  --click X,Y       move there and click\n"
    "  --wheel N         notches, up positive\n"
    "  --mode WxH        size that the display asks the guest for\n"
    "  --power           press the power button\n"
    "  --reset           start afresh\n"
    "  --wait-exit       wait until the guest ends it\n"
    "  --stats           print statistics\n"
    "  --watch S         be a viewer for S seconds and print the damage that comes\n"
    "  --suspend DIR     write a snapshot; the machine stands still\n"
    "  --go-on           run after that\n"
    "At the end the machine is switched off. Exit: 0 all went well, 1 not, else what tanmatsu-vmm "
    "said.\n";

struct run {
	struct vmm_harness_options options;
	const char *resume;
	struct vmm_harness vmm;
	bool started;
};

static void pause_for(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	while (nanosleep(&time, &time) < 0 && errno == EINTR) {
	}
}

static double since_ms(uint64_t begin_us)
{
	return (double)(clock_monotonic_us() - begin_us) / 1000;
}

static int start(struct run *run)
{
	uint64_t begin = clock_monotonic_us();
	uint64_t configured;
	int error = vmm_harness_start(&run->vmm, &run->options);

	run->started = true;
	configured = clock_monotonic_us();
	if (!error) {
		error = run->resume ? vmm_harness_resume(&run->vmm, &run->options, run->resume)
				    : vmm_harness_configure(&run->vmm, &run->options);
	}
	error = error ? error : vmm_harness_simple(&run->vmm, VMM_RUN);
	if (!error) {
		fprintf(stderr, "vmmctl: %s in %.1f ms, %.1f ms of it the process's start\n",
		    run->resume ? "resumed" : "booted", since_ms(begin),
		    (double)(configured - begin) / 1000);
	}
	return error;
}

static int do_wait(struct run *run, const char *argument)
{
	(void)run;
	pause_for(strtod(argument, NULL));
	return 0;
}

static int do_screenshot(struct run *run, const char *argument)
{
	return vmm_harness_screenshot(&run->vmm, argument);
}

static int do_type(struct run *run, const char *argument)
{
	char text[1024];
	size_t length = 0;

	for (const char *from = argument; *from && length + 1 < sizeof(text); from++) {
		const char *escape = *from == '\\' && from[1]
					 ? strchr("n\nt\tb\be\033\\\\", from[1])
					 : NULL;

		if (escape) {
			text[length++] = escape[1];
			from++;
		} else {
			text[length++] = *from;
		}
	}
	text[length] = '\0';
	return vmm_harness_type(&run->vmm, text);
}

static int send_one(struct run *run, long code, bool down)
{
	struct input_event event = {
		.type = code >= BTN_MISC && code < KEY_OK ? INPUT_BUTTON : INPUT_KEY,
		.code = (uint16_t)code,
		.value = down,
	};

	return vmm_harness_input(&run->vmm, &event, 1);
}

static int do_down(struct run *run, const char *argument)
{
	return send_one(run, strtol(argument, NULL, 0), true);
}

static int do_up(struct run *run, const char *argument)
{
	return send_one(run, strtol(argument, NULL, 0), false);
}

static int do_key(struct run *run, const char *argument)
{
	int error = do_down(run, argument);

	return error ? error : do_up(run, argument);
}

static int do_move(struct run *run, const char *argument)
{
	unsigned x, y;

	if (sscanf(argument, "%u,%u", &x, &y) != 2) {
		return -EINVAL;
	}
	return vmm_harness_pointer(&run->vmm, x, y);
}

static int do_click(struct run *run, const char *argument)
{
	int error = do_move(run, argument);

	pause_for(0.05);
	error = error ? error : send_one(run, BTN_LEFT, true);
	pause_for(0.05);
	return error ? error : send_one(run, BTN_LEFT, false);
}

static int do_wheel(struct run *run, const char *argument)
{
	struct input_event event = { .type = INPUT_WHEEL, .code = REL_WHEEL };

	event.value = (int32_t)strtol(argument, NULL, 0);
	return vmm_harness_input(&run->vmm, &event, 1);
}

static int do_mode(struct run *run, const char *argument)
{
	uint8_t buffer[8];
	struct wire wire;
	unsigned width, height;

	if (sscanf(argument, "%ux%u", &width, &height) != 2) {
		return -EINVAL;
	}
	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u32(&wire, width);
	wire_put_u32(&wire, height);
	return vmm_harness_request(&run->vmm, VMM_RESIZE, &wire, NULL, 0);
}

static int do_power(struct run *run, const char *argument)
{
	(void)argument;
	return vmm_harness_simple(&run->vmm, VMM_POWER_BUTTON);
}

static int do_reset(struct run *run, const char *argument)
{
	(void)argument;
	return vmm_harness_simple(&run->vmm, VMM_RESET);
}

static int do_wait_exit(struct run *run, const char *argument)
{
	(void)argument;
	return vmm_harness_wait_exit(&run->vmm);
}

static int do_stats(struct run *run, const char *argument)
{
	struct vmm_statistics s;
	int error = vmm_harness_statistics(&run->vmm, &s);

	(void)argument;
	if (!error) {
		printf("uptime %.3f s, vcpu %.3f s, exits %lu, private RAM %lu KiB, scans %lu, "
		       "input %lu, viewers %u, "
		       "%ux%u\n",
		    (double)s.uptime_us / 1e6, (double)s.vcpu_us / 1e6, s.exits,
		    s.ram_private_bytes / 1024, s.damage_scans, s.input_events, s.viewers, s.width,
		    s.height);
	}
	return error;
}

static int do_watch(struct run *run, const char *argument)
{
	uint64_t end = clock_monotonic_us() + (uint64_t)(strtod(argument, NULL) * 1e6);
	int error = run->vmm.link < 0 ? vmm_harness_attach(&run->vmm, 1) : 0;

	error = error ? error : vmm_harness_want(&run->vmm, 0);
	while (!error && clock_monotonic_us() < end) {
		uint64_t bytes = 0;

		error = vmm_harness_damage(
		    &run->vmm, (int)((end - clock_monotonic_us()) / 1000) + 1);
		if (error == -ETIMEDOUT) {
			return 0;
		}
		for (size_t i = 0; !error && i < run->vmm.damage.span_count; i++) {
			bytes += run->vmm.damage.spans[i].length;
		}
		if (!error) {
			printf("damage: scanout %u, %zu spans, %lu KiB, %lu us ago\n",
			    run->vmm.damage.scanout_id, run->vmm.damage.span_count, bytes / 1024,
			    clock_monotonic_us() - run->vmm.damage.found_us);
			error = vmm_harness_want(&run->vmm, run->vmm.scanout.id);
		}
	}
	return error;
}

static int do_suspend(struct run *run, const char *argument)
{
	struct vmm_suspend_report report;
	uint64_t begin = clock_monotonic_us();
	int error = vmm_harness_suspend(&run->vmm, argument, &report);

	if (!error) {
		fprintf(stderr,
		    "vmmctl: suspended generation %lu in %.1f ms: RAM %lu KiB%s, state %lu, frame "
		    "%lu KiB\n",
		    report.generation, since_ms(begin), report.ram_bytes / 1024,
		    report.complete ? " (complete)" : "", report.state_bytes,
		    report.frame_bytes / 1024);
	}
	return error;
}

static int do_go_on(struct run *run, const char *argument)
{
	(void)argument;
	return vmm_harness_simple(&run->vmm, VMM_RUN);
}

static const struct {
	const char *name;
	int (*run)(struct run *run, const char *argument);
	bool argument;
} actions[] = {
	{ "--seconds", do_wait, true },
	{ "--wait", do_wait, true },
	{ "--screenshot", do_screenshot, true },
	{ "--type", do_type, true },
	{ "--key", do_key, true },
	{ "--down", do_down, true },
	{ "--up", do_up, true },
	{ "--move", do_move, true },
	{ "--click", do_click, true },
	{ "--wheel", do_wheel, true },
	{ "--mode", do_mode, true },
	{ "--power", do_power, false },
	{ "--reset", do_reset, false },
	{ "--wait-exit", do_wait_exit, false },
	{ "--stats", do_stats, false },
	{ "--watch", do_watch, true },
	{ "--suspend", do_suspend, true },
	{ "--go-on", do_go_on, false },
};

/* True when `name` describes the machine. */
static bool machine_option(struct run *run, const char *name, const char *value)
{
	struct {
		const char *name;
		const char **text;
		uint32_t *number;
	} const options[] = {
		{ "--kernel", &run->options.kernel, NULL },
		{ "--initrd", &run->options.initrd, NULL },
		{ "--append", &run->options.command_line, NULL },
		{ "--console", &run->options.console, NULL },
		{ "--vmm", &run->options.program, NULL },
		{ "--resume", &run->resume, NULL },
		{ "--memory", NULL, &run->options.memory_mib },
		{ "--cpus", NULL, &run->options.vcpus },
		{ "--uid", NULL, &run->options.uid },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(name, options[i].name) == 0) {
			if (options[i].text) {
				*options[i].text = value;
			} else {
				*options[i].number = (uint32_t)strtoul(value, NULL, 0);
			}
			return true;
		}
	}
	for (size_t i = 0; strcmp(name, "--disk") == 0 && i < VMM_DISKS_MAX; i++) {
		if (!run->options.disks[i]) {
			run->options.disks[i] = value;
			return true;
		}
	}
	return strcmp(name, "--size") == 0 &&
	       sscanf(value, "%ux%u", &run->options.width, &run->options.height) == 2;
}

static int fail(struct run *run, const char *what, int error)
{
	fprintf(stderr, "vmmctl: %s: %s\n", what, strerror(-error));
	if (!run->vmm.exited && run->vmm.exit_code < 0 && run->started) {
		run->vmm.timeout_ms = 1000;
		(void)!vmm_harness_wait_exit(&run->vmm);
	}
	if (run->vmm.exit_code >= 0) {
		fprintf(stderr, "vmmctl: tanmatsu-vmm: %d: %s\n", run->vmm.exit_code,
		    run->vmm.exit_text);
	}
	return run->vmm.exit_code > 0 ? run->vmm.exit_code : 1;
}

static int find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(name, actions[i].name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static int run_actions(struct run *run, int argc, char **argv, int from)
{
	int error = start(run);

	if (error) {
		return fail(run, run->resume ? "resuming" : "booting", error);
	}
	for (int i = from; i < argc; i++) {
		int action = find_action(argv[i]);

		if (action < 0 || (actions[action].argument && i + 1 >= argc)) {
			fprintf(stderr, "vmmctl: not an action: %s\n", argv[i]);
			return 1;
		}
		error = actions[action].run(run, actions[action].argument ? argv[i + 1] : NULL);
		if (error) {
			return fail(run, argv[i], error);
		}
		i += actions[action].argument;
	}
	if (!run->vmm.exited) {
		error = vmm_harness_quit(&run->vmm);
		if (error) {
			return fail(run, "quitting", error);
		}
	}
	if (run->vmm.exit_code > 0) {
		fprintf(stderr, "vmmctl: tanmatsu-vmm: %d: %s\n", run->vmm.exit_code,
		    run->vmm.exit_text);
	}
	return WIFEXITED(run->vmm.status) ? WEXITSTATUS(run->vmm.status) : 1;
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	int status;
	int i;

	if (argc < 2 || strcmp(argv[1], "run") != 0) {
		fputs(usage, argc < 2 || strcmp(argv[1], "--help") != 0 ? stderr : stdout);
		return argc >= 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	for (i = 2; i + 1 < argc && machine_option(&run, argv[i], argv[i + 1]); i += 2) {
	}
	if (i < argc && find_action(argv[i]) < 0) {
		fprintf(stderr, "vmmctl: what is %s?\n%s", argv[i], usage);
		return 2;
	}
	status = run_actions(&run, argc, argv, i);
	if (run.started) {
		vmm_harness_fini(&run.vmm);
	}
	return status;
}
