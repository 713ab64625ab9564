#define _GNU_SOURCE
#include "CCrypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../CCryptoSystem/shim.h"

// Looked up once: the library would do so for each digest, which costs more than a short one.
static EVP_MD *sha256_method, *sha512_method;
static pthread_once_t methods_once = PTHREAD_ONCE_INIT;

static void fetch_methods(void) {
    sha256_method = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512_method = EVP_MD_fetch(NULL, "SHA512", NULL);
}

int crowd_sha256(const void *data, size_t length, unsigned char out[32]) {
    pthread_once(&methods_once, fetch_methods);
    return sha256_method != NULL && EVP_Digest(data, length, out, NULL, sha256_method, NULL);
}

int crowd_sha512(const void *data, size_t length, unsigned char out[64]) {
    pthread_once(&methods_once, fetch_methods);
    return sha512_method != NULL && EVP_Digest(data, length, out, NULL, sha512_method, NULL);
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

int crowd_certificate_subject(
    const unsigned char *der, size_t length, int kind, int index, unsigned char *out, size_t room) {
    X509 *certificate = d2i_X509(NULL, &der, (long)length);
    if (certificate == NULL) return 0;
    int nid = kind == CROWD_SUBJECT_UNIT ? NID_organizationalUnitName : NID_commonName;
    X509_NAME *subject = X509_get_subject_name(certificate);
    int position = -1, copied = 0;
    for (int skipped = 0; skipped <= index; skipped++) {
        position = X509_NAME_get_index_by_NID(subject, nid, position);
        if (position < 0) break;
    }
    if (position >= 0) {
        ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position));
        unsigned char *text = NULL;
        int size = ASN1_STRING_to_UTF8(&text, value);
        if (size > 0 && (size_t)size <= room) {
            memcpy(out, text, (size_t)size);
            copied = size;
        }
        OPENSSL_free(text);
    }
    X509_free(certificate);
    return copied;
}

int crowd_ed25519_public(const unsigned char seed[32], unsigned char out[32]) {
    size_t room = 32;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    int good = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &room) == 1 && room == 32;
    EVP_PKEY_free(key);
    return good;
}

int crowd_ed25519_sign(const unsigned char seed[32], const void *data, size_t length, unsigned char out[64]) {
    size_t room = 64;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestSign(context, out, &room, data, length) == 1 && room == 64;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

int crowd_ed25519_verify(
    const unsigned char key_bytes[32], const void *data, size_t length, const unsigned char signature[64]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key_bytes, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, 64, data, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}
