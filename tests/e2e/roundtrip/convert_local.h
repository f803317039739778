/* SPDX-License-Identifier: MIT */
/* convert_local.h - what C has for types of convert.idl that the ACF changes. */
#ifndef ROUNDTRIP_CONVERT_LOCAL_H
#define ROUNDTRIP_CONVERT_LOCAL_H

typedef struct {
    char *text; /* the number in decimal */
} LOCAL_SPOT;
typedef double LOCAL_ANGLE;
typedef short LOCAL_DIGIT;
typedef struct {
    char *text;
} LOCAL_LABEL;

#endif
