/* visible_courses.h - which courses a person's last search was told they may look into.
 *
 * So that a search can begin while the database still says it. A guess: whoever uses it compares it with what the
 * database then says, and begins anew where that is different. Thread-safe.
 */
#ifndef SERVER_METHODS_VISIBLE_COURSES_H
#define SERVER_METHODS_VISIBLE_COURSES_H

/* As api.search_asker gave them; the caller's to free(). NULL: not known, or no longer. */
char *visible_courses_guess(const char *user_id);
void visible_courses_store(const char *user_id, const char *courses);

#endif
