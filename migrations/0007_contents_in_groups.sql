CREATE TABLE `audit_contents_in_groups` (
	`seq` integer PRIMARY KEY NOT NULL,
	`last` integer NOT NULL,
	`rows` integer NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL
);
--> statement-breakpoint
INSERT INTO `audit_contents_in_groups` SELECT `seq`, `seq`, 1, `sealed`, `sealed_key` FROM `audit_contents`;--> statement-breakpoint
DROP TABLE `audit_contents`;--> statement-breakpoint
ALTER TABLE `audit_contents_in_groups` RENAME TO `audit_contents`;
