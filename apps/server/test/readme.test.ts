import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingsTable, withSettingsTable } from "../src/settings/table.ts";

test("the README's settings are the server's (npm run readme)", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  expect(readme).toBe(withSettingsTable(readme, settingsTable()));
});
