/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "walk_bytes.h"

#define R(id) STREAM_R_##id
/* A patch of octets, or of text. */
#define P(how, where, what) \
    { \
        .op = how, .at = where, .octets = what \
    }
#define T(old, new) \
    { \
        .op = TEXT, .octets = old, .other = new \
    }
#define CAPABILITIES "05 1a 'configuration/capabilities' 00000001 00000001"
/* From the list of blocks on: pc.ram of 2^63 - 2^18 bytes, a header to match. */
#define HUGE \
    "7ffffffffffc0004 06 'pc.ram' 7ffffffffffc0000 00000001" \
    "0000000000001000 00000000000000ae 0001000000001000"

/* PAGES from the end of its length on: of 68 gfns, 65 with a page. */
#define MAP_OF_65 \
    "1c 01 0000000000000100 0044 aaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaa 02"

#define HVM_CTX "libxc HVM_CONTEXT"
#define PARAMS  "libxc HVM_PARAMS"
#define DATA    "libxc PAGE_DATA"
#define TSC     "libxc X86_TSC_INFO"
#define STORE   "libxl EMULATOR_XENSTORE_DATA"
#define DEVICES "libxl EMULATOR_CONTEXT"
#define VMDESC  "QEMU vmdescription"
#define CONFIG  "QEMU configuration"
#define OPEN    "mext OPEN"
#define PAGES   "mext PAGES"
#define BARRIER "mext BARRIER"
#define ABSENT  "mext ABSENT"
#define END     "mext END"

