/* Each check of `tanmatsu doctor` on hosts that are broken on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/doctor.h"
#include "fake_server.h"
#include "run.h"

enum {
	NOW_S = 1767225600, /* 2026-01-01 */
	DAY_S = 86400,
};

static struct doctor *make_doctor(void)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));

	assert_non_null(doctor);
	doctor_default_settings(&doctor->settings);
	doctor->settings.known = true;
	doctor->now_s = NOW_S;
	doctor->kvm_path = "/dev/null";
	doctor->pam_folder = "/etc/pam.d";
	doctor->control_error = -ENOENT;
	return doctor;
}

static struct doctor_result check(doctor_check function, const struct doctor *doctor)
{
	struct doctor_result result = { 0 };

	function(doctor, &result);
	assert_true(result.detail[0]);
	/* What is wrong says how it is mended. */
	assert_true(result.level == DOCTOR_OK || result.mend[0]);
	return result;
}

static void test_kvm(void **state)
{
	struct doctor *doctor = make_doctor();
	struct doctor_result result;

	(void)state;
	doctor->kvm_path = "/nowhere/kvm";
	result = check(doctor_check_kvm, doctor);
	assert_int_equal(result.level, DOCTOR_BAD);
	assert_non_null(strstr(result.mend, "modprobe kvm_intel"));
	/* Something that is no KVM. */
	doctor->kvm_path = "/dev/null";
	result = check(doctor_check_kvm, doctor);
	assert_int_equal(result.level, DOCTOR_BAD);
	free(doctor);
}

static void test_daemon(void **state)
{
	struct doctor *doctor = make_doctor();

	(void)state;
	assert_int_equal(check(doctor_check_daemon, doctor).level, DOCTOR_BAD);
	doctor->control_error = -EACCES;
	assert_non_null(strstr(check(doctor_check_daemon, doctor).mend, "usermod"));
	doctor->reachable = true;
	assert_int_equal(check(doctor_check_daemon, doctor).level, DOCTOR_OK);
	free(doctor);
}

static void test_configuration(void **state)
{
	struct doctor *doctor = make_doctor();

	(void)state;
	assert_int_equal(check(doctor_check_configuration, doctor).level, DOCTOR_OK);
	strcpy(doctor->configuration_report, "tanmatsu.conf:3: no such option");
	assert_int_equal(check(doctor_check_configuration, doctor).level, DOCTOR_WARNING);
	doctor->configuration_bad = true;
	assert_non_null(
	    strstr(check(doctor_check_configuration, doctor).detail, "tanmatsu.conf:3"));
	doctor->configuration_bad = false;
	doctor->settings.known = false;
	assert_int_equal(check(doctor_check_configuration, doctor).level, DOCTOR_WARNING);
	free(doctor);
}

static void test_pam(void **state)
{
	char folder[] = "/tmp/tanmatsu-test-XXXXXX", path[128];
	struct doctor *doctor = make_doctor();
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	doctor->pam_folder = folder;
	assert_int_equal(check(doctor_check_pam, doctor).level, DOCTOR_BAD);
	snprintf(path, sizeof(path), "%s/tanmatsu", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(check(doctor_check_pam, doctor).level, DOCTOR_OK);
	/* A folder of its own is looked into instead. */
	strcpy(doctor->settings.pam_confdir, "/nowhere");
	assert_int_equal(check(doctor_check_pam, doctor).level, DOCTOR_BAD);
	unlink(path);
	rmdir(folder);
	free(doctor);
}

static void test_port(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct doctor *doctor = make_doctor();
	struct doctor_result result;
	socklen_t size = sizeof(address);
	int taken = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(taken, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(taken, 1), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&address, &size), 0);
	strcpy(doctor->settings.listen[0].address, "127.0.0.1");
	doctor->settings.listen[0].port = ntohs(address.sin_port);
	result = check(doctor_check_port, doctor);
	assert_int_equal(result.level, DOCTOR_BAD);
	assert_non_null(strstr(result.mend, "ss -ltnp"));
	/* The daemon has it: then it is as it should be. */
	doctor->reachable = true;
	doctor->info.listen[0] = doctor->settings.listen[0];
	doctor->info.listen_count = 1;
	assert_int_equal(check(doctor_check_port, doctor).level, DOCTOR_OK);
	doctor->reachable = false;
	close(taken);
	assert_int_equal(check(doctor_check_port, doctor).level, DOCTOR_OK);
	strcpy(doctor->settings.listen[0].address, "192.0.2.1"); /* nobody's */
	assert_int_equal(check(doctor_check_port, doctor).level, DOCTOR_BAD);
	strcpy(doctor->settings.listen[0].address, "::1:zzz");
	assert_int_equal(check(doctor_check_port, doctor).level, DOCTOR_BAD);
	doctor->settings.listen_count = 0;
	assert_int_equal(check(doctor_check_port, doctor).level, DOCTOR_OK);
	free(doctor);
}

