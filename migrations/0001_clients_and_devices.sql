CREATE TABLE `client_policy` (
	`id` text PRIMARY KEY NOT NULL,
	`admits` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `assertions` (
	`hash` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `assertions_expires` ON `assertions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `device_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_code_hash` text NOT NULL,
	`client_id` text NOT NULL,
	`resource` text NOT NULL,
	`profile_name` text,
	`scope` text NOT NULL,
	`issuer` text NOT NULL,
	`address` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`interval_seconds` integer NOT NULL,
	`last_polled_at` integer,
	`decided_at` integer,
	`grant_id` text,
	`used_at` integer,
	FOREIGN KEY (`client_id`) REFERENCES `clients`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `device_codes_user_code_hash_unique` ON `device_codes` (`user_code_hash`);--> statement-breakpoint
CREATE INDEX `device_codes_expires` ON `device_codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `pushed_requests` (
	`hash` text PRIMARY KEY NOT NULL,
	`client_id` text NOT NULL,
	`params` text NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`client_id`) REFERENCES `clients`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `pushed_requests_expires` ON `pushed_requests` (`expires_at`);--> statement-breakpoint
ALTER TABLE `clients` ADD `jwks` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `jwks_uri` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `jwks_fetched_at` integer;--> statement-breakpoint
ALTER TABLE `clients` ADD `registration_hash` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `approved_at` integer;--> statement-breakpoint
ALTER TABLE `clients` ADD `fetched_at` integer;--> statement-breakpoint
ALTER TABLE `clients` ADD `fresh_until` integer;--> statement-breakpoint
ALTER TABLE `grants` ADD `networks` text DEFAULT '[]' NOT NULL;