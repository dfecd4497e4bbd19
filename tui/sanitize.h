/* sanitize.h - everything the server sends, made safe for a terminal before any view sees it.
 *
 * Every string passes text_clean (line ends stay), and the offsets that count code points into one
 * (highlights, sentences, passages) are moved along with it.
 */
#ifndef TUI_SANITIZE_H
#define TUI_SANITIZE_H

#include "common/json.h"

cJSON *sanitize_copy(const cJSON *json);                      /* NULL stays NULL; the caller's to cJSON_Delete */
void sanitize_text(const char *text, char *out, size_t size); /* one clean line */

#endif
