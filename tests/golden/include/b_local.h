/* What the program has for the types of b_represent_as and b_user_marshal. */
#ifndef B_LOCAL_H
#define B_LOCAL_H
typedef struct {
    double x, y;
} LOCAL_POINT;
typedef struct {
    char *text;
} LOCAL_NAME;
#endif
