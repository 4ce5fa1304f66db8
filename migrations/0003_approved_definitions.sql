ALTER TABLE `profile_tools` ADD `approved_definition` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
UPDATE `profile_tools` SET `approved_definition` = `tools`.`definition` FROM `tools` WHERE `tools`.`id` = `profile_tools`.`tool_id` AND `tools`.`hash` = `profile_tools`.`approved_hash`;
