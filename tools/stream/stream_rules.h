/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The rules that a stream has to keep, each with its name for ever and its
 * text.  docs/specs/streams.md has the same table with what the rule is for;
 * tests/stream/test_stream.c compares the two.
 */
#ifndef STREAM_RULES_H
#define STREAM_RULES_H

#define STREAM_RULE_TABLE(R) \
    R(FILE_MAGIC, "file.magic", "begins as one of the known formats") \
    R(FILE_TRUNCATED, "file.truncated", "does not end inside of anything") \
    R(FILE_TRAILING, "file.trailing", "nothing follows the end") \
    R(XL_BYTE_ORDER, "xl.byte-order", "byte order is 0x01020304") \
    R(XL_MANDATORY, "xl.mandatory-flags", "only mandatory flags 0 and 1") \
    R(XL_STREAM_V2, "xl.stream-v2", "mandatory flag 1: stream of version 2") \
    R(XL_JSON, "xl.json", "mandatory flag 0: configuration is JSON") \
    R(XL_OPTIONAL, "xl.optional-flags", "no optional flags") \
    R(XL_DATA, "xl.data-length", "data is a length and 2 to 1048576 bytes") \
    R(XL_CONFIG_LEN, "xl.config-length", "configuration fills the data") \
    R(XL_CONFIG_END, "xl.config-end", "configuration has one NUL, its last") \
    R(XL_CONFIG_JSON, "xl.config-json", "configuration is a JSON object") \
    R(XL_GUEST, "xl.guest-type", "configuration's type is the domain's") \
    R(LIBXL_IDENT, "libxl.ident", "header begins with LibxlFmt") \
    R(LIBXL_VERSION, "libxl.version", "version is 2") \
    R(LIBXL_OPTIONS, "libxl.options", "no options") \
    R(LIBXL_TYPE, "libxl.type", "record's type is known") \
    R(LIBXL_LENGTH, "libxl.length", "body is at most 128 MiB") \
    R(LIBXL_EMPTY, "libxl.empty", "END and LIBXC_CONTEXT have no body") \
    R(LIBXL_PADDING, "libxl.padding", "padding is zero") \
    R(LIBXL_ORDER, "libxl.order", \
      "LIBXC_CONTEXT, then EMULATOR_XENSTORE_DATA, then EMULATOR_CONTEXT, " \
      "once each") \
    R(LIBXL_COMPLETE, "libxl.complete", "LIBXC_CONTEXT comes before END") \
    R(LIBXL_CHECKPOINT, "libxl.checkpoint", "no checkpoints") \
    R(LIBXL_EMULATOR, "libxl.emulator-id", "emulator is QEMU, 1 or 2") \
    R(LIBXL_INDEX, "libxl.emulator-index", "emulator's index is 0") \
    R(LIBXL_GUEST, "libxl.emulator-guest", "only an HVM guest has one") \
    R(LIBXL_STORE, "libxl.emulator-data", \
      "pairs of a relative key and a printable value, each with a NUL") \
    R(LIBXL_DEVICES, "libxl.emulator-context", \
      "begins as QEMU's stream of version 3, ends with 0") \
    R(XC_IDENT, "libxc.ident", "header begins with 64 ones and XENF") \
    R(XC_VERSION, "libxc.version", "version is 2 or 3") \
    R(XC_OPTIONS, "libxc.options", "no options, little-endian") \
    R(XC_RESERVED, "libxc.reserved", "reserved fields of headers are zero") \
    R(XC_GUEST, "libxc.guest-type", "domain is 1 (PV) or 2 (HVM, PVH)") \
    R(XC_SHIFT, "libxc.page-shift", "pages have 12 bits") \
    R(XC_LEGACY, "libxc.legacy", "not converted from an old stream") \
    R(XC_TYPE, "libxc.type", "mandatory record's type is known") \
    R(XC_OPTIONAL, "libxc.optional", "no optional records, none is known") \
    R(XC_LENGTH, "libxc.length", "body is at most 128 MiB") \
    R(XC_EMPTY, "libxc.empty", "END, VERIFY, STATIC_DATA_END have no body") \
    R(XC_PADDING, "libxc.padding", "padding is zero") \
    R(XC_WRONG_GUEST, "libxc.guest-record", "record is one of such a guest") \
    R(XC_AGAIN, "libxc.again", "not a second one of a kind there is one of") \
    R(XC_CHECKPOINT, "libxc.checkpoint", "no checkpoints") \
    R(XC_TOOLSTACK, "libxc.toolstack", "no TOOLSTACK, it is obsolete") \
    R(XC_STATIC_END, "libxc.static-data-end", \
      "in version 3 before all but static data, in version 2 never") \
    R(XC_POLICY_PLACE, "libxc.policy-place", \
      "static data only before STATIC_DATA_END, policies in version 3") \
    R(XC_POLICY_LEN, "libxc.policy-length", \
      "1 to 4096 whole leaves of 24 or MSRs of 16 bytes") \
    R(XC_POLICY_FLAGS, "libxc.policy-flags", "flags of an MSR are zero") \
    R(XC_PAGES_PLACE, "libxc.pages-place", "pages before HVM_PARAMS") \
    R(XC_VERIFY, "libxc.verify-place", "VERIFY after pages, once") \
    R(XC_COUNT, "libxc.page-count", "1 to 4096 entries that are all there") \
    R(XC_PAGE_RESERVED, "libxc.page-reserved", "reserved field is zero") \
    R(XC_PAGE_BITS, "libxc.page-bits", "bits 52 to 59 of an entry are zero") \
    R(XC_PAGE_TYPE, "libxc.page-type", \
      "type is legal; of an HVM guest 0, 13, 14 or 15") \
    R(XC_PAGE_TWICE, "libxc.page-twice", "a pfn is once in a record") \
    R(XC_PFN, "libxc.pfn-limit", "pfn is below 2^40") \
    R(XC_PAGE_LEN, "libxc.page-length", "4096 bytes for each page with data") \
    R(XC_TSC, "libxc.tsc", \
      "24 bytes, mode is 0, 1 or 2, reserved field is zero") \
    R(XC_COMPLETE, "libxc.complete", "END after all that a guest needs") \
    R(XC_PV_ORDER, "libxc.pv-order", \
      "X86_PV_INFO, X86_PV_P2M_FRAMES, PAGE_DATA, then vCPUs") \
    R(XC_PV_INFO, "libxc.pv-info", "8 bytes: 4 or 8, 3 or 4, zero") \
    R(XC_PV_P2M, "libxc.pv-p2m", "first <= last, a frame of each of them") \
    R(XC_PV_VCPU, "libxc.pv-vcpu", \
      "vCPU below 8192, reserved field is zero, something follows") \
    R(XC_SHARED, "libxc.shared-info", "4096 bytes") \
    R(HVM_PARAMS, "hvm.params-length", "as long as its count says") \
    R(HVM_PARAMS_RES, "hvm.params-reserved", "reserved field is zero") \
    R(HVM_PARAM, "hvm.param", "parameter is known") \
    R(HVM_PARAM_AGAIN, "hvm.param-again", "each parameter once") \
    R(HVM_DESC, "hvm.descriptor", "entries with their lengths fit") \
    R(HVM_HEADER, "hvm.header", "first entry, and no other, is HEADER 1") \
    R(HVM_TYPE, "hvm.type", "entry's type is known") \
    R(HVM_INSTANCE, "hvm.instance", "instance is of this type") \
    R(HVM_LENGTH, "hvm.length", "entry has its type's length") \
    R(HVM_AGAIN, "hvm.again", "each type and instance once") \
    R(HVM_END, "hvm.end", "END is the last entry, empty") \
    R(HVM_CPU, "hvm.cpu", "at least one vCPU has a CPU entry") \
    R(QEMU_VERSION, "qemu.version", "version is 3") \
    R(QEMU_CONFIG, "qemu.configuration", "machine and known parts of it") \
    R(QEMU_MULTIFD, "qemu.multifd", "no other channels (multifd)") \
    R(QEMU_ELEMENT, "qemu.element", "what is between sections is known") \
    R(QEMU_COMMAND, "qemu.command", \
      "OPEN_RETURN_PATH, PING or SWITCHOVER_START") \
    R(QEMU_NAME, "qemu.name", "section has a name of printable characters") \
    R(QEMU_ID, "qemu.section-id", "id is new, or of a section that is open") \
    R(QEMU_TWICE, "qemu.section-again", "name and instance are new") \
    R(QEMU_COUNT, "qemu.sections", "at most 1024 sections") \
    R(QEMU_FOOTER, "qemu.footer", "section ends with a footer of its id") \
    R(QEMU_OPEN, "qemu.open", "what was started has an end before EOF") \
    R(QEMU_DESC, "qemu.vmdesc", "description is at most 8 MiB of JSON") \
    R(QEMU_DESC_LEN, "qemu.vmdesc-length", \
      "described sections are as long as described") \
    R(QEMU_DESC_SET, "qemu.vmdesc-sections", \
      "described are the full sections, and no others") \
    R(RAM_VERSION, "ram.version", "version is 4, instance 0") \
    R(RAM_FLAGS, "ram.flags", "one known kind of entry, no other flags") \
    R(RAM_BLOCKS, "ram.blocks", \
      "at most 256 blocks with a name each, once, of whole pages, as long " \
      "together as said") \
    R(RAM_BLOCK, "ram.block", "entry is of a block of the list") \
    R(RAM_OFFSET, "ram.offset", "page is inside of its block") \
    R(RAM_ZERO, "ram.zero", "a page of one byte is of zeros") \
    R(RAM_XBZRLE, "ram.xbzrle", "runs of a difference stay within a page") \
    R(RAM_PLACE, "ram.place", "list of blocks is in the start, once") \
    R(MAPPED_VERSION, "mapped.version", "header has version 1") \
    R(MAPPED_PAGE, "mapped.page-size", "pages have 4096 bytes") \
    R(MAPPED_BITMAP_AT, "mapped.bitmap-offset", \
      "a block's bitmap follows its header") \
    R(MAPPED_PAGES, "mapped.pages-offset", \
      "pages begin at a multiple of 4096, less than 1 MiB after the bitmap") \
    R(MAPPED_END, "mapped.pages-end", "pages end below 2^63") \
    R(MAPPED_BITMAP, "mapped.bitmap", "no bit is set beyond the block") \
    R(MAPPED_PADDING, "mapped.padding", \
      "zeros between the bitmap and the pages") \
    R(MAPPED_ENTRIES, "mapped.entries", "RAM has no entries of pages") \
    R(DUMP_SEALED, "dump.sealed", "it is without its seals") \
    R(DUMP_OPEN, "dump.open", "channel is one of 1 to 16") \
    R(DUMP_LENGTH, "dump.length", "frame has 1 to 1008 bytes") \
    R(DUMP_TYPE, "dump.type", "frame is PAGES, BARRIER, ABSENT or END") \
    R(DUMP_BODY, "dump.body", "frame is as long as what it holds") \
    R(DUMP_SPAN, "dump.span", "1 to 1024 gfns below 2^28") \
    R(DUMP_MAP, "dump.map", "at most 64 pages follow, unused bits are zero") \
    R(DUMP_CODING, "dump.coding", "coding is known and has such a length") \
    R(DUMP_BATCH, "dump.batch", \
      "batch has 1 to 98304 bytes, fewer than its 1 to 32 pages") \
    R(DUMP_LZ4, "dump.lz4", "a block becomes exactly a page") \
    R(DUMP_ZSTD, "dump.zstd", "a batch becomes exactly its pages") \
    R(DUMP_DELTA, "dump.delta", \
      "runs rise with a word between, and stay within the page") \
    R(DUMP_DELTA_PLACE, "dump.delta-place", "no delta in the first iteration") \
    R(DUMP_ITERATION, "dump.iteration", "iterations are numbered from 1") \
    R(DUMP_ABSENT, "dump.absent", \
      "at most 64 runs of gfns below 2^28, none empty; 65536 gfns between " \
      "barriers") \
    R(DUMP_COUNTS, "dump.counts", "END counts the pages before it")

enum stream_rule {
#define STREAM_RULE_ENUM(id, name, text) STREAM_R_##id,
    STREAM_RULE_TABLE(STREAM_RULE_ENUM)
#undef STREAM_RULE_ENUM
        STREAM_RULES
};

/* Its name, "libxc.page-type", which does not change. */
const char *stream_rule_name(enum stream_rule rule);
/* What holds where it is kept. */
const char *stream_rule_text(enum stream_rule rule);

#endif
