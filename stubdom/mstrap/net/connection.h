/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP connections to the listener: the source's channels and strangers.
 *
 * A connection belongs to the session once its first frame has opened. Until
 * then it is a stranger's: it may hold one packet, it is thrown out when it
 * says something wrong, takes too long or its place is needed, and nothing it
 * does has any other effect. Losing a channel of the session loses the session.
 */
#ifndef MS_CONNECTION_H
#define MS_CONNECTION_H

#include "lwip/tcp.h"

#include "../session.h"

/* Channels, and places for strangers. */
#define MS_CONNECTIONS (MEXT_CHANNELS_MAX + 4)

/** The session that connections work for. */
void ms_connections_init(struct ms_session *session);

/** lwIP's accept callback. */
err_t ms_connection_accept(void *arg, struct tcp_pcb *pcb, err_t error);

/** Looks at what came before the session's keys were there. */
void ms_connections_invited(void);

/** Throws out strangers that have taken too long; call now and then. */
void ms_connections_expire(void);

/**
 * Why the session is lost, in words, with its reason (MEXT_E_*); NULL while it
 * is not. Found out inside lwIP, so that acting on it is left to the caller.
 */
const char *ms_connections_failure(unsigned *reason_r);

/**
 * Acknowledges all that has come: to be called before sleeping. After a loss
 * the source sends one segment for each acknowledgement, a window of them, and
 * must not wait for lwIP's timer each time.
 */
void ms_connections_acknowledge(void);

/** Sends DONE on channel 0, unless the source has closed it already. */
void ms_connections_done(uint64_t populated);

/** True once the source has acknowledged all that was sent on its channels. */
bool ms_connections_flushed(void);

/** Sends ERROR on all channels, as far as that is possible. */
void ms_connections_error(uint16_t reason, const char *text);

/** Closes all at once. */
void ms_connections_abort(void);

#endif
