// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/lock.h"
#include "base/text.h"
#include "store/shelf_inside.h"
#include "store/vetting.h"

enum {
    LISTINGS_BYTES_MAX = 16 << 20,
    LISTING_TRUST_MS = 2000,
};

/* One look, on its way through the places where a file may lie. */
struct look {
    struct shelf *shelf;
    struct shelf_root *root;
    const struct spelling *spelling;
    const struct symbol_key *key;
    enum form form;          /* whose file is looked for */
    struct vetting *vetting; /* NULL: whatever lies there */
    bool cached;
    bool cold;        /* some answer needs the disk */
    uint64_t refused; /* the inode that was found false last: paths may lead to it again */
    struct shelf_found *found;
    struct shelf_found other; /* where the first other form lies; no form: none was seen */
};

bool shelf_describe(int fd, struct shelf_found *out_found) {
    struct statx file;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &file) != 0)
        return false;
    out_found->fd = fd;
    out_found->size = file.stx_size;
    out_found->modified_ns = file.stx_mtime.tv_sec * 1000000000LL + file.stx_mtime.tv_nsec;
    out_found->inode = file.stx_ino;
    out_found->device = makedev(file.stx_dev_major, file.stx_dev_minor);
    return true;
}

/* A file system in memory does not remember what is not there, but needs no disk to tell. */
static unsigned how_to_open(const struct look *look) {
    return look->cached && !look->root->quick ? FILES_CACHED : 0;
}

/* Is the file that was found what the key says? An archive of it is noted as another form. */
static bool vet(struct look *look) {
    if (!look->vetting)
        return true;
    enum vetted vetted = vetting_find(look->vetting, look->key, look->found);
    if (vetted == VETTED_UNKNOWN && look->cached)
        look->cold = true;
    else if (vetted == VETTED_UNKNOWN && look->found->inode != look->refused)
        vetted = vetting_check(look->vetting, look->key, look->found, look->shelf->path);
    if (vetted == VETTED_PACKED && !look->other.form) {
        text_copy(look->other.path, sizeof look->other.path, look->found->path);
        look->other.form = FORM_COMPRESSED;
    }
    if (vetted != VETTED_GOOD && !look->cached)
        look->refused = look->found->inode;
    return vetted == VETTED_GOOD;
}

static bool try_path(struct look *look, const char *path) {
    CLEANUP(close_fd) int fd = -1;
    switch (files_open_beneath(look->root->fd, path, how_to_open(look), &fd, NULL)) {
    case FILE_FOUND:
        break;
    case FILE_COLD:
        look->cold = true;
        return false;
    case FILE_ABSENT:
    case FILE_FAILED:
        return false;
    }
    if (!shelf_describe(fd, look->found) || look->found->size == 0)
        return false;
    text_copy(look->found->path, sizeof look->found->path, path);
    look->found->form = look->form;
    if (!vet(look))
        return false;
    (void)TAKE_FD(fd);
    return true;
}

/* --- the listings --------------------------------------------------------------------------- */

/* May a directory be a tier, which holds those of names? */
static bool is_tier(const char *directory) {
    char tier[LAYOUT_TIER_BYTES];
    layout_tier(directory, tier);
    return strlen(tier) == strlen(directory) + 1;
}

/* In a directory with a canonical name, canonical identifiers are found by their path; of files,
 * below an identifier, all are listed, as are the names in a tier. */
static bool not_canonical(const char *id, const void *context) {
    const char *directory = context;
    if (strchr(directory, '/') || is_tier(directory))
        return true;
    struct spelling spelling = {0};
    struct symbol_key key;
    if (!text_copy(spelling.name, sizeof spelling.name, directory) ||
        !text_copy(spelling.id, sizeof spelling.id, id) || !symbol_key_make(&spelling, &key, NULL))
        return false;
    return strcmp(key.name, directory) != 0 || strcmp(key.id, id) != 0;
}

struct listings *shelf_listings_new(void) {
    struct listings_options options = {
        .bytes_max = LISTINGS_BYTES_MAX, .trust_ms = LISTING_TRUST_MS, .wanted = not_canonical};
    return listings_new(&options);
}

/* --- the places ----------------------------------------------------------------------------- */

/* The file that is looked for, as it is called where the symbol's name is written like this. */
static bool file_of(const struct look *look, const char *name, char out[NAME_BYTES_MAX + 1]) {
    struct spelling spelling = {.part = look->key->part};
    char plain[NAME_BYTES_MAX + 1];
    return text_copy(spelling.name, sizeof spelling.name, name) &&
           layout_file_name(&spelling, plain) && layout_form_name(look->form, plain, out);
}

/* The name that a directory stands for: "ap/app.pdb" → "app.pdb". */
static const char *name_of(const char *directory) {
    const char *slash = strrchr(directory, '/');
    return slash ? slash + 1 : directory;
}

