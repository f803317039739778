/* SPDX-License-Identifier: MIT */
/* layout.h - descriptor nodes: what will become NDR_TYPE, NDR_FIELD and NDR_EXPR.
 *
 * A node is one future `static const NDR_TYPE`.  Equal types share a node; a type
 * sized by an expression has its own, because the expression reads a particular
 * frame or structure.  Sizes and offsets stay C expressions: the C compiler decides
 * about memory.  What is computed here is the NDR 2.0 side. */
#ifndef PENSTOCK_IDL_LAYOUT_H
#define PENSTOCK_IDL_LAYOUT_H

#include "idl/compiler.h"
#include "idl/shape.h"

struct node_range {
    int64_t low, high;
    const char *c_name; /* of the NDR_RANGE; given while emitting */
};

struct node_expr {
    const char *op;     /* NDR_EXPR_*, without the prefix */
    const char *kind;   /* NDR_KIND_*, without the prefix; NULL: none */
    const char *base;   /* LOAD, DEREF, NONNULL: the structure ... */
    const char *member; /* ... and its member */
    int64_t value;
    struct node_expr *operands[3];
    const char *c_name;
};

/* One label of a union. */
struct node_arm {
    const struct var *var; /* no name: empty */
    struct node *node;     /* NULL: empty */
    int64_t value;
};

/* The arms of a union, for one type of discriminant. */
struct node_arms {
    const char *c_name;
    const char *switch_kind; /* NDR_KIND_*, without the prefix */
    unsigned switch_size;    /* octets of NDR 2.0 */
    struct node_arm *labels;
    unsigned label_count;
    struct node_arm *otherwise; /* NULL: no default */
    bool in_progress, broken;
    bool ms_union;
    struct node *owner; /* the node they are emitted with */
    struct node_arms *next;
};

/* A context handle: what becomes NDR_CONTEXT. */
#define CONTEXT_STRICT      1u
#define CONTEXT_TYPE_STRICT 2u
#define CONTEXT_SERIALIZE   4u
#define CONTEXT_NOSERIALIZE 8u
struct node_context {
    const struct var *alias; /* NULL: declared on a parameter, no rundown */
    unsigned flags;          /* CONTEXT_* */
};

/* A value the program converts: what becomes NDR_CONVERSION. */
struct node_conversion {
    const struct var *alias; /* the typedef */
    const struct attr *attr; /* which of its attributes */
};

enum node_flat {
    FLAT_NEVER,
    FLAT_ALWAYS,
    FLAT_DEPENDS /* the C compiler decides: a constant named after the structure */
};

struct node_field {
    const struct var *var;
    struct node *node;
};

struct node {
    const char *c_name;
    const char *kind;         /* NDR_KIND_*, without the prefix */
    const char *pointer_flag; /* POINTER: NDR_TYPE_REF ..., else NULL */
    const char *idl_name;     /* NULL: none */
    const char *size;         /* C expression; "0" */
    unsigned align;           /* NDR 2.0 */
    uint64_t ndr_size;        /* NDR 2.0 octets; 0: varies */
    uint64_t whole_size;      /* fixed ARRAY, STRING: of all elements, should they travel */
    uint32_t count;
    struct loc loc; /* of what needed it first */
    enum node_flat flat;
    const char *flat_name; /* FLAT_DEPENDS: the constant */
    bool has_pointers;
    bool converts;   /* a value in it is CONVERTED */
    bool is_sized;   /* conformant, or a string */
    bool is_open;    /* STRUCT: ends in a conformant array */
    bool is_ignored; /* POINTER: [ignore] */
    bool pipe_element_ok;
    struct node *element;
    struct aggregate *aggregate;  /* STRUCT */
    const struct enumeration *enumeration; /* ENUM16, ENUM32 */
    struct node_field *fields;    /* STRUCT, aggregate->field_count of them */
    struct node_context *context; /* CONTEXT */
    struct node_conversion *conversion; /* CONVERTED; element: the wire type */
    const struct var *characters; /* an octet: the typedef with [cs_char]; or NULL */
    struct node_expr *max_count;
    const struct node_range *count_range; /* [range] of the max count, or NULL */
    const struct node_range *element_range; /* PIPE, CONVERTED: [range] of what is sent, or NULL */
    struct node_expr *first, *length; /* varying ARRAY; NULL: from the first, all */
    bool is_varying;
    bool dont_free;      /* POINTER: [allocate(dont_free)] */
    bool all_nodes;      /* POINTER: [allocate(all_nodes)] */
    bool null_with_size; /* [disable_consistency_check] */
    struct node_arms *arms;             /* UNION */
    struct node_expr *switch_is;        /* UNION; NULL: encapsulated */
    struct aggregate *encapsulation;    /* UNION: encapsulated: the structure */
    struct aggregate *anonymous;        /* C has no name for it: stubs need a copy */
    const struct var *sized_by_attr_of; /* ARRAY, STRING, UNION: whose expressions these are */
    unsigned order;                     /* of completion */
    unsigned visited;                   /* layout_search.c: round of the last visit */
    unsigned section;                   /* interface it is emitted with, from 1; 0: none */
    bool forward;                       /* something emitted before it refers to it */
    bool settled;                       /* align, ndr_size and all flags are final */
    bool complete, broken;
    bool being_settled;
    struct idl_type *described; /* describe_types.c */
    struct node *next; /* in order of completion */
};

