/* fake_terminal_data.h - every pane with something in it; @ in the texts stands for what the test puts there. */
#ifndef TESTS_LIB_FAKE_TERMINAL_DATA_H
#define TESTS_LIB_FAKE_TERMINAL_DATA_H

#include "tests/lib/fake_terminal.h"

/* All panes of a person of this role opened and loaded, every text that others wrote being `text`. */
void fake_terminal_data_fill(struct fake_terminal *g, const char *role, const char *text);
/* Every request that waits is answered, in the same manner. */
void fake_terminal_data_answer(struct fake_terminal *g, const char *text);
/* Likewise, but only one text of each reply, the place-th, is `text`: for very long ones. */
void fake_terminal_data_one(struct fake_terminal *g, int place, const char *text);

#endif