static void test_disk(void **state)
{
	struct doctor *doctor = make_doctor();

	(void)state;
	strcpy(doctor->settings.state, "/tmp/not/yet/there");
	assert_non_null(strstr(check(doctor_check_disk, doctor).detail, " /tmp"));
	/* A file system without a free block, and read-only wherever this runs. */
	strcpy(doctor->settings.state, "/proc");
	assert_int_equal(check(doctor_check_disk, doctor).level, DOCTOR_BAD);
	free(doctor);
}

static void test_clock(void **state)
{
	struct doctor *doctor = make_doctor();

	(void)state;
	assert_int_not_equal(check(doctor_check_clock, doctor).level, DOCTOR_BAD);
	doctor->now_s = 1000;
	assert_int_equal(check(doctor_check_clock, doctor).level, DOCTOR_BAD);
	free(doctor);
}

static void test_viewer(void **state)
{
	struct doctor *doctor = make_doctor();
	char *path = strdup(getenv("PATH"));

	(void)state;
	unsetenv("TANMATSU_VIEWER");
	setenv("PATH", "/nowhere", 1);
	assert_int_equal(check(doctor_check_viewer, doctor).level, DOCTOR_WARNING);
	setenv("TANMATSU_VIEWER", "my-viewer", 1);
	assert_int_equal(check(doctor_check_viewer, doctor).level, DOCTOR_OK);
	unsetenv("TANMATSU_VIEWER");
	setenv("PATH", path, 1);
	free(path);
	free(doctor);
}

/* What make_certificates() shall make wrong. */
struct flaw {
	int begin_days, end_days; /* of the leaf, from NOW_S */
	bool leaf_is_ca;
	bool other_name;
	bool other_ca; /* the CA's file is not that of the one which signed */
};

static void write_certificate(const char *path, gnutls_x509_crt_t certificate)
{
	gnutls_datum_t pem;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
	gnutls_free(pem.data);
	fclose(file);
}

static gnutls_x509_crt_t make_certificate(const char *name, int begin_days, int end_days, bool ca,
    gnutls_x509_privkey_t key, gnutls_x509_crt_t signer, gnutls_x509_privkey_t signer_key)
{
	const unsigned char serial = ca ? 1 : 2;
	gnutls_x509_crt_t certificate;

	assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
	gnutls_x509_crt_set_version(certificate, 3);
	gnutls_x509_crt_set_serial(certificate, &serial, 1);
	gnutls_x509_crt_set_dn_by_oid(
	    certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(
	    certificate, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_activation_time(certificate, NOW_S + begin_days * DAY_S);
	gnutls_x509_crt_set_expiration_time(certificate, NOW_S + end_days * DAY_S);
	gnutls_x509_crt_set_basic_constraints(certificate, ca, -1);
	gnutls_x509_crt_set_key(certificate, key);
	assert_int_equal(gnutls_x509_crt_sign2(certificate, signer ? signer : certificate,
			     signer_key, GNUTLS_DIG_SHA256, 0),
	    0);
	return certificate;
}

static gnutls_x509_privkey_t make_key(void)
{
	gnutls_x509_privkey_t key;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
			     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    0);
	return key;
}

static void make_certificates(const char *folder, const struct flaw *flaw)
{
	gnutls_x509_privkey_t ca_key = make_key(), leaf_key = make_key(), other_key = make_key();
	gnutls_x509_crt_t ca, leaf, other;
	char host[256] = "", path[256];

	gethostname(host, sizeof(host) - 1);
	ca = make_certificate("a CA", -1, 3650, true, ca_key, NULL, ca_key);
	other = make_certificate("another CA", -1, 3650, true, other_key, NULL, other_key);
	leaf = make_certificate(flaw->other_name ? "other.example" : host, flaw->begin_days,
	    flaw->end_days, flaw->leaf_is_ca, leaf_key, ca, ca_key);
	snprintf(path, sizeof(path), "%s/tls/host.pem", folder);
	write_certificate(path, leaf);
	snprintf(path, sizeof(path), "%s/tls/ca.pem", folder);
	write_certificate(path, flaw->other_ca ? other : ca);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(leaf);
	gnutls_x509_crt_deinit(other);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(leaf_key);
	gnutls_x509_privkey_deinit(other_key);
}

static void test_certificates(void **state)
{
	static const struct {
		struct flaw flaw;
		enum doctor_level level;
		const char *told;
	} cases[] = {
		{ { .begin_days = -1, .end_days = 800 }, DOCTOR_OK, "valid for 800 days" },
		{ { .begin_days = -1, .end_days = 10 }, DOCTOR_WARNING, "ends in 10 days" },
		{ { .begin_days = -9, .end_days = -2 }, DOCTOR_BAD, "ended 2 days ago" },
		{ { .begin_days = 2, .end_days = 800 }, DOCTOR_BAD, "not valid yet" },
		{ { .begin_days = -1, .end_days = 800, .leaf_is_ca = true }, DOCTOR_BAD,
		    "which could sign others" },
		{ { .begin_days = -1, .end_days = 800, .other_name = true }, DOCTOR_WARNING,
		    "is not for the name" },
		{ { .begin_days = -1, .end_days = 800, .other_ca = true }, DOCTOR_BAD,
		    "is not signed by" },
	};
	char folder[] = "/tmp/tanmatsu-test-XXXXXX", path[128];
	struct doctor *doctor = make_doctor();

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tls", folder);
	strcpy(doctor->settings.state, folder);
	assert_non_null(strstr(check(doctor_check_certificate, doctor).detail,
	    "is made when the daemon first starts"));
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_result result;

		make_certificates(folder, &cases[i].flaw);
		result = check(doctor_check_certificate, doctor);
		if (result.level != cases[i].level || !strstr(result.detail, cases[i].told)) {
			fail_msg("case %zu: %d %s", i, result.level, result.detail);
		}
	}
	snprintf(path, sizeof(path), "%s/tls/host.pem", folder);
	assert_int_equal(truncate(path, 20), 0);
	assert_non_null(
	    strstr(check(doctor_check_certificate, doctor).detail, "holds no certificate"));
	strcpy(doctor->settings.certificate, "/nowhere/host.pem");
	assert_int_equal(check(doctor_check_certificate, doctor).level, DOCTOR_BAD);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tls/ca.pem", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tls", folder);
	rmdir(path);
	rmdir(folder);
	free(doctor);
}

