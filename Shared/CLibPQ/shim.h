#ifndef FLORIN_CLIBPQ_SHIM_H
#define FLORIN_CLIBPQ_SHIM_H
#include <libpq-fe.h>
#endif
