// SPDX-License-Identifier: MIT
#include "record/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "record/book_inside.h"

enum { BUSY_MS = 200, CACHE_KIB = 8 * 1024, WAL_BYTES_MAX = 64 * 1024 * 1024, PATH_BYTES = 4096 };

static const char *const schema =
    "CREATE TABLE numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE names(name TEXT PRIMARY KEY, requests INTEGER NOT NULL,"
    " exclusions INTEGER NOT NULL, success INTEGER NOT NULL, hits INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, time_us INTEGER NOT NULL, last_s INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE ids(name TEXT, id TEXT, requests INTEGER NOT NULL,"
    " exclusions INTEGER NOT NULL, success INTEGER NOT NULL, hits INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, time_us INTEGER NOT NULL, last_s INTEGER NOT NULL,"
    " verdict TEXT NOT NULL, PRIMARY KEY(name, id)) WITHOUT ROWID;"
    "CREATE TABLE pairs(name TEXT, source TEXT, found INTEGER NOT NULL, absent INTEGER NOT NULL,"
    " failed INTEGER NOT NULL, time_us INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " PRIMARY KEY(name, source)) WITHOUT ROWID;"
    "CREATE TABLE sources(source TEXT PRIMARY KEY, found INTEGER NOT NULL,"
    " absent INTEGER NOT NULL, failed INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, times BLOB NOT NULL, failed_ms INTEGER NOT NULL,"
    " failure TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history(step_s INTEGER, at_s INTEGER, verdicts BLOB NOT NULL,"
    " bytes INTEGER NOT NULL, waits BLOB NOT NULL, PRIMARY KEY(step_s, at_s)) WITHOUT ROWID;"
    "CREATE TABLE requests(n INTEGER PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " client TEXT NOT NULL, dialect TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,"
    " key TEXT NOT NULL, verdict TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,"
    " rule TEXT NOT NULL, status INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " waited_us INTEGER NOT NULL, total_us INTEGER NOT NULL, broken INTEGER NOT NULL,"
    " attempts TEXT);"
    "CREATE INDEX requests_by_id ON requests(id);"
    "CREATE INDEX requests_by_time ON requests(at_ms);"
    "CREATE TABLE failures(n INTEGER PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " client TEXT NOT NULL, dialect TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,"
    " key TEXT NOT NULL, verdict TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,"
    " rule TEXT NOT NULL, status INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " waited_us INTEGER NOT NULL, total_us INTEGER NOT NULL, broken INTEGER NOT NULL,"
    " attempts TEXT);"
    "CREATE INDEX failures_by_id ON failures(id);"
    "CREATE INDEX failures_by_time ON failures(at_ms);";

/* What format 3 brought; format 2, which no release had, knew less of it. */
static const char *const schema_3 =
    "DROP TABLE IF EXISTS marks; DROP TABLE IF EXISTS evidence; DROP TABLE IF EXISTS questions;"
    "CREATE TABLE marks(source TEXT PRIMARY KEY, place INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " since_ms INTEGER NOT NULL, moved INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE evidence(source TEXT, name TEXT, found INTEGER NOT NULL,"
    " absent INTEGER NOT NULL, failed INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    " kept INTEGER NOT NULL, PRIMARY KEY(source, name)) WITHOUT ROWID;"
    "CREATE INDEX evidence_had ON evidence(name) WHERE found + kept > 0;"
    "CREATE TABLE questions(source TEXT, question TEXT, PRIMARY KEY(source, question))"
    " WITHOUT ROWID;";