static void test_settings(void **state)
{
	struct doctor_settings settings;

	(void)state;
	assert_int_equal(doctor_parse_settings(
			     "# printed\n[host]\nlisten = 127.0.0.1:5901 [::1]:5902\nstate = /s\n"
			     "pam_service = p\n[desktop]\nstate = /not/this\n",
			     &settings),
	    0);
	assert_int_equal(settings.listen_count, 2);
	assert_string_equal(settings.listen[0].address, "127.0.0.1");
	assert_int_equal(settings.listen[0].port, 5901);
	assert_string_equal(settings.listen[1].address, "::1");
	assert_int_equal(settings.listen[1].port, 5902);
	assert_string_equal(settings.state, "/s");
	assert_string_equal(settings.pam_service, "p");
	assert_int_equal(doctor_parse_settings("[host]\ncertificate = none\n", &settings), 0);
	assert_string_equal(settings.certificate, "");
	assert_int_equal(doctor_parse_settings("[host]\nlisten = none\n", &settings), 0);
	assert_int_equal(settings.listen_count, 0);
	assert_int_equal(doctor_parse_settings("[host]\nlisten = *:5900, *:5901\n", &settings), 0);
	assert_int_equal(settings.listen_count, 2);
	assert_string_equal(settings.listen[0].address, "*");
	assert_int_not_equal(doctor_parse_settings("[host]\nlisten = 5900\n", &settings), 0);
	assert_int_not_equal(doctor_parse_settings("[host]\nlisten = a:65536\n", &settings), 0);
	assert_int_not_equal(doctor_parse_settings("gibberish\n", &settings), 0);
	assert_int_equal(settings.listen[0].port, 5900);
}

static void test_the_command(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info",
		    .text =
			"{\"parameters\":{\"version\":\"1.2.3\",\"mode\":\"single-user\",\"pid\":9,"
			"\"state\":\"/"
			"tmp\",\"listen\":[{\"address\":\"127.0.0.1\",\"port\":5900}]}}" },
		{ .method = "Doctor",
		    .text = "{\"parameters\":{\"checks\":[{\"name\":\"sandbox\",\"ok\":false,"
			    "\"detail\":\"\\u001b[2Jno seccomp\",\"mend\":\"another kernel\"},"
			    "{\"name\":\"kvm\",\"ok\":false,\"detail\":\"not for the "
			    "daemon\",\"mend\":\"mend it\"},"
			    "{\"name\":5},[],{\"name\":\"\"}]}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run plain = RUN(server, "doctor");
	struct run terminal = RUN_TERMINAL(server, "doctor");
	struct run json = RUN(server, "doctor", "--json");
	json_t *parsed = json_loads(json.out, 0, NULL);
	const json_t *checks = json_object_get(parsed, "checks"), *item;
	size_t index;
	bool seen = false;

	(void)state;
	assert_int_equal(plain.status, CLIENT_FAILED);
	assert_non_null(strstr(plain.out, "bad       sandbox"));
	assert_non_null(strstr(plain.out, "not for the daemon"));
	assert_null(strchr(plain.out, '\033'));
	assert_null(strstr(terminal.out, "\033[2J"));
	assert_non_null(strstr(plain.out, "version 1.2.3, pid 9, single-user mode"));
	assert_true(json_is_false(json_object_get(parsed, "ok")));
	json_array_foreach(checks, index, item)
	{
		assert_true(json_is_string(json_object_get(item, "mend")));
		assert_true(json_is_boolean(json_object_get(item, "ok")));
		seen |= strcmp(json_string_value(json_object_get(item, "name")), "kvm") == 0;
	}
	assert_true(seen);
	json_decref(parsed);
	run_free(&plain);
	run_free(&terminal);
	run_free(&json);
	fake_server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kvm),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_pam),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_viewer),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
