#pragma once
#include <stddef.h>

// Flat calls over libcrypto and libcrypt. Each returns 1 on success and 0 on failure; nothing keeps a pointer.

int crowd_sha256(const void *data, size_t length, unsigned char out[32]);
int crowd_sha512(const void *data, size_t length, unsigned char out[64]);
int crowd_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, unsigned char out[32]);
int crowd_random(void *out, size_t length);

// 1 when equal; the time does not depend on where they differ.
int crowd_equal(const void *a, const void *b, size_t length);

#define CROWD_BCRYPT_LENGTH 60
// Hashes a NUL-terminated password with a fresh salt; out receives 60 characters and a NUL.
int crowd_bcrypt_hash(const char *password, unsigned long cost, char out[CROWD_BCRYPT_LENGTH + 1]);
// 1 when the password has that hash.
int crowd_bcrypt_check(const char *password, const char *hash);

#define CROWD_SUBJECT_COMMON_NAME 0
#define CROWD_SUBJECT_UNIT 1
// Copies the index-th common name or organisational unit of a DER certificate's subject as UTF-8, without a NUL.
// Returns its length, or 0 when there is none or it does not fit.
int crowd_certificate_subject(
    const unsigned char *der, size_t length, int kind, int index, unsigned char *out, size_t room);

// Ed25519 (RFC 8032): the public key of a seed, a signature, and whether a signature is genuine.
int crowd_ed25519_public(const unsigned char seed[32], unsigned char out[32]);
int crowd_ed25519_sign(const unsigned char seed[32], const void *data, size_t length, unsigned char out[64]);
int crowd_ed25519_verify(const unsigned char key[32], const void *data, size_t length, const unsigned char signature[64]);
