/* lookalike.h - what a number or a name looks like, so that no two people can be mistaken for each other. */
#ifndef SERVER_METHODS_LOOKALIKE_H
#define SERVER_METHODS_LOOKALIKE_H

/* ICU's skeleton: two texts that look alike have the same one. The caller frees; NULL for none, or where it can't be
 * told. A number's is that of its small letters, since those are one. */
char *lookalike_number(const char *institution_id);
char *lookalike_name(const char *name);

#endif
