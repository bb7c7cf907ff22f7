// SPDX-License-Identifier: MIT
#include "proxy/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { PATH_BYTES = 4096, FILE_BYTES_MAX = 16 * 1024 * 1024 };

static const char file_name[] = "rules.json";

/* Some rules: never changed once it was shown, replaced whole. */
struct rule_set {
    uint64_t next; /* the number of the next rule */
    unsigned count;
    struct rule *list[RULES_MAX];
};

struct rules {
    int root_fd; /* the caller's */
    char path[PATH_BYTES];
    pthread_mutex_t changing; /* held over the disk, by whoever changes; before `lock` */
    pthread_mutex_t lock;
    struct rule_set set; /* guarded by lock; written under both */
};

/* --- the file --- */

static bool read_text(const json_t *object, const char *name, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && text_copy(out, size, text);
}

static bool read_rule(const json_t *json, struct rule *rule, struct error *err) {
    char list[32] = "", origin[32] = "";
    json_int_t id = json_integer_value(json_object_get(json, "id"));
    bool whole = id > 0 && read_text(json, "list", list, sizeof list) &&
                 read_text(json, "server", rule->server, sizeof rule->server) &&
                 read_text(json, "value", rule->value, sizeof rule->value) &&
                 read_text(json, "origin", origin, sizeof origin) &&
                 read_text(json, "comment", rule->comment, sizeof rule->comment) &&
                 rule_list_parse(list, &rule->list) && rule_origin_parse(origin, &rule->origin);
    rule->id = (uint64_t)id;
    rule->at_ms = json_integer_value(json_object_get(json, "at_ms"));
    if (!whole)
        return error_set(err, ERROR_CONFIG, "rule %lld is not whole", (long long)id);
    return rule_check(rule, err);
}

static bool read_set(const json_t *root, struct rule_set *set, struct error *err) {
    const json_t *list = json_object_get(root, "rules");
    size_t index;
    const json_t *element;
    set->next = (uint64_t)json_integer_value(json_object_get(root, "next"));
    if (!json_is_array(list) || json_array_size(list) > RULES_MAX)
        return error_set(err, ERROR_CONFIG, "there is no list of at most %d rules", RULES_MAX);
    json_array_foreach(list, index, element) {
        struct rule *rule = set->list[set->count++] = NEW(struct rule);
        if (!read_rule(element, rule, err))
            return false;
        if (rule->id >= set->next)
            set->next = rule->id + 1;
    }
    return true;
}

static void release_set(struct rule_set *set) {
    for (unsigned i = 0; i < set->count; i++)
        free(set->list[i]);
    *set = (struct rule_set){.next = 1};
}

/* False with ERROR_CONFIG where the file is not to be used. *out_later: a later version's. */
static bool parse(struct rules *rules, const char *text, size_t length, bool *out_later,
                  struct error *err) {
    CLEANUP(json_unref) json_t *root = NULL;
    struct error why;
    int line, column;
    if (!json_parse(text, length, &root, &line, &column, &why))
        return error_set(err, ERROR_CONFIG, "line %d, column %d: %s", line, column, why.what);
    json_int_t format = json_integer_value(json_object_get(root, "format"));
    *out_later = format > RULES_FORMAT;
    if (format != RULES_FORMAT)
        return error_set(err, ERROR_CONFIG, "its format is %lld, this program knows %d",
                         (long long)format, RULES_FORMAT);
    return read_set(root, &rules->set, err);
}

static void set_aside(struct rules *rules, const struct error *why) {
    char to[64];
    text_format(to, sizeof to, "%s.broken-%lld", file_name, (long long)clock_wall_s());
    release_set(&rules->set);
    if (renameat(rules->root_fd, file_name, rules->root_fd, to) == 0)
        log_error("the rules in \"%s\" cannot be used and do not count, the file is kept as "
                  "\"%s\": %s",
                  rules->path, to, why->what);
    else
        log_error("the rules in \"%s\" cannot be used and do not count: %s", rules->path,
                  why->what);
}

/* Takes in what the file says; no file says nothing. False: it is not to be used, err says why. */
static bool read_file(struct rules *rules, bool *out_later, struct error *err) {
    CLEANUP(free_block) char *text = NULL;
    size_t length = 0;
    *out_later = false;
    if (!files_read_whole(rules->path, FILE_BYTES_MAX, &text, &length, err))
        return err->os == ENOENT || err->os == ENOTDIR;
    return parse(rules, text, length, out_later, err);
}

static bool refuse_later(const struct rules *rules, const struct error *why, struct error *err) {
    error_set(err, ERROR_CONFIG, "\"%.150s\" was written by a later version of symgate: %s",
              rules->path, why->what);
    return error_hint(err, "Use that version, or move the file away.");
}

/* False: not to be gone on with. */
static bool load(struct rules *rules, struct error *err) {
    struct error why = {0};
    bool later;
    if (read_file(rules, &later, &why))
        return true;
    if (later)
        return refuse_later(rules, &why, err);
    set_aside(rules, &why);
    return true;
}

