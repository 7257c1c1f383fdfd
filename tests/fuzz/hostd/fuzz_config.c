/*
 * The configuration's parser: any text. What must hold: no crash, mistakes are counted and reported in whole lines of
 * printable characters, and what is accepted can be printed and read back to the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert(out);
	config_print(config, out);
	fclose(out);
	return text;
}

static void check_report(const struct config_report *report)
{
	assert(!report->errors || report->size);
	for (size_t i = 0; i < report->size; i++) {
		assert(report->text[i] == '\n' ||
		       ((unsigned char)report->text[i] >= 0x20 && report->text[i] != 0x7f));
	}
	assert(!report->size || report->text[report->size - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config, *again;
	struct config_report report = { 0 }, report_again = { 0 };
	struct config_resolved resolved;
	char *text = strndup((const char *)data, size), *printed, *printed_again;

	assert(text);
	if (config_create(CONFIG_MODE_SYSTEM, &config)) {
		abort();
	}
	config_parse(config, "fuzz", text, &report);
	config_finish(config, &report);
	check_report(&report);
	config_resolve(config, "alice", NULL, &resolved);
	if (!report.errors) {
		printed = print(config);
		if (config_create(CONFIG_MODE_SYSTEM, &again)) {
			abort();
		}
		config_parse(again, "again", printed, &report_again);
		config_finish(again, &report_again);
		assert(!report_again.errors);
		printed_again = print(again);
		assert(strcmp(printed, printed_again) == 0);
		config_destroy(again);
		free(printed);
		free(printed_again);
	}
	config_report_fini(&report);
	config_report_fini(&report_again);
	config_destroy(config);
	free(text);
	return 0;
}
