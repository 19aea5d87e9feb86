/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "lwip/priv/tcp_priv.h"

#include "../receiver.h"
#include "../text.h"
#include "../xen/clock.h"
#include "connection.h"

#define STRANGER_TIMEOUT_MS   30000
#define KEEPALIVE_IDLE_MS     10000
#define KEEPALIVE_INTERVAL_MS 3000
#define KEEPALIVE_COUNT       5

struct connection {
    struct tcp_pcb *pcb; /* NULL: this place is free */
    uint64_t since_ms;
    bool opened;       /* its opening was acceptable */
    struct pbuf *held; /* what came before the session's keys */
    struct ms_channel channel;
};

/* What one more costs, with lwIP's: TCP_PCB, and MEM_SIZE for its answers. */
_Static_assert(sizeof(struct connection) + sizeof(struct tcp_pcb) +
                       MEM_SIZE / MEXT_CHANNELS_MAX <=
                   4096,
               "a channel costs a page");
_Static_assert(MEMP_NUM_TCP_PCB >= MS_CONNECTIONS + 4 &&
                   MEMP_NUM_TCP_SEG >= 2 * MEXT_CHANNELS_MAX,
               "lwIP has room for all");

static struct connection connections[MS_CONNECTIONS];
static struct ms_session *session;

static struct {
    unsigned reason; /* 0: none yet */
    char text[80];
} failure;

void ms_connections_init(struct ms_session *s)
{
    session = s;
}

static void forget(struct connection *c)
{
    ms_channel_forget(&c->channel);
    if (c->held)
        pbuf_free(c->held);
    c->held = NULL;
    c->pcb = NULL;
}

/* Resets the connection; its place is free then. */
static void drop(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    if (!pcb)
        return;
    forget(c);
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_abort(pcb);
}

static void send(struct connection *c, const struct mext_data *message)
{
    uint8_t frame[MS_FRAME_MAX];
    size_t length = ms_channel_seal(&c->channel, message, frame);

    if (!length ||
        tcp_write(c->pcb, frame, (u16_t)length, TCP_WRITE_FLAG_COPY) != ERR_OK)
        ms_fail("cannot answer the source");
    tcp_output(c->pcb);
}

static struct connection *of_channel(const struct ms_channel *channel)
{
    return (struct connection *)((char *)channel -
                                 offsetof(struct connection, channel));
}

static void acknowledge_barrier(void)
{
    for (unsigned i = 0; i < session->channels; i++) {
        const struct ms_channel *channel = session->channel[i];
        struct mext_data ack = {
            .type = MEXT_DATA_BARRIER_ACK,
            .u.barrier.iteration = channel->iteration,
        };

        send(of_channel(channel), &ack);
    }
}

/* Bytes of one pbuf; 0, or minus a reason. */
static int feed(struct connection *c, const uint8_t *bytes, size_t n)
{
    int step;

    do {
        size_t used;
        int action;

        step = ms_channel_feed(&c->channel, &ms_receiver, bytes, n, &used);
        if (step < 0)
            return step;
        bytes += used;
        n -= used;
        action = ms_session_step(session, &c->channel, (enum ms_step)step);
        if (action < 0)
            return action;
        if (step == MS_STEP_OPENED)
            c->opened = true;
        if (step == MS_STEP_PROVEN)
            tcp_setprio(c->pcb, TCP_PRIO_MAX);
        if (action == MS_ACT_RELEASE)
            acknowledge_barrier();
    } while (n || step == MS_STEP_PROVEN);
    return 0;
}

static int feed_chain(struct connection *c, struct pbuf *p)
{
    int reason = 0;

    for (struct pbuf *q = p; q && !reason; q = q->next)
        reason = feed(c, q->payload, q->len);
    if (!reason)
        tcp_recved(c->pcb, p->tot_len);
    pbuf_free(p);
    return reason;
}

/* The connection is of no more use; a channel of the session ends that. */
static void blame(const struct connection *c, unsigned reason)
{
    if (failure.reason || !ms_session_needs(session, &c->channel))
        return;
    failure.reason = reason;
    ms_format(failure.text, sizeof(failure.text), "channel %u: %s",
              c->channel.open.index, mext_reason(reason));
}

const char *ms_connections_failure(unsigned *reason_r)
{
    if (!failure.reason)
        return NULL;
    *reason_r = failure.reason;
    return failure.text;
}

/*
 * Something wrong was said. A stranger goes at once; a channel stays, deaf,
 * until the source has been told.
 */
static err_t broken(struct connection *c, unsigned reason)
{
    blame(c, reason);
    if (failure.reason && c->channel.proven)
        return ERR_OK;
    drop(c);
    return ERR_ABRT;
}

/* Before the keys are there one packet waits here, and one in lwIP. */
static err_t hold(struct connection *c, struct pbuf *p)
{
    if (pbuf_clen(p) > 1) {
        pbuf_free(p);
        drop(c);
        return ERR_ABRT;
    }
    if (c->held)
        return ERR_MEM;
    c->held = p;
    return ERR_OK;
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
                        err_t error)
{
    struct connection *c = arg;
    int reason;

    if (!p) {
        blame(c, MEXT_E_LINK);
        drop(c);
        return ERR_ABRT;
    }
    if (failure.reason) {
        pbuf_free(p);
        return ERR_OK;
    }
    if (session->state == MEXT_RCV_WAITING || c->held)
        return hold(c, p);
    reason = feed_chain(c, p);
    return reason ? broken(c, (unsigned)-reason) : ERR_OK;
}

