/* shapes.h - what several methods give: the parts of their rows' .result, in the notation of shape.h. */
#ifndef SERVER_METHODS_SHAPES_H
#define SERVER_METHODS_SHAPES_H

#define SHAPE_NOTHING "{}"
#define SHAPE_LIST(item_) "{items: [" item_ "], next_cursor: text | null}"
#define SHAPE_ROLE "'student' | 'teacher' | 'admin'"
/* Without the braces, since some give more of a person. */
#define SHAPE_USER_MEMBERS \
    "user_id: uuid, institution_id: text, name: text, role: " SHAPE_ROLE ", avatar: text, plain: bool"
#define SHAPE_USER "{" SHAPE_USER_MEMBERS "}"
#define SHAPE_COURSE "{course_id: uuid, code: text, title: text, teacher: text | null, members: int, documents: int}"
#define SHAPE_PDF                                                                                                 \
    "{pdf_id: uuid, title: text, filename: text, pages: int | null, course_id: uuid | null, uploaded_by: uuid | " \
    "null, "                                                                                                      \
    "created_at: time, indexed_at: time | null, failed_at: time | null, error_message: text | null}"
#define SHAPE_JOB                                                                                                     \
    "{job_id: uuid, pdf_id: uuid, title: text, "                                                                      \
    "state: 'queued' | 'extracting' | 'embedding' | 'storing' | 'indexed' | 'failed', attempt: int, "                 \
    "pages_total: int | null, pages_done: int, pages_without_text: int, chunks_total: int | null, chunks_done: int, " \
    "queued_at: time, started_at: time | null, indexed_at: time | null, failed_at: time | null, "                     \
    "error_message: text | null}"
#define SHAPE_PLACE "chunk_id: uuid, pdf_id: uuid, title: text, page: int, page_label: text | null"
#define SHAPE_SUPPORT "'quoted' | 'close' | 'none'"
#define SHAPE_CITATIONS "[{n: int, " SHAPE_PLACE ", quote: text, support?: " SHAPE_SUPPORT "}]"
#define SHAPE_LINE                                                                                             \
    "{message_id: uuid, seq: int, room: uuid, user_id: uuid, name: text, role: " SHAPE_ROLE ", avatar: text, " \
    "text: text, at: time, expires_at: time}"

#endif
