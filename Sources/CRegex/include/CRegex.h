#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Thin C entry points to RE2 (C++) and PCRE2 with JIT. No exception crosses them; offsets are bytes, -1 for a group that
// took no part.

typedef struct crowd_re2 crowd_re2;
typedef struct crowd_re2_set crowd_re2_set;
typedef struct crowd_pcre2 crowd_pcre2;
typedef struct crowd_pcre2_scratch crowd_pcre2_scratch;

// RE2, UTF-8, leftmost-first. NULL when refused: the reason is written to `error`.
crowd_re2 *crowd_re2_new(const char *pattern, size_t length, int64_t max_memory, char *error, size_t error_size);
void crowd_re2_free(crowd_re2 *re);
int crowd_re2_group_count(const crowd_re2 *re);
// Searches text[start..<length]; fills `pairs` (start, end) pairs, group 0 first; 0 pairs asks only whether it matches.
int crowd_re2_match(const crowd_re2 *re, const uint8_t *text, size_t length, size_t start, int32_t *offsets, int pairs);

// A set of patterns answered in one pass: which of them match anywhere.
crowd_re2_set *crowd_re2_set_new(int64_t max_memory);
void crowd_re2_set_free(crowd_re2_set *set);
int crowd_re2_set_add(crowd_re2_set *set, const char *pattern, size_t length, char *error, size_t error_size);
int crowd_re2_set_compile(crowd_re2_set *set);
// 1 a pattern matches, 0 none does, -1 out of memory: ask the patterns one by one.
int crowd_re2_set_matches(const crowd_re2_set *set, const uint8_t *text, size_t length);

// PCRE2 compiled for JIT; NULL when the pattern or this process (no executable memory) does not allow it.
crowd_pcre2 *crowd_pcre2_new(const char *pattern, size_t length);
void crowd_pcre2_free(crowd_pcre2 *code);
int crowd_pcre2_jit_available(void);
// One per worker: match data for up to `pairs` groups, JIT stack, match limit.
crowd_pcre2_scratch *crowd_pcre2_scratch_new(uint32_t pairs, uint32_t match_limit);
void crowd_pcre2_scratch_free(crowd_pcre2_scratch *scratch);
const size_t *crowd_pcre2_offsets(const crowd_pcre2_scratch *scratch);
// Number of set pairs on a match, -1 no match, below that an error (limit, stack). The text must be valid UTF-8.
int crowd_pcre2_match(const crowd_pcre2 *code, crowd_pcre2_scratch *scratch, const uint8_t *text, size_t length);

// Position of `needle` in `text`, or -1.
ptrdiff_t crowd_find(const uint8_t *text, size_t length, const uint8_t *needle, size_t needle_length);

#ifdef __cplusplus
}
#endif
