#define _GNU_SOURCE
#include "CCrypto.h"

#include <stdlib.h>
#include <string.h>

#include "../CCryptoSystem/shim.h"

int crowd_sha256(const void *data, size_t length, unsigned char out[32]) {
    return EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL);
}

int crowd_sha512(const void *data, size_t length, unsigned char out[64]) {
    return EVP_Digest(data, length, out, NULL, EVP_sha512(), NULL);
}

int crowd_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, unsigned char out[32]) {
    return HMAC(EVP_sha256(), key, (int)key_length, data, length, out, NULL) != NULL;
}

int crowd_random(void *out, size_t length) { return RAND_bytes(out, (int)length) == 1; }

int crowd_equal(const void *a, const void *b, size_t length) { return CRYPTO_memcmp(a, b, length) == 0; }

// struct crypt_data is 32 KB: too much for a small thread stack.
static int with_setting(const char *password, const char *setting, char out[CROWD_BCRYPT_LENGTH + 1]) {
    struct crypt_data *work = calloc(1, sizeof *work);
    if (work == NULL) return 0;
    const char *hash = crypt_r(password, setting, work);
    int good = hash != NULL && strlen(hash) == CROWD_BCRYPT_LENGTH && hash[0] == '$' && hash[1] == '2';
    if (good) memcpy(out, hash, CROWD_BCRYPT_LENGTH + 1);
    OPENSSL_cleanse(work, sizeof *work);
    free(work);
    return good;
}

int crowd_bcrypt_hash(const char *password, unsigned long cost, char out[CROWD_BCRYPT_LENGTH + 1]) {
    char salt[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!crowd_random(salt, sizeof salt)) return 0;
    if (crypt_gensalt_rn("$2a$", cost, salt, sizeof salt, setting, sizeof setting) == NULL) return 0;
    return with_setting(password, setting, out);
}

int crowd_bcrypt_check(const char *password, const char *hash) {
    char computed[CROWD_BCRYPT_LENGTH + 1];
    if (strlen(hash) != CROWD_BCRYPT_LENGTH) return 0;
    return with_setting(password, hash, computed) && crowd_equal(computed, hash, CROWD_BCRYPT_LENGTH);
}