static const char *const statement_texts[BOOK_STATEMENTS] = {
    [BOOK_BEGIN] = "BEGIN IMMEDIATE",
    [BOOK_COMMIT] = "COMMIT",
    [BOOK_UPDATE_NAME] =
        "UPDATE names SET requests = requests + ?2, exclusions = exclusions + ?3,"
        " success = success + ?4, hits = hits + ?5, bytes = bytes + ?6, time_us = time_us + ?7,"
        " last_s = max(last_s, ?8) WHERE name = ?1",
    [BOOK_INSERT_NAME] = "INSERT INTO names VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [BOOK_UPDATE_ID] =
        "UPDATE ids SET requests = requests + ?2, exclusions = exclusions + ?3,"
        " success = success + ?4, hits = hits + ?5, bytes = bytes + ?6, time_us = time_us + ?7,"
        " verdict = iif(?8 >= last_s, ?10, verdict), last_s = max(last_s, ?8) WHERE name = ?1 AND "
        "id = ?9",
    [BOOK_INSERT_ID] = "INSERT INTO ids VALUES(?1, ?9, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10)",
    [BOOK_ADD_PAIR] =
        "INSERT INTO pairs VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
        " found = found + ?3, absent = absent + ?4, failed = failed + ?5, time_us = time_us + ?6,"
        " bytes = bytes + ?7",
    [BOOK_GET_MARK] = "SELECT mark FROM marks WHERE source = ?1",
    [BOOK_PUT_MARK] = "INSERT INTO marks VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                      " moved = moved OR ?5 OR place <> ?2, place = ?2, mark = ?3, since_ms = ?4",
    [BOOK_DROP_SAID] = "DELETE FROM evidence WHERE (?1 = '' OR source = ?1) AND found + kept = 0",
    [BOOK_KEEP_HAD] = "UPDATE evidence SET kept = kept + found, found = 0, absent = 0,"
                      " failed = 0, time_us = 0 WHERE ?1 = '' OR source = ?1",
    [BOOK_DROP_QUESTIONS] = "DELETE FROM questions WHERE ?1 = '' OR source = ?1",
    [BOOK_ADD_EVIDENCE] =
        "INSERT INTO evidence VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
        " found = found + ?3, absent = absent + ?4, failed = failed + ?5, time_us = time_us + ?6,"
        " kept = kept + ?7",
    [BOOK_OPEN_QUESTION] = "INSERT OR IGNORE INTO questions VALUES(?1, ?2)",
    [BOOK_CLOSE_QUESTION] = "DELETE FROM questions WHERE source = ?1 AND question = ?2",
    [BOOK_GET_SOURCE] = "SELECT times FROM sources WHERE source = ?1",
    [BOOK_PUT_SOURCE] =
        "INSERT INTO sources VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET"
        " found = found + ?2, absent = absent + ?3, failed = failed + ?4, time_us = time_us + ?5,"
        " bytes = bytes + ?6, times = ?7, failed_ms = iif(?8, ?8, failed_ms),"
        " failure = iif(?8, ?9, failure)",
    [BOOK_GET_HISTORY] = "SELECT verdicts, waits FROM history WHERE step_s = ?1 AND at_s = ?2",
    [BOOK_PUT_HISTORY] = "INSERT INTO history VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                         " verdicts = ?3, bytes = bytes + ?4, waits = ?5",
    [BOOK_PUT_REQUEST] = "INSERT INTO requests VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                         " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    [BOOK_PUT_FAILURE] = "INSERT INTO failures VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                         " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    [BOOK_PUT_NUMBER] = "INSERT INTO numbers VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
    [BOOK_GET_NUMBER] = "SELECT value FROM numbers WHERE name = ?1",
};

bool book_fail(const struct book *book, const char *doing, struct error *err) {
    return error_set(err, ERROR_DISK, "%s in \"%s\": %s", doing, book->options.path,
                     sqlite3_errmsg(book->db));
}

