/* SPDX-License-Identifier: MIT */
/* map_match.h - which entries a query means (C706 Appendix O; MS-RPCE 3.1.3.5.3). */
#ifndef EPM_MAP_MATCH_H
#define EPM_MAP_MATCH_H

#include "epm/map.h"

/* `object` and `tower` are an entry's. */
bool epm_matches(const struct epm_query *query, const UUID *object, const struct tower *tower);

#endif
