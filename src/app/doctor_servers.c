// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "app/data_folder.h"
#include "app/doctor.h"
#include "app/roster_make.h"
#include "app/rules_apply.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "proxy/telling.h"
#include "source/mount_memory.h"

enum { LIMIT_MS = 15 * 1000, PATH_BYTES = 4096 };

struct examination {
    struct roster *roster;
    unsigned index;
    struct question known;
    bool has_known;
    struct checkup checkup;
    struct error lost; /* a share that was mounted when symgate saw it last, and is not now */
    pthread_t thread;
    bool running;
};

static void *examine(void *context) {
    struct examination *it = context;
    checkup_within(it->roster, it->index, it->has_known ? &it->known : NULL, LIMIT_MS,
                   &it->checkup);
    return NULL;
}

static bool find_known(const char *data, const struct source *source, struct question *out_known) {
    char path[PATH_BYTES];
    struct error ignored = {0};
    bool fits = files_join(path, sizeof path, data, "statistics.db");
    CLEANUP(reading_close_at)
    struct reading *reading = fits ? reading_open(path, NULL, &ignored) : NULL;
    return checkup_find_known(reading, source, out_known);
}

static void begin(struct examination *it, struct roster *roster, unsigned index,
                  const struct question *known, const char *data) {
    struct error err = {0};
    it->roster = roster;
    it->index = index;
    it->has_known = known || find_known(data, roster->sources[index], &it->known);
    if (known)
        it->known = *known;
    it->has_known = it->has_known && checkup_may_ask(roster, index, &it->known);
    if (it->lost.kind == ERROR_NONE)
        it->running = thread_start(&it->thread, "doctor", examine, it, &err);
    if (!it->running)
        it->checkup =
            (struct checkup){.word = CHECKUP_FAILED, .why = it->lost.kind ? it->lost : err};
}

static void add(struct report *report, const char *thing, const struct checkup_told *told) {
    static const enum finding_weight weights[] = {[CHECKUP_FINE] = FINDING_GOOD,
                                                  [CHECKUP_WARNING] = FINDING_WARNING,
                                                  [CHECKUP_PROBLEM] = FINDING_PROBLEM};
    report_add(report, weights[told->weight], told->name, thing, told->sentence, told->cure);
}

/* Whoever names a symbol wants to know who was not asked for it. */
static void add_filtered(struct report *report, const char *thing, const struct roster *roster,
                         unsigned index, const struct question *known) {
    const struct source_options *options = &roster->sources[index]->options;
    struct facts facts = {.server = options->identifier, .what = symbol_kind_name(known->key.kind)};
    struct telling telling;
    enum policy_word word = policy_explain(roster->policy, index, known, &facts.rule);
    if (word == POLICY_ADMITTED || word == POLICY_DISABLED)
        return;
    tell(told_of_policy(word), &facts, &telling);
    report_add(report, FINDING_GOOD, "filtered", thing, telling.sentence, NULL);
}

static void end(struct examination *it, const struct question *known, struct report *report) {
    struct checkup_told told;
    char thing[300];
    const struct source *source = it->roster->sources[it->index];
    if (it->running)
        pthread_join(it->thread, NULL);
    text_format(thing, sizeof thing, "server \"%s\"", source->options.identifier);
    checkup_tell(source, &it->checkup, &told);
    add(report, thing, &told);
    if (known)
        add_filtered(report, thing, it->roster, it->index, known);
    if (checkup_tell_clock(&it->checkup, &told))
        add(report, thing, &told);
}

bool doctor_rules(struct config *config, struct report *report) {
    struct error err = {0};
    char sentence[600];
    struct rules *rules = rules_read(config->general.data_location, &err);
    if (rules) {
        rules_apply(rules, config);
        rules_free(rules);
        return true;
    }
    text_format(sentence, sizeof sentence,
                "No server was asked, since a rule may keep names from it: %s.", err.what);
    report_add(report, FINDING_PROBLEM, "rules", "rules", sentence, err.hint);
    return false;
}

bool doctor_servers(struct config *config, const struct question *known, struct report *report,
                    struct error *err) {
    const char *data = config->general.data_location;
    struct hash_key key = hash_new_key();
    (void)data_folder_read_key(data, &key);
    struct roster *roster = roster_make(config, &key, NULL, err);
    if (!roster)
        return false;
    struct examination *all = NEW_ARRAY(struct examination, roster->count + 1);
    for (unsigned i = 0; i < roster->count; i++) {
        const struct source *source = roster->sources[i];
        if (config->servers[i].directory && config->servers[i].enabled)
            mount_memory_lost(data, source->fingerprint, source->options.remote, &all[i].lost);
        begin(&all[i], roster, i, known, data);
    }
    for (unsigned i = 0; i < roster->count; i++)
        end(&all[i], known, report);
    free(all);
    roster_unref(roster);
    return true;
}
