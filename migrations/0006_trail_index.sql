CREATE TABLE `audit_cursors` (
	`id` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `audit_rows_user`;--> statement-breakpoint
DROP INDEX `audit_rows_grant`;--> statement-breakpoint
DROP INDEX `audit_rows_profile`;--> statement-breakpoint
CREATE VIRTUAL TABLE `audit_index` USING fts5(marks, names, words, content='', contentless_delete=1, detail=column, tokenize='ascii');--> statement-breakpoint
INSERT INTO `audit_index` (`audit_index`, `rank`) VALUES ('automerge', 0);--> statement-breakpoint
INSERT INTO `audit_index` (`audit_index`, `rank`) VALUES ('crisismerge', 64);
