/* SPDX-License-Identifier: MIT */
/* pickles.c - a type is treated as an operation with one parameter, as its stub describes it.
 * What the stub can only encode or only decode is mirrored: the operation's descriptor is
 * copied with its directions changed, for the other way. */
#include "pickles.h"

#include <stdlib.h>
#include <string.h>

#include "midles.h"

#include "memory.h"
#include "shape.h"

#define TEXT_ROOM 64   /* of strings that are parameters */
#define BYTES     4000 /* of [byte_count]                */
#define JOBS_MAX  64

struct job {
    const struct golden *golden;
    const RPC_CLIENT_INTERFACE *spec;
    NDR_OPERATION operation;         /* both ways: its data parameters are [in] and [out] */
    NDR_PARAM params[PARAMS_MAX];
    const NDR_EXPR *byte_counts[PARAMS_MAX]; /* of decoding: not a matter of the values */
    const struct golden_pickle *type; /* NULL: an operation */
    golden_call_fn call;              /* of an operation    */
    uint32_t flags;                   /* NDR_OP_ENCODE, NDR_OP_DECODE: what the stub has */
};
static struct job jobs[JOBS_MAX];
static size_t job_count;

static struct job *new_job(const struct golden *golden, RPC_IF_HANDLE *spec)
{
    if (job_count == JOBS_MAX)
        die("too many serialised types");
    jobs[job_count] = (struct job){.golden = golden, .spec = *spec};
    return &jobs[job_count++];
}

static void add_type(const struct golden *golden, const struct golden_pickle *type)
{
    struct job *job = new_job(golden, type->spec);
    job->type = type;
    job->flags = (type->encode ? NDR_OP_ENCODE : 0) | (type->decode ? NDR_OP_DECODE : 0);
    job->params[0] = *type->param;
    job->params[0].flags = NDR_PARAM_IN | NDR_PARAM_OUT;
    job->operation = (NDR_OPERATION){.name = type->param->name,
                                     .frame_size = sizeof(void *),
                                     .param_count = 1,
                                     .params = job->params};
}

static void add_operation(const struct golden *golden, const struct golden_interface *interface,
                          const NDR_OPERATION *operation)
{
    struct job *job = new_job(golden, interface->spec);
    uint32_t serialised = operation->flags & NDR_OP_ENCODE ? NDR_PARAM_IN : NDR_PARAM_OUT;
    job->call = interface->calls[operation->opnum];
    job->flags = operation->flags & (NDR_OP_ENCODE | NDR_OP_DECODE);
    job->operation = *operation;
    job->operation.params = job->params;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        job->params[i] = operation->params[i];
        job->params[i].byte_count = NULL;
        job->byte_counts[i] = operation->params[i].byte_count;
        if (travels(&operation->params[i], serialised))
            job->params[i].flags = NDR_PARAM_IN | NDR_PARAM_OUT;
        else if (!(operation->params[i].flags & NDR_PARAM_LOCAL))
            job->params[i].flags = NDR_PARAM_BINDING; /* stays here */
    }
}

static void find_jobs(void)
{
    for (size_t g = 0; goldens[g]; g++) {
        const struct golden *golden = goldens[g];
        for (const struct golden_pickle *type = golden->pickles; type->spec; type++)
            add_type(golden, type);
        for (const struct golden_interface *i = golden->interfaces; i->spec; i++) {
            const NDR_INTERFACE *ndr =
                ((const RPC_CLIENT_INTERFACE *)*i->spec)->InterpreterInfo;
            for (uint32_t k = 0; k < ndr->operation_count; k++)
                if (ndr->operations[k].flags & (NDR_OP_ENCODE | NDR_OP_DECODE))
                    add_operation(golden, i, &ndr->operations[k]);
        }
    }
}

static void set_handles(const struct job *job, char *frame, handle_t handle)
{
    for (size_t i = 0; job->golden->handles[i]; i++)
        *job->golden->handles[i] = handle;
    for (uint32_t i = 0; i < job->operation.param_count; i++)
        if (job->params[i].type->kind == NDR_KIND_HANDLE)
            pointer_store(frame + job->params[i].offset, handle);
}

