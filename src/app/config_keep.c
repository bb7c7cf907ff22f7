// SPDX-License-Identifier: MIT
#include "app/config_keep.h"

#include <string.h>

#include "base/log.h"

void config_keep_value(const char *name, bool differs) {
    if (differs)
        log_warning("reload: %s has changed; it counts from the next start on", name);
}

static bool lists_differ(const struct config_text_list *a, const struct config_text_list *b) {
    if (a->count != b->count)
        return true;
    for (unsigned i = 0; i < a->count; i++)
        if (strcmp(a->texts[i], b->texts[i]) != 0)
            return true;
    return false;
}

static void keep_statistics(const struct config_statistics *old,
                            const struct config_statistics *new) {
    config_keep_value("general.statisticsNames", old->names_max != new->names_max);
    config_keep_value("general.statisticsIds", old->ids_max != new->ids_max);
    config_keep_value("general.statisticsSize", old->bytes_max != new->bytes_max);
    config_keep_value("general.statisticsRetention", old->retention_ms != new->retention_ms);
    config_keep_value("general.requestsKept", old->requests_max != new->requests_max);
    config_keep_value("general.failuresKept", old->failures_max != new->failures_max);
}

void config_keep(const struct config_general *old, const struct config_general *new) {
    config_keep_value("general.listen", lists_differ(&old->listen, &new->listen));
    config_keep_value("general.workers", old->workers != new->workers);
    config_keep_value("general.dataLocation", strcmp(old->data_location, new->data_location) != 0);
    config_keep_value("general.cacheLocation",
                      strcmp(old->cache_location, new->cache_location) != 0);
    config_keep_value("general.minFreeSpace", old->free_min_bytes != new->free_min_bytes);
    config_keep_value("general.spillLimit", old->spill_limit != new->spill_limit);
    config_keep_value("general.absencesMax", old->absences_max != new->absences_max);
    config_keep_value("general.enableStatistics", old->enable_statistics != new->enable_statistics);
    keep_statistics(&old->statistics, &new->statistics);
}
