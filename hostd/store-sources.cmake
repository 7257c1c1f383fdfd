# Registry, configuration, certificate and user database: the part of the daemon that reads and writes files.
list(APPEND HOSTD_SOURCES
)
