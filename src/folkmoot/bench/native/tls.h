/* HTTPS of the listeners, by OpenSSL. Without WITH_TLS nothing of it is there, and no library is needed. */
#ifndef TLS_H
#define TLS_H

#include <sys/types.h>

enum { TLS_DONE, TLS_MORE, TLS_FAILED };
enum { PLAIN, TLS_RESUMED, TLS_FULL };

#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *tls_context;
static SSL_SESSION *tls_session;
static int tls_mode;

static int tls_keep(SSL *connection, SSL_SESSION *session) {
  (void)connection;
  if (tls_session || tls_mode != TLS_RESUMED) return 0;
  tls_session = session;
  return 1;
}

static void tls_start(int mode) {
  tls_mode = mode;
  tls_context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(tls_context, TLS1_3_VERSION);
  SSL_CTX_set_mode(tls_context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(tls_context, 1);
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(tls_context, tls_keep);
}

static void *tls_connect(int fd) {
  SSL *connection = SSL_new(tls_context);
  SSL_set_fd(connection, fd);
  SSL_set_tlsext_host_name(connection, "localhost");
  if (tls_session) SSL_set_session(connection, tls_session);
  SSL_set_connect_state(connection);
  return connection;
}

/* What stands in the queue of errors is taken for the next connection's otherwise: one that fails would end all. */
static int tls_outcome(SSL *connection, int done) {
  if (done > 0) return TLS_DONE;
  int error = SSL_get_error(connection, done);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? TLS_MORE : TLS_FAILED;
}

static int tls_handshake(void *connection) { return tls_outcome(connection, SSL_do_handshake(connection)); }

static int tls_send(void *connection, const char *data, size_t length) {
  return SSL_write(connection, data, (int)length) == (int)length ? TLS_DONE : TLS_FAILED;
}

/* One record. 0 at close_notify, -1 when there is no more yet, -2 when the connection broke off. */
static ssize_t tls_receive(void *connection, void *buffer, size_t size) {
  int length = SSL_read(connection, buffer, (int)size);
  if (length > 0) return length;
  if (SSL_get_shutdown(connection) & SSL_RECEIVED_SHUTDOWN) return ERR_clear_error(), 0;
  return tls_outcome(connection, length) == TLS_MORE ? -1 : -2;
}

static void tls_free(void *connection) { SSL_free(connection); }

#else

static void tls_start(int mode) {
  if (mode != PLAIN) _exit(2);
}
static void *tls_connect(int fd) { return (void)fd, NULL; }
static int tls_handshake(void *connection) { return (void)connection, TLS_FAILED; }
static int tls_send(void *connection, const char *data, size_t length) {
  return (void)connection, (void)data, (void)length, TLS_FAILED;
}
static ssize_t tls_receive(void *connection, void *buffer, size_t size) {
  return (void)connection, (void)buffer, (void)size, -2;
}
static void tls_free(void *connection) { (void)connection; }

#endif
#endif
