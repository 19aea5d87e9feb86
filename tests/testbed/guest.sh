# shellcheck shell=bash
cmd_guest() { die "not yet"; }