const struct broken broken[] = {
    { R(FILE_MAGIC), BASE_PVH, "xl header", 0, { P(SET, 0, "00") } },
    { R(FILE_MAGIC), BASE_PVH, "xl header", 0, { P(CUT, 20, NULL) } },
    { R(FILE_TRUNCATED), BASE_PVH, DATA, 0, { P(CUT, 100, NULL) } },
    { R(FILE_TRUNCATED), BASE_QEMU, "QEMU timer", 0, { P(CUT, 9, NULL) } },
    { R(FILE_TRUNCATED), BASE_QEMU, "QEMU timer", 0, { P(CUT, 0, NULL) } },
    { R(FILE_TRAILING), BASE_PVH, NULL, 0, { P(APPEND, 0, "00") } },
    { R(FILE_TRAILING), BASE_QEMU, NULL, 0, { P(APPEND, 0, "00") } },
    { R(XL_BYTE_ORDER), BASE_PVH, "xl header", 0, { P(SET, 32, "01") } },
    { R(XL_MANDATORY), BASE_PVH, "xl header", 0, { P(SET, 36, "07") } },
    { R(XL_STREAM_V2), BASE_PVH, "xl header", 0, { P(SET, 36, "01") } },
    { R(XL_JSON), BASE_PVH, "xl header", 0, { P(SET, 36, "02") } },
    { R(XL_OPTIONAL), BASE_PVH, "xl header", 0, { P(SET, 40, "01") } },
    { R(XL_DATA), BASE_PVH, "xl header", 0, { P(SET, 44, "04000000") } },
    { R(XL_DATA), BASE_PVH, "xl header", 0, { P(SET, 44, "ffffffff") } },
    { R(XL_CONFIG_LEN), BASE_PVH, "xl header", 0, { P(SET, 48, "05000000") } },
    { R(XL_CONFIG_END), BASE_PVH, "xl header", 0, { P(SET, -1, "20") } },
    { R(XL_CONFIG_END), BASE_PVH, "xl header", 0, { P(SET, 60, "00") } },
    { R(XL_CONFIG_JSON), BASE_PVH, "xl header", 0, { P(SET, 52, "'['") } },
    { R(XL_CONFIG_JSON), BASE_PVH, "xl header", 0, { P(SET, -2, "20") } },
    { R(XL_GUEST), BASE_PVH, "libxc header", 0, { P(SET, 24, "01") } },
    { R(LIBXL_IDENT), BASE_PVH, "libxl header", 0, { P(SET, 0, "00") } },
    { R(LIBXL_VERSION), BASE_PVH, "libxl header", 0, { P(SET, 11, "03") } },
    { R(LIBXL_OPTIONS), BASE_PVH, "libxl header", 0, { P(SET, 15, "01") } },
    { R(LIBXL_OPTIONS), BASE_PVH, "libxl header", 0, { P(SET, 15, "02") } },
    { R(LIBXL_TYPE), BASE_HVM, DEVICES, 0, { P(SET, 0, "09") } },
    { R(LIBXL_TYPE), BASE_HVM, DEVICES, 0, { P(SET, 3, "80") } },
    { R(LIBXL_LENGTH), BASE_HVM, DEVICES, 0, { P(SET, 4, "01000008") } },
    { R(LIBXL_EMPTY),
      BASE_PVH,
      "libxl LIBXC_CONTEXT",
      0,
      { P(SET, 4, "08"), P(INSERT, AT_END, "0000000000000000") } },
    { R(LIBXL_PADDING), BASE_HVM, DEVICES, 0, { P(SET, -1, "01") } },
    { R(LIBXL_ORDER), BASE_HVM, STORE, 0, { P(DOUBLE, 0, NULL) } },
    { R(LIBXL_ORDER),
      BASE_HVM,
      "libxl LIBXC_CONTEXT",
      0,
      { P(INSERT, 0, "0300000008000000 0200000000000000") } },
    { R(LIBXL_COMPLETE), BASE_BARE, NULL, 0, { P(NOTHING, 0, NULL) } },
    { R(LIBXL_CHECKPOINT),
      BASE_PVH,
      "libxl END",
      0,
      { P(INSERT, 0, "0400000000000000") } },
    { R(LIBXL_EMULATOR), BASE_HVM, STORE, 0, { P(SET, 8, "03") } },
    { R(LIBXL_EMULATOR), BASE_HVM, DEVICES, 0, { P(SET, 4, "07") } },
    { R(LIBXL_INDEX), BASE_HVM, STORE, 0, { P(SET, 12, "01") } },
    { R(LIBXL_GUEST),
      BASE_PVH,
      "libxl END",
      0,
      { P(INSERT, 0, "020000000c000000 0200000000000000 6100620000000000") } },
    { R(LIBXL_STORE), BASE_HVM, STORE, 0, { P(SET, 16, "'/'") } },
    { R(LIBXL_STORE), BASE_HVM, STORE, 0, { P(SET, 16, "00") } },
    { R(LIBXL_STORE), BASE_HVM, STORE, 0, { P(SET, 32, "0a") } },
    { R(LIBXL_STORE),
      BASE_HVM,
      STORE,
      0,
      { T("a b", "abc"), P(SET, 16, "' '") } },
    { R(LIBXL_DEVICES), BASE_HVM, DEVICES, 0, { P(SET, 16, "00") } },
    { R(LIBXL_DEVICES), BASE_HVM, DEVICES, 0, { P(SET, 32, "01") } },
    { R(XC_IDENT), BASE_PVH, "libxc header", 0, { P(SET, 0, "00") } },
    { R(XC_VERSION), BASE_PVH, "libxc header", 0, { P(SET, 15, "04") } },
    { R(XC_OPTIONS), BASE_PVH, "libxc header", 0, { P(SET, 17, "01") } },
    { R(XC_OPTIONS), BASE_PVH, "libxc header", 0, { P(SET, 17, "02") } },
    { R(XC_RESERVED), BASE_PVH, "libxc header", 0, { P(SET, 18, "01") } },
    { R(XC_RESERVED), BASE_PVH, "libxc header", 0, { P(SET, 30, "01") } },
    { R(XC_GUEST), BASE_PVH, "libxc header", 0, { P(SET, 24, "03") } },
    { R(XC_SHIFT), BASE_PVH, "libxc header", 0, { P(SET, 28, "0d") } },
    { R(XC_LEGACY), BASE_PVH, "libxc header", 0, { P(SET, 32, "00") } },
    { R(XC_TYPE), BASE_PVH, TSC, 0, { P(SET, 0, "20") } },
    { R(XC_OPTIONAL), BASE_PVH, TSC, 0, { P(INSERT, 0, "1300008000000000") } },
    { R(XC_LENGTH), BASE_PVH, TSC, 0, { P(SET, 4, "01000008") } },
    { R(XC_EMPTY),
      BASE_PVH,
      "libxc STATIC_DATA_END",
      0,
      { P(SET, 4, "08"), P(INSERT, AT_END, "0000000000000000") } },
    { R(XC_PADDING),
      BASE_PV,
      "libxc X86_PV_VCPU_BASIC",
      0,
      { P(SET, -1, "01") } },
    { R(XC_WRONG_GUEST),
      BASE_PVH,
      TSC,
      0,
      { P(INSERT, 0, "0200000008000000 0804000000000000") } },
    { R(XC_WRONG_GUEST), BASE_PV, TSC, 0, { P(SET, 0, "0a") } },
    { R(XC_AGAIN), BASE_PVH, TSC, 0, { P(DOUBLE, 0, NULL) } },
    { R(XC_AGAIN),
      BASE_PVH,
      "libxc STATIC_DATA_END",
      0,
      { P(DOUBLE, 0, NULL) } },
    { R(XC_CHECKPOINT),
      BASE_PVH,
      "libxc END",
      0,
      { P(INSERT, 0, "0e00000000000000") } },
    { R(XC_CHECKPOINT),
      BASE_PVH,
      "libxc END",
      0,
      { P(INSERT, 0, "0f00000000000000") } },
    { R(XC_TOOLSTACK),
      BASE_PVH,
      "libxc END",
      0,
      { P(INSERT, 0, "0b00000000000000") } },
    { R(XC_STATIC_END),
      BASE_PVH,
      "libxc STATIC_DATA_END",
      0,
      { P(DROP, 0, NULL) } },
    { R(XC_STATIC_END),
      BASE_V2,
      DATA,
      0,
      { P(INSERT, 0, "1000000000000000") } },
    { R(XC_POLICY_PLACE),
      BASE_PV,
      "libxc X86_PV_P2M_FRAMES",
      0,
      { P(INSERT, 0, "1200000010000000 ce00000000000000 0000000000000000") } },
    { R(XC_POLICY_PLACE),
      BASE_V2,
      DATA,
      0,
      { P(INSERT, 0, "1200000010000000 ce00000000000000 0000000000000000") } },
    { R(XC_POLICY_LEN),
      BASE_PVH,
      "libxc X86_CPUID_POLICY",
      0,
      { P(SET, 4, "2f") } },
    { R(XC_POLICY_FLAGS),
      BASE_PVH,
      "libxc X86_MSR_POLICY",
      0,
      { P(SET, 12, "01") } },
    { R(XC_PAGES_PLACE),
      BASE_PVH,
      "libxc END",
      0,
      { P(INSERT, 0, "0100000010000000 0100000000000000 09000000000000f0") } },
    { R(XC_VERIFY), BASE_PVH, DATA, 0, { P(INSERT, 0, "0d00000000000000") } },
    { R(XC_VERIFY), BASE_PV, "libxc VERIFY", 0, { P(DOUBLE, 0, NULL) } },
    { R(XC_COUNT), BASE_PVH, DATA, 0, { P(SET, 8, "00000000") } },
    { R(XC_COUNT), BASE_PVH, DATA, 0, { P(SET, 8, "01100000") } },
    { R(XC_COUNT), BASE_PVH, DATA, 0, { P(SET, 8, "ffffffff") } },
    { R(XC_COUNT), BASE_PVH, DATA, 0, { P(INSERT, 0, "0100000000000000") } },
    { R(XC_PAGE_RESERVED), BASE_PVH, DATA, 0, { P(SET, 12, "01") } },
    { R(XC_PAGE_BITS), BASE_PVH, DATA, 0, { P(SET, 22, "10") } },
    { R(XC_PAGE_TYPE), BASE_PVH, DATA, 0, { P(SET, 23, "50") } },
    { R(XC_PAGE_TYPE), BASE_PVH, DATA, 0, { P(SET, 23, "10") } },
    { R(XC_PAGE_TYPE), BASE_PV, DATA, 0, { P(SET, 23, "80") } },
    { R(XC_PAGE_TWICE), BASE_PVH, DATA, 0, { P(SET, 24, "00") } },
    { R(XC_PFN), BASE_PVH, DATA, 0, { P(SET, 21, "01") } },
    { R(XC_PAGE_LEN), BASE_PVH, DATA, 0, { P(SET, 23, "e0") } },
    { R(XC_TSC), BASE_PVH, TSC, 0, { P(SET, 8, "03") } },
    { R(XC_TSC), BASE_PVH, TSC, 0, { P(SET, 28, "01") } },
    { R(XC_TSC), BASE_PVH, TSC, 0, { P(SET, 4, "17") } },
    { R(XC_COMPLETE), BASE_PVH, TSC, 0, { P(DROP, 0, NULL) } },
    { R(XC_COMPLETE), BASE_PVH, PARAMS, 0, { P(DROP, 0, NULL) } },
    { R(XC_COMPLETE), BASE_PVH, HVM_CTX, 0, { P(DROP, 0, NULL) } },
    { R(XC_COMPLETE), BASE_PV, "libxc SHARED_INFO", 0, { P(DROP, 0, NULL) } },
    { R(XC_PV_ORDER),
      BASE_PV,
      "libxc X86_PV_P2M_FRAMES",
      0,
      { P(DROP, 0, NULL) } },
    { R(XC_PV_ORDER), BASE_PV, "libxc X86_PV_INFO", 0, { P(DROP, 0, NULL) } },
    { R(XC_PV_INFO), BASE_PV, "libxc X86_PV_INFO", 0, { P(SET, 8, "05") } },
    { R(XC_PV_INFO), BASE_PV, "libxc X86_PV_INFO", 0, { P(SET, 4, "07") } },
    { R(XC_PV_P2M),
      BASE_PV,
      "libxc X86_PV_P2M_FRAMES",
      0,
      { P(SET, 8, "ffff") } },
    { R(XC_PV_P2M),
      BASE_PV,
      "libxc X86_PV_P2M_FRAMES",
      0,
      { P(SET, 12, "0010") } },
    { R(XC_PV_VCPU),
      BASE_PV,
      "libxc X86_PV_VCPU_BASIC",
      0,
      { P(SET, 12, "01") } },
    { R(XC_PV_VCPU),
      BASE_PV,
      "libxc X86_PV_VCPU_BASIC",
      0,
      { P(SET, 9, "20") } },
    { R(XC_SHARED), BASE_PV, "libxc SHARED_INFO", 0, { P(SET, 4, "f80f") } },
    { R(HVM_PARAMS), BASE_PVH, PARAMS, 0, { P(SET, 8, "03") } },
    { R(HVM_PARAMS_RES), BASE_PVH, PARAMS, 0, { P(SET, 12, "01") } },
    { R(HVM_PARAM), BASE_PVH, PARAMS, 0, { P(SET, 16, "03") } },
    { R(HVM_PARAM), BASE_PVH, PARAMS, 0, { P(SET, 20, "01") } },
    { R(HVM_PARAM_AGAIN), BASE_PVH, PARAMS, 0, { P(SET, 32, "01") } },
    { R(HVM_DESC), BASE_PVH, HVM_CTX, 0, { P(SET, 12, "ffff0000") } },
    { R(HVM_DESC), BASE_PVH, HVM_CTX, 0, { P(SET, 12, "ffffffff") } },
    { R(HVM_HEADER), BASE_PVH, HVM_CTX, 0, { P(SET, 16, "00") } },
    { R(HVM_HEADER), BASE_PVH, HVM_CTX, 0, { P(SET, 20, "02") } },
    { R(HVM_HEADER), BASE_PVH, HVM_CTX, 0, { P(SET, 8, "02") } },
    { R(HVM_HEADER), BASE_PVH, HVM_CTX, 0, { P(SET, 1096, "01") } },
    { R(HVM_TYPE), BASE_PVH, HVM_CTX, 0, { P(SET, 40, "15") } },
    { R(HVM_INSTANCE), BASE_PVH, HVM_CTX, 0, { P(SET, 42, "80") } },
    { R(HVM_INSTANCE), BASE_PVH, HVM_CTX, 0, { P(SET, 1098, "02") } },
    { R(HVM_LENGTH), BASE_PVH, HVM_CTX, 0, { P(SET, 44, "00040000") } },
    { R(HVM_LENGTH), BASE_PVH, HVM_CTX, 0, { P(SET, -48, "03") } },
    { R(HVM_AGAIN), BASE_PVH, HVM_CTX, 0, { P(SET, 1098, "00") } },
    { R(HVM_END), BASE_PVH, HVM_CTX, 0, { P(SET, -6, "01") } },
    { R(HVM_END), BASE_PVH, HVM_CTX, 0, { P(SET, 1096, "0000") } },
    { R(HVM_CPU), BASE_PVH, HVM_CTX, 0, { P(SET, 40, "10000100") } },
    { R(QEMU_VERSION), BASE_QEMU, "QEMU header", 0, { P(SET, 7, "04") } },
    { R(QEMU_CONFIG), BASE_QEMU, CONFIG, 0, { P(SET, 5, "0a") } },
    { R(QEMU_CONFIG), BASE_QEMU, CONFIG, 0, { P(SET, 1, "01") } },
    { R(QEMU_CONFIG), BASE_QEMU, CONFIG, 0, { P(SET, 13, "'X'") } },
    { R(QEMU_CONFIG),
      BASE_QEMU,
      CONFIG,
      0,
      { P(INSERT, AT_END, CAPABILITIES "03 'new'") } },
    { R(QEMU_MULTIFD),
      BASE_QEMU,
      CONFIG,
      0,
      { P(INSERT, AT_END, CAPABILITIES "07 'multifd'") } },
    { R(QEMU_MULTIFD), BASE_QEMU, "QEMU ram", 1, { P(SET, 11, "0202") } },
    { R(QEMU_ELEMENT), BASE_QEMU, "QEMU timer", 0, { P(SET, 0, "09") } },
    { R(QEMU_COMMAND), BASE_QEMU, "QEMU command", 0, { P(SET, 2, "03") } },
    { R(QEMU_COMMAND), BASE_QEMU, "QEMU command", 0, { P(SET, 2, "01") } },
    { R(QEMU_COMMAND), BASE_QEMU, "QEMU command", 0, { P(SET, 2, "0b") } },
    { R(QEMU_NAME), BASE_QEMU, "QEMU ram", 0, { P(SET, 7, "01") } },
    { R(QEMU_ID), BASE_QEMU, "QEMU ram", 1, { P(SET, 4, "09") } },
    { R(QEMU_ID), BASE_QEMU, "QEMU ram", 2, { P(DOUBLE, 0, NULL) } },
    { R(QEMU_ID), BASE_QEMU, "QEMU dma", 0, { P(SET, 4, "02") } },
    { R(QEMU_TWICE), BASE_QEMU, "QEMU dma", 1, { P(SET, 12, "00") } },
    { R(QEMU_COUNT), BASE_MANY, NULL, 0, { P(NOTHING, 0, NULL) } },
    { R(QEMU_FOOTER), BASE_QEMU, "QEMU ram", 0, { P(SET, -5, "7f") } },
    { R(QEMU_FOOTER), BASE_QEMU, "QEMU dma", 1, { P(SET, -1, "77") } },
    { R(QEMU_OPEN), BASE_QEMU, "QEMU ram", 2, { P(DROP, 0, NULL) } },
    { R(QEMU_DESC), BASE_QEMU, VMDESC, 0, { P(SET, 5, "'['") } },
    { R(QEMU_DESC), BASE_QEMU, VMDESC, 0, { P(SET, 1, "01") } },
    { R(QEMU_DESC_LEN),
      BASE_QEMU,
      VMDESC,
      0,
      { T("\"size\":4", "\"size\":5") } },
    { R(QEMU_DESC_LEN),
      BASE_QEMU,
      VMDESC,
      0,
      { T("array_len\":5", "array_len\":6") } },
    { R(QEMU_DESC_SET), BASE_QEMU, VMDESC, 0, { T("timer", "time2") } },
    { R(QEMU_DESC_SET), BASE_QEMU, VMDESC, 0, { T("devices", "device5") } },
    { R(RAM_VERSION), BASE_QEMU, "QEMU ram", 0, { P(SET, 16, "03") } },
    { R(RAM_VERSION), BASE_QEMU, "QEMU ram", 0, { P(SET, 12, "01") } },
    { R(RAM_FLAGS), BASE_QEMU, "QEMU ram", 1, { P(SET, 12, "0a") } },
    { R(RAM_FLAGS), BASE_QEMU, "QEMU ram", 1, { P(SET, 12, "00") } },
    { R(RAM_BLOCKS), BASE_QEMU, "QEMU ram", 0, { P(SET, 23, "60") } },
    { R(RAM_BLOCKS), BASE_QEMU, "QEMU ram", 0, { P(SET, 38, "80") } },
    { R(RAM_BLOCKS), BASE_QEMU, "QEMU ram", 0, { P(SET, 26, "01") } },
    { R(RAM_BLOCK), BASE_QEMU, "QEMU ram", 1, { P(SET, 14, "'x'") } },
    { R(RAM_BLOCK), BASE_QEMU, "QEMU ram", 1, { P(SET, 12, "22") } },
    { R(RAM_OFFSET), BASE_QEMU, "QEMU ram", 1, { P(SET, 11, "40") } },
    { R(RAM_ZERO), BASE_QEMU, "QEMU ram", 1, { P(SET, 20, "01") } },
    { R(RAM_XBZRLE), BASE_QEMU, "QEMU ram", 2, { P(SET, 24, "ff") } },
    { R(RAM_XBZRLE), BASE_QEMU, "QEMU ram", 2, { P(SET, 25, "03") } },
    { R(RAM_XBZRLE), BASE_QEMU, "QEMU ram", 2, { P(SET, 20, "02") } },
    { R(RAM_PLACE), BASE_QEMU, "QEMU ram", 1, { P(SET, 12, "04") } },
    { R(MAPPED_VERSION), BASE_MAPPED, "QEMU ram", 0, { P(SET, 43, "00") } },
    { R(MAPPED_VERSION), BASE_MAPPED, "QEMU ram", 0, { P(SET, 43, "02") } },
    { R(MAPPED_PAGE), BASE_MAPPED, "QEMU ram", 0, { P(SET, 50, "20") } },
    { R(MAPPED_PAGE), BASE_MAPPED, "QEMU ram", 0, { P(SET, 50, "00") } },
    { R(MAPPED_BITMAP_AT), BASE_MAPPED, "QEMU ram", 0, { P(SET, 59, "a6") } },
    { R(MAPPED_BITMAP_AT), BASE_MAPPED, "QEMU ram", 0, { P(SET, 52, "ff") } },
    { R(MAPPED_PAGES), BASE_MAPPED, "QEMU ram", 0, { P(SET, 67, "08") } },
    { R(MAPPED_PAGES), BASE_MAPPED, "QEMU ram", 0, { P(SET, 66, "00") } },
    { R(MAPPED_PAGES), BASE_MAPPED, "QEMU ram", 0, { P(SET, 65, "11") } },
    { R(MAPPED_PAGES), BASE_MAPPED, "QEMU ram", 0, { P(SET, 60, "80") } },
    { R(MAPPED_END), BASE_MAPPED, "QEMU ram", 0, { P(SET, 17, HUGE) } },
    { R(MAPPED_BITMAP), BASE_MAPPED, "QEMU ram", 0, { P(SET, 68, "06") } },
    { R(MAPPED_BITMAP), BASE_MAPPED, "QEMU ram", 0, { P(SET, 75, "80") } },
    { R(MAPPED_PADDING), BASE_MAPPED, "QEMU ram", 0, { P(SET, 76, "01") } },
    { R(MAPPED_ENTRIES), BASE_MAPPED, "QEMU ram", 1, { P(SET, 12, "08") } },
    { R(MAPPED_ENTRIES), BASE_MAPPED, "QEMU ram", 1, { P(SET, 11, "02") } },
    { R(DUMP_SEALED), BASE_DUMP, OPEN, 0, { P(SET, 4, "'DAT'") } },
    { R(DUMP_OPEN), BASE_DUMP, OPEN, 0, { P(SET, 25, "02") } },
    { R(DUMP_OPEN), BASE_DUMP, OPEN, 0, { P(SET, 24, "00000000") } },
    { R(DUMP_OPEN), BASE_DUMP, OPEN, 0, { P(SET, 27, "11") } },
    { R(DUMP_LENGTH), BASE_DUMP, BARRIER, 0, { P(SET, 3, "00") } },
    { R(DUMP_LENGTH), BASE_DUMP, BARRIER, 0, { P(SET, 2, "03f1") } },
    { R(DUMP_LENGTH), BASE_DUMP, BARRIER, 0, { P(SET, 0, "80") } },
    { R(DUMP_TYPE), BASE_DUMP, BARRIER, 0, { P(SET, 4, "05") } },
    { R(DUMP_TYPE), BASE_DUMP, BARRIER, 0, { P(SET, 4, "81") } },
    { R(DUMP_BODY), BASE_DUMP, BARRIER, 0, { P(SET, 3, "04") } },
    { R(DUMP_BODY), BASE_DUMP, BARRIER, 0, { P(SET, 3, "06") } },
    { R(DUMP_BODY), BASE_DUMP, PAGES, 0, { P(SET, 3, "0a") } },
    { R(DUMP_BODY), BASE_DUMP, PAGES, 0, { P(SET, 3, "0c") } },
    { R(DUMP_BODY), BASE_DUMP, PAGES, 0, { P(SET, 3, "11") } },
    { R(DUMP_BODY), BASE_DUMP, PAGES, 0, { P(SET, 3, "14") } },
    { R(DUMP_BODY), BASE_DUMP, PAGES, 0, { P(SET, 3, "18") } },
    { R(DUMP_BODY), BASE_DUMP, ABSENT, 0, { P(SET, 6, "00") } },
    { R(DUMP_BODY), BASE_DUMP, ABSENT, 0, { P(SET, 3, "02") } },
    { R(DUMP_BODY), BASE_DUMP, END, 0, { P(SET, 3, "10") } },
    { R(DUMP_SPAN), BASE_DUMP, PAGES, 0, { P(SET, 13, "0000") } },
    { R(DUMP_SPAN), BASE_DUMP, PAGES, 0, { P(SET, 13, "0401") } },
    { R(DUMP_SPAN), BASE_DUMP, PAGES, 0, { P(SET, 5, "80") } },
    { R(DUMP_SPAN), BASE_DUMP, PAGES, 0, { P(SET, 9, "0ffffff9") } },
    { R(DUMP_MAP), BASE_DUMP, PAGES, 1, { P(SET, 15, "07") } },
    { R(DUMP_MAP), BASE_DUMP, PAGES, 0, { P(SET, 3, MAP_OF_65) } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "0000") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "1000") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "1f01") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "2001") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "3007") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "33f1") } },
    { R(DUMP_CODING), BASE_DUMP, PAGES, 0, { P(SET, 17, "401a") } },
    { R(DUMP_BATCH), BASE_DUMP, PAGES, 0, { P(SET, 23, "00000000") } },
    { R(DUMP_BATCH), BASE_DUMP, PAGES, 0, { P(SET, 23, "00002000") } },
    { R(DUMP_BATCH), BASE_DUMP, PAGES, 0, { P(SET, 23, "80000000") } },
    { R(DUMP_LZ4), BASE_DUMP, PAGES, 0, { P(SET, 4142, "00") } },
    { R(DUMP_LZ4), BASE_DUMP, PAGES, 0, { P(SET, 4125, "ff") } },
    { R(DUMP_ZSTD), BASE_DUMP, PAGES, 0, { P(SET, 4149, "00") } },
    { R(DUMP_ZSTD), BASE_DUMP, PAGES, 0, { P(SET, 4150, "01") } },
    { R(DUMP_ZSTD), BASE_DUMP, PAGES, 0, { P(SET, -4, "c2") } },
    { R(DUMP_DELTA), BASE_DUMP, PAGES, 1, { P(SET, 26, "0180") } },
    { R(DUMP_DELTA), BASE_DUMP, PAGES, 1, { P(SET, 44, "0281") } },
    { R(DUMP_DELTA), BASE_DUMP, PAGES, 1, { P(SET, 44, "0302") } },
    { R(DUMP_DELTA), BASE_DUMP, PAGES, 1, { P(SET, 26, "ff82") } },
    { R(DUMP_DELTA_PLACE), BASE_DUMP, BARRIER, 0, { P(DROP, 0, NULL) } },
    { R(DUMP_ITERATION), BASE_DUMP, BARRIER, 0, { P(SET, 8, "00") } },
    { R(DUMP_ITERATION), BASE_DUMP, BARRIER, 1, { P(DOUBLE, 0, NULL) } },
    { R(DUMP_ABSENT), BASE_DUMP, ABSENT, 0, { P(SET, 5, "0041") } },
    { R(DUMP_ABSENT), BASE_DUMP, ABSENT, 0, { P(SET, 18, "00") } },
    { R(DUMP_ABSENT), BASE_DUMP, ABSENT, 0, { P(SET, 7, "01") } },
    { R(DUMP_ABSENT), BASE_DUMP, ABSENT, 0, { P(SET, 15, "10") } },
    { R(DUMP_ABSENT), BASE_DUMP, ABSENT, 0, { P(SET, 15, "00010001") } },
    { R(DUMP_COUNTS), BASE_DUMP, END, 0, { P(SET, 12, "04") } },
    { R(DUMP_COUNTS), BASE_DUMP, END, 0, { P(SET, 13, "01") } },
};

