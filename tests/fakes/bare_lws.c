/* bare_lws.c - the floor: libwebsockets and nothing else. Every message goes to every connection.
 *
 * usage: bare_lws [CERT KEY]; prints its port on a line of its own and serves on loopback until killed.
 * One lws_write a message and connection, which is what the library's own examples do.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, MOST = 4096 };

struct peer {
    unsigned next;       /* the first message of the ring that this peer has not got */
    unsigned char *text; /* the message that is coming in: of those who speak only */
    size_t length;
};

static struct {
    unsigned char text[LWS_PRE + MOST];
    size_t length;
} ring[RING];
static unsigned written;

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct peer *peer = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED: *peer = (struct peer){.next = written}; break;
    case LWS_CALLBACK_CLOSED: free(peer->text); break;
    case LWS_CALLBACK_RECEIVE:
        if (!peer->text)
            peer->text = malloc(MOST);
        if (!peer->text || peer->length + length > MOST)
            return -1;
        memcpy(peer->text + peer->length, in, length);
        peer->length += length;
        if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
            break; /* a message that lies across two reads comes in two pieces */
        memcpy(ring[written % RING].text + LWS_PRE, peer->text, peer->length);
        ring[written++ % RING].length = peer->length;
        peer->length = 0;
        lws_callback_on_writable_all_protocol(lws_get_context(wsi), lws_get_protocol(wsi));
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (peer->next == written)
            break;
        if (lws_write(wsi, ring[peer->next % RING].text + LWS_PRE, ring[peer->next % RING].length, LWS_WRITE_TEXT) < 0)
            return -1;
        if (++peer->next != written)
            lws_callback_on_writable(wsi);
        break;
    default: break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {{"edurag.v1", serve, sizeof(struct peer), MOST, 0, NULL, 0}, {0}};
    struct lws_context_creation_info info = {
        .port = 0,
        .iface = "127.0.0.1",
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBEV | (argc > 2 ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .ssl_cert_filepath = argc > 2 ? argv[1] : NULL,
        .ssl_private_key_filepath = argc > 2 ? argv[2] : NULL,
        .fd_limit_per_thread = 12000,
    };
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (!context)
        return 1;
    printf("%d\n", lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
    fflush(stdout);
    while (lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
