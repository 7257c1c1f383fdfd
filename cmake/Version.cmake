# generated/version.h: the version and the install paths that the programs use.
file(CONFIGURE OUTPUT generated/version.h @ONLY CONTENT [=[/* Made by cmake/Version.cmake: the version and where things are installed. */
#pragma once
#define TANMATSU_VERSION      "@PROJECT_VERSION@"
#define TANMATSU_SYSCONFDIR   "@CMAKE_INSTALL_FULL_SYSCONFDIR@"
#define TANMATSU_LIBEXECDIR   "@CMAKE_INSTALL_FULL_LIBEXECDIR@/tanmatsu"
#define TANMATSU_LOCALSTATEDIR "@CMAKE_INSTALL_FULL_LOCALSTATEDIR@"
#define TANMATSU_RUNSTATEDIR  "@CMAKE_INSTALL_FULL_RUNSTATEDIR@"
]=])
