/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's words for keys, in the spirit of wg(8):
 *
 *   packetd genkey [--next]        creates the host key, or the one to replace
 *                                  it; prints the public half
 *   packetd pubkey [--next]        prints the public key
 *   packetd fingerprint [NAME | --next]   of a key, or of each of NAME's
 *   packetd rotate [--finish]      makes next.key host.key; removes old.key
 *   packetd trust list             NAME, tab, KEY, a line each
 *   packetd trust add NAME KEY|- [--also]   -: read from standard input
 *   packetd trust remove NAME [KEY|-]
 *   packetd trust fetch HOST[:PORT] [--name NAME] [--fingerprint FP] [--yes]
 *
 * Each takes --dir DIR (default: mext_keys_dir()) and --help.
 */
#ifndef PACKETD_KEYCMD_H
#define PACKETD_KEYCMD_H

/*
 * Runs the subcommand argv[0], with argv[1 .. argc) its arguments; argv may be
 * permuted.  Returns the exit status: 0 done, 1 failed, 2 wrong usage (both
 * explained on stderr); or -1 if argv[0] is none of the words above.
 */
int packetd_keycmd(int argc, char **argv);

#endif
