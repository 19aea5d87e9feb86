/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_case.h"
#include "xl_stream.h"

char *out, *err;

int xl(const char *words)
{
    char copy[256], *argv[16] = { (char *)"migrate-stream" }, *at = copy;
    size_t nout, nerr;
    FILE *fout, *ferr;
    int argc = 1, rc;

    snprintf(copy, sizeof(copy), "%s", words);
    while ((argv[argc] = strsep(&at, " ")))
        argc++;
    free(out);
    free(err);
    fout = open_memstream(&out, &nout);
    ferr = open_memstream(&err, &nerr);
    rc = xl_stream_run(fout, ferr, argc, argv);
    fclose(fout);
    fclose(ferr);
    return rc;
}
