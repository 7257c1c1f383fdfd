/*
 * The table of options: one entry each, in the order in which they are printed. The manual page tanmatsu.conf(5)
 * describes each of them; a test compares.
 */
#include <string.h>

#include "hostd/config_internal.h"

#define HOST(field)                                    \
	.offset = offsetof(struct config_host, field), \
	.size = sizeof(((struct config_host *)0)->field)
#define DESKTOP(field)                                    \
	.offset = offsetof(struct config_desktop, field), \
	.size = sizeof(((struct config_desktop *)0)->field)

#define SECOND_US 1000000

/* clang-format off */
const struct config_entry config_entries[] = {
	{ { CONFIG_SECTION_HOST, "listen", "ADDRESS:PORT, ..., [IPV6]:PORT, *:PORT for every address, or none",
	    "Where viewers connect over the network." },
	    config_parse_listen, config_print_listen, HOST(listen) },
	{ { CONFIG_SECTION_HOST, "unix", "an absolute path of at most 107 bytes, or none",
	    "The Unix socket for viewers of local users, who need no password there. Default: rfb.sock in runtime." },
	    config_parse_path, config_print_text, HOST(unix_socket) },
	{ { CONFIG_SECTION_HOST, "control", "an absolute path of at most 107 bytes",
	    "The Unix socket of the tanmatsu command. Default: control.sock in runtime." },
	    config_parse_path, config_print_text, HOST(control) },
	{ { CONFIG_SECTION_HOST, "state", "an absolute path",
	    "The folder of the saved desktops and the host's certificate; needs room for their memory." },
	    config_parse_path, config_print_text, HOST(state) },
	{ { CONFIG_SECTION_HOST, "runtime", "an absolute path",
	    "The folder of sockets and records that need not outlive a reboot." },
	    config_parse_path, config_print_text, HOST(runtime) },
	{ { CONFIG_SECTION_HOST, "security_types", "x509plain, tlsplain, plain: one or more, in the order offered",
	    "How a viewer proves who it is: name and password inside TLS with the host's certificate, inside anonymous "
	    "TLS, or in the clear." },
	    config_parse_security, config_print_security, HOST(security) },
	{ { CONFIG_SECTION_HOST, "tls_priority", "a GnuTLS priority string",
	    "Which TLS versions and ciphers are spoken." },
	    config_parse_priority, config_print_text, HOST(tls_priority) },
	{ { CONFIG_SECTION_HOST, "certificate", "an absolute path, or none",
	    "The host's certificate chain in PEM, leaf first. Without it the host makes its own, and renews it." },
	    config_parse_path, config_print_text, HOST(certificate) },
	{ { CONFIG_SECTION_HOST, "key", "an absolute path, or none",
	    "The private key of the certificate, in PEM." },
	    config_parse_path, config_print_text, HOST(key) },
	{ { CONFIG_SECTION_HOST, "ca", "an absolute path, or none",
	    "What \"tanmatsu cert\" prints for viewers when a certificate is given: the PEM that signed it." },
	    config_parse_path, config_print_text, HOST(ca) },
	{ { CONFIG_SECTION_HOST, "names", "host names and IP addresses, at most 16, or none",
	    "Further names of this host in the certificate that it makes itself." },
	    config_parse_names, config_print_names, HOST(names) },
	{ { CONFIG_SECTION_HOST, "login_grace", "1 to 600 seconds",
	    "How long a viewer may take from connecting to being logged in." },
	    config_parse_seconds, config_print_u32, HOST(login_grace_s), .least = 1, .most = 600, .scale = 1 },
	{ { CONFIG_SECTION_HOST, "startup_limit", "BEGIN:RATE:FULL, 1 <= BEGIN <= FULL <= 10000, RATE 0 to 100",
	    "Viewers that may be connected without being logged in: from BEGIN on, RATE percent of new ones are refused, "
	    "rising to all of them at FULL." },
	    config_parse_startup, config_print_startup, HOST(startup_begin) },
	{ { CONFIG_SECTION_HOST, "max_sessions", "1 to 65536",
	    "How many desktops this host keeps track of." },
	    config_parse_u32, config_print_u32, HOST(max_sessions), .least = 1, .most = 65536, .scale = 1 },
	{ { CONFIG_SECTION_HOST, "max_viewers", "1 to 65536",
	    "How many viewers may be connected at a time, logged in or not." },
	    config_parse_u32, config_print_u32, HOST(max_viewers), .least = 1, .most = 65536, .scale = 1 },
	{ { CONFIG_SECTION_HOST, "layout", "a keyboard layout of xkeyboard-config, such as us, jp, de, fr",
	    "The keyboard layout of the desktops." },
	    config_parse_word, config_print_text, HOST(layout) },
	{ { CONFIG_SECTION_HOST, "desktop_name", "a text; %u becomes the user, %h the host",
	    "What stands in the title of a viewer's window." },
	    config_parse_text, config_print_text, HOST(desktop_name) },
	{ { CONFIG_SECTION_HOST, "pam_service", "letters, digits, _ and -",
	    "The PAM service that logins ask." },
	    config_parse_word, config_print_text, HOST(pam_service) },
	{ { CONFIG_SECTION_HOST, "pam_confdir", "an absolute path, or none",
	    "A folder with the PAM service's file, instead of the system's: for trying the host out." },
	    config_parse_path, config_print_text, HOST(pam_confdir) },
	{ { CONFIG_SECTION_HOST, "admin_group", "a group's name, or none",
	    "Whose members may see and steer every desktop with the tanmatsu command, like root." },
	    config_parse_word, config_print_text, HOST(admin_group) },
	{ { CONFIG_SECTION_HOST, "uid_base", "65536 to 4294836223",
	    "The first of 131072 uids that belong to nobody else: each desktop's and each viewer's process has one of "
	    "its own." },
	    config_parse_u32, config_print_u32, HOST(uid_base), .least = 65536, .most = 4294836223, .scale = 1 },

	{ { CONFIG_SECTION_DESKTOP, "memory", "16 to 1048576 MiB, or with a unit: 512M, 4G",
	    "The desktop's memory." },
	    config_parse_memory, config_print_memory, DESKTOP(policy.values.memory_mib),
	    .least = POLICY_MEMORY_MIN_MIB, .most = POLICY_MEMORY_MAX_MIB, .policy_setting = POLICY_SET_MEMORY },
	{ { CONFIG_SECTION_DESKTOP, "vcpus", "1 to 16",
	    "The desktop's processors." },
	    config_parse_u32, config_print_u32, DESKTOP(policy.values.vcpus), .least = 1, .most = POLICY_VCPUS_MAX,
	    .scale = 1, .policy_setting = POLICY_SET_VCPUS },
	{ { CONFIG_SECTION_DESKTOP, "size", "WIDTHxHEIGHT, each 320 to 7680",
	    "The size of the screen in pixels until a viewer asks for another." },
	    config_parse_size, config_print_size, DESKTOP(policy.values.width), .least = POLICY_SIZE_MIN,
	    .most = POLICY_SIZE_MAX, .policy_setting = POLICY_SET_SIZE },
	{ { CONFIG_SECTION_DESKTOP, "kernel", "an absolute path, or none for the built-in demonstration desktop",
	    "The kernel that is started: an x86-64 bzImage, or an ELF file." },
	    config_parse_path, config_print_text, DESKTOP(kernel), .desktop_setting = CONFIG_SET_KERNEL },
	{ { CONFIG_SECTION_DESKTOP, "initrd", "an absolute path, or none",
	    "The kernel's initial RAM disk." },
	    config_parse_path, config_print_text, DESKTOP(initrd), .desktop_setting = CONFIG_SET_INITRD },
	{ { CONFIG_SECTION_DESKTOP, "command_line", "a text of at most 1023 bytes; may be empty",
	    "The kernel's command line." },
	    config_parse_text, config_print_text, DESKTOP(command_line), .desktop_setting = CONFIG_SET_COMMAND_LINE },
	{ { CONFIG_SECTION_DESKTOP, "on_disconnect", "suspend, pause, keep, shutdown",
	    "What is done when the last viewer has been gone for disconnect_grace: memory to disk, processors stopped, "
	    "nothing, or the power button." },
	    config_parse_disconnect, config_print_disconnect, DESKTOP(policy.values.on_disconnect),
	    .policy_setting = POLICY_SET_ON_DISCONNECT },
	{ { CONFIG_SECTION_DESKTOP, "disconnect_grace", "0 to 604800 seconds, or with a unit: 90s, 5min, 2h",
	    "How long a desktop waits for its viewer to come back before on_disconnect." },
	    config_parse_seconds, config_print_u64, DESKTOP(policy.values.disconnect_grace_us), .most = POLICY_GRACE_MAX_S,
	    .scale = SECOND_US, .policy_setting = POLICY_SET_DISCONNECT_GRACE },
	{ { CONFIG_SECTION_DESKTOP, "busy_cpu", "0 to 1600 percent of one processor; 0: never",
	    "CPU use from which on a desktop without a viewer counts as busy and is left alone." },
	    config_parse_u32, config_print_u32, DESKTOP(policy.values.busy_permille), .most = 100 * POLICY_VCPUS_MAX,
	    .scale = 10, .policy_setting = POLICY_SET_BUSY },
	{ { CONFIG_SECTION_DESKTOP, "honour_hold", "yes or no",
	    "Whether a desktop that is held (\"tanmatsu hold\") is left alone when nobody is connected." },
	    config_parse_yes, config_print_yes, DESKTOP(policy.values.honour_hold), .policy_setting = POLICY_SET_HONOUR_HOLD },
	{ { CONFIG_SECTION_DESKTOP, "stop_timeout", "1 to 604800 seconds, or with a unit: 90s, 5min, 2h",
	    "How long a guest may take to shut down after the power button." },
	    config_parse_seconds, config_print_u64, DESKTOP(policy.values.stop_timeout_us), .least = 1,
	    .most = POLICY_GRACE_MAX_S, .scale = SECOND_US, .policy_setting = POLICY_SET_STOP_TIMEOUT },
	{ { CONFIG_SECTION_DESKTOP, "keep_snapshots", "1 to 32",
	    "How many snapshots are kept on disk besides those that they need; only the newest can be resumed." },
	    config_parse_u32, config_print_u32, DESKTOP(policy.values.keep_generations), .least = 1,
	    .most = POLICY_KEEP_GENERATIONS_MAX, .scale = 1, .policy_setting = POLICY_SET_KEEP_GENERATIONS },

	{ { CONFIG_SECTION_USER, "helpers", "user names, each with :view (as without) or :steer, at most 16, or none",
	    "Who may see this user's desktop, or see and steer it." },
	    config_parse_helpers, config_print_helpers, DESKTOP(helpers), .desktop_setting = CONFIG_SET_HELPERS },
};
/* clang-format on */

const size_t config_entry_count = sizeof(config_entries) / sizeof(config_entries[0]);

_Static_assert(
    sizeof(config_entries) / sizeof(config_entries[0]) <= CONFIG_OPTIONS_MAX, "the parser's notes");

const struct config_entry *config_find_entry(enum config_section section, const char *key)
{
	for (size_t i = 0; i < config_entry_count; i++) {
		enum config_section of = config_entries[i].option.section;

		if (strcmp(config_entries[i].option.key, key) == 0 &&
		    (of == section ||
			(section == CONFIG_SECTION_USER && of == CONFIG_SECTION_DESKTOP))) {
			return &config_entries[i];
		}
	}
	return NULL;
}

bool config_option_at(size_t index, struct config_option *option)
{
	if (index >= config_entry_count) {
		return false;
	}
	*option = config_entries[index].option;
	return true;
}
