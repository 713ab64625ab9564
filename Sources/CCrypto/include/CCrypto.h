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

// Revocation of certificates. Certificates are DER, bundles of certificates or of lists are PEM.

#define CROWD_ISSUER_ITSELF -1
// Copies the certificate of the bundle that issued this one. Returns its length, CROWD_ISSUER_ITSELF when it issued itself,
// 0 when its issuer is not in the bundle or does not fit.
int crowd_certificate_issuer(
    const unsigned char *der, size_t length, const void *bundle, size_t bundle_length, unsigned char *out, size_t room);

// How many lists the bundle has; -1 when one of them cannot be read.
int crowd_crl_count(const void *bundle, size_t bundle_length);

#define CROWD_CRL_FOUND 1
#define CROWD_CRL_REVOKED 2
#define CROWD_CRL_OUTDATED 4
// What the issuer's genuine lists say of a certificate: bits of the above.
int crowd_crl_verdict(
    const void *bundle, size_t bundle_length, const unsigned char *der, size_t length, const unsigned char *issuer,
    size_t issuer_length);

// Copies the URL of the index-th OCSP responder that a certificate names. Returns its length, or 0.
int crowd_ocsp_responder(const unsigned char *der, size_t length, int index, unsigned char *out, size_t room);
// Writes a request about one certificate. Returns its length, or 0.
int crowd_ocsp_request(
    const unsigned char *der, size_t length, const unsigned char *issuer, size_t issuer_length, unsigned char *out,
    size_t room);

#define CROWD_OCSP_UNUSABLE -1
#define CROWD_OCSP_GOOD 0
#define CROWD_OCSP_REVOKED 1
#define CROWD_OCSP_UNKNOWN 2
// What a genuine, current answer says of the certificate.
int crowd_ocsp_verdict(
    const void *answer, size_t answer_length, const unsigned char *der, size_t length, const unsigned char *issuer,
    size_t issuer_length);
