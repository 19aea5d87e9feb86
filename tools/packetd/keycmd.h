/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's words for keys, in the spirit of wg(8):
 *
 *   packetd genkey                 creates the host key, prints the public one
 *   packetd pubkey                 prints the public key
 *   packetd fingerprint [NAME]     prints 16 octets of BLAKE2b-256 of a key
 *   packetd trust list             NAME, tab, KEY, a line each
 *   packetd trust add NAME KEY|-   -: the key is read from standard input
 *   packetd trust remove NAME
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