const size_t nbroken = sizeof(broken) / sizeof(broken[0]);

/* ---- making them ---- */

struct find {
    const char *name;
    unsigned nth;
    uint64_t at, end;
    bool found;
};

static void on_end(void *arg, const struct stream_record *r)
{
    char name[STREAM_NAME_MAX + 16];
    struct find *f = arg;

    snprintf(name, sizeof(name), "%s %s", stream_layer_name(r->layer), r->name);
    if (f->found || strcmp(name, f->name) || f->nth--)
        return;
    f->found = true;
    f->at = r->at;
    f->end = r->at + r->length;
}

/* Hex, and 'text', with spaces between; how many octets. */
static size_t octets(uint8_t out[64], const char *text)
{
    size_t n = 0;
    unsigned v;
    int got;

    while (*text) {
        assert(n < 64);
        if (*text == '\'') {
            for (text++; *text != '\''; text++)
                out[n++] = (uint8_t)*text;
            text++;
        } else if (isspace((unsigned char)*text)) {
            text++;
        } else {
            got = sscanf(text, "%2x", &v);
            assert(got == 1);
            out[n++] = (uint8_t)v;
            text += 2;
        }
    }
    return n;
}

static void insert(struct bytes *b, size_t at, const uint8_t *p, size_t n)
{
    assert(b->n + n <= BYTES_MAX);
    memmove(b->p + at + n, b->p + at, b->n - at);
    memcpy(b->p + at, p, n);
    b->n += n;
}

