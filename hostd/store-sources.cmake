# Registry, configuration, certificate and user database: the part of the daemon that reads and writes files.
list(APPEND HOSTD_SOURCES
	certificate.c
	certificate_check.c
	certificate_make.c
	config.c
	config_lists.c
	config_parse.c
	config_resolve.c
	config_table.c
	config_values.c
	store.c
	store_generation.c
	store_io.c
	store_load.c
	store_manifest.c
	users.c
)
