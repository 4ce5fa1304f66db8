CREATE TABLE `legacy_sessions` (
	`hash` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`revision` text NOT NULL,
	`capabilities` text NOT NULL,
	`client_info` text NOT NULL,
	`log_level` text,
	`subscriptions` text DEFAULT '[]' NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `legacy_sessions_grant` ON `legacy_sessions` (`grant_id`,`used_at`);--> statement-breakpoint
DROP INDEX `tools_connection_name`;--> statement-breakpoint
ALTER TABLE `tools` ADD `feature` text DEFAULT 'tool' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `tools_connection_name` ON `tools` (`connection_id`,`feature`,`name`);--> statement-breakpoint
DROP INDEX `profile_tools_exposed_name`;--> statement-breakpoint
ALTER TABLE `profile_tools` ADD `feature` text DEFAULT 'tool' NOT NULL;--> statement-breakpoint
ALTER TABLE `profile_tools` ADD `override` text;--> statement-breakpoint
ALTER TABLE `profile_tools` ADD `is_pinned` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `profile_tools_exposed_name` ON `profile_tools` (`profile_id`,`feature`,`exposed_name`);--> statement-breakpoint
ALTER TABLE `profiles` ADD `delivery` text DEFAULT 'whole' NOT NULL;