/* raw.h - a WebSocket peer that can misbehave: handshakes and frames exactly as a test writes them. */
#ifndef TESTS_LIB_RAW_H
#define TESTS_LIB_RAW_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct raw {
    int fd;
    SSL *ssl;
    int status;      /* of the handshake's reply; 0: none came */
    char head[4096]; /* that reply, to its empty line */
    char *payload;   /* of the last frame; owned */
    size_t length;
    bool final;
};

/* "127.0.0.1:PORT" or a path. tls: NULL for plain. */
bool raw_connect(struct raw *r, const char *target, SSL_CTX *tls);
/* Sends a request and reads the reply's head. */
void raw_request(struct raw *r, const char *request);
/* A proper handshake for `path` with `extra` header lines ("Name: value\r\n…"). */
void raw_handshake(struct raw *r, const char *path, const char *extra);
/* Connects and shakes hands at /ws; aborts the test where that fails. */
void raw_open(struct raw *r, const char *target, SSL_CTX *tls);
bool raw_bytes(struct raw *r, const void *bytes, size_t length);
/* A masked frame: `first` is FIN, reserved bits and opcode. */
bool raw_frame(struct raw *r, int first, const char *payload, size_t length);
bool raw_text(struct raw *r, const char *text);
/* The next frame's opcode, its payload in r; -1 where the connection ended, -2 where none came in time. */
int raw_next(struct raw *r, int ms);
/* Reads until a close frame: its code; 1006 where the connection just ended, 0 where neither came. */
int raw_close_code(struct raw *r, int ms);
void raw_close(struct raw *r);

#endif