/* The operation with the directions it needs to be encoded or decoded, in a copy of its
 * interface. */
static void run_mirrored(const struct job *job, char *frame, uint32_t way)
{
    NDR_PARAM params[PARAMS_MAX];
    const NDR_INTERFACE *ndr = job->spec->InterpreterInfo;
    NDR_OPERATION *operations = calloc(ndr->operation_count, sizeof(*operations));
    NDR_INTERFACE interface = *ndr;
    RPC_CLIENT_INTERFACE spec = *job->spec;
    if (!operations)
        die("no memory");
    memcpy(operations, ndr->operations, ndr->operation_count * sizeof(*operations));
    memcpy(params, job->params, sizeof(params));
    for (uint32_t i = 0; i < job->operation.param_count; i++) {
        bool is_data = !(params[i].flags & NDR_PARAM_BINDING);
        if (is_data) /* read: into memory that has room */
            params[i].flags = way == NDR_OP_ENCODE ? NDR_PARAM_IN : NDR_PARAM_IN | NDR_PARAM_OUT;
        else if (params[i].type->kind != NDR_KIND_HANDLE)
            params[i].flags = 0;
    }
    operations[job->operation.opnum] = job->operation;
    operations[job->operation.opnum].flags = way;
    operations[job->operation.opnum].params = params;
    interface.operations = operations;
    spec.InterpreterInfo = &interface;
    NdrxMesProcEncodeDecode(&spec, job->operation.opnum, frame);
    free(operations);
}

