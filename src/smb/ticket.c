// SPDX-License-Identifier: MIT
#include "smb/ticket.h"

#include <errno.h>
#include <krb5.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { NAME_BYTES = 1200 };

/* What a question to Kerberos needs, all released together. */
struct kerberos {
    const char *path; /* of the keytab */
    krb5_context context;
    krb5_keytab keytab;
    krb5_principal principal;
    krb5_get_init_creds_opt *options;
    krb5_ccache kept; /* in the file */
    krb5_ccache made; /* beside it */
    krb5_creds ticket;
};

static void kerberos_release(struct kerberos *kerberos) {
    krb5_context context = kerberos->context;
    krb5_free_cred_contents(context, &kerberos->ticket);
    if (kerberos->made)
        krb5_cc_close(context, kerberos->made);
    if (kerberos->kept)
        krb5_cc_close(context, kerberos->kept);
    krb5_get_init_creds_opt_free(context, kerberos->options);
    krb5_free_principal(context, kerberos->principal);
    if (kerberos->keytab)
        krb5_kt_close(context, kerberos->keytab);
    krb5_free_context(context);
}

static bool failed(const struct kerberos *kerberos, krb5_error_code code, struct error *err) {
    const char *why = krb5_get_error_message(kerberos->context, code);
    error_set(err, ERROR_CONNECT, "could not get a Kerberos ticket by keytab \"%s\": %s",
              kerberos->path, why);
    krb5_free_error_message(kerberos->context, why);
    return error_hint(err, "See that the keytab is readable, holds the principal, and that "
                           "krb5.conf leads to the realm's servers.");
}

/* The keytab's first principal. */
static krb5_error_code first_principal(struct kerberos *kerberos) {
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(kerberos->context, kerberos->keytab, &cursor);
    if (code != 0)
        return code;
    code = krb5_kt_next_entry(kerberos->context, kerberos->keytab, &entry, &cursor);
    if (code == 0) {
        code = krb5_copy_principal(kerberos->context, entry.principal, &kerberos->principal);
        krb5_free_keytab_entry_contents(kerberos->context, &entry);
    }
    krb5_kt_end_seq_get(kerberos->context, kerberos->keytab, &cursor);
    return code;
}

static bool open_keytab(struct kerberos *kerberos, const char *principal, struct error *err) {
    char name[NAME_BYTES];
    text_format(name, sizeof name, "FILE:%s", kerberos->path);
    krb5_error_code code = krb5_kt_resolve(kerberos->context, name, &kerberos->keytab);
    if (code == 0 && principal && principal[0])
        code = krb5_parse_name(kerberos->context, principal, &kerberos->principal);
    else if (code == 0)
        code = first_principal(kerberos);
    return code == 0 || failed(kerberos, code, err);
}

/* Is what the file holds good for a while yet? */
static bool is_fresh(struct kerberos *kerberos) {
    krb5_context context = kerberos->context;
    krb5_creds wanted = {.client = kerberos->principal};
    krb5_creds found = {0};
    const krb5_data *realm = &kerberos->principal->realm;
    if (krb5_build_principal_ext(context, &wanted.server, realm->length, realm->data,
                                 KRB5_TGS_NAME_SIZE, KRB5_TGS_NAME, realm->length, realm->data,
                                 0) != 0)
        return false;
    bool fresh = false;
    if (krb5_cc_retrieve_cred(context, kerberos->kept, 0, &wanted, &found) == 0) {
        int64_t begins = found.times.starttime ? found.times.starttime : found.times.authtime;
        int64_t ends = found.times.endtime;
        fresh = ends - clock_wall_s() > (ends - begins) / 4;
        krb5_free_cred_contents(context, &found);
    }
    krb5_free_principal(context, wanted.server);
    return fresh;
}

/* Gets a ticket into a file beside, which then takes the place of the other: whoever reads has a
   whole one. */
static bool get(struct kerberos *kerberos, const char *beside, const char *file,
                struct error *err) {
    krb5_context context = kerberos->context;
    char name[NAME_BYTES];
    text_format(name, sizeof name, "FILE:%s", beside);
    krb5_error_code code = krb5_cc_resolve(context, name, &kerberos->made);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(context, &kerberos->options);
    if (code == 0)
        code = krb5_get_init_creds_opt_set_out_ccache(context, kerberos->options, kerberos->made);
    if (code == 0)
        code = krb5_get_init_creds_keytab(context, &kerberos->ticket, kerberos->principal,
                                          kerberos->keytab, 0, NULL, kerberos->options);
    if (code != 0)
        return failed(kerberos, code, err);
    if (rename(beside, file) == 0)
        return true;
    return error_os(err, ERROR_DISK, errno, "could not replace \"%s\"", file);
}

bool ticket_renew(const char *keytab, const char *principal, const char *file, bool *out_renewed,
                  struct error *err) {
    krb5_context context = NULL;
    if (krb5_init_context(&context) != 0)
        return error_set(err, ERROR_CONFIG, "krb5.conf cannot be read or is not in order");
    CLEANUP(kerberos_release) struct kerberos kerberos = {.path = keytab, .context = context};
    char name[NAME_BYTES];
    char beside[NAME_BYTES];
    text_format(name, sizeof name, "FILE:%s", file);
    text_format(beside, sizeof beside, "%s.%ld", file, (long)getpid());
    if (!open_keytab(&kerberos, principal, err))
        return false;
    krb5_error_code code = krb5_cc_resolve(context, name, &kerberos.kept);
    if (code != 0)
        return failed(&kerberos, code, err);
    *out_renewed = false;
    if (is_fresh(&kerberos))
        return true;
    bool got = get(&kerberos, beside, file, err);
    if (!got)
        unlink(beside);
    *out_renewed = got;
    return got;
}
