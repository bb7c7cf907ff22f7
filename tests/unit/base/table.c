// SPDX-License-Identifier: MIT
// Tables and lists: both carry their nodes inside the elements.
#include "base/table.h"

#include "base/cleanup.h"
#include "base/list.h"
#include "base/memory.h"
#include "unit/base/check.h"

enum { MANY = 1000 };

struct element {
    unsigned number;
    struct table_node in_table;
    struct list in_list;
};

static void put_all(struct table *table, struct element *elements) {
    table_init(table);
    for (unsigned i = 0; i < MANY; i++) {
        elements[i].number = i;
        table_insert(table, &elements[i].in_table, i / 2); /* two of each hash */
    }
}

static bool contains(const struct table *table, const struct element *element) {
    for (struct table_node *node = table_find(table, element->number / 2); node;
         node = table_next(node))
        if (TABLE_ENTRY(node, struct element, in_table) == element)
            return true;
    return false;
}

static void finds_all_while_growing(void **state) {
    (void)state;
    CLEANUP(table_release) struct table table;
    struct element elements[MANY];
    put_all(&table, elements);
    assert_int_equal(table.count, MANY);
    assert_true(table.bucket_count >= MANY / 2);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(contains(&table, &elements[i]));
    assert_null(table_find(&table, MANY));
    /* Another hash of the same bucket is not mistaken. */
    assert_null(table_find(&table, (uint64_t)table.bucket_count << 8));
}

static void removes_one_of_two_with_the_same_hash(void **state) {
    (void)state;
    CLEANUP(table_release) struct table table;
    struct element elements[MANY];
    put_all(&table, elements);
    for (unsigned i = 0; i < MANY; i += 2)
        table_remove(&table, &elements[i].in_table);
    assert_int_equal(table.count, MANY / 2);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(contains(&table, &elements[i]), i % 2);
}

static int free_odd(struct table_node *node, void *context) {
    struct element *element = TABLE_ENTRY(node, struct element, in_table);
    if (element->number % 2) {
        table_remove(context, node);
        free(element);
    }
    return 0;
}

static int count_until(struct table_node *node, void *context) {
    (void)node;
    return ++*(int *)context == 7 ? 42 : 0;
}

static int free_each(struct table_node *node, void *context) {
    (void)context;
    free(TABLE_ENTRY(node, struct element, in_table));
    return 0;
}

static void each_may_remove_and_stop(void **state) {
    (void)state;
    CLEANUP(table_release) struct table table;
    table_init(&table);
    for (unsigned i = 0; i < MANY; i++) {
        struct element *element = NEW(struct element);
        element->number = i;
        table_insert(&table, &element->in_table, i);
    }
    assert_int_equal(table_each(&table, free_odd, &table), 0);
    assert_int_equal(table.count, MANY / 2);
    int visited = 0;
    assert_int_equal(table_each(&table, count_until, &visited), 42);
    assert_int_equal(visited, 7);
    assert_int_equal(table_each(&table, free_each, NULL), 0);
}

static void lists_keep_order_and_membership(void **state) {
    (void)state;
    struct list head;
    list_init(&head);
    struct element elements[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    assert_false(list_linked(&elements[0].in_list));
    list_push_back(&head, &elements[1].in_list);
    list_push_back(&head, &elements[2].in_list);
    list_push_front(&head, &elements[0].in_list);
    list_insert_after(&elements[2].in_list, &elements[3].in_list);
    unsigned next = 0;
    LIST_EACH (node, &head) {
        assert_int_equal(LIST_ENTRY(node, struct element, in_list)->number, next++);
        if (next % 2)
            list_remove(node);
    }
    assert_int_equal(next, 4);
    assert_false(list_linked(&elements[2].in_list));
    list_remove(&elements[2].in_list);
    assert_ptr_equal(list_pop_front(&head), &elements[1].in_list);
    assert_ptr_equal(list_pop_front(&head), &elements[3].in_list);
    assert_true(list_empty(&head));
}

static void what_was_taken_is_visited_once(void **state) {
    (void)state;
    struct list head, taken;
    list_init(&head);
    struct element elements[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    list_take_all(&head, &taken);
    assert_true(list_empty(&head) && list_empty(&taken));
    for (unsigned i = 0; i < 3; i++)
        list_push_back(&head, &elements[i].in_list);
    list_take_all(&head, &taken);
    assert_true(list_empty(&head));
    unsigned next = 0;
    for (struct list *node; (node = list_pop_front(&taken));) {
        assert_int_equal(LIST_ENTRY(node, struct element, in_list)->number, next++);
        list_push_back(&head, node);
    }
    assert_int_equal(next, 3);
    list_remove(&elements[0].in_list);
    assert_ptr_equal(list_pop_front(&head), &elements[1].in_list);
    assert_ptr_equal(list_pop_front(&head), &elements[2].in_list);
    assert_true(list_empty(&head));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_all_while_growing),
        cmocka_unit_test(removes_one_of_two_with_the_same_hash),
        cmocka_unit_test(each_may_remove_and_stop),
        cmocka_unit_test(lists_keep_order_and_membership),
        cmocka_unit_test(what_was_taken_is_visited_once),
    };
    return RUN_TESTS(tests);
}
