/* SPDX-License-Identifier: MIT */
/*
 * Constants of the token, control, data and agent protocols, and of guests
 * that ask to be moved.
 *
 * Each value stands in docs/specs (token, transport, agent or guest-migrate)
 * under the same name; tests/unit/spec_check proves that the two agree.  No
 * dependencies: includable everywhere.
 */
#ifndef MEXT_WIRE_H
#define MEXT_WIRE_H

/* Ports */
#define MEXT_CONTROL_PORT 7010 /* packetd, TCP and UDP */
#define MEXT_DATA_PORT    7011 /* mstrap's default, TCP */

/* Sizes of primitives, bytes */
#define MEXT_ID_LEN      16 /* token and migration id */
#define MEXT_KEY_LEN     32 /* Ed25519 and X25519 public keys */
#define MEXT_DIGEST_LEN  32 /* SHA-256, BLAKE2b-256 */
#define MEXT_SIG_LEN     64 /* Ed25519 */
#define MEXT_TAG_LEN     16 /* Poly1305 */
#define MEXT_NONCE_LEN   32 /* of who asks for a host's keys */
#define MEXT_PURPOSE_LEN 24 /* zero-padded ASCII */
#define MEXT_PAGE_SIZE   4096

/* Signed objects, and the question for one: purpose strings, sizes, bytes */
#define MEXT_TOKEN_PURPOSE   "xen-mext boot token v1"
#define MEXT_HELLO_PURPOSE   "xen-mext hello v1"
#define MEXT_RECEIPT_PURPOSE "xen-mext receipt v1"
#define MEXT_WHOIS_PURPOSE   "xen-mext who are you v1"
#define MEXT_IAM_PURPOSE     "xen-mext i am v1"
#define MEXT_QUERY_PURPOSE   "xen-mext query v1"
#define MEXT_FATE_PURPOSE    "xen-mext fate v1"
#define MEXT_TOKEN_LEN       312
#define MEXT_HELLO_LEN       184
#define MEXT_RECEIPT_LEN     288 /* a datagram: not above the token */
#define MEXT_WHOIS_LEN       248
#define MEXT_IAM_LEN         248 /* not longer than what asks for it */
#define MEXT_QUERY_LEN       200
#define MEXT_FATE_LEN        160 /* likewise */

/* Limits on what a token may ask for */
#define MEXT_TOKEN_LIFETIME_MAX 3600  /* expiry - issued, seconds */
#define MEXT_CLOCK_SKEW         30    /* issued may lie ahead by, seconds */
#define MEXT_REPLAY_KEEP        86400 /* ids are kept after expiry, seconds */
#define MEXT_MEMORY_KIB_MIN     4096
#define MEXT_MEMORY_KIB_MAX     1073741824 /* as many pages as there are gfns */
#define MEXT_VCPUS_MAX          128
#define MEXT_CHANNELS_MAX       16

#define MEXT_DOMID_MAX 32751 /* what Xen gives a domain at most */

/* Who receives, in a token */
#define MEXT_RECEIVER_MSTRAP 0 /* a domain that becomes the guest */
#define MEXT_RECEIVER_DOM0   1 /* libxl restores a stock stream */

/* What a finding is */
#define MEXT_FINDING_FINE     1 /* nothing stands against it */
#define MEXT_FINDING_NOTE     2 /* to be known, the guest can move */
#define MEXT_FINDING_OBSTACLE 3 /* the guest would not get there */

/* Who vouches for the measurement in a receipt */
#define MEXT_ATTESTER_KEY 1 /* the host key alone */
#define MEXT_ATTESTER_TPM 2 /* a TPM 2.0 as well: EVIDENCE follows */

/* What became of a migration */
#define MEXT_FATE_PENDING 1 /* not known yet: ask again */
#define MEXT_FATE_RUNNING 2 /* it runs, or ran, at the destination */
#define MEXT_FATE_ABORTED 3 /* it never ran there and never will */
#define MEXT_FATE_LOST    4 /* it may have run there, and is gone */
#define MEXT_FATE_UNKNOWN 5 /* nothing is known of it */

/* Frames */
#define MEXT_FRAME_HDR_LEN    4       /* u32 length of the body */
#define MEXT_CONTROL_BODY_MAX 1048576 /* sealed bytes after the length */
#define MEXT_DATA_BODY_MAX    1024    /* the same, on a data channel */
#define MEXT_JOINED_BODY_MAX  262177  /* and on a joined one: a PIECE */
#define MEXT_TEXT_MAX         512     /* text of ABORT and ERROR, bytes */
#define MEXT_OBJECTS_MAX      68719476736ULL /* frames and pages of one key */

/* Opening of a data channel, plaintext */
#define MEXT_OPEN_MAGIC "MEXTDAT1"
#define MEXT_OPEN_LEN   28

/* Opening of a further connection for a stream, plaintext */
#define MEXT_JOIN_MAGIC "MEXTJOI1"
#define MEXT_JOIN_LEN   28