static bool refuse_unread(const struct rules *rules, const struct error *why, struct error *err) {
    error_set(err, ERROR_CONFIG, "the rules in \"%.150s\" cannot be used: %s", rules->path,
              why->what);
    return error_hint(err, why->os ? "Run this as the user that symgate runs as."
                                   : "Correct the file, or move it away: the next start of symgate "
                                     "does that, and goes without rules.");
}

/* None yet; NULL with err: there is no such path. */
static struct rules *new_rules(const char *path, int root_fd, struct error *err) {
    struct rules *rules = NEW(struct rules);
    rules->root_fd = root_fd;
    rules->set.next = 1;
    pthread_mutex_init(&rules->changing, NULL);
    pthread_mutex_init(&rules->lock, NULL);
    if (files_join(rules->path, sizeof rules->path, path, file_name))
        return rules;
    error_set(err, ERROR_CONFIG, "the data folder's path is too long");
    rules_free(rules);
    return NULL;
}

struct rules *rules_open(const char *path, int root_fd, struct error *err) {
    struct rules *rules = new_rules(path, root_fd, err);
    if (!rules || load(rules, err))
        return rules;
    rules_free(rules);
    return NULL;
}

struct rules *rules_read(const char *path, struct error *err) {
    struct rules *rules = new_rules(path, -1, err);
    struct error why = {0};
    bool later;
    if (!rules || read_file(rules, &later, &why))
        return rules;
    (void)(later ? refuse_later(rules, &why, err) : refuse_unread(rules, &why, err));
    rules_free(rules);
    return NULL;
}

void rules_free(struct rules *rules) {
    if (!rules)
        return;
    release_set(&rules->set);
    pthread_mutex_destroy(&rules->changing);
    pthread_mutex_destroy(&rules->lock);
    free(rules);
}

static bool write_set(const struct rules *rules, const struct rule_set *set, struct error *err) {
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, FILE_BYTES_MAX);
    buffer_format(&text, "{\"format\": %d, \"next\": %llu, \"rules\": [", RULES_FORMAT,
                  (unsigned long long)set->next);
    for (unsigned i = 0; i < set->count; i++) {
        buffer_append_text(&text, i ? ",\n" : "\n");
        rule_append(&text, set->list[i]);
    }
    buffer_append_text(&text, "\n]}\n");
    if (text.failed)
        return error_set(err, ERROR_INVALID, "the rules are too long for one file");
    return files_replace(rules->root_fd, file_name, text.bytes, text.length, 0644, err);
}

/* --- changes --- */

static void use_set(struct rules *rules, const struct rule_set *set) {
    SCOPED_LOCK(&rules->lock);
    rules->set = *set;
}

static bool is_pattern(enum rule_list list) {
    return list == RULE_EVERYWHERE || list == RULE_BLACKLIST || list == RULE_WHITELIST;
}

/* Of the lists that are no patterns the last one of a server's counts alone. */
static const struct rule *find_same(const struct rule_set *set, const struct rule *rule) {
    for (unsigned i = set->count; i-- > 0;) {
        const struct rule *other = set->list[i];
        if (other->list != rule->list || strcmp(other->server, rule->server) != 0)
            continue;
        if (strcmp(other->value, rule->value) == 0)
            return other;
        if (!is_pattern(rule->list))
            return NULL;
    }
    return NULL;
}

bool rules_add(struct rules *rules, struct rule *rule, struct error *err) {
    if (!rule_check(rule, err))
        return false;
    SCOPED_LOCK(&rules->changing);
    struct rule_set set = rules->set;
    const struct rule *same = find_same(&set, rule);
    if (same)
        return error_set(err, ERROR_INVALID, "rule %llu says so already",
                         (unsigned long long)same->id);
    if (set.count == RULES_MAX) {
        error_set(err, ERROR_INVALID, "there are %d rules already", RULES_MAX);
        return error_hint(err, "Take some into the configuration and undo them.");
    }
    rule->id = set.next++;
    rule->at_ms = clock_wall_ns() / 1000000;
    CLEANUP(free_block) struct rule *added = NEW(struct rule);
    *added = *rule;
    set.list[set.count++] = added;
    if (!write_set(rules, &set, err))
        return false;
    use_set(rules, &set);
    TAKE(added);
    return true;
}

bool rules_undo(struct rules *rules, uint64_t id, bool *out_found, struct error *err) {
    SCOPED_LOCK(&rules->changing);
    struct rule_set set = {.next = rules->set.next};
    CLEANUP(free_block) struct rule *undone = NULL;
    for (unsigned i = 0; i < rules->set.count; i++) {
        if (rules->set.list[i]->id == id)
            undone = rules->set.list[i];
        else
            set.list[set.count++] = rules->set.list[i];
    }
    *out_found = undone != NULL;
    if (!undone)
        return true;
    if (!write_set(rules, &set, err)) {
        TAKE(undone);
        return false;
    }
    use_set(rules, &set);
    return true;
}

void rules_each(struct rules *rules, bool (*show)(const struct rule *rule, void *context),
                void *context) {
    SCOPED_LOCK(&rules->lock);
    for (unsigned i = 0; i < rules->set.count; i++)
        if (!show(rules->set.list[i], context))
            return;
}
