/* SPDX-License-Identifier: MIT */
/* marshal_protobuf.cc - the message of marshal.c through protobuf: serialised and parsed,
 * checked the same way.
 *
 *     marshal_protobuf ROUNDS */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "marshal.pb.h"

static const int ITEMS = 100;

static uint64_t now_ns()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

static bool same(const marshal::Message &a, const marshal::Message &b)
{
    if (a.name() != b.name() || a.owner() != b.owner() || a.comment() != b.comment() ||
        a.items_size() != b.items_size())
        return false;
    for (int i = 0; i < a.items_size(); i++)
        if (a.items(i).id() != b.items(i).id() || a.items(i).flags() != b.items(i).flags() ||
            a.items(i).value() != b.items(i).value())
            return false;
    return true;
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc == 2 ? std::strtoull(argv[1], nullptr, 10) : 0;
    if (rounds < 10)
        return 1;
    marshal::Message message;
    message.set_name("quarterly-figures.ods");
    message.set_owner("replication service");
    message.set_comment("changed twice since the last run");
    for (int i = 0; i < ITEMS; i++) {
        marshal::Item *item = message.add_items();
        item->set_id(i);
        item->set_flags(i * 3);
        item->set_value(i * 0.5);
    }
    std::string octets;
    uint64_t start = 0;
    for (uint64_t i = 0; i < rounds + rounds / 10; i++) {
        if (i == rounds / 10)
            start = now_ns();
        marshal::Message got; /* a receiver has a new one for each call */
        if (!message.SerializeToString(&octets) || !got.ParseFromString(octets) ||
            !same(got, message))
            return 1;
    }
    std::printf("{\"rounds\": %llu, \"ns\": %.1f, \"octets\": %zu}\n",
                static_cast<unsigned long long>(rounds),
                static_cast<double>(now_ns() - start) / static_cast<double>(rounds), octets.size());
    return 0;
}
