#include "CCrypto.h"

#include <limits.h>
#include <string.h>

#include "../CCryptoSystem/shim.h"

static X509 *certificate(const unsigned char *der, size_t length) {
    return length > LONG_MAX ? NULL : d2i_X509(NULL, &der, (long)length);
}

static BIO *reader(const void *data, size_t length) { return length > INT_MAX ? NULL : BIO_new_mem_buf(data, (int)length); }

static int copy_out(unsigned char *text, int size, unsigned char *out, size_t room) {
    int copied = 0;
    if (size > 0 && (size_t)size <= room) {
        memcpy(out, text, (size_t)size);
        copied = size;
    }
    OPENSSL_free(text);
    return copied;
}

static int issued(X509 *issuer, X509 *subject) {
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return X509_check_issued(issuer, subject) == X509_V_OK && key != NULL && X509_verify(subject, key) == 1;
}

int crowd_certificate_issuer(
    const unsigned char *der, size_t length, const void *bundle, size_t bundle_length, unsigned char *out, size_t room) {
    X509 *subject = certificate(der, length), *candidate = NULL;
    BIO *input = reader(bundle, bundle_length);
    int found = 0;
    if (subject != NULL && issued(subject, subject)) found = CROWD_ISSUER_ITSELF;
    while (subject != NULL && input != NULL && found == 0 && (candidate = PEM_read_bio_X509(input, NULL, NULL, NULL))) {
        if (issued(candidate, subject)) {
            unsigned char *text = NULL;
            int size = i2d_X509(candidate, &text);
            found = copy_out(text, size, out, room);
            break;
        }
        X509_free(candidate);
        candidate = NULL;
    }
    X509_free(candidate);
    X509_free(subject);
    BIO_free(input);
    ERR_clear_error();
    return found;
}

int crowd_crl_count(const void *bundle, size_t bundle_length) {
    BIO *input = reader(bundle, bundle_length);
    X509_CRL *list = NULL;
    int count = 0;
    while (input != NULL && (list = PEM_read_bio_X509_CRL(input, NULL, NULL, NULL))) {
        X509_CRL_free(list);
        count++;
    }
    // The end of the file is an error like others: only its reason tells it from a damaged list.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) count = -1;
    BIO_free(input);
    ERR_clear_error();
    return count;
}

static int list_verdict(X509_CRL *list, X509 *subject, X509 *issuer) {
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer)) != 0) return 0;
    if (key == NULL || X509_CRL_verify(list, key) != 1) return 0;
    int verdict = CROWD_CRL_FOUND;
    X509_REVOKED *entry = NULL;
    // 2 is an entry that takes an earlier one back.
    if (X509_CRL_get0_by_serial(list, &entry, X509_get_serialNumber(subject)) == 1) verdict |= CROWD_CRL_REVOKED;
    const ASN1_TIME *until = X509_CRL_get0_nextUpdate(list);
    if (X509_cmp_current_time(X509_CRL_get0_lastUpdate(list)) > 0) verdict |= CROWD_CRL_OUTDATED;
    if (until != NULL && X509_cmp_current_time(until) < 0) verdict |= CROWD_CRL_OUTDATED;
    return verdict;
}

int crowd_crl_verdict(
    const void *bundle, size_t bundle_length, const unsigned char *der, size_t length, const unsigned char *issuer,
    size_t issuer_length) {
    X509 *subject = certificate(der, length), *signer = certificate(issuer, issuer_length);
    BIO *input = reader(bundle, bundle_length);
    X509_CRL *list = NULL;
    int verdict = 0;
    while (subject != NULL && signer != NULL && input != NULL &&
           (list = PEM_read_bio_X509_CRL(input, NULL, NULL, NULL))) {
        verdict |= list_verdict(list, subject, signer);
        X509_CRL_free(list);
    }
    X509_free(subject);
    X509_free(signer);
    BIO_free(input);
    ERR_clear_error();
    return verdict;
}

int crowd_ocsp_responder(const unsigned char *der, size_t length, int index, unsigned char *out, size_t room) {
    X509 *subject = certificate(der, length);
    STACK_OF(OPENSSL_STRING) *urls = subject == NULL ? NULL : X509_get1_ocsp(subject);
    int copied = 0;
    if (urls != NULL && index < sk_OPENSSL_STRING_num(urls)) {
        const char *url = sk_OPENSSL_STRING_value(urls, index);
        size_t size = strlen(url);
        if (size <= room) {
            memcpy(out, url, size);
            copied = (int)size;
        }
    }
    X509_email_free(urls);
    X509_free(subject);
    ERR_clear_error();
    return copied;
}

int crowd_ocsp_request(
    const unsigned char *der, size_t length, const unsigned char *issuer, size_t issuer_length, unsigned char *out,
    size_t room) {
    X509 *subject = certificate(der, length), *signer = certificate(issuer, issuer_length);
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = subject == NULL || signer == NULL ? NULL : OCSP_cert_to_id(EVP_sha256(), subject, signer);
    int copied = 0;
    if (request != NULL && id != NULL && OCSP_request_add0_id(request, id) != NULL) {
        id = NULL;
        unsigned char *text = NULL;
        int size = i2d_OCSP_REQUEST(request, &text);
        copied = copy_out(text, size, out, room);
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    X509_free(subject);
    X509_free(signer);
    ERR_clear_error();
    return copied;
}

// Signed by the issuer, or by one to whom the issuer has given that right.
static int is_genuine(OCSP_BASICRESP *answer, X509 *issuer) {
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *known = sk_X509_new_null();
    int good = 0;
    if (store != NULL && known != NULL && sk_X509_push(known, issuer) > 0 && X509_STORE_add_cert(store, issuer) == 1) {
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        good = OCSP_basic_verify(answer, known, store, 0) == 1;
    }
    sk_X509_free(known);
    X509_STORE_free(store);
    return good;
}

int crowd_ocsp_verdict(
    const void *answer, size_t answer_length, const unsigned char *der, size_t length, const unsigned char *issuer,
    size_t issuer_length) {
    const unsigned char *bytes = answer;
    X509 *subject = certificate(der, length), *signer = certificate(issuer, issuer_length);
    OCSP_RESPONSE *response = answer_length > LONG_MAX ? NULL : d2i_OCSP_RESPONSE(NULL, &bytes, (long)answer_length);
    OCSP_BASICRESP *basic = NULL;
    OCSP_CERTID *id = NULL;
    int verdict = CROWD_OCSP_UNUSABLE, status = 0;
    if (subject != NULL && signer != NULL && response != NULL &&
        OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL &&
        (basic = OCSP_response_get1_basic(response)) != NULL && is_genuine(basic, signer) &&
        (id = OCSP_cert_to_id(EVP_sha256(), subject, signer)) != NULL) {
        ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
        if (OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) == 1 &&
            OCSP_check_validity(from, until, 300, -1) == 1) {
            verdict = status == V_OCSP_CERTSTATUS_GOOD      ? CROWD_OCSP_GOOD
                      : status == V_OCSP_CERTSTATUS_REVOKED ? CROWD_OCSP_REVOKED
                                                            : CROWD_OCSP_UNKNOWN;
        }
    }
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    X509_free(subject);
    X509_free(signer);
    ERR_clear_error();
    return verdict;
}
