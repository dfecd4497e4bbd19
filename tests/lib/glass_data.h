/* glass_data.h - every pane with something in it; @ in the texts stands for what the test puts there. */
#ifndef TESTS_LIB_GLASS_DATA_H
#define TESTS_LIB_GLASS_DATA_H

#include "tests/lib/glass.h"

/* All panes of a person of this role opened and loaded, every text that others wrote being `text`. */
void glass_data_fill(struct glass *g, const char *role, const char *text);
/* Every request that waits is answered, in the same manner. */
void glass_data_answer(struct glass *g, const char *text);
/* Likewise, but only one text of each reply, the place-th, is `text`: for very long ones. */
void glass_data_one(struct glass *g, int place, const char *text);

#endif
