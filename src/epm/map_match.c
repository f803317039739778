/* SPDX-License-Identifier: MIT */
/* map_match.c - see map_match.h. */
#include "epm/map_match.h"

#include "base/uuid.h"

static bool version_matches(enum epm_versions option, const struct pdu_syntax *wanted,
                            const struct pdu_syntax *has)
{
    switch (option) {
    case EPM_VERSION_ALL:
        return true;
    case EPM_VERSION_COMPATIBLE:
        return has->major == wanted->major && has->minor >= wanted->minor;
    case EPM_VERSION_EXACT:
        return has->major == wanted->major && has->minor == wanted->minor;
    case EPM_VERSION_MAJOR_ONLY:
        return has->major == wanted->major;
    case EPM_VERSION_UPTO:
        return has->major < wanted->major ||
               (has->major == wanted->major && has->minor <= wanted->minor);
    }
    return false;
}

static bool interface_matches(enum epm_versions option, const struct pdu_syntax *wanted,
                              const struct pdu_syntax *has)
{
    return uuid_equal(&has->uuid, &wanted->uuid) && version_matches(option, wanted, has);
}

bool epm_matches(const struct epm_query *query, const UUID *object, const struct tower *tower)
{
    static const UUID nil;
    const bool same_object = uuid_equal(object, &query->object);
    switch (query->match) {
    case EPM_ALL:
        return true;
    case EPM_BY_INTERFACE:
        return interface_matches(query->versions, &query->interface_id, &tower->interface_id);
    case EPM_BY_OBJECT:
        return same_object;
    case EPM_BY_BOTH:
        return same_object &&
               interface_matches(query->versions, &query->interface_id, &tower->interface_id);
    case EPM_MAP:
        return (query->any_object ? uuid_equal(object, &nil) : same_object) &&
               interface_matches(EPM_VERSION_COMPATIBLE, &query->tower.interface_id,
                                 &tower->interface_id) &&
               pdu_syntax_equal(&query->tower.transfer, &tower->transfer) &&
               tower_same_protocols(&query->tower, tower);
    }
    return false;
}
