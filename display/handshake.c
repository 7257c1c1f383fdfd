/*
 * The RFB handshake (display/handshake.h). What must stay true: HANDSHAKE_DONE is reached only through
 * handshake_answer(granted), or by security type None when the caller said that the peer is known; a type that was not
 * offered leads nowhere; a name or password never lies in memory longer than its login takes.
 */
#include "display/handshake.h"

#include <assert.h>
#include <string.h>

#include "base/wire.h"

enum {
	VERSION_SIZE = 12,
	SECURITY_TYPE_NONE = 1,
	SECURITY_TYPE_VENCRYPT = 19,
	RESULT_OK = 0,
	RESULT_FAILED = 1,
};

enum state {
	STATE_VERSION,
	STATE_SECURITY_TYPE,
	STATE_VENCRYPT_VERSION,
	STATE_VENCRYPT_SUBTYPE,
	STATE_TLS,
	STATE_PLAIN_LENGTHS,
	STATE_PLAIN_NAME,
	STATE_PLAIN_PASSWORD,
	STATE_ANSWER,
	STATE_DONE,
	STATE_REFUSED,
};

static void expect(struct handshake *handshake, enum state state, size_t size)
{
	assert(size <= sizeof(handshake->input));
	handshake->state = (uint8_t)state;
	handshake->input_size = 0;
	handshake->input_wanted = size;
}

static void put(struct handshake *handshake, const void *bytes, size_t size)
{
	/* No state writes more than a reason of HANDSHAKE_REASON_MAX and a few numbers before it is drained; what
	 * the viewer never took is bounded by the number of states. */
	assert(size <= sizeof(handshake->output) - handshake->output_size);
	memcpy(handshake->output + handshake->output_size, bytes, size);
	handshake->output_size += size;
}

static void put_u8(struct handshake *handshake, uint8_t value)
{
	put(handshake, &value, sizeof(value));
}

static void put_be32(struct handshake *handshake, uint32_t value)
{
	uint8_t bytes[4];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_be32(&wire, value);
	put(handshake, bytes, sizeof(bytes));
}

static void put_reason(struct handshake *handshake, const char *reason)
{
	size_t size = strnlen(reason, HANDSHAKE_REASON_MAX);

	put_be32(handshake, (uint32_t)size);
	put(handshake, reason, size);
}

static enum handshake_step refuse(struct handshake *handshake, const char *error)
{
	handshake_fini(handshake);
	expect(handshake, STATE_REFUSED, 0);
	handshake->error = error;
	return HANDSHAKE_REFUSE;
}

static bool is_offered(const struct handshake *handshake, uint32_t type)
{
	for (uint32_t i = 0; i < handshake->offered_count; i++) {
		if (handshake->offered[i] == type) {
			return true;
		}
	}
	return false;
}

void handshake_init(struct handshake *handshake, const uint32_t *types, size_t type_count,
    bool trusted_user, bool private_path)
{
	static const char version[] = "RFB 003.008\n";

	memset(handshake, 0, sizeof(*handshake));
	handshake->error = "";
	for (size_t i = 0; i < type_count && handshake->offered_count < DISPLAY_SECURITY_MAX; i++) {
		bool permitted = types[i] == DISPLAY_SECURITY_X509_PLAIN ||
				 types[i] == DISPLAY_SECURITY_TLS_PLAIN ||
				 (types[i] == DISPLAY_SECURITY_NONE && trusted_user) ||
				 (types[i] == DISPLAY_SECURITY_PLAIN && private_path);

		if (permitted && !is_offered(handshake, types[i])) {
			handshake->offered[handshake->offered_count++] = types[i];
		}
	}
	put(handshake, version, VERSION_SIZE);
	expect(handshake, STATE_VERSION, VERSION_SIZE);
}

void handshake_fini(struct handshake *handshake)
{
	explicit_bzero(handshake->input, sizeof(handshake->input));
	explicit_bzero(handshake->name, sizeof(handshake->name));
	explicit_bzero(handshake->password, sizeof(handshake->password));
}

size_t handshake_wanted(const struct handshake *handshake)
{
	return handshake->input_wanted - handshake->input_size;
}

/* The three digits at `text`, or -1. */
static int three_digits(const uint8_t *text)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return -1;
		}
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static bool offers_vencrypt(const struct handshake *handshake)
{
	return handshake->offered_count > (is_offered(handshake, DISPLAY_SECURITY_NONE) ? 1u : 0u);
}

/* rfbproto 7.1.2: the list, None and VeNCrypt in the order in which they are first configured. */
static enum handshake_step offer_types(struct handshake *handshake)
{
	uint8_t list[2];
	size_t count = 0;
	bool vencrypt = false;

