/* SPDX-License-Identifier: MIT */
/* suggest.h - "did you mean": the known word that an unknown one is nearly. */
#ifndef PENSTOCK_IDL_SUGGEST_H
#define PENSTOCK_IDL_SUGGEST_H

struct idl_compiler;

/* `word` is set by the user, the rest is suggest()'s. */
struct suggestion {
    const char *word;
    const char *best; /* NULL: none is near */
    unsigned distance;
};

/* Offers `known`, borrowed; of several equally near the first in alphabetical order wins. */
void suggest(struct suggestion *suggestion, const char *known);

/* "; did you mean 'best'?", or "". */
const char *suggest_text(struct idl_compiler *compiler, const struct suggestion *suggestion);

/* The end of a message about a type nobody has declared: a type that is nearly spelt so, or
 * what IDL has for a type of C and Windows. */
const char *suggest_type(struct idl_compiler *compiler, const char *name);

#endif
