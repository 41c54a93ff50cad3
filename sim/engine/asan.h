/*
 * asan.h - tell AddressSanitizer what lies free in a pool
 *
 * So that a build with SAN=1 reports a stale pointer into a slab or a payload.
 * Nothing in other builds.
 */
#ifndef SIM_ENGINE_ASAN_H
#define SIM_ENGINE_ASAN_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ENGINE_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ENGINE_ASAN 1
#endif

#ifdef ENGINE_ASAN
#include <sanitizer/asan_interface.h>
#define asan_close(p, bytes)	__asan_poison_memory_region((p), (bytes))
#define asan_open(p, bytes)	__asan_unpoison_memory_region((p), (bytes))
#else
#define asan_close(p, bytes)	((void)(p), (void)(bytes))
#define asan_open(p, bytes)	((void)(p), (void)(bytes))
#endif

#endif /* SIM_ENGINE_ASAN_H */