	for (uint32_t i = 0; i < handshake->offered_count; i++) {
		if (handshake->offered[i] == DISPLAY_SECURITY_NONE) {
			list[count++] = SECURITY_TYPE_NONE;
		} else if (!vencrypt) {
			vencrypt = true;
			list[count++] = SECURITY_TYPE_VENCRYPT;
		}
	}
	put_u8(handshake, (uint8_t)count);
	if (count == 0) {
		put_reason(handshake, "No way to log in is permitted for this connection.");
		return refuse(handshake, "no security type can be offered");
	}
	put(handshake, list, count);
	expect(handshake, STATE_SECURITY_TYPE, 1);
	return HANDSHAKE_READ;
}

static enum handshake_step on_version(struct handshake *handshake)
{
	const uint8_t *text = handshake->input;
	int major = three_digits(text + 4);
	int minor = three_digits(text + 8);

	if (memcmp(text, "RFB ", 4) != 0 || major < 0 || text[7] != '.' || minor < 0 ||
	    text[11] != '\n') {
		return refuse(handshake, "not an RFB viewer");
	}
	if (major != 3 || (minor != 7 && minor != 8)) {
		put_be32(handshake, 0);
		put_reason(handshake, "This server needs a viewer that speaks RFB 3.7 or 3.8: "
				      "version 3.3 has no way to "
				      "log in with a user name over an encrypted connection.");
		return refuse(handshake, "version of the protocol is too old");
	}
	handshake->minor = (uint8_t)minor;
	return offer_types(handshake);
}

static enum handshake_step on_security_type(struct handshake *handshake)
{
	static const uint8_t vencrypt_version[2] = { 0, 2 };
	uint8_t type = handshake->input[0];

	if (type == SECURITY_TYPE_NONE && is_offered(handshake, DISPLAY_SECURITY_NONE)) {
		handshake->chosen = DISPLAY_SECURITY_NONE;
		if (handshake->minor >= 8) { /* 3.7 has no SecurityResult after None */
			put_be32(handshake, RESULT_OK);
		}
		expect(handshake, STATE_DONE, 0);
		return HANDSHAKE_DONE;
	}
	if (type == SECURITY_TYPE_VENCRYPT && offers_vencrypt(handshake)) {
		put(handshake, vencrypt_version, sizeof(vencrypt_version));
		expect(handshake, STATE_VENCRYPT_VERSION, sizeof(vencrypt_version));
		return HANDSHAKE_READ;
	}
	if (handshake->minor >= 8) {
		put_be32(handshake, RESULT_FAILED);
		put_reason(handshake, "This security type was not offered.");
	}
	return refuse(handshake, "security type was not offered");
}

static enum handshake_step on_vencrypt_version(struct handshake *handshake)
{
	uint8_t count = 0;

	if (handshake->input[0] != 0 || handshake->input[1] != 2) {
		put_u8(handshake, 0xff); /* not supported */
		return refuse(handshake, "version of VeNCrypt is not 0.2");
	}
	put_u8(handshake, 0);
	for (uint32_t i = 0; i < handshake->offered_count; i++) {
		count = (uint8_t)(count + (handshake->offered[i] != DISPLAY_SECURITY_NONE));
	}
	put_u8(handshake, count);
	for (uint32_t i = 0; i < handshake->offered_count; i++) {
		if (handshake->offered[i] != DISPLAY_SECURITY_NONE) {
			put_be32(handshake, handshake->offered[i]);
		}
	}
	expect(handshake, STATE_VENCRYPT_SUBTYPE, 4);
	return HANDSHAKE_READ;
}

static enum handshake_step on_vencrypt_subtype(struct handshake *handshake)
{
	struct wire wire;
	uint32_t type;

	wire_init_read(&wire, handshake->input, handshake->input_size);
	type = wire_get_be32(&wire);
	if (type == DISPLAY_SECURITY_NONE || !is_offered(handshake, type)) {
		return refuse(handshake, "VeNCrypt subtype was not offered");
	}
	handshake->chosen = type;
	if (type == DISPLAY_SECURITY_PLAIN) {
		expect(handshake, STATE_PLAIN_LENGTHS, 8);
		return HANDSHAKE_READ;
	}
	put_u8(handshake, 1); /* TLS may begin */
	expect(handshake, STATE_TLS, 0);
	return HANDSHAKE_START_TLS;
}

