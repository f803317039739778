/* SPDX-License-Identifier: MIT */
/* ast.h - the tree the parser builds and the later passes annotate.
 *
 *   unit -> decl list -+- interface -> decl list -> proc -> param (var)
 *                      +- typedef -> var list -> type -> ... -> base type
 *                      +- const, import, cpp_quote, pragma
 *
 * Names refer to nodes by pointer; every node lives in the compilation's arena. */
#ifndef PENSTOCK_IDL_AST_H
#define PENSTOCK_IDL_AST_H

#include "idl/lex.h"
#include "idl/names.h"

#include <stdbool.h>
#include <stdint.h>

struct type;
struct var;
struct interface;

/* ---- Expressions ----------------------------------------------------------- */

enum expr_op {
    EXPR_NUMBER, /* value */
    EXPR_CHAR,   /* value */
    EXPR_STRING, /* text */
    EXPR_NULL,
    EXPR_NAME,   /* text: a constant, an enumerator, a parameter or a field */
    EXPR_SIZEOF, /* type */
    EXPR_DEREF,  /* *a */
    EXPR_NEG,
    EXPR_PLUS,
    EXPR_NOT,
    EXPR_BITNOT,
    EXPR_CAST, /* (type)a */
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_DIV,
    EXPR_MOD,
    EXPR_SHL,
    EXPR_SHR,
    EXPR_BITAND,
    EXPR_BITOR,
    EXPR_BITXOR,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_EQ,
    EXPR_NE,
    EXPR_AND,
    EXPR_OR,
    EXPR_COND /* a ? b : c */
};

struct expr {
    enum expr_op op;
    struct loc loc;
    const char *start, *end; /* its text, parentheses around it included */
    const char *text;        /* NAME, STRING */
    uint64_t value;
    bool is_unsigned, is_hex, is_wide;
    unsigned depth; /* of the tree below, itself included: bounds every recursion over it */
    struct type *type;
    struct expr *a, *b, *c;
};

/* A constant's value. */
struct value {
    enum {
        VALUE_INVALID,
        VALUE_INT,
        VALUE_REAL, /* `number` as float or double */
        VALUE_STRING,
        VALUE_NULL
    } kind;
    int64_t number;
    bool is_unsigned; /* number holds the bits of a uint64_t */
    const char *text; /* STRING: between the quotes */
    bool is_wide;
};

/* ---- Attributes ------------------------------------------------------------ */

enum attr_id {
#define ATTRIBUTE(id, word, args, idl, acf, state) ATTR_##id,
#include "idl/attributes.def"
#undef ATTRIBUTE
    ATTR_COUNT,
    ATTR_UNKNOWN = ATTR_COUNT
};

/* Places an attribute may stand in. */
enum {
    PLACE_INTERFACE = 1,
    PLACE_TYPE = 2,
    PLACE_FIELD = 4,
    PLACE_PARAM = 8,
    PLACE_OPERATION = 16,
    PLACE_ACF = 32 /* added to one of the above */
};

struct attr_arg {
    struct expr *expr; /* NULL: a hole, size_is(,n) */
    const char *text;  /* TEXT, STRINGS, WORD; TYPE: as written */
    struct type *type; /* TYPE */
    struct loc loc;
    struct attr_arg *next;
};

struct attr {
    enum attr_id id;
    const char *name;
    struct loc loc;
    struct attr_arg *args;
    struct attr *next;
};

/* ---- Types ----------------------------------------------------------------- */

enum type_kind {
    TYPE_ERROR, /* already reported: says nothing more */
    TYPE_BASE,
    TYPE_ENUM,
    TYPE_STRUCT, /* encapsulated unions, too: in C they are structures */
    TYPE_UNION,  /* non-encapsulated */
    TYPE_POINTER,
    TYPE_ARRAY,
    TYPE_PIPE,
    TYPE_FUNCTION, /* target: its result; reported wherever it may not be */
    TYPE_ALIAS,    /* a typedef name */
    TYPE_CONST     /* const target */
};

enum base_kind {
    BASE_VOID,
    BASE_BOOLEAN,
    BASE_BYTE,
    BASE_CHAR,
    BASE_SCHAR,
    BASE_SMALL,
    BASE_USMALL,
    BASE_WCHAR,
    BASE_SHORT,
    BASE_USHORT,
    BASE_LONG,
    BASE_ULONG,
    BASE_HYPER,
    BASE_UHYPER,
    BASE_INT3264,
    BASE_UINT3264,
    BASE_FLOAT,
    BASE_DOUBLE,
    BASE_ERROR_STATUS,
    BASE_HANDLE,
    BASE_COUNT
};

struct enumerator {
    const char *name;
    struct loc loc;
    struct expr *expr; /* NULL: one more than the one before */
    int64_t value;
    struct enumeration *owner;
    struct enumerator *next;
};

