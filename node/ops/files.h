/* Static files: read once at start, served from memory with ETag and a strict content security
 * policy. Only names that were found in the folder exist: there is no path to traverse. */
#ifndef NODE_OPS_FILES_H
#define NODE_OPS_FILES_H

#include "node/edge/edge.h"

struct ops_files;

/* Reads the regular files of a folder (no subfolders, 4 MB each and 64 at most). A missing folder:
 * no files. */
struct ops_files *ops_files_new(const char *folder);
void ops_files_free(struct ops_files *f);

/* Answers GET and HEAD of a known name ("app.js"). False: no such file, nothing was sent. */
bool ops_files_serve(const struct ops_files *f, struct str name, struct pipe *p,
                     const struct http_request *r);

#endif
