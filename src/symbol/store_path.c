// SPDX-License-Identifier: MIT
#include "symbol/store_path.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

enum {
    GUID_DIGITS = 32,
    SSQP_BUILD_ID_DIGITS = 40, /* shorter build ids are padded with zeros (dotnet/symstore) */
};

static const char *const layout_names[] = {
    [LAYOUT_AUTO] = "auto",
    [LAYOUT_SYMSTORE] = "symstore",
    [LAYOUT_TWO_TIER] = "two-tier",
    [LAYOUT_SSQP] = "ssqp",
    [LAYOUT_BREAKPAD] = "breakpad",
    [LAYOUT_DEBUGINFOD] = "debuginfod",
    [LAYOUT_BUILD_ID] = "build-id",
    [LAYOUT_UNIFIED] = "unified",
    [LAYOUT_SLASHSYMBOLS] = "slashsymbols",
};

static const char *const casing_names[] = {
    [CASING_PRESERVE] = "preserve",
    [CASING_LOWER] = "lower",
    [CASING_UPPER] = "upper",
};

/* The paths being gathered. */
struct gathered {
    const struct question *question;
    enum form form;
    struct store_path *out;
    unsigned count;
};

/* Adds a path, unless it stands there already. */
static void add(struct gathered *gathered, const char *path) {
    for (unsigned i = 0; i < gathered->count; i++)
        if (strcmp(gathered->out[i].path, path) == 0)
            return;
    assert(gathered->count < STORE_PATHS_MAX);
    text_copy(gathered->out[gathered->count++].path, LAYOUT_PATH_BYTES, path);
}

/* <name>/<id>/<file> of a spelling, behind a tier. */
static void add_spelled(struct gathered *gathered, const char *tier,
                        const struct spelling *spelling) {
    char plain[NAME_BYTES_MAX + 1], file[NAME_BYTES_MAX + 1], path[LAYOUT_PATH_BYTES];
    if (gathered->form == FORM_POINTER && spelling->part != PART_ITSELF)
        return; /* a pointer does not tell of texts made of the file */
    if (layout_file_name(spelling, plain) && layout_form_name(gathered->form, plain, file) &&
        text_format(path, sizeof path, "%s%s/%s/%s", tier, spelling->name, spelling->id, file))
        add(gathered, path);
}

static void add_symstore(struct gathered *gathered) {
    add_spelled(gathered, "", &gathered->question->spelling);
}

static void add_two_tier(struct gathered *gathered) {
    const struct spelling *spelling = &gathered->question->spelling;
    char tier[LAYOUT_TIER_BYTES];
    layout_tier(spelling->name, tier);
    add_spelled(gathered, tier, spelling);
}

/* "elf-buildid-sym-abc" → "abc"; NULL for another kind of id. *out_symbols: is it the one of the
 * separate debug file? */
static const char *bare_id(const struct symbol_key *key, bool *out_symbols) {
    static const char *const prefixes[] = {"elf-buildid-sym-", "mach-uuid-sym-", "elf-buildid-",
                                           "mach-uuid-"};
    for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        if (!text_starts(key->id, prefixes[i]))
            continue;
        *out_symbols = i < 2;
        return text_is_hex(key->id + length, 0) ? key->id + length : NULL;
    }
    return NULL;
}

static bool is_guid_and_age(const struct symbol_key *key) {
    return key->identifier == IDENTIFIER_PDB70 || key->identifier == IDENTIFIER_PORTABLE;
}

/* --- SSQP ----------------------------------------------------------------------------------- */

/* GUID lower, then the age: dotnet writes it lower, Symbolicator upper. */
static void add_ssqp_guid(struct gathered *gathered, struct spelling *spelling) {
    text_copy(spelling->id, sizeof spelling->id, gathered->question->key.id);
    text_fold(spelling->id);
    if (gathered->question->key.identifier != IDENTIFIER_PORTABLE)
        add_spelled(gathered, "", spelling);
    text_raise(spelling->id + GUID_DIGITS);
    add_spelled(gathered, "", spelling);
}

/* Padded with zeros as dotnet does it, and as it is. */
static void add_ssqp_build_id(struct gathered *gathered, struct spelling *spelling) {
    const struct symbol_key *key = &gathered->question->key;
    bool symbols;
    const char *bare = bare_id(key, &symbols);
    text_copy(spelling->id, sizeof spelling->id, key->id);
    if (bare && key->identifier == IDENTIFIER_ELF) {
        size_t length = strlen(key->id);
        for (size_t digits = strlen(bare); digits < SSQP_BUILD_ID_DIGITS; digits++)
            spelling->id[length++] = '0';
        spelling->id[length] = '\0';
        add_spelled(gathered, "", spelling);
        text_copy(spelling->id, sizeof spelling->id, key->id);
    }
    add_spelled(gathered, "", spelling);
}

static void add_ssqp(struct gathered *gathered) {
    const struct symbol_key *key = &gathered->question->key;
    struct spelling spelling = {.part = key->part};
    text_copy(spelling.name, sizeof spelling.name, key->name);
    switch (key->identifier) {
    case IDENTIFIER_PDB70:
    case IDENTIFIER_PORTABLE:
        add_ssqp_guid(gathered, &spelling);
        return;
    case IDENTIFIER_PE:
        text_copy(spelling.id, sizeof spelling.id, key->id);
        add_spelled(gathered, "", &spelling);
        text_fold(spelling.id);
        add_spelled(gathered, "", &spelling);
        return;
    case IDENTIFIER_ELF:
    case IDENTIFIER_MACHO:
        add_ssqp_build_id(gathered, &spelling);
        return;
    case IDENTIFIER_PDB20:
    case IDENTIFIER_SHA1:
    case IDENTIFIER_OTHER:
    case IDENTIFIER_COUNT:
        break;
    }
    text_copy(spelling.id, sizeof spelling.id, key->id);
    add_spelled(gathered, "", &spelling);
}