struct enumeration {
    const char *tag;
    const char *c_name; /* "enum tag", or a typedef name once there is one */
    struct loc loc;
    struct enumerator *list;
    bool is_v1; /* 32 bits on the wire */
    bool defined;
};

struct aggregate {
    const char *tag;
    const char *c_name; /* "struct tag", or a typedef name once there is one */
    struct loc loc;
    struct var *fields; /* unions: the arms; an empty arm has no type and is not counted */
    struct var *last_field;
    bool is_union;
    unsigned pack;        /* of #pragma pack, octets; 0: natural alignment */
    bool is_plain;        /* a union without labels: C only, never sent */
    bool tag_is_invented;
    bool is_anonymous;    /* a member without a name, of which C has no tag either */
    bool is_encapsulated; /* two fields: the discriminant and the union */
    bool ms_union;        /* all arms begin at the alignment of the strictest one */
    bool ms_conf_struct;  /* [ms_conf_struct]: cannot be sent if it is conformant */
    struct attr *attrs;   /* unions: [switch_type] before the body; NULL: none */
    struct name_map field_names; /* -> struct var */
    unsigned field_count;
    bool defined;
    bool being_defined;
    bool announced;   /* in the header, ahead of an operation that needs its name */
    unsigned depth;   /* structures nested in it by value, itself included */
    unsigned visited; /* of the search for cycles: round of the last visit */
    bool has_bit_fields; /* C only, never sent */
    bool is_com;      /* stands for an interface or a SAFEARRAY: only its name is known */
    struct interface *home;
    struct node *node; /* layout.c */
    struct node_arms *arms; /* layout_union.c: of a union, one for each discriminant type */
    bool characters_checked; /* the rules of [cs_char] in its fields */
};

struct type {
    enum type_kind kind;
    struct loc loc;
    struct type *target; /* POINTER, ARRAY, PIPE, FUNCTION, CONST */
    enum base_kind base;
    bool plain_char; /* BASE_CHAR that is `char` in C: -char, and no sign was written */
    struct enumeration *enumeration;
    struct aggregate *aggregate;
    struct var *alias;  /* ALIAS: the typedef */
    struct unit *unit;  /* ALIAS of another file: where it is used */
    struct type *next_use;
    struct expr *bound; /* ARRAY; NULL: conformant */
    struct expr *bound_low;
    uint32_t count;        /* ARRAY: elements; 0: conformant */
    const char *pipe_name; /* PIPE: the name after `typedef pipe T` */
    struct var *params;    /* FUNCTION */
    bool variadic;         /* FUNCTION */
    bool defines;          /* STRUCT, UNION, ENUM: the body stands here */
    bool is_ahead;         /* STRUCT, UNION: named here, defined later */
    bool hoisted;          /* ... but the header has it before the structure around it */
};

/* A name with a type: a typedef name, field, parameter or constant. */
struct var {
    const char *name; /* NULL: abstract declarator, anonymous member, empty arm */
    struct loc loc;
    struct type *type;
    struct attr *attrs;
    struct interface *home; /* whose pointer_default counts; NULL: outside */
    struct expr *init;      /* constants */
    struct value value;     /* constants */
    bool imported;
    struct unit *unit;              /* typedef names: the file */
    struct type *uses;              /* typedef names: in other files */
    unsigned depth;                 /* typedef names: typedef names below, itself included */
    bool is_in, is_out;             /* parameters */
    bool is_binding;                /* the parameter that carries the call */
    bool synthesized;               /* IDL_handle, status parameters of the ACF */
    bool comm_status, fault_status; /* parameters that receive a failure */
    struct aggregate *aggregate;    /* fields: the structure or union */
    bool is_bit_field;              /* fields: of `bits` bits */
    unsigned bits;
    struct proc *proc;              /* parameters: the operation */
    struct node *node;              /* fields, parameters, results: the descriptor */
    const struct node_range *range; /* [range] of the integers in it; NULL: none */
    bool has_characters;            /* parameters, results: of [cs_char], anywhere in them */
    struct node_expr *byte_count;   /* parameters: [byte_count]; or NULL */
    const char *source, *source_end;
    struct var *next;
};

/* ---- Declarations ---------------------------------------------------------- */

