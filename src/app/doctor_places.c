// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/data_folder.h"
#include "app/doctor.h"
#include "base/numbers.h"
#include "base/text.h"
#include "server/listener.h"
#include "source/smb_helper.h"
#include "store/shelf.h"
#include "store/shelf_place.h"

enum {
    DESCRIPTORS_WANTED = 65536,
    PATH_BYTES = 4096,
};

static bool writable(const char *path) {
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* The nearest folder above a path that is there. */
static void existing_parent(const char *path, char out[PATH_BYTES]) {
    text_copy(out, PATH_BYTES, path);
    while (access(out, F_OK) != 0) {
        char *slash = strrchr(out, '/');
        if (!slash || slash == out) {
            text_copy(out, PATH_BYTES, "/");
            return;
        }
        *slash = '\0';
    }
}

static void judge_disk(const struct config_general *general, const char *path,
                       struct report *report) {
    struct statvfs disk;
    char there[PATH_BYTES], left[32], wanted[32], sentence[400];
    existing_parent(path, there);
    if (statvfs(there, &disk) != 0)
        return;
    uint64_t left_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t wanted_bytes = general->free_min_bytes != FREE_MIN_DEFAULT
                                ? general->free_min_bytes
                                : shelf_default_free((uint64_t)disk.f_blocks * disk.f_frsize);
    number_format_size(left, sizeof left, left_bytes);
    number_format_size(wanted, sizeof wanted, wanted_bytes);
    if (disk.f_flag & ST_RDONLY)
        report_add(report, FINDING_PROBLEM, "read-only", path,
                   "The disk is mounted read-only: files are delivered and not kept.",
                   "Mount it for writing, or choose another general.cacheLocation.");
    else if (left_bytes <= wanted_bytes) {
        text_format(sentence, sizeof sentence,
                    "Only %s are free, and %s are to be left: files are delivered and not kept.",
                    left, wanted);
        report_add(report, FINDING_PROBLEM, "disk-full", path, sentence,
                   "Make room, or lower general.minFreeSpace.");
    } else {
        text_format(sentence, sizeof sentence, "It can be written; %s are free.", left);
        report_add(report, FINDING_GOOD, "folder", path, sentence, NULL);
    }
}

static void judge_folder(const struct config_general *general, const char *path, const char *key,
                         struct report *report) {
    char there[PATH_BYTES], cure[400];
    struct stat seen;
    existing_parent(path, there);
    text_format(cure, sizeof cure, "Let the user that symgate runs as write there, or change %s.",
                key);
    if (stat(path, &seen) == 0 && !S_ISDIR(seen.st_mode))
        report_add(report, FINDING_PROBLEM, "no-folder", path, "It is a file and no folder.", cure);
    else if (!writable(there) && errno != EROFS)
        report_add(report, FINDING_PROBLEM, "permission", path,
                   strcmp(there, path) == 0 ? "It may not be written by this user."
                                            : "It is not there and may not be made by this user.",
                   cure);
    else
        judge_disk(general, path, report);
}

static bool is_empty(DIR *directory) {
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

/* What a server's own folder looks like; that it can be read is seen when it is asked. */
static void judge_directory(const struct config_server *server, struct report *report) {
    char thing[300];
    DIR *directory = opendir(server->remote);
    text_format(thing, sizeof thing, "server \"%s\"", server->identifier);
    if (!directory && errno == EACCES)
        report_add(report, FINDING_PROBLEM, "permission", thing,
                   "Its folder may not be read by this user.",
                   "Let the user that symgate runs as read it.");
    if (!directory)
        return;
    if (is_empty(directory))
        report_add(report, FINDING_WARNING, "empty", thing,
                   "Its folder is empty, as that of a share that is not mounted.",
                   "Mount it, or correct remote of the server.");
    closedir(directory);
}

static void judge_shares(const struct config *config, struct report *report) {
    char path[PATH_BYTES];
    struct error err = {0};
    for (unsigned i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];
        if ((!server->share && !server->points_to_share) || !server->enabled)
            continue;
        if (!smb_helper_find(path, sizeof path, &err))
            report_add(report, FINDING_PROBLEM, "symgate-smb", "symgate-smb", err.what, err.hint);
        return;
    }
}

/* A server that runs on this data folder has its ports rightly; one that was killed has left its
   announcement behind. */
static void judge_ports(const struct config *config, struct report *report) {
    char url[256];
    struct error ignored = {0};
    const char *data = config->general.data_location;
    if (data_folder_find_server(data, url, sizeof url, &ignored) && data_folder_is_held(data)) {
        report_add(report, FINDING_GOOD, "running", url,
                   "A symgate runs there, and holds the data folder.", NULL);
        return;
    }
    for (unsigned i = 0; i < config->general.listen.count; i++) {
        const char *text = config->general.listen.texts[i];
        struct listener listener;
        struct error err = {0};
        if (listener_parse(text, &listener, &err) && listener_claim(&listener, text, &err))
            continue;
        bool no_ipv6 = err.os == EAFNOSUPPORT || err.os == EADDRNOTAVAIL;
        report_add(report, no_ipv6 ? FINDING_WARNING : FINDING_PROBLEM, "port", text, err.what,
                   err.hint);
    }
}

static void judge_limits(struct report *report) {
    struct rlimit limit;
    char sentence[200];
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= DESCRIPTORS_WANTED)
        return;
    text_format(sentence, sizeof sentence,
                "This user may have %llu files open, which are shared by clients and cached files.",
                (unsigned long long)limit.rlim_max);
    report_add(report, FINDING_WARNING, "descriptors", "limit of open files", sentence,
               "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit.");
}

static bool has_secrets(const struct config *config) {
    for (unsigned i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];
        if (server->password || server->access.token || server->access.proxy_password ||
            server->access.client_key_password)
            return true;
    }
    return config->general.admin_token != NULL;
}

static void judge_file(const struct config *config, struct report *report) {
    struct stat seen;
    if (!config->path || !has_secrets(config) || stat(config->path, &seen) != 0 ||
        !(seen.st_mode & S_IROTH))
        return;
    report_add(
        report, FINDING_WARNING, "readable", config->path,
        "Everybody on this machine may read the configuration, and there are secrets.",
        "chmod 640, or keep each secret in a file or in the environment (docs/configuration.md).");
}

static void judge_cache(const struct config_general *general, const char *path, const char *key,
                        const struct question *known, struct report *report) {
    struct error err = {0};
    judge_folder(general, path, key, report);
    if (known && !shelf_place_free_on(path, &known->key, &err))
        report_add(report, FINDING_PROBLEM, "occupied", path, err.what, err.hint);
}

void doctor_places(const struct config *config, const struct question *known,
                   struct report *report) {
    const struct config_general *general = &config->general;
    judge_file(config, report);
    judge_folder(general, general->data_location, "general.dataLocation", report);
    if (general->cache_location)
        judge_cache(general, general->cache_location, "general.cacheLocation", known, report);
    for (unsigned i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];
        if (server->cache_location)
            judge_cache(general, server->cache_location, "the server's cacheLocation", known,
                        report);
        if (server->directory && server->enabled)
            judge_directory(server, report);
    }
    judge_shares(config, report);
    judge_ports(config, report);
    judge_limits(report);
}
