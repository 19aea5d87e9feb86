/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_wmb() ms_barrier()
#define xen_rmb() ms_barrier()

#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/netif.h>

#include "lwip/pbuf.h"

#include "../xen/evtchn.h"
#include "../xen/gnttab.h"
#include "netfront.h"
#include "vif.h"

#define RX_BUFFERS     40 /* one 64 KiB packet needs 19 */
#define TX_BUFFERS     8
#define TX_BUFFER_SIZE 2048 /* a packet of 1514 bytes fits */
#define TX_PER_PAGE    (MS_PAGE_SIZE / TX_BUFFER_SIZE)

/* Grant references; those below 8 are not ours. */
#define REF_TX_RING   8
#define REF_RX_RING   9
#define REF_TX_BUFFER 16
#define REF_RX_BUFFER 64

#define RX_SLOTS 256

struct rx_pbuf {
    struct pbuf_custom pbuf; /* first: lwIP gives its address back */
    uint8_t buffer;
};

static uint8_t rx_page[RX_BUFFERS][MS_PAGE_SIZE]
    __attribute__((aligned(MS_PAGE_SIZE)));
static uint8_t tx_page[TX_BUFFERS / TX_PER_PAGE][MS_PAGE_SIZE]
    __attribute__((aligned(MS_PAGE_SIZE)));
static uint8_t rx_ring_page[MS_PAGE_SIZE]
    __attribute__((aligned(MS_PAGE_SIZE)));
static uint8_t tx_ring_page[MS_PAGE_SIZE]
    __attribute__((aligned(MS_PAGE_SIZE)));

static netif_rx_front_ring_t rx;
static netif_tx_front_ring_t tx;
static struct rx_pbuf rx_pbuf[RX_BUFFERS];
static uint8_t rx_slot[RX_SLOTS]; /* buffer behind each ring slot */
static uint8_t rx_free[RX_BUFFERS], tx_free[TX_BUFFERS];
static bool tx_busy[TX_BUFFERS];
static unsigned rx_free_count, tx_free_count;

static struct { /* packet that is being put together */
    struct pbuf *head;
    bool extra; /* the next slot is extra info, not data */
    bool bad;   /* drop it when it ends */
} partial;

static struct ms_vif vif;

const uint8_t *ms_netfront_mac(void)
{
    return vif.mac;
}

uint32_t ms_netfront_port(void)
{
    return vif.port;
}

static void rx_release(struct pbuf *p)
{
    rx_free[rx_free_count++] = ((struct rx_pbuf *)p)->buffer;
}

static void rx_post(void)
{
    int notify;

    while (rx_free_count) {
        unsigned buffer = rx_free[--rx_free_count];
        RING_IDX i = rx.req_prod_pvt++;
        netif_rx_request_t *request = RING_GET_REQUEST(&rx, i);

        rx_slot[i % RX_SLOTS] = (uint8_t)buffer;
        request->id = (uint16_t)(i % RX_SLOTS);
        request->gref = REF_RX_BUFFER + buffer;
    }
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&rx, notify);
    if (notify)
        ms_evtchn_send(vif.port);
}

static void rings_init(void)
{
    netif_rx_sring_t *rx_shared = (void *)rx_ring_page;
    netif_tx_sring_t *tx_shared = (void *)tx_ring_page;

    SHARED_RING_INIT(rx_shared);
    FRONT_RING_INIT(&rx, rx_shared, MS_PAGE_SIZE);
    SHARED_RING_INIT(tx_shared);
    FRONT_RING_INIT(&tx, tx_shared, MS_PAGE_SIZE);
    ms_grant(REF_RX_RING, rx_ring_page);
    ms_grant(REF_TX_RING, tx_ring_page);
    for (unsigned i = 0; i < MS_COUNT(tx_page); i++)
        ms_grant(REF_TX_BUFFER + i, tx_page[i]);
    for (unsigned i = 0; i < TX_BUFFERS; i++)
        tx_free[tx_free_count++] = (uint8_t)i;
    for (unsigned i = 0; i < RX_BUFFERS; i++) {
        ms_grant(REF_RX_BUFFER + i, rx_page[i]);
        rx_pbuf[i].pbuf.custom_free_function = rx_release;
        rx_pbuf[i].buffer = (uint8_t)i;
        rx_free[rx_free_count++] = (uint8_t)i;
    }
}

void ms_netfront_connect(void)
{
    ms_vif_find(&vif);
    rings_init();
    vif.port = ms_evtchn_alloc();
    if (!vif.port)
        ms_fail("no event channel for the vif");
    rx_post();
    ms_vif_connect(&vif, REF_TX_RING, REF_RX_RING);
}