struct proc {
    const char *name;
    struct loc loc;
    struct type *result;
    struct attr *attrs;
    struct var *params;
    unsigned param_count;
    unsigned opnum;
    struct interface *home;
    const char *source, *source_end;
    bool is_async, explicit_handle, auto_handle, idempotent;
    bool is_local;    /* a prototype, no stubs: no number either */
    bool is_callback; /* from the server to the client: numbered on its own */
    bool is_nocode;   /* ACF: no client stub */
    bool is_maybe;    /* nobody waits for an answer */
    bool comm_status, fault_status; /* the result receives a failure */
    bool implicit;           /* bound by the interface's implicit handle */
    struct var *hidden;      /* a handle_t of the frame alone that carries the call, or NULL */
    bool hidden_first;       /* it precedes the parameters: a context handle comes after it */
    struct var *generic;     /* the [handle] parameter it is made of, or NULL */
    const struct var *generic_type; /* its typedef */
    bool generic_by_pointer; /* the parameter points to the handle */
    bool has_pipes;
    bool encodes, decodes; /* ACF [encode], [decode]: serialised, never called */
    bool variadic;
    struct var *result_var; /* NULL: void */
    const char *c_name;     /* "If_Op", first part of the names of its descriptors */
    const char *frame;      /* "struct If_Op_frame" */
    struct proc *next;
};

enum decl_kind {
    DECL_IMPORT,    /* text: the file */
    DECL_CPP_QUOTE, /* text: as in the quotes */
    DECL_PRAGMA,    /* text: behind #pragma */
    DECL_INCLUDE,   /* text: the C header */
    DECL_TYPEDEF,   /* type, vars */
    DECL_TYPE,      /* type: a struct or enum with its body, or a forward struct */
    DECL_CONST,     /* vars: one */
    DECL_VARIABLE,  /* vars: one; text: "extern" or "static" */
    DECL_PROC,
    DECL_INTERFACE,
    DECL_FORWARD /* interface: its name as a type */
};

struct decl {
    enum decl_kind kind;
    struct loc loc;
    const char *text;
    struct type *type;
    struct var *vars;
    struct proc *proc;
    struct interface *interface;
    const char *source, *source_end; /* its text, for comments */
    struct decl *next;
};

enum pointer_class { POINTER_DEFAULT, POINTER_REF, POINTER_UNIQUE, POINTER_FULL };

struct endpoint {
    const char *protseq, *endpoint; /* C string contents, escapes kept */
    struct endpoint *next;
};

/* A type with [encode] or [decode]. */
struct pickled {
    struct var *alias;
    struct var *object; /* stands for the parameter of T_Encode and T_Decode */
    const struct attr *attr; /* NULL: the interface says so */
    const char *c_name; /* of its NDR_PARAM; given while emitting */
    bool encodes, decodes;
    struct pickled *next;
};

struct interface {
    const char *name;
    struct loc loc;
    struct attr *attrs;
    struct decl *decls;
    struct proc *procs, **procs_end;
    unsigned proc_count;
    struct proc *callbacks, **callbacks_end; /* [callback], numbered on their own */
    unsigned callback_count;
    struct name_map proc_names;
    bool imported;
    bool defined;
    bool is_com;   /* of COM or a type library: its types count, its methods do not */
    bool is_local; /* prototypes only */
    struct aggregate *as_type; /* what its name means as a type */
    uint8_t uuid[16]; /* in the order of the text */
    bool has_uuid;
    unsigned major, minor;
    struct endpoint *endpoints;
    unsigned endpoint_count;
    enum pointer_class pointer_default;
    bool explicit_handle, auto_handle, is_async; /* ACF */
    const char *implicit_name;                   /* ACF implicit_handle, or NULL */
    const struct var *implicit_type;             /* its [handle] type; NULL: handle_t */
    bool has_pipes;
    unsigned tagless; /* tags invented so far */
    bool ms_union;    /* [ms_union]: of the unions in it */
    bool ms_conf_struct; /* [ms_conf_struct]: of the structures in it */
    bool default_noted; /* that it has no pointer_default has been said */
    struct pickled *pickled;   /* types it has serialisation routines for */
    unsigned pickled_procs;    /* operations that are serialised, not called */
    struct interface *next;
};

/* What a name stands for; the two kinds of tags live in a map of their own. */
struct symbol {
    enum symbol_kind {
        SYMBOL_TYPEDEF,
        SYMBOL_CONST,
        SYMBOL_ENUMERATOR,
        SYMBOL_PROC,
        SYMBOL_INTERFACE,
        SYMBOL_VARIABLE,
        SYMBOL_BAD
    } kind;
    struct loc loc;
    struct var *var; /* TYPEDEF, CONST */
    struct enumerator *enumerator;
    struct interface *interface;
};

struct tag {
    struct loc loc;
    struct aggregate *aggregate; /* one of the two */
    struct enumeration *enumeration;
};

struct include {
    const char *name;
    struct include *next;
};

/* #pragma pack of one file. */
#define PACK_DEPTH_MAX 16
struct pack_state {
    bool used;
    unsigned current; /* octets; 0: natural alignment */
    unsigned depth;
    struct {
        unsigned value;
        const char *name; /* NULL: none */
    } stack[PACK_DEPTH_MAX];
};

/* One IDL file. */
struct unit {
    const char *path;
    struct decl *decls;
    struct interface *interfaces, **interfaces_end;
    unsigned tagless; /* outside interfaces */
    bool imported;
    struct pack_state pack;
};

#endif