/* Data messages, first byte of the opened body */
#define MEXT_DATA_PAGES       0x01 /* source -> mstrap */
#define MEXT_DATA_BARRIER     0x02 /* source -> mstrap */
#define MEXT_DATA_ABSENT      0x03 /* source -> mstrap */
#define MEXT_DATA_END         0x04 /* source -> mstrap */
#define MEXT_DATA_BARRIER_ACK 0x81 /* mstrap -> source */
#define MEXT_DATA_DONE        0x82 /* mstrap -> source */
#define MEXT_DATA_ERROR       0x83 /* mstrap -> source */

#define MEXT_PAGES_SPAN_MAX 1024  /* gfns one PAGES frame spans */
#define MEXT_PAGES_DATA_MAX 64    /* data pages one PAGES frame carries */
#define MEXT_PACKED_MAX     3840  /* bytes of a page's LZ4 block */
#define MEXT_ABSENT_MAX     64    /* extents in one ABSENT frame */
#define MEXT_ABSENT_PAGES   65536 /* gfns a channel calls so between barriers */
#define MEXT_GFN_MAX        0xfffffffULL /* highest gfn: below 1 TiB */

/* Two bits a gfn in the map of a PAGES frame */
#define MEXT_MAP_NONE   0 /* not in this frame */
#define MEXT_MAP_ZERO   1 /* becomes all zero */
#define MEXT_MAP_DATA   2 /* 4096 sealed bytes follow */
#define MEXT_MAP_PACKED 3 /* as its coding says */

/* Codings of a packed page, above the length */
#define MEXT_CODING_LZ4   1  /* an LZ4 block */
#define MEXT_CODING_ZSTD  2  /* one of the frame's batch, a Zstandard frame */
#define MEXT_CODING_DELTA 3  /* what changed since it was sent before */
#define MEXT_BATCH_PAGES  32 /* pages of a batch */
#define MEXT_BATCH_MAX    98304 /* bytes of a packed batch */
#define MEXT_DELTA_MAX    1008  /* bytes of a delta */
#define MEXT_RUN_SHIFT    7     /* a run's first word stands above, */
#define MEXT_RUN_MAX      127   /* the number of its words below */
#define MEXT_DELTA_SEED   11400714819323198485ULL /* of the sum of a page */

/* Control messages, first byte of the opened body */
#define MEXT_CTL_CONFIG   0x01 /* source -> packetd */
#define MEXT_CTL_FINAL    0x02 /* source -> packetd */
#define MEXT_CTL_COMMIT   0x03 /* source -> packetd */
#define MEXT_CTL_STREAM   0x04 /* source -> packetd */
#define MEXT_CTL_ENDED    0x05 /* source -> packetd */
#define MEXT_CTL_PACKED   0x06 /* source -> packetd */
#define MEXT_CTL_LOOK     0x07 /* source -> packetd */
#define MEXT_CTL_PIECE    0x08 /* source -> packetd */
#define MEXT_CTL_HERE     0x09 /* source -> packetd */
#define MEXT_CTL_STEP     0x81 /* packetd -> source */
#define MEXT_CTL_RECEIPT  0x82 /* packetd -> source */
#define MEXT_CTL_PREPARED 0x83 /* packetd -> source */
#define MEXT_CTL_RUNNING  0x84 /* packetd -> source */
#define MEXT_CTL_GUEST    0x85 /* packetd -> source */
#define MEXT_CTL_EVIDENCE 0x86 /* packetd -> source */
#define MEXT_CTL_FINDING  0x88 /* packetd -> source */
#define MEXT_CTL_LOOKED   0x89 /* packetd -> source */
#define MEXT_CTL_JOINED   0x8a /* packetd -> source */
#define MEXT_CTL_ABORT    0xff /* either */

#define MEXT_LEAVES_MAX      512    /* CPUID leaves in CONFIG */
#define MEXT_MSRS_MAX        64     /* MSR entries in CONFIG */
#define MEXT_CONFIG_JSON_MAX 262144 /* bytes */
#define MEXT_REPORT_MS_MAX   10000  /* report ms in FINAL */
#define MEXT_CONTEXT_MAX     917504 /* HVM context in FINAL, bytes */
#define MEXT_STREAM_MAX      262144 /* bytes of a stock stream in STREAM */
#define MEXT_ATTEST_MAX      1024   /* TPMS_ATTEST in EVIDENCE, bytes */
#define MEXT_TPMSIG_MAX      1024   /* TPMT_SIGNATURE in it, bytes */

