/* SPDX-License-Identifier: MIT */
/* pipe.c - one direction of a connection: a stream of octets that is split, merged,
 * delayed, stalled, written short, cut at any octet, and damaged, but never
 * reordered. */
#include <string.h>

#include "sim.h"

void sim_pipe_init(struct sim_pipe *pipe, struct sim_random *random, struct sim_pipe *back)
{
    *pipe = (struct sim_pipe){
        .random = random, .back = back, .cut_at = SIM_NEVER, .calm_us = SIM_CALM_US};
    pipe->capacity = sim_skewed(random, 100, 300000);
    pipe->delay_us = sim_skewed(random, 0, 20000);
    pipe->octets = sim_alloc(pipe->capacity);
}

void sim_pipe_fini(struct sim_pipe *pipe)
{
    sim_free(pipe->octets);
}

bool sim_pipe_writable(const struct sim_pipe *pipe)
{
    return !pipe->ended && pipe->len < pipe->capacity && pipe->segment_count < SIM_SEGMENTS;
}

void sim_pipe_end(struct sim_pipe *pipe)
{
    pipe->ended = true;
}

static uint64_t delivery_us(struct sim_pipe *pipe, uint64_t now_us)
{
    uint64_t ready_us = now_us + 1;
    if (now_us < pipe->calm_us) {
        ready_us += sim_below(pipe->random, pipe->delay_us + 1);
        if (sim_chance(pipe->random, 1))
            ready_us += sim_below(pipe->random, 300000); /* a stall */
    }
    if (ready_us < pipe->last_ready_us)
        ready_us = pipe->last_ready_us;
    pipe->last_ready_us = ready_us;
    return ready_us;
}

static uint8_t damaged(struct sim_pipe *pipe, uint8_t octet)
{
    if (pipe->flip_one_in == 0 || sim_below(pipe->random, pipe->flip_one_in) > 0)
        return octet;
    pipe->flips++;
    return octet ^ (uint8_t)(1u << sim_below(pipe->random, 8));
}

size_t sim_pipe_write(struct sim_pipe *pipe, uint64_t now_us, const uint8_t *octets, size_t len)
{
    if (!sim_pipe_writable(pipe))
        return 0;
    size_t room = pipe->capacity - pipe->len;
    size_t taken = len < room ? len : room;
    if (taken > 1 && sim_chance(pipe->random, 30))
        taken = 1 + sim_below(pipe->random, (uint32_t)taken); /* a short write */
    bool cut = pipe->written + taken >= pipe->cut_at;
    if (cut)
        taken = (size_t)(pipe->cut_at - pipe->written);

    size_t tail = (pipe->head + pipe->len) % pipe->capacity;
    for (size_t i = 0; i < taken; i++)
        pipe->octets[(tail + i) % pipe->capacity] = damaged(pipe, octets[i]);
    pipe->len += taken;
    pipe->written += taken;
    if (taken > 0) {
        unsigned at = (pipe->segment_head + pipe->segment_count++) % SIM_SEGMENTS;
        pipe->segments[at] = (struct sim_segment){delivery_us(pipe, now_us), taken};
    }
    if (cut) {
        sim_pipe_end(pipe);
        sim_pipe_end(pipe->back);
    }
    return taken;
}

uint64_t sim_pipe_readable_us(const struct sim_pipe *pipe)
{
    if (pipe->segment_count > 0)
        return pipe->segments[pipe->segment_head].ready_us;
    return pipe->ended ? 0 : SIM_NEVER;
}

/* Takes `len` octets of the first segment. */
static void take(struct sim_pipe *pipe, uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = pipe->octets[(pipe->head + i) % pipe->capacity];
    pipe->head = (pipe->head + len) % pipe->capacity;
    pipe->len -= len;
    struct sim_segment *segment = &pipe->segments[pipe->segment_head];
    segment->len -= len;
    if (segment->len == 0) {
        pipe->segment_head = (pipe->segment_head + 1) % SIM_SEGMENTS;
        pipe->segment_count--;
    }
}

size_t sim_pipe_read(struct sim_pipe *pipe, uint64_t now_us, uint8_t *octets, size_t cap,
                     bool *ret_end)
{
    size_t len = 0;
    *ret_end = pipe->ended && pipe->segment_count == 0;
    if (sim_chance(pipe->random, 30))
        cap = 1 + sim_below(pipe->random, (uint32_t)cap);
    while (len < cap && pipe->segment_count > 0 &&
           pipe->segments[pipe->segment_head].ready_us <= now_us) {
        size_t part = pipe->segments[pipe->segment_head].len;
        part = part < cap - len ? part : cap - len;
        take(pipe, octets + len, part);
        len += part;
    }
    return len;
}
