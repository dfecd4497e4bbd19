/* config_file.h - KEY=VALUE lines as systemd reads an EnvironmentFile: quotes, backslashes, comments. */
#ifndef SERVER_CONFIG_FILE_H
#define SERVER_CONFIG_FILE_H

typedef void config_file_line(const char *name, const char *value, void *context);

/* Calls `line` for each assignment, in order. 0, or the number of the first line that is none; lines
 * behind it are read all the same. */
int config_file_parse(const char *text, config_file_line *line, void *context);

#endif
