#define PCRE2_CODE_UNIT_WIDTH 8
#include "CRegex.h"

#include <pcre2.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct crowd_re2 { RE2 re; crowd_re2(re2::StringPiece p, const RE2::Options &o) : re(p, o) {} };
struct crowd_re2_set { RE2::Set set; explicit crowd_re2_set(const RE2::Options &o) : set(o, RE2::UNANCHORED) {} };
struct crowd_pcre2 { pcre2_code *code; };
struct crowd_pcre2_scratch { pcre2_match_data *data; pcre2_match_context *context; pcre2_jit_stack *stack; };

namespace {
RE2::Options options(int64_t max_memory) {
    RE2::Options o;
    o.set_log_errors(false);
    o.set_max_mem(max_memory);
    return o;
}
void report(const std::string &text, char *error, size_t size) {
    if (size == 0) return;
    size_t n = text.size() < size - 1 ? text.size() : size - 1;
    memcpy(error, text.data(), n);
    error[n] = 0;
}
re2::StringPiece piece(const uint8_t *text, size_t length) {
    return re2::StringPiece(reinterpret_cast<const char *>(text), length);
}
}  // namespace

crowd_re2 *crowd_re2_new(const char *pattern, size_t length, int64_t max_memory, char *error, size_t error_size) {
    auto *re = new (std::nothrow) crowd_re2(re2::StringPiece(pattern, length), options(max_memory));
    if (re == nullptr) return nullptr;
    if (re->re.ok()) return re;
    report(re->re.error(), error, error_size);
    delete re;
    return nullptr;
}

void crowd_re2_free(crowd_re2 *re) { delete re; }

int crowd_re2_group_count(const crowd_re2 *re) { return re->re.NumberOfCapturingGroups(); }

int crowd_re2_match(const crowd_re2 *re, const uint8_t *text, size_t length, size_t start, int32_t *offsets, int pairs) {
    constexpr int kInline = 64;
    re2::StringPiece inline_groups[kInline];
    std::unique_ptr<re2::StringPiece[]> heap;
    re2::StringPiece *groups = inline_groups;
    if (pairs > kInline) {
        heap.reset(new (std::nothrow) re2::StringPiece[pairs]);
        if (!heap) return 0;
        groups = heap.get();
    }
    if (!re->re.Match(piece(text, length), start, length, RE2::UNANCHORED, groups, pairs)) return 0;
    for (int i = 0; i < pairs; i++) {
        bool set = groups[i].data() != nullptr;
        int32_t at = set ? static_cast<int32_t>(groups[i].data() - reinterpret_cast<const char *>(text)) : -1;
        offsets[2 * i] = at;
        offsets[2 * i + 1] = set ? at + static_cast<int32_t>(groups[i].size()) : -1;
    }
    return 1;
}

crowd_re2_set *crowd_re2_set_new(int64_t max_memory) { return new (std::nothrow) crowd_re2_set(options(max_memory)); }

void crowd_re2_set_free(crowd_re2_set *set) { delete set; }

int crowd_re2_set_add(crowd_re2_set *set, const char *pattern, size_t length, char *error, size_t error_size) {
    std::string reason;
    int index = set->set.Add(re2::StringPiece(pattern, length), &reason);
    if (index < 0) report(reason, error, error_size);
    return index;
}

int crowd_re2_set_compile(crowd_re2_set *set) { return set->set.Compile() ? 1 : 0; }

int crowd_re2_set_matches(const crowd_re2_set *set, const uint8_t *text, size_t length) {
    RE2::Set::ErrorInfo info;
    if (set->set.Match(piece(text, length), nullptr, &info)) return 1;
    return info.kind == RE2::Set::kNoError ? 0 : -1;
}

int crowd_pcre2_jit_available(void) {
    uint32_t jit = 0;
    if (pcre2_config(PCRE2_CONFIG_JIT, &jit) < 0 || jit == 0) return 0;
    crowd_pcre2 *probe = crowd_pcre2_new("a", 1);
    crowd_pcre2_free(probe);
    return probe != nullptr;
}

crowd_pcre2 *crowd_pcre2_new(const char *pattern, size_t length) {
    int error = 0;
    PCRE2_SIZE at = 0;
    uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *context = pcre2_compile_context_create(nullptr);
    if (context == nullptr) return nullptr;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), length, flags, &error, &at, context);
    pcre2_compile_context_free(context);
    if (code == nullptr) return nullptr;
    if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0) {
        pcre2_code_free(code);
        return nullptr;
    }
    return new (std::nothrow) crowd_pcre2{code};
}

void crowd_pcre2_free(crowd_pcre2 *code) {
    if (code == nullptr) return;
    pcre2_code_free(code->code);
    delete code;
}

crowd_pcre2_scratch *crowd_pcre2_scratch_new(uint32_t pairs, uint32_t match_limit) {
    auto *scratch = new (std::nothrow) crowd_pcre2_scratch{};
    if (scratch == nullptr) return nullptr;
    scratch->data = pcre2_match_data_create(pairs, nullptr);
    scratch->context = pcre2_match_context_create(nullptr);
    scratch->stack = pcre2_jit_stack_create(32 * 1024, 1024 * 1024, nullptr);
    if (scratch->data == nullptr || scratch->context == nullptr || scratch->stack == nullptr) {
        crowd_pcre2_scratch_free(scratch);
        return nullptr;
    }
    pcre2_set_match_limit(scratch->context, match_limit);
    pcre2_jit_stack_assign(scratch->context, nullptr, scratch->stack);
    return scratch;
}

void crowd_pcre2_scratch_free(crowd_pcre2_scratch *scratch) {
    if (scratch == nullptr) return;
    if (scratch->data != nullptr) pcre2_match_data_free(scratch->data);
    if (scratch->context != nullptr) pcre2_match_context_free(scratch->context);
    if (scratch->stack != nullptr) pcre2_jit_stack_free(scratch->stack);
    delete scratch;
}

const size_t *crowd_pcre2_offsets(const crowd_pcre2_scratch *scratch) {
    return pcre2_get_ovector_pointer(scratch->data);
}

int crowd_pcre2_match(const crowd_pcre2 *code, crowd_pcre2_scratch *scratch, const uint8_t *text, size_t length) {
    return pcre2_jit_match(code->code, text, length, 0, 0, scratch->data, scratch->context);
}

ptrdiff_t crowd_find(const uint8_t *text, size_t length, const uint8_t *needle, size_t needle_length) {
    const void *at = memmem(text, length, needle, needle_length);
    return at == nullptr ? -1 : static_cast<const uint8_t *>(at) - text;
}
