# Warning, hardening and sanitizer flags, in one interface target that every library and program of ours links.
include(CheckCCompilerFlag)

add_library(tanmatsu_flags INTERFACE)
target_include_directories(tanmatsu_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(tanmatsu_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(tanmatsu_flags INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wshadow;-Wconversion;-Wmissing-prototypes;-Wvla;-Wformat=2;-Wstrict-prototypes;-Wundef;-fno-common>)

set(TANMATSU_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
if(TANMATSU_SANITIZE)
	target_compile_options(tanmatsu_flags INTERFACE -fsanitize=${TANMATSU_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(tanmatsu_flags INTERFACE -fsanitize=${TANMATSU_SANITIZE})
	target_compile_definitions(tanmatsu_flags INTERFACE TANMATSU_SANITIZED=1)
else()
	# Hardening as Debian's dpkg-buildflags has it, plus what a network daemon can afford.
	target_compile_options(tanmatsu_flags INTERFACE
		$<$<COMPILE_LANGUAGE:C>:-fstack-protector-strong;-fstack-clash-protection;-fcf-protection>)
	target_compile_definitions(tanmatsu_flags INTERFACE
		$<$<AND:$<COMPILE_LANGUAGE:C>,$<NOT:$<CONFIG:Debug>>>:_FORTIFY_SOURCE=2>)
	target_link_options(tanmatsu_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

# libFuzzer steers by what the libraries under test do, not only by the target's own file.
if(TANMATSU_FUZZ)
	target_compile_options(tanmatsu_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fsanitize=fuzzer-no-link>)
endif()

option(TANMATSU_COVERAGE "Instrument for gcov" OFF)
if(TANMATSU_COVERAGE)
	target_compile_options(tanmatsu_flags INTERFACE --coverage -O0)
	target_link_options(tanmatsu_flags INTERFACE --coverage)
endif()

# assert() guards our own invariants and stays on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
