/* SPDX-License-Identifier: MIT */
/* eerr.c - see eerr.h. */
#include "wire/eerr.h"

#include <string.h>

#include "wire/pickle.h"
#include "wire/wire.h"

#define NAME_PRESENT     1u /* EEComputerNamePresent */
#define NAME_NOT_PRESENT 2u

/* A parameter is aligned like the strictest arm of its union, a hyper (C706 14.3.8); so do
 * Samba's and every C compiler's layout.  Others count the union's tag only: what cannot be
 * read the one way is tried the other. */
#define PARAM_ALIGN     8u
#define PARAM_ALIGN_TAG 2u

#define OBJECT_OFFSET (PICKLE_COMMON_1_LEN + PICKLE_PRIVATE_1_LEN)

static bool is_text(unsigned type)
{
    return type == EERR_ANSI || type == EERR_UNICODE || type == EERR_BINARY;
}

static size_t unit_size(unsigned type)
{
    return type == EERR_UNICODE ? 2 : 1;
}

/* ---- Encoding ---------------------------------------------------------------------- */

static void put_align(struct wire_writer *w, size_t align)
{
    wire_put_zeros(w, -w->len & (align - 1));
}

/* The pointer to a string; any number but 0 says that it is there. */
static void put_pointer(struct wire_writer *w, bool present, uint32_t *referent)
{
    put_align(w, 4);
    wire_put_u32(w, present ? *referent : 0);
    *referent += present ? 4 : 0;
}

static void put_text_head(struct wire_writer *w, const struct eerr_text *text, uint32_t *referent)
{
    put_align(w, 4);
    wire_put_u16(w, text->count);
    put_pointer(w, text->units != NULL, referent);
}

static void put_text(struct wire_writer *w, const struct eerr_text *text, size_t unit)
{
    if (!text->units)
        return;
    put_align(w, 4);
    wire_put_u32(w, text->count);
    wire_put_bytes(w, text->units, text->count * unit);
}

/* The type it travels as. */
static unsigned sent_type(const struct eerr_param *param, unsigned without)
{
    return without & EERR_WITHOUT_STRINGS && is_text(param->type) ? EERR_NONE : param->type;
}

static void put_param(struct wire_writer *w, const struct eerr_param *param, unsigned without,
                      uint32_t *referent)
{
    unsigned type = sent_type(param, without);
    put_align(w, PARAM_ALIGN);
    wire_put_u16(w, (uint16_t)type);
    wire_put_u16(w, (uint16_t)type); /* the union's tag */
    if (is_text(type)) {
        put_text_head(w, &param->text, referent);
    } else if (type == EERR_LONG) {
        wire_put_u32(w, (uint32_t)param->number);
    } else if (type == EERR_SHORT) {
        wire_put_u16(w, (uint16_t)param->number);
    } else if (type == EERR_POINTER) {
        put_align(w, 8);
        wire_put_u64(w, (uint64_t)param->number);
    }
}

static void put_record(struct wire_writer *w, const struct eerr_record *record, uint16_t flags,
                       bool more, unsigned without, uint32_t *referent)
{
    bool named = record->has_name && !(without & EERR_WITHOUT_STRINGS);
    put_align(w, 4);
    wire_put_u32(w, record->param_count); /* the maximum count of Params */
    put_align(w, 8);
    put_pointer(w, more, referent);
    wire_put_u16(w, named ? NAME_PRESENT : NAME_NOT_PRESENT);
    wire_put_u16(w, named ? NAME_PRESENT : NAME_NOT_PRESENT);
    if (named)
        put_text_head(w, &record->name, referent);
    wire_put_u32(w, record->pid);
    put_align(w, 8);
    wire_put_u64(w, (uint64_t)record->time);
    wire_put_u32(w, record->component);
    wire_put_u32(w, record->status);
    wire_put_u16(w, record->location);
    wire_put_u16(w, flags);
    wire_put_u16(w, record->param_count);
    for (unsigned i = 0; i < record->param_count; i++)
        put_param(w, &record->params[i], without, referent);
}

static void put_strings(struct wire_writer *w, const struct eerr_record *record, unsigned without)
{
    if (without & EERR_WITHOUT_STRINGS)
        return;
    if (record->has_name)
        put_text(w, &record->name, 2);
    for (unsigned i = 0; i < record->param_count; i++)
        if (is_text(record->params[i].type))
            put_text(w, &record->params[i].text, unit_size(record->params[i].type));
}

/* The octets from `base` on, `*ret_len` of them, aligned as of their own start. */
static void put_object(struct wire_writer *w, const struct eerr_record *const *records,
                       size_t count, unsigned without)
{
    uint32_t referent = 0x20000;
    put_pointer(w, true, &referent);
    for (size_t i = 0; i < count; i++) {
        uint16_t flags = records[i]->flags;
        if (without & EERR_GAP && i + 2 == count)
            flags |= EERR_NEXT_MISSING;
        if (without & EERR_GAP && i + 1 == count)
            flags |= EERR_PREVIOUS_MISSING;
        put_record(w, records[i], flags, i + 1 < count, without, &referent);
    }
    for (size_t i = count; i > 0; i--)
        put_strings(w, records[i - 1], without);
    put_align(w, 8);
}