/* Makes the descriptor of a whole parameter, field or result into var->node.
 * False: reported. */
bool layout_var(struct idl_compiler *compiler, struct var *var, const struct shape *shape,
                enum role role);
/* The descriptor of a complete structure with all its fields; NULL: reported. */
struct node *layout_struct(struct idl_compiler *compiler, struct aggregate *aggregate);
/* The pipe itself. */
struct node *layout_pipe(struct idl_compiler *compiler, struct type *pipe);

/* A context handle of the typedef (NULL: none); flags: CONTEXT_*. */
struct node *layout_context_handle(struct idl_compiler *compiler, const struct var *alias,
                                   unsigned flags);
struct node *layout_pointer(struct idl_compiler *compiler, struct node *target,
                            enum pointer_class class);

/* What an expression is for decides about [out] parameters in it. */
enum expr_use {
    USE_TOP_SIZE, /* of what the parameter itself points to */
    USE_SIZE,
    USE_LENGTH,
    USE_SWITCH
};

/* size_is and kin, with names looked up around `var`; NULL: reported. */
struct node_expr *layout_expr(struct idl_compiler *compiler, const struct expr *expr,
                              const struct var *var, enum expr_use use);
/* The value of another parameter or field beside `var`, of an integral type. */
struct node_expr *layout_load(struct idl_compiler *compiler, const struct var *var,
                              const struct var *sibling);
struct node_expr *layout_constant(struct idl_compiler *compiler, int64_t value);
struct node_expr *layout_binary(struct idl_compiler *compiler, const char *op, struct node_expr *a,
                                struct node_expr *b);
/* The type of the first parameter or field that `expr` computes with; NULL: there is none,
 * or the result is a truth value. */
struct type *layout_expr_type(const struct expr *expr, const struct var *var);

/* ---- layout_union.c -------------------------------------------------------------------- */

/* The union `shape` ends in, at this use; NULL: reported. */
struct node *layout_union(struct idl_compiler *compiler, const struct var *var,
                          const struct shape *shape);
/* Checks the arms of a union, used or not. */
void layout_union_body(struct idl_compiler *compiler, struct aggregate *aggregate);
/* The structure around an encapsulated union. */
struct node *layout_encapsulated(struct idl_compiler *compiler, struct aggregate *aggregate);

/* ---- layout_settle.c ------------------------------------------------------------------- */

/* Works out alignment, size and flags of all nodes not settled yet, when no structure is
 * under construction any more.  False: reported. */
bool layout_settle(struct idl_compiler *compiler);

/* ---- layout_search.c ------------------------------------------------------------------- */

/* Is there a context handle in the parameters or the result? */
bool layout_has_contexts(struct idl_compiler *compiler, const struct proc *proc);
/* A value the program converts, the same way. */
bool layout_proc_converts(struct idl_compiler *compiler, const struct proc *proc);
bool layout_holds_context(struct idl_compiler *compiler, struct node *node);
/* A value of [cs_char], the same way. */
bool layout_holds_characters(struct idl_compiler *compiler, struct node *node);
/* Every node that `node` leads to, itself first; *ret_count: how many. */
struct node **layout_reachable(struct idl_compiler *compiler, struct node *node,
                               unsigned *ret_count);

/* ---- Parts of layout.c ------------------------------------------------------------------ */

struct node *layout_new_node(struct idl_compiler *compiler, const char *c_name, const char *kind);
struct node *layout_complete(struct idl_compiler *compiler, struct node *node);
/* "Operation_parameter" or "STRUCT_field". */
const char *layout_context(struct idl_compiler *compiler, const struct var *var);
/* One level into structures; false: too deep, reported. */
bool layout_enter(struct idl_compiler *compiler, const struct loc *loc);

/* `text`, or with a number behind it, so that no other descriptor has the name. */
const char *layout_name(struct idl_compiler *compiler, const char *text);

/* ---- layout_mark.c ---------------------------------------------------------------------- */

/* Gives every node that `interface` needs, and no earlier one, its section. */
void layout_mark(struct idl_compiler *compiler, struct interface *interface, unsigned section);
/* The same for what only serialised types need. */
void layout_mark_pickled(struct idl_compiler *compiler, unsigned section);

#endif
