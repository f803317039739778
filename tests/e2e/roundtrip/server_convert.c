/* SPDX-License-Identifier: MIT */
/* server_convert.c - managers of rt_convert. */
#include "server.h"

#include "convert_values.h"

#define SERVER_FILE WRONG_CONVERT

#define SIMPLE_MANAGER(name, type)                                                                 \
    type Cv##name(handle_t h, type a, type *b, type *c)                                            \
    {                                                                                              \
        int32_t number = get_##name(&a), twice = 2 * get_##name(b);                                \
        (void)h;                                                                                   \
        clear_##name(b);                                                                           \
        *b = make_##name(twice);                                                                   \
        *c = make_##name(number - 1);                                                              \
        return make_##name(number + 1);                                                            \
    }
CONVERT_TYPES(SIMPLE_MANAGER)

RT_BOX CvAllocatedBox(handle_t h, RT_BOX a, RT_BOX *b, RT_BOX *c)
{
    return CvBox(h, a, b, c);
}

void CvAsyncBlob(PRPC_ASYNC_STATE async, handle_t h, RT_BLOB a, RT_BLOB *b, RT_BLOB *c)
{
    RT_BLOB result = CvBlob(h, a, b, c);
    RpcAsyncCompleteCall(async, &result);
}

void CvForth(handle_t h, RT_BLOB a, RT_BLOB *b)
{
    (void)h;
    CvBack(a, b);
}

void CvDigits(handle_t h, int16_t *a, int16_t *b, RT_DIGITS *c)
{
    (void)h;
    for (int i = 0; i < 2; i++) {
        (*c)[i] = (int16_t)(a[i] - 1);
        b[i] = (int16_t)(2 * b[i]);
    }
}

void CvBag(handle_t h, int32_t seed, RT_BAG *bag, RT_BAG *copy)
{
    (void)h;
    VERIFY(bag_is(bag, seed));
    bag_change(bag, seed + 1);
    bag_fill(copy, seed + 2);
}

void CvLimits(handle_t h, LOCAL_DIGIT *digit, RT_SHARE *share, RT_PART *part)
{
    (void)h;
    *digit = (LOCAL_DIGIT)(*digit * 3);
    share->part *= 3;
    *part *= 3;
}

void CvBoxes(handle_t h, int32_t n, RT_BOX *v)
{
    (void)h;
    for (int32_t i = 0; i < n; i++)
        *v[i] += i;
}
