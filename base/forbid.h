/* Names that may not be used in this house; the compiler refuses them.
 * Included last by base/base.h, so system headers that mention them are not disturbed. */
#ifndef BASE_FORBID_H
#define BASE_FORBID_H

#if defined(__GNUC__) && !defined(BASE_ALLOW_LIBC)
#pragma GCC poison gets strcpy strcat sprintf vsprintf strtok strncpy atoi atol alloca
#pragma GCC poison rand srand signal system popen gmtime localtime asctime ctime
#endif

#endif
