/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/backup.h: what backup and restore have in common.
 */
#ifndef CTL_BACKUP_H
#define CTL_BACKUP_H

#define BACKUP_KIND "backup"
#define BACKUP_DATABASE "database" /* the member with pg_dump's output: custom format */
#define BACKUP_ERASURES "erasures" /* a line of JSON a person; also an archive of its own kind */
#define BACKUP_ERASURES_FILE "erasures.proalto" /* beside the backups, always the newest */

#endif
