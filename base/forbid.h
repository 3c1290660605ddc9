/* Names that may not be used in this house; the compiler refuses them. The build puts this file in
 * front of every source of the house. The headers that declare the names come first, so that they
 * are not disturbed. */
#ifdef BASE_FORBID_LATER
/* The header of a library uses one of the names: its one file includes this again behind it. */
#undef BASE_FORBID_LATER
#else
#ifndef BASE_FORBID_H
#define BASE_FORBID_H

#include <alloca.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#pragma GCC poison gets strcpy strcat sprintf vsprintf strtok strncpy atoi atol alloca
#pragma GCC poison rand srand signal popen gmtime localtime asctime ctime

#endif
#endif