/* --- Breakpad, build ids and the like -------------------------------------------------------- */

/* Breakpad's stores hold its text files only. */
static void add_breakpad(struct gathered *gathered) {
    const struct question *question = gathered->question;
    struct spelling spelling = question->spelling;
    if (question->key.part != PART_SYM)
        return;
    text_copy(spelling.id, sizeof spelling.id, question->key.id);
    text_raise(spelling.id);
    add_spelled(gathered, "", &spelling);
    add_spelled(gathered, "", &question->spelling);
}

/* <prefix><first two digits>/<the others><suffix> */
static void add_split_id(struct gathered *gathered, const char *prefix, const char *id,
                         const char *suffix) {
    char path[LAYOUT_PATH_BYTES];
    if (id && strlen(id) > 2 && gathered->form == FORM_PLAIN &&
        text_format(path, sizeof path, "%s%.2s/%s%s", prefix, id, id + 2, suffix))
        add(gathered, path);
}

static void add_debuginfod(struct gathered *gathered) {
    bool symbols;
    const char *id = bare_id(&gathered->question->key, &symbols);
    char path[LAYOUT_PATH_BYTES];
    if (id && gathered->form == FORM_PLAIN &&
        gathered->question->key.identifier == IDENTIFIER_ELF &&
        text_format(path, sizeof path, "buildid/%s/%s", id, symbols ? "debuginfo" : "executable"))
        add(gathered, path);
}

static void add_build_id(struct gathered *gathered) {
    bool symbols = false;
    const char *id = bare_id(&gathered->question->key, &symbols);
    add_split_id(gathered, ".build-id/", id, symbols ? ".debug" : "");
}

static void add_unified(struct gathered *gathered) {
    const struct symbol_key *key = &gathered->question->key;
    bool symbols = true;
    const char *id = bare_id(key, &symbols);
    char folded[ID_BYTES_MAX + 1];
    if (!id && is_guid_and_age(key)) {
        text_copy(folded, sizeof folded, key->id);
        text_fold(folded);
        id = folded;
    }
    if (key->part == PART_SYM)
        add_split_id(gathered, "", id, "/breakpad");
    else
        add_split_id(gathered, "", id, symbols ? "/debuginfo" : "/executable");
}

/* Lower case, and upper as Sony's tool writes it. */
static void add_slashsymbols(struct gathered *gathered) {
    const struct question *question = gathered->question;
    bool symbols;
    const char *bare = bare_id(&question->key, &symbols);
    char id[ID_BYTES_MAX + 1], path[LAYOUT_PATH_BYTES];
    if (gathered->form != FORM_PLAIN || question->key.part != PART_ITSELF)
        return;
    text_copy(id, sizeof id, bare ? bare : question->key.id);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            text_fold(id);
        else
            text_raise(id);
        if (text_format(path, sizeof path, "%s/%s/symbols", question->spelling.name, id))
            add(gathered, path);
    }
}

static void fold_or_raise(struct store_path *path, enum casing casing) {
    switch (casing) {
    case CASING_LOWER:
        text_fold(path->path);
        return;
    case CASING_UPPER:
        text_raise(path->path);
        return;
    case CASING_PRESERVE:
    case CASING_COUNT:
        break;
    }
}

unsigned store_paths(enum layout layout, enum casing casing, const struct question *question,
                     enum form form, struct store_path out_paths[STORE_PATHS_MAX]) {
    static void (*const adders[])(struct gathered * gathered) = {
        [LAYOUT_AUTO] = add_symstore,
        [LAYOUT_SYMSTORE] = add_symstore,
        [LAYOUT_TWO_TIER] = add_two_tier,
        [LAYOUT_SSQP] = add_ssqp,
        [LAYOUT_BREAKPAD] = add_breakpad,
        [LAYOUT_DEBUGINFOD] = add_debuginfod,
        [LAYOUT_BUILD_ID] = add_build_id,
        [LAYOUT_UNIFIED] = add_unified,
        [LAYOUT_SLASHSYMBOLS] = add_slashsymbols,
    };
    struct gathered gathered = {.question = question, .form = form, .out = out_paths};
    assert((unsigned)layout < LAYOUT_COUNT);
    adders[layout](&gathered);
    for (unsigned i = 0; i < gathered.count; i++)
        fold_or_raise(&out_paths[i], casing);
    if (gathered.count == 2 && strcmp(out_paths[0].path, out_paths[1].path) == 0)
        gathered.count = 1;
    return gathered.count;
}

const char *layout_name(enum layout layout) {
    assert((unsigned)layout < LAYOUT_COUNT);
    return layout_names[layout];
}

bool layout_parse(const char *name, enum layout *out_layout) {
    for (unsigned i = 0; i < LAYOUT_COUNT; i++)
        if (strcmp(name, layout_names[i]) == 0) {
            *out_layout = (enum layout)i;
            return true;
        }
    return false;
}

const char *casing_name(enum casing casing) {
    assert((unsigned)casing < CASING_COUNT);
    return casing_names[casing];
}

bool casing_parse(const char *name, enum casing *out_casing) {
    for (unsigned i = 0; i < CASING_COUNT; i++)
        if (strcmp(name, casing_names[i]) == 0) {
            *out_casing = (enum casing)i;
            return true;
        }
    return false;
}
