// SPDX-License-Identifier: MIT
//
// Doubly linked lists through a node inside the element. A node that is in no list has next ==
// NULL, so membership can be asked and removing twice is harmless. Not thread-safe: the list's
// owner says which lock guards it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Walks the list; the current element may be removed in the body. */
#define LIST_EACH(node, head)                                                                      \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)

/* Makes an empty list of a head. */
static inline void list_init(struct list *head) {
    head->next = head;
    head->previous = head;
}

static inline bool list_empty(const struct list *head) {
    return head->next == head;
}

/* Is this node in some list? */
static inline bool list_linked(const struct list *node) {
    return node->next != NULL;
}

static inline void list_insert_after(struct list *place, struct list *node) {
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

static inline void list_push_front(struct list *head, struct list *node) {
    list_insert_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node) {
    list_insert_after(head->previous, node);
}

/* Takes the node out; harmless when it is in no list. */
static inline void list_remove(struct list *node) {
    if (!list_linked(node))
        return;
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->next = NULL;
    node->previous = NULL;
}

/* Takes the first node out; NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head) {
    if (list_empty(head))
        return NULL;
    struct list *node = head->next;
    list_remove(node);
    return node;
}

/* Moves every element of a list, in order, into another one that is made anew. Whoever walks a list
 * whose elements may be put back into it while they are visited, walks what was taken: LIST_EACH
 * would meet them again and again. */
static inline void list_take_all(struct list *from, struct list *out_taken) {
    list_init(out_taken);
    if (list_empty(from))
        return;
    *out_taken = *from;
    out_taken->next->previous = out_taken;
    out_taken->previous->next = out_taken;
    list_init(from);
}
