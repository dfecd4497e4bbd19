/* lookalike.c - ICU's spoof checker. */
#include "server/methods/lookalike.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucasemap.h>
#include <unicode/uspoof.h>

#include "common/mem.h"

enum { TEXT_MOST = 4096 }; /* what a name of 200 characters can become, and more */

char *lookalike_name(const char *name)
{
    char skeleton[TEXT_MOST];
    UErrorCode status = U_ZERO_ERROR;
    if (!name)
        return NULL;
    USpoofChecker *checker = uspoof_open(&status);
    uspoof_getSkeletonUTF8(checker, 0, name, -1, skeleton, sizeof skeleton, &status);
    uspoof_close(checker);
    return U_SUCCESS(status) && status != U_STRING_NOT_TERMINATED_WARNING ? mem_dup(skeleton) : NULL;
}

char *lookalike_number(const char *institution_id)
{
    char small[TEXT_MOST];
    UErrorCode status = U_ZERO_ERROR;
    if (!institution_id)
        return NULL;
    UCaseMap *map = ucasemap_open("", 0, &status);
    ucasemap_utf8ToLower(map, small, sizeof small, institution_id, -1, &status);
    ucasemap_close(map);
    return U_SUCCESS(status) && status != U_STRING_NOT_TERMINATED_WARNING ? lookalike_name(small) : NULL;
}
