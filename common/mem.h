/* mem.h - memory: small allocations abort on exhaustion, owners free themselves at the end of a block.
 *
 * Peer-sized memory is bounded by its caller before it is asked for here.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);                      /* zeroed; never NULL */
void *mem_array(size_t count, size_t size);         /* zeroed, overflow-checked; never NULL */
void *mem_grow(void *p, size_t count, size_t size); /* realloc, overflow-checked; never NULL */
char *mem_dup(const char *text);                    /* NULL stays NULL */
char *mem_dupn(const void *bytes, size_t length);   /* adds a terminating NUL */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_wipe(void *p, size_t bytes); /* for passwords and tokens; never optimised away */

/* `AUTO(buf_free) struct buf b = {0};` calls buf_free(&b) when b leaves scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))
/* `return TAKE(p);` hands p on and leaves NULL behind for AUTO. */
#define TAKE(p)                     \
    __extension__({                 \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })

/* For `AUTO(mem_freep) char *p`. */
void mem_freep(void *pointer_to_pointer);

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
