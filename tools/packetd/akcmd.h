/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's words for the attestation key (AK) of a TPM 2.0:
 *
 *   packetd ak create              makes this host's, prints what to enrol
 *   packetd ak show                prints it again, PCRs as they are now
 *   packetd ak add NAME FILE|-     enrols NAME's: it must vouch from now on
 *   packetd ak remove NAME
 */
#ifndef PACKETD_AKCMD_H
#define PACKETD_AKCMD_H

/*
 * Runs "ak", which is argv[0]; argv[1 .. argc) are its words, and may be
 * permuted.  Returns the exit status: 0 done, 1 failed, 2 wrong usage.
 */
int packetd_akcmd(int argc, char **argv);

#endif