static void replace(struct bytes *b, const struct find *f,
                    const struct patch *p)
{
    size_t n = strlen(p->octets);
    uint8_t *at = memmem(b->p + f->at, (size_t)(f->end - f->at), p->octets, n);

    assert(at);
    assert(strlen(p->other) == n);
    memcpy(at, p->other, n);
}

static void apply(struct bytes *b, const struct find *f, const struct patch *p)
{
    size_t len = (size_t)(f->end - f->at), n = 0, at;
    uint8_t v[64], copy[16384];

    at = p->at == AT_END ? (size_t)f->end
         : p->at < 0     ? (size_t)f->end - (size_t)-p->at
                         : (size_t)f->at + (size_t)p->at;
    if (p->octets && p->op != TEXT)
        n = octets(v, p->octets);
    switch (p->op) {
    case NOTHING:
        break;
    case SET:
        memcpy(b->p + at, v, n);
        break;
    case INSERT:
        insert(b, at, v, n);
        break;
    case DROP:
        memmove(b->p + f->at, b->p + f->end, b->n - (size_t)f->end);
        b->n -= len;
        break;
    case DOUBLE:
        assert(len <= sizeof(copy));
        memcpy(copy, b->p + f->at, len);
        insert(b, (size_t)f->end, copy, len);
        break;
    case CUT:
        b->n = at;
        break;
    case APPEND:
        insert(b, b->n, v, n);
        break;
    case TEXT:
        replace(b, f, p);
        break;
    }
}

void build_broken(struct bytes *b, const struct broken *row)
{
    static const struct stream_events events = { .end = on_end };
    struct find f = { .name = row->record, .nth = row->nth };
    int rc;

    build_stream(b, row->base);
    if (row->record) {
        rc = walk_bytes(b->p, b->n, 0, &events, &f, NULL);
        assert(!rc && f.found); /* there is such a record */
    }
    for (unsigned i = 0; i < 2; i++)
        apply(b, &f, &row->patch[i]);
}
