/* A certificate authority and a leaf for 127.0.0.1 and localhost, made with GnuTLS for the tests. */
#pragma once

/* Writes ca.pem, leaf.pem and key.pem into the folder; asserts on failure. */
void certificate_make(const char *folder);