/* lwIP has freed the pcb already. */
static void on_error(void *arg, err_t error)
{
    struct connection *c = arg;

    forget(c);
    blame(c, MEXT_E_LINK);
}

/* Strangers with an acceptable opening, or young ones, stay longer. */
static bool goes_before(const struct connection *a, const struct connection *b)
{
    if (a->opened != b->opened)
        return !a->opened;
    return a->since_ms < b->since_ms;
}

static struct connection *free_place(void)
{
    struct connection *out = NULL;

    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        struct connection *c = &connections[i];

        if (!c->pcb)
            return c;
        if (!c->channel.proven && (!out || goes_before(c, out)))
            out = c;
    }
    if (out)
        drop(out);
    return out;
}

static void keep_alive(struct tcp_pcb *pcb)
{
    pcb->so_options |= SOF_KEEPALIVE;
    pcb->keep_idle = KEEPALIVE_IDLE_MS;
    pcb->keep_intvl = KEEPALIVE_INTERVAL_MS;
    pcb->keep_cnt = KEEPALIVE_COUNT;
}

/*
 * The channels share one window. netback holds 512 KiB, headers included, and
 * drops what comes on top; and a lost packet costs all that was sent behind it.
 * Nothing but the 64 KiB of the SYN has been announced yet.
 */
static tcpwnd_size_t window(unsigned channels)
{
    return TCP_WND / (channels ? channels : MEXT_CHANNELS_MAX);
}

static void share_window(struct tcp_pcb *pcb)
{
    pcb->rcv_wnd = window(session->channels);
    pcb->rcv_ann_wnd = pcb->rcv_wnd;
    pcb->rcv_ann_right_edge = pcb->rcv_nxt + pcb->rcv_ann_wnd;
}

err_t ms_connection_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct connection *c = NULL;

    if (error != ERR_OK || !pcb)
        return ERR_VAL;
    if (session->state != MEXT_RCV_COMPLETE && !failure.reason)
        c = free_place();
    if (!c) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    c->pcb = pcb;
    c->since_ms = ms_now_ms();
    c->opened = false;
    c->held = NULL;
    ms_channel_init(&c->channel);
    keep_alive(pcb);
    share_window(pcb);
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_receive);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

/* Who came before it was known how many they are gets what is missing. */
static void widen(struct tcp_pcb *pcb)
{
    pcb->rcv_wnd += window(session->channels) - window(0);
    tcp_recved(pcb, 0);
}

void ms_connections_invited(void)
{
    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        struct connection *c = &connections[i];
        struct pbuf *p = c->held;
        int reason;

        if (c->pcb)
            widen(c->pcb);
        if (!c->pcb || !p)
            continue;
        c->held = NULL;
        reason = feed_chain(c, p);
        if (reason)
            broken(c, (unsigned)-reason);
    }
}

void ms_connections_expire(void)
{
    uint64_t now = ms_now_ms();

    if (session->state == MEXT_RCV_WAITING)
        return;
    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        struct connection *c = &connections[i];

        if (c->pcb && !c->channel.proven &&
            now - c->since_ms > STRANGER_TIMEOUT_MS)
            drop(c);
    }
}

void ms_connections_acknowledge(void)
{
    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        struct tcp_pcb *pcb = connections[i].pcb;

        if (!pcb || !tcp_is_flag_set(pcb, TF_ACK_DELAY))
            continue;
        tcp_set_flags(pcb, TF_ACK_NOW);
        tcp_output(pcb);
    }
}

void ms_connections_done(uint64_t populated)
{
    struct ms_counts counts = ms_session_counts(session);
    struct mext_data done = {
        .type = MEXT_DATA_DONE,
        .u.done = { counts.data, counts.zero, counts.absent, populated },
    };
    struct connection *c = of_channel(session->channel[0]);

    if (!c->pcb)
        return;
    send(c, &done);
    /*
     * Sent twice: a segment it has already is acknowledged at once, while one
     * that is new may wait for 40 ms, and that would be downtime.
     */
    if (tcp_rexmit(c->pcb) == ERR_OK)
        tcp_output(c->pcb);
}

bool ms_connections_flushed(void)
{
    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        const struct connection *c = &connections[i];

        if (c->pcb && c->channel.proven && tcp_sndqueuelen(c->pcb))
            return false;
    }
    return true;
}

void ms_connections_error(uint16_t reason, const char *text)
{
    struct mext_data message = {
        .type = MEXT_DATA_ERROR,
        .u.error.code = reason,
    };

    message.u.error.len = (uint16_t)strlen(text);
    if (message.u.error.len > MEXT_TEXT_MAX)
        message.u.error.len = MEXT_TEXT_MAX;
    memcpy(message.u.error.text, text, message.u.error.len);
    for (unsigned i = 0; i < MS_CONNECTIONS; i++) {
        struct connection *c = &connections[i];
        uint8_t frame[MS_FRAME_MAX];
        size_t length;

        if (!c->pcb || !c->channel.proven)
            continue;
        length = ms_channel_seal(&c->channel, &message, frame);
        if (length && tcp_write(c->pcb, frame, (u16_t)length,
                                TCP_WRITE_FLAG_COPY) == ERR_OK)
            tcp_output(c->pcb);
    }
}

void ms_connections_abort(void)
{
    for (unsigned i = 0; i < MS_CONNECTIONS; i++)
        drop(&connections[i]);
}
