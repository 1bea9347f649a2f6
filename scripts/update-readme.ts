import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable, withSettingsTable } from "@tailrace/server";

const README = new URL("../README.md", import.meta.url);

writeFileSync(README, withSettingsTable(readFileSync(README, "utf8"), settingsTable()));
