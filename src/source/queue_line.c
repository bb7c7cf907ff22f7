// SPDX-License-Identifier: MIT
#include "source/queue_line.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

/* One client address with waiting jobs. */
struct queue_client {
    struct table_node by_address;
    struct list turn; /* in the ring */
    struct list wanted;
    struct list abandoned;
    struct address address;
    unsigned waiting;
};

void queue_line_init(struct queue_line *line, counter *waiting) {
    list_init(&line->take_ups);
    list_init(&line->ring);
    list_init(&line->background);
    table_init(&line->clients);
    line->waiting = waiting;
    line->tickets = 0;
}

void queue_line_release(struct queue_line *line) {
    assert(list_empty(&line->ring) && list_empty(&line->take_ups) && list_empty(&line->background));
    table_release(&line->clients);
}

static uint64_t address_hash(const struct address *address) {
    return hash_bytes(hash_process_key(), &address->ip, sizeof address->ip);
}

static struct queue_client *client_find(const struct queue_line *line,
                                        const struct address *address) {
    uint64_t hash = address_hash(address);
    for (struct table_node *node = table_find(&line->clients, hash); node;
         node = table_next(node)) {
        struct queue_client *client = TABLE_ENTRY(node, struct queue_client, by_address);
        if (IN6_ARE_ADDR_EQUAL(&client->address.ip, &address->ip))
            return client;
    }
    return NULL;
}

static struct queue_client *client_claim(struct queue_line *line, const struct address *address) {
    struct queue_client *client = client_find(line, address);
    if (client)
        return client;
    client = NEW(struct queue_client);
    client->address = *address;
    list_init(&client->wanted);
    list_init(&client->abandoned);
    list_push_back(&line->ring, &client->turn);
    table_insert(&line->clients, &client->by_address, address_hash(address));
    return client;
}

static struct queue_job *job_of(struct list *node) {
    return LIST_ENTRY(node, struct queue_job, waiting);
}

static struct queue_client *client_of(struct list *node) {
    return LIST_ENTRY(node, struct queue_client, turn);
}

/* First come first. What is new belongs at the end; only a job that is wanted again has to walk. */
static void insert(struct queue_job *job) {
    struct queue_client *client = job->client_queue;
    struct list *jobs = job->wanted ? &client->wanted : &client->abandoned;
    struct list *after = jobs->previous;
    while (after != jobs && job_of(after)->ticket > job->ticket)
        after = after->previous;
    list_insert_after(after, &job->waiting);
}

void queue_line_add(struct queue_line *line, struct queue_job *job) {
    count(line->waiting);
    job->ticket = ++line->tickets;
    if (job->at_head) {
        list_push_back(&line->take_ups, &job->waiting);
        return;
    }
    if (job->background) {
        list_push_back(&line->background, &job->waiting);
        return;
    }
    job->client_queue = client_claim(line, &job->client);
    job->client_queue->waiting++;
    insert(job);
}

void queue_line_remove(struct queue_line *line, struct queue_job *job) {
    count_down(line->waiting);
    list_remove(&job->waiting);
    struct queue_client *client = job->client_queue;
    if (!client)
        return;
    job->client_queue = NULL;
    if (--client->waiting > 0)
        return;
    list_remove(&client->turn);
    table_remove(&line->clients, &client->by_address);
    free(client);
}

struct queue_job *queue_line_next(const struct queue_line *line) {
    if (!list_empty(&line->take_ups))
        return job_of(line->take_ups.next);
    if (list_empty(&line->ring))
        return list_empty(&line->background) ? NULL : job_of(line->background.next);
    struct queue_client *client = client_of(line->ring.next);
    struct list *jobs = list_empty(&client->wanted) ? &client->abandoned : &client->wanted;
    return job_of(jobs->next);
}

void queue_line_take(struct queue_line *line, struct queue_job *job) {
    struct queue_client *client = job->client_queue;
    if (client) {
        list_remove(&client->turn);
        list_push_back(&line->ring, &client->turn);
    }
    queue_line_remove(line, job);
}

void queue_line_want(struct queue_job *job, bool wanted) {
    if (job->wanted == wanted)
        return;
    job->wanted = wanted;
    if (!job->client_queue)
        return;
    list_remove(&job->waiting);
    insert(job);
}

/* The client with most jobs, the newcomer counted with its own; NULL: nobody has more than the
 * newcomer alone. */
static struct queue_client *client_with_most(const struct queue_line *line,
                                             struct queue_client *newcomers) {
    struct queue_client *most = newcomers;
    unsigned jobs = newcomers ? newcomers->waiting + 1 : 1;
    LIST_EACH (node, &line->ring) {
        struct queue_client *client = client_of(node);
        if (client->waiting > jobs) {
            most = client;
            jobs = client->waiting;
        }
    }
    return most;
}

struct queue_job *queue_line_victim(const struct queue_line *line,
                                    const struct queue_job *newcomer) {
    if (newcomer->optional)
        return NULL;
    struct queue_client *own = client_find(line, &newcomer->client);
    struct queue_client *most = client_with_most(line, own);
    /* One that takes up a broken body goes before all, so it gives way to nobody. */
    if (newcomer->at_head && !most && !list_empty(&line->ring))
        most = client_of(line->ring.previous);
    if (!most)
        return NULL;
    bool newest = most == own && !newcomer->at_head;
    if (newest && (list_empty(&most->abandoned) || !newcomer->wanted))
        return NULL;
    struct list *jobs = list_empty(&most->abandoned) ? &most->wanted : &most->abandoned;
    return job_of(jobs->previous);
}