void ms_netfront_close_begin(void)
{
    ms_vif_close_begin(&vif);
}

bool ms_netfront_close_end(unsigned timeout_ms)
{
    bool closed = ms_vif_close_end(&vif, timeout_ms);

    ms_evtchn_close(vif.port);
    return closed;
}

static void tx_reap(void)
{
    int more;

    do {
        RING_IDX end = tx.sring->rsp_prod;

        if (end - tx.rsp_cons > tx.req_prod_pvt - tx.rsp_cons)
            ms_fail("vif backend broke the ring");
        ms_barrier();
        while (tx.rsp_cons != end) {
            netif_tx_response_t response;

            response = *RING_GET_RESPONSE(&tx, tx.rsp_cons);
            tx.rsp_cons++;
            if (response.id < TX_BUFFERS && tx_busy[response.id]) {
                tx_busy[response.id] = false;
                tx_free[tx_free_count++] = (uint8_t)response.id;
            }
        }
        RING_FINAL_CHECK_FOR_RESPONSES(&tx, more);
    } while (more);
}

err_t ms_netfront_send(struct netif *netif, struct pbuf *packet)
{
    netif_tx_request_t *request;
    unsigned buffer, offset;
    uint8_t *page;
    int notify;

    tx_reap();
    if (!tx_free_count || packet->tot_len > TX_BUFFER_SIZE)
        return ERR_MEM;
    buffer = tx_free[--tx_free_count];
    page = tx_page[buffer / TX_PER_PAGE];
    offset = buffer % TX_PER_PAGE * TX_BUFFER_SIZE;
    pbuf_copy_partial(packet, page + offset, packet->tot_len, 0);
    tx_busy[buffer] = true;

    request = RING_GET_REQUEST(&tx, tx.req_prod_pvt);
    tx.req_prod_pvt++;
    request->gref = REF_TX_BUFFER + buffer / TX_PER_PAGE;
    request->offset = (uint16_t)offset;
    request->flags = 0;
    request->id = (uint16_t)buffer;
    request->size = packet->tot_len;
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&tx, notify);
    if (notify)
        ms_evtchn_send(vif.port);
    return ERR_OK;
}

/* Adds one buffer to the packet; it goes back at once if it cannot. */
static void partial_add(unsigned buffer, const netif_rx_response_t *response)
{
    unsigned length = response->status > 0 ? (unsigned)response->status : 0;
    unsigned offset = response->offset;
    struct pbuf *p = NULL;

    if (length && offset + length <= MS_PAGE_SIZE)
        p = pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_REF,
                                &rx_pbuf[buffer].pbuf, rx_page[buffer] + offset,
                                (u16_t)(MS_PAGE_SIZE - offset));
    if (!p) {
        rx_release(&rx_pbuf[buffer].pbuf.pbuf);
        partial.bad = true;
    } else if (!partial.head) {
        partial.head = p;
    } else if (partial.head->tot_len > 0xffff - length) {
        pbuf_free(p);
        partial.bad = true;
    } else {
        pbuf_cat(partial.head, p);
    }
}

static void partial_deliver(struct netif *netif)
{
    struct pbuf *packet = partial.head;
    bool bad = partial.bad;

    partial.head = NULL;
    partial.bad = false;
    if (packet && (bad || netif->input(packet, netif) != ERR_OK))
        pbuf_free(packet);
}

static void rx_slot_done(struct netif *netif, RING_IDX i)
{
    netif_rx_response_t response = *RING_GET_RESPONSE(&rx, i);
    unsigned buffer = rx_slot[i % RX_SLOTS];

    if (partial.extra) {
        const struct netif_extra_info *extra = (const void *)&response;

        partial.extra = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
        rx_free[rx_free_count++] = (uint8_t)buffer;
        return;
    }
    partial.extra = response.flags & NETRXF_extra_info;
    partial_add(buffer, &response);
    if (!(response.flags & NETRXF_more_data))
        partial_deliver(netif);
}

bool ms_netfront_receive(struct netif *netif)
{
    bool any = false;
    int more;

    do {
        RING_IDX end = rx.sring->rsp_prod;

        /* More answers than questions: what the backend says is no use. */
        if (end - rx.rsp_cons > rx.req_prod_pvt - rx.rsp_cons)
            ms_fail("vif backend broke the ring");
        ms_barrier();
        while (rx.rsp_cons != end) {
            rx_slot_done(netif, rx.rsp_cons++);
            any = true;
        }
        if (rx_free_count >= RX_BUFFERS / 4)
            rx_post();
        RING_FINAL_CHECK_FOR_RESPONSES(&rx, more);
    } while (more);
    if (any && rx_free_count)
        rx_post();
    tx_reap();
    return any;
}
