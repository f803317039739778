/* SPDX-License-Identifier: MIT */
/* random.c - all chance of a simulation comes from one 64-bit seed: splitmix64. */
#include "sim.h"

uint64_t sim_random_next(struct sim_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t sim_below(struct sim_random *random, uint32_t bound)
{
    return (uint32_t)((sim_random_next(random) >> 32) * bound >> 32);
}

uint32_t sim_skewed(struct sim_random *random, uint32_t low, uint32_t high)
{
    uint32_t range = high - low + 1;
    return low + sim_below(random, sim_below(random, range) + 1);
}

bool sim_chance(struct sim_random *random, uint32_t percent)
{
    return sim_below(random, 100) < percent;
}