static bool try_id(struct look *look, const char *directory, const char *id) {
    const char *names[] = {name_of(directory), look->key->name, look->spelling->name};
    char file[NAME_BYTES_MAX + 1];
    char path[LAYOUT_PATH_BYTES];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        if (file_of(look, names[i], file) &&
            text_format(path, sizeof path, "%s/%s/%s", directory, id, file) && try_path(look, path))
            return true;
    }
    return false;
}

/* The names in a directory, or NULL, with look->cold set where the disk would tell. */
static struct name_set *list(struct look *look, const char *directory) {
    struct name_set *names = NULL;
    struct listings_place place = {.root_fd = look->root->fd,
                                   .directory = directory,
                                   .files_flags = how_to_open(look),
                                   .cached = look->cached};
    switch (listings_find(look->shelf->listings, &place, &names, NULL)) {
    case FILE_FOUND:
        return names;
    case FILE_COLD:
        look->cold = true;
        break;
    case FILE_ABSENT:
    case FILE_FAILED:
        break;
    }
    return NULL;
}

/* A listing is true for a moment longer than its directory, and what was found false once is as if
   it were not there. */
static bool is_there(const struct look *look, const char *path, enum form form) {
    struct shelf_found found = {.form = form};
    CLEANUP(close_fd) int fd = -1;
    if (files_open_beneath(look->root->fd, path, 0, &fd, NULL) != FILE_FOUND)
        return false;
    return !look->vetting || !shelf_describe(fd, &found) ||
           vetting_find(look->vetting, look->key, &found) != VETTED_FALSE;
}

/* Notes the first other form that is seen. */
static void note_form(struct look *look, const struct name_set *files, const char *folder,
                      const char *wanted, enum form form) {
    const char *file = look->other.form ? NULL : name_set_find(files, wanted, 0);
    if (file && text_format(look->other.path, sizeof look->other.path, "%s/%s", folder, file) &&
        (look->cached || is_there(look, look->other.path, form)))
        look->other.form = form;
}

static void note_forms(struct look *look, const struct name_set *files, const char *folder,
                       const char *plain) {
    char file[NAME_BYTES_MAX + 1];
    if (layout_form_name(FORM_COMPRESSED, plain, file))
        note_form(look, files, folder, file, FORM_COMPRESSED);
    /* A pointer does not tell of texts made of the file. */
    if (look->key->part == PART_ITSELF && layout_form_name(FORM_POINTER, plain, file))
        note_form(look, files, folder, file, FORM_POINTER);
}

/* The file too may be written in another case than its directory. */
static bool try_files(struct look *look, const char *directory, const char *id) {
    char folder[LAYOUT_PATH_BYTES];
    char path[LAYOUT_PATH_BYTES];
    char wanted[NAME_BYTES_MAX + 1];
    if (!file_of(look, look->key->name, wanted) ||
        !text_format(folder, sizeof folder, "%s/%s", directory, id))
        return false;
    CLEANUP(name_set_unref_at) struct name_set *files = list(look, folder);
    const char *file;
    for (unsigned n = 0; files && (file = name_set_find(files, wanted, n)); n++)
        if (text_format(path, sizeof path, "%s/%s", folder, file) && try_path(look, path))
            return true;
    if (files && look->form == FORM_PLAIN)
        note_forms(look, files, folder, wanted);
    return false;
}

/* A directory of this name in some case: the identifiers in it may be written in any case too. */
static bool try_directory(struct look *look, const char *directory) {
    CLEANUP(name_set_unref_at) struct name_set *ids = list(look, directory);
    if (!ids)
        return false;
    /* Where both are canonical they are not listed, but the file may be in another case still. */
    if (strcmp(name_of(directory), look->key->name) == 0 &&
        try_files(look, directory, look->key->id))
        return true;
    const char *id;
    for (unsigned n = 0; (id = name_set_find(ids, look->key->id, n)); n++)
        if (try_id(look, directory, id) || try_files(look, directory, id))
            return true;
    return false;
}

static bool try_other_cases(struct look *look) {
    CLEANUP(name_set_unref_at)
    struct name_set *index = shelf_index_take(look->shelf, look->root, look->cached, &look->cold);
    if (try_directory(look, look->key->name))
        return true;
    const char *directory;
    for (unsigned n = 0; index && (directory = name_set_find(index, look->key->name, n)); n++)
        if (try_directory(look, directory))
            return true;
    return false;
}

static bool try_tier(struct look *look, const char *tier) {
    CLEANUP(name_set_unref_at) struct name_set *names = list(look, tier);
    char directory[LAYOUT_PATH_BYTES];
    const char *name;
    for (unsigned n = 0; names && (name = name_set_find(names, look->key->name, n)); n++)
        if (text_format(directory, sizeof directory, "%s/%s", tier, name) &&
            try_directory(look, directory))
            return true;
    return false;
}