/* Reasons, in ABORT, REFUSE and ERROR */
#define MEXT_E_INTERNAL  1  /* own failure, text says which */
#define MEXT_E_MALFORMED 2  /* bytes against the specification */
#define MEXT_E_SIGNATURE 3  /* signature does not verify */
#define MEXT_E_UNTRUSTED 4  /* source key is not trusted */
#define MEXT_E_AUDIENCE  5  /* token is for another host */
#define MEXT_E_EXPIRED   6  /* token expired or not yet valid */
#define MEXT_E_REPLAY    7  /* token was used before */
#define MEXT_E_IMAGE     8  /* mstrap image is not the one asked */
#define MEXT_E_CONFIG    9  /* configuration refused */
#define MEXT_E_NAME      10 /* a domain of that name exists */
#define MEXT_E_MEMORY    11 /* not enough free memory */
#define MEXT_E_CREATE    12 /* domain could not be built */
#define MEXT_E_POLICY    13 /* CPU or Xen not acceptable */
#define MEXT_E_MSTRAP    14 /* mstrap failed or gave no answer */
#define MEXT_E_GFN       15 /* a gfn that may not be written */
#define MEXT_E_COUNT     16 /* page counts do not agree */
#define MEXT_E_HANDOVER  17 /* a step of the hand-over failed */
#define MEXT_E_CANCELLED 18 /* operator's wish */
#define MEXT_E_LINK      19 /* connection lost or silent */
#define MEXT_E_ANSWER    20 /* hello or receipt is not for this token */
#define MEXT_E_REFUSED   21 /* the destination's policy is against it */

/* Key derivation labels and directions */
#define MEXT_KDF_DATA      "xen-mext data v1"
#define MEXT_KDF_CONTROL   "xen-mext control v1"
#define MEXT_DIR_TO_DEST   0x53 /* 'S': source -> destination */
#define MEXT_DIR_TO_SOURCE 0x44 /* 'D': destination -> source */

/* The guest's agent: xenstore, limits */
#define MEXT_AGENT_DIR          "data/mext-agent"
#define MEXT_AGENT_VERSION      1
#define MEXT_AGENT_BODY_MAX     33024  /* bytes after the length */
#define MEXT_AGENT_CHUNK_GFNS   262144 /* gfns one BITMAP covers */
#define MEXT_AGENT_DEADLINE_MAX 60000  /* ms */
#define MEXT_AGENT_HOLD_MAX     600000 /* ms */
#define MEXT_AGENT_IDLE_MS      15000  /* a silent session ends */
#define MEXT_AGENT_CLOCK_OFF_MS 500    /* a clock is stepped beyond */
#define MEXT_AGENT_REPORT_MAX   255    /* bytes */

/* Messages, first byte of the body */
#define MEXT_AGENT_HELLO    0x01 /* dom0 -> agent */
#define MEXT_AGENT_FREE     0x02 /* dom0 -> agent */
#define MEXT_AGENT_TRIM     0x03 /* dom0 -> agent */
#define MEXT_AGENT_QUIESCE  0x04 /* dom0 -> agent */
#define MEXT_AGENT_RESUME   0x05 /* dom0 -> agent */
#define MEXT_AGENT_CALM     0x06 /* dom0 -> agent */
#define MEXT_AGENT_WELCOME  0x81 /* agent -> dom0 */
#define MEXT_AGENT_BITMAP   0x82 /* agent -> dom0 */
#define MEXT_AGENT_FREE_END 0x83 /* agent -> dom0 */
#define MEXT_AGENT_TRIMMED  0x84 /* agent -> dom0 */
#define MEXT_AGENT_QUIESCED 0x85 /* agent -> dom0 */
#define MEXT_AGENT_RESUMED  0x86 /* agent -> dom0 */
#define MEXT_AGENT_CALMED   0x87 /* agent -> dom0 */
#define MEXT_AGENT_ERROR    0xff /* agent -> dom0 */

/* Reasons in ERROR */
#define MEXT_AGENT_E_MALFORMED 1 /* bytes against the specification */
#define MEXT_AGENT_E_UNKNOWN   2 /* not a thing this agent does */
#define MEXT_AGENT_E_DENIED    3 /* the guest's configuration says no */
#define MEXT_AGENT_E_FAILED    4 /* tried, failed, undone */
#define MEXT_AGENT_E_DEADLINE  5 /* not in time, undone */
#define MEXT_AGENT_E_UNSURE    6 /* free pages cannot be told safely */
#define MEXT_AGENT_E_STATE     7 /* not now */

/* Bits and values */
#define MEXT_AGENT_CAN_FREE        1
#define MEXT_AGENT_CAN_TRIM        2
#define MEXT_AGENT_CAN_QUIESCE     4
#define MEXT_AGENT_CAN_CALM        8
#define MEXT_AGENT_CAN_CLOCK       16
#define MEXT_AGENT_FREE_ZERO       1 /* free pages must read as zero */
#define MEXT_AGENT_TRIM_CACHE      1
#define MEXT_AGENT_TRIM_DEEP       2
#define MEXT_AGENT_RESUME_ANNOUNCE 1
#define MEXT_AGENT_RESUME_CLOCK    2

/* A guest that asks to be moved: xenstore, limits */
#define MEXT_MOVE_DIR         "data/mext-move"
#define MEXT_MOVE_REQUEST_MAX 96    /* bytes */
#define MEXT_MOVE_STATUS_MAX  255   /* bytes */
#define MEXT_MOVE_HOST_MAX    64    /* bytes of a destination's host */
#define MEXT_MOVE_TEXT_MAX    200   /* bytes */
#define MEXT_MOVE_ANSWER_MS   10000 /* the guest waits so long for a status */
#define MEXT_MOVE_LOOK_MS     1000  /* packetd looks not more often */
#define MEXT_MOVE_WRITE_MS    250   /* packetd writes not more often */

#endif
