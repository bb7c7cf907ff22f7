// SPDX-License-Identifier: MIT
//
// What the attempts of a copy's search came to. There is room for every server that there may be,
// and for some that are asked again. When it is full, a new note takes the place of one that was
// not its source's last word: of those the latest, since a search is told by its first failure.
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/memory.h"
#include "store/copy_inside.h"

enum { NOTES_FIRST = 8 }; /* most searches need few */

static void make_room(struct copy *copy) {
    if (copy->note_count < copy->note_room)
        return;
    unsigned room = copy->note_room ? 2 * copy->note_room : NOTES_FIRST;
    struct copy_note *notes = NEW_ARRAY(struct copy_note, room);
    if (copy->note_count)
        memcpy(notes, copy->notes, copy->note_count * sizeof *notes);
    free(copy->notes);
    copy->notes = notes;
    copy->note_room = room;
}

/* Over, and not what delivers. */
static bool may_go(const struct attempt_note *note) {
    return note->result != ATTEMPT_WAITING && note->result != ATTEMPT_FOUND;
}

static bool has_later_word(const struct copy *copy, unsigned index,
                           const struct attempt_note *newest) {
    const char *source = copy->notes[index].note.source;
    if (strcmp(newest->source, source) == 0)
        return true;
    for (unsigned i = index + 1; i < copy->note_count; i++)
        if (strcmp(copy->notes[i].note.source, source) == 0)
            return true;
    return false;
}

/* Takes out one that is not its source's last word once `newest` is there; false: each is. */
static bool make_way(struct copy *copy, const struct attempt_note *newest) {
    for (unsigned i = copy->note_count; i-- > 0;) {
        if (!may_go(&copy->notes[i].note) || !has_later_word(copy, i, newest))
            continue;
        copy->note_count--;
        memmove(&copy->notes[i], &copy->notes[i + 1], (copy->note_count - i) * sizeof *copy->notes);
        return true;
    }
    return false;
}

unsigned copy_note(struct copy *copy, const struct attempt_note *note) {
    SCOPED_LOCK(&copy->lock);
    unsigned number = copy->notes_made++;
    if (copy->note_count == COPY_NOTES_MAX && !make_way(copy, note))
        return number;
    make_room(copy);
    copy->notes[copy->note_count++] = (struct copy_note){.number = number, .note = *note};
    return number;
}

void copy_note_again(struct copy *copy, unsigned number, const struct attempt_note *note) {
    SCOPED_LOCK(&copy->lock);
    for (unsigned i = 0; i < copy->note_count; i++)
        if (copy->notes[i].number == number)
            copy->notes[i].note = *note;
}

unsigned copy_notes(struct copy *copy, struct attempt_note *out_notes, unsigned notes_max) {
    SCOPED_LOCK(&copy->lock);
    unsigned n = copy->note_count < notes_max ? copy->note_count : notes_max;
    for (unsigned i = 0; i < n; i++)
        out_notes[i] = copy->notes[i].note;
    return n;
}

void copy_notes_hand_over(struct copy *old, struct copy *next) {
    next->notes_made = old->notes_made;
    next->note_count = old->note_count;
    if (!old->notes)
        return;
    next->note_room = old->note_room;
    next->notes = NEW_ARRAY(struct copy_note, old->note_room);
    memcpy(next->notes, old->notes, old->note_count * sizeof *next->notes);
}