static bool try_path_in_tier(struct look *look, const char *name, const char *path) {
    char tier[LAYOUT_TIER_BYTES];
    char whole[LAYOUT_PATH_BYTES];
    layout_tier(name, tier);
    return text_format(whole, sizeof whole, "%s%s", tier, path) && try_path(look, whole);
}

static bool look_in_tiers(struct look *look, const char *spelled, const char *canonical) {
    if (try_path_in_tier(look, look->spelling->name, spelled) ||
        try_path_in_tier(look, look->key->name, canonical))
        return true;
    char tier[LAYOUT_TIER_BYTES];
    layout_tier(look->key->name, tier);
    *strrchr(tier, '/') = '\0';
    if (try_tier(look, tier))
        return true;
    CLEANUP(name_set_unref_at)
    struct name_set *index = shelf_index_take(look->shelf, look->root, look->cached, &look->cold);
    const char *other;
    for (unsigned n = 0; index && (other = name_set_find(index, tier, n)); n++)
        if (try_tier(look, other))
            return true;
    return false;
}

static bool look_everywhere(struct look *look) {
    char spelled[LAYOUT_PATH_BYTES];
    char canonical[LAYOUT_PATH_BYTES];
    if (shelf_index_lacks(look->shelf, look->root, look->key->name))
        return false;
    if (!layout_spelled_path(look->spelling, look->form, spelled) ||
        !layout_shelf_form_path(look->key, look->form, canonical))
        return false;
    if (look->root->two_tier && look_in_tiers(look, spelled, canonical))
        return true;
    if (try_path(look, spelled))
        return true;
    if (strcmp(spelled, canonical) != 0 && try_path(look, canonical))
        return true;
    return try_other_cases(look);
}

/* Without a usable root, the disk is asked again only from time to time. */
static enum shelf_look without_root(struct shelf *shelf, bool cached) {
    return cached && shelf_refresh_due(shelf) ? SHELF_COLD : SHELF_NOTHING;
}

static enum shelf_look look_for(struct look *look) {
    if (!look->cached)
        shelf_refresh(look->shelf);
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(look->shelf);
    if (!root)
        return without_root(look->shelf, look->cached);
    look->root = root;
    if (look_everywhere(look))
        return SHELF_FOUND;
    if (look->cold)
        return SHELF_COLD;
    if (!look->other.form)
        return SHELF_NOTHING;
    *look->found = look->other;
    look->found->fd = -1;
    return SHELF_OTHER_FORM;
}

enum shelf_look shelf_look(struct shelf *shelf, const struct spelling *spelling,
                           const struct symbol_key *key, bool cached,
                           struct shelf_found *out_found) {
    return shelf_look_form(shelf, spelling, key, FORM_PLAIN, cached, out_found);
}

enum shelf_look shelf_look_form(struct shelf *shelf, const struct spelling *spelling,
                                const struct symbol_key *key, enum form form, bool cached,
                                struct shelf_found *out_found) {
    struct look look = {.shelf = shelf,
                        .spelling = spelling,
                        .key = key,
                        .form = form,
                        .vetting = shelf->options.vetting,
                        .cached = cached,
                        .found = out_found};
    return look_for(&look);
}

enum shelf_look shelf_look_unvetted(struct shelf *shelf, const struct spelling *spelling,
                                    const struct symbol_key *key, enum form form,
                                    struct shelf_found *out_found) {
    struct look look = {
        .shelf = shelf, .spelling = spelling, .key = key, .form = form, .found = out_found};
    return look_for(&look);
}

void shelf_condemn(struct shelf *shelf, const struct symbol_key *key, enum form form,
                   const char *path, const char *why) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    CLEANUP(close_fd) int fd = -1;
    struct shelf_found found = {.form = form};
    if (!root || !shelf->options.vetting ||
        files_open_beneath(root->fd, path, 0, &fd, NULL) != FILE_FOUND ||
        !shelf_describe(fd, &found))
        return;
    text_copy(found.path, sizeof found.path, path);
    vetting_condemn(shelf->options.vetting, key, &found, shelf->path, why);
}

/* A removed file that is held open leaves no memory of its name, but it knows that it has none. */
static bool has_a_name(int fd) {
    struct statx file;
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_NLINK, &file) != 0 ||
           file.stx_nlink > 0;
}

bool shelf_unchanged(struct shelf *shelf, const struct shelf_found *found) {
    CLEANUP(shelf_root_unref_at) struct shelf_root *root = shelf_take_root(shelf);
    if (!root)
        return true;
    CLEANUP(close_fd) int fd = -1;
    switch (files_open_beneath(root->fd, found->path, root->quick ? 0 : FILES_CACHED, &fd, NULL)) {
    case FILE_FOUND:
        break;
    case FILE_COLD:
        return has_a_name(found->fd);
    case FILE_ABSENT:
    case FILE_FAILED:
        return false;
    }
    struct shelf_found now;
    return shelf_describe(fd, &now) && now.inode == found->inode && now.device == found->device &&
           now.size == found->size && now.modified_ns == found->modified_ns;
}
