CREATE TABLE `audit_checkpoints` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`rows` integer NOT NULL,
	`chain` text NOT NULL,
	`why` text NOT NULL,
	`signature` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_contents` (
	`seq` integer PRIMARY KEY NOT NULL,
	`keeps` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_hours` (
	`hour` integer NOT NULL,
	`user_id` text NOT NULL,
	`client_id` text NOT NULL,
	`grant_id` text NOT NULL,
	`profile_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`tool_id` text NOT NULL,
	`calls` integer NOT NULL,
	`failed` integer NOT NULL,
	`refused` integer NOT NULL,
	`cancelled` integer NOT NULL,
	`duration_us` integer NOT NULL,
	`upstream_us` integer NOT NULL,
	`request_bytes` integer NOT NULL,
	`response_bytes` integer NOT NULL,
	`latencies` text NOT NULL,
	PRIMARY KEY(`hour`, `grant_id`, `tool_id`, `connection_id`, `user_id`, `client_id`, `profile_id`)
);
--> statement-breakpoint
CREATE INDEX `audit_hours_user` ON `audit_hours` (`user_id`,`hour`);--> statement-breakpoint
CREATE TABLE `audit_policy` (
	`id` text PRIMARY KEY NOT NULL,
	`keep_days` integer,
	`keep_megabytes` integer
);
--> statement-breakpoint
CREATE TABLE `forwarders` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`settings` text NOT NULL,
	`sealed` blob,
	`sealed_key` text,
	`version` integer NOT NULL,
	`seq` integer NOT NULL,
	`problem` text,
	`paused_at` integer,
	`sent_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `approval_settings` (
	`user_id` text PRIMARY KEY NOT NULL,
	`in_app` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `approvals` (
	`id` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`profile_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`tool_id` text NOT NULL,
	`exposed_name` text NOT NULL,
	`client_name` text NOT NULL,
	`purpose` text,
	`arguments_hash` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`status` text NOT NULL,
	`scope` text,
	`decided_via` text,
	`created_at` integer NOT NULL,
	`decided_at` integer,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `approvals_user` ON `approvals` (`user_id`,`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `approvals_grant` ON `approvals` (`grant_id`,`tool_id`,`status`);--> statement-breakpoint
CREATE TABLE `grant_switches` (
	`id` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`profile_id` text NOT NULL,
	`days` integer NOT NULL,
	`minute_of_day` integer NOT NULL,
	`time_zone` text NOT NULL,
	`done_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`profile_id`) REFERENCES `profiles`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `grant_switches_grant` ON `grant_switches` (`grant_id`);--> statement-breakpoint
CREATE TABLE `kept_results` (
	`id` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`bytes` integer NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `kept_results_expires` ON `kept_results` (`expires_at`);--> statement-breakpoint
CREATE TABLE `limits` (
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`calls_per_minute` integer,
	`calls_per_day` integer,
	`calls_at_once` integer,
	`result_bytes` integer,
	`call_seconds` integer,
	`by_name` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `subject`)
);
--> statement-breakpoint
CREATE TABLE `pauses` (
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`user_id` text NOT NULL,
	`at` integer NOT NULL,
	`by_name` text NOT NULL,
	PRIMARY KEY(`kind`, `subject`, `user_id`)
);
--> statement-breakpoint
CREATE TABLE `digests` (
	`user_id` text PRIMARY KEY NOT NULL,
	`sent_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `notice_ways` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`host` text NOT NULL,
	`topics` text NOT NULL,
	`sealed` blob NOT NULL,
	`sealed_key` text NOT NULL,
	`version` integer NOT NULL,
	`problem` text,
	`sent_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `notice_ways_user` ON `notice_ways` (`user_id`);--> statement-breakpoint
ALTER TABLE `audit_rows` ADD `content_hash` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `trusts_changes` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `grants` ADD `settled` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `profiles` ADD `keeps` text DEFAULT 'redacted' NOT NULL;--> statement-breakpoint
ALTER TABLE `profiles` ADD `asks_purpose` integer DEFAULT false NOT NULL;