size_t eerr_encode(uint8_t *buf, size_t cap, const struct eerr_record *const *records,
                   size_t count, unsigned without)
{
    static const struct pickle_types types = {.version = 1,
                                              .little_endian = WIRE_HOST_LITTLE_ENDIAN};
    struct wire_writer headers, object;
    if (count == 0 || cap < OBJECT_OFFSET)
        return 0;
    wire_writer_init(&object, buf + OBJECT_OFFSET, cap - OBJECT_OFFSET);
    put_object(&object, records, count, without);
    if (object.failed)
        return 0;
    wire_writer_init(&headers, buf, OBJECT_OFFSET);
    pickle_put_types(&headers, &types, NULL);
    pickle_put_private(&headers, &types, (uint32_t)object.len);
    return OBJECT_OFFSET + object.len;
}

/* ---- Decoding ---------------------------------------------------------------------- */

/* Of a record only whether it is there; its units come later. */
static struct eerr_text get_text_head(struct wire_reader *r, bool *ret_good)
{
    static const uint8_t some[1]; /* until get_text() knows where */
    wire_align(r, 4);
    uint16_t count = wire_u16(r);
    wire_align(r, 4);
    uint32_t referent = wire_u32(r);
    if (count > INT16_MAX || (referent == 0 && count > 0))
        *ret_good = false;
    return (struct eerr_text){.units = referent != 0 ? some : NULL, .count = count};
}

static bool get_text(struct wire_reader *r, struct eerr_text *text, size_t unit)
{
    if (!text->units)
        return true;
    wire_align(r, 4);
    if (wire_u32(r) != text->count)
        return false;
    text->units = wire_take(r, text->count * unit);
    return !r->failed;
}

static bool get_param(struct wire_reader *r, struct eerr_param *param, size_t align)
{
    bool good = true;
    wire_align(r, align);
    unsigned type = wire_u16(r);
    if (type < EERR_ANSI || type > EERR_BINARY || wire_u16(r) != type)
        return false;
    param->type = (enum eerr_type)type;
    if (is_text(type)) {
        param->text = get_text_head(r, &good);
    } else if (type == EERR_LONG) {
        wire_align(r, 4);
        param->number = (int32_t)wire_u32(r);
    } else if (type == EERR_SHORT) {
        param->number = (int16_t)wire_u16(r);
    } else if (type == EERR_POINTER) {
        wire_align(r, 8);
        param->number = (int64_t)wire_u64(r);
    }
    return good && !r->failed;
}

static bool get_record(struct wire_reader *r, struct eerr_record *record, size_t align,
                       bool *ret_more)
{
    bool good = true;
    *record = (struct eerr_record){0};
    wire_align(r, 4);
    uint32_t max_count = wire_u32(r);
    wire_align(r, 8);
    *ret_more = wire_u32(r) != 0;
    uint16_t present = wire_u16(r);
    if ((present != NAME_PRESENT && present != NAME_NOT_PRESENT) || wire_u16(r) != present)
        return false;
    record->has_name = present == NAME_PRESENT;
    if (record->has_name)
        record->name = get_text_head(r, &good);
    wire_align(r, 4);
    record->pid = wire_u32(r);
    wire_align(r, 8);
    record->time = (int64_t)wire_u64(r);
    record->component = wire_u32(r);
    record->status = wire_u32(r);
    record->location = wire_u16(r);
    record->flags = wire_u16(r);
    record->param_count = wire_u16(r);
    if (!good || r->failed || record->param_count > EERR_PARAMS_MAX ||
        record->param_count != max_count)
        return false;
    for (unsigned i = 0; i < record->param_count; i++)
        if (!get_param(r, &record->params[i], align))
            return false;
    return true;
}

static bool get_strings(struct wire_reader *r, struct eerr_record *record)
{
    if (record->has_name && !get_text(r, &record->name, 2))
        return false;
    for (unsigned i = 0; i < record->param_count; i++) {
        struct eerr_param *param = &record->params[i];
        if (is_text(param->type) && !get_text(r, &param->text, unit_size(param->type)))
            return false;
    }
    return true;
}

static bool get_object(struct wire_reader r, size_t align, struct eerr_record *records, size_t max,
                       size_t *ret_count)
{
    bool more = wire_u32(&r) != 0;
    size_t count = 0;
    while (more && count < max)
        if (!get_record(&r, &records[count++], align, &more))
            return false;
    if (more || count == 0)
        return false;
    for (size_t i = count; i > 0; i--)
        if (!get_strings(&r, &records[i - 1]))
            return false;
    *ret_count = count;
    return !r.failed;
}

bool eerr_decode(const uint8_t *octets, size_t len, struct eerr_record *records, size_t max,
                 size_t *ret_count, bool *ret_swapped)
{
    struct pickle_types types;
    struct wire_reader r;
    uint8_t version;
    if (len < OBJECT_OFFSET || pickle_peek_types(octets, &version) != PICKLE_OK || version != 1 ||
        pickle_get_types(octets, &types) != PICKLE_OK)
        return false;
    uint32_t object_len = pickle_get_private(octets + PICKLE_COMMON_1_LEN, &types);
    if (object_len > len - OBJECT_OFFSET)
        return false;
    wire_reader_init(&r, octets + OBJECT_OFFSET, object_len, types.little_endian);
    *ret_swapped = types.little_endian != WIRE_HOST_LITTLE_ENDIAN;
    return get_object(r, PARAM_ALIGN, records, max, ret_count) ||
           get_object(r, PARAM_ALIGN_TAG, records, max, ret_count);
}
