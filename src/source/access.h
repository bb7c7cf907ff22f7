// SPDX-License-Identifier: MIT
//
// How an HTTP(S) server is reached: what it is shown (access) and which way leads there (route).
// Whatever is shown belongs to the source's own scheme, host and port and is shown to no other one,
// wherever that server redirects to; of the route the same holds for the pinned TLS version and the
// acceptance of a bad certificate. What is secret here is overwritten before it is given back, is
// part of a source's fingerprint, and stands in no message. Plain data; no I/O.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/hash.h"

enum authentication {
    AUTHENTICATION_NONE,
    AUTHENTICATION_BASIC,
    AUTHENTICATION_DIGEST,
    AUTHENTICATION_NTLM,
    AUTHENTICATION_NEGOTIATE, /* Kerberos, with what the process's GSSAPI library finds */
    AUTHENTICATION_BEARER,
};

enum tls_version { TLS_VERSION_ANY, TLS_VERSION_1_2, TLS_VERSION_1_3 };

struct text_list {
    const char *const *texts;
    unsigned count;
};

/* Each text may be NULL, which is not the same as empty for user and password. */
struct source_access {
    enum authentication authentication;
    const char *user; /* of basic, digest, ntlm (there DOMAIN\user) */
    const char *password;
    const char *token;             /* of bearer */
    struct text_list header_names; /* each with the value of the same place in header_values */
    struct text_list header_values;
    const char *client_certificate; /* a PEM file, or PKCS #12 (.p12, .pfx) */
    const char *client_key;         /* NULL: in the certificate's file */
    const char *client_key_password;
};

struct source_route {
    const char *proxy; /* URL; NULL: what the environment says; "": none, whatever it says */
    enum authentication proxy_authentication;
    const char *proxy_user;
    const char *proxy_password;
    const char *no_proxy; /* hosts, domains, networks, with commas between; NULL: not given */
    const char *ca_file;  /* NULL: the system's authorities */
    enum tls_version tls_version;
    bool accept_bad_certificate;
};

/* "none", "basic", "digest", "ntlm", "negotiate", "bearer". */
const char *authentication_name(enum authentication authentication);

/* The reverse; false for what is none of them. */
bool authentication_parse(const char *text, enum authentication *out_authentication);

/* Does it take more than one answer until a question is let through? */
bool authentication_shakes_hands(enum authentication authentication);

/* Reads "1.2" or "1.3". */
bool tls_version_parse(const char *text, enum tls_version *out_version);

/* What is wrong with a header of one's own, as a clause ("is set by symgate itself"), or NULL.
   Refused are those that would change what is asked or how the answer is framed, and bytes that no
   header may have. */
const char *header_fault(const char *name, const char *value);

/* Deep copies. */
void source_access_copy(struct source_access *to, const struct source_access *from);
void source_route_copy(struct source_route *to, const struct source_route *from);

/* Overwrites and frees what a copy owns. */
void source_access_release(struct source_access *access);
void source_route_release(struct source_route *route);

/* Appends what tells one from another: of each value only its hash under the key. What says nothing
   appends nothing. */
void source_access_digest(const struct source_access *access, const struct hash_key *key,
                          struct buffer *out);
void source_route_digest(const struct source_route *route, const struct hash_key *key,
                         struct buffer *out);

/* Overwrites a text, its end included, and frees it. NULL is allowed. */
void secret_free(char *text);