static bool is_broken(int code) {
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

enum book_written book_failure(const struct book *book) {
    return is_broken(sqlite3_errcode(book->db)) ? BOOK_WRITE_BROKEN : BOOK_WRITE_FAILED;
}

enum book_written book_give_up(struct book *book) {
    enum book_written written = book_failure(book);
    struct error ignored;
    if (!sqlite3_get_autocommit(book->db))
        (void)book_run(book, "ROLLBACK", &ignored);
    return written;
}

sqlite3_stmt *book_statement(struct book *book, enum book_statement which, struct error *err) {
    sqlite3_stmt **statement = &book->statements[which];
    if (!*statement && sqlite3_prepare_v3(book->db, statement_texts[which], -1,
                                          SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        book_fail(book, "could not prepare to write", err);
    return *statement;
}

bool book_step(struct book *book, sqlite3_stmt *statement, struct error *err) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        book_fail(book, "could not write", err); /* before the reset, which may change the text */
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
}

void book_bind_text(sqlite3_stmt *statement, int at, const char *text) {
    sqlite3_bind_text(statement, at, text ? text : "", -1, SQLITE_STATIC);
}

void book_bind_number(sqlite3_stmt *statement, int at, uint64_t number) {
    sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

bool book_run(struct book *book, const char *sql, struct error *err) {
    return sqlite3_exec(book->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           book_fail(book, "could not write", err);
}

bool book_run_with(struct book *book, const char *sql, int64_t number, struct error *err) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(book->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return book_fail(book, "could not prepare to write", err);
    sqlite3_bind_int64(statement, 1, number);
    bool good = book_step(book, statement, err);
    sqlite3_finalize(statement);
    return good;
}

int64_t book_ask(struct book *book, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t number = 0;
    if (sqlite3_prepare_v2(book->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    else
        book->broken = book->broken || is_broken(sqlite3_errcode(book->db));
    sqlite3_finalize(statement);
    return number;
}

/* --- opening --- */

static bool set_up(struct book *book, struct error *err) {
    char sql[400];
    int64_t pages = book_ask(book, "PRAGMA page_size");
    text_format(sql, sizeof sql,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%d;"
                "PRAGMA journal_size_limit = %d; PRAGMA max_page_count = %lld",
                CACHE_KIB, WAL_BYTES_MAX,
                (long long)(book->options.bytes_max / (uint64_t)(pages > 0 ? pages : 4096)));
    return book_run(book, sql, err);
}

static bool make_tables(struct book *book, struct error *err) {
    return book_run(book, schema, err) &&
           book_run_with(book, "INSERT INTO numbers VALUES('begun_ms', ?1)",
                         clock_wall_ns() / 1000000, err);
}

/* Brings what an earlier version wrote, or an empty file, to this format. */
static enum book_open bring_up(struct book *book, struct error *err) {
    int64_t format = book_ask(book, "PRAGMA user_version");
    char sql[64];
    if (format > BOOK_FORMAT) {
        error_set(err, ERROR_CONFIG,
                  "\"%s\" was written by a later version of symgate (format "
                  "%lld, this one knows %d)",
                  book->options.path, (long long)format, BOOK_FORMAT);
        error_hint(err, "Use that version, or move the file away.");
        return BOOK_NEWER;
    }
    if (format == BOOK_FORMAT)
        return BOOK_OPEN;
    text_format(sql, sizeof sql, "PRAGMA user_version = %d; COMMIT", BOOK_FORMAT);
    if (book_run(book, "BEGIN IMMEDIATE", err) && (format >= 1 || make_tables(book, err)) &&
        book_run(book, schema_3, err) && book_run(book, sql, err))
        return BOOK_OPEN;
    return book_failure(book) == BOOK_WRITE_BROKEN ? BOOK_BROKEN : BOOK_FAILED;
}

static bool note_file(struct book *book) {
    struct stat file;
    if (stat(book->options.path, &file) != 0)
        return false;
    book->device = file.st_dev;
    book->inode = file.st_ino;
    return true;
}

static void read_numbers(struct book *book) {
    book->folded_names = book_number(book, "folded_names");
    book->folded_ids = book_number(book, "folded_ids");
    book->trace_from = (int64_t)book_number(book, "trace_from");
    book->next_request = 1 + book_ask(book, "SELECT max(ifnull((SELECT max(n) FROM requests), 0),"
                                            " ifnull((SELECT max(n) FROM failures), 0))");
}

static bool is_damaged(const struct book *book, struct error *err) {
    if (book->broken)
        error_set(err, ERROR_DISK, "\"%s\" is damaged", book->options.path);
    return book->broken;
}

static enum book_open open_file(struct book *book, struct error *err) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(book->options.path, &book->db, flags, NULL) != SQLITE_OK ||
        !set_up(book, err) || !note_file(book)) {
        book_fail(book, "could not open statistics", err);
        return is_broken(sqlite3_errcode(book->db)) ? BOOK_BROKEN : BOOK_FAILED;
    }
    sqlite3_busy_timeout(book->db, BUSY_MS);
    enum book_open opened = bring_up(book, err);
    if (opened == BOOK_OPEN)
        read_numbers(book);
    if (is_damaged(book, err))
        return BOOK_BROKEN;
    return opened;
}

enum book_open book_open(const struct book_options *options, struct book **out_book,
                         struct error *err) {
    struct book *book = NEW(struct book);
    book->options = *options;
    enum book_open opened = open_file(book, err);
    if (opened == BOOK_OPEN)
        *out_book = book;
    else
        book_close(book);
    return opened;
}

bool book_count(struct book *book, struct error *err) {
    book->name_count = (uint64_t)book_ask(book, "SELECT count(*) FROM names WHERE name <> ''");
    book->id_count = (uint64_t)book_ask(book, "SELECT count(*) FROM ids WHERE id <> ''");
    return !is_damaged(book, err);
}

void book_close(struct book *book) {
    if (!book)
        return;
    for (unsigned i = 0; i < BOOK_STATEMENTS; i++)
        sqlite3_finalize(book->statements[i]);
    sqlite3_close(book->db);
    free(book);
}

bool book_in_place(const struct book *book) {
    struct stat file;
    return stat(book->options.path, &file) == 0 && file.st_dev == book->device &&
           file.st_ino == book->inode;
}

bool book_set_aside(const char *path, char *out_to, size_t size, struct error *err) {
    static const char *const parts[] = {"-wal", "-shm"};
    char part[PATH_BYTES];
    text_format(out_to, size, "%s.broken-%lld", path, (long long)clock_wall_s());
    if (rename(path, out_to) != 0 && errno != ENOENT)
        return error_os(err, ERROR_DISK, errno, "could not move \"%s\" out of the way", path);
    for (unsigned i = 0; i < 2; i++)
        if (text_format(part, sizeof part, "%s%s", path, parts[i]))
            unlink(part);
    return true;
}

uint64_t book_number(struct book *book, const char *name) {
    struct error err;
    sqlite3_stmt *statement = book_statement(book, BOOK_GET_NUMBER, &err);
    if (!statement)
        return 0;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    uint64_t number = 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return number;
}

uint64_t book_names_seen(const struct book *book) {
    return book->name_count + book->folded_names;
}

uint64_t book_folded(const struct book *book) {
    return book->folded_names + book->folded_ids;
}

uint64_t book_bytes(struct book *book) {
    int64_t used = book_ask(book, "PRAGMA page_count") - book_ask(book, "PRAGMA freelist_count");
    return (uint64_t)(used * book_ask(book, "PRAGMA page_size"));
}
