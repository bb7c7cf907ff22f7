// SPDX-License-Identifier: MIT
//
// A Kerberos ticket from a keytab, kept in a file of its own, where libsmbclient finds it
// (KRB5CCNAME).
#pragma once

#include "base/error.h"

/* Sees to it that the file holds a ticket for the principal (NULL or empty: the keytab's first) of
   whose life more than a quarter is left; *out_renewed: it has just been got. Several processes may
   share the file. Blocks on the key distribution centre. */
bool ticket_renew(const char *keytab, const char *principal, const char *file, bool *out_renewed,
                  struct error *err) MUST_CHECK;
