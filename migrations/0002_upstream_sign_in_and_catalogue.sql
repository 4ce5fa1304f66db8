CREATE TABLE `catalogue_entries` (
	`name` text PRIMARY KEY NOT NULL,
	`origin` text NOT NULL,
	`source` text NOT NULL,
	`entry` text NOT NULL,
	`seen_at` integer NOT NULL,
	`added_by` text
);
--> statement-breakpoint
CREATE TABLE `catalogue_sources` (
	`url` text PRIMARY KEY NOT NULL,
	`synced_at` integer,
	`updated_since` text,
	`problem` text,
	`added_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `program_policy` (
	`id` text PRIMARY KEY NOT NULL,
	`users` text NOT NULL,
	`commands` text
);
--> statement-breakpoint
CREATE TABLE `provider_clients` (
	`provider_id` text PRIMARY KEY NOT NULL,
	`settings` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`version` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `provider_credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`provider_id` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`expires_at` integer,
	`status` text DEFAULT 'ok' NOT NULL,
	`problem` text,
	`account_name` text,
	`issuer` text,
	`scope` text,
	`is_refreshable` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `provider_credentials_user` ON `provider_credentials` (`user_id`,`provider_id`);--> statement-breakpoint
CREATE TABLE `upstream_clients` (
	`connection_id` text PRIMARY KEY NOT NULL,
	`issuer` text NOT NULL,
	`how` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`connection_id`) REFERENCES `connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `upstream_flows` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`session_hash` text NOT NULL,
	`connection_id` text,
	`provider_id` text,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`return_to` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`connection_id`) REFERENCES `connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `upstream_flows_expires` ON `upstream_flows` (`expires_at`);--> statement-breakpoint
DROP INDEX `credentials_connection_user`;--> statement-breakpoint
ALTER TABLE `credentials` ADD `status` text DEFAULT 'ok' NOT NULL;--> statement-breakpoint
ALTER TABLE `credentials` ADD `problem` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `account_name` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `issuer` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `scope` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `is_refreshable` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_connection_user_kind` ON `credentials` (`connection_id`,`user_id`,`kind`);--> statement-breakpoint
ALTER TABLE `connections` ADD `auth` text DEFAULT 'settings' NOT NULL;--> statement-breakpoint
ALTER TABLE `connections` ADD `auth_config` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `catalogue_name` text;