static void run(const struct job *job, char *frame, handle_t handle, uint32_t way)
{
    bool encodes = way == NDR_OP_ENCODE;
    set_handles(job, frame, handle);
    if (job->type && job->flags & way)
        (encodes ? job->type->encode : job->type->decode)(handle, pointer_load(frame));
    else if (job->type && encodes)
        NdrxMesTypeEncode(handle, job->spec, job->type->param, pointer_load(frame));
    else if (job->type)
        NdrxMesTypeDecode(handle, job->spec, job->type->param, pointer_load(frame));
    else if (job->flags & way)
        job->call(frame);
    else
        run_mirrored(job, frame, way);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void write_one(struct job *job, FILE *file)
{
    struct member members[PARAMS_MAX];
    struct printed printed = {.golden = job->golden};
    struct text text = {0};
    struct line line;
    struct values v;
    char *buffer = NULL;
    unsigned long size = 0;
    handle_t handle = NULL;
    uint64_t mark = memory_mark();
    char *frame = calloc(1, job->operation.frame_size + 1);
    if (!frame)
        die("no memory");
    line_init(&line, job->golden, job->spec->InterpreterInfo->name, &job->operation);
    values_init(&v, job->golden, &line, &job->operation);
    for (uint32_t i = 0; i < job->operation.param_count; i++)
        members[i] = (struct member){.type = job->params[i].type,
                                     .offset = job->params[i].offset,
                                     .range = job->params[i].range,
                                     .way = travels(&job->params[i], NDR_PARAM_IN) ? MEMBER_NEW
                                                                                   : MEMBER_OTHER};
    fill(&v, &job->operation, frame, members);
    print_params(&text, &printed, &job->operation, frame, NDR_PARAM_IN);
    RPC_STATUS status = MesEncodeDynBufferHandleCreate(&buffer, &size, &handle);
    if (status == RPC_S_OK && side.wide)
        status = MesBufferHandleReset(handle, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE_NDR64, &buffer,
                                      0, &size);
    if (status != RPC_S_OK)
        die("%s: %d", line.key, (int)status);
    RpcTryExcept
    {
        run(job, frame, handle, NDR_OP_ENCODE);
    }
    RpcExcept(1)
    {
        die("%s raised %d", line.key, (int)RpcExceptionCode());
    }
    RpcEndExcept
    write_line(&line, "pickled", &text);
    fprintf(file, "%zu %lu\n", (size_t)(job - jobs), size);
    if (fwrite(buffer, 1, size, file) != size)
        die("the file cannot be written");
    MesHandleFree(handle);
    text_fini(&text);
    free(frame);
    memory_release(mark);
}

void pickles_write(FILE *file, int times)
{
    find_jobs();
    for (int time = 0; time < times; time++)
        for (size_t i = 0; i < job_count; i++)
            write_one(&jobs[i], file);
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* In a conformant structure the old size says what room there is. */
static void announce_room(const NDR_TYPE *type, char *memory)
{
    for (const NDR_TYPE *tail = type; tail->flags & NDR_TYPE_OPEN;) {
        const NDR_FIELD *last = &tail->fields[tail->count - 1];
        if (is_sized(last->type) && last->type->max_count->op == NDR_EXPR_LOAD)
            scalar_store(last->type->max_count->kind, memory + last->type->max_count->offset,
                         ELEMENTS_MAX);
        memory += last->offset;
        tail = last->type;
    }
}

/* Initialised memory for everything that is read, sizes and strings as large as they may be. */
static void make_room(const struct job *job, char *frame)
{
    for (int sized = 0; sized <= 1; sized++) {
        for (uint32_t i = 0; i < job->operation.param_count; i++) {
            const NDR_TYPE *type = job->params[i].type;
            if (type->kind != NDR_KIND_POINTER || is_sized(type->element) != sized)
                continue;
            const NDR_TYPE *element = type->element;
            bool is_text = element->kind == NDR_KIND_STRING && element->count == 0 && !sized;
            size_t size = is_text ? TEXT_ROOM * scalar_size(element->element->kind)
                                  : storage_size(element, frame, ELEMENTS_MAX);
            if (job->byte_counts[i])
                size = BYTES;
            char *room = midl_user_allocate(size ? size : 1);
            if (!room)
                die("no memory");
            memset(room, 0, size);
            for (size_t k = 0; is_text && k < TEXT_ROOM - 1; k++)
                scalar_store(element->element->kind, room + k * scalar_size(element->element->kind),
                             'a');
            scalar_store(element->kind, room, ELEMENTS_MAX); /* where it is a number */
            announce_room(element, room);
            pointer_store(frame + job->params[i].offset, room);
        }
    }
    for (uint32_t i = 0; i < job->operation.param_count; i++)
        if (job->byte_counts[i])
            scalar_store(job->byte_counts[i]->kind, frame + job->byte_counts[i]->offset, BYTES);
}

static void read_one(struct job *job, char *buffer, unsigned long size)
{
    struct printed printed = {.golden = job->golden};
    struct text text = {0};
    struct line line;
    handle_t handle = NULL;
    uint64_t mark = memory_mark();
    char *frame = calloc(1, job->operation.frame_size + 1);
    if (!frame)
        die("no memory");
    line_init(&line, job->golden, job->spec->InterpreterInfo->name, &job->operation);
    make_room(job, frame);
    RPC_STATUS status = MesDecodeBufferHandleCreate(buffer, size, &handle);
    if (status != RPC_S_OK)
        die("%s: %d", line.key, (int)status);
    RpcTryExcept
    {
        run(job, frame, handle, NDR_OP_DECODE);
        print_params(&text, &printed, &job->operation, frame, NDR_PARAM_OUT);
    }
    RpcExcept(1)
    {
        text_add(&text, " raised %d", (int)RpcExceptionCode());
    }
    RpcEndExcept
    write_line(&line, "pickled", &text);
    MesHandleFree(handle);
    text_fini(&text);
    free(frame);
    memory_release(mark);
}

void pickles_read(FILE *file)
{
    size_t number;
    unsigned long size;
    find_jobs();
    while (fscanf(file, "%zu %lu", &number, &size) == 2) {
        unsigned long room = (size + 15) & ~15ul;
        char *buffer = aligned_alloc(16, room ? room : 16);
        if (!buffer || number >= job_count || fgetc(file) != '\n' ||
            fread(buffer, 1, size, file) != size)
            die("the file cannot be read");
        memset(buffer + size, 0, room - size);
        read_one(&jobs[number], buffer, room);
        free(buffer);
    }
}