static enum handshake_step on_plain_password(struct handshake *handshake)
{
	handshake->password[handshake->password_size] = '\0';
	/* A NUL inside would make PAM see another name than the log. */
	if (strlen(handshake->name) != handshake->name_size ||
	    strlen(handshake->password) != handshake->password_size) {
		return refuse(handshake, "name or password contains a NUL");
	}
	expect(handshake, STATE_ANSWER, 0);
	return HANDSHAKE_ASK;
}

static enum handshake_step on_plain_name(struct handshake *handshake)
{
	memcpy(handshake->name, handshake->input, handshake->name_size);
	handshake->name[handshake->name_size] = '\0';
	expect(handshake, STATE_PLAIN_PASSWORD, handshake->password_size);
	return handshake->password_size ? HANDSHAKE_READ : on_plain_password(handshake);
}

static enum handshake_step on_plain_lengths(struct handshake *handshake)
{
	struct wire wire;

	wire_init_read(&wire, handshake->input, handshake->input_size);
	handshake->name_size = wire_get_be32(&wire);
	handshake->password_size = wire_get_be32(&wire);
	if (handshake->name_size > DISPLAY_NAME_MAX ||
	    handshake->password_size > DISPLAY_NAME_MAX) {
		return refuse(handshake, "name or password is too long");
	}
	expect(handshake, STATE_PLAIN_NAME, handshake->name_size);
	return handshake->name_size ? HANDSHAKE_READ : on_plain_name(handshake);
}

enum handshake_step handshake_feed(struct handshake *handshake, const void *bytes, size_t size)
{
	assert(size <= handshake_wanted(handshake));
	if (size == 0) {
		return HANDSHAKE_READ;
	}
	memcpy(handshake->input + handshake->input_size, bytes, size);
	handshake->input_size += size;
	if (handshake_wanted(handshake) > 0) {
		/* The beginning must look right too, so that a peer that speaks something else is told at once. */
		if (handshake->state == STATE_VERSION &&
		    memcmp(handshake->input, "RFB ",
			handshake->input_size < 4 ? handshake->input_size : 4) != 0) {
			return refuse(handshake, "not an RFB viewer");
		}
		return HANDSHAKE_READ;
	}
	switch (handshake->state) {
	case STATE_VERSION:
		return on_version(handshake);
	case STATE_SECURITY_TYPE:
		return on_security_type(handshake);
	case STATE_VENCRYPT_VERSION:
		return on_vencrypt_version(handshake);
	case STATE_VENCRYPT_SUBTYPE:
		return on_vencrypt_subtype(handshake);
	case STATE_PLAIN_LENGTHS:
		return on_plain_lengths(handshake);
	case STATE_PLAIN_NAME:
		return on_plain_name(handshake);
	case STATE_PLAIN_PASSWORD:
		memcpy(handshake->password, handshake->input, handshake->password_size);
		explicit_bzero(handshake->input, sizeof(handshake->input));
		return on_plain_password(handshake);
	default:
		assert(false); /* bytes are expected in no other state */
		return refuse(handshake, "internal error");
	}
}

enum handshake_step handshake_tls_done(struct handshake *handshake)
{
	assert(handshake->state == STATE_TLS);
	expect(handshake, STATE_PLAIN_LENGTHS, 8);
	return HANDSHAKE_READ;
}

enum handshake_step handshake_answer(struct handshake *handshake, bool granted, const char *reason)
{
	assert(handshake->state == STATE_ANSWER);
	handshake_fini(handshake);
	if (!granted) {
		put_be32(handshake, RESULT_FAILED);
		if (handshake->minor >= 8) {
			put_reason(handshake, reason);
		}
		return refuse(handshake, "login was denied");
	}
	put_be32(handshake, RESULT_OK);
	expect(handshake, STATE_DONE, 0);
	return HANDSHAKE_DONE;
}

const uint8_t *handshake_output(const struct handshake *handshake, size_t *size)
{
	*size = handshake->output_size;
	return handshake->output;
}

void handshake_sent(struct handshake *handshake, size_t size)
{
	assert(size <= handshake->output_size);
	handshake->output_size -= size;
	memmove(handshake->output, handshake->output + size, handshake->output_size);
}

bool handshake_is_asking(const struct handshake *handshake)
{
	return handshake->state == STATE_ANSWER;
}

uint32_t handshake_chosen(const struct handshake *handshake)
{
	return handshake->chosen;
}

const char *handshake_name(const struct handshake *handshake)
{
	return handshake->name;
}

const char *handshake_password(const struct handshake *handshake)
{
	return handshake->password;
}

const char *handshake_error(const struct handshake *handshake)
{
	return handshake->error;
